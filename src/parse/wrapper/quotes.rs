//! Whole lines in quotes, as spreadsheets and databases export them.
//!
//! ```text
//! "192.0.2.1 - - […] ""GET / HTTP/1.1"" 200 7 ""-"" ""x"""     inner quotes doubled
//! "192.0.2.1 - - […] "GET / HTTP/1.1" 200 7 "-" "x""           not doubled
//! "192.0.2.1" "GET / HTTP/1.1" "x"                             a log whose fields are quoted: no wrapper
//! ```

use memchr::memchr;

use super::{Escape, Found};

/// The outer quotes, if that is what they are.
pub(super) fn whole(text: &[u8]) -> Option<Found> {
    let text = text.trim_ascii_end();
    let held = text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let escape = match memchr(b'"', held) {
        None => Escape::None,
        Some(_) if is_doubled(held) => Escape::DoubledQuotes,
        // The next quote opens a value; if it closed one, the line would merely begin with a quoted value.
        Some(next) => {
            let opens = next > 0 && held[next - 1].is_ascii_whitespace();
            let follows = held.get(next + 1).is_some_and(|byte| !byte.is_ascii_whitespace());
            if !(opens && follows) {
                return None;
            }
            Escape::None
        }
    };
    Some(Found { end: text.len() - 1, escape, ..Found::from(1, text) })
}

/// Makes one quote of two.
pub(super) fn unescape(text: &mut Vec<u8>) {
    let mut kept = 0;
    let mut from = 0;
    while from < text.len() {
        let byte = text[from];
        text[kept] = byte;
        kept += 1;
        from += if byte == b'"' && text.get(from + 1) == Some(&b'"') { 2 } else { 1 };
    }
    text.truncate(kept);
}

/// True if quotes come in pairs only. A row of quoted fields has lone ones between its fields.
fn is_doubled(held: &[u8]) -> bool {
    let mut rest = held;
    while let Some(next) = memchr(b'"', rest) {
        if rest.get(next + 1) != Some(&b'"') {
            return false;
        }
        rest = &rest[next + 2..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<&str>) {
        let found = whole(line.as_bytes()).map(|found| {
            let mut text = line.as_bytes()[found.start..found.end].to_vec();
            if found.escape == Escape::DoubledQuotes {
                unescape(&mut text);
            }
            String::from_utf8(text).unwrap()
        });
        assert_eq!(found.as_deref(), expected, "{line}");
    }

    #[test]
    fn outer_quotes_are_told_from_quoted_values() {
        check(r#""a ""GET /"" 200 ""x""""#, Some(r#"a "GET /" 200 "x""#));
        check(r#""a "GET /" 200 "x"""#, Some(r#"a "GET /" 200 "x""#));
        check(r#""a "GET /" 200 """"#, Some(r#"a "GET /" 200 """#));
        check(r#""a "" 400 "-" "-"""#, Some(r#"a "" 400 "-" "-""#));
        check(r#""plain""#, Some("plain"));
        check(r#""""#, Some(""));
        check(r#"""#, None);
        check(r#"a "GET /" "x""#, None);
        check(r#""192.0.2.1" "GET /" "x""#, None);
        check(r#""192.0.2.1","GET /","x""#, None);
        check(r#""","","""#, None);
        check(r#""192.0.2.1, 192.0.2.2" 10.0.0.1 - - "GET /" "x""#, None);
    }
}
