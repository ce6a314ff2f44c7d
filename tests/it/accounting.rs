//! Bills of a generated log against an independent computation (tests/oracle/bill.py), and what people type.

use std::process::Command;

use serde_json::{Value, json as value};

use crate::{Scratch, bandwho, json};

const FORMAT: &str =
    "$remote_addr - - [$msec] \"$request\" $status $body_bytes_sent $request_time $server_addr";

/// The oracle's log, which also has what was received.
const BOTH_WAYS: &str = "$remote_addr - - [$msec] \"$request\" $status $body_bytes_sent $request_time $server_addr $request_length";

/// What the oracle prints; `None` where there is no Python. CI says that there must be one.
fn oracle(command: &str, folder: &str) -> Option<Vec<u8>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/bill.py");
    match Command::new("python3").args([script, command, folder]).output() {
        Ok(run) => {
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            Some(run.stdout)
        }
        Err(error) => {
            assert!(std::env::var_os("BANDWHO_PYTHON").is_none(), "python3: {error}");
            println!("skipped: no python3 to compute what must come out ({error})");
            None
        }
    }
}

/// Shares have six digits in answers.
fn rounded(share: &Value) -> Value {
    let (part, whole) = (share[0].as_f64().unwrap(), share[1].as_f64().unwrap());
    value!((part / whole * 1e6).round() / 1e6)
}

fn drivers(expected: &Value) -> Value {
    let drivers = expected["drivers"].as_array().unwrap().iter().cloned().map(|mut driver| {
        driver["share"] = rounded(&driver["share"]);
        driver["share_overall"] = rounded(&driver["share_overall"]);
        driver
    });
    drivers.collect()
}

#[test]
fn bills_are_those_of_an_independent_computation() {
    let scratch = Scratch::new("oracle-bill");
    let folder = scratch.0.to_str().unwrap();
    if oracle("generate", folder).is_none() {
        return;
    }
    let expected: Value = serde_json::from_slice(&oracle("expect", folder).unwrap()).unwrap();
    let expected = expected.as_object().unwrap();
    assert_eq!(expected.len(), 9, "three zones, three schemes");
    let file = |name: &str| format!("{folder}/{name}");
    let (log, places, servers) = (file("access.log"), file("places.csv"), file("servers.csv"));
    for (case, expected) in expected {
        let (zone, scheme) = case.split_once(' ').unwrap();
        let asked = [
            "--tz",
            zone,
            "--scheme",
            scheme,
            "--format",
            BOTH_WAYS,
            "--ip-db",
            &places,
            "--servers",
            &servers,
        ];
        let run = |words: &[&str]| json(&[words, &asked, &["--json", &log]].concat());
        let bill = &run(&["bill", "--drivers", "region,carrier", "--top", "0"])["bills"][0];
        for figure in [
            "samples",
            "rank",
            "billed_bps",
            "billed_slot_epoch",
            "outside_bytes",
            "interval_bps",
            "end_spike_bps",
        ] {
            assert_eq!(bill[figure], expected[figure], "{case}: {figure}");
        }
        assert_eq!(bill["drivers"], drivers(expected), "{case}");
        let peaks = &run(&["bill", "--method", "nth-peak:4"])["bills"][0];
        assert_eq!(peaks["billed_bps"], expected["nth_peak_4_bps"], "{case}");
        assert_eq!(peaks["valid_days"], expected["days"], "{case}");
        let slots = run(&["slots"]);
        let slots = slots["rows"].as_array().unwrap().iter();
        let slots = slots.map(|row| value!([row["slot_start_epoch"], row["requests"], row["bytes"]]));
        // Bytes may be spread before the first logged time: the period begins with its slot.
        let first = &expected["slots"][0][0];
        let slots = slots.filter(|slot| slot[0].as_i64() >= first.as_i64());
        assert_eq!(slots.collect::<Value>(), expected["slots"], "{case}");
    }
}

/// Directions, overheads, scopes, sample lengths, valid days and methods, in one zone. All that differs is told at once.
#[test]
fn terms_are_those_of_an_independent_computation() {
    let scratch = Scratch::new("oracle-terms");
    let folder = scratch.0.to_str().unwrap();
    if oracle("generate", folder).is_none() {
        return;
    }
    let cases: Value = serde_json::from_slice(&oracle("terms", folder).unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 18);
    let file = |name: &str| format!("{folder}/{name}");
    let (log, places, servers) = (file("access.log"), file("places.csv"), file("servers.csv"));
    let asked =
        ["--tz", "Asia/Shanghai", "--format", BOTH_WAYS, "--ip-db", &places, "--servers", &servers, "--json"];
    let mut differences = Vec::new();
    for case in cases {
        let words = case["words"].as_array().unwrap().iter();
        let words: Vec<&str> = words.map(|word| word.as_str().unwrap()).collect();
        let drive = ["bill", "--drivers", "region,carrier", "--top", "0", &log];
        let answer = json(&[&drive[..], &asked, &words].concat());
        let mut check = |of: &Value, name: &str, found: &Value, expected: &Value| {
            if found != expected {
                differences
                    .push(format!("{} {of} {name}\n   found {found}\nexpected {expected}", case["words"]));
            }
        };
        for (name, expected) in case["heading"].as_object().unwrap() {
            check(&Value::Null, name, &answer[name], expected);
        }
        let (bills, expected) = (answer["bills"].as_array().unwrap(), case["bills"].as_array().unwrap());
        assert_eq!(bills.len(), expected.len(), "{words:?}");
        for (bill, expected) in bills.iter().zip(expected) {
            for (name, figure) in expected.as_object().unwrap() {
                let figure = if name == "drivers" { &drivers(expected) } else { figure };
                check(&expected["port"], name, &bill[name], figure);
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn dispatch_is_that_of_an_independent_computation() {
    let scratch = Scratch::new("oracle-dispatch");
    let folder = scratch.0.to_str().unwrap();
    if oracle("generate", folder).is_none() {
        return;
    }
    let expected: Value = serde_json::from_slice(&oracle("dispatch", folder).unwrap()).unwrap();
    let file = |name: &str| format!("{folder}/{name}");
    let (log, places, servers) = (file("access.log"), file("places.csv"), file("servers.csv"));
    let asked = ["--format", BOTH_WAYS, "--tz", "UTC", "--ip-db", &places, "--servers", &servers];
    let answer = json(&[&["dispatch", "--top", "0"][..], &asked, &["--json", &log]].concat());
    let rows = |table: &str| answer["views"][table]["rows"].as_array().unwrap().clone();
    let columns = |table: &str, names: &[&str]| {
        let row = |row: Value| names.iter().map(|name| row[*name].clone()).collect::<Value>();
        let mut cells: Vec<Value> = rows(table).into_iter().map(row).collect();
        cells.sort_by_key(Value::to_string);
        cells
    };
    let sorted = |table: &str| {
        let mut cells = expected[table].as_array().unwrap().clone();
        cells.sort_by_key(Value::to_string);
        cells
    };
    assert_eq!(columns("region_idc", &["region", "idc", "requests", "bytes"]), sorted("region_idc"));
    let names = ["region", "carrier", "idc", "better_idc", "requests", "bytes"];
    assert_eq!(columns("misplaced", &names), sorted("misplaced"));
    let possibly = [&answer["possibly_misplaced_requests"], &answer["possibly_misplaced_bytes"]];
    assert_eq!(value!(possibly), expected["possibly_misplaced"]);
    assert!(possibly[0].as_u64() > Some(0), "{possibly:?}");
    for row in rows("shares") {
        let cells = &expected["shares"][row["measure"].as_str().unwrap()];
        assert_eq!(row["requests"], cells["True"][0], "{row}");
        assert_eq!(row["bytes"], cells["True"][1], "{row}");
        assert_eq!(row["unknown_requests"], cells["None"][0], "{row}");
        assert_eq!(row["unknown_bytes"], cells["None"][1], "{row}");
        let known = cells["True"][1].as_u64().unwrap() + cells["False"][1].as_u64().unwrap();
        assert_eq!(row["share"], rounded(&value!([cells["True"][1], known])), "{row}");
    }
}

/// One request per slot of five minutes: `bytes` of them in order, from 2026-10-01 00:00 in UTC.
fn log(bytes: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let line = |(slot, bytes): (usize, u64)| {
        let second = 1_790_812_800 + 300 * slot;
        format!(
            "192.0.2.{} - - [{second}.000] \"GET /{slot} HTTP/1.1\" 200 {bytes} 0.000 10.0.{}.1\n",
            slot % 250,
            slot % 2
        )
    };
    bytes.into_iter().enumerate().map(line).collect::<String>().into_bytes()
}

const SERVERS: &[u8] = b"address,idc\n10.0.0.1,bj\n10.0.1.1,gz\n";

#[test]
fn a_contract_bills_each_port_by_its_own_rules() {
    let scratch = Scratch::new("contract");
    // Slot n has n × 37.5 MB, which is n Mbps: even slots in bj, odd ones in gz.
    let log = scratch.file("a.log", &log((0..8928).map(|slot| slot * 37_500_000)));
    let servers = scratch.file("servers.csv", SERVERS);
    let contract = scratch.file(
        "contract.toml",
        br#"currency = "CNY"
zone = "UTC"
price = "15"
[[port]]
name = "bj"
idc = ["bj"]
commit = "9Gbps"
[[port]]
name = "gz"
idc = ["gz"]
rank = "cacti"
overhead = "1.07"
"#,
    );
    let asked = ["--format", FORMAT, "--servers", &servers, "--contract", &contract, "--period", "2026-10"];
    let answer = json(&[&["bill"][..], &asked, &["--json", &log]].concat());
    let bills = answer["bills"].as_array().unwrap();
    let figures =
        |bill: &Value, names: &[&str]| names.iter().map(|name| bill[*name].clone()).collect::<Value>();
    // bj has 4464 slots of 0, 2, 4 … 8926 Mbps among 4464 empty ones: the 447th from above is 8926 − 2 · 446.
    let names = ["port", "samples", "rank", "billed_bps", "below_commit_bps", "amount", "left"];
    assert_eq!(
        figures(&bills[0], &names),
        value!(["bj", 8928, 447, 8_034_000_000_u64, 966_000_000, "135000.00", 446])
    );
    // gz: 8927 − 2 · 447 = 8033 Mbps, times 1.07.
    let names = ["port", "rank", "billed_bps", "billed_raw_bps", "overhead_factor", "amount"];
    assert_eq!(
        figures(&bills[1], &names),
        value!(["gz", 448, 8_595_310_000_u64, 8_033_000_000_u64, "1.07", "128929.65"])
    );
    assert_eq!(answer["amount"], value!("263929.65"));
    assert_eq!(answer["unbilled_bytes"], value!(0));
    // 8926 Mbps in bj and 8927 · 1.07 in gz: their samples cannot be added.
    assert_eq!(answer["sum_of_peaks_bps"], value!(18_477_890_000_u64));
    assert_eq!(answer["peak_of_sum_bps"], Value::Null);
    let people = bandwho(&[&["bill"][..], &asked, &[&log]].concat());
    for words in [
        "Port bj",
        "966,000,000 bit/s (966 Mbps) below the commit",
        "rank 447 of 8,928",
        "263929.65 CNY",
        "overhead 1.07",
    ] {
        assert!(people.out.contains(words), "{words}: {}", people.out);
    }
}

#[test]
fn volumes_are_billed_by_tiers_and_what_is_on_no_port_is_told() {
    let scratch = Scratch::new("volume");
    // 3 TB from 10.0.0.1, and 1 GB from the other.
    let log = scratch.file("a.log", &log([1_000_000_000_000, 1_000_000_000, 2_000_000_000_000]));
    let contract = scratch.file(
        "contract.toml",
        br#"zone = "UTC"
[[port]]
name = "cdn"
server = ["10.0.0.1"]
method = "volume"
tier_rule = "slice"
tiers = [{ up_to = "2TB", price = "0.21" }, { price = "0.20" }]
"#,
    );
    let answer = json(&["bill", "--format", FORMAT, "--contract", &contract, "--json", &log]);
    let bill = &answer["bills"][0];
    assert_eq!(answer["unbilled_bytes"], value!(1_000_000_000));
    assert_eq!((&bill["billed_bytes"], &bill["billed_bps"]), (&value!(3_000_000_000_000_u64), &Value::Null));
    // Tencent's example: 2 TB at 0.21 and 1 TB at 0.20 per GB.
    assert_eq!(bill["amount"], value!("620.00"));
    let lines = bill["lines"].as_array().unwrap().iter();
    let amounts: Vec<&Value> = lines.map(|line| &line["amount"]).collect();
    assert_eq!(amounts, ["420.00", "200.00"]);
}

#[test]
fn an_unfinished_period_is_billed_to_date_and_projected() {
    let scratch = Scratch::new("unfinished");
    let log = scratch.file("a.log", &log((0..2880).map(|slot| slot * 37_500_000)));
    let asked = ["bill", "--format", FORMAT, "--tz", "UTC", "--period", "2026-10", "--commit", "1Gbps", &log];
    let bill = |more: &[&str]| json(&[&asked[..], more, &["--json"]].concat())["bills"][0].clone();
    let exclude = bill(&[]);
    assert_eq!((&exclude["samples"], &exclude["period_slots"]), (&value!(2880), &value!(8928)));
    // 2879 − 144 Mbps of what is known; of the whole period, 446 samples may be higher.
    assert_eq!(exclude["billed_bps"], value!(2_735_000_000_u64));
    assert_eq!(exclude["projection_zero_bps"], value!(2_433_000_000_u64));
    // Ten days again and again, so the highest rates come three times each: 447 is 3 · 149.
    assert_eq!(exclude["projection_alike_bps"], value!(2_731_000_000_u64));
    assert_eq!((&exclude["left_exceeding"], &exclude["left"]), (&value!(144), &value!(302)));
    let zero = bill(&["--missing", "zero"]);
    assert_eq!((&zero["samples"], &zero["billed_bps"]), (&value!(8928), &value!(2_433_000_000_u64)));
    let fail = bandwho(&[&asked[..], &["--missing", "fail"]].concat());
    assert_eq!(
        (fail.code, fail.err.as_str()),
        (1, "bandwho: cannot bill: all: the logs cover 2880 of 8928 slots, and missing slots are to fail\n")
    );
    let people = bandwho(&asked);
    assert!(people.out.starts_with("COVERAGE  2,880 of 8,928 slots are within the logs"), "{}", people.out);
    assert!(people.out.contains("PROJECTION"), "{}", people.out);
}

#[test]
fn what_is_wrong_with_a_bill_is_said_before_the_work() {
    let scratch = Scratch::new("wrong-bill");
    let log = scratch.file("a.log", &log([1, 2, 3]));
    let bad = scratch.file("bad.toml", b"currency = \"CNY\"\nmethd = \"p95\"\n");
    let good = scratch.file("good.toml", b"zone = \"UTC\"\n[[port]]\nname = \"all\"\n");
    let check = |words: &[&str], code: i32, message: &str| {
        let run = bandwho(&[&["bill", "--format", FORMAT, &log][..], words].concat());
        assert_eq!(run.code, code, "{}", run.err);
        let first = run
            .err
            .lines()
            .find(|line| !line.contains("note:"))
            .unwrap_or_default()
            .replace(scratch.0.to_str().unwrap(), "DIR");
        assert!(first.starts_with(message), "{first}");
    };
    check(&["--contract", &bad], 1, "bandwho: DIR/bad.toml:2:1: unknown key `methd`");
    check(&["--contract", &good, "--tz", "UTC"], 2, "bandwho: --tz: DIR/good.toml says it already");
    check(
        &["--contract", &good, "--commit", "1Gbps"],
        2,
        "error: the argument '--contract <FILE>' cannot be used",
    );
    check(&["--method", "p96"], 2, "bandwho: --method: unknown method `p96`");
    check(&["--rank", "flor-discard"], 2, "bandwho: --rank: unknown rank rule");
    check(&["--period", "2026-13"], 2, "bandwho: --period: ");
    check(&["--period", "2026-10", "--since", "2026-10-02"], 2, "error: the argument '--period");
    check(&["--drivers", "slot"], 2, "bandwho: --drivers: `slot` is when, not who");
    check(
        &["--direction", "in"],
        1,
        "bandwho: no log has a field for bytes received ($request_length or %I)",
    );
    check(&["--price", "1e3"], 2, "bandwho: --price: ");
    check(&["--commit", "2"], 2, "bandwho: --commit: ");
    check(&["--period", "2027-01"], 1, "bandwho: cannot bill: ");
}

#[test]
fn the_example_of_a_contract_can_be_used() {
    let printed = bandwho(&["bill", "--print-contract"]);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    let scratch = Scratch::new("example-contract");
    let contract = scratch.file("contract.toml", printed.out.as_bytes());
    let servers = scratch.file("servers.csv", SERVERS);
    let log = scratch.file("a.log", &log((0..576).map(|slot| slot * 1000)));
    let answer =
        json(&["bill", "--contract", &contract, "--format", FORMAT, "--servers", &servers, "--json", &log]);
    let ports: Vec<&Value> = answer["bills"].as_array().unwrap().iter().map(|bill| &bill["port"]).collect();
    assert_eq!(ports, ["Beijing and Guangzhou", "download"]);
    assert_eq!(answer["currency"], value!("CNY"));
}

/// The log, the contract and the answer that docs/BILLING.md works out by hand.
#[test]
fn the_worked_example_of_the_manual_is_what_the_program_prints() {
    let manual = include_str!("../../docs/BILLING.md");
    let block = |label: &str| {
        let (_, rest) = manual.split_once(&format!("```{label}\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    let scratch = Scratch::new("worked");
    let log = scratch.file("access.log", block("log").as_bytes());
    let contract = scratch.file("contract.toml", block("toml").as_bytes());
    let (command, answer) = block("console").split_once('\n').unwrap();
    assert_eq!(
        command,
        "$ bandwho bill --contract contract.toml --period '2026-11-01 08:00..2026-11-01 13:00' access.log"
    );
    let period = "2026-11-01 08:00..2026-11-01 13:00";
    let run = bandwho(&["bill", "--contract", &contract, "--period", period, &log]);
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, answer, ""));
}

fn warnings(answer: &Value) -> Vec<String> {
    answer["warnings"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_byte_is_billed_twice_and_a_misspelt_place_is_told() {
    let scratch = Scratch::new("twice");
    let log = scratch.file("a.log", &log((0..40).map(|slot| slot * 1000)));
    let servers = scratch.file("servers.csv", b"address,idc\n10.0.0.1,bj\n10.0.1.1,bj\n");
    // One of the data centre's two machines is on a port of its own.
    let contract = b"zone = \"UTC\"\nmethod = \"volume\"\n[[port]]\nname = \"a\"\nidc = [\"bj\", \"bjj\"]\n[[port]]\nname = \"b\"\nserver = [\"10.0.1.1\"]\n";
    let contract = scratch.file("contract.toml", contract);
    let asked = ["bill", "--format", FORMAT, "--contract", &contract, &log];
    let answer = json(&[&asked[..], &["--json", "--servers", &servers]].concat());
    let bills = answer["bills"].as_array().unwrap();
    let even: u64 = (0..40).step_by(2).map(|slot| slot * 1000).sum();
    let odd: u64 = (1..40).step_by(2).map(|slot| slot * 1000).sum();
    assert_eq!((&bills[0]["billed_bytes"], &bills[1]["billed_bytes"]), (&value!(even), &value!(odd)));
    assert_eq!(answer["unbilled_bytes"], value!(0));
    assert_eq!(warnings(&answer), ["no record is from `bjj`"]);
    let without = bandwho(&asked);
    assert_eq!(without.code, 2);
    assert!(without.err.contains("bills by data centre need a server list"), "{}", without.err);
}

#[test]
fn only_what_is_billed_counts_as_outside_or_on_no_port() {
    let scratch = Scratch::new("outside");
    let line = |second: i64, received: u64| {
        format!("192.0.2.1 - - [{second}.000] \"GET / HTTP/1.1\" 200 1000 0.000 10.0.1.1 {received}\n")
    };
    let log = scratch.file("a.log", [line(1_790_812_800, 7), line(1_790_816_400, 90)].concat().as_bytes());
    let servers = scratch.file("servers.csv", SERVERS);
    let contract =
        scratch.file("contract.toml", b"zone = \"UTC\"\n[[port]]\nname = \"bj\"\nidc = [\"bj\"]\n");
    let format = format!("{FORMAT} $request_length");
    let run = |more: &[&str]| json(&[&["bill", "--format", &format, "--json", &log][..], more].concat());
    let hour = "2026-10-01 00:00..2026-10-01 00:30";
    let bill = &run(&["--tz", "UTC", "--direction", "in", "--period", hour])["bills"][0];
    assert_eq!((&bill["bytes"], &bill["outside_bytes"]), (&value!(7), &value!(90)));
    let bill = &run(&["--tz", "UTC", "--direction", "sum", "--period", hour])["bills"][0];
    assert_eq!((&bill["bytes"], &bill["outside_bytes"]), (&value!(1007), &value!(1090)));
    let answer = run(&["--contract", &contract, "--servers", &servers, "--period", hour]);
    assert_eq!(answer["unbilled_bytes"], value!(1000));
}

#[test]
fn what_is_not_known_is_not_claimed() {
    let scratch = Scratch::new("unknown");
    let combined = |day: u8, hour: u8| {
        format!(
            "192.0.2.1 - - [{day:02}/Oct/2026:{hour:02}:00:00 +0000] \"GET / HTTP/1.1\" 200 9000000 \"-\" \"-\"\n"
        )
    };
    // No durations: any bounds would be a guess. Two days without a record are worth a word.
    let log = scratch.file("a.log", [combined(1, 0), combined(1, 5), combined(4, 0)].concat().as_bytes());
    let answer = json(&["bill", "--json", &log]);
    let bill = &answer["bills"][0];
    assert_eq!((&bill["interval_bps"], &bill["end_spike_bps"]), (&Value::Null, &Value::Null));
    assert_eq!(
        warnings(&answer),
        ["no records from 2026-10-01T05:00:00+00:00 to 2026-10-04T00:00:00+00:00: these slots count as 0"]
    );
    let people = bandwho(&["bill", &log]).out;
    assert!(people.contains("not known: no log tells how long requests took"), "{people}");
    // The sizes of Apache's responses are not what was sent.
    let apache = json(&[
        "bill",
        "--json",
        "--format",
        "LogFormat \"%h %l %u %t \\\"%r\\\" %>s %b \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\"\"",
        &log,
    ]);
    assert!(warnings(&apache)[0].starts_with("%b and %B are sizes of responses"), "{apache}");
}

#[test]
fn packets_are_added_to_each_response() {
    let scratch = Scratch::new("packets");
    let log = scratch.file("a.log", &log([1460, 1461, 0, 300]));
    let asked = ["bill", "--tz", "UTC", "--format", FORMAT, "--method", "volume", "--json", &log];
    let volume = |overhead: &str| {
        let bill = json(&[&asked[..], &["--overhead", overhead]].concat())["bills"][0].clone();
        (bill["billed_bytes"].clone(), bill["billed_raw_bytes"].clone())
    };
    // 1 + 2 + 0 + 1 packets of 40 bytes; with 100 bytes in each, 15 + 15 + 0 + 3.
    assert_eq!(volume("packets"), (value!(3221 + 160), value!(3221)));
    assert_eq!(volume("packets:100"), (value!(3221 + 33 * 40), value!(3221)));
}

#[test]
fn a_spreadsheet_has_a_row_for_each_port_and_tables_that_name_it() {
    let scratch = Scratch::new("sheet");
    let log = scratch.file("a.log", &log((0..40).map(|slot| slot * 1_000_000)));
    let servers = scratch.file("servers.csv", SERVERS);
    let asked = ["bill", "--tz", "UTC", "--format", FORMAT, "--servers", &servers, "--scope", "per-port"];
    let run = bandwho(&[&asked[..], &["--price", "2", "--csv", &log]].concat());
    let blocks: Vec<Vec<&str>> = run.out.split("\n\n").map(|block| block.lines().collect()).collect();
    let starts = |block: usize, beginnings: &[&str]| {
        assert_eq!(blocks[block].len(), beginnings.len(), "{:?}", blocks[block]);
        let mut lines = blocks[block].iter().zip(beginnings);
        assert!(lines.all(|(line, beginning)| line.starts_with(beginning)), "{:?}", blocks[block]);
    };
    starts(0, &["view,row,port,members,method,", "bills,row,all/bj,bj,p95,", "bills,row,all/gz,gz,p95,"]);
    starts(2, &["view,row,port,description,", "lines,row,all/bj,measured,", "lines,row,all/gz,measured,"]);
    assert!(blocks[1].iter().skip(1).all(|line| line.starts_with("around,row,all/")), "{:?}", blocks[1]);
}
