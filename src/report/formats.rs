//! What `bandwho formats` says: everything known about the format of each log, for people who see it for the first time
//! or for programs.

mod json;
mod words;

use std::io;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::caret::{beginning, pointed};
use super::shell::quoted;
use super::{escape, human};
use crate::detect::explain::{Example, Explained, Facts, Figure, Group, Likeness, Origin};
use crate::format::notation::Notation;
use crate::format::{Grammar, Part, Server, Step};
use crate::time::{Timestamp, Zone};

pub use json::write as write_json;

/// A log and what was found out about it.
#[derive(Debug, Clone)]
pub struct Described<'a> {
    /// Its name.
    pub name: &'a str,
    /// What was typed about its format, as words: `--format`, `combined`.
    pub options: &'a [String],
    /// How its text is stored: `gzip`, `UTF-16`.
    pub coatings: Vec<&'static str>,
    /// Why reading stopped within the head, if it did.
    pub failure: Option<String>,
    /// Where the server's configuration names the format, as `file:line`.
    pub configured: Option<String>,
    /// What was found.
    pub explained: Explained,
}

/// Width of a record's column.
const RECORD_WIDTH: usize = 26;
/// Keys that are listed.
const KEYS_MAX: usize = 60;
/// Width of what is written after a name.
const NAME_WIDTH: usize = 10;
/// Columns of running text.
const TEXT_WIDTH: usize = 96;
/// Columns of a rejected line that has no place to point at.
const LINE_WIDTH: usize = 90;
/// Columns of what stands in the wrong place.
const FOUND_WIDTH: usize = 60;

impl Described<'_> {
    /// True if some line of the log is a record.
    pub fn is_found(&self) -> bool {
        !self.explained.formats.is_empty()
    }

    /// The command to go on with, and why.
    fn next(&self) -> (String, &'static str) {
        let log = shell(self.name);
        let format: String = self.options.iter().map(|word| shell(word) + " ").collect();
        let is_known = |group: &Group| matches!(group.likeness, Likeness::Known(_));
        let would_match = self.explained.groups.iter().any(is_known);
        if self.explained.bytes == 0 || !self.is_found() && self.explained.header.is_some() {
            (format!("bandwho formats {log}"), "again, when there are records")
        } else if !self.is_found() && self.explained.origin != Origin::Detected && would_match {
            (format!("bandwho formats {log}"), "without the format given: a known one reads these lines")
        } else if !self.is_found() {
            let directive = "--format 'log_format main …;'";
            (format!("bandwho formats {directive} {log}"), "with the server's own directive, pasted whole")
        } else if !self.explained.rejected.is_empty() {
            (
                format!("bandwho {format}--rejects rejects.txt {log}"),
                "the overview; every rejected line goes to a file",
            )
        } else {
            (format!("bandwho {format}{log}"), "the overview: who took how much")
        }
    }
}

/// Writes for people, in plain text.
pub fn write(logs: &[Described<'_>], out: &mut dyn io::Write) -> io::Result<()> {
    for (index, log) in logs.iter().enumerate() {
        if index > 0 {
            writeln!(out, "\n")?;
        }
        write_log(log, out)?;
    }
    Ok(())
}

fn write_log(log: &Described<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{}\n", terminal(log.name))?;
    let explained = &log.explained;
    let mut name = "format";
    for facts in &explained.formats {
        let format = padded(&terminal(&facts.layout.format.name), RECORD_WIDTH - 2);
        entry(name, &format!("{format}  {}", words::range(facts)), out)?;
        name = "";
    }
    if explained.formats.is_empty()
        && let Some(none) = words::no_format(log)
    {
        entry("format", &terminal(&none), out)?;
    }
    if !explained.rejected.is_empty() {
        entry("rejected", &counted(lines_of(explained)), out)?;
    }
    if explained.skipped > 0 {
        entry("skipped", &format!("{} not meant to be records", counted(explained.skipped)), out)?;
    }
    if explained.cut > 0 {
        entry("cut", &format!("{} at the edge of what was read", counted(explained.cut)), out)?;
    }
    entry("looked at", &terminal(&words::extent(log)), out)?;
    if !log.coatings.is_empty() {
        entry("stored as", &log.coatings.join(", "), out)?;
    }
    if !explained.wrappers.is_empty() {
        entry("wrapped in", &format!("{}, taken off each line", explained.wrappers), out)?;
    }
    if let Some(failure) = &log.failure {
        entry("damaged", &terminal(failure), out)?;
    }
    for facts in &explained.formats {
        write_format(facts, explained, out)?;
    }
    write_rejects(explained, out)?;
    let (command, why) = log.next();
    writeln!(out, "\nNext: {command}\n      {why}")
}

fn write_format(facts: &Facts, explained: &Explained, out: &mut dyn io::Write) -> io::Result<()> {
    let format = &facts.layout.format;
    let namesakes = explained.formats.iter().filter(|other| other.layout.format.name == format.name);
    match namesakes.count() {
        1 => writeln!(out, "\n{}\n", terminal(&format.name))?,
        _ => writeln!(out, "\n{}, from line {}\n", terminal(&format.name), facts.first)?,
    }
    if format.grammar == Grammar::Text {
        let both = [("nginx", &facts.nginx), ("Apache", &facts.apache)];
        let [own, other] = if format.server == Server::Apache { [both[1], both[0]] } else { both };
        if format.server == Server::Other {
            entry("preset", &format!("--format {}", terminal(&format.name)), out)?;
        }
        for (server, notation) in [own, other] {
            match notation {
                Some(notation) => write_notation(server, notation, out)?,
                None => entry(server, &terminal(&words::unwritable(server, facts)), out)?,
            }
        }
    } else {
        write_keys(facts, out)?;
    }
    writeln!(out)?;
    write_figures(facts, explained, out)?;
    writeln!(out)?;
    write_examples(&facts.examples, out)?;
    if !facts.doubts.is_empty() {
        writeln!(out, "\n  What the lines alone do not tell")?;
        for doubt in &facts.doubts {
            item(&words::doubt(doubt, facts), out)?;
        }
        if format.grammar == Grammar::Text && facts.doubts.iter().any(words::is_guess) {
            writeln!(out, "    The server's own directive does: --format 'log_format …' or 'LogFormat …'.")?;
        }
    }
    Ok(())
}

fn write_notation(server: &str, notation: &Notation, out: &mut dyn io::Write) -> io::Result<()> {
    let mut name = server;
    for line in notation.directive.lines() {
        entry(name, &terminal(line), out)?;
        name = "";
    }
    if !notation.missing.is_empty() {
        wrapped(&terminal(&words::missing(server, &notation.missing)), "", out)?;
    }
    notation.remarks.iter().try_for_each(|remark| entry("", &terminal(remark), out))
}

/// What each key, label or column feeds.
fn write_keys(facts: &Facts, out: &mut dyn io::Write) -> io::Result<()> {
    let steps: Vec<&Step> = facts
        .layout
        .steps
        .iter()
        .enumerate()
        .filter(|&(at, _)| facts.is_present(at))
        .map(|(_, step)| step)
        .collect();
    let widest = steps.iter().take(KEYS_MAX).map(|step| terminal(&step.field.text).width()).max();
    let width = widest.unwrap_or(0).min(RECORD_WIDTH * 2);
    let mut name = words::keys(facts.layout.format.grammar);
    for step in steps.iter().take(KEYS_MAX) {
        let key = padded(&terminal(&step.field.text), width);
        entry(name, &format!("{key}  {}", words::meaning(&step.field)), out)?;
        name = "";
    }
    match steps.len().saturating_sub(KEYS_MAX) {
        0 => Ok(()),
        more => entry("", &format!("and {more} more"), out),
    }
}

fn write_figures(facts: &Facts, explained: &Explained, out: &mut dyn io::Write) -> io::Result<()> {
    let rows = words::figures(facts, explained);
    let widest = rows.iter().map(|row| terminal(&row.source).width()).max().unwrap_or(0);
    let width = widest.min(RECORD_WIDTH);
    for row in rows {
        let source = terminal(&row.source);
        let mut lead = padded(&source, width);
        // What is said beside a long name begins below it.
        if source.width() > width && !row.meaning.is_empty() {
            entry(row.name, &source, out)?;
            lead = " ".repeat(width);
        }
        let mut name = if lead.trim().is_empty() { "" } else { row.name };
        for line in broken(&terminal(&row.meaning), TEXT_WIDTH - NAME_WIDTH - width - 6) {
            entry(name, &format!("{lead}  {line}"), out)?;
            (name, lead) = ("", " ".repeat(width));
        }
    }
    let others = words::unfed(facts);
    if facts.layout.format.grammar == Grammar::Text && !others.is_empty() {
        wrapped(&terminal(&others.join("  ")), "others", out)?;
    }
    Ok(())
}

fn write_examples(examples: &[Example], out: &mut dyn io::Write) -> io::Result<()> {
    let mut row = |name: &str, cell: &dyn Fn(&Example) -> String| {
        let cells = examples.iter().map(|example| padded(&cell(example), RECORD_WIDTH - 2));
        entry(name, cells.collect::<Vec<_>>().join("  ").trim_end(), out)
    };
    let text = |bytes: &Option<Vec<u8>>| {
        let shown = bytes.as_ref().map(|bytes| escape::terminal(bytes).into_owned());
        clipped(&shown.unwrap_or_else(|| "-".to_owned()), RECORD_WIDTH - 2)
    };
    let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| human::count(number.into()));
    row("", &|example| format!("line {}", example.line))?;
    row("start", &|example| clock(example.start, example.offset))?;
    row("end", &|example| clock(example.end, example.offset))?;
    row("client", &|example| text(&example.client))?;
    row("method", &|example| text(&example.method))?;
    row("target", &|example| text(&example.target))?;
    row("status", &|example| example.status.map_or("-".to_owned(), |status| format!("{status:03}")))?;
    row("body", &|example| number(example.body))?;
    row("wire", &|example| number(example.wire))?;
    row("duration", &|example| {
        example.duration_us.map_or("-".to_owned(), |micros| human::micros(micros.into()))
    })
}

fn write_rejects(explained: &Explained, out: &mut dyn io::Write) -> io::Result<()> {
    let rejected = lines_of(explained);
    if rejected == 0 {
        return Ok(());
    }
    writeln!(out, "\nRejected: {}", counted(rejected))?;
    for group in &explained.groups {
        write_group(group, explained, out)?;
    }
    let shown: u64 = explained.groups.iter().map(|group| group.count).sum();
    match rejected.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "\n  and {} for other reasons", counted(more)),
    }
}

/// A caret only where it points at a fault: a line of another kind is not wrong at some column.
fn write_group(group: &Group, explained: &Explained, out: &mut dyn io::Write) -> io::Result<()> {
    let has_place = group.likeness == Likeness::Damaged;
    let column = if has_place { format!(", column {}", group.column + 1) } else { String::new() };
    let first = if group.count > 1 { "the first is " } else { "" };
    let (reason, count, line) = (group.reason.name(), counted(group.count), group.line);
    writeln!(out, "\n  {reason}: {count}, {first}line {line}{column}")?;
    if has_place {
        writeln!(out, "{}", pointed(&group.text, group.column, 4))?;
    } else {
        writeln!(out, "    {}", beginning(&group.text, LINE_WIDTH))?;
    }
    let found = match (&group.likeness, group.found.as_slice()) {
        (Likeness::Foreign(foreign), _) => Some(words::foreign(*foreign).to_owned()),
        (Likeness::Known(_) | Likeness::Nothing, _) => None,
        (Likeness::Damaged, []) => Some("the end of the line".to_owned()),
        (Likeness::Damaged, found) => Some(beginning(found.trim_ascii_start(), FOUND_WIDTH)),
    };
    let mut row = |name: &str, text: &str| writeln!(out, "    {name:<NAME_WIDTH$}{text}");
    if explained.origin != Origin::Detected && matches!(group.likeness, Likeness::Known(_)) {
        let expected = terminal(&words::expected(&group.expected));
        row("expected", &format!("{expected}, at column {}", group.column + 1))?;
    }
    if let Some(found) = found {
        row("expected", &terminal(&words::expected(&group.expected)))?;
        row("found", &found)?;
    }
    words::nearest(group, explained).map_or(Ok(()), |nearest| row("nearest", &terminal(&nearest)))
}

fn lines_of(explained: &Explained) -> u64 {
    explained.rejected.len() as u64
}

/// A name and what there is to say.
fn entry(name: &str, text: &str, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{}", format!("  {name:<NAME_WIDTH$}  {text}").trim_end())
}

/// An item of a list, broken into lines.
fn item(text: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let mut bullet = "*";
    for line in broken(&terminal(text), TEXT_WIDTH - 4) {
        writeln!(out, "  {bullet} {line}")?;
        bullet = " ";
    }
    Ok(())
}

/// An entry, broken into lines.
fn wrapped(text: &str, name: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let mut name = name;
    for line in broken(text, TEXT_WIDTH - NAME_WIDTH - 4) {
        entry(name, &line, out)?;
        name = "";
    }
    Ok(())
}

/// Breaks at blanks.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("it begins with one");
        if !last.is_empty() && last.width() + 1 + word.width() > width {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

/// Date and clock at the offset that the log has; the offset itself stands with the source of the time.
fn clock(time: Option<Timestamp>, offset: Option<i32>) -> String {
    let Some(time) = time else { return "-".to_owned() };
    let civil = Zone::fixed(offset.unwrap_or(0)).civil(time);
    let millis = time.0.rem_euclid(1_000_000) / 1_000;
    let (year, month, day) = (civil.year, civil.month, civil.day);
    let (hour, minute, second) = (civil.hour, civil.minute, civil.second);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}")
}

fn counted(lines: u64) -> String {
    human::counted(lines, "line")
}

fn terminal(text: &str) -> String {
    escape::terminal(text.as_bytes()).into_owned()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// The beginning that fits, an ellipsis in place of the rest.
fn clipped(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let kept = text.chars().take_while(|letter| {
        used += letter.width().unwrap_or(0);
        used <= width
    });
    kept.chain(['…']).collect()
}

/// A word for a shell.
fn shell(word: &str) -> String {
    let shown = || terminal(&format!("'{}'", word.replace('\'', "'\\''")));
    quoted(word).unwrap_or_else(shown)
}

/// The byte column that counts, as figure.
fn counted_bytes(explained: &Explained) -> (Figure, Figure) {
    match explained.basis() {
        Part::Wire => (Figure::Wire, Figure::Body),
        _ => (Figure::Body, Figure::Wire),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detect::explain::explain;
    use crate::format::{Format, Layout};
    use crate::input::Head;

    #[test]
    fn words_are_quoted_for_a_shell() {
        let check = |word: &str, expected: &str| assert_eq!(shell(word), expected);
        check("access.log", "access.log");
        check("", "''");
        check("a b", "'a b'");
        check("it's", "'it'\\''s'");
        check("$(x)\x1b", "'$(x)\\x1b'");
    }

    /// Pieces of lines that formats are found in, and what a stranger may put among them.
    fn piece() -> impl Strategy<Value = String> {
        let known = [
            "192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 200 6 \"-\" \"x\"",
            "[31/Nov/2026:05:53:11 +0000]",
            "#Fields: date time c-ip sc-status x-\x1b[2J",
            "2026-11-23 05:53:11 192.0.2.1 200 -",
            "{\"status\":200,\"\x1b]0;x\":\"\u{202e}\",\"bytes\":6}",
            "time:1\tstatus:200\tsize:-",
            "\r",
            "\0",
            "\n",
            "\n",
            "\n",
            " ",
            " 0.250",
            " 17",
            "%$",
            "é日",
        ];
        prop::sample::select(known.to_vec()).prop_map(str::to_owned)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]
        #[test]
        fn any_log_is_explained_in_plain_lines(pieces in prop::collection::vec(piece(), 0..40)) {
            let bytes = pieces.concat().into_bytes();
            let head = Head { complete: bytes.len() % 2 == 0, bytes };
            let given = Layout::compile(&Format::parse("$status [$time_local]").expect("valid")).expect("valid");
            for layout in [None, Some(&given)] {
                let explained = explain(&head, layout, &[]);
                let records: u64 = explained.formats.iter().map(|facts| facts.lines).sum();
                let counted = records + lines_of(&explained) + explained.skipped + explained.cut;
                prop_assert_eq!(counted, explained.lines);
                let (coatings, failure) = (vec!["gzip"], None);
                let log = [Described { name: "a\x07b", options: &["--format".to_owned(), "x".to_owned()], coatings, failure, configured: None, explained }];
                for write in [write, write_json] {
                    let mut out = Vec::new();
                    write(&log, &mut out).expect("memory takes all");
                    let out = String::from_utf8(out).expect("text");
                    prop_assert!(out.lines().all(|line| !line.contains(escape::is_hidden)), "{}", out);
                }
            }
        }
    }

    #[test]
    fn text_is_cut_and_broken_by_its_width() {
        assert_eq!(clipped("abcdef", 6), "abcdef");
        assert_eq!(clipped("abcdefg", 6), "abcde…");
        assert_eq!(clipped("日本語", 5), "日本…");
        assert_eq!(broken("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(broken("a", 0), ["a"]);
        assert_eq!(broken("", 5), [""]);
    }
}
