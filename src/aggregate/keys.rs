//! Tuples of values ↔ numbers of groups.
//!
//! A tuple is a path: the number of its first value, joined with the second value, is a number again, which is joined with
//! the third. Each join is a table of pairs: dense while few numbers meet few others, as data centres meet regions, and
//! hashed from then on.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::room;
use super::view::Key;

/// Cells of a dense table of pairs at most: 256 KiB, which stay in the processor's own memory.
const DENSE_MAX: usize = 1 << 16;

/// A pair that was not met yet.
const UNSEEN: u32 = u32::MAX;

/// The groups of one view.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    /// One join per dimension; the first joins with nothing.
    joins: Vec<Join>,
}

/// Pairs of a number and a value ↔ numbers.
#[derive(Debug, Clone, Default)]
struct Join {
    /// By number.
    pairs: Vec<(u32, u32)>,
    /// Number of the pair (left, right) at `left * stride + right`, or [`UNSEEN`]; empty once it would be too large.
    dense: Vec<u32>,
    stride: usize,
    hashed: HashTable<(u32, u32, u32)>,
    hasher: RandomState,
}

impl Keys {
    /// Keys of so many values.
    pub(super) fn new(dimensions: usize) -> Self {
        Self { joins: vec![Join::default(); dimensions.max(1)] }
    }

    /// True for keys of nobody knows how many values.
    pub(super) fn is_unset(&self) -> bool {
        self.joins.is_empty()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.joins.last().map_or(0, |join| join.pairs.len())
    }

    /// All numbers, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.len()).expect("numbers are handed out in 32 bits")
    }

    /// The number of a key, new or known.
    #[inline]
    pub(super) fn number(&mut self, key: &Key) -> u32 {
        self.joins.iter_mut().zip(key).fold(0, |left, (join, &right)| join.number(left, right))
    }

    /// Forgets all keys, keeps the room for as many.
    pub(super) fn clear(&mut self) {
        for Join { pairs, dense, stride: _, hashed, hasher: _ } in &mut self.joins {
            pairs.clear();
            dense.fill(UNSEEN);
            hashed.clear();
        }
    }

    /// Bytes of memory, see [`room`].
    pub(super) fn memory(&self) -> usize {
        let of = |join: &Join| {
            let Join { pairs, dense, stride: _, hashed, hasher: _ } = join;
            room::list(pairs) + room::list(dense) + room::table(hashed)
        };
        self.joins.iter().map(of).sum()
    }

    /// The number of a key without its last value.
    pub(super) fn stem(&self, number: u32) -> u32 {
        self.joins.last().map_or(0, |join| join.pairs[number as usize].0)
    }

    /// The key of a number.
    pub(super) fn get(&self, number: u32) -> Key {
        let mut key = Key::default();
        let mut number = number;
        for (join, value) in self.joins.iter().zip(&mut key).rev() {
            (number, *value) = join.pairs[number as usize];
        }
        key
    }
}

impl Join {
    #[inline]
    fn number(&mut self, left: u32, right: u32) -> u32 {
        let at = left as usize * self.stride + right as usize;
        if (right as usize) < self.stride
            && let Some(&number) = self.dense.get(at)
            && number != UNSEEN
        {
            return number;
        }
        self.find(left, right)
    }

    #[inline]
    fn find(&mut self, left: u32, right: u32) -> u32 {
        if self.stride > 0 || self.pairs.is_empty() {
            return self.meet(left, right);
        }
        let hash = self.hasher.hash_one(packed(left, right));
        match self.hashed.find(hash, |&(l, r, _)| (l, r) == (left, right)) {
            Some(&(_, _, number)) => number,
            None => self.add_hashed(left, right),
        }
    }

    /// A pair that the dense table does not have.
    #[cold]
    fn meet(&mut self, left: u32, right: u32) -> u32 {
        let stride = self.stride.max((right as usize + 1).next_power_of_two());
        let rows = self.dense.len().checked_div(self.stride).unwrap_or(0);
        let rows = rows.max((left as usize + 1).next_power_of_two());
        // A first value joins with nothing: its table is a list.
        if rows > 1 && rows.saturating_mul(stride) > DENSE_MAX {
            (self.dense, self.stride) = (Vec::new(), 0);
            for (number, &(left, right)) in (0..).zip(&self.pairs) {
                insert(&mut self.hashed, &self.hasher, (left, right, number));
            }
            return self.add_hashed(left, right);
        }
        if stride > self.stride {
            self.dense = vec![UNSEEN; rows * stride];
            self.stride = stride;
            for (number, &(left, right)) in (0..).zip(&self.pairs) {
                self.dense[left as usize * stride + right as usize] = number;
            }
        } else {
            self.dense.resize(rows * stride, UNSEEN);
        }
        let number = self.next();
        self.dense[left as usize * stride + right as usize] = number;
        self.pairs.push((left, right));
        number
    }

    fn add_hashed(&mut self, left: u32, right: u32) -> u32 {
        let number = self.next();
        insert(&mut self.hashed, &self.hasher, (left, right, number));
        self.pairs.push((left, right));
        number
    }

    fn next(&self) -> u32 {
        u32::try_from(self.pairs.len()).expect("fewer groups than 2³²: memory ends first")
    }
}

fn packed(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

fn insert(table: &mut HashTable<(u32, u32, u32)>, hasher: &RandomState, pair: (u32, u32, u32)) {
    let hash = |&(left, right, _): &(u32, u32, u32)| hasher.hash_one(packed(left, right));
    table.insert_unique(hash(&pair), pair, hash);
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::query::dimension::DIMENSIONS_MAX;

    fn value() -> impl Strategy<Value = u32> {
        prop_oneof![0_u32..4, 0_u32..400, 0_u32..70_000]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn every_key_has_one_number(
            dimensions in 0..=DIMENSIONS_MAX,
            values in prop::collection::vec([value(), value(), value(), value(), value()], 1..60),
        ) {
            let mut keys = Keys::new(dimensions);
            let mut known = HashMap::new();
            for values in values {
                let mut key = Key::default();
                key[..dimensions].copy_from_slice(&values[..dimensions]);
                let next = u32::try_from(known.len()).expect("few");
                let expected = *known.entry(key).or_insert(next);
                prop_assert_eq!(keys.number(&key), expected);
                prop_assert_eq!(keys.number(&key), expected);
                prop_assert_eq!(keys.get(expected), key);
            }
            prop_assert_eq!(keys.len(), known.len());
        }
    }
}
