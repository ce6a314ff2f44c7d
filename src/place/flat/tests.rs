use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mmdb_writer::{Value, Writer};
use proptest::prelude::*;

use super::*;
use crate::place::{Field, NetKinds, builtin, carried, source};

/// Runs from their starts in any order; everything before the first is [`NONE`].
pub(super) fn runs<A: Address>(starts: impl IntoIterator<Item = (A, u32)>) -> Runs<A> {
    let mut runs = Runs::new();
    let starts: BTreeMap<A, u32> = starts.into_iter().collect();
    for (first, value) in starts {
        runs.begin(first, value);
    }
    runs
}

/// What happens to a byte of a file.
#[derive(Debug, Clone)]
pub(super) enum Corruption {
    Byte(u8),
    Bit(u32),
    Cut,
}

/// Where, counted from which of the places that matter, and what; behind 3/4 of the places stands the end.
pub(super) fn corruptions() -> impl Strategy<Value = Vec<(usize, usize, Corruption)>> {
    let corruption = prop_oneof![
        8 => (0_u32..8).prop_map(Corruption::Bit),
        4 => any::<u8>().prop_map(Corruption::Byte),
        1 => Just(Corruption::Cut),
    ];
    prop::collection::vec((0_usize..8, prop_oneof![0_usize..40, 0_usize..4_000], corruption), 1..5)
}

/// Does all that to `bytes`, from `places` or from the end.
pub(super) fn corrupt(bytes: &mut Vec<u8>, corruptions: &[(usize, usize, Corruption)], places: &[usize]) {
    for (place, offset, corruption) in corruptions {
        let at = match places.get(*place) {
            Some(place) => place + offset,
            None => bytes.len().saturating_sub(1 + offset),
        };
        let Some(byte) = bytes.get_mut(at) else { continue };
        match corruption {
            Corruption::Byte(new) => *byte = *new,
            Corruption::Bit(bit) => *byte ^= 1 << bit,
            Corruption::Cut => bytes.truncate(at),
        }
    }
}

/// What the databases say when each is asked by itself: how lines are located without a flat table.
fn ask(sources: &[Box<dyn Source>], address: IpAddr) -> (Known<'_>, u64) {
    let mut said = (Known::default(), 0);
    for (index, source) in sources.iter().enumerate() {
        match source.find(address) {
            NONE => {}
            BROKEN => said.1 |= 1 << index,
            key => match source.read(key, address) {
                Ok(known) => said.0.overlay(known),
                Err(Unreadable) => said.1 |= 1 << index,
            },
        }
    }
    said
}

fn answer(flat: &Flat, address: IpAddr) -> (Known<'_>, u64) {
    match flat.find(address) {
        NONE => Default::default(),
        number => (flat.records.known(number), flat.records.rows[number as usize].failed),
    }
}

/// Numbers that look random and are the same each time.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Compares a flat table with its sources on every boundary ±1 and on random addresses, of which half are IPv6 and
/// of these half near a boundary. `BANDWHO_ADDRESSES=10000000 cargo test --release flat` asks for more than 100,000.
#[expect(clippy::print_stdout, reason = "what was not compared is worth a line")]
fn compare(name: &str, sources: &[Box<dyn Source>]) -> Option<usize> {
    let flat = match Flat::build(sources, Fields::ALL) {
        Ok(flat) => flat,
        Err(error) => {
            println!("{name}: no flat table: {error}");
            return None;
        }
    };
    // What a database makes of itself must say the same as what is made of its records.
    let alone = if let [only] = sources { only.flatten(Fields::ALL) } else { None };
    // Whoever asks for a region gets the same from a table of nothing but regions.
    let region = Fields::from_iter([Field::Region]);
    let narrow = Flat::build(sources, region).expect("it could be built in full");
    let place = |(known, failed): (Known<'_>, u64)| (known.place(&NetKinds::default(), region), failed);
    let check = |address: IpAddr| {
        let address = carried(address);
        let expected = ask(sources, address);
        assert_eq!(place(answer(&narrow, address)), place(expected), "{name}: region of {address}");
        assert_eq!(answer(&flat, address), expected, "{name}: {address}");
        if let Some(alone) = &alone {
            assert_eq!(answer(alone, address), expected, "{name} by itself: {address}");
        }
    };
    let mut bounds: Vec<u128> = vec![0];
    for source in sources {
        for (first, _) in source.runs_v4().expect("it was read before").iter() {
            for address in [first.wrapping_sub(1), first, first.wrapping_add(1)] {
                check(Ipv4Addr::from_bits(address).into());
            }
        }
        for (first, _) in source.runs_v6().expect("it was read before").iter() {
            for address in [first.wrapping_sub(1), first, first.wrapping_add(1)] {
                check(Ipv6Addr::from_bits(address).into());
            }
            bounds.push(first);
        }
    }
    let addresses =
        std::env::var("BANDWHO_ADDRESSES").map_or(100_000, |count| count.parse().expect("a number"));
    let mut state = 4;
    for count in 0..addresses {
        let bits = u128::from(random(&mut state)) << 64 | u128::from(random(&mut state));
        let bound = bounds[usize::try_from(bits % bounds.len() as u128).expect("few bounds")];
        let address: IpAddr = match count % 4 {
            0 => Ipv6Addr::from_bits(bits).into(),
            1 => Ipv6Addr::from_bits(bound ^ bits >> (bits & 127)).into(),
            _ => Ipv4Addr::from_bits(u32::try_from(bits >> 96).expect("32 bits are left")).into(),
        };
        check(address);
    }
    Some(flat.records.rows.len())
}

fn database(networks: &[(&str, Value)]) -> Box<dyn Source> {
    let mut writer = Writer::builder("Test").build();
    for (network, value) in networks {
        writer.insert_value(network.parse::<ipnet::IpNet>().unwrap(), value.clone()).unwrap();
    }
    source::parse("x.mmdb", writer.to_bytes().unwrap()).unwrap()
}

fn country(code: &str) -> Value {
    Value::map([("country_code", Value::from(code))])
}

#[test]
fn numbers_are_given_in_the_order_of_addresses() {
    let sources = [
        database(&[
            ("2400::/12", country("JP")),
            ("198.51.100.0/24", country("CN")),
            ("192.0.2.0/24", country("FR")),
            ("2600::/12", country("FR")),
        ]),
        database(&[("192.0.2.0/25", Value::from("not a map")), ("2600::/16", country("US"))]),
    ];
    let flat = Flat::build(&sources, Fields::ALL).unwrap();
    let check = |address: &str, expected: u32| {
        assert_eq!(flat.find(address.parse().unwrap()), expected, "{address}");
    };
    check("192.0.2.1", 0);
    check("192.0.2.129", 1);
    check("198.51.100.1", 2);
    check("198.51.101.1", NONE);
    check("2400::1", 3);
    check("2600::1", 4);
    check("2601::1", 1);
    check("2001:db8::1", NONE);
    assert_eq!(answer(&flat, "192.0.2.1".parse().unwrap()).1, 2, "the second database failed");
    assert_eq!(compare("two of our own", &sources), Some(5));
}

#[test]
fn no_database_knows_nothing() {
    assert_eq!(compare("none", &[]), Some(0));
}

/// Ranges of one family, from far below to the highest address, some next to each other, with few records.
fn ranges<'a>(highest: u128, records: &[&'a str]) -> Vec<(u128, u128, &'a str)> {
    const COUNT: u64 = 2_000;
    let (mut state, step) = (16, highest / u128::from(COUNT));
    let mut first = 0;
    let mut ranges = Vec::new();
    for number in 1..=u128::from(COUNT) {
        let end = step * number;
        let last =
            if number == u128::from(COUNT) { highest } else { end - u128::from(random(&mut state) % 2) };
        let record = usize::try_from(random(&mut state)).expect("64 bits") % records.len();
        ranges.push((first, last, records[record]));
        first = last.saturating_add(1 + u128::from(random(&mut state) % 3));
    }
    ranges
}

const HIGHEST_V4: u128 = u32::MAX as u128;

#[test]
fn xdb_is_flattened_as_it_answers() {
    let older =
        ["中国|0|广东省|深圳市|电信", "0|0|0|内网IP|内网IP", "美国|0|0|0|0", "", "中国|0|香港|0|x", "0|0"];
    let newer = ["中国|广东省|深圳市|电信|CN", "0|0|0|0|0", "日本|0|0|0|JP", "中国|台湾省|0|0|CN", "0|0"];
    for (version, family, highest, records) in
        [(2, 4, HIGHEST_V4, &older[..]), (3, 4, HIGHEST_V4, &newer[..]), (3, 6, u128::MAX, &newer[..])]
    {
        let file = source::write_xdb(version, family, 0, &ranges(highest, records));
        let source = source::parse("x.xdb", file).unwrap();
        // Empty records are none; those that cannot be read are one.
        let name = format!("xdb {version} of IPv{family}");
        assert_eq!(compare(&name, &[source]), Some(4), "{name}");
    }
}

#[test]
fn ipdb_is_flattened_as_it_answers() {
    let records = ["中国,广东,深圳,电信,440300", ",,,,", "美国,,,,", "中国,香港,,,", "日本"];
    let mut state = 17;
    let networks: Vec<(u128, u32, &str)> = (0..2_000)
        .map(|number| {
            let bits = u128::from(random(&mut state)) << 64 | u128::from(random(&mut state));
            let length = u32::try_from(random(&mut state) % 24).expect("small") + 8;
            let record = records[usize::try_from(random(&mut state)).expect("64 bits") % records.len()];
            let (address, length) =
                if number % 2 == 0 { (0xFFFF << 32 | bits >> 96, 96 + length) } else { (bits, length) };
            (address & !u128::MAX.checked_shr(length).unwrap_or(0), length, record)
        })
        .collect();
    let file =
        source::write_ipdb("country_name,region_name,city_name,isp_domain,china_admin_code", &networks);
    let source = source::parse("x.ipdb", file).unwrap();
    assert_eq!(compare("ipdb", &[source]), Some(5));
}

#[test]
fn csv_is_flattened_as_it_answers() {
    let records = ["CN,44,,Shenzhen,4134", ",,,,", "CN,HK,香港,,", "US,,California,,", "UK,ENG,,London,0"];
    let mut text = "start,end,country,region_code,region,city,asn\n".to_owned();
    for (first, last, record) in ranges(HIGHEST_V4, &records) {
        let bound = |bits: u128| Ipv4Addr::from_bits(u32::try_from(bits).expect("IPv4"));
        text.push_str(&format!("{},{},{record}\n", bound(first), bound(last)));
    }
    for (first, last, record) in ranges(u128::MAX, &records) {
        let bound = Ipv6Addr::from_bits;
        text.push_str(&format!("{},{},{record}\n", bound(first), bound(last)));
    }
    let source = source::parse("x.csv", text.into_bytes()).unwrap();
    assert_eq!(compare("csv", &[source]), Some(4));
}

#[test]
fn the_built_in_table_is_flattened_as_it_answers() {
    let records = builtin::open().flatten(Fields::ALL).expect("it is a table").records.rows.len();
    assert_eq!(compare("built-in", &[Box::new(builtin::open())]), Some(records));
}

/// Real databases cannot be had here: name some by hand, as `PATH` names folders.
#[test]
fn databases_named_by_hand_are_flattened_as_they_answer() {
    let paths = std::env::var_os("BANDWHO_IP_DATABASES").unwrap_or_default();
    for path in std::env::split_paths(&paths).filter(|path| path != Path::new("")) {
        let source = source::open(&path).unwrap();
        assert!(compare(&path.display().to_string(), &[source]).is_some(), "{}", path.display());
    }
}

#[expect(clippy::print_stdout, reason = "a test that did nothing says so")]
fn corpora() -> Vec<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let root = std::env::var_os("BANDWHO_CORPORA").map_or_else(beside, PathBuf::from);
    let Ok(folder) = root.join("maxmind-db/test-data").read_dir() else {
        println!("no databases of others at hand: set BANDWHO_CORPORA");
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "mmdb"));
    paths.sort();
    paths
}

/// Of `MaxMind`'s test databases: the others cannot be opened or walked, as they are meant.
const OTHERS_COMPARED: usize = 39;

#[test]
#[expect(clippy::print_stdout, reason = "what was not compared is worth a line")]
fn every_database_of_others_is_flattened_as_it_answers() {
    let (paths, mut compared) = (corpora(), 0);
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match source::open(path) {
            Ok(source) => compared += usize::from(compare(&name, &[source]).is_some()),
            Err(error) => println!("{name}: {error}"),
        }
    }
    let expected = if paths.is_empty() { 0 } else { OTHERS_COMPARED };
    assert_eq!(compared, expected, "of {} databases", paths.len());
}

#[test]
fn two_databases_are_flattened_as_they_answer_together() {
    let find = |name: &str| corpora().into_iter().find(|path| path.ends_with(name));
    for (one, other) in [
        ("GeoIP2-City-Test.mmdb", "GeoLite2-ASN-Test.mmdb"),
        ("GeoIP2-ISP-Test.mmdb", "GeoLite2-City-Test.mmdb"),
        ("GeoIP2-Country-Test.mmdb", "MaxMind-DB-string-value-entries.mmdb"),
        ("MaxMind-DB-no-ipv4-search-tree.mmdb", "GeoIP2-Enterprise-Test.mmdb"),
    ] {
        if let (Some(first), Some(second)) = (find(one), find(other)) {
            let sources = [source::open(&first).unwrap(), source::open(&second).unwrap()];
            assert!(compare(&format!("{one} and {other}"), &sources).is_some_and(|records| records > 0));
        }
    }
}
