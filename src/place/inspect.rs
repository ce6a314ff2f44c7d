//! What a database holds, counted: for people who wonder what they were given.

use super::flat::Flat;
use super::{About, NetKinds, Place, Places};
use crate::error::Error;

/// What one database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// What it says of itself.
    pub about: About,
    /// Runs of IPv4 addresses with one place.
    pub networks_v4: u64,
    /// Runs of IPv6 addresses with one place.
    pub networks_v6: u64,
    /// Different places.
    pub records: u64,
    /// Of these: records that cannot be read.
    pub unreadable: u64,
    /// IPv4 addresses that it knows something of.
    pub addresses_v4: u64,
    /// Each field and the IPv4 addresses that have it.
    pub fields: [(&'static str, u64); 8],
}

impl Places {
    /// Counts what each database holds by itself.
    pub fn inspect(&self) -> Result<Vec<Holdings>, Error> {
        self.sources
            .chunks(1)
            .map(|source| {
                let flat = Flat::build(source)?;
                Ok(holdings(source[0].about().clone(), &flat, &self.lists))
            })
            .collect()
    }
}

fn holdings(about: About, flat: &Flat, lists: &NetKinds) -> Holdings {
    let places: Vec<Place> =
        (0..).take(flat.records.rows.len()).map(|record| flat.records.known(record).place(lists)).collect();
    let (v4, v6) = (flat.v4.runs(), flat.v6.runs());
    let mut holdings = Holdings {
        about,
        networks_v4: 0,
        networks_v6: v6.iter().filter(|&(_, record)| places.get(record as usize).is_some()).count() as u64,
        records: places.len() as u64,
        unreadable: flat.records.unreadable(),
        addresses_v4: 0,
        fields: ["country", "region", "province", "city", "carrier", "asn", "org", "netkind"]
            .map(|name| (name, 0)),
    };
    let ends = v4.iter().skip(1).map(|(first, _)| u64::from(first)).chain([1 << 32]);
    for ((first, record), end) in v4.iter().zip(ends) {
        let Some(place) = places.get(record as usize) else { continue };
        let addresses = end - u64::from(first);
        holdings.networks_v4 += 1;
        holdings.addresses_v4 += addresses;
        for ((_, count), has) in holdings.fields.iter_mut().zip(place.has()) {
            *count += if has { addresses } else { 0 };
        }
    }
    holdings
}

impl Place {
    /// Which fields are known, in the order of [`Holdings::fields`].
    fn has(&self) -> [bool; 8] {
        let Self { country, region, province, city, carrier, asn, org, netkind } = self;
        let text = |field: &Option<Box<str>>| field.is_some();
        // A region that only repeats the country says nothing.
        let region = text(region) && region != country;
        [
            text(country),
            region,
            text(province),
            text(city),
            text(carrier),
            asn.is_some(),
            text(org),
            text(netkind),
        ]
    }
}
