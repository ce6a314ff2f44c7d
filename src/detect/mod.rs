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
mod looks;
mod forwarded;
mod integers;
mod torn;
pub mod unit;
mod tail;
mod discover;

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::format::presets::{self, BEGINNINGS, Beginning, Preset};
use crate::format::{Escape, Format, Grammar, Layout, Part, Server, w3c};
use crate::input;
use crate::parse::wrapper::{Joiner, Wrappers, bare};
use crate::parse::{Parser, Reader, Reason, Record, Reject, Wanted};
use tail::Lines;
use torn::Met;

/// Lines of a head that are looked at, spread evenly.
pub const SAMPLE_LINES: usize = 2_000;

/// Longer lines say nothing that a usual one does not, and each format costs a pass over them.
pub(crate) const SAMPLE_LENGTH_MAX: usize = 64 << 10;

/// Formats of one log that are told apart; lines of further ones are rejected.
pub const FORMATS_MAX: usize = 6;

/// Fewer lines that the formats of a log leave over are damaged ones, not of another format that nobody knows.
const UNKNOWN_LINES_MIN: usize = 5;

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
/// read some of it come the common beginnings: a format that starts later in the log is read as far as they go. None of
/// them begins a format of the head: it would read that one's torn lines.
pub fn detect_with(known: &[Layout], head: &[u8]) -> Detected {
    let (wrappers, peeled) = peeled_lines(head);
    let lines: Vec<&[u8]> = peeled.iter().map(AsRef::as_ref).collect();
    let headers = headers(head);
    let mut layouts = match &headers {
        Some((layouts, _)) => vec![layouts[0].clone()],
        None => choose(known, &spread(&lines), Lines::All, &Met::default()),
    };
    if layouts.is_empty() {
        // Before a log is given up every line of its head has been tried.
        layouts = choose(known, &lines, Lines::All, &Met::default());
    }
    let met = Met::of(&layouts, &lines);
    for later in configured::timed(known).chain(beginnings()) {
        if !met.begin_with(later) && !layouts.iter().any(|layout| is_same(layout, later)) {
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

/// Finds the formats of lines of some later text of a log that `layouts` do not read, or do not read to the end.
/// `wrappers` are around its lines.
pub fn detect_later(known: &[Layout], layouts: &[Layout], wrappers: &Wrappers, text: &[u8]) -> Vec<Layout> {
    let outer: Vec<&[u8]> = outer_lines(text);
    let peeled = peeled(wrappers, &outer);
    let mut reader = Reader::new(layouts, Wanted::default(), &[]);
    let lines = peeled.iter().map(AsRef::as_ref);
    let left: Vec<&[u8]> = lines.clone().filter(|line| foreign_part(&mut reader, line).is_some()).collect();
    let mut found = choose(known, &spread(&left), Lines::Rest, &Met::of(layouts, &lines.collect::<Vec<_>>()));
    found.retain(|later| !layouts.iter().any(|layout| is_same(layout, later)));
    found
}

/// The part of a line that none of the reader's formats explains: columns behind the last one, or all of it.
pub fn foreign_part<'a>(reader: &mut Reader, line: &'a [u8]) -> Option<&'a [u8]> {
    let mut record = Record::default();
    match reader.read(line, &mut record) {
        Ok(format) => record.extra.then(|| &line[reader.parser(format).matched_length()..]),
        Err(reject) => (reject.reason == Reason::Format).then_some(line),
    }
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

/// The layouts that read a sample, those that read most of it first. Lines that some layout reads to the end are taken
/// by it; what is left is looked at again.
fn choose(known: &[Layout], sample: &[&[u8]], lines: Lines, met: &Met<'_>) -> Vec<Layout> {
    let mut found: Vec<(Vec<Layout>, usize)> = Vec::new();
    let mut met = met.clone();
    let mut left = sample.to_vec();
    let mut count = 0;
    while count < FORMATS_MAX && !left.is_empty() {
        let lines = if found.is_empty() { lines } else { Lines::Rest };
        let mut layouts = elect(known, &left, lines);
        if layouts.is_empty() {
            break;
        }
        let before = left.len();
        let mut reader = Reader::new(&layouts, Wanted::default(), &[]);
        let is_met = |layout: &Layout| found.iter().flat_map(|(met, _)| met).any(|met| is_same(met, layout));
        layouts.retain(|layout| !is_met(layout) && !met.are_torn(layout, &left));
        layouts.truncate(FORMATS_MAX - count);
        // What only begins like a known format and is like nothing else is that format's.
        let ending = if layouts.is_empty() { Ending::Any } else { Ending::Whole };
        let most = take(&mut left, &mut reader, ending);
        if layouts.is_empty() && left.len() == before {
            break;
        }
        count += layouts.len();
        met.extend(&layouts, sample);
        found.push((layouts, most));
    }
    found.sort_by_key(|&(_, read)| std::cmp::Reverse(read));
    let mut found: Vec<Layout> = found.into_iter().flat_map(|(layouts, _)| layouts).collect();
    if let Some(raw) = found.first().and_then(|layout| unescaped(layout, sample, &left)) {
        found.push(raw);
    }
    found
}

/// The layouts that most lines are read best with; none if no line is read.
fn elect(known: &[Layout], lines: &[&[u8]], rest: Lines) -> Vec<Layout> {
    let is_told = rest == Lines::All || lines.len() >= UNKNOWN_LINES_MIN;
    let unknown = || if is_told { discover::layout(lines) } else { None };
    if let Some(layout) = configured::best(known, lines) {
        return vec![layout];
    }
    let found = best(lines, rest);
    if found.is_empty() { unknown().into_iter().collect() } else { found }
}

/// What may follow the last column of a line that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    Any,
}

/// Takes out the lines that a reader reads, and tells how many are of its most frequent format. What has the shape but
/// an impossible value is a reject of this format and tells nothing of another.
fn take(lines: &mut Vec<&[u8]>, reader: &mut Reader, ending: Ending) -> usize {
    let mut record = Record::default();
    let mut counts = [0_usize; FORMATS_MAX];
    lines.retain(|line| match reader.read(line, &mut record) {
        Ok(_) if record.extra && ending == Ending::Whole => true,
        Ok(format) => {
            counts[format] += 1;
            false
        }
        Err(reject) => reject.reason == Reason::Format,
    });
    counts.into_iter().max().unwrap_or(0)
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

/// The layouts that most lines are read best with, their appended columns typed; none if no line is read.
fn best(lines: &[&[u8]], rest: Lines) -> Vec<Layout> {
    if let Some(layout) = keyed::layout(lines) {
        return vec![layout];
    }
    let fit = |layout: &Layout, extra| Some(Fit::of(layout, extra));
    let found = elected(&plausible(lines, fit), lines, fit);
    let most = found.as_ref().map_or(1, |(_, voters)| voters.len());
    let passed_on = forwarded::lines(lines).filter(|passed_on| passed_on.len() >= most);
    let Some((layout, voters)) = passed_on.map(|lines| (&*forwarded::LAYOUT, lines)).or(found) else {
        return Vec::new();
    };
    match beginning(layout) {
        Some(beginning) => tail::complete(beginning, layout, &voters, rest),
        None => vec![layout.clone()],
    }
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
        let is_beginning = beginning(layout).is_some();
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

/// The text formats that read some of a few lines best, spread evenly, or all there are if none reads any. Most formats
/// read the beginning of some other's lines, and to find out that they fit no better takes long.
fn plausible<F: Ord + Copy>(
    lines: &[&[u8]],
    fit: impl Fn(&Layout, bool) -> Option<F>,
) -> Vec<&'static Layout> {
    let step = lines.len().div_ceil(GLANCE_LINES).max(1);
    let few: Vec<&[u8]> = lines.iter().copied().step_by(step).collect();
    let known: Vec<&Layout> = KNOWN.iter().collect();
    let votes = votes(&known, &few, fit);
    let found = known.iter().zip(&votes).filter(|(_, voters)| !voters.is_empty());
    let found: Vec<&Layout> = found.map(|(layout, _)| *layout).collect();
    if found.is_empty() { known } else { found }
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

/// The layout with most votes and the lines that gave them, if there are any; of equals the first.
fn elected<'l, 'a, F: Ord + Copy>(
    layouts: &[&'l Layout],
    lines: &[&'a [u8]],
    fit: impl Fn(&Layout, bool) -> Option<F>,
) -> Option<(&'l Layout, Vec<&'a [u8]>)> {
    // Of equals `max_by_key` keeps the last.
    let most =
        votes(layouts, lines, fit).into_iter().enumerate().rev().max_by_key(|(_, voters)| voters.len());
    most.filter(|(_, voters)| !voters.is_empty()).map(|(at, voters)| (layouts[at], voters))
}

/// The lines that vote for each layout. Each line votes for the layout that fits it best, of those that `fit` says
/// anything of; what it says depends on whether columns are left over. How many lines a layout can read at all says
/// little: `common` reads nearly every line of the others.
fn votes<'a, F: Ord + Copy>(
    layouts: &[&Layout],
    lines: &[&'a [u8]],
    fit: impl Fn(&Layout, bool) -> Option<F>,
) -> Vec<Vec<&'a [u8]>> {
    let reader = |layout: &&Layout| {
        let fits = [false, true].map(|extra| fit(layout, extra));
        (Parser::new(layout, Wanted::default(), &[]), fits)
    };
    let mut readers: Vec<(Parser, [Option<F>; 2])> = layouts.iter().map(reader).collect();
    let mut voters: Vec<Vec<&[u8]>> = vec![Vec::new(); layouts.len()];
    let mut record = Record::default();
    for &line in lines {
        let mut best = None;
        for (at, (parser, fits)) in readers.iter_mut().enumerate() {
            if parser.reads(line, &mut record)
                && let Some(fit) = fits[usize::from(record.extra)]
                && best.is_none_or(|(before, _)| fit > before)
            {
                best = Some((fit, at));
            }
        }
        if let Some((_, at)) = best {
            voters[at].push(line);
        }
    }
    voters
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
    let beginnings = BEGINNINGS.iter().map(|beginning| &beginning.preset);
    beginnings.chain(presets::neighbours()).map(Preset::format).map(|format| compiled(&format)).collect()
});

fn beginnings<'l>() -> impl Iterator<Item = &'l Layout> {
    KNOWN[..BEGINNINGS.len()].iter()
}

/// The beginning that the layout is, if it is one.
fn beginning(layout: &Layout) -> Option<Beginning> {
    let all = BEGINNINGS.into_iter().chain([presets::FORWARDED]);
    all.into_iter().find(|beginning| beginning.preset.is(&layout.format))
}

fn compiled(format: &Format) -> Layout {
    Layout::compile(format).expect("a detected format is built from fields that compile")
}

/// For each layout, the lines it is the first to read.
fn count(layouts: &[Layout], lines: &[&[u8]]) -> Vec<usize> {
    let mut counts = vec![0; layouts.len()];
    let mut reader = Reader::new(layouts, Wanted::default(), &[]).judged_by(0);
    let mut record = Record::default();
    for line in lines {
        if let Ok(format) = reader.read(line, &mut record) {
            counts[format] += 1;
        }
    }
    counts
}

fn offset(layouts: &[Layout], lines: &[&[u8]]) -> Option<i32> {
    let mut reader = Reader::new(layouts, Wanted::default(), &[]).judged_by(0);
    let mut record = Record::default();
    let (line, format) = lines.iter().find_map(|line| Some((*line, reader.read(line, &mut record).ok()?)))?;
    record.offset.or_else(|| reader.parser(format).offset(line))
}

/// What is around the lines of a head that are meant to be records, and the lines without it.
fn peeled_lines(head: &[u8]) -> (Wrappers, Vec<Cow<'_, [u8]>>) {
    let outer = outer_lines(head);
    let wrappers = Wrappers::detect(&spread(&outer));
    let inner = peeled(&wrappers, &outer);
    (wrappers, inner)
}

fn outer_lines(text: &[u8]) -> Vec<&[u8]> {
    let lines = input::lines(text).map(bare);
    lines.filter(|line| !line.trim_ascii().is_empty() && line[0] != b'#').collect()
}

/// The lines without their wrappers, the parts of records put together.
fn peeled<'a>(wrappers: &Wrappers, outer: &[&'a [u8]]) -> Vec<Cow<'a, [u8]>> {
    if wrappers.is_empty() {
        return outer.iter().map(|line| Cow::Borrowed(*line)).collect();
    }
    let mut joiner = Joiner::default();
    let mut inner = Vec::with_capacity(outer.len());
    for &line in outer {
        if let Some(peeled) = joiner.join(wrappers, line) {
            inner.push(match peeled.offset {
                Some(offset) => Cow::Borrowed(&line[offset..offset + peeled.line.len()]),
                None => Cow::Owned(peeled.line.to_vec()),
            });
        }
    }
    inner
}

/// Some of the lines, spread evenly; very long ones only if there are no others.
fn spread<'a>(lines: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let usual: Vec<&[u8]> = lines.iter().copied().filter(|line| line.len() <= SAMPLE_LENGTH_MAX).collect();
    let lines = if usual.is_empty() { lines } else { &usual };
    let step = lines.len().div_ceil(SAMPLE_LINES).max(1);
    lines.iter().copied().step_by(step).collect()
}

#[cfg(test)]
mod tests;
