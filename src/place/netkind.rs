//! What a client's network is for, and whose it is.
//!
//! ```text
//! the user's lists ▶ the database's own flag ▶ our table of autonomous systems ▶ words in the names ▶ unknown
//! ```
//!
//! The table holds what is publicly known of a few hundred networks; the words are those that say what a network
//! is for. Whatever neither knows stays unknown: a network of which nothing is known is not therefore a carrier.

mod list;
mod table;
pub(super) mod words;

use std::sync::LazyLock;

pub use list::NetKinds;

/// What a network is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NetKind {
    /// Connects people and companies.
    Carrier,
    /// Rents out machines by the hour.
    Cloud,
    /// Hosting and data centres.
    Idc,
    /// Delivers other people's content.
    Cdn,
    /// Universities, schools, research.
    Edu,
}

impl NetKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Carrier, Self::Cloud, Self::Idc, Self::Cdn, Self::Edu];

    /// The kind's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::Cloud => "cloud",
            Self::Idc => "idc",
            Self::Cdn => "cdn",
            Self::Edu => "edu",
        }
    }

    /// Its number in files; 0 for none.
    pub(super) fn number(kind: Option<Self>) -> u8 {
        let at = kind.and_then(|kind| Self::ALL.iter().position(|known| *known == kind));
        at.map_or(0, |at| u8::try_from(at + 1).expect("a handful of kinds"))
    }

    /// The kind of a number, if it is one.
    pub(super) fn numbered(number: u8) -> Result<Option<Self>, NoKind> {
        match usize::from(number).checked_sub(1) {
            None => Ok(None),
            Some(at) => Self::ALL.get(at).map(|kind| Some(*kind)).ok_or(NoKind),
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| name.eq_ignore_ascii_case(kind.name()))
    }
}

/// A number that no kind has.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoKind;

/// The kind of a network: `listed` is what the user's lists say of its address, `flagged` what the database does,
/// `names` are its carrier's and its organisation's.
pub(super) fn judge(
    listed: Option<NetKind>,
    flagged: Option<NetKind>,
    asn: Option<u32>,
    names: [Option<&str>; 2],
    lists: &NetKinds,
) -> Option<NetKind> {
    let by_list = || lists.by_asn(asn?);
    let by_table = || operator(asn?).map(|operator| operator.kind);
    let by_words = || names.into_iter().flatten().find_map(words::kind);
    listed.or_else(by_list).or(flagged).or_else(by_table).or_else(by_words)
}

/// The access network as a business: what the database calls it, else who is known to run this network, else whom
/// the organisation's name gives away.
pub(super) fn carrier<'a>(asn: Option<u32>, isp: Option<&'a str>, org: Option<&'a str>) -> Option<&'a str> {
    let by_table = || {
        let operator = operator(asn?)?;
        matches!(operator.kind, NetKind::Carrier | NetKind::Edu).then_some(operator.name)
    };
    isp.or_else(by_table).or_else(|| words::carrier(org?))
}

/// One autonomous system of the table.
#[derive(Debug, Clone, Copy)]
struct Operator {
    asn: u32,
    kind: NetKind,
    name: &'static str,
}

fn operator(asn: u32) -> Option<&'static Operator> {
    let index = OPERATORS.binary_search_by_key(&asn, |operator| operator.asn).ok()?;
    OPERATORS.get(index)
}

/// The table by number.
static OPERATORS: LazyLock<Vec<Operator>> = LazyLock::new(|| {
    let rows = table::OPERATORS.iter();
    let mut operators: Vec<Operator> = rows
        .flat_map(|&(numbers, kind, name)| numbers.iter().map(move |&asn| Operator { asn, kind, name }))
        .collect();
    operators.sort_by_key(|operator| operator.asn);
    operators
});

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use NetKind::{Carrier, Cdn, Cloud, Edu, Idc};

    #[test]
    fn the_table_names_every_network_once() {
        let mut kinds = HashMap::new();
        for (numbers, kind, name) in table::OPERATORS {
            assert!(!numbers.is_empty() && numbers.is_sorted(), "{name}");
            assert!(!name.is_empty() && *name == name.trim(), "{name}");
            if *name != "China Telecom" {
                assert_eq!(kinds.insert(*name, *kind), None, "{name} twice");
            }
        }
        assert!(OPERATORS.windows(2).all(|pair| pair[0].asn < pair[1].asn), "a number twice");
        assert!(OPERATORS.len() > 600 && OPERATORS[0].asn > 0);
    }

    #[test]
    fn kinds_have_names() {
        for kind in NetKind::ALL {
            assert_eq!(NetKind::from_name(&kind.name().to_uppercase()), Some(kind));
        }
        assert_eq!(NetKind::from_name("unknown"), None);
    }

    #[test]
    fn the_surer_source_wins() {
        let lists = NetKinds::parse("list", b"AS13335,idc\nAS64500,edu\n").unwrap();
        let check = |listed, flagged, asn, names, expected| {
            assert_eq!(judge(listed, flagged, asn, names, &lists), expected);
        };
        let hosting = [None, Some("Some Hosting Ltd")];
        check(Some(Edu), Some(Carrier), Some(13335), hosting, Some(Edu));
        check(None, Some(Carrier), Some(13335), hosting, Some(Idc));
        check(None, Some(Carrier), Some(15169), hosting, Some(Carrier));
        check(None, None, Some(15169), hosting, Some(Cloud));
        check(None, None, Some(54113), [None; 2], Some(Cdn));
        check(None, None, Some(64500), [None; 2], Some(Edu));
        check(None, None, Some(64501), hosting, Some(Idc));
        check(None, None, None, [Some("阿里云"), Some("Chinanet")], Some(Cloud));
        check(None, None, None, [Some("Nobody"), Some("Chinanet")], Some(Carrier));
        check(None, None, Some(64501), [Some("Nobody"), None], None);
        check(None, None, None, [None; 2], None);
    }

    #[test]
    fn carriers_by_number_and_words() {
        let check = |asn, isp, org, expected| assert_eq!(carrier(asn, isp, org), expected);
        check(Some(4134), Some("电信"), Some("Chinanet"), Some("电信"));
        check(Some(4134), None, None, Some("China Telecom"));
        check(Some(7922), None, Some("Comcast Cable Communications, LLC"), Some("Comcast"));
        check(Some(4538), None, None, Some("CERNET"));
        // A cloud is not a carrier, but a carrier's data centre is its carrier's.
        check(Some(15169), None, Some("Google LLC"), None);
        check(Some(23724), None, Some("IDC, China Telecommunications Corporation"), Some("China Telecom"));
        check(Some(64500), None, Some("CHINANET Guangdong province network"), Some("China Telecom"));
        check(Some(64500), None, Some("Nobody"), None);
        check(None, None, None, None);
    }
}
