//! Byte strings ↔ small numbers, within one thread.
//!
//! Numbers are handed out in order of first sight, which depends on the thread: they never leave it. Tallies merge by
//! the bytes.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::room;

/// A set of byte strings numbered from 0.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interner {
    bytes: Vec<u8>,
    /// Where each string ends in `bytes`; it starts where the one before it ends.
    ends: Vec<usize>,
    table: HashTable<Entry>,
    // Seeded by the process: keys are chosen by strangers.
    hasher: RandomState,
}

/// A string's number, and where it stands: knowing that here saves a look at memory per lookup.
#[derive(Debug, Clone, Copy)]
struct Entry {
    start: usize,
    length: u32,
    id: u32,
}

impl Entry {
    #[inline]
    fn text(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start..self.start + self.length as usize]
    }
}

impl Interner {
    /// The number of `text`, new or known.
    #[inline]
    pub(crate) fn intern(&mut self, text: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(text);
        match self.table.find(hash, |entry| entry.text(&self.bytes) == text) {
            Some(entry) => entry.id,
            None => self.add(hash, text),
        }
    }

    #[inline(never)]
    fn add(&mut self, hash: u64, text: &[u8]) -> u32 {
        let Self { bytes, ends, table, hasher } = self;
        let id = u32::try_from(ends.len()).expect("fewer distinct keys than 2³²: memory ends first");
        let length = u32::try_from(text.len()).expect("a line is shorter than 4 GiB");
        let entry = Entry { start: bytes.len(), length, id };
        bytes.extend_from_slice(text);
        ends.push(bytes.len());
        table.insert_unique(hash, entry, |entry| hasher.hash_one(entry.text(bytes)));
        id
    }

    /// The string of a number.
    pub(crate) fn get(&self, id: u32) -> &[u8] {
        string(&self.bytes, &self.ends, id)
    }

    /// Forgets all strings, keeps the room for as many.
    pub(crate) fn clear(&mut self) {
        let Self { bytes, ends, table, hasher: _ } = self;
        bytes.clear();
        ends.clear();
        table.clear();
    }

    /// Bytes of memory, see [`room`].
    pub(crate) fn memory(&self) -> usize {
        let Self { bytes, ends, table, hasher: _ } = self;
        room::list(bytes) + room::list(ends) + room::table(table)
    }

    /// All numbers, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.ends.len()).expect("ids are handed out in 32 bits")
    }
}

fn string<'a>(bytes: &'a [u8], ends: &[usize], id: u32) -> &'a [u8] {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &bytes[start..ends[id]]
}

/// Remembers what was found out about a text; forgets everything when it grows beyond `limit` texts.
#[derive(Debug, Clone)]
pub(crate) struct TextMemo<V> {
    texts: Interner,
    values: Vec<V>,
    limit: usize,
}

impl<V> TextMemo<V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { texts: Interner::default(), values: Vec::new(), limit }
    }

    /// The value for `text`, made by `find` at first sight.
    #[inline]
    pub(crate) fn get(&mut self, text: &[u8], find: impl FnOnce(&[u8]) -> V) -> &V {
        let id = self.number(text, find);
        self.value(id)
    }

    /// The number of [`Self::value`] for `text`, until another text is asked for.
    #[inline]
    pub(crate) fn number(&mut self, text: &[u8], find: impl FnOnce(&[u8]) -> V) -> usize {
        let mut id = self.texts.intern(text) as usize;
        if id == self.values.len() {
            if id >= self.limit {
                self.texts = Interner::default();
                self.values.clear();
                id = self.texts.intern(text) as usize;
            }
            self.values.push(find(text));
        }
        id
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.texts = Interner::default();
        self.values = Vec::new();
    }

    /// Bytes of memory, but for what values point to.
    pub(crate) fn memory(&self) -> usize {
        self.texts.memory() + room::list(&self.values)
    }

    /// How many texts are remembered.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The same to be completed.
    #[inline]
    pub(crate) fn value_mut(&mut self, number: usize) -> &mut V {
        &mut self.values[number]
    }

    /// The value of a number.
    #[inline]
    pub(crate) fn value(&self, number: usize) -> &V {
        &self.values[number]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back() {
        let mut interner = Interner::default();
        let texts: [&[u8]; 4] = [b"", b"a", b"ab", b"a"];
        let ids: Vec<u32> = texts.iter().map(|text| interner.intern(text)).collect();
        assert_eq!(ids, [0, 1, 2, 1]);
        assert_eq!((interner.get(0), interner.get(1), interner.get(2)), (texts[0], texts[1], texts[2]));
        assert_eq!(interner.ids().count(), 3);
    }

    #[test]
    fn a_full_memo_starts_anew() {
        let mut memo = TextMemo::new(2);
        let mut made = 0;
        for text in ["a", "b", "a", "c", "a"] {
            memo.get(text.as_bytes(), |_| made += 1);
        }
        assert_eq!(made, 4);
    }
}
