//! What sampled values look like, where their name leaves it open.

use super::super::{Shape, Unit};

/// Epochs below these are seconds, milliseconds, microseconds: each lies beyond the year 5000 in its own unit and
/// before 1974 in the next.
const SECONDS_END: u128 = 100_000_000_000;
const MILLIS_END: u128 = SECONDS_END * 1_000;
const MICROS_END: u128 = MILLIS_END * 1_000;

/// Durations in whole numbers, none of which reaches these, are milliseconds or microseconds: over a hundred seconds
/// in the larger unit is rarer than a tenth of a second in the smaller.
const WHOLE_MILLIS_END: u128 = 100_000;
const WHOLE_MICROS_END: u128 = 100_000_000;

/// A null in JSON, LTSV, or of the server that filled the line in.
pub(super) fn is_null(text: &[u8]) -> bool {
    text.is_empty() || text == b"-"
}

/// True if most values that are not null pass.
pub(super) fn mostly(values: &[&[u8]], test: impl Fn(&[u8]) -> bool) -> bool {
    let told = values.iter().filter(|text| !is_null(text));
    let passed = told.clone().filter(|text| test(text)).count();
    passed * 2 >= told.count()
}

/// Three digits, or the 0 of a request that got no answer.
pub(super) fn status(text: &[u8]) -> bool {
    text == b"0" || text.len() == 3 && is_whole(text)
}

/// Digits alone.
pub(super) fn is_whole(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// A number with a fraction or an exponent.
pub(super) fn is_fraction(text: &[u8]) -> bool {
    let number = |byte: &u8| byte.is_ascii_digit() || b".eE+-".contains(byte);
    text.first().is_some_and(u8::is_ascii_digit) && !is_whole(text) && text.iter().all(number)
}

/// A number and a unit.
fn is_suffixed(text: &[u8]) -> bool {
    let unit = text.trim_ascii_start().iter().position(u8::is_ascii_alphabetic);
    text.first().is_some_and(u8::is_ascii_digit) && unit.is_some() && !is_fraction(text)
}

/// A list of nginx's fractions, `0.1, - : 0.2`.
pub(super) fn is_tries(text: &[u8]) -> bool {
    let mut items = text.split(|&byte| byte == b',' || byte == b':').map(<[u8]>::trim_ascii);
    items.all(|item| is_null(item) || is_fraction(item))
}

/// How a time is written: the notation of most values; `None` if it is none that tells an instant.
pub(super) fn time(values: &[&[u8]]) -> Option<Shape> {
    let mut shapes: Vec<(Shape, usize)> = Vec::new();
    for shape in values.iter().filter(|text| !is_null(text)).filter_map(|text| time_shape(text)) {
        match shapes.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, count)) => *count += 1,
            None => shapes.push((shape, 1)),
        }
    }
    // `max_by_key` keeps the last of equals; the first seen is wanted.
    shapes.into_iter().rev().max_by_key(|&(_, count)| count).map(|(shape, _)| shape)
}

fn time_shape(text: &[u8]) -> Option<Shape> {
    if text.first() == Some(&b'[') {
        return Some(Shape::Bracketed);
    }
    if text.contains(&b'/') && text.contains(&b':') && text.iter().any(u8::is_ascii_alphabetic) {
        return Some(Shape::Clf);
    }
    if text.get(4) == Some(&b'-') && text.get(7) == Some(&b'-') {
        let zone = text.ends_with(b"Z") || text.get(10..)?.iter().any(|byte| b"+-".contains(byte));
        return zone.then_some(Shape::Iso);
    }
    let whole = text.split(|&byte| byte == b'.').next()?;
    if !is_whole(text) && !is_fraction(text) || !is_whole(whole) {
        return None;
    }
    let number = number(whole)?;
    let ends = [(SECONDS_END, Unit::Seconds), (MILLIS_END, Unit::Millis), (MICROS_END, Unit::Micros)];
    let unit = ends.into_iter().find(|&(end, _)| number < end).map_or(Unit::Nanos, |(_, unit)| unit);
    Some(Shape::Epoch(unit))
}

/// The unit of durations: their own suffix; seconds where any has a fraction; otherwise by the longest, since nothing
/// that counts whole units counts seconds but Apache's `%T`.
pub(super) fn duration(values: &[&[u8]]) -> Option<Unit> {
    let told: Vec<&[u8]> = values.iter().copied().filter(|text| !is_null(text)).collect();
    if told.is_empty() {
        return None;
    }
    if mostly(&told, is_suffixed) {
        return Some(Unit::Suffixed);
    }
    if !mostly(&told, |text| is_whole(text) || is_fraction(text)) {
        return None;
    }
    if told.iter().any(|text| is_fraction(text)) {
        return Some(Unit::Seconds);
    }
    let longest = told.iter().filter_map(|text| number(text)).max()?;
    let ends = [(WHOLE_MILLIS_END, Unit::Millis), (WHOLE_MICROS_END, Unit::Micros)];
    Some(ends.into_iter().find(|&(end, _)| longest < end).map_or(Unit::Nanos, |(_, unit)| unit))
}

/// `2026-11-23T05:55:02+0000`: strftime's `%z` has no colon. nginx always writes one; Apache has no other way.
pub(super) fn is_strftime(text: &[u8]) -> bool {
    let at = text.len().saturating_sub(5);
    text.get(10) == Some(&b'T') && matches!(text.get(at), Some(b'+' | b'-')) && is_whole(&text[at + 1..])
}

fn number(digits: &[u8]) -> Option<u128> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
