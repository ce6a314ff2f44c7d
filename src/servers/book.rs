//! Which key belongs to which data centre, and who said so, while the lists are being read.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use globset::{GlobBuilder, GlobSet};
use ipnet::IpNet;

use super::address::{Addresses, canonical};
use super::{Globs, IDCS_MAX, Idc, NAME_BYTES_MAX, Names, Servers, Site};
use crate::error::Error;

/// What a server can be found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Machine {
    /// An address or network, canonical.
    Net(IpNet),
    /// A machine's name or a glob for such names, in lower case.
    Name(String),
    /// A path or a glob for paths, without the final slash.
    Path(String),
}

impl Machine {
    /// An address or a network without host bits, a `/path`, a `glob:`, a `host:`, else a hostname.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("host:") {
            Self::name(name)
        } else if let Some(glob) = text.strip_prefix("glob:") {
            Self::path(glob)
        } else if text.starts_with('/') {
            Self::path(text)
        } else if let Ok(address) = text.parse::<IpAddr>() {
            Ok(Self::address(address))
        } else if let Ok(network) = text.parse::<IpNet>() {
            if network.trunc() != network {
                return Err(format!("{text} is neither an address nor a network: {} is", network.trunc()));
            }
            Ok(Self::Net(canonical(network)))
        } else if text.contains(':') {
            Err(format!("{text} is not an address"))
        } else {
            Self::name(text)
        }
    }

    /// A single address.
    pub(super) fn address(address: IpAddr) -> Self {
        Self::Net(IpNet::from(address.to_canonical()))
    }

    /// A network; host bits are dropped.
    pub(super) fn network(network: IpNet) -> Self {
        Self::Net(canonical(network))
    }

    /// A machine's name or a glob.
    pub(super) fn name(text: &str) -> Result<Self, String> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.is_empty() {
            return Err("the hostname is empty".to_owned());
        }
        // A mistyped address taken for a name would match nothing and say nothing.
        if name.contains('.') && name.bytes().all(|byte| byte.is_ascii_digit() || b"./".contains(&byte)) {
            return Err(format!("{text} is not an address"));
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(format!("a hostname of {} bytes: at most {NAME_BYTES_MAX}", name.len()));
        }
        // Most names are literal, and compiling costs a hundred times what storing them does.
        if is_glob(&name) {
            compile(&name, Separator::Ordinary)?;
        }
        Ok(Self::Name(name))
    }

    /// A path or a glob.
    pub(super) fn path(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the path is empty".to_owned());
        }
        let path = text.trim_end_matches('/');
        compile(path, Separator::Literal)?;
        Ok(Self::Path(path.to_owned()))
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(network) if network.prefix_len() == network.max_prefix_len() => {
                network.addr().fmt(formatter)
            }
            Self::Net(network) => network.fmt(formatter),
            Self::Path(path) if path.is_empty() => formatter.write_str("/"),
            Self::Name(text) | Self::Path(text) => formatter.write_str(text),
        }
    }
}

/// Where a statement was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Which list, in the order read, and the line.
    Line(usize, u64),
    /// Which `--idc`.
    Pair(usize),
}

/// The facts of a [`Site`], in the order of its fields.
pub(super) const FACTS: [&str; 6] = ["region", "province", "city", "carrier", "price", "capacity"];

/// Everything said so far.
#[derive(Debug, Default)]
pub(super) struct Book {
    lists: Vec<String>,
    pairs: Vec<String>,
    claims: HashMap<Machine, Claim, RandomState>,
    idcs: HashMap<String, u16, RandomState>,
    /// By provisional number: each fact and who stated it.
    facts: Vec<[Option<(String, Origin)>; FACTS.len()]>,
}

/// A key's data centre, by provisional number.
#[derive(Debug, Clone, Copy)]
struct Claim {
    idc: u16,
    origin: Origin,
}

impl Book {
    /// Begins a list; later origins refer to it by the number returned.
    pub(super) fn open_list(&mut self, name: &str) -> usize {
        self.lists.push(name.to_owned());
        self.lists.len() - 1
    }

    /// The provisional number of a data centre.
    pub(super) fn number(&mut self, idc: &str, origin: Origin) -> Result<u16, Error> {
        self.enrol(idc).ok_or_else(|| self.error(origin, &too_many()))
    }

    /// The name behind a number. Only messages ask, so a scan will do.
    pub(super) fn name(&self, number: u16) -> &str {
        self.idcs.iter().find(|(_, other)| **other == number).map_or("", |(name, _)| name)
    }

    /// `machine` belongs to `idc`, unless it was said to belong to another.
    pub(super) fn claim(&mut self, machine: Machine, idc: u16, origin: Origin) -> Result<(), Error> {
        let earlier = match self.claims.entry(machine) {
            Entry::Vacant(vacant) => {
                vacant.insert(Claim { idc, origin });
                return Ok(());
            }
            Entry::Occupied(earlier) if earlier.get().idc == idc => return Ok(()),
            Entry::Occupied(earlier) => (earlier.key().to_string(), *earlier.get()),
        };
        let (machine, Claim { idc: other, origin: said }) = earlier;
        let (idc, other, there) = (self.name(idc), self.name(other), self.there(said, origin));
        Err(self.error(origin, &format!("{machine} belongs to {idc} here, but to {other} {there}")))
    }

    /// `idc` has this value of `FACTS[fact]`, unless it was said to have another.
    pub(super) fn state(&mut self, idc: u16, fact: usize, value: &str, origin: Origin) -> Result<(), Error> {
        let slot = &mut self.facts[usize::from(idc)][fact];
        match slot {
            Some((earlier, _)) if earlier == value => Ok(()),
            None => {
                *slot = Some((value.to_owned(), origin));
                Ok(())
            }
            Some((earlier, said)) => {
                let (earlier, there) = (earlier.clone(), *said);
                let (idc, fact, there) = (self.name(idc), FACTS[fact], self.there(there, origin));
                Err(self.error(origin, &format!("{idc} has {fact} {value} here, but {earlier} {there}")))
            }
        }
    }

    /// One `--idc KEY=NAME`.
    pub(super) fn add_pair(&mut self, pair: &str) -> Result<(), Error> {
        self.pairs.push(pair.to_owned());
        let origin = Origin::Pair(self.pairs.len() - 1);
        // Paths may hold an equals sign, names of data centres hardly.
        let Some((key, idc)) = pair.rsplit_once('=') else {
            return Err(self.error(origin, "KEY=NAME is needed"));
        };
        let (key, idc) = (key.trim(), idc.trim());
        if key.is_empty() || idc.is_empty() {
            return Err(self.error(origin, "KEY=NAME is needed, neither of them empty"));
        }
        let machine = Machine::parse(key).map_err(|message| self.error(origin, &message))?;
        let idc = self.number(idc, origin)?;
        self.claim(machine, idc, origin)
    }

    /// The finished index: data centres are numbered in the order of their names, whatever order they came in.
    pub(super) fn close(mut self, default: Option<&str>) -> Result<Servers, Error> {
        let default = match default.map(str::trim) {
            Some("") => return Err(Error::Usage("--idc-default: the name is empty".to_owned())),
            Some(name) => {
                Some(self.enrol(name).ok_or_else(|| Error::Usage(format!("--idc-default: {}", too_many())))?)
            }
            None => None,
        };
        let mut order: Vec<(String, u16)> = self.idcs.into_iter().collect();
        order.sort_unstable();
        let mut finals = vec![Idc(0); order.len()];
        for (number, (_, provisional)) in (0..).zip(&order) {
            finals[usize::from(*provisional)] = Idc(number);
        }
        let mut sites = vec![Site::default(); order.len()];
        for (facts, idc) in self.facts.into_iter().zip(&finals) {
            let [region, province, city, carrier, price, capacity] =
                facts.map(|fact| fact.map(|(text, _)| text));
            sites[usize::from(idc.0)] = Site { region, province, city, carrier, price, capacity };
        }
        let (mut networks, mut hostnames) = (Vec::new(), Names::with_capacity(self.claims.len()));
        let (mut hostname_globs, mut paths) = (Vec::new(), Vec::new());
        for (machine, claim) in self.claims {
            let idc = finals[usize::from(claim.idc)];
            match machine {
                Machine::Net(network) => networks.push((network, idc)),
                Machine::Name(name) if is_glob(&name) => hostname_globs.push((name, idc)),
                Machine::Name(name) => hostnames.insert(name, idc),
                Machine::Path(path) => paths.push((path, idc)),
            }
        }
        Ok(Servers {
            names: order.into_iter().map(|(name, _)| name).collect(),
            sites,
            addresses: Addresses::new(networks),
            hostnames,
            hostname_globs: globs(hostname_globs, Separator::Ordinary)?,
            paths: globs(paths, Separator::Literal)?,
            default: default.map(|number| finals[usize::from(number)]),
        })
    }

    /// The message with its origin before it; a mistake on the command line is a usage error.
    pub(super) fn error(&self, origin: Origin, message: &str) -> Error {
        match origin {
            Origin::Line(list, line) => Error::Data(format!("{}: line {line}: {message}", self.lists[list])),
            Origin::Pair(pair) => Error::Usage(format!("--idc {}: {message}", self.pairs[pair])),
        }
    }

    fn there(&self, there: Origin, here: Origin) -> String {
        match (there, here) {
            (Origin::Line(list, line), Origin::Line(same, _)) if list == same => format!("on line {line}"),
            (Origin::Line(list, line), _) => format!("in {}, line {line}", self.lists[list]),
            (Origin::Pair(pair), _) => format!("by --idc {}", self.pairs[pair]),
        }
    }

    /// The provisional number of a data centre, new if need be; `None` if there are too many.
    fn enrol(&mut self, idc: &str) -> Option<u16> {
        if let Some(&number) = self.idcs.get(idc) {
            return Some(number);
        }
        let number = u16::try_from(self.idcs.len()).ok().filter(|&number| usize::from(number) < IDCS_MAX)?;
        self.idcs.insert(idc.to_owned(), number);
        self.facts.push(Default::default());
        Some(number)
    }
}

fn too_many() -> String {
    format!("more than {IDCS_MAX} data centres")
}

/// What a `*` does at a `/`.
#[derive(Debug, Clone, Copy)]
enum Separator {
    /// It goes on: in names.
    Ordinary,
    /// It stops, `**` goes on: in paths.
    Literal,
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn compile(text: &str, separator: Separator) -> Result<globset::Glob, String> {
    let literal;
    let pattern = if is_glob(text) {
        text
    } else {
        literal = globset::escape(text);
        &literal
    };
    GlobBuilder::new(pattern)
        .literal_separator(matches!(separator, Separator::Literal))
        .backslash_escape(true)
        .build()
        .map_err(|error| format!("{text} is not a glob: {}", error.kind()))
}

fn globs(mut patterns: Vec<(String, Idc)>, separator: Separator) -> Result<Globs, Error> {
    patterns.sort_by(|(one, _), (other, _)| specific(other).cmp(&specific(one)).then_with(|| one.cmp(other)));
    let mut builder = GlobSet::builder();
    for (pattern, _) in &patterns {
        builder.add(compile(pattern, separator).map_err(Error::Data)?);
    }
    let set =
        builder.build().map_err(|error| Error::Data(format!("the globs of the server list: {error}")))?;
    Ok(Globs { set, idcs: patterns.into_iter().map(|(_, idc)| idc).collect() })
}

/// How many characters a pattern prescribes. Counting wildcards would rank `/logs/**` above `/logs/b`.
fn specific(pattern: &str) -> usize {
    pattern.chars().filter(|letter| !is_glob(pattern) || !"*?[]{}".contains(*letter)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_pair_is_said() {
        let check = |pairs: &[&str], expected: &str| {
            let mut book = Book::default();
            let error = pairs.iter().find_map(|pair| book.add_pair(pair).err()).unwrap();
            assert!(matches!(error, Error::Usage(_)));
            assert_eq!(error.to_string(), expected);
        };
        check(&["10.0.0.1"], "--idc 10.0.0.1: KEY=NAME is needed");
        check(&["=bj"], "--idc =bj: KEY=NAME is needed, neither of them empty");
        check(&["web1= "], "--idc web1= : KEY=NAME is needed, neither of them empty");
        check(&["10.0.0.300=bj"], "--idc 10.0.0.300=bj: 10.0.0.300 is not an address");
        check(&["10.0.0.0/33=bj"], "--idc 10.0.0.0/33=bj: 10.0.0.0/33 is not an address");
        check(&["2001::x=bj"], "--idc 2001::x=bj: 2001::x is not an address");
        check(
            &["10.0.0.1/24=bj"],
            "--idc 10.0.0.1/24=bj: 10.0.0.1/24 is neither an address nor a network: 10.0.0.0/24 is",
        );
        check(&["host:=bj"], "--idc host:=bj: the hostname is empty");
        check(&["glob:=bj"], "--idc glob:=bj: the path is empty");
        check(
            &["glob:/a[=bj"],
            "--idc glob:/a[=bj: /a[ is not a glob: unclosed character class; missing ']'",
        );
        check(&["web1=bj", "WEB1=gz"], "--idc WEB1=gz: web1 belongs to gz here, but to bj by --idc web1=bj");
        check(&["/=a", "//=b"], "--idc //=b: / belongs to b here, but to a by --idc /=a");
    }

    #[test]
    fn there_is_a_limit_of_data_centres() {
        let mut book = Book::default();
        for number in 0..IDCS_MAX {
            book.add_pair(&format!("web{number}=idc{number}")).unwrap();
        }
        let error = book.add_pair("more=more").unwrap_err();
        assert_eq!(error.to_string(), "--idc more=more: more than 65534 data centres");
        let error = book.close(Some("other")).unwrap_err();
        assert_eq!(error.to_string(), "--idc-default: more than 65534 data centres");
    }

    #[test]
    fn an_empty_default_is_refused() {
        let error = Book::default().close(Some(" ")).unwrap_err();
        assert_eq!(error.to_string(), "--idc-default: the name is empty");
    }
}
