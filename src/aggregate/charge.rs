//! A record → its groups and slots.

use std::borrow::Cow;
use std::net::IpAddr;

use super::account::Remark;
use super::interner::Interner;
use super::memo::{Clients, Found, Machines, Text};
use super::spread::spread;
use super::view::{Key, UNKNOWN};
use super::{Cut, Rules, Slots, Tally};
use crate::format::Escape;
use crate::parse::{Record, plain};
use crate::path;
use crate::place::{Place, Places};
use crate::query::dimension::DIMENSIONS_MAX;
use crate::query::{Basis, Dimension, Extras, Series, View};
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
    needs: Needs,
    shares: Vec<(u32, u64)>,
    /// The number of the slot that the last record ended in: the dense rows stand there.
    current: u32,
}

/// What some view asks of every record.
#[derive(Debug, Clone, Copy)]
struct Needs {
    client: bool,
    idc: bool,
    slots: bool,
}

/// The dimensions of a view that are not time, with the values known by number.
struct ViewState {
    dimensions: Vec<(Dimension, Vec<u32>)>,
    series: Series,
    extras: Extras,
}

/// Slot numbers start at 1.
const NO_SLOT: u32 = 0;

/// A value that was not looked up yet.
const UNSEEN: u32 = u32::MAX;

/// What was found out about a record's two ends.
struct Ends<'a> {
    client: Found<'a>,
    idc: Option<Idc>,
    escape: Escape,
}

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

impl<'a> Counter<'a> {
    /// A counter that has counted nothing.
    pub fn new(rules: &'a Rules, places: &'a Places, servers: &'a Servers) -> Self {
        let all = || rules.views.iter().flat_map(|view| &view.by);
        let needs = Needs {
            client: all().any(Dimension::is_client),
            idc: all().any(|dimension| *dimension == Dimension::Idc),
            slots: rules.cut == Cut::Slots || rules.views.iter().any(|view| view.series == Series::PerSlot),
        };
        let views = rules.views.iter().map(|view| ViewState {
            dimensions: plain_dimensions(view).map(|dimension| (dimension.clone(), Vec::new())).collect(),
            series: view.series,
            extras: view.extras,
        });
        Self {
            rules,
            servers,
            tally: Tally::new(rules),
            views: views.collect(),
            cursor: rules.grid.cursor(),
            clients: Clients::new(places, rules),
            machines: Machines::new(servers),
            needs,
            shares: Vec::new(),
            current: NO_SLOT,
        }
    }

    /// Another block begins: the next record may be earlier than the last.
    pub fn begin_block(&mut self) {
        self.current = NO_SLOT;
    }

    /// Counts an accepted record; false if the question leaves it out.
    pub fn count(&mut self, record: &Record<'_>, source: &Source) -> bool {
        self.tally.account.accepted += 1;
        self.remark(record, source.units);
        if let Some(time) = record.time {
            self.tally.account.see(time);
        }
        if self.rules.cut == Cut::Records && !self.is_within(record.end) {
            self.tally.account.filtered += 1;
            return false;
        }
        let bytes = basis_bytes(record, self.rules.basis);
        let counted =
            if self.needs.slots { self.share(record, bytes) } else { Charged { requests: 1, bytes } };
        if counted.requests == 0 && self.shares.is_empty() && self.rules.cut == Cut::Slots {
            // Without limits in time it is the record that has none: remarked, not filtered.
            let limited = self.rules.since.is_some() || self.rules.until.is_some();
            self.tally.account.filtered += u64::from(limited);
            return false;
        }
        self.charge(record, source, counted);
        true
    }

    /// The place and data centre of a record that was just counted.
    pub fn describe<'r>(&'r mut self, record: &Record<'r>, source: &Source) -> Joined<'r> {
        // The accounting was done when the record was counted.
        let mut ignored = super::Account::default();
        let idc = self.machines.find(record, source.idc, &mut ignored);
        let found = self.clients.find(record, source.escape, &mut ignored);
        Joined {
            client: client_text(&found, source.escape),
            place: &found.places[found.place.0 as usize],
            idc: idc.map(|idc| self.servers.name(idc)),
        }
    }

    fn remark(&mut self, record: &Record<'_>, units: Units) {
        let account = &mut self.tally.account;
        let without_bytes = match self.rules.basis {
            Basis::Body => record.body.is_none(),
            Basis::Wire => record.wire.is_none(),
            Basis::None => false,
        };
        let mut note =
            |remark: Remark, applies: bool| account.remarked[remark as usize] += u64::from(applies);
        note(Remark::WithoutBytes, without_bytes);
        note(Remark::WithoutTime, record.time.is_none());
        note(Remark::DurationImplausible, record.implausible);
        note(Remark::ExtraColumns, record.extra);
        note(Remark::ZoneAssumed, record.zoneless);
        note(Remark::Ambiguous, record.ambiguous);
        note(Remark::DurationUnitAssumed, units == Units::Assumed && record.duration_us.is_some());
    }

    fn is_within(&self, time: Option<Timestamp>) -> bool {
        let Rules { since, until, .. } = self.rules;
        match time {
            Some(time) => since.is_none_or(|since| since <= time) && until.is_none_or(|until| time < until),
            None => since.is_none() && until.is_none(),
        }
    }

    /// Spreads a record over its slots into `shares`, those outside the limits left out.
    fn share(&mut self, record: &Record<'_>, bytes: u64) -> Charged {
        self.shares.clear();
        let (Some(start), Some(end)) = (record.start, record.end) else {
            self.tally.outside_bytes += u128::from(bytes);
            return match self.rules.cut {
                Cut::Records => {
                    self.shares.push((NO_SLOT, bytes));
                    Charged { requests: 1, bytes }
                }
                Cut::Slots => Charged { requests: 0, bytes: 0 },
            };
        };
        let (since, until) = match self.rules.cut {
            Cut::Slots => (self.rules.since, self.rules.until),
            Cut::Records => (None, None),
        };
        let inside = |second: i64| {
            let start = Timestamp::from_seconds(second);
            since.is_none_or(|since| since <= start) && until.is_none_or(|until| start < until)
        };
        let last = self.cursor.slot(end);
        let (slots, shares) = (&mut self.tally.slots, &mut self.shares);
        let (mut kept, mut outside) = (0u64, 0u128);
        spread(self.rules.scheme, bytes, start, end, &mut self.cursor, &mut |slot, share| {
            if inside(slot.start) {
                shares.push((slots.number(slot), share));
                kept = kept.saturating_add(share);
            } else {
                outside += u128::from(share);
            }
        });
        self.tally.outside_bytes += outside;
        if !inside(last.start) {
            return Charged { requests: 0, bytes: kept };
        }
        let number = last_number(slots, shares, last);
        self.turn_to(number);
        // Some schemes make more or less of the bytes; only the slots show that.
        Charged { requests: 1, bytes: if self.rules.cut == Cut::Records { bytes } else { kept } }
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
                if state.series == Series::PerSlot {
                    view.samples.turn_to(number);
                }
            }
        }
    }

    fn charge(&mut self, record: &Record<'_>, source: &Source, counted: Charged) {
        let Tally { account, views, .. } = &mut self.tally;
        let idc = if self.needs.idc { self.machines.find(record, source.idc, account) } else { None };
        let client = if self.needs.client {
            self.clients.find(record, source.escape, account)
        } else {
            Found::UNASKED
        };
        let ends = Ends { client, idc, escape: source.escape };
        for (state, tally) in self.views.iter_mut().zip(views) {
            let mut key: Key = [UNKNOWN; DIMENSIONS_MAX];
            for (at, (dimension, known)) in state.dimensions.iter_mut().enumerate() {
                let values = &mut tally.values[at];
                key[at] = match dimension {
                    Dimension::Idc => by_number(known, ends.idc.map(|idc| usize::from(idc.0)), |_| {
                        number(values, ends.idc.map(|idc| self.servers.name(idc).as_bytes().into()))
                    }),
                    Dimension::Status => by_number(known, record.status.map(usize::from), |status| {
                        values.intern(format!("{status:03}").as_bytes()) + 1
                    }),
                    Dimension::Class => {
                        by_number(known, record.status.map(|it| usize::from(it / 100)), |class| {
                            values.intern(format!("{class}xx").as_bytes()) + 1
                        })
                    }
                    place if place.is_place() => by_number(known, Some(client.place.0 as usize), |at| {
                        number(values, place_value(place, &client.places[at]))
                    }),
                    other => number(values, value(other, record, &ends, self.rules)),
                };
            }
            let group = tally.group(key);
            let sums = &mut tally.sums[group as usize];
            sums.requests += counted.requests;
            sums.bytes += u128::from(counted.bytes);
            if state.extras == Extras::Kept && counted.requests == 1 {
                add_extra(tally.extra_mut(group), record);
            }
            if state.series == Series::PerSlot {
                for (at, &(slot, share)) in self.shares.iter().enumerate() {
                    let requests = if at + 1 == self.shares.len() { counted.requests } else { 0 };
                    tally.samples.add(slot, group, requests, share);
                }
            }
        }
    }
}

/// The part of a record that is counted.
#[derive(Clone, Copy)]
struct Charged {
    requests: u64,
    bytes: u64,
}

/// Makes the slot of the end the last share, with 0 bytes if the scheme gives it none: it counts the request.
fn last_number(slots: &mut Slots, shares: &mut Vec<(u32, u64)>, last: crate::time::Slot) -> u32 {
    let number = slots.number(last);
    if shares.last().is_none_or(|&(slot, _)| slot != number) {
        shares.push((number, 0));
    }
    number
}

fn basis_bytes(record: &Record<'_>, basis: Basis) -> u64 {
    match basis {
        Basis::Body => record.body,
        Basis::Wire => record.wire,
        Basis::None => None,
    }
    .unwrap_or(0)
}

fn add_extra(extra: &mut super::Extra, record: &Record<'_>) {
    extra.bytes_in += u128::from(record.bytes_in.unwrap_or(0));
    match record.status {
        Some(400..=499) => extra.errors_4xx += 1,
        Some(500..=599) => extra.errors_5xx += 1,
        _ => {}
    }
    if let Some(duration) = record.duration_us.filter(|_| !record.implausible) {
        extra.duration_us += u128::from(duration);
        extra.duration_max_us = extra.duration_max_us.max(duration);
        extra.timed += 1;
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

/// AS numbers are interned as four bytes, high byte first: they sort as numbers.
fn place_value<'a>(dimension: &Dimension, place: &'a Place) -> Option<Cow<'a, [u8]>> {
    let text = |text: &'a Option<Box<str>>| text.as_deref().map(|text| Cow::Borrowed(text.as_bytes()));
    match dimension {
        Dimension::Country => text(&place.country),
        Dimension::Province => text(&place.province),
        Dimension::City => text(&place.city),
        Dimension::Carrier => text(&place.carrier),
        Dimension::Asn => place.asn.map(|asn| Cow::Owned(asn.to_be_bytes().to_vec())),
        Dimension::Org => text(&place.org),
        Dimension::Netkind => text(&place.netkind),
        _ => text(&place.region),
    }
}

/// The value of a dimension that the record itself has.
fn value<'a>(
    dimension: &Dimension,
    record: &Record<'a>,
    ends: &Ends<'a>,
    rules: &Rules,
) -> Option<Cow<'a, [u8]>> {
    let text = |raw: Option<&'a [u8]>| raw.map(|raw| plain(ends.escape, raw)).filter(|text| !text.is_empty());
    match dimension {
        Dimension::Client => client_text(&ends.client, ends.escape),
        Dimension::Net => ends.client.address.map(|address| network(address).into_bytes().into()),
        Dimension::Server => text(record.server_addr.or(record.hostname)),
        Dimension::Host => text(record.host),
        Dimension::Path => target(record, ends.escape, &|path| Some(path)),
        Dimension::Prefix => target(record, ends.escape, &|path| Some(path::prefix(path, rules.depth))),
        Dimension::Ext => target(record, ends.escape, &path::extension),
        Dimension::Method => text(record.method),
        Dimension::Referer => text(record.referer),
        Dimension::Refhost => text(record.referer).and_then(|referer| within(referer, &referring_host)),
        Dimension::Agent => text(record.agent),
        Dimension::Cache => text(record.cache),
        Dimension::Field(name) => {
            let at = rules.fields.iter().position(|field| field == name)?;
            text(record.others.get(at).copied().flatten())
        }
        _ => None,
    }
}

/// The client's address, or the text in its place.
#[inline]
fn client_text<'a>(found: &Found<'a>, escape: Escape) -> Option<Cow<'a, [u8]>> {
    match found.text {
        Text::Canonical(text) => Some(text.into()),
        Text::Logged(raw) => Some(plain(escape, raw)).filter(|text| !text.is_empty()),
        Text::Missing => None,
    }
}

/// A part of a text, borrowed if the text is.
fn within<'a>(text: Cow<'a, [u8]>, part: &dyn Fn(&[u8]) -> Option<&[u8]>) -> Option<Cow<'a, [u8]>> {
    match text {
        Cow::Borrowed(text) => part(text).map(Cow::Borrowed),
        Cow::Owned(text) => part(&text).map(|part| Cow::Owned(part.to_vec())),
    }
}

/// A part of the request's path.
fn target<'a>(
    record: &Record<'a>,
    escape: Escape,
    part: &dyn Fn(&[u8]) -> Option<&[u8]>,
) -> Option<Cow<'a, [u8]>> {
    let target = match record.full_target()? {
        Cow::Borrowed(raw) => plain(escape, raw),
        Cow::Owned(raw) => Cow::Owned(plain(escape, &raw).into_owned()),
    };
    within(target, &|target| part(path::path(target)))
}

/// The host of an absolute URL, without user and port.
fn referring_host(referer: &[u8]) -> Option<&[u8]> {
    let after = memchr::memmem::find(referer, b"://")? + 3;
    let authority = referer[after..].split(|&byte| matches!(byte, b'/' | b'?' | b'#')).next()?;
    let host = memchr::memrchr(b'@', authority).map_or(authority, |at| &authority[at + 1..]);
    let end = match host.first()? {
        b'[' => memchr::memchr(b']', host)? + 1,
        _ => memchr::memchr(b':', host).unwrap_or(host.len()),
    };
    Some(&host[..end]).filter(|host| !host.is_empty())
}

/// The network an address is in: /24, or /48 for IPv6.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn referring_hosts_are_found() {
        let check = |referer: &str, expected: Option<&str>| {
            assert_eq!(referring_host(referer.as_bytes()), expected.map(str::as_bytes), "{referer}");
        };
        check("https://www.example.com/from?a=b", Some("www.example.com"));
        check("http://user@example.com:8080", Some("example.com"));
        check("http://[2001:db8::1]:80/", Some("[2001:db8::1]"));
        check("android-app://com.google.app/", Some("com.google.app"));
        check("http://", None);
        check("nonsense", None);
    }

    #[test]
    fn networks_are_cut_at_24_and_48() {
        let check = |address: &str, expected: &str| {
            assert_eq!(network(address.parse().expect("an address")), expected);
        };
        check("192.0.2.77", "192.0.2.0/24");
        check("2001:db8:1:2::3", "2001:db8:1::/48");
    }
}
