//! All databases at once as two tables, one per family: an address leads to the number of a record in one search.
//!
//! ```text
//! databases ─ runs of each ─ join ─▶ tuples of keys ─ decode each once ─▶ runs of numbers ─▶ V4, V6
//! ```
//!
//! Numbers are given in the order of addresses, IPv4 first, so equal databases give equal tables.

mod v4;
mod v6;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::known::{Known, Unreadable};
use super::records::Records;
use super::runs::{Address, NONE, Runs};
use super::source::{BROKEN, Source};
use super::{Fields, Places};
use crate::error::Error;
pub(super) use v4::V4;
pub(super) use v6::V6;

/// Most runs of one table, twelve times those of the largest city database: what is larger is looked up in place.
const RUNS_MAX: usize = 1 << 26;

/// An entry below is a value, one from here on the place of a finer table; [`NONE`] is a place that no table has.
const POINTER: u32 = 1 << 31;

/// What every address is known to be.
#[doc(hidden)]
#[derive(Debug)]
pub struct Flat {
    /// Numbers of IPv4 addresses.
    pub(super) v4: V4,
    /// Numbers of IPv6 addresses.
    pub(super) v6: V6,
    /// What the numbers stand for.
    pub(super) records: Arc<Records>,
    /// What records are told apart by; of other fields they may say anything.
    pub(super) asked: Fields,
}

impl Flat {
    /// The flat form of open databases.
    pub fn of(places: &Places) -> Result<Self, Error> {
        Self::build(&places.sources, Fields::ALL)
    }

    /// Reads every record of every database once.
    pub(super) fn build(sources: &[Box<dyn Source>], asked: Fields) -> Result<Self, Error> {
        let mut numbers = Numbers { sources, by_keys: HashMap::default(), records: Records::default() };
        let v4 = numbers.join(|source| source.runs_v4(), Ipv4Addr::from_bits)?;
        let v6 = numbers.join(|source| source.runs_v6(), Ipv6Addr::from_bits)?;
        Ok(Self::new(&v4, &v6, Arc::new(numbers.records), asked))
    }

    /// The tables of these runs. Neighbours whose records differ in nothing that is asked become one: a table of regions
    /// is a third of that of networks, and more of it stays in the processor's own memory.
    pub(super) fn new(v4: &Runs<u32>, v6: &Runs<u128>, records: Arc<Records>, asked: Fields) -> Self {
        let (v4, v6) = if asked == Fields::ALL {
            (V4::new(v4.iter()), V6::new(v6.iter()))
        } else {
            let alike = records.alike(asked);
            let first = |number: u32| alike.get(number as usize).copied().unwrap_or(NONE);
            (V4::new(v4.map(first)), V6::new(v6.map(first)))
        };
        Self { v4, v6, records, asked }
    }

    /// The number of the record of an address that has been through [`super::carried`], or [`NONE`].
    #[inline]
    pub fn find(&self, address: IpAddr) -> u32 {
        match address {
            IpAddr::V4(address) => self.v4.get(address.to_bits()),
            IpAddr::V6(address) => self.v6.get(address.to_bits()),
        }
    }

    /// Memory taken by the tables, IPv4 and IPv6, without the records.
    pub fn bytes(&self) -> (usize, usize) {
        (self.v4.bytes(), self.v6.bytes())
    }
}

/// What the databases say together of an address whose keys are known. Bit i of the mask: database i failed.
pub(super) fn read<'a>(sources: &'a [Box<dyn Source>], keys: &[u32], address: IpAddr) -> (Known<'a>, u64) {
    let mut known = Known::default();
    let mut failed = 0;
    for (index, (source, &key)) in sources.iter().zip(keys).enumerate() {
        match key {
            NONE => {}
            BROKEN => failed |= 1 << index,
            key => match source.read(key, address) {
                Ok(later) => known.overlay(later),
                Err(Unreadable) => failed |= 1 << index,
            },
        }
    }
    (known, failed)
}

/// Gives every tuple of keys its number.
struct Numbers<'a> {
    sources: &'a [Box<dyn Source>],
    by_keys: HashMap<Box<[u32]>, u32, RandomState>,
    records: Records,
}

impl Numbers<'_> {
    fn join<A: Address, I: Into<IpAddr>>(
        &mut self,
        runs: impl Fn(&dyn Source) -> Result<Runs<A>, Error>,
        ip: impl Fn(A) -> I,
    ) -> Result<Runs<A>, Error> {
        let tables = self.sources.iter().map(|source| runs(&**source)).collect::<Result<Vec<_>, _>>()?;
        // A join has at most as many runs as its tables together.
        if tables.iter().map(Runs::len).sum::<usize>() > RUNS_MAX {
            return Err(Error::Data(format!("the IP databases have more than {RUNS_MAX} networks")));
        }
        Ok(Runs::join(&tables, |first, keys| self.number(keys, ip(first).into())))
    }

    fn number(&mut self, keys: &[u32], address: IpAddr) -> u32 {
        if keys.iter().all(|&key| key == NONE) {
            return NONE;
        }
        if let Some(&number) = self.by_keys.get(keys) {
            return number;
        }
        let (known, failed) = read(self.sources, keys, address);
        let number = self.records.number(&known, failed);
        self.by_keys.insert(keys.into(), number);
        number
    }
}

/// Whether an entry is [`NONE`] or the number of a record.
fn is_value(entry: u32, records: u32) -> bool {
    entry < records || entry == NONE
}

/// The length of an array that follows.
fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*length)).ok()
}

/// An array of `count` items of `N` bytes each.
fn take<const N: usize, T>(bytes: &mut &[u8], count: usize, item: impl Fn(&[u8; N]) -> T) -> Option<Vec<T>> {
    let taken = bytes.split_off(..count.checked_mul(N)?)?;
    Some(taken.as_chunks().0.iter().map(item).collect())
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("RUNS_MAX bounds every array");
    out.extend_from_slice(&length.to_le_bytes());
}

fn put<const N: usize, T: Copy>(out: &mut Vec<u8>, items: &[T], bytes: impl Fn(T) -> [u8; N]) {
    for &item in items {
        out.extend_from_slice(&bytes(item));
    }
}

#[cfg(test)]
mod tests;
