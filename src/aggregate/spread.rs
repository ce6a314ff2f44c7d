//! Load schemes: in which slots the bytes of one record count.
//!
//! A record of B bytes that lasted from `s` to `e`, both in microseconds and both included, has the width
//! D = e − s + 1. Up to the instant x it has sent
//!
//! ```text
//! C(x) = ⌊B · (clamp(x, s, e + 1) − s) / D⌋
//! ```
//!
//! and under [`Scheme::TimeProportional`] the slot [a, b) gets C(b) − C(a). C ends at B, so whatever the rounding of
//! each share, the shares sum to the record to the byte. The names and rules are those of `SiLK`'s rwcount.

use crate::parse::value::DURATION_US_MAX;
use crate::time::{Cursor, Slot, Timestamp};

const MICROS: i64 = 1_000_000;

/// How the bytes of a record are shared over the slots it touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// The same to each slot.
    BinUniform,
    /// All to the slot of the start.
    StartSpike,
    /// All to the slot of the end.
    EndSpike,
    /// All to the slot half-way.
    MiddleSpike,
    /// To each slot according to the time spent in it.
    TimeProportional,
    /// All to every slot: what each slot can have carried at most.
    MaximumVolume,
    /// All if only one slot was touched, else nothing: what each slot must have carried.
    MinimumVolume,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 7] = [
        Self::BinUniform,
        Self::StartSpike,
        Self::EndSpike,
        Self::MiddleSpike,
        Self::TimeProportional,
        Self::MaximumVolume,
        Self::MinimumVolume,
    ];

    /// The scheme of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// Its name on the command line and in every answer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BinUniform => "bin-uniform",
            Self::StartSpike => "start-spike",
            Self::EndSpike => "end-spike",
            Self::MiddleSpike => "middle-spike",
            Self::TimeProportional => "time-proportional",
            Self::MaximumVolume => "maximum-volume",
            Self::MinimumVolume => "minimum-volume",
        }
    }

    /// True if the shares of every record sum to its bytes.
    pub const fn preserves_volume(self) -> bool {
        !matches!(self, Self::MaximumVolume | Self::MinimumVolume)
    }

    /// True if slots get the same however finely time is cut between their edges.
    pub const fn is_finely_divisible(self) -> bool {
        self.preserves_volume() && !matches!(self, Self::BinUniform)
    }
}

/// Charges the slots of a record that lasted from `start` to `end`, both included, in time order. Shares of zero
/// bytes are left out. A record longer than [`DURATION_US_MAX`], or one that ends before it starts, is charged as if
/// it had started when it ended.
#[inline]
pub fn spread(
    scheme: Scheme,
    bytes: u64,
    start: Timestamp,
    end: Timestamp,
    cursor: &mut Cursor,
    charge: &mut impl FnMut(Slot, u64),
) {
    if bytes == 0 {
        return;
    }
    let start = believed(start, end);
    let first = cursor.slot(start);
    // Most records begin and end in the same slot, where all schemes agree.
    if end.seconds() < first.end {
        return charge(first, bytes);
    }
    match scheme {
        Scheme::StartSpike => charge(first, bytes),
        Scheme::EndSpike => charge(cursor.slot(end), bytes),
        Scheme::MiddleSpike => charge(cursor.slot(start.saturating_add(start.0.abs_diff(end.0) / 2)), bytes),
        Scheme::TimeProportional => proportional(bytes, start, end, cursor, charge),
        Scheme::BinUniform => uniform(bytes, first, end, cursor, charge),
        Scheme::MaximumVolume => each(first, end, cursor, |slot| charge(slot, bytes)),
        Scheme::MinimumVolume => {}
    }
}

/// Visits the slots that a record touched, in time order, if there are several.
pub fn touched(start: Timestamp, end: Timestamp, cursor: &mut Cursor, visit: &mut impl FnMut(Slot)) {
    let first = cursor.slot(believed(start, end));
    if first.end <= end.seconds() {
        each(first, end, cursor, visit);
    }
}

/// True if a record that ends in `last` touches no other slot: all schemes agree on it.
#[inline]
pub(super) fn is_in_one(start: Timestamp, end: Timestamp, last: Slot) -> bool {
    last.start <= believed(start, end).seconds()
}

/// The start of a record; its end if the duration is not believed.
#[inline]
fn believed(start: Timestamp, end: Timestamp) -> Timestamp {
    let plausible = start <= end && start.0.abs_diff(end.0) <= DURATION_US_MAX;
    if plausible { start } else { end }
}

fn proportional(
    bytes: u64,
    start: Timestamp,
    end: Timestamp,
    cursor: &mut Cursor,
    charge: &mut impl FnMut(Slot, u64),
) {
    let width = start.0.abs_diff(end.0) + 1;
    let mut sent = 0;
    each(cursor.slot(start), end, cursor, |slot| {
        // Every slot but the last ends at or before `end`, so its end is a timestamp and inside the record.
        let sent_then = if end.seconds() < slot.end {
            bytes
        } else {
            portion(bytes, start.0.abs_diff(slot.end * MICROS), width)
        };
        if sent_then > sent {
            charge(slot, sent_then - sent);
        }
        sent = sent_then;
    });
}

fn uniform(bytes: u64, first: Slot, end: Timestamp, cursor: &mut Cursor, charge: &mut impl FnMut(Slot, u64)) {
    let last = cursor.slot(end);
    let slots = cursor.count(first, last);
    let (mut passed, mut sent) = (0, 0);
    each(first, end, cursor, |slot| {
        passed += 1;
        let sent_then = portion(bytes, passed, slots);
        if sent_then > sent {
            charge(slot, sent_then - sent);
        }
        sent = sent_then;
    });
}

/// The slots from `first` to that of `end`.
fn each(first: Slot, end: Timestamp, cursor: &mut Cursor, mut visit: impl FnMut(Slot)) {
    let mut slot = first;
    visit(slot);
    while slot.end <= end.seconds() {
        slot = cursor.after(slot);
        visit(slot);
    }
}

/// ⌊bytes · part / whole⌋ for part ≤ whole.
pub(super) fn portion(bytes: u64, part: u64, whole: u64) -> u64 {
    let portion = u128::from(bytes) * u128::from(part) / u128::from(whole);
    u64::try_from(portion).expect("a part of the bytes is not more than the bytes")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::parse::value::BYTES_MAX;
    use crate::time::{Grid, Zone};

    const FIVE_MINUTES: i64 = 300 * MICROS;

    fn grid(zone: &str, length: u32) -> Grid {
        Grid { zone: Zone::parse(zone).unwrap(), length }
    }

    fn shares(scheme: Scheme, bytes: u64, start: i64, end: i64, grid: &Grid) -> Vec<(Slot, u64)> {
        let mut shares = Vec::new();
        let mut charge = |slot, share| shares.push((slot, share));
        spread(scheme, bytes, Timestamp(start), Timestamp(end), &mut grid.cursor(), &mut charge);
        shares
    }

    fn volumes(scheme: Scheme, bytes: u64, start: i64, end: i64) -> Vec<u64> {
        shares(scheme, bytes, start, end, &grid("UTC", 300)).into_iter().map(|(_, share)| share).collect()
    }

    /// 10^9 bytes from 07:42 to 08:02, as (slots after 07:40, thousandths of Mbps) per slot.
    fn check_worked_example(scheme: Scheme, expected: &[(i64, u64)]) {
        let (start, end) = ((7 * 60 + 42) * 60 * MICROS, (8 * 60 + 2) * 60 * MICROS);
        let rates = shares(scheme, 1_000_000_000, start, end, &grid("UTC", 300)).into_iter();
        let rates = rates
            .map(|(slot, share)| ((slot.start - (7 * 60 + 40) * 60) / 300, (share * 8 / 300 + 500) / 1000));
        assert_eq!(rates.collect::<Vec<_>>(), expected, "{scheme:?}");
    }

    #[test]
    fn seven_schemes_for_one_download() {
        check_worked_example(
            Scheme::TimeProportional,
            &[(0, 4000), (1, 6667), (2, 6667), (3, 6667), (4, 2667)],
        );
        check_worked_example(Scheme::BinUniform, &[(0, 5333), (1, 5333), (2, 5333), (3, 5333), (4, 5333)]);
        check_worked_example(Scheme::StartSpike, &[(0, 26_667)]);
        check_worked_example(Scheme::MiddleSpike, &[(2, 26_667)]);
        check_worked_example(Scheme::EndSpike, &[(4, 26_667)]);
        let all = [(0, 26_667), (1, 26_667), (2, 26_667), (3, 26_667), (4, 26_667)];
        check_worked_example(Scheme::MaximumVolume, &all);
        check_worked_example(Scheme::MinimumVolume, &[]);
    }

    /// What pmacct's documentation promises for 1000 bytes in 1000 seconds.
    #[test]
    fn a_thousand_bytes_in_a_thousand_seconds() {
        let shares = volumes(Scheme::TimeProportional, 1000, 0, 1000 * MICROS - 1);
        assert_eq!(shares, [300, 300, 300, 100]);
    }

    #[test]
    fn edges() {
        let all = Scheme::ALL.map(|scheme| volumes(scheme, 10, 0, FIVE_MINUTES - 1));
        assert!(
            all.iter().all(|shares| *shares == [10]),
            "the last microsecond of a slot is inside: {all:?}"
        );
        // One microsecond of the next slot is touched.
        assert_eq!(volumes(Scheme::TimeProportional, 10, 0, FIVE_MINUTES), [9, 1]);
        assert_eq!(volumes(Scheme::BinUniform, 10, 0, FIVE_MINUTES), [5, 5]);
        assert_eq!(volumes(Scheme::BinUniform, 11, 0, 3 * FIVE_MINUTES), [2, 3, 3, 3]);
        assert_eq!(volumes(Scheme::BinUniform, 2, 0, 3 * FIVE_MINUTES), [1, 1]);
        assert_eq!(volumes(Scheme::MaximumVolume, 10, 0, FIVE_MINUTES), [10, 10]);
        assert_eq!(volumes(Scheme::EndSpike, 0, 0, FIVE_MINUTES), [0_u64; 0]);
    }

    #[test]
    fn hostile_records_are_charged_where_they_end() {
        let limit = DURATION_US_MAX.cast_signed();
        assert_eq!(volumes(Scheme::MaximumVolume, 10, 0, limit).len(), 31 * 288 + 1);
        assert_eq!(volumes(Scheme::MaximumVolume, 10, 0, limit + 1), [10]);
        assert_eq!(volumes(Scheme::TimeProportional, 10, FIVE_MINUTES, 0), [10]);
        for scheme in Scheme::ALL {
            assert_eq!(volumes(scheme, u64::MAX, i64::MIN, i64::MAX), [u64::MAX]);
            let shares = volumes(scheme, u64::MAX, i64::MAX - FIVE_MINUTES * 5 / 2, i64::MAX);
            assert!(!scheme.preserves_volume() || shares.iter().sum::<u64>() == u64::MAX);
            let shares = volumes(scheme, BYTES_MAX, i64::MIN, i64::MIN + FIVE_MINUTES * 5 / 2);
            assert!(!scheme.preserves_volume() || shares.iter().sum::<u64>() == BYTES_MAX);
        }
    }

    #[test]
    fn names_are_read_back() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::parse(scheme.name()), Some(scheme));
        }
        assert_eq!(Scheme::parse("Time-Proportional"), None);
    }

    /// The definitions, word by word, over a list of the touched slots.
    fn slow(scheme: Scheme, bytes: u64, start: i64, end: i64, grid: &Grid) -> BTreeMap<Slot, u64> {
        let [first, last] = [start, end].map(|time| grid.cursor().slot(Timestamp(time)));
        let touched: Vec<Slot> = grid.between(first, last).collect();
        let (b, s, e) = (i128::from(bytes), i128::from(start), i128::from(end));
        let count = touched.len() as i128;
        let sent = |x: i64| b * ((i128::from(x) * 1_000_000).clamp(s, e + 1) - s) / (e - s + 1);
        let inside = |slot: &Slot, time: i128| {
            (slot.start..slot.end).contains(&i64::try_from(time.div_euclid(1_000_000)).unwrap())
        };
        let all_if = |condition: bool| if condition { b } else { 0 };
        let share = |(i, slot): (usize, &Slot)| {
            let i = i as i128;
            let share = match scheme {
                Scheme::TimeProportional => sent(slot.end) - sent(slot.start),
                Scheme::BinUniform => b * (i + 1) / count - b * i / count,
                Scheme::StartSpike => all_if(inside(slot, s)),
                Scheme::EndSpike => all_if(inside(slot, e)),
                Scheme::MiddleSpike => all_if(inside(slot, s + (e - s) / 2)),
                Scheme::MaximumVolume => b,
                Scheme::MinimumVolume => all_if(count == 1),
            };
            (*slot, u64::try_from(share).unwrap())
        };
        touched.iter().enumerate().map(share).filter(|(_, share)| *share > 0).collect()
    }

    /// A sender that works one microsecond after the other: each adds B to what is due, and each D of it is a byte.
    fn sent_by_the_microsecond(bytes: u64, start: i64, end: i64, grid: &Grid) -> BTreeMap<Slot, u64> {
        let width = start.abs_diff(end) + 1;
        let (mut due, mut shares) = (0, BTreeMap::new());
        for now in start..=end {
            due += bytes;
            if due >= width {
                *shares.entry(grid.cursor().slot(Timestamp(now))).or_insert(0) += due / width;
                due %= width;
            }
        }
        shares
    }

    prop_compose! {
        /// A record of up to three slots and a half, often at a clock change, and the grid it is charged on.
        fn records()(
            zone in prop::sample::select(&["UTC", "+05:45", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe"][..]),
            length in prop::sample::select(&[1_u32, 60, 300, 3600, 28_800][..]),
            origin in prop::sample::select(&[0, 1_541_296_800_i64, 1_774_746_000, 1_775_307_600, 1_792_890_000][..]),
            offset in -2_000_000_i64..2_000_000,
            slots in 0_i64..3_500_000,
            bytes in prop_oneof![0_u64..20, 0..=BYTES_MAX],
        ) -> (Grid, u64, i64, i64) {
            let start = origin * MICROS + offset * i64::from(length);
            (grid(zone, length), bytes, start, start + slots * i64::from(length))
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn shares_are_those_of_the_definition((grid, bytes, start, end) in records()) {
            let maximum = slow(Scheme::MaximumVolume, bytes, start, end, &grid);
            let minimum = slow(Scheme::MinimumVolume, bytes, start, end, &grid);
            for scheme in Scheme::ALL {
                let shares = shares(scheme, bytes, start, end, &grid);
                prop_assert!(shares.is_sorted_by_key(|(slot, _)| *slot));
                let shares: BTreeMap<Slot, u64> = shares.into_iter().collect();
                prop_assert_eq!(&shares, &slow(scheme, bytes, start, end, &grid), "{:?}", scheme);
                if scheme.preserves_volume() {
                    prop_assert_eq!(shares.values().sum::<u64>(), bytes, "{:?}", scheme);
                }
                for (slot, least) in &minimum {
                    prop_assert!(least <= shares.get(slot).unwrap_or(&0), "{:?}", scheme);
                }
                for (slot, share) in &shares {
                    prop_assert!(share <= maximum.get(slot).unwrap_or(&0), "{:?}", scheme);
                }
            }
        }

        #[test]
        fn bytes_leave_when_their_microsecond_comes(
            bytes in prop_oneof![0_u64..2000, 0..=BYTES_MAX],
            before in 0_i64..600,
            after in 0_i64..600,
        ) {
            let grid = grid("UTC", 1);
            let (start, end) = (MICROS - before, MICROS + after);
            let shares: BTreeMap<_, _> = shares(Scheme::TimeProportional, bytes, start, end, &grid).into_iter().collect();
            prop_assert_eq!(shares, sent_by_the_microsecond(bytes, start, end, &grid));
        }
    }
}
