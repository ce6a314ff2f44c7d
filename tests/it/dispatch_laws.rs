//! What holds of every dispatch answer, whatever the log and the server list.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use crate::{Scratch, bandwho};

const PLACES: &str = "network,country,province,isp,usage_type
60.0.0.0/24,CN,Guangdong,China Telecom,
60.0.1.0/24,CN,Guangdong,,
60.0.2.0/25,CN,Beijing,China Unicom,
60.0.2.128/25,CN,Beijing,China Unicom,DCH
60.0.3.0/24,CN,,China Mobile,
60.0.4.0/24,US,California,Comcast,
60.0.5.0/24,SG,,,
";

const REGIONS: [&str; 7] = ["CN-GD", "BJ", "中国", "US", "SG", "south", ""];
const CARRIERS: [&str; 6] = ["BGP", "双线", "电信", "AS4837", "Nobody", ""];
const PRICES: [&str; 3] = ["10", "12.345678", ""];

/// Client's network and host, server, second of two hours, bytes.
type Request = (u8, u8, u8, u32, u64);

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let host = select(&[1, 2, 130, 200][..]);
    prop::collection::vec((0..7_u8, host, 0..5_u8, 0..7_200_u32, 0..5_000_000_u64), 1..40)
}

fn line(&(net, host, server, second, bytes): &Request) -> String {
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!(
        "60.0.{net}.{host} 10.{server}.0.1 [23/Nov/2026:{hour:02}:{minute:02}:{second:02} +0800] 200 {bytes}\n"
    )
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// Sums of a member over the rows.
fn sum(rows: &Value, name: &str) -> u64 {
    rows.as_array().unwrap().iter().map(|row| number(&row[name])).sum()
}

/// Rows and other make the total.
fn check_table(view: &Value, names: &[&str]) {
    for name in names {
        let rest = number(&view["other"][*name]);
        assert_eq!(sum(&view["rows"], name) + rest, number(&view["total"][*name]), "{name} of {view}");
    }
}

/// The shares of a matrix are those of its cells in their rows and columns.
fn check_matrix(view: &Value, key: &str, bytes: u64) {
    let rows = view["rows"].as_array().unwrap();
    let (mut lines, mut columns) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        *lines.entry(row[key].to_string()).or_insert(0) += number(&row["bytes"]);
        *columns.entry(row["idc"].to_string()).or_insert(0) += number(&row["bytes"]);
    }
    for row in rows {
        let sums =
            [("row_share", lines[&row[key].to_string()]), ("column_share", columns[&row["idc"].to_string()])];
        for (share, whole) in sums {
            #[allow(clippy::cast_precision_loss, reason = "a share is written with six digits")]
            let expected = number(&row["bytes"]) as f64 / whole as f64;
            let found = row[share].as_f64();
            assert!(whole == 0 || (found.unwrap() - expected).abs() < 1e-6, "{share} of {row}");
        }
    }
    assert_eq!(number(&view["total"]["bytes"]), bytes);
}

fn check_answer(answer: &Value, bytes: u64) {
    assert_eq!(number(&answer["bytes"]), bytes);
    let views = &answer["views"];
    check_matrix(&views["region_idc"], "region", bytes);
    check_matrix(&views["carrier_idc"], "carrier", bytes);
    for row in views["shares"]["rows"].as_array().unwrap() {
        let (yes, unknown) = (number(&row["bytes"]), number(&row["unknown_bytes"]));
        let no = bytes.checked_sub(yes + unknown).unwrap();
        #[allow(clippy::cast_precision_loss, reason = "a share is written with six digits")]
        let expected = yes as f64 / (yes + no) as f64;
        assert!(yes + no == 0 || (row["share"].as_f64().unwrap() - expected).abs() < 1e-6, "{row}");
    }
    let misplaced = number(&answer["misplaced_bytes"]);
    let possibly = number(&answer["possibly_misplaced_bytes"]);
    assert!(misplaced + possibly + number(&answer["cloud_bytes"]) <= bytes);
    for view in ["misplaced", "networks"] {
        check_table(&views[view], &["requests", "bytes"]);
        assert_eq!(number(&views[view]["total"]["bytes"]), misplaced);
        assert_eq!(views[view]["total"]["requests"], answer["misplaced_requests"]);
    }
    for view in ["region_idc", "carrier_idc"] {
        check_table(&views[view], &["requests", "bytes"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_answer_adds_up(
        sites in prop::collection::vec((select(&REGIONS[..]), select(&CARRIERS[..]), select(&PRICES[..])), 2..5),
        requests in requests(),
        cut in any::<Index>(),
    ) {
        let scratch = Scratch::new("dispatch-laws");
        let mut list = "cidr,idc,region,carrier,price\n".to_owned();
        for (at, (region, carrier, price)) in sites.iter().enumerate() {
            list.push_str(&format!("10.{at}.0.0/24,idc{at},{region},{carrier},{price}\n"));
        }
        let servers = scratch.file("servers.csv", list.as_bytes());
        let places = scratch.file("places.csv", PLACES.as_bytes());
        let lines: Vec<String> = requests.iter().map(line).collect();
        let bytes = requests.iter().map(|request| request.4).sum();
        let ask = |more: &[&str]| {
            let format = "$remote_addr $server_addr [$time_local] $status $body_bytes_sent";
            let options = ["dispatch", "--format", format, "--servers", &servers, "--ip-db", &places, "--json"];
            let what_if = ["--move", "country=CN:idc0->idc1"];
            let run = bandwho(&[&options[..], &what_if, more].concat());
            assert_eq!(run.code, 0, "{}", run.err);
            let mut answer: Value = serde_json::from_str(&run.out).unwrap();
            answer["input"].take();
            answer
        };
        let whole = scratch.file("whole.log", lines.concat().as_bytes());
        let answer = ask(&["--top", "0", "--threads", "1", &whole]);
        check_answer(&answer, bytes);
        // However the log is cut and whoever reads it.
        let (first, second) = lines.split_at(cut.index(lines.len()));
        let first = scratch.file("b.log", first.concat().as_bytes());
        let second = scratch.file("a.log", second.concat().as_bytes());
        prop_assert_eq!(&ask(&["--top", "0", "--threads", "3", &second, &first]), &answer);
        // What has no row of its own is in other.
        let short = ask(&["--top", "1", &whole]);
        for view in ["region_idc", "carrier_idc", "misplaced", "networks"] {
            check_table(&short["views"][view], &["requests", "bytes"]);
            prop_assert_eq!(&short["views"][view]["total"], &answer["views"][view]["total"]);
        }
    }
}
