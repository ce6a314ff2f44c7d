//! A line as the library reads it, and how a value of a test suite is compared with it.

use bandwho::format::{Field, Format, Kind, Layout, Part, Unit};
use bandwho::parse::{Parser, Record, Wanted, plain};
use serde_json::Value;

/// Reads lines under one format, every field by its own name as well.
pub(super) struct Reader {
    parser: Parser,
}

/// A line that was read.
pub(super) struct Reading<'a> {
    pub(super) layout: Layout,
    pub(super) record: Record<'a>,
}

impl Reader {
    /// Compiles a format text as `--format` does.
    pub(super) fn new(format: &str) -> Result<Self, String> {
        let format = Format::parse(format).map_err(|error| format!("format refused: {error}"))?;
        let layout = Layout::compile(&format).map_err(|error| format!("format refused: {error}"))?;
        let names: Vec<String> = layout.steps.iter().map(|step| step.field.text.clone()).collect();
        Ok(Self { parser: Parser::new(&layout, Wanted::ALL, &names) })
    }

    pub(super) fn read<'a>(&mut self, line: &'a [u8]) -> Result<Reading<'a>, String> {
        let mut record = Record::default();
        self.parser.parse(line, &mut record).map_err(|reject| {
            format!("rejected: {} at column {}", reject.reason.name(), reject.column + 1)
        })?;
        Ok(Reading { layout: self.parser.layout().clone(), record })
    }
}

/// Reads one line under a format of its own.
pub(super) fn read<'a>(format: &str, line: &'a str) -> Result<Reading<'a>, String> {
    Reader::new(format)?.read(line.as_bytes())
}

impl Reading<'_> {
    /// True if the format has a field written so.
    pub(super) fn has(&self, name: &str) -> bool {
        self.layout.steps.iter().any(|step| step.field.text == name)
    }

    /// The value of the first field written so, decoded.
    pub(super) fn value(&self, name: &str) -> Option<Vec<u8>> {
        self.step(self.layout.steps.iter().position(|step| step.field.text == name)?)
    }

    fn step(&self, step: usize) -> Option<Vec<u8>> {
        self.decoded(self.record.others[step])
    }

    fn decoded(&self, raw: Option<&[u8]>) -> Option<Vec<u8>> {
        raw.map(|raw| plain(self.layout.format.escape, raw).into_owned())
    }

    /// Compares every field for which something is expected: by its own name, and in the place of the record that it
    /// feeds.
    pub(super) fn differences(&self, expected: impl Fn(&Field) -> Option<Value>) -> Vec<String> {
        let mut differences = Vec::new();
        for (index, step) in self.layout.steps.iter().enumerate() {
            let field = &step.field;
            let Some(value) = expected(field) else { continue };
            let found = self.step(index);
            if !same(found.as_deref(), &value) {
                differences.push(differ(&field.text, found.as_deref(), &value));
            }
            if self.layout.source(field.part) == Some(index)
                && let Some(difference) = self.part_difference(field, &value)
            {
                differences.push(difference);
            }
        }
        differences
    }

    fn part_difference(&self, field: &Field, expected: &Value) -> Option<String> {
        let record = &self.record;
        let number = |found: Option<u64>| {
            let expected = integer(expected);
            (found != expected).then(|| format!("{:?} is {found:?}, not {expected:?}", field.part))
        };
        match field.part {
            Part::Status => number(record.status.map(u64::from)),
            Part::Body => number(record.body),
            Part::Wire => number(record.wire),
            Part::In => number(record.bytes_in),
            Part::Duration => {
                let micros = text(expected).and_then(|text| micros(&text, &field.kind));
                (record.duration_us != micros)
                    .then(|| format!("duration {:?}, not {micros:?}", record.duration_us))
            }
            Part::Upstream => {
                let sum = text(expected).and_then(|text| upstream_sum(&text));
                (record.upstream_us != sum).then(|| format!("upstream {:?}, not {sum:?}", record.upstream_us))
            }
            Part::Request => self.request_difference(text(expected).as_deref()),
            part if !TEXTS.contains(&part) => None,
            part => {
                let found = self.decoded(own_text(record, part));
                (!same(found.as_deref(), expected))
                    .then(|| differ(&format!("{part:?}"), found.as_deref(), expected))
            }
        }
    }

    /// Method, target and protocol by an own reading of RFC 9112: words at blanks, `HTTP/` last.
    fn request_difference(&self, request: Option<&str>) -> Option<String> {
        let bytes = request.map(bytes_of).unwrap_or_default();
        let record = &self.record;
        let found = [record.method, record.target, record.protocol].map(|part| self.decoded(part));
        let names = ["method", "target", "protocol"];
        // What the request does not say, other fields of the format may tell.
        names.iter().zip(found).zip(request_parts(&bytes)).find_map(|((name, found), expected)| {
            let expected = expected?.to_vec();
            let differs = found.as_ref() != Some(&expected);
            differs.then(|| differ(name, found.as_deref(), &String::from_utf8_lossy(&expected).into()))
        })
    }
}

/// The parts that are one text of the line.
const TEXTS: [Part; 10] = [
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
];

/// The record's own copy of one of the [`TEXTS`].
fn own_text<'a>(record: &Record<'a>, part: Part) -> Option<&'a [u8]> {
    match part {
        Part::Client => record.client,
        Part::Peer => record.peer,
        Part::Forwarded => record.forwarded,
        Part::User => record.user,
        Part::Host => record.host,
        Part::ServerAddr => record.server_addr,
        Part::Hostname => record.hostname,
        Part::Referer => record.referer,
        Part::Agent => record.agent,
        Part::Cache => record.cache,
        _ => None,
    }
}

/// Method, target and protocol of a request line; nothing if it does not begin with a token and a blank.
pub(crate) fn request_parts(request: &[u8]) -> [Option<&[u8]>; 3] {
    let token = |word: &[u8]| {
        !word.is_empty()
            && word != b"-"
            && word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
    };
    let blanks: Vec<usize> = (0..request.len()).filter(|&at| request[at] == b' ').collect();
    let (Some(&first), Some(&last)) = (blanks.first(), blanks.last()) else { return [None; 3] };
    if !token(&request[..first]) {
        return [None; 3];
    }
    let protocol = &request[last + 1..];
    if protocol.starts_with(b"HTTP/") && last > first {
        [Some(&request[..first]), Some(&request[first + 1..last]), Some(protocol)]
    } else {
        [Some(&request[..first]), Some(&request[first + 1..]), None]
    }
}

/// The bytes of a text in which each character stands for one; in UTF-8 if it has others.
pub(crate) fn bytes_of(text: &str) -> Vec<u8> {
    let latin: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
    latin.unwrap_or_else(|| text.as_bytes().to_vec())
}

/// Suites decode bytes as Latin-1 or UTF-8, write null as null or `-`, and numbers as numbers or text. A header that
/// is sent as `-` looks like none in most formats, so the two are one here.
pub(super) fn same(found: Option<&[u8]>, expected: &Value) -> bool {
    match expected {
        Value::Null => found.is_none() || found == Some(b"-"),
        Value::Number(_) => found.is_some_and(|found| {
            let number = std::str::from_utf8(found).ok().and_then(|text| text.parse::<u64>().ok());
            number.is_some() && number == expected.as_u64()
        }),
        Value::String(text) if text == "-" => found.is_none() || found == Some(b"-"),
        Value::String(text) => {
            found == Some(text.as_bytes()) || found.is_some_and(|found| found == bytes_of(text))
        }
        _ => false,
    }
}

pub(super) fn differ(name: &str, found: Option<&[u8]>, expected: &Value) -> String {
    let found = found.map(|found| found.escape_ascii().to_string());
    format!("{name} is {found:?}, not {expected}")
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text == "-" => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<u64> {
    text(value).and_then(|text| text.parse().ok())
}

/// A decimal number of a unit in microseconds.
fn micros(text: &str, kind: &Kind) -> Option<u64> {
    let scale = match kind {
        Kind::Duration(Unit::Seconds) => 1_000_000,
        Kind::Duration(Unit::Millis) => 1_000,
        _ => 1,
    };
    decimal(text, scale)
}

/// `1.25` times a scale, exactly.
pub(super) fn decimal(text: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let ten = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: u64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    Some(whole.parse::<u64>().ok()? * scale + fraction * scale / ten)
}

/// The tries of a list together, in microseconds; tries without a time do not count.
fn upstream_sum(list: &str) -> Option<u64> {
    let tries = list.split([',', ':']).map(str::trim).filter(|item| !item.is_empty() && *item != "-");
    let times: Vec<u64> = tries.map(|item| decimal(item, 1_000_000)).collect::<Option<_>>()?;
    if times.is_empty() { None } else { Some(times.iter().sum()) }
}
