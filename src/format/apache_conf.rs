//! `httpd.conf` → [`Configured`]: `LogFormat`, `CustomLog`, `TransferLog` and `GlobalLog` of the main server and of
//! every `<VirtualHost>`, through all includes, with `Define`d variables.
//!
//! A nickname is looked up when all is read, first in its virtual host and then in the main server, as
//! `mod_log_config` does. `<If…>` sections count as if their condition held: a log too many is an empty file, one too
//! few is missing bytes. Debian keeps its variables in a shell script, `envvars`, which is read for its `export` lines.

use std::collections::HashSet;

use super::configured::{
    Absent, BadConfiguration, Configured, ConfiguredLog, Lines, Load, Sources, below, conversion, folder,
    glob, index_of, root, written_by,
};
use super::line::{self, Line};
use super::token::Word;
use super::{BadFormat, Format, apache};

/// Reads the configuration that begins with the file `path`.
///
/// Relative paths are relative to `ServerRoot`; until one is read, to the directory above if the file's is called
/// `conf`, else to the file's.
pub fn read(path: &str, load: &mut Load<'_>) -> Result<Configured, BadConfiguration> {
    let mut sources = Sources::new(load);
    let files = sources.first(path)?;
    let folder = folder(path);
    let mut reader = Reader {
        sources,
        top: path.to_owned(),
        root: root(folder).to_owned(),
        envvars: below(folder, "envvars", path),
        environment: None,
        defined: Vec::new(),
        unknown: HashSet::new(),
        hosts: vec![Host::default()],
        host: MAIN,
        formats: Vec::new(),
        logs: Vec::new(),
        errors: Vec::new(),
    };
    for (path, text) in &files {
        reader.file(path, text)?;
    }
    Ok(reader.finish())
}

/// The main server among the hosts.
const MAIN: usize = 0;

/// The main server or a `<VirtualHost>`.
#[derive(Default)]
struct Host {
    /// Nicknames with the index of their format; the last definition counts.
    nicknames: Vec<(String, usize)>,
    /// What `TransferLog` uses.
    default: Option<Wanted>,
}

/// The format a log wants.
#[derive(Clone)]
enum Wanted {
    /// Written out.
    Index(usize),
    Nickname(String),
    /// That of the last `LogFormat` without a nickname.
    Default,
}

struct Pending {
    host: usize,
    wanted: Wanted,
    log: ConfiguredLog,
}

struct Reader<'l, 'f> {
    sources: Sources<'l, 'f>,
    top: String,
    root: String,
    /// Path of Debian's `envvars`.
    envvars: String,
    /// What it exports, once read.
    environment: Option<Vec<(String, String)>>,
    defined: Vec<(String, String)>,
    /// Variables already noted as unknown.
    unknown: HashSet<String>,
    hosts: Vec<Host>,
    host: usize,
    formats: Vec<Format>,
    logs: Vec<Pending>,
    errors: Vec<String>,
}

impl Reader<'_, '_> {
    fn file(&mut self, path: &str, text: &str) -> Result<(), BadConfiguration> {
        let bad = |bad: BadFormat| BadConfiguration::at(path, text, bad.offset, bad.message);
        self.sources.enter(path);
        let mut counted = Lines::default();
        for line in line::lines(text) {
            let position = counted.position(path, text, line.words[0].at);
            let files = self.directive(&line, &position).map_err(bad)?;
            for (path, text) in &files {
                self.file(path, text)?;
            }
        }
        self.sources.leave();
        Ok(())
    }

    /// Takes in a line; returns the files it includes.
    fn directive(&mut self, line: &Line, position: &str) -> Result<Vec<(String, String)>, BadFormat> {
        let [name, arguments @ ..] = line.words.as_slice() else { return Ok(Vec::new()) };
        let first = arguments.first().map_or("", |word| word.text.as_str());
        match name.text.to_ascii_lowercase().as_str() {
            "include" => return Ok(self.include(first, position, Absent::Noted)),
            "includeoptional" => return Ok(self.include(first, position, Absent::Fine)),
            "define" => {
                let value = arguments.get(1).map_or("", |word| word.text.as_str());
                let value = self.expanded(value);
                self.undefine(first);
                self.defined.push((first.to_owned(), value));
            }
            "undefine" => self.undefine(first),
            "serverroot" => {
                let given = self.expanded(first);
                self.root = given.trim_end_matches('/').to_owned();
            }
            "<virtualhost" => {
                self.hosts.push(Host::default());
                self.host = self.hosts.len() - 1;
            }
            "</virtualhost>" => self.host = MAIN,
            "<macro" => self.sources.notes.push(format!("{position}: macros are not expanded: {first}")),
            "logformat" => self.log_format(arguments)?,
            "customlog" => self.custom_log(self.host, arguments, position)?,
            "globallog" => self.custom_log(MAIN, arguments, position)?,
            "errorlog" => {
                let path = self.expanded(first);
                self.errors.extend(self.file_of(&path).ok().map(|(_, glob)| glob));
            }
            "transferlog" => self.log(self.host, first, Wanted::Default, None, position),
            _ => {}
        }
        Ok(Vec::new())
    }

    fn include(&mut self, pattern: &str, position: &str, absent: Absent) -> Vec<(String, String)> {
        let mut pattern = self.expanded(pattern);
        if pattern.is_empty() {
            return Vec::new();
        }
        if let Some(name) = references(&pattern).next() {
            self.sources.notes.push(format!("{position}: {pattern} is not read: ${{{name}}} is not known"));
            return Vec::new();
        }
        if pattern.ends_with('/') {
            pattern.push('*');
        }
        let pattern = below(&self.root, &pattern, &self.top);
        self.sources.included(&pattern, position, absent)
    }

    fn undefine(&mut self, name: &str) {
        self.defined.retain(|(known, _)| known != name);
    }

    fn log_format(&mut self, arguments: &[Word]) -> Result<(), BadFormat> {
        match arguments {
            [text, nickname, ..] => {
                let nickname = self.expanded(&nickname.text);
                let index = self.format(&nickname, text)?;
                let host = &mut self.hosts[self.host];
                host.nicknames.retain(|(known, _)| *known != nickname);
                host.nicknames.push((nickname, index));
            }
            [text] => {
                let wanted = self.wanted(text)?;
                self.hosts[self.host].default = Some(wanted);
            }
            [] => {}
        }
        Ok(())
    }

    fn custom_log(&mut self, host: usize, arguments: &[Word], position: &str) -> Result<(), BadFormat> {
        let [path, format, rest @ ..] = arguments else { return Ok(()) };
        let wanted = self.wanted(format)?;
        self.log(host, &path.text, wanted, rest.first(), position);
        Ok(())
    }

    /// A format written out, or a nickname.
    fn wanted(&mut self, word: &Word) -> Result<Wanted, BadFormat> {
        match self.expanded(&word.text) {
            text if text.contains('%') => self.format("custom", word).map(Wanted::Index),
            nickname => Ok(Wanted::Nickname(nickname)),
        }
    }

    /// Index of the format that a word holds.
    fn format(&mut self, name: &str, word: &Word) -> Result<usize, BadFormat> {
        let text = self.expanded(&word.text);
        let format = if text == word.text {
            apache::of_word(name, word)?
        } else {
            // Places within the values of variables are nowhere in the file.
            apache::format(name, &text).map_err(|bad| BadFormat { offset: word.at, message: bad.message })?
        };
        Ok(index_of(&mut self.formats, format))
    }

    fn log(&mut self, host: usize, path: &str, wanted: Wanted, only: Option<&Word>, position: &str) {
        let path = self.expanded(path);
        let (file, path) = match self.file_of(&path) {
            Ok(found) => found,
            Err(why) => {
                self.sources.notes.push(format!("{position}: {why}"));
                return;
            }
        };
        for name in references(&file) {
            if self.unknown.insert(name.to_owned()) {
                self.sources
                    .notes
                    .push(format!("{position}: ${{{name}}} is not known: any name is taken in its place"));
            }
        }
        let condition = only.map(|word| word.text.clone());
        if let Some(condition) = &condition {
            self.sources.notes.push(format!("{position}: {path} holds only requests with {condition}"));
        }
        let log = ConfiguredLog { condition, ..ConfiguredLog::of(path, position.to_owned()) };
        self.logs.push(Pending { host, wanted, log });
    }

    /// The file that is meant, and the glob for it; or why none is.
    fn file_of(&self, path: &str) -> Result<(String, String), String> {
        let (file, hole): (String, fn(&str) -> usize) = match path.strip_prefix('|') {
            Some(command) => match written_by(command.trim_start_matches(['|', '$'])) {
                Some(file) => {
                    (file, |rest| reference(rest).map_or_else(|| conversion(rest), |(_, length)| length))
                }
                None => {
                    return Err(format!(
                        "the program in `{path}` is not known: give the file that it writes"
                    ));
                }
            },
            None => (path.to_owned(), |rest| reference(rest).map_or(0, |(_, length)| length)),
        };
        if file.starts_with("syslog:") || file == "syslog" || file.starts_with("/dev/") {
            return Err(format!("`{file}` is no file: give what it was saved as"));
        }
        if file.is_empty() {
            return Err("no file is named".to_owned());
        }
        let holes = glob(&file, hole);
        // A path whose beginning is unknown may be absolute.
        if holes.starts_with('*') {
            return Ok((file, holes));
        }
        let root = globset::escape(&self.root);
        let path = below(&root, &holes, &self.top);
        Ok((file, path))
    }

    /// The text with every `${NAME}` that has a value replaced by it, once; up to [`EXPANDED_MAX`].
    fn expanded(&mut self, text: &str) -> String {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            expanded.push_str(&rest[..at]);
            rest = &rest[at..];
            let Some((name, length)) = reference(rest) else { break };
            match self.value(name) {
                Some(value) if expanded.len() + value.len() <= EXPANDED_MAX => expanded.push_str(&value),
                _ => expanded.push_str(&rest[..length]),
            }
            rest = &rest[length..];
        }
        expanded + rest
    }

    fn value(&mut self, name: &str) -> Option<String> {
        let find = |pairs: &[(String, String)]| {
            pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        if let Some(value) = find(&self.defined) {
            return Some(value);
        }
        let sources = &mut self.sources;
        let path = &self.envvars;
        let environment = self.environment.get_or_insert_with(|| exports(&sources.optional(path)));
        find(environment).filter(|value| !value.is_empty())
    }

    fn finish(self) -> Configured {
        let Self { sources, hosts, mut formats, logs: pending, mut errors, root, top, .. } = self;
        if errors.is_empty() {
            errors.push(globset::escape(&below(&root, "logs/error_log", &top)));
        }
        let mut notes = sources.notes;
        let mut logs = Vec::new();
        for Pending { host, wanted, log } in pending {
            let default = || hosts[host].default.clone().or_else(|| hosts[MAIN].default.clone());
            let wanted = match wanted {
                Wanted::Default => default().unwrap_or_else(|| Wanted::Nickname("CLF".to_owned())),
                wanted => wanted,
            };
            let name = match wanted {
                Wanted::Index(format) => {
                    logs.push(ConfiguredLog { format, ..log });
                    continue;
                }
                Wanted::Nickname(name) => name,
                Wanted::Default => "CLF".to_owned(),
            };
            let known = [host, MAIN].iter().find_map(|&host| {
                hosts[host].nicknames.iter().find(|(known, _)| *known == name).map(|&(_, index)| index)
            });
            let usual = || apache::nicknamed(&name);
            if known.is_none() && name != "CLF" {
                let what =
                    if usual().is_some() { "the usual format is taken" } else { "the log is left out" };
                notes.push(format!("{}: no LogFormat `{name}` in what was read: {what}", log.position));
            }
            if let Some(format) = known.or_else(|| usual().map(|format| index_of(&mut formats, format))) {
                logs.push(ConfiguredLog { format, ..log });
            }
        }
        Configured { formats, logs, errors, notes, warnings: Vec::new() }
    }
}

/// Variables that would make a text longer than this stay as they are written: a few lines that each define a variable
/// by twice the one before could fill any memory.
pub const EXPANDED_MAX: usize = 8 << 10;

/// The names of all `${NAME}` in a text.
fn references(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("${").filter_map(|(at, _)| reference(&text[at..])).map(|(name, _)| name)
}

/// The name in the `${NAME}` that begins a text, and the length of it all.
fn reference(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix("${")?;
    let length = inside.bytes().take(NAME_MAX).position(|byte| byte == b'}')?;
    Some((&inside[..length], length + 3))
}

/// Longer names of variables are text, so that a text of many `${` is not searched to its end for each.
const NAME_MAX: usize = 256;

/// What a shell script exports, as far as it can be told without running it.
fn exports(script: &str) -> Vec<(String, String)> {
    let mut exports: Vec<(String, String)> = Vec::new();
    for line in script.lines() {
        let Some((name, value)) = line.trim().strip_prefix("export ").and_then(|line| line.split_once('='))
        else {
            continue;
        };
        let (_, word) = line::word(value);
        if word.text.contains(['`', '(']) {
            continue;
        }
        let value = shell_expanded(&word.text, &exports);
        exports.push((name.trim().to_owned(), value));
    }
    exports
}

/// The text with `$NAME` and `${NAME}` replaced; an unset one is empty, as in a shell.
fn shell_expanded(text: &str, known: &[(String, String)]) -> String {
    let mut parts = text.split('$');
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = match part.strip_prefix('{').and_then(|part| part.split_once('}')) {
            Some(braced) => braced,
            None => part.split_at(part.len() - part.trim_start_matches(super::nginx::is_name).len()),
        };
        if let Some((_, value)) = known.iter().rfind(|(known, _)| known == name) {
            expanded.push_str(value);
        }
        expanded.push_str(rest);
    }
    expanded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::conf_tests::{corpus, load_from, shown};
    use super::*;

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let read = read(files[0].0, &mut load_from(files));
        let shown = read.map_or_else(|bad| vec![bad.to_string()], |configured| shown(&configured));
        assert_eq!(shown, expected, "{files:?}");
    }

    fn check_text(text: &str, expected: &[&str]) {
        check(&[("/a/conf/httpd.conf", text)], expected);
    }

    #[test]
    fn variables_that_double_each_other_fill_no_memory() {
        let text = format!("Define a xx\n{}CustomLog /l/${{a}} combined", "Define a ${a}${a}\n".repeat(64));
        let configured = read("/c", &mut load_from(&[("/c", &text)])).expect("valid");
        let [log] = configured.logs.as_slice() else { panic!("one log") };
        assert!(log.path.starts_with("/l/") && log.path.len() <= 2 * EXPANDED_MAX, "{}", log.path.len());
    }

    #[test]
    fn nicknames_belong_to_their_host_and_may_follow() {
        check_text(
            "CustomLog /l/a x\nLogFormat %h x\nLogFormat %a x\n<virtualhost *:80>\n customlog /l/b x\n LogFormat %b x\n\
             CustomLog /l/c \"%>s \\\"%r\\\"\"\n GlobalLog /l/g x\n</VirtualHost>\nCustomLog /l/d x",
            &[
                "/l/a x /a/conf/httpd.conf:1",
                "/l/b x /a/conf/httpd.conf:5",
                "/l/c custom /a/conf/httpd.conf:7",
                "/l/g x /a/conf/httpd.conf:8",
                "/l/d x /a/conf/httpd.conf:10",
                "format x %h",
                "format x %a",
                "format x %b",
                "format custom %>s \"%r\"",
            ],
        );
        let text = "LogFormat %a x\n<VirtualHost *>\nLogFormat %b x\nCustomLog /l/v x\nGlobalLog /l/g x\n</VirtualHost>";
        let configured = read("/c", &mut load_from(&[("/c", text)])).expect("valid");
        let format = |path: &str| configured.formats[configured.format_for(path).expect(path)].text.clone();
        assert_eq!((format("/l/v"), format("/l/g")), ("%b".to_owned(), "%a".to_owned()));
    }

    #[test]
    fn nicknames_without_definition_have_their_usual_meaning() {
        check_text(
            "CustomLog /l/a combinedio\nCustomLog /l/b mine",
            &[
                "/l/a combinedio /a/conf/httpd.conf:1",
                "note: /a/conf/httpd.conf:1: no LogFormat `combinedio` in what was read: the usual format is taken",
                "note: /a/conf/httpd.conf:2: no LogFormat `mine` in what was read: the log is left out",
                "format combinedio %h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %I %O",
            ],
        );
    }

    #[test]
    fn transfer_logs_use_the_last_format_without_a_name() {
        let text = |path: &str, text: &str| {
            let configured = read("/c", &mut load_from(&[("/c", text)])).expect(text);
            configured.formats[configured.format_for(path).expect(path)].text.clone()
        };
        assert_eq!(text("/l/a", "TransferLog /l/a"), "%h %l %u %t \"%r\" %>s %b");
        assert_eq!(text("/l/a", "TransferLog /l/a\nLogFormat %h\nLogFormat %a"), "%a");
        assert_eq!(text("/l/a", "LogFormat %h\n<VirtualHost *>\nTransferLog /l/a\n</VirtualHost>"), "%h");
        assert_eq!(text("/l/a", "LogFormat %B x\nLogFormat x\nTransferLog /l/a"), "%B");
    }

    #[test]
    fn variables_are_expanded_where_they_are_known() {
        check_text(
            "Define L /l\nDefine M ${L}/m\nDefine F \"%h \\\"%r\\\"\"\nLogFormat \"${F} %b\" x\nCustomLog ${M}/a x\n\
             UnDefine L\nCustomLog ${L}/b x\nCustomLog logs/${L}-${N}.log x",
            &[
                "/l/m/a x /a/conf/httpd.conf:5",
                "*/b x /a/conf/httpd.conf:7",
                "/a/logs/*-*.log x /a/conf/httpd.conf:8",
                "note: /a/conf/httpd.conf:7: ${L} is not known: any name is taken in its place",
                "note: /a/conf/httpd.conf:8: ${N} is not known: any name is taken in its place",
                "format x %h \"%r\" %b",
            ],
        );
    }

    #[test]
    fn debian_keeps_variables_in_envvars() {
        check(
            &[
                ("/etc/apache2/apache2.conf", "IncludeOptional sites-enabled/*.conf\nLogFormat %h x"),
                (
                    "/etc/apache2/sites-enabled/a.conf",
                    "CustomLog ${APACHE_LOG_DIR}/a.log x\nCustomLog ${PID}/b x",
                ),
                (
                    "/etc/apache2/envvars",
                    "# x\nunset HOME\nif true; then SUFFIX=; fi\nexport ROOT=/var\n  export \
                     APACHE_LOG_DIR=${ROOT}/log/apache2$SUFFIX\nexport PID=$(pidof x)\nexport LANG=C",
                ),
            ],
            &[
                "/var/log/apache2/a.log x /etc/apache2/sites-enabled/a.conf:1",
                "*/b x /etc/apache2/sites-enabled/a.conf:2",
                "note: /etc/apache2/sites-enabled/a.conf:2: ${PID} is not known: any name is taken in its place",
                "format x %h",
            ],
        );
    }

    #[test]
    fn server_root_is_where_relative_paths_start() {
        check(
            &[
                (
                    "/a/conf/httpd.conf",
                    "CustomLog logs/a x\nServerRoot \"/r/\"\nCustomLog logs/b x\nInclude conf.d/",
                ),
                (
                    "/r/conf.d/one",
                    "LogFormat %h x\nInclude none.conf\nInclude none-*.conf\nIncludeOptional none.conf\nIncludeOptional secret",
                ),
            ],
            &[
                "/a/logs/a x /a/conf/httpd.conf:1",
                "/r/logs/b x /a/conf/httpd.conf:3",
                "note: /r/conf.d/one:2: cannot read /r/none.conf: no such file",
                "note: /r/conf.d/one:5: cannot read /r/secret: permission denied",
                "format x %h",
            ],
        );
        check_text("Include ${X}/a", &["note: /a/conf/httpd.conf:1: ${X}/a is not read: ${X} is not known"]);
    }

    #[test]
    fn programs_that_rotate_tell_their_file() {
        let path = |path: &str, expected: &str| {
            let log = format!("LogFormat %h x\nCustomLog {path} x");
            check_text(&log, &[&format!("{expected} x /a/conf/httpd.conf:2"), "format x %h"]);
        };
        path(r#""|bin/rotatelogs /l/access.%Y%m%d 86400""#, "/l/access.*");
        path(r#""||/usr/bin/rotatelogs -l -L /l/now -n 5 /l/a.log 5M""#, "/l/a.log");
        path(r#""|$/usr/sbin/cronolog '/l/a b/%Y/%-d.log'""#, "/l/a b/*/*.log");
        path("/l/100%.log", "/l/100%.log");
    }

    #[test]
    fn what_is_no_file_is_noted() {
        check_text(
            "CustomLog \"|/usr/bin/logger -t x\" x\nCustomLog syslog:local1 x\nTransferLog /dev/stdout\nErrorLog e\nCustomLog a",
            &[
                "note: /a/conf/httpd.conf:1: the program in `|/usr/bin/logger -t x` is not known: give the file that it writes",
                "note: /a/conf/httpd.conf:2: `syslog:local1` is no file: give what it was saved as",
                "note: /a/conf/httpd.conf:3: `/dev/stdout` is no file: give what it was saved as",
            ],
        );
    }

    #[test]
    fn conditions_are_kept_and_noted() {
        check_text(
            "LogFormat %h x\nCustomLog /l/a x env=!dontlog\nCustomLog /l/b x \"expr=%{REQUEST_STATUS} >= 400\"",
            &[
                "/l/a x /a/conf/httpd.conf:2 if=env=!dontlog",
                "/l/b x /a/conf/httpd.conf:3 if=expr=%{REQUEST_STATUS} >= 400",
                "note: /a/conf/httpd.conf:2: /l/a holds only requests with env=!dontlog",
                "note: /a/conf/httpd.conf:3: /l/b holds only requests with expr=%{REQUEST_STATUS} >= 400",
                "format x %h",
            ],
        );
    }

    #[test]
    fn errors_name_their_place() {
        check_text(
            "# \\\n\nServerRoot /x\nLogFormat \"%h \\\n  \\\"%Z\\\"\" x",
            &["/a/conf/httpd.conf:5:5: unknown directive `%Z`\n    \\\"%Z\\\"\" x\n      ^"],
        );
        check_text(
            "Define F %Z\nCustomLog a \"%h ${F}\"",
            &["/a/conf/httpd.conf:2:13: unknown directive `%Z`\n  CustomLog a \"%h ${F}\"\n              ^"],
        );
    }

    #[test]
    fn a_real_configuration_comes_out_whole() {
        let Some(configured) = corpus("oracle-apache-2.4.71", "/srv/oracle/ap", "httpd.conf", read) else {
            return;
        };
        let names: Vec<&str> = configured.formats.iter().map(|format| format.name.as_str()).collect();
        assert_eq!(names.join(" "), "oracle common combined vhost_combined combinedio combined_d json");
        for (log, name) in configured.logs.iter().zip(&names) {
            assert_eq!(log.path, format!("/srv/oracle/ap/logs/{name}.log"));
            assert_eq!(names[log.format], *name);
            super::super::Layout::compile(&configured.formats[log.format]).expect(name);
            assert_eq!(configured.format_for(&format!("/elsewhere/{name}.log.1.gz")), Some(log.format));
        }
        assert_eq!((configured.logs.len(), configured.notes.len()), (7, 0), "{:?}", configured.notes);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn any_text_is_read_without_panic(text in "(Include|Define|LogFormat|CustomLog|<VirtualHost|TransferLog|a|/x|%|h|[{]|[}]|[$]|[|]rotatelogs| |\"|\\\\|#|\n|é){0,40}") {
            let files = [("/e/a", text.as_str())];
            if let Err(bad) = read("/e/a", &mut load_from(&files)) {
                prop_assert!(bad.place.is_some() && !bad.to_string().is_empty());
            }
        }
    }
}
