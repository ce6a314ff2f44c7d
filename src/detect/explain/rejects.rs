//! Lines that are not records: what was expected where, and what stands there.

use std::net::IpAddr;

use super::super::SAMPLE_LENGTH_MAX;
use super::super::discover::is_discovered;
use super::{Candidate, Foreign, Parser, Reason, Record, Reject, Wanted, detect};
use crate::format::{Field, Format, Grammar, Kind, Layout, Part, Step};

/// Groups that are told apart; lines beyond them are counted only.
pub(super) const GROUPS_MAX: usize = 8;

/// Bytes of what stands in the wrong place that are kept.
const FOUND_MAX: usize = 60;

/// Longer words are not taken for values.
const WORD_MAX: usize = 64;

/// Rejected lines of a log for which all known formats are tried: each costs as much as a hundred others.
const LOOKED_UP_MAX: usize = 200;

/// Lines that were rejected for one reason at one place of one format.
#[derive(Debug, Clone)]
pub struct Group {
    /// Why.
    pub reason: Reason,
    /// Lines.
    pub count: u64,
    /// The first of them, from 1.
    pub line: u64,
    /// Its bytes, wrappers included.
    pub text: Vec<u8>,
    /// Offset of the byte or value at fault.
    pub column: usize,
    /// The format that reads most of it.
    pub nearest: Format,
    /// What that format expects there.
    pub expected: Expected,
    /// What stands there; nothing at the end of the line.
    pub found: Vec<u8>,
    /// What the lines are instead.
    pub likeness: Likeness,
    step: Option<usize>,
}

/// What a rejected line is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Likeness {
    /// A line of the nearest format, damaged: some value before the fault is one that means something.
    Damaged,
    /// A line of this known format, which the log was not read with.
    Known(Box<Format>),
    /// Something else that has a name.
    Foreign(Foreign),
    /// Nothing of it looks like an access log.
    Nothing,
}

/// A rejected line, for a list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedLine {
    /// Its number, from 1.
    pub line: u64,
    /// Its bytes, wrappers included.
    pub text: Vec<u8>,
    /// Why, and where within all of it.
    pub reject: Reject,
}

/// What a format expects at some place of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A value, and the literal after it.
    Value(Field, Vec<u8>),
    /// The literal after this value, which is as it should be.
    After(Field, Vec<u8>),
    /// The bytes that every line begins with.
    Beginning(Vec<u8>),
    /// Nothing more.
    End,
    /// A JSON object about a request.
    Object,
    /// `label:value` pairs between tabs.
    Labels,
    /// As many columns as the header names.
    Columns(usize),
    /// A line that is shorter than the limit.
    Shorter,
    /// Some access log's line: this is of another kind.
    AccessLog,
}

/// Rejected lines in the course of being grouped.
pub(super) struct Rejected {
    parsers: Vec<Parser>,
    /// Whether each reads some line of the log.
    used: Vec<bool>,
    /// Formats that rejected lines were found to have.
    known: Vec<Parser>,
    looked_up: usize,
    groups: Vec<Group>,
    lines: Vec<RejectedLine>,
}

impl Rejected {
    pub(super) fn new(candidates: &[Candidate]) -> Self {
        let parser = |candidate: &Candidate| Parser::new(&candidate.layout, Wanted::default(), &[]);
        Self {
            parsers: candidates.iter().map(parser).collect(),
            used: candidates.iter().map(|candidate| candidate.accepted > 0).collect(),
            known: Vec::new(),
            looked_up: 0,
            groups: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Lines from here on have other columns.
    pub(super) fn turn_to(&mut self, parser: &Parser) {
        self.parsers[0] = parser.clone();
    }

    /// Takes a line that the reader rejected; its wrapped content stands `offset` bytes within `outer`.
    pub(super) fn add(&mut self, number: u64, outer: &[u8], line: &[u8], offset: usize, reject: Reject) {
        let told = Reject { column: reject.column + offset, ..reject };
        self.lines.push(RejectedLine { line: number, text: outer.to_vec(), reject: told });
        let reject = self.nearest(line, reject);
        let (nearest, step, likeness) = self.place(line, reject);
        let is_same = |group: &&mut Group| {
            let place =
                likeness != Likeness::Damaged || group.step == step && group.nearest == nearest.format;
            group.reason == reject.reason && group.likeness == likeness && place
        };
        if let Some(group) = self.groups.iter_mut().find(is_same) {
            group.count += 1;
            return;
        }
        if self.groups.len() >= GROUPS_MAX {
            return;
        }
        let (expected, column) = match likeness {
            Likeness::Foreign(_) => (Expected::AccessLog, reject.column),
            _ => expected(&nearest, step, line, reject),
        };
        self.groups.push(Group {
            reason: reject.reason,
            count: 1,
            line: number,
            text: outer.to_vec(),
            column: column + offset,
            expected,
            nearest: nearest.format,
            found: found(&line[column.min(line.len())..]).to_vec(),
            likeness,
            step,
        });
    }

    /// The lines, and their groups, the largest first.
    pub(super) fn finish(self) -> (Vec<RejectedLine>, Vec<Group>) {
        let mut groups = self.groups;
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.line));
        (self.lines, groups)
    }

    /// A line that no format reads is judged by those that read the log's other lines: that some format which the log
    /// does not have would have read more of it by chance is no help.
    fn nearest(&mut self, line: &[u8], reject: Reject) -> Reject {
        if reject.reason != Reason::Format || Foreign::of(line).is_some() {
            return reject;
        }
        let used = self.parsers.iter_mut().zip(&self.used).filter(|(_, used)| **used);
        let rejects = used.filter_map(|(parser, _)| parser.parse(line, &mut Record::default()).err());
        let furthest = |best: Reject, other: Reject| if other.column > best.column { other } else { best };
        rejects.reduce(furthest).unwrap_or(reject)
    }

    /// The layout that the reject is from, the step at fault, and what the line is like.
    fn place(&mut self, line: &[u8], reject: Reject) -> (Layout, Option<usize>, Likeness) {
        let foreign = Foreign::of(line).filter(|_| reject.reason == Reason::Format);
        if let Some(foreign) = foreign {
            return (self.parsers[0].layout().clone(), None, Likeness::Foreign(foreign));
        }
        let known = self.known(line);
        let mut record = Record::default();
        let at = self.parsers.iter_mut().position(|parser| parser.parse(line, &mut record) == Err(reject));
        let parser = &mut self.parsers[at.unwrap_or(0)];
        let is_text = at.is_some() && parser.layout().format.grammar == Grammar::Text;
        let value = reject.reason != Reason::Format;
        let step = if is_text || value { parser.faulty_step(line, reject) } else { None };
        let likeness = match known {
            Some(format) => Likeness::Known(Box::new(format)),
            // A line too long was not looked into.
            None if reject.reason == Reason::TooLong => Likeness::Damaged,
            None if is_near(parser, line, step, reject) => Likeness::Damaged,
            None => Likeness::Nothing,
        };
        (parser.layout().clone(), step, likeness)
    }

    /// The format that a log of this line alone would have.
    fn known(&mut self, line: &[u8]) -> Option<Format> {
        let mut record = Record::default();
        // With columns left over it is rather a line of another format.
        let reads = |parser: &mut Parser| parser.parse(line, &mut record).is_ok() && !record.extra;
        if let Some(at) = self.known.iter_mut().position(reads) {
            return Some(self.known[at].layout().format.clone());
        }
        if self.looked_up >= LOOKED_UP_MAX || line.len() > SAMPLE_LENGTH_MAX {
            return None;
        }
        self.looked_up += 1;
        let alone = detect(line);
        let read = alone.candidates.into_iter().find(|candidate| candidate.accepted > 0)?;
        if is_discovered(&read.layout.format) {
            return None;
        }
        let is_new = |parser: &Parser| parser.layout().format != read.layout.format;
        if self.known.iter().all(is_new) {
            self.known.push(Parser::new(&read.layout, Wanted::default(), &[]));
        }
        Some(read.layout.format)
    }
}

/// True if the parser found some value that means something before the fault: words are everywhere, but a time, a
/// status, a number of bytes or an address in its place is no chance.
fn is_near(parser: &Parser, line: &[u8], step: Option<usize>, reject: Reject) -> bool {
    let layout = parser.layout();
    if layout.format.grammar != Grammar::Text {
        return reject.column > 0 || reject.reason != Reason::Format;
    }
    let found = layout.steps.iter().enumerate().filter(|&(at, _)| match (reject.reason, step) {
        (Reason::Format, Some(step)) => at < step,
        (Reason::Format, None) => true,
        (_, step) => Some(at) != step,
    });
    found.into_iter().any(|(at, step)| parser.value(line, at).is_some_and(|value| is_telling(step, value)))
}

fn is_telling(step: &Step, value: &[u8]) -> bool {
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    match step.field.kind {
        Kind::Status => value.len() == 3 && digits(value),
        Kind::Bytes => digits(value),
        Kind::Time(..) => value.len() >= 8 && value.iter().filter(|byte| byte.is_ascii_digit()).count() >= 8,
        _ => matches!(step.field.part, Part::Client | Part::Peer) && is_address(value),
    }
}

/// An address, with a port or without.
fn is_address(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    text.parse::<IpAddr>().is_ok() || text.parse::<std::net::SocketAddr>().is_ok()
}

/// What is expected, and where.
fn expected(layout: &Layout, step: Option<usize>, line: &[u8], reject: Reject) -> (Expected, usize) {
    let here = |expected| (expected, reject.column);
    if reject.reason == Reason::TooLong {
        return here(Expected::Shorter);
    }
    if reject.reason == Reason::Format {
        match layout.format.grammar {
            Grammar::Json => return here(Expected::Object),
            Grammar::Ltsv => return here(Expected::Labels),
            Grammar::Columns => return here(Expected::Columns(layout.steps.len())),
            Grammar::Text if !layout.first.is_empty() && !line.starts_with(&layout.first) => {
                return here(Expected::Beginning(layout.first.clone()));
            }
            Grammar::Text => {}
        }
    }
    let Some(step) = step else { return here(Expected::End) };
    let Step { field, literal, .. } = &layout.steps[step];
    match end_of_word(step_start(line, reject), field, literal).filter(|_| reject.reason == Reason::Format) {
        Some(end) => (Expected::After(field.clone(), literal.clone()), reject.column + end),
        None => here(Expected::Value(field.clone(), literal.clone())),
    }
}

fn step_start(line: &[u8], reject: Reject) -> &[u8] {
    line.get(reject.column..).unwrap_or_default()
}

/// The length of a word after which its literal is missing.
fn end_of_word(rest: &[u8], field: &Field, literal: &[u8]) -> Option<usize> {
    let closes = *literal.first()?;
    let end = rest.iter().position(|&byte| byte.is_ascii_whitespace() || byte == closes);
    let end = end.unwrap_or(rest.len());
    let word =
        matches!(field.kind, Kind::Word | Kind::Digits | Kind::Status | Kind::Bytes | Kind::Duration(_));
    (word && end > 0 && end <= WORD_MAX && !rest[end..].starts_with(literal)).then_some(end)
}

/// Up to the next blank, as people see words.
fn found(rest: &[u8]) -> &[u8] {
    let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let word = rest[blanks..].iter().position(u8::is_ascii_whitespace);
    &rest[..word.map_or(rest.len(), |word| blanks + word).min(FOUND_MAX)]
}
