//! What users meet: answers, messages, exit codes.

use crate::{Scratch, bandwho, bandwho_with, corpora, json, testdata};

const LINE: &str = r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET /a HTTP/1.1" 200 1000 "-" "curl/8""#;

/// The exit code and the first line of stderr.
fn check(args: &[&str], input: &str, code: i32, message: &str) {
    let run = bandwho_with(args, input.as_bytes());
    assert_eq!((run.code, run.err.lines().next().unwrap_or_default()), (code, message), "bandwho {args:?}");
}

#[test]
fn the_main_job_answers_on_the_sample() {
    let (log, places, servers) = (testdata("sample.log"), testdata("places.mmdb"), testdata("servers.csv"));
    let answer = json(&[
        "top",
        "--by",
        "idc,region,slot",
        "--top",
        "0",
        "--json",
        "--ip-db",
        &places,
        "--servers",
        &servers,
        &log,
    ]);
    assert_eq!(answer["schema"], "bandwho.top/1");
    assert_eq!(answer["input"]["accepted"], 240);
    assert_eq!(answer["input"]["tz"], "+08:00");
    assert_eq!(answer["input"]["servers"]["matched"]["server_addr"], 240);
    let rows = answer["rows"].as_array().unwrap();
    let sum = |name: &str| rows.iter().map(|row| row[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum("requests"), 240);
    assert_eq!(sum("bytes"), answer["total"]["bytes"].as_u64().unwrap());
    assert!(rows.iter().any(|row| row["idc"] == "bj" && row["region"] == "CN-GD"));
}

#[test]
fn threads_pipes_and_splits_make_no_difference() {
    let log = testdata("sample.log");
    let text = std::fs::read(&log).unwrap();
    let rows = |args: &[&str], input: &[u8]| {
        let run = bandwho_with(args, input);
        assert_eq!(run.code, 0, "{}", run.err);
        let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        (answer["rows"].clone(), answer["other"].clone(), answer["total"].clone())
    };
    let question = ["top", "--by", "client,slot", "--json", "--top", "7"];
    let one = rows(&[&question[..], &["--threads", "1", &log]].concat(), b"");
    assert_eq!(rows(&[&question[..], &["--threads", "2", &log]].concat(), b""), one);
    assert_eq!(rows(&[&question[..], &["-"]].concat(), &text), one);
    let folder = std::env::temp_dir().join(format!("bandwho-split-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let middle = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(99).unwrap().0 + 1;
    std::fs::write(folder.join("b.log"), &text[..middle]).unwrap();
    std::fs::write(folder.join("a.log"), &text[middle..]).unwrap();
    let split = rows(&[&question[..], &[folder.to_str().unwrap()]].concat(), b"");
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(split, one);
}

#[test]
fn known_totals_of_real_logs() {
    let Some(root) = corpora() else { return println!("skipped: no corpora") };
    let check = |name: &str, lines: u64, bytes: u64, clients: u64| {
        let answer = json(&["--json", root.join(name).to_str().unwrap()]);
        let input = &answer["input"];
        assert_eq!(
            (input["accepted"].as_u64(), input["rejected"].as_u64()),
            (Some(lines), Some(0)),
            "{name}"
        );
        assert_eq!(
            (answer["bytes"].as_u64(), answer["clients"].as_u64()),
            (Some(bytes), Some(clients)),
            "{name}"
        );
    };
    check("elastic-examples/apache_logs", 10_000, 2_747_282_740, 1_753);
    let log = root.join("elastic-examples/apache_logs");
    let answer = json(&["top", "--by", "status", "--top", "0", "--json", log.to_str().unwrap()]);
    let statuses = answer["rows"].as_array().unwrap();
    let mut counts: Vec<(u64, u64)> = statuses
        .iter()
        .map(|row| (row["status"].as_u64().unwrap(), row["requests"].as_u64().unwrap()))
        .collect();
    counts.sort_unstable();
    assert_eq!(
        counts,
        [(200, 9126), (206, 45), (301, 164), (304, 445), (403, 2), (404, 213), (416, 2), (500, 3)]
    );
    check("lnav/logfile_shop_access_log.0", 1_000, 18_963_364, 101);
}

#[test]
fn hostile_numbers_and_files_are_named_not_fatal() {
    let huge = LINE.replace(" 1000 ", " 9223372036854775808 ");
    let answer =
        bandwho_with(&["top", "--by", "client", "--json"], format!("{LINE}\n{huge}\n{huge}\n").as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(answer["input"]["rejects"][0]["reason"], "bytes-range");
    assert_eq!(answer["input"]["rejects"][0]["count"], 2);
    assert_eq!(answer["input"]["rejects"][0]["first"]["line"], 2);
    assert_eq!(answer["total"]["bytes"], 1000);
    let long = format!("{LINE} 9223372036854775808\n");
    let run = bandwho_with(&["slots", "--json", "--format", "combined_d"], long.as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(answer["input"]["remarks"]["duration-implausible"], 1);
    assert_eq!(answer["total"]["bytes"], 1000);
    check(&["top", "--by", "client", "--json"], "", 0, "");
    let binary: Vec<u8> = (0..20_000u32).map(|n| (n * 37 % 251) as u8).collect();
    let run = bandwho_with(&["top", "--by", "client"], &binary);
    assert_eq!(run.code, 1);
    assert!(run.err.starts_with("bandwho: no line of - matches a known format; nearest is "), "{}", run.err);
}

#[test]
fn an_unclosed_last_quote_counts_where_the_line_is_whole() {
    let cut = LINE.trim_end_matches('"');
    let count = |input: String| {
        let run = bandwho_with(&["top", "--by", "agent", "--json"], input.as_bytes());
        let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        let input = &answer["input"];
        ["accepted", "rejected", "skipped"].map(|name| input[name].as_u64().unwrap())
    };
    assert_eq!(count(format!("{LINE}\n{cut}\n{LINE}\n")), [3, 0, 0]);
    assert_eq!(count(format!("{LINE}\n{cut}")), [1, 0, 1]);
}

#[test]
fn messages_and_exit_codes() {
    check(&["no-such.log"], "", 1, "bandwho: cannot open no-such.log: no such file or directory");
    check(&["top", "--by", "regoin"], LINE, 2, &unknown_dimension());
    check(&["--slot", "7m"], LINE, 2, "bandwho: --slot 7m: a slot must divide a day: 1m, 5m, 1h, 1d");
    check(
        &["top", "--by", "host"],
        LINE,
        1,
        "bandwho: no log has a field for `host`; the formats are: $remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\"",
    );
    check(
        &["--strict"],
        &format!("{LINE}\nnonsense\n{LINE}\n"),
        3,
        "bandwho: --strict: 1 lines were rejected",
    );
    let empty = std::env::temp_dir().join(format!("bandwho-empty-{}", std::process::id()));
    std::fs::create_dir_all(&empty).unwrap();
    check(&[empty.to_str().unwrap()], "", 1, &format!("bandwho: no log files in {}", empty.display()));
    std::fs::remove_dir(&empty).unwrap();
}

fn unknown_dimension() -> String {
    "bandwho: --by: unknown dimension `regoin` (did you mean `region`?); there are slot, day, hour, weekday, idc, \
     server, region, country, province, city, carrier, asn, org, netkind, client, net, host, path, prefix, ext, \
     template, method, status, class, referer, refhost, agent, family, bot, claim, cache"
        .to_owned()
}

#[test]
fn a_format_that_does_not_match_shows_where() {
    let run = bandwho_with(
        &["--format", "combined"],
        b"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 2x0 1 \"-\" \"x\"\n",
    );
    assert_eq!(run.code, 1);
    let lines: Vec<&str> = run.err.lines().collect();
    assert_eq!(lines[1], "line 1, column 61: this is not a status");
    assert_eq!(lines[3].find('^'), lines[2].find("2x0").map(|at| at - '…'.len_utf8() + 1), "{}", run.err);
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let text = format!("{LINE}\n").repeat(100_000);
    let path = std::env::temp_dir().join(format!("bandwho-pipe-{}.log", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_bandwho"))
        .args(["lines", path.to_str().unwrap()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    assert_eq!(bandwho(&["lines", "--limit", "2", &testdata("sample.log")]).out.lines().count(), 2);
}

#[test]
fn a_machine_is_known_by_its_syslog_header() {
    let scratch = Scratch::new("syslog");
    let servers = scratch.file("servers.csv", b"host,idc\nlb1,bj\nlb2.example.com,gz\n");
    let lines = format!(
        "<190>Nov 23 05:53:03 lb1 nginx: {LINE}\n<34>1 2026-11-23T05:53:03Z lb2.example.com nginx 7 - - {LINE}\n\
         2026-11-23T05:53:03.003+01:00 lb1 nginx: {LINE}\n<34>1 2026-11-23T05:53:03Z - nginx 7 - - {LINE}\n"
    );
    let log = scratch.file("a.log", lines.as_bytes());
    let answer =
        json(&["top", "--by", "idc", "--json", "--servers", &servers, "--idc-default", "other", &log]);
    let rows: Vec<_> =
        answer["rows"].as_array().unwrap().iter().map(|row| (&row["idc"], &row["requests"])).collect();
    assert_eq!(rows, [(&"bj".into(), &2.into()), (&"gz".into(), &1.into()), (&"other".into(), &1.into())]);
    let answer = json(&["top", "--by", "server", "--json", &log]);
    assert_eq!(answer["rows"][0]["server"], "lb1");
}

/// The program in a folder: what it says, and the rows' data centres.
#[cfg(unix)]
fn idcs_in(folder: &std::path::Path, args: &[&str]) -> (String, Vec<String>) {
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_bandwho"))
        .args(["top", "--by", "idc", "--no-ip-db", "--json"])
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(program.stderr).unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&program.stdout).unwrap_or_default();
    let rows = answer["rows"].as_array().cloned().unwrap_or_default();
    (said, rows.iter().map(|row| row["idc"].as_str().unwrap_or_default().to_owned()).collect())
}

#[cfg(unix)]
#[test]
fn logs_are_found_by_where_they_lie_however_they_are_named() {
    let scratch = Scratch::new("relative");
    let folder = scratch.0.canonicalize().unwrap();
    std::fs::create_dir_all(folder.join("logs/bj")).unwrap();
    scratch.file("logs/bj/a.log", format!("{LINE}\n").as_bytes());
    let root = folder.to_str().unwrap();
    let list = scratch.file("servers.csv", format!("path,idc\n{root}/logs/bj/,bj\n").as_bytes());
    let (capture, pair) = (format!("{root}/logs/{{idc}}/"), format!("{root}/logs/bj=bj"));
    for keys in [["--idc", &capture], ["--idc", &pair], ["--servers", &list]] {
        for (below, log) in
            [(".", "logs"), (".", "./logs/bj/a.log"), ("logs", "../logs/bj"), (".", &format!("{root}/logs"))]
        {
            let (said, idcs) = idcs_in(&folder.join(below), &[keys[0], keys[1], log]);
            assert_eq!((idcs, said), (vec!["bj".to_owned()], String::new()), "{keys:?} {log}");
        }
    }
    let (said, idcs) = idcs_in(&folder, &["--idc", "/none/{idc}/", "logs"]);
    let note = "bandwho: note: no log path matches /none/{idc}/: every idc is unknown\n";
    assert_eq!((idcs, said.as_str()), (vec!["unknown".to_owned()], note));
}

#[cfg(unix)]
#[test]
fn server_lists_come_from_pipes_and_devices_are_refused() {
    let scratch = Scratch::new("pipe");
    let log = scratch.file("a.log", format!("{LINE}\n").as_bytes());
    let pipe = scratch.0.join("servers.pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, b"path,idc\n/,bj\n")
    });
    let (said, idcs) = idcs_in(&scratch.0, &["--servers", pipe.to_str().unwrap(), &log]);
    assert_eq!((idcs, said), (vec!["bj".to_owned()], String::new()));
    writer.join().unwrap().unwrap();
    let refused = |list: &str| idcs_in(&scratch.0, &["--servers", list, &log]).0;
    let folder = scratch.0.to_str().unwrap();
    assert_eq!(refused(folder), format!("bandwho: cannot read {folder}: is a directory\n"));
    assert_eq!(
        refused("/dev/zero"),
        "bandwho: /dev/zero: a server list is UTF-8 text, and this holds bytes of zero\n"
    );
}

#[cfg(unix)]
#[test]
fn a_network_without_data_centre_has_no_default() {
    let scratch = Scratch::new("nowhere");
    let line = |server: &str| format!("192.0.2.1 [23/Nov/2026:05:53:11 +0000] 1 {server}\n");
    let log = scratch.file("a.log", ["10.0.0.1", "10.1.0.1", "11.0.0.1"].map(line).concat().as_bytes());
    let list = scratch.file("geo.conf", b"geo $idc { default bj; 10.0.0.0/8 gz; 10.1.0.0/16 ''; }");
    let format = "$remote_addr [$time_local] $body_bytes_sent $server_addr";
    let (_, mut idcs) = idcs_in(&scratch.0, &["--format", format, "--servers", &list, &log]);
    idcs.sort_unstable();
    assert_eq!(idcs, ["bj", "gz", "unknown"]);
}

#[test]
fn net_kind_lists_need_no_database() {
    let scratch = Scratch::new("netkind");
    let log = scratch.file("a.log", format!("{LINE}\n").as_bytes());
    let list = scratch.file("kinds.txt", b"192.0.2.0/24,idc\n");
    let answer = json(&["top", "--by", "netkind", "--json", "--no-ip-db", "--net-kind", &list, &log]);
    assert_eq!(answer["rows"][0]["netkind"], "idc");
}
