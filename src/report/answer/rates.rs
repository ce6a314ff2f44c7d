//! Rates of a series: its peak, its 95th percentile, and the slots that set it.

use super::Counted;
use crate::billing::rank::{RankRule, rank};
use crate::billing::rate_bps;
use crate::time::Slot;

/// Bytes of a slot.
pub(super) type Sample = (Slot, u128);

/// The slots that rates are taken over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) first: Slot,
    pub(super) last: Slot,
    pub(super) slots: u64,
}

impl Period {
    pub(super) fn of(counted: &Counted<'_>) -> Option<Self> {
        let (first, last) = counted.period()?;
        Some(Self { first, last, slots: counted.rules.grid.count(first, last) })
    }

    pub(super) fn seconds(self) -> u64 {
        self.last.end.abs_diff(self.first.start)
    }

    /// The samples inside, of all in order of time.
    pub(super) fn within(self, samples: &[Sample]) -> &[Sample] {
        let from = samples.partition_point(|(slot, _)| *slot < self.first);
        let inside = &samples[from..];
        &inside[..inside.partition_point(|(slot, _)| *slot <= self.last)]
    }
}

/// The rates of the samples inside the period; slots without one are 0.
fn rates(samples: &[Sample], period: Period) -> impl Iterator<Item = (u128, Slot)> {
    period.within(samples).iter().map(|(slot, bytes)| (rate_bps(*bytes, slot.seconds()), *slot))
}

/// The highest rate and the first slot that has it; none without a sample.
pub(super) fn peak(samples: &[Sample], period: Option<Period>) -> Option<(u128, Slot)> {
    let highest = |best: (u128, Slot), rate: (u128, Slot)| if rate.0 > best.0 { rate } else { best };
    rates(samples, period?).reduce(highest)
}

/// The 95th percentile of the period's rates, zeros included, by the default rank rule.
pub(super) fn p95(samples: &[Sample], period: Option<Period>) -> Option<u128> {
    let period = period?;
    let place = usize::try_from(rank(RankRule::FloorDiscard, period.slots)?.whole).ok()?;
    let mut rates: Vec<u128> = rates(samples, period).map(|(rate, _)| rate).collect();
    if place > rates.len() {
        return Some(0);
    }
    let (_, nth, _) = rates.select_nth_unstable_by(place - 1, |a, b| b.cmp(a));
    Some(*nth)
}

/// The slots, in order, whose sample is at or above the 95th of all by the default rank rule. As in a bill, samples are
/// ranked before anything is rounded, ties are in, and a 95th of nothing is driven by all.
pub(super) fn driving(samples: &[Sample], period: Period) -> Vec<Slot> {
    // Slots of a day are not equally long where clocks change.
    let by_rate = |(slot, bytes): &Sample, (other, others): &Sample| {
        let [mine, theirs] = [(bytes, other), (others, slot)]
            .map(|(bytes, slot)| bytes.saturating_mul(u128::from(slot.seconds())));
        mine.cmp(&theirs)
    };
    let all = period.within(samples);
    let mut ranked = all.to_vec();
    let place = rank(RankRule::FloorDiscard, period.slots).and_then(|rank| usize::try_from(rank.whole).ok());
    let billed = place.filter(|place| *place <= ranked.len()).map(|place| {
        let (_, billed, _) = ranked.select_nth_unstable_by(place - 1, |one, other| by_rate(other, one));
        *billed
    });
    let drives = |sample: &&Sample| billed.is_none_or(|billed| by_rate(sample, &billed).is_ge());
    all.iter().filter(drives).map(|(slot, _)| *slot).collect()
}
