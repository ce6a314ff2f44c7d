//! One record of an MMDB → what it knows, whoever made the database.
//!
//! Vendors agree on the container and on nothing inside it: `country` is a map, a code or a name; an ASN is a
//! number or `"AS13335"`. The database's declared type says little about that, so the keys decide. A record is
//! decoded once into a small tree of borrowed values and then probed.

use std::fmt;

use maxminddb::LookupResult;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::mmdb::Bytes;
use super::words::{self, Asn};
use crate::place::known::{Known, Unreadable, alpha2};
use crate::place::netkind::NetKind;
use crate::place::region;

/// Decodes and probes one record.
pub(super) fn read<'a>(record: &LookupResult<'a, Bytes>) -> Result<Known<'a>, Unreadable> {
    match record.decode::<Value<'a>>() {
        Ok(None) => Ok(Known::default()),
        Ok(Some(record @ Value::Map(_))) => Ok(probe(&record)),
        Ok(Some(_)) | Err(_) => Err(Unreadable),
    }
}

fn probe<'a>(record: &Value<'a>) -> Known<'a> {
    let subdivision = record.get("subdivisions").and_then(Value::first);
    let country = country(record);
    let code = subdivision.and_then(|part| part.text("iso_code")).or_else(|| record.text("region_code"));
    let province = subdivision
        .and_then(Value::name)
        .or_else(|| ["state1", "region", "region_name"].iter().find_map(|key| record.text(key)));
    let code = code.and_then(|code| words::bare(code, country));
    let (country, code, province) = region::settle(country, code, province);
    let type_text = record.text("type");
    let as_name = record.text("as_name");
    // IPinfo's older files use `name` for the company when `as_name` stands beside it, else for the AS.
    let name = record.text("name");
    Known {
        country,
        province,
        code,
        city: record.get("city").and_then(Value::name),
        carrier: anywhere(record, "isp")
            .and_then(Value::as_text)
            .or_else(|| record.get("carrier").and_then(Value::name))
            .or_else(|| name.filter(|_| as_name.is_some() && type_text == Some("isp"))),
        asn: anywhere(record, "autonomous_system_number").or_else(|| record.get("asn")).and_then(Value::asn),
        org: anywhere(record, "autonomous_system_organization")
            .and_then(Value::as_text)
            .or(as_name)
            .or_else(|| name.filter(|_| record.get("asn").is_some())),
        netkind: netkind(record),
        listed: None,
    }
}

/// Enterprise databases keep the network's facts under `traits`, the others at the top.
fn anywhere<'v, 'a>(record: &'v Value<'a>, key: &str) -> Option<&'v Value<'a>> {
    record.get(key).or_else(|| record.get("traits")?.get(key))
}

fn country(record: &Value<'_>) -> Option<[u8; 2]> {
    let nested = |key| record.get(key).and_then(|country| country.text("iso_code")).and_then(alpha2);
    nested("country")
        .or_else(|| record.text("country_code").and_then(alpha2))
        .or_else(|| record.text("country").and_then(alpha2))
        .or_else(|| nested("registered_country"))
}

fn netkind(record: &Value<'_>) -> Option<NetKind> {
    let hosting = ["is_hosting_provider", "is_hosting", "hosting"];
    if hosting.iter().any(|key| anywhere(record, key).is_some_and(Value::is_set)) {
        return Some(NetKind::Idc);
    }
    ["user_type", "as_type", "type"].iter().find_map(|key| words::netkind(anywhere(record, key)?.as_text()?))
}

/// As much of a record as the probes look at.
#[derive(Debug)]
enum Value<'a> {
    Text(&'a str),
    Number(u64),
    Flag(bool),
    Map(Vec<(&'a str, Value<'a>)>),
    /// Only the first item of an array matters: the widest subdivision.
    First(Box<Value<'a>>),
    /// Fractions, bytes, negative numbers, empty arrays, and whatever lies deeper than any schema.
    Other,
}

/// `subdivisions[0].names.en` is the deepest value of any schema; a hostile file may nest 512 levels.
const DEPTH_MAX: u8 = 5;
/// Half of a City record and never asked for.
const SKIPPED: [&str; 4] = ["continent", "location", "postal", "represented_country"];

impl<'a> Value<'a> {
    fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    fn first(&self) -> Option<&Self> {
        let Self::First(value) = self else { return None };
        Some(value)
    }

    /// Text that says something.
    fn as_text(&self) -> Option<&'a str> {
        let Self::Text(text) = self else { return None };
        words::said(text)
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_text()
    }

    /// A name: plain text, `{"name": …}`, or `{"names": {language: …}}` in English, Chinese or whatever there is.
    fn name(&self) -> Option<&'a str> {
        let Some(Self::Map(names)) = self.get("names") else {
            return self.as_text().or_else(|| self.text("name"));
        };
        let rank = |language: &str| match language {
            "en" => 0,
            "zh-CN" => 1,
            _ => 2,
        };
        let said = names.iter().filter_map(|(language, name)| Some((*language, name.as_text()?)));
        said.min_by_key(|(language, _)| (rank(language), *language)).map(|(_, name)| name)
    }

    /// `13335`, `"13335"` or `"AS13335"`.
    fn asn(&self) -> Option<u32> {
        match self {
            Self::Number(number) => u32::try_from(*number).ok().filter(|&number| number != 0),
            Self::Text(text) => match words::asn(text) {
                Asn::Number(number) => Some(number),
                Asn::None | Asn::NotANumber => None,
            },
            _ => None,
        }
    }

    fn is_set(&self) -> bool {
        match self {
            Self::Flag(flag) => *flag,
            Self::Text(text) => *text == "true",
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Levels(DEPTH_MAX).deserialize(deserializer)
    }
}

/// How many levels of maps and arrays may still be opened.
struct Levels(u8);

impl<'de> DeserializeSeed<'de> for Levels {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Levels {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of a MaxMind database")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(text))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Value<'de>, E> {
        Ok(u64::try_from(number).map_or(Value::Other, Value::Number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(u64::try_from(number).map_or(Value::Other, Value::Number))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let first = match self.0.checked_sub(1) {
            Some(levels) => items.next_element_seed(Levels(levels))?,
            None => None,
        };
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.map_or(Value::Other, |first| Value::First(Box::new(first))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<&'de str>()? {
            match self.0.checked_sub(1) {
                Some(levels) if !SKIPPED.contains(&key) => {
                    entries.push((key, map.next_value_seed(Levels(levels))?));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Map(entries))
    }
}
