//! `bandwho audit`: a carrier's samples made of the log itself, with every fault that carriers have.

use std::fmt::Write;

use serde_json::Value;

use crate::{Scratch, bandwho};

const ORIGIN: i64 = 1_793_462_400;
const DAY: i64 = 86_400;
const STEP: i64 = 300;

/// Numbers that are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A request: when it ended, how long it took in milliseconds, what it sent.
struct Request {
    end: i64,
    milliseconds: u64,
    bytes: u64,
}

/// Two days of requests: a level that wanders, many short ones and some that last minutes.
fn requests() -> Vec<Request> {
    let mut random = Random(2026);
    let mut level = 100_u64;
    let mut requests = Vec::new();
    for second in (0..2 * DAY).step_by(10) {
        level = (level + random.below(21)).saturating_sub(10).clamp(20, 400);
        for _ in 0..2 {
            let long = random.below(20) == 0;
            let milliseconds = if long { random.below(200_000) } else { random.below(3_000) };
            let bytes = (random.below(20_000) + 1_000) * level * if long { 20 } else { 1 };
            let end = ORIGIN + second + random.below(10).cast_signed();
            requests.push(Request { end, milliseconds, bytes });
        }
    }
    requests
}

fn log(requests: &[Request]) -> String {
    let mut log = String::new();
    for (number, Request { end, milliseconds, bytes }) in requests.iter().enumerate() {
        let (day, clock) = ((end - ORIGIN) / DAY + 1, (end - ORIGIN) % DAY);
        writeln!(
            log,
            "203.0.113.{} - - [0{day}/Nov/2026:{:02}:{:02}:{:02} +0800] \"GET /v HTTP/1.1\" 200 {bytes} \"-\" \"curl/8\" {}.{:03}",
            number % 7,
            clock / 3600,
            clock / 60 % 60,
            clock % 60,
            milliseconds / 1000,
            milliseconds % 1000,
        )
        .unwrap();
    }
    log
}

/// Bytes per second of every request, spread evenly over the time it took.
fn seconds(requests: &[Request]) -> Vec<f64> {
    let mut seconds = vec![0.0; (2 * DAY).try_into().unwrap()];
    for Request { end, milliseconds, bytes } in requests {
        let (end, milliseconds) = ((end - ORIGIN) * 1000, milliseconds.cast_signed().max(1));
        let bytes = f64::from(u32::try_from(*bytes).unwrap());
        // The logged second is its first instant, which is part of the request.
        let (from, to) = (end - milliseconds + 1, end + 1);
        for second in from.div_euclid(1000)..=(to - 1).div_euclid(1000) {
            let shared = to.min(second * 1000 + 1000) - from.max(second * 1000);
            if let Some(sum) = usize::try_from(second).ok().and_then(|at| seconds.get_mut(at)) {
                *sum += bytes * f64::from(i32::try_from(shared).unwrap())
                    / f64::from(i32::try_from(milliseconds).unwrap());
            }
        }
    }
    seconds
}

/// What the carrier's meter says: labelled by the end, 7 % more, its clock 90 s late, two samples lost.
fn carrier(seconds: &[f64]) -> String {
    meter(seconds, 90, &[100, 333])
}

/// The same, so many seconds late and without the samples of these numbers.
fn meter(seconds: &[f64], late: i64, lost: &[i64]) -> String {
    let mut rows = "time,in_bps,out_bps\n".to_owned();
    for at in 0..2 * DAY / STEP {
        if lost.contains(&at) {
            continue;
        }
        let from = at * STEP - late;
        let sum: f64 = (from..from + STEP).filter_map(|at| seconds.get(usize::try_from(at).ok()?)).sum();
        let label = (at + 1) * STEP;
        let (day, clock) = (label / DAY + 1, label % DAY);
        writeln!(
            rows,
            "2026-11-0{day} {:02}:{:02}:00,1000,{:.0}",
            clock / 3600,
            clock / 60 % 60,
            sum * 1.07 * 8.0 / 300.0
        )
        .unwrap();
    }
    rows
}

/// The same meter while a backup goes through the port, from 20:45 to 21:00 of the first day.
fn with_backup(carrier: &str) -> String {
    let row = |row: &str| match row.rsplit_once(',') {
        Some((head, out))
            if ["20:50", "20:55", "21:00"]
                .iter()
                .any(|end| head.starts_with(&format!("2026-11-01 {end}"))) =>
        {
            format!("{head},{}\n", out.parse::<u64>().unwrap() + 10_000_000)
        }
        _ => format!("{row}\n"),
    };
    carrier.lines().map(row).collect()
}

#[test]
fn the_example_of_the_manual_is_what_the_program_prints() {
    let manual = include_str!("../../docs/AUDIT.md");
    let (_, rest) = manual.split_once("```console\n").unwrap();
    let (command, answer) = rest.split_once("```").unwrap().0.split_once('\n').unwrap();
    assert_eq!(
        command,
        "$ bandwho audit --port carrier.csv --overhead fit --top 3 --drivers client access.log"
    );
    let scratch = Scratch::new("audit-manual");
    let requests = requests();
    let log = scratch.file("access.log", log(&requests).as_bytes());
    let port = scratch.file("carrier.csv", with_backup(&carrier(&seconds(&requests))).as_bytes());
    let options = ["--overhead", "fit", "--top", "3", "--drivers", "client"];
    let run = bandwho(&[&["audit", "--port", &port], &options[..], &[&log]].concat());
    let out = run.out.replace(&port, "carrier.csv");
    assert_eq!((run.code, out.as_str(), run.err.as_str()), (0, answer, ""));
}

/// After lag and factor nothing is left between the two sides but what the bins of ten seconds lose; without the lag the
/// peaks do not agree, without the factor 1 − 1 ÷ 1.07 is missing.
fn check_agreement(fitted: &Value) {
    let near = |found: &Value, expected: f64, most: f64| {
        let found = found.as_f64().unwrap();
        assert!((found - expected).abs() < most, "{found}, expected {expected} within {most}");
    };
    near(&fitted["difference"], 0.0, 0.002);
    let rows = fitted["views"]["figures"]["rows"].as_array().unwrap();
    let sides: Vec<&str> = rows.iter().map(|row| row["side"].as_str().unwrap()).collect();
    assert_eq!(sides[..3], ["port", "logs", "logs +90 s"]);
    let less = 1.0 / 1.07 - 1.0;
    near(&rows[1]["bytes_diff"], less, 0.002);
    near(&rows[2]["bytes_diff"], less, 0.002);
    near(&rows[2]["p95_diff"], less, 0.002);
    near(&rows[3]["bytes_diff"], 0.0, 0.0001);
    near(&rows[3]["p95_diff"], 0.0, 0.002);
    let peak = rows[0]["peak_bps"].as_f64().unwrap();
    assert!(rows[1]["peak_bps"].as_f64().unwrap() < peak * 0.9, "{rows:?}");
    near(&rows[2]["peak_bps"], peak / 1.07, peak * 0.002);
    near(&rows[3]["peak_bps"], peak, peak * 0.002);
    for sample in fitted["views"]["samples"]["rows"].as_array().unwrap() {
        let port = sample["port_bps"].as_f64().unwrap();
        near(&sample["unexplained_bps"], 0.0, port * 0.02);
    }
}

#[test]
fn a_late_port_without_gaps_has_none() {
    let scratch = Scratch::new("audit-late");
    let requests = requests();
    let log = scratch.file("access.log", log(&requests).as_bytes());
    let seconds = seconds(&requests);
    for late in [200, -200] {
        let port = scratch.file("carrier.csv", meter(&seconds, late, &[]).as_bytes());
        let run = bandwho(&["audit", "--port", &port, "--label", "end", &log, "--overhead", "fit", "--json"]);
        let answer: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(
            (run.code, &answer["lag_seconds"], &answer["missing_port"]),
            (0, &late.into(), &0.into()),
            "{}",
            run.err
        );
    }
    // The first and the last sample are lost: what the logs cover of them with the lag as well is missing.
    for (late, lost) in [(200, "2026-11-02T23:55:00+08:00"), (-200, "2026-11-01T00:00:00+08:00")] {
        let port = scratch.file("carrier.csv", meter(&seconds, late, &[0, 2 * DAY / STEP - 1]).as_bytes());
        let run = bandwho(&["audit", "--port", &port, "--label", "end", &log, "--overhead", "fit", "--json"]);
        let answer: Value = serde_json::from_str(&run.out).unwrap();
        let rows = &answer["views"]["missing"]["rows"];
        assert_eq!(
            (&answer["missing_port"], &rows[0]["from"], &rows[0]["samples"]),
            (&1.into(), &lost.into(), &1.into()),
            "{late}: {rows}"
        );
    }
}

#[test]
fn a_carrier_is_audited() {
    let scratch = Scratch::new("audit");
    let requests = requests();
    let log = scratch.file("access.log", log(&requests).as_bytes());
    let port = scratch.file("carrier.csv", carrier(&seconds(&requests)).as_bytes());
    let audit = |more: &[&str], code: i32| -> Value {
        let run = bandwho(&[&["audit", "--port", &port, &log, "--json"], more].concat());
        assert_eq!(run.code, code, "{more:?}: {}", run.err);
        serde_json::from_str(&run.out).unwrap()
    };

    let fitted = audit(&["--overhead", "fit"], 0);
    let factor = fitted["factor"].as_f64().unwrap();
    let lag = fitted["lag_seconds"].as_i64().unwrap();
    println!("factor {factor}, lag {lag} s, difference {}", fitted["difference"]);
    assert!((factor / 1.07 - 1.0).abs() <= 0.002, "{factor}");
    assert_eq!(lag, 90);
    check_agreement(&fitted);
    assert_eq!(
        (&fitted["verdict"], &fitted["label"], &fitted["label_by"]),
        (&"pass".into(), &"end".into(), &"correlation".into())
    );
    assert_eq!((&fitted["missing_port"], &fitted["missing_logs"]), (&2.into(), &1.into()));
    let named: Vec<&str> = fitted["views"]["missing"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["from"].as_str().unwrap())
        .collect();
    let expected = ["2026-11-01T08:20:00+08:00", "2026-11-02T03:45:00+08:00", "2026-11-01T00:00:00+08:00"];
    assert_eq!(named, expected);
    assert_eq!(fitted["views"]["samples"]["rows"].as_array().unwrap().len(), 573);

    let raw = audit(&[], 3);
    assert_eq!(
        (&raw["verdict"], &raw["decided_by"], &raw["factor"]),
        (&"fail".into(), &"p95_bps".into(), &fitted["factor"])
    );
    audit(&["--overhead", "1.07"], 0);
    audit(&["--tolerance", "8%"], 0);
    // Where short peaks straddle the edges of samples, the skew alone is more than the tolerance.
    let skewed = audit(&["--overhead", "fit", "--lag", "0"], 3);
    assert_eq!((&skewed["lag_seconds"], &skewed["lag_best_seconds"]), (&0.into(), &lag.into()));
    assert!(skewed["correlation"].as_f64() < skewed["correlation_best"].as_f64());
    // The same on any number of threads.
    assert_eq!(
        audit(&["--overhead", "fit", "--threads", "1"], 0),
        audit(&["--overhead", "fit", "--threads", "3"], 0)
    );
}

#[test]
fn people_get_a_page_and_spreadsheets_the_samples() {
    let scratch = Scratch::new("audit-page");
    let requests = requests();
    let log = scratch.file("access.log", log(&requests).as_bytes());
    let port = scratch.file("carrier.csv", carrier(&seconds(&requests)).as_bytes());
    let run = bandwho(&["audit", "--port", &port, &log, "--top", "2"]);
    assert_eq!(
        (run.code, run.out.contains("verdict    FAIL: the logs' 95th is ")),
        (3, true),
        "{}{}",
        run.err,
        run.out
    );
    assert!(
        run.err.starts_with("bandwho: audit: the logs' 95th is ") && run.err.ends_with("; tolerance 3.0 %\n"),
        "{}",
        run.err
    );
    assert!(run.out.contains("label      end (by correlation: as end 0."), "{}", run.out);
    assert!(run.out.contains("\nother (5 groups)"), "{}", run.out);
    let run = bandwho(&["audit", "--port", &port, &log, "--overhead", "fit", "--csv", "--drivers", "none"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let mut lines = run.out.lines();
    let header = "row,start,start_epoch,end,port_bytes,port_bps,log_bytes,log_bps,adjusted_bps,ratio,difference_bps,unexplained_bps";
    assert_eq!(lines.next(), Some(header));
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("row,2026-11-01T00:05:00+08:00,1793462700,2026-11-01T00:10:00+08:00,")
    );
    assert_eq!(lines.count(), 572);
}

#[test]
fn what_cannot_be_audited_says_why() {
    let scratch = Scratch::new("audit-errors");
    let log = scratch.file("access.log", log(&requests()[..2000]).as_bytes());
    let check = |port: &str, more: &[&str], code: i32, message: &str| {
        let port = scratch.file("port.csv", port.as_bytes());
        let run = bandwho(&[&["audit", "--port", &port, &log], more].concat());
        let message = message.replace("PORT", &port);
        assert_eq!((run.code, run.err.as_str()), (code, message.as_str()), "{more:?}");
    };
    let two = "time,a,b\n2026-11-01 00:05,1,1\n2026-11-01 00:10,1,1\n";
    check(two, &[], 1, "bandwho: PORT: which column is it? Choose one of a, b with --port-column\n");
    check(
        two,
        &["--rank", "x"],
        2,
        "bandwho: --rank x: the rank rules are floor-discard, librenms, vnstat, rrdtool, cacti, ntopng, interpolated\n",
    );
    check(two, &["--tolerance", "x"], 2, "bandwho: --tolerance x: expected a percentage such as 3%\n");
    check(
        two,
        &["--overhead", "20"],
        2,
        "bandwho: --overhead 20: an overhead of 20 times; expected 1 to 10\n",
    );
    check(two, &["--lag", "1m"], 2, "bandwho: --lag 1m: expected fit or whole seconds, a day at most\n");
    check(
        two,
        &["--port-unit", "x"],
        2,
        "bandwho: --port-unit x: expected bps, Mbps, bytes/s, MB/s, bytes or counter\n",
    );
    check(
        two,
        &["--scheme", "bin-uniform"],
        2,
        "bandwho: --scheme bin-uniform: an audit needs bytes at instants; take time-proportional or a spike\n",
    );
    check(two, &["--drivers", "slot"], 2, "bandwho: --drivers slot: the samples are slots already\n");
    check(
        "time,bps\n2025-11-01 00:05,1\n2025-11-01 00:10,1\nx,1\n",
        &[],
        1,
        "bandwho: warning: PORT:4:1: not a time: `x`\nbandwho: PORT: no sample of the port is of a time that the logs cover: the port's \
         are labelled 2025-11-01T00:05:00+08:00 to 2025-11-01T00:10:00+08:00, the logs go from 2026-11-01T00:00:00+08:00 to \
         2026-11-01T02:50:00+08:00; is it --tz, --since or --until?\n",
    );
    let port = scratch.file("port.csv", two.as_bytes());
    let run = bandwho(&["audit", "--port", &port, &log, "-o", &port]);
    assert_eq!((run.code, run.err), (2, format!("bandwho: cannot write {port}: it is also an input\n")));
}

#[test]
fn a_zone_gone_wrong_is_told() {
    let scratch = Scratch::new("audit-zone");
    let requests = requests();
    let log = scratch.file("access.log", log(&requests).as_bytes());
    let port = scratch.file("carrier.csv", carrier(&seconds(&requests)).as_bytes());
    let run = bandwho(&["audit", "--port", &port, &log, "--tz", "UTC", "--json"]);
    let message = format!("bandwho: warning: {port} does not follow the logs (correlation ");
    assert!(run.err.starts_with(&message), "{}", run.err);
    assert!(
        run.err.contains("): its clock seems to be 8h00m ahead of the logs': is it --tz?\n"),
        "{}",
        run.err
    );
}
