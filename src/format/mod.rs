//! Log formats: what the servers' own words mean.
//!
//! A [`Format`] is an alternation of literals and fields read from an nginx `log_format` ([`nginx`]) or an Apache
//! `LogFormat` ([`apache`]) text, or the fields alone where each line names them itself ([`Grammar`]). Each [`Field`]
//! says which [`Part`] of a record it feeds and what its value looks like ([`Kind`], with its unit). [`Layout`] is the
//! form that `parse` walks. [`nginx_conf`] and [`apache_conf`] read the servers' whole configurations: which file has
//! which format ([`Configured`]).

pub(crate) mod token;
mod line;
pub mod nginx;
pub mod apache;
pub mod neighbours;
pub mod presets;
pub mod w3c;
pub mod keys;
pub mod configured;
pub mod nginx_conf;
pub mod apache_conf;
#[cfg(test)]
mod conf_tests;
mod strftime;
mod layout;
pub mod notation;

pub use configured::{BadConfiguration, Configured, ConfiguredLog};
pub use layout::{End, FIELDS_MAX, Guard, Layout, Step, Tail};
pub use strftime::Piece;

/// A log format in its server's own notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// Preset's or directive's name; `custom` if it has none.
    pub name: String,
    /// The format text, without directive quoting.
    pub text: String,
    /// Whose rules hold.
    pub server: Server,
    /// How the values of a line are found.
    pub grammar: Grammar,
    /// How the server disarms dangerous bytes in values.
    pub escape: Escape,
    /// Literals and fields in line order; never two literals in a row, and no literal where the grammar needs none.
    pub items: Vec<Item>,
}

/// How the values of a line are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// From literal to literal.
    Text,
    /// A JSON object: a field's text is the path of keys to its value, joined by dots.
    Json,
    /// `label:value` pairs separated by tabs (<http://ltsv.org>): a field's text is its label.
    Ltsv,
    /// Columns between blanks or tabs, in the order that a `#Fields` header names them (W3C extended log file format).
    Columns,
}

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// `ngx_http_log_module`.
    Nginx,
    /// `mod_log_config`.
    Apache,
    /// Neither: a proxy, a CDN, or an application.
    Other,
}

/// How a server disarms dangerous bytes in values (reference: nginx `ngx_http_log_escape`, `ngx_escape_json`; Apache
/// `ap_escape_logitem`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// nginx `escape=default`: `"`, `\` and everything outside printable ASCII become `\xHH`; absent is `-`.
    Nginx,
    /// nginx `escape=json`: `\"`, `\\`, `\n`, `\u00XX`; bytes ≥ 0x80 are raw; absent is empty.
    Json,
    /// nginx `escape=none`: nothing is escaped; absent is empty.
    None,
    /// Apache: `\"`, `\\`, `\n`, `\xhh`; absent is `-`.
    Apache,
    /// `HAProxy`: `"`, `#` and what cannot be printed become `#HH`; a backslash is a backslash; absent is `-`.
    Hash,
    /// W3C as IIS writes it: `+` for a blank, or the value in quotes; absent is `-`.
    Plus,
    /// `CloudFront`: `%HH`, twice where the client had encoded already; absent is `-`.
    Percent,
    /// Nothing is escaped, as with nginx `escape=none`, but absent is `-`.
    Raw,
}

impl Escape {
    /// How the server writes a value that does not exist.
    pub fn null(self) -> &'static [u8] {
        match self {
            Self::Nginx | Self::Apache | Self::Hash | Self::Plus | Self::Percent | Self::Raw => b"-",
            Self::Json | Self::None => b"",
        }
    }
}

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Bytes that stand in every line.
    Literal(Vec<u8>),
    /// A value.
    Field(Field),
}

/// A value of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// As written: `$request_time`, `%{Referer}i`.
    pub text: String,
    /// The part of a record it feeds.
    pub part: Part,
    /// Where several fields could feed one part, the lowest rank does.
    pub rank: u8,
    /// What the value looks like.
    pub kind: Kind,
}

/// The parts of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the meaning; FORMATS.md lists the fields that feed each")]
#[repr(u8)]
pub enum Part {
    Time,
    Client,
    Peer,
    Forwarded,
    User,
    Request,
    Method,
    Target,
    Path,
    Query,
    Protocol,
    Status,
    Body,
    Wire,
    In,
    Duration,
    Upstream,
    Host,
    ServerAddr,
    Hostname,
    Referer,
    Agent,
    Cache,
    Other,
}

impl Part {
    /// Number of parts.
    pub const COUNT: usize = Self::Other as usize + 1;
}

/// What a value looks like, and its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A time, or a piece of one.
    Time(Shape, Edge),
    /// Three digits.
    Status,
    /// A number of bytes.
    Bytes,
    /// A duration.
    Duration(Unit),
    /// A word: addresses, methods, host names, counters.
    Word,
    /// Digits alone: a port, which a colon separates from an address full of colons.
    Digits,
    /// What nginx writes for each try upstream, with blanks: `0.001, 0.002 : 0.100`.
    List,
    /// Anything, blanks included.
    Text,
}

/// What a logged time says: nginx logs the end of a request, Apache its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// When the request was received.
    Start,
    /// When the line was written.
    End,
}

/// How a time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `23/Nov/2026:05:53:11 +0000`.
    Clf,
    /// The same in square brackets (Apache `%t`).
    Bracketed,
    /// `2026-11-23T05:53:11+00:00`.
    Iso,
    /// Seconds since 1970, with or without a fraction.
    Epoch(Unit),
    /// The fraction of a second alone (Apache `%{msec_frac}t`).
    Fraction(Unit),
    /// Whatever begins with a digit: the text itself decides.
    Any,
    /// Apache `%{…}t` in `strftime` notation.
    Strftime(Vec<Piece>),
}

/// Unit of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds; a fraction is allowed.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
    /// Each value says its own: `12ms`, `1m30.5s`; seconds where it does not.
    Suffixed,
}

/// Why a format text cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFormat {
    /// Byte offset in the text.
    pub offset: usize,
    /// What is wrong there.
    pub message: String,
}

impl Format {
    /// Reads what a user gives to `--format`: a preset's name, a pasted directive, or a format text.
    pub fn parse(text: &str) -> Result<Self, BadFormat> {
        if let Some(format) = presets::named(text.trim()) {
            return Ok(format);
        }
        let start = text.trim_start();
        let first_word = start.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
        if first_word == "log_format" {
            return nginx::directive(start).map_err(|bad| bad.later(text.len() - start.len()));
        }
        // Apache's configuration words are case-insensitive.
        if ["logformat", "customlog", "globallog"].contains(&first_word.to_ascii_lowercase().as_str()) {
            return apache::directive(start).map_err(|bad| bad.later(text.len() - start.len()));
        }
        if nginx::has_variable(text) {
            return nginx::format("custom", Escape::Nginx, text);
        }
        if text.contains('%') {
            return apache::format("custom", text);
        }
        let known = presets::names().join(", ");
        Err(BadFormat {
            offset: 0,
            message: format!("neither a preset ({known}) nor a text with $variables or %directives"),
        })
    }

    /// A format whose lines name their values: of these fields, in this order where they have one.
    pub fn keyed(name: &str, grammar: Grammar, escape: Escape, fields: Vec<Field>) -> Self {
        let texts: Vec<&str> = fields.iter().map(|field| field.text.as_str()).collect();
        Self {
            name: name.to_owned(),
            text: texts.join(" "),
            server: Server::Other,
            grammar,
            escape,
            items: fields.into_iter().map(Item::Field).collect(),
        }
    }

    /// The fields, in line order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.items.iter().filter_map(|item| match item {
            Item::Field(field) => Some(field),
            Item::Literal(_) => None,
        })
    }

    /// True if a field feeds `part`.
    pub fn has(&self, part: Part) -> bool {
        self.fields().any(|field| field.part == part)
    }

    /// Which end of a request the logged time is; `None` if no time is logged.
    pub fn edge(&self) -> Option<Edge> {
        let times = self.fields().filter(|field| field.part == Part::Time);
        times.min_by_key(|field| field.rank).and_then(|field| match field.kind {
            Kind::Time(_, edge) => Some(edge),
            _ => None,
        })
    }
}

impl BadFormat {
    /// The same where the text begins this much later.
    fn later(self, by: usize) -> Self {
        Self { offset: self.offset + by, ..self }
    }
}

impl std::fmt::Display for BadFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "column {}: {}", self.offset + 1, self.message)
    }
}

/// Appends a literal, joining it with one that already ends the list.
fn push_literal(items: &mut Vec<Item>, bytes: &[u8]) {
    match items.last_mut() {
        Some(Item::Literal(last)) => last.extend_from_slice(bytes),
        _ if bytes.is_empty() => {}
        _ => items.push(Item::Literal(bytes.to_vec())),
    }
}
