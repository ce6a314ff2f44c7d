//! What the bills would be if some clients were served elsewhere.

use std::collections::BTreeMap;

use super::flows::{self, Flow};
use super::integer;
use super::sites::{self, Sites, difference};
use crate::billing::decimal::Decimal;
use crate::billing::ratio::Ratio;
use crate::error::Error;
use crate::place::named;
use crate::report::answer::groups::{self, Group, Period};
use crate::report::answer::{column, key_column};
use crate::report::{Cell, Table, Unit};
use crate::servers::fit::Whereabouts;
use crate::servers::{Idc, Servers};

/// Digits of an amount of money.
const MONEY_DIGITS: u32 = 2;

/// Clients to be served elsewhere: `region=CN-GD,carrier=China Telecom:bj->gz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
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
        let form = || "expected a form such as region=CN-GD:bj->gz".to_owned();
        let (clients, to) = text.split_once("->").ok_or_else(form)?;
        let (clients, from) = clients.rsplit_once(':').ok_or_else(form)?;
        let (mut region, mut carrier) = (None, None);
        for condition in clients.split(',') {
            let (key, value) = condition.split_once('=').ok_or_else(form)?;
            let value = value.trim();
            let place = match key.trim() {
                "region" | "country" => named::region(Some(value), None),
                "province" => named::region(None, Some(value)),
                "carrier" if !value.is_empty() && carrier.is_none() => {
                    carrier = Some(value);
                    continue;
                }
                "carrier" => return Err(form()),
                other => return Err(format!("`{other}` is none of region, province, country and carrier")),
            };
            let place = place.ok_or_else(|| format!("`{value}` is no region that is known"))?;
            // A part that nobody knows must not stand for the whole country.
            if value.contains('-') && !place.contains('-') {
                return Err(format!("`{value}` is no region that is known; the country is `{place}`"));
            }
            if region.replace(place).is_some() {
                return Err("more than one region; give --move once for each".to_owned());
            }
        }
        let idc = |name: &str| {
            let name = name.trim();
            sites::idc(servers, name.as_bytes())
                .ok_or_else(|| format!("`{name}` is no data centre of the server list"))
        };
        let (from, to) = (idc(from)?, idc(to)?);
        if from == to {
            return Err("from and to are the same".to_owned());
        }
        Ok(Self { clients: Whereabouts::new(region.as_deref(), carrier), from, to })
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
    period: Option<Period>,
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
        groups::p95(series.get(&idc).unwrap_or(&none), period).unwrap_or(0)
    };
    let mut rows = Vec::new();
    let mut sums = [Some(Ratio::ZERO), Some(Ratio::ZERO)];
    for (idc, (out, into)) in volumes {
        let rates = [p95(&before, idc), p95(&after, idc)];
        let costs = [sites.cost(idc, rates[0])?, sites.cost(idc, rates[1])?];
        for (sum, cost) in sums.iter_mut().zip(costs) {
            *sum = sum.zip(cost).map(|(sum, cost)| sum.plus(cost)).transpose().map_err(Error::Data)?;
        }
        let mut row =
            vec![text(sites.name(idc)), integer(out), integer(into), integer(rates[0]), integer(rates[1])];
        row.push(sites.price(idc).map_or(Cell::Null, |price| text(&price.to_string())));
        row.extend(amounts(costs)?);
        rows.push(row);
    }
    let mut total = vec![Cell::Null; 6];
    total.extend(amounts(sums)?);
    Ok(Table {
        name: "moves".to_owned(),
        title: format!(
            "If they were moved: 95th and amounts over {} slots",
            period.map_or(0, |period| period.slots)
        ),
        by: vec!["idc".to_owned()],
        columns: vec![
            key_column("idc", Unit::Text),
            column("bytes_out", Unit::Bytes),
            column("bytes_in", Unit::Bytes),
            column("p95_before", Unit::Bps),
            column("p95_after", Unit::Bps),
            column("price", Unit::Decimal),
            column("amount_before", Unit::Decimal),
            column("amount_after", Unit::Decimal),
            column("amount_change", Unit::Decimal),
        ],
        rows,
        other: None,
        total: Some(total),
    })
}

/// Before, after, and what changes; nothing where a price is not known.
fn amounts(costs: [Option<Ratio>; 2]) -> Result<Vec<Cell>, Error> {
    let amount = |cost: Option<Ratio>| -> Result<Cell, Error> {
        let Some(cost) = cost else { return Ok(Cell::Null) };
        Ok(text(&Decimal::round(cost, MONEY_DIGITS).map_err(Error::Data)?.to_string()))
    };
    let [before, after] = costs;
    let change = match before.zip(after) {
        Some((before, after)) => text(&difference(after, before, MONEY_DIGITS)?),
        None => Cell::Null,
    };
    Ok(vec![amount(before)?, amount(after)?, change])
}

fn text(words: &str) -> Cell {
    Cell::Text(words.as_bytes().to_vec())
}
