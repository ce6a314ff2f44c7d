//! The zone a report is in.
//!
//! Most reports are in a fixed offset and never leave integer arithmetic. Named zones ask jiff's bundled rules, at
//! most a few times per day of log. Those rules are asked only for the years 0 to 9999; outside them, where a
//! timestamp can only be garbage, a zone keeps the offset it has at the edge.

use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::{Civil, DAY_SECONDS, MICROS, OFFSET_SECONDS_MAX, Timestamp, civil};

/// 0000-01-01 and 9999-12-01 in seconds: inside what jiff can represent, and no zone changes its clocks near them.
const RULES_FROM: i64 = -719_528 * DAY_SECONDS;
const RULES_UNTIL: i64 = 2_932_866 * DAY_SECONDS;

const EXPECTED: &str =
    "not a time zone; expected a name such as Asia/Shanghai, an offset such as +08:00, or UTC";

/// The zone that days and slots are cut in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: Rules,
}

/// How exactly a time is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `2026-11-01T00:00:00+08:00`, and `+00:00` for UTC.
    Seconds,
    /// `2026-11-23T05:53:03.252000+08:00`, and `Z` for UTC.
    Micros,
}

/// One day of a zone in seconds since 1970, `[start, end)`; a zone that skipped a date has no such day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) start: i64,
    pub(super) end: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rules {
    Fixed(i32),
    Named(TimeZone),
}

impl Zone {
    /// An IANA name in any case, `UTC`, `Z`, or an offset: `+08:00`, `+0800`, `+8`, `-3:30`. The error is the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(seconds) = offset(text) {
            return Ok(Self::fixed(seconds));
        }
        if text.eq_ignore_ascii_case("utc") {
            return Ok(Self::utc());
        }
        let zone = TimeZone::get(text).ok().filter(|zone| !zone.is_unknown()).ok_or(EXPECTED)?;
        let name = zone.iana_name().unwrap_or(text).to_owned();
        Ok(Self { name, rules: Rules::Named(zone) })
    }

    /// A zone that is always so far ahead of UTC; offsets of a day or more are held at [`OFFSET_SECONDS_MAX`].
    pub fn fixed(offset_seconds: i32) -> Self {
        let limit = OFFSET_SECONDS_MAX.cast_signed();
        let seconds = offset_seconds.clamp(-limit, limit);
        let name = if seconds == 0 { "UTC".to_owned() } else { offset_name(seconds.into()) };
        Self { name, rules: Rules::Fixed(seconds) }
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self::fixed(0)
    }

    /// `Europe/Berlin`, `+08:00`, or `UTC`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The time as RFC 3339 writes it. The text always names the exact instant (or second): where an offset has
    /// seconds, which RFC 3339 cannot write, the clock of the next whole minute towards UTC is shown. Years outside
    /// 0..=9999, which it cannot write either, are held at the nearest one.
    pub fn rfc3339(&self, timestamp: Timestamp, precision: Precision) -> String {
        let seconds = timestamp.seconds();
        let offset = self.offset(seconds) / 60 * 60;
        let Civil { year, month, day, hour, minute, second, .. } = civil(seconds + offset);
        let clock = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        match precision {
            Precision::Seconds => clock + &offset_name(offset),
            Precision::Micros => {
                let zone = if self.rules == Rules::Fixed(0) { "Z".to_owned() } else { offset_name(offset) };
                format!("{clock}.{:06}{zone}", timestamp.0.rem_euclid(MICROS))
            }
        }
    }

    /// What the clocks of the zone show.
    pub fn civil(&self, timestamp: Timestamp) -> Civil {
        let seconds = timestamp.seconds();
        civil(seconds + self.offset(seconds))
    }

    /// The instant at which the clocks show `local` seconds since 1970: the first one if they show it twice, and as
    /// long after the change if they skip it.
    pub(super) fn resolve(&self, local: i64) -> i64 {
        match &self.rules {
            Rules::Fixed(offset) => local - i64::from(*offset),
            Rules::Named(zone) => match ambiguity(zone, local) {
                AmbiguousOffset::Unambiguous { offset } => local - i64::from(offset.seconds()),
                AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => {
                    local - i64::from(before.seconds())
                }
            },
        }
    }

    /// The day that holds a second; `seconds` is anything a [`Timestamp`] can hold, and a day more.
    pub(super) fn day(&self, seconds: i64) -> Day {
        let offset = self.offset(seconds);
        let number = (seconds + offset).div_euclid(DAY_SECONDS);
        match &self.rules {
            Rules::Fixed(_) => {
                let start = number * DAY_SECONDS - offset;
                Day { start, end: start + DAY_SECONDS }
            }
            Rules::Named(zone) => {
                let (mut number, mut start, mut end) =
                    (number, first_instant(zone, number), first_instant(zone, number + 1));
                // Clocks set back over midnight show the old date again, but a day that began is not taken back.
                while end <= seconds {
                    number += 1;
                    (start, end) = (end, first_instant(zone, number + 1));
                }
                while seconds < start {
                    number -= 1;
                    (start, end) = (first_instant(zone, number), start);
                }
                Day { start, end }
            }
        }
    }

    fn offset(&self, seconds: i64) -> i64 {
        match &self.rules {
            Rules::Fixed(offset) => i64::from(*offset),
            Rules::Named(zone) => i64::from(offset_at(zone, seconds).seconds()),
        }
    }
}

/// `Z`, `+08:00`, `+0800`, `+08`, `+8`, `-3:30` in seconds.
pub(super) fn offset(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let number = |text: &str, limit: i32| -> Option<i32> {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && *number < limit)
    };
    Some(sign * (number(hours, 24)? * 3600 + number(minutes, 60)? * 60))
}

/// `+08:00`, and `-00:44:30` for what no log but history has.
fn offset_name(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let name = format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 == 0 { name } else { format!("{name}:{:02}", seconds % 60) }
}

/// The first instant at which the clocks show the day `number` (days since 1970) or a later one.
fn first_instant(zone: &TimeZone, number: i64) -> i64 {
    let midnight = number * DAY_SECONDS;
    match ambiguity(zone, midnight) {
        AmbiguousOffset::Unambiguous { offset } => midnight - i64::from(offset.seconds()),
        AmbiguousOffset::Fold { before, .. } => midnight - i64::from(before.seconds()),
        AmbiguousOffset::Gap { before, after } => {
            // Midnight was skipped: the day begins when the clocks change, which is after the instant that would
            // have been midnight on the new clock, and not later than the one on the old clock.
            let (mut early, mut late) =
                (midnight - i64::from(after.seconds()), midnight - i64::from(before.seconds()));
            while late - early > 1 {
                let middle = early + (late - early) / 2;
                if offset_at(zone, middle) == before {
                    early = middle;
                } else {
                    late = middle;
                }
            }
            late
        }
    }
}

fn ambiguity(zone: &TimeZone, local: i64) -> AmbiguousOffset {
    if !(RULES_FROM..RULES_UNTIL).contains(&local) {
        return AmbiguousOffset::Unambiguous { offset: offset_at(zone, local) };
    }
    let Civil { year, month, day, hour, minute, second, .. } = civil(local);
    let year = i16::try_from(year).expect("civil years end at 9999");
    let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(u8::cast_signed);
    zone.to_ambiguous_timestamp(jiff::civil::datetime(year, month, day, hour, minute, second, 0)).offset()
}

fn offset_at(zone: &TimeZone, seconds: i64) -> Offset {
    let seconds = seconds.clamp(RULES_FROM, RULES_UNTIL);
    zone.to_offset(jiff::Timestamp::from_second(seconds).expect("the years 0 to 9999 are jiff's own range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_name(text: &str, expected: Option<&str>) {
        assert_eq!(Zone::parse(text).ok().as_ref().map(Zone::name), expected, "{text}");
    }

    #[test]
    fn zones_people_type() {
        check_name("UTC", Some("UTC"));
        check_name("utc", Some("UTC"));
        check_name("Z", Some("UTC"));
        check_name("+00:00", Some("UTC"));
        check_name("+08:00", Some("+08:00"));
        check_name("+0800", Some("+08:00"));
        check_name("+8", Some("+08:00"));
        check_name(" -3:30 ", Some("-03:30"));
        check_name("-0330", Some("-03:30"));
        check_name("-00:30", Some("-00:30"));
        check_name("+23:59", Some("+23:59"));
        check_name("Europe/Berlin", Some("Europe/Berlin"));
        check_name("asia/shanghai", Some("Asia/Shanghai"));
        for text in ["", "+", "+24", "+08:60", "+8:0", "+080", "+08:00:00", "08:00", "++8", "+٨", "é"] {
            check_name(text, None);
        }
        assert_eq!(Zone::parse("Mars/Olympus").unwrap_err(), EXPECTED);
        assert_eq!(Zone::parse("Etc/Unknown").unwrap_err(), EXPECTED);
        assert_eq!(Zone::fixed(i32::MAX).name(), "+23:59:59");
        assert_eq!(Zone::fixed(-30).name(), "-00:00:30");
    }

    fn check_text(zone: &str, micros: i64, seconds: &str, exact: &str) {
        let zone = Zone::parse(zone).unwrap();
        assert_eq!(zone.rfc3339(Timestamp(micros), Precision::Seconds), seconds);
        assert_eq!(zone.rfc3339(Timestamp(micros), Precision::Micros), exact);
    }

    #[test]
    fn times_as_printed() {
        let time = 1_795_413_183_252_000;
        check_text("UTC", time, "2026-11-23T05:53:03+00:00", "2026-11-23T05:53:03.252000Z");
        check_text("+08:00", time, "2026-11-23T13:53:03+08:00", "2026-11-23T13:53:03.252000+08:00");
        check_text("-03:30", time, "2026-11-23T02:23:03-03:30", "2026-11-23T02:23:03.252000-03:30");
        check_text("Europe/London", time, "2026-11-23T05:53:03+00:00", "2026-11-23T05:53:03.252000+00:00");
        check_text("Asia/Kolkata", time, "2026-11-23T11:23:03+05:30", "2026-11-23T11:23:03.252000+05:30");
        check_text("UTC", -1, "1969-12-31T23:59:59+00:00", "1969-12-31T23:59:59.999999Z");
        // Liberia was 44 minutes and 30 seconds behind until 1972.
        check_text("Africa/Monrovia", 0, "1969-12-31T23:16:00-00:44", "1969-12-31T23:16:00.000000-00:44");
        check_text("UTC", i64::MAX, "9999-12-31T23:59:59+00:00", "9999-12-31T23:59:59.775807Z");
        check_text("Asia/Tokyo", i64::MAX, "9999-12-31T23:59:59+09:00", "9999-12-31T23:59:59.775807+09:00");
        assert!(
            Zone::parse("Asia/Tokyo")
                .unwrap()
                .rfc3339(Timestamp(i64::MIN), Precision::Seconds)
                .starts_with("0000-01-01T00")
        );
    }

    #[test]
    fn clocks() {
        let civil = Zone::parse("America/New_York").unwrap().civil(Timestamp(1_795_413_183_252_000));
        let expected = Civil { year: 2026, month: 11, day: 23, hour: 0, minute: 53, second: 3, weekday: 1 };
        assert_eq!(civil, expected);
    }

    fn check_day(zone: &str, noon: &str, minutes: i64, midnight: &str) {
        let zone = Zone::parse(zone).unwrap();
        let noon: jiff::Timestamp = noon.parse().unwrap();
        let day = zone.day(noon.as_second());
        assert_eq!(day.end - day.start, minutes * 60, "{} {noon}", zone.name());
        assert_eq!(zone.rfc3339(Timestamp::from_seconds(day.start), Precision::Seconds), midnight);
    }

    #[test]
    fn days_whose_midnight_is_missing_or_comes_twice() {
        check_day("America/Sao_Paulo", "2018-11-04T15:00:00Z", 1380, "2018-11-04T01:00:00-02:00");
        check_day("America/Sao_Paulo", "2018-02-17T15:00:00Z", 1500, "2018-02-17T00:00:00-02:00");
        check_day("Africa/Cairo", "2026-04-24T10:00:00Z", 1380, "2026-04-24T01:00:00+03:00");
        check_day("Africa/Cairo", "2026-10-29T10:00:00Z", 1500, "2026-10-29T00:00:00+03:00");
        check_day("Asia/Beirut", "2026-03-29T10:00:00Z", 1380, "2026-03-29T01:00:00+03:00");
        // Midnight comes twice: the day begins with the first one.
        check_day("America/Havana", "2020-11-01T17:00:00Z", 1500, "2020-11-01T00:00:00-04:00");
        // The clocks jumped from 23:30 to 00:30.
        check_day("America/Toronto", "1919-03-31T17:00:00Z", 1410, "1919-03-31T00:30:00-04:00");
        // 30 December 2011 did not happen in Samoa.
        check_day("Pacific/Apia", "2011-12-29T22:00:00Z", 1440, "2011-12-29T00:00:00-10:00");
        check_day("Pacific/Apia", "2011-12-30T22:00:00Z", 1440, "2011-12-31T00:00:00+14:00");
        // One minute after midnight the clocks went back to 23:01: the day goes on.
        check_day("America/St_Johns", "2010-11-07T03:00:00Z", 1500, "2010-11-07T00:00:00-02:30");
    }

    #[test]
    fn extreme_days_do_not_panic() {
        for name in ["UTC", "+08:00", "Europe/Berlin", "America/Santiago", "Pacific/Apia", "Africa/Monrovia"]
        {
            let zone = Zone::parse(name).unwrap();
            for seconds in
                [i64::MIN / MICROS - 1, RULES_FROM - 1, RULES_FROM, 0, RULES_UNTIL, i64::MAX / MICROS + 1]
            {
                let day = zone.day(seconds);
                assert!(day.start <= seconds && seconds < day.end, "{name} {seconds}");
                assert_eq!(zone.day(day.end).start, day.end);
                assert_eq!(zone.day(day.start - 1).end, day.start);
            }
        }
    }
}
