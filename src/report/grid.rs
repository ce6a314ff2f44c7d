//! A table in people's words, before anyone decides how wide it may be: what `table` and `markdown` share.

use crate::report::chart::{Glyphs, bar};
use crate::report::quality::Escape;
use crate::report::{Cell, Column, Table, Unit, human};

/// Columns of `100.0 %`.
const SHARE_WIDTH: usize = 7;
/// A bar shows no smaller differences.
const SHARE_PARTS: f64 = 1e12;

/// A table of text. Every row and footer has one cell per column of the header.
pub(super) struct Grid {
    pub(super) header: Vec<String>,
    pub(super) align: Vec<Align>,
    pub(super) give: Vec<Give>,
    /// [`Column::spare`].
    spare: Vec<u8>,
    pub(super) rows: Vec<Vec<String>>,
    /// `other` and `total`, whose keys are blank but for the label in the first cell.
    pub(super) footers: Vec<Vec<String>>,
    /// How many columns the label of a footer may cover.
    pub(super) keys: usize,
}

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Whether the cells of a column may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Give {
    Shrinks,
    Whole,
}

/// How long the bars of a [`Unit::Bar`] may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bars {
    /// There are none.
    None,
    /// So many columns.
    Columns(usize, Glyphs),
}

/// Words of a table; `text` makes bytes safe for the place they go to.
pub(super) fn grid(table: &Table, text: Escape, bars: Bars) -> Grid {
    let shown: Vec<(usize, &Column)> =
        table.columns.iter().enumerate().filter(|(_, column)| !column.machine).collect();
    let words = |cells: &[Cell]| -> Vec<String> {
        shown.iter().map(|&(index, column)| word(cells.get(index), column, text)).collect()
    };
    let mut grid = Grid {
        header: shown.iter().map(|(_, column)| text(heading(column).as_bytes())).collect(),
        align: shown.iter().map(|(_, column)| align(column.unit)).collect(),
        give: shown.iter().map(|&(index, column)| give(index, column, &table.rows)).collect(),
        spare: shown.iter().map(|(_, column)| column.spare).collect(),
        rows: table.rows.iter().map(|cells| words(cells)).collect(),
        footers: Vec::new(),
        keys: shown.iter().take_while(|(_, column)| column.key).count(),
    };
    let mut labels = Vec::new();
    if let Some(other) = &table.other {
        labels.push(format!("other ({})", human::counted(other.groups, "group")));
        grid.footers.push(words(&other.cells));
    }
    if let Some(total) = &table.total {
        labels.push("total".to_owned());
        grid.footers.push(words(total));
    }
    if grid.keys == 0 && !labels.is_empty() {
        grid.make_room_for_labels();
    }
    for (footer, label) in grid.footers.iter_mut().zip(labels) {
        footer[..grid.keys].fill(String::new());
        footer[0] = label;
    }
    if let Bars::Columns(length, glyphs) = bars {
        for (at, (index, _)) in shown.iter().enumerate().filter(|(_, (_, column))| column.unit == Unit::Bar) {
            // A table without keys has got one column more.
            grid.draw_bars(at + grid.header.len() - shown.len(), *index, table, (length, glyphs));
        }
    }
    grid
}

impl Grid {
    /// True if a column is to give way to texts.
    pub(super) fn has_luxury(&self) -> bool {
        self.spare.iter().any(|spare| *spare >= Column::LUXURY)
    }

    /// Leaves out the column that is needed least; false if all are needed.
    pub(super) fn leave_one_out(&mut self) -> bool {
        let spare = self.spare.iter().enumerate().max_by_key(|(_, spare)| **spare);
        let Some((at, _)) = spare.filter(|(_, spare)| **spare > 0) else { return false };
        self.header.remove(at);
        self.align.remove(at);
        self.give.remove(at);
        self.spare.remove(at);
        self.rows.iter_mut().chain(&mut self.footers).for_each(|row| drop(row.remove(at)));
        true
    }

    /// Puts bars behind the shares of a column; sums have none.
    fn draw_bars(&mut self, at: usize, index: usize, table: &Table, (length, glyphs): (usize, Glyphs)) {
        let part = |row: &Vec<Cell>| match row.get(index) {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cast of a float stays within bounds, and a bar has few columns"
            )]
            Some(Cell::Share(share)) => (share * SHARE_PARTS) as u128,
            _ => 0,
        };
        let parts: Vec<u128> = table.rows.iter().map(part).collect();
        let most = parts.iter().copied().max().unwrap_or(0);
        let bars =
            parts.iter().map(|&part| bar(part, most, length, glyphs)).chain(std::iter::repeat(String::new()));
        for (row, bar) in self.rows.iter_mut().chain(&mut self.footers).zip(bars) {
            row[at] = with_bar(&row[at], &bar, length);
        }
        self.header[at] = with_bar(&self.header[at], "", length);
    }

    fn make_room_for_labels(&mut self) {
        self.header.insert(0, String::new());
        self.align.insert(0, Align::Left);
        self.give.insert(0, Give::Whole);
        self.spare.insert(0, 0);
        for row in self.rows.iter_mut().chain(&mut self.footers) {
            row.insert(0, String::new());
        }
        self.keys = 1;
    }
}

fn with_bar(share: &str, bar: &str, length: usize) -> String {
    format!("{share:>SHARE_WIDTH$}  {bar:length$}")
}

fn word(cell: Option<&Cell>, column: &Column, text: Escape) -> String {
    match cell {
        Some(Cell::Text(bytes)) => text(bytes),
        Some(cell) if *cell != Cell::Null => human::value(cell, column.unit).unwrap_or_default(),
        _ if column.key => "unknown".to_owned(),
        _ => "-".to_owned(),
    }
}

fn heading(column: &Column) -> &str {
    if column.heading.is_empty() { &column.name } else { column.heading }
}

fn align(unit: Unit) -> Align {
    if unit == Unit::Text { Align::Left } else { Align::Right }
}

/// Text may be cut; half a number or half a time would be another one.
fn give(index: usize, column: &Column, rows: &[Vec<Cell>]) -> Give {
    let is_text = |cells: &Vec<Cell>| matches!(cells.get(index), None | Some(Cell::Text(_) | Cell::Null));
    if column.unit == Unit::Text && rows.iter().all(is_text) { Give::Shrinks } else { Give::Whole }
}
