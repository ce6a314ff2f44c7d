//! Exact fractions: a rate is bits over seconds, a mean of rates a sum of such, and nothing is rounded on the way.

use std::cmp::Ordering;

/// What is said when a number leaves 128 bits. No traffic on Earth gets there; a hostile log or contract may try.
pub(super) const TOO_LARGE: &str = "the numbers are too large to be billed exactly";

/// A fraction that is not negative, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: u128,
    denominator: u128,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// `numerator / denominator`; `None` for a denominator of 0.
    pub fn new(numerator: u128, denominator: u128) -> Option<Self> {
        let divisor = common_divisor(numerator, denominator);
        (denominator > 0).then(|| Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// A whole number.
    pub const fn whole(number: u128) -> Self {
        Self { numerator: number, denominator: 1 }
    }

    /// Above the line, in lowest terms.
    pub const fn numerator(self) -> u128 {
        self.numerator
    }

    /// Below the line, in lowest terms; never 0.
    pub const fn denominator(self) -> u128 {
        self.denominator
    }

    /// The sum; the error says that it does not fit.
    pub fn plus(self, other: Self) -> Result<Self, String> {
        let divisor = common_divisor(self.denominator, other.denominator);
        let sum = || {
            let left = self.numerator.checked_mul(other.denominator / divisor)?;
            let right = other.numerator.checked_mul(self.denominator / divisor)?;
            Self::new(left.checked_add(right)?, self.denominator.checked_mul(other.denominator / divisor)?)
        };
        sum().ok_or_else(|| TOO_LARGE.to_owned())
    }

    /// The product; the error says that it does not fit.
    pub fn times(self, other: Self) -> Result<Self, String> {
        // Reduced crosswise first, so that only results that do not fit are refused.
        let (left, right) = (
            common_divisor(self.numerator, other.denominator),
            common_divisor(other.numerator, self.denominator),
        );
        let product = || {
            let numerator = (self.numerator / left).checked_mul(other.numerator / right)?;
            let denominator = (self.denominator / right).checked_mul(other.denominator / left)?;
            Self::new(numerator, denominator)
        };
        product().ok_or_else(|| TOO_LARGE.to_owned())
    }

    /// The nearest whole number; halves go up.
    pub const fn rounded(self) -> u128 {
        let (whole, rest) = (self.numerator / self.denominator, self.numerator % self.denominator);
        // Twice the rest may not fit; what is missing to the next whole always does. A half needs a denominator of
        // two or more, so the sum fits.
        if rest > 0 && rest >= self.denominator - rest { whole + 1 } else { whole }
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (*self, *other);
        let mut turned = false;
        // Whole parts first, then the rests upside down: crosswise products might not fit.
        loop {
            let wholes = (left.numerator / left.denominator).cmp(&(right.numerator / right.denominator));
            let rests = (left.numerator % left.denominator, right.numerator % right.denominator);
            let decided = match (wholes, rests) {
                (Ordering::Equal, (0, 0)) => Some(Ordering::Equal),
                (Ordering::Equal, (0, _)) => Some(Ordering::Less),
                (Ordering::Equal, (_, 0)) => Some(Ordering::Greater),
                (Ordering::Equal, _) => None,
                (unequal, _) => Some(unequal),
            };
            if let Some(order) = decided {
                return if turned { order.reverse() } else { order };
            }
            left = Self { numerator: left.denominator, denominator: rests.0 };
            right = Self { numerator: right.denominator, denominator: rests.1 };
            turned = !turned;
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const fn common_divisor(mut left: u128, mut right: u128) -> u128 {
    while right > 0 {
        (left, right) = (right, left % right);
    }
    if left == 0 { 1 } else { left }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratio(numerator: u128, denominator: u128) -> Ratio {
        Ratio::new(numerator, denominator).unwrap()
    }

    fn check_rounded(numerator: u128, denominator: u128, expected: u128) {
        assert_eq!(ratio(numerator, denominator).rounded(), expected, "{numerator}/{denominator}");
    }

    #[test]
    fn halves_go_up() {
        check_rounded(0, 7, 0);
        check_rounded(1, 2, 1);
        check_rounded(3, 2, 2);
        check_rounded(1, 3, 0);
        check_rounded(2, 3, 1);
        check_rounded(u128::MAX, 1, u128::MAX);
        check_rounded(u128::MAX, 2, 1 << 127);
        check_rounded(u128::MAX - 1, u128::MAX, 1);
        assert_eq!(Ratio::new(1, 0), None);
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let most = Ratio::whole(u128::MAX);
        assert_eq!(most.plus(Ratio::whole(1)), Err(TOO_LARGE.to_owned()));
        assert_eq!(most.times(Ratio::whole(2)), Err(TOO_LARGE.to_owned()));
        assert_eq!(most.times(ratio(1, u128::MAX)), Ok(Ratio::whole(1)));
        assert_eq!(ratio(1, u128::MAX).plus(ratio(1, u128::MAX - 1)), Err(TOO_LARGE.to_owned()));
        assert!(ratio(u128::MAX, u128::MAX - 1) < ratio(u128::MAX - 1, u128::MAX - 2));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn fractions_follow_the_school_rules(a: u32, b in 1_u32.., c: u32, d in 1_u32..) {
            let [a, b, c, d] = [a, b, c, d].map(u128::from);
            let (left, right) = (ratio(a, b), ratio(c, d));
            prop_assert_eq!(left.plus(right).unwrap(), ratio(a * d + c * b, b * d));
            prop_assert_eq!(left.times(right).unwrap(), ratio(a * c, b * d));
            prop_assert_eq!(left.cmp(&right), (a * d).cmp(&(c * b)));
            prop_assert_eq!(left.rounded(), (2 * a + b) / (2 * b));
        }
    }
}
