//! A report for people: facts, tables that fit the terminal, and what was read.
//!
//! Written by hand: numbers must never be cut, only text may shrink, labels cover several columns and lines have no
//! trailing blanks. Width is counted one character at a time, as terminals advance; joined emoji do not exist after
//! escaping.

use std::io;

use unicode_width::UnicodeWidthChar as _;

use crate::report::chart::Glyphs;
use crate::report::grid::{Align, Bars, Give, Grid, grid};
use crate::report::{
    Cell, Fact, Part, Report, Suggestion, Summary, Table, Words, chart, escape, human, quality,
};

/// Text columns are not made narrower than this, even if the table then is too wide.
const TEXT_WIDTH_MIN: usize = 8;
/// Texts that are cut to less make columns of luxury give way.
const TEXT_WIDTH_GOOD: usize = 40;
/// Sentences are not wrapped into lines narrower than this.
const LINE_WIDTH_MIN: usize = 20;
/// Blanks between columns.
const GAP: usize = 2;
/// Stands for what was cut.
const CUT: &str = "…";
/// Columns of a bar; a narrow terminal has none, a wide one longer ones.
const BAR_WIDTH: usize = 10;
const BAR_WIDTH_WIDE: usize = 20;
/// What terminals are narrow and wide.
const NARROW: usize = 60;
const WIDE: usize = 120;

/// How a table is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; `usize::MAX`: unlimited.
    pub width: usize,
    /// Whether attributes may be used.
    pub colour: Colour,
    /// The letters of drawings and marks.
    pub glyphs: Glyphs,
}

/// Whether output has colours and other attributes. The caller knows the terminal, the option and `NO_COLOR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// With SGR attributes.
    Always,
    /// Text only.
    Never,
}

/// What a line is, for [`paint`].
#[derive(Clone, Copy)]
enum Role {
    Warning,
    Heading,
    Body,
    Footer,
}

type Lines = Vec<(Role, String)>;

/// Writes a report for people.
pub fn write(report: &Report, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let Style { width, glyphs, .. } = style;
    let mut first = true;
    let mut section = |lines: Lines| -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if !std::mem::take(&mut first) {
            writeln!(out)?;
        }
        lines.iter().try_for_each(|(role, line)| writeln!(out, "{}", paint(*role, line.trim_end(), style)))
    };
    let warning = quality::warning(&report.input).unwrap_or_default();
    section(wrapped(&warning, width).into_iter().map(|line| (Role::Warning, line)).collect())?;
    let none = Summary::default();
    let summary = report.summary.as_ref().unwrap_or(&none);
    section(
        wrapped(&sentence(&summary.headline), width).into_iter().map(|line| (Role::Heading, line)).collect(),
    )?;
    section(fact_lines(&report.facts, width))?;
    if let Some(chart) = &summary.chart {
        section(chart_lines(&chart::draw(chart, width, glyphs)))?;
    }
    for part in &report.parts.parts {
        section(part_lines(part, width))?;
        for chart in &part.charts {
            section(chart_lines(&chart::draw(chart, width, glyphs)))?;
        }
        for table in &part.tables {
            section(table_lines(table, style))?;
        }
    }
    for table in &report.tables {
        section(table_lines(table, style))?;
    }
    for chart in &report.charts {
        section(chart_lines(&chart::draw(chart, width, glyphs)))?;
    }
    let mut notes = vec![quality::quality_line(&report.input)];
    notes.extend(quality::notes(&report.input, text));
    let body = |line| (Role::Body, line);
    section(notes.iter().flat_map(|note| wrapped(note, width)).map(body).collect())?;
    section(next_lines(&summary.next, width))
}

/// The only place that writes control sequences, and the last that sees a line: marks of our own that ASCII has others
/// for are replaced here.
fn paint(role: Role, line: &str, style: Style) -> String {
    let line = match style.glyphs {
        Glyphs::Blocks => line.to_owned(),
        Glyphs::Ascii => line.replace(CUT, "~").replace('µ', "u").replace('≤', "<="),
    };
    let attribute = match (style.colour, role) {
        (Colour::Never, _) | (_, Role::Body) => return line,
        (Colour::Always, Role::Warning | Role::Heading) => 1,
        (Colour::Always, Role::Footer) => 2,
    };
    format!("\x1b[{attribute}m{line}\x1b[0m")
}

fn text(bytes: &[u8]) -> String {
    escape::terminal(bytes).into_owned()
}

/// The sentence as one text.
fn sentence(words: &[Words]) -> String {
    let piece = |words: &Words| match words {
        Words::Own(own) => own.clone(),
        Words::Log(bytes) => text(bytes),
    };
    words.iter().map(piece).collect()
}

/// Commands stand on lines of their own, which only the terminal may break: half a command must not be copied.
fn next_lines(next: &[Suggestion], width: usize) -> Lines {
    let indent = " ".repeat(GAP);
    let mut lines = Lines::new();
    for Suggestion { command, why } in next {
        let why = wrapped(&format!("Next: {why}"), width);
        lines.extend(why.into_iter().map(|line| (Role::Body, line)));
        lines.push((Role::Heading, format!("{indent}{}", text(command.as_bytes()))));
    }
    lines
}

/// A heading and the facts.
fn part_lines(part: &Part, width: usize) -> Lines {
    let title = text(part.title.as_bytes());
    let mut lines = vec![(Role::Heading, shortened(&title, width.max(LINE_WIDTH_MIN)))];
    lines.extend(fact_lines(&part.facts, width));
    lines
}

/// `label  value`, for the facts that have words.
fn fact_lines(facts: &[Fact], width: usize) -> Lines {
    let facts = || facts.iter().filter(|fact| !fact.label.is_empty());
    let label_width = facts().map(|fact| columns(fact.label)).max().unwrap_or(0);
    let value_width = width.saturating_sub(label_width + GAP).max(TEXT_WIDTH_MIN);
    let lines = |fact: &Fact| {
        let values = match &fact.value {
            Cell::Text(bytes) => wrapped(&text(bytes), value_width),
            cell => vec![human::value(cell, fact.unit).unwrap_or_else(|| "-".to_owned())],
        };
        let label = padded(fact.label, label_width, Align::Left);
        let labels = std::iter::once(label).chain(std::iter::repeat(" ".repeat(label_width)));
        let line = |(label, value)| (Role::Body, format!("{label}{}{value}", " ".repeat(GAP)));
        labels.zip(values).map(line).collect::<Vec<_>>()
    };
    facts().flat_map(lines).collect()
}

fn table_lines(table: &Table, style: Style) -> Lines {
    let Style { width, glyphs, .. } = style;
    let bars = match width {
        usize::MAX => Bars::Columns(BAR_WIDTH, glyphs),
        ..NARROW => Bars::None,
        WIDE.. => Bars::Columns(BAR_WIDTH_WIDE, glyphs),
        _ => Bars::Columns(BAR_WIDTH, glyphs),
    };
    let mut grid = grid(table, text, bars);
    let mut widths = fit(&grid, width);
    while (is_crowded(&grid, &widths, width) || grid.has_luxury() && is_cut_short(&grid, &widths))
        && grid.leave_one_out()
    {
        widths = fit(&grid, width);
    }
    let mut lines = Lines::new();
    if !table.title.is_empty() {
        lines.push((Role::Heading, shortened(&text(table.title.as_bytes()), width.max(LINE_WIDTH_MIN))));
    }
    lines.push((Role::Heading, cells_line(&grid.header, &grid.align, &widths)));
    for row in &grid.rows {
        lines.push((Role::Body, cells_line(row, &grid.align, &widths)));
    }
    if grid.rows.is_empty() && grid.footers.is_empty() {
        lines.push((Role::Footer, "(none)".to_owned()));
    }
    for footer in &grid.footers {
        let label = padded(&footer[0], span(&widths[..grid.keys]), Align::Left);
        let metrics = cells_line(&footer[grid.keys..], &grid.align[grid.keys..], &widths[grid.keys..]);
        lines.push((Role::Footer, format!("{label}{}{metrics}", " ".repeat(GAP))));
    }
    lines
}

/// True if some text column is so narrow that its texts would hardly be told apart.
fn is_cut_short(grid: &Grid, widths: &[usize]) -> bool {
    let mut texts = grid.give.iter().zip(widths).enumerate().filter(|(_, (give, _))| **give == Give::Shrinks);
    texts.any(|(at, (_, width))| {
        *width < TEXT_WIDTH_GOOD && grid.rows.iter().any(|row| columns(&row[at]) > *width)
    })
}

/// True if the columns do not fit, or only with headings of numbers that nobody can read.
fn is_crowded(grid: &Grid, widths: &[usize], width: usize) -> bool {
    let mut numbers = grid.header.iter().zip(&grid.give).zip(widths);
    span(widths) > width
        || numbers.any(|((name, give), width)| *give == Give::Whole && columns(name) > *width)
}

fn chart_lines(drawing: &chart::Drawing) -> Lines {
    let lines =
        |role, lines: &[String]| lines.iter().map(move |line| (role, text(line.as_bytes()))).collect();
    let heading: Lines = lines(Role::Heading, std::slice::from_ref(&drawing.title));
    [heading, lines(Role::Body, &drawing.body), lines(Role::Footer, &drawing.legend)].concat()
}

fn cells_line(cells: &[String], align: &[Align], widths: &[usize]) -> String {
    let mut line = String::new();
    for (index, ((cell, &align), &width)) in cells.iter().zip(align).zip(widths).enumerate() {
        if index > 0 {
            line.push_str(&" ".repeat(GAP));
        }
        // Numbers are never wider than their column, see `fit`.
        line.push_str(&padded(&shortened(cell, width), width, align));
    }
    line
}

/// Widths of the columns. Text and headings give way, the widest first; numbers and the labels of footers do not.
fn fit(grid: &Grid, width: usize) -> Vec<usize> {
    let mut content = vec![0; grid.header.len()];
    let footers = grid.footers.iter().map(|footer| (footer, grid.keys));
    for (row, from) in grid.rows.iter().map(|row| (row, 0)).chain(footers) {
        for (width, cell) in content.iter_mut().zip(row).skip(from) {
            *width = columns(cell).max(*width);
        }
    }
    let mut natural: Vec<usize> =
        content.iter().zip(&grid.header).map(|(&content, name)| columns(name).max(content)).collect();
    let label = grid.footers.iter().map(|footer| columns(&footer[0])).max().unwrap_or(0);
    let missing = label.saturating_sub(span(&natural[..grid.keys]));
    if let Some(first) = natural.first_mut() {
        *first += missing;
    }
    let floor = |index: usize| {
        let floor = natural[index].min(TEXT_WIDTH_MIN);
        if grid.give[index] == Give::Shrinks { floor } else { floor.max(content[index]) }
    };
    let mut floors: Vec<usize> = (0..natural.len()).map(floor).collect();
    for index in 0..grid.keys {
        let missing = label.saturating_sub(span(&floors[..grid.keys]));
        floors[index] = (floors[index] + missing).min(natural[index]);
    }
    shrink(&natural, &floors, width)
}

/// Cuts all columns at the one height that makes their sum fit, but none below its floor.
fn shrink(natural: &[usize], floors: &[usize], width: usize) -> Vec<usize> {
    let cut = |height: usize| -> Vec<usize> {
        natural.iter().zip(floors).map(|(&natural, &floor)| natural.min(height).max(floor)).collect()
    };
    let fits = |height: usize| span(&cut(height)) <= width;
    let highest = natural.iter().copied().max().unwrap_or(0);
    if fits(highest) {
        return natural.to_vec();
    }
    let (mut low, mut high) = (0, highest);
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if fits(middle) { low = middle } else { high = middle }
    }
    let mut widths = cut(low);
    // One height leaves less than a column for each of the cut ones: the first ones get it.
    let mut left = width.saturating_sub(span(&widths));
    for (width, &natural) in widths.iter_mut().zip(natural) {
        if left > 0 && *width < natural {
            *width += 1;
            left -= 1;
        }
    }
    widths
}

/// Width of neighbouring columns with the gaps between them.
fn span(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Columns that a text takes on a terminal.
fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

fn padded(text: &str, width: usize, align: Align) -> String {
    let blanks = " ".repeat(width.saturating_sub(columns(text)));
    match align {
        Align::Left => format!("{text}{blanks}"),
        Align::Right => format!("{blanks}{text}"),
    }
}

/// The beginning and the end of a text that is too wide: both tell paths and agents apart.
fn shortened(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let tail_width = width.saturating_sub(1) / 3;
    let head_width = width.saturating_sub(1) - tail_width;
    let mut tail = text.len();
    let mut taken = 0;
    for (position, c) in text.char_indices().rev() {
        taken += c.width().unwrap_or(0);
        if taken > tail_width {
            break;
        }
        // A combining mark must not come to stand on the ellipsis.
        if c.width() != Some(0) {
            tail = position;
        }
    }
    format!("{}{CUT}{}", prefix(text, head_width), &text[tail..])
}

/// As much of the beginning as fits.
fn prefix(text: &str, width: usize) -> &str {
    let mut taken = 0;
    for (position, c) in text.char_indices() {
        taken += c.width().unwrap_or(0);
        if taken > width {
            return &text[..position];
        }
    }
    text
}

/// A sentence in lines, all but the first indented; words that are wider than a line are broken.
fn wrapped(sentence: &str, width: usize) -> Vec<String> {
    if sentence.is_empty() {
        return Vec::new();
    }
    let width = width.max(LINE_WIDTH_MIN);
    let indent = " ".repeat(GAP);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for word in sentence.split(' ') {
        let mut word = word;
        if taken > 0 && taken + 1 + columns(word) <= width {
            line.push(' ');
            taken += 1;
        } else if taken > 0 {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            taken = GAP;
        }
        while columns(word) > width - taken {
            let part = prefix(word, width - taken);
            line.push_str(part);
            word = &word[part.len()..];
            lines.push(std::mem::replace(&mut line, indent.clone()));
            taken = GAP;
        }
        line.push_str(word);
        taken += columns(word);
    }
    lines.push(line);
    lines
}
