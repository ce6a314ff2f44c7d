//! Which format every known log is taken for, without any option.
//!
//! `BANDWHO_BLESS=1 cargo test --test it detection` rewrites `detected.txt`; read the difference before it is kept.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

use crate::oracle::{self, Directive};
use crate::{bandwho, corpora};

/// Logs that hold a client or bytes.
const LOGS: [(&str, &[&str]); 8] = [
    ("alp", &["combined_access.log", "json_access.log", "ltsv_access.log"]),
    (
        "elastic",
        &["nginx-access-test-with-host.log", "nginx-access-test.log", "nginx-ingress-controller-subset.log"],
    ),
    ("elastic-examples", &["apache_logs"]),
    ("apachelogs", &["vhost_combined.log"]),
    (
        "lnav",
        &[
            "access_log.gz",
            "logfile_access_log.0",
            "logfile_access_log.1",
            "logfile_access_log_dupe.0",
            "logfile_bad_access_log.0",
            "logfile_caddy_log.0",
            "logfile_caddy_log.1",
            "logfile_cloudflare.1",
            "logfile_cloudflare.json",
            "logfile_haproxy.0",
            "logfile_json3.json",
            "logfile_regexp_access_log.0",
            "logfile_shop_access_log.0",
            "logfile_syslog_with_access_log.0",
            "logfile_uwsgi.0",
            "logfile_w3c.0",
            "logfile_w3c.1",
            "logfile_w3c.2",
            "logfile_w3c.3",
            "logfile_w3c.4",
            "logfile_w3c.5",
            "logfile_w3c.6",
            "logfile_w3c_big.0",
        ],
    ),
    (
        "oracle-apache-2.4.71",
        &[
            "combined.log",
            "combined_d.log",
            "combinedio.log",
            "common.log",
            "json.log",
            "oracle.log",
            "vhost_combined.log",
        ],
    ),
    (
        "oracle-nginx-1.22.1",
        &[
            "combined.log",
            "combined_gzip.log.gz",
            "combined_none.log",
            "compression.log",
            "csv.log",
            "json_default.log",
            "json_quoted.log",
            "ltsv.log",
            "main.log",
            "npm_standard.log",
            "oracle.log",
            "pipes.log",
            "stream_basic.log",
            "stream_json.log",
            "stream_proxy.log",
            "syslog_nohostname.log",
            "upstream_time.log",
            "vhost_combined.log",
        ],
    ),
    ("oracle-others", &["caddy_access.json", "haproxy_syslog.log", "lighttpd_default.log"]),
];

/// One line of `detected.txt`.
fn detected(root: &Path, name: &str) -> String {
    let run = bandwho(&["--json", root.join(name).to_str().unwrap()]);
    let Ok(answer) = serde_json::from_str::<Value>(&run.out) else { return "not recognised".to_owned() };
    let input = &answer["input"];
    let formats = input["formats"].as_array().unwrap().iter();
    let names: Vec<&str> = formats.map(|format| format["name"].as_str().unwrap()).collect();
    let [accepted, rejected, skipped] = ["accepted", "rejected", "skipped"].map(|key| &input[key]);
    format!("{} → {accepted} accepted, {rejected} rejected, {skipped} skipped", names.join(", "))
}

#[test]
fn every_known_log_is_recognised_as_before() {
    let Some(root) = corpora() else { return println!("skipped: no corpora") };
    let mut found = String::new();
    for (folder, files) in LOGS {
        for file in files {
            let name = format!("{folder}/{file}");
            let line = detected(&root, &name);
            writeln!(found, "{name} → {line}").unwrap();
        }
    }
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/detected.txt");
    if env::var_os("BANDWHO_BLESS").is_some() {
        fs::write(&golden, &found).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (found_lines, expected_lines) = (lines(&found), lines(&expected));
    let changed =
        found_lines.iter().filter(|line| !expected_lines.contains(line)).map(|line| format!("is  {line}"));
    let lost =
        expected_lines.iter().filter(|line| !found_lines.contains(line)).map(|line| format!("was {line}"));
    let differences: Vec<String> = lost.chain(changed).collect();
    assert!(
        found == expected,
        "detected.txt differs (BANDWHO_BLESS=1 rewrites it):\n{}",
        differences.join("\n")
    );
}

/// Records by line: status, bytes, client.
fn records(log: &Path, options: &[&str]) -> Result<HashMap<u64, [Value; 3]>, String> {
    let run = bandwho(
        &[&["lines", "--ndjson", "--trusted-proxies", ""], options, &[log.to_str().unwrap()]].concat(),
    );
    if run.code != 0 {
        return Err(run.err.lines().next().unwrap_or_default().to_owned());
    }
    let parse = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        // Whether a column of bytes counts the headers cannot be seen.
        let bytes =
            if record["body_bytes"].is_null() { &record["wire_bytes"] } else { &record["body_bytes"] };
        (
            record["line"].as_u64().unwrap(),
            [record["status"].clone(), bytes.clone(), record["client"].clone()],
        )
    };
    Ok(run.out.lines().map(parse).collect())
}

fn difference(folder: &Path, directive: &Directive) -> Option<String> {
    let log = folder.join(&directive.log);
    let given = records(&log, &["--format", &directive.text]).unwrap();
    let found = match records(&log, &[]) {
        Ok(found) => found,
        Err(message) => return Some(format!("{}: {message}", directive.log)),
    };
    let mut lines: Vec<&u64> = given.keys().chain(found.keys()).collect();
    lines.sort_unstable();
    let line = lines.into_iter().find(|line| given.get(line) != found.get(line))?;
    let shown = |records: &HashMap<u64, [Value; 3]>| {
        records
            .get(line)
            .map_or("no record".to_owned(), |values| values.each_ref().map(Value::to_string).join(" "))
    };
    let (found_lines, given_lines) = (found.len(), given.len());
    Some(format!(
        "{}: {found_lines} records of {given_lines}; line {line} is {}, not {}",
        directive.log,
        shown(&found),
        shown(&given)
    ))
}

#[test]
fn recognised_logs_read_as_with_their_directive() {
    let Some(root) = corpora() else { return println!("skipped: no corpora") };
    let (nginx, apache) = (root.join("oracle-nginx-1.22.1"), root.join("oracle-apache-2.4.71"));
    let of_nginx = oracle::nginx_directives(&nginx);
    let of_apache = oracle::apache_directives(&apache);
    let differences: Vec<String> = of_nginx
        .iter()
        .filter_map(|directive| difference(&nginx, directive))
        .chain(of_apache.iter().filter_map(|directive| difference(&apache, directive)))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
