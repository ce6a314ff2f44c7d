//! A record → what each slot gets of it.

use super::spread::{Scheme, spread, touched};
use super::{Cut, Rules, Slots};
use crate::time::{Cursor, Slot, Timestamp};

/// The number of no slot: for samples of records without a time, and for what falls outside the limits. Slots have
/// numbers from 1.
pub(super) const NO_SLOT: u32 = 0;

/// What a record that touches several slots gives to one of them: enough to tell what another scheme would have made
/// of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Bytes by the scheme of the rules.
    pub share: u128,
    /// All its bytes: what the slot can have carried at most.
    pub whole: u128,
    /// All its bytes if it ended here, else none: what a count at the logged instant would say.
    pub ended: u128,
}

impl Span {
    /// Adds.
    pub fn merge(&mut self, other: Self) {
        let Self { share, whole, ended } = other;
        self.share += share;
        self.whole += whole;
        self.ended += ended;
    }
}

/// Which slots there are, and what is wanted of them.
pub(super) struct Spreading<'a> {
    pub(super) rules: &'a Rules,
    pub(super) cursor: &'a mut Cursor,
    pub(super) slots: &'a mut Slots,
    /// Whether some view keeps the bounds.
    pub(super) bounded: bool,
}

/// One flow of one record.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Bytes per slot number, in order of time; the last is the slot of the end, which counts the request, unless
    /// that one is outside the limits.
    pub(super) slots: Vec<(u32, u64)>,
    /// For bounded views: what fell outside the limits, and the slots that were touched if there are several.
    pub(super) outside: u128,
    pub(super) spans: Vec<(u32, Span)>,
    /// Bytes inside the limits.
    pub(super) kept: u64,
}

impl Shares {
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.spans.clear();
        self.outside = 0;
        self.kept = 0;
    }

    /// All bytes to one slot, which counts the request.
    #[inline]
    pub(super) fn put(&mut self, number: u32, bytes: u64) {
        self.clear();
        self.slots.push((number, bytes));
    }

    /// Spreads `bytes`, the slots outside the limits left out; true if the slot of the end is inside.
    #[inline]
    pub(super) fn fill(
        &mut self,
        spreading: &mut Spreading<'_>,
        bytes: u64,
        start: Timestamp,
        end: Timestamp,
    ) -> bool {
        let Spreading { rules, cursor, slots, bounded } = spreading;
        let last = cursor.slot(end);
        spread(rules.scheme, bytes, start, end, cursor, &mut |slot, share| {
            if is_inside(rules, slot) {
                self.slots.push((slots.number(slot), share));
                self.kept = self.kept.saturating_add(share);
            } else {
                self.outside += u128::from(share);
            }
        });
        if *bounded && bytes > 0 {
            self.bound(spreading, bytes, start, end);
        }
        is_inside(spreading.rules, last)
    }

    /// Notes the slots that were touched, if there are several: in a single one all schemes agree.
    fn bound(&mut self, spreading: &mut Spreading<'_>, bytes: u64, start: Timestamp, end: Timestamp) {
        let Spreading { rules, cursor, slots, .. } = spreading;
        let last = cursor.slot(end);
        let mut shares = self.slots.iter().peekable();
        touched(start, end, cursor, &mut |slot| {
            if !is_inside(rules, slot) {
                return;
            }
            let number = slots.number(slot);
            let share = shares.next_if(|(at, _)| *at == number).map_or(0, |(_, share)| *share);
            let ended = if slot == last { bytes } else { 0 };
            let span = Span { share: share.into(), whole: bytes.into(), ended: ended.into() };
            self.spans.push((number, span));
        });
    }

    /// Makes the slot of the end the last share, with 0 bytes if the scheme gives it none.
    #[inline]
    pub(super) fn end_in(&mut self, slots: &mut Slots, last: Slot) {
        let number = slots.number(last);
        if self.slots.last().is_none_or(|&(slot, _)| slot != number) {
            self.slots.push((number, 0));
        }
    }
}

/// True if a slot begins within the limits, where these cut slots.
#[inline]
pub(super) fn is_inside(rules: &Rules, slot: Slot) -> bool {
    let start = Timestamp::from_seconds(slot.start);
    rules.cut == Cut::Records
        || rules.since.is_none_or(|since| since <= start) && rules.until.is_none_or(|until| start < until)
}

/// The bounds of a sample under other schemes than that of the rules.
impl Span {
    /// What a sample would be under another scheme; only the three that can be told from a span.
    pub fn under(&self, scheme: Scheme, sample: u128) -> Option<u128> {
        let single = sample.saturating_sub(self.share);
        match scheme {
            Scheme::MinimumVolume => Some(single),
            Scheme::MaximumVolume => Some(single + self.whole),
            Scheme::EndSpike => Some(single + self.ended),
            _ => None,
        }
    }
}
