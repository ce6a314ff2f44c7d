//! What may still happen in an unfinished period: slots left, bounds and a projection. None of it is a bill.

use super::method::{Billed, Ranked, Terms, Traffic, highest, measure, sample_seconds, select};
use super::rank::rank;
use super::ratio::Ratio;
use super::samples::{Frame, Sample, Samples, sum};
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
    /// The most of the period that can exceed X while the bill is at or below it: r − 1 at rank r, and however high
    /// they go. A rank between the samples `whole` and `whole + 1` allows `whole`, because the lower one can hold the
    /// bill down; of these, the lowest raises the bill by its part of the way, so it may not go however high.
    pub allowed: u64,
    /// How many exceed it already.
    pub exceeding: u64,
    /// `allowed − exceeding`, or 0.
    pub left: u64,
    /// How many may still come to exceed it: if that is at most `left`, and less than `left` where the rank lies
    /// between two samples, the bill cannot rise above X.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peaks {
    /// The sum of each port's own peak as it is billed, in bit/s, rounded half up once.
    pub sum_of_peaks_bps: u128,
    /// The peak of all ports together: never more. No such law holds for percentiles. `None` if the ports do not
    /// agree on direction, overhead factor and sample length: their samples cannot be added then.
    pub peak_of_sum: Option<Ranked>,
}

/// How many more samples (`p95`) or days (`nth-peak`) may exceed `rate_bps` in this period before the bill rises
/// above it, if the others do not exceed it; `None` for the other methods. What the logs do not cover yet is taken as
/// valid. Under `max-of-p95` it is the direction with fewer left. A bill at or below X has at most
/// [`Left::allowed`] above X; so at the bill itself, never more are used than allowed.
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
            // Both neighbours of a rank between them have to exceed X for certain.
            let rank = rank(terms.rank, known.samples);
            let allowed = rank.map_or(0, |rank| rank.whole - u64::from(rank.twentieths == 0));
            let may_still = count(known.begun.as_slice(), |sample| exceeds(sample).map(|it| !it))?;
            (Counted::Samples, allowed, count(ranked, exceeds)?, known.open + may_still)
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

/// Sum of peaks, each port under its own direction, sample length and overhead, and peak of sum. `max-of-p95` takes the
/// larger direction of each sample, which is the same for peaks. Every day counts: those that a rule for valid days
/// leaves out are next to empty, and without them the sum of peaks could be the smaller one.
pub fn peaks(frame: &Frame, ports: &[(Traffic<'_>, Terms)]) -> Result<Peaks, String> {
    let peak = |traffic: &Traffic<'_>, terms: &Terms| {
        let terms = Terms { direction: of_peaks(terms), valid_days: ValidDays::None, ..*terms };
        select(frame, traffic, &terms).map(|selected| highest(&selected.ranked))
    };
    let mut total = Ratio::ZERO;
    for (traffic, terms) in ports {
        if let Some(sample) = peak(traffic, terms)? {
            total = total.plus(sample.rate(terms.overhead.factor())?)?;
        }
    }
    let peak_of_sum = match basis(frame, ports)? {
        Some(terms) => {
            let sent = sum(ports.iter().map(|(port, _)| port.sent))?;
            let received = sum(ports.iter().map(|(port, _)| port.received))?;
            let highest = peak(&Traffic { sent: &sent, received: &received }, &terms)?;
            highest.map(|sample| Ranked::new(1, sample, terms.overhead.factor())).transpose()?
        }
        None => None,
    };
    Ok(Peaks { sum_of_peaks_bps: total.rounded(), peak_of_sum })
}

/// The terms of the first port, if samples of the others can be added to its own.
fn basis(frame: &Frame, ports: &[(Traffic<'_>, Terms)]) -> Result<Option<Terms>, String> {
    let Some((_, first)) = ports.first() else { return Ok(None) };
    let of = |terms: &Terms| {
        Ok::<_, String>((of_peaks(terms), sample_seconds(frame, terms)?, terms.overhead.factor()))
    };
    for (_, terms) in ports {
        if of(terms)? != of(first)? {
            return Ok(None);
        }
    }
    Ok(Some(*first))
}

/// The direction whose peak is billed.
fn of_peaks(terms: &Terms) -> Direction {
    match terms.direction {
        Direction::MaxOfP95 => Direction::MaxPerSample,
        other => other,
    }
}

/// What is known of a period, and what may still come.
struct Known {
    selected: Samples,
    /// The N at the end of the period.
    samples: u64,
    /// How many of them the logs do not cover at all.
    open: u64,
    /// The sample that they do not cover to its end, as far as they do.
    begun: Option<Sample>,
    /// Which days the logs do not cover to their end, in the order of `selected.days`.
    is_open: Vec<bool>,
}

/// Slots before the coverage stay what the contract says of missing slots; those after it will be covered. A day
/// that is not over may still become valid.
fn known(frame: &Frame, traffic: &Traffic<'_>, terms: &Terms) -> Result<Known, String> {
    let covered = frame.covered();
    let start = if terms.missing == Missing::Zero || covered.is_empty() { 0 } else { covered.start };
    let mut end = if covered.is_empty() { 0 } else { covered.end };
    let is_open: Vec<bool> = frame.days().map(|(_, day)| end < day.end).collect();
    let known_until = end.checked_sub(1).map(|last| frame.slots()[last].end);
    if terms.missing == Missing::Zero && end > 0 {
        // As the bill has it, zeros complete the sample that has begun.
        let seconds = sample_seconds(frame, terms)?;
        let mut samples = frame.days().flat_map(|(day, places)| frame.samples(day.start, places, seconds));
        end = samples.find(|sample| end <= sample.end).map_or(end, |sample| sample.end);
    }
    let terms = Terms { missing: Missing::Exclude, ..*terms };
    let all_valid = Terms { valid_days: ValidDays::None, ..terms };
    let so_far = frame.with_coverage(start..end);
    let selected = select(&so_far, traffic, &terms)?;
    let seen = select(&so_far, traffic, &all_valid)?.ranked;
    let finally = select(&frame.with_coverage(start..frame.slots().len()), traffic, &all_valid)?;
    let counted = finally.days.iter().zip(&selected.days).zip(&is_open);
    let counted = counted.filter(|((_, judged), open)| **open || !judged.range.is_empty());
    let samples = counted.map(|((day, _), _)| day.range.len() as u64).sum();
    let open = (finally.ranked.len() - seen.len()) as u64;
    let last = seen.len().checked_sub(1).map(|last| finally.ranked[last].slot.end);
    let begun = seen.last().copied().filter(|_| last > known_until);
    Ok(Known { selected, samples, open, begun, is_open })
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
    use crate::billing::method::Quantity;
    use crate::billing::period::Period;
    use crate::billing::words::Overhead;
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
        let terms = Terms { method: Method::NthPeak(3), ..Terms::default() };
        let projected = project(&frame(60), &Traffic::sent_only(&sent), &terms).unwrap().unwrap();
        // Days of 9, 5, 2 and 5 Mbps, or of 9, 5, 2 and 0.
        assert_eq!(projected.rest_alike.quantity, Quantity::Rate(5_000_000));
        assert_eq!(projected.rest_zero.quantity, Quantity::Rate(2_000_000));
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

    /// Hours 0 to 49 are covered: of samples of three hours, sixteen whole ones and two hours of the next.
    #[test]
    fn a_sample_that_has_begun_may_still_come_to_exceed() {
        let open = |last: u128| {
            let sent = series((0..50).map(|hour| if hour < 48 { 1 } else { last }));
            let terms = Terms { mean: Some(10_800), ..Terms::default() };
            let left = left(&frame(50), &Traffic::sent_only(&sent), &terms, 1_000_000).unwrap().unwrap();
            (left.allowed, left.exceeding, left.open)
        };
        assert_eq!((open(1), open(2)), ((1, 0, 16), (1, 1, 15)));
    }

    #[test]
    fn peaks_of_several_ports() {
        let (one, other) = (series([9, 1, 5]), series([2, 8, 5]));
        let traffic = [Traffic { sent: &one, received: &other }, Traffic { sent: &other, received: &one }];
        let check = |of_one: Terms, of_other: Terms, sum, of_sum| {
            let peaks = peaks(&frame(96), &[(traffic[0], of_one), (traffic[1], of_other)]).unwrap();
            let peak_of_sum = peaks.peak_of_sum.map(|peak| peak.bps);
            assert_eq!((peaks.sum_of_peaks_bps, peak_of_sum), (sum, of_sum), "{of_one:?} {of_other:?}");
        };
        let terms = Terms::default();
        check(terms, terms, 17_000_000, Some(11_000_000));
        // A rule for valid days, a rank and a method change no peak; packets are in the bytes already.
        let packets = Overhead::Packets { mss: 1460 };
        let as_good = Terms { method: Method::Volume, overhead: packets, mean: Some(3600), ..terms };
        check(terms, as_good, 17_000_000, Some(11_000_000));
        // 9 · 1.1 and 8 Mbps.
        let overhead = Overhead::Aliyun;
        check(Terms { overhead, ..terms }, terms, 17_900_000, None);
        check(
            Terms { overhead, ..terms },
            Terms { overhead: Overhead::Tencent, ..terms },
            18_700_000,
            Some(12_100_000),
        );
        check(terms, Terms { direction: Direction::In, ..terms }, 18_000_000, None);
        check(terms, Terms { direction: Direction::Sum, ..terms }, 20_000_000, None);
        // Two hours of 9 and 1, of 2 and 8.
        let mean = Some(7200);
        check(terms, Terms { mean, ..terms }, 14_000_000, None);
        check(Terms { mean, ..terms }, Terms { mean, ..terms }, 10_000_000, Some(10_000_000));
        let larger = Terms { direction: Direction::MaxOfP95, ..terms };
        check(larger, Terms { direction: Direction::MaxPerSample, ..terms }, 18_000_000, Some(11_000_000));
        // Three ports of a third of a bit/s each: rounded once.
        let mut third = vec![150];
        third.resize(96, 0);
        let peaks = peaks(&frame(96), &[(Traffic::sent_only(&third), terms); 3]).unwrap();
        assert_eq!(peaks.sum_of_peaks_bps, 1);
        assert_eq!(super::peaks(&frame(96), &[]).unwrap(), Peaks { sum_of_peaks_bps: 0, peak_of_sum: None });
    }
}
