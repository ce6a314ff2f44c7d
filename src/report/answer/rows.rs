//! The rows of a view before they are printed: light ones, so that millions can be ranked and few be shown.
//!
//! A row has the numbers of its group and of its times instead of its key. Texts are looked at where measures are
//! equal, and copied for rows that are shown.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::Counted;
use super::figures::{group_numbers, is_empty};
use super::groups::{KeyPart, text, time_part};
use crate::aggregate::{Sums, ViewTally};
use crate::query::Dimension;
use crate::time::Slot;

/// Rows from which on the texts are sorted once, instead of compared where they must be.
const RANKED_MIN: usize = 10_000;

/// Candidates that are collected at least before any is given up.
const ROOM_MIN: usize = 4_096;

/// A group, or what it has at one time. [`Sums`] would make it half as large again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    pub(super) group: u32,
    time: u32,
    requests: u64,
    bytes: u128,
}

/// All rows of a view, in no order.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) all: Vec<Row>,
    by: &'a [Dimension],
    tally: &'a ViewTally,
    times: Times,
}

impl Row {
    pub(super) fn sums(&self) -> Sums {
        Sums { requests: self.requests, bytes: self.bytes }
    }

    fn add(&mut self, sums: Sums) {
        self.requests += sums.requests;
        self.bytes += sums.bytes;
    }
}

impl<'a> Rows<'a> {
    /// The rows of a view whose key is `by`: its groups, or with a time in the key its samples.
    pub(super) fn new(counted: &Counted<'_>, by: &'a [Dimension], tally: &'a ViewTally) -> Self {
        if !by.iter().any(is_time) {
            return Self::of(by, tally, group_numbers(tally).filter(|group| !is_empty(tally, *group)));
        }
        let mut times = Times::default();
        let all = timed(counted, by, tally, &mut times);
        Self { all, by, tally, times }
    }

    /// Rows of these groups, whose key `by` has no time.
    pub(super) fn of(by: &'a [Dimension], tally: &'a ViewTally, groups: impl Iterator<Item = u32>) -> Self {
        let row = |group| {
            let Sums { requests, bytes } = tally.sums(group);
            Row { group, time: 0, requests, bytes }
        };
        Self { all: groups.map(row).collect(), by, tally, times: Times::default() }
    }

    /// The key of a row.
    pub(super) fn key(&self, row: &Row) -> Vec<KeyPart> {
        let mut times = self.times.of(row).iter();
        let mut texts = self.tally.values(row.group).into_iter();
        let part = |dimension: &Dimension| match dimension {
            Dimension::Time(_) => times.next().map_or(KeyPart::Unknown, |time| KeyPart::Time(*time)),
            _ => texts.next().map_or(KeyPart::Unknown, text),
        };
        self.by.iter().map(part).collect()
    }

    /// The places of the first rows at most, in order: descending by the measure, those without one last, ties by key,
    /// ascending.
    pub(super) fn first(&self, limit: usize, measure: impl Fn(&Row) -> Option<u128>) -> Vec<u32> {
        self.first_of(limit, |_| true, measure)
    }

    /// The same, of the wanted rows.
    pub(super) fn first_of(
        &self,
        limit: usize,
        wanted: impl Fn(&Row) -> bool,
        measure: impl Fn(&Row) -> Option<u128>,
    ) -> Vec<u32> {
        let texts = if limit < RANKED_MIN { None } else { Some(Texts::new(self.tally)) };
        let by_key = |one: &Row, other: &Row| match &texts {
            Some(texts) => self.compare(one, other, |row, at| texts.places[at][row.group as usize]),
            None => self.compare(one, other, |row, at| {
                let value = self.tally.value(row.group, at);
                (value.is_none(), value)
            }),
        };
        let compare = |one: &Candidate, other: &Candidate| {
            other.score.cmp(&one.score).then_with(|| {
                let score = one.score;
                let [one, other] = [one, other].map(|candidate| &self.all[candidate.at as usize]);
                // Only the highest score stands for several measures.
                let full = |row| Reverse(if score == u64::MAX { measure(row) } else { None });
                full(one).cmp(&full(other)).then_with(|| by_key(one, other))
            })
        };
        let candidate = |(at, row)| Candidate { score: score(measure(row)), at };
        let wanted = (0..).zip(&self.all).filter(|(_, row)| wanted(row));
        let shown = first(wanted.map(candidate), limit, ROOM_MIN, compare);
        shown.into_iter().map(|candidate| candidate.at).collect()
    }

    /// The order of two keys; `value` tells what a row's text sorts by in each dimension without time.
    fn compare<V: Ord>(&self, one: &Row, other: &Row, value: impl Fn(&Row, usize) -> V) -> Ordering {
        let (mine, theirs) = (self.times.of(one), self.times.of(other));
        let (mut time, mut text) = (0, 0);
        for dimension in self.by {
            let order = if is_time(dimension) {
                time += 1;
                let [mine, theirs] = [mine, theirs].map(|times| times.get(time - 1));
                (mine.is_none(), mine).cmp(&(theirs.is_none(), theirs))
            } else {
                text += 1;
                value(one, text - 1).cmp(&value(other, text - 1))
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }
}

fn is_time(dimension: &Dimension) -> bool {
    matches!(dimension, Dimension::Time(_))
}

/// A row that may be shown.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    score: u64,
    at: u32,
}

/// A measure in 64 bits, in the same order. Measures that do not fit have the highest score together.
fn score(measure: Option<u128>) -> u64 {
    measure.map_or(0, |measure| u64::try_from(measure).map_or(u64::MAX, |measure| measure.saturating_add(1)))
}

/// The first candidates at most, in order. Those that cannot be among them are forgotten whenever there is no more room,
/// and as they come from then on.
fn first(
    candidates: impl Iterator<Item = Candidate>,
    limit: usize,
    room: usize,
    compare: impl Fn(&Candidate, &Candidate) -> Ordering,
) -> Vec<Candidate> {
    if limit == 0 {
        return Vec::new();
    }
    let room = limit.saturating_mul(2).max(room);
    let mut kept: Vec<Candidate> = Vec::new();
    let mut last: Option<Candidate> = None;
    for candidate in candidates {
        if last.is_some_and(|last| compare(&last, &candidate).is_lt()) {
            continue;
        }
        kept.push(candidate);
        if kept.len() >= room {
            last = Some(cut(&mut kept, limit, &compare));
        }
    }
    if kept.len() > limit {
        cut(&mut kept, limit, &compare);
    }
    kept.sort_unstable_by(compare);
    kept
}

/// Keeps the first and tells the last of them.
fn cut(
    kept: &mut Vec<Candidate>,
    limit: usize,
    compare: impl Fn(&Candidate, &Candidate) -> Ordering,
) -> Candidate {
    let (_, last, _) = kept.select_nth_unstable_by(limit - 1, compare);
    let last = *last;
    kept.truncate(limit);
    last
}

/// The times of keys ↔ small numbers.
#[derive(Debug, Default)]
struct Times {
    /// Of each number, a value per time of the key; of records without a time there are none.
    values: Vec<Vec<i64>>,
    numbers: BTreeMap<Vec<i64>, u32>,
    /// Of each slot's number.
    of_slot: Vec<Option<u32>>,
}

impl Times {
    fn of(&self, row: &Row) -> &[i64] {
        self.values.get(row.time as usize).map_or(&[], Vec::as_slice)
    }

    /// The number of a slot's times, made by `find` at first sight.
    #[inline]
    fn number(&mut self, slot: u32, find: impl Fn(u32) -> Vec<i64>) -> u32 {
        let at = slot as usize;
        if at >= self.of_slot.len() {
            self.of_slot.resize(at + 1, None);
        }
        if let Some(number) = self.of_slot[at] {
            return number;
        }
        let values = find(slot);
        let number = *self.numbers.entry(values).or_insert_with_key(|values| {
            self.values.push(values.clone());
            u32::try_from(self.values.len() - 1).expect("no more times than slots, which have 32 bits")
        });
        self.of_slot[at] = Some(number);
        number
    }
}

/// Rows whose key has a time: made of samples, which are sorted by time by counting them.
fn timed(counted: &Counted<'_>, by: &[Dimension], tally: &ViewTally, times: &mut Times) -> Vec<Row> {
    let parts = |slot: Option<Slot>| -> Vec<i64> {
        by.iter().filter_map(|dimension| time_part(counted, dimension, slot?)).collect()
    };
    let find = |number| parts(counted.tally.slots.get(number));
    let mut ends: Vec<usize> = Vec::new();
    for (slot, _, _) in tally.samples() {
        let time = times.number(slot, find) as usize;
        if time >= ends.len() {
            ends.resize(time + 1, 0);
        }
        ends[time] += 1;
    }
    let mut all = 0;
    for end in &mut ends {
        all += std::mem::replace(end, all);
    }
    let starts = ends.clone();
    let mut rows = vec![Row::default(); all];
    for (slot, group, Sums { requests, bytes }) in tally.samples() {
        let time = times.number(slot, find);
        let end = &mut ends[time as usize];
        rows[*end] = Row { group, time, requests, bytes };
        *end += 1;
    }
    // A group may have several samples at one time, which become its row there.
    let mut row_of = vec![usize::MAX; tally.len()];
    let mut merged = 0;
    for (start, end) in starts.into_iter().zip(ends) {
        let first = merged;
        for at in start..end {
            let row = rows[at];
            let known = &mut row_of[row.group as usize];
            if (first..merged).contains(known) {
                rows[*known].add(row.sums());
            } else {
                *known = merged;
                rows[merged] = row;
                merged += 1;
            }
        }
    }
    rows.truncate(merged);
    rows
}

/// The order of the texts.
#[derive(Debug)]
struct Texts {
    /// Per dimension without time, of each group; the unknown is last.
    places: Vec<Vec<u32>>,
}

impl Texts {
    fn new(tally: &ViewTally) -> Self {
        let mut numbers_of: Vec<HashMap<&[u8], u32, RandomState>> = Vec::new();
        let mut places: Vec<Vec<u32>> = Vec::new();
        for group in group_numbers(tally) {
            let values = tally.values(group);
            places.resize_with(values.len(), Vec::new);
            numbers_of.resize_with(values.len(), HashMap::default);
            for ((value, places), numbers) in values.into_iter().zip(&mut places).zip(&mut numbers_of) {
                let new =
                    u32::try_from(numbers.len()).expect("no more values than groups, which have 32 bits");
                places.push(value.map_or(u32::MAX, |value| *numbers.entry(value).or_insert(new)));
            }
        }
        for (places, numbers) in places.iter_mut().zip(numbers_of) {
            let mut sorted: Vec<(&[u8], u32)> = numbers.into_iter().collect();
            sorted.sort_unstable();
            let mut place_of = vec![0; sorted.len()];
            for (place, (_, number)) in (0..).zip(sorted) {
                place_of[number as usize] = place;
            }
            for place in places.iter_mut().filter(|place| **place != u32::MAX) {
                *place = place_of[*place as usize];
            }
        }
        Self { places }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// The twin sorts all. A tie is decided by the place.
        #[test]
        fn the_first_are_those_of_all_sorted(
            scores in prop::collection::vec(0..50_u64, 0..200),
            limit in 0..60_usize,
            room in 1..40_usize,
        ) {
            let candidates: Vec<Candidate> =
                (0..).zip(&scores).map(|(at, score)| Candidate { score: *score, at }).collect();
            let compare = |one: &Candidate, other: &Candidate| {
                (Reverse(one.score), one.at).cmp(&(Reverse(other.score), other.at))
            };
            let first = first(candidates.iter().copied(), limit, room, compare);
            let found: Vec<u32> = first.into_iter().map(|candidate| candidate.at).collect();
            let mut sorted = candidates;
            sorted.sort_unstable_by(compare);
            let expected: Vec<u32> = sorted.into_iter().map(|candidate| candidate.at).take(limit).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn scores_are_in_the_order_of_measures() {
        let large = u128::from(u64::MAX);
        let measures =
            [None, Some(0), Some(1), Some(large - 2), Some(large - 1), Some(large), Some(u128::MAX)];
        let scores: Vec<u64> = measures.into_iter().map(score).collect();
        assert_eq!(scores, [0, 1, 2, u64::MAX - 1, u64::MAX, u64::MAX, u64::MAX]);
    }
}
