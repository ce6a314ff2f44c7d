//! All addresses of one family, cut into runs that share a value.

use std::net::IpAddr;

/// The value of addresses that nothing is known of.
pub(super) const NONE: u32 = u32::MAX;

/// An address as a number: `u32` for IPv4, `u128` for IPv6.
pub(super) trait Address: Copy + Ord + Send + Sync {
    /// The lowest.
    const LOWEST: Self;
    /// The next higher one; none after the highest.
    fn next(self) -> Option<Self>;
}

impl Address for u32 {
    const LOWEST: Self = 0;

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Address for u128 {
    const LOWEST: Self = 0;

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// Every address has the value of the last run that begins at or before it. Neighbouring runs differ, so two tables
/// that answer alike are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Runs<A> {
    firsts: Vec<A>,
    values: Vec<u32>,
}

impl<A: Address> Runs<A> {
    /// Nothing is known of any address.
    pub(super) fn new() -> Self {
        Self { firsts: vec![A::LOWEST], values: vec![NONE] }
    }

    /// The table of these runs, if that is what they are.
    pub(super) fn of(firsts: Vec<A>, values: Vec<u32>) -> Option<Self> {
        let begin = firsts.len() == values.len() && firsts.first() == Some(&A::LOWEST);
        let ascend = firsts.is_sorted_by(|first, next| first < next);
        let differ = values.is_sorted_by(|value, next| value != next);
        (begin && ascend && differ).then_some(Self { firsts, values })
    }

    /// Gives `first..=last` a value. Only for ascending ranges: what lies before `first` is settled.
    pub(super) fn push(&mut self, first: A, last: A, value: u32) {
        self.begin(first, value);
        if let Some(after) = last.next() {
            self.begin(after, NONE);
        }
    }

    /// Gives all addresses from `first` a value.
    pub(super) fn begin(&mut self, first: A, value: u32) {
        while self.firsts.last().is_some_and(|&last| last >= first) {
            self.firsts.pop();
            self.values.pop();
        }
        if self.values.last() != Some(&value) {
            self.firsts.push(first);
            self.values.push(value);
        }
    }

    /// The value of an address.
    pub(super) fn get(&self, address: A) -> u32 {
        self.values[self.firsts.partition_point(|&first| first <= address) - 1]
    }

    /// First address and value of every run, ascending; the first begins at the lowest address.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (A, u32)> {
        self.firsts.iter().copied().zip(self.values.iter().copied())
    }

    /// The same with other values: where these are equal, neighbours become one.
    pub(super) fn map(&self, value: impl Fn(u32) -> u32) -> impl Iterator<Item = (A, u32)> {
        let mut before = None;
        let mapped = self.iter().map(move |(first, old)| (first, value(old)));
        mapped.filter(move |&(_, value)| before.replace(value) != Some(value))
    }

    /// How many runs there are: at least one.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// One sweep over several tables: `combine` turns their values from an address on into one.
    pub(super) fn join(tables: &[Self], mut combine: impl FnMut(A, &[u32]) -> u32) -> Self {
        let mut joined = Self { firsts: Vec::new(), values: Vec::new() };
        let mut next = vec![0; tables.len()];
        let mut values = vec![NONE; tables.len()];
        let mut first = Some(A::LOWEST);
        while let Some(from) = first {
            first = None;
            for ((table, next), value) in tables.iter().zip(&mut next).zip(&mut values) {
                if table.firsts.get(*next) == Some(&from) {
                    *value = table.values[*next];
                    *next += 1;
                }
                if let Some(&later) = table.firsts.get(*next) {
                    first = Some(first.map_or(later, |earliest: A| earliest.min(later)));
                }
            }
            joined.begin(from, combine(from, &values));
        }
        joined
    }
}

/// The value of an address in the table of its family.
pub(super) fn find(v4: &Runs<u32>, v6: &Runs<u128>, address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => v4.get(address.to_bits()),
        IpAddr::V6(address) => v6.get(address.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn runs(ranges: &[(u32, u32, u32)]) -> Runs<u32> {
        let mut runs = Runs::new();
        for &(first, last, value) in ranges {
            runs.push(first, last, value);
        }
        runs
    }

    #[test]
    fn ranges_become_runs() {
        let check = |ranges: &[(u32, u32, u32)], expected: &[(u32, u32)]| {
            assert_eq!(runs(ranges).iter().collect::<Vec<_>>(), expected, "{ranges:?}");
        };
        check(&[], &[(0, NONE)]);
        check(&[(0, u32::MAX, 1)], &[(0, 1)]);
        check(&[(5, 9, 1)], &[(0, NONE), (5, 1), (10, NONE)]);
        check(&[(5, 9, 1), (10, 12, 1)], &[(0, NONE), (5, 1), (13, NONE)]);
        check(&[(5, 9, 1), (10, 12, 2)], &[(0, NONE), (5, 1), (10, 2), (13, NONE)]);
        check(&[(5, 9, 1), (20, u32::MAX, NONE)], &[(0, NONE), (5, 1), (10, NONE)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_join_asks_every_table(
            tables in prop::collection::vec(prop::collection::btree_map(0_u32..30, 0_u32..3, 0..8), 0..4),
        ) {
            let tables: Vec<Runs<u32>> = tables
                .iter()
                .map(|table| {
                    let mut runs = Runs::new();
                    for (&first, &value) in table {
                        runs.begin(first, value);
                    }
                    runs
                })
                .collect();
            let code = |values: &[u32]| {
                values.iter().fold(0, |code: u32, &value| code * 5 + value.wrapping_add(1))
            };
            let joined = Runs::join(&tables, |_, values| code(values));
            for address in (0..40).chain([u32::MAX]) {
                let values: Vec<u32> = tables.iter().map(|table| table.get(address)).collect();
                prop_assert_eq!(joined.get(address), code(&values));
            }
            prop_assert!(joined.values.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }
}
