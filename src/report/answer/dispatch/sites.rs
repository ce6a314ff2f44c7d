//! The data centres of the server list: where they are, what they cost, and which are alike.

use std::cmp::Reverse;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::price::{Cost, Price};
use crate::error::Error;
use crate::report::answer::groups::KeyPart;
use crate::servers::fit::{Fit, Ground, Suit, Whereabouts};
use crate::servers::{Idc, Servers, Site};

pub(super) struct Sites<'a> {
    servers: &'a Servers,
    prices: Vec<Option<Price>>,
    /// Digits after the point of the finest price.
    digits: u32,
    /// Data centres of which the list tells the same.
    pub(super) classes: Vec<Class>,
    /// By [`Idc`].
    class_of: Vec<usize>,
}

/// Data centres that suit everybody alike.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) ground: Ground,
    /// The cheapest (no price last), then the first by name.
    pub(super) best: Idc,
    pub(super) members: usize,
}

/// How a class of data centres ranks among those that are better: by what it has in common with the client in the
/// worst case, then by price, then by name.
pub(super) type Rank = (Suit, (bool, Reverse<Option<Price>>, Reverse<Idc>));

impl<'a> Sites<'a> {
    pub(super) fn new(servers: &'a Servers) -> Result<Self, Error> {
        let text = |site: &'a Site| site.price.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let origins = servers.price_origins.iter().zip(&servers.names);
        let price = |(site, (origin, name)): (&'a Site, (&String, &String))| {
            let text = text(site);
            text.map(Price::parse).transpose().map_err(|reason| {
                let text = text.unwrap_or_default();
                Error::Data(format!("{origin}: the price of {name} is `{text}`: {reason}"))
            })
        };
        let prices: Vec<Option<Price>> =
            servers.sites.iter().zip(origins).map(price).collect::<Result<_, _>>()?;
        let digits = servers.sites.iter().filter_map(text).map(Price::digits).max().unwrap_or(0);
        let mut sites = Self { servers, prices, digits, classes: Vec::new(), class_of: Vec::new() };
        let mut known: HashMap<Ground, usize, RandomState> = HashMap::default();
        for (at, site) in servers.sites.iter().enumerate() {
            let Ok(idc) = u16::try_from(at).map(Idc) else { break };
            let ground = Ground::of(site);
            let class = *known.entry(ground.clone()).or_insert(sites.classes.len());
            sites.class_of.push(class);
            if class == sites.classes.len() {
                sites.classes.push(Class { ground, best: idc, members: 1 });
                continue;
            }
            let best = sites.classes[class].best;
            let best = if sites.worth(idc) > sites.worth(best) { idc } else { best };
            sites.classes[class].best = best;
            sites.classes[class].members += 1;
        }
        Ok(sites)
    }

    pub(super) fn name(&self, idc: Idc) -> &str {
        self.servers.name(idc)
    }

    /// The data centre that a key names.
    pub(super) fn idc(&self, key: &KeyPart) -> Option<Idc> {
        let KeyPart::Text(name) = key else { return None };
        idc(self.servers, name)
    }

    /// The class of a data centre.
    pub(super) fn class(&self, idc: Idc) -> usize {
        self.class_of[usize::from(idc.0)]
    }

    /// What the list says a Mbps costs.
    pub(super) fn price(&self, idc: Idc) -> Option<&str> {
        self.prices[usize::from(idc.0)]?;
        self.servers.sites[usize::from(idc.0)].price.as_deref().map(str::trim)
    }

    pub(super) fn fit(&self, client: &Whereabouts, idc: Idc) -> Fit {
        self.classes[self.class(idc)].ground.fit(client)
    }

    pub(super) fn rank(&self, client: &Whereabouts, class: &Class) -> Rank {
        (class.ground.bounds(client).0, self.worth(class.best))
    }

    /// What a unit costs more at one than at the other, exactly; none without both prices.
    pub(super) fn price_difference(&self, one: Idc, other: Idc) -> Option<String> {
        let [one, other] = [one, other].map(|idc| self.prices[usize::from(idc.0)]);
        one.zip(other).map(|(one, other)| one.minus(other, self.digits))
    }

    /// What a rate costs for a period; none without a price.
    pub(super) fn cost(&self, idc: Idc, bps: u128) -> Result<Option<Cost>, Error> {
        self.prices[usize::from(idc.0)].map(|price| price.cost(bps)).transpose()
    }

    fn worth(&self, idc: Idc) -> (bool, Reverse<Option<Price>>, Reverse<Idc>) {
        let price = self.prices[usize::from(idc.0)];
        (price.is_some(), Reverse(price), Reverse(idc))
    }
}

/// The data centre of that name: the list is sorted.
pub(super) fn idc(servers: &Servers, name: &[u8]) -> Option<Idc> {
    let at = servers.names.binary_search_by(|known| known.as_bytes().cmp(name)).ok()?;
    u16::try_from(at).ok().map(Idc)
}
