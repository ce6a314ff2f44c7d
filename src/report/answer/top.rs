//! `bandwho top`: ranked groups.

pub mod nets;
mod parts;

use super::figures::{self, Figures, Series, Sum, is_empty, per_slot};
use super::groups::KeyPart;
use super::rates::{self, Period, Sample};
use super::rows::{Row, Rows};
use super::{Counted, groups};
use crate::aggregate::distinct::STANDARD_ERROR_PERMILLE;
use crate::aggregate::{Extra, ViewTally};
use crate::error::Error;
use crate::query::filter::Having;
use crate::query::{Clients, Dimension, Metric, View};
use crate::report::{Cell, Fact, Other, Report, Table, Unit};
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
    /// What rows must be to be shown; the others are added up.
    pub having: Option<Having>,
}

impl Ranking {
    /// Whether all groups must be known before any is ranked, or shown.
    pub fn needs(&self) -> Needs {
        let driven = self.metrics.iter().chain([&self.sort]).any(|metric| *metric == Metric::DriverShare);
        let compared = self.having.iter().flat_map(Having::metrics).any(Metric::needs_total);
        let driven = driven || compared;
        match self.rows {
            Some(rows) if rows <= PARTS_ROWS_MAX && !driven => Needs::Parts,
            _ => Needs::Whole,
        }
    }
}

/// What an answer needs of a view at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// All its groups.
    Whole,
    /// Any part of them after another.
    Parts,
}

/// More rows than this are kept as groups: a row in full takes more memory.
const PARTS_ROWS_MAX: usize = 10_000;

/// The answer of the only view of the rules. Fails if temporary files cannot be read.
pub fn report(counted: &Counted<'_>, ranking: &Ranking) -> Result<Report, Error> {
    let tables = vec![table(counted, 0, ranking)?];
    let facts = facts(&counted.rules.views[0], ranking);
    Ok(Report { schema: "bandwho.top/1", input: counted.input(), facts, tables, ..Report::default() })
}

/// What is said beside a ranking.
fn facts(view: &View, ranking: &Ranking) -> Vec<Fact> {
    let compared = ranking.having.iter().flat_map(Having::metrics);
    let mut metrics = ranking.metrics.iter().copied().chain([ranking.sort]).chain(compared);
    let asked = metrics.any(|metric| metric == Metric::Clients);
    let mut facts = if asked { clients_error(view) } else { Vec::new() };
    facts.extend(ranking.having.as_ref().map(|having| Fact {
        name: "having",
        label: "having",
        unit: Unit::Text,
        value: Cell::Text(having.to_string().into_bytes()),
    }));
    facts
}

/// By how much a number of clients may be off.
fn clients_error(view: &View) -> Vec<Fact> {
    let (share, words) = match view.clients {
        Clients::Estimated => {
            let permille = STANDARD_ERROR_PERMILLE;
            let percent = format!("{}.{} %", permille / 10, permille % 10);
            (f64::from(permille) / 1000.0, format!("standard error {percent}; --exact counts each"))
        }
        Clients::Exact | Clients::Left => (0.0, "each counted".to_owned()),
    };
    vec![
        Fact { name: "clients_error", label: "", unit: Unit::Share, value: Cell::Share(share) },
        Fact { name: "", label: "clients", unit: Unit::Text, value: Cell::Text(words.into_bytes()) },
    ]
}

/// A ranked table of a view. Rows and `other` add up to `total`.
pub(super) fn table(counted: &Counted<'_>, at: usize, ranking: &Ranking) -> Result<Table, Error> {
    if counted.tally.is_shelved(at) && ranking.needs() == Needs::Parts {
        return parts::table(counted, at, ranking);
    }
    let view = &counted.rules.views[at];
    counted.tally.whole(at, |tally| whole(counted, view, tally, ranking))
}

/// The table of a view that is in memory.
fn whole(counted: &Counted<'_>, view: &View, tally: &ViewTally, ranking: &Ranking) -> Table {
    let picked = Picked::new(counted, view, tally, ranking);
    let (other, total) = footers(counted, &picked);
    let Picked { rows, places, details, .. } = &picked;
    let cells = Cells::new(counted, view, ranking, total.figures());
    let row = |&at: &u32| {
        let row = &rows.all[at as usize];
        cells.row(&rows.key(row), &details.of(row))
    };
    cells.table(places.iter().map(row).collect(), rows.all.len() - places.len(), &other.figures())
}

/// The rows that are shown, and what is known of all.
struct Picked<'a> {
    rows: Rows<'a>,
    /// Of those shown, in order.
    places: Vec<u32>,
    /// By what they were ranked, in the same order.
    measures: Vec<Option<u128>>,
    shown: Shown,
    details: Details<'a>,
}

impl<'a> Picked<'a> {
    fn new(counted: &Counted<'_>, view: &'a View, tally: &'a ViewTally, ranking: &Ranking) -> Self {
        let Ranking { metrics, sort, rows: limit, having } = ranking;
        let period = Period::of(counted);
        let rows = Rows::new(counted, &view.by, tally);
        let looked_at: Vec<Metric> = having.iter().flat_map(Having::metrics).chain([*sort]).collect();
        let ranked = Details::new(counted, view, tally, &looked_at, |_| true);
        let total = having.as_ref().map(|_| ranked.whole(counted, &rows)).unwrap_or_default();
        let wanted = |row: &Row| {
            let number = |metric| figures::number(&ranked.of(row), metric, &total.figures(), period);
            having.as_ref().is_none_or(|having| having.holds(number))
        };
        let limit = limit.unwrap_or(usize::MAX).min(rows.all.len());
        let measure = |row: &Row| figures::measure(&ranked.of(row), *sort, period);
        let places = rows.first_of(limit, wanted, measure);
        let measures = places.iter().map(|at| measure(&rows.all[*at as usize])).collect();
        let shown = Shown::new(&rows, &places, tally);
        let details = Details::new(counted, view, tally, metrics, |group| shown.groups[group as usize]);
        Self { rows, places, measures, shown, details }
    }
}

/// How rows become cells.
struct Cells<'a> {
    counted: &'a Counted<'a>,
    view: &'a View,
    metrics: &'a [Metric],
    total: Figures<'a>,
    period: Option<Period>,
}

impl<'a> Cells<'a> {
    fn new(counted: &'a Counted<'a>, view: &'a View, ranking: &'a Ranking, total: Figures<'a>) -> Self {
        Self { counted, view, metrics: &ranking.metrics, total, period: Period::of(counted) }
    }

    fn numbers(&self, of: &Figures<'_>) -> impl Iterator<Item = Cell> {
        let Self { counted, metrics, total, period, .. } = self;
        metrics.iter().map(|&metric| figures::metric_cell(counted, of, metric, total, *period))
    }

    fn row(&self, key: &[KeyPart], of: &Figures<'_>) -> Vec<Cell> {
        let mut cells = groups::key_cells(self.counted, &self.view.by, key);
        cells.extend(self.numbers(of));
        cells
    }

    /// The table of these rows and so many others.
    fn table(&self, rows: Vec<Vec<Cell>>, others: usize, other: &Figures<'_>) -> Table {
        let by = &self.view.by;
        let mut columns = groups::key_columns(by);
        let keys = columns.len();
        columns.extend(self.metrics.iter().map(|&metric| figures::metric_column(metric)));
        let sum = |of: &Figures<'_>| {
            let mut cells = vec![Cell::Null; keys];
            cells.extend(self.numbers(of));
            cells
        };
        Table {
            name: String::new(),
            title: String::new(),
            by: by.iter().map(|dimension| dimension.name().to_owned()).collect(),
            rows,
            other: Some(Other { groups: others as u64, cells: sum(other) }),
            total: Some(sum(&self.total)),
            columns,
        }
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
    clients: Asked,
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
            clients: asked(|metric| metric == Metric::Clients),
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
            clients: self.tally.clients(row.group).filter(|_| self.clients == Asked::For),
            samples,
            driving: self.driven(samples),
        }
    }

    /// What shares are parts of.
    fn whole(&self, counted: &Counted<'_>, rows: &Rows<'_>) -> Sum {
        let mut whole = Sum::default();
        rows.all.iter().for_each(|row| whole.sums.merge(row.sums()));
        if !self.driving.is_empty() {
            whole.driving = self.driven(&everything(counted, self.tally));
        }
        whole
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
fn footers(counted: &Counted<'_>, picked: &Picked<'_>) -> (Sum, Sum) {
    let Picked { rows, shown, details, .. } = picked;
    let tally = details.tally;
    let mut other = Sum::default();
    let mut all = Sum::default();
    for (row, is_shown) in rows.all.iter().zip(&shown.rows) {
        let sum = if *is_shown { &mut all } else { &mut other };
        // Of millions of rows with a time nothing else is known.
        if [details.extras, details.timings, details.clients] == [Asked::Not; 3] {
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
