//! Who belongs where, and who said so.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::NAME_BYTES_MAX;
use super::address::canonical;
use super::globs::{PATTERN_BYTES_MAX, Separator, compile, is_glob};

/// What a server can be found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine<'t> {
    /// An address or network, canonical.
    Net(IpNet),
    /// A machine's name or a glob for such names; case does not matter.
    Name(&'t str),
    /// A path or a glob for paths, without the final slash.
    Path(&'t str),
}

impl<'t> Machine<'t> {
    /// An address or a network without host bits, a `/path`, a `glob:`, a `host:`, else a hostname.
    pub(super) fn parse(text: &'t str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("host:") {
            Self::name(name)
        } else if let Some(glob) = text.strip_prefix("glob:") {
            Self::path(glob)
        } else if text.starts_with('/') {
            Self::path(text)
        } else if let Some(address) = address(text) {
            Ok(Self::address(address))
        } else if let Ok(network) = text.parse::<IpNet>() {
            if network.trunc() != network {
                return Err(format!("{text} is neither an address nor a network: {} is", network.trunc()));
            }
            Ok(Self::network(network))
        } else if text.contains(':') {
            Err(format!("{text} is not an address"))
        } else {
            Self::name(text)
        }
    }

    /// A machine by its address or its name.
    pub(super) fn host(text: &'t str) -> Result<Self, String> {
        match address(text) {
            Some(address) => Ok(Self::address(address)),
            None if text.contains([':', '/']) => Err(format!("{text} is neither an address nor a hostname")),
            None => Self::name(text),
        }
    }

    /// A single address.
    pub(super) fn address(address: IpAddr) -> Self {
        Self::Net(IpNet::from(address.to_canonical()))
    }

    /// A network; host bits are dropped.
    pub(super) fn network(network: IpNet) -> Self {
        Self::Net(canonical(network))
    }

    /// A machine's name or a glob.
    pub(super) fn name(text: &'t str) -> Result<Self, String> {
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.is_empty() {
            return Err("the hostname is empty".to_owned());
        }
        // A mistyped address taken for a name would match nothing and say nothing.
        if name.bytes().all(|byte| byte.is_ascii_digit() || b"./".contains(&byte)) && name.contains('.') {
            return Err(format!("{text} is not an address"));
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(format!("a hostname of {} bytes: at most {NAME_BYTES_MAX}", name.len()));
        }
        // Most names are literal, and compiling costs a hundred times what storing them does.
        if is_glob(name) {
            compile(name, Separator::Ordinary)?;
        }
        Ok(Self::Name(name))
    }

    /// A path or a glob.
    pub(super) fn path(text: &'t str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the path is empty".to_owned());
        }
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!("a path of {} bytes: at most {PATTERN_BYTES_MAX}", text.len()));
        }
        if text.contains(super::capture::HOLE) {
            return Err(format!("{text} takes the data centre from the path: only --idc can"));
        }
        let path = text.trim_end_matches('/');
        if is_glob(path) {
            compile(path, Separator::Literal)?;
        }
        Ok(Self::Path(path))
    }
}

impl fmt::Display for Machine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(network) if network.prefix_len() == network.max_prefix_len() => {
                network.addr().fmt(formatter)
            }
            Self::Net(network) => network.fmt(formatter),
            Self::Path("") => formatter.write_str("/"),
            Self::Path(text) => formatter.write_str(text),
            Self::Name(text) => formatter.write_str(&text.to_ascii_lowercase()),
        }
    }
}

/// The address a text is. Most texts that are none show it in their first letter, long before a parser would notice.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let first = *text.as_bytes().first()?;
    if first.is_ascii_digit() || first == b':' || first.is_ascii_hexdigit() && text.contains(':') {
        return text.parse().ok();
    }
    None
}

/// Instead of a data centre's number: a network that is in none, though one around it may be.
pub(super) const NOWHERE: u16 = u16::MAX;

/// A key's data centre: by provisional number while lists are read, then by [`Idc`](super::Idc).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) idc: u16,
    /// Kept beside the number so that no second table has to be filled for the messages alone.
    pub(super) origin: Origin,
}

/// Where a statement was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Which list, in the order read, and where in it.
    List(u32, Position),
    /// Which `--idc`.
    Pair(u32),
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    /// From 1.
    pub(super) line: u32,
    /// In letters from 1; 0 where the line says enough.
    pub(super) column: u32,
}

impl Position {
    /// A whole line.
    pub(super) fn line(line: u64) -> Self {
        Self { line: u32::try_from(line).unwrap_or(u32::MAX), column: 0 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { line, column: 0 } => write!(formatter, "{line}"),
            Self { line, column } => write!(formatter, "{line}:{column}"),
        }
    }
}

/// Finds lines and columns; cheap if asked for offsets that are close to each other.
pub(super) struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    /// Letters between the line's beginning and `at`.
    letters: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, line: 1, letters: 0 }
    }

    /// The place of an offset, which may lie before the last one asked for.
    pub(super) fn position(&mut self, offset: usize) -> Position {
        let bytes = self.text.as_bytes();
        let offset = offset.min(bytes.len());
        let between = &bytes[offset.min(self.at)..offset.max(self.at)];
        let lines = memchr::memchr_iter(b'\n', between).count();
        if lines == 0 {
            // The text may be a single line of many megabytes.
            let letters = letters(between);
            self.letters = if offset < self.at { self.letters - letters } else { self.letters + letters };
        } else {
            self.line = if offset < self.at { self.line - lines } else { self.line + lines };
            let start = memchr::memrchr(b'\n', &bytes[..offset]).map_or(0, |newline| newline + 1);
            self.letters = letters(&bytes[start..offset]);
        }
        self.at = offset;
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Position { line: number(self.line), column: number(self.letters + 1) }
    }
}

/// UTF-8 letters, counted by the bytes that begin one.
fn letters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn places_agree_with_counting(text in "[ab机\n]{0,30}", offsets in prop::collection::vec(0..40_usize, 1..8)) {
            let mut lines = Lines::new(&text);
            for offset in offsets {
                let boundary = (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap();
                let before = &text[..boundary];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
                prop_assert_eq!(lines.position(boundary).to_string(), format!("{line}:{column}"));
            }
        }

        #[test]
        fn addresses_are_what_the_standard_library_reads(text in "[0-9a-g:.%]{0,12}|::ffff:1.2.3.4") {
            prop_assert_eq!(address(&text), text.parse().ok());
        }
    }
}
