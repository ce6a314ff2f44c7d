//! `MaxMind` DB: a binary tree over address bits, whose leaves point to records.
//!
//! Single addresses are looked up by the `maxminddb` crate. All networks at once are read by a walk of our own: the
//! crate's iterator leaves out networks where the IPv6 tree has no IPv4 subtree.

use std::net::IpAddr;
use std::sync::Arc;

use maxminddb::Reader;
use memchr::memmem;

use super::{About, BROKEN, Source, record};
use crate::error::Error;
use crate::place::known::{Known, Unreadable};
use crate::place::runs::{NONE, Runs};
use crate::place::{CARRIERS, date};

/// The file, shared by the crate's reader and the walk.
#[derive(Debug, Clone)]
pub(super) struct Bytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// An open MMDB.
#[derive(Debug)]
pub(super) struct Mmdb {
    about: About,
    reader: Reader<Bytes>,
    bytes: Bytes,
    /// Where keys end.
    data_len: u32,
}

/// What the metadata at the end of the file begin with.
pub(super) const MARKER: &[u8] = b"\xAB\xCD\xEFMaxMind.com";

/// Between the tree and the records lie 16 zero bytes.
const SEPARATOR: u32 = 16;

/// A tree is walked once for itself and once for each place that borrows its IPv4 part; one that loops never ends.
const VISITS_PER_NODE: u64 = 8;

impl Mmdb {
    /// Reads the metadata; the rest is read when asked for.
    pub(super) fn parse(about: About, bytes: Vec<u8>) -> Result<Self, Error> {
        let bytes = Bytes(Arc::new(bytes));
        let reader = Reader::from_source(bytes.clone())
            .map_err(|error| Error::Data(format!("{}: not a MaxMind database: {error}", about.name)))?;
        let metadata = reader.metadata();
        let marker = memmem::rfind(bytes.as_ref(), MARKER).unwrap_or(0) as u64;
        let tree = u64::from(metadata.node_count) * u64::from(metadata.record_size) / 4;
        let data_len = marker.saturating_sub(tree + u64::from(SEPARATOR));
        let about = About { form: "MMDB", date: date(metadata.build_epoch), ..about };
        Ok(Self { about, data_len: u32::try_from(data_len).unwrap_or(BROKEN), reader, bytes })
    }

    /// The child of an inner node.
    fn child(&self, node: u32, right: u32) -> u32 {
        let size = usize::from(self.reader.metadata().record_size);
        let at = node as usize * size / 4;
        let Some(node) = self.bytes.as_ref().get(at..at + size / 4) else { return BROKEN };
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, &byte| number << 8 | u32::from(byte));
        match (size, right) {
            // The two numbers share the middle byte.
            (28, 0) => number(&node[..3]) | u32::from(node[3] >> 4) << 24,
            (28, _) => number(&node[4..]) | u32::from(node[3] & 0xF) << 24,
            (_, right) => number(&node[right as usize * size / 8..][..size / 8]),
        }
    }

    /// The node at which IPv4 addresses begin; in a tree for both families it stands below 96 zero bits.
    fn ipv4_start(&self) -> u32 {
        let metadata = self.reader.metadata();
        let zeros = if metadata.ip_version == 6 { 96 } else { 0 };
        let down = |node, _| if node < metadata.node_count { self.child(node, 0) } else { node };
        (0..zeros).fold(0, down)
    }

    /// The key of a node that is not an inner one.
    fn key(&self, node: u32) -> u32 {
        let nodes = self.reader.metadata().node_count;
        match node.checked_sub(nodes) {
            None | Some(0) => NONE,
            Some(pointer) => match pointer.checked_sub(SEPARATOR) {
                Some(key) if key < self.data_len => key,
                _ => BROKEN,
            },
        }
    }

    /// Calls `leaf` with the first address (high bits first) and key of every leaf, ascending.
    fn walk(&self, start: u32, bits: u8, mut leaf: impl FnMut(u128, u32)) -> Result<(), Error> {
        let nodes = self.reader.metadata().node_count;
        let ipv4_start = self.ipv4_start();
        let mut visits = u64::from(nodes) * VISITS_PER_NODE + 1;
        let mut open = vec![(start, 0_u8, 0_u128)];
        while let Some((node, depth, first)) = open.pop() {
            // IPv4 addresses inside IPv6 ones are not asked for here: they would be most of the table.
            let carried = bits == 128
                && node == ipv4_start
                && CARRIERS.iter().any(|&(prefix, length)| prefix == first && length == depth);
            if node >= nodes || depth == bits || carried {
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

impl Source for Mmdb {
    fn about(&self) -> &About {
        &self.about
    }

    fn about_mut(&mut self) -> &mut About {
        &mut self.about
    }

    fn find(&self, address: IpAddr) -> u32 {
        // The reader calls this an error, but vendors ship IPv4 and IPv6 as separate files.
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return NONE;
        }
        match self.reader.lookup(address) {
            Ok(found) => found.offset().map_or(NONE, |key| u32::try_from(key).unwrap_or(BROKEN)),
            Err(_) => BROKEN,
        }
    }

    fn read(&self, _: u32, address: IpAddr) -> Result<Known<'_>, Unreadable> {
        record::read(&self.reader.lookup(address).map_err(|_| Unreadable)?)
    }

    fn runs_v4(&self) -> Result<Runs<u32>, Error> {
        let mut runs = Runs::new();
        self.walk(self.ipv4_start(), 32, |first, key| {
            runs.begin(u32::try_from(first).expect("32 bits of address"), key);
        })?;
        Ok(runs)
    }

    fn runs_v6(&self) -> Result<Runs<u128>, Error> {
        let mut runs = Runs::new();
        if self.reader.metadata().ip_version == 6 {
            self.walk(0, 128, |first, key| runs.begin(first, key))?;
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use ipnet::IpNet;
    use mmdb_writer::{IpVersion, RecordSize, Value, Writer};
    use proptest::prelude::*;

    use super::*;
    use crate::place::carried;

    fn database(version: IpVersion, size: RecordSize, networks: &[(IpNet, u8)]) -> Mmdb {
        let mut writer = Writer::builder("Test").ip_version(version).record_size(size).build();
        for (network, record) in networks {
            let record = Value::map([("asn", Value::U64(u64::from(*record)))]);
            // What the writer refuses (an IPv6 network in an IPv4 tree, an alias) is not in the database.
            let _ = writer.insert_value(*network, record);
        }
        Mmdb::parse(About::new("x.mmdb", 0), writer.to_bytes().expect("a database")).expect("it opens")
    }

    fn agrees(mmdb: &Mmdb) -> Result<(), TestCaseError> {
        let (v4, v6) = (mmdb.runs_v4().expect("a tree"), mmdb.runs_v6().expect("a tree"));
        for (first, _) in v4.iter() {
            for address in [first.wrapping_sub(1), first, first.wrapping_add(1)] {
                prop_assert_eq!(v4.get(address), mmdb.find(Ipv4Addr::from_bits(address).into()));
            }
        }
        for (first, _) in v6.iter() {
            for address in [first.wrapping_sub(1), first, first.wrapping_add(1)] {
                let ip = Ipv6Addr::from_bits(address).into();
                if carried(ip) == ip {
                    prop_assert_eq!(v6.get(address), mmdb.find(ip), "{}", ip);
                }
            }
        }
        Ok(())
    }

    fn network() -> impl Strategy<Value = IpNet> {
        let v4 =
            (any::<u32>(), 0_u8..=32).prop_map(|(bits, length)| (Ipv4Addr::from_bits(bits).into(), length));
        let v6 = (0_u128..4, any::<u128>(), 0_u8..=128).prop_map(|(high, low, length)| {
            let high = [0, 0x2001_0000_u128, 0x2002_0000, 0x2400_0000][usize::try_from(high).expect("small")];
            (Ipv6Addr::from_bits(high << 96 | low >> 32).into(), length)
        });
        prop_oneof![v4, v6]
            .prop_map(|(ip, length): (IpAddr, u8)| IpNet::new(ip, length).expect("lengths fit").trunc())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_walk_agrees_with_the_reader(
            networks in prop::collection::vec((network(), 1_u8..4), 0..12),
            version in prop::sample::select(vec![IpVersion::V4, IpVersion::V6]),
            size in prop::sample::select(vec![RecordSize::Bits24, RecordSize::Bits28, RecordSize::Bits32]),
        ) {
            agrees(&database(version, size, &networks))?;
        }
    }
}
