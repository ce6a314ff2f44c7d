//! What one thread knows already about the addresses and servers of the log.

use std::net::{IpAddr, Ipv4Addr};

use super::Rules;
use super::account::{Account, Remark};
use super::glance::Glance;
use super::interner::TextMemo;
use crate::client::{self, Address, Rule, Trusted};
use crate::format::Escape;
use crate::parse::{Record, plain};
use crate::place::{Located, Memo, Place, PlaceId, Places};
use crate::servers::{Idc, Key, Servers};

/// Distinct texts remembered before a memo starts anew.
const REMEMBERED_MAX: usize = 1 << 16;

/// Longer lists of forwarded addresses are read anew each time: strangers choose their length.
const LIST_REMEMBERED_MAX: usize = 256;

/// What an address takes that is remembered as text.
const CANONICAL_BYTES: usize = 48;

/// Who a text names.
#[derive(Debug, Clone)]
struct Known {
    /// Parsed; `None` for host names, sockets and other words.
    address: Option<IpAddr>,
    /// The address as text (RFC 5952; IPv4-mapped addresses are IPv4; zones stay, ports go).
    canonical: Option<Box<str>>,
    /// Found when it is first asked for.
    located: Option<Located>,
    /// A proxy that tells the truth: the client is among the forwarded addresses.
    trusted: bool,
}

/// A text that was read.
#[derive(Clone, Copy)]
enum Met {
    /// A plain IPv4 address is its own canonical text and read faster than remembered.
    Dotted(Ipv4Addr),
    /// The number of anything else in [`Clients::known`].
    Known(usize),
}

/// Who asked for a record.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    /// The client's address; none for host names, sockets and other words.
    pub(super) address: Option<IpAddr>,
    /// The address as canonical text, else the text as logged.
    pub(super) text: Text<'a>,
    /// Where the client is.
    pub(super) place: PlaceId,
    /// The places that numbers lead to.
    pub(super) places: &'a [Place],
}

/// A client's text.
#[derive(Clone, Copy)]
pub(super) enum Text<'a> {
    /// An address in canonical form.
    Canonical(&'a [u8]),
    /// What stands in its place, as the server escaped it.
    Logged(&'a [u8]),
    /// Nothing.
    Missing,
}

impl Found<'_> {
    /// A record that nobody wants to know the client of.
    pub(super) const UNASKED: Self =
        Self { address: None, text: Text::Missing, place: PlaceId::UNKNOWN, places: &[] };
}

/// What is asked of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    /// Who it is.
    Address,
    /// Where it is, too.
    Place,
}

pub(super) struct Clients<'a> {
    way: Way<'a>,
    memo: Memo,
    known: TextMemo<Known>,
    /// Lists of forwarded addresses → the client among them.
    lists: TextMemo<Option<Box<str>>>,
}

impl<'a> Clients<'a> {
    pub(super) fn new(places: &'a Places, rules: &'a Rules) -> Self {
        Self {
            way: Way { places, rule: rules.client, trusted: &rules.trusted },
            memo: Memo::of(rules.place_fields()),
            known: TextMemo::new(REMEMBERED_MAX),
            lists: TextMemo::new(REMEMBERED_MAX),
        }
    }

    /// Bytes of what is remembered of texts, roughly.
    pub(super) fn memory(&self) -> usize {
        let texts = self.known.len() + self.lists.len();
        self.known.memory() + self.lists.memory() + texts * CANONICAL_BYTES
    }

    /// Forgets texts: they will be read again.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.lists.clear();
    }

    /// The client of a record. Most are plain IPv4 addresses and nobody's proxies.
    #[inline]
    pub(super) fn find<'r>(
        &'r mut self,
        record: &Record<'r>,
        escape: Escape,
        asked: Asked,
        account: &mut Account,
    ) -> Found<'r> {
        let way = self.way;
        if let Some(text) = way.logged(record)
            && let Some(address) = client::dotted(text)
            && (record.forwarded.is_none() || !way.trusts(address))
        {
            let located = match asked {
                Asked::Place => way.places.locate_v4(address, &mut self.memo),
                Asked::Address => Located::NOWHERE,
            };
            if located.failed != 0 {
                account.count_database_errors(located.failed);
            }
            return Found {
                address: Some(address.into()),
                text: Text::Canonical(text),
                place: located.place,
                places: &self.memo.places,
            };
        }
        self.find_any(record, escape, asked, account)
    }

    /// The same for a client that is written in any way.
    #[inline(never)]
    fn find_any<'r>(
        &'r mut self,
        record: &Record<'r>,
        escape: Escape,
        asked: Asked,
        account: &mut Account,
    ) -> Found<'r> {
        let way = self.way;
        let logged = way.logged(record);
        let mut met = logged.map(|text| match client::dotted(text) {
            Some(address) => Met::Dotted(address),
            None => Met::Known(self.known.number(text, |text| way.meet(text))),
        });
        let trusted = |known: &TextMemo<Known>| {
            met.is_none_or(|met| match met {
                Met::Dotted(address) => way.trusts(address),
                Met::Known(number) => known.value(number).trusted,
            })
        };
        // Most records end here: their client is nobody's proxy.
        if let Some(list) = record.forwarded
            && trusted(&self.known)
            && let Some(number) = self.forwarded(&plain(escape, list))
        {
            met = Some(Met::Known(number));
            account.remarked[Remark::ClientForwarded as usize] += 1;
        }
        let (address, canonical, located) = match met {
            Some(Met::Dotted(address)) => {
                let located = match asked {
                    Asked::Place => way.places.locate_v4(address, &mut self.memo),
                    Asked::Address => Located::NOWHERE,
                };
                (Some(address.into()), logged, located)
            }
            Some(Met::Known(number)) => {
                let known = self.known.value_mut(number);
                let located = match (asked, known.address) {
                    (Asked::Place, Some(address)) => {
                        *known.located.get_or_insert_with(|| way.places.locate(address, &mut self.memo))
                    }
                    _ => Located::NOWHERE,
                };
                (known.address, known.canonical.as_deref().map(str::as_bytes), located)
            }
            None => (None, None, Located::NOWHERE),
        };
        if located.failed != 0 && asked == Asked::Place {
            // Counted per record, not per lookup: what a thread remembers must not show.
            account.count_database_errors(located.failed);
        }
        let text = canonical.map(Text::Canonical).or(logged.map(Text::Logged)).unwrap_or(Text::Missing);
        Found { address, text, place: located.place, places: &self.memo.places }
    }

    /// The client in a list of forwarded addresses, by its number in [`Self::known`].
    fn forwarded(&mut self, list: &[u8]) -> Option<usize> {
        let way = self.way;
        let unremembered;
        let client = if list.len() > LIST_REMEMBERED_MAX {
            unremembered = way.forwarded(list);
            &unremembered
        } else {
            self.lists.get(list, |list| way.forwarded(list))
        };
        let client = client.as_ref()?.as_bytes();
        Some(self.known.number(client, |text| way.meet(text)))
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

    /// Whether the forwarded list of this peer is believed. By other rules it is not looked at, or was already.
    fn trusts(self, peer: Ipv4Addr) -> bool {
        self.rule == Rule::Auto && self.trusted.has_v4(peer)
    }

    fn meet(self, text: &[u8]) -> Known {
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
        Known {
            address: address.map(|address| address.ip),
            canonical: address.map(|address| address.to_string().into()),
            located: None,
            trusted,
        }
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
    addresses: Remembered,
    hostnames: Remembered,
    hosts: Remembered,
}

/// What texts lead to, with those asked for lately at hand.
struct Remembered {
    glance: Glance<Option<Idc>>,
    texts: TextMemo<Option<Idc>>,
}

impl Remembered {
    fn new() -> Self {
        Self { glance: Glance::new(), texts: TextMemo::new(REMEMBERED_MAX) }
    }

    #[inline]
    fn get(&mut self, text: &[u8], find: impl FnOnce(&[u8]) -> Option<Idc>) -> Option<Idc> {
        self.glance.get(text, |text| *self.texts.get(text, find))
    }
}

impl<'a> Machines<'a> {
    pub(super) fn new(servers: &'a Servers) -> Self {
        let [addresses, hostnames, hosts] = [(); 3].map(|()| Remembered::new());
        Self { servers, addresses, hostnames, hosts }
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
            record.server_addr.and_then(|text| self.addresses.get(text, |text| by_address(servers, text)));
        let found = by_address
            .map(|idc| (idc, Key::ServerAddr))
            .or_else(|| {
                let by_name = |name| self.hostnames.get(name, |name| servers.by_hostname(name));
                record.hostname.and_then(by_name).map(|idc| (idc, Key::Hostname))
            })
            .or_else(|| path.map(|idc| (idc, Key::Path)))
            .or_else(|| {
                let by_host = |host| self.hosts.get(host, |host| servers.by_host(host));
                record.host.and_then(by_host).map(|idc| (idc, Key::Host))
            })
            .or_else(|| {
                let default = servers.default_idc().map(|idc| (idc, Key::Default))?;
                let address = record.server_addr.and_then(address);
                Some(default).filter(|_| !address.is_some_and(|address| servers.is_nowhere(address)))
            });
        if let Some((idc, key)) = found {
            account.servers_matched[key as usize] += 1;
            return Some(idc);
        }
        unlisted(record, account);
        None
    }
}

fn by_address(servers: &Servers, text: &[u8]) -> Option<Idc> {
    servers.by_address(address(text)?)
}

fn address(text: &[u8]) -> Option<IpAddr> {
    let address: IpAddr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.to_canonical())
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
