//! `testdata/places.mmdb`, made from the table below: `BANDWHO_BLESS=1 cargo test --test it fixtures` rewrites it.
//!
//! Each row has a documentation network (RFC 5737, RFC 3849), which is invented to belong there, and the network of a
//! carrier's public DNS resolver, which does: those are the clients of `testdata/sample.log`.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs};

use bandwho::place::{Memo, Places};
use bandwho::servers::{Servers, Statements};
use ipnet::IpNet;
use mmdb_writer::{Ipv4Aliasing, Value, Writer};

/// 2026-03-01T00:00:00Z, so that the same table gives the same bytes.
const BUILD_EPOCH_SECONDS: u64 = 1_772_323_200;

/// An empty text is a key that the record does not have.
struct Row {
    networks: [&'static str; 2],
    country: (&'static str, &'static str),
    subdivision: (&'static str, &'static str),
    city: &'static str,
    asn: u32,
    org: &'static str,
    isp: &'static str,
}

const ROWS: [Row; 9] = [
    Row {
        networks: ["192.0.2.0/25", "202.96.128.0/20"],
        country: ("CN", "China"),
        subdivision: ("GD", "Guangdong"),
        city: "Shenzhen",
        asn: 4134,
        org: "Chinanet",
        isp: "China Telecom",
    },
    Row {
        networks: ["192.0.2.128/25", "123.123.123.0/24"],
        country: ("CN", "China"),
        subdivision: ("BJ", "Beijing"),
        city: "Beijing",
        asn: 4808,
        org: "China Unicom Beijing Province Network",
        isp: "China Unicom",
    },
    Row {
        networks: ["198.51.100.0/25", "75.75.75.0/24"],
        country: ("US", "United States"),
        subdivision: ("CA", "California"),
        city: "San Jose",
        asn: 7922,
        org: "Comcast Cable Communications, LLC",
        isp: "Comcast",
    },
    Row {
        networks: ["198.51.100.128/25", "194.25.0.0/24"],
        country: ("DE", "Germany"),
        subdivision: ("BY", "Bavaria"),
        city: "Munich",
        asn: 3320,
        org: "Deutsche Telekom AG",
        isp: "Deutsche Telekom",
    },
    Row {
        networks: ["203.0.113.0/26", "210.141.113.0/24"],
        country: ("JP", "Japan"),
        subdivision: ("13", "Tokyo"),
        city: "Tokyo",
        asn: 2516,
        org: "KDDI CORPORATION",
        isp: "KDDI",
    },
    Row {
        networks: ["203.0.113.64/26", "8.8.8.0/24"],
        country: ("US", "United States"),
        subdivision: ("", ""),
        city: "",
        asn: 15169,
        org: "Google LLC",
        isp: "",
    },
    Row {
        networks: ["203.0.113.128/25", "62.6.40.0/24"],
        country: ("GB", "United Kingdom"),
        subdivision: ("ENG", "England"),
        city: "London",
        asn: 2856,
        org: "British Telecommunications PLC",
        isp: "BT",
    },
    Row {
        networks: ["2001:db8:1::/48", "2409:8088::/48"],
        country: ("CN", "China"),
        subdivision: ("GD", "Guangdong"),
        city: "Guangzhou",
        asn: 24445,
        org: "China Mobile",
        isp: "China Mobile",
    },
    Row {
        networks: ["2001:db8:2::/48", "2a01:e00::/48"],
        country: ("FR", "France"),
        subdivision: ("IDF", "Île-de-France"),
        city: "Paris",
        asn: 12322,
        org: "Free SAS",
        isp: "Free",
    },
];

fn places_mmdb() -> Vec<u8> {
    let mut writer = Writer::builder("bandwho-Test-Places")
        .description(&[("en", "Documentation networks with invented owners, for bandwho's tests")])
        .ipv4_aliasing(Ipv4Aliasing::Disabled)
        .build_epoch(UNIX_EPOCH + Duration::from_secs(BUILD_EPOCH_SECONDS))
        .build();
    for row in &ROWS {
        for network in row.networks {
            writer.insert_value(network.parse::<IpNet>().unwrap(), record(row)).unwrap();
        }
    }
    writer.to_bytes().unwrap()
}

fn record(row: &Row) -> Value {
    let names = |name: &str| ("names", Value::map([("en", name)]));
    let mut entries = vec![
        ("country", Value::map([("iso_code", Value::from(row.country.0)), names(row.country.1)])),
        ("autonomous_system_number", Value::U32(row.asn)),
        ("autonomous_system_organization", Value::from(row.org)),
    ];
    if !row.subdivision.0.is_empty() {
        let subdivision =
            Value::map([("iso_code", Value::from(row.subdivision.0)), names(row.subdivision.1)]);
        entries.push(("subdivisions", Value::array([subdivision])));
    }
    if !row.city.is_empty() {
        entries.push(("city", Value::map([names(row.city)])));
    }
    if !row.isp.is_empty() {
        entries.push(("traits", Value::map([("isp", row.isp)])));
    }
    Value::map(entries)
}

#[test]
fn the_committed_database_is_what_the_table_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/places.mmdb");
    let made = places_mmdb();
    if env::var_os("BANDWHO_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read(&path).unwrap();
    assert!(committed == made, "{} is stale: run with BANDWHO_BLESS=1", path.display());
    assert!(made.len() < 20 << 10, "{} bytes", made.len());
}

#[test]
fn the_committed_database_says_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/places.mmdb");
    let places = Places::open(&[path], &[]).unwrap();
    let mut memo = Memo::new();
    for row in &ROWS {
        let networks = row.networks.map(|network| network.parse::<IpNet>().unwrap());
        for address in networks.iter().flat_map(|network| [network.network(), network.broadcast()]) {
            let located = places.locate(address, &mut memo);
            assert_eq!(located.failed, 0, "{address}");
            let place = memo.place(located.place);
            let expected = match row.subdivision.0 {
                "" => row.country.0.to_owned(),
                code => format!("{}-{code}", row.country.0),
            };
            assert_eq!(place.region.as_deref(), Some(expected.as_str()), "{address}");
            assert_eq!(place.city.as_deref().unwrap_or_default(), row.city, "{address}");
            assert_eq!(place.carrier.as_deref().unwrap_or_default(), row.isp, "{address}");
            assert_eq!((place.asn, place.org.as_deref()), (Some(row.asn), Some(row.org)), "{address}");
        }
    }
    assert_eq!(memo.places.len(), 1 + ROWS.len());
}

#[test]
fn the_server_list_names_three_data_centres() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/servers.csv");
    let servers = Servers::load(&Statements { lists: &[path], ..Statements::default() }).unwrap();
    assert_eq!(servers.names, ["bj", "gz", "sh"]);
    let site = |name: &str| &servers.sites[servers.names.iter().position(|other| other == name).unwrap()];
    assert_eq!((site("bj").carrier.as_deref(), site("bj").price.as_deref()), (Some("BGP"), Some("20")));
    let idc = servers.by_address("10.3.0.9".parse().unwrap()).unwrap();
    assert_eq!(servers.name(idc), "sh");
    let idc = servers.by_hostname(b"edge2").unwrap();
    assert_eq!(servers.name(idc), "gz");
}
