//! The columns that people append to a well-known format, typed by what stands in them.
//!
//! ```text
//! … "curl/8" 0.250 -            two columns: seconds, `-`
//! … "curl/8" 0.001 0.001, 0.1   seconds, tries                combined + $request_time $upstream_response_time
//! … "curl/8" 250113             one column: digits            combined + %D
//! ```
//!
//! Lines are first put apart by how many columns they have and, where one column holds two things that each mean
//! something, by those: a log whose configuration was changed has two formats. What is left in a group is typed by
//! nearly all of its values. Advice for changing this: a stranger can get any line into a log, so none may decide.

mod kinds;

use std::collections::BTreeMap;

use super::FORMATS_MAX;
use super::looks::{Look, fits};
use crate::format::presets::{self, Beginning};
use crate::format::{Format, Layout, Part, Server};
use crate::parse::{Parser, Record, Wanted};
use kinds::{First, Kind};

/// More columns than these after a beginning are none of a format's, and are not named.
const COLUMNS_MAX: usize = 64;

/// Fewer lines with columns of their own, among others, are damaged ones.
const LINES_MIN: usize = 5;

/// Whether the lines are all there are or what other formats left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// Of all there are the largest group has a format, however small it is.
    All,
    /// Of those left over only groups that are no accident.
    Rest,
}

/// The layouts of lines that begin alike: the beginning with the columns that follow it, typed, in the notation of the
/// server that wrote them; the beginning itself where none do. There is always one.
pub(super) fn complete(beginning: Beginning, layout: &Layout, sample: &[&[u8]], lines: Lines) -> Vec<Layout> {
    let mut parser = Parser::new(layout, Wanted::ALL, &[]);
    let rows: Vec<Row> = sample.iter().filter_map(|line| columns_after(&mut parser, line)).collect();
    let has_apache_escapes = sample.iter().any(|line| has_apache_escape(line));
    let groups = groups(rows).into_iter().enumerate().filter(|(nth, rows)| {
        let is_first = *nth == 0 && lines == Lines::All;
        is_first || rows.len() >= LINES_MIN
    });
    let first = if layout.format.has(Part::Agent) { First::BehindAgent } else { First::Anywhere };
    let ordered = in_order(groups.map(|(_, rows)| kinds::of(&rows, first)));
    let layouts = ordered.into_iter().filter_map(|kinds| {
        if kinds.is_empty() && !has_apache_escapes {
            return Some(layout.clone());
        }
        Layout::compile(&completed(beginning, &kinds, has_apache_escapes)?).ok()
    });
    let layouts: Vec<Layout> = layouts.collect();
    if layouts.is_empty() { vec![layout.clone()] } else { layouts }
}

/// The beginning with these columns.
fn completed(beginning: Beginning, kinds: &[Kind], has_apache_escapes: bool) -> Option<Format> {
    let is_nginx = |kind: &Kind| matches!(kind, Kind::Request | Kind::Upstream | Kind::Forwarded);
    let is_apache = |kind: &Kind| matches!(kind, Kind::Received | Kind::Sent | Kind::Micros);
    let server = if kinds.iter().any(is_nginx) {
        Server::Nginx
    } else if has_apache_escapes || kinds.iter().any(is_apache) {
        Server::Apache
    } else {
        beginning.preset.server
    };
    let base = beginning.of(server);
    let (mut text, mut name) = (base.text, base.name);
    for (field, word) in fields(kinds, server) {
        text = format!("{text} {field}");
        name = format!("{name}+{word}");
    }
    let mut format = Format::parse(&text).ok()?;
    let known = presets::PRESETS.iter().find(|preset| !kinds.is_empty() && preset.is(&format));
    format.name = known.map_or(name, |preset| preset.name.to_owned());
    Some(format)
}

/// The columns that follow a beginning in one line, and what the beginning says.
#[derive(Debug, Clone)]
struct Row<'a> {
    columns: Vec<Column<'a>>,
    known: Known<'a>,
}

/// What the beginning of a line says.
#[derive(Debug, Clone, Copy)]
struct Known<'a> {
    body: Option<u64>,
    client: Option<&'a [u8]>,
    time_us: Option<i64>,
    /// Bytes of the request that are in the log.
    length: usize,
}

/// A column after the known ones.
#[derive(Debug, Clone, Copy)]
struct Column<'a> {
    text: &'a [u8],
    is_quoted: bool,
}

/// What a value could be on its own, as far as formats differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Quoted,
    Seconds,
    Integer,
    Address,
    Word,
}

impl Class {
    /// None for a value that is missing, which could be any.
    fn of(column: Column<'_>) -> Option<Self> {
        if column.is_quoted {
            return Some(Self::Quoted);
        }
        Some(match Look::of(column.text) {
            Look::Null => return None,
            Look::Seconds | Look::SecondsList => Self::Seconds,
            Look::Integer | Look::Status => Self::Integer,
            Look::Address => Self::Address,
            _ => Self::Word,
        })
    }
}

/// Lines of the same columns, the largest group first.
fn groups(rows: Vec<Row<'_>>) -> Vec<Vec<Row<'_>>> {
    let mut of_width: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
    for row in rows {
        let width = if row.columns.len() > COLUMNS_MAX { 0 } else { row.columns.len() };
        let columns = if width == 0 { Vec::new() } else { row.columns };
        of_width.entry(width).or_default().push(Row { columns, ..row });
    }
    let mut open: Vec<Vec<Row>> = of_width.into_values().collect();
    let mut groups: Vec<Vec<Row>> = Vec::new();
    while let Some(rows) = open.pop() {
        let width = rows[0].columns.len();
        let parts = if groups.len() + open.len() < FORMATS_MAX {
            (0..width).find_map(|at| parted(&rows, at))
        } else {
            None
        };
        match parts {
            Some((rows, others)) => open.extend([rows, others]),
            None => groups.push(rows),
        }
    }
    groups.sort_by_key(|rows| (std::cmp::Reverse(rows.len()), rows[0].columns.len()));
    groups.truncate(FORMATS_MAX);
    groups
}

/// The lines that hold one thing in a column, and those that hold another. Bare values of any kind are one column,
/// though some of them look like numbers.
fn parted<'a>(rows: &[Row<'a>], at: usize) -> Option<(Vec<Row<'a>>, Vec<Row<'a>>)> {
    let count = |class| rows.iter().filter(|row| Class::of(row.columns[at]) == Some(class)).count();
    let [quoted, words, numbers @ ..] =
        [Class::Quoted, Class::Word, Class::Seconds, Class::Integer, Class::Address].map(count);
    let bare = words + numbers.iter().sum::<usize>();
    let is_habit = |count: usize, all: usize| count >= LINES_MIN && !fits(all - count, all);
    let apart = if is_habit(quoted, quoted + bare) && is_habit(bare, quoted + bare) {
        Class::Quoted
    } else if is_habit(words, bare) || numbers.iter().filter(|&&count| is_habit(count, bare)).count() < 2 {
        return None;
    } else if is_habit(numbers[0], bare) {
        Class::Seconds
    } else {
        Class::Integer
    };
    Some(rows.iter().cloned().partition(|row| Class::of(row.columns[at]) == Some(apart)))
}

/// `%D` takes no fraction, but nginx's times are read without one too: of two formats that differ in that, the
/// stricter is tried first.
fn in_order(groups: impl Iterator<Item = Vec<Kind>>) -> Vec<Vec<Kind>> {
    let is_stricter = |kinds: &[Kind], others: &[Kind]| {
        let pair = |pair: (&Kind, &Kind)| matches!(pair, (Kind::Micros, Kind::Request | Kind::Upstream));
        kinds.len() == others.len() && kinds.iter().zip(others).any(pair)
    };
    let mut ordered: Vec<Vec<Kind>> = Vec::new();
    for kinds in groups {
        let before = ordered.iter().position(|others| is_stricter(&kinds, others)).unwrap_or(ordered.len());
        ordered.insert(before, kinds);
    }
    ordered
}

/// The columns of `line` after what the parser matches; `None` if it does not match.
fn columns_after<'a>(parser: &mut Parser, line: &'a [u8]) -> Option<Row<'a>> {
    let mut record = Record::default();
    parser.parse(line, &mut record).ok()?;
    let texts = [record.method, record.target, record.protocol, record.referer, record.agent];
    let known = Known {
        body: record.body,
        client: record.client,
        time_us: record.time.map(|time| time.0),
        length: texts.into_iter().flatten().map(<[u8]>::len).sum(),
    };
    let columns = if record.extra { columns(&line[parser.matched_length()..]) } else { Vec::new() };
    Some(Row { columns, known })
}

/// Splits at blanks outside quotes; the items of an unquoted list (`a, b : c`) are one column.
fn columns(text: &[u8]) -> Vec<Column<'_>> {
    let mut columns = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let (column, after) = if rest[0] == b'"' {
            let end = memchr::memchr(b'"', &rest[1..]).map_or(rest.len() - 1, |at| at + 1);
            (Column { text: &rest[1..end.max(1)], is_quoted: true }, end + 1)
        } else {
            let end = list_end(rest);
            (Column { text: &rest[..end], is_quoted: false }, end)
        };
        columns.push(column);
        rest = rest.get(after..).unwrap_or_default().trim_ascii_start();
    }
    columns
}

fn list_end(text: &[u8]) -> usize {
    let mut end = 0;
    loop {
        end = memchr::memchr(b' ', &text[end..]).map_or(text.len(), |at| end + at);
        if text[..end].ends_with(b",") {
            end += 1;
        } else if text[end..].starts_with(b" : ") {
            end += 3;
        } else {
            return end;
        }
        if end >= text.len() {
            return text.len();
        }
    }
}

/// A field and the short word that stands for it in names.
type Named = (&'static str, &'static str);

/// Field and short word for each column.
fn fields(kinds: &[Kind], server: Server) -> Vec<(String, String)> {
    let name = |(number, &kind): (usize, &Kind)| {
        if let Some((field, word)) = named(kind, server) {
            return (field.to_owned(), word.to_owned());
        }
        let field = match server {
            Server::Nginx | Server::Other => format!("$column_{number}"),
            Server::Apache => format!("%{{column-{number}}}i"),
        };
        let is_quoted = matches!(kind, Kind::Quoted | Kind::Forwarded);
        (if is_quoted { format!("\"{field}\"") } else { field }, number.to_string())
    };
    let mut fields: Vec<(String, String)> = Vec::new();
    for (number, kind) in (1..).zip(kinds) {
        let field = name((number, kind));
        // Each part of a record has one column.
        let again = fields.contains(&field);
        fields.push(if again { name((number, &other(*kind))) } else { field });
    }
    fields
}

/// A column of which nothing is known.
fn other(kind: Kind) -> Kind {
    if matches!(kind, Kind::Quoted | Kind::Forwarded) { Kind::Quoted } else { Kind::Bare }
}

fn named(kind: Kind, server: Server) -> Option<Named> {
    match (kind, server) {
        (Kind::Request, Server::Nginx) => Some(("$request_time", "rt")),
        (Kind::Upstream, Server::Nginx) => Some(("$upstream_response_time", "urt")),
        (Kind::Forwarded, Server::Nginx) => Some(("\"$http_x_forwarded_for\"", "xff")),
        (Kind::Time, Server::Nginx) => Some(("$msec", "msec")),
        (Kind::Received, Server::Nginx) => Some(("$request_length", "i")),
        (Kind::Sent, Server::Nginx) => Some(("$bytes_sent", "o")),
        (Kind::Address, Server::Nginx) => Some(("$server_addr", "server_addr")),
        (Kind::Address, _) => Some(("%A", "server_addr")),
        (Kind::Received, Server::Apache) => Some(("%I", "i")),
        (Kind::Sent, Server::Apache) => Some(("%O", "o")),
        (Kind::Micros, Server::Apache) => Some(("%D", "d")),
        _ => None,
    }
}

/// nginx writes these two as `\x22` and `\x5C`.
pub(super) fn has_apache_escape(line: &[u8]) -> bool {
    line.windows(2).any(|pair| pair == b"\\\"" || pair == b"\\\\")
}
