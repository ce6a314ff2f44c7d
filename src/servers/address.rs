//! Addresses and networks → data centre, by the longest prefix.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use ipnet::{IpNet, Ipv4Net};

use super::Idc;
use super::claim::{Claim, NOWHERE};

/// An index of networks; a single address is a network of its full length.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    v4: Layers,
    v6: Layers,
}

/// One map per prefix length in use, the longest first: a site has a handful of lengths, so a handful of probes.
type Layers = Vec<(u8, HashMap<u128, Claim, RandomState>)>;

impl Addresses {
    /// Enters a network, or gives the claim that was made for it. See [`canonical`].
    pub(super) fn claim(&mut self, network: IpNet, claim: Claim) -> Option<Claim> {
        let (bits, width) = number(network.addr());
        let layers = if width == 32 { &mut self.v4 } else { &mut self.v6 };
        let length = network.prefix_len();
        let index = match layers.binary_search_by(|(layer, _)| length.cmp(layer)) {
            Ok(index) => index,
            Err(index) => {
                layers.insert(index, (length, HashMap::default()));
                index
            }
        };
        match layers[index].1.entry(truncate(bits, width, length)) {
            Entry::Occupied(earlier) => Some(*earlier.get()),
            Entry::Vacant(vacant) => {
                vacant.insert(claim);
                None
            }
        }
    }

    /// The data centre of the longest network around `address`.
    pub(super) fn get(&self, address: IpAddr) -> Option<Idc> {
        self.longest(address).filter(|claim| claim.idc != NOWHERE).map(|claim| Idc(claim.idc))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.v4.iter().chain(&self.v6).map(|(_, networks)| networks.len()).sum()
    }

    /// True if the longest network around `address` was said to be in no data centre.
    pub(super) fn is_nowhere(&self, address: IpAddr) -> bool {
        self.longest(address).is_some_and(|claim| claim.idc == NOWHERE)
    }

    fn longest(&self, address: IpAddr) -> Option<&Claim> {
        let (bits, width) = number(address.to_canonical());
        let layers = if width == 32 { &self.v4 } else { &self.v6 };
        layers.iter().find_map(|(length, nets)| nets.get(&truncate(bits, width, *length)))
    }

    /// Gives every data centre its final number.
    pub(super) fn renumber(&mut self, finals: &[Idc]) {
        for (_, networks) in self.v4.iter_mut().chain(&mut self.v6) {
            for claim in networks.values_mut() {
                if claim.idc != NOWHERE {
                    claim.idc = finals[usize::from(claim.idc)].0;
                }
            }
        }
    }
}

/// Without host bits, and as IPv4 where the network lies inside `::ffff:0:0/96`: lookups do the same.
pub(super) fn canonical(network: IpNet) -> IpNet {
    let network = network.trunc();
    match (network.addr().to_canonical(), network.prefix_len().checked_sub(96)) {
        (IpAddr::V4(address), Some(length)) if network.addr().is_ipv6() => {
            Ipv4Net::new(address, length).map_or(network, IpNet::V4)
        }
        _ => network,
    }
}

fn number(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u32::from(address).into(), 32),
        IpAddr::V6(address) => (address.into(), 128),
    }
}

/// The first `length` of `width` bits.
fn truncate(bits: u128, width: u8, length: u8) -> u128 {
    // A /0 would shift by the whole width.
    bits.checked_shr(u32::from(width - length)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::claim::Origin;
    use super::*;

    #[test]
    fn mapped_networks_are_ipv4() {
        let check = |text: &str, expected: &str| {
            assert_eq!(canonical(text.parse().unwrap()).to_string(), expected, "{text}");
        };
        check("10.1.2.3/8", "10.0.0.0/8");
        check("::ffff:10.0.0.1/128", "10.0.0.1/32");
        check("::ffff:0:0/96", "0.0.0.0/0");
        check("::/0", "::/0");
        check("2001:db8::1/32", "2001:db8::/32");
    }

    /// Few bits vary, so that networks nest and addresses fall inside.
    fn network() -> impl Strategy<Value = IpNet> {
        prop_oneof![
            (0_u32..16, 0_u32..4, 0_u8..=32).prop_map(|(high, low, length)| IpNet::new(
                v4(high, low),
                length
            )
            .unwrap()),
            (0_u128..16, 0_u128..4, 0_u8..=128).prop_map(|(high, low, length)| IpNet::new(
                v6(high, low),
                length
            )
            .unwrap()),
        ]
    }

    fn v4(high: u32, low: u32) -> IpAddr {
        IpAddr::V4((high << 28 | low).into())
    }

    fn v6(high: u128, low: u128) -> IpAddr {
        IpAddr::V6((high << 124 | low).into())
    }

    fn naive(networks: &BTreeMap<IpNet, Idc>, address: IpAddr) -> Option<Idc> {
        let around = networks.iter().filter(|(network, _)| network.contains(&address));
        around.max_by_key(|(network, _)| network.prefix_len()).map(|(_, idc)| *idc)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn the_index_agrees_with_scanning(
            networks in prop::collection::vec(network(), 0..12),
            addresses in prop::collection::vec(network(), 1..8),
        ) {
            let networks: BTreeMap<IpNet, Idc> =
                networks.into_iter().zip(0..).map(|(network, idc)| (canonical(network), Idc(idc))).collect();
            let mut index = Addresses::default();
            for (&network, idc) in &networks {
                prop_assert_eq!(index.claim(network, Claim { idc: idc.0, origin: Origin::Pair(0) }), None);
            }
            for address in addresses {
                prop_assert_eq!(index.get(address.addr()), naive(&networks, address.addr()));
            }
        }
    }
}
