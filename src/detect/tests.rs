use proptest::prelude::*;

use super::*;

const COMBINED: &str =
    r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0100] "GET / HTTP/1.1" 200 6 "-" "curl/8 (x; y)""#;

fn check(lines: &[String], expected: &str) {
    let found = detect(lines.join("\n").as_bytes());
    let read = found.candidates.iter().filter(|candidate| candidate.accepted > 0);
    let shown: Vec<&str> = read.map(|candidate| candidate.layout.format.name.as_str()).collect();
    assert_eq!(shown.join(" "), expected, "{} lines, the last: {:?}", lines.len(), lines.last());
}

fn with(tail: &str) -> String {
    format!("{COMBINED}{tail}")
}

#[test]
fn beginnings_and_appended_columns_are_told_apart() {
    check(&[with("")], "combined");
    check(&[with(" \"-\""), with(" \"192.0.2.7, 10.0.0.1\"")], "main");
    check(&[with(" 0.123")], "combined_rt");
    check(&[with(" 0.123 -"), with(" 0.103 0.001, 0.002 : 0.100")], "combined_rt_urt");
    check(&[with(" 0.123 - 10.1.0.7")], "combined+rt+urt+server_addr");
    check(&[with(" 250113")], "combined_d");
    check(&[with(" 213 1234")], "combined+1+2");
    check(&[with(" \"-\" 0.123")], "combined+xff+rt");
    check(&[with(" what \"is this\"")], "combined+1+2");
    check(
        &[r#"a.example:80 192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "x""#.into()],
        "vhost_combined",
    );
    check(&[r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6"#.into()], "common");
    check(&["2026/11/23 05:53:11 [error] 7#7: *1 open() failed".into()], "");
    check(&[], "");
}

#[test]
fn a_line_of_countless_columns_names_none_of_them() {
    let names: Vec<String> = (1..=64).map(|number| number.to_string()).collect();
    check(&[with(&" x".repeat(64))], &format!("combined+{}", names.join("+")));
    check(&[with(&" x".repeat(65))], "combined");
    check(&[with(&" x".repeat(70_000))], "combined");
}

#[test]
fn one_odd_first_line_decides_nothing() {
    let mut lines = vec!["garbage".to_owned(), with("")];
    lines.extend((0..50).map(|_| with(" 0.250")));
    check(&lines, "combined_rt combined");
}

#[test]
fn lines_of_several_formats_are_told_apart() {
    let vhost = format!("a.example:80 {COMBINED}");
    let mut lines: Vec<String> = (0..40).map(|_| with("")).collect();
    lines.extend((0..60).map(|_| with(" 0.250")));
    check(&lines, "combined_rt combined");
    lines.extend((0..70).map(|_| vhost.clone()));
    lines.extend((0..10).map(|_| "2026/11/23 05:53:11 [error] 7#7: *1 open() failed".to_owned()));
    check(&lines, "vhost_combined combined_rt combined");
}

#[test]
fn the_first_record_tells_its_offset() {
    let found = detect(format!("garbage\n{COMBINED}\n").as_bytes());
    assert_eq!((found.candidates[0].accepted, found.offset), (1, Some(3600)));
}

#[test]
fn the_nearest_format_says_where_it_stops() {
    let line = COMBINED.replace("200", "2x0");
    let nearest = nearest(format!("\n{line}").as_bytes()).expect("a line");
    assert_eq!((nearest.layout.format.name.as_str(), nearest.line), ("combined", 2));
    assert_eq!(&nearest.text[nearest.reject.column..nearest.reject.column + 3], b"2x0");
}

/// Line number `nth` of a server that appends these columns: what is measured is never the same. `#` stands for a
/// number of its own, `BODY` for the bytes of the body.
fn served(nth: usize, tail: &str) -> String {
    let body = nth * 977 % 50_000;
    let tail = tail.replace("BODY", &body.to_string()).replace('#', &(nth * 7_919 % 1_000).to_string());
    let tail = tail.replace("WIRE", &(body + 230 + nth % 9).to_string());
    with(&tail).replace(" 200 6 ", &format!(" 200 {body} "))
}

fn served_lines(count: usize, tail: &str) -> Vec<String> {
    (0..count).map(|nth| served(nth, tail)).collect()
}

/// A name is found in spite of a stray line, and all the lines that have the format keep it.
fn check_stray(rows: usize, tail: &str, stray: &str, expected: &str) {
    let mut lines = served_lines(rows, tail);
    lines.insert(rows / 2, with(stray));
    check(&lines, expected);
}

#[test]
fn one_stray_value_retypes_no_column() {
    for stray in
        [" \"unknown\"", " \"1.2.3.4:5123\"", " \"[2001:db8::1]:443, -\"", " \"for=192.0.2.43\"", " \"x\""]
    {
        check_stray(1_000, " \"2001:db8::#\"", stray, "main");
        check_stray(20, " \"2001:db8::#\"", stray, "main");
    }
    for stray in [" -", " 0.25", " x", " 250", " 0.100, 0.150"] {
        check_stray(1_000, " 0.250", stray, "combined_rt");
        check_stray(20, " 0.250", stray, "combined_rt");
    }
    check_stray(1_000, " #250113", " -", "combined_d");
    check_stray(1_000, " #250113", " x", "combined_d");
    check_stray(1_000, " 3# WIRE", " - -", "combinedio");
    check_stray(1_000, " 0.250 0.249", " - -", "combined_rt_urt");
}

#[test]
fn addresses_with_ports_throughout_are_no_clients() {
    check(&vec![with(" \"192.0.2.77:8080\""); 20], "combined+1");
}

#[test]
fn tries_upstream_are_told_from_the_requests_time() {
    let mut lines = vec![with(" 0.250"); 97];
    lines.extend([with(" -"), with(" 0.100, 0.150"), with(" 0.100")]);
    check(&lines, "combined+urt");
    let mut lines = vec![with(" 0.250 0.250"); 97];
    lines.extend([with(" - 0.001"), with(" 0.100, 0.150 0.251"), with(" - 0.000")]);
    check(&lines, "combined+urt+rt");
}

/// Names of the formats and how many lines each is the first to read.
fn counted(lines: &[String]) -> Vec<(String, usize)> {
    let found = detect(lines.join("\n").as_bytes()).candidates;
    let found = found.into_iter().filter(|candidate| candidate.accepted > 0);
    found.map(|candidate| (candidate.layout.format.name, candidate.accepted)).collect()
}

#[test]
fn columns_that_hold_two_things_are_two_formats() {
    let check = |groups: &[(&str, usize)], expected: &[(&str, usize)]| {
        let lines = groups.iter().flat_map(|&(tail, count)| served_lines(count, tail));
        let expected: Vec<(String, usize)> =
            expected.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        assert_eq!(counted(&lines.collect::<Vec<_>>()), expected, "{groups:?}");
    };
    check(&[(" 0.250", 1_000), (" #250113", 300)], &[("combined_d", 300), ("combined_rt", 1_000)]);
    check(&[(" 0.250", 100), (" \"-\"", 20)], &[("combined_rt", 100), ("main", 20)]);
    check(&[("", 60), (" 0.250", 40)], &[("combined", 60), ("combined_rt", 40)]);
    check(&[("", 600), (" 0.250", 4)], &[("combined", 604)]);
    check(&[(" x", 20), (" #250113", 20)], &[("combined+1", 40)]);
    let upstream = r#" rt=0.001 uct="0.000" uht="0.001" urt="0.001""#;
    check(&[("", 60), (upstream, 40)], &[("combined", 60), ("upstream_time", 40)]);
}

const JSON: &str = r#"{"time_iso8601":"2026-11-23T05:53:11+00:00","remote_addr":"192.0.2.1","request":"GET / HTTP/1.1","status":"200","body_bytes_sent":"6"}"#;

#[test]
fn lines_that_name_their_values_are_found_among_others() {
    let message = |nth: usize| format!(r#"{{"level":"info","time":"12:00","msg":"tick {nth}"}}"#);
    let error = "2026/11/23 05:53:11 [error] 7#7: *1 open() failed".to_owned();
    let mut lines = vec![JSON.to_owned(); 100];
    lines.extend((0..120).map(message));
    check(&lines, "nginx_json");
    let lines =
        [vec![with(""); 60], vec![JSON.to_owned(); 60], vec![error; 70], vec!["noise".to_owned(); 10]];
    check(&lines.concat(), "nginx_json combined");
}

#[test]
fn records_in_parts_are_put_together_before_they_are_looked_at() {
    let json = JSON.replace("GET /", &format!("GET /{}", "a".repeat(20_000)));
    let docker = |part: &str| {
        serde_json::json!({"log": part, "stream": "stdout", "time": "2026-11-23T05:53:12Z"}).to_string()
    };
    let parts = [docker(&json[..16 << 10]), docker(&format!("{}\n", &json[16 << 10..]))];
    check(&parts.into_iter().cycle().take(20).collect::<Vec<_>>(), "nginx_json");
    let line = with("");
    let cri = |flag: &str, part: &str| format!("2026-11-23T05:53:12.1Z stdout {flag} {part}");
    check(&[cri("P", &line[..50]), cri("F", &line[50..])], "combined");
}

#[test]
fn later_text_is_looked_at_for_what_is_new() {
    let text = |lines: &[String]| lines.join("\n").into_bytes();
    let head = detect(&text(&vec![with(""); 10])).layouts();
    let check = |lines: &[String], expected: &[&str]| {
        let found = detect_later(&[], &head, &Wrappers::default(), &text(lines));
        let names: Vec<&str> = found.iter().map(|layout| layout.format.name.as_str()).collect();
        assert_eq!(names, expected);
    };
    check(&vec![with(""); 9], &[]);
    check(&[with(""), "garbage".to_owned()], &[]);
    check(&[with(""), JSON.to_owned()], &["nginx_json"]);
    check(&[vec![with(""); 9], vec![with(" 0.250"); 5]].concat(), &["combined_rt"]);
    check(&[vec![with(""); 9], vec![with(" 0.250"); 4]].concat(), &[]);
}

/// One line of each of some formats.
const FORMATS: [&str; 5] = [
    r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "curl/8" rt=0.001 uct="0.000" uht="0.001" urt="0.001""#,
    r#"[23/Nov/2026:05:53:11 +0000] 200 - GET https a.example "/" [Client 192.0.2.1] [Length 6] [Gzip -] "curl/8" "-""#,
    "192.0.2.1|2026-11-23T05:53:11+00:00|GET|/a?b|200|512|0.004",
    "time:23/Nov/2026:05:53:11 +0000\thost:192.0.2.1\treq:GET / HTTP/1.1\tstatus:200\tsize:6",
    JSON,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Lines that no format reads cost no record of any other.
    #[test]
    fn noise_never_lowers_what_is_accepted(
        counts in prop::collection::vec(prop_oneof![
            Just(0_usize), 5..60_usize], 5),
        noise in prop::collection::vec("[a-z]{1,6}( [a-z0-9]{1,6}){0,6}", 0..200),
        seed in 0..1_000_usize,
    ) {
        let mut lines: Vec<String> = Vec::new();
        for (line, &count) in FORMATS.iter().zip(&counts) {
            lines.extend(vec![(*line).to_owned(); count]);
        }
        let alone: usize = counted(&lines).iter().map(|(_, count)| count).sum();
        prop_assert_eq!(alone, lines.len());
        for (nth, noise) in noise.into_iter().enumerate() {
            lines.insert((seed * 31 + nth * 7_919) % (lines.len() + 1), noise);
        }
        let among: usize = counted(&lines).iter().map(|(_, count)| count).sum();
        prop_assert!(among >= alone, "{among} of {alone}");
    }
}

#[test]
fn appended_numbers_are_what_they_can_be_shown_to_be() {
    let check = |tail: &str, expected: &str| check(&served_lines(40, tail), expected);
    // Sent and received, in any order, in either server's words.
    check(" 3# WIRE", "combinedio");
    check(" WIRE 3#", "combined+o+i");
    check(" #50113 3# WIRE", "combined+d+i+o");
    check(" WIRE 0.12#", "combined+o+rt");
    check(" WIRE", "combined+o");
    // $connection $connection_requests, %O %I of another request, pid and time taken, port and time taken.
    check(" 881234 3", "combined+1+2");
    check(" 3# 300", "combined+1+2");
    check(" 4711 #50113", "combined+1+d");
    check(" 443 #50113", "combined+1+d");
    check(" 7200", "combined+1");
    // $request_length, milliseconds and other small numbers.
    check(" 3#", "combined+1");
    check(" #", "combined+1");
    check(" #50113", "combined_d");
    let rising = |start: usize| (0..40).map(|nth| with(&format!(" {}", start + nth * 3))).collect::<Vec<_>>();
    super::tests::check(&rising(881_234), "combined+1");
    let ports: Vec<String> =
        (0..40).map(|nth| with(&format!(" {}", 32_768 + nth * 7_919 % 28_000))).collect();
    super::tests::check(&ports, "combined+1");
}

#[test]
fn appended_times_are_told_by_each_other() {
    let check = |tail: &str, expected: &str| check(&vec![with(tail); 20], expected);
    check(" 0.100 7200.000", "combined+urt+rt");
    check(" - 7200.000", "combined+urt+rt");
    check(" 7200.000 0.100", "combined_rt_urt");
    check(" 0.250 - 0.249", "combined+rt+2+urt");
    let lines = [vec![with(" 0.100 7.000"); 15], vec![with(" - 7.000"); 5]].concat();
    super::tests::check(&lines, "combined+urt+rt");
    // Neither is always the longer.
    let lines = [vec![with(" 0.100 7.000"); 10], vec![with(" 7.000 0.100"); 10]].concat();
    super::tests::check(&lines, "combined+1+2");
    // Seconds since 1970 are no duration, and a time of the record only if they tell the same.
    check(" 1795409591.123", "combined+msec");
    check(" 1795409591.123 0.100", "combined+msec+rt");
    check(" 0.100 1795409591.123", "combined+rt+msec");
    check(" 1795000000.123", "combined+1");
}

#[test]
fn addresses_that_do_not_vary_were_not_passed_on() {
    check(&vec![with(" \"203.0.113.5\""); 20], "combined+1");
    let clients: Vec<String> = (0..100)
        .map(|nth| with(" \"10.0.0.5\"").replacen("192.0.2.1", &format!("192.0.2.{nth}"), 1))
        .collect();
    check(&clients, "combined+1");
    check(&served_lines(20, " \"2001:db8::#\""), "main");
    check(&[vec![with(" \"203.0.113.5\""); 20], vec![with(" \"-\""); 20]].concat(), "main");
    // What is always missing is nginx's `main` in its place, and nothing elsewhere.
    check(&vec![with(" \"-\""); 20], "main");
    check(&vec![with(" x \"-\""); 20], "combined+1+2");
    let common = COMBINED.split(" \"-\" ").next().unwrap();
    check(&vec![format!("{common} \"-\""); 20], "common+1");
}

#[test]
fn addresses_before_the_client_were_passed_on() {
    check(
        &vec![format!("203.0.113.9 {}", COMBINED.replace("192.0.2.1", "10.0.0.1")); 20],
        "forwarded_combined",
    );
    check(
        &vec![format!("203.0.113.9 {}", with(" 0.100").replace("192.0.2.1", "10.0.0.1")); 20],
        "forwarded_combined+rt",
    );
    check(&vec![format!("www.example.com {COMBINED}"); 20], "host_combined");
}

#[test]
fn torn_lines_are_no_format() {
    let torn = format!("{} 1", COMBINED.split(" 6 ").next().expect("the bytes"));
    let check = |lines: &[String], expected: &[(&str, usize)]| {
        let expected: Vec<(String, usize)> =
            expected.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        assert_eq!(counted(lines), expected);
    };
    check(&[with(""), torn.clone(), with("")], &[("combined", 2)]);
    check(&[vec![with(""); 100], vec![torn.clone(); 4]].concat(), &[("combined", 100)]);
    // Two servers, or a change of the configuration.
    check(&[vec![with(""); 100], vec![torn.clone(); 5]].concat(), &[("combined", 100), ("common", 5)]);
    check(&[torn.clone(), torn.clone(), torn.clone()], &[("common", 3)]);
    check(&[vec![with(" 0.250"); 100], vec![with("")]].concat(), &[("combined_rt", 100), ("combined", 1)]);
    let text = |lines: &[String]| lines.join("\n").into_bytes();
    let head = detect(&text(&vec![with(""); 10])).layouts();
    let later = |lines: &[String]| detect_later(&[], &head, &Wrappers::default(), &text(lines)).len();
    assert_eq!(later(&[with(""), torn.clone()]), 0);
    assert_eq!(later(std::slice::from_ref(&torn)), 0);
    assert_eq!(later(&vec![torn; 5]), 1);
}
