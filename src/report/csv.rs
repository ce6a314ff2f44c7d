//! A report for spreadsheets.
//!
//! The first column, `row`, says whether a line is a `row`, the `other` groups or the `total`, so that a spreadsheet
//! can check that rows and other make the total. Several tables follow one another, each after a blank line and with
//! its own header; a column `view` before `row` then names the table. Integers are plain digits, shares are
//! decimals, unknown is empty. Lines end with LF: spreadsheets read it as well as CR LF, and a carriage return
//! would stick to the last field in `awk` and `cut`. Parts are rows
//! of a table of their facts, and their tables are put together. Other facts and the input's accounting have no place in a table.

use std::io;

use csv::Terminator;

use crate::report::escape::{self, Formulas};
use crate::report::{Cell, Column, Fact, Part, Parts, Report, Table, Unit, json};

/// Writes the tables of a report.
pub fn write(report: &Report, formulas: Formulas, out: &mut dyn io::Write) -> io::Result<()> {
    let named = report.tables.iter().map(|table| (!report.is_flat()).then_some(table.name.as_str()));
    let tables = named.zip(&report.tables).map(|(view, table)| (view.map(str::to_owned), table.clone()));
    for (index, (view, table)) in parts_tables(&report.parts).into_iter().chain(tables).enumerate() {
        if index > 0 {
            out.write_all(b"\n")?;
        }
        write_table(&table, view.as_deref(), formulas, out)?;
    }
    out.flush()
}

/// Parts as rows, their facts as columns; then each of their tables, all parts in one, the part's key before its rows.
fn parts_tables(parts: &Parts) -> Vec<(Option<String>, Table)> {
    let named =
        |facts: &[Fact]| facts.iter().filter(|fact| !fact.name.is_empty()).cloned().collect::<Vec<_>>();
    let Some(first) = parts.parts.first() else { return Vec::new() };
    let column = |name: &str, unit| Column {
        name: name.to_owned(),
        heading: "",
        unit,
        key: true,
        machine: true,
        spare: 0,
    };
    let columns = named(&first.facts).iter().map(|fact| column(fact.name, fact.unit)).collect();
    let row = |part: &Part| named(&part.facts).into_iter().map(|fact| fact.value).collect();
    let rows = parts.parts.iter().map(row).collect();
    let mut tables = vec![(Some(parts.name.to_owned()), Table { columns, rows, ..Table::default() })];
    for part in &parts.parts {
        let key = part.facts.iter().find(|fact| fact.name == parts.key);
        let key = key.map_or(Cell::Null, |fact| fact.value.clone());
        let keyed = |cells: &Vec<Cell>| [std::slice::from_ref(&key), cells].concat();
        for table in &part.tables {
            let at = tables.iter().position(|(name, _)| name.as_deref() == Some(&table.name));
            let at = at.unwrap_or_else(|| {
                let mut columns = vec![column(parts.key, Unit::Text)];
                columns.extend(table.columns.iter().cloned());
                tables.push((Some(table.name.clone()), Table { columns, ..Table::default() }));
                tables.len() - 1
            });
            let rows = &mut tables[at].1.rows;
            rows.extend(table.rows.iter().map(keyed));
            // A table has one such line, several parts have several: their rows have no other key.
            let others = table.other.iter().filter(|other| other.groups > 0);
            rows.extend(others.map(|other| keyed(&other.cells)));
        }
    }
    tables
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
