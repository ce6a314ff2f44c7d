//! Broken, odd and hostile logs: every line is accepted, rejected or skipped, and it is written down which and why.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::{bandwho, corpora};

/// What one file must come to.
struct Expected {
    file: &'static str,
    /// Given to `--format`; none where the format must be recognised.
    format: Option<&'static str>,
    accepted: u64,
    /// By reason.
    rejected: &'static [(&'static str, u64)],
    /// By kind.
    skipped: &'static [(&'static str, u64)],
    /// Records by status, where that is what the file is about.
    statuses: &'static [(u64, u64)],
    /// Why not the number of the manifest, or what it says in words.
    why: &'static str,
}

/// All lines are records of a format that is recognised.
const fn all(file: &'static str, accepted: u64) -> Expected {
    Expected { file, format: None, accepted, rejected: &[], skipped: &[], statuses: &[], why: "" }
}

const EXPECTED: [Expected; 33] = [
    all("addresses.log", 25),
    Expected {
        skipped: &[("blank", 3), ("comment", 4)],
        why: "a header of `tail`, a line of dashes and `last message repeated` are no requests that were lost",
        ..all("blank_and_comments.log", 4)
    },
    all("bom.log", 100),
    all("compose_prefix.log", 12),
    all("cr_only.log", 100),
    Expected {
        rejected: &[("format", 1)],
        skipped: &[("blank", 1), ("continuation", 1)],
        why: "an empty message, a first half that the next line completes, an error log's line on stderr",
        ..all("cri.log", 11)
    },
    all("crlf.log", 100),
    Expected {
        skipped: &[("partial", 1)],
        why: "99 + 1 partial: the first line is the end of one",
        ..all("cut_first.log", 99)
    },
    all("docker_json.log", 10),
    all("dst_tz_change.log", 16),
    all("escape_in_uri_vs_literal.log", 5),
    all("fractions.log", 14),
    Expected {
        rejected: &[("format", 1)],
        why: "13 objects + 1 cut: of two objects on a line both count",
        ..all("json_torture.log", 13)
    },
    Expected { why: "15 records: the manifest writes the number as a text", ..all("locale_months.log", 15) },
    all("long_1mb.log", 102),
    Expected {
        rejected: &[("format", 5)],
        why: "100 records of three formats, five lines of an error log",
        ..all("mixed_formats.log", 100)
    },
    all("multi_member.log.gz", 100),
    all("nul_block_middle.log", 100),
    all("nul_block_start.log", 100),
    all("nul_prefix_lines.log", 100),
    Expected {
        format: Some(
            r#"$remote_addr [$time_local] "$request" $status $body_bytes_sent $request_time $upstream_response_time"#,
        ),
        rejected: &[("bytes", 2), ("bytes-range", 1), ("duration", 4), ("status", 1)],
        why: "14 lines: a negative or rounded number of bytes, 2^64 - 1, a negative or worded duration and a status \
              of four digits would make a wrong sum, so these eight are named instead",
        ..all("numbers.log", 6)
    },
    Expected {
        rejected: &[("time", 4)],
        why: "14 lines: a leap second and 24:00 exist, 31 February, 29 February 2025 and 0 January do not; a month \
              in digits tells no date; without a zone UTC is assumed and remarked",
        ..all("odd_times.log", 10)
    },
    all("out_of_order.log", 100),
    all("raw_bytes.log", 4),
    all("request_shapes.log", 26),
    all("syslog_prefixes.log", 7),
    Expected {
        rejected: &[("format", 1)],
        why: "98 + 1 merged: half a record and a whole one on a line would give the bytes of one to the client of the \
              other",
        ..all("torn_write.log", 98)
    },
    Expected {
        skipped: &[("partial", 1)],
        why: "at least 50: what can be unpacked is 98 lines and the beginning of one",
        ..all("truncated.log.gz", 98)
    },
    Expected {
        skipped: &[("partial", 1)],
        why: "99 + 1 partial: the last line is still being written",
        ..all("truncated_last.log", 99)
    },
    Expected {
        format: Some(
            r#"log_format c escape=none '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';"#,
        ),
        statuses: &[(200, 2), (400, 1), (404, 1)],
        why: "nothing in the file tells that nothing is escaped; the statuses are those read from both ends",
        ..all("unescaped_quotes.log", 4)
    },
    all("utf16le.log", 20),
    Expected {
        skipped: &[("comment", 5)],
        why: "five header lines, one of them naming new columns",
        ..all("w3c_fields_change.log", 2)
    },
    all("whole_line_quoted.log", 20),
];

#[test]
fn every_line_of_a_broken_log_is_accounted_for() {
    let Some(folder) = corpora().map(|root| root.join("torture")) else {
        return println!("skipped: no corpora");
    };
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("MANIFEST.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for entry in manifest.as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        let expected = EXPECTED.iter().find(|expected| expected.file == file);
        let expected = expected.unwrap_or_else(|| panic!("no expectation for {file}"));
        let agrees = entry["records"].as_u64() == Some(expected.accepted);
        assert!(agrees || !expected.why.is_empty(), "{file}: the manifest says {}", entry["records"]);
        let found = outcome(folder.join(file).to_str().unwrap(), expected);
        let wanted = described(expected);
        if found != wanted {
            wrong.push(format!("{file}\n  is  {found}\n  not {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), EXPECTED.len(), wrong.join("\n"));
}

fn described(expected: &Expected) -> String {
    let named = |list: &[(&str, u64)]| -> BTreeMap<String, u64> {
        list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    let statuses = expected.statuses.iter().copied().collect();
    show(expected.accepted, &named(expected.rejected), &named(expected.skipped), &statuses)
}

/// What the program made of a file, or the first thing it said.
fn outcome(path: &str, expected: &Expected) -> String {
    let mut args = vec!["top", "--by", "status", "--top", "0", "--json"];
    args.extend(expected.format.iter().flat_map(|format| ["--format", format]));
    args.push(path);
    let run = bandwho(&args);
    // A file that ends in the middle still answers, though it fails.
    let Ok(answer) = serde_json::from_str::<Value>(&run.out) else {
        return run.err.lines().next().unwrap_or("no answer").to_owned();
    };
    let input = &answer["input"];
    let rejected: BTreeMap<String, u64> = input["rejects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reject| (reject["reason"].as_str().unwrap().to_owned(), reject["count"].as_u64().unwrap()))
        .collect();
    let skips = input["skips"].as_object().unwrap();
    let skipped: BTreeMap<String, u64> =
        skips.iter().map(|(kind, count)| (kind.clone(), count.as_u64().unwrap())).collect();
    let lines =
        input["accepted"].as_u64().unwrap() + rejected.values().sum::<u64>() + skipped.values().sum::<u64>();
    assert_eq!(input["lines"].as_u64(), Some(lines), "{path}: each line is accepted, rejected or skipped");
    let mut statuses = BTreeMap::new();
    if !expected.statuses.is_empty() {
        let rows = answer["rows"].as_array().unwrap().iter();
        statuses =
            rows.filter_map(|row| Some((row["status"].as_u64()?, row["requests"].as_u64()?))).collect();
    }
    show(input["accepted"].as_u64().unwrap(), &rejected, &skipped, &statuses)
}

fn show(
    accepted: u64,
    rejected: &BTreeMap<String, u64>,
    skipped: &BTreeMap<String, u64>,
    statuses: &BTreeMap<u64, u64>,
) -> String {
    format!("accepted {accepted}, rejected {rejected:?}, skipped {skipped:?}, statuses {statuses:?}")
}
