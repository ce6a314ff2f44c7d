//! A report for spreadsheets.
//!
//! The first column, `row`, says whether a line is a `row`, the `other` groups or the `total`, so that a spreadsheet
//! can check that rows and other make the total. Several tables follow one another, each after a blank line and with
//! its own header; a column `view` before `row` then names the table. Integers are plain digits, shares are
//! decimals, unknown is empty. Lines end with LF: spreadsheets read it as well as CR LF, and a carriage return
//! would stick to the last field in `awk` and `cut`. Parts are rows of a table of their facts. Other facts and the input's accounting have no place in a table.

use std::io;

use csv::Terminator;

use crate::report::escape::{self, Formulas};
use crate::report::{Cell, Column, Fact, Part, Parts, Report, Table, json};

/// Writes the tables of a report.
pub fn write(report: &Report, formulas: Formulas, out: &mut dyn io::Write) -> io::Result<()> {
    let parts = parts_table(&report.parts);
    let tables = parts.iter().map(|table| (None, table));
    let of_parts = report.parts.parts.iter().flat_map(|part| part.tables.iter().map(move |it| (part, it)));
    let of_parts = of_parts.map(|(part, table)| (Some(format!("{} of {}", table.name, part.title)), table));
    let of_report =
        report.tables.iter().map(|table| ((!report.is_flat()).then(|| table.name.clone()), table));
    for (index, (view, table)) in tables.chain(of_parts).chain(of_report).enumerate() {
        if index > 0 {
            out.write_all(b"\n")?;
        }
        write_table(table, view.as_deref(), formulas, out)?;
    }
    out.flush()
}

/// Parts as rows, their facts as columns.
fn parts_table(parts: &Parts) -> Option<Table> {
    let named =
        |facts: &[Fact]| facts.iter().filter(|fact| !fact.name.is_empty()).cloned().collect::<Vec<_>>();
    let columns = named(&parts.parts.first()?.facts);
    let column =
        |fact: Fact| Column { name: fact.name.to_owned(), unit: fact.unit, key: false, machine: true };
    let row = |part: &Part| named(&part.facts).into_iter().map(|fact| fact.value).collect();
    Some(Table {
        rows: parts.parts.iter().map(row).collect(),
        columns: columns.into_iter().map(column).collect(),
        ..Table::default()
    })
}

fn write_table(
    table: &Table,
    view: Option<&str>,
    formulas: Formulas,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(out);
    let mut line = |view: Option<&str>, kind: &str, fields: Vec<String>| {
        let fields = view.into_iter().chain([kind]).chain(fields.iter().map(String::as_str));
        writer.write_record(fields).map_err(io_error)
    };
    let name = view.map(|name| escape::csv_cell(name.as_bytes(), formulas));
    let header = table.columns.iter().map(|column| escape::csv_cell(column.name.as_bytes(), formulas));
    line(view.map(|_| "view"), "row", header.collect())?;
    let rows = table.rows.iter().map(|cells| ("row", cells));
    let other = table.other.iter().map(|other| ("other", &other.cells));
    let total = table.total.iter().map(|cells| ("total", cells));
    for (kind, cells) in rows.chain(other).chain(total) {
        // One field per column, whatever the row holds: a line that is shorter would not be read back.
        let fields = (0..table.columns.len()).map(|index| field(cells.get(index), formulas));
        line(name.as_deref(), kind, fields.collect())?;
    }
    writer.flush()
}

fn field(cell: Option<&Cell>, formulas: Formulas) -> String {
    match cell {
        None | Some(Cell::Null) => String::new(),
        Some(Cell::Text(bytes)) => escape::csv_cell(bytes, formulas),
        Some(Cell::Integer(number)) => number.to_string(),
        Some(Cell::Share(share)) => json::decimal(*share).map(|share| share.to_string()).unwrap_or_default(),
        Some(Cell::Time(time)) => time.clone(),
        Some(Cell::List(cells)) => {
            cells.iter().map(|cell| field(Some(cell), formulas)).collect::<Vec<_>>().join(" ")
        }
    }
}

/// The system's own error, whose kind tells a closed pipe from a full disk.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
