//! The bytes of a source, decompressed, up to a failure that is told once and after the last good byte.
//!
//! ```text
//! source: | member | member | 0 0 0 | member | garbage
//! text:     lines    lines             lines   failure
//! ```
//!
//! An archive may hold any number of members, as `cat a.gz b.gz` or appending rotation make them, and zeros between or
//! after them, as tapes and block devices leave them. Anything else after a member is a failure.

use std::io::{self, Read};

use super::codec::{Codec, MAGIC_SIZE, Status, recognise};
use crate::error::cause;

/// Compressed bytes read at a time.
const INPUT_SIZE: usize = 256 << 10;

/// A source and its decompressor.
pub(super) struct Decoder {
    source: Box<dyn Read + Send>,
    /// None: the source is plain text.
    codec: Option<Codec>,
    position: Position,
    /// `input[start..end]` has been read from the source and not been used.
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the source that have been used.
    offset: u64,
    /// Why the source gives no more bytes, once it does not.
    source_end: Option<Ending>,
    /// Why there is no more text, once there is none.
    text_end: Option<Ending>,
}

enum Ending {
    Complete,
    Broken(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    InMember,
    BetweenMembers,
}

impl Decoder {
    /// Reads the first bytes of a source to tell how it is stored.
    pub(super) fn new(mut source: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut input = vec![0; MAGIC_SIZE];
        let mut end = 0;
        let mut source_end = None;
        while end < input.len() && source_end.is_none() {
            match read(&mut source, &mut input[end..]) {
                Ok(0) => source_end = Some(Ending::Complete),
                Ok(count) => end += count,
                Err(error) => source_end = Some(Ending::Broken(read_failure(end as u64, &error))),
            }
        }
        let codec = Codec::new(recognise(&input[..end]))?;
        if codec.is_some() {
            input.resize(INPUT_SIZE, 0);
        }
        let position = Position::InMember;
        Ok(Self { source, codec, position, input, start: 0, end, offset: 0, source_end, text_end: None })
    }

    /// Writes text until `output` is full or there is no more; fewer bytes than asked for mean there is no more.
    pub(super) fn fill(&mut self, output: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < output.len() && self.text_end.is_none() {
            let free = &mut output[filled..];
            filled += if self.codec.is_some() { self.decode(free) } else { self.copy(free) };
        }
        filled
    }

    /// True once all text has been written.
    pub(super) fn is_ended(&self) -> bool {
        self.text_end.is_some()
    }

    /// True once all text has been written and nothing was wrong.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self.text_end, Some(Ending::Complete))
    }

    /// The word for the compression, if there is one.
    pub(super) fn compression(&self) -> Option<&'static str> {
        self.codec.as_ref().map(Codec::name)
    }

    /// Why the text ended before its end, if it did.
    pub(super) fn failure(&self) -> Option<&str> {
        match &self.text_end {
            Some(Ending::Broken(message)) => Some(message),
            _ => None,
        }
    }

    /// The same, told once.
    pub(super) fn take_failure(&mut self) -> Option<String> {
        match self.text_end.replace(Ending::Complete) {
            Some(Ending::Broken(message)) => Some(message),
            _ => None,
        }
    }

    /// Plain text goes from the source into `output` without a stop, except for the first bytes.
    fn copy(&mut self, output: &mut [u8]) -> usize {
        let held = (self.end - self.start).min(output.len());
        if held > 0 {
            output[..held].copy_from_slice(&self.input[self.start..self.start + held]);
            self.consume(held);
            return held;
        }
        if let Some(ending) = self.source_end.take() {
            self.text_end = Some(ending);
            return 0;
        }
        match read(&mut self.source, output) {
            Ok(0) => self.text_end = Some(Ending::Complete),
            Ok(count) => {
                self.offset += count as u64;
                return count;
            }
            Err(error) => self.break_off(read_failure(self.offset, &error)),
        }
        0
    }

    /// One step of the decompressor.
    fn decode(&mut self, output: &mut [u8]) -> usize {
        self.refill();
        if self.position == Position::BetweenMembers {
            self.enter_member();
            return 0;
        }
        let Some(codec) = &mut self.codec else { return 0 };
        let name = codec.name();
        let step = codec.step(&self.input[self.start..self.end], output);
        self.consume(step.read);
        match step.status {
            Status::Continues if step.read == 0 && step.written == 0 => {
                let message = match self.source_end.take() {
                    Some(Ending::Broken(message)) => message,
                    _ => format!("unexpected end of {name} data after {} compressed bytes", self.offset),
                };
                self.break_off(message);
            }
            Status::Continues => {}
            Status::MemberEnded => self.position = Position::BetweenMembers,
            Status::Corrupt(detail) => {
                self.break_off(format!(
                    "corrupt {name} data after {} compressed bytes: {detail}",
                    self.offset
                ));
            }
        }
        step.written
    }

    /// Passes over zeros to the next member, to the end, or to what should not be there.
    fn enter_member(&mut self) {
        let Some(codec) = &mut self.codec else { return };
        let unused = &self.input[self.start..self.end];
        match unused.iter().position(|&byte| byte != 0) {
            None if unused.is_empty() => {
                self.text_end = Some(self.source_end.take().unwrap_or(Ending::Complete));
            }
            None => self.consume(unused.len()),
            Some(zeros) if codec.may_begin_with(unused[zeros]) => {
                let restarted = codec.restart();
                self.consume(zeros);
                self.position = Position::InMember;
                if let Err(error) = restarted {
                    self.break_off(cause(&error));
                }
            }
            Some(zeros) => {
                let name = codec.name();
                self.consume(zeros);
                self.break_off(format!("garbage after {name} data at compressed byte {}", self.offset + 1));
            }
        }
    }

    /// Reads the next piece of the source if the last one has been used up.
    fn refill(&mut self) {
        if self.start < self.end || self.source_end.is_some() {
            return;
        }
        match read(&mut self.source, &mut self.input) {
            Ok(0) => self.source_end = Some(Ending::Complete),
            Ok(count) => (self.start, self.end) = (0, count),
            Err(error) => self.source_end = Some(Ending::Broken(read_failure(self.offset, &error))),
        }
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.offset += count as u64;
    }

    #[cold]
    fn break_off(&mut self, message: String) {
        self.text_end = Some(Ending::Broken(message));
    }
}

/// One `read`, again if a signal came in between.
fn read(source: &mut dyn Read, output: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(output) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cold]
fn read_failure(offset: u64, error: &io::Error) -> String {
    format!("cannot be read after {offset} bytes: {}", cause(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    type Encode = fn(&[u8]) -> Vec<u8>;

    const CODECS: [(&str, Encode); 4] = [("gzip", gzip), ("zstd", zstd), ("bzip2", bzip2), ("xz", xz)];

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2(text: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn xz(text: &[u8]) -> Vec<u8> {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// Lines that compress, but not to nothing, from a multiplicative generator.
    fn log(lines: u32) -> Vec<u8> {
        let mut state = 1_u32;
        let mut text = Vec::new();
        for number in 0..lines {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            writeln!(text, "line {number} {}", state >> 8).unwrap();
        }
        text
    }

    /// Hands out one piece per read, then fails if it is told to.
    struct Dribble {
        bytes: Vec<u8>,
        position: usize,
        piece: usize,
        interrupted: bool,
        error: Option<i32>,
    }

    impl Read for Dribble {
        fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
            self.interrupted = !self.interrupted;
            if self.interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let rest = &self.bytes[self.position..];
            if rest.is_empty()
                && let Some(code) = self.error
            {
                return Err(io::Error::from_raw_os_error(code));
            }
            let count = rest.len().min(self.piece).min(output.len());
            output[..count].copy_from_slice(&rest[..count]);
            self.position += count;
            Ok(count)
        }
    }

    /// The text and the failure of a source read `piece` bytes at a time into buffers of `room` bytes.
    fn decode(bytes: &[u8], piece: usize, room: usize, error: Option<i32>) -> (Vec<u8>, Option<String>) {
        let source = Dribble { bytes: bytes.to_vec(), position: 0, piece, interrupted: false, error };
        let mut decoder = Decoder::new(Box::new(source)).unwrap();
        let mut text = Vec::new();
        let mut buffer = vec![0; room];
        loop {
            let count = decoder.fill(&mut buffer);
            text.extend_from_slice(&buffer[..count]);
            if count < room {
                break;
            }
        }
        assert!(decoder.is_ended());
        assert_eq!(decoder.fill(&mut buffer), 0, "nothing follows the end");
        let complete = decoder.is_complete();
        let failure = decoder.take_failure();
        assert_eq!(failure.is_none(), complete);
        assert_eq!(decoder.take_failure(), None, "told once");
        (text, failure)
    }

    #[track_caller]
    fn check(bytes: &[u8], text: &[u8], failure: Option<&str>) {
        for (piece, room) in [(usize::MAX, 1 << 20), (usize::MAX, 1000), (1, 1 << 20), (3, 7)] {
            let found = decode(bytes, piece, room, None);
            assert!(found.0 == text, "{} bytes of text, not {}", found.0.len(), text.len());
            assert_eq!(found.1.as_deref(), failure, "piece {piece}, room {room}");
        }
    }

    #[test]
    fn plain_text_passes_unchanged() {
        for text in ["", "a", "a\n", "12345", "123456", "1234567\n", "\0\0\0\0\0\0\0\0"] {
            check(text.as_bytes(), text.as_bytes(), None);
        }
        check(&log(1000), &log(1000), None);
    }

    #[test]
    fn every_codec_reads_every_member() {
        let text = log(3000);
        for (_, encode) in CODECS {
            check(&encode(&text), &text, None);
            check(&encode(b""), b"", None);
            let parts = [encode(&text[..100]), encode(b""), encode(&text[100..1000]), encode(&text[1000..])];
            check(&parts.concat(), &text, None);
        }
        let skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
        check(&[skippable, &zstd(b"a\n")[..], skippable, &zstd(b"b\n")].concat(), b"a\nb\n", None);
    }

    #[test]
    fn text_larger_than_all_buffers() {
        let text = log(150_000);
        for (_, encode) in CODECS {
            assert!(decode(&encode(&text), usize::MAX, 1 << 20, None) == (text.clone(), None));
            assert!(decode(&encode(&text), 100_000, 64 << 10, None) == (text.clone(), None));
        }
    }

    #[test]
    fn zeros_after_a_member_are_padding_and_anything_else_is_garbage() {
        for (name, encode) in CODECS {
            let member = encode(b"a\n");
            let zeros: &[u8] = &[0; 600];
            check(&[&member, zeros].concat(), b"a\n", None);
            check(&[&member, zeros, &member].concat(), b"a\na\n", None);
            let place =
                |offset: usize| format!("garbage after {name} data at compressed byte {}", offset + 1);
            check(&[&member, &b"x"[..]].concat(), b"a\n", Some(&place(member.len())));
            check(&[&member, &zeros[..5], b"12"].concat(), b"a\n", Some(&place(member.len() + 5)));
        }
    }

    #[test]
    fn a_cut_anywhere_is_one_failure_after_what_came_before() {
        let text = log(60);
        let short = [gzip(b"first\n"), gzip(&text)].concat();
        let boundary = gzip(b"first\n").len();
        for cut in 1..short.len() {
            let (found, failure) = decode(&short[..cut], usize::MAX, 50, None);
            let whole = [b"first\n", &text[..]].concat();
            assert!(whole.starts_with(&found), "cut {cut}");
            if cut == boundary {
                assert_eq!((found.as_slice(), failure), (&b"first\n"[..], None));
                continue;
            }
            let expected = format!("unexpected end of gzip data after {cut} compressed bytes");
            assert_eq!(failure, Some(expected), "cut {cut}");
            assert!(cut < boundary || found.starts_with(b"first\n"), "cut {cut}");
            assert!(cut < short.len() - 8 || found == whole, "cut {cut} is in the last trailer");
        }
        for (name, encode) in CODECS {
            let archive = encode(&text);
            for cut in 6..archive.len() {
                let (found, failure) = decode(&archive[..cut], 1000, 1 << 10, None);
                assert!(text.starts_with(&found), "{name} cut {cut}");
                let expected = format!("unexpected end of {name} data after {cut} compressed bytes");
                assert_eq!(failure, Some(expected), "cut {cut}");
            }
        }
    }

    #[test]
    fn damage_anywhere_never_panics_and_keeps_the_members_before() {
        let text = log(60);
        for (name, encode) in CODECS {
            let before = encode(b"first\n");
            let archive = [&before[..], &encode(&text)].concat();
            for place in before.len()..archive.len() {
                let mut damaged = archive.clone();
                damaged[place] ^= 0xa5;
                let (found, failure) = decode(&damaged, usize::MAX, 1 << 20, None);
                assert!(found.starts_with(b"first\n"), "{name} at {place}");
                let whole = found[6..] == text[..];
                assert!(whole || failure.is_some(), "{name} at {place}: wrong text and no failure");
            }
        }
    }

    #[test]
    fn text_before_damage_in_a_member_is_kept() {
        let text = log(150_000);
        for (name, encode) in CODECS {
            let mut damaged = encode(&text);
            let place = damaged.len() * 3 / 4;
            damaged[place..place + 64].fill(0x55);
            let (found, failure) = decode(&damaged, usize::MAX, 1 << 20, None);
            let failure = failure.unwrap();
            assert!(failure.starts_with(&format!("corrupt {name} data after ")), "{failure}");
            let same = found.iter().zip(&text).take_while(|(a, b)| a == b).count();
            // bzip2 decodes 100 kB blocks and zstd 128 kB blocks as a whole; each is all there or not at all.
            assert!(same > text.len() * 3 / 4 - (256 << 10), "{name}: {same} of {} bytes", text.len());
        }
    }

    #[test]
    fn a_checksum_that_does_not_fit_is_a_failure_after_all_text() {
        let mut archive = gzip(b"a\n");
        let place = archive.len() - 6;
        archive[place] ^= 1;
        let expected =
            format!("corrupt gzip data after {} compressed bytes: incorrect data check", place + 2);
        check(&archive, b"a\n", Some(&expected));
    }

    #[test]
    fn a_read_error_is_told_with_its_place() {
        let found = decode(b"1.2.3.4 - -\n", 5, 100, Some(5));
        let expected = Some("cannot be read after 12 bytes: input/output error".to_owned());
        assert_eq!(found, (b"1.2.3.4 - -\n".to_vec(), expected));
        let found = decode(b"1.2", 5, 100, Some(21));
        let expected = Some("cannot be read after 3 bytes: is a directory".to_owned());
        assert_eq!(found, (b"1.2".to_vec(), expected));
        let text = log(500);
        for (name, encode) in CODECS {
            let archive = encode(&text);
            for (bytes, whole) in [(&archive[..archive.len() - 1], false), (&archive[..], true)] {
                let (found, failure) = decode(bytes, 1000, 100, Some(5));
                let expected = format!("cannot be read after {} bytes: input/output error", bytes.len());
                assert_eq!(failure, Some(expected), "{name}");
                assert!(text.starts_with(&found) && (found == text || !whole), "{name}");
            }
        }
    }

    #[test]
    fn many_empty_members_neither_recurse_nor_grow() {
        let empty = gzip(b"");
        let archive = [empty.repeat(200_000), gzip(b"a\n")].concat();
        assert_eq!(decode(&archive, usize::MAX, 100, None), (b"a\n".to_vec(), None));
    }
}
