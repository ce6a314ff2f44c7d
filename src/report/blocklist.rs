//! Rows that are addresses or networks, in the words of what can block them.
//!
//! The key of each row is read as an address again before it is written: nothing else of a log gets into such a file,
//! and what comments say has no line of its own making.

use std::collections::HashSet;
use std::io;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Cell, Report, Table, escape};

/// What reads the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocklist {
    /// nginx: `deny` directives, for `include`.
    Nginx,
    /// nftables: two sets in a table of their own, for `nft -f`; a later list takes the place of an earlier one.
    Nft,
    /// ipset: two sets, for `ipset restore`; a later list takes the place of an earlier one.
    Ipset,
}

/// Characters of a comment: ipset reads lines of 1 KiB, nginx tokens of 4.
const COMMENT_MAX: usize = 200;

/// Elements that a set may have: a set of another limit would be another set, and refused.
const IPSET_ROOM: usize = 1 << 24;

impl Blocklist {
    /// That of a file's extension.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "nginx" => Some(Self::Nginx),
            "nft" => Some(Self::Nft),
            "ipset" => Some(Self::Ipset),
            _ => None,
        }
    }
}

/// Writes the rows of the first table, whose key is an address or network.
pub fn write(report: &Report, tool: Blocklist, out: &mut dyn io::Write) -> io::Result<()> {
    let empty = Table::default();
    let table = report.tables.first().unwrap_or(&empty);
    let is_net = table.by.iter().any(|by| by == "net");
    let read = |key: &Cell| if is_net { network(key) } else { address(key) };
    let mut listed = HashSet::new();
    let networks = table.rows.iter().filter_map(|row| read(row.first()?));
    // A mapped address and the IPv4 address that it is are two rows, and ipset stops at what it has already.
    let networks: Vec<IpNet> = networks.filter(|network| listed.insert(*network)).collect();
    let (v4, v6): (Vec<IpNet>, Vec<IpNet>) =
        networks.into_iter().partition(|network| matches!(network, IpNet::V4(_)));
    comments(report, table, [v4.len(), v6.len()], tool, out)?;
    match tool {
        Blocklist::Nginx => {
            v4.iter().chain(&v6).try_for_each(|network| writeln!(out, "deny {};", shown(network)))
        }
        Blocklist::Nft => nft(&v4, &v6, out),
        Blocklist::Ipset => {
            ipset("bandwho_deny4", "inet", &v4, out)?;
            ipset("bandwho_deny6", "inet6", &v6, out)
        }
    }
}

/// The address that a client is. A name may look like a network, and would block one.
fn address(key: &Cell) -> Option<IpNet> {
    let address = text(key)?.parse::<IpAddr>().ok()?.to_canonical();
    is_strange(address).then(|| address.into())
}

/// The network that a net is, none larger than rows can be.
fn network(key: &Cell) -> Option<IpNet> {
    let network = text(key)?.parse::<IpNet>().ok()?.trunc();
    let least = if matches!(network, IpNet::V4(_)) { LEAST_BITS.0 } else { LEAST_BITS.1 };
    (network.prefix_len() >= least && is_strange(network.addr())).then_some(network)
}

/// Bits of the largest networks that `--net auto` joins.
const LEAST_BITS: (u8, u8) = (16, 32);

fn text(key: &Cell) -> Option<&str> {
    match key {
        Cell::Text(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

/// True unless it is this machine or a link of it, or nobody: who blocks these blocks itself.
fn is_strange(address: IpAddr) -> bool {
    let local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !(local || address.is_loopback() || address.is_unspecified())
}

/// An address without a length.
fn shown(network: &IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}

/// What the list is an answer to, and what is not in it.
fn comments(
    report: &Report,
    table: &Table,
    [v4, v6]: [usize; 2],
    tool: Blocklist,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let input = &report.input;
    let by = table.by.join(",");
    let filter = input.filter.as_ref().map(|filter| format!(", where {filter}")).unwrap_or_default();
    let time = |time: &Option<String>| time.clone().unwrap_or_else(|| "unknown".to_owned());
    let others = table.other.as_ref().map_or(0, |other| other.groups);
    let left = table.rows.len() - v4 - v6;
    let mut lines = vec![
        format!("bandwho top --by {by}{filter}"),
        format!(
            "{} of {} lines, from {} to {}",
            input.accepted - input.filtered.min(input.accepted),
            input.lines,
            time(&input.first),
            time(&input.last)
        ),
        format!(
            "listed: {v4} IPv4, {v6} IPv6; not listed: {others} other groups, {left} rows that are no address"
        ),
    ];
    lines.extend(match tool {
        Blocklist::Nginx => vec!["use: include this file in http, server or location".to_owned()],
        Blocklist::Nft => vec![
            "use: nft -f FILE, and once".to_owned(),
            "  nft add chain inet bandwho input '{ type filter hook input priority -10; }'".to_owned(),
            "  nft add rule inet bandwho input ip saddr @deny4 drop".to_owned(),
            "  nft add rule inet bandwho input ip6 saddr @deny6 drop".to_owned(),
        ],
        Blocklist::Ipset => vec![
            "use: ipset restore < FILE, and once".to_owned(),
            "  iptables -I INPUT -m set --match-set bandwho_deny4 src -j DROP".to_owned(),
            "  ip6tables -I INPUT -m set --match-set bandwho_deny6 src -j DROP".to_owned(),
        ],
    });
    lines.iter().try_for_each(|line| writeln!(out, "# {}", comment(line)))
}

/// One line, whatever the text.
fn comment(text: &str) -> String {
    let line = escape::terminal(text.as_bytes());
    match line.char_indices().nth(COMMENT_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.into_owned(),
    }
}

fn nft(v4: &[IpNet], v6: &[IpNet], out: &mut dyn io::Write) -> io::Result<()> {
    let sets = [("deny4", "ipv4_addr", v4), ("deny6", "ipv6_addr", v6)];
    writeln!(out, "table inet bandwho {{")?;
    for (name, kind, _) in sets {
        writeln!(out, "    set {name} {{\n        type {kind}\n        flags interval\n    }}")?;
    }
    writeln!(out, "}}")?;
    // The file is one transaction: no packet meets an empty set.
    for (name, _, networks) in sets {
        writeln!(out, "flush set inet bandwho {name}")?;
        if !networks.is_empty() {
            let elements: Vec<String> = networks.iter().map(shown).collect();
            writeln!(out, "add element inet bandwho {name} {{\n    {}\n}}", elements.join(",\n    "))?;
        }
    }
    Ok(())
}

fn ipset(name: &str, family: &str, networks: &[IpNet], out: &mut dyn io::Write) -> io::Result<()> {
    let room = networks.len().max(IPSET_ROOM);
    writeln!(out, "create {name} hash:net family {family} maxelem {room} -exist")?;
    writeln!(out, "flush {name}")?;
    networks.iter().try_for_each(|network| writeln!(out, "add {name} {}", shown(network)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Input, Other};

    fn written(by: &str, keys: &[&str], filter: &str, tool: Blocklist) -> String {
        let table = Table {
            by: vec![by.to_owned()],
            rows: keys.iter().map(|key| vec![Cell::Text(key.as_bytes().to_vec())]).collect(),
            other: Some(Other { groups: 7, cells: vec![Cell::Null] }),
            ..Table::default()
        };
        let input = Input {
            lines: 12,
            accepted: 10,
            filtered: 1,
            filter: Some(filter.to_owned()),
            first: Some("2026-11-20T00:00:00Z".to_owned()),
            ..Input::default()
        };
        let report = Report { input, tables: vec![table], ..Report::default() };
        let mut out = Vec::new();
        write(&report, tool, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    const KEYS: [&str; 12] = [
        "192.0.2.0/24",
        "2001:db8::/48",
        "198.51.100.7",
        "2001:db8:1::7",
        "unknown",
        "host.example",
        "0.0.0.0/0",
        "::ffff:203.0.113.9",
        "1.2.3.4; } evil",
        "10.0.0.0/8\ndeny all;",
        "fe80::1%eth0",
        "",
    ];

    fn body(by: &str, keys: &[&str], tool: Blocklist) -> String {
        let text = written(by, keys, "a\n deny all;", tool);
        text.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect()
    }

    #[test]
    fn only_addresses_are_listed() {
        assert_eq!(body("net", &KEYS, Blocklist::Nginx), "deny 192.0.2.0/24;\ndeny 2001:db8::/48;\n");
        assert_eq!(
            body("client", &KEYS, Blocklist::Ipset),
            "create bandwho_deny4 hash:net family inet maxelem 16777216 -exist\nflush bandwho_deny4\n\
             add bandwho_deny4 198.51.100.7\nadd bandwho_deny4 203.0.113.9\n\
             create bandwho_deny6 hash:net family inet6 maxelem 16777216 -exist\nflush bandwho_deny6\n\
             add bandwho_deny6 2001:db8:1::7\n"
        );
        // A name that looks like a network blocks none; what is one address is listed once; nobody blocks himself.
        let forged =
            ["0.0.0.0/1", "8.8.8.0/8", "8.8.8.8", "::ffff:8.8.8.8", "127.0.0.1", "::1", "fe80::7", "::"];
        assert_eq!(body("client", &forged, Blocklist::Nginx), "deny 8.8.8.8;\n");
        assert_eq!(
            body("net", &["8.0.0.0/8", "2001::/16", "fe80::/48", "10.1.0.0/16"], Blocklist::Nginx),
            "deny 10.1.0.0/16;\n"
        );
        assert_eq!(
            body("net", &["192.0.2.0/24", "198.51.100.0/24"], Blocklist::Nft),
            "table inet bandwho {\n    set deny4 {\n        type ipv4_addr\n        flags interval\n    }\n    set deny6 {\n        \
             type ipv6_addr\n        flags interval\n    }\n}\nflush set inet bandwho deny4\nadd element inet bandwho deny4 {\n    \
             192.0.2.0/24,\n    198.51.100.0/24\n}\nflush set inet bandwho deny6\n"
        );
    }

    #[test]
    fn comments_are_lines_and_tell_what_is_missing() {
        let text =
            written("net", &KEYS, &format!("agent = \"\u{1b}[31m\n{}", "x".repeat(5_000)), Blocklist::Nginx);
        let comments: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(comments.len(), 4);
        assert!(
            comments[0].starts_with("# bandwho top --by net, where agent = \"\\x1b[31m\\x0axxx"),
            "{}",
            comments[0]
        );
        assert!(comments.iter().all(|line| line.chars().count() <= COMMENT_MAX + 5));
        assert_eq!(comments[1], "# 9 of 12 lines, from 2026-11-20T00:00:00Z to unknown");
        assert_eq!(
            comments[2],
            "# listed: 1 IPv4, 1 IPv6; not listed: 7 other groups, 10 rows that are no address"
        );
    }
}
