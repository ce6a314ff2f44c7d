//! Decoded paths, which may hold blanks, directly before their queries.

use super::super::{Parser, Record, Wanted, naive};
use crate::format::{Format, Layout};

/// The target that is read from a line, by both twins.
fn check(format: &str, line: &str, expected: &str) {
    let layout = Layout::compile(&Format::parse(format).expect(format)).expect(format);
    let mut record = Record::default();
    let read = Parser::new(&layout, Wanted::ALL, &[]).parse(line.as_bytes(), &mut record);
    assert_eq!(read, Ok(()), "{format}: {line}");
    let slow = naive::parse(&layout, line.as_bytes()).expect(line);
    for record in [record, slow] {
        let target = record.full_target().unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(&target), expected, "{format}: {line}");
    }
}

#[test]
fn a_question_mark_is_shown_only_if_it_was_logged() {
    let quoted = r#"%h "%m %U%q %H" %>s"#;
    for (target, expected) in [
        ("/a", "/a"),
        ("/a?x=1", "/a?x=1"),
        ("/a b", "/a b"),
        ("/a b?x=1", "/a b?x=1"),
        ("/a b c?x=1", "/a b c?x=1"),
        ("/a b?x=1&y=2?3", "/a b?x=1&y=2?3"),
        ("/a ?", "/a ?"),
    ] {
        check(quoted, &format!(r#"192.0.2.1 "GET {target} HTTP/1.1" 200"#), expected);
        check("%>s %U%q", &format!("200 {target}"), expected);
        check("%U%q %>s", &format!("{target} 200"), expected);
        check(r#""%U%q" %>s"#, &format!("\"{target}\" 200"), expected);
        check("$uri$is_args$args $status", &format!("{target} 200"), expected.trim_end_matches('?'));
        check("$status $uri$is_args$args", &format!("200 {target}"), expected.trim_end_matches('?'));
    }
    check("$host$uri$is_args$args $status", "www.example.com/a b?c=1 200", "/a b?c=1");
    check("%U %q %>s", "/a ?x=1 200", "/a?x=1");
    check("$uri $args $status", "/a x=1 200", "/a?x=1");
}
