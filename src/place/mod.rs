//! Client address → [`Place`]: country, region, city, carrier and network, from the databases the user has.
//!
//! ```text
//! address ─ each database's search ─▶ record keys ─ memo ─▶ PlaceId
//!                                              └ first time only ─ decode, overlay, intern
//! ```
//!
//! Many networks share one record, so the tuple of record keys is what is remembered: a record is decoded once per
//! distinct combination however many lines lead to it. Databases are read into memory, never mapped: a file that
//! is replaced while mapped is a crash.

mod fold;
mod region;
mod netkind;
pub mod named;
mod known;
mod runs;
mod records;
mod flat;
mod source;
mod compiled;
mod compact;
mod builtin;
mod inspect;

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;

use crate::error::Error;
use crate::time::{Timestamp, Zone};
use records::Records;
use runs::NONE;
use source::{Listed, Source};

pub use builtin::{ATTRIBUTION, BUILT_IN};
#[doc(hidden)]
pub use flat::Flat;
pub use inspect::Holdings;
pub use netkind::{NetKind, NetKinds};
pub use source::About;
#[doc(hidden)]
pub use source::disagreement;

/// Most databases one run joins: a failed lookup is one bit of a word per database.
pub const DATABASES_MAX: usize = 64;

/// So many bytes of log per byte of database pay for a flat table. Measured: with a city database of 63 MB, a log of 17
/// times that took 1.36 s with the table and 1.2 s without; with a country database of 5 MB a fifth of the log is enough.
const LOG_PER_DATABASE: u64 = 64;

/// Where and on which network an address is. What no database knows is `None`, never a guess.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<Box<str>>,
    /// `CN-GD` when the subdivision's code is known, `CN-Guangdong` when only its name is, else the country.
    pub region: Option<Box<str>>,
    /// The first-level subdivision's name, else its code.
    pub province: Option<Box<str>>,
    /// The city's name.
    pub city: Option<Box<str>>,
    /// The access network as a business (isp).
    pub carrier: Option<Box<str>>,
    /// Autonomous system number.
    pub asn: Option<u32>,
    /// The autonomous system's registered name.
    pub org: Option<Box<str>>,
    /// The name of a [`NetKind`]: `carrier`, `cloud`, `idc`, `cdn` or `edu`.
    pub netkind: Option<Box<str>>,
}

/// A field of a [`Place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the field of that name")]
pub enum Field {
    Country,
    Region,
    Province,
    City,
    Carrier,
    Asn,
    Org,
    Netkind,
}

/// Some fields. Places of which fewer are asked for are fewer, and sooner put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fields(u8);

impl Fields {
    /// Every field.
    pub const ALL: Self = Self(u8::MAX);

    fn has(self, field: Field) -> bool {
        self.0 & 1 << field as u8 != 0
    }

    /// True if `other` has no field more.
    fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn has_any(self, fields: &[Field]) -> bool {
        fields.iter().any(|field| self.has(*field))
    }
}

impl FromIterator<Field> for Fields {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Self(fields.into_iter().fold(0, |all, field| all | 1 << field as u8))
    }
}

/// An index into one [`Memo`]'s `places`. Two memos number the same place differently: compare places, not ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlaceId(pub u32);

impl PlaceId {
    /// The place of an address that no database knows, in every memo.
    pub const UNKNOWN: Self = Self(0);
}

/// The open databases, shared by all threads. A later one fills or overrides what an earlier one says.
#[derive(Debug)]
pub struct Places {
    sources: Vec<Box<dyn Source>>,
    /// What the user's lists say of autonomous systems; their networks are a source.
    lists: NetKinds,
    /// All of them in one; made when it pays, or there from the start.
    flat: OnceLock<Arc<Flat>>,
    /// Some thread makes it, or has found that it cannot be made.
    begun: AtomicBool,
}

impl Places {
    /// Reads every database into memory; the form is decided by content, not by name.
    pub fn open(paths: &[PathBuf], lists: &[PathBuf]) -> Result<Self, Error> {
        if paths.len() > DATABASES_MAX {
            return Err(Error::Usage(format!(
                "{} IP databases: at most {DATABASES_MAX} at once",
                paths.len()
            )));
        }
        let mut sources = paths.iter().map(|path| source::open(path)).collect::<Result<Vec<_>, _>>()?;
        let kinds = NetKinds::load(lists)?;
        if !kinds.networks().is_empty() {
            let names: Vec<String> = lists.iter().map(|path| path.display().to_string()).collect();
            sources.push(Box::new(Listed::new(names.join(" + "), &kinds)));
        }
        Ok(Self::new(sources, kinds))
    }

    fn new(sources: Vec<Box<dyn Source>>, lists: NetKinds) -> Self {
        let flat = match sources.as_slice() {
            [only] => only.flat().map(Arc::clone),
            _ => None,
        };
        Self {
            sources,
            lists,
            flat: flat.map(OnceLock::from).unwrap_or_default(),
            begun: AtomicBool::new(false),
        }
    }

    /// The built-in table.
    pub fn built_in() -> Self {
        Self::new(vec![Box::new(builtin::open())], NetKinds::default())
    }

    /// No database: every address is [`PlaceId::UNKNOWN`].
    pub fn none() -> Self {
        Self::new(Vec::new(), NetKinds::default())
    }

    /// What each database says of itself, in the order given.
    pub fn databases(&self) -> impl ExactSizeIterator<Item = &About> {
        self.sources.iter().map(|source| source.about())
    }

    /// To be called now and then while logs are read: once `expected` bytes of log are enough to pay for it, one
    /// thread turns all databases into one flat table, which takes it up to a second. Lookups go on meanwhile, answer
    /// the same before and after, and are faster from then on if they ask for no more than these fields.
    pub fn flatten_if_worthwhile(&self, expected: u64, asked: Fields) {
        if self.flat.get().is_some() || self.begun.load(Ordering::Relaxed) || self.sources.is_empty() {
            return;
        }
        let size: u64 = self.databases().map(|about| about.bytes).sum();
        if expected >= size.saturating_mul(LOG_PER_DATABASE) && !self.begun.swap(true, Ordering::Relaxed) {
            // A tree that cannot be walked as a whole still answers for single addresses.
            let _ = self.flatten(asked);
        }
    }

    /// Turns all databases into one flat table now.
    pub fn flatten(&self, asked: Fields) -> Result<(), Error> {
        if self.flat.get().is_none() && !self.sources.is_empty() {
            let alone = if let [only] = self.sources.as_slice() { only.flatten(asked) } else { None };
            let flat = alone.map_or_else(|| Flat::build(&self.sources, asked), Ok)?;
            // Another thread may have been faster with the same table.
            let _ = self.flat.set(Arc::new(flat));
        }
        Ok(())
    }

    /// Dates the databases that do not tell their day.
    pub fn assume_date(&mut self, date: &str) {
        self.sources
            .iter_mut()
            .for_each(|source| _ = source.about_mut().date.get_or_insert_with(|| date.to_owned()));
    }

    /// The flat table as a file, for [`Places::open`].
    pub fn compile(&self) -> Result<Made, Error> {
        let flat = Flat::build(&self.sources, Fields::ALL)?;
        Ok(Made { bytes: compiled::write(&flat, self.databases())?, unreadable: flat.records.unreadable() })
    }

    /// The same in as few bytes as possible.
    pub fn compile_compact(&self) -> Result<Made, Error> {
        let flat = Flat::build(&self.sources, Fields::ALL)?;
        // Wherever the files lie, the bytes are the same.
        let bare = |name: &str| {
            Path::new(name).file_name().map_or(name.into(), |name| name.to_string_lossy().into_owned())
        };
        let databases: Vec<About> =
            self.databases().map(|about| About { name: bare(&about.name), ..about.clone() }).collect();
        let packed = compact::encode(&databases, &flat.records, &flat.v4.runs(), &flat.v6.runs());
        let bytes = packed.map_err(|compact::Unfit| {
            Error::Data(
                "the databases are too large for a compact table: compile without --compact".to_owned(),
            )
        })?;
        Ok(Made { bytes, unreadable: flat.records.unreadable() })
    }

    /// The same for an IPv4 address, which needs no look at what it carries.
    #[inline]
    pub fn locate_v4(&self, address: Ipv4Addr, memo: &mut Memo) -> Located {
        let Some(flat) = self.flat(memo) else { return self.locate(address.into(), memo) };
        match flat.v4.get(address.to_bits()) {
            NONE => Located::NOWHERE,
            record => memo.by_record(&flat.records, &self.lists, record),
        }
    }

    /// The place of one address. `memo` must have been made for these databases.
    pub fn locate(&self, address: IpAddr, memo: &mut Memo) -> Located {
        if self.sources.is_empty() {
            return Located::NOWHERE;
        }
        let address = carried(address);
        if let Some(flat) = self.flat(memo) {
            return match flat.find(address) {
                NONE => Located::NOWHERE,
                record => memo.by_record(&flat.records, &self.lists, record),
            };
        }
        let recent = memo.recent_at(address);
        if memo.recent[recent].0 == address {
            return memo.recent[recent].1;
        }
        memo.keys.clear();
        memo.keys.extend(self.sources.iter().map(|source| source.find(address)));
        let found = match memo.by_keys.get(memo.keys.as_slice()) {
            Some(found) => *found,
            None => self.read(address, memo),
        };
        memo.recent[recent] = (address, found);
        found
    }

    /// The flat table, if it tells apart what this memo does.
    #[inline]
    fn flat(&self, memo: &Memo) -> Option<&Flat> {
        self.flat.get().map(Arc::as_ref).filter(|flat| flat.asked.covers(memo.asked))
    }

    /// Decodes the records that `memo.keys` names and remembers what they amount to.
    #[cold]
    fn read(&self, address: IpAddr, memo: &mut Memo) -> Located {
        let (known, failed) = flat::read(&self.sources, &memo.keys, address);
        let found = Located { place: memo.intern(known.place(&self.lists, memo.asked)), failed };
        memo.by_keys.insert(memo.keys.as_slice().into(), found);
        found
    }
}

/// A compiled table.
#[derive(Debug, Clone)]
pub struct Made {
    /// The file.
    pub bytes: Vec<u8>,
    /// Distinct places that some database could not be read for.
    pub unreadable: u64,
}

/// What an address came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// Where it is, as far as the databases that could be read say.
    pub place: PlaceId,
    /// Bit i: database i failed on it.
    pub failed: u64,
}

impl Located {
    /// What is said of an address that no database has.
    pub const NOWHERE: Self = Self { place: PlaceId::UNKNOWN, failed: 0 };
}

/// Networks whose IPv6 addresses carry the IPv4 address of their host: IPv4-compatible and IPv4-mapped (RFC 4291),
/// Teredo (RFC 4380), 6to4 (RFC 3056). Databases make them aliases of their IPv4 half, some of them or all.
const CARRIERS: [(u128, u8); 4] = [(0, 96), (0xFFFF << 32, 96), (0x2001 << 112, 32), (0x2002 << 112, 16)];

/// The address by which a host is located: the IPv4 address that an IPv6 address carries, if it does.
fn carried(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let bits = v6.to_bits();
    let shift = match (bits >> 112, bits >> 96, bits >> 32) {
        (0x2002, _, _) => 80,
        // Teredo inverts its clients' addresses, so that no translator on the way rewrites them.
        (_, 0x2001_0000, _) => return Ipv4Addr::from_bits(!low(bits)).into(),
        (_, _, 0 | 0xFFFF) => 0,
        _ => return address,
    };
    Ipv4Addr::from_bits(low(bits >> shift)).into()
}

fn low(bits: u128) -> u32 {
    u32::try_from(bits & u128::from(u32::MAX)).expect("32 bits are left")
}

/// Addresses remembered: 40 bytes each, 320 KiB per thread, which stay in the processor's own memory.
const RECENT: usize = 1 << 13;
const _: () = assert!(size_of::<(IpAddr, Located)>() == 40, "the figure above");

/// A record that was not met yet.
const UNSEEN: PlaceId = PlaceId(u32::MAX);

/// An address carried by an IPv6 address is never asked for as such, so the place of this one is empty.
const NOBODY: IpAddr = IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED);

/// One thread's decoded places: no record is decoded twice, and equal places have one id.
#[derive(Debug)]
pub struct Memo {
    /// By [`PlaceId`]; the first is the unknown place.
    pub places: Vec<Place>,
    /// What places have; other fields are as if not known.
    asked: Fields,
    /// What was found for the addresses asked for last, each at the place that its hash names.
    recent: Box<[(IpAddr, Located)]>,
    by_keys: HashMap<Box<[u32]>, Located, RandomState>,
    /// By number of a record in the flat table, or [`UNSEEN`]: four bytes each, for every line looks into it.
    by_record: Vec<PlaceId>,
    /// The same for the databases that failed on it; empty if none fails on any.
    failed: Vec<u64>,
    by_place: HashMap<Place, PlaceId, RandomState>,
    /// The keys being looked up, kept for their allocation.
    keys: Vec<u32>,
}

impl Memo {
    /// A memo of whole places.
    pub fn new() -> Self {
        Self::of(Fields::ALL)
    }

    /// A memo that knows the unknown place; its places have nothing but these fields.
    pub fn of(asked: Fields) -> Self {
        let by_place: HashMap<Place, PlaceId, RandomState> = HashMap::default();
        let mut memo = Self {
            places: Vec::new(),
            asked,
            recent: vec![(NOBODY, Located::NOWHERE); RECENT].into(),
            by_keys: HashMap::default(),
            by_record: Vec::new(),
            failed: Vec::new(),
            by_place,
            keys: Vec::new(),
        };
        memo.intern(Place::default());
        memo
    }

    /// The place behind an id that this memo gave out.
    ///
    /// # Panics
    /// If the id came from a memo that knows more places.
    pub fn place(&self, id: PlaceId) -> &Place {
        &self.places[id.0 as usize]
    }

    #[inline]
    fn by_record(&mut self, records: &Records, lists: &NetKinds, record: u32) -> Located {
        let at = record as usize;
        let place = match self.by_record.get(at) {
            Some(&place) if place != UNSEEN => place,
            _ => self.read(records, lists, record),
        };
        Located { place, failed: self.failed.get(at).copied().unwrap_or(0) }
    }

    #[cold]
    fn read(&mut self, records: &Records, lists: &NetKinds, record: u32) -> PlaceId {
        if self.by_record.is_empty() {
            self.by_record.resize(records.rows.len(), UNSEEN);
            if records.rows.iter().any(|row| row.failed != 0) {
                self.failed.extend(records.rows.iter().map(|row| row.failed));
            }
        }
        let place = self.intern(records.known(record).place(lists, self.asked));
        self.by_record[record as usize] = place;
        place
    }

    fn recent_at(&self, address: IpAddr) -> usize {
        // The hasher's seed is the process's own: nobody can choose addresses that share a place.
        usize::try_from(self.by_place.hasher().hash_one(address) % RECENT as u64).expect("below RECENT")
    }

    fn intern(&mut self, place: Place) -> PlaceId {
        if let Some(&id) = self.by_place.get(&place) {
            return id;
        }
        let id = PlaceId(u32::try_from(self.places.len()).expect("four billion places exceed any memory"));
        self.places.push(place.clone());
        self.by_place.insert(place, id);
        id
    }
}

impl Default for Memo {
    fn default() -> Self {
        Self::new()
    }
}

/// `YYYY-MM-DD` of an instant in seconds since 1970, in UTC; `None` for 0 and beyond the year 9999.
fn date(epoch: u64) -> Option<String> {
    let seconds = i64::try_from(epoch).ok().filter(|&seconds| 0 < seconds && seconds <= LAST_SECOND)?;
    let civil = Zone::utc().civil(Timestamp::from_seconds(seconds));
    Some(format!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day))
}

/// The last of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use ipnet::IpNet;
    use mmdb_writer::{IpVersion, Value, Writer};

    use super::*;

    /// 2026-03-01.
    const BUILD_EPOCH_SECONDS: u64 = 1_772_323_200;

    /// A database in memory: each network with the JSON of its record.
    fn database(name: &str, version: IpVersion, records: &[(&str, &str)]) -> Box<dyn Source> {
        let epoch = UNIX_EPOCH + Duration::from_secs(BUILD_EPOCH_SECONDS);
        let mut writer = Writer::builder("Test").ip_version(version).build_epoch(epoch).build();
        for (network, json) in records {
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            writer.insert_value(network.parse::<IpNet>().unwrap(), mmdb(&value)).unwrap();
        }
        source::parse(name, writer.to_bytes().unwrap()).unwrap()
    }

    fn mmdb(json: &serde_json::Value) -> Value {
        match json {
            serde_json::Value::Bool(flag) => Value::Bool(*flag),
            serde_json::Value::Number(number) => Value::U64(number.as_u64().unwrap()),
            serde_json::Value::String(text) => Value::from(text.as_str()),
            serde_json::Value::Array(items) => Value::array(items.iter().map(mmdb)),
            serde_json::Value::Object(entries) => {
                Value::map(entries.iter().map(|(k, v)| (k.as_str(), mmdb(v))))
            }
            serde_json::Value::Null => unreachable!("MMDB has no null"),
        }
    }

    fn places(records: &[&[(&str, &str)]]) -> Places {
        let sources = records.iter().map(|records| database("x.mmdb", IpVersion::V6, records)).collect();
        Places::new(sources, NetKinds::default())
    }

    fn locate<'a>(places: &Places, memo: &'a mut Memo, address: &str) -> &'a Place {
        let id = places.locate(address.parse().unwrap(), memo).place;
        memo.place(id)
    }

    /// country region province city carrier asn org netkind, `-` for what is not known.
    fn show(place: &Place) -> String {
        let Place { country, region, province, city, carrier, asn, org, netkind } = place;
        let asn = asn.map(|asn| asn.to_string().into_boxed_str());
        [country, region, province, city, carrier, &asn, org, netkind]
            .map(|field| field.as_deref().unwrap_or("-").to_owned())
            .join("|")
    }

    fn check(databases: &[&str], expected: &str) {
        let records: Vec<[(&str, &str); 1]> =
            databases.iter().map(|json| [("192.0.2.0/24", *json)]).collect();
        let records: Vec<&[(&str, &str)]> = records.iter().map(<[_; 1]>::as_slice).collect();
        let places = places(&records);
        let mut memo = Memo::new();
        assert_eq!(show(locate(&places, &mut memo, "192.0.2.1")), expected, "{databases:?}");
        assert_eq!(places.locate("192.0.2.1".parse().unwrap(), &mut memo).failed, 0);
    }

    #[test]
    fn every_schema_is_read_by_its_keys() {
        // MaxMind and DB-IP, nested.
        check(
            &[r#"{"country":{"iso_code":"CN","names":{"en":"China"}},
                  "subdivisions":[{"iso_code":"GD","names":{"en":"Guangdong","zh-CN":"广东"}},{"iso_code":"X"}],
                  "city":{"names":{"de":"Shenzhen-de","zh-CN":"深圳"}},"continent":{"code":"AS"},
                  "traits":{"isp":"China Telecom","autonomous_system_number":4134,
                            "autonomous_system_organization":"Chinanet","user_type":"residential"}}"#],
            "CN|CN-GD|Guangdong|深圳|China Telecom|4134|Chinanet|carrier",
        );
        check(
            &[r#"{"country":{"names":{"en":"x"}},"registered_country":{"iso_code":"FR"}}"#],
            "FR|FR|-|-|-|-|-|-",
        );
        check(
            &[r#"{"country":{"iso_code":"DE"},"subdivisions":[{"names":{"en":"Bavaria"}}]}"#],
            "DE|DE-BY|Bavaria|-|-|-|-|-",
        );
        check(
            &[r#"{"country":{"iso_code":"DE"},"subdivisions":[{"iso_code":"BY"}]}"#],
            "DE|DE-BY|Bavaria|-|-|-|-|-",
        );
        check(
            &[r#"{"isp":"Telstra","organization":"x","autonomous_system_number":1221,
                  "autonomous_system_organization":"Telstra Pty"}"#],
            "-|-|-|-|Telstra|1221|Telstra Pty|carrier",
        );
        check(&[r#"{"is_hosting_provider":true}"#], "-|-|-|-|-|-|-|idc");
        // ip-location-db, flat.
        check(
            &[r#"{"country_code":"us","state1":"California","state2":"","city":"San Jose"}"#],
            "US|US-CA|California|San Jose|-|-|-|-",
        );
        // IPinfo: Lite has the country's name where the older files have its code.
        check(
            &[r#"{"country":"United States","country_code":"US","asn":"AS13335","as_name":"Cloudflare"}"#],
            "US|US|-|-|-|13335|Cloudflare|cdn",
        );
        check(
            &[
                r#"{"country":"US","region":"California","region_code":"US-CA","city":"San Jose","is_hosting":false,
                  "as_type":"isp"}"#,
            ],
            "US|US-CA|California|San Jose|-|-|-|carrier",
        );
        check(
            &[r#"{"country":"US","asn":"AS15169","name":"Google LLC","type":"hosting"}"#],
            "US|US|-|-|-|15169|Google LLC|idc",
        );
        check(
            &[r#"{"name":"Comcast Cable","type":"isp","asn":"7922","as_name":"Comcast"}"#],
            "-|-|-|-|Comcast Cable|7922|Comcast|carrier",
        );
        check(&[r#"{"hosting":"true","carrier":{"name":"Verizon"}}"#], "-|-|-|-|Verizon|-|-|idc");
        check(&[r#"{"hosting":"","carrier":"Verizon","as_type":"education"}"#], "-|-|-|-|Verizon|-|-|edu");
    }

    #[test]
    fn nonsense_is_absent_rather_than_wrong() {
        check(
            &[r#"{"country":"0","region":" ","city":"0","asn":"AS0","isp":"","hosting":0,"as_name":["x"]}"#],
            "-|-|-|-|-|-|-|-",
        );
        check(&[r#"{"country_code":"ZZ","asn":4294967296}"#], "-|-|-|-|-|-|-|-");
        check(&[r#"{"country_code":"Francia","subdivisions":[],"asn":"ASx"}"#], "-|-|-|-|-|-|-|-");
        check(&[r#"{"subdivisions":[{"iso_code":"GD"}]}"#], "-|-|GD|-|-|-|-|-");
        check(&["{}"], "-|-|-|-|-|-|-|-");
    }

    #[test]
    fn a_later_database_fills_and_overrides() {
        let city = r#"{"country":{"iso_code":"US"},"subdivisions":[{"iso_code":"CA","names":{"en":"California"}}],
                      "city":{"names":{"en":"San Jose"}}}"#;
        let asn = r#"{"autonomous_system_number":7922,"autonomous_system_organization":"Comcast"}"#;
        check(&[city, asn], "US|US-CA|California|San Jose|Comcast|7922|Comcast|carrier");
        check(&[asn, city], "US|US-CA|California|San Jose|Comcast|7922|Comcast|carrier");
        check(&[city, r#"{"country_code":"US"}"#], "US|US-CA|California|San Jose|-|-|-|-");
        // California is not in Canada, nor San Jose in Nevada, nor is AS1 Comcast.
        check(&[city, r#"{"country_code":"CA"}"#], "CA|CA|-|-|-|-|-|-");
        check(&[city, r#"{"country_code":"US","state1":"Nevada"}"#], "US|US-NV|Nevada|-|-|-|-|-");
        check(&[city, r#"{"region":"California","city":"Alviso"}"#], "US|US-CA|California|Alviso|-|-|-|-");
        check(&[asn, r#"{"asn":1}"#], "-|-|-|-|-|1|-|-");
        // One province in two spellings; and a territory by whichever name.
        let shenzhen =
            r#"{"country_code":"CN","region_code":"GD","region":"Guangdong Sheng","city":"Shenzhen"}"#;
        check(
            &[shenzhen, r#"{"country_code":"CN","region":"广东省","isp":"电信"}"#],
            "CN|CN-GD|广东省|Shenzhen|电信|-|-|carrier",
        );
        let kowloon = r#"{"country_code":"HK","city":"Kowloon"}"#;
        check(
            &[kowloon, r#"{"country_code":"CN","region_code":"HK","region":"香港"}"#],
            "HK|HK|-|Kowloon|-|-|-|-",
        );
        check(&[r#"{"country_code":"CN"}"#, r#"{"region_code":"HK"}"#], "HK|HK|-|-|-|-|-|-");
    }

    #[test]
    fn a_list_changes_the_kind_and_nothing_else() {
        let lists = NetKinds::parse("list", b"192.0.2.0/25,cdn,Owner\nAS7922,idc,Owner\n").unwrap();
        let records = [("192.0.2.0/24", r#"{"asn":7922,"as_name":"Comcast Cable","isp":"Comcast"}"#)];
        let sources: Vec<Box<dyn Source>> = vec![
            database("x.mmdb", IpVersion::V6, &records),
            Box::new(Listed::new("list".to_owned(), &lists)),
        ];
        let places = Places::new(sources, lists);
        let mut memo = Memo::new();
        for (address, kind) in [("192.0.2.1", "cdn"), ("192.0.2.129", "idc")] {
            let expected = format!("-|-|-|-|Comcast|7922|Comcast Cable|{kind}");
            assert_eq!(show(locate(&places, &mut memo, address)), expected, "{address}");
        }
    }

    #[test]
    fn what_is_remembered_of_an_address_is_its_place() {
        let places = places(&[&[
            ("0.0.0.0/2", r#"{"country_code":"CN"}"#),
            ("128.0.0.0/8", r#"{"country_code":"US"}"#),
            ("192.0.2.0/24", r#"{"country_code":"DE"}"#),
        ]]);
        places.flatten(Fields::ALL).unwrap();
        let (mut memo, mut other) = (Memo::new(), Memo::new());
        // Far more addresses than are remembered, each asked for twice, so that many share a place.
        let addresses = (0..100_000_u32).map(|at| at.wrapping_mul(0x0127_4A35) & !(at & 7));
        let edges = [0, 1 << 31, u32::MAX, 0xC000_0207];
        for address in addresses.chain(edges).flat_map(|address| [address, address]) {
            let address = Ipv4Addr::from_bits(address);
            let found = places.locate_v4(address, &mut memo).place;
            let expected = places.locate(address.into(), &mut other).place;
            assert_eq!(memo.place(found), other.place(expected), "{address}");
        }
        let first = places.locate_v4(Ipv4Addr::UNSPECIFIED, &mut memo).place;
        assert_eq!(show(memo.place(first)), "CN|CN|-|-|-|-|-|-");
    }

    #[test]
    fn equal_places_share_an_id_and_unknown_is_zero() {
        let places = places(&[&[
            ("192.0.2.0/25", r#"{"country":{"iso_code":"CN"},"location":{"time_zone":"a"}}"#),
            ("192.0.2.128/25", r#"{"country":{"iso_code":"CN"},"location":{"time_zone":"b"}}"#),
            ("198.51.100.0/24", "{}"),
        ]]);
        let mut memo = Memo::new();
        let mut id = |address: &str| places.locate(address.parse().unwrap(), &mut memo).place;
        let low = id("192.0.2.1");
        assert_eq!(low, PlaceId(1));
        assert_eq!(id("192.0.2.129"), low);
        assert_eq!(id("::ffff:192.0.2.1"), low);
        assert_eq!(id("198.51.100.1"), PlaceId::UNKNOWN);
        assert_eq!(id("203.0.113.1"), PlaceId::UNKNOWN);
        assert_eq!(memo.places.len(), 2);
    }

    #[test]
    fn records_that_are_not_maps_are_counted_at_every_lookup() {
        let places = places(&[
            &[("192.0.2.0/24", r#"{"country_code":"CN"}"#)],
            &[("192.0.2.0/25", r#""text""#), ("192.0.2.128/25", r#"["CN"]"#)],
        ]);
        let mut memo = Memo::new();
        for (address, failed) in [("192.0.2.1", 2), ("192.0.2.2", 2), ("192.0.2.200", 2), ("203.0.113.1", 0)]
        {
            assert_eq!(places.locate(address.parse().unwrap(), &mut memo).failed, failed, "{address}");
        }
        assert_eq!(show(locate(&places, &mut memo, "192.0.2.1")), "CN|CN|-|-|-|-|-|-");
    }

    #[test]
    fn an_ipv4_only_database_knows_no_ipv6() {
        let records = [("192.0.2.0/24", r#"{"country_code":"CN"}"#)];
        let places = Places::new(vec![database("v4.mmdb", IpVersion::V4, &records)], NetKinds::default());
        let mut memo = Memo::new();
        assert_eq!(show(locate(&places, &mut memo, "2001:db8::1")), "-|-|-|-|-|-|-|-");
        assert_eq!(show(locate(&places, &mut memo, "::ffff:192.0.2.1")), "CN|CN|-|-|-|-|-|-");
        let about = About {
            name: "v4.mmdb".to_owned(),
            form: "MMDB",
            date: Some("2026-03-01".to_owned()),
            attribution: None,
            path: Some("v4.mmdb".into()),
            bytes: places.databases().map(|about| about.bytes).sum(),
            modified: 0,
        };
        assert!(places.databases().eq([&about]));
    }

    #[test]
    fn what_cannot_be_opened_is_named() {
        let error = Places::open(&["/nonexistent/x.mmdb".into()], &[]).unwrap_err();
        assert_eq!(error.to_string(), "cannot open /nonexistent/x.mmdb: no such file or directory");
        let error = source::parse("x.mmdb", b"text".to_vec()).unwrap_err();
        assert!(error.to_string().starts_with("x.mmdb: not a MaxMind database: "), "{error}");
        let mut memo = Memo::new();
        let nowhere = Located { place: PlaceId::UNKNOWN, failed: 0 };
        assert_eq!(Places::none().locate("192.0.2.1".parse().unwrap(), &mut memo), nowhere);
    }

    #[test]
    fn dates_agree_with_counting_days() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..150_000_u64 {
            assert_eq!(date(days * 86_400 + 1).unwrap(), format!("{year:04}-{month:02}-{day:02}"));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + u64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!(date(253_402_300_799).unwrap(), "9999-12-31");
        assert_eq!(date(253_402_300_800), None);
        assert_eq!(date(0), None);
        assert_eq!(date(u64::MAX), None);
    }
}
