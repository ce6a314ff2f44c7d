//! Texts of which every line that passes must hold one.
//!
//! ```text
//! path ^= /video/ and status = 503     /video/            the rarer half of an `and` is enough
//! client = 192.0.2.1 or agent *= 'a b/1.0'     192.0.2.1, b/1.0   an `or` needs one of each half
//! not path ^= /video/                  none: every line must be read
//! ```
//!
//! Only what stands in the line as it stands in the value counts: printable ASCII without blanks, quotes and
//! backslashes. A server may write any other byte in its own way, and a writer of JSON any byte at all: whoever looks
//! for literals must look at every line with a sign of escape, too.

use ipnet::IpNet;

use super::checks::{Networks, Ranges, Texts};
use super::field::{Field, Raw};
use super::{Absent, Check, Filter, Node, Sense, Test};
use crate::query::Dimension;

/// Shorter ones are in nearly every line.
const LENGTH_MIN: usize = 3;

/// More are searched for in vain: each takes a pass over the text.
const LITERALS_MAX: usize = 8;

/// How a log writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numerals {
    /// A status is its three digits.
    Plain,
    /// As JSON may: 200 is `2e2`, too.
    Any,
}

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literals {
    /// One of these is in every line that passes, escapes aside.
    pub texts: Vec<Vec<u8>>,
    /// Some are IPv4 addresses, which an IPv6 address may carry: `::ffff:c000:201` is 192.0.2.1.
    pub addresses: Addresses,
}

/// Whether some literals are addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum Addresses {
    Some,
    None,
}

impl Filter {
    /// What to look for in lines; none if any line may pass.
    pub fn literals(&self, numerals: Numerals) -> Option<Literals> {
        literals(&self.node, numerals)
    }
}

fn literals(node: &Node, numerals: Numerals) -> Option<Literals> {
    match node {
        Node::All(nodes) => {
            let each = nodes.iter().filter_map(|node| literals(node, numerals));
            each.max_by_key(|found| (found.shortest(), usize::MAX - found.texts.len()))
        }
        Node::Any(nodes) => {
            let each = nodes.iter().map(|node| literals(node, numerals)).collect::<Option<Vec<_>>>()?;
            each.into_iter().reduce(Literals::or).filter(|all| all.texts.len() <= LITERALS_MAX)
        }
        Node::Not(_) => None,
        Node::Test(test) if test.absent == Absent::Matches || test.sense == Sense::Negative => None,
        Node::Test(test) => of_test(test, numerals),
    }
}

impl Literals {
    fn new(texts: Option<Vec<Vec<u8>>>, addresses: Addresses) -> Option<Self> {
        let texts = texts.filter(|texts| texts.len() <= LITERALS_MAX)?;
        texts.iter().all(|text| text.len() >= LENGTH_MIN).then_some(Self { texts, addresses })
    }

    fn or(mut self, other: Self) -> Self {
        let Self { texts, addresses } = other;
        self.texts.extend(texts);
        self.addresses = if addresses == Addresses::Some { addresses } else { self.addresses };
        self
    }

    fn shortest(&self) -> usize {
        self.texts.iter().map(Vec::len).min().unwrap_or(usize::MAX)
    }
}

fn of_test(test: &Test, numerals: Numerals) -> Option<Literals> {
    match (&test.check, &test.field) {
        (Check::Text(texts), field) => Literals::new(of_texts(texts, verbatim(field)?), Addresses::None),
        (Check::Number(ranges), Field::Dimension(Dimension::Status)) if numerals == Numerals::Plain => {
            Literals::new(statuses(ranges), Addresses::None)
        }
        (Check::Network(networks), _) => Literals::new(addresses(networks), Addresses::Some),
        (Check::Number(_), _) => None,
    }
}

/// How the values of a field stand in the line.
#[derive(Clone, Copy)]
enum Verbatim {
    /// As they are, escapes aside.
    Whole,
    /// In two pieces, if the log has them apart, with a question mark between them.
    Target,
    /// Behind a dot.
    Extension,
}

/// None for what is joined or made: names of places are in no line. A text that is taken from the line as it stands can
/// be added here; one that is missing only makes `lines` slower.
fn verbatim(field: &Field) -> Option<Verbatim> {
    match field {
        Field::Dimension(dimension) => match dimension {
            Dimension::Ext => Some(Verbatim::Extension),
            Dimension::Server
            | Dimension::Host
            | Dimension::Path
            | Dimension::Prefix
            | Dimension::Method
            | Dimension::Referer
            | Dimension::Refhost
            | Dimension::Agent
            | Dimension::Cache
            | Dimension::Field(_) => Some(Verbatim::Whole),
            _ => None,
        },
        Field::Raw(Raw::Target) => Some(Verbatim::Target),
        Field::Raw(Raw::Query | Raw::Protocol | Raw::User) => Some(Verbatim::Whole),
        Field::Raw(_) => None,
    }
}

fn of_texts(texts: &Texts, verbatim: Verbatim) -> Option<Vec<Vec<u8>>> {
    let longest = |text: &[u8]| {
        let is_safe = |byte: &u8| {
            let splits = matches!(verbatim, Verbatim::Target) && *byte == b'?';
            byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'\'') && !splits
        };
        let runs = text.split(|byte| !is_safe(byte));
        runs.max_by_key(|run| run.len()).unwrap_or_default().to_vec()
    };
    let whole = |text: &[u8]| match verbatim {
        Verbatim::Extension => longest(&[b".", text].concat()),
        _ => longest(text),
    };
    match texts {
        Texts::Few(texts) => Some(texts.iter().map(|text| whole(text)).collect()),
        Texts::Begins(start) => Some(vec![whole(start)]),
        Texts::Ends(end) => Some(vec![longest(end)]),
        Texts::Contains(part) => Some(vec![longest(part.needle())]),
        Texts::Many(_) | Texts::Matches(_) => None,
    }
}

/// Statuses that are always three digits.
fn statuses(ranges: &Ranges<i64>) -> Option<Vec<Vec<u8>>> {
    let single = |(first, last): (i64, i64)| {
        (first == last && (100..=999).contains(&first)).then(|| first.to_string().into_bytes())
    };
    ranges.iter().take(LITERALS_MAX + 1).map(single).collect()
}

/// The octets that all addresses of an IPv4 network share; IPv6 has too many spellings.
fn addresses(networks: &Networks) -> Option<Vec<Vec<u8>>> {
    let shared = |network: &IpNet| {
        let IpNet::V4(network) = network else { return None };
        let text = network.network().to_string();
        let octets = usize::from(network.prefix_len() / 8);
        let dots = text.match_indices('.').map(|(at, _)| at + 1);
        let end = dots.chain([text.len()]).take(octets).last()?;
        Some(text.as_bytes()[..end].to_vec())
    };
    networks.typed.iter().take(LITERALS_MAX + 1).map(shared).collect()
}
