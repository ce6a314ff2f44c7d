//! Server lists in every notation. Input: a list, which is also what every `include` in it finds.

#![no_main]

use bandwho::servers::{Idc, Servers, Statements};
use libfuzzer_sys::fuzz_target;

/// Includes that find something; without a limit of its own each input could be read ten thousand times.
const FILES_MAX: usize = 8;

fuzz_target!(|data: &[u8]| {
    // As it is, and as the inside of blocks that mutation would rarely find.
    for (before, after) in [("", ""), ("geo $idc {", "}"), ("geo $idc { ranges;", "}"), ("[group]\n", "")] {
        let text = [before.as_bytes(), data, after.as_bytes()].concat();
        check(&text, data);
    }
});

fn check(text: &[u8], included: &[u8]) {
    let mut files = 0;
    let mut include = |path: &str| {
        files += 1;
        match path.rsplit('/').next() {
            Some("secret") => Err("permission denied".to_owned()),
            Some("absent") => Ok(Vec::new()),
            _ if files > FILES_MAX => Ok(Vec::new()),
            _ => Ok(vec![(format!("{path}{files}"), included.to_vec())]),
        }
    };
    let statements = Statements { group_prefix: Some("g"), ..Statements::default() };
    match Servers::read(&[("list".to_owned(), text.to_vec())], &statements, &mut include) {
        Ok(servers) => {
            assert!(servers.names.is_sorted());
            assert_eq!(servers.names.len(), servers.sites.len());
            let known = |idc: Option<Idc>| assert!(idc.is_none_or(|idc| !servers.name(idc).is_empty()));
            known(servers.by_address([10, 0, 0, 1].into()));
            known(servers.by_hostname(b"web1.example.com"));
            known(servers.default_idc());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
