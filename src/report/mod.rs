//! What a command answers with, and the writers that print it.
//!
//! A [`Report`] is the only shape that leaves the library: numbers are final, rows are ordered, text is still the
//! bytes of the log. The writers decide how it looks: [`table`] for people, [`json`], [`csv`], [`markdown`]. They
//! write in small pieces, so `out` is best buffered.

pub mod escape;
pub mod human;
pub mod shell;
mod grid;
mod quality;
pub mod chart;
pub mod table;
pub mod json;
pub mod csv;
pub mod markdown;
pub mod blocklist;
pub mod record;
pub mod caret;
pub mod formats;
pub mod places;
pub mod answer;

use std::io;

use serde::Serialize;

pub use self::blocklist::Blocklist;
pub use self::chart::{Chart, Glyphs};
pub use self::escape::Formulas;
pub use self::quality::quality_line;
pub use self::table::{Colour, Style};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For people, on a terminal or in a text file.
    Table(Style),
    /// One object.
    Json,
    /// One object per row.
    Ndjson,
    /// For spreadsheets.
    Csv(Formulas),
    /// For issues and wikis.
    Markdown,
    /// For what blocks the addresses of the rows.
    Blocklist(Blocklist),
}

/// Writes a report.
pub fn write(report: &Report, output: Output, out: &mut dyn io::Write) -> io::Result<()> {
    match output {
        Output::Table(style) => table::write(report, style, out),
        Output::Json => json::write(report, out),
        Output::Ndjson => json::write_ndjson(report, out),
        Output::Csv(formulas) => csv::write(report, formulas, out),
        Output::Markdown => markdown::write(report, out),
        Output::Blocklist(tool) => blocklist::write(report, tool, out),
    }
}

/// An answer. `schema` names its JSON shape; a change of meaning is a new number.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Such as `bandwho.top/1`.
    pub schema: &'static str,
    /// What was read to get here.
    pub input: Input,
    /// Single values beside the tables, such as `slot_seconds`: JSON members in this order.
    pub facts: Vec<Fact>,
    /// One table whose name is empty (`top`, `slots`), or several named ones (the overview).
    pub tables: Vec<Table>,
    /// Parts of one shape, before the tables.
    pub parts: Parts,
    /// What people see better as a drawing; below the tables, and for people only.
    pub charts: Vec<Chart>,
    /// What is said before and after everything else.
    pub summary: Option<Summary>,
}

/// The answer in one sentence and one drawing, and what to ask next.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// JSON member `headline`, as one text.
    pub headline: Vec<Words>,
    /// Below the facts, and for people only.
    pub chart: Option<Chart>,
    /// JSON member `suggestions`.
    pub next: Vec<Suggestion>,
}

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// Our own.
    Own(String),
    /// Bytes of the log.
    Log(Vec<u8>),
}

/// A command that answers the next question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// For a shell, to be run as it is: [`shell::line`] made it.
    pub command: String,
    /// What was found, in our own words.
    pub why: String,
}

/// Parts of one shape, such as the ports of a bill.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// JSON member: the parts are a list.
    pub name: &'static str,
    /// The fact that tells the parts apart.
    pub key: &'static str,
    /// In final order; none if a report has no parts.
    pub parts: Vec<Part>,
}

/// One of several parts.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// Heading for people.
    pub title: String,
    /// JSON members in this order; those of all parts of a report have the same names.
    pub facts: Vec<Fact>,
    /// Drawings for people, below the facts.
    pub charts: Vec<Chart>,
    /// Each a JSON member by its name, a list of rows; its other groups and total beside it.
    pub tables: Vec<Table>,
}

/// A single value of a report.
#[derive(Debug, Clone)]
pub struct Fact {
    /// JSON member; empty: people only.
    pub name: &'static str,
    /// Words for people; empty: machines only.
    pub label: &'static str,
    /// How people read it.
    pub unit: Unit,
    /// The value.
    pub value: Cell,
}

/// Ranked or ordered groups. `rows`, `other` and `total` have one cell per column.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// JSON member within `views`; empty for the only table of a report.
    pub name: String,
    /// Heading for people; empty: none.
    pub title: String,
    /// Dimension names.
    pub by: Vec<String>,
    /// Keys first, then metrics.
    pub columns: Vec<Column>,
    /// In final order.
    pub rows: Vec<Vec<Cell>>,
    /// All groups that have no row of their own; its key cells are [`Cell::Null`].
    pub other: Option<Other>,
    /// Sum of `rows` and `other`; its key cells are [`Cell::Null`].
    pub total: Option<Vec<Cell>>,
}

/// The groups beyond the last row.
#[derive(Debug, Clone)]
pub struct Other {
    /// How many groups were added up.
    pub groups: u64,
    /// One per column.
    pub cells: Vec<Cell>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name in JSON, CSV and `--columns`.
    pub name: String,
    /// What people read above it; empty: its name.
    pub heading: &'static str,
    /// How people read it.
    pub unit: Unit,
    /// True for a dimension, false for a metric.
    pub key: bool,
    /// True if only machines want it (the `_epoch` twin of a time): tables and Markdown leave it out.
    pub machine: bool,
    /// 0: always shown. Where a terminal is too narrow for the others, the column with the highest number is left out
    /// first; from [`Column::LUXURY`] on also where a text would have to be cut short for it.
    pub spare: u8,
}

impl Column {
    /// See [`Column::spare`].
    pub const LUXURY: u8 = 100;
}

/// A value. Integers stay integers until a writer prints them.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Not known, or meaningless here.
    Null,
    /// Bytes of the log, with the server's escapes undone.
    Text(Vec<u8>),
    /// Bytes, requests, bit/s, microseconds.
    Integer(i128),
    /// A share between 0 and 1.
    Share(f64),
    /// RFC 3339 in the report's zone.
    Time(String),
    /// Several values of one unit: the bounds of an interval.
    List(Vec<Cell>),
}

/// How people read a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Plain text or a time.
    Text,
    /// A count of things: `3,923,246`.
    Count,
    /// A number that is a name (an AS number, a status): never grouped.
    Number,
    /// An exact decimal, such as money, in a text: written out.
    Decimal,
    /// A volume, decimal: `34.6 kB`.
    Bytes,
    /// A rate, decimal: `1.83 Mbps`.
    Bps,
    /// A duration in microseconds: `1.25 s`.
    Micros,
    /// A share: `41.0 %`.
    Share,
    /// A share with a bar, the longest for the highest of the rows, where there is room for one.
    Bar,
    /// A score from 0 to 1: `0.94`.
    Score,
    /// Bytes per second, decimal: `1.25 MB/s`.
    ByteRate,
    /// By how many things more: `+1,024`.
    CountChange,
    /// By what volume more: `+34.6 kB`.
    BytesChange,
    /// By what rate more: `-1.83 Mbps`.
    BpsChange,
    /// By what share more: `+41.0 %`.
    ShareChange,
}

/// The accounting of the input; printed with every answer. `lines = accepted + rejected + skipped`.
///
/// The order of the fields here and below is the order of the members in JSON.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Input {
    /// Files and streams read.
    pub files: u64,
    /// Decompressed bytes read.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines that are records.
    pub accepted: u64,
    /// Lines that are not, by fault.
    pub rejected: u64,
    /// Lines that are not meant to be records.
    pub skipped: u64,
    /// The part of `accepted` that the question left out.
    pub filtered: u64,
    /// What the records that count are like, if not all do.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Why lines were rejected, most frequent first.
    pub rejects: Vec<Rejects>,
    /// Formats in use, most lines first.
    pub formats: Vec<FormatUse>,
    /// Earliest logged time, RFC 3339.
    pub first: Option<String>,
    /// Latest logged time, RFC 3339.
    pub last: Option<String>,
    /// `body` or `wire`; `None` if no bytes were asked for.
    pub basis: Option<&'static str>,
    /// Load scheme.
    pub scheme: &'static str,
    /// How the client was found, unless by the default rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<&'static str>,
    /// IP databases, in the order given.
    pub ip_db: Vec<Database>,
    /// Zone of the report.
    pub tz: String,
    /// Why lines were skipped, most frequent first.
    #[serde(serialize_with = "json::counts")]
    pub skips: Vec<(&'static str, u64)>,
    /// Accepted records with a peculiarity worth a number, such as `without-bytes`.
    #[serde(serialize_with = "json::counts")]
    pub remarks: Vec<(&'static str, u64)>,
    /// How servers were found in the server list; `None` without one.
    pub servers: Option<ServerUse>,
}

/// Rejected lines of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Rejects {
    /// Such as `time`.
    pub reason: &'static str,
    /// Lines.
    pub count: u64,
    /// The first one, in input order.
    pub first: Option<Position>,
}

/// A place in the input, and what stood there.
#[derive(Debug, Clone, Serialize)]
pub struct Position {
    /// File name as given, or `-`.
    pub file: String,
    /// From 1.
    pub line: u64,
    /// From 1, in bytes.
    pub column: u64,
    /// The offending text, shortened.
    #[serde(serialize_with = "json::text")]
    pub text: Vec<u8>,
}

/// A log format and how many lines it matched.
#[derive(Debug, Clone, Serialize)]
pub struct FormatUse {
    /// Preset's name, or `custom`.
    pub name: String,
    /// In the server's own notation.
    pub text: String,
    /// Lines accepted by it.
    pub lines: u64,
    /// Where the first of them stands.
    pub first: Option<FirstLine>,
}

/// A line of the input.
#[derive(Debug, Clone, Serialize)]
pub struct FirstLine {
    /// File name as given, or `-`.
    pub file: String,
    /// From 1.
    pub line: u64,
}

/// An IP database.
#[derive(Debug, Clone, Serialize)]
pub struct Database {
    /// File name or `built-in`.
    pub name: String,
    /// Build date, `YYYY-MM-DD`, if it tells.
    pub date: Option<String>,
    /// Who must be named where its data is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<&'static str>,
    /// Lookups that failed inside the database.
    pub errors: u64,
}

/// How records found their data centre.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ServerUse {
    /// Records per key kind: `server_addr`, `hostname`, `path`, `host`, `default`.
    #[serde(serialize_with = "json::counts")]
    pub matched: Vec<(&'static str, u64)>,
    /// Servers that are not in the list, with their records; most records first, shortened.
    #[serde(serialize_with = "json::unmatched")]
    pub unmatched: Vec<(Vec<u8>, u64)>,
    /// Records without a data centre.
    #[serde(rename = "unmatched_requests")]
    pub unmatched_records: u64,
}

#[cfg(test)]
mod tests;
