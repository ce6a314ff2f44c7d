//! `bandwho top`: ranked groups.

use super::figures::{self, Figures, Series, Sum, is_empty, per_slot};
use super::rates::{self, Period, Sample};
use super::rows::{Row, Rows};
use super::{Counted, groups};
use crate::aggregate::{Extra, ViewTally};
use crate::query::{Dimension, Metric, View};
use crate::report::{Cell, Other, Report, Table};
use crate::time::Slot;

/// What to show.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// Numbers of each row.
    pub metrics: Vec<Metric>,
    /// The number that ranks, descending.
    pub sort: Metric,
    /// Rows at most; `None`: all.
    pub rows: Option<usize>,
}

/// The answer of the only view of the rules.
pub fn report(counted: &Counted<'_>, ranking: &Ranking) -> Report {
    let table = table(counted, &counted.rules.views[0], &counted.tally.views[0], ranking);
    Report { schema: "bandwho.top/1", input: counted.input(), tables: vec![table], ..Report::default() }
}

/// A ranked table of a view. Rows and `other` add up to `total`.
pub(super) fn table(counted: &Counted<'_>, view: &View, tally: &ViewTally, ranking: &Ranking) -> Table {
    let Ranking { metrics, sort, rows: limit } = ranking;
    let period = Period::of(counted);
    let rows = Rows::new(counted, &view.by, tally);
    let ranked = Details::new(counted, view, tally, &[*sort], |_| true);
    let limit = limit.unwrap_or(usize::MAX).min(rows.all.len());
    let places = rows.first(limit, |row| figures::measure(&ranked.of(row), *sort, period));
    let shown = Shown::new(&rows, &places, tally);
    let details = Details::new(counted, view, tally, metrics, |group| shown.groups[group as usize]);
    let (other, total) = footers(counted, &rows, &shown, &details);
    let (other, total) = (other.figures(), total.figures());

    let mut columns = groups::key_columns(&view.by);
    let keys = columns.len();
    columns.extend(metrics.iter().map(|&metric| figures::metric_column(metric)));
    let numbers = |of: &Figures<'_>| {
        let cell = |&metric: &Metric| figures::metric_cell(counted, of, metric, &total, period);
        metrics.iter().map(cell).collect::<Vec<_>>()
    };
    let sum = |of: &Figures<'_>| {
        let mut cells = vec![Cell::Null; keys];
        cells.extend(numbers(of));
        cells
    };
    let row = |&at: &u32| {
        let row = &rows.all[at as usize];
        let mut cells = groups::key_cells(counted, &view.by, &rows.key(row));
        cells.extend(numbers(&details.of(row)));
        cells
    };
    Table {
        name: String::new(),
        title: String::new(),
        by: view.by.iter().map(|dimension| dimension.name().to_owned()).collect(),
        rows: places.iter().map(row).collect(),
        other: Some(Other { groups: (rows.all.len() - places.len()) as u64, cells: sum(&other) }),
        total: Some(sum(&total)),
        columns,
    }
}

/// Which rows have a place of their own, and which groups have such rows.
struct Shown {
    rows: Vec<bool>,
    groups: Vec<bool>,
}

impl Shown {
    fn new(rows: &Rows<'_>, places: &[u32], tally: &ViewTally) -> Self {
        let mut shown = Self { rows: vec![false; rows.all.len()], groups: vec![false; tally.len()] };
        for &at in places {
            shown.rows[at as usize] = true;
            shown.groups[rows.all[at as usize].group as usize] = true;
        }
        shown
    }
}

/// What rows have beside requests and bytes, as far as metrics need it. Rows with a time have nothing.
struct Details<'a> {
    tally: &'a ViewTally,
    extras: Asked,
    timings: Asked,
    /// Of the wanted groups.
    series: Option<Series>,
    /// The slots that set the 95th of all groups together, in order.
    driving: Vec<Slot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    For,
    Not,
}

impl<'a> Details<'a> {
    fn new(
        counted: &Counted<'_>,
        view: &View,
        tally: &'a ViewTally,
        metrics: &[Metric],
        wanted: impl Fn(u32) -> bool,
    ) -> Self {
        let timed = view.by.iter().any(|dimension| matches!(dimension, Dimension::Time(_)));
        let metrics = if timed { &[] } else { metrics };
        let any = |needs: fn(Metric) -> bool| metrics.iter().any(|metric| needs(*metric));
        let asked = |needs| if any(needs) { Asked::For } else { Asked::Not };
        let wanted = |group| wanted(group) && !is_empty(tally, group);
        let period = Period::of(counted).filter(|_| metrics.contains(&Metric::DriverShare));
        let driving = |period| rates::driving(&everything(counted, tally), period);
        Self {
            tally,
            extras: asked(Metric::needs_extras),
            timings: asked(Metric::needs_timings),
            series: any(Metric::needs_series).then(|| Series::new(counted, tally, wanted)),
            driving: period.map(driving).unwrap_or_default(),
        }
    }

    #[inline]
    fn of(&self, row: &Row) -> Figures<'_> {
        let samples = self.series.as_ref().map_or(&[][..], |series| series.of(row.group));
        Figures {
            sums: row.sums(),
            extra: if self.extras == Asked::For { self.tally.extra(row.group) } else { Extra::default() },
            timing: self.tally.timing(row.group).filter(|_| self.timings == Asked::For),
            samples,
            driving: self.driven(samples),
        }
    }

    fn driven(&self, samples: &[Sample]) -> u128 {
        let drives = |(slot, _): &&Sample| self.driving.binary_search(slot).is_ok();
        samples.iter().filter(drives).map(|(_, bytes)| bytes).sum()
    }
}

/// The bytes per slot of all groups together.
fn everything(counted: &Counted<'_>, tally: &ViewTally) -> Vec<Sample> {
    per_slot(counted, tally, |group| !is_empty(tally, group))
}

/// All other rows together, and all rows.
fn footers(counted: &Counted<'_>, rows: &Rows<'_>, shown: &Shown, details: &Details<'_>) -> (Sum, Sum) {
    let tally = details.tally;
    let mut other = Sum::default();
    let mut all = Sum::default();
    for (row, is_shown) in rows.all.iter().zip(&shown.rows) {
        let sum = if *is_shown { &mut all } else { &mut other };
        // Of millions of rows with a time nothing else is known.
        if details.extras == Asked::Not && details.timings == Asked::Not {
            sum.sums.merge(row.sums());
        } else {
            sum.add(&details.of(row));
        }
    }
    all.add(&other.figures());
    if details.series.is_some() {
        let is_other = |group| !is_empty(tally, group) && !shown.groups[group as usize];
        other.samples = per_slot(counted, tally, is_other);
        all.samples = everything(counted, tally);
    }
    for sum in [&mut other, &mut all] {
        sum.driving = details.driven(&sum.samples);
    }
    (other, all)
}

#[cfg(test)]
mod tests;
