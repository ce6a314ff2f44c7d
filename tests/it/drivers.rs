//! `driver_share`: who filled the slots that set the 95th, in rankings as in bills.

use serde_json::{Value, json};

use crate::{Scratch, bandwho, json};

const FORMAT: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent";

/// Forty slots of five minutes from midnight; each client's bytes in one slot.
fn log(samples: &[(u32, &str, u64)]) -> String {
    let line = |(slot, client, bytes): &(u32, &str, u64)| {
        let (hour, minute) = (slot / 12, slot % 12 * 5);
        format!(
            "192.0.2.{client} - - [23/Nov/2026:{hour:02}:{minute:02}:30 +0000] \"GET / HTTP/1.1\" 200 {bytes}\n"
        )
    };
    samples.iter().map(line).collect()
}

/// Of 40 samples the third is billed: 600 bytes at slot 7, and at slot 9 once more.
fn day() -> String {
    let mut samples = vec![(3, "1", 1000), (5, "1", 500), (5, "2", 300)];
    samples.extend([(7, "2", 600), (9, "1", 200), (9, "3", 400), (11, "1", 599)]);
    samples.extend((0..40).filter(|slot| slot % 2 == 0).map(|slot| (slot, "4", 550)));
    log(&samples)
}

/// Key and share of each row.
fn shares(rows: &Value, share: &str) -> Vec<(String, Value)> {
    let row = |row: &Value| (row["client"].as_str().unwrap().to_owned(), row[share].clone());
    rows.as_array().unwrap().iter().map(row).collect()
}

fn top(log: &str, more: &[&str]) -> Value {
    let question = ["top", "--by", "client", "--sort", "driver_share", "--columns", "bytes,driver_share"];
    json(&[&question, more, &["--format", FORMAT, "--json", log]].concat())
}

#[test]
fn shares_are_those_of_the_bill() {
    let scratch = Scratch::new("drivers");
    let log = scratch.file("a.log", (day() + &self::log(&[(39, "4", 1)])).as_bytes());
    let answer = top(&log, &[]);
    // 1000 + 800 + 600 + 600 bytes: 1000 + 500 + 200 of the first client, 300 + 600 of the second, 400 of the third.
    let expected =
        [("192.0.2.1", 0.566_667), ("192.0.2.2", 0.3), ("192.0.2.3", 0.133_333), ("192.0.2.4", 0.0)];
    let expected: Vec<(String, Value)> =
        expected.iter().map(|(client, share)| ((*client).to_owned(), json!(share))).collect();
    assert_eq!(shares(&answer["rows"], "driver_share"), expected);
    assert_eq!(answer["total"]["driver_share"], json!(1.0));
    let sum: f64 = expected.iter().filter_map(|(_, share)| share.as_f64()).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");

    let period = "2026-11-23 00:00..2026-11-23 03:20";
    let bill = json(&[
        "bill",
        "--method",
        "p95",
        "--period",
        period,
        "--drivers",
        "client",
        "--format",
        FORMAT,
        "--json",
        &log,
    ]);
    assert_eq!(shares(&bill["bills"][0]["drivers"], "share"), expected, "{bill}");

    // Rows and the others add up, whoever is shown.
    let answer = top(&log, &["--top", "1"]);
    assert_eq!(
        (&answer["rows"][0]["driver_share"], &answer["other"]["driver_share"]),
        (&json!(0.566_667), &json!(0.433_333))
    );
    // The 95th is that of what is counted: of twelve samples the first.
    let answer = top(&log, &["--until", "2026-11-23 01:00", "--top", "1"]);
    assert_eq!(answer["rows"], json!([{"client": "192.0.2.1", "bytes": 2299, "driver_share": 1.0}]));
}

#[test]
fn a_95th_of_nothing_is_driven_by_all() {
    let scratch = Scratch::new("drivers-few");
    // Two samples of forty: the third is empty.
    let log = scratch.file("a.log", log(&[(0, "1", 30), (39, "2", 10)]).as_bytes());
    let shares = shares(&top(&log, &[])["rows"], "driver_share");
    assert_eq!(shares, [("192.0.2.1".to_owned(), json!(0.75)), ("192.0.2.2".to_owned(), json!(0.25))]);
    let empty = scratch.file("empty.log", self::log(&[(0, "1", 0)]).as_bytes());
    assert_eq!(top(&empty, &[])["total"]["driver_share"], Value::Null);
}

#[test]
fn without_a_time_there_is_none() {
    let scratch = Scratch::new("drivers-time");
    let log = scratch.file("a.log", b"192.0.2.1 5\n");
    let run = bandwho(&[
        "top",
        "--by",
        "client",
        "--columns",
        "bytes,driver_share",
        "--format",
        "%h %b",
        "--csv",
        &log,
    ]);
    let expected = "row,client,bytes,driver_share\nrow,192.0.2.1,5,\nother,,0,\ntotal,,5,\n";
    assert_eq!((run.code, run.out.as_str()), (0, expected), "{}", run.err);
    let run = bandwho(&["top", "--by", "day", "--columns", "driver_share", &log]);
    let message =
        "bandwho: driver_share is not kept per slot: it cannot be split by slot, day, hour or weekday\n";
    assert_eq!((run.code, run.err.as_str()), (2, message));
}
