//! What a database holds, counted: for people who wonder what they were given.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::fast::RandomState;

use super::known::Unreadable;
use super::runs::{NONE, Runs};
use super::source::{BROKEN, Source};
use super::{About, Fields, NetKinds, Place, Places};
use crate::error::Error;

/// What one database holds. Addresses of which it knows nothing count nowhere, like those whose records are unreadable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// What it says of itself.
    pub about: About,
    /// Runs of IPv4 addresses with one place, as long as they can be.
    pub networks_v4: u64,
    /// Runs of IPv6 addresses with one place.
    pub networks_v6: u64,
    /// Different places.
    pub records: u64,
    /// Records that cannot be read; where the search itself fails there is one.
    pub unreadable: u64,
    /// IPv4 addresses that it knows something of.
    pub addresses_v4: u64,
    /// Each field and the IPv4 addresses that have it.
    pub fields: [(&'static str, u64); 8],
}

const FIELDS: [&str; 8] = ["country", "region", "province", "city", "carrier", "asn", "org", "netkind"];

impl Places {
    /// Counts what each database holds by itself.
    pub fn inspect(&self) -> Result<Vec<Holdings>, Error> {
        self.sources.iter().map(|source| holdings(&**source, &self.lists)).collect()
    }
}

fn holdings(source: &dyn Source, lists: &NetKinds) -> Result<Holdings, Error> {
    let mut seen =
        Seen { source, lists, by_key: HashMap::default(), by_place: HashMap::default(), unreadable: 0 };
    // A join begins no run with the value of the one before it, so neighbours with equal places are one.
    let v4 = Runs::join(&[source.runs_v4()?], |first, keys| {
        seen.number(keys[0], Ipv4Addr::from_bits(first).into())
    });
    let v6 = Runs::join(&[source.runs_v6()?], |first, keys| {
        seen.number(keys[0], Ipv6Addr::from_bits(first).into())
    });
    let Seen { by_place, unreadable, .. } = seen;
    let mut has = vec![[false; 8]; by_place.len()];
    for (place, &number) in &by_place {
        has[number as usize] = place.has();
    }
    let mut holdings = Holdings {
        about: source.about().clone(),
        networks_v4: 0,
        networks_v6: v6.iter().filter(|&(_, number)| number != NONE).count() as u64,
        records: by_place.len() as u64,
        unreadable,
        addresses_v4: 0,
        fields: FIELDS.map(|name| (name, 0)),
    };
    let ends = v4.iter().skip(1).map(|(first, _)| u64::from(first)).chain([1 << 32]);
    for ((first, number), end) in v4.iter().zip(ends) {
        let Some(has) = has.get(number as usize) else { continue };
        let addresses = end - u64::from(first);
        holdings.networks_v4 += 1;
        holdings.addresses_v4 += addresses;
        for ((_, count), has) in holdings.fields.iter_mut().zip(has) {
            *count += if *has { addresses } else { 0 };
        }
    }
    Ok(holdings)
}

/// The records of one database, each read once, and the places that they come to.
struct Seen<'a> {
    source: &'a dyn Source,
    lists: &'a NetKinds,
    /// The number of a key's place, or [`NONE`].
    by_key: HashMap<u32, u32, RandomState>,
    by_place: HashMap<Place, u32, RandomState>,
    unreadable: u64,
}

impl Seen<'_> {
    fn number(&mut self, key: u32, address: IpAddr) -> u32 {
        if key == NONE {
            return NONE;
        }
        if let Some(&number) = self.by_key.get(&key) {
            return number;
        }
        let record = if key == BROKEN { Err(Unreadable) } else { self.source.read(key, address) };
        let number = match record.map(|known| known.place(self.lists, Fields::ALL)) {
            Ok(place) if place == Place::default() => NONE,
            Ok(place) => {
                let next = u32::try_from(self.by_place.len()).expect("fewer places than keys of four bytes");
                *self.by_place.entry(place).or_insert(next)
            }
            Err(Unreadable) => {
                self.unreadable += 1;
                NONE
            }
        };
        self.by_key.insert(key, number);
        number
    }
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

#[cfg(test)]
mod tests {
    use mmdb_writer::{Value, Writer};

    use super::*;
    use crate::place::source;

    fn inspect(name: &str, bytes: Vec<u8>) -> Holdings {
        let source = source::parse(name, bytes).unwrap();
        Places::new(vec![source], NetKinds::default()).inspect().unwrap().remove(0)
    }

    fn check(holdings: &Holdings, counts: [u64; 5], fields: &[(&str, u64)]) {
        let Holdings { networks_v4, networks_v6, records, unreadable, addresses_v4, .. } = holdings;
        let name = &holdings.about.name;
        assert_eq!(
            [networks_v4, networks_v6, records, unreadable, addresses_v4].map(|it| *it),
            counts,
            "{name}"
        );
        let known: Vec<_> = holdings.fields.into_iter().filter(|(_, addresses)| *addresses > 0).collect();
        assert_eq!(known, fields, "{name}");
    }

    #[test]
    fn only_what_says_something_is_counted() {
        let text = |key: &'static str, text: &str| (key, Value::from(text));
        let mut writer = Writer::builder("Test").build();
        for (network, value) in [
            // Two records and one place, and neighbours.
            ("192.0.2.0/25", Value::map([text("country_code", "CN"), text("zip", "1")])),
            ("192.0.2.128/25", Value::map([text("country_code", "CN"), text("zip", "2")])),
            ("192.0.3.0/24", Value::map([text("zip", "1")])),
            ("192.0.4.0/24", Value::map([text("country_code", "-")])),
            ("198.51.100.0/25", Value::from("no map")),
            ("198.51.100.128/25", Value::from("no map either")),
            ("203.0.113.0/24", Value::map([text("country_code", "CN"), text("city", "X")])),
            ("2400::/32", Value::map([text("country_code", "CN"), text("zip", "3")])),
            ("2400:1::/32", Value::map([text("country_code", "CN"), text("zip", "1")])),
            ("2600::/32", Value::map([text("zip", "1")])),
        ] {
            writer.insert_value(network.parse::<ipnet::IpNet>().unwrap(), value).unwrap();
        }
        let mmdb = inspect("x.mmdb", writer.to_bytes().unwrap());
        check(&mmdb, [2, 1, 2, 2, 512], &[("country", 512), ("city", 256)]);
    }

    #[test]
    fn every_form_is_counted_alike() {
        let csv = b"10.0.0.0,10.0.0.9,CN,,\n10.0.0.10,10.0.0.19,-,,\n".to_vec();
        let csv = [b"start,end,cc,city,org\n".to_vec(), csv].concat();
        check(&inspect("x.csv", csv), [1, 0, 1, 0, 10], &[("country", 10)]);
        let first = 10 << 24;
        let ranges = [
            (first, first + 9, "中国|0|0|0|0"),
            (first + 10, first + 19, "0|0|0|0|0"),
            (first + 20, first + 29, "0|0"),
        ];
        let xdb = source::write_xdb(2, 4, 0, &ranges);
        check(&inspect("x.xdb", xdb), [1, 0, 1, 1, 10], &[("country", 10)]);
        let mapped = |low: u128| 0xFFFF << 32 | low;
        let networks = [(mapped(first), 125, "中国,"), (mapped(first + 8), 125, "0,")];
        let ipdb = source::write_ipdb("country_name,region_name", &networks);
        check(&inspect("x.ipdb", ipdb), [1, 0, 1, 0, 8], &[("country", 8)]);
    }
}
