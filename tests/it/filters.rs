//! `--where`: with every command, what it counts, what it refuses, and that lines it skips would not have matched.

use proptest::prelude::*;

use crate::{Scratch, bandwho, bandwho_with, json, testdata};

const LOG: &str = r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET /a.ts?x=1 HTTP/1.1" 200 1000 "-" "curl/8" 0.250
192.0.2.2 - ann [23/Nov/2026:05:58:11 +0000] "GET /video/b.ts HTTP/1.1" 503 2000 "https://e.example/x" "bot \x22q\x22" 9.000
2001:db8::1 - - [24/Nov/2026:06:03:11 +0000] "POST /video/c HTTP/2.0" 404 - "-" "-" 0.000
"#;

const FORMAT: &str = "combined_rt";

/// How many of the three records pass.
fn check(expression: &str, expected: u64) {
    let args = ["--json", "--format", FORMAT, "--where", expression];
    let run = bandwho_with(&args, LOG.as_bytes());
    assert_eq!(run.code, 0, "{expression}: {}", run.err);
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let input = &answer["input"];
    let passed = input["accepted"].as_u64().unwrap() - input["filtered"].as_u64().unwrap();
    assert_eq!(passed, expected, "{expression}");
    assert_eq!(answer["requests"].as_u64(), Some(expected), "{expression}");
    assert!(input["where"].is_string(), "{expression}");
}

#[test]
fn every_kind_of_field_is_asked() {
    check("status >= 500", 1);
    check("class in (4xx, 5xx)", 2);
    check("not status = 200 and not class = 4xx", 1);
    check("bytes > 1kB", 1);
    check("bytes = unknown", 1);
    check("body_bytes <= 2kB", 2);
    check("duration > 8s or duration = 0", 2);
    check("client in 192.0.2.0/24", 2);
    check("client in (192.0.2.1, 2001:db8::/32)", 2);
    check("net = 192.0.2.0/24", 2);
    check("path ^= /video/", 2);
    check("ext = ts and method = GET", 2);
    check("query = x=1", 1);
    check("target $= ?x=1", 1);
    check("protocol = HTTP/2.0", 1);
    check("user = ann", 1);
    check("user = unknown", 2);
    check("refhost = e.example", 1);
    check(r#"agent = 'bot "q"'"#, 1);
    check("agent ~ '^(curl|bot)'", 2);
    check("agent !~ curl", 1);
    check("$remote_user = ann", 1);
    check("time >= '2026-11-23 05:55' and time < '2026-11-24'", 1);
    check("start < '2026-11-23 05:58:05'", 2);
    check("day = 2026-11-24 and weekday = Tuesday and hour = 6", 1);
    check("slot = '2026-11-23 05:55'", 1);
    check("asn = unknown or country != unknown", 3);
    check("idc = unknown", 3);
    check("status < 100", 0);
}

#[test]
fn every_command_counts_what_passes() {
    let scratch = Scratch::new("filters");
    let log = scratch.file("access.log", LOG.as_bytes());
    let port = scratch.file("port.csv", b"time,bps\n2026-11-23T05:50:00Z,1\n2026-11-23T05:55:00Z,53\n");
    let status = ["--where", "status >= 200", "--where", "status < 600 and path ^= /video/"];
    let servers = ["--servers", &testdata("servers.csv")];
    let questions: [&[&str]; 7] = [
        &[],
        &["top", "--by", "path"],
        &["slots"],
        &["bill", "--method", "volume"],
        &["dispatch"],
        &["latency"],
        &["top", "--by", "idc,slot"],
    ];
    for question in questions {
        let joined: &[&str] = if question == ["dispatch"] { &servers } else { &[] };
        let answer = json(&[question, &["--json"], joined, &status, &[&log]].concat());
        let input = &answer["input"];
        assert_eq!((&input["accepted"], &input["filtered"]), (&3.into(), &1.into()), "{question:?}");
        assert_eq!(input["where"], "status >= 200 and status < 600 and path ^= /video/", "{question:?}");
        if let Some(total) = answer["total"]["bytes"].as_u64() {
            assert_eq!(total, 2000, "{question:?}");
        }
    }
    let args = ["audit", "--port", &port, "--json", "--tz", "UTC"];
    let run = bandwho(&[&args[..], &status, &[&log]].concat());
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", run.err));
    assert_eq!(answer["input"]["filtered"], 1);
    let run = bandwho(&[&["lines"], &status[..], &[&log]].concat());
    assert_eq!(run.out, LOG.split_once('\n').unwrap().1);
    let run = bandwho(&[&["top", "--by", "path"], &status[..], &[&log]].concat());
    assert!(
        run.out.contains(" | where status >= 200 and status < 600 and path ^= /video/ | "),
        "{}",
        run.out
    );
}

#[test]
fn limits_in_time_and_filters_leave_out_a_record_once() {
    let args = ["top", "--by", "path", "--json", "--since", "2026-11-24", "--where", "status = 200"];
    let run = bandwho_with(&args, LOG.as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&answer["input"]["filtered"], &answer["total"]["requests"]), (&3.into(), &0.into()));
    let args = ["slots", "--json", "--since", "2026-11-24", "--where", "status = 200"];
    let run = bandwho_with(&args, LOG.as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(answer["input"]["filtered"], 3);
}

#[test]
fn errors_show_where_before_anything_is_read() {
    let check = |expression: &str, code: i32, expected: &str| {
        let run = bandwho(&["--where", expression, "/nonexistent.log"]);
        assert_eq!((run.code, run.err.as_str()), (code, expected), "{expression}");
    };
    check(
        "status >= 500 and regoin",
        2,
        "bandwho: --where: one of = != < <= > >= ^= $= *= ~ !~ in is expected\n  status >= 500 and regoin\n                          ^\n",
    );
    check("path ~ '(a'", 2, "bandwho: --where: bad pattern: unclosed group\n  path ~ '(a'\n         ^\n");
    let run = bandwho(&["--where", "$\u{1b}[31m = 1", "/nonexistent.log"]);
    assert!(run.code == 2 && !run.err.contains('\u{1b}'), "{}", run.err);
    let run = bandwho(&["--where", "'%{\u{1b}[31m}i' = 1", &testdata("sample.log")]);
    assert!(run.code == 1 && !run.err.contains('\u{1b}'), "{}", run.err);
    let run = bandwho(&["--where", &"(".repeat(10_000), "/nonexistent.log"]);
    assert_eq!(run.code, 2);
    assert!(run.err.len() < 1_000, "{}", run.err);
    let lacking = |expression: &str, field: &str| {
        let run = bandwho_with(&["--where", expression], &LOG.as_bytes()[..84]);
        assert!(
            run.code == 1 && run.err.contains(&format!("no log has a field for `{field}`; ")),
            "{}",
            run.err
        );
    };
    lacking("tries > 1", "tries");
    lacking("not host = a", "host");
    lacking("$upstream_addr = a", "$upstream_addr");
}

#[test]
fn texts_of_filters_and_logs_are_disarmed() {
    let expression = "agent = '\u{1b}[31m|`<b>' or status = 200";
    for shape in ["--json", "--ndjson", "--csv", "--md"] {
        let run = bandwho_with(&["top", "--by", "path", shape, "--where", expression], LOG.as_bytes());
        assert!(run.code == 0 && !run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "{}", run.out);
    }
    let run = bandwho_with(&["top", "--by", "path", "--where", expression], LOG.as_bytes());
    assert!(!run.out.contains('\u{1b}'));
}

/// Lines of a format with values that a server would write, and some that none would.
fn logs() -> impl Strategy<Value = (&'static str, String)> {
    let path = prop_oneof![
        3 => "/(video|a|b)/[a-c]{1,3}",
        1 => r"/video/[a-c]\\x2fd",
        1 => r"/\\x76ideo/[a-c]",
        1 => r"\\/video\\/[a-c]",
        1 => r"/v\\u0069deo/[a-c]",
    ];
    let client = prop::sample::select(
        &[
            "192.0.2.1",
            "192.0.2.77",
            "::ffff:c000:201",
            "::FFFF:192.0.2.1",
            "10.0.0.1",
            "2001:db8::1",
            "a.example",
        ][..],
    );
    let status = prop::sample::select(&["200", "503", "404"][..]);
    let agent = prop::sample::select(&["curl/8", "bot/1.0 (x)", "-", r"bot\\x2f1", r"b\\u006ft"][..]);
    let line = (client, path, status, agent, 0_u32..600);
    (prop::sample::select(&["combined", "apache", "json"][..]), prop::collection::vec(line, 1..40)).prop_map(
        |(format, lines)| {
            let write = |(client, path, status, agent, bytes): (&str, String, &str, &str, u32)| {
                let time = "23/Nov/2026:05:53:11 +0000";
                let (path, agent) = (path.replace(r"\\", r"\"), agent.replace(r"\\", r"\"));
                match format {
                    "json" => format!(
                        r#"{{"time_local":"{time}","remote_addr":"{client}","request":"GET {path} HTTP/1.1","status":{status},"body_bytes_sent":{bytes},"http_user_agent":"{agent}"}}"#
                    ),
                    _ => format!(r#"{client} - - [{time}] "GET {path} HTTP/1.1" {status} {bytes} "-" "{agent}""#),
                }
            };
            let text: Vec<String> = lines.into_iter().map(write).collect();
            (format, text.join("\n") + "\nnonsense with /video/ and curl/8\n\n")
        },
    )
}

const EXPRESSIONS: [&str; 12] = [
    "path ^= /video/",
    "path = /video/a",
    "path ^= /video/ and agent *= bot",
    "path ^= /video/ or agent *= bot",
    "target *= video or query *= video",
    "client = 192.0.2.1",
    "client in (192.0.2.0/24, 10.0.0.0/8)",
    "status = 503",
    "status in (404, 503) and not agent *= bot",
    "agent = bot/1",
    "agent = unknown or path ^= /video/",
    "agent ~ bot",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_not_read_would_not_match((format, log) in logs(), at in 0..EXPRESSIONS.len()) {
        const APACHE: &str = r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#;
        const JSON: &str = r#"log_format x escape=json '{"time_local":"$time_local","remote_addr":"$remote_addr","request":"$request","status":$status,"body_bytes_sent":$body_bytes_sent,"http_user_agent":"$http_user_agent"}';"#;
        let typed = match format { "apache" => APACHE, "json" => JSON, preset => preset };
        let args = ["lines", "--format", typed, "--where", EXPRESSIONS[at]];
        let skimmed = bandwho_with(&args, log.as_bytes());
        let read = bandwho_with(&[&args[..], &["--strict"]].concat(), log.as_bytes());
        prop_assert_eq!(read.code, 3, "{}", read.err);
        prop_assert_eq!(skimmed.code, 0, "{}", skimmed.err);
        prop_assert_eq!(&skimmed.out, &read.out, "{}", EXPRESSIONS[at]);
        prop_assert!(!read.err.contains("unread"), "{}", read.err);
        let numbered = bandwho_with(&[&args[..], &["--ndjson"]].concat(), log.as_bytes());
        let strict = bandwho_with(&[&args[..], &["--ndjson", "--strict"]].concat(), log.as_bytes());
        prop_assert_eq!(numbered.out, strict.out);
    }
}

#[test]
fn lines_that_were_not_read_are_told() {
    let log = testdata("sample.log");
    let run = bandwho(&["lines", "--where", "path ^= /nothing/like/this", &log]);
    assert_eq!((run.code, run.out.as_str()), (0, ""));
    let told = "240 lines: 0 accepted, 0 rejected, 240 skipped (240 unread)";
    assert!(run.err.contains(told), "{}", run.err);
    let run = bandwho(&["lines", "--strict", "--where", "path ^= /nothing/like/this", &log]);
    assert!(run.err.contains("240 accepted (240 filtered out)"), "{}", run.err);
    // Counting commands read every line.
    let answer = json(&["--json", "--where", "path ^= /nothing/like/this", &log]);
    assert_eq!((&answer["input"]["accepted"], &answer["input"]["filtered"]), (&240.into(), &240.into()));
}
