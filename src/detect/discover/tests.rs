use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::detect::detect;
use crate::format::Part;
use crate::parse::plain;

fn lines(text: &str) -> Vec<&[u8]> {
    text.lines().map(str::as_bytes).collect()
}

/// What the lines are taken for, `none` if for nothing.
fn found(text: &str) -> String {
    let shown = |layout: Layout| {
        let escape = if layout.format.escape == Escape::None { " unescaped" } else { "" };
        format!("{}{escape}: {}", layout.format.name, layout.format.text)
    };
    layout(&lines(text)).map_or("none".to_owned(), shown)
}

fn check(text: &str, expected: &str) {
    assert_eq!(found(text), expected, "{text}");
}

#[test]
fn columns_are_told_apart_whatever_separates_them() {
    check(
        "192.0.2.7\t23/Nov/2026:05:53:11 +0000\tGET /a HTTP/1.1\t200\t512\tMozilla/5.0 (X11)",
        "tsv: $remote_addr\t$time_local\t$request\t$status\t$body_bytes_sent\t$http_user_agent",
    );
    check(
        "192.0.2.7|2026-11-23T05:53:11+00:00|GET|/a?b|www.example.com:8080|404|153|0.004",
        "columns: $remote_addr|$time_iso8601|$request_method|$request_uri|$http_host|$status|$body_bytes_sent|$request_time",
    );
    check(
        "192.0.2.7 | 1795413191.318 | /a | 200 | HIT",
        "columns: $remote_addr | $msec | $request_uri | $status | $upstream_cache_status",
    );
    check(
        "time,client,status,size,referer\n2026-11-23T05:53:11Z,192.0.2.7,200,5,https://www.example.com/\n\
         2026-11-23T05:53:12Z,192.0.2.8,404,7,-",
        "csv: $time_iso8601,$remote_addr,$status,$body_bytes_sent,$http_referer",
    );
    check(
        "\"192.0.2.7\";\"GET /a;b HTTP/1.1\";\"200\";\"5\"",
        "csv: \"$remote_addr\";\"$request\";\"$status\";\"$body_bytes_sent\"",
    );
    check(
        "\"192.0.2.7\",\"GET /a HTTP/1.1\",\"200\",\"5\",\"a \"\"b\"\", c\"",
        "csv unescaped: \"$remote_addr\",\"$request\",\"$status\",\"$body_bytes_sent\",\"$column_5\"",
    );
    check(
        "192.0.2.7 [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 200 5\n\
         192.0.2.7 [23/Nov/2026:05:53:12 +0000] \"GET /a b HTTP/1.1\" 304 0",
        "columns: $remote_addr [$time_local] \"$request\" $status $body_bytes_sent",
    );
}

#[test]
fn quotes_escaped_by_backslashes_are_apaches() {
    check(
        r#"192.0.2.7 "GET / HTTP/1.1" 200 5 [23/Nov/2026:05:53:11 +0000] "a \"b\" c""#,
        r#"columns: %h "%r" %>s %B %t "%{column-6}i""#,
    );
}

#[test]
fn times_of_every_form_are_times() {
    let with = |time: &str| format!("192.0.2.7 {time} \"GET / HTTP/1.1\" 200 5");
    let check = |time: &str, expected: &str| {
        check(&with(time), &format!("columns: {expected}"));
    };
    let nginx = |field: &str| format!("$remote_addr {field} \"$request\" $status $body_bytes_sent");
    check("1795413191123", &nginx("$time_any"));
    check("20261123055312", &nginx("$time_any"));
    check("[2026-11-23 05:53:11.5 +0100]", &nginx("[$time_iso8601]"));
    check("23/Nov/2026:05:53:11", &nginx("$time_any"));
    check("2026-11-23 05:53:11", "%h %{end:%F %T}t \"%r\" %>s %B");
    // No notation has a fraction there.
    super::tests::check(&with("2026-11-23 05:53:11.123"), "none");
}

/// The numbers that two columns of a made-up log have in one line.
fn numbers(line: u64) -> (u64, u64) {
    (line * line * 37 % 9_001, 213 + line % 3)
}

fn log(rows: u64, line: impl Fn(u64) -> String) -> String {
    (0..rows).map(|nth| line(nth) + "\n").collect()
}

#[test]
fn bytes_are_told_by_what_is_evident() {
    let body_and_wire = |nth| {
        let (body, headers) = numbers(nth);
        let port = 40_000 + nth * 7_919 % 20_000;
        format!("{nth}|{port}|192.0.2.{nth}|200|{}|{}|{body}", body + headers, 120 + nth * 7 % 40)
    };
    check(
        &log(50, body_and_wire),
        "columns: $column_1|$column_2|$remote_addr|$status|$bytes_sent|$request_length|$body_bytes_sent",
    );
    let with_304 = |headers: u64| {
        move |nth: u64| {
            let body = if nth.is_multiple_of(10) { 0 } else { numbers(nth).0 };
            let status = if nth.is_multiple_of(10) { 304 } else { 200 };
            format!("192.0.2.7|{status}|{}|{}", 1_000_000 * (nth % 7), body + headers)
        }
    };
    check(&log(50, with_304(0)), "columns: $remote_addr|$status|$column_3|$body_bytes_sent");
    check(
        &log(50, with_304(0)).replace("304", "200"),
        "columns: $remote_addr|$status|$body_bytes_sent|$column_4",
    );
    let only = |nth: u64| {
        let (status, body) = if nth.is_multiple_of(10) { (304, 0) } else { (200, numbers(nth).0) };
        format!("192.0.2.7|{status}|{}", body + 180)
    };
    check(&log(50, only), "columns: $remote_addr|$status|$bytes_sent");
    // Last of all the column that varies most.
    check(
        &log(50, |nth| format!("192.0.2.7|{}|{}|200|x", 5 + nth % 3, numbers(nth).0)),
        "columns: $remote_addr|$column_2|$body_bytes_sent|$status|$column_5",
    );
}

#[test]
fn the_longest_time_is_the_requests() {
    check(
        &log(50, |nth| {
            let upstream = nth * 13 % 300;
            format!("192.0.2.7|200|0.{upstream:03}|5|0.{:03}|0.{:03}", upstream / 2, upstream + nth % 3)
        }),
        "columns: $remote_addr|$status|$column_3|$body_bytes_sent|$column_5|$request_time"
            .replace("$column_3", "$upstream_response_time")
            .as_str(),
    );
    check(
        "192.0.2.7|200|0.100|5|0.050, 0.049 : 0.001\n192.0.2.7|200|0.000|5|-",
        "columns: $remote_addr|$status|$request_time|$body_bytes_sent|$upstream_response_time",
    );
}

#[test]
fn one_stray_value_names_no_other_column() {
    let line = |nth: u64, taken: &str, server: &str| {
        let bytes = nth * 7_919 % 9_001;
        format!("192.0.2.{}|2026-11-23T05:53:11+00:00|GET|/a?b|200|{bytes}|{taken}|{server}", nth % 250)
    };
    let plain = log(200, |nth| line(nth, &format!("0.{:03}", nth % 900), "10.1.0.7"));
    let expected = "columns: $remote_addr|$time_iso8601|$request_method|$request_uri|$status|$body_bytes_sent\
                    |$request_time|$server_addr";
    check(&plain, expected);
    for (taken, server) in [("-", "10.1.0.7"), ("0.1, 0.2", "10.1.0.7"), ("0.001", "-"), ("0.001", "x")] {
        check(&format!("{plain}{}\n", line(7, taken, server)), expected);
    }
}

#[test]
fn lines_of_equally_many_columns_are_picked_out_of_others() {
    let mut text = log(30, |nth| format!("words of no meaning {nth} and {nth} more"));
    text += &log(20, |nth| format!("192.0.2.7|1795413191.{:03}|/a|200|HIT", nth % 900));
    check(&text, "columns: $remote_addr|$msec|$request_uri|$status|$upstream_cache_status");
}

#[test]
fn lines_that_ask_are_picked_out_of_others() {
    check(
        "automount[7999]: lookup(file): lookup for opt failed\n\
         192.0.2.7 - - \"GET /a.js HTTP/1.1\" 200 65508 4.386\n\
         192.0.2.9 - - \"GET /bad HTTP/1.1\" 404 65508 4.386",
        "columns: $remote_addr - $remote_user \"$request\" $status $body_bytes_sent $request_time",
    );
}

#[test]
fn what_is_no_access_log_is_left_alone() {
    for text in [
        "",
        "\n\n",
        "\t\t\t",
        "2026/11/23 05:53:11 [error] 7#7: *1 open() \"/a\" failed (2: No such file or directory), client: 192.0.2.7, \
         server: a, request: \"GET /a HTTP/1.1\", host: \"a\"\n2026/11/23 05:53:12 [error] 7#7: *2 open() \"/b\" failed \
         (2: No such file or directory), client: 192.0.2.8, server: a, request: \"GET /b HTTP/1.1\", host: \"a\"",
        "[Mon Nov 23 05:53:11.123456 2026] [core:error] [pid 7] [client 192.0.2.7:5] AH00126: Invalid URI",
        "Nov 23 05:53:11 host sshd[404]: Failed password for root from 192.0.2.7 port 50000 ssh2",
        "Accepted password for root from 192.0.2.7 port 404 ssh2",
        "fn main() {\n    let status = 200;\n    println!(\"{status}\");\n}",
        "It was a dark and stormy night; the rain fell in torrents,\nexcept at intervals, when it was checked.",
        "date,open,close,volume\n2026-11-23,101.5,102.25,1200300\n2026-11-24,102.5,99.00,3200300",
        "2026-11-23T05:53:11Z,sensor1,23.512,120\n2026-11-23T05:54:11Z,sensor2,23.512,200",
        "2026-11-23T05:53:11Z,192.0.2.7,5353\n2026-11-23T05:53:12Z,192.0.2.8,443",
        "2026-11-23T05:53:11Z,192.0.2.7,alice,login\n2026-11-23T05:53:12Z,192.0.2.8,bob,login",
        "{\"time\":\"2026-11-23T05:53:11Z\",\"client\":\"192.0.2.7\",\"status\":200}",
        "\0\u{1}\u{2}\t\u{3}|\t||\t \0",
        "proxy-user.service 200 OK\nlog.service 200 OK",
    ] {
        check(text, "none");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn any_lines_are_looked_at_without_panic(
        texts in prop::collection::vec("([0-9]{1,19}|192\\.0\\.2\\.7|[|,;\t \"\\[\\]\\\\-]|0\\.123|200|GET / HTTP/1\\.1|\\PC){0,24}", 0..6)
    ) {
        let lines: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        if let Some(layout) = layout(&lines) {
            let again = Format::parse(&layout.format.text).expect("the text says it all");
            if layout.format.escape != Escape::None {
                prop_assert_eq!(again.items, layout.format.items);
            }
        }
    }
}

/// Real logs, where they are at hand.
fn corpora() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora");
    let folder = std::env::var("BANDWHO_CORPORA").unwrap_or_else(|_| beside.to_owned());
    Some(PathBuf::from(folder)).filter(|folder| folder.is_dir())
}

/// A log of a real server, the values that the server says each line has, and the names of those that the log's own
/// fields are compared with.
struct Oracle {
    log: &'static str,
    escape: Escape,
    /// Status, client, body, wire, bytes in, duration, upstream time, time; empty where the log has none.
    names: [&'static str; 8],
    /// Microseconds in the last digit of its durations and times.
    unit: u64,
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that did nothing says so")]
fn logs_of_real_servers_have_the_values_they_logged() {
    let Some(corpora) = corpora() else {
        println!("no corpora at hand: set BANDWHO_CORPORA");
        return;
    };
    let nginx = [
        "status",
        "remote_addr",
        "body_bytes_sent",
        "bytes_sent",
        "request_length",
        "request_time",
        "upstream_response_time",
        "msec",
    ];
    let without = |names: [&'static str; 8], absent: &[usize]| {
        let mut names = names;
        for &at in absent {
            names[at] = "";
        }
        names
    };
    let apache = ["%s", "%h", "%B", "%O", "%I", "%D", "", "%{usec}t"];
    for oracle in [
        Oracle { log: "oracle-nginx-1.22.1/oracle.log", escape: Escape::Nginx, names: nginx, unit: 1_000 },
        Oracle {
            log: "oracle-nginx-1.22.1/csv.log",
            escape: Escape::Nginx,
            names: without(nginx, &[2, 4, 6]),
            unit: 1_000,
        },
        Oracle {
            log: "oracle-nginx-1.22.1/pipes.log",
            escape: Escape::Nginx,
            names: without(nginx, &[3, 4]),
            unit: 1_000,
        },
        Oracle { log: "oracle-apache-2.4.71/oracle.log", escape: Escape::Apache, names: apache, unit: 1 },
    ] {
        agrees(&corpora, &oracle);
    }
}

#[expect(clippy::print_stdout, reason = "the format is the result")]
fn agrees(corpora: &Path, oracle: &Oracle) {
    let path = corpora.join(oracle.log);
    let text = fs::read(&path).expect(oracle.log);
    let expected = fs::read_to_string(path.with_file_name("expected.jsonl")).expect("values");
    let detected = detect(&text);
    let layout = &detected.candidates[0].layout;
    println!("{}: {} {}", oracle.log, layout.format.name, layout.format.text);
    let mut parser = Parser::new(layout, Wanted::ALL, &[]);
    let number = |text: &str| text.replace('.', "").parse::<u64>().ok();
    let mut differing = [0; 8];
    let mut count = 0;
    for (line, expected) in text.split(|&byte| byte == b'\n').zip(expected.lines()) {
        count += 1;
        let mut record = Record::default();
        parser.parse(line, &mut record).expect(oracle.log);
        assert!(!record.extra);
        let expected: Value = serde_json::from_str(expected).expect("the server's variables");
        let raw = |at: usize| expected["raw"][oracle.names[at]].as_str();
        let found = [
            record.status.map(u64::from),
            None,
            record.body,
            record.wire,
            record.bytes_in,
            record.duration_us,
            record.upstream_us,
            record.time.map(|time| time.0.unsigned_abs() / 1_000_000),
        ];
        for (at, found) in found.into_iter().enumerate() {
            let wanted = match at {
                1 => continue,
                5 => raw(at).and_then(number).map(|time| time * oracle.unit),
                6 => raw(at).and_then(value_of_list),
                7 => raw(at).and_then(number).map(|time| time * oracle.unit / 1_000_000),
                _ => raw(at).and_then(number),
            };
            differing[at] += usize::from(found != wanted);
        }
        let client = record.client.map(|client| plain(layout.format.escape, client).into_owned());
        let wanted = raw(1).map(|text| plain(oracle.escape, text.as_bytes()).into_owned());
        differing[1] += usize::from(client != wanted);
        assert_eq!(layout.source(Part::Client).is_some(), wanted.is_some());
    }
    assert_eq!(differing, [0; 8], "{}: of {count} lines", layout.format.text);
}

fn value_of_list(list: &str) -> Option<u64> {
    crate::parse::value::upstream(list.as_bytes()).map(|upstream| upstream.sum_us)
}

#[test]
fn every_line_of_odd_logs_is_read() {
    let Some(corpora) = corpora() else { return };
    for (log, format, records) in [
        ("torture/fractions.log", "$remote_addr [$time_any] \"$request\" $status $body_bytes_sent", 14),
        (
            "lnav/logfile_syslog_with_access_log.0",
            "$remote_addr - $remote_user \"$request\" $status $body_bytes_sent $request_time",
            2,
        ),
    ] {
        let text = fs::read(corpora.join(log)).expect(log);
        let found = detect(&text).candidates.swap_remove(0);
        assert_eq!((found.layout.format.text.as_str(), found.accepted), (format, records), "{log}");
    }
}

/// Of all that others test with, only access logs have columns that are about requests.
#[test]
fn files_that_are_no_access_logs_are_left_alone() {
    let Some(corpora) = corpora() else { return };
    let mut taken = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["angle-grinder", "fluentd", "lnav", "maxmind-db"].iter().map(|name| corpora.join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read(&path).expect("readable");
            let head = &text[..text.len().min(1 << 20)];
            let lines: Vec<&[u8]> =
                head.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
            if layout(&lines[..lines.len().min(crate::detect::SAMPLE_LINES)]).is_some() {
                taken.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
        }
    }
    taken.sort();
    let expected = [
        "logfile_access_log.0",
        "logfile_access_log.1",
        "logfile_access_log_dupe.0",
        "logfile_haproxy.0",
        "logfile_regexp_access_log.0",
        "logfile_shop_access_log.0",
        "logfile_syslog_with_access_log.0",
        "logfile_uwsgi.0",
        "logfile_w3c_big.0",
    ];
    assert_eq!(taken, expected);
}
