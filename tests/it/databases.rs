//! Foreign databases: every file of the format's own test suite, sound and broken, and what the sound ones say.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, iter};

use bandwho::place::{Memo, Place, PlaceId, Places};

/// What was seen of the files: see `every_file_is_read_or_refused_by_name`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    opened: usize,
    refused: usize,
    /// Of the opened: those with a record that cannot be read or is not a map.
    late_errors: usize,
}

/// Far beyond the few milliseconds it takes: only a loop would reach it.
const TIME_MAX: Duration = Duration::from_secs(20);

#[test]
fn every_file_is_read_or_refused_by_name() {
    let Some(root) = suite() else { return };
    let mut files = Vec::new();
    find(&root, &mut files);
    files.sort();
    let mut seen = Seen::default();
    for file in &files {
        let start = Instant::now();
        match Places::open(std::slice::from_ref(file), &[]) {
            Ok(places) => {
                let mut memo = Memo::new();
                let failed = addresses().any(|address| places.locate(address, &mut memo).failed != 0);
                seen.opened += 1;
                seen.late_errors += usize::from(failed);
            }
            Err(error) => {
                let message = error.to_string();
                // One file is a bare record, in which nothing is left of the form.
                let bare = file.extension().is_some_and(|extension| extension == "raw");
                let what = if bare { "no IP database" } else { "not a MaxMind database" };
                assert!(message.starts_with(&format!("{}: {what}: ", file.display())), "{message}");
                seen.refused += 1;
            }
        }
        assert!(start.elapsed() < TIME_MAX, "{}: {:?}", file.display(), start.elapsed());
    }
    assert_eq!(files.len(), 62);
    assert_eq!(seen, Seen { opened: 50, refused: 12, late_errors: 12 });
}

#[test]
fn well_known_addresses_are_where_they_should_be() {
    // country region province city carrier asn org netkind
    check(&["GeoIP2-City-Test"], "2.125.160.216", "GB|GB-ENG|England|Boxford|-|-|-|-");
    check(&["GeoIP2-City-Test"], "81.2.69.142", "GB|GB-ENG|England|London|-|-|-|-");
    check(&["GeoIP2-City-Test"], "2001:218::", "JP|JP|-|-|-|-|-|-");
    check(&["GeoIP2-City-Test"], "::ffff:81.2.69.142", "GB|GB-ENG|England|London|-|-|-|-");
    check(&["GeoIP2-City-Test"], "192.0.2.1", "-|-|-|-|-|-|-|-");
    check(&["GeoIP2-City-Test"], "89.160.20.112", "SE|SE-E|Östergötland County|Linköping|-|-|-|-");
    check(&["GeoIP2-Country-Test"], "2.125.160.216", "GB|GB|-|-|-|-|-|-");
    check(&["GeoLite2-ASN-Test"], "1.128.0.0", "-|-|-|-|Telstra|1221|Telstra Pty Ltd|carrier");
    check(&["GeoLite2-ASN-Test"], "2600:6000::", "-|-|-|-|Merit|237|Merit Network Inc.|edu");
    check(&["GeoIP2-ISP-Test"], "1.128.0.0", "-|-|-|-|Telstra Internet|1221|Telstra Pty Ltd|carrier");
    check(&["GeoIP2-ISP-Test"], "12.81.92.0", "-|-|-|-|AT&T Services|7018|-|carrier");
    check(
        &["GeoIP2-Enterprise-Test"],
        "74.209.24.0",
        "US|US-NY|New York|Chatham|Fairpoint Communications|14671|FairPoint Communications|carrier",
    );
    check(&["GeoIP2-City-Test"], "175.16.199.0", "CN|CN-JL|Jilin Sheng|Changchun|-|-|-|-");
    check(&["GeoIP2-Precision-Enterprise-Test"], "2.125.160.216", "GB|GB-ENG|England|Boxford|-|-|-|-");
    check(&["GeoIP2-Anonymous-IP-Test"], "71.160.223.0", "-|-|-|-|-|-|-|idc");
}

#[test]
fn databases_are_joined() {
    check(
        &["GeoLite2-City-Test", "GeoLite2-ASN-Test"],
        "89.160.20.112",
        "SE|SE-E|Östergötland County|Linköping|-|29518|Bredband2 AB|-",
    );
    check(
        &["GeoLite2-ASN-Test", "GeoLite2-City-Test"],
        "89.160.20.112",
        "SE|SE-E|Östergötland County|Linköping|-|29518|Bredband2 AB|-",
    );
    check(
        &["GeoIP2-City-Test", "GeoIP2-Anonymous-IP-Test"],
        "81.2.69.142",
        "GB|GB-ENG|England|London|-|-|-|idc",
    );
}

fn check(databases: &[&str], address: &str, expected: &str) {
    let Some(root) = suite() else { return };
    let path = |name: &&str| root.join("test-data").join(name).with_extension("mmdb");
    let places = Places::open(&databases.iter().map(path).collect::<Vec<_>>(), &[]).unwrap();
    let mut memo = Memo::new();
    let id = places.locate(address.parse().unwrap(), &mut memo).place;
    assert_eq!(show(memo.place(id)), expected, "{address} in {databases:?}");
    assert_eq!(id == PlaceId::UNKNOWN, *memo.place(id) == Place::default());
    assert!(places.databases().all(|about| about.date.is_some()));
}

fn show(place: &Place) -> String {
    let Place { country, region, province, city, carrier, asn, org, netkind } = place;
    let asn = asn.map(|asn| asn.to_string().into_boxed_str());
    [country, region, province, city, carrier, &asn, org, netkind]
        .map(|field| field.as_deref().unwrap_or("-").to_owned())
        .join("|")
}

fn suite() -> Option<PathBuf> {
    crate::corpora().map(|root| root.join("maxmind-db")).filter(|suite| suite.is_dir())
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "mmdb" || extension == "raw") {
            files.push(path);
        }
    }
}

/// Both ends of every power of two, the addresses around those that the suite's records sit at, and noise.
fn addresses() -> impl Iterator<Item = IpAddr> {
    let v4 = |bits: u32| IpAddr::V4(Ipv4Addr::from_bits(bits));
    let v6 = |bits: u128| IpAddr::V6(Ipv6Addr::from_bits(bits));
    let ends4 = (0..32).flat_map(move |bit| [1 << bit, (1_u32 << bit) - 1, !((1 << bit) - 1)].map(v4));
    let ends6 = (0..128).flat_map(move |bit| [1 << bit, (1_u128 << bit) - 1, !((1 << bit) - 1)].map(v6));
    let bases4 = [0x0102_0304, 0x0101_0101, 0x0280_0000, 0x027d_a0d8, 0x5102_458e, 0x59a0_1470, 0x4ad1_1800];
    let near4 = bases4.into_iter().flat_map(move |base: u32| (0..32).map(move |bit| v4(base ^ 1 << bit)));
    let bases6 =
        [0x2001_0218_u128 << 96, 0x2600_6000 << 96, 0x2a02_d000 << 96, 0xffff_0102_0304, 0x0102_0304];
    let near6 = bases6.into_iter().flat_map(move |base| (0..128).map(move |bit| v6(base ^ 1 << bit)));
    let mut state = 20_110_820_u64;
    let mut word = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 32
    };
    let noise = iter::repeat_with(move || {
        let (a, b, c, d) = (word(), word(), word(), word());
        [v4(u32::try_from(a).unwrap()), v6(u128::from(a << 32 | b) << 64 | u128::from(c << 32 | d))]
    });
    ends4.chain(ends6).chain(near4).chain(near6).chain(noise.take(350).flatten())
}
