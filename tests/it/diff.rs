//! Two periods, two sets of logs, and a window against what is around it: figures worked out by hand, and sums.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Scratch, bandwho, json as answer_of};

/// Day of November 2026 and clock, client, path, status, bytes.
type Request<'a> = (&'a str, &'a str, &'a str, u16, u64);

fn line(&(time, client, path, status, bytes): &Request<'_>) -> String {
    let (day, clock) = time.split_once(' ').unwrap();
    format!(
        "{client} - - [{day}/Nov/2026:{clock} +0000] \"GET {path} HTTP/1.1\" {status} {bytes} \"-\" \"curl/8\"\n"
    )
}

fn log(requests: &[Request<'_>]) -> String {
    requests.iter().map(line).collect()
}

/// Two Mondays; what is new, gone, larger and smaller, and an hour that is in neither.
const MONDAYS: [Request<'_>; 9] = [
    ("16 09:00:00", "192.0.2.1", "/same", 200, 1_000),
    ("16 10:00:00", "192.0.2.1", "/less", 200, 5_000),
    ("16 11:00:00", "192.0.2.2", "/gone", 200, 3_000),
    ("17 00:00:00", "192.0.2.9", "/between", 200, 77_777),
    ("23 09:00:00", "192.0.2.1", "/same", 200, 1_000),
    ("23 10:00:00", "192.0.2.1", "/less", 404, 2_000),
    ("23 11:00:00", "192.0.2.3", "/new", 200, 10_000),
    ("23 11:30:00", "192.0.2.3", "/new", 200, 5_000),
    ("24 00:00:00", "192.0.2.9", "/between", 200, 88_888),
];

const PERIODS: [&str; 6] = ["--since", "2026-11-23", "--until", "2026-11-24", "--vs", "7d"];

/// The rows of an answer's only table, with the members that are asked for.
fn rows(answer: &Value, names: &[&str]) -> Value {
    let cells = |row: &Value| -> Value { names.iter().map(|name| row[name].clone()).collect() };
    answer["rows"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(cells).collect()
}

fn with<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, more].concat()
}

#[test]
fn two_mondays() {
    let scratch = Scratch::new("diff-mondays");
    let path = scratch.file("a.log", log(&MONDAYS).as_bytes());
    let answer = answer_of(&with(&["diff", "--by", "path", "--json", &path], &PERIODS));
    assert_eq!(answer["schema"], "bandwho.diff/1");
    assert_eq!(answer["headline"], "+100.0 %: 9.00 kB → 18.0 kB; path /new: +15.0 kB, 166.7 % of the change");
    let names = ["path", "before_bytes", "after_bytes", "change_bytes", "growth", "share", "mark"];
    assert_eq!(
        rows(&answer, &names),
        json!([
            ["/new", 0, 15_000, 15_000, null, 1.666_667, "new"],
            ["/gone", 3_000, 0, -3_000, -1.0, -0.333_333, "gone"],
            ["/less", 5_000, 2_000, -3_000, -0.6, -0.333_333, null],
            ["/same", 1_000, 1_000, 0, 0.0, 0.0, null],
        ])
    );
    assert_eq!(answer["total"]["change_bytes"], 9_000);
    assert_eq!(answer["total"]["before_requests"], 3);
    assert_eq!(answer["total"]["after_requests"], 4);
    assert_eq!(answer["input"]["filtered"], 2);
    assert_eq!(answer["before_from"], "2026-11-16T00:00:00+00:00");
    assert_eq!(answer["before_to"], "2026-11-17T00:00:00+00:00");
    assert_eq!(answer["after_seconds"], 86_400);
}

#[test]
fn rows_by_what_they_did() {
    let scratch = Scratch::new("diff-orders");
    let path = scratch.file("a.log", log(&MONDAYS).as_bytes());
    let check = |sort: &str, expected: &[&str], others: u64| {
        let asked = ["diff", "--by", "path", "--json", "--sort", sort, &path];
        let answer = answer_of(&with(&asked, &PERIODS));
        let found: Vec<&str> =
            answer["rows"].as_array().unwrap().iter().map(|row| row["path"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{sort}");
        assert_eq!(answer["other"]["groups"], others, "{sort}");
    };
    check("change", &["/new", "/gone", "/less", "/same"], 0);
    check("grew", &["/new"], 3);
    check("shrank", &["/gone", "/less"], 2);
    check("new", &["/new"], 3);
    check("gone", &["/gone"], 3);
    check("before", &["/less", "/gone", "/same", "/new"], 0);
    check("after", &["/new", "/less", "/same", "/gone"], 0);
}

#[test]
fn periods_of_different_lengths_are_compared_by_rate() {
    let scratch = Scratch::new("diff-rates");
    let path = scratch.file("a.log", log(&MONDAYS).as_bytes());
    let asked = ["diff", "--by", "path", "--top", "1", "--json", "--since", "2026-11-23", "--until"];
    let asked = with(&asked, &["2026-11-23 12:00", "--vs", "2026-11-16", "--vs-until", "2026-11-17", &path]);
    let answer = answer_of(&asked);
    let names =
        ["path", "before_bps", "after_bps", "change_bps", "excess_bytes", "before_bytes", "after_bytes"];
    // 15,000 bytes in 43,200 s are 2.8 bit/s.
    assert_eq!(rows(&answer, &names), json!([["/new", 0, 3, 3, 15_000, 0, 15_000]]));
    // 9,000 bytes in a day are 4,500 in half of one; 18,000 are 13,500 more.
    let total = &answer["total"];
    assert_eq!((&total["excess_bytes"], &total["growth"]), (&json!(13_500), &json!(3.0)));
    // The other three: 2,000 and 1,000 against half of 9,000.
    assert_eq!(answer["other"]["excess_bytes"], -1_500);
    assert_eq!(answer["other"]["share"], -0.111_111);
    let answer = answer_of(&with(&asked, &["--compare", "bytes"]));
    assert_eq!(answer["total"]["change_bytes"], 9_000);
    let answer = answer_of(&with(&asked, &["--compare", "requests"]));
    assert_eq!(answer["total"]["change_requests"], 1);
    let shown = bandwho(&asked.iter().copied().filter(|word| *word != "--json").collect::<Vec<_>>()).out;
    assert!(shown.contains("compared  average rates, because the two are not equally long"), "{shown}");
    assert!(shown.contains("requests  2 → 4 in the same time (+166.7 %)"), "{shown}");
}

#[test]
fn periods_that_overlap_count_twice() {
    let scratch = Scratch::new("diff-overlap");
    let path = scratch.file("a.log", log(&MONDAYS).as_bytes());
    let asked = ["diff", "--by", "path", "--json", "--since", "2026-11-16", "--until", "2026-11-17 00:00:01"];
    let asked = with(&asked, &["--vs", "2026-11-16 10:30", "--vs-until", "2026-11-24", &path]);
    let names = ["path", "before_requests", "after_requests"];
    let answer = answer_of(&asked);
    let mut found: Vec<Value> = rows(&answer, &names).as_array().unwrap().clone();
    found.sort_by_key(Value::to_string);
    assert_eq!(
        json!(found),
        json!([["/between", 1, 1], ["/gone", 1, 1], ["/less", 1, 1], ["/new", 2, 0], ["/same", 1, 1]])
    );
    assert_eq!(answer["input"]["filtered"], 1);
}

#[test]
fn two_sets_of_logs() {
    let scratch = Scratch::new("diff-sets");
    let old = scratch.file("old.log", log(&MONDAYS[..3]).as_bytes());
    let middle = scratch.file("middle.log", log(&MONDAYS[3..4]).as_bytes());
    let new = scratch.file("new.log", log(&MONDAYS[4..8]).as_bytes());
    let names = ["client", "before_bytes", "after_bytes"];
    let expected = json!([["192.0.2.3", 0, 15_000], ["192.0.2.1", 6_000, 3_000], ["192.0.2.2", 3_000, 0]]);
    for logs in [vec![old.as_str(), &new], vec!["--before", &old, &new]] {
        let answer = answer_of(&with(&["diff", "--by", "client", "--compare", "bytes", "--json"], &logs));
        assert_eq!(rows(&answer, &names), expected, "{logs:?}");
        assert_eq!(
            (&answer["before_from"], &answer["before_seconds"]),
            (&json!("2026-11-16T09:00:00+00:00"), &json!(7_201))
        );
    }
    // The two hours and the two and a half are not equally long.
    let answer = answer_of(&["diff", "--by", "client", "--json", &old, &new]);
    assert_eq!(answer["total"]["before_bps"], 10);
    let several = ["diff", "--before", &old, "--before", &middle, "--by", "path", "--json", &new];
    let answer = answer_of(&several);
    assert_eq!(answer["total"]["before_requests"], 4);
    assert_eq!(answer["total"]["after_requests"], 4);
    // The same limits cut both.
    let asked = ["diff", "--by", "path", "--since", "2026-11-16 09:30", "--compare", "bytes", "--json"];
    let answer = answer_of(&with(&asked, &[&old, &new]));
    assert_eq!(answer["total"]["before_bytes"], 8_000);
}

#[test]
fn a_filter_that_leaves_one_side_empty_is_an_answer() {
    let scratch = Scratch::new("diff-where");
    let path = scratch.file("a.log", log(&MONDAYS).as_bytes());
    let asked = ["diff", "--by", "path", "--json", "--where", "status >= 400", &path];
    let answer = answer_of(&with(&asked, &PERIODS));
    assert_eq!(
        rows(&answer, &["path", "before_bytes", "after_bytes", "mark"]),
        json!([["/less", 0, 2_000, "new"]])
    );
    assert_eq!(answer["headline"], "nothing before: 0 B → 2.00 kB (+2.00 kB)");
    let answer = answer_of(&with(&["diff", "--json", "--where", "status = 999", &path], &PERIODS));
    assert_eq!(answer["headline"], "nothing on either side: 0 B → 0 B");
}

#[test]
fn what_cannot_be_compared() {
    let scratch = Scratch::new("diff-errors");
    let path = scratch.file("a.log", log(&MONDAYS).as_bytes());
    let other = scratch.file("b.log", log(&MONDAYS).as_bytes());
    let linked = scratch.0.join("link.log");
    std::fs::hard_link(&path, &linked).unwrap();
    let linked = linked.to_str().unwrap();
    let check = |args: &[&str], code: i32, message: &str| {
        let run = bandwho(args);
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{args:?}\n{}", run.err);
        assert!(run.err.contains(message), "{args:?}\n{}", run.err);
    };
    let nothing = "diff needs something to compare with: --since T --vs T, two LOGs, or --before OLD";
    check(&["diff", &path], 2, nothing);
    check(&["diff", &path, &other, &path], 2, nothing);
    check(&["diff", "--before", &path], 2, "--before OLD is compared with LOG, and there is none");
    check(&["diff", "--before", &path, &path], 2, &format!("{path} is before and after"));
    check(&["diff", &path, linked], 2, "one of the logs is before and after");
    check(&["diff", "--vs", "7d", &path], 2, "--vs needs --since");
    check(&["diff", "--since", "2026-11-23", "--vs", "soon", &path], 2, "--vs soon: not a time");
    check(&["diff", "--vs", "7d", "--before", &other, &path], 2, "cannot be used with");
    check(&["diff", "--vs-until", "7d", &path, &other], 2, "--vs");
    check(&["diff", "--by", "day", &path, &other], 2, "--by day: day is what tells the sides apart");
    check(&["diff", "--by", "path", "--by", "path", &path, &other], 2, "the table is asked for twice");
    check(&["diff", "--by", "side", &path, &other], 2, "unknown dimension `side`");
    check(&["diff", "--sort", "size", &path, &other], 2, "--sort size: rows are sorted by change, grew,");
    check(&["diff", "--by", "idc", "--by", "cache", &path, &other], 1, "no log has a field for `cache`");
    check(
        &with(&["diff", &path], &["--since", "2026-11-23", "--until", "2026-11-24", "--vs", "30d"]),
        1,
        "the logs cover 2026-11-16T09:00:00+00:00 to 2026-11-24T00:00:00+00:00, nothing of the period before: \
         2026-10-24T00:00:00+00:00 to 2026-10-25T00:00:00+00:00 (1d00h)",
    );
    let empty = scratch.file("empty.log", b"");
    check(&["diff", &empty, &path], 1, "the logs before have no records");
    check(&["diff", &path, &empty], 1, "the logs after have no records");
    let output = ["diff", "--before", &other, &path, "-o"];
    check(&with(&output, &[&other]), 2, "it is also an input");
    check(&["at", "2026-11-25", &path], 1, "nothing of the window 2026-11-25T00:00:00+00:00");
    check(&["at", "noon", &path], 2, "TIME noon: not a time");
    check(&["at", "2026-11-23", "--window", "0m", &path], 2, "--window 0m: not a length of time");
    check(&["at", "2026-11-23", "--baseline", "9y", &path], 2, "--baseline 9y: not a length of time");
    check(&["at", "2026-11-23", "--window", "3650d", &path], 2, "--window 3650d: at most a year");
    check(&["at", "2026-11-23", "--since", "1d", &path], 2, "--since: TIME, --window and --baseline say");
    let single = scratch.file("single.log", log(&MONDAYS[..1]).as_bytes());
    check(&["at", "2026-11-16 09:00", &single], 1, "nothing around the window to compare it with");
}

/// Start and end in seconds after noon, client, bytes.
fn timed(requests: &[(u32, u32, &str, u64)]) -> String {
    let line = |&(start, end, client, bytes): &(u32, u32, &str, u64)| {
        let clock = format!("{:02}:{:02}:{:02}", 12 + end / 3_600, end / 60 % 60, end % 60);
        format!(
            "{client} - - [20/Nov/2026:{clock} +0000] \"GET /a HTTP/1.1\" 200 {bytes} \"-\" \"curl/8\" {}.000\n",
            end - start
        )
    };
    requests.iter().map(line).collect()
}

#[test]
fn a_window_against_the_time_around_it() {
    let scratch = Scratch::new("at-window");
    let path = scratch.file(
        "a.log",
        timed(&[
            // The log covers noon to one o'clock, with 600 bytes in each five minutes.
            (0, 0, "192.0.2.1", 600),
            (3_599, 3_599, "192.0.2.1", 600),
            (1_500, 1_500, "192.0.2.1", 1_200),
            // Ten minutes, half of them in the window from 12:30 on: 60 bytes per second.
            (1_499, 2_099, "192.0.2.2", 36_060),
            (2_099, 2_099, "192.0.2.3", 90),
        ])
        .as_bytes(),
    );
    let asked = ["at", "2026-11-20 12:30", "--window", "5m", "--by", "client", "--json", &path];
    let answer = answer_of(&asked);
    assert_eq!(answer["schema"], "bandwho.at/1");
    assert_eq!(
        (&answer["window_covered_seconds"], &answer["around_covered_seconds"]),
        (&json!(300), &json!(3_300))
    );
    let bytes = |row: &Value| (row["before_bytes"].as_i64().unwrap(), row["after_bytes"].as_i64().unwrap());
    let found: BTreeMap<&str, (i64, i64)> = answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["client"].as_str().unwrap(), bytes(row)))
        .collect();
    // 600,000,001 µs at 36,060 bytes: 301 s are before the window; the microsecond rounds.
    let expected = [("192.0.2.1", (2_400, 0)), ("192.0.2.2", (18_090, 17_970)), ("192.0.2.3", (0, 90))];
    assert_eq!(found, BTreeMap::from(expected));
    assert_eq!(bytes(&answer["total"]), (20_490, 18_060));
    assert_eq!(answer["total"]["after_bps"], 482);
    assert_eq!(answer["total"]["before_bps"], 50);
    // 18,060 − 20,490 · 300 / 3,300.
    assert_eq!(answer["total"]["excess_bytes"], 16_197);
    assert_eq!(answer["total"]["after_requests"], 2);
    assert_eq!(answer["input"]["filtered"], 0);
    // A shorter baseline leaves the ends of the log out.
    let answer = answer_of(&with(&asked, &["--baseline", "10m"]));
    assert_eq!(answer["around_covered_seconds"], 1_200);
    assert_eq!(answer["input"]["filtered"], 2);
    // The window ends where the log does.
    let answer = answer_of(&["at", "2026-11-20 12:50", "--window", "30m", "--by", "client", "--json", &path]);
    assert_eq!(
        (&answer["window_to"], &answer["window_covered_seconds"]),
        (&json!("2026-11-20T13:20:00+00:00"), &json!(600))
    );
    let shown = bandwho(&["at", "2026-11-20 12:50", "--window", "30m", &path]).out;
    assert!(shown.contains("note      the logs cover 10m00s of the window"), "{shown}");
}

/// A hundred requests of two days with peculiar texts.
fn peculiar() -> String {
    let paths = [
        "/a",
        "/b\\x1b[31m",
        "=1+1",
        "/caf\u{e9}",
        "/\u{202e}x",
        "/`|*",
        "/x\\x00y",
        "/long/long/long/path/x.ts",
    ];
    let request = |at: usize| {
        let day = ["16", "17"][at % 2];
        let (time, client) = (format!("{day} 0{}:{:02}:00", at % 5, at % 60), format!("192.0.2.{}", at % 7));
        line(&(
            &time,
            &client,
            paths[at * at % paths.len()],
            [200, 206, 404, 503][at % 3],
            (at * 37 % 91) as u64,
        ))
    };
    (0..100).map(request).collect()
}

/// Rows and other, and the total, of the columns that add up, per table of a CSV.
fn sums(csv: &str) -> Vec<(BTreeMap<String, i128>, BTreeMap<String, i128>)> {
    let mut tables = Vec::new();
    let mut header: Vec<String> = Vec::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv.as_bytes());
    for record in reader.records() {
        let record = record.unwrap();
        let Some(kind) = record.iter().position(|cell| ["row", "other", "total"].contains(&cell)) else {
            panic!("{csv}");
        };
        if record.iter().any(|cell| cell == "mark") {
            header = record.iter().map(str::to_owned).collect();
            tables.push((BTreeMap::new(), BTreeMap::new()));
            continue;
        }
        let (parts, total) = tables.last_mut().unwrap();
        let sums = if &record[kind] == "total" { total } else { parts };
        for (name, cell) in header.iter().zip(&record) {
            let adds_up = ["_bytes", "_requests"].iter().any(|unit| name.ends_with(unit));
            if adds_up && !["excess_bytes", "expected_requests"].contains(&name.as_str()) {
                *sums.entry(name.clone()).or_insert(0) += cell.parse::<i128>().unwrap();
            }
        }
    }
    tables
}

#[test]
fn every_table_adds_up_and_no_text_acts() {
    let scratch = Scratch::new("diff-sums");
    let path = scratch.file("a.log", peculiar().as_bytes());
    let (old, new) =
        (scratch.file("0.log", peculiar().as_bytes()), scratch.file("1.log", &peculiar().as_bytes()[150..]));
    let commands: [Vec<&str>; 4] = [
        vec!["diff", "--since", "2026-11-17", "--vs", "1d", &path],
        vec![
            "diff",
            "--since",
            "2026-11-17",
            "--until",
            "2026-11-17 03:00",
            "--vs",
            "2026-11-16",
            "--vs-until",
            "2026-11-16 04:00",
            &path,
        ],
        vec!["diff", &old, &new],
        vec!["at", "2026-11-16 02:00", "--baseline", "1d", &path],
    ];
    let by: [&[&str]; 4] =
        [&[], &["--by", "path"], &["--by", "client,path"], &["--by", "class", "--by", "method"]];
    let mut checked = 0;
    for command in &commands {
        for by in by {
            for more in ["change", "grew", "shrank", "new", "gone", "before", "after"] {
                for top in ["0", "3"] {
                    let asked = with(command, &with(by, &["--sort", more, "--top", top]));
                    let run = bandwho(&with(&asked, &["--csv"]));
                    assert_eq!(run.code, 0, "{asked:?}\n{}", run.err);
                    let tables = sums(&run.out);
                    assert!(!tables.is_empty(), "{asked:?}\n{}", run.out);
                    for (parts, total) in tables {
                        assert!(total.len() >= 4 && parts == total, "{asked:?}\n{}", run.out);
                    }
                    checked += 1;
                }
            }
            for shape in ["--json", "--ndjson", "--csv", "--md", "--color=never"] {
                let asked = with(command, &with(by, &[shape, "--top", "0"]));
                let run = bandwho(&asked);
                let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
                assert!(!run.out.contains(acts), "{asked:?}\n{:?}", run.out);
                for line in run.out.lines().filter(|_| shape.ends_with("json")) {
                    serde_json::from_str::<Value>(line).unwrap();
                }
                assert!(shape != "--csv" || !run.out.split([',', '\n']).any(|cell| cell.starts_with('=')));
            }
        }
    }
    assert_eq!(checked, 4 * 4 * 7 * 2);
}

#[test]
fn answers_do_not_depend_on_threads_or_files() {
    let scratch = Scratch::new("diff-split");
    let text = peculiar();
    let whole = scratch.file("a.log", text.as_bytes());
    let middle = text[..text.len() / 3].rfind('\n').unwrap() + 1;
    let first = scratch.file("z.log", &text.as_bytes()[..middle]);
    let second = scratch.file("b.log", &text.as_bytes()[middle..]);
    let later = scratch.file("later.log", log(&MONDAYS[4..]).as_bytes());
    let mut commands: Vec<Vec<&str>> = vec![
        vec!["diff", "--since", "2026-11-17", "--vs", "1d"],
        vec!["at", "2026-11-16 02:00", "--baseline", "1d", "--by", "client,path", "--by", "status"],
    ];
    commands.push(vec!["diff", "--by", "client,path", "--before", &later]);
    for command in &commands {
        let answer = |logs: &[&str], threads: &str| {
            let mut answer = answer_of(&with(&with(command, logs), &["--json", "--threads", threads]));
            answer.as_object_mut().unwrap().remove("input");
            answer.to_string()
        };
        let expected = answer(&[&whole], "1");
        for threads in ["1", "2", "7"] {
            assert_eq!(answer(&[&whole], threads), expected, "{command:?}");
            assert_eq!(answer(&[&first, &second], threads), expected, "{command:?}");
        }
    }
}
