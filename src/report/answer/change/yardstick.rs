//! How much changed: what two counts are set against each other by.
//!
//! Every yardstick weighs both sides with whole numbers that are the same for all groups:
//!
//! ```text
//! moved = after · weight_after − before · weight_before
//! ```
//!
//! So what moved adds up exactly, group by group, whatever is compared, and a group's share of the change is one whole
//! number over another.

use crate::aggregate::Sums;
use crate::billing::rate_bps;
use crate::report::Cell;
use crate::report::answer::{integer, share};

/// Requests and bytes of one group on either side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::report::answer) struct Pair {
    pub(in crate::report::answer) before: Sums,
    pub(in crate::report::answer) after: Sums,
}

/// Seconds of either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report::answer) struct Lengths {
    pub(in crate::report::answer) before: u64,
    pub(in crate::report::answer) after: u64,
}

/// What two sides are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report::answer) enum Yardstick {
    /// Bytes as they are.
    Bytes,
    /// Average rates.
    Rates(Lengths),
    /// Requests as they are.
    Requests,
    /// Requests, those before taken in proportion to the length of what is asked about.
    Pace(Lengths),
    /// The share that a group has of all requests of its side.
    Mix { before: u64, after: u64 },
}

impl Pair {
    pub(in crate::report::answer) fn merge(&mut self, other: Self) {
        let Self { before, after } = other;
        self.before.merge(before);
        self.after.merge(after);
    }
}

impl Yardstick {
    /// What is compared, of one side.
    pub(super) fn count(self, sums: Sums) -> u128 {
        match self {
            Self::Bytes | Self::Rates(_) => sums.bytes,
            Self::Requests | Self::Pace(_) | Self::Mix { .. } => sums.requests.into(),
        }
    }

    /// The change of a group in units of the yardstick's own: comparable among groups, and as much in sum. What no
    /// honest log reaches is cut.
    pub(super) fn moved(self, pair: Pair) -> i128 {
        let (before, after) = self.weights();
        weighed(self.count(pair.after), after).saturating_sub(weighed(self.count(pair.before), before))
    }

    /// A side's number as it is shown.
    pub(super) fn before(self, pair: Pair) -> Cell {
        let count = self.count(pair.before);
        match self {
            Self::Bytes | Self::Requests => integer(count),
            Self::Rates(Lengths { before, .. }) => integer(rate_bps(count, before)),
            Self::Pace(Lengths { before, after }) => {
                Cell::Integer(rounded(weighed(count, after), u128::from(before)))
            }
            Self::Mix { before, .. } => share(count, before.into()),
        }
    }

    /// The same of the other side.
    pub(super) fn after(self, pair: Pair) -> Cell {
        let count = self.count(pair.after);
        match self {
            Self::Bytes | Self::Requests | Self::Pace(_) => integer(count),
            Self::Rates(Lengths { after, .. }) => integer(rate_bps(count, after)),
            Self::Mix { after, .. } => share(count, after.into()),
        }
    }

    /// The change as it is shown: the exact one, rounded once.
    pub(super) fn change(self, pair: Pair) -> Cell {
        let moved = self.moved(pair);
        match self {
            Self::Bytes | Self::Requests => Cell::Integer(moved),
            Self::Rates(Lengths { before, after }) => {
                let common = u128::from(before / gcd(before, after)) * u128::from(after);
                Cell::Integer(rounded(moved.saturating_mul(8), common))
            }
            Self::Pace(lengths) => Cell::Integer(lengths.in_proportion(moved)),
            Self::Mix { before, after } => {
                let common = u128::from(before / gcd(before, after)) * u128::from(after);
                signed_share(moved, i128::try_from(common).unwrap_or(i128::MAX))
            }
        }
    }

    /// The bytes of what is asked about beyond its part of those before, if average rates are compared.
    pub(super) fn excess_bytes(self, pair: Pair) -> Cell {
        match self {
            Self::Rates(lengths) => Cell::Integer(lengths.in_proportion(self.moved(pair))),
            _ => Cell::Null,
        }
    }

    /// The change by what was; none if nothing was.
    pub(super) fn growth(self, pair: Pair) -> Cell {
        let (weight, _) = self.weights();
        signed_share(self.moved(pair), weighed(self.count(pair.before), weight))
    }

    /// Of before and after. What they have in common is taken out, so that products stay small.
    fn weights(self) -> (u64, u64) {
        let (before, after) = match self {
            Self::Bytes | Self::Requests => return (1, 1),
            Self::Rates(lengths) | Self::Pace(lengths) => (lengths.before, lengths.after),
            Self::Mix { before, after } => (before, after),
        };
        let common = gcd(before, after);
        (after / common, before / common)
    }
}

impl Lengths {
    /// What moved by the weights of these lengths, as a count within what is asked about.
    fn in_proportion(self, moved: i128) -> i128 {
        rounded(moved, u128::from(self.before / gcd(self.before, self.after)))
    }
}

/// A part of a change, which may go the other way; of no change there is none.
#[allow(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
pub(super) fn signed_share(part: i128, whole: i128) -> Cell {
    if whole == 0 { Cell::Null } else { Cell::Share(part as f64 / whole as f64) }
}

fn weighed(count: u128, weight: u64) -> i128 {
    i128::try_from(count).unwrap_or(i128::MAX).saturating_mul(weight.into())
}

/// The nearest whole number, half away from zero; 0 of what cannot be divided.
fn rounded(number: i128, by: u128) -> i128 {
    if by == 0 {
        return 0;
    }
    let (whole, rest) = (number.unsigned_abs() / by, number.unsigned_abs() % by);
    let size = whole + u128::from(rest >= by - by / 2);
    let size = i128::try_from(size).unwrap_or(i128::MAX);
    if number < 0 { -size } else { size }
}

/// The largest common divisor, 1 for two zeros.
fn gcd(one: u64, other: u64) -> u64 {
    let (mut one, mut other) = (one, other);
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one.max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sums(requests: u64, bytes: u128) -> Sums {
        Sums { requests, bytes }
    }

    fn check(yardstick: Yardstick, before: Sums, after: Sums, expected: &[Cell; 4]) {
        let pair = Pair { before, after };
        let shown =
            [yardstick.before(pair), yardstick.after(pair), yardstick.change(pair), yardstick.growth(pair)];
        assert_eq!(&shown, expected, "{yardstick:?}");
    }

    #[test]
    fn changes_are_what_they_are_called() {
        let number = Cell::Integer;
        let hour_by_day = Lengths { before: 86_400, after: 3_600 };
        let (before, after) = (sums(48, 864_000), sums(5, 72_000));
        let rates = Yardstick::Rates(hour_by_day);
        check(rates, before, after, &[number(80), number(160), number(80), Cell::Share(1.0)]);
        // A 24th of 864,000 bytes, and as much again.
        assert_eq!(rates.excess_bytes(Pair { before, after }), number(36_000));
        let pace = Yardstick::Pace(hour_by_day);
        check(pace, before, after, &[number(2), number(5), number(3), Cell::Share(1.5)]);
        check(
            Yardstick::Bytes,
            before,
            after,
            &[number(864_000), number(72_000), number(-792_000), Cell::Share(-792.0 / 864.0)],
        );
        check(Yardstick::Requests, sums(0, 9), after, &[number(0), number(5), number(5), Cell::Null]);
        let mix = Yardstick::Mix { before: 96, after: 10 };
        check(mix, before, after, &[Cell::Share(0.5), Cell::Share(0.5), Cell::Share(0.0), Cell::Share(0.0)]);
        let nothing = Yardstick::Mix { before: 0, after: 10 };
        check(nothing, sums(0, 0), after, &[Cell::Null, Cell::Share(0.5), Cell::Null, Cell::Null]);
        let no_time = Yardstick::Rates(Lengths { before: 0, after: 0 });
        check(no_time, before, after, &[number(0), number(0), number(0), Cell::Null]);
    }

    #[test]
    fn forged_counts_end_at_the_largest_number() {
        let most = sums(u64::MAX, u128::MAX);
        let lengths = Lengths { before: u64::MAX, after: u64::MAX - 1 };
        for yardstick in [
            Yardstick::Bytes,
            Yardstick::Rates(lengths),
            Yardstick::Pace(lengths),
            Yardstick::Mix { before: u64::MAX, after: 1 },
        ] {
            for (before, after) in [(most, sums(0, 0)), (sums(0, 0), most), (most, most)] {
                let pair = Pair { before, after };
                let shown = [yardstick.before(pair), yardstick.after(pair), yardstick.change(pair)];
                assert!(!shown.contains(&Cell::Text(Vec::new())));
                yardstick.growth(pair);
                yardstick.excess_bytes(pair);
            }
        }
    }

    /// A fraction, compared and rounded the long way.
    fn slow(numerator: i128, denominator: i128) -> i128 {
        let doubled = 2 * numerator.abs() + denominator;
        numerator.signum() * doubled.div_euclid(2 * denominator)
    }

    fn yardstick() -> impl Strategy<Value = Yardstick> {
        let lengths = (1..100_000_u64, 1..100_000_u64).prop_map(|(before, after)| Lengths { before, after });
        let totals = (1..100_000_u64, 1..100_000_u64);
        prop_oneof![
            Just(Yardstick::Bytes),
            Just(Yardstick::Requests),
            lengths.clone().prop_map(Yardstick::Rates),
            lengths.prop_map(Yardstick::Pace),
            totals.prop_map(|(before, after)| Yardstick::Mix { before, after }),
        ]
    }

    fn pair() -> impl Strategy<Value = Pair> {
        let side = || (0..1_000_u64, 0..1_u128 << 60).prop_map(|(requests, bytes)| Sums { requests, bytes });
        (side(), side()).prop_map(|(before, after)| Pair { before, after })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// Whatever is compared: the parts of the change are the change.
        #[test]
        fn what_moved_adds_up(yardstick in yardstick(), pairs in prop::collection::vec(pair(), 0..20)) {
            let mut all = Pair::default();
            for pair in &pairs {
                all.merge(*pair);
            }
            let sum: i128 = pairs.iter().map(|pair| yardstick.moved(*pair)).sum();
            prop_assert_eq!(sum, yardstick.moved(all));
        }

        #[test]
        fn changes_agree_with_fractions(yardstick in yardstick(), pair in pair()) {
            let [before, after] = [pair.before, pair.after].map(|sums| {
                i128::try_from(yardstick.count(sums)).unwrap()
            });
            match yardstick {
                Yardstick::Bytes | Yardstick::Requests => {
                    prop_assert_eq!(yardstick.change(pair), Cell::Integer(after - before));
                }
                Yardstick::Rates(lengths) => {
                    let [was, is] = [lengths.before, lengths.after].map(i128::from);
                    let change = slow(8 * (after * was - before * is), was * is);
                    prop_assert_eq!(yardstick.change(pair), Cell::Integer(change));
                    let excess = slow(after * was - before * is, was);
                    prop_assert_eq!(yardstick.excess_bytes(pair), Cell::Integer(excess));
                }
                Yardstick::Pace(lengths) => {
                    let [was, is] = [lengths.before, lengths.after].map(i128::from);
                    prop_assert_eq!(yardstick.before(pair), Cell::Integer(slow(before * is, was)));
                    prop_assert_eq!(yardstick.change(pair), Cell::Integer(slow(after * was - before * is, was)));
                }
                Yardstick::Mix { before: was, after: is } => {
                    let Cell::Share(change) = yardstick.change(pair) else { panic!("no share") };
                    #[allow(clippy::cast_precision_loss)]
                    let expected = after as f64 / is as f64 - before as f64 / was as f64;
                    prop_assert!((change - expected).abs() < 1e-9, "{} {}", change, expected);
                }
            }
            let direction = yardstick.moved(pair).signum();
            if let Cell::Share(growth) = yardstick.growth(pair) {
                prop_assert_eq!(direction == 0, growth == 0.0);
                prop_assert_eq!(direction > 0, growth > 0.0);
            } else {
                prop_assert_eq!(before, 0);
            }
        }
    }
}
