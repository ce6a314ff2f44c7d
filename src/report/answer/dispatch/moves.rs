//! What the bills would be if some clients were served elsewhere.

mod typed;

use std::collections::BTreeMap;

use self::typed::Typed;
use super::flows::{self, Flow};
use super::integer;
use super::price::Cost;
use super::sites::{self, Sites};
use crate::error::Error;
use crate::report::answer::groups::{self, Group, Period};
use crate::report::answer::{column, key_column, spare};
use crate::report::{Cell, Table, Unit};
use crate::servers::fit::Whereabouts;
use crate::servers::{Idc, Servers};

/// Clients to be served elsewhere: `region=CN-GD,carrier=China Telecom:bj->gz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// As it was typed.
    pub typed: String,
    /// Which clients.
    pub clients: Whereabouts,
    /// Who serves them.
    pub from: Idc,
    /// Who would.
    pub to: Idc,
}

impl Move {
    /// Reads what was typed; the error is the reason.
    pub fn parse(text: &str, servers: &Servers) -> Result<Self, String> {
        let Typed { clients, from, to } = Typed::parse(text)?;
        let idc = |name: &str| {
            sites::idc(servers, name.as_bytes())
                .ok_or_else(|| format!("`{name}` is no data centre of the server list"))
        };
        let (from, to) = (idc(&from)?, idc(&to)?);
        if from == to {
            return Err("from and to are the same".to_owned());
        }
        Ok(Self { typed: text.to_owned(), clients, from, to })
    }

    fn takes(&self, flow: &Flow) -> bool {
        flow.idc == Some(self.from) && flow.client.is_among(&self.clients)
    }
}

/// The bills of all data centres that lose or gain clients, before and after.
pub(super) fn table(
    flows: &[Flow],
    moves: &[Move],
    sites: &Sites<'_>,
    period: Period,
) -> Result<Table, Error> {
    let before = flows::series(flows);
    let mut after = before.clone();
    let mut volumes: BTreeMap<Idc, (u128, u128)> = BTreeMap::new();
    for step in moves {
        volumes.entry(step.from).or_default();
        volumes.entry(step.to).or_default();
        after.entry(step.to).or_default();
    }
    for flow in flows {
        let Some(step) = moves.iter().find(|step| step.takes(flow)) else { continue };
        volumes.entry(step.from).or_default().0 += flow.sums.bytes;
        volumes.entry(step.to).or_default().1 += flow.sums.bytes;
        for (slot, bytes) in &flow.samples {
            if let Some(sample) = after.entry(step.from).or_default().samples.get_mut(slot) {
                // The series is the sum of its flows, and each is moved once.
                *sample = sample.saturating_sub(*bytes);
            }
            *after.entry(step.to).or_default().samples.entry(*slot).or_default() += bytes;
        }
    }
    let p95 = |series: &BTreeMap<Idc, Group>, idc: Idc| {
        let none = Group::default();
        // A period has a slot, and so a 95th.
        groups::p95(series.get(&idc).unwrap_or(&none), Some(period)).unwrap_or(0)
    };
    let mut rows = Vec::new();
    let mut sums = [Some(Cost::default()); 2];
    for (idc, (out, into)) in volumes {
        let rates = [p95(&before, idc), p95(&after, idc)];
        let costs = [sites.cost(idc, rates[0])?, sites.cost(idc, rates[1])?];
        for (sum, cost) in sums.iter_mut().zip(costs) {
            *sum = sum.zip(cost).map(|(sum, cost)| sum.plus(cost)).transpose()?;
        }
        let mut row =
            vec![text(sites.name(idc)), integer(out), integer(into), integer(rates[0]), integer(rates[1])];
        row.push(sites.price(idc).map_or(Cell::Null, text));
        row.extend(amounts(costs));
        rows.push(row);
    }
    let mut total = vec![Cell::Null; 6];
    total.extend(amounts(sums));
    Ok(Table {
        name: "moves".to_owned(),
        title: format!("If they were moved: 95th and amounts over {} slots", period.slots),
        by: vec!["idc".to_owned()],
        columns: vec![
            key_column("idc", Unit::Text),
            spare(1, column("bytes_out", Unit::Bytes)),
            spare(1, column("bytes_in", Unit::Bytes)),
            column("p95_before", Unit::Bps),
            column("p95_after", Unit::Bps),
            spare(3, column("price", Unit::Decimal)),
            spare(2, column("amount_before", Unit::Decimal)),
            column("amount_after", Unit::Decimal),
            column("amount_change", Unit::Decimal),
        ],
        rows,
        other: None,
        total: Some(total),
    })
}

/// A sentence for each what-if that moves nothing, with what it looked for.
pub(super) fn idle(flows: &[Flow], moves: &[Move], sites: &Sites<'_>) -> Vec<String> {
    let mut taken = vec![0_u128; moves.len()];
    let mut wanted = vec![false; moves.len()];
    for flow in flows.iter().filter(|flow| flow.sums.bytes > 0) {
        let mut takers = (0..moves.len()).filter(|&at| moves[at].takes(flow));
        if let Some(first) = takers.next() {
            taken[first] += flow.sums.bytes;
            takers.for_each(|at| wanted[at] = true);
        }
    }
    let sentence = |(at, step): (usize, &Move)| {
        let Move { typed, clients, from, to: _ } = step;
        let from = sites.name(*from);
        let why = if wanted[at] {
            format!("an earlier one moves those clients of {from}")
        } else {
            let region = clients.region().map(|region| format!("region {region}"));
            let carrier = clients.carrier().map(|carrier| format!("carrier {carrier}"));
            let looked: Vec<String> = region.into_iter().chain(carrier).collect();
            format!("{from} has no bytes of clients of {}", looked.join(" and "))
        };
        format!("--move {typed} moves nothing: {why}")
    };
    moves.iter().enumerate().filter(|(at, _)| taken[*at] == 0).map(sentence).collect()
}

/// Before, after, and what changes; nothing where a price is not known.
fn amounts([before, after]: [Option<Cost>; 2]) -> [Cell; 3] {
    let amount = |cost: Option<Cost>| cost.map_or(Cell::Null, |cost| text(&cost.shown()));
    let change = before.zip(after).map_or(Cell::Null, |(before, after)| text(&after.minus(before)));
    [amount(before), amount(after), change]
}

fn text(words: &str) -> Cell {
    Cell::Text(words.as_bytes().to_vec())
}
