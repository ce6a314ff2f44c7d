//! alp's samples: one log in three notations, each recognised by the program and read here by hand as well.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::reading::decimal;
use super::{Case, verdict};
use crate::bandwho;

pub(super) fn cases(root: &Path) -> Vec<Case> {
    let json: fn(&str) -> Value = |line| serde_json::from_str(line).unwrap();
    ["json_access.log", "ltsv_access.log", "combined_access.log"]
        .iter()
        .zip([json, labels, columns])
        .flat_map(|(name, read)| log(&root.join("alp").join(name), name, read))
        .collect()
}

/// `label:value` pairs.
fn labels(line: &str) -> Value {
    line.split('\t').map(|pair| pair.split_once(':').unwrap()).collect()
}

/// The columns of `combined` with `X-Forwarded-For` and the request time.
fn columns(line: &str) -> Value {
    let parts: Vec<&str> = line.split('"').collect();
    let [request, numbers, agent, time] = [1, 2, 5, 8].map(|at| parts[at].trim());
    let words: Vec<&str> = request.split(' ').chain(numbers.split(' ')).collect();
    json!({
        "method": words[0], "uri": words[1], "status": words[3], "size": words[4], "ua": agent, "response_time": time
    })
}

fn log(path: &Path, name: &str, read: fn(&str) -> Value) -> Vec<Case> {
    let run = bandwho(&["lines", "--ndjson", path.to_str().unwrap()]);
    let records: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let text = fs::read_to_string(path).unwrap();
    let numbered = (1_u64..).zip(text.lines());
    numbered
        .map(|(line, text)| {
            let record = records.iter().find(|record| record["line"] == line);
            let missing = || format!("no record: {}", run.err.lines().next().unwrap_or_default());
            let outcome = record.ok_or_else(missing).and_then(|record| compare(record, &read(text)));
            Case { id: format!("{name}:{line}"), outcome }
        })
        .collect()
}

fn compare(record: &Value, expected: &Value) -> Result<(), String> {
    let number = |value: &Value| value.as_str().map_or_else(|| value.as_u64(), |text| text.parse().ok());
    let first =
        |names: &[&str]| names.iter().map(|name| &expected[*name]).find(|value| !value.is_null()).cloned();
    let time = first(&["response_time", "apptime"]).and_then(|value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        decimal(&text, 1_000_000)
    });
    let pairs: [(&str, Value); 6] = [
        ("method", expected["method"].clone()),
        ("target", expected["uri"].clone()),
        ("status", number(&expected["status"]).into()),
        ("body_bytes", first(&["size", "body_bytes"]).and_then(|value| number(&value)).into()),
        ("agent", expected["ua"].clone()),
        ("duration_us", time.into()),
    ];
    let differ = |(name, value): &(&str, Value)| {
        // LTSV's `apptime` is the time of the application behind the server.
        let upstream = *name == "duration_us" && record["upstream_us"] == *value;
        (record[*name] != *value && !upstream).then(|| format!("{name} is {}, not {value}", record[*name]))
    };
    verdict(&pairs.iter().filter_map(differ).collect::<Vec<_>>())
}
