//! The slow twin of `matcher` and `value`: the same rules, built of nom parsers, with nothing clever.
//!
//! A line is matched by trying, for each value, every end its rule allows, shortest first, and recursing. All parts
//! are read, none is remembered between lines.

use std::collections::HashSet;

use nom::branch::alt;
use nom::bytes::complete::{tag, take, take_until, take_while, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, map, opt, recognize, rest, value, verify};
use nom::multi::{many0, separated_list0};
use nom::sequence::{pair, preceded, terminated};
use nom::{IResult, Parser};

use super::{Reason, Record, Reject};
use crate::format::{Edge, End, Escape, Guard, Kind, Layout, Part, Server, Shape, Step, Tail, Unit};
use crate::parse::timestamp;
use crate::time::Timestamp;

type Spans = Vec<(usize, usize)>;

/// Reads a line; `Err(None)` says only that it has not the shape of the format.
pub(super) fn parse<'a>(layout: &Layout, line: &'a [u8]) -> Result<Record<'a>, Option<Reject>> {
    let (spans, extra) = shape(layout, line, Blanks::Protocol)
        .or_else(|| shape(layout, line, Blanks::Exact))
        .or_else(|| shape(layout, line, Blanks::Runs))
        .ok_or(None)?;
    if extra && swallows(layout, &spans, line) {
        return Err(None);
    }
    let quotes = |text: &[u8]| text.split(|&byte| byte == b'"').count() - 1;
    let literals =
        layout.steps.iter().map(|step| quotes(&step.literal)).sum::<usize>() + quotes(&layout.first);
    let raw = matches!(layout.format.escape, Escape::None | Escape::Raw);
    let mut record = Record { extra, ambiguous: raw && quotes(line) > literals, ..Record::default() };
    numbers(layout, &spans, line, &mut record)?;
    times(layout, &spans, line, &mut record)?;
    texts(layout, &spans, line, &mut record);
    Ok(record)
}

/// True if what follows the last value holds a carriage return, or is a record by itself.
fn swallows(layout: &Layout, spans: &Spans, line: &[u8]) -> bool {
    let literal = layout.steps.last().map_or(0, |step| step.literal.len());
    let after = spans.last().map_or(0, |&(_, end)| end) + literal;
    let columns = line.get(after..).unwrap_or_default().trim_ascii();
    let timed = |(spans, _): (Spans, bool)| layout.times().any(|step| spans[step].1 - spans[step].0 >= 10);
    let words = (0..columns.len()).filter(|&at| columns[at] == b' ').map(|at| at + 1);
    columns.contains(&b'\r')
        || [0]
            .into_iter()
            .chain(words)
            .take(16)
            .any(|at| shape(layout, &columns[at..], Blanks::Runs).is_some_and(timed))
}

#[derive(Clone, Copy, PartialEq)]
enum Blanks {
    /// As written, and requests that may hold quotes end in their protocol.
    Protocol,
    /// As written.
    Exact,
    Runs,
}

fn shape(layout: &Layout, line: &[u8], blanks: Blanks) -> Option<(Spans, bool)> {
    let (after, ()) = literal(&layout.first, blanks, line).ok()?;
    let mut spans = Vec::new();
    let mut dead = DeadEnds::new();
    let extra = steps(&layout.steps, line, line.len() - after.len(), blanks, &mut spans, &mut dead)?;
    Some((spans, extra))
}

/// Numbers of steps left and places from where they do not match: without them long lines would take for ever.
type DeadEnds = HashSet<(usize, usize)>;

/// Matches the steps against the line from `at` on; true if columns are left over.
fn steps(
    steps_left: &[Step],
    line: &[u8],
    at: usize,
    blanks: Blanks,
    spans: &mut Spans,
    dead: &mut DeadEnds,
) -> Option<bool> {
    let Some((step, others)) = steps_left.split_first() else {
        return left_over(line, at, blanks);
    };
    if dead.contains(&(steps_left.len(), at)) {
        return None;
    }
    for end in ends(step, line, at, blanks) {
        let unclosed = end == line.len() && is_cut(step, blanks);
        let after = match literal(&step.literal, blanks, &line[end..]) {
            Ok((after, ())) => after,
            Err(_) if unclosed => &line[end..],
            Err(_) => continue,
        };
        let address =
            |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b',' | b'"' | b' ');
        let client = step.field.part == Part::Client && step.field.kind == Kind::Word;
        let addresses = client && line[at..end].iter().all(address);
        if !addresses && !could_be(&step.field.kind, &line[at..end]) {
            continue;
        }
        if !is_guarded(step.guard, &line[at..end], blanks) {
            continue;
        }
        spans.push((at, end));
        if let Some(extra) = steps(others, line, line.len() - after.len(), blanks, spans, dead) {
            return Some(extra);
        }
        spans.pop();
    }
    dead.insert((steps_left.len(), at));
    None
}

fn is_guarded(guard: Guard, text: &[u8], blanks: Blanks) -> bool {
    match guard {
        Guard::None => true,
        Guard::Unquoted => {
            let escaped = pair(char('\\'), take(1usize));
            let plain = take_while1(|b| b != b'"' && b != b'\\');
            let body = recognize(many0(alt((recognize(escaped), plain))));
            let result: IResult<&[u8], &[u8]> =
                all_consuming(recognize(pair(body, opt(char('\\'))))).parse(text);
            text == b"\"\"" || result.is_ok()
        }
        Guard::Protocol => {
            let protocol = preceded(tag(&b"HTTP/"[..]), take_while(|b: u8| b.is_ascii_digit() || b == b'.'));
            let word = text.split(|&byte| byte == b' ').next_back().unwrap_or_default();
            let result: IResult<&[u8], &[u8]> = all_consuming(protocol).parse(word);
            blanks != Blanks::Protocol || result.is_ok()
        }
    }
}

/// True where a last quoted value may lack its closing quote.
fn is_cut(step: &Step, blanks: Blanks) -> bool {
    blanks == Blanks::Runs && matches!(step.end, End::Quote | End::RawQuote) && step.literal == b"\""
}

fn left_over(line: &[u8], at: usize, blanks: Blanks) -> Option<bool> {
    match blanks {
        _ if at == line.len() => Some(false),
        Blanks::Protocol | Blanks::Exact => line[at..].trim_ascii().is_empty().then_some(false),
        Blanks::Runs => {
            let separated = line[at].is_ascii_whitespace() || (at > 0 && line[at - 1] == b' ');
            separated.then(|| line[at..].iter().any(|byte| !byte.is_ascii_whitespace()))
        }
    }
}

/// Every place the rule of a step lets its value end.
fn ends(step: &Step, line: &[u8], at: usize, blanks: Blanks) -> Vec<usize> {
    let input = &line[at..];
    let literal_stands = |end: &usize| literal(&step.literal, blanks, &line[*end..]).is_ok();
    let skip = |count: u8| -> Option<usize> {
        if count > 0 && (input.starts_with(b"- ") || input == b"-") {
            return Some(at);
        }
        let word = |i| terminated(take_while(|b| b != b' '), char(' ')).parse(i);
        let mut left = input;
        for _ in 0..count {
            let result: IResult<&[u8], &[u8]> = word(left);
            left = result.ok()?.0;
        }
        Some(line.len() - left.len())
    };
    match step.end {
        End::Quote => {
            let escaped = pair(char('\\'), take(1usize));
            let plain = take_while1(|b| b != b'"' && b != b'\\');
            let body = recognize(many0(alt((recognize(escaped), plain))));
            let mut body = recognize(pair(body, opt(char('\\'))));
            let empty_user = (step.field.part == Part::User && input.starts_with(b"\"\"")).then_some(at + 2);
            until(body.parse(input), line).into_iter().chain(empty_user).collect()
        }
        End::RawQuote => {
            until(take_while::<_, _, nom::error::Error<&[u8]>>(|b| b != b'"').parse(input), line)
                .into_iter()
                .collect()
        }
        End::List => {
            let goes_on = |end: usize| {
                let around = |from: usize, to: usize| line.get(from..to).unwrap_or_default();
                let before = |count: usize| end.checked_sub(count).map_or(&[][..], |from| around(from, end));
                before(1) == b"," || before(2) == b" :" || around(end, end + 3) == b" : "
            };
            (at..line.len()).find(|end| literal_stands(end) && !goes_on(*end)).into_iter().collect()
        }
        End::Until { inner_blanks } => {
            skip(inner_blanks).and_then(|from| (from..=line.len()).find(literal_stands)).into_iter().collect()
        }
        End::Anywhere => (at..=line.len()).filter(literal_stands).collect(),
        End::Before(mark) => {
            let stands = |end: usize| match step.run_end.as_slice() {
                [] => end == line.len(),
                run_end => end == line.len() || literal(run_end, blanks, &line[end..]).is_ok(),
            };
            let null = |end: usize| mark == b'/' && line.get(end) == Some(&b'-') && stands(end + 1);
            (at..=line.len())
                .filter(|&end| line.get(end) == Some(&mark) || stands(end) || (end < line.len() && null(end)))
                .collect()
        }
        End::Asked => {
            let logged = input.starts_with(b"?") || line[..at].ends_with(b"?");
            match (logged, step.literal.as_slice(), step.run_end.as_slice()) {
                (false, ..) => Some(at).filter(literal_stands).into_iter().collect(),
                (true, [], []) => vec![line.len()],
                (true, ..) => (at..=line.len()).filter(literal_stands).collect(),
            }
        }
        End::Optional(mark) => vec![at + usize::from(line.get(at) == Some(&mark))],
        End::Fixed(width) => {
            until(recognize(take::<_, _, nom::error::Error<&[u8]>>(usize::from(width))).parse(input), line)
                .into_iter()
                .collect()
        }
        End::Line(Tail::Text) => until(rest(input), line).into_iter().collect(),
        End::Line(Tail::Word { inner_blanks }) => skip(inner_blanks)
            .map(|from| from + line[from..].iter().take_while(|&&byte| byte != b' ' && byte != b'\t').count())
            .into_iter()
            .collect(),
    }
}

fn until<'a>(result: IResult<&'a [u8], &'a [u8]>, line: &[u8]) -> Option<usize> {
    result.ok().map(|(after, _)| line.len() - after.len())
}

fn literal<'a>(wanted: &[u8], blanks: Blanks, input: &'a [u8]) -> IResult<&'a [u8], ()> {
    if blanks != Blanks::Runs {
        return value((), tag(wanted)).parse(input);
    }
    let mut input = input;
    for run in wanted.chunk_by(|a, b| (*a == b' ') == (*b == b' ')) {
        input = if run[0] == b' ' {
            value((), take_while1(|b| b == b' ')).parse(input)?.0
        } else {
            value((), tag(run)).parse(input)?.0
        };
    }
    Ok((input, ()))
}

fn could_be(kind: &Kind, text: &[u8]) -> bool {
    let null = |i| alt((value((), tag(&b"-"[..])), value((), nom::combinator::eof))).parse(i);
    let fits = |result: IResult<&[u8], ()>| result.is_ok();
    match kind {
        Kind::Status => {
            let none = alt((value((), tag(&b"-1"[..])), value((), char('0')), null));
            fits(all_consuming(alt((value((), verify(digit1, |d: &[u8]| d.len() == 3)), none))).parse(text))
        }
        Kind::Bytes | Kind::Duration(_) => {
            let aborted = *kind != Kind::Bytes && text == b"-1";
            aborted
                || text == b"+"
                || fits(value((), pair(opt(char('+')), digit1)).parse(text))
                || fits(all_consuming(null).parse(text))
        }
        Kind::Digits => fits(all_consuming(alt((value((), digit1), null))).parse(text)),
        Kind::Word => {
            let item = |i| take_while(|b| b != b' ').parse(i);
            let mut list =
                all_consuming(separated_list0(char(' '), verify(item, |item: &[u8]| !item.is_empty())));
            let result: IResult<&[u8], Vec<&[u8]>> = list.parse(text);
            let split = |(_, items): (_, Vec<&[u8]>)| {
                items.split_last().is_none_or(|(_, lists)| lists.iter().all(|item| item.ends_with(b",")))
            };
            // A list may end in a comma and a blank.
            let trimmed = text.strip_suffix(b", ").map(|text| [text, b","].concat());
            match trimmed {
                Some(text) => could_be(kind, &text),
                None => result.is_ok_and(split),
            }
        }
        Kind::Time(Shape::Strftime(_), _) => true,
        Kind::Time(shape, _) => {
            let bracket = if *shape == Shape::Bracketed { "[" } else { "" };
            fits(value((), pair(tag(bracket), digit1)).parse(text)) || fits(all_consuming(null).parse(text))
        }
        Kind::List | Kind::Text => true,
    }
}

fn numbers(
    layout: &Layout,
    spans: &Spans,
    line: &[u8],
    record: &mut Record<'_>,
) -> Result<(), Option<Reject>> {
    let at = |part| layout.source(part).map(|step| (spans[step], &layout.steps[step].field.kind));
    let reject = |reason, column| Some(Reject { reason, column });
    let bytes = |part| match at(part) {
        Some(((start, end), _)) => number_of_bytes(&line[start..end]).map_err(|reason| reject(reason, start)),
        None => Ok(None),
    };
    record.body = bytes(Part::Body)?;
    record.wire = bytes(Part::Wire)?;
    record.bytes_in = bytes(Part::In)?;
    if let Some(((start, end), _)) = at(Part::Status) {
        let text = std::str::from_utf8(&line[start..end]).map_err(|_| reject(Reason::Status, start))?;
        record.status = if ["", "-", "-1"].contains(&text) {
            None
        } else {
            Some(text.parse().map_err(|_| reject(Reason::Status, start))?)
        };
    }
    if let Some(((start, end), Kind::Duration(unit))) = at(Part::Duration) {
        if (*unit, layout.format.server) == (Unit::Micros, Server::Apache) && line[start..end].contains(&b'.')
        {
            return Err(reject(Reason::Duration, start));
        }
        record.duration_us =
            signed_micros(&line[start..end], *unit).map_err(|reason| reject(reason, start))?;
    }
    Ok(())
}

fn number_of_bytes(text: &[u8]) -> Result<Option<u64>, Reason> {
    if text.is_empty() || text == b"-" {
        return Ok(None);
    }
    let digits: IResult<&[u8], &[u8]> = all_consuming(preceded(opt(char('+')), digit1)).parse(text);
    let (_, digits) = digits.map_err(|_| Reason::Bytes)?;
    let number: Result<u64, _> = String::from_utf8_lossy(digits).parse();
    number.ok().filter(|&number| number <= 1 << 46).map(Some).ok_or(Reason::BytesRange)
}

fn signed_micros(text: &[u8], unit: Unit) -> Result<Option<u64>, Reason> {
    match text.strip_prefix(b"+") {
        _ if text == b"-1" => Ok(None),
        Some(number) => micros(number, unit).and_then(|micros| micros.map(Some).ok_or(Reason::Duration)),
        None => micros(text, unit),
    }
}

#[allow(clippy::type_complexity, reason = "the type of a parser, written out once")]
fn micros(text: &[u8], unit: Unit) -> Result<Option<u64>, Reason> {
    if text.is_empty() || text == b"-" {
        return Ok(None);
    }
    let number = |i| {
        all_consuming(pair(digit1, opt(preceded(char('.'), take_while(|b: u8| b.is_ascii_digit()))))).parse(i)
    };
    let digits = match unit {
        Unit::Seconds | Unit::Suffixed => 6,
        Unit::Millis => 3,
        Unit::Micros | Unit::Nanos => 0,
    };
    let letter = text.iter().position(|byte| b"eE".contains(byte));
    let result: IResult<&[u8], (&[u8], Option<&[u8]>)> = number(&text[..letter.unwrap_or(text.len())]);
    let (_, (whole, fraction)) = result.map_err(|_| Reason::Duration)?;
    if let Some(letter) = letter {
        let exponent = String::from_utf8_lossy(&text[letter + 1..]);
        let exponent: i64 = exponent.parse().map_err(|_| Reason::Duration)?;
        let all = [whole, fraction.unwrap_or_default()].concat();
        let all = String::from_utf8_lossy(&all).parse::<u64>().map_err(|_| Reason::Duration)?.to_string();
        let fraction = i64::try_from(fraction.unwrap_or_default().len()).expect("short");
        let places = exponent - fraction + i64::try_from(digits).expect("at most 6");
        let length = i64::try_from(all.len()).expect("short") + places;
        return match (all.as_str(), length) {
            ("0", _) | (_, ..=0) => Ok(Some(0)),
            (_, 1..=40) => {
                let length = usize::try_from(length).expect("positive");
                format!("{all:0<length$.length$}").parse().map(Some).map_err(|_| Reason::Duration)
            }
            _ => Err(Reason::Duration),
        };
    }
    let whole = String::from_utf8_lossy(whole);
    let fraction = String::from_utf8_lossy(fraction.unwrap_or_default());
    let written = format!("{whole}{fraction:0<digits$.digits$}");
    // The whole part alone must already fit.
    written.parse::<u64>().map(Some).map_err(|_| Reason::Duration)
}

fn times(layout: &Layout, spans: &Spans, line: &[u8], record: &mut Record<'_>) -> Result<(), Option<Reject>> {
    let duration = record.duration_us.unwrap_or(0);
    record.implausible = duration > 31 * 24 * 3600 * 1_000_000;
    let steps: Vec<usize> = layout.times().collect();
    let [step] = steps.as_slice() else { return Ok(()) };
    let (start, end) = spans[*step];
    let text = &line[start..end];
    if text.is_empty() || text == layout.format.escape.null() {
        return Ok(());
    }
    let Kind::Time(shape, edge) = &layout.steps[*step].field.kind else { return Ok(()) };
    let logged = match shape {
        Shape::Epoch(unit) => micros(text, *unit).ok().flatten().and_then(|micros| {
            let time = Timestamp(i64::try_from(micros).ok()?);
            Some(timestamp::Logged { time, offset: None, zoneless: false })
        }),
        shape => timestamp::single(shape, text),
    };
    let logged = logged.ok_or(Some(Reject { reason: Reason::Time, column: start }))?;
    record.time = Some(logged.time);
    record.offset = logged.offset;
    record.zoneless = logged.zoneless;
    let duration = if record.implausible { 0 } else { i64::try_from(duration).expect("31 days fit") };
    let (start, end) = match edge {
        Edge::End => (logged.time.0 - duration, logged.time.0),
        Edge::Start => (logged.time.0, logged.time.0 + duration),
    };
    (record.start, record.end) = (Some(Timestamp(start)), Some(Timestamp(end)));
    Ok(())
}

fn texts<'a>(layout: &Layout, spans: &Spans, line: &'a [u8], record: &mut Record<'a>) {
    let text = |part| {
        let (start, end) = spans[layout.source(part)?];
        Some(&line[start..end]).filter(|&text| text != layout.format.escape.null())
    };
    record.client = text(Part::Client);
    record.peer = text(Part::Peer);
    record.forwarded = text(Part::Forwarded);
    record.user = text(Part::User).map(|user| if user == b"\"\"" { &user[..0] } else { user });
    record.host = text(Part::Host);
    record.server_addr = text(Part::ServerAddr);
    record.hostname = text(Part::Hostname);
    record.referer = text(Part::Referer);
    record.agent = text(Part::Agent);
    record.cache = text(Part::Cache);
    record.path = if layout.source(Part::Target).is_none() { text(Part::Path) } else { None };
    record.query = text(Part::Query);
    let (method, target, protocol) = text(Part::Request).map_or((None, None, None), request);
    record.method = method.or_else(|| text(Part::Method).filter(|m| super::value::is_token(m)));
    record.target = target.or_else(|| text(Part::Target));
    record.protocol = protocol.or_else(|| text(Part::Protocol));
    let unit = layout.source(Part::Upstream).map(|step| &layout.steps[step].field.kind);
    let upstream = |text| match unit {
        Some(Kind::Duration(unit)) => Some((signed_micros(text, *unit).ok().flatten()?, 1)),
        _ => upstream(text),
    };
    if let Some((sum, tries)) = text(Part::Upstream).and_then(upstream) {
        record.upstream_us = Some(sum);
        record.upstream_tries = Some(tries);
    }
}

type Request<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a [u8]>);

fn request(line: &[u8]) -> Request<'_> {
    let head: IResult<&[u8], &[u8]> = terminated(take_until(" "), char(' ')).parse(line);
    let Ok((after, method)) = head else { return (None, None, None) };
    if !super::value::is_token(method) {
        return (None, None, None);
    }
    let words: Vec<&[u8]> = after.split(|&byte| byte == b' ').collect();
    match words.split_last() {
        Some((last, [_, ..])) if last.starts_with(b"HTTP/") => {
            (Some(method), Some(&after[..after.len() - last.len() - 1]), Some(last))
        }
        _ => (Some(method), Some(after), None),
    }
}

fn upstream(text: &[u8]) -> Option<(u64, u32)> {
    let item = map(take_while(|b| b != b',' && b != b':'), <[u8]>::trim_ascii);
    let mut items = all_consuming(separated_list0(alt((char(','), char(':'))), item));
    let result: IResult<&[u8], Vec<&[u8]>> = items.parse(text);
    let items: Vec<&[u8]> = result.ok()?.1.into_iter().filter(|item| !item.is_empty()).collect();
    let times: Result<Vec<Option<u64>>, Reason> =
        items.iter().map(|item| signed_micros(item, Unit::Seconds)).collect();
    let times: Vec<u64> = times.ok()?.into_iter().flatten().collect();
    let sum = times.iter().try_fold(0u64, |sum, &time| sum.checked_add(time))?;
    (!times.is_empty()).then(|| (sum, u32::try_from(items.len()).expect("a line is shorter than 4 GiB")))
}
