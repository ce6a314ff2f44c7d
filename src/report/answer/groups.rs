//! The groups of a view, with the metrics of any set of them.

use std::collections::BTreeMap;

use super::{Counted, integer, key_column, share};
use crate::aggregate::histogram::Histogram;
use crate::aggregate::{Extra, Sums, Timing, ViewTally};
use crate::billing::rank::{RankRule, rank};
use crate::billing::rate_bps;
use crate::query::{Dimension, Metric, TimePart, View};
use crate::report::{Cell, Column, Unit};
use crate::time::{Slot, Timestamp};

/// One value of a key; the order of ties: known before unknown, times as numbers, text as bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeyPart {
    Time(i64),
    Text(Vec<u8>),
    Unknown,
}

/// A row before it is printed.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) key: Vec<KeyPart>,
    pub(super) sums: Sums,
    pub(super) extra: Extra,
    pub(super) timing: Timing,
    /// Bytes per slot of the period.
    pub(super) samples: BTreeMap<Slot, u128>,
    /// Bytes in the slots that set the 95th of all groups together.
    pub(super) driving: u128,
}

impl Group {
    /// Adds another group's counts.
    pub(super) fn add(&mut self, other: &Self) {
        let Self { key: _, sums, extra, timing, samples, driving } = other;
        self.sums.merge(*sums);
        self.extra.merge(*extra);
        self.timing.merge(timing);
        for (slot, bytes) in samples {
            *self.samples.entry(*slot).or_default() += bytes;
        }
        self.driving += driving;
    }
}

/// All groups of a view, in no order. Samples are kept where `metrics` need them.
pub(super) fn groups(
    counted: &Counted<'_>,
    view: &View,
    tally: &ViewTally,
    metrics: &[Metric],
) -> Vec<Group> {
    if view.by.iter().any(|dimension| matches!(dimension, Dimension::Time(_))) {
        return timed_groups(counted, view, tally);
    }
    let mut groups: Vec<Group> = keys(tally)
        .map(|(group, key)| Group {
            key,
            sums: tally.sums(group),
            extra: tally.extra(group),
            timing: tally.timing(group).cloned().unwrap_or_default(),
            samples: BTreeMap::new(),
            driving: 0,
        })
        .collect();
    if metrics.iter().any(|metric| metric.needs_series()) {
        for (slot, group, sums) in tally.samples() {
            if let Some(slot) = counted.tally.slots.get(slot) {
                *groups[group as usize].samples.entry(slot).or_default() += sums.bytes;
            }
        }
    }
    groups.retain(|group| group.sums != Sums::default());
    if let Some(period) = Period::of(counted).filter(|_| metrics.contains(&Metric::DriverShare)) {
        drive(&mut groups, period);
    }
    groups
}

/// The numbers of a view's groups, in order, with their keys but for the times.
pub(super) fn keys(tally: &ViewTally) -> impl Iterator<Item = (u32, Vec<KeyPart>)> {
    (0..tally.len()).map(|group| {
        let group = u32::try_from(group).expect("groups are numbered in 32 bits");
        (group, tally.values(group).into_iter().map(text).collect())
    })
}

/// Groups whose key has a time: made of samples.
fn timed_groups(counted: &Counted<'_>, view: &View, tally: &ViewTally) -> Vec<Group> {
    let mut times: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    let mut groups: BTreeMap<(u32, Vec<i64>), Sums> = BTreeMap::new();
    for (number, group, sums) in tally.samples() {
        let time = times.entry(number).or_insert_with(|| {
            let slot = counted.tally.slots.get(number);
            view.by.iter().filter_map(|dimension| time_part(counted, dimension, slot?)).collect()
        });
        groups.entry((group, time.clone())).or_default().merge(sums);
    }
    let group = |((group, times), sums): ((u32, Vec<i64>), Sums)| {
        let mut times = times.into_iter();
        let mut texts = tally.values(group).into_iter();
        let part = |dimension: &Dimension| match dimension {
            Dimension::Time(_) => times.next().map_or(KeyPart::Unknown, KeyPart::Time),
            _ => texts.next().map_or(KeyPart::Unknown, text),
        };
        Group { key: view.by.iter().map(part).collect(), sums, ..Group::default() }
    };
    groups.into_iter().map(group).collect()
}

fn text(value: Option<&[u8]>) -> KeyPart {
    value.map_or(KeyPart::Unknown, |text| KeyPart::Text(text.to_vec()))
}

fn time_part(counted: &Counted<'_>, dimension: &Dimension, slot: Slot) -> Option<i64> {
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

/// The column of a metric.
pub(super) fn metric_column(metric: Metric) -> Column {
    let unit = match metric {
        Metric::Requests | Metric::Errors4xx | Metric::Errors5xx => Unit::Count,
        Metric::Timed | Metric::Within(_) | Metric::Large | Metric::Aborted | Metric::ZeroDuration => {
            Unit::Count
        }
        Metric::Bytes | Metric::BytesIn => Unit::Bytes,
        Metric::Share | Metric::DriverShare | Metric::SlowShare => Unit::Share,
        Metric::Apdex => Unit::Score,
        Metric::ThroughputP50 => Unit::ByteRate,
        Metric::AvgBps | Metric::PeakBps | Metric::P95Bps => Unit::Bps,
        Metric::PeakAt => Unit::Text,
        Metric::RtAvg | Metric::RtP50 | Metric::RtP95 | Metric::RtP99 | Metric::RtMax => Unit::Micros,
    };
    super::column(metric.name(), unit)
}

/// The slots that rates are taken over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) first: Slot,
    pub(super) last: Slot,
    pub(super) slots: u64,
}

impl Period {
    pub(super) fn of(counted: &Counted<'_>) -> Option<Self> {
        let (first, last) = counted.period()?;
        Some(Self { first, last, slots: counted.rules.grid.count(first, last) })
    }

    pub(super) fn seconds(self) -> u64 {
        self.last.end.abs_diff(self.first.start)
    }
}

/// A metric as a sortable number: the larger, the higher in a ranking; `None` sorts last.
pub(super) fn measure(group: &Group, metric: Metric, period: Option<Period>) -> Option<u128> {
    let Group { sums, extra, timing, .. } = group;
    let percentile = |values: &Histogram, percent| values.percentile(percent).map(u128::from);
    match metric {
        Metric::Requests => Some(sums.requests.into()),
        Metric::Bytes | Metric::Share => Some(sums.bytes),
        Metric::BytesIn => Some(extra.bytes_in),
        Metric::AvgBps => period.map(|period| rate_bps(sums.bytes, period.seconds())),
        Metric::PeakBps => period.map(|_| peak(group, period).map_or(0, |(rate, _)| rate)),
        Metric::PeakAt => peak(group, period).and_then(|(_, slot)| u128::try_from(slot.start).ok()),
        Metric::P95Bps => p95(group, period),
        Metric::DriverShare => period.map(|_| group.driving),
        Metric::RtAvg => {
            let timed = u128::from(extra.timed);
            (timed > 0).then(|| (extra.duration_us + timed / 2) / timed)
        }
        Metric::RtMax => (extra.timed > 0).then(|| extra.duration_max_us.into()),
        Metric::Timed => Some(extra.timed.into()),
        Metric::RtP50 => percentile(&timing.times, 50),
        Metric::RtP95 => percentile(&timing.times, 95),
        Metric::RtP99 => percentile(&timing.times, 99),
        Metric::ThroughputP50 => percentile(&timing.throughputs, 50),
        Metric::SlowShare | Metric::Apdex => {
            let (part, all) = ratio(timing, metric)?;
            Some((u128::from(part) << 64) / u128::from(all))
        }
        Metric::Within(rung) => Some(timing.within[rung as usize].into()),
        Metric::Large => Some(timing.throughputs.count().into()),
        Metric::Aborted => Some(timing.aborted.into()),
        Metric::ZeroDuration => Some(timing.zero_duration.into()),
        Metric::Errors4xx => Some(extra.errors_4xx.into()),
        Metric::Errors5xx => Some(extra.errors_5xx.into()),
    }
}

/// Part and whole of a metric that is a share of the response times; none without any.
fn ratio(timing: &Timing, metric: Metric) -> Option<(u64, u64)> {
    let all = timing.times.count();
    let (part, all) = match metric {
        Metric::Apdex => {
            // One half of those that are tolerated: the whole is counted in halves.
            let halves = timing.satisfied.saturating_mul(2).saturating_add(timing.tolerated);
            (halves, all.saturating_mul(2))
        }
        _ => (timing.slow, all),
    };
    (all > 0).then_some((part, all))
}

/// A metric's cell.
pub(super) fn metric_cell(
    counted: &Counted<'_>,
    group: &Group,
    metric: Metric,
    total: &Group,
    period: Option<Period>,
) -> Cell {
    match metric {
        Metric::Share => share(group.sums.bytes, total.sums.bytes),
        Metric::DriverShare => share(group.driving, total.driving),
        #[allow(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
        Metric::SlowShare | Metric::Apdex => ratio(&group.timing, metric)
            .map_or(Cell::Null, |(part, all)| Cell::Share(part as f64 / all as f64)),
        Metric::PeakAt => peak(group, period).map_or(Cell::Null, |(_, slot)| counted.second(slot.start)),
        metric => match measure(group, metric, period) {
            Some(number) => integer(number),
            None => Cell::Null,
        },
    }
}

/// Adds up each group's bytes in the slots whose sample of all groups is at or above their 95th by the default rank rule.
/// As in a bill, samples are ranked before anything is rounded, ties are in, and a 95th of nothing is driven by all.
fn drive(groups: &mut [Group], period: Period) {
    let mut all: BTreeMap<Slot, u128> = BTreeMap::new();
    for (slot, bytes) in groups.iter().flat_map(|group| group.samples.range(period.first..=period.last)) {
        *all.entry(*slot).or_default() += bytes;
    }
    // Slots of a day are not equally long where clocks change.
    let by_rate = |(slot, bytes): &(Slot, u128), (other, others): &(Slot, u128)| {
        let [mine, theirs] = [(bytes, other), (others, slot)]
            .map(|(bytes, slot)| bytes.saturating_mul(u128::from(slot.seconds())));
        mine.cmp(&theirs)
    };
    let mut samples: Vec<(Slot, u128)> = all.iter().map(|(slot, bytes)| (*slot, *bytes)).collect();
    let place = rank(RankRule::FloorDiscard, period.slots).and_then(|rank| usize::try_from(rank.whole).ok());
    if let Some(place) = place.filter(|place| *place <= samples.len()) {
        let (_, billed, _) = samples.select_nth_unstable_by(place - 1, |one, other| by_rate(other, one));
        let billed = *billed;
        all.retain(|slot, bytes| by_rate(&(*slot, *bytes), &billed).is_ge());
    }
    for group in groups {
        group.driving =
            group.samples.iter().filter(|(slot, _)| all.contains_key(slot)).map(|(_, bytes)| bytes).sum();
    }
}

/// The rates of a group's samples inside the period; slots without one are 0.
fn rates(group: &Group, period: Period) -> impl Iterator<Item = (u128, Slot)> {
    let inside = group.samples.range(period.first..=period.last);
    inside.map(|(slot, bytes)| (rate_bps(*bytes, slot.seconds()), *slot))
}

/// The highest rate and the first slot that has it; none without a sample.
pub(super) fn peak(group: &Group, period: Option<Period>) -> Option<(u128, Slot)> {
    let period = period?;
    let highest = |best: (u128, Slot), rate: (u128, Slot)| if rate.0 > best.0 { rate } else { best };
    rates(group, period).reduce(highest)
}

/// The 95th percentile of the period's rates, zeros included, by the default rank rule.
pub(super) fn p95(group: &Group, period: Option<Period>) -> Option<u128> {
    let period = period?;
    let place = usize::try_from(rank(RankRule::FloorDiscard, period.slots)?.whole).ok()?;
    let mut rates: Vec<u128> = rates(group, period).map(|(rate, _)| rate).collect();
    if place > rates.len() {
        return Some(0);
    }
    let (_, nth, _) = rates.select_nth_unstable_by(place - 1, |a, b| b.cmp(a));
    Some(*nth)
}
