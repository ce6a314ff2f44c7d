//! All writers on one small report, and on reports whose every text was chosen by an adversary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use serde_json::{Value, json};

use super::*;

mod hostile;

fn column(name: &str, unit: Unit) -> Column {
    Column { name: name.to_owned(), heading: "", unit, key: false, machine: false, spare: 0 }
}

fn key(name: &str, unit: Unit) -> Column {
    Column { key: true, ..column(name, unit) }
}

fn bytes(text: &str) -> Cell {
    Cell::Text(text.as_bytes().to_vec())
}

fn top() -> Table {
    Table {
        name: String::new(),
        title: String::new(),
        by: vec!["idc".to_owned(), "asn".to_owned()],
        columns: vec![
            key("idc", Unit::Text),
            key("asn", Unit::Number),
            column("requests", Unit::Count),
            column("bytes", Unit::Bytes),
            column("share", Unit::Share),
            column("peak_at", Unit::Text),
            Column { machine: true, ..column("peak_at_epoch", Unit::Number) },
        ],
        rows: vec![
            vec![
                bytes("北京|1"),
                Cell::Integer(4134),
                Cell::Integer(12_000),
                Cell::Integer(34_567),
                Cell::Share(0.411_511_9),
                Cell::Time("2026-11-01T00:00:00+08:00".to_owned()),
                Cell::Integer(1_793_462_400),
            ],
            vec![
                bytes("=sh"),
                Cell::Null,
                Cell::Integer(8),
                Cell::Integer(49_433),
                Cell::Share(0.0001),
                Cell::Null,
                Cell::Null,
            ],
        ],
        other: Some(Other {
            groups: 1_234,
            cells: vec![
                Cell::Null,
                Cell::Null,
                Cell::Integer(0),
                Cell::Integer(0),
                Cell::Share(0.0),
                Cell::Null,
                Cell::Null,
            ],
        }),
        total: Some(vec![
            Cell::Null,
            Cell::Null,
            Cell::Integer(12_008),
            Cell::Integer(i128::from(u64::MAX) * 10),
            Cell::Share(1.0),
            Cell::Null,
            Cell::Null,
        ]),
    }
}

fn sample() -> Report {
    let first = Position { file: "a.log".to_owned(), line: 4, column: 17, text: b"31/Feb/2026".to_vec() };
    Report {
        schema: "bandwho.top/1",
        input: Input {
            files: 1,
            bytes: 84_000,
            lines: 12_010,
            accepted: 12_008,
            rejected: 1,
            skipped: 1,
            filtered: 0,
            filter: None,
            rejects: vec![Rejects { reason: "time", count: 1, first: Some(first) }],
            formats: vec![FormatUse {
                name: "combined".to_owned(),
                text: "$remote_addr".to_owned(),
                lines: 12_008,
                first: None,
            }],
            first: Some("2026-11-01T00:00:00+08:00".to_owned()),
            last: None,
            basis: Some("body"),
            scheme: "end-spike",
            client: None,
            ip_db: vec![Database {
                name: "x.mmdb".to_owned(),
                date: Some("2026-06-01".to_owned()),
                attribution: None,
                errors: 0,
            }],
            tz: "+08:00".to_owned(),
            skips: vec![("blank", 1)],
            remarks: vec![("without-bytes", 3)],
            servers: Some(ServerUse {
                matched: vec![("server_addr", 12_000)],
                unmatched: vec![(b"10.0.0.9".to_vec(), 8)],
                unmatched_records: 8,
            }),
        },
        facts: vec![
            Fact { name: "slot_seconds", label: "", unit: Unit::Count, value: Cell::Integer(300) },
            Fact { name: "peak_bps", label: "peak", unit: Unit::Bps, value: Cell::Integer(1_830_000) },
            Fact { name: "peak_at", label: "peak slot", unit: Unit::Text, value: Cell::Null },
        ],
        tables: vec![top()],
        parts: Parts::default(),
        charts: Vec::new(),
        summary: None,
    }
}

fn named() -> Report {
    let table = |name: &str, title: &str| Table {
        name: name.to_owned(),
        title: title.to_owned(),
        by: vec!["idc".to_owned()],
        columns: vec![key("idc", Unit::Text), column("bytes", Unit::Bytes)],
        rows: vec![vec![bytes("bj"), Cell::Integer(5)]],
        other: None,
        total: Some(vec![Cell::Null, Cell::Integer(5)]),
    };
    Report {
        input: Input { lines: 3, accepted: 2, rejected: 1, ..Input::default() },
        facts: Vec::new(),
        tables: vec![table("idc", "Data centres"), table("again", "")],
        ..sample()
    }
}

fn written(report: &Report, output: Output) -> String {
    let mut out = Vec::new();
    write(report, output, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn check(report: &Report, output: Output, expected: &str) {
    let actual = written(report, output);
    assert!(actual == expected, "\n--- expected\n{expected}\n--- actual\n{actual}");
}

fn plain(width: usize) -> Output {
    Output::Table(Style { width, colour: Colour::Never, glyphs: Glyphs::Blocks })
}

#[test]
fn table_for_people() {
    let expected = "\
peak       1.83 Mbps
peak slot  -

idc              asn  requests    bytes    share  peak_at
北京|1          4134    12,000  34.6 kB   41.2 %  2026-11-01T00:00:00+08:00
=sh          unknown         8  49.4 kB   <0.1 %  -
other (1,234 groups)         0      0 B    0.0 %  -
total                   12,008   184 EB  100.0 %  -

12,010 lines: 12,008 accepted, 1 rejected, 1 skipped (1 blank) | combined | body bytes, end-spike | places: x.mmdb 2026-06-01 | +08:00
rejected: 1 time, first at a.log:4:17: 31/Feb/2026
servers: 12,000 by server_addr, 8 without a data centre: 10.0.0.9 (8)
remarks: 3 without-bytes
";
    check(&sample(), plain(usize::MAX), expected);
}

#[test]
fn named_tables_with_titles_colours_and_a_warning() {
    let expected = "\
\x1b[1m33.3 % of the lines were rejected (1 of 3): their traffic is not in these numbers\x1b[0m

\x1b[1mData centres\x1b[0m
\x1b[1midc    bytes\x1b[0m
bj       5 B
\x1b[2mtotal    5 B\x1b[0m

\x1b[1midc    bytes\x1b[0m
bj       5 B
\x1b[2mtotal    5 B\x1b[0m

3 lines: 2 accepted, 1 rejected, 0 skipped
";
    check(
        &named(),
        Output::Table(Style { width: 100, colour: Colour::Always, glyphs: Glyphs::Blocks }),
        expected,
    );
}

#[test]
fn narrow_tables_cut_text_only() {
    let table = Table {
        columns: vec![key("path", Unit::Text), key("agent", Unit::Text), column("bytes", Unit::Bytes)],
        rows: vec![vec![
            bytes("/video/2026/11/北京/segment-0001.ts"),
            bytes("curl"),
            Cell::Integer(1_000_000),
        ]],
        other: None,
        total: None,
        ..top()
    };
    let report = Report { facts: Vec::new(), input: Input::default(), tables: vec![table], ..sample() };
    let first_lines = |width| written(&report, plain(width)).lines().take(2).collect::<Vec<_>>().join("\n");
    assert_eq!(
        first_lines(40),
        "path                      agent    bytes\n/video/2026/11/…0001.ts   curl   1.00 MB"
    );
    assert_eq!(first_lines(5), "path      agent    bytes\n/vide…ts  curl   1.00 MB");
}

#[test]
fn luxury_gives_way_to_texts() {
    let luxury = |name: &str, by| Column { spare: Column::LUXURY + by, ..column(name, Unit::Count) };
    let row = [bytes("/video/2026/11/segment"), Cell::Integer(1), Cell::Integer(2), Cell::Integer(3)];
    let table = Table {
        columns: vec![key("path", Unit::Text), column("a", Unit::Count), luxury("b", 1), luxury("c", 0)],
        rows: vec![row.to_vec()],
        other: None,
        total: None,
        ..top()
    };
    let report = Report { facts: Vec::new(), input: Input::default(), tables: vec![table], ..sample() };
    let line = |width| written(&report, plain(width)).lines().nth(1).unwrap_or_default().to_owned();
    assert_eq!(line(31), "/video/2026/11/segment  1  2  3");
    assert_eq!(line(30), "/video/2026/11/segment  1  3");
    assert_eq!(line(27), "/video/2026/11/segment  1");
    assert_eq!(line(20), "/video/2026…gment  1");
}

#[test]
fn json_object() {
    let expected = concat!(
        r#"{"schema":"bandwho.top/1","input":{"files":1,"bytes":84000,"lines":12010,"accepted":12008,"#,
        r#""rejected":1,"skipped":1,"filtered":0,"rejects":[{"reason":"time","count":1,"first":"#,
        r#"{"file":"a.log","line":4,"column":17,"text":"31/Feb/2026"}}],"#,
        r#""formats":[{"name":"combined","text":"$remote_addr","lines":12008,"first":null}],"#,
        r#""first":"2026-11-01T00:00:00+08:00","last":null,"basis":"body","scheme":"end-spike","#,
        r#""ip_db":[{"name":"x.mmdb","date":"2026-06-01","errors":0}],"tz":"+08:00","skips":{"blank":1},"#,
        r#""remarks":{"without-bytes":3},"servers":{"matched":{"server_addr":12000},"#,
        r#""unmatched":[{"server":"10.0.0.9","requests":8}],"unmatched_requests":8}},"#,
        r#""slot_seconds":300,"peak_bps":1830000,"peak_at":null,"by":["idc","asn"],"#,
        r#""rows":[{"idc":"北京|1","asn":4134,"requests":12000,"bytes":34567,"share":0.411512,"#,
        r#""peak_at":"2026-11-01T00:00:00+08:00","peak_at_epoch":1793462400},"#,
        r#"{"idc":"=sh","asn":null,"requests":8,"bytes":49433,"share":0.0001,"peak_at":null,"#,
        r#""peak_at_epoch":null}],"#,
        r#""other":{"groups":1234,"requests":0,"bytes":0,"share":0.0,"peak_at":null,"peak_at_epoch":null},"#,
        r#""total":{"requests":12008,"bytes":184467440737095516150,"share":1.0,"peak_at":null,"#,
        r#""peak_at_epoch":null}}"#,
        "\n"
    );
    check(&sample(), Output::Json, expected);
}

#[test]
fn json_views() {
    let value: Value = serde_json::from_str(&written(&named(), Output::Json)).unwrap();
    let table =
        json!({"by": ["idc"], "rows": [{"idc": "bj", "bytes": 5}], "other": null, "total": {"bytes": 5}});
    assert_eq!(value["views"], json!({"idc": table, "again": table}));
}

#[test]
fn json_lines() {
    let lines = written(&sample(), Output::Ndjson);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 5);
    assert!(lines[0].starts_with(r#"{"kind":"row","idc":"北京|1","asn":4134,"#), "{}", lines[0]);
    assert!(lines[2].starts_with(r#"{"kind":"other","groups":1234,"requests":0,"#), "{}", lines[2]);
    assert!(lines[3].starts_with(r#"{"kind":"total","requests":12008,"#), "{}", lines[3]);
    assert!(lines[4].starts_with(r#"{"kind":"input","schema":"bandwho.top/1","input":{"files":1,"#));
    assert!(lines[4].ends_with(r#""slot_seconds":300,"peak_bps":1830000,"peak_at":null}"#), "{}", lines[4]);
    let lines = written(&named(), Output::Ndjson);
    assert!(lines.starts_with("{\"kind\":\"row\",\"view\":\"idc\",\"idc\":\"bj\",\"bytes\":5}\n"), "{lines}");
}

#[test]
fn json_on_a_terminal_hides_nothing_and_means_the_same() {
    let hostile = "\u{1b}[2J\u{9b}1m\u{7f}\u{202e}\u{e0041}\u{200b}";
    let mut report = sample();
    report.tables[0].rows[0][0] = bytes(hostile);
    let text = written(&report, Output::Json);
    assert!(text.contains(r#""\u001b[2J\u009b1m\u007f\u202e\udb40\udc41\u200b""#), "{text}");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["rows"][0]["idc"], hostile);
}

#[test]
fn csv_for_spreadsheets() {
    let expected = "\
row,idc,asn,requests,bytes,share,peak_at,peak_at_epoch
row,北京|1,4134,12000,34567,0.411512,2026-11-01T00:00:00+08:00,1793462400
row,'=sh,,8,49433,0.0001,,
other,,,0,0,0,,
total,,,12008,184467440737095516150,1,,
";
    check(&sample(), Output::Csv(Formulas::Neutralised), expected);
    check(&sample(), Output::Csv(Formulas::Raw), &expected.replace("'=sh", "=sh"));
    let views = "\
view,row,idc,bytes
idc,row,bj,5
idc,total,,5

view,row,idc,bytes
again,row,bj,5
again,total,,5
";
    check(&named(), Output::Csv(Formulas::Neutralised), views);
}

#[test]
fn markdown_for_issues() {
    let expected = "\
- peak: 1.83 Mbps
- peak slot: -

| idc | asn | requests | bytes | share | `peak_at` |
| --- | ---: | ---: | ---: | ---: | --- |
| `北京\\x7c1` | 4134 | 12,000 | 34.6 kB | 41.2 % | 2026-11-01T00:00:00+08:00 |
| `=sh` | unknown | 8 | 49.4 kB | \\<0.1 % | - |
| other (1,234 groups) |  | 0 | 0 B | 0.0 % | - |
| total |  | 12,008 | 184 EB | 100.0 % | - |

- 12,010 lines: 12,008 accepted, 1 rejected, 1 skipped (1 blank) · combined · body bytes, end-spike · places: `x.mmdb` 2026-06-01 · `+08:00`
- rejected: 1 time, first at `a.log:4:17`: `31/Feb/2026`
- servers: 12,000 by server_addr, 8 without a data centre: `10.0.0.9` (8)
- remarks: 3 without-bytes
";
    check(&sample(), Output::Markdown, expected);
    let expected = "\
**33.3 % of the lines were rejected (1 of 3): their traffic is not in these numbers**

## Data centres

| idc | bytes |
| --- | ---: |
| bj | 5 B |
| total | 5 B |
";
    assert!(written(&named(), Output::Markdown).starts_with(expected));
}

#[test]
fn tables_without_keys_rows_or_columns() {
    let mut report = Report { input: Input::default(), facts: Vec::new(), ..sample() };
    let table = Table {
        by: Vec::new(),
        columns: vec![column("bytes", Unit::Bytes)],
        rows: Vec::new(),
        other: None,
        total: Some(vec![Cell::Integer(1)]),
        ..top()
    };
    report.tables = vec![table.clone()];
    assert!(written(&report, plain(80)).starts_with("       bytes\ntotal    1 B\n"));
    report.tables = vec![Table { total: None, ..table.clone() }];
    assert!(written(&report, plain(80)).starts_with("bytes\n(none)\n"));
    report.tables = vec![Table { columns: Vec::new(), ..table }];
    for output in OUTPUTS {
        written(&report, output);
    }
    report.tables = Vec::new();
    assert_eq!(written(&report, plain(80)), "0 lines: 0 accepted, 0 rejected, 0 skipped\n");
}

#[test]
fn a_closed_pipe_keeps_its_name() {
    struct Closed;
    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for output in OUTPUTS {
        assert_eq!(write(&sample(), output, &mut Closed).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}

const OUTPUTS: [Output; 7] = [
    Output::Table(Style { width: 80, colour: Colour::Never, glyphs: Glyphs::Blocks }),
    Output::Table(Style { width: usize::MAX, colour: Colour::Always, glyphs: Glyphs::Blocks }),
    Output::Json,
    Output::Ndjson,
    Output::Csv(Formulas::Neutralised),
    Output::Csv(Formulas::Raw),
    Output::Markdown,
];

/// The sample with a headline, a chart, bars and a suggestion.
fn summarised() -> Report {
    let slot = |at: i64| crate::time::Slot { start: 1_793_462_400 + at * 300, end: 1_793_462_700 + at * 300 };
    let chart = chart::Rate {
        title: "Rate".to_owned(),
        samples: vec![(slot(0), 8_000), (slot(1), 1_000)],
        line: None,
        zone: crate::time::Zone::utc(),
    };
    let mut report = named();
    for table in &mut report.tables {
        table.columns.push(column("share", Unit::Bar));
        table.rows[0].push(Cell::Share(0.5));
        table.rows.push(vec![bytes("gz"), Cell::Integer(4), Cell::Share(0.000_01)]);
        table.total.as_mut().unwrap().push(Cell::Share(1.0));
    }
    report.input.rejected = 0;
    report.summary = Some(Summary {
        headline: vec![
            Words::Own("9 B in 3 s; top client ".to_owned()),
            Words::Log(b"a|\x1b@b".to_vec()),
            Words::Own(" <0.1 %".to_owned()),
        ],
        chart: Some(Chart::Rate(chart)),
        next: vec![Suggestion {
            command: "bandwho top --where 'path ~ \"a|b\"' a.log".to_owned(),
            why: "one path has >99.9 %".to_owned(),
        }],
    });
    report
}

#[test]
fn a_summary_stands_around_the_answer() {
    let text = written(&summarised(), plain(80));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "9 B in 3 s; top client a|\\x1b@b <0.1 %");
    assert_eq!(lines[2], "Rate");
    assert_eq!(lines[3], format!(" 8.00 kbps ┤{}", "⣿".repeat(34)));
    assert_eq!(
        lines[12..17],
        [
            "Data centres",
            "idc    bytes    share",
            "bj       5 B   50.0 %  ██████████",
            "gz       4 B   <0.1 %  ▏",
            "total    5 B  100.0 %",
        ]
    );
    let end = "\nNext: one path has >99.9 %\n  bandwho top --where 'path ~ \"a|b\"' a.log\n";
    assert!(text.ends_with(end), "{text}");
    let json: Value = serde_json::from_str(&written(&summarised(), Output::Json)).unwrap();
    assert_eq!(json["headline"], "9 B in 3 s; top client a|\u{1b}@b <0.1 %");
    let suggestion =
        json!({"command": "bandwho top --where 'path ~ \"a|b\"' a.log", "why": "one path has >99.9 %"});
    assert_eq!(json["suggestions"], json!([suggestion]));
    assert_eq!(json["views"]["idc"]["rows"][0]["share"], 0.5);
    let markdown = written(&summarised(), Output::Markdown);
    assert!(
        markdown.starts_with("9 B in 3 s; top client `a\\x7c\\x1b@b` \\<0.1 %\n\n## Data centres\n"),
        "{markdown}"
    );
    assert!(markdown.contains("| bj | 5 B | 50.0 % |"), "{markdown}");
    let end = "\nNext: one path has \\>99.9 %\n\n```sh\nbandwho top --where 'path ~ \"a|b\"' a.log\n```\n";
    assert!(markdown.ends_with(end), "{markdown}");
}

#[test]
fn terminals_without_unicode_get_ascii_of_us() {
    let ascii = |width| Output::Table(Style { width, colour: Colour::Never, glyphs: Glyphs::Ascii });
    let mut report = summarised();
    report.tables[0].rows[0][0] = bytes(&"x".repeat(100));
    report.facts = vec![Fact { name: "a", label: "wait", unit: Unit::Micros, value: Cell::Integer(7) }];
    for width in [20, 40, 80, 160] {
        let text = written(&report, ascii(width));
        assert!(text.is_ascii(), "{text}");
        // What is wider than a terminal is wider by what it must not lose: numbers and commands.
        assert_eq!(text.lines().count(), written(&report, plain(width)).lines().count());
    }
    let text = written(&report, ascii(80));
    assert!(text.contains("  8.00 kbps |") || text.contains(" 8.00 kbps |##"), "{text}");
    assert!(
        text.contains("xx~xx") && text.contains("wait  7 us") && text.contains("50.0 %  ##########"),
        "{text}"
    );
    assert!(!written(&report, ascii(59)).contains("50.0 %  #"));
    assert!(written(&report, ascii(160)).contains(&"#".repeat(20)));
}
