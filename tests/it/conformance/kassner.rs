//! log-parser of kassner (PHP): values that each directive takes and does not take.

use std::path::Path;

use serde_json::Value;

use super::reading::{differ, read, same};
use super::{Case, each_object, verdict};

pub(super) fn cases(root: &Path) -> Vec<Case> {
    each_object(&root.join("kassner-log-parser/cases.jsonl"), run)
}

/// The suite's names of what its directives say.
const NAMES: [(&str, &str); 15] = [
    ("host", "%h"),
    ("logname", "%l"),
    ("user", "%u"),
    ("time", "%t"),
    ("request", "%r"),
    ("status", "%>s"),
    ("sentBytes", "%O"),
    ("HeaderReferer", "%{Referer}i"),
    ("HeaderUserAgent", "%{User-Agent}i"),
    ("HeaderUseragent", "%{User-agent}i"),
    ("serverName", "%v"),
    ("port", "%p"),
    ("URL", "%U"),
    ("remoteIp", "%a"),
    // A directive that exists only in this suite, with a pattern of its own.
    ("customHost", "%Y"),
];

fn run(case: &Value) -> Result<(), String> {
    let text = |key: &str| case[key].as_str().unwrap();
    let reading = read(text("format"), text("line"));
    let expected = case["expect"].as_object().unwrap();
    if let Some(accepted) = expected.get("_ok").and_then(Value::as_bool) {
        return match reading {
            Ok(_) if !accepted => Err("is accepted".to_owned()),
            Err(message) if accepted => Err(message),
            _ => Ok(()),
        };
    }
    // Nothing is expected of some lines but that the parser survives them.
    if expected.is_empty() {
        return Ok(());
    }
    let reading = reading?;
    let name = |text: &str| NAMES.iter().find(|(_, directive)| *directive == text).map(|(name, _)| *name);
    let mut differences =
        reading.differences(|field| expected.get(name(&field.text).filter(|name| *name != "time")?).cloned());
    if let Some(Value::String(time)) = expected.get("time") {
        let bracketed = Value::String(format!("[{time}]"));
        let found = reading.value("%t");
        if !same(found.as_deref(), &bracketed) {
            differences.push(differ("%t", found.as_deref(), &bracketed));
        }
    }
    verdict(&differences)
}
