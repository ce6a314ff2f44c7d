//! What one thread knows already about the addresses and servers of the log.

use std::net::IpAddr;

use super::account::Account;
use super::interner::TextMemo;
use crate::parse::Record;
use crate::place::{Memo, Place, PlaceId, Places};
use crate::servers::{Idc, Key, Servers};

/// Distinct texts remembered before a memo starts anew.
const REMEMBERED_MAX: usize = 1 << 16;

/// What is known of a client's text.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Parsed; `None` for host names, sockets and other words.
    pub(super) address: Option<IpAddr>,
    /// The canonical text, where it differs from the log's (RFC 5952; IPv4-mapped addresses are IPv4).
    pub(super) canonical: Option<Box<str>>,
    pub(super) place: PlaceId,
    /// Bit i: database i failed on it.
    failed: u64,
}

pub(super) struct Clients<'a> {
    places: &'a Places,
    memo: Memo,
    known: TextMemo<Client>,
}

impl<'a> Clients<'a> {
    pub(super) fn new(places: &'a Places) -> Self {
        Self { places, memo: Memo::new(places), known: TextMemo::new(REMEMBERED_MAX) }
    }

    /// The client of a text, and the places that its number leads to.
    #[inline]
    pub(super) fn find(&mut self, text: Option<&[u8]>, account: &mut Account) -> (Option<&Client>, &[Place]) {
        let (places, memo) = (self.places, &mut self.memo);
        let Some(text) = text else { return (None, &memo.places) };
        let client = self.known.get(text, |text| meet(text, places, memo));
        if client.failed != 0 {
            // Counted per record, not per lookup: what a thread remembers must not show.
            account.database_errors.resize(memo.errors.len(), 0);
            for (database, errors) in account.database_errors.iter_mut().enumerate() {
                *errors += client.failed >> database & 1;
            }
        }
        (Some(client), &memo.places)
    }
}

fn meet(text: &[u8], places: &Places, memo: &mut Memo) -> Client {
    let address = std::str::from_utf8(text).ok().and_then(|text| text.parse::<IpAddr>().ok());
    let Some(address) = address.map(|address| address.to_canonical()) else {
        return Client { address: None, canonical: None, place: PlaceId::UNKNOWN, failed: 0 };
    };
    let before = memo.errors.clone();
    let place = places.locate(address, memo);
    let failed = memo.errors.iter().zip(before).enumerate();
    let failed = failed.fold(0, |mask, (at, (now, before))| mask | u64::from(*now != before) << at);
    let canonical = address.to_string();
    let canonical = (canonical.as_bytes() != text).then(|| canonical.into());
    Client { address: Some(address), canonical, place, failed }
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
