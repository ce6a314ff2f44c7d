//! A report for spreadsheets.
//!
//! The first column, `row`, says whether a line is a `row`, the `other` groups or the `total`, so that a spreadsheet
//! can check that rows and other make the total. Several tables follow one another, each after a blank line and with
//! its own header; a column `view` before `row` then names the table. Integers are plain digits, shares are
//! decimals, unknown is empty. Lines end with LF: spreadsheets read it as well as CR LF, and a carriage return
//! would stick to the last field in `awk` and `cut`. Facts and the input's accounting have no place in a table.

use std::io;

use csv::Terminator;

use crate::report::escape::{self, Formulas};
use crate::report::{Cell, Report, Table, json};

/// Writes the tables of a report.
pub fn write(report: &Report, formulas: Formulas, out: &mut dyn io::Write) -> io::Result<()> {
    for (index, table) in report.tables.iter().enumerate() {
        if index > 0 {
            out.write_all(b"\n")?;
        }
        let view = if report.is_flat() { None } else { Some(table.name.as_str()) };
        write_table(table, view, formulas, out)?;
    }
    out.flush()
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
    }
}

/// The system's own error, whose kind tells a closed pipe from a full disk.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
