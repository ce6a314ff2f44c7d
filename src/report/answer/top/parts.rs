//! The table of a view that memory has no room for: from part to part the first rows are kept, all others are added up.

use std::cmp::Reverse;

use super::{Cells, Picked, Ranking, footers};
use crate::aggregate::ViewTally;
use crate::error::Error;
use crate::query::View;
use crate::report::Table;
use crate::report::answer::Counted;
use crate::report::answer::figures::Sum;
use crate::report::answer::groups::KeyPart;

/// The table of [`super::table`], for rankings that need no whole.
pub(super) fn table(counted: &Counted<'_>, at: usize, ranking: &Ranking) -> Result<Table, Error> {
    let view = &counted.rules.views[at];
    let mut best = Best::default();
    counted.tally.parts(at, |part| best.add(counted, view, part, ranking))?;
    let Best { rows, others, other } = best;
    let mut total = other.clone();
    for row in &rows {
        total.merge(&row.sum);
    }
    let cells = Cells::new(counted, view, ranking, total.figures());
    let row = |row: &Kept| cells.row(&row.key, &row.sum.figures());
    Ok(cells.table(rows.iter().map(row).collect(), others, &other.figures()))
}

/// A row without its part.
struct Kept {
    measure: Option<u128>,
    key: Vec<KeyPart>,
    sum: Sum,
}

/// The first rows of the parts so far, in order, and all others.
#[derive(Default)]
struct Best {
    rows: Vec<Kept>,
    others: usize,
    other: Sum,
}

impl Best {
    fn add(&mut self, counted: &Counted<'_>, view: &View, part: &ViewTally, ranking: &Ranking) {
        let picked = Picked::new(counted, view, part, ranking);
        let (other, _) = footers(counted, &picked);
        self.other.merge(&other);
        let Picked { rows, places, measures, details, .. } = &picked;
        self.others += rows.all.len() - places.len();
        for (at, measure) in places.iter().zip(measures) {
            let row = &rows.all[*at as usize];
            self.rows.push(Kept { measure: *measure, key: rows.key(row), sum: details.of(row).owned() });
        }
        let order = |row: &Kept| Reverse(row.measure);
        self.rows.sort_by(|one, other| order(one).cmp(&order(other)).then_with(|| one.key.cmp(&other.key)));
        let limit = ranking.rows.unwrap_or(usize::MAX).min(self.rows.len());
        for displaced in self.rows.drain(limit..) {
            self.others += 1;
            self.other.merge(&displaced.sum);
        }
    }
}
