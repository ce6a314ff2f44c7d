//! What metrics are made of, and the metrics.

use super::rates::{self, Period, Sample};
use super::{Counted, integer, share};
use crate::aggregate::distinct::Distinct;
use crate::aggregate::histogram::Histogram;
use crate::aggregate::{Extra, Sums, Timing, ViewTally};
use crate::billing::rate_bps;
use crate::query::Metric;
use crate::query::filter::Number;
use crate::query::metric::Kind;
use crate::report::{Cell, Column, Unit};

/// The counts of a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures<'a> {
    pub(super) sums: Sums,
    pub(super) extra: Extra,
    pub(super) timing: Option<&'a Timing>,
    pub(super) clients: Option<&'a Distinct>,
    /// In order of time.
    pub(super) samples: &'a [Sample],
    /// Bytes in the slots that set the 95th of all groups together.
    pub(super) driving: u128,
}

/// The counts of many rows together.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    pub(super) sums: Sums,
    pub(super) extra: Extra,
    pub(super) timing: Timing,
    pub(super) clients: Distinct,
    pub(super) samples: Vec<Sample>,
    pub(super) driving: u128,
}

impl Figures<'_> {
    /// The same counts, on their own.
    pub(super) fn owned(&self) -> Sum {
        let Self { sums, extra, timing, clients, samples, driving } = *self;
        let (timing, clients) = (timing.cloned().unwrap_or_default(), clients.cloned().unwrap_or_default());
        Sum { sums, extra, timing, clients, samples: samples.to_vec(), driving }
    }
}

impl Sum {
    /// Adds another sum with its samples.
    pub(super) fn merge(&mut self, other: &Self) {
        self.add(&other.figures());
        self.samples.extend(&other.samples);
        self.samples.sort_unstable();
        self.samples.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 += later.1;
            }
            same
        });
    }

    /// All that a view counted.
    pub(super) fn of(counted: &Counted<'_>, tally: &ViewTally) -> Self {
        let mut sum = Self::default();
        for group in group_numbers(tally) {
            if is_empty(tally, group) {
                continue;
            }
            let figures = Figures {
                sums: tally.sums(group),
                extra: tally.extra(group),
                timing: tally.timing(group),
                clients: tally.clients(group),
                ..Figures::default()
            };
            sum.add(&figures);
        }
        Self { samples: per_slot(counted, tally, |group| !is_empty(tally, group)), ..sum }
    }

    /// Adds the counts of a row but for its samples.
    pub(super) fn add(&mut self, figures: &Figures<'_>) {
        let Figures { sums, extra, timing, clients, samples: _, driving } = figures;
        self.sums.merge(*sums);
        self.extra.merge(*extra);
        if let Some(timing) = timing {
            self.timing.merge(timing);
        }
        if let Some(clients) = clients {
            self.clients.merge(clients);
        }
        self.driving += driving;
    }

    pub(super) fn figures(&self) -> Figures<'_> {
        let Self { sums, extra, timing, clients, samples, driving } = self;
        Figures {
            sums: *sums,
            extra: *extra,
            timing: Some(timing),
            clients: Some(clients),
            samples,
            driving: *driving,
        }
    }
}

/// The numbers of a view's groups.
pub(super) fn group_numbers(tally: &ViewTally) -> impl Iterator<Item = u32> + use<> {
    0..u32::try_from(tally.len()).expect("groups are numbered in 32 bits")
}

/// True for a group that limits in time left nothing of.
pub(super) fn is_empty(tally: &ViewTally, group: u32) -> bool {
    tally.sums(group) == Sums::default()
}

/// The bytes per slot of the wanted groups, in order of time.
pub(super) fn per_slot(
    counted: &Counted<'_>,
    tally: &ViewTally,
    wanted: impl Fn(u32) -> bool,
) -> Vec<Sample> {
    let mut sums: Vec<Option<u128>> = Vec::new();
    for (number, group, sample) in tally.samples() {
        if wanted(group) {
            let at = number as usize;
            if at >= sums.len() {
                sums.resize(at + 1, None);
            }
            *sums[at].get_or_insert(0) += sample.bytes;
        }
    }
    let sample = |(number, bytes): (u32, Option<u128>)| Some((counted.tally.slots.get(number)?, bytes?));
    let mut samples: Vec<Sample> = (0..).zip(sums).filter_map(sample).collect();
    samples.sort_unstable();
    samples
}

/// The samples of each group.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// Where those of a group begin; they end where those of the next begin.
    starts: Vec<usize>,
    samples: Vec<Sample>,
}

impl Series {
    /// The samples of the wanted groups: sorted by group by counting them, then by time.
    pub(super) fn new(counted: &Counted<'_>, tally: &ViewTally, wanted: impl Fn(u32) -> bool) -> Self {
        let all = || {
            let found = tally.samples().filter(|(_, group, _)| wanted(*group));
            found.filter_map(|(number, group, sums)| {
                Some((group as usize, (counted.tally.slots.get(number)?, sums.bytes)))
            })
        };
        let mut starts = vec![0; tally.len() + 1];
        all().for_each(|(group, _)| starts[group + 1] += 1);
        for group in 0..tally.len() {
            starts[group + 1] += starts[group];
        }
        let mut ends = starts.clone();
        let mut samples = vec![Sample::default(); starts[tally.len()]];
        for (group, sample) in all() {
            samples[ends[group]] = sample;
            ends[group] += 1;
        }
        // A pair of slot and group may occur more than once.
        let mut merged = 0;
        for group in 0..tally.len() {
            let from = merged;
            let found = starts[group]..ends[group];
            samples[found.clone()].sort_unstable();
            starts[group] = from;
            for at in found {
                let (slot, bytes) = samples[at];
                if merged > from && samples[merged - 1].0 == slot {
                    samples[merged - 1].1 += bytes;
                } else {
                    samples[merged] = (slot, bytes);
                    merged += 1;
                }
            }
        }
        starts[tally.len()] = merged;
        samples.truncate(merged);
        Self { starts, samples }
    }

    /// The samples of a group in order of time; none of one that was not wanted.
    pub(super) fn of(&self, group: u32) -> &[Sample] {
        let at = group as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&from), Some(&to)) => &self.samples[from..to],
            _ => &[],
        }
    }
}

/// The column of a metric.
pub(super) fn metric_column(metric: Metric) -> Column {
    let unit = match metric.kind() {
        Kind::Share if metric == Metric::Apdex => Unit::Score,
        Kind::Share => Unit::Share,
        Kind::Count => Unit::Count,
        Kind::Bytes => Unit::Bytes,
        Kind::Rate => Unit::Bps,
        Kind::ByteRate => Unit::ByteRate,
        Kind::Duration => Unit::Micros,
        Kind::Instant => Unit::Text,
    };
    super::column(metric.name(), unit)
}

/// A metric as a sortable number: the larger, the higher in a ranking; `None` sorts last.
pub(super) fn measure(figures: &Figures<'_>, metric: Metric, period: Option<Period>) -> Option<u128> {
    let Figures { sums, extra, timing, clients, samples, driving } = *figures;
    let count = |of: fn(&Timing) -> u64| Some(timing.map_or(0, of).into());
    let percentile = |values: Option<&Histogram>, percent| values?.percentile(percent).map(u128::from);
    let waits = timing.map(|timing| &timing.times);
    match metric {
        Metric::Requests => Some(sums.requests.into()),
        Metric::Bytes | Metric::Share => Some(sums.bytes),
        Metric::BytesIn => Some(extra.bytes_in),
        Metric::AvgBps => period.map(|period| rate_bps(sums.bytes, period.seconds())),
        Metric::PeakBps => period.map(|_| rates::peak(samples, period).map_or(0, |(rate, _)| rate)),
        Metric::PeakAt => rates::peak(samples, period).and_then(|(_, slot)| u128::try_from(slot.start).ok()),
        Metric::P95Bps => rates::p95(samples, period),
        Metric::DriverShare => period.map(|_| driving),
        Metric::Clients => Some(clients.map_or(0, Distinct::count).into()),
        Metric::RtAvg => {
            let timed = u128::from(extra.timed);
            (timed > 0).then(|| (extra.duration_us + timed / 2) / timed)
        }
        Metric::RtMax => (extra.timed > 0).then(|| extra.duration_max_us.into()),
        Metric::Timed => Some(extra.timed.into()),
        Metric::RtP50 => percentile(waits, 50),
        Metric::RtP95 => percentile(waits, 95),
        Metric::RtP99 => percentile(waits, 99),
        Metric::ThroughputP50 => percentile(timing.map(|timing| &timing.throughputs), 50),
        Metric::SlowShare | Metric::Apdex => {
            let (part, all) = ratio(timing?, metric)?;
            Some((u128::from(part) << 64) / u128::from(all))
        }
        Metric::Within(rung) => Some(timing.map_or(0, |timing| timing.within[rung as usize]).into()),
        Metric::Large => count(|timing| timing.throughputs.count()),
        Metric::Aborted => count(|timing| timing.aborted),
        Metric::ZeroDuration => count(|timing| timing.zero_duration),
        Metric::Errors4xx => Some(extra.errors_4xx.into()),
        Metric::Errors5xx => Some(extra.errors_5xx.into()),
    }
}

/// A metric as `--having` compares it.
pub(super) fn number(
    figures: &Figures<'_>,
    metric: Metric,
    total: &Figures<'_>,
    period: Option<Period>,
) -> Option<Number> {
    let part = |part: u128, whole: u128| (whole > 0).then_some(Number::Part { part, whole });
    match metric {
        Metric::Share => part(figures.sums.bytes, total.sums.bytes),
        Metric::DriverShare => part(figures.driving, total.driving),
        Metric::SlowShare | Metric::Apdex => {
            let (of, all) = ratio(figures.timing?, metric)?;
            part(of.into(), all.into())
        }
        other => measure(figures, other, period).map(Number::Whole),
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
    figures: &Figures<'_>,
    metric: Metric,
    total: &Figures<'_>,
    period: Option<Period>,
) -> Cell {
    match metric {
        Metric::Share => share(figures.sums.bytes, total.sums.bytes),
        Metric::DriverShare => share(figures.driving, total.driving),
        #[allow(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
        Metric::SlowShare | Metric::Apdex => figures
            .timing
            .and_then(|timing| ratio(timing, metric))
            .map_or(Cell::Null, |(part, all)| Cell::Share(part as f64 / all as f64)),
        Metric::PeakAt => {
            rates::peak(figures.samples, period).map_or(Cell::Null, |(_, slot)| counted.second(slot.start))
        }
        metric => match measure(figures, metric, period) {
            Some(number) => integer(number),
            None => Cell::Null,
        },
    }
}
