//! How long users waited: figures worked out by hand.

use serde_json::{Value, json};

use crate::{Scratch, bandwho, json};

/// Status, bytes, seconds, path.
const REQUESTS: [(&str, u64, &str, &str); 14] = [
    ("200", 100, "0.010", "/a"),
    ("200", 100, "0.020", "/a"),
    ("200", 100, "1.000", "/a"),
    ("404", 100, "2.000", "/a"),
    ("200", 999_999, "2.001", "/a"),
    ("200", 100, "4.000", "/a"),
    ("504", 100, "8.000", "/a"),
    ("200", 100, "8.001", "/a"),
    ("200", 100, "12.000", "/a"),
    ("499", 0, "60.000", "/a"),
    ("000", 0, "0.000", "/a"),
    ("200", 1_000_000, "4.000", "/big"),
    ("200", 3_000_000, "2.000", "/big"),
    ("304", 0, "0.000", "/zero"),
];

fn log() -> String {
    let line = |(status, bytes, seconds, path): &(&str, u64, &str, &str)| {
        format!(
            "192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] \"GET {path} HTTP/1.1\" {status} {bytes} \"-\" \"curl/8\" {seconds}\n"
        )
    };
    REQUESTS.iter().map(line).collect()
}

const FORMAT: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \
                      \"$http_user_agent\" $request_time";

fn check(row: &Value, expected: &[(&str, Value)]) {
    for (name, expected) in expected {
        assert_eq!(row[name], *expected, "{name} in {row}");
    }
}

/// Within 1/64 of the exact value.
fn check_near(found: &Value, exact: u64) {
    let found = found.as_u64().unwrap();
    assert!(found.abs_diff(exact) * 64 <= exact, "{found} for {exact}");
}

#[test]
fn one_row_of_everything() {
    let scratch = Scratch::new("latency");
    let log = scratch.file("a.log", log().as_bytes());
    let answer = json(&["latency", "--json", "--format", FORMAT, &log]);
    assert_eq!((&answer["schema"], &answer["by"]), (&"bandwho.latency/1".into(), &json!([])));
    assert_eq!((&answer["other"], &answer["total"]), (&Value::Null, &Value::Null));
    let row = &answer["rows"][0];
    check(
        row,
        &[
            ("requests", 14.into()),
            ("timed", 9.into()),
            ("large", 2.into()),
            ("aborted", 2.into()),
            ("zero_duration", 1.into()),
            // 10 + 20 + 1000 + 2000 + 2001 + 4000 + 8000 + 8001 + 12000 = 37032 ms, by 9.
            ("rt_avg", 4_114_667.into()),
            ("rt_max", 12_000_000.into()),
            ("within_1s", 3.into()),
            ("within_2s", 4.into()),
            ("within_4s", 6.into()),
            ("within_8s", 7.into()),
            ("within_10s", 8.into()),
            // 2 of 9 took longer than 8 s.
            ("slow_share", json!(0.222_222)),
            // 4 satisfied, 3 tolerated: (4 + 3 / 2) / 9.
            ("apdex", json!(0.611_111)),
        ],
    );
    // Nearest rank: the 5th, the 9th and the 9th of 9; of the throughputs 250,000 and 1,500,000 the first.
    check_near(&row["rt_p50"], 2_001_000);
    assert_eq!((&row["rt_p95"], &row["rt_p99"]), (&row["rt_max"], &row["rt_max"]));
    check_near(&row["throughput_p50"], 250_000);
    let answer = json(&["latency", "--json", "--apdex", "1s", "--slow", "2s", "--format", FORMAT, &log]);
    // 3 up to 1 s, 3 up to 4 s; 5 longer than 2 s.
    check(&answer["rows"][0], &[("apdex", json!(0.5)), ("slow_share", json!(0.555_556))]);
    check(&answer, &[("apdex_us", 1_000_000.into()), ("slow_us", 2_000_000.into())]);
}

#[test]
fn groups_without_response_times_have_none() {
    let scratch = Scratch::new("latency-by");
    let log = scratch.file("a.log", log().as_bytes());
    let answer = json(&["latency", "--by", "path", "--json", "--format", FORMAT, &log]);
    let rows = answer["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["path"].as_str().unwrap()).collect();
    assert_eq!(names, ["/a", "/big", "/zero"]);
    for name in ["rt_avg", "rt_p50", "rt_p95", "rt_p99", "rt_max", "slow_share", "apdex"] {
        assert_eq!((&rows[1][name], &rows[2][name]), (&Value::Null, &Value::Null), "{name}");
    }
    assert_eq!(rows[0]["throughput_p50"], Value::Null);
    check(&answer["total"], &[("requests", 14.into()), ("aborted", 2.into()), ("rt_max", 12_000_000.into())]);
    let top = json(&[
        "top",
        "--by",
        "path",
        "--sort",
        "throughput_p50",
        "--columns",
        "rt_p50,rt_avg,slow_share,apdex,throughput_p50",
        "--json",
        "--format",
        FORMAT,
        &log,
    ]);
    assert_eq!(top["rows"][0]["path"], "/big");
    for name in ["rt_p50", "rt_avg", "slow_share", "apdex"] {
        assert_eq!(top["total"][name], answer["total"][name], "{name}");
    }
    let run = bandwho(&[
        "latency",
        "--by",
        "path",
        "--columns",
        "rt_p95",
        "--top",
        "1",
        "--csv",
        "--format",
        FORMAT,
        &log,
    ]);
    let expected = "row,path,rt_p95\nrow,/a,12000000\nother,,\ntotal,,12000000\n";
    assert_eq!((run.code, run.out.as_str()), (0, expected), "{}", run.err);
}

#[test]
fn people_see_how_many_were_how_fast() {
    let scratch = Scratch::new("latency-ladder");
    let log = scratch.file("a.log", log().as_bytes());
    let run = bandwho(&["latency", "--format", FORMAT, &log]);
    let expected = "\
apdex T      2.00 s
slow beyond  8.00 s
logged 0 s   1 of 14 requests: counted apart, in no time, share or score
aborted      2 of 14 requests: counted apart, in no time, share or score

requests  rt_p50  rt_p95  rt_p99  rt_max  slow_share  apdex  throughput_p50
      14  2.02 s  12.0 s  12.0 s  12.0 s      22.2 %   0.61        252 kB/s

Response times
up to 1 s    3   33.3 %  ████████████████████████████████████████
up to 2 s    1   11.1 %  █████████████▍
up to 4 s    2   22.2 %  ██████████████████████████▊
up to 8 s    1   11.1 %  █████████████▍
up to 10 s   1   11.1 %  █████████████▍
beyond 10 s  1   11.1 %  █████████████▍
";
    assert!(run.out.starts_with(expected), "{}", run.out);
}

/// Twenty requests of as many clients; all but the last took less than a millisecond.
fn fast() -> String {
    let line = |client: u32| {
        let seconds = if client == 120 { "0.250" } else { "0.000" };
        format!(
            "192.0.2.{client} - - [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 200 9 \"-\" \"curl/8\" {seconds}\n"
        )
    };
    (101..=120).map(line).collect()
}

#[test]
fn requests_of_no_duration_are_told() {
    let scratch = Scratch::new("latency-zero");
    let log = scratch.file("a.log", fast().as_bytes());
    let run = bandwho(&["latency", "--format", FORMAT, "--by", "client", "--top", "1", &log]);
    let expected = "\
apdex T      2.00 s
slow beyond  8.00 s
logged 0 s   19 of 20 requests: counted apart, in no time, share or score

client             requests  rt_p50  rt_p95  rt_p99  slow_share  apdex
192.0.2.101               1       -       -       -           -      -
other (19 groups)        19  250 ms  250 ms  250 ms       0.0 %   1.00
total                    20  250 ms  250 ms  250 ms       0.0 %   1.00
";
    assert!(run.out.starts_with(expected), "{}", run.out);
    let answer = json(&["latency", "--format", FORMAT, "--by", "client", "--json", &log]);
    check(&answer["total"], &[("zero_duration", 19.into()), ("timed", 1.into())]);
    // A drawing of nothing has no heading either.
    let fast = fast();
    let (zero, _) = fast.split_at(fast.len() / 20 * 19);
    let log = scratch.file("zero.log", zero.as_bytes());
    let run = bandwho(&["latency", "--format", FORMAT, &log]);
    let expected = "\
apdex T      2.00 s
slow beyond  8.00 s
logged 0 s   19 of 19 requests: counted apart, in no time, share or score

requests  rt_p50  rt_p95  rt_p99  rt_max  slow_share  apdex  throughput_p50
      19       -       -       -       -           -      -               -

19 lines:";
    assert!(run.out.starts_with(expected), "{}", run.out);
}

#[test]
fn usual_tables_fit_a_terminal() {
    let scratch = Scratch::new("latency-width");
    let line = |number: u32| {
        let seconds = f64::from(number) / 7.0;
        format!(
            "192.0.{}.{} - - [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 200 9 \"-\" \"curl/8\" {seconds:.3}\n",
            number / 200,
            number % 200
        )
    };
    let log = scratch.file("a.log", (0..2000).map(line).collect::<String>().as_bytes());
    for by in [&[][..], &["--by", "client"], &["--by", "status"], &["--by", "net"]] {
        let run = bandwho(&[&["latency", "--format", FORMAT, &log], by].concat());
        let (table, _) = run.out.split_once(" lines: ").unwrap();
        let widest = table.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{widest:?}: {table}");
    }
}

#[test]
fn apache_says_who_was_gone() {
    let scratch = Scratch::new("latency-apache");
    let line = |end: &str| format!("192.0.2.1 [23/Nov/2026:05:53:11 +0000] 1000 {end}\n");
    let log = scratch.file("a.log", ["+", "-", "X"].map(line).concat().as_bytes());
    // Without a status in the format nothing is known of it.
    let answer = json(&["latency", "--json", "--format", "%h %t %D %X", &log]);
    check(&answer["rows"][0], &[("timed", 2.into()), ("aborted", 1.into()), ("rt_max", 1000.into())]);
}

#[test]
fn what_cannot_be_answered_says_why() {
    let scratch = Scratch::new("latency-none");
    let log = scratch.file("a.log", b"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 200 1\n");
    let check = |args: &[&str], code: i32, message: &str| {
        let run = bandwho(&[&["latency"], args, &["--format", "common", &log]].concat());
        assert_eq!((run.code, run.err.as_str()), (code, format!("bandwho: {message}\n").as_str()));
    };
    check(
        &[],
        1,
        "no log has a field for how long requests took ($request_time, %D or %T); the formats are: %h %l %u %t \
         \"%r\" %>s %b",
    );
    check(&["--by", "day"], 2, "--by day: durations are not kept per slot");
    check(&["--slow", "8"], 2, "--slow: a duration such as 500ms, 2s or 1.5s is expected");
    check(&["--apdex", "0s"], 2, "--apdex: a duration must be a microsecond to 31 days long");
}

#[test]
fn threads_and_files_make_no_difference() {
    let scratch = Scratch::new("latency-split");
    let text = log().repeat(40);
    let whole = scratch.file("whole.log", text.as_bytes());
    let (middle, _) = text.match_indices('\n').nth(200).unwrap();
    let first = scratch.file("b.log", &text.as_bytes()[..=middle]);
    let second = scratch.file("a.log", &text.as_bytes()[middle + 1..]);
    let question = ["latency", "--by", "status,path", "--json", "--format", FORMAT];
    let rows = |more: &[&str]| {
        let mut answer = json(&[&question[..], more].concat());
        answer["input"].take();
        answer
    };
    let expected = rows(&["--threads", "1", &whole]);
    assert_eq!(rows(&["--threads", "3", &whole]), expected);
    assert_eq!(rows(&["--threads", "2", &first, &second]), expected);
}

#[test]
fn days_are_drawn_under_their_slots() {
    let scratch = Scratch::new("latency-days");
    let line = |day: u32, hour: u32| {
        format!(
            "192.0.2.1 - - [{day:02}/Nov/2026:{hour:02}:00:00 +0000] \"GET / HTTP/1.1\" 200 {}\n",
            hour * 450_000
        )
    };
    let hours: String = (22..=24).flat_map(|day| (0..24).map(move |hour| line(day, hour))).collect();
    let log = scratch.file("a.log", hours.as_bytes());
    let run = bandwho(&["slots", "--slot", "1h", &log]);
    let expected = "
Mean rate by day and hour
           00    03    06    09    12    15    18    21
Sun 11-22  ··░░░░░░░░░░▒▒▒▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓████████████
Mon 11-23  ··░░░░░░░░░░▒▒▒▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓████████████
Tue 11-24  ··░░░░░░░░░░▒▒▒▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓████████████
· none  ░ up to 5.75 kbps  ▒ up to 11.5 kbps  ▓ up to 17.3 kbps  █ up to 23.0 kbps
";
    assert!(run.out.contains(expected), "{}", run.out);
    assert!(!bandwho(&["slots", "--slot", "2h", &log]).out.contains("Mean rate"));
    assert!(!bandwho(&["slots", "--slot", "1h", "--since", "2026-11-24", &log]).out.contains("Mean rate"));
    assert!(!bandwho(&["slots", "--slot", "1h", "--md", &log]).out.contains("Mean rate"));
}
