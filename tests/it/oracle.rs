//! Logs that real servers wrote, each read with its own directive, against the variables those servers logged.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use bandwho::report::escape;
use serde_json::Value;

use crate::conformance::reading::{bytes_of, request_parts};
use crate::{bandwho, corpora};

/// A directive and the log it wrote.
pub(crate) struct Directive {
    pub(crate) log: String,
    pub(crate) text: String,
}

/// nginx's `log_format` directives, which may span lines, and its predefined `combined`.
pub(crate) fn nginx_directives(folder: &Path) -> Vec<Directive> {
    let text = fs::read_to_string(folder.join("formats.conf")).unwrap();
    let starts: Vec<usize> = text.match_indices("log_format").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let mut directives: Vec<Directive> = starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| {
            let directive = text[start..end].trim().to_owned();
            let name = directive.split_whitespace().nth(1).unwrap();
            Directive { log: format!("{name}.log"), text: directive }
        })
        .collect();
    directives.push(Directive { log: "combined.log".to_owned(), text: "combined".to_owned() });
    directives
}

pub(crate) fn apache_directives(folder: &Path) -> Vec<Directive> {
    let text = fs::read_to_string(folder.join("httpd.conf")).unwrap();
    let directives = text.lines().filter(|line| line.starts_with("LogFormat"));
    directives
        .map(|line| Directive {
            log: format!("{}.log", line.rsplit(' ').next().unwrap()),
            text: line.to_owned(),
        })
        .collect()
}

/// What the server says of each request: the variables of line N, null where it logged none.
pub(crate) fn expected(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("expected.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["value"].clone()).collect()
}

/// Records of a log by line number.
fn records(folder: &Path, case: &Directive) -> HashMap<u64, Value> {
    let log = folder.join(&case.log);
    // The servers' own idea of the client is compared: nobody is trusted to pass on another.
    let options = ["lines", "--ndjson", "--trusted-proxies", "", "--format", &case.text];
    let run = bandwho(&[&options[..], &[log.to_str().unwrap()]].concat());
    assert_eq!(run.code, 0, "{}: {}", case.log, run.err);
    let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    run.out.lines().map(parse).map(|record| (record["line"].as_u64().unwrap(), record)).collect()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn integer(value: &Value) -> Option<i64> {
    text(value).filter(|text| *text != "-").map(|text| text.parse().unwrap())
}

/// Addresses are shown in RFC 5952 form, IPv4-mapped ones as IPv4; all else as it stands.
fn canonical(value: &Value) -> Value {
    let address = text(value).and_then(|text| text.parse::<std::net::IpAddr>().ok());
    address.map_or(value.clone(), |address| address.to_canonical().to_string().into())
}

/// `0.123` in microseconds.
fn micros(value: &Value) -> Option<i64> {
    text(value).map(|text| {
        let (seconds, millis) = text.split_once('.').unwrap();
        seconds.parse::<i64>().unwrap() * 1_000_000 + millis.parse::<i64>().unwrap() * 1_000
    })
}

/// Fails with file, line and field if a value that the format logs differs.
fn check(case: &Directive, line: u64, field: &str, found: &Value, expected: &Value) {
    assert_eq!(found, expected, "{}:{line}: {field}", case.log);
}

/// Bytes that the oracle keeps one to a character, as reports show them.
fn shown(bytes: Option<&[u8]>) -> Value {
    bytes.map(escape::json).into()
}

/// Method and target of a request line as reports show them.
fn request(line: &Value) -> [Value; 2] {
    let bytes = text(line).map(bytes_of).unwrap_or_default();
    let [method, target, _] = request_parts(&bytes);
    [shown(method), shown(target)]
}

#[test]
fn nginx_logs_are_what_nginx_says() {
    let Some(folder) = corpora().map(|root| root.join("oracle-nginx-1.22.1")) else {
        return println!("skipped: no corpora");
    };
    let expected = expected(&folder);
    let cases = nginx_directives(&folder);
    assert_eq!(cases.len(), 13);
    for case in &cases {
        let records = records(&folder, case);
        // One request holds a raw line feed, which escape=none writes as it is: two lines, both rejected.
        let torn = usize::from(case.log == "combined_none.log");
        assert_eq!(records.len(), expected.len() - torn, "{}", case.log);
        let has = |name: &str| {
            let whole = |at: usize| {
                let after = case.text[at + name.len()..].bytes().next().unwrap_or(b' ');
                !after.is_ascii_alphanumeric() && after != b'_'
            };
            case.text == "combined"
                && ["$request", "$status", "$body_bytes_sent", "$remote_addr", "$time_local"].contains(&name)
                || case.text.match_indices(name).any(|(at, _)| whole(at))
        };
        let mut compared = 0;
        let mut shift = 0;
        for (line, value) in (1..).zip(&expected) {
            let raw_line_feed =
                torn == 1 && text(&value["remote_user"]).is_some_and(|user| user.contains('\n'));
            if raw_line_feed {
                assert!(!records.contains_key(&line) && !records.contains_key(&(line + 1)));
                shift = 1;
                continue;
            }
            let record = &records[&(line + shift)];
            compared += 1;
            let verify =
                |field: &str, found: &Value, expected: Value| check(case, line, field, found, &expected);
            if has("$status") {
                verify("status", &record["status"], integer(&value["status"]).into());
            }
            if has("$body_bytes_sent") {
                verify("body", &record["body_bytes"], integer(&value["body_bytes_sent"]).into());
            }
            if has("$bytes_sent") {
                verify("wire", &record["wire_bytes"], integer(&value["bytes_sent"]).into());
            }
            if has("$request_length") {
                verify("in", &record["bytes_in"], integer(&value["request_length"]).into());
            }
            let duration = if has("$request_time") { micros(&value["request_time"]) } else { None };
            verify("duration", &record["duration_us"], duration.into());
            verify("client", &record["client"], canonical(&value["remote_addr"]));
            if has("$request") {
                let [method, target] = request(&value["request"]);
                verify("method", &record["method"], method);
                verify("target", &record["target"], target);
            } else if has("$request_method") {
                let part = |name: &str| text(&value[name]).map(bytes_of);
                verify("method", &record["method"], shown(part("request_method").as_deref()));
                verify("target", &record["target"], shown(part("request_uri").as_deref()));
            }
            let end = if has("$msec") {
                let (seconds, millis) = text(&value["msec"]).unwrap().split_once('.').unwrap();
                seconds.parse::<i64>().unwrap() * 1_000_000 + millis.parse::<i64>().unwrap() * 1_000
            } else {
                let seconds = text(&value["time_iso8601"]).unwrap();
                instant(&format!("{}.000000Z", &seconds[..19]))
            };
            assert_eq!(instant(text(&record["end"]).unwrap()), end, "{}:{line}: end", case.log);
            assert_eq!(
                instant(text(&record["start"]).unwrap()),
                end - duration.unwrap_or(0),
                "{}:{line}: start",
                case.log
            );
        }
        assert_eq!(compared, expected.len() - torn);
        println!("{}: {compared} records equal", case.log);
    }
}

/// Microseconds of `2026-11-23T05:53:03.252000Z`; the oracle's days are all in November 2026.
fn instant(text: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    assert_eq!((&text[..8], &text[19..20], &text[26..]), ("2026-11-", ".", "Z"));
    let november = 1_793_491_200;
    let seconds = (number(8..10) - 1) * 86_400 + number(11..13) * 3600 + number(14..16) * 60 + number(17..19);
    (november + seconds) * 1_000_000 + number(20..26)
}

#[test]
fn apache_logs_are_what_apache_says() {
    let Some(folder) = corpora().map(|root| root.join("oracle-apache-2.4.71")) else {
        return println!("skipped: no corpora");
    };
    let expected = expected(&folder);
    let cases = apache_directives(&folder);
    assert_eq!(cases.len(), 7);
    for case in &cases {
        let records = records(&folder, case);
        assert_eq!(records.len(), expected.len(), "{}", case.log);
        let has = |name: &str| case.text.contains(name);
        for (line, value) in (1..).zip(&expected) {
            let record = &records[&line];
            let verify =
                |field: &str, found: &Value, expected: Value| check(case, line, field, found, &expected);
            verify("status", &record["status"], integer(&value["%>s"]).into());
            let body = if has("%B") { &value["%B"] } else { &value["%b"] };
            let body = if has("%B") || has("%b") { integer(body) } else { None };
            verify("body", &record["body_bytes"], body.into());
            let wire = if has("%O") { integer(&value["%O"]) } else { None };
            verify("wire", &record["wire_bytes"], wire.into());
            let duration = if has("%D") { integer(&value["%D"]) } else { None };
            verify("duration", &record["duration_us"], duration.into());
            let client = if has("%a") { &value["%a"] } else { &value["%h"] };
            verify("client", &record["client"], canonical(client));
            let [method, target] = request(&value["%r"]);
            // Without a request that can be split, the format's own %m and %U speak, if it has them.
            if !method.is_null() {
                verify("method", &record["method"], method);
                verify("target", &record["target"], target);
            }
            let exact = integer(&value["%{usec}t"]).unwrap();
            let start = if has("%{usec}t") { exact } else { exact - exact % 1_000_000 };
            assert_eq!(instant(text(&record["start"]).unwrap()), start, "{}:{line}: start", case.log);
            assert_eq!(
                instant(text(&record["end"]).unwrap()),
                start + duration.unwrap_or(0),
                "{}:{line}: end",
                case.log
            );
        }
        println!("{}: {} records equal", case.log, expected.len());
    }
}
