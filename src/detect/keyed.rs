//! Lines that name their own values: JSON objects and LTSV.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::format::{Grammar, Layout, keys};
use crate::parse::named_values;

/// Lines of a sample that are looked into: their values are copied.
const LINES_MAX: usize = 500;

/// Fewer such lines are a format only where most lines name their values.
const LINES_MIN: usize = 5;

/// The layout of the lines that are JSON objects or LTSV and about requests, if there are some. What other programs
/// wrote among them has no say, in whatever notation.
pub fn layout(lines: &[&[u8]]) -> Option<Layout> {
    [(Grammar::Json, b'{'), (Grammar::Ltsv, b'\t')].into_iter().find_map(|(grammar, mark)| {
        // Looking into lines costs more than all else here, and most logs are neither.
        let marked: Vec<&[u8]> =
            lines.iter().copied().filter(|line| memchr::memchr(mark, line).is_some()).collect();
        // Ends and middle of the sample count alike.
        let step = marked.len().div_ceil(LINES_MAX).max(1);
        let named = marked.into_iter().step_by(step).filter_map(|line| named_values(grammar, line));
        let named: Vec<keys::Line> = named.collect();
        let is_usual = named.len() * 2 >= lines.len();
        let asking = about_requests(grammar, named);
        if asking.is_empty() || asking.len() < LINES_MIN && !is_usual {
            return None;
        }
        Layout::compile(&keys::format(grammar, &asking)?).ok()
    })
}

/// Names that are looked into to tell which lines are about requests. Where a client can get names of its own into a
/// log, each line may have thousands.
const NAMES_MAX: usize = 16_384;

/// The lines that are about requests: those that have the same names are judged together, the most frequent first.
fn about_requests(grammar: Grammar, lines: Vec<keys::Line>) -> Vec<keys::Line> {
    let names = |line: &keys::Line| line.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let mut alike: BTreeMap<Vec<String>, Vec<keys::Line>> = BTreeMap::new();
    for line in &lines {
        alike.entry(names(line)).or_default().push(line.clone());
    }
    let mut alike: Vec<(Vec<String>, Vec<keys::Line>)> = alike.into_iter().collect();
    alike.sort_by_key(|(_, lines)| Reverse(lines.len()));
    let mut looked_into = 0;
    alike.retain(|(names, lines)| {
        let is_open = looked_into < NAMES_MAX;
        looked_into += names.len();
        is_open && keys::format(grammar, lines).is_some()
    });
    let asking: BTreeSet<Vec<String>> = alike.into_iter().map(|(names, _)| names).collect();
    lines.into_iter().filter(|line| asking.contains(&names(line))).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::Value;

    use super::*;
    use crate::format::{Escape, Part};
    use crate::parse::{Parser, Record, Wanted, plain, value};

    /// Real logs, where they are at hand.
    fn corpora() -> Option<PathBuf> {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora");
        let folder = std::env::var("BANDWHO_CORPORA").unwrap_or_else(|_| beside.to_owned());
        Some(PathBuf::from(folder)).filter(|folder| folder.is_dir())
    }

    fn lines(text: &[u8]) -> Vec<&[u8]> {
        text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect()
    }

    /// Name of the format, records, lines that are none, and lines with a second object.
    fn check(text: &[u8], name: &str, expected: (usize, usize, usize)) {
        let lines = lines(text);
        let layout = layout(&lines).expect(name);
        let mut parser = Parser::new(&layout, Wanted::ALL, &[]);
        let (mut accepted, mut rejected, mut doubled) = (0, 0, 0);
        for line in lines {
            match parser.parse(line, &mut Record::default()) {
                Ok(()) => accepted += 1,
                Err(_) => rejected += 1,
            }
            doubled += usize::from(parser.following(line).is_some());
        }
        assert_eq!((layout.format.name.as_str(), (accepted, rejected, doubled)), (name, expected));
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "a test that did nothing says so")]
    fn logs_of_real_servers_are_recognised() {
        let Some(corpora) = corpora() else {
            println!("no corpora at hand: set BANDWHO_CORPORA");
            return;
        };
        let cases = [
            ("oracle-nginx-1.22.1/json_quoted.log", "nginx_json", (725, 0, 0)),
            ("oracle-nginx-1.22.1/json_default.log", "json", (725, 0, 0)),
            ("oracle-nginx-1.22.1/stream_json.log", "json", (4, 0, 0)),
            ("oracle-nginx-1.22.1/ltsv.log", "ltsv", (725, 0, 0)),
            ("oracle-apache-2.4.71/json.log", "apache_json", (519, 0, 0)),
            ("oracle-others/caddy_access.json", "caddy", (8, 0, 0)),
            // 35 messages about Caddy itself.
            ("lnav/logfile_caddy_log.0", "caddy", (4, 35, 0)),
            ("lnav/logfile_caddy_log.1", "caddy", (4, 0, 0)),
            ("lnav/logfile_cloudflare.json", "cloudflare", (1, 0, 0)),
            ("lnav/logfile_cloudflare.1", "cloudflare", (15, 0, 0)),
            ("alp/json_access.log", "json", (14, 0, 0)),
            ("alp/ltsv_access.log", "ltsv", (14, 0, 0)),
            // No status: `2e2`. Cut: the last. Two objects share line 10.
            ("torture/json_torture.log", "json", (12, 1, 1)),
        ];
        for (path, name, expected) in cases {
            let text = std::fs::read(corpora.join(path)).expect(path);
            check(&text, name, expected);
        }
    }

    /// A server's names for what it logged, and how its own notation escapes.
    struct Server {
        names: [&'static str; 7],
        escape: Escape,
        /// Microseconds in the last digit of its durations and times.
        unit: u64,
    }

    const NGINX: Server = Server {
        names: ["status", "body_bytes_sent", "bytes_sent", "request_time", "remote_addr", "request", "msec"],
        escape: Escape::Nginx,
        unit: 1_000,
    };
    const APACHE: Server =
        Server { names: ["%>s", "%B", "%O", "%D", "%a", "%r", "%{usec}t"], escape: Escape::Apache, unit: 1 };

    /// The values of every line agree with the variables that the server itself logged.
    #[test]
    fn values_are_those_the_servers_logged() {
        let Some(corpora) = corpora() else { return };
        for (folder, log, server) in [
            ("oracle-nginx-1.22.1", "json_quoted.log", NGINX),
            ("oracle-nginx-1.22.1", "json_default.log", NGINX),
            ("oracle-nginx-1.22.1", "ltsv.log", NGINX),
            ("oracle-apache-2.4.71", "json.log", APACHE),
        ] {
            let read = |name: &str| std::fs::read(corpora.join(folder).join(name)).expect(name);
            let (text, expected) = (read(log), read("expected.jsonl"));
            let layout = layout(&lines(&text)).expect(log);
            let mut parser = Parser::new(&layout, Wanted::ALL, &[]);
            for (line, expected) in lines(&text).into_iter().zip(lines(&expected)) {
                let mut record = Record::default();
                parser.parse(line, &mut record).expect(log);
                let expected: Value = serde_json::from_slice(expected).expect("the servers' variables");
                agrees(&layout, &record, &server, &expected["raw"]);
            }
        }
    }

    fn agrees(layout: &Layout, record: &Record<'_>, server: &Server, raw: &Value) {
        let [status, body, wire, duration, client, request, time] =
            server.names.map(|name| raw[name].as_str().expect(name));
        let number = |text: &str| text.replace('.', "").parse::<u64>().ok();
        let has = |part| layout.source(part).is_some();
        assert_eq!(record.status.map(u64::from), number(status), "{raw}");
        assert_eq!(record.body, number(body).filter(|_| has(Part::Body)), "{raw}");
        assert_eq!(record.wire, number(wire).filter(|_| has(Part::Wire)), "{raw}");
        assert_eq!(record.duration_us, number(duration).map(|time| time * server.unit), "{raw}");
        assert_eq!(record.client.unwrap_or(b"-"), client.as_bytes(), "{raw}");
        let seconds = record.time.map(|time| time.0.unsigned_abs() / 1_000_000);
        assert_eq!(seconds, number(time).map(|time| time * server.unit / 1_000_000), "{raw}");
        let logged = if server.escape == Escape::Nginx { record.end } else { record.start };
        assert_eq!(logged, record.time, "{raw}");
        let asked = value::request_line(request.as_bytes());
        let words = [(record.method, asked.method), (record.target, asked.target)];
        for (found, asked) in words {
            let Some(asked) = asked.filter(|_| has(Part::Request)) else { continue };
            let found = found.map(|found| plain(layout.format.escape, found));
            assert_eq!(found, Some(plain(server.escape, asked)), "{raw}");
        }
    }

    /// Every object on the way to a value is one that says nothing, so each of the names means a status.
    #[test]
    fn countless_objects_are_no_harm() {
        let objects = ["access", "data", "http", "json", "log", "req"];
        let name = |number: usize| {
            let digits = (0..7).map(|place| objects[number / 6_usize.pow(place) % 6]);
            digits.collect::<Vec<_>>().join(".")
        };
        let line = |first: usize| {
            let members = (first..first + 1_000).map(|number| format!("\"{}.status\":200", name(number)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        let text: Vec<String> = (0..20).map(|line_number| line(line_number * 1_000)).collect();
        let layout = layout(&lines(text.join("\n").as_bytes())).expect("statuses");
        let mut parser = Parser::new(&layout, Wanted::ALL, &[]);
        assert_eq!(parser.parse(text[0].as_bytes(), &mut Record::default()), Ok(()));
    }

    #[test]
    fn other_lines_are_not_keyed() {
        let check = |text: &str| assert!(layout(&lines(text.as_bytes())).is_none(), "{text}");
        check(r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#);
        check("{\"level\":\"info\",\"msg\":\"started\"}");
        check("time:12:00\tmessage:hello");
        check("");
    }
}
