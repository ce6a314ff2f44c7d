//! The lines of a block that may pass the filter: others are not even looked at.
//!
//! ```text
//! filter    path ^= /video/ and status = 503
//! literal   /video/                                           see [`crate::query::filter::Literals`]
//! block     …\n…\n192.0.2.1 … "GET /video/a.ts HTTP/1.1" …\n…\n…\n
//!           unread └ read: it holds the literal             ┘ unread
//! ```
//!
//! What a server escapes need not stand in the line as it stands in the value: lines with a sign of escape are read, too.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memrchr};
use regex::bytes::Regex;

use crate::format::{Escape, Grammar, Layout};
use crate::query::Filter;
use crate::query::filter::{Addresses, Numerals};

/// Looks for lines that may pass.
#[derive(Debug)]
pub(super) struct Skim {
    searches: Vec<Search>,
}

/// One thing to look for, and where it was found last: it is not searched twice.
#[derive(Debug)]
struct Search {
    what: What,
    /// At or behind where the last line was looked for; none: no more in this block.
    next: Option<usize>,
}

#[derive(Debug)]
enum What {
    Text(Box<Finder<'static>>),
    Sign(u8),
    /// IPv6 that carries IPv4.
    Mapped,
}

/// What every address has that is written as IPv6 and is IPv4.
static MAPPED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("(?i-u:ffff:)").expect("a pattern that was tried"));

impl Skim {
    /// For lines of these formats; none if any line may pass.
    pub(super) fn new(filter: &Filter, layouts: &[Layout]) -> Option<Self> {
        let is_text = |layout: &Layout| matches!(layout.format.grammar, Grammar::Text | Grammar::Ltsv);
        let numerals = if layouts.iter().all(is_text) { Numerals::Plain } else { Numerals::Any };
        let literals = filter.literals(numerals)?;
        let texts = literals.texts.iter().map(|text| What::Text(Box::new(Finder::new(text).into_owned())));
        let mapped = (literals.addresses == Addresses::Some).then_some(What::Mapped);
        let mut signs: Vec<u8> = layouts.iter().flat_map(signs).copied().collect();
        signs.sort_unstable();
        signs.dedup();
        let all = texts.chain(mapped).chain(signs.into_iter().map(What::Sign));
        Some(Self { searches: all.map(|what| Search { what, next: None }).collect() })
    }

    /// A block begins.
    pub(super) fn begin(&mut self, block: &[u8]) {
        for search in &mut self.searches {
            search.next = search.what.find(block);
        }
    }

    /// Where the first line begins, at `start` or later, that may pass: the end of the block if none does. A line begins
    /// at `start`, and those before it were looked for.
    pub(super) fn line(&mut self, block: &[u8], start: usize) -> usize {
        let mut nearest = block.len();
        for search in &mut self.searches {
            if search.next.is_some_and(|next| next < start) {
                search.next = search.what.find(&block[start..]).map(|next| start + next);
            }
            nearest = search.next.map_or(nearest, |next| nearest.min(next));
        }
        match nearest {
            end if end == block.len() => end,
            found => memrchr(b'\n', &block[start..found]).map_or(start, |newline| start + newline + 1),
        }
    }
}

impl What {
    fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Text(finder) => finder.find(text),
            Self::Sign(sign) => memchr(*sign, text),
            Self::Mapped => MAPPED.find(text).map(|found| found.start()),
        }
    }
}

/// The bytes by which a value may stand otherwise in the line.
fn signs(layout: &Layout) -> &'static [u8] {
    match (layout.format.escape, layout.format.grammar) {
        (Escape::Nginx | Escape::Apache | Escape::Json, _) | (_, Grammar::Json) => b"\\",
        (Escape::Hash, _) => b"#",
        (Escape::Percent, _) => b"%",
        // A blank is a plus, and no literal has either; a quote is two.
        (Escape::Plus, _) => b"",
        (Escape::None | Escape::Raw, _) => b"",
    }
}

/// How many lines a piece of a block has; the last may lack its newline.
pub(super) fn count_lines(text: &[u8]) -> u64 {
    let unfinished = text.last().is_some_and(|&last| last != b'\n');
    memchr_iter(b'\n', text).count() as u64 + u64::from(unfinished)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;
    use crate::query::filter::Scope;
    use crate::time::{Timestamp, Zone};

    fn lines(expression: &str, format: &str, block: &str) -> Option<Vec<usize>> {
        let scope = Scope { zone: &Zone::utc(), now: Timestamp(0) };
        let filter = Filter::parse(expression, &scope).expect(expression);
        let layout = Layout::compile(&Format::parse(format).expect(format)).expect(format);
        let mut skim = Skim::new(&filter, &[layout])?;
        let block = block.as_bytes();
        skim.begin(block);
        let (mut start, mut number, mut found) = (0, 0, Vec::new());
        while start < block.len() {
            let next = skim.line(block, start);
            number += usize::try_from(count_lines(&block[start..next])).expect("few");
            if next < block.len() {
                found.push(number);
                number += 1;
            }
            start = crate::input::line(block, next).1.max(next);
            if next == block.len() {
                break;
            }
        }
        Some(found)
    }

    #[test]
    fn lines_without_the_literal_are_passed_over() {
        let block = "a /video/ b\n\nc\nd \\x2fvideo/\ne /video/ /video/\nf /vid";
        let check = |expression: &str, expected: Option<&[usize]>| {
            assert_eq!(lines(expression, "combined", block).as_deref(), expected, "{expression}");
        };
        check("path ^= /video/", Some(&[0, 3, 4]));
        check("path ^= /vid", Some(&[0, 3, 4, 5]));
        check("path ^= /audio/ or agent *= ' e /video'", Some(&[0, 3, 4]));
        check("path ^= /audio/", Some(&[3]));
        check("path ^= /v", None);
        check("path ^= '/v\"'", None);
        check("not path ^= /video/", None);
        check("path != /video/", None);
        check("path ~ '^/video'", None);
        check("path ~ /video/", Some(&[0, 3, 4]));
        check("region = CN-GD", None);
        check("region = CN-GD and path ^= /video/", Some(&[0, 3, 4]));
        check("path in (/video/, unknown)", None);
        check("bytes > 5 and status = 503", Some(&[3]));
        check("status >= 500", None);
        assert_eq!(lines("path ^= /video/", "$request_uri", "x\n/video/"), Some(vec![1]));
    }

    #[test]
    fn addresses_have_two_spellings() {
        let block = "::FfFf:c000:201\n192.0.2.1\n192.0.3.1\n10.0.0.1\n";
        let check = |expression: &str, expected: Option<&[usize]>| {
            assert_eq!(lines(expression, "combined", block).as_deref(), expected, "{expression}");
        };
        check("client = 192.0.2.1", Some(&[0, 1]));
        check("client in 192.0.0.0/16", Some(&[0, 1, 2]));
        check("client in (192.0.0.0/16, 10.0.0.0/8)", Some(&[0, 1, 2, 3]));
        check("client in 192.0.0.0/7", None);
        check("client in 2001:db8::/32", None);
    }
}
