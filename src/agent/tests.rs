use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::file::{FamilyText, NetworksText, parse};
use super::*;

const TEXT: &str = include_str!("families.toml");

fn entries() -> Vec<FamilyText> {
    parse(TEXT).unwrap().families.into_iter().map(toml::Spanned::into_inner).collect()
}

/// Whether a token is in a text, by the words of the rule.
fn has(text: &str, token: &str) -> bool {
    let bare = token.trim_matches('*');
    let (text, bare) = (text.to_ascii_lowercase(), bare.to_ascii_lowercase());
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.char_indices().map(|(at, _)| at).any(|at| {
        let Some(after) = text[at..].strip_prefix(bare.as_str()) else { return false };
        let (first, last) = (bare.chars().next(), bare.chars().next_back());
        let joins_before = is_letter(first) && is_letter(text[..at].chars().next_back());
        let joins_after = is_letter(last) && is_letter(after.chars().next());
        (token.starts_with('*') || !joins_before) && (token.ends_with('*') || !joins_after)
    })
}

/// The family by the words of the rule: one entry after another, one token after another.
fn find_slowly(entries: &[FamilyText], agent: &str) -> String {
    if agent.trim_ascii().is_empty() || agent.trim_ascii() == "-" {
        return "empty".to_owned();
    }
    let found = entries.iter().find(|family| family.tokens.iter().any(|token| has(agent, token)));
    found.map_or("unlisted".to_owned(), |family| family.name.clone())
}

fn family(agent: &str) -> &'static Family {
    BUILT_IN.family(BUILT_IN.find(agent.as_bytes()))
}

#[test]
fn the_families_of_real_agents() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    let lines = include_str!("tests/agents.txt").lines().filter(|line| !line.starts_with('#'));
    for line in lines.filter(|line| !line.is_empty()) {
        let (expected, agent) = line.split_once('\t').expect("family, tab, agent");
        let found = family(agent);
        let shown = format!("{} ({})", found.name, found.kind.name());
        if shown != expected {
            wrong.push(format!("{agent}\n  is {shown}, not {expected}"));
        }
        cases += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases >= 200, "{cases}");
}

#[test]
fn every_token_is_its_familys() {
    let mut names = HashSet::new();
    for FamilyText { name, tokens, .. } in entries() {
        assert!(names.insert(name.clone()), "{name} twice");
        for token in &tokens {
            assert_eq!(family(token.trim_matches('*')).name, name, "{token}");
            let bare = token.trim_matches('*');
            let ends = [
                (token.starts_with('*'), bare.chars().next()),
                (token.ends_with('*'), bare.chars().next_back()),
            ];
            for (is_open, end) in ends {
                assert!(!is_open || end.unwrap().is_ascii_alphanumeric(), "{token}: a * that does nothing");
            }
            let is_needed =
                token.contains('*') || !tokens.iter().any(|other| other != token && has(token, other));
            assert!(is_needed, "{token} of {name}: another token says the same");
        }
    }
}

#[test]
fn networks_have_sources() {
    let kinds: HashMap<String, Kind> =
        BUILT_IN.families.iter().map(|it| (it.name.clone(), it.kind)).collect();
    let mut with_networks = HashSet::new();
    for networks in parse(TEXT).unwrap().networks {
        let NetworksText { families, asn, shared, ranges, source, checked } = networks.into_inner();
        assert!(source.starts_with("https://"), "{families:?}");
        assert!(checked.len() == 7 && checked.starts_with("20"), "{families:?}");
        assert!(!(asn.is_empty() && shared.is_empty() && ranges.is_empty()), "{families:?}");
        assert!(asn.iter().all(|asn| !shared.contains(asn)), "{families:?}");
        for range in ranges {
            let parsed: ipnet::IpNet = range.parse().unwrap();
            assert_eq!(parsed.trunc(), parsed, "{range}");
            assert!(parsed.prefix_len() >= 8, "{range}");
        }
        for family in families {
            assert!(kinds[&family].is_bot(), "{family}");
            assert!(with_networks.insert(family.clone()), "{family} twice");
        }
    }
    assert!(with_networks.len() > 20);
}

#[test]
fn claims_are_judged() {
    let check = |agent: &str, address: &str, asn, expected| {
        let id = BUILT_IN.find(agent.as_bytes());
        assert_eq!(BUILT_IN.judge(id, address.parse().ok(), asn), expected, "{agent} {address}");
    };
    check("Googlebot/2.1", "66.249.66.1", Some(15_169), Claim::Verified);
    check("Googlebot/2.1", "66.249.66.1", None, Claim::Verified);
    check("Googlebot/2.1", "34.22.85.1", Some(396_982), Claim::Verified);
    check("Googlebot/2.1", "34.22.86.1", Some(396_982), Claim::Unverifiable);
    check("Googlebot/2.1", "2001:4860:4801:10::1", None, Claim::Verified);
    check("Googlebot/2.1", "203.208.60.1", Some(24_424), Claim::Verified);
    check("Googlebot/2.1", "1.2.3.4", Some(4_134), Claim::Elsewhere);
    check("Googlebot/2.1", "1.2.3.4", None, Claim::Unverifiable);
    check("Googlebot/2.1", "10.1.2.3", None, Claim::Unverifiable);
    check("Googlebot/2.1", "host.example.com", None, Claim::Unverifiable);
    check("bingbot/2.0", "40.77.167.9", Some(8_075), Claim::Verified);
    check("msnbot/1.0", "157.55.35.40", Some(8_075), Claim::Unverifiable);
    check("bingbot/2.0", "1.2.3.4", Some(4_134), Claim::Elsewhere);
    check("Applebot/0.1", "17.58.1.1", None, Claim::Verified);
    check("facebookexternalhit/1.1", "31.13.115.1", Some(32_934), Claim::Verified);
    check("facebookexternalhit/1.1 Facebot Twitterbot/1.0", "1.2.3.4", Some(4_134), Claim::Unverifiable);
    check("ChatGPT-User/1.0", "1.2.3.4", Some(4_134), Claim::Elsewhere);
    check("ChatGPT-User/1.0", "20.1.2.3", Some(8_075), Claim::Unverifiable);
    check("Baiduspider/2.0", "1.2.3.4", Some(4_134), Claim::Unverifiable);
    check("curl/8.5.0", "1.2.3.4", Some(4_134), Claim::Unverifiable);
    check("", "1.2.3.4", Some(4_134), Claim::Unverifiable);
}

#[test]
fn kinds_have_names() {
    for (at, kind) in Kind::ALL.into_iter().enumerate() {
        assert_eq!(kind as usize, at);
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
    }
    assert_eq!(Kind::from_name("Search"), None);
    assert!(Claim::ALL.into_iter().enumerate().all(|(at, claim)| claim as usize == at));
}

#[test]
fn a_users_families_stand_before_ours() {
    let own = r#"
families = [
  { name = "Our app", kind = "app", tokens = ["OurApp/", "okhttp/9.9"] },
  { name = "curl", kind = "monitor", tokens = ["our-check"] },
]
[[networks]]
families = ["Our app", "Googlebot"]
ranges = ["192.0.2.0/24"]
"#;
    let agents = Agents::with_own(own.as_bytes()).unwrap();
    let check = |agent: &str, expected: &str, kind| {
        let found = agents.family(agents.find(agent.as_bytes()));
        assert_eq!((found.name.as_str(), found.kind), (expected, kind), "{agent}");
    };
    check("OurApp/1.0 okhttp/4.12.0", "Our app", Kind::App);
    check("okhttp/9.9", "Our app", Kind::App);
    check("okhttp/4.12.0", "okhttp", Kind::App);
    // What users say of a family of ours holds for all of it.
    check("our-check curl/8", "curl", Kind::Monitor);
    check("curl/8", "curl", Kind::Monitor);
    check("-", "empty", Kind::Empty);
    check("x", "unlisted", Kind::Unlisted);
    let judge =
        |agent: &str, address: &str| agents.judge(agents.find(agent.as_bytes()), address.parse().ok(), None);
    assert_eq!(judge("OurApp/1", "192.0.2.9"), Claim::Verified);
    assert_eq!(judge("OurApp/1", "198.51.100.9"), Claim::Elsewhere);
    assert_eq!(judge("Googlebot", "66.249.66.1"), Claim::Elsewhere);
}

#[test]
fn faults_of_a_file_have_a_line() {
    let check = |text: &[u8], expected: &str| {
        assert_eq!(Agents::with_own(text).map(drop).map_err(|bad| bad.to_string()), Err(expected.to_owned()));
    };
    check(b"\nfamilies = 3", "line 2: invalid type: integer `3`, expected a sequence");
    check(b"x = 1", "line 1: unknown field `x`, expected `families` or `networks`");
    check(b"a\n\xff", "line 2: the file is not UTF-8");
    check(
        b"families = [\n{ name = \"a\", kind = \"robot\", tokens = [\"ab\"] }]",
        "line 2: unknown kind `robot` of a; there are search, ai, seo, monitor, preview, feed, scanner, bot, downloader, \
         library, empty, player, app, browser, unlisted",
    );
    check(
        b"families = [\n{ name = \"a\", kind = \"bot\", tokens = [\"b\"] }]",
        "line 2: token `b` of a: 2 to 100 bytes are expected, with a * at the ends only",
    );
    check(
        b"families = [\n{ name = \"a\", kind = \"bot\", tokens = [\"b*c\"] }]",
        "line 2: token `b*c` of a: 2 to 100 bytes are expected, with a * at the ends only",
    );
    check(b"families = [\n{ name = \"a\", kind = \"bot\", tokens = [] }]", "line 2: a has no tokens");
    check(
        b"families = [\n{ name = \"other\", kind = \"bot\", tokens = [\"ab\"] }]",
        "line 2: other is what agents without a family are called",
    );
    check(
        b"families = [\n{ name = \"a\x1b\", kind = \"bot\", tokens = [\"ab\"] }]",
        "line 2: invalid basic string, expected non-double-quote visible characters, `\\`",
    );
    check(b"\n[[networks]]\nfamilies = [\"nobody\"]", "line 2: no family is called nobody");
    check(
        b"families = [{ name = \"a\", kind = \"bot\", tokens = [\"abc\"] }]\n[[networks]]\nfamilies = [\"a\"]\nasn = [1]\n[[networks]]\nfamilies = [\"a\"]\nasn = [2]",
        "line 5: the networks of a are stated twice",
    );
    check(
        b"[[networks]]\nfamilies = []\nranges = [\"1.2.3.4\"]",
        "line 1: `1.2.3.4` is no network such as 192.0.2.0/24",
    );
}

/// Pieces of agents, and what joins them.
fn agent() -> impl Strategy<Value = String> {
    let tokens: Vec<String> = entries()
        .iter()
        .flat_map(|family| &family.tokens)
        .map(|token| token.trim_matches('*').to_owned())
        .collect();
    let piece = prop_oneof![
        4 => prop::sample::select(tokens),
        2 => "[ /;(),._x1A*é-]{0,3}",
        1 => prop::sample::select(vec!["bot", "Bot/", "CUBOT ", "Chrome/1 Safari/2", "+http", "://"]).prop_map(str::to_owned),
    ];
    prop::collection::vec((piece, any::<bool>()), 0..6).prop_map(|pieces| {
        pieces
            .iter()
            .map(|(piece, upper)| if *upper { piece.to_ascii_uppercase() } else { piece.clone() })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn one_pass_finds_what_the_rule_says(agent in agent()) {
        static ENTRIES: LazyLock<Vec<FamilyText>> = LazyLock::new(entries);
        prop_assert_eq!(&family(&agent).name, &find_slowly(&ENTRIES, &agent));
    }

    #[test]
    fn no_agent_panics(agent in prop::collection::vec(any::<u8>(), 0..64)) {
        let id = BUILT_IN.find(&agent);
        prop_assert!(usize::from(id.0) < BUILT_IN.families.len());
    }
}
