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

use std::collections::BTreeMap;

use super::FORMATS_MAX;
use super::looks::{Look, Looks, fits};
use crate::client;
use crate::format::presets::{self, Beginning};
use crate::format::{Format, Layout, Server};
use crate::parse::{Parser, Record, Wanted};

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
    let mut parser = Parser::new(layout, Wanted::default(), &[]);
    let rows: Vec<Row> = sample.iter().filter_map(|line| columns_after(&mut parser, line)).collect();
    let has_apache_escapes = sample.iter().any(|line| has_apache_escape(line));
    let groups = groups(rows).into_iter().enumerate().filter(|(nth, rows)| {
        let is_first = *nth == 0 && lines == Lines::All;
        is_first || rows.len() >= LINES_MIN
    });
    let ordered = in_order(groups.map(|(_, rows)| kinds(&rows)));
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
    let is_nginx = |kind: &Kind| matches!(kind, Kind::Seconds | Kind::Tries | Kind::Forwarded);
    let server = if kinds.iter().any(is_nginx) {
        Server::Nginx
    } else if has_apache_escapes || kinds.contains(&Kind::Integer) {
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

/// The columns that follow a beginning in one line.
type Row<'a> = Vec<Column<'a>>;

/// A column after the known ones.
#[derive(Debug, Clone, Copy)]
struct Column<'a> {
    text: &'a [u8],
    is_quoted: bool,
}

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `0.123`.
    Seconds,
    /// `0.123`, `-`, or a list: times of upstream tries.
    Tries,
    Integer,
    Address,
    /// In quotes: the addresses that proxies passed on, or `-`.
    Forwarded,
    Quoted,
    Word,
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
        let width = if row.len() > COLUMNS_MAX { 0 } else { row.len() };
        of_width.entry(width).or_default().push(if width == 0 { Vec::new() } else { row });
    }
    let mut open: Vec<Vec<Row>> = of_width.into_values().collect();
    let mut groups: Vec<Vec<Row>> = Vec::new();
    while let Some(rows) = open.pop() {
        let width = rows[0].len();
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
    groups.sort_by_key(|rows| (std::cmp::Reverse(rows.len()), rows[0].len()));
    groups.truncate(FORMATS_MAX);
    groups
}

/// The lines that hold one thing in a column, and those that hold another. Bare values of any kind are one column,
/// though some of them look like numbers.
fn parted<'a>(rows: &[Row<'a>], at: usize) -> Option<(Vec<Row<'a>>, Vec<Row<'a>>)> {
    let count = |class| rows.iter().filter(|row| Class::of(row[at]) == Some(class)).count();
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
    Some(rows.iter().cloned().partition(|row| Class::of(row[at]) == Some(apart)))
}

/// `%D` takes no fraction, but nginx's times are read without one too: of two formats that differ in that, the
/// stricter is tried first.
fn in_order(groups: impl Iterator<Item = Vec<Kind>>) -> Vec<Vec<Kind>> {
    let is_stricter = |kinds: &[Kind], others: &[Kind]| {
        let pair = |pair: (&Kind, &Kind)| matches!(pair, (Kind::Integer, Kind::Seconds | Kind::Tries));
        kinds.len() == others.len() && kinds.iter().zip(others).any(pair)
    };
    let mut ordered: Vec<Vec<Kind>> = Vec::new();
    for kinds in groups {
        let before = ordered.iter().position(|others| is_stricter(&kinds, others)).unwrap_or(ordered.len());
        ordered.insert(before, kinds);
    }
    ordered
}

fn kinds(rows: &[Row<'_>]) -> Vec<Kind> {
    let width = rows.first().map_or(0, Vec::len);
    (0..width).map(|at| kind(&rows.iter().map(|row| row[at]).collect::<Vec<_>>())).collect()
}

/// So many lines with nothing but statuses hold no numbers.
const STATUSES_MIN: usize = 5;

fn kind(values: &[Column<'_>]) -> Kind {
    let quoted = values.iter().filter(|value| value.is_quoted).count();
    if quoted * 2 > values.len() {
        return if are_forwarded(values) { Kind::Forwarded } else { Kind::Quoted };
    }
    let looks = Looks::of(values.iter().map(|value| value.text));
    let (statuses, all) = (looks.count(Look::Status), looks.known());
    if all == 0 {
        return Kind::Tries;
    }
    if looks.mostly(&[Look::Seconds, Look::SecondsList]) {
        return if looks.are_of_tries() { Kind::Tries } else { Kind::Seconds };
    }
    let digits = [Look::Integer, Look::Status, Look::EpochSeconds, Look::EpochMicros, Look::OtherTime];
    if looks.mostly(&digits) && looks.count(Look::Integer) + statuses > all / 2 {
        return if all >= STATUSES_MIN && statuses == all { Kind::Word } else { Kind::Integer };
    }
    if looks.mostly(&[Look::Address]) { Kind::Address } else { Kind::Word }
}

/// True if nearly all values that are not missing are lists of addresses. Those that have a port throughout are
/// rather the servers that were asked.
fn are_forwarded(values: &[Column<'_>]) -> bool {
    let (mut known, mut forwarded, mut endpoints) = (0, 0, 0);
    for text in values.iter().map(|value| value.text).filter(|text| !is_unknown(text)) {
        known += 1;
        forwarded += usize::from(
            text.split(|&byte| byte == b',')
                .all(|item| is_unknown(item.trim_ascii()) || client::leftmost(item).is_some()),
        );
        endpoints += usize::from(Look::of(text) == Look::Endpoint);
    }
    known == 0 || fits(forwarded, known) && endpoints * 2 <= known
}

/// What proxies write for a client that they do not know or do not tell.
fn is_unknown(text: &[u8]) -> bool {
    text.is_empty() || text == b"-" || text == b"unknown" || text.starts_with(b"_")
}

/// The columns of `line` after what the parser matches; `None` if it does not match.
fn columns_after<'a>(parser: &mut Parser, line: &'a [u8]) -> Option<Row<'a>> {
    let mut record = Record::default();
    parser.parse(line, &mut record).ok()?;
    Some(if record.extra { columns(&line[parser.matched_length()..]) } else { Vec::new() })
}

/// Splits at blanks outside quotes; the items of an unquoted list (`a, b : c`) are one column.
fn columns(text: &[u8]) -> Row<'_> {
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

/// Field and short word for each column. Each field is given once: of several columns of one kind the usual order
/// decides.
fn fields(kinds: &[Kind], server: Server) -> Vec<(String, String)> {
    let integers = kinds.iter().filter(|&&kind| kind == Kind::Integer).count();
    let mut given: Vec<Named> = Vec::new();
    let name = |(number, &kind): (usize, &Kind)| {
        if let Some(&named) = usual(kind, server, integers).iter().find(|named| !given.contains(named)) {
            given.push(named);
            let (field, word) = named;
            return (field.to_owned(), word.to_owned());
        }
        let field = match server {
            Server::Nginx | Server::Other => format!("$column_{number}"),
            Server::Apache => format!("%{{column-{number}}}i"),
        };
        let is_quoted = matches!(kind, Kind::Quoted | Kind::Forwarded);
        (if is_quoted { format!("\"{field}\"") } else { field }, number.to_string())
    };
    (1..).zip(kinds).map(name).collect()
}

/// What a column of this kind usually is, the likeliest first. Apache's columns of digits are told by how many there
/// are.
fn usual(kind: Kind, server: Server, integers: usize) -> &'static [Named] {
    const REQUEST: Named = ("$request_time", "rt");
    const UPSTREAM: Named = ("$upstream_response_time", "urt");
    const RECEIVED: Named = ("%I", "i");
    const SENT: Named = ("%O", "o");
    const DURATION: Named = ("%D", "d");
    match (kind, server) {
        (Kind::Seconds, Server::Nginx) => &[REQUEST, UPSTREAM],
        (Kind::Tries, Server::Nginx) => &[UPSTREAM],
        (Kind::Forwarded, Server::Nginx) => &[("\"$http_x_forwarded_for\"", "xff")],
        (Kind::Address, Server::Nginx) => &[("$server_addr", "server_addr")],
        (Kind::Address, _) => &[("%A", "server_addr")],
        (Kind::Integer, Server::Apache) => match integers {
            1 => &[DURATION],
            // The two of `combinedio`, and a duration behind them.
            2 => &[RECEIVED, SENT],
            3 => &[RECEIVED, SENT, DURATION],
            _ => &[],
        },
        _ => &[],
    }
}

/// nginx writes these two as `\x22` and `\x5C`.
pub(super) fn has_apache_escape(line: &[u8]) -> bool {
    line.windows(2).any(|pair| pair == b"\\\"" || pair == b"\\\\")
}
