//! A contract: what is billed, how, and for how much, from a TOML file.

mod read;

use super::method::Terms;
use super::tariff::{Price, Tariff};
use super::words::{Missing, Proration, Scope, VolumeUnit};
use crate::time::Zone;

/// A commented contract that uses every key.
pub const EXAMPLE: &str = include_str!("contract/example.toml");

/// The longest contract in bytes.
pub const CONTRACT_BYTES_MAX: usize = 1 << 20;

/// The most ports of a contract.
pub const PORTS_MAX: usize = 1000;

/// The most places on all ports.
pub const MEMBERS_MAX: usize = 10_000;

/// The most tiers of a price.
pub const TIERS_MAX: usize = 100;

/// The most digits of an amount.
pub const AMOUNT_DIGITS_MAX: u32 = 8;

/// Seconds of a slot if nothing else is said.
pub const SLOT_DEFAULT: u32 = 300;

/// What is billed, how, and for how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Whose contract it is; empty if it does not say.
    pub name: String,
    /// As it is printed: `CNY`; empty if it does not say.
    pub currency: String,
    /// Digits of an amount after the point.
    pub digits: u32,
    /// The zone of days and months; `None`: the report's.
    pub zone: Option<Zone>,
    /// Seconds of a slot.
    pub slot: u32,
    /// The day of a month on which a period begins.
    pub period_day: u8,
    /// What slots without logs count as; the same in the terms of every port.
    pub missing: Missing,
    /// At least one. No place is on two of them.
    pub ports: Vec<Port>,
}

/// One port or group of places that is billed on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// What it is called on the bill.
    pub name: String,
    /// Whose bytes are on it.
    pub members: Members,
    /// Several members: together or each by itself, with the commit and the tiers for each. Under
    /// [`Members::Everything`] that is each data centre by itself.
    pub scope: Scope,
    /// How it is measured.
    pub terms: Terms,
    /// What it costs.
    pub tariff: Tariff,
}

/// Whose bytes are on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// All records.
    Everything,
    /// Data centres, as the server list names them.
    Idcs(Vec<String>),
    /// Serving machines, by address or name as the logs have them.
    Servers(Vec<String>),
}

/// Where a contract is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadContract {
    /// Line, from 1.
    pub line: usize,
    /// Column in letters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl Contract {
    /// Reads a contract. Defaults are those of the command line: one port with everything, p95, slots of five minutes.
    pub fn parse(text: &str) -> Result<Self, BadContract> {
        read::contract(text)
    }
}

impl BadContract {
    /// `contract.toml:3:9: unknown key …`.
    pub fn in_file(&self, file: &str) -> String {
        format!("{file}:{}:{}: {}", self.line, self.column, self.message)
    }
}

/// One port with everything, at no price.
impl Default for Contract {
    fn default() -> Self {
        Self {
            name: String::new(),
            currency: String::new(),
            digits: 2,
            zone: None,
            slot: SLOT_DEFAULT,
            period_day: 1,
            missing: Missing::Exclude,
            ports: vec![Port::default()],
        }
    }
}

impl Default for Port {
    fn default() -> Self {
        Self {
            name: "all".to_owned(),
            members: Members::Everything,
            scope: Scope::SumThenRate,
            terms: Terms::default(),
            tariff: Tariff {
                price: None::<Price>,
                commit: None,
                proration: Proration::None,
                volume_unit: VolumeUnit::Decimal,
                digits: 2,
            },
        }
    }
}

#[cfg(test)]
mod tests;
