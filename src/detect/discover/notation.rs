//! Columns that were recognised → a format text, in the notation of the server that could have written them.

use super::columns::{Column, Table, Wrap};
use super::sheet::Role;
use crate::detect::looks::fits;
use crate::detect::tail;

/// Whose notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// `$remote_addr`.
    Nginx,
    /// `%h`.
    Apache,
}

/// True if Apache wrote the lines, or somebody like it: a quote escaped by a backslash, microseconds since 1970.
pub(super) fn is_apache(table: &Table<'_>, roles: &[Option<Role>]) -> bool {
    let mut values = table.columns.iter().flat_map(|column| &column.values);
    roles.contains(&Some(Role::EndMicros)) || values.any(|value| tail::has_apache_escape(value))
}

/// The format text; `None` if the notation has no word for something that matters.
pub(super) fn text(table: &Table<'_>, roles: &[Option<Role>], notation: Notation) -> Option<String> {
    let separator = std::str::from_utf8(table.separator).ok()?;
    let mut fields = Vec::new();
    for (at, (column, &role)) in table.columns.iter().zip(roles).enumerate() {
        let field = match role {
            // Apache's time brings its brackets.
            Some(Role::Clf) if notation == Notation::Apache && column.wrap == Wrap::Bracketed => {
                fields.push("%t".to_owned());
                continue;
            }
            Some(role) => known(column, role, notation, separator)?.to_owned(),
            None => unknown(at + 1, notation),
        };
        fields.push(match column.wrap {
            Wrap::Bare => field,
            Wrap::Quoted => format!("\"{field}\""),
            Wrap::Bracketed => format!("[{field}]"),
        });
    }
    Some(fields.join(separator))
}

fn unknown(number: usize, notation: Notation) -> String {
    match notation {
        Notation::Nginx => format!("$column_{number}"),
        Notation::Apache => format!("%{{column-{number}}}i"),
    }
}

fn known(column: &Column<'_>, role: Role, notation: Notation, separator: &str) -> Option<&'static str> {
    let (nginx, apache) = match role {
        Role::Clf | Role::Iso | Role::EpochSeconds | Role::StartMicros | Role::EndMicros | Role::AnyTime => {
            return match notation {
                Notation::Nginx => nginx_time(column, role, separator),
                Notation::Apache => apache_time(column, role),
            };
        }
        Role::Ident => ("-", "%l"),
        Role::User => ("$remote_user", "%u"),
        Role::Client => ("$remote_addr", "%h"),
        Role::ServerAddr => ("$server_addr", "%A"),
        Role::Forwarded => ("$http_x_forwarded_for", "%{X-Forwarded-For}i"),
        Role::Request => ("$request", "%r"),
        Role::Method => ("$request_method", "%m"),
        Role::Target => ("$request_uri", "%U"),
        Role::Protocol => ("$server_protocol", "%H"),
        Role::Status => ("$status", "%>s"),
        Role::Body => ("$body_bytes_sent", "%B"),
        Role::Wire => ("$bytes_sent", "%O"),
        Role::In => ("$request_length", "%I"),
        Role::Duration => ("$request_time", "%{s}T"),
        Role::DurationMicros => ("$duration_us", "%D"),
        Role::Upstream => ("$upstream_response_time", "%{upstream-time}n"),
        Role::Host => ("$host", "%v"),
        Role::HostHeader => ("$http_host", "%{Host}i"),
        Role::Referer => ("$http_referer", "%{Referer}i"),
        Role::Agent => ("$http_user_agent", "%{User-Agent}i"),
        Role::Cache => ("$upstream_cache_status", "%{cache-status}n"),
    };
    Some(if notation == Notation::Nginx { nginx } else { apache })
}

/// nginx's times have one form each; `$time_any` takes all, but no blank where blanks separate.
fn nginx_time(column: &Column<'_>, role: Role, separator: &str) -> Option<&'static str> {
    let blanks = |value: &&[u8]| memchr::memchr_iter(b' ', value).count();
    let ends_at_blank = column.wrap == Wrap::Bare && separator.starts_with(' ');
    let all_have = |wanted: usize| mostly(column, |value| *value == b"-" || blanks(value) == wanted);
    match role {
        Role::Clf if !ends_at_blank || all_have(1) => Some("$time_local"),
        _ if ends_at_blank && !all_have(0) => None,
        Role::Iso => Some("$time_iso8601"),
        Role::EpochSeconds => Some("$msec"),
        _ => Some("$time_any"),
    }
}

fn apache_time(column: &Column<'_>, role: Role) -> Option<&'static str> {
    let shape = |value: &[u8]| -> Vec<u8> {
        value.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect()
    };
    let all_like = |wanted: &[u8]| mostly(column, |value| *value == b"-" || shape(value) == wanted);
    match role {
        Role::Clf => Some("%{%d/%b/%Y:%T %z}t"),
        Role::StartMicros => Some("%{usec}t"),
        Role::EndMicros => Some("%{end:usec}t"),
        Role::EpochSeconds => Some("%{sec}t"),
        // In this notation only because nginx's has no word for it: whoever wrote it logged as most do, at the end.
        Role::Iso if all_like(b"0000-00-00 00:00:00") => Some("%{end:%F %T}t"),
        Role::Iso if all_like(b"0000-00-00T00:00:00") => Some("%{%FT%T}t"),
        Role::Iso => Some("%{%FT%T%z}t"),
        _ => None,
    }
}

/// True if nearly all values pass.
fn mostly(column: &Column<'_>, test: impl Fn(&&[u8]) -> bool) -> bool {
    fits(column.values.iter().filter(|value| test(value)).count(), column.values.len())
}
