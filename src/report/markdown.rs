//! A report for issues and wikis: GitHub's tables, with the numbers that people read.

use std::io;

use crate::report::grid::{Align, Bars, grid};
use crate::report::{Cell, Fact, Report, Suggestion, Summary, Table, Words, escape, human, quality};

/// Writes a report as Markdown.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    if let Some(warning) = quality::warning(&report.input) {
        writeln!(out, "**{warning}**\n")?;
    }
    let none = Summary::default();
    let summary = report.summary.as_ref().unwrap_or(&none);
    write_sentence(&summary.headline, out)?;
    write_facts(&report.facts, out)?;
    for part in &report.parts.parts {
        writeln!(out, "## {}\n", escape::markdown(part.title.as_bytes()))?;
        write_facts(&part.facts, out)?;
        part.tables.iter().try_for_each(|table| write_table(table, out))?;
    }
    for table in &report.tables {
        write_table(table, out)?;
    }
    let mut notes = vec![quality::line(&report.input, " · ", escape::markdown)];
    notes.extend(quality::notes(&report.input, escape::markdown));
    notes.iter().try_for_each(|note| writeln!(out, "- {note}"))?;
    summary.next.iter().try_for_each(|next| write_next(next, out))
}

fn write_sentence(words: &[Words], out: &mut dyn io::Write) -> io::Result<()> {
    if words.is_empty() {
        return Ok(());
    }
    let piece = |words: &Words| match words {
        Words::Own(own) => own.replace('<', "\\<").replace('>', "\\>"),
        Words::Log(bytes) => escape::markdown(bytes),
    };
    writeln!(out, "{}\n", words.iter().map(piece).collect::<String>())
}

/// In a block of code, where nothing is special within a line; a command is one line and begins with its name.
fn write_next(Suggestion { command, why }: &Suggestion, out: &mut dyn io::Write) -> io::Result<()> {
    let command = escape::terminal(command.as_bytes());
    writeln!(out, "\nNext: {}\n\n```sh\n{command}\n```", why.replace('<', "\\<").replace('>', "\\>"))
}

fn write_facts(facts: &[Fact], out: &mut dyn io::Write) -> io::Result<()> {
    let mut facts = facts.iter().filter(|fact| !fact.label.is_empty()).peekable();
    let any = facts.peek().is_some();
    for fact in facts {
        let value = match &fact.value {
            Cell::Text(bytes) => escape::markdown(bytes),
            cell => human::value(cell, fact.unit).map_or_else(|| "-".to_owned(), |value| inert(&value)),
        };
        writeln!(out, "- {}: {value}", fact.label)?;
    }
    if any { writeln!(out) } else { Ok(()) }
}

fn write_table(table: &Table, out: &mut dyn io::Write) -> io::Result<()> {
    if !table.title.is_empty() {
        writeln!(out, "## {}\n", escape::markdown(table.title.as_bytes()))?;
    }
    let grid = grid(table, escape::markdown, Bars::None);
    if grid.header.is_empty() {
        return Ok(());
    }
    write_row(&grid.header, out)?;
    let rule = |align: &Align| if *align == Align::Left { "---" } else { "---:" }.to_owned();
    write_row(&grid.align.iter().map(rule).collect::<Vec<_>>(), out)?;
    for row in grid.rows.iter().chain(&grid.footers) {
        write_row(&row.iter().map(|cell| inert(cell)).collect::<Vec<_>>(), out)?;
    }
    writeln!(out)
}

fn write_row(cells: &[String], out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "| {} |", cells.join(" | "))
}

/// `<0.1 %` is the only number with a character that Markdown may read; text is inert already and never ends so.
fn inert(words: &str) -> String {
    if words.ends_with(" %") { words.replace('<', "\\<").replace('>', "\\>") } else { words.to_owned() }
}
