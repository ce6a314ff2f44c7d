//! Counts per group, and per group and slot.
//!
//! A group is a number that stands for a tuple of interned values; its samples are kept in one map keyed by slot and
//! group. Log lines come nearly in order of time, so the samples of the current slot are collected in a dense row
//! first (3 × on the prototype, see docs/BENCHMARKS.md) and flushed into the map when a later slot begins.

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasher;

use super::interner::Interner;
use super::share::{NO_SLOT, Shares, Span};
use super::timing::Timing;
use crate::query::dimension::DIMENSIONS_MAX;

/// Interned values of one group, one per dimension without time; unused ones are 0.
pub(super) type Key = [u32; DIMENSIONS_MAX];

/// The number of the unknown value; value `n` of an interner is `n + 1`.
pub(super) const UNKNOWN: u32 = 0;

/// Requests and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Records.
    pub requests: u64,
    /// Bytes on the chosen basis.
    pub bytes: u128,
}

/// The rarer sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extra {
    /// Bytes received.
    pub bytes_in: u128,
    /// Records with a 4xx status.
    pub errors_4xx: u64,
    /// Records with a 5xx status.
    pub errors_5xx: u64,
    /// Sum of response times.
    pub duration_us: u128,
    /// Longest response time.
    pub duration_max_us: u64,
    /// Records with a response time, see [`timing`](super::timing).
    pub timed: u64,
}

impl Sums {
    /// Adds.
    pub fn merge(&mut self, other: Self) {
        let Self { requests, bytes } = other;
        self.requests += requests;
        self.bytes += bytes;
    }
}

impl Extra {
    /// Adds.
    pub fn merge(&mut self, other: Self) {
        let Self { bytes_in, errors_4xx, errors_5xx, duration_us, duration_max_us, timed } = other;
        self.bytes_in += bytes_in;
        self.errors_4xx += errors_4xx;
        self.errors_5xx += errors_5xx;
        self.duration_us += duration_us;
        self.duration_max_us = self.duration_max_us.max(duration_max_us);
        self.timed += timed;
    }
}

/// A sample: half the size of [`Sums`], because there are many. Bytes beyond 64 bits are carried by [`Samples`].
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    requests: u64,
    bytes: u64,
}

/// Samples per slot number and group.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    cells: HashMap<(u32, u32), Cell, RandomState>,
    /// Multiples of 2⁶⁴ bytes. No honest log gets here, a forged one must not wrap.
    carries: HashMap<(u32, u32), u64, RandomState>,
    current: u32,
    row: Vec<Cell>,
    touched: Vec<u32>,
}

impl Samples {
    /// Collects what follows for `slot` in the dense row.
    pub(super) fn turn_to(&mut self, slot: u32) {
        if slot != self.current {
            self.flush();
            self.current = slot;
        }
    }

    #[inline]
    pub(super) fn add(&mut self, slot: u32, group: u32, requests: u64, bytes: u64) {
        if slot == self.current {
            let at = group as usize;
            if at >= self.row.len() {
                self.row.resize(at + 1, Cell::default());
            }
            let cell = &mut self.row[at];
            if cell.requests == 0 && cell.bytes == 0 {
                self.touched.push(group);
            }
            if let Some(bytes) = cell.bytes.checked_add(bytes) {
                *cell = Cell { requests: cell.requests + requests, bytes };
            } else {
                // A cell that wraps to 0 would look untouched, so a full one goes to the map first.
                let full = std::mem::replace(cell, Cell { requests, bytes });
                self.add_to_map(slot, group, full);
            }
        } else {
            self.add_to_map(slot, group, Cell { requests, bytes });
        }
    }

    fn add_to_map(&mut self, slot: u32, group: u32, added: Cell) {
        let cell = self.cells.entry((slot, group)).or_default();
        let (sum, carry) = cell.bytes.overflowing_add(added.bytes);
        *cell = Cell { requests: cell.requests + added.requests, bytes: sum };
        if carry {
            *self.carries.entry((slot, group)).or_default() += 1;
        }
    }

    fn flush(&mut self) {
        for group in std::mem::take(&mut self.touched) {
            let cell = std::mem::take(&mut self.row[group as usize]);
            self.add_to_map(self.current, group, cell);
        }
    }

    /// All samples, in no order.
    fn iter(&self) -> impl Iterator<Item = (u32, u32, Sums)> {
        let row = self.touched.iter().map(|&group| ((self.current, group), self.row[group as usize]));
        let map = self.cells.iter().map(|(key, cell)| (*key, *cell));
        let carries = self.carries.iter().map(|(&(slot, group), &times)| {
            (slot, group, Sums { requests: 0, bytes: u128::from(times) << 64 })
        });
        map.chain(row)
            .map(|((slot, group), cell)| {
                (slot, group, Sums { requests: cell.requests, bytes: u128::from(cell.bytes) })
            })
            .chain(carries)
    }
}

/// The counts of one view in one thread.
#[derive(Debug, Clone, Default)]
pub struct ViewTally {
    /// One per dimension without time.
    pub(super) values: Vec<Interner>,
    groups: HashTable<u32>,
    keys: Vec<Key>,
    hasher: RandomState,
    pub(super) sums: Vec<Sums>,
    pub(super) extras: Vec<Extra>,
    timings: Vec<Timing>,
    pub(super) samples: Samples,
    /// Per slot number and group, of bounded views.
    pub(super) spans: HashMap<(u32, u32), Span, RandomState>,
}

impl ViewTally {
    pub(super) fn new(dimensions: usize) -> Self {
        Self { values: vec![Interner::default(); dimensions], ..Self::default() }
    }

    /// The number of a group, new or known.
    #[inline]
    pub(super) fn group(&mut self, key: Key) -> u32 {
        let hash = self.hasher.hash_one(key);
        let (keys, hasher) = (&self.keys, &self.hasher);
        if let Some(&group) = self.groups.find(hash, |&group| keys[group as usize] == key) {
            return group;
        }
        let group = u32::try_from(self.keys.len()).expect("fewer groups than 2³²: memory ends first");
        self.groups.insert_unique(hash, group, |&group| hasher.hash_one(keys[group as usize]));
        self.keys.push(key);
        self.sums.push(Sums::default());
        group
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True if nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The values of a group: bytes, or `None` for unknown, one per dimension without time.
    pub fn values(&self, group: u32) -> Vec<Option<&[u8]>> {
        let key = self.keys[group as usize];
        let pairs = self.values.iter().zip(key);
        pairs.map(|(interner, id)| id.checked_sub(1).map(|id| interner.get(id))).collect()
    }

    /// Requests and bytes of a group.
    pub fn sums(&self, group: u32) -> Sums {
        self.sums[group as usize]
    }

    /// The rarer sums of a group.
    pub fn extra(&self, group: u32) -> Extra {
        self.extras.get(group as usize).copied().unwrap_or_default()
    }

    /// The durations of a group, if the view keeps them and there are any.
    pub fn timing(&self, group: u32) -> Option<&Timing> {
        self.timings.get(group as usize)
    }

    /// All spans as (slot number, group, span), in no order.
    pub fn spans(&self) -> impl Iterator<Item = (u32, u32, Span)> {
        self.spans.iter().map(|(&(slot, group), &span)| (slot, group, span))
    }

    /// All samples as (slot number, group, sums), in no order; one pair may occur more than once. Number 0 stands for
    /// no slot: records without a time and, in bounded views, what fell outside the limits.
    pub fn samples(&self) -> impl Iterator<Item = (u32, u32, Sums)> {
        self.samples.iter()
    }

    #[inline]
    pub(super) fn extra_mut(&mut self, group: u32) -> &mut Extra {
        let at = group as usize;
        if at >= self.extras.len() {
            self.extras.resize(at + 1, Extra::default());
        }
        &mut self.extras[at]
    }

    /// Adds what bounds the samples of a record.
    pub(super) fn bound(&mut self, group: u32, shares: &Shares) {
        for &(slot, span) in &shares.spans {
            self.spans.entry((slot, group)).or_default().merge(span);
        }
        let mut outside = shares.outside;
        while outside > 0 {
            let part = u64::try_from(outside).unwrap_or(u64::MAX);
            self.samples.add(NO_SLOT, group, 0, part);
            outside -= u128::from(part);
        }
    }

    #[inline]
    pub(super) fn timing_mut(&mut self, group: u32) -> &mut Timing {
        let at = group as usize;
        if at >= self.timings.len() {
            self.timings.resize_with(at + 1, Timing::default);
        }
        &mut self.timings[at]
    }

    /// Adds another thread's counts; `slots` translates its slot numbers.
    pub(super) fn merge(&mut self, other: Self, slots: &[u32]) {
        let Self { values, groups: _, keys, hasher: _, sums, extras, timings, samples, spans } = other;
        if self.values.is_empty() {
            self.values.resize_with(values.len(), Interner::default);
        }
        let values: Vec<Vec<u32>> = self
            .values
            .iter_mut()
            .zip(&values)
            .map(|(mine, theirs)| theirs.ids().map(|id| mine.intern(theirs.get(id)) + 1).collect())
            .collect();
        let translate = |key: Key| {
            let mut mine = [UNKNOWN; DIMENSIONS_MAX];
            for (at, ids) in values.iter().enumerate() {
                if key[at] != UNKNOWN {
                    mine[at] = ids[key[at] as usize - 1];
                }
            }
            mine
        };
        let groups: Vec<u32> = keys.into_iter().map(|key| self.group(translate(key))).collect();
        for (&group, sums) in groups.iter().zip(sums) {
            self.sums[group as usize].merge(sums);
        }
        for (&group, extra) in groups.iter().zip(extras) {
            self.extra_mut(group).merge(extra);
        }
        for ((slot, group), span) in spans {
            self.spans.entry((slots[slot as usize], groups[group as usize])).or_default().merge(span);
        }
        for (&group, timing) in groups.iter().zip(timings) {
            self.timing_mut(group).merge(&timing);
        }
        for (slot, group, sums) in samples.iter() {
            let (slot, group) = (slots[slot as usize], groups[group as usize]);
            let carry = u64::try_from(sums.bytes >> 64).expect("a sample's carry fits 64 bits");
            #[allow(clippy::cast_possible_truncation, reason = "the high half is carried")]
            let low = sums.bytes as u64;
            // A carry alone must not touch a cell: it stays 0 and would be touched again.
            if sums.requests > 0 || low > 0 {
                self.samples.add(slot, group, sums.requests, low);
            }
            if carry > 0 {
                *self.samples.carries.entry((slot, group)).or_default() += carry;
            }
        }
    }
}
