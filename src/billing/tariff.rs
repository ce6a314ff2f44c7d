//! Quantity × price → invoice. Exact until each line is rounded half up, once.

use super::decimal::Decimal;
use super::method::{Billed, Quantity};
use super::ratio::{Ratio, TOO_LARGE};
use super::words::{Proration, VolumeUnit};

/// The price of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// What a unit costs per period: 1 Mbps, 1 GB or GiB under `volume`, the port under `flat`. `None`: no money is shown.
    pub price: Option<Price>,
    /// The least that is billed, in bit/s, or in bytes under `volume`.
    pub commit: Option<u128>,
    /// How the fee follows the valid days.
    pub proration: Proration,
    /// What a price under `volume` is per: 1 GB or 1 GiB.
    pub volume_unit: VolumeUnit,
    /// Digits of an amount after the point.
    pub digits: u32,
}

/// What a unit costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Price {
    /// The same for all.
    Single(Decimal),
    /// Each tier's slice at its own price (累进).
    Slices(Vec<Tier>),
    /// All at the price of the tier that is reached (到达).
    Reached(Vec<Tier>),
}

/// A price and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The largest quantity of this tier, in bit/s, or in bytes under `volume`; `None` only in the last tier.
    pub up_to: Option<u128>,
    /// Per Mbps, GB or GiB.
    pub price: Decimal,
}

/// A line of an invoice: `quantity × price × days ÷ of_days`, rounded half up to the contract's digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is for: `measured` or `commit`, with the bounds of the tier if it is one of several.
    pub description: String,
    /// Of `unit`; exact for Mbps and decimal GB, else rounded to nine digits for display only.
    pub quantity: Decimal,
    /// `Mbps`, `GB`, `GiB` or `port`.
    pub unit: &'static str,
    /// Per unit and period.
    pub price: Decimal,
    /// Valid days and days of the period if the fee is prorated.
    pub days: Option<(u64, u64)>,
    /// What it costs.
    pub amount: Decimal,
}

/// What a port costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// The larger of commit and measured quantity.
    pub billed: Quantity,
    /// How far the measured quantity stays below the commit, in bit/s or bytes; `None` without a commit, or above it.
    pub below_commit: Option<u128>,
    /// The lines; none without a price.
    pub lines: Vec<Line>,
    /// Their sum; `None` without a price.
    pub total: Option<Decimal>,
}

/// The invoice for what was measured. The error is the reason.
pub fn invoice(billed: &Billed, tariff: &Tariff) -> Result<Invoice, String> {
    charge(billed.quantity, (billed.valid_days, billed.period_days), tariff)
}

/// The invoice for a quantity; `days` are the valid days and the days of the period. The error is the reason.
pub fn charge(measured: Quantity, days: (u64, u64), tariff: &Tariff) -> Result<Invoice, String> {
    let commit = tariff.commit.filter(|_| measured != Quantity::Port);
    let below_commit =
        commit.and_then(|commit| commit.checked_sub(measured.number())).filter(|below| *below > 0);
    let billed = match (below_commit.and(commit), measured) {
        (Some(commit), Quantity::Rate(_)) => Quantity::Rate(commit),
        (Some(commit), Quantity::Volume(_)) => Quantity::Volume(commit),
        _ => measured,
    };
    let mut invoice = Invoice { billed, below_commit, lines: Vec::new(), total: None };
    let Some(price) = &tariff.price else { return Ok(invoice) };
    let what = if below_commit.is_some() { "commit" } else { "measured" };
    let days = (tariff.proration == Proration::ValidDays).then_some(days);
    let unit = Unit::of(billed, tariff.volume_unit);
    let mut total = Decimal::round(Ratio::ZERO, tariff.digits)?;
    for Slice { description, quantity, price } in slices(what, billed.number(), price, &unit)? {
        let line = unit.line(description, quantity, price, days, tariff.digits)?;
        total = total.plus(line.amount)?;
        invoice.lines.push(line);
    }
    invoice.total = Some(total);
    Ok(invoice)
}

/// A part of the quantity with one price.
struct Slice {
    description: String,
    quantity: u128,
    price: Decimal,
}

/// What a price is per.
struct Unit {
    name: &'static str,
    size: u128,
    /// Digits that show a quantity exactly, except in binary units, which have more than anyone wants to see.
    digits: u32,
}

fn slices(what: &str, quantity: u128, price: &Price, unit: &Unit) -> Result<Vec<Slice>, String> {
    let whole = |price| vec![Slice { description: what.to_owned(), quantity, price }];
    match price {
        Price::Single(price) => Ok(whole(*price)),
        Price::Reached(tiers) => {
            let reached = tiers.iter().find(|tier| tier.up_to.is_none_or(|up_to| quantity <= up_to));
            Ok(whole(reached.ok_or("the tiers end below the billed quantity")?.price))
        }
        Price::Slices(tiers) => {
            let (mut slices, mut from) = (Vec::new(), 0);
            for tier in tiers {
                let until = tier.up_to.map_or(quantity, |up_to| up_to.min(quantity));
                // The first tier is shown even if nothing was sent: an invoice has a line.
                if until > from || slices.is_empty() {
                    let bounds = match tier.up_to {
                        Some(up_to) => {
                            format!("{} to {} {}", unit.shown(from)?, unit.shown(up_to)?, unit.name)
                        }
                        None => format!("above {} {}", unit.shown(from)?, unit.name),
                    };
                    let description = format!("{what}, {bounds}");
                    slices.push(Slice { description, quantity: until - from, price: tier.price });
                    from = until;
                }
            }
            if from < quantity {
                Err("the tiers end below the billed quantity".to_owned())
            } else {
                Ok(slices)
            }
        }
    }
}

impl Unit {
    fn of(quantity: Quantity, volume: VolumeUnit) -> Self {
        match quantity {
            Quantity::Rate(_) => Self { name: "Mbps", size: 1_000_000, digits: 6 },
            Quantity::Volume(_) => Self { name: volume.gigabyte_name(), size: volume.gigabyte(), digits: 9 },
            Quantity::Port => Self { name: "port", size: 1, digits: 0 },
        }
    }

    fn shown(&self, quantity: u128) -> Result<Decimal, String> {
        Ok(Decimal::round(Ratio::new(quantity, self.size).ok_or(TOO_LARGE)?, self.digits)?.trimmed())
    }

    fn line(
        &self,
        description: String,
        quantity: u128,
        price: Decimal,
        days: Option<(u64, u64)>,
        digits: u32,
    ) -> Result<Line, String> {
        let share = match days {
            Some((valid, all)) => {
                Ratio::new(u128::from(valid), u128::from(all)).ok_or("a period of no days")?
            }
            None => Ratio::whole(1),
        };
        let exact = Ratio::new(quantity, self.size).ok_or(TOO_LARGE)?.times(price.ratio())?.times(share)?;
        Ok(Line {
            description,
            quantity: self.shown(quantity)?,
            unit: self.name,
            price,
            days,
            amount: Decimal::round(exact, digits)?,
        })
    }
}
