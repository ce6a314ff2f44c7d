//! Serving machine → data centre ([`Idc`]), from the site's own server list.
//!
//! Keys are tried from the surest to the weakest, see [`Key`]: what the server says of itself, then where its log
//! lies, then what the client asked for. One key with two data centres is an error, never a choice.

mod address;
mod book;
mod list;

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;

use foldhash::fast::RandomState;
use globset::{Candidate, GlobSet};

use crate::error::Error;
use address::Addresses;
use book::Book;

/// Most data centres of one server list; two numbers of [`Idc`] stay free for the caller.
pub const IDCS_MAX: usize = 65_534;

/// Longest machine name, as in DNS: looking one up needs no allocation.
pub const NAME_BYTES_MAX: usize = 255;

/// A data centre: an index into [`Servers::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Idc(pub u16);

/// How a server was found, in join order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// `$server_addr`: the exact address, then the longest network.
    ServerAddr,
    /// `$hostname` or the host a syslog line names.
    Hostname,
    /// The log's path.
    Path,
    /// `$host`: the site asked for rather than the machine, so only if it is listed.
    Host,
    /// `--idc-default`.
    Default,
}

impl Key {
    /// Every key in join order.
    pub const ALL: [Self; 5] = [Self::ServerAddr, Self::Hostname, Self::Path, Self::Host, Self::Default];

    /// The key's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServerAddr => "server_addr",
            Self::Hostname => "hostname",
            Self::Path => "path",
            Self::Host => "host",
            Self::Default => "default",
        }
    }
}

/// What the lists say of a data centre itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Where it is, in the words of the list.
    pub region: Option<String>,
    /// Its province.
    pub province: Option<String>,
    /// Its city.
    pub city: Option<String>,
    /// Whose line it hangs on; `BGP` means everybody's.
    pub carrier: Option<String>,
    /// What bandwidth costs there.
    pub price: Option<String>,
    /// How much it can carry.
    pub capacity: Option<String>,
}

/// The server list, shared by all threads.
#[derive(Debug)]
pub struct Servers {
    /// The data centres, sorted, each once: by [`Idc`].
    pub names: Vec<String>,
    /// What is known of each data centre: by [`Idc`].
    pub sites: Vec<Site>,
    addresses: Addresses,
    hostnames: Names,
    hostname_globs: Globs,
    paths: Globs,
    default: Option<Idc>,
}

impl Servers {
    /// Reads server lists, then `--idc KEY=NAME` pairs and `--idc-default`.
    pub fn load(lists: &[PathBuf], pairs: &[String], default: Option<&str>) -> Result<Self, Error> {
        let mut book = Book::default();
        for path in lists {
            list::load(path, &mut book)?;
        }
        for pair in pairs {
            book.add_pair(pair)?;
        }
        book.close(default)
    }

    /// True if no server can be found: nothing was given.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The data centre's name.
    ///
    /// # Panics
    /// If `idc` came from another server list.
    pub fn name(&self, idc: Idc) -> &str {
        &self.names[usize::from(idc.0)]
    }

    /// By `$server_addr`: the exact address, else the longest network around it.
    pub fn by_address(&self, address: IpAddr) -> Option<Idc> {
        self.addresses.get(address)
    }

    /// By `$hostname`, ignoring ASCII case: the whole name, else the name before the first dot, else a glob.
    /// A short name also finds the one listed machine whose full name begins with it.
    pub fn by_hostname(&self, name: &[u8]) -> Option<Idc> {
        let mut buffer = [0; NAME_BYTES_MAX];
        let name = lower(name, &mut buffer)?;
        self.hostnames
            .exact(name)
            .or_else(|| self.hostnames.short(name))
            .or_else(|| self.hostname_globs.get(name))
    }

    /// By the log's path: of the listed paths and globs that name it or a directory above it, the one with the
    /// most characters that are not wildcards. To be called once per file.
    pub fn by_path(&self, path: &str) -> Option<Idc> {
        if self.paths.idcs.is_empty() {
            return None;
        }
        let above = path.bytes().enumerate().filter(|&(_, byte)| byte == b'/').map(|(end, _)| &path[..end]);
        let best = above.chain([path]).filter_map(|path| self.paths.best(path.as_bytes())).min()?;
        Some(self.paths.idcs[best])
    }

    /// By `$host`, if exactly this name or a glob for it is listed; port and ASCII case are ignored.
    pub fn by_host(&self, host: &[u8]) -> Option<Idc> {
        let mut buffer = [0; NAME_BYTES_MAX];
        let host = host.iter().position(|&byte| byte == b':').map_or(host, |colon| &host[..colon]);
        let host = lower(host, &mut buffer)?;
        self.hostnames.exact(host).or_else(|| self.hostname_globs.get(host))
    }

    /// What every other server belongs to.
    pub fn default_idc(&self) -> Option<Idc> {
        self.default
    }
}

/// Listed machine names, in lower case.
#[derive(Debug, Default)]
struct Names {
    full: HashMap<Box<[u8]>, Idc, RandomState>,
    /// First labels of the full names; `None` if machines of several data centres share one.
    first_labels: HashMap<Box<[u8]>, Option<Idc>, RandomState>,
}

impl Names {
    fn with_capacity(names: usize) -> Self {
        let full = HashMap::with_capacity_and_hasher(names, RandomState::default());
        Self { full, first_labels: HashMap::default() }
    }

    fn insert(&mut self, name: String, idc: Idc) {
        if let Some((label, _)) = name.split_once('.') {
            let shared = self.first_labels.entry(label.as_bytes().into()).or_insert(Some(idc));
            if *shared != Some(idc) {
                *shared = None;
            }
        }
        self.full.insert(name.into_bytes().into(), idc);
    }

    fn exact(&self, name: &[u8]) -> Option<Idc> {
        self.full.get(name).copied()
    }

    /// `web1.bj` is the listed `web1`; `web1` is the listed `web1.bj` if that is the only one. But `web1.sh` is
    /// not `web1.bj`.
    fn short(&self, name: &[u8]) -> Option<Idc> {
        match name.iter().position(|&byte| byte == b'.') {
            Some(dot) => self.exact(&name[..dot]),
            None => self.first_labels.get(name).copied().flatten(),
        }
    }
}

/// Patterns, the most specific first.
#[derive(Debug, Default)]
struct Globs {
    set: GlobSet,
    idcs: Vec<Idc>,
}

impl Globs {
    fn get(&self, text: &[u8]) -> Option<Idc> {
        self.best(text).map(|index| self.idcs[index])
    }

    fn best(&self, text: &[u8]) -> Option<usize> {
        if self.idcs.is_empty() {
            return None;
        }
        self.set.matches_candidate(&Candidate::from_bytes(text)).into_iter().min()
    }
}

/// `name` in lower case and without the root's dot; `None` if no listed name can be that long, or that short.
fn lower<'b>(name: &[u8], buffer: &'b mut [u8; NAME_BYTES_MAX]) -> Option<&'b [u8]> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let lower = buffer.get_mut(..name.len()).filter(|lower| !lower.is_empty())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    Some(lower)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn servers(list: &str, pairs: &[&str]) -> Servers {
        let mut book = Book::default();
        list::read("servers.csv", list.as_bytes(), &mut book).unwrap();
        for pair in pairs {
            book.add_pair(pair).unwrap();
        }
        book.close(None).unwrap()
    }

    fn pairs(pairs: &[&str]) -> Servers {
        let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        Servers::load(&[], &pairs, None).unwrap()
    }

    fn check(found: Option<Idc>, servers: &Servers, expected: &str) {
        assert_eq!(found.map_or("-", |idc| servers.name(idc)), expected);
    }

    #[test]
    fn addresses_are_found_by_the_longest_network() {
        let servers =
            pairs(&["10.0.0.0/8=all", "10.1.0.0/16=bj", "10.1.2.3=one", "2001:db8::/32=six", "::1=lo"]);
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
        let servers = Servers::load(&[], &["10.0.0.1=gz".to_owned()], Some("bj")).unwrap();
        assert_eq!(servers.names, ["bj", "gz"]);
        assert_eq!(servers.sites.len(), 2);
        check(servers.default_idc(), &servers, "bj");
        assert!(!servers.is_empty());
        assert!(Servers::load(&[], &[], None).unwrap().is_empty());
        assert_eq!(Key::ALL.map(Key::name), ["server_addr", "hostname", "path", "host", "default"]);
    }

    #[test]
    fn lists_and_pairs_work_together() {
        let servers = servers("ip,name,idc\n10.1.0.1,web1,bj\n", &["10.1.0.1=bj", "10.1.0.0/24=gz"]);
        check(servers.by_address("10.1.0.1".parse().unwrap()), &servers, "bj");
        check(servers.by_address("10.1.0.2".parse().unwrap()), &servers, "gz");
        check(servers.by_hostname(b"web1"), &servers, "bj");
    }

    #[test]
    fn a_hundred_thousand_servers_load() {
        let mut list = "ip,hostname,idc,carrier\n".to_owned();
        for server in 0..100_000_u32 {
            let [_, a, b, c] = server.to_be_bytes();
            writeln!(list, "10.{a}.{b}.{c},web{server}.example.com,idc{},BGP", server % 50).unwrap();
        }
        let servers = servers(&list, &[]);
        assert_eq!(servers.names.len(), 50);
        check(servers.by_address("10.1.134.159".parse().unwrap()), &servers, "idc49");
        check(servers.by_hostname(b"web99999"), &servers, "idc49");
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
            let servers = Servers::load(&[], &given, None).unwrap();
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
}
