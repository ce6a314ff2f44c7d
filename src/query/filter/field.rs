//! What stands on the left of a comparison.

use crate::format::{Format, Part};
use crate::query::dimension::{self, Dimension, TimePart, nearest};

/// A property of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// What rows can be grouped by.
    Dimension(Dimension),
    /// What they cannot: mostly numbers.
    Raw(Raw),
}

/// A property that is no dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "docs/FILTERS.md lists them; the names are those of --where")]
pub enum Raw {
    Bytes,
    BodyBytes,
    WireBytes,
    BytesIn,
    Duration,
    Upstream,
    Tries,
    Time,
    Start,
    End,
    Target,
    Query,
    Protocol,
    User,
    Peer,
}

/// What a field's values are, and so what they can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bytes.
    Text,
    /// An address.
    Address,
    /// A /24, or a /48 for IPv6.
    Net,
    /// A whole number, typed as its unit is.
    Number(Unit),
}

/// How a number is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// As digits.
    Count,
    /// As three digits.
    Status,
    /// As digits, with `AS` before them or not.
    Asn,
    /// As digits with a unit or without.
    Bytes,
    /// As digits with a unit.
    Duration,
    /// As `--since` takes it; in microseconds since 1970.
    Instant,
    /// The same, for a slot; in seconds since 1970.
    Slot,
    /// As a date; eight digits.
    Day,
    /// 0 to 23.
    Hour,
    /// As a name; Monday is 1.
    Weekday,
}

const NAMES: &[(&str, Raw)] = &[
    ("bytes", Raw::Bytes),
    ("body_bytes", Raw::BodyBytes),
    ("wire_bytes", Raw::WireBytes),
    ("bytes_in", Raw::BytesIn),
    ("duration", Raw::Duration),
    ("upstream", Raw::Upstream),
    ("tries", Raw::Tries),
    ("time", Raw::Time),
    ("start", Raw::Start),
    ("end", Raw::End),
    ("target", Raw::Target),
    ("query", Raw::Query),
    ("protocol", Raw::Protocol),
    ("user", Raw::User),
    ("peer", Raw::Peer),
];

impl Field {
    /// Reads a name; the message of an error tells the nearest.
    pub fn parse(word: &str) -> Result<Self, String> {
        if let Some(dimension) = Dimension::named(word) {
            return Ok(Self::Dimension(dimension));
        }
        let raw = NAMES.iter().find(|(name, _)| *name == word);
        raw.map(|(_, raw)| Self::Raw(*raw)).ok_or_else(|| {
            let names: Vec<&str> = dimension::names().chain(NAMES.iter().map(|(name, _)| *name)).collect();
            let lower = word.to_ascii_lowercase();
            format!("unknown field `{word}`{}; there are {}", nearest(&lower, &names), names.join(", "))
        })
    }

    /// Its name in filters.
    pub fn name(&self) -> &str {
        match self {
            Self::Dimension(dimension) => dimension.name(),
            Self::Raw(raw) => NAMES.iter().find(|(_, known)| known == raw).map_or("", |(name, _)| name),
        }
    }

    /// What its values are. A dimension is text unless this says otherwise.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Dimension(dimension) => match dimension {
                Dimension::Client => Kind::Address,
                Dimension::Net => Kind::Net,
                Dimension::Status => Kind::Number(Unit::Status),
                Dimension::Asn => Kind::Number(Unit::Asn),
                Dimension::Time(TimePart::Slot) => Kind::Number(Unit::Slot),
                Dimension::Time(TimePart::Day) => Kind::Number(Unit::Day),
                Dimension::Time(TimePart::Hour) => Kind::Number(Unit::Hour),
                Dimension::Time(TimePart::Weekday) => Kind::Number(Unit::Weekday),
                _ => Kind::Text,
            },
            Self::Raw(raw) => match raw {
                Raw::Bytes | Raw::BodyBytes | Raw::WireBytes | Raw::BytesIn => Kind::Number(Unit::Bytes),
                Raw::Duration | Raw::Upstream => Kind::Number(Unit::Duration),
                Raw::Tries => Kind::Number(Unit::Count),
                Raw::Time | Raw::Start | Raw::End => Kind::Number(Unit::Instant),
                Raw::Target | Raw::Query | Raw::Protocol | Raw::User => Kind::Text,
                Raw::Peer => Kind::Address,
            },
        }
    }

    /// The parts of a record it is made of; those that are read from every line are left out.
    pub fn parts(&self) -> &'static [Part] {
        match self {
            Self::Dimension(dimension) => dimension.parts(),
            Self::Raw(raw) => match raw {
                Raw::Target | Raw::Query | Raw::Protocol => &[Part::Request],
                Raw::User => &[Part::User],
                Raw::Peer => &[Part::Peer],
                Raw::Upstream | Raw::Tries => &[Part::Upstream],
                _ => &[],
            },
        }
    }

    /// True if a format with these parts can provide it.
    pub fn provided_by(&self, format: &Format) -> bool {
        let any = |parts: &[Part]| parts.iter().any(|&part| format.has(part));
        match self {
            Self::Dimension(dimension) => dimension.provided_by(format),
            Self::Raw(raw) => any(match raw {
                Raw::Bytes => &[Part::Body, Part::Wire],
                Raw::BodyBytes => &[Part::Body],
                Raw::WireBytes => &[Part::Wire],
                Raw::BytesIn => &[Part::In],
                Raw::Duration => &[Part::Duration],
                Raw::Upstream | Raw::Tries => &[Part::Upstream],
                Raw::Time | Raw::Start | Raw::End => &[Part::Time],
                Raw::Target => &[Part::Request, Part::Target, Part::Path],
                Raw::Query => &[Part::Request, Part::Target, Part::Query],
                Raw::Protocol => &[Part::Request, Part::Protocol],
                Raw::User => &[Part::User],
                Raw::Peer => &[Part::Peer],
            }),
        }
    }
}
