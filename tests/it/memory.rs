//! Answers within a limit of memory are those without, and nothing stays on disk.

use std::fmt::Write as _;
use std::fs;

use crate::{Scratch, bandwho, bandwho_with};

/// Several blocks of a log in which nearly every line is a group of its own; late lines, ties and unknown values too.
fn log() -> String {
    let mut log = String::new();
    for line in 0..20_000_u32 {
        let mixed = line.wrapping_mul(2_654_435_761) >> 8;
        let (minute, second) = (line / 60 % 60, if line % 50 == 0 { 0 } else { line % 60 });
        let host = if line % 7 == 0 { "-" } else { "www.example.com" };
        writeln!(
            log,
            "192.0.{}.{} - - [23/Nov/2026:05:{minute:02}:{second:02} +0000] \"GET /objects/{:06x}?{} HTTP/1.1\" {} {} \
             \"http://{host}/\" \"an agent with a name of some length, as agents have it/{}\" 0.{:03}",
            line % 256,
            mixed % 256,
            mixed % 15_000,
            "x".repeat(60),
            [200, 206, 404, 499][mixed as usize % 4],
            mixed % 1_000 * 1_000,
            mixed % 3_000,
            mixed % 900,
        )
        .unwrap();
    }
    assert!(log.len() > 3 << 20, "{} bytes", log.len());
    log
}

#[test]
fn memory_changes_no_answer() {
    let scratch = Scratch::new("memory");
    let log = scratch.file("access.log", log().as_bytes());
    let tmp = scratch.0.join("tmp");
    fs::create_dir(&tmp).unwrap();
    let tmp = tmp.to_str().unwrap();
    let questions: [&[&str]; 8] = [
        &[],
        &["top", "--by", "client,path"],
        &["top", "--by", "path,slot", "--sort", "requests", "--top", "30"],
        &[
            "top",
            "--by",
            "agent,status",
            "--columns",
            "p95_bps,peak_at,rt_p95,errors_4xx",
            "--sort",
            "rt_p95",
        ],
        &["top", "--by", "path", "--columns", "bytes,driver_share"],
        &["top", "--by", "path", "--top", "0"],
        &["latency", "--by", "path"],
        &["slots", "--by", "client", "--slot", "1h"],
    ];
    let shapes: [&[&str]; 5] = [&[], &["--json"], &["--ndjson"], &["--csv"], &["--md"]];
    for question in questions {
        for (at, shape) in shapes.iter().enumerate() {
            let ask = |memory: &str, threads: &str| {
                let rest = ["--memory", memory, "--tmp", tmp, "--threads", threads, &log];
                let run = bandwho(&[question, shape, &rest].concat());
                assert_eq!(run.code, 0, "{question:?}: {}", run.err);
                run.out
            };
            let unlimited = ask("4G", "2");
            let threads = ["1", "3"][at % 2];
            assert!(ask("1M", threads) == unlimited, "{question:?} {shape:?} --threads {threads}");
        }
    }
    assert_eq!(fs::read_dir(tmp).unwrap().count(), 0);
}

#[test]
fn more_memory_than_was_given_is_told() {
    let scratch = Scratch::new("memory-whole");
    let log = scratch.file("access.log", log().as_bytes());
    let run = bandwho(&["top", "--by", "client,path", "--top", "0", "--csv", "--memory", "1M", &log]);
    assert_eq!((run.code, run.out.lines().count()), (0, 20_003), "{}", run.err);
    let note = run.err.lines().find(|line| line.contains("all groups at once")).unwrap_or_default();
    assert!(
        note.starts_with("bandwho: note: this answer needs all groups at once: they alone took about "),
        "{}",
        run.err
    );
    assert!(note.ends_with(" MiB, --memory is 1 MiB"), "{note}");
}

#[test]
fn temporary_files_that_cannot_be_are_refused() {
    fn check(options: &[&str], code: i32, message: &str) {
        let line = b"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] \"GET /a HTTP/1.1\" 200 1000\n";
        let run = bandwho_with(&[&["top", "--by", "path", "-"], options].concat(), line);
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{}", run.err);
        assert_eq!(run.err.lines().last().unwrap_or_default(), format!("bandwho: {message}"));
    }
    let scratch = Scratch::new("memory-none");
    let file = scratch.file("file", b"");
    let none = format!("{file}.none");
    let failed = |folder: &str, cause: &str| format!("cannot create a temporary file in {folder}: {cause}");
    check(&["--tmp", &none], 1, &failed(&none, "no such file or directory"));
    check(&["--tmp", &file], 1, &failed(&file, "not a directory"));
    check(&["--memory", "64X"], 2, "--memory 64X: a size such as 64M, 512MiB or 2G is expected");
    check(&["--memory", "64"], 2, "--memory 64: at least 1M");
}
