//! One dimension of one view: a record's value → its number.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::Rules;
use super::interner::Interner;
use super::room;
use super::value::{Ends, place_value, value};
use super::view::UNKNOWN;
use crate::parse::Record;
use crate::query::Dimension;
use crate::servers::Servers;

/// A value that was not looked up yet.
const UNSEEN: u32 = u32::MAX;

/// A dimension, and the numbers of those values that are found without their text.
pub(super) struct Column {
    dimension: Dimension,
    /// By the small number that the value has anyway: data centre, place, status.
    known: Vec<u32>,
    /// Of clients: an address is compared in one step, and most are IPv4.
    v4: HashMap<Ipv4Addr, u32, RandomState>,
}

impl Column {
    pub(super) fn new(dimension: Dimension) -> Self {
        Self { dimension, known: Vec::new(), v4: HashMap::default() }
    }

    /// The values of the view have new numbers from now on.
    pub(super) fn clear(&mut self) {
        self.known.fill(UNSEEN);
        self.v4.clear();
    }

    /// Bytes of memory, see [`room`].
    pub(super) fn memory(&self) -> usize {
        room::list(&self.known) + room::map(&self.v4)
    }

    /// The number of a record's value among the `values` of its view.
    #[inline]
    pub(super) fn number(
        &mut self,
        values: &mut Interner,
        record: &Record<'_>,
        ends: &Ends<'_, '_>,
        rules: &Rules,
        servers: &Servers,
    ) -> u32 {
        let Self { dimension, known, v4 } = self;
        let client = ends.client;
        match dimension {
            Dimension::Idc => by_number(known, ends.idc.map(|idc| usize::from(idc.0)), |_| {
                number(values, ends.idc.map(|idc| servers.name(idc).as_bytes().into()))
            }),
            Dimension::Status => by_number(known, record.status.map(usize::from), |status| {
                values.intern(format!("{status:03}").as_bytes()) + 1
            }),
            Dimension::Class => by_number(known, record.status.map(|it| usize::from(it / 100)), |class| {
                values.intern(format!("{class}xx").as_bytes()) + 1
            }),
            Dimension::Family => by_number(known, ends.family.map(|id| usize::from(id.0)), |_| {
                number(values, ends.family.map(|id| rules.agents.family(id).name.as_bytes().into()))
            }),
            Dimension::Bot => {
                let kind = ends.family.map(|id| rules.agents.family(id).kind);
                by_number(known, kind.map(|kind| kind as usize), |_| {
                    number(values, kind.map(|kind| kind.name().as_bytes().into()))
                })
            }
            Dimension::Claim => by_number(known, ends.claim.map(|claim| claim as usize), |_| {
                number(values, ends.claim.map(|claim| claim.name().as_bytes().into()))
            }),
            Dimension::Client if let Some(IpAddr::V4(address)) = client.address => {
                *v4.entry(address).or_insert_with(|| number(values, value(dimension, record, ends, rules)))
            }
            Dimension::Side => by_number(known, ends.side.map(|side| usize::from(side.number())), |side| {
                values.intern(&[u8::try_from(side).unwrap_or_default()]) + 1
            }),
            place if place.is_place() => by_number(known, Some(client.place.0 as usize), |at| {
                number(values, place_value(place, &client.places[at]))
            }),
            other => number(values, value(other, record, ends, rules)),
        }
    }
}

/// A value's number; a text that says `unknown` is just that.
#[inline]
fn number(values: &mut Interner, text: Option<Cow<'_, [u8]>>) -> u32 {
    match text {
        Some(text) if text.as_ref() != b"unknown" => values.intern(&text) + 1,
        _ => UNKNOWN,
    }
}

/// The value of something that has a small number, interned once.
#[inline]
fn by_number(known: &mut Vec<u32>, number: Option<usize>, find: impl FnOnce(usize) -> u32) -> u32 {
    let Some(number) = number else { return UNKNOWN };
    if number >= known.len() {
        known.resize(number + 1, UNSEEN);
    }
    if known[number] == UNSEEN {
        known[number] = find(number);
    }
    known[number]
}
