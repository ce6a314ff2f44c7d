//! Numbers as people say them. Integers are divided as integers, so what is shown is the exact value rounded once,
//! half away from zero.

use crate::report::{Cell, Unit};

/// Names of powers of a thousand bytes; what is larger stays in the last one.
const BYTES: [&str; 11] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB", "RB", "QB"];
/// The same for bits per second.
const BPS: [&str; 11] =
    ["bps", "kbps", "Mbps", "Gbps", "Tbps", "Pbps", "Ebps", "Zbps", "Ybps", "Rbps", "Qbps"];
/// The same for durations below a minute.
const MICROS: [&str; 3] = ["µs", "ms", "s"];
/// From here on three digits would say `60.0 s`.
const MINUTE_MICROS: u128 = 59_950_000;

/// Growth from here on is only said to be large: what was next to nothing grew by any factor.
const GROWTH_MAX: f64 = 1e4;

/// A value with its unit; `None` for text and for what is not known.
pub fn value(cell: &Cell, unit: Unit) -> Option<String> {
    match cell {
        Cell::Null | Cell::Text(_) => None,
        Cell::List(cells) => {
            let values: Option<Vec<String>> = cells.iter().map(|cell| value(cell, unit)).collect();
            values.map(|values| values.join(" to "))
        }
        Cell::Time(time) => Some(time.clone()),
        Cell::Share(value) if unit == Unit::Score => Some(score(*value)),
        Cell::Share(value) if unit == Unit::ShareChange => Some(growth(*value)),
        Cell::Share(value) => Some(share(*value)),
        Cell::Integer(number) => Some(match unit {
            Unit::Text | Unit::Number | Unit::Decimal => number.to_string(),
            Unit::Count | Unit::Share | Unit::Bar | Unit::Score => count(*number),
            Unit::Bytes => bytes(*number),
            Unit::Bps => bps(*number),
            Unit::Micros => micros(*number),
            Unit::ByteRate => format!("{}/s", bytes(*number)),
            Unit::CountChange | Unit::ShareChange => plus(*number, count),
            Unit::BytesChange => plus(*number, bytes),
            Unit::BpsChange => plus(*number, bps),
        }),
    }
}

/// `3,923,246`.
pub fn count(number: i128) -> String {
    signed(number, grouped)
}

/// `999 B`, `34.6 kB`, `2.75 GB`: decimal, three digits.
pub fn bytes(number: i128) -> String {
    signed(number, |size| scaled(size, &BYTES))
}

/// `1.83 Mbps`: decimal, three digits.
pub fn bps(number: i128) -> String {
    signed(number, |size| scaled(size, &BPS))
}

/// `850 µs`, `12.5 ms`, `1.25 s`, `2m05s`, `3h07m`, `2d03h`.
pub fn micros(number: i128) -> String {
    signed(number, |size| {
        if size < MINUTE_MICROS {
            return scaled(size, &MICROS);
        }
        let rounded = |unit: u128| (size + unit / 2) / unit;
        let (seconds, minutes, hours) = (rounded(1_000_000), rounded(60_000_000), rounded(3_600_000_000));
        if seconds < 3_600 {
            format!("{}m{:02}s", seconds / 60, seconds % 60)
        } else if minutes < 1_440 {
            format!("{}h{:02}m", minutes / 60, minutes % 60)
        } else {
            format!("{}d{:02}h", grouped(hours / 24), hours % 24)
        }
    })
}

/// `41.0 %`. What is not quite nothing or not quite all says so: `<0.1 %`, `>99.9 %`.
pub fn share(share: f64) -> String {
    let size = share.abs();
    if !size.is_finite() {
        return "-".to_owned();
    }
    let (bound, percent) = if size > 0.0 && size < 0.0005 {
        ("<", "0.1".to_owned())
    } else if (0.9995..1.0).contains(&size) {
        (">", "99.9".to_owned())
    } else {
        ("", format!("{:.1}", size * 100.0))
    };
    let sign = if share < 0.0 { "-" } else { "" };
    format!("{bound}{sign}{percent} %")
}

/// `+18.0 %`, `-7.5 %`, `+2,400 %`: how much more than there was.
pub fn growth(growth: f64) -> String {
    if growth >= GROWTH_MAX {
        return ">+999,999 %".to_owned();
    }
    if growth >= 10.0 {
        let percent = format!("{:.0}", growth * 100.0);
        return format!("+{} %", percent.parse().map_or(percent, count));
    }
    let words = share(growth);
    match words.strip_prefix(['<', '>']) {
        _ if growth.is_nan() || growth <= 0.0 => words,
        // Which side of the number it is on is said first, as in a share.
        Some(rest) => format!("{}+{rest}", &words[..1]),
        None => format!("+{words}"),
    }
}

/// `0.94`.
pub fn score(score: f64) -> String {
    if score.is_finite() { format!("{:.2}", score + 0.0) } else { "-".to_owned() }
}

/// `1 line`, `3,000 lines`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number.into()))
}

fn plus(number: i128, show: fn(i128) -> String) -> String {
    let words = show(number);
    if number > 0 { format!("+{words}") } else { words }
}

fn signed(number: i128, show: impl Fn(u128) -> String) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", show(number.unsigned_abs()))
}

fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three digits and a unit. `size` is at most 2¹²⁷, so half a step more cannot overflow.
fn scaled(size: u128, units: &[&str]) -> String {
    let (mut unit, mut one) = (0, 1);
    // Half a thousandth more than 999.5 units is already one of the next.
    while unit + 1 < units.len() && size + one / 2 >= one * 1_000 {
        unit += 1;
        one *= 1_000;
    }
    let name = units[unit];
    if unit == 0 {
        return format!("{} {name}", grouped(size));
    }
    for (decimals, parts) in [(2, 100), (1, 10)] {
        let step = one / parts;
        let rounded = (size + step / 2) / step;
        if rounded < 1_000 {
            return format!("{}.{:0decimals$} {name}", rounded / parts, rounded % parts);
        }
    }
    format!("{} {name}", grouped((size + one / 2) / one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_as_people_say_them() {
        fn check<T>(show: fn(T) -> String, value: T, expected: &str) {
            assert_eq!(show(value), expected);
        }
        check(count, 0, "0");
        check(count, 999, "999");
        check(count, 3_923_246, "3,923,246");
        check(count, -1_000, "-1,000");
        check(count, i128::MIN, "-170,141,183,460,469,231,731,687,303,715,884,105,728");
        check(bytes, 0, "0 B");
        check(bytes, 999, "999 B");
        check(bytes, 1_000, "1.00 kB");
        check(bytes, 9_994, "9.99 kB");
        check(bytes, 9_995, "10.0 kB");
        check(bytes, 34_567, "34.6 kB");
        check(bytes, 99_950, "100 kB");
        check(bytes, 999_499, "999 kB");
        check(bytes, 999_500, "1.00 MB");
        check(bytes, 999_950, "1.00 MB");
        check(bytes, 2_750_000_000, "2.75 GB");
        check(bytes, -2_750_000_000, "-2.75 GB");
        check(bytes, u64::MAX.into(), "18.4 EB");
        check(bytes, i128::MAX, "170,141,183 QB");
        check(bytes, i128::MIN, "-170,141,183 QB");
        check(bps, 999, "999 bps");
        check(bps, 1_830_000, "1.83 Mbps");
        check(bps, 1_900_000_000_000, "1.90 Tbps");
        check(micros, 0, "0 µs");
        check(micros, 850, "850 µs");
        check(micros, 12_500, "12.5 ms");
        check(micros, 999_499, "999 ms");
        check(micros, 999_500, "1.00 s");
        check(micros, 1_250_000, "1.25 s");
        check(micros, 59_949_999, "59.9 s");
        check(micros, 59_950_000, "1m00s");
        check(micros, 125_000_000, "2m05s");
        check(micros, 3_599_500_000, "1h00m");
        check(micros, 11_220_000_000, "3h07m");
        check(micros, 86_399_000_000, "1d00h");
        check(micros, 183_600_000_000, "2d03h");
        check(micros, i128::MIN, "-1,969,226,660,422,097,589,487,121,570d19h");
        check(share, 0.41, "41.0 %");
        check(share, 0.0, "0.0 %");
        check(share, -0.0, "0.0 %");
        check(share, 0.0004, "<0.1 %");
        check(share, 0.0005, "0.1 %");
        check(share, 0.9999, ">99.9 %");
        check(share, 1.0, "100.0 %");
        check(share, -0.125, "-12.5 %");
        check(share, f64::NAN, "-");
        check(growth, 0.18, "+18.0 %");
        check(growth, -0.075, "-7.5 %");
        check(growth, 0.0, "0.0 %");
        check(growth, 0.0001, "<+0.1 %");
        check(growth, -0.0001, "<-0.1 %");
        check(growth, 0.99999, ">+99.9 %");
        check(growth, 9.99, "+999.0 %");
        check(growth, 24.0, "+2,400 %");
        check(growth, 9_999.99, "+999,999 %");
        check(growth, 1e4, ">+999,999 %");
        check(growth, f64::INFINITY, ">+999,999 %");
        check(growth, f64::NAN, "-");
        check(score, 0.944, "0.94");
        check(score, 1.0, "1.00");
        check(score, -0.0, "0.00");
        check(score, f64::INFINITY, "-");
    }

    /// Every power and every precision, tried from the finest; the first that needs no more than three digits.
    fn scaled_slowly(size: u128) -> (u128, u32, u32) {
        if size < 1_000 {
            return (size, 0, 0);
        }
        for power in 1..=10 {
            for decimals in [2, 1, 0] {
                let step = 10_u128.pow(power * 3 - decimals);
                let rounded = size / step + u128::from(size % step * 2 >= step);
                if rounded < 1_000 {
                    return (rounded, decimals, power);
                }
            }
        }
        let step = 10_u128.pow(30);
        (size / step + u128::from(size % step * 2 >= step), 0, 10)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn scaling_agrees_with_its_slow_twin(number: u128, shift in 1..128_u32, near in -2..3_i128) {
            let number = number >> shift;
            for size in [number, 10_u128.pow(shift % 38).saturating_add_signed(near)] {
                let (rounded, decimals, power) = scaled_slowly(size);
                let one = 10_u128.pow(decimals);
                let fraction = match decimals {
                    0 => String::new(),
                    _ => format!(".{:0width$}", rounded % one, width = decimals as usize),
                };
                let expected = format!("{}{fraction} {}", grouped(rounded / one), BYTES[power as usize]);
                prop_assert_eq!(scaled(size, &BYTES), expected);
            }
        }

        #[test]
        fn no_number_panics(number: i128, float: f64) {
            for show in [count, bytes, bps, micros] {
                prop_assert!(!show(number).is_empty());
            }
            prop_assert!(share(float).len() < 400);
        }
    }
}
