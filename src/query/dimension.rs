//! Dimensions: what rows are grouped by.

use nom::branch::alt;
use nom::bytes::complete::{is_not, take_till, take_while1};
use nom::character::complete::{char, space0};
use nom::combinator::{all_consuming, recognize};
use nom::multi::separated_list1;
use nom::sequence::delimited;
use nom::{IResult, Parser};

use crate::format::Part;
use crate::place::Field;

/// Dimensions without a time part that one view can have.
pub const DIMENSIONS_MAX: usize = 5;

/// The same for a question: one more stays free for what the answer itself must tell apart.
pub const ASKED_MAX: usize = 4;

/// What rows are grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "docs/ARCHITECTURE.md and --help list them; the names are those of --by")]
pub enum Dimension {
    Time(TimePart),
    Idc,
    Server,
    Region,
    Country,
    Province,
    City,
    Carrier,
    Asn,
    Org,
    Netkind,
    Client,
    Net,
    Host,
    Path,
    Prefix,
    Ext,
    /// The path with ids and hashes folded.
    Template,
    Method,
    Status,
    Class,
    Referer,
    Refhost,
    Agent,
    /// The program that an agent text names.
    Family,
    /// The kind of that program.
    Bot,
    /// Whether it comes from where the real one does.
    Claim,
    Cache,
    /// A field of the log format under its own name.
    Field(String),
    /// The side of a comparison; the answer's own, nobody can type it.
    Side,
}

/// A dimension that follows from the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of --by")]
pub enum TimePart {
    Slot,
    Day,
    Hour,
    Weekday,
}

const NAMES: &[(&str, Dimension)] = &[
    ("slot", Dimension::Time(TimePart::Slot)),
    ("day", Dimension::Time(TimePart::Day)),
    ("hour", Dimension::Time(TimePart::Hour)),
    ("weekday", Dimension::Time(TimePart::Weekday)),
    ("idc", Dimension::Idc),
    ("server", Dimension::Server),
    ("region", Dimension::Region),
    ("country", Dimension::Country),
    ("province", Dimension::Province),
    ("city", Dimension::City),
    ("carrier", Dimension::Carrier),
    ("asn", Dimension::Asn),
    ("org", Dimension::Org),
    ("netkind", Dimension::Netkind),
    ("client", Dimension::Client),
    ("net", Dimension::Net),
    ("host", Dimension::Host),
    ("path", Dimension::Path),
    ("prefix", Dimension::Prefix),
    ("ext", Dimension::Ext),
    ("template", Dimension::Template),
    ("method", Dimension::Method),
    ("status", Dimension::Status),
    ("class", Dimension::Class),
    ("referer", Dimension::Referer),
    ("refhost", Dimension::Refhost),
    ("agent", Dimension::Agent),
    ("family", Dimension::Family),
    ("bot", Dimension::Bot),
    ("claim", Dimension::Claim),
    ("cache", Dimension::Cache),
];

impl Dimension {
    /// Reads a comma-separated list; the message of an error names the culprit and the nearest name.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let words = all_consuming(separated_list1(char(','), delimited(space0, word, space0))).parse(text);
        let (_, words) =
            words.map_err(|_| format!("`{text}` is not a comma-separated list of dimensions"))?;
        let dimensions = words.into_iter().map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        if let Some(twice) = (1..dimensions.len()).find(|&at| dimensions[..at].contains(&dimensions[at])) {
            return Err(format!("dimension `{}` is given twice", dimensions[twice].name()));
        }
        if dimensions.iter().filter(|dimension| !matches!(dimension, Self::Time(_))).count() > ASKED_MAX {
            return Err(format!("at most {ASKED_MAX} dimensions besides the time"));
        }
        Ok(dimensions)
    }

    /// The dimension of a name.
    pub(super) fn named(word: &str) -> Option<Self> {
        if word.starts_with(['$', '%']) {
            return Some(Self::Field(word.to_owned()));
        }
        let found = NAMES.iter().find(|(name, _)| *name == word);
        found.map(|(_, dimension)| dimension.clone())
    }

    fn parse(word: &str) -> Result<Self, String> {
        Self::named(word).ok_or_else(|| {
            let names: Vec<&str> = names().collect();
            format!("unknown dimension `{word}`{}; there are {}", nearest(word, &names), names.join(", "))
        })
    }

    /// Its name in `--by`, columns and JSON.
    pub fn name(&self) -> &str {
        match self {
            Self::Field(text) => text,
            Self::Side => "side",
            known => NAMES.iter().find(|(_, dimension)| dimension == known).map_or("", |(name, _)| name),
        }
    }

    /// The parts of a record it is made of.
    pub fn parts(&self) -> &'static [Part] {
        match self {
            Self::Time(_) | Self::Status | Self::Class | Self::Field(_) | Self::Side => &[],
            Self::Idc => &[Part::ServerAddr, Part::Hostname, Part::Host],
            Self::Server => &[Part::ServerAddr, Part::Hostname],
            Self::Region
            | Self::Country
            | Self::Province
            | Self::City
            | Self::Carrier
            | Self::Asn
            | Self::Org
            | Self::Netkind
            | Self::Client
            | Self::Net => &[Part::Client, Part::Peer, Part::Forwarded],
            Self::Host => &[Part::Host],
            Self::Path | Self::Prefix | Self::Ext | Self::Template | Self::Method => &[Part::Request],
            Self::Referer | Self::Refhost => &[Part::Referer],
            Self::Agent | Self::Family | Self::Bot => &[Part::Agent],
            Self::Claim => &[Part::Agent, Part::Client, Part::Peer, Part::Forwarded],
            Self::Cache => &[Part::Cache],
        }
    }

    /// True if it is a property of the client.
    pub fn is_client(&self) -> bool {
        matches!(self, Self::Client | Self::Net) || self.is_place()
    }

    /// True if it is found by the agent's family.
    pub fn is_program(&self) -> bool {
        matches!(self, Self::Family | Self::Bot | Self::Claim)
    }

    /// True if it is found by the client's place.
    pub fn is_place(&self) -> bool {
        self.place_field().is_some()
    }

    /// The field of the client's place that it is, or is found by.
    pub fn place_field(&self) -> Option<Field> {
        Some(match self {
            Self::Region => Field::Region,
            Self::Country => Field::Country,
            Self::Province => Field::Province,
            Self::City => Field::City,
            Self::Carrier => Field::Carrier,
            Self::Asn | Self::Claim => Field::Asn,
            Self::Org => Field::Org,
            Self::Netkind => Field::Netkind,
            _ => return None,
        })
    }

    /// True if a format with these parts can provide it. A data centre can also come from a file's path or the
    /// default, so every format provides it.
    pub fn provided_by(&self, format: &crate::format::Format) -> bool {
        let has = |part| format.has(part);
        match self {
            Self::Idc => true,
            Self::Time(_) => has(Part::Time),
            Self::Status | Self::Class => has(Part::Status),
            Self::Server => has(Part::ServerAddr) || has(Part::Hostname),
            Self::Path | Self::Prefix | Self::Ext | Self::Template => {
                has(Part::Request) || has(Part::Target) || has(Part::Path)
            }
            Self::Method => has(Part::Request) || has(Part::Method),
            Self::Field(text) => format.fields().any(|field| field.text.eq_ignore_ascii_case(text)),
            Self::Claim => has(Part::Agent) && Self::Net.provided_by(format),
            client if client.is_client() => client.parts().iter().any(|&part| has(part)),
            other => other.parts().iter().all(|&part| has(part)),
        }
    }
}

/// The names of all dimensions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// ` (did you mean …?)` if a name is close enough.
pub(crate) fn nearest(word: &str, names: &[&str]) -> String {
    let best = names.iter().map(|name| (distance(word, name), name)).min();
    best.filter(|&(distance, _)| distance <= 2)
        .map_or(String::new(), |(_, name)| format!(" (did you mean `{name}`?)"))
}

/// Levenshtein's distance, in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// `name`, `$variable`, or an Apache directive, whose braces may hold commas.
fn word(input: &str) -> IResult<&str, &str> {
    let braces = recognize((char('{'), take_till(|c| c == '}'), char('}')));
    let plain = take_while1(|c: char| c != ',' && c != '{' && !c.is_whitespace());
    let directive = recognize((char('%'), nom::multi::many1(alt((braces, recognize(is_not(",{ \t")))))));
    alt((directive, plain)).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match Dimension::parse_list(text) {
            Ok(list) => list.iter().map(Dimension::name).collect::<Vec<_>>().join("|"),
            Err(error) => error.split(';').next().unwrap_or_default().to_owned(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn lists_are_read() {
        check("idc,region, slot", "idc|region|slot");
        check("$upstream_addr,%{a,b}i,%>s", "$upstream_addr|%{a,b}i|%>s");
        check("regoin", "unknown dimension `regoin` (did you mean `region`?)");
        check("nonsense", "unknown dimension `nonsense`");
        check("idc,,region", "`idc,,region` is not a comma-separated list of dimensions");
        check("idc,idc", "dimension `idc` is given twice");
        check("idc,region,client,path,status", "at most 4 dimensions besides the time");
    }
}
