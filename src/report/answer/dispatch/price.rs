//! What bandwidth costs, as whole numbers: nothing is rounded before it is shown.

use crate::billing::decimal::Decimal;
use crate::error::Error;

/// Digits before the point of a price: enough for any currency, and for a rate of 10^23 bit/s to be billed exactly.
const WHOLE_DIGITS_MAX: usize = 9;

/// Digits after the point of a price.
const DIGITS_MAX: usize = 6;

/// Digits after the point of an amount that is shown.
const MONEY_DIGITS: u32 = 2;

/// The price of a Mbps for a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Price {
    millionths: u128,
}

/// Money: a price times a rate in bit/s, in 10^-12.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost(u128);

impl Price {
    /// Reads `900` or `14.3`; the error is the reason.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Decimal::parse(text)?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let millionths = format!("{whole}{fraction:0<DIGITS_MAX$}").parse().ok();
        let fits = whole.len() <= WHOLE_DIGITS_MAX && fraction.len() <= DIGITS_MAX;
        millionths.filter(|_| fits).map(|millionths| Self { millionths }).ok_or_else(|| {
            format!("more than {WHOLE_DIGITS_MAX} digits before the point, or {DIGITS_MAX} after it")
        })
    }

    /// How many digits after the point a price is written with, of those that can count.
    pub(super) fn digits(text: &str) -> u32 {
        let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
        u32::try_from(fraction.len().min(DIGITS_MAX)).unwrap_or(0)
    }

    /// What a rate costs.
    pub(super) fn cost(self, bps: u128) -> Result<Cost, Error> {
        self.millionths.checked_mul(bps).map(Cost).ok_or_else(too_large)
    }

    /// `self − other`, with so many digits.
    pub(super) fn minus(self, other: Self, digits: u32) -> String {
        difference([self.millionths, other.millionths], 6, digits)
    }
}

impl Cost {
    /// The sum.
    pub(super) fn plus(self, other: Self) -> Result<Self, Error> {
        self.0.checked_add(other.0).map(Self).ok_or_else(too_large)
    }

    /// `self − other` in hundredths, halves away from zero.
    pub(super) fn minus(self, other: Self) -> String {
        difference([self.0, other.0], 12, MONEY_DIGITS)
    }

    /// In hundredths, halves up.
    pub(super) fn shown(self) -> String {
        self.minus(Self(0))
    }
}

/// `one − other`, both in units of 10^-scale, rounded to so many digits, at most the scale.
fn difference([one, other]: [u128; 2], scale: u32, digits: u32) -> String {
    let unit = 10_u128.pow(scale - digits.min(scale));
    let exact = one.abs_diff(other);
    let (whole, rest) = (exact / unit, exact % unit);
    let rounded = if rest > 0 && rest >= unit - rest { whole + 1 } else { whole };
    let sign = if one < other && rounded > 0 { "-" } else { "" };
    let point = 10_u128.pow(digits.min(scale));
    match usize::try_from(digits.min(scale)).unwrap_or(0) {
        0 => format!("{sign}{rounded}"),
        digits => format!("{sign}{}.{:0digits$}", rounded / point, rounded % point),
    }
}

#[cold]
fn too_large() -> Error {
    Error::Data("the amounts are too large to be told exactly".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::billing::ratio::Ratio;

    #[test]
    fn prices_have_a_limit() {
        let check = |text: &str, expected: Result<u128, &str>| {
            let found = Price::parse(text).map(|price| price.millionths);
            assert_eq!(found, expected.map_err(str::to_owned), "{text}");
        };
        let limit = "more than 9 digits before the point, or 6 after it";
        check("20", Ok(20_000_000));
        check("15.5", Ok(15_500_000));
        check("0", Ok(0));
        check("000000000000.5", Ok(500_000));
        check("1.000000000000000000", Ok(1_000_000));
        check("999999999.999999", Ok(999_999_999_999_999));
        check("1000000000", Err(limit));
        check("0.000000000000000001", Err(limit));
        check("cheap", Err("expected a number such as 900 or 14.3"));
    }

    #[test]
    fn differences_are_exact() {
        let check = |one: &str, other: &str, digits: u32, expected: &str| {
            let [one, other] = [one, other].map(|text| Price::parse(text).unwrap());
            assert_eq!(one.minus(other, digits), expected);
        };
        check("20", "15.5", 1, "4.5");
        check("15.5", "20", 2, "-4.50");
        check("1", "1.000001", 6, "-0.000001");
        check("7", "3", 0, "4");
        let cost = |price: &str, bps| Price::parse(price).unwrap().cost(bps).unwrap();
        assert_eq!(cost("1.005", 1_000_000).minus(cost("1", 1_000_000)), "0.01");
        assert_eq!(cost("1", 1_000_000).minus(cost("1.004", 1_000_000)), "0.00");
        assert_eq!(cost("15.5", 40_000).shown(), "0.62");
        assert_eq!(cost("999999999.999999", 10_u128.pow(23)).shown(), "99999999999999900000000000.00");
        assert!(Price::parse("999999999").unwrap().cost(u128::MAX).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn amounts_are_those_of_fractions(millionths in 0..10_u128.pow(12), bps in 0..10_u128.pow(15)) {
            let cost = Price { millionths }.cost(bps).unwrap();
            let exact = Ratio::new(millionths * bps, 10_u128.pow(12)).unwrap();
            prop_assert_eq!(cost.shown(), Decimal::round(exact, 2).unwrap().to_string());
        }
    }
}
