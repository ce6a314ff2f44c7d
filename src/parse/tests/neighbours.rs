//! Each format that has a name reads its own lines, to the instant and the byte; and what the corpora hold of them.

use std::path::{Path, PathBuf};

use super::super::*;
use crate::format::{neighbours, presets, w3c};

/// 2026-11-23T05:53:11Z.
const MICROS: i64 = 1_795_413_191_000_000;

/// `start end client|method target|status|body wire in|duration|zoneless`, instants in microseconds after [`MICROS`].
fn shown(format: &Format, line: &str) -> String {
    let layout = Layout::compile(format).expect("a preset compiles");
    let mut parser = Parser::new(&layout, Wanted::ALL, &[]);
    let mut record = Record::default();
    if let Err(reject) = parser.parse(line.as_bytes(), &mut record) {
        return format!("{} at {}", reject.reason.name(), reject.column);
    }
    let instant = |time: Option<Timestamp>| time.map_or("-".to_owned(), |time| (time.0 - MICROS).to_string());
    let text = |part: Option<&[u8]>| {
        part.map_or("-".to_owned(), |part| String::from_utf8_lossy(&plain(format.escape, part)).into_owned())
    };
    let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    let target = record.full_target();
    format!(
        "{} {} {}|{} {}|{}|{} {} {}|{}{}{}",
        instant(record.start),
        instant(record.end),
        text(record.client),
        text(record.method),
        text(target.as_deref()),
        number(record.status.map(u64::from)),
        number(record.body),
        number(record.wire),
        number(record.bytes_in),
        number(record.duration_us),
        if record.zoneless { " zoneless" } else { "" },
        if record.extra { " extra" } else { "" },
    )
}

fn check(name: &str, line: &str, expected: &str) {
    let format = presets::named(name).expect(name);
    assert_eq!(shown(&format, line), expected, "{name}: {line}");
}

#[test]
fn nginx_and_what_is_made_of_it() {
    check(
        "upstream_time",
        r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "curl/8" rt=0.250 uct="0.000" uht="0.200" urt="0.100, 0.150""#,
        "-250000 0 192.0.2.1|GET /|200|6 - -|250000",
    );
    check(
        "ingress_nginx",
        r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET /p HTTP/1.1" 200 59 "-" "curl/8" 89 0.001 [default-web-80] [] 10.0.0.5:80, 10.0.0.6:80 0, 59 0.000, 0.001 502, 200 529a007902362a5f"#,
        "-1000 0 192.0.2.1|GET /p|200|59 - 89|1000",
    );
    check(
        "ingress_nginx",
        r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "PATCHp /p HTTP/1.1" 400 163 "-" "-" 0 0.000 [] [] - - - - 4c7d2079"#,
        "0 0 192.0.2.1|PATCHp /p|400|163 - 0|0",
    );
    check(
        "ingress_nginx_old",
        r#"192.0.2.1 - [192.0.2.1] - - [23/Nov/2026:05:53:11 +0000] "GET /p HTTP/1.1" 200 59 "-" "curl/8" 89 0.001 [default-web-80] 10.0.0.5:80 59 0.001 200"#,
        "-1000 0 192.0.2.1|GET /p|200|59 - 89|1000",
    );
    check(
        "nginx_proxy_manager",
        r#"[23/Nov/2026:05:53:11 +0000] - 404 404 - GET http www.example.com "/x" [Client 192.0.2.1] [Length 192] [Gzip 3.10] [Sent-to app] "curl/8" "-""#,
        "0 0 192.0.2.1|GET /x|404|192 - -|-",
    );
    check(
        "nginx_proxy_manager_standard",
        r#"[23/Nov/2026:05:53:11 +0000] 200 - GET http www.example.com "/" [Client 192.0.2.1] [Length 6] [Gzip -] "curl/8" "-""#,
        "0 0 192.0.2.1|GET /|200|6 - -|-",
    );
    check(
        "stream",
        "192.0.2.1 [23/Nov/2026:05:53:11 +0000] TCP 200 262 19 0.301",
        "-301000 0 192.0.2.1|- -|200|- 262 19|301000",
    );
    check(
        "stream_proxy",
        r#"192.0.2.1 [23/Nov/2026:05:53:11 +0000] TCP 200 262 19 0.001 "10.0.0.1:80" "19" "262" "0.000""#,
        "-1000 0 192.0.2.1|- -|200|- 262 19|1000",
    );
}

#[test]
fn proxies() {
    let http = r#"2001:db8::1:36776 [23/Nov/2026:05:53:11.044] fe~ be/s1 0/0/0/6/+86 200 +1038 - - ---- 1/1/0/0/0 0/0 {www.example.com|#22q#22 \} {} "GET /p?a=#22 HTTP/1.1""#;
    check("haproxy_http", http, r#"44000 130000 2001:db8::1|GET /p?a="|200|- 1038 -|86000 zoneless"#);
    let http = r#"192.0.2.1:36776 [23/Nov/2026:05:53:11.044] fe be/s1 0/0/0/-1/1003 504 198 - - sH-- 1/1/0/0/0 0/0 {h|\} {} "GET /\""#;
    check("haproxy_http", http, "44000 1047000 192.0.2.1|GET /\\|504|- 198 -|1003000 zoneless");
    check(
        "haproxy_http",
        r#"192.0.2.1:5 [23/Nov/2026:05:53:11.000] fe fe/<NOSRV> -1/-1/-1/-1/-1 -1 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>""#,
        "0 0 192.0.2.1|- -|-|- 0 -|- zoneless",
    );
    check(
        "haproxy_http",
        r#"unix:1 [23/Nov/2026:05:53:11.000] fe be/s 0/0/0/1/1 200 7 - - ---- 1/1/0/0/0 0/0 "GET /cut"#,
        "0 1000 unix|GET /cut|200|- 7 -|1000 zoneless",
    );
    check(
        "haproxy_clf",
        r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 261 "" "" 37978 344 "fe" "be" "s1" 0 0 0 1 3 ---- 1 1 0 0 0 0 0 "" "" "#,
        "0 3000 192.0.2.1|GET /|200|- 261 -|3000 extra",
    );
    check(
        "haproxy_tcp",
        "192.0.2.1:34500 [23/Nov/2026:05:53:11.851] fe be/s1 1/0/7 262 -- 1/1/0/0/0 0/0",
        "851000 858000 192.0.2.1|- -|-|- 262 -|7000 zoneless",
    );
    check(
        "traefik",
        r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET /x HTTP/1.1" 200 414 "-" "a "b" c" 500 "app@docker" "http://10.0.0.3:80" 12ms"#,
        "0 12000 192.0.2.1|GET /x|200|414 - -|12000",
    );
    check(
        "traefik",
        r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET /x HTTP/1.1" 404 19 "-" "-" 1 - - 0ms"#,
        "0 0 192.0.2.1|GET /x|404|19 - -|0",
    );
    check(
        "envoy",
        r#"[2026-11-23T05:53:11.310Z] "POST /api HTTP/2" 204 - 154 0 226 100 "192.0.2.7" "client" "cc21d9b0" "www.example.com" "tcp://10.0.0.2:80""#,
        "310000 536000 -|POST /api|204|0 - 154|226000",
    );
    check(
        "envoy",
        r#"[2026-11-23T05:53:11.310Z] "GET /api HTTP/2" 0 DC 0 0 5 - "-" "-" "-" "-" "-""#,
        "310000 315000 -|GET /api|0|0 - 0|5000",
    );
    check(
        "istio",
        r#"[2026-11-23T05:53:11.310Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 5 2 1 "192.0.2.7" "curl/8" "cc21d9b0" "h" "10.0.0.2:80" inbound|80|| 127.0.0.6:1 10.0.0.2:80 192.0.2.7:0 - default"#,
        "310000 312000 -|GET /|200|5 - 0|2000 extra",
    );
    check(
        "squid",
        "1795413191.899  16867 192.0.2.1 TCP_TUNNEL/200 6256 CONNECT www.example.com:443 - HIER_DIRECT/198.51.100.4 -",
        "-15968000 899000 192.0.2.1|CONNECT www.example.com:443|200|- 6256 -|16867000",
    );
    check(
        "squid",
        "1795413191.899      3 192.0.2.1 TCP_MISS_ABORTED/000 0 GET http://www.example.com/ - NONE/- text/html [a: b] [c: d]",
        "896000 899000 192.0.2.1|GET http://www.example.com/|0|- 0 -|3000 extra",
    );
}

#[test]
fn clouds() {
    let alb = r#"https 2026-11-23T05:53:11.123456Z app/lb/50dc6c 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/8" ECDHE-RSA TLSv1.2 arn:aws:tg/1 "Root=1-58" "www.example.com" "arn:aws:cert/1" 1 2026-11-23T05:53:10.364000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-""#;
    check("aws_alb", alb, "123456 123456 192.0.2.1|GET https://www.example.com:443/|200|- 57 0|-");
    check(
        "aws_alb",
        &format!("{alb} TID_123"),
        "123456 123456 192.0.2.1|GET https://www.example.com:443/|200|- 57 0|- extra",
    );
    check(
        "aws_alb_short",
        r#"http 2026-11-23T05:53:11Z app/lb/50dc6c 192.0.2.1:2817 - -1 -1 -1 400 - 0 288 "- http://www.example.com:80- " "-" - - - "-""#,
        "0 0 192.0.2.1|- -|400|- 288 0|-",
    );
    check(
        "aws_elb",
        r#"2026-11-23T05:53:11.000001Z lb 192.0.2.1:2817 10.0.0.1:80 0.000086 0.001048 0.001337 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/8 (x)" DHE TLSv1.2"#,
        "1 1 192.0.2.1|GET https://www.example.com:443/|200|57 - 0|-",
    );
    check(
        "aws_elb_short",
        r#"2026-11-23T05:53:11Z lb 192.0.2.1:2817 - 0.001 0.000028 0.000041 - - 82 305 "- - - ""#,
        "0 0 192.0.2.1|- -|-|305 - 82|-",
    );
    check(
        "s3",
        r#"79a5 bucket [23/Nov/2026:05:53:11 +0000] 192.0.2.3 - 3E57 REST.GET.OBJECT a.html "GET /a.html HTTP/1.1" 304 - - 1718 10 - "-" "Mozilla/5.0" - host SigV2"#,
        "0 10000 192.0.2.3|GET /a.html|304|- - -|10000 extra",
    );
    check(
        "aliyun_cdn",
        r#"[3/Nov/2026:13:53:11 +0800] 192.0.2.1 - 1542 "-" "GET http://www.example.com/index.html" 200 191 2830 MISS "Mozilla/5.0" "text/html""#,
        "-1728001542000 -1728000000000 192.0.2.1|GET http://www.example.com/index.html|200|2830 - 191|1542000",
    );
    check(
        "tencent_cdn",
        r#"20261123135311 192.0.2.1 www.example.com /a.apk 2830 22 2 200 NULL 12 "curl/8 x" "-" GET HTTP/1.1 hit 51234"#,
        "0 12000 192.0.2.1|GET /a.apk|200|- 2830 -|12000",
    );
    check(
        "huawei_cdn",
        r#"[23/Nov/2026:13:53:11 +0800] 192.0.2.1 1 "-" "HTTP/1.1" "GET" "www.example.com" "/a.apk" 206 720 HIT "curl/8" "bytes=-256""#,
        "-1000 0 192.0.2.1|GET /a.apk|206|720 - -|1000",
    );
    check(
        "azure_cdn",
        r#"192.0.2.1,11/23/2026 5:53:11 AM +00:00,GET,"/p,q",HTTP/1.1,200,48721,"ref","ua (x, y)",7,HIT,198.51.100.1"#,
        "-7000 0 192.0.2.1|GET /p,q|200|48721 - -|7000",
    );
}

#[test]
fn servers() {
    check(
        "varnishncsa",
        r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET http://www.example.com/ HTTP/1.1" 200 6 "-" "a \"b\"""#,
        "0 0 192.0.2.1|GET http://www.example.com/|200|6 - -|-",
    );
    check(
        "lighttpd",
        r#"192.0.2.1 www.example.com - [23/Nov/2026:05:53:11 +0000] "  " 400 345 "-" "\xFF""#,
        "0 0 192.0.2.1|- -|400|345 - -|-",
    );
    check(
        "jetty",
        r#"192.0.2.1 -  -  [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "-"  8"#,
        "0 8000 192.0.2.1|GET /|200|6 - -|8000",
    );
    let uwsgi = "[pid: 88185|app: 0|req: 1/1] 192.0.2.1 () {38 vars in 696 bytes} [Mon Nov 23 05:53:11 2026] POST /u => \
                 generated 47 bytes in 129 msecs (HTTP/1.1 200) 9 headers in 378 bytes (1 switches on core 3)";
    check("uwsgi", uwsgi, "0 129000 192.0.2.1|POST /u|200|47 - -|129000 zoneless extra");
    check(
        "uwsgi_micros",
        &uwsgi.replace("129 msecs", "68 micros"),
        "0 68 192.0.2.1|POST /u|200|47 - -|68 zoneless extra",
    );
}

/// What the lines of a W3C log are, each by the header above it.
fn w3c_lines(text: &str) -> Vec<String> {
    let mut layout = None;
    let mut found = Vec::new();
    let mut header = String::new();
    for line in text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with('#') {
            header.push_str(line);
            header.push('\n');
            layout = w3c::layout_of_header(header.as_bytes()).ok().or(layout);
        } else if let Some(layout) = &layout {
            found.push(shown(&layout.format, line));
        }
    }
    found
}

#[test]
fn w3c_logs() {
    let iis = "\u{feff}#Software: Microsoft Internet Information Services 10.0\r\n\
               #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) sc-status time-taken\r\n\
               2026-11-23 05:53:11 10.0.0.1 GET /a b=1 192.0.2.1 Mozilla/5.0+(X11) 200 15\r\n\
               #Fields: date time c-ip cs-method cs-uri-stem sc-status sc-bytes time-taken X-Forwarded-For\r\n\
               2026-11-23 05:53:12 192.0.2.2 GET \"/b c\" 404 1234 7 203.0.113.1:33453,+10.0.0.1:4\r\n\
               2026-11-23 05:53:12 192.0.2.2 GET /b 404 1,234 7 -\r\n\
               2026-11-23 05:53:12 192.0.2.2 GET /b\r\n";
    assert_eq!(
        w3c_lines(iis),
        [
            "-15000 0 192.0.2.1|GET /a?b=1|200|- - -|15000",
            "993000 1000000 192.0.2.2|GET /b c|404|- 1234 -|7000",
            "bytes at 41",
            "format at 36",
        ]
    );
    let cloudfront = "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs-uri-stem sc-status time-taken\n\
                      2026-11-23\t05:53:11\tIAD53\t224281\t192.0.2.1\tGET\t/a%2520b\t000\t0.036\n";
    assert_eq!(w3c_lines(cloudfront), ["-36000 0 192.0.2.1|GET /a b|0|- 224281 -|36000"]);
    let local =
        "#Fields: date-local  time-local  c-ip  TimeTakenMS\n2026-11-23 05:53:11.363 \"192.0.2.1\" 109\n";
    assert_eq!(w3c_lines(local), ["254000 363000 192.0.2.1|- -|-|- - -|109000 zoneless"]);
}

/// The corpora, if they are there.
fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("BANDWHO_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"), PathBuf::from);
    root.is_dir().then_some(root)
}

fn lines(root: &Path, file: &str) -> Vec<String> {
    let bytes = std::fs::read(root.join(file)).expect(file);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// The reasons of the lines in order, runs counted: `2 ok, 1 time, 3 ok`.
fn verdicts(format: &Format, lines: &[String]) -> String {
    let layout = Layout::compile(format).expect("compiles");
    let mut parser = Parser::new(&layout, Wanted::ALL, &[]);
    let verdicts: Vec<&str> = lines
        .iter()
        .map(|line| match parser.parse(line.as_bytes(), &mut Record::default()) {
            Ok(()) => "ok",
            Err(reject) => reject.reason.name(),
        })
        .collect();
    let runs = verdicts.chunk_by(|a, b| a == b).map(|run| format!("{} {}", run.len(), run[0]));
    runs.collect::<Vec<_>>().join(", ")
}

/// Without its syslog header a line begins after `]: `.
fn unwrapped(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .map(|line| line.split_once("]: ").map_or(line.clone(), |(_, rest)| rest.to_owned()))
        .collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "why nothing was compared is worth a line")]
fn torture_lines_have_the_verdicts_they_deserve() {
    let Some(root) = corpora() else { return println!("skipped: there are no corpora") };
    let check = |format: Format, file: &str, expected: &str| {
        assert_eq!(verdicts(&format, &lines(&root, &format!("torture/{file}"))), expected, "{file}");
    };
    let text = |text: &str| Format::parse(text).expect(text);
    let combined = || presets::named("combined").expect("a preset");
    let any_time =
        neighbours::format("any", Escape::Nginx, r#"$client [$time] "$request" $status $bytes_body"#);
    check(any_time.expect("valid"), "fractions.log", "14 ok");
    check(
        text(
            r#"$remote_addr [$time_local] "$request" $status $body_bytes_sent $request_time $upstream_response_time"#,
        ),
        "numbers.log",
        "4 ok, 1 duration, 1 bytes-range, 2 bytes, 3 duration, 1 ok, 1 status, 1 ok",
    );
    check(combined(), "odd_times.log", "2 ok, 3 time, 4 ok, 1 time, 4 ok");
    check(combined(), "locale_months.log", "15 ok");
    let apache = r#"%h %l %u [%{%d/%b/%Y:%H:%M:%S %z}t] "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#;
    check(text(apache), "locale_months.log", "15 ok");
    check(combined(), "addresses.log", "25 ok");
    check(combined(), "request_shapes.log", "26 ok");
    let w3c = w3c_lines(&lines(&root, "torture/w3c_fields_change.log").join("\n"));
    assert_eq!(w3c.len(), 2);
    assert!(w3c.iter().all(|line| line.contains("|GET /")), "{w3c:?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "what was read is worth a line")]
fn corpus_lines_of_the_neighbours_are_read() {
    let Some(root) = corpora() else { return println!("skipped: there are no corpora") };
    let check = |name: &str, source: &str, lines: &[String], expected: usize| {
        let layout = Layout::compile(&presets::named(name).expect(name)).expect(name);
        let mut parser = Parser::new(&layout, Wanted::ALL, &[]);
        let accepted =
            lines.iter().filter(|line| parser.parse(line.as_bytes(), &mut Record::default()).is_ok()).count();
        println!("{name:30} {accepted:4} / {:4}  {source}", lines.len());
        assert_eq!(accepted, expected, "{name} {source}");
    };
    let nginx = |file: &str| lines(&root, &format!("oracle-nginx-1.22.1/{file}"));
    check("upstream_time", "oracle", &nginx("upstream_time.log"), 725);
    check("nginx_proxy_manager_standard", "oracle", &nginx("npm_standard.log"), 725);
    check("stream", "oracle", &nginx("stream_basic.log"), 4);
    check("stream_proxy", "oracle", &nginx("stream_proxy.log"), 4);
    check("ingress_nginx", "elastic", &lines(&root, "elastic/nginx-ingress-controller-subset.log"), 9);
    check("lighttpd", "oracle", &lines(&root, "oracle-others/lighttpd_default.log"), 9);
    let haproxy = unwrapped(lines(&root, "oracle-others/haproxy_syslog.log"));
    check("haproxy_http", "oracle", &haproxy[..10], 10);
    check("haproxy_clf", "oracle", &haproxy[10..20], 10);
    check("haproxy_tcp", "oracle", &haproxy[20..], 1);
    let haproxy = unwrapped(lines(&root, "lnav/logfile_haproxy.0"));
    check("haproxy_http", "lnav", &haproxy, haproxy.iter().filter(|line| line.contains('"')).count());
    let uwsgi = lines(&root, "lnav/logfile_uwsgi.0");
    let micros = uwsgi.iter().filter(|line| line.contains(" micros ")).count();
    check("uwsgi", "lnav", &uwsgi, uwsgi.len() - micros);
    check("uwsgi_micros", "lnav", &uwsgi, micros);
    for (name, pattern) in [
        ("haproxy_http", "HAPROXYHTTP"),
        ("haproxy_tcp", "HAPROXYTCP"),
        ("aws_elb_short", "ELB_ACCESS_LOG"),
        ("squid", "SQUID3"),
        ("s3", "S3_ACCESS_LOG"),
    ] {
        let cases = lines(&root, "logstash-patterns-core/cases.jsonl");
        let cases: Vec<serde_json::Value> =
            cases.iter().map(|case| serde_json::from_str(case).expect("JSON")).collect();
        let of = |case: &&serde_json::Value| {
            case["pattern"].as_str().is_some_and(|name| name.to_ascii_uppercase().starts_with(pattern))
        };
        let logged = cases.iter().filter(of).map(|case| case["line"].as_str().expect("a line").to_owned());
        // One case is cut in the corpus: its source joins two strings.
        let logged = unwrapped(logged.filter(|line| !line.ends_with("+0000] ")).collect());
        check(name, "logstash", &logged, logged.len());
    }
    for file in ["0", "1", "2", "3", "4", "5", "6", "big.0"] {
        let file = format!("lnav/logfile_w3c{}{file}", if file == "big.0" { "_" } else { "." });
        let found = w3c_lines(&lines(&root, &file).join("\n"));
        let accepted = found.iter().filter(|line| line.contains('|')).count();
        println!("w3c                            {accepted:4} / {:4}  {file}", found.len());
        assert!(accepted > 0 && accepted == found.len(), "{file}: {found:#?}");
    }
}
