//! Every command, dimension and format: that rows, others and total agree, and that no byte of a log acts on what shows it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Scratch, bandwho, bandwho_with};

const FORMAT: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_cache_status $host $server_addr $request_length"#;

const SERVERS: &str = "cidr,idc,carrier,price\n10.1.0.0/24,bj,BGP,20\n10.2.0.0/24,gz,Chinanet,15\n";

/// What every answer with bytes can be asked by.
const PLAIN: [&str; 28] = [
    "idc",
    "server",
    "region",
    "country",
    "province",
    "city",
    "carrier",
    "asn",
    "org",
    "netkind",
    "client",
    "net",
    "host",
    "template",
    "path",
    "prefix",
    "ext",
    "method",
    "status",
    "class",
    "referer",
    "refhost",
    "agent",
    "family",
    "bot",
    "claim",
    "cache",
    "$upstream_cache_status",
];
const TIMES: [&str; 4] = ["slot", "day", "hour", "weekday"];

/// Shapes that programs read.
const SHAPES: [&str; 3] = ["--json", "--ndjson", "--csv"];

/// Requests of a day, from networks of several kinds; one line has nothing but a time and an address.
fn log() -> String {
    let clients =
        ["8.8.8.8", "1.2.4.8", "114.114.114.114", "2001:4860:4860::8888", "192.0.2.7", "66.249.66.1", "-"];
    let agents = [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "curl/8.5.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        "-",
    ];
    let line = |at: usize| {
        let pick = |from: &[&'static str], step: usize| from[at * step % from.len()];
        let (hour, minute) = (at * 7 % 24, at * 11 % 60);
        let request = format!(
            "{} /v{}/{}.{} HTTP/1.1",
            pick(&["GET", "POST"], 3),
            at % 5,
            at % 9,
            pick(&["ts", "m4s", "html"], 1)
        );
        format!(
            "{} - - [23/Nov/2026:{hour:02}:{minute:02}:11 +0000] \"{request}\" {} {} \"{}\" \"{}\" {}.250 {} {} {} {}\n",
            pick(&clients, 1),
            pick(&["200", "206", "304", "404", "502"], 2),
            at * 7_919 % 100_003,
            pick(&["-", "https://www.example.com/a", "https://other.example/b?c=d", "not a url"], 1),
            pick(&agents, 1),
            at % 12,
            pick(&["HIT", "MISS", "-"], 1),
            pick(&["www.example.com", "cdn.example.com"], 1),
            pick(&["10.1.0.9", "10.2.0.9", "10.9.0.9"], 1),
            at * 31 % 1_000,
        )
    };
    (0..97).map(line).collect()
}

/// Sums of one table by the names of its numbers.
type Sums = BTreeMap<String, u64>;

/// The numbers that can be added up.
const SUMMED: [&str; 10] = [
    "requests",
    "bytes",
    "bytes_in",
    "errors_4xx",
    "errors_5xx",
    "timed",
    "before_bytes",
    "after_bytes",
    "before_requests",
    "after_requests",
];

#[derive(Default)]
struct Table {
    rows: Sums,
    total: Sums,
}

impl Table {
    fn add(&mut self, kind: &str, name: &str, number: u64) {
        if SUMMED.contains(&name) {
            let sums = if kind == "total" { &mut self.total } else { &mut self.rows };
            *sums.entry(name.to_owned()).or_default() += number;
        }
    }
}

/// The tables of an answer, whatever it is written in.
fn tables(shape: &str, text: &str) -> Vec<Table> {
    match shape {
        "--csv" => csv_tables(text),
        "--ndjson" => {
            let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
            let mut tables: BTreeMap<String, Table> = BTreeMap::new();
            for line in lines.filter(|line| line["kind"] != "input") {
                let table = tables.entry(line["view"].to_string()).or_default();
                let kind = line["kind"].as_str().unwrap_or_default();
                for (name, number) in line.as_object().expect("an object") {
                    table.add(kind, name, number.as_u64().unwrap_or(0));
                }
            }
            tables.into_values().collect()
        }
        _ => {
            let mut tables = Vec::new();
            json_tables(&serde_json::from_str(text).expect("JSON"), &mut tables);
            tables
        }
    }
}

fn json_tables(value: &Value, tables: &mut Vec<Table>) {
    match value {
        Value::Object(members) => {
            if let (Some(Value::Array(rows)), Some(other), Some(total)) =
                (members.get("rows"), members.get("other"), members.get("total"))
            {
                let mut table = Table::default();
                for (kind, row) in
                    rows.iter().map(|row| ("row", row)).chain([("other", other), ("total", total)])
                {
                    for (name, number) in row.as_object().into_iter().flatten() {
                        table.add(kind, name, number.as_u64().unwrap_or(0));
                    }
                }
                tables.push(table);
            }
            members.values().for_each(|member| json_tables(member, tables));
        }
        Value::Array(items) => items.iter().for_each(|item| json_tables(item, tables)),
        _ => {}
    }
}

/// Blocks between empty lines, each with a header; the kind is in the column `row`.
fn csv_tables(text: &str) -> Vec<Table> {
    let mut tables = Vec::new();
    for block in text.split("\n\n") {
        let mut reader = csv::Reader::from_reader(block.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let Some(kind) = header.iter().position(|name| name == "row") else { continue };
        let mut table = Table::default();
        for record in reader.records() {
            let record = record.expect("as many cells as the header has");
            for (name, cell) in header.iter().zip(&record) {
                table.add(&record[kind], name, cell.parse().unwrap_or(0));
            }
        }
        tables.push(table);
    }
    tables
}

/// Checks every table of one answer; returns how many there were.
fn check(log: &str, servers: &str, question: &[&str], shape: &str, sums: Option<(u64, u64)>) -> usize {
    let args = [question, &["--format", FORMAT, "--servers", servers, shape, log]].concat();
    let run = bandwho(&args);
    assert_eq!(run.code, 0, "{question:?} {shape}: {}", run.err);
    let tables = tables(shape, &run.out);
    for table in &tables {
        assert!(!table.total.is_empty() || sums.is_none(), "{question:?} {shape}: nothing to compare");
        for (name, total) in &table.total {
            assert_eq!(table.rows.get(name).unwrap_or(&0), total, "{question:?} {shape}: {name}");
        }
        if let Some((requests, bytes)) = sums {
            let found = [table.total.get("requests"), table.total.get("bytes")];
            assert!(found[0].is_none_or(|found| *found == requests), "{question:?} {shape}: {found:?}");
            assert!(found[1].is_none_or(|found| *found == bytes), "{question:?} {shape}: {found:?}");
        }
    }
    tables.len()
}

struct Matrix {
    _scratch: Scratch,
    log: String,
    servers: String,
    sums: (u64, u64),
}

impl Matrix {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let servers = scratch.file("servers.csv", SERVERS.as_bytes());
        let text = log();
        let bytes = |line: &str| -> u64 {
            line.split_once("HTTP/1.1\" ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap()
        };
        let sums = (text.lines().count() as u64, text.lines().map(bytes).sum());
        Self { log: scratch.file("access.log", text.as_bytes()), servers, sums, _scratch: scratch }
    }

    /// Each question in each shape; returns how many answers had a table.
    fn check<'a>(&self, questions: impl IntoIterator<Item = Vec<&'a str>>, shapes: &[&str]) -> usize {
        let mut answers = 0;
        for question in questions {
            for shape in shapes {
                answers +=
                    usize::from(check(&self.log, &self.servers, &question, shape, Some(self.sums)) > 0);
            }
        }
        answers
    }
}

/// Together the tests of this matrix compare more than 300 answers; each says of its part how many at least.
#[test]
fn rankings_of_every_dimension_add_up() {
    let matrix = Matrix::new("every-top");
    let dimensions = || PLAIN.into_iter().chain(TIMES);
    let rankings =
        dimensions().map(|by| vec!["top", "--by", by, "--top", "2", "--columns", "requests,bytes"]);
    assert!(matrix.check(rankings, &SHAPES) >= 93);
    let of_many = PLAIN.into_iter().map(|by| {
        vec![
            "top",
            "--by",
            by,
            "--columns",
            "requests,bytes,bytes_in,errors_4xx,errors_5xx,timed,clients,rt_p95",
        ]
    });
    assert!(matrix.check(of_many, &["--json"]) >= 27);
}

#[test]
fn rankings_of_pairs_add_up() {
    let matrix = Matrix::new("every-pairs");
    let pairs: Vec<String> = PLAIN.windows(2).map(|pair| pair.join(",")).collect();
    let timed: Vec<String> = PLAIN.iter().map(|by| format!("slot,{by}")).collect();
    let both = || pairs.iter().chain(&timed);
    let all = || both().map(|by| vec!["top", "--by", by, "--top", "3"]);
    assert!(matrix.check(all(), &SHAPES) >= 159);
    let compared = pairs.iter().map(|by| vec!["top", "--by", by, "--having", "requests > 3 and share < 50%"]);
    assert!(matrix.check(compared, &["--json"]) >= 26);
}

#[test]
fn every_other_command_adds_up() {
    let matrix = Matrix::new("every-command");
    let latencies = PLAIN.into_iter().map(|by| vec!["latency", "--by", by, "--top", "2"]);
    for question in latencies {
        assert!(check(&matrix.log, &matrix.servers, &question, "--json", None) > 0);
    }
    let rest = [
        vec![],
        vec!["bots"],
        vec!["bots", "--all"],
        vec!["dispatch"],
        vec!["diff", "--since", "2026-11-23 12:00", "--until", "2026-11-24", "--vs", "2026-11-23 00:00"],
        vec!["at", "2026-11-23 12:00", "--window", "1h", "--baseline", "3h"],
        vec!["hotlink", "--own", "example.com"],
    ];
    for question in rest {
        for shape in SHAPES {
            assert!(check(&matrix.log, &matrix.servers, &question, shape, None) > 0, "{question:?} {shape}");
        }
    }
}

/// Values that do something to whoever shows them: colours, C1, OSC 8, a right-to-left override, NUL, formulas, quotes,
/// ends of lines, markup, bytes that are no UTF-8.
const HOSTILE: [&[u8]; 12] = [
    b"\x1b[31mred\x1b[0m",
    b"\xc2\x9b31m",
    b"\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    b"\xe2\x80\xaeexe.ts",
    b"nul\x00nul",
    b"=cmd|' /C calc'!A0",
    b"@SUM(1+9)*cmd",
    b"+1-2",
    b"a|b|c`d`<b>&amp;[x](y)",
    b"\\x22\\x0aforged,line\\x0d",
    b"\xff\xfe\x80",
    b"\t\xe2\x80\xa8\xef\xbb\xbf'",
];

/// A log all of whose fields are hostile where they may be text. Servers put no blank within words.
fn hostile_log() -> Vec<u8> {
    let mut log = Vec::new();
    for (at, text) in HOSTILE.iter().enumerate() {
        let word: Vec<u8> =
            text.iter().map(|byte| if byte.is_ascii_whitespace() { b'_' } else { *byte }).collect();
        let quoted = |log: &mut Vec<u8>, parts: &[&[u8]]| {
            log.push(b'"');
            log.extend_from_slice(&parts.concat());
            log.extend_from_slice(b"\" ");
        };
        log.extend_from_slice(if at % 2 == 0 { b"8.8.8.8" } else { &word });
        log.extend_from_slice(format!(" - u [23/Nov/2026:05:{at:02}:11 +0000] ").as_bytes());
        quoted(&mut log, &[b"GET /", &word, b"/x.", &word, b" HTTP/1.1"]);
        log.extend_from_slice(b"200 1000 ");
        quoted(&mut log, &[b"https://", &word, b"/", text]);
        quoted(&mut log, &[text]);
        log.extend_from_slice(b"0.250 ");
        for _ in 0..3 {
            log.extend_from_slice(&word);
            log.push(b' ');
        }
        log.extend_from_slice(b"77\n");
    }
    log
}

fn is_harmless(letter: char) -> bool {
    let bidi = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}');
    !(bidi || breaks || letter.is_control() && letter != '\n')
}

/// A line without its code: what stands between as many backticks as begin it.
fn outside_code(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let ticks = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let inner = &rest[at + ticks..];
        let fence = "`".repeat(ticks);
        let ends = |&end: &usize| !inner[end + ticks..].starts_with('`') && !inner[..end].ends_with('`');
        let end = inner.match_indices(&fence).map(|(end, _)| end).find(ends);
        text.push_str(&rest[..at]);
        rest = end.map_or(inner, |end| &inner[end + ticks..]);
    }
    text + rest
}

fn check_harmless(question: &[&str], shape: &str, out: &str) {
    let wrong = |what: &str| format!("{question:?} {shape}: {what}\n{out}");
    match shape {
        "--csv" => {
            for block in out.split("\n\n") {
                for record in csv::ReaderBuilder::new()
                    .has_headers(false)
                    .flexible(false)
                    .from_reader(block.as_bytes())
                    .records()
                {
                    for cell in &record.expect("a block is one table") {
                        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r'])
                            && cell.parse::<f64>().is_err();
                        assert!(!formula && cell.chars().all(is_harmless), "{}", wrong(cell));
                    }
                }
            }
        }
        "--json" => assert!(serde_json::from_str::<Value>(out).is_ok(), "{}", wrong("no JSON")),
        "--ndjson" => {
            let is_json = |line: &str| serde_json::from_str::<Value>(line).is_ok();
            assert!(out.lines().all(is_json), "{}", wrong("no JSON"));
        }
        "--md" => {
            assert!(
                out.chars().all(is_harmless) && out.lines().all(|line| !outside_code(line).contains('<')),
                "{}",
                wrong("acts")
            );
            let mut bars = None;
            for line in out.lines() {
                let count = line.replace("\\\\", "").replace("\\|", "").matches('|').count();
                bars = line.starts_with('|').then(|| {
                    assert_eq!(bars.unwrap_or(count), count, "{}", wrong(line));
                    count
                });
            }
        }
        _ => assert!(out.chars().all(is_harmless), "{}", wrong("acts")),
    }
}

#[test]
fn hostile_bytes_act_on_nobody() {
    let scratch = Scratch::new("every-hostile");
    let log = scratch.file("access.log", &hostile_log());
    let servers = scratch.file("servers.csv", SERVERS.as_bytes());
    let one = |by: &'static str| vec!["top", "--by", by, "--top", "0"];
    let two = |by: &'static str| vec!["slots", "--by", by, "--slot", "1h"];
    let commands = [
        vec![],
        vec!["bots", "--all"],
        vec!["dispatch"],
        vec!["diff", "--since", "2026-11-23 05:06", "--vs", "2026-11-23 05:00"],
        vec!["at", "2026-11-23 05:05"],
        vec!["hotlink", "--own", "example.com"],
        vec!["latency", "--by", "path"],
        vec!["bill", "--drivers", "agent,path"],
        vec!["top", "--by", "agent", "--where", "agent != '\u{1b}[31m|`<b>'"],
        vec!["top", "--by", "agent", "--having", "requests > 0"],
    ];
    let questions = PLAIN.into_iter().map(one).chain(PLAIN.into_iter().map(two)).chain(commands);
    let mut answers = 0;
    for question in questions {
        for shape in ["", "--csv", "--json", "--ndjson", "--md"] {
            let shape_args: &[&str] = if shape.is_empty() { &[] } else { &[shape] };
            let args =
                [&question, &["--format", FORMAT, "--servers", &servers, &log][..], shape_args].concat();
            let run = bandwho_with(&args, b"");
            assert_eq!(run.code, 0, "{question:?} {shape}: {}", run.err);
            check_harmless(&question, shape, &run.out);
            assert!(run.err.chars().all(is_harmless), "{question:?} {shape}: {}", run.err);
            answers += 1;
        }
    }
    assert!(answers > 300, "{answers}");
}
