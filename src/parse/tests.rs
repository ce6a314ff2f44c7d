//! Laws of parsing: the fast matcher is its naive twin, a rendered line reads back, what is asked changes no verdict.

mod express;
mod neighbours;
mod paths;

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::format::presets::PRESETS;
use crate::format::{Field, Format, Item, Piece, Shape, Unit, apache, nginx};

/// Longer lines are left out of the comparison: the twin tries every place.
const NAIVE_LENGTH_MAX: usize = 1024;

/// On a line that is longer and has more separators than this the fast matcher may give up; the twin never does.
const SURE_LENGTH: usize = 1024;
const SURE_SEPARATORS: usize = 256;

/// Variables of every kind, some of them twice: the best of two feeds a part.
const VARIABLES: &[&str] = &[
    "remote_addr",
    "realip_remote_addr",
    "remote_user",
    "time_local",
    "time_iso8601",
    "msec",
    "request",
    "request_method",
    "request_uri",
    "uri",
    "args",
    "server_protocol",
    "status",
    "body_bytes_sent",
    "bytes_sent",
    "request_length",
    "request_time",
    "upstream_response_time",
    "upstream_addr",
    "host",
    "http_host",
    "server_addr",
    "hostname",
    "http_referer",
    "http_user_agent",
    "http_x_forwarded_for",
    "upstream_cache_status",
    "scheme",
    "my_own",
];

const DIRECTIVES: &[&str] = &[
    "%h",
    "%a",
    "%{c}a",
    "%l",
    "%u",
    "%t",
    "%{usec}t",
    "%{msec}t",
    "%{sec}t",
    "%{end:usec}t",
    "%{%Y-%m-%dT%H:%M:%S%z}t",
    "%{%d/%b/%Y %T}t",
    "%{msec_frac}t",
    "%r",
    "%m",
    "%U",
    "%q",
    "%H",
    "%s",
    "%>s",
    "%b",
    "%B",
    "%I",
    "%O",
    "%D",
    "%T",
    "%{ms}T",
    "%v",
    "%V",
    "%{Host}i",
    "%A",
    "%p",
    "%{Referer}i",
    "%{User-Agent}i",
    "%{X-Forwarded-For}i",
];

/// What stands between two values; those before `LITERALS_CLEAN` occur in no plain value.
const LITERALS: &[&str] = &[
    " ", "|", "\t", "\" \"", "] [", ";;", "\",\"", "\"", // up to here clean
    " - ", " [", "] \"", "\" ", " \"", "  ", ",", ":", "-", "", "", " x=", "]",
];
const LITERALS_CLEAN: usize = 8;

const FIRST: &[&str] = &["", "\"", "[", "{\"a\":\"", " "];

/// Directives with columns of their own, as people write them.
const WRITTEN: &[&str] = &[
    r#"log_format u '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent rt=$request_time uct="$upstream_connect_time" urt="$upstream_response_time"';"#,
    r#"log_format l "time:$time_iso8601\thost:$remote_addr\treq:$request\tstatus:$status\tsize:$body_bytes_sent\tua:$http_user_agent\tapptime:$upstream_response_time";"#,
    r#"log_format j escape=json '{"t":"$time_iso8601","ip":"$remote_addr","uri":"$request_uri","s":$status,"b":"$bytes_sent","rt":"$request_time","ua":"$http_user_agent"}';"#,
    r#"log_format n escape=none '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';"#,
    r"log_format p '$time_local|$remote_addr|$host|$request_time|$body_bytes_sent|-|$http_user_agent|$scheme://$host$uri|$request_method|$status';",
    r#"LogFormat "%h\t%u\t%t\t%{%Y-%m-%dT%H:%M:%S%z}t\t%{usec}t\t%r\t%>s\t%b\t%O\t%D\t%{Referer}i" o"#,
    r#"LogFormat "{\"@t\":\"%{%Y-%m-%dT%H:%M:%S%z}t\",\"ref\":\"%{Referer}i\",\"ip\":\"%a\",\"r\":\"%r\",\"s\":\"%>s\",\"b\":%B,\"d\":%D}" j"#,
];

/// What makes up one value, whatever its kind.
#[derive(Clone)]
struct Seed {
    /// Which sort of value: null, empty, junk or a likely one.
    class: u8,
    number: u64,
    junk: String,
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{:?}", self.class, self.number, self.junk)
    }
}

#[derive(Debug, Clone)]
enum Mutation {
    Delete(usize),
    Insert(usize, u8),
    Duplicate(usize, usize),
    DoubleBlanks,
    Truncate(usize),
    Append(&'static str),
}

fn layout(format: &Format) -> Layout {
    Layout::compile(format).expect("a format with fields compiles")
}

fn presets() -> Vec<Format> {
    PRESETS.iter().map(crate::format::presets::Preset::format).collect()
}

fn ready_made() -> Vec<Format> {
    let written = WRITTEN.iter().map(|text| Format::parse(text).expect(text));
    presets().into_iter().chain(written).collect()
}

fn generated(literals: usize) -> impl Strategy<Value = Format> {
    let fields = prop::collection::vec((0_usize..1000, 0..literals), 1..8);
    (0_u8..4, 0..FIRST.len(), fields, any::<bool>()).prop_map(|(server, first, fields, open)| {
        let names = if server == 0 { DIRECTIVES } else { VARIABLES };
        let mut text = FIRST[first].to_owned();
        let last = fields.len() - 1;
        for (at, (field, literal)) in fields.into_iter().enumerate() {
            let name = names[field % names.len()];
            text.push_str(&if server == 0 { name.to_owned() } else { ["${", name, "}"].concat() });
            if at < last || open {
                text.push_str(LITERALS[literal]);
            }
        }
        let format = match server {
            0 => apache::format("generated", &text),
            1 => nginx::format("generated", Escape::Json, &text),
            2 => nginx::format("generated", Escape::None, &text),
            _ => nginx::format("generated", Escape::Nginx, &text),
        };
        format.expect("made of known words")
    })
}

fn formats() -> impl Strategy<Value = Format> {
    prop_oneof![3 => generated(LITERALS.len()), 1 => prop::sample::select(ready_made())]
}

fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    let seed = (0_u8..24, any::<u64>(), "[ \\-\"\\\\\\[\\]|\t:,a1x]{0,8}");
    prop::collection::vec(seed.prop_map(|(class, number, junk)| Seed { class, number, junk }), 24)
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let at = || 0_usize..400;
    let one = prop_oneof![
        at().prop_map(Mutation::Delete),
        (at(), prop::sample::select(&b" \"\\[]-|\t:,x0\xff\0"[..]))
            .prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        (at(), 1_usize..12).prop_map(|(at, length)| Mutation::Duplicate(at, length)),
        Just(Mutation::DoubleBlanks),
        at().prop_map(Mutation::Truncate),
        prop::sample::select(&[" ", "\"", " 1.5", " \"x y\"", "\t-", " - ", "x"][..])
            .prop_map(Mutation::Append),
    ];
    prop::collection::vec(one, 0..4)
}

/// The time of a seed in microseconds, whole seconds unless the shape shows more.
fn instant(seed: &Seed, shape: &Shape) -> i64 {
    let micros = 1_790_000_000_000_000 + i64::try_from(seed.number % 10_000_000_000_000).expect("small");
    let unit = match shape {
        Shape::Epoch(Unit::Micros) => 1,
        Shape::Epoch(Unit::Millis) => 1_000,
        _ => 1_000_000,
    };
    micros - micros % unit
}

/// An offset of whole quarters of an hour.
fn offset(seed: &Seed) -> i32 {
    (i32::try_from(seed.number % 97).expect("small") - 48) * 900
}

fn written_time(shape: &Shape, seed: &Seed) -> String {
    let zone = |seconds| jiff::tz::TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).expect("a day"));
    let time = jiff::Timestamp::from_microsecond(instant(seed, shape)).expect("this century");
    let local = time.to_zoned(zone(offset(seed)));
    match shape {
        Shape::Clf => local.strftime("%d/%b/%Y:%H:%M:%S %z").to_string(),
        Shape::Bracketed => local.strftime("[%d/%b/%Y:%H:%M:%S %z]").to_string(),
        Shape::Iso | Shape::Any => local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        Shape::Epoch(Unit::Seconds) => format!("{}.{:03}", time.as_second(), seed.number % 1000),
        Shape::Epoch(Unit::Millis) => time.as_millisecond().to_string(),
        Shape::Epoch(_) => time.as_microsecond().to_string(),
        Shape::Fraction(Unit::Millis) => format!("{:03}", seed.number % 1000),
        Shape::Fraction(_) => format!("{:06}", seed.number % 1_000_000),
        Shape::Strftime(pieces) if pieces.contains(&Piece::Offset) => {
            local.strftime("%Y-%m-%dT%H:%M:%S%z").to_string()
        }
        Shape::Strftime(_) => local.strftime("%d/%b/%Y %H:%M:%S").to_string(),
    }
}

/// A value that says what its seed says and holds nothing that could end it early.
fn plain_value(field: &Field, seed: &Seed) -> String {
    match &field.kind {
        Kind::Time(shape, _) => written_time(shape, seed),
        Kind::Status => format!("{:03}", seed.number % 1000),
        Kind::Bytes => (seed.number % (value::BYTES_MAX + 1)).to_string(),
        Kind::Duration(Unit::Seconds) => format!("{}.{:06}", seed.number % 3000, seed.number % 999_983),
        Kind::Duration(_) => (seed.number % 4_000_000_000).to_string(),
        Kind::Word => format!("w{}", seed.number % 1000),
        Kind::Digits => (seed.number % 65_536).to_string(),
        Kind::List | Kind::Text => format!("/t{}", seed.number % 1000),
    }
}

/// Any value a log could hold, and some that none should.
fn value_of(field: &Field, escape: Escape, seed: &Seed) -> String {
    const WORDS: [&str; 6] = ["10.0.0.1", "2001:db8::1", "example.com", "10.0.0.1, 10.0.0.2", "unix:", "a,"];
    const TEXTS: [&str; 10] = [
        "GET /a?b=c HTTP/1.1",
        "GET /sp ace/in uri HTTP/1.1",
        "POST /x",
        "Mozilla/5.0 (X11; \\\"y\\\") [z] - \\\\",
        "\\x22\\x5C",
        "0.100, 0.200 : 0.300",
        "-, 0.2",
        "a\" 200 5 \"b",
        "x [y] \"",
        "frank",
    ];
    let pick =
        |texts: &[&str]| texts[usize::try_from(seed.number % texts.len() as u64).expect("small")].to_owned();
    match (seed.class, &field.kind) {
        (0..=2, _) => String::from_utf8(escape.null().to_vec()).expect("ASCII"),
        (3, _) => String::new(),
        (4..=5, _) => seed.junk.clone(),
        (6, Kind::Bytes | Kind::Duration(_)) => seed.number.to_string(),
        (7, Kind::Bytes | Kind::Duration(_) | Kind::Status) => format!("{}x", seed.number % 1000),
        (6, Kind::Time(..)) => "31/Feb/2026:00:00:00 +0000".to_owned(),
        (6..=12, Kind::Word) => pick(&WORDS),
        (6..=20, Kind::Text | Kind::List) => pick(&TEXTS),
        (21, Kind::Bytes | Kind::Duration(_)) => pick(&["-1", "+15", "+", "-0.001"]),
        (21, Kind::Status) => pick(&["-1", "0"]),
        _ => plain_value(field, seed),
    }
}

fn render(format: &Format, seeds: &[Seed], value: impl Fn(&Field, &Seed) -> String) -> Vec<u8> {
    let mut seeds = seeds.iter().cycle();
    let mut line = Vec::new();
    for item in &format.items {
        match item {
            Item::Literal(bytes) => line.extend_from_slice(bytes),
            Item::Field(field) => line.extend(value(field, seeds.next().expect("endless")).bytes()),
        }
    }
    line
}

fn mutate(mut line: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let within = |at: usize, line: &[u8]| at % (line.len() + 1);
        match *mutation {
            Mutation::Delete(at) if !line.is_empty() => drop(line.remove(at % line.len())),
            Mutation::Delete(_) => {}
            Mutation::Insert(at, byte) => line.insert(within(at, &line), byte),
            Mutation::Duplicate(at, length) => {
                let at = within(at, &line);
                let part = line[at..line.len().min(at + length)].to_vec();
                line.splice(at..at, part);
            }
            Mutation::DoubleBlanks => {
                line = String::from_utf8_lossy(&line).replace(' ', "  ").into_bytes();
            }
            Mutation::Truncate(at) => line.truncate(within(at, &line)),
            Mutation::Append(text) => line.extend_from_slice(text.as_bytes()),
        }
    }
    line
}

/// Compares both parsers on one line; `Some` describes how they differ.
fn difference(layout: &Layout, parser: &mut Parser, line: &[u8]) -> Option<String> {
    let mut record = Record::default();
    let fast = parser.parse(line, &mut record);
    let naive = naive::parse(layout, line);
    // The twin does not put times together from pieces.
    let in_pieces = layout.times().count() > 1;
    let same = match (&fast, &naive) {
        (Ok(()), Ok(expected)) => {
            let mut found = record.clone();
            if in_pieces {
                (found.time, found.offset, found.start, found.end) = (None, None, None, None);
                found.zoneless = false;
            }
            found == *expected
        }
        (Err(fast), Err(Some(naive))) => fast == naive,
        (Err(fast), Err(None)) => {
            matches!(
                fast.reason,
                Reason::Format | Reason::Time | Reason::Status | Reason::Bytes | Reason::Duration
            ) && fast.column <= line.len()
        }
        (Err(fast), Ok(_)) => in_pieces && fast.reason == Reason::Time,
        (Ok(()), Err(_)) => false,
    };
    (!same).then(|| {
        let fast = fast.map(|()| record);
        format!("{:?}\n{}\nfast {fast:?}\nnaive {naive:?}", layout.format.text, line.escape_ascii())
    })
}

fn agree(format: &Format, line: &[u8]) -> Result<(), TestCaseError> {
    let layout = layout(format);
    let mut parser = Parser::new(&layout, Wanted::ALL, &[]);
    // Twice: the second time the memo answers.
    for _ in 0..2 {
        if let Some(difference) = difference(&layout, &mut parser, line) {
            return Err(TestCaseError::fail(difference));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_fast_matcher_is_its_naive_twin(format in formats(), seeds in seeds(), mutations in mutations()) {
        let line = render(&format, &seeds, |field, seed| value_of(field, format.escape, seed));
        agree(&format, &line)?;
        agree(&format, &mutate(line, &mutations))?;
    }

    #[test]
    fn the_twins_agree_on_the_line_of_another_format(
        writer in formats(),
        reader in formats(),
        seeds in seeds(),
    ) {
        agree(&reader, &render(&writer, &seeds, |field, seed| value_of(field, writer.escape, seed)))?;
    }

    #[test]
    fn arbitrary_bytes_are_read_or_rejected(
        format in formats(),
        line in prop::collection::vec(
            prop_oneof![3 => prop::sample::select(&b" \"\\[]-|\t:,;x05"[..]), 1 => any::<u8>()],
            0..120,
        ),
    ) {
        agree(&format, &line)?;
        Parser::new(&layout(&format), Wanted::ALL, &[]).is_tail(&line);
    }

    #[test]
    fn what_was_written_reads_back(format in generated(LITERALS_CLEAN), seeds in seeds()) {
        let line = render(&format, &seeds, plain_value);
        let layout = layout(&format);
        let mut record = Record::default();
        let fractions = format.fields().any(|field| matches!(field.kind, Kind::Time(Shape::Fraction(_), _)));
        let without_offset = |pieces: &Vec<Piece>| !pieces.contains(&Piece::Offset);
        let partial = format.fields().any(|field| {
            matches!(&field.kind, Kind::Time(Shape::Strftime(pieces), _) if without_offset(pieces))
        });
        prop_assume!(!fractions && !partial && layout.times().count() <= 1);
        let result = Parser::new(&layout, Wanted::ALL, &[]).parse(&line, &mut record);
        prop_assert_eq!(result, Ok(()), "{:?} {}", format.text, line.escape_ascii());
        let of = |part| layout.source(part).map(|step| (&layout.steps[step].field, &seeds[step]));
        let bytes = |part| of(part).map(|(_, seed)| seed.number % (value::BYTES_MAX + 1));
        prop_assert_eq!(record.status, of(Part::Status).map(|(_, seed)| (seed.number % 1000) as u16));
        prop_assert_eq!((record.body, record.wire), (bytes(Part::Body), bytes(Part::Wire)));
        prop_assert_eq!(record.bytes_in, bytes(Part::In));
        let duration = of(Part::Duration).map(|(field, seed)| match field.kind {
            Kind::Duration(Unit::Seconds) => seed.number % 3000 * 1_000_000 + seed.number % 999_983,
            Kind::Duration(Unit::Millis) => seed.number % 4_000_000_000 * 1000,
            _ => seed.number % 4_000_000_000,
        });
        prop_assert_eq!(record.duration_us, duration);
        let time = layout.times().next().map(|step| match &layout.steps[step].field.kind {
            Kind::Time(shape @ Shape::Epoch(Unit::Seconds), _) => {
                let fraction = i64::try_from(seeds[step].number % 1000).expect("small");
                (instant(&seeds[step], shape) + fraction * 1000, None)
            }
            Kind::Time(shape @ Shape::Epoch(_), _) => (instant(&seeds[step], shape), None),
            Kind::Time(shape, _) => (instant(&seeds[step], shape), Some(offset(&seeds[step]))),
            _ => unreachable!("a time"),
        });
        prop_assert_eq!(record.time.map(|time| (time.0, record.offset)), time);
        prop_assert!(!record.extra);
    }

    #[test]
    fn what_is_asked_changes_no_verdict(
        format in formats(),
        seeds in seeds(),
        mutations in mutations(),
        parts in any::<u32>(),
    ) {
        let layout = layout(&format);
        let line = render(&format, &seeds, |field, seed| value_of(field, format.escape, seed));
        let line = mutate(line, &mutations);
        let (mut all, mut some) = (Record::default(), Record::default());
        let expected = Parser::new(&layout, Wanted::ALL, &[]).parse(&line, &mut all);
        let wanted = Wanted(parts);
        prop_assert_eq!(Parser::new(&layout, wanted, &[]).parse(&line, &mut some), expected);
        if expected.is_ok() {
            prop_assert_eq!(some, projected(all, wanted));
        }
    }
}

/// The record without what is not wanted.
fn projected(record: Record<'_>, wanted: Wanted) -> Record<'_> {
    let request = wanted.has(Part::Request);
    let upstream = wanted.has(Part::Upstream);
    Record {
        client: record.client.filter(|_| wanted.has(Part::Client)),
        peer: record.peer.filter(|_| wanted.has(Part::Peer)),
        forwarded: record.forwarded.filter(|_| wanted.has(Part::Forwarded)),
        user: record.user.filter(|_| wanted.has(Part::User)),
        host: record.host.filter(|_| wanted.has(Part::Host)),
        server_addr: record.server_addr.filter(|_| wanted.has(Part::ServerAddr)),
        hostname: record.hostname.filter(|_| wanted.has(Part::Hostname)),
        referer: record.referer.filter(|_| wanted.has(Part::Referer)),
        agent: record.agent.filter(|_| wanted.has(Part::Agent)),
        cache: record.cache.filter(|_| wanted.has(Part::Cache)),
        // The request's parts also need their own, where the line has them apart.
        method: record.method.filter(|_| request),
        target: record.target.filter(|_| request),
        protocol: record.protocol.filter(|_| request),
        path: record.path.filter(|_| request),
        query: record.query.filter(|_| request),
        upstream_us: record.upstream_us.filter(|_| upstream),
        upstream_tries: record.upstream_tries.filter(|_| upstream),
        ..record
    }
}

/// Found by the twins: a later start of the time turns it into a null, which ends earlier.
#[test]
fn an_adjacent_null_time_is_found_behind_a_text() {
    let format = Format::parse("${remote_addr} ${msec}${time_local} - ${request_uri} ${remote_addr}|$pipe");
    let line = b"- 1790000000.000- - - -|-";
    agree(&format.clone().expect("valid"), line).expect("the twins agree");
    let mut record = Record::default();
    let read = Parser::new(&layout(&format.expect("valid")), Wanted::ALL, &[]).parse(line, &mut record);
    assert_eq!((read, record.time), (Ok(()), Some(Timestamp(1_790_000_000_000_000))));
}

/// Nothing is asserted about time, but quadratic work on these lines would take minutes.
#[test]
fn hostile_lines_are_bounded_work() {
    const HEAD: &str = "10.0.0.1 - ";
    let formats = [&WRITTEN[0], &WRITTEN[3], &WRITTEN[5], &"combined", &"common"];
    for unit in [" [", "\"", "\\", "] \"", " ", "\\\"", "\" 200 5 \""] {
        let body = unit.repeat(200_000 / unit.len());
        let lines = [
            body.clone(),
            format!("{HEAD}{body}"),
            format!("{HEAD}- [23/Nov/2026:05:53:11 +0000] \"{body}"),
            format!("{HEAD}- [23/Nov/2026:05:53:11 +0000] \"GET /\" 200 5 \"{body}\" \"-\" x y"),
        ];
        for format in formats.map(|text| Format::parse(text).expect(text)) {
            let mut parser = Parser::new(&layout(&format), Wanted::ALL, &[]);
            for line in &lines {
                if let Err(reject) = parser.parse(line.as_bytes(), &mut Record::default()) {
                    assert!(reject.column <= line.len(), "{} {unit}", format.text);
                }
                parser.is_tail(line.as_bytes());
            }
        }
    }
}

/// The bytes that are looked at again to judge a line by `formats`, of which the first `judges` say why they do not
/// read it.
fn looked_at(formats: &[&str], judges: usize, line: &[u8]) -> (Result<usize, Reject>, usize) {
    let layouts: Vec<Layout> = formats.iter().map(|text| layout(&Format::parse(text).expect(text))).collect();
    let mut reader = Reader::new(&layouts, Wanted::ALL, &[]).judged_by(judges);
    matcher::work::take();
    let read = reader.read(line, &mut Record::default());
    (read, matcher::work::take())
}

#[test]
fn a_line_of_another_program_is_rejected_at_once() {
    let all = ["combined", "vhost_combined", "host_combined", "common"];
    let line = "2026-11-23 05:53:11,123 INFO  [http-nio-8080-exec-1] c.e.shop.OrderService - order 1234 : item a , \
                b : c placed by user 42 in 12 ms for a total of 12 EUR - ok - done - next";
    for judges in 1..=4 {
        let (read, looked_at) = looked_at(&all, judges, line.as_bytes());
        assert!(read.is_err());
        assert!(looked_at < 64 * line.len(), "{looked_at} bytes with {judges} judges");
    }
    let (read, looked_at) = looked_at(&["common"], 1, line.as_bytes());
    assert_eq!(read, Err(Reject { reason: Reason::Format, column: line.len() - 4 }));
    assert!(looked_at < 64 * line.len(), "{looked_at} bytes");
}

#[test]
fn a_megabyte_of_separators_is_not_searched_for_each_of_them() {
    let all = ["combined", "vhost_combined", "host_combined", "common"];
    for unit in [" : ", "- ", "a b c ", "<190>Nov 23 05:53:03 vm nginx: ", "192.0.2.1 - [ ", "a:8 - [ \" "] {
        let line = unit.repeat((1 << 20) / unit.len());
        let (read, looked_at) = looked_at(&all, 4, line.as_bytes());
        assert!(read.is_err(), "{unit}");
        // Tests are 4 MiB more patient, and each rule of each format has its own patience.
        assert!(looked_at < all.len() * 4 * (6 << 20), "{unit}: {looked_at} bytes");
    }
}

#[test]
fn two_records_on_one_line_are_no_record_with_further_columns() {
    let one = r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "x""#;
    let check = |format: &str, line: &str, expected: Option<usize>| {
        let mut parser = Parser::new(&layout(&Format::parse(format).expect(format)), Wanted::ALL, &[]);
        let mut record = Record::default();
        let read = parser.parse(line.as_bytes(), &mut record);
        let expected = expected.map_or(Ok(()), |column| Err(Reject { reason: Reason::Format, column }));
        assert_eq!(read, expected, "{format} {line:?}");
        assert_eq!(parser.reads(line.as_bytes(), &mut record), expected.is_ok());
    };
    check("combined", &format!("{one}\r{one}"), Some(one.len()));
    check("combined", &format!("{one} {one}"), Some(one.len()));
    check("combined", &format!("{one} 0.1\t{one}\rx"), Some(one.len()));
    check("common", &format!("{one} {one}"), Some(one.len() - r#" "-" "x""#.len()));
    check("combined", &format!("{one}\r"), None);
    check("combined", &format!("{one} \r"), None);
    check("combined", &format!("{one} \"192.0.2.7\" 0.123 [x] - \"\""), None);
    check(
        "$remote_addr $msec $status",
        "192.0.2.1 1790000000.000 200 192.0.2.1 1790000000.000 200",
        Some(28),
    );
    check("$remote_addr $msec $status", "192.0.2.1 1790000000.000 200 a 17 200", None);
    check("$remote_addr $status", "192.0.2.1 200 192.0.2.1 200", None);
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was compared, or why nothing was, is worth a line")]
fn the_twins_agree_on_every_corpus_line() {
    let root = std::env::var_os("BANDWHO_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"), PathBuf::from);
    if !root.is_dir() {
        println!("skipped: there are no corpora at {}", root.display());
        return;
    }
    let mut formats = presets();
    for (file, word) in
        [("oracle-nginx-1.22.1/formats.conf", "log_format"), ("oracle-apache-2.4.71/httpd.conf", "LogFormat")]
    {
        formats.extend(directives(&root.join(file), word));
    }
    let mut parsers: Vec<(Layout, Parser)> = formats
        .iter()
        .map(|format| {
            let layout = layout(format);
            let parser = Parser::new(&layout, Wanted::ALL, &[]);
            (layout, parser)
        })
        .collect();
    let (mut lines, mut given_up, mut comparisons) = (0_u64, 0_u64, 0_u64);
    for file in files(&root) {
        let text = std::fs::read(&file).expect("a readable file");
        if text.iter().take(8000).any(|&byte| byte == 0) {
            continue;
        }
        for line in text.split(|&byte| byte == b'\n').filter(|line| line.len() <= NAIVE_LENGTH_MAX) {
            lines += 1;
            for (layout, parser) in &mut parsers {
                comparisons += 1;
                if let Some(difference) = difference(layout, parser, line) {
                    assert!(may_give_up(line), "{}: {difference}", file.display());
                    given_up += 1;
                }
            }
        }
    }
    assert!(lines > 0, "no corpus line was read");
    println!("{lines} lines, {comparisons} comparisons, {given_up} given up, {} formats", parsers.len());
}

fn may_give_up(line: &[u8]) -> bool {
    let separators = line.iter().filter(|&byte| b" \t\"|".contains(byte)).count();
    line.len() > SURE_LENGTH && separators > SURE_SEPARATORS
}

/// The directives of a configuration file that begin with `word`; a line that begins with a blank continues one.
fn directives(file: &Path, word: &str) -> Vec<Format> {
    let Ok(text) = std::fs::read_to_string(file) else { return Vec::new() };
    let mut directives: Vec<String> = Vec::new();
    for line in text.lines() {
        match directives.last_mut() {
            _ if line.starts_with(word) => directives.push(line.to_owned()),
            Some(last) if line.starts_with(' ') && word == "log_format" => last.push_str(line),
            _ => {}
        }
    }
    directives.iter().map(|text| Format::parse(text).expect(text)).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a readable folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
