//! nginx `log_format`: the tokeniser of the configuration file and the variables of the format text.
//!
//! The rules follow nginx's `ngx_conf_read_token` and `ngx_http_log_compile_format`: quotes count only at the start
//! of a token, the strings of a directive are joined with nothing between them, names are case-insensitive, and an
//! unknown variable is legal because `map`, `set`, Lua or a module may define any name.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::multispace0;
use nom::combinator::{map, opt};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::{
    BadFormat, Edge, Escape, Field, Format, Grammar, Item, Kind, Part, Server, Shape, Unit, push_literal,
};

/// Reads a pasted `log_format NAME [escape=…] STRING…;`.
pub fn directive(text: &str) -> Result<Format, BadFormat> {
    let mut rest = text;
    let mut words = Vec::new();
    loop {
        match token(rest) {
            Ok((after, Token::Word(word))) => {
                words.push(word);
                rest = after;
            }
            Ok((_, Token::End)) => break,
            Err(_) => {
                return Err(BadFormat {
                    offset: text.len() - rest.trim_start().len(),
                    message: "a quote opens here and never closes, or a closed one is not followed by a blank or `;`"
                        .to_owned(),
                });
            }
        }
    }
    let [_, name, strings @ ..] = words.as_slice() else {
        return Err(BadFormat { offset: text.len(), message: "log_format needs a name".to_owned() });
    };
    let (escape, strings) = match strings.split_first() {
        Some((first, others)) if first.starts_with("escape=") => (escape_named(text, first)?, others),
        _ => (Escape::Nginx, strings),
    };
    if strings.is_empty() {
        return Err(BadFormat {
            offset: text.len(),
            message: format!("log_format {name} has no format string"),
        });
    }
    format(name, escape, &strings.concat())
}

/// Compiles a format text.
pub fn format(name: &str, escape: Escape, text: &str) -> Result<Format, BadFormat> {
    compile(name, Server::Nginx, escape, text, field)
}

/// Compiles a text in this notation whose variables mean what `field` says.
pub(super) fn compile(
    name: &str,
    server: Server,
    escape: Escape,
    text: &str,
    field: fn(&str) -> Field,
) -> Result<Format, BadFormat> {
    let mut items = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (after, item) = piece(rest).map_err(|_| BadFormat {
            offset: text.len() - rest.len(),
            message: "`$` must be followed by a variable's name".to_owned(),
        })?;
        match item {
            Piece::Literal(bytes) => push_literal(&mut items, bytes.as_bytes()),
            Piece::Variable(variable) => items.push(Item::Field(field(variable))),
        }
        rest = after;
    }
    Ok(Format { name: name.to_owned(), text: text.to_owned(), server, grammar: Grammar::Text, escape, items })
}

/// True if the text names at least one variable.
pub fn has_variable(text: &str) -> bool {
    text.match_indices('$').any(|(at, _)| variable(&text[at..]).is_ok())
}

enum Token {
    Word(String),
    /// `;`, `{`, or the end of the text.
    End,
}

enum Piece<'a> {
    Literal(&'a str),
    Variable(&'a str),
}

fn escape_named(text: &str, word: &str) -> Result<Escape, BadFormat> {
    match word {
        "escape=default" => Ok(Escape::Nginx),
        "escape=json" => Ok(Escape::Json),
        "escape=none" => Ok(Escape::None),
        _ => Err(BadFormat {
            offset: text.find(word).unwrap_or(0),
            message: format!("unknown `{word}`: default, json and none exist"),
        }),
    }
}

fn token(input: &str) -> IResult<&str, Token> {
    let (input, ()) = blanks_and_comments(input)?;
    match input.as_bytes().first() {
        None | Some(b';' | b'{') => Ok((input, Token::End)),
        Some(b'"') => map(|i| quoted(i, '"'), Token::Word).parse(input),
        Some(b'\'') => map(|i| quoted(i, '\''), Token::Word).parse(input),
        Some(_) => map(bare, Token::Word).parse(input),
    }
}

fn blanks_and_comments(input: &str) -> IResult<&str, ()> {
    let mut rest = multispace0(input)?.0;
    while rest.starts_with('#') {
        let (after, _) = take_while(|c| c != '\n').parse(rest)?;
        rest = multispace0(after)?.0;
    }
    Ok((rest, ()))
}

/// A quoted token; the closing quote must be followed by a blank, `;`, `{`, `)` or the end.
fn quoted(input: &str, quote: char) -> IResult<&str, String> {
    let mut word = String::new();
    let mut letters = input.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            let rest = &input[at + 1..];
            let closed = rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n', ';', '{', ')']);
            return if closed { Ok((rest, word)) } else { Err(no_token(rest)) };
        }
        if letter == '\\' {
            let Some((_, escaped)) = letters.next() else { break };
            push_escaped(&mut word, escaped);
        } else {
            word.push(letter);
        }
    }
    Err(no_token(input))
}

/// A token without quotes: ends at a blank, `;` or `{` (but `${` belongs to a variable).
#[allow(clippy::unnecessary_wraps, reason = "parsers have one shape")]
fn bare(input: &str) -> IResult<&str, String> {
    let mut word = String::new();
    let mut letters = input.char_indices();
    let mut after_dollar = false;
    while let Some((at, letter)) = letters.next() {
        let ends = matches!(letter, ' ' | '\t' | '\r' | '\n' | ';') || (letter == '{' && !after_dollar);
        if ends {
            return Ok((&input[at..], word));
        }
        after_dollar = letter == '$';
        if letter == '\\' {
            if let Some((_, escaped)) = letters.next() {
                push_escaped(&mut word, escaped);
            }
        } else {
            word.push(letter);
        }
    }
    Ok(("", word))
}

/// `\"`, `\'`, `\\`, `\t`, `\r`, `\n` are translated; any other backslash stays.
fn push_escaped(word: &mut String, escaped: char) {
    match escaped {
        '"' | '\'' | '\\' => word.push(escaped),
        't' => word.push('\t'),
        'r' => word.push('\r'),
        'n' => word.push('\n'),
        other => word.extend(['\\', other]),
    }
}

fn no_token(at: &str) -> nom::Err<nom::error::Error<&str>> {
    nom::Err::Error(nom::error::Error::new(at, nom::error::ErrorKind::Char))
}

fn piece(input: &str) -> IResult<&str, Piece<'_>> {
    alt((map(variable, Piece::Variable), map(take_while1(|c| c != '$'), Piece::Literal))).parse(input)
}

/// `$name` or `${name}`; returns the name.
fn variable(input: &str) -> IResult<&str, &str> {
    let name = |i| take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_').parse(i);
    preceded(tag("$"), alt((delimited(tag("{"), name, tag("}")), preceded(opt(tag("")), name)))).parse(input)
}

/// What a variable means. Names and forms: `ngx_http_log_module`, `ngx_http_core_module`, `ngx_http_upstream_module`,
/// `ngx_stream_core_module`.
fn field(name: &str) -> Field {
    let lower = name.to_ascii_lowercase();
    let (part, rank, kind) = match lower.as_str() {
        "msec" => (Part::Time, 0, Kind::Time(Shape::Epoch(Unit::Seconds), Edge::End)),
        "time_iso8601_ms" => (Part::Time, 1, Kind::Time(Shape::Iso, Edge::End)),
        "time_iso8601" => (Part::Time, 2, Kind::Time(Shape::Iso, Edge::End)),
        "time_local" => (Part::Time, 3, Kind::Time(Shape::Clf, Edge::End)),
        "remote_addr" => (Part::Client, 0, Kind::Word),
        "realip_remote_addr" => (Part::Peer, 0, Kind::Word),
        "proxy_protocol_addr" => (Part::Peer, 1, Kind::Word),
        "http_x_forwarded_for" => (Part::Forwarded, 0, Kind::Text),
        "proxy_add_x_forwarded_for" => (Part::Forwarded, 1, Kind::Text),
        "http_x_real_ip" => (Part::Forwarded, 2, Kind::Text),
        "remote_user" => (Part::User, 0, Kind::Text),
        "request" => (Part::Request, 0, Kind::Text),
        "request_method" => (Part::Method, 0, Kind::Word),
        "request_uri" => (Part::Target, 0, Kind::Text),
        "uri" | "document_uri" => (Part::Path, 0, Kind::Text),
        "args" | "query_string" => (Part::Query, 0, Kind::Text),
        "server_protocol" => (Part::Protocol, 0, Kind::Word),
        "status" => (Part::Status, 0, Kind::Status),
        "body_bytes_sent" => (Part::Body, 0, Kind::Bytes),
        "bytes_sent" => (Part::Wire, 0, Kind::Bytes),
        "request_length" | "bytes_received" => (Part::In, 0, Kind::Bytes),
        "request_time" | "session_time" => (Part::Duration, 0, Kind::Duration(Unit::Seconds)),
        "upstream_response_time" | "upstream_session_time" => (Part::Upstream, 0, Kind::List),
        "upstream_addr"
        | "upstream_status"
        | "upstream_response_length"
        | "upstream_connect_time"
        | "upstream_header_time"
        | "upstream_queue_time"
        | "upstream_first_byte_time"
        | "upstream_bytes_sent"
        | "upstream_bytes_received" => (Part::Other, 0, Kind::List),
        "host" => (Part::Host, 0, Kind::Word),
        "http_host" => (Part::Host, 1, Kind::Text),
        "server_name" => (Part::Host, 2, Kind::Word),
        "ssl_server_name" | "ssl_preread_server_name" => (Part::Host, 3, Kind::Text),
        "server_addr" => (Part::ServerAddr, 0, Kind::Word),
        "hostname" => (Part::Hostname, 0, Kind::Word),
        "http_referer" => (Part::Referer, 0, Kind::Text),
        "http_user_agent" => (Part::Agent, 0, Kind::Text),
        "upstream_cache_status" => (Part::Cache, 0, Kind::Word),
        "scheme"
        | "server_port"
        | "remote_port"
        | "pipe"
        | "connection"
        | "connection_requests"
        | "pid"
        | "request_id"
        | "gzip_ratio"
        | "ssl_protocol"
        | "ssl_cipher"
        | "protocol" => (Part::Other, 0, Kind::Word),
        _ => (Part::Other, 0, Kind::Text),
    };
    Field { text: format!("${name}"), part, rank, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match directive(text) {
            Ok(format) => format!("{} {:?} {}", format.name, format.escape, format.text),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn directives_are_read_as_nginx_reads_them() {
        check("log_format a '$status $host';", "a Nginx $status $host");
        check("log_format a '$status ' '$host';", "a Nginx $status $host");
        check("log_format a '$status'\n  \"$host\" ;", "a Nginx $status$host");
        check("log_format a escape=json '{\"s\":$status}';", "a Json {\"s\":$status}");
        check("log_format a escape=none $status;", "a None $status");
        check("log_format a \"$status\\t$host\\.\";", "a Nginx $status\t$host\\.");
        check("log_format a '\\'$status\\'' # why\n '$host'", "a Nginx '$status'$host");
        check("log_format a ${status}x{", "a Nginx ${status}x");
        check(
            "log_format a '$status",
            "column 14: a quote opens here and never closes, or a closed one is not followed by a blank or `;`",
        );
        check(
            "log_format a '$status'x;",
            "column 14: a quote opens here and never closes, or a closed one is not followed by a blank or `;`",
        );
        check("log_format", "column 11: log_format needs a name");
        check("log_format a;", "column 14: log_format a has no format string");
        check(
            "log_format a escape=hex '$status';",
            "column 14: unknown `escape=hex`: default, json and none exist",
        );
        check("log_format a 'cost $ 5';", "column 6: `$` must be followed by a variable's name");
    }

    #[test]
    fn names_are_case_insensitive_and_may_stand_in_braces() {
        let format = format("x", Escape::Nginx, "${STATUS}s $Http_Referer$my_own").expect("valid");
        let parts: Vec<_> = format.fields().map(|field| (field.text.as_str(), field.part)).collect();
        assert_eq!(
            parts,
            [("$STATUS", Part::Status), ("$Http_Referer", Part::Referer), ("$my_own", Part::Other)]
        );
        assert_eq!(format.items[1], Item::Literal(b"s ".to_vec()));
    }
}
