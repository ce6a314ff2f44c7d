//! The user's own lists of networks: what `--net-kind` reads.
//!
//! ```text
//! 192.0.2.0/24                     a network, by default a data centre
//! 192.0.2.0-192.0.2.77,carrier     a range of addresses, with its kind
//! AS64500,cloud,Example            an autonomous system, with its kind
//! ```
//!
//! Commas or tabs part the cells, `#` begins a comment, a header line is skipped. Whatever stands behind the kind, such
//! as whose the network is, is for people: lists say what networks are for and nothing else. A file that begins with `{` is what
//! AWS (`ip-ranges.json`), Google (`cloud.json`) or Azure (service tags) publish, and all of it is cloud.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use foldhash::fast::RandomState;
use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use serde::Deserialize;

use super::NetKind;
use crate::error::Error;

/// A longer file is not a list of networks.
const LIST_BYTES_MAX: u64 = 256 << 20;
/// Most networks and autonomous systems of all lists together; the world's routing table has one million.
const ENTRIES_MAX: usize = 4_000_000;
/// What a bad cell is cut to in a message.
const SHOWN_LETTERS_MAX: usize = 80;

/// The kinds of networks and autonomous systems as the user lists them.
#[derive(Debug, Default)]
pub struct NetKinds {
    networks: Vec<(IpNet, NetKind)>,
    by_asn: HashMap<u32, NetKind, RandomState>,
}

impl NetKinds {
    /// Reads the lists. A network or number listed twice must be of one kind.
    pub fn load(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut draft = Draft::default();
        for path in paths {
            draft.read(&path.display().to_string(), &bytes(path)?)?;
        }
        draft.close()
    }

    /// Reads one list from memory.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let mut draft = Draft::default();
        draft.read(name, bytes)?;
        draft.close()
    }

    /// The listed networks in address order, each once, wider ones before those inside them; the narrowest around an
    /// address counts. No network has host bits set or is an IPv4 one in IPv6 form.
    pub fn networks(&self) -> &[(IpNet, NetKind)] {
        &self.networks
    }

    /// What the lists say that an autonomous system is for.
    pub fn by_asn(&self, asn: u32) -> Option<NetKind> {
        self.by_asn.get(&asn).copied()
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let mut bytes = Vec::new();
    let length = file.take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes);
    if length.map_err(|source| Error::io("read", path, source))? as u64 > LIST_BYTES_MAX {
        let most = LIST_BYTES_MAX >> 20;
        return Err(Error::Data(format!("{}: a list of networks of more than {most} MiB", path.display())));
    }
    Ok(bytes)
}

/// Where an entry stands: the file by index, then the line of a text or the entry of a JSON document.
#[derive(Debug, Clone, Copy)]
struct Origin {
    file: usize,
    number: usize,
}

#[derive(Debug, Clone, Copy)]
enum Unit {
    Line,
    Entry,
}

/// What one entry says.
#[derive(Debug, Clone, Copy)]
struct Says {
    kind: NetKind,
    origin: Origin,
}

/// Lists as they are read.
#[derive(Default)]
struct Draft {
    files: Vec<(String, Unit)>,
    networks: Vec<(IpNet, Says)>,
    by_asn: HashMap<u32, Says, RandomState>,
}

impl Draft {
    fn read(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let is_json = bytes.trim_ascii_start().first() == Some(&b'{');
        self.files.push((name.to_owned(), if is_json { Unit::Entry } else { Unit::Line }));
        if is_json { self.read_json(name, bytes) } else { self.read_text(bytes) }
    }

    fn read_text(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let file = self.files.len() - 1;
        let mut is_first = true;
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let origin = Origin { file, number: index + 1 };
            let line = std::str::from_utf8(line).map_err(|_| self.error(origin, "not UTF-8"))?;
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let mut cells = line.split([',', '\t']).map(|cell| cell.trim().trim_matches('"').trim());
            let subject = cells.next().unwrap_or_default();
            let is_header = std::mem::take(&mut is_first) && is_header(subject);
            if is_header {
                continue;
            }
            let kind = kind(cells.next()).map_err(|message| self.error(origin, &message))?;
            let added = self.add(subject, Says { kind, origin });
            added.map_err(|wrong| wrong.unwrap_or_else(|| self.error(origin, &not_a_network(subject))))?;
        }
        Ok(())
    }

    fn read_json(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let file = self.files.len() - 1;
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| Error::Data(format!("{name}: not a list of networks: {error}")))?;
        let entries = document.entries();
        if entries.is_empty() {
            return Err(Error::Data(format!(
                "{name}: no prefixes or service tags as AWS, Google or Azure list them"
            )));
        }
        for (index, network) in entries.into_iter().enumerate() {
            let origin = Origin { file, number: index + 1 };
            let says = Says { kind: NetKind::Cloud, origin };
            match network.parse::<IpNet>() {
                Ok(network) => self.add_network(network, says)?,
                Err(_) => return Err(self.error(origin, &not_a_network(network))),
            }
        }
        Ok(())
    }

    /// `Err(None)` if the subject is neither a network nor a number.
    fn add(&mut self, subject: &str, says: Says) -> Result<(), Option<Error>> {
        if let Some(asn) = asn(subject) {
            return self.add_asn(asn, says).map_err(Some);
        }
        if let Some((first, last)) = subject.split_once('-') {
            for network in range(first.trim(), last.trim()).ok_or(None)? {
                self.add_network(network, says).map_err(Some)?;
            }
            return Ok(());
        }
        let network = subject.parse::<IpNet>().or_else(|_| IpAddr::from_str(subject).map(IpNet::from));
        self.add_network(network.map_err(|_| None)?, says).map_err(Some)
    }

    fn add_network(&mut self, network: IpNet, says: Says) -> Result<(), Error> {
        self.room(says.origin)?;
        self.networks.push((canonical(network), says));
        Ok(())
    }

    fn add_asn(&mut self, asn: u32, says: Says) -> Result<(), Error> {
        self.room(says.origin)?;
        let first = *self.by_asn.entry(asn).or_insert(says);
        if first.kind == says.kind {
            return Ok(());
        }
        Err(self.conflict(&format!("AS{asn}"), first, says))
    }

    fn room(&self, origin: Origin) -> Result<(), Error> {
        if self.networks.len() + self.by_asn.len() < ENTRIES_MAX {
            return Ok(());
        }
        Err(self.error(origin, &format!("more than {ENTRIES_MAX} networks")))
    }

    fn close(mut self) -> Result<NetKinds, Error> {
        // Stable: of equal networks the first stays.
        self.networks.sort_by_key(|(network, _)| *network);
        let mut networks: Vec<(IpNet, Says)> = Vec::with_capacity(self.networks.len());
        for (network, says) in std::mem::take(&mut self.networks) {
            match networks.last() {
                Some((same, first)) if *same == network => {
                    if first.kind != says.kind {
                        return Err(self.conflict(&network.to_string(), *first, says));
                    }
                }
                _ => networks.push((network, says)),
            }
        }
        Ok(NetKinds {
            networks: networks.into_iter().map(|(network, says)| (network, says.kind)).collect(),
            by_asn: self.by_asn.into_iter().map(|(asn, says)| (asn, says.kind)).collect(),
        })
    }

    #[cold]
    fn conflict(&self, subject: &str, first: Says, second: Says) -> Error {
        let (name, earlier) = (second.kind.name(), first.kind.name());
        let place = self.place(first.origin);
        self.error(second.origin, &format!("{subject} is {name} here and {earlier} in {place}"))
    }

    #[cold]
    fn error(&self, origin: Origin, message: &str) -> Error {
        Error::Data(format!("{}: {message}", self.place(origin)))
    }

    fn place(&self, Origin { file, number }: Origin) -> String {
        let (name, unit) = &self.files[file];
        match unit {
            Unit::Line => format!("{name}: line {number}"),
            Unit::Entry => format!("{name}: prefix {number}"),
        }
    }
}

/// What stands above a column of networks.
fn is_header(subject: &str) -> bool {
    let names = ["cidr", "network", "prefix", "range", "ip", "ip_range", "address", "subnet", "asn", "as"];
    names.iter().any(|name| subject.eq_ignore_ascii_case(name))
}

fn kind(cell: Option<&str>) -> Result<NetKind, String> {
    match cell.filter(|cell| !cell.is_empty()) {
        None => Ok(NetKind::Idc),
        Some(name) => NetKind::from_name(name).ok_or_else(|| {
            format!("{} is not a kind of network: carrier, cloud, idc, cdn or edu", shown(name))
        }),
    }
}

fn asn(subject: &str) -> Option<u32> {
    let (prefix, digits) = subject.split_at_checked(2)?;
    let is_number = prefix.eq_ignore_ascii_case("AS") && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|asn| is_number && *asn != 0)
}

/// The networks that make up a range, both ends included.
fn range(first: &str, last: &str) -> Option<Vec<IpNet>> {
    match (first.parse().ok()?, last.parse().ok()?) {
        (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
            Some(Ipv4Subnets::new(first, last, 0).map(IpNet::from).collect())
        }
        (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
            Some(Ipv6Subnets::new(first, last, 0).map(IpNet::from).collect())
        }
        _ => None,
    }
}

/// Without host bits; an IPv4 network written as `::ffff:192.0.2.0/120` is that network.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    let network = network.trunc();
    let length = network.prefix_len().checked_sub(MAPPED_BITS);
    match (network.addr().to_canonical(), length) {
        (IpAddr::V4(address), Some(length)) if network.addr().is_ipv6() => {
            IpNet::new(IpAddr::V4(address), length).unwrap_or(network)
        }
        _ => network,
    }
}

fn not_a_network(subject: &str) -> String {
    format!("{} is not a network, range, address or AS number", shown(subject))
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_LETTERS_MAX).collect()
}

/// What the clouds publish, as far as it is looked at. All of it may be absent.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    prefixes: Vec<Prefix>,
    #[serde(default)]
    ipv6_prefixes: Vec<Prefix>,
    #[serde(default)]
    values: Vec<Tag>,
}

#[derive(Deserialize)]
struct Prefix {
    #[serde(rename = "ip_prefix")]
    aws_v4: Option<String>,
    #[serde(rename = "ipv6_prefix")]
    aws_v6: Option<String>,
    #[serde(rename = "ipv4Prefix")]
    google_v4: Option<String>,
    #[serde(rename = "ipv6Prefix")]
    google_v6: Option<String>,
}

/// One of Azure's service tags.
#[derive(Deserialize)]
struct Tag {
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(default, rename = "addressPrefixes")]
    networks: Vec<String>,
}

impl Document {
    /// Every network.
    fn entries(&self) -> Vec<&str> {
        let prefixes = self.prefixes.iter().chain(&self.ipv6_prefixes);
        let networks = prefixes.flat_map(|Prefix { aws_v4, aws_v6, google_v4, google_v6 }| {
            [aws_v4, aws_v6, google_v4, google_v6].into_iter().flatten()
        });
        let tags = self.values.iter().flat_map(|tag| &tag.properties.networks);
        networks.chain(tags).map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::Ipv4Addr;

    use super::*;
    use NetKind::{Carrier, Cdn, Cloud, Idc};

    fn check(text: &str, expected: &[(&str, NetKind)]) {
        let lists = NetKinds::parse("list", text.as_bytes()).unwrap();
        let expected: Vec<(IpNet, NetKind)> =
            expected.iter().map(|(network, kind)| (network.parse().unwrap(), *kind)).collect();
        assert_eq!(lists.networks(), expected, "{text}");
    }

    #[test]
    fn plain_lists() {
        check("", &[]);
        check("# nothing\r\n\r\n", &[]);
        check("192.0.2.0/24", &[("192.0.2.0/24", Idc)]);
        check("192.0.2.7", &[("192.0.2.7/32", Idc)]);
        check("192.0.2.7/24,cloud", &[("192.0.2.0/24", Cloud)]);
        check(
            "\u{feff}cidr,kind,name\n\"2001:DB8::/32\", \"CDN\" ,\"Some Net\"\n",
            &[("2001:db8::/32", Cdn)],
        );
        check("192.0.2.0/24\tcarrier\tX # why\r\n", &[("192.0.2.0/24", Carrier)]);
        check("192.0.2.0 - 192.0.2.2,cdn", &[("192.0.2.0/31", Cdn), ("192.0.2.2/32", Cdn)]);
        check("0.0.0.0-255.255.255.255,,all", &[("0.0.0.0/0", Idc)]);
        check("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &[("::/0", Idc)]);
        check("::ffff:192.0.2.9/120\n", &[("192.0.2.0/24", Idc)]);
        check(
            "198.51.100.0/24\n192.0.2.0/24,cloud\n192.0.2.128/25\n192.0.2.0/24,cloud,Late,more\n::/8",
            &[("192.0.2.0/24", Cloud), ("192.0.2.128/25", Idc), ("198.51.100.0/24", Idc), ("::/8", Idc)],
        );
    }

    #[test]
    fn numbers() {
        let lists =
            NetKinds::parse("list", b"asn,kind\nAS64500\nas64501,cdn,Some Net\nAS64501,cdn\n").unwrap();
        assert_eq!(lists.by_asn(64500), Some(Idc));
        assert_eq!(lists.by_asn(64501), Some(Cdn));
        assert_eq!(lists.by_asn(64502), None);
        assert!(lists.networks().is_empty());
    }

    #[test]
    fn what_clouds_publish() {
        check(
            r#"{"syncToken":"1","prefixes":[
                {"ip_prefix":"192.0.2.0/24","region":"x","service":"AMAZON","network_border_group":"x"},
                {"ip_prefix":"192.0.2.0/24","region":"x","service":"EC2"}],
               "ipv6_prefixes":[{"ipv6_prefix":"2001:db8::/32","region":"x","service":"AMAZON"}]}"#,
            &[("192.0.2.0/24", Cloud), ("2001:db8::/32", Cloud)],
        );
        check(
            r#" {"prefixes":[{"ipv4Prefix":"192.0.2.0\/24","scope":"x"},{"ipv6Prefix":"2001:db8::/32"}]}"#,
            &[("192.0.2.0/24", Cloud), ("2001:db8::/32", Cloud)],
        );
        check(
            r#"{"values":[{"name":"AzureCloud","properties":{"region":"","addressPrefixes":["192.0.2.0/24"]}}]}"#,
            &[("192.0.2.0/24", Cloud)],
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let check = |text: &[u8], expected: &str| {
            assert_eq!(NetKinds::parse("x", text).unwrap_err().to_string(), expected);
        };
        let other = " is not a network, range, address or AS number";
        check(b"192.0.2.0/24\nnonsense\n", &format!("x: line 2: nonsense{other}"));
        check(b"192.0.2.0/33", &format!("x: line 1: 192.0.2.0/33{other}"));
        check(b"192.0.2.2-192.0.2.1", &format!("x: line 1: 192.0.2.2-192.0.2.1{other}"));
        check(b"192.0.2.2-::1", &format!("x: line 1: 192.0.2.2-::1{other}"));
        check(b"AS0", &format!("x: line 1: AS0{other}"));
        check(b"AS+1", &format!("x: line 1: AS+1{other}"));
        check(b"AS4294967296", &format!("x: line 1: AS4294967296{other}"));
        check(b"cidr\ncidr", &format!("x: line 2: cidr{other}"));
        check(
            b"10.0.0.0/8,home",
            "x: line 1: home is not a kind of network: carrier, cloud, idc, cdn or edu",
        );
        check(b"AS1,cdn\n\nAS1,idc", "x: line 3: AS1 is idc here and cdn in x: line 1");
        check(b"10.9.0.0/8,cdn\n10.0.0.0/8", "x: line 2: 10.0.0.0/8 is idc here and cdn in x: line 1");
        check(b"\n\xff", "x: line 2: not UTF-8");
        check(b"{\"prefixes\":[{\"ip_prefix\":\"x\"}]}", &format!("x: prefix 1: x{other}"));
        check(b"{}", "x: no prefixes or service tags as AWS, Google or Azure list them");
        check(b"{", "x: not a list of networks: EOF while parsing an object at line 1 column 1");
        let error = NetKinds::load(&["/nonexistent/x".into()]).unwrap_err();
        assert_eq!(error.to_string(), "cannot open /nonexistent/x: no such file or directory");
    }

    #[test]
    fn two_files_must_agree() {
        let mut draft = Draft::default();
        draft.read("a", b"192.0.2.0/24,carrier\n").unwrap();
        draft.read("b.json", br#"{"prefixes":[{"ip_prefix":"192.0.2.0/24"}]}"#).unwrap();
        let error = draft.close().unwrap_err();
        assert_eq!(
            error.to_string(),
            "b.json: prefix 1: 192.0.2.0/24 is cloud here and carrier in a: line 1"
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(10_000))]

        #[test]
        fn networks_are_sorted_and_each_there_once(
            rows in proptest::collection::vec((proptest::prelude::any::<u32>(), 0_u8..=32), 0..20),
        ) {
            let written = |(address, length): &(u32, u8)| IpNet::new((*address).to_be_bytes().into(), *length).unwrap();
            let lines: Vec<String> = rows.iter().map(|row| written(row).to_string()).collect();
            let lists = NetKinds::parse("x", lines.join("\n").as_bytes()).unwrap();
            let found: Vec<IpNet> = lists.networks().iter().map(|(network, _)| *network).collect();
            let expected: BTreeSet<IpNet> = rows.iter().map(|row| written(row).trunc()).collect();
            proptest::prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn a_range_holds_its_addresses_and_no_others(
            a in proptest::prelude::any::<u32>(),
            b in proptest::prelude::any::<u32>(),
        ) {
            let (first, last) = (a.min(b), a.max(b));
            let text = format!("{}-{}", Ipv4Addr::from(first), Ipv4Addr::from(last));
            let lists = NetKinds::parse("x", text.as_bytes()).unwrap();
            let inside = |network: &IpNet| {
                (network.network() >= IpAddr::from(first.to_be_bytes()))
                    && (network.broadcast() <= IpAddr::from(last.to_be_bytes()))
            };
            proptest::prop_assert!(lists.networks().iter().all(|(network, _)| inside(network)));
            let covered: u64 = lists.networks().iter().map(|(network, _)| 1 << (32 - network.prefix_len())).sum();
            proptest::prop_assert_eq!(covered, u64::from(last - first) + 1);
        }

        #[test]
        fn any_bytes_are_a_list_or_an_error(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ) {
            let _ = NetKinds::parse("x", &bytes);
        }
    }
}
