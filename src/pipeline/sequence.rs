//! Output of blocks that were worked on in any order, written in their own.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// Writes blocks in order of their numbers, which start at 0 for each log.
pub struct Ordered {
    name: String,
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    next: u32,
    /// Blocks that are ready before their turn; never more than threads are at work.
    waiting: BTreeMap<u32, (Vec<u8>, Vec<usize>)>,
    /// Lines that may still be written.
    left: u64,
}

impl Ordered {
    /// Writes to `out`, at most `limit` lines; `name` is for messages.
    pub fn new(name: &str, out: Box<dyn Write + Send>, limit: u64) -> Self {
        let state = State { out, next: 0, waiting: BTreeMap::new(), left: limit };
        Self { name: name.to_owned(), state: Mutex::new(state) }
    }

    /// Takes the output of a block; `ends` are the ends of its lines. False if no more is wanted.
    pub fn write(&self, block: u32, bytes: Vec<u8>, ends: Vec<usize>) -> Result<bool, Error> {
        let mut state = self.lock();
        state.waiting.insert(block, (bytes, ends));
        let written = state.write_ready().map_err(|error| self.error(error))?;
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
