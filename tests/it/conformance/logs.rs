//! Whole logs read without any option: how many lines are records, how many are not, and the bytes of all.

use std::path::Path;

use serde_json::Value;

use super::Case;
use crate::bandwho;

/// A log and its control totals, counted apart from this program.
struct Log {
    file: &'static str,
    accepted: u64,
    rejected: u64,
    /// Of the column that counts; 0 where the log has none.
    bytes: u64,
}

const fn log(file: &'static str, accepted: u64, rejected: u64, bytes: u64) -> Log {
    Log { file, accepted, rejected, bytes }
}

const LNAV: [Log; 22] = [
    log("access_log.gz", 2_492, 0, 11_328_686),
    log("logfile_access_log.0", 3, 0, 125_273),
    log("logfile_access_log.1", 1, 0, 0),
    log("logfile_access_log_dupe.0", 3, 0, 125_273),
    // One line lacks two columns.
    log("logfile_bad_access_log.0", 2, 1, 79_063),
    log("logfile_regexp_access_log.0", 2, 0, 33_680),
    log("logfile_shop_access_log.0", 1_000, 0, 18_963_364),
    // Lines of other programs; two of Tomcat, without a time of their own.
    log("logfile_syslog_with_access_log.0", 2, 3, 131_016),
    // Caddy's messages besides its access log.
    log("logfile_caddy_log.0", 4, 35, 188),
    log("logfile_caddy_log.1", 4, 0, 252_148),
    log("logfile_cloudflare.1", 15, 0, 115_665),
    log("logfile_cloudflare.json", 1, 0, 570),
    // HAProxy's messages besides its access log.
    log("logfile_haproxy.0", 13, 4, 118_427),
    log("logfile_uwsgi.0", 19, 0, 1_397),
    log("logfile_w3c.0", 1, 0, 0),
    log("logfile_w3c.1", 1, 0, 350),
    log("logfile_w3c.2", 14, 0, 0),
    log("logfile_w3c.3", 3, 0, 0),
    log("logfile_w3c.4", 2, 0, 0),
    // More columns than the header names.
    log("logfile_w3c.5", 1, 0, 0),
    log("logfile_w3c.6", 1, 0, 1_405),
    log("logfile_w3c_big.0", 210, 0, 292_031),
];

const ELASTIC: [Log; 4] = [
    log("elastic/nginx-access-test.log", 7, 0, 36_403),
    log("elastic/nginx-access-test-with-host.log", 10, 0, 37_800),
    log("elastic/nginx-ingress-controller-subset.log", 9, 0, 1_647),
    log("elastic-examples/apache_logs", 10_000, 0, 2_747_282_740),
];

const APACHELOGS: [Log; 1] = [log("vhost_combined.log", 6, 1, 3_517)];

const OTHERS: [Log; 3] = [
    log("caddy_access.json", 8, 0, 72),
    log("haproxy_syslog.log", 21, 0, 4_868),
    log("lighttpd_default.log", 9, 0, 2_401),
];

pub(super) fn lnav(root: &Path) -> Vec<Case> {
    cases(&root.join("lnav"), &LNAV)
}

pub(super) fn elastic(root: &Path) -> Vec<Case> {
    cases(root, &ELASTIC)
}

pub(super) fn apachelogs(root: &Path) -> Vec<Case> {
    cases(&root.join("apachelogs"), &APACHELOGS)
}

pub(super) fn oracle_others(root: &Path) -> Vec<Case> {
    cases(&root.join("oracle-others"), &OTHERS)
}

fn cases(folder: &Path, logs: &[Log]) -> Vec<Case> {
    logs.iter()
        .map(|log| Case { id: log.file.to_owned(), outcome: run(&folder.join(log.file), log) })
        .collect()
}

fn run(path: &Path, log: &Log) -> Result<(), String> {
    let run = bandwho(&["--json", path.to_str().unwrap()]);
    let Ok(answer) = serde_json::from_str::<Value>(&run.out) else {
        return Err(run.err.lines().next().unwrap_or("no answer").to_owned());
    };
    let input = &answer["input"];
    let found = [&input["accepted"], &input["rejected"]].map(Value::as_u64);
    // Null: no byte column is logged.
    let bytes = answer["bytes"].as_u64().or(answer["bytes"].is_null().then_some(0));
    let found = [found[0], found[1], bytes];
    let expected = [log.accepted, log.rejected, log.bytes];
    let same = found == expected.map(Some);
    let formats = &input["formats"];
    if same {
        Ok(())
    } else {
        Err(format!("accepted, rejected, bytes are {found:?}, not {expected:?}; formats {formats}"))
    }
}
