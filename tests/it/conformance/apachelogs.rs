//! apachelogs (Python): `LogFormat` + line → every directive, custom times, timestamps, malformed formats.

use std::path::Path;

use bandwho::format::{Format, Kind, Layout, Shape};
use bandwho::parse::timestamp;
use serde_json::Value;

use super::reading::{Reading, differ, read};
use super::{Case, each_object, verdict};

pub(super) fn cases(root: &Path) -> Vec<Case> {
    each_object(&root.join("apachelogs/cases.jsonl"), run)
}

fn run(case: &Value) -> Result<(), String> {
    let text = |key: &str| case[key].as_str();
    if let (Some(format), Some(line)) = (text("fmt"), text("entry")) {
        let reading = read(format, line)?;
        return verdict(&entry(&reading, &case["fields"]));
    }
    if let Some(format) = text("fmt") {
        // The suite wraps these in a time directive itself.
        let of_a_time = text("test") == Some("test_malformed_time_directive");
        return refused(&if of_a_time { format!("%{{{format}}}t") } else { format.to_owned() });
    }
    if let Some(written) = text("ts") {
        return timestamp(written, text("dt"));
    }
    Err("the corpus has no input for this case".to_owned())
}

fn entry(reading: &Reading<'_>, fields: &Value) -> Vec<String> {
    let directives = &fields["directives"];
    let mut differences = reading.differences(|field| {
        let whole_time = matches!(field.kind, Kind::Time(Shape::Bracketed | Shape::Strftime(_), _));
        let hexadecimal = field.text.contains("hextid");
        directives.get(&field.text).filter(|_| !whole_time && !hexadecimal).cloned()
    });
    for (name, expected) in directives.as_object().unwrap() {
        if !reading.has(name) {
            continue;
        }
        let found = reading.value(name);
        if name.contains("hextid") {
            let number =
                found.as_deref().and_then(|hex| u64::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
            if number != expected.as_u64() {
                differences.push(differ(name, found.as_deref(), expected));
            }
        } else if expected.is_null() != found.is_none() {
            differences.push(differ(name, found.as_deref(), expected));
        }
    }
    differences.extend(time(reading, fields));
    differences
}

/// The suite puts the pieces of a time together under one key.
fn time(reading: &Reading<'_>, fields: &Value) -> Option<String> {
    const KEYS: [&str; 6] = [
        "request_time",
        "begin_request_time",
        "end_request_time",
        "original_request_time",
        "original_end_request_time",
        "final_request_time",
    ];
    let expected = KEYS.iter().find_map(|key| fields[*key].as_str())?;
    // Without an offset the suite leaves the zone open; a log has to be read in some zone.
    let zone = if expected.len() == "2019-05-06T13:42:26".len() { "Z" } else { "" };
    let instant = timestamp::iso(format!("{expected}{zone}").as_bytes()).map(|logged| logged.time);
    let found = reading.record.time;
    (found != instant).then(|| format!("time is {found:?}, not {instant:?} ({expected})"))
}

fn refused(format: &str) -> Result<(), String> {
    let compiled = Format::parse(format).and_then(|format| Layout::compile(&format));
    compiled.map_or(Ok(()), |_| Err(format!("{format} is not refused")))
}

/// The suite takes the time with its brackets, without, or with one of them.
fn timestamp(written: &str, expected: Option<&str>) -> Result<(), String> {
    let found = timestamp::clf(written.trim_matches(['[', ']']).as_bytes());
    let expected = match expected {
        Some(text) => Some(timestamp::iso(text.as_bytes()).ok_or(format!("{text} is no time"))?),
        None => None,
    };
    if found == expected { Ok(()) } else { Err(format!("{written} is {found:?}, not {expected:?}")) }
}
