//! A record → whether the filter lets it pass.

use std::borrow::Cow;
use std::net::IpAddr;

use super::charge::Source;
use super::memo::{Asked, Clients, Found, Machines};
use super::program::Programs;
use super::value::{Ends, basis_bytes, client_text, place_value, target, value};
use super::{Account, Rules};
use crate::client;
use crate::parse::{Record, plain};
use crate::path;
use crate::query::filter::{Check, Cost, Filter, Node, Raw, Test, date};
use crate::query::{Dimension, TimePart, filter};
use crate::servers::Servers;
use crate::time::{Civil, Cursor, Timestamp};

/// The filter of one thread.
pub(super) struct Sieve {
    /// A copy of its own: threads that share a pattern wait for each other.
    filter: Filter,
    cursor: Cursor,
    asked: Asked,
    /// What joins tell of a record before it is known whether it counts.
    told: Account,
}

/// What is known of servers and clients.
pub(super) struct Joins<'r, 'a> {
    pub(super) clients: &'r mut Clients<'a>,
    pub(super) machines: &'r mut Machines<'a>,
    pub(super) servers: &'a Servers,
    pub(super) programs: &'r mut Programs<'a>,
}

impl Sieve {
    pub(super) fn new(rules: &Rules) -> Option<Self> {
        let filter = rules.filter.clone()?;
        let asked = if filter.dimensions().any(Dimension::is_place) { Asked::Place } else { Asked::Address };
        Some(Self { filter, cursor: rules.grid.cursor(), asked, told: Account::default() })
    }

    /// True for a record that passes. Of what joins tell, only failures of databases are counted here: the rest is, where
    /// the record is charged.
    pub(super) fn passes<'r>(
        &mut self,
        record: &Record<'r>,
        source: &Source,
        rules: &'r Rules,
        joins: Joins<'r, '_>,
        account: &mut Account,
    ) -> bool {
        let Self { filter, cursor, asked, told } = self;
        if filter.node.cost() < Cost::Client {
            return Look::new(record, source, rules, cursor, *asked, None, told).holds(&filter.node);
        }
        let passes = Look::new(record, source, rules, cursor, *asked, Some(joins), told).holds(&filter.node);
        // A record that is left out for want of a place that could not be read must show.
        let is_charged = passes && rules.views.iter().flat_map(|view| &view.by).any(Dimension::is_place);
        if !told.database_errors.is_empty() {
            let failed = std::mem::take(&mut told.database_errors);
            if !is_charged {
                account.merge(Account { database_errors: failed, ..Account::default() });
            }
        }
        told.unlisted.clear();
        passes
    }
}

/// What stands for a machine.
enum Standing {
    Address(IpAddr),
    /// A host name or a socket: in no network.
    Name,
}

/// One record, and what was found out about it.
struct Look<'q, 'r, 'a> {
    record: &'q Record<'r>,
    source: &'q Source,
    rules: &'r Rules,
    cursor: &'q mut Cursor,
    asked: Asked,
    clients: Option<&'r mut Clients<'a>>,
    machines: Option<&'r mut Machines<'a>>,
    servers: Option<&'a Servers>,
    programs: Option<&'r mut Programs<'a>>,
    told: &'q mut Account,
    client: Found<'r>,
}

impl<'q, 'r, 'a> Look<'q, 'r, 'a> {
    fn new(
        record: &'q Record<'r>,
        source: &'q Source,
        rules: &'r Rules,
        cursor: &'q mut Cursor,
        asked: Asked,
        joins: Option<Joins<'r, 'a>>,
        told: &'q mut Account,
    ) -> Self {
        let (clients, machines, servers, programs) = match joins {
            Some(Joins { clients, machines, servers, programs }) => {
                (Some(clients), Some(machines), Some(servers), Some(programs))
            }
            None => (None, None, None, None),
        };
        let client = Found::UNASKED;
        Self { record, source, rules, cursor, asked, clients, machines, servers, programs, told, client }
    }

    fn holds(&mut self, node: &Node) -> bool {
        match node {
            Node::All(nodes) => nodes.iter().all(|node| self.holds(node)),
            Node::Any(nodes) => nodes.iter().any(|node| self.holds(node)),
            Node::Not(node) => !self.holds(node),
            Node::Test(test) => self.answers(test),
        }
    }

    fn answers(&mut self, test: &Test) -> bool {
        match &test.check {
            Check::Number(ranges) => test.outcome(self.number(&test.field), |number| ranges.has(number)),
            Check::Text(texts) => test.outcome(self.text(&test.field), |text| texts.has(&text)),
            Check::Network(networks) => {
                let client = self.standing(&test.field);
                test.outcome(client, |client| matches!(client, Standing::Address(ip) if networks.has(ip)))
            }
        }
    }

    /// The client, found when it is first asked for.
    fn client(&mut self) -> Found<'r> {
        if let Some(clients) = self.clients.take() {
            self.client = clients.find(self.record, self.source.escape, self.asked, self.told);
        }
        self.client
    }

    fn number(&mut self, field: &filter::Field) -> Option<i64> {
        let record = self.record;
        let saturated = |number: Option<u64>| number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        match field {
            filter::Field::Dimension(dimension) => match dimension {
                Dimension::Status => record.status.map(i64::from),
                Dimension::Asn => {
                    let found = self.client();
                    found.places.get(found.place.0 as usize)?.asn.map(i64::from)
                }
                Dimension::Time(part) => Some(time_number(*part, self.cursor, self.rules, record.end?)),
                _ => None,
            },
            filter::Field::Raw(raw) => match raw {
                Raw::Bytes => saturated(basis_bytes(record, self.rules.basis)),
                Raw::BodyBytes => saturated(record.body),
                Raw::WireBytes => saturated(record.wire),
                Raw::BytesIn => saturated(record.bytes_in),
                Raw::Duration => saturated(record.duration_us),
                Raw::Upstream => saturated(record.upstream_us),
                Raw::Tries => record.upstream_tries.map(i64::from),
                Raw::Time => record.time.map(|time| time.0),
                Raw::Start => record.start.map(|time| time.0),
                Raw::End => record.end.map(|time| time.0),
                _ => None,
            },
        }
    }

    /// What stands for a machine, if anything does.
    fn standing(&mut self, field: &filter::Field) -> Option<Standing> {
        let address = match field {
            filter::Field::Raw(_) => {
                let peer = self.text(field)?;
                let dotted = client::dotted(&peer).map(IpAddr::V4);
                dotted.or_else(|| client::address(&peer).map(|address| address.ip))
            }
            // A net is that of an address, and filters name none that is smaller.
            filter::Field::Dimension(Dimension::Net) => Some(self.client().address?),
            filter::Field::Dimension(_) => {
                let found = self.client();
                client_text(&found, self.source.escape).filter(|text| **text != *UNKNOWN)?;
                found.address
            }
        };
        Some(address.map_or(Standing::Name, Standing::Address))
    }

    /// What is known of the program that asked.
    fn program(&mut self, field: &filter::Field) -> Option<Cow<'r, [u8]>> {
        let programs = self.programs.as_mut()?;
        let family = programs.find(self.record, self.source.escape, self.source.agent)?;
        let known = self.rules.agents.family(family);
        let name = match field {
            filter::Field::Dimension(Dimension::Claim) => {
                let client = self.client();
                self.programs.as_ref()?.judge(family, &client).name()
            }
            filter::Field::Dimension(Dimension::Bot) => known.kind.name(),
            _ => &known.name,
        };
        Some(name.as_bytes().into())
    }

    /// A text; one that reads `unknown` is none, as in tables.
    fn text(&mut self, field: &filter::Field) -> Option<Cow<'r, [u8]>> {
        self.logged_or_joined(field).filter(|text| !text.is_empty() && **text != *UNKNOWN)
    }

    fn logged_or_joined(&mut self, field: &filter::Field) -> Option<Cow<'r, [u8]>> {
        let (record, escape) = (self.record, self.source.escape);
        match field {
            filter::Field::Dimension(Dimension::Idc) => {
                let machines = self.machines.as_mut()?;
                let idc = machines.find(record, self.source.idc, self.told)?;
                self.servers.map(|servers| Cow::Borrowed(servers.name(idc).as_bytes()))
            }
            filter::Field::Dimension(Dimension::Class) => {
                CLASSES.get(usize::from(record.status? / 100)).map(|class| Cow::Borrowed(*class))
            }
            filter::Field::Dimension(Dimension::Family | Dimension::Bot | Dimension::Claim) => {
                self.program(field)
            }
            filter::Field::Dimension(place) if place.is_place() => {
                let found = self.client();
                place_value(place, found.places.get(found.place.0 as usize)?)
            }
            filter::Field::Dimension(dimension) => {
                if dimension.is_client() {
                    self.client();
                }
                let ends =
                    Ends { client: &self.client, idc: None, family: None, claim: None, escape, side: None };
                value(dimension, record, &ends, self.rules)
            }
            filter::Field::Raw(raw) => match raw {
                Raw::Target => target(record, escape, &|target| Some(target)),
                Raw::Query => match record.query {
                    Some(query) => Some(plain(escape, query.strip_prefix(b"?").unwrap_or(query))),
                    None => target(record, escape, &path::query),
                },
                Raw::Protocol => record.protocol.map(|text| plain(escape, text)),
                Raw::User => record.user.map(|text| plain(escape, text)),
                Raw::Peer => record.peer.map(|text| plain(escape, text)),
                _ => None,
            },
        }
    }
}

/// Classes of statuses.
const CLASSES: [&[u8]; 10] = [b"0xx", b"1xx", b"2xx", b"3xx", b"4xx", b"5xx", b"6xx", b"7xx", b"8xx", b"9xx"];

/// What tables show for what is not known.
const UNKNOWN: &[u8] = b"unknown";

/// A part of the time at which a record's slot begins, as tables have it.
fn time_number(part: TimePart, cursor: &mut Cursor, rules: &Rules, end: Timestamp) -> i64 {
    let start = cursor.slot(end).start;
    let civil = || -> Civil { rules.grid.zone.civil(Timestamp::from_seconds(start)) };
    match part {
        TimePart::Slot => start,
        TimePart::Day => date(&civil()),
        TimePart::Hour => i64::from(civil().hour),
        TimePart::Weekday => i64::from(civil().weekday),
    }
}
