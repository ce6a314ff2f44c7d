//! Files that are written, and what becomes of peculiar logs on the way there.

use std::fs;

use crate::{Scratch, bandwho, bandwho_with, json};

const LINE: &str = r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET /a HTTP/1.1" 200 1000 "-" "curl/8""#;

/// Fails with exactly this, and leaves the file alone.
fn check_refused(args: &[&str], file: &str, message: &str) {
    let before = fs::read(file).unwrap();
    let run = bandwho(args);
    assert_eq!(
        (run.code, run.err.as_str()),
        (2, format!("bandwho: cannot write {file}: {message}\n").as_str())
    );
    assert!(fs::read(file).unwrap() == before, "{file} was changed");
}

const REJECTS_HEADER: &str = "# file, line, column, reason and text, between TABs; in file and text \\xNN is a byte, \\\\ a backslash\n";

#[test]
fn no_output_replaces_an_input() {
    let scratch = Scratch::new("guard");
    let log = scratch.file("a.log", format!("{LINE}\nbad\n").as_bytes());
    let csv = scratch.file("a.csv", format!("{LINE}\n").as_bytes());
    let list = scratch.file("servers.csv", b"address,idc\n192.0.2.9,bj\n");
    let directory = scratch.0.to_str().unwrap();
    check_refused(&[&log, "--rejects", &log], &log, "it is also an input");
    check_refused(&["lines", &log, "-o", &log], &log, "it is also an input");
    check_refused(&["top", "--by", "client", &csv, "-o", &csv], &csv, "it is also an input");
    check_refused(&["top", "--by", "client", directory, "-o", &csv], &csv, "it is also an input");
    check_refused(&[&log, "--servers", &list, "-o", &list], &list, "it is also an input");
    check_refused(
        &["lines", &log, "-o", &csv, "--rejects", &csv],
        &csv,
        "it is named for the rejects as well",
    );
    // One file that is not there yet, by two names.
    let (one, other) = (format!("{directory}/new.csv"), format!("{directory}/./new.csv"));
    let run = bandwho(&["top", "--by", "client", &log, "-o", &one, "--rejects", &other]);
    let message = format!("bandwho: cannot write {one}: it is named for the rejects as well\n");
    assert_eq!((run.code, run.err), (2, message));
    assert!(!std::path::Path::new(&one).exists());
}

#[test]
fn an_output_appears_whole_and_links_are_not_followed() {
    let scratch = Scratch::new("output");
    let log = scratch.file("a.log", format!("{LINE}\nbad\n").as_bytes());
    let answer = scratch.file("answer.json", b"old");
    let rejects = scratch.file("rejects.txt", b"old");
    let run = bandwho(&["top", "--by", "client", &log, "-o", &answer, "--rejects", &rejects]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    let parsed: serde_json::Value = serde_json::from_slice(&fs::read(&answer).unwrap()).unwrap();
    assert_eq!(parsed["rows"][0]["bytes"], 1000);
    assert_eq!(fs::read_to_string(&rejects).unwrap(), format!("{REJECTS_HEADER}{log}\t2\t1\tformat\tbad\n"));
    let records = scratch.0.join("records.ndjson");
    let run = bandwho(&["lines", &log, "-o", records.to_str().unwrap()]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    assert!(run.err.starts_with("bandwho: note: 2 lines: 1 accepted, 1 rejected"), "{}", run.err);
    let record: serde_json::Value = serde_json::from_slice(&fs::read(&records).unwrap()).unwrap();
    assert_eq!((&record["client"], &record["line"]), (&"192.0.2.1".into(), &1.into()));
    #[cfg(unix)]
    {
        let link = scratch.0.join("link.json");
        std::os::unix::fs::symlink(&answer, &link).unwrap();
        let run = bandwho(&[&log, "-o", link.to_str().unwrap()]);
        let message = format!("bandwho: cannot write {}: it is a symbolic link\n", link.display());
        assert_eq!((run.code, run.err), (1, message));
    }
}

#[test]
fn a_cut_archive_counts_what_came_before() {
    use std::io::Write;
    let scratch = Scratch::new("archive");
    // Lines that do not compress away, so that half of the archive is half of the log.
    let lines = (0..2000u32).map(|i| LINE.replace("/a", &format!("/{}", i.wrapping_mul(2_654_435_761))));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(lines.map(|line| line + "\n").collect::<String>().as_bytes()).unwrap();
    let archive = encoder.finish().unwrap();
    let log = scratch.file("half.gz", &archive[..archive.len() / 2]);
    let run = bandwho(&["--json", &log]);
    assert_eq!(run.code, 1);
    let expected = format!(
        "bandwho: warning: {log}: unexpected end of gzip data after {} compressed bytes",
        archive.len() / 2
    );
    assert!(run.err.starts_with(&expected), "{}", run.err);
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let accepted = answer["input"]["accepted"].as_u64().unwrap();
    assert!((500..2000).contains(&accepted), "{accepted}");
    assert_eq!(answer["bytes"], accepted * 1000);
    assert_eq!(bandwho(&["--json", "--partial-ok", &log]).code, 0);
    let log = scratch.file("start.gz", &archive[..40]);
    let run = bandwho(&[&log]);
    let message = format!(
        "bandwho: {log}: unexpected end of gzip data after 40 compressed bytes; nothing of it is a record\n"
    );
    assert_eq!((run.code, run.err), (1, message));
}

#[test]
fn a_year_gone_wrong_does_not_ask_for_all_memory() {
    let log = format!("{LINE}\n{}\n", LINE.replace("2026", "9999"));
    let run = bandwho_with(&["slots", "--csv"], log.as_bytes());
    let message = "bandwho: the samples span 2026-11-23T05:50:00+00:00 to 9999-11-23T05:55:00+00:00: 838678465 rows, 2000000 at \
                   most; limit the time with --since and --until, the groups with --top, or take a longer --slot\n";
    assert_eq!((run.code, run.err.as_str()), (1, message));
    let run = bandwho_with(&["--json"], log.as_bytes());
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn records_without_a_time_have_a_row_of_their_own() {
    let log = format!(
        "{LINE}\n{}\n",
        LINE.replace("[23/Nov/2026:05:53:11 +0000]", "[-]").replace(" 1000 ", " 5000 ")
    );
    let scratch = Scratch::new("timeless");
    let log = scratch.file("a.log", log.as_bytes());
    for by in ["slot", "day", "hour", "weekday"] {
        let answer = json(&["top", "--by", by, "--json", "--format", "combined", &log]);
        assert_eq!(answer["total"]["bytes"], 6000, "{by}");
        assert_eq!(answer["rows"][0]["bytes"], 5000, "{by}");
        let timeless = &answer["rows"][0][by];
        assert!(timeless.is_null() || timeless == "unknown", "{by}: {timeless}");
    }
}

#[test]
fn only_what_needs_bytes_fails_without_them() {
    let line = "192.0.2.1 GET\n";
    let format = "$remote_addr $request_method";
    let run = bandwho_with(&["lines", "--format", format], line.as_bytes());
    assert_eq!((run.code, run.out.as_str()), (0, line));
    let requests = [
        "top",
        "--by",
        "client",
        "--sort",
        "requests",
        "--columns",
        "requests",
        "--format",
        format,
        "--json",
    ];
    let run = bandwho_with(&requests, line.as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        (&answer["input"]["basis"], &answer["total"]["requests"]),
        (&serde_json::Value::Null, &1.into())
    );
    let run = bandwho_with(&["top", "--by", "client", "--format", format, "--json"], line.as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(answer["rows"][0]["requests"], 1);
    assert_eq!(run.err, "bandwho: note: no log has a byte column: requests are counted\n");
    let sorted = ["top", "--by", "client", "--sort", "bytes", "--format", format];
    let run = bandwho_with(&sorted, line.as_bytes());
    let message = "bandwho: note: no log has a byte column: requests are counted\nbandwho: no log has a field for body bytes ($body_bytes_sent, %b or %B); the formats are: \
                   $remote_addr $request_method\n";
    assert_eq!((run.code, run.err.as_str()), (1, message));
}

#[test]
fn the_zone_is_that_of_any_logged_time() {
    let line = "192.0.2.1 [23/Nov/2026:01:00:00 +0800] 1795366800.000 200 1000\n";
    let format = "$remote_addr [$time_local] $msec $status $body_bytes_sent";
    let run = bandwho_with(&["top", "--by", "day", "--format", format, "--json"], line.as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&answer["input"]["tz"], &answer["rows"][0]["day"]), (&"+08:00".into(), &"2026-11-23".into()));
    assert_eq!(run.err, "");
}

#[test]
fn rejected_lines_are_safe_to_look_at() {
    let scratch = Scratch::new("evidence");
    let log = scratch
        .file("a.log", &[LINE.as_bytes(), b"\n\x1b]0;x\x07 \\x1b \xff\n=cmd|' /C calc'!A0\n"].concat());
    let rejects = scratch.file("rejects.txt", b"");
    assert_eq!(bandwho(&[&log, "--format", "combined", "--rejects", &rejects]).code, 0);
    let expected = format!(
        "{REJECTS_HEADER}{log}\t2\t1\tformat\t\\x1b]0;x\\x07 \\\\x1b \\xff\n{log}\t3\t1\tformat\t\\x3dcmd|' /C calc'!A0\n"
    );
    assert_eq!(fs::read_to_string(&rejects).unwrap(), expected);
}

#[test]
fn a_line_that_swallowed_another_is_rejected() {
    let log = format!("{LINE}\n{LINE}\r{LINE}\n{LINE}\n{LINE} {LINE}\n");
    let run = bandwho_with(&["--json"], log.as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let input = &answer["input"];
    assert_eq!((&input["lines"], &input["accepted"], &input["rejected"]), (&4.into(), &2.into(), &2.into()));
    assert_eq!(answer["bytes"], 2000);
}

#[test]
fn archives_of_files_are_not_read_as_logs() {
    use std::io::Write;
    let scratch = Scratch::new("archives");
    let mut header = [0; 512];
    header[..5].copy_from_slice(b"a.log");
    header[257..265].copy_from_slice(b"ustar\x0000");
    let tar = [&header[..], LINE.as_bytes(), b"\n"].concat();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&tar).unwrap();
    let zip = [b"PK\x03\x04\x0a\0\0\0a.log", LINE.as_bytes(), b"\n"].concat();
    let archives =
        [("b.tar", tar, "tar"), ("c.tar.gz", encoder.finish().unwrap(), "tar"), ("d.zip", zip, "zip")];
    let mut notes = String::new();
    for (name, bytes, kind) in archives {
        let archive = scratch.file(name, &bytes);
        for command in [&[][..], &["formats"]] {
            let run = bandwho(&[command, &[&archive]].concat());
            let message = format!("bandwho: {archive} is a {kind} archive: unpack it first\n");
            assert_eq!((run.code, run.err, run.out), (1, message, String::new()));
        }
        notes.push_str(&format!("bandwho: note: {archive} is left out: it is a {kind} archive\n"));
    }
    scratch.file("a.log", format!("{LINE}\n").as_bytes());
    let folder = scratch.0.to_str().unwrap();
    for command in [&["lines"][..], &["formats"]] {
        let run = bandwho(&[command, &[folder]].concat());
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(run.err.starts_with(&notes), "{}", run.err);
    }
}
