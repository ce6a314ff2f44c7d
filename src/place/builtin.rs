//! The table in the binary: every address's country, network and organisation without any database.
//!
//! What it is made of, how, and how far it can be trusted is in docs/IP-DATA.md, its licences in `builtin-LICENSE.md`.

use super::compact::Packed;
use super::source::About;

/// What names the built-in table, in answers and on the command line.
pub const BUILT_IN: &str = "built-in";

/// The month that its data are from.
pub(super) const DATE: &str = "2026-06";

/// Whose data it is, as the licences ask to be told with every answer.
pub const ATTRIBUTION: &str = "countries of registration by NRO (https://nro.net), networks by Route Views \
    (https://routeviews.org) and DB-IP (https://db-ip.com), CC BY 4.0";

/// Whose data is in a table made from databases of these names.
pub(super) fn attribution<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    names.any(|name| name.contains(BUILT_IN)).then_some(ATTRIBUTION)
}

const BYTES: &[u8] = include_bytes!("builtin.bin");

/// The table as a database. Reading it takes some milliseconds, so that waits for the first address.
pub(super) fn open() -> Packed {
    let about = About {
        name: BUILT_IN.to_owned(),
        form: "compact",
        date: Some(DATE.to_owned()),
        attribution: Some(ATTRIBUTION),
        bytes: BYTES.len() as u64,
        modified: 0,
        path: None,
    };
    Packed::trusted(about, BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::known::Known;
    use crate::place::source::Source;
    use crate::place::{compact, region};

    /// Addresses whose country of registration and network are public knowledge and have been the same for years.
    const KNOWN: [(&str, &str, u32); 70] = [
        ("8.8.8.8", "US", 15169),
        ("8.8.4.4", "US", 15169),
        ("1.1.1.1", "AU", 13335),
        ("1.0.0.1", "AU", 13335),
        ("9.9.9.9", "US", 19281),
        ("208.67.222.222", "US", 36692),
        ("4.2.2.1", "US", 3356),
        ("104.16.132.229", "US", 13335),
        ("151.101.1.69", "US", 54113),
        ("185.199.108.153", "US", 54113),
        ("140.82.112.3", "US", 36459),
        ("52.95.110.1", "US", 16509),
        ("3.5.140.1", "US", 16509),
        ("20.190.128.1", "US", 8075),
        ("13.107.42.14", "US", 8068),
        ("17.253.144.10", "US", 714),
        ("157.240.1.35", "US", 32934),
        ("31.13.71.36", "IE", 32934),
        ("198.35.26.96", "US", 14907),
        ("192.0.78.9", "US", 2635),
        ("18.9.22.69", "US", 3),
        ("128.112.136.1", "US", 88),
        ("192.5.5.241", "US", 3557),
        ("104.131.1.1", "US", 14061),
        ("45.33.32.156", "US", 63949),
        ("202.96.128.86", "CN", 4134),
        ("218.2.135.1", "CN", 4134),
        ("202.106.0.20", "CN", 4808),
        ("221.130.33.60", "CN", 56048),
        ("166.111.8.28", "CN", 4538),
        ("180.76.76.76", "CN", 55967),
        ("120.24.1.1", "CN", 37963),
        ("139.9.1.1", "CN", 55990),
        ("119.29.29.29", "CN", 132_203),
        ("47.88.1.1", "US", 45102),
        ("203.80.96.10", "HK", 9269),
        ("168.95.1.1", "TW", 3462),
        ("210.130.1.1", "JP", 2497),
        ("126.0.0.1", "JP", 17676),
        ("168.126.63.1", "KR", 4766),
        ("203.116.1.1", "SG", 4657),
        ("139.130.4.5", "AU", 1221),
        ("202.12.29.175", "AU", 4608),
        ("193.0.6.139", "NL", 3333),
        ("193.0.14.129", "NL", 25152),
        ("130.89.148.77", "NL", 1133),
        ("129.132.1.1", "CH", 559),
        ("80.150.1.1", "DE", 3320),
        ("88.198.1.1", "DE", 24940),
        ("85.214.1.1", "DE", 6724),
        ("81.128.1.1", "GB", 2856),
        ("90.0.0.1", "FR", 3215),
        ("51.68.1.1", "FR", 16276),
        ("163.172.1.1", "FR", 12876),
        ("88.1.1.1", "ES", 3352),
        ("151.8.1.1", "IT", 1267),
        ("77.88.8.8", "RU", 13238),
        ("87.240.129.133", "RU", 47541),
        ("196.25.1.1", "ZA", 5713),
        ("196.216.2.1", "ZA", 33764),
        ("200.147.3.157", "BR", 7162),
        ("200.3.14.10", "UY", 28001),
        ("2001:4860:4860::8888", "US", 0),
        ("2606:4700:4700::1111", "US", 0),
        ("2620:fe::fe", "US", 0),
        ("2a03:2880::1", "IE", 0),
        ("2003::1", "DE", 0),
        ("2001:67c:2e8::1", "NL", 0),
        ("2409:8000::1", "CN", 0),
        ("240e::1", "CN", 0),
    ];

    /// For changes to be noticed: a table made anew has other figures.
    const RUNS: [usize; 2] = [472_315, 135_328];
    const ROWS: usize = 99_296;
    const SIZE_MAX: usize = 2_000_000;

    fn ask<'a>(table: &'a Packed, address: &str) -> Known<'a> {
        let address = address.parse().unwrap();
        match table.find(address) {
            super::super::runs::NONE => Known::default(),
            key => table.read(key, address).unwrap(),
        }
    }

    #[test]
    fn well_known_addresses_are_known() {
        let table = open();
        for (address, country, asn) in KNOWN {
            let known = ask(&table, address);
            let country = <[u8; 2]>::try_from(country.as_bytes()).unwrap();
            assert_eq!(
                (known.country, known.asn),
                (Some(country), Some(asn).filter(|&asn| asn > 0)),
                "{address}"
            );
            assert_eq!(known.org.is_some(), known.asn.is_some(), "{address}");
        }
        assert_eq!(ask(&table, "8.8.8.8").org, Some("Google LLC"));
        assert_eq!(ask(&table, "202.96.128.86").org, Some("Chinanet"));
    }

    #[test]
    fn nothing_is_said_of_addresses_nobody_has() {
        let table = open();
        for address in ["0.0.0.0", "10.0.0.1", "127.0.0.1", "192.168.1.1", "224.0.0.1", "255.255.255.255"] {
            assert_eq!(ask(&table, address), Known::default(), "{address}");
        }
        for address in ["::", "::1", "fe80::1", "fc00::1", "2001:db8::1", "ff02::1", "ffff::"] {
            assert_eq!(ask(&table, address), Known::default(), "{address}");
        }
    }

    #[test]
    fn the_shipped_table_is_what_the_encoder_writes() {
        let packed = open();
        let table = packed.table();
        assert!(BYTES.len() <= SIZE_MAX, "{} bytes", BYTES.len());
        assert_eq!([table.v4.len(), table.v6.len()], RUNS);
        assert_eq!(table.records.rows.len(), ROWS);
        assert!(table.records.rows.iter().all(|row| row.country.is_none_or(region::is_country)));
        assert!(
            table.about.iter().all(|about| about.date.as_ref().is_some_and(|date| date.starts_with(DATE)))
        );
        let again = compact::encode(&table.about, &table.records, &table.v4, &table.v6).unwrap();
        assert!(again == BYTES, "the table encoded again differs");
    }
}
