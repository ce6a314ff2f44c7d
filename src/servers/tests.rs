//! Lookups, and one site in every notation.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn servers(list: &str, pairs: &[&str]) -> Servers {
    let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
    let statements = Statements { pairs: &pairs, ..Statements::default() };
    let list = ("servers.csv".to_owned(), list.as_bytes().to_vec());
    Servers::read(&[list], &statements, &mut |_| Ok(Vec::new())).unwrap()
}

fn pairs(pairs: &[&str]) -> Servers {
    let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
    Servers::load(&Statements { pairs: &pairs, ..Statements::default() }).unwrap()
}

fn check(found: Option<Idc>, servers: &Servers, expected: &str) {
    assert_eq!(found.map_or("-", |idc| servers.name(idc)), expected);
}

#[test]
fn addresses_are_found_by_the_longest_network() {
    let servers = pairs(&["10.0.0.0/8=all", "10.1.0.0/16=bj", "10.1.2.3=one", "2001:db8::/32=six", "::1=lo"]);
    let cases = [
        ("10.1.2.3", "one"),
        ("10.1.2.4", "bj"),
        ("10.2.0.0", "all"),
        ("11.0.0.0", "-"),
        ("::ffff:10.1.2.3", "one"),
        ("2001:db8:ffff::1", "six"),
        ("::1", "lo"),
        ("::2", "-"),
    ];
    for (address, expected) in cases {
        check(servers.by_address(address.parse().unwrap()), &servers, expected);
    }
    assert_eq!(servers.names, ["all", "bj", "lo", "one", "six"]);
}

#[test]
fn hostnames_are_found_whole_then_short_then_by_glob() {
    let servers = pairs(&[
        "web1=bj",
        "DB1.gz.example.com=gz",
        "cache.sh.example.com=sh",
        "cache.gz.example.com=gz",
        "host:web-*=globbed",
        "web-sh-*=sh",
    ]);
    let cases = [
        ("web1", "bj"),
        ("WEB1.example.com", "bj"),
        ("web1.", "bj"),
        ("db1.GZ.example.com", "gz"),
        ("db1", "gz"),
        ("db1.sh.example.com", "-"),
        ("cache", "-"),
        ("web-1.example.com", "globbed"),
        ("web-sh-1.example.com", "sh"),
        ("Web-SH-1", "sh"),
        ("", "-"),
        (".", "-"),
    ];
    for (name, expected) in cases {
        check(servers.by_hostname(name.as_bytes()), &servers, expected);
    }
    check(servers.by_hostname(b"\xff\xfe.example"), &servers, "-");
    check(servers.by_hostname(&[b'a'; NAME_BYTES_MAX + 1]), &servers, "-");
}

#[test]
fn hosts_are_found_only_if_listed() {
    let servers = pairs(&["host:www.example.com=bj", "web1=gz", "host:*.cdn.example.com=sh"]);
    let cases = [
        ("www.example.com", "bj"),
        ("WWW.Example.com:8080", "bj"),
        ("www", "-"),
        ("web1.example.com", "-"),
        ("web1:80", "gz"),
        ("a.cdn.example.com:443", "sh"),
        ("[::1]:80", "-"),
    ];
    for (host, expected) in cases {
        check(servers.by_host(host.as_bytes()), &servers, expected);
    }
}

#[test]
fn names_that_are_addresses_are_found_as_such() {
    let servers =
        servers("host,idc\n10.0.0.2,bj\n2001:db8::1,gz\n10,short\n10.0.*,glob\n10.1.0.0/16,net\n", &[]);
    let cases = [("10.0.0.2", "bj"), ("10.0.0.3", "glob"), ("10.1.0.1", "net"), ("10.9.0.1", "-")];
    for (name, expected) in cases {
        check(servers.by_hostname(name.as_bytes()), &servers, expected);
        check(servers.by_host(format!("{name}:80").as_bytes()), &servers, expected);
    }
    check(servers.by_hostname(b"2001:DB8::1"), &servers, "gz");
    check(servers.by_host(b"[2001:DB8::1]:80"), &servers, "gz");
    check(servers.by_host(b"[2001:db8::1]"), &servers, "gz");
    check(servers.by_host(b"["), &servers, "-");
}

#[test]
fn patterns_are_bounded() {
    let check = |row: &str, expected: &str| {
        let list = ("s.csv".to_owned(), format!("path,idc\n{row}").into_bytes());
        let error = Servers::read(&[list], &Statements::default(), &mut |_| Ok(Vec::new())).unwrap_err();
        assert_eq!(error.to_string(), format!("s.csv:{expected}"));
    };
    let nested = |depth: usize| format!("/{}a{}", "{".repeat(depth), "}".repeat(depth));
    check(&format!("{},bj\n", nested(30_000)), "2: column path: a path of 60002 bytes: at most 4096");
    let message = format!("{} is not a glob: braces stand in each other more than 16 deep", nested(17));
    check(&format!("{},bj\n", nested(17)), &format!("2: column path: {message}"));
    let many: Vec<String> =
        (0..1_100).map(|number| format!("/{number:04}{},bj\n", "a".repeat(4_000))).collect();
    let many = many.concat();
    check(&many, "1049: more than 4 MiB of paths and globs, 1048 in all: use fewer, or names and networks");
    let refused =
        Servers::load(&Statements { pairs: &[format!("{}=bj", nested(2_000))], ..Statements::default() });
    assert!(matches!(refused, Err(Error::Usage(_))));
}

#[test]
fn names_of_data_centres_are_text() {
    let check = |text: &str, expected: &str| {
        let list = ("s".to_owned(), text.as_bytes().to_vec());
        let error = Servers::read(&[list], &Statements::default(), &mut |_| Ok(Vec::new())).unwrap_err();
        assert_eq!(error.to_string(), format!("s:{expected}"), "{text:?}");
    };
    check("ip,dc\n1.1.1.1,b\0j\n", "2:9: \"b\\0j\" cannot be a data centre's name");
    check("ip,dc\n1.1.1.1,\"b\nj\"\n", "2:9: \"b\\nj\" cannot be a data centre's name");
    let escaped = r#"[{"targets":["a"],"labels":{"dc":"b\u001bj"}}]"#;
    check(escaped, r#"1:30: "b\u{1b}j" cannot be a data centre's name"#);
    let long = "a".repeat(256);
    check(&format!("geo $idc {{ 1.1.1.1 {long}; }}"), "1:12: a data centre's name of 256 bytes: at most 255");
}

#[test]
fn targets_of_two_data_centres_are_refused() {
    let check = |text: &str, expected: &str| {
        let list = ("t.json".to_owned(), text.as_bytes().to_vec());
        let error = Servers::read(&[list], &Statements::default(), &mut |_| Ok(Vec::new())).unwrap_err();
        assert_eq!(error.to_string(), format!("t.json:{expected}"), "{text}");
    };
    check(
        "[{\"targets\":[\"a\"],\"labels\":{\"dc\":\"bj\",\"dc\":\"gz\"}}]",
        "1:40: dc is here again, first at 1:30",
    );
    check(
        "[{\"targets\":[\"a\"],\n\"labels\":{\"dc\":\"bj\"},\n\"labels\":{\"dc\":\"gz\"}}]",
        "3:2: labels is here again, first at 2:2",
    );
}

#[test]
fn numbers_and_nothing_do_not_spoil_targets() {
    let text = r#"[{"weight":1.5,"on":true,"rack":null,"id":123456789012345678901234567890,
        "targets":["a"],"labels":{"dc":1.50,"price":-2.5e3,"x":null}}]"#;
    let list = ("t.json".to_owned(), text.as_bytes().to_vec());
    let servers = Servers::read(&[list], &Statements::default(), &mut |_| Ok(Vec::new())).unwrap();
    check(servers.by_hostname(b"a"), &servers, "1.50");
    assert_eq!(servers.sites[0].price.as_deref(), Some("-2.5e3"));
}

#[test]
fn paths_are_found_by_the_most_specific_prefix_or_glob() {
    let servers = pairs(&[
        "/logs/bj=bj",
        "/logs/bj/old/=old",
        "/logs/**=any",
        "glob:/logs/gz-*/*.log=gz",
        "glob:**/sh/*=sh",
        "/data/sh/=data",
    ]);
    let cases = [
        ("/logs/bj", "bj"),
        ("/logs/bj/access.log", "bj"),
        ("/logs/bj2/access.log", "any"),
        ("/logs/bj/old/a.log", "old"),
        ("/logs/gz-1/a.log", "gz"),
        ("/logs/gz-1/sub/a.log", "any"),
        ("logs/sh/a.log", "sh"),
        ("/data/sh/a.log", "data"),
        ("/var/log/a.log", "-"),
        ("", "-"),
    ];
    for (path, expected) in cases {
        check(servers.by_path(path), &servers, expected);
    }
    check(pairs(&["/=root"]).by_path("/var/log/a.log"), &pairs(&["/=root"]), "root");
    check(pairs(&["/=root"]).by_path("a.log"), &pairs(&["/=root"]), "-");
}

#[test]
fn the_default_is_a_data_centre_like_the_others() {
    let servers = Servers::load(&Statements {
        pairs: &["10.0.0.1=gz".to_owned()],
        default: Some("bj"),
        ..Statements::default()
    })
    .unwrap();
    assert_eq!(servers.names, ["bj", "gz"]);
    assert_eq!(servers.sites.len(), 2);
    check(servers.default_idc(), &servers, "bj");
    assert!(!servers.is_empty());
    assert!(Servers::load(&Statements::default()).unwrap().is_empty());
    assert_eq!(Key::ALL.map(Key::name), ["server_addr", "hostname", "path", "host", "default"]);
}

#[test]
fn lists_and_pairs_work_together() {
    let servers = servers("ip,name,idc\n10.1.0.1,web1,bj\n", &["10.1.0.1=bj", "10.1.0.0/24=gz"]);
    check(servers.by_address("10.1.0.1".parse().unwrap()), &servers, "bj");
    check(servers.by_address("10.1.0.2".parse().unwrap()), &servers, "gz");
    check(servers.by_hostname(b"web1"), &servers, "bj");
}

/// Every server of a list of 100,000 is there, once, in each notation. How long that takes: `benches/servers.rs`.
#[test]
fn a_hundred_thousand_servers_load() {
    const SERVERS: u32 = 100_000;
    let check = |head: &str, line: &dyn Fn(&mut String, IpAddr, u32, u32), tail: &str, names: usize| {
        let mut list = head.to_owned();
        let address = |server: u32| IpAddr::from((10 << 24 | server).to_be_bytes());
        for server in 0..SERVERS {
            line(&mut list, address(server), server, server % 50);
        }
        list.push_str(tail);
        let servers = servers(&list, &[]);
        assert_eq!((servers.names.len(), servers.addresses.len()), (50, SERVERS as usize), "{head}");
        assert_eq!(servers.hostnames.len(), names, "{head}");
        for server in (0..SERVERS).step_by(997).chain([SERVERS - 1]) {
            let idc = format!("idc{}", server % 50);
            check(servers.by_address(address(server)), &servers, &idc);
            let idc = if names == 0 { "-" } else { &idc };
            check(servers.by_hostname(format!("web{server}.example.com").as_bytes()), &servers, idc);
            check(servers.by_hostname(format!("web{server}").as_bytes()), &servers, idc);
        }
        check(servers.by_address(address(SERVERS)), &servers, "-");
    };
    let csv = |list: &mut String, ip, server, idc| {
        writeln!(list, "{ip},web{server}.example.com,idc{idc},BGP").unwrap();
    };
    check("ip,hostname,idc,carrier\n", &csv, "", 100_000);
    check("geo $idc {\n", &|list, ip, _, idc| writeln!(list, " {ip} idc{idc};").unwrap(), "}", 0);
    let ini = |list: &mut String, ip, server, idc| {
        writeln!(list, "web{server}.example.com ansible_host={ip} dc=idc{idc}").unwrap();
    };
    check("[web]\n", &ini, "", 100_000);
    let yaml = |list: &mut String, ip, server, idc| {
        writeln!(list, "    web{server}.example.com: {{ansible_host: {ip}, dc: idc{idc}}}").unwrap();
    };
    if cfg!(feature = "yaml") {
        check("all:\n  hosts:\n", &yaml, "", 100_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// The slow twin of the whole hostname rule, over an alphabet where names collide.
    #[test]
    fn hostnames_agree_with_scanning(
        listed in prop::collection::btree_map("[ab]{1,2}(\\.[ab]){0,2}", 0_u8..3, 0..6),
        name in "[abAB]{1,2}(\\.[ab]){0,2}",
    ) {
        let given: Vec<String> = listed.iter().map(|(name, idc)| format!("{name}=idc{idc}")).collect();
        let servers = Servers::load(&Statements { pairs: &given, ..Statements::default() }).unwrap();
        let lower = name.to_lowercase();
        let short = lower.split('.').next().unwrap();
        let sharing: std::collections::BTreeSet<u8> = listed
            .iter()
            .filter(|(listed, _)| listed.contains('.') && listed.split('.').next() == Some(short))
            .map(|(_, idc)| *idc)
            .collect();
        let expected = listed.get(&lower).copied().or_else(|| {
            if lower.contains('.') {
                listed.get(short).copied()
            } else {
                sharing.first().copied().filter(|_| sharing.len() == 1)
            }
        });
        let found = servers.by_hostname(name.as_bytes()).map(|idc| servers.name(idc).to_owned());
        prop_assert_eq!(found, expected.map(|idc| format!("idc{idc}")));
    }
}

/// The same site in the notations of `testdata/servers/`. nginx's `geo` knows no names.
#[test]
fn one_site_is_the_same_in_every_notation() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/servers");
    let mut lists = vec!["site.csv", "netbox.tsv", "targets.json", "hosts.ini", "geo.conf"];
    if cfg!(feature = "yaml") {
        lists.extend(["targets.yml", "hosts.yml"]);
    }
    for list in &lists {
        let servers = Servers::load(&Statements { lists: &[folder.join(list)], ..Statements::default() });
        let servers = servers.unwrap();
        assert_eq!(servers.names, ["bj", "gz", "sh"], "{list}");
        let addresses = [
            ("10.1.0.1", "bj"),
            ("10.1.0.2", "bj"),
            ("10.1.0.3", "-"),
            ("10.2.0.1", "gz"),
            ("::ffff:10.2.0.2", "gz"),
            ("10.3.0.2", "sh"),
            ("2001:db8:1::1", "bj"),
            ("2001:db8:2::1", "gz"),
            ("2001:db8:3::1", "sh"),
            ("2001:db8:3::2", "-"),
        ];
        for (address, expected) in addresses {
            check(servers.by_address(address.parse().unwrap()), &servers, expected);
        }
        let hostnames = [
            ("web1.bj.example.com", "bj"),
            ("WEB2.BJ.example.com", "bj"),
            ("web2.gz.example.com", "gz"),
            ("web1.sh.example.com", "sh"),
            ("web1", "-"),
            ("monitor", "-"),
        ];
        for (hostname, expected) in hostnames {
            let expected = if *list == "geo.conf" { "-" } else { expected };
            check(servers.by_hostname(hostname.as_bytes()), &servers, expected);
            check(servers.by_host(hostname.as_bytes()), &servers, expected);
        }
    }
    // All at once: nobody contradicts anybody.
    let lists: Vec<PathBuf> =
        lists.iter().chain(&["geo_ranges.conf"]).map(|list| folder.join(list)).collect();
    let servers = Servers::load(&Statements { lists: &lists, ..Statements::default() }).unwrap();
    assert_eq!(servers.names, ["bj", "gz", "sh"]);
}

#[test]
fn lists_of_different_notations_that_disagree_are_both_named() {
    let read = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    let lists = [
        read("a.json", "[{\"targets\": [\"10.0.0.1:80\"],\n \"labels\": {\"dc\": \"bj\"}}]"),
        read("b.conf", "geo $idc {\n  10.0.0.1 gz;\n}"),
    ];
    let error = Servers::read(&lists, &Statements::default(), &mut |_| Ok(Vec::new())).unwrap_err();
    assert_eq!(error.to_string(), "b.conf:2:3: 10.0.0.1 belongs to gz here, but to bj in a.json, line 1");
}

#[test]
fn what_is_wrong_with_targets_is_said() {
    let check = |text: &str, expected: &str| {
        let list = ("t.json".to_owned(), text.as_bytes().to_vec());
        let error = Servers::read(&[list], &Statements::default(), &mut |_| Ok(Vec::new())).unwrap_err();
        assert_eq!(error.to_string(), format!("t.json{expected}"), "{text}");
    };
    let wanted = "(idc, dc, datacenter, site, location, room, 机房)";
    check("[]", ": the list of targets is empty");
    check(
        "[{\"targets\":[\"a\"]}]",
        &format!(": no group of targets has a label that names a data centre {wanted}"),
    );
    check("[{\"targets\":[\"a\"]", ":1:17: not JSON: EOF while parsing an object");
    check("[{}]", ":1:1: a group has no targets");
    check("[{\"targets\":\"a\"}]", ":1:14: targets must be a list");
    check("[{\"targets\":[\"a\"],\"labels\":\"x\"}]", ":1:29: labels must be a mapping");
    check(
        "[{\"labels\":{\"dc\":\"bj\"},\"targets\":[\n\"a\",\n\"10.0.0.300:80\"]}]",
        ":3:2: 10.0.0.300 is not an address",
    );
    check(
        "[{\"labels\":{\"dc\":\"bj\"},\"targets\":[\"http://a/\"]}]",
        ":1:36: http://a/ is neither an address nor a hostname",
    );
    check(
        "[{\"targets\":[\"a\"],\"labels\":{\"dc\":\"x\"}},\n{\"targets\":[\"a:9\"],\"labels\":{\"dc\":\"y\"}}]",
        ":2:14: a belongs to y here, but to x on line 1",
    );
}

#[test]
fn paths_may_name_their_data_centre() {
    let load = |pairs: &[&str], logs: &[&str]| {
        let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        let logs: Vec<PathBuf> = logs.iter().map(PathBuf::from).collect();
        Servers::load(&Statements { pairs: &pairs, logs: &logs, ..Statements::default() })
    };
    let logs = ["/logs/sh/a.log", "/logs/bj/a.log", "/logs/gz/x/b.log", "/var/a.log"];
    let servers = load(&["/logs/{idc}", "10.0.0.1=ml", "/logs/gz=own"], &logs).unwrap();
    // Numbers follow the names, wherever they came from.
    assert_eq!(servers.names, ["bj", "ml", "own", "sh"]);
    let cases =
        [(logs[0], "sh"), (logs[1], "bj"), (logs[2], "own"), (logs[3], "-"), ("/logs/new/a.log", "-")];
    for (path, expected) in cases {
        check(servers.by_path(path), &servers, expected);
    }
    let refused = |pairs: &[&str], log: &str, expected: &str| {
        assert_eq!(load(pairs, &[log]).unwrap_err().to_string(), expected);
    };
    refused(
        &["/{idc}/b", "/a/{idc}"],
        "/a/b",
        "--idc /{idc}/b: \"/a/b\": belongs to \"a\" here, but to \"b\" by --idc /a/{idc}",
    );
    refused(
        &["/l/{idc}"],
        "/l/a\u{7}/x.log",
        "--idc /l/{idc}: \"/l/a\\u{7}/x.log\": \"a\\u{7}\" cannot be a data centre's name",
    );
    refused(&["x{idc}"], "/a", "--idc x{idc}: {idc} can stand in a /path or a glob: only");
}

#[test]
fn relative_paths_of_logs_are_found_where_they_lie() {
    let load = |pairs: &[&str], logs: &[&str]| {
        let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        let logs: Vec<PathBuf> = logs.iter().map(PathBuf::from).collect();
        let list = ("servers.csv".to_owned(), b"path,idc\n/x/data/,csv\nlogs/rel/,rel\n".to_vec());
        let statements = Statements { pairs: &pairs, logs: &logs, folder: "/x/y", ..Statements::default() };
        Servers::read(&[list], &statements, &mut |_| Ok(Vec::new())).unwrap()
    };
    let logs =
        ["../logs/bj/a.log", "./own/a.log", "../data/a.log", "logs/rel/a.log", "a.log", "/x/y/../logs/gz/a"];
    let servers = load(&["/x/logs/{idc}/", "/x/y/own=own", "/none/{idc}/"], &logs);
    for (log, expected) in logs.iter().zip(["bj", "own", "csv", "rel", "-", "gz"]) {
        check(servers.by_path(log), &servers, expected);
    }
    assert_eq!(servers.unmatched, ["/none/{idc}/"]);
    // A name is never taken from outside of what was typed if that will do.
    let servers = load(&["glob:**/{idc}/*.log"], &["sh/a.log", "../z/b.log"]);
    check(servers.by_path("sh/a.log"), &servers, "sh");
    check(servers.by_path("../z/b.log"), &servers, "z");
}
