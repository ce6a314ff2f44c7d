//! `bandwho latency`: how long users waited.

use super::Counted;
use super::figures::{Sum, group_numbers};
use super::top::{self, Ranking};
use crate::aggregate::Timing;
use crate::aggregate::timing::LARGE_BYTES;
use crate::error::Error;
use crate::query::metric::Rung;
use crate::query::{Dimension, Extras, Limits, Metric, Timings, View};
use crate::report::chart::Bars;
use crate::report::{Cell, Chart, Column, Fact, Report, Unit, human};

/// The metrics by default, before those of [`Rung`].
const METRICS: [Metric; 13] = [
    Metric::Requests,
    Metric::RtP50,
    Metric::RtP95,
    Metric::RtP99,
    Metric::RtMax,
    Metric::SlowShare,
    Metric::Apdex,
    Metric::ThroughputP50,
    Metric::Aborted,
    Metric::RtAvg,
    Metric::Timed,
    Metric::Large,
    Metric::ZeroDuration,
];

/// What people see of them where there is one row: with the widest numbers 80 columns.
const SHOWN: [Metric; 8] = [
    Metric::Requests,
    Metric::RtP50,
    Metric::RtP95,
    Metric::RtP99,
    Metric::RtMax,
    Metric::SlowShare,
    Metric::Apdex,
    Metric::ThroughputP50,
];

/// And in groups, whose keys take up to 23 of the 80 columns.
const SHOWN_BY: [Metric; 6] =
    [Metric::Requests, Metric::RtP50, Metric::RtP95, Metric::RtP99, Metric::SlowShare, Metric::Apdex];

/// What is counted for it.
pub fn view(by: Vec<Dimension>, metrics: &[Metric], limits: Limits) -> View {
    View { extras: Extras::Kept, timings: Timings::Kept(limits), ..View::new(by, metrics) }
}

/// The metrics that the answer has: those named, or all.
pub fn metrics(named: Option<Vec<Metric>>) -> Vec<Metric> {
    let all = || METRICS.into_iter().chain(Rung::ALL.map(Metric::Within)).collect();
    named.unwrap_or_else(all)
}

/// The answer of the only view of the rules, which is that of [`view`]. `columns` tells whether the metrics were named.
/// Fails if temporary files cannot be read.
pub fn report(
    counted: &Counted<'_>,
    ranking: &Ranking,
    limits: Limits,
    columns: Columns,
) -> Result<Report, Error> {
    let view = &counted.rules.views[0];
    let mut table = top::table(counted, 0, ranking)?;
    if columns == Columns::Usual {
        let shown: &[Metric] = if view.by.is_empty() { &SHOWN } else { &SHOWN_BY };
        let usual = |column: &Column| shown.iter().any(|metric| metric.name() == column.name);
        let more = table.columns.iter_mut().filter(|column| !column.key && !usual(column));
        more.for_each(|column| column.machine = true);
    }
    let mut charts = Vec::new();
    if view.by.is_empty() {
        // The only row is all there is.
        (table.other, table.total) = (None, None);
        charts.extend(ladder(&Sum::of(counted, &counted.tally.views[0]).timing));
    }
    let integer = |number: u64| Cell::Integer(number.into());
    let fact = |name, label, unit, value| Fact { name, label, unit, value: integer(value) };
    let mut facts = vec![
        fact("apdex_us", "apdex T", Unit::Micros, limits.apdex_us),
        fact("slow_us", "slow beyond", Unit::Micros, limits.slow_us),
        fact("large_bytes", "", Unit::Bytes, LARGE_BYTES),
    ];
    facts.extend(apart(counted)?);
    Ok(Report {
        schema: "bandwho.latency/1",
        input: counted.input(),
        facts,
        tables: vec![table],
        charts,
        ..Report::default()
    })
}

/// Whether the metrics were named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// All are for people.
    Named,
    /// Some are for machines only.
    Usual,
}

/// For people, who would take percentiles and Apdex for those of all requests: the fastest and the slowest may be missing.
fn apart(counted: &Counted<'_>) -> Result<Vec<Fact>, Error> {
    let (mut zero, mut aborted, mut requests) = (0, 0, 0);
    counted.tally.parts(0, |tally| {
        for group in group_numbers(tally) {
            let timing = tally.timing(group);
            zero += timing.map_or(0, |timing| timing.zero_duration);
            aborted += timing.map_or(0, |timing| timing.aborted);
            requests += tally.sums(group).requests;
        }
    })?;
    let fact = |(label, count): (&'static str, u64)| {
        let [some, all] = [count, requests].map(|count| human::count(count.into()));
        let words = format!("{some} of {all} requests: counted apart, in no time, share or score");
        Fact { name: "", label, unit: Unit::Text, value: Cell::Text(words.into_bytes()) }
    };
    let counts = [("logged 0 s", zero), ("aborted", aborted)];
    Ok(counts.into_iter().filter(|(_, count)| *count > 0).map(fact).collect())
}

/// How many requests were how fast; none if that is known of none.
fn ladder(timing: &Timing) -> Option<Chart> {
    if timing.times.count() == 0 {
        return None;
    }
    let mut below = 0;
    let mut bars = Vec::new();
    for (rung, within) in Rung::ALL.into_iter().zip(timing.within) {
        bars.push((format!("up to {} s", rung.seconds()), within - below));
        below = within;
    }
    let longest = Rung::ALL.map(Rung::seconds).into_iter().max().unwrap_or(0);
    bars.push((format!("beyond {longest} s"), timing.times.count() - below));
    Some(Chart::Bars(Bars { title: "Response times".to_owned(), bars }))
}
