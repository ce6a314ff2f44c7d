//! Samples: requests and bytes per slot and group.
//!
//! ```text
//! rows   the slot at hand and the one before it, dense by group     one addition per record
//! list   everything else: rows whose slot has passed, late records  written once, one behind the other
//! ```
//!
//! Log lines come nearly in order of time, so nearly every share lands in a row, and a row is copied to the list once per
//! slot. One slot and group may stand in the list several times; before the list doubles it is settled: sorted by slot,
//! each slot summed in a dense row again. So it never holds much more than twice the distinct samples.

use std::iter::Peekable;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::room;
use super::share::NO_SLOT;
use super::view::Sums;

/// Groups with a higher number have no place in the dense rows: with so many the rows would no longer fit the cache,
/// and few of them have several records in one slot.
const ROW_GROUPS_MAX: usize = if cfg!(test) { 6 } else { 1 << 18 };

/// A list shorter than this is not settled: it is smaller than most answers.
const SETTLED_LEAST: usize = if cfg!(test) { 1 << 4 } else { 1 << 18 };

/// A sample in half the size of [`Sums`], because there are many.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cell {
    pub(super) requests: u64,
    pub(super) bytes: u64,
}

impl Cell {
    /// Adds another cell, or takes its place and returns what was there if the sum has more than 64 bits: no honest log
    /// gets there, a forged one must not wrap.
    #[inline]
    pub(super) fn add(&mut self, added: Self) -> Option<Sums> {
        match self.bytes.checked_add(added.bytes) {
            Some(bytes) => {
                *self = Self { requests: self.requests + added.requests, bytes };
                None
            }
            None => Some(std::mem::replace(self, added).sums()),
        }
    }

    #[inline]
    pub(super) fn sums(self) -> Sums {
        Sums { requests: self.requests, bytes: self.bytes.into() }
    }

    #[inline]
    fn is_empty(self) -> bool {
        self.requests == 0 && self.bytes == 0
    }
}

/// A sample and where it belongs.
#[derive(Debug, Clone, Copy)]
struct Entry {
    slot: u32,
    group: u32,
    cell: Cell,
}

/// The cells of one slot by group, and which of them are in use.
#[derive(Debug, Clone, Default)]
struct Row {
    slot: u32,
    cells: Vec<Cell>,
    touched: Vec<u32>,
}

impl Row {
    #[inline]
    fn add(&mut self, group: u32, added: Cell) -> Option<Sums> {
        let at = group as usize;
        if at >= self.cells.len() {
            self.cells.resize(at + 1, Cell::default());
        }
        let cell = &mut self.cells[at];
        if cell.is_empty() {
            self.touched.push(group);
        }
        cell.add(added)
    }

    /// Empties the row into a list.
    fn drain(&mut self, list: &mut Vec<Entry>) {
        let Self { slot, cells, touched } = self;
        let take = |group: u32| (group, std::mem::take(&mut cells[group as usize]));
        list.extend(touched.drain(..).map(take).map(|(group, cell)| Entry { slot: *slot, group, cell }));
    }
}

/// Samples per slot number and group.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    /// The slot at hand, then the one before it.
    rows: [Row; 2],
    list: Vec<Entry>,
    /// The length of the list when it was last settled.
    settled: usize,
    /// What was too much for a cell.
    overflow: HashMap<(u32, u32), Sums, RandomState>,
}

impl Samples {
    /// Makes `slot` the slot at hand.
    pub(super) fn turn_to(&mut self, slot: u32) {
        if slot == self.rows[0].slot {
            return;
        }
        self.rows.swap(0, 1);
        if slot != self.rows[0].slot {
            self.rows[0].drain(&mut self.list);
            self.rows[0].slot = slot;
            self.settle_if_long();
        }
    }

    /// Adds to a sample.
    #[inline]
    pub(super) fn add(&mut self, slot: u32, group: u32, requests: u64, bytes: u64) {
        let cell = Cell { requests, bytes };
        if cell.is_empty() {
            return;
        }
        let dense = (group as usize) < ROW_GROUPS_MAX;
        let too_much = match &mut self.rows {
            [row, _] if row.slot == slot && dense => row.add(group, cell),
            [_, row] if row.slot == slot && dense => row.add(group, cell),
            _ => {
                self.list.push(Entry { slot, group, cell });
                self.settle_if_long();
                None
            }
        };
        if let Some(sums) = too_much {
            self.add_overflow(slot, group, sums);
        }
    }

    #[cold]
    fn add_overflow(&mut self, slot: u32, group: u32, sums: Sums) {
        self.overflow.entry((slot, group)).or_default().merge(sums);
    }

    #[inline]
    fn settle_if_long(&mut self) {
        if self.list.len() >= SETTLED_LEAST.max(2 * self.settled) {
            self.settle_list();
        }
    }

    /// Sums what belongs together: from then on every slot and group is there once, what is too much for a cell aside.
    pub(super) fn settle(&mut self) {
        for row in &mut self.rows {
            row.drain(&mut self.list);
        }
        self.settle_list();
    }

    #[cold]
    fn settle_list(&mut self) {
        let sorted = by_slot(&self.list);
        self.list.clear();
        let mut row = Row::default();
        for of_slot in sorted.chunk_by(|one, other| one.slot == other.slot) {
            row.slot = of_slot[0].slot;
            for &Entry { slot, group, cell } in of_slot {
                if let Some(sums) = row.add(group, cell) {
                    self.add_overflow(slot, group, sums);
                }
            }
            row.drain(&mut self.list);
        }
        self.settled = self.list.len();
    }

    /// Adds another thread's samples, whose numbers of slots and groups are translated.
    pub(super) fn merge(&mut self, mut other: Self, slots: &[u32], groups: &[u32]) {
        for row in &mut self.rows {
            row.drain(&mut self.list);
        }
        for row in &mut other.rows {
            row.drain(&mut other.list);
        }
        let translate = |slot: u32, group: u32| (slots[slot as usize], groups[group as usize]);
        self.list.extend(other.list.into_iter().map(|Entry { slot, group, cell }| {
            let (slot, group) = translate(slot, group);
            Entry { slot, group, cell }
        }));
        for ((slot, group), sums) in other.overflow {
            let (slot, group) = translate(slot, group);
            self.add_overflow(slot, group, sums);
        }
        self.settle_if_long();
    }

    /// True if there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.overflow.is_empty() && self.rows.iter().all(|row| row.touched.is_empty())
    }

    /// Adds sums of whatever size.
    pub(super) fn add_sums(&mut self, slot: u32, group: u32, sums: Sums) {
        match u64::try_from(sums.bytes) {
            Ok(bytes) => self.add(slot, group, sums.requests, bytes),
            Err(_) => self.add_overflow(slot, group, sums),
        }
    }

    /// Forgets all samples, keeps the room for as many.
    pub(super) fn clear(&mut self) {
        let Self { rows, list, settled, overflow } = self;
        for Row { slot: _, cells, touched } in rows {
            touched.clear();
            cells.clear();
        }
        list.clear();
        *settled = 0;
        overflow.clear();
    }

    /// Bytes of memory, see [`room`]. To be sorted by slot, a list is copied.
    pub(super) fn memory(&self) -> usize {
        let Self { rows, list, settled: _, overflow } = self;
        let rows: usize = rows.iter().map(|row| room::list(&row.cells) + room::list(&row.touched)).sum();
        rows + room::list(list).max(2 * size_of_val(list.as_slice())) + room::map(overflow)
    }

    /// All samples, those of one group together, in the order of the places that groups have.
    pub(super) fn by_group(&mut self, places: &[u32]) -> ByGroup<'_> {
        for row in &mut self.rows {
            row.drain(&mut self.list);
        }
        self.list.sort_unstable_by_key(|entry| (places[entry.group as usize], entry.slot));
        let mut overflow: Vec<(u32, u32, Sums)> =
            self.overflow.iter().map(|(&(slot, group), &sums)| (group, slot, sums)).collect();
        overflow.sort_unstable_by_key(|&(group, slot, _)| (places[group as usize], slot));
        ByGroup { list: self.list.iter().peekable(), overflow: overflow.into_iter().peekable() }
    }

    /// All samples, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32, Sums)> {
        let entries = self.list.iter().map(|entry| (entry.slot, entry.group, entry.cell.sums()));
        let rows = self.rows.iter().flat_map(|row| {
            row.touched.iter().map(|&group| (row.slot, group, row.cells[group as usize].sums()))
        });
        let overflow = self.overflow.iter().map(|(&(slot, group), &sums)| (slot, group, sums));
        entries.chain(rows).chain(overflow)
    }
}

/// Samples, asked for group by group.
pub(super) struct ByGroup<'a> {
    list: Peekable<std::slice::Iter<'a, Entry>>,
    overflow: Peekable<std::vec::IntoIter<(u32, u32, Sums)>>,
}

impl ByGroup<'_> {
    /// The next sample of a group, which is the one asked for last or comes behind it.
    pub(super) fn next_of(&mut self, group: u32) -> Option<(u32, Sums)> {
        let entry = self.list.next_if(|entry| entry.group == group);
        let sample = entry.map(|entry| (entry.slot, entry.cell.sums()));
        sample.or_else(|| {
            let (_, slot, sums) = self.overflow.next_if(|(of, ..)| *of == group)?;
            Some((slot, sums))
        })
    }
}

/// The same entries, those of one slot together.
fn by_slot(entries: &[Entry]) -> Vec<Entry> {
    let slots = entries.iter().map(|entry| entry.slot as usize + 1).max().unwrap_or(0);
    let mut places = vec![0_usize; slots + 1];
    for entry in entries {
        places[entry.slot as usize + 1] += 1;
    }
    for slot in 1..places.len() {
        places[slot] += places[slot - 1];
    }
    let nothing = Entry { slot: NO_SLOT, group: 0, cell: Cell::default() };
    let mut sorted = vec![nothing; entries.len()];
    for entry in entries {
        let next = &mut places[entry.slot as usize];
        sorted[*next] = *entry;
        *next += 1;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Sample = ((u32, u32), (u64, u128));

    fn sums(samples: &Samples) -> Vec<Sample> {
        samples.iter().map(|(slot, group, sums)| ((slot, group), (sums.requests, sums.bytes))).collect()
    }

    fn together(samples: impl IntoIterator<Item = Sample>) -> BTreeMap<(u32, u32), (u64, u128)> {
        let mut all = BTreeMap::new();
        for (key, (requests, bytes)) in samples {
            let sum: &mut (u64, u128) = all.entry(key).or_default();
            *sum = (sum.0 + requests, sum.1 + bytes);
        }
        all.retain(|_, sum| *sum != (0, 0));
        all
    }

    fn bytes() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), 0_u64..100, Just(u64::MAX), Just(1 << 63)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn samples_are_the_sums_of_what_was_added(
            added in prop::collection::vec((0_u32..5, 0_u32..9, 0_u64..2, bytes(), any::<bool>()), 0..120),
            cut in 0_usize..120,
        ) {
            let mut parts = [Samples::default(), Samples::default()];
            for (at, &(slot, group, requests, bytes, turns)) in added.iter().enumerate() {
                let samples = &mut parts[usize::from(at >= cut)];
                if turns {
                    samples.turn_to(slot);
                }
                samples.add(slot, group, requests, bytes);
            }
            let [mut mine, theirs] = parts;
            let (slots, groups) = ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
            let expected = added.iter().map(|&(slot, group, requests, bytes, _)| ((slot, group), (requests, bytes.into())));
            let expected = together(expected);
            mine.merge(theirs, &slots, &groups);
            prop_assert_eq!(&together(sums(&mine)), &expected);
            mine.settle();
            prop_assert_eq!(&together(sums(&mine)), &expected);
            let honest = added.iter().all(|&(_, _, _, bytes, _)| bytes < 100);
            prop_assert!(!honest || sums(&mine).len() == expected.len(), "each sample in one piece");
        }
    }

    #[test]
    fn late_records_do_not_make_the_list_grow() {
        let mut samples = Samples::default();
        samples.turn_to(9);
        for record in 0..1000 {
            samples.add(record % 4, record % 3, 1, 1);
        }
        assert!(samples.list.len() <= 2 * SETTLED_LEAST, "{}", samples.list.len());
        samples.settle();
        assert_eq!(samples.list.len(), 12);
    }
}
