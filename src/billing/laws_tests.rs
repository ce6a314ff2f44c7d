//! What holds for any samples, against slow obvious twins.

use proptest::prelude::*;

use super::figures_tests::frame;
use super::method::{Quantity, Terms, Traffic, measure, measure_on, measure_sum};
use super::outlook::{Counted, left, peaks, project};
use super::rank::RankRule;
use super::samples::Frame;
use super::words::{Direction, Method, Missing, ValidDays};

/// Six days in Berlin, one of 23 hours, in slots of four hours: 36 slots, of which one has three hours.
fn six_days() -> Frame {
    let frame = frame("Europe/Berlin", "2026-03-26..2026-03-31", 14_400);
    assert_eq!(frame.slots().len(), 36);
    assert_eq!(frame.slots().iter().filter(|slot| slot.seconds() == 10_800).count(), 1);
    frame
}

fn bytes(slots: usize) -> impl Strategy<Value = Vec<u128>> {
    let one = prop_oneof![Just(0), 0_u128..4, 0_u128..1_000_000, Just(14_400_u128), Just(10_800)];
    prop::collection::vec(one, slots..=slots)
}

fn bill(frame: &Frame, series: &[u128], terms: Terms) -> super::method::Billed {
    measure(frame, &Traffic::sent_only(series), &terms).unwrap()
}

/// A fraction that is never reduced.
#[derive(Clone, Copy)]
struct Naive(u128, u128);

impl Naive {
    fn of(bytes: u128, seconds: u64) -> Self {
        Self(bytes * 8, u128::from(seconds))
    }

    fn is_below(self, other: Self) -> bool {
        self.0 * other.1 < other.0 * self.1
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }

    fn rounded(self) -> u128 {
        (2 * self.0 + self.1) / (2 * self.1)
    }
}

/// All rates of each day, from the highest.
fn by_day(frame: &Frame, series: &[u128]) -> Vec<Vec<Naive>> {
    let sorted = |day: std::ops::Range<usize>| {
        let mut rates: Vec<Naive> =
            day.map(|place| Naive::of(series[place], frame.slots()[place].seconds())).collect();
        // A bubble sort needs no total order.
        for _ in 0..rates.len() {
            for at in 1..rates.len() {
                if rates[at - 1].is_below(rates[at]) {
                    rates.swap(at - 1, at);
                }
            }
        }
        rates
    };
    frame.days().map(|(_, day)| sorted(day)).collect()
}

fn mean(rates: &[Naive]) -> u128 {
    let sum = rates.iter().fold(Naive(0, 1), |sum, rate| sum.plus(*rate));
    Naive(sum.0, sum.1 * rates.len() as u128).rounded()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn daily_methods_are_sort_and_index(series in bytes(36), n in 1_usize..8) {
        let frame = six_days();
        let days = by_day(&frame, &series);
        let mut tops: Vec<Naive> = days.iter().map(|day| day[0]).collect();
        let number = |method| bill(&frame, &series, Terms { method, ..Terms::default() }).quantity.number();
        prop_assert_eq!(number(Method::DayPeakAvg), mean(&tops));
        // Days of six slots: the 95th discards none.
        prop_assert_eq!(number(Method::DayP95Avg), mean(&tops));
        tops.sort_by(|left, right| (right.0 * left.1).cmp(&(left.0 * right.1)));
        let nth = tops.get(n - 1).map_or(0, |rate| rate.rounded());
        prop_assert_eq!(number(Method::NthPeak(u32::try_from(n).unwrap())), nth);
        let mut fifths: Vec<Naive> = days.iter().map(|day| day[4]).collect();
        fifths.sort_by(|left, right| (right.0 * left.1).cmp(&(left.0 * right.1)));
        prop_assert_eq!(number(Method::Top5Avg), mean(&fifths[..5]));
        prop_assert_eq!(number(Method::Volume), series.iter().sum::<u128>());
    }

    #[test]
    fn the_evidence_is_in_the_samples(series in bytes(36)) {
        let frame = six_days();
        for rank in RankRule::ALL {
            let billed = bill(&frame, &series, Terms { rank, ..Terms::default() });
            let peak = billed.peak.unwrap();
            prop_assert!(billed.quantity.number() <= peak.bps);
            prop_assert!(billed.around.windows(2).all(|pair| pair[0].bps >= pair[1].bps));
            prop_assert!(billed.driving.windows(2).all(|pair| pair[0].end <= pair[1].start));
            prop_assert!(billed.driving.len() as u64 >= billed.rank.unwrap().whole);
            if let Some(sample) = billed.billed {
                prop_assert_eq!(Quantity::Rate(sample.bps), billed.quantity);
                prop_assert!(billed.around.contains(&sample));
                prop_assert!(billed.ties >= 1);
                let place = frame.place(sample.slot.start).unwrap();
                prop_assert_eq!(series[place], sample.bytes);
            }
            prop_assert_eq!(billed.bytes, series.iter().sum::<u128>());
        }
    }

    /// Where 20 divides N the five that round agree, except Cacti's own rounding, which then has nothing to round:
    /// ⌈N/20⌉ = N/20. ntopng is one rank lower, and the interpolated rank lies just above the common one.
    #[test]
    fn rules_where_twenty_divides_n(series in bytes(40)) {
        let frame = frame("UTC", "2026-11-01 00:00..2026-11-01 10:00", 900);
        let bills = RankRule::ALL.map(|rank| bill(&frame, &series, Terms { rank, ..Terms::default() }));
        let [floor, libre, vnstat, rrd, cacti, ntop, interpolated] =
            bills.map(|billed| (billed.rank.unwrap(), billed.quantity.number(), billed));
        for other in [&libre, &vnstat, &rrd, &cacti] {
            prop_assert_eq!((other.0, other.1), (floor.0, floor.1));
        }
        prop_assert_eq!(ntop.0.whole, floor.0.whole + 1);
        prop_assert!(ntop.1 <= floor.1);
        // Rank N/20 + 19/20: between the sample above the common rank and the common one.
        prop_assert_eq!((interpolated.0.whole, interpolated.0.twentieths), (floor.0.whole - 1, 19));
        let above = interpolated.2.around.iter().find(|sample| sample.rank == interpolated.0.whole).unwrap();
        prop_assert!((floor.1..=above.bps).contains(&interpolated.1));
    }

    #[test]
    fn the_peak_of_the_sum_is_at_most_the_sum_of_peaks(
        one in bytes(36),
        other in bytes(36),
        third in bytes(36),
        mean in prop_oneof![Just(None), Just(Some(28_800))],
        valid_days in prop_oneof![Just(ValidDays::None), Just(ValidDays::Use)],
    ) {
        let frame = six_days();
        let ports = [
            Traffic { sent: &one, received: &third },
            Traffic { sent: &other, received: &one },
            Traffic { sent: &third, received: &other },
        ];
        for &direction in Direction::ALL {
            let terms = Terms { mean, direction, valid_days, ..Terms::default() };
            let peaks = peaks(&frame, &ports.map(|port| (port, terms))).unwrap();
            prop_assert!(peaks.peak_of_sum.unwrap().bps <= peaks.sum_of_peaks_bps, "{:?}", terms);
            let terms = Terms { valid_days: ValidDays::None, ..terms };
            let own = |port| measure(&frame, port, &terms).unwrap().peak.unwrap().bps;
            if direction != Direction::MaxOfP95 {
                // Three of them rounded, or their sum.
                prop_assert!(ports.iter().map(own).sum::<u128>().abs_diff(peaks.sum_of_peaks_bps) <= 2);
            }
        }
    }

    /// More in every slot is never less on the bill, whatever the method, if the valid days are those of one bill. So
    /// minimum-volume and maximum-volume bracket every other way to spread.
    #[test]
    fn bounds_bracket_the_bill(low in bytes(36), more in bytes(36), method in 0_usize..5) {
        let frame = six_days();
        let high: Vec<u128> = low.iter().zip(&more).map(|(low, more)| low + more).collect();
        let methods =
            [Method::P95, Method::NthPeak(3), Method::DayPeakAvg, Method::DayP95Avg, Method::Top5Avg];
        for valid_days in [ValidDays::None, ValidDays::Traffic, ValidDays::Use] {
            let terms = Terms { method: methods[method], valid_days, ..Terms::default() };
            let billed = bill(&frame, &high, terms);
            let bound = measure_on(&frame, &Traffic::sent_only(&low), &terms, &billed.validity).unwrap();
            prop_assert_eq!((bound.samples, bound.valid_days), (billed.samples, billed.valid_days));
            prop_assert!(bound.quantity.number() <= billed.quantity.number(), "{:?}", terms);
        }
    }

    #[test]
    fn directions(sent in bytes(36), received in bytes(36)) {
        let frame = six_days();
        let traffic = Traffic { sent: &sent, received: &received };
        let number = |direction| measure(&frame, &traffic, &Terms { direction, ..Terms::default() }).unwrap().quantity.number();
        let (out, inwards) = (number(Direction::Out), number(Direction::In));
        prop_assert_eq!(number(Direction::MaxOfP95), out.max(inwards));
        prop_assert!(number(Direction::MaxPerSample) >= out.max(inwards));
        prop_assert!(number(Direction::Sum) >= number(Direction::MaxPerSample));
        let larger: Vec<u128> = sent.iter().zip(&received).map(|(one, other)| *one.max(other)).collect();
        prop_assert_eq!(number(Direction::MaxPerSample), bill(&frame, &larger, Terms::default()).quantity.number());
        let both = [Traffic::sent_only(&sent), Traffic::sent_only(&received)];
        prop_assert_eq!(number(Direction::Sum), measure_sum(&frame, &both, &Terms::default()).unwrap().quantity.number());
    }

}

proptest! {
    // Each case makes dozens of bills, so there are fewer than elsewhere.
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// As many samples as are left may go through the roof, and one more makes the bill rise.
    #[test]
    fn samples_left_against_brute_force(
        mut series in bytes(36),
        from in 0_usize..36,
        length in 1_usize..36,
        limit in 1_u128..1000,
        valid_days in prop_oneof![Just(ValidDays::None), Just(ValidDays::Traffic)],
        missing in prop_oneof![Just(Missing::Exclude), Just(Missing::Zero)],
        method in prop_oneof![Just(Method::P95), (1_u32..8).prop_map(Method::NthPeak)],
    ) {
        let whole = six_days();
        let until = (from + length).min(36);
        for place in (0..from).chain(until..36) {
            series[place] = 0;
        }
        let covered = whole.with_coverage(from..until);
        for rank in RankRule::ALL {
            let terms = Terms { method, rank, missing, valid_days, ..Terms::default() };
            let left = left(&covered, &Traffic::sent_only(&series), &terms, limit).unwrap().unwrap();
            if left.exceeding > left.allowed {
                continue;
            }
            let finished = whole.with_coverage(from..36);
            let bill_with = |count: usize, per_day: bool| {
                let mut series = series.clone();
                // The rest is in use, so that every day of it is valid.
                series[until..].fill(1);
                let exceeds = |place: usize| super::rate_bps(series[place], whole.slots()[place].seconds()) > limit;
                let quiet: Vec<usize> = whole
                    .days()
                    .filter(|(_, day)| day.end > until && !day.clone().any(exceeds))
                    .map(|(_, day)| day.end - 1)
                    .collect();
                let places = if per_day { quiet } else { (until..36).collect() };
                for place in places.into_iter().take(count) {
                    series[place] = 1_u128 << 70;
                }
                bill(&finished, &series, terms)
            };
            let (count, open) = (usize::try_from(left.left).unwrap(), usize::try_from(left.open).unwrap());
            let per_day = left.counted == Counted::Days;
            // Between two samples, the last one that may exceed X raises the bill by its part of the way.
            let is_between = bill_with(0, per_day).rank.is_some_and(|rank| rank.twentieths > 0);
            let however_high = count - usize::from(is_between && count > 0);
            if !is_between || left.left > 0 {
                let most = bill_with(however_high, per_day).quantity.number();
                prop_assert!(most <= limit, "{:?} {:?} {} {:?}", rank, left, most, terms);
            }
            if count < open {
                let more = bill_with(count + 1, per_day).quantity.number();
                prop_assert!(more > limit, "{:?} {:?} {} {:?}", rank, left, more, terms);
            }
        }
    }

    /// At the bill itself never more are used than allowed, to date and at the end, and a bill at or below any X has
    /// at most the allowed above it.
    #[test]
    fn what_exceeds_the_bill_is_allowed(
        series in bytes(36),
        from in 0_usize..36,
        length in 1_usize..36,
        limit in 0_u128..1000,
        valid_days in prop_oneof![Just(ValidDays::None), Just(ValidDays::Traffic)],
        missing in prop_oneof![Just(Missing::Exclude), Just(Missing::Zero)],
        mean in prop_oneof![Just(None), Just(Some(28_800))],
        method in prop_oneof![Just(Method::P95), (1_u32..8).prop_map(Method::NthPeak)],
        direction in prop::sample::select(Direction::ALL),
    ) {
        let frame = six_days().with_coverage(from..from + length);
        let reversed: Vec<u128> = series.iter().rev().copied().collect();
        let traffic = Traffic { sent: &series, received: &reversed };
        for rank in RankRule::ALL {
            let terms = Terms { method, rank, mean, direction, missing, valid_days, ..Terms::default() };
            let bill = measure(&frame, &traffic, &terms).unwrap().quantity.number();
            for rate in [bill, bill.max(limit)] {
                let left = left(&frame, &traffic, &terms, rate).unwrap().unwrap();
                prop_assert!(left.exceeding <= left.allowed, "{:?} {:?}", left, terms);
            }
        }
    }

    /// Brute force: of N samples, some a little above X and the others 0, `allowed` is the largest number of those
    /// above with which the bill is not above X.
    #[test]
    fn allowed_is_the_most_that_can_exceed(samples in 1_usize..36, limit in 20_u128..1000) {
        let period = format!("2026-11-01 00:00..2026-11-0{} {:02}:00", 1 + samples / 24, samples % 24);
        let frame = frame("UTC", &period, 3600);
        for rank in RankRule::ALL {
            let terms = Terms { rank, ..Terms::default() };
            let bill_with = |count: usize| {
                let mut series = vec![0; samples];
                series[..count].fill((limit + 1) * 450);
                bill(&frame, &series, terms).quantity.number()
            };
            let most = (0..=samples).take_while(|count| bill_with(*count) <= limit).last().unwrap();
            let left = left(&frame, &Traffic::sent_only(&vec![0; samples]), &terms, limit).unwrap().unwrap();
            prop_assert_eq!(left.allowed, most as u64, "{:?} {}", rank, samples);
        }
    }

    #[test]
    fn projections_keep_what_was_covered(series in bytes(36), from in 0_usize..36, length in 1_usize..36) {
        let whole = six_days();
        let until = (from + length).min(36);
        let covered = whole.with_coverage(from..until);
        let terms = Terms::default();
        let Some(projection) = project(&covered, &Traffic::sent_only(&series), &terms).unwrap() else {
            prop_assert_eq!(until, 36);
            return Ok(());
        };
        prop_assert!(projection.rest_zero.quantity.number() <= projection.rest_alike.quantity.number());
        prop_assert_eq!(projection.rest_zero.samples, 36 - from as u64);
        prop_assert_eq!(projection.rest_alike.samples, 36 - from as u64);
        prop_assert_eq!(projection.rest_zero.bytes, series[from..until].iter().sum::<u128>());
        // Days of six slots, over and over.
        let step = if until - from < 6 { until - from } else { (until - from) / 6 * 6 };
        let alike = (from..36).map(|place| {
            let back = place.saturating_sub(until - 1).div_ceil(step);
            series[place - back * step]
        });
        prop_assert_eq!(projection.rest_alike.bytes, alike.sum::<u128>());
    }

    /// A longer sample is the mean of its slots, and a day ends it.
    #[test]
    fn longer_samples(series in bytes(36)) {
        let frame = six_days();
        let terms = Terms { mean: Some(28_800), method: Method::NthPeak(1), ..Terms::default() };
        let billed = bill(&frame, &series, terms);
        prop_assert_eq!((billed.samples, billed.period_samples, billed.period_slots), (18, 18, 36));
        let mut highest = Naive(0, 1);
        for pair in 0..18 {
            let seconds = frame.slots()[2 * pair].seconds() + frame.slots()[2 * pair + 1].seconds();
            let rate = Naive::of(series[2 * pair] + series[2 * pair + 1], seconds);
            if highest.is_below(rate) {
                highest = rate;
            }
        }
        prop_assert_eq!(billed.quantity.number(), highest.rounded());
    }
}
