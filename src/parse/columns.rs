//! Columns between blanks or tabs, in the order of a `#Fields` header (W3C extended log file format).

use memchr::memchr;

use super::Span;

/// Finds the columns of a line; true if there are more than the header names. Fails at the end of a line that has
/// fewer.
#[allow(clippy::cast_possible_truncation, reason = "a line is shorter than 4 GiB")]
pub(super) fn find(line: &[u8], spans: &mut [Span]) -> Result<bool, usize> {
    let separator = memchr(b'\t', line).map_or(b' ', |_| b'\t');
    let mut at = 0;
    for span in spans.iter_mut() {
        if separator == b' ' {
            at += line[at..].iter().take_while(|&&byte| byte == b' ').count();
        }
        if at >= line.len() {
            return Err(line.len());
        }
        let (start, end) = value(line, at, separator);
        *span = (start as u32, end as u32);
        let after = if start > at { end + 1 } else { end };
        at = (after + 1).min(line.len());
    }
    Ok(!line[at..].trim_ascii().is_empty())
}

/// A value, without its quotes if it has them: inside, a quote is written twice.
fn value(line: &[u8], at: usize, separator: u8) -> (usize, usize) {
    if line[at] == b'"' {
        let mut from = at + 1;
        while let Some(quote) = memchr(b'"', &line[from..]).map(|quote| from + quote) {
            if line.get(quote + 1) != Some(&b'"') {
                return (at + 1, quote);
            }
            from = quote + 2;
        }
    }
    (at, memchr(separator, &line[at..]).map_or(line.len(), |end| at + end))
}
