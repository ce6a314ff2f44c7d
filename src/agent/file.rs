//! The text of a file of families.

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use super::finder::Token;
use super::networks::Networks;
use super::{BadFile, FAMILIES_MAX, Kind, WORD_BYTES_MAX};

/// What a file says.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) families: Vec<Named>,
    pub(super) networks: Vec<Stated>,
}

/// A family and what it is known by.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) tokens: Vec<Token>,
}

/// Networks and whose they are.
#[derive(Debug)]
pub(super) struct Stated {
    pub(super) line: usize,
    pub(super) families: Vec<String>,
    pub(super) networks: Networks,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    #[serde(default)]
    pub(super) families: Vec<Spanned<FamilyText>>,
    #[serde(default)]
    pub(super) networks: Vec<Spanned<NetworksText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FamilyText {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) tokens: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworksText {
    pub(super) families: Vec<String>,
    #[serde(default)]
    pub(super) asn: Vec<u32>,
    #[serde(default)]
    pub(super) shared: Vec<u32>,
    #[serde(default)]
    pub(super) ranges: Vec<String>,
    /// Where the operator says so, and when that was looked at: for people who look after the file.
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "read by people, and by tests"))]
    pub(super) source: String,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "read by people, and by tests"))]
    pub(super) checked: String,
}

/// Reads a file.
pub(super) fn read(text: &str) -> Result<Read, BadFile> {
    let Text { families, networks } = parse(text)?;
    let bad = |at: usize, message: String| BadFile { line: line(text, at), message };
    if families.len() > FAMILIES_MAX {
        return Err(bad(0, format!("there are more than {FAMILIES_MAX} families")));
    }
    let named = |family: Spanned<FamilyText>| {
        let at = family.span().start;
        named(family.into_inner()).map_err(|message| bad(at, message))
    };
    let stated = |networks: Spanned<NetworksText>| {
        let at = networks.span().start;
        stated(line(text, at), networks.into_inner()).map_err(|message| bad(at, message))
    };
    Ok(Read {
        families: families.into_iter().map(named).collect::<Result<_, _>>()?,
        networks: networks.into_iter().map(stated).collect::<Result<_, _>>()?,
    })
}

/// The file as it is written.
pub(super) fn parse(text: &str) -> Result<Text, BadFile> {
    toml::from_str(text).map_err(|error| BadFile {
        line: line(text, error.span().map_or(0, |span| span.start)),
        message: error.message().lines().collect::<Vec<_>>().join("; "),
    })
}

fn line(text: &str, at: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..at.min(text.len())]).count()
}

fn named(family: FamilyText) -> Result<Named, String> {
    let FamilyText { name, kind, tokens } = family;
    if name.is_empty() || name.len() > WORD_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(format!("a name has 1 to {WORD_BYTES_MAX} bytes of text"));
    }
    if ["unknown", "other", "empty", "unlisted"].contains(&name.as_str()) {
        return Err(format!("{name} is what agents without a family are called"));
    }
    let names = || Kind::ALL.map(Kind::name).join(", ");
    let kind = Kind::from_name(&kind)
        .ok_or_else(|| format!("unknown kind `{kind}` of {name}; there are {}", names()))?;
    if tokens.is_empty() {
        return Err(format!("{name} has no tokens"));
    }
    let token = |text: &String| {
        let shown = format!("token `{text}` of {name}");
        Token::parse(text).ok_or_else(|| {
            format!("{shown}: 2 to {WORD_BYTES_MAX} bytes are expected, with a * at the ends only")
        })
    };
    Ok(Named { tokens: tokens.iter().map(token).collect::<Result<_, _>>()?, name, kind })
}

fn stated(line: usize, text: NetworksText) -> Result<Stated, String> {
    let NetworksText { families, asn, shared, ranges, .. } = text;
    let range = |text: &String| {
        text.parse::<IpNet>().map_err(|_| format!("`{text}` is no network such as 192.0.2.0/24"))
    };
    let ranges = ranges.iter().map(range).collect::<Result<_, _>>()?;
    Ok(Stated { line, families, networks: Networks { asn, shared, ranges } })
}
