//! What a line says, or why it says nothing.

use crate::time::Timestamp;

/// One request, as its line tells it. Text is raw: [`super::value::unescape`] undoes the server's escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact about a line, none switches anything")]
pub struct Record<'a> {
    /// The logged time: the request's end for nginx, its start for Apache.
    pub time: Option<Timestamp>,
    /// UTC offset in seconds that the time was written with.
    pub offset: Option<i32>,
    /// The time names no zone, and the format has none of its own: UTC was assumed.
    pub zoneless: bool,
    /// First instant of the request.
    pub start: Option<Timestamp>,
    /// Last instant of the request.
    pub end: Option<Timestamp>,
    /// The address the server talked to, after its own proxy rules.
    pub client: Option<&'a [u8]>,
    /// The other end of the connection.
    pub peer: Option<&'a [u8]>,
    /// The addresses that proxies passed on.
    pub forwarded: Option<&'a [u8]>,
    /// User name.
    pub user: Option<&'a [u8]>,
    /// Request method; only if it is a token.
    pub method: Option<&'a [u8]>,
    /// Request target with its query.
    pub target: Option<&'a [u8]>,
    /// Path, if the log has it apart.
    pub path: Option<&'a [u8]>,
    /// Query, if the log has it apart.
    pub query: Option<&'a [u8]>,
    /// Protocol.
    pub protocol: Option<&'a [u8]>,
    /// Status code.
    pub status: Option<u16>,
    /// Bytes of the response's body.
    pub body: Option<u64>,
    /// Bytes sent, headers included.
    pub wire: Option<u64>,
    /// Bytes received.
    pub bytes_in: Option<u64>,
    /// How long the request took, in microseconds.
    pub duration_us: Option<u64>,
    /// Time spent in all upstream tries, in microseconds.
    pub upstream_us: Option<u64>,
    /// Number of upstream tries.
    pub upstream_tries: Option<u32>,
    /// Host asked for.
    pub host: Option<&'a [u8]>,
    /// Address of the serving machine.
    pub server_addr: Option<&'a [u8]>,
    /// Name of the serving machine.
    pub hostname: Option<&'a [u8]>,
    /// Referer.
    pub referer: Option<&'a [u8]>,
    /// User agent.
    pub agent: Option<&'a [u8]>,
    /// Cache status.
    pub cache: Option<&'a [u8]>,
    /// Further fields asked for by their own name, in that order.
    pub others: Vec<Option<&'a [u8]>>,
    /// The duration is longer than [`super::value::DURATION_US_MAX`]: the record counts at its logged instant.
    pub implausible: bool,
    /// Columns follow that the format does not name.
    pub extra: bool,
    /// The line has more quotes than its format where the server escapes none: where values end was guessed.
    pub ambiguous: bool,
}

/// Why a line is not a record, and where that shows. Costs no allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reject {
    /// The reason.
    pub reason: Reason,
    /// Offset of the offending byte or value.
    pub column: usize,
}

/// Reasons of a reject, in the order reports list ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// The line does not have the format's shape.
    Format,
    /// No such time.
    Time,
    /// Not a status.
    Status,
    /// Not a number of bytes.
    Bytes,
    /// More than 2⁴⁶ bytes.
    BytesRange,
    /// Not a duration.
    Duration,
    /// Longer than any line may be.
    TooLong,
}

impl Reason {
    /// All, in order.
    pub const ALL: [Self; 7] = [
        Self::Format,
        Self::Time,
        Self::Status,
        Self::Bytes,
        Self::BytesRange,
        Self::Duration,
        Self::TooLong,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Time => "time",
            Self::Status => "status",
            Self::Bytes => "bytes",
            Self::BytesRange => "bytes-range",
            Self::Duration => "duration",
            Self::TooLong => "too-long",
        }
    }
}

impl<'a> Record<'a> {
    /// The target with its query: as asked, or put together from path and query.
    pub fn full_target(&self) -> Option<std::borrow::Cow<'a, [u8]>> {
        if let Some(target) = self.target {
            return Some(target.into());
        }
        let path = self.path?;
        match self.query {
            // Apache's `%q` brings its question mark, nginx's `$args` does not.
            Some(query) if query.starts_with(b"?") => Some([path, query].concat().into()),
            Some(query) if !query.is_empty() => Some([path, b"?", query].concat().into()),
            _ => Some(path.into()),
        }
    }
}
