//! Records → exact counts.
//!
//! A [`Counter`] charges the records of one thread to a [`Tally`]; tallies merge in any order to the same counts. All
//! sums are integers and none can wrap: lines are limited to 2⁴⁶ bytes, sums have 128 bits.

pub mod spread;
pub mod account;
pub mod histogram;
pub mod timing;
mod room;
pub mod distinct;
mod interner;
mod glance;
mod share;
mod side;
mod samples;
mod keys;
mod view;
mod spill;
mod memo;
mod value;
mod program;
mod column;
mod fine;
mod sieve;
mod charge;

pub use account::{Account, Remark, Skip};
pub use charge::{Counter, Joined, Source, Units};
pub use fine::{Curve, Fine};
pub use program::AgentColumn;
pub use share::Span;
pub use side::{Range, Side, Sides};
pub use spill::{Memory, Shelf};
pub use timing::{StatusColumn, Timing};
pub use view::{Extra, Sums, ViewTally};

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::agent::Agents;
use crate::client::{Rule, Trusted};
use crate::place::Fields;
use crate::query::{Basis, Dimension, Filter, View};
use crate::time::{Grid, Slot, Timestamp};
use spread::Scheme;

/// Bytes of a response in one packet: an Ethernet frame of 1500 bytes without the 40 of IPv4 and TCP.
pub const SEGMENT: u32 = 1460;

/// How records are counted: the same for all threads.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The grouped counts to keep.
    pub views: Vec<View>,
    /// The byte column.
    pub basis: Basis,
    /// How bytes are spread over slots.
    pub scheme: Scheme,
    /// How time is cut into slots.
    pub grid: Grid,
    /// The first instant asked for.
    pub since: Option<Timestamp>,
    /// The first instant no longer asked for.
    pub until: Option<Timestamp>,
    /// What records must be like to be counted.
    pub filter: Option<Filter>,
    /// What a limit in time leaves out.
    pub cut: Cut,
    /// How the client is found.
    pub client: Rule,
    /// The proxies that are believed.
    pub trusted: Trusted,
    /// Path segments of a prefix.
    pub depth: usize,
    /// Fields that dimensions name, in the order a parser slices them.
    pub fields: Vec<String>,
    /// Bytes of a response in one packet, for views of [`crate::query::Flow::Packets`].
    pub segment: u32,
    /// The programs that agents name.
    pub agents: Arc<Agents>,
    /// Seconds of the bins that everything is also counted in; none: it is not.
    pub fine: Option<u32>,
    /// What is set against what; none: nothing is. Views tell the sides apart by [`crate::query::Dimension::Side`].
    pub sides: Option<Sides>,
}

impl Rules {
    /// What is asked of places; without views lines are asked for, with all that is known of them.
    pub fn place_fields(&self) -> Fields {
        let views = self.views.iter().flat_map(|view| &view.by);
        let filter = self.filter.iter().flat_map(Filter::dimensions);
        let claims = self.views.iter().filter(|view| view.asks_claim()).map(|_| &Dimension::Claim);
        let asked = views.chain(filter).chain(claims).filter_map(Dimension::place_field);
        if self.views.is_empty() { Fields::ALL } else { asked.collect() }
    }
}

/// What `--since` and `--until` leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Whole records, by their end.
    Records,
    /// Slots: records are spread first.
    Slots,
}

/// The counts of one thread, or of all.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// What became of the lines.
    pub account: Account,
    /// One per view of the rules.
    pub views: Vec<ViewTally>,
    /// The slots that have samples.
    pub slots: Slots,
    /// Bytes charged to slots outside the limits in time, or to none for want of a time.
    pub outside_bytes: u128,
    /// Everything, by finer intervals than slots, whatever the limits in time.
    pub fine: Fine,
    /// What memory had no room for: [`Tally::parts`] of those views, in [`Tally::views`] they are empty.
    pub shelves: Vec<Arc<Shelf>>,
}

/// Slots ↔ small numbers from 1, within one thread.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    by_number: Vec<Slot>,
    numbers: HashMap<Slot, u32, RandomState>,
    /// The slot asked for last: neighbouring records mostly share it.
    last: (Slot, u32),
}

impl Slots {
    #[inline]
    fn number(&mut self, slot: Slot) -> u32 {
        if self.last.0 != slot {
            self.last = (slot, self.find(slot));
        }
        self.last.1
    }

    fn find(&mut self, slot: Slot) -> u32 {
        let slots = &mut self.by_number;
        *self.numbers.entry(slot).or_insert_with(|| {
            slots.push(slot);
            u32::try_from(slots.len()).expect("fewer slots than 2³²: they are whole seconds of sane times")
        })
    }

    /// The slot of a number; none for the samples of records without a time.
    pub fn get(&self, number: u32) -> Option<Slot> {
        number.checked_sub(1).map(|at| self.by_number[at as usize])
    }

    /// The numbers that another thread's slots have here, those of no slot first.
    fn numbers_of(&self, slots: &[Slot]) -> Vec<u32> {
        let number = |slot| *self.numbers.get(slot).expect("merged tallies have each other's slots");
        std::iter::once(0).chain(slots.iter().map(number)).collect()
    }

    /// First and last slot that has samples.
    pub fn span(&self) -> Option<(Slot, Slot)> {
        Some((*self.by_number.iter().min()?, *self.by_number.iter().max()?))
    }
}

impl Tally {
    /// A tally that has counted nothing.
    pub fn new(rules: &Rules) -> Self {
        let views = rules.views.iter().map(|view| ViewTally::new(charge::plain_dimensions(view).count()));
        Self { views: views.collect(), fine: Fine::new(rules), ..Self::default() }
    }

    /// Bytes of memory that the groups take, roughly.
    pub fn memory(&self) -> usize {
        self.views.iter().map(ViewTally::memory).sum()
    }

    /// The same counts, each sample of each group in one piece, unless it has more than 2⁶⁴ bytes.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.views.iter_mut().for_each(ViewTally::settle);
        self
    }

    /// Adds another tally of the same rules. Commutative and associative up to the order of groups;
    /// [`Tally::default`] is the identity.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        let Self { account, views, slots, outside_bytes, fine, shelves } = other;
        if self.views.is_empty() {
            self.views.resize_with(views.len(), ViewTally::default);
        }
        self.account.merge(account);
        self.outside_bytes += outside_bytes;
        self.fine.merge(fine);
        self.shelves.extend(shelves);
        let numbers = slots.by_number.iter().map(|&slot| self.slots.number(slot));
        let numbers: Vec<u32> = std::iter::once(0).chain(numbers).collect();
        for (mine, theirs) in self.views.iter_mut().zip(views) {
            mine.merge(theirs, &numbers);
        }
        self
    }
}

#[cfg(test)]
mod tests;
