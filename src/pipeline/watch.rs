//! Formats that begin later in a log than in its head.
//!
//! ```text
//! head: combined   block 1: combined   block 2: combined … {…} {…}   block 3: {…} {…}
//!                                      └ lines of no known format: JSON, tried from this block on
//! ```
//!
//! A few lines of every block are read before the block goes to a worker, in the order of the log: that costs next to
//! nothing. Only where one of them is foreign are all of the block's lines looked at. Blocks are cut by the text alone,
//! so what is found depends neither on threads nor on whether the log is a file, an archive or a pipe.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::detect::{self, FORMATS_MAX};
use crate::format::Layout;
use crate::input::{Block, Content};
use crate::parse::wrapper::{bare, is_comment};
use crate::parse::{Reader, Wanted};

use super::survey::Log;

/// Lines of a block that are read, spread evenly; the last one is always among them.
const GLANCE_LINES: usize = 16;

/// Blocks of one log that are looked at in full: each costs as much as reading many.
const SEARCHES_MAX: usize = 32;

/// After so many blocks in which lines of this shape had no format they have none.
const FRUITLESS_MAX: u8 = 3;

/// How the foreign part of a line begins, with every run of letters or of digits as one.
type Shape = [u8; 12];

/// Looks at the blocks of one log, in order.
pub(super) struct Watch<'a> {
    log: &'a Log,
    layouts: Vec<Layout>,
    reader: Reader,
    found: Arc<[Layout]>,
    fruitless: BTreeMap<Shape, u8>,
    searches: usize,
}

impl<'a> Watch<'a> {
    pub(super) fn new(log: &'a Log) -> Self {
        let layouts = log.layouts();
        let reader = Reader::new(&layouts, Wanted::default(), &[]);
        Self { log, layouts, reader, found: Arc::new([]), fruitless: BTreeMap::new(), searches: 0 }
    }

    /// The formats, besides those of the head, that were found so far, in this block or before.
    pub(super) fn look(&mut self, block: &Block) -> Arc<[Layout]> {
        let is_open = self.searches < SEARCHES_MAX && self.found.len() < FORMATS_MAX;
        // The head has been looked at, and headers name the columns of those below them.
        let is_later = block.index > 0 && block.content == Content::Lines && self.log.software.is_none();
        if let Some(known) = self.log.recognised_among.as_deref().filter(|_| is_open && is_later) {
            let foreign = self.foreign(&block.bytes);
            if !foreign.is_empty() {
                self.search(known, &block.bytes, &foreign);
            }
        }
        Arc::clone(&self.found)
    }

    /// The formats that were found in all.
    pub(super) fn found(&self) -> &[Layout] {
        &self.found
    }

    /// The shapes of the foreign lines at a glance that may be worth a search.
    fn foreign(&mut self, text: &[u8]) -> Vec<Shape> {
        let mut buffer = Vec::new();
        let mut shapes = Vec::new();
        for line in glance(text) {
            let inner = bare(line);
            let inner = self.log.wrappers.peel(inner, &mut buffer).line;
            if inner.trim_ascii().is_empty() || is_comment(inner) {
                continue;
            }
            if let Some(part) = detect::foreign_part(&mut self.reader, inner) {
                let shape = shape(part);
                if self.fruitless.get(&shape).is_none_or(|&times| times < FRUITLESS_MAX) {
                    shapes.push(shape);
                }
            }
        }
        shapes.sort_unstable();
        shapes.dedup();
        shapes
    }

    fn search(&mut self, known: &[Layout], text: &[u8], foreign: &[Shape]) {
        self.searches += 1;
        let mut found = detect::detect_later(known, &self.layouts, &self.log.wrappers, text);
        found.truncate(FORMATS_MAX - self.found.len());
        if found.is_empty() {
            for &shape in foreign {
                *self.fruitless.entry(shape).or_default() += 1;
            }
            return;
        }
        self.layouts.extend(found.iter().cloned());
        self.reader = Reader::new(&self.layouts, Wanted::default(), &[]);
        self.found = self.found.iter().cloned().chain(found).collect();
    }
}

/// Some lines of a block.
fn glance(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    (1..=GLANCE_LINES).map(move |nth| {
        let at = text.len() / GLANCE_LINES * nth;
        let at = if nth == GLANCE_LINES { text.len() } else { at };
        let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |length| start + length);
        &text[start..end]
    })
}

fn shape(part: &[u8]) -> Shape {
    let class = |byte: &u8| match byte {
        b'0'..=b'9' => b'0',
        b'a'..=b'z' | b'A'..=b'Z' => b'a',
        other => *other,
    };
    let mut shape = Shape::default();
    let mut length = 0;
    for class in part.iter().map(class) {
        if length > 0 && shape[length - 1] == class && class.is_ascii_alphanumeric() {
            continue;
        }
        if length == shape.len() {
            break;
        }
        shape[length] = class;
        length += 1;
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_takes_lines_from_all_over_and_the_last() {
        let text: Vec<u8> = (0..1_000).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
        let lines: Vec<&[u8]> = glance(&text).collect();
        assert_eq!((lines.len(), lines[0], lines[15]), (16, &b"line 70"[..], &b"line 999"[..]));
        assert_eq!(glance(b"").collect::<Vec<_>>(), [b""; 16]);
        assert_eq!(glance(b"one\n").last(), Some(&b"one"[..]));
    }

    #[test]
    fn shapes_tell_notations_apart() {
        let check = |text: &str, expected: &str| {
            let shape = shape(text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&shape).trim_end_matches('\0'), expected, "{text}");
        };
        check("2026/11/23 05:53:11 [error] 7#7", "0/0/0 0:0:0 ");
        check(" 12.250 -", " 0.0 -");
        check("{\"level\":\"info\"}", "{\"a\":\"a\"}");
        check("", "");
    }
}
