//! Times and lengths as people type them.

use super::zone::offset;
use super::{DAY_SECONDS, MICROS, Timestamp, Zone};

const INSTANT: &str = "not a time; expected 2026-10-01, 2026-10-01 14:05, 2026-10, @1793462400, or a time ago such as 2d or 1h30m";
const NO_SUCH: &str = "no such date or time between 1970 and 9999";
const TOO_LONG: &str = "too long";
const NO_UNIT: &str = "a number needs a unit: s, m, h, d or w";
const LENGTH: &str = "not a length of time; expected such as 15m, 1h30m or 7d";
const SLOT: &str = "a slot must divide a day: 1m, 5m, 1h, 1d";

/// The instant a text names: a date (`2026-10-01`) or month (`2026-10`), which is its first instant; a date and a
/// clock, with or without `T`, seconds, a fraction, and `Z` or an offset; `@` and seconds since 1970; `now`, `today`,
/// `yesterday`; or how long ago (`2d`, `90m`, `1h30m`, `2 weeks`), where a day is always 24 hours.
///
/// Dates and clocks are those of `zone` unless they say otherwise. A clock that shows a time twice means the first;
/// one that skips it means as long after the change. The error is the reason.
pub fn instant(text: &str, zone: &Zone, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return Ok(epoch(seconds).ok_or(INSTANT)?);
    }
    let today = zone.day(now.seconds());
    match text {
        "now" => return Ok(now),
        "today" => return Ok(Timestamp::from_seconds(today.start)),
        "yesterday" => return Ok(Timestamp::from_seconds(zone.day(today.start - 1).start)),
        _ => {}
    }
    if text.as_bytes().get(4) == Some(&b'-') {
        return date_and_clock(text, zone);
    }
    let seconds = duration(text.strip_suffix("ago").unwrap_or(text))?.ok_or(INSTANT)?;
    let micros = seconds.checked_mul(MICROS).and_then(|micros| now.0.checked_sub(micros));
    Ok(micros.map(Timestamp).ok_or(TOO_LONG)?)
}

/// Seconds in a slot length: `5m`, `300`, `300s`, `1h`, `1d`. It must divide a day. The error is the reason.
pub fn slot_length(text: &str) -> Result<u32, String> {
    let text = text.trim();
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if digits_only { number(text) } else { duration(text)? }.ok_or(SLOT)?;
    let divides = (1..=DAY_SECONDS).contains(&seconds) && DAY_SECONDS % seconds == 0;
    Ok(u32::try_from(seconds).ok().filter(|_| divides).ok_or(SLOT)?)
}

/// Seconds in a length of time: `15m`, `1h30m`, `2 weeks`; at least one. The error is the reason.
pub fn length(text: &str) -> Result<u64, String> {
    let seconds = duration(text)?.and_then(|seconds| u64::try_from(seconds).ok());
    Ok(seconds.filter(|seconds| *seconds > 0).ok_or(LENGTH)?)
}

/// Seconds since 1970 with an optional fraction.
fn epoch(text: &str) -> Option<Timestamp> {
    let (seconds, micros) = fraction(text)?;
    let (sign, seconds) = match seconds.strip_prefix('-') {
        Some(seconds) => (-1, seconds),
        None => (1, seconds),
    };
    let micros = number(seconds)?.checked_mul(MICROS)?.checked_add(i64::from(micros))?;
    Some(Timestamp(sign * micros))
}

fn date_and_clock(text: &str, zone: &Zone) -> Result<Timestamp, String> {
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (date, clock.trim_start()),
        None => (text, "00:00"),
    };
    // A date has no sign and no Z, so what follows one in the clock is the offset.
    let (clock, stated) = match clock.find(['Z', 'z', '+', '-']) {
        Some(position) => (&clock[..position], Some(offset(&clock[position..]).ok_or(INSTANT)?)),
        None => (clock, None),
    };
    let fields = date_fields(date).zip(clock_fields(clock.trim_end()));
    let ((year, month, day), (hour, minute, second, micros)) = fields.ok_or(INSTANT)?;
    let shown = Timestamp::from_civil(year, month, day, hour, minute, second, micros, stated.unwrap_or(0))
        .ok_or(NO_SUCH)?;
    if stated.is_some() {
        return Ok(shown);
    }
    Ok(Timestamp::from_seconds(zone.resolve(shown.seconds())).saturating_add(u64::from(micros)))
}

fn date_fields(text: &str) -> Option<(i32, u8, u8)> {
    let mut parts = text.split('-');
    let year = i32::try_from(number(parts.next()?)?).ok()?;
    let month = two_digits(parts.next()?)?;
    let day = parts.next().map_or(Some(1), two_digits)?;
    parts.next().is_none().then_some((year, month, day))
}

fn clock_fields(text: &str) -> Option<(u8, u8, u8, u32)> {
    let mut parts = text.split(':');
    let (hour, minute) = (two_digits(parts.next()?)?, two_digits(parts.next()?)?);
    let (second, micros) = fraction(parts.next().unwrap_or("00"))?;
    let second = two_digits(second)?;
    parts.next().is_none().then_some((hour, minute, second, micros))
}

/// Cuts a decimal fraction off and returns it in microseconds; finer digits are dropped.
fn fraction(text: &str) -> Option<(&str, u32)> {
    let Some((whole, digits)) = text.split_once('.') else { return Some((text, 0)) };
    number(digits)?;
    let micros = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
    Some((whole, micros.fold(0, |micros, digit| micros * 10 + u32::from(digit - b'0'))))
}

fn two_digits(text: &str) -> Option<u8> {
    number(text).filter(|_| text.len() == 2).and_then(|number| u8::try_from(number).ok())
}

/// Digits only, where `str::parse` also takes a sign.
fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Seconds in `1h30m` or `2 weeks`; `None` if the text is nothing of the kind.
fn duration(text: &str) -> Result<Option<i64>, String> {
    let mut rest = text.trim();
    let mut total = None;
    while !rest.is_empty() {
        let (digits, after) = split(rest, |letter| letter.is_ascii_digit());
        let (unit, after) = split(after.trim_start(), |letter| letter.is_ascii_alphabetic());
        if digits.is_empty() {
            return Ok(None);
        }
        if unit.is_empty() && after.is_empty() {
            return Err(NO_UNIT.to_owned());
        }
        let Some(unit) = unit_seconds(unit) else { return Ok(None) };
        let seconds = number(digits).and_then(|count| count.checked_mul(unit));
        let sum = seconds.and_then(|seconds| total.unwrap_or(0_i64).checked_add(seconds));
        total = Some(sum.ok_or(TOO_LONG)?);
        rest = after.trim_start();
    }
    Ok(total)
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|letter| !belongs(letter)).unwrap_or(text.len()))
}

fn unit_seconds(unit: &str) -> Option<i64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => DAY_SECONDS,
        "w" | "week" | "weeks" => 7 * DAY_SECONDS,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Precision;

    /// 2026-11-23T05:53:03.252Z, a Monday.
    const NOW: Timestamp = Timestamp(1_795_413_183_252_000);

    fn check(zone: &str, text: &str, expected: Result<&str, &str>) {
        let actual = instant(text, &Zone::parse(zone).unwrap(), NOW);
        let actual = actual.map(|time| Zone::utc().rfc3339(time, Precision::Micros).replace(".000000", ""));
        assert_eq!(actual.as_deref().map_err(String::as_str), expected, "{text} in {zone}");
    }

    #[test]
    fn dates_and_clocks() {
        check("UTC", "2026-10-01", Ok("2026-10-01T00:00:00Z"));
        check("+08:00", "2026-10-01", Ok("2026-09-30T16:00:00Z"));
        check("+08:00", " 2026-10 ", Ok("2026-09-30T16:00:00Z"));
        check("UTC", "2026-10-01 14:05", Ok("2026-10-01T14:05:00Z"));
        check("UTC", "2026-10-01T14:05:09", Ok("2026-10-01T14:05:09Z"));
        check("+08:00", "2026-10-01T14:05:09Z", Ok("2026-10-01T14:05:09Z"));
        check("UTC", "2026-10-01T14:05:09.25+08:00", Ok("2026-10-01T06:05:09.250000Z"));
        check("UTC", "2026-10-01 14:05 -0330", Ok("2026-10-01T17:35:00Z"));
        check("+08:00", "2026-10-01 14:05:09.1234567", Ok("2026-10-01T06:05:09.123456Z"));
        check("Europe/Berlin", "2026-10-01 24:00", Ok("2026-10-01T22:00:00Z"));
        check("UTC", "2026-12-31 23:59:60", Ok("2027-01-01T00:00:00Z"));
        check("UTC", "1970-01-01", Ok("1970-01-01T00:00:00Z"));
        check("Europe/Berlin", "9999-12-31 23:59", Ok("9999-12-31T22:59:00Z"));
    }

    #[test]
    fn clocks_that_skip_or_repeat() {
        check("Europe/Berlin", "2026-03-29 02:30", Ok("2026-03-29T01:30:00Z"));
        check("Europe/Berlin", "2026-10-25 02:30", Ok("2026-10-25T00:30:00Z"));
        check("Africa/Cairo", "2026-04-24", Ok("2026-04-23T22:00:00Z"));
    }

    #[test]
    fn epochs_and_words() {
        check("UTC", "@1793462400", Ok("2026-10-31T16:00:00Z"));
        check("UTC", "@1793462400.5", Ok("2026-10-31T16:00:00.500000Z"));
        check("UTC", "@-1.5", Ok("1969-12-31T23:59:58.500000Z"));
        check("UTC", "now", Ok("2026-11-23T05:53:03.252000Z"));
        check("+08:00", "today", Ok("2026-11-22T16:00:00Z"));
        check("America/New_York", "yesterday", Ok("2026-11-22T05:00:00Z"));
    }

    #[test]
    fn times_ago() {
        check("UTC", "2d", Ok("2026-11-21T05:53:03.252000Z"));
        check("UTC", "90m", Ok("2026-11-23T04:23:03.252000Z"));
        check("UTC", "1h30m", Ok("2026-11-23T04:23:03.252000Z"));
        check("UTC", "1h 30min ago", Ok("2026-11-23T04:23:03.252000Z"));
        check("UTC", "2 weeks", Ok("2026-11-09T05:53:03.252000Z"));
        check("UTC", "0s", Ok("2026-11-23T05:53:03.252000Z"));
        check("UTC", "90", Err(NO_UNIT));
        check("UTC", "1h30", Err(NO_UNIT));
        check("UTC", "99999999999999999d", Err(TOO_LONG));
        check("UTC", "9999999999999999999999s", Err(TOO_LONG));
        check("UTC", "9223372036854775807s", Err(TOO_LONG));
    }

    #[test]
    fn what_is_no_time() {
        for text in ["", "ago", "soon", "2 months", "-2d", "@", "@x", "@1.", "@1.-5", "2026", "h", "é", "2 é"]
        {
            check("UTC", text, Err(if text == "2026" { NO_UNIT } else { INSTANT }));
        }
        for text in ["2026-1-1", "2026-10-01-01", "2026-10-01T", "2026-10-01 14", "2026-10-01 14:05+25:00"] {
            check("UTC", text, Err(INSTANT));
        }
        for text in ["2026-02-31", "2026-13", "2026-10-01 25:00", "1969-01-01", "2026-10-01 24:01"] {
            check("UTC", text, Err(NO_SUCH));
        }
    }

    fn check_slot(text: &str, expected: Result<u32, &str>) {
        assert_eq!(slot_length(text), expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn lengths() {
        let check = |text: &str, expected: Result<u64, &str>| {
            assert_eq!(length(text), expected.map_err(str::to_owned), "{text}");
        };
        check("15m", Ok(900));
        check("1h30m", Ok(5400));
        check(" 2 weeks ", Ok(1_209_600));
        check("90", Err(NO_UNIT));
        check("9223372036854775808s", Err(TOO_LONG));
        for text in ["", "0s", "-1h", "7d ago", "yesterday", "2026-10-01", "@5"] {
            check(text, Err(LENGTH));
        }
    }

    #[test]
    fn slot_lengths() {
        check_slot("5m", Ok(300));
        check_slot("300", Ok(300));
        check_slot(" 300s ", Ok(300));
        check_slot("5 minutes", Ok(300));
        check_slot("1s", Ok(1));
        check_slot("1h", Ok(3600));
        check_slot("1h30m", Ok(5400));
        check_slot("1d", Ok(86_400));
        for text in ["", "0", "0s", "7m", "2d", "1w", "-5m", "5x", "99999999999999999999", "86401"] {
            check_slot(text, Err(SLOT));
        }
        check_slot("1h30", Err(NO_UNIT));
        check_slot("99999999999999999999s", Err(TOO_LONG));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9@:TZ+. dhmsw-]{0,24}|.{0,16}") {
            let zone = Zone::parse("Europe/Berlin").unwrap();
            let _ = instant(&text, &zone, NOW);
            let _ = instant(&text, &zone, Timestamp(i64::MIN));
            let _ = instant(&text, &zone, Timestamp(i64::MAX));
            let _ = slot_length(&text);
            let _ = Zone::parse(&text);
        }

        #[test]
        fn printed_times_are_read_back(micros in 0..253_000_000_000_000_000_i64, hours in -12..15) {
            let zone = Zone::fixed(hours * 3600);
            let text = zone.rfc3339(Timestamp(micros), Precision::Micros);
            prop_assert_eq!(instant(&text, &Zone::utc(), NOW), Ok(Timestamp(micros)));
        }
    }
}
