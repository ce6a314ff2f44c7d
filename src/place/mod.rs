//! Client address → [`Place`]: country, region, city, carrier and network, from the databases the user has.
//!
//! ```text
//! address ─ each database's search tree ─▶ record offsets ─ memo ─▶ PlaceId
//!                                              └ first time only ─ decode, overlay, intern
//! ```
//!
//! Many networks share one record, so the tuple of record offsets is the cache key: a record is decoded once per
//! distinct combination however many lines lead to it. Databases are read into memory, never mapped: a file that
//! is replaced while mapped is a crash.

mod record;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use foldhash::fast::RandomState;
use maxminddb::{LookupResult, MaxMindDbError, Reader};

use crate::error::Error;
use crate::time::{Timestamp, Zone};
use record::Known;

/// Most databases one run joins: a failed lookup is one bit of a word per database.
pub const DATABASES_MAX: usize = 64;

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
    /// `carrier`, `idc`, `cdn` or `edu`.
    pub netkind: Option<Box<str>>,
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
    databases: Vec<Database>,
}

impl Places {
    /// Reads every database into memory; the format is decided by content, not by name.
    pub fn open(paths: &[PathBuf]) -> Result<Self, Error> {
        if paths.len() > DATABASES_MAX {
            return Err(Error::Usage(format!(
                "{} IP databases: at most {DATABASES_MAX} at once",
                paths.len()
            )));
        }
        let open = |path: &PathBuf| {
            let bytes = read(path).map_err(|source| Error::io("open", path, source))?;
            Database::parse(path.display().to_string(), bytes)
        };
        Ok(Self { databases: paths.iter().map(open).collect::<Result<_, _>>()? })
    }

    /// No database: every address is [`PlaceId::UNKNOWN`].
    pub fn none() -> Self {
        Self { databases: Vec::new() }
    }

    /// Each database's name as given and, if it tells, the date it was built as `YYYY-MM-DD`.
    pub fn databases(&self) -> Vec<(String, Option<String>)> {
        self.databases
            .iter()
            .map(|database| (database.name.clone(), date(database.reader.metadata().build_epoch)))
            .collect()
    }

    /// The place of one address. `memo` must have been made for these databases. A record that cannot be read
    /// means "no data from this database" and is counted in [`Memo::errors`].
    pub fn locate(&self, address: IpAddr, memo: &mut Memo) -> PlaceId {
        // A dual-stack listener logs IPv4 clients as ::ffff:a.b.c.d, which most databases do not alias.
        let address = address.to_canonical();
        memo.offsets.clear();
        for (database, errors) in self.databases.iter().zip(&mut memo.errors) {
            let found = database.lookup(address).unwrap_or_else(|_| {
                *errors += 1;
                None
            });
            let offset = found.and_then(|found| found.offset());
            memo.offsets.push(offset.unwrap_or(NO_RECORD));
        }
        let found = match memo.by_offsets.get(memo.offsets.as_slice()) {
            Some(found) => *found,
            None => self.read(address, memo),
        };
        if found.failed != 0 {
            for (index, errors) in memo.errors.iter_mut().enumerate() {
                *errors += found.failed >> index & 1;
            }
        }
        found.id
    }

    /// Decodes the records that `memo.offsets` names and remembers what they amount to.
    #[cold]
    fn read(&self, address: IpAddr, memo: &mut Memo) -> Found {
        let mut known = Known::default();
        let mut failed = 0;
        for (index, database) in self.databases.iter().enumerate() {
            // An error here is the one `locate` has just counted.
            let Ok(Some(record)) = database.lookup(address) else { continue };
            match record::read(&record) {
                Ok(later) => known.overlay(later),
                Err(record::Unreadable) => failed |= 1 << index,
            }
        }
        let found = Found { id: memo.intern(known.place()), failed };
        memo.by_offsets.insert(memo.offsets.as_slice().into(), found);
        found
    }
}

/// One thread's decoded places: no record is decoded twice, and equal places have one id.
#[derive(Debug)]
pub struct Memo {
    /// By [`PlaceId`]; the first is the unknown place.
    pub places: Vec<Place>,
    /// By database: lookups that failed inside it, each counted every time it is asked for.
    pub errors: Vec<u64>,
    by_offsets: HashMap<Box<[usize]>, Found, RandomState>,
    by_place: HashMap<Place, PlaceId, RandomState>,
    /// The key being looked up, kept for its allocation.
    offsets: Vec<usize>,
}

impl Memo {
    /// An empty memo for these databases.
    pub fn new(places: &Places) -> Self {
        let mut memo = Self {
            places: Vec::new(),
            errors: vec![0; places.databases.len()],
            by_offsets: HashMap::default(),
            by_place: HashMap::default(),
            offsets: Vec::with_capacity(places.databases.len()),
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

/// The offset that stands for "this database has nothing": no file is that long.
const NO_RECORD: usize = usize::MAX;

/// What a tuple of offsets came to; bit i of `failed` says that database i's record could not be read.
#[derive(Debug, Clone, Copy)]
struct Found {
    id: PlaceId,
    failed: u64,
}

#[derive(Debug)]
struct Database {
    name: String,
    reader: Reader<Vec<u8>>,
}

impl Database {
    fn parse(name: String, bytes: Vec<u8>) -> Result<Self, Error> {
        match Reader::from_source(bytes) {
            Ok(reader) => Ok(Self { name, reader }),
            Err(error) => Err(Error::Data(format!("{name}: not a MaxMind database: {error}"))),
        }
    }

    fn lookup(&self, address: IpAddr) -> Result<Option<LookupResult<'_, Vec<u8>>>, MaxMindDbError> {
        // The reader calls this an error, but vendors ship IPv4 and IPv6 as separate files.
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return Ok(None);
        }
        self.reader.lookup(address).map(Some)
    }
}

/// No database is larger: some device was named.
const SIZE_MAX: u64 = 4 << 30;

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    if file.metadata()?.is_file() {
        bytes.reserve(usize::try_from(file.metadata()?.len()).unwrap_or(0));
    }
    if file.take(SIZE_MAX + 1).read_to_end(&mut bytes)? as u64 > SIZE_MAX {
        return Err(io::Error::other(format!("larger than {} GiB", SIZE_MAX >> 30)));
    }
    Ok(bytes)
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
    fn database(name: &str, version: IpVersion, records: &[(&str, &str)]) -> Database {
        let epoch = UNIX_EPOCH + Duration::from_secs(BUILD_EPOCH_SECONDS);
        let mut writer = Writer::builder("Test").ip_version(version).build_epoch(epoch).build();
        for (network, json) in records {
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            writer.insert_value(network.parse::<IpNet>().unwrap(), mmdb(&value)).unwrap();
        }
        Database::parse(name.to_owned(), writer.to_bytes().unwrap()).unwrap()
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
        let databases = records.iter().map(|records| database("x.mmdb", IpVersion::V6, records)).collect();
        Places { databases }
    }

    fn locate<'a>(places: &Places, memo: &'a mut Memo, address: &str) -> &'a Place {
        let id = places.locate(address.parse().unwrap(), memo);
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
        let mut memo = Memo::new(&places);
        assert_eq!(show(locate(&places, &mut memo, "192.0.2.1")), expected, "{databases:?}");
        assert!(memo.errors.iter().all(|&errors| errors == 0));
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
            "DE|DE-Bavaria|Bavaria|-|-|-|-|-",
        );
        check(
            &[r#"{"country":{"iso_code":"DE"},"subdivisions":[{"iso_code":"BY"}]}"#],
            "DE|DE-BY|BY|-|-|-|-|-",
        );
        check(
            &[r#"{"isp":"Telstra","organization":"x","autonomous_system_number":1221,
                  "autonomous_system_organization":"Telstra Pty"}"#],
            "-|-|-|-|Telstra|1221|Telstra Pty|-",
        );
        check(&[r#"{"is_hosting_provider":true}"#], "-|-|-|-|-|-|-|idc");
        // ip-location-db, flat.
        check(
            &[r#"{"country_code":"us","state1":"California","state2":"","city":"San Jose"}"#],
            "US|US-California|California|San Jose|-|-|-|-",
        );
        // IPinfo: Lite has the country's name where the older files have its code.
        check(
            &[r#"{"country":"United States","country_code":"US","asn":"AS13335","as_name":"Cloudflare"}"#],
            "US|US|-|-|-|13335|Cloudflare|-",
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
        check(&[city, asn], "US|US-CA|California|San Jose|-|7922|Comcast|-");
        check(&[asn, city], "US|US-CA|California|San Jose|-|7922|Comcast|-");
        check(&[city, r#"{"country_code":"US"}"#], "US|US-CA|California|San Jose|-|-|-|-");
        // California is not in Canada, nor San Jose in Nevada, nor is AS1 Comcast.
        check(&[city, r#"{"country_code":"CA"}"#], "CA|CA|-|-|-|-|-|-");
        check(&[city, r#"{"country_code":"US","state1":"Nevada"}"#], "US|US-Nevada|Nevada|-|-|-|-|-");
        check(&[city, r#"{"region":"California","city":"Alviso"}"#], "US|US-CA|California|Alviso|-|-|-|-");
        check(&[asn, r#"{"asn":1}"#], "-|-|-|-|-|1|-|-");
    }

    #[test]
    fn equal_places_share_an_id_and_unknown_is_zero() {
        let places = places(&[&[
            ("192.0.2.0/25", r#"{"country":{"iso_code":"CN"},"location":{"time_zone":"a"}}"#),
            ("192.0.2.128/25", r#"{"country":{"iso_code":"CN"},"location":{"time_zone":"b"}}"#),
            ("198.51.100.0/24", "{}"),
        ]]);
        let mut memo = Memo::new(&places);
        let mut id = |address: &str| places.locate(address.parse().unwrap(), &mut memo);
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
        let mut memo = Memo::new(&places);
        for address in ["192.0.2.1", "192.0.2.2", "192.0.2.200", "203.0.113.1"] {
            locate(&places, &mut memo, address);
        }
        assert_eq!(memo.errors, [0, 3]);
        assert_eq!(show(locate(&places, &mut memo, "192.0.2.1")), "CN|CN|-|-|-|-|-|-");
    }

    #[test]
    fn an_ipv4_only_database_knows_no_ipv6() {
        let records = [("192.0.2.0/24", r#"{"country_code":"CN"}"#)];
        let places = Places { databases: vec![database("v4.mmdb", IpVersion::V4, &records)] };
        let mut memo = Memo::new(&places);
        assert_eq!(show(locate(&places, &mut memo, "2001:db8::1")), "-|-|-|-|-|-|-|-");
        assert_eq!(show(locate(&places, &mut memo, "::ffff:192.0.2.1")), "CN|CN|-|-|-|-|-|-");
        assert_eq!(memo.errors, [0]);
        assert_eq!(places.databases(), [("v4.mmdb".to_owned(), Some("2026-03-01".to_owned()))]);
    }

    #[test]
    fn what_cannot_be_opened_is_named() {
        let error = Places::open(&["/nonexistent/x.mmdb".into()]).unwrap_err();
        assert_eq!(error.to_string(), "cannot open /nonexistent/x.mmdb: no such file or directory");
        let error = Database::parse("x.mmdb".to_owned(), b"text".to_vec()).unwrap_err();
        assert!(error.to_string().starts_with("x.mmdb: not a MaxMind database: "), "{error}");
        let mut memo = Memo::new(&Places::none());
        assert_eq!(Places::none().locate("192.0.2.1".parse().unwrap(), &mut memo), PlaceId::UNKNOWN);
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
