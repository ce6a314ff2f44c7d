//! A place in a line of a log, shown.

use unicode_width::UnicodeWidthStr;

use super::escape;

/// Terminal columns of a line shown before and after the place.
const CONTEXT: usize = 50;

/// Bytes that are looked at for one column: a letter has up to four, and a few marks may stand over it.
const BYTES_PER_COLUMN: usize = 8;

/// Two lines, indented: the surroundings of the byte at `column`, and a caret under it.
pub fn pointed(text: &[u8], column: usize, indent: usize) -> String {
    let (before, after) = text.split_at(column.min(text.len()));
    let open = ending(before, CONTEXT);
    let margin = " ".repeat(indent);
    let width = open.width();
    format!("{margin}{open}{}\n{margin}{}^", beginning(after, CONTEXT), " ".repeat(width))
}

/// The beginning of a text as a terminal may see it, an ellipsis in place of what is beyond so many columns.
pub fn beginning(text: &[u8], width: usize) -> String {
    let looked_at = &text[..text.len().min(width * BYTES_PER_COLUMN)];
    let letters = letters(looked_at);
    let fitting = fitting(letters.iter(), width);
    let dots = if fitting < letters.len() || looked_at.len() < text.len() { "…" } else { "" };
    letters[..fitting].concat() + dots
}

/// The ending, likewise.
fn ending(text: &[u8], width: usize) -> String {
    let looked_at = &text[text.len().saturating_sub(width * BYTES_PER_COLUMN)..];
    let letters = letters(looked_at);
    let fitting = fitting(letters.iter().rev(), width);
    let dots = if fitting < letters.len() || looked_at.len() < text.len() { "…" } else { "" };
    dots.to_owned() + &letters[letters.len() - fitting..].concat()
}

/// How many of the letters, from the first on, have room.
fn fitting<'a>(letters: impl Iterator<Item = &'a String>, width: usize) -> usize {
    let mut used = 0;
    letters
        .take_while(|letter| {
            used += letter.width();
            used <= width
        })
        .count()
}

/// Each letter, or each byte that is none, as it is shown.
fn letters(text: &[u8]) -> Vec<String> {
    let mut letters = Vec::new();
    let mut one = [0; 4];
    let mut marks = 0;
    for chunk in text.utf8_chunks() {
        for letter in chunk.valid().chars() {
            let shown = escape::terminal(letter.encode_utf8(&mut one).as_bytes()).into_owned();
            marks = if shown.width() == 0 { marks + 1 } else { 0 };
            let is_tower = marks > escape::MARKS_MAX;
            letters.push(if is_tower { format!("\\u{{{:x}}}", u32::from(letter)) } else { shown });
        }
        letters.extend(chunk.invalid().iter().map(|&byte| escape::terminal(&[byte]).into_owned()));
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_column() {
        let check = |text: &[u8], column, expected: &str| assert_eq!(pointed(text, column, 2), expected);
        check(b"ab cd", 3, "  ab cd\n     ^");
        check(b"ab", 9, "  ab\n    ^");
        check(b"", 0, "  \n  ^");
        check("ä\x1bö日x".as_bytes(), 8, "  ä\\x1bö日x\n          ^");
        let long = [b'x'; 200];
        let fifty = "x".repeat(50);
        check(&long, 100, &format!("  …{fifty}{fifty}…\n{}^", " ".repeat(53)));
    }

    #[test]
    fn what_is_shown_by_number_takes_its_room() {
        let check = |text: &[u8], width, expected: &str| assert_eq!(beginning(text, width), expected);
        check(b"abc", 3, "abc");
        check(b"abcd", 3, "abc…");
        check(b"\xff\xfe\xfd", 8, "\\xff\\xfe…");
        check(b"a\x1b[2J", 20, "a\\x1b[2J");
        check("日本語".as_bytes(), 4, "日本…");
        let binary = [0xff; 400];
        let shown = pointed(&binary, 200, 0);
        assert!(shown.lines().all(|line| line.width() <= 2 * CONTEXT + 2), "{shown}");
    }
}
