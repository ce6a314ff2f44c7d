//! What `bandwho formats` says, word for word.
//!
//! `BANDWHO_BLESS=1 cargo test --test it formats::` rewrites `formats/*.txt`; read the difference before it is kept.
//! Three of them stand in docs/FORMATS.md, which is compared as well.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

use crate::Scratch;

const COMBINED: &str = r#"192.0.2.1 - - [23/Nov/2026:13:53:11 +0800] "GET /video/a.ts?t=4 HTTP/1.1" 200 1310720 "https://www.example.com/" "Mozilla/5.0"
192.0.2.7 - - [23/Nov/2026:13:53:11 +0800] "GET / HTTP/1.1" 304 0 "-" "curl/8.5.0"
2001:db8::7 - alice [23/Nov/2026:13:53:12 +0800] "POST /login HTTP/1.1" 302 154 "-" "Mozilla/5.0"
192.0.2.9 - - [23/Nov/2026:13:53:14 +0800] "\x16\x03\x01" 400 157 "-" "-"
"#;

const CHANGED: &str = r#"192.0.2.1 - - [23/Nov/2026:13:53:11 +0800] "GET /a HTTP/1.1" 200 5120 "-" "curl/8.5.0"
192.0.2.7 - - [23/Nov/2026:13:53:12 +0800] "GET /b HTTP/1.1" 200 731 "-" "curl/8.5.0"
192.0.2.1 - - [23/Nov/2026:13:59:58 +0800] "GET /a HTTP/1.1" 200 5120 "-" "curl/8.5.0" 0.250 0.249
192.0.2.7 - - [23/Nov/2026:13:59:59 +0800] "GET /b HTTP/1.1" 304 0 "-" "curl/8.5.0" 0.000 -
192.0.2.8 - - [23/Nov/2026:14:00:01 +0800] "GET /c HTTP/1.1" 200 9133 "-" "Mozilla/5.0" 1.204 0.600, 0.601
192.0.2.8 - - [31/Nov/2026:14:00:01 +0800] "GET /c HTTP/1.1" 200 9133 "-" "Mozilla/5.0" 1.204 0.600
2026/11/23 14:00:02 [error] 7#7: *1 open() "/srv/favicon.ico" failed (2: No such file or directory)
192.0.2.9 - - [23/Nov/2026:14:00:03 +0800] "GET /d HTTP/1.1" 2x0 10 "-" "curl/8.5.0" 0.001 0.001
192.0.2.9 - - [23/Nov/2026:14:00:04 +0800] "GET /d HTTP/1.1" 200 10 "-" "curl/8.5.0" 0.001 0.001
"#;

const ODD: &str = r#"{"when":"2026-11-23T05:53:11.120Z","@timestamp":"2026-11-23T05:53:11.120Z","clientip":"192.0.2.1","verb":"GET","request":"/a?b=1","response":200,"bytes":5120,"latency":12,"edge":{"pop":"fra-3"}}
{"when":"2026-11-23T05:53:11.640Z","@timestamp":"2026-11-23T05:53:11.640Z","clientip":"192.0.2.7","verb":"GET","request":"/b","response":304,"bytes":"-","latency":3,"edge":{"pop":"fra-1"}}
{"when":"2026-11-23T05:53:12.001Z","@timestamp":"2026-11-23T05:53:12.001Z","clientip":"192.0.2.8","verb":"POST","request":"/c","response":201,"bytes":77,"latency":841,"edge":{"pop":"fra-3"}}
{"level":"warn","msg":"config reloaded"}
"#;

const IIS: &str = "#Software: Microsoft Internet Information Services 10.0\r
#Version: 1.0\r
#Date: 2026-11-23 05:53:00\r
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-bytes time-taken\r
2026-11-23 05:53:11 10.1.0.7 GET /default.aspx id=7 443 - 192.0.2.1 Mozilla/5.0+(Windows+NT+10.0) 200 18211 46\r
2026-11-23 05:53:12 10.1.0.7 GET /logo.png - 443 - 192.0.2.7 curl/8.5.0 304 187 0\r
2026-11-23 05:53:13 10.1.0.7 GET /cut\r
";

const SYSLOG: &str = r#"<190>Nov 23 05:53:03 edge-1 nginx: 192.0.2.1 - - [23/Nov/2026:05:53:03 +0000] "GET / HTTP/1.1" 200 512 "-" "curl/8.5.0" 211 1843
<190>Nov 23 05:53:04 edge-1 nginx: 192.0.2.7 - - [23/Nov/2026:05:53:04 +0000] "GET /a HTTP/1.1" 200 77 "-" "say \"hi\"" 140 990
<190>Nov 23 05:53:04 edge-1 kernel: eth0: link up
<190>Nov 23 05:53:05 edge-1 nginx: 192.0.2.7 - - [23/Nov/2026:05:53:05 +0000] "GET /b HTTP/1.1" 304 - "-" "say \"hi\"" 188 902
<190>Nov 23 05:53:05 edge-1 nginx: 192.0.2.9 - - [23/Nov/2026:05:53:05 +0000] "GET /c HTTP/1.1" 200 8192 "-" "curl/8.5.0" 141 9105
<190>Nov 23 05:53:06 edge-1 nginx: 192.0.2.1 - - [23/Nov/2026:05:53:06 +0000] "GET / HTTP/1.1" 200 512 "-" "curl/8.5.0" 211 1843
"#;

const BROKEN: &str = "192.0.2.1 www.example.com [23/Nov/2026:13:53:11 +0800] \"GET /a HTTP/1.1\" 200 12 0.001
192.0.2.1 www.example.com [23/Nov/2026:13:53:12 +0800] \"GET /b HTTP/1.1\" 200 12kB 0.001
192.0.2.1 www.example.com [23/Nov/2026 13:53:13] \"GET /c\x1b[2J HTTP/1.1\" 200 12 0.001
192.0.2.1 www.example.com - - [23/Nov/2026:13:53:14 +0800] \"GET /d HTTP/1.1\" 200 12 0.001
192.0.2.1 www.example.com [23/Nov/2026:13:53:15 +0800] \"GET /e HTTP/1.1\" 200 12
192.0.2.1 - - [23/Nov/2026:13:53:16 +0800] \"GET /f HTTP/1.1\" 200 12 \"-\" \"curl/8.5.0\"
";

const BROKEN_FORMAT: &str =
    r#"$remote_addr $host [$time_local] "$request" $status $bytes_sent $request_time"#;

/// What the program says with a folder of one log as its working directory, and its exit code.
fn said(name: &str, log: &str, options: &[&str]) -> (String, i32) {
    let scratch = Scratch::new(&format!("formats-{name}"));
    scratch.file(name, log.as_bytes());
    let output = Command::new(env!("CARGO_BIN_EXE_bandwho"))
        .arg("formats")
        .args(options)
        .arg(name)
        .current_dir(&scratch.0)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

/// Compares with `formats/NAME.txt`.
fn check(name: &str, log: &str, options: &[&str], code: i32) {
    let (found, exit) = said(name, log, options);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/formats/{name}.txt"));
    if env::var_os("BANDWHO_BLESS").is_some() {
        fs::write(&golden, &found).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert!(found == expected, "{} differs (BANDWHO_BLESS=1 rewrites it):\n{found}", golden.display());
    assert_eq!(exit, code, "{name}");
}

#[test]
fn a_plain_log() {
    check("combined.log", COMBINED, &[], 0);
}

#[test]
fn a_log_whose_format_was_changed() {
    check("changed.log", CHANGED, &[], 0);
}

#[test]
fn json_with_odd_keys() {
    check("odd.json", ODD, &[], 0);
}

#[test]
fn iis_names_its_columns() {
    check("iis.log", IIS, &[], 0);
}

#[test]
fn syslog_around_apache() {
    check("syslog.log", SYSLOG, &[], 0);
}

#[test]
fn a_broken_log_with_its_format_given() {
    check("broken.log", BROKEN, &["--format", BROKEN_FORMAT], 0);
}

#[test]
fn no_line_has_the_format_given() {
    check("wrong.log", COMBINED, &["--format", "combined_rt"], 1);
}

#[test]
fn the_manual_shows_what_is_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manual = fs::read_to_string(root.join("docs/FORMATS.md")).unwrap();
    for name in ["changed.log", "odd.json", "broken.log"] {
        let golden = fs::read_to_string(root.join(format!("tests/it/formats/{name}.txt"))).unwrap();
        assert!(manual.contains(&golden), "docs/FORMATS.md does not show {name}.txt");
    }
}

#[test]
fn programs_get_the_same_facts() {
    let (text, code) = said("changed.json.log", CHANGED, &["--json"]);
    let answer: Value = serde_json::from_str(&text).unwrap();
    let log = &answer["logs"][0];
    assert_eq!((code, &answer["schema"]), (0, &"bandwho.formats/1".into()));
    let counted = ["lines", "rejected", "skipped", "cut"].map(|key| log[key].as_u64().unwrap());
    assert_eq!(counted, [9, 3, 0, 0]);
    let formats = log["formats"].as_array().unwrap();
    let shown: Vec<String> =
        formats.iter().map(|format| format!("{} {}", format["name"], format["lines"])).collect();
    assert_eq!(shown, ["\"combined_rt_urt\" 4", "\"combined\" 2"]);
    let figures = formats[0]["figures"].as_array().unwrap();
    let upstream = figures.iter().find(|figure| figure["name"] == "upstream").unwrap();
    assert_eq!((&upstream["fields"][0], &upstream["null"]), (&"$upstream_response_time".into(), &1.into()));
    let reject =
        log["rejects"].as_array().unwrap().iter().find(|reject| reject["reason"] == "status").unwrap();
    assert_eq!(
        (&reject["line"], &reject["column"], &reject["found"]),
        (&8.into(), &62.into(), &"2x0".into())
    );
    // A line of another log is not wrong at some place: the overview gives the same reason.
    let foreign = log["rejects"].as_array().unwrap().iter().find(|reject| reject["line"] == 7).unwrap();
    assert_eq!((&foreign["reason"], &foreign["column"]), (&"format".into(), &1.into()));
    assert_eq!(foreign["foreign"], "a line of nginx's error log");
    // Both notations of what was found can be given back.
    for notation in ["nginx", "apache"] {
        let directive = formats[0][notation]["directive"].as_str().unwrap();
        let (text, code) = said(notation, CHANGED, &["--json", "--format", directive]);
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &answer["logs"][0]["formats"][0]["lines"]), (0, &4.into()), "{directive}");
    }
}

#[test]
fn a_head_is_enough() {
    let (text, code) = said("long.log", &COMBINED.repeat(10_000), &["--json"]);
    let log = &serde_json::from_str::<Value>(&text).unwrap()["logs"][0];
    assert_eq!(
        (code, &log["complete"], &log["bytes"], &log["cut"]),
        (0, &false.into(), &(1 << 20).into(), &1.into())
    );
    assert_eq!(log["formats"][0]["lines"].as_u64().unwrap() + 1, log["lines"].as_u64().unwrap());
    assert!(log["sampled"].as_u64().unwrap() <= 2_000);
}

#[test]
fn nothing_is_no_format() {
    let check = |name: &str, log: &str, expected: &[&str]| {
        let (text, code) = said(name, log, &[]);
        assert_eq!(code, 1, "{name}");
        for words in expected {
            assert!(text.contains(words), "{name}: {words}:\n{text}");
        }
    };
    check("empty.log", "", &["looked at   empty: nothing to look at", "again, when there are records"]);
    let words = ["none found", "Next: bandwho formats --format 'log_format main …;'"];
    check("words.log", "hello\nworld\n", &words);
    let header =
        "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time c-ip sc-status\r\n";
    check("iis.log", header, &["iis, from its #Fields header; no records yet"]);
    let talk = "INFO Server db-1 loaded 5 tables\nINFO Server db-2 loaded 7 tables\n";
    check(
        "talk.log",
        talk,
        &["format: 2 lines, the first is line 1\n", "nothing in it looks like an access log"],
    );
}

#[test]
fn a_cut_archive_is_read_up_to_the_damage() {
    let scratch = Scratch::new("formats-cut");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut encoder, COMBINED.repeat(20).as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    scratch.file("cut.gz", &bytes[..bytes.len() / 2]);
    let said = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bandwho"));
        let output = command.arg("formats").args(options).arg("cut.gz").current_dir(&scratch.0).output();
        let output = output.unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let (text, code) = said(&[]);
    assert!(text.contains("up to where the data is damaged"), "{text}");
    assert_eq!(code, Some(1));
    assert_eq!(said(&["--partial-ok"]).1, Some(0));
}

#[test]
fn binary_lines_are_said_to_be_no_text_once() {
    let scratch = Scratch::new("formats-binary");
    let noise: Vec<u8> =
        (0..4_000_u32).map(|at| [0x80 | (at * 37 % 128) as u8, b'\n'][usize::from(at % 97 == 96)]).collect();
    scratch.file("binary.log", &[COMBINED.as_bytes(), &noise, b"\n"].concat());
    let output = Command::new(env!("CARGO_BIN_EXE_bandwho"))
        .args(["formats", "binary.log"])
        .current_dir(&scratch.0)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("not text: binary data").count(), 1, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
}

/// `--rejects` and `--strict` hold for what is looked at; what `formats` has no use for is refused.
#[test]
fn rejects_are_written_and_checked() {
    let scratch = Scratch::new("formats-rejects");
    scratch.file("a.log", CHANGED.as_bytes());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bandwho"));
        command.args(arguments).current_dir(&scratch.0).output().unwrap()
    };
    let output = run(&["formats", "--strict", "--rejects", "r.txt", "a.log"]);
    assert_eq!(output.status.code(), Some(3));
    let found = fs::read_to_string(scratch.0.join("r.txt")).unwrap();
    let heads: Vec<String> =
        found.lines().map(|line| line.split('\t').take(4).collect::<Vec<_>>().join(" ")).collect();
    assert!(heads[0].starts_with("# file, line, column, reason and text"), "{}", heads[0]);
    assert_eq!(heads[1..], ["a.log 6 16 time", "a.log 7 1 format", "a.log 8 62 status"]);
    // The overview writes the same.
    assert_eq!(run(&["--rejects", "o.txt", "a.log"]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(scratch.0.join("o.txt")).unwrap(), found);
    for option in [["--slot", "5m"], ["--scheme", "end-spike"], ["--depth", "2"], ["--servers", "s.csv"]] {
        let output = run(&[&["formats", "a.log"][..], &option[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{option:?}");
    }
}

#[test]
fn what_the_log_says_itself_is_no_doubt() {
    let labelled = r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "curl/8" rt=0.250 uct="0.000" uht="0.200" urt="0.100, 0.150""#;
    let (text, _) = said("labelled.log", labelled, &[]);
    assert!(!text.contains("columns of seconds"), "{text}");
    let swapped =
        r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "curl/8" 0.001 0.250"#;
    let (text, _) = said("swapped.log", swapped, &[]);
    assert!(text.contains("the first is read as $upstream_response_time"), "{text}");
    assert!(text.contains("250 ms"), "{text}");
    let edge = r#"{"ClientIP":"192.0.2.1","EdgeStartTimestamp":1795413191000000000,"EdgeEndTimestamp":1795413191250000000,"EdgeResponseBytes":700,"EdgeResponseStatus":200}"#;
    let (text, _) = said("edge.json", edge, &[]);
    assert!(!text.contains("vhost_combined") && !text.contains("headers count"), "{text}");
    assert!(text.contains("250 ms") && text.contains("05:53:11.250"), "{text}");
    let odd = r#"{"ip":"192.0.2.1","time":"2026-11-23T05:53:11Z","uri":"/a","status":200,"sent":700}"#;
    let (text, _) = said("odd-sent.json", odd, &[]);
    assert!(
        text.contains("all that was sent; the name does not say whether headers count"),
        "{}",
        text.replace('\n', " ")
    );
    let tencent = r#"20261123135311 192.0.2.1 www.example.com /a.apk 2830 22 2 200 NULL 12 "curl/8" "-" GET HTTP/1.1 hit 51234"#;
    let (text, _) = said("tencent.log", tencent, &[]);
    assert!(text.contains("no page of its vendor says that the time is the start"), "{text}");
}
