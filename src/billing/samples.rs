//! Bytes per slot → the samples that are ranked.
//!
//! A [`Frame`] lays out the slots of a period once, grouped in days; every port's bytes are a series aligned to it,
//! zeros included. Series of several ports are added slot by slot and ranked afterwards: rows of two ports are never
//! pooled, and two percentiles never added, which is what `LibreNMS` had to repair in its issue 15239 and pull
//! request 18481.

use std::cmp::Ordering;
use std::ops::Range;

use super::decimal::Decimal;
use super::period::Period;
use super::ratio::{Ratio, TOO_LARGE};
use super::words::{Missing, ValidDays};
use crate::time::{Grid, Slot};

/// The most slots in a period: a year of five-second slots.
pub const SLOTS_MAX: u64 = 1 << 23;

/// A day is in use above this rate (Tencent's rule for valid days).
const USE_BPS: u128 = 1000;

/// The slots of a period, grouped in days, and which of them the logs cover.
#[derive(Clone, Debug)]
pub struct Frame {
    pub(super) grid: Grid,
    slots: Vec<Slot>,
    days: Vec<Range<usize>>,
    intervals: Vec<Slot>,
    covered: Range<usize>,
}

/// A stretch of time within one day and the bytes in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// One slot, or several if the contract's samples are longer.
    pub slot: Slot,
    /// Bytes as the series has them.
    pub bytes: u128,
}

/// The samples that are ranked, in time order, by day.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    pub(super) ranked: Vec<Sample>,
    pub(super) days: Vec<DaySamples>,
    /// Bytes of the series in slots that are not ranked.
    pub(super) excluded_bytes: u128,
}

/// The samples of one day of the period.
#[derive(Clone, Debug)]
pub(super) struct DaySamples {
    pub(super) interval: Slot,
    /// Its samples in [`Samples::ranked`]; empty if they are not ranked.
    pub(super) range: Range<usize>,
    pub(super) is_valid: bool,
}

/// Who says which days are valid.
#[derive(Clone, Copy, Debug)]
pub(super) enum Judge<'a> {
    /// The contract's rule, by the samples themselves.
    Rule,
    /// Another bill; one verdict for each day of the frame.
    Given(&'a [bool]),
}

impl Frame {
    /// Lays out the slots of `period` on a grid of `slot_seconds` in the period's zone. `coverage` is the first and
    /// the last slot that the logs speak of; `None` means all. The error is the reason.
    pub fn new(period: &Period, slot_seconds: u32, coverage: Option<(Slot, Slot)>) -> Result<Self, String> {
        let grid = Grid { zone: period.zone().clone(), length: slot_seconds };
        let (first, last) = period.bounds(&grid).ok_or("no slot begins in the period")?;
        let shortest = i64::from(slot_seconds.max(1));
        if (period.end() - period.start()) / shortest > SLOTS_MAX.cast_signed() {
            return Err(format!("a period of more than {SLOTS_MAX} slots; choose longer slots"));
        }
        let slots: Vec<Slot> = grid.between(first, last).collect();
        let mut days = Vec::new();
        let mut intervals = Vec::new();
        for interval in period.days() {
            let from = slots.partition_point(|slot| slot.start < interval.start);
            let until = slots.partition_point(|slot| slot.start < interval.end);
            if from < until {
                days.push(from..until);
                intervals.push(interval);
            }
        }
        let covered = coverage.map_or(0..slots.len(), |(first, last)| {
            let from = slots.partition_point(|slot| slot.start < first.start);
            let until = slots.partition_point(|slot| slot.start <= last.start);
            from..until.max(from)
        });
        Ok(Self { grid, slots, days, intervals, covered })
    }

    /// The slots, in order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The days, in order: the whole day, and which of [`Frame::slots`] are in it.
    pub fn days(&self) -> impl ExactSizeIterator<Item = (Slot, Range<usize>)> {
        self.intervals.iter().copied().zip(self.days.iter().cloned())
    }

    /// Which of [`Frame::slots`] the logs cover.
    pub fn covered(&self) -> Range<usize> {
        self.covered.clone()
    }

    /// How many slots the logs cover.
    pub fn covered_slots(&self) -> u64 {
        self.covered.len() as u64
    }

    /// The place in [`Frame::slots`] of the slot that begins at a second.
    pub fn place(&self, start: i64) -> Option<usize> {
        self.slots.binary_search_by_key(&start, |slot| slot.start).ok()
    }

    /// A series aligned to the frame from bytes by the start of their slot, in any order and added up where a slot
    /// comes twice, and the bytes in slots that the period does not have. The error says that a sum does not fit.
    pub fn series(&self, bytes: impl IntoIterator<Item = (i64, u128)>) -> Result<(Vec<u128>, u128), String> {
        let mut series = vec![0_u128; self.slots.len()];
        let mut outside = 0_u128;
        for (start, bytes) in bytes {
            let sum = match self.place(start) {
                Some(place) => &mut series[place],
                None => &mut outside,
            };
            *sum = sum.checked_add(bytes).ok_or(TOO_LARGE)?;
        }
        Ok((series, outside))
    }

    /// A day's places in [`Frame::slots`], cut into samples at multiples of `seconds` from its midnight, as
    /// [`Grid`] cuts slots. So a sample has the same slots wherever the period begins or ends, or fewer.
    pub(super) fn samples(
        &self,
        midnight: i64,
        day: Range<usize>,
        seconds: u32,
    ) -> impl Iterator<Item = Range<usize>> {
        let nth = move |slot: &Slot| (slot.start - midnight) / i64::from(seconds.max(1));
        let mut from = day.start;
        self.slots[day].chunk_by(move |slot, next| nth(slot) == nth(next)).map(move |slots| {
            let sample = from..from + slots.len();
            from = sample.end;
            sample
        })
    }

    /// The same slots under another coverage, given as places in [`Frame::slots`].
    #[must_use]
    pub(super) fn with_coverage(&self, covered: Range<usize>) -> Self {
        let end = covered.end.min(self.slots.len());
        Self { covered: covered.start.min(end)..end, ..self.clone() }
    }
}

impl Sample {
    /// Bits over seconds, times the overhead factor, exactly. The error says that it does not fit.
    pub fn rate(&self, factor: Decimal) -> Result<Ratio, String> {
        let bits = self.bytes.checked_mul(8).ok_or(TOO_LARGE)?;
        let rate = Ratio::new(bits, u128::from(self.slot.seconds())).ok_or("a slot of no length")?;
        rate.times(factor.ratio())
    }

    /// Which rate is higher, exactly, even where the clocks cut a slot short.
    pub fn cmp_rate(&self, other: &Self) -> Ordering {
        let (own, others) = (self.slot.seconds(), other.slot.seconds());
        if own == others {
            return self.bytes.cmp(&other.bytes);
        }
        let (own, others) = (u128::from(own.max(1)), u128::from(others.max(1)));
        // The rests are below 2⁶⁴, so their products fit where those of the bytes might not.
        let rests = || (self.bytes % own * others).cmp(&(other.bytes % others * own));
        (self.bytes / own).cmp(&(other.bytes / others)).then_with(rests)
    }

    /// The order on a bill: the highest rate first, the earlier of two equal ones.
    pub(super) fn cmp_rank(&self, other: &Self) -> Ordering {
        other.cmp_rate(self).then(self.slot.start.cmp(&other.slot.start))
    }
}

/// The sum of series aligned to the same frame; what a shorter one lacks is 0. The error says that it does not fit.
pub fn sum<'a>(series: impl IntoIterator<Item = &'a [u128]>) -> Result<Vec<u128>, String> {
    let mut total: Vec<u128> = Vec::new();
    for series in series {
        total.resize(total.len().max(series.len()), 0);
        for (total, bytes) in total.iter_mut().zip(series) {
            *total = total.checked_add(*bytes).ok_or(TOO_LARGE)?;
        }
    }
    Ok(total)
}

impl Samples {
    /// Cuts a series into samples of `seconds`, counted from midnight, and leaves out what is missing. A sample that
    /// the period has in part, or that is covered in part, is the mean over that part.
    pub(super) fn cut(
        frame: &Frame,
        series: &[u128],
        seconds: u32,
        missing: Missing,
    ) -> Result<Self, String> {
        if series.len() != frame.slots.len() {
            return Err("a series that is not aligned to its period".to_owned());
        }
        let known = match missing {
            Missing::Zero => 0..series.len(),
            Missing::Exclude | Missing::Fail => frame.covered(),
        };
        let mut cut = Self { ranked: Vec::new(), days: Vec::new(), excluded_bytes: 0 };
        for (interval, day) in frame.days() {
            let begin = cut.ranked.len();
            for sample in frame.samples(interval.start, day, seconds) {
                let ranked = sample.start.max(known.start)..sample.end.min(known.end);
                for place in sample.filter(|place| !ranked.contains(place)) {
                    cut.exclude(series[place])?;
                }
                if let (Some(first), Some(last)) =
                    (frame.slots.get(ranked.start), frame.slots.get(ranked.end.wrapping_sub(1)))
                    && !ranked.is_empty()
                {
                    let slot = Slot { start: first.start, end: last.end };
                    let bytes = series[ranked].iter().try_fold(0_u128, |sum, bytes| sum.checked_add(*bytes));
                    cut.ranked.push(Sample { slot, bytes: bytes.ok_or(TOO_LARGE)? });
                }
            }
            cut.days.push(DaySamples { interval, range: begin..cut.ranked.len(), is_valid: true });
        }
        Ok(cut)
    }

    /// The days that have samples, in order, with them.
    pub(super) fn ranked_days(&self) -> impl Iterator<Item = (Slot, &[Sample])> {
        let ranked = self.days.iter().filter(|day| !day.range.is_empty());
        ranked.map(|day| (day.interval, &self.ranked[day.range.clone()]))
    }

    /// The larger sample of two series, one by one; bytes that are not ranked are those of the first.
    pub(super) fn larger(mut self, other: &Self) -> Self {
        for (sample, other) in self.ranked.iter_mut().zip(&other.ranked) {
            sample.bytes = sample.bytes.max(other.bytes);
        }
        self
    }

    /// Says which days are valid, and under the rules `traffic` and `use` drops the samples of the others.
    pub(super) fn judge(
        mut self,
        rule: ValidDays,
        judge: Judge<'_>,
        factor: Decimal,
        frame: &Frame,
    ) -> Result<Self, String> {
        let used = Ratio::whole(USE_BPS);
        for (place, day) in self.days.iter_mut().enumerate() {
            if let Judge::Given(validity) = judge {
                day.is_valid = validity.get(place).copied().unwrap_or(false);
                continue;
            }
            let samples = &self.ranked[day.range.clone()];
            day.is_valid = match rule {
                ValidDays::None => true,
                ValidDays::Traffic => samples.iter().any(|sample| sample.bytes > 0),
                ValidDays::Use => {
                    let mut valid = false;
                    for sample in samples {
                        valid = valid || sample.rate(factor)? > used;
                    }
                    valid
                }
                ValidDays::From(date) => day.interval.start >= date.start(&frame.grid.zone),
            };
        }
        if matches!(rule, ValidDays::Traffic | ValidDays::Use) { self.without_invalid() } else { Ok(self) }
    }

    fn without_invalid(self) -> Result<Self, String> {
        let mut kept = Self { ranked: Vec::new(), days: Vec::new(), excluded_bytes: self.excluded_bytes };
        for day in self.days {
            let begin = kept.ranked.len();
            let samples = &self.ranked[day.range.clone()];
            if day.is_valid {
                kept.ranked.extend_from_slice(samples);
            } else {
                samples.iter().try_for_each(|sample| kept.exclude(sample.bytes))?;
            }
            kept.days.push(DaySamples { range: begin..kept.ranked.len(), ..day });
        }
        Ok(kept)
    }

    fn exclude(&mut self, bytes: u128) -> Result<(), String> {
        self.excluded_bytes = self.excluded_bytes.checked_add(bytes).ok_or(TOO_LARGE)?;
        Ok(())
    }
}
