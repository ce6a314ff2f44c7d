//! How the program behaves among others: closed pipes, files it may not read, and logs of many blocks.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io};

use serde_json::Value;

use crate::{Scratch, bandwho_with, testdata};

/// What a pipe holds unread: whoever has more to say is still writing when the reader goes.
const PIPE_SIZE: usize = 64 << 10;

/// What the reader takes.
const GLANCE: usize = 100;

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let scratch = Scratch::new("glance");
    let log = scratch.file("a.log", wide_log().as_bytes());
    let top: &[&str] = &["top", "--by", "client", "--top", "0"];
    for command in [&[], top, &["slots"]] {
        for shape in [None, Some("--json"), Some("--ndjson"), Some("--csv"), Some("--md")] {
            check_glance(&[command, shape.as_slice(), &["--format", "combined", &log]].concat());
        }
    }
    check_glance(&["lines", "--format", "combined", &log]);
    check_glance(&["lines", "--ndjson", "--format", "combined", &log]);
}

/// Every command has more to say about this log than a pipe holds: many clients and slots, and a few endless paths,
/// for the overview names only the first ones.
fn wide_log() -> String {
    let mut log = String::new();
    for at in 0..4_000_u32 {
        let (day, hour, minute) = (1 + at / 288, at / 12 % 24, at % 12 * 5);
        let (path, bytes) = if at < 5 { ("x".repeat(40_000), 1_000_000) } else { (at.to_string(), 1_000) };
        writeln!(
            log,
            "10.0.{}.{} - - [{day:02}/Nov/2026:{hour:02}:{minute:02}:00 +0000] \"GET /{at}{path} HTTP/1.1\" 200 {bytes} \
             \"-\" \"test/1\"",
            at / 250,
            at % 250,
        )
        .unwrap();
    }
    log
}

/// Reads the beginning of the answer and closes the pipe: no failure, no complaint.
fn check_glance(args: &[&str]) {
    let whole = bandwho_with(args, b"");
    assert_eq!(whole.code, 0, "bandwho {args:?}\n{}", whole.err);
    assert!(whole.out.len() > PIPE_SIZE + GLANCE, "bandwho {args:?}: {} bytes fit a pipe", whole.out.len());
    let mut child = Command::new(env!("CARGO_BIN_EXE_bandwho"))
        .args(args)
        .env_remove("BANDWHO_IP_DB")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = [0; GLANCE];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut seen).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(&whole.out.as_bytes()[..GLANCE], seen, "bandwho {args:?}");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), err.as_ref()), (Some(0), ""), "bandwho {args:?}");
}

#[test]
fn what_may_not_be_read_is_named() {
    let scratch = Scratch::new("unreadable");
    let anyone = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    let nobody = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    anyone(&scratch.0);
    // Root reads everything, so root's tests run the program as somebody who does not. That one may not reach the
    // build's directory, but this one.
    let program = scratch.0.join("bandwho");
    fs::copy(env!("CARGO_BIN_EXE_bandwho"), &program).unwrap();
    anyone(&program);
    let readable = scratch.file("b.log", wide_log().lines().next_back().unwrap().as_bytes());
    anyone(Path::new(&readable));
    let file = scratch.file("a.log", b"secret\n");
    let folder = scratch.0.join("logs");
    fs::create_dir(&folder).unwrap();
    nobody(Path::new(&file));
    nobody(&folder);
    let folder = folder.to_str().unwrap();
    let is_root = fs::metadata(&scratch.0).unwrap().uid() == 0;
    let run = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.args(args).stdin(Stdio::null());
        if is_root {
            command.uid(NOBODY);
        }
        let output = started(&mut command);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let refused = |path: &str| (Some(1), format!("bandwho: cannot open {path}: permission denied\n"));
    assert_eq!(run(&[&readable]), (Some(0), String::new()), "the program itself can be run");
    assert_eq!(run(&[&file]), refused(&file));
    assert_eq!(run(&["top", "--by", "client", &readable, &file]), refused(&file));
    assert_eq!(run(&["lines", &file, &readable]), refused(&file));
    assert_eq!(run(&[folder]), refused(folder));

    // Below what was named, what can be read is read.
    let logs = scratch.0.join("all");
    let site = logs.join("site");
    fs::create_dir_all(&site).unwrap();
    let log = site.join("a.log");
    fs::copy(&readable, &log).unwrap();
    for path in [&logs, &site, &log] {
        anyone(path);
    }
    let (secret, closed) = (site.join("b.log"), logs.join("closed"));
    fs::write(&secret, b"secret\n").unwrap();
    fs::create_dir(&closed).unwrap();
    nobody(&secret);
    nobody(&closed);
    let warning =
        |path: &Path| format!("bandwho: warning: cannot open {}: permission denied\n", path.display());
    let all = logs.to_str().unwrap();
    for command in [&["top", "--by", "client"][..], &["formats"]] {
        let (code, err) = run(&[command, &[all]].concat());
        assert_eq!((code, err), (Some(1), warning(&closed) + &warning(&secret)), "{command:?}");
    }
    assert_eq!(run(&["top", "--by", "client", "--partial-ok", all]).0, Some(0));
    let conf = scratch
        .file("nginx.conf", format!("http {{ access_log {all}/$host/$uri.log combined; }}").as_bytes());
    anyone(Path::new(&conf));
    fs::remove_file(&secret).unwrap();
    let (code, err) = run(&["top", "--by", "client", "--nginx-conf", &conf]);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(&warning(&closed)), "{err}");
    for path in [folder, all, closed.to_str().unwrap()] {
        anyone(Path::new(path));
    }
}

/// A user without rights, on every system.
const NOBODY: u32 = 65_534;

/// A program that was just written is busy as long as another test's child, begun meanwhile, has its file open.
fn started(command: &mut Command) -> std::process::Output {
    loop {
        match command.output() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            output => return output.unwrap(),
        }
    }
}

#[test]
fn a_log_of_many_blocks_has_one_answer() {
    let scratch = Scratch::new("blocks");
    let text = long_log();
    assert!(text.len() > 20_000_000, "{} bytes", text.len());
    let cut =
        |share: usize| text.len() * share / 10 + text[text.len() * share / 10..].find('\n').unwrap() + 1;
    let (third, two_thirds) = (cut(2), cut(7));
    let whole = scratch.file("whole.log", text.as_bytes());
    let packed = scratch.file("packed.log", &gzip(text.as_bytes()));
    let pieces = [
        scratch.file("3.log", &text.as_bytes()[..third]),
        scratch.file("1.log", &gzip(&text.as_bytes()[third..two_thirds])),
        scratch.file("2.log", &text.as_bytes()[two_thirds..]),
    ];
    let (places, servers) = (testdata("places.mmdb"), testdata("servers.csv"));
    let same = ["--format", FORMAT, "--tz", "+08:00", "--ip-db", &places, "--servers", &servers];
    let commands: [&[&str]; 6] = [
        &["--json"],
        &["top", "--by", "idc,region,slot", "--json", "--top", "40"],
        &["top", "--by", "client", "--sort", "p95_bps", "--columns", "requests,bytes,peak_at", "--json"],
        &["slots", "--by", "idc", "--slot", "1m", "--scheme", "bin-uniform", "--json"],
        &["slots", "--since", "2026-11-20 15:00", "--until", "2026-11-20 17:02", "--json"],
        &["lines", "--since", "2026-11-20 15:00", "--until", "2026-11-20 15:20"],
    ];
    for command in commands {
        let run = |more: &[&str], input: &[u8]| {
            let args = [command, &same, more].concat();
            let run = bandwho_with(&args, input);
            assert_eq!(run.code, 0, "bandwho {args:?}\n{}", run.err);
            assert!(run.out.len() > 1_000, "bandwho {args:?}\n{}", run.out);
            if command[0] == "lines" { run.out } else { without_input(&run.out) }
        };
        let one = run(&["--threads", "1", &whole], b"");
        let check =
            |how: &str, found: String| assert!(found == one, "{command:?}: {how} differs from one thread");
        check("two threads", run(&["--threads", "2", &whole], b""));
        check("five threads", run(&["--threads", "5", &whole], b""));
        check("a pipe", run(&["-"], text.as_bytes()));
        check("an archive", run(&[&packed], b""));
        // The order of lines is that of the files.
        if command[0] != "lines" {
            check("several files", run(&[&pieces[0], &pieces[1], &pieces[2]], b""));
        }
    }
}

/// An answer but for the accounting of its input, which names files: to the byte.
fn without_input(answer: &str) -> String {
    let (answer, input) = without(answer, "input");
    let input = input.unwrap();
    let read = |name: &str| input[name].as_u64().unwrap();
    assert_eq!(read("lines"), read("accepted") + read("rejected") + read("skipped"));
    assert!(read("rejected") > 0 && read("skipped") > 0 && read("accepted") > 100_000, "{input}");
    // Commands name the log that they were found in.
    without(&answer, "suggestions").0
}

/// The text of an object without a member, and that.
fn without(answer: &str, member: &str) -> (String, Option<Value>) {
    let Some((head, rest)) = answer.split_once(&format!(",\"{member}\":")) else {
        return (answer.to_owned(), None);
    };
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let value = values.next().unwrap().unwrap();
    (format!("{head}{}", &rest[values.byte_offset()..]), Some(value))
}

const FORMAT: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
    \"$http_referer\" \"$http_user_agent\" $request_time $upstream_response_time $server_addr";

/// Four hours of 200 clients, a little out of order, with durations of up to twenty minutes and some bad lines.
fn long_log() -> String {
    let mut state = 20_261_120_u64;
    let mut below = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let mut log = String::new();
    let lines = 190_000;
    for line in 0..lines {
        let second = line * 14_400 / lines + below(90);
        let (hour, minute, second) = (14 + second / 3_600, second / 60 % 60, second % 60);
        let network = ["192.0.2", "198.51.100", "203.0.113"][usize::try_from(below(3)).unwrap()];
        let status = ["200", "206", "404", "2x0"][usize::try_from(below(400)).unwrap().saturating_sub(396)];
        let (client, server) = (1 + below(70), 1 + below(4));
        let millis = if below(20) == 0 { below(1_200_000) } else { below(900) };
        let (path, bytes) = (below(3_000), below(5_000_000));
        writeln!(
            log,
            "{network}.{client} - - [20/Nov/2026:{hour}:{minute:02}:{second:02} +0800] \"GET /video/{path} HTTP/1.1\" \
             {status} {bytes} \"-\" \"test/1\" {}.{:03} - 10.{server}.0.13",
            millis / 1_000,
            millis % 1_000,
        )
        .unwrap();
        if below(10_000) == 0 {
            log.push_str("# rotated\n\n");
        }
    }
    log
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
