//! How many different clients a group had.
//!
//! Estimated: a `HyperLogLog` sketch of `DataSketches` (Flajolet et al. 2007; sparse while there are few), the same
//! whatever order clients come in and however they are merged. Exact: the clients themselves, which take what they take.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use datasketches::hash::value::raw_bytes;
use datasketches::hll::{Coupon, HllSketch, HllType, HllUnion};
use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::room;
use crate::query::Clients;

/// Registers of a sketch: 2¹⁵, one byte each, once there are some thousand clients.
const REGISTERS_LOG2: u8 = 15;

/// The standard error of an estimate, 1.04 / √2¹⁵, in tenths of a per cent; the true number is within twice that in 95 of
/// 100 cases.
pub const STANDARD_ERROR_PERMILLE: u32 = 6;

/// A client as it is counted: what `--by client` tells apart.
#[derive(Debug, Clone)]
pub(super) struct Seen<'a> {
    /// Set for IPv4, which most are.
    pub(super) v4: Option<Ipv4Addr>,
    pub(super) text: Cow<'a, [u8]>,
}

/// Clients, each once.
#[derive(Debug, Clone, Default)]
pub struct Distinct(Option<Kept>);

#[derive(Debug, Clone)]
enum Kept {
    Estimated(Box<HllSketch>),
    /// Of several groups: one more is added without a copy of those before it.
    Together(Box<HllUnion>),
    Exact(Box<Exact>),
}

#[derive(Debug, Clone, Default)]
struct Exact {
    /// Bytes of the texts.
    length: usize,
    v4: HashSet<Ipv4Addr, RandomState>,
    /// All others.
    texts: HashSet<Box<[u8]>, RandomState>,
}

impl Distinct {
    /// Adds a client. The first one decides how they are counted.
    pub(super) fn add(&mut self, client: &Seen<'_>, how: Clients) {
        let first = || match how {
            Clients::Exact => Kept::Exact(Box::default()),
            Clients::Estimated | Clients::Left => Kept::Estimated(Box::new(sketch())),
        };
        match self.0.get_or_insert_with(first) {
            Kept::Estimated(sketch) => {
                sketch.update_with_coupon(Coupon::from_value(raw_bytes::from_slice(&client.text)));
            }
            Kept::Together(all) => all.update_value(raw_bytes::from_slice(&client.text)),
            Kept::Exact(exact) => exact.add(client),
        }
    }

    /// Adds another group's clients, counted the same way.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (_, None) => {}
            (mine @ None, theirs) => mine.clone_from(theirs),
            (Some(Kept::Exact(mine)), Some(Kept::Exact(theirs))) => mine.merge(theirs),
            (Some(mine), Some(theirs)) => mine.unite(theirs),
        }
    }

    /// How many there are, or are likely to be.
    pub fn count(&self) -> u64 {
        match &self.0 {
            None => 0,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number of clients"
            )]
            Some(Kept::Estimated(sketch)) => sketch.composite_estimate().round() as u64,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number of clients"
            )]
            Some(Kept::Together(all)) => all.composite_estimate().round() as u64,
            Some(Kept::Exact(exact)) => (exact.v4.len() + exact.texts.len()) as u64,
        }
    }

    /// Bytes of memory beside the value itself.
    pub(super) fn memory(&self) -> usize {
        match &self.0 {
            None => 0,
            Some(Kept::Estimated(sketch)) => sketch.estimated_size(),
            Some(Kept::Together(all)) => all.estimated_size(),
            Some(Kept::Exact(exact)) => exact.memory(),
        }
    }

    /// True if nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The form that [`Self::read`] reads.
    pub(super) fn write(&self) -> Vec<u8> {
        match &self.0 {
            None => Vec::new(),
            Some(Kept::Estimated(sketch)) => [&[ESTIMATED], sketch.serialize().as_slice()].concat(),
            Some(Kept::Together(all)) => {
                [&[ESTIMATED], all.to_sketch(HllType::Hll8).serialize().as_slice()].concat()
            }
            Some(Kept::Exact(exact)) => exact.write(),
        }
    }

    /// What [`Self::write`] wrote; `None` if it did not.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let kept = match bytes.split_first() {
            None => None,
            Some((&ESTIMATED, rest)) => Some(Kept::Estimated(Box::new(HllSketch::deserialize(rest).ok()?))),
            Some((&EXACT, rest)) => Some(Kept::Exact(Box::new(Exact::read(rest)?))),
            Some(_) => return None,
        };
        Some(Self(kept))
    }
}

const ESTIMATED: u8 = 1;
const EXACT: u8 = 2;

fn sketch() -> HllSketch {
    HllSketch::new(REGISTERS_LOG2, HllType::Hll8).expect("the library allows 4 to 21")
}

impl Kept {
    /// Adds what another group's registers tell; of those that count each there are none here.
    fn unite(&mut self, other: &Self) {
        if let Self::Estimated(mine) = self {
            let mut all = HllUnion::new(REGISTERS_LOG2).expect("the library allows 4 to 21");
            all.update(mine);
            *self = Self::Together(Box::new(all));
        }
        match (self, other) {
            (Self::Together(all), Self::Estimated(theirs)) => all.update(theirs),
            (Self::Together(all), Self::Together(theirs)) => all.update(&theirs.to_sketch(HllType::Hll8)),
            _ => debug_assert!(false, "all groups of a view count alike"),
        }
    }
}

impl Exact {
    fn add(&mut self, client: &Seen<'_>) {
        match client.v4 {
            Some(address) => _ = self.v4.insert(address),
            None if self.texts.contains(client.text.as_ref()) => {}
            None => self.insert(client.text.as_ref()),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.v4.extend(&other.v4);
        for text in &other.texts {
            if !self.texts.contains(text) {
                self.insert(text);
            }
        }
    }

    /// Adds a text that is not there.
    fn insert(&mut self, text: &[u8]) {
        self.length += text.len();
        self.texts.insert(text.into());
    }

    fn memory(&self) -> usize {
        room::set(&self.v4) + room::set(&self.texts) + self.length
    }

    fn write(&self) -> Vec<u8> {
        let mut out = vec![EXACT];
        out.extend((self.v4.len() as u64).to_le_bytes());
        self.v4.iter().for_each(|address| out.extend(address.octets()));
        for text in &self.texts {
            out.extend((text.len() as u64).to_le_bytes());
            out.extend_from_slice(text);
        }
        out
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = &mut { bytes };
        let count = take_length(rest)?;
        let (addresses, texts) = rest.split_at_checked(count.checked_mul(4)?)?;
        let v4 = addresses.as_chunks().0.iter().map(|octets: &[u8; 4]| Ipv4Addr::from(*octets)).collect();
        let mut read = Self { v4, ..Self::default() };
        *rest = texts;
        while !rest.is_empty() {
            let length = take_length(rest)?;
            let (text, after) = rest.split_at_checked(length)?;
            read.insert(text);
            *rest = after;
        }
        Some(read)
    }
}

fn take_length(rest: &mut &[u8]) -> Option<usize> {
    let (length, after) = rest.split_first_chunk()?;
    *rest = after;
    usize::try_from(u64::from_le_bytes(*length)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(number: u32) -> (Option<Ipv4Addr>, String) {
        if number.is_multiple_of(5) {
            return (None, format!("2001:db8::{number:x}"));
        }
        let address = Ipv4Addr::from_bits(number.wrapping_mul(0x9E37_79B9));
        (Some(address), address.to_string())
    }

    fn see(number: u32, act: impl FnOnce(&Seen<'_>)) {
        let (v4, text) = client(number);
        act(&Seen { v4, text: text.as_bytes().into() });
    }

    /// Counted in so many parts of every so-manieth client each, then together.
    fn in_parts(clients: u32, parts: u32, how: Clients) -> Distinct {
        let mut all = Distinct::default();
        for part in 0..parts {
            let mut distinct = Distinct::default();
            (part..clients)
                .step_by(parts as usize)
                .for_each(|number| see(number, |seen| distinct.add(seen, how)));
            all.merge(&distinct);
        }
        all
    }

    #[test]
    fn an_estimate_is_within_two_per_cent_and_the_same_in_any_order() {
        let check = |clients: u32| {
            let estimate = in_parts(clients, 1, Clients::Estimated).count();
            let off = estimate.abs_diff(clients.into());
            assert!(off * 50 <= u64::from(clients), "{estimate} of {clients}");
            for parts in [2, 3, 100] {
                assert_eq!(in_parts(clients, parts, Clients::Estimated).count(), estimate, "{parts} parts");
            }
            assert_eq!(in_parts(clients, 3, Clients::Exact).count(), u64::from(clients));
        };
        [0, 1, 2, 7, 8, 100, 1_000, 6_000, 7_000, 20_000, 100_000].into_iter().for_each(check);
        let million = in_parts(1_000_000, 2, Clients::Estimated).count();
        assert!(million.abs_diff(1_000_000) <= 20_000, "{million}");
        assert_eq!(in_parts(1_000_000, 2, Clients::Exact).count(), 1_000_000);
    }

    #[test]
    fn what_is_written_is_read() {
        for how in [Clients::Estimated, Clients::Exact] {
            for clients in [0, 1, 50, 5_000, 30_000] {
                let distinct = in_parts(clients, 1, how);
                let read = Distinct::read(&distinct.write()).expect("it was written so");
                assert_eq!((read.count(), read.is_empty()), (distinct.count(), clients == 0));
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_refused_or_read(mut bytes in prop::collection::vec(any::<u8>(), 0..60), kind in 0_u8..4) {
            if let Some(first) = bytes.first_mut() {
                *first = kind;
            }
            if let Some(read) = Distinct::read(&bytes) {
                read.count();
            }
        }
    }
}
