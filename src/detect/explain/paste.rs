//! Directives that can be given back: a notation counts only if it reads the log's own lines to the same records.

use crate::format::notation::Notation;
use crate::format::{Format, Layout, Server};
use crate::parse::{Parser, Record, Wanted};

/// Lines of a format that its notations are tried on, and their bytes together.
const LINES_MAX: usize = 200;
const BYTES_MAX: usize = 256 << 10;

/// Lines that a format read.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    lines: Vec<Vec<u8>>,
    bytes: usize,
}

impl Sample {
    pub(super) fn add(&mut self, line: &[u8]) {
        if self.lines.len() < LINES_MAX && self.bytes + line.len() <= BYTES_MAX {
            self.bytes += line.len();
            self.lines.push(line.to_vec());
        }
    }

    /// The notation of `server`, if it is the format's own or says the same as that.
    pub(super) fn proved(&self, layout: &Layout, server: Server, notation: Notation) -> Option<Notation> {
        let own = layout.format.server == server;
        (own || self.reads_alike(layout, &notation.directive)).then_some(notation)
    }

    fn reads_alike(&self, layout: &Layout, directive: &str) -> bool {
        let Ok(other) = Format::parse(directive).and_then(|format| Layout::compile(&format)) else {
            return false;
        };
        let mut parsers = [layout, &other].map(|layout| Parser::new(layout, Wanted::ALL, &[]));
        self.lines.iter().all(|line| {
            let [one, other] = parsers.each_mut().map(|parser| {
                let mut record = Record::default();
                parser.parse(line, &mut record).ok().map(|()| record)
            });
            matches!((one, other), (Some(one), Some(other)) if is_alike(&one, &other))
        })
    }
}

/// True if two readings of a line count the same.
fn is_alike(one: &Record<'_>, other: &Record<'_>) -> bool {
    let counted = |record: &Record<'_>| (record.body, record.wire, record.status, record.duration_us);
    let times = |record: &Record<'_>| (record.start, record.end, record.offset);
    counted(one) == counted(other)
        && times(one) == times(other)
        && (one.client, one.method) == (other.client, other.method)
        && one.full_target() == other.full_target()
}
