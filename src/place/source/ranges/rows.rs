//! Rows of a CSV or TSV file, cut into fields where they stand.
//!
//! A file has millions of rows, so nothing is copied: a field is a span of the file's bytes, which also tells the
//! column of a complaint.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// What is wrong with a file and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// From 1.
    pub(super) line: u32,
    /// From 1, in bytes.
    pub(super) column: usize,
    pub(super) what: String,
}

/// One row after another.
#[derive(Debug, Clone)]
pub(super) struct Rows<'a> {
    bytes: &'a [u8],
    separator: u8,
    /// Where the next row begins.
    at: usize,
    next_line: u32,
    /// The line at which the current row begins, from 1.
    pub(super) line: u32,
    line_start: usize,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    start: usize,
    end: usize,
    quotes: Quotes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Around,
    /// And doubled inside.
    Doubled,
}

impl<'a> Rows<'a> {
    /// Tabs, commas or semicolons separate fields: whichever the first row has.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut rows =
            Self { bytes, separator: b',', at: 0, next_line: 1, line: 0, line_start: 0, fields: Vec::new() };
        rows.skip();
        let end = memchr(b'\n', &bytes[rows.at..]).map_or(bytes.len(), |end| rows.at + end);
        let first = &bytes[rows.at..end];
        rows.separator = [b'\t', b',', b';'].into_iter().find(|byte| first.contains(byte)).unwrap_or(b',');
        rows
    }

    /// `TSV` or `CSV`.
    pub(super) fn form(&self) -> &'static str {
        if self.separator == b'\t' { "TSV" } else { "CSV" }
    }

    /// Goes to the next row; false at the end.
    pub(super) fn advance(&mut self) -> Result<bool, Trouble> {
        self.skip();
        self.line = self.next_line;
        self.line_start = self.at;
        self.fields.clear();
        if self.at == self.bytes.len() {
            return Ok(false);
        }
        while self.field()? {}
        Ok(true)
    }

    /// How many fields the current row has.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// A field of the current row without blanks and quotes around it; empty if the row is shorter.
    pub(super) fn get(&self, index: usize) -> Cow<'a, [u8]> {
        let Some(field) = self.fields.get(index) else { return Cow::Borrowed(b"") };
        let text = self.bytes[field.start..field.end].trim_ascii();
        if self.separator == b'\t' {
            return Cow::Borrowed(unquoted(text));
        }
        if field.quotes != Quotes::Doubled {
            return Cow::Borrowed(text);
        }
        let mut skip = false;
        let keep = |byte: &u8| {
            skip = *byte == b'"' && !skip;
            !skip
        };
        Cow::Owned(text.iter().copied().filter(keep).collect())
    }

    /// A complaint about a field of the current row.
    pub(super) fn trouble(&self, index: usize, what: String) -> Trouble {
        let start = self.fields.get(index).map_or(self.at, |field| field.start);
        Trouble { line: self.line, column: start.saturating_sub(self.line_start) + 1, what }
    }

    /// The current row as it stands.
    pub(super) fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.bytes[self.line_start..self.at].trim_ascii())
    }

    /// Skips empty lines and comments.
    fn skip(&mut self) {
        while self.at < self.bytes.len() {
            let rest = &self.bytes[self.at..];
            let length = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            if rest[0] != b'#' && !rest[..length].trim_ascii().is_empty() {
                return;
            }
            self.at += length;
            self.next_line = self.next_line.saturating_add(1);
        }
    }

    /// Cuts one field; true if another follows in this row.
    fn field(&mut self) -> Result<bool, Trouble> {
        let blanks = self.bytes[self.at..].iter().take_while(|&&byte| byte == b' ').count();
        // Tab separated files are written without quoting: a quote is part of a name, unless two enclose all of it.
        if self.separator != b'\t' && self.bytes.get(self.at + blanks) == Some(&b'"') {
            self.at += blanks;
            return self.quoted();
        }
        let rest = &self.bytes[self.at..];
        let length = memchr2(self.separator, b'\n', rest).unwrap_or(rest.len());
        self.fields.push(Field { start: self.at, end: self.at + length, quotes: Quotes::None });
        self.at += length;
        Ok(self.end_field())
    }

    fn quoted(&mut self) -> Result<bool, Trouble> {
        let mut field = Field { start: self.at + 1, end: self.at + 1, quotes: Quotes::Around };
        loop {
            let Some(length) = memchr(b'"', &self.bytes[field.end..]) else {
                self.fields.push(field);
                return Err(self.trouble(self.len() - 1, "a quote that is not closed".to_owned()));
            };
            field.end += length;
            if self.bytes.get(field.end + 1) != Some(&b'"') {
                break;
            }
            field.end += 2;
            field.quotes = Quotes::Doubled;
        }
        let inside = memchr::memchr_iter(b'\n', &self.bytes[field.start..field.end]).count();
        self.next_line = self.next_line.saturating_add(u32::try_from(inside).unwrap_or(u32::MAX));
        self.fields.push(field);
        self.at = field.end + 1;
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\r');
        self.at += self.bytes[self.at..].iter().take_while(blank).count();
        match self.bytes.get(self.at) {
            None | Some(b'\n') => Ok(self.end_field()),
            Some(&byte) if byte == self.separator => Ok(self.end_field()),
            Some(_) => Err(self.trouble(self.len() - 1, "text after a closing quote".to_owned())),
        }
    }

    /// Steps over what ends a field; true if it was a separator.
    fn end_field(&mut self) -> bool {
        match self.bytes.get(self.at) {
            None => false,
            Some(b'\n') => {
                self.at += 1;
                self.next_line = self.next_line.saturating_add(1);
                false
            }
            Some(_) => {
                self.at += 1;
                true
            }
        }
    }
}

/// What two quotes enclose that are the only ones.
fn unquoted(text: &[u8]) -> &[u8] {
    let inner = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    inner.filter(|inner| !inner.contains(&b'"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(u32, &[&str])]) {
        let mut rows = Rows::new(text.as_bytes());
        for (line, fields) in expected {
            assert_eq!(rows.advance(), Ok(true), "{text}");
            let seen: Vec<_> =
                (0..rows.len()).map(|i| String::from_utf8(rows.get(i).into_owned()).unwrap()).collect();
            assert_eq!((rows.line, seen.as_slice()), (*line, fields.map_owned().as_slice()), "{text}");
        }
        assert_eq!(rows.advance(), Ok(false), "{text}");
    }

    trait Owned {
        fn map_owned(&self) -> Vec<String>;
    }

    impl Owned for [&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|&text| text.to_owned()).collect()
        }
    }

    #[test]
    fn rows_are_cut_into_fields() {
        check("", &[]);
        check("\n\n# no\n", &[]);
        check("a,b\nc", &[(1, &["a", "b"]), (2, &["c"])]);
        check("\u{FEFF}# x,y\r\n\r\na, b ,\r\n", &[(3, &["a", "b", ""])]);
        check("a\tb,\"c\td\n", &[(1, &["a", "b,\"c", "d"])]);
        check("a;b\n", &[(1, &["a", "b"])]);
        check("\"a\",\"b, \"\"c\"\"\" ,d\n", &[(1, &["a", "b, \"c\"", "d"])]);
        check("\"\"\"\"\"\",\"\"\n", &[(1, &["\"\"", ""])]);
        check("1,\"x\ny\"\n2", &[(1, &["1", "x\ny"]), (3, &["2"])]);
        check("1,a\"b\n", &[(1, &["1", "a\"b"])]);
    }

    #[test]
    fn broken_quotes_are_told() {
        let check = |text: &str, line, column, what: &str| {
            let mut rows = Rows::new(text.as_bytes());
            let found = loop {
                match rows.advance() {
                    Ok(more) => assert!(more, "{text}"),
                    Err(trouble) => break trouble,
                }
            };
            assert_eq!(found, Trouble { line, column, what: what.to_owned() }, "{text}");
        };
        check("a\nb,\"c\nd", 2, 4, "a quote that is not closed");
        check("a,\"b\"c\n", 1, 4, "text after a closing quote");
    }
}
