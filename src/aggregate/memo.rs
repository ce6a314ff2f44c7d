//! What one thread knows already about the addresses and servers of the log.

use std::net::IpAddr;

use super::Rules;
use super::account::{Account, Remark};
use super::interner::TextMemo;
use crate::client::{self, Address, Rule, Trusted};
use crate::format::Escape;
use crate::parse::{Record, plain};
use crate::place::{Memo, Place, PlaceId, Places};
use crate::servers::{Idc, Key, Servers};

/// Distinct texts remembered before a memo starts anew.
const REMEMBERED_MAX: usize = 1 << 16;

/// Longer lists of forwarded addresses are read anew each time: strangers choose their length.
const LIST_REMEMBERED_MAX: usize = 256;

/// What is known of a client's text.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Parsed; `None` for host names, sockets and other words.
    pub(super) address: Option<IpAddr>,
    /// The address as text (RFC 5952; IPv4-mapped addresses are IPv4; zones stay, ports go).
    pub(super) canonical: Option<Box<str>>,
    pub(super) place: PlaceId,
    /// A proxy that tells the truth: the client is among the forwarded addresses.
    trusted: bool,
    /// Bit i: database i failed on it.
    failed: u64,
}

/// Who asked for a record.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    /// What is known; none if nothing is logged.
    pub(super) client: Option<&'a Client>,
    /// The text as logged, for clients that have no address.
    pub(super) logged: Option<&'a [u8]>,
    /// The places that numbers lead to.
    pub(super) places: &'a [Place],
}

impl Found<'_> {
    /// A record that nobody wants to know the client of.
    pub(super) const UNASKED: Self = Self { client: None, logged: None, places: &[] };

    pub(super) fn place(&self) -> PlaceId {
        self.client.map_or(PlaceId::UNKNOWN, |client| client.place)
    }
}

pub(super) struct Clients<'a> {
    way: Way<'a>,
    memo: Memo,
    known: TextMemo<Client>,
    /// Lists of forwarded addresses → the client among them.
    lists: TextMemo<Option<Box<str>>>,
}

impl<'a> Clients<'a> {
    pub(super) fn new(places: &'a Places, rules: &'a Rules) -> Self {
        Self {
            way: Way { places, rule: rules.client, trusted: &rules.trusted },
            memo: Memo::new(places),
            known: TextMemo::new(REMEMBERED_MAX),
            lists: TextMemo::new(REMEMBERED_MAX),
        }
    }

    /// The client of a record.
    #[inline]
    pub(super) fn find<'r>(
        &'r mut self,
        record: &Record<'r>,
        escape: Escape,
        account: &mut Account,
    ) -> Found<'r> {
        let (way, memo) = (self.way, &mut self.memo);
        let logged = way.logged(record);
        let mut number = logged.map(|text| self.known.number(text, |text| way.meet(text, memo)));
        // Most records end here: their client is nobody's proxy.
        if number.is_none_or(|number| self.known.value(number).trusted)
            && let Some(list) = record.forwarded
        {
            let list = plain(escape, list);
            let unremembered;
            let client = if list.len() > LIST_REMEMBERED_MAX {
                unremembered = way.forwarded(&list);
                &unremembered
            } else {
                self.lists.get(&list, |list| way.forwarded(list))
            };
            if let Some(client) = client {
                number = Some(self.known.number(client.as_bytes(), |text| way.meet(text, memo)));
                account.remarked[Remark::ClientForwarded as usize] += 1;
            }
        }
        let client = number.map(|number| self.known.value(number));
        if let Some(client) = client.filter(|client| client.failed != 0) {
            // Counted per record, not per lookup: what a thread remembers must not show.
            account.database_errors.resize(memo.errors.len(), 0);
            for (database, errors) in account.database_errors.iter_mut().enumerate() {
                *errors += client.failed >> database & 1;
            }
        }
        Found { client, logged, places: &self.memo.places }
    }
}

/// How clients are found.
#[derive(Clone, Copy)]
struct Way<'a> {
    places: &'a Places,
    rule: Rule,
    trusted: &'a Trusted,
}

impl Way<'_> {
    /// The text that the client is looked for in first.
    fn logged<'r>(self, record: &Record<'r>) -> Option<&'r [u8]> {
        match self.rule {
            Rule::Auto => record.client.or(record.peer),
            Rule::Remote => record.peer.or(record.client),
            Rule::Forwarded => None,
        }
    }

    fn meet(self, text: &[u8], memo: &mut Memo) -> Client {
        let (address, trusted) = match self.rule {
            // A column that holds a list is like a list of forwarded addresses.
            Rule::Auto => {
                let address = self.trusted.client_of(text);
                let proxy = |address: Address<'_>| self.trusted.has(address.ip);
                (address, address.map_or_else(|| self.trusted.has_socket(text), proxy))
            }
            // Forwarded addresses are not looked at, or were already.
            Rule::Remote | Rule::Forwarded => (client::address(text), false),
        };
        let Some(address) = address else {
            return Client { address: None, canonical: None, place: PlaceId::UNKNOWN, trusted, failed: 0 };
        };
        let before = memo.errors.clone();
        let place = self.places.locate(address.ip, memo);
        let failed = memo.errors.iter().zip(before).enumerate();
        let failed = failed.fold(0, |mask, (at, (now, before))| mask | u64::from(*now != before) << at);
        let canonical = Some(address.to_string().into_boxed_str());
        Client { address: Some(address.ip), canonical, place, trusted, failed }
    }

    /// The text of the client in a list of forwarded addresses.
    fn forwarded(self, list: &[u8]) -> Option<Box<str>> {
        let address = match self.rule {
            Rule::Auto => self.trusted.client_of(list),
            Rule::Forwarded => client::leftmost(list),
            Rule::Remote => None,
        };
        address.map(|address| address.to_string().into_boxed_str())
    }
}

/// Finds the data centre of a record's server.
pub(super) struct Machines<'a> {
    servers: &'a Servers,
    addresses: TextMemo<Option<Idc>>,
    hostnames: TextMemo<Option<Idc>>,
    hosts: TextMemo<Option<Idc>>,
}

impl<'a> Machines<'a> {
    pub(super) fn new(servers: &'a Servers) -> Self {
        let memo = || TextMemo::new(REMEMBERED_MAX);
        Self { servers, addresses: memo(), hostnames: memo(), hosts: memo() }
    }

    /// In join order: address, machine name, path of the log, host asked for, default.
    #[inline]
    pub(super) fn find(
        &mut self,
        record: &Record<'_>,
        path: Option<Idc>,
        account: &mut Account,
    ) -> Option<Idc> {
        let servers = self.servers;
        if servers.is_empty() {
            return None;
        }
        let by_address =
            record.server_addr.and_then(|text| *self.addresses.get(text, |text| by_address(servers, text)));
        let found = by_address
            .map(|idc| (idc, Key::ServerAddr))
            .or_else(|| {
                let by_name = |name| *self.hostnames.get(name, |name| servers.by_hostname(name));
                record.hostname.and_then(by_name).map(|idc| (idc, Key::Hostname))
            })
            .or_else(|| path.map(|idc| (idc, Key::Path)))
            .or_else(|| {
                let by_host = |host| *self.hosts.get(host, |host| servers.by_host(host));
                record.host.and_then(by_host).map(|idc| (idc, Key::Host))
            })
            .or_else(|| servers.default_idc().map(|idc| (idc, Key::Default)));
        if let Some((idc, key)) = found {
            account.servers_matched[key as usize] += 1;
            return Some(idc);
        }
        unlisted(record, account);
        None
    }
}

fn by_address(servers: &Servers, text: &[u8]) -> Option<Idc> {
    let address: IpAddr = std::str::from_utf8(text).ok()?.parse().ok()?;
    servers.by_address(address.to_canonical())
}

fn unlisted(record: &Record<'_>, account: &mut Account) {
    account.servers_unmatched += 1;
    let Some(server) = record.server_addr.or(record.hostname) else { return };
    if let Some(count) = account.unlisted.get_mut(server) {
        *count += 1;
    } else {
        account.unlisted.insert(server.to_vec(), 1);
    }
}
