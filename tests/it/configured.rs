//! The servers' own configurations, and who the client is behind proxies.

use std::fs;

use serde_json::{Value, json};

use crate::{Scratch, bandwho, bandwho_with, json};

/// A directory with these files; `ROOT` in a text is the directory.
fn tree(name: &str, files: &[(&str, &str)]) -> (Scratch, String) {
    let scratch = Scratch::new(name);
    let root = scratch.0.to_str().unwrap().to_owned();
    for (name, text) in files {
        let path = scratch.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("ROOT", &root)).unwrap();
    }
    (scratch, root)
}

const NGINX: &str = r#"
http {
    # log_format main '$host';
    log_format main '$remote_addr [$time_local] "$request" $status '
                    '$body_bytes_sent';
    log_format timed escape=json '{"client":"$remote_addr","time":"$time_iso8601","status":$status,'
                     '"body_bytes_sent":$body_bytes_sent,"request_time":$request_time}';
    include sites/*.conf;
}
"#;

const MAIN: &str = "192.0.2.1 [23/Nov/2026:05:53:11 +0000] \"GET /x HTTP/1.1\" 200 100\n";
const OTHER: &str = "192.0.2.2 [23/Nov/2026:05:53:12 +0000] \"GET /y HTTP/1.1\" 200 20\n";
const TIMED: &str = "{\"client\":\"192.0.2.3\",\"time\":\"2026-11-23T05:53:13+00:00\",\"status\":200,\
                     \"body_bytes_sent\":3,\"request_time\":0.250}\n";

/// An nginx with two sites, their logs rotated, and strangers beside them.
fn nginx(name: &str) -> (Scratch, String) {
    tree(
        name,
        &[
            ("etc/nginx.conf", NGINX),
            ("etc/sites/a.conf", "server { access_log ROOT/log/a.log main buffer=4k; }"),
            ("etc/sites/b.conf", "server { access_log ROOT/log/b-$host.log timed; }"),
            ("etc/sites/.b.conf.swp", "garbage {"),
            ("log/a.log", MAIN),
            ("log/a.log.1", OTHER),
            ("log/a-20261122.log", MAIN),
            ("log/a.log.swp", "garbage"),
            ("log/b-www.example.com.log", TIMED),
            ("log/error.log", "garbage"),
            ("saved/a.log", OTHER),
            ("saved/x", &MAIN.repeat(2)),
        ],
    )
}

/// Each format in use with its lines, as `top --by client` reports them, and the bytes of all.
fn formats(args: &[&str]) -> (Vec<(String, u64)>, u64) {
    let answer = json(&[&["top", "--by", "client", "--json"], args].concat());
    let formats = answer["input"]["formats"].as_array().unwrap().iter();
    let formats = formats.filter(|format| format["lines"] != 0);
    let formats = formats
        .map(|format| (format["name"].as_str().unwrap().to_owned(), format["lines"].as_u64().unwrap()));
    (formats.collect(), answer["total"]["bytes"].as_u64().unwrap())
}

fn expected(formats: &[(&str, u64)]) -> Vec<(String, u64)> {
    formats.iter().map(|&(name, lines)| (name.to_owned(), lines)).collect()
}

#[test]
fn without_a_log_the_configured_ones_are_read() {
    let (_scratch, root) = nginx("configured-all");
    let conf = format!("{root}/etc/nginx.conf");
    let found = formats(&["--nginx-conf", &conf]);
    assert_eq!(found, (expected(&[("main", 3), ("timed", 1)]), 100 + 20 + 100 + 3));
    let run = bandwho(&["lines", "--ndjson", "--nginx-conf", &conf]);
    let files: Vec<Value> =
        run.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["file"].clone()).collect();
    let names = ["a-20261122.log", "a.log", "a.log.1", "b-www.example.com.log"];
    assert_eq!(files, names.map(|name| json!(format!("{root}/log/{name}"))));
}

#[test]
fn logs_have_the_format_of_their_path_or_one_that_reads_them() {
    let (_scratch, root) = nginx("configured-logs");
    let conf = format!("{root}/etc/nginx.conf");
    let check = |logs: &[&str], formats_expected: &[(&str, u64)], bytes: u64| {
        let logs: Vec<String> = logs.iter().map(|log| format!("{root}/{log}")).collect();
        let logs: Vec<&str> = logs.iter().map(String::as_str).collect();
        let found = formats(&[&["--nginx-conf", conf.as_str()], logs.as_slice()].concat());
        assert_eq!(found, (expected(formats_expected), bytes), "{logs:?}");
    };
    check(&["saved/a.log"], &[("main", 1)], 20);
    check(&["saved/x"], &[("main", 2)], 200);
    check(&["log/a.log.1", "log/b-www.example.com.log", "saved/x"], &[("main", 3), ("timed", 1)], 223);
    // Formats are recognised on stdin too, beside those that nobody configured.
    let combined = "192.0.2.9 - - [23/Nov/2026:05:53:11 +0000] \"GET /x HTTP/1.1\" 200 7 \"-\" \"curl/8\"\n";
    let mixed = format!("{MAIN}{combined}{TIMED}{OTHER}{TIMED}garbage\n{MAIN}");
    let run =
        bandwho_with(&["top", "--by", "client", "--json", "--nginx-conf", &conf, "-"], mixed.as_bytes());
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    let lines: Vec<(&Value, &Value)> = answer["input"]["formats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|format| (&format["name"], &format["lines"]))
        .filter(|(_, lines)| **lines != 0)
        .collect();
    assert_eq!(
        lines,
        [(&json!("main"), &json!(3)), (&json!("timed"), &json!(2)), (&json!("combined"), &json!(1))]
    );
    assert_eq!((&answer["input"]["rejected"], &answer["total"]["bytes"]), (&json!(1), &json!(233)));
}

#[test]
fn a_configured_format_can_be_chosen_for_all() {
    let (_scratch, root) = nginx("configured-format");
    let conf = format!("{root}/etc/nginx.conf");
    let log = format!("{root}/saved/x");
    assert_eq!(formats(&["--nginx-conf", &conf, "--format", "main", &log]).0, expected(&[("main", 2)]));
    let check = |format: &str, code: i32, err: &str| {
        let run = bandwho(&["--nginx-conf", &conf, "--format", format, &log]);
        assert_eq!((run.code, run.err.as_str()), (code, err), "{format}");
    };
    let names = "with --nginx-conf it names one of the configured formats: main, timed";
    check("combined", 2, &format!("bandwho: --format combined: {names}\n"));
    check("$status", 2, &format!("bandwho: --format $status: {names}\n"));
}

#[test]
fn hosts_of_apache_have_formats_of_their_own() {
    let conf = r#"
ServerRoot "ROOT"
LogFormat "%h %t \"%r\" %>s %b" short
<VirtualHost *:80>
    CustomLog logs/one.log short
</VirtualHost>
<VirtualHost *:80>
    ServerName two.example
    LogFormat "%v %a %t %m %>s %O %D" short
    CustomLog logs/two.log short env=!dontlog
</VirtualHost>
"#;
    let (_scratch, root) = tree(
        "configured-apache",
        &[
            ("conf/httpd.conf", conf),
            ("logs/one.log", "192.0.2.1 [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 200 100\n"),
            ("logs/one.log.1", "192.0.2.1 [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 200 -\n"),
            ("logs/two.log", "two.example 192.0.2.2 [23/Nov/2026:05:53:11 +0000] GET 200 250 1000\n"),
        ],
    );
    let conf = format!("{root}/conf/httpd.conf");
    let run = bandwho(&["lines", "--ndjson", "--apache-conf", &conf]);
    let records: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| records.iter().map(|record| record[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("body_bytes"), [json!(100), Value::Null, Value::Null]);
    assert_eq!(of("wire_bytes"), [Value::Null, Value::Null, json!(250)]);
    assert_eq!(of("duration_us"), [Value::Null, Value::Null, json!(1000)]);
    let note =
        format!("bandwho: note: {conf}:10: {root}/logs/two.log holds only requests with env=!dontlog\n");
    assert!(run.err.starts_with(&note), "{}", run.err);
    let run = bandwho(&["--apache-conf", &conf, "--format", "short"]);
    let message = "bandwho: --format short: 2 formats of that name are configured\n";
    assert!(run.code == 2 && run.err.ends_with(message), "{}", run.err);
}

#[test]
fn samples_and_targets_that_are_no_files_are_told() {
    let (_scratch, root) = tree(
        "configured-notes",
        &[
            (
                "etc/nginx.conf",
                "http {\n access_log ROOT/a.log combined if=$loggable ratio=0.1;\n access_log syslog:server=[::1];\n \
             include none.conf;\n}",
            ),
            (
                "a.log",
                "192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 200 6 \"-\" \"curl/8\"\n",
            ),
        ],
    );
    let conf = format!("{root}/etc/nginx.conf");
    let run = bandwho(&["top", "--by", "client", "--json", "--nginx-conf", &conf]);
    let expected = format!(
        "bandwho: warning: {conf}:2: {root}/a.log holds a sample of the requests (ratio=0.1): totals are the sample's\n\
         bandwho: note: {conf}:2: {root}/a.log holds only requests with $loggable\n\
         bandwho: note: {conf}:3: `syslog:server=[::1]` is no file: give the file that syslog writes (format combined)\n\
         bandwho: note: {conf}:4: cannot read {root}/etc/none.conf: no such file\n"
    );
    assert_eq!((run.code, run.err), (0, expected));
}

#[test]
fn errors_name_their_place() {
    let (_scratch, root) = tree(
        "configured-errors",
        &[
            ("etc/nginx.conf", "http {\n include sites/*;\n}"),
            ("etc/sites/b", "log_format x '$status'\n  '$ host';\n"),
            ("etc/empty.conf", "events { }"),
            (
                "etc/lost.conf",
                "http {\n access_log ROOT/log/a.log;\n server { access_log ROOT/log/b.log; }\n server { }\n}",
            ),
            ("httpd.conf", "LogFormat \"%h %{x\" bad\n"),
        ],
    );
    let check = |args: &[&str], err: &str| {
        let args: Vec<String> = args.iter().map(|arg| arg.replace("ROOT", &root)).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let run = bandwho(&args);
        assert_eq!((run.code, run.err), (1, err.replace("ROOT", &root)), "{args:?}");
    };
    check(
        &["--nginx-conf", "ROOT/etc/nginx.conf"],
        "bandwho: ROOT/etc/sites/b:2:4: `$` must be followed by a variable's name\n    '$ host';\n     ^\n",
    );
    check(&["--nginx-conf", "ROOT/none"], "bandwho: cannot read ROOT/none: no such file\n");
    check(
        &["--nginx-conf", "ROOT/etc"],
        "bandwho: cannot read ROOT/etc: it is a directory; --nginx-conf takes the server's main file\n",
    );
    check(&["--nginx-conf", "ROOT/etc/empty.conf"], "bandwho: ROOT/etc/empty.conf names no log file\n");
    check(
        &["--nginx-conf", "ROOT/etc/lost.conf"],
        "bandwho: no log of ROOT/etc/lost.conf is there; looked for\n  ROOT/log/a.log (ROOT/etc/lost.conf:2)\n  \
         ROOT/log/b.log (ROOT/etc/lost.conf:3)\n",
    );
    let run = bandwho(&["--apache-conf", &format!("{root}/httpd.conf")]);
    assert!(run.err.starts_with(&format!("bandwho: {root}/httpd.conf:1:15: ")), "{}", run.err);
    assert!(run.err.ends_with("\n  LogFormat \"%h %{x\" bad\n                ^\n"), "{}", run.err);
}

#[test]
fn a_configured_log_is_no_output() {
    let (_scratch, root) = nginx("configured-guard");
    let conf = format!("{root}/etc/nginx.conf");
    let check = |output: &str| {
        let output = format!("{root}/{output}");
        let run = bandwho(&["lines", "--nginx-conf", &conf, "-o", &output]);
        let message = format!("bandwho: cannot write {output}: it is also an input\n");
        assert_eq!((run.code, run.err), (2, message));
    };
    check("log/a.log.1");
    check("etc/nginx.conf");
}

const BEHIND: &str = r#"$remote_addr "$http_x_forwarded_for" [$time_local] $status $body_bytes_sent"#;

/// Client and peer of a record under options.
fn client(column: &str, forwarded: &str, options: &[&str]) -> (Value, Value) {
    let line = format!("{column} \"{forwarded}\" [23/Nov/2026:05:53:11 +0000] 200 6\n");
    let run = bandwho_with(&[&["lines", "--ndjson", "--format", BEHIND], options].concat(), line.as_bytes());
    let record: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{line}{}", run.err));
    (record["client"].clone(), record["peer"].clone())
}

#[test]
fn clients_are_found_behind_proxies() {
    let check = |column: &str, forwarded: &str, options: &[&str], expected: &str, peer: &str| {
        let text = |text: &str| if text == "null" { Value::Null } else { json!(text) };
        let found = client(column, forwarded, options);
        assert_eq!(found, (text(expected), text(peer)), "{column} \"{forwarded}\" {options:?}");
    };
    check("198.51.100.4", "203.0.113.7", &[], "198.51.100.4", "null");
    check("10.0.0.1", "203.0.113.7, 198.51.100.4, 10.0.0.2", &[], "198.51.100.4", "10.0.0.1");
    check("10.0.0.1", "-", &[], "10.0.0.1", "null");
    check("10.0.0.1", "unknown", &[], "10.0.0.1", "null");
    check("unix:", "203.0.113.7", &[], "203.0.113.7", "unix:");
    check("unix:", "-", &[], "unix:", "null");
    check("::ffff:198.51.100.4", "-", &[], "198.51.100.4", "::ffff:198.51.100.4");
    check("-", "203.0.113.7", &[], "203.0.113.7", "null");
    check("10.0.0.1", "203.0.113.7", &["--client", "remote"], "10.0.0.1", "null");
    check("10.0.0.1", "203.0.113.7, 198.51.100.4", &["--client", "forwarded"], "203.0.113.7", "10.0.0.1");
    check("198.51.100.4", "-", &["--client", "forwarded"], "null", "198.51.100.4");
    check("10.0.0.1", "203.0.113.7", &["--trusted-proxies", ""], "10.0.0.1", "null");
    let cloudflare = &["--trusted-proxies", "198.51.100.0/24,10.0.0.0/8"];
    check("198.51.100.4", "203.0.113.7, 10.0.0.1", cloudflare, "203.0.113.7", "198.51.100.4");
}

#[test]
fn answers_say_whom_they_took_for_the_client() {
    let lines = "10.0.0.1 \"203.0.113.7\" [23/Nov/2026:05:53:11 +0000] 200 6\n\
                 198.51.100.4 \"-\" [23/Nov/2026:05:53:11 +0000] 200 5\n";
    let answer = |options: &[&str]| -> Value {
        let args = [&["top", "--by", "client", "--json", "--format", BEHIND], options].concat();
        serde_json::from_str(&bandwho_with(&args, lines.as_bytes()).out).unwrap()
    };
    let auto = answer(&[]);
    let clients: Vec<&Value> = auto["rows"].as_array().unwrap().iter().map(|row| &row["client"]).collect();
    assert_eq!(clients, [&json!("203.0.113.7"), &json!("198.51.100.4")]);
    assert_eq!(
        (&auto["input"]["remarks"], auto["input"].get("client")),
        (&json!({"client-forwarded": 1}), None)
    );
    let remote = answer(&["--client", "remote"]);
    assert_eq!((&remote["input"]["remarks"], &remote["input"]["client"]), (&json!({}), &json!("remote")));
    let run = bandwho_with(&["--format", BEHIND, "--trusted-proxies", "10.0.0.0/40"], lines.as_bytes());
    let message =
        "bandwho: --trusted-proxies: `10.0.0.0/40` is neither a network such as 10.0.0.0/8 nor an address\n";
    assert_eq!((run.code, run.err.as_str()), (2, message));
    let plain = [
        "top",
        "--by",
        "client",
        "--json",
        "--client",
        "forwarded",
        "--format",
        "$remote_addr $body_bytes_sent",
    ];
    let run = bandwho_with(&plain, b"192.0.2.1 6\n");
    let note =
        "bandwho: note: no log has forwarded addresses: with --client forwarded every client is unknown\n";
    assert!(run.err.contains(note), "{}", run.err);
}

/// A name with a variable may mean every file beside it: error logs are none of them, and garbage is left out.
#[test]
fn error_logs_are_no_access_logs() {
    let conf = "http { log_format main '$remote_addr [$time_local] \"$request\" $status $body_bytes_sent';
        error_log ROOT/log/error.log warn; server { access_log ROOT/log/$host.log main; } }";
    let error = "2026/11/23 05:53:11 [error] 7#7: *1 open() failed\n";
    let files = [
        ("nginx.conf", conf),
        ("log/www.example.com.log", MAIN),
        ("log/error.log", error),
        ("log/error.log.1", error),
        ("log/setup.log", "installed\n"),
        (
            "httpd.conf",
            "ErrorLog ROOT/log/error.log\nLogFormat \"%h\" main\nCustomLog ROOT/log/${SITE}.log main\n",
        ),
    ];
    let (_scratch, root) = tree("error-logs", &files);
    let conf = format!("{root}/nginx.conf");
    assert_eq!(formats(&["--nginx-conf", &conf]), (vec![("main".to_owned(), 1)], 100));
    let run = bandwho(&["formats", "--nginx-conf", &conf]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(!run.out.contains("error.log") && !run.err.contains("error.log"), "{}{}", run.out, run.err);
    assert!(run.err.contains("setup.log is left out"), "{}", run.err);
    assert!(run.out.contains(&format!("configured in {conf}:2")), "{}", run.out);
    let httpd = format!("{root}/httpd.conf");
    assert!(!bandwho(&["lines", "--apache-conf", &httpd]).out.contains("[error]"));
}
