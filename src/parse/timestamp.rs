//! Written times → instants.
//!
//! Logs repeat themselves: [`Memo`] compares a value with the previous line's and reads it only if it differs.

use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{map_opt, opt, value};
use nom::sequence::preceded;

use super::Span;
use crate::format::{Kind, Layout, Piece, Shape, Unit};
use crate::time::Timestamp;

/// A logged time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// The instant.
    pub time: Timestamp,
    /// UTC offset in seconds that it was written with; none for seconds since 1970.
    pub offset: Option<i32>,
}

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
            return assemble(layout, spans, line);
        }
        let (start, end) = spans[step];
        let text = &line[start as usize..end as usize];
        if text.len() == self.length && self.text[..self.length] == *text {
            return Ok(self.logged);
        }
        let Kind::Time(shape, _) = &layout.steps[step].field.kind else { return Ok(None) };
        let logged = if text.is_empty() || text == layout.format.escape.null() {
            None
        } else {
            Some(single(shape, text).ok_or(start as usize)?)
        };
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

/// A time written in one piece.
pub fn single(shape: &Shape, text: &[u8]) -> Option<Logged> {
    match shape {
        Shape::Clf => clf(text),
        Shape::Bracketed => clf(text.strip_prefix(b"[")?.strip_suffix(b"]")?),
        Shape::Iso => iso(text),
        Shape::Epoch(unit) => epoch(text, *unit).map(|time| Logged { time, offset: None }),
        Shape::Fraction(_) => None,
        Shape::Strftime(pieces) => {
            let mut clock = Clock::default();
            clock.read(pieces, text)?;
            clock.logged()
        }
    }
}

/// `23/Nov/2026:05:53:11 +0000`, with one-digit days, months in any case, a fraction or a colon in the offset allowed.
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
        let month = month_number([m1, m2, m3])?;
        let offset = signed(sign, two(o1, o2)?, two(o3, o4)?)?;
        let second = two(s1, s2)?;
        let time = civil(year, month, two(d1, d2)?, (two(h1, h2)?, two(n1, n2)?, second), 0, offset)?;
        return Some(Logged { time, offset: Some(offset) });
    }
    whole(lenient_clf(text)).flatten()
}

/// `2026-11-23T05:53:11+00:00` (RFC 3339), also with a blank for `T`, `Z`, a fraction, or no colon in the offset.
pub fn iso(text: &[u8]) -> Option<Logged> {
    whole(iso_parts(text)).flatten()
}

fn lenient_clf(input: &[u8]) -> IResult<&[u8], Option<Logged>> {
    let (input, day) = number(1, 2, input)?;
    let (input, _) = char('/').parse(input)?;
    let (input, month) = map_opt(take_while1(|b: u8| b.is_ascii_alphabetic()), month_named).parse(input)?;
    let (input, _) = char('/').parse(input)?;
    let (input, year) = number(4, 4, input)?;
    let (input, _) = char(':').parse(input)?;
    let (input, clock) = clock_time(input)?;
    let (input, micros) = fraction(input)?;
    let (input, _) = char(' ').parse(input)?;
    let (input, offset) = offset(input)?;
    let time = civil(year, month, day, clock, micros, offset);
    Ok((input, time.map(|time| Logged { time, offset: Some(offset) })))
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
    let (input, offset) = alt((value(0, tag("Z")), preceded(opt(char(' ')), offset))).parse(input)?;
    let time = civil(year, month, day, clock, micros, offset);
    Ok((input, time.map(|time| Logged { time, offset: Some(offset) })))
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
    let micros = super::value::duration(text, unit).ok()??;
    i64::try_from(micros).ok().map(Timestamp)
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

/// English month names of three letters or in full, in any case: logs never use another language unless a
/// `%{%b}t` was written under one.
fn month_named(name: &[u8]) -> Option<u32> {
    const FULL: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_ascii_lowercase();
    (1..).zip(FULL).find(|(_, full)| full.as_bytes() == name || full.as_bytes()[..3] == *name).map(|(n, _)| n)
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

/// A time that several fields make up: `[%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t]`.
fn assemble(layout: &Layout, spans: &[Span], line: &[u8]) -> Result<Option<Logged>, usize> {
    let mut clock = Clock::default();
    let mut first = None;
    for step in layout.times() {
        let (start, end) = spans[step];
        let text = &line[start as usize..end as usize];
        if text.is_empty() || text == layout.format.escape.null() {
            continue;
        }
        first.get_or_insert(start as usize);
        let Kind::Time(shape, _) = &layout.steps[step].field.kind else { continue };
        clock.add(shape, text).ok_or(start as usize)?;
    }
    let Some(column) = first else { return Ok(None) };
    clock.logged().map(Some).ok_or(column)
}

/// What the pieces of a time have told so far.
#[derive(Default)]
struct Clock {
    instant: Option<Timestamp>,
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: u32,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    micros: Option<u32>,
    offset: Option<i32>,
}

impl Clock {
    fn add(&mut self, shape: &Shape, text: &[u8]) -> Option<()> {
        match shape {
            Shape::Fraction(unit) => {
                let scale = if *unit == Unit::Millis { 1000 } else { 1 };
                self.micros = Some(whole(number(1, 6, text))?.checked_mul(scale).filter(|&m| m < 1_000_000)?);
            }
            Shape::Strftime(pieces) => self.read(pieces, text)?,
            other => {
                let logged = single(other, text)?;
                self.instant.get_or_insert(logged.time);
                self.offset = self.offset.or(logged.offset);
            }
        }
        Some(())
    }

    fn read(&mut self, pieces: &[Piece], text: &[u8]) -> Option<()> {
        let mut rest = text;
        for piece in pieces {
            let (after, ()) = self.piece(piece, rest).ok()?;
            rest = after;
        }
        rest.is_empty().then_some(())
    }

    fn piece<'a>(&mut self, piece: &Piece, input: &'a [u8]) -> IResult<&'a [u8], ()> {
        let word = |i: &'a [u8]| take_while1(|b: u8| b.is_ascii_alphabetic()).parse(i);
        // `%e` and `%k` pad with a blank.
        let small = |i: &'a [u8]| preceded(opt(char(' ')), |i| number(1, 2, i)).parse(i);
        let (rest, ()) = match piece {
            Piece::Literal(byte) => value((), char(char::from(*byte))).parse(input)?,
            Piece::Year => number(4, 4, input).map(|(rest, n)| (rest, self.year = Some(n)))?,
            Piece::ShortYear => number(2, 2, input)
                .map(|(rest, n)| (rest, self.year = Some(if n < 69 { 2000 + n } else { 1900 + n })))?,
            Piece::Month => number(1, 2, input).map(|(rest, n)| (rest, self.month = Some(n)))?,
            Piece::MonthName => {
                map_opt(word, month_named).parse(input).map(|(rest, n)| (rest, self.month = Some(n)))?
            }
            Piece::Day => small(input).map(|(rest, n)| (rest, self.day = Some(n)))?,
            Piece::DayOfYear => number(3, 3, input).map(|(rest, n)| (rest, self.day_of_year = Some(n)))?,
            Piece::Hour | Piece::Hour12 => small(input).map(|(rest, n)| (rest, self.hour = n))?,
            Piece::Meridian => {
                let (rest, half) = alt((tag("AM"), tag("PM"), tag("am"), tag("pm"))).parse(input)?;
                (rest, self.afternoon = Some(half.eq_ignore_ascii_case(b"pm")))
            }
            Piece::Minute => number(2, 2, input).map(|(rest, n)| (rest, self.minute = n))?,
            Piece::Second => number(2, 2, input).map(|(rest, n)| (rest, self.second = n))?,
            Piece::Offset => offset(input).map(|(rest, n)| (rest, self.offset = Some(n)))?,
            Piece::ZoneName => {
                let (rest, name) = word(input)?;
                // Other abbreviations are ambiguous: the time has no offset then, and is rejected.
                if [&b"UTC"[..], b"GMT", b"Z"].contains(&name) {
                    self.offset = Some(0);
                }
                (rest, ())
            }
            Piece::WeekdayName => value((), word).parse(input)?,
            Piece::Epoch => {
                let (rest, digits) = take_while1(|b: u8| b.is_ascii_digit()).parse(input)?;
                self.instant = epoch(digits, Unit::Seconds);
                (rest, ())
            }
        };
        Ok((rest, ()))
    }

    fn logged(&self) -> Option<Logged> {
        let micros = self.micros.unwrap_or(0);
        if let Some(Timestamp(instant)) = self.instant {
            let own_fraction = instant.rem_euclid(1_000_000) != 0;
            let extra = if own_fraction { 0 } else { i64::from(micros) };
            return Some(Logged { time: Timestamp(instant.checked_add(extra)?), offset: self.offset });
        }
        let offset = self.offset?;
        let hour = match self.afternoon {
            Some(afternoon) if (1..=12).contains(&self.hour) => {
                self.hour % 12 + if afternoon { 12 } else { 0 }
            }
            Some(_) => return None,
            None => self.hour,
        };
        let clock = (hour, self.minute, self.second);
        let time = match self.day_of_year {
            Some(day @ 1..=366) if self.month.is_none() => {
                let first = civil(self.year?, 1, 1, clock, micros, offset)?;
                Timestamp(first.0 + i64::from(day - 1) * 86_400_000_000)
            }
            _ => civil(self.year?, self.month?, self.day?, clock, micros, offset)?,
        };
        Some(Logged { time, offset: Some(offset) })
    }
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
            "23/Nov/2026:05:53:11",
            "23/Nov/2026:05:53:11 UTC",
            "23/Nov/2026:05:53:11 +9900",
            "01/01/2026:01:02:03 +0000",
            "23/Nov/2026:05:53:11 +0000x",
            "",
        ] {
            check(&Shape::Clf, text, None);
        }
        check(&Shape::Iso, "2026-11-23T05:53:11", None);
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
        check("%{%F %T}t|%>s", "2026-11-23 05:53:11|200", Err(0));
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
