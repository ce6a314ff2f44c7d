//! Headers of syslog, as servers send them and as collectors write them.
//!
//! ```text
//! <190>Nov 23 05:53:03 web nginx: …             RFC 3164; <190> and the host may be missing
//! 2026 Nov 23 05:53:03.123 web nginx[7]: …      with a year, a fraction, a process
//! <34>1 2026-11-23T05:53:03Z web nginx 7 - - …  RFC 5424
//! 2026-11-23T05:53:03.003+01:00 web nginx: …    what rsyslog writes
//! <190>…                                        the priority alone
//! ```

use memchr::memchr;

/// The longest priority is `<191>`.
const PRIORITY_DIGITS_MAX: usize = 3;

/// The longest host name.
const HOST_MAX: usize = 255;

/// The longest tag, or other word of a header.
const WORD_MAX: usize = 128;

/// The longest name of a month, in bytes.
const MONTH_MAX: usize = 24;

/// The longest header altogether, structured data included.
const HEADER_MAX: usize = 8 << 10;

/// The length of a header.
pub(super) fn header(line: &[u8]) -> Option<usize> {
    read(line).map(|header| header.length)
}

/// The machine that a header names.
pub(super) fn host(line: &[u8]) -> Option<&[u8]> {
    read(line)?.host.filter(|host| *host != b"-")
}

struct Header<'a> {
    length: usize,
    host: Option<&'a [u8]>,
}

fn read(line: &[u8]) -> Option<Header<'_>> {
    let text = &line[..line.len().min(HEADER_MAX)];
    let (has_priority, after) = match priority(text) {
        Some(after) => (true, after),
        None => (false, text),
    };
    let (host, rest) = structured(after)
        .or_else(|| tagged(iso_time(after)?))
        .or_else(|| tagged(month_time(after)?))
        .or(has_priority.then_some((None, after)))?;
    Some(Header { length: text.len() - rest.len(), host })
}

/// `2026-11-23T05:53:03`, a fraction, a zone; also with a blank for the `T`. Returns what follows.
pub(super) fn iso_time(text: &[u8]) -> Option<&[u8]> {
    let (date, rest) = text.split_at_checked(b"2026-11-23".len())?;
    let is_date = date.iter().enumerate().all(|(index, byte)| match index {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let rest = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b" "))?;
    let rest = clock(rest)?;
    if !is_date {
        return None;
    }
    let rest = match rest {
        [b'Z', rest @ ..] => rest,
        [b'+' | b'-', h, i, b':', m, n, rest @ ..] | [b'+' | b'-', h, i, m, n, rest @ ..]
            if [h, i, m, n].iter().all(|byte| byte.is_ascii_digit()) =>
        {
            rest
        }
        _ => rest,
    };
    Some(rest)
}

/// `05:53:03` and a fraction.
pub(super) fn clock(text: &[u8]) -> Option<&[u8]> {
    let (clock, rest) = text.split_at_checked(b"05:53:03".len())?;
    let is_clock = clock.iter().enumerate().all(|(index, byte)| match index {
        2 | 5 => *byte == b':',
        _ => byte.is_ascii_digit(),
    });
    if !is_clock {
        return None;
    }
    let Some((b'.' | b',', fraction)) = rest.split_first() else { return Some(rest) };
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=9).contains(&digits).then(|| &fraction[digits..])
}

/// `<190>`.
fn priority(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"<")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=PRIORITY_DIGITS_MAX).contains(&digits) {
        return None;
    }
    rest[digits..].strip_prefix(b">")
}

/// `Nov 23 05:53:03`, in any language, with a year before it, after the day or at the end.
fn month_time(text: &[u8]) -> Option<&[u8]> {
    let text = year(text).unwrap_or(text);
    let (month, rest) = word(text, MONTH_MAX)?;
    let is_foreign = month.iter().any(|byte| !byte.is_ascii());
    let is_month = month.len() > 2
        && month.iter().all(|&byte| {
            byte.is_ascii_alphabetic()
                || byte == b'.'
                || !byte.is_ascii()
                || is_foreign && byte.is_ascii_digit()
        });
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let (day, rest) = word(rest, 2)?;
    if !is_month || !day.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let rest = clock(year(rest).unwrap_or(rest))?.strip_prefix(b" ")?;
    Some(year(rest).map_or_else(|| &text[text.len() - rest.len() - 1..], |_| &rest[4..]))
}

/// A year and a blank.
fn year(text: &[u8]) -> Option<&[u8]> {
    let (year, rest) = word(text, 4)?;
    (year.len() == 4 && year.iter().all(u8::is_ascii_digit)).then_some(rest)
}

/// A host, if there is one, and what follows.
type Hosted<'a> = (Option<&'a [u8]>, &'a [u8]);

/// What follows a time: ` host tag: ` or ` tag: `.
fn tagged(text: &[u8]) -> Option<Hosted<'_>> {
    let text = text.strip_prefix(b" ")?;
    if let Some(rest) = tag(text) {
        return Some((None, rest));
    }
    let (host, rest) = word(text, HOST_MAX)?;
    Some((Some(host), tag(rest)?))
}

/// `nginx: ` or `nginx[123]: `.
fn tag(text: &[u8]) -> Option<&[u8]> {
    let is_name = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b':' | b'[' | b'"' | b'<' | b'>');
    let length = text.iter().take(WORD_MAX + 1).take_while(|byte| is_name(byte)).count();
    if !(1..=WORD_MAX).contains(&length) {
        return None;
    }
    let mut rest = &text[length..];
    if let Some(process) = rest.strip_prefix(b"[") {
        let end = memchr(b']', &process[..process.len().min(WORD_MAX)])?;
        rest = &process[end + 1..];
    }
    let rest = rest.strip_prefix(b":")?;
    rest.strip_prefix(b" ").or(rest.is_empty().then_some(rest))
}

/// `1 TIME HOST APP PROCESS MESSAGE-ID DATA ` of RFC 5424.
fn structured(text: &[u8]) -> Option<Hosted<'_>> {
    let rest = text.strip_prefix(b"1 ")?;
    let rest = match rest.strip_prefix(b"-") {
        Some(rest) => rest,
        None => iso_time(rest)?,
    };
    let rest = rest.strip_prefix(b" ")?;
    let (host, rest) = word(rest, HOST_MAX)?;
    let (_, rest) = word(rest, WORD_MAX)?;
    let (_, rest) = word(rest, WORD_MAX)?;
    let (_, rest) = word(rest, WORD_MAX)?;
    let rest = data(rest)?;
    if rest.is_empty() {
        return Some((Some(host), rest));
    }
    let rest = rest.strip_prefix(b" ")?;
    Some((Some(host), rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest)))
}

/// `-` or `[id name="value"…]…`, in values with `\"`, `\\` and `\]`.
fn data(text: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some(rest);
    }
    let mut rest = text;
    while let Some(element) = rest.strip_prefix(b"[") {
        rest = data_name(element)?;
        while let Some(parameter) = rest.strip_prefix(b" ") {
            rest = data_value(data_name(parameter)?.strip_prefix(b"=\"")?)?;
        }
        rest = rest.strip_prefix(b"]")?;
    }
    (rest.len() < text.len()).then_some(rest)
}

fn data_name(text: &[u8]) -> Option<&[u8]> {
    let is_name = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"');
    let length = text.iter().take_while(|byte| is_name(byte)).count();
    (length > 0).then(|| &text[length..])
}

/// What follows the closing quote.
fn data_value(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    loop {
        rest = match rest {
            [b'\\', _, after @ ..] => after,
            [b'"', after @ ..] => return Some(after),
            [_, after @ ..] => after,
            [] => return None,
        };
    }
}

/// A word of at most `most` bytes and what follows the blank after it.
fn word(text: &[u8], most: usize) -> Option<(&[u8], &[u8])> {
    let blank = memchr(b' ', &text[..text.len().min(most + 1)])?;
    (blank > 0).then(|| (&text[..blank], &text[blank + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header ends where `¦` stands; without one there is no header.
    fn check(marked: &str) {
        let line = marked.replacen('¦', "", 1);
        assert_eq!(header(line.as_bytes()), marked.find('¦'), "{marked}");
    }

    #[test]
    fn headers_end_before_the_line() {
        check("<190>Nov 23 05:53:03 vm nginx: ¦192.0.2.1 - -");
        check("<190>Nov 23 05:53:03 edge_1: ¦192.0.2.1 - -");
        check("Nov 23 05:53:03 vm nginx: ¦192.0.2.1 - -");
        check("Nov  3 05:53:03 vm nginx[123]: ¦192.0.2.1 - -");
        check("Nov 23 05:53:03 2001:db8::1 nginx: ¦192.0.2.1 - -");
        check("Nov 23 05:53:03 vm (sd-pam)[1]: ¦x");
        check("Nov 23 05:53:03.123 vm nginx: ¦x");
        check("Nov 23 2026 05:53:03 vm nginx: ¦x");
        check("2026 Nov 23 05:53:03 vm nginx: ¦x");
        check("Nov 23 05:53:03 2026 vm nginx: ¦x");
        check("août 19 11:08:37 vm symphorien[4961]: ¦test");
        check("févr. 19 11:08:37 vm nginx: ¦test");
        check("11月 19 11:08:37 vm nginx: ¦test");
        check("<34>1 2026-11-23T05:53:03.003Z host nginx 123 - - ¦192.0.2.1 - -");
        check("<34>1 - - - - - - ¦192.0.2.1 - -");
        check("<34>1 2026-11-23T05:53:03+01:00 h nginx - - [a@1 b=\"c \\\" ] \\\\\"][d] ¦192.0.2.1 - -");
        check("<34>1 2026-11-23T05:53:03Z h nginx - - - \u{feff}¦192.0.2.1");
        check("<34>1 2026-11-23T05:53:03Z h nginx - - -¦");
        check("1 2026-11-23T05:53:03Z h nginx - - - ¦x");
        check("2026-11-23T05:53:11.123456+00:00 host nginx: ¦192.0.2.1");
        check("2026-11-23T05:53:11.123456+0000 host nginx[7]: ¦192.0.2.1");
        check("2026-11-23T05:53:11Z nginx: ¦192.0.2.1");
        check("2026-11-23 05:53:11 host nginx: ¦192.0.2.1");
        check("<190>¦192.0.2.1 - -");
        check("Nov 23 05:53:03 vm nginx:¦");
    }

    #[test]
    fn other_lines_have_no_header() {
        check("192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 200 6 \"-\" \"a: b\"");
        check("Nov 23 05:53:03 --- last message repeated 2 times ---");
        check("Nov 23 05:53:03 vm 192.0.2.1 - - x");
        check("2026-11-23T05:53:11.943958Z balancer 192.0.2.39:2817 10.0.0.1:80 0.000073");
        check("2026-11-23T05:53:11+00:00 192.0.2.1 GET /");
        check("2026-11-23 05:53:12 10.0.0.1 GET /a b=1 443 - 192.0.2.1");
        check("1 2026-11-23T05:53:11Z h a b c [23/Nov/2026:05:53:11 +0000] x");
        check("2015-04-24T21:08:10.313913FOO err rbd  [22968]lotus:ERROR:x");
        check("");
        check("<");
        check("<1");
        check("<1234>x");
        check("Nov");
        check("Nov 23 05:53:03");
        check("1 ");
    }

    #[test]
    fn every_beginning_of_a_header_is_looked_at_without_harm() {
        for line in [
            "<34>1 2026-11-23T05:53:03Z h nginx - - [a b=\"c\\\"\"] \u{feff}x",
            "Nov 23 2026 05:53:03 vm a[1]: x",
        ] {
            for end in 0..line.len() {
                let _ = header(&line.as_bytes()[..end]);
            }
        }
    }
}
