//! The data centres of the server list, and which of them suits a client best.

use std::cmp::Reverse;

use crate::billing::decimal::Decimal;
use crate::billing::ratio::Ratio;
use crate::error::Error;
use crate::report::answer::groups::KeyPart;
use crate::servers::fit::{Fit, Ground, Whereabouts};
use crate::servers::{Idc, Servers};

pub(super) struct Sites<'a> {
    servers: &'a Servers,
    grounds: Vec<Ground>,
    prices: Vec<Option<Decimal>>,
    /// Digits after the point of the finest price.
    digits: u32,
}

impl<'a> Sites<'a> {
    pub(super) fn new(servers: &'a Servers) -> Result<Self, Error> {
        let price = |(site, name): (&crate::servers::Site, &String)| {
            let text = site.price.as_deref().map(str::trim).filter(|text| !text.is_empty());
            text.map(Decimal::parse).transpose().map_err(|reason| {
                let text = text.unwrap_or_default();
                Error::Data(format!("the price of {name} in the server list is `{text}`: {reason}"))
            })
        };
        Ok(Self {
            servers,
            digits: servers.sites.iter().filter_map(|site| digits(site.price.as_deref()?)).max().unwrap_or(0),
            grounds: servers.sites.iter().map(Ground::of).collect(),
            prices: servers.sites.iter().zip(&servers.names).map(price).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn name(&self, idc: Idc) -> &str {
        self.servers.name(idc)
    }

    /// The data centre that a key names.
    pub(super) fn idc(&self, key: &KeyPart) -> Option<Idc> {
        let KeyPart::Text(name) = key else { return None };
        idc(self.servers, name)
    }

    pub(super) fn price(&self, idc: Idc) -> Option<Decimal> {
        self.prices.get(usize::from(idc.0)).copied().flatten()
    }

    pub(super) fn fit(&self, client: &Whereabouts, idc: Idc) -> Fit {
        self.grounds.get(usize::from(idc.0)).map_or(Fit::default(), |ground| ground.fit(client))
    }

    /// The data centre that certainly suits the client better than the one it has: the best of them by [`Fit`], then
    /// in its country, then the cheaper one, then by name.
    pub(super) fn better(&self, client: &Whereabouts, now: Idc) -> Option<Idc> {
        let least = self.fit(client, now).at_most(client);
        let all = (0..self.servers.names.len()).filter_map(|at| u16::try_from(at).ok()).map(Idc);
        let key = |idc: &Idc| {
            let fit = self.fit(client, *idc);
            let price = self.price(*idc);
            (fit.at_least(), fit.country == Some(true), price.is_some(), Reverse(price), Reverse(*idc))
        };
        all.filter(|idc| *idc != now && self.fit(client, *idc).at_least() > least).max_by_key(key)
    }

    /// What a unit costs more at one than at the other, exactly; none without both prices.
    pub(super) fn price_difference(&self, one: Idc, other: Idc) -> Result<Option<String>, Error> {
        let prices = self.price(one).zip(self.price(other));
        prices.map(|(one, other)| difference(one.ratio(), other.ratio(), self.digits)).transpose()
    }

    /// What a rate costs for a period; none without a price.
    pub(super) fn cost(&self, idc: Idc, bps: u128) -> Result<Option<Ratio>, Error> {
        let Some(price) = self.price(idc) else { return Ok(None) };
        mbps(bps).and_then(|mbps| mbps.times(price.ratio()).map_err(Error::Data)).map(Some)
    }
}

/// The data centre of that name: the list is sorted.
pub(super) fn idc(servers: &Servers, name: &[u8]) -> Option<Idc> {
    let at = servers.names.binary_search_by(|known| known.as_bytes().cmp(name)).ok()?;
    u16::try_from(at).ok().map(Idc)
}

fn digits(price: &str) -> Option<u32> {
    price.trim().split_once('.').and_then(|(_, fraction)| u32::try_from(fraction.len()).ok())
}

fn mbps(bps: u128) -> Result<Ratio, Error> {
    Ratio::new(bps, 1_000_000).ok_or_else(|| Error::Data("no rate".to_owned()))
}

/// `one − other`, rounded half away from zero to so many digits.
pub(super) fn difference(one: Ratio, other: Ratio, digits: u32) -> Result<String, Error> {
    let (sign, larger, smaller) = if one < other { ("-", other, one) } else { ("", one, other) };
    let too_large = || Error::Data("the amounts are too large to be told exactly".to_owned());
    let numerator = || {
        let minuend = larger.numerator().checked_mul(smaller.denominator())?;
        let subtrahend = smaller.numerator().checked_mul(larger.denominator())?;
        let denominator = larger.denominator().checked_mul(smaller.denominator())?;
        Ratio::new(minuend - subtrahend, denominator)
    };
    let rounded = Decimal::round(numerator().ok_or_else(too_large)?, digits).map_err(Error::Data)?;
    let sign = if rounded == Decimal::ZERO { "" } else { sign };
    Ok(format!("{sign}{rounded}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::servers::Statements;

    const REGIONS: [&str; 5] = ["CN-GD", "CN-BJ", "CN", "US", ""];
    const CARRIERS: [&str; 4] = ["BGP", "China Telecom", "China Unicom/China Telecom", ""];
    const PRICES: [&str; 4] = ["10", "10.00", "12.5", ""];

    type Row = (&'static str, &'static str, &'static str);

    fn servers(rows: &[Row]) -> Servers {
        let mut list = "ip,idc,region,carrier,price\n".to_owned();
        for (at, (region, carrier, price)) in rows.iter().enumerate() {
            list.push_str(&format!("10.0.0.{at},idc{at},{region},{carrier},{price}\n"));
        }
        let texts = [("list".to_owned(), list.into_bytes())];
        Servers::read(&texts, &Statements::default(), &mut |_| unreachable!("a CSV includes nothing"))
            .unwrap()
    }

    /// The definition, word by word: rows that certainly fit better, the best first.
    fn slow(rows: &[Row], (region, carrier): (&str, &str), now: usize) -> Option<usize> {
        let in_region = |at: usize| match rows[at].0 {
            "" => None,
            _ if region.is_empty() => None,
            same if same == region => Some(true),
            part if part.len() == 2 && region.starts_with(part) => None,
            whole if region.len() == 2 && whole.starts_with(region) => None,
            _ => Some(false),
        };
        let on_net = |at: usize| match rows[at].1 {
            "" => None,
            _ if carrier.is_empty() => None,
            "BGP" => Some(true),
            names => Some(names.contains(carrier)),
        };
        let rank = |on_net: bool, in_region: bool| {
            [(true, true), (true, false), (false, true), (false, false)]
                .iter()
                .position(|fit| *fit == (on_net, in_region))
                .unwrap()
        };
        let worst = |at| rank(on_net(at).unwrap_or(false), in_region(at).unwrap_or(false));
        let best =
            |at| rank(on_net(at).unwrap_or(!carrier.is_empty()), in_region(at).unwrap_or(!region.is_empty()));
        let abroad = |at: usize| region.is_empty() || rows[at].0.is_empty() || rows[at].0[..2] != region[..2];
        let price = |at: usize| match rows[at].2 {
            "" => u64::MAX,
            "12.5" => 1250,
            _ => 1000,
        };
        let mut better: Vec<usize> =
            (0..rows.len()).filter(|&at| at != now && worst(at) < best(now)).collect();
        better.sort_by_key(|&at| (worst(at), abroad(at), price(at), at));
        better.first().copied()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn the_better_data_centre_is_that_of_the_definition(
            rows in prop::collection::vec((select(&REGIONS[..]), select(&CARRIERS[..]), select(&PRICES[..])), 1..6),
            region in select(&REGIONS[..]),
            carrier in select(&["China Telecom", "China Unicom", "Comcast", ""][..]),
            now in any::<prop::sample::Index>(),
        ) {
            let servers = servers(&rows);
            let sites = Sites::new(&servers).unwrap();
            let known = |text: &'static str| Some(text).filter(|text| !text.is_empty());
            let client = Whereabouts::new(known(region), known(carrier));
            let now = now.index(rows.len());
            let found = sites.better(&client, Idc(u16::try_from(now).unwrap()));
            prop_assert_eq!(found.map(|idc| usize::from(idc.0)), slow(&rows, (region, carrier), now));
        }
    }

    #[test]
    fn differences_are_exact() {
        let check = |one: &str, other: &str, expected: &str| {
            let [one, other] = [one, other].map(|text| Decimal::parse(text).unwrap().ratio());
            assert_eq!(difference(one, other, 2).unwrap(), expected);
        };
        check("20", "15.5", "4.50");
        check("15.5", "20", "-4.50");
        check("1", "1.005", "-0.01");
        check("1", "1.004", "0.00");
    }
}
