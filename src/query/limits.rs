//! What counts as fast enough.

/// Where durations are judged; counted exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Apdex's T in microseconds: up to T a request satisfies, up to 4 T it is tolerated, beyond it frustrates.
    pub apdex_us: u64,
    /// Longer requests are slow, in microseconds.
    pub slow_us: u64,
}

/// Apdex's 4 T for the longest T there may be is still a duration.
const LIMIT_US_MAX: u64 = 31 * 24 * 3600 * 1_000_000;

const UNITS: [(&str, u64); 4] = [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000)];

impl Default for Limits {
    /// T = 2 s, which makes the 8 seconds of the old rule the line of frustration, and slow from there on.
    fn default() -> Self {
        Self { apdex_us: 2_000_000, slow_us: 8_000_000 }
    }
}

/// Reads `2s`, `500ms`, `1.5s`, `2m` as microseconds; the error says what is wrong with the text.
pub fn duration_us(text: &str) -> Result<u64, String> {
    let form = || "a duration such as 500ms, 2s or 1.5s is expected".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(form)?;
    let (number, unit) = text.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let unit = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, micros)| *micros).ok_or_else(form)?;
    if whole.is_empty() || number.ends_with('.') || fraction.contains('.') {
        return Err(form());
    }
    let range = || "a duration must be a microsecond to 31 days long".to_owned();
    let whole: u64 = whole.parse().map_err(|_| range())?;
    let mut micros = whole.checked_mul(unit).ok_or_else(range)?;
    let mut step = unit;
    for digit in fraction.bytes() {
        if !step.is_multiple_of(10) {
            return Err("a duration is a whole number of microseconds".to_owned());
        }
        step /= 10;
        micros = micros.checked_add(u64::from(digit - b'0') * step).ok_or_else(range)?;
    }
    if (1..=LIMIT_US_MAX).contains(&micros) { Ok(micros) } else { Err(range()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        let check =
            |text: &str, expected: Option<u64>| assert_eq!(duration_us(text).ok(), expected, "{text}");
        check("2s", Some(2_000_000));
        check("500ms", Some(500_000));
        check("1.5s", Some(1_500_000));
        check("0.000001s", Some(1));
        check("250us", Some(250));
        check("2m", Some(120_000_000));
        check("0.5m", Some(30_000_000));
        check("0.0000001s", None);
        check("0s", None);
        check("2", None);
        check("s", None);
        check(".5s", None);
        check("1.s", None);
        check("1.2.3s", None);
        check("-1s", None);
        check("9999999999999999999s", None);
        check("99999999999m", None);
        check("", None);
        check("2 s", None);
    }
}
