//! Groups that memory has no room for.
//!
//! ```text
//! run     a thread whose groups take more than its share writes them all, by the hash of their keys, and starts anew
//! parts   at the end all runs are read side by side, by the hash: whenever memory is full, the groups read so far are
//!         whole, because every later one has a higher hash
//! ```
//!
//! How large parts become follows from the memory alone, so no number of partitions has to be guessed beforehand. A thread
//! writes one file without a name: whatever ends the process, nothing is left of it.

mod record;

use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use foldhash::quality::RandomState;

use super::view::ViewTally;
use super::{Slots, Tally};
use crate::error::Error;
use crate::time::Slot;

/// What the program takes beside what it counts.
const PROGRAM_BYTES: usize = 10 << 20;

/// What a thread takes beside: blocks of lines, what is about to be written.
const THREAD_BYTES: usize = 3 << 20;

/// The part of the memory that an allocator loses between what lists and tables leave behind as they grow. Measured: a
/// tenth, with two threads and three million groups each.
const FRAGMENTS: usize = 8;

/// Bytes that are written at once.
const WRITTEN_AT_ONCE: usize = if cfg!(test) { 1 << 5 } else { 1 << 18 };

/// Bytes of a run that are read at once: as much as an eighth of the share allows for all runs, within these.
const READ_AT_ONCE: [usize; 2] = if cfg!(test) { [7, 50] } else { [1 << 9, 1 << 16] };

/// Groups that are read before the memory is looked at again.
const STEP_GROUPS: u64 = if cfg!(test) { 1 } else { 1 << 12 };

/// Hashes are lower than this.
const HASHES: u64 = 1 << 32;

/// How much memory a run's counts may take, and where the rest goes.
#[derive(Debug, Clone)]
pub struct Memory {
    /// Bytes for the groups of one thread.
    pub share: usize,
    /// The directory of temporary files.
    pub folder: PathBuf,
    /// The same for all threads: a key has one place among the parts. Seeded by the process, because strangers choose keys.
    hasher: RandomState,
}

impl Memory {
    /// Memory for the whole process that so many threads share. Below what the program needs anyway it is not kept to.
    pub fn new(limit: usize, threads: usize, folder: PathBuf) -> Self {
        let beside = PROGRAM_BYTES + threads * THREAD_BYTES;
        let counts = limit.saturating_sub(beside).max(limit / 4);
        let share = (counts - counts / FRAGMENTS) / threads.max(1);
        Self { share, folder, hasher: RandomState::default() }
    }

    /// Fails if no temporary file can be made: better before the logs are read than after.
    pub fn check(&self) -> Result<(), Error> {
        self.file().map(drop)
    }

    fn file(&self) -> Result<File, Error> {
        tempfile::tempfile_in(&self.folder)
            .map_err(|error| Error::io("create a temporary file in", &self.folder, error))
    }
}

/// The groups that one thread has on disk.
#[derive(Debug)]
pub struct Shelf {
    file: File,
    folder: PathBuf,
    share: usize,
    length: u64,
    /// Of each view.
    runs: Vec<Vec<Run>>,
    /// The thread's slots, by number.
    slots: Vec<Slot>,
}

/// Groups of a view in order of their hashes.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: u64,
    end: u64,
    groups: u64,
}

impl Shelf {
    /// A new file for so many views.
    pub(super) fn new(memory: &Memory, views: usize) -> Result<Self, Error> {
        Ok(Self {
            file: memory.file()?,
            folder: memory.folder.clone(),
            share: memory.share,
            length: 0,
            runs: vec![Vec::new(); views],
            slots: Vec::new(),
        })
    }

    /// True if groups of this view are here.
    pub(super) fn has(&self, view: usize) -> bool {
        !self.runs[view].is_empty()
    }

    /// Ends the writing: numbers of slots mean these.
    pub(super) fn closed(mut self, slots: &Slots) -> Self {
        self.slots.clone_from(&slots.by_number);
        self
    }

    /// Moves all groups of a view here.
    pub(super) fn put(&mut self, memory: &Memory, view: usize, tally: &mut ViewTally) -> Result<(), Error> {
        let order = order(memory, tally);
        let mut places = vec![0; if tally.samples.is_empty() { 0 } else { order.len() }];
        if !places.is_empty() {
            (0..).zip(&order).for_each(|(place, entry)| places[group_of(*entry) as usize] = place);
        }
        let start = self.length;
        let mut samples = std::mem::take(&mut tally.samples);
        let mut by_group = samples.by_group(&places);
        let (mut out, mut scratch) = (Vec::with_capacity(WRITTEN_AT_ONCE), Vec::new());
        for &entry in &order {
            let hash = u32::try_from(entry >> 32).expect("half of 64 bits");
            record::put_group(tally, group_of(entry), hash, &mut by_group, &mut scratch, &mut out);
            if out.len() >= WRITTEN_AT_ONCE {
                self.write(&mut out)?;
            }
        }
        self.write(&mut out)?;
        self.runs[view].push(Run { start, end: self.length, groups: order.len() as u64 });
        tally.samples = samples;
        tally.clear();
        Ok(())
    }

    fn write(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.file.write_all(out).map_err(|error| self.error("write a temporary file in", error))?;
        self.length += out.len() as u64;
        out.clear();
        Ok(())
    }

    #[cold]
    fn error(&self, act: &str, error: io::Error) -> Error {
        Error::io(act, &self.folder, error)
    }
}

/// The groups, each behind its hash, in order.
fn order(memory: &Memory, tally: &ViewTally) -> Vec<u64> {
    let mut key = Vec::new();
    let mut order = Vec::with_capacity(tally.len());
    for group in 0..tally.len() as u64 {
        key.clear();
        record::put_key(tally, group_of(group), &mut key);
        order.push(memory.hasher.hash_one(key.as_slice()) >> 32 << 32 | group);
    }
    order.sort_unstable();
    order
}

fn group_of(entry: u64) -> u32 {
    u32::try_from(entry & u64::from(u32::MAX)).expect("half of 64 bits")
}

impl Tally {
    /// True if groups of a view are on disk.
    pub fn is_shelved(&self, view: usize) -> bool {
        self.shelves.iter().any(|shelf| shelf.has(view))
    }

    /// Calls `visit` with the groups of a view, in parts that fit the memory; no group is in two of them, and there is at
    /// least one part. Fails if temporary files cannot be read.
    pub fn parts(&self, view: usize, visit: impl FnMut(&ViewTally)) -> Result<(), Error> {
        // An answer takes some memory too.
        let share = self.shelves.first().map_or(0, |shelf| shelf.share);
        self.parts_of(view, share / 2, visit)
    }

    /// Calls `visit` with a view as if memory had no limit.
    pub fn whole<T>(&self, view: usize, visit: impl Fn(&ViewTally) -> T) -> Result<T, Error> {
        let mut made = None;
        self.parts_of(view, usize::MAX, |tally| made = Some(visit(tally)))?;
        Ok(made.unwrap_or_else(|| visit(&self.views[view])))
    }

    fn parts_of(&self, view: usize, size: usize, mut visit: impl FnMut(&ViewTally)) -> Result<(), Error> {
        let shelves = || self.shelves.iter().filter(|shelf| shelf.has(view));
        let (mut groups, mut runs, mut share) = (0, 0, 0);
        for shelf in shelves() {
            groups += shelf.runs[view].iter().map(|run| run.groups).sum::<u64>();
            runs += shelf.runs[view].len();
            share = shelf.share;
        }
        if runs == 0 {
            visit(&self.views[view]);
            return Ok(());
        }
        let [least, most] = READ_AT_ONCE;
        let at_once = (share / 8 / runs).clamp(least, most);
        let numbers: Vec<Vec<u32>> = shelves().map(|shelf| self.slots.numbers_of(&shelf.slots)).collect();
        let mut readers: Vec<Reader<'_>> = Vec::with_capacity(runs);
        for (shelf, slots) in shelves().zip(&numbers) {
            let reader = |&rest| Reader { shelf, slots, rest, at_once, buffer: Vec::new(), taken: 0 };
            readers.extend(shelf.runs[view].iter().map(reader));
        }
        let mut part = self.views[view].emptied();
        let step = (HASHES / (groups / STEP_GROUPS).clamp(1, HASHES)).max(1);
        let mut bound = 0;
        while bound < HASHES {
            bound = (bound + step).min(HASHES);
            for reader in &mut readers {
                reader.take_until(bound, &mut part)?;
            }
            if part.memory() > size || bound == HASHES {
                part.settle();
                visit(&part);
                part.clear();
            }
        }
        Ok(())
    }
}

/// Reads a run from its beginning.
struct Reader<'a> {
    shelf: &'a Shelf,
    /// What the shelf's numbers of slots are now.
    slots: &'a [u32],
    /// What was not read yet.
    rest: Run,
    at_once: usize,
    buffer: Vec<u8>,
    /// What of the buffer was taken.
    taken: usize,
}

impl Reader<'_> {
    /// Adds the groups whose hashes are lower.
    fn take_until(&mut self, bound: u64, part: &mut ViewTally) -> Result<(), Error> {
        loop {
            let unread = &self.buffer[self.taken..];
            match record::head(unread) {
                Some((hash, ..)) if u64::from(hash) >= bound => return Ok(()),
                Some((_, start, end)) if end <= unread.len() => {
                    let taken = record::take_group(part, &unread[start..end], self.slots);
                    taken.ok_or_else(|| self.damaged())?;
                    self.taken += end;
                }
                None if unread.is_empty() && self.rest.start == self.rest.end => return Ok(()),
                _ => self.read()?,
            }
        }
    }

    fn read(&mut self) -> Result<(), Error> {
        let Self { shelf, rest, at_once, buffer, taken, .. } = self;
        buffer.drain(..std::mem::take(taken));
        let unread = buffer.len();
        // A group of many samples is longer than what is read at once.
        let more = (unread.max(*at_once) as u64).min(rest.end - rest.start);
        buffer.resize(unread + usize::try_from(more).unwrap_or(unread), 0);
        if more == 0 {
            return Err(self.damaged());
        }
        let mut file = &shelf.file;
        let sought = file.seek(SeekFrom::Start(rest.start));
        let read = sought.and_then(|_| file.read_exact(&mut buffer[unread..]));
        read.map_err(|error| shelf.error("read a temporary file in", error))?;
        rest.start += more;
        Ok(())
    }

    #[cold]
    fn damaged(&self) -> Error {
        let error = io::Error::new(io::ErrorKind::InvalidData, "it is not what was written");
        self.shelf.error("read a temporary file in", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::view::UNKNOWN;
    use crate::query::dimension::DIMENSIONS_MAX;

    /// A thread's groups with names of these numbers, in several runs.
    fn shelf(memory: &Memory, names: std::ops::Range<usize>) -> Shelf {
        let mut shelf = Shelf::new(memory, 1).expect("the disk is not full");
        let mut tally = ViewTally::new(1);
        for (at, name) in names.enumerate() {
            let mut key = [UNKNOWN; DIMENSIONS_MAX];
            key[0] = tally.values[0].intern(format!("{name}").repeat(name % 50).as_bytes()) + 1;
            let group = tally.group(&key);
            tally.add(group, 1, name as u64);
            if at % 300 == 299 {
                shelf.put(memory, 0, &mut tally).expect("the disk is not full");
            }
        }
        shelf.put(memory, 0, &mut tally).expect("the disk is not full");
        shelf
    }

    #[test]
    fn parts_fit_the_memory() {
        let memory = Memory::new(1 << 20, 2, std::env::temp_dir());
        let shelves = [shelf(&memory, 0..2_000), shelf(&memory, 1_000..3_000)].map(std::sync::Arc::new);
        let tally = Tally { views: vec![ViewTally::new(1)], shelves: shelves.to_vec(), ..Tally::default() };
        let (mut parts, mut groups, mut bytes) = (0, 0, 0);
        tally
            .parts(0, |part| {
                assert!(part.memory() < memory.share, "{}", part.memory());
                parts += 1;
                groups += part.len();
                bytes += (0..).take(part.len()).map(|group| part.sums(group).bytes).sum::<u128>();
            })
            .expect("what was written can be read");
        // A name of no length stands for 60 numbers.
        assert_eq!((groups, bytes), (3_000 - 60 + 1, 1_999 * 1_000 + 3_999 * 1_000));
        assert!(parts > 1);
        assert_eq!(tally.whole(0, ViewTally::len).expect("it can be read again"), 2_941);
    }

    #[test]
    fn damage_is_told() {
        let memory = Memory::new(1 << 20, 1, std::env::temp_dir());
        let shelf = shelf(&memory, 0..100);
        shelf.file.set_len(shelf.length - 1).expect("a file can be cut");
        let tally = Tally { views: vec![ViewTally::new(1)], shelves: vec![shelf.into()], ..Tally::default() };
        let error = tally.parts(0, |_| {}).expect_err("the last byte is missing").to_string();
        assert!(error.starts_with("cannot read a temporary file in "), "{error}");
    }
}
