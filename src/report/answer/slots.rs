//! `bandwho slots`: the time series of each group, zero-filled.

use super::groups::{self, KeyPart};
use super::rows::Rows;
use super::{Counted, column, integer, key_column};
use crate::aggregate::{Sums, ViewTally};
use crate::billing::rate_bps;
use crate::error::Error;
use crate::query::{Dimension, View};
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
    let lines = Lines::new(counted, view, tally, shown);
    let curves = Curves::new(counted, tally, &lines)?;
    let table = table(counted, &view.by, &lines, &curves);
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
        charts: hours(counted, &curves),
        ..Report::default()
    })
}

/// Spans from which on days can be compared.
const HOURS_SECONDS_MIN: u64 = 2 * 86_400;

/// The total by day and hour, if there are days to compare.
fn hours(counted: &Counted<'_>, curves: &Curves) -> Vec<Chart> {
    let Some((first, last)) = curves.slots.first().zip(curves.slots.last()) else {
        return Vec::new();
    };
    if last.end.abs_diff(first.start) < HOURS_SECONDS_MIN {
        return Vec::new();
    }
    let bytes = |(slot, lines): (Slot, &[Sums])| {
        (slot, lines.iter().map(|sums| sums.bytes).fold(0, u128::saturating_add))
    };
    Hours::new(curves.rows().map(bytes), counted.zone()).map(Chart::Hours).into_iter().collect()
}

/// The curves: the largest groups, and all others as one.
struct Lines {
    /// Of each, in order; none for the others.
    keys: Vec<Option<Vec<KeyPart>>>,
    /// Of each group; none of one that nothing was counted for.
    of_group: Vec<Option<usize>>,
}

impl Lines {
    fn new(counted: &Counted<'_>, view: &View, tally: &ViewTally, shown: Option<usize>) -> Self {
        let rows = Rows::new(counted, &view.by, tally);
        let limit = shown.unwrap_or(usize::MAX).min(rows.all.len());
        let largest = rows.first(limit, |row| Some(row.sums().bytes));
        let largest = largest.into_iter().map(|at| &rows.all[at as usize]);
        let mut shown: Vec<(Vec<KeyPart>, u32)> = largest.map(|row| (rows.key(row), row.group)).collect();
        // Rows of one slot are in order of the key; which groups have rows is decided by bytes.
        shown.sort_unstable();
        let mut of_group = vec![None; tally.len()];
        for row in &rows.all {
            of_group[row.group as usize] = Some(shown.len());
        }
        for (line, (_, group)) in shown.iter().enumerate() {
            of_group[*group as usize] = Some(line);
        }
        let others = shown.len() < rows.all.len();
        let mut keys: Vec<Option<Vec<KeyPart>>> = shown.into_iter().map(|(key, _)| Some(key)).collect();
        keys.extend(others.then_some(None));
        Self { keys, of_group }
    }
}

/// The samples of each line in each slot from the first to the last that has one.
struct Curves {
    slots: Vec<Slot>,
    /// Per slot the lines.
    sums: Vec<Sums>,
    lines: usize,
}

impl Curves {
    fn new(counted: &Counted<'_>, tally: &ViewTally, lines: &Lines) -> Result<Self, Error> {
        let samples = || {
            let samples = tally.samples();
            samples.filter_map(|(number, group, sums)| {
                Some((number as usize, lines.of_group[group as usize]?, sums))
            })
        };
        let mut seen: Vec<bool> = Vec::new();
        for (number, _, _) in samples() {
            if number >= seen.len() {
                seen.resize(number + 1, false);
            }
            seen[number] = true;
        }
        let slot = |(number, seen): (u32, &bool)| seen.then(|| counted.tally.slots.get(number)).flatten();
        let found: Vec<Option<Slot>> = (0..).zip(&seen).map(slot).collect();
        let known = || found.iter().flatten();
        let mut curves = Self { slots: Vec::new(), sums: Vec::new(), lines: lines.keys.len() };
        let Some((first, last)) = known().min().zip(known().max()) else { return Ok(curves) };
        check_length(counted, (*first, *last), curves.lines)?;
        curves.slots = counted.rules.grid.between(*first, *last).collect();
        curves.sums = vec![Sums::default(); curves.slots.len() * curves.lines];
        let place = |slot: &Option<Slot>| curves.slots.binary_search(slot.as_ref()?).ok();
        let places: Vec<Option<usize>> = found.iter().map(place).collect();
        for (number, line, sums) in samples() {
            if let Some(place) = places[number] {
                curves.sums[place * curves.lines + line].merge(sums);
            }
        }
        Ok(curves)
    }

    fn rows(&self) -> impl Iterator<Item = (Slot, &[Sums])> {
        self.slots.iter().copied().zip(self.sums.chunks(self.lines.max(1)))
    }
}

fn check_length(counted: &Counted<'_>, (first, last): (Slot, Slot), lines: usize) -> Result<(), Error> {
    let rows = counted.rules.grid.count(first, last).saturating_mul(lines as u64);
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

fn table(counted: &Counted<'_>, by: &[Dimension], lines: &Lines, curves: &Curves) -> Table {
    let epoch = Column { machine: true, ..key_column("slot_start_epoch", Unit::Number) };
    let mut columns = vec![key_column("slot_start", Unit::Text), epoch, key_column("slot_end", Unit::Text)];
    columns.extend(groups::key_columns(by));
    let keys = columns.len();
    columns.extend([column("requests", Unit::Count), column("bytes", Unit::Bytes), column("bps", Unit::Bps)]);
    let mut rows = Vec::new();
    let mut total = Sums::default();
    for (slot, sums) in curves.rows() {
        let (start, end) = (counted.second(slot.start), counted.second(slot.end));
        for (key, sums) in lines.keys.iter().zip(sums) {
            total.merge(*sums);
            let mut row = vec![start.clone(), Cell::Integer(i128::from(slot.start)), end.clone()];
            row.extend(match key {
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
