//! What a value looks like on its own, and what the values of a column look like together.
//!
//! No single line decides what a column is: anybody can get one into a log.

use std::net::{IpAddr, SocketAddr};

use crate::parse::timestamp;

/// What a value looks like; each has one look, the most special that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Look {
    /// `-`, or nothing.
    Null,
    /// An address.
    Address,
    /// Several of them, as proxies list them.
    Addresses,
    /// An address with its port.
    Endpoint,
    /// `23/Nov/2026:05:53:11 +0000`.
    Clf,
    /// `2026-11-23T05:53:11+00:00`.
    Iso,
    /// Seconds since 1970 with a fraction, or ten digits alone.
    EpochSeconds,
    /// Microseconds since 1970.
    EpochMicros,
    /// Another time that begins with a digit.
    OtherTime,
    /// Three digits that are a status.
    Status,
    /// Digits.
    Integer,
    /// `0.123`, `0.123456`.
    Seconds,
    /// Several of them, as nginx lists tries upstream.
    SecondsList,
    /// `GET / HTTP/1.1`.
    Request,
    /// `GET`.
    Method,
    /// `HTTP/1.1`.
    Protocol,
    /// Begins with a slash.
    Path,
    /// `https://…`.
    Url,
    /// `curl/8.5.0`.
    Agent,
    /// `HIT`.
    Cache,
    /// A name with a dot.
    Host,
    /// Anything else.
    Other,
}

impl Look {
    /// Number of looks.
    const COUNT: usize = Self::Other as usize + 1;

    /// The look of a value.
    pub(super) fn of(value: &[u8]) -> Self {
        match value {
            [] | [b'-'] => Self::Null,
            b"unix:" => Self::Address,
            [b'/', ..] => Self::Path,
            [b'0'..=b'9', ..] if value.iter().all(u8::is_ascii_digit) => digits(value),
            [b'0'..=b'9', ..] => {
                number(value).or_else(|| time(value)).or_else(|| address(value)).unwrap_or(other(value))
            }
            _ => address(value).unwrap_or_else(|| other(value)),
        }
    }
}

/// How often each look is met among the values of a column.
#[derive(Debug, Clone)]
pub(super) struct Looks([usize; Look::COUNT]);

impl Looks {
    /// Looks at all values.
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut counts = [0; Look::COUNT];
        values.for_each(|value| counts[Look::of(value) as usize] += 1);
        Self(counts)
    }

    /// How many values have this look.
    pub(super) fn count(&self, look: Look) -> usize {
        self.0[look as usize]
    }

    /// How many values are not missing.
    pub(super) fn known(&self) -> usize {
        self.0.iter().sum::<usize>() - self.count(Look::Null)
    }

    /// True if nearly all values that are not missing have one of these looks.
    pub(super) fn mostly(&self, looks: &[Look]) -> bool {
        let count: usize = looks.iter().map(|&look| self.count(look)).sum();
        count > 0 && fits(count, self.known())
    }

    /// True if these are times of upstream tries: no request lacks a time of its own or has two.
    pub(super) fn are_of_tries(&self) -> bool {
        let (missing, lists) = (self.count(Look::Null), self.count(Look::SecondsList));
        is_evident(missing + lists, self.known() + missing)
    }
}

/// Of so many in a hundred the looks must agree.
const FIT_PERCENT: usize = 90;

/// True if `count` is nearly all.
pub(super) fn fits(count: usize, all: usize) -> bool {
    count * 100 >= all * FIT_PERCENT
}

/// True if so many are a habit of the log and not a stray line or two: one in ten, or in a long log one in a hundred.
pub(super) fn is_evident(count: usize, all: usize) -> bool {
    count * 10 > all || count > 1 && count * 100 > all
}

/// Longer values are neither addresses nor times.
const SHORT: usize = 64;

/// 2000-01-01 and 2100-01-01: numbers beyond are no times of requests.
const TIMES: std::ops::Range<i64> = 946_684_800_000_000..4_102_444_800_000_000;

fn digits(value: &[u8]) -> Look {
    if value.len() == 3 && is_status(value) {
        return Look::Status;
    }
    match (value.len(), timestamp::any(value).is_some_and(|logged| TIMES.contains(&logged.time.0))) {
        (10, true) => Look::EpochSeconds,
        (16, true) => Look::EpochMicros,
        (13 | 14 | 19, true) => Look::OtherTime,
        _ => Look::Integer,
    }
}

/// Statuses in use: of the registry, nginx's own, and `000` where nothing was sent. Three digits of any other kind are
/// a number.
fn is_status(value: &[u8]) -> bool {
    let number = value.iter().fold(0_u16, |number, digit| number * 10 + u16::from(digit - b'0'));
    matches!(
        number,
        0 | 9 | 100..=103 | 200..=208 | 226 | 300..=308 | 400..=418 | 421..=426 | 428 | 429 | 431 | 444 | 451
            | 460..=464 | 494..=499 | 500..=511 | 520..=530 | 561
    )
}

/// Fractions, alone or in a list.
fn number(value: &[u8]) -> Option<Look> {
    if !value.iter().all(|byte| byte.is_ascii_digit() || b".,:- ".contains(byte)) {
        return None;
    }
    if is_seconds(value) {
        return Some(time(value).unwrap_or(Look::Seconds));
    }
    let mut items = value.split(|byte| b",:".contains(byte)).map(<[u8]>::trim_ascii);
    let is_item = |item: &[u8]| item == b"-" || item.is_empty() || is_seconds(item);
    items.all(is_item).then_some(Look::SecondsList)
}

/// At least milliseconds: two digits are a ratio or a price.
fn is_seconds(value: &[u8]) -> bool {
    let Some(point) = memchr::memchr(b'.', value) else { return false };
    let is_number = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    point > 0
        && (4..=10).contains(&(value.len() - point))
        && is_number(&value[..point])
        && is_number(&value[point + 1..])
}

fn time(value: &[u8]) -> Option<Look> {
    if value.len() > SHORT {
        return None;
    }
    let logged = timestamp::any(value)?;
    TIMES.contains(&logged.time.0).then(|| match value.iter().find(|byte| !byte.is_ascii_digit()) {
        Some(b'/') => Look::Clf,
        Some(b'-') => Look::Iso,
        Some(b'.') if memchr::memchr(b'.', value) == Some(10) => Look::EpochSeconds,
        _ => Look::OtherTime,
    })
}

fn address(value: &[u8]) -> Option<Look> {
    if memchr::memchr(b',', value).is_some() {
        let mut items = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        return items
            .all(|item| item == b"unknown" || one_address(item).is_some())
            .then_some(Look::Addresses);
    }
    one_address(value)
}

fn one_address(value: &[u8]) -> Option<Look> {
    if value.len() > SHORT || !matches!(value.first()?, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':' | b'[')
    {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?;
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    if text.parse::<IpAddr>().is_ok() {
        return Some(Look::Address);
    }
    text.parse::<SocketAddr>().is_ok().then_some(Look::Endpoint)
}

fn other(value: &[u8]) -> Look {
    if let Some(request) = request(value) {
        return request;
    }
    if value.starts_with(b"HTTP/")
        && value.len() <= 8
        && value[5..].iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
    {
        return Look::Protocol;
    }
    if is_url(value) {
        return Look::Url;
    }
    if is_agent(value) {
        return Look::Agent;
    }
    if CACHE.contains(&value) {
        return Look::Cache;
    }
    if is_host(value) { Look::Host } else { Look::Other }
}

const METHODS: [&[u8]; 17] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"CONNECT",
    b"TRACE",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"REPORT",
    b"PURGE",
];

/// nginx's words, and what CDNs add.
const CACHE: [&[u8]; 11] = [
    b"HIT",
    b"MISS",
    b"BYPASS",
    b"EXPIRED",
    b"STALE",
    b"UPDATING",
    b"REVALIDATED",
    b"DYNAMIC",
    b"NONE",
    b"hit",
    b"miss",
];

fn request(value: &[u8]) -> Option<Look> {
    let head = &value[..value.len().min(16)];
    let Some(blank) = memchr::memchr(b' ', head) else {
        return METHODS.contains(&value).then_some(Look::Method);
    };
    let target = value[blank..].trim_ascii_start();
    let is_target = matches!(target.first(), Some(b'/' | b'*')) || is_url(target);
    let last = memchr::memrchr(b' ', value)?;
    let is_versioned = last > blank && value[last + 1..].starts_with(b"HTTP/");
    let is_method = value[..blank].iter().all(|byte| byte.is_ascii_uppercase() || b"-_".contains(byte));
    (METHODS.contains(&&value[..blank]) && is_target || is_method && is_versioned).then_some(Look::Request)
}

fn is_url(value: &[u8]) -> bool {
    let head = &value[..value.len().min(20)];
    memchr::memmem::find(head, b"://")
        .is_some_and(|at| at > 1 && head[..at].iter().all(u8::is_ascii_lowercase))
}

/// A product and its version (RFC 9110 §10.1.5).
fn is_agent(value: &[u8]) -> bool {
    let head = &value[..value.len().min(SHORT)];
    let Some(slash) = memchr::memchr(b'/', head) else { return false };
    head[0].is_ascii_alphabetic()
        && head[..slash].iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_. ".contains(byte))
        && head.get(slash + 1).is_some_and(u8::is_ascii_digit)
}

/// A DNS name with a dot, with or without a port, or `localhost`.
fn is_host(value: &[u8]) -> bool {
    if value.len() > 253 + 6 {
        return false;
    }
    let name = match memchr::memchr(b':', value) {
        Some(colon) if value[colon + 1..].iter().all(u8::is_ascii_digit) => &value[..colon],
        Some(_) => return false,
        None => value,
    };
    let last = memchr::memrchr(b'.', name).map(|dot| &name[dot + 1..]);
    name == b"localhost"
        || last.is_some_and(|last| last.len() > 1 && last[0].is_ascii_alphabetic())
            && name[0].is_ascii_alphanumeric()
            && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stray_values_are_no_evidence() {
        let check = |count, all, expected| assert_eq!(is_evident(count, all), expected, "{count} of {all}");
        check(0, 0, false);
        check(1, 1, true);
        check(1, 9, true);
        check(1, 10, false);
        check(2, 199, true);
        check(2, 200, false);
        check(10, 1_000, false);
        check(11, 1_000, true);
    }

    #[test]
    fn values_look_like_what_they_are() {
        let check = |text: &str, expected: Look| assert_eq!(Look::of(text.as_bytes()), expected, "{text}");
        for text in ["192.0.2.7", "2001:db8::1", "unix:", "fe80::1%eth0", "::ffff:192.0.2.1"] {
            check(text, Look::Address);
        }
        check("192.0.2.7, 10.0.0.1", Look::Addresses);
        check("192.0.2.7:443", Look::Endpoint);
        check("[2001:db8::1]:443", Look::Endpoint);
        check("23/Nov/2026:05:53:11 +0000", Look::Clf);
        check("2026-11-23 05:53:11,123", Look::Iso);
        check("2026-11-23T05:53:11+00:00", Look::Iso);
        check("1795413191.123", Look::EpochSeconds);
        check("1795413191", Look::EpochSeconds);
        check("1795413191123456", Look::EpochMicros);
        check("20261123055312", Look::OtherTime);
        check("200", Look::Status);
        check("777", Look::Integer);
        check("4000000000000", Look::OtherTime);
        check("0.123", Look::Seconds);
        check("0.123, - : 0.100", Look::SecondsList);
        check("3.10", Look::Other);
        check("GET / HTTP/1.1", Look::Request);
        check("BREW pot HTTP/1.0", Look::Request);
        check("GET", Look::Method);
        check("Get / somewhere", Look::Other);
        check("HTTP/2.0", Look::Protocol);
        check("/a b", Look::Path);
        check("https://www.example.com/", Look::Url);
        check("Mozilla/5.0 (X11)", Look::Agent);
        check("MISS", Look::Cache);
        check("www.example.com:8080", Look::Host);
        check("-", Look::Null);
        check("Hello", Look::Other);
    }
}
