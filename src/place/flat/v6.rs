//! IPv6: the high halves at which something changes, sorted, found by an index; where a /64 is split, which is rare,
//! the low halves at which it changes.
//!
//! All but an eighth of the space is unallocated, so the index divides `2000::/3` alone. It has no place in the
//! compiled form: making it again takes less time than checking it would.

use std::cmp::Ordering;

use super::{NONE, POINTER, Runs, is_value, put, put_length, take, take_length};

/// The value of every IPv6 address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::place) struct V6 {
    /// Ascending from 0.
    highs: Vec<u64>,
    /// What holds from each high half on: a value, or [`POINTER`] plus the number of a split /64.
    values: Vec<u32>,
    splits: Splits,
    index: Index,
}

impl V6 {
    /// One pass over runs, from the lowest address on, whose values are [`NONE`] or below [`POINTER`].
    pub(in crate::place) fn new(runs: impl Iterator<Item = (u128, u32)>) -> Self {
        let (mut highs, mut values) = (Vec::new(), Vec::new());
        let mut splits = Splits::default();
        let mut begin = |high, value| {
            highs.push(high);
            values.push(value);
        };
        let mut runs = runs.map(|(first, value)| (halves(first), value)).peekable();
        let mut before = NONE;
        while let Some(((high, low), value)) = runs.next() {
            let split = |&((next, low), _): &((u64, u64), u32)| next == high && low > 0;
            if low == 0 && !runs.peek().is_some_and(split) {
                begin(high, value);
                before = value;
                continue;
            }
            begin(high, POINTER | u32::try_from(splits.ends.len()).expect("RUNS_MAX bounds all runs"));
            if low > 0 {
                splits.push(0, before);
            }
            splits.push(low, value);
            before = value;
            while let Some(((_, low), value)) = runs.next_if(split) {
                splits.push(low, value);
                before = value;
            }
            splits.end();
            // What held at the end of the /64 goes on behind it, unless the next run begins there or in the next /64.
            if let Some(after) = high.checked_add(1)
                && runs.peek().is_none_or(|&((next, _), _)| next != after)
            {
                begin(after, before);
            }
        }
        highs.shrink_to_fit();
        values.shrink_to_fit();
        let index = Index::new(&highs);
        Self { highs, values, splits, index }
    }

    /// The value of an address.
    #[inline]
    pub(in crate::place) fn get(&self, address: u128) -> u32 {
        let (high, low) = halves(address);
        let (from, to) = self.index.range(high);
        let passed = self.highs[from + 1..=to].partition_point(|&first| first <= high);
        let value = self.values[from + passed];
        if value < POINTER || value == NONE { value } else { self.splits.get(value ^ POINTER, low) }
    }

    /// The runs that it was made from.
    pub(in crate::place) fn runs(&self) -> Runs<u128> {
        let mut runs = Runs::new();
        for (&high, &value) in self.highs.iter().zip(&self.values) {
            let first = u128::from(high) << 64;
            match value.checked_sub(POINTER).and_then(|split| self.splits.list(split)) {
                Some((lows, values)) => {
                    lows.iter()
                        .zip(values)
                        .for_each(|(&low, &value)| runs.begin(first | u128::from(low), value));
                }
                None => runs.begin(first, value),
            }
        }
        runs
    }

    /// Memory taken.
    pub(super) fn bytes(&self) -> usize {
        let Splits { ends, lows, values } = &self.splits;
        let words = self.values.len() + self.index.positions.len() + ends.len() + values.len();
        size_of_val(&*self.highs) + size_of_val(&**lows) + words * size_of::<u32>()
    }

    /// Appends the form that [`Self::read`] reads.
    pub(in crate::place) fn write(&self, out: &mut Vec<u8>) {
        let Splits { ends, lows, values } = &self.splits;
        out.reserve(self.bytes() + 12);
        for length in [self.highs.len(), ends.len(), lows.len()] {
            put_length(out, length);
        }
        put(out, &self.highs, u64::to_le_bytes);
        put(out, lows, u64::to_le_bytes);
        put(out, &self.values, u32::to_le_bytes);
        put(out, ends, u32::to_le_bytes);
        put(out, values, u32::to_le_bytes);
    }

    /// What [`Self::write`] wrote, if it can only lead to values below `records` and [`NONE`].
    pub(in crate::place) fn read(bytes: &mut &[u8], records: u32) -> Option<Self> {
        let [highs_len, splits_len, lows_len] =
            [take_length(bytes)?, take_length(bytes)?, take_length(bytes)?];
        let word = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
        let half = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
        let highs = take(bytes, highs_len, half)?;
        let lows = take(bytes, lows_len, half)?;
        let values = take(bytes, highs_len, word)?;
        let splits =
            Splits { lows, ends: take(bytes, splits_len, word)?, values: take(bytes, lows_len, word)? };
        let fit = records <= POINTER
            && highs.first() == Some(&0)
            && highs.is_sorted_by(|one, other| one < other)
            && splits.hold(records)
            && point_to_splits(&highs, &values, splits.ends.len(), records);
        fit.then(|| Self { index: Index::new(&highs), highs, values, splits })
    }
}

/// The lists of split /64s, end to end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Splits {
    /// Where each list ends; it starts where the one before it ends.
    ends: Vec<u32>,
    /// Ascending from 0 within each list.
    lows: Vec<u64>,
    /// What holds from each low half on.
    values: Vec<u32>,
}

impl Splits {
    fn push(&mut self, low: u64, value: u32) {
        self.lows.push(low);
        self.values.push(value);
    }

    fn end(&mut self) {
        self.ends.push(u32::try_from(self.lows.len()).expect("RUNS_MAX bounds all runs"));
    }

    fn get(&self, split: u32, low: u64) -> u32 {
        let Some((lows, values)) = self.list(split) else { return NONE };
        values[lows.partition_point(|&first| first <= low) - 1]
    }

    fn list(&self, split: u32) -> Option<(&[u64], &[u32])> {
        let split = split as usize;
        let start = split.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        let list = start as usize..*self.ends.get(split)? as usize;
        Some((self.lows.get(list.clone())?, self.values.get(list)?))
    }

    /// Whether every list begins with 0 and ascends, and all values are fit.
    fn hold(&self, records: u32) -> bool {
        let mut start = 0;
        self.values.iter().all(|&value| is_value(value, records))
            && self.ends.iter().all(|&end| {
                let list = self.lows.get(start..end as usize);
                start = end as usize;
                list.is_some_and(|lows| {
                    lows.first() == Some(&0) && lows.is_sorted_by(|one, other| one < other)
                })
            })
            && self.lows.len() == start
    }
}

/// Whether all values are fit, and pointers lead to each split once and in order, each for one /64 alone.
fn point_to_splits(highs: &[u64], values: &[u32], splits: usize, records: u32) -> bool {
    let mut next_split = 0;
    let ends = highs.iter().skip(1).map(|&high| high - 1).chain([u64::MAX]);
    values.iter().zip(highs).zip(ends).all(|((&value, &high), end)| {
        is_value(value, records)
            || value >= POINTER && high == end && {
                next_split += 1;
                (value ^ POINTER) as usize == next_split - 1
            }
    }) && splits == next_split
}

/// Where to search: the position of the last high half at or before the first address of each bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Index {
    /// Of the buckets of `2000::/3`, then of `4000::`.
    positions: Vec<u32>,
    /// By how much a high half is shifted to become a bucket's number.
    shift: u32,
    /// How many high halves there are.
    len: usize,
}

/// The first bits of the addresses that are given out: 001.
const GIVEN_OUT: u64 = 0b001;
const GIVEN_OUT_BITS: u32 = 3;
/// Addresses given out cluster in a hundredth of their space, so many buckets per run are needed to have a few runs
/// per bucket; 2 MiB of them at most.
const BUCKETS_PER_RUN_LOG2: u32 = 3;
const BUCKETS_LOG2_MAX: u32 = 19;

impl Index {
    fn new(highs: &[u64]) -> Self {
        let buckets_log2 = (highs.len().ilog2() + BUCKETS_PER_RUN_LOG2).min(BUCKETS_LOG2_MAX);
        let shift = 64 - GIVEN_OUT_BITS - buckets_log2;
        let mut at = 0;
        let buckets = (GIVEN_OUT << buckets_log2)..=((GIVEN_OUT + 1) << buckets_log2);
        let positions = buckets.map(|bucket| {
            while highs.get(at + 1).is_some_and(|&high| high <= bucket << shift) {
                at += 1;
            }
            u32::try_from(at).expect("RUNS_MAX bounds all runs")
        });
        Self { positions: positions.collect(), shift, len: highs.len() }
    }

    /// Between which positions, both included, is the last high half that is not above a high half.
    #[inline]
    fn range(&self, high: u64) -> (usize, usize) {
        let buckets = self.positions.len() - 1;
        match (high >> (64 - GIVEN_OUT_BITS)).cmp(&GIVEN_OUT) {
            Ordering::Less => (0, self.positions[0] as usize),
            Ordering::Equal => {
                let bucket = usize::try_from(high >> self.shift).expect("few bits are left") & (buckets - 1);
                (self.positions[bucket] as usize, self.positions[bucket + 1] as usize)
            }
            Ordering::Greater => (self.positions[buckets] as usize, self.len - 1),
        }
    }
}

fn halves(address: u128) -> (u64, u64) {
    let half = |bits: u128| u64::try_from(bits).expect("64 bits are left");
    (half(address >> 64), half(address & u128::from(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::place::flat::tests::{corrupt, corruptions, runs};

    fn starts() -> impl Strategy<Value = Vec<(u128, u32)>> {
        let value = prop_oneof![Just(NONE), 0_u32..4, Just(POINTER - 1)];
        // Anywhere, within 2000::/3, within one /32, around the border of two /64s, at both ends.
        let bits = prop_oneof![Just(128), Just(125), Just(96), Just(66), Just(64), Just(8)];
        let base =
            prop_oneof![Just(0), Just(1 << 125), Just(0x2A00_u128 << 112), Just(1 << 126), Just(u128::MAX)];
        let start = (base, bits, any::<u128>(), prop_oneof![Just(0), Just(64)]).prop_map(
            |(base, bits, offset, zeros)| {
                let mask = u128::MAX >> (128 - bits);
                (base & !mask | offset & mask) >> zeros << zeros
            },
        );
        prop::collection::vec((prop_oneof![8 => start, 1 => Just(u128::MAX)], value), 0..40)
    }

    fn check(runs: &Runs<u128>) {
        let table = V6::new(runs.iter());
        for (first, _) in runs.iter() {
            let near =
                [first.wrapping_sub(1), first, first.wrapping_add(1), first ^ 1 << 64, first ^ 1 << 100];
            for address in near {
                assert_eq!(table.get(address), runs.get(address), "{address:#x} {runs:?}");
            }
        }
        assert_eq!(&table.runs(), runs);
        let mut bytes = Vec::new();
        table.write(&mut bytes);
        bytes.push(7);
        let mut rest = bytes.as_slice();
        assert_eq!(V6::read(&mut rest, POINTER), Some(table));
        assert_eq!(rest, [7], "it takes what it wrote");
    }

    #[test]
    fn tables_answer_as_the_runs_do() {
        check(&Runs::new());
        check(&runs([(0, 5)]));
        check(&runs([(0, 0), (u128::MAX, 1)]));
        check(&runs([(1 << 125, 1), (1 << 126, 2)]));
        // Two split /64s side by side, with and without a change at their border.
        check(&runs([((1 << 125) + 5, 1), ((1 << 125) + (1 << 64) + 5, 2)]));
        check(&runs([((1 << 125) + 5, 1), ((1 << 125) + (1 << 64), 3), ((1 << 125) + (1 << 64) + 5, 2)]));
        check(&runs((0..1000).map(|step: u128| ((0x2A00 << 112) + (step << 80), 1))));
        check(&runs((0..1000).map(|step: u128| ((0x2A00 << 112) + step, u32::try_from(step).unwrap()))));
    }

    #[test]
    fn values_beyond_the_records_are_refused() {
        let mut bytes = Vec::new();
        V6::new(runs([(1 << 125, 1), ((1 << 125) + 5, 2)]).iter()).write(&mut bytes);
        assert_eq!(V6::read(&mut bytes.as_slice(), 2), None);
        assert!(V6::read(&mut bytes.as_slice(), 3).is_some());
        assert_eq!(V6::read(&mut &bytes[..bytes.len() - 1], 3), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn tables_answer_as_any_runs_do(starts in starts(), addresses in prop::array::uniform16(any::<u128>())) {
            let runs = runs(starts);
            check(&runs);
            let table = V6::new(runs.iter());
            for address in addresses {
                prop_assert_eq!(table.get(address), runs.get(address));
            }
        }

        #[test]
        fn corrupt_tables_are_refused_or_harmless(
            starts in starts(),
            corruptions in corruptions(),
            addresses in prop::array::uniform16(any::<u128>()),
        ) {
            let runs = runs(starts.into_iter().map(|(first, value)| (first, value % 4)));
            let mut bytes = Vec::new();
            V6::new(runs.iter()).write(&mut bytes);
            corrupt(&mut bytes, &corruptions, &[0, 12]);
            if let Some(table) = V6::read(&mut bytes.as_slice(), 4) {
                let starts = runs.iter().map(|(first, _)| first);
                for address in starts.chain(addresses) {
                    prop_assert!(is_value(table.get(address), 4));
                }
                prop_assert!(table.runs().iter().all(|(_, value)| is_value(value, 4)));
            }
        }
    }
}
