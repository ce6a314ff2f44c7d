//! Times that are put together from pieces: `[%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t]`, or a date and a clock in two
//! columns.

use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::char;
use nom::combinator::{opt, value};
use nom::sequence::preceded;

use super::names::{month, word, zone};
use super::{Logged, civil, epoch, fraction, number, offset, single, whole};
use crate::format::{Kind, Layout, Piece, Shape, Unit};
use crate::parse::Span;
use crate::time::Timestamp;

/// A time that several fields make up; the column of the value at fault.
pub(super) fn assemble(layout: &Layout, spans: &[Span], line: &[u8]) -> Result<Option<Logged>, usize> {
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

/// A time in `strftime` notation.
pub(super) fn written(pieces: &[Piece], text: &[u8]) -> Option<Logged> {
    let mut clock = Clock::default();
    clock.read(pieces, text)?;
    clock.logged()
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
    /// A zone's name was written that has no meaning, or several.
    odd_zone: bool,
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
        for (at, piece) in pieces.iter().enumerate() {
            rest = self.piece(piece, rest).ok()?.0;
            if matches!(piece, Piece::MonthName | Piece::WeekdayName) {
                rest = after_abbreviation(rest, pieces.get(at + 1));
            }
        }
        rest.is_empty().then_some(())
    }

    fn piece<'a>(&mut self, piece: &Piece, input: &'a [u8]) -> IResult<&'a [u8], ()> {
        // `%e` and `%k` pad with a blank.
        let small = |i: &'a [u8]| preceded(opt(char(' ')), |i| number(1, 2, i)).parse(i);
        let (rest, ()) = match piece {
            Piece::Literal(byte) => value((), char(char::from(*byte))).parse(input)?,
            Piece::Year => number(4, 4, input).map(|(rest, n)| (rest, self.year = Some(n)))?,
            Piece::ShortYear => number(2, 2, input)
                .map(|(rest, n)| (rest, self.year = Some(if n < 69 { 2000 + n } else { 1900 + n })))?,
            Piece::Month => number(1, 2, input).map(|(rest, n)| (rest, self.month = Some(n)))?,
            Piece::MonthName => month(input).map(|(rest, n)| (rest, self.month = Some(n)))?,
            Piece::Day => small(input).map(|(rest, n)| (rest, self.day = Some(n)))?,
            Piece::DayOfYear => number(3, 3, input).map(|(rest, n)| (rest, self.day_of_year = Some(n)))?,
            Piece::Hour | Piece::Hour12 => small(input).map(|(rest, n)| (rest, self.hour = n))?,
            Piece::Meridian => {
                let (rest, half) = alt((tag("AM"), tag("PM"), tag("am"), tag("pm"))).parse(input)?;
                (rest, self.afternoon = Some(half.eq_ignore_ascii_case(b"pm")))
            }
            Piece::Minute => number(2, 2, input).map(|(rest, n)| (rest, self.minute = n))?,
            Piece::Second => number(2, 2, input).map(|(rest, n)| (rest, self.second = n))?,
            Piece::Fraction => fraction(input).map(|(rest, n)| (rest, self.micros = Some(n)))?,
            Piece::Offset => offset(input).map(|(rest, n)| (rest, self.offset = Some(n)))?,
            Piece::Zone(known) => (input, self.offset = Some(*known)),
            Piece::ZoneName => {
                let (rest, name) = word(input)?;
                self.offset = zone(name).or(self.offset);
                (rest, self.odd_zone = zone(name).is_none())
            }
            Piece::WeekdayName => value((), word).parse(input)?,
            Piece::Number(digits) => number(1, usize::from(*digits), input).map(|(rest, _)| (rest, ()))?,
            Piece::Epoch => {
                let (rest, digits) = take_while1(|b: u8| b.is_ascii_digit()).parse(input)?;
                (rest, self.instant = epoch(digits, Unit::Seconds))
            }
        };
        Ok((rest, ()))
    }

    fn logged(&self) -> Option<Logged> {
        let micros = self.micros.unwrap_or(0);
        if let Some(Timestamp(instant)) = self.instant {
            let own_fraction = instant.rem_euclid(1_000_000) != 0;
            let extra = if own_fraction { 0 } else { i64::from(micros) };
            let time = Timestamp(instant.checked_add(extra)?);
            return Some(Logged { time, offset: self.offset, zoneless: false });
        }
        // A name with several meanings is hours away from every guess.
        if self.odd_zone && self.offset.is_none() {
            return None;
        }
        let offset = self.offset.unwrap_or(super::ASSUMED_OFFSET);
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
        Some(Logged { time, offset: self.offset, zoneless: self.offset.is_none() })
    }
}

/// Some locales end an abbreviation with a dot (`févr.`), which is not the one that the notation itself may have.
fn after_abbreviation<'a>(rest: &'a [u8], next: Option<&Piece>) -> &'a [u8] {
    match rest.strip_prefix(b".") {
        Some(after) if next != Some(&Piece::Literal(b'.')) || after.starts_with(b".") => after,
        _ => rest,
    }
}
