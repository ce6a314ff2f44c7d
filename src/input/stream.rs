//! One input, opened: a look at its head, then its blocks.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::blocks::{BLOCK_SIZE, BlockPool, Blocks, Framing, LineNumbers, Sizes, padding};
use super::decode::Decoder;
use super::paths::Input;
use super::text::Text;
use crate::error::Error;

/// Decompressed bytes by which the format of an input is decided. The same for files, archives and pipes, so that the
/// same log gets the same answer however it arrives.
pub const HEAD_SIZE: usize = 1 << 20;

/// The text of an input: decompressed if it is gzip, zstd, bzip2 or xz, and transcoded if it is UTF-16, as its first
/// bytes tell.
pub struct Stream {
    file: u32,
    name: String,
    kind: Kind,
    text: Text,
    head: Option<Head>,
    sizes: Sizes,
    /// NULs before the first line that are passed over to find it.
    hole_max: u64,
}

/// NULs before the first line of what is no regular file: a device may have no end of them.
pub const HOLE_MAX: u64 = 64 << 20;

/// The beginning of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The first [`HEAD_SIZE`] bytes, or all there are, without NULs before the first line.
    pub bytes: Vec<u8>,
    /// True if `bytes` is the whole input. Its last line may be cut short if not.
    pub complete: bool,
}

/// Makes a pipe hold a block: 64 KiB, which it holds by default, is gone before its writer has woken up. What is no pipe,
/// or may not be widened, is read as it is.
#[cfg(target_os = "linux")]
fn widen(pipe: impl std::os::fd::AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, BLOCK_SIZE);
}

#[cfg(not(target_os = "linux"))]
fn widen<T>(_: T) {}

impl Stream {
    /// Opens an input and reads its first bytes.
    pub fn open(input: &Input) -> Result<Self, Error> {
        let Some(path) = &input.path else {
            widen(io::stdin());
            return Self::new(input.id, &input.name, Kind::Other, Box::new(io::stdin()))
                .map_err(|error| Error::io("open", Path::new(&input.name), error));
        };
        let open = || {
            let file = File::open(path)?;
            let kind = if file.metadata()?.is_file() { Kind::Regular } else { Kind::Other };
            if kind == Kind::Other {
                widen(&file);
            }
            Self::new(input.id, &input.name, kind, Box::new(file))
        };
        open().map_err(|error| Error::io("open", path, error))
    }

    /// The word for an archive of several files, `tar` or `zip`, if this is one: it is no log. To be asked first.
    pub fn archive(&mut self) -> Option<&'static str> {
        self.text.archive()
    }

    /// The beginning of the input, which [`Stream::blocks`] will deliver all the same.
    pub fn head(&mut self) -> &Head {
        let Self { head, text, sizes, hole_max, .. } = self;
        head.get_or_insert_with(|| {
            let mut bytes = vec![0; sizes.head];
            let mut filled = 0;
            let mut hole = 0;
            loop {
                filled += text.fill(&mut bytes[filled..]);
                // A log that was truncated while its writer went on begins with a hole of any size.
                let padding = padding(&bytes[..filled]);
                if padding == 0 {
                    break;
                }
                bytes.copy_within(padding..filled, 0);
                filled -= padding;
                hole += padding as u64;
                if hole > *hole_max {
                    break;
                }
            }
            bytes.truncate(filled);
            Head { bytes, complete: text.is_complete() }
        })
    }

    /// The same where only the head matters: not even a file with a large hole is searched for its first line further
    /// than [`HOLE_MAX`].
    pub fn glance(&mut self) -> &Head {
        self.hole_max = HOLE_MAX;
        self.head()
    }

    /// How the text is stored, the outermost first: `gzip`, `UTF-16`; nothing for plain text.
    pub fn coatings(&mut self) -> Vec<&'static str> {
        self.head();
        self.text.coatings()
    }

    /// Why reading stopped within the head, if it did, beginning with the input's name.
    pub fn failure(&mut self) -> Option<String> {
        self.head();
        self.text.failure().map(|cause| format!("{}: {cause}", self.name))
    }

    /// True for a regular file: this stream may be dropped and the input opened again to the same end.
    pub fn is_regular(&self) -> bool {
        self.kind == Kind::Regular
    }

    /// Cuts the input into blocks, from its first byte on.
    pub fn blocks(self, pool: &BlockPool, lines: LineNumbers, framing: Framing) -> Blocks {
        let Self { file, name, kind: _, text, head, sizes, hole_max: _ } = self;
        let held = head.map(|head| head.bytes).unwrap_or_default();
        Blocks::new(file, name, text, held, pool.clone(), lines, sizes).framed(framing)
    }

    /// The same text in blocks of `block` bytes, where a line may have `line` bytes, which are no fewer. Answers do not
    /// depend on the former: tests show that with small logs in very small blocks.
    #[must_use]
    pub fn with_sizes(mut self, block: usize, line: usize) -> Self {
        let Sizes { head, shown, .. } = Sizes::DEFAULT;
        self.sizes = Sizes { head: head.min(block), block, line, shown: shown.min(line) };
        self
    }

    fn new(file: u32, name: &str, kind: Kind, source: Box<dyn Read + Send>) -> io::Result<Self> {
        let text = Text::new(Decoder::new(source)?);
        // The hole of a log that was truncated under its writer is as large as the log was.
        let hole_max = if kind == Kind::Regular { u64::MAX } else { HOLE_MAX };
        Ok(Self { file, name: name.to_owned(), kind, text, head: None, sizes: Sizes::DEFAULT, hole_max })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Regular,
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Content, Found};
    use std::io::Write;
    use std::path::PathBuf;

    fn stream(bytes: &[u8]) -> Stream {
        Stream::new(0, "a.log", Kind::Other, Box::new(io::Cursor::new(bytes.to_vec()))).unwrap()
    }

    fn text(blocks: Blocks) -> Vec<u8> {
        blocks.flat_map(|block| block.unwrap().bytes).collect()
    }

    #[test]
    fn the_head_is_delivered_again() {
        let pool = BlockPool::new();
        for length in [0, 1, HEAD_SIZE / 50 - 1, HEAD_SIZE / 50, HEAD_SIZE / 20] {
            let log = b"1.2.3.4 - - [28/Jul/2026:10:00:00 +0000] \"GET / \"\n".repeat(length);
            let mut stream = stream(&log);
            let head = stream.head();
            assert!(head.bytes == log[..log.len().min(HEAD_SIZE)]);
            assert_eq!(head.complete, log.len() < HEAD_SIZE);
            assert!(text(stream.blocks(&pool, LineNumbers::Uncounted, Framing::Lines)) == log);
        }
    }

    #[test]
    fn the_head_of_a_cut_archive_is_not_complete() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"a\nb\n").unwrap();
        let archive = encoder.finish().unwrap();
        let mut stream = stream(&archive[..archive.len() - 1]);
        let head = stream.head();
        assert_eq!((head.bytes.as_slice(), head.complete), (&b"a\nb\n"[..], false));
        let mut blocks = stream.blocks(&BlockPool::new(), LineNumbers::Counted, Framing::Lines);
        let block = blocks.next().unwrap().unwrap();
        assert_eq!((block.bytes.as_slice(), block.content), (&b"a\nb\n"[..], Content::Lines));
        let failure = blocks.next().unwrap().unwrap_err();
        let offset = archive.len() - 1;
        assert_eq!(
            failure.message,
            format!("a.log: unexpected end of gzip data after {offset} compressed bytes")
        );
        assert_eq!(blocks.next(), None);
    }

    #[test]
    fn a_head_is_not_looked_for_behind_endless_nuls() {
        let mut stream = Stream::new(0, "zero", Kind::Other, Box::new(io::repeat(0))).unwrap();
        assert_eq!(stream.head(), &Head { bytes: Vec::new(), complete: false });
        let hole = || io::repeat(0).take(HOLE_MAX + (2 << 20)).chain(io::Cursor::new(*b"a\n"));
        let mut stream = Stream::new(0, "a.log", Kind::Regular, Box::new(hole())).unwrap();
        assert_eq!(stream.head().bytes, b"a\n");
        let mut stream = Stream::new(0, "a.log", Kind::Regular, Box::new(hole())).unwrap();
        assert_eq!(stream.glance().bytes, b"");
    }

    #[test]
    fn opening_names_the_file() {
        let path = PathBuf::from("/nonexistent/a.log");
        let name = path.display().to_string();
        let input = Input { id: 0, name, path: Some(path), found: Found::Named, size: None };
        let error = Stream::open(&input).err().unwrap();
        assert_eq!(error.to_string(), "cannot open /nonexistent/a.log: no such file or directory");
    }

    #[test]
    fn a_file_can_be_opened_again() {
        let path = std::env::temp_dir().join(format!("bandwho-stream-{}", std::process::id()));
        std::fs::write(&path, "a\nb\n").unwrap();
        let listing = crate::input::list(std::slice::from_ref(&path)).unwrap();
        for _ in 0..2 {
            let mut stream = Stream::open(&listing.inputs[0]).unwrap();
            assert!(stream.is_regular() && stream.head().complete);
            assert_eq!(
                text(stream.blocks(&BlockPool::new(), LineNumbers::Counted, Framing::Lines)),
                b"a\nb\n"
            );
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn blocks_can_be_parsed_in_parallel() {
        use rayon::iter::{ParallelBridge, ParallelIterator};
        let log = b"some line\n".repeat(500_000);
        let lines: usize = stream(&log)
            .blocks(&BlockPool::new(), LineNumbers::Uncounted, Framing::Lines)
            .par_bridge()
            .map(|block| crate::input::lines(&block.unwrap().bytes).count())
            .sum();
        assert_eq!(lines, 500_000);
    }
}
