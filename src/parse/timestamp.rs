//! Written times → instants.
//!
//! Logs repeat themselves: [`Memo`] compares a value with the previous line's and reads it only if it differs.

mod names;
mod clock;

use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{take_while_m_n, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{map_opt, opt};
use nom::sequence::preceded;

use super::{Span, value};
use crate::format::{Grammar, Kind, Layout, Shape, Unit};
use crate::time::Timestamp;

/// A logged time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// The instant.
    pub time: Timestamp,
    /// UTC offset in seconds that it was written with; none for seconds since 1970.
    pub offset: Option<i32>,
    /// The text names no zone and the format has none of its own: [`ASSUMED_OFFSET`] was assumed.
    pub zoneless: bool,
}

/// The offset of a time that names no zone: UTC.
pub const ASSUMED_OFFSET: i32 = 0;

/// Values longer than this are read again on every line.
const MEMO_WIDTH: usize = 40;

/// The previous line's time.
#[derive(Debug, Clone)]
pub struct Memo {
    text: [u8; MEMO_WIDTH],
    length: usize,
    logged: Option<Logged>,
}

impl Default for Memo {
    fn default() -> Self {
        Self { text: [0; MEMO_WIDTH], length: usize::MAX, logged: None }
    }
}

impl Memo {
    /// The time of a matched line; `None` if the format has none or it is null, the column if it cannot be read.
    #[inline]
    pub(super) fn read(
        &mut self,
        layout: &Layout,
        spans: &[Span],
        line: &[u8],
    ) -> Result<Option<Logged>, usize> {
        let mut times = layout.times();
        let Some(step) = times.next() else { return Ok(None) };
        if times.next().is_some() {
            return clock::assemble(layout, spans, line);
        }
        let (start, end) = spans[step];
        let text = &line[start as usize..end as usize];
        if text.len() == self.length && self.text[..self.length] == *text {
            return Ok(self.logged);
        }
        let Kind::Time(shape, _) = &layout.steps[step].field.kind else { return Ok(None) };
        let logged = known(layout, shape, text, start as usize)?;
        self.remember(text, logged);
        Ok(logged)
    }

    fn remember(&mut self, text: &[u8], logged: Option<Logged>) {
        if let Some(slot) = self.text.get_mut(..text.len()) {
            slot.copy_from_slice(text);
            self.length = text.len();
            self.logged = logged;
        }
    }
}

/// A time in one piece; `None` if it is null, the column if it cannot be read.
pub(super) fn known(
    layout: &Layout,
    shape: &Shape,
    text: &[u8],
    column: usize,
) -> Result<Option<Logged>, usize> {
    if text.is_empty() || text == layout.format.escape.null() {
        return Ok(None);
    }
    // Programs that name their values change the shape of a time with a setting.
    let keyed = || any(text).filter(|_| layout.format.grammar != Grammar::Text);
    single(shape, text).or_else(keyed).map(Some).ok_or(column)
}

/// A time written in one piece.
pub fn single(shape: &Shape, text: &[u8]) -> Option<Logged> {
    match shape {
        Shape::Clf => clf(text),
        Shape::Bracketed => clf(text.strip_prefix(b"[")?.strip_suffix(b"]")?),
        Shape::Iso => iso(text),
        Shape::Epoch(unit) => epoch(text, *unit).map(instant),
        Shape::Any => any(text),
        Shape::Fraction(_) => None,
        Shape::Strftime(pieces) => clock::written(pieces, text),
    }
}

/// A time of whatever shape begins with a digit: seconds, milliseconds, microseconds or nanoseconds since 1970 by
/// their magnitude, `20261123055312`, RFC 3339, or Common Log Format.
pub fn any(text: &[u8]) -> Option<Logged> {
    let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unit = match whole {
        14 if text.len() == 14 => return compact(text),
        _ if whole < text.len() && text[whole] != b'.' => return iso(text).or_else(|| clf(text)),
        // Up to the years 5138, 5138, 5138 and 2262.
        0..=11 => Unit::Seconds,
        12..=14 => Unit::Millis,
        15..=17 => Unit::Micros,
        // Three digits more than microseconds.
        18..=19 if whole == text.len() => return epoch(&text[..whole - 3], Unit::Micros).map(instant),
        _ => return None,
    };
    epoch(text, unit).map(instant)
}

/// `23/Nov/2026:05:53:11 +0000`, with one-digit days, months in any case and many languages, a fraction, a colon in the
/// offset, a zone's name, or no zone at all allowed.
pub fn clf(text: &[u8]) -> Option<Logged> {
    if let &[
        d1,
        d2,
        b'/',
        m1,
        m2,
        m3,
        b'/',
        y1,
        y2,
        y3,
        y4,
        b':',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b' ',
        sign,
        o1,
        o2,
        o3,
        o4,
    ] = text
    {
        let year = two(y1, y2)? * 100 + two(y3, y4)?;
        let month = month_number([m1, m2, m3]).or_else(|| whole(names::month(&[m1, m2, m3])))?;
        let offset = signed(sign, two(o1, o2)?, two(o3, o4)?)?;
        let second = two(s1, s2)?;
        let time = civil(year, month, two(d1, d2)?, (two(h1, h2)?, two(n1, n2)?, second), 0, offset)?;
        return Some(Logged { time, offset: Some(offset), zoneless: false });
    }
    whole(lenient_clf(text)).flatten()
}

/// `2026-11-23T05:53:11+00:00` (RFC 3339), also with a blank for `T`, a fraction after `.` or `,`, no colon in the
/// offset, a zone's name, or no zone at all.
pub fn iso(text: &[u8]) -> Option<Logged> {
    whole(iso_parts(text)).flatten()
}

fn lenient_clf(input: &[u8]) -> IResult<&[u8], Option<Logged>> {
    let (input, day) = number(1, 2, input)?;
    let (input, _) = char('/').parse(input)?;
    let (input, month) = names::month(input)?;
    let (input, _) = opt(char('.')).parse(input)?;
    let (input, _) = char('/').parse(input)?;
    let (input, year) = number(4, 4, input)?;
    let (input, _) = char(':').parse(input)?;
    let (input, clock) = clock_time(input)?;
    let (input, micros) = fraction(input)?;
    let (input, offset) = opt(zone_written).parse(input)?;
    Ok((input, local(year, month, day, clock, micros, offset)))
}

fn iso_parts(input: &[u8]) -> IResult<&[u8], Option<Logged>> {
    let (input, year) = number(4, 4, input)?;
    let (input, _) = char('-').parse(input)?;
    let (input, month) = number(2, 2, input)?;
    let (input, _) = char('-').parse(input)?;
    let (input, day) = number(2, 2, input)?;
    let (input, _) = one_of("T ").parse(input)?;
    let (input, clock) = clock_time(input)?;
    let (input, micros) = fraction(input)?;
    let (input, offset) = opt(zone_written).parse(input)?;
    Ok((input, local(year, month, day, clock, micros, offset)))
}

/// `+01:00`, `+0100`, `Z` or a name that means one offset, after a blank or not.
fn zone_written(input: &[u8]) -> IResult<&[u8], i32> {
    preceded(opt(char(' ')), alt((offset, map_opt(names::word, names::zone)))).parse(input)
}

/// The instant of a date and a clock; without an offset that of [`ASSUMED_OFFSET`].
fn local(
    year: u32,
    month: u32,
    day: u32,
    clock: (u32, u32, u32),
    micros: u32,
    offset: Option<i32>,
) -> Option<Logged> {
    let time = civil(year, month, day, clock, micros, offset.unwrap_or(ASSUMED_OFFSET))?;
    Some(Logged { time, offset, zoneless: offset.is_none() })
}

/// `20261123055312`.
fn compact(text: &[u8]) -> Option<Logged> {
    let field = |from: usize| two(text[from], text[from + 1]);
    let year = field(0)? * 100 + field(2)?;
    local(year, field(4)?, field(6)?, (field(8)?, field(10)?, field(12)?), 0, None)
}

/// Seconds since 1970 have no zone, and need none.
fn instant(time: Timestamp) -> Logged {
    Logged { time, offset: None, zoneless: false }
}

fn clock_time(input: &[u8]) -> IResult<&[u8], (u32, u32, u32)> {
    let (input, hour) = number(1, 2, input)?;
    let (input, _) = char(':').parse(input)?;
    let (input, minute) = number(2, 2, input)?;
    let (input, _) = char(':').parse(input)?;
    let (input, second) = number(2, 2, input)?;
    Ok((input, (hour, minute, second)))
}

/// A fraction of a second in microseconds, if one follows.
fn fraction(input: &[u8]) -> IResult<&[u8], u32> {
    let digits = |i| take_while1(|b: u8| b.is_ascii_digit()).parse(i);
    let (rest, digits) = opt(preceded(one_of(".,"), digits)).parse(input)?;
    let padded = digits.unwrap_or_default().iter().copied().chain(std::iter::repeat(b'0'));
    Ok((rest, padded.take(6).fold(0, |micros, digit| micros * 10 + u32::from(digit - b'0'))))
}

fn offset(input: &[u8]) -> IResult<&[u8], i32> {
    let (input, sign) = one_of("+-").parse(input)?;
    let (input, hours) = number(2, 2, input)?;
    let (input, _) = opt(char(':')).parse(input)?;
    let (input, minutes) = number(2, 2, input)?;
    match signed(sign as u8, hours, minutes) {
        Some(offset) => Ok((input, offset)),
        None => Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Verify))),
    }
}

fn number(least: usize, most: usize, input: &[u8]) -> IResult<&[u8], u32> {
    let (rest, digits) = take_while_m_n(least, most, |b: u8| b.is_ascii_digit()).parse(input)?;
    Ok((rest, digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))))
}

fn whole<T>(result: IResult<&[u8], T>) -> Option<T> {
    match result {
        Ok(([], value)) => Some(value),
        _ => None,
    }
}

/// Seconds (with or without a fraction), milliseconds or microseconds since 1970.
pub fn epoch(text: &[u8], unit: Unit) -> Option<Timestamp> {
    i64::try_from(value::decimal(text, unit)?).ok().map(Timestamp)
}

/// Two ASCII digits.
#[inline]
fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// An offset in seconds; hours beyond a day and minutes beyond an hour do not exist.
fn signed(sign: u8, hours: u32, minutes: u32) -> Option<i32> {
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

#[inline]
fn month_number(name: [u8; 3]) -> Option<u32> {
    (1..).zip(MONTHS).find(|&(_, month)| *month == name).map(|(number, _)| number)
}

#[inline]
fn civil(
    year: u32,
    month: u32,
    day: u32,
    (hour, minute, second): (u32, u32, u32),
    micros: u32,
    offset: i32,
) -> Option<Timestamp> {
    let small = |number: u32| u8::try_from(number).ok();
    let year = i32::try_from(year).ok()?;
    Timestamp::from_civil(
        year,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        micros,
        offset,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Format, Layout};

    const MICROS: i64 = 1_795_413_191_000_000;

    #[test]
    fn written_times_are_read() {
        let check = |shape: &Shape, text: &str, expected: Option<(i64, Option<i32>)>| {
            let found = single(shape, text.as_bytes()).map(|logged| (logged.time.0, logged.offset));
            assert_eq!(found, expected, "{text}");
        };
        let utc = Some((MICROS, Some(0)));
        check(&Shape::Clf, "23/Nov/2026:05:53:11 +0000", utc);
        check(&Shape::Bracketed, "[23/Nov/2026:05:53:11 +0000]", utc);
        check(&Shape::Clf, "23/Nov/2026:13:53:11 +0800", Some((MICROS, Some(28_800))));
        check(&Shape::Clf, "22/Nov/2026:20:23:11 -0930", Some((MICROS, Some(-34_200))));
        check(&Shape::Clf, "23/NOV/2026:05:53:11 +0000", utc);
        check(&Shape::Clf, "23/NOV/2026:5:53:11 +00:00", utc);
        check(&Shape::Clf, "23/Nov/2026:05:53:11.25 +0000", Some((MICROS + 250_000, Some(0))));
        check(&Shape::Clf, "31/Dec/2016:23:59:60 +0000", Some((1_483_228_800_000_000, Some(0))));
        check(&Shape::Iso, "2026-11-23T05:53:11+00:00", utc);
        check(&Shape::Iso, "2026-11-23 05:53:11.5Z", Some((MICROS + 500_000, Some(0))));
        check(&Shape::Epoch(Unit::Seconds), "1795413191.318", Some((MICROS + 318_000, None)));
        check(&Shape::Epoch(Unit::Micros), "1795413191000007", Some((MICROS + 7, None)));
        for text in [
            "31/Feb/2026:05:53:11 +0000",
            "23/Nov/2026:25:53:11 +0000",
            "23/Nov/2026:05:53:11 CST",
            "23/Sma/2026:05:53:11 +0000",
            "00/Nov/2026:05:53:11 +0000",
            "23/Nov/2026:05:53:11 +9900",
            "01/01/2026:01:02:03 +0000",
            "23/Nov/2026:05:53:11 +0000x",
            "",
        ] {
            check(&Shape::Clf, text, None);
        }
    }

    #[test]
    fn a_time_without_a_zone_is_utc_and_says_so() {
        let check = |shape: &Shape, text: &str, expected: Option<(i64, bool)>| {
            let found = single(shape, text.as_bytes()).map(|logged| {
                assert!(!logged.zoneless || logged.offset.is_none(), "{text}");
                (logged.time.0, logged.zoneless)
            });
            assert_eq!(found, expected, "{text}");
        };
        let pieces = |notation: &str| {
            let format = Format::parse(&format!("%{{{notation}}}t")).expect("valid");
            match format.fields().next().map(|field| field.kind.clone()) {
                Some(Kind::Time(shape, _)) => shape,
                _ => unreachable!("a time"),
            }
        };
        check(&Shape::Clf, "23/Nov/2026:05:53:11", Some((MICROS, true)));
        check(&Shape::Clf, "23/Nov/2026:05:53:11.046", Some((MICROS + 46_000, true)));
        check(&Shape::Clf, "23/Nov/2026:05:53:11 UTC", Some((MICROS, false)));
        check(&Shape::Clf, "23/Nov/2026:06:53:11 CET", Some((MICROS, false)));
        check(&Shape::Clf, "23/nov./2026:05:53:11 +0000", Some((MICROS, false)));
        check(&Shape::Iso, "2026-11-23T05:53:11", Some((MICROS, true)));
        check(&Shape::Iso, "2026-11-23 05:53:11,123456789", Some((MICROS + 123_456, true)));
        check(&Shape::Iso, "2026-11-23T05:53:11.", None);
        check(&Shape::Iso, "2026-11-23T05:53:11 XXX", None);
        check(&pieces("%a %b %e %H:%M:%S %Y"), "Mon Nov 23 05:53:11 2026", Some((MICROS, true)));
        check(&pieces("%d. %b %Y %T"), "23. févr. 2026 24:00:00", Some((1_771_891_200_000_000, true)));
        check(&pieces("%d.%b.%Y %T"), "23.nov..2026 05:53:11", Some((MICROS, true)));
        check(&pieces("%d.%b.%Y %T"), "23.Nov.2026 05:53:11", Some((MICROS, true)));
        check(&pieces("%A %d %B %Y %T"), "Δευτέρα 23 Νοεμβρίου 2026 05:53:11", Some((MICROS, true)));
        check(&pieces("%F %T %Z"), "2026-11-23 00:53:11 EST", Some((MICROS, false)));
        check(&pieces("%F %T %Z"), "2026-11-23 00:53:11 CST", None);
        check(&pieces("%s %Z"), "1795413191 CST", Some((MICROS, false)));
        check(&pieces("%m/%d/%Y %I:%M:%S %p %z"), "11/23/2026 5:53:11 AM +00:00", Some((MICROS, false)));
        check(&pieces("%m/%d/%Y %I:%M:%S %p %z"), "11/23/2026 0:53:11 AM +00:00", None);
    }

    #[test]
    fn a_time_of_any_shape_tells_which_it_has() {
        let check = |text: &str, expected: Option<(i64, bool)>| {
            let found = any(text.as_bytes()).map(|logged| (logged.time.0, logged.zoneless));
            assert_eq!(found, expected, "{text}");
        };
        check("1795413191", Some((MICROS, false)));
        check("1795413191.318", Some((MICROS + 318_000, false)));
        check("1795413191318", Some((MICROS + 318_000, false)));
        check("1795413191318.5", Some((MICROS + 318_500, false)));
        check("1795413191000007", Some((MICROS + 7, false)));
        check("1795413191000007999", Some((MICROS + 7, false)));
        check("20261123055311", Some((MICROS, true)));
        check("20261323055311", None);
        check("2026-11-23T05:53:11Z", Some((MICROS, false)));
        check("23/Nov/2026:05:53:11 +0000", Some((MICROS, false)));
        for text in ["", "-", "Nov", "1795413191x", "17954131910000079990", "1795413191000007999.5", "."] {
            check(text, None);
        }
    }

    #[test]
    fn pieces_make_a_time() {
        let check = |format: &str, line: &str, expected: Result<Option<i64>, usize>| {
            let layout = Layout::compile(&Format::parse(format).expect(format)).expect(format);
            let mut spans = vec![(0, 0); layout.steps.len()];
            let matched = super::super::matcher::matches(
                &layout,
                line.as_bytes(),
                &mut spans,
                super::super::matcher::Rule::Strict,
            );
            assert!(matches!(matched, super::super::Match::Yes { .. }), "{format} {line}");
            let found = Memo::default().read(&layout, &spans, line.as_bytes());
            assert_eq!(found.map(|logged| logged.map(|logged| logged.time.0)), expected, "{format} {line}");
        };
        check(
            "[%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t] %>s",
            "[23/Nov/2026:05:53:11.007 +0000] 200",
            Ok(Some(MICROS + 7_000)),
        );
        check("%{sec}t.%{usec_frac}t %>s", "1795413191.000009 200", Ok(Some(MICROS + 9)));
        check(
            "%{%a, %e %B %y %I:%M:%S %p %Z}t|%>s",
            "Mon, 23 November 26 05:53:11 AM UTC|200",
            Ok(Some(MICROS)),
        );
        check("%{%Y-%j %H:%M:%S %z}t|%>s", "2026-327 05:53:11 +0000|200", Ok(Some(MICROS)));
        check("%{%F %T}t|%>s", "2026-11-23 05:53:11|200", Ok(Some(MICROS)));
        check("%{%F}t %{%T}t|%>s", "2026-11-23 05:53:11|200", Ok(Some(MICROS)));
        check("%{%F %T %Z}t|%>s", "2026-11-23 05:53:11 CST|200", Err(0));
        check("%>s %{%F %T}t", "200 -", Ok(None));
    }

    #[test]
    fn the_memo_never_answers_for_another_text() {
        let layout = Layout::compile(&Format::parse("[$time_local]").expect("valid")).expect("valid");
        let mut memo = Memo::default();
        for (line, expected) in [
            ("[23/Nov/2026:05:53:11 +0000]", Ok(Some(MICROS))),
            ("[23/Nov/2026:05:53:11 +0000]", Ok(Some(MICROS))),
            ("[23/Nov/2026:05:53:12 +0000]", Ok(Some(MICROS + 1_000_000))),
            ("[31/Feb/2026:05:53:12 +0000]", Err(1)),
            ("[23/Nov/2026:05:53:12 +0000]", Ok(Some(MICROS + 1_000_000))),
            ("[-]", Ok(None)),
        ] {
            let end = u32::try_from(line.len()).expect("short") - 1;
            let found = memo.read(&layout, &[(1, end)], line.as_bytes());
            assert_eq!(found.map(|logged| logged.map(|logged| logged.time.0)), expected, "{line}");
        }
    }
}
