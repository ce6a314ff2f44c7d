//! Reading a list of 100,000 servers in every notation. What was read is asserted.
//!
//! Every notation lists the same servers: `10.a.b.c` with the names `webN.example.com`, in 50 data centres, one
//! statement a line. Real lists repeat more (groups, ranges, networks) and are read faster.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use bandwho::servers::{Servers, Statements};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SERVERS: u32 = 100_000;
const IDCS: u32 = 50;

/// The last server's name, as far as a list tells names.
const LAST: &[u8] = b"web99999.example.com";

fn address(server: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(10 << 24 | server)
}

/// One line for each server: its address, number and data centre.
fn list(
    head: &str,
    line: impl Fn(&mut String, Ipv4Addr, u32, u32) -> std::fmt::Result,
    tail: &str,
) -> String {
    let mut text = head.to_owned();
    for server in 0..SERVERS {
        line(&mut text, address(server), server, server % IDCS).expect("room for a list");
    }
    text.push_str(tail);
    text
}

fn lists() -> Vec<(&'static str, String)> {
    let mut lists = vec![
        (
            "csv names addresses",
            list(
                "ip,hostname,idc,carrier\n",
                |text, ip, server, idc| writeln!(text, "{ip},web{server}.example.com,idc{idc:02},BGP"),
                "",
            ),
        ),
        ("csv addresses", list("ip,idc\n", |text, ip, _, idc| writeln!(text, "{ip},idc{idc:02}"), "")),
        ("geo", list("geo $idc {\n", |text, ip, _, idc| writeln!(text, "    {ip} idc{idc:02};"), "}\n")),
        (
            "file_sd json",
            list(
                "[\n",
                |text, ip, server, idc| {
                    let comma = if server == 0 { "" } else { "," };
                    writeln!(
                        text,
                        "{comma}{{\"targets\": [\"{ip}:9100\"], \"labels\": {{\"dc\": \"idc{idc:02}\", \"hostname\": \
                         \"web{server}.example.com\"}}}}"
                    )
                },
                "]\n",
            ),
        ),
        (
            "ansible ini",
            list(
                "[web]\n",
                |text, ip, server, idc| {
                    writeln!(text, "web{server}.example.com ansible_host={ip} dc=idc{idc:02}")
                },
                "",
            ),
        ),
    ];
    if cfg!(feature = "yaml") {
        lists.push((
            "ansible yaml",
            list(
                "all:\n  hosts:\n",
                |text, ip, server, idc| {
                    writeln!(
                        text,
                        "    web{server}.example.com:\n      ansible_host: {ip}\n      dc: idc{idc:02}"
                    )
                },
                "",
            ),
        ));
    }
    lists
}

fn read(list: &(String, Vec<u8>)) -> Servers {
    Servers::read(std::slice::from_ref(list), &Statements::default(), &mut |_| Ok(Vec::new()))
        .expect("a list without mistakes")
}

fn servers(criterion: &mut Criterion) {
    for (name, text) in lists() {
        let mut group = criterion.benchmark_group("servers");
        group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(10);
        let list = (name.to_owned(), text.into_bytes());
        group.bench_function(name, |bencher| bencher.iter(|| assert_read(&read(&list), name)));
        group.finish();
    }
}

fn assert_read(servers: &Servers, name: &str) {
    assert_eq!(servers.names.len(), IDCS as usize);
    let shown = |idc: Option<_>| idc.map_or("-", |idc| servers.name(idc));
    for (server, idc) in [(0, "idc00"), (SERVERS / 2 + 7, "idc07"), (SERVERS - 1, "idc49"), (SERVERS, "-")] {
        assert_eq!(shown(servers.by_address(IpAddr::V4(address(server)))), idc, "{name}");
    }
    let has_names = !matches!(name, "csv addresses" | "geo");
    assert_eq!(shown(servers.by_hostname(LAST)), if has_names { "idc49" } else { "-" }, "{name}");
}

criterion_group!(benches, servers);
criterion_main!(benches);
