//! Decimal numbers for money and factors: what is written is what is meant, and overflow is an error.

use std::cmp::Ordering;
use std::fmt;

use super::ratio::{Ratio, TOO_LARGE};

/// The most digits after the point.
pub const SCALE_MAX: u32 = 18;

/// The most digits in all that a typed number may have.
const DIGITS_MAX: usize = 30;

const EXPECTED: &str = "expected a number such as 900 or 14.3";

/// A number that is not negative, with a fixed count of digits after the point: `units / 10^scale`.
///
/// Displayed with exactly those digits, so an amount rounded to two digits reads `620.00`. Equality and order are
/// those of the value: 1.5 equals 1.50.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    units: u128,
    scale: u32,
}

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self { units: 0, scale: 0 };

    /// One.
    pub const ONE: Self = Self { units: 1, scale: 0 };

    /// A whole number.
    pub const fn whole(number: u128) -> Self {
        Self { units: number, scale: 0 }
    }

    /// `units / 10^scale`; the scale is held at [`SCALE_MAX`].
    pub(super) const fn new(units: u128, scale: u32) -> Self {
        Self { units, scale: if scale > SCALE_MAX { SCALE_MAX } else { scale } }
    }

    /// Reads `900`, `0.21` or `14.30`: digits, at most one point between digits, no sign, no exponent, no grouping.
    /// The error is the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(EXPECTED.to_owned()),
            Some(parts) => parts,
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(EXPECTED.to_owned());
        }
        let scale = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
        if scale > SCALE_MAX || whole.len() + fraction.len() > DIGITS_MAX {
            return Err(format!("more than {DIGITS_MAX} digits, or {SCALE_MAX} after the point"));
        }
        let units = format!("{whole}{fraction}").parse().map_err(|_| TOO_LARGE)?;
        Ok(Self { units, scale })
    }

    /// The fraction rounded half up to so many digits after the point, at most [`SCALE_MAX`].
    pub fn round(exact: Ratio, digits: u32) -> Result<Self, String> {
        let scale = digits.min(SCALE_MAX);
        let units = exact.times(Ratio::whole(10_u128.pow(scale)))?.rounded();
        Ok(Self { units, scale })
    }

    /// The exact value.
    pub fn ratio(self) -> Ratio {
        Ratio::new(self.units, 10_u128.pow(self.scale)).expect("a power of ten is not 0")
    }

    /// The sum, with the digits of the finer one.
    pub fn plus(self, other: Self) -> Result<Self, String> {
        let scale = self.scale.max(other.scale);
        let units = || self.units_at(scale)?.checked_add(other.units_at(scale)?);
        Ok(Self { units: units().ok_or(TOO_LARGE)?, scale })
    }

    /// The same number without zeros at the end of its fraction.
    #[must_use]
    pub fn trimmed(self) -> Self {
        let Self { mut units, mut scale } = self;
        while scale > 0 && units.is_multiple_of(10) {
            (units, scale) = (units / 10, scale - 1);
        }
        Self { units, scale }
    }

    fn units_at(self, scale: u32) -> Option<u128> {
        self.units.checked_mul(10_u128.pow(scale - self.scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u128.pow(self.scale);
        let (whole, fraction) = (self.units / unit, self.units % unit);
        let text = match usize::try_from(self.scale).unwrap_or(0) {
            0 => whole.to_string(),
            digits => format!("{whole}.{fraction:0digits$}"),
        };
        f.pad(&text)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.ratio().cmp(&other.ratio())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let actual = Decimal::parse(text).map(|number| number.to_string());
        assert_eq!(actual.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[test]
    fn numbers_people_write() {
        check("900", Ok("900"));
        check("0.21", Ok("0.21"));
        check("14.30", Ok("14.30"));
        check("007", Ok("7"));
        check("0", Ok("0"));
        check("123456789012.123456789012345678", Ok("123456789012.123456789012345678"));
        for text in ["", ".", ".5", "5.", "1.2.3", "-1", "+1", "1e3", "1,000", " 1", "１", "nan", "1_000"] {
            check(text, Err(EXPECTED));
        }
        check("0.1234567890123456789", Err("more than 30 digits, or 18 after the point"));
        check(&"9".repeat(31), Err("more than 30 digits, or 18 after the point"));
    }

    fn check_round(numerator: u128, denominator: u128, digits: u32, expected: &str) {
        let rounded = Decimal::round(Ratio::new(numerator, denominator).unwrap(), digits).unwrap();
        assert_eq!(rounded.to_string(), expected, "{numerator}/{denominator}");
    }

    #[test]
    fn rounding_is_half_up_and_keeps_its_digits() {
        check_round(620, 1, 2, "620.00");
        check_round(1, 8, 2, "0.13");
        check_round(1, 3, 0, "0");
        check_round(5, 2, 0, "3");
        check_round(999, 1000, 2, "1.00");
        check_round(1, 1, 99, "1.000000000000000000");
        let most = Ratio::whole(u128::MAX);
        assert_eq!(Decimal::round(most, 1).unwrap_err(), TOO_LARGE);
        assert_eq!(Decimal::whole(u128::MAX).plus(Decimal::ONE).unwrap_err(), TOO_LARGE);
        assert_eq!(Decimal::whole(u128::MAX).plus(Decimal::new(5, 1)).unwrap_err(), TOO_LARGE);
    }

    #[test]
    fn values_compare_and_add_by_value() {
        let number = |text| Decimal::parse(text).unwrap();
        assert_eq!(number("1.5"), number("1.50"));
        assert!(number("1.45") < number("1.5"));
        assert_eq!(number("1.5").plus(number("0.25")).unwrap().to_string(), "1.75");
        assert_eq!(number("2000.000").trimmed().to_string(), "2000");
        assert_eq!(number("0.000").trimmed().to_string(), "0");
        assert_eq!(format!("{:>8}|{:<6}|", number("1.50"), number("2")), "    1.50|2     |");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn numbers_are_read_back(units in 0_u128..1 << 90, scale in 0..=SCALE_MAX) {
            let number = Decimal::new(units, scale);
            let text = number.to_string();
            prop_assert_eq!(Decimal::parse(&text).unwrap().to_string(), text);
            prop_assert_eq!(number.trimmed(), number);
            prop_assert_eq!(Decimal::round(number.ratio(), scale).unwrap().to_string(), number.to_string());
        }
    }
}
