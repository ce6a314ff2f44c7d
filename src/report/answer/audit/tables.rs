//! The tables of an audit: both sides' figures, samples, who was in them, what is missing.

use super::facts;
use crate::billing::audit::{Audit, Decider, Figures, Gaps, ONE_PPM, Pair, scaled};
use crate::billing::rate_bps;
use crate::query::Dimension;
use crate::report::answer::figures::group_numbers;
use crate::report::answer::groups;
use crate::report::answer::rows::{Row, Rows};
use crate::report::answer::{Counted, column, integer, key_column};
use crate::report::{Cell, Column, Other, Table, Unit};

/// Both sides, line by line from the raw to the adjusted figures, each with its difference to the port's.
pub(super) fn figures(audit: &Audit) -> Table {
    let columns = vec![
        key_column("side", Unit::Text),
        column("bytes", Unit::Bytes),
        column("p95_bps", Unit::Bps),
        column("peak_bps", Unit::Bps),
        column("bytes_diff", Unit::Share),
        column("p95_diff", Unit::Share),
    ];
    let row = |side: String, figures: &Figures, differs: bool| {
        let difference = |decider| match audit.difference_ppm(figures, decider) {
            Some(millionths) if differs => Cell::Share(facts::share(millionths)),
            _ => Cell::Null,
        };
        vec![
            Cell::Text(side.into_bytes()),
            integer(figures.bytes),
            integer(figures.p95_bps),
            integer(figures.peak_bps),
            difference(Decider::Volume),
            difference(Decider::P95),
        ]
    };
    let lag = audit.skew.lag;
    let mut rows =
        vec![row("port".to_owned(), &audit.port, false), row("logs".to_owned(), &audit.logs_unshifted, true)];
    if lag != 0 {
        rows.push(row(format!("logs {lag:+} s"), &audit.logs, true));
    }
    if audit.applied_ppm != ONE_PPM {
        rows.push(row(facts::adjusted(audit), &audit.adjusted, true));
    }
    table("figures", "Figures of the common samples", columns, rows)
}

/// The samples of those numbers, with every figure.
pub(super) fn samples(
    counted: &Counted<'_>,
    audit: &Audit,
    numbers: impl Iterator<Item = usize>,
    name: &str,
) -> Table {
    let columns = vec![
        key_column("start", Unit::Text),
        machine(key_column("start_epoch", Unit::Number)),
        key_column("end", Unit::Text),
        column("port_bytes", Unit::Bytes),
        column("port_bps", Unit::Bps),
        column("log_bytes", Unit::Bytes),
        column("log_bps", Unit::Bps),
        column("adjusted_bps", Unit::Bps),
        column("ratio", Unit::Share),
        column("difference_bps", Unit::Bps),
        column("unexplained_bps", Unit::Bps),
    ];
    let row = |at: usize| {
        let pair = &audit.pairs[at];
        let rates = Rates::new(audit, pair);
        vec![
            counted.second(pair.start),
            Cell::Integer(pair.start.into()),
            counted.second(pair.end),
            integer(pair.port),
            integer(rates.port),
            integer(pair.logs),
            integer(rates.logs),
            integer(rates.adjusted),
            ratio(pair),
            Cell::Integer(signed(rates.port, rates.adjusted)),
            Cell::Integer(signed(rates.port, rates.expected)),
        ]
    };
    table(name, "", columns, numbers.map(row).collect())
}

/// The samples that disagree most, as far as a page needs them.
pub(super) fn worst(counted: &Counted<'_>, audit: &Audit, numbers: &[usize]) -> Table {
    let columns = vec![
        key_column("start", Unit::Text),
        column("port_bps", Unit::Bps),
        column("log_bps", Unit::Bps),
        column("ratio", Unit::Share),
        column("unexplained_bps", Unit::Bps),
    ];
    let row = |&at: &usize| {
        let pair = &audit.pairs[at];
        let rates = Rates::new(audit, pair);
        let unexplained = signed(rates.port, rates.expected);
        vec![
            counted.second(pair.start),
            integer(rates.port),
            integer(rates.logs),
            ratio(pair),
            Cell::Integer(unexplained),
        ]
    };
    let rows = numbers.iter().map(row).collect();
    table("worst", "Samples that disagree most, beyond the factor that fits best", columns, rows)
}

/// Whose bytes the logs have in those samples. A slot that lies in them in part counts in proportion.
pub(super) fn drivers(
    counted: &Counted<'_>,
    audit: &Audit,
    numbers: &[usize],
    shown: usize,
) -> Option<Table> {
    let view = counted.rules.views.first().filter(|view| !view.by.is_empty())?;
    let tally = counted.tally.views.first()?;
    let mut intervals: Vec<(i64, i64)> = numbers
        .iter()
        .map(|&at| (audit.pairs[at].start - audit.skew.lag, audit.pairs[at].end - audit.skew.lag))
        .collect();
    intervals.sort_unstable();
    // Polls that came a little early overlap; apart, the intervals are also in order of their ends.
    intervals.dedup_by(|later, earlier| {
        let touches = later.0 <= earlier.1;
        if touches {
            earlier.1 = earlier.1.max(later.1);
        }
        touches
    });
    let mut overlaps: Vec<Option<(u64, u64)>> = Vec::new();
    let mut sums: Vec<Option<InThem>> = vec![None; tally.len()];
    for (number, group, counts) in tally.samples() {
        let Some(slot) = counted.tally.slots.get(number) else { continue };
        let at = number as usize;
        if at >= overlaps.len() {
            overlaps.resize(at + 1, None);
        }
        let (inside, seconds) = *overlaps[at]
            .get_or_insert_with(|| (overlap(&intervals, slot.start, slot.end), slot.seconds().max(1)));
        let InThem { bytes, overall } = sums[group as usize].get_or_insert_default();
        *overall += counts.bytes;
        *bytes += counts.bytes.saturating_mul(inside.into()) / u128::from(seconds);
    }
    let counts = group_numbers(tally).filter(|group| sums[*group as usize].is_some());
    Some(drivers_table(counted, &view.by, &Rows::of(&view.by, tally, counts), &sums, shown))
}

/// Bytes of a group in the samples that were asked for, and in all.
#[derive(Debug, Clone, Copy, Default)]
struct InThem {
    bytes: u128,
    overall: u128,
}

fn drivers_table(
    counted: &Counted<'_>,
    by: &[Dimension],
    rows: &Rows<'_>,
    sums: &[Option<InThem>],
    shown: usize,
) -> Table {
    let of = |row: &Row| sums[row.group as usize].unwrap_or_default();
    let places = rows.first(shown.min(rows.all.len()), |row| Some(of(row).bytes));
    let mut total = InThem::default();
    for row in &rows.all {
        total.bytes += of(row).bytes;
        total.overall += of(row).overall;
    }
    let mut other = total;
    for &at in &places {
        let shown = of(&rows.all[at as usize]);
        other.bytes -= shown.bytes;
        other.overall -= shown.overall;
    }
    let share = |part: u128, whole: u128| {
        let millionths = part.saturating_mul(ONE_PPM.into()).checked_div(whole);
        millionths
            .map_or(Cell::Null, |share| Cell::Share(facts::ratio(u64::try_from(share).unwrap_or(u64::MAX))))
    };
    let metrics = |sums: InThem| {
        [integer(sums.bytes), share(sums.bytes, total.bytes), share(sums.overall, total.overall)]
    };
    let keys = groups::key_columns(by);
    let blank = vec![Cell::Null; keys.len()];
    let footer = |sums| blank.iter().cloned().chain(metrics(sums)).collect::<Vec<_>>();
    let row = |&at: &u32| {
        let row = &rows.all[at as usize];
        groups::key_cells(counted, by, &rows.key(row)).into_iter().chain(metrics(of(row))).collect()
    };
    let measured =
        [column("bytes", Unit::Bytes), column("share", Unit::Share), column("share_overall", Unit::Share)];
    Table {
        by: by.iter().map(|dimension| dimension.name().to_owned()).collect(),
        other: Some(Other { groups: (rows.all.len() - places.len()) as u64, cells: footer(other) }),
        total: Some(footer(total)),
        ..table(
            "drivers",
            "Who was in them, by the logs",
            keys.into_iter().chain(measured).collect(),
            places.iter().map(row).collect(),
        )
    }
}

/// Seconds that an interval shares with sorted ones that are apart.
fn overlap(intervals: &[(i64, i64)], start: i64, end: i64) -> u64 {
    let first = intervals.partition_point(|(_, to)| *to <= start);
    let touched = intervals[first..].iter().take_while(|(from, _)| *from < end);
    touched.map(|&(from, to)| from.max(start).abs_diff(to.min(end))).sum()
}

/// What either side does not have.
pub(super) fn missing(counted: &Counted<'_>, audit: &Audit, shown: usize) -> Table {
    let columns = vec![
        key_column("missing", Unit::Text),
        key_column("from", Unit::Text),
        machine(key_column("from_epoch", Unit::Number)),
        key_column("to", Unit::Text),
        machine(key_column("to_epoch", Unit::Number)),
        column("samples", Unit::Count),
    ];
    let rows = |side: &'static str, gaps: &Gaps| {
        let row = |run: &crate::billing::audit::Run| {
            vec![
                Cell::Text(side.as_bytes().to_vec()),
                counted.second(run.start),
                Cell::Integer(run.start.into()),
                counted.second(run.end),
                Cell::Integer(run.end.into()),
                Cell::Integer(run.samples.into()),
            ]
        };
        gaps.runs.iter().take(shown).map(row).collect::<Vec<_>>()
    };
    let rows = [
        rows("port", &audit.missing_port),
        rows("logs", &audit.missing_logs),
        rows("logs (silent)", &audit.silent_logs),
    ];
    table("missing", "Missing", columns, rows.concat())
}

/// A sample's rates in bit/s.
struct Rates {
    port: u128,
    logs: u128,
    adjusted: u128,
    expected: u128,
}

impl Rates {
    fn new(audit: &Audit, pair: &Pair) -> Self {
        let rate = |bytes| rate_bps(bytes, pair.seconds());
        Self {
            port: rate(pair.port),
            logs: rate(pair.logs),
            adjusted: rate(scaled(pair.logs, audit.applied_ppm)),
            expected: rate(audit.expected(pair)),
        }
    }
}

/// The port's bytes per byte of the logs.
fn ratio(pair: &Pair) -> Cell {
    let millionths = pair.port.saturating_mul(ONE_PPM.into()).checked_div(pair.logs);
    millionths
        .and_then(|millionths| u64::try_from(millionths).ok())
        .map_or(Cell::Null, |millionths| Cell::Share(facts::ratio(millionths)))
}

fn signed(one: u128, other: u128) -> i128 {
    let size = i128::try_from(one.abs_diff(other)).unwrap_or(i128::MAX);
    if one < other { -size } else { size }
}

fn machine(column: Column) -> Column {
    Column { machine: true, ..column }
}

fn table(name: &str, title: &str, columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    Table {
        name: name.to_owned(),
        title: title.to_owned(),
        by: Vec::new(),
        columns,
        rows,
        other: None,
        total: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_lie_in_intervals_in_part() {
        let intervals = [(0, 300), (600, 900), (1000, 1010)];
        let check =
            |start, end, expected| assert_eq!(overlap(&intervals, start, end), expected, "{start}..{end}");
        check(0, 300, 300);
        check(-300, 0, 0);
        check(210, 510, 90);
        check(300, 600, 0);
        check(100, 1300, 510);
        check(1005, 1300, 5);
        check(2000, 2300, 0);
    }
}
