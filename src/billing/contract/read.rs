//! TOML → contract. The tree is walked by hand, because prices are read as they are written, not as the nearest
//! float, and because every fault should name its place and the key that was meant.

use std::collections::{HashMap, HashSet};

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::{
    AMOUNT_DIGITS_MAX, BadContract, CONTRACT_BYTES_MAX, Contract, MEMBERS_MAX, Members, PORTS_MAX, Port,
    TIERS_MAX,
};
use crate::billing::decimal::Decimal;
use crate::billing::method::Terms;
use crate::billing::rank::RankRule;
use crate::billing::tariff::{Price, Tariff, Tier};
use crate::billing::words::{
    Direction, Method, Missing, Overhead, Proration, Scope, ValidDays, VolumeUnit, parse_commit, parse_mean,
    parse_rank,
};
use crate::query::dimension::nearest;
use crate::time::{Zone, slot_length};

/// Keys of the whole contract.
const CONTRACT_KEYS: [&str; 8] =
    ["name", "currency", "digits", "zone", "slot", "period_day", "missing", "port"];

/// Keys of one port.
const PORT_KEYS: [&str; 3] = ["name", "idc", "server"];

/// Keys of a port that may also stand at the top, for all ports.
const TERM_KEYS: [&str; 13] = [
    "method",
    "rank",
    "mean",
    "direction",
    "scope",
    "commit",
    "price",
    "tiers",
    "tier_rule",
    "overhead",
    "valid_days",
    "proration",
    "volume_unit",
];

const TIER_KEYS: [&str; 2] = ["up_to", "price"];

/// Every key there is, once.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    let port = PORT_KEYS.into_iter().filter(|key| !CONTRACT_KEYS.contains(key));
    let tier = TIER_KEYS.into_iter().filter(|key| !TERM_KEYS.contains(key));
    CONTRACT_KEYS.into_iter().chain(port).chain(TERM_KEYS).chain(tier)
}

type Value<'t> = Spanned<DeValue<'t>>;

/// What is wrong, at a byte of the text.
struct Fault {
    at: usize,
    message: String,
}

/// A value and where it stands.
#[derive(Clone)]
struct At<T> {
    value: T,
    at: usize,
}

/// The keys of [`TERM_KEYS`] that a table has. Quantities wait as text until the method says what they are, and so does
/// the length of samples until the slot is known.
#[derive(Clone, Default)]
struct Stated {
    method: Option<Method>,
    rank: Option<RankRule>,
    mean: Option<At<String>>,
    direction: Option<Direction>,
    scope: Option<Scope>,
    commit: Option<At<String>>,
    price: Option<At<Decimal>>,
    tiers: Option<At<Vec<StatedTier>>>,
    tier_rule: Option<TierRule>,
    overhead: Option<Overhead>,
    valid_days: Option<ValidDays>,
    proration: Option<Proration>,
    volume_unit: Option<VolumeUnit>,
}

#[derive(Clone)]
struct StatedTier {
    up_to: Option<At<String>>,
    price: Decimal,
    at: usize,
}

#[derive(Clone, Copy)]
enum TierRule {
    Slice,
    Reached,
}

/// Who was named first, to refuse whoever is named twice.
#[derive(Default)]
struct Claims {
    ports: HashSet<String>,
    members: HashMap<(&'static str, String), String>,
    everything: Option<String>,
}

pub(super) fn contract(text: &str) -> Result<Contract, BadContract> {
    let fault = if text.len() > CONTRACT_BYTES_MAX {
        Fault { at: 0, message: format!("a contract of more than {CONTRACT_BYTES_MAX} bytes") }
    } else {
        match DeTable::parse(text) {
            Ok(table) => match whole(table.get_ref()) {
                Ok(contract) => return Ok(contract),
                Err(fault) => fault,
            },
            Err(error) => {
                let message = error.message().lines().collect::<Vec<_>>().join(", ");
                Fault { at: error.span().map_or(0, |span| span.start), message }
            }
        }
    };
    let before = text.get(..fault.at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Err(BadContract {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        message: fault.message,
    })
}

fn whole(table: &DeTable<'_>) -> Result<Contract, Fault> {
    let mut contract = Contract::default();
    let (mut defaults, mut ports) = (Stated::default(), None);
    for (key, at, value) in entries(table) {
        match key {
            "name" => contract.name = text(value)?.to_owned(),
            "currency" => contract.currency = text(value)?.to_owned(),
            "digits" => contract.digits = small(value, 0, AMOUNT_DIGITS_MAX)?,
            "zone" => contract.zone = Some(word(value, Zone::parse)?),
            "slot" => contract.slot = length(value)?,
            "period_day" => {
                contract.period_day = u8::try_from(small(value, 1, 31)?).unwrap_or(1);
            }
            "missing" => contract.missing = word(value, Missing::parse)?,
            "port" => ports = Some(array(value)?),
            _ if defaults.read(key, value)? => {}
            _ => return Err(unknown_key(key, at, &[&CONTRACT_KEYS, &TERM_KEYS], "a contract")),
        }
    }
    let mut claims = Claims::default();
    contract.ports = match ports {
        None => vec![port(Port::default().name, Members::Everything, &defaults, &contract)?],
        Some((ports, at)) => {
            if ports.is_empty() || ports.len() > PORTS_MAX {
                return Err(Fault { at, message: format!("expected 1 to {PORTS_MAX} ports") });
            }
            let read = ports.iter().map(|table| one_port(table, &defaults, &contract, &mut claims));
            read.collect::<Result<_, _>>()?
        }
    };
    Ok(contract)
}

fn one_port(
    value: &Value<'_>,
    defaults: &Stated,
    contract: &Contract,
    claims: &mut Claims,
) -> Result<Port, Fault> {
    let start = value.span().start;
    let table = value.get_ref().as_table();
    let table = table.ok_or_else(|| expected(value, "a table; write [[port]] above its keys"))?;
    let (mut name, mut idcs, mut servers, mut own) = (None, None, None, Stated::default());
    for (key, at, value) in entries(table) {
        match key {
            "name" => name = Some(At { value: text(value)?.to_owned(), at: value.span().start }),
            "idc" => idcs = Some(texts(value)?),
            "server" => servers = Some((texts(value)?, at)),
            _ if own.read(key, value)? => {}
            "slot" | "missing" | "zone" | "currency" | "digits" | "period_day" => {
                let message =
                    format!("`{key}` holds for the whole contract; write it above the first [[port]]");
                return Err(Fault { at, message });
            }
            _ => return Err(unknown_key(key, at, &[&PORT_KEYS, &TERM_KEYS], "a port")),
        }
    }
    let name = name.ok_or_else(|| Fault { at: start, message: "a port without `name`".to_owned() })?;
    claims.port(&name)?;
    let members = match (idcs, servers) {
        (Some(_), Some((_, at))) => {
            return Err(Fault { at, message: "a port has `idc` or `server`, not both".to_owned() });
        }
        (Some(idcs), None) => Members::Idcs(claims.take("idc", idcs, &name.value)?),
        (None, Some((servers, _))) => Members::Servers(claims.take("server", servers, &name.value)?),
        (None, None) => Members::Everything,
    };
    claims.everything(&members, &name)?;
    port(name.value, members, &own.over(defaults), contract)
}

/// The port that was stated.
fn port(name: String, members: Members, stated: &Stated, contract: &Contract) -> Result<Port, Fault> {
    let base = Terms::default();
    let mean = stated.mean.as_ref().map(|At { value, at }| {
        parse_mean(value, contract.slot).map_err(|message| Fault { at: *at, message })
    });
    let mean = mean.transpose()?;
    let terms = Terms {
        method: stated.method.unwrap_or(base.method),
        rank: stated.rank.unwrap_or(base.rank),
        mean,
        direction: stated.direction.unwrap_or(base.direction),
        missing: contract.missing,
        valid_days: stated.valid_days.unwrap_or(base.valid_days),
        overhead: stated.overhead.unwrap_or(base.overhead),
    };
    let unit = stated.volume_unit.unwrap_or_default();
    let quantity = |text: &At<String>| {
        parse_commit(&text.value, terms.method, unit).map_err(|message| Fault { at: text.at, message })
    };
    let price = match (&stated.tiers, &stated.price) {
        (Some(tiers), _) => Some(tiered(tiers, stated.tier_rule, terms.method, quantity)?),
        (None, price) => price.as_ref().map(|price| Price::Single(price.value)),
    };
    let tariff = Tariff {
        price,
        commit: stated.commit.as_ref().map(quantity).transpose()?,
        proration: stated.proration.unwrap_or_default(),
        volume_unit: unit,
        digits: contract.digits,
    };
    Ok(Port { name, members, scope: stated.scope.unwrap_or_default(), terms, tariff })
}

fn tiered(
    tiers: &At<Vec<StatedTier>>,
    rule: Option<TierRule>,
    method: Method,
    quantity: impl Fn(&At<String>) -> Result<u128, Fault>,
) -> Result<Price, Fault> {
    let fault = |at, message: &str| Fault { at, message: message.to_owned() };
    if method == Method::Flat {
        return Err(fault(tiers.at, "a flat port has one price and no tiers"));
    }
    let rule = rule.ok_or_else(|| fault(tiers.at, "tiers need a `tier_rule`: slice or reached"))?;
    let mut read: Vec<Tier> = Vec::with_capacity(tiers.value.len());
    for (number, tier) in (1..).zip(&tiers.value) {
        let up_to = tier.up_to.as_ref().map(&quantity).transpose()?;
        if up_to.is_none() != (number == tiers.value.len()) {
            return Err(fault(tier.at, "every tier but the last needs `up_to`, and the last has none"));
        }
        let before = read.last().and_then(|tier| tier.up_to).unwrap_or(0);
        if up_to.is_some_and(|up_to| up_to <= before) {
            return Err(fault(tier.at, "a tier must reach farther than the one before it"));
        }
        read.push(Tier { up_to, price: tier.price });
    }
    Ok(match rule {
        TierRule::Slice => Price::Slices(read),
        TierRule::Reached => Price::Reached(read),
    })
}

impl Stated {
    /// Reads one key; `false` if it is none of [`TERM_KEYS`].
    fn read(&mut self, key: &str, value: &Value<'_>) -> Result<bool, Fault> {
        let at = value.span().start;
        match key {
            "method" => self.method = Some(word(value, Method::parse)?),
            "rank" => self.rank = Some(word(value, parse_rank)?),
            "mean" => self.mean = Some(At { value: written(value, |text| Ok(text.to_owned()))?, at }),
            "direction" => self.direction = Some(word(value, Direction::parse)?),
            "scope" => self.scope = Some(word(value, Scope::parse)?),
            "commit" => self.commit = Some(At { value: text(value)?.to_owned(), at }),
            "price" => self.price = Some(At { value: number(value)?, at }),
            "tiers" => self.tiers = Some(At { value: tiers(value)?, at }),
            "tier_rule" => self.tier_rule = Some(word(value, TierRule::parse)?),
            "overhead" => self.overhead = Some(written(value, Overhead::parse)?),
            "valid_days" => self.valid_days = Some(word(value, ValidDays::parse)?),
            "proration" => self.proration = Some(word(value, Proration::parse)?),
            "volume_unit" => self.volume_unit = Some(word(value, VolumeUnit::parse)?),
            _ => return Ok(false),
        }
        if let (Some(_), Some(_)) = (&self.price, &self.tiers) {
            return Err(Fault { at, message: "either `price` or `tiers`, not both".to_owned() });
        }
        Ok(true)
    }

    /// What the port states, and the defaults for what it does not. A price of its own replaces tiers, and a method
    /// of another unit, such as bytes for bit/s, takes no prices and no commit from the defaults.
    fn over(self, defaults: &Self) -> Self {
        let defaults = defaults.clone();
        let own_price = self.price.is_some() || self.tiers.is_some();
        let same_unit = unit(self.method.or(defaults.method)) == unit(defaults.method);
        let inherits_price = !own_price && same_unit;
        Self {
            method: self.method.or(defaults.method),
            rank: self.rank.or(defaults.rank),
            mean: self.mean.or(defaults.mean),
            direction: self.direction.or(defaults.direction),
            scope: self.scope.or(defaults.scope),
            commit: self.commit.or(defaults.commit.filter(|_| same_unit)),
            price: self.price.or(defaults.price.filter(|_| inherits_price)),
            tiers: self.tiers.or(defaults.tiers.filter(|_| inherits_price)),
            tier_rule: self.tier_rule.or(defaults.tier_rule),
            overhead: self.overhead.or(defaults.overhead),
            valid_days: self.valid_days.or(defaults.valid_days),
            proration: self.proration.or(defaults.proration),
            volume_unit: self.volume_unit.or(defaults.volume_unit),
        }
    }
}

/// What a method's price is per.
fn unit(method: Option<Method>) -> &'static str {
    match method {
        Some(Method::Volume) => "bytes",
        Some(Method::Flat) => "port",
        _ => "Mbps",
    }
}

impl TierRule {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "slice" => Ok(Self::Slice),
            "reached" => Ok(Self::Reached),
            other => Err(crate::billing::words::unknown("tier rule", other, &["slice", "reached"])),
        }
    }
}

impl Claims {
    fn port(&mut self, name: &At<String>) -> Result<(), Fault> {
        if self.ports.insert(name.value.clone()) {
            return Ok(());
        }
        let message = format!("two ports are called `{}`", name.value.escape_debug());
        Err(Fault { at: name.at, message })
    }

    fn take(
        &mut self,
        key: &'static str,
        members: Vec<At<String>>,
        port: &str,
    ) -> Result<Vec<String>, Fault> {
        for At { value, at } in &members {
            if let Some(first) = self.members.insert((key, value.clone()), port.to_owned()) {
                let message = format!(
                    "{key} `{}` is already on port `{}`; its bytes would be billed twice",
                    value.escape_debug(),
                    first.escape_debug()
                );
                return Err(Fault { at: *at, message });
            }
            if self.members.len() > MEMBERS_MAX {
                return Err(Fault { at: *at, message: format!("more than {MEMBERS_MAX} places") });
            }
        }
        Ok(members.into_iter().map(|member| member.value).collect())
    }

    /// A port with everything has to be the only one.
    fn everything(&mut self, members: &Members, name: &At<String>) -> Result<(), Fault> {
        if *members == Members::Everything && self.everything.is_none() {
            self.everything = Some(name.value.clone());
        }
        match &self.everything {
            Some(everything) if self.ports.len() > 1 => {
                let message = format!(
                    "port `{}` has neither `idc` nor `server` and so takes everything; beside other ports, bytes \
                     would be billed twice",
                    everything.escape_debug()
                );
                Err(Fault { at: name.at, message })
            }
            _ => Ok(()),
        }
    }
}

/// Keys with their places and values, in the order of the text.
fn entries<'a, 't>(table: &'a DeTable<'t>) -> Vec<(&'a str, usize, &'a Value<'t>)> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value)).collect();
    entries.sort_by_key(|(_, at, _)| *at);
    entries
}

fn tiers(value: &Value<'_>) -> Result<Vec<StatedTier>, Fault> {
    let (tiers, at) = array(value)?;
    if tiers.is_empty() || tiers.len() > TIERS_MAX {
        return Err(Fault { at, message: format!("expected 1 to {TIERS_MAX} tiers") });
    }
    tiers.iter().map(tier).collect()
}

fn tier(value: &Value<'_>) -> Result<StatedTier, Fault> {
    let table = value.get_ref().as_table();
    let table =
        table.ok_or_else(|| expected(value, "a tier such as { up_to = \"2TB\", price = \"0.21\" }"))?;
    let (mut up_to, mut price) = (None, None);
    for (key, at, value) in entries(table) {
        match key {
            "up_to" => up_to = Some(At { value: text(value)?.to_owned(), at: value.span().start }),
            "price" => price = Some(number(value)?),
            _ => return Err(unknown_key(key, at, &[&TIER_KEYS], "a tier")),
        }
    }
    let at = value.span().start;
    let price = price.ok_or_else(|| Fault { at, message: "a tier without `price`".to_owned() })?;
    Ok(StatedTier { up_to, price, at })
}

fn unknown_key(key: &str, at: usize, known: &[&[&str]], what: &str) -> Fault {
    let known = known.concat();
    let near = nearest(key, &known);
    Fault {
        at,
        message: format!("unknown key `{}`{near}; {what} has {}", key.escape_debug(), known.join(", ")),
    }
}

fn text<'a>(value: &'a Value<'_>) -> Result<&'a str, Fault> {
    value.get_ref().as_str().ok_or_else(|| expected(value, "a text in quotes"))
}

fn word<T>(value: &Value<'_>, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, Fault> {
    parse(text(value)?).map_err(|message| Fault { at: value.span().start, message })
}

/// A text, or a number as it is written: floats have no exact prices.
fn written<T>(value: &Value<'_>, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, Fault> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.as_ref(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        DeValue::Float(number) => number.as_str(),
        _ => return Err(expected(value, "a number or a text in quotes")),
    };
    parse(text).map_err(|message| Fault { at: value.span().start, message })
}

fn number(value: &Value<'_>) -> Result<Decimal, Fault> {
    written(value, |text| {
        Decimal::parse(text).map_err(|reason| format!("`{}`: {reason}", text.escape_debug()))
    })
}

fn length(value: &Value<'_>) -> Result<u32, Fault> {
    written(value, |text| slot_length(text).map_err(|reason| format!("`{}`: {reason}", text.escape_debug())))
}

fn small(value: &Value<'_>, least: u32, most: u32) -> Result<u32, Fault> {
    let number = value.get_ref().as_integer().filter(|number| number.radix() == 10);
    let number = number.and_then(|number| number.as_str().parse().ok());
    let number = number.filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| expected(value, &format!("a whole number from {least} to {most}")))
}

fn array<'a, 't>(value: &'a Value<'t>) -> Result<(&'a DeArray<'t>, usize), Fault> {
    let array = value.get_ref().as_array().ok_or_else(|| expected(value, "a list in brackets"))?;
    Ok((array, value.span().start))
}

fn texts(value: &Value<'_>) -> Result<Vec<At<String>>, Fault> {
    let (items, at) = array(value)?;
    if items.is_empty() {
        return Err(Fault { at, message: "an empty list; leave the key out for everything".to_owned() });
    }
    let read = |item| Ok(At { value: text(item)?.to_owned(), at: item.span().start });
    items.iter().map(read).collect()
}

fn expected(value: &Value<'_>, what: &str) -> Fault {
    let found = value.get_ref().type_str();
    Fault { at: value.span().start, message: format!("expected {what}, found {found}") }
}
