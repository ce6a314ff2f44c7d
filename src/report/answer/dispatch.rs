//! `bandwho dispatch`: whether clients are served where they should be, and what it costs that they are not.
//!
//! docs/DISPATCH.md defines every number.

mod flows;
mod judge;
mod moves;
mod notes;
mod price;
mod sites;
mod tables;

pub use self::moves::Move;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use self::flows::Flow;
use self::judge::{Judge, Judged};
use self::sites::Sites;
use super::groups::{self, KeyPart, Period};
use super::{Counted, integer, share};
use crate::error::Error;
use crate::query::{Dimension, Series, View};
use crate::report::{Cell, Fact, Report, Unit};
use crate::servers::{Idc, Servers};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whether clients in clouds and data centres can be misplaced.
    pub cloud: Cloud,
    /// What-ifs, in order; the first that names a client moves it.
    pub moves: Vec<Move>,
    /// Rows of each table at most; `None`: all.
    pub rows: Option<usize>,
}

/// Whether machines count as clients that can be misplaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// They are shown apart.
    Apart,
    /// They are clients like all others.
    Included,
}

/// Clients of one network that a better data centre is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misplaced {
    /// /24, or /48 for IPv6.
    pub net: String,
    /// Who serves it.
    pub idc: Idc,
    /// Who should.
    pub better: Idc,
    /// Requests.
    pub requests: u64,
    /// Bytes.
    pub bytes: u128,
    /// All bytes of the network, whoever serves them.
    pub net_bytes: u128,
}

/// The answer, and the misplaced networks in full, most bytes first.
#[derive(Debug)]
pub struct Answer {
    /// What is shown.
    pub report: Report,
    /// What can be exported.
    pub networks: Vec<Misplaced>,
    /// What must be known beside the numbers, where the report's facts are not shown.
    pub notes: Vec<String>,
}

/// What is counted: clients and who serves them, per slot; networks and who serves them; whose networks they are.
pub fn views() -> Vec<View> {
    let [region, carrier, idc] = [Dimension::Region, Dimension::Carrier, Dimension::Idc];
    let by = vec![region.clone(), carrier.clone(), idc.clone(), Dimension::Netkind];
    vec![
        View { by, series: Series::PerSlot, ..View::default() },
        View { by: vec![region, carrier, idc, Dimension::Net, Dimension::Netkind], ..View::default() },
        View { by: vec![Dimension::Net, Dimension::Asn, Dimension::Org], ..View::default() },
    ]
}

/// Fails if a price of the list is none: better before the logs are read than after.
pub fn check_prices(servers: &Servers) -> Result<(), Error> {
    Sites::new(servers).map(drop)
}

/// The answer; the views are those of [`views`]. Fails if a price of the list is none, or a what-if cannot be billed.
pub fn answer(counted: &Counted<'_>, servers: &Servers, asked: &Asked) -> Result<Answer, Error> {
    let sites = Sites::new(servers)?;
    let mut judge = Judge::new(&sites);
    let flows = flows::flows(counted, &sites, &mut judge, asked.cloud);
    let owners = owners(counted);
    let networks = networks(counted, &sites, &mut judge, asked.cloud);
    let better = |flow: &Flow| match flow.judged {
        Judged::Better(better) => Some(better),
        Judged::Well | Judged::Possibly => None,
    };
    let misplaced: Vec<(&Flow, Idc)> = flows.iter().filter_map(|flow| Some((flow, better(flow)?))).collect();
    let mut report_tables = vec![
        tables::shares(&flows),
        tables::matrix(&flows, tables::Side::Region, asked.rows),
        tables::matrix(&flows, tables::Side::Carrier, asked.rows),
        tables::misplaced(&flows, &misplaced, &sites, asked.rows)?,
        tables::networks(&networks, &owners, &sites, asked.rows),
    ];
    let mut notes = notes::list_words(servers, &flows);
    if !asked.moves.is_empty() {
        let period = Period::of(counted).ok_or_else(|| Error::Data(NO_TIMES.to_owned()))?;
        report_tables.push(moves::table(&flows, &asked.moves, &sites, period)?);
        notes.extend(moves::idle(&flows, &asked.moves, &sites));
    }
    let report = Report {
        schema: "bandwho.dispatch/1",
        input: counted.input(),
        facts: facts(&flows, &notes),
        tables: report_tables,
        ..Report::default()
    };
    Ok(Answer { report, networks, notes })
}

/// Why a what-if cannot be answered.
const NO_TIMES: &str = "--move bills both sides by slots of time, and no record that is counted has a time";

/// Sums of some flows: three facts, of which machines alone see the last.
fn part(
    flows: &[Flow],
    is_part: impl Fn(&Flow) -> bool,
    names: [&'static str; 3],
    labels: [&'static str; 2],
) -> [Fact; 3] {
    let fact = |name, label, unit, value| Fact { name, label, unit, value };
    let all: u128 = flows.iter().map(|flow| flow.sums.bytes).sum();
    let sums = || flows.iter().filter(|flow| is_part(flow)).map(|flow| flow.sums);
    let bytes = sums().map(|sums| sums.bytes).sum();
    let requests = sums().map(|sums| u128::from(sums.requests)).sum();
    [
        fact(names[0], labels[0], Unit::Bytes, integer(bytes)),
        fact(names[1], labels[1], Unit::Share, share(bytes, all)),
        fact(names[2], "", Unit::Count, integer(requests)),
    ]
}

fn facts(flows: &[Flow], notes: &[String]) -> Vec<Fact> {
    let fact = |name, label, unit, value| Fact { name, label, unit, value };
    let all = flows.iter().map(|flow| flow.sums.bytes).sum();
    let mut facts = vec![fact("bytes", "volume", Unit::Bytes, integer(all))];
    facts.extend(part(
        flows,
        |flow| matches!(flow.judged, Judged::Better(_)),
        ["misplaced_bytes", "misplaced_share", "misplaced_requests"],
        ["misplaced", "its share"],
    ));
    facts.extend(part(
        flows,
        |flow| flow.judged == Judged::Possibly,
        ["possibly_misplaced_bytes", "possibly_misplaced_share", "possibly_misplaced_requests"],
        ["possibly misplaced", "its share"],
    ));
    facts.extend(part(
        flows,
        |flow| flow.cloud,
        ["cloud_bytes", "cloud_share", "cloud_requests"],
        ["clouds and data centres", "their share"],
    ));
    let text = |note: &String| Cell::Text(note.as_bytes().to_vec());
    facts.push(fact("notes", "", Unit::Text, Cell::List(notes.iter().map(text).collect())));
    facts.extend(notes.iter().map(|note| fact("", "note", Unit::Text, text(note))));
    facts
}

/// What is known of a network: of the largest part of its bytes, ties by key.
#[derive(Debug, Clone)]
struct Owner {
    asn: KeyPart,
    org: KeyPart,
}

fn owners(counted: &Counted<'_>) -> BTreeMap<Vec<u8>, Owner> {
    let tally = &counted.tally.views[2];
    let mut largest: BTreeMap<Vec<u8>, (u128, Reverse<Vec<KeyPart>>)> = BTreeMap::new();
    for (group, key) in groups::keys(tally) {
        let KeyPart::Text(net) = &key[0] else { continue };
        let candidate = (tally.sums(group).bytes, Reverse(key[1..].to_vec()));
        match largest.get_mut(net) {
            Some(known) if *known >= candidate => {}
            Some(known) => *known = candidate,
            None => drop(largest.insert(net.clone(), candidate)),
        }
    }
    let kind = |(net, (_, Reverse(key))): (Vec<u8>, (u128, Reverse<Vec<KeyPart>>))| {
        (net, Owner { asn: key[0].clone(), org: key[1].clone() })
    };
    largest.into_iter().map(kind).collect()
}

/// The misplaced networks, most bytes first, ties by key.
fn networks(counted: &Counted<'_>, sites: &Sites<'_>, judge: &mut Judge<'_>, cloud: Cloud) -> Vec<Misplaced> {
    let tally = &counted.tally.views[1];
    let mut found: BTreeMap<(Vec<u8>, Idc, Idc), (u64, u128)> = BTreeMap::new();
    let mut whole: HashMap<Vec<u8>, u128, RandomState> = HashMap::default();
    for (group, key) in groups::keys(tally) {
        let Ok([region, carrier, idc, KeyPart::Text(net), kind]) = <[KeyPart; 5]>::try_from(key) else {
            continue;
        };
        let sums = tally.sums(group);
        *whole.entry(net.clone()).or_default() += sums.bytes;
        let is_asked = cloud == Cloud::Included || !flows::is_cloud(&kind);
        let Some(idc) = sites.idc(&idc).filter(|_| is_asked) else { continue };
        let client = judge.client(region, carrier);
        let Judged::Better(better) = judge.judge(client, idc) else { continue };
        let (requests, bytes) = found.entry((net, idc, better)).or_default();
        *requests += sums.requests;
        *bytes += sums.bytes;
    }
    let misplaced = |((net, idc, better), (requests, bytes)): ((Vec<u8>, Idc, Idc), (u64, u128))| {
        let net_bytes = whole.get(&net).copied().unwrap_or(bytes);
        // Networks are written by this program: addresses, a slash and a length.
        let net = String::from_utf8_lossy(&net).into_owned();
        Misplaced { net, idc, better, requests, bytes, net_bytes }
    };
    let mut networks: Vec<Misplaced> = found.into_iter().map(misplaced).collect();
    networks.sort_by_key(|misplaced| Reverse(misplaced.bytes));
    networks
}
