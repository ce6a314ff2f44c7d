//! `bandwho [LOG]…`: how much, when, who.

use super::figures::{self, Sum, group_numbers, is_empty};
use super::rates::{self, Period};
use super::top::{self, Ranking};
use super::{Counted, integer};
use crate::billing::rate_bps;
use crate::error::Error;
use crate::query::{Basis, Dimension, Metric, Series, View};
use crate::report::{Cell, Fact, Report, Unit};

/// Rows of each panel.
const ROWS: usize = 5;

/// Columns of the rate's chart.
const CHART_WIDTH: u64 = 60;

/// The panels and their headings; `status` has all its rows.
const PANELS: [(Dimension, &str); 7] = [
    (Dimension::Idc, "data centres (idc)"),
    (Dimension::Region, "regions"),
    (Dimension::Org, "networks (org)"),
    (Dimension::Client, "clients"),
    (Dimension::Path, "paths"),
    (Dimension::Family, "programs (family)"),
    (Dimension::Status, "status"),
];

/// What the overview shows of what the logs and databases can tell.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// There is a server list.
    pub servers: bool,
    /// There is an IP database.
    pub places: bool,
}

/// The views of an overview: the first has the time series of everything.
pub fn views(known: Known, provided: impl Fn(&Dimension) -> bool) -> Vec<View> {
    let everything = View { series: Series::PerSlot, ..View::default() };
    let shown = PANELS.iter().filter(|(dimension, _)| match dimension {
        Dimension::Idc => known.servers,
        place if place.is_place() => known.places && provided(place),
        other => provided(other),
    });
    let panels = shown.map(|(dimension, _)| View { by: vec![dimension.clone()], ..View::default() });
    std::iter::once(everything).chain(panels).collect()
}

/// The answer; the views are those of [`views`]. Fails if temporary files cannot be read.
pub fn report(counted: &Counted<'_>) -> Result<Report, Error> {
    let mut tables = Vec::new();
    for (at, view) in counted.rules.views.iter().enumerate().skip(1) {
        let dimension = &view.by[0];
        let rows = (*dimension != Dimension::Status).then_some(ROWS);
        let (metrics, sort) = match counted.rules.basis {
            Basis::None => (vec![Metric::Requests], Metric::Requests),
            _ => (vec![Metric::Bytes, Metric::Share, Metric::Requests, Metric::AvgBps], Metric::Bytes),
        };
        let mut table = top::table(counted, at, &Ranking { metrics, sort, rows, having: None })?;
        table.name = dimension.name().to_owned();
        let title = PANELS.iter().find(|(panel, _)| panel == dimension).map_or("", |(_, title)| title);
        table.title = format!("Top {title}");
        tables.push(table);
    }
    Ok(Report {
        schema: "bandwho.overview/1",
        input: counted.input(),
        facts: facts(counted)?,
        tables,
        ..Report::default()
    })
}

fn facts(counted: &Counted<'_>) -> Result<Vec<Fact>, Error> {
    let all = Sum::of(counted, &counted.tally.views[0]);
    let period = Period::of(counted);
    let peak = rates::peak(&all.samples, period);
    let fact = |name, label, unit, value| Fact { name, label, unit, value };
    let number = |number: Option<u128>| number.map_or(Cell::Null, integer);
    let measure = |metric| number(figures::measure(&all.figures(), metric, period));
    let span = counted.span();
    let time =
        |time: Option<crate::time::Timestamp>| time.map_or(Cell::Null, |time| Cell::Time(counted.time(time)));
    let clients = counted.rules.views.iter().position(|view| view.by == [Dimension::Client]);
    let clients = clients.map(|at| known(counted, at)).transpose()?;
    Ok(vec![
        fact("from", "from", Unit::Text, time(span.map(|(first, _)| first))),
        fact("to", "to", Unit::Text, time(span.map(|(_, last)| last))),
        fact("requests", "requests", Unit::Count, number(Some(all.sums.requests.into()))),
        fact("bytes", "volume", Unit::Bytes, number(Some(all.sums.bytes))),
        fact("clients", "clients", Unit::Count, number(clients.map(|clients| clients as u128))),
        fact("avg_bps", "average", Unit::Bps, measure(Metric::AvgBps)),
        fact("p95_bps", "95th", Unit::Bps, measure(Metric::P95Bps)),
        fact("peak_bps", "peak", Unit::Bps, number(peak.map(|(rate, _)| rate))),
        fact(
            "peak_at",
            "peak at",
            Unit::Text,
            peak.map_or(Cell::Null, |(_, slot)| counted.second(slot.start)),
        ),
        fact("slot_seconds", "", Unit::Count, Cell::Integer(i128::from(counted.rules.grid.length))),
        fact("chart", "rate", Unit::Text, chart(counted, &all)),
    ])
}

/// How many groups of one dimension there are whose value is known.
fn known(counted: &Counted<'_>, at: usize) -> Result<usize, Error> {
    let mut known = 0;
    counted.tally.parts(at, |tally| {
        let is_known = |group: &u32| !is_empty(tally, *group) && tally.value(*group, 0).is_some();
        known += group_numbers(tally).filter(is_known).count();
    })?;
    Ok(known)
}

/// The rate over the period: one letter for an equal length of time, the highest rate of its slots. Only samples are
/// visited, never the empty slots between them: a year gone wrong makes millions of those.
fn chart(counted: &Counted<'_>, all: &Sum) -> Cell {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let Some(period) = Period::of(counted) else { return Cell::Null };
    let Period { first, last, slots } = period;
    let columns = slots.min(CHART_WIDTH);
    let mut highest = vec![0; usize::try_from(columns).unwrap_or(0)];
    let length = i128::from(last.end) - i128::from(first.start);
    for (slot, bytes) in period.within(&all.samples) {
        let at = (i128::from(slot.start) - i128::from(first.start)) * i128::from(columns) / length.max(1);
        if let Some(column) = usize::try_from(at).ok().and_then(|at| highest.get_mut(at)) {
            *column = rate_bps(*bytes, slot.seconds()).max(*column);
        }
    }
    let most = highest.iter().copied().max().unwrap_or(0).max(1);
    let bar = |rate: u128| BARS[usize::try_from((rate * 8 / most).min(7)).unwrap_or(7)];
    Cell::Text(highest.into_iter().map(bar).collect::<String>().into_bytes())
}
