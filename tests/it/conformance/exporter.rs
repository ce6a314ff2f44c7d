//! prometheus-nginxlog-exporter (Go): `log_format` + lines → counts and sums by label.

use std::path::Path;

use bandwho::parse::Record;
use serde_json::Value;

use super::reading::{Reader, decimal};
use super::{Case, each_object, verdict};

pub(super) fn cases(root: &Path) -> Vec<Case> {
    each_object(&root.join("prometheus-nginxlog-exporter/cases.jsonl"), run)
}

/// The formats that the suite's steps know by name are this and one column.
const DEFAULT: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for""#;

fn named(name: &str) -> String {
    match name {
        "default" => DEFAULT.to_owned(),
        "upstream-time" => format!("{DEFAULT} $upstream_response_time"),
        "upstream-connect-time" => format!("{DEFAULT} $upstream_response_time $upstream_connect_time"),
        "request-time" => format!("{DEFAULT} $request_time"),
        other => panic!("the suite has no format {other}"),
    }
}

/// One line as the exporter counts it.
struct Sample {
    method: Option<String>,
    target: Option<String>,
    user: Option<String>,
    status: Option<u16>,
    body: Option<u64>,
    bytes_in: Option<u64>,
    duration_us: Option<u64>,
    upstream_us: Option<u64>,
    connect_us: Option<u64>,
}

fn sample(record: &Record<'_>, connect: Option<Vec<u8>>) -> Sample {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Sample {
        method: text(record.method),
        target: text(record.target),
        user: text(record.user),
        status: record.status,
        body: record.body,
        bytes_in: record.bytes_in,
        duration_us: record.duration_us,
        upstream_us: record.upstream_us,
        connect_us: connect.and_then(|bytes| decimal(std::str::from_utf8(&bytes).ok()?, 1_000_000)),
    }
}

fn run(case: &Value) -> Result<(), String> {
    let formats: Vec<String> = match case["format_name"].as_str() {
        Some(name) => vec![named(name)],
        None => {
            case["formats"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        }
    };
    let mut samples = Vec::new();
    let mut rejected = 0;
    for (file, lines) in case["lines"].as_array().unwrap().iter().enumerate() {
        let mut reader = Reader::new(&formats[file.min(formats.len() - 1)])?;
        for line in lines.as_array().unwrap() {
            match reader.read(line.as_str().unwrap().as_bytes()) {
                Ok(reading) => {
                    samples.push(sample(&reading.record, reading.value("$upstream_connect_time")));
                }
                Err(_) => rejected += 1,
            }
        }
    }
    let metrics = case["expect_metrics"].as_array().unwrap();
    let differences: Vec<String> = metrics
        .iter()
        .filter_map(|metric| {
            let (expected, name) = (metric[0].as_str().unwrap(), metric[1].as_str().unwrap());
            let found = measure(name, &samples, rejected);
            (found.as_deref() != Some(expected)).then(|| format!("{name} is {found:?}, not {expected}"))
        })
        .collect();
    verdict(&differences)
}

/// The value of a metric, written as the suite writes it; `None` if labels were rewritten by its own settings.
fn measure(name: &str, samples: &[Sample], rejected: u64) -> Option<String> {
    let (name, labels) = name.split_once('{').unwrap_or((name, ""));
    let labels: Vec<(&str, &str)> = labels
        .trim_end_matches('}')
        .split(',')
        .filter_map(|label| label.split_once('='))
        .map(|(key, value)| (key, value.trim_matches('"')))
        .collect();
    if labels.iter().any(|(key, _)| *key == "request_uri") {
        return None;
    }
    let own: Vec<&Sample> =
        samples.iter().filter(|sample| labels.iter().all(|label| has(sample, *label))).collect();
    let sum = |part: fn(&Sample) -> Option<u64>| own.iter().filter_map(|sample| part(sample)).sum::<u64>();
    let count = |part: fn(&Sample) -> Option<u64>| own.iter().filter(|sample| part(sample).is_some()).count();
    let ends = |ending: &str| name.ends_with(ending);
    let seconds: fn(&Sample) -> Option<u64> = if name.contains("_upstream_time_") {
        |sample| sample.upstream_us
    } else if name.contains("_upstream_connect_time_") {
        |sample| sample.connect_us
    } else {
        |sample| sample.duration_us
    };
    Some(if ends("parse_errors_total") {
        rejected.to_string()
    } else if ends("response_count_total") {
        own.len().to_string()
    } else if ends("response_size_bytes") {
        sum(|sample| sample.body).to_string()
    } else if ends("request_size_bytes") {
        sum(|sample| sample.bytes_in).to_string()
    } else if ends("_seconds_sum") {
        whole_seconds(sum(seconds))?
    } else if ends("_count") {
        count(seconds).to_string()
    } else if labels.contains(&("quantile", "0.5")) {
        let mut values: Vec<u64> = own.iter().filter_map(|sample| seconds(sample)).collect();
        values.sort_unstable();
        whole_seconds(*values.get(values.len().checked_sub(1)? / 2)?)?
    } else {
        return None;
    })
}

fn whole_seconds(micros: u64) -> Option<String> {
    micros.is_multiple_of(1_000_000).then(|| (micros / 1_000_000).to_string())
}

/// `other` is what a whitelist of the suite leaves over; labels it adds on its own say nothing about the line.
fn has(sample: &Sample, (key, value): (&str, &str)) -> bool {
    match (key, value) {
        // The exporter takes the method from `$request` alone.
        ("method", "") => true,
        ("method", "other") => sample.method.as_deref() != Some("GET"),
        ("method", method) => sample.method.as_deref() == Some(method),
        ("status", status) => sample.status.is_some_and(|found| found.to_string() == status),
        ("path", path) => sample.target.as_deref() == Some(path),
        ("user", "other") => sample.user.is_none(),
        ("user", user) => sample.user.as_deref() == Some(user),
        _ => true,
    }
}
