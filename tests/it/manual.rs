//! docs/FORMATS.md says what the code does.
//!
//! `BANDWHO_BLESS=1 cargo test --test it manual::` rewrites the table of fields.

use std::path::PathBuf;
use std::{env, fs};

use bandwho::detect::explain::{Example, explain};
use bandwho::format::{Format, Layout, Part, keys, presets};
use bandwho::input::Head;

const BEGIN: &str = "<!-- fields -->\n";
const END: &str = "<!-- end of fields -->\n";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/FORMATS.md")
}

fn manual() -> String {
    fs::read_to_string(path()).unwrap()
}

/// nginx variables and Apache items that may feed something; those that do not are left out of the table.
const NGINX: &str = "msec time_iso8601_ms time_iso8601 time_local remote_addr realip_remote_addr proxy_protocol_addr \
    http_x_forwarded_for proxy_add_x_forwarded_for http_x_real_ip http_cf_connecting_ip remote_user request \
    request_method request_uri uri document_uri args query_string server_protocol status body_bytes_sent bytes_sent \
    request_length bytes_received request_time session_time upstream_response_time upstream_session_time host \
    http_host server_name ssl_server_name ssl_preread_server_name server_addr hostname http_referer http_user_agent \
    upstream_cache_status";
const APACHE: &str = "%t %{usec}t %{msec}t %{sec}t %{msec_frac}t %{usec_frac}t %a %h %{c}a %{c}h \
    %{X-Forwarded-For}i %{X-Real-IP}i %{CF-Connecting-IP}i %u %r %m %U %q %H %>s %s %B %b %O %I %D %{us}T %{ms}T %T \
    %{Host}i %V %v %A %{Referer}i %{User-Agent}i";

const PARTS: [(Part, &str); 23] = [
    (Part::Time, "time"),
    (Part::Client, "client"),
    (Part::Peer, "peer"),
    (Part::Forwarded, "forwarded for"),
    (Part::User, "user"),
    (Part::Request, "request line"),
    (Part::Method, "method"),
    (Part::Target, "target"),
    (Part::Path, "path, without its query"),
    (Part::Query, "query"),
    (Part::Protocol, "protocol"),
    (Part::Status, "status"),
    (Part::Body, "body bytes"),
    (Part::Wire, "wire bytes"),
    (Part::In, "bytes received"),
    (Part::Duration, "duration"),
    (Part::Upstream, "upstream time"),
    (Part::Host, "host"),
    (Part::ServerAddr, "server's address"),
    (Part::Hostname, "server's name"),
    (Part::Referer, "referer"),
    (Part::Agent, "user agent"),
    (Part::Cache, "cache status"),
];

/// The words that feed a part, best first.
fn feeding(part: Part, words: impl Iterator<Item = String>) -> String {
    let field = |word: &String| Format::parse(word).unwrap().fields().next().unwrap().clone();
    let mut words: Vec<(u8, String)> = words
        .map(|word| (field(&word), word))
        .filter(|(field, _)| field.part == part)
        .map(|(field, word)| (field.rank, word))
        .collect();
    words.sort_by_key(|(rank, _)| *rank);
    words.iter().map(|(_, word)| format!("`{word}`")).collect::<Vec<_>>().join(" ")
}

fn table() -> String {
    let mut table = "| part | nginx | Apache | names in JSON and LTSV |\n|---|---|---|---|\n".to_owned();
    for (part, name) in PARTS {
        let nginx = feeding(part, NGINX.split_whitespace().map(|word| format!("${word}")));
        let apache = feeding(part, APACHE.split_whitespace().map(str::to_owned));
        let names = keys::aliases()
            .into_iter()
            .filter(|&(other, _)| other == part)
            .map(|(_, name)| format!("`{name}`"));
        let names = names.collect::<Vec<_>>().join(" ");
        table += &format!("| {name} | {nginx} | {apache} | {names} |\n");
    }
    table
}

#[test]
fn the_fields_that_feed_each_part_are_listed() {
    let manual = manual();
    let (before, rest) = manual.split_once(BEGIN).expect("the table begins");
    let (found, after) = rest.split_once(END).expect("the table ends");
    let expected = table();
    if env::var_os("BANDWHO_BLESS").is_some() {
        fs::write(path(), format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
    } else {
        assert!(found == expected, "BANDWHO_BLESS=1 rewrites the table:\n{expected}");
    }
}

#[test]
fn what_no_vendor_says_is_listed() {
    let manual = manual();
    for (name, what) in presets::UNVERIFIED {
        assert!(manual.contains(&format!("| `{name}` | {what} |\n")), "docs/FORMATS.md lacks {name}: {what}");
    }
}

#[test]
fn every_preset_has_its_row() {
    let manual = manual();
    for name in presets::names() {
        assert!(manual.contains(&format!("`{name}`")), "docs/FORMATS.md lacks {name}");
    }
}

/// The lines under "One line of each": a name, then its line.
fn lines() -> Vec<(String, String)> {
    let manual = manual();
    let (_, rest) = manual.split_once("## One line of each\n\n```text\n").expect("the lines begin");
    let (lines, _) = rest.split_once("```").expect("the lines end");
    let split = |line: &str| {
        let (name, rest) = line.split_once(' ').unwrap();
        (name.to_owned(), rest.trim_start().to_owned())
    };
    lines.lines().map(split).filter(|(name, _)| name != "W3C").collect()
}

fn read(format: &str, line: &str) -> (Vec<Example>, Vec<Option<String>>) {
    let layout = Layout::compile(&Format::parse(format).unwrap()).unwrap();
    let head = Head { bytes: format!("{line}\n").into_bytes(), complete: true };
    let explained = explain(&head, Some(&layout), &[]);
    let facts = explained.formats.first().unwrap_or_else(|| panic!("{format} does not read {line}"));
    let directives = [&facts.nginx, &facts.apache]
        .map(|notation| notation.as_ref().map(|notation| notation.directive.clone()));
    (facts.examples.clone(), directives.to_vec())
}

/// Every notation that is shown reads the line to the same record, its own server's always is one.
#[test]
fn what_is_shown_can_be_given_back() {
    let mut shown = Vec::new();
    for (name, line) in lines() {
        let (record, directives) = read(&name, &line);
        for (server, directive) in ["nginx", "Apache"].into_iter().zip(directives) {
            let Some(directive) = directive else { continue };
            shown.push(format!("{name} {server}"));
            assert_eq!(read(&directive, &line).0, record, "{name} in the words of {server}: {directive}");
        }
    }
    let has = |entry: &str| shown.iter().any(|shown| shown == entry);
    assert!(has("upstream_time nginx") && has("lighttpd Apache") && has("stream nginx"), "{shown:?}");
    // Their durations or times have no word in the other's notation.
    for absent in
        ["traefik nginx", "haproxy_http nginx", "tencent_cdn nginx", "azure_cdn Apache", "uwsgi nginx"]
    {
        assert!(!has(absent), "{absent}");
    }
}
