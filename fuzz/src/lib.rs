//! What the fuzz targets share: how an input is cut up, and what must hold for every format and every line.

pub mod law;
pub mod print;

use bandwho::format::{BadFormat, Format, Layout};

/// Cuts an input at its first empty line: a format or header, and lines.
pub fn split(data: &[u8]) -> (&[u8], &[u8]) {
    match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &[]),
    }
}

/// The lines of a log.
pub fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|&byte| byte == b'\n')
}

/// The layout of a text that compiles; an error must say where in the text it is.
pub fn layout(text: &str, read: Result<Format, BadFormat>) -> Option<Layout> {
    match read {
        Ok(format) => law::format(&format),
        Err(bad) => {
            assert!(bad.offset <= text.len() && !bad.message.is_empty(), "{bad}");
            None
        }
    }
}

/// One input in so many has its line made very long.
const LONG_EVERY: usize = 256;

/// What takes more than linear time does not end within the time limit on a line of this length.
const LONG: usize = 256 << 10;

/// For some inputs, their line with the second half of it repeated.
pub fn stretched(data: &[u8], line: &[u8]) -> Option<Vec<u8>> {
    let half = &line[line.len() / 2..];
    if !data.len().is_multiple_of(LONG_EVERY) || half.is_empty() {
        return None;
    }
    let mut long = line.to_vec();
    while long.len() + half.len() < LONG {
        long.extend_from_slice(half);
    }
    Some(long)
}
