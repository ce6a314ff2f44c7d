//! Text of a log, made safe for where it is going.
//!
//! Every byte of a log was chosen by a stranger who may know that someone will read it in a terminal, open it in a
//! spreadsheet or paste it into an issue. Nothing is lost silently: what must not be printed is shown by its number,
//! `\x1b` for a byte or an ASCII control, `\u{202e}` for any other character. A backslash of the log's own stays as
//! it is, so `\x1b` on the screen may also have been four harmless characters; JSON tells them apart.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// Combining marks that may follow one another. Living scripts need fewer; more is a tower of marks that paints over
/// the lines above it.
pub(super) const MARKS_MAX: usize = 4;

/// What becomes of CSV cells that a spreadsheet would compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formulas {
    /// Such a cell gets a leading `'`, and nothing invisible or controlling leaves.
    Neutralised,
    /// Cells are the log's text, for programs: only invalid bytes and NUL are shown by number.
    Raw,
}

/// Text for a terminal: one line, in reading order, with nothing that moves the cursor or hides.
pub fn terminal(bytes: &[u8]) -> Cow<'_, str> {
    let mut marks = 0;
    show(bytes, move |c| {
        // Controls have no width at all (`None`) and are hidden anyway.
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        is_hidden(c) || marks > MARKS_MAX
    })
}

/// Text for JSON: the log's own characters. The JSON writer quotes them, and writes hidden ones as `\uXXXX`.
pub fn json(bytes: &[u8]) -> Cow<'_, str> {
    show(bytes, |_| false)
}

/// Text for a CSV cell; the CSV writer quotes it.
///
/// A cell is a formula if its first character that is not blank is `=`, `+`, `-`, `@` or the full-width form of one,
/// which some spreadsheets accept as well. A lone `-`, the log's word for "nothing", and plain numbers are not.
/// A leading tab or carriage return, the other known way in, is shown by number like every control.
pub fn csv_cell(bytes: &[u8], formulas: Formulas) -> String {
    match formulas {
        Formulas::Raw => show(bytes, |c| c == '\0').into_owned(),
        Formulas::Neutralised => {
            let text = terminal(bytes).into_owned();
            if is_formula(&text) { format!("'{text}") } else { text }
        }
    }
}

/// Text for Markdown, within a table cell, a list item or a paragraph.
///
/// Words of letters, digits, inner blanks and hyphens stand as they are; everything else goes into a code span.
/// Backslashes would stop tags, links and images, but not what a forge finds afterwards in plain text: e-mail
/// addresses, `@mentions` that notify people, issue numbers. Nothing is looked for in code. The fence is longer than
/// any run of backticks inside, and `|`, which would end a table cell even in code, is shown as `\x7c`.
pub fn markdown(bytes: &[u8]) -> String {
    let text = terminal(bytes);
    if is_plain_words(&text) {
        return text.into_owned();
    }
    let text = text.replace('|', "\\x7c");
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // One blank at both ends belongs to the fence, so these texts need one of their own.
    let edge = |c| c == '`' || c == ' ';
    let pad = if text.starts_with(edge) || text.ends_with(edge) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Appends text of evidence, which must be safe to look at and lose no byte: a backslash is doubled, and every byte of
/// what must not be printed, or would begin a formula, stands by its number, `\x1b`.
pub fn evidence(bytes: &[u8], out: &mut Vec<u8>) {
    let mut formula = is_formula(&String::from_utf8_lossy(bytes));
    let mut marks = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            marks = if c.width() == Some(0) { marks + 1 } else { 0 };
            let begins_formula = formula && !c.is_whitespace();
            formula &= !begins_formula;
            let mut encoded = [0; 4];
            let encoded = c.encode_utf8(&mut encoded).as_bytes();
            if c == '\\' {
                out.extend_from_slice(b"\\\\");
            } else if is_hidden(c) || marks > MARKS_MAX || begins_formula {
                number(encoded, out);
            } else {
                out.extend_from_slice(encoded);
            }
        }
        number(chunk.invalid(), out);
    }
}

/// Appends bytes by their numbers.
fn number(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.extend([b'\\', b'x', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// True for characters that a person cannot see or that change how others are seen: controls, bidirectional and
/// other format characters, invisible fillers, variation selectors, tags, private use, non-characters.
pub(super) fn is_hidden(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\0'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{70f}'
        | '\u{8e2}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        // Planes 14 to 16: tags, variation selectors, private use.
        | '\u{e0000}'.. => true,
        // The last two of every plane are no characters.
        _ => u32::from(c) & 0xfffe == 0xfffe,
    }
}

/// Characters for which `hidden` holds and invalid bytes by number, the rest as it is.
fn show(bytes: &[u8], mut hidden: impl FnMut(char) -> bool) -> Cow<'_, str> {
    let mut shown = String::new();
    // Up to here the input is its own output; most text of most logs is, to its end.
    let mut same = 0;
    let mut position = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if hidden(c) {
                copy(&mut shown, bytes, same, position);
                let code = u32::from(c);
                let written = if c.is_ascii() {
                    write!(shown, "\\x{code:02x}")
                } else {
                    write!(shown, "\\u{{{code:x}}}")
                };
                written.expect("writing to a string cannot fail");
                same = position + c.len_utf8();
            }
            position += c.len_utf8();
        }
        if !chunk.invalid().is_empty() {
            copy(&mut shown, bytes, same, position);
            for byte in chunk.invalid() {
                write!(shown, "\\x{byte:02x}").expect("writing to a string cannot fail");
            }
            position += chunk.invalid().len();
            same = position;
        }
    }
    if same == 0 {
        // Nothing was replaced, so every chunk was valid and this borrows.
        return String::from_utf8_lossy(bytes);
    }
    copy(&mut shown, bytes, same, position);
    Cow::Owned(shown)
}

/// Appends `bytes[from..to]`, which `show` has found valid.
fn copy(shown: &mut String, bytes: &[u8], from: usize, to: usize) {
    shown.push_str(&String::from_utf8_lossy(&bytes[from..to]));
}

fn is_formula(text: &str) -> bool {
    text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) && !is_plain_number(text)
}

/// `-`, or an optional sign, digits, and at most one point with digits on both sides.
fn is_plain_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    text == "-"
        || match number.split_once('.') {
            Some((whole, fraction)) => digits(whole) && digits(fraction),
            None => digits(number),
        }
}

fn is_plain_words(text: &str) -> bool {
    let edge = [' ', '-'];
    text == "-"
        || (!text.starts_with(edge)
            && !text.ends_with(edge)
            && text.chars().all(|c| c.is_alphanumeric() || edge.contains(&c)))
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a reader of evidence gets back.
    fn read_back(text: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = text;
        while let [first, after @ ..] = rest {
            rest = after;
            match (first, after) {
                (b'\\', [b'x', high, low, after @ ..]) => {
                    let digits = [*high, *low];
                    let digits = std::str::from_utf8(&digits).unwrap();
                    bytes.push(u8::from_str_radix(digits, 16).unwrap());
                    rest = after;
                }
                (b'\\', [b'\\', after @ ..]) => {
                    bytes.push(b'\\');
                    rest = after;
                }
                _ => bytes.push(*first),
            }
        }
        bytes
    }

    #[test]
    fn evidence_is_safe_and_complete() {
        fn check(input: &[u8], expected: &str) {
            let mut out = Vec::new();
            evidence(input, &mut out);
            assert_eq!(String::from_utf8(out.clone()).unwrap(), expected, "{input:?}");
            assert_eq!(read_back(&out), input);
        }
        check(b"GET /a HTTP/1.1", "GET /a HTTP/1.1");
        check(b"\x1b]0;x\x07\t\r", "\\x1b]0;x\\x07\\x09\\x0d");
        check(b"\\x1b \\", "\\\\x1b \\\\");
        check(b"a\xff\xc2\x9b", "a\\xff\\xc2\\x9b");
        check("ü\u{202e}x".as_bytes(), "ü\\xe2\\x80\\xaex");
        check(b"=1+1", "\\x3d1+1");
        check(b" @x", " \\x40x");
        check(b"-", "-");
        check(b"", "");
    }

    #[test]
    fn terminal_shows_what_hides() {
        fn check(input: &[u8], expected: &str) {
            assert_eq!(terminal(input), expected, "{input:?}");
        }
        check(b"", "");
        check(b"GET /a?b=1 HTTP/1.1", "GET /a?b=1 HTTP/1.1");
        check("北京 ünï".as_bytes(), "北京 ünï");
        check(b"a\\x1b", "a\\x1b");
        check(b"\x1b[31m", "\\x1b[31m");
        check(b"\0\t\r\n\x7f", "\\x00\\x09\\x0d\\x0a\\x7f");
        check(b"\x1b]8;;http://x\x07y", "\\x1b]8;;http://x\\x07y");
        check(b"\x9b31m", "\\x9b31m");
        check("\u{9b}31m".as_bytes(), "\\u{9b}31m");
        check("a\u{202e}b\u{200b}".as_bytes(), "a\\u{202e}b\\u{200b}");
        check(
            "\u{2028}\u{2029}\u{61c}\u{180e}\u{feff}".as_bytes(),
            "\\u{2028}\\u{2029}\\u{61c}\\u{180e}\\u{feff}",
        );
        check("\u{e0041}\u{e000}\u{10ffff}\u{1ffff}".as_bytes(), "\\u{e0041}\\u{e000}\\u{10ffff}\\u{1ffff}");
        check(b"ok\xff\xfe\xe4\xbd!", "ok\\xff\\xfe\\xe4\\xbd!");
        check("e\u{301}".as_bytes(), "e\u{301}");
        check("e\u{301}\u{301}\u{301}\u{301}\u{301}".as_bytes(), "e\u{301}\u{301}\u{301}\u{301}\\u{301}");
    }

    #[test]
    fn json_keeps_characters() {
        fn check(input: &[u8], expected: &str) {
            assert_eq!(json(input), expected, "{input:?}");
        }
        check(b"a\x1b\0\"\n", "a\x1b\0\"\n");
        check(b"a\xffb", "a\\xffb");
        check("\u{202e}".as_bytes(), "\u{202e}");
    }

    #[test]
    fn csv_cells_are_not_computed() {
        fn check(input: &str, neutralised: &str, raw: &str) {
            assert_eq!(csv_cell(input.as_bytes(), Formulas::Neutralised), neutralised, "{input:?}");
            assert_eq!(csv_cell(input.as_bytes(), Formulas::Raw), raw, "{input:?}");
        }
        check("=cmd()", "'=cmd()", "=cmd()");
        check("@a", "'@a", "@a");
        check("  +a", "'  +a", "  +a");
        check("\u{3000}＝1", "'\u{3000}＝1", "\u{3000}＝1");
        check("\t=1", "\\x09=1", "\t=1");
        check("\r-1", "\\x0d-1", "\r-1");
        check("-", "-", "-");
        check("--", "'--", "--");
        check("-5", "-5", "-5");
        check("+1.5", "+1.5", "+1.5");
        check("-5+1", "'-5+1", "-5+1");
        check("-.5", "'-.5", "-.5");
        check(" -5", "' -5", " -5");
        check("a=b", "a=b", "a=b");
        check("a\0\nb", "a\\x00\\x0ab", "a\\x00\nb");
    }

    #[test]
    fn markdown_is_inert() {
        fn check(input: &str, expected: &str) {
            assert_eq!(markdown(input.as_bytes()), expected, "{input:?}");
        }
        check("", "");
        check("-", "-");
        check("CN-GD", "CN-GD");
        check("北京 2", "北京 2");
        check("a|b", "`a\\x7cb`");
        check("a\\|b\\", "`a\\\\x7cb\\`");
        check("<img src=x>", "`<img src=x>`");
        check("@octocat", "`@octocat`");
        check("http://example.com", "`http://example.com`");
        check("a`b", "``a`b``");
        check("``", "``` `` ```");
        check(" a", "`  a `");
        check("a\nb", "`a\\x0ab`");
    }

    /// One character or byte at a time, with nothing borrowed.
    fn terminal_slowly(bytes: &[u8]) -> String {
        let mut shown = String::new();
        let mut marks = 0;
        let mut rest = bytes;
        while !rest.is_empty() {
            let c = (1..=rest.len().min(4)).find_map(|n| str::from_utf8(&rest[..n]).ok()?.chars().next());
            let Some(c) = c else {
                shown.extend([format!("\\x{:02x}", rest[0])]);
                rest = &rest[1..];
                continue;
            };
            marks = if c.width() == Some(0) { marks + 1 } else { 0 };
            match (is_hidden(c) || marks > MARKS_MAX, c.is_ascii()) {
                (false, _) => shown.push(c),
                (true, true) => shown.extend([format!("\\x{:02x}", u32::from(c))]),
                (true, false) => shown.extend([format!("\\u{{{:x}}}", u32::from(c))]),
            }
            rest = &rest[c.len_utf8()..];
        }
        shown
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn evidence_reads_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut out = Vec::new();
            evidence(&bytes, &mut out);
            prop_assert_eq!(read_back(&out), bytes);
            let text = String::from_utf8(out).unwrap();
            prop_assert_eq!(terminal(text.as_bytes()), text.as_str());
        }

        #[test]
        fn terminal_agrees_with_its_slow_twin(bytes: Vec<u8>, text: String) {
            prop_assert_eq!(terminal(&bytes), terminal_slowly(&bytes));
            prop_assert_eq!(terminal(text.as_bytes()), terminal_slowly(text.as_bytes()));
            prop_assert!(!terminal(text.as_bytes()).chars().any(is_hidden));
            prop_assert_eq!(json(text.as_bytes()), text.as_str());
        }
    }
}
