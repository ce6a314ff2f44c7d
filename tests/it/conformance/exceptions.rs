//! `conformance_exceptions.toml`: the few lines of TOML that it needs, read strictly.

use std::fs;
use std::path::Path;

/// Why a case may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The expectation is wrong, or a choice of its own tool that the servers do not share.
    ForeignExpectation,
    /// The line is no access log.
    NotAccessLog,
    /// The case needs what its own tool has around the parser, or the corpus lacks its input.
    OutOfScope,
    /// Ours to mend.
    Open,
}

/// Cases of one set that fail for one reason.
#[derive(Debug)]
pub(super) struct Exception {
    pub(super) set: String,
    pub(super) cases: Vec<String>,
    pub(super) kind: Kind,
}

/// All exceptions; a line that is not understood fails.
pub(super) fn read() -> Vec<Exception> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/conformance_exceptions.toml");
    let text = fs::read_to_string(path).unwrap();
    parse(&text).unwrap_or_else(|message| panic!("conformance_exceptions.toml: {message}"))
}

/// A table while its keys are read.
#[derive(Default)]
struct Draft {
    set: Option<String>,
    cases: Option<Vec<String>>,
    kind: Option<Kind>,
    reason: Option<String>,
}

fn parse(text: &str) -> Result<Vec<Exception>, String> {
    let mut drafts: Vec<Draft> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "[[exception]]" {
            drafts.push(Draft::default());
            continue;
        }
        let draft = drafts.last_mut().ok_or(format!("line {number}: a key before the first table"))?;
        set_key(draft, line).map_err(|message| format!("line {number}: {message}"))?;
    }
    (1..)
        .zip(drafts)
        .map(|(number, draft)| finish(draft).ok_or(format!("table {number} lacks a key")))
        .collect()
}

fn set_key(draft: &mut Draft, line: &str) -> Result<(), String> {
    let (key, value) = line.split_once(" = ").ok_or("neither a table, a key nor a comment")?;
    let repeated = match key {
        "set" => draft.set.replace(string(value)?).is_some(),
        "cases" => draft.cases.replace(strings(value)?).is_some(),
        "kind" => draft.kind.replace(kind(&string(value)?)?).is_some(),
        "reason" => draft.reason.replace(sentence(value)?).is_some(),
        other => return Err(format!("unknown key {other}")),
    };
    if repeated { Err(format!("{key} stands twice")) } else { Ok(()) }
}

fn finish(draft: Draft) -> Option<Exception> {
    draft.reason?;
    Some(Exception { set: draft.set?, cases: draft.cases?, kind: draft.kind? })
}

fn kind(name: &str) -> Result<Kind, String> {
    match name {
        "foreign-expectation" => Ok(Kind::ForeignExpectation),
        "not-access-log" => Ok(Kind::NotAccessLog),
        "out-of-scope" => Ok(Kind::OutOfScope),
        "open" => Ok(Kind::Open),
        other => Err(format!("unknown kind {other}")),
    }
}

/// A string without escapes.
fn string(text: &str) -> Result<String, String> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let plain = inner.filter(|inner| !inner.is_empty() && !inner.contains(['"', '\\']));
    plain.map(str::to_owned).ok_or(format!("not a plain string: {text}"))
}

fn strings(text: &str) -> Result<Vec<String>, String> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inner.ok_or(format!("not a list on one line: {text}"))?.split(", ").map(string).collect()
}

fn sentence(text: &str) -> Result<String, String> {
    string(text)
        .and_then(|text| if text.ends_with('.') { Ok(text) } else { Err("a reason is a sentence".into()) })
}

#[test]
fn only_what_is_understood_is_read() {
    let check = |text: &str, expected: &str| {
        let shown = match parse(text) {
            Ok(list) => list.iter().fold(String::new(), |shown, Exception { set, cases, kind }| {
                format!("{shown}{set} {cases:?} {kind:?}")
            }),
            Err(message) => message,
        };
        assert_eq!(shown, expected, "{text}");
    };
    let table = "[[exception]]\nset = \"a\"\ncases = [\"1\", \"x.log:2\"]\nkind = \"open\"\n";
    check(&format!("# why\n{table}reason = \"It is so.\"\n"), "a [\"1\", \"x.log:2\"] Open");
    check(table, "table 1 lacks a key");
    check("set = \"a\"", "line 1: a key before the first table");
    check(&format!("{table}reason = \"It is so\""), "line 5: a reason is a sentence");
    check(&format!("{table}kind = \"open\""), "line 5: kind stands twice");
    check(&format!("{table}why = \"x\""), "line 5: unknown key why");
    check(&format!("{table}nonsense"), "line 5: neither a table, a key nor a comment");
    check("[[exception]]\nset = a", "line 2: not a plain string: a");
    check("[[exception]]\nkind = \"odd\"", "line 2: unknown kind odd");
}
