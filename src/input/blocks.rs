//! Text → blocks that end at a newline.
//!
//! ```text
//! text:    line line li|ne line line|line
//! buffer:  [line line li]                   full: cut after the last newline,
//!                    [line line line]       carry the rest to the next buffer
//! ```
//!
//! A buffer without a newline grows once, to one byte more than the longest line allowed. If there is still none, the
//! line is too long: its start is kept to be shown, the rest is read and dropped. No block ever holds a line that is
//! too long among others, because a buffer with a newline in it has no room for one.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use memchr::{memchr, memchr_iter, memrchr};

use super::decode::Decoder;
use super::stream::HEAD_SIZE;

/// Bytes of a block, unless one line is longer. Large enough that handing a block to a thread costs nothing, small
/// enough to stay in the second-level cache of most processors.
pub const BLOCK_SIZE: usize = 1 << 20;

/// The longest line that is parsed, without its newline.
pub const LINE_MAX: usize = 2 << 20;

/// Bytes that are kept of a longer line.
pub const TOO_LONG_SHOWN: usize = 200;

/// Buffers that are kept for reuse; more may be in use.
const POOL_KEPT: usize = 64;

/// Whether the lines of an input are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineNumbers {
    /// Every block knows the number of its first line, at the price of a pass over the bytes.
    Counted,
    /// No block does.
    Uncounted,
}

/// Recycled buffers, shared by all readers. Give a block's bytes back when the block has been parsed.
#[derive(Debug, Clone, Default)]
pub struct BlockPool(Arc<Mutex<Vec<Vec<u8>>>>);

impl BlockPool {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// A buffer with arbitrary content, kept because zeroing it again would be a waste.
    pub fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps a buffer for later, unless enough are kept.
    pub fn give(&self, buffer: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < POOL_KEPT {
            kept.push(buffer);
        }
    }
}

/// Some lines of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The input's [`super::Input::id`].
    pub file: u32,
    /// 0, 1, 2, … within the input.
    pub index: u32,
    /// The number of the block's first line, from 1 on, if lines are counted.
    pub first_line: Option<u64>,
    /// What `bytes` is.
    pub content: Content,
    /// The text.
    pub bytes: Vec<u8>,
}

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Whole lines. Each ends with a newline, except perhaps the last line of the input.
    Lines,
    /// The first [`TOO_LONG_SHOWN`] bytes of one line longer than [`LINE_MAX`].
    TooLong {
        /// Bytes of the line, and of its newline unless the input ends without one.
        length: u64,
    },
}

/// Reading stopped before the input's end: a truncated or corrupt archive, or a read error. All that could be read
/// before has been delivered, an unfinished last line included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The input's [`super::Input::id`].
    pub file: u32,
    /// The input's name.
    pub name: String,
    /// What happened and where, beginning with the input's name.
    pub message: String,
}

/// The blocks of one input in order, then perhaps one [`Failure`].
pub struct Blocks {
    file: u32,
    name: String,
    decoder: Decoder,
    pool: BlockPool,
    sizes: Sizes,
    index: u32,
    next_line: Option<u64>,
    /// `buffer[..held]` is the text that follows the last block.
    buffer: Vec<u8>,
    held: usize,
}

/// The limits, variable so that tests can make them small; `head <= block <= line`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) head: usize,
    pub(super) block: usize,
    pub(super) line: usize,
    pub(super) shown: usize,
}

impl Sizes {
    pub(super) const DEFAULT: Self =
        Self { head: HEAD_SIZE, block: BLOCK_SIZE, line: LINE_MAX, shown: TOO_LONG_SHOWN };
}

const _: () = assert!(HEAD_SIZE <= BLOCK_SIZE && BLOCK_SIZE <= LINE_MAX && TOO_LONG_SHOWN <= LINE_MAX);

impl Blocks {
    pub(super) fn new(
        file: u32,
        name: String,
        decoder: Decoder,
        held: Vec<u8>,
        pool: BlockPool,
        lines: LineNumbers,
        sizes: Sizes,
    ) -> Self {
        let next_line = match lines {
            LineNumbers::Counted => Some(1),
            LineNumbers::Uncounted => None,
        };
        Self { file, name, decoder, pool, sizes, index: 0, next_line, held: held.len(), buffer: held }
    }

    /// The first `length` bytes of `buffer` as a block.
    fn block(&mut self, mut buffer: Vec<u8>, length: usize, content: Content) -> Block {
        buffer.truncate(length);
        let first_line = self.next_line;
        if let Some(line) = &mut self.next_line {
            *line += match content {
                Content::Lines => count_lines(&buffer),
                Content::TooLong { .. } => 1,
            };
        }
        let index = self.index;
        self.index += 1;
        Block { file: self.file, index, first_line, content, bytes: buffer }
    }

    /// Keeps the start of an unfinished line for the next block.
    fn carry(&mut self, start: &[u8]) {
        if start.is_empty() {
            return;
        }
        let mut buffer = self.pool.take();
        if buffer.len() < start.len() {
            buffer.resize(self.sizes.block.max(start.len()), 0);
        }
        buffer[..start.len()].copy_from_slice(start);
        self.hold(buffer, start.len());
    }

    /// A block of one line of which `buffer[..filled]` is the start; reads on to the end of the line.
    #[cold]
    fn too_long(&mut self, buffer: Vec<u8>, filled: usize) -> Block {
        let mut length = filled as u64;
        let mut rest = self.pool.take();
        rest.resize(self.sizes.block, 0);
        let held = loop {
            let read = self.decoder.fill(&mut rest);
            if let Some(newline) = memchr(b'\n', &rest[..read]) {
                length += newline as u64 + 1;
                rest.copy_within(newline + 1..read, 0);
                break read - newline - 1;
            }
            length += read as u64;
            if read < rest.len() {
                break 0;
            }
        };
        self.hold(rest, held);
        self.block(buffer, self.sizes.shown, Content::TooLong { length })
    }

    fn hold(&mut self, buffer: Vec<u8>, held: usize) {
        self.held = held;
        if held > 0 {
            self.buffer = buffer;
        } else {
            self.pool.give(buffer);
        }
    }

    #[cold]
    fn failure(&mut self) -> Option<Failure> {
        let cause = self.decoder.take_failure()?;
        let message = format!("{}: {cause}", self.name);
        Some(Failure { file: self.file, name: self.name.clone(), message })
    }
}

impl Iterator for Blocks {
    type Item = Result<Block, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.held == 0 && self.decoder.is_ended() {
            return self.failure().map(Err);
        }
        let mut buffer = if self.held > 0 { mem::take(&mut self.buffer) } else { self.pool.take() };
        let mut filled = mem::take(&mut self.held);
        let mut wanted = self.sizes.block.max(filled);
        loop {
            if buffer.len() < wanted {
                buffer.resize(wanted, 0);
            }
            filled += self.decoder.fill(&mut buffer[filled..wanted]);
            let ended = filled < wanted;
            let whole = if ended {
                filled
            } else {
                memrchr(b'\n', &buffer[..filled]).map_or(0, |newline| newline + 1)
            };
            if whole > 0 {
                self.carry(&buffer[whole..filled]);
                return Some(Ok(self.block(buffer, whole, Content::Lines)));
            }
            if ended {
                self.pool.give(buffer);
                return self.failure().map(Err);
            }
            if filled > self.sizes.line {
                return Some(Ok(self.too_long(buffer, filled)));
            }
            wanted = self.sizes.line + 1;
        }
    }
}

impl std::iter::FusedIterator for Blocks {}

/// Lines of a block, one without a newline at its end included.
fn count_lines(bytes: &[u8]) -> u64 {
    let unfinished = bytes.last().is_some_and(|&last| last != b'\n');
    memchr_iter(b'\n', bytes).count() as u64 + u64::from(unfinished)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{self, Read};

    const SMALL: Sizes = Sizes { head: 4, block: 8, line: 12, shown: 3 };

    fn blocks(source: impl Read + Send + 'static, head: usize, sizes: Sizes) -> Blocks {
        let mut decoder = Decoder::new(Box::new(source)).unwrap();
        let mut start = vec![0; head];
        let filled = decoder.fill(&mut start);
        start.truncate(filled);
        Blocks::new(7, "a.log".to_owned(), decoder, start, BlockPool::new(), LineNumbers::Counted, sizes)
    }

    /// A line as it can be told from the blocks: its number, its length with its newline, and its bytes or, if it is
    /// too long, its beginning.
    type Line = (u64, u64, Vec<u8>);

    /// The obvious twin: all lines of the text at once.
    fn naive(text: &[u8], sizes: Sizes) -> Vec<Line> {
        let line = |(number, line): (u64, &[u8])| {
            let too_long = line.strip_suffix(b"\n").unwrap_or(line).len() > sizes.line;
            let shown = if too_long { &line[..sizes.shown] } else { line };
            (number, line.len() as u64, shown.to_vec())
        };
        (1..).zip(text.split_inclusive(|&byte| byte == b'\n')).map(line).collect()
    }

    /// The lines of all blocks; checks what every block promises.
    fn collect(blocks: &mut Blocks) -> Vec<Line> {
        let pool = blocks.pool.clone();
        let mut lines = Vec::new();
        let mut ended = false;
        for (index, block) in (0..).zip(blocks) {
            let block = block.unwrap();
            assert!(!block.bytes.is_empty() && !ended, "block {index} follows a line without its newline");
            assert_eq!((block.file, block.index), (7, index));
            assert_eq!(block.first_line, Some(lines.len() as u64 + 1));
            let mut number = lines.len() as u64;
            match block.content {
                Content::TooLong { length } => lines.push((number + 1, length, block.bytes.clone())),
                Content::Lines => {
                    ended = !block.bytes.ends_with(b"\n");
                    for line in block.bytes.split_inclusive(|&byte| byte == b'\n') {
                        number += 1;
                        lines.push((number, line.len() as u64, line.to_vec()));
                    }
                }
            }
            pool.give(block.bytes);
        }
        lines
    }

    fn check(text: &str) {
        let bytes = text.as_bytes();
        for head in 0..=SMALL.head {
            let mut blocks = blocks(io::Cursor::new(text.to_owned()), head, SMALL);
            assert_eq!(collect(&mut blocks), naive(bytes, SMALL), "{text:?}");
            assert_eq!(blocks.next(), None);
        }
    }

    #[test]
    fn blocks_hold_whole_lines() {
        check("");
        check("\n");
        check("\n\n\n\n\n\n\n\n\n\n\n\n\n\n");
        check("a");
        check("a\r\nbb\r\n\r\nccc");
        check("1234567\n1234567\n1");
        check("12345678\n12345678\n");
        check("123456789012\n1\n");
        check("123456789012");
        check("1\n\n123456789012");
    }

    #[test]
    fn a_line_beyond_the_limit_is_a_block_of_its_own() {
        check("1234567890123\n");
        check("1234567890123");
        check("a\n1234567890123\nb\n");
        check("a\n123456789012345678901234567890\nb\nc\nd\ne\n");
        check("123456789012345678901234567890\n1234567890123456789\nx");
        let mut all = blocks(io::Cursor::new(*b"a\n1234567890123\nb"), 0, SMALL).map(Result::unwrap);
        assert_eq!(all.next().unwrap().bytes, b"a\n");
        let block = all.next().unwrap();
        assert_eq!((block.content, block.bytes), (Content::TooLong { length: 14 }, b"123".to_vec()));
        assert_eq!(block.first_line, Some(2));
        let block = all.next().unwrap();
        assert_eq!((block.content, block.bytes, block.first_line), (Content::Lines, b"b".to_vec(), Some(3)));
    }

    #[test]
    fn a_hundred_megabytes_without_a_newline_do_not_grow_memory() {
        let long = 100 << 20;
        let source =
            io::Cursor::new(b"a\n").chain(io::repeat(b'x').take(long)).chain(io::Cursor::new(b"\nb\n"));
        let mut blocks = blocks(source, 0, Sizes::DEFAULT);
        let lines = collect(&mut blocks);
        assert_eq!(lines.len(), 3);
        assert_eq!((lines[1].0, lines[1].1, lines[1].2.len()), (2, long + 1, TOO_LONG_SHOWN));
        assert_eq!(lines[2], (3, 2, b"b\n".to_vec()));
        let kept: usize = blocks.pool.0.lock().unwrap().iter().map(Vec::capacity).sum();
        assert!(kept <= 4 * (LINE_MAX + 1), "{kept} bytes are kept");
    }

    #[test]
    fn lines_up_to_the_limit_count() {
        for length in [1 << 20, LINE_MAX, LINE_MAX + 1] {
            let text = [&vec![b'x'; length][..], b"\nb\n"].concat();
            let mut blocks = blocks(io::Cursor::new(text.clone()), HEAD_SIZE, Sizes::DEFAULT);
            assert!(collect(&mut blocks) == naive(&text, Sizes::DEFAULT), "{length}");
        }
    }

    #[test]
    fn a_failure_comes_once_after_the_unfinished_line() {
        let mut blocks = blocks(io::Cursor::new(*b"a\nbcd").chain(Broken), 0, SMALL);
        assert_eq!(blocks.next().unwrap().unwrap().bytes, b"a\nbcd");
        let message = "a.log: cannot be read after 5 bytes: input/output error".to_owned();
        assert_eq!(blocks.next(), Some(Err(Failure { file: 7, name: "a.log".to_owned(), message })));
        assert_eq!(blocks.next(), None);
        assert_eq!(blocks.next(), None);
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(5))
        }
    }

    #[test]
    fn the_pool_is_bounded() {
        let pool = BlockPool::new();
        for _ in 0..POOL_KEPT + 10 {
            pool.give(vec![1]);
        }
        assert_eq!(pool.0.lock().unwrap().len(), POOL_KEPT);
        assert_eq!(pool.take(), [1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn blocks_agree_with_their_twin(
            text in prop::collection::vec(prop::sample::select(b"abcdefgh\r\n\n".to_vec()), 0..200),
            (head, block, more, shown) in (0_usize..20, 0_usize..20, 0_usize..20, 0_usize..5),
        ) {
            let block = block.max(head).max(1);
            let line = block + more;
            let sizes = Sizes { head, block, line, shown: shown.min(line).max(1) };
            let mut blocks = blocks(io::Cursor::new(text.clone()), head, sizes);
            prop_assert_eq!(collect(&mut blocks), naive(&text, sizes));
            prop_assert_eq!(blocks.next(), None);
        }
    }
}
