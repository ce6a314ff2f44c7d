//! The columns that people append to a well-known format, typed by what stands in them.

use std::net::IpAddr;

use crate::format::{Format, Layout, Server, presets};
use crate::parse::{Parser, Record, Wanted};

/// More columns than these after a beginning are none of a format's, and are not named.
const COLUMNS_MAX: usize = 64;

/// The beginning completed by the columns that follow it in most of the lines, in the notation of the server that
/// wrote them; `None` if it stands as it is.
pub(super) fn complete(beginning: &Layout, sample: &[&[u8]]) -> Option<Format> {
    let mut parser = Parser::new(beginning, Wanted::default(), &[]);
    let tails: Vec<Vec<Column>> = sample.iter().filter_map(|line| columns_after(&mut parser, line)).collect();
    let width = most_frequent(tails.iter().map(Vec::len))?;
    let apache_escapes = sample.iter().any(|line| has_apache_escape(line));
    if width == 0 || width > COLUMNS_MAX {
        return apache_escapes.then(|| base(&beginning.format, Server::Apache));
    }
    let rows: Vec<&Vec<Column>> = tails.iter().filter(|columns| columns.len() == width).collect();
    let kinds: Vec<Kind> = (0..width).map(|at| Kind::of(rows.iter().map(|row| &row[at]))).collect();
    let server =
        if kinds.iter().any(|kind| matches!(kind, Kind::Seconds | Kind::SecondsList | Kind::Addresses)) {
            Server::Nginx
        } else if apache_escapes || kinds.contains(&Kind::Integer) {
            Server::Apache
        } else {
            beginning.format.server
        };
    let base = base(&beginning.format, server);
    let mut text = base.text.clone();
    let mut name = base.name.clone();
    for (field, word) in fields(&kinds, server) {
        text = format!("{text} {field}");
        name = format!("{name}+{word}");
    }
    let known = presets::PRESETS.iter().find(|preset| preset.text == text);
    let mut format = Format::parse(&text).ok()?;
    format.name = known.map_or(name, |preset| preset.name.to_owned());
    Some(format)
}

/// A column after the known ones.
struct Column<'a> {
    text: &'a [u8],
    quoted: bool,
}

/// What stands in a column, over all lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `0.123`.
    Seconds,
    /// `0.123`, `-`, or a list: times of upstream tries.
    SecondsList,
    Integer,
    Address,
    /// In quotes: addresses or `-`.
    Addresses,
    Quoted,
    Word,
}

impl Kind {
    #[allow(clippy::needless_pass_by_value, reason = "an iterator that is cheap to clone")]
    fn of<'a>(values: impl Iterator<Item = &'a Column<'a>> + Clone) -> Self {
        let all = |test: fn(&[u8]) -> bool| values.clone().all(|column| test(column.text));
        if values.clone().any(|column| column.quoted) {
            return if all(is_address_list) { Self::Addresses } else { Self::Quoted };
        }
        if all(is_seconds) {
            Self::Seconds
        } else if all(is_integer) {
            Self::Integer
        } else if all(|text| text.split(|&byte| byte == b',' || byte == b':').all(is_seconds_or_null)) {
            Self::SecondsList
        } else if all(is_address) {
            Self::Address
        } else {
            Self::Word
        }
    }
}

/// The columns of `line` after what the parser matches; `None` if it does not match.
fn columns_after<'a>(parser: &mut Parser, line: &'a [u8]) -> Option<Vec<Column<'a>>> {
    let mut record = Record::default();
    parser.parse(line, &mut record).ok()?;
    Some(if record.extra { columns(&line[parser.matched_length()..]) } else { Vec::new() })
}

/// Splits at blanks outside quotes; the items of an unquoted list (`a, b : c`) are one column.
fn columns(text: &[u8]) -> Vec<Column<'_>> {
    let mut columns = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let (column, after) = if rest[0] == b'"' {
            let end = memchr::memchr(b'"', &rest[1..]).map_or(rest.len() - 1, |at| at + 1);
            (Column { text: &rest[1..end.max(1)], quoted: true }, end + 1)
        } else {
            let end = list_end(rest);
            (Column { text: &rest[..end], quoted: false }, end)
        };
        columns.push(column);
        rest = rest.get(after..).unwrap_or_default().trim_ascii_start();
    }
    columns
}

fn list_end(text: &[u8]) -> usize {
    let mut end = 0;
    loop {
        end = memchr::memchr(b' ', &text[end..]).map_or(text.len(), |at| end + at);
        if text[..end].ends_with(b",") {
            end += 1;
        } else if text[end..].starts_with(b" : ") {
            end += 3;
        } else {
            return end;
        }
        if end >= text.len() {
            return text.len();
        }
    }
}

/// The beginning in the notation of the server that wrote the columns.
fn base(beginning: &Format, server: Server) -> Format {
    match (beginning.name.as_str(), server) {
        ("combined", Server::Apache) => {
            let mut format = presets::named("apache_combined").expect("a preset");
            format.name = "combined".to_owned();
            format
        }
        ("common", Server::Nginx) => renamed(
            r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent"#,
            "common",
        ),
        ("vhost_combined", Server::Nginx) => renamed(
            r#"$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
            "vhost_combined",
        ),
        _ => beginning.clone(),
    }
}

fn renamed(text: &str, name: &str) -> Format {
    let mut format = Format::parse(text).expect("a constant format compiles");
    format.name = name.to_owned();
    format
}

/// Field and short word for each column. Of several columns of one kind the usual order decides.
fn fields(kinds: &[Kind], server: Server) -> Vec<(String, String)> {
    let integers = kinds.iter().filter(|&&kind| kind == Kind::Integer).count();
    let (mut seconds, mut integer, mut address, mut addresses) = (0, 0, 0, 0);
    let next = |seen: &mut usize| {
        *seen += 1;
        *seen - 1
    };
    let known = |kind: Kind, nth: [&mut usize; 4]| -> Option<(&'static str, &'static str)> {
        let [seconds, integer, address, addresses] = nth;
        match (kind, server) {
            (Kind::Seconds | Kind::SecondsList, Server::Nginx) => match (kind, next(seconds)) {
                (Kind::Seconds, 0) => Some(("$request_time", "rt")),
                (_, 0 | 1) => Some(("$upstream_response_time", "urt")),
                _ => None,
            },
            (Kind::Integer, Server::Apache) => match (integers, next(integer)) {
                (1, 0) | (3, 2) => Some(("%D", "d")),
                (2 | 3, 0) => Some(("%I", "i")),
                (2 | 3, 1) => Some(("%O", "o")),
                _ => None,
            },
            (Kind::Address, _) if next(address) == 0 => {
                Some((if server == Server::Nginx { "$server_addr" } else { "%A" }, "server_addr"))
            }
            (Kind::Addresses, Server::Nginx) if next(addresses) == 0 => {
                Some(("\"$http_x_forwarded_for\"", "xff"))
            }
            _ => None,
        }
    };
    (1..)
        .zip(kinds)
        .map(|(number, &kind)| {
            let nth = [&mut seconds, &mut integer, &mut address, &mut addresses];
            if let Some((field, word)) = known(kind, nth) {
                return (field.to_owned(), word.to_owned());
            }
            let field = match server {
                Server::Nginx | Server::Other => format!("$column_{number}"),
                Server::Apache => format!("%{{column-{number}}}i"),
            };
            let quoted = matches!(kind, Kind::Quoted | Kind::Addresses);
            (if quoted { format!("\"{field}\"") } else { field }, number.to_string())
        })
        .collect()
}

/// nginx writes these two as `\x22` and `\x5C`.
pub(super) fn has_apache_escape(line: &[u8]) -> bool {
    line.windows(2).any(|pair| pair == b"\\\"" || pair == b"\\\\")
}

fn most_frequent(values: impl Iterator<Item = usize>) -> Option<usize> {
    let mut counts = std::collections::BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0usize) += 1;
    }
    counts.into_iter().max_by_key(|&(value, count)| (count, std::cmp::Reverse(value))).map(|(value, _)| value)
}

fn is_integer(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// nginx writes all its times as `%T.%03M`.
fn is_seconds(text: &[u8]) -> bool {
    text.len() > 4
        && text[text.len() - 4] == b'.'
        && is_integer(&text[..text.len() - 4])
        && is_integer(&text[text.len() - 3..])
}

fn is_seconds_or_null(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text == b"-" || is_seconds(text)
}

fn is_address(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

fn is_address_list(text: &[u8]) -> bool {
    text == b"-" || text.split(|&byte| byte == b',').all(|item| is_address(item.trim_ascii()))
}
