//! nginx's own tests: what its escapes make of a value, read back.

use std::path::Path;

use serde_json::{Value, json};

use super::reading::{Reader, differ, same};
use super::{Case, objects, verdict};

/// For each fact, in its file's order: a format under which the logged line is read, and values by field. Where the
/// original joins variables with nothing between them one field stands for all: their borders cannot be found again.
fn expectations() -> [(&'static str, Value); 9] {
    [
        ("log_format f escape=default $uri;", json!({"$uri": "/escape/\"1 \u{1b}\u{1c} \"-2"})),
        ("log_format f escape=none $uri;", json!({"$uri": "/escape/\"1 \u{1b}\u{1c} \"2"})),
        ("log_format f escape=json $uri;", json!({"$uri": "/escape/\"1 \u{1b}\u{1c} \"2"})),
        ("$binary_remote_addr", json!({"$binary_remote_addr": "\u{7f}\0\0\u{1}"})),
        ("log_format f escape=json $a;", json!({"$a": "\" \\ \"foo"})),
        ("log_format f escape=default $a;", json!({"$a": "\" \\ \"foo-"})),
        ("log_format f escape=none $a;", json!({"$a": "\" \\ \"foo"})),
        ("$uri $pipe", json!({"$uri": "/pipe"})),
        (
            "$bytes_received:$bytes_sent:$upstream_bytes_sent:$upstream_bytes_received",
            json!({
                "$bytes_received": 8, "$bytes_sent": 3, "$upstream_bytes_sent": 8, "$upstream_bytes_received": 3
            }),
        ),
    ]
}

pub(super) fn cases(root: &Path) -> Vec<Case> {
    let facts = objects(&root.join("nginx-tests/expected.jsonl"));
    assert_eq!(facts.len(), expectations().len(), "each fact has its expectation");
    let numbered = (1..).zip(facts.iter().zip(expectations()));
    numbered
        .map(|(line, (fact, (format, expected))): (usize, _)| Case {
            id: line.to_string(),
            outcome: run(format, fact["logged"].as_str().unwrap(), &expected),
        })
        .collect()
}

fn run(format: &str, logged: &str, expected: &Value) -> Result<(), String> {
    let mut reader = Reader::new(format)?;
    let mut differences = Vec::new();
    for line in logged.lines() {
        let reading = reader.read(line.as_bytes())?;
        for (name, value) in expected.as_object().unwrap() {
            let found = reading.value(name);
            if !same(found.as_deref(), value) {
                differences.push(differ(name, found.as_deref(), value));
            }
        }
    }
    verdict(&differences)
}
