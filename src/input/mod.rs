//! Paths and stdin → decompressed blocks of whole lines.
//!
//! [`list`] turns what was typed into the inputs to read, each file once. [`Stream::open`] undoes the compression,
//! which it recognises by the first bytes and never by the name, and then the encoding of the text (UTF-16, byte order
//! marks, carriage returns). [`Stream::blocks`] cuts the text into [`Block`]s that end at a newline, in buffers that
//! are recycled through a [`BlockPool`], with as much regard for what the lines belong to as [`Framing`] asks for.
//! [`lines`] walks one block. [`Loader`] reads the files of a server's configuration.
//!
//! Memory stays flat whatever the input holds: a block grows to [`LINE_MAX`] at most, and a longer line is counted but
//! not kept. Files are read with plain `read`; a log that is truncated while memory-mapped would be a crash.

mod blocks;
mod codec;
mod configuration;
mod decode;
mod paths;
mod stream;
mod text;
mod whole;

use memchr::memchr;

pub use self::blocks::{
    BLOCK_SIZE, Block, BlockPool, Blocks, Content, Failure, Framing, Joint, LINE_MAX, LineNumbers,
    TOO_LONG_SHOWN,
};
pub use self::configuration::{Expanded, Loader, expand};
pub use self::paths::{Found, Input, Listing, list, list_each};
pub use self::stream::{HEAD_SIZE, HOLE_MAX, Head, Stream};
pub use self::whole::decompress;

/// The lines of a block without their line ends; one carriage return before the end of a line belongs to that end.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let (line, next) = line(bytes, start);
        start = next;
        Some(line)
    })
}

/// The one of these lines that begins at `start`, and where the next one begins.
#[inline]
pub fn line(bytes: &[u8], start: usize) -> (&[u8], usize) {
    let rest = &bytes[start..];
    let (line, next) = match memchr(b'\n', rest) {
        Some(newline) => (&rest[..newline], start + newline + 1),
        None => (rest, bytes.len()),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(bytes: &str, expected: &[&str]) {
        let found: Vec<&[u8]> = lines(bytes.as_bytes()).collect();
        let expected: Vec<&[u8]> = expected.iter().map(|line| line.as_bytes()).collect();
        assert_eq!(found, expected, "{bytes:?}");
    }

    #[test]
    fn lines_end_at_newlines() {
        check("", &[]);
        check("\n", &[""]);
        check("a", &["a"]);
        check("a\n", &["a"]);
        check("a\nb", &["a", "b"]);
        check("a\r\nb\r\n", &["a", "b"]);
        check("a\r\r\n", &["a\r"]);
        check("a\rb\n", &["a\rb"]);
        check("\n\na\n\n", &["", "", "a", ""]);
        check("a\r", &["a"]);
    }

    /// The obvious twin: split at every newline, then drop what follows the last one if it is empty.
    fn naive(bytes: &[u8]) -> Vec<&[u8]> {
        let mut all: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
        if all.last().is_some_and(|last| last.is_empty()) {
            all.pop();
        }
        all.iter().map(|line| if line.ends_with(b"\r") { &line[..line.len() - 1] } else { line }).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn lines_agree_with_their_twin(
            bytes in prop::collection::vec(prop::sample::select(b"a\r\n ".to_vec()), 0..40),
        ) {
            prop_assert_eq!(lines(&bytes).collect::<Vec<_>>(), naive(&bytes));
        }
    }
}
