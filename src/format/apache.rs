//! Apache `LogFormat`: the configuration line and the `%` directives of the format text.
//!
//! The rules follow `mod_log_config`: the configuration reader undoes `\"` and `\\`, the format string then knows
//! `\\`, `\n`, `\r` and `\t`; between `%` and its letter stand, in any order, `!`, `<`, `>`, `,`, digits and `{…}`.

use nom::bytes::complete::{take_till, take_while1};
use nom::character::complete::{char, one_of, space0};
use nom::multi::many0;
use nom::sequence::delimited;
use nom::{IResult, Parser};

use super::strftime::strftime;
use super::{
    BadFormat, Edge, Escape, Field, Format, Grammar, Item, Kind, Part, Server, Shape, Unit, presets,
    push_literal,
};

/// Reads a pasted `LogFormat "…" [nickname]` or `CustomLog file "…"|nickname [env=…]`.
pub fn directive(text: &str) -> Result<Format, BadFormat> {
    let joined = text.replace("\\\r\n", "").replace("\\\n", "");
    let (_, words) =
        many0(delimited(space0, word, space0)).parse(joined.as_str()).map_err(|_| unreadable())?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [first, text, name, ..] if first.eq_ignore_ascii_case("logformat") => format(name, text),
        [_, text] => format("custom", text),
        [_, _, nickname, ..] if !nickname.contains('%') => {
            presets::named(nickname).ok_or_else(|| BadFormat {
                offset: text.find(nickname).unwrap_or(0),
                message: format!(
                    "the nickname `{nickname}` is defined by a LogFormat: paste that line instead"
                ),
            })
        }
        [_, _, text, ..] => format("custom", text),
        _ => Err(unreadable()),
    }
}

/// Compiles a format string (configuration quoting already removed).
pub fn format(name: &str, text: &str) -> Result<Format, BadFormat> {
    let mut items = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        match letter {
            '%' => {
                let bad = |message: String| BadFormat { offset: text.len() - rest.len(), message };
                let (after, item) = item(rest)
                    .map_err(|_| bad("`%` must be followed by a directive such as `%h`".to_owned()))?;
                match item.field().map_err(bad)? {
                    Some(field) => items.push(Item::Field(field)),
                    None => push_literal(&mut items, b"%"),
                }
                rest = after;
            }
            '\\' => {
                let (bytes, used): (&[u8], usize) = match rest.as_bytes().get(1) {
                    Some(b'\\') => (b"\\", 2),
                    Some(b'n') => (b"\n", 2),
                    Some(b'r') => (b"\r", 2),
                    Some(b't') => (b"\t", 2),
                    // Any other pair stays two characters.
                    _ => (b"\\", 1),
                };
                push_literal(&mut items, bytes);
                rest = &rest[used..];
            }
            _ => {
                let end = rest.find(['%', '\\']).unwrap_or(rest.len());
                push_literal(&mut items, &rest.as_bytes()[..end]);
                rest = &rest[end..];
            }
        }
    }
    Ok(Format {
        name: name.to_owned(),
        text: text.to_owned(),
        server: Server::Apache,
        grammar: Grammar::Text,
        escape: Escape::Apache,
        items,
    })
}

fn unreadable() -> BadFormat {
    BadFormat { offset: 0, message: "expected LogFormat \"…\" nickname".to_owned() }
}

/// A word of a configuration line: bare, or in quotes with `\"` and `\\` undone.
fn word(input: &str) -> IResult<&str, String> {
    let Some(quote @ ('"' | '\'')) = input.chars().next() else {
        let (rest, bare) = take_while1(|c: char| !c.is_ascii_whitespace()).parse(input)?;
        return Ok((rest, bare.to_owned()));
    };
    let mut text = String::new();
    let mut letters = input.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return Ok((&input[at + 1..], text));
        }
        match letters.peek() {
            Some(&(_, next)) if letter == '\\' && (next == quote || next == '\\') => {
                text.push(next);
                letters.next();
            }
            _ => text.push(letter),
        }
    }
    Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Char)))
}

/// One `%` item, as written.
struct Directive<'a> {
    text: &'a str,
    argument: Option<&'a str>,
    original: bool,
    last: bool,
    name: &'a str,
}

fn item(input: &str) -> IResult<&str, Directive<'_>> {
    let (mut rest, _) = char('%').parse(input)?;
    let (mut argument, mut original, mut last) = (None, false, false);
    loop {
        if let Ok((after, found)) = argument_in_braces(rest) {
            argument = Some(found);
            rest = after;
        } else if let Ok((after, modifier)) =
            one_of::<_, _, nom::error::Error<&str>>("!<>,0123456789").parse(rest)
        {
            original |= modifier == '<';
            last |= modifier == '>';
            rest = after;
        } else {
            break;
        }
    }
    // Three-character names start with `^`.
    let length = match rest.chars().next() {
        Some('^') if rest.is_char_boundary(3) && rest.len() >= 3 => 3,
        Some(letter) => letter.len_utf8(),
        None => {
            return Err(nom::Err::Error(nom::error::Error::new(rest, nom::error::ErrorKind::Eof)));
        }
    };
    let (name, after) = rest.split_at(length);
    let text = &input[..input.len() - after.len()];
    Ok((after, Directive { text, argument, original, last, name }))
}

fn argument_in_braces(input: &str) -> IResult<&str, &str> {
    delimited(char('{'), take_till(|c| c == '}'), char('}')).parse(input)
}

impl Directive<'_> {
    /// What the item means; `None` is the literal `%%`. Meanings: Apache `mod_log_config`, `mod_logio`, `mod_remoteip`.
    fn field(&self) -> Result<Option<Field>, String> {
        let header = self.argument.unwrap_or_default().to_ascii_lowercase();
        let (part, rank, kind) = match self.name {
            "%" => return Ok(None),
            "a" | "h" if header == "c" => (Part::Peer, 0, Kind::Word),
            "a" => (Part::Client, 0, Kind::Word),
            "h" => (Part::Client, 1, Kind::Word),
            "A" => (Part::ServerAddr, 0, Kind::Word),
            "u" => (Part::User, 0, Kind::Text),
            "t" => return self.time().map(Some),
            "r" => (Part::Request, 0, Kind::Text),
            "m" => (Part::Method, 0, Kind::Word),
            "U" => (Part::Path, 0, Kind::Text),
            "q" => (Part::Query, 0, Kind::Text),
            "H" => (Part::Protocol, 0, Kind::Word),
            // `%s` alone is the original status; `%>s` what the client got.
            "s" if self.last && !self.original => (Part::Status, 0, Kind::Status),
            "s" => (Part::Status, 1, Kind::Status),
            "B" => (Part::Body, 0, Kind::Bytes),
            "b" => (Part::Body, 1, Kind::Bytes),
            "O" => (Part::Wire, 0, Kind::Bytes),
            "I" => (Part::In, 0, Kind::Bytes),
            "D" => (Part::Duration, 0, Kind::Duration(Unit::Micros)),
            "T" => match header.as_str() {
                "us" => (Part::Duration, 0, Kind::Duration(Unit::Micros)),
                "ms" => (Part::Duration, 1, Kind::Duration(Unit::Millis)),
                "" | "s" => (Part::Duration, 2, Kind::Duration(Unit::Seconds)),
                unit => return Err(format!("unknown unit `{unit}`: us, ms and s exist")),
            },
            "V" => (Part::Host, 1, Kind::Text),
            "v" => (Part::Host, 2, Kind::Word),
            "i" if header == "host" => (Part::Host, 0, Kind::Text),
            "i" if header == "referer" => (Part::Referer, 0, Kind::Text),
            "i" if header == "user-agent" => (Part::Agent, 0, Kind::Text),
            "i" if header == "x-forwarded-for" => (Part::Forwarded, 0, Kind::Text),
            "S" | "p" | "P" | "k" | "X" | "L" | "^FB" | "^FU" => (Part::Other, 0, Kind::Word),
            "l" | "f" | "R" | "F" | "i" | "o" | "e" | "n" | "C" | "x" | "c" | "^ti" | "^to" => {
                (Part::Other, 0, Kind::Text)
            }
            other => {
                return Err(format!("unknown directive `{}`: no `%{other}` in mod_log_config", self.text));
            }
        };
        Ok(Some(Field { text: self.text.to_owned(), part, rank, kind }))
    }

    fn time(&self) -> Result<Field, String> {
        let argument = self.argument.unwrap_or_default();
        let (edge, format) = if let Some(format) = argument.strip_prefix("begin:") {
            (Edge::Start, format)
        } else if let Some(format) = argument.strip_prefix("end:") {
            (Edge::End, format)
        } else {
            match argument {
                "begin" => (Edge::Start, ""),
                "end" => (Edge::End, ""),
                format => (Edge::Start, format),
            }
        };
        let (rank, shape) = match format {
            "" => (3, Shape::Bracketed),
            "usec" => (0, Shape::Epoch(Unit::Micros)),
            "msec" => (1, Shape::Epoch(Unit::Millis)),
            "sec" => (2, Shape::Epoch(Unit::Seconds)),
            "msec_frac" => (9, Shape::Fraction(Unit::Millis)),
            "usec_frac" => (8, Shape::Fraction(Unit::Micros)),
            text => (4, Shape::Strftime(strftime(text)?)),
        };
        Ok(Field { text: self.text.to_owned(), part: Part::Time, rank, kind: Kind::Time(shape, edge) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let parsed = if text.contains("og") { directive(text) } else { format("x", text) };
        let shown = match parsed {
            Ok(format) => format.items.iter().fold(format!("{}:", format.name), |mut shown, item| {
                match item {
                    Item::Literal(bytes) => shown.push_str(&format!(" {:?}", String::from_utf8_lossy(bytes))),
                    Item::Field(field) => {
                        shown.push_str(&format!(" {}={:?}.{}", field.text, field.part, field.rank));
                    }
                }
                shown
            }),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn directives_are_read_as_httpd_reads_them() {
        check(
            r#"LogFormat "%h \"%r\" %>s" mine"#,
            r#"mine: %h=Client.1 " \"" %r=Request.0 "\" " %>s=Status.0"#,
        );
        check(r#"logFormat "%s\t%b""#, r#"custom: %s=Status.1 "\t" %b=Body.1"#);
        check("CustomLog logs/a \"%a %D\" env=x", r#"custom: %a=Client.0 " " %D=Duration.0"#);
        check("LogFormat \"%h \\\n%a\" two", r#"two: %h=Client.1 " " %a=Client.0"#);
        check(r#"LogFormat "a\\\\b" n"#, r#"n: "a\\b""#);
        check("%!200,304{Referer}i", "x: %!200,304{Referer}i=Referer.0");
        check("%{Referer}>i%%", r#"x: %{Referer}>i=Referer.0 "%""#);
        check("%^FB", "x: %^FB=Other.0");
        check("%{c}a%{c}h", "x: %{c}a=Peer.0 %{c}h=Peer.0");
        check("%{ms}T/%{us}T/%T", r#"x: %{ms}T=Duration.1 "/" %{us}T=Duration.0 "/" %T=Duration.2"#);
        check("%{end:usec}t %{%Y}t", r#"x: %{end:usec}t=Time.0 " " %{%Y}t=Time.4"#);
        check("%h %Z", "column 4: unknown directive `%Z`: no `%Z` in mod_log_config");
        check("%h %", "column 4: `%` must be followed by a directive such as `%h`");
        check("%{min}T", "column 1: unknown unit `min`: us, ms and s exist");
        check(
            "CustomLog logs/a mine",
            "column 18: the nickname `mine` is defined by a LogFormat: paste that line instead",
        );
    }
}
