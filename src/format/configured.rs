//! What a server's own configuration says about its logs: their formats, and which file holds which.
//!
//! [`nginx_conf`](super::nginx_conf) and [`apache_conf`](super::apache_conf) read it. Files come through a closure, so
//! that this stays pure; whatever cannot be read or followed becomes a note, and only a text that the server itself
//! would refuse ends the reading.

use unicode_width::UnicodeWidthStr;

use super::Format;

/// The logs of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configured {
    /// All formats defined or used; [`ConfiguredLog::format`] counts them from 0.
    pub formats: Vec<Format>,
    /// The log files, in the order of the configuration.
    pub logs: Vec<ConfiguredLog>,
    /// Globs of the error logs, in the notation of [`ConfiguredLog::path`]: an access log whose name has a variable may
    /// seem to mean them.
    pub errors: Vec<String>,
    /// What the user should know: files that could not be read, logs that are no files, conditions.
    pub notes: Vec<String>,
    /// What makes totals wrong: logs that hold only a sample.
    pub warnings: Vec<String>,
}

/// A log file, or several whose names differ where the configuration has a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredLog {
    /// Glob in the notation of the `globset` crate; `*` stands for what only the server knows and never for a slash.
    /// Absolute if the path of the configuration file was, unless it begins with an unknown variable.
    pub path: String,
    /// Index of its format.
    pub format: usize,
    /// Where the configuration says so: `file:line`.
    pub position: String,
    /// The ratio (Tengine `ratio=`) if only a sample of the requests is logged.
    pub sampled: Option<String>,
    /// The condition (nginx `if=…`, Apache `env=…` or `expr=…`) if only some requests are logged.
    pub condition: Option<String>,
    /// Whether anything is written to it.
    pub standing: Standing,
}

/// Whether a configured log is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Requests are logged there.
    Written,
    /// Every inner level has logs of its own: the file is old or empty.
    Replaced,
}

/// Why a configuration cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadConfiguration {
    /// The file.
    pub file: String,
    /// Where in the file; `None` if it is not even there.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in letters, from 1.
    pub column: usize,
    /// The line, or what fits of it around the column, without control characters.
    pub text: String,
    /// Terminal columns before the place in `text`.
    pub indent: usize,
}

/// Gives the files for a path or glob with their contents, in sorted order: none if nothing of that name is there, the
/// reason if something is there and cannot be read. For a directory it may give the files in it.
pub type Load<'a> = dyn FnMut(&str) -> Result<Vec<(String, Vec<u8>)>, String> + 'a;

/// Files that include each other are followed this deep.
pub const INCLUDE_DEPTH_MAX: usize = 16;

/// At most this many files are read for one configuration.
pub const FILES_MAX: usize = 10_000;

/// Letters shown before and after the place of an error.
const SHOWN_MAX: usize = 60;

impl Configured {
    /// The format of a log file by its name.
    ///
    /// Candidates are the logs with this path, the one this file was rotated from (`access.log.1`,
    /// `access-20261123.log.gz`), or, if no path fits, the same file name elsewhere. Of several the most specific
    /// wins: the longest text that agrees, and in other directories the most directories that do. `None` if nothing
    /// fits, or if equally good ones have different formats: then only the contents can tell.
    pub fn format_for(&self, log_path: &str) -> Option<usize> {
        self.log_for(log_path).map(|log| log.format)
    }

    /// The log that [`Self::format_for`] goes by; of equally good ones with the same format the last.
    pub fn log_for(&self, log_path: &str) -> Option<&ConfiguredLog> {
        match self.agreed(log_path)? {
            Agreed::One(log) => Some(&self.logs[log]),
            Agreed::Several | Agreed::Error => None,
        }
    }

    /// True if a file is one of the logs, or was rotated from one, also where its format cannot be told.
    pub fn knows(&self, log_path: &str) -> bool {
        self.agreed(log_path).is_some_and(|agreed| agreed != Agreed::Error)
    }

    /// What the best candidates for a log file say about its format; none if there are none.
    fn agreed(&self, log_path: &str) -> Option<Agreed> {
        let names: Vec<String> = std::iter::once(log_path.to_owned()).chain(rotated_from(log_path)).collect();
        let fit = |path: &str| {
            let fits = names.iter().enumerate().filter_map(|(step, name)| Fit::of(path, name, step));
            fits.max()
        };
        let mut best: Option<(Fit, Agreed)> = None;
        let is_same = |agreed: Agreed, log: &ConfiguredLog| matches!(agreed, Agreed::One(other) if self.logs[other].format == log.format);
        for (index, log) in self.logs.iter().enumerate() {
            let Some(fit) = fit(&log.path) else { continue };
            best = Some(match best {
                Some((other, agreed)) if other > fit => (other, agreed),
                Some((other, agreed)) if other == fit && !is_same(agreed, log) => (fit, Agreed::Several),
                _ => (fit, Agreed::One(index)),
            });
        }
        let (access, agreed) = best?;
        // Who lets both logs go to one file has requests in it.
        let is_error = self.errors.iter().filter_map(|path| fit(path)).any(|error| error > access);
        Some(if is_error { Agreed::Error } else { agreed })
    }

    /// Globs of the log files with their rotated ones: what to read if the user names no log.
    ///
    /// For `/x/access.log` these are the path, `/x/access.log[.-]*` (`.1`, `-20261123.gz`) and
    /// `/x/access[._-][0-9]*.log` with the same endings. They can match a stranger such as `access.log.swp`: a file
    /// belongs to the configuration only if [`Self::knows`] it. Logs that nothing is written to are left out, and so
    /// are paths that are not absolute although others are: their directory is unknown.
    pub fn log_globs(&self) -> Vec<String> {
        let rooted = self.logs.iter().any(|log| log.path.starts_with('/'));
        let mut globs = Vec::new();
        for log in &self.logs {
            if log.standing == Standing::Replaced || rooted && !log.path.starts_with('/') {
                continue;
            }
            let path = &log.path;
            globs.extend([path.clone(), format!("{path}[.-]*")]);
            if let Some(stem) = path.strip_suffix(".log") {
                globs.extend([format!("{stem}[._-][0-9]*.log"), format!("{stem}[._-][0-9]*.log[.-]*")]);
            }
        }
        let mut seen = std::collections::HashSet::new();
        globs.retain(|glob| seen.insert(glob.clone()));
        globs
    }
}

impl ConfiguredLog {
    /// A log of all requests; its format is still to be found.
    pub(super) fn of(path: String, position: String) -> Self {
        Self { path, format: 0, position, sampled: None, condition: None, standing: Standing::Written }
    }
}

/// The formats of equally good candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agreed {
    /// The same: that of this log.
    One(usize),
    /// Different ones.
    Several,
    /// It is rather an error log.
    Error,
}

/// How well a file's name fits a configured path; more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// The whole path, or only the file's name.
    whole: bool,
    /// Directories that agree, counted from the file, where the whole does not.
    directories: usize,
    /// Bytes of the pattern that are not wildcards.
    literal: usize,
    /// Without any rotation undone, then with as little as possible.
    steps: std::cmp::Reverse<usize>,
}

impl Fit {
    fn of(pattern: &str, name: &str, steps: usize) -> Option<Self> {
        let literal = |text: &str| text.len() - text.matches('*').count();
        let steps = std::cmp::Reverse(steps);
        if matches(pattern, name) {
            return Some(Self { whole: true, directories: 0, literal: literal(pattern), steps });
        }
        let mut parts = pattern.rsplit('/').zip(name.rsplit('/'));
        let (last, own) = parts.next()?;
        // A name that is nothing but a variable would fit every file there is.
        if literal(last) == 0 || !matches(last, own) {
            return None;
        }
        // A directory that is a variable says nothing.
        let directories = parts
            .take_while(|(pattern, name)| matches(pattern, name))
            .filter(|(pattern, _)| literal(pattern) > 0)
            .count();
        Some(Self { whole: false, directories, literal: literal(last), steps })
    }
}

/// True if a glob of [`ConfiguredLog::path`]'s kind matches a path.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

/// The names that a rotated file may have had before, the latest first.
fn rotated_from(path: &str) -> Vec<String> {
    let folder = path.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, mut name) = path.split_at(folder);
    let mut names = Vec::new();
    if let Some(plain) = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)) {
        name = plain;
        names.push(format!("{folder}{name}"));
    }
    let mut name = name.to_owned();
    for _ in 0..ROTATIONS_MAX {
        let (stem, ending) = match name.strip_suffix(".log") {
            Some(stem) => (stem, ".log"),
            None => ([".old", ".bak"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name), ""),
        };
        let before = without_stamp(stem);
        if before.is_empty() || before.len() + ending.len() == name.len() {
            break;
        }
        name = format!("{before}{ending}");
        names.push(format!("{folder}{name}"));
    }
    names
}

/// File name endings that compressors append.
const COMPRESSED: [&str; 8] = [".gz", ".bz2", ".xz", ".zst", ".zip", ".lz4", ".lzma", ".Z"];

/// `access.log-20261123.1` was rotated twice; names that look rotated more often are something else.
const ROTATIONS_MAX: usize = 3;

/// The name without a number or date at its end (`.1`, `-20261123`, `_2026-11-23T05`).
fn without_stamp(name: &str) -> &str {
    let stamp = |letter: char| letter.is_ascii_digit() || "-_.:T".contains(letter);
    let tail = name.trim_end_matches(stamp).len();
    let bytes = name.as_bytes();
    if !bytes.last().is_some_and(u8::is_ascii_digit) {
        return name;
    }
    let begins = |at: &usize| b"-_.".contains(&bytes[*at]) && bytes[at + 1].is_ascii_digit();
    let start = (tail..bytes.len() - 1).find(begins).unwrap_or(name.len());
    &name[..start]
}

impl BadConfiguration {
    /// An error at an offset of a file's text.
    #[cold]
    pub(super) fn at(file: &str, text: &str, offset: usize, message: String) -> Self {
        Self { file: file.to_owned(), place: Some(Place::of(text, offset)), message }
    }
}

impl Place {
    fn of(text: &str, offset: usize) -> Self {
        let offset = (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let (before, after) = (&text[start..offset], &text[offset..]);
        let after = after.lines().next().unwrap_or_default();
        let column = before.chars().count() + 1;
        let visible = |letter: char| if letter.is_control() { ' ' } else { letter };
        let before: String = before.chars().skip(column.saturating_sub(SHOWN_MAX)).map(visible).collect();
        let after: String = after.chars().take(SHOWN_MAX).map(visible).collect();
        let line = text[..start].matches('\n').count() + 1;
        Self { line, column, indent: before.width(), text: before + after.trim_end() }
    }
}

impl std::fmt::Display for BadConfiguration {
    /// `file:line:column: message`, below it the line and a caret under the place.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, place, message } = self;
        match place {
            Some(Place { line, column, text, indent }) => {
                write!(f, "{file}:{line}:{column}: {message}\n  {text}\n  {:indent$}^", "")
            }
            None => write!(f, "cannot read {file}: {message}"),
        }
    }
}

/// The files of a configuration while it is read.
pub(super) struct Sources<'l, 'f> {
    load: &'l mut Load<'f>,
    /// The files that include each other at the moment, outermost first.
    open: Vec<String>,
    files: usize,
    /// Files that should have been read and were not.
    pub(super) missing: usize,
    /// Notes for [`Configured::notes`].
    pub(super) notes: Vec<String>,
}

/// What it means that an included file does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// Something is wrong.
    Noted,
    /// It was optional.
    Fine,
}

impl<'l, 'f> Sources<'l, 'f> {
    pub(super) fn new(load: &'l mut Load<'f>) -> Self {
        Self { load, open: Vec::new(), files: 0, missing: 0, notes: Vec::new() }
    }

    /// The file that all begins with.
    pub(super) fn first(&mut self, path: &str) -> Result<Vec<(String, String)>, BadConfiguration> {
        let bad = |message: &str| BadConfiguration {
            file: path.to_owned(),
            place: None,
            message: message.to_owned(),
        };
        match (self.load)(path) {
            Ok(files) if files.is_empty() => Err(bad("no such file")),
            Ok(files) => Ok(files.into_iter().map(text).collect()),
            Err(reason) => Err(bad(&reason)),
        }
    }

    /// The files that an `include` at `position` asks for.
    pub(super) fn included(
        &mut self,
        pattern: &str,
        position: &str,
        absent: Absent,
    ) -> Vec<(String, String)> {
        if self.open.len() >= INCLUDE_DEPTH_MAX {
            self.miss(format!(
                "{position}: {pattern} is not read: files include each other {INCLUDE_DEPTH_MAX} deep"
            ));
            return Vec::new();
        }
        let files = match (self.load)(pattern) {
            Ok(files)
                if files.is_empty() && absent == Absent::Noted && !pattern.contains(['*', '?', '[']) =>
            {
                self.miss(format!("{position}: cannot read {pattern}: no such file"));
                files
            }
            Ok(files) => files,
            Err(reason) => {
                self.miss(format!("{position}: cannot read {pattern}: {reason}"));
                Vec::new()
            }
        };
        let mut kept = Vec::new();
        for file in files {
            if self.open.contains(&file.0) {
                self.miss(format!("{position}: {} includes itself and is not read again", file.0));
            } else if self.files == FILES_MAX {
                self.miss(format!("{position}: only the first {FILES_MAX} files are read"));
                break;
            } else {
                self.files += 1;
                kept.push(text(file));
            }
        }
        kept
    }

    /// A file that is nobody's loss; empty if it is not there.
    pub(super) fn optional(&mut self, path: &str) -> String {
        let files = (self.load)(path).unwrap_or_default();
        files.into_iter().map(|file| text(file).1).collect()
    }

    /// A file is about to be read.
    pub(super) fn enter(&mut self, path: &str) {
        self.open.push(path.to_owned());
    }

    /// It was read.
    pub(super) fn leave(&mut self) {
        self.open.pop();
    }

    fn miss(&mut self, note: String) {
        self.missing += 1;
        self.notes.push(note);
    }
}

/// Configurations are text; what is not UTF-8 stands in comments, and where it does not a mark shows it.
fn text((path, bytes): (String, Vec<u8>)) -> (String, String) {
    (path, String::from_utf8_lossy(&bytes).into_owned())
}

/// Counts lines as a file is read from its beginning to its end.
#[derive(Debug, Default)]
pub(super) struct Lines {
    at: usize,
    passed: usize,
}

impl Lines {
    /// `file:line` of an offset that is not before the last one asked for.
    pub(super) fn position(&mut self, file: &str, text: &str, offset: usize) -> String {
        self.passed += memchr::memchr_iter(b'\n', &text.as_bytes()[self.at..offset]).count();
        self.at = offset;
        format!("{file}:{}", self.passed + 1)
    }
}

/// The index of a format, which is added if no equal one is there.
pub(super) fn index_of(formats: &mut Vec<Format>, format: Format) -> usize {
    formats.iter().position(|known| *known == format).unwrap_or_else(|| {
        formats.push(format);
        formats.len() - 1
    })
}

/// The directory of a path, without its last slash; empty if it has none.
pub(super) fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..slash])
}

/// The root that relative paths of a configuration in `folder` are relative to unless it says otherwise: builds from
/// source have `ROOT/conf/`, packages keep everything in one directory.
pub(super) fn root(folder: &str) -> &str {
    match folder.strip_suffix("conf") {
        Some("") => "",
        Some(root) if root.ends_with('/') => &root[..root.len() - 1],
        _ => folder,
    }
}

/// A path below `folder` unless it is absolute. Without a folder it stays as it is if that of `from` does.
pub(super) fn below(folder: &str, path: &str, from: &str) -> String {
    if path.starts_with('/') || folder.is_empty() && !from.starts_with('/') {
        return path.to_owned();
    }
    format!("{folder}/{path}")
}

/// The glob of a path that has holes only the server can fill; `hole` gives the length of one that begins a text.
pub(super) fn glob(path: &str, hole: impl Fn(&str) -> usize) -> String {
    let mut glob = String::new();
    let mut rest = path;
    while let Some(letter) = rest.chars().next() {
        let length = hole(rest);
        if length == 0 {
            glob.push_str(&globset::escape(letter.encode_utf8(&mut [0; 4])));
        } else if !glob.ends_with('*') {
            glob.push('*');
        }
        rest = &rest[length.max(letter.len_utf8())..];
    }
    glob
}

/// Length of the `%` conversion that begins a text; 0 if none does.
pub(super) fn conversion(text: &str) -> usize {
    let letters =
        text.strip_prefix('%').map(|rest| rest.trim_start_matches(['E', 'O', '_', '-', '0', '^', '#']));
    letters.and_then(|rest| rest.chars().next()).map_or(0, |letter| {
        let rest = letters.map_or(0, str::len);
        text.len() - rest + letter.len_utf8()
    })
}

/// The file that a logging program writes, in its own notation; `None` for an unknown program.
pub(super) fn written_by(command: &str) -> Option<String> {
    let mut words = Vec::new();
    let mut rest = command.trim_start();
    while !rest.is_empty() {
        let (after, word) = super::line::word(rest);
        words.push(word.text);
        rest = after.trim_start();
    }
    let mut words = words.iter().map(String::as_str);
    let program = words.next()?.rsplit('/').next()?;
    let valued: &[&str] = match program {
        "rotatelogs" | "rotatelogs2" => &["-L", "-p", "-n"],
        "cronolog" => &[
            "-l",
            "-S",
            "-H",
            "-P",
            "-p",
            "-d",
            "-x",
            "-z",
            "--symlink",
            "--hardlink",
            "--period",
            "--delay",
        ],
        "rollback" => &[],
        _ => return None,
    };
    while let Some(word) = words.next() {
        if valued.contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            return Some(word.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(logs: &[(&str, usize)]) -> Configured {
        let log = |&(path, format): &(&str, usize)| ConfiguredLog {
            format,
            ..ConfiguredLog::of(path.to_owned(), String::new())
        };
        Configured { logs: logs.iter().map(log).collect(), ..Configured::default() }
    }

    #[test]
    fn rotated_files_belong_to_their_log() {
        let logs = configured(&[
            ("/l/access.log", 0),
            ("/l/access_log", 1),
            ("/l/site-8080.log", 2),
            ("/l/x.log.gz", 3),
        ]);
        for name in [
            "access.log",
            "access.log.1",
            "access.log.2.zst",
            "access.log-20261123.gz",
            "access-20261123.log",
            "access.log.2026-11-23T05.xz",
            "access_2026-11-23.log.bz2",
            "access.log-20261123.1",
            "access.log-1795413183",
            "access.log.old",
            "access.1.log.bak",
            "access.log.gz",
        ] {
            assert_eq!(logs.format_for(&format!("/l/{name}")), Some(0), "{name}");
            assert_eq!(logs.format_for(name), Some(0), "{name}");
        }
        assert_eq!(logs.format_for("/l/access_log.1"), Some(1));
        assert_eq!(logs.format_for("/l/site-8080.log"), Some(2));
        assert_eq!(logs.format_for("/l/site-8080.log.1"), Some(2));
        assert_eq!(logs.format_for("/l/x.log.gz"), Some(3));
        for name in [
            "/l/access.log.swp",
            "/l/access-errors.log",
            "/l/access",
            "/l/",
            "",
            "1",
            ".1",
            "/l/-20261123.log",
        ] {
            assert_eq!(logs.format_for(name), None, "{name}");
        }
    }

    #[test]
    fn the_most_specific_log_wins() {
        let logs = configured(&[
            ("/l/*", 0),
            ("/l/*.log", 1),
            ("/l/access.log", 2),
            ("/l/access-*.log", 3),
            ("/a/access.log", 4),
            ("/b/c/access.log", 5),
            ("*/vhost.log", 6),
            ("/two.log", 7),
            ("/two.log", 8),
            ("/d/same.log", 9),
            ("/e/same.log", 9),
        ]);
        for (path, format) in [
            ("/l/access.log", Some(2)),
            ("/l/access.log.1", Some(2)),
            ("/l/access-20261123.log", Some(3)),
            ("/l/www.log", Some(1)),
            ("/l/www", Some(0)),
            ("/backup/b/c/access.log", Some(5)),
            ("/backup/a/access.log.1.gz", Some(4)),
            ("access.log", None),
            ("/var/log/vhost.log", Some(6)),
            ("/two.log", None),
            ("same.log", Some(9)),
            ("/z/www", None),
        ] {
            assert_eq!(logs.format_for(path), format, "{path}");
        }
    }

    #[test]
    fn globs_find_rotated_files() {
        let mut logs =
            configured(&[("/l/access.log", 0), ("*/lost.log", 0), ("/l/old", 0), ("/l/x", 0), ("/l/x", 1)]);
        logs.logs[2].standing = Standing::Replaced;
        assert_eq!(
            logs.log_globs(),
            [
                "/l/access.log",
                "/l/access.log[.-]*",
                "/l/access[._-][0-9]*.log",
                "/l/access[._-][0-9]*.log[.-]*",
                "/l/x",
                "/l/x[.-]*"
            ]
        );
        for name in
            ["access.log", "access.log.1", "access.log-20261123.gz", "access-20261123.log", "access_1.log.gz"]
        {
            let path = format!("/l/{name}");
            assert!(logs.log_globs().iter().any(|glob| matches(glob, &path)), "{path}");
        }
        assert_eq!(configured(&[("logs/a", 0)]).log_globs(), ["logs/a", "logs/a[.-]*"]);
    }

    #[test]
    fn places_show_a_part_of_a_long_line() {
        let text = format!("a\n{}\u{1b}[31m$ {}", "x".repeat(100), "y".repeat(100));
        let shown = BadConfiguration::at("f", &text, 107, "here".to_owned()).to_string();
        let before = format!("{} [31m", "x".repeat(54));
        assert_eq!(shown, format!("f:2:106: here\n  {before}$ {}\n  {}^", "y".repeat(58), " ".repeat(59)));
    }
}
