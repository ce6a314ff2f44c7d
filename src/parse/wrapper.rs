//! What other programs put around a log line, and how to take it off again.
//!
//! ```text
//! 2026-11-23T05:53:12.1Z stdout F <190>Nov 23 05:53:03 web nginx: 192.0.2.1 - - […] "GET / HTTP/1.1" 200 7 "-" "x"
//! └── container runtime ────────┘ └── syslog ────────────────────┘ └── the line that the server wrote ──
//! ```
//!
//! Which wrappers a log has is decided once, on a sample of its lines ([`Wrappers::detect`]), from the outside in. Most
//! logs have none, and then nothing is looked for. A line that lacks a wrapper of its log is left as it is. Container
//! runtimes split long lines: a [`Joiner`] puts the parts together again, and [`Wrappers::joint`] tells the reader where
//! a block may end without cutting such a record in two.

mod container;
mod quotes;
mod syslog;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;

/// Docker splits lines after so many bytes, escapes not counted.
const PART_LENGTH: usize = 16 << 10;

/// Wrappers within each other that are looked for.
pub const DEPTH_MAX: usize = 4;

/// One kind of wrapper; each has several shapes, and one log may have them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// `TIME stdout|stderr P|F line`, as container runtimes keep it.
    Cri,
    /// `{"log":"line\n","stream":"stdout","time":"TIME"}`, as Docker keeps it.
    Docker,
    /// A header of syslog: RFC 3164, RFC 5424, or a time, a host and a tag.
    Syslog,
    /// `web-1  | line`, `[pod/web/nginx] line`, with colours or without.
    Container,
    /// A time to the nanosecond before a line that has its own, as `docker logs --timestamps` writes it.
    Stamp,
    /// The whole line in quotes, those within it doubled or not.
    Quotes,
}

impl Wrapper {
    /// In the order in which ties are decided.
    pub const ALL: [Self; 6] =
        [Self::Cri, Self::Docker, Self::Syslog, Self::Container, Self::Stamp, Self::Quotes];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cri => "CRI",
            Self::Docker => "docker json-file",
            Self::Syslog => "syslog",
            Self::Container => "container prefix",
            Self::Stamp => "timestamp",
            Self::Quotes => "quotes",
        }
    }

    fn find(self, text: &[u8]) -> Option<Found> {
        match self {
            Self::Cri => container::cri(text),
            Self::Docker => container::docker(text),
            Self::Syslog => syslog::header(text).map(|start| Found::from(start, text)),
            Self::Container => container::prefix(text),
            Self::Stamp => container::stamp(text).map(|start| Found::from(start, text)),
            Self::Quotes => quotes::whole(text),
        }
    }
}

/// A wrapper that was found: `text[start..end]` is what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    start: usize,
    end: usize,
    escape: Escape,
    channel: Option<Channel>,
    part: Part,
}

impl Found {
    fn from(start: usize, text: &[u8]) -> Self {
        Self { start, end: text.len(), escape: Escape::None, channel: None, part: Part::Last }
    }
}

/// How a wrapper writes what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    Json,
    DoubledQuotes,
}

/// The output of a container that a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Where a line stands in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The record ends with this line; unless earlier lines began it, it is whole.
    Last,
    /// The record goes on in a later line of the same channel.
    Begun,
}

/// A line without its wrappers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner<'a> {
    /// What the server wrote.
    pub line: &'a [u8],
    /// Where that begins in the outer line; none if it had to be put together or unescaped.
    pub offset: Option<usize>,
    /// The output it was written to, if the wrapper tells.
    pub channel: Option<Channel>,
    /// Whether the record goes on.
    pub part: Part,
}

/// The wrappers of one log, the outermost first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wrappers {
    layers: Vec<Wrapper>,
    /// Index of the layer whose lines may be parts of a record.
    joining: Option<usize>,
}

impl fmt::Display for Wrappers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.layers.iter().map(|layer| layer.name()).collect();
        formatter.write_str(&names.join(" > "))
    }
}

impl Wrappers {
    /// The wrappers that more than half of the lines share; none for plain logs. Blank lines have no say.
    pub fn detect(sample: &[&[u8]]) -> Self {
        let bare = sample.iter().map(|line| Cow::Borrowed(bare(line)));
        let mut lines: Vec<Cow<'_, [u8]>> = bare.filter(|line| !line.trim_ascii().is_empty()).collect();
        let mut wrappers = Self::default();
        while wrappers.layers.len() < DEPTH_MAX {
            let counted = Wrapper::ALL
                .map(|layer| (layer, lines.iter().filter(|line| layer.find(line).is_some()).count()));
            // `max_by_key` keeps the last of equals; the first is wanted.
            let Some((layer, found)) = counted.into_iter().rev().max_by_key(|&(_, found)| found) else {
                break;
            };
            if found * 2 <= lines.len() {
                break;
            }
            if wrappers.can_join(layer, &lines) {
                wrappers.joining = Some(wrappers.layers.len());
            }
            wrappers.layers.push(layer);
            for line in &mut lines {
                if let Some(found) = layer.find(line) {
                    *line = Cow::Owned(unwrapped(line, found));
                }
            }
        }
        wrappers
    }

    /// True if lines are to be read as they stand.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The outermost first.
    pub fn layers(&self) -> &[Wrapper] {
        &self.layers
    }

    /// True if a record may lie on several lines, for which blocks must be cut at a [`Wrappers::joint`].
    pub fn joins(&self) -> bool {
        self.joining.is_some()
    }

    /// The length of the longest beginning of some whole lines after which no record is unfinished, if none is before.
    pub fn joint(&self, lines: &[u8]) -> usize {
        let Some(joining) = self.joining else { return lines.len() };
        let mut unfinished = [false; CHANNELS];
        let (mut start, mut joint) = (0, 0);
        while let Some(newline) = memchr(b'\n', &lines[start..]) {
            let line = &lines[start..start + newline];
            if let Some(found) = self.joinable(joining, line.strip_suffix(b"\r").unwrap_or(line)) {
                unfinished[slot(found.channel)] = found.part == Part::Begun;
            }
            start += newline + 1;
            if unfinished == [false; CHANNELS] {
                joint = start;
            }
        }
        joint
    }

    /// The machine that a syslog header around a line names: the one that wrote the line, if the collector kept it.
    pub fn host<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let syslog = self.layers.iter().position(|layer| *layer == Wrapper::Syslog)?;
        let mut text = bare(line);
        for layer in &self.layers[..syslog] {
            if let Some(found) = layer.find(text) {
                text = &text[found.start..found.end];
            }
        }
        syslog::host(text)
    }

    /// Takes all wrappers off one line; parts of records stay apart. What is escaped is unescaped into `buffer`.
    pub fn peel<'a>(&self, line: &'a [u8], buffer: &'a mut Vec<u8>) -> Inner<'a> {
        let mut peeling = Peeling::new(line);
        let mut part = Part::Last;
        for (index, &layer) in self.layers.iter().enumerate() {
            let found = peeling.take_off(layer, line, buffer);
            if let Some(found) = found.filter(|_| self.joining == Some(index)) {
                part = found.part;
            }
        }
        Inner { part, ..peeling.inner(line, buffer) }
    }

    /// Docker's lines end with a newline of their own, but programs that write the like may leave it out everywhere:
    /// then nothing tells parts apart, and each line stands for itself. Docker's own parts are long.
    fn can_join(&self, layer: Wrapper, lines: &[Cow<'_, [u8]>]) -> bool {
        let found = || lines.iter().filter_map(|line| layer.find(line));
        let ended = || found().filter(|found| found.part == Part::Last).count();
        let is_short = |found: &Found| found.part == Part::Begun && found.end - found.start < PART_LENGTH;
        let short = || found().filter(is_short).count();
        let plain = self.joining.is_none() && !self.layers.contains(&Wrapper::Quotes);
        match layer {
            Wrapper::Cri => plain,
            Wrapper::Docker => plain && ended() > short(),
            _ => false,
        }
    }

    /// The joining wrapper of a line. No layer before it escapes anything.
    fn joinable(&self, joining: usize, line: &[u8]) -> Option<Found> {
        let mut text = bare(line);
        for layer in &self.layers[..joining] {
            if let Some(found) = layer.find(text) {
                text = &text[found.start..found.end];
            }
        }
        self.layers[joining].find(text)
    }
}

/// A line without what never belongs to one: NULs and byte order marks before it, carriage returns after it.
#[inline]
pub fn bare(line: &[u8]) -> &[u8] {
    match (line.first(), line.last()) {
        (Some(0 | 0xef), _) | (_, Some(b'\r')) => strip(line),
        _ => line,
    }
}

/// What is written among the lines of a log by those who keep it: headers, marks of `tail`, notes of syslog.
pub fn is_comment(line: &[u8]) -> bool {
    line.starts_with(b"#")
        || line.starts_with(b"==> ") && line.ends_with(b" <==")
        || line.trim_ascii() == b"--"
        || memchr::memmem::find(line, b"last message repeated ").is_some() && line.ends_with(b" times")
}

#[cold]
fn strip(line: &[u8]) -> &[u8] {
    let mut rest = line;
    while let Some(after) = rest.strip_prefix(b"\0").or_else(|| rest.strip_prefix(b"\xef\xbb\xbf")) {
        rest = after;
    }
    while let Some(before) = rest.strip_suffix(b"\r") {
        rest = before;
    }
    rest
}

const CHANNELS: usize = 2;

fn slot(channel: Option<Channel>) -> usize {
    usize::from(channel == Some(Channel::Stderr))
}

/// Puts the records of one block together from their parts. Its memory is bounded by the block's size.
#[derive(Debug, Default)]
pub struct Joiner {
    /// What each channel has of an unfinished record.
    begun: [Option<Vec<u8>>; CHANNELS],
    joined: Vec<u8>,
    buffer: Vec<u8>,
}

impl Joiner {
    /// Takes all wrappers off one line. None: the line is a part of a record that a later line ends.
    pub fn join<'a>(&'a mut self, wrappers: &Wrappers, line: &'a [u8]) -> Option<Inner<'a>> {
        let Self { begun, joined, buffer } = self;
        let Some(joining) = wrappers.joining else { return Some(wrappers.peel(line, buffer)) };
        let (outer, inner) = wrappers.layers.split_at(joining + 1);
        let mut peeling = Peeling::new(line);
        let found = outer.iter().fold(None, |_, &layer| peeling.take_off(layer, line, buffer));
        let channel = found.and_then(|found| found.channel);
        let unfinished = &mut begun[slot(channel)];
        let Some(found) = found.filter(|found| found.part == Part::Begun || unfinished.is_some()) else {
            peeling.take_off_all(inner, line, buffer);
            return Some(peeling.inner(line, buffer));
        };
        let mut text = unfinished.take().unwrap_or_default();
        text.extend_from_slice(peeling.text(line, buffer));
        if found.part == Part::Begun {
            *unfinished = Some(text);
            return None;
        }
        *joined = text;
        let mut peeling = Peeling { channel, ..Peeling::new(joined) };
        peeling.take_off_all(inner, joined, buffer);
        Some(Inner { offset: None, ..peeling.inner(joined, buffer) })
    }

    /// Forgets the records that no line has ended, and tells how many they were. To be asked after each block.
    pub fn unfinished(&mut self) -> u64 {
        self.begun.iter_mut().map(|begun| u64::from(begun.take().is_some())).sum()
    }
}

/// A line in the course of being peeled: `line[start..end]`, or `buffer[start..end]` once something was unescaped.
#[derive(Clone, Copy)]
struct Peeling {
    start: usize,
    end: usize,
    is_owned: bool,
    /// As the outermost wrapper has it that tells.
    channel: Option<Channel>,
}

impl Peeling {
    fn new(line: &[u8]) -> Self {
        let mut new = Self { start: 0, end: line.len(), is_owned: false, channel: None };
        new.narrow(line);
        new
    }

    /// Leaves out what never belongs to a line.
    fn narrow(&mut self, text: &[u8]) {
        let rest = bare(text);
        let returns = text.iter().rev().take_while(|&&byte| byte == b'\r').count();
        self.start += text.len() - returns - rest.len();
        self.end = self.start + rest.len();
    }

    fn text<'a>(&self, line: &'a [u8], buffer: &'a [u8]) -> &'a [u8] {
        let whole = if self.is_owned { buffer } else { line };
        &whole[self.start..self.end]
    }

    fn take_off_all(&mut self, layers: &[Wrapper], line: &[u8], buffer: &mut Vec<u8>) {
        for &layer in layers {
            self.take_off(layer, line, buffer);
        }
    }

    /// What was taken off, if the line had it.
    fn take_off(&mut self, layer: Wrapper, line: &[u8], buffer: &mut Vec<u8>) -> Option<Found> {
        let found = layer.find(self.text(line, buffer))?;
        self.end = self.start + found.end;
        self.start += found.start;
        self.channel = self.channel.or(found.channel);
        if found.escape != Escape::None {
            if self.is_owned {
                buffer.truncate(self.end);
                buffer.drain(..self.start);
            } else {
                buffer.clear();
                buffer.extend_from_slice(&line[self.start..self.end]);
            }
            unescape(found.escape, buffer);
            (self.start, self.end, self.is_owned) = (0, buffer.len(), true);
        }
        Some(found)
    }

    fn inner<'a>(mut self, line: &'a [u8], buffer: &'a [u8]) -> Inner<'a> {
        self.narrow(self.text(line, buffer));
        Inner {
            line: self.text(line, buffer),
            offset: (!self.is_owned).then_some(self.start),
            channel: self.channel,
            part: Part::Last,
        }
    }
}

fn unwrapped(line: &[u8], found: Found) -> Vec<u8> {
    let mut text = line[found.start..found.end].to_vec();
    unescape(found.escape, &mut text);
    bare(&text).to_vec()
}

/// Unescapes in place: no escape is shorter than what it stands for.
fn unescape(escape: Escape, text: &mut Vec<u8>) {
    match escape {
        Escape::None => {}
        Escape::Json => container::unescape(text),
        Escape::DoubledQuotes => quotes::unescape(text),
    }
}
