//! Lines that are not records: what was expected where, and what stands there.

use super::super::discover::is_discovered;
use super::{Candidate, Parser, Reason, Record, Reject, Wanted, detect};
use crate::format::{Field, Format, Grammar, Kind, Layout, Step};

/// Groups that are told apart; lines beyond them are counted only.
pub(super) const GROUPS_MAX: usize = 8;

/// Bytes of what stands in the wrong place that are shown.
const FOUND_MAX: usize = 60;

/// Longer words are not taken for values.
const WORD_MAX: usize = 64;

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
    /// A known format that reads the line.
    pub would_match: Option<Format>,
    /// What else the line seems to be.
    pub foreign: Option<Foreign>,
    step: Option<usize>,
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
}

/// Lines of other logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// nginx's error log.
    NginxError,
    /// Apache's error log.
    ApacheError,
}

impl Foreign {
    fn of(line: &[u8]) -> Option<Self> {
        let shape: Vec<u8> =
            line.iter().take(26).map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect();
        if shape.starts_with(b"0000/00/00 00:00:00 [") {
            return Some(Self::NginxError);
        }
        let weekday = shape.get(1..5).is_some_and(|day| day[3] == b' ' && day[..3].is_ascii());
        (shape.first() == Some(&b'[') && weekday && line.windows(3).take(64).any(|part| part == b"] ["))
            .then_some(Self::ApacheError)
    }
}

/// Rejected lines in the course of being grouped.
pub(super) struct Rejected {
    parsers: Vec<Parser>,
    /// Whether each reads some line of the log.
    used: Vec<bool>,
    groups: Vec<Group>,
    lines: u64,
}

impl Rejected {
    pub(super) fn new(candidates: &[Candidate]) -> Self {
        let parser = |candidate: &Candidate| Parser::new(&candidate.layout, Wanted::default(), &[]);
        Self {
            parsers: candidates.iter().map(parser).collect(),
            used: candidates.iter().map(|candidate| candidate.accepted > 0).collect(),
            groups: Vec::new(),
            lines: 0,
        }
    }

    /// Lines from here on have other columns.
    pub(super) fn turn_to(&mut self, parser: &Parser) {
        self.parsers[0] = parser.clone();
    }

    /// Takes a line that the reader rejected; its wrapped content stands `offset` bytes within `outer`.
    pub(super) fn add(&mut self, number: u64, outer: &[u8], line: &[u8], offset: usize, reject: Reject) {
        self.lines += 1;
        let reject = self.nearest(line, reject);
        let (nearest, step) = self.place(line, reject);
        let same = |group: &&mut Group| {
            group.reason == reject.reason && group.step == step && group.nearest == nearest.format
        };
        if let Some(group) = self.groups.iter_mut().find(same) {
            group.count += 1;
            return;
        }
        if self.groups.len() >= GROUPS_MAX {
            return;
        }
        let (expected, column) = expected(&nearest, step, line, reject);
        let group = Group {
            reason: reject.reason,
            count: 1,
            line: number,
            text: outer.to_vec(),
            column: column + offset,
            expected,
            nearest: nearest.format,
            found: found(&line[column.min(line.len())..]).to_vec(),
            would_match: known(line),
            foreign: Foreign::of(line),
            step,
        };
        self.groups.push(group);
    }

    /// The number of lines, and the groups, the largest first.
    pub(super) fn finish(self) -> (u64, Vec<Group>) {
        let mut groups = self.groups;
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.line));
        (self.lines, groups)
    }

    /// A line that no format reads is judged by those that read the log's other lines: that some format which the log
    /// does not have would have read more of it by chance is no help.
    fn nearest(&mut self, line: &[u8], reject: Reject) -> Reject {
        if reject.reason != Reason::Format {
            return reject;
        }
        let used = self.parsers.iter_mut().zip(&self.used).filter(|(_, used)| **used);
        let rejects = used.filter_map(|(parser, _)| parser.parse(line, &mut Record::default()).err());
        let furthest = |best: Reject, other: Reject| if other.column > best.column { other } else { best };
        rejects.reduce(furthest).unwrap_or(reject)
    }

    /// The layout that the reject is from, and the step at fault.
    fn place(&mut self, line: &[u8], reject: Reject) -> (Layout, Option<usize>) {
        let mut record = Record::default();
        let at = self.parsers.iter_mut().position(|parser| parser.parse(line, &mut record) == Err(reject));
        let parser = &mut self.parsers[at.unwrap_or(0)];
        let is_text = at.is_some() && parser.layout().format.grammar == Grammar::Text;
        let value = reject.reason != Reason::Format;
        let step = if is_text || value { parser.faulty_step(line, reject) } else { None };
        (parser.layout().clone(), step)
    }
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

/// The format that a log of this line alone would have.
fn known(line: &[u8]) -> Option<Format> {
    let alone = detect(line);
    let read = alone.candidates.into_iter().find(|candidate| candidate.accepted > 0)?;
    Some(read.layout.format).filter(|format| !is_discovered(format))
}
