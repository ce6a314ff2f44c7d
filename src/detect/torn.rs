//! Lines that lost their end are no format of their own.
//!
//! ```text
//! … "GET / HTTP/1.1" 200 100000 "-" "curl/8"     combined
//! … "GET / HTTP/1.1" 200 1                       torn, and `common` to the letter, but for 99,999 bytes
//! ```
//!
//! A format that another one begins with is therefore believed only if its lines are too many to be accidents, or end
//! in a way that a torn line does not.

use super::{GLANCE_LINES, beginning};
use crate::format::Layout;
use crate::parse::{Parser, Reader, Record, Wanted};

/// Fewer lines that end where any line could be torn are torn ones.
const LINES_MIN: usize = 5;

/// The formats that a log is known to have, and some of the lines that they read to the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Met<'a> {
    layouts: Vec<Layout>,
    lines: Vec<&'a [u8]>,
}

impl<'a> Met<'a> {
    /// What these formats read of some lines.
    pub(super) fn of(layouts: &[Layout], lines: &[&'a [u8]]) -> Self {
        let mut met = Self::default();
        met.extend(layouts, lines);
        met
    }

    /// The log has these formats too.
    pub(super) fn extend(&mut self, layouts: &[Layout], lines: &[&'a [u8]]) {
        if layouts.is_empty() {
            return;
        }
        let mut reader = Reader::new(layouts, Wanted::default(), &[]);
        let mut is_whole = |line: &[u8]| {
            let mut record = Record::default();
            reader.read(line, &mut record).is_ok() && !record.extra
        };
        self.lines.extend(lines.iter().copied().filter(|line| is_whole(line)).take(GLANCE_LINES));
        self.layouts.extend_from_slice(layouts);
    }

    /// True if a format of the log begins with all that the layout reads: by their texts, or as some line shows.
    pub(super) fn begin_with(&self, layout: &Layout) -> bool {
        let twin = beginning(layout).map(|beginning| beginning.twin.text);
        let texts: Vec<&str> = std::iter::once(layout.format.text.as_str()).chain(twin).collect();
        let is_longer = |known: &Layout| {
            let known = known.format.text.as_str();
            texts.iter().any(|text| known.len() > text.len() && known.contains(text))
        };
        let mut parser = Parser::new(layout, Wanted::default(), &[]);
        let mut record = Record::default();
        self.layouts.iter().any(is_longer)
            || self.lines.iter().any(|line| parser.parse(line, &mut record).is_ok() && record.extra)
    }

    /// True if the layout reads nothing of these lines but what is left of torn ones.
    pub(super) fn are_torn(&self, layout: &Layout, lines: &[&[u8]]) -> bool {
        if !self.begin_with(layout) {
            return false;
        }
        let mut parser = Parser::new(layout, Wanted::default(), &[]);
        let mut is_whole = |line: &[u8]| {
            let mut record = Record::default();
            parser.parse(line, &mut record).is_ok() && !record.extra
        };
        let whole = lines.iter().filter(|line| is_whole(line)).count();
        whole < if layout.ends_in_value() { LINES_MIN } else { 1 }
    }
}
