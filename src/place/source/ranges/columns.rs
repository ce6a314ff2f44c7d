//! Which column says what: by the header's words, or by what stands in the first rows.

use super::address::{bound, network};
use super::rows::{Rows, Trouble};
use crate::place::known::{Known, alpha2};
use crate::place::netkind::NetKind;
use crate::place::region;
use crate::place::source::words::{self, Asn, said};

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A country's code.
    Country,
    /// A country's code or name.
    CountryName,
    Province,
    /// ISO 3166-2, with or without the country.
    Code,
    City,
    Carrier,
    Asn,
    Org,
    Netkind,
    /// Whether the network is a data centre's.
    Hosting,
}

/// Where the addresses stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addresses {
    /// First and last.
    Range(usize, usize),
    Network(usize),
}

/// The columns that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) addresses: Addresses,
    pub(super) fields: Vec<(Role, usize)>,
}

/// Between the fields of a record that is kept; no row may have it.
pub(super) const SEPARATOR: char = '\x1F';

/// No layout in use has more columns.
const GUESSED_MAX: usize = 64;

/// Rows looked at to guess what columns are.
const SAMPLE: usize = 1_000;

const STARTS: [&str; 10] = [
    "start",
    "start_ip",
    "ip_start",
    "range_start",
    "ip_range_start",
    "ip_from",
    "first",
    "first_ip",
    "from",
    "begin",
];
const ENDS: [&str; 9] =
    ["end", "end_ip", "ip_end", "range_end", "ip_range_end", "ip_to", "last", "last_ip", "to"];
const NETWORKS: [&str; 8] = ["network", "cidr", "prefix", "ip_prefix", "ip_range", "range", "subnet", "ip"];
/// The first of several words for one role that a header has is the one that counts.
const ROLES: [(Role, &[&str]); 10] = [
    (Role::Country, &["country_code", "country_iso_code", "iso_code", "cc", "iso2"]),
    (Role::CountryName, &["country", "country_name"]),
    (Role::Code, &["region_code", "subdivision_1_iso_code", "subdivision_code", "state_code"]),
    (
        Role::Province,
        &[
            "province",
            "region",
            "region_name",
            "state1",
            "state",
            "subdivision",
            "subdivision_1_name",
            "stateprov",
        ],
    ),
    (Role::City, &["city", "city_name"]),
    (Role::Asn, &["asn", "as_number", "autonomous_system_number"]),
    (Role::Org, &["org", "as_name", "as_organization", "autonomous_system_organization", "organization"]),
    (Role::Carrier, &["carrier", "isp", "isp_name", "isp_domain"]),
    (Role::Netkind, &["netkind", "net_kind", "usage_type", "user_type", "as_type", "type"]),
    (Role::Hosting, &["is_hosting", "hosting", "is_hosting_provider"]),
];

impl Columns {
    /// The columns of a file, and the rows without its header.
    pub(super) fn find(mut rows: Rows<'_>) -> Result<(Self, Rows<'_>), Trouble> {
        let start = rows.clone();
        if !rows.advance()? {
            return Err(rows.trouble(0, "no rows".to_owned()));
        }
        if (0..rows.len()).any(|index| network(&rows.get(index)).is_some()) {
            return Ok((Self::guess(start.clone())?, start));
        }
        Ok((Self::named(&rows)?, rows))
    }

    fn named(rows: &Rows<'_>) -> Result<Self, Trouble> {
        let words: Vec<String> = (0..rows.len()).map(|index| word(&rows.get(index))).collect();
        let find = |names: &[&str]| names.iter().find_map(|name| words.iter().position(|word| word == name));
        let addresses = match (find(&STARTS), find(&ENDS), find(&NETWORKS)) {
            (Some(start), Some(end), _) => Addresses::Range(start, end),
            (_, _, Some(network)) => Addresses::Network(network),
            _ => return Err(puzzle(rows, "no column of this header has addresses")),
        };
        let place = |&(role, names): &(Role, &[&str])| Some((role, find(names)?));
        let fields: Vec<_> = ROLES.iter().filter_map(place).collect();
        if fields.is_empty() && words.iter().any(|word| word == "geoname_id") {
            let what = "this table names places by geoname_id, which only GeoLite2's locations file explains: \
                        use the .mmdb file instead";
            return Err(rows.trouble(0, what.to_owned()));
        }
        if fields.is_empty() {
            return Err(puzzle(rows, "no column of this header is understood"));
        }
        Ok(Self { addresses, fields })
    }

    /// A file without a header has one of the layouts that are in use.
    fn guess(mut rows: Rows<'_>) -> Result<Self, Trouble> {
        rows.advance()?;
        let first = rows.clone();
        let is_bound = |index| bound(&first.get(index)).is_some();
        let (addresses, skip) =
            if is_bound(0) && is_bound(1) { (Addresses::Range(0, 1), 2) } else { (Addresses::Network(0), 1) };
        if rows.len() > GUESSED_MAX {
            return Err(puzzle(&first, "a row of so many columns needs a header"));
        }
        let mut shapes = vec![Shape::default(); rows.len().saturating_sub(skip)];
        let mut names = Names::default();
        for _ in 0..SAMPLE {
            for (index, shape) in shapes.iter_mut().enumerate() {
                shape.hear(&rows.get(skip + index));
            }
            names.hear(&rows.get(skip), &rows.get(skip + 1));
            if !rows.advance()? {
                break;
            }
        }
        let kinds: Vec<Kind> = shapes.iter().map(Shape::kind).collect();
        let Some(fields) = layout(&kinds, &shapes, names.agree) else {
            return Err(puzzle(&first, "what the columns of this row are cannot be guessed"));
        };
        Ok(Self { addresses, fields: fields.into_iter().map(|(role, at)| (role, at + skip)).collect() })
    }

    /// What a record says that was kept as text.
    pub(super) fn read<'a>(&self, record: &'a str) -> Known<'a> {
        let mut known = Known::default();
        let (mut name, mut hosting) = (None, None);
        for (&(role, _), text) in self.fields.iter().zip(record.split(SEPARATOR)) {
            let Some(text) = said(text) else { continue };
            match role {
                Role::Country => known.country = alpha2(text).or_else(|| region::country(text)),
                Role::CountryName => name = alpha2(text).or_else(|| region::country(text)),
                Role::Province => known.province = Some(text),
                Role::Code => known.code = Some(text),
                Role::City => known.city = Some(text),
                Role::Carrier => known.carrier = Some(text),
                Role::Asn => {
                    known.asn = match words::asn(text) {
                        Asn::Number(number) => Some(number),
                        Asn::None | Asn::NotANumber => None,
                    }
                }
                Role::Org => known.org = Some(text),
                Role::Netkind => known.netkind = words::netkind(text),
                Role::Hosting => {
                    hosting = matches!(text.to_ascii_lowercase().as_str(), "true" | "1" | "yes")
                        .then_some(NetKind::Idc);
                }
            }
        }
        let country = known.country.or(name);
        let code = known.code.and_then(|code| words::bare(code, country));
        (known.country, known.code, known.province) = region::settle(country, code, known.province);
        known.netkind = hosting.or(known.netkind);
        known
    }
}

/// `Country Code` and `country_code` are one word; some headers are written as a comment.
fn word(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).trim().to_lowercase();
    text.chars().map(|c| if matches!(c, ' ' | '-') { '_' } else { c }).collect()
}

/// A complaint that shows the row and the words that would help.
fn puzzle(rows: &Rows<'_>, what: &str) -> Trouble {
    const SHOWN: usize = 120;
    let row: String = rows.text().chars().take(SHOWN).collect();
    let roles: Vec<&str> = ROLES.iter().map(|(_, names)| names[0]).collect();
    rows.trouble(
        0,
        format!("{what}: {row:?}; give it a header of start,end or network and any of {}", roles.join(",")),
    )
}

/// What a column's values have in common.
#[derive(Debug, Clone, Default)]
struct Shape {
    values: usize,
    capitals: usize,
    continents: usize,
    codes: usize,
    numbers: usize,
    fractions: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing in it: it can be anything.
    Empty,
    /// Two capitals.
    Alpha2,
    /// `US-CA`
    Code,
    Number,
    Fraction,
    Text,
}

impl Shape {
    fn hear(&mut self, text: &[u8]) {
        let Some(text) = std::str::from_utf8(text).ok().and_then(|text| {
            match text {
                // AS 0 says nothing and yet is a number.
                "0" => Some(text),
                // The country of such a network in IPtoASN's files.
                "None" => None,
                text => said(text),
            }
        }) else {
            return;
        };
        let capitals = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        self.values += 1;
        self.capitals += usize::from(capitals(text));
        self.continents += usize::from(matches!(text, "AF" | "AN" | "AS" | "EU" | "NA" | "OC" | "SA" | "ZZ"));
        self.codes += usize::from(text.split_once('-').is_some_and(|(country, part)| {
            capitals(country)
                && (1..=3).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_alphanumeric())
        }));
        self.numbers += usize::from(digits(text.strip_prefix("AS").unwrap_or(text)));
        self.fractions += usize::from(unsigned.split('.').count() <= 2 && unsigned.split('.').all(digits));
    }

    fn kind(&self) -> Kind {
        match self.values {
            0 => Kind::Empty,
            all if all == self.capitals => Kind::Alpha2,
            all if all == self.codes => Kind::Code,
            all if all == self.numbers => Kind::Number,
            all if all == self.fractions => Kind::Fraction,
            _ => Kind::Text,
        }
    }
}

/// Whether the column behind the country's code can be its name: then each code has one.
#[derive(Debug)]
struct Names {
    seen: Vec<(Vec<u8>, Vec<u8>)>,
    agree: Agree,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agree {
    Yes,
    No,
}

impl Default for Names {
    fn default() -> Self {
        Self { seen: Vec::new(), agree: Agree::Yes }
    }
}

impl Names {
    fn hear(&mut self, code: &[u8], name: &[u8]) {
        let known =
            self.seen.iter().find(|(other_code, other_name)| other_code == code || other_name == name);
        match known {
            Some((other_code, other_name)) if other_code != code || other_name != name => {
                self.agree = Agree::No;
            }
            Some(_) => {}
            None => self.seen.push((code.to_owned(), name.to_owned())),
        }
    }
}

/// The roles of columns with such contents, if they are a layout that is in use.
fn layout(kinds: &[Kind], shapes: &[Shape], names: Agree) -> Option<Vec<(Role, usize)>> {
    use Kind::{Alpha2, Code, Empty, Fraction, Number, Text};
    use Role::{Asn, City, Country, Org, Province};
    let kinds = match kinds {
        // A file of few columns may have empty ones at the end.
        [rest @ .., Empty] if rest.len() > 1 && rest.len() < 4 && rest.contains(&Number) => rest,
        kinds => kinds,
    };
    let texts = |kinds: &[Kind]| kinds.iter().all(|kind| matches!(kind, Text | Empty | Alpha2));
    Some(match kinds {
        // DB-IP: continent, country and so on.
        [Alpha2, Alpha2, rest @ ..] if shapes[0].continents == shapes[0].values => match rest {
            [] => vec![(Country, 1)],
            [province, city, Fraction, Fraction] if texts(&[*province, *city]) => {
                vec![(Country, 1), (Province, 2), (City, 3)]
            }
            _ => return None,
        },
        [Alpha2] => vec![(Country, 0)],
        [Number] => vec![(Asn, 0)],
        [Number, Text] => vec![(Asn, 0), (Org, 1)],
        [Number, Alpha2] => vec![(Asn, 0), (Country, 1)],
        // IPtoASN.
        [Number, Alpha2, Text | Alpha2] => vec![(Asn, 0), (Country, 1), (Org, 2)],
        [Alpha2, Number, Text] => vec![(Country, 0), (Asn, 1), (Org, 2)],
        // RFC 8805; the postal code is left out.
        [Alpha2, Code] | [Alpha2, Code, Empty] | [Alpha2, Code | Empty, Empty, _] => {
            vec![(Country, 0), (Role::Code, 1)]
        }
        [Alpha2, Code, Text] | [Alpha2, Code | Empty, Text, _] => {
            vec![(Country, 0), (Role::Code, 1), (City, 2)]
        }
        // ip-location-db: two levels of subdivisions, city, postal code, latitude, longitude, time zone.
        [Alpha2, first, second, city, _, Fraction | Empty, Fraction | Empty, Text | Empty]
            if texts(&[*first, *second, *city]) =>
        {
            vec![(Country, 0), (Province, 1), (City, 3)]
        }
        // IP2Location: the country's name, region, city, and from there on where it lies.
        [Alpha2, Text] if names == Agree::Yes => vec![(Country, 0)],
        [Alpha2, Text, province, city] if names == Agree::Yes && texts(&[*province, *city]) => {
            vec![(Country, 0), (Province, 2), (City, 3)]
        }
        [Alpha2, Text, province, city, Fraction, Fraction, ..]
            if names == Agree::Yes && texts(&[*province, *city]) =>
        {
            vec![(Country, 0), (Province, 2), (City, 3)]
        }
        _ => return None,
    })
}
