//! Decompressed bytes → UTF-8 whose lines end at a newline.
//!
//! Logs that passed through other systems come with a byte order mark, as UTF-16 (what a shell of Windows redirects)
//! or with carriage returns for line ends. Everything behind this module sees plain text, so line numbers, heads and
//! blocks need not know. The text is the same whatever the sizes it is read in: what it is, is decided on its first
//! [`HEAD_SIZE`] bytes, and only once. Plain text is read straight into its buffer but for the first few bytes.

use memchr::memchr;

use super::codec::{ARCHIVE_MAGIC_SIZE, archive};
use super::decode::Decoder;
use super::stream::HEAD_SIZE;

/// Bytes looked at first; nearly every log has a newline among them.
const LOOK_SIZE: usize = 4 << 10;

/// Bytes of UTF-16 that are transcoded at a time.
const UTF16_SIZE: usize = 64 << 10;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// A [`Decoder`] and what undoes the encoding of its bytes.
pub(super) struct Text {
    decoder: Decoder,
    /// None: nothing has been read.
    encoding: Option<Encoding>,
    /// UTF-16 that has been read and not been transcoded.
    raw: Vec<u8>,
    /// `held[start..]` is text that has not been delivered.
    held: Vec<u8>,
    start: usize,
}

#[derive(Clone, Copy)]
enum Encoding {
    Plain,
    /// The same after a byte order mark.
    Marked,
    /// Lines end at carriage returns, of which each becomes a newline.
    CarriageReturns,
    Utf16(fn([u8; 2]) -> u16),
}

impl Text {
    pub(super) fn new(decoder: Decoder) -> Self {
        Self { decoder, encoding: None, raw: Vec::new(), held: Vec::new(), start: 0 }
    }

    /// Writes text until `output` is full or there is no more; fewer bytes than asked for mean there is no more.
    pub(super) fn fill(&mut self, output: &mut [u8]) -> usize {
        let encoding = match self.encoding {
            Some(encoding) => encoding,
            None => self.recognise(),
        };
        let mut filled = 0;
        loop {
            filled += self.deliver(&mut output[filled..]);
            let free = &mut output[filled..];
            if free.is_empty() {
                return filled;
            }
            match encoding {
                Encoding::Plain | Encoding::Marked => return filled + self.decoder.fill(free),
                Encoding::CarriageReturns => {
                    let count = self.decoder.fill(free);
                    end_lines(&mut free[..count]);
                    return filled + count;
                }
                Encoding::Utf16(unit) => {
                    if !self.transcode(unit) {
                        return filled;
                    }
                }
            }
        }
    }

    /// The word for an archive of files, if this is one. To be asked before anything is read.
    pub(super) fn archive(&mut self) -> Option<&'static str> {
        if self.encoding.is_none() {
            self.recognise();
        }
        archive(&self.held[..self.held.len().min(ARCHIVE_MAGIC_SIZE)])
    }

    /// True once all text has been written.
    pub(super) fn is_ended(&self) -> bool {
        self.is_delivered() && self.decoder.is_ended()
    }

    /// True once all text has been written and nothing was wrong.
    pub(super) fn is_complete(&self) -> bool {
        self.is_delivered() && self.decoder.is_complete()
    }

    /// What had to be undone to get at the text, the outermost first. Tells all once the first bytes were asked for.
    pub(super) fn coatings(&self) -> Vec<&'static str> {
        let compression = self.decoder.compression();
        let encoding = match self.encoding {
            Some(Encoding::Utf16(_)) => Some("UTF-16"),
            Some(Encoding::CarriageReturns) => Some("carriage returns as line ends"),
            Some(Encoding::Marked) => Some("UTF-8 with a byte order mark"),
            Some(Encoding::Plain) | None => None,
        };
        compression.into_iter().chain(encoding).collect()
    }

    /// Why the text ended before its end, if it did.
    pub(super) fn failure(&self) -> Option<&str> {
        self.decoder.failure()
    }

    /// The same, told once.
    pub(super) fn take_failure(&mut self) -> Option<String> {
        self.decoder.take_failure()
    }

    fn is_delivered(&self) -> bool {
        self.start == self.held.len() && self.raw.is_empty()
    }

    /// Reads until it is clear what the text is: up to its first newline, unless that is far.
    #[cold]
    fn recognise(&mut self) -> Encoding {
        let mut held = Vec::new();
        let mut has_newline = self.look(&mut held, LOOK_SIZE);
        let encoding = match held.as_slice() {
            [0xff, 0xfe, text @ ..] if is_utf16(text, 1) => Encoding::Utf16(u16::from_le_bytes),
            [0xfe, 0xff, text @ ..] if is_utf16(text, 0) => Encoding::Utf16(u16::from_be_bytes),
            _ => {
                while !has_newline && held.len() < HEAD_SIZE && !self.decoder.is_ended() {
                    let wanted = held.len() * 2;
                    has_newline = self.look(&mut held, wanted.min(HEAD_SIZE));
                }
                let carriage_returns = !has_newline && memchr(b'\r', &held).is_some();
                match (carriage_returns, held.starts_with(UTF8_MARK)) {
                    (true, _) => Encoding::CarriageReturns,
                    (false, true) => Encoding::Marked,
                    (false, false) => Encoding::Plain,
                }
            }
        };
        match encoding {
            Encoding::Plain | Encoding::Marked => {}
            Encoding::CarriageReturns => end_lines(&mut held),
            Encoding::Utf16(_) => self.raw = held.split_off(2),
        }
        self.held = if self.raw.is_empty() { held } else { Vec::new() };
        self.start = match encoding {
            Encoding::Utf16(_) => self.held.len(),
            _ if self.held.starts_with(UTF8_MARK) => UTF8_MARK.len(),
            _ => 0,
        };
        self.encoding = Some(encoding);
        encoding
    }

    /// Reads on to `wanted` bytes; true if there is a newline among the new ones.
    fn look(&mut self, held: &mut Vec<u8>, wanted: usize) -> bool {
        let known = held.len();
        held.resize(wanted, 0);
        let count = self.decoder.fill(&mut held[known..]);
        held.truncate(known + count);
        memchr(b'\n', &held[known..]).is_some()
    }

    fn deliver(&mut self, output: &mut [u8]) -> usize {
        let rest = &self.held[self.start..];
        let count = rest.len().min(output.len());
        output[..count].copy_from_slice(&rest[..count]);
        self.start += count;
        count
    }

    /// Holds the next text; false if there is none. Called when all that was held has been delivered.
    fn transcode(&mut self, unit: fn([u8; 2]) -> u16) -> bool {
        let known = self.raw.len();
        self.raw.resize(known + UTF16_SIZE, 0);
        let count = self.decoder.fill(&mut self.raw[known..]);
        self.raw.truncate(known + count);
        let (units, odd) = self.raw.as_chunks::<2>();
        let waits = count == UTF16_SIZE && units.last().is_some_and(|&last| is_high_surrogate(unit(last)));
        // The other half of a pair that is cut in two comes with the next bytes.
        let units = &units[..units.len() - usize::from(waits)];
        self.held.clear();
        self.start = 0;
        let mut character = [0; 4];
        for decoded in char::decode_utf16(units.iter().map(|&bytes| unit(bytes))) {
            let decoded = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.held.extend_from_slice(decoded.encode_utf8(&mut character).as_bytes());
        }
        let mut used = units.len() * 2;
        if count < UTF16_SIZE && !odd.is_empty() {
            let decoded = char::REPLACEMENT_CHARACTER.encode_utf8(&mut character);
            self.held.extend_from_slice(decoded.as_bytes());
            used += odd.len();
        }
        self.raw.drain(..used);
        !self.held.is_empty()
    }
}

/// Turns carriage returns into newlines.
fn end_lines(text: &mut [u8]) {
    let mut from = 0;
    while let Some(next) = memchr(b'\r', &text[from..]) {
        text[from + next] = b'\n';
        from += next + 1;
    }
}

fn is_high_surrogate(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

/// A mark alone is no proof: a log cut within some binary request can begin with its two bytes. Of an ASCII letter or a
/// newline in UTF-16 the byte at `zeros` of its pair is 0, and what has none of them is no log.
fn is_utf16(text: &[u8], zeros: usize) -> bool {
    let mut pairs = text.chunks_exact(2);
    pairs.len() == 0 || pairs.any(|pair| pair[zeros] == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    /// All text, read `room` bytes at a time.
    fn read(bytes: &[u8], room: usize) -> Vec<u8> {
        let mut text = Text::new(Decoder::new(Box::new(Cursor::new(bytes.to_vec()))).unwrap());
        let mut buffer = vec![0; room];
        let mut all = Vec::new();
        loop {
            let count = text.fill(&mut buffer);
            all.extend_from_slice(&buffer[..count]);
            if count < room {
                assert!(text.is_ended() && text.is_complete());
                assert_eq!((text.fill(&mut buffer), text.take_failure()), (0, None));
                return all;
            }
        }
    }

    fn check(bytes: &[u8], expected: &str) {
        for room in [1, 2, 3, 5, 4096, 1 << 20] {
            let found = read(bytes, room);
            assert_eq!(found.as_slice(), expected.as_bytes(), "{bytes:?} by {room}");
        }
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn marks_are_dropped_and_carriage_returns_end_lines() {
        check(b"", "");
        check(b"a\nb", "a\nb");
        check(b"\xef\xbb\xbf", "");
        check(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", "a\n\u{feff}b\n");
        check(b"a\rb\r", "a\nb\n");
        check(b"a\rb\r\nc\r", "a\rb\r\nc\r");
        check(b"\xef\xbb\xbfa\rb", "a\nb");
    }

    #[test]
    fn utf16_becomes_utf8() {
        for text in ["", "a", "a\r\nb\r\n", "é中😀\n"] {
            check(&utf16(text, u16::to_le_bytes), text);
            check(&utf16(text, u16::to_be_bytes), text);
        }
        check(b"\xff\xfea\0b", "a\u{fffd}");
        check(b"\xff\xfe\x3d\xd8a\0\x00\xde\x3d\xd8", "\u{fffd}a\u{fffd}\u{fffd}");
        check(b"\xff\xfe\n\0\xff\xfea\0", "\n\u{feff}a");
    }

    #[test]
    fn carriage_returns_count_only_in_the_head() {
        let long = [vec![b'x'; HEAD_SIZE], b"\ra\rb\n".to_vec()].concat();
        assert!(read(&long, 777_777) == long);
        let old = b"line\r".repeat(HEAD_SIZE / 4);
        assert!(read(&old, 777_777) == b"line\n".repeat(HEAD_SIZE / 4));
        let changing = [&b"line\r".repeat(HEAD_SIZE / 5 + 1)[..], b"a\n"].concat();
        assert_eq!(read(&changing, 1000).split(|&byte| byte == b'\n').count() - 1, HEAD_SIZE / 5 + 2);
    }

    #[test]
    fn pairs_that_straddle_two_reads_stay_whole() {
        for shift in 0..4 {
            let text = format!("{}{}\n", "x".repeat(shift + 1), "😀".repeat(UTF16_SIZE));
            for room in [4097, 1 << 20] {
                assert!(read(&utf16(&text, u16::to_le_bytes), room) == text.as_bytes(), "{shift} {room}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn any_units_read_as_the_standard_library_reads_them(
            units in prop::collection::vec(prop_oneof![Just(10_u16), 0xd7fe..0xe002_u16, any::<u16>()], 0..40),
            odd in any::<Option<u8>>(),
            room in 1_usize..50,
        ) {
            // Some byte must show that it is UTF-16.
            let units: Vec<u16> = std::iter::once(10).chain(units).collect();
            let mut expected = String::from_utf16_lossy(&units);
            expected.extend(odd.map(|_| char::REPLACEMENT_CHARACTER));
            let mut bytes = vec![0xff, 0xfe];
            bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
            bytes.extend(odd);
            prop_assert_eq!(read(&bytes, room), expected.into_bytes());
        }
    }
}
