//! Which stretch of time a bill is for.
//!
//! A period is `[start, end)` and contains the slots that start in it, so the slot before midnight belongs to the
//! old month although carriers label it with the new one. Days and months are those of the contract's zone: a month
//! with a clock change has an hour of slots more or less.

use crate::time::{Grid, Slot, Timestamp, Zone, instant};

/// The longest period: ten years.
pub const PERIOD_DAYS_MAX: i64 = 3660;

const DAY_SECONDS: i64 = 86_400;
const EXPECTED: &str =
    "not a period; expected a month such as 2026-10, or the first and the last date: 2026-10-05..2026-10-20";

/// A date of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 1970 to 9999.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A stretch of time, `[start, end)`, and the zone whose days it is counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    zone: Zone,
    start: i64,
    end: i64,
}

impl Date {
    /// Reads `2026-10-05`. The error is the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("`{}` is no date; expected one such as 2026-10-05", text.escape_debug());
        let mut parts = text.split('-');
        let mut next = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
        };
        let fields = (|| Some((next(4)?, u8::try_from(next(2)?).ok()?, u8::try_from(next(2)?).ok()?)))();
        let (year, month, day) = fields.ok_or_else(bad)?;
        let date = Self { year: i32::from(year), month, day };
        let exists =
            parts.next().is_none() && Timestamp::from_civil(date.year, month, day, 0, 0, 0, 0, 0).is_some();
        exists.then_some(date).ok_or_else(bad)
    }

    /// The first second of the date in a zone.
    pub fn start(self, zone: &Zone) -> i64 {
        let Self { year, month, day } = self;
        let midnight = instant(&format!("{year:04}-{month:02}-{day:02}"), zone, Timestamp::default())
            .expect("the date was checked when it was read");
        // Where the clocks skip midnight, the day has begun a little before the instant that `instant` finds.
        day_of(zone, midnight.seconds()).start
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Period {
    /// `2026-10`: from day `period_day` of October to the same day of November; with day 1 that is the calendar
    /// month. A month without that day begins the period on its last day: 31 means the 30th in April.
    /// `2026-10-05..2026-10-20`, `2026-10..2026-12`: both dates or months included. Two other instants as [`instant`]
    /// reads them, joined by `..`: the second is the first one not included. The error is the reason.
    pub fn parse(text: &str, period_day: u8, zone: &Zone, now: Timestamp) -> Result<Self, String> {
        let text = text.trim();
        let Some((first, last)) = text.split_once("..") else {
            let (year, month) = year_and_month(text).ok_or(EXPECTED)?;
            return Self::month(year, month, period_day, zone);
        };
        let (first, last) = (first.trim(), last.trim());
        if let (Ok(first), Ok(last)) = (Date::parse(first), Date::parse(last)) {
            let last_day = day_of(zone, last.start(zone));
            return Self::between(first.start(zone), last_day.end, zone);
        }
        if let (Some((first_year, first)), Some((last_year, last))) =
            (year_and_month(first), year_and_month(last))
        {
            let first = Self::month(first_year, first, period_day, zone)?;
            let last = Self::month(last_year, last, period_day, zone)?;
            return Self::between(first.start, last.end, zone);
        }
        let read = |text: &str| {
            let reason = |reason| format!("`{}`: {reason}", text.escape_debug());
            instant(text, zone, now).map_err(reason)
        };
        Self::between(read(first)?.seconds(), read(last)?.seconds(), zone)
    }

    /// The period that begins on day `period_day` of a month, or on the month's last day if it is shorter, and ends
    /// where the next one begins. The error is the reason.
    pub fn month(year: i32, month: u8, period_day: u8, zone: &Zone) -> Result<Self, String> {
        if !(1..=31).contains(&period_day) {
            return Err(format!("day {period_day} of a month; expected 1 to 31"));
        }
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let begin = |year, month| {
            let exists = |day: &u8| Timestamp::from_civil(year, month, *day, 0, 0, 0, 0, 0).is_some();
            let day = (1..=period_day).rev().find(exists)?;
            Some(Date { year, month, day }.start(zone))
        };
        let bounds = begin(year, month).zip(begin(next_year, next_month));
        let (start, end) = bounds.ok_or_else(|| format!("no month {year:04}-{month:02}"))?;
        Self::between(start, end, zone)
    }

    /// From one second to another, the second not included. The error is the reason.
    pub fn between(start: i64, end: i64, zone: &Zone) -> Result<Self, String> {
        if end <= start {
            return Err("the period ends before it begins".to_owned());
        }
        if end.saturating_sub(start) > PERIOD_DAYS_MAX * DAY_SECONDS {
            return Err(format!("the period is longer than {PERIOD_DAYS_MAX} days"));
        }
        Ok(Self { zone: zone.clone(), start, end })
    }

    /// The first second inside.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The first second after.
    pub fn end(&self) -> i64 {
        self.end
    }

    /// The zone whose days it is counted in.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The days it touches, whole even where the period begins or ends within one, in order.
    pub fn days(&self) -> Vec<Slot> {
        let first = day_of(&self.zone, self.start);
        let following = |day: &Slot| (day.end < self.end).then(|| day_of(&self.zone, day.end));
        std::iter::successors(Some(first), following).collect()
    }

    /// The first and the last slot of a grid that start in the period; `None` if none does. The grid should have the
    /// zone of the period.
    pub fn bounds(&self, grid: &Grid) -> Option<(Slot, Slot)> {
        let mut cursor = grid.cursor();
        let mut first = cursor.slot(Timestamp::from_seconds(self.start));
        if first.start < self.start {
            first = cursor.after(first);
        }
        let last = cursor.slot(Timestamp::from_seconds(self.end - 1));
        (first.start <= last.start).then_some((first, last))
    }

    /// How many slots of a grid start in the period.
    pub fn slots(&self, grid: &Grid) -> u64 {
        self.bounds(grid).map_or(0, |(first, last)| grid.count(first, last))
    }
}

/// The day of a zone that holds a second.
fn day_of(zone: &Zone, second: i64) -> Slot {
    Slot::day(zone, Timestamp::from_seconds(second))
}

fn year_and_month(text: &str) -> Option<(i32, u8)> {
    let Date { year, month, .. } = Date::parse(&format!("{text}-01")).ok()?;
    Some((year, month))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Precision;

    fn check(zone: &str, text: &str, period_day: u8, expected: Result<(&str, &str, u64), &str>) {
        let zone = Zone::parse(zone).unwrap();
        let period = Period::parse(text, period_day, &zone, Timestamp(0));
        let shown = |second| zone.rfc3339(Timestamp::from_seconds(second), Precision::Seconds);
        let actual = period.as_ref().map(|period| {
            let grid = Grid { zone: zone.clone(), length: 300 };
            (shown(period.start()), shown(period.end()), period.slots(&grid))
        });
        let expected = expected.map(|(start, end, slots)| (start.to_owned(), end.to_owned(), slots));
        assert_eq!(actual.map_err(String::as_str), expected, "{text} {period_day}");
    }

    #[test]
    fn months_and_days_of_months() {
        check("+08:00", "2026-10", 1, Ok(("2026-10-01T00:00:00+08:00", "2026-11-01T00:00:00+08:00", 8928)));
        check("UTC", "2026-12", 1, Ok(("2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00", 8928)));
        check("UTC", "2026-12", 26, Ok(("2026-12-26T00:00:00+00:00", "2027-01-26T00:00:00+00:00", 8928)));
        check("UTC", "2026-04", 31, Ok(("2026-04-30T00:00:00+00:00", "2026-05-31T00:00:00+00:00", 8928)));
        check("UTC", "2026-01", 31, Ok(("2026-01-31T00:00:00+00:00", "2026-02-28T00:00:00+00:00", 8064)));
        check("UTC", "2028-02", 30, Ok(("2028-02-29T00:00:00+00:00", "2028-03-30T00:00:00+00:00", 8640)));
        check(
            "Europe/Berlin",
            "2026-03",
            1,
            Ok(("2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00", 8916)),
        );
        check(
            "America/New_York",
            "2026-11",
            1,
            Ok(("2026-11-01T00:00:00-04:00", "2026-12-01T00:00:00-05:00", 8652)),
        );
    }

    #[test]
    fn dates_and_instants() {
        let twenty_days = ("2026-10-05T00:00:00+00:00", "2026-10-21T00:00:00+00:00", 16 * 288);
        check("UTC", "2026-10-05..2026-10-20", 1, Ok(twenty_days));
        check("UTC", " 2026-10-05 .. 2026-10-20 ", 9, Ok(twenty_days));
        check(
            "UTC",
            "2026-10-05..2026-10-05",
            1,
            Ok(("2026-10-05T00:00:00+00:00", "2026-10-06T00:00:00+00:00", 288)),
        );
        let quarter = ("2026-10-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00", 92 * 288);
        check("UTC", "2026-10..2026-12", 1, Ok(quarter));
        // Slots that begin in the period: 08:05 to 08:15.
        let quarter = ("2026-10-05T08:02:00+00:00", "2026-10-05T08:16:00+00:00", 3);
        check("UTC", "2026-10-05 08:02..2026-10-05 08:16", 1, Ok(quarter));
        let nothing = ("2026-10-05T08:02:00+00:00", "2026-10-05T08:04:00+00:00", 0);
        check("UTC", "2026-10-05 08:02..2026-10-05 08:04", 1, Ok(nothing));
        // Midnight is skipped in Cairo on 24 April.
        check(
            "Africa/Cairo",
            "2026-04-24..2026-04-24",
            1,
            Ok(("2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00", 276)),
        );
    }

    #[test]
    fn what_is_no_period() {
        for text in ["", "2026", "2026-13", "October", "2026-10-05", "2026-1", "99999-01"] {
            check("UTC", text, 1, Err(EXPECTED));
        }
        check("UTC", "2026-10-20..2026-10-05", 1, Err("the period ends before it begins"));
        check("UTC", "2026-10", 0, Err("day 0 of a month; expected 1 to 31"));
        check("UTC", "2026-10", 32, Err("day 32 of a month; expected 1 to 31"));
        check("UTC", "9999-12", 1, Err("no month 9999-12"));
        check("UTC", "1970-01-01..2026-10-05", 1, Err("the period is longer than 3660 days"));
        assert!(
            Period::parse("x..y", 1, &Zone::utc(), Timestamp(0)).unwrap_err().starts_with("`x`: not a time")
        );
        for text in ["2026-02-29", "2026-10-5", "2026-10-05-", "+026-10-05", "1969-01-01", "2026/10/05"] {
            let expected = format!("`{}` is no date; expected one such as 2026-10-05", text.escape_debug());
            assert_eq!(Date::parse(text), Err(expected));
        }
    }

    #[test]
    fn days_are_whole() {
        let zone = Zone::parse("Europe/Berlin").unwrap();
        let period = Period::parse("2026-03-28 12:00..2026-03-30 00:00", 1, &zone, Timestamp(0)).unwrap();
        let hours: Vec<u64> = period.days().iter().map(|day| day.seconds() / 3600).collect();
        assert_eq!(hours, [24, 23]);
    }
}
