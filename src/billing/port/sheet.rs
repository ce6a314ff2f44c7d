//! Delimited text: carriers' CSV, `LibreNMS` rows, Cacti's and `RRDtool`'s exports.
//!
//! The first row with a time and a number beside it is data; the row before it, if it has as many cells and none of
//! them is data, names the columns. What stands above is a preamble, from which only a unit is taken.

use csv::{ByteRecord, ReaderBuilder};

use super::amount::{self, Amount, Comma, Unit};
use super::clock::{self, Moment};
use super::columns::{self, COLUMNS_MAX, Role};
use super::{Choice, Faults, Label, Point, Rows, SAMPLES_MAX, STEP_SECONDS_MAX, Shape, Told};
use crate::time::Zone;

/// In the order they are tried: a comma may also be part of a number.
const DELIMITERS: [u8; 4] = [b'\t', b';', b'|', b','];

/// Rows above the data.
const PREAMBLE_ROWS_MAX: usize = 100;

/// Bytes that are searched for the first row of data.
const HEAD_BYTES_MAX: usize = 1 << 20;

/// Where the data begins and what its columns are.
struct Head {
    delimiter: u8,
    names: Vec<String>,
    /// Rows before the first one of data.
    skipped: usize,
    first: ByteRecord,
    preamble: Vec<ByteRecord>,
}

/// The columns that are read.
struct Layout {
    time: usize,
    /// A clock beside a date.
    clock: Option<usize>,
    end: Option<usize>,
    period: Option<usize>,
    value: usize,
    comma: Comma,
}

pub(super) fn read(bytes: &[u8], zone: &Zone, choice: &Choice) -> Result<Rows, String> {
    let head = DELIMITERS.into_iter().find_map(|delimiter| head(bytes, delimiter, zone)).ok_or(
        "no row has a time and a number; expected CSV, TSV, rrdtool fetch or xport, or an export of Cacti or LibreNMS",
    )?;
    let layout = layout(&head, zone, choice)?;
    let column = head.names[layout.value].clone();
    let is_cacti = head.preamble.iter().any(|row| row.get(0) == Some(b"Vertical Label".as_slice()));
    let has = |name: &str| head.names.iter().any(|known| known == name);
    let is_librenms = layout.period.is_some() && (has("out_delta") || has("in_delta"));
    let preamble = || head.preamble.iter().flat_map(|row| row.iter().skip(1)).find_map(preamble_unit);
    let unit = if let Some(asked) = choice.unit {
        Some((asked, Told::Asked))
    } else if is_librenms && column.ends_with("delta") {
        Some((Unit::BYTES, Told::Shape))
    } else {
        columns::unit(&column).or_else(preamble).map(|unit| (unit, Told::File))
    };
    let mut rows = Rows {
        shape: match (is_librenms, is_cacti) {
            (true, _) => Shape::LibreNms,
            (_, true) => Shape::Cacti,
            _ => Shape::Sheet,
        },
        counter_named: columns::is_counter(&column),
        column,
        unit,
        step: None,
        label: match (layout.end, layout.period) {
            (Some(_), _) => Some(Label::Start),
            // A row with a period was written when the period was over.
            (None, Some(_)) => Some(Label::End),
            _ => None,
        },
        points: Vec::new(),
        count: 0,
        faults: Faults::default(),
    };
    read_rows(bytes, zone, &head, &layout, &mut rows)?;
    Ok(rows)
}

fn reader(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes)
}

fn head(bytes: &[u8], delimiter: u8, zone: &Zone) -> Option<Head> {
    let mut reader = reader(&bytes[..bytes.len().min(HEAD_BYTES_MAX)], delimiter);
    let mut above: Vec<ByteRecord> = Vec::new();
    for row in reader.byte_records().take(PREAMBLE_ROWS_MAX) {
        let row = row.ok()?;
        if is_data(&row, zone) {
            // Rows with a time right above are bad ones of data.
            let has_time = |row: &ByteRecord| row.iter().any(|cell| clock::parse(cell, zone).is_some());
            let is_above = |above: &ByteRecord| above.len() != row.len() || !has_time(above);
            let skipped = above.iter().rposition(is_above).map_or(0, |last| last + 1);
            above.truncate(skipped);
            let is_header = |header: &&ByteRecord| header.len() == row.len() && !has_time(header);
            let has_header = above.last().is_some_and(|last| is_header(&last));
            let header = if has_header { above.pop() } else { None };
            let name = |at: usize| match header.as_ref().and_then(|header| header.get(at)) {
                Some(name) if !name.trim_ascii().is_empty() => {
                    String::from_utf8_lossy(name).trim().to_owned()
                }
                _ => (at + 1).to_string(),
            };
            let names = (0..row.len().min(COLUMNS_MAX)).map(name).collect();
            return Some(Head { delimiter, names, skipped, first: row, preamble: above });
        }
        above.push(row);
    }
    None
}

/// True for a row with a time and, elsewhere, a number or a word for an unknown one.
fn is_data(row: &ByteRecord, zone: &Zone) -> bool {
    let cells = || row.iter().take(COLUMNS_MAX).enumerate();
    let times = || cells().filter(|(_, cell)| clock::parse(cell, zone).is_some());
    times().next().is_some_and(|(time, _)| {
        let is_value = |cell: &[u8]| amount::parse(cell, Comma::Fraction).is_some();
        cells().any(|(at, cell)| at != time && !cell.is_empty() && is_value(cell))
    })
}

fn layout(head: &Head, zone: &Zone, choice: &Choice) -> Result<Layout, String> {
    let roles: Vec<Role> = head.names.iter().map(|name| columns::role(name)).collect();
    let of = |role: Role| roles.iter().position(|known| *known == role);
    let cell = |at: usize| head.first.get(at).unwrap_or_default();
    let looks = || (0..head.names.len()).find(|&at| clock::parse(cell(at), zone).is_some());
    let (time, clock) = match (of(Role::Date), of(Role::Time)) {
        (Some(date), Some(clock)) if clock::parse(cell(clock), zone).is_none() => (date, Some(clock)),
        (date, time) => {
            let time = of(Role::Start).or(time).or(date).or_else(|| of(Role::End)).or_else(looks);
            (time.ok_or("no column of times")?, None)
        }
    };
    let end = if of(Role::Start) == Some(time) { of(Role::End) } else { None };
    let comma = if head.delimiter == b',' { Comma::Groups } else { Comma::Fraction };
    let is_value =
        |at: &usize| roles[*at] == Role::Value && *at != time && amount::parse(cell(*at), comma).is_some();
    let candidates: Vec<usize> = (0..head.names.len()).filter(is_value).collect();
    let value = columns::choose(&head.names, &candidates, choice)?;
    Ok(Layout { time, clock, end, period: of(Role::Period), value, comma })
}

/// The unit in a cell of a preamble, such as Cacti's vertical label.
fn preamble_unit(cell: &[u8]) -> Option<Unit> {
    std::str::from_utf8(cell).ok().and_then(Unit::parse)
}

fn read_rows(bytes: &[u8], zone: &Zone, head: &Head, layout: &Layout, rows: &mut Rows) -> Result<(), String> {
    let mut reader = reader(bytes, head.delimiter);
    let mut row = ByteRecord::new();
    let mut at = 0;
    while reader.read_byte_record(&mut row).map_err(|error| error.to_string())? {
        at += 1;
        if at <= head.skipped || row.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        if rows.points.len() == SAMPLES_MAX {
            return Err(format!("more than {SAMPLES_MAX} samples"));
        }
        rows.count += 1;
        let position = row.position().map_or((0, 0), |position| (position.line(), position.byte()));
        let bad = match point(&row, zone, layout, &mut rows.unit) {
            Ok((point, bad)) => {
                rows.points.push(Point { line: position.0, ..point });
                bad
            }
            Err(bad) => Some(bad),
        };
        if let Some((cell, reason)) = bad {
            let line =
                usize::try_from(position.1).ok().and_then(|byte| bytes.get(byte..)).unwrap_or_default();
            let column = column_of(line, head.delimiter, cell);
            rows.faults.add(position.0, column, reason, row.get(cell).unwrap_or_default());
        }
    }
    Ok(())
}

/// The cell of a row that is wrong, and why.
type Bad = (usize, &'static str);

/// A row with a time, and what else of it is bad; or that its time is.
fn point(
    row: &ByteRecord,
    zone: &Zone,
    layout: &Layout,
    unit: &mut Option<(Unit, Told)>,
) -> Result<(Point, Option<Bad>), Bad> {
    let time = match layout.clock {
        None => moment(row, layout.time, zone)?,
        Some(clock) => {
            let cell = |at: usize| row.get(at).ok_or((at, "a column is missing"));
            let both = [cell(layout.time)?.trim_ascii(), b" ", cell(clock)?.trim_ascii()].concat();
            clock::parse(&both, zone).ok_or((layout.time, "not a time"))?
        }
    };
    let read = seconds(row, zone, layout, time).and_then(|seconds| Ok((seconds, value(row, layout, unit)?)));
    let (seconds, value) = read.unwrap_or_default();
    let Moment { seconds: at, is_local } = time;
    Ok((Point { time: at, is_local, seconds, value, is_bad: read.is_err(), line: 0 }, read.err()))
}

fn moment(row: &ByteRecord, at: usize, zone: &Zone) -> Result<Moment, Bad> {
    let cell = row.get(at).ok_or((at, "a column is missing"))?;
    clock::parse(cell, zone).ok_or((at, "not a time"))
}

/// How long the row says that its interval is.
fn seconds(row: &ByteRecord, zone: &Zone, layout: &Layout, time: Moment) -> Result<Option<i64>, Bad> {
    let (at, seconds) = match (layout.end, layout.period) {
        (Some(end), _) => {
            let until = clock::after(moment(row, end, zone)?, time.seconds, zone);
            (
                end,
                Some(until - time.seconds)
                    .filter(|seconds| *seconds > 0)
                    .ok_or((end, "ends before it begins"))?,
            )
        }
        (None, Some(period)) => {
            let cell = row.get(period).unwrap_or_default();
            let seconds = std::str::from_utf8(cell).ok().and_then(|text| text.trim().parse::<i64>().ok());
            (period, seconds.filter(|seconds| *seconds > 0).ok_or((period, "not a number of seconds"))?)
        }
        (None, None) => return Ok(None),
    };
    if seconds > STEP_SECONDS_MAX { Err((at, "longer than a day")) } else { Ok(Some(seconds)) }
}

/// The value of a row, in thousandths; none if the file does not know it.
fn value(row: &ByteRecord, layout: &Layout, unit: &mut Option<(Unit, Told)>) -> Result<Option<u128>, Bad> {
    let cell = row.get(layout.value).ok_or((layout.value, "a column is missing"))?;
    match amount::parse(cell, layout.comma).ok_or((layout.value, "not a number"))? {
        Amount::Unknown => Ok(None),
        Amount::Known(value, None) => {
            let scale = unit.map_or(1, |(unit, _)| unit.scale);
            value.checked_mul(scale.into()).map(Some).ok_or((layout.value, "too large"))
        }
        // The cell's own unit has the last word, but a column has one quantity.
        Amount::Known(value, Some(told)) => {
            let known = unit.get_or_insert((Unit { scale: 1, ..told }, Told::File)).0;
            if known.quantity != told.quantity {
                return Err((layout.value, "another unit than the rows above"));
            }
            Ok(Some(value))
        }
    }
}

/// Where a cell of a line begins, from 1.
fn column_of(line: &[u8], delimiter: u8, cell: usize) -> u64 {
    let (mut seen, mut quoted) = (0, false);
    for (column, &byte) in (1..).zip(line) {
        if seen == cell {
            return column;
        }
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if byte == delimiter && !quoted => seen += 1,
            _ => {}
        }
    }
    1
}
