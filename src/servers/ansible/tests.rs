use proptest::prelude::*;

use super::super::{Servers, Statements};

fn load(text: &str, prefix: Option<&str>) -> Result<Servers, String> {
    let list = ("hosts".to_owned(), text.as_bytes().to_vec());
    let statements = Statements { group_prefix: prefix, ..Statements::default() };
    Servers::read(&[list], &statements, &mut |_| Ok(Vec::new())).map_err(|error| error.to_string())
}

fn check(text: &str, prefix: Option<&str>, probes: &[(&str, &str)]) {
    let servers = load(text, prefix).unwrap();
    for (probe, expected) in probes {
        let found = match probe.parse() {
            Ok(address) => servers.by_address(address),
            Err(_) => servers.by_hostname(probe.as_bytes()),
        };
        assert_eq!(found.map_or("-", |idc| servers.name(idc)), *expected, "{probe} in {text}");
    }
}

fn check_error(text: &str, prefix: Option<&str>, expected: &str) {
    assert_eq!(load(text, prefix).unwrap_err(), format!("hosts{expected}"), "{text}");
}

#[test]
fn hosts_and_groups_say_the_data_centre() {
    check(
        "lone dc='bj' ansible_host=10.0.0.9 # first\n\n[web]\nweb[01:02] ansible_port=22\nweb03:2222 site=own\n\
         [web:vars]\ndc = \"gz\" # south\n[db]\ndb1\nspare\n",
        None,
        &[
            ("lone", "bj"),
            ("10.0.0.9", "bj"),
            ("web01", "gz"),
            ("web02", "gz"),
            ("web03", "own"),
            ("db1", "-"),
            ("spare", "-"),
        ],
    );
    check("a idc=x dc=y\nb dc='{{ dc }}' site=z\n", None, &[("a", "x"), ("b", "z")]);
}

#[test]
fn the_nearest_group_counts() {
    let tree = "[a]\nh1\n[b]\nh2\n[c]\nh1\nh2\n[top:children]\na\n[top:vars]\ndc=top\n[all:vars]\ndc=all\n";
    check(tree, None, &[("h1", "top"), ("h2", "all")]);
    // Of equally deep groups the later name counts, unless a priority says otherwise.
    let equal = "[a]\nh\n[b]\nh\n[a:vars]\ndc=a\n[b:vars]\ndc=b\n";
    check(equal, None, &[("h", "b")]);
    check(&format!("{equal}[a:vars]\nansible_group_priority=10\n"), None, &[("h", "a")]);
    // A child of a child is deeper than a child, whichever was written first.
    let deep = "[z]\nh\n[a]\nh\n[m:children]\na\n[z:vars]\ndc=z\n[a:vars]\ndc=a\n";
    check(deep, None, &[("h", "a")]);
}

#[test]
fn names_of_groups_may_say_it() {
    let text = "[dc_bj]\nweb1\n[dc_gz:children]\ndb\n[db]\ndb1\ndb2 dc=own\n[other]\nx\n[dc_]\ny\n";
    check(text, Some("dc_"), &[("web1", "bj"), ("db1", "gz"), ("db2", "own"), ("x", "-"), ("y", "-")]);
    check_error("[dc_a]\nh\n[dc_b]\nh\n", Some("dc_"), ":2:1: h is both in dc_a and in dc_b");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let none = ": an Ansible inventory whose hosts have no data centre: none of them or of their groups has a variable \
                idc, dc, datacenter, site; ";
    check_error(
        "[web]\nh\n",
        None,
        &format!("{none}--idc-group-prefix may take it from the names of groups"),
    );
    check_error("[web]\nh\n", Some("dc_"), &format!("{none}no group whose name begins with dc_"));
    check_error("[web]\nh dc='x\n", None, ":2:1: a quote is not closed");
    check_error("[web]\n  h dc\n", None, ":2:3: name=value is expected, not dc");
    check_error("[web:vars]\ndc\n", None, ":2:1: name=value is expected here");
    check_error("[web:vars]\ndc=x\n", None, ":1:1: there is no group web");
    check_error("[web:children]\ndb\n", None, ":2:1: there is no group db");
    check_error("[web:what]\n", None, ":1:1: a section of kind what: hosts, children and vars are known");
    check_error("[a:children]\nb\n[b:children]\na\n", None, ": group a is below itself");
    check_error("[web]\nw[2:1] dc=x\n", None, ":2:1: w[2:1]: [2:1] ends before it begins");
    check_error(
        "[web]\nh dc=x\n[db]\nh2 dc=y ansible_host=h\n",
        None,
        ":4:1: h belongs to y here, but to x on line 2",
    );
    check_error("[web]\n10.0.0.300 dc=x\n", None, ":2:1: 10.0.0.300 is not an address");
    let torn = ": web1 has idc gz here, but bj on line 2";
    check_error("[a]\nweb1 idc=bj\n[b]\nweb1 idc=gz\n", None, &format!(":4:1{torn}"));
    check_error("[a]\nweb1 idc=bj idc=gz\n", None, &format!(":2:1{torn}"));
    check_error("[a]\nh\n[a:vars]\ndc=x\ndc=y\n", None, ":5:1: a has dc y here, but x on line 4");
    check(
        "[a]\nh idc=bj price=1\n[b]\nh idc=bj price=2 ansible_host=10.0.0.1\n",
        None,
        &[("10.0.0.1", "bj")],
    );
    check_error(
        &format!("w[0:999999] idc=bj region={}\n", "x".repeat(100_000)),
        None,
        ":1:1: ranges that stand for more than 256 MiB in all",
    );
    check_error(
        &format!("[a]\n{}[0:999999] idc=bj\n", "a".repeat(100_000)),
        None,
        ":2:1: a hostname of 100006 bytes: at most 255",
    );
}

#[cfg(feature = "yaml")]
#[test]
fn the_same_in_yaml() {
    let text = "all:\n  vars: {dc: all, price: 20}\n  hosts:\n    lone:\n  children:\n    web:\n      hosts:\n\
                \x20       web[1:2]: {ansible_host: 10.0.0.1, dc: bj}\n        web3:\n      vars:\n        dc: gz\n\
                \x20   db:\n      hosts: db1\n";
    check(text, None, &[("lone", "all"), ("web2", "bj"), ("10.0.0.1", "bj"), ("web3", "gz"), ("db1", "all")]);
    check(
        "x: &x\n  vars: {dc: bj}\n  hosts: {h1: }\ny:\n  <<: *x\n  hosts: {h2: }\n",
        None,
        &[("h1", "bj"), ("h2", "bj")],
    );
    check_error(
        "all:\n  hosts:\n    w: {dc: bj}\n  children:\n    a: {hosts: {w: {dc: gz}}}\n",
        None,
        ":5:21: w has dc gz here, but bj on line 3",
    );
    check_error("all:\n  hosts:\n    w: {dc: bj, dc: gz}\n", None, ":3:17: dc is here again, first at 3:9");
    check_error("all:\n  hosts: [a]\n", None, ":2:10: hosts: a mapping is expected here");
    check_error("all: x\n", None, ":1:6: group all: a mapping is expected here");
    check_error("all:\n  hosts:\n    w[2:1]:\n", None, ":3:5: w[2:1]: [2:1] ends before it begins");
    check_error(
        "all:\n\thosts:\n  x",
        None,
        ":2:2: not YAML: tabs disallowed within this context (block indentation)",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_text_panics(text in "(\\[web\\]|\\[b:children\\]|\\[a:vars\\]|dc=|ansible_host=|[a-c0-9:\\[\\]=#'\"\\\\ \n\t机]|\n){0,30}") {
        let _ = load(&format!("[a]\n{text}"), Some("a"));
        let _ = load(&text, None);
    }

    #[cfg(feature = "yaml")]
    #[test]
    fn no_yaml_panics(text in "(all:|hosts:|children:|vars:|dc: |[a-c0-9:\\[\\]{}&*<\\- \n机]|\n  |\n    ){0,30}") {
        let _ = load(&format!("all:\n  {text}"), Some("a"));
        let _ = load(&text, None);
    }
}
