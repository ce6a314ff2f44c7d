//! Samples → the quantity that is billed, with everything one needs to check it.
//!
//! Sums are exact fractions; the billed rate is rounded half up once, at the end. The overhead factor multiplies the
//! exact result, which is the same as multiplying every sample.

use super::decimal::Decimal;
use super::rank::{Percentile, Rank, RankRule, percentile_95};
use super::ratio::{Ratio, TOO_LARGE};
use super::samples::{Frame, Judge, Sample, Samples, sum};
use super::words::{Direction, Method, Missing, Overhead, ValidDays};
use crate::time::Slot;

/// Samples shown on either side of the billed rank.
pub const AROUND: usize = 3;

/// The sample of a day that counts under `top5-avg`, and how many days do.
const TOP: usize = 5;

/// What is measured and how: the part of a contract that has nothing to do with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How samples become the billed quantity.
    pub method: Method,
    /// Which sample of N the 95th percentile is.
    pub rank: RankRule,
    /// Seconds of a sample if it is longer than a slot: a multiple of the slot, counted from midnight.
    pub mean: Option<u32>,
    /// Which direction is billed.
    pub direction: Direction,
    /// What slots without logs count as.
    pub missing: Missing,
    /// Which days count.
    pub valid_days: ValidDays,
    /// From logged bytes to bytes on the wire.
    pub overhead: Overhead,
}

/// Both directions of a port, aligned to a [`Frame`]. A direction that is not billed may be empty.
#[derive(Clone, Copy, Debug)]
pub struct Traffic<'a> {
    /// Bytes that the servers sent, per slot.
    pub sent: &'a [u128],
    /// Bytes that they received, per slot.
    pub received: &'a [u128],
}

/// What is billed, before the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// bit/s.
    Rate(u128),
    /// Bytes.
    Volume(u128),
    /// One port, whatever was sent.
    Port,
}

/// A measured quantity and its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Billed {
    /// What is billed, before the commit, with the overhead factor.
    pub quantity: Quantity,
    /// The same without the overhead factor.
    pub raw: Quantity,
    /// Which direction it comes from: the larger one of `max-of-p95`, else the direction asked for.
    pub direction: Direction,
    /// What the smaller direction of `max-of-p95` came to.
    pub other: Option<Quantity>,
    /// The N that was ranked.
    pub samples: u64,
    /// The N of the whole period, every slot covered and every day valid.
    pub period_samples: u64,
    /// Slots that the logs cover.
    pub covered_slots: u64,
    /// Slots of the period.
    pub period_slots: u64,
    /// Days of the period.
    pub period_days: u64,
    /// Days that the valid-day rule lets count.
    pub valid_days: u64,
    /// Which days those are, in the order of [`Frame::days`].
    pub validity: Vec<bool>,
    /// Where the 95th percentile of the period lies; `None` for the other methods.
    pub rank: Option<Rank>,
    /// The sample that is billed; `None` for means, volumes and a rank between two samples.
    pub billed: Option<Ranked>,
    /// How many samples have exactly the rate of the billed one, itself included; 0 without a billed sample.
    pub ties: u64,
    /// The samples around the rank, from the largest: [`AROUND`] above, the billed, [`AROUND`] below.
    pub around: Vec<Ranked>,
    /// The highest sample.
    pub peak: Option<Ranked>,
    /// Bytes in the samples that were ranked, without overhead.
    pub bytes: u128,
    /// Bytes of the period in slots that were not ranked: uncovered, or of days that are not valid.
    pub excluded_bytes: u128,
    /// The daily figures of the methods that have them, in time order, valid days only.
    pub days: Vec<DayFigure>,
    /// The samples that drive the bill, in time order: all that are at least the billed one (between two samples, the
    /// upper one); for a mean, those of its days that are at least the figure of their day.
    pub driving: Vec<Slot>,
    /// The valid days there are if the method asks for more: `nth-peak:n` then bills 0, `top5-avg` averages fewer.
    pub too_few_days: Option<u64>,
}

/// A sample and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// From the largest, which has rank 1; the earlier of equal samples comes first.
    pub rank: u64,
    /// When.
    pub slot: Slot,
    /// Bytes, without overhead.
    pub bytes: u128,
    /// bit/s with the overhead factor, rounded half up.
    pub bps: u128,
}

/// What a day comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayFigure {
    /// The day, from midnight to midnight.
    pub day: Slot,
    /// bit/s with the overhead factor, rounded half up.
    pub bps: u128,
    /// The slot that decides it; `None` between two samples, or if the day has too few.
    pub slot: Option<Slot>,
    /// What part it has in the bill.
    pub part: Part,
}

/// What part a day has in the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is the billed day.
    Billed,
    /// It is in the mean.
    Averaged,
    /// Days above or below it decided.
    Passed,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            method: Method::P95,
            rank: RankRule::FloorDiscard,
            mean: None,
            direction: Direction::Out,
            missing: Missing::Exclude,
            valid_days: ValidDays::None,
            overhead: Overhead::None,
        }
    }
}

/// Measures one port. The error is the reason: missing slots that may not be missing, logs that cover none of the
/// period, a sample length that does not fit the slots, or numbers that are too large.
pub fn measure(frame: &Frame, traffic: &Traffic<'_>, terms: &Terms) -> Result<Billed, String> {
    measure_judged(frame, traffic, terms, Judge::Rule)
}

/// Measures one port on the valid days of another bill, as [`Billed::validity`] has them. For comparisons of the same
/// traffic, such as the uncertainty interval: were each bound to judge its own days, N would differ, and a bound that
/// loses a quiet day could come out above the bill.
pub fn measure_on(
    frame: &Frame,
    traffic: &Traffic<'_>,
    terms: &Terms,
    validity: &[bool],
) -> Result<Billed, String> {
    measure_judged(frame, traffic, terms, Judge::Given(validity))
}

fn measure_judged(
    frame: &Frame,
    traffic: &Traffic<'_>,
    terms: &Terms,
    judge: Judge<'_>,
) -> Result<Billed, String> {
    let (covered, period) = (frame.covered_slots(), frame.slots().len() as u64);
    if terms.missing == Missing::Fail && covered < period {
        return Err(format!("the logs cover {covered} of {period} slots, and missing slots are to fail"));
    }
    if terms.missing == Missing::Exclude && covered == 0 && terms.method != Method::Flat {
        return Err("the logs cover no slot of the period".to_owned());
    }
    if terms.direction != Direction::MaxOfP95 {
        return evidence(frame, &select_judged(frame, traffic, terms, judge)?, terms);
    }
    let one = |direction| measure_judged(frame, traffic, &Terms { direction, ..*terms }, judge);
    let (sent, received) = (one(Direction::Out)?, one(Direction::In)?);
    let (larger, smaller) =
        if received.quantity.number() > sent.quantity.number() { (received, sent) } else { (sent, received) };
    Ok(Billed { other: Some(smaller.quantity), ..larger })
}

/// Measures several ports as one: their series are added slot by slot, then measured (总量).
pub fn measure_sum(frame: &Frame, ports: &[Traffic<'_>], terms: &Terms) -> Result<Billed, String> {
    let sent = sum(ports.iter().map(|port| port.sent))?;
    let received = sum(ports.iter().map(|port| port.received))?;
    measure(frame, &Traffic { sent: &sent, received: &received }, terms)
}

impl Quantity {
    /// Bit/s or bytes; 1 for a port.
    pub const fn number(self) -> u128 {
        match self {
            Self::Rate(number) | Self::Volume(number) => number,
            Self::Port => 1,
        }
    }
}

impl Traffic<'_> {
    /// The same traffic without a direction that was not logged.
    pub const fn sent_only(sent: &[u128]) -> Traffic<'_> {
        Traffic { sent, received: &[] }
    }
}

/// What a method makes of the samples, before overhead and rounding.
struct Outcome {
    exact: Ratio,
    rank: Option<Rank>,
    billed: Option<Sample>,
    days: Vec<Day>,
    driving: Vec<Slot>,
    too_few_days: Option<u64>,
}

/// A day's figure, before overhead and rounding.
struct Day {
    interval: Slot,
    exact: Ratio,
    /// The sample at the figure, or just above one between two samples.
    sample: Option<Sample>,
    part: Part,
}

/// The samples that the terms rank: direction, sample length, missing slots and valid days.
pub(super) fn select(frame: &Frame, traffic: &Traffic<'_>, terms: &Terms) -> Result<Samples, String> {
    select_judged(frame, traffic, terms, Judge::Rule)
}

fn select_judged(
    frame: &Frame,
    traffic: &Traffic<'_>,
    terms: &Terms,
    judge: Judge<'_>,
) -> Result<Samples, String> {
    let seconds = sample_seconds(frame, terms)?;
    let cut = |series: &[u128]| Samples::cut(frame, series, seconds, terms.missing);
    let samples = match terms.direction {
        Direction::Out | Direction::MaxOfP95 => cut(traffic.sent)?,
        Direction::In => cut(traffic.received)?,
        Direction::Sum => cut(&sum([traffic.sent, traffic.received])?)?,
        Direction::MaxPerSample => cut(traffic.sent)?.larger(&cut(traffic.received)?),
    };
    samples.judge(terms.valid_days, judge, terms.overhead.factor(), frame)
}

/// Samples of the whole period, every slot covered and every day valid.
fn period_samples(frame: &Frame, terms: &Terms) -> Result<u64, String> {
    let seconds = sample_seconds(frame, terms)?;
    Ok(frame.days().map(|(day, places)| frame.samples(day.start, places, seconds).count() as u64).sum())
}

/// The highest sample, the earlier of two equal ones.
pub(super) fn highest(samples: &[Sample]) -> Option<Sample> {
    samples.iter().copied().min_by(Sample::cmp_rank)
}

/// How long a sample is.
pub(super) fn sample_seconds(frame: &Frame, terms: &Terms) -> Result<u32, String> {
    let slot = frame.grid.length.max(1);
    let mean = terms.mean.unwrap_or(slot);
    if mean < slot || !mean.is_multiple_of(slot) {
        return Err(format!("samples of {mean} s cannot be made of slots of {slot} s"));
    }
    Ok(mean)
}

fn evidence(frame: &Frame, selected: &Samples, terms: &Terms) -> Result<Billed, String> {
    let factor = terms.overhead.factor();
    let mut sorted = selected.ranked.clone();
    sorted.sort_by(Sample::cmp_rank);
    let bytes =
        sorted.iter().try_fold(0_u128, |sum, sample| sum.checked_add(sample.bytes)).ok_or(TOO_LARGE)?;
    let outcome = match terms.method {
        Method::P95 => percentile(selected, &sorted, terms.rank)?,
        Method::NthPeak(n) => nth_peak(selected, n)?,
        Method::DayPeakAvg => mean(selected, day_peaks(selected)?)?,
        Method::DayP95Avg => mean(selected, day_percentiles(selected, terms.rank)?)?,
        Method::Top5Avg => top5(selected)?,
        Method::Flat | Method::Volume => Outcome::of(Ratio::whole(bytes)),
    };
    let quantity = |factor: Decimal| -> Result<Quantity, String> {
        let exact = outcome.exact.times(factor.ratio())?;
        Ok(match terms.method {
            Method::Flat => Quantity::Port,
            Method::Volume => Quantity::Volume(exact.rounded()),
            _ => Quantity::Rate(exact.rounded()),
        })
    };
    // The billed sample's place among all; under a rank between two samples, that of the upper one.
    let place = match (outcome.rank, outcome.billed) {
        (Some(rank), _) => usize::try_from(rank.whole - 1).ok(),
        (None, Some(billed)) => sorted.binary_search_by(|sample| sample.cmp_rank(&billed)).ok(),
        (None, None) => None,
    };
    let ranked = |places: std::ops::Range<usize>| -> Result<Vec<Ranked>, String> {
        let samples = sorted.get(places.clone()).unwrap_or_default();
        places.zip(samples).map(|(place, sample)| Ranked::new(place as u64 + 1, *sample, factor)).collect()
    };
    let ties = outcome
        .billed
        .map_or(0, |billed| sorted.iter().filter(|sample| sample.cmp_rate(&billed).is_eq()).count() as u64);
    let around = place.map_or(0..0, |place| {
        place.saturating_sub(AROUND)..place.saturating_add(AROUND + 1).min(sorted.len())
    });
    Ok(Billed {
        quantity: quantity(factor)?,
        raw: quantity(Decimal::ONE)?,
        direction: terms.direction,
        other: None,
        samples: sorted.len() as u64,
        period_samples: period_samples(frame, terms)?,
        covered_slots: frame.covered_slots(),
        period_slots: frame.slots().len() as u64,
        valid_days: selected.days.iter().filter(|day| day.is_valid).count() as u64,
        period_days: selected.days.len() as u64,
        validity: selected.days.iter().map(|day| day.is_valid).collect(),
        rank: outcome.rank,
        billed: match (outcome.billed, place) {
            (Some(_), Some(place)) => ranked(place..place + 1)?.first().copied(),
            _ => None,
        },
        ties,
        around: ranked(around)?,
        peak: ranked(0..sorted.len().min(1))?.first().copied(),
        bytes,
        excluded_bytes: selected.excluded_bytes,
        days: outcome.days.iter().map(|day| day.figure(factor)).collect::<Result<_, _>>()?,
        driving: outcome.driving,
        too_few_days: outcome.too_few_days,
    })
}

/// The percentile of the whole period.
fn percentile(selected: &Samples, sorted: &[Sample], rule: RankRule) -> Result<Outcome, String> {
    let Some(place) = percentile_95(rule, sorted) else { return Ok(Outcome::of(Ratio::ZERO)) };
    Ok(Outcome {
        rank: Some(place.rank),
        billed: (place.rank.twentieths == 0).then_some(place.upper),
        driving: reaching(&selected.ranked, &place.upper).collect(),
        ..Outcome::of(exact(&place)?)
    })
}

/// The rate of a percentile: that of its sample, or its part of the way between two.
fn exact(place: &Percentile<Sample>) -> Result<Ratio, String> {
    let share = |twentieths: u64| Ratio::new(u128::from(twentieths), 20).unwrap_or(Ratio::ZERO);
    let upper = place.upper.rate(Decimal::ONE)?;
    if place.rank.twentieths == 0 {
        return Ok(upper);
    }
    let lower = place.lower.rate(Decimal::ONE)?.times(share(place.rank.twentieths))?;
    upper.times(share(20 - place.rank.twentieths))?.plus(lower)
}

fn nth_peak(selected: &Samples, n: u32) -> Result<Outcome, String> {
    let mut days = day_peaks(selected)?;
    for day in &mut days {
        day.part = Part::Passed;
    }
    let order = from_the_highest(&days);
    let Some(nth) = order.get(n.saturating_sub(1) as usize).copied() else {
        let too_few_days = Some(days.len() as u64);
        return Ok(Outcome { days, too_few_days, ..Outcome::of(Ratio::ZERO) });
    };
    days[nth].part = Part::Billed;
    let (exact, billed) = (days[nth].exact, days[nth].sample);
    let driving = billed.iter().flat_map(|billed| reaching(&selected.ranked, billed)).collect();
    Ok(Outcome { billed, days, driving, ..Outcome::of(exact) })
}

fn top5(selected: &Samples) -> Result<Outcome, String> {
    let figure = |(day, samples): (Slot, &[Sample])| {
        let mut sorted = samples.to_vec();
        sorted.sort_by(Sample::cmp_rank);
        Day::at(day, sorted.get(TOP - 1).copied())
    };
    let mut days = selected.ranked_days().map(figure).collect::<Result<Vec<_>, _>>()?;
    for place in from_the_highest(&days).into_iter().skip(TOP) {
        days[place].part = Part::Passed;
    }
    let too_few_days = (days.len() < TOP).then_some(days.len() as u64);
    Ok(Outcome { too_few_days, ..mean(selected, days)? })
}

/// The mean of the days that are marked for it.
fn mean(selected: &Samples, days: Vec<Day>) -> Result<Outcome, String> {
    let (mut total, mut count, mut driving) = (Ratio::ZERO, 0, Vec::new());
    let averaged = || days.iter().filter(|day| day.part == Part::Averaged);
    for day in averaged() {
        total = total.plus(day.exact)?;
        count += 1;
    }
    for ((interval, samples), day) in selected.ranked_days().zip(&days) {
        debug_assert_eq!(interval, day.interval, "days keep their order");
        if let (Part::Averaged, Some(sample)) = (day.part, &day.sample) {
            driving.extend(reaching(samples, sample));
        }
    }
    let exact = total.times(Ratio::new(1, count).unwrap_or(Ratio::ZERO))?;
    Ok(Outcome { days, driving, ..Outcome::of(exact) })
}

fn day_peaks(selected: &Samples) -> Result<Vec<Day>, String> {
    selected.ranked_days().map(|(day, samples)| Day::at(day, highest(samples))).collect()
}

fn day_percentiles(selected: &Samples, rule: RankRule) -> Result<Vec<Day>, String> {
    let figure = |(interval, samples): (Slot, &[Sample])| {
        let mut sorted = samples.to_vec();
        sorted.sort_by(Sample::cmp_rank);
        let Some(place) = percentile_95(rule, &sorted) else { return Day::at(interval, None) };
        Ok(Day { exact: exact(&place)?, ..Day::at(interval, Some(place.upper))? })
    };
    selected.ranked_days().map(figure).collect()
}

/// Places of days, the highest first, the earlier of two equal ones.
fn from_the_highest(days: &[Day]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..days.len()).collect();
    order.sort_by(|left, right| days[*right].exact.cmp(&days[*left].exact).then(left.cmp(right)));
    order
}

/// The slots of samples that are at least so high, in the order given.
fn reaching<'a>(samples: &'a [Sample], least: &'a Sample) -> impl Iterator<Item = Slot> + 'a {
    samples.iter().filter(|sample| sample.cmp_rate(least).is_ge()).map(|sample| sample.slot)
}

impl Outcome {
    fn of(exact: Ratio) -> Self {
        Self { exact, rank: None, billed: None, days: Vec::new(), driving: Vec::new(), too_few_days: None }
    }
}

impl Day {
    /// A day that counts with a sample; without one it counts with nothing.
    fn at(interval: Slot, sample: Option<Sample>) -> Result<Self, String> {
        let exact = sample.map_or(Ok(Ratio::ZERO), |sample| sample.rate(Decimal::ONE))?;
        Ok(Self { interval, exact, sample, part: Part::Averaged })
    }

    fn figure(&self, factor: Decimal) -> Result<DayFigure, String> {
        let bps = self.exact.times(factor.ratio())?.rounded();
        let slot = match self.sample {
            Some(sample) if sample.rate(Decimal::ONE)? == self.exact => Some(sample.slot),
            _ => None,
        };
        Ok(DayFigure { day: self.interval, bps, slot, part: self.part })
    }
}

impl Ranked {
    pub(super) fn new(rank: u64, sample: Sample, factor: Decimal) -> Result<Self, String> {
        let Sample { slot, bytes } = sample;
        Ok(Self { rank, slot, bytes, bps: sample.rate(factor)?.rounded() })
    }
}
