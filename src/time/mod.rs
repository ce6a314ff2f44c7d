//! Instants, zones and slots.
//!
//! Everything that happens per line is integer arithmetic on [`Timestamp`]. Zone rules are asked for once per day:
//! a [`Cursor`] remembers the day it is in, and only `zone.rs` knows the library that holds the rules.

mod zone;
mod slot;
mod typed;

pub use slot::{Cursor, Grid, Slot};
pub use typed::{instant, length, slot_length};
pub use zone::{Precision, Zone};

/// The largest distance from UTC, 23:59:59: more is a typing error or garbage in a log.
pub const OFFSET_SECONDS_MAX: u32 = 86_399;

const MICROS: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

/// Years a log line may name. Below, there was no web; above, dates no longer have ten characters.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// What a clock on the wall of a zone shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// 0 to 9999.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Monday is 1, Sunday is 7.
    pub weekday: u8,
}

impl Timestamp {
    /// The instant of a date and a clock `offset_seconds` ahead of UTC; `None` for what no calendar has, such as
    /// 31 February. A leap second (`:60`) is the second after `:59`, and 24:00:00 is the next day's midnight.
    #[inline]
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of a logged time; a struct would only rename them"
    )]
    pub fn from_civil(
        year: i32,
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
        second: u8,
        micros: u32,
        offset_seconds: i32,
    ) -> Option<Self> {
        let exists = YEARS.contains(&year)
            && (1..=12).contains(&month)
            && (1..=month_days(year, month)).contains(&day)
            && (hour < 24 || (hour == 24 && minute == 0 && second == 0 && micros == 0))
            && minute < 60
            && second <= 60
            && micros < 1_000_000
            && offset_seconds.unsigned_abs() <= OFFSET_SECONDS_MAX;
        if !exists {
            return None;
        }
        let clock = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        let seconds = days(year, month, day) * DAY_SECONDS + clock - i64::from(offset_seconds);
        Some(Self(seconds * MICROS + i64::from(micros)))
    }

    /// The first microsecond of a second since 1970; the nearest instant there is if that is out of range.
    #[inline]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS))
    }

    /// Whole seconds since 1970, rounded towards the past.
    #[inline]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// So many microseconds later, or the last instant there is.
    #[inline]
    #[must_use]
    pub const fn saturating_add(self, micros: u64) -> Self {
        Self(self.0.saturating_add_unsigned(micros))
    }

    /// So many microseconds earlier, or the first instant there is.
    #[inline]
    #[must_use]
    pub const fn saturating_sub(self, micros: u64) -> Self {
        Self(self.0.saturating_sub_unsigned(micros))
    }
}

#[inline]
fn month_days(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years are counted from March, so that the leap day is the last day of a year and the
/// month lengths before it follow `(153 m + 2) / 5`. `year` is at least 1.
#[inline]
fn days(year: i32, month: u8, day: u8) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (year, month) = (i64::from(year), i64::from(month));
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month + 2) / 5 + i64::from(day) - 1 - 719_468
}

/// The clock after so many seconds of local time since 1970; years outside 0..=9999 are held at the nearest one.
fn civil(local_seconds: i64) -> Civil {
    const FIRST: i64 = -719_528 * DAY_SECONDS;
    const LAST: i64 = 2_932_897 * DAY_SECONDS - 1;
    let seconds = local_seconds.clamp(FIRST, LAST);
    let (days, clock) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));

    // The inverse of `days`, by cycles of 400 years that begin on 1 March.
    let from_march = days + 719_468;
    let (cycle, day) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let january_or_february = month >= 10;

    Civil {
        year: small(cycle * 400 + year + i64::from(january_or_february)),
        month: small(if january_or_february { month - 9 } else { month + 3 }),
        day: small(day - (153 * month + 2) / 5 + 1),
        hour: small(clock / 3600),
        minute: small(clock / 60 % 60),
        second: small(clock % 60),
        // 1 January 1970 was a Thursday.
        weekday: small((days + 3).rem_euclid(7) + 1),
    }
}

fn small<T: TryFrom<i64>>(field: i64) -> T {
    T::try_from(field).ok().expect("a field of a clock or of a year up to 9999 is small")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: (i32, u8, u8, u8, u8, u8, u32, i32), expected: Option<i64>) {
        let (year, month, day, hour, minute, second, micros, offset) = fields;
        let actual = Timestamp::from_civil(year, month, day, hour, minute, second, micros, offset);
        assert_eq!(actual, expected.map(Timestamp), "{fields:?}");
    }

    #[test]
    fn dates_that_exist() {
        check((1970, 1, 1, 0, 0, 0, 0, 0), Some(0));
        check((1970, 1, 1, 0, 0, 0, 0, 28_800), Some(-28_800_000_000));
        check((2026, 11, 1, 0, 0, 0, 0, 28_800), Some(1_793_462_400_000_000));
        check((2026, 11, 23, 5, 53, 3, 252_000, 0), Some(1_795_413_183_252_000));
        check((2000, 2, 29, 12, 0, 0, 0, -12_600), Some(951_838_200_000_000));
        check((9999, 12, 31, 23, 59, 59, 999_999, 0), Some(253_402_300_799_999_999));
    }

    #[test]
    fn leap_seconds_and_midnights_at_24() {
        check((2016, 12, 31, 23, 59, 60, 0, 0), Some(1_483_228_800_000_000));
        check((2016, 12, 31, 23, 59, 60, 500_000, 0), Some(1_483_228_800_500_000));
        check((2016, 12, 31, 24, 0, 0, 0, 0), Some(1_483_228_800_000_000));
        check((2016, 12, 31, 24, 0, 1, 0, 0), None);
        check((2016, 12, 31, 24, 0, 0, 1, 0), None);
        check((2016, 12, 31, 24, 1, 0, 0, 0), None);
        check((2016, 12, 31, 23, 59, 61, 0, 0), None);
    }

    #[test]
    fn dates_that_do_not() {
        check((2026, 2, 31, 0, 0, 0, 0, 0), None);
        check((2026, 2, 29, 0, 0, 0, 0, 0), None);
        check((2100, 2, 29, 0, 0, 0, 0, 0), None);
        check((2026, 4, 31, 0, 0, 0, 0, 0), None);
        check((2026, 13, 1, 0, 0, 0, 0, 0), None);
        check((2026, 0, 1, 0, 0, 0, 0, 0), None);
        check((2026, 255, 255, 255, 255, 255, u32::MAX, i32::MIN), None);
        check((2026, 1, 0, 0, 0, 0, 0, 0), None);
        check((2026, 1, 1, 25, 0, 0, 0, 0), None);
        check((2026, 1, 1, 0, 60, 0, 0, 0), None);
        check((2026, 1, 1, 0, 0, 0, 1_000_000, 0), None);
        check((2026, 1, 1, 0, 0, 0, 0, 86_400), None);
        check((1969, 12, 31, 0, 0, 0, 0, 0), None);
        check((10_000, 1, 1, 0, 0, 0, 0, 0), None);
    }

    /// The calendar, one day after the other.
    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = 0;
        for year in YEARS {
            for month in 1..=12 {
                for day in 1..=month_days(year, month) {
                    assert_eq!(days(year, month, day), expected);
                    let clock = civil(expected * DAY_SECONDS + 86_399);
                    assert_eq!((clock.year, clock.month, clock.day), (year, month, day));
                    assert_eq!((clock.hour, clock.minute, clock.second), (23, 59, 59));
                    assert_eq!(i64::from(clock.weekday), (expected + 3) % 7 + 1);
                    expected += 1;
                }
            }
        }
    }

    #[test]
    fn extremes_are_held() {
        assert_eq!(civil(i64::MIN).year, 0);
        assert_eq!((civil(i64::MIN).month, civil(i64::MIN).day), (1, 1));
        assert_eq!((civil(i64::MAX).year, civil(i64::MAX).second), (9999, 59));
        assert_eq!(Timestamp(-1).seconds(), -1);
        assert_eq!(Timestamp(i64::MIN).saturating_sub(1), Timestamp(i64::MIN));
        assert_eq!(Timestamp(i64::MAX).saturating_add(u64::MAX), Timestamp(i64::MAX));
        assert_eq!(Timestamp::from_seconds(i64::MAX), Timestamp(i64::MAX));
        assert_eq!(Timestamp::from_seconds(-2).seconds(), -2);
    }
}
