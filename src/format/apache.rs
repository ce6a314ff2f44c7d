//! Apache `LogFormat`: the configuration line and the `%` directives of the format text.
//!
//! The rules follow `mod_log_config`: the configuration reader undoes `\"` and `\\`, the format string then knows
//! `\\`, `\n`, `\r` and `\t`; between `%` and its letter stand, in any order, `!`, `<`, `>`, `,`, digits and `{…}`.

use nom::bytes::complete::take_till;
use nom::character::complete::{char, one_of};
use nom::sequence::delimited;
use nom::{IResult, Parser};

use super::line;
use super::strftime::strftime;
use super::token::Word;
use super::{
    BadFormat, Edge, Escape, Field, Format, Grammar, Item, Kind, Part, Server, Shape, Unit, push_literal,
};

/// Format texts that configurations call by these names, for where none defines them (`httpd.conf.in`; `vhost_combined`
/// is Debian's).
const NICKNAMES: [(&str, &str); 8] = [
    ("CLF", CLF),
    ("common", CLF),
    ("combined", r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#),
    ("combinedio", r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O"#),
    ("vhost_common", r#"%v %h %l %u %t "%r" %>s %b"#),
    ("vhost_combined", r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#),
    ("referer", "%{Referer}i -> %U"),
    ("agent", "%{User-agent}i"),
];

/// What is logged where nothing says how.
const CLF: &str = r#"%h %l %u %t "%r" %>s %b"#;

/// Reads a pasted `LogFormat "…" [nickname]`, `CustomLog file "…"|nickname [env=…]` or `GlobalLog` likewise.
pub fn directive(text: &str) -> Result<Format, BadFormat> {
    let line = line::lines(text).next().unwrap_or_default();
    match line.words.as_slice() {
        [first, text, name, ..] if first.text.eq_ignore_ascii_case("logformat") => of_word(&name.text, text),
        [first, text] if first.text.eq_ignore_ascii_case("logformat") => of_word("custom", text),
        [_, _, text, ..] if text.text.contains('%') => of_word("custom", text),
        [_, _, nickname, ..] => nicknamed(&nickname.text).ok_or_else(|| BadFormat {
            offset: nickname.at,
            message: format!(
                "the nickname `{}` is defined by a LogFormat: paste that line instead",
                nickname.text
            ),
        }),
        _ => Err(BadFormat { offset: text.len(), message: "expected LogFormat \"…\" nickname".to_owned() }),
    }
}

/// The format that this nickname usually stands for.
pub(super) fn nicknamed(nickname: &str) -> Option<Format> {
    let (name, text) = NICKNAMES.iter().find(|(name, _)| *name == nickname)?;
    format(name, text).ok()
}

/// Compiles a word of a configuration: an error has its place there.
pub(super) fn of_word(name: &str, word: &Word) -> Result<Format, BadFormat> {
    format(name, &word.text).map_err(|bad| BadFormat { offset: word.place(bad.offset), message: bad.message })
}

/// Compiles a format string (configuration quoting already removed).
pub fn format(name: &str, text: &str) -> Result<Format, BadFormat> {
    let mut items = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        match letter {
            '%' => {
                let bad = |message: String| BadFormat { offset: text.len() - rest.len(), message };
                let (after, item) = item(rest).map_err(|_| bad(unfinished(rest)))?;
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

/// One `%` item, as written.
struct Directive<'a> {
    text: &'a str,
    argument: Option<&'a str>,
    /// `<` or `>`, the later one if both stand there.
    which: Option<char>,
    name: &'a str,
}

fn item(input: &str) -> IResult<&str, Directive<'_>> {
    let (mut rest, _) = char('%').parse(input)?;
    let (mut argument, mut which) = (None, None);
    loop {
        if let Ok((after, found)) = argument_in_braces(rest) {
            argument = Some(found);
            rest = after;
        } else if let Ok((after, modifier)) =
            one_of::<_, _, nom::error::Error<&str>>("!<>,0123456789").parse(rest)
        {
            which = Some(modifier).filter(|modifier| ['<', '>'].contains(modifier)).or(which);
            rest = after;
        } else {
            break;
        }
    }
    // Three-character names start with `^`.
    let length = match rest.chars().next() {
        // A brace that closed would have been read as an argument.
        Some('{') | None => {
            return Err(nom::Err::Error(nom::error::Error::new(rest, nom::error::ErrorKind::Eof)));
        }
        Some('^') if rest.is_char_boundary(3) && rest.len() >= 3 => 3,
        Some(letter) => letter.len_utf8(),
    };
    let (name, after) = rest.split_at(length);
    let text = &input[..input.len() - after.len()];
    Ok((after, Directive { text, argument, which, name }))
}

/// Names the letter apart from its modifiers, if it has any.
fn unknown(text: &str, letter: &str) -> String {
    if text == format!("%{letter}") {
        return format!("unknown directive `{text}`");
    }
    format!("unknown directive `{text}`: there is no `%{letter}`")
}

/// Why the text breaks off within the item that `rest` begins with.
fn unfinished(rest: &str) -> String {
    if rest.rfind('{').is_some_and(|open| !rest[open..].contains('}')) {
        return "the `{` of this `%` never closes".to_owned();
    }
    "`%` must be followed by a directive such as `%h`".to_owned()
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
            "s" if self.which == Some('>') => (Part::Status, 0, Kind::Status),
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
            "i" if header == "x-real-ip" => (Part::Forwarded, 2, Kind::Text),
            "i" if header == "cf-connecting-ip" => (Part::Forwarded, 3, Kind::Text),
            "p" => (Part::Other, 0, Kind::Digits),
            "S" | "P" | "k" | "X" | "L" | "^FB" | "^FU" => (Part::Other, 0, Kind::Word),
            "l" | "f" | "R" | "F" | "i" | "o" | "e" | "n" | "C" | "x" | "c" | "^ti" | "^to" => {
                (Part::Other, 0, Kind::Text)
            }
            other => {
                return Err(unknown(self.text, other));
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
        check("%h %Z", "column 4: unknown directive `%Z`");
        check("%h %", "column 4: `%` must be followed by a directive such as `%h`");
        check("%{min}T", "column 1: unknown unit `min`: us, ms and s exist");
        check(
            "CustomLog logs/a mine",
            "column 18: the nickname `mine` is defined by a LogFormat: paste that line instead",
        );
        check("LogFormat", "column 10: expected LogFormat \"…\" nickname");
        check(r#"LogFormat "\"%r\" %Z" x"#, "column 19: unknown directive `%Z`");
        check(
            r"customlog logs/a combined",
            r#"combined: %h=Client.1 " " %l=Other.0 " " %u=User.0 " " %t=Time.3 " \"" %r=Request.0 "\" " %>s=Status.0 " " %b=Body.1 " \"" %{Referer}i=Referer.0 "\" \"" %{User-Agent}i=Agent.0 "\"""#,
        );
    }

    #[test]
    fn modifiers_stand_in_any_order() {
        check("%>s%<s%s", "x: %>s=Status.0 %<s=Status.1 %s=Status.1");
        check("%!200,304,302{Referer}i", "x: %!200,304,302{Referer}i=Referer.0");
        check("%{Referer}!200,304>i", "x: %{Referer}!200,304>i=Referer.0");
        check("%400>s%>!400s%{}>s", "x: %400>s=Status.0 %>!400s=Status.0 %{}>s=Status.0");
        check("%<>s%><s", "x: %<>s=Status.0 %><s=Status.1");
        check("%{a}{Referer}i", "x: %{a}{Referer}i=Referer.0");
        check("%>%%{x}%", r#"x: "%%""#);
    }

    #[test]
    fn every_item_of_httpd_has_its_meaning() {
        let other: Vec<String> = [
            "l",
            "S",
            "p",
            "{canonical}p",
            "{local}p",
            "{remote}p",
            "P",
            "{tid}P",
            "{hextid}P",
            "k",
            "X",
            "L",
            "{c}L",
            "f",
            "R",
            "F",
            "{X}o",
            "{X}e",
            "{X}n",
            "{X}C",
            "{X}x",
            "{X}c",
            "{X}i",
            "^FB",
            "^FU",
            "{X}^ti",
            "{X}^to",
        ]
        .map(|item| format!("%{item}"))
        .to_vec();
        for item in &other {
            check(item, &format!("x: {item}=Other.0"));
        }
        for (item, meaning) in [
            ("%a", "Client.0"),
            ("%h", "Client.1"),
            ("%{c}a", "Peer.0"),
            ("%{c}h", "Peer.0"),
            ("%A", "ServerAddr.0"),
            ("%u", "User.0"),
            ("%r", "Request.0"),
            ("%m", "Method.0"),
            ("%U", "Path.0"),
            ("%q", "Query.0"),
            ("%H", "Protocol.0"),
            ("%b", "Body.1"),
            ("%B", "Body.0"),
            ("%I", "In.0"),
            ("%O", "Wire.0"),
            ("%D", "Duration.0"),
            ("%{us}T", "Duration.0"),
            ("%{ms}T", "Duration.1"),
            ("%{s}T", "Duration.2"),
            ("%T", "Duration.2"),
            ("%v", "Host.2"),
            ("%V", "Host.1"),
            ("%{HOST}i", "Host.0"),
            ("%{user-AGENT}i", "Agent.0"),
            ("%{X-Forwarded-For}i", "Forwarded.0"),
            ("%{X-Real-IP}i", "Forwarded.2"),
        ] {
            check(item, &format!("x: {item}={meaning}"));
        }
    }

    #[test]
    fn times_have_an_edge_and_a_shape() {
        let check = |text: &str, expected: &str| {
            let format = format("x", text).expect(text);
            let kinds: Vec<String> = format.fields().map(|field| format!("{:?}", field.kind)).collect();
            assert_eq!(kinds, [expected], "{text}");
        };
        for text in ["%t", "%{}t", "%{begin}t", "%{begin:}t"] {
            check(text, "Time(Bracketed, Start)");
        }
        check("%{end}t", "Time(Bracketed, End)");
        check("%{end:}t", "Time(Bracketed, End)");
        check("%{sec}t", "Time(Epoch(Seconds), Start)");
        check("%{begin:msec}t", "Time(Epoch(Millis), Start)");
        check("%{end:usec}t", "Time(Epoch(Micros), End)");
        check("%{msec_frac}t", "Time(Fraction(Millis), Start)");
        check("%{end:usec_frac}t", "Time(Fraction(Micros), End)");
        check("%{%s}t", "Time(Strftime([Epoch]), Start)");
        check("%{end:%s@%z}t", "Time(Strftime([Epoch, Literal(64), Offset]), End)");
    }

    #[test]
    fn escapes_are_undone_after_those_of_the_configuration() {
        check(r"\t\r\n\\\x\", r#"x: "\t\r\n\\\\x\\""#);
        check(r#"LogFormat "\\t\\\\\"\q" n"#, r#"n: "\t\\\"\\q""#);
        check(r"LogFormat %h\t%a n", r#"n: %h=Client.1 "\t" %a=Client.0"#);
        check(r#"LogFormat '%h "%r"' n"#, r#"n: %h=Client.1 " \"" %r=Request.0 "\"""#);
    }

    #[test]
    fn what_is_malformed_is_refused_with_its_column() {
        check("%", "column 1: `%` must be followed by a directive such as `%h`");
        check("a %>200", "column 3: `%` must be followed by a directive such as `%h`");
        check("% ", "column 1: unknown directive `% `");
        check("%^x", "column 1: unknown directive `%^`");
        check("%^", "column 1: unknown directive `%^`");
        check("%^xx", "column 1: unknown directive `%^xx`");
        check("%{param", "column 1: the `{` of this `%` never closes");
        check("%{a}{b", "column 1: the `{` of this `%` never closes");
        check("%{param}", "column 1: `%` must be followed by a directive such as `%h`");
        check("%{param}z", "column 1: unknown directive `%{param}z`: there is no `%z`");
        for format in ["%", "% ", "%^x", "%^", "%{param", "%<a", "%200a", "%!a", "%!200a"] {
            let item = format!("%h %{{{format}}}t");
            assert_eq!(super::format("x", &item).map_err(|bad| bad.offset), Err(3), "{item}");
        }
    }
}
