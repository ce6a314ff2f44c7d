//! `bandwho dispatch`: whether clients are served where they should be, and what it costs that they are not.
//!
//! docs/DISPATCH.md defines every number.

mod flows;
mod moves;
mod sites;
mod tables;

pub use self::moves::Move;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use self::flows::Flow;
use self::sites::Sites;
use super::groups::{self, KeyPart, Period};
use super::{Counted, integer, share};
use crate::error::Error;
use crate::query::{Dimension, Series, View};
use crate::report::{Fact, Report, Unit};
use crate::servers::fit::Whereabouts;
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
}

/// The answer, and the misplaced networks in full, most bytes first.
#[derive(Debug)]
pub struct Answer {
    /// What is shown.
    pub report: Report,
    /// What can be exported.
    pub networks: Vec<Misplaced>,
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
    let flows = flows::flows(counted, servers);
    let period = Period::of(counted);
    let owners = owners(counted);
    let networks = networks(counted, &sites, asked.cloud);
    let misplaced: Vec<(&Flow, Idc)> =
        flows.iter().filter_map(|flow| Some((flow, flow.better(&sites, asked.cloud)?))).collect();
    let mut report_tables = vec![
        tables::shares(&flows, &sites),
        tables::matrix(&flows, &sites, tables::Side::Region, asked.rows),
        tables::matrix(&flows, &sites, tables::Side::Carrier, asked.rows),
        tables::misplaced(&flows, &misplaced, &sites, asked.rows)?,
        tables::networks(&networks, &owners, &sites, asked.rows),
    ];
    if !asked.moves.is_empty() {
        report_tables.push(moves::table(&flows, &asked.moves, &sites, period)?);
    }
    let report = Report {
        schema: "bandwho.dispatch/1",
        input: counted.input(),
        facts: facts(&flows, &misplaced),
        tables: report_tables,
        ..Report::default()
    };
    Ok(Answer { report, networks })
}

fn facts(flows: &[Flow], misplaced: &[(&Flow, Idc)]) -> Vec<Fact> {
    let all: u128 = flows.iter().map(|flow| flow.sums.bytes).sum();
    let cloud = || flows.iter().filter(|flow| flow.cloud).map(|flow| flow.sums);
    let wrong = || misplaced.iter().map(|(flow, _)| flow.sums);
    let fact = |name, label, unit, value| Fact { name, label, unit, value };
    let wrong_bytes = wrong().map(|sums| sums.bytes).sum();
    let cloud_bytes = cloud().map(|sums| sums.bytes).sum();
    vec![
        fact("bytes", "volume", Unit::Bytes, integer(all)),
        fact("misplaced_bytes", "misplaced", Unit::Bytes, integer(wrong_bytes)),
        fact("misplaced_share", "its share", Unit::Share, share(wrong_bytes, all)),
        fact(
            "misplaced_requests",
            "",
            Unit::Count,
            integer(wrong().map(|sums| u128::from(sums.requests)).sum()),
        ),
        fact("cloud_bytes", "clouds and data centres", Unit::Bytes, integer(cloud_bytes)),
        fact("cloud_share", "their share", Unit::Share, share(cloud_bytes, all)),
        fact("cloud_requests", "", Unit::Count, integer(cloud().map(|sums| u128::from(sums.requests)).sum())),
    ]
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
fn networks(counted: &Counted<'_>, sites: &Sites<'_>, cloud: Cloud) -> Vec<Misplaced> {
    let tally = &counted.tally.views[1];
    let mut found: BTreeMap<(Vec<u8>, Idc, Idc), (u64, u128)> = BTreeMap::new();
    // Many networks are in few places.
    let mut known: BTreeMap<(KeyPart, KeyPart, Idc), Option<Idc>> = BTreeMap::new();
    for (group, key) in groups::keys(tally) {
        let [region, carrier, idc, KeyPart::Text(net), kind] = key.as_slice() else { continue };
        let is_cloud = flows::is_cloud(kind);
        let Some(idc) = sites.idc(idc).filter(|_| cloud == Cloud::Included || !is_cloud) else { continue };
        let better = known
            .entry((region.clone(), carrier.clone(), idc))
            .or_insert_with(|| sites.better(&whereabouts(region, carrier), idc));
        let Some(better) = *better else { continue };
        let (requests, bytes) = found.entry((net.clone(), idc, better)).or_default();
        let sums = tally.sums(group);
        *requests += sums.requests;
        *bytes += sums.bytes;
    }
    let misplaced = |((net, idc, better), (requests, bytes)): ((Vec<u8>, Idc, Idc), (u64, u128))| {
        // Networks are written by this program: addresses, a slash and a length.
        let net = String::from_utf8_lossy(&net).into_owned();
        Misplaced { net, idc, better, requests, bytes }
    };
    let mut networks: Vec<Misplaced> = found.into_iter().map(misplaced).collect();
    networks.sort_by_key(|misplaced| Reverse(misplaced.bytes));
    networks
}

fn whereabouts(region: &KeyPart, carrier: &KeyPart) -> Whereabouts {
    let text = |part: &KeyPart| match part {
        KeyPart::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    };
    Whereabouts::new(text(region).as_deref(), text(carrier).as_deref())
}
