//! Values as they are typed → numbers and networks.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::Scope;
use super::field::Unit;
use crate::query::metric::Kind;
use crate::time::{self, Timestamp};

const BYTES: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
];

const DURATIONS: &[(&str, u64)] =
    &[("us", 1), ("µs", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000)];

const RATES: &[(&str, u64)] =
    &[("bps", 1), ("kbps", 1_000), ("Mbps", 1_000_000), ("Gbps", 1_000_000_000), ("Tbps", 1_000_000_000_000)];

/// Of shares, in steps of 10⁻⁹.
const SHARES: &[(&str, u64)] = &[("%", 10_000_000), ("", 1_000_000_000)];

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The letters by which a weekday may be called.
const WEEKDAY_SHORT: usize = 3;

/// The number that a word means in a unit; the error says what is expected.
pub(super) fn number(word: &str, unit: Unit, scope: &Scope<'_>) -> Result<i64, String> {
    let found = match unit {
        Unit::Count => digits(word),
        Unit::Status => digits(word).filter(|status| *status <= 999),
        Unit::Asn => {
            let named = word.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("as"));
            digits(if named { &word[2..] } else { word }).filter(|asn| *asn <= i64::from(u32::MAX))
        }
        Unit::Bytes => quantity(word, BYTES).or_else(|| digits(word)),
        Unit::Duration => quantity(word, DURATIONS).or_else(|| digits(word).filter(|number| *number == 0)),
        Unit::Instant => return instant(word, scope).map(|time| time.0),
        Unit::Slot => return instant(word, scope).map(Timestamp::seconds),
        Unit::Day => return day(word, scope),
        Unit::Hour => digits(word).filter(|hour| *hour <= 23),
        Unit::Weekday => weekday(word),
    };
    found.ok_or_else(|| {
        let class = word.len() == 3 && word.ends_with("xx") && unit == Unit::Status;
        match unit {
            Unit::Status if class => format!("a status is a number; the class is `class = {word}`"),
            Unit::Status => "a status is a number up to 999".to_owned(),
            Unit::Asn => "an AS number such as AS4134 or 4134 is expected".to_owned(),
            Unit::Bytes => {
                "bytes such as 500, 10MB (10,000,000) or 10MiB (10,485,760) are expected".to_owned()
            }
            Unit::Duration => "a duration such as 250ms, 8s or 1.5m is expected".to_owned(),
            Unit::Hour => "an hour is 0 to 23".to_owned(),
            Unit::Weekday => "a day of the week such as Monday or mon is expected".to_owned(),
            _ => "a whole number is expected".to_owned(),
        }
    })
}

/// The number that a word means as a metric of this kind.
pub(super) fn measure(word: &str, kind: Kind) -> Result<i64, String> {
    let (found, expected) = match kind {
        Kind::Count => (digits(word), "a whole number is expected"),
        Kind::Bytes => {
            (quantity(word, BYTES).or_else(|| digits(word)), "bytes such as 500, 10MB or 50GB are expected")
        }
        Kind::Rate => (
            quantity(word, RATES).or_else(|| digits(word)),
            "a rate such as 100Mbps or 1.5Gbps, or bit/s, is expected",
        ),
        Kind::ByteRate => (
            quantity(word.strip_suffix("/s").unwrap_or(word), BYTES).or_else(|| digits(word)),
            "bytes per second such as 10MB/s are expected",
        ),
        Kind::Duration => (
            quantity(word, DURATIONS).or_else(|| digits(word).filter(|number| *number == 0)),
            "a duration such as 250ms, 8s or 1.5m is expected",
        ),
        Kind::Share => {
            let share =
                quantity(word, SHARES).or_else(|| digits(word).and_then(|one| one.checked_mul(STEPS)));
            (share.filter(|steps| *steps <= STEPS), "a share such as 5% or 0.05 is expected")
        }
        Kind::Instant => (None, "no value is expected"),
    };
    found.ok_or_else(|| expected.to_owned())
}

/// Steps of a share of one.
const STEPS: i64 = 1_000_000_000;

/// The date of an instant as eight digits, which sort as dates do.
pub fn date(civil: &time::Civil) -> i64 {
    i64::from(civil.year) * 10_000 + i64::from(civil.month) * 100 + i64::from(civil.day)
}

/// A network, or an address as one. Bits beyond its length are dropped, as grepcidr does.
pub(super) fn network(word: &str) -> Option<IpNet> {
    let network = word.parse::<IpNet>().or_else(|_| word.parse::<IpAddr>().map(IpNet::from)).ok()?;
    // Mapped addresses are IPv4 in logs, too.
    let mapped = match (network.addr(), network.addr().to_canonical(), network.prefix_len().checked_sub(96)) {
        (IpAddr::V6(_), IpAddr::V4(address), Some(length)) => {
            Ipv4Net::new(address, length).ok().map(IpNet::V4)
        }
        _ => None,
    };
    Some(mapped.unwrap_or(network).trunc())
}

/// Digits only, where `str::parse` also takes a sign.
fn digits(word: &str) -> Option<i64> {
    word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok())?
}

/// `1.5MB`: a whole number of the smallest unit.
fn quantity(word: &str, units: &[(&str, u64)]) -> Option<i64> {
    let end = word.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(word.len());
    let (number, name) = word.split_at(end);
    let unit = units.iter().find(|(known, _)| *known == name)?.1;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 15 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let number =
        u128::from(digits(whole)?.unsigned_abs()) * scale + u128::from(digits(fraction)?.unsigned_abs());
    let number = number.checked_mul(u128::from(unit))?;
    number.is_multiple_of(scale).then(|| i64::try_from(number / scale).ok())?
}

fn instant(word: &str, scope: &Scope<'_>) -> Result<Timestamp, String> {
    time::instant(word, scope.zone, scope.now)
}

fn day(word: &str, scope: &Scope<'_>) -> Result<i64, String> {
    let instant = instant(word, scope)?;
    let is_date = word.matches('-').count() == 2 && !word.contains(':');
    if !is_date && !matches!(word, "today" | "yesterday") {
        return Err("a day such as 2026-11-20 is expected".to_owned());
    }
    Ok(date(&scope.zone.civil(instant)))
}

fn weekday(word: &str) -> Option<i64> {
    let word = word.to_ascii_lowercase();
    let is_meant = |name: &&str| **name == word || name[..WEEKDAY_SHORT] == word;
    (1..).zip(&WEEKDAYS).find(|(_, name)| is_meant(name)).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Zone;

    #[test]
    fn numbers_have_units() {
        let zone = Zone::parse("Asia/Shanghai").expect("a zone");
        let scope = Scope { zone: &zone, now: Timestamp::from_seconds(1_795_000_000) };
        let check = |word: &str, unit, expected: Option<i64>| {
            assert_eq!(number(word, unit, &scope).ok(), expected, "{word} {unit:?}");
        };
        check("500", Unit::Bytes, Some(500));
        check("10MB", Unit::Bytes, Some(10_000_000));
        check("1.5KiB", Unit::Bytes, Some(1_536));
        check("0.1KiB", Unit::Bytes, None);
        check("0.5B", Unit::Bytes, None);
        check("10mb", Unit::Bytes, None);
        check("10M", Unit::Bytes, None);
        check("99999999999PB", Unit::Bytes, None);
        check(".5MB", Unit::Bytes, None);
        check("1.MB", Unit::Bytes, None);
        check("-1", Unit::Bytes, None);
        check("8s", Unit::Duration, Some(8_000_000));
        check("250ms", Unit::Duration, Some(250_000));
        check("1.5m", Unit::Duration, Some(90_000_000));
        check("0", Unit::Duration, Some(0));
        check("8", Unit::Duration, None);
        check("0.0000001s", Unit::Duration, None);
        check("404", Unit::Status, Some(404));
        check("5xx", Unit::Status, None);
        check("1000", Unit::Status, None);
        check("AS4134", Unit::Asn, Some(4134));
        check("as4134", Unit::Asn, Some(4134));
        check("AS", Unit::Asn, None);
        check("4294967296", Unit::Asn, None);
        check("中文", Unit::Asn, None);
        check("23", Unit::Hour, Some(23));
        check("24", Unit::Hour, None);
        check("Sun", Unit::Weekday, Some(7));
        check("tuesday", Unit::Weekday, Some(2));
        check("tues", Unit::Weekday, None);
        check("2026-11-20", Unit::Day, Some(20_261_120));
        check("2026-11-20 01:00", Unit::Day, None);
        check("2026-11", Unit::Day, None);
        check("2026-11-01", Unit::Slot, Some(1_793_462_400));
        check("@1.5", Unit::Instant, Some(1_500_000));
        check("", Unit::Count, None);
    }

    #[test]
    fn networks_lose_their_host_bits() {
        let check = |word: &str, expected: Option<&str>| {
            assert_eq!(network(word).map(|network| network.to_string()).as_deref(), expected, "{word}");
        };
        check("10.1.2.3/8", Some("10.0.0.0/8"));
        check("10.1.2.3", Some("10.1.2.3/32"));
        check("2001:DB8::1/32", Some("2001:db8::/32"));
        check("::ffff:10.0.0.1", Some("10.0.0.1/32"));
        check("::ffff:10.0.0.0/104", Some("10.0.0.0/8"));
        check("10.0.0.0/33", None);
        check("10.0.0", None);
        check("abc", None);
    }
}
