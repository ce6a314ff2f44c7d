//! What people see first: the headline, the curve, the tables, and the commands that are suggested, which work.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{Scratch, bandwho, bandwho_with, json};

/// A line of the combined format at a minute of an hour.
fn line(minute: u32, client: &str, path: &str, status: u32, bytes: u64, agent: &str) -> String {
    let (hour, minute) = (minute / 60, minute % 60);
    let time = format!("20/Nov/2026:{hour:02}:{minute:02}:00 +0800");
    format!("{client} - - [{time}] \"GET {path} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\"\n")
}

/// Two hours of traffic, a quarter of it to one client, with a peak at 01:05.
fn two_hours() -> String {
    let lines = (0..24).flat_map(|slot| {
        let client = |last: u32| format!("198.51.100.{last}");
        let bytes = if slot == 13 { 90_000_000 } else { 3_000_000 };
        (0..4).map(move |last| line(slot * 5, &client(last), &format!("/v/{last}"), 200, bytes, "curl/8"))
    });
    lines.collect()
}

fn commands(answer: &Value) -> Vec<String> {
    let all = answer["suggestions"].as_array().unwrap();
    assert!(all.iter().all(|next| next["why"].as_str().is_some_and(|why| !why.is_empty())));
    all.iter().map(|next| next["command"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_sentence_says_it_all() {
    let scratch = Scratch::new("headline");
    let log = scratch.file("access.log", two_hours().as_bytes());
    let run = bandwho(&["--no-ip-db", &log]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let volume = "636 MB in 115 min; 95th 320 kbps, peak 9.60 Mbps at 2026-11-20 01:05";
    let headline = format!("{volume}; top client 198.51.100.0 25.0 %");
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines[0], headline);
    assert_eq!(lines[2], "period    2026-11-20T00:00:00+08:00 to 2026-11-20T01:55:00+08:00");
    assert!(lines.contains(&"Rate  ⠒⠒ 95th 320 kbps"), "{}", run.out);
    assert!(lines.contains(&" 9.60 Mbps ┤                                    ⢸⣿⣿⣿"), "{}", run.out);
    assert!(lines.contains(&"198.51.100.0      159 MB        24   25.0 %  ██████████"), "{}", run.out);
    assert!(lines.contains(&"total             636 MB        96  100.0 %"), "{}", run.out);
    // The same in a file, and in no pipe an escape sequence.
    let file = scratch.0.join("answer.txt");
    bandwho(&["--no-ip-db", &log, "-o", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), run.out);
    assert!(!run.out.contains('\x1b'));
    let answer = json(&["--no-ip-db", "--json", &log]);
    assert_eq!(answer["headline"], headline.as_str());
    assert_eq!((&answer["peak_bps"], &answer["p95_bps"]), (&9_600_000.into(), &320_000.into()));
    assert_eq!(answer["views"]["client"]["rows"][0]["share"], 0.25);
    // The 95th is that of the bill.
    let bill = json(&["bill", "--no-ip-db", "--json", &log]);
    assert_eq!(bill["bills"][0]["billed_bps"], answer["p95_bps"]);
    // Every drawing and mark is left out of Markdown.
    let markdown = bandwho(&["--no-ip-db", "--md", &log]).out;
    assert!(markdown.starts_with(&format!("{volume}; top client `198.51.100.0` 25.0 %\n")), "{markdown}");
    assert!(!markdown.contains(['█', '⣿', '┤']), "{markdown}");
}

#[test]
fn words_and_drawings_depend_on_what_the_log_has() {
    fn check(args: &[&str], lines: &str, headline: &str, is_drawn: bool) {
        let run = bandwho_with(&[args, &["--no-ip-db"]].concat(), lines.as_bytes());
        assert_eq!(run.code, 0, "{}", run.err);
        assert_eq!(run.out.lines().next(), Some(headline));
        assert_eq!(run.out.contains('┤'), is_drawn, "{}", run.out);
        assert!(!run.out.contains("95th"), "{}", run.out);
    }
    // Of fewer than twenty samples the 95th is the peak.
    let short = line(5, "192.0.2.1", "/", 200, 3_750_000, "-") + &line(95, "192.0.2.1", "/", 200, 1, "-");
    check(
        &[],
        &short,
        "3.75 MB in 90 min; peak 100 kbps at 2026-11-20 00:05; top client 192.0.2.1 100.0 %",
        true,
    );
    let short = line(5, "192.0.2.1", "/", 304, 0, "-");
    check(&[], &short, "0 B in 1 s", true);
    let no_bytes = ["--format", "$remote_addr [$time_local] \"$request\" $status"];
    let time = "[20/Nov/2026:00:00:00 +0800]";
    let lines = format!("192.0.2.1 {time} \"GET /a HTTP/1.1\" 200\n").repeat(3);
    check(&no_bytes, &lines, "3 requests in 1 s; top client 192.0.2.1 100.0 %", false);
    let no_time = ["--format", "$remote_addr \"$request\" $body_bytes_sent"];
    let lines = "192.0.2.1 \"GET /a HTTP/1.1\" 200\n192.0.2.2 \"GET /a HTTP/1.1\" 100\n";
    check(&no_time, lines, "300 B in 2 requests; top client 192.0.2.1 66.7 %", false);
}

#[test]
fn requests_have_bars_where_no_bytes_are_logged() {
    let format = ["--no-ip-db", "--format", "$remote_addr [$time_local] \"$request\" $status"];
    let line = |last| format!("192.0.2.{last} [20/Nov/2026:00:00:00 +0800] \"GET /a HTTP/1.1\" 200\n");
    let lines: String = (0..40_u32).map(|at| line(at * at % 23)).collect();
    let answer = bandwho_with(&[&format[..], &["--json"]].concat(), lines.as_bytes()).out;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let table = &answer["views"]["client"];
    let requests = |cells: &Value| cells["requests"].as_u64().unwrap();
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 8);
    let shown: u64 = rows.iter().map(requests).sum();
    assert_eq!((shown + requests(&table["other"]), requests(&table["total"])), (40, 40));
    assert_eq!((&rows[0]["request_share"], &table["total"]["request_share"]), (&0.1.into(), &1.0.into()));
}

/// Runs a command in a shell, as it was suggested.
fn run_in_shell(command: &str, folder: &Path) -> Value {
    let program = Path::new(env!("CARGO_BIN_EXE_bandwho")).parent().unwrap();
    let path = std::env::join_paths([program, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let command = format!("{command} --json");
    let output =
        Command::new("sh").args(["-c", &command]).current_dir(folder).env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[cfg(unix)]
#[test]
fn suggested_commands_do_what_they_say_whatever_the_names() {
    let scratch = Scratch::new("suggested");
    let name = "it's $(touch owned) `touch owned`;touch owned.log";
    let path = "/a'b;touch${IFS}owned;$(touch${IFS}owned)|c";
    let mut lines = two_hours();
    lines += &line(3, "192.0.2.1", path, 200, 2_000_000_000, "Googlebot/2.1");
    lines += &line(4, "192.0.2.2", path, 200, 2_000_000_000, "Googlebot/2.1");
    let log = scratch.file(name, lines.as_bytes());
    let servers = scratch.file("a 'list'.csv", b"address,idc\n10.0.0.1,bj\n");
    let options = ["--no-ip-db", "--tz=-05:00", "--where", "path != \"/it's\"", "--servers", &servers];
    let answer = json(&[&options[..], &["--json", &log]].concat());
    let found = commands(&answer);
    assert!(found[0].starts_with("bandwho top --by path --where 'client = 192.0.2.1' "), "{found:?}");
    let top = run_in_shell(&found[0], &scratch.0);
    assert_eq!((&top["rows"][0]["path"], &top["total"]["bytes"]), (&path.into(), &2_000_000_000_u64.into()));
    assert_eq!((&top["input"]["tz"], &answer["input"]["tz"]), (&"-05:00".into(), &"-05:00".into()));
    let top = run_in_shell(&found[1], &scratch.0);
    assert!(found[1].starts_with("bandwho top --by client --where 'path = "), "{found:?}");
    assert_eq!(top["total"]["bytes"], 4_000_000_000_u64);
    assert!(!scratch.0.join("owned").exists());
}

#[test]
fn hostile_texts_are_disarmed_in_every_shape_and_in_no_command() {
    let scratch = Scratch::new("overview-hostile");
    let texts = ["\\x1b[2J", "\u{9b}2J", "\u{202e}gol", "\\x0Areboot", "\x1b]0;x\x07", "=cmd()", "\0"];
    for text in texts {
        let path = format!("/{text}");
        // One client and one path have nearly all.
        let most = line(3, text, &path, 200, u64::from(u32::MAX), text);
        let log = scratch.file("access.log", (most + &two_hours()).as_bytes());
        for shape in ["--color=never", "--json", "--ndjson", "--csv", "--md"] {
            let run = bandwho(&["--no-ip-db", shape, &log]);
            let hidden = |c: &char| c.is_control() && *c != '\n' || *c == '\u{202e}';
            assert_eq!((run.code, run.out.chars().find(hidden)), (0, None), "{text:?}\n{}", run.out);
        }
        for command in commands(&json(&["--no-ip-db", "--json", &log])) {
            let is_shown = text == "=cmd()" && command.contains(r#"'path = "/=cmd()"'"#);
            assert!(is_shown || !command.contains("path = ") && !command.contains("client = "), "{command}");
        }
    }
}

#[test]
fn pipes_are_read_again_as_pipes_and_rejects_come_first() {
    let lines = two_hours() + "no record\n" + "nor this\n";
    let run = bandwho_with(&["--no-ip-db", "--json"], lines.as_bytes());
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    let found = commands(&answer);
    assert_eq!(found[0], "bandwho formats -");
    assert!(found[1].ends_with(" --no-ip-db -"), "{found:?}");
}
