//! Mean rates by day and hour, as shades.

use std::collections::BTreeMap;

use super::{Drawing, Glyphs, number, steps};
use crate::billing::rate_bps;
use crate::report::human;
use crate::time::{Slot, Timestamp, Zone};

/// Days that are drawn: a month.
const DAYS_MAX: usize = 31;

/// Longest slot whose traffic is that of one hour.
const SLOT_SECONDS_MAX: u64 = 3600;

/// Shades, from some traffic to the most.
const SHADES: usize = 4;

/// Columns of an hour.
const HOUR_WIDTH: usize = 2;

/// Mean rates by day and hour.
#[derive(Debug, Clone, Default)]
pub struct Hours {
    days: Vec<Day>,
    /// Days before those.
    omitted: usize,
}

/// The mean rates of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Such as `Mon 11-23`.
    pub label: String,
    /// In bit/s; none for hours outside the series, and those that a clock change leaves out.
    pub rates: [Option<u128>; 24],
}

/// The bytes and seconds of a day's hours.
#[derive(Default)]
struct Sums {
    label: String,
    hours: [(u128, u64); 24],
}

impl Hours {
    /// The bytes of neighbouring slots, empty ones included, by day and hour of a zone. A slot belongs to the hour it
    /// starts in; none if slots are longer than that.
    pub fn new(slots: impl Iterator<Item = (Slot, u128)>, zone: &Zone) -> Option<Self> {
        const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let mut days: BTreeMap<(i32, u8, u8), Sums> = BTreeMap::new();
        let mut omitted = 0;
        for (slot, bytes) in slots {
            if slot.seconds() > SLOT_SECONDS_MAX {
                return None;
            }
            let civil = zone.civil(Timestamp::from_seconds(slot.start));
            let day = days.entry((civil.year, civil.month, civil.day)).or_default();
            let weekday = WEEKDAYS[usize::from(civil.weekday.max(1) - 1) % WEEKDAYS.len()];
            day.label = format!("{weekday} {:02}-{:02}", civil.month, civil.day);
            let (sum, seconds) = &mut day.hours[usize::from(civil.hour) % 24];
            *sum = sum.saturating_add(bytes);
            *seconds = seconds.saturating_add(slot.seconds());
            if days.len() > DAYS_MAX {
                days.pop_first();
                omitted += 1;
            }
        }
        let rate = |(bytes, seconds)| (seconds > 0).then(|| rate_bps(bytes, seconds));
        let days = days.into_values().map(|day| Day { label: day.label, rates: day.hours.map(rate) });
        Some(Self { days: days.collect(), omitted })
    }

    pub(super) fn draw(&self, glyphs: Glyphs) -> Drawing {
        let letters = match glyphs {
            Glyphs::Blocks => ["·", "░", "▒", "▓", "█"],
            Glyphs::Ascii => [".", "-", "+", "*", "#"],
        };
        let most = self.days.iter().flat_map(|day| day.rates).flatten().max().unwrap_or(0);
        let mut header = " ".repeat("Mon 11-23  ".len());
        for hour in (0..24).step_by(3) {
            header.push_str(&format!("{hour:02}{}", " ".repeat(3 * HOUR_WIDTH - 2)));
        }
        let mut body = vec![header.trim_end().to_owned()];
        for day in &self.days {
            let letter = |rate: &Option<u128>| rate.map_or(" ", |rate| letters[steps(rate, most, SHADES)]);
            let shades: String = day.rates.iter().map(|rate| letter(rate).repeat(HOUR_WIDTH)).collect();
            body.push(format!("{}  {shades}", day.label).trim_end().to_owned());
        }
        let bound = |shade: usize| {
            let rate = most / SHADES as u128 * shade as u128
                + most % SHADES as u128 * shade as u128 / SHADES as u128;
            format!("{} up to {}", letters[shade], human::bps(number(rate)))
        };
        let mut legend = vec![format!("{} none", letters[0])];
        legend.extend((1..=SHADES).map(bound));
        let mut legend = vec![legend.join("  ")];
        if self.omitted > 0 {
            let before = human::counted(self.omitted as u64, "day");
            legend.push(format!("The last {DAYS_MAX} days; {before} before them are not drawn."));
        }
        Drawing { title: "Mean rate by day and hour".to_owned(), body, legend }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;
    /// Monday 2026-11-23, 00:00 UTC.
    const MONDAY: i64 = 1_795_392_000;

    fn slot(start: i64, seconds: i64) -> Slot {
        Slot { start, end: start + seconds }
    }

    fn check(hours: &Hours, glyphs: Glyphs, expected: &str) {
        let drawing = hours.draw(glyphs);
        assert_eq!([drawing.body, drawing.legend].concat().join("\n"), expected);
    }

    #[test]
    fn shades_follow_the_rate() {
        // 450 kB an hour are 1 kbit/s. From Monday 6:00 to Wednesday 2:00, more by the hour of the day.
        let slots = (6..50_u32)
            .map(|hour| (slot(MONDAY + i64::from(hour) * HOUR, HOUR), 450_000 * u128::from(hour % 24)));
        let hours = Hours::new(slots, &Zone::utc()).unwrap();
        check(
            &hours,
            Glyphs::Blocks,
            "           00    03    06    09    12    15    18    21
Mon 11-23              ▒▒▒▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓████████████
Tue 11-24  ··░░░░░░░░░░▒▒▒▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓████████████
Wed 11-25  ··░░
· none  ░ up to 5.75 kbps  ▒ up to 11.5 kbps  ▓ up to 17.3 kbps  █ up to 23.0 kbps",
        );
    }

    #[test]
    fn clock_changes_and_months() {
        let zone = Zone::parse("Europe/Berlin").unwrap();
        // 2026-03-28 23:00 UTC is midnight of the day whose hour 2 does not exist.
        let first = 1_774_738_800;
        let slots = (0..48).map(|hour| (slot(first + hour * HOUR, HOUR), 450));
        check(
            &Hours::new(slots, &zone).unwrap(),
            Glyphs::Ascii,
            "           00    03    06    09    12    15    18    21
Sun 03-29  ####  ##########################################
Mon 03-30  ################################################
Tue 03-31  ##
. none  - up to 0 bps  + up to 0 bps  * up to 0 bps  # up to 1 bps",
        );
        let slots = (0..40 * 24).map(|hour| (slot(MONDAY + hour * HOUR, HOUR), 0));
        let drawing = Hours::new(slots, &Zone::utc()).unwrap().draw(Glyphs::Blocks);
        assert_eq!(
            (drawing.body.len(), drawing.body[1].as_str()),
            (32, "Wed 12-02  ················································")
        );
        assert_eq!(drawing.legend[1], "The last 31 days; 9 days before them are not drawn.");
        assert!(Hours::new([(slot(MONDAY, 2 * HOUR), 1)].into_iter(), &zone).is_none());
    }
}
