//! Other people's test suites: their format and line in, their expected values out.
//!
//! Every case passes or is listed with its reason in `conformance_exceptions.toml`; an exception whose case passes is
//! as wrong as a failure. Sets come from the corpora, so that nothing here was written to fit the program.

mod alp;
mod apachelogs;
mod exceptions;
mod exporter;
mod fluentd;
mod kassner;
mod logs;
mod logstash;
mod nginx_tests;
pub(crate) mod reading;
mod real_servers;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::corpora;
use exceptions::{Exception, Kind};

/// One expectation and what became of it; `Err` says what differs.
struct Case {
    id: String,
    outcome: Result<(), String>,
}

/// The cases of a set, given the corpora.
type Cases = fn(&Path) -> Vec<Case>;

/// Sets that people wrote, in the order they are printed.
const FOREIGN: [(&str, Cases); 10] = [
    ("apachelogs", apachelogs::cases),
    ("kassner-log-parser", kassner::cases),
    ("prometheus-nginxlog-exporter", exporter::cases),
    ("logstash-patterns-core", logstash::cases),
    ("fluentd", fluentd::cases),
    ("nginx-tests", nginx_tests::cases),
    ("alp", alp::cases),
    ("lnav", logs::lnav),
    ("elastic", logs::elastic),
    ("apachelogs-file", logs::apachelogs),
];

/// Sets that real servers wrote: here nothing may stay open.
const ORACLES: [(&str, Cases); 3] = [
    ("oracle-nginx", real_servers::nginx),
    ("oracle-apache", real_servers::apache),
    ("oracle-others", logs::oracle_others),
];

/// Of the foreign cases in scope this share must pass.
const PASSED_PERCENT_MIN: usize = 97;

/// Of all problems so many are shown.
const PROBLEMS_SHOWN: usize = 100;

#[test]
#[expect(clippy::print_stdout, reason = "the table of figures is what this test is run for")]
fn foreign_expectations_are_met() {
    let Some(root) = corpora() else { return println!("skipped: no corpora") };
    let exceptions = exceptions::read();
    let mut problems = Vec::new();
    let (mut passed, mut in_scope) = (0, 0);
    for (name, cases) in FOREIGN {
        let score = Score::of(name, &cases(&root), &exceptions, &mut problems);
        println!("{name:30} {score}");
        passed += score.passed;
        in_scope += score.passed + score.failed;
    }
    for (name, cases) in ORACLES {
        let score = Score::of(name, &cases(&root), &exceptions, &mut problems);
        println!("{name:30} {score}");
        if score.failed > 0 {
            problems.push(format!("{name}: {} cases fail or are open", score.failed));
        }
    }
    println!("{:30} {passed}/{in_scope} in scope", "foreign sets");
    for exception in exceptions.iter().filter(|exception| !is_known(&exception.set)) {
        problems.push(format!("an exception names the unknown set {}", exception.set));
    }
    if passed * 100 < in_scope * PASSED_PERCENT_MIN {
        problems.push(format!("{passed} of {in_scope} are less than {PASSED_PERCENT_MIN} %"));
    }
    let shown = problems.iter().take(PROBLEMS_SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(problems.is_empty(), "{} problems:\n{shown}", problems.len());
}

fn is_known(set: &str) -> bool {
    FOREIGN.iter().chain(&ORACLES).any(|(name, _)| *name == set)
}

/// How a set fared.
#[derive(Default)]
struct Score {
    total: usize,
    passed: usize,
    /// Fails and is in scope, listed as open or not.
    failed: usize,
    excepted: usize,
}

impl Score {
    fn of(set: &str, cases: &[Case], exceptions: &[Exception], problems: &mut Vec<String>) -> Self {
        let mut score = Self { total: cases.len(), ..Self::default() };
        let own: Vec<&Exception> = exceptions.iter().filter(|exception| exception.set == set).collect();
        for case in cases {
            let exception = own.iter().find(|exception| exception.cases.contains(&case.id));
            score.excepted += usize::from(exception.is_some());
            match (&case.outcome, exception) {
                (Ok(()), None) => score.passed += 1,
                (Ok(()), Some(_)) => {
                    score.passed += 1;
                    problems.push(format!("{set} {}: passes but is listed as an exception", case.id));
                }
                (Err(difference), None) => {
                    score.failed += 1;
                    problems.push(format!("{set} {}: {difference}", case.id));
                }
                (Err(_), Some(exception)) => score.failed += usize::from(exception.kind == Kind::Open),
            }
        }
        for id in own.iter().flat_map(|exception| &exception.cases) {
            if !cases.iter().any(|case| case.id == *id) {
                problems.push(format!("{set}: there is no case {id} to make an exception for"));
            }
        }
        score
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{} (excepted {})", self.passed, self.total, self.excepted)
    }
}

/// The objects of a JSON-lines file.
fn objects(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One case per object, known by its line number.
fn each_object(path: &Path, run: fn(&Value) -> Result<(), String>) -> Vec<Case> {
    let numbered = (1..).zip(objects(path));
    numbered
        .map(|(line, object): (usize, Value)| Case { id: line.to_string(), outcome: run(&object) })
        .collect()
}

/// Fails with all differences, if there are any.
fn verdict(differences: &[String]) -> Result<(), String> {
    if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
}
