//! `rrdtool xport`, as XML and as JSON.
//!
//! XML has `<meta>` with `<start>`, `<step>` and `<legend>` of `<entry>`, then `<data>` of `<row>`, each with an
//! optional `<t>` and values in `<v>` or, with `--enumds`, `<v0>`, `<v1>`, …. JSON has the same as `meta` and `data`, whose
//! rows are lists; with `--showtime` the time stands first, as text. Where rows have no time the first one is that of
//! `start`. `RRDtool` before 1.6 wrote bare names and single quotes (`{ about: 'RRDtool xport JSON output', …`), which no
//! reader of JSON takes; both are put right first. The time of a row is the end of its interval.

use serde::Deserialize;

use super::amount::{self, Amount, Comma};
use super::columns::{self, COLUMNS_MAX};
use super::{Choice, Faults, Label, Point, Rows, SAMPLES_MAX, Shape, Told};

/// What stands above the rows.
#[derive(Debug, Default, Deserialize)]
struct Meta {
    start: i64,
    step: i64,
    #[serde(default)]
    legend: Vec<String>,
}

/// The chosen column and what is read of it.
struct Table {
    rows: Rows,
    value: usize,
    meta: Meta,
}

impl Table {
    fn new(meta: Meta, values: usize, choice: &Choice) -> Result<Self, String> {
        let name = |at: usize| match meta.legend.get(at).map(|name| name.trim()) {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => (at + 1).to_string(),
        };
        let mut names: Vec<String> = (0..values.max(meta.legend.len()).min(COLUMNS_MAX)).map(name).collect();
        let candidates: Vec<usize> = (0..names.len()).collect();
        let value = columns::choose(&names, &candidates, choice)?;
        let column = names.swap_remove(value);
        let unit = match (choice.unit, columns::unit(&column)) {
            (Some(asked), _) => (asked, Told::Asked),
            // What xport gives are rates, whatever the legend calls them.
            (None, Some(unit)) if unit.quantity == amount::Quantity::Bytes => {
                (amount::Unit { quantity: amount::Quantity::BytesPerSecond, ..unit }, Told::File)
            }
            (None, Some(unit)) => (unit, Told::File),
            (None, None) => {
                return Err(format!("nothing tells the unit of `{column}`; give --port-unit bps or bytes/s"));
            }
        };
        let rows = Rows {
            shape: Shape::Xport,
            column,
            unit: Some(unit),
            counter_named: false,
            step: Some(meta.step),
            label: Some(Label::End),
            points: Vec::new(),
            count: 0,
            faults: Faults::default(),
        };
        Ok(Self { rows, value, meta })
    }

    /// One row: its time, if it has one, and the value of the chosen column.
    fn add(&mut self, time: Option<&str>, cell: Option<&str>, line: u64) -> Result<(), String> {
        let Rows { points, count, faults, unit, .. } = &mut self.rows;
        if points.len() == SAMPLES_MAX {
            return Err(format!("more than {SAMPLES_MAX} samples"));
        }
        let at = i64::try_from(*count).unwrap_or(i64::MAX);
        *count += 1;
        let counted = || at.checked_mul(self.meta.step)?.checked_add(self.meta.start);
        let seconds = time.map_or_else(counted, |time| time.trim().parse().ok());
        // No clock ever showed more seconds than a signed hundred years of centuries.
        let Some(seconds) = seconds.filter(|seconds: &i64| seconds.unsigned_abs() < 1 << 40) else {
            faults.add(line, 1, "not a time", time.unwrap_or_default().as_bytes());
            return Ok(());
        };
        let scale = unit.map_or(1, |(unit, _)| u128::from(unit.scale));
        let read = match cell.and_then(|cell| amount::parse(cell.as_bytes(), Comma::Groups)) {
            Some(Amount::Unknown) => Some(None),
            Some(Amount::Known(value, None)) => value.checked_mul(scale).map(Some),
            _ => None,
        };
        let (value, is_bad) = (read.flatten(), read.is_none());
        points.push(Point { time: seconds, is_local: false, seconds: None, value, is_bad, line });
        if is_bad {
            faults.add(line, 1, "not a number", cell.unwrap_or_default().as_bytes());
        }
        Ok(())
    }
}

/// Reads XML. Only what xport writes is understood: no comments, attributes or entities but the five.
pub(super) fn read_xml(bytes: &[u8], choice: &Choice) -> Result<Rows, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "XML that is not UTF-8")?;
    let (meta, data) = text.split_once("<data>").ok_or("XML without <data>: not of rrdtool xport")?;
    let number = |name: &str| element(meta, name).and_then(|text| text.trim().parse::<i64>().ok());
    let (Some(start), Some(step)) = (number("start"), number("step")) else {
        return Err("XML without <start> and <step>: not of rrdtool xport".to_owned());
    };
    let legend = meta.split("<entry>").skip(1).take(COLUMNS_MAX);
    let legend = legend.map(|rest| plain(rest.split("</entry>").next().unwrap_or_default())).collect();
    let data = data.split("</data>").next().unwrap_or_default();
    let values = data.split("<row>").nth(1).map_or(0, |row| cells(row).count());
    let mut table = Table::new(Meta { start, step, legend }, values, choice)?;
    let mut line = 1 + newlines(meta);
    for (at, part) in data.split("<row>").enumerate() {
        if at > 0 {
            let row = part.split("</row>").next().unwrap_or_default();
            table.add(element(row, "t"), cells(row).nth(table.value), line)?;
        }
        line += newlines(part);
    }
    Ok(table.rows)
}

/// The text of the first element of that name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    Some(after.split('<').next().unwrap_or_default())
}

/// The values of a row: `<v>` or `<v0>`.
fn cells(row: &str) -> impl Iterator<Item = &str> {
    row.split("<v").skip(1).take(COLUMNS_MAX).filter_map(|part| {
        let (number, text) = part.split_once('>')?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.split('<').next().unwrap_or_default())
    })
}

fn newlines(text: &str) -> u64 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64
}

fn plain(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

/// The JSON as far as it is looked at.
#[derive(Deserialize)]
struct Json {
    meta: Meta,
    data: Vec<Vec<Option<Cell>>>,
}

/// A value, or a time before the values.
#[derive(Deserialize)]
#[serde(untagged)]
enum Cell {
    /// Eleven digits, which a float holds.
    Number(serde_json::Number),
    Text(String),
}

/// Reads JSON, or what old versions took for it.
pub(super) fn read_json(bytes: &[u8], choice: &Choice) -> Result<Rows, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "JSON that is not UTF-8")?;
    let mended;
    let text = if text.contains("about:") || text.contains("meta:") {
        mended = mend(text);
        mended.as_str()
    } else {
        text
    };
    let json: Json =
        serde_json::from_str(text).map_err(|error| format!("not the JSON of rrdtool xport: {error}"))?;
    let legend = json.meta.legend.len();
    let width = json.data.first().map_or(0, Vec::len);
    // With --showtime every row has its time before the values.
    let timed =
        json.data.first().and_then(|row| row.first()).is_some_and(|cell| matches!(cell, Some(Cell::Text(_))));
    let values = if legend == 0 { width - usize::from(timed) } else { legend };
    let mut table = Table::new(json.meta, values, choice)?;
    let at = table.value + usize::from(timed);
    for (line, row) in (1..).zip(&json.data) {
        let text = |at: usize| {
            row.get(at).map(|cell| match cell {
                Some(Cell::Number(number)) => number.to_string(),
                Some(Cell::Text(text)) => text.clone(),
                None => String::new(),
            })
        };
        let time = if timed { text(0) } else { None };
        table.add(time.as_deref(), text(at).as_deref(), line)?;
    }
    Ok(table.rows)
}

/// Puts quotes around bare names and double ones in place of single ones.
fn mend(text: &str) -> String {
    let mut mended = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let end = match letter {
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            '\'' => {
                let end = rest[1..].find('\'').map_or(rest.len() - 1, |end| end);
                mended.push('"');
                mended.push_str(&rest[1..=end].replace('\\', "\\\\").replace('"', "\\\""));
                mended.push('"');
                rest = rest.get(end + 2..).unwrap_or_default();
                continue;
            }
            'a'..='z' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                if rest[end..].starts_with(':') {
                    mended.push('"');
                    mended.push_str(&rest[..end]);
                    mended.push('"');
                    rest = &rest[end..];
                    continue;
                }
                end
            }
            // A number goes by as a whole: its exponent is no name.
            '0'..='9' => rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len()),
            _ => letter.len_utf8(),
        };
        mended.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    mended
}
