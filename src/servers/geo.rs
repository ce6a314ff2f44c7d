//! nginx's `geo` blocks, alone or in a whole configuration, by the rules of its module.
//!
//! ```text
//! geo $idc {
//!     default bj;              what every other server belongs to
//!     include more.conf;       read in place, below the directory of the list
//!     10.0.0.0/8 gz;           the longest network counts
//!     10.1.0.0/16 "";          in no data centre, as if nothing were listed
//!     delete 10.3.0.0/16;      as if that network had not been named so far
//! }
//! geo $idc { ranges; 10.0.0.0-10.0.0.9 bj; }
//! ```
//!
//! Where nginx takes the later of two values for one network, and warns, a bill cannot: that is an error. `proxy` and
//! what else says how nginx finds the address is skipped.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::rc::Rc;

use ipnet::{IpNet, Ipv4Subnets};

use super::book::Book;
use super::claim::{Lines, Machine, NOWHERE, Origin, address};
use super::list::IDC_NAMES;
use crate::error::Error;
use crate::format::BadFormat;
use crate::format::configured::{FILES_MAX, INCLUDE_DEPTH_MAX, Load};
use crate::format::token::{self, Ending, Statement, Word};

/// Networks that the ranges of a list may become; one range is at most 62.
const NETWORKS_MAX: usize = 2_000_000;

/// Enters the one block of a configuration that says where servers are.
pub(super) fn read(
    list: u32,
    name: &str,
    text: &str,
    book: &mut Book,
    load: &mut Load<'_>,
) -> Result<(), Error> {
    let folder = name.rfind('/').map_or("", |slash| &name[..=slash]);
    let mut blocks: Vec<Block> = Vec::new();
    let mut file = File::new(list, text);
    loop {
        let statement = file.statement(book)?;
        match statement.ending {
            Ending::Open => {
                let variable = statement.words.last().filter(|_| statement.words[0].text == "geo");
                if let Some(variable) = variable {
                    let at = statement.words[0].at;
                    blocks.push(Block { variable: variable.text.clone(), at, start: statement.next });
                    file.skip_block(&statement, book)?;
                }
            }
            Ending::End => break,
            Ending::Semicolon | Ending::Close | Ending::Lua => {}
        }
    }
    let block = choose(&blocks).map_err(|(at, message)| book.error(file.origin(at), &message))?;
    let mut reader =
        Reader { folder, load, book, table: Table::default(), open: vec![name.to_owned()], files: 0 };
    let mut file = File { from: block.start, ..File::new(list, text) };
    reader.block(&mut file, block.at)?;
    let Reader { table, book, .. } = reader;
    table.enter(book)
}

/// A `geo` block that was seen.
struct Block {
    variable: String,
    /// Offset of the directive.
    at: usize,
    /// Offset of what is inside.
    start: usize,
}

/// The block whose variable is called like a data centre, else the only one.
fn choose(blocks: &[Block]) -> Result<&Block, (usize, String)> {
    let named = |block: &&Block| {
        block.variable.strip_prefix('$').is_some_and(|name| IDC_NAMES.contains(&name.to_lowercase().as_str()))
    };
    let mut preferred: Vec<&Block> = blocks.iter().filter(named).collect();
    if preferred.is_empty() {
        preferred = blocks.iter().collect();
    }
    match preferred.as_slice() {
        [block] => Ok(block),
        [] => Err((0, "there is no geo block".to_owned())),
        [.., last] => {
            let variables: Vec<&str> = preferred.iter().map(|block| block.variable.as_str()).collect();
            let wanted = IDC_NAMES[..6].join(", $");
            let message =
                format!("several geo blocks: {}; one of them must set ${wanted}", variables.join(", "));
            Err((last.at, message))
        }
    }
}

/// A file while it is read.
struct File<'t> {
    list: u32,
    text: &'t str,
    from: usize,
    lines: Lines<'t>,
}

impl<'t> File<'t> {
    fn new(list: u32, text: &'t str) -> Self {
        Self { list, text, from: 0, lines: Lines::new(text) }
    }

    fn origin(&mut self, at: usize) -> Origin {
        Origin::List(self.list, self.lines.position(at))
    }

    fn statement(&mut self, book: &Book) -> Result<Statement, Error> {
        match token::statement(self.text, self.from) {
            Ok(statement) => {
                self.from = statement.next;
                Ok(statement)
            }
            Err(BadFormat { offset, message }) => Err(book.error(self.origin(offset), &message)),
        }
    }

    fn skip_block(&mut self, opening: &Statement, book: &Book) -> Result<(), Error> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.statement(book)?.ending {
                Ending::Open => depth += 1,
                Ending::Close => depth -= 1,
                Ending::End => return Err(book.error(self.origin(opening.at), NEVER_CLOSED)),
                Ending::Semicolon | Ending::Lua => {}
            }
        }
        Ok(())
    }
}

const NEVER_CLOSED: &str = "the file ends before the `}` of this block";

struct Reader<'r, 'l> {
    folder: &'r str,
    load: &'r mut Load<'l>,
    book: &'r mut Book,
    table: Table,
    /// Files that include each other at the moment.
    open: Vec<String>,
    files: usize,
}

impl Reader<'_, '_> {
    fn block(&mut self, file: &mut File<'_>, opened: usize) -> Result<(), Error> {
        let included = self.open.len() > 1;
        loop {
            let statement = file.statement(self.book)?;
            let bad = match statement.ending {
                Ending::Semicolon => {
                    self.directive(&statement.words, file)?;
                    continue;
                }
                Ending::Close if !included => return Ok(()),
                Ending::End if included && statement.words.is_empty() => return Ok(()),
                Ending::End if included => (statement.at, "the file ends before the `;`"),
                Ending::End => (opened, NEVER_CLOSED),
                Ending::Close => (statement.at, "no block is open that this `}` could close"),
                Ending::Open | Ending::Lua => (statement.at, "no block can stand in a geo block"),
            };
            return Err(self.book.error(file.origin(bad.0), bad.1));
        }
    }

    fn directive(&mut self, words: &[Word], file: &mut File<'_>) -> Result<(), Error> {
        let origin = file.origin(words[0].at);
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let done = match *texts.as_slice() {
            ["ranges"] => self.table.turn_to_ranges(),
            ["proxy_recursive" | "volatile"] | ["proxy", _] => Ok(()),
            ["include", path] => return self.include(path, origin),
            ["default", value] => self.set_default(value, origin),
            ["delete", network] => self.table.delete(network),
            [network, value] => self.table.add(network, value, origin).map_err(|bad| match bad {
                Refused::Said(message) => message,
                Refused::Overlap(other) => {
                    format!("{network} overlaps the range {}", self.book.there(other, origin))
                }
            }),
            _ => Err("an address or network and its value are expected here".to_owned()),
        };
        done.map_err(|message| self.book.error(origin, &message))
    }

    fn set_default(&mut self, value: &str, origin: Origin) -> Result<(), String> {
        let (earlier, there) = self.table.default.get_or_insert_with(|| (value.to_owned(), origin));
        if earlier == value {
            return Ok(());
        }
        let (earlier, there) = (shown(earlier), self.book.there(*there, origin));
        Err(format!("the default is {} here, but {earlier} {there}", shown(value)))
    }

    fn include(&mut self, path: &str, origin: Origin) -> Result<(), Error> {
        let pattern = if path.starts_with('/') { path.to_owned() } else { format!("{}{path}", self.folder) };
        let bad =
            |book: &Book, reason: &str| book.error(origin, &format!("cannot include {pattern}: {reason}"));
        if self.open.len() >= INCLUDE_DEPTH_MAX {
            return Err(bad(self.book, &format!("files include each other {INCLUDE_DEPTH_MAX} deep")));
        }
        let files = (self.load)(&pattern).map_err(|reason| bad(self.book, &reason))?;
        if files.is_empty() && !pattern.contains(['*', '?', '[']) {
            return Err(bad(self.book, "no such file"));
        }
        for (path, bytes) in files {
            self.files += 1;
            if self.files > FILES_MAX {
                return Err(bad(self.book, &format!("more than {FILES_MAX} files")));
            }
            if self.open.contains(&path) {
                return Err(bad(self.book, &format!("{path} includes itself")));
            }
            let text =
                String::from_utf8(bytes).map_err(|_| bad(self.book, &format!("{path} is not UTF-8")))?;
            let list = self.book.open_list(&path);
            self.open.push(path);
            self.block(&mut File::new(list, &text), 0)?;
            self.open.pop();
        }
        Ok(())
    }
}

/// What the block says, in its order.
#[derive(Default)]
struct Table {
    rule: Rule,
    default: Option<(String, Origin)>,
    networks: Vec<(IpNet, String, Origin)>,
    /// After how many networks each was last deleted.
    deleted: HashMap<IpNet, usize>,
    /// By the first address; they do not overlap.
    ranges: BTreeMap<u32, Range>,
}

/// How addresses are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Rule {
    #[default]
    Networks,
    Ranges,
}

#[derive(Clone)]
struct Range {
    last: u32,
    /// Shared: a range may be split at every line.
    value: Rc<str>,
    origin: Origin,
}

/// Why an entry cannot stand.
enum Refused {
    Said(String),
    Overlap(Origin),
}

impl Table {
    fn turn_to_ranges(&mut self) -> Result<(), String> {
        if !self.networks.is_empty() {
            return Err("`ranges` must stand before all addresses".to_owned());
        }
        self.rule = Rule::Ranges;
        Ok(())
    }

    fn add(&mut self, network: &str, value: &str, origin: Origin) -> Result<(), Refused> {
        match self.rule {
            Rule::Networks => {
                let network = parse_network(network).map_err(Refused::Said)?;
                self.networks.push((network, value.to_owned(), origin));
                Ok(())
            }
            Rule::Ranges => {
                let (first, last) = parse_range(network).map_err(Refused::Said)?;
                self.add_range(first, Range { last, value: value.into(), origin })
            }
        }
    }

    /// A range may lie within an earlier one, whose rest stays; it may not overlap one in part.
    fn add_range(&mut self, first: u32, range: Range) -> Result<(), Refused> {
        let last = range.last;
        let Some((&start, around)) = self.ranges.range(..=last).next_back() else {
            self.ranges.insert(first, range);
            return Ok(());
        };
        if around.last < first {
            self.ranges.insert(first, range);
            return Ok(());
        }
        let same = (start, around.last) == (first, last);
        if start > first || around.last < last || same && around.value != range.value {
            return Err(Refused::Overlap(around.origin));
        }
        let around = around.clone();
        if around.last > last {
            self.ranges.insert(last + 1, around.clone());
        }
        if start < first {
            self.ranges.insert(start, Range { last: first - 1, ..around });
        }
        self.ranges.insert(first, range);
        Ok(())
    }

    fn delete(&mut self, network: &str) -> Result<(), String> {
        match self.rule {
            Rule::Networks => {
                self.deleted.insert(parse_network(network)?, self.networks.len());
            }
            Rule::Ranges => {
                let (first, last) = parse_range(network)?;
                // What is left of a range around others is none of its own: nginx deletes parts of it at most.
                if self.ranges.get(&first).is_none_or(|range| range.last != last) {
                    return Err(format!("there is no range {network} to delete"));
                }
                self.ranges.remove(&first);
            }
        }
        Ok(())
    }

    fn enter(self, book: &mut Book) -> Result<(), Error> {
        let Self { rule: _, default, networks, deleted, ranges } = self;
        if let Some((value, origin)) = default.filter(|(value, _)| !value.is_empty()) {
            let idc = book.number(&value, origin)?;
            book.claim_default(idc, origin)?;
        }
        let mut claim = |network: IpNet, value: &str, origin: Origin| {
            let idc = if value.is_empty() { NOWHERE } else { book.number(value, origin)? };
            book.claim(Machine::network(network), idc, origin)
        };
        for (index, (network, value, origin)) in networks.into_iter().enumerate() {
            if deleted.is_empty() || deleted.get(&network).is_none_or(|&after| after <= index) {
                claim(network, &value, origin)?;
            }
        }
        let mut entered = 0;
        for (first, Range { last, value, origin }) in ranges {
            for network in Ipv4Subnets::new(first.into(), last.into(), 0) {
                claim(IpNet::V4(network), &value, origin)?;
                entered += 1;
            }
            if entered > NETWORKS_MAX {
                return Err(book.error(origin, &format!("ranges of more than {NETWORKS_MAX} networks")));
            }
        }
        Ok(())
    }
}

/// A value in a message.
fn shown(value: &str) -> &str {
    if value.is_empty() { "\"\"" } else { value }
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    let network = address(text).map(IpNet::from).or_else(|| text.parse().ok());
    // Bits below the mask mean nothing to nginx either.
    network.map(|network| network.trunc()).ok_or_else(|| match text.split_once('-') {
        Some(ends) if parse_ends(ends).is_some() => {
            format!("{text} is a range: `ranges;` must stand at the beginning of the block")
        }
        _ => format!("{text} is not an address or network"),
    })
}

fn parse_range(text: &str) -> Result<(u32, u32), String> {
    let ends = text.split_once('-').and_then(parse_ends);
    ends.ok_or_else(|| format!("{text} is not a range of IPv4 addresses, such as 10.0.0.1-10.0.0.9"))
}

fn parse_ends((first, last): (&str, &str)) -> Option<(u32, u32)> {
    let end = |text: &str| text.parse::<Ipv4Addr>().ok().map(u32::from);
    let (first, last) = (end(first)?, end(last)?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Servers, Statements};
    use super::*;

    fn load(text: &str) -> Result<Servers, Error> {
        let list = ("/etc/idc.conf".to_owned(), text.as_bytes().to_vec());
        Servers::read(&[list], &Statements::default(), &mut |path| match path {
            "/etc/more.conf" => {
                Ok(vec![(path.to_owned(), b"10.3.0.0/16 gz; # more\n10.4.0.0/16 sh;".to_vec())])
            }
            "/etc/self.conf" => Ok(vec![(path.to_owned(), b"include self.conf;".to_vec())]),
            "/etc/bad.conf" => Ok(vec![(path.to_owned(), b"10.0.0.0/8\n  x".to_vec())]),
            "/etc/secret" => Err("permission denied".to_owned()),
            _ => Ok(Vec::new()),
        })
    }

    fn check(text: &str, probes: &[(&str, &str)]) {
        let servers = load(text).unwrap();
        for (probe, expected) in probes {
            let found = match *probe {
                "default" => servers.default_idc(),
                address => servers.by_address(address.parse().unwrap()),
            };
            assert_eq!(found.map_or("-", |idc| servers.name(idc)), *expected, "{probe} in {text}");
        }
    }

    #[test]
    fn the_longest_network_counts() {
        check(
            "geo $idc {\n default bj;\n 10.0.0.0/8 'gz'; # south\n 10.1.2.3/16 \"sh\";\n ::1 lo;\n 2001:db8::/32 six; }",
            &[
                ("default", "bj"),
                ("10.9.0.1", "gz"),
                ("10.1.9.9", "sh"),
                ("::1", "lo"),
                ("2001:db8::9", "six"),
            ],
        );
        check("geo $remote_addr $idc { default ''; 10.0.0.1 x; }", &[("10.0.0.1", "x"), ("default", "-")]);
        check(
            "geo $idc { proxy 10.0.0.0/8; proxy_recursive; volatile; include more.conf; include none/*; \
             10.0.0.0/8 a; delete 10.3.0.0/16; delete 10.9.0.0/16; 10.9.0.0/16 b; }",
            &[("10.3.0.1", "a"), ("10.4.0.1", "sh"), ("10.9.0.1", "b")],
        );
    }

    #[test]
    fn ranges_may_nest() {
        check(
            "geo $idc { ranges; default x; 10.0.0.0-10.0.0.255 a; 10.0.0.8-10.0.0.10 b; 10.0.0.0-10.0.0.0 c; \
             10.0.1.0-10.0.1.9 d; delete 10.0.1.0-10.0.1.9; }",
            &[
                ("default", "x"),
                ("10.0.0.0", "c"),
                ("10.0.0.1", "a"),
                ("10.0.0.8", "b"),
                ("10.0.0.10", "b"),
                ("10.0.0.11", "a"),
                ("10.0.0.255", "a"),
                ("10.0.1.0", "-"),
            ],
        );
        // Pieces that are left of a range are ranges; what lies within the deleted one stays.
        check(
            "geo $idc { ranges; 10.0.0.0-10.0.0.9 a; 10.0.0.5-10.0.0.5 b; delete 10.0.0.0-10.0.0.4; }",
            &[("10.0.0.4", "-"), ("10.0.0.5", "b"), ("10.0.0.6", "a")],
        );
        check(
            "geo $idc { ranges; 0.0.0.0-255.255.255.255 a; }",
            &[("0.0.0.0", "a"), ("255.255.255.255", "a")],
        );
    }

    #[test]
    fn an_empty_value_is_no_data_centre() {
        let text = "geo $idc { default bj; 10.0.0.0/8 gz; 10.1.0.0/16 \"\"; 10.1.1.0/24 sh; }";
        check(text, &[("10.0.0.1", "gz"), ("10.1.0.1", "-"), ("10.1.1.1", "sh"), ("11.0.0.1", "-")]);
        let servers = load(text).unwrap();
        let is_nowhere = |address: &str| servers.is_nowhere(address.parse().unwrap());
        assert_eq!(["10.1.0.1", "10.1.1.1", "11.0.0.1"].map(is_nowhere), [true, false, false]);
        check(
            "geo $idc { ranges; 10.0.0.0-10.0.0.9 a; 10.0.0.5-10.0.0.6 ''; default ''; default \"\"; }",
            &[("10.0.0.4", "a"), ("10.0.0.5", "-"), ("10.0.0.7", "a"), ("default", "-")],
        );
    }

    #[test]
    fn the_block_is_found_in_a_configuration() {
        let around = "user www;\nhttp {\n geo $limit { default 1; 10.0.0.0/8 0; }\n map $a $b { x y; }\n";
        check(&format!("{around} geo $IDC {{ 10.0.0.1 bj; }} }}"), &[("10.0.0.1", "bj"), ("10.0.0.2", "-")]);
        check("http { server { a b; } geo $where { 10.0.0.1 bj; } }", &[("10.0.0.1", "bj")]);
    }

    /// Fifty thousand ranges inside of another.
    fn splits() -> String {
        let splits: Vec<String> =
            (1..50_000_u32).map(|at| format!("{0}-{0} b;", Ipv4Addr::from(at * 2))).collect();
        splits.concat()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let check = |text: &str, expected: &str| {
            assert_eq!(load(text).unwrap_err().to_string(), format!("/etc/{expected}"), "{text}");
        };
        check(
            "geo $a { default 1; }\ngeo $b { default 2; }",
            "idc.conf:2:1: several geo blocks: $a, $b; one of them must set $idc, $dc, $datacenter, $site, \
             $location, $room",
        );
        check(
            "geo $idc {\n  10.0.0.0/8 a;\n  10.0.0.1/8 b;\n}",
            "idc.conf:3:3: 10.0.0.0/8 belongs to b here, but to a on line 2",
        );
        check("geo $idc {\n  10.0.0.0/33 a; }", "idc.conf:2:3: 10.0.0.0/33 is not an address or network");
        check("geo $idc { web1 a; }", "idc.conf:1:12: web1 is not an address or network");
        check(
            "geo $idc { 10.0.0.1-10.0.0.2 a; }",
            "idc.conf:1:12: 10.0.0.1-10.0.0.2 is a range: `ranges;` must stand at the beginning of the block",
        );
        check("geo $idc { 10.0.0.1 a; ranges; }", "idc.conf:1:24: `ranges` must stand before all addresses");
        check(
            "geo $idc { ranges; 10.0.0.9-10.0.0.1 a; }",
            "idc.conf:1:20: 10.0.0.9-10.0.0.1 is not a range of IPv4 addresses, such as 10.0.0.1-10.0.0.9",
        );
        check(
            "geo $idc { ranges;\n10.0.0.0-10.0.0.9 a;\n10.0.0.5-10.0.0.12 b; }",
            "idc.conf:3:1: 10.0.0.5-10.0.0.12 overlaps the range on line 2",
        );
        check(
            "geo $idc { ranges;\n10.0.0.0-10.0.0.9 a;\n10.0.0.0-10.0.0.9 b; }",
            "idc.conf:3:1: 10.0.0.0-10.0.0.9 overlaps the range on line 2",
        );
        check(
            "geo $idc { 10.0.0.1; }",
            "idc.conf:1:12: an address or network and its value are expected here",
        );
        check(
            "geo $idc {\n10.0.0.1 '';\n10.0.0.1 a; }",
            "idc.conf:3:1: 10.0.0.1 belongs to a here, but to no data centre on line 2",
        );
        check(
            "geo $idc { ranges; default d;\n10.0.1.1-10.0.1.2 c;\n delete 10.0.1.0-10.0.1.9; }",
            "idc.conf:3:2: there is no range 10.0.1.0-10.0.1.9 to delete",
        );
        check("geo $idc { default a;\n default b; }", "idc.conf:2:2: the default is b here, but a on line 1");
        check(
            &format!("geo $idc {{ ranges;\n0.0.0.0-255.255.255.255 {}; {} }}", "a".repeat(200_000), splits()),
            "idc.conf:2:1: a data centre's name of 200000 bytes: at most 255",
        );
        check(
            "geo $idc { default '';\n default b; }",
            "idc.conf:2:2: the default is b here, but \"\" on line 1",
        );
        check("geo $idc { 10.0.0.1 a; ", "idc.conf:1:10: the file ends before the `}` of this block");
        check("geo $idc { a { } }", "idc.conf:1:14: no block can stand in a geo block");
        check("geo $idc { 'a }", "idc.conf:1:12: a quote opens here and never closes");
        check("geo $idc { include none; }", "idc.conf:1:12: cannot include /etc/none: no such file");
        check("geo $idc { include secret; }", "idc.conf:1:12: cannot include /etc/secret: permission denied");
        check(
            "geo $idc { include self.conf; }",
            "self.conf:1:1: cannot include /etc/self.conf: /etc/self.conf includes itself",
        );
        check("geo $idc { include bad.conf; }", "bad.conf:2:4: the file ends before the `;`");
        check(
            "geo $idc { 10.3.0.0/16 x; include more.conf; }",
            "more.conf:1:1: 10.3.0.0/16 belongs to gz here, but to x in /etc/idc.conf, line 1",
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn no_text_panics(text in "(default|ranges;|delete|include|10\\.0\\.0\\.[0-9]|[-/ a;{}'\"#\n0-9]|more\\.conf|self\\.conf){0,20}") {
            let _ = load(&format!("geo $idc {{ {text} }}"));
            let _ = load(&format!("geo $idc {{ ranges; {text}"));
        }

        /// The twin: each address asks the ranges from the last to the first.
        #[test]
        fn ranges_agree_with_scanning(ranges in prop::collection::vec((0_u32..64, 0_u32..64, 0..3), 0..8)) {
            let mut table = Table::default();
            let mut kept: Vec<(u32, u32, Rc<str>)> = Vec::new();
            for (one, other, value) in ranges {
                let (first, last) = (one.min(other), one.max(other));
                let range = Range { last, value: format!("v{value}").into(), origin: Origin::Pair(0) };
                if table.add_range(first, range).is_ok() {
                    kept.push((first, last, format!("v{value}").into()));
                }
            }
            for address in 0..64 {
                let around = |(first, last, _): &&(u32, u32, Rc<str>)| (*first..=*last).contains(&address);
                let expected = kept.iter().rev().find(around).map(|(.., value)| value);
                let found = table.ranges.range(..=address).next_back().filter(|(_, range)| range.last >= address);
                prop_assert_eq!(found.map(|(_, range)| &range.value), expected);
            }
        }
    }
}
