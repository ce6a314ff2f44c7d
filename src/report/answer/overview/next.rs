//! What to ask next, by what was found.
//!
//! An AS number, an address and a time are written anew. A path, a stranger's text, is quoted twice: for the filter and
//! for the shell, as are all words that were typed; see [`shell`].

use std::net::IpAddr;

use crate::report::{Suggestion, human, shell};

/// Suggestions shown.
const SHOWN: usize = 2;

/// Bytes of a command at most: a longer one is a list of files that nobody reads.
const COMMAND_BYTES_MAX: usize = 1_000;

/// From this share of the bytes on one client, network or path is worth a look.
const EATER_SHARE: f64 = 0.25;

/// From this share on bots are.
const BOTS_SHARE: f64 = 0.2;

/// From this share of the requests on failures of the server are.
const ERRORS_SHARE: f64 = 0.05;

/// A peak this many times the 95th is.
const PEAK_FACTOR: u128 = 2;

/// More rejected lines than one in this many come first: the other numbers lack them.
const REJECTED_ONE_IN: u128 = 100;

/// How the same records are read again, in words that are not yet quoted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Again {
    /// Options that every command on logs has: `--format`, `combined`.
    pub inputs: Vec<String>,
    /// Options that counting commands have: `--where`, `--tz`, `--servers`.
    pub rules: Vec<String>,
    /// The logs, with a `--` before those that look like options.
    pub logs: Vec<String>,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    pub(super) lines: u64,
    pub(super) rejected: u64,
    /// None where none are logged.
    pub(super) bytes: Option<u128>,
    /// The largest of several networks, and its share.
    pub(super) network: Option<(u32, f64)>,
    /// The largest of several clients, and its share.
    pub(super) client: Option<(IpAddr, f64)>,
    /// The largest of several paths, and its share.
    pub(super) path: Option<(String, f64)>,
    /// The bots' share.
    pub(super) bots: f64,
    /// The share of the requests that failed in the server.
    pub(super) errors: f64,
    /// Where the 95th is not the peak.
    pub(super) peak: Option<Peak>,
    /// The panels.
    pub(super) shown: Vec<&'static str>,
    pub(super) durations: bool,
}

/// The highest rate and what to compare it with, in bit/s.
#[derive(Debug, Clone)]
pub(super) struct Peak {
    pub(super) rate: u128,
    pub(super) p95: u128,
    /// As `bandwho at` reads it.
    pub(super) at: String,
}

/// A command without what is read.
struct Step {
    words: Vec<String>,
    reads: Reads,
    why: String,
}

/// What a command reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// The heads of logs.
    Heads,
    /// Records.
    Records,
    /// Records of a time of their own.
    Around,
}

/// The first commands that fit the findings. None if what was typed has no safe words.
pub(super) fn suggestions(findings: &Findings, again: &Again) -> Vec<Suggestion> {
    let suggestion = |step: Step| {
        let rules = match step.reads {
            Reads::Heads => Vec::new(),
            Reads::Records => again.rules.clone(),
            Reads::Around => without_period(&again.rules),
        };
        let words = step.words.iter().chain(&rules).chain(&again.inputs).chain(&again.logs);
        let command = shell::line(std::iter::once("bandwho").chain(words.map(String::as_str)))?;
        (command.len() <= COMMAND_BYTES_MAX).then_some(Suggestion { command, why: step.why })
    };
    steps(findings).into_iter().filter_map(suggestion).take(SHOWN).collect()
}

/// The options but for those that choose a period.
fn without_period(rules: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut rules = rules.iter();
    while let Some(word) = rules.next() {
        match word.split_once('=').map_or(word.as_str(), |(option, _)| option) {
            "--since" | "--until" if word.contains('=') => {}
            "--since" | "--until" => _ = rules.next(),
            _ => kept.push(word.clone()),
        }
    }
    kept
}

/// The steps that fit, the most urgent first.
fn steps(findings: &Findings) -> Vec<Step> {
    if findings.lines == 0 {
        return Vec::new();
    }
    let of = if findings.bytes.is_some() { "bytes" } else { "requests" };
    let has = |name| findings.shown.contains(&name);
    let (lines, rejected) = (u128::from(findings.lines), u128::from(findings.rejected));
    let rejects = || {
        let why = format!("{} rejected: why?", human::counted(findings.rejected, "line"));
        Step { reads: Reads::Heads, ..step(&["formats"], why) }
    };
    let mut steps = Vec::new();
    if rejected * REJECTED_ONE_IN > lines {
        steps.push(rejects());
    }
    steps.extend(eater(findings, of).filter(|_| has("path")));
    steps.extend(eaten(findings, of).filter(|_| has("client")));
    if findings.bots >= BOTS_SHARE {
        steps.push(step(&["bots"], format!("bots have {} of the {of}", human::share(findings.bots))));
    }
    steps.extend(findings.peak.as_ref().and_then(peak));
    if findings.errors >= ERRORS_SHARE && has("path") {
        let why = format!("{} of the requests failed in the server", human::share(findings.errors));
        steps.push(step(&["top", "--by", "path", "--sort", "requests", "--where", "status >= 500"], why));
    }
    if rejected > 0 && rejected * REJECTED_ONE_IN <= lines {
        steps.push(rejects());
    }
    if findings.peak.is_some() {
        steps.push(step(&["bill"], "what the 95th is made of, and how sure it is".to_owned()));
    }
    if findings.durations {
        steps.push(step(&["latency"], "how long people waited".to_owned()));
    }
    if has("client") && has("path") {
        steps.push(step(&["top", "--by", "client,path"], "who got what".to_owned()));
    }
    if findings.bytes.is_some() {
        steps.push(step(&["slots"], "how much in which slot".to_owned()));
    }
    steps
}

fn step(words: &[&str], why: String) -> Step {
    Step { words: words.iter().map(|&word| word.to_owned()).collect(), reads: Reads::Records, why }
}

/// What the largest client got, or else the largest network.
fn eater(findings: &Findings, of: &str) -> impl Iterator<Item = Step> {
    let what = |filter: String, who: &str, share: f64| {
        let why = format!("one {who} has {} of the {of}: which paths?", human::share(share));
        step(&["top", "--by", "path", "--where", &filter], why)
    };
    let client = findings.client.filter(|(_, share)| *share >= EATER_SHARE);
    let client = client.map(|(address, share)| what(format!("client = {address}"), "client", share));
    let network = findings.network.filter(|(_, share)| *share >= EATER_SHARE);
    let network = network.map(|(asn, share)| what(format!("asn = {asn}"), "network", share));
    client.or(network).into_iter()
}

/// Who got the largest path.
fn eaten(findings: &Findings, of: &str) -> impl Iterator<Item = Step> {
    let path = findings.path.iter().filter(|(_, share)| *share >= EATER_SHARE);
    path.map(move |(path, share)| {
        let why = format!("one path has {} of the {of}: who got it?", human::share(*share));
        let filter = format!("path = \"{}\"", path.replace('\\', r"\\").replace('"', r#"\""#));
        step(&["top", "--by", "client", "--where", &filter], why)
    })
}

fn peak(Peak { rate, p95, at }: &Peak) -> Option<Step> {
    let is_far = *rate > 0 && *rate >= p95.saturating_mul(PEAK_FACTOR);
    let [rate, p95] = [*rate, *p95].map(|rate| human::bps(i128::try_from(rate).unwrap_or(i128::MAX)));
    is_far.then(|| {
        let why = format!("the peak of {rate} is far above the 95th of {p95}: who made it?");
        Step { reads: Reads::Around, ..step(&["at", at], why) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(rules: &[&str], inputs: &[&str], logs: &[&str]) -> Again {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Again { inputs: words(inputs), rules: words(rules), logs: words(logs) }
    }

    fn findings() -> Findings {
        Findings {
            lines: 1_000,
            bytes: Some(1_000_000),
            peak: Some(Peak { rate: 199, p95: 100, at: "2026-11-20 14:05".to_owned() }),
            shown: vec!["network", "client", "path", "family", "status"],
            ..Findings::default()
        }
    }

    fn check(findings: &Findings, again: &Again, expected: &[&str]) {
        let found = suggestions(findings, again);
        assert_eq!(found.iter().map(|found| found.command.as_str()).collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|found| !found.why.is_empty()));
    }

    #[test]
    fn what_was_found_decides() {
        let log = again(&[], &[], &["access.log"]);
        let check = |findings: Findings, expected: [&str; 2]| check(&findings, &log, &expected);
        let bill = "bandwho bill access.log";
        let pairs = "bandwho top --by client,path access.log";
        check(findings(), [bill, pairs]);
        check(Findings { durations: true, ..findings() }, [bill, "bandwho latency access.log"]);
        let asn = "bandwho top --by path --where 'asn = 136907' access.log";
        check(Findings { network: Some((136_907, 0.25)), ..findings() }, [asn, bill]);
        check(Findings { network: Some((136_907, 0.2499)), ..findings() }, [bill, pairs]);
        let address = |text: &str| Some((text.parse().unwrap(), 0.3));
        let client = "bandwho top --by path --where 'client = 192.0.2.7' access.log";
        check(
            Findings { client: address("192.0.2.7"), network: Some((1, 0.9)), ..findings() },
            [client, bill],
        );
        let client = "bandwho top --by path --where 'client = 2001:db8::1' access.log";
        check(
            Findings { client: address("2001:DB8:0::1"), bots: 0.2, ..findings() },
            [client, "bandwho bots access.log"],
        );
        let path = Findings { path: Some(("/a b".to_owned(), 0.3)), ..findings() };
        check(path, [r#"bandwho top --by client --where 'path = "/a b"' access.log"#, bill]);
        let peak = |rate| Some(Peak { rate, p95: 100, at: "2026-11-20 14:05".to_owned() });
        check(Findings { peak: peak(200), ..findings() }, ["bandwho at '2026-11-20 14:05' access.log", bill]);
        let errors = "bandwho top --by path --sort requests --where 'status >= 500' access.log";
        check(Findings { errors: 0.05, ..findings() }, [errors, bill]);
        let formats = "bandwho formats access.log";
        check(Findings { rejected: 10, ..findings() }, [formats, bill]);
        check(Findings { rejected: 10, errors: 0.5, ..findings() }, [errors, formats]);
        check(Findings { rejected: 11, errors: 0.5, ..findings() }, [formats, errors]);
        check(Findings { rejected: u64::MAX, lines: u64::MAX, ..findings() }, [formats, bill]);
    }

    #[test]
    fn logs_without_times_paths_or_bytes_have_fewer() {
        let log = again(&[], &[], &["a"]);
        check(&Findings::default(), &log, &[]);
        check(&Findings { lines: 0, ..findings() }, &log, &[]);
        check(&Findings { peak: None, shown: Vec::new(), ..findings() }, &log, &["bandwho slots a"]);
        let eater = Findings { network: Some((7, 1.0)), shown: vec!["network"], ..findings() };
        check(&eater, &log, &["bandwho bill a", "bandwho slots a"]);
    }

    #[test]
    fn options_are_repeated_as_far_as_commands_have_them() {
        let typed = again(
            &["--where", "path ~ \"it's|a\"", "--tz", "Asia/Shanghai"],
            &["--format", "log_format main '$remote_addr';"],
            &["--", "-x.log", "日志 1.log"],
        );
        let options = r#"--where 'path ~ "it'\''s|a"' --tz Asia/Shanghai"#;
        let inputs = r"--format 'log_format main '\''$remote_addr'\'';' -- -x.log '日志 1.log'";
        check(
            &Findings { rejected: 11, ..findings() },
            &typed,
            &[&format!("bandwho formats {inputs}"), &format!("bandwho bill {options} {inputs}")],
        );
    }

    #[test]
    fn hostile_words_are_in_no_command() {
        for word in ["a\nrm -rf ~", "\x1b]0;x\x07", "a\0b", "\u{202e}gol", "a\r", "\u{9b}2J", "\u{200b}"] {
            check(&findings(), &again(&[], &[], &[word]), &[]);
            check(&findings(), &again(&["--where", word], &[], &["a"]), &[]);
            // A command that does not need the word is still one.
            let rejected = Findings { rejected: 11, ..findings() };
            check(&rejected, &again(&["--where", word], &[], &["a"]), &["bandwho formats a"]);
        }
        let quoted = again(&[], &[], &["$(reboot)", "`reboot`", "a;b", "it's"]);
        check(
            &Findings { peak: None, shown: Vec::new(), ..findings() },
            &quoted,
            &[r"bandwho slots '$(reboot)' '`reboot`' 'a;b' 'it'\''s'"],
        );
    }

    #[test]
    fn hostile_paths_are_quoted_twice_or_in_no_command() {
        let path = |path: &str| Findings {
            peak: None,
            path: Some((path.to_owned(), 1.0)),
            shown: vec!["client"],
            ..findings()
        };
        let log = again(&[], &[], &["a"]);
        let quoted = |text: &str, expected: &str| {
            let top = format!("bandwho top --by client --where 'path = \"{expected}\"' a");
            check(&path(text), &log, &[&top, "bandwho slots a"]);
        };
        quoted("/$(reboot)`id`;|&", "/$(reboot)`id`;|&");
        quoted("/\" or status > 0", r#"/\" or status > 0"#);
        quoted(r"/a\", r"/a\\");
        quoted("/';reboot;'", r"/'\'';reboot;'\''");
        for hidden in ["/a\nreboot", "/\x1b[2J", "/\0", "/\u{202e}", "/\r"] {
            check(&path(hidden), &log, &["bandwho slots a"]);
        }
    }

    #[test]
    fn endless_commands_are_left_out() {
        let fits = "x".repeat(COMMAND_BYTES_MAX - "bandwho slots ".len());
        let slots = Findings { peak: None, shown: Vec::new(), ..findings() };
        check(&slots, &again(&[], &[], &[&fits]), &[&format!("bandwho slots {fits}")]);
        check(&slots, &again(&[], &[], &[&format!("{fits}x")]), &[]);
    }

    #[test]
    fn a_window_has_its_own_time() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let rules = words(&[
            "--since",
            "2d",
            "--where",
            "path = '--since'",
            "--until=1d",
            "--tz",
            "UTC",
            "--until",
            "now",
        ]);
        assert_eq!(without_period(&rules), words(&["--where", "path = '--since'", "--tz", "UTC"]));
    }
}
