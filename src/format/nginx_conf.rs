//! `nginx.conf` → [`Configured`]: `log_format` and `access_log` of every level, in `http` and `stream`, through all
//! includes. Tengine's additions (`ratio=`, `file:`, `pipe:`) are known.
//!
//! ```text
//! http {                      level: logs used by the servers that have none of their own
//!     include sites/*;        read in place, below the directory of the first file
//!     server { access_log … } level
//! }
//! ```
//!
//! Formats are looked up when all is read, so that one from a file that could not be read costs its logs and not the
//! run. Everything else that nginx would refuse in these directives is an error: such a file wrote no log.

use super::configured::{
    Absent, BadConfiguration, Configured, ConfiguredLog, Lines, Load, Sources, Standing, below, conversion,
    folder, glob, index_of, root, written_by,
};
use super::token::{self, Ending, Statement, Word};
use super::{BadFormat, Format, nginx, presets};

/// Reads the configuration that begins with the file `path`.
///
/// Includes are relative to its directory, as nginx has it. Relative log paths are relative to nginx's prefix, which
/// only its build knows: it is taken to be the directory above if the file's is called `conf`, else the file's. A file
/// that `http` includes may be given alone.
pub fn read(path: &str, load: &mut Load<'_>) -> Result<Configured, BadConfiguration> {
    let mut sources = Sources::new(load);
    let files = sources.first(path)?;
    let folder = folder(path).to_owned();
    let mut reader = Reader {
        sources,
        prefix: root(&folder).to_owned(),
        folder,
        top: path.to_owned(),
        levels: vec![Level::of(Context::Http, LevelKind::Outer, 0)],
        formats: Vec::new(),
        logs: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    for (path, text) in &files {
        reader.file(path, text)?;
    }
    Ok(reader.finish())
}

/// Names that share a name space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Http,
    Stream,
    /// `map`, `events`, `upstream`…: what looks like a directive there is none.
    Foreign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LevelKind {
    /// Outside of all blocks.
    Outer,
    /// `http { }` or `stream { }`.
    Root,
    /// `server { }`.
    Server,
    Other,
}

/// An open block.
#[derive(Debug)]
struct Level {
    context: Context,
    kind: LevelKind,
    /// Offset of its brace, in the file being read when it opened.
    at: usize,
    /// It has `access_log` directives, be it `off`: nothing is inherited.
    own: bool,
    /// Its log files.
    logs: Vec<usize>,
    servers: usize,
    /// Servers without an `access_log` of their own.
    heirs: usize,
}

impl Level {
    fn of(context: Context, kind: LevelKind, at: usize) -> Self {
        Self { context, kind, at, own: false, logs: Vec::new(), servers: 0, heirs: 0 }
    }
}

/// A log whose format is not looked up yet.
struct Pending {
    context: Context,
    format: String,
    log: ConfiguredLog,
}

struct Reader<'l, 'f> {
    sources: Sources<'l, 'f>,
    folder: String,
    prefix: String,
    top: String,
    levels: Vec<Level>,
    formats: Vec<(Context, Format)>,
    logs: Vec<Pending>,
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl Reader<'_, '_> {
    fn file(&mut self, path: &str, text: &str) -> Result<(), BadConfiguration> {
        let bad = |bad: BadFormat| BadConfiguration::at(path, text, bad.offset, bad.message);
        self.sources.enter(path);
        let depth = self.levels.len();
        let mut lines = Lines::default();
        let mut from = 0;
        loop {
            let statement = token::statement(text, from).map_err(bad)?;
            from = statement.next;
            match statement.ending {
                Ending::Semicolon => {
                    let position = lines.position(path, text, statement.words[0].at);
                    let files = self.directive(&statement, &position).map_err(bad)?;
                    for (path, text) in &files {
                        self.file(path, text)?;
                    }
                }
                Ending::Open => self.open(&statement).map_err(bad)?,
                Ending::Lua => {}
                Ending::Close if self.levels.len() > depth => self.close(path),
                Ending::Close => {
                    let message = "no block is open that this `}` could close".to_owned();
                    return Err(bad(BadFormat { offset: statement.at, message }));
                }
                Ending::End => {
                    self.end_of_file(&statement, depth).map_err(bad)?;
                    self.sources.leave();
                    return Ok(());
                }
            }
        }
    }

    fn end_of_file(&self, statement: &Statement, depth: usize) -> Result<(), BadFormat> {
        if let Some(word) = statement.words.first() {
            let message = format!("the file ends before the `;` of this `{}`", word.text);
            return Err(BadFormat { offset: word.at, message });
        }
        match self.levels.get(depth) {
            Some(level) => {
                let message = "the file ends before the `}` of this block".to_owned();
                Err(BadFormat { offset: level.at, message })
            }
            None => Ok(()),
        }
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the outermost level is never closed")
    }

    fn open(&mut self, statement: &Statement) -> Result<(), BadFormat> {
        if self.levels.len() > BLOCK_DEPTH_MAX {
            let message = format!("blocks stand in each other more than {BLOCK_DEPTH_MAX} deep");
            return Err(BadFormat { offset: statement.at, message });
        }
        let outside = self.level();
        let (outer, context) = (outside.kind == LevelKind::Outer, outside.context);
        let (context, kind) = match statement.words[0].text.as_str() {
            "http" if outer => (Context::Http, LevelKind::Root),
            "stream" if outer => (Context::Stream, LevelKind::Root),
            "server" => (context, LevelKind::Server),
            "location" | "if" | "limit_except" => (context, LevelKind::Other),
            _ => (Context::Foreign, LevelKind::Other),
        };
        self.levels.push(Level::of(context, kind, statement.at));
        Ok(())
    }

    fn close(&mut self, file: &str) {
        let Some(level) = self.levels.pop() else { return };
        match level.kind {
            LevelKind::Server => {
                let outside = self.level();
                outside.servers += 1;
                outside.heirs += usize::from(!level.own);
            }
            LevelKind::Root => self.close_root(&level, file),
            LevelKind::Outer | LevelKind::Other => {}
        }
    }

    fn close_root(&mut self, level: &Level, file: &str) {
        // A server in a file that could not be read may be an heir.
        if level.servers > 0 && level.heirs == 0 && self.sources.missing == 0 {
            for &log in &level.logs {
                self.logs[log].log.standing = Standing::Replaced;
            }
        }
        if level.context == Context::Http && !level.own && level.heirs > 0 {
            let path = globset::escape(&below(&self.prefix, "logs/access.log", &self.top));
            let position = format!("{file} (nginx's default)");
            self.sources.notes.push(format!(
                "{file}: {} of {} servers have no access_log: nginx's default is {path}, relative to its prefix",
                level.heirs, level.servers
            ));
            self.add(Context::Http, COMBINED, ConfiguredLog::of(path, position));
        }
    }

    /// Takes in a directive; returns the files it includes.
    fn directive(
        &mut self,
        statement: &Statement,
        position: &str,
    ) -> Result<Vec<(String, String)>, BadFormat> {
        let context = self.level().context;
        if context == Context::Foreign {
            return Ok(Vec::new());
        }
        match statement.words[0].text.as_str() {
            "include" => {
                if let Some(pattern) = statement.words.get(1) {
                    let pattern = below(&self.folder, &pattern.text, &self.top);
                    return Ok(self.sources.included(&pattern, position, Absent::Noted));
                }
            }
            "log_format" => self.log_format(context, statement)?,
            "access_log" => self.access_log(context, statement, position)?,
            "error_log" => {
                let path = statement.words.get(1).map(|path| path.text.as_str());
                self.errors.extend(path.and_then(|path| self.file_of(path).ok()));
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    fn log_format(&mut self, context: Context, statement: &Statement) -> Result<(), BadFormat> {
        let format = nginx::of_words(&statement.words, statement.at)?;
        let predefined = context == Context::Http && format.name == COMBINED;
        if predefined
            || self.formats.iter().any(|(other, known)| *other == context && known.name == format.name)
        {
            let message = format!("the log_format `{}` is already defined", format.name);
            return Err(BadFormat { offset: statement.words[1].at, message });
        }
        self.formats.push((context, format));
        Ok(())
    }

    fn access_log(
        &mut self,
        context: Context,
        statement: &Statement,
        position: &str,
    ) -> Result<(), BadFormat> {
        let [_, path, rest @ ..] = statement.words.as_slice() else {
            return Err(BadFormat { offset: statement.at, message: "access_log needs a path".to_owned() });
        };
        self.level().own = true;
        if path.text == "off" {
            return Ok(());
        }
        let (name, options) = match rest.split_first() {
            Some((name, options)) => (name.text.as_str(), options),
            None => (COMBINED, rest),
        };
        let option = |name: &str| value_of(options, name);
        let path = match self.file_of(&path.text) {
            Ok(path) => path,
            Err(why) => {
                self.sources.notes.push(format!("{position}: {why} (format {name})"));
                return Ok(());
            }
        };
        let log = ConfiguredLog {
            sampled: option("ratio="),
            condition: option("if="),
            ..ConfiguredLog::of(path, position.to_owned())
        };
        if let Some(ratio) = &log.sampled {
            self.warnings.push(format!(
                "{position}: {} holds a sample of the requests (ratio={ratio}): totals are the sample's",
                log.path
            ));
        }
        if let Some(condition) = &log.condition {
            self.sources.notes.push(format!("{position}: {} holds only requests with {condition}", log.path));
        }
        self.add(context, name, log);
        Ok(())
    }

    /// The glob for a path as configured, or why it names no file.
    fn file_of(&self, path: &str) -> Result<String, String> {
        let hole: fn(&str) -> usize =
            |rest| nginx::variable(rest).map_or(0, |(after, _)| rest.len() - after.len());
        if path.starts_with("syslog:") {
            return Err(format!("`{path}` is no file: give the file that syslog writes"));
        }
        let (path, hole): (String, fn(&str) -> usize) = match path.strip_prefix("pipe:") {
            Some(command) => match written_by(command) {
                Some(file) => (file, conversion),
                None => {
                    return Err(format!(
                        "the program in `{path}` is not known: give the file that it writes"
                    ));
                }
            },
            None => (path.strip_prefix("file:").unwrap_or(path).to_owned(), hole),
        };
        if path.starts_with("/dev/") {
            return Err(format!("`{path}` is no file: give what it was saved as"));
        }
        let holes = glob(&path, hole);
        if holes == "*" {
            return Err(format!("`{path}` is a variable alone: give the files it stands for"));
        }
        // A path whose beginning is a variable may be absolute.
        if holes.starts_with('*') {
            return Ok(holes);
        }
        let prefix = globset::escape(&self.prefix);
        Ok(below(&prefix, &holes, &self.top))
    }

    fn add(&mut self, context: Context, format: &str, log: ConfiguredLog) {
        let index = self.logs.len();
        self.level().logs.push(index);
        self.logs.push(Pending { context, format: format.to_owned(), log });
    }

    fn finish(self) -> Configured {
        let Self { sources, formats: defined, logs, mut errors, warnings, prefix, top, .. } = self;
        if errors.is_empty() {
            errors.push(globset::escape(&below(&prefix, "logs/error.log", &top)));
        }
        let mut notes = sources.notes;
        let mut formats = Vec::new();
        let mut names: Vec<(Context, usize)> = Vec::new();
        for (context, format) in defined {
            // Equal formats of the two name spaces stay one.
            names.push((context, index_of(&mut formats, format)));
        }
        let mut resolved = Vec::new();
        for Pending { context, format: name, log } in logs {
            let known = names
                .iter()
                .find(|&&(other, index)| other == context && formats[index].name == name)
                .map(|&(_, index)| index);
            let combined =
                || presets::named(COMBINED).filter(|_| context == Context::Http && name == COMBINED);
            match known.or_else(|| combined().map(|format| index_of(&mut formats, format))) {
                Some(format) => resolved.push(ConfiguredLog { format, ..log }),
                None => notes.push(format!(
                    "{}: no log_format `{name}` in what was read: {} is left out",
                    log.position, log.path
                )),
            }
        }
        Configured { formats, logs: resolved, errors, notes, warnings }
    }
}

/// Blocks may stand in each other this deep.
pub const BLOCK_DEPTH_MAX: usize = 200;

/// nginx's only predefined format.
const COMBINED: &str = "combined";

/// The value of an option such as `if=$loggable`.
fn value_of(options: &[Word], name: &str) -> Option<String> {
    options.iter().find_map(|word| word.text.strip_prefix(name)).map(str::to_owned)
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

    fn check_http(text: &str, expected: &[&str]) {
        check(&[("/e/nginx.conf", &format!("http {{ {text} }}"))], expected);
    }

    #[test]
    fn levels_inherit_and_replace() {
        check_http(
            "log_format a $status; access_log /l/a a; server { }",
            &["/l/a a /e/nginx.conf:1", "format a $status"],
        );
        check_http(
            "access_log /l/a; server { access_log /l/b; location / { access_log /l/c; if ($x) { access_log /l/d; } } }
             server { }",
            &[
                "/l/a combined /e/nginx.conf:1",
                "/l/b combined /e/nginx.conf:1",
                "/l/c combined /e/nginx.conf:1",
                "/l/d combined /e/nginx.conf:1",
            ],
        );
        check_http(
            "access_log /l/a; server { access_log /l/b; } server { access_log off; }",
            &["/l/a combined /e/nginx.conf:1 Replaced", "/l/b combined /e/nginx.conf:1"],
        );
        check_http("access_log off; server { }", &[]);
        check_http(
            "access_log /l/a; access_log /l/b;",
            &["/l/a combined /e/nginx.conf:1", "/l/b combined /e/nginx.conf:1"],
        );
        check_http(
            "server { } server { access_log off; }",
            &[
                "/e/logs/access.log combined /e/nginx.conf (nginx's default)",
                "note: /e/nginx.conf: 1 of 2 servers have no access_log: nginx's default is /e/logs/access.log, relative to its prefix",
            ],
        );
    }

    #[test]
    fn http_and_stream_have_their_own_names() {
        check(
            &[(
                "/e/nginx.conf",
                "http { log_format a $status; access_log /l/h a; }
                 stream { log_format a $bytes_sent; server { access_log /l/s a; access_log /l/x b; access_log /l/y; } }",
            )],
            &[
                "/l/h a /e/nginx.conf:1",
                "/l/s a /e/nginx.conf:2",
                "note: /e/nginx.conf:2: no log_format `b` in what was read: /l/x is left out",
                "note: /e/nginx.conf:2: no log_format `combined` in what was read: /l/y is left out",
                "format a $status",
                "format a $bytes_sent",
            ],
        );
    }

    #[test]
    fn includes_are_followed_from_the_first_files_directory() {
        check(
            &[
                (
                    "/e/nginx.conf",
                    "http { include sites/*.conf; include formats; include mime.types; include secret; }",
                ),
                ("/e/formats", "log_format f $host;"),
                ("/e/sites/a.conf", "server {\n include sites/deep/one; }"),
                ("/e/sites/b.conf", "server { access_log /l/b f; }"),
                ("/e/sites/deep/one", "\naccess_log /l/one f;"),
            ],
            &[
                "/l/one f /e/sites/deep/one:2",
                "/l/b f /e/sites/b.conf:1",
                "note: /e/nginx.conf:1: cannot read /e/mime.types: no such file",
                "note: /e/nginx.conf:1: cannot read /e/secret: permission denied",
                "format f $host",
            ],
        );
        check(
            &[("/e/a", "include b;\naccess_log /l/a;"), ("/e/b", "include a; include *;")],
            &[
                "/l/a combined /e/a:2",
                "note: /e/b:1: /e/a includes itself and is not read again",
                "note: /e/b:1: /e/a includes itself and is not read again",
                "note: /e/b:1: /e/b includes itself and is not read again",
            ],
        );
    }

    #[test]
    fn includes_have_a_depth() {
        let names: Vec<String> = (0..=20).map(|n| format!("/e/{n}")).collect();
        let texts: Vec<String> = (0..=20).map(|n| format!("include {};", n + 1)).collect();
        let files: Vec<(&str, &str)> =
            names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
        check(&files, &["note: /e/15:1: /e/16 is not read: files include each other 16 deep"]);
    }

    #[test]
    fn relative_paths_start_at_the_prefix() {
        let log = "access_log logs/a.log;";
        check(
            &[("/opt/nginx/conf/nginx.conf", log)],
            &["/opt/nginx/logs/a.log combined /opt/nginx/conf/nginx.conf:1"],
        );
        check(&[("/etc/nginx/nginx.conf", log)], &["/etc/nginx/logs/a.log combined /etc/nginx/nginx.conf:1"]);
        check(&[("nginx.conf", log)], &["logs/a.log combined nginx.conf:1"]);
        check(&[("/nginx.conf", log)], &["/logs/a.log combined /nginx.conf:1"]);
    }

    #[test]
    fn paths_become_globs() {
        let path = |path: &str, expected: &str| {
            check_http(&format!("access_log {path};"), &[&format!("{expected} combined /e/nginx.conf:1")]);
        };
        path("/l/$host.log", "/l/*.log");
        path("/l/${host}x$1.log", "/l/*x*.log");
        path("/l/$year$month", "/l/*");
        path("'/l/a [b].log'", "/l/a [[]b[]].log");
        path("logs/$host", "/e/logs/*");
        path("$base/a.log", "*/a.log");
        path("file:/l/a", "/l/a");
        path("'pipe:rollback /l/a interval=1d baknum=5 maxsize=2G'", "/l/a");
        path("'pipe:/usr/sbin/cronolog -l /l/x /l/%Y/%m%d.log'", "/l/*/*.log");
    }

    #[test]
    fn what_is_no_file_is_noted() {
        let note = |path: &str, expected: &str| {
            check_http(
                &format!("access_log {path}; server {{ }}"),
                &[&format!("note: /e/nginx.conf:1: {expected}")],
            );
        };
        note(
            "syslog:server=[::1]:514,tag=x combined",
            "`syslog:server=[::1]:514,tag=x` is no file: give the file that syslog writes (format combined)",
        );
        note("/dev/stdout main", "`/dev/stdout` is no file: give what it was saved as (format main)");
        note("$log", "`$log` is a variable alone: give the files it stands for (format combined)");
        note(
            "pipe:/bin/x",
            "the program in `pipe:/bin/x` is not known: give the file that it writes (format combined)",
        );
    }

    #[test]
    fn samples_and_conditions_are_kept_and_noted() {
        check_http(
            "access_log /l/a combined buffer=4k ratio=0.01 if=$loggable;",
            &[
                "/l/a combined /e/nginx.conf:1 ratio=0.01 if=$loggable",
                "warning: /e/nginx.conf:1: /l/a holds a sample of the requests (ratio=0.01): totals are the sample's",
                "note: /e/nginx.conf:1: /l/a holds only requests with $loggable",
            ],
        );
    }

    #[test]
    fn only_directives_in_their_place_count() {
        check_http(
            "map $uri $x { include a; access_log 1; } upstream u { server a; } server { access_log /l/a; }
             # log_format b '$
             init_by_lua_block { x = '}' access_log(y); } types { log_format x; }",
            &["/l/a combined /e/nginx.conf:1"],
        );
        check(
            &[("/e/c", "events { access_log x; } mail { server { access_log y; } } access_log /l/z;")],
            &["/l/z combined /e/c:1"],
        );
    }

    #[test]
    fn errors_name_their_place() {
        let check =
            |text: &str, expected: &str| check(&[("/e/c", "include d;"), ("/e/d", text)], &[expected]);
        check(
            "http {\n  log_format a '$status'\n\t'\\\"$ x';\n}",
            "/e/d:3:5: `$` must be followed by a variable's name\n   '\\\"$ x';\n      ^",
        );
        check(
            "log_format a $status;\nlog_format a $host;",
            "/e/d:2:12: the log_format `a` is already defined\n  log_format a $host;\n             ^",
        );
        check(
            "log_format combined $host;",
            "/e/d:1:12: the log_format `combined` is already defined\n  log_format combined $host;\n             ^",
        );
        check(
            "http {\n server {",
            "/e/d:1:6: the file ends before the `}` of this block\n  http {\n       ^",
        );
        check("}", "/e/d:1:1: no block is open that this `}` could close\n  }\n  ^");
        check("a 漢字 'b", "/e/d:1:6: a quote opens here and never closes\n  a 漢字 'b\n         ^");
        check("access_log;", "/e/d:1:11: access_log needs a path\n  access_log;\n            ^");
        check("a;\nuser x", "/e/d:2:1: the file ends before the `;` of this `user`\n  user x\n  ^");
        let deep =
            read("/e/c", &mut load_from(&[("/e/c", "a{".repeat(300).as_str())])).expect_err("too deep");
        assert!(deep.to_string().starts_with("/e/c:1:402: blocks stand in each other more than 200 deep\n"));
        let missing = read("/e/none", &mut load_from(&[])).expect_err("no such file").to_string();
        assert_eq!(missing, "cannot read /e/none: no such file");
        let secret = read("/e/secret", &mut load_from(&[])).expect_err("not readable").to_string();
        assert_eq!(secret, "cannot read /e/secret: permission denied");
    }

    #[test]
    fn a_real_configuration_comes_out_whole() {
        let Some(configured) = corpus("oracle-nginx-1.22.1", "/srv/oracle/ng", "nginx.conf", read) else {
            return;
        };
        let names: Vec<&str> = configured.formats.iter().map(|format| format.name.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "oracle main compression upstream_time ltsv json_quoted json_default combined_none pipes npm_standard \
             vhost_combined csv basic proxy sjson combined"
        );
        for format in &configured.formats {
            super::super::Layout::compile(format).expect(&format.name);
        }
        // Each log is named after its format, but for three.
        for log in &configured.logs {
            let file = log.path.strip_prefix("/srv/oracle/ng/logs/").expect("an absolute path");
            let stem = file.split('.').next().unwrap_or_default();
            let name = match stem {
                "combined_gzip" => "combined",
                "stream_json" => "sjson",
                stem => stem.trim_start_matches("stream_"),
            };
            assert_eq!(names[log.format], name, "{file}");
            assert_eq!(configured.format_for(&format!("/tmp/x/{file}")), Some(log.format), "{file}");
        }
        assert_eq!(configured.logs.len(), 14 + 6);
        let unknown = configured.notes.iter().filter(|note| note.contains("no log_format")).count();
        assert_eq!(
            (unknown, configured.notes.len()),
            (11, 13),
            "two syslog servers: {:#?}",
            configured.notes
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn any_text_is_read_without_panic(text in "(http|server|include|access_log|log_format|off|a|/x|if=|pipe:|[$]|[{]|[}]|;| |'|\\\\|#|\n|é){0,40}") {
            let files = [("/e/a", text.as_str())];
            if let Err(bad) = read("/e/a", &mut load_from(&files)) {
                prop_assert!(bad.place.is_some() && !bad.to_string().is_empty());
            }
        }
    }
}
