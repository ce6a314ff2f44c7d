//! Black-box tests of the program and checks of the tree.
//!
//! * `accounting`: bills, against an independent computation and by hand
//! * `blocklists`: addresses for what blocks them, and networks joined with their neighbours
//! * `bots`: which programs come without people, and whether they are who they say
//! * `cli`: what users meet: answers, messages, exit codes
//! * `hotlink`: who embeds our objects, and which
//! * `laws`: any split of a log gives one answer, and every answer adds up
//! * `memory`: limits of memory, and temporary files
//! * `manners`: closed pipes, files that may not be read, logs of many blocks
//! * `overview`: what people see first, and that the commands it suggests work
//! * `outputs`: files that are written, and numbers of peculiar logs
//! * `drivers`: who filled the slots that set the 95th, in rankings as in bills
//! * `diff`: two periods, two sets of logs, a window and what is around it
//! * `dispatch`: who is served where, and what it would cost elsewhere
//! * `dispatch_laws`: every dispatch answer adds up, whatever the log and the server list
//! * `conformance`: other people's test suites, case by case, and what is excepted and why
//! * `detection`: which format every known log is taken for, and that nothing is lost by it
//! * `formats`: what `bandwho formats` says of good and broken logs, word for word
//! * `latency`: how long users waited, and what is drawn of it
//! * `manual`: the tables of docs/FORMATS.md are those of the code, and what it says can be given back can be
//! * `torture`: broken, odd and hostile logs: what is accepted, rejected and skipped
//! * `oracle`: logs of real servers against what the servers say they wrote
//! * `configured`: the servers' own configurations, and clients behind proxies
//! * `audit`: a port's samples against the log they were made of
//! * `audit_hostile`: ports that are dead, in another unit, broken or made to mislead
//! * `databases`: IP databases of all schemas, broken ones included
//! * `ipdb`: `bandwho ipdb`, and compiled databases
//! * `cookbook`: every command of docs/COOKBOOK.md, and its answer
//! * `every`: every command, dimension and format: sums that agree, bytes that act on nobody
//! * `having`: rows that are shown, and that the others are not lost
//! * `clients`: how many there were
//! * `help`: examples, suggestions, completions, manual pages
//! * `filters`: `--where` with every command, and the lines that it does not read
//! * `fixtures`: what makes the files of `testdata`
//! * `tidy`: rules of the source tree

#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![allow(clippy::print_stdout, reason = "a test says what it skipped and what it compared")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

mod accounting;
mod audit;
mod audit_hostile;
mod blocklists;
mod bots;
mod cli;
mod clients;
mod configured;
mod cookbook;
mod conformance;
mod databases;
mod detection;
mod diff;
mod dispatch;
mod dispatch_laws;
mod drivers;
mod every;
mod filters;
mod fixtures;
mod formats;
mod having;
mod help;
mod hotlink;
mod ipdb;
mod latency;
mod laws;
mod memory;
#[cfg(unix)]
mod manners;
mod manual;
mod oracle;
mod outputs;
mod overview;
mod tidy;
mod torture;

/// Logs and databases nobody here wrote: `BANDWHO_CORPORA`, or beside the repository.
fn corpora() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let root = std::env::var_os("BANDWHO_CORPORA").map_or_else(beside, PathBuf::from);
    root.is_dir().then_some(root)
}

/// A file of `testdata`.
fn testdata(name: &str) -> String {
    format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A directory that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("bandwho-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a run left behind.
struct Run {
    code: i32,
    out: String,
    err: String,
}

/// Runs the program with `input` on stdin.
fn bandwho_with(args: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bandwho"))
        .args(args)
        .env_remove("BANDWHO_IP_DB")
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The program may end before it has read all.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the program without input.
fn bandwho(args: &[&str]) -> Run {
    bandwho_with(args, b"")
}

/// Runs the program, expects success and parses its JSON.
fn json(args: &[&str]) -> serde_json::Value {
    let run = bandwho(args);
    assert_eq!(run.code, 0, "bandwho {args:?}\n{}", run.err);
    serde_json::from_str(&run.out).unwrap()
}
