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
    check(&[with(" 0.123 -"), with(" 0.001 0.001, 0.002 : 0.100")], "combined_rt_urt");
    check(&[with(" 0.123 - 10.1.0.7")], "combined+rt+urt+server_addr");
    check(&[with(" 1234")], "combined_d");
    check(&[with(" 213 1234")], "combinedio");
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

/// A name is found in spite of a stray line, and all the lines that have the format keep it.
fn check_stray(rows: usize, tail: &str, stray: &str, expected: &str) {
    let mut lines: Vec<String> = (0..rows).map(|_| with(tail)).collect();
    lines.insert(rows / 2, with(stray));
    check(&lines, expected);
}

#[test]
fn one_stray_value_retypes_no_column() {
    for stray in
        [" \"unknown\"", " \"1.2.3.4:5123\"", " \"[2001:db8::1]:443, -\"", " \"for=192.0.2.43\"", " \"x\""]
    {
        check_stray(1_000, " \"203.0.113.7\"", stray, "main");
        check_stray(20, " \"203.0.113.7\"", stray, "main");
    }
    for stray in [" -", " 0.25", " x", " 250", " 0.100, 0.150"] {
        check_stray(1_000, " 0.250", stray, "combined_rt");
        check_stray(20, " 0.250", stray, "combined_rt");
    }
    check_stray(1_000, " 250113", " -", "combined_d");
    check_stray(1_000, " 250113", " x", "combined_d");
    check_stray(1_000, " 213 1843", " - -", "combinedio");
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
        let lines = groups.iter().flat_map(|&(tail, count)| vec![with(tail); count]);
        let expected: Vec<(String, usize)> =
            expected.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        assert_eq!(counted(&lines.collect::<Vec<_>>()), expected, "{groups:?}");
    };
    check(&[(" 0.250", 1_000), (" 250113", 300)], &[("combined_d", 300), ("combined_rt", 1_000)]);
    check(&[(" 0.250", 100), (" \"-\"", 20)], &[("combined_rt", 100), ("main", 20)]);
    check(&[("", 60), (" 0.250", 40)], &[("combined", 60), ("combined_rt", 40)]);
    check(&[("", 600), (" 0.250", 4)], &[("combined", 604)]);
    check(&[(" x", 20), (" 250113", 20)], &[("combined+1", 40)]);
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
