//! Slots: half-open intervals of whole seconds that tile the timeline.
//!
//! A day begins at the first instant of its date. Slots begin with the day and every `length` seconds of elapsed
//! time after it; the next day cuts the last one short if it must. So a day of 23 hours has 276 slots of five
//! minutes, and no slot ever belongs to two days.

use super::zone::Day;
use super::{Timestamp, Zone};

/// Seconds a [`Timestamp`] can hold, and a day more. Slots beyond are found as if at the limit.
const SECONDS_MAX: i64 = i64::MAX / super::MICROS + super::DAY_SECONDS;

/// A half-open interval `[start, end)` in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The first second inside.
    pub start: i64,
    /// The first second after.
    pub end: i64,
}

/// How time is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The zone whose midnights begin the days.
    pub zone: Zone,
    /// Seconds from one slot to the next, as [`super::slot_length`] returns them; 0 is read as 1.
    pub length: u32,
}

/// Finds slots. It remembers the last slot and the last two days: neighbouring lookups cost a comparison, and only
/// a third day costs a question to the zone.
#[derive(Clone, Debug)]
pub struct Cursor {
    zone: Zone,
    length: i64,
    slot: Slot,
    day: Day,
    day_before: Day,
}

impl Slot {
    /// The day of a zone that holds an instant: 23, 24 or 25 hours, mostly.
    pub fn day(zone: &Zone, timestamp: Timestamp) -> Self {
        let Day { start, end } = zone.day(timestamp.seconds());
        Self { start, end }
    }

    /// The seconds inside.
    #[inline]
    pub const fn seconds(self) -> u64 {
        self.end.abs_diff(self.start)
    }

    #[inline]
    const fn contains(self, second: i64) -> bool {
        self.start <= second && second < self.end
    }
}

impl Grid {
    /// A cursor that has not seen a slot yet.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            zone: self.zone.clone(),
            length: i64::from(self.length.max(1)),
            slot: Slot::default(),
            day: Day::default(),
            day_before: Day::default(),
        }
    }

    /// The slots of this grid from `first` to `last`, both included; none if `last` is earlier.
    pub fn between(&self, first: Slot, last: Slot) -> impl Iterator<Item = Slot> + use<> {
        let mut cursor = self.cursor();
        std::iter::successors((first.start <= last.start).then_some(first), move |slot| {
            let next = cursor.after(*slot);
            (slot.start < next.start && next.start <= last.start).then_some(next)
        })
    }

    /// How many slots [`Grid::between`] has, without visiting them.
    pub fn count(&self, first: Slot, last: Slot) -> u64 {
        self.cursor().count(first, last)
    }
}

impl Cursor {
    /// The slot that holds an instant.
    #[inline]
    pub fn slot(&mut self, timestamp: Timestamp) -> Slot {
        self.find(timestamp.seconds())
    }

    /// The slot that begins where `slot` ends.
    #[inline]
    pub fn after(&mut self, slot: Slot) -> Slot {
        self.find(slot.end)
    }

    /// How many slots there are from `first` to `last`, both included, counted by days.
    pub fn count(&mut self, first: Slot, last: Slot) -> u64 {
        let (mut from, last) = (self.find(first.start).start, self.find(last.start).start);
        let mut count = 0;
        while from <= last {
            self.enter(from);
            let until = self.day.end.min(last + 1);
            count += (until - from).unsigned_abs().div_ceil(self.length.unsigned_abs());
            from = self.day.end;
        }
        count
    }

    #[inline]
    fn find(&mut self, second: i64) -> Slot {
        if !self.slot.contains(second) {
            self.slot = self.cut(second.clamp(-SECONDS_MAX, SECONDS_MAX));
        }
        self.slot
    }

    fn cut(&mut self, second: i64) -> Slot {
        self.enter(second);
        let start = second - (second - self.day.start) % self.length;
        Slot { start, end: self.day.end.min(start + self.length) }
    }

    /// Makes `day` the day of a second.
    fn enter(&mut self, second: i64) {
        if !(self.day.start..self.day.end).contains(&second) {
            std::mem::swap(&mut self.day, &mut self.day_before);
            if !(self.day.start..self.day.end).contains(&second) {
                self.day = self.zone.day(second);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    const ZONES: [&str; 20] = [
        "UTC",
        "+05:45",
        "-09:30",
        "Asia/Shanghai",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Europe/Berlin",
        "America/New_York",
        "America/Sao_Paulo",
        "America/Havana",
        "America/Asuncion",
        "America/Santiago",
        "America/Nuuk",
        "America/St_Johns",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Beirut",
        "Asia/Tehran",
        "Australia/Lord_Howe",
        "Pacific/Apia",
    ];

    fn grid(zone: &str, length: u32) -> Grid {
        Grid { zone: Zone::parse(zone).unwrap(), length }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    /// Slots of the dates from `first` until the day before `until`.
    fn check_count(zone: &str, length: u32, first: &str, until: &str, expected: u64) {
        let grid = grid(zone, length);
        let now = Timestamp(0);
        let mut cursor = grid.cursor();
        let first = cursor.slot(super::super::instant(first, &grid.zone, now).unwrap());
        let until = super::super::instant(until, &grid.zone, now).unwrap();
        let last = cursor.slot(until.saturating_sub(1));
        assert_eq!(last.end, until.seconds(), "{zone} {length}");
        assert_eq!(grid.count(first, last), expected, "{zone} {length}");
        assert_eq!(grid.between(first, last).count() as u64, expected, "{zone} {length}");
        assert_eq!(grid.between(first, last).last(), Some(last), "{zone} {length}");
    }

    #[test]
    fn days_and_months_around_clock_changes() {
        check_count("Europe/Berlin", 300, "2026-03-29", "2026-03-30", 276);
        check_count("Europe/Berlin", 300, "2026-10-25", "2026-10-26", 300);
        check_count("Europe/Berlin", 300, "2026-10-26", "2026-10-27", 288);
        check_count("America/New_York", 300, "2026-03-08", "2026-03-09", 276);
        check_count("America/New_York", 300, "2026-11-01", "2026-11-02", 300);
        check_count("America/New_York", 300, "2026-03", "2026-04", 8916);
        check_count("America/New_York", 300, "2026-11", "2026-12", 8652);
        check_count("Asia/Shanghai", 300, "2026-10", "2026-11", 8928);
        check_count("Australia/Lord_Howe", 300, "2026-04-05", "2026-04-06", 294);
        check_count("Australia/Lord_Howe", 300, "2026-10-04", "2026-10-05", 282);
        // The last slot of a short day is cut: 23 hours are two slots of eight hours and one of seven.
        check_count("Europe/Berlin", 28_800, "2026-03-29", "2026-03-30", 3);
        check_count("Europe/Berlin", 28_800, "2026-10-25", "2026-10-26", 4);
        check_count("Europe/Berlin", 86_400, "2026-10-25", "2026-10-26", 2);
        check_count("Australia/Lord_Howe", 3600, "2026-10-04", "2026-10-05", 24);
        check_count("Pacific/Apia", 300, "2011-12-29", "2011-12-31", 288);
    }

    fn check_slot(zone: &str, length: u32, time: &str, start: &str, end: &str) {
        let slot = grid(zone, length).cursor().slot(at(time));
        assert_eq!(slot, Slot { start: at(start).seconds(), end: at(end).seconds() }, "{zone} {time}");
    }

    #[test]
    fn slots_follow_the_wall_clock() {
        let (start, end) = ("2026-11-23T08:00:00Z", "2026-11-23T08:05:00Z");
        check_slot("UTC", 300, "2026-11-23T08:00:00Z", start, end);
        check_slot("UTC", 300, "2026-11-23T08:04:59.999999Z", start, end);
        check_slot(
            "Asia/Kolkata",
            3600,
            "2026-11-23T08:00:00Z",
            "2026-11-23T07:30:00Z",
            "2026-11-23T08:30:00Z",
        );
        check_slot("+08:00", 86_400, "2026-11-23T16:00:00Z", "2026-11-23T16:00:00Z", "2026-11-24T16:00:00Z");
        check_slot("UTC", 300, "1969-12-31T23:59:59.999999Z", "1969-12-31T23:55:00Z", "1970-01-01T00:00:00Z");
        check_slot(
            "Europe/Berlin",
            28_800,
            "2026-03-29T15:00:00Z",
            "2026-03-29T15:00:00Z",
            "2026-03-29T22:00:00Z",
        );
    }

    #[test]
    fn extremes_neither_panic_nor_loop() {
        for zone in ZONES {
            for length in [0, 1, 300, 86_400, u32::MAX] {
                let grid = grid(zone, length);
                let mut cursor = grid.cursor();
                for time in [i64::MIN, -1, 0, i64::MAX] {
                    let slot = cursor.slot(Timestamp(time));
                    assert!(slot.contains(Timestamp(time).seconds()));
                    assert_eq!(cursor.after(slot).start, slot.end);
                }
                for edge in [i64::MIN, i64::MAX] {
                    let slot = Slot { start: edge, end: edge };
                    assert!(grid.between(slot, slot).count() <= 1);
                    assert_eq!(grid.count(slot, slot), 1);
                }
                let slot = cursor.slot(Timestamp(0));
                assert_eq!(grid.count(slot, Slot { start: -99_999, end: -99_998 }), 0);
            }
        }
    }

    /// The definition: jiff is asked for the day of every single slot.
    fn slow(zone: &TimeZone, length: i64, second: i64) -> Slot {
        let date = zone.to_datetime(jiff::Timestamp::from_second(second).unwrap()).date();
        let first = |date: jiff::civil::Date| {
            zone.to_zoned(date.at(12, 0, 0, 0)).unwrap().start_of_day().unwrap().timestamp().as_second()
        };
        let (day, next_day) = (first(date), first(date.tomorrow().unwrap()));
        let mut start = day;
        while start + length <= second {
            start += length;
        }
        Slot { start, end: next_day.min(start + length) }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn slots_are_those_jiff_would_cut(
            zone in prop::sample::select(&ZONES[3..]),
            length in prop::sample::select(&[300_u32, 3600, 28_800, 86_400][..]),
            // 2012 to 2040: before, two of the zones skipped or repeated parts of a date.
            seconds in prop::collection::vec(1_325_376_000_i64..2_208_988_800, 1..8),
        ) {
            let rules = TimeZone::get(zone).unwrap();
            let mut cursor = grid(zone, length).cursor();
            for second in seconds {
                let expected = slow(&rules, i64::from(length), second);
                prop_assert_eq!(cursor.slot(Timestamp::from_seconds(second)), expected);
            }
        }

        #[test]
        fn slots_tile_the_timeline(
            zone in prop::sample::select(&ZONES[..]),
            length in prop::sample::select(&[1_u32, 60, 300, 3600, 28_800, 86_400][..]),
            second in 0_i64..4_102_444_800,
        ) {
            let grid = grid(zone, length);
            let mut cursor = grid.cursor();
            let mut slot = cursor.slot(Timestamp::from_seconds(second));
            prop_assert!(slot.contains(second));
            let first = slot;
            for count in 1..=20 {
                prop_assert!(slot.start < slot.end && slot.seconds() <= u64::from(length));
                prop_assert_eq!(grid.cursor().slot(Timestamp::from_seconds(slot.start)), slot);
                prop_assert_eq!(grid.cursor().slot(Timestamp::from_seconds(slot.end).saturating_sub(1)), slot);
                prop_assert_eq!(grid.count(first, slot), count);
                let next = cursor.after(slot);
                prop_assert_eq!(next.start, slot.end);
                slot = next;
            }
        }
    }
}
