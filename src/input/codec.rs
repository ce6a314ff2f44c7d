//! One step of each decompressor, behind one face.
//!
//! The libraries' own `Read` adapters are not used: when a step fails they forget what that very step had already
//! written, up to a whole block of good lines. A raw step tells how much it read and wrote even when it fails, and
//! leaves to [`super::decode`] what comes after a member.

use std::io;

use crate::error::cause;

/// How an input is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    Plain,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

/// Bytes that suffice to tell how an input is stored.
pub(super) const MAGIC_SIZE: usize = 6;

/// The largest window deflate has, which every archive fits.
const GZIP_WINDOW_BITS: u8 = 15;

/// A zstd archive may ask for a window of this many bits: `zstd --ultra --long=31`, the most there is.
const ZSTD_WINDOW_LOG_MAX: u32 = if usize::BITS > 32 { 31 } else { 30 };

/// Memory an xz archive may ask for; `xz -9` needs 65 MiB.
const XZ_MEMORY_MAX: u64 = 2 << 30;

/// Tells how an input is stored from its first [`MAGIC_SIZE`] bytes, or from all of them if there are fewer.
pub(super) fn recognise(start: &[u8]) -> Storage {
    match start {
        // No log consists of one control character: this is a gzip archive cut after its first byte.
        [0x1f] | [0x1f, 0x8b, ..] => Storage::Gzip,
        // The second pattern is a skippable frame, which seekable and signed archives begin with.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Storage::Zstd,
        // The fifth byte begins the first block, or the trailer of an archive of nothing.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Storage::Bzip2,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Storage::Xz,
        _ => Storage::Plain,
    }
}

/// Bytes that suffice to tell an archive of files.
pub(super) const ARCHIVE_MAGIC_SIZE: usize = 512;

/// Where a tar archive says that it is one; before that stand a name and numbers, filled up with zeros.
const TAR_MAGIC: usize = 257;

/// The word for an archive of files, if a decompressed text begins like one.
pub(super) fn archive(start: &[u8]) -> Option<&'static str> {
    let after = |at: usize| start.get(at..).unwrap_or_default();
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return Some("zip");
    }
    let tar = after(TAR_MAGIC).starts_with(b"ustar") && memchr::memchr(0, &start[..TAR_MAGIC]).is_some();
    tar.then_some("tar")
}

/// A decompressor in the middle of, or before, a member (gzip), frame (zstd) or stream (bzip2, xz).
pub(super) enum Codec {
    Gzip(flate2::Decompress),
    Zstd(Frames),
    Bzip2(bzip2::Decompress),
    Xz(liblzma::stream::Stream),
}

/// What one step did. It made no progress if `read` and `written` are 0.
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
    pub(super) status: Status,
}

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Status {
    Continues,
    /// The member is complete and its checksum right; [`Codec::restart`] before the next.
    MemberEnded,
    /// The member cannot be decoded any further, in the decompressor's words.
    Corrupt(String),
}

impl Codec {
    /// The decompressor for a kind of storage; none for plain text.
    pub(super) fn new(storage: Storage) -> io::Result<Option<Self>> {
        Ok(Some(match storage {
            Storage::Plain => return Ok(None),
            Storage::Gzip => Self::Gzip(flate2::Decompress::new_gzip(GZIP_WINDOW_BITS)),
            Storage::Zstd => Self::Zstd(Frames::new()?),
            Storage::Bzip2 => Self::Bzip2(bzip2::Decompress::new(false)),
            Storage::Xz => Self::Xz(liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_MAX, 0)?),
        }))
    }

    /// The word for this compression in messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Gzip(_) => "gzip",
            Self::Zstd(_) => "zstd",
            Self::Bzip2(_) => "bzip2",
            Self::Xz(_) => "xz",
        }
    }

    /// True if a member of this compression can begin with this byte.
    pub(super) fn may_begin_with(&self, first: u8) -> bool {
        match self {
            Self::Gzip(_) => first == 0x1f,
            Self::Zstd(_) => matches!(first, 0x28 | 0x50..=0x5f),
            Self::Bzip2(_) => first == b'B',
            Self::Xz(_) => first == 0xfd,
        }
    }

    /// Gets ready for the next member.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(inflate) => inflate.reset(true),
            Self::Zstd(frames) => frames.restart()?,
            Self::Bzip2(decompress) => *decompress = bzip2::Decompress::new(false),
            Self::Xz(stream) => {
                *stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_MAX, 0)?;
            }
        }
        Ok(())
    }

    /// Decodes some of `input` into `output`, which is not empty. With an empty `input` it hands out what it holds back.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Gzip(inflate) => {
                let before = (inflate.total_in(), inflate.total_out());
                let status = match inflate.decompress(input, output, flate2::FlushDecompress::None) {
                    Ok(flate2::Status::StreamEnd) => Status::MemberEnded,
                    Ok(_) => Status::Continues,
                    Err(error) => Status::Corrupt(error.message().unwrap_or("invalid data").to_owned()),
                };
                Step::between(before, (inflate.total_in(), inflate.total_out()), status)
            }
            Self::Zstd(frames) => frames.step(input, output),
            Self::Bzip2(decompress) => {
                let before = (decompress.total_in(), decompress.total_out());
                let status = match decompress.decompress(input, output) {
                    Ok(bzip2::Status::StreamEnd) => Status::MemberEnded,
                    Ok(_) => Status::Continues,
                    Err(error) => Status::Corrupt(error.to_string().replace("bzip2: ", "")),
                };
                Step::between(before, (decompress.total_in(), decompress.total_out()), status)
            }
            Self::Xz(stream) => {
                let before = (stream.total_in(), stream.total_out());
                let status = match stream.process(input, output, liblzma::stream::Action::Run) {
                    Ok(liblzma::stream::Status::StreamEnd) => Status::MemberEnded,
                    Ok(_) => Status::Continues,
                    Err(error) => Status::Corrupt(error.to_string()),
                };
                Step::between(before, (stream.total_in(), stream.total_out()), status)
            }
        }
    }
}

impl Step {
    /// The difference of two pairs of (bytes read, bytes written), counted since the member began.
    fn between(before: (u64, u64), after: (u64, u64), status: Status) -> Self {
        let difference = |after: u64, before: u64| {
            usize::try_from(after - before).expect("a step handles no more bytes than its slices hold")
        };
        Self { read: difference(after.0, before.0), written: difference(after.1, before.1), status }
    }
}

/// zstd, fed one compressed block at a time.
///
/// Unlike the others, libzstd does not say how much it wrote when a step fails. So a step never spans two blocks: it
/// gets exactly the bytes the last step asked for, and none while decoded text still waits for room. Then a failing
/// step has written nothing, and every block before the bad one has been handed out.
pub(super) struct Frames {
    decoder: zstd::stream::raw::Decoder<'static>,
    wanted: usize,
    held: Held,
}

/// Whether decoded text may be waiting inside the decoder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Perhaps,
}

impl Frames {
    /// The shortest frame header; any small number serves, the decoder then asks for the rest.
    const FIRST_WANTED: usize = 5;

    fn new() -> io::Result<Self> {
        let mut decoder = zstd::stream::raw::Decoder::new()?;
        decoder.set_parameter(zstd::stream::raw::DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
        Ok(Self { decoder, wanted: Self::FIRST_WANTED, held: Held::Nothing })
    }

    fn restart(&mut self) -> io::Result<()> {
        let Self { decoder, wanted, held } = self;
        *wanted = Self::FIRST_WANTED;
        *held = Held::Nothing;
        zstd::stream::raw::Operation::reinit(decoder)
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        if self.held == Held::Perhaps {
            let step = self.run(&[], output);
            if step.written > 0 || step.status != Status::Continues {
                return step;
            }
        }
        self.run(&input[..input.len().min(self.wanted)], output)
    }

    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match zstd::stream::raw::Operation::run_on_buffers(&mut self.decoder, input, output) {
            Ok(done) => {
                self.wanted = done.remaining.max(1);
                self.held = if done.bytes_written == output.len() { Held::Perhaps } else { Held::Nothing };
                let status = if done.remaining == 0 { Status::MemberEnded } else { Status::Continues };
                Step { read: done.bytes_read, written: done.bytes_written, status }
            }
            Err(error) => Step { read: 0, written: 0, status: Status::Corrupt(cause(&error)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_of_files_are_told_from_logs() {
        let tar = |fill: u8| [vec![fill; TAR_MAGIC], b"ustar  \0".to_vec()].concat();
        assert_eq!(archive(&tar(0)), Some("tar"));
        assert_eq!(archive(&tar(b'x')), None);
        assert_eq!(archive(&tar(0)[..TAR_MAGIC + 4]), None);
        assert_eq!(archive(b"PK\x03\x04\x0a"), Some("zip"));
        assert_eq!(archive(b"PK 1"), None);
        assert_eq!(archive(b""), None);
    }

    fn check(start: &[u8], expected: Storage) {
        assert_eq!(recognise(start), expected, "{start:x?}");
    }

    #[test]
    fn storage_is_told_by_the_first_bytes() {
        check(b"", Storage::Plain);
        check(b"\x1f", Storage::Gzip);
        check(b"\x1f\x8b", Storage::Gzip);
        check(b"\x1f\x8b\x08\0\0\0", Storage::Gzip);
        check(b"\x1f\x9d\x90", Storage::Plain);
        check(b"\x28\xb5\x2f", Storage::Plain);
        check(b"\x28\xb5\x2f\xfd", Storage::Zstd);
        check(b"\x5a\x2a\x4d\x18\x04\0", Storage::Zstd);
        check(b"(local", Storage::Plain);
        check(b"BZ", Storage::Plain);
        check(b"BZh91A", Storage::Bzip2);
        check(b"BZh9\x17r", Storage::Bzip2);
        check(b"BZhang", Storage::Plain);
        check(b"\xfd7zXZ\0", Storage::Xz);
        check(b"\xfd7zXZ", Storage::Plain);
        check(b"\xef\xbb\xbf1.2", Storage::Plain);
        check(b"1.2.3.", Storage::Plain);
    }
}
