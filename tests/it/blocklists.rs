//! Addresses for what blocks them, and networks joined with their neighbours.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::{Scratch, bandwho, json as answer_of};

fn log(requests: &[(&str, u64)]) -> String {
    let line = |(client, bytes): &(&str, u64)| {
        format!(
            "{client} - - [23/Nov/2026:05:53:03 +0000] \"GET /a HTTP/1.1\" 200 {bytes} \"-\" \"curl/8\"\n"
        )
    };
    requests.iter().map(line).collect()
}

const REQUESTS: [(&str, u64); 9] = [
    ("192.0.2.1", 500),
    ("192.0.2.2", 100),
    ("192.0.3.9", 550),
    ("198.51.100.1", 5_000),
    ("198.51.101.1", 100),
    ("203.0.113.1", 50),
    ("2001:db8:4::1", 600),
    ("2001:db8:5::1", 600),
    ("host.example", 2_000),
];

#[test]
fn neighbouring_networks_are_joined() {
    let scratch = Scratch::new("net-auto");
    let path = scratch.file("a.log", log(&REQUESTS).as_bytes());
    let answer = answer_of(&["top", "--by", "net", "--net", "auto", "--min-share", "10%", "--json", &path]);
    let rows = answer["rows"].as_array().unwrap();
    let cells: Value = rows.iter().map(|row| json!([row["net"], row["bytes"], row["networks"]])).collect();
    assert_eq!(
        cells,
        json!([
            ["198.51.100.0/24", 5_000, 1],
            ["unknown", 2_000, 1],
            ["2001:db8:4::/47", 1_200, 2],
            ["192.0.2.0/23", 1_150, 2],
        ])
    );
    assert_eq!(
        answer["other"],
        json!({"groups": 2, "requests": 2, "bytes": 150, "share": answer["other"]["share"],
        "avg_bps": answer["other"]["avg_bps"], "networks": 2})
    );
    assert_eq!((&answer["total"]["bytes"], &answer["total"]["networks"]), (&json!(9_500), &json!(8)));
}

#[test]
fn joined_rows_have_the_numbers_of_a_filter() {
    let scratch = Scratch::new("net-auto-metrics");
    let path = scratch.file("a.log", log(&REQUESTS).as_bytes());
    let columns = "requests,bytes,clients,peak_bps,p95_bps,driver_share,errors_4xx";
    let joined = answer_of(&[
        "top",
        "--by",
        "net",
        "--net",
        "auto",
        "--min-share",
        "10%",
        "--top",
        "0",
        "--columns",
        columns,
        "--json",
        &path,
    ]);
    for row in joined["rows"].as_array().unwrap() {
        let net = row["net"].as_str().unwrap();
        if net == "unknown" {
            continue;
        }
        let filter = format!("client in {net}");
        let alone =
            answer_of(&["top", "--by", "method", "--where", &filter, "--columns", columns, "--json", &path]);
        for name in ["requests", "bytes", "clients", "peak_bps", "p95_bps", "errors_4xx"] {
            assert_eq!(row[name], alone["total"][name], "{net} {name}");
        }
    }
}

#[test]
fn other_questions_are_refused() {
    let scratch = Scratch::new("blocklists-refused");
    let path = scratch.file("a.log", log(&REQUESTS).as_bytes());
    let list = scratch.0.join("deny.nft").to_str().unwrap().to_owned();
    let check = |args: &[&str], message: &str| {
        let run = bandwho(&[args, &[&path]].concat());
        assert_eq!((run.code, run.err.as_str()), (2, format!("bandwho: {message}\n").as_str()), "{args:?}");
    };
    let only = format!(
        "--output {list}: a blocklist is written by `top --by client` or `top --by net`, with no other dimension"
    );
    check(&["top", "--by", "path", "-o", &list], &only);
    check(&["top", "--by", "client,path", "-o", &list], &only);
    check(&["slots", "-o", &list], &only);
    check(&["-o", &list], &only);
    check(&["top", "--by", "net", "--min-share", "1%"], "--min-share: only networks of --net auto have one");
    check(&["top", "--by", "net,path", "--net", "auto"], "--net auto: rows must be networks alone, --by net");
    check(
        &["top", "--by", "net", "--net", "auto", "--min-share", "0"],
        "--min-share 0: expected 0.01% to 100%, such as 1%",
    );
    assert!(!fs::exists(&list).unwrap());
}

#[test]
fn blocklists_are_what_the_tools_read() {
    let scratch = Scratch::new("blocklists");
    let path = scratch.file("a.log", log(&REQUESTS).as_bytes());
    let written = |by: &str, more: &[&str], name: &str| {
        let list = scratch.0.join(name).to_str().unwrap().to_owned();
        let run = bandwho(&[&["top", "--by", by, "-o", &list], more, &[&path]].concat());
        assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
        (list.clone(), fs::read_to_string(&list).unwrap())
    };
    let (_, text) = written("client", &["--where", "bytes >= 550"], "deny.nginx");
    assert_eq!(
        text,
        "# bandwho top --by client, where bytes >= 550\n\
         # 5 of 9 lines, from 2026-11-23T05:53:03+00:00 to 2026-11-23T05:53:03+00:00\n\
         # listed: 2 IPv4, 2 IPv6; not listed: 0 other groups, 1 rows that are no address\n\
         # use: include this file in http, server or location\n\
         deny 198.51.100.1;\ndeny 192.0.3.9;\ndeny 2001:db8:4::1;\ndeny 2001:db8:5::1;\n"
    );
    let (list, text) = written("net", &["--net", "auto", "--min-share", "10%"], "deny.nft");
    assert!(
        text.contains("add element inet bandwho deny4 {\n    198.51.100.0/24,\n    192.0.2.0/23\n}\n"),
        "{text}"
    );
    assert!(text.contains("add element inet bandwho deny6 {\n    2001:db8:4::/47\n}\n"), "{text}");
    checked("nft", &["-c", "-f", &list]);
    let (_, text) = written("net", &["--top", "1"], "deny.ipset");
    assert!(text.contains("\nadd bandwho_deny4 198.51.100.0/24\n"), "{text}");
    assert!(text.contains("# listed: 1 IPv4, 0 IPv6; not listed: 7 other groups, 0 rows"), "{text}");
}

/// Asks the tool itself, where it is installed and may be run.
fn checked(tool: &str, args: &[&str]) {
    match Command::new(tool).args(args).output() {
        Ok(run) if !run.status.success() => {
            let reason = String::from_utf8_lossy(&run.stderr).into_owned();
            assert!(reason.contains("not permitted"), "{tool} {args:?}: {reason}");
            println!("skipped: {tool} may not be run");
        }
        Ok(_) => {}
        Err(_) => println!("skipped: no {tool}"),
    }
}
