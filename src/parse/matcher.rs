//! The fast matcher: from literal to literal with `memchr`, and back only where a value may hold its own end.
//!
//! ```text
//! for each step:  find where its value ends, check that the value could be one, remember the span
//!                 not found or not plausible → the latest step that may end `Anywhere` tries its next place
//! ```
//!
//! If a text that may end anywhere has no place left, the line does not match, as with the last `*` of a glob:
//! starting it later (which is all an earlier step could change) leaves it fewer places, not more. Words and times
//! before a field that follows without a literal are different: with another start, what follows may turn into a word
//! or a null that ends earlier. The result is the leftmost-shortest match, which `naive` states by plain recursion.

#![allow(
    clippy::inline_always,
    reason = "the rule is a constant for nearly every line, if all of it is inlined"
)]

use memchr::{memchr, memchr_iter, memchr2};

use super::{Reason, Reject, Span};
use crate::format::{End, Guard, Kind, Layout, Part, Shape, Step, Tail};

/// How exactly a line must have the shape of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Byte for byte, and a request that may hold quotes ends in its protocol.
    Strict,
    /// Byte for byte.
    Exact,
    /// A blank in a literal stands for any run of blanks, and further columns may follow the last.
    Lenient,
    /// Lenient, and values may be anything: to find out which value is at fault.
    Shape,
}

impl Rule {
    #[inline]
    fn is_exact(self) -> bool {
        matches!(self, Self::Strict | Self::Exact)
    }
}

/// Whether a line has the shape of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Yes {
        /// Columns follow that the format does not name.
        extra: bool,
    },
    No {
        /// The furthest place where the line was still as it should be.
        reached: usize,
    },
}

/// Matches a whole line; `spans` receives the values in step order.
#[inline]
pub(super) fn matches(layout: &Layout, line: &[u8], spans: &mut [Span], rule: Rule) -> Match {
    match literal(line, 0, &layout.first, rule) {
        Some(start) => matches_from(layout, line, 0, start, spans, rule, budget(line)),
        None => Match::No { reached: 0 },
    }
}

/// [`matches`] under [`Rule::Strict`] for a line whose values all end at the first place where they may, as nearly all
/// do; `None` says nothing about the line. With a constant rule and nothing to go back to, this is a third cheaper.
#[inline]
pub(super) fn matches_at_once(layout: &Layout, line: &[u8], spans: &mut [Span]) -> Option<bool> {
    let mut start = literal(line, 0, &layout.first, Rule::Strict)?;
    for (step, found) in layout.steps.iter().zip(spans) {
        let (end, next) = value_end(step, line, start, start, Rule::Strict)?;
        if !plausible(step, &line[start..end], Rule::Strict) {
            return None;
        }
        *found = span(start, end);
        start = next;
    }
    rest_of_line(line, start, Rule::Strict)
}

/// Matches the steps from `first` on against the line from `start` on, looking at no more than `budget` bytes again.
#[inline]
fn matches_from(
    layout: &Layout,
    line: &[u8],
    first: usize,
    start: usize,
    spans: &mut [Span],
    rule: Rule,
    budget: usize,
) -> Match {
    let mut step = first;
    let mut start = start;
    let mut from = start;
    let mut reached = start;
    let mut looked_at = 0;
    // Texts that may end anywhere, by step, of which some end was refused for what the text would hold.
    let mut refused = 0_u64;
    loop {
        let found = value_end(&layout.steps[step], line, start, from, rule);
        let believed = found.filter(|&(end, _)| {
            rule == Rule::Shape || plausible(&layout.steps[step], &line[start..end], rule)
        });
        // The latest value that may end elsewhere: this one, if there is more of it to try.
        let mut open = step;
        if let Some((end, next)) = believed {
            spans[step] = span(start, end);
            step += 1;
            open = step;
            if step < layout.steps.len() {
                (start, from) = (next, next);
                reached = reached.max(start);
                continue;
            }
            match rest_of_line(line, next, rule) {
                Some(extra) => return Match::Yes { extra },
                None => reached = reached.max(next),
            }
        } else if let Some((end, _)) = found.filter(|_| is_open(&layout.steps[step])) {
            spans[step] = span(start, end);
            open = step + 1;
            refused |= bit(step);
        } else if is_last_hope(&layout.steps[first..=step], refused & bit(step) != 0) {
            return Match::No { reached };
        }
        let Some(again) = layout.steps[first..open].iter().rposition(is_open) else {
            return Match::No { reached };
        };
        // What failed may have searched to the line's end, but not beyond what was reached by much: literals are
        // near. Where they are not, the whole rest counts.
        let searched = if found.is_none() { line.len() - start.min(line.len()) } else { 0 };
        step = first + again;
        let (value, end) = spans[step];
        (start, from) = (value as usize, end as usize + 1);
        // The longer a text grows, the more of it is looked at to tell whether it could be one.
        let grown = from - start;
        looked_at += RETRY_COST + searched + grown;
        work::add(RETRY_COST + searched + grown);
        if looked_at > budget {
            return Match::No { reached };
        }
    }
}

/// Bytes of a line that are looked at again, under each rule, for other ends of its values: so many times its length,
/// and no less than this many, which short lines use up without anyone waiting. A hostile line could otherwise make
/// every blank a place to search from to the line's end: length squared.
const LOOKED_AT_TIMES: usize = 1;
/// The twins are compared on odd formats of adjacent texts, where only patience finds the match that plain recursion
/// finds.
const LOOKED_AT_LEAST: usize = if cfg!(test) { 4 << 20 } else { 64 << 10 };

/// What one more try costs at least, in bytes looked at.
const RETRY_COST: usize = 32;

/// The budget for a line.
#[inline]
fn budget(line: &[u8]) -> usize {
    LOOKED_AT_LEAST + LOOKED_AT_TIMES * line.len()
}

/// True if no earlier choice can help once the last of these steps has no place left. An end of it that was `refused`
/// may have been so for what stands at the text's beginning: started later, it could pass.
fn is_last_hope(steps: &[Step], refused: bool) -> bool {
    let text = |step: &Step| matches!(step.field.kind, Kind::Text | Kind::List);
    steps.last().is_some_and(|last| last.end == End::Anywhere && text(last) && !refused)
        && steps.iter().all(|step| !is_open(step) || (step.end == End::Anywhere && text(step)))
}

/// The steps of formats that anyone writes fit; what is remembered of others is remembered of several at once.
fn bit(step: usize) -> u64 {
    1 << (step % 64)
}

/// True if a value may end at other places than the first.
fn is_open(step: &Step) -> bool {
    matches!(step.end, End::Anywhere | End::Before(_) | End::Asked)
}

/// True if the line matches from the middle of some value on: the end of a line whose beginning is missing.
#[cold]
pub(super) fn matches_tail(layout: &Layout, line: &[u8]) -> bool {
    if line.len() > TAIL_LENGTH_MAX {
        return false;
    }
    let mut spans = vec![(0, 0); layout.steps.len()];
    // The cut value itself can look like anything, so its literal is searched and the match goes on after it. The
    // last step is left out: nearly every text ends like a line whose last value was cut.
    (0..layout.steps.len().saturating_sub(1)).any(|cut| {
        let wanted = &layout.steps[cut].literal;
        !wanted.is_empty()
            && memchr::memmem::find_iter(line, wanted).take(TAIL_PLACES_MAX).any(|at| {
                let after = at + wanted.len();
                matches!(
                    matches_from(layout, line, cut + 1, after, &mut spans, Rule::Exact, line.len()),
                    Match::Yes { .. }
                )
            })
    })
}

/// How many places of a literal are tried to recognise a cut line.
const TAIL_PLACES_MAX: usize = 16;

/// Longer lines are not examined for being the end of a cut one. Together with the places this bounds what the first
/// line of a log can cost to some MiB looked at.
const TAIL_LENGTH_MAX: usize = 64 * 1024;

/// Names the value at fault, or the place that was `reached` under [`Rule::Lenient`], where the line stops having the
/// format's shape.
#[cold]
#[inline(never)]
pub(super) fn diagnose(layout: &Layout, line: &[u8], spans: &mut [Span], reached: usize) -> Reject {
    let nothing_said = Reject { reason: Reason::Format, column: reached };
    let Match::Yes { .. } = matches(layout, line, spans, Rule::Shape) else { return nothing_said };
    let fault = layout.steps.iter().zip(spans.iter()).find_map(|(step, &(start, end))| {
        let value = &line[start as usize..end as usize];
        let at_fault = !plausible(step, value, Rule::Lenient);
        at_fault.then_some(Reject { reason: reason(&step.field.kind), column: start as usize })
    });
    fault.unwrap_or(nothing_said)
}

fn reason(kind: &Kind) -> Reason {
    match kind {
        Kind::Time(..) => Reason::Time,
        Kind::Status => Reason::Status,
        Kind::Bytes => Reason::Bytes,
        Kind::Duration(_) => Reason::Duration,
        Kind::Word | Kind::Digits | Kind::List | Kind::Text => Reason::Format,
    }
}

/// Line lengths are limited far below 4 GiB by `input::LINE_MAX`.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "a line is shorter than 4 GiB")]
pub(super) fn span(start: usize, end: usize) -> Span {
    (start as u32, end as u32)
}

/// Where the value that starts at `start` ends, searching from `from`, and where its literal ends.
#[inline(always)]
pub(super) fn value_end(
    step: &Step,
    line: &[u8],
    start: usize,
    from: usize,
    rule: Rule,
) -> Option<(usize, usize)> {
    match step.end {
        End::Quote => {
            let quote =
                memchr_iter(b'"', &line[start..]).map(|at| start + at).find(|&at| !escaped(line, start, at));
            match quote {
                Some(end) => literal(line, end, &step.literal, rule)
                    .map(|next| (end, next))
                    .or_else(|| empty_user(step, line, start, rule)),
                // A server that cuts long lines leaves the last value unclosed.
                None if !rule.is_exact() && step.literal == b"\"" => Some((line.len(), line.len())),
                None => None,
            }
        }
        End::RawQuote => match memchr(b'"', &line[start..]).map(|at| start + at) {
            Some(end) => literal(line, end, &step.literal, rule).map(|next| (end, next)),
            None if !rule.is_exact() && step.literal == b"\"" => Some((line.len(), line.len())),
            None => None,
        },
        End::List => list_end(line, start, &step.literal, rule),
        End::Until { inner_blanks } => {
            let from = skip_blanks(line, start, inner_blanks)?;
            find_literal(line, from, &step.literal, rule)
        }
        End::Anywhere if step.literal.is_empty() => (from <= line.len()).then_some((from, from)),
        End::Anywhere => find_literal(line, from, &step.literal, rule),
        End::Before(mark) => before(step, line, from, mark, rule).map(|end| (end, end)),
        End::Asked => asked(step, line, start, from, rule),
        End::Optional(mark) => {
            let end = start + usize::from(line.get(start) == Some(&mark));
            Some((end, end))
        }
        End::Fixed(width) => {
            let end = start + usize::from(width);
            (end <= line.len()).then_some((end, end))
        }
        End::Line(Tail::Text) => Some((line.len(), line.len())),
        End::Line(Tail::Word { inner_blanks }) => {
            let from = skip_blanks(line, start, inner_blanks)?;
            let end = memchr2(b' ', b'\t', &line[from..]).map_or(line.len(), |at| from + at);
            Some((end, end))
        }
    }
}

/// Apache writes a user whose name is empty as two quotes, also between quotes.
#[cold]
fn empty_user(step: &Step, line: &[u8], start: usize, rule: Rule) -> Option<(usize, usize)> {
    let stands = step.field.part == Part::User && line[start..].starts_with(b"\"\"");
    let end = start + 2;
    literal(line, end, &step.literal, rule).filter(|_| stands).map(|next| (end, next))
}

/// The first place from `from` on of the mark, or of the end of the run; a path that is null is a dash before that.
#[cold]
fn before(step: &Step, line: &[u8], from: usize, mark: u8, rule: Rule) -> Option<usize> {
    let rest = line.get(from..)?;
    let close = match step.run_end.as_slice() {
        [] => rest.len(),
        run_end => find_literal(line, from, run_end, rule).map_or(rest.len(), |(at, _)| at - from),
    };
    let null = mark == b'/' && rest[..close].ends_with(b"-");
    Some(from + memchr(mark, &rest[..close]).unwrap_or(close - usize::from(null)))
}

/// The end of a query that follows its path: if none was logged, its literal stands right here.
#[cold]
fn asked(step: &Step, line: &[u8], start: usize, from: usize, rule: Rule) -> Option<(usize, usize)> {
    if line.get(start) != Some(&b'?') && !line[..start].ends_with(b"?") {
        return literal(line, start, &step.literal, rule).filter(|_| from == start).map(|next| (start, next));
    }
    match (step.literal.as_slice(), step.run_end.as_slice()) {
        ([], []) => (from <= line.len()).then_some((line.len(), line.len())),
        ([], _) => (from <= line.len()).then_some((from, from)),
        _ => find_literal(line, from, &step.literal, rule),
    }
}

/// The first place where the literal stands and no list goes on.
#[inline(never)]
fn list_end(line: &[u8], start: usize, wanted: &[u8], rule: Rule) -> Option<(usize, usize)> {
    let mut at = start;
    loop {
        let blank = at + memchr(b' ', line.get(at..)?)?;
        at = blank + 1;
        if is_in_list(line, blank) {
            continue;
        }
        match literal(line, blank, wanted, rule) {
            Some(next) => return Some((blank, next)),
            // Where the first blank of a run does not begin the literal, no other does.
            None if !rule.is_exact() => at = blank + blanks(&line[blank..]),
            None => {}
        }
    }
}

/// True for the blank of `, ` and those of ` : `.
fn is_in_list(line: &[u8], blank: usize) -> bool {
    let before = &line[..blank];
    before.ends_with(b",") || before.ends_with(b" :") || line[blank..].starts_with(b" : ")
}

/// The place after `blanks` blanks; a value that has fewer (a null) ends before them.
#[inline]
fn skip_blanks(line: &[u8], start: usize, blanks: u8) -> Option<usize> {
    let mut from = start;
    for _ in 0..blanks {
        // A null in place of a time has no blanks of its own.
        if line[start..].starts_with(b"- ") || &line[start..] == b"-" {
            return Some(start);
        }
        from += memchr(b' ', line.get(from..)?)? + 1;
    }
    Some(from)
}

/// True if the quote at `at` is escaped: an odd run of backslashes stands before it.
#[inline]
fn escaped(line: &[u8], start: usize, at: usize) -> bool {
    let run = line[start..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
    run % 2 == 1
}

/// The first place from `from` on where the literal stands: its start and its end.
#[inline(always)]
fn find_literal(line: &[u8], from: usize, wanted: &[u8], rule: Rule) -> Option<(usize, usize)> {
    let rest = line.get(from..)?;
    if wanted.len() == 1 && rule.is_exact() {
        return memchr(wanted[0], rest).map(|at| (from + at, from + at + 1));
    }
    // Of a run of blanks only the first can begin the literal: trying each would make long runs length squared.
    let begins = |at: &usize| wanted[0] != b' ' || rule.is_exact() || *at == 0 || rest[at - 1] != b' ';
    memchr_iter(wanted[0], rest)
        .filter(begins)
        .find_map(|at| Some((from + at, literal(line, from + at, wanted, rule)?)))
}

/// The end of the literal if it stands at `at`.
#[inline(always)]
fn literal(line: &[u8], at: usize, wanted: &[u8], rule: Rule) -> Option<usize> {
    if begins_with(line.get(at..)?, wanted) {
        let end = at + wanted.len();
        return match rule {
            Rule::Strict | Rule::Exact => Some(end),
            Rule::Lenient | Rule::Shape if wanted.ends_with(b" ") => Some(end + blanks(&line[end..])),
            Rule::Lenient | Rule::Shape => Some(end),
        };
    }
    if rule.is_exact() { None } else { literal_with_runs(line, at, wanted) }
}

/// Literals have a byte or three: to call for a comparison costs more than to compare.
#[inline(always)]
fn begins_with(text: &[u8], wanted: &[u8]) -> bool {
    text.len() >= wanted.len() && text.iter().zip(wanted).all(|(byte, wanted)| byte == wanted)
}

/// The same, each blank of the literal standing for one or more.
#[cold]
fn literal_with_runs(line: &[u8], at: usize, wanted: &[u8]) -> Option<usize> {
    // Without blanks there is no second way to stand here: looking for one byte by byte would be all the work.
    memchr(b' ', wanted)?;
    let mut at = at;
    let mut previous = 0;
    for &byte in wanted {
        if byte == b' ' && previous == b' ' {
            continue;
        }
        if line.get(at) != Some(&byte) {
            return None;
        }
        at += if byte == b' ' { blanks(&line[at..]) } else { 1 };
        previous = byte;
    }
    Some(at)
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| byte == b' ').count()
}

/// After the last literal: nothing, or what the rule lets pass. `Some(true)` if there are further columns.
#[inline]
fn rest_of_line(line: &[u8], at: usize, rule: Rule) -> Option<bool> {
    let rest = &line[at..];
    if rest.is_empty() {
        return Some(false);
    }
    if rule.is_exact() {
        // The layout leaves out the blanks that a format ends in: a line may have them or not.
        return rest.trim_ascii().is_empty().then_some(false);
    }
    // A lenient literal has already eaten the blank before further columns.
    let blank = rest[0].is_ascii_whitespace() || line[..at].ends_with(b" ");
    blank.then(|| !rest.trim_ascii().is_empty())
}

/// A look at a value that costs next to nothing: could it be one of its kind?
#[inline(always)]
pub(super) fn plausible(step: &Step, value: &[u8], rule: Rule) -> bool {
    match &step.field.kind {
        Kind::Status => match value {
            [a, b, c] => a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_digit(),
            value => matches!(value, [] | [b'-' | b'0'] | [b'-', b'1']),
        },
        Kind::Bytes => is_number(value) || matches!(value, [] | [b'-']),
        Kind::Duration(_) => is_number(value) || matches!(value, [] | [b'-'] | [b'-', b'1']),
        Kind::Digits => value.iter().all(u8::is_ascii_digit) || value == b"-",
        // A word that ends at the first blank has none.
        Kind::Word => {
            step.literal == b" " || is_word(value) || (step.field.part == Part::Client && is_addresses(value))
        }
        // A user name with blanks must not pass its second word off as a time.
        Kind::Time(shape, _) => match (shape, value) {
            (_, [] | [b'-']) | (Shape::Strftime(_), _) => true,
            (Shape::Bracketed, value) => matches!(value, [b'[', digit, ..] if digit.is_ascii_digit()),
            (_, [first, ..]) => first.is_ascii_digit(),
        },
        Kind::List | Kind::Text => match step.guard {
            Guard::None => true,
            Guard::Unquoted => {
                value == b"-" || value == b"\"\"" || memchr_iter(b'"', value).all(|at| escaped(value, 0, at))
            }
            Guard::Protocol => rule != Rule::Strict || ends_in_protocol(value),
        },
    }
}

/// True for a request line with its protocol, `HTTP/1.1` or `HTTP/2`.
fn ends_in_protocol(request: &[u8]) -> bool {
    let version = |digits: &[u8]| digits.iter().all(|&byte| byte.is_ascii_digit() || byte == b'.');
    request
        .rsplit(|&byte| byte == b' ')
        .next()
        .and_then(|word| word.strip_prefix(b"HTTP/"))
        .is_some_and(version)
}

/// Begins like a number; a `+` may stand before it, or alone: a value that may end anywhere is tried byte by byte, and
/// its beginnings must be plausible too.
#[inline]
fn is_number(value: &[u8]) -> bool {
    matches!(value, [b'0'..=b'9', ..] | [b'+'] | [b'+', b'0'..=b'9', ..])
}

/// Addresses in whatever way a proxy lists them: `"192.0.2.1, 192.0.2.2" 10.0.0.1` in place of one.
#[cold]
fn is_addresses(value: &[u8]) -> bool {
    value.iter().all(|&byte| byte.is_ascii_hexdigit() || b".:,\" ".contains(&byte))
}

/// No blank but after a comma: proxies write lists of addresses where one is expected.
#[inline]
fn is_word(value: &[u8]) -> bool {
    memchr_iter(b' ', value).all(|at| at > 0 && value[at - 1] == b',')
}

/// How much was looked at again, for tests: they must not measure time.
pub(super) mod work {
    #[cfg(test)]
    thread_local! {
        static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    #[cfg(not(test))]
    pub(super) fn add(_: usize) {}

    #[cfg(test)]
    pub(super) fn add(bytes: usize) {
        LOOKED_AT.with(|all| all.set(all.get() + bytes));
    }

    /// The bytes that this thread looked at again since it was last asked.
    #[cfg(test)]
    pub(in crate::parse) fn take() -> usize {
        LOOKED_AT.with(std::cell::Cell::take)
    }
}
