//! Output of blocks that were worked on in any order, written in their own.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::error::Error;

/// How many blocks may be read ahead of the one that is written next. While one block is slow the others' output has to
/// be kept: without a limit that could be the whole log.
const AHEAD_MAX: u32 = 32;

/// How often a waiting reader looks whether the run is over.
const LOOK_AROUND: Duration = Duration::from_millis(20);

/// Writes blocks in order of their numbers, which start at 0 for each log.
pub struct Ordered {
    name: String,
    state: Mutex<State>,
    written: Condvar,
}

struct State {
    out: Box<dyn Write + Send>,
    next: u32,
    /// Blocks that are ready before their turn, [`AHEAD_MAX`] at most.
    waiting: BTreeMap<u32, (Vec<u8>, Vec<usize>)>,
    /// Lines that may still be written.
    left: u64,
}

impl Ordered {
    /// Writes to `out`, at most `limit` lines; `name` is for messages.
    pub fn new(name: &str, out: Box<dyn Write + Send>, limit: u64) -> Self {
        let state = State { out, next: 0, waiting: BTreeMap::new(), left: limit };
        Self { name: name.to_owned(), state: Mutex::new(state), written: Condvar::new() }
    }

    /// Waits until `block` is near the one that is written next, or until the run stops.
    pub(super) fn wait(&self, block: u32, stop: &AtomicBool) {
        let mut state = self.lock();
        while block >= state.next.saturating_add(AHEAD_MAX) && !stop.load(Ordering::Relaxed) {
            let waited = self.written.wait_timeout(state, LOOK_AROUND);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes the output of a block; `ends` are the ends of its lines. False if no more is wanted.
    pub fn write(&self, block: u32, bytes: Vec<u8>, ends: Vec<usize>) -> Result<bool, Error> {
        let mut state = self.lock();
        state.waiting.insert(block, (bytes, ends));
        let written = state.write_ready().map_err(|error| self.error(error))?;
        self.written.notify_all();
        Ok(written)
    }

    /// All blocks of a log were given.
    pub fn end_of_log(&self) -> Result<(), Error> {
        let mut state = self.lock();
        state.next = 0;
        state.waiting.clear();
        state.out.flush().map_err(|error| self.error(error))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, error: io::Error) -> Error {
        Error::io("write", Path::new(&self.name), error)
    }
}

impl State {
    fn write_ready(&mut self) -> io::Result<bool> {
        while let Some((bytes, ends)) = self.waiting.remove(&self.next) {
            self.next += 1;
            let lines = usize::try_from(self.left).unwrap_or(usize::MAX).min(ends.len());
            if lines > 0 {
                self.out.write_all(&bytes[..ends[lines - 1]])?;
            }
            self.left -= lines as u64;
        }
        Ok(self.left > 0)
    }
}
