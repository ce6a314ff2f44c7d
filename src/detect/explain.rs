//! Everything there is to say about the format of a log: what was found, on which evidence, what each figure comes
//! from, what cannot be decided by looks, and why lines were rejected.
//!
//! Like [`detect`] this looks at the head alone, but at every line of it, with the wrappers and the order of formats
//! that a run would use: what is said here is what a run does.

mod doubts;
mod paste;
mod rejects;

use crate::format::notation::{self, Notation};
use crate::format::{Grammar, Layout, Part, Server, w3c};
use crate::input::{self, Head};
use crate::parse::wrapper::{Joiner, Wrappers, bare, is_comment};
use crate::parse::{Foreign, Parser, Reader, Reason, Record, Reject, Wanted, plain};
use crate::time::Timestamp;

pub use doubts::Doubt;
pub use rejects::{Expected, Group, Likeness, RejectedLine};

use super::{Candidate, Detected, SAMPLE_LINES, detect, detect_with, examine, is_header};
use doubts::Signs;
use paste::Sample;
use rejects::Rejected;

/// Records of each format that are shown.
pub const EXAMPLES_MAX: usize = 3;

/// Whether the format was recognised or told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By its looks.
    Detected,
    /// By the user.
    Given,
    /// By the server's own configuration.
    Configured,
}

/// What a head tells.
#[derive(Debug, Clone)]
pub struct Explained {
    /// Whether the formats were recognised or told.
    pub origin: Origin,
    /// Bytes looked at.
    pub bytes: usize,
    /// True if that is the whole log.
    pub complete: bool,
    /// Lines looked at.
    pub lines: u64,
    /// Lines on which the decision was taken.
    pub sampled: u64,
    /// Blank lines, comments, headers, parts of a record that a later line ends.
    pub skipped: u64,
    /// Lines cut by the edges of the log or of its head.
    pub cut: u64,
    /// What other programs put around the lines.
    pub wrappers: Wrappers,
    /// The formats that read some line, the one that reads most first.
    pub formats: Vec<Facts>,
    /// The format that a `#Fields` header names, of which there may be no line.
    pub header: Option<String>,
    /// Lines that are not records, by fault.
    pub rejected: Vec<RejectedLine>,
    /// The same in groups, the largest first; beyond a few they are only counted.
    pub groups: Vec<Group>,
}

/// What is known of one format.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The format.
    pub layout: Layout,
    /// Records.
    pub lines: u64,
    /// The first record's line.
    pub first: u64,
    /// The last record's line.
    pub last: u64,
    /// UTC offsets that its times were written with, in order of appearance; a few.
    pub offsets: Vec<i32>,
    /// Records, the first ones.
    pub examples: Vec<Example>,
    /// What cannot be decided, or must be known before the numbers are trusted.
    pub doubts: Vec<Doubt>,
    /// The format as a `log_format`, if nginx could write such lines; none where lines name their values.
    pub nginx: Option<Notation>,
    /// The format as a `LogFormat`, likewise.
    pub apache: Option<Notation>,
    /// Records in which each figure is absent.
    nulls: [u64; Figure::ALL.len()],
    /// For each step, whether some record has a value there; all true where every line has every field.
    present: Vec<bool>,
    sample: Sample,
    signs: Signs,
}

/// What a record is made of, as far as numbers depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum Figure {
    Time,
    Client,
    Request,
    Status,
    Body,
    Wire,
    Received,
    Duration,
    Upstream,
    Host,
    Server,
    Cache,
}

/// A record as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in `Record`")]
pub struct Example {
    pub line: u64,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub offset: Option<i32>,
    pub client: Option<Vec<u8>>,
    pub method: Option<Vec<u8>>,
    pub target: Option<Vec<u8>>,
    pub status: Option<u16>,
    pub body: Option<u64>,
    pub wire: Option<u64>,
    pub duration_us: Option<u64>,
}

/// UTC offsets that are kept of one format.
const OFFSETS_MAX: usize = 3;

impl Explained {
    /// The byte column that counts by default: wire only if every format logs it.
    pub fn basis(&self) -> Part {
        let wire =
            !self.formats.is_empty() && self.formats.iter().all(|facts| facts.layout.format.has(Part::Wire));
        if wire { Part::Wire } else { Part::Body }
    }
}

impl Figure {
    /// All, in the order they are shown in.
    pub const ALL: [Self; 12] = [
        Self::Time,
        Self::Client,
        Self::Request,
        Self::Status,
        Self::Body,
        Self::Wire,
        Self::Received,
        Self::Duration,
        Self::Upstream,
        Self::Host,
        Self::Server,
        Self::Cache,
    ];

    /// The parts that it can be made of, the one that is preferred first.
    pub fn parts(self) -> &'static [Part] {
        match self {
            Self::Time => &[Part::Time],
            Self::Client => &[Part::Client, Part::Forwarded, Part::Peer],
            Self::Request => {
                &[Part::Request, Part::Method, Part::Target, Part::Path, Part::Query, Part::Protocol]
            }
            Self::Status => &[Part::Status],
            Self::Body => &[Part::Body],
            Self::Wire => &[Part::Wire],
            Self::Received => &[Part::In],
            Self::Duration => &[Part::Duration],
            Self::Upstream => &[Part::Upstream],
            Self::Host => &[Part::Host],
            Self::Server => &[Part::ServerAddr, Part::Hostname],
            Self::Cache => &[Part::Cache],
        }
    }

    fn is_null(self, record: &Record<'_>) -> bool {
        match self {
            Self::Time => record.time.is_none(),
            Self::Client => record.client.is_none(),
            Self::Request => record.target.is_none() && record.path.is_none(),
            Self::Status => record.status.is_none(),
            Self::Body => record.body.is_none(),
            Self::Wire => record.wire.is_none(),
            Self::Received => record.bytes_in.is_none(),
            Self::Duration => record.duration_us.is_none(),
            Self::Upstream => record.upstream_us.is_none(),
            Self::Host => record.host.is_none(),
            Self::Server => record.server_addr.is_none() && record.hostname.is_none(),
            Self::Cache => record.cache.is_none(),
        }
    }
}

impl Facts {
    /// Records in which a figure is absent.
    pub fn nulls(&self, figure: Figure) -> u64 {
        self.nulls[figure as usize]
    }

    /// True if some record has a value at a step: names in other lines of the log, and those that are always null, are
    /// nothing to show.
    pub fn is_present(&self, step: usize) -> bool {
        self.present[step]
    }

    /// The steps that feed a figure, and those that could but do not.
    pub fn sources(&self, figure: Figure) -> (Vec<usize>, Vec<usize>) {
        let layout = &self.layout;
        let of = |part: Part| layout.source(part);
        let feeding: Vec<usize> = match figure {
            Figure::Time => layout.times().collect(),
            Figure::Request if of(Part::Request).is_some() => of(Part::Request).into_iter().collect(),
            Figure::Request => {
                let target = [of(Part::Target)];
                let apart = [of(Part::Path), of(Part::Query)];
                let asked: &[Option<usize>] = if target[0].is_some() { &target } else { &apart };
                of(Part::Method).into_iter().chain(asked.iter().flatten().copied()).collect()
            }
            Figure::Client => of(Part::Client).into_iter().collect(),
            _ => figure.parts().iter().find_map(|&part| of(part)).into_iter().collect(),
        };
        let parts = figure.parts();
        let could = layout.steps.iter().enumerate().filter(|(_, step)| parts.contains(&step.field.part));
        let others =
            could.map(|(at, _)| at).filter(|at| !feeding.contains(at) && self.present[*at]).collect();
        (feeding, others)
    }

    fn new(layout: &Layout, line: u64) -> Self {
        Self {
            layout: layout.clone(),
            lines: 0,
            first: line,
            last: line,
            offsets: Vec::new(),
            examples: Vec::new(),
            doubts: Vec::new(),
            nginx: None,
            apache: None,
            nulls: [0; Figure::ALL.len()],
            present: vec![!names_values(layout); layout.steps.len()],
            sample: Sample::default(),
            signs: Signs::default(),
        }
    }

    /// `duration` is the text of the field that the duration was read from.
    fn count(&mut self, line: u64, record: &Record<'_>, duration: Option<&[u8]>) {
        self.lines += 1;
        self.last = line;
        for (nulls, figure) in self.nulls.iter_mut().zip(Figure::ALL) {
            *nulls += u64::from(figure.is_null(record));
        }
        if let Some(offset) = record.offset
            && self.offsets.len() < OFFSETS_MAX
            && !self.offsets.contains(&offset)
        {
            self.offsets.push(offset);
        }
        self.signs.count(record, duration);
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(self.example(line, record));
        }
    }

    /// Says which notations can be given back.
    fn prove(&mut self) {
        let Self { layout, sample, .. } = self;
        let nginx = notation::nginx(&layout.format);
        self.nginx = nginx.and_then(|notation| sample.proved(layout, Server::Nginx, notation));
        let apache = notation::apache(&layout.format);
        self.apache = apache.and_then(|notation| sample.proved(layout, Server::Apache, notation));
    }

    fn example(&self, line: u64, record: &Record<'_>) -> Example {
        let escape = self.layout.format.escape;
        let text = |raw: &[u8]| plain(escape, raw).into_owned();
        Example {
            line,
            start: record.start,
            end: record.end,
            offset: record.offset,
            client: record.client.map(text),
            method: record.method.map(text),
            target: record.full_target().map(|target| text(&target)),
            status: record.status,
            body: record.body,
            wire: record.wire,
            duration_us: record.duration_us,
        }
    }
}

/// Reads every line of a head as a run would, and tells what is found. With `given` nothing is detected; otherwise
/// formats `known` from the server's configuration are recognised besides the usual ones.
pub fn explain(head: &Head, given: Option<&Layout>, known: &[Layout]) -> Explained {
    let detected = match given {
        Some(layout) => examine(std::slice::from_ref(layout), &head.bytes),
        None => detect_with(known, &head.bytes),
    };
    let mut walk = Walk::new(&detected, head);
    for (number, line) in (1..).zip(input::lines(&head.bytes)) {
        walk.read(number, line);
    }
    let mut explained = walk.finish(given.map_or(Origin::Detected, |_| Origin::Given), known);
    let sample = SAMPLE_LINES as u64;
    // Every n-th line of them, as `spread` takes them.
    let lines = explained.lines - explained.skipped;
    explained.sampled = lines.div_ceil(lines.div_ceil(sample).max(1));
    explained
}

/// The lines of a head in the course of being read.
struct Walk<'a> {
    detected: &'a Detected,
    head: &'a Head,
    reader: Reader,
    joiner: Joiner,
    /// For each format of the reader, its facts.
    known: Vec<Option<usize>>,
    /// The fields whose texts are looked at, in the order of [`Record::others`]: those that durations are read from, and
    /// all where lines name their values.
    asked: Vec<String>,
    /// Where among them the steps of each format stand.
    places: Vec<Vec<Option<usize>>>,
    formats: Vec<Facts>,
    rejected: Rejected,
    lines: u64,
    skipped: u64,
    cut: u64,
}

impl<'a> Walk<'a> {
    fn new(detected: &'a Detected, head: &'a Head) -> Self {
        let layouts = detected.layouts();
        let asked = |layout: &Layout| -> Vec<String> {
            let is_asked = |step: usize| names_values(layout) || layout.source(Part::Duration) == Some(step);
            let steps = layout.steps.iter().enumerate().filter(|&(at, _)| is_asked(at));
            steps.map(|(_, step)| step.field.text.clone()).collect()
        };
        let mut asked: Vec<String> = layouts.iter().flat_map(asked).collect();
        asked.sort_unstable();
        asked.dedup();
        let places = layouts.iter().map(|layout| places(layout, &asked)).collect();
        Self {
            detected,
            head,
            reader: Reader::new(&layouts, Wanted::ALL, &asked),
            joiner: Joiner::default(),
            known: vec![None; layouts.len()],
            asked,
            places,
            formats: Vec::new(),
            rejected: Rejected::new(&detected.candidates),
            lines: 0,
            skipped: 0,
            cut: 0,
        }
    }

    fn read(&mut self, number: u64, outer: &'a [u8]) {
        let last = outer.as_ptr_range().end == self.head.bytes.as_ptr_range().end;
        self.lines += 1;
        if last && !self.head.complete {
            self.cut += 1;
            return;
        }
        let inner = bare(outer);
        if inner.trim_ascii().is_empty() {
            self.skipped += 1;
            return;
        }
        if let (Some(software), b'#') = (&self.detected.software, inner[0]) {
            if is_header(inner) {
                self.reader.turn_to(&w3c::header(software, inner));
                self.known[0] = None;
                self.places[0] = places(self.reader.parser(0).layout(), &self.asked);
                self.rejected.turn_to(self.reader.parser(0));
            }
            self.skipped += 1;
            return;
        }
        // Taken out so that the line it lends does not hold all of `self`.
        let mut joiner = std::mem::take(&mut self.joiner);
        if self.detected.wrappers.is_empty() {
            self.read_line(number, outer, inner, 0, last);
        } else if let Some(inner) = joiner.join(&self.detected.wrappers, outer) {
            self.read_line(number, outer, inner.line, inner.offset.unwrap_or(0), last);
        } else {
            self.skipped += 1;
        }
        self.joiner = joiner;
    }

    fn read_line(&mut self, number: u64, outer: &[u8], line: &[u8], offset: usize, last: bool) {
        let mut record = Record::default();
        let format = match self.reader.read(line, &mut record) {
            Ok(format) => format,
            Err(reject) => return self.unmatched(number, (outer, line, offset), reject, last),
        };
        if last && self.reader.parser(format).is_unclosed(line) {
            self.cut += 1;
            return;
        }
        let layout = self.reader.parser(format).layout();
        let facts = *self.known[format].get_or_insert_with(|| known(&mut self.formats, layout, number));
        let text = |step: usize| record.others.get(self.places[format][step]?).copied().flatten();
        let duration = layout.source(Part::Duration).and_then(text);
        let facts = &mut self.formats[facts];
        for (step, present) in facts.present.iter_mut().enumerate() {
            *present |= text(step).is_some();
        }
        facts.sample.add(line);
        facts.count(number, &record, duration);
    }

    fn unmatched(
        &mut self,
        number: u64,
        (outer, line, offset): (&[u8], &[u8], usize),
        reject: Reject,
        last: bool,
    ) {
        let tail = number == 1 && reject.reason == Reason::Format && self.reader.parser(0).is_tail(line);
        if line.trim_ascii().is_empty() || is_comment(line) {
            self.skipped += 1;
        } else if tail || last && !self.head.bytes.ends_with(b"\n") {
            self.cut += 1;
        } else {
            self.rejected.add(number, outer, line, offset, reject);
        }
    }

    fn finish(self, origin: Origin, configured: &[Layout]) -> Explained {
        let Self { detected, head, formats, rejected, lines, skipped, cut, .. } = self;
        let mut formats = formats;
        for facts in &mut formats {
            // What a directive says is no guess, whichever lines it was found by.
            let is_told = configured.iter().any(|layout| layout.format == facts.layout.format);
            facts.doubts = doubts::of(facts, if is_told { Origin::Configured } else { origin });
            facts.prove();
        }
        formats.sort_by_key(|facts| (std::cmp::Reverse(facts.lines), facts.first));
        let (rejected, groups) = rejected.finish();
        let first = detected.candidates.first().filter(|_| detected.software.is_some());
        let header = first.map(|candidate| candidate.layout.format.name.clone());
        Explained {
            origin,
            bytes: head.bytes.len(),
            complete: head.complete,
            lines,
            sampled: 0,
            skipped,
            cut,
            wrappers: detected.wrappers.clone(),
            formats,
            header,
            rejected,
            groups,
        }
    }
}

/// True if each line names its values, and has them or not.
fn names_values(layout: &Layout) -> bool {
    matches!(layout.format.grammar, Grammar::Json | Grammar::Ltsv)
}

/// Where among the fields asked for each step's stands.
fn places(layout: &Layout, asked: &[String]) -> Vec<Option<usize>> {
    layout.steps.iter().map(|step| asked.binary_search(&step.field.text).ok()).collect()
}

/// The facts of a format, which are new if it has not been met.
fn known(formats: &mut Vec<Facts>, layout: &Layout, line: u64) -> usize {
    let same = |facts: &Facts| facts.layout.format == layout.format;
    formats.iter().position(same).unwrap_or_else(|| {
        formats.push(Facts::new(layout, line));
        formats.len() - 1
    })
}
