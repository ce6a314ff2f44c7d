//! Bytes per few seconds of everything, so that a series can be summed over intervals that are no slots: samples of
//! another clock, or of another grid.
//!
//! Bins are multiples of the fine length since 1970, whatever the report's zone. They are charged with the load scheme
//! of the slots; under [`Scheme::TimeProportional`] and the spikes a slot of whole bins sums to what the slot itself
//! got, to the byte, because `C(x)` of [`super::spread`] does not ask where others cut. The records of more than ten
//! minutes are few but would touch hundreds of bins each: the whole bins of [`LONG_BIN_SECONDS`] in the middle of such a
//! record are charged at once, and their bytes are taken to flow evenly, which is what the scheme says of them. Whatever
//! interval is summed is off by less than a byte per edge, so lags are found as well as with short bins alone.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::Rules;
use super::spread::{Scheme, portion, spread};
use crate::parse::value::DURATION_US_MAX;
use crate::time::{Cursor, Grid, Timestamp, Zone};

const MICROS: i64 = 1_000_000;

/// Records that lasted longer are charged to bins of [`LONG_BIN_SECONDS`] but for their edges.
const LONG_US: u64 = 600_000_000;

/// The bins of long records.
const LONG_BIN_SECONDS: u32 = 300;

/// Bytes per bin; nothing unless the rules ask for it.
#[derive(Debug, Clone, Default)]
pub struct Fine {
    short: Bins,
    long: Bins,
}

#[derive(Debug, Clone, Default)]
struct Bins {
    seconds: u32,
    cursor: Option<Cursor>,
    bytes: HashMap<i64, u128, RandomState>,
}

impl Fine {
    /// Bins of the length that the rules ask for.
    pub(super) fn new(rules: &Rules) -> Self {
        let Some(seconds) = rules.fine else { return Self::default() };
        Self { short: Bins::new(seconds), long: Bins::new(LONG_BIN_SECONDS) }
    }

    /// Charges a record that lasted from `start` to `end`, whatever limits in time there are.
    #[inline]
    pub(super) fn charge(&mut self, scheme: Scheme, bytes: u64, start: Timestamp, end: Timestamp) {
        if self.short.cursor.is_none() {
            return;
        }
        let is_long = start < end && start.0.abs_diff(end.0) > LONG_US;
        let bins = match scheme {
            Scheme::TimeProportional if is_long && start.0.abs_diff(end.0) <= DURATION_US_MAX => {
                return self.charge_long(bytes, start, end);
            }
            // Schemes that fill every bin they touch cannot be cut finer than their slots anyway.
            Scheme::BinUniform | Scheme::MaximumVolume | Scheme::MinimumVolume if is_long => &mut self.long,
            _ => &mut self.short,
        };
        let Some(cursor) = &mut bins.cursor else { return };
        let sums = &mut bins.bytes;
        spread(scheme, bytes, start, end, cursor, &mut |bin, share| {
            *sums.entry(bin.start).or_default() += u128::from(share);
        });
    }

    /// Charges a long record: short bins up to the first edge of a long one and from the last one on.
    #[cold]
    fn charge_long(&mut self, bytes: u64, start: Timestamp, end: Timestamp) {
        let (short, long) = (i64::from(self.short.seconds.max(1)), i64::from(LONG_BIN_SECONDS));
        let width = start.0.abs_diff(end.0) + 1;
        let (mut sent, mut bin) = (0, start.seconds().div_euclid(short) * short);
        let last = end.seconds().div_euclid(long) * long;
        while bin <= end.seconds() {
            let in_the_middle =
                bin.rem_euclid(long) == 0 && bin < last && bin.saturating_mul(MICROS) >= start.0;
            let (bins, step) = if in_the_middle { (&mut self.long, long) } else { (&mut self.short, short) };
            let next = bin + step;
            let until = next.saturating_mul(MICROS).min(end.0.saturating_add(1));
            let sent_then = portion(bytes, start.0.abs_diff(until), width);
            if sent_then > sent {
                *bins.bytes.entry(bin).or_default() += u128::from(sent_then - sent);
            }
            (sent, bin) = (sent_then, next);
        }
    }

    /// Adds another thread's bins. Commutative and associative; `default()` is the identity.
    pub(super) fn merge(&mut self, other: Self) {
        let Self { short, long } = other;
        self.short.merge(short);
        self.long.merge(long);
    }

    /// The bytes as a curve that can be summed over any interval.
    pub fn curve(&self) -> Curve {
        let level = |bins: &Bins| {
            Level::new(bins.seconds, bins.bytes.iter().map(|(&bin, &bytes)| (bin, bytes)).collect())
        };
        Curve { levels: [level(&self.short), level(&self.long)] }
    }
}

impl Bins {
    fn new(seconds: u32) -> Self {
        let grid = Grid { zone: Zone::utc(), length: seconds };
        Self { seconds, cursor: Some(grid.cursor()), bytes: HashMap::default() }
    }

    fn merge(&mut self, other: Self) {
        let Self { seconds, cursor, bytes } = other;
        self.seconds = self.seconds.max(seconds);
        self.cursor = self.cursor.take().or(cursor);
        for (bin, bytes) in bytes {
            *self.bytes.entry(bin).or_default() += bytes;
        }
    }
}

/// How many bytes went by up to any second.
#[derive(Debug, Clone, Default)]
pub struct Curve {
    levels: [Level; 2],
}

/// Bins in order of time.
#[derive(Debug, Clone, Default)]
struct Level {
    seconds: u128,
    starts: Vec<i64>,
    /// Bytes of the bins before each one, and of all.
    sums: Vec<u128>,
    /// Bins that begin before each of as many even parts of the time as there are bins at most, and all of them: lags are
    /// tried with millions of sums, and half of that time went into the search.
    index: Vec<usize>,
    /// Seconds of a part.
    part: u64,
}

impl Curve {
    /// A curve of bins that are so many seconds long, given by their first second; no two of them overlap.
    pub fn new(seconds: u32, bins: Vec<(i64, u128)>) -> Self {
        Self { levels: [Level::new(seconds, bins), Level::default()] }
    }

    /// The bytes from second `from` until before second `to`; 0 if that is earlier. Bins are cut evenly.
    pub fn bytes(&self, from: i64, to: i64) -> u128 {
        self.until(to).saturating_sub(self.until(from))
    }

    fn until(&self, second: i64) -> u128 {
        self.levels.iter().map(|level| level.until(second)).sum()
    }
}

impl Level {
    fn new(seconds: u32, mut bins: Vec<(i64, u128)>) -> Self {
        bins.sort_unstable();
        let mut sums = vec![0];
        sums.extend(bins.iter().scan(0, |sum, (_, bytes)| {
            *sum += bytes;
            Some(*sum)
        }));
        let starts: Vec<i64> = bins.into_iter().map(|(bin, _)| bin).collect();
        let (mut index, mut part) = (Vec::new(), 1);
        if let (Some(first), Some(last)) = (starts.first(), starts.last()) {
            let span = last.abs_diff(*first).saturating_add(1);
            part = span.div_ceil(starts.len() as u64);
            let mut begun = 0;
            for number in 0..span.div_ceil(part) {
                index.push(begun);
                let next = number.saturating_add(1).saturating_mul(part);
                begun += starts[begun..].iter().take_while(|start| start.abs_diff(*first) < next).count();
            }
            index.push(starts.len());
        }
        Self { seconds: u128::from(seconds.max(1)), starts, sums, index, part }
    }

    /// How many bins begin before that second.
    fn begun(&self, second: i64) -> usize {
        let Some(first) = self.starts.first().filter(|first| **first < second) else { return 0 };
        let part = usize::try_from(second.abs_diff(*first) / self.part).unwrap_or(usize::MAX);
        let bounds = self.index.get(part).zip(self.index.get(part.saturating_add(1)));
        let Some((&from, &to)) = bounds else { return self.starts.len() };
        from + self.starts[from..to].partition_point(|&start| start < second)
    }

    fn until(&self, second: i64) -> u128 {
        let begun = self.begun(second);
        let Some(last) = begun.checked_sub(1) else { return 0 };
        let passed = u128::from(second.abs_diff(self.starts[last])).min(self.seconds);
        let bytes = self.sums[begun] - self.sums[last];
        // Bins hold less than 2¹¹⁰ bytes, so the product fits.
        self.sums[last] + bytes * passed / self.seconds
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fine(seconds: u32) -> Fine {
        Fine { short: Bins::new(seconds), long: Bins::new(LONG_BIN_SECONDS) }
    }

    #[test]
    fn bins_are_summed_over_any_interval() {
        let mut fine = fine(10);
        let at = |second: i64| Timestamp(second * MICROS);
        fine.charge(Scheme::TimeProportional, 1000, at(105), Timestamp(115 * MICROS - 1));
        fine.charge(Scheme::TimeProportional, 7, at(200), at(200));
        let curve = fine.curve();
        let check = |from, to, expected| assert_eq!(curve.bytes(from, to), expected, "{from}..{to}");
        check(i64::MIN, i64::MAX, 1007);
        check(100, 110, 500);
        check(110, 120, 500);
        check(100, 105, 250);
        check(200, 205, 3);
        check(205, 210, 4);
        check(120, 200, 0);
        check(300, 100, 0);
        assert_eq!(Curve::default().bytes(0, 10), 0);
        assert_eq!(Fine::default().curve().bytes(0, 10), 0);
    }

    #[test]
    fn long_records_flow_evenly() {
        let mut fine = fine(10);
        fine.charge(Scheme::TimeProportional, 7_200_000, Timestamp(0), Timestamp(7_200 * MICROS - 1));
        let curve = fine.curve();
        assert_eq!(curve.bytes(0, 7_200), 7_200_000);
        assert_eq!(curve.bytes(300, 600), 300_000);
        assert_eq!(curve.bytes(310, 320), 10_000);
        let mut fine = super::tests::fine(10);
        fine.charge(
            Scheme::TimeProportional,
            7_200_000,
            Timestamp(145 * MICROS),
            Timestamp(7_345 * MICROS - 1),
        );
        let curve = fine.curve();
        let check = |from, to, expected| assert_eq!(curve.bytes(from, to), expected, "{from}..{to}");
        check(0, 140, 0);
        check(140, 150, 5_000);
        check(140, 300, 155_000);
        check(290, 310, 20_000);
        check(7_190, 7_210, 20_000);
        check(7_340, 7_350, 5_000);
        check(i64::MIN, i64::MAX, 7_200_000);
        // A spike stays in its ten seconds, whatever the record's length, and so does one that is not believed.
        let mut fine = super::tests::fine(10);
        fine.charge(Scheme::EndSpike, 7, Timestamp(0), Timestamp(7_345 * MICROS));
        fine.charge(Scheme::TimeProportional, 9, Timestamp(0), Timestamp(40 * 86_400 * MICROS));
        let curve = fine.curve();
        assert_eq!(curve.bytes(7_340, 7_350), 7);
        assert_eq!(curve.bytes(40 * 86_400, 40 * 86_400 + 10), 9);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// The index finds what a search finds.
        #[test]
        fn bins_are_found(
            starts in prop::collection::btree_set(prop_oneof![-50..50_i64, any::<i64>()], 0..20),
            seconds in prop::collection::vec(prop_oneof![-60..60_i64, any::<i64>()], 20),
        ) {
            let level = Level::new(10, starts.iter().map(|&start| (start, 1)).collect());
            for second in seconds.into_iter().chain(starts).chain([i64::MIN, i64::MAX]) {
                let expected = level.starts.partition_point(|&start| start < second);
                prop_assert_eq!(level.begun(second), expected, "{}", second);
            }
        }
    }

    /// Bytes, start in µs and duration in µs.
    fn records() -> impl Strategy<Value = Vec<(u64, i64, u64)>> {
        let duration = prop_oneof![0..20 * 1_000_000_u64, 0..2 * LONG_US];
        prop::collection::vec((0..1_u64 << 40, 0..7200 * MICROS, duration), 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Fine sums are the slots' sums, and two threads count what one does.
        #[test]
        fn bins_sum_to_slots(records in records(), split in any::<u16>(), spike in any::<bool>()) {
            let scheme = if spike { Scheme::EndSpike } else { Scheme::TimeProportional };
            let (mut one, mut other) = (fine(10), Fine::default());
            other.merge(fine(10));
            let grid = Grid { zone: Zone::utc(), length: 900 };
            let mut cursor = grid.cursor();
            let mut slots = std::collections::BTreeMap::new();
            for (at, &(bytes, start, duration)) in records.iter().enumerate() {
                let (start, end) = (Timestamp(start), Timestamp(start).saturating_add(duration));
                let half = if split >> (at % 16) & 1 == 1 { &mut one } else { &mut other };
                half.charge(scheme, bytes, start, end);
                spread(scheme, bytes, start, end, &mut cursor, &mut |slot, share| {
                    *slots.entry(slot).or_insert(0) += u128::from(share);
                });
            }
            one.merge(other);
            let curve = one.curve();
            for (slot, bytes) in slots {
                prop_assert_eq!(curve.bytes(slot.start, slot.end), bytes, "{:?}", slot);
            }
        }
    }
}
