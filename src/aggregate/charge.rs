//! A record → its groups and slots.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::account::Remark;
use super::column::Column;
use super::distinct::Seen;
use super::memo::{Asked, Clients, Found, Machines};
use super::program::{AgentColumn, Programs, Sought, counts, sought};
use super::share::{NO_SLOT, Shares, Spreading, is_inside};
use super::side::Side;
use super::sieve::{Joins, Sieve};
use super::spill::{Memory, Shelf};
use super::spread::is_in_one;
use super::timing::{Judged, StatusColumn, judge};
use super::value::{Ends, basis_bytes, client_text};
use super::view::{Key, UNKNOWN};
use super::{Cut, Rules, Tally};
use crate::error::Error;
use crate::format::Escape;
use crate::parse::Record;
use crate::place::{Place, Places};
use crate::query::dimension::DIMENSIONS_MAX;
use crate::query::{
    self, Basis, Clients as Counting, Dimension, Extras, Flow, Only, Own, Series, Timings, View,
};
use crate::servers::{Idc, Servers};
use crate::time::{Cursor, Timestamp};

/// What a record's line is part of.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Input.
    pub file: u32,
    /// How the server disarmed its values.
    pub escape: Escape,
    /// The data centre that the input's path tells.
    pub idc: Option<Idc>,
    /// Who says what its durations are counted in.
    pub units: Units,
    /// What a record without a status means.
    pub status: StatusColumn,
    /// What one without an agent means.
    pub agent: AgentColumn,
}

/// Who says what durations are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// The format or the values themselves.
    Told,
    /// Nobody: whole numbers were taken for what is likeliest.
    Assumed,
}

/// Charges the records of one thread.
pub struct Counter<'a> {
    rules: &'a Rules,
    servers: &'a Servers,
    /// The counts so far.
    pub tally: Tally,
    views: Vec<ViewState>,
    cursor: Cursor,
    clients: Clients<'a>,
    machines: Machines<'a>,
    programs: Programs<'a>,
    needs: Needs,
    sieve: Option<Sieve>,
    /// Per [`Flow`].
    shares: [Shares; FLOWS],
    /// From the earliest to the latest logged time of the block at hand.
    span: Option<(Timestamp, Timestamp)>,
    /// The number of the slot that the last record ended in: the dense rows stand there.
    current: u32,
    memory: Option<&'a Memory>,
    /// What memory had no room for.
    shelf: Option<Shelf>,
}

/// What some view asks of every record.
#[derive(Debug, Clone, Copy)]
struct Needs {
    client: Option<Asked>,
    idc: bool,
    program: Option<Sought>,
    series: Series,
    /// Bytes sent per slot and no finer: a record that touches one slot is charged to it without spreading.
    plainly: bool,
    /// Per [`Flow`]; bytes sent are always counted.
    flows: [bool; FLOWS],
    /// Some view asks how long requests took.
    times: bool,
    /// Where a record has what `%X` says.
    connection: Option<usize>,
}

/// The dimensions of a view that are not time, with the values known by number.
struct ViewState {
    columns: Vec<Column>,
    series: Series,
    extras: Extras,
    flow: Flow,
    timings: Timings,
    clients: Counting,
    only: Only,
    own: Own,
}

impl ViewState {
    /// Bills need every sample at once, and a view without dimensions is one group.
    fn has_parts(&self) -> bool {
        self.series != Series::Bounded && !self.columns.is_empty()
    }

    /// Bytes of memory of what is known of values.
    fn memory(&self) -> usize {
        self.columns.iter().map(Column::memory).sum()
    }
}

/// How many flows there are.
const FLOWS: usize = Flow::ALL.len();

/// Bytes of IPv4 and TCP headers without options, once per packet (RFC 791, RFC 9293).
const PACKET_HEADER_BYTES: u64 = 40;

/// What is joined to a record, for people to read.
#[derive(Debug)]
pub struct Joined<'a> {
    /// The client: its address in canonical form, or what stands in its place.
    pub client: Option<Cow<'a, [u8]>>,
    /// Where the client is.
    pub place: &'a Place,
    /// The data centre that served it.
    pub idc: Option<&'a str>,
}

/// The dimensions of a view that are not time.
pub(super) fn plain_dimensions(view: &View) -> impl Iterator<Item = &Dimension> {
    view.by.iter().filter(|dimension| !matches!(dimension, Dimension::Time(_)))
}

/// What a dimension of clients asks of them.
fn asked(dimension: &Dimension) -> Asked {
    if dimension.is_place() { Asked::Place } else { Asked::Address }
}

impl<'a> Counter<'a> {
    /// A counter that has counted nothing.
    pub fn new(rules: &'a Rules, places: &'a Places, servers: &'a Servers) -> Self {
        let all = || rules.views.iter().flat_map(|view| &view.by);
        // What is outside the limits, and what is finer than slots, is known by spreading alone.
        let cut =
            if rules.cut == Cut::Slots || rules.fine.is_some() { Series::PerSlot } else { Series::Sums };
        let series = rules.views.iter().map(|view| view.series).max().unwrap_or_default().max(cut);
        let flows =
            Flow::ALL.map(|flow| flow == Flow::Out || rules.views.iter().any(|view| view.flow == flow));
        let plainly =
            series.is_kept() && flows == Flow::ALL.map(|flow| flow == Flow::Out) && rules.fine.is_none();
        let program = rules.views.iter().filter_map(sought).max();
        let judged = program.filter(|sought| *sought == Sought::Claim).map(|_| Asked::Place);
        let counts_clients = rules.views.iter().any(|view| view.clients != Counting::Left);
        let counted = counts_clients.then_some(Asked::Address);
        let needs = Needs {
            plainly,
            client: all().filter(|it| it.is_client()).map(asked).chain(counted).chain(judged).max(),
            idc: all().any(|dimension| *dimension == Dimension::Idc),
            program,
            series,
            flows,
            times: rules.views.iter().any(View::is_timed),
            connection: rules.fields.iter().position(|field| field == query::CONNECTION),
        };
        let views = rules.views.iter().map(|view| ViewState {
            columns: plain_dimensions(view).cloned().map(Column::new).collect(),
            series: view.series,
            extras: view.extras,
            flow: view.flow,
            timings: view.timings,
            clients: view.clients,
            only: view.only,
            own: view.own.clone(),
        });
        Self {
            rules,
            servers,
            tally: Tally::new(rules),
            views: views.collect(),
            cursor: rules.grid.cursor(),
            clients: Clients::new(places, rules),
            machines: Machines::new(servers),
            programs: Programs::new(&rules.agents),
            needs,
            sieve: Sieve::new(rules),
            shares: Default::default(),
            span: None,
            current: NO_SLOT,
            memory: None,
            shelf: None,
        }
    }

    /// Its groups go to disk where they take more memory.
    #[must_use]
    pub fn within(self, memory: Option<&'a Memory>) -> Self {
        Self { memory, ..self }
    }

    /// The counts of all threads together.
    pub fn total(mut counters: Vec<Self>, rules: &Rules) -> Result<Tally, Error> {
        let shelved = shelved(&counters, rules.views.len());
        for counter in &mut counters {
            counter.shelve(|at, _| shelved[at])?;
        }
        let tallies = counters.into_iter().map(Self::closed);
        Ok(tallies.reduce(Tally::merge).unwrap_or_else(|| Tally::new(rules)).settled())
    }

    /// Puts groups on disk if they take more memory than they may. To be asked for between blocks.
    pub fn relieve(&mut self) -> Result<(), Error> {
        let Some(memory) = self.memory else { return Ok(()) };
        let views = self.tally.views.iter().zip(&self.views);
        let groups: usize = views.map(|(view, state)| view.memory() + state.memory()).sum();
        let remembered = self.clients.memory() + self.programs.memory();
        if groups + remembered <= memory.share {
            return Ok(());
        }
        if remembered > memory.share / 4 {
            self.clients.clear();
            self.programs.clear();
        }
        // Small views would only make more work at the end.
        let least = memory.share / (2 * self.views.len().max(1));
        self.shelve(|_, size| size >= least)
    }

    /// Puts the groups of some views on disk; `wanted` is asked with the view's number and size.
    fn shelve(&mut self, wanted: impl Fn(usize, usize) -> bool) -> Result<(), Error> {
        let Some(memory) = self.memory else { return Ok(()) };
        let Self { tally, views, shelf, .. } = self;
        let all = views.len();
        for (at, (state, view)) in views.iter_mut().zip(&mut tally.views).enumerate() {
            if !view.is_empty() && wanted(at, view.memory() + state.memory()) && state.has_parts() {
                let file = match shelf.take() {
                    Some(file) => file,
                    None => Shelf::new(memory, all)?,
                };
                shelf.insert(file).put(memory, at, view)?;
                state.columns.iter_mut().for_each(Column::clear);
            }
        }
        Ok(())
    }

    /// The counts, without the room of the views that are on disk.
    fn closed(self) -> Tally {
        let mut tally = self.tally;
        tally.views.iter_mut().filter(|view| view.is_empty()).for_each(|view| *view = view.emptied());
        let file = self.shelf.map(|file| file.closed(&tally.slots));
        tally.shelves.extend(file.map(Arc::new));
        tally
    }

    /// Another block begins: the next record may be earlier than the last.
    pub fn begin_block(&mut self) {
        self.current = NO_SLOT;
    }

    /// A block of this input ends: its times are told.
    pub fn end_block(&mut self, file: u32) {
        if let Some(span) = self.span.take() {
            self.tally.account.see(file, span);
        }
    }

    /// Counts an accepted record; false if the question leaves it out.
    pub fn count(&mut self, record: &Record<'_>, source: &Source) -> bool {
        self.tally.account.accepted += 1;
        self.remark(record, source.units);
        if let Some(time) = record.time {
            let (first, last) = self.span.unwrap_or((time, time));
            self.span = Some((first.min(time), last.max(time)));
        }
        let side = self.rules.sides.as_ref().and_then(|sides| sides.of(source.file, record.end));
        let is_beside = self.rules.sides.is_some() && side.is_none();
        if is_beside || self.rules.cut == Cut::Records && !self.is_within(record.end) {
            self.tally.account.filtered += 1;
            return false;
        }
        if let Some(sieve) = &mut self.sieve {
            let Self { clients, machines, servers, programs, tally, rules, .. } = self;
            let joins = Joins { clients, machines, servers, programs };
            if !sieve.passes(record, source, rules, joins, &mut tally.account) {
                tally.account.filtered += 1;
                return false;
            }
        }
        let bytes = flow_bytes(record, self.rules, self.needs.flows);
        let counted = if self.needs.series.is_kept() {
            self.share(record, bytes)
        } else {
            Charged { requests: 1, bytes }
        };
        if counted.requests == 0 && self.rules.cut == Cut::Slots {
            let shares = || self.shares.iter();
            if shares().all(|shares| shares.slots.is_empty()) {
                // Without limits in time it is the record that has none: remarked, not filtered.
                let limited = self.rules.since.is_some() || self.rules.until.is_some();
                self.tally.account.filtered += u64::from(limited);
                // Bounded views count what is outside, and what other schemes had put inside.
                let nothing = |shares: &Shares| shares.outside == 0 && shares.spans.is_empty();
                if self.needs.series != Series::Bounded || shares().all(nothing) {
                    return false;
                }
            }
        }
        self.charge(record, source, side, counted);
        true
    }

    /// The place and data centre of a record that was just counted.
    pub fn describe<'r>(&'r mut self, record: &Record<'r>, source: &Source) -> Joined<'r> {
        // The accounting was done when the record was counted.
        let mut ignored = super::Account::default();
        let idc = self.machines.find(record, source.idc, &mut ignored);
        let found = self.clients.find(record, source.escape, Asked::Place, &mut ignored);
        Joined {
            client: client_text(&found, source.escape),
            place: &found.places[found.place.0 as usize],
            idc: idc.map(|idc| self.servers.name(idc)),
        }
    }

    /// Counts what is peculiar about a record; nothing is about most.
    #[inline]
    fn remark(&mut self, record: &Record<'_>, units: Units) {
        let Record { implausible, extra, zoneless, ambiguous, .. } = *record;
        let without_bytes = match self.rules.basis {
            Basis::Body => record.body.is_none(),
            Basis::Wire => record.wire.is_none(),
            Basis::None => false,
        };
        let remarks = [
            (Remark::WithoutBytes, without_bytes),
            (Remark::WithoutTime, record.time.is_none()),
            (Remark::DurationImplausible, implausible),
            (Remark::ExtraColumns, extra),
            (Remark::ZoneAssumed, zoneless),
            (Remark::Ambiguous, ambiguous),
            (Remark::DurationUnitAssumed, units == Units::Assumed && record.duration_us.is_some()),
        ];
        if remarks.iter().fold(false, |any, (_, applies)| any | applies) {
            for (remark, applies) in remarks {
                self.tally.account.remarked[remark as usize] += u64::from(applies);
            }
        }
    }

    fn is_within(&self, time: Option<Timestamp>) -> bool {
        let Rules { since, until, .. } = self.rules;
        match time {
            Some(time) => since.is_none_or(|since| since <= time) && until.is_none_or(|until| time < until),
            None => since.is_none() && until.is_none(),
        }
    }

    /// Spreads a record over its slots into `shares`, those outside the limits left out.
    fn share(&mut self, record: &Record<'_>, bytes: [u64; FLOWS]) -> Charged {
        let (Some(start), Some(end)) = (record.start, record.end) else {
            return self.share_timeless(bytes);
        };
        if self.needs.plainly {
            let last = self.cursor.slot(end);
            if is_in_one(start, end, last) && is_inside(self.rules, last) {
                let number = self.tally.slots.number(last);
                self.turn_to(number);
                let sent = bytes[Flow::Out as usize];
                self.shares[Flow::Out as usize].put(number, sent);
                return Charged { requests: 1, bytes };
            }
        }
        self.tally.fine.charge(self.rules.scheme, bytes[Flow::Out as usize], start, end);
        let mut kept = [0; FLOWS];
        let mut ends_inside = false;
        let flows = self.shares.iter_mut().zip(&mut kept).zip(bytes).zip(self.needs.flows);
        for (((shares, kept), bytes), _) in flows.filter(|(_, asked)| *asked) {
            shares.clear();
            let mut spreading = Spreading {
                rules: self.rules,
                cursor: &mut self.cursor,
                slots: &mut self.tally.slots,
                bounded: self.needs.series == Series::Bounded,
            };
            ends_inside = shares.fill(&mut spreading, bytes, start, end);
            // Some schemes make more or less of the bytes; only the slots show that.
            *kept = if self.rules.cut == Cut::Records { bytes } else { shares.kept };
            if ends_inside {
                let last = self.cursor.slot(end);
                shares.end_in(&mut self.tally.slots, last);
            }
        }
        let sent = &self.shares[Flow::Out as usize];
        self.tally.outside_bytes += sent.outside;
        if let Some(&(number, _)) = sent.slots.last().filter(|_| ends_inside) {
            self.turn_to(number);
        }
        Charged { requests: ends_inside.into(), bytes: kept }
    }

    /// A record without a time is in no slot.
    fn share_timeless(&mut self, bytes: [u64; FLOWS]) -> Charged {
        self.tally.outside_bytes += u128::from(bytes[Flow::Out as usize]);
        for (shares, bytes) in self.shares.iter_mut().zip(bytes) {
            shares.clear();
            match self.rules.cut {
                Cut::Records => shares.slots.push((NO_SLOT, bytes)),
                Cut::Slots => shares.outside = bytes.into(),
            }
        }
        match self.rules.cut {
            Cut::Records => Charged { requests: 1, bytes },
            Cut::Slots => Charged { requests: 0, bytes: [0; FLOWS] },
        }
    }

    /// Moves the dense rows forward; earlier slots are charged one by one.
    #[inline]
    fn turn_to(&mut self, number: u32) {
        if number == self.current {
            return;
        }
        let slots = &self.tally.slots;
        if slots.get(number) > slots.get(self.current) {
            self.current = number;
            for (view, state) in self.tally.views.iter_mut().zip(&self.views) {
                if state.series.is_kept() {
                    view.samples.turn_to(number);
                }
            }
        }
    }

    fn charge(&mut self, record: &Record<'_>, source: &Source, side: Option<Side>, counted: Charged) {
        let Tally { account, views, .. } = &mut self.tally;
        let idc = if self.needs.idc { self.machines.find(record, source.idc, account) } else { None };
        let client = match self.needs.client {
            Some(asked) => self.clients.find(record, source.escape, asked, account),
            None => Found::UNASKED,
        };
        let programs = &mut self.programs;
        let family = self.needs.program.and_then(|_| programs.find(record, source.escape, source.agent));
        let is_judged = self.needs.program == Some(Sought::Claim);
        let claim = family.filter(|_| is_judged).map(|family| programs.judge(family, &client));
        let ends = Ends { client: &client, idc, family, claim, escape: source.escape, side };
        let judged =
            if self.needs.times { self.needs.judge(record, source, self.rules.basis) } else { UNASKED };
        for (state, tally) in self.views.iter_mut().zip(views) {
            let sent = counted.bytes[Flow::Out as usize];
            if state.only != Only::All && !counts(state.only, &state.own, record, sent, &ends, self.rules) {
                continue;
            }
            let mut key: Key = [UNKNOWN; DIMENSIONS_MAX];
            for ((column, values), number) in state.columns.iter_mut().zip(&mut tally.values).zip(&mut key) {
                *number = column.number(values, record, &ends, self.rules, self.servers);
            }
            let group = tally.group(&key);
            tally.add(group, counted.requests, counted.bytes[state.flow as usize]);
            if state.extras == Extras::Kept && counted.requests == 1 {
                add_extra(tally.extra_mut(group), record, judged);
            }
            if let Timings::Kept(limits) = state.timings
                && counted.requests == 1
            {
                tally.timing_mut(group).add(judged, limits);
            }
            if state.clients != Counting::Left
                && counted.requests == 1
                && let Some(seen) = seen(&ends)
            {
                tally.clients_mut(group).add(&seen, state.clients);
            }
            if state.series.is_kept() {
                let shares = &self.shares[state.flow as usize];
                for (at, &(slot, share)) in shares.slots.iter().enumerate() {
                    let requests = if at + 1 == shares.slots.len() { counted.requests } else { 0 };
                    tally.samples.add(slot, group, requests, share);
                }
                if state.series == Series::Bounded {
                    tally.bound(group, shares);
                }
            }
        }
    }
}

/// Which views are to be on disk in the end: those that some thread has there, and large ones if memory has no room to
/// merge them, because merged groups stand beside those that are not merged yet.
fn shelved(counters: &[Counter<'_>], views: usize) -> Vec<bool> {
    let size = |at: usize| counters.iter().map(|counter| counter.tally.views[at].memory()).sum::<usize>();
    let sizes: Vec<usize> = (0..views).map(size).collect();
    let all: usize = sizes.iter().sum();
    let room = counters.iter().filter_map(|counter| counter.memory).map(|memory| memory.share);
    let is_full = room.reduce(usize::saturating_add).is_some_and(|room| all > room / 2);
    let has = |counter: &Counter<'_>, at| counter.shelf.as_ref().is_some_and(|file| file.has(at));
    let is_large = |size: usize| is_full && size >= all / (2 * views);
    let shelved =
        |(at, size): (usize, &usize)| is_large(*size) || counters.iter().any(|counter| has(counter, at));
    sizes.iter().enumerate().map(shelved).collect()
}

/// The part of a record that is counted.
#[derive(Clone, Copy)]
struct Charged {
    requests: u64,
    /// Per [`Flow`].
    bytes: [u64; FLOWS],
}

/// Bytes per [`Flow`], 0 where nobody asks.
#[inline]
fn flow_bytes(record: &Record<'_>, rules: &Rules, asked: [bool; FLOWS]) -> [u64; FLOWS] {
    let sent = basis_bytes(record, rules.basis).unwrap_or(0);
    let mut bytes = [sent, 0, 0];
    if asked[Flow::In as usize] {
        bytes[Flow::In as usize] = record.bytes_in.unwrap_or(0);
    }
    if asked[Flow::Packets as usize] {
        let packets = sent.div_ceil(u64::from(rules.segment.max(1)));
        bytes[Flow::Packets as usize] = sent.saturating_add(packets.saturating_mul(PACKET_HEADER_BYTES));
    }
    bytes
}

/// What nobody looks at.
const UNASKED: Judged = Judged::Untimed;

impl Needs {
    fn judge(self, record: &Record<'_>, source: &Source, basis: Basis) -> Judged {
        let connection = self.connection.and_then(|at| record.others.get(at).copied().flatten());
        judge(record, basis_bytes(record, basis).unwrap_or(0), source.status, connection)
    }
}

/// The client as it is counted: not one that `--by client` calls unknown.
#[inline(never)]
fn seen<'a>(ends: &Ends<'_, 'a>) -> Option<Seen<'a>> {
    let text = client_text(ends.client, ends.escape).filter(|text| text.as_ref() != b"unknown")?;
    let v4 = match ends.client.address {
        Some(IpAddr::V4(address)) => Some(address),
        _ => None,
    };
    Some(Seen { v4, text })
}

#[inline(never)]
fn add_extra(extra: &mut super::Extra, record: &Record<'_>, judged: Judged) {
    extra.bytes_in += u128::from(record.bytes_in.unwrap_or(0));
    match record.status {
        Some(400..=499) => extra.errors_4xx += 1,
        Some(500..=599) => extra.errors_5xx += 1,
        _ => {}
    }
    if let Judged::Timed(duration) = judged {
        extra.duration_us += u128::from(duration);
        extra.duration_max_us = extra.duration_max_us.max(duration);
        extra.timed += 1;
    }
}
