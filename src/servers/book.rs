//! Which key belongs to which data centre, and who said so, while the lists are being read.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::btree_map::Entry;

use foldhash::fast::RandomState;

use super::address::Addresses;
use super::capture::{self, Capture};
use super::claim::{Claim, Machine, NOWHERE, Origin, Position};
use super::globs::{Globs, PATTERNS_BYTES_MAX, Separator, is_glob};
use super::log_path::LogPath;
use super::names::Names;
use super::{IDCS_MAX, Idc, Servers, Site};
use crate::error::Error;

/// The facts of a [`Site`], in the order of its fields.
pub(super) const FACTS: [&str; 6] = ["region", "province", "city", "carrier", "price", "capacity"];

/// The fact whose place in the list is kept: not every command that reads a list needs prices to be numbers.
pub(super) const PRICE: &str = FACTS[4];

/// The fact that a column, label or variable states, as an index into [`FACTS`].
pub(super) fn fact(name: &str) -> Option<usize> {
    let name = match name {
        "cost" => "price",
        "isp" => "carrier",
        name => name,
    };
    FACTS.iter().position(|fact| *fact == name)
}

/// The same name for as long as the program runs, if it is a fact's.
pub(super) fn fact_name(name: &str) -> Option<&'static str> {
    FACTS.into_iter().chain(["cost", "isp"]).find(|fact| *fact == name)
}

/// Logs with their data centres by provisional number, and pairs that no log's path is like.
type Captured = (Vec<(Box<str>, u16)>, Vec<String>);

/// Everything said so far.
#[derive(Debug, Default)]
pub(super) struct Book {
    lists: Vec<String>,
    pairs: Vec<String>,
    addresses: Addresses,
    names: Names,
    name_globs: BTreeMap<String, Claim>,
    paths: BTreeMap<String, Claim>,
    /// How long paths and globs are together.
    pattern_bytes: usize,
    /// Each with the number of its pair.
    captures: Vec<(Capture, usize)>,
    default: Option<Claim>,
    idcs: HashMap<String, u16, RandomState>,
    /// By provisional number: each fact and who stated it.
    facts: Vec<[Option<(String, Origin)>; FACTS.len()]>,
}

impl Book {
    /// Begins a list; later origins refer to it by the number returned.
    pub(super) fn open_list(&mut self, name: &str) -> u32 {
        self.lists.push(name.to_owned());
        u32::try_from(self.lists.len() - 1).expect("every list is a file that was read")
    }

    /// The provisional number of a data centre.
    pub(super) fn number(&mut self, idc: &str, origin: Origin) -> Result<u16, Error> {
        if let Some(&number) = self.idcs.get(idc) {
            return Ok(number);
        }
        if idc.is_empty() {
            return Err(self.error(origin, "the data centre's name is empty"));
        }
        capture::check(idc).map_err(|message| self.error(origin, &message))?;
        self.enrol(idc).ok_or_else(|| self.error(origin, &too_many()))
    }

    /// The name behind a number. Only messages ask, so a scan will do.
    pub(super) fn name(&self, number: u16) -> &str {
        if number == NOWHERE {
            return "no data centre";
        }
        self.idcs.iter().find(|(_, other)| **other == number).map_or("", |(name, _)| name)
    }

    /// `machine` belongs to `idc`, unless it was said to belong to another.
    pub(super) fn claim(&mut self, machine: Machine<'_>, idc: u16, origin: Origin) -> Result<(), Error> {
        let claim = Claim { idc, origin };
        let keyed = |map: &mut BTreeMap<String, Claim>, key: String| match map.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(claim);
                None
            }
            Entry::Occupied(earlier) => Some(*earlier.get()),
        };
        if let Machine::Path(text) | Machine::Name(text) = machine
            && (matches!(machine, Machine::Path(_)) || is_glob(text))
        {
            self.pattern_bytes += text.len();
            if self.pattern_bytes > PATTERNS_BYTES_MAX {
                let most = PATTERNS_BYTES_MAX >> 20;
                let message = format!(
                    "more than {most} MiB of paths and globs, {} in all: use fewer, or names and networks",
                    self.paths.len() + self.name_globs.len() + 1
                );
                return Err(self.error(origin, &message));
            }
        }
        let earlier = match machine {
            Machine::Net(network) => self.addresses.claim(network, claim),
            Machine::Name(name) if is_glob(name) => keyed(&mut self.name_globs, name.to_ascii_lowercase()),
            Machine::Name(name) => self.names.claim(name, claim),
            Machine::Path(path) => keyed(&mut self.paths, path.to_owned()),
        };
        match earlier {
            Some(earlier) if earlier.idc != idc => Err(self.torn(&machine.to_string(), claim, earlier)),
            _ => Ok(()),
        }
    }

    /// Every server in no list belongs to `idc`, unless it was said to belong to another.
    pub(super) fn claim_default(&mut self, idc: u16, origin: Origin) -> Result<(), Error> {
        let claim = Claim { idc, origin };
        match *self.default.get_or_insert(claim) {
            earlier if earlier.idc != idc => Err(self.torn("every other server", claim, earlier)),
            _ => Ok(()),
        }
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

    /// One `--idc KEY=NAME`, or a path that holds the name.
    pub(super) fn add_pair(&mut self, pair: &str) -> Result<(), Error> {
        let number = self.pairs.len();
        self.pairs.push(pair.to_owned());
        let origin = Origin::Pair(u32::try_from(number).expect("fewer pairs than a command line can hold"));
        if pair.contains(capture::HOLE) {
            let capture = Capture::parse(pair.trim()).map_err(|message| self.error(origin, &message))?;
            self.captures.push((capture, number));
            return Ok(());
        }
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

    /// The finished index: data centres are numbered in the order of their names, whatever order they came in. Those
    /// that only the paths of `logs` name are among them.
    pub(super) fn close(
        mut self,
        default: Option<&str>,
        folder: &str,
        logs: &[&str],
    ) -> Result<Servers, Error> {
        let default = match default.map(str::trim) {
            Some("") => return Err(Error::Usage("--idc-default: the name is empty".to_owned())),
            Some(name) => {
                capture::check(name).map_err(|message| Error::Usage(format!("--idc-default: {message}")))?;
                Some(self.enrol(name).ok_or_else(|| Error::Usage(format!("--idc-default: {}", too_many())))?)
            }
            None => self.default.map(|claim| claim.idc),
        };
        let listed = |(text, claim): (String, Claim)| (text, Idc(claim.idc));
        let hostname_globs = std::mem::take(&mut self.name_globs).into_iter().map(listed).collect();
        let mut hostname_globs = Globs::new(hostname_globs, Separator::Ordinary)?;
        let paths = std::mem::take(&mut self.paths).into_iter().map(listed).collect();
        let mut paths = Globs::new(paths, Separator::Literal)?;
        let (captured, unmatched) = self.captured(&paths, folder, logs)?;

        let mut order: Vec<(String, u16)> = self.idcs.into_iter().collect();
        order.sort_unstable();
        let mut finals = vec![Idc(0); order.len()];
        for (number, (_, provisional)) in (0..).zip(&order) {
            finals[usize::from(*provisional)] = Idc(number);
        }
        let mut sites = vec![Site::default(); order.len()];
        let mut price_origins = vec![String::new(); order.len()];
        for (facts, idc) in self.facts.into_iter().zip(&finals) {
            if let Some((_, Origin::List(list, position))) = &facts[4] {
                price_origins[usize::from(idc.0)] = format!("{}:{position}", self.lists[*list as usize]);
            }
            let [region, province, city, carrier, price, capacity] =
                facts.map(|fact| fact.map(|(text, _)| text));
            sites[usize::from(idc.0)] = Site { region, province, city, carrier, price, capacity };
        }
        self.addresses.renumber(&finals);
        self.names.renumber(&finals);
        hostname_globs.renumber(&finals);
        paths.renumber(&finals);
        let last = |number: u16| finals[usize::from(number)];
        Ok(Servers {
            names: order.into_iter().map(|(name, _)| name).collect(),
            sites,
            price_origins,
            addresses: self.addresses,
            hostnames: self.names,
            hostname_globs,
            paths,
            captured: captured.into_iter().map(|(path, number)| (path, last(number))).collect(),
            folder: folder.to_owned(),
            unmatched,
            files: Vec::new(),
            default: default.map(last),
        })
    }

    /// The message with its origin before it; a mistake on the command line is a usage error.
    #[cold]
    pub(super) fn error(&self, origin: Origin, message: &str) -> Error {
        match origin {
            Origin::List(list, position) => {
                Error::Data(format!("{}:{position}: {message}", self.lists[list as usize]))
            }
            Origin::Pair(pair) => Error::Usage(format!("--idc {}: {message}", self.pairs[pair as usize])),
        }
    }

    /// The logs whose paths name their data centre more exactly than any listed path does, and the pairs that found
    /// none.
    fn captured(&mut self, paths: &Globs, folder: &str, logs: &[&str]) -> Result<Captured, Error> {
        let mut captured = Vec::new();
        let mut unmatched = vec![true; self.captures.len()];
        for log in logs {
            let path = LogPath::new(folder, log);
            let found = |((capture, pair), unmatched): (&(Capture, usize), &mut bool)| {
                let name = path.forms().find_map(|form| capture.name(form))?;
                *unmatched = false;
                Some((capture.specific, *pair, name))
            };
            let mut found: Vec<_> = self.captures.iter().zip(&mut unmatched).filter_map(found).collect();
            let Some(most) = found.iter().map(|(specific, ..)| *specific).max() else { continue };
            found.retain(|(specific, ..)| *specific == most);
            if paths.above(path.forms()).is_some_and(|(specific, _)| specific >= most) {
                continue;
            }
            let (_, pair, name) = &found[0];
            let usage =
                |message: String| Error::Usage(format!("--idc {}: {log:?}: {message}", self.pairs[*pair]));
            if let Some((_, other, another)) = found.iter().find(|(.., other)| other != name) {
                let other = &self.pairs[*other];
                return Err(usage(format!("belongs to {name:?} here, but to {another:?} by --idc {other}")));
            }
            capture::check(name).map_err(usage)?;
            let number = self.enrol(name).ok_or_else(|| Error::Usage(format!("--idc: {}", too_many())))?;
            captured.push(((*log).into(), number));
        }
        let unmatched = self.captures.iter().zip(unmatched).filter(|(_, unmatched)| *unmatched);
        let unmatched = unmatched.map(|((_, pair), _)| self.pairs[*pair].clone()).collect();
        Ok((captured, unmatched))
    }

    #[cold]
    fn torn(&self, what: &str, here: Claim, earlier: Claim) -> Error {
        let there = self.there(earlier.origin, here.origin);
        let (idc, other) = (self.name(here.idc), self.name(earlier.idc));
        self.error(here.origin, &format!("{what} belongs to {idc} here, but to {other} {there}"))
    }

    /// Where `there` is, in a message at `here`.
    pub(super) fn there(&self, there: Origin, here: Origin) -> String {
        match (there, here) {
            (Origin::List(list, Position { line, .. }), Origin::List(same, _)) if list == same => {
                format!("on line {line}")
            }
            (Origin::List(list, Position { line, .. }), _) => {
                format!("in {}, line {line}", self.lists[list as usize])
            }
            (Origin::Pair(pair), _) => format!("by --idc {}", self.pairs[pair as usize]),
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
        let error = book.close(Some("other"), "", &[]).unwrap_err();
        assert_eq!(error.to_string(), "--idc-default: more than 65534 data centres");
    }

    #[test]
    fn an_empty_default_is_refused() {
        let error = Book::default().close(Some(" "), "", &[]).unwrap_err();
        assert_eq!(error.to_string(), "--idc-default: the name is empty");
        let error = Book::default().close(Some("b\0j"), "", &[]).unwrap_err();
        assert_eq!(error.to_string(), "--idc-default: \"b\\0j\" cannot be a data centre's name");
    }
}
