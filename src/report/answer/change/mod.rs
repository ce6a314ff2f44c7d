//! Two columns of counts side by side: what grew, what is new, what is gone, and how much of the change each group is.
//!
//! `diff` fills the columns with records by their side, `at` with slots inside and around a window.

mod yardstick;
mod headline;

use std::cmp::{Ordering, Reverse};

pub(super) use self::headline::headline;
pub(super) use self::yardstick::{Lengths, Pair, Yardstick};
use super::figures::group_numbers;
use super::groups::{self, KeyPart};
use super::{Counted, column, integer, spare};
use crate::aggregate::{Side, Sums, ViewTally};
use crate::query::Dimension;
use crate::report::{Cell, Column, Fact, Other, Table, Unit, human};
use crate::time::Slot;

use yardstick::signed_share;

/// What ranks the rows of a comparison, and which rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By the size of the change, up or down.
    Change,
    /// What grew, most first.
    Grew,
    /// What shrank, most first.
    Shrank,
    /// What was not there before, largest first.
    New,
    /// What is no longer there, largest first.
    Gone,
    /// By what was.
    Before,
    /// By what is.
    After,
}

impl Order {
    /// Each and its name.
    pub const NAMES: [(&str, Self); 7] = [
        ("change", Self::Change),
        ("grew", Self::Grew),
        ("shrank", Self::Shrank),
        ("new", Self::New),
        ("gone", Self::Gone),
        ("before", Self::Before),
        ("after", Self::After),
    ];

    /// Reads a name.
    pub fn parse(word: &str) -> Result<Self, String> {
        Self::NAMES.iter().find(|(name, _)| *name == word).map(|(_, order)| *order).ok_or_else(|| {
            let names = Self::NAMES.map(|(name, _)| name).join(", ");
            format!("rows are sorted by {names}")
        })
    }
}

/// Who chose the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// The user, each of them.
    Asked,
    /// We: short ones, and none that could say nothing.
    Usual,
}

/// What the tables of a comparison show.
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    /// What ranks their rows.
    pub order: Order,
    /// Rows of each at most; `None`: all.
    pub rows: Option<usize>,
    /// Who chose them.
    pub chosen: Chosen,
}

/// The groups of a view with what they have on either side.
pub(super) struct Groups<'a> {
    by: &'a [Dimension],
    tally: &'a ViewTally,
    all: Vec<Group>,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    /// Some group of the view that has its key.
    number: u32,
    pair: Pair,
    moved: i128,
}

impl<'a> Groups<'a> {
    /// Of a view whose last dimension is the side.
    pub(super) fn of_sides(by: &'a [Dimension], tally: &'a ViewTally) -> Self {
        let by = &by[..by.len().saturating_sub(1)];
        let mut place_of: Vec<Option<usize>> = Vec::new();
        let mut all: Vec<Group> = Vec::new();
        for number in group_numbers(tally) {
            let stem = tally.stem(number) as usize;
            if stem >= place_of.len() {
                place_of.resize(stem + 1, None);
            }
            let at = *place_of[stem].get_or_insert_with(|| {
                all.push(Group { number, pair: Pair::default(), moved: 0 });
                all.len() - 1
            });
            let side = Side::of_value(tally.value(number, by.len()));
            all[at].pair.add(side, tally.sums(number));
        }
        Self { by, tally, all }
    }

    /// Of a view with samples; `side` tells where a slot belongs.
    pub(super) fn of_slots(
        counted: &Counted<'_>,
        by: &'a [Dimension],
        tally: &'a ViewTally,
        side: impl Fn(Slot) -> Option<Side>,
    ) -> Self {
        let mut all: Vec<Group> =
            group_numbers(tally).map(|number| Group { number, pair: Pair::default(), moved: 0 }).collect();
        let mut sides: Vec<Option<Option<Side>>> = Vec::new();
        for (slot, number, sums) in tally.samples() {
            let at = slot as usize;
            if at >= sides.len() {
                sides.resize(at + 1, None);
            }
            let side = *sides[at].get_or_insert_with(|| counted.tally.slots.get(slot).and_then(&side));
            all[number as usize].pair.add(side, sums);
        }
        all.retain(|group| group.pair != Pair::default());
        Self { by, tally, all }
    }

    /// Everything.
    pub(super) fn total(&self) -> Pair {
        let mut total = Pair::default();
        self.all.iter().for_each(|group| total.merge(group.pair));
        total
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    fn key(&self, group: &Group) -> Vec<KeyPart> {
        (0..self.by.len()).map(|at| groups::text(self.tally.value(group.number, at))).collect()
    }

    /// Ties are broken by it: known before unknown.
    fn by_key(&self, one: &Group, other: &Group) -> Ordering {
        let value = |group: &Group, at| {
            let value = self.tally.value(group.number, at);
            (value.is_none(), value)
        };
        let parts = 0..self.by.len();
        parts
            .map(|at| value(one, at).cmp(&value(other, at)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Measures all groups, and puts the first of them in front, in order; how many these are.
    fn rank(&mut self, yardstick: Yardstick, order: Order, limit: usize) -> usize {
        self.all.iter_mut().for_each(|group| group.moved = yardstick.moved(group.pair));
        let mut all = std::mem::take(&mut self.all);
        let score = |group: &Group| yardstick.score(group, order);
        let compare = |one: &Group, other: &Group| {
            Reverse(score(one)).cmp(&Reverse(score(other))).then_with(|| self.by_key(one, other))
        };
        let shown = limit.min(all.iter().filter(|group| score(group).is_some()).count());
        if shown > 0 {
            all.select_nth_unstable_by(shown - 1, compare);
            all[..shown].sort_unstable_by(compare);
        }
        self.all = all;
        shown
    }
}

impl Pair {
    fn add(&mut self, side: Option<Side>, sums: Sums) {
        if side.is_some_and(Side::is_before) {
            self.before.merge(sums);
        }
        if side.is_some_and(Side::is_after) {
            self.after.merge(sums);
        }
    }
}

impl Yardstick {
    /// What ranks a group; none for one that has no row.
    fn score(self, group: &Group, order: Order) -> Option<u128> {
        let Group { pair, moved, .. } = group;
        let (before, after) = (self.count(pair.before), self.count(pair.after));
        match order {
            Order::Change => Some(moved.unsigned_abs()),
            Order::Grew => (*moved > 0).then_some(moved.unsigned_abs()),
            Order::Shrank => (*moved < 0).then_some(moved.unsigned_abs()),
            Order::New => (pair.before == Sums::default()).then_some(after),
            Order::Gone => (pair.after == Sums::default()).then_some(before),
            Order::Before => Some(before),
            Order::After => Some(after),
        }
    }
}

/// The tables of all views but the first, which is of everything. Statuses are set against each other by their share of
/// the requests: errors have few bytes.
pub(super) fn tables(
    counted: &Counted<'_>,
    views: Vec<Groups<'_>>,
    yardstick: Yardstick,
    tables: Tables,
) -> Vec<Table> {
    let total = views[0].total();
    let mix = Yardstick::Mix { before: total.before.requests, after: total.after.requests };
    let is_usual = tables.chosen == Chosen::Usual;
    let shown = views.into_iter().skip(1).filter(|groups| !is_usual || groups.len() > 1);
    let mut shown: Vec<Table> = shown
        .map(|mut groups| {
            let is_mixed = is_usual && groups.by == [Dimension::Status];
            table(counted, &mut groups, if is_mixed { mix } else { yardstick }, tables)
        })
        .collect();
    // One table that was asked for needs no name.
    if let ([only], false) = (shown.as_mut_slice(), is_usual) {
        only.name = String::new();
    }
    shown
}

/// What everything is on either side; for people the requests, where the headline has something else.
pub(super) fn total_facts(yardstick: Yardstick, total: Pair) -> Vec<Fact> {
    let fact = |name, value| Fact { name, label: "", unit: Unit::Count, value };
    let Pair { before, after } = total;
    let (requests, how) = match yardstick {
        Yardstick::Rates(lengths) => (Yardstick::Pace(lengths), " in the same time"),
        _ => (Yardstick::Requests, ""),
    };
    let [was, is, _] = headline::words(requests, total);
    let growth = match requests.growth(total) {
        Cell::Share(growth) => format!(" ({})", human::growth(growth)),
        _ => String::new(),
    };
    let words = Cell::Text(format!("{was} → {is}{how}{growth}").into_bytes());
    let shown = Fact { name: "", label: "requests", unit: Unit::Text, value: words };
    let is_news = matches!(yardstick, Yardstick::Bytes | Yardstick::Rates(_));
    let mut facts: Vec<Fact> = is_news.then_some(shown).into_iter().collect();
    facts.extend([
        fact("before_requests", integer(before.requests.into())),
        fact("after_requests", integer(after.requests.into())),
        fact("before_bytes", integer(before.bytes)),
        fact("after_bytes", integer(after.bytes)),
    ]);
    facts
}

/// The table of a view. Rows and `other` add up to `total`, on either side.
fn table(counted: &Counted<'_>, groups: &mut Groups<'_>, yardstick: Yardstick, tables: Tables) -> Table {
    let shown = groups.rank(yardstick, tables.order, tables.rows.unwrap_or(usize::MAX));
    let total = groups.total();
    let by = groups.by;
    let mut columns = groups::key_columns(by);
    let keys = columns.len();
    columns.extend(metric_columns(yardstick));
    let numbers = |pair: Pair, mark: Cell| cells(yardstick, pair, yardstick.moved(total), mark);
    let row = |group: &Group| {
        let mut cells = groups::key_cells(counted, by, &groups.key(group));
        cells.extend(numbers(group.pair, mark(group.pair)));
        cells
    };
    let sum = |pair: Pair| {
        let mut cells = vec![Cell::Null; keys];
        cells.extend(numbers(pair, Cell::Null));
        cells
    };
    let mut other = Pair::default();
    groups.all[shown..].iter().for_each(|group| other.merge(group.pair));
    let names: Vec<String> = by.iter().map(|dimension| dimension.name().to_owned()).collect();
    Table {
        name: names.join(","),
        title: String::new(),
        rows: groups.all[..shown].iter().map(row).collect(),
        other: Some(Other { groups: (groups.len() - shown) as u64, cells: sum(other) }),
        total: Some(sum(total)),
        by: names,
        columns,
    }
}

/// A column that people know by another name: what a side has.
fn headed(heading: &'static str, name: &str, unit: Unit) -> Column {
    Column { heading, ..column(name, unit) }
}

fn machine(column: Column) -> Column {
    Column { machine: true, ..column }
}

/// One per cell of [`cells`]; what is compared comes first.
fn metric_columns(yardstick: Yardstick) -> Vec<Column> {
    let requests = |before, after| {
        [headed(before, "before_requests", Unit::Count), headed(after, "after_requests", Unit::Count)]
    };
    let bytes = |before, after| {
        [headed(before, "before_bytes", Unit::Bytes), headed(after, "after_bytes", Unit::Bytes)]
    };
    let beside =
        |[before, after]: [Column; 2]| [spare(Column::LUXURY + 2, before), spare(Column::LUXURY + 1, after)];
    let (compared, others) = match yardstick {
        Yardstick::Bytes => {
            let change = headed("change", "change_bytes", Unit::BytesChange);
            let others = Vec::from(beside(requests("requests before", "requests")));
            (Vec::from(bytes("before", "after")).into_iter().chain([change]).collect(), others)
        }
        Yardstick::Requests => {
            let change = headed("change", "change_requests", Unit::CountChange);
            let others = Vec::from(beside(bytes("bytes before", "bytes")));
            (Vec::from(requests("before", "after")).into_iter().chain([change]).collect(), others)
        }
        Yardstick::Rates(_) => {
            let excess = spare(Column::LUXURY + 3, headed("excess", "excess_bytes", Unit::BytesChange));
            let others = [excess].into_iter().chain(beside(requests("requests before", "requests")));
            let compared = vec![
                headed("before", "before_bps", Unit::Bps),
                headed("after", "after_bps", Unit::Bps),
                headed("change", "change_bps", Unit::BpsChange),
            ];
            (compared, others.chain(bytes("", "").map(machine)).collect())
        }
        Yardstick::Pace(_) => {
            let [before, after] = requests("before", "after");
            let expected = headed("expected", "expected_requests", Unit::Count);
            let change = headed("change", "change_requests", Unit::CountChange);
            let others = [machine(before)].into_iter().chain(bytes("", "").map(machine)).collect();
            (vec![expected, after, change], others)
        }
        Yardstick::Mix { .. } => {
            let compared = vec![
                headed("before", "before_share", Unit::Share),
                headed("after", "after_share", Unit::Share),
                headed("change", "change_share", Unit::ShareChange),
            ];
            let others = Vec::from(beside(requests("requests before", "requests")));
            (compared, others.into_iter().chain(bytes("", "").map(machine)).collect())
        }
    };
    let growth = spare(Column::LUXURY, column("growth", Unit::ShareChange));
    let share = column("share", Unit::Share);
    let mark = spare(1, column("mark", Unit::Text));
    let explained = match yardstick {
        // Shares move against each other: of their change there is no share.
        Yardstick::Mix { .. } => vec![mark],
        _ => vec![growth, share, mark],
    };
    let compared: Vec<Column> = compared;
    compared.into_iter().chain(explained).chain(others).collect()
}

/// `moved` is the change of everything.
fn cells(yardstick: Yardstick, pair: Pair, moved: i128, mark: Cell) -> Vec<Cell> {
    let Pair { before, after } = pair;
    let requests = [before.requests, after.requests].map(|requests| integer(requests.into()));
    let bytes = [before.bytes, after.bytes].map(integer);
    let mut cells = vec![yardstick.before(pair), yardstick.after(pair), yardstick.change(pair)];
    if !matches!(yardstick, Yardstick::Mix { .. }) {
        cells.extend([yardstick.growth(pair), signed_share(yardstick.moved(pair), moved)]);
    }
    cells.push(mark);
    match yardstick {
        Yardstick::Bytes => cells.extend(requests),
        Yardstick::Requests => cells.extend(bytes),
        Yardstick::Rates(_) => {
            cells.push(yardstick.excess_bytes(pair));
            cells.extend(requests.into_iter().chain(bytes));
        }
        Yardstick::Pace(_) => {
            let [before, _] = requests;
            cells.extend([before].into_iter().chain(bytes));
        }
        Yardstick::Mix { .. } => cells.extend(requests.into_iter().chain(bytes)),
    }
    cells
}

/// Whether there is something on one side only.
fn mark(pair: Pair) -> Cell {
    let Pair { before, after } = pair;
    match (before == Sums::default(), after == Sums::default()) {
        (true, false) => Cell::Text(b"new".to_vec()),
        (false, true) => Cell::Text(b"gone".to_vec()),
        _ => Cell::Null,
    }
}
