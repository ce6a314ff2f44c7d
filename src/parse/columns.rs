//! Columns between blanks or tabs, in the order of a `#Fields` header (W3C extended log file format).
//!
//! The first blank or tab outside quotes decides for the whole line: a tab always separates two values, with nothing
//! between two of them meaning an empty one; blanks separate in runs, tabs among them.

use memchr::{memchr, memchr2};

use super::Span;

/// Finds the columns of a line; true if there are more than the header names. Fails at the end of a line that has
/// fewer.
#[allow(clippy::cast_possible_truncation, reason = "a line is shorter than 4 GiB")]
pub(super) fn find(line: &[u8], spans: &mut [Span]) -> Result<bool, usize> {
    let line = line.trim_ascii_end();
    let first = value(line, 0, Separator::Blanks).2;
    let separator = if line.get(first) == Some(&b'\t') { Separator::Tab } else { Separator::Blanks };
    let mut at = separator.skip_run(line, 0);
    for span in spans.iter_mut() {
        if at > line.len() || (separator == Separator::Blanks && at == line.len()) {
            return Err(line.len());
        }
        let (start, end, after) = value(line, at, separator);
        *span = (start as u32, end as u32);
        at = separator.skip_run(line, after + 1);
    }
    Ok(at < line.len())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Tab,
    /// Any run of blanks and tabs.
    Blanks,
}

impl Separator {
    /// Where the next separator stands, or the end of the line.
    #[inline]
    fn next(self, line: &[u8], at: usize) -> usize {
        let found = match self {
            Self::Tab => memchr(b'\t', &line[at..]),
            Self::Blanks => memchr2(b' ', b'\t', &line[at..]),
        };
        found.map_or(line.len(), |found| at + found)
    }

    #[inline]
    fn is(self, byte: u8) -> bool {
        byte == b'\t' || (self == Self::Blanks && byte == b' ')
    }

    /// Past the blanks that a run has more than one of.
    #[inline]
    fn skip_run(self, line: &[u8], at: usize) -> usize {
        let rest = line.get(at..).unwrap_or_default();
        match self {
            Self::Tab => at,
            Self::Blanks => at + rest.iter().take_while(|&&byte| self.is(byte)).count(),
        }
    }
}

/// Start and end of a value, without its quotes if it has them, and where its separator stands. Within quotes a quote
/// is written twice; a quote that closes nothing is a byte like any other.
#[inline]
fn value(line: &[u8], at: usize, separator: Separator) -> (usize, usize, usize) {
    if line.get(at) == Some(&b'"') {
        let mut from = at + 1;
        while let Some(quote) = memchr(b'"', &line[from..]).map(|quote| from + quote) {
            match line.get(quote + 1) {
                Some(b'"') => from = quote + 2,
                Some(&byte) if !separator.is(byte) => break,
                _ => return (at + 1, quote, quote + 1),
            }
        }
    }
    let end = separator.next(line, at.min(line.len()));
    (at, end, end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Values one after the other, byte by byte.
    fn naive(line: &[u8]) -> Vec<Vec<u8>> {
        let line = line.trim_ascii_end();
        let split = |tabs: bool| {
            let separates = |byte: u8| byte == b'\t' || (!tabs && byte == b' ');
            let mut values = Vec::new();
            let mut rest = line;
            loop {
                while !tabs && rest.first().is_some_and(|&byte| separates(byte)) {
                    rest = &rest[1..];
                }
                if rest.is_empty() && (!tabs || values.is_empty()) {
                    return (values, false);
                }
                let quoted =
                    quoted(rest).filter(|&(_, used)| rest.get(used).is_none_or(|&byte| separates(byte)));
                let bare = rest.iter().position(|&byte| separates(byte)).unwrap_or(rest.len());
                let (text, used) = quoted.unwrap_or((&rest[..bare], bare));
                values.push(text.to_vec());
                if used == rest.len() {
                    return (values, false);
                }
                if values.len() == 1 && !tabs && rest[used] == b'\t' {
                    return (values, true);
                }
                rest = &rest[used + 1..];
            }
        };
        let (values, tab_first) = split(false);
        // A line that begins with a separator has an empty first value.
        match line.first() {
            Some(b'\t') => split(true).0,
            Some(b' ') => blanks(line),
            _ if tab_first => split(true).0,
            _ => values,
        }
    }

    /// As `split` does for blanks, without the look for a tab.
    fn blanks(line: &[u8]) -> Vec<Vec<u8>> {
        let text = [b"x ", line].concat();
        naive(&text).split_off(1)
    }

    fn quoted(text: &[u8]) -> Option<(&[u8], usize)> {
        let inner = text.strip_prefix(b"\"")?;
        let mut at = 0;
        loop {
            match (inner.get(at)?, inner.get(at + 1)) {
                (b'"', Some(b'"')) => at += 2,
                (b'"', _) => return Some((&inner[..at], at + 2)),
                _ => at += 1,
            }
        }
    }

    fn found(line: &[u8], columns: usize) -> Result<(Vec<Vec<u8>>, bool), usize> {
        let mut spans = vec![(0, 0); columns];
        let extra = find(line, &mut spans)?;
        Ok((spans.iter().map(|&(start, end)| line[start as usize..end as usize].to_vec()).collect(), extra))
    }

    fn check(line: &str, columns: usize, expected: Result<&[&str], usize>) {
        let shown = found(line.as_bytes(), columns).map(|(values, _)| {
            values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
        });
        let expected: Result<Vec<String>, usize> =
            expected.map(|values| values.iter().map(|&value| value.to_owned()).collect());
        assert_eq!(shown, expected, "{line:?}");
    }

    #[test]
    fn columns_stand_between_blanks_or_tabs() {
        check("a b c", 3, Ok(&["a", "b", "c"]));
        check("a   b \t c\r", 3, Ok(&["a", "b", "c"]));
        check("a\tb c\td", 3, Ok(&["a", "b c", "d"]));
        check("a\t\tb", 3, Ok(&["a", "", "b"]));
        check("\"a b\" \"c \"\"d\"\" \" \"\"", 3, Ok(&["a b", "c \"\"d\"\" ", ""]));
        check("\"a\tb\" c", 2, Ok(&["a\tb", "c"]));
        check("\"a\"b \"c", 2, Ok(&["\"a\"b", "\"c"]));
        check("a b c d", 2, Ok(&["a", "b"]));
        check("a b", 3, Err(3));
        check("", 1, Err(0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn the_fast_splitter_is_its_naive_twin(line in "[ab\" \t]{0,24}", columns in 1_usize..6) {
            let line = line.as_bytes();
            let values = naive(line);
            let expected = if values.len() < columns {
                Err(line.trim_ascii_end().len())
            } else {
                Ok((values[..columns].to_vec(), values.len() > columns))
            };
            prop_assert_eq!(found(line, columns), expected);
        }
    }
}
