//! Ranges in any order → runs. Of the ranges around an address the one that begins last says what is known of it, and of
//! those that begin together the narrowest: for networks that is the longest prefix.
//!
//! ```text
//! |-------- A --------|
//!     |- B -|    |--- C ---|             A B A C
//! ```
//!
//! Ranges that overlap in part, as A and C do, are in files that people have, so they are no error; equal ranges that
//! say different things are.

use std::cmp::Reverse;

use super::rows::Trouble;
use crate::place::runs::{Address, NONE, Runs};

/// One row: what its line says of `first..=last`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range<A> {
    pub(super) first: A,
    pub(super) last: A,
    /// The record's number, or [`NONE`].
    pub(super) key: u32,
    pub(super) line: u32,
}

/// The runs that the ranges amount to.
pub(super) fn runs<A: Address>(mut ranges: Vec<Range<A>>) -> Result<Runs<A>, Trouble> {
    // Stable, so that of two equal ranges the earlier line comes first. Most files are in order already.
    ranges.sort_by_key(|range| (range.first, Reverse(range.last)));
    let mut runs = Runs::new();
    // Those that have begun and may not have ended; the last says what is known.
    let mut open: Vec<Range<A>> = Vec::new();
    for range in ranges {
        if let Some(equal) = open.last().filter(|last| (last.first, last.last) == (range.first, range.last))
            && equal.key != range.key
        {
            let what = format!("this range is that of line {} and says something else", equal.line);
            return Err(Trouble { line: range.line, column: 1, what });
        }
        close(&mut open, Some(range.first), &mut runs);
        runs.begin(range.first, range.key);
        open.push(range);
    }
    close(&mut open, None, &mut runs);
    Ok(runs)
}

/// Ends the ranges that say what is known and end before an address: behind each, one that began earlier goes on.
fn close<A: Address>(open: &mut Vec<Range<A>>, before: Option<A>, runs: &mut Runs<A>) {
    while let Some(ended) = open.pop_if(|range| before.is_none_or(|first| range.last < first)) {
        if let Some(after) = ended.last.next() {
            while open.pop_if(|range| range.last < after).is_some() {}
            runs.begin(after, open.last().map_or(NONE, |range| range.key));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges(texts: &[(u32, u32, u32)]) -> Vec<Range<u32>> {
        (1..).zip(texts).map(|(line, &(first, last, key))| Range { first, last, key, line }).collect()
    }

    fn naive(ranges: &[Range<u32>], address: u32) -> u32 {
        let around = ranges.iter().filter(|range| range.first <= address && address <= range.last);
        around.max_by_key(|range| (range.first, Reverse(range.last))).map_or(NONE, |range| range.key)
    }

    #[test]
    fn narrow_ranges_cut_wide_ones() {
        let check = |texts: &[(u32, u32, u32)], expected: &[(u32, u32)]| {
            let runs = runs(ranges(texts)).unwrap();
            assert_eq!(runs.iter().collect::<Vec<_>>(), expected, "{texts:?}");
        };
        check(&[], &[(0, NONE)]);
        check(&[(5, 9, 1), (0, 3, 2)], &[(0, 2), (4, NONE), (5, 1), (10, NONE)]);
        check(&[(0, 9, 1), (2, 3, 2)], &[(0, 1), (2, 2), (4, 1), (10, NONE)]);
        check(&[(0, 9, 1), (2, 9, 2)], &[(0, 1), (2, 2), (10, NONE)]);
        check(&[(0, 9, 1), (0, 9, 1)], &[(0, 1), (10, NONE)]);
        check(&[(0, 9, 1), (5, 12, 1)], &[(0, 1), (13, NONE)]);
        check(&[(0, 9, 1), (5, 12, 2)], &[(0, 1), (5, 2), (13, NONE)]);
        check(&[(0, 9, 1), (0, 20, 2), (5, 12, 1)], &[(0, 1), (13, 2), (21, NONE)]);
        check(&[(0, u32::MAX, 1), (7, u32::MAX, NONE)], &[(0, 1), (7, NONE)]);
    }

    #[test]
    fn a_contradiction_names_both_lines() {
        let trouble = runs(ranges(&[(20, 30, 1), (0, 9, 1), (20, 30, 1), (0, 9, 2)])).unwrap_err();
        assert_eq!((trouble.line, trouble.column), (4, 1));
        assert_eq!(trouble.what, "this range is that of line 2 and says something else");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn the_sweep_asks_the_last_to_begin(
            texts in prop::collection::vec((0_u32..24, 0_u32..12, 0_u32..3), 0..6),
        ) {
            let texts: Vec<_> =
                texts.into_iter().map(|(first, length, key)| (first, first + length, key)).collect();
            let ranges = ranges(&texts);
            let contradict = |a: &Range<u32>, b: &Range<u32>| {
                (a.first, a.last) == (b.first, b.last) && a.key != b.key
            };
            let contradiction = ranges.iter().any(|a| ranges.iter().any(|b| contradict(a, b)));
            match runs(ranges.clone()) {
                Ok(runs) => for address in 0..40 {
                    prop_assert_eq!(runs.get(address), naive(&ranges, address), "{}", address);
                },
                Err(_) => prop_assert!(contradiction),
            }
            prop_assert!(contradiction == runs(ranges).is_err());
        }
    }
}
