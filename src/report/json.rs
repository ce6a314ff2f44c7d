//! A report for programs: one JSON object, or one per line. Everything goes through `serde_json`.

use std::borrow::Cow;
use std::io;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};

use crate::report::{Cell, Column, Fact, Part, Report, Table, Words, escape};

/// Decimals of a share: a millionth is more than anyone bills.
const SHARE_PARTS: f64 = 1e6;

/// Writes one object and a newline.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    write_line(report, out)
}

/// Writes one object per part and row, then `other` and `total` of the table, and at last the input; `kind` tells them apart.
pub fn write_ndjson(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    for part in &report.parts.parts {
        write_line(&PartLine(part), out)?;
    }
    for table in &report.tables {
        let view = if report.is_flat() { None } else { Some(table.name.as_str()) };
        let line = |kind, groups, cells, keys| Line { kind, view, groups, table, cells, keys };
        for row in &table.rows {
            write_line(&line("row", None, row, Keys::Shown), out)?;
        }
        if let Some(other) = &table.other {
            write_line(&line("other", Some(other.groups), &other.cells, Keys::LeftOut), out)?;
        }
        if let Some(total) = &table.total {
            write_line(&line("total", None, total, Keys::LeftOut), out)?;
        }
    }
    write_line(&InputLine(report), out)
}

impl Report {
    /// True if the only table needs no name.
    pub(super) fn is_flat(&self) -> bool {
        matches!(self.tables.as_slice(), [table] if table.name.is_empty())
    }
}

/// A share as machines get it; `None` for what is not a number.
pub(super) fn decimal(share: f64) -> Option<f64> {
    let rounded = (share * SHARE_PARTS).round() / SHARE_PARTS;
    // Adding zero turns -0 into 0.
    rounded.is_finite().then_some(rounded + 0.0)
}

/// Pairs of name and number as an object.
pub(super) fn counts<S: Serializer>(
    counts: &[(&'static str, u64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|&(name, count)| (name, count)))
}

/// Bytes of a log as text.
pub(super) fn text<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&escape::json(bytes))
}

/// Servers that are not in the list.
pub(super) fn unmatched<S: Serializer>(servers: &[(Vec<u8>, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Unmatched<'a> {
        server: Cow<'a, str>,
        requests: u64,
    }
    serializer.collect_seq(
        servers
            .iter()
            .map(|(server, requests)| Unmatched { server: escape::json(server), requests: *requests }),
    )
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        head(self, &mut map)?;
        if !self.parts.parts.is_empty() {
            map.serialize_entry(self.parts.name, &self.parts.parts)?;
        }
        match self.tables.as_slice() {
            [] => {}
            [table] if self.is_flat() => body(table, &mut map)?,
            tables => map.serialize_entry("views", &Views(tables))?,
        }
        map.end()
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        body(self, &mut map)?;
        map.end()
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Text(bytes) => text(bytes, serializer),
            // Small integers by the common road: some serializers know no others.
            Self::Integer(number) => match i64::try_from(*number) {
                Ok(number) => serializer.serialize_i64(number),
                Err(_) => serializer.serialize_i128(*number),
            },
            Self::Share(share) => decimal(*share).serialize(serializer),
            Self::Time(time) => serializer.serialize_str(time),
            Self::List(cells) => serializer.collect_seq(cells),
        }
    }
}

/// `schema`, `input`, the facts, and what is said around them.
fn head<M: SerializeMap>(report: &Report, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("schema", report.schema)?;
    map.serialize_entry("input", &report.input)?;
    if let Some(summary) = &report.summary {
        map.serialize_entry("headline", &sentence(&summary.headline))?;
    }
    facts(&report.facts, map)?;
    report.summary.iter().try_for_each(|summary| map.serialize_entry("suggestions", &summary.next))
}

fn sentence(words: &[Words]) -> String {
    fn piece(words: &Words) -> Cow<'_, str> {
        match words {
            Words::Own(own) => Cow::Borrowed(own),
            Words::Log(bytes) => escape::json(bytes),
        }
    }
    words.iter().map(piece).collect()
}

fn facts<M: SerializeMap>(facts: &[Fact], map: &mut M) -> Result<(), M::Error> {
    let mut named = facts.iter().filter(|fact| !fact.name.is_empty());
    named.try_for_each(|fact| map.serialize_entry(fact.name, &fact.value))
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        part(self, &mut map)?;
        map.end()
    }
}

/// The facts, and the rows of each table under its name.
fn part<M: SerializeMap>(part: &Part, map: &mut M) -> Result<(), M::Error> {
    facts(&part.facts, map)?;
    for table in &part.tables {
        map.serialize_entry(&table.name, &Rows(table))?;
        let sums = |groups, cells| Sums { groups, table, cells };
        if let Some(other) = &table.other {
            let name = format!("{}_other", table.name);
            map.serialize_entry(&name, &sums(Some(other.groups), &other.cells))?;
        }
        if let Some(total) = &table.total {
            map.serialize_entry(&format!("{}_total", table.name), &sums(None, total))?;
        }
    }
    Ok(())
}

/// `by`, `rows`, `other` and `total`.
fn body<M: SerializeMap>(table: &Table, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("by", &table.by)?;
    map.serialize_entry("rows", &Rows(table))?;
    let sums = |groups, cells| Sums { groups, table, cells };
    map.serialize_entry("other", &table.other.as_ref().map(|other| sums(Some(other.groups), &other.cells)))?;
    map.serialize_entry("total", &table.total.as_ref().map(|cells| sums(None, cells)))
}

/// Whether the members of an object include the dimensions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Shown,
    LeftOut,
}

fn members<M: SerializeMap>(table: &Table, cells: &[Cell], keys: Keys, map: &mut M) -> Result<(), M::Error> {
    let shown = |column: &Column| keys == Keys::Shown || !column.key;
    let members = table.columns.iter().zip(cells).filter(|(column, _)| shown(column));
    members.into_iter().try_for_each(|(column, cell)| map.serialize_entry(&column.name, cell))
}

struct Views<'a>(&'a [Table]);

impl Serialize for Views<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|table| (&table.name, table)))
    }
}

struct Rows<'a>(&'a Table);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.rows.iter().map(|cells| Row { table: self.0, cells }))
    }
}

struct Row<'a> {
    table: &'a Table,
    cells: &'a [Cell],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        members(self.table, self.cells, Keys::Shown, &mut map)?;
        map.end()
    }
}

/// `other` or `total`.
struct Sums<'a> {
    groups: Option<u64>,
    table: &'a Table,
    cells: &'a [Cell],
}

impl Serialize for Sums<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(groups) = self.groups {
            map.serialize_entry("groups", &groups)?;
        }
        members(self.table, self.cells, Keys::LeftOut, &mut map)?;
        map.end()
    }
}

/// A line of NDJSON that comes from a table.
struct Line<'a> {
    kind: &'static str,
    view: Option<&'a str>,
    groups: Option<u64>,
    table: &'a Table,
    cells: &'a [Cell],
    keys: Keys,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.kind)?;
        if let Some(view) = self.view {
            map.serialize_entry("view", view)?;
        }
        if let Some(groups) = self.groups {
            map.serialize_entry("groups", &groups)?;
        }
        members(self.table, self.cells, self.keys, &mut map)?;
        map.end()
    }
}

/// A line of NDJSON that is a part.
struct PartLine<'a>(&'a Part);

impl Serialize for PartLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", "row")?;
        part(self.0, &mut map)?;
        map.end()
    }
}

/// The last line of NDJSON.
struct InputLine<'a>(&'a Report);

impl Serialize for InputLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", "input")?;
        head(self.0, &mut map)?;
        map.end()
    }
}

/// Writes one object and a newline.
pub(super) fn write_line<T: Serialize>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Visible))?;
    out.write_all(b"\n")
}

/// Compact JSON that a terminal can be shown: hidden characters are written as `\uXXXX`, which means the same.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((position, hidden)) = rest.char_indices().find(|&(_, c)| escape::is_hidden(c)) {
            CompactFormatter.write_string_fragment(out, &rest[..position])?;
            for unit in hidden.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[position + hidden.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(out, rest)
    }
}
