//! Which format every known log is taken for, without any option.
//!
//! `BANDWHO_BLESS=1 cargo test --test it detection` rewrites `detected.txt`; read the difference before it is kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::oracle::{self, Directive};
use crate::{Run, Scratch, bandwho, bandwho_with, corpora};

/// Logs that hold a client or bytes.
const LOGS: [(&str, &[&str]); 8] = [
    ("alp", &["combined_access.log", "json_access.log", "ltsv_access.log"]),
    (
        "elastic",
        &["nginx-access-test-with-host.log", "nginx-access-test.log", "nginx-ingress-controller-subset.log"],
    ),
    ("elastic-examples", &["apache_logs"]),
    ("apachelogs", &["vhost_combined.log"]),
    (
        "lnav",
        &[
            "access_log.gz",
            "logfile_access_log.0",
            "logfile_access_log.1",
            "logfile_access_log_dupe.0",
            "logfile_bad_access_log.0",
            "logfile_caddy_log.0",
            "logfile_caddy_log.1",
            "logfile_cloudflare.1",
            "logfile_cloudflare.json",
            "logfile_haproxy.0",
            "logfile_json3.json",
            "logfile_regexp_access_log.0",
            "logfile_shop_access_log.0",
            "logfile_syslog_with_access_log.0",
            "logfile_uwsgi.0",
            "logfile_w3c.0",
            "logfile_w3c.1",
            "logfile_w3c.2",
            "logfile_w3c.3",
            "logfile_w3c.4",
            "logfile_w3c.5",
            "logfile_w3c.6",
            "logfile_w3c_big.0",
        ],
    ),
    (
        "oracle-apache-2.4.71",
        &[
            "combined.log",
            "combined_d.log",
            "combinedio.log",
            "common.log",
            "json.log",
            "oracle.log",
            "vhost_combined.log",
        ],
    ),
    (
        "oracle-nginx-1.22.1",
        &[
            "combined.log",
            "combined_gzip.log.gz",
            "combined_none.log",
            "compression.log",
            "csv.log",
            "json_default.log",
            "json_quoted.log",
            "ltsv.log",
            "main.log",
            "npm_standard.log",
            "oracle.log",
            "pipes.log",
            "stream_basic.log",
            "stream_json.log",
            "stream_proxy.log",
            "syslog_nohostname.log",
            "upstream_time.log",
            "vhost_combined.log",
        ],
    ),
    ("oracle-others", &["caddy_access.json", "haproxy_syslog.log", "lighttpd_default.log"]),
];

/// One line of `detected.txt`.
fn detected(root: &Path, name: &str) -> String {
    let run = bandwho(&["--json", root.join(name).to_str().unwrap()]);
    let Ok(answer) = serde_json::from_str::<Value>(&run.out) else { return "not recognised".to_owned() };
    let input = &answer["input"];
    let formats = input["formats"].as_array().unwrap().iter();
    let names: Vec<&str> = formats.map(|format| format["name"].as_str().unwrap()).collect();
    let [accepted, rejected, skipped] = ["accepted", "rejected", "skipped"].map(|key| &input[key]);
    format!("{} → {accepted} accepted, {rejected} rejected, {skipped} skipped", names.join(", "))
}

#[test]
fn every_known_log_is_recognised_as_before() {
    let Some(root) = corpora() else { return println!("skipped: no corpora") };
    let mut found = String::new();
    for (folder, files) in LOGS {
        for file in files {
            let name = format!("{folder}/{file}");
            let line = detected(&root, &name);
            writeln!(found, "{name} → {line}").unwrap();
        }
    }
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/detected.txt");
    if env::var_os("BANDWHO_BLESS").is_some() {
        fs::write(&golden, &found).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (found_lines, expected_lines) = (lines(&found), lines(&expected));
    let changed =
        found_lines.iter().filter(|line| !expected_lines.contains(line)).map(|line| format!("is  {line}"));
    let lost =
        expected_lines.iter().filter(|line| !found_lines.contains(line)).map(|line| format!("was {line}"));
    let differences: Vec<String> = lost.chain(changed).collect();
    assert!(
        found == expected,
        "detected.txt differs (BANDWHO_BLESS=1 rewrites it):\n{}",
        differences.join("\n")
    );
}

/// Where a recognised log may read otherwise than with its directive: folder and log, field, lines, why.
const ALLOWED: [(&str, &str, usize, &str); 23] = [
    (NGINX_TSV, "peer", 485, ADDRESSES),
    (NGINX_TSV, "server", 725, ADDRESSES),
    (NGINX_TSV, "user", 8, "a user's name is a word like others"),
    ("oracle-nginx-1.22.1/compression.log", "body_bytes", 725, BYTES),
    ("oracle-nginx-1.22.1/compression.log", "wire_bytes", 725, BYTES),
    ("oracle-apache-2.4.71/vhost_combined.log", "body_bytes", 519, BYTES),
    ("oracle-apache-2.4.71/vhost_combined.log", "wire_bytes", 519, BYTES),
    ("oracle-nginx-1.22.1/ltsv.log", "agent", 114, EMPTY),
    ("oracle-nginx-1.22.1/json_default.log", "agent", 114, EMPTY),
    ("oracle-nginx-1.22.1/combined_none.log", "agent", 203, EMPTY),
    ("oracle-nginx-1.22.1/combined_none.log", "referer", 307, EMPTY),
    ("oracle-nginx-1.22.1/combined_none.log", "user", 711, EMPTY),
    (PIPES, "agent", 2, SEPARATOR),
    (PIPES, "method", 2, SEPARATOR),
    (PIPES, "server", 2, SEPARATOR),
    (PIPES, "target", 2, SEPARATOR),
    (
        APACHE_TSV,
        "host",
        519,
        "of three columns of names the server's own is taken, which a client cannot choose",
    ),
    (APACHE_TSV, "peer", 375, ADDRESSES),
    (APACHE_TSV, "server", 519, ADDRESSES),
    (
        APACHE_TSV,
        "target",
        1,
        "what was asked is no request, and the path that Apache made of it has no name",
    ),
    (APACHE_TSV, "user", 8, "a user's name is a word like others"),
    ("oracle-apache-2.4.71/json.log", "agent", 86, EMPTY),
    ("oracle-apache-2.4.71/json.log", "host", 1, EMPTY),
];

const NGINX_TSV: &str = "oracle-nginx-1.22.1/oracle.log";
const APACHE_TSV: &str = "oracle-apache-2.4.71/oracle.log";
const PIPES: &str = "oracle-nginx-1.22.1/pipes.log";

const ADDRESSES: &str = "of several columns of addresses only the client's can be told";
const BYTES: &str = "whether one column of bytes counts the headers cannot be seen";
const EMPTY: &str = "whether an empty value is none depends on the server's escape, which cannot be seen";
const SEPARATOR: &str = "an agent that holds the separator makes more columns than the line has";

type Record = serde_json::Map<String, Value>;

/// Records by line, with all that is known of them.
fn records(log: &Path, options: &[&str]) -> Result<BTreeMap<u64, Record>, String> {
    let run = bandwho(&[&["lines", "--ndjson"], options, &[log.to_str().unwrap()]].concat());
    if run.code != 0 {
        return Err(run.err.lines().next().unwrap_or_default().to_owned());
    }
    let parse = |line: &str| serde_json::from_str::<Record>(line).unwrap();
    Ok(run.out.lines().map(parse).map(|record| (record["line"].as_u64().unwrap(), record)).collect())
}

/// How often each field differs from what it is with the directive, and where first.
fn differences(root: &Path, folder: &str, directive: &Directive) -> Vec<String> {
    let name = format!("{folder}/{}", directive.log);
    let given = records(&root.join(&name), &["--format", &directive.text]).unwrap();
    let found = match records(&root.join(&name), &[]) {
        Ok(found) => found,
        Err(message) => return vec![format!("{name}: {message}")],
    };
    if !given.keys().eq(found.keys()) {
        return vec![format!("{name}: {} records of {}", found.len(), given.len())];
    }
    let mut differing: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for ((line, given), found) in given.iter().zip(found.values()) {
        for field in given.keys().chain(found.keys().filter(|field| !given.contains_key(*field))) {
            let (given, found) = (given.get(field), found.get(field));
            if given != found {
                let first = || format!("line {line} is {found:?}, not {given:?}");
                differing.entry(field).or_insert_with(|| (0, first())).0 += 1;
            }
        }
    }
    let allowed: BTreeMap<&str, usize> = ALLOWED
        .iter()
        .filter(|(log, ..)| *log == name)
        .map(|&(_, field, count, _reason)| (field, count))
        .collect();
    let counts: BTreeMap<&str, usize> =
        differing.iter().map(|(field, (count, _))| (*field, *count)).collect();
    if counts == allowed {
        return Vec::new();
    }
    let shown =
        differing.iter().map(|(field, (count, first))| format!("{name}: {field} {count} times: {first}"));
    shown.chain([format!("{name}: allowed are {allowed:?}")]).collect()
}

#[test]
fn recognised_logs_read_as_with_their_directive() {
    let Some(root) = corpora() else { return println!("skipped: no corpora") };
    let (nginx, apache) = ("oracle-nginx-1.22.1", "oracle-apache-2.4.71");
    let of_nginx = oracle::nginx_directives(&root.join(nginx));
    let of_apache = oracle::apache_directives(&root.join(apache));
    let of_nginx = of_nginx.iter().flat_map(|directive| differences(&root, nginx, directive));
    let of_apache = of_apache.iter().flat_map(|directive| differences(&root, apache, directive));
    let differences: Vec<String> = of_nginx.chain(of_apache).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// More than the head of a log: what follows lies in later blocks.
const HEAD_LINES: usize = 17_000;

fn combined(nth: usize, tail: &str) -> String {
    format!(
        "192.0.2.{} - - [23/Nov/2026:05:{:02}:{:02} +0000] \"GET /{nth} HTTP/1.1\" 200 6 \"-\" \"curl/8.5.0\"{tail}\n",
        nth % 250,
        nth / 60 % 60,
        nth % 60
    )
}

/// Name, lines and first line of each format, then lines accepted and rejected.
fn formats_of(run: &Run) -> (Vec<(String, u64, u64)>, [u64; 2]) {
    assert_eq!(run.code, 0, "{}", run.err);
    let input = serde_json::from_str::<Value>(&run.out).unwrap()["input"].clone();
    let number = |value: &Value| value.as_u64().unwrap();
    let formats = input["formats"].as_array().unwrap().iter().map(|format| {
        let name = format["name"].as_str().unwrap().to_owned();
        (name, number(&format["lines"]), number(&format["first"]["line"]))
    });
    (formats.collect(), [number(&input["accepted"]), number(&input["rejected"])])
}

/// Whatever the threads, from a file, an archive or a pipe, a log that goes on otherwise has these formats.
fn check_later(name: &str, rest: &str, expected: &[(&str, u64, u64)], counts: [u64; 2]) {
    let scratch = Scratch::new(&format!("later-{name}"));
    let head: String = (0..HEAD_LINES).map(|nth| combined(nth, "")).collect();
    let text = head + rest;
    let log = scratch.file("a.log", text.as_bytes());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    let archive = scratch.file("b.log.gz", &encoder.finish().unwrap());
    let expected: Vec<(String, u64, u64)> =
        expected.iter().map(|&(name, lines, first)| (name.to_owned(), lines, first)).collect();
    for options in [["--json", "--threads", "1"], ["--json", "--threads", "3"]] {
        for run in [
            bandwho(&[&options[..], &[&log]].concat()),
            bandwho(&[&options[..], &[&archive]].concat()),
            bandwho_with(&options, text.as_bytes()),
        ] {
            assert_eq!(formats_of(&run), (expected.clone(), counts), "{name}");
        }
    }
    // With a format that was given nothing is looked for.
    let run = bandwho(&["--json", "--format", "combined", &log]);
    assert_eq!(formats_of(&run).0.len(), 1, "{name}");
}

#[test]
fn formats_that_begin_behind_the_head_are_found_and_named() {
    let head = HEAD_LINES as u64;
    let json = |nth: usize| {
        format!(
            "{{\"time_iso8601\":\"2026-11-23T05:53:11+00:00\",\"remote_addr\":\"198.51.100.7\",\
             \"request\":\"GET /{nth} HTTP/1.1\",\"status\":\"200\",\"body_bytes_sent\":\"7\"}}\n"
        )
    };
    let noise = |nth: usize| format!("2026/11/23 05:53:11 [error] 7#7: *{nth} open() failed\n");
    let rest: String = (0..700).map(json).collect();
    check_later("json", &rest, &[("combined", head, 1), ("nginx_json", 700, head + 1)], [head + 700, 0]);
    let rest: String = (0..9_000).map(|nth| json(nth) + &noise(nth)).collect();
    check_later(
        "mixed",
        &rest,
        &[("combined", head, 1), ("nginx_json", 9_000, head + 1)],
        [head + 9_000, 9_000],
    );
    let rest: String = (0..700).map(|nth| combined(nth, " rt=0.250 uct=\"-\" uht=\"-\" urt=\"-\"")).collect();
    check_later("timed", &rest, &[("combined", head, 1), ("upstream_time", 700, head + 1)], [head + 700, 0]);
    let rest: String = (0..700).map(noise).collect();
    check_later("noise", &rest, &[("combined", head, 1)], [head, 700]);
}

/// A record of nginx's `combined`.
const COMBINED: &str = r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 100000 "-" "x""#;

/// Accepted, rejected and partial lines, and bytes.
fn counted(log: &str, options: &[&str]) -> [u64; 4] {
    let run = bandwho_with(&[&["--no-ip-db", "--json", "-"], options].concat(), log.as_bytes());
    let answer: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", run.err));
    let input = &answer["input"];
    let partial = input["skips"]["partial"].as_u64().unwrap_or(0);
    let [accepted, rejected] = ["accepted", "rejected"].map(|key| input[key].as_u64().unwrap());
    [accepted, rejected, partial, answer["bytes"].as_u64().unwrap()]
}

#[test]
fn a_torn_line_counts_as_little_as_with_its_format_given() {
    let torn = COMBINED.split("00000 ").next().unwrap();
    let glued = format!("{COMBINED}{COMBINED}");
    for (log, expected) in [
        (format!("{COMBINED}\n{torn}\n{COMBINED}\n"), [2, 1, 0, 200_000]),
        (format!("{COMBINED}\n{COMBINED}\n{torn}"), [2, 0, 1, 200_000]),
        (format!("{COMBINED}\n{glued}\n{COMBINED}\n"), [2, 1, 0, 200_000]),
        (format!("{COMBINED}\n{torn}{COMBINED}\n{COMBINED}\n"), [2, 1, 0, 200_000]),
    ] {
        assert_eq!(counted(&log, &[]), expected, "{log}");
        assert_eq!(counted(&log, &["--format", "combined"]), expected, "{log}");
    }
    // The servers of a mixed log write whole lines, and the last is being written.
    let common = COMBINED.split(" \"-\"").next().unwrap();
    let mixed = format!("{COMBINED}\n{common}\n").repeat(10);
    assert_eq!(counted(&mixed, &[]), [20, 0, 0, 2_000_000]);
    assert_eq!(counted(&format!("{mixed}{torn}"), &[]), [20, 0, 1, 2_000_000]);
}

#[test]
fn logs_of_one_machine_are_counted_alike() {
    let folder = Scratch::new("alike");
    let vhost = format!("a.example:80 {COMBINED}\n");
    for (name, text) in [("access.log", format!("{COMBINED}\n")), ("other_vhosts_access.log", vhost)] {
        fs::write(folder.0.join(name), text.repeat(20)).unwrap();
    }
    let run = bandwho(&["--no-ip-db", "--json", folder.0.to_str().unwrap()]);
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&answer["bytes"], &answer["input"]["basis"]), (&4_000_000.into(), &"body".into()));
    assert_eq!(answer["input"]["remarks"], serde_json::json!({}));
}

#[test]
fn a_unit_that_nothing_tells_is_remarked() {
    let check = |line: &dyn Fn(u64) -> String, expected: Value| {
        let log: String = (1..=40).map(|nth| line(nth) + "\n").collect();
        let run = bandwho_with(&["--no-ip-db", "--json", "-"], log.as_bytes());
        let answer: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(answer["input"]["remarks"], expected, "{}", line(1));
    };
    let assumed = serde_json::json!({ "duration-unit-assumed": 40 });
    let none = serde_json::json!({});
    let json = |name: &'static str| {
        move |nth: u64| {
            format!(
                r#"{{"remote_addr":"192.0.2.1","time":"2026-11-23T05:53:11Z","status":200,"bytes":5,"{name}":{nth}}}"#
            )
        }
    };
    check(&|nth| format!("{COMBINED} {}", 1_250_113 + nth * 7_919_113 % 1_000_003), assumed.clone());
    for name in ["latency", "duration", "elapsed", "took", "response_time", "time_taken"] {
        check(&json(name), assumed.clone());
    }
    check(&json("duration_ms"), none.clone());
    check(&|_| format!("{COMBINED} 0.250"), none);
}

/// Each line of a JSON log is one by itself: what stands between the objects is counted as what it is.
#[test]
fn lines_between_objects_are_no_records() {
    let object = r#"{"client":"192.0.2.1","uri":"/a","status":200,"bytes":5}"#;
    let log = format!("{object}\njava.lang.NullPointerException at com.example.Y(Z.java:7)\n# comment\n")
        .repeat(30);
    let run =
        crate::bandwho_with(&["top", "--by", "client,status", "--json", "--no-ip-db", "-"], log.as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let input = &answer["input"];
    assert_eq!(
        (&input["accepted"], &input["rejected"], &input["skipped"]),
        (&30.into(), &30.into(), &30.into())
    );
    assert_eq!(answer["total"]["bytes"], 150);
}

/// The first value of such a line may be any: that the rest has no literals makes it no word.
#[test]
fn labelled_values_are_read_by_their_labels() {
    let line = "host:192.0.2.1\tident:-\tuser:-\ttime:[23/Nov/2026:05:53:11 +0000]\treq:GET /a HTTP/1.1\tstatus:200\t\
                size:77\treferer:-\tua:curl\n";
    let args = ["top", "--by", "client,status", "--json", "--no-ip-db", "-"];
    let run = crate::bandwho_with(&args, line.repeat(40).as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(answer["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&answer["rows"][0]["client"], &answer["rows"][0]["bytes"]),
        (&"192.0.2.1".into(), &3080.into())
    );
}
