//! `bandwho slots`: the time series of each group, zero-filled.

use std::collections::BTreeMap;

use super::groups::{self, Group, KeyPart};
use super::{Counted, column, integer, key_column, top};
use crate::aggregate::Sums;
use crate::billing::rate_bps;
use crate::error::Error;
use crate::query::{Dimension, Metric};
use crate::report::chart::Hours;
use crate::report::{Cell, Chart, Column, Fact, Report, Table, Unit};
use crate::time::{Slot, Timestamp};

/// Rows of a series at most. One line with a year gone wrong would otherwise ask for all the memory there is.
pub const ROWS_MAX: u64 = 2_000_000;

/// The answer of the only view of the rules; with dimensions, the `shown` largest groups and all others as one.
/// Fails if the samples span more slots than anyone could read.
pub fn report(counted: &Counted<'_>, shown: Option<usize>) -> Result<Report, Error> {
    let view = &counted.rules.views[0];
    let tally = &counted.tally.views[0];
    let mut ranked = groups::groups(counted, view, tally, &[]);
    top::rank(&mut ranked, Metric::Bytes, None);
    let lines = lines(&ranked, shown.unwrap_or(usize::MAX));
    let line_of: BTreeMap<&[KeyPart], usize> = lines
        .iter()
        .enumerate()
        .flat_map(|(at, line)| line.members.iter().map(move |key| (key.as_slice(), at)))
        .collect();

    let mut samples = SlotSamples::new();
    let keys: Vec<Option<usize>> =
        groups::keys(tally).map(|(_, key)| line_of.get(key.as_slice()).copied()).collect();
    for (slot, group, sums) in tally.samples() {
        if let (Some(slot), Some(line)) = (counted.tally.slots.get(slot), keys[group as usize]) {
            samples.entry((slot, line)).or_default().merge(sums);
        }
    }
    check_length(counted, &samples, lines.len())?;
    let table = table(counted, &view.by, &lines, &samples);
    let fact = |name, label, unit, value| Fact { name, label, unit, value: Cell::Integer(value) };
    let outside = i128::try_from(counted.tally.outside_bytes).unwrap_or(i128::MAX);
    let facts = vec![
        fact("slot_seconds", "", Unit::Count, i128::from(counted.rules.grid.length)),
        fact("outside_bytes", if outside > 0 { "outside" } else { "" }, Unit::Bytes, outside),
    ];
    Ok(Report {
        schema: "bandwho.slots/1",
        input: counted.input(),
        facts,
        tables: vec![table],
        charts: hours(counted, &samples),
        ..Report::default()
    })
}

/// Spans from which on days can be compared.
const HOURS_SECONDS_MIN: u64 = 2 * 86_400;

/// The total by day and hour, if there are days to compare.
fn hours(counted: &Counted<'_>, samples: &SlotSamples) -> Vec<Chart> {
    let Some(((first, _), (last, _))) = samples.keys().next().zip(samples.keys().next_back()) else {
        return Vec::new();
    };
    if last.end.abs_diff(first.start) < HOURS_SECONDS_MIN {
        return Vec::new();
    }
    let bytes = |slot: Slot| {
        let lines = samples.range((slot, 0)..=(slot, usize::MAX));
        (slot, lines.map(|(_, sums)| sums.bytes).fold(0, u128::saturating_add))
    };
    let slots = counted.rules.grid.between(*first, *last).map(bytes);
    Hours::new(slots, counted.zone()).map(Chart::Hours).into_iter().collect()
}

type SlotSamples = BTreeMap<(Slot, usize), Sums>;

fn check_length(counted: &Counted<'_>, samples: &SlotSamples, lines: usize) -> Result<(), Error> {
    let Some(((first, _), (last, _))) = samples.keys().next().zip(samples.keys().next_back()) else {
        return Ok(());
    };
    let rows = counted.rules.grid.count(*first, *last).saturating_mul(lines as u64);
    if rows <= ROWS_MAX {
        return Ok(());
    }
    let time = |second| counted.time(Timestamp::from_seconds(second));
    Err(Error::Data(format!(
        "the samples span {} to {}: {rows} rows, {ROWS_MAX} at most; limit the time with --since and --until, the \
         groups with --top, or take a longer --slot",
        time(first.start),
        time(last.end),
    )))
}

/// One curve: a group, or all the small ones.
struct Line {
    /// Its key cells: the group's, or `other`.
    key: Option<Vec<KeyPart>>,
    members: Vec<Vec<KeyPart>>,
}

fn lines(ranked: &[Group], shown: usize) -> Vec<Line> {
    let shown = shown.min(ranked.len());
    let mut lines: Vec<Line> = ranked[..shown]
        .iter()
        .map(|group| Line { key: Some(group.key.clone()), members: vec![group.key.clone()] })
        .collect();
    // Rows of one slot are in order of the key; which groups have rows is decided by bytes.
    lines.sort_by(|a, b| a.key.cmp(&b.key));
    if shown < ranked.len() {
        let members = ranked[shown..].iter().map(|group| group.key.clone()).collect();
        lines.push(Line { key: None, members });
    }
    lines
}

fn table(counted: &Counted<'_>, by: &[Dimension], lines: &[Line], samples: &SlotSamples) -> Table {
    let epoch = Column { machine: true, ..key_column("slot_start_epoch", Unit::Number) };
    let mut columns = vec![key_column("slot_start", Unit::Text), epoch, key_column("slot_end", Unit::Text)];
    columns.extend(groups::key_columns(by));
    let keys = columns.len();
    columns.extend([column("requests", Unit::Count), column("bytes", Unit::Bytes), column("bps", Unit::Bps)]);
    let mut rows = Vec::new();
    let mut total = Sums::default();
    let span = samples.keys().next().zip(samples.keys().next_back());
    let all = span.map(|((first, _), (last, _))| counted.rules.grid.between(*first, *last));
    for slot in all.into_iter().flatten() {
        for (at, line) in lines.iter().enumerate() {
            let sums = samples.get(&(slot, at)).copied().unwrap_or_default();
            total.merge(sums);
            let mut row = vec![
                counted.second(slot.start),
                Cell::Integer(i128::from(slot.start)),
                counted.second(slot.end),
            ];
            row.extend(match &line.key {
                Some(key) => groups::key_cells(counted, by, key),
                None => groups::other_cells(by),
            });
            row.push(integer(sums.requests.into()));
            row.push(integer(sums.bytes));
            row.push(integer(rate_bps(sums.bytes, slot.seconds())));
            rows.push(row);
        }
    }
    let mut sum = vec![Cell::Null; keys];
    sum.extend([integer(total.requests.into()), integer(total.bytes), Cell::Null]);
    Table {
        name: String::new(),
        title: String::new(),
        by: by.iter().map(|dimension| dimension.name().to_owned()).collect(),
        columns,
        rows,
        other: None,
        total: Some(sum),
    }
}
