//! Which programs come without people: figures worked out by hand, and by a second program.

use std::collections::{BTreeMap, BTreeSet};

use bandwho::agent::{Agents, Kind};
use serde_json::{Value, json};

use crate::{Scratch, bandwho, json as answer_of};

const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const BINGBOT: &str = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; \
    +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36";
const CHROME: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36";

/// Client, request, status, bytes, agent.
type Request<'a> = (&'a str, &'a str, u16, u64, &'a str);

fn log(requests: &[Request<'_>]) -> String {
    let line = |(client, request, status, bytes, agent): &Request<'_>| {
        format!(
            "{client} - - [23/Nov/2026:05:53:03 +0000] \"{request} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\"\n"
        )
    };
    requests.iter().map(line).collect()
}

/// The rows of a table, with the members that are asked for.
fn rows(answer: &Value, view: &str, names: &[&str]) -> Value {
    let rows = answer["views"][view]["rows"].as_array().unwrap();
    let cells = |row: &Value| -> Value { names.iter().map(|name| row[name].clone()).collect() };
    rows.iter().map(cells).collect()
}

#[test]
fn the_real_ones_and_the_others() {
    let scratch = Scratch::new("bots-claims");
    let requests = [
        // Google's own network, a range of Google in its cloud, the cloud that anybody rents, somebody else.
        ("66.249.66.1", "GET /a", 200, 1_000, GOOGLEBOT),
        ("34.22.85.3", "GET /a", 200, 1_000, GOOGLEBOT),
        ("34.22.99.3", "GET /b", 200, 500, GOOGLEBOT),
        ("202.96.128.86", "GET /a", 200, 1_000, GOOGLEBOT),
        ("202.96.128.99", "GET /c", 404, 500, GOOGLEBOT),
        ("10.0.0.7", "GET /d", 206, 1_000, GOOGLEBOT),
        ("40.77.167.9", "HEAD /a", 200, 300, BINGBOT),
        ("2001:db8::1", "GET /a", 200, 700, BINGBOT),
        ("203.0.113.9", "GET /a", 200, 1_000, "curl/8.5.0"),
        ("203.0.113.9", "GET /a?again", 200, 2_000, "curl/8.4.0"),
        ("203.0.113.9", "GET /a", 200, 1_000, "-"),
        ("203.0.113.10", "GET /a", 200, 5_000, CHROME),
        ("203.0.113.11", "GET /a", 200, 5_000, CHROME),
        ("203.0.113.12", "GET /a", 200, 0, "who am I?"),
    ];
    let path = scratch.file("a.log", log(&requests).as_bytes());
    let answer = answer_of(&["bots", "--json", &path]);
    assert_eq!(answer["schema"], "bandwho.bots/1");
    let names = [
        "family",
        "bot",
        "bytes",
        "requests",
        "clients",
        "networks",
        "verified_bytes",
        "elsewhere_bytes",
        "unverifiable_bytes",
        "repeated_bytes",
        "repeated_requests",
    ];
    let expected = json!([
        // Three times /a, of which one is needed; the error and the part are no whole objects.
        ["Googlebot", "search", 5_000, 6, 6, 5, 2_000, 1_500, 1_500, 2_000, 2],
        // The query is not looked at: two downloads of 3,000 bytes together.
        ["curl", "library", 3_000, 2, 1, 1, 0, 0, 3_000, 1_500, 1],
        ["Bingbot", "search", 1_000, 2, 2, 2, 300, 0, 700, 0, 0],
        ["empty", "empty", 1_000, 1, 1, 1, 0, 0, 1_000, 0, 0],
    ]);
    assert_eq!(rows(&answer, "families", &names), expected);
    let claimed = rows(&answer, "claimed", &["family", "net", "asn", "bytes", "requests"]);
    assert_eq!(claimed, json!([["Googlebot", "202.96.128.0/24", 4_134, 1_500, 2]]));
    let facts = |names: &[&str]| -> Value { names.iter().map(|name| answer[name].clone()).collect() };
    assert_eq!(
        facts(&["bytes", "requests", "bot_bytes", "bot_requests", "bot_share", "repeated_bytes"]),
        json!([20_000, 14, 10_000, 11, 0.5, 3_500])
    );
    let shown = bandwho(&["bots", &path]).out;
    let sentence =
        "bots took 50.0 % of the bytes; 7.5 % claim to be Googlebot, from somebody else's networks";
    assert!(shown.contains(sentence), "{shown}");
    let all = answer_of(&["bots", "--all", "--top", "1", "--json", &path]);
    let names = ["family", "bot", "bytes", "clients", "repeated_bytes"];
    assert_eq!(rows(&all, "families", &names), json!([["Chrome", "browser", 10_000, 2, null]]));
    assert_eq!(all["views"]["families"]["total"]["bytes"], 20_000);
    assert_eq!(all["views"]["families"]["other"]["groups"], 5);
}

#[test]
fn without_an_ip_table_nobody_is_called_false() {
    let scratch = Scratch::new("bots-no-table");
    let requests = [
        ("66.249.66.1", "GET /a", 200, 1_000, GOOGLEBOT),
        ("202.96.128.86", "GET /a", 200, 1_000, GOOGLEBOT),
        ("202.96.128.86", "GET /a", 200, 1_000, BINGBOT),
    ];
    let path = scratch.file("a.log", log(&requests).as_bytes());
    let run = bandwho(&["bots", "--no-ip-db", "--json", &path]);
    assert!(run.err.contains("no IP database: agents are verified by published ranges alone"), "{}", run.err);
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    let names = ["family", "verified_bytes", "elsewhere_bytes", "unverifiable_bytes"];
    let expected = json!([["Googlebot", 1_000, 0, 1_000], ["Bingbot", 0, 0, 1_000]]);
    assert_eq!(rows(&answer, "families", &names), expected);
    assert_eq!(rows(&answer, "claimed", &["family"]), json!([]));
}

#[test]
fn what_a_log_does_not_tell_is_left_out() {
    let scratch = Scratch::new("bots-less");
    let path = scratch.file("a.log", b"curl/8.5.0\nMozilla/5.0 Chrome/1\ncurl/8.5.0\n");
    let run = bandwho(&["bots", "--format", "$http_user_agent", "--json", &path]);
    assert_eq!(run.code, 0, "{}", run.err);
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    let names = ["family", "requests", "share", "clients", "networks", "verified", "repeated"];
    assert_eq!(rows(&answer, "families", &names), json!([["curl", 2, 0.666_667, null, null, null, null]]));
    assert!(answer["views"].get("claimed").is_none());
    let path = scratch.file("b.log", b"203.0.113.9 200 5\n");
    let run = bandwho(&["bots", "--format", "$remote_addr $status $body_bytes_sent", &path]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("no log has a field for `family`"), "{}", run.err);
}

#[test]
fn empty_and_absent_agents_differ() {
    let scratch = Scratch::new("bots-absent");
    let with = scratch.file("a.log", log(&[("203.0.113.9", "GET /a", 200, 5, "-")]).as_bytes());
    let without =
        scratch.file("b.log", b"203.0.113.9 - - [23/Nov/2026:05:53:03 +0000] \"GET /a HTTP/1.1\" 200 7\n");
    let answer = answer_of(&["top", "--by", "family,bot,claim", "--json", &with, &without]);
    let rows: Vec<Value> = answer["rows"].as_array().unwrap().clone();
    let cells = |row: &Value| json!([row["family"], row["bot"], row["claim"], row["bytes"]]);
    let found: Vec<Value> = rows.iter().map(cells).collect();
    let expected = json!([["unknown", "unknown", "unknown", 7], ["empty", "empty", "unverifiable", 5]]);
    assert_eq!(json!(found), expected);
}

#[test]
fn families_of_ones_own_come_first() {
    let scratch = Scratch::new("bots-own");
    let own = "families = [{ name = \"=cmd()\", kind = \"bot\", tokens = [\"OurApp/\"] }]\n\
        [[networks]]\nfamilies = [\"=cmd()\"]\nranges = [\"192.0.2.0/24\"]\n";
    let agents = scratch.file("agents.toml", own.as_bytes());
    let requests = [
        ("192.0.2.1", "GET /a", 200, 3, "OurApp/1.0 okhttp/4.12.0"),
        ("8.8.8.8", "GET /a", 200, 5, "OurApp/1.0 Chrome/1"),
    ];
    let path = scratch.file("a.log", log(&requests).as_bytes());
    let answer = answer_of(&["bots", "--agents", &agents, "--json", &path]);
    let names = ["family", "bot", "bytes", "verified_bytes", "elsewhere_bytes"];
    assert_eq!(rows(&answer, "families", &names), json!([["=cmd()", "bot", 8, 3, 5]]));
    // No cell is a formula.
    let csv = bandwho(&["bots", "--agents", &agents, "--csv", &path]).out;
    assert!(csv.contains("'=cmd()") && !csv.contains(",=cmd()"), "{csv}");
    let run = bandwho(&["bots", "--agents", &agents, "--csv", "-o", &agents, &path]);
    assert_eq!(run.code, 2, "{}", run.err);
    let broken = scratch.file("broken.toml", b"families = [\n  { name = 3 },\n]\n");
    let run = bandwho(&["top", "--by", "path", "--agents", &broken, &path]);
    let expected = format!("bandwho: --agents {broken}: line 2: ");
    assert_eq!((run.code, run.err.starts_with(&expected)), (2, true), "{}", run.err);
    let run = bandwho(&["bots", "--agents", "/nowhere/agents.toml", &path]);
    assert_eq!(run.err, "bandwho: cannot open /nowhere/agents.toml: no such file or directory\n");
}

/// A log of many programs, clients and objects, some of them hostile.
fn many(requests: usize) -> Vec<(String, String, u16, u64, String)> {
    let agents = [
        GOOGLEBOT,
        BINGBOT,
        CHROME,
        "curl/8.5.0",
        "-",
        "\\x1B[31mcurl/1\\x1B[0m",
        "nul\\x00Googlebot",
        "=cmd() Wget/1",
        "<script>bot</script>",
        "\\xFF\\xFE bingbot \\xE2\\x80\\xAE",
        "",
    ];
    let networks = ["66.249.66", "202.96.128", "40.77.167", "10.0.0", "193.0.6"];
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut request = || {
        let client = format!("{}.{}", networks[next(networks.len())], next(200));
        let method = ["GET", "GET", "GET", "HEAD"][next(4)];
        let path = format!("{method} /{}?{}", next(40), next(3));
        let bytes = u64::try_from(next(5) * 1_000).unwrap();
        (client, path, [200, 200, 206, 304][next(4)], bytes, agents[next(agents.len())].to_owned())
    };
    (0..requests).map(|_| request()).collect()
}

/// Of a family: requests, bytes, clients, networks, and per object the whole downloads and their bytes.
type Twin<'a> = (u64, u64, BTreeSet<&'a str>, BTreeSet<&'a str>, BTreeMap<&'a str, (u64, u64)>);

#[test]
fn rows_are_those_of_a_second_program_and_add_up() {
    let scratch = Scratch::new("bots-twin");
    let requests = many(4_000);
    let borrowed: Vec<Request<'_>> = requests
        .iter()
        .map(|(client, path, status, bytes, agent)| {
            (client.as_str(), path.as_str(), *status, *bytes, agent.as_str())
        })
        .collect();
    let path = scratch.file("a.log", log(&borrowed).as_bytes());
    let family = |agent: &str| match agent {
        "-" | "" => "empty",
        agent => {
            let names = [
                // A letter stands before it: that is another word.
                ("mcurl", "unlisted"),
                ("Googlebot", "Googlebot"),
                ("bingbot", "Bingbot"),
                ("Wget", "Wget"),
                ("curl", "curl"),
                ("bot", "unlisted bot"),
            ];
            let found = names.iter().find(|(token, _)| agent.contains(token));
            found.map_or("Chrome", |(_, name)| name)
        }
    };
    let mut twin: BTreeMap<&str, Twin<'_>> = BTreeMap::new();
    for (client, request, status, bytes, agent) in &borrowed {
        let (all, sum, clients, networks, downloads) = twin.entry(family(agent)).or_default();
        *all += 1;
        *sum += bytes;
        clients.insert(client);
        networks.insert(client.rsplit_once('.').unwrap().0);
        if *status == 200 && *bytes > 0 && request.starts_with("GET") {
            let (count, size) = downloads.entry(request.split('?').next().unwrap()).or_default();
            *count += 1;
            *size += bytes;
        }
    }
    let everything = answer_of(&["bots", "--all", "--top", "0", "--json", &path]);
    for row in everything["views"]["families"]["rows"].as_array().unwrap() {
        let name = row["family"].as_str().unwrap();
        let (requests, bytes, clients, networks, downloads) = &twin[name];
        assert_eq!(row["requests"], *requests, "{name}");
        assert_eq!(row["bytes"], *bytes, "{name}");
        assert_eq!(row["clients"], clients.len(), "{name}");
        assert_eq!(row["networks"], networks.len(), "{name}");
        let repeated: u64 = downloads.values().map(|(count, bytes)| bytes - bytes.div_ceil(*count)).sum();
        let expected = if ["Chrome", "unlisted"].contains(&name) { Value::Null } else { json!(repeated) };
        assert_eq!(row["repeated_bytes"], expected, "{name}");
    }
    assert_eq!(everything["views"]["families"]["rows"].as_array().unwrap().len(), twin.len());
    for (all, top) in [("--all", "0"), ("--all", "2"), ("--color=never", "0"), ("--color=never", "3")] {
        let answer = answer_of(&["bots", all, "--top", top, "--json", &path]);
        for (view, names) in [
            (
                "families",
                &[
                    "bytes",
                    "requests",
                    "verified_bytes",
                    "elsewhere_requests",
                    "unverifiable_bytes",
                    "repeated_bytes",
                ][..],
            ),
            ("claimed", &["bytes", "requests"]),
        ] {
            let table = &answer["views"][view];
            for name in names {
                let rows = table["rows"].as_array().unwrap();
                let of = |row: &Value| row[name].as_u64().unwrap_or(0);
                let sum = rows.iter().map(of).sum::<u64>() + of(&table["other"]);
                assert_eq!(sum, of(&table["total"]), "{view} {name} {all} {top}");
            }
            let of = |table: &Value, name: &str| table["total"][name].as_u64().unwrap();
            if view == "claimed" {
                assert_eq!(of(table, "bytes"), of(&answer["views"]["families"], "elsewhere_bytes"));
            }
        }
    }
}

#[test]
fn hostile_agents_disturb_no_format_and_memory_no_answer() {
    let scratch = Scratch::new("bots-hostile");
    let requests = many(20_000);
    let borrowed: Vec<Request<'_>> =
        requests.iter().map(|(a, b, c, d, e)| (a.as_str(), b.as_str(), *c, *d, e.as_str())).collect();
    let path = scratch.file("a.log", log(&borrowed).as_bytes());
    let folder = scratch.0.to_str().unwrap();
    for by in [&["bots", "--all"][..], &["top", "--by", "family,agent,claim"]] {
        for shape in ["--json", "--ndjson", "--csv", "--md", "--color=never"] {
            let run = |more: &[&str]| bandwho(&[by, &["--top", "50", shape, &path], more].concat());
            let whole = run(&["--threads", "1"]);
            assert_eq!(whole.code, 0, "{}", whole.err);
            let is_control = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}');
            assert!(!whole.out.chars().any(is_control), "{by:?} {shape}");
            if shape == "--csv" {
                let cells = whole.out.lines().flat_map(|line| line.split(','));
                assert!(!cells.map(|cell| cell.trim_start_matches('"')).any(|cell| cell.starts_with('=')));
            }
            let small = run(&["--threads", "2", "--memory", "1M", "--tmp", folder]);
            assert_eq!(small.out, whole.out, "{by:?} {shape}");
        }
    }
}

#[test]
fn the_manual_says_what_the_code_does() {
    let manual = include_str!("../../docs/AGENTS.md");
    let kinds: Vec<(&str, bool)> = manual
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let (kind, is_bot) = (cells.next()?.trim_end_matches('`'), cells.nth(1)?);
            Some((kind, is_bot.starts_with("yes")))
        })
        .collect();
    assert_eq!(kinds, Kind::ALL.map(|kind| (kind.name(), kind.is_bot())));
    let example = manual.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let agents = Agents::with_own(example.as_bytes()).unwrap();
    let family = |agent: &str| agents.family(agents.find(agent.as_bytes()));
    assert_eq!(family("OurPlayer/2.0 okhttp/4.12.0").name, "Our player");
    assert_eq!(family("okhttp/4.12.0").kind, Kind::Library);
}
