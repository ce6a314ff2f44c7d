//! docs/COOKBOOK.md: every command in it is run.
//!
//! Its answers are those to the log of Elastic's examples (`access.log`) and to 20 MB of loggen's (`loggen.log`). With the
//! corpora the first are compared line by line, with `BANDWHO_LOGGEN=FILE` the second, too; the sample log in `testdata` is
//! asked everything, always. `BANDWHO_BLESS=1 cargo test --test it cookbook::` writes the answers anew.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::{Scratch, corpora, testdata};

/// Lines of an answer that are shown.
const SHOWN: usize = 12;

/// Loggen's servers.
const SERVERS: &str = "cidr,idc,carrier,price\n10.1.0.0/24,bj,BGP,20\n10.2.0.0/24,gz,China Telecom,15\n10.3.0.0/24,sh,China Unicom,18\n";

/// Bytes of loggen's log that are asked.
const LOGGEN_BYTES: usize = 20_000_000;

fn manual() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/COOKBOOK.md")
}

/// A command of the manual and what it answers there.
struct Recipe<'a> {
    command: &'a str,
    answer: &'a str,
}

/// The blocks that begin with a command.
fn recipes(text: &str) -> Vec<Recipe<'_>> {
    let blocks = text.split("```console\n$ bandwho ").skip(1);
    blocks
        .map(|block| {
            let (block, _) = block.split_once("```\n").expect("a block ends");
            let (command, answer) = block.split_once('\n').expect("a command ends");
            Recipe { command, answer }
        })
        .collect()
}

/// Words as a shell splits them: blanks, and single quotes around a word.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for letter in command.chars() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// What a command says, on stdout or why it does not; errors are part of what users see. ` < FILE` is its stdin.
fn run(folder: &Path, command: &str) -> (i32, String) {
    let (command, input) = match command.split_once(" < ") {
        Some((command, file)) => (command, Stdio::from(fs::File::open(folder.join(file)).unwrap())),
        None => (command, Stdio::null()),
    };
    let run = Command::new(env!("CARGO_BIN_EXE_bandwho"))
        .args(words(command))
        .current_dir(folder)
        .stdin(input)
        .env_remove("BANDWHO_IP_DB")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = if run.status.success() { run.stdout } else { run.stderr };
    (run.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
}

/// The first lines of an answer, without blanks at their ends.
fn shortened(answer: &str) -> String {
    let lines: Vec<&str> = answer.lines().map(str::trim_end).collect();
    let mut text = lines[..lines.len().min(SHOWN)].join("\n") + "\n";
    if lines.len() > SHOWN {
        text.push_str("…\n");
    }
    text
}

/// What a port's meter would say of a log: each sample a little higher, for the headers of packets.
fn port(scratch: &Scratch, log: &str) {
    let (code, slots) = run(&scratch.0, &format!("slots --csv {log}"));
    assert_eq!(code, 0);
    let mut port = String::from("time,bps\n");
    for row in slots.lines().filter(|line| line.starts_with("row,2")) {
        let cells: Vec<&str> = row.split(',').collect();
        let rate: u64 = cells[cells.len() - 1].parse().unwrap();
        port.push_str(&format!("{},{}\n", cells[1], rate * 102 / 100));
    }
    scratch.file(&format!("port-{}.csv", log.trim_end_matches(".log")), port.as_bytes());
}

/// A folder with the logs that are there; tells which.
fn kitchen(scratch: &Scratch) -> Vec<&'static str> {
    let mut logs = Vec::new();
    scratch.file("servers.csv", SERVERS.as_bytes());
    if let Some(corpora) = corpora() {
        scratch.file("access.log", &fs::read(corpora.join("elastic-examples/apache_logs")).unwrap());
        logs.push("access.log");
    }
    if let Some(path) = env::var_os("BANDWHO_LOGGEN") {
        let log = fs::read(path).unwrap();
        let end = log[..LOGGEN_BYTES.min(log.len())].iter().rposition(|byte| *byte == b'\n').unwrap();
        scratch.file("loggen.log", &log[..=end]);
        logs.push("loggen.log");
    }
    for log in &logs {
        port(scratch, log);
    }
    logs
}

#[test]
fn every_recipe_answers_what_the_cookbook_says() {
    let text = fs::read_to_string(manual()).unwrap();
    let scratch = Scratch::new("cookbook");
    let logs = kitchen(&scratch);
    if logs.is_empty() {
        println!("skipped: without BANDWHO_CORPORA or BANDWHO_LOGGEN no answer of the cookbook is compared");
    }
    let mut blessed = text.clone();
    let mut compared = 0;
    for Recipe { command, answer } in recipes(&text) {
        if !logs.iter().any(|log| command.contains(log)) {
            continue;
        }
        let (_, found) = run(&scratch.0, command);
        compared += 1;
        if env::var_os("BANDWHO_BLESS").is_some() {
            let block = |answer: &str| format!("```console\n$ bandwho {command}\n{answer}```\n");
            blessed = blessed.replacen(&block(answer), &block(&shortened(&found)), 1);
        } else {
            assert_eq!(answer, shortened(&found), "{command}");
        }
    }
    if blessed != text {
        fs::write(manual(), blessed).unwrap();
    }
    println!("{compared} recipes compared with the answers to {logs:?}");
}

/// A log without a field or a time that is asked for is an error that names it; anything else is answered.
#[test]
fn every_recipe_works_on_the_sample() {
    let text = fs::read_to_string(manual()).unwrap();
    let scratch = Scratch::new("cookbook-sample");
    scratch.file("servers.csv", SERVERS.as_bytes());
    let sample = fs::read(testdata("sample.log")).unwrap();
    for log in ["access.log", "loggen.log"] {
        scratch.file(log, &sample);
        port(&scratch, log);
    }
    let mut asked = 0;
    for Recipe { command, .. } in recipes(&text) {
        let (code, found) = run(&scratch.0, command);
        let lacks = found.contains("no log has a field for") || found.contains("the logs ");
        assert!(code == 0 || code == 1 && lacks, "{command}: {code}\n{found}");
        asked += 1;
    }
    assert!(asked >= 30, "two logs, fifteen questions: {asked}");
}
