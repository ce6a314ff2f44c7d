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
//!
//! NULs at the start of a line are what a crash or a truncation under the writer left, gigabytes of them in a sparse
//! file. They are dropped where they fill a buffer, so that they never make a line too long; those before a line that
//! fits are left to whoever reads it. NULs after the last newline of an input are no line.
//!
//! Advice for changing this: every cut must follow from the text and the limits alone, never from how much one `fill`
//! happened to return. Under [`Framing::Joined`] that holds because a buffer begins where no record is unfinished, and
//! no cut can pass over such a place.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use memchr::{memchr, memchr_iter, memmem, memrchr};

use super::stream::HEAD_SIZE;
use super::text::Text;

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

/// What lines of an input belong together, so that its blocks can be read independently of each other.
#[derive(Clone, Default)]
pub enum Framing {
    /// Every line stands for itself.
    #[default]
    Lines,
    /// A record may lie on several lines. A block ends where none is unfinished, unless that is further away than
    /// [`LINE_MAX`]: then it ends at a newline and the record is cut.
    Joined(Joint),
    /// `#Fields:` lines say what the lines after them mean; blocks tell the one in force ([`Block::header`]).
    Headed,
}

/// The length of the longest beginning of some whole lines after which no record is unfinished, if none is before it.
pub type Joint = Arc<dyn Fn(&[u8]) -> usize + Send + Sync>;

/// How a line begins that names the columns of those after it.
const HEADER: &[u8] = b"#Fields:";

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
    /// Under [`Framing::Headed`], the last `#Fields:` line before the block.
    pub header: Option<Arc<[u8]>>,
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
    text: Text,
    pool: BlockPool,
    sizes: Sizes,
    framing: Framing,
    header: Option<Arc<[u8]>>,
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
        text: Text,
        held: Vec<u8>,
        pool: BlockPool,
        lines: LineNumbers,
        sizes: Sizes,
    ) -> Self {
        let next_line = match lines {
            LineNumbers::Counted => Some(1),
            LineNumbers::Uncounted => None,
        };
        let framing = Framing::Lines;
        let header = None;
        Self {
            file,
            name,
            text,
            pool,
            sizes,
            framing,
            header,
            index: 0,
            next_line,
            held: held.len(),
            buffer: held,
        }
    }

    pub(super) fn framed(self, framing: Framing) -> Self {
        Self { framing, ..self }
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
        let header = self.header.clone();
        if let Framing::Headed = self.framing
            && let Some(line) = last_header(&buffer)
        {
            self.header = Some(line.into());
        }
        Block { file: self.file, index, first_line, header, content, bytes: buffer }
    }

    /// Bytes of a full buffer that make a block: its whole lines, or fewer if records span them.
    fn whole(&self, bytes: &[u8]) -> usize {
        let lines = memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
        let Framing::Joined(joint) = &self.framing else { return lines };
        match joint(&bytes[..lines]) {
            0 if bytes.len() > self.sizes.line => lines,
            whole => whole.min(lines),
        }
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
            let read = self.text.fill(&mut rest);
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
        let cause = self.text.take_failure()?;
        let message = format!("{}: {cause}", self.name);
        Some(Failure { file: self.file, name: self.name.clone(), message })
    }
}

impl Iterator for Blocks {
    type Item = Result<Block, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.held == 0 && self.text.is_ended() {
            return self.failure().map(Err);
        }
        let mut buffer = if self.held > 0 { mem::take(&mut self.buffer) } else { self.pool.take() };
        let mut filled = mem::take(&mut self.held);
        let mut wanted = self.sizes.block.max(filled);
        loop {
            if buffer.len() < wanted {
                buffer.resize(wanted, 0);
            }
            filled += self.text.fill(&mut buffer[filled..wanted]);
            let ended = filled < wanted;
            let whole = if ended {
                filled = without_padding(&buffer[..filled]);
                filled
            } else {
                self.whole(&buffer[..filled])
            };
            if whole > 0 {
                self.carry(&buffer[whole..filled]);
                return Some(Ok(self.block(buffer, whole, Content::Lines)));
            }
            if ended {
                self.pool.give(buffer);
                return self.failure().map(Err);
            }
            let padding = padding(&buffer[..filled]);
            if padding > 0 {
                buffer.copy_within(padding..filled, 0);
                filled -= padding;
                continue;
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

/// NULs that some bytes begin with.
pub(super) fn padding(bytes: &[u8]) -> usize {
    const STEP: usize = 64;
    // A step is tested without branches, at the speed of memory: sparse files are large.
    let zeros = |chunk: &&[u8]| chunk.iter().fold(0, |all, &byte| all | byte) == 0;
    let skipped: usize = bytes.chunks(STEP).take_while(zeros).map(<[u8]>::len).sum();
    skipped + bytes[skipped..].iter().take_while(|&&byte| byte == 0).count()
}

/// The length of some bytes without a last line of nothing but NULs.
fn without_padding(bytes: &[u8]) -> usize {
    let last = memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
    if padding(&bytes[last..]) == bytes.len() - last { last } else { bytes.len() }
}

/// The last line that names columns, without its line end and what may stand before it in joined files.
fn last_header(bytes: &[u8]) -> Option<&[u8]> {
    memmem::rfind_iter(bytes, HEADER).find_map(|found| {
        let start = memrchr(b'\n', &bytes[..found]).map_or(0, |newline| newline + 1);
        let before = &bytes[start + padding(&bytes[start..found])..found];
        let end = memchr(b'\n', &bytes[found..]).map_or(bytes.len(), |newline| found + newline);
        let line = &bytes[found..end];
        (before.is_empty() || before == b"\xef\xbb\xbf").then(|| line.strip_suffix(b"\r").unwrap_or(line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::decode::Decoder;
    use proptest::prelude::*;
    use std::io::{self, Read};

    const SMALL: Sizes = Sizes { head: 4, block: 8, line: 12, shown: 3 };

    fn blocks(source: impl Read + Send + 'static, head: usize, sizes: Sizes) -> Blocks {
        let mut text = Text::new(Decoder::new(Box::new(source)).unwrap());
        let mut start = vec![0; head];
        let filled = text.fill(&mut start);
        start.truncate(filled);
        Blocks::new(7, "a.log".to_owned(), text, start, BlockPool::new(), LineNumbers::Counted, sizes)
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
            assert_eq!((block.file, block.index, &block.header), (7, index, &None));
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

    /// The lines of a text as they are meant: without the NULs before them.
    fn unpadded(lines: Vec<Line>) -> Vec<Line> {
        let strip = |(number, length, line): Line| {
            let padding = padding(&line);
            (number, length - padding as u64, line[padding..].to_vec())
        };
        lines.into_iter().map(strip).collect()
    }

    /// The twin for text with NULs: none before a line, no line of NULs at the end.
    fn naive_unpadded(text: &[u8], sizes: Sizes) -> Vec<Line> {
        let mut bare: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
        for line in &mut bare {
            *line = &line[line.iter().take_while(|&&byte| byte == 0).count()..];
        }
        naive(&bare.join(&b'\n'), sizes)
    }

    #[test]
    fn nuls_before_a_line_do_not_make_it_too_long() {
        let hole = 300 << 20;
        let source =
            io::Cursor::new(b"a\n").chain(io::repeat(0).take(hole)).chain(io::Cursor::new(b"b\nc\n"));
        let source = source.chain(io::repeat(0).take(10 << 20));
        let mut blocks = blocks(source, 0, Sizes::DEFAULT);
        let line = |number, text: &[u8]| (number, 2, text.to_vec());
        assert_eq!(unpadded(collect(&mut blocks)), [line(1, b"a\n"), line(2, b"b\n"), line(3, b"c\n")]);
        let kept: usize = blocks.pool.0.lock().unwrap().iter().map(Vec::capacity).sum();
        assert!(kept <= 4 * (LINE_MAX + 1), "{kept} bytes are kept");
    }

    #[test]
    fn the_header_in_force_comes_with_each_block() {
        let text = b"\xef\xbb\xbf#Fields: a b\r\n1 2\n3 #Fields: x\n\0\xef\xbb\xbf#Fields: c\n4\n5\n6\n7\n";
        for block in 1..80 {
            let sizes = Sizes { head: 0, block, line: block.max(30), shown: 1 };
            let mut force = None;
            for block in blocks(io::Cursor::new(*text), 0, sizes).framed(Framing::Headed) {
                let block = block.unwrap();
                assert_eq!(block.header.as_deref(), force, "before {:?}", block.bytes);
                for line in crate::input::lines(&block.bytes) {
                    if line == b"#Fields: a b" || line.ends_with(b"\xbf#Fields: c") {
                        force = Some(if line.ends_with(b"c") { &b"#Fields: c"[..] } else { b"#Fields: a b" });
                    }
                }
            }
            assert_eq!(force, Some(&b"#Fields: c"[..]));
        }
    }

    /// Lines of parts: lower case goes on, upper case ends; the letter tells the stream.
    fn joint(lines: &[u8]) -> usize {
        let mut open = std::collections::BTreeSet::new();
        let (mut length, mut whole) = (0, 0);
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            length += line.len();
            match line[0] {
                letter @ b'a'..=b'z' => drop(open.insert(letter)),
                letter => drop(open.remove(&letter.to_ascii_lowercase())),
            }
            if open.is_empty() {
                whole = length;
            }
        }
        whole
    }

    /// What the blocks' records are, each block read for itself.
    fn records(text: &[u8], sizes: Sizes) -> Vec<Vec<u8>> {
        let all = blocks(io::Cursor::new(text.to_vec()), 0, sizes).framed(Framing::Joined(Arc::new(joint)));
        let mut records = Vec::new();
        for block in all {
            let block = block.unwrap();
            let mut open = std::collections::BTreeMap::<u8, Vec<u8>>::new();
            for line in block.bytes.split_inclusive(|&byte| byte == b'\n') {
                let part = open.entry(line[0].to_ascii_lowercase()).or_default();
                part.extend_from_slice(line);
                if !line[0].is_ascii_lowercase() {
                    records.extend(open.remove(&line[0].to_ascii_lowercase()));
                }
            }
            records.extend(open.into_values());
        }
        records
    }

    #[test]
    fn records_of_several_lines_stay_in_one_block() {
        let sizes = Sizes { head: 0, block: 8, line: 20, shown: 3 };
        let check = |text: &str, expected: &[&str]| {
            let found = records(text.as_bytes(), sizes);
            let expected: Vec<&[u8]> = expected.iter().map(|record| record.as_bytes()).collect();
            assert_eq!(found, expected, "{text:?}");
        };
        check("A1\na2\nA3\nA4\n", &["A1\n", "a2\nA3\n", "A4\n"]);
        check("A1\na2\na3\na4\nb5\nA6\nB7\n", &["A1\n", "a2\na3\na4\nA6\n", "b5\nB7\n"]);
        check("A1\na2\na3", &["A1\n", "a2\na3"]);
        // 21 bytes hold seven lines: the record is cut.
        check("a1\na2\na3\na4\na5\na6\na7\nA8\nA9\n", &["a1\na2\na3\na4\na5\na6\na7\n", "A8\n", "A9\n"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn any_cut_joins_the_same_records(
            lines in prop::collection::vec(prop::sample::select(vec!["A", "a", "a1", "A23", "b", "B", "B456"]), 0..60),
            (first, second, more) in (1_usize..20, 1_usize..20, 0_usize..30),
        ) {
            let text = lines.iter().flat_map(|line| [*line, "\n"]).collect::<String>();
            let line = first.max(second).max(5) + more;
            let sizes = |block| Sizes { head: 0, block, line, shown: 1 };
            prop_assert_eq!(records(text.as_bytes(), sizes(first)), records(text.as_bytes(), sizes(second)));
            if line >= text.len() {
                prop_assert_eq!(records(text.as_bytes(), sizes(first)), records(text.as_bytes(), sizes(line)));
            }
        }

        #[test]
        fn nuls_do_not_change_the_lines(
            text in prop::collection::vec(prop::sample::select(b"ab\n\0\0\0\0\0".to_vec()), 0..200),
            (head, block, more) in (0_usize..20, 0_usize..20, 0_usize..20),
        ) {
            let block = block.max(head).max(1);
            let sizes = Sizes { head, block, line: block + more, shown: 1 };
            let mut blocks = blocks(io::Cursor::new(text.clone()), head, sizes);
            prop_assert_eq!(unpadded(collect(&mut blocks)), naive_unpadded(&text, sizes));
        }

        #[test]
        fn blocks_agree_with_their_twin(
            text in prop::collection::vec(prop::sample::select(b"abcdefgh\n\n".to_vec()), 0..200),
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
