//! What may still happen in an unfinished period: slots left, bounds and a projection. None of it is a bill.

use super::method::{Billed, Ranked, Terms, Traffic, measure, measure_sum, select};
use super::rank::rank;
use super::ratio::Ratio;
use super::samples::{Frame, Sample, Samples};
use super::words::{Direction, Method, Missing, ValidDays};

/// What is counted by [`Left`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Samples, under `p95`.
    Samples,
    /// Days, by their peaks, under `nth-peak`.
    Days,
}

/// How much more may exceed a rate before the bill does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Samples or days.
    pub counted: Counted,
    /// The rate X in bit/s, as billed (with overhead).
    pub above_bps: u128,
    /// How many of the period may exceed X while the bill stays at or below it, however high they go.
    pub allowed: u64,
    /// How many exceed it already.
    pub exceeding: u64,
    /// `allowed − exceeding`, or 0.
    pub left: u64,
    /// How many may still come to exceed it: if that is at most `left`, the bill cannot rise above X.
    pub open: u64,
}

/// A period that the logs do not cover to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    /// The bill if nothing more is sent.
    pub rest_zero: Billed,
    /// The bill if the rest repeats what was covered: its whole days in order, over and over; with less than a day
    /// covered, its slots.
    pub rest_alike: Billed,
}

/// Peaks of several ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peaks {
    /// The sum of each port's own peak, in bit/s, rounded half up once.
    pub sum_of_peaks_bps: u128,
    /// The peak of all ports together: never more. No such law holds for percentiles.
    pub peak_of_sum: Option<Ranked>,
    /// Each port's own peak, in the order given.
    pub each: Vec<Option<Ranked>>,
}

/// How many more samples (`p95`) or days (`nth-peak`) may exceed `rate_bps` in this period before the bill rises
/// above it, however high they go, if the others do not exceed it; `None` for the other methods. What the logs do
/// not cover yet is taken as valid. Under `max-of-p95` it is the direction with fewer left.
pub fn left(
    frame: &Frame,
    traffic: &Traffic<'_>,
    terms: &Terms,
    rate_bps: u128,
) -> Result<Option<Left>, String> {
    if terms.direction == Direction::MaxOfP95 {
        let one = |direction| left(frame, traffic, &Terms { direction, ..*terms }, rate_bps);
        let (sent, received) = (one(Direction::Out)?, one(Direction::In)?);
        return Ok(sent.into_iter().chain(received).min_by_key(|left| left.left));
    }
    let known = known(frame, traffic, terms)?;
    let factor = terms.overhead.factor();
    // Rounded as the bill would be.
    let exceeds = |sample: &Sample| sample.rate(factor).map(|rate| rate.rounded() > rate_bps);
    let ranked = &known.selected.ranked;
    let (counted, allowed, exceeding, open) = match terms.method {
        Method::P95 => {
            let allowed = rank(terms.rank, known.samples).map_or(0, |rank| rank.whole - 1);
            (Counted::Samples, allowed, count(ranked, exceeds)?, known.open)
        }
        Method::NthPeak(n) => {
            let (mut exceeding, mut open) = (0, 0);
            for (day, is_open) in known.selected.days.iter().zip(&known.is_open) {
                let exceeded = count(&ranked[day.range.clone()], exceeds)? > 0;
                exceeding += u64::from(exceeded);
                open += u64::from(*is_open && !exceeded);
            }
            (Counted::Days, u64::from(n.saturating_sub(1)), exceeding, open)
        }
        _ => return Ok(None),
    };
    let left = allowed.saturating_sub(exceeding);
    Ok(Some(Left { counted, above_bps: rate_bps, allowed, exceeding, left, open }))
}

/// The bill under two assumptions about the rest of the period; `None` if the logs cover it to its end, or not at all.
pub fn project(frame: &Frame, traffic: &Traffic<'_>, terms: &Terms) -> Result<Option<Projection>, String> {
    let covered = frame.covered();
    if covered.is_empty() || covered.end == frame.slots().len() {
        return Ok(None);
    }
    let whole = frame.with_coverage(covered.start..frame.slots().len());
    let with = |rest: fn(&Frame, &[u128]) -> Vec<u128>| {
        let (sent, received) = (rest(frame, traffic.sent), rest(frame, traffic.received));
        measure(&whole, &Traffic { sent: &sent, received: &received }, terms)
    };
    Ok(Some(Projection { rest_zero: with(rest_zero)?, rest_alike: with(rest_alike)? }))
}

/// Sum of peaks and peak of sum under the terms' direction, sample length, missing slots, valid days and overhead.
/// The direction `max-of-p95` takes the larger direction of each sample, which is the same for peaks.
pub fn peaks(frame: &Frame, ports: &[Traffic<'_>], terms: &Terms) -> Result<Peaks, String> {
    let direction = match terms.direction {
        Direction::MaxOfP95 => Direction::MaxPerSample,
        other => other,
    };
    let terms = Terms { method: Method::NthPeak(1), direction, ..*terms };
    let each: Vec<Billed> =
        ports.iter().map(|port| measure(frame, port, &terms)).collect::<Result<_, _>>()?;
    let mut total = Ratio::ZERO;
    for peak in each.iter().filter_map(|billed| billed.peak) {
        let sample = Sample { slot: peak.slot, bytes: peak.bytes };
        total = total.plus(sample.rate(terms.overhead.factor())?)?;
    }
    let peak_of_sum = measure_sum(frame, ports, &terms)?.peak;
    let each = each.into_iter().map(|billed| billed.peak).collect();
    Ok(Peaks { sum_of_peaks_bps: total.rounded(), peak_of_sum, each })
}

/// What is known of a period, and what may still come.
struct Known {
    selected: Samples,
    /// The N at the end of the period.
    samples: u64,
    /// How many of them the logs do not cover at all.
    open: u64,
    /// Which days the logs do not cover to their end, in the order of `selected.days`.
    is_open: Vec<bool>,
}

/// Slots before the coverage stay what the contract says of missing slots; those after it will be covered. A day
/// that is not over may still become valid.
fn known(frame: &Frame, traffic: &Traffic<'_>, terms: &Terms) -> Result<Known, String> {
    let covered = frame.covered();
    let start = if terms.missing == Missing::Zero || covered.is_empty() { 0 } else { covered.start };
    let end = if covered.is_empty() { 0 } else { covered.end };
    let terms = Terms { missing: Missing::Exclude, ..*terms };
    let all_valid = Terms { valid_days: ValidDays::None, ..terms };
    let so_far = frame.with_coverage(start..end);
    let selected = select(&so_far, traffic, &terms)?;
    let seen = select(&so_far, traffic, &all_valid)?.ranked.len();
    let finally = select(&frame.with_coverage(start..frame.slots().len()), traffic, &all_valid)?;
    let is_open: Vec<bool> = frame.days().map(|(_, day)| end < day.end).collect();
    let counted = finally.days.iter().zip(&selected.days).zip(&is_open);
    let counted = counted.filter(|((_, judged), open)| **open || !judged.range.is_empty());
    let samples = counted.map(|((day, _), _)| day.range.len() as u64).sum();
    let open = (finally.ranked.len() - seen) as u64;
    Ok(Known { selected, samples, open, is_open })
}

/// The series with nothing after the coverage.
fn rest_zero(frame: &Frame, series: &[u128]) -> Vec<u128> {
    let mut series = series.to_vec();
    series.iter_mut().skip(frame.covered().end).for_each(|bytes| *bytes = 0);
    series
}

/// The series with what was covered repeated after the coverage.
fn rest_alike(frame: &Frame, series: &[u128]) -> Vec<u128> {
    let covered = frame.covered();
    let day = usize::try_from(86_400 / frame.grid.length.max(1)).unwrap_or(usize::MAX).max(1);
    let step = match covered.len() / day * day {
        0 => covered.len(),
        whole_days => whole_days,
    };
    let mut series = series.to_vec();
    for place in covered.end..series.len() {
        series[place] = series[place - step];
    }
    series
}

fn count(samples: &[Sample], exceeds: impl Fn(&Sample) -> Result<bool, String>) -> Result<u64, String> {
    samples.iter().try_fold(0, |count, sample| Ok(count + u64::from(exceeds(sample)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::period::Period;
    use crate::time::{Timestamp, Zone};

    const MBPS_HOUR: u128 = 450_000_000;

    /// Four days of hours; the logs cover them up to an hour.
    fn frame(until: usize) -> Frame {
        let period = Period::parse("2026-11-01..2026-11-04", 1, &Zone::utc(), Timestamp(0)).unwrap();
        Frame::new(&period, 3600, None).unwrap().with_coverage(0..until)
    }

    fn series(rates: impl IntoIterator<Item = u128>) -> Vec<u128> {
        let mut series: Vec<u128> = rates.into_iter().map(|mbps| mbps * MBPS_HOUR).collect();
        series.resize(96, 0);
        series
    }

    #[test]
    fn covered_days_are_repeated_in_order() {
        // A day that begins with 9 Mbps, one that begins with 5, and half a day that begins with 2.
        let rates = (0..60).map(|hour| [9, 5, 2][hour / 24] * u128::from(hour % 24 == 0));
        let sent = series(rates);
        let projected = project(&frame(60), &Traffic::sent_only(&sent), &Terms::default()).unwrap().unwrap();
        // Hours 60 to 95 repeat hours 12 to 47: the second day's first hour comes again, the first day's does not.
        assert_eq!(projected.rest_alike.bytes, (9 + 5 + 2 + 5) * MBPS_HOUR);
        assert_eq!(projected.rest_zero.bytes, (9 + 5 + 2) * MBPS_HOUR);
        assert_eq!((projected.rest_alike.samples, projected.rest_zero.samples), (96, 96));
        assert_eq!(project(&frame(96), &Traffic::sent_only(&sent), &Terms::default()).unwrap(), None);
        assert_eq!(project(&frame(0), &Traffic::sent_only(&sent), &Terms::default()).unwrap(), None);
        // Less than a day: 1, 2, 3, 1, 2, 3, …
        let sent = series([1, 2, 3]);
        let projected = project(&frame(3), &Traffic::sent_only(&sent), &Terms::default()).unwrap().unwrap();
        assert_eq!(projected.rest_alike.bytes, 32 * 6 * MBPS_HOUR);
    }

    #[test]
    fn what_is_left() {
        let sent = series((0..50).map(|hour| u128::from(hour < 3) * 7));
        let left = |method, bps| {
            let terms = Terms { method, ..Terms::default() };
            left(&frame(50), &Traffic::sent_only(&sent), &terms, bps).unwrap()
        };
        // N = 96, r = 5: four samples may exceed.
        let expected = Left {
            counted: Counted::Samples,
            above_bps: 6_999_999,
            allowed: 4,
            exceeding: 3,
            left: 1,
            open: 46,
        };
        assert_eq!(left(Method::P95, 6_999_999), Some(expected));
        let expected = Left { above_bps: 7_000_000, exceeding: 0, left: 4, ..expected };
        assert_eq!(left(Method::P95, 7_000_000), Some(expected));
        // The first day exceeds, the third has only begun and the fourth not even that.
        let expected =
            Left { counted: Counted::Days, above_bps: 1, allowed: 1, exceeding: 1, left: 0, open: 2 };
        assert_eq!(left(Method::NthPeak(2), 1), Some(expected));
        assert_eq!(left(Method::DayPeakAvg, 1), None);
    }

    #[test]
    fn peaks_of_several_ports() {
        let (one, other) = (series([9, 1, 5]), series([2, 8, 5]));
        let ports = [Traffic::sent_only(&one), Traffic::sent_only(&other)];
        let peaks = peaks(&frame(96), &ports, &Terms::default()).unwrap();
        assert_eq!(peaks.sum_of_peaks_bps, 17_000_000);
        assert_eq!(peaks.peak_of_sum.unwrap().bps, 11_000_000);
        assert_eq!(peaks.each.len(), 2);
    }
}
