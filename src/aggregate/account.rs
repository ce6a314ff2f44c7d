//! The accounting of the lines: what was read, what became of it, and where the first of each fault stands.

use std::collections::BTreeMap;

use crate::format::Format;
use crate::input::Failure;
use crate::parse::{Reason, Reject};
use crate::time::Timestamp;

/// Bytes of a rejected line that are kept to be shown.
pub const SHOWN_MAX: usize = 60;

/// What became of the lines. `lines = accepted + rejected + skipped`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Decompressed bytes.
    pub bytes: u64,
    /// Lines.
    pub lines: u64,
    /// Records.
    pub accepted: u64,
    /// Records left out by the question.
    pub filtered: u64,
    /// Per [`Reason`].
    pub rejected: [u64; Reason::ALL.len()],
    /// Per [`Skip`].
    pub skipped: [u64; Skip::ALL.len()],
    /// Per [`Remark`].
    pub remarked: [u64; Remark::ALL.len()],
    /// The first reject of each reason, in input order.
    pub first_rejects: [Option<FirstReject>; Reason::ALL.len()],
    /// Accepted lines per input and format of that input. An input without records has an entry all the same.
    pub by_format: BTreeMap<(u32, usize), FormatLines>,
    /// Per input, the formats that began behind its head: in [`Account::by_format`] they follow those of the head.
    pub later_formats: BTreeMap<u32, Vec<Format>>,
    /// Earliest and latest logged time.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The same per input.
    pub file_spans: BTreeMap<u32, (Timestamp, Timestamp)>,
    /// Lines of each block: (file, block) → lines.
    pub block_lines: BTreeMap<(u32, u32), u64>,
    /// Inputs that ended before their end.
    pub failures: Vec<Failure>,
    /// Records per kind of key that found their data centre.
    pub servers_matched: [u64; crate::servers::Key::ALL.len()],
    /// Records whose data centre is unknown.
    pub servers_unmatched: u64,
    /// Servers that are in no list, with their records.
    pub unlisted: BTreeMap<Vec<u8>, u64>,
    /// Failed lookups per IP database.
    pub database_errors: Vec<u64>,
}

/// Why a line is not meant to be a record, or was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Nothing but blanks.
    Blank,
    /// A comment or header.
    Comment,
    /// The rest of a cut first line, or a last line that is still being written.
    Partial,
    /// A part of a record that a later line ends: container runtimes split long lines.
    Continuation,
    /// It cannot pass the filter, and lines were asked for: what it is was not looked at.
    Unread,
}

impl Skip {
    /// All, in order.
    pub const ALL: [Self; 5] = [Self::Blank, Self::Comment, Self::Partial, Self::Continuation, Self::Unread];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Comment => "comment",
            Self::Partial => "partial",
            Self::Continuation => "continuation",
            Self::Unread => "unread",
        }
    }
}

/// A peculiarity of an accepted record that changes how it counts. The last is looked for only where the question is
/// about clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// The byte column is null: 0 bytes were counted.
    WithoutBytes,
    /// The time is null: the record is in no slot.
    WithoutTime,
    /// The duration is not believed: all bytes are at the logged instant.
    DurationImplausible,
    /// Columns follow that the format does not name.
    ExtraColumns,
    /// The time has no zone: UTC was assumed.
    ZoneAssumed,
    /// The server escapes nothing and the line has more quotes than its format: where values end was guessed.
    Ambiguous,
    /// The duration is a whole number whose unit nothing tells: where its bytes lie in time rests on a guess.
    DurationUnitAssumed,
    /// A proxy asked: the client is one of the addresses it passed on.
    ClientForwarded,
}

impl Remark {
    /// All, in order.
    pub const ALL: [Self; 8] = [
        Self::WithoutBytes,
        Self::WithoutTime,
        Self::DurationImplausible,
        Self::ExtraColumns,
        Self::ZoneAssumed,
        Self::Ambiguous,
        Self::DurationUnitAssumed,
        Self::ClientForwarded,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::WithoutBytes => "without-bytes",
            Self::WithoutTime => "without-time",
            Self::DurationImplausible => "duration-implausible",
            Self::ExtraColumns => "extra-columns",
            Self::ZoneAssumed => "zone-assumed",
            Self::Ambiguous => "ambiguous",
            Self::DurationUnitAssumed => "duration-unit-assumed",
            Self::ClientForwarded => "client-forwarded",
        }
    }
}

/// A rejected line that is first of its kind. Ordered by place in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirstReject {
    /// Input.
    pub file: u32,
    /// Block of the input.
    pub block: u32,
    /// Line of the block, from 0.
    pub line: u64,
    /// Offset in the line.
    pub column: usize,
    /// The text from there on.
    text: [u8; SHOWN_MAX],
    length: usize,
}

impl FirstReject {
    /// The offending text, shortened.
    pub fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

/// The lines of one format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormatLines {
    /// How many.
    pub lines: u64,
    /// The first.
    pub first: Option<LinePlace>,
}

impl FormatLines {
    /// Counts one more, which stands after the others.
    #[inline]
    pub fn add(&mut self, place: LinePlace) {
        self.lines += 1;
        self.first.get_or_insert(place);
    }

    fn merge(&mut self, other: Self) {
        let Self { lines, first } = other;
        self.lines += lines;
        self.first = match (self.first, first) {
            (Some(mine), Some(theirs)) => Some(mine.min(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
    }
}

/// Where a line stands. Ordered by input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinePlace {
    /// Input.
    pub file: u32,
    /// Block of the input.
    pub block: u32,
    /// Line of the block, from 0.
    pub line: u64,
}

impl Account {
    /// Counts a record on which databases failed: bit i stands for database i.
    pub(super) fn count_database_errors(&mut self, failed: u64) {
        let databases = (u64::BITS - failed.leading_zeros()) as usize;
        if self.database_errors.len() < databases {
            self.database_errors.resize(databases, 0);
        }
        for (database, errors) in self.database_errors.iter_mut().enumerate() {
            *errors += failed >> database & 1;
        }
    }

    /// Adds the lines of a block, by the formats of its input.
    pub fn accept(&mut self, file: u32, by_format: &[FormatLines]) {
        for (format, lines) in by_format.iter().enumerate().filter(|(_, lines)| lines.lines > 0) {
            self.by_format.entry((file, format)).or_default().merge(*lines);
        }
    }

    /// Counts a rejected line, whose fault stands at `column` once its wrappers are on again. Allocates nothing.
    pub fn reject(&mut self, place: LinePlace, line: &[u8], reject: Reject, column: usize) {
        let reason = reject.reason as usize;
        self.rejected[reason] += 1;
        let rest = line.get(reject.column..).unwrap_or_default();
        let word = memchr::memchr3(b' ', b'"', b']', rest).filter(|&end| end > 0).unwrap_or(rest.len());
        let length = word.min(SHOWN_MAX);
        let mut text = [0; SHOWN_MAX];
        text[..length].copy_from_slice(&rest[..length]);
        let LinePlace { file, block, line } = place;
        let first = FirstReject { file, block, line, column, text, length };
        earlier(&mut self.first_rejects[reason], Some(first));
    }

    /// Takes the logged times of an input into the spans.
    pub fn see(&mut self, file: u32, span: (Timestamp, Timestamp)) {
        self.span = Some(around(self.span, span));
        let of_file = self.file_spans.get(&file).copied();
        self.file_spans.insert(file, around(of_file, span));
    }

    /// Adds another account. Commutative and associative; `default()` is the identity.
    pub fn merge(&mut self, other: Self) {
        let Self {
            bytes,
            lines,
            accepted,
            filtered,
            rejected,
            skipped,
            remarked,
            first_rejects,
            by_format,
            later_formats,
            span: _,
            file_spans,
            block_lines,
            failures,
            servers_matched,
            servers_unmatched,
            unlisted,
            database_errors,
        } = other;
        self.bytes += bytes;
        self.lines += lines;
        self.accepted += accepted;
        self.filtered += filtered;
        add(&mut self.rejected, &rejected);
        add(&mut self.skipped, &skipped);
        add(&mut self.remarked, &remarked);
        for (mine, theirs) in self.first_rejects.iter_mut().zip(first_rejects) {
            earlier(mine, theirs);
        }
        for (format, lines) in by_format {
            self.by_format.entry(format).or_default().merge(lines);
        }
        // An input is read to its end by one who tells what was found.
        self.later_formats.extend(later_formats);
        for (file, span) in file_spans {
            self.see(file, span);
        }
        self.block_lines.extend(block_lines);
        self.failures.extend(failures);
        self.failures.sort_by_key(|failure| failure.file);
        add(&mut self.servers_matched, &servers_matched);
        self.servers_unmatched += servers_unmatched;
        for (server, count) in unlisted {
            *self.unlisted.entry(server).or_default() += count;
        }
        self.database_errors.resize(self.database_errors.len().max(database_errors.len()), 0);
        add(&mut self.database_errors, &database_errors);
    }

    /// The line number, from 1, of a line of a block.
    pub fn line_number(&self, file: u32, block: u32, line: u64) -> u64 {
        self.block_lines.range((file, 0)..(file, block)).map(|(_, lines)| lines).sum::<u64>() + line + 1
    }
}

fn around(
    mine: Option<(Timestamp, Timestamp)>,
    (first, last): (Timestamp, Timestamp),
) -> (Timestamp, Timestamp) {
    mine.map_or((first, last), |mine| (mine.0.min(first), mine.1.max(last)))
}

fn earlier(mine: &mut Option<FirstReject>, theirs: Option<FirstReject>) {
    *mine = match (*mine, theirs) {
        (Some(mine), Some(theirs)) => Some(mine.min(theirs)),
        (mine, theirs) => mine.or(theirs),
    };
}

fn add(mine: &mut [u64], theirs: &[u64]) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine += theirs;
    }
}
