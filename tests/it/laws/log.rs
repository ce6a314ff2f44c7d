//! Generated logs: every line with what must become of it.

use bandwho::format::{Field, Format, Layout, Part, presets};
use bandwho::query::Basis;
use bandwho::time::{Civil, Timestamp, Zone};
use proptest::prelude::*;

/// 2026-11-20T06:00:00Z, the start of a slot in every zone of these tests.
pub(super) const ORIGIN: i64 = 1_795_154_400;

/// Longer than any line but those that are made to be too long.
pub(super) const LINE_MAX: usize = 400;

/// Every line fits.
pub(super) const LINE_UNLIMITED: usize = 1 << 16;

/// As testdata/sample.log: the serving machine is known by its address.
const WITH_SERVER: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
    \"$http_referer\" \"$http_user_agent\" $request_time $upstream_response_time $server_addr";

const PRESETS: [&str; 5] = ["combined", "combined_rt", "combined_d", "combinedio", "vhost_combined"];

/// The most that a line may claim.
const BYTES_MAX: u64 = 1 << 46;

/// What the wire carries beside the body.
const HEADER_BYTES: u64 = 200;

const FORMATS: usize = PRESETS.len() + 1;

const CLIENTS: [&str; 8] = [
    "192.0.2.1",
    "192.0.2.200",
    "198.51.100.9",
    "203.0.113.70",
    "2001:db8:1::5",
    "2001:DB8:1:0::5",
    "unix:",
    "-",
];
const HOSTS: [&str; 4] = ["a.example.com", "b.example.com", "other.example.org", "-"];
const SERVERS: [&str; 4] = ["10.1.0.13", "10.2.0.14", "10.9.0.1", "-"];
const STATUSES: [&str; 6] = ["200", "206", "304", "404", "503", "-"];
const TARGETS: [&[u8]; 8] = [
    b"/",
    b"/video/1042/seg_0001.ts?a=1,2",
    b"/a|b",
    b"=1+1",
    b"/caf\xc3\xa9",
    b"/\xff\xfe",
    b"/`x`,\\x22;\\x1b[31m",
    b"-",
];

/// A log before it is written down.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) format: usize,
    pub(super) entries: Vec<Entry>,
    /// Whether the last line has its newline.
    pub(super) closed: bool,
    /// Seconds that the requests spread over.
    span: i64,
}

#[derive(Debug, Clone)]
pub(super) enum Entry {
    Request(Request),
    Fault(Fault, Request),
    Blank(&'static str),
    Comment(&'static str),
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    client: usize,
    host: usize,
    server: usize,
    status: usize,
    target: usize,
    bytes: Option<u64>,
    bytes_in: Option<u64>,
    second: Option<i64>,
    offset_hours: i32,
    micros: Option<u64>,
    carriage_return: bool,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    Nonsense,
    Begun,
    Tail,
    Time,
    Status,
    Bytes,
    BytesRange,
    TooLong,
}

/// What must become of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is a record of so many bytes.
    Accepted { body: u64, wire: u64 },
    /// It is none; the first line of a file may be taken for the end of a cut one, the last for the beginning.
    Rejected,
    /// It is not meant to be a record.
    Skipped,
}

/// A log.
pub(super) struct Log {
    pub(super) bytes: Vec<u8>,
    /// Where each line ends, newline included.
    pub(super) ends: Vec<usize>,
    pub(super) fates: Vec<Fate>,
}

impl Log {
    /// A line with its newline.
    pub(super) fn line(&self, number: usize) -> &[u8] {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start..self.ends[number]]
    }

    /// A line without its line end.
    pub(super) fn text(&self, number: usize) -> &[u8] {
        let line = self.line(number);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    pub(super) fn is_record(&self, number: usize) -> bool {
        matches!(self.fates[number], Fate::Accepted { .. })
    }
}

impl Fate {
    /// The bytes that count.
    pub(super) fn bytes(self, basis: Basis) -> i128 {
        match (self, basis) {
            (Self::Accepted { body, .. }, Basis::Body) => body.into(),
            (Self::Accepted { wire, .. }, Basis::Wire) => wire.into(),
            (_, Basis::None) | (Self::Rejected | Self::Skipped, _) => 0,
        }
    }
}

/// All formats, in the order of [`Plan::format`].
pub(super) fn layouts() -> Vec<Layout> {
    let custom = || Format::parse(WITH_SERVER).unwrap();
    let formats = PRESETS.iter().map(|name| presets::named(name).unwrap()).chain([custom()]);
    formats.map(|format| Layout::compile(&format).unwrap()).collect()
}

pub(super) fn plans() -> impl Strategy<Value = Plan> {
    let entry = prop_oneof![
        24 => requests().prop_map(Entry::Request),
        2 => (faults(), requests()).prop_map(|(fault, request)| Entry::Fault(fault, request)),
        1 => prop::sample::select(&["", " ", "\t \r", "\r"][..]).prop_map(Entry::Blank),
        1 => prop::sample::select(&["#", "#Fields: date time", "# 200 12\r"][..]).prop_map(Entry::Comment),
    ];
    let span = prop::sample::select(&[200, 1_000, 7_200][..]);
    (0..FORMATS, prop::collection::vec(entry, 0..=60), prop::bool::weighted(0.8), span)
        .prop_map(|(format, entries, closed, span)| Plan { format, entries, closed, span })
}

fn requests() -> impl Strategy<Value = Request> {
    let who = (0..CLIENTS.len(), 0..HOSTS.len(), 0..SERVERS.len(), 0..STATUSES.len(), 0..TARGETS.len());
    let bytes =
        || prop_oneof![8 => (0..2_000_000_u64).prop_map(Some), 1 => Just(None), 1 => Just(Some(BYTES_MAX))];
    let micros = prop_oneof![
        4 => (0..2_000_000_u64).prop_map(Some),
        4 => (0..3_000_000_000_u64).prop_map(Some),
        1 => Just(None),
        // More than 31 days.
        1 => Just(Some(2_700_000_000_000)),
    ];
    let when = (prop::option::weighted(0.95, 0..7_200_i64), prop::sample::select(&[0, 8, -5][..]));
    (who, bytes(), bytes(), when, micros, prop::bool::weighted(0.2)).prop_map(
        |((client, host, server, status, target), bytes, bytes_in, (second, offset_hours), micros, cr)| {
            Request {
                client,
                host,
                server,
                status,
                target,
                bytes,
                bytes_in,
                second,
                offset_hours,
                micros,
                carriage_return: cr,
            }
        },
    )
}

fn faults() -> impl Strategy<Value = Fault> {
    use Fault::{Begun, Bytes, BytesRange, Nonsense, Status, Tail, Time, TooLong};
    prop::sample::select(&[Nonsense, Begun, Tail, Time, Status, Bytes, BytesRange, TooLong][..])
}

impl Plan {
    /// Writes the log down; lines longer than `line_max` are too long.
    pub(super) fn write(&self, layout: &Layout, line_max: usize) -> Log {
        let mut log = Log { bytes: Vec::new(), ends: Vec::new(), fates: Vec::new() };
        for entry in &self.entries {
            let fate = match entry {
                Entry::Request(request) => {
                    request.write(layout, self.span, None, &mut log.bytes);
                    request.fate()
                }
                Entry::Fault(fault, request) => {
                    request.write(layout, self.span, Some(*fault), &mut log.bytes);
                    match fault {
                        Fault::TooLong if line_max > LINE_MAX => request.fate(),
                        _ => Fate::Rejected,
                    }
                }
                Entry::Blank(text) | Entry::Comment(text) => {
                    log.bytes.extend_from_slice(text.as_bytes());
                    Fate::Skipped
                }
            };
            log.bytes.push(b'\n');
            log.ends.push(log.bytes.len());
            log.fates.push(fate);
        }
        // A last line that is empty would not be there without its newline.
        if !self.closed && !log.bytes.ends_with(b"\n\n") && log.bytes.len() > 1 {
            log.bytes.pop();
            *log.ends.last_mut().unwrap() -= 1;
        }
        log
    }
}

impl Request {
    fn fate(&self) -> Fate {
        Fate::Accepted { body: self.bytes.unwrap_or(0), wire: self.wire().unwrap_or(0) }
    }

    fn wire(&self) -> Option<u64> {
        self.bytes.map(|bytes| (bytes + HEADER_BYTES).min(BYTES_MAX))
    }

    fn write(&self, layout: &Layout, span: i64, fault: Option<Fault>, out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(&layout.first);
        for step in &layout.steps {
            self.write_value(&step.field, span, fault, out);
            out.extend_from_slice(&step.literal);
        }
        match fault {
            Some(Fault::Nonsense) => out.truncate(from),
            Some(Fault::Begun) => out.truncate(from + 12),
            Some(Fault::Tail) => drop(out.drain(from..from + (out.len() - from) / 2)),
            _ => {}
        }
        if let Some(Fault::Nonsense) = fault {
            out.extend_from_slice(b"nonsense \0\x01\xff\xfe \" [ \" ] \x1b");
        }
        if self.carriage_return {
            out.push(b'\r');
        }
    }

    fn write_value(&self, field: &Field, span: i64, fault: Option<Fault>, out: &mut Vec<u8>) {
        let bytes = |bytes: Option<u64>| match fault {
            Some(Fault::Bytes) => "12k".to_owned(),
            Some(Fault::BytesRange) => (BYTES_MAX + 1).to_string(),
            _ => bytes.map_or("-".to_owned(), |bytes| bytes.to_string()),
        };
        let text = match field.part {
            Part::Time => self.time(span, fault, field.text.starts_with('%')),
            Part::Client | Part::Peer => CLIENTS[self.client].to_owned(),
            Part::Host => HOSTS[self.host].to_owned(),
            Part::ServerAddr => SERVERS[self.server].to_owned(),
            Part::Status if matches!(fault, Some(Fault::Status)) => "2x0".to_owned(),
            Part::Status => STATUSES[self.status].to_owned(),
            Part::Body => bytes(self.bytes),
            Part::Wire => bytes(self.wire()),
            Part::In => bytes(self.bytes_in),
            Part::Duration => self.duration(field.text.starts_with('%')),
            Part::Upstream => "0.010, 0.200".to_owned(),
            Part::Agent if matches!(fault, Some(Fault::TooLong)) => "x".repeat(LINE_MAX),
            Part::Agent => "test/1".to_owned(),
            Part::Request => {
                let whole = TARGETS[self.target] != b"-";
                let (before, after) = if whole { ("GET ", " HTTP/1.1") } else { ("", "") };
                return out.extend([before.as_bytes(), TARGETS[self.target], after.as_bytes()].concat());
            }
            _ if field.text == "%p" => "443".to_owned(),
            _ => "-".to_owned(),
        };
        out.extend_from_slice(text.as_bytes());
    }

    fn time(&self, span: i64, fault: Option<Fault>, brackets: bool) -> String {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let Some(second) = self.second.or(fault.and(Some(0))) else { return "-".to_owned() };
        let offset = self.offset_hours * 3_600;
        let time = Timestamp::from_seconds(ORIGIN + second % span);
        let Civil { year, month, day, hour, minute, second, .. } = Zone::fixed(offset).civil(time);
        let day = if matches!(fault, Some(Fault::Time)) { 31 } else { day };
        let month = MONTHS[usize::from(month) - 1];
        let sign = if offset < 0 { '-' } else { '+' };
        let hours = self.offset_hours.unsigned_abs();
        let text = format!("{day:02}/{month}/{year}:{hour:02}:{minute:02}:{second:02} {sign}{hours:02}00");
        if brackets { format!("[{text}]") } else { text }
    }

    fn duration(&self, micros: bool) -> String {
        match self.micros {
            None => "-".to_owned(),
            Some(time) if micros => time.to_string(),
            Some(time) => format!("{}.{:03}", time / 1_000_000, time / 1_000 % 1_000),
        }
    }
}
