//! The grammar: text → [`Tree`], or what was expected and where.
//!
//! ```text
//! any         all (("or" | "||") all)*
//! all         part (("and" | "&&") part)*
//! part        ("not" | "!") part  |  "(" any ")"  |  comparison
//! comparison  field sign value  |  field ["not"] "in" (value | "(" value ("," value)* ")")
//! field       name  |  $variable  |  %directive  |  either of these in quotes
//! value       word  |  '…'  |  "…"          in quotes, a backslash escapes the quote and the backslash
//! ```

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while, take_while1};
use nom::character::complete::{alpha1, char, multispace0, multispace1, one_of};
use nom::combinator::{opt, peek, recognize, value, verify};
use nom::error::{ErrorKind, ParseError};
use nom::multi::separated_list1;
use nom::sequence::{delimited, preceded, terminated};
use nom::{Err, IResult, Parser};

use super::Bad;
use super::tree::{Comparison, Operator, Place, Quotes, Tree, Word, is_keyword};

/// `not` and parentheses within each other at most: each level is a call.
const DEPTH_MAX: usize = 64;

/// Bytes of an expression at most: room for a list of thousands of addresses.
pub const EXPRESSION_BYTES_MAX: usize = 1 << 16;

const PART: &str = "a comparison, `not` or `(` is expected";
const SIGN: &str = "one of = != < <= > >= ^= $= *= ~ !~ in is expected";
const VALUE: &str = "a value is expected";
const LIST: &str = "`,` or `)` is expected";
const CLOSE: &str = "`and`, `or` or `)` is expected";
const END: &str = "`and` or `or` is expected";
const QUOTE: &str = "this quote is not closed";
const KEYWORD: &str = "a value is expected; to mean this word, put it in quotes";
const DEEP: &str = "more than 64 parentheses and `not` within each other";

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Tree, Bad> {
    if text.len() > EXPRESSION_BYTES_MAX {
        let offset = text.floor_char_boundary(EXPRESSION_BYTES_MAX);
        return Err(Bad { message: format!("longer than {EXPRESSION_BYTES_MAX} bytes"), offset });
    }
    let read = preceded(multispace0, |rest| any(rest, 0)).parse(text);
    let read = read.and_then(|(rest, tree)| match rest.trim_ascii_start() {
        "" => Ok(tree),
        more => failure(more, END),
    });
    read.map_err(|error| match error {
        Err::Error(Fault { left, expected }) | Err::Failure(Fault { left, expected }) => {
            Bad { message: expected.to_owned(), offset: text.len() - left }
        }
        Err::Incomplete(_) => Bad { message: PART.to_owned(), offset: text.len() },
    })
}

/// What was expected with so many bytes left.
#[derive(Debug, Clone, Copy)]
struct Fault {
    left: usize,
    expected: &'static str,
}

impl ParseError<&str> for Fault {
    fn from_error_kind(rest: &str, _: ErrorKind) -> Self {
        Self { left: rest.len(), expected: PART }
    }

    fn append(_: &str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

type Read<'a, T> = IResult<&'a str, T, Fault>;

/// Ends the reading: what stands here cannot be meant.
fn failure<T>(rest: &str, expected: &'static str) -> Result<T, Err<Fault>> {
    Err(Err::Failure(Fault { left: rest.len(), expected }))
}

/// The parser, in a place where there is nothing else to be.
fn expect<'a, T>(
    expected: &'static str,
    mut parser: impl Parser<&'a str, Output = T, Error = Fault>,
) -> impl FnMut(&'a str) -> Read<'a, T> {
    move |rest| match parser.parse(rest) {
        Err(Err::Error(_)) => failure(rest, expected),
        read => read,
    }
}

fn any(rest: &str, depth: usize) -> Read<'_, Tree> {
    let or = delimited(multispace0, alt((tag("||"), keyword("or"))), multispace0);
    let (rest, parts) = separated_list1(or, |rest| all(rest, depth)).parse(rest)?;
    Ok((rest, only_or(parts, Tree::Any)))
}

fn all(rest: &str, depth: usize) -> Read<'_, Tree> {
    let and = delimited(multispace0, alt((tag("&&"), keyword("and"))), multispace0);
    let (rest, parts) = separated_list1(and, |rest| part(rest, depth)).parse(rest)?;
    Ok((rest, only_or(parts, Tree::All)))
}

/// One part is itself.
fn only_or(mut parts: Vec<Tree>, joined: fn(Vec<Tree>) -> Tree) -> Tree {
    if parts.len() == 1 { parts.remove(0) } else { joined(parts) }
}

fn part(rest: &str, depth: usize) -> Read<'_, Tree> {
    if depth > DEPTH_MAX {
        return failure(rest, DEEP);
    }
    let not = (alt((keyword("not"), tag("!"))), multispace0);
    let negated = preceded(not, |rest| part(rest, depth + 1)).map(|part| Tree::Not(Box::new(part)));
    let open = (char('('), multispace0);
    let close = (multispace0, expect(CLOSE, char(')')));
    let enclosed = delimited(open, |rest| any(rest, depth + 1), close);
    expect(PART, alt((negated, enclosed, comparison))).parse(rest)
}

fn comparison(rest: &str) -> Read<'_, Tree> {
    let (rest, field) = terminated(field, multispace0).parse(rest)?;
    let at = Place(rest.len());
    let (rest, operator) = terminated(expect(SIGN, operator), multispace0).parse(rest)?;
    let (rest, values) = match operator {
        Operator::In | Operator::NotIn => alt((list, one)).parse(rest)?,
        _ => one(rest)?,
    };
    Ok((rest, Tree::Comparison(Comparison { field, operator, at, values })))
}

fn field(rest: &str) -> Read<'_, Word> {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = verify(take_while1(letter), |name: &str| !is_keyword(name));
    let variable = recognize((char('$'), take_while1(move |c| letter(c) || "-.@".contains(c))));
    let braces = (char('{'), take_till(|c| c == '}'), char('}'));
    let modifiers = take_while(|c: char| c.is_ascii_digit() || "<>!,".contains(c));
    let directive = recognize((char('%'), modifiers, opt(braces), opt(char('^')), alpha1));
    let bare = alt((name, variable, directive)).map(|text: &str| word(text.to_owned(), Quotes::Bare, rest));
    alt((bare, quoted)).parse(rest)
}

fn operator(rest: &str) -> Read<'_, Operator> {
    let mut lists = alt((
        value(Operator::In, keyword("in")),
        value(Operator::NotIn, (keyword("not"), multispace1, keyword("in"))),
    ));
    if let Ok(read) = lists.parse(rest) {
        return Ok(read);
    }
    let sign = Operator::SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
    sign.map(|(sign, operator)| (&rest[sign.len()..], *operator))
        .ok_or(Err::Error(Fault { left: rest.len(), expected: SIGN }))
}

fn one(rest: &str) -> Read<'_, Vec<Word>> {
    let (rest, value) = operand(rest)?;
    Ok((rest, vec![value]))
}

fn list(rest: &str) -> Read<'_, Vec<Word>> {
    let comma = delimited(multispace0, char(','), multispace0);
    let close = (multispace0, expect(LIST, char(')')));
    delimited((char('('), multispace0), separated_list1(comma, operand), close).parse(rest)
}

fn operand(rest: &str) -> Read<'_, Word> {
    let (after, word) = expect(VALUE, alt((quoted, bare))).parse(rest)?;
    if word.quotes == Quotes::Bare && is_keyword(&word.text) {
        return failure(rest, KEYWORD);
    }
    Ok((after, word))
}

/// A word up to what cannot be part of it. It may hold signs, as in `a=1&b=2`, but begins with none of those that
/// compare.
fn bare(rest: &str) -> Read<'_, Word> {
    let ends = |(at, letter): (usize, char)| {
        let joins = rest[at..].starts_with("&&") || rest[at..].starts_with("||");
        joins || letter.is_whitespace() || "(),'\"".contains(letter)
    };
    let end = rest.char_indices().find(|&letter| ends(letter)).map_or(rest.len(), |(at, _)| at);
    if end == 0 || rest.starts_with(['=', '<', '>', '!', '~']) {
        return Err(Err::Error(Fault { left: rest.len(), expected: VALUE }));
    }
    Ok((&rest[end..], word(rest[..end].to_owned(), Quotes::Bare, rest)))
}

/// A word in quotes of either kind. A backslash before anything but the quote and itself is one: patterns are full of
/// them.
fn quoted(rest: &str) -> Read<'_, Word> {
    let (_, quote) = peek(one_of("'\"")).parse(rest)?;
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        let next = || rest[at + 1..].chars().next();
        match letter {
            '\\' if next().is_some_and(|next| next == quote || next == '\\') => {
                text.extend(letters.next().map(|(_, escaped)| escaped));
            }
            letter if letter == quote => return Ok((&rest[at + 1..], word(text, Quotes::Quoted, rest))),
            letter => text.push(letter),
        }
    }
    failure(rest, QUOTE)
}

/// A whole word of letters, in any case.
fn keyword<'a>(keyword: &'static str) -> impl Parser<&'a str, Output = &'a str, Error = Fault> {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    verify(take_while1(letter), move |word: &str| word.eq_ignore_ascii_case(keyword))
}

fn word(text: String, quotes: Quotes, rest: &str) -> Word {
    Word { text, quotes, at: Place(rest.len()) }
}
