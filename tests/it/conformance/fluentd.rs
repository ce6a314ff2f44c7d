//! fluentd (Ruby): its nginx and apache parsers.

use std::path::Path;

use bandwho::parse::timestamp;
use serde_json::Value;

use super::reading::{Reading, differ, read, same};
use super::{Case, each_object, verdict};

pub(super) fn cases(root: &Path) -> Vec<Case> {
    each_object(&root.join("fluentd/cases.jsonl"), run)
}

/// Its nginx pattern has the host where nginx itself writes a dash.
const NGINX: &str = r#"$remote_addr $host $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;
const APACHE: &str = r#"%h %l %u %t "%r" %>s %b"#;

fn run(case: &Value) -> Result<(), String> {
    let line = case["line"].as_str().unwrap();
    let expected = case["expect"].as_object().unwrap();
    let is_nginx = case["format"].as_str().unwrap().starts_with("nginx");
    let format = match (is_nginx, expected.get("http_x_forwarded_for")) {
        (true, Some(Value::String(list))) if list == "-" => format!("{NGINX} $http_x_forwarded_for"),
        (true, Some(_)) => format!("{NGINX} \"$http_x_forwarded_for\""),
        (true, None) => NGINX.to_owned(),
        (false, _) if line.ends_with('"') => format!("{APACHE} \"%{{Referer}}i\" \"%{{User-Agent}}i\""),
        (false, _) => APACHE.to_owned(),
    };
    let reading = read(&format, line)?;
    let differences = expected.iter().filter_map(|(key, value)| difference(&reading, is_nginx, key, value));
    verdict(&differences.collect::<Vec<_>>())
}

fn difference(reading: &Reading<'_>, is_nginx: bool, key: &str, expected: &Value) -> Option<String> {
    let record = &reading.record;
    let decimal = |number: Option<u64>| number.map(|number| number.to_string().into_bytes());
    let raw = |text: Option<&[u8]>| text.map(<[u8]>::to_vec);
    let found = match key {
        "remote" => raw(record.client),
        "host" if is_nginx => raw(record.host),
        "host" => raw(record.client),
        "user" => raw(record.user),
        "method" => raw(record.method),
        "path" | "path_raw" => raw(record.target),
        "code" => decimal(record.status.map(u64::from)),
        "size" => decimal(record.body),
        "referer" | "referer_raw" => raw(record.referer),
        "agent" | "agent_raw" => raw(record.agent),
        "http_x_forwarded_for" => raw(record.forwarded),
        "time" => {
            let instant = timestamp::clf(expected.as_str()?.as_bytes()).map(|logged| logged.time);
            return (record.time != instant).then(|| format!("time is {:?}", record.time));
        }
        other => return Some(format!("unknown key {other}")),
    };
    (!same(found.as_deref(), expected)).then(|| differ(key, found.as_deref(), expected))
}
