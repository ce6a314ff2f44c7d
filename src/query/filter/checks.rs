//! What a value that is known is compared with, ready to be asked once per record.

use std::net::IpAddr;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use ipnet::IpNet;
use memchr::memmem::Finder;
use regex::bytes::Regex;

/// Few texts are compared one by one; more are hashed.
const COMPARED_MAX: usize = 8;

/// A question about a text.
#[derive(Debug, Clone)]
pub enum Texts {
    /// Is it one of these? None: no text is.
    Few(Vec<Box<[u8]>>),
    /// The same.
    Many(HashSet<Box<[u8]>, RandomState>),
    /// Does it begin so?
    Begins(Box<[u8]>),
    /// Does it end so?
    Ends(Box<[u8]>),
    /// Does it hold this?
    Contains(Box<Finder<'static>>),
    /// Does some part of it match?
    Matches(Regex),
}

impl Texts {
    pub(super) fn one_of(texts: Vec<Box<[u8]>>) -> Self {
        if texts.len() <= COMPARED_MAX { Self::Few(texts) } else { Self::Many(texts.into_iter().collect()) }
    }

    /// The answer.
    #[inline]
    pub fn has(&self, text: &[u8]) -> bool {
        match self {
            Self::Few(texts) => texts.iter().any(|known| **known == *text),
            Self::Many(texts) => texts.contains(text),
            Self::Begins(start) => text.starts_with(start),
            Self::Ends(end) => text.ends_with(end),
            Self::Contains(part) => part.find(text).is_some(),
            Self::Matches(pattern) => pattern.is_match(text),
        }
    }
}

/// Intervals with both of their ends; sorted, none touches another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges<T>(Vec<(T, T)>);

impl<T: Copy + Ord> Ranges<T> {
    pub(super) fn new(mut ranges: Vec<(T, T)>) -> Self {
        ranges.retain(|(first, last)| first <= last);
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let overlaps = next.0 <= kept.1;
            if overlaps {
                kept.1 = kept.1.max(next.1);
            }
            overlaps
        });
        Self(ranges)
    }

    /// True for a value within one of them.
    #[inline]
    pub fn has(&self, value: T) -> bool {
        if let [(first, last)] = self.0[..] {
            return first <= value && value <= last;
        }
        let after = self.0.partition_point(|&(first, _)| first <= value);
        after > 0 && value <= self.0[after - 1].1
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (T, T)> {
        self.0.iter().copied()
    }
}

/// Addresses.
#[derive(Debug, Clone)]
pub struct Networks {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    /// As they were typed, for whoever looks for them in a line.
    pub(super) typed: Vec<IpNet>,
}

impl Networks {
    pub(super) fn new(networks: Vec<IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in &networks {
            match network {
                IpNet::V4(network) => v4.push((network.network().to_bits(), network.broadcast().to_bits())),
                IpNet::V6(network) => v6.push((network.network().to_bits(), network.broadcast().to_bits())),
            }
        }
        Self { v4: Ranges::new(v4), v6: Ranges::new(v6), typed: networks }
    }

    /// True for an address within one of them. A mapped address is one of IPv4.
    #[inline]
    pub fn has(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.has(address.to_bits()),
            IpAddr::V6(address) => self.v6.has(address.to_bits()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn ranges_have_what_any_of_them_has(
            ranges in prop::collection::vec((0_i64..60, 0_i64..60), 0..8),
            value in 0_i64..60,
        ) {
            let naive = ranges.iter().any(|&(first, last)| first <= value && value <= last);
            prop_assert_eq!(Ranges::new(ranges).has(value), naive);
        }
    }
}
