//! logstash-patterns-core (Ruby): lines of servers whose formats have no text of their own, recognised by the program.

use std::path::Path;

use serde_json::Value;

use super::{Case, each_object, verdict};
use crate::bandwho_with;

pub(super) fn cases(root: &Path) -> Vec<Case> {
    each_object(&root.join("logstash-patterns-core/cases.jsonl"), run)
}

/// Patterns of access logs; the others are error logs and syslog at large.
const ACCESS: [&str; 8] = [
    "HTTPD_COMBINEDLOG",
    "HAPROXYHTTP",
    "HAPROXYHTTPBASE",
    "HAPROXYTCP",
    "ELB_ACCESS_LOG",
    "S3_ACCESS_LOG",
    "CLOUDFRONT_ACCESS_LOG",
    "SQUID3",
];

/// The suite's names of what our records hold. `bytes` is the body in some patterns and all in others.
const NAMES: [(&str, &str); 14] = [
    ("clientip", "client"),
    ("client_ip", "client"),
    ("client_address", "client"),
    ("verb", "method"),
    ("http_verb", "method"),
    ("request_method", "method"),
    ("cs_method", "method"),
    ("response", "status"),
    ("http_status_code", "status"),
    ("sc_status", "status"),
    ("bytes", "bytes"),
    ("bytes_read", "bytes"),
    ("sc_bytes", "bytes"),
    ("auth", "user"),
];

fn run(case: &Value) -> Result<(), String> {
    let pattern = case["pattern"].as_str().unwrap();
    if !ACCESS.contains(&pattern) {
        return Err(format!("{pattern} is no pattern of an access log"));
    }
    let line = format!("{}\n", case["line"].as_str().unwrap());
    let run = bandwho_with(&["lines", "--ndjson"], line.as_bytes());
    let Some(record) = run.out.lines().next() else {
        return Err(run.err.lines().next().unwrap_or("no record").to_owned());
    };
    let record: Value = serde_json::from_str(record).unwrap();
    let expected = case["expect_raw"].as_str().unwrap();
    verdict(&differences(&record, expected))
}

fn differences(record: &Value, expected: &str) -> Vec<String> {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let found = |part: &str| match part {
        "bytes" => plain(&record["wire_bytes"]).or_else(|| plain(&record["body_bytes"])),
        // Status 000 is a number like any other here.
        "status" => record["status"].as_u64().map(|status| format!("{status:03}")),
        part => plain(&record[part]),
    };
    let differ = |name: &str, part: &str| {
        let expected = last_pair(expected, name).filter(|text| text != "-")?;
        let found = found(part);
        (found.as_ref() != Some(&expected)).then(|| format!("{part} is {found:?}, not {expected}"))
    };
    NAMES.iter().filter_map(|(name, part)| differ(name, part)).collect()
}

/// The value of the last `'name' => value` of a Ruby text: the older of the suite's two vocabularies stands last.
fn last_pair(text: &str, name: &str) -> Option<String> {
    let at = ['"', '\''].iter().filter_map(|quote| text.rfind(&format!("{quote}{name}{quote}"))).max()?;
    let value = text[at + name.len() + 2..].trim_start().strip_prefix("=>")?.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next().map(str::to_owned),
        // A hash has the name for itself.
        '{' => None,
        _ => Some(value.chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect()),
    }
}
