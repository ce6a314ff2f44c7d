//! Values: bytes, durations, request lines, escapes. Integers only.

use std::borrow::Cow;

use super::Reason;
use crate::format::{Escape, Unit};

/// Bytes in one line at most, 2⁴⁶ (70 TB): sums over a block of lines stay in 64 bits.
pub const BYTES_MAX: u64 = 1 << 46;

/// Longer durations (31 days) are accepted but not believed.
pub const DURATION_US_MAX: u64 = 31 * 86_400 * 1_000_000;

/// A number of bytes; `-` and nothing are null, never 0. A `+` before it says that more followed (`HAProxy` `logasap`).
#[inline]
pub fn bytes(text: &[u8]) -> Result<Option<u64>, Reason> {
    if text.is_empty() || text == b"-" {
        return Ok(None);
    }
    let text = without_plus(text);
    if text.is_empty() {
        return Err(Reason::Bytes);
    }
    let mut number: u64 = 0;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(Reason::Bytes);
        }
        // Above the limit it stays above, so saturation keeps the verdict.
        number = number.saturating_mul(10).saturating_add(u64::from(digit));
    }
    if number > BYTES_MAX { Err(Reason::BytesRange) } else { Ok(Some(number)) }
}

/// An integer as JSON printers may write it: `1e3`, `200.0`. None if it is not one.
#[cold]
pub(super) fn json_integer(text: &[u8]) -> Option<u64> {
    let number = nanos(text, THOUSAND)?;
    (number % u128::from(THOUSAND) == 0)
        .then_some(number / u128::from(THOUSAND))
        .and_then(|number| number.try_into().ok())
}

/// Room for three digits after the point: what has more is no integer anyway.
const THOUSAND: u64 = 1_000;

/// A status: three digits (nginx pads, so `000` and `009` exist), or `-` for none; `-1` is how `HAProxy` says that none
/// was sent.
#[inline]
pub fn status(text: &[u8]) -> Result<Option<u16>, Reason> {
    match *text {
        [a, b, c] if a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_digit() => {
            Ok(Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')))
        }
        [] | [b'-'] | [b'-', b'1'] => Ok(None),
        // Caddy, Envoy and Traefik: the client went away before anything was sent.
        [b'0'] => Ok(Some(0)),
        _ => Err(Reason::Status),
    }
}

/// A duration in microseconds. Digits beyond the microsecond are cut; `-1` is a phase that never ended (`HAProxy`, AWS),
/// and a `+` before the number says that it was still running (`HAProxy` `logasap`).
#[inline]
pub fn duration(text: &[u8], unit: Unit) -> Result<Option<u64>, Reason> {
    match text {
        [] | [b'-'] | [b'-', b'1'] => Ok(None),
        text => decimal(without_plus(text), unit).map(Some).ok_or(Reason::Duration),
    }
}

/// A number of a unit, in microseconds.
#[inline]
pub(super) fn decimal(text: &[u8], unit: Unit) -> Option<u64> {
    let scale = match unit {
        Unit::Seconds => 1_000_000,
        Unit::Millis => 1_000,
        Unit::Micros => 1,
        Unit::Nanos => return nanos(text, 1).and_then(micros),
        Unit::Suffixed => return suffixed(text).and_then(micros),
    };
    scaled(text, scale).or_else(|| nanos(text, scale * 1_000).and_then(micros))
}

/// `HAProxy`'s sign for "and counting".
#[inline]
fn without_plus(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"+").unwrap_or(text)
}

fn micros(nanos: u128) -> Option<u64> {
    u64::try_from(nanos / 1_000).ok()
}

/// A number with or without a fraction, times `scale`, which is a power of ten.
#[inline]
fn scaled(text: &[u8], scale: u64) -> Option<u64> {
    let (whole, fraction) = match memchr::memchr(b'.', text) {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &text[..0]),
    };
    let mut micros = digits(whole)?.checked_mul(scale)?;
    let mut place = scale;
    for &byte in fraction {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        place /= 10;
        micros = micros.checked_add(u64::from(digit) * place)?;
    }
    Some(micros)
}

/// A number that may have an exponent, times `scale`: many JSON printers write 0.00004 as `4e-05`.
#[cold]
#[inline(never)]
fn nanos(text: &[u8], scale: u64) -> Option<u128> {
    let Some(at) = text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) else {
        return scaled(text, scale).map(u128::from);
    };
    let (mantissa, exponent) = (&text[..at], &text[at + 1..]);
    let (falls, exponent) = match exponent.first()? {
        b'-' => (true, &exponent[1..]),
        b'+' => (false, &exponent[1..]),
        _ => (false, exponent),
    };
    let places = u32::try_from(digits(exponent)?).ok()?;
    let point = mantissa.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&mantissa[..point], &mantissa[point + 1..]),
        None => (mantissa, &mantissa[..0]),
    };
    let cut = u32::try_from(fraction.len()).ok()?;
    let all = digits(whole)?.checked_mul(10_u64.checked_pow(cut)?)?;
    let all = if cut > 0 { all.checked_add(digits(fraction)?)? } else { all };
    let number = u128::from(all) * u128::from(scale);
    let places = if falls { -i64::from(places) } else { i64::from(places) } - i64::from(cut);
    let power = 10_u128.checked_pow(u32::try_from(places.unsigned_abs()).ok()?);
    match power {
        Some(power) if places < 0 => Some(number / power),
        Some(power) => number.checked_mul(power),
        None if places < 0 => Some(0),
        None => None,
    }
}

/// Units as programs abbreviate them, in nanoseconds; the micro sign also as JSON escapes it.
const SUFFIXES: [(&[u8], u64); 18] = [
    (b"ns", 1),
    (b"nsec", 1),
    (b"us", 1_000),
    (b"usec", 1_000),
    (b"usecs", 1_000),
    ("\u{b5}s".as_bytes(), 1_000),
    ("\u{3bc}s".as_bytes(), 1_000),
    (br"\u00b5s", 1_000),
    (br"\u00B5s", 1_000),
    (br"\u03bcs", 1_000),
    (b"ms", 1_000_000),
    (b"msec", 1_000_000),
    (b"msecs", 1_000_000),
    (b"", SECOND),
    (b"s", SECOND),
    (b"sec", SECOND),
    (b"m", 60 * SECOND),
    (b"h", 3_600 * SECOND),
];
const SECOND: u64 = 1_000_000_000;

/// `12ms`, `345.6µs`, or several units in a row as Go writes them (`1m30.5s`), in nanoseconds.
fn suffixed(text: &[u8]) -> Option<u128> {
    let mut sum = 0_u128;
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.iter().position(|byte| !byte.is_ascii_digit() && !b".eE+-".contains(byte));
        let (number, after) = rest.split_at(length.unwrap_or(rest.len()));
        let after = after.trim_ascii_start();
        let known = SUFFIXES.iter().filter(|(name, _)| after.starts_with(name));
        let (name, unit) = known.max_by_key(|(name, _)| name.len())?;
        rest = &after[name.len()..];
        if rest.first().is_some_and(|byte| !byte.is_ascii_digit()) {
            return None;
        }
        // Minutes and hours multiply seconds, so that the scale stays a power of ten.
        let scale = (*unit).min(SECOND);
        sum = sum.checked_add(nanos(number, scale)?.checked_mul(u128::from(unit / scale))?)?;
    }
    Some(sum)
}

fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut number: u64 = 0;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(number)
}

/// Time spent upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upstream {
    /// All tries together.
    pub sum_us: u64,
    /// The last try that has a time.
    pub last_us: u64,
    /// Number of tries, those without a time included.
    pub tries: u32,
}

/// nginx's list: `, ` separates tries, ` : ` internal redirects (`ngx_http_upstream_response_time_variable`).
pub fn upstream(text: &[u8]) -> Option<Upstream> {
    let mut total: Option<Upstream> = None;
    let mut tries = 0;
    for item in text.split(|&byte| byte == b',' || byte == b':') {
        let item = item.trim_ascii();
        if item.is_empty() {
            continue;
        }
        tries += 1;
        if let Some(micros) = duration(item, Unit::Seconds).ok()? {
            let sum_us = total.map_or(Some(micros), |total| total.sum_us.checked_add(micros))?;
            total = Some(Upstream { sum_us, last_us: micros, tries: 0 });
        }
    }
    total.map(|total| Upstream { tries, ..total })
}

/// The parts of a request line that could be made out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// First word, if it is a token and something follows it.
    pub method: Option<&'a [u8]>,
    /// All between the first and the last blank.
    pub target: Option<&'a [u8]>,
    /// Last word, if it begins with `HTTP/`.
    pub protocol: Option<&'a [u8]>,
}

/// Splits a request line (RFC 9112 §3). Blanks inside the target belong to it; without a protocol (HTTP/0.9) the rest
/// is the target; a lone word or binary garbage has no parts.
pub fn request_line(request: &[u8]) -> RequestLine<'_> {
    let Some(first) = memchr::memchr(b' ', request) else { return RequestLine::default() };
    let method = &request[..first];
    if !is_token(method) {
        return RequestLine::default();
    }
    let rest = &request[first + 1..];
    match memchr::memrchr(b' ', rest) {
        Some(last) if rest[last + 1..].starts_with(b"HTTP/") => RequestLine {
            method: Some(method),
            target: Some(&rest[..last]),
            protocol: Some(&rest[last + 1..]),
        },
        _ => RequestLine { method: Some(method), target: Some(rest), protocol: None },
    }
}

/// True for an RFC 9110 token that is not just `-`.
pub fn is_token(word: &[u8]) -> bool {
    !word.is_empty()
        && word != b"-"
        && word.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Undoes a server's escapes, once.
pub fn unescape(escape: Escape, raw: &[u8]) -> Cow<'_, [u8]> {
    match escape {
        Escape::None | Escape::Raw => Cow::Borrowed(raw),
        Escape::Plus => w3c_value(raw),
        // CloudFront encodes what the client had encoded already.
        Escape::Percent => match undo(raw, b'%', percent_pair) {
            Cow::Borrowed(raw) => Cow::Borrowed(raw),
            Cow::Owned(once) => Cow::Owned(undo(&once, b'%', percent_pair).into_owned()),
        },
        Escape::Hash => undo(raw, b'#', percent_pair),
        Escape::Nginx => undo(raw, b'\\', hex_pair),
        Escape::Json => undo(raw, b'\\', json_escape),
        Escape::Apache => undo(raw, b'\\', apache_escape),
    }
}

/// Translates what follows each `sign`; one that escapes nothing stands for itself.
fn undo(raw: &[u8], sign: u8, translate: fn(&[u8], &mut Vec<u8>) -> Option<usize>) -> Cow<'_, [u8]> {
    if memchr::memchr(sign, raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut plain = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(sign, rest) {
        plain.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let used = translate(rest, &mut plain).unwrap_or_else(|| {
            plain.push(sign);
            1
        });
        rest = &rest[used..];
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

/// IIS writes `+` for a blank; a value that has blanks was in quotes, where a quote is written twice.
fn w3c_value(raw: &[u8]) -> Cow<'_, [u8]> {
    let pair = |rest: &[u8], plain: &mut Vec<u8>| {
        plain.push(b'"');
        Some(if rest.get(1) == Some(&b'"') { 2 } else { 1 })
    };
    if memchr::memchr(b' ', raw).is_some() {
        return undo(raw, b'"', pair);
    }
    undo(raw, b'+', |_, plain| {
        plain.push(b' ');
        Some(1)
    })
}

/// `%HH` or `#HH` at the start of `rest`; returns the bytes used.
fn percent_pair(rest: &[u8], plain: &mut Vec<u8>) -> Option<usize> {
    plain.push(u8::try_from(hex(rest.get(1..3)?)?).ok()?);
    Some(3)
}

/// `\xHH` at the start of `rest`; returns the bytes used.
fn hex_pair(rest: &[u8], plain: &mut Vec<u8>) -> Option<usize> {
    if rest.get(1) != Some(&b'x') {
        return None;
    }
    plain.push(u8::try_from(hex(rest.get(2..4)?)?).ok()?);
    Some(4)
}

fn apache_escape(rest: &[u8], plain: &mut Vec<u8>) -> Option<usize> {
    let byte = match rest.get(1)? {
        b'"' => b'"',
        b'\\' => b'\\',
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'v' => 0x0b,
        _ => return hex_pair(rest, plain),
    };
    plain.push(byte);
    Some(2)
}

fn json_escape(rest: &[u8], plain: &mut Vec<u8>) -> Option<usize> {
    let byte = match rest.get(1)? {
        byte @ (b'"' | b'\\' | b'/') => *byte,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'u' => return unicode_escape(rest, plain),
        // No JSON, but what comes of a `log_format` that lacks `escape=json`.
        b'x' => return hex_pair(rest, plain),
        _ => return None,
    };
    plain.push(byte);
    Some(2)
}

/// `\uXXXX`, or two of them for a surrogate pair; a lone surrogate stays as written.
fn unicode_escape(rest: &[u8], plain: &mut Vec<u8>) -> Option<usize> {
    let high = hex(rest.get(2..6)?)?;
    let (code, used) = match high {
        0xD800..=0xDBFF if rest.get(6..8) == Some(b"\\u") => {
            let low = hex(rest.get(8..12)?)?.checked_sub(0xDC00).filter(|&low| low < 0x400)?;
            (0x10000 + ((high - 0xD800) << 10) + low, 12)
        }
        code => (code, 6),
    };
    let letter = char::from_u32(code)?;
    plain.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    Some(used)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, &digit| Some(number * 16 + char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_exact_or_rejected() {
        let check = |text: &str, expected| assert_eq!(bytes(text.as_bytes()), expected, "{text}");
        check("", Ok(None));
        check("-", Ok(None));
        check("0", Ok(Some(0)));
        check("70368744177664", Ok(Some(BYTES_MAX)));
        check("70368744177665", Err(Reason::BytesRange));
        check("9223372036854775808", Err(Reason::BytesRange));
        check("99999999999999999999999999", Err(Reason::BytesRange));
        check("+1038", Ok(Some(1038)));
        for text in ["-1", "+", "++1", "+-", "1.5K", "1e3", "1,000", " 1", "0x10", "١"] {
            check(text, Err(Reason::Bytes));
        }
    }

    #[test]
    fn statuses_are_three_digits() {
        let check = |text: &str, expected| assert_eq!(status(text.as_bytes()), expected, "{text}");
        check("200", Ok(Some(200)));
        check("000", Ok(Some(0)));
        check("-", Ok(None));
        check("0", Ok(Some(0)));
        check("-1", Ok(None));
        check("1", Err(Reason::Status));
        check("-2", Err(Reason::Status));
        check("1200", Err(Reason::Status));
        check("2x0", Err(Reason::Status));
    }

    #[test]
    fn durations_are_microseconds() {
        let check =
            |text: &str, unit, expected| assert_eq!(duration(text.as_bytes(), unit), expected, "{text}");
        check("0.123", Unit::Seconds, Ok(Some(123_000)));
        check("12", Unit::Seconds, Ok(Some(12_000_000)));
        check("0.1234567", Unit::Seconds, Ok(Some(123_456)));
        check("1.5", Unit::Millis, Ok(Some(1_500)));
        check("767", Unit::Micros, Ok(Some(767)));
        check("-", Unit::Seconds, Ok(None));
        check("9223372036854775808", Unit::Micros, Ok(Some(1 << 63)));
        check("9223372036854775808", Unit::Seconds, Err(Reason::Duration));
        check("4e-05", Unit::Seconds, Ok(Some(40)));
        check("1.25E+2", Unit::Millis, Ok(Some(125_000)));
        check("1e-400", Unit::Seconds, Ok(Some(0)));
        check("1e400", Unit::Seconds, Err(Reason::Duration));
        check("1712790000123456789", Unit::Nanos, Ok(Some(1_712_790_000_123_456)));
        check("-1", Unit::Millis, Ok(None));
        check("+99627", Unit::Millis, Ok(Some(99_627_000)));
        for text in [
            "-0.001", "-1.0", "-2", "+", "++1", "+-1", "0,123", "1.5s", "12ms", "NaN", ".5", "1.2.3", "e5",
            "1e", "1e-", "1e1.5", "1ee1",
        ] {
            check(text, Unit::Seconds, Err(Reason::Duration));
            check(text, Unit::Nanos, Err(Reason::Duration));
        }
    }

    #[test]
    fn durations_may_say_their_unit() {
        let check =
            |text: &str, expected| assert_eq!(duration(text.as_bytes(), Unit::Suffixed), expected, "{text}");
        check("0.123s", Ok(Some(123_000)));
        check("12ms", Ok(Some(12_000)));
        check("345.6\u{b5}s", Ok(Some(345)));
        check(r"345.6\u00b5s", Ok(Some(345)));
        check("1500 us", Ok(Some(1_500)));
        check("999ns", Ok(Some(0)));
        check("1h2m3.5s", Ok(Some(3_723_500_000)));
        check("3", Ok(Some(3_000_000)));
        check("-", Ok(None));
        for text in ["12parsecs", "-1s", "s", "1..2s", "1.5sx", "99999999999999999999h", "1s-"] {
            check(text, Err(Reason::Duration));
        }
    }

    #[test]
    fn upstream_lists_are_summed() {
        let check = |text: &str, expected: Option<(u64, u64, u32)>| {
            let found = upstream(text.as_bytes()).map(|found| (found.sum_us, found.last_us, found.tries));
            assert_eq!(found, expected, "{text}");
        };
        check("0.100", Some((100_000, 100_000, 1)));
        check("0.100, 0.200 : 0.300", Some((600_000, 300_000, 3)));
        check("-, 0.2", Some((200_000, 200_000, 2)));
        check("0.1 : ", Some((100_000, 100_000, 1)));
        check("-", None);
        check("", None);
        check("10.0.0.1", None);
    }

    #[test]
    fn request_lines_are_split_where_they_are_requests() {
        let text = |part: Option<&[u8]>| part.map(|part| String::from_utf8_lossy(part).into_owned());
        let check = |request: &str, method: Option<&str>, target: Option<&str>, protocol: Option<&str>| {
            let line = request_line(request.as_bytes());
            let found = (text(line.method), text(line.target), text(line.protocol));
            let owned = |part: Option<&str>| part.map(str::to_owned);
            assert_eq!(found, (owned(method), owned(target), owned(protocol)), "{request}");
        };
        check("GET / HTTP/1.1", Some("GET"), Some("/"), Some("HTTP/1.1"));
        check("GET /sp ace/in uri HTTP/1.1", Some("GET"), Some("/sp ace/in uri"), Some("HTTP/1.1"));
        check("GET /zero-nine", Some("GET"), Some("/zero-nine"), None);
        check("PRI * HTTP/2.0", Some("PRI"), Some("*"), Some("HTTP/2.0"));
        check("SSH-2.0-Go", None, None, None);
        check("- - HTTP/1.0", None, None, None);
        check("\\x16\\x03 x", None, None, None);
        check("", None, None, None);
    }

    #[test]
    fn escapes_are_undone_once() {
        let check = |escape, raw: &str, expected: &[u8]| {
            assert_eq!(unescape(escape, raw.as_bytes()).as_ref(), expected, "{raw}");
        };
        check(Escape::Nginx, r"\x22a\x5Cx41\xE4\q\x4", b"\"a\\x41\xE4\\q\\x4");
        check(Escape::Apache, r#"\"a\\x41\xe4\n\t\v\q"#, b"\"a\\x41\xe4\n\t\x0b\\q");
        check(
            Escape::Json,
            r#"\"\\\/\u001B\u00e4\ud83d\ude00\ud83dx\q\x22\xg"#,
            "\"\\/\u{1b}ä😀\\ud83dx\\q\"\\xg".as_bytes(),
        );
        check(Escape::None, r"\x22", br"\x22");
        check(Escape::Raw, r"\x22#22", br"\x22#22");
        check(Escape::Hash, r"#22q#22 \x #2 #", br#""q" \x #2 #"#);
        check(Escape::Percent, "a%2520b%20c%25zz%2", b"a b c%zz%2");
        check(Escape::Plus, "Mozilla/5.0+(X11)", b"Mozilla/5.0 (X11)");
        check(Escape::Plus, r#" ""a+b"" "#, br#" "a+b" "#);
    }
}
