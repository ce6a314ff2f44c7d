//! The same for programs: `bandwho.formats/1`.

use std::io;

use serde::Serialize;

use super::{Described, words};
use crate::detect::explain::{Example, Explained, Facts, Figure, Group, Likeness, Origin};
use crate::format::notation::Notation;
use crate::format::{Field, Format, Grammar, Kind, Part, Server};
use crate::report::{escape, json};
use crate::time::{Precision, Timestamp, Zone};

/// Bytes of a rejected line that are given.
const TEXT_MAX: usize = 1_000;

/// Writes one object and a newline.
pub fn write(logs: &[Described<'_>], out: &mut dyn io::Write) -> io::Result<()> {
    let logs = logs.iter().map(Log::of).collect();
    json::write_line(&Answer { schema: "bandwho.formats/1", logs }, out)
}

#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    logs: Vec<Log<'a>>,
}

#[derive(Serialize)]
struct Log<'a> {
    file: &'a str,
    found: bool,
    given: bool,
    /// Where the server's configuration names the format.
    configured: Option<&'a str>,
    /// False: only the head was looked at.
    complete: bool,
    bytes: usize,
    lines: u64,
    sampled: u64,
    rejected: usize,
    skipped: u64,
    cut: u64,
    stored_as: &'a [&'static str],
    wrappers: Vec<&'static str>,
    failure: Option<&'a str>,
    basis: &'static str,
    formats: Vec<FormatOf<'a>>,
    rejects: Vec<Rejects<'a>>,
    next: String,
}

#[derive(Serialize)]
struct FormatOf<'a> {
    name: &'a str,
    server: &'static str,
    grammar: &'static str,
    text: &'a str,
    nginx: Option<NotationOf<'a>>,
    apache: Option<NotationOf<'a>>,
    lines: u64,
    first_line: u64,
    last_line: u64,
    utc_offsets: &'a [i32],
    fields: Vec<FieldOf<'a>>,
    figures: Vec<FigureOf<'a>>,
    records: Vec<RecordOf>,
    doubts: Vec<String>,
}

#[derive(Serialize)]
struct NotationOf<'a> {
    directive: &'a str,
    missing: &'a [String],
    remarks: &'a [&'static str],
}

#[derive(Serialize)]
struct FieldOf<'a> {
    text: &'a str,
    feeds: Option<&'static str>,
    unit: Option<&'static str>,
    edge: Option<&'static str>,
}

#[derive(Serialize)]
struct FigureOf<'a> {
    name: &'static str,
    fields: Vec<&'a str>,
    also: Vec<&'a str>,
    unit: Option<&'static str>,
    null: u64,
}

#[derive(Serialize)]
struct RecordOf {
    line: u64,
    start: Option<String>,
    end: Option<String>,
    client: Option<String>,
    method: Option<String>,
    target: Option<String>,
    status: Option<u16>,
    body_bytes: Option<u64>,
    wire_bytes: Option<u64>,
    duration_us: Option<u64>,
}

#[derive(Serialize)]
struct Rejects<'a> {
    reason: &'static str,
    count: u64,
    line: u64,
    column: usize,
    text: String,
    expected: String,
    found: Option<String>,
    nearest: &'a str,
    would_match: Option<&'a str>,
    foreign: Option<&'static str>,
}

impl<'a> Log<'a> {
    fn of(log: &'a Described<'_>) -> Self {
        let Explained {
            origin,
            bytes,
            complete,
            lines,
            sampled,
            skipped,
            cut,
            wrappers,
            formats,
            header: _,
            rejected,
            groups,
        } = &log.explained;
        Self {
            file: log.name,
            found: log.is_found(),
            given: *origin != Origin::Detected,
            configured: log.configured.as_deref(),
            complete: *complete,
            bytes: *bytes,
            lines: *lines,
            sampled: *sampled,
            rejected: rejected.len(),
            skipped: *skipped,
            cut: *cut,
            stored_as: &log.coatings,
            wrappers: wrappers.layers().iter().map(|layer| layer.name()).collect(),
            failure: log.failure.as_deref(),
            basis: if log.explained.basis() == Part::Wire { "wire" } else { "body" },
            formats: formats.iter().map(FormatOf::of).collect(),
            rejects: groups.iter().map(Rejects::of).collect(),
            next: log.next().0,
        }
    }
}

impl<'a> FormatOf<'a> {
    fn of(facts: &'a Facts) -> Self {
        let format = &facts.layout.format;
        Self {
            name: &format.name,
            server: server(format),
            grammar: grammar(format),
            text: &format.text,
            nginx: facts.nginx.as_ref().map(NotationOf::of),
            apache: facts.apache.as_ref().map(NotationOf::of),
            lines: facts.lines,
            first_line: facts.first,
            last_line: facts.last,
            utc_offsets: &facts.offsets,
            fields: fields(facts),
            figures: Figure::ALL.iter().map(|&figure| FigureOf::of(figure, facts)).collect(),
            records: facts.examples.iter().map(RecordOf::of).collect(),
            doubts: facts.doubts.iter().map(|doubt| words::doubt(doubt, facts)).collect(),
        }
    }
}

fn fields(facts: &Facts) -> Vec<FieldOf<'_>> {
    let steps = facts.layout.steps.iter().enumerate().filter(|&(at, _)| facts.is_present(at));
    steps.map(|(_, step)| FieldOf::of(&step.field)).collect()
}

impl<'a> NotationOf<'a> {
    fn of(notation: &'a Notation) -> Self {
        let Notation { directive, missing, remarks } = notation;
        Self { directive, missing, remarks }
    }
}

impl<'a> FieldOf<'a> {
    fn of(field: &'a Field) -> Self {
        let edge = match field.kind {
            Kind::Time(_, edge) => Some(words::edge_words(edge)),
            _ => None,
        };
        let feeds = (field.part != Part::Other).then(|| words::name(field.part));
        Self { text: &field.text, feeds, unit: unit(field), edge }
    }
}

impl<'a> FigureOf<'a> {
    fn of(figure: Figure, facts: &'a Facts) -> Self {
        let (feeding, also) = facts.sources(figure);
        let field = |&at: &usize| &facts.layout.steps[at].field;
        let name = match figure {
            Figure::Body => "body_bytes",
            Figure::Wire => "wire_bytes",
            Figure::Received => "bytes_in",
            other => words::title(other),
        };
        Self {
            name,
            unit: feeding.first().and_then(|at| unit(field(at))),
            fields: feeding.iter().map(|at| field(at).text.as_str()).collect(),
            also: also.iter().map(|at| field(at).text.as_str()).collect(),
            null: facts.nulls(figure),
        }
    }
}

impl RecordOf {
    fn of(example: &Example) -> Self {
        let utc = Zone::utc();
        let time = |time: Option<Timestamp>| time.map(|time| utc.rfc3339(time, Precision::Micros));
        let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| escape::json(bytes).into_owned());
        Self {
            line: example.line,
            start: time(example.start),
            end: time(example.end),
            client: text(&example.client),
            method: text(&example.method),
            target: text(&example.target),
            status: example.status,
            body_bytes: example.body,
            wire_bytes: example.wire,
            duration_us: example.duration_us,
        }
    }
}

impl<'a> Rejects<'a> {
    fn of(group: &'a Group) -> Self {
        let text = |bytes: &[u8]| escape::json(&bytes[..bytes.len().min(TEXT_MAX)]).into_owned();
        Self {
            reason: group.reason.name(),
            count: group.count,
            line: group.line,
            column: group.column + 1,
            text: text(&group.text),
            expected: words::expected(&group.expected),
            found: (!group.found.is_empty()).then(|| text(&group.found)),
            nearest: &group.nearest.name,
            would_match: match &group.likeness {
                Likeness::Known(format) => Some(&format.name),
                _ => None,
            },
            foreign: match &group.likeness {
                Likeness::Foreign(foreign) => Some(words::foreign(*foreign)),
                _ => None,
            },
        }
    }
}

fn unit(field: &Field) -> Option<&'static str> {
    match &field.kind {
        Kind::Duration(unit) => Some(words::unit_words(*unit)),
        Kind::Bytes => Some("bytes"),
        _ if field.part == Part::Upstream => Some("seconds"),
        _ => None,
    }
}

fn server(format: &Format) -> &'static str {
    match format.server {
        Server::Nginx => "nginx",
        Server::Apache => "apache",
        Server::Other => "other",
    }
}

fn grammar(format: &Format) -> &'static str {
    match format.grammar {
        Grammar::Text => "text",
        Grammar::Json => "json",
        Grammar::Ltsv => "ltsv",
        Grammar::Columns => "columns",
    }
}
