//! Filters against a twin that knows what each record means and asks one value after the other.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::query::Filter;
use crate::query::filter::Scope;

/// A record, and what its raw texts mean.
#[derive(Debug, Clone)]
struct Seen {
    status: Option<u16>,
    host: Option<&'static str>,
    /// As logged, and as text.
    agent: Option<(&'static str, &'static str)>,
    /// The target as logged; its path and query.
    target: Option<(&'static str, &'static str, Option<&'static str>)>,
    bytes: Option<u64>,
    duration: Option<u64>,
    /// As logged, and the address.
    client: Option<(&'static str, Option<&'static str>)>,
    end: Option<i64>,
}

/// A value as the twin knows it.
enum Value {
    Text(String),
    Number(i128),
    Client(String, Option<IpAddr>),
}

#[derive(Debug, Clone)]
enum Asked {
    All(Vec<Asked>),
    Any(Vec<Asked>),
    Not(Box<Asked>),
    Leaf { field: &'static str, sign: &'static str, values: Vec<&'static str> },
}

const NUMBERS: [(&str, i128); 12] = [
    ("200", 200),
    ("404", 404),
    ("0", 0),
    ("999", 999),
    ("1kB", 1_000),
    ("1KiB", 1_024),
    ("1.5MB", 1_500_000),
    ("8s", 8_000_000),
    ("250ms", 250_000),
    ("0.5m", 30_000_000),
    ("@1790000400", 1_790_000_400_000_000),
    ("@1790000700", 1_790_000_700_000_000),
];

impl Seen {
    fn record(&self) -> Record<'static> {
        let bytes = |text: &'static str| text.as_bytes();
        Record {
            status: self.status,
            host: self.host.map(bytes),
            agent: self.agent.map(|(raw, _)| raw.as_bytes()),
            target: self.target.map(|(raw, ..)| raw.as_bytes()),
            body: self.bytes,
            duration_us: self.duration,
            client: self.client.map(|(raw, _)| raw.as_bytes()),
            time: self.end.map(Timestamp),
            start: self.end.map(Timestamp),
            end: self.end.map(Timestamp),
            ..Record::default()
        }
    }

    fn value(&self, field: &str) -> Option<Value> {
        let text = |text: &str| Value::Text(text.to_owned());
        let value = match field {
            "status" => Value::Number(self.status?.into()),
            "class" => Value::Text(format!("{}xx", self.status? / 100)),
            "host" => text(self.host?),
            "agent" => text(self.agent?.1),
            "target" => text(self.target?.0),
            "path" => text(self.target?.1),
            "query" => text(self.target?.2?),
            "bytes" => Value::Number(self.bytes?.into()),
            "duration" => Value::Number(self.duration?.into()),
            "end" => Value::Number(self.end?.into()),
            _ => {
                let (raw, address) = self.client?;
                let address: Option<IpAddr> = address.map(|address| address.parse().expect("an address"));
                Value::Client(address.map_or(raw.to_owned(), |address| address.to_string()), address)
            }
        };
        match &value {
            Value::Text(text) | Value::Client(text, _) if text.is_empty() || text == "unknown" => None,
            _ => Some(value),
        }
    }

    fn answers(&self, asked: &Asked) -> bool {
        match asked {
            Asked::All(parts) => !parts.iter().any(|part| !self.answers(part)),
            Asked::Any(parts) => parts.iter().any(|part| self.answers(part)),
            Asked::Not(part) => !self.answers(part),
            Asked::Leaf { field, sign, values } => match (self.value(field), *sign) {
                (None, "=" | "in") => values.contains(&"unknown"),
                (None, _) => false,
                (Some(value), "!=" | "not in") => !values.iter().any(|other| value.is(other)),
                (Some(value), "=" | "in") => values.iter().any(|other| value.is(other)),
                (Some(value), sign) => value.compares(sign, values[0]),
            },
        }
    }
}

impl Value {
    fn is(&self, other: &str) -> bool {
        match self {
            _ if other == "unknown" => false,
            Self::Text(text) => text == other,
            Self::Number(number) => *number == meant(other),
            Self::Client(_, address) => address.is_some_and(|address| is_in(address, other)),
        }
    }

    fn compares(&self, sign: &str, other: &str) -> bool {
        let (text, number) = match self {
            Self::Text(text) | Self::Client(text, _) => (text.as_str(), 0),
            Self::Number(number) => ("", *number),
        };
        match sign {
            "<" => number < meant(other),
            "<=" => number <= meant(other),
            ">" => number > meant(other),
            ">=" => number >= meant(other),
            "^=" => text.get(..other.len()) == Some(other),
            "$=" => text.len() >= other.len() && text.ends_with(other),
            "*=" => text.contains(other),
            "~" => matches_naively(text, other),
            _ => !matches_naively(text, other),
        }
    }
}

/// What a number of the expressions says.
fn meant(word: &str) -> i128 {
    NUMBERS.iter().find(|(known, _)| *known == word).expect("a number of the list").1
}

/// `^a`, `a$` and `a.b`, by hand.
fn matches_naively(text: &str, pattern: &str) -> bool {
    if let Some(start) = pattern.strip_prefix('^') {
        return text.starts_with(start);
    }
    if let Some(end) = pattern.strip_suffix('$') {
        return text.ends_with(end);
    }
    let Some((before, after)) = pattern.split_once('.') else { return text.contains(pattern) };
    text.match_indices(before).any(|(at, _)| {
        let mut rest = text[at + before.len()..].chars();
        rest.next().is_some_and(|any| any != '\n') && rest.as_str().starts_with(after)
    })
}

/// Bit by bit.
fn is_in(address: IpAddr, network: &str) -> bool {
    let bits = |address: IpAddr| -> Vec<bool> {
        let octets = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        octets.iter().flat_map(|octet| (0..8).map(move |bit| octet << bit & 0x80 != 0)).collect()
    };
    let (base, length) = network.split_once('/').unwrap_or((network, "128"));
    let (address, base) = (bits(address), bits(base.parse().expect("an address")));
    let length = length.parse::<usize>().expect("a length").min(base.len());
    address.len() == base.len() && address[..length] == base[..length]
}

impl Asked {
    /// The expression, with every parenthesis there could be.
    fn written(&self) -> String {
        let joined = |parts: &[Self], between: &str| {
            parts.iter().map(|part| format!("({})", part.written())).collect::<Vec<_>>().join(between)
        };
        match self {
            Self::All(parts) => joined(parts, " and "),
            Self::Any(parts) => joined(parts, " or "),
            Self::Not(part) => format!("not ({})", part.written()),
            Self::Leaf { field, sign, values } => {
                let values: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
                match *sign {
                    "in" | "not in" => format!("{field} {sign} ({})", values.join(", ")),
                    _ => format!("{field} {sign} {}", values[0]),
                }
            }
        }
    }
}

fn leaf() -> impl Strategy<Value = Asked> {
    const TEXTS: &[&str] = &["a.example", "/a/b.ts", "x=1", "unknown", "2xx", "curl/8 \"x\"", "a", "/", "5"];
    const PATTERNS: &[&str] = &["^/a", ".ts$", "a.b", "^curl", "1$", "x"];
    const CLIENTS: &[&str] =
        &["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "2001:db8::7", "unknown", "10.0.0.9/8"];
    const ORDER: &[&str] = &["<", "<=", ">", ">="];
    const EQUAL: &[&str] = &["=", "!=", "in", "not in"];
    const WORDS: &[&str] = &["host", "agent", "target", "path", "query", "class"];
    let ask = |fields: &'static [&'static str], signs: &'static [&'static str], values: Vec<&'static str>| {
        let values = prop::collection::vec(prop::sample::select(values), 1..5);
        (prop::sample::select(fields), prop::sample::select(signs), values).prop_map(
            |(field, sign, mut values)| {
                values.truncate(if sign.ends_with("in") { values.len() } else { 1 });
                Asked::Leaf { field, sign, values }
            },
        )
    };
    let named =
        |names: std::ops::Range<usize>| NUMBERS[names].iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let known = |values: Vec<&'static str>| [values, vec!["unknown"]].concat();
    prop_oneof![
        ask(WORDS, EQUAL, TEXTS.to_vec()),
        ask(&["host", "agent", "path", "client"], &["^=", "$=", "*="], TEXTS.to_vec()),
        ask(WORDS, &["~", "!~"], PATTERNS.to_vec()),
        ask(&["client"], EQUAL, CLIENTS.to_vec()),
        ask(&["status"], EQUAL, known(named(0..4))),
        ask(&["status"], ORDER, named(0..4)),
        ask(&["bytes"], EQUAL, known(named(0..7))),
        ask(&["bytes"], ORDER, named(0..7)),
        ask(&["duration"], EQUAL, known(named(7..10))),
        ask(&["duration"], ORDER, named(7..10)),
        ask(&["end"], ORDER, named(10..12)),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let several = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several().prop_map(Asked::All),
            several().prop_map(Asked::Any),
            inner.clone().prop_map(|part| Asked::Not(Box::new(part))),
        ]
    })
}

fn seen() -> impl Strategy<Value = Seen> {
    const HOSTS: &[Option<&str>] = &[None, Some("a.example"), Some(""), Some("unknown"), Some("5")];
    const AGENTS: &[Option<(&str, &str)>] = &[
        None,
        Some(("curl/8 \\x22x\\x22", "curl/8 \"x\"")),
        Some(("curl/8", "curl/8")),
        Some(("\\xE4\\xB8\\xADa.b", "中a.b")),
    ];
    type Target = Option<(&'static str, &'static str, Option<&'static str>)>;
    const TARGETS: &[Target] = &[
        None,
        Some(("/a/b.ts", "/a/b.ts", None)),
        Some(("/a/b.ts?x=1", "/a/b.ts", Some("x=1"))),
        Some(("http://a.example", "/", None)),
        Some(("/?", "/", Some(""))),
        Some(("/\u{e9}?a#b", "/\u{e9}", Some("a"))),
    ];
    type Client = Option<(&'static str, Option<&'static str>)>;
    const CLIENTS: &[Client] = &[
        None,
        Some(("192.0.2.1", Some("192.0.2.1"))),
        Some(("192.0.2.77:4711", Some("192.0.2.77"))),
        Some(("::ffff:c000:201", Some("192.0.2.1"))),
        Some(("10.1.1.1", Some("10.1.1.1"))),
        Some(("2001:DB8:0::7", Some("2001:db8::7"))),
        Some(("a.example", None)),
    ];
    (
        prop::sample::select(&[None, Some(0), Some(200), Some(404), Some(999)][..]),
        prop::sample::select(HOSTS),
        prop::sample::select(AGENTS),
        prop::sample::select(TARGETS),
        prop::sample::select(&[None, Some(0), Some(999), Some(1_000), Some(1_024), Some(u64::MAX)][..]),
        prop::sample::select(&[None, Some(0), Some(250_000), Some(8_000_001)][..]),
        prop::sample::select(CLIENTS),
        prop::sample::select(&[None, Some(1_790_000_400_000_000), Some(1_790_000_400_000_001)][..]),
    )
        .prop_map(|(status, host, agent, target, bytes, duration, client, end)| Seen {
            status,
            host,
            agent,
            target,
            bytes,
            duration,
            client,
            end,
        })
}

fn filter(text: &str) -> Filter {
    let scope = Scope { zone: &Zone::utc(), now: Timestamp(0) };
    Filter::parse(text, &scope).unwrap_or_else(|bad| panic!("{text}: {bad:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn filters_ask_what_they_say(asked in asked(), seen in seen()) {
        let text = asked.written();
        let filter = filter(&text);
        let again = self::filter(&filter.to_string());
        for filter in [filter, again] {
            let rules = Rules { filter: Some(filter), ..rules(Scheme::EndSpike, Cut::Records, None, None) };
            let (places, servers) = (Places::none(), servers());
            let mut counter = Counter::new(&rules, &places, &servers);
            let passes = counter.count(&seen.record(), &SOURCE);
            prop_assert_eq!(passes, seen.answers(&asked), "{}", text);
            let account = &counter.tally.account;
            prop_assert_eq!((account.accepted, account.filtered), (1, u64::from(!passes)));
        }
    }
}

#[test]
fn absent_values_match_nothing_but_unknown() {
    let check = |text: &str, expected: bool| {
        let rules = Rules { filter: Some(filter(text)), ..rules(Scheme::EndSpike, Cut::Records, None, None) };
        let (places, servers) = (Places::none(), servers());
        let passes = Counter::new(&rules, &places, &servers).count(&Record::default(), &SOURCE);
        assert_eq!(passes, expected, "{text}");
    };
    for field in ["status", "host", "asn", "region", "idc", "client", "net", "bytes", "peer", "hour", "day"] {
        check(&format!("{field} = unknown"), true);
        check(&format!("{field} = ''"), true);
        check(&format!("{field} in (null)"), true);
        check(&format!("{field} != unknown"), false);
        check(&format!("not {field} != unknown"), true);
    }
    check("status != 200", false);
    check("not status = 200", true);
    check("status not in (200)", false);
    check("agent !~ bot", false);
    check("duration < 8s", false);
    check("end > 2026-11-01", false);
    check("host = 'null'", false);
}
