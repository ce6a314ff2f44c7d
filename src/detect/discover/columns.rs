//! Lines → columns: by whatever separator gives nearly all of them the same number.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::looks::fits;

/// What may stand between columns; those that hold others come first.
const SEPARATORS: [&[u8]; 8] = [b"\t", b" | ", b"|", b"; ", b";", b", ", b",", b" "];

/// Fewer columns cannot tell who, when, and how much.
const COLUMNS_MIN: usize = 3;

/// Lines with more columns are no log's.
const COLUMNS_MAX: usize = 128;

/// Lines by which a separator is tried before all of them are split.
const GLANCE_LINES: usize = 32;

/// What stands around a value in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrap {
    Bare,
    Quoted,
    Bracketed,
}

/// The lines that have the same columns, split.
#[derive(Debug)]
pub(super) struct Table<'a> {
    /// What stands between columns.
    pub(super) separator: &'static [u8],
    /// At least three, with the same number of values.
    pub(super) columns: Vec<Column<'a>>,
    /// Within quotes stands a quote twice, as spreadsheets write it.
    pub(super) has_doubled_quotes: bool,
}

/// The values of one column, in line order.
#[derive(Debug)]
pub(super) struct Column<'a> {
    /// What stands around each of them.
    pub(super) wrap: Wrap,
    /// Without what is around them.
    pub(super) values: Vec<&'a [u8]>,
}

/// The tables that these lines could be.
pub(super) fn tables<'a>(lines: &[&'a [u8]]) -> impl Iterator<Item = Table<'a>> {
    let step = lines.len().div_ceil(GLANCE_LINES).max(1);
    let few: Vec<&[u8]> = lines.iter().copied().step_by(step).collect();
    SEPARATORS.into_iter().filter_map(move |separator| {
        // A glance may meet more odd lines than its share.
        let width = width(&few.iter().map(|line| split(line, separator)).collect::<Vec<_>>());
        width.filter(|&(width, rows)| width >= COLUMNS_MIN && rows * 2 >= few.len())?;
        table(lines, separator)
    })
}

/// Fewer lines of equally many columns among others are a coincidence.
const ALIKE_MIN: usize = 5;

/// Groups of lines that are looked at for each separator.
const ALIKE_GROUPS_MAX: usize = 3;

/// The lines among others that have equally many columns, and what separates those: the largest groups, by whatever
/// separator.
pub(super) fn alike<'a>(lines: &[&'a [u8]]) -> impl Iterator<Item = (Vec<&'a [u8]>, &'static [u8])> {
    SEPARATORS.into_iter().flat_map(move |separator| {
        let mut groups: BTreeMap<usize, Vec<&'a [u8]>> = BTreeMap::new();
        for line in lines {
            groups.entry(split(line, separator).len()).or_default().push(line);
        }
        let all = lines.len();
        let mut groups: Vec<(usize, Vec<&[u8]>)> = groups
            .into_iter()
            .filter(|(width, group)| {
                (COLUMNS_MIN..=COLUMNS_MAX).contains(width) && (ALIKE_MIN..all).contains(&group.len())
            })
            .collect();
        groups.sort_by_key(|(width, group)| (Reverse(group.len()), *width));
        groups.truncate(ALIKE_GROUPS_MAX);
        groups.into_iter().map(move |(_, group)| (group, separator))
    })
}

fn table<'a>(lines: &[&'a [u8]], separator: &'static [u8]) -> Option<Table<'a>> {
    let rows: Vec<Vec<Cell<'a>>> = lines.iter().map(|line| split(line, separator)).collect();
    let (width, _) = width(&rows)?;
    let has_names = rows.len() > 1 && (rows[0].len() != width || rows[0].iter().all(Cell::is_name));
    let rows = &rows[usize::from(has_names)..];
    let all = rows.len();
    let rows: Vec<Vec<Cell<'a>>> = rows.iter().filter(|row| row.len() == width).cloned().collect();
    let wraps: Vec<Wrap> = (0..width).map(|at| usual_wrap(&rows, at)).collect();
    let same = |row: &&Vec<Cell<'a>>| {
        row.iter().zip(&wraps).all(|(cell, &wrap)| wrap == Wrap::Bare || wrap == cell.wrap)
    };
    let same: Vec<&Vec<Cell<'a>>> = rows.iter().filter(same).collect();
    if (COLUMNS_MIN..=COLUMNS_MAX).contains(&width) && fits(same.len(), all) && !same.is_empty() {
        let inner = |at: usize| same.iter().map(|row| row[at].inner(wraps[at])).collect();
        let columns: Vec<Column> =
            wraps.iter().enumerate().map(|(at, &wrap)| Column { wrap, values: inner(at) }).collect();
        let quoted = columns.iter().filter(|column| column.wrap == Wrap::Quoted);
        let doubled = |value: &&[u8]| memchr::memmem::find(value, b"\"\"").is_some();
        let has_doubled_quotes = quoted.flat_map(|column| &column.values).any(doubled);
        return Some(Table { separator, columns, has_doubled_quotes });
    }
    None
}

/// The most frequent number of columns, and in how many rows it is met.
fn width(rows: &[Vec<Cell<'_>>]) -> Option<(usize, usize)> {
    most_frequent(rows.iter().map(Vec::len))
}

fn usual_wrap(rows: &[Vec<Cell<'_>>], at: usize) -> Wrap {
    most_frequent(rows.iter().map(|row| row[at].wrap)).map_or(Wrap::Bare, |(wrap, _)| wrap)
}

fn most_frequent<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0) += 1;
    }
    counts.into_iter().max_by_key(|&(value, count)| (count, Reverse(value)))
}

/// One value with what is around it.
#[derive(Debug, Clone, Copy)]
struct Cell<'a> {
    raw: &'a [u8],
    wrap: Wrap,
}

impl<'a> Cell<'a> {
    fn of(raw: &'a [u8]) -> Self {
        let wrap = match raw {
            [b'"', .., b'"'] => Wrap::Quoted,
            [b'[', .., b']'] => Wrap::Bracketed,
            _ => Wrap::Bare,
        };
        Self { raw, wrap }
    }

    /// True for what could be a column's name in a first line; the values of a request are not all words.
    fn is_name(&self) -> bool {
        let name = self.raw.trim_ascii();
        let name = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name);
        name.first().is_some_and(u8::is_ascii_alphabetic)
            && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-. ()".contains(byte))
    }

    /// In a column of bare values quotes and brackets belong to the value.
    fn inner(self, wrap: Wrap) -> &'a [u8] {
        if wrap == Wrap::Bare { self.raw } else { &self.raw[1..self.raw.len() - 1] }
    }
}

/// Splits where the separator stands outside of quotes and, if it is a blank, outside of brackets, times and lists.
fn split<'a>(line: &'a [u8], separator: &[u8]) -> Vec<Cell<'a>> {
    let is_blank = separator == b" ";
    let mut cells = Vec::new();
    let mut rest = if is_blank { line.trim_ascii() } else { line };
    // Where one quote finds no end no later one does: the line is searched once.
    let mut quotes_end = true;
    loop {
        let end = match rest.first() {
            Some(b'"') if quotes_end => {
                let end = quote_end(rest, separator);
                quotes_end = end.is_some();
                end
            }
            Some(b'[') if is_blank => bracket_end(rest),
            _ => None,
        };
        let end = end.unwrap_or_else(|| {
            if is_blank {
                return blank_end(rest);
            }
            memchr::memmem::find(rest, separator).unwrap_or(rest.len())
        });
        cells.push(Cell::of(&rest[..end]));
        let Some(after) = rest.get(end + separator.len()..).filter(|_| end < rest.len()) else {
            return cells;
        };
        if cells.len() > COLUMNS_MAX {
            return cells;
        }
        rest = if is_blank { after.trim_ascii_start() } else { after };
    }
}

/// The place after the quote that closes the one at the start: a separator or nothing follows it, and neither a
/// backslash nor another quote takes its meaning.
fn quote_end(text: &[u8], separator: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        let after = text.get(at + 1..).unwrap_or_default();
        at += if text[at] == b'\\' {
            2
        } else if after.is_empty() || after.starts_with(separator) {
            return Some(at + 1);
        } else if after[0] == b'"' {
            2
        } else {
            1
        };
    }
}

/// No log has more in brackets than a time, a name, or an address.
const BRACKETED_MAX: usize = 128;

fn bracket_end(text: &[u8]) -> Option<usize> {
    let head = &text[..text.len().min(BRACKETED_MAX)];
    let end = memchr::memchr(b']', head)? + 1;
    text.get(end).is_none_or(|&byte| byte == b' ').then_some(end)
}

/// The end of a value without quotes, which goes on behind a blank within a time or a list.
fn blank_end(text: &[u8]) -> usize {
    let mut end = 0;
    loop {
        end = memchr::memchr(b' ', &text[end..]).map_or(text.len(), |at| end + at);
        let after = text.get(end + 1..).unwrap_or_default();
        let value = &text[..end];
        let in_list =
            value.ends_with(b",") && is_of_lists(value) && after.first().is_some_and(u8::is_ascii_digit);
        if in_list || goes_on(value, after) {
            end += 1;
        } else if text[end..].starts_with(b" : ") && is_of_lists(value) {
            end += 3;
        } else {
            return end;
        }
    }
}

/// True for text that a list of upstream tries could begin with; how long it is does not matter.
fn is_of_lists(text: &[u8]) -> bool {
    let head = &text[..text.len().min(16)];
    head.iter().all(|byte| byte.is_ascii_hexdigit() || b".:,-[] ".contains(byte))
}

/// True if the blank stands in a time: before its zone, or between date and clock.
fn goes_on(value: &[u8], after: &[u8]) -> bool {
    let is_date_and_clock =
        value.len() >= 18 && value.len() <= 30 && value[0].is_ascii_digit() && value.contains(&b':');
    let zone = matches!(after, [b'+' | b'-', zone @ ..]
        if zone.len() >= 4 && zone[..4].iter().all(|byte| byte.is_ascii_digit() || *byte == b':'));
    let is_date = value.len() == 10 && (value[4], value[7]) == (b'-', b'-') && value[0].is_ascii_digit();
    let clock = matches!(after, [a, b, b':', c, d, b':', ..]
        if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()));
    is_date_and_clock && zone || is_date && clock
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, separator: &str, expected: &[&str]) {
        let cells = split(line.as_bytes(), separator.as_bytes());
        let cells: Vec<_> = cells.iter().map(|cell| String::from_utf8_lossy(cell.raw)).collect();
        assert_eq!(cells, expected, "{line}");
    }

    #[test]
    fn separators_within_values_do_not_count() {
        check("a\tb\t\t", "\t", &["a", "b", "", ""]);
        check(r#""a,""b""",c,"","d\",e""#, ",", &[r#""a,""b""""#, "c", r#""""#, r#""d\",e""#]);
        check(r#"a "b c" d"#, " ", &["a", r#""b c""#, "d"]);
        check(r#"a "b c d"#, " ", &["a", "\"b", "c", "d"]);
        check("a  [b c] [d", " ", &["a", "[b c]", "[d"]);
        check("23/Nov/2026:05:53:11 +0000 a", " ", &["23/Nov/2026:05:53:11 +0000", "a"]);
        check("2026-11-23 05:53:11 7", " ", &["2026-11-23 05:53:11", "7"]);
        check("0.1, 0.2 : 0.3 a, b", " ", &["0.1, 0.2 : 0.3", "a,", "b"]);
        check("", " ", &[""]);
        check("a | b|c", " | ", &["a", "b|c"]);
    }

    #[test]
    fn lines_with_other_columns_are_left_out() {
        let lines: Vec<&[u8]> = vec![b"names;of;columns;"; 1];
        let rows: Vec<&[u8]> = vec![b"1;\"b\";3"; 20];
        let lines = [lines, rows, vec![b"1;2;3".as_slice()]].concat();
        let found: Vec<Table> = tables(&lines).collect();
        let shown: Vec<_> =
            found[0].columns.iter().map(|column| (column.wrap, column.values.len())).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(shown, [(Wrap::Bare, 20), (Wrap::Quoted, 20), (Wrap::Bare, 20)]);
    }
}
