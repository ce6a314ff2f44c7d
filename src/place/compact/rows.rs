//! Records as columns.
//!
//! A record is a site and a network: an organisation announces its addresses in many countries and a country has many
//! organisations, so each half is stored once and the record is two numbers.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use memchr::memchr_iter;

use super::bytes::{self, Corrupt, Input};
use super::numbers::{self, Next};
use crate::place::netkind::NetKind;
use crate::place::records::{Records, Row, Texts};

/// Where an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Site {
    country: Option<[u8; 2]>,
    /// Province, its code, city.
    texts: [u32; 3],
}

/// On whose network it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Network {
    netkind: Option<NetKind>,
    listed: Option<NetKind>,
    asn: Option<u32>,
    /// Carrier, organisation.
    texts: [u32; 2],
    failed: u64,
}

/// Set beside the numbers of the network's kinds if its autonomous system is known.
const HAS_ASN: u8 = 0x80;

/// Where the number of the kind in the user's list stands; the number of the database's own has the bits below.
const LISTED_SHIFT: u32 = 3;

/// Ends a text: no UTF-8 contains this byte.
const TEXT_END: u8 = 0xFF;

/// Writes those rows of `records` that `order` names, in that order.
pub(super) fn put(out: &mut Vec<u8>, records: &Records, order: &[u32]) {
    let (mut sites, mut networks) = (Seen::default(), Seen::default());
    let (mut site_numbers, mut network_numbers) = (Vec::new(), Vec::new());
    for &number in order {
        let Row { country, netkind, listed, asn, texts, failed } = records.rows[number as usize];
        let [province, code, city, carrier, org] = texts;
        site_numbers.push(sites.number(Site { country, texts: [province, code, city] }));
        network_numbers.push(networks.number(Network {
            netkind,
            listed,
            asn,
            texts: [carrier, org],
            failed,
        }));
    }
    numbers::put(out, site_numbers, &mut Next(0));
    numbers::put(out, network_numbers, &mut Next(0));
    put_countries(out, &sites.list);
    put_networks(out, &networks.list);
    let mut texts = Seen::default();
    // Number 0 is no text.
    texts.number(0);
    let mut next = Next(1);
    for field in 0..3 {
        numbers::put(out, texts.column(sites.list.iter().map(|site| site.texts[field])), &mut next);
    }
    for field in 0..2 {
        numbers::put(out, texts.column(networks.list.iter().map(|network| network.texts[field])), &mut next);
    }
    for &number in &texts.list[1..] {
        out.extend_from_slice(records.texts.get(number).unwrap_or_default().as_bytes());
        out.push(TEXT_END);
    }
}

/// Reads all that is left of `input`.
pub(super) fn take(mut input: Input<'_>) -> Result<Records, Corrupt> {
    let input = &mut input;
    let (mut site_count, mut network_count) = (Next(0), Next(0));
    let site_numbers = numbers::take(input, &mut site_count)?;
    let network_numbers = numbers::take(input, &mut network_count)?;
    let mut sites = take_countries(input)?;
    let mut networks = take_networks(input)?;
    let agree = site_numbers.len() == network_numbers.len()
        && sites.len() == site_count.0 as usize
        && networks.len() == network_count.0 as usize;
    if !agree {
        return Err(Corrupt);
    }
    let mut text_count = Next(1);
    for field in 0..3 {
        let column = column(input, sites.len(), &mut text_count)?;
        sites.iter_mut().zip(column).for_each(|(site, text)| site.texts[field] = text);
    }
    for field in 0..2 {
        let column = column(input, networks.len(), &mut text_count)?;
        networks.iter_mut().zip(column).for_each(|(network, text)| network.texts[field] = text);
    }
    let row = |(&site, &network): (&u32, &u32)| {
        let Site { country, texts: [province, code, city] } = sites[site as usize];
        let Network { netkind, listed, asn, texts: [carrier, org], failed } = networks[network as usize];
        Row { country, netkind, listed, asn, texts: [province, code, city, carrier, org], failed }
    };
    let mut records = Records::default();
    records.rows = site_numbers.iter().zip(&network_numbers).map(row).collect();
    take_texts(input, text_count.0 - 1, &mut records.texts)?;
    Ok(records)
}

fn put_countries(out: &mut Vec<u8>, sites: &[Site]) {
    for letter in 0..2 {
        let letters = sites.iter().map(|site| site.country.map_or(0, |country| country[letter]));
        bytes::put_lane(out, &letters.collect::<Vec<u8>>());
    }
}

fn take_countries(input: &mut Input<'_>) -> Result<Vec<Site>, Corrupt> {
    let (first, second) = (bytes::lane(input)?, bytes::lane(input)?);
    if first.len() != second.len() {
        return Err(Corrupt);
    }
    let country = |(&first, &second)| match [first, second] {
        [0, 0] => Ok(None),
        country if country.iter().all(u8::is_ascii_uppercase) => Ok(Some(country)),
        _ => Err(Corrupt),
    };
    let site = |letters| Ok(Site { country: country(letters)?, texts: [0; 3] });
    first.iter().zip(second).map(site).collect()
}

fn put_networks(out: &mut Vec<u8>, networks: &[Network]) {
    let kind = |network: &Network| {
        let number = NetKind::number(network.netkind) | NetKind::number(network.listed) << LISTED_SHIFT;
        if network.asn.is_some() { number | HAS_ASN } else { number }
    };
    let kinds: Vec<u8> = networks.iter().map(kind).collect();
    bytes::put_lane(out, &kinds);
    let asns: Vec<u32> = networks.iter().filter_map(|network| network.asn).collect();
    bytes::put_planes(out, &asns);
    let mut failed = Vec::new();
    for network in networks {
        bytes::put_varint(&mut failed, network.failed.into());
    }
    bytes::put_lane(out, &failed);
}

fn take_networks(input: &mut Input<'_>) -> Result<Vec<Network>, Corrupt> {
    let kinds = bytes::lane(input)?;
    let mut asns = bytes::planes(input)?;
    let failures = &mut bytes::lane(input)?;
    let mut networks = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let [netkind, listed] = [kind, &((kind & !HAS_ASN) >> LISTED_SHIFT)]
            .map(|number| NetKind::numbered(number & ((1 << LISTED_SHIFT) - 1)).map_err(|_| Corrupt));
        let (netkind, listed) = (netkind?, listed?);
        let asn = if kind & HAS_ASN == 0 { None } else { Some(asns.next().ok_or(Corrupt)?) };
        let failed = u64::try_from(bytes::varint(failures)?).map_err(|_| Corrupt)?;
        networks.push(Network { netkind, listed, asn, texts: [0; 2], failed });
    }
    if asns.next().is_none() && failures.is_empty() { Ok(networks) } else { Err(Corrupt) }
}

fn column(input: &mut Input<'_>, length: usize, next: &mut Next) -> Result<Vec<u32>, Corrupt> {
    let column = numbers::take(input, next)?;
    if column.len() == length { Ok(column) } else { Err(Corrupt) }
}

fn take_texts(input: &mut Input<'_>, count: u32, texts: &mut Texts) -> Result<(), Corrupt> {
    let mut text = Vec::with_capacity(input.len());
    let mut start = 0;
    for end in memchr_iter(TEXT_END, input) {
        text.extend_from_slice(&input[start..end]);
        texts.ends.push(u32::try_from(text.len()).map_err(|_| Corrupt)?);
        start = end + 1;
    }
    if start != input.len() || texts.ends.len() != count as usize {
        return Err(Corrupt);
    }
    texts.text = String::from_utf8(text).map_err(|_| Corrupt)?;
    let whole = texts.ends.iter().all(|&end| texts.text.is_char_boundary(end as usize));
    if whole { Ok(()) } else { Err(Corrupt) }
}

/// Gives numbers in the order of first sight.
#[derive(Debug)]
struct Seen<T> {
    list: Vec<T>,
    numbers: HashMap<T, u32, RandomState>,
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self { list: Vec::new(), numbers: HashMap::default() }
    }
}

impl<T: Copy + Eq + Hash> Seen<T> {
    fn number(&mut self, item: T) -> u32 {
        *self.numbers.entry(item).or_insert_with(|| {
            self.list.push(item);
            u32::try_from(self.list.len() - 1).expect("fewer items than rows")
        })
    }

    fn column(&mut self, items: impl Iterator<Item = T>) -> Vec<u32> {
        items.map(|item| self.number(item)).collect()
    }
}
