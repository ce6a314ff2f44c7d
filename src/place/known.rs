//! What one record of one database says, whatever the database's form; what several say together.

use super::netkind::{self, NetKind, NetKinds};
use super::{Field, Fields, Place, region};

/// A record that its reader refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// What one record says, borrowed from its database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known<'a> {
    /// ISO 3166-1 alpha-2, upper case.
    pub(super) country: Option<[u8; 2]>,
    /// The first-level subdivision's name.
    pub(super) province: Option<&'a str>,
    /// Its ISO 3166-2 code, without the country.
    pub(super) code: Option<&'a str>,
    pub(super) city: Option<&'a str>,
    pub(super) carrier: Option<&'a str>,
    pub(super) asn: Option<u32>,
    pub(super) org: Option<&'a str>,
    /// What the database says the network is for.
    pub(super) netkind: Option<NetKind>,
    /// What the user's own list says it is for: that is final.
    pub(super) listed: Option<NetKind>,
}

impl<'a> Known<'a> {
    /// What a later database knows wins field by field; but what was known about the inside of a place does not
    /// survive another place, however both are spelt, nor an organisation's name a change of its number.
    pub(super) fn overlay(&mut self, later: Known<'a>) {
        let Known { country, province, code, city, carrier, asn, org, netkind, listed } = later;
        if country.is_some() && self.country.is_some() && country != self.country {
            *self = Known { province: None, code: None, city: None, ..*self };
        }
        self.country = country.or(self.country);
        if self.has_subdivision() && later.has_subdivision() && !self.shares_subdivision(&later) {
            *self = Known { province: None, code: None, city: None, ..*self };
        }
        if asn.is_some() && asn != self.asn {
            self.org = None;
        }
        *self = Known {
            country: self.country,
            province: province.or(self.province),
            code: code.or(self.code),
            city: city.or(self.city),
            carrier: carrier.or(self.carrier),
            asn: asn.or(self.asn),
            org: org.or(self.org),
            netkind: netkind.or(self.netkind),
            listed: listed.or(self.listed),
        };
    }

    fn has_subdivision(&self) -> bool {
        self.province.is_some() || self.code.is_some()
    }

    /// Whether another record of the same country means the same subdivision: by code, which `广东省`, `Guangdong Sheng`
    /// and `44` share, and only where there is none by spelling.
    fn shares_subdivision(&self, other: &Known<'_>) -> bool {
        let equal = |one: Option<&str>, other: Option<&str>| one.is_some() && one == other;
        // Most databases spell alike: that is cheap to see.
        if equal(self.code, other.code) || self.code == other.code && equal(self.province, other.province) {
            return true;
        }
        let code = |known: &Known<'_>| {
            let country = self.country?;
            let by_name = || region::code(country, known.province?);
            known.code.and_then(|code| region::code(country, code)).or_else(by_name)
        };
        match (code(self), code(other)) {
            (Some(one), Some(other)) => one == other,
            _ if self.code.is_some() && other.code.is_some() => false,
            _ => equal(self.province, other.province),
        }
    }

    /// The owned form of the fields that are asked for, with what the names and numbers imply.
    pub(super) fn place(&self, lists: &NetKinds, asked: Fields) -> Place {
        let text = |field, text: Option<&str>| text.filter(|_| asked.has(field)).map(Into::into);
        let (country, region, province) = if asked.has_any(&[Field::Country, Field::Region, Field::Province])
        {
            self.region()
        } else {
            Default::default()
        };
        let names = [self.carrier, self.org];
        // Names are searched for words: not for those who ask for a region.
        let netkind = asked
            .has(Field::Netkind)
            .then(|| netkind::judge(self.listed, self.netkind, self.asn, names, lists))
            .flatten();
        let carrier = asked
            .has(Field::Carrier)
            .then(|| netkind::carrier(self.asn, self.carrier, self.org).map(Into::into))
            .flatten();
        Place {
            country: text(Field::Country, country.as_deref()),
            region: text(Field::Region, region.as_deref()),
            province: text(Field::Province, province),
            city: text(Field::City, self.city),
            carrier,
            asn: self.asn.filter(|_| asked.has(Field::Asn)),
            org: text(Field::Org, self.org),
            netkind: netkind.map(|kind| kind.name().into()),
        }
    }

    /// Country, region and province.
    fn region(&self) -> (Option<String>, Option<String>, Option<&str>) {
        let (country, bare, province) = region::settle(self.country, self.code, self.province);
        let code = country.and_then(|country| {
            // Older codes of a subdivision become its present one.
            let named = bare.or(province).and_then(|name| region::code(country, name));
            named.or(bare)
        });
        let name = || Some(region::name(country?, code?)?.english);
        let province = province.or_else(name).or(bare);
        let country = country.map(|[first, second]| format!("{}{}", first as char, second as char));
        let region = match (&country, code.or(province)) {
            (Some(country), Some(part)) => Some(format!("{country}-{part}")),
            (Some(country), None) => Some(country.clone()),
            (None, _) => None,
        };
        (country, region, province)
    }
}

/// The code of a country, in upper case. Two letters that are none say nothing: `ZZ` and `XX` are what registries write
/// for "none", `EU` and `AP` what old databases write for a continent.
pub(super) fn alpha2(text: &str) -> Option<[u8; 2]> {
    let code: [u8; 2] = text.as_bytes().try_into().ok()?;
    let code = match &code.map(|byte| byte.to_ascii_uppercase()) {
        // Reserved for these countries, and used by their authorities.
        b"UK" => *b"GB",
        b"EL" => *b"GR",
        code => *code,
    };
    region::is_country(code).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letters_are_a_country_or_nothing() {
        let check = |text: &str, expected: Option<&[u8; 2]>| {
            assert_eq!(alpha2(text), expected.copied(), "{text}");
        };
        check("CN", Some(b"CN"));
        check("gb", Some(b"GB"));
        check("UK", Some(b"GB"));
        check("uk", Some(b"GB"));
        check("EL", Some(b"GR"));
        check("XK", Some(b"XK"));
        for none in ["EU", "AP", "A1", "ZZ", "XX", "QQ", "C", "CHN", "", "中", "[[", "\0\0"] {
            check(none, None);
        }
    }

    /// country code province city
    fn known<'a>([country, code, province, city]: [&'a str; 4]) -> Known<'a> {
        let text = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        Known {
            country: alpha2(country),
            province: text(province),
            code: text(code),
            city: text(city),
            ..Known::default()
        }
    }

    #[test]
    fn a_city_survives_what_does_not_contradict_it() {
        let check = |earlier, later, expected: Option<&str>| {
            let mut said = known(earlier);
            said.overlay(known(later));
            assert_eq!(said.city, expected, "{earlier:?} {later:?}");
        };
        let shenzhen = ["CN", "GD", "Guangdong Sheng", "Shenzhen"];
        for same in [
            ["CN", "", "", ""],
            ["", "", "广东省", ""],
            ["CN", "", "广东", ""],
            ["CN", "44", "", ""],
            ["CN", "44", "Canton", ""],
            ["", "GD", "", ""],
            ["", "", "Guangdong Sheng", ""],
        ] {
            check(shenzhen, same, Some("Shenzhen"));
        }
        for other in [
            ["US", "", "", ""],
            ["CN", "", "广西", ""],
            ["CN", "GX", "Guangdong Sheng", ""],
            ["", "", "Nowhere", ""],
            ["US", "GD", "Guangdong Sheng", ""],
        ] {
            check(shenzhen, other, None);
        }
        // What nobody contradicts is filled in.
        check(["CN", "", "", "Shenzhen"], ["CN", "", "广东", ""], Some("Shenzhen"));
        check(["", "", "广东", "Shenzhen"], ["CN", "", "", ""], Some("Shenzhen"));
        // Names that no table has are compared as they are.
        check(["CN", "", "Erewhon", "X"], ["CN", "", "Erewhon", ""], Some("X"));
        check(["CN", "", "Erewhon", "X"], ["CN", "", "EREWHON", ""], None);
        check(["", "", "Guangdong", "X"], ["", "", "广东", ""], None);
        check(["CN", "??", "Erewhon", "X"], ["CN", "!!", "Erewhon", ""], None);
    }
}
