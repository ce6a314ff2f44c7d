//! Lookups in flat tables and in the databases they are made from; making a flat table. What is found is asserted.
//!
//! `BANDWHO_BENCH_COUNTRY` and `BANDWHO_BENCH_CITY` name MMDBs, several separated as in `PATH`; a made-up database of
//! about the same shape takes the place of one that is not named. Clients have addresses that the database knows:
//! IPv4 anywhere in it, IPv6 in networks drawn with equal chances, as most of its space is empty.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::print_stdout, reason = "what is measured is said where the figures are")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use bandwho::place::{Flat, Places};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ipnet::IpNet;
use maxminddb::{Reader, WithinOptions};
use mmdb_writer::{Value, Writer};

const CLIENTS: usize = 1_000_000;
const LOOKUPS: usize = 1 << 21;

/// The flat table's "nothing known".
const NONE: u32 = u32::MAX;

/// The shape of a made-up database.
struct Shape {
    records: u64,
    networks_v4: u64,
    networks_v6: u64,
    /// Lengths of networks, one as likely as the other.
    lengths_v4: &'static [u8],
    lengths_v6: &'static [u8],
}

const COUNTRY: Shape = Shape {
    records: 240,
    networks_v4: 450_000,
    networks_v6: 125_000,
    lengths_v4: &[14, 16, 18, 19, 20, 21, 22, 22, 23, 23, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24],
    lengths_v6: &[29, 32, 32, 32, 36, 40, 44, 46, 48, 48, 48, 48, 48, 48, 48],
};

const CITY: Shape = Shape {
    records: 170_000,
    networks_v4: 3_500_000,
    networks_v6: 1_000_000,
    lengths_v4: &[18, 20, 22, 22, 23, 23, 24, 24, 24, 24, 24, 25, 26, 27, 28, 29, 30, 31, 32, 32],
    lengths_v6: &[32, 36, 40, 44, 48, 48, 48, 52, 56, 56, 56, 60, 64, 64, 64],
};

/// Numbers that look random and are always the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn wide(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }
}

/// A database of networks side by side, each with one of the records.
fn make_up(shape: &Shape) -> Vec<u8> {
    let mut random = Random(1);
    let mut writer = Writer::builder("Made-up").build();
    let mut insert = |network: IpNet, record: u64| {
        let value = Value::map([
            ("country_code", Value::from("CN")),
            ("city", Value::from(record.to_string().as_str())),
        ]);
        // What the writer keeps for itself, such as private networks, stays empty.
        let _ = writer.insert_value(network, value);
    };
    let mut next = 1_u64 << 24;
    for _ in 0..shape.networks_v4 {
        let length = shape.lengths_v4[random.below(shape.lengths_v4.len())];
        let Ok(first) = u32::try_from(next) else { break };
        let network = IpNet::new(Ipv4Addr::from_bits(first).into(), length).expect("a length").trunc();
        insert(network, random.next() % shape.records);
        next = (next | (u64::from(u32::MAX) >> length)) + 1;
    }
    for _ in 0..shape.networks_v6 {
        let length = shape.lengths_v6[random.below(shape.lengths_v6.len())];
        let regions =
            [0x2001_u128 << 112 | 0x200 << 96, 0x2400 << 112, 0x2600 << 112, 0x2800 << 112, 0x2A00 << 112];
        let address = regions[random.below(regions.len())] | random.wide() >> 14 >> (random.next() % 8);
        let network = IpNet::new(Ipv6Addr::from_bits(address).into(), length).expect("a length").trunc();
        insert(network, random.next() % shape.records);
    }
    writer.to_bytes().expect("a database")
}

fn databases(name: &str, variable: &str, shape: &Shape) -> Vec<PathBuf> {
    if let Some(paths) = std::env::var_os(variable) {
        return std::env::split_paths(&paths).collect();
    }
    println!("{variable} names no database: a made-up one is measured");
    let path = std::env::temp_dir().join(format!("bandwho-bench-{name}.mmdb"));
    std::fs::write(&path, make_up(shape)).expect("room for a database");
    vec![path]
}

/// Addresses in the order of requests: 1 / n of the requests are the n-th client's, in proportion.
fn zipf(clients: &[IpAddr], random: &mut Random) -> Vec<IpAddr> {
    let shares = (1..=clients.len() as u64).map(|rank| (1 << 40) / rank);
    let sums: Vec<u64> = shares
        .scan(0, |sum, share| {
            *sum += share;
            Some(*sum)
        })
        .collect();
    let whole = sums[sums.len() - 1];
    let mut draw = || {
        let point = random.next() % whole;
        clients[sums.partition_point(|&sum| sum <= point)]
    };
    (0..LOOKUPS).map(|_| draw()).collect()
}

fn knows(reader: &Reader<Vec<u8>>, address: IpAddr) -> bool {
    reader.lookup(address).is_ok_and(|found| found.offset().is_some())
}

fn random_v4(random: &mut Random) -> IpAddr {
    Ipv4Addr::from(random.next().to_be_bytes()[..4].first_chunk().copied().expect("four bytes")).into()
}

fn clients_v4(reader: &Reader<Vec<u8>>, count: usize, random: &mut Random) -> Vec<IpAddr> {
    std::iter::repeat_with(|| random_v4(random))
        .filter(|&address| knows(reader, address))
        .take(count)
        .collect()
}

fn clients_v6(reader: &Reader<Vec<u8>>, count: usize, random: &mut Random) -> Vec<IpAddr> {
    let networks = reader.networks(WithinOptions::default()).expect("a tree").filter_map(|found| {
        let found = found.ok()?;
        found.offset()?;
        let (IpAddr::V6(first), length) = (found.network().ok()?.ip(), found.network().ok()?.prefix()) else {
            return None;
        };
        // 2001::/32 and 2002::/16 carry IPv4 addresses.
        let is_native = first.segments()[0] & 0xE000 == 0x2000
            && !matches!(first.segments(), [0x2002, ..] | [0x2001, 0, ..]);
        is_native.then_some((first.to_bits(), length))
    });
    let networks: Vec<(u128, u8)> = networks.collect();
    assert!(!networks.is_empty(), "a database with IPv6 networks");
    let draw = || {
        let (first, length) = networks[random.below(networks.len())];
        Ipv6Addr::from_bits(first | random.wide().checked_shr(length.into()).unwrap_or(0)).into()
    };
    std::iter::repeat_with(draw).take(count).collect()
}

fn lookups(criterion: &mut Criterion, name: &str, flat: &Flat, readers: &[Reader<Vec<u8>>]) {
    let mut random = Random(2);
    let is_v6 = |reader: &&Reader<Vec<u8>>| reader.metadata().ip_version == 6;
    // Vendors ship the families apart or together.
    let samples: Vec<IpAddr> = (0..1_000).map(|_| random_v4(&mut random)).collect();
    let known = |reader: &&Reader<Vec<u8>>| samples.iter().filter(|&&address| knows(reader, address)).count();
    let v4 = readers.iter().max_by_key(known).expect("a database");
    let v6 = readers.iter().filter(is_v6).max_by_key(|reader| reader.metadata().node_count).expect("IPv6");
    for (family, reader) in [("v4", v4), ("v6", v6)] {
        let clients = |count, random: &mut Random| match family {
            "v4" => clients_v4(reader, count, random),
            _ => clients_v6(reader, count, random),
        };
        let few = clients(CLIENTS, &mut random);
        for (spread, addresses) in
            [("zipf", zipf(&few, &mut random)), ("uniform", clients(LOOKUPS, &mut random))]
        {
            let mut group = criterion.benchmark_group(format!("{name} {family} {spread}"));
            group.throughput(Throughput::Elements(LOOKUPS as u64)).sample_size(10);
            group.bench_function("flat", |bencher| {
                bencher.iter(|| {
                    let known = addresses.iter().filter(|&&address| flat.find(address) != NONE).count();
                    assert_eq!(known, LOOKUPS);
                });
            });
            group.bench_function("reader", |bencher| {
                bencher.iter(|| {
                    let known = addresses.iter().filter(|&&address| knows(reader, address)).count();
                    assert_eq!(known, LOOKUPS);
                });
            });
            group.finish();
        }
    }
}

fn places(criterion: &mut Criterion) {
    for (name, variable, shape) in
        [("country", "BANDWHO_BENCH_COUNTRY", COUNTRY), ("city", "BANDWHO_BENCH_CITY", CITY)]
    {
        let paths = databases(name, variable, &shape);
        let readers: Vec<_> =
            paths.iter().map(|path| Reader::open_readfile(path).expect("a database")).collect();
        let places = Places::open(&paths, &[]).expect("a database");
        let flat = Flat::of(&places).expect("a database");
        let (v4, v6) = flat.bytes();
        println!("{name}: {v4} bytes for IPv4, {v6} bytes for IPv6");
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).bench_with_input(
            BenchmarkId::from_parameter("build"),
            &places,
            |bencher, places| {
                bencher.iter(|| Flat::of(places).expect("it was made before"));
            },
        );
        group.finish();
        lookups(criterion, name, &flat, &readers);
    }
}

criterion_group!(benches, places);
criterion_main!(benches);
