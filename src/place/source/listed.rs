//! The user's own lists of what networks are for, as a database that comes after all others.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{About, Source};
use crate::error::Error;
use crate::place::known::{Known, Unreadable};
use crate::place::netkind::{NetKind, NetKinds};
use crate::place::runs::{Address, NONE, Runs, find};

/// The networks of the lists; a narrower one is an exception from a wider one.
#[derive(Debug)]
pub(in crate::place) struct Listed {
    about: About,
    kinds: Vec<NetKind>,
    v4: Runs<u32>,
    v6: Runs<u128>,
}

impl Listed {
    /// The lists' networks as a database.
    pub(in crate::place) fn new(name: String, lists: &NetKinds) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for ((network, _), key) in lists.networks().iter().zip(0..) {
            match network {
                IpNet::V4(network) => {
                    v4.push((network.network().to_bits(), network.broadcast().to_bits(), key));
                }
                IpNet::V6(network) => {
                    v6.push((network.network().to_bits(), network.broadcast().to_bits(), key));
                }
            }
        }
        let about =
            About { name, form: "list", date: None, attribution: None, bytes: 0, modified: 0, path: None };
        let kinds = lists.networks().iter().map(|(_, kind)| *kind).collect();
        Self { about, kinds, v4: nested(v4), v6: nested(v6) }
    }
}

/// Runs of networks that lie inside each other or apart.
fn nested<A: Address>(mut networks: Vec<(A, A, u32)>) -> Runs<A> {
    networks.sort_unstable_by_key(|&(first, last, _)| (first, std::cmp::Reverse(last)));
    let mut runs = Runs::new();
    let mut around: Vec<(A, u32)> = Vec::new();
    let end = |runs: &mut Runs<A>, around: &mut Vec<(A, u32)>, upto: Option<A>| {
        while let Some(&(last, _)) = around.last().filter(|(last, _)| upto.is_none_or(|first| *last < first))
        {
            around.pop();
            if let Some(after) = last.next() {
                runs.begin(after, around.last().map_or(NONE, |&(_, key)| key));
            }
        }
    };
    for (first, last, key) in networks {
        end(&mut runs, &mut around, Some(first));
        runs.begin(first, key);
        around.push((last, key));
    }
    end(&mut runs, &mut around, None);
    runs
}

impl Source for Listed {
    fn about(&self) -> &About {
        &self.about
    }

    fn about_mut(&mut self) -> &mut About {
        &mut self.about
    }

    fn find(&self, address: IpAddr) -> u32 {
        find(&self.v4, &self.v6, address)
    }

    fn read(&self, key: u32, _: IpAddr) -> Result<Known<'_>, Unreadable> {
        Ok(Known { listed: Some(self.kinds[key as usize]), ..Known::default() })
    }

    fn runs_v4(&self) -> Result<Runs<u32>, Error> {
        Ok(self.v4.clone())
    }

    fn runs_v6(&self) -> Result<Runs<u128>, Error> {
        Ok(self.v6.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_says_the_kind_and_nothing_else() {
        let lists = NetKinds::parse("list", b"192.0.2.0/24,cdn,Some Net\n").unwrap();
        let listed = Listed::new("list".to_owned(), &lists);
        let address = "192.0.2.1".parse().unwrap();
        let expected = Known { listed: Some(NetKind::Cdn), ..Known::default() };
        assert_eq!(listed.read(listed.find(address), address), Ok(expected));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn the_narrowest_network_counts(networks in prop::collection::btree_map((0_u32..64, 0_u8..7), 0_u32..9, 0..12)) {
            // Networks of six bits, at the top of the address space: the last address of all is among them.
            let ranges: BTreeMap<(u32, u32), u32> = networks
                .iter()
                .map(|(&(address, length), &key)| {
                    let size = 1_u32 << (6 - length);
                    let first = u32::MAX - 63 + address / size * size;
                    ((first, first + (size - 1)), key)
                })
                .collect();
            let runs = nested(ranges.iter().map(|(&(first, last), &key)| (first, last, key)).collect());
            for address in (u32::MAX - 65)..=u32::MAX {
                let around = ranges.iter().filter(|((first, last), _)| (*first..=*last).contains(&address));
                let narrowest = around.min_by_key(|((first, last), _)| last - first).map_or(NONE, |(_, key)| *key);
                prop_assert_eq!(runs.get(address), narrowest);
            }
        }
    }
}
