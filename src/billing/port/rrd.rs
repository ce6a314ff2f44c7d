//! `rrdtool fetch`: a line of data source names, a blank one, then `epoch: value value`.
//!
//! The times are the ends of the intervals ("`for (ti = start + step; …`" in `rrd_tool.c`). What COUNTER and DERIVE
//! sources hold is a rate per second of what was counted, which for interfaces is octets.

use super::amount::{self, Amount, Comma, Unit};
use super::columns;
use super::{Choice, Faults, Label, Point, Rows, SAMPLES_MAX, Shape, Told};
use crate::input::lines;

/// Lines in which the first row must stand.
const HEAD_LINES: usize = 10;

/// True if the text is an answer of `rrdtool fetch`.
pub(super) fn is_fetch(bytes: &[u8]) -> bool {
    lines(bytes).take(HEAD_LINES).any(|line| row(line).is_some_and(|(_, values)| values.starts_with(b" ")))
}

/// The time and the rest of a line.
fn row(line: &[u8]) -> Option<(i64, &[u8])> {
    let line = line.trim_ascii_start();
    let colon = line.iter().position(|byte| !byte.is_ascii_digit()).filter(|&at| (1..12).contains(&at))?;
    let seconds = std::str::from_utf8(&line[..colon]).ok()?.parse().ok()?;
    (line[colon] == b':').then_some((seconds, &line[colon + 1..]))
}

pub(super) fn read(bytes: &[u8], choice: &Choice) -> Result<Rows, String> {
    let header = lines(bytes).find(|line| !line.trim_ascii().is_empty()).filter(|line| row(line).is_none());
    let values = lines(bytes).find_map(|line| Some(words(row(line)?.1).count())).unwrap_or(0);
    let mut names: Vec<String> =
        words(header.unwrap_or_default()).map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    if names.len() != values {
        names = (1..=values.min(columns::COLUMNS_MAX)).map(|number| number.to_string()).collect();
    }
    let candidates: Vec<usize> = (0..names.len()).collect();
    let value = columns::choose(&names, &candidates, choice)?;
    let unit = columns::unit(&names[value]).filter(|unit| unit.quantity == amount::Quantity::BitsPerSecond);
    let told = unit.map_or((Unit::BYTES_PER_SECOND, Told::Shape), |unit| (unit, Told::File));
    let unit = choice.unit.map_or(told, |asked| (asked, Told::Asked));
    let mut rows = Rows {
        shape: Shape::Fetch,
        column: names.swap_remove(value),
        unit: Some(unit),
        counter_named: false,
        step: None,
        label: Some(Label::End),
        points: Vec::new(),
        count: 0,
        faults: Faults::default(),
    };
    for (number, line) in (1..).zip(lines(bytes)) {
        if line.trim_ascii().is_empty() || Some(line) == header {
            continue;
        }
        if rows.points.len() == SAMPLES_MAX {
            return Err(format!("more than {SAMPLES_MAX} samples"));
        }
        rows.count += 1;
        let Some((time, rest)) = row(line) else {
            rows.faults.add(number, 1, "not a time", line);
            continue;
        };
        let cell = words(rest).nth(value);
        let scale = u128::from(unit.0.scale);
        let read = match cell.and_then(|cell| amount::parse(cell, Comma::Groups)) {
            Some(Amount::Unknown) => Some(None),
            Some(Amount::Known(value, None)) => value.checked_mul(scale).map(Some),
            _ => None,
        };
        let (value, is_bad) = (read.flatten(), read.is_none());
        rows.points.push(Point { time, is_local: false, seconds: None, value, is_bad, line: number });
        if is_bad {
            let column = cell.map_or(1, |cell| cell.as_ptr().addr() - line.as_ptr().addr() + 1);
            rows.faults.add(number, column as u64, "not a number", cell.unwrap_or_default());
        }
    }
    Ok(rows)
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}
