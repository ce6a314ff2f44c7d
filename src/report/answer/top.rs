//! `bandwho top`: ranked groups.

use super::Counted;
use super::groups::{self, Group, Period};
use crate::aggregate::ViewTally;
use crate::query::{Metric, View};
use crate::report::{Other, Report, Table};

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
    let period = Period::of(counted);
    let needed: Vec<Metric> = ranking.metrics.iter().copied().chain([ranking.sort]).collect();
    let mut groups = groups::groups(counted, view, tally, &needed);
    rank(&mut groups, ranking.sort, period);
    let mut total = Group::default();
    for group in &groups {
        total.add(group);
    }
    let shown = ranking.rows.unwrap_or(groups.len()).min(groups.len());
    let mut other = Group::default();
    for group in &groups[shown..] {
        other.add(group);
    }

    let mut columns = groups::key_columns(&view.by);
    let keys = columns.len();
    columns.extend(ranking.metrics.iter().map(|&metric| groups::metric_column(metric)));
    let metrics = |group: &Group| {
        let cell = |&metric: &Metric| groups::metric_cell(counted, group, metric, &total, period);
        ranking.metrics.iter().map(cell).collect::<Vec<_>>()
    };
    let sum = |group: &Group| {
        let mut cells = vec![crate::report::Cell::Null; keys];
        cells.extend(metrics(group));
        cells
    };
    let row = |group: &Group| {
        let mut cells = groups::key_cells(counted, &view.by, &group.key);
        cells.extend(metrics(group));
        cells
    };
    Table {
        name: String::new(),
        title: String::new(),
        by: view.by.iter().map(|dimension| dimension.name().to_owned()).collect(),
        rows: groups[..shown].iter().map(row).collect(),
        other: Some(Other { groups: (groups.len() - shown) as u64, cells: sum(&other) }),
        total: Some(sum(&total)),
        columns,
    }
}

/// Descending by the metric, ties by key, ascending.
pub(super) fn rank(groups: &mut [Group], sort: Metric, period: Option<Period>) {
    groups.sort_by_cached_key(|group| {
        (std::cmp::Reverse(groups::measure(group, sort, period)), group.key.clone())
    });
}
