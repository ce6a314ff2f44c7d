//! The torture files are read from the corpora, if they are there; everything else is made here.

#![allow(clippy::print_stdout, reason = "a test says what it skipped")]

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::format::{Layout, presets};
use crate::input;
use crate::parse::{Parser, Record, Wanted};

const PLAIN: &str =
    r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET /a HTTP/1.1" 200 6 "-" "curl/8 (x; y)""#;

fn detect(lines: &[String]) -> Wrappers {
    Wrappers::detect(&lines.iter().map(String::as_bytes).collect::<Vec<_>>())
}

/// The wrappers of some lines, and that nothing but `PLAIN` is in them.
fn check(expected: &str, lines: &[String]) {
    let wrappers = detect(lines);
    assert_eq!(wrappers.to_string(), expected, "{lines:?}");
    let mut buffer = Vec::new();
    for line in lines {
        let inner = wrappers.peel(line.as_bytes(), &mut buffer);
        assert_eq!(inner.line, PLAIN.as_bytes(), "{line}");
        if let Some(offset) = inner.offset {
            assert_eq!(&line.as_bytes()[offset..][..PLAIN.len()], PLAIN.as_bytes());
        }
    }
}

fn cri(line: &str) -> String {
    format!("2026-11-23T05:53:12.1Z stdout F {line}")
}

fn docker(line: &str) -> String {
    let log = serde_json::to_string(&format!("{line}\n")).unwrap();
    format!(r#"{{"log":{log},"stream":"stderr","time":"2026-11-23T05:53:12.1Z"}}"#)
}

fn syslog(line: &str) -> String {
    format!("<190>Nov 23 05:53:03 vm nginx: {line}")
}

fn compose(line: &str) -> String {
    format!("web-1  | {line}")
}

fn quoted(line: &str) -> String {
    format!("\"{}\"", line.replace('"', "\"\""))
}

#[test]
fn wrappers_are_found_alone_and_nested() {
    check("", &[PLAIN.into()]);
    check("", &[]);
    check("CRI", &[cri(PLAIN)]);
    check("docker json-file", &[docker(PLAIN)]);
    check("syslog", &[syslog(PLAIN)]);
    check("container prefix", &[compose(PLAIN)]);
    check("quotes", &[quoted(PLAIN)]);
    check("container prefix > timestamp", &[compose(&format!("2026-11-23T05:53:12.123456789Z {PLAIN}"))]);
    check("CRI > syslog", &[cri(&syslog(PLAIN))]);
    check("syslog > CRI", &[syslog(&cri(PLAIN))]);
    check("syslog > syslog", &[syslog(&syslog(PLAIN))]);
    check("docker json-file > docker json-file", &[docker(&docker(PLAIN))]);
    check("quotes > docker json-file > quotes", &[quoted(&docker(&quoted(PLAIN)))]);
    check("syslog > CRI > docker json-file > quotes", &[syslog(&cri(&docker(&quoted(PLAIN))))]);
    check("", &[format!("\0\0\u{feff}\0{PLAIN}\r\r")]);
    check("CRI", &[format!("\0\0{}\r", cri(&format!("\u{feff}{PLAIN}\r")))]);
}

#[test]
fn most_lines_decide_and_the_others_stay() {
    check("syslog", &[syslog(PLAIN), PLAIN.into(), syslog(PLAIN), "<190>".to_owned() + PLAIN]);
    check("CRI", &[cri(PLAIN), PLAIN.into(), PLAIN.into(), cri(PLAIN), cri(PLAIN)]);
    let wrappers = detect(&[PLAIN.into(), syslog(PLAIN)]);
    assert!(wrappers.is_empty());
    assert_eq!(detect(&[String::new(), "  ".into(), syslog(PLAIN)]).layers(), [Wrapper::Syslog]);
}

#[test]
fn the_channel_is_told() {
    let mut buffer = Vec::new();
    for (line, channel) in
        [(cri("x"), Some(Channel::Stdout)), (docker("x"), Some(Channel::Stderr)), (syslog("x"), None)]
    {
        let inner = detect(std::slice::from_ref(&line)).peel(line.as_bytes(), &mut buffer).channel;
        assert_eq!(inner, channel, "{line}");
    }
}

/// Joined records and the number of unfinished ones.
fn join(wrappers: &Wrappers, lines: &str) -> (Vec<String>, u64) {
    let mut joiner = Joiner::default();
    let mut records = Vec::new();
    for line in input::lines(lines.as_bytes()) {
        if let Some(inner) = joiner.join(wrappers, line) {
            records.push(String::from_utf8(inner.line.to_vec()).unwrap());
        }
    }
    (records, joiner.unfinished())
}

#[test]
fn parts_are_joined_by_channel() {
    let wrappers = detect(&[cri(&syslog("x"))]);
    assert!(wrappers.joins());
    let t = "2026-11-23T05:53:12.1Z";
    let lines = format!(
        "{t} stdout P Nov 23 05:53:03 h ngi\n{t} stderr P e\nplain\n{t} stderr F rr\n{t} stdout P nx: a\n{t} stdout F b\n\
         {t} stdout F c\n{t} stdout P \n{t} stdout F d\n{t} stderr P x"
    );
    let expected = ["plain", "err", "ab", "c", "d"].map(String::from).to_vec();
    assert_eq!(join(&wrappers, &lines), (expected, 1));
}

#[test]
fn docker_parts_lack_their_newline() {
    let part = |log: &str, stream: &str| format!(r#"{{"log":"{log}","stream":"{stream}","time":"t"}}"#);
    let whole = [part("a\\n", "stdout"), part("b\\n", "stdout"), part("c", "stdout")];
    let wrappers = detect(&whole);
    assert!(wrappers.joins());
    let lines =
        [part("a\\\"", "stdout"), part("x\\n", "stderr"), part("\\u00e9", "stdout"), part("\\n", "stdout")];
    assert_eq!(join(&wrappers, &lines.join("\n")), (vec!["x".into(), "a\"é".into()], 0));
    // Where no line has one, its absence tells nothing.
    let wrappers = detect(&[part("a", "stdout"), part("b", "stdout")]);
    assert!(!wrappers.joins());
    assert_eq!(join(&wrappers, &lines.join("\n")).0.len(), 4);
}

#[test]
fn joints_leave_no_record_unfinished() {
    let wrappers = detect(&[cri("x")]);
    let t = "2026-11-23T05:53:12.1Z";
    let text = format!("{t} stdout F a\n{t} stdout P a\n{t} stderr F a\n{t} stdout F a\n{t} stderr P b\n");
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let expected = [0, 0, 0, 3, 3].map(|index: usize| ends[index]);
    for (&end, expected) in ends.iter().zip(expected) {
        assert_eq!(wrappers.joint(&text.as_bytes()[..end]), expected);
    }
    assert_eq!(detect(&[PLAIN.into()]).joint(b"a\nb\n"), 4);
}

fn corpora() -> Option<std::path::PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let path = std::env::var_os("BANDWHO_CORPORA").map_or(beside, Into::into);
    if !path.is_dir() {
        println!("{} is not there: its files are not checked", path.display());
        return None;
    }
    Some(path)
}

/// The wrappers of a file, and how many of its joined and peeled lines are records of a preset.
fn peel_file(path: &Path, preset: &str) -> (String, usize) {
    let inputs = input::list(&[path.to_owned()]).unwrap().inputs;
    let mut stream = input::Stream::open(&inputs[0]).unwrap();
    let wrappers = Wrappers::detect(&input::lines(&stream.head().bytes).collect::<Vec<_>>());
    let joints = wrappers.clone();
    let framing = input::Framing::Joined(std::sync::Arc::new(move |lines| joints.joint(lines)));
    let layout = Layout::compile(&presets::named(preset).unwrap()).unwrap();
    let mut parser = Parser::new(&layout, Wanted::ALL, &[]);
    let mut joiner = Joiner::default();
    let mut records = 0;
    for block in stream.blocks(&input::BlockPool::new(), input::LineNumbers::Uncounted, framing) {
        for line in input::lines(&block.unwrap().bytes) {
            let mut record = Record::default();
            if let Some(inner) = joiner.join(&wrappers, line) {
                records += usize::from(parser.parse(inner.line, &mut record).is_ok());
            }
        }
        assert_eq!(joiner.unfinished(), 0);
    }
    (wrappers.to_string(), records)
}

#[test]
fn torture_files_give_their_records() {
    let Some(corpora) = corpora() else { return };
    for (file, wrappers, records) in [
        ("torture/crlf.log", "", 100),
        ("torture/cr_only.log", "", 100),
        ("torture/bom.log", "", 100),
        ("torture/utf16le.log", "", 20),
        ("torture/nul_block_start.log", "", 100),
        ("torture/nul_block_middle.log", "", 100),
        ("torture/nul_prefix_lines.log", "", 100),
        ("torture/long_1mb.log", "", 102),
        ("torture/raw_bytes.log", "", 4),
        ("torture/blank_and_comments.log", "", 4),
        ("torture/cri.log", "CRI", 11),
        ("torture/docker_json.log", "docker json-file", 10),
        ("torture/compose_prefix.log", "container prefix", 12),
        ("torture/syslog_prefixes.log", "syslog", 7),
        ("torture/whole_line_quoted.log", "quotes", 20),
        ("lnav/logfile_syslog_with_access_log.0", "syslog", 0),
        ("oracle-nginx-1.22.1/syslog_nohostname.log", "syslog", 725),
        // Half of its lines are in HAProxy's CLF, which begins like combined.
        ("oracle-others/haproxy_syslog.log", "syslog", 10),
        ("lnav/logfile_docker_compose_with_ts.0", "container prefix", 0),
    ] {
        let found = peel_file(&corpora.join(file), "combined");
        println!("{file}: {:?}, {} records", found.0, found.1);
        assert_eq!(found, (wrappers.to_owned(), records), "{file}");
    }
}

#[test]
fn plain_logs_have_no_wrapper() {
    let Some(corpora) = corpora() else { return };
    let mut checked = 0;
    let mut wrapped = Vec::new();
    for set in
        ["oracle-nginx-1.22.1", "oracle-apache-2.4.71", "oracle-others", "alp", "elastic-examples", "lnav"]
    {
        for entry in std::fs::read_dir(corpora.join(set)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let is_wrapped =
                ["syslog", "compose", "haproxy", "expected"].iter().any(|word| name.contains(word));
            if is_wrapped || !(name.contains("log") || name.contains("access")) {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let wrappers = Wrappers::detect(&input::lines(&bytes).take(2_000).collect::<Vec<_>>());
            checked += 1;
            if !wrappers.is_empty() {
                wrapped.push(format!("{set}/{name}: {wrappers}"));
            }
        }
    }
    assert!(checked > 40, "{checked}");
    wrapped.sort();
    assert_eq!(wrapped, WRAPPED);
}

/// Files whose lines have a wrapper although their names do not tell.
const WRAPPED: [&str; 4] = [
    "lnav/logfile_caddy_log.0: container prefix",
    "lnav/logfile_dst.0: syslog",
    "lnav/logfile_rollover.1: syslog",
    "lnav/logfile_rollover.2: syslog",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_line_comes_out_of_any_wrappers(
        line in "[ -~é]{0,40}",
        layers in prop::collection::vec(0..5_usize, 1..=DEPTH_MAX),
    ) {
        let wrap = [cri, docker, syslog, compose, quoted];
        let kinds = [Wrapper::Cri, Wrapper::Docker, Wrapper::Syslog, Wrapper::Container, Wrapper::Quotes];
        let outer = layers.iter().rev().fold(line.clone(), |line, &layer| wrap[layer](&line));
        let layers = layers.iter().map(|&layer| kinds[layer]).collect();
        let wrappers = Wrappers { layers, joining: None };
        let mut buffer = Vec::new();
        let inner = wrappers.peel(outer.as_bytes(), &mut buffer);
        prop_assert_eq!(inner.line, line.as_bytes());
        if let Some(offset) = inner.offset {
            prop_assert_eq!(&outer.as_bytes()[offset..][..line.len()], line.as_bytes());
        }
    }

    #[test]
    fn no_bytes_harm(
        lines in prop::collection::vec(
            prop::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), Just(0), Just(b'\r'), any::<u8>()], 0..60),
            1..5,
        ),
        layers in prop::collection::vec(prop::sample::select(Wrapper::ALL.to_vec()), 0..=DEPTH_MAX),
    ) {
        let joining = layers.iter().position(|layer| matches!(layer, Wrapper::Cri | Wrapper::Docker));
        let wrappers = Wrappers { layers, joining };
        let mut joiner = Joiner::default();
        for line in &lines {
            joiner.join(&wrappers, line);
        }
        let text = lines.join(&b'\n');
        prop_assert!(wrappers.joint(&text) <= text.len());
        Wrappers::detect(&lines.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}
