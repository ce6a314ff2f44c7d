//! The express lane: a line without anything odd is read in one go.
//!
//! ```text
//! layout   remote_addr until " - "   remote_user anywhere " ["   time_local until "] \""   request quote "\" "   …
//! lane     word " - "                word " ["                   clock "] \""              text "\" "            …
//! ```
//!
//! Each stop of the lane finds the end of its value with [`scan`], compares the literal behind it as one number, and
//! turns digits into numbers while it is there. Nothing is searched twice, not even the newline: the line ends where
//! the last value does. A time is compared with the line before, all but its seconds.
//!
//! At the first doubt (a blank or a quote within a value, an escaped quote, further columns, a number that is no
//! number, the last bytes of a block) the lane says nothing, and `Parser::judge` decides as if there were no lane.
//! What it does say is what `judge` would: every value ends at the first place where it may and could be what it
//! should be, which is what [`matcher::matches_at_once`] finds, and numbers and times are read to the same effect.
//!
//! Advice for changing this: a stop may be as narrow as it likes, but what it lets pass must be what `matcher` and
//! `value` let pass. Layouts that have a value without a clear end, or whose lines name their values, have no lane.

#![allow(clippy::inline_always, reason = "a line is read by one function, if all of it is inlined")]

use memchr::{memchr, memchr2, memchr3};

use super::matcher::{self, Rule, span};
use super::scan::{eight_of, non_digits};
use super::timestamp::{self, Logged};
use super::{Record, Span, scan, value};
use crate::format::{End, Grammar, Guard, Kind, Layout, Part, Server, Shape, Step, Unit};
use crate::time::Timestamp;

/// A layout in the form in which its plain lines are read.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    first: Literal,
    stops: Vec<Stop>,
    clocks: Vec<Clock>,
}

/// A line that was read: the first of some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// Its length without its newline and carriage return.
    pub end: usize,
    /// The same with them.
    pub next: usize,
}

/// A value and the literal behind it.
#[derive(Debug, Clone)]
struct Stop {
    seek: Seek,
    literal: Literal,
    /// The step of the layout.
    step: usize,
}

/// How the end of a value is found.
#[derive(Debug, Clone, Copy)]
enum Seek {
    /// A word.
    Word,
    /// A word that ends before this byte.
    WordTo(u8),
    /// A word after which no list goes on.
    Single,
    /// A word that could be one of its kind.
    Plausible(u8),
    /// Text to the next quote, which is not escaped where it may be.
    Text,
    /// Text to this byte.
    TextTo(u8),
    /// A request that ends in its protocol, to the next quote or this byte.
    Request(u8),
    /// Text to the end of the line.
    Line,
    /// Three digits.
    Status(Feed),
    /// A whole number.
    Bytes(Feed),
    /// A number that may have a fraction, of this unit.
    Duration(Feed, Scale),
    /// A time, by the number of its clock.
    Clock(usize),
}

/// Microseconds of a unit and of its thousandth, 0 if it has none.
#[derive(Debug, Clone, Copy)]
struct Scale {
    whole: u64,
    thousandth: u64,
}

/// Where a number goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    Nowhere,
    Body,
    Wire,
    In,
    Status,
    Duration,
}

impl Lane {
    /// The lane of a layout, if its values have clear ends.
    pub(super) fn of(layout: &Layout) -> Option<Self> {
        // Lines that name their values have no literals between them.
        if layout.format.grammar != Grammar::Text {
            return None;
        }
        let times: Vec<usize> = layout.times().collect();
        let duration = layout.source(Part::Duration).map(|step| &layout.steps[step].field.kind);
        // Times in pieces and starts in place of durations are put together from several values.
        if times.len() > 1 || matches!(duration, Some(Kind::Time(..))) {
            return None;
        }
        // No line has a newline in it, whatever its format says.
        let mut literals = layout.steps.iter().map(|step| &step.literal).chain([&layout.first]);
        if literals.any(|literal| literal.contains(&b'\n')) {
            return None;
        }
        let mut clocks = Vec::new();
        let mut stop = |(at, step): (usize, &Step)| {
            let seek = match &step.field.kind {
                Kind::Time(shape, _) => {
                    clocks.push(Clock::new(times.contains(&at).then(|| shape.clone())));
                    Seek::Clock(clocks.len() - 1)
                }
                _ => seek(step, feed(layout, at)),
            };
            has_clear_end(step).then(|| Stop { seek, literal: Literal::new(&step.literal), step: at })
        };
        let stops = layout.steps.iter().enumerate().map(&mut stop).collect::<Option<Vec<Stop>>>()?;
        Some(Self { first: Literal::new(&layout.first), stops, clocks })
    }

    /// Reads the first of some lines: its values into `spans`, its numbers into `record`. Returns where it ends, and
    /// its time. `None` says nothing about the line, and leaves anything in both.
    #[inline]
    pub(super) fn read(
        &mut self,
        layout: &Layout,
        lines: &[u8],
        spans: &mut [Span],
        record: &mut Record<'_>,
    ) -> Option<(Passed, Option<Logged>)> {
        // Blank lines, and those with something before them that belongs to no line, are not read here.
        if matches!(lines.first()?, 0 | 0xef | b'\n' | b'\r') {
            return None;
        }
        let place = |rest: &[u8]| lines.len().wrapping_sub(rest.len());
        let mut logged = None;
        let mut rest = self.first.pass(lines)?;
        for (stop, found) in self.stops.iter().zip(spans) {
            let length = match stop.seek {
                Seek::Word => scan::word(rest)?,
                Seek::Text => text(rest)?,
                Seek::Status(feed) => match status(rest) {
                    Some((length, number)) => feed.give(length, number, record),
                    None => odd_number(layout, stop.step, rest, feed, record)?,
                },
                Seek::Bytes(feed) => match whole(rest) {
                    Some((length, number)) => feed.give(length, number, record),
                    None => odd_number(layout, stop.step, rest, feed, record)?,
                },
                Seek::Duration(feed, scale) => match decimal(rest, scale) {
                    Some((length, number)) => feed.give(length, number, record),
                    None => odd_number(layout, stop.step, rest, feed, record)?,
                },
                Seek::Clock(clock) => {
                    let clock = &mut self.clocks[clock];
                    let (length, time) = match clock.known(rest) {
                        Some(known) => known,
                        None => clock.read(layout, stop.step, lines, place(rest))?,
                    };
                    if clock.shape.is_some() {
                        logged = time;
                    }
                    length
                }
                Seek::Single => single(rest)?,
                Seek::WordTo(mark) => scan::word_or(rest, mark)?,
                rare => rare_text(rare, &layout.steps[stop.step], rest)?,
            };
            let after = rest.get(length..)?;
            *found = span(place(rest), place(after));
            rest = stop.literal.pass(after)?;
        }
        // A format may end in blanks.
        while let Some((b' ', after)) = rest.split_first() {
            rest = after;
        }
        let end = place(rest);
        match rest {
            [b'\n', ..] => Some((Passed { end, next: end + 1 }, logged)),
            [b'\r', b'\n', ..] => Some((Passed { end, next: end + 2 }, logged)),
            _ => None,
        }
    }
}

/// True if the value's end is where its literal first stands.
fn has_clear_end(step: &Step) -> bool {
    let is_time = matches!(step.field.kind, Kind::Time(..));
    let is_number = is_time || matches!(step.field.kind, Kind::Status | Kind::Bytes | Kind::Duration(_));
    let may_be_in_number = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.:/".contains(byte);
    let is_clear = !is_number || !step.literal.first().is_some_and(may_be_in_number);
    is_clear
        && match step.end {
            End::Quote | End::RawQuote | End::List | End::Until { .. } | End::Line(_) => true,
            End::Anywhere => !step.literal.is_empty(),
            End::Fixed(_) => is_time,
            End::Before(_) | End::Asked | End::Optional(_) => false,
        }
}

/// How the end of a value is found that is no time. A number of no use still must look like one.
fn seek(step: &Step, feed: Feed) -> Seek {
    let mark = step.literal.first().copied();
    match (&step.field.kind, step.end, mark) {
        (Kind::Status, ..) => Seek::Status(feed),
        (Kind::Bytes, ..) => Seek::Bytes(feed),
        (Kind::Duration(unit), ..) => Seek::Duration(feed, Scale::of(*unit)),
        (_, End::List, _) => Seek::Single,
        (Kind::Text | Kind::List, End::Line(_), _) => Seek::Line,
        (Kind::Text, _, Some(mark)) if step.guard == Guard::Protocol => Seek::Request(mark),
        (Kind::Text | Kind::List, _, Some(b'"')) => Seek::Text,
        (Kind::Text | Kind::List, _, Some(mark)) if mark != b' ' => Seek::TextTo(mark),
        (Kind::Digits, _, mark) => Seek::Plausible(mark.unwrap_or(b' ')),
        (_, End::Quote, _) => Seek::Plausible(b'"'),
        (_, _, Some(mark)) if mark > b'"' => Seek::WordTo(mark),
        _ => Seek::Word,
    }
}

/// Where a step's number goes: nowhere if another step feeds that part.
fn feed(layout: &Layout, step: usize) -> Feed {
    let field = &layout.steps[step].field;
    if layout.source(field.part) != Some(step) {
        return Feed::Nowhere;
    }
    match field.part {
        Part::Body => Feed::Body,
        Part::Wire => Feed::Wire,
        Part::In => Feed::In,
        Part::Status => Feed::Status,
        Part::Duration => Feed::Duration,
        _ => Feed::Nowhere,
    }
}

/// Text before a quote that no backslash escapes. No server but those that escape quotes so writes one there.
#[inline(always)]
fn text(rest: &[u8]) -> Option<usize> {
    let length = scan::quoted(rest)?;
    (rest[..length].last() != Some(&b'\\')).then_some(length)
}

/// A word before a blank after which no list goes on. An empty one could be the end of a list begun before.
#[inline(always)]
fn single(rest: &[u8]) -> Option<usize> {
    let length = scan::word(rest)?;
    let goes_on =
        matches!(rest[..length].last(), None | Some(b',' | b':')) || rest.get(length + 1) == Some(&b':');
    (!goes_on).then_some(length)
}

#[inline(never)]
fn rare_text(seek: Seek, step: &Step, rest: &[u8]) -> Option<usize> {
    let plausible = |&length: &usize| matcher::plausible(step, &rest[..length], Rule::Strict);
    match seek {
        Seek::TextTo(mark) => memchr3(mark, b'"', b'\n', rest),
        Seek::Request(mark) => memchr3(mark, b'"', b'\n', rest).filter(plausible),
        Seek::Plausible(mark) => {
            let length = scan::word_or(rest, mark)?;
            Some(length).filter(plausible).filter(|_| rest[..length].last() != Some(&b'\\'))
        }
        Seek::Line => {
            let length = memchr2(b'"', b'\n', rest)?;
            let line = rest[..length].strip_suffix(b"\r").unwrap_or(&rest[..length]);
            Some(line.len()).filter(plausible).filter(|_| !line.ends_with(b"\r"))
        }
        _ => None,
    }
}

/// A literal: its first eight bytes as a number, and what follows them.
#[derive(Debug, Clone)]
struct Literal {
    bytes: u64,
    mask: u64,
    more: Vec<u8>,
    length: usize,
}

impl Literal {
    fn new(text: &[u8]) -> Self {
        let (first, more) = text.split_at(text.len().min(8));
        let (mut bytes, mut mask) = ([0; 8], [0; 8]);
        bytes[..first.len()].copy_from_slice(first);
        mask[..first.len()].fill(u8::MAX);
        let [bytes, mask] = [bytes, mask].map(u64::from_le_bytes);
        Self { bytes, mask, more: more.to_vec(), length: text.len() }
    }

    /// What follows it, if it stands at the beginning.
    #[inline(always)]
    fn pass<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let differs = (eight_bytes(rest)? ^ self.bytes) & self.mask != 0;
        if differs || (!self.more.is_empty() && !rest[8..].starts_with(&self.more)) {
            return None;
        }
        rest.get(self.length..)
    }
}

/// The first eight bytes, the first of them lowest.
#[inline(always)]
fn eight_bytes(rest: &[u8]) -> Option<u64> {
    rest.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The number that eight digits make, the first byte being the highest; a byte of 0 is a 0, too.
#[inline(always)]
fn number(digits: u64) -> u64 {
    let ones = digits & eight_of(0x0f);
    let pairs = (ones.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}

/// The first so many digits of eight, moved to the end as if zeros stood before them.
#[inline(always)]
fn aligned(digits: u64, length: u32) -> u64 {
    digits << (64 - 8 * length)
}

/// Up to 15 digits: how many, and their number. What follows them is the literal's business.
#[inline(always)]
fn whole(rest: &[u8]) -> Option<(usize, u64)> {
    let digits = eight_bytes(rest)?;
    let length = non_digits(digits).trailing_zeros() / 8;
    if length == 0 {
        return None;
    }
    let read = number(aligned(digits, length));
    if length == 8 { more_digits(&rest[8..], read) } else { Some((length as usize, read)) }
}

/// Eight digits were read, and up to seven follow.
fn more_digits(rest: &[u8], read: u64) -> Option<(usize, u64)> {
    let digits = eight_bytes(rest)?;
    let length = non_digits(digits).trailing_zeros() / 8;
    let more = match length {
        0 => 0,
        8.. => return None,
        length => number(aligned(digits, length)),
    };
    let read = read * 10_u64.pow(length) + more;
    (read <= value::BYTES_MAX).then_some((8 + length as usize, read))
}

impl Scale {
    /// Nanoseconds and durations that name their unit are read as on any line: with neither.
    fn of(unit: Unit) -> Self {
        let (whole, thousandth) = match unit {
            Unit::Seconds => (1_000_000, 1_000),
            Unit::Millis => (1_000, 1),
            Unit::Micros => (1, 0),
            Unit::Nanos | Unit::Suffixed => (0, 0),
        };
        Self { whole, thousandth }
    }
}

/// Digits, and three more behind a point where the unit is large enough to have them; in microseconds.
#[inline(always)]
fn decimal(rest: &[u8], scale: Scale) -> Option<(usize, u64)> {
    let bytes = eight_bytes(rest)?;
    let others = non_digits(bytes);
    let length = others.trailing_zeros() / 8;
    if length == 0 || length == 8 || scale.whole == 0 {
        return None;
    }
    if bytes >> (8 * length) & 0xff != u64::from(b'.') {
        return Some((length as usize, number(aligned(bytes, length)) * scale.whole));
    }
    let after = others & (others - 1);
    if scale.thousandth == 0 || length > 4 || after.trailing_zeros() / 8 != length + 4 {
        return None;
    }
    // `12.345`: the digits before the point move up to those behind it.
    let digits = aligned(bytes, length + 4);
    let (whole, fraction) = (digits & 0xffff_ffff, digits & (0xff_ffff << 40));
    Some((length as usize + 4, number(whole << 8 | fraction) * scale.thousandth))
}

/// Three digits.
#[inline(always)]
fn status(rest: &[u8]) -> Option<(usize, u64)> {
    let bytes = eight_bytes(rest)?;
    (non_digits(bytes).trailing_zeros() / 8 == 3).then(|| (3, number(aligned(bytes, 3))))
}

/// A null, or a number in another notation: read as on any line.
#[inline(never)]
fn odd_number(
    layout: &Layout,
    step: usize,
    rest: &[u8],
    feed: Feed,
    record: &mut Record<'_>,
) -> Option<usize> {
    let Step { field, literal, .. } = &layout.steps[step];
    let text = &rest[..scan::word_or(rest, literal.first().copied().unwrap_or(b' '))?];
    if !matcher::plausible(&layout.steps[step], text, Rule::Strict) {
        return None;
    }
    let read = match (feed, &field.kind) {
        (Feed::Nowhere, _) => None,
        (Feed::Status, _) => value::status(text).ok()?.map(u64::from),
        (Feed::Duration, Kind::Duration(unit)) => {
            // Apache's `%D` has no fraction.
            let is_foreign =
                *unit == Unit::Micros && layout.format.server == Server::Apache && text.contains(&b'.');
            value::duration(text, *unit).ok().filter(|_| !is_foreign)?
        }
        _ => value::bytes(text).ok()?,
    };
    feed.put(read, record);
    Some(text.len())
}

impl Feed {
    /// Puts a number that takes up `length` bytes where it goes.
    #[inline(always)]
    fn give(self, length: usize, number: u64, record: &mut Record<'_>) -> usize {
        self.put(Some(number), record);
        length
    }

    #[inline(always)]
    fn put(self, number: Option<u64>, record: &mut Record<'_>) {
        match self {
            Self::Nowhere => {}
            Self::Body => record.body = number,
            Self::Wire => record.wire = number,
            Self::In => record.bytes_in = number,
            Self::Status => record.status = number.and_then(|number| u16::try_from(number).ok()),
            Self::Duration => record.duration_us = number,
        }
    }
}

/// The time of the line before, with the literal behind it. Lines of one minute differ in their seconds only, which are
/// left out of the comparison and read by themselves.
#[derive(Debug, Clone)]
struct Clock {
    /// None for a time that nobody needs.
    shape: Option<Shape>,
    /// Length of the time.
    length: usize,
    /// The same with its literal; 0 if no time is known.
    width: usize,
    /// The first and the last 16 bytes of that, which may overlap, and the bits of them that must be equal.
    ends: [u128; 2],
    masks: [u128; 2],
    /// Where the seconds stand.
    seconds: Option<usize>,
    /// The time, or that of its minute if the seconds are known.
    logged: Option<Logged>,
}

/// Widths that are compared.
const WIDTHS: std::ops::RangeInclusive<usize> = 16..=32;

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

impl Clock {
    fn new(shape: Option<Shape>) -> Self {
        Self { shape, length: 0, width: 0, ends: [0; 2], masks: [0; 2], seconds: None, logged: None }
    }

    /// The time that stands there and its length, if it is of the same minute as the last.
    #[inline(always)]
    fn known(&self, rest: &[u8]) -> Option<(usize, Option<Logged>)> {
        let text = rest.get(..self.width)?;
        let [first, last] = ends(text)?;
        let differs = (first ^ self.ends[0]) & self.masks[0] | (last ^ self.ends[1]) & self.masks[1];
        if differs != 0 {
            return None;
        }
        let mut logged = self.logged;
        if let Some(seconds) = self.seconds {
            let second = two_digits(text, seconds)?;
            if let Some(logged) = &mut logged {
                logged.time.0 += second * SECOND;
            }
        }
        Some((self.length, logged))
    }

    /// Reads a time as on any line.
    #[cold]
    #[inline(never)]
    fn read(
        &mut self,
        layout: &Layout,
        step: usize,
        lines: &[u8],
        from: usize,
    ) -> Option<(usize, Option<Logged>)> {
        let line = &lines[..from + memchr(b'\n', &lines[from..])?];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let step = &layout.steps[step];
        let (end, next) = matcher::value_end(step, line, from, from, Rule::Strict)?;
        let text = &line[from..end];
        // A carriage return within the time would pass for part of it at the end of a later line.
        let odd = text.iter().any(|byte| matches!(byte, b'"' | b'\r'));
        if odd || line.ends_with(b"\r") || !matcher::plausible(step, text, Rule::Strict) {
            return None;
        }
        let logged = match &self.shape {
            Some(shape) => timestamp::known(layout, shape, text, from).ok()?,
            None => None,
        };
        self.remember(&step.field.kind, text.len(), &line[from..next], logged);
        Some((text.len(), logged))
    }

    fn remember(&mut self, kind: &Kind, length: usize, text: &[u8], logged: Option<Logged>) {
        self.width = 0;
        let Some(ends) = ends(text) else { return };
        let mut mask = [u8::MAX; *WIDTHS.end()];
        let seconds = seconds(kind, &text[..length]);
        if let Some(at) = seconds {
            mask[at..at + 2].fill(0);
        }
        let Some(masks) = self::ends(&mask[..text.len()]) else { return };
        let second = seconds.and_then(|at| two_digits(text, at));
        let minute = |logged: Logged| Logged {
            time: Timestamp(logged.time.0 - second.unwrap_or(0) * SECOND),
            ..logged
        };
        *self = Self {
            shape: self.shape.take(),
            length,
            width: text.len(),
            ends,
            masks,
            seconds,
            logged: logged.map(minute),
        };
    }
}

/// The first and the last 16 bytes of a text that has no others.
#[inline(always)]
fn ends(text: &[u8]) -> Option<[u128; 2]> {
    if !WIDTHS.contains(&text.len()) {
        return None;
    }
    Some([*text.first_chunk()?, *text.last_chunk()?].map(u128::from_le_bytes))
}

/// Where the seconds of a time stand, if it is written as nearly all are. A leap second is none of its minute's.
fn seconds(kind: &Kind, text: &[u8]) -> Option<usize> {
    let (at, before) = match kind {
        Kind::Time(Shape::Clf, _) => (18, b":"),
        Kind::Time(Shape::Bracketed, _) => (19, b":"),
        Kind::Time(Shape::Iso, _) => (17, b"T"),
        _ => return None,
    };
    let has = |at: usize, bytes: &[u8]| text.get(at).is_some_and(|byte| bytes.contains(byte));
    let clock = has(at - 7, before) && has(at - 4, b":") && has(at - 1, b":");
    two_digits(text, at).filter(|_| clock).map(|_| at)
}

/// Two digits that are less than 60.
#[inline(always)]
fn two_digits(text: &[u8], at: usize) -> Option<i64> {
    let &[tens, ones] = text.get(at..)?.first_chunk()?;
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 5 && ones <= 9).then(|| i64::from(tens * 10 + ones))
}
