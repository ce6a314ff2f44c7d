//! Which side of a comparison a record is on.

use crate::time::Timestamp;

/// What is set against what. A record is on one side, on both where periods overlap, or on none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sides {
    /// Two periods: records by their end; one without a time is on no side.
    Periods {
        /// What is compared with.
        before: Range,
        /// What is asked about.
        after: Range,
    },
    /// Two sets of inputs: the side of each, by its number.
    Inputs(Vec<Side>),
}

/// A half-open stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first instant inside.
    pub since: Timestamp,
    /// The first instant after.
    pub until: Timestamp,
}

/// A side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What is compared with.
    Before = 1,
    /// What is asked about.
    After = 2,
    /// Both: the periods overlap there.
    Both = 3,
}

impl Sides {
    /// The side of a record of an input.
    #[inline]
    pub fn of(&self, input: u32, end: Option<Timestamp>) -> Option<Side> {
        match self {
            Self::Periods { before, after } => {
                let end = end?;
                match (before.contains(end), after.contains(end)) {
                    (true, true) => Some(Side::Both),
                    (true, false) => Some(Side::Before),
                    (false, true) => Some(Side::After),
                    (false, false) => None,
                }
            }
            Self::Inputs(sides) => sides.get(input as usize).copied(),
        }
    }
}

impl Range {
    /// True for an instant inside.
    #[inline]
    pub fn contains(self, time: Timestamp) -> bool {
        self.since <= time && time < self.until
    }

    /// Whole seconds, what is left of one taken for one.
    pub fn seconds(self) -> u64 {
        if self.until <= self.since { 0 } else { self.since.0.abs_diff(self.until.0).div_ceil(1_000_000) }
    }

    /// What both share; empty if nothing.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let since = self.since.max(other.since);
        Self { since, until: self.until.min(other.until).max(since) }
    }
}

impl Side {
    /// Its number as the value of a view's group.
    #[inline]
    pub(super) fn number(self) -> u8 {
        self as u8
    }

    /// The side that the value of a view's group stands for.
    pub fn of_value(value: Option<&[u8]>) -> Option<Self> {
        match value {
            Some([1]) => Some(Self::Before),
            Some([2]) => Some(Self::After),
            Some([3]) => Some(Self::Both),
            _ => None,
        }
    }

    /// True for what is compared with.
    pub fn is_before(self) -> bool {
        self != Self::After
    }

    /// True for what is asked about.
    pub fn is_after(self) -> bool {
        self != Self::Before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_sides() {
        let range = |since, until| Range { since: Timestamp(since), until: Timestamp(until) };
        let periods = Sides::Periods { before: range(10, 20), after: range(15, 30) };
        let check = |time: Option<i64>, expected| assert_eq!(periods.of(0, time.map(Timestamp)), expected);
        check(None, None);
        check(Some(9), None);
        check(Some(10), Some(Side::Before));
        check(Some(14), Some(Side::Before));
        check(Some(15), Some(Side::Both));
        check(Some(19), Some(Side::Both));
        check(Some(20), Some(Side::After));
        check(Some(29), Some(Side::After));
        check(Some(30), None);
        let inputs = Sides::Inputs(vec![Side::After, Side::Before]);
        assert_eq!(inputs.of(0, None), Some(Side::After));
        assert_eq!(inputs.of(1, None), Some(Side::Before));
        assert_eq!(inputs.of(2, None), None);
        for side in [Side::Before, Side::After, Side::Both] {
            assert_eq!(Side::of_value(Some(&[side.number()])), Some(side));
        }
        assert_eq!(range(10, 20).and(range(15, 30)), range(15, 20));
        assert_eq!(range(10, 20).and(range(25, 30)).seconds(), 0);
        assert_eq!(range(i64::MIN, i64::MAX).seconds(), 18_446_744_073_710);
    }
}
