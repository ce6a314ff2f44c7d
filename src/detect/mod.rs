//! Which formats are these? Decided on an input's head alone, so that a file, its .gz and a pipe agree.
//!
//! ```text
//! sample lines → the layout that reads most of them → the same for the lines it does not read → …
//! ```
//!
//! A text log is a well-known beginning plus columns that people appended to it; the columns are typed by what stands
//! in them (`tail`), because a fraction is nginx's `$request_time` and an integer Apache's `%D`, and that decides
//! whether the logged time is the end or the start. No single line decides anything but for itself.

mod configured;
pub mod explain;
pub mod keyed;
mod tail;
mod discover;

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::format::{Escape, Format, Grammar, Layout, Part, Server, presets, w3c};
use crate::input;
use crate::parse::wrapper::{Wrappers, bare};
use crate::parse::{Parser, Reader, Reason, Record, Reject, Wanted};

/// Lines of a head that are looked at, spread evenly.
pub const SAMPLE_LINES: usize = 2_000;

/// Formats of one log that are told apart; lines of further ones are rejected.
pub const FORMATS_MAX: usize = 6;

/// Fewer lines that the formats of a log leave over are damaged ones, not of another format that nobody knows.
const UNKNOWN_LINES_MIN: usize = 5;

/// The beginnings of all text formats, most specific first; ties go to the earlier.
const BEGINNINGS: [&str; 4] = ["combined", "vhost_combined", "host_combined", "common"];

/// What a head looks like.
#[derive(Debug, Clone)]
pub struct Detected {
    /// What other programs put around the lines.
    pub wrappers: Wrappers,
    /// The `#Software` line, or none, if `#Fields` headers name the columns.
    pub software: Option<Vec<u8>>,
    /// What further `#Fields` headers of the head name: lines below them have these formats.
    pub headed: Vec<Layout>,
    /// The formats to try on each line, in this order. Those that read no line of the head may still read later ones.
    pub candidates: Vec<Candidate>,
    /// UTC offset of the first record's time, if it has one.
    pub offset: Option<i32>,
}

/// A format that lines of a log may have.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The format.
    pub layout: Layout,
    /// Sampled lines that no earlier candidate reads and this one does.
    pub accepted: usize,
}

/// The format that comes closest to a line that matches none.
#[derive(Debug, Clone)]
pub struct Nearest {
    /// The format.
    pub layout: Layout,
    /// The line examined, from 1.
    pub line: u64,
    /// Its bytes.
    pub text: Vec<u8>,
    /// Where and why it does not match.
    pub reject: Reject,
}

impl Detected {
    /// True if some line of the head is a record.
    pub fn has_records(&self) -> bool {
        self.candidates.iter().any(|candidate| candidate.accepted > 0)
    }

    /// The layouts, in order.
    pub fn layouts(&self) -> Vec<Layout> {
        self.candidates.iter().map(|candidate| candidate.layout.clone()).collect()
    }
}

/// Finds the formats of a head.
pub fn detect(head: &[u8]) -> Detected {
    detect_with(&[], head)
}

/// Finds the formats of a head; what those `known` from the server's configuration read is theirs. Behind those that
/// read some of it come the common beginnings: a format that starts later in the log is read as far as they go.
pub fn detect_with(known: &[Layout], head: &[u8]) -> Detected {
    let (wrappers, peeled) = peeled_lines(head);
    let lines: Vec<&[u8]> = peeled.iter().map(AsRef::as_ref).collect();
    let headers = headers(head);
    let mut layouts = match &headers {
        Some((layouts, _)) => vec![layouts[0].clone()],
        None => choose(known, &spread(&lines)),
    };
    if layouts.is_empty() {
        // Before a log is given up every line of its head has been tried.
        layouts = choose(known, &lines);
    }
    for later in configured::timed(known).chain(beginnings()) {
        if !layouts.iter().any(|layout| is_same(layout, later)) {
            layouts.push(later.clone());
        }
    }
    let mut detected = judged(wrappers, &layouts, &lines);
    if let Some((headed, software)) = headers {
        detected.candidates[0].accepted = count_headed(&layouts, &software, head);
        detected.headed = headed.into_iter().skip(1).collect();
        detected.software = Some(software);
    }
    detected
}

/// How well given layouts fit a head, in the order given.
pub fn examine(layouts: &[Layout], head: &[u8]) -> Detected {
    let (wrappers, peeled) = peeled_lines(head);
    let lines: Vec<&[u8]> = peeled.iter().map(AsRef::as_ref).collect();
    judged(wrappers, layouts, &lines)
}

fn judged(wrappers: Wrappers, layouts: &[Layout], lines: &[&[u8]]) -> Detected {
    let sample = spread(lines);
    let mut accepted = count(layouts, &sample);
    if accepted.iter().all(|&accepted| accepted == 0) {
        accepted = count(layouts, lines);
    }
    let candidates = layouts.iter().zip(accepted);
    let candidates = candidates.map(|(layout, accepted)| Candidate { layout: layout.clone(), accepted });
    Detected {
        wrappers,
        software: None,
        headed: Vec::new(),
        candidates: candidates.collect(),
        offset: offset(layouts, lines),
    }
}

/// The format that gets furthest into the first line of a head that is not blank.
pub fn nearest(head: &[u8]) -> Option<Nearest> {
    beginnings()
        .filter_map(|layout| mismatch(layout, head))
        .reduce(|best, other| if other.reject.column > best.reject.column { other } else { best })
}

/// The first line of a head that is not blank, if it does not match the layout.
pub fn mismatch(layout: &Layout, head: &[u8]) -> Option<Nearest> {
    let (line, text) = (1..).zip(input::lines(head)).find(|(_, line)| !line.trim_ascii().is_empty())?;
    let mut parser = Parser::new(layout, Wanted::default(), &[]);
    let reject = parser.parse(text, &mut Record::default()).err()?;
    Some(Nearest { layout: layout.clone(), line, text: text.to_vec(), reject })
}

/// The layouts that read a sample, the one that reads most of it first.
fn choose(known: &[Layout], sample: &[&[u8]]) -> Vec<Layout> {
    let mut found: Vec<(Layout, usize)> = Vec::new();
    let mut left = sample.to_vec();
    while found.len() < FORMATS_MAX && !left.is_empty() {
        let is_told = found.is_empty() || left.len() >= UNKNOWN_LINES_MIN;
        let unknown = || if is_told { discover::layout(&left) } else { None };
        let layout = configured::best(known, &left).or_else(|| best(&left)).or_else(unknown);
        let Some(layout) = layout else { break };
        let mut parser = Parser::new(&layout, Wanted::default(), &[]);
        let mut record = Record::default();
        let before = left.len();
        left.retain(|line| match parser.parse(line, &mut record) {
            // What has the shape but an impossible value is a reject of this format and tells nothing of another.
            Ok(()) => false,
            Err(reject) => reject.reason == Reason::Format,
        });
        if left.len() == before {
            break;
        }
        found.push((layout, before - left.len()));
    }
    found.sort_by_key(|&(_, read)| std::cmp::Reverse(read));
    if let Some(raw) = found.first().and_then(|(layout, _)| unescaped(layout, sample, &left)) {
        found.push((raw, 0));
    }
    found.into_iter().map(|(layout, _)| layout).collect()
}

/// The same nginx format with `escape=none`, if that is why some lines are left: they hold quotes as they came, nothing
/// in the sample is escaped, and none of them is two torn records, which hold two times.
fn unescaped(layout: &Layout, sample: &[&[u8]], left: &[&[u8]]) -> Option<Layout> {
    let format = &layout.format;
    if format.server != Server::Nginx || format.escape != Escape::Nginx || format.grammar != Grammar::Text {
        return None;
    }
    if sample.iter().any(|line| memchr::memmem::find(line, b"\\x").is_some()) {
        return None;
    }
    let name = format!("{} escape=none", format.name);
    let raw = compiled(&Format { name, escape: Escape::None, ..format.clone() });
    let mut parser = Parser::new(&raw, Wanted::default(), &[]);
    let mut record = Record::default();
    let one_time = |line: &[u8]| memchr::memmem::find_iter(line, b" [").count() == 1;
    let reads = left.iter().any(|line| one_time(line) && parser.parse(line, &mut record).is_ok());
    reads.then_some(raw)
}

/// The layout that most lines are read best with, its appended columns typed; none if no line is read.
fn best(lines: &[&[u8]]) -> Option<Layout> {
    if let Some(layout) = keyed::layout(lines) {
        return Some(layout);
    }
    let layout = elected(&plausible(lines), lines, |layout, extra| Some(Fit::of(layout, extra)))?.clone();
    if !BEGINNINGS.contains(&layout.format.name.as_str()) {
        return Some(layout);
    }
    Some(tail::complete(&layout, lines).map_or(layout, |format| compiled(&format)))
}

/// How well a layout reads a line, best last. A whole line of a common beginning is that; a neighbour's explains
/// columns that a beginning leaves over; of columns that no one explains the fewer are left the better, and they were
/// rather appended to a beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Partly { columns: usize, is_beginning: bool },
    Neighbour { known_fields: usize },
    Beginning { known_fields: usize },
}

/// Columns of `combined`, in whatever notation. Who has no more is not told from it by their number.
const COMBINED_COLUMNS: usize = 9;

impl Fit {
    fn of(layout: &Layout, extra: bool) -> Self {
        let is_beginning = BEGINNINGS.contains(&layout.format.name.as_str());
        let known_fields = known_fields(layout);
        match (is_beginning, extra) {
            (is_beginning, true) => {
                Self::Partly { columns: layout.steps.len().saturating_sub(COMBINED_COLUMNS), is_beginning }
            }
            (true, false) => Self::Beginning { known_fields },
            (false, false) => Self::Neighbour { known_fields },
        }
    }
}

/// Lines on which formats are tried that are rare: nearly all logs are plain, and each format costs time.
const GLANCE_LINES: usize = 32;

/// The text formats that read some of a few lines spread evenly, or all there are if none does.
fn plausible(lines: &[&[u8]]) -> Vec<&'static Layout> {
    let step = lines.len().div_ceil(GLANCE_LINES).max(1);
    let few: Vec<&[u8]> = lines.iter().copied().step_by(step).collect();
    let read = |layout: &&Layout| count(std::slice::from_ref(*layout), &few)[0] > 0;
    let found: Vec<&Layout> = KNOWN.iter().filter(read).collect();
    if found.is_empty() { KNOWN.iter().collect() } else { found }
}

/// The layouts that the `#Fields` headers of a head name, and its `#Software` line; none if it has no header.
fn headers(head: &[u8]) -> Option<(Vec<Layout>, Vec<u8>)> {
    let lines = || input::lines(head).map(bare);
    let software =
        lines().find(|line| line.to_ascii_lowercase().starts_with(b"#software:")).unwrap_or_default();
    let mut layouts: Vec<Layout> = Vec::new();
    for header in lines().filter(|line| is_header(line)) {
        if let Ok(layout) = w3c::layout_of_header(&w3c::header(software, header))
            && layouts.len() < FORMATS_MAX
            && !layouts.iter().any(|known| is_same(known, &layout))
        {
            layouts.push(layout);
        }
    }
    (!layouts.is_empty()).then(|| (layouts, software.to_vec()))
}

/// The lines of a head that have the columns of the header above them.
fn count_headed(layouts: &[Layout], software: &[u8], head: &[u8]) -> usize {
    let mut reader = Reader::new(layouts, Wanted::default(), &[]);
    let mut record = Record::default();
    let mut accepted = 0;
    for line in input::lines(head).map(bare).filter(|line| !line.is_empty()) {
        if is_header(line) {
            reader.turn_to(&w3c::header(software, line));
        } else if line[0] != b'#' {
            accepted += usize::from(reader.read(line, &mut record) == Ok(0));
        }
    }
    accepted
}

/// True for a line that names the columns of those below it (W3C extended log file format).
pub fn is_header(line: &[u8]) -> bool {
    line.first() == Some(&b'#') && line.len() > 8 && line[..8].eq_ignore_ascii_case(b"#fields:")
}

/// The layout with most votes, if there are any; of equals the first. Each line votes for the layout that fits it best,
/// of those that `fit` says anything of; what it says depends on whether columns are left over. How many lines a layout
/// can read at all says little: `common` reads nearly every line of the others.
fn elected<'l, F: Ord + Copy>(
    layouts: &[&'l Layout],
    lines: &[&[u8]],
    fit: impl Fn(&Layout, bool) -> Option<F>,
) -> Option<&'l Layout> {
    let reader = |layout: &&Layout| {
        let fits = [false, true].map(|extra| fit(layout, extra));
        (Parser::new(layout, Wanted::default(), &[]), fits)
    };
    let mut readers: Vec<(Parser, [Option<F>; 2])> = layouts.iter().map(reader).collect();
    let mut votes = vec![0_usize; layouts.len()];
    let mut record = Record::default();
    for line in lines {
        let mut best = None;
        for (at, (parser, fits)) in readers.iter_mut().enumerate() {
            if parser.parse(line, &mut record).is_ok()
                && let Some(fit) = fits[usize::from(record.extra)]
                && best.is_none_or(|(before, _)| fit > before)
            {
                best = Some((fit, at));
            }
        }
        if let Some((_, at)) = best {
            votes[at] += 1;
        }
    }
    // Of equals `max_by_key` keeps the last.
    let most =
        votes.iter().enumerate().rev().filter(|&(_, &count)| count > 0).max_by_key(|&(_, count)| count);
    most.map(|(at, _)| layouts[at])
}

/// The values of a layout that mean something.
fn known_fields(layout: &Layout) -> usize {
    layout.steps.iter().filter(|step| step.field.part != Part::Other).count()
}

fn is_same(one: &Layout, other: &Layout) -> bool {
    one.format.text == other.format.text && one.format.escape == other.format.escape
}

/// The beginnings, then the neighbours' formats: compiled once, they are tried on every log.
static KNOWN: LazyLock<Vec<Layout>> = LazyLock::new(|| {
    let names = BEGINNINGS.into_iter().chain(presets::neighbours());
    names.map(|name| compiled(&presets::named(name).expect("names of presets"))).collect()
});

fn beginnings<'l>() -> impl Iterator<Item = &'l Layout> {
    KNOWN[..BEGINNINGS.len()].iter()
}

fn compiled(format: &Format) -> Layout {
    Layout::compile(format).expect("a detected format is built from fields that compile")
}

/// For each layout, the lines it is the first to read.
fn count(layouts: &[Layout], lines: &[&[u8]]) -> Vec<usize> {
    let mut counts = vec![0; layouts.len()];
    let mut reader = Reader::new(layouts, Wanted::default(), &[]);
    let mut record = Record::default();
    for line in lines {
        if let Ok(format) = reader.read(line, &mut record) {
            counts[format] += 1;
        }
    }
    counts
}

fn offset(layouts: &[Layout], lines: &[&[u8]]) -> Option<i32> {
    let mut reader = Reader::new(layouts, Wanted::default(), &[]);
    let mut record = Record::default();
    let (line, format) = lines.iter().find_map(|line| Some((*line, reader.read(line, &mut record).ok()?)))?;
    record.offset.or_else(|| reader.parser(format).offset(line))
}

/// What is around the lines of a head that are meant to be records, and the lines without it.
fn peeled_lines(head: &[u8]) -> (Wrappers, Vec<Cow<'_, [u8]>>) {
    let outer: Vec<&[u8]> = input::lines(head)
        .map(bare)
        .filter(|line| !line.trim_ascii().is_empty() && line[0] != b'#')
        .collect();
    let wrappers = Wrappers::detect(&spread(&outer));
    let mut buffer = Vec::new();
    let inner = outer.into_iter().map(|line| {
        if wrappers.is_empty() {
            return Cow::Borrowed(line);
        }
        let inner = wrappers.peel(line, &mut buffer);
        match inner.offset {
            Some(offset) => Cow::Borrowed(&line[offset..offset + inner.line.len()]),
            None => Cow::Owned(inner.line.to_vec()),
        }
    });
    let inner = inner.collect();
    (wrappers, inner)
}

/// Some of the lines, spread evenly.
fn spread<'a>(lines: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let step = lines.len().div_ceil(SAMPLE_LINES).max(1);
    lines.iter().copied().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMBINED: &str =
        r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0100] "GET / HTTP/1.1" 200 6 "-" "curl/8 (x; y)""#;

    fn check(lines: &[String], expected: &str) {
        let found = detect(lines.join("\n").as_bytes());
        let read = found.candidates.iter().filter(|candidate| candidate.accepted > 0);
        let shown: Vec<&str> = read.map(|candidate| candidate.layout.format.name.as_str()).collect();
        assert_eq!(shown.join(" "), expected, "{} lines, the last: {:?}", lines.len(), lines.last());
    }

    fn with(tail: &str) -> String {
        format!("{COMBINED}{tail}")
    }

    #[test]
    fn beginnings_and_appended_columns_are_told_apart() {
        check(&[with("")], "combined");
        check(&[with(" \"-\""), with(" \"192.0.2.7, 10.0.0.1\"")], "main");
        check(&[with(" 0.123")], "combined_rt");
        check(&[with(" 0.123 -"), with(" 0.001 0.001, 0.002 : 0.100")], "combined_rt_urt");
        check(&[with(" 0.123 - 10.1.0.7")], "combined+rt+urt+server_addr");
        check(&[with(" 1234")], "combined_d");
        check(&[with(" 213 1234")], "combinedio");
        check(&[with(" \"-\" 0.123")], "combined+xff+rt");
        check(&[with(" what \"is this\"")], "combined+1+2");
        check(
            &[r#"a.example:80 192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "x""#
                .into()],
            "vhost_combined",
        );
        check(&[r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6"#.into()], "common");
        check(&["2026/11/23 05:53:11 [error] 7#7: *1 open() failed".into()], "");
        check(&[], "");
    }

    #[test]
    fn a_line_of_countless_columns_names_none_of_them() {
        let names: Vec<String> = (1..=64).map(|number| number.to_string()).collect();
        check(&[with(&" x".repeat(64))], &format!("combined+{}", names.join("+")));
        check(&[with(&" x".repeat(65))], "combined");
        check(&[with(&" x".repeat(70_000))], "combined");
    }

    #[test]
    fn one_odd_first_line_decides_nothing() {
        let mut lines = vec!["garbage".to_owned(), with("")];
        lines.extend((0..50).map(|_| with(" 0.250")));
        check(&lines, "combined_rt combined");
    }

    #[test]
    fn lines_of_several_formats_are_told_apart() {
        let vhost = format!("a.example:80 {COMBINED}");
        let mut lines: Vec<String> = (0..40).map(|_| with("")).collect();
        lines.extend((0..60).map(|_| with(" 0.250")));
        check(&lines, "combined_rt combined");
        lines.extend((0..70).map(|_| vhost.clone()));
        lines.extend((0..10).map(|_| "2026/11/23 05:53:11 [error] 7#7: *1 open() failed".to_owned()));
        check(&lines, "vhost_combined combined_rt combined");
    }

    #[test]
    fn the_first_record_tells_its_offset() {
        let found = detect(format!("garbage\n{COMBINED}\n").as_bytes());
        assert_eq!((found.candidates[0].accepted, found.offset), (1, Some(3600)));
    }

    #[test]
    fn the_nearest_format_says_where_it_stops() {
        let line = COMBINED.replace("200", "2x0");
        let nearest = nearest(format!("\n{line}").as_bytes()).expect("a line");
        assert_eq!((nearest.layout.format.name.as_str(), nearest.line), ("combined", 2));
        assert_eq!(&nearest.text[nearest.reject.column..nearest.reject.column + 3], b"2x0");
    }
}
