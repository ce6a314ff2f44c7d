//! IPv4: a table by the first two bytes; where these do not decide, a block by the third; where the third does not,
//! a list by the fourth.
//!
//! ```text
//! roots[65,536] ─ value
//!               └ block[256] ─ value
//!                            └ list: count low low low │ low low low low │ … │ value value value …
//! ```
//!
//! A list says from which last byte on which value holds. It lies in one piece, count and last bytes packed four to
//! a word, so that a lookup waits for memory three times at most. The first value holds from 0 on, which is not
//! written; unused bytes are 0xFF.

use super::{NONE, POINTER, Runs, is_value, put, put_length, take, take_length};

const ROOTS: usize = 1 << 16;

/// The value of every IPv4 address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::place) struct V4 {
    /// By the first two bytes: a value, or [`POINTER`] plus the number of a block.
    roots: Box<[u32; ROOTS]>,
    /// By the third byte: a value, or [`POINTER`] plus the place of a list.
    blocks: Vec<[u32; 256]>,
    lists: Vec<u32>,
}

impl V4 {
    /// One pass over runs, from the lowest address on, whose values are [`NONE`] or below [`POINTER`].
    pub(in crate::place) fn new(runs: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut roots = Vec::with_capacity(ROOTS);
        let (mut blocks, mut lists) = (Vec::new(), Vec::new());
        let mut rest = Rest { value: NONE, next: None, runs };
        rest.step();
        for first in (0..=u32::MAX).step_by(1 << 16) {
            rest.reach(first);
            if rest.is_whole(first | 0xFFFF) {
                roots.push(rest.value);
                continue;
            }
            roots.push(pointer(blocks.len()));
            let mut block = [0; 256];
            for (entry, first) in block.iter_mut().zip((first..=first | 0xFFFF).step_by(1 << 8)) {
                rest.reach(first);
                *entry = if rest.is_whole(first | 0xFF) {
                    rest.value
                } else {
                    let at = lists.len();
                    rest.list(first | 0xFF, &mut lists);
                    pointer(at)
                };
            }
            blocks.push(block);
        }
        blocks.shrink_to_fit();
        lists.shrink_to_fit();
        let roots = roots.into_boxed_slice().try_into().expect("one root for every two bytes");
        Self { roots, blocks, lists }
    }

    /// The value of an address.
    #[inline]
    pub(in crate::place) fn get(&self, address: u32) -> u32 {
        let entry = self.roots[(address >> 16) as usize];
        if entry < POINTER {
            return entry;
        }
        // The bounds check is also what finds NONE.
        let Some(block) = self.blocks.get((entry ^ POINTER) as usize) else { return NONE };
        let entry = block[(address >> 8 & 0xFF) as usize];
        if entry < POINTER {
            return entry;
        }
        let at = (entry ^ POINTER) as usize;
        let Some(&header) = self.lists.get(at) else { return NONE };
        let (count, words) = shape(header);
        let low = (address & 0xFF) * EACH;
        let lows = &self.lists[at + 1..at + words];
        let passed = lows.iter().fold(up_to(header | 0xFF, low), |passed, &word| passed + up_to(word, low));
        self.lists[at + words + count.min(passed as usize)]
    }

    /// The runs that it was made from.
    pub(in crate::place) fn runs(&self) -> Runs<u32> {
        let mut runs = Runs::new();
        for (&entry, first) in self.roots.iter().zip((0..=u32::MAX).step_by(1 << 16)) {
            let Some(block) = entry.checked_sub(POINTER).and_then(|at| self.blocks.get(at as usize)) else {
                runs.begin(first, entry);
                continue;
            };
            for (&entry, first) in block.iter().zip((first..=first | 0xFFFF).step_by(1 << 8)) {
                let Some((lows, values)) = entry.checked_sub(POINTER).and_then(|at| self.list(at)) else {
                    runs.begin(first, entry);
                    continue;
                };
                let lows = [0].into_iter().chain(bytes_of(lows).skip(1));
                lows.zip(values).for_each(|(low, &value)| runs.begin(first | u32::from(low), value));
            }
        }
        runs
    }

    /// Memory taken.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.roots) + size_of_val(&*self.blocks) + size_of_val(&*self.lists)
    }

    /// Appends the form that [`Self::read`] reads.
    pub(in crate::place) fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.bytes() + 8);
        put_length(out, self.blocks.len());
        put_length(out, self.lists.len());
        for entries in [self.roots.as_slice(), self.blocks.as_flattened(), &self.lists] {
            put(out, entries, u32::to_le_bytes);
        }
    }

    /// What [`Self::write`] wrote, if it can only lead to values below `records` and [`NONE`].
    pub(in crate::place) fn read(bytes: &mut &[u8], records: u32) -> Option<Self> {
        let (blocks, lists) = (take_length(bytes)?, take_length(bytes)?);
        let entry = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
        let roots = take(bytes, ROOTS, entry)?.into_boxed_slice().try_into().ok()?;
        let blocks = take(bytes, blocks, |bytes: &[u8; 1024]| {
            let mut block = [0; 256];
            block.iter_mut().zip(bytes.as_chunks().0).for_each(|(to, from)| *to = entry(from));
            block
        })?;
        let lists = take(bytes, lists, entry)?;
        let table = Self { roots, blocks, lists };
        table.holds(records).then_some(table)
    }

    /// Whether all values are fit and the blocks and lists are those that the entries lead to, each once and in order.
    fn holds(&self, records: u32) -> bool {
        let (mut next_block, mut next_list) = (0, 0);
        records <= POINTER
            && are_valid(&*self.roots, records, |at| {
                next_block += 1;
                at as usize == next_block - 1
            })
            && self.blocks.len() == next_block
            && self.blocks.iter().all(|block| {
                are_valid(block, records, |at| match self.list(at) {
                    Some((lows, values)) if at as usize == next_list => {
                        next_list += lows.len() + values.len();
                        is_list(lows, values, records)
                    }
                    _ => false,
                })
            })
            && self.lists.len() == next_list
    }

    /// Packed last bytes and the values of a list.
    fn list(&self, at: u32) -> Option<(&[u32], &[u32])> {
        let list = self.lists.get(at as usize..)?;
        let (count, words) = shape(*list.first()?);
        list.get(..=words + count).map(|list| list.split_at(words))
    }
}

/// Runs on their way into a table.
struct Rest<I> {
    /// What holds at the address reached.
    value: u32,
    next: Option<(u32, u32)>,
    runs: I,
}

impl<I: Iterator<Item = (u32, u32)>> Rest<I> {
    fn step(&mut self) {
        self.next = self.runs.next();
    }

    fn reach(&mut self, address: u32) {
        if let Some((first, value)) = self.next
            && first <= address
        {
            self.value = value;
            self.step();
        }
    }

    /// Whether all addresses to `last` have one value.
    fn is_whole(&self, last: u32) -> bool {
        self.next.is_none_or(|(first, _)| first > last)
    }

    /// Writes the runs that begin within the 256 addresses to `last`.
    fn list(&mut self, last: u32, lists: &mut Vec<u32>) {
        let (mut lows, mut values) = ([0xFF; 256], [self.value; 256]);
        let mut count = 0;
        while let Some((first, value)) = self.next
            && first <= last
        {
            count += 1;
            [lows[count], ..] = first.to_le_bytes();
            values[count] = value;
            self.value = value;
            self.step();
        }
        lows[0] = u8::try_from(count).expect("256 addresses change 255 times");
        let (_, words) = shape(u32::from(lows[0]));
        lists.extend(lows.as_chunks().0[..words].iter().map(|bytes| u32::from_le_bytes(*bytes)));
        lists.extend(&values[..=count]);
    }
}

fn pointer(at: usize) -> u32 {
    // A list takes at most three words for each run that begins in it, so all lists take less than 2²⁸.
    POINTER | u32::try_from(at).expect("RUNS_MAX bounds blocks and lists")
}

/// How many last bytes a list has and in how many words they are, of its first word.
fn shape(header: u32) -> (usize, usize) {
    let count = (header & 0xFF) as usize;
    (count, count / 4 + 1)
}

/// A one in each byte of a word.
const EACH: u32 = 0x0101_0101;
const HIGH_BITS: u32 = EACH << 7;

/// How many bytes of a word are not above a byte, which is given four times.
fn up_to(word: u32, low: u32) -> u32 {
    let low_bits = (low | HIGH_BITS) - (word & !HIGH_BITS);
    let passed = (low & !word | !(low ^ word) & low_bits) & HIGH_BITS;
    (passed >> 7).wrapping_mul(EACH) >> 24
}

fn bytes_of(words: &[u32]) -> impl Iterator<Item = u8> {
    words.iter().flat_map(|word| word.to_le_bytes())
}

/// Whether all entries are values or pointers of which `follows` approves, asked in order.
fn are_valid(entries: &[u32], records: u32, mut follows: impl FnMut(u32) -> bool) -> bool {
    // Without a branch, as most blocks have no pointer.
    let values = entries.iter().fold(true, |values, &entry| values & is_value(entry, records));
    values
        || entries
            .iter()
            .all(|&entry| is_value(entry, records) || entry >= POINTER && follows(entry ^ POINTER))
}

fn is_list(lows: &[u32], values: &[u32], records: u32) -> bool {
    let count = values.len() - 1;
    let mut last = 0;
    count > 0
        && values.iter().all(|&value| is_value(value, records))
        && bytes_of(lows).skip(1).enumerate().all(|(index, low)| {
            let ascends = low > last;
            last = low;
            if index < count { ascends } else { low == 0xFF }
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::place::flat::tests::{corrupt, corruptions, runs};

    fn starts() -> impl Strategy<Value = Vec<(u32, u32)>> {
        let value = prop_oneof![Just(NONE), 0_u32..4, Just(POINTER - 1)];
        // Far apart, within one /16, within one /24, and at both ends.
        let offsets = prop_oneof![Just(u32::MAX), Just(0xFFFF), Just(0xFF)];
        let start = (prop_oneof![Just(0), Just(0xC000_0200), Just(u32::MAX)], offsets, any::<u32>())
            .prop_map(|(base, mask, offset)| base & !mask | offset & mask);
        prop::collection::vec((prop_oneof![8 => start, 1 => Just(u32::MAX)], value), 0..80)
    }

    fn check(runs: &Runs<u32>) {
        let table = V4::new(runs.iter());
        for (first, _) in runs.iter() {
            for address in [first.wrapping_sub(1), first, first.wrapping_add(1), first ^ 0x1234_5678] {
                assert_eq!(table.get(address), runs.get(address), "{address:#x} {runs:?}");
            }
        }
        assert_eq!(&table.runs(), runs);
        let mut bytes = Vec::new();
        table.write(&mut bytes);
        bytes.push(7);
        let mut rest = bytes.as_slice();
        assert_eq!(V4::read(&mut rest, POINTER), Some(table));
        assert_eq!(rest, [7], "it takes what it wrote");
    }

    #[test]
    fn tables_answer_as_the_runs_do() {
        check(&Runs::new());
        check(&runs([(0, 5)]));
        check(&runs([(0, 0), (u32::MAX, 1)]));
        check(&runs([(0x0101_0101, 1), (0x0101_0102, 2)]));
        check(&runs((0..=255).map(|low| (0x7F00_0100 | low, low))));
        check(&runs((0..=255).map(|third| (0x7F00_0000 | third << 8, third))));
        check(&runs((0..65_536).map(|low| (0x7F00_0000 | low, low % 3))));
    }

    #[test]
    fn bytes_are_compared_one_by_one() {
        for low in 0..=255_u8 {
            for byte in 0..=255_u8 {
                let word = [byte, low, byte.wrapping_mul(7), !byte];
                let slow = word.iter().filter(|&&byte| byte <= low).count();
                let fast = up_to(u32::from_le_bytes(word), u32::from(low) * EACH);
                assert_eq!(fast as usize, slow, "{word:?} {low}");
            }
        }
    }

    #[test]
    fn values_beyond_the_records_are_refused() {
        let mut bytes = Vec::new();
        V4::new(runs([(0, 1), (1, 2), (0x0100_0000, 3), (0x0200_0000, 4), (0x0200_0100, 5)]).iter())
            .write(&mut bytes);
        assert_eq!(V4::read(&mut bytes.as_slice(), 5), None);
        assert!(V4::read(&mut bytes.as_slice(), 6).is_some());
        assert_eq!(V4::read(&mut &bytes[..bytes.len() - 1], 6), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn tables_answer_as_any_runs_do(starts in starts(), addresses in prop::array::uniform16(any::<u32>())) {
            let runs = runs(starts);
            check(&runs);
            let table = V4::new(runs.iter());
            for address in addresses {
                prop_assert_eq!(table.get(address), runs.get(address));
            }
        }

        #[test]
        fn corrupt_tables_are_refused_or_harmless(
            starts in starts(),
            corruptions in corruptions(),
            addresses in prop::array::uniform16(any::<u32>()),
        ) {
            let runs = runs(starts.into_iter().map(|(first, value)| (first, value % 4)));
            let mut bytes = Vec::new();
            V4::new(runs.iter()).write(&mut bytes);
            // Where it is likely to matter: the lengths, the roots and blocks in use, the lists.
            corrupt(&mut bytes, &corruptions, &[0, 8, 8 + 4 * 0xC000, 8 + 4 * (ROOTS - 8), 8 + 4 * ROOTS]);
            if let Some(table) = V4::read(&mut bytes.as_slice(), 4) {
                let starts = runs.iter().map(|(first, _)| first);
                for address in starts.chain(addresses) {
                    prop_assert!(is_value(table.get(address), 4));
                }
                prop_assert!(table.runs().iter().all(|(_, value)| is_value(value, 4)));
            }
        }
    }
}
