//! Layout × line → [`Record`] or [`Reject`]. Pure: no files, clocks or threads.
//!
//! A [`Parser`] finds every value of a line (`matcher`), checks those that counts are made of (time, status, bytes,
//! duration) whether or not they are asked for, so that what is accepted never depends on the question, and slices
//! only the rest of what is wanted. `naive` is the same thing written the obvious way, for tests.

mod foreign;
mod record;
mod reader;
mod matcher;
pub(crate) mod scan;
mod express;
mod outline;
mod keys;
mod json;
mod ltsv;
mod columns;
pub mod timestamp;
pub mod value;
pub mod wrapper;
#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;

pub use express::Passed;
pub use foreign::Foreign;
pub use reader::{Reader, Sheet};
pub use record::{Reason, Record, Reject};

use memchr::{memchr, memchr_iter};

use crate::format::{Edge, Escape, Format, Grammar, Kind, Layout, Part, Server, Unit, neighbours};
use crate::time::Timestamp;
use express::Lane;
use keys::Keys;
use matcher::{Match, Rule};
use outline::Outline;
use timestamp::Logged;

/// The parts of a record that a question needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted(u32);

impl Wanted {
    /// Everything.
    pub const ALL: Self = Self(u32::MAX);

    /// These and `part`.
    #[must_use]
    pub const fn with(self, part: Part) -> Self {
        Self(self.0 | 1 << part as u8)
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True if `part` is among them.
    #[inline]
    pub const fn has(self, part: Part) -> bool {
        self.0 & 1 << part as u8 != 0
    }
}

/// A time that is a day and not a number that happens to stand there: `1790000000` is the shortest.
const TIME_LENGTH_LEAST: u32 = 10;

/// Columns behind a record at which another is looked for.
const SWALLOWED_PLACES_MAX: usize = 16;

/// Start and end of a value.
pub(crate) type Span = (u32, u32);

/// Turns the lines of one log into records.
#[derive(Debug, Clone)]
pub struct Parser {
    layout: Layout,
    wanted: Wanted,
    /// The texts that are wanted and their steps.
    texts: Vec<(Part, usize)>,
    others: Vec<Option<usize>>,
    edge: Edge,
    /// For plain lines.
    lane: Option<Lane>,
    spans: Vec<Span>,
    keys: Keys,
    times: timestamp::Memo,
    nulls: Nulls,
    outline: Outline,
    /// Quotes of the format, where the server escapes those in values not at all.
    quotes: Option<usize>,
}

/// What is said of a line that has not the format's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shapeless {
    /// The reason, and where it shows.
    Diagnosed,
    /// The reason; the column means nothing.
    Named,
    /// That it has not: neither the reason nor the column means anything.
    Dismissed,
}

/// How a log writes a value that does not exist.
#[derive(Debug, Clone, Copy)]
struct Nulls {
    written: &'static [u8],
    /// Where lines name their values, one without any bytes is a missing one.
    also_empty: bool,
    /// JSON made by a directive has the `-` of its server between quotes.
    also_dash: bool,
    /// Tencent writes a word for a missing referer.
    also_word: bool,
}

impl Nulls {
    fn of(format: &Format) -> Self {
        Self {
            written: format.escape.null(),
            also_empty: format.grammar != Grammar::Text,
            also_dash: format.grammar == Grammar::Json,
            also_word: format.fields().any(|field| field.text == neighbours::REFERER_OR_NULL),
        }
    }

    #[inline]
    fn has(self, text: &[u8]) -> bool {
        text == self.written
            || self.also_empty && text.is_empty()
            || self.also_dash && text == b"-"
            || self.also_word && text == b"NULL"
    }
}

impl Parser {
    /// `others` are fields asked for by their own name; those the format lacks are null.
    pub fn new(layout: &Layout, wanted: Wanted, others: &[String]) -> Self {
        Self {
            texts: texts(layout, wanted),
            others: others.iter().map(|text| layout.step_named(text)).collect(),
            lane: Lane::of(layout),
            edge: layout.format.edge().unwrap_or(Edge::End),
            spans: vec![(0, 0); layout.steps.len()],
            keys: Keys::new(layout),
            times: timestamp::Memo::default(),
            wanted,
            nulls: Nulls::of(&layout.format),
            outline: Outline::new(layout),
            quotes: unescaped_quotes(layout),
            layout: layout.clone(),
        }
    }

    /// The layout lines are matched with.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads one line into `record`, which keeps nothing of an earlier line.
    #[inline]
    pub fn parse<'a>(&mut self, line: &'a [u8], record: &mut Record<'a>) -> Result<(), Reject> {
        self.judge(line, record, Shapeless::Diagnosed)
    }

    /// The same for those who do not ask why a line is rejected, which is most of the work on one that is.
    pub fn reads<'a>(&mut self, line: &'a [u8], record: &mut Record<'a>) -> bool {
        self.judge(line, record, Shapeless::Dismissed).is_ok()
    }

    /// Reads the first of some lines, if nothing about it is odd, into a record that is new or was
    /// last written here. `None` says nothing about the line, and leaves anything in the record.
    #[inline]
    fn pass<'a>(&mut self, lines: &'a [u8], record: &mut Record<'a>) -> Option<Passed> {
        let Self { lane, layout, spans, .. } = self;
        let (passed, logged) = lane.as_mut()?.read(layout, lines, spans, record)?;
        set_time(logged, record, self.edge);
        self.take_texts(&lines[..passed.end], record);
        Some(passed)
    }

    #[inline]
    fn judge<'a>(
        &mut self,
        line: &'a [u8],
        record: &mut Record<'a>,
        shapeless: Shapeless,
    ) -> Result<(), Reject> {
        record.extra = self.find_values(line, shapeless)?;
        record.ambiguous = self.quotes.is_some_and(|quotes| memchr_iter(b'"', line).count() > quotes);
        self.read_numbers(line, record)?;
        self.read_time(line, record)?;
        self.slice(line, record);
        Ok(())
    }

    /// Fills the spans; true if the line holds values that the format does not name.
    #[inline]
    fn find_values(&mut self, line: &[u8], shapeless: Shapeless) -> Result<bool, Reject> {
        let shape = |column| Reject { reason: Reason::Format, column };
        match self.layout.format.grammar {
            Grammar::Text => match matcher::matches_at_once(&self.layout, line, &mut self.spans) {
                Some(extra) => Ok(extra),
                None => self.match_patiently(line, shapeless),
            },
            Grammar::Json => json::find(&mut self.keys, line, &mut self.spans).map_err(shape),
            Grammar::Ltsv => ltsv::find(&mut self.keys, line, &mut self.spans).map_err(shape).map(|()| false),
            Grammar::Columns => columns::find(line, &mut self.spans).map_err(shape),
        }
    }

    /// The UTC offset that any of the line's times was written with, be it not the one that counts: beside `$msec`
    /// there often is `$time_local`. The line must be the one just accepted.
    pub fn offset(&self, line: &[u8]) -> Option<i32> {
        self.layout.steps.iter().zip(&self.spans).find_map(|(step, &(start, end))| {
            let Kind::Time(shape, _) = &step.field.kind else { return None };
            timestamp::single(shape, &line[start as usize..end as usize])?.offset
        })
    }

    /// The step at which a line breaks off that was just rejected by a text format; none where the line goes on after
    /// the last.
    pub fn faulty_step(&mut self, line: &[u8], reject: Reject) -> Option<usize> {
        let column = u32::try_from(reject.column).ok()?;
        if reject.reason != Reason::Format {
            return self.spans.iter().position(|&(start, _)| start == column);
        }
        // What an earlier line or attempt left behind would be taken for values of this line.
        self.spans.fill((u32::MAX, u32::MAX));
        matcher::matches(&self.layout, line, &mut self.spans, Rule::Lenient);
        let found = self.spans.iter().enumerate().filter(|&(_, &(_, end))| end <= column);
        let next = found.max_by_key(|&(step, &(_, end))| (end, step)).map_or(0, |(step, _)| step + 1);
        (next < self.spans.len()).then_some(next)
    }

    /// What a step found in the line last looked at, if it got that far.
    pub fn value<'a>(&self, line: &'a [u8], step: usize) -> Option<&'a [u8]> {
        let (start, end) = self.spans[step];
        line.get(start as usize..end as usize)
    }

    /// What follows the first object of the line just accepted, if it is another: two writers may share a line.
    pub fn following<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        (self.keys.rest > 0).then(|| &line[self.keys.rest..])
    }

    /// Bytes of the last accepted line that the format's own columns take up.
    pub fn matched_length(&self) -> usize {
        let literal = self.layout.steps.last().map_or(0, |step| step.literal.len());
        self.spans.last().map_or(0, |&(_, end)| end as usize) + literal
    }

    /// True if the line just accepted ends within its last quoted value, or within quotes behind it.
    pub fn is_unclosed(&self, line: &[u8]) -> bool {
        let literal = self.layout.steps.last().is_some_and(|step| !step.literal.is_empty());
        let behind = line.get(self.matched_length()..).unwrap_or_default();
        literal && self.spans.last().is_some_and(|&(_, end)| end as usize == line.len())
            || self.layout.format.grammar == Grammar::Text
                && memchr::memchr_iter(b'"', behind).count() % 2 == 1
    }

    /// True if `line` looks like the end of a line whose beginning was cut off.
    pub fn is_tail(&self, line: &[u8]) -> bool {
        matcher::matches_tail(&self.layout, line)
    }

    /// Values that do not end at the first place; then any request, where the server escapes no quotes; then runs of
    /// blanks count as one and further columns are allowed.
    #[cold]
    #[inline(never)]
    fn match_patiently(&mut self, line: &[u8], shapeless: Shapeless) -> Result<bool, Reject> {
        let Self { layout, spans, outline, quotes, .. } = self;
        let possible = outline.is_in(line);
        let mut matches = |rule| matcher::matches(layout, line, spans, rule);
        if possible {
            let rules = [Rule::Strict, Rule::Exact].into_iter().take(if quotes.is_some() { 2 } else { 1 });
            for rule in rules {
                if let Match::Yes { extra } = matches(rule) {
                    return Ok(extra);
                }
            }
        } else if shapeless != Shapeless::Diagnosed {
            return Err(Reject { reason: Reason::Format, column: 0 });
        }
        match matches(Rule::Lenient) {
            Match::Yes { extra } => self.alone(line, extra),
            Match::No { reached } if possible && shapeless != Shapeless::Dismissed => {
                Err(matcher::diagnose(layout, line, spans, reached))
            }
            Match::No { reached } => Err(Reject { reason: Reason::Format, column: reached }),
        }
    }

    /// Two records that share a line, because the newline between them was lost or a carriage return stands for it, are
    /// no record with further columns: one of them would be lost.
    fn alone(&self, line: &[u8], extra: bool) -> Result<bool, Reject> {
        let end = self.matched_length().min(line.len());
        if extra && self.is_swallowed(&line[end..]) {
            return Err(Reject { reason: Reason::Format, column: end });
        }
        Ok(extra)
    }

    /// True for further columns that hold a record: its shape and a time. Behind the shortest of several formats stand
    /// columns of the first record, too.
    fn is_swallowed(&self, columns: &[u8]) -> bool {
        let columns = columns.trim_ascii();
        if memchr(b'\r', columns).is_some() {
            return true;
        }
        if !self.outline.is_in(columns) {
            return false;
        }
        let mut spans = vec![(0, 0); self.layout.steps.len()];
        let mut is_record = |start: usize| {
            let found = matcher::matches(&self.layout, &columns[start..], &mut spans, Rule::Lenient);
            let timed = |step: usize| spans[step].1 - spans[step].0 >= TIME_LENGTH_LEAST;
            matches!(found, Match::Yes { .. }) && self.layout.times().any(timed)
        };
        let words = memchr_iter(b' ', columns).map(|blank| blank + 1);
        std::iter::once(0).chain(words).take(SWALLOWED_PLACES_MAX).any(&mut is_record)
    }

    fn text<'a>(&self, line: &'a [u8], part: Part) -> Option<(&'a [u8], usize)> {
        let (start, end) = self.spans[self.layout.source(part)?];
        Some((&line[start as usize..end as usize], start as usize))
    }

    fn read_numbers(&self, line: &[u8], record: &mut Record<'_>) -> Result<(), Reject> {
        let bytes = |part| match self.text(line, part) {
            Some((text, column)) => value::bytes(text)
                .or_else(|reason| self.json_integer(text, value::BYTES_MAX).map(Some).ok_or(reason))
                .map_err(|reason| Reject { reason, column }),
            None => Ok(None),
        };
        record.body = bytes(Part::Body)?;
        record.wire = bytes(Part::Wire)?;
        record.bytes_in = bytes(Part::In)?;
        record.status = match self.text(line, Part::Status) {
            Some((text, column)) => value::status(text)
                .or_else(|reason| {
                    let number = self.json_integer(text, 999).and_then(|status| u16::try_from(status).ok());
                    number.map(Some).ok_or(reason)
                })
                .map_err(|reason| Reject { reason, column })?,
            None => None,
        };
        record.duration_us = None;
        if let Some(step) = self.layout.source(Part::Duration) {
            let (start, end) = self.spans[step];
            if let Kind::Duration(unit) = self.layout.steps[step].field.kind {
                let text = &line[start as usize..end as usize];
                // Apache's `%D` has no fraction: what has one is another format's column.
                let is_foreign = unit == Unit::Micros
                    && self.layout.format.server == Server::Apache
                    && text.contains(&b'.');
                record.duration_us = value::duration(text, unit)
                    .and_then(|duration| if is_foreign { Err(Reason::Duration) } else { Ok(duration) })
                    .map_err(|reason| Reject { reason, column: start as usize })?;
            }
        }
        Ok(())
    }

    /// JSON has one kind of number, and its printers write integers as `2e2` or `200.0` too.
    #[cold]
    fn json_integer(&self, text: &[u8], most: u64) -> Option<u64> {
        let json = self.layout.format.grammar == Grammar::Json;
        value::json_integer(text).filter(|&number| json && number <= most)
    }

    fn read_time(&mut self, line: &[u8], record: &mut Record<'_>) -> Result<(), Reject> {
        let logged = self
            .times
            .read(&self.layout, &self.spans, line)
            .map_err(|column| Reject { reason: Reason::Time, column })?;
        if record.duration_us.is_none() {
            record.duration_us = logged.and_then(|logged| self.since_start(line, logged.time));
        }
        set_time(logged, record, self.edge);
        Ok(())
    }

    /// The duration of a record whose start is logged beside its end.
    fn since_start(&self, line: &[u8], end: Timestamp) -> Option<u64> {
        let step = self.layout.source(Part::Duration)?;
        let Kind::Time(shape, _) = &self.layout.steps[step].field.kind else { return None };
        let text = self.value(line, step).filter(|text| !self.nulls.has(text))?;
        let start = timestamp::single(shape, text).or_else(|| timestamp::any(text))?;
        u64::try_from(end.0.checked_sub(start.time.0)?).ok()
    }

    /// A list of seconds, or one number in the field's own unit.
    fn upstream(&self, text: &[u8]) -> Option<value::Upstream> {
        let step = self.layout.source(Part::Upstream)?;
        match self.layout.steps[step].field.kind {
            Kind::Duration(unit) => {
                let sum_us = value::duration(text, unit).ok().flatten()?;
                Some(value::Upstream { sum_us, last_us: sum_us, tries: 1 })
            }
            _ => value::upstream(text),
        }
    }

    fn slice<'a>(&self, line: &'a [u8], record: &mut Record<'a>) {
        forget_texts(record);
        self.take_texts(line, record);
    }

    /// Takes the texts that are wanted from a line whose values were found; leaves those that the format lacks.
    #[inline]
    fn take_texts<'a>(&self, line: &'a [u8], record: &mut Record<'a>) {
        for &(part, step) in &self.texts {
            let text = self.known(line, step);
            match part {
                Part::Client => record.client = text,
                Part::Peer => record.peer = text,
                Part::Forwarded => record.forwarded = text,
                Part::User => record.user = text.map(named),
                Part::Host => record.host = text,
                Part::ServerAddr => record.server_addr = text,
                Part::Hostname => record.hostname = text,
                Part::Referer => record.referer = text,
                Part::Agent => record.agent = text,
                Part::Cache => record.cache = text,
                Part::Upstream => {
                    let upstream = text.and_then(|text| self.upstream(text));
                    record.upstream_us = upstream.map(|upstream| upstream.sum_us);
                    record.upstream_tries = upstream.map(|upstream| upstream.tries);
                }
                _ => {}
            }
        }
        if self.wanted.has(Part::Request) {
            // Who asks for the request asks for its parts, also where the line has them apart.
            // Where the target is logged it speaks for itself, null or not.
            let path = self.layout.source(Part::Target).is_none().then_some(Part::Path);
            read_request(record, path, |part| self.known(line, self.layout.source(part)?));
        }
        if !self.others.is_empty() {
            record.others.clear();
            record.others.extend(self.others.iter().map(|step| {
                let step = (*step)?;
                let text = self.known(line, step);
                if self.layout.steps[step].field.part == Part::User { text.map(named) } else { text }
            }));
        }
    }

    /// The value of a step, unless it is null.
    #[inline]
    fn known<'a>(&self, line: &'a [u8], step: usize) -> Option<&'a [u8]> {
        let (start, end) = self.spans[step];
        Some(&line[start as usize..end as usize]).filter(|text| !self.nulls.has(text))
    }
}

/// The texts that are taken as they stand, but for those of the request.
const TEXTS: [Part; 11] = [
    Part::Client,
    Part::Peer,
    Part::Forwarded,
    Part::User,
    Part::Host,
    Part::ServerAddr,
    Part::Hostname,
    Part::Referer,
    Part::Agent,
    Part::Cache,
    Part::Upstream,
];

/// Which of them a layout has and someone wants, and their steps.
fn texts(layout: &Layout, wanted: Wanted) -> Vec<(Part, usize)> {
    let asked = TEXTS.into_iter().filter(|&part| wanted.has(part));
    asked.filter_map(|part| Some((part, layout.source(part)?))).collect()
}

/// Empties all that [`Parser::take_texts`] may fill.
fn forget_texts(record: &mut Record<'_>) {
    record.client = None;
    record.peer = None;
    record.forwarded = None;
    record.user = None;
    record.method = None;
    record.target = None;
    record.path = None;
    record.query = None;
    record.protocol = None;
    record.upstream_us = None;
    record.upstream_tries = None;
    record.host = None;
    record.server_addr = None;
    record.hostname = None;
    record.referer = None;
    record.agent = None;
    record.cache = None;
    record.others.clear();
}

/// A user whose name is empty is two quotes with Apache.
fn named(user: &[u8]) -> &[u8] {
    if user == b"\"\"" { &user[..0] } else { user }
}

/// The quotes of a format whose server lets quotes through.
fn unescaped_quotes(layout: &Layout) -> Option<usize> {
    let raw =
        layout.format.grammar == Grammar::Text && matches!(layout.format.escape, Escape::None | Escape::Raw);
    let literals = || layout.steps.iter().map(|step| &step.literal).chain([&layout.first]);
    raw.then(|| literals().map(|literal| memchr_iter(b'"', literal).count()).sum())
}

/// The request line is what the client asked; the server's own variables (`%m`, `%U`) may be those of an internal
/// redirect, so they only fill what the line does not say.
fn read_request<'a>(record: &mut Record<'a>, path: Option<Part>, text: impl Fn(Part) -> Option<&'a [u8]>) {
    let request = text(Part::Request).map(value::request_line).unwrap_or_default();
    record.method = request.method.or_else(|| text(Part::Method).filter(|method| value::is_token(method)));
    record.target = request.target.or_else(|| text(Part::Target));
    record.protocol = request.protocol.or_else(|| text(Part::Protocol));
    record.path = path.and_then(&text);
    record.query = text(Part::Query);
}

/// Fills what follows from the logged time and the duration.
#[inline]
fn set_time(logged: Option<Logged>, record: &mut Record<'_>, edge: Edge) {
    record.implausible = record.duration_us.is_some_and(|duration| duration > value::DURATION_US_MAX);
    let (start, end) = interval(logged, record, edge);
    record.time = logged.map(|logged| logged.time);
    record.offset = logged.and_then(|logged| logged.offset);
    record.zoneless = logged.is_some_and(|logged| logged.zoneless);
    (record.start, record.end) = (start, end);
}

/// Both ends of the request, from the one that was logged and the duration.
#[inline]
fn interval(
    logged: Option<Logged>,
    record: &Record<'_>,
    edge: Edge,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let Some(Logged { time, .. }) = logged else { return (None, None) };
    let duration = match record.duration_us {
        Some(duration) if !record.implausible => i64::try_from(duration).unwrap_or(0),
        _ => 0,
    };
    match edge {
        Edge::End => (Some(Timestamp(time.0.saturating_sub(duration))), Some(time)),
        Edge::Start => (Some(time), Some(Timestamp(time.0.saturating_add(duration)))),
    }
}

/// The names and raw values of a line that names its values; `None` if it does not. A missing value has no bytes.
pub fn named_values(grammar: Grammar, line: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    match grammar {
        Grammar::Json => json::values(line),
        Grammar::Ltsv => ltsv::values(line),
        Grammar::Text | Grammar::Columns => None,
    }
}

/// How `escape` and a raw value read as text.
pub fn plain(escape: Escape, raw: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    value::unescape(escape, raw)
}
