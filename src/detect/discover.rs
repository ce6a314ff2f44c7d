//! Columns that match no known format, named by what stands in them.
//!
//! ```text
//! 192.0.2.7|200|512   split by what gives every line the same number of columns   192.0.2.7  200     512
//! 192.0.2.9|404|153   typed over all lines                                        address    status  integer
//!                     named                                                       $remote_addr|$status|$body_bytes_sent
//! ```
//!
//! The result is a format text like a server's own, so that it can be shown, corrected and given back. What cannot be
//! known is decided the same way every time and on the side of caution: bytes are the body's unless something proves
//! that headers are counted, and a column that could be several things is nothing. Advice for changing this: a log that
//! is wrongly taken is worse than one that is not, because its numbers are believed. The last word has the parser: a
//! layout that does not read nearly all lines whole is none.

mod columns;
mod sheet;
mod numbers;
mod roles;
mod notation;

use crate::format::{Escape, Format, Layout, apache, nginx};
use crate::parse::{Parser, Record, Wanted};

use super::looks::fits;
use columns::Table;
use notation::Notation;
use roles::Evidence;
use sheet::Role;

/// Names of what is discovered.
const NAMES: [&str; 3] = ["tsv", "csv", "columns"];

/// True for a format that was made of one log's lines: it says nothing about another's.
pub(super) fn is_discovered(format: &Format) -> bool {
    NAMES.contains(&format.name.as_str())
}

/// The layout of lines whose columns are about requests. Where the lines are mixed with others, those that hold a
/// request line are looked at alone, and must say more; then those that have equally many columns.
pub(super) fn layout(lines: &[&[u8]]) -> Option<Layout> {
    let picked = || {
        let asking: Vec<&[u8]> = lines.iter().copied().filter(|line| holds_request(line)).collect();
        if asking.len() == lines.len() { None } else { of_all(&asking, Evidence::Plenty) }
    };
    let alike = || {
        columns::alike(lines).find_map(|(alike, separator)| {
            // Sentences often have equally many words.
            let evidence = if separator == b" " { Evidence::Plenty } else { Evidence::Enough };
            of_all(&alike, evidence)
        })
    };
    of_all(lines, Evidence::Enough).or_else(picked).or_else(alike)
}

/// The layout with the separator that gives most columns a meaning; of equals the first.
fn of_all(lines: &[&[u8]], evidence: Evidence) -> Option<Layout> {
    let mut best: Option<(Layout, usize)> = None;
    for table in columns::tables(lines) {
        let roles = roles::assign(&table);
        let known = roles.iter().flatten().count();
        if roles::suffice(&roles, &table, evidence)
            && best.as_ref().is_none_or(|&(_, before)| known > before)
            && let Some(layout) = compiled(&table, &roles, lines)
        {
            best = Some((layout, known));
        }
    }
    best.map(|(layout, _)| layout)
}

/// The first notation that can say what was found and is read back.
fn compiled(table: &Table<'_>, roles: &[Option<Role>], lines: &[&[u8]]) -> Option<Layout> {
    let notations = if notation::is_apache(table, roles) {
        [Notation::Apache, Notation::Nginx]
    } else {
        [Notation::Nginx, Notation::Apache]
    };
    notations.into_iter().find_map(|notation| {
        let text = notation::text(table, roles, notation)?;
        let format = format(table, notation, &text)?;
        let layout = Layout::compile(&format).ok()?;
        reads(&layout, lines).then_some(layout)
    })
}

fn format(table: &Table<'_>, notation: Notation, text: &str) -> Option<Format> {
    let [tabs, commas, others] = NAMES;
    let name = match table.separator {
        b"\t" => tabs,
        b"," | b", " | b";" | b"; " => commas,
        _ => others,
    };
    let format = match notation {
        Notation::Apache => apache::format(name, text),
        // A quote doubled within quotes ends nothing, as where nothing is escaped.
        Notation::Nginx if table.has_doubled_quotes => nginx::format(name, Escape::None, text),
        Notation::Nginx => nginx::format(name, Escape::Nginx, text),
    };
    format.ok()
}

/// True if nearly all lines are records of this layout without columns left over.
fn reads(layout: &Layout, lines: &[&[u8]]) -> bool {
    let mut parser = Parser::new(layout, Wanted::default(), &[]);
    let mut record = Record::default();
    let mut read = Vec::with_capacity(lines.len());
    for line in lines {
        read.push(parser.parse(line, &mut record).is_ok() && !record.extra);
    }
    let count = read.iter().filter(|&&read| read).count();
    // The first line may hold the names of the columns.
    count > 0 && fits(count, lines.len() - usize::from(lines.len() > 1 && !read[0]))
}

/// True if the line holds a request line's end. Error logs do so too, but their columns do not agree.
fn holds_request(line: &[u8]) -> bool {
    memchr::memmem::find_iter(line, b" HTTP/").any(|at| line.get(at + 6).is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests;
