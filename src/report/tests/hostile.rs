//! The properties that hold whatever a stranger writes into a log.

use proptest::prelude::*;
use serde_json::Value;

use super::super::*;
use super::{plain, sample, written};

/// What strangers send, in any order.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces: [&[u8]; 40] = [
        b"\x1b[31m",
        b"\x1b]8;;http://x\x1b\\y",
        b"\x9b2J",
        "\u{9b}2J".as_bytes(),
        b"\x07",
        b"\0",
        b"\n",
        b"\r",
        b"\t",
        b"\x7f",
        "\u{202e}".as_bytes(),
        "\u{200b}".as_bytes(),
        "\u{2028}".as_bytes(),
        "\u{feff}".as_bytes(),
        "\u{e0041}".as_bytes(),
        b"=cmd()",
        b"+",
        b"-",
        b"@",
        "＝".as_bytes(),
        b" ",
        b"\"",
        b"'",
        b",",
        b";",
        b"|",
        b"\\",
        b"`",
        b"```",
        b"<script>",
        b"![x](http://y)",
        b"https://z",
        b"#1",
        b"~*_",
        b"\xff\xc3",
        "北京".as_bytes(),
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}".as_bytes(),
        "👩🏽\u{200d}🚀\u{fe0f}".as_bytes(),
        "\u{3000}".as_bytes(),
        b"https://a-very-long-path-of-a-very-long-video-that-nobody-will-ever-watch/segment.ts",
    ];
    let piece = proptest::sample::select(pieces.to_vec());
    prop_oneof![
        4 => proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

/// The sample with a stranger's text in every place.
fn poisoned(texts: &[Vec<u8>]) -> Report {
    let mut texts = texts.iter().cycle().cloned();
    let mut next = || texts.next().expect("a cycle of at least one has no end");
    let mut string = || String::from_utf8_lossy(&next()).into_owned();
    let mut report = sample();
    report.input.ip_db[0].name = string();
    report.input.ip_db[0].date = Some(string());
    report.input.formats[0].name = string();
    report.input.formats[0].text = string();
    report.input.tz = string();
    report.tables[0].title = string();
    report.tables[0].columns[0].name = string();
    report.tables[0].columns[2].name = string();
    let first = report.input.rejects[0].first.as_mut().expect("the sample has one");
    first.file = string();
    first.text = next();
    report.input.servers.as_mut().expect("the sample has them").unmatched[0].0 = next();
    report.facts[2].value = Cell::Text(next());
    // A command is not broken where the terminal ends: those here are short.
    let typed: String = String::from_utf8_lossy(&next()).chars().take(20).collect();
    let command = shell::line(["bandwho", &typed]);
    let suggestion = |command| Suggestion { command, why: "why".to_owned() };
    report.summary = Some(Summary {
        headline: vec![
            Words::Own("top client ".to_owned()),
            Words::Log(next()),
            Words::Own(" <0.1 %".to_owned()),
        ],
        chart: None,
        next: command.map(suggestion).into_iter().collect(),
    });
    for row in &mut report.tables[0].rows {
        row[0] = Cell::Text(next());
        row[5] = Cell::Text(next());
    }
    report
}

fn assert_visible(text: &str) {
    let hidden = text.chars().find(|&c| c != '\n' && (c.is_control() || escape::is_hidden(c)));
    assert_eq!(hidden, None, "{text:?}");
}

/// Pipes that end a cell for a reader that knows backslashes.
fn pipes(line: &str) -> usize {
    let mut escaped = false;
    line.chars()
        .filter(|&c| {
            let counts = c == '|' && !escaped;
            escaped = c == '\\' && !escaped;
            counts
        })
        .count()
}

fn columns_of(line: &str) -> usize {
    use unicode_width::UnicodeWidthChar as _;
    line.chars().map(|c| c.width().unwrap_or(0)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn terminals_are_safe_and_not_overrun(texts in proptest::collection::vec(hostile(), 1..17)) {
        let report = poisoned(&texts);
        let text = written(&report, plain(80));
        assert_visible(&text);
        let lines = text.lines().count();
        for line in text.lines() {
            prop_assert!(columns_of(line) <= 80, "{line:?}");
            prop_assert_eq!(line, line.trim_end());
        }
        let painted = written(&report, Output::Table(Style { width: 80, colour: Colour::Always, glyphs: Glyphs::Blocks }));
        prop_assert_eq!(painted.lines().count(), lines);
        let unpainted = ["\x1b[0m", "\x1b[1m", "\x1b[2m"].iter().fold(painted, |text, sgr| text.replace(sgr, ""));
        prop_assert_eq!(unpainted, text);
        assert_visible(&written(&report, plain(usize::MAX)));
        written(&report, plain(0));
    }

    #[test]
    fn json_parses_back(texts in proptest::collection::vec(hostile(), 1..17)) {
        let report = poisoned(&texts);
        let text = written(&report, Output::Json);
        assert_visible(&text);
        let value: Value = serde_json::from_str(&text).unwrap();
        let name = &report.tables[0].columns[0].name;
        // Two columns of one name are not the writer's affair.
        if report.tables[0].columns.iter().filter(|column| column.name == *name).count() == 1 {
            for (row, cells) in value["rows"].as_array().unwrap().iter().zip(&report.tables[0].rows) {
                let Cell::Text(bytes) = &cells[0] else { panic!("a key") };
                prop_assert_eq!(row[name].as_str().unwrap(), escape::json(bytes));
            }
        }
        let lines = written(&report, Output::Ndjson);
        assert_visible(&lines);
        prop_assert_eq!(lines.lines().count(), 5);
        for line in lines.lines() {
            prop_assert!(serde_json::from_str::<Value>(line).unwrap()["kind"].is_string());
        }
    }

    #[test]
    fn csv_parses_back_and_computes_nothing(texts in proptest::collection::vec(hostile(), 1..17)) {
        let report = poisoned(&texts);
        for formulas in [Formulas::Neutralised, Formulas::Raw] {
            let text = written(&report, Output::Csv(formulas));
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let records: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(records.len(), 5);
            for (record, cells) in records[1..].iter().zip(&report.tables[0].rows) {
                for index in [0, 5] {
                    let Cell::Text(bytes) = &cells[index] else { panic!("text") };
                    prop_assert_eq!(&record[index + 1], escape::csv_cell(bytes, formulas));
                }
            }
            if formulas == Formulas::Neutralised {
                assert_visible(&text);
                for field in records.iter().flatten() {
                    let formula = field.trim().starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
                    prop_assert!(!formula || field == "-" || field.parse::<f64>().is_ok(), "{field:?}");
                }
            }
            prop_assert!(!text.contains('\0'));
        }
    }

    #[test]
    fn markdown_stays_a_table(texts in proptest::collection::vec(hostile(), 1..17)) {
        let text = written(&poisoned(&texts), Output::Markdown);
        assert_visible(&text);
        let table: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
        prop_assert_eq!(table.len(), 6);
        for line in &table {
            prop_assert_eq!(pipes(line), 7, "{}", line);
            // Nor for a reader that knows no backslashes.
            prop_assert_eq!(line.matches('|').count(), 7, "{}", line);
        }
        // A command is code by a fence, which only a line of backticks ends.
        let mut fenced = false;
        for line in text.lines() {
            if line.starts_with("```") && line.trim_start_matches('`').chars().all(|c| c.is_ascii_lowercase()) {
                fenced = !fenced;
            }
            let outside = if fenced { String::new() } else { outside_code(line) };
            for threat in ["<", "http", "@", "](", "#1", "*_"] {
                prop_assert!(!outside.replace("\\<", "").contains(threat), "{threat} in {outside:?} of {line:?}");
            }
        }
        prop_assert!(!fenced);
    }
}

/// What a Markdown reader sees as text: code spans are found as `CommonMark` says, by runs of equal length.
fn outside_code(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        outside += &rest[..start];
        let fence = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let mut inside = &rest[start + fence..];
        loop {
            let Some(end) = inside.find('`') else { return outside + rest };
            let run = inside[end..].len() - inside[end..].trim_start_matches('`').len();
            inside = &inside[end + run..];
            if run == fence {
                break;
            }
        }
        rest = inside;
    }
    outside + rest
}
