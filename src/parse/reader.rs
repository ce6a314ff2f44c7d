//! Each line of a log by the first of the log's formats that fits.
//!
//! One log can hold lines of several formats: a configuration that was changed, two servers writing to one file, an
//! error log in between. Every line is judged by itself, so it never matters where a log is cut.

use super::{Foreign, Parser, Passed, Reason, Record, Reject, Shapeless, Wanted};
use crate::format::{Layout, w3c};

/// Turns the lines of one log into records.
#[derive(Debug, Clone)]
pub struct Reader {
    parsers: Vec<Parser>,
    /// How many of them, from the first on, say why a line is rejected.
    judges: usize,
    /// What the first format says.
    first: Shapeless,
    wanted: Wanted,
    others: Vec<String>,
    /// Of lines above the first header.
    initial: Parser,
    /// The headers met so far, each with the parser of the lines below it: a log repeats the same few.
    headers: Vec<(Vec<u8>, Parser)>,
}

/// A record that is kept from line to line: what a format's plain lines never hold need not be emptied for each.
#[derive(Debug, Default)]
pub struct Sheet<'a> {
    record: Record<'a>,
    /// True if nothing was written to it but plain lines of the reader's first format.
    is_plain: bool,
}

impl<'a> Sheet<'a> {
    /// The record of the line that was read last.
    #[inline]
    pub fn record(&self) -> &Record<'a> {
        &self.record
    }

    /// The record, for whoever reads a line of any kind into it.
    #[inline]
    pub fn lend(&mut self) -> &mut Record<'a> {
        self.is_plain = false;
        &mut self.record
    }
}

/// Distinct headers of one log that are remembered.
const HEADERS_MAX: usize = 64;

impl Reader {
    /// Tries `layouts` in this order, of which there must be one. `others` are fields asked for by their own name.
    pub fn new(layouts: &[Layout], wanted: Wanted, others: &[String]) -> Self {
        let parsers: Vec<Parser> = layouts.iter().map(|layout| Parser::new(layout, wanted, others)).collect();
        let judges = parsers.len();
        Self {
            judges,
            first: Shapeless::Diagnosed,
            initial: parsers[0].clone(),
            parsers,
            wanted,
            others: others.to_vec(),
            headers: Vec::new(),
        }
    }

    /// Only the first `judges` formats say why a line is rejected: the reasons of formats that the log was never seen to
    /// have mislead. With none the columns of rejects mean nothing.
    #[must_use]
    pub fn judged_by(mut self, judges: usize) -> Self {
        self.judges = judges.min(self.parsers.len());
        self.first = if judges == 0 { Shapeless::Named } else { Shapeless::Diagnosed };
        self
    }

    /// A block begins that has no `#Fields` header before it.
    pub fn turn_back(&mut self) {
        self.parsers[0] = self.initial.clone();
    }

    /// Lines below this `#Fields` header have its columns, until another comes. One that names none changes nothing.
    pub fn turn_to(&mut self, header: &[u8]) {
        if let Some((_, parser)) = self.headers.iter().find(|(known, _)| known == header) {
            self.parsers[0] = parser.clone();
            return;
        }
        let Ok(layout) = w3c::layout_of_header(header) else { return };
        let parser = Parser::new(&layout, self.wanted, &self.others);
        self.parsers[0] = parser.clone();
        if self.headers.len() < HEADERS_MAX {
            self.headers.push((header.to_vec(), parser));
        }
    }

    /// Reads a line; returns which format it has, or why it has none: the reason of the format that got furthest. A
    /// format that reads the line to its end comes before those that leave columns over.
    #[inline]
    pub fn read<'a>(&mut self, line: &'a [u8], record: &mut Record<'a>) -> Result<usize, Reject> {
        match self.parsers[0].judge(line, record, self.first) {
            Ok(()) if !record.extra || self.parsers.len() == 1 => Ok(0),
            first => self.fall_back(line, record, first),
        }
    }

    /// Reads the first of some lines, if it is of the first format and nothing about it is odd. The sheet is new or was
    /// last used with this reader, under the header still in force. `None` says nothing about the line: it is for
    /// [`Reader::read`] to judge.
    #[inline]
    pub fn pass<'a>(&mut self, lines: &'a [u8], sheet: &mut Sheet<'a>) -> Option<Passed> {
        if !sheet.is_plain {
            sheet.record = Record { others: std::mem::take(&mut sheet.record.others), ..Record::default() };
        }
        let passed = self.parsers[0].pass(lines, &mut sheet.record);
        sheet.is_plain = passed.is_some();
        passed
    }

    /// The parser of a format.
    pub fn parser(&self, format: usize) -> &Parser {
        &self.parsers[format]
    }

    /// A line that has the shape of the first format but a value that cannot be is that format's: another one that
    /// takes it would hide the fault. Only a duration may be another format's column.
    #[cold]
    #[inline(never)]
    fn fall_back<'a>(
        &mut self,
        line: &'a [u8],
        record: &mut Record<'a>,
        first: Result<(), Reject>,
    ) -> Result<usize, Reject> {
        let mut nearest = first.err();
        if let Some(reject) =
            nearest.filter(|first| !matches!(first.reason, Reason::Format | Reason::Duration))
        {
            return Err(own(line, reject));
        }
        let is_own = nearest.is_some_and(|first| first.reason == Reason::Duration);
        let mut partly = nearest.is_none().then_some(0);
        for (format, parser) in self.parsers.iter_mut().enumerate().skip(1) {
            if format >= self.judges {
                if parser.reads(line, record) {
                    if !record.extra {
                        return Ok(format);
                    }
                    partly = if is_own { partly } else { partly.or(Some(format)) };
                }
                continue;
            }
            match parser.parse(line, record) {
                Ok(()) if !record.extra => return Ok(format),
                Ok(()) if is_own => {}
                Ok(()) => partly = partly.or(Some(format)),
                Err(_) if is_own => {}
                Err(reject) if nearest.is_some_and(|nearest| reject.column > nearest.column) => {
                    nearest = Some(reject);
                }
                Err(_) => {}
            }
        }
        match (partly, nearest) {
            (Some(format), _) => self.parsers[format].parse(line, record).map(|()| format),
            (None, nearest) => Err(own(line, nearest.expect("the first format reads no part of the line"))),
        }
    }
}

/// The reject, unless the line is another log's: that its third word is no time says nothing then.
fn own(line: &[u8], reject: Reject) -> Reject {
    match Foreign::of(line) {
        Some(_) => Reject { reason: Reason::Format, column: 0 },
        None => reject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;

    #[test]
    fn each_line_is_read_by_the_first_format_that_fits() {
        let layouts = ["combined", "$host $remote_addr $status $bytes_sent"]
            .map(|text| Layout::compile(&Format::parse(text).expect(text)).expect(text));
        let mut reader = Reader::new(&layouts, Wanted::ALL, &[]);
        let mut check = |line: &str, expected: Result<(usize, Option<u64>), (Reason, usize)>| {
            let mut record = Record::default();
            let found = reader.read(line.as_bytes(), &mut record);
            let found = found.map(|format| (format, record.body.or(record.wire)));
            assert_eq!(found.map_err(|reject| (reject.reason, reject.column)), expected, "{line}");
        };
        let combined = r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "curl/8""#;
        check(combined, Ok((0, Some(6))));
        check("a.example 192.0.2.1 200 7", Ok((1, Some(7))));
        check(&combined.replace("23/Nov", "31/Feb"), Err((Reason::Time, 15)));
        check("a.example 192.0.2.1 2x0 7", Err((Reason::Status, 20)));
        check("nonsense", Err((Reason::Format, 0)));
        check("2026/11/23 05:53:11 [error] 7#7: *1 open() failed", Err((Reason::Format, 0)));
    }

    #[test]
    fn a_format_that_reads_the_whole_line_comes_first() {
        let layouts = ["combined", "combined_d", "combined_rt"]
            .map(|text| Layout::compile(&Format::parse(text).expect(text)).expect(text));
        let combined = r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "curl/8""#;
        let mut reader = Reader::new(&layouts, Wanted::ALL, &[]);
        let mut check = |tail: &str, expected: Result<(usize, bool), Reason>| {
            let line = format!("{combined}{tail}");
            let mut record = Record::default();
            let found = reader.read(line.as_bytes(), &mut record).map(|format| (format, record.extra));
            assert_eq!(found.map_err(|reject| reject.reason), expected, "{tail}");
        };
        check("", Ok((0, false)));
        check(" 250113", Ok((1, false)));
        check(" 0.250", Ok((2, false)));
        check(" x y", Ok((0, true)));
        let mut reader = Reader::new(&layouts[1..], Wanted::ALL, &[]);
        let mut check = |tail: &str, expected: Result<usize, Reason>| {
            let line = format!("{combined}{tail}");
            let found = reader.read(line.as_bytes(), &mut Record::default());
            assert_eq!(found.map_err(|reject| reject.reason), expected, "{tail}");
        };
        check(" 0.250", Ok(1));
        check(" 0.250 x", Err(Reason::Duration));
        check(" x", Err(Reason::Duration));
    }
}
