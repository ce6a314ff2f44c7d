//! Values and their units: `1.2345678901e+06`, `12.5 Mbps`, `18446744073709551615`, `NaN`.
//!
//! A value is kept in whole thousandths of its unit, so that sums and ranks are exact.

/// Thousandths of one.
const PARTS: u128 = 1000;

/// A larger value is none that a port ever had; it leaves room for a day of seconds.
const VALUE_MAX: u128 = 10_u128.pow(30);

/// What a value is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// The mean rate of the sample.
    BitsPerSecond,
    /// The same in bytes.
    BytesPerSecond,
    /// The volume of the sample.
    Bytes,
    /// The volume since the counter was last zero: `ifHCOutOctets`.
    Counter,
}

/// A quantity and the multiple that it is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// What is counted.
    pub quantity: Quantity,
    /// 1, 1000, …
    pub scale: u64,
}

/// A cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    /// The file does not know it.
    Unknown,
    /// Thousandths of the unit that the cell names, or of the column's.
    Known(u128, Option<Unit>),
}

impl Unit {
    /// bit/s.
    pub const BPS: Self = Self { quantity: Quantity::BitsPerSecond, scale: 1 };
    /// Bytes per second.
    pub const BYTES_PER_SECOND: Self = Self { quantity: Quantity::BytesPerSecond, scale: 1 };
    /// Bytes per sample.
    pub const BYTES: Self = Self { quantity: Quantity::Bytes, scale: 1 };
    /// Octets since the counter began.
    pub const COUNTER: Self = Self { quantity: Quantity::Counter, scale: 1 };

    /// The unit that a text names: `bps`, `Mbit/s`, `MB/s`, `bits per second`, `bytes`, `counter`. Where all letters are
    /// of one case `b` is a bit.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(quantity) = quantity(text) {
            return Some(Self { quantity, scale: 1 });
        }
        let mut letters = text.chars();
        let scale = scale(letters.next()?)?;
        let rest = letters.as_str();
        if matches!(quantity(rest)?, Quantity::Counter) {
            return None;
        }
        // MBPS is shouted bits, MBps is not.
        let shouted = text.chars().all(|letter| !letter.is_ascii_lowercase());
        let rest =
            if shouted && rest != "B" && rest != "B/S" { rest.to_ascii_lowercase() } else { rest.to_owned() };
        Some(Self { quantity: quantity(&rest)?, scale })
    }

    /// In an answer: `Mbit/s`, `bytes`.
    pub fn name(self) -> String {
        let prefix = match self.scale {
            1_000 => "k",
            1_000_000 => "M",
            1_000_000_000 => "G",
            1_000_000_000_000 => "T",
            _ => "",
        };
        match self.quantity {
            Quantity::BitsPerSecond => format!("{prefix}bit/s"),
            Quantity::BytesPerSecond => format!("{prefix}B/s"),
            Quantity::Bytes if prefix.is_empty() => "bytes".to_owned(),
            Quantity::Bytes => format!("{prefix}B"),
            Quantity::Counter => "counter".to_owned(),
        }
    }
}

fn quantity(word: &str) -> Option<Quantity> {
    match word {
        "B/s" | "Bps" => return Some(Quantity::BytesPerSecond),
        "B" => return Some(Quantity::Bytes),
        _ => {}
    }
    match word.to_ascii_lowercase().as_str() {
        "bps" | "b/s" | "bit" | "bits" | "bit/s" | "bits/s" | "bit/sec" | "bits/sec" | "bits per second" => {
            Some(Quantity::BitsPerSecond)
        }
        "byte/s" | "bytes/s" | "bytes/sec" | "bytes per second" | "octets/s" | "octets per second" => {
            Some(Quantity::BytesPerSecond)
        }
        "byte" | "bytes" => Some(Quantity::Bytes),
        "counter" => Some(Quantity::Counter),
        _ => None,
    }
}

fn scale(letter: char) -> Option<u64> {
    match letter {
        'k' | 'K' => Some(1_000),
        'm' | 'M' => Some(1_000_000),
        'g' | 'G' => Some(1_000_000_000),
        't' | 'T' => Some(1_000_000_000_000),
        _ => None,
    }
}

/// Whether commas in a cell group digits or begin the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comma {
    Groups,
    Fraction,
}

/// Reads a cell; none if it is no number.
pub(super) fn parse(cell: &[u8], comma: Comma) -> Option<Amount> {
    let text = std::str::from_utf8(cell).ok()?.trim();
    let known = !matches!(
        text.to_ascii_lowercase().as_str(),
        "" | "nan" | "-nan" | "+nan" | "u" | "null" | "none" | "-" | "--" | "n/a" | "na" | "unknown"
    );
    if !known {
        return Some(Amount::Unknown);
    }
    let text = match comma {
        Comma::Groups => std::borrow::Cow::Borrowed(text),
        Comma::Fraction => text.replace(',', ".").into(),
    };
    let (thousandths, rest) = decimal(&text)?;
    let rest = rest.trim();
    if rest.is_empty() {
        return Some(Amount::Known(thousandths, None));
    }
    if let Some(unit) = Unit::parse(rest) {
        return Some(Amount::Known(thousandths.checked_mul(unit.scale.into())?, Some(unit)));
    }
    let mut letters = rest.chars();
    let scale = scale(letters.next()?)?;
    letters
        .as_str()
        .is_empty()
        .then(|| thousandths.checked_mul(scale.into()))?
        .map(|value| Amount::Known(value, None))
}

/// Thousandths, rounded half up, and what follows the number.
fn decimal(text: &str) -> Option<(u128, &str)> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (mut digits, mut exponent, mut seen, mut is_fraction) = (0_u128, 3_i64, false, false);
    let mut rest = text;
    while let Some(&byte) = rest.as_bytes().first() {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                // Digits beyond the 33rd are finer than anything that is asked for.
                if digits < VALUE_MAX * PARTS {
                    digits = digits * 10 + u128::from(byte - b'0');
                    exponent -= i64::from(is_fraction);
                } else {
                    exponent += i64::from(!is_fraction);
                }
            }
            b'.' if !is_fraction => is_fraction = true,
            b',' if seen && !is_fraction && is_group(&rest[1..]) => {}
            _ => break,
        }
        rest = &rest[1..];
    }
    if !seen {
        return None;
    }
    if let Some((power, after)) = power(rest) {
        exponent = exponent.checked_add(power)?;
        rest = after;
    }
    let value = match exponent {
        0.. => 10_u128.checked_pow(u32::try_from(exponent).ok()?).and_then(|power| digits.checked_mul(power)),
        // Half a unit in the last place is not more than what can be lost in a sample.
        _ => match u32::try_from(-exponent).ok().and_then(|power| 10_u128.checked_pow(power)) {
            Some(power) => Some((digits + power / 2) / power),
            None => Some(0),
        },
    };
    let value = if digits == 0 { Some(0) } else { value };
    value.filter(|value| *value <= VALUE_MAX * PARTS).map(|value| (value, rest))
}

/// Three digits and no fourth.
fn is_group(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits == 3
}

/// `e+06` and what follows.
fn power(text: &str) -> Option<(i64, &str)> {
    let after = text.strip_prefix(['e', 'E'])?;
    let (sign, after) = match after.as_bytes().first()? {
        b'-' => (-1, &after[1..]),
        b'+' => (1, &after[1..]),
        _ => (1, after),
    };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let power: i64 = after[..digits].parse().ok().filter(|power| *power < 1000)?;
    Some((sign * power, &after[digits..]))
}

/// Whole bytes of a sample, rounded half up.
pub(super) fn bytes(thousandths: u128, quantity: Quantity, seconds: u64) -> u128 {
    let (times, parts) = match quantity {
        Quantity::BitsPerSecond => (u128::from(seconds), 8 * PARTS),
        Quantity::BytesPerSecond => (u128::from(seconds), PARTS),
        Quantity::Bytes | Quantity::Counter => (1, PARTS),
    };
    thousandths.saturating_mul(times).saturating_add(parts / 2) / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_unit(text: &str, expected: Option<&str>) {
        assert_eq!(Unit::parse(text).map(Unit::name).as_deref(), expected, "{text}");
    }

    #[test]
    fn units() {
        check_unit("bps", Some("bit/s"));
        check_unit("Mbps", Some("Mbit/s"));
        check_unit("mbps", Some("Mbit/s"));
        check_unit("MBPS", Some("Mbit/s"));
        check_unit("MBps", Some("MB/s"));
        check_unit("Mb/s", Some("Mbit/s"));
        check_unit("MB/s", Some("MB/s"));
        check_unit("Kbit/s", Some("kbit/s"));
        check_unit("Gbit", Some("Gbit/s"));
        check_unit("bits per second", Some("bit/s"));
        check_unit("bytes per second", Some("B/s"));
        check_unit("bytes", Some("bytes"));
        check_unit("GB", Some("GB"));
        check_unit("TB", Some("TB"));
        check_unit("counter", Some("counter"));
        check_unit("kcounter", None);
        check_unit("widgets", None);
        check_unit("", None);
    }

    fn check(cell: &str, expected: Option<u128>) {
        let found = match parse(cell.as_bytes(), Comma::Groups) {
            Some(Amount::Known(value, _)) => Some(value),
            _ => None,
        };
        assert_eq!(found, expected, "{cell}");
    }

    #[test]
    fn cells() {
        check("0", Some(0));
        check("12", Some(12_000));
        check("12.3456", Some(12_346));
        check("12.3455", Some(12_346));
        check("3.4000000000e+00", Some(3_400));
        check("1.2345678901e+06", Some(1_234_567_890));
        check("1.5e-3", Some(2));
        check("1e-300", Some(0));
        check("0e300", Some(0));
        check("1,234,567.5", Some(1_234_567_500));
        check("1,23", None);
        check("18446744073709551615", Some(18_446_744_073_709_551_615_000));
        check("12.5 Mbps", Some(12_500_000_000));
        check("12.5M", Some(12_500_000_000));
        check("12 kB/s", Some(12_000_000));
        check("-1", None);
        check("abc", None);
        check("1e999", None);
        check("1e9999", None);
        check("9".repeat(40).as_str(), None);
        check("1 apple", None);
        for unknown in ["", " ", "NaN", "-nan", "U", "NULL", "-", "N/A"] {
            assert_eq!(parse(unknown.as_bytes(), Comma::Groups), Some(Amount::Unknown), "{unknown}");
        }
        assert_eq!(parse(b"12,5", Comma::Fraction), Some(Amount::Known(12_500, None)));
        assert_eq!(parse(b"\xff", Comma::Groups), None);
    }

    #[test]
    fn volumes() {
        assert_eq!(bytes(1_000_000, Quantity::BitsPerSecond, 300), 37_500);
        assert_eq!(bytes(1_001_000, Quantity::BitsPerSecond, 300), 37_538);
        assert_eq!(bytes(3_400, Quantity::BytesPerSecond, 300), 1_020);
        assert_eq!(bytes(7_000, Quantity::Bytes, 300), 7);
        assert_eq!(bytes(u128::MAX, Quantity::BytesPerSecond, 300), u128::MAX / 1000);
    }
}
