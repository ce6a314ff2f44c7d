//! `--having`: which rows are shown, and that the others are not lost.

use serde_json::json;

use crate::{Scratch, bandwho, json};

/// Bytes of some requests of three clients.
fn log() -> String {
    let requests = [(1, 100), (1, 100), (1, 100), (2, 5_000_000), (3, 2_000), (3, 48_000)];
    let line = |(client, bytes): (u32, u64)| {
        format!(
            "192.0.2.{client} - - [23/Nov/2026:05:53:11 +0000] \"GET /{bytes} HTTP/1.1\" 200 {bytes} \"-\" \"-\"\n"
        )
    };
    requests.map(line).concat()
}

#[test]
fn rows_that_fail_are_added_up() {
    let scratch = Scratch::new("having");
    let log = scratch.file("access.log", log().as_bytes());
    let check = |having: &str, clients: &[&str], others: (u64, u64)| {
        for memory in ["64M", "1M"] {
            let answer =
                json(&["top", "--by", "client", "--having", having, "--memory", memory, "--json", &log]);
            let rows = answer["rows"].as_array().unwrap();
            let shown: Vec<&str> = rows.iter().map(|row| row["client"].as_str().unwrap()).collect();
            assert_eq!(shown, clients, "{having}");
            let other = &answer["other"];
            assert_eq!((&other["groups"], &other["bytes"]), (&json!(others.0), &json!(others.1)), "{having}");
            assert_eq!(answer["total"]["bytes"], json!(5_050_300));
            let written = bandwho(&["top", "--by", "client", "--having", having, &log]).out;
            assert!(written.contains("having"), "{written}");
        }
    };
    check("requests >= 2", &["192.0.2.3", "192.0.2.1"], (1, 5_000_000));
    check("bytes > 1MB or requests = 3", &["192.0.2.2", "192.0.2.1"], (1, 50_000));
    check("share > 5%", &["192.0.2.2"], (2, 50_300));
    check("bytes > 1PB", &[], (3, 5_050_300));
    check("clients = 1 and not bytes < 50kB", &["192.0.2.2", "192.0.2.3"], (1, 300));
    let by = json(&["top", "--by", "client,path", "--having", "requests > 2", "--json", &log]);
    assert_eq!(by["rows"], json!([by["rows"][0]]), "the same object three times");
    assert_eq!((&by["rows"][0]["client"], &by["other"]["groups"]), (&json!("192.0.2.1"), &json!(3)));
}

#[test]
fn what_cannot_be_meant_is_pointed_at() {
    let check = |by: &str, having: &str, expected: &str| {
        let run = bandwho(&["top", "--by", by, "--having", having, "none.log"]);
        assert_eq!((run.code, run.err.as_str()), (2, expected));
    };
    let expected =
        "bandwho: --having: bytes such as 500, 10MB or 50GB are expected\n  bytes > 5s\n          ^\n";
    check("path", "bytes > 5s", expected);
    let expected = "bandwho: rt_p95 is not kept per slot: it cannot be split by slot, day, hour or weekday\n";
    check("slot", "rt_p95 > 5s", expected);
}
