//! CSV with a header, separated by commas, semicolons or tabs.
//!
//! Column names are matched without regard to case, spaces, `_` and `-`, so that what inventories and
//! spreadsheets export is read as it comes; columns with other names are ignored. Beyond RFC 4180: comment lines that
//! begin with `#`, blank lines, a byte order mark, rows shorter than the header.

use csv::{ReaderBuilder, StringRecord};
use ipnet::IpNet;

use super::book::{Book, FACTS, PRICE, fact};
use super::claim::{Machine, Origin, Position, address};
use super::list::IDC_NAMES;
use crate::error::Error;

const ADDRESS_COLUMNS: [&str; 11] = [
    "ip",
    "address",
    "ipaddress",
    "ipv4",
    "ipv6",
    "ipv4address",
    "ipv6address",
    "primaryip",
    "primaryip4",
    "primaryip6",
    "serveraddr",
];
const NETWORK_COLUMNS: [&str; 4] = ["cidr", "prefix", "network", "subnet"];
const NAME_COLUMNS: [&str; 5] = ["host", "hostname", "name", "dnsname", "fqdn"];
const PATH_COLUMNS: [&str; 2] = ["path", "log"];

/// Reads a list's text into the book.
pub(super) fn read(list: u32, text: &str, book: &mut Book) -> Result<(), Error> {
    let mut rows = Rows::new(text);
    let (mut header, mut row) = (StringRecord::new(), StringRecord::new());
    let first = rows.next(&mut header).map_err(|wrong| wrong.error(book, list))?;
    let origin = Origin::List(list, Position::line(first.unwrap_or(1)));
    if first.is_none() {
        return Err(book.error(origin, "no header line"));
    }
    let columns = Columns::parse(&header).map_err(|message| book.error(origin, &message))?;
    while let Some(line) = rows.next(&mut row).map_err(|wrong| wrong.error(book, list))? {
        let origin = Origin::List(list, Position::line(line));
        if let Some(extra) = row.iter().skip(header.len()).find(|cell| !cell.trim().is_empty()) {
            let message = format!("{extra} stands beyond the {} columns of the header", header.len());
            return Err(book.error(origin, &message));
        }
        columns.enter(&row, origin, &|index| Origin::List(list, rows.cell(index)), book)?;
    }
    Ok(())
}

/// What a column's cells are.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Address,
    Network,
    Name,
    Path,
}

impl Kind {
    fn of(column: &str) -> Option<Self> {
        let kinds = [
            (Self::Address, ADDRESS_COLUMNS.as_slice()),
            (Self::Network, &NETWORK_COLUMNS),
            (Self::Name, &NAME_COLUMNS),
            (Self::Path, &PATH_COLUMNS),
        ];
        kinds.into_iter().find(|(_, names)| names.contains(&column)).map(|(kind, _)| kind)
    }

    fn machine(self, cell: &str) -> Result<Machine<'_>, String> {
        if !matches!(self, Self::Path)
            && let Some(address) = address(cell)
        {
            return Ok(Machine::address(address));
        }
        match self {
            Self::Address => match cell.parse::<IpNet>() {
                Ok(network) if is_host(network) => Ok(Machine::address(network.addr())),
                Ok(network) => Ok(Machine::network(network)),
                Err(_) => Err(format!("{cell} is not an address or network")),
            },
            Self::Network => {
                cell.parse().map(Machine::network).map_err(|_| format!("{cell} is not an address or network"))
            }
            // A column called host often holds addresses.
            Self::Name if cell.contains('/') && cell.parse::<IpNet>().is_ok() => Self::Address.machine(cell),
            Self::Name => Machine::name(cell),
            Self::Path => Machine::path(cell),
        }
    }
}

/// `10.0.0.1/24` in an address column is a machine and the size of its network, `10.0.0.0/24` can only be the
/// network; where the mask leaves two addresses (RFC 3021, RFC 6164) or one, both are machines.
fn is_host(network: IpNet) -> bool {
    network.addr() != network.network() || network.max_prefix_len() - network.prefix_len() <= 1
}

/// Which columns to read, by position, with their names as written.
struct Columns {
    idc: (usize, String),
    keys: Vec<(usize, String, Kind)>,
    /// Column and index into the facts.
    facts: Vec<(usize, usize)>,
}

impl Columns {
    fn parse(header: &StringRecord) -> Result<Self, String> {
        let plain: Vec<String> = header.iter().map(plain).collect();
        let name = |index: usize| header.get(index).unwrap_or_default().trim().to_owned();
        let mut idc = None;
        for wanted in IDC_NAMES {
            let mut found = (0..plain.len()).filter(|&index| plain[index] == wanted);
            idc = idc.or(found.next());
            if let Some(again) = found.next() {
                return Err(format!("two columns are called {}", name(again)));
            }
        }
        let Some(idc) = idc else {
            return Err(format!(
                "no column names a data centre ({}), and this is no JSON, nginx geo, YAML or Ansible inventory",
                IDC_NAMES.join(", ")
            ));
        };
        let key = |index: usize| Some((index, name(index), Kind::of(&plain[index])?));
        let keys: Vec<_> = (0..plain.len()).filter_map(key).collect();
        if keys.is_empty() {
            return Err("no column names a server (ip, address, cidr, hostname, name, path, ...)".to_owned());
        }
        let fact = |index: usize| Some((index, fact(&plain[index])?));
        let facts = (0..plain.len()).filter_map(fact).collect();
        Ok(Self { idc: (idc, name(idc)), keys, facts })
    }

    /// `at` is where a cell of the row begins.
    fn enter(
        &self,
        row: &StringRecord,
        origin: Origin,
        at: &dyn Fn(usize) -> Origin,
        book: &mut Book,
    ) -> Result<(), Error> {
        let cell = |index: usize| row.get(index).map(str::trim).filter(|cell| !cell.is_empty());
        let Some(idc) = cell(self.idc.0) else {
            return Err(book.error(origin, &format!("no data centre in column {}", self.idc.1)));
        };
        // Where the cell is, only a message has to know.
        let idc = book.number(idc, origin).or_else(|_| book.number(idc, at(self.idc.0)))?;
        let mut named = false;
        for (index, column, kind) in &self.keys {
            let Some(text) = cell(*index) else { continue };
            let machine = kind
                .machine(text)
                .map_err(|message| book.error(origin, &format!("column {column}: {message}")))?;
            book.claim(machine, idc, origin)?;
            named = true;
        }
        if !named {
            return Err(book.error(origin, &format!("nothing says which server is in {}", book.name(idc))));
        }
        for &(index, fact) in &self.facts {
            if let Some(value) = cell(index) {
                let origin = if FACTS[fact] == PRICE { at(index) } else { origin };
                book.state(idc, fact, value, origin)?;
            }
        }
        Ok(())
    }
}

/// A column's name without what exporters vary.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_whitespace() && !"_-".contains(*letter))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The rows that hold anything, each with the number of its first line.
struct Rows<'t> {
    text: &'t str,
    reader: csv::Reader<&'t [u8]>,
    delimiter: u8,
    /// Where `line` has been counted to.
    counted: usize,
    line: u64,
}

/// A row that cannot be read.
struct Wrong {
    line: u64,
    message: String,
}

impl Wrong {
    fn error(&self, book: &Book, list: u32) -> Error {
        book.error(Origin::List(list, Position::line(self.line)), &self.message)
    }
}

impl<'t> Rows<'t> {
    fn new(text: &'t str) -> Self {
        let delimiter = delimiter(text);
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        Self { text, reader, delimiter, counted: 0, line: 1 }
    }

    /// Reads the next row that holds anything and returns its line.
    fn next(&mut self, row: &mut StringRecord) -> Result<Option<u64>, Wrong> {
        while self
            .reader
            .read_record(row)
            .map_err(|error| Wrong { line: self.line, message: error.to_string() })?
        {
            // Spreadsheets export blank rows as bare delimiters.
            if row.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let line = self.first_line(row);
            if self.is_unclosed() {
                return Err(Wrong { line, message: "a quote is not closed".to_owned() });
            }
            return Ok(Some(line));
        }
        Ok(None)
    }

    /// The number of the row's first line. The reader counts blank lines and comments before a row to the row.
    fn first_line(&mut self, row: &StringRecord) -> u64 {
        let bytes = self.text.as_bytes();
        let start = row.position().map_or(0, csv::Position::byte);
        let mut start = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
        while let Some(line) = bytes[start..].split_inclusive(|&byte| byte == b'\n').next() {
            if line[0] != b'#' && !line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                break;
            }
            start += line.len();
        }
        self.line += newlines(&bytes[self.counted..start]);
        self.counted = start;
        self.line
    }

    /// Where a cell of the last row begins.
    fn cell(&self, index: usize) -> Position {
        let read = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        let row = &self.text[self.counted..read.min(self.text.len())];
        let mut quotes = Quotes::new(self.delimiter);
        let mut ends = row.bytes().enumerate().filter(|(_, byte)| quotes.ends_cell(*byte));
        let start = index.checked_sub(1).and_then(|before| ends.nth(before)).map_or(0, |(at, _)| at + 1);
        let before = &row[..start];
        let letters = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
        let line = Position::line(self.line + newlines(before.as_bytes()));
        Position { column: u32::try_from(letters + 1).unwrap_or(u32::MAX), ..line }
    }

    /// True if the row began a quote that only the end of the file ended: it has swallowed the rows after it.
    fn is_unclosed(&self) -> bool {
        let read = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        read >= self.text.len() && ends_quoted(&self.text.as_bytes()[self.counted..], self.delimiter)
    }
}

/// True if a row ends inside a quote.
fn ends_quoted(row: &[u8], delimiter: u8) -> bool {
    let mut quotes = Quotes::new(delimiter);
    for &byte in row {
        quotes.ends_cell(byte);
    }
    quotes.open
}

/// Which quotes of a row open and close. One inside a cell, as in `12" disk`, is a letter.
struct Quotes {
    delimiter: u8,
    open: bool,
    before: u8,
}

impl Quotes {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, open: false, before: delimiter }
    }

    /// Takes the next byte; true if it ends a cell.
    fn ends_cell(&mut self, byte: u8) -> bool {
        // A doubled quote closes and opens again.
        if byte == b'"' && (self.open || self.before == self.delimiter || self.before == CLOSED) {
            self.open = !self.open;
            self.before = if self.open { b'"' } else { CLOSED };
        } else {
            self.before = byte;
        }
        byte == self.delimiter && !self.open
    }
}

/// Stands for a quote that closed a cell: no text in UTF-8 has this byte.
const CLOSED: u8 = 0xFF;

/// Whatever separates the header into most columns.
fn delimiter(text: &str) -> u8 {
    let mut lines = text.lines().map(str::trim);
    let header = lines.find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    let columns = |delimiter: &u8| {
        let unquoted = header.split('"').step_by(2);
        unquoted.flat_map(str::bytes).filter(|byte| byte == delimiter).count()
    };
    [b'\t', b';', b','].into_iter().max_by_key(columns).unwrap_or(b',')
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Servers, Site, Statements};
    use super::*;

    fn load(lists: &[(&str, &str)], pairs: &[&str]) -> Result<Servers, Error> {
        let lists: Vec<_> =
            lists.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        let pairs: Vec<_> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        let statements = Statements { pairs: &pairs, ..Statements::default() };
        Servers::read(&lists, &statements, &mut |_| Ok(Vec::new()))
    }

    /// Each probe is an address, a `/path` or a hostname, with the data centre it must be in.
    fn check(text: &str, probes: &[(&str, &str)]) {
        let servers = load(&[("servers.csv", text)], &[]).unwrap();
        for (probe, expected) in probes {
            let found = match probe.parse() {
                Ok(address) => servers.by_address(address),
                Err(_) if probe.starts_with('/') => servers.by_path(probe),
                Err(_) => servers.by_hostname(probe.as_bytes()),
            };
            assert_eq!(found.map_or("-", |idc| servers.name(idc)), *expected, "{probe} in {text}");
        }
    }

    fn check_error(text: &str, expected: &str) {
        let error = load(&[("servers.csv", text)], &[]).unwrap_err();
        assert_eq!(error.to_string(), format!("servers.csv:{expected}"), "{text}");
    }

    #[test]
    fn lists_are_read_as_they_come() {
        check("ip,idc\n10.0.0.1,bj\n", &[("10.0.0.1", "bj"), ("10.0.0.2", "-")]);
        check("\u{feff}IDC;Host Name\r\nbj;web1\r\n\r\ngz;web2", &[("web1", "bj"), ("web2", "gz")]);
        check("# made by hand\n\n机房\tip\n# and more\n北京\t10.0.0.1\n\t\n", &[("10.0.0.1", "北京")]);
        check("\"name\",\"dc\"\n\"web1\",\"bj, north\"\n", &[("web1", "bj, north")]);
        check("name,note,dc\nweb1,\"two\nlines\",bj\nweb2,,gz\n", &[("web1", "bj"), ("web2", "gz")]);
        check("name,dc,note\nweb1,bj\nweb2,gz,x,,\n", &[("web1", "bj"), ("web2", "gz")]);
        check("log,idc\n/logs/bj/,bj\n/logs/gz-*,gz\n", &[("/logs/bj/a", "bj"), ("/logs/gz-1/a", "gz")]);
        check(
            "host,dc\n10.0.0.1,bj\nWEB1,gz\n10.1.0.0/16,sh\n",
            &[("10.0.0.1", "bj"), ("web1", "gz"), ("10.1.0.1", "sh")],
        );
        check("name,dc\n4711,bj\n", &[("4711", "bj")]);
        check("name,note,dc\nweb1,12\" disk,bj", &[("web1", "bj")]);
        check("name,dc\nweb1,\"b\"\"j\"", &[("web1", "b\"j")]);
        check("site,idc,ip\nBeijing,bj,10.0.0.1\n", &[("10.0.0.1", "bj")]);
    }

    #[test]
    fn a_netbox_export_is_read() {
        let text = "Name,Status,Site,Rack,IPv4 Address,IPv6 Address\n\
                    web1,Active,bj,R1,10.0.0.1/24,2001:db8::1/64\n\
                    web2,Active,gz,R2,10.0.0.2/24,\n";
        check(
            text,
            &[
                ("10.0.0.1", "bj"),
                ("10.0.0.2", "gz"),
                ("10.0.0.3", "-"),
                ("2001:db8::1", "bj"),
                ("web2", "gz"),
            ],
        );
        check(
            "IP Address,dc\n10.0.0.0/24,bj\n10.0.1.0/31,gz\n",
            &[("10.0.0.9", "bj"), ("10.0.1.0", "gz"), ("10.0.1.1", "-")],
        );
        check(
            "Prefix,Site\n10.0.0.1/24,bj\n10.0.1.1,gz\n",
            &[("10.0.0.9", "bj"), ("10.0.1.1", "gz"), ("10.0.1.2", "-")],
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        check_error("", "1: no header line");
        check_error("# only\n\n", "1: no header line");
        check_error(
            "ip,rack\n10.0.0.1,r1\n",
            "1: no column names a data centre (idc, dc, datacenter, site, location, room, 机房), and this is no JSON, nginx geo, \
             YAML or Ansible inventory",
        );
        check_error(
            "idc\nbj\n",
            "1: no column names a server (ip, address, cidr, hostname, name, path, ...)",
        );
        check_error("ip,idc,IDC\n", "1: two columns are called IDC");
        check_error("ip,dc\n\n# x\n10.0.0.300,bj\n", "4: column ip: 10.0.0.300 is not an address or network");
        check_error("host,dc\n10.0.0.300,bj\n", "2: column host: 10.0.0.300 is not an address");
        check_error(
            "name,dc\nweb[1,bj\n",
            "2: column name: web[1 is not a glob: unclosed character class; missing ']'",
        );
        check_error("IP,dc\n10.0.0.1,bj\n10.0.0.2,\n", "3: no data centre in column dc");
        check_error(
            "note,ip,dc\n\"a\nb, c\",10.0.0.1,unknown\n",
            "3:16: `unknown` cannot be a data centre's name: it stands for servers that are in no list",
        );
        check_error(
            "dc,ip\nunknown,10.0.0.1\n",
            "2:1: `unknown` cannot be a data centre's name: it stands for servers that are in no list",
        );
        check_error("ip,dc\n,bj\n", "2: nothing says which server is in bj");
        check_error("ip,dc\n10.0.0.1,bj,gz\n", "2: gz stands beyond the 2 columns of the header");
        check_error("ip,dc\n10.0.0.1,\"bj\n10.0.0.2,gz\n", "2: a quote is not closed");
        check_error("ip,dc\n1.1.1.1,\"bj", "2: a quote is not closed");
        check_error("ip,dc\n1.1.1.1,bj\n1.1.1.1,\"a\"\"", "3: a quote is not closed");
        check_error("ip,\"dc", "1: a quote is not closed");
        check_error(
            "ip,dc\n10.0.0.2,gz\n10.0.0.1,gz\n\n10.0.0.1,gz\n\n10.0.0.1,bj\n",
            "7: 10.0.0.1 belongs to bj here, but to gz on line 3",
        );
        check_error(
            "ip,note,dc,isp\n1.1.1.1,\"a\nb\",bj,BGP\n1.1.1.2,,gz,BGP\n1.1.1.3,,bj,Unicom\n",
            "5: bj has carrier Unicom here, but BGP on line 2",
        );
        let lists = [("servers.csv".to_owned(), b"ip,dc\n10.0.0.1,\xb1\xb1\n".to_vec())];
        let error = Servers::read(&lists, &Statements::default(), &mut |_| Ok(Vec::new())).unwrap_err();
        assert_eq!(error.to_string(), "servers.csv:2: not UTF-8");
    }

    #[test]
    fn sources_that_disagree_are_both_named() {
        let (one, other) = (("a.csv", "ip,dc\n10.0.0.1,bj\n"), ("b.csv", "ip,dc\n10.0.0.1/32,gz\n"));
        let error = load(&[one, other], &[]).unwrap_err();
        assert_eq!(error.to_string(), "b.csv:2: 10.0.0.1 belongs to gz here, but to bj in a.csv, line 2");
        let error = load(&[one], &["10.0.0.1=gz"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--idc 10.0.0.1=gz: 10.0.0.1 belongs to gz here, but to bj in a.csv, line 2",
        );
        let error =
            Servers::load(&Statements { lists: &["/nonexistent/a.csv".into()], ..Statements::default() })
                .unwrap_err();
        assert_eq!(error.to_string(), "cannot open /nonexistent/a.csv: no such file or directory");
    }

    #[test]
    fn what_is_said_of_a_data_centre_is_kept() {
        let text = "ip,idc,isp,Cost,region\n10.0.0.1,gz,,,\n10.0.0.2,bj,BGP,20,CN-BJ\n10.0.0.3,bj,BGP,,\n";
        let servers = load(&[("servers.csv", text)], &[]).unwrap();
        let site = Site {
            region: Some("CN-BJ".to_owned()),
            carrier: Some("BGP".to_owned()),
            price: Some("20".to_owned()),
            ..Site::default()
        };
        assert_eq!(servers.sites, [site, Site::default()]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn no_text_panics(text in "(ip|idc|name|path|[a1.,;\"#/*\\[\n\r\t \u{feff}机]){0,40}", pair in "[a1.:/*=\\[]{0,8}") {
            let _ = load(&[("servers.csv", &text)], &[&pair]);
        }

        /// Line numbers, however rows, comments, blank lines and quoted line ends mix.
        #[test]
        fn errors_name_the_line(before in prop::collection::vec(0..5_usize, 0..12)) {
            let pieces = ["\n", "# \"x,\n", "web,\"two\r\nlines\",bj\r\n", "web,,bj\n", ",,\r\n"];
            let text: String = before.iter().map(|&piece| pieces[piece]).collect();
            let text = format!("name,note,dc\n{text}web,,\n");
            let line = text.lines().count();
            let error = load(&[("servers.csv", &text)], &[]).unwrap_err();
            prop_assert_eq!(error.to_string(), format!("servers.csv:{line}: no data centre in column dc"));
        }
    }
}
