//! How values are distributed: an integer histogram whose buckets grow with the values.
//!
//! Every power of two is cut into 32 equal buckets, and values below 32 have one each:
//!
//! ```text
//! 0 1 … 31 | 32 33 … 63 | 64-65 66-67 … 126-127 | 128-131 … 252-255 | …
//! ```
//!
//! A bucket that begins at `low` is at most `low / 32` wide, so its middle is within 1/64 = 1.5625 % of every value in it.
//! Merging adds counts, so any split of the values gives the same histogram.

/// Buckets per power of two, as a power of two.
const PARTS_BITS: u32 = 5;

const PARTS: u64 = 1 << PARTS_BITS;

/// Bits of a count; the bits above are the bucket's number, of which there are less than 2¹¹.
const COUNT_BITS: u32 = 53;

/// The largest count that one entry holds.
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;

/// A distribution of integers.
///
/// Only buckets with a count are kept, 8 bytes each: 32 bytes beside the buckets, and 32 bytes more for up to 4 of them.
/// Whoever asks often has at most 1,920 buckets (15 kB); response times from 1 ms to 1 minute have 509.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Bucket and count in one number, in order of the bucket. A full count is followed by another entry of the same
    /// bucket: nothing ever wraps.
    entries: Vec<u64>,
    largest: u64,
}

impl Histogram {
    /// Counts a value.
    #[inline]
    pub fn add(&mut self, value: u64) {
        self.largest = self.largest.max(value);
        self.add_to(bucket(value), 1);
    }

    /// Adds another histogram's counts. Commutative and associative; the default is the identity.
    pub fn merge(&mut self, other: &Self) {
        let Self { entries, largest } = other;
        self.largest = self.largest.max(*largest);
        for entry in entries {
            self.add_to(entry >> COUNT_BITS, entry & COUNT_MAX);
        }
    }

    /// Bytes of memory beside its own: the buckets, and what an allocator adds.
    pub(super) fn memory(&self) -> usize {
        if self.entries.capacity() == 0 { 0 } else { size_of::<u64>() * (self.entries.capacity() + 2) }
    }

    /// What it is made of, for [`Self::restore`].
    pub(super) fn store(&self) -> (&[u64], u64) {
        (&self.entries, self.largest)
    }

    /// The histogram that was stored so.
    pub(super) fn restore(entries: Vec<u64>, largest: u64) -> Self {
        Self { entries, largest }
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry & COUNT_MAX))
    }

    /// The nearest-rank percentile: of n values in ascending order the one at ⌈n · percent / 100⌉, at least the first.
    /// What is reported is the largest value exactly, and of all others the middle of their bucket, rounded down, but no
    /// more than the largest; within 1/64 of the value. `None` without values; more than 100 is 100.
    pub fn percentile(&self, percent: u8) -> Option<u64> {
        let count = u128::from(self.count());
        let rank = (count * u128::from(percent.min(100))).div_ceil(100).max(1);
        if rank == count {
            return Some(self.largest);
        }
        let mut passed = 0_u128;
        self.entries.iter().find_map(|entry| {
            passed += u128::from(entry & COUNT_MAX);
            (passed >= rank).then(|| middle(entry >> COUNT_BITS).min(self.largest))
        })
    }

    #[inline]
    fn add_to(&mut self, bucket: u64, count: u64) {
        let after = self.entries.partition_point(|entry| entry >> COUNT_BITS <= bucket);
        let last = after.checked_sub(1).map(|at| &mut self.entries[at]);
        let rest = match last.filter(|entry| **entry >> COUNT_BITS == bucket) {
            Some(entry) => {
                let sum = (*entry & COUNT_MAX) + count;
                *entry = bucket << COUNT_BITS | sum.min(COUNT_MAX);
                sum.saturating_sub(COUNT_MAX)
            }
            None => count,
        };
        if rest > 0 {
            self.entries.insert(after, bucket << COUNT_BITS | rest);
        }
    }
}

/// The number of a value's bucket, 0 to 1,919.
#[inline]
fn bucket(value: u64) -> u64 {
    if value < PARTS {
        return value;
    }
    let octave = u64::from(value.ilog2() - PARTS_BITS);
    PARTS * octave + (value >> octave)
}

/// The middle of a bucket's values, rounded down.
fn middle(bucket: u64) -> u64 {
    if bucket < PARTS {
        return bucket;
    }
    let octave = bucket / PARTS - 1;
    ((PARTS + bucket % PARTS) << octave) + ((1_u64 << octave) - 1) / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_each_other() {
        let check = |value: u64, expected: u64| assert_eq!(bucket(value), expected, "{value}");
        check(0, 0);
        check(31, 31);
        check(32, 32);
        check(63, 63);
        check(64, 64);
        check(65, 64);
        check(66, 65);
        check(127, 95);
        check(128, 96);
        check(u64::MAX, 1_919);
        for bucket in 0..1_920 {
            assert_eq!(super::bucket(middle(bucket)), bucket);
        }
    }

    fn histogram(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for &value in values {
            histogram.add(value);
        }
        histogram
    }

    fn check(values: &[u64], percent: u8, expected: Option<u64>) {
        let histogram = histogram(values);
        assert_eq!(histogram.percentile(percent), expected, "{values:?} {percent}");
    }

    #[test]
    fn the_middle_of_the_bucket_is_reported() {
        check(&[], 50, None);
        check(&[0], 50, Some(0));
        check(&[1, 2, 3, 4], 50, Some(2));
        check(&[1, 2, 3, 4], 51, Some(3));
        check(&[1, 2, 3, 4], 0, Some(1));
        check(&[1, 2, 3, 4], 100, Some(4));
        check(&[1, 2, 3, 4], 255, Some(4));
        // Its bucket goes from 999,424 to 1,015,807.
        check(&[1_000_000, 2_000_000], 50, Some(999_424 + 8_191));
        // The middle would be beyond the largest value.
        check(&[1_000_000, 1_000_001], 50, Some(1_000_001));
        check(&[u64::MAX, u64::MAX], 50, Some(middle(1_919)));
        check(&[1_000_000, 2_000_000], 51, Some(2_000_000));
    }

    #[test]
    fn a_full_count_goes_on_in_another_entry() {
        let full = |count| Histogram { entries: vec![7 << COUNT_BITS | count], largest: 7 };
        let mut histogram = full(COUNT_MAX - 1);
        histogram.add(7);
        histogram.add(7);
        histogram.add(9);
        assert_eq!(histogram.entries.len(), 3);
        assert_eq!(histogram.count(), COUNT_MAX + 2);
        let (mut one, mut other) = (full(COUNT_MAX), full(3));
        other.merge(&one);
        one.merge(&full(3));
        assert_eq!(one, other);
        assert_eq!((one.percentile(50), one.percentile(100)), (Some(7), Some(7)));
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec((any::<u64>(), 0..64_u32).prop_map(|(value, shift)| value >> shift), 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// The twin sorts.
        #[test]
        fn every_percentile_is_within_a_64th(values in values(), percent in 0..=100_u8) {
            let histogram = histogram(&values);
            prop_assert_eq!(histogram.count(), values.len() as u64);
            let mut sorted = values;
            sorted.sort_unstable();
            let exact = sorted[(sorted.len() * usize::from(percent)).div_ceil(100).max(1) - 1];
            let reported = histogram.percentile(percent).unwrap();
            prop_assert!(u128::from(reported.abs_diff(exact)) * 64 <= exact.into(), "{reported} for {exact}");
            prop_assert!(reported <= sorted[sorted.len() - 1]);
        }

        #[test]
        fn any_split_merges_to_the_whole(values in values(), parts in prop::collection::vec(0..3_usize, 60)) {
            let mut whole = Histogram::default();
            let mut split = [(); 3].map(|()| Histogram::default());
            for (&value, &part) in values.iter().zip(&parts) {
                whole.add(value);
                split[part].add(value);
            }
            let [first, second, third] = split;
            for order in [[&first, &second, &third], [&third, &first, &second]] {
                let mut merged = Histogram::default();
                for part in order {
                    merged.merge(part);
                }
                prop_assert_eq!(&merged, &whole);
            }
        }
    }
}
