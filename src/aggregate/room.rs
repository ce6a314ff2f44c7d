//! How much memory collections take, their next growth included.
//!
//! A table that grows holds the old and the new for a moment, three times what it had; a list is copied. Counting that
//! before it happens keeps a promise about peaks. Lists count by what was written: memory that was never touched is not
//! taken.

use std::hash::{BuildHasher, Hash};

use hashbrown::{HashMap, HashSet, HashTable};

/// Entries that a block of lines may add at most, roughly: a collection with less room is about to grow.
const NEAR: usize = 1 << 14;

/// Bytes of a list.
pub(super) fn list<T>(list: &Vec<T>) -> usize {
    let used = size_of_val(list.as_slice());
    if is_near(list.len(), list.capacity()) { 2 * used } else { used }
}

/// Bytes of a table.
pub(super) fn table<T>(table: &HashTable<T>) -> usize {
    let size = table.allocation_size();
    if is_near(table.len(), table.capacity()) { 3 * size } else { size }
}

/// Bytes of a map.
pub(super) fn map<K: Eq + Hash, V, S: BuildHasher>(map: &HashMap<K, V, S>) -> usize {
    let size = map.allocation_size();
    if is_near(map.len(), map.capacity()) { 3 * size } else { size }
}

/// Bytes of a set.
pub(super) fn set<T: Eq + Hash, S: BuildHasher>(set: &HashSet<T, S>) -> usize {
    let size = set.allocation_size();
    if is_near(set.len(), set.capacity()) { 3 * size } else { size }
}

fn is_near(length: usize, capacity: usize) -> bool {
    capacity - length < NEAR.min(capacity / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_to_grow_counts_as_grown() {
        let mut numbers: Vec<u64> = Vec::with_capacity(1 << 16);
        assert_eq!(list(&numbers), 0);
        numbers.resize(1 << 15, 0);
        assert_eq!(list(&numbers), 8 << 15);
        numbers.resize((1 << 16) - NEAR + 1, 0);
        assert_eq!(list(&numbers), 2 * 8 * ((1 << 16) - NEAR + 1));
        let mut table: HashTable<u64> = HashTable::with_capacity(7 << 14);
        assert_eq!(super::table(&table), table.allocation_size());
        for number in 0..(7 << 14) {
            table.insert_unique(number, number, |number| *number);
        }
        assert_eq!(super::table(&table), 3 * table.allocation_size());
    }
}
