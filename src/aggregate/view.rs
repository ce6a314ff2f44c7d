//! Counts per group, and per group and slot.
//!
//! A group is a number that stands for a tuple of interned values ([`super::keys`]); its samples are kept apart, by slot
//! ([`super::samples`]).

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::distinct::Distinct;
use super::interner::Interner;
use super::keys::Keys;
use super::room;
use super::samples::{Cell, Samples};
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

/// The counts of one view in one thread.
#[derive(Debug, Clone, Default)]
pub struct ViewTally {
    /// One per dimension without time.
    pub(super) values: Vec<Interner>,
    keys: Keys,
    sums: Vec<Cell>,
    /// What was too much for a cell.
    overflow: HashMap<u32, Sums, RandomState>,
    pub(super) extras: Vec<Extra>,
    timings: Vec<Timing>,
    clients: Vec<Distinct>,
    pub(super) samples: Samples,
    /// Per slot number and group, of bounded views.
    pub(super) spans: HashMap<(u32, u32), Span, RandomState>,
}

impl ViewTally {
    pub(super) fn new(dimensions: usize) -> Self {
        let values = vec![Interner::default(); dimensions];
        Self { values, keys: Keys::new(dimensions), ..Self::default() }
    }

    /// The number of a group, new or known.
    #[inline]
    pub(super) fn group(&mut self, key: &Key) -> u32 {
        let group = self.keys.number(key);
        if group as usize == self.sums.len() {
            self.sums.push(Cell::default());
        }
        group
    }

    /// Adds to the sums of a group.
    #[inline]
    pub(super) fn add(&mut self, group: u32, requests: u64, bytes: u64) {
        if let Some(too_much) = self.sums[group as usize].add(Cell { requests, bytes }) {
            self.overflow.entry(group).or_default().merge(too_much);
        }
    }

    /// Adds to the sums of a group, however much.
    pub(super) fn add_sums(&mut self, group: u32, sums: Sums) {
        match u64::try_from(sums.bytes) {
            Ok(bytes) => self.add(group, sums.requests, bytes),
            Err(_) => self.overflow.entry(group).or_default().merge(sums),
        }
    }

    /// A view of the same dimensions that has counted nothing.
    pub(super) fn emptied(&self) -> Self {
        Self::new(self.values.len())
    }

    /// Forgets all groups, keeps the room for as many.
    pub(super) fn clear(&mut self) {
        let Self { values, keys, sums, overflow, extras, timings, clients, samples, spans } = self;
        values.iter_mut().for_each(Interner::clear);
        keys.clear();
        sums.clear();
        overflow.clear();
        extras.clear();
        timings.clear();
        clients.clear();
        samples.clear();
        spans.clear();
    }

    /// Bytes of memory, see `room`, with what it takes to put the groups on disk.
    pub fn memory(&self) -> usize {
        let Self { values, keys, sums, overflow, extras, timings, clients, samples, spans } = self;
        let values: usize = values.iter().map(Interner::memory).sum();
        let lists = room::list(sums) + room::list(extras) + room::list(timings) + room::list(clients);
        let parts = estimated(timings, histograms) + estimated(clients, Distinct::memory);
        let maps = room::map(overflow) + room::map(spans);
        values + keys.memory() + lists + parts + maps + samples.memory() + self.len() * SORTED_BYTES
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True if nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.keys.len() == 0
    }

    /// The values of a group: bytes, or `None` for unknown, one per dimension without time.
    pub fn values(&self, group: u32) -> Vec<Option<&[u8]>> {
        let key = self.keys.get(group);
        let pairs = self.values.iter().zip(key);
        pairs.map(|(interner, id)| id.checked_sub(1).map(|id| interner.get(id))).collect()
    }

    /// One of them.
    pub fn value(&self, group: u32, dimension: usize) -> Option<&[u8]> {
        let id = self.keys.get(group)[dimension];
        id.checked_sub(1).map(|id| self.values[dimension].get(id))
    }

    /// A number that those groups share whose values but for the last are the same.
    pub fn stem(&self, group: u32) -> u32 {
        self.keys.stem(group)
    }

    /// Requests and bytes of a group.
    pub fn sums(&self, group: u32) -> Sums {
        let mut sums = self.sums[group as usize].sums();
        // An empty map says so without hashing.
        if let Some(&more) = self.overflow.get(&group) {
            sums.merge(more);
        }
        sums
    }

    /// The rarer sums of a group.
    pub fn extra(&self, group: u32) -> Extra {
        self.extras.get(group as usize).copied().unwrap_or_default()
    }

    /// The durations of a group, if the view keeps them and there are any.
    pub fn timing(&self, group: u32) -> Option<&Timing> {
        self.timings.get(group as usize)
    }

    /// The different clients of a group, if the view counts them and there are any.
    pub fn clients(&self, group: u32) -> Option<&Distinct> {
        self.clients.get(group as usize)
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

    #[inline]
    pub(super) fn clients_mut(&mut self, group: u32) -> &mut Distinct {
        let at = group as usize;
        if at >= self.clients.len() {
            self.clients.resize_with(at + 1, Distinct::default);
        }
        &mut self.clients[at]
    }

    /// Sums what belongs to one sample.
    pub(super) fn settle(&mut self) {
        self.samples.settle();
    }

    /// Adds another thread's counts; `slots` translates its slot numbers.
    pub(super) fn merge(&mut self, other: Self, slots: &[u32]) {
        let Self { values, keys, sums, overflow, extras, timings, clients, samples, spans } = other;
        if self.keys.is_unset() {
            *self = Self::new(values.len());
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
        let groups: Vec<u32> =
            keys.numbers().map(|number| self.group(&translate(keys.get(number)))).collect();
        for (&group, cell) in groups.iter().zip(sums) {
            self.add(group, cell.requests, cell.bytes);
        }
        for (group, sums) in overflow {
            self.overflow.entry(groups[group as usize]).or_default().merge(sums);
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
        for (&group, clients) in groups.iter().zip(clients) {
            self.clients_mut(group).merge(&clients);
        }
        self.samples.merge(samples, slots, &groups);
    }
}

/// What sorting takes of a group: its hash and number, and its place.
const SORTED_BYTES: usize = 12;

/// Parts that are looked at to know what all of them take.
const LOOKED_AT: usize = 1_000;

/// Bytes of the parts of all groups, from some of them.
fn estimated<T>(parts: &[T], memory: impl Fn(&T) -> usize) -> usize {
    let step = parts.len().div_ceil(LOOKED_AT).max(1);
    parts.iter().step_by(step).map(memory).sum::<usize>() * step
}

fn histograms(timing: &Timing) -> usize {
    timing.times.memory() + timing.throughputs.memory()
}
