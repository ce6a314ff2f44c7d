//! The keys of a view's groups, and how they are shown.

use std::collections::BTreeMap;

pub(super) use super::rates::Period;
use super::rates::{self, Sample};
use super::{Counted, key_column};
use crate::aggregate::ViewTally;
use crate::query::{Dimension, TimePart};
use crate::report::{Cell, Column, Unit};
use crate::time::{Slot, Timestamp};

/// One value of a key; the order of ties: known before unknown, times as numbers, text as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum KeyPart {
    Time(i64),
    Text(Vec<u8>),
    Unknown,
}

/// The bytes per slot of groups that are taken together.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) samples: BTreeMap<Slot, u128>,
}

/// The numbers of a view's groups, in order, with their keys but for the times.
pub(super) fn keys(tally: &ViewTally) -> impl Iterator<Item = (u32, Vec<KeyPart>)> {
    (0..tally.len()).map(|group| {
        let group = u32::try_from(group).expect("groups are numbered in 32 bits");
        (group, tally.values(group).into_iter().map(text).collect())
    })
}

/// A value of a group as a part of its key.
pub(super) fn text(value: Option<&[u8]>) -> KeyPart {
    value.map_or(KeyPart::Unknown, |text| KeyPart::Text(text.to_vec()))
}

/// The part of a key that follows from a slot; none if the dimension is no time.
pub(super) fn time_part(counted: &Counted<'_>, dimension: &Dimension, slot: Slot) -> Option<i64> {
    let Dimension::Time(part) = dimension else { return None };
    let start = Timestamp::from_seconds(slot.start);
    let civil = || counted.zone().civil(start);
    Some(match part {
        TimePart::Slot => slot.start,
        TimePart::Day => {
            let civil = civil();
            i64::from(civil.year) * 10_000 + i64::from(civil.month) * 100 + i64::from(civil.day)
        }
        TimePart::Hour => i64::from(civil().hour),
        TimePart::Weekday => i64::from(civil().weekday),
    })
}

/// The key columns of a list of dimensions; a slot brings its start as a number along.
pub(super) fn key_columns(by: &[Dimension]) -> Vec<Column> {
    let mut columns = Vec::new();
    for dimension in by {
        let unit = match dimension {
            Dimension::Asn | Dimension::Status | Dimension::Time(TimePart::Hour) => Unit::Number,
            _ => Unit::Text,
        };
        columns.push(key_column(dimension.name(), unit));
        if *dimension == Dimension::Time(TimePart::Slot) {
            columns.push(Column { machine: true, ..key_column("slot_epoch", Unit::Number) });
        }
    }
    columns
}

/// The key cells of all small groups together; a number is never a word.
pub(super) fn other_cells(by: &[Dimension]) -> Vec<Cell> {
    let cell = |dimension: &Dimension| match dimension {
        Dimension::Asn | Dimension::Status => Cell::Null,
        _ => Cell::Text(b"other".to_vec()),
    };
    by.iter().map(cell).collect()
}

/// The cell of a value that is not a time.
pub(super) fn key_cell(dimension: &Dimension, part: &KeyPart) -> Cell {
    match (dimension, part) {
        (Dimension::Asn, KeyPart::Text(number)) => {
            Cell::Integer(number.iter().fold(0, |sum, &byte| sum << 8 | i128::from(byte)))
        }
        (Dimension::Status, KeyPart::Text(digits)) => {
            Cell::Integer(digits.iter().fold(0, |sum, &digit| sum * 10 + i128::from(digit - b'0')))
        }
        (Dimension::Asn | Dimension::Status, KeyPart::Unknown) => Cell::Null,
        (_, KeyPart::Text(text)) => Cell::Text(text.clone()),
        (_, KeyPart::Time(number)) => Cell::Integer(i128::from(*number)),
        (_, KeyPart::Unknown) => Cell::Text(b"unknown".to_vec()),
    }
}

/// The cells of a key, one per key column.
pub(super) fn key_cells(counted: &Counted<'_>, by: &[Dimension], key: &[KeyPart]) -> Vec<Cell> {
    const WEEKDAYS: [&str; 7] =
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let mut cells = Vec::new();
    for (dimension, part) in by.iter().zip(key) {
        cells.push(match (dimension, part) {
            (Dimension::Time(TimePart::Slot | TimePart::Hour), KeyPart::Unknown) => Cell::Null,
            (Dimension::Time(TimePart::Slot), KeyPart::Time(second)) => counted.second(*second),
            (Dimension::Time(TimePart::Day), KeyPart::Time(day)) => {
                let (year, month, day) = (day / 10_000, day / 100 % 100, day % 100);
                Cell::Text(format!("{year:04}-{month:02}-{day:02}").into_bytes())
            }
            (Dimension::Time(TimePart::Weekday), KeyPart::Time(day)) => {
                let at = usize::try_from(day - 1).unwrap_or(0) % 7;
                Cell::Text(WEEKDAYS[at].as_bytes().to_vec())
            }
            (dimension, part) => key_cell(dimension, part),
        });
        match (dimension, part) {
            (Dimension::Time(TimePart::Slot), KeyPart::Time(second)) => {
                cells.push(Cell::Integer(i128::from(*second)));
            }
            (Dimension::Time(TimePart::Slot), _) => cells.push(Cell::Null),
            _ => {}
        }
    }
    cells
}

/// The 95th percentile of the period's rates, zeros included, by the default rank rule.
pub(super) fn p95(group: &Group, period: Option<Period>) -> Option<u128> {
    let samples: Vec<Sample> = group.samples.iter().map(|(slot, bytes)| (*slot, *bytes)).collect();
    rates::p95(&samples, period)
}
