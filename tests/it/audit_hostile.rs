//! `bandwho audit` and ports that are dead, in another unit, broken, or made to mislead whoever reads the answer.

use std::fmt::Write;

use serde_json::Value;

use crate::{Run, Scratch, bandwho};

/// 1 November 2026, midnight UTC.
const ORIGIN: i64 = 1_793_491_200;
const STEP: i64 = 300;

/// Samples: most of a day.
const SAMPLES: i64 = 240;

/// What the logs have in sample number `at`: rough, so that lags and labels are told apart.
fn sent(at: i64) -> i64 {
    400_000_000 + at * at * 7_919 % 350_003 * 1000
}

/// A line in the middle of every sample.
fn log() -> String {
    (0..SAMPLES).fold(String::new(), |mut log, at| {
        let clock = at * STEP + STEP / 2;
        let (hour, minute, second, bytes) = (clock / 3600, clock / 60 % 60, clock % 60, sent(at));
        writeln!(
            log,
            "203.0.113.7 - - [01/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET / HTTP/1.1\" 200 {bytes} \"-\" \"curl/8\" 0.001"
        )
        .unwrap();
        log
    })
}

/// Rows of a sheet below their header.
fn sheet(header: &str, row: impl Fn(i64) -> String) -> String {
    (0..SAMPLES).fold(format!("{header}\n"), |sheet, at| sheet + &row(at) + "\n")
}

/// The end of a sample.
fn end(at: i64) -> i64 {
    ORIGIN + (at + 1) * STEP
}

/// bit/s with 7 % overhead, in parts of a thousand of the truth.
fn rate(at: i64, thousandths: i64) -> i64 {
    sent(at) * 8 / STEP * 107 / 100 * thousandths / 1000
}

struct Ground {
    scratch: Scratch,
    log: String,
}

impl Ground {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let log = scratch.file("access.log", log().as_bytes());
        Self { scratch, log }
    }

    fn run(&self, port: &str, more: &[&str]) -> (Run, String) {
        let port = self.scratch.file("port.csv", port.as_bytes());
        let run = bandwho(
            &[&["audit", "--no-ip-db", "--drivers", "none", "--port", &port, &self.log], more].concat(),
        );
        (run, port)
    }

    fn json(&self, port: &str, more: &[&str], code: i32) -> Value {
        let (run, _) = self.run(port, &[&["--json"], more].concat());
        assert_eq!(run.code, code, "{}{}", run.err, run.out);
        serde_json::from_str(&run.out).unwrap()
    }
}

#[test]
fn fitted_factors_that_no_overhead_explains_fail() {
    let ground = Ground::new("audit-factor");
    let check = |thousandths: i64, resembles: &str, message: &str| {
        let port = sheet("time,out_bps", |at| format!("{},{}", end(at), rate(at, thousandths)));
        let (run, _) = ground.run(&port, &["--overhead", "fit"]);
        assert_eq!(run.code, 3, "{}{}", run.err, run.out);
        let told = format!("audit: the fitted factor {message}\n");
        assert!(run.err.ends_with(&told), "{}\n{told}", run.err);
        assert!(run.out.contains("verdict    FAIL: the fitted factor "), "{}", run.out);
        let answer = ground.json(&port, &["--overhead", "fit"], 3);
        assert_eq!(
            (&answer["verdict"], &answer["decided_by"], &answer["factor_resembles"]),
            (&"fail".into(), &"factor".into(), &resembles.into())
        );
    };
    let range = "is no overhead, which is 0.9700 to 1.3000";
    check(0, "dead-meter", &format!("0.0000 {range}: is the meter dead?"));
    check(125, "1/8", &format!("0.1338 {range}, but about 1/8: bits and bytes mixed up?"));
    check(8000, "8", &format!("8.5600 {range}, but about 8: bits and bytes mixed up?"));
    check(1, "thousands", &format!("0.001070 {range}, but one of a wrong unit: thousands, bits and bytes?"));
    let unknown = "is it this port, and are these all its logs?";
    check(500, "nothing", &format!("0.5350 {range}: {unknown}"));
    check(10_000, "nothing", &format!("10.7000 {range}: {unknown}"));

    let plain = sheet("time,out_bps", |at| format!("{},{}", end(at), rate(at, 1000)));
    let answer = ground.json(&plain, &["--overhead", "fit"], 0);
    assert_eq!((&answer["decided_by"], &answer["factor_resembles"]), (&"p95_bps".into(), &Value::Null));
    // A factor that was typed is the user's word.
    let eight = sheet("time,out_bps", |at| format!("{},{}", end(at), rate(at, 8000)));
    ground.json(&eight, &["--overhead", "8.56"], 0);
}

#[test]
fn a_port_that_no_factor_reaches_is_told_as_such() {
    let ground = Ground::new("audit-vast");
    let port = sheet("time,out_bps", |at| format!("{},1e26", end(at)));
    let (run, name) = ground.run(&port, &["--overhead", "fit"]);
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(run.out.contains("factor     no factor holds\n"), "{}", run.out);
    assert!(!run.out.contains("-0.0000") && !run.err.contains("-0.00"), "{}{}", run.err, run.out);
    assert!(
        run.err.ends_with("bandwho: audit: no factor holds between the port and the logs\n"),
        "{name}: {}",
        run.err
    );
}

#[test]
fn bad_rows_keep_their_time() {
    let ground = Ground::new("audit-bad-rows");
    let gaps = |word: &str| {
        let port = sheet("time,out_bps", |at| {
            let rate = if at % 3 == 0 { rate(at, 1000).to_string() } else { word.to_owned() };
            format!("{},{rate}", end(at))
        });
        ground.json(&port, &["--overhead", "fit"], 0)
    };
    let (unknown, bad) = (gaps("NaN"), gaps("1e308"));
    assert_eq!(
        (&bad["port_step_seconds"], &bad["port_bad_rows"], &bad["port_unknown"]),
        (&300.into(), &160.into(), &0.into())
    );
    assert_eq!((&unknown["port_bad_rows"], &unknown["port_unknown"]), (&0.into(), &160.into()));
    for same in ["port_samples", "missing_port", "factor", "views"] {
        assert_eq!(bad[same], unknown[same], "{same}");
    }
    // Rows of another quantity than the first one.
    let mixed = sheet("time,out", |at| {
        let amount = if at % 2 == 0 { format!("{} MB", sent(at) / 1_000_000) } else { "333 kbps".to_owned() };
        format!("{},{amount}", end(at))
    });
    let (run, _) = ground.run(&mixed, &[]);
    assert!(run.out.contains("samples    120 known, every 300 s; 120 bad rows\n"), "{}", run.out);
    // A good row beside a bad one of the same time counts.
    let twice = sheet("time,out_bps", |at| format!("{0},bad\n{0},{1}", end(at), rate(at, 1000)));
    let answer = ground.json(&twice, &["--overhead", "fit"], 0);
    assert_eq!((&answer["port_samples"], &answer["port_bad_rows"]), (&240.into(), &240.into()));
}

#[test]
fn samples_share_no_time() {
    let ground = Ground::new("audit-overlap");
    let check = |port: &str, message: &str| {
        let (run, name) = ground.run(port, &[]);
        assert_eq!((run.code, run.err), (1, format!("bandwho: {name}: {message}\n")));
    };
    check(
        &sheet("start,end,bytes", |at| format!("{},{},{}", end(at), end(at) + 3600, sent(at))),
        "lines 2 and 3 overlap by 3300 s: samples share no time; are the rows of two ports, or sums that move?",
    );
    check(
        &sheet("id,period,out_delta,in_delta,timestamp", |at| format!("1,86400,{},5,{}", sent(at), end(at))),
        "lines 2 and 3 overlap by 86100 s: a row's period is the time since the row before; are the rows of two ports?",
    );
    // A poll may be a few seconds early.
    let early = |at: i64| if at == 100 { 3 } else { 0 };
    let port = sheet("id,period,out_delta,in_delta,timestamp", |at| {
        format!("1,300,{},5,{}", sent(at) * 107 / 100, end(at) - early(at))
    });
    let answer = ground.json(&port, &["--overhead", "fit"], 0);
    assert_eq!((&answer["port_samples"], &answer["port_bad_rows"]), (&240.into(), &0.into()));
    // Without a period or an end the step tells how long samples are: a row that follows too soon is none.
    let port = sheet("time,out_bps", |at| {
        let extra = if at % 24 == 0 { format!("\n{},1", end(at) + 60) } else { String::new() };
        format!("{},{}{extra}", end(at), rate(at, 1000))
    });
    let answer = ground.json(&port, &["--overhead", "fit"], 0);
    assert_eq!((&answer["port_samples"], &answer["port_bad_rows"]), (&240.into(), &10.into()));
    // More than a day is no sample of bandwidth.
    let port = sheet("start,end,bytes", |at| {
        let length = if at == SAMPLES - 1 { 200_000 } else { STEP };
        format!("{},{},{}", end(at) - STEP, end(at) - STEP + length, sent(at))
    });
    let (run, name) = ground.run(&port, &[]);
    assert_eq!(
        (run.code, run.err.starts_with(&format!("bandwho: warning: {name}:241:12: longer than a day: `"))),
        (0, true),
        "{}",
        run.err
    );
}

#[test]
fn counters_that_only_their_values_tell_are_told() {
    let ground = Ground::new("audit-counter");
    let counter = |header: &str| {
        let sums: Vec<i64> = (0..SAMPLES)
            .scan(0, |sum, at| {
                *sum += sent(at);
                Some(*sum)
            })
            .collect();
        sheet(header, |at| format!("{},{}", end(at), sums[usize::try_from(at).unwrap()]))
    };
    let (run, name) = ground.run(&counter("time,traffic"), &[]);
    let note = "nothing but its values tells that `traffic` is a counter; choose with --port-unit";
    assert_eq!((run.code, run.err), (0, format!("bandwho: note: {name}: {note}\n")));
    let (run, _) = ground.run(&counter("time,ifHCOutOctets"), &[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.contains("column     ifHCOutOctets, counter (file)\n"), "{}", run.out);
    // Rates that only rise stay near where they began.
    let rising = sheet("time,traffic", |at| {
        format!("{},{}", end(at), 200_000 + at * 100 + if at > 200 { 300_000 } else { 0 })
    });
    let (run, name) = ground.run(&rising, &[]);
    let note = "nothing tells the unit of `traffic`: bit/s is assumed; choose with --port-unit";
    assert!(run.err.starts_with(&format!("bandwho: note: {name}: {note}\n")), "{}", run.err);
}

#[test]
fn no_text_of_a_port_begins_a_line_of_ours() {
    let ground = Ground::new("audit-forged");
    let forged = "x\nbandwho: warning: forged \u{1b}[31m\u{202e}";
    let check = |port: &str, more: &[&str]| {
        let (run, _) = ground.run(port, more);
        assert!(!run.err.is_empty());
        for line in run.err.lines() {
            assert!(
                line.starts_with("bandwho: ") && !line.starts_with("bandwho: warning: forged"),
                "{}",
                run.err
            );
            assert!(!line.contains(['\u{1b}', '\u{202e}']), "{}", run.err);
        }
        assert!(run.err.contains("x\\x0abandwho: warning: forged \\x1b[31m\\u{202e}"), "{}", run.err);
    };
    // A header in the note about the unit, in the choice of columns, in a column without values; a bad cell.
    let row = |at: i64| format!("{},{}", end(at), rate(at, 1000));
    check(&sheet(&format!("time,\"{forged}\""), row), &[]);
    check(&sheet(&format!("time,\"{forged}\",b"), |at| row(at) + ",1"), &[]);
    check(&sheet(&format!("time,\"{forged}\""), row), &["--port-column", "y"]);
    check(&sheet(&format!("time,\"{forged}\""), |at| format!("{},NaN", end(at))), &[]);
    check(
        &sheet("time,out_bps", |at| if at == 9 { format!("{},\"{forged}\"", end(at)) } else { row(at) }),
        &[],
    );
    check(
        &sheet("time,out_bps", |at| format!("{},\"{forged}\"", end(at))).replacen(
            '\n',
            "\n1793491000,NaN\n",
            1,
        ),
        &[],
    );
    check(&format!("<start>1</start><step>300</step><entry>{forged}</entry><data><row><v>1</v></row>"), &[]);
}
