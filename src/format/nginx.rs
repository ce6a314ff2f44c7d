//! nginx `log_format`: its arguments and the variables of the format text.
//!
//! The rules follow nginx's `ngx_http_log_compile_format`: the strings of a directive are joined with nothing between
//! them, names are case-insensitive, and an unknown variable is legal because `map`, `set`, Lua or a module may define
//! any name.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::combinator::map;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::token::{self, Word};
use super::{
    BadFormat, Edge, Escape, Field, Format, Grammar, Item, Kind, Part, Server, Shape, Unit, push_literal,
};

/// Reads a pasted `log_format NAME [escape=…] STRING…;`.
pub fn directive(text: &str) -> Result<Format, BadFormat> {
    let statement = token::statement(text, 0)?;
    of_words(&statement.words, statement.at)
}

/// Compiles a `log_format` from its words; `end` is where the directive ends.
pub(super) fn of_words(words: &[Word], end: usize) -> Result<Format, BadFormat> {
    let [_, name, strings @ ..] = words else {
        return Err(BadFormat { offset: end, message: "log_format needs a name".to_owned() });
    };
    let (escape, strings) = match strings.split_first() {
        Some((first, others)) if first.text.starts_with("escape=") => (escape_named(first)?, others),
        _ => (Escape::Nginx, strings),
    };
    if strings.is_empty() {
        let message = format!("log_format {} has no format string", name.text);
        return Err(BadFormat { offset: end, message });
    }
    let mut joined = String::new();
    for string in strings {
        // Each string is compiled on its own: a name does not go on in the next one.
        let part = format(&name.text, escape, &string.text)
            .map_err(|bad| BadFormat { offset: string.place(bad.offset), message: bad.message })?;
        if string.text.starts_with(is_name) {
            close_variable(&mut joined);
        }
        joined.push_str(&part.text);
    }
    format(&name.text, escape, &joined)
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
        let (after, item) =
            piece(rest).map_err(|_| BadFormat { offset: text.len() - rest.len(), message: unnamed(rest) })?;
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

enum Piece<'a> {
    Literal(&'a str),
    Variable(&'a str),
}

fn escape_named(word: &Word) -> Result<Escape, BadFormat> {
    match word.text.as_str() {
        "escape=default" => Ok(Escape::Nginx),
        "escape=json" => Ok(Escape::Json),
        "escape=none" => Ok(Escape::None),
        other => Err(BadFormat {
            offset: word.at,
            message: format!("unknown `{other}`: default, json and none exist"),
        }),
    }
}

/// Puts a variable that ends the text in braces, so that what is appended stays outside of its name.
fn close_variable(text: &mut String) {
    let name = text.trim_end_matches(is_name).len();
    if name < text.len() && text[..name].ends_with('$') {
        text.insert(name, '{');
        text.push('}');
    }
}

/// Why no variable stands at the start of `rest`, which begins with `$`.
fn unnamed(rest: &str) -> String {
    let name = rest.strip_prefix("${").unwrap_or_default();
    let after = name.trim_start_matches(is_name);
    if after.len() < name.len() {
        return format!("`${{{}` has no closing brace", &name[..name.len() - after.len()]);
    }
    "`$` must be followed by a variable's name".to_owned()
}

pub(super) fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn piece(input: &str) -> IResult<&str, Piece<'_>> {
    alt((map(variable, Piece::Variable), map(take_while1(|c| c != '$'), Piece::Literal))).parse(input)
}

/// `$name` or `${name}`; returns the name.
pub(super) fn variable(input: &str) -> IResult<&str, &str> {
    let name = |i| take_while1(is_name).parse(i);
    preceded(tag("$"), alt((delimited(tag("{"), name, tag("}")), name))).parse(input)
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
        // Not nginx's: a time whose text tells its form, for columns that other software wrote.
        "time_any" => (Part::Time, 4, Kind::Time(Shape::Any, Edge::End)),
        "remote_addr" => (Part::Client, 0, Kind::Word),
        "realip_remote_addr" => (Part::Peer, 0, Kind::Word),
        "proxy_protocol_addr" => (Part::Peer, 1, Kind::Word),
        "http_x_forwarded_for" => (Part::Forwarded, 0, Kind::Text),
        "proxy_add_x_forwarded_for" => (Part::Forwarded, 1, Kind::Text),
        "http_x_real_ip" => (Part::Forwarded, 2, Kind::Text),
        "http_cf_connecting_ip" => (Part::Forwarded, 3, Kind::Text),
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
        "server_port" | "remote_port" => (Part::Other, 0, Kind::Digits),
        "scheme"
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
        check("log_format a '$sta' 'tus' $host x;", "a Nginx ${sta}tus${host}x");
        check("log_format a '$status", "column 14: a quote opens here and never closes");
        check("log_format a '$status'x;", "column 23: after a closing quote must stand a blank or `;`");
        check("log_format", "column 11: log_format needs a name");
        check("log_format a;", "column 13: log_format a has no format string");
        check(
            "log_format a escape=hex '$status';",
            "column 14: unknown `escape=hex`: default, json and none exist",
        );
        check(r#"log_format a '\"$a' 'cost $ 5';"#, "column 27: `$` must be followed by a variable's name");
    }

    #[test]
    fn every_string_is_compiled_on_its_own() {
        let items = |text: &str| {
            let format = directive(text).expect(text);
            let again = super::format(&format.name, format.escape, &format.text).expect(text);
            assert_eq!(again, format, "{text}: the joined text says the same");
            format.fields().map(|field| field.text.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(items("log_format a '$host' '1';"), "$host");
        assert_eq!(items("log_format a '$host' _b '$sta' 'tus' '$status';"), "$host $sta $status");
        assert_eq!(items("log_format a '${host}' 'b$c' '${d}e';"), "$host $c $d");
        assert_eq!(items("log_format a escape=json $host escape=json;"), "$host");
    }

    #[test]
    fn a_dollar_needs_a_name() {
        let check = |text: &str, expected: &str| {
            let error = format("x", Escape::Nginx, text).expect_err(text).to_string();
            assert_eq!(error, expected);
        };
        check("a$", "column 2: `$` must be followed by a variable's name");
        check("$-", "column 1: `$` must be followed by a variable's name");
        check("a ${}", "column 3: `$` must be followed by a variable's name");
        check("a ${b", "column 3: `${b` has no closing brace");
        check("a ${b-}", "column 3: `${b` has no closing brace");
        check("$é", "column 1: `$` must be followed by a variable's name");
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
