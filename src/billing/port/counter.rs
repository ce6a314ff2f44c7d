//! Counters that only grow: `ifInOctets` with 32 bits, `ifHCInOctets` with 64.
//!
//! A sample is the difference of neighbours, over the time between them. Where a value falls the counter has wrapped
//! or was reset, and only the size of the step that it would have made can tell: a wrap that needs a step of at most
//! [`WRAP_STEPS`] times the largest other one is believed, anything else is a reset, whose sample is unknown.

use super::{Point, STEP_SECONDS_MAX, Sample, amount, small};
use crate::billing::port::Quantity;

/// A wrap that would be a longer step than so many of the longest is a reset.
const WRAP_STEPS: u128 = 4;

/// A column that is not called a counter must have so many values to be taken for one.
const VALUES_MIN: usize = 24;

/// And its highest value must be so many of the longest step: rates that rise for a while do not get far.
const LEVEL_STEPS: u128 = 10;

/// The widths of counters.
const WIDTHS: [u32; 2] = [32, 64];

/// What became of the counter's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Values that went past 2³².
    pub wraps_32: u64,
    /// Values that went past 2⁶⁴.
    pub wraps_64: u64,
    /// Values that began again: what was counted between them is unknown.
    pub resets: u64,
    /// Steps over missing polls. Their volume counts, in one long sample.
    pub long: u64,
}

/// True if the values are those of a counter: they grow and hardly ever fall. A rate falls as often as it rises. Where
/// no name says so they must also be whole, far from where they could have begun, and fall only where they wrap.
pub(super) fn is_counter(points: &[Point], named: bool) -> bool {
    let values = || points.iter().filter_map(|point| point.value);
    let steps = || values().zip(values().skip(1));
    let count = values().count();
    let falls = steps().filter(|(from, to)| to < from).count();
    let rises = steps().filter(|(from, to)| to > from).count();
    if named {
        falls * 4 <= count
    } else {
        let is_whole = values().all(|value| value % 1000 == 0);
        let longest = steps().map(|(from, to)| to.saturating_sub(from)).max().unwrap_or(0);
        let is_high = values().max().is_some_and(|most| most >= longest.saturating_mul(LEVEL_STEPS));
        let never_reset = || {
            let mut counts = Counts::default();
            samples(points, STEP_SECONDS_MAX, &mut counts);
            counts.resets == 0
        };
        count >= VALUES_MIN
            && falls * 20 <= count
            && rises * 10 >= count * 8
            && is_whole
            && is_high
            && never_reset()
    }
}

/// The samples between the known values; a sample is labelled by its end.
pub(super) fn samples(points: &[Point], step: i64, counts: &mut Counts) -> Vec<Sample> {
    let known: Vec<(i64, u128)> = points
        .iter()
        .filter_map(|point| Some((point.time, amount::bytes(point.value?, Quantity::Counter, 1))))
        .collect();
    let steps = || known.windows(2).map(|pair| (pair[0], pair[1]));
    // Per second, so that a step over a missing poll is not taken for a burst; rounded up to be at least one.
    let rate = |bytes: u128, seconds: i64| bytes / u128::from(seconds.max(1).unsigned_abs()) + 1;
    let fastest = steps()
        .filter(|((_, from), (_, to))| to >= from)
        .map(|((began, from), (ended, to))| rate(to - from, ended - began))
        .max()
        .unwrap_or(u128::MAX / WRAP_STEPS);
    let most = known.iter().map(|&(_, value)| value).max().unwrap_or(0);
    let mut samples = Vec::new();
    for ((began, from), (ended, to)) in steps() {
        let seconds = ended - began;
        if seconds > STEP_SECONDS_MAX {
            continue;
        }
        let bytes = to.checked_sub(from).or_else(|| {
            let believed = |bits: &u32| {
                let wrapped = ((1_u128 << bits) - from).checked_add(to)?;
                (rate(wrapped, seconds) <= fastest.saturating_mul(WRAP_STEPS)).then_some(wrapped)
            };
            let width = WIDTHS.iter().find(|bits| most < 1_u128 << **bits)?;
            let wrapped = believed(width)?;
            let wraps = if *width == 32 { &mut counts.wraps_32 } else { &mut counts.wraps_64 };
            *wraps += 1;
            Some(wrapped)
        });
        let Some(bytes) = bytes else {
            counts.resets += 1;
            continue;
        };
        counts.long += u64::from(seconds * 2 > step * 3);
        samples.push(Sample { label: ended, seconds: small(seconds), bytes });
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[Option<u128>]) -> Vec<Point> {
        let point = |(at, value): (i64, &Option<u128>)| Point {
            time: at * 300,
            is_local: false,
            seconds: None,
            value: value.map(|value| value * 1000),
            is_bad: false,
            line: at.unsigned_abs(),
        };
        (1..).zip(values).map(point).collect()
    }

    fn check(values: &[Option<u128>], expected: &[(i64, u32, u128)], counted: Counts) {
        let mut counts = Counts::default();
        let samples = samples(&points(values), 300, &mut counts);
        let found: Vec<_> =
            samples.iter().map(|sample| (sample.label, sample.seconds, sample.bytes)).collect();
        assert_eq!((found.as_slice(), counts), (expected, counted), "{values:?}");
    }

    #[test]
    fn counters_grow_wrap_and_begin_again() {
        let none = Counts::default();
        check(&[Some(100), Some(150), Some(150)], &[(600, 300, 50), (900, 300, 0)], none);
        let wrap = (1 << 32) - 40;
        check(
            &[Some(wrap - 100), Some(wrap), Some(60)],
            &[(600, 300, 100), (900, 300, 100)],
            Counts { wraps_32: 1, ..none },
        );
        let wrap = (1 << 64) - 40;
        check(
            &[Some(wrap - 100), Some(wrap), Some(60)],
            &[(600, 300, 100), (900, 300, 100)],
            Counts { wraps_64: 1, ..none },
        );
        // A reboot: nothing says what was sent until then.
        check(
            &[Some(1_000_000), Some(1_900_000), Some(500), Some(1000)],
            &[(600, 300, 900_000), (1200, 300, 500)],
            Counts { resets: 1, ..none },
        );
        check(
            &[Some(10), None, Some(30), Some(40)],
            &[(900, 600, 20), (1200, 300, 10)],
            Counts { long: 1, ..none },
        );
        // Beyond 64 bits there is nothing to wrap.
        check(&[Some(1 << 70), Some(3)], &[], Counts { resets: 1, ..none });
        check(&[], &[], none);
    }

    #[test]
    fn counters_are_recognised() {
        let check = |values: &[u128], named, expected| {
            let values: Vec<Option<u128>> = values.iter().copied().map(Some).collect();
            assert_eq!(is_counter(&points(&values), named), expected, "{values:?}");
        };
        let growing: Vec<u128> = (0..100).map(|at| at * at).collect();
        check(&growing, false, true);
        check(&growing[..10], false, false);
        check(&growing[..10], true, true);
        let saw: Vec<u128> = (0..100).map(|at| at * 7 % 13).collect();
        check(&saw, false, false);
        check(&saw, true, false);
        check(&[5; 100], false, false);
        // A rising rate does not get far from where it began, and a fall is a wrap or none of a counter's.
        let rising: Vec<u128> = (0..100).map(|at| 200_000 + at * at * at).collect();
        check(&rising, false, true);
        let jumped: Vec<u128> =
            rising.iter().map(|rate| if *rate > 500_000 { rate + 400_000 } else { *rate }).collect();
        check(&jumped, false, false);
        let mut wrapped: Vec<u128> =
            (0..100).map(|at| ((1 << 32) - 50_000 + at * 1000) % (1 << 32)).collect();
        check(&wrapped, false, true);
        wrapped[70] = 0;
        check(&wrapped, false, false);
        check(&[5; 100], true, true);
    }
}
