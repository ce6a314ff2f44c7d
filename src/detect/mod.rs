//! Which format is this? Decided on an input's head alone, so that a file, its .gz and a pipe agree.
//!
//! A text log is a well-known beginning plus columns that people appended to it. The beginning that matches most
//! lines wins; the columns are then typed by what stands in them (`tail`), because a fraction is nginx's
//! `$request_time` and an integer Apache's `%D`, and that decides whether the logged time is the end or the start.

mod tail;

use crate::format::{Format, Layout, presets};
use crate::input;
use crate::parse::{Parser, Record, Reject, Wanted};

/// Lines of a head that are looked at, spread evenly.
pub const SAMPLE_LINES: usize = 2_000;

/// The beginnings of all text formats, most specific first; ties go to the earlier.
const BEGINNINGS: [&str; 3] = ["combined", "vhost_combined", "common"];

/// What a head looks like.
#[derive(Debug, Clone)]
pub struct Detected {
    /// The layout that matches most lines.
    pub layout: Layout,
    /// Sampled lines.
    pub sampled: usize,
    /// Sampled lines that are records under `layout`.
    pub accepted: usize,
    /// UTC offset of the first record's time, if it has one.
    pub offset: Option<i32>,
}

/// The format that comes closest to a line that matches none.
#[derive(Debug, Clone)]
pub struct Nearest {
    /// The format.
    pub layout: Layout,
    /// The line examined, from 1.
    pub line: u64,
    /// Its bytes.
    pub text: Vec<u8>,
    /// Where and why it does not match.
    pub reject: Reject,
}

/// Finds the format of a head; `None` if no line of it matches any known format.
pub fn detect(head: &[u8]) -> Option<Detected> {
    let sample = sample(head);
    let counted = BEGINNINGS.iter().map(|name| {
        let layout = layout(&presets::named(name).expect("BEGINNINGS are presets"));
        let accepted = count(&layout, &sample);
        (layout, accepted)
    });
    // `max_by_key` keeps the last of equals; the first is wanted.
    let (beginning, accepted) = counted.rev().max_by_key(|(_, accepted)| *accepted)?;
    if accepted == 0 {
        return None;
    }
    let layout = tail::complete(&beginning, &sample).map_or(beginning, |format| layout(&format));
    Some(examine(&layout, head))
}

/// How well a given layout fits a head.
pub fn examine(layout: &Layout, head: &[u8]) -> Detected {
    let sample = sample(head);
    let accepted = count(layout, &sample);
    let mut parser = Parser::new(layout, Wanted::default(), &[]);
    let mut record = Record::default();
    let first = input::lines(head).find(|line| parser.parse(line, &mut record).is_ok());
    let offset = first.and_then(|line| record.offset.or_else(|| parser.offset(line)));
    Detected { layout: layout.clone(), sampled: sample.len(), accepted, offset }
}

/// The format that gets furthest into the first line of a head that is not blank.
pub fn nearest(head: &[u8]) -> Option<Nearest> {
    let candidates =
        BEGINNINGS.iter().map(|name| layout(&presets::named(name).expect("BEGINNINGS are presets")));
    candidates
        .filter_map(|layout| mismatch(&layout, head))
        .reduce(|best, other| if other.reject.column > best.reject.column { other } else { best })
}

/// The first line of a head that is not blank, if it does not match the layout.
pub fn mismatch(layout: &Layout, head: &[u8]) -> Option<Nearest> {
    let (line, text) = (1..).zip(input::lines(head)).find(|(_, line)| !line.trim_ascii().is_empty())?;
    let mut parser = Parser::new(layout, Wanted::default(), &[]);
    let reject = parser.parse(text, &mut Record::default()).err()?;
    Some(Nearest { layout: layout.clone(), line, text: text.to_vec(), reject })
}

fn layout(format: &Format) -> Layout {
    Layout::compile(format).expect("a detected format is built from fields that compile")
}

fn count(layout: &Layout, sample: &[&[u8]]) -> usize {
    let mut parser = Parser::new(layout, Wanted::default(), &[]);
    let mut record = Record::default();
    sample.iter().filter(|line| parser.parse(line, &mut record).is_ok()).count()
}

/// Lines that are not blank, spread evenly over the head.
fn sample(head: &[u8]) -> Vec<&[u8]> {
    let all: Vec<&[u8]> = input::lines(head).filter(|line| !line.trim_ascii().is_empty()).collect();
    let step = all.len().div_ceil(SAMPLE_LINES).max(1);
    all.into_iter().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMBINED: &str =
        r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0100] "GET / HTTP/1.1" 200 6 "-" "curl/8 (x; y)""#;

    fn check(lines: &[String], expected: &str) {
        let found = detect(lines.join("\n").as_bytes());
        let shown = found.as_ref().map_or("none", |found| found.layout.format.name.as_str());
        assert_eq!(shown, expected, "{lines:?}");
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
            &[r#"a.example:80 192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "x""#
                .into()],
            "vhost_combined",
        );
        check(&[r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6"#.into()], "common");
        check(&["2026/11/23 05:53:11 [error] 7#7: *1 open() failed".into()], "none");
        check(&[], "none");
    }

    #[test]
    fn one_odd_first_line_decides_nothing() {
        let mut lines = vec!["garbage".to_owned(), with("")];
        lines.extend((0..50).map(|_| with(" 0.250")));
        check(&lines, "combined_rt");
    }

    #[test]
    fn the_first_record_tells_its_offset() {
        let found = detect(format!("garbage\n{COMBINED}\n").as_bytes()).expect("combined");
        assert_eq!((found.sampled, found.accepted, found.offset), (2, 1, Some(3600)));
    }

    #[test]
    fn the_nearest_format_says_where_it_stops() {
        let line = COMBINED.replace("200", "2x0");
        let nearest = nearest(format!("\n{line}").as_bytes()).expect("a line");
        assert_eq!((nearest.layout.format.name.as_str(), nearest.line), ("combined", 2));
        assert_eq!(&nearest.text[nearest.reject.column..nearest.reject.column + 3], b"2x0");
    }
}
