//! `clients`: how many there were.

use std::fmt::Write;

use serde_json::json;

use crate::{Scratch, bandwho, json};

/// Requests of three paths: a client in five is IPv6, the last line's is nobody.
fn log(clients: u32) -> String {
    let mut log = String::new();
    for number in 0..clients * 3 {
        let client = number % clients;
        let [high, low] = [client >> 8, client & 0xff];
        let address = if client.is_multiple_of(5) {
            format!("2001:db8::{client:x}")
        } else {
            format!("10.9.{high}.{low}")
        };
        let path = if number < clients { "/all" } else { ["/some", "/few"][usize::from(client > 9)] };
        let _ = writeln!(
            log,
            "{address} - - [23/Nov/2026:05:53:11 +0000] \"GET {path} HTTP/1.1\" 200 6 \"-\" \"curl/8\""
        );
    }
    log + "- - - [23/Nov/2026:05:53:11 +0000] \"GET /all HTTP/1.1\" 200 6 \"-\" \"curl/8\"\n"
}

#[test]
fn clients_are_estimated_or_counted() {
    let scratch = Scratch::new("clients");
    let log = scratch.file("access.log", log(20_000).as_bytes());
    let top = |more: &[&str]| {
        json(
            &[&["top", "--by", "path", "--sort", "clients", "--columns", "clients", "--json", &log], more]
                .concat(),
        )
    };
    let exact = top(&["--exact"]);
    assert_eq!(
        (&exact["rows"], &exact["total"]["clients"], &exact["clients_error"]),
        (
            &json!([
                {"path": "/all", "clients": 20_000},
                {"path": "/few", "clients": 19_990},
                {"path": "/some", "clients": 10}
            ]),
            &json!(20_000),
            &json!(0.0)
        )
    );
    let estimated = top(&[]);
    assert_eq!(estimated["clients_error"], json!(0.006));
    for (row, exact) in [(0, 20_000), (1, 19_990), (2, 10_u64)] {
        let clients = estimated["rows"][row]["clients"].as_u64().expect("a number");
        assert!(clients.abs_diff(exact) * 50 <= exact, "{clients} of {exact}");
    }
    // Neither memory nor threads change a row.
    for more in [&["--memory", "1M"][..], &["--threads", "1"], &["--memory", "1M", "--exact"]] {
        let expected = if more.contains(&"--exact") { &exact } else { &estimated };
        let found = top(more);
        assert_eq!((&found["rows"], &found["total"]), (&expected["rows"], &expected["total"]), "{more:?}");
    }
    let ranked = json(&[
        "top",
        "--by",
        "path",
        "--sort",
        "clients",
        "--top",
        "1",
        "--exact",
        "--columns",
        "clients",
        "--json",
        &log,
    ]);
    assert_eq!(
        ranked["other"],
        json!({"groups": 2, "clients": 20_000}),
        "one who asked for two paths is one client"
    );
}

#[test]
fn clients_are_not_kept_per_slot() {
    let scratch = Scratch::new("clients-slot");
    let log = scratch.file("access.log", log(3).as_bytes());
    let run = bandwho(&["top", "--by", "slot", "--columns", "clients", &log]);
    assert_eq!(run.code, 2, "{}", run.err);
    let words = bandwho(&["top", "--by", "path", "--columns", "clients", &log]);
    assert!(words.out.contains("standard error 0.6 %"), "{}", words.out);
}
