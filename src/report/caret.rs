//! A place in a line of a log, shown.

use unicode_width::UnicodeWidthStr;

use super::escape;

/// Bytes of a line shown before and after the column.
const CONTEXT: usize = 50;

/// Two lines, indented: the surroundings of the byte at `column`, and a caret under it.
pub fn pointed(text: &[u8], column: usize, indent: usize) -> String {
    let column = column.min(text.len());
    let from = column.saturating_sub(CONTEXT);
    let to = (column + CONTEXT).min(text.len());
    let before = escape::terminal(&text[from..column]);
    let after = escape::terminal(&text[column..to]);
    let dots = |cut: bool| if cut { "…" } else { "" };
    let (open, close) = (dots(from > 0), dots(to < text.len()));
    let margin = " ".repeat(indent);
    let width = open.width() + before.width();
    format!("{margin}{open}{before}{after}{close}\n{margin}{}^", " ".repeat(width))
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
}
