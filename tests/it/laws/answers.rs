//! Answers read back: what each output format says about the sums of its tables.

use std::collections::BTreeMap;

use bandwho::report::{Colour, Formulas, Glyphs, Output, Report, Style, write};
use serde_json::Value;

/// Metrics that add up.
const SUMMABLE: [&str; 7] =
    ["requests", "bytes", "bytes_in", "errors_4xx", "errors_5xx", "aborted", "zero_duration"];

/// The one of them that stands in every table, and as an exact number also in those for people.
const FOR_PEOPLE: &str = "requests";

/// The sums of a table's columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Rows beside `other` and `total`.
    pub(super) rows: usize,
    pub(super) columns: BTreeMap<String, Column>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) rows: i128,
    pub(super) other: Option<i128>,
    pub(super) total: i128,
}

/// What a line of a table is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Row,
    Other,
    Total,
}

impl Kind {
    /// The word of machines.
    fn named(word: &str) -> Self {
        match word {
            "row" => Self::Row,
            "other" => Self::Other,
            "total" => Self::Total,
            _ => panic!("no kind of line: {word}"),
        }
    }

    /// By the first words of a line for people.
    fn labelled(line: &str) -> Self {
        if line.starts_with("other (") {
            Self::Other
        } else if line == "total" || line.starts_with("total ") {
            Self::Total
        } else {
            Self::Row
        }
    }
}

impl Sums {
    fn add(&mut self, kind: Kind, numbers: impl IntoIterator<Item = (String, i128)>) {
        self.rows += usize::from(kind == Kind::Row);
        for (name, number) in numbers {
            let column = self.columns.entry(name).or_default();
            match kind {
                Kind::Row => column.rows += number,
                Kind::Other => assert_eq!(column.other.replace(number), None, "`other` stands there twice"),
                Kind::Total => column.total += number,
            }
        }
    }

    /// What a table for people can tell of this one.
    fn for_people(&self) -> Self {
        let mut sums = self.clone();
        sums.columns.retain(|name, _| name == FOR_PEOPLE);
        sums
    }
}

/// The sums of every table of a report, as JSON has them, after reading them from every output format: they agree, and
/// in each of them rows and other make the total.
pub(super) fn reconciled(report: &Report) -> Vec<Sums> {
    let text = |output| {
        let mut out = Vec::new();
        write(report, output, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let answer: Value = serde_json::from_str(&text(Output::Json)).unwrap();
    let expected = json(&answer, report);
    for sums in &expected {
        for (name, column) in &sums.columns {
            let sum = column.rows + column.other.unwrap_or(0);
            assert_eq!(sum, column.total, "rows + other = total of {name} in {answer}");
        }
    }
    assert_eq!(ndjson(&text(Output::Ndjson)), expected, "NDJSON");
    assert_eq!(csv(&text(Output::Csv(Formulas::Neutralised))), expected, "CSV");
    let expected_by_people: Vec<Sums> = expected.iter().map(Sums::for_people).collect();
    let style = Style { width: usize::MAX, colour: Colour::Never, glyphs: Glyphs::Blocks };
    let shown = text(Output::Table(style));
    assert_eq!(table(&shown), expected_by_people, "the table\n{shown}");
    let shown = text(Output::Markdown);
    assert_eq!(markdown(&shown), expected_by_people, "Markdown\n{shown}");
    expected
}

fn json(answer: &Value, report: &Report) -> Vec<Sums> {
    let table = |table: &Value| {
        let mut sums = Sums::default();
        for row in table["rows"].as_array().unwrap() {
            sums.add(Kind::Row, members(row));
        }
        // `slots` has no groups beyond its rows: they are rows themselves.
        if table["other"].is_object() {
            sums.add(Kind::Other, members(&table["other"]));
        }
        sums.add(Kind::Total, members(&table["total"]));
        sums
    };
    match answer.get("views") {
        Some(views) => report.tables.iter().map(|named| table(&views[&named.name])).collect(),
        None => vec![table(answer)],
    }
}

fn ndjson(text: &str) -> Vec<Sums> {
    let mut tables: Vec<Sums> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let kind = line["kind"].as_str().unwrap();
        if kind == "input" {
            assert!(!open, "a table without its total");
            continue;
        }
        if !open {
            tables.push(Sums::default());
        }
        tables.last_mut().unwrap().add(Kind::named(kind), members(&line));
        open = kind != "total";
    }
    tables
}

fn members(row: &Value) -> Vec<(String, i128)> {
    let known = SUMMABLE.iter().filter(|name| row.get(name).is_some());
    known.map(|name| ((*name).to_owned(), row[name].as_i64().unwrap().into())).collect()
}

fn csv(text: &str) -> Vec<Sums> {
    let mut tables: Vec<Sums> = Vec::new();
    let mut header: Vec<String> = Vec::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    for record in reader.records() {
        let record = record.unwrap();
        if header.is_empty() || &record[0] == "view" {
            header = record.iter().map(str::to_owned).collect();
            tables.push(Sums::default());
            continue;
        }
        assert_eq!(record.len(), header.len(), "{text}");
        let kind = header.iter().position(|name| name == "row").unwrap();
        let cells = header.iter().zip(&record).filter(|(name, _)| SUMMABLE.contains(&name.as_str()));
        let numbers = cells.map(|(name, cell)| (name.clone(), cell.parse().unwrap()));
        tables.last_mut().unwrap().add(Kind::named(&record[kind]), numbers);
    }
    tables
}

/// Numbers stand under the end of their heading; a table ends at a blank line.
fn table(text: &str) -> Vec<Sums> {
    let mut tables: Vec<Sums> = Vec::new();
    let mut end = None;
    for line in text.lines() {
        let heading = line.split_whitespace().any(|word| word == "bytes");
        match end {
            None if heading && let Some(at) = line.find(FOR_PEOPLE) => {
                end = Some(line[..at].chars().count() + FOR_PEOPLE.len());
                tables.push(Sums::default());
            }
            None => {}
            Some(_) if line.is_empty() => end = None,
            Some(end) => {
                let before: String = line.chars().take(end).collect();
                let number = number(before.rsplit(' ').next().unwrap());
                tables.last_mut().unwrap().add(Kind::labelled(line), [(FOR_PEOPLE.to_owned(), number)]);
            }
        }
    }
    tables
}

fn markdown(text: &str) -> Vec<Sums> {
    let mut tables: Vec<Sums> = Vec::new();
    let mut position = None;
    for line in text.lines() {
        let Some(inner) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            position = None;
            continue;
        };
        let cells: Vec<&str> = inner.split(" | ").collect();
        match position {
            None => {
                position = Some(cells.iter().position(|cell| *cell == FOR_PEOPLE).unwrap());
                tables.push(Sums::default());
            }
            Some(_) if cells[0].starts_with("---") => {}
            Some(position) => {
                let number = number(cells[position]);
                let kind = Kind::labelled(cells[0]);
                tables.last_mut().unwrap().add(kind, [(FOR_PEOPLE.to_owned(), number)]);
            }
        }
    }
    tables
}

/// `3,923,246`.
fn number(words: &str) -> i128 {
    words.replace(',', "").parse().unwrap_or_else(|_| panic!("not a number: {words:?}"))
}
