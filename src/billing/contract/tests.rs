//! Contracts, read and refused.

use super::*;
use crate::billing::decimal::Decimal;
use crate::billing::tariff::{Price, Tier};
use crate::billing::words::{Method, Overhead, ValidDays};

fn check_error(text: &str, expected: &str) {
    assert_eq!(Contract::parse(text).unwrap_err().in_file("c.toml"), expected, "{text}");
}

fn single(price: &str) -> Price {
    Price::Single(Decimal::parse(price).unwrap())
}

#[test]
fn the_example_is_a_contract() {
    let contract = Contract::parse(EXAMPLE).unwrap();
    assert_eq!((contract.currency.as_str(), contract.digits, contract.slot), ("CNY", 2, 300));
    assert_eq!(contract.zone.as_ref().unwrap().name(), "Asia/Shanghai");
    let [transit, download] = &contract.ports[..] else { panic!("two ports") };
    assert_eq!(transit.members, Members::Idcs(vec!["bj".to_owned(), "gz".to_owned()]));
    assert_eq!(transit.tariff.commit, Some(2_000_000_000));
    assert_eq!(transit.tariff.price, Some(single("14.3")));
    assert_eq!(download.terms.method, Method::Volume);
    let tier = |up_to, price| Tier { up_to, price: Decimal::parse(price).unwrap() };
    let tiers = vec![
        tier(Some(2_000_000_000_000), "0.21"),
        tier(Some(10_000_000_000_000), "0.20"),
        tier(None, "0.18"),
    ];
    assert_eq!(download.tariff.price, Some(Price::Slices(tiers)));
    assert_eq!(download.tariff.commit, None);
}

/// Every key has a line of its own in the example, with a comment on it unless it is plain from its neighbours.
#[test]
fn the_example_shows_every_key() {
    for key in read::keys() {
        let shown = EXAMPLE.lines().find(|line| {
            let line = line.trim_start_matches(['[', '{', ' ']);
            line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', ']']))
        });
        assert!(shown.is_some(), "{key}");
    }
}

#[test]
fn an_empty_contract_is_one_port_with_everything() {
    assert_eq!(Contract::parse("").unwrap(), Contract::default());
    let contract = Contract::parse("digits = 4\nmissing = \"zero\"\nprice = 3").unwrap();
    let port = &contract.ports[0];
    assert_eq!((port.tariff.digits, port.terms.missing), (4, Missing::Zero));
    assert_eq!(port.tariff.price, Some(single("3")));
}

#[test]
fn ports_override_the_defaults() {
    let text = r#"
method = "nth-peak:4"
overhead = 1.07
price = 0.1
commit = "1Gbps"
[[port]]
name = "a"
idc = ["bj"]
method = "p95"
overhead = "aliyun"
valid_days = "from:2026-10-05"
[[port]]
name = "b"
idc = ["gz"]
method = "volume"
[[port]]
name = "c"
server = ["bj"]
tier_rule = "reached"
tiers = [{ up_to = "500Mbps", price = 0.60 }, { price = 0.58 }]
"#;
    let contract = Contract::parse(text).unwrap();
    let [a, b, c] = &contract.ports[..] else { panic!("three ports") };
    assert_eq!((a.terms.method, a.terms.overhead), (Method::P95, Overhead::Aliyun));
    assert!(matches!(a.terms.valid_days, ValidDays::From(_)));
    // 0.1 is one tenth, not the nearest float; a price per Mbps is none per GB.
    assert_eq!((a.tariff.price.clone(), a.tariff.commit), (Some(single("0.1")), Some(1_000_000_000)));
    assert_eq!(b.terms.overhead, Overhead::Factor(Decimal::parse("1.07").unwrap()));
    assert_eq!((b.tariff.price.clone(), b.tariff.commit), (None, None));
    assert!(matches!(&c.tariff.price, Some(Price::Reached(tiers)) if tiers.len() == 2));
    assert_eq!(c.terms.method, Method::NthPeak(4));
}

#[test]
fn keys_that_are_wrong() {
    let contract_keys = read::keys().filter(|key| !["idc", "server", "up_to"].contains(key));
    let contract_keys = contract_keys.collect::<Vec<_>>().join(", ");
    check_error(
        "name = \"x\"\n  prcie = 3",
        &format!("c.toml:2:3: unknown key `prcie` (did you mean `price`?); a contract has {contract_keys}"),
    );
    let error = Contract::parse("[[port]]\nname = \"x\"\ncomit = \"2Gbps\"").unwrap_err();
    assert_eq!((error.line, error.column), (3, 1));
    assert!(
        error.message.starts_with(
            "unknown key `comit` (did you mean `commit`?); a port has name, idc, server, method,"
        )
    );
    check_error(
        "[[port]]\nname = \"x\"\nslot = 300",
        "c.toml:3:1: `slot` holds for the whole contract; write it above the first [[port]]",
    );
    check_error("price = 1\ntiers = [{ price = 2 }]", "c.toml:2:9: either `price` or `tiers`, not both");
    check_error(
        "tiers = [{ prise = 2 }]",
        "c.toml:1:12: unknown key `prise` (did you mean `price`?); a tier has up_to, price",
    );
    check_error("name = 1\nname = 2", "c.toml:2:1: duplicate key");
    check_error("name = \"ü\"\ncurrency = \"ü", "c.toml:2:14: invalid basic string, expected `\"`");
}

#[test]
fn values_that_are_wrong() {
    check_error("price = 1e3", "c.toml:1:9: `1e3`: expected a number such as 900 or 14.3");
    check_error("price = nan", "c.toml:1:9: `nan`: expected a number such as 900 or 14.3");
    check_error("price = -1", "c.toml:1:9: `-1`: expected a number such as 900 or 14.3");
    check_error("price = 0x10", "c.toml:1:9: expected a number or a text in quotes, found integer");
    check_error("price = true", "c.toml:1:9: expected a number or a text in quotes, found boolean");
    check_error("method = 95", "c.toml:1:10: expected a text in quotes, found integer");
    check_error(
        "rank = \"cactus\"",
        "c.toml:1:8: unknown rank rule `cactus` (did you mean `cacti`?); expected floor-discard, librenms, vnstat, rrdtool, cacti, ntopng or interpolated",
    );
    check_error(
        "zone = \"Mars\"",
        "c.toml:1:8: not a time zone; expected a name such as Asia/Shanghai, an offset such as +08:00, or UTC",
    );
    check_error("slot = \"7m\"", "c.toml:1:8: `7m`: a slot must divide a day: 1m, 5m, 1h, 1d");
    check_error(
        "mean = \"1m\"",
        "c.toml:1:8: samples of 1m: must divide a day and be a multiple of the slot of 5m",
    );
    check_error(
        "mean = 420",
        "c.toml:1:8: samples of 420: must divide a day and be a multiple of the slot of 5m",
    );
    // The slot may be said later.
    check_error(
        "mean = \"30m\"\nslot = \"1h\"",
        "c.toml:1:8: samples of 30m: must divide a day and be a multiple of the slot of 1h",
    );
    check_error("digits = 9", "c.toml:1:10: expected a whole number from 0 to 8, found integer");
    check_error("period_day = 32", "c.toml:1:14: expected a whole number from 1 to 31, found integer");
    check_error(
        "commit = \"2GB\"",
        "c.toml:1:10: `2GB` is no bandwidth; expected one such as 2Gbps or 500Mbps",
    );
    check_error(
        "method = \"volume\"\ncommit = \"2Gbps\"",
        "c.toml:2:10: `2Gbps` is no volume; expected one such as 2TB or 500GB",
    );
    check_error(
        "method = \"flat\"\ncommit = \"2Gbps\"",
        "c.toml:2:10: a flat port has neither a commit nor tiers",
    );
    check_error("port = []", "c.toml:1:8: expected 1 to 1000 ports");
    check_error("port = [3]", "c.toml:1:9: expected a table; write [[port]] above its keys, found integer");
    let deep = Contract::parse(&format!("tiers = {}", "[".repeat(100_000))).unwrap_err();
    assert_eq!(deep.line, 1);
    check_error(&"#".repeat(CONTRACT_BYTES_MAX + 1), "c.toml:1:1: a contract of more than 1048576 bytes");
}

#[test]
fn tiers_that_are_wrong() {
    let last = "every tier but the last needs `up_to`, and the last has none";
    check_error("tiers = [{ price = 2 }]", "c.toml:1:9: tiers need a `tier_rule`: slice or reached");
    let rule = "tier_rule = \"slice\"\ntiers = ";
    check_error(&format!("{rule}[]"), "c.toml:2:9: expected 1 to 100 tiers");
    check_error(&format!("{rule}[{{ up_to = \"1Gbps\" }}]"), "c.toml:2:10: a tier without `price`");
    check_error(&format!("{rule}[{{ up_to = \"1Gbps\", price = 1 }}]"), &format!("c.toml:2:10: {last}"));
    check_error(&format!("{rule}[{{ price = 1 }}, {{ price = 1 }}]"), &format!("c.toml:2:10: {last}"));
    check_error(
        &format!(
            "{rule}[{{ up_to = \"1Gbps\", price = 1 }}, {{ up_to = \"1Gbps\", price = 1 }}, {{ price = 1 }}]"
        ),
        "c.toml:2:42: a tier must reach farther than the one before it",
    );
}

#[test]
fn places_are_on_one_port() {
    check_error(
        "[[port]]\nname = \"a\"\nidc = [\"bj\", \"gz\"]\n[[port]]\nname = \"b\"\nidc = [\"gz\"]",
        "c.toml:6:8: idc `gz` is already on port `a`; its bytes would be billed twice",
    );
    check_error(
        "[[port]]\nname = \"a\"\nidc = [\"bj\", \"bj\"]",
        "c.toml:3:14: idc `bj` is already on port `a`; its bytes would be billed twice",
    );
    check_error(
        "[[port]]\nname = \"a\"\nidc = [\"bj\"]\nserver = [\"x\"]",
        "c.toml:4:1: a port has `idc` or `server`, not both",
    );
    check_error(
        "[[port]]\nname = \"a\"\nidc = []",
        "c.toml:3:7: an empty list; leave the key out for everything",
    );
    check_error("[[port]]\nidc = [\"bj\"]", "c.toml:1:1: a port without `name`");
    check_error(
        "[[port]]\nname = \"a\"\nidc = [\"bj\"]\n[[port]]\nname = \"a\"\nidc = [\"gz\"]",
        "c.toml:5:8: two ports are called `a`",
    );
    let everything = "port `a` has neither `idc` nor `server` and so takes everything; beside other ports, bytes would be billed twice";
    check_error(
        "[[port]]\nname = \"a\"\n[[port]]\nname = \"b\"\nidc = [\"gz\"]",
        &format!("c.toml:4:8: {everything}"),
    );
}
