//! ipip's ipdb: a binary tree over the bits of IPv6 addresses, IPv4 ones as `::ffff:a.b.c.d`.
//!
//! ```text
//! length u32 | JSON: fields, languages, number of nodes | nodes: left u32, right u32 | records: length u16, text
//! ```
//!
//! A number that is no node's names a record. Numbers have the highest byte first.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;

use serde::Deserialize;

use super::words::{self, Asn, said};
use super::{About, BROKEN, Source};
use crate::error::Error;
use crate::place::known::{Known, Unreadable, alpha2};
use crate::place::netkind::NetKind;
use crate::place::runs::{NONE, Runs};
use crate::place::{CARRIERS, date, region};

/// An open ipdb.
#[derive(Debug)]
pub(super) struct Ipdb {
    about: About,
    bytes: Vec<u8>,
    /// Where the nodes begin.
    start: usize,
    nodes: u32,
    /// The node at which IPv4 addresses begin.
    ipv4_start: u32,
    families: u8,
    columns: Columns,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    build: u64,
    /// One bit for each family.
    ip_version: u8,
    /// Where in a record each language's fields begin.
    #[serde(default)]
    languages: BTreeMap<String, usize>,
    fields: Vec<String>,
    node_count: u32,
    /// Bytes of nodes and records.
    total_size: u64,
}

/// Where a record has what; products differ in their fields.
#[derive(Debug, Default)]
struct Columns {
    country_code: Option<usize>,
    country_name: Option<usize>,
    region_name: Option<usize>,
    city_name: Option<usize>,
    isp_domain: Option<usize>,
    owner_domain: Option<usize>,
    asn: Option<usize>,
    admin_code: Option<usize>,
    idc: Option<usize>,
    usage_type: Option<usize>,
}

const METADATA_SIZE_MAX: usize = 1 << 20;
const V4: u8 = 1;
const V6: u8 = 2;
const NODE_SIZE: usize = 8;

/// A tree is walked once for itself and once for each alias in it; one that loops never ends.
const VISITS_PER_NODE: u64 = 8;

/// True if the bytes begin as an ipdb does: a length, and an object of that length.
pub(super) fn recognise(bytes: &[u8]) -> bool {
    metadata(bytes).is_some_and(|text| text.first() == Some(&b'{') && text.last() == Some(&b'}'))
}

fn metadata(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    rest.get(..length).filter(|_| length <= METADATA_SIZE_MAX)
}

impl Ipdb {
    /// Reads the metadata; the rest is read when asked for.
    pub(super) fn parse(about: About, bytes: Vec<u8>) -> Result<Self, Error> {
        let wrong = |what: &dyn Display| Error::Data(format!("{}: not an ipip database: {what}", about.name));
        let text = metadata(&bytes).ok_or_else(|| wrong(&"no metadata"))?;
        let metadata: Metadata = serde_json::from_slice(text).map_err(|error| wrong(&error))?;
        let start = 4 + text.len();
        let data = (bytes.len() - start) as u64;
        if data < metadata.total_size {
            let what = format!("{data} bytes where its metadata promises {}", metadata.total_size);
            return Err(wrong(&what));
        }
        if data < u64::from(metadata.node_count) * NODE_SIZE as u64 {
            return Err(wrong(&format!("{data} bytes cannot hold {} nodes", metadata.node_count)));
        }
        let columns = Columns::new(&metadata);
        let about = About { form: "ipdb", date: date(metadata.build), ..about };
        let (nodes, families) = (metadata.node_count, metadata.ip_version);
        let mut ipdb = Self { about, bytes, start, nodes, ipv4_start: 0, families, columns };
        ipdb.ipv4_start = ipdb.descend(0, 0xFFFF << 32, 96);
        Ok(ipdb)
    }

    /// The child of an inner node.
    fn child(&self, node: u32, right: usize) -> u32 {
        let at = self.start + node as usize * NODE_SIZE + right * 4;
        u32::from_be_bytes(*self.bytes[at..].first_chunk().expect("all nodes lie inside the file"))
    }

    /// Follows the first `count` bits of an address.
    fn descend(&self, from: u32, address: u128, count: u32) -> u32 {
        let mut node = from;
        for bit in 0..count {
            if node >= self.nodes {
                break;
            }
            node = self.child(node, usize::from(address >> (127 - bit) & 1 == 1));
        }
        node
    }

    /// The key of what a path ends at: where the record stands, counted from the last node.
    fn key(&self, node: u32) -> u32 {
        match node.checked_sub(self.nodes) {
            None | Some(0) => NONE,
            Some(key) if self.record(key).is_some() => key,
            Some(_) => BROKEN,
        }
    }

    fn record(&self, key: u32) -> Option<&[u8]> {
        let at = self.start + self.nodes as usize * NODE_SIZE + key as usize;
        let (length, rest) = self.bytes.get(at..)?.split_first_chunk()?;
        rest.get(..u16::from_be_bytes(*length).into())
    }

    /// Calls `leaf` with the first address (high bits first) and key of every leaf, ascending.
    fn walk(&self, start: u32, bits: u8, mut leaf: impl FnMut(u128, u32)) -> Result<(), Error> {
        let mut visits = u64::from(self.nodes) * VISITS_PER_NODE + 1;
        let mut open = vec![(start, 0_u8, 0_u128)];
        while let Some((node, depth, first)) = open.pop() {
            // IPv4 addresses inside IPv6 ones are not asked for here: they would be most of the table.
            let carried = bits == 128 && CARRIERS.contains(&(first, depth));
            if node >= self.nodes || depth == bits || carried {
                leaf(first, if carried { NONE } else { self.key(node) });
                continue;
            }
            visits = visits.checked_sub(1).ok_or_else(|| {
                Error::Data(format!("{}: the search tree runs in circles", self.about.name))
            })?;
            let half = 1 << (bits - 1 - depth);
            open.push((self.child(node, 1), depth + 1, first | half));
            open.push((self.child(node, 0), depth + 1, first));
        }
        Ok(())
    }
}

impl Columns {
    fn new(metadata: &Metadata) -> Self {
        let first = metadata.languages.values().min();
        let offset = metadata.languages.get("CN").or(first).copied().unwrap_or(0);
        let find = |name: &str| {
            let at = metadata.fields.iter().position(|field| field == name)?;
            at.checked_add(offset)
        };
        Self {
            country_code: find("country_code"),
            country_name: find("country_name"),
            region_name: find("region_name"),
            city_name: find("city_name"),
            isp_domain: find("isp_domain"),
            owner_domain: find("owner_domain"),
            asn: find("asn"),
            admin_code: find("china_admin_code"),
            idc: find("idc"),
            usage_type: find("usage_type"),
        }
    }

    fn read<'a>(&self, record: &'a str) -> Known<'a> {
        let text = |column: Option<usize>| record.split('\t').nth(column?).and_then(said);
        let country = text(self.country_code)
            .and_then(alpha2)
            .or_else(|| text(self.country_name).and_then(region::country));
        let (country, _, province) = region::settle(country, None, text(self.region_name));
        let (code, city) = if country == Some(*b"CN") {
            (text(self.admin_code).and_then(subdivision), text(self.city_name))
        } else {
            (None, text(self.city_name))
        };
        let idc = text(self.idc).filter(|idc| idc.eq_ignore_ascii_case("IDC")).map(|_| NetKind::Idc);
        Known {
            country,
            province,
            code,
            city,
            carrier: text(self.isp_domain),
            asn: match text(self.asn).map(words::asn) {
                Some(Asn::Number(number)) => Some(number),
                _ => None,
            },
            org: text(self.owner_domain),
            netkind: idc.or_else(|| text(self.usage_type).and_then(words::netkind)),
            ..Known::default()
        }
    }
}

/// GB/T 2260, of which ISO 3166-2:CN takes its provinces: the first two of six digits → letters.
fn subdivision(admin_code: &str) -> Option<&'static str> {
    const CODES: [(&str, &str); 31] = [
        ("11", "BJ"),
        ("12", "TJ"),
        ("13", "HE"),
        ("14", "SX"),
        ("15", "NM"),
        ("21", "LN"),
        ("22", "JL"),
        ("23", "HL"),
        ("31", "SH"),
        ("32", "JS"),
        ("33", "ZJ"),
        ("34", "AH"),
        ("35", "FJ"),
        ("36", "JX"),
        ("37", "SD"),
        ("41", "HA"),
        ("42", "HB"),
        ("43", "HN"),
        ("44", "GD"),
        ("45", "GX"),
        ("46", "HI"),
        ("50", "CQ"),
        ("51", "SC"),
        ("52", "GZ"),
        ("53", "YN"),
        ("54", "XZ"),
        ("61", "SN"),
        ("62", "GS"),
        ("63", "QH"),
        ("64", "NX"),
        ("65", "XJ"),
    ];
    let (prefix, _) = admin_code.split_at_checked(2).filter(|_| admin_code.len() == 6)?;
    CODES.iter().find(|(digits, _)| *digits == prefix).map(|(_, letters)| *letters)
}

impl Source for Ipdb {
    fn about(&self) -> &About {
        &self.about
    }

    fn about_mut(&mut self) -> &mut About {
        &mut self.about
    }

    fn find(&self, address: IpAddr) -> u32 {
        match address {
            IpAddr::V4(address) if self.families & V4 != 0 => {
                self.key(self.descend(self.ipv4_start, u128::from(address.to_bits()) << 96, 32))
            }
            IpAddr::V6(address) if self.families & V6 != 0 => {
                self.key(self.descend(0, address.to_bits(), 128))
            }
            _ => NONE,
        }
    }

    fn read(&self, key: u32, _: IpAddr) -> Result<Known<'_>, Unreadable> {
        let record = self.record(key).ok_or(Unreadable)?;
        Ok(self.columns.read(std::str::from_utf8(record).map_err(|_| Unreadable)?))
    }

    fn runs_v4(&self) -> Result<Runs<u32>, Error> {
        let mut runs = Runs::new();
        if self.families & V4 != 0 {
            self.walk(self.ipv4_start, 32, |first, key| {
                runs.begin(u32::try_from(first).expect("32 bits of address"), key);
            })?;
        }
        Ok(runs)
    }

    fn runs_v6(&self) -> Result<Runs<u128>, Error> {
        let mut runs = Runs::new();
        if self.families & V6 != 0 {
            self.walk(0, 128, |first, key| runs.begin(first, key))?;
        }
        Ok(runs)
    }
}

/// Files as ipip's products are.
#[cfg(test)]
pub(super) mod write {
    use std::collections::HashMap;

    #[derive(Clone, Copy)]
    enum Child {
        Empty,
        Node(usize),
        Record(usize),
    }

    /// Networks as IPv6 addresses with a length of 1 and more, and records as lists of `fields`, both with commas.
    pub(in crate::place) fn file(fields: &str, networks: &[(u128, u32, &str)]) -> Vec<u8> {
        let nodes = tree(networks);
        let mut data = b"\0\0".to_vec();
        let mut places = HashMap::new();
        for &(_, _, record) in networks {
            places.entry(record).or_insert_with(|| {
                let place = data.len();
                data.extend_from_slice(&u16::try_from(record.len()).unwrap().to_be_bytes());
                data.extend(record.bytes().map(|byte| if byte == b',' { b'\t' } else { byte }));
                place
            });
        }
        let metadata = serde_json::json!({
            "build": 1_772_323_200, "ip_version": 3, "languages": {"CN": 0}, "node_count": nodes.len(),
            "fields": fields.split(',').collect::<Vec<_>>(), "total_size": nodes.len() * 8 + data.len(),
        });
        let metadata = metadata.to_string();
        let mut file = u32::try_from(metadata.len()).unwrap().to_be_bytes().to_vec();
        file.extend_from_slice(metadata.as_bytes());
        for child in nodes.iter().flatten() {
            let number = match child {
                Child::Empty => nodes.len(),
                Child::Node(node) => *node,
                Child::Record(network) => nodes.len() + places[networks[*network].2],
            };
            file.extend_from_slice(&u32::try_from(number).unwrap().to_be_bytes());
        }
        file.extend_from_slice(&data);
        file
    }

    /// The longest network around an address counts; of equal ones the last.
    fn tree(networks: &[(u128, u32, &str)]) -> Vec<[Child; 2]> {
        let mut order: Vec<usize> = (0..networks.len()).collect();
        order.sort_by_key(|&network| networks[network].1);
        let mut nodes = vec![[Child::Empty; 2]];
        for network in order {
            let (address, length, _) = networks[network];
            let mut node = 0;
            for bit in 0..length {
                let side = usize::from(address >> (127 - bit) & 1 == 1);
                if bit + 1 == length {
                    nodes[node][side] = Child::Record(network);
                    break;
                }
                node = match nodes[node][side] {
                    Child::Node(next) => next,
                    leaf => {
                        nodes.push([leaf; 2]);
                        nodes[node][side] = Child::Node(nodes.len() - 1);
                        nodes.len() - 1
                    }
                };
            }
        }
        nodes
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use proptest::prelude::*;

    use super::super::law::differs;
    use super::*;

    const MAPPED: u128 = 0xFFFF << 32;

    fn open(bytes: Vec<u8>) -> Result<Ipdb, Error> {
        Ipdb::parse(About::new("x.ipdb", 0), bytes)
    }

    fn text(ipdb: &Ipdb, address: IpAddr) -> Option<String> {
        let key = ipdb.find(address);
        (key != NONE).then(|| String::from_utf8(ipdb.record(key).unwrap().to_vec()).unwrap())
    }

    #[test]
    fn fields_are_found_by_name() {
        // country province code city carrier asn org netkind
        let check = |fields: &str, record: &str, expected: &str| {
            let ipdb = open(write::file(fields, &[(MAPPED, 96, record)])).unwrap();
            let address = "1.2.3.4".parse().unwrap();
            let known = ipdb.read(ipdb.find(address), address).unwrap();
            let country = known.country.map(|code| String::from_utf8(code.to_vec()).unwrap());
            let asn = known.asn.map(|asn| asn.to_string());
            let Known { province, code, city, carrier, org, netkind, .. } = known;
            let seen = [
                country.as_deref(),
                province,
                code,
                city,
                carrier,
                asn.as_deref(),
                org,
                netkind.map(NetKind::name),
            ]
            .map(|field| field.unwrap_or("-"))
            .join("|");
            assert_eq!(seen, expected, "{record}");
        };
        let qqwry = "country_name,region_name,city_name,district_name,owner_domain,isp_domain,country_code,continent_code";
        check(qqwry, "中国,广东,深圳,南山区,,电信,CN,AP", "CN|广东|-|深圳|电信|-|-|-");
        check(qqwry, "中国,香港,,,,,,", "HK|-|-|-|-|-|-|-");
        check(qqwry, "保留地址,,,,,多播地址,,", "-|-|-|-|多播地址|-|-|-");
        check(
            "country_name,region_name,isp_domain,owner_domain,china_admin_code,idc,asn",
            "中国,广东,阿里云,aliyun.com,440300,IDC,AS37963",
            "CN|广东|GD|-|阿里云|37963|aliyun.com|idc",
        );
        check(
            "country_name,region_name,china_admin_code,usage_type",
            "美国,x,440300,CDN",
            "US|x|-|-|-|-|-|cdn",
        );
        check("country_name,region_name", "美国", "US|-|-|-|-|-|-|-");
    }

    #[test]
    fn another_language_serves() {
        let bytes = write::file("country_name,country_code", &[(MAPPED, 96, "中国,CN,China,CN")]);
        let text = String::from_utf8_lossy(&bytes[4..]).replace("\"CN\":0", "\"EN\":2");
        let length = text.find('}').unwrap() + 1 + text[text.find('}').unwrap() + 1..].find('}').unwrap() + 1;
        let metadata: Metadata = serde_json::from_str(&text[..length]).unwrap();
        assert_eq!(Columns::new(&metadata).country_name, Some(2));
    }

    #[test]
    fn files_that_lie_are_refused() {
        let check = |metadata: &str, rest: usize, expected: &str| {
            let mut bytes = u32::try_from(metadata.len()).unwrap().to_be_bytes().to_vec();
            bytes.extend_from_slice(metadata.as_bytes());
            bytes.resize(bytes.len() + rest, 0);
            let error = open(bytes).unwrap_err().to_string();
            assert_eq!(error, format!("x.ipdb: not an ipip database: {expected}"));
        };
        let head = r#""fields":[],"ip_version":3,"languages":{}"#;
        check(
            &format!(r#"{{{head},"node_count":2,"total_size":17}}"#),
            16,
            "16 bytes where its metadata promises 17",
        );
        check(&format!(r#"{{{head},"node_count":3,"total_size":16}}"#), 16, "16 bytes cannot hold 3 nodes");
        check("{}", 16, "missing field `ip_version` at line 1 column 2");
        let circle = format!(r#"{{{head},"node_count":1,"total_size":8}}"#);
        let mut bytes = u32::try_from(circle.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(circle.as_bytes());
        bytes.extend_from_slice(&[0; 8]);
        let circle = open(bytes).unwrap();
        assert_eq!(circle.find("1.2.3.4".parse().unwrap()), NONE);
        assert_eq!(circle.runs_v4().unwrap_err().to_string(), "x.ipdb: the search tree runs in circles");
    }

    fn networks() -> impl Strategy<Value = Vec<(u128, u32, &'static str)>> {
        let v4 = (any::<u32>(), 96_u32..=128).prop_map(|(low, length)| (MAPPED | u128::from(low), length));
        let v6 = (0_u128..3, any::<u128>(), 1_u32..=128).prop_map(|(high, low, length)| {
            let high = [0x2001_0db8_u128, 0x2400_0000, 0x2a00_0000][usize::try_from(high).unwrap()];
            (high << 96 | low >> 32, length)
        });
        let record = prop::sample::select(vec!["a", "b,x", "中国,广东"]);
        let network = (prop_oneof![v4, v6], record).prop_map(|((address, length), record)| {
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            (address & !host, length, record)
        });
        prop::collection::vec(network, 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn search_is_walk_is_the_longest_network(networks in networks(), more in prop::collection::vec(any::<u128>(), 4)) {
            let ipdb = open(write::file("country_name,region_name", &networks)).unwrap();
            let ends = networks.iter().flat_map(|&(first, length, _)| {
                let last = first | u128::MAX.checked_shr(length).unwrap_or(0);
                [first.wrapping_sub(1), first, last, last.wrapping_add(1)]
            });
            let addresses: Vec<u128> = ends.chain(more).collect();
            for &address in &addresses {
                let around = networks
                    .iter()
                    .filter(|network| (address ^ network.0).checked_shr(128 - network.1).unwrap_or(0) == 0);
                let expected = around.max_by_key(|network| network.1).map(|network| network.2.replace(',', "\t"));
                prop_assert_eq!(text(&ipdb, Ipv6Addr::from_bits(address).to_canonical()), expected);
            }
            let addresses: Vec<_> = addresses.into_iter().map(|address| Ipv6Addr::from_bits(address).into()).collect();
            prop_assert_eq!(differs(&ipdb, &addresses).unwrap(), None);
        }

        #[test]
        fn corrupt_files_are_safe(
            networks in networks(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut bytes = write::file("country_name,region_name", &networks);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(ipdb) = open(bytes) {
                // A tree that has become a circle is told when it is walked.
                prop_assert!(!matches!(differs(&ipdb, &[]), Ok(Some(_))));
            }
        }
    }
}
