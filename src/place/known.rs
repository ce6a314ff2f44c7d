//! What one record of one database says, whatever the database's form; what several say together.

use super::netkind::{self, NetKind, NetKinds};
use super::{Place, region};

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
    /// survive a change of the place, nor an organisation's name a change of its number.
    pub(super) fn overlay(&mut self, later: Known<'a>) {
        let Known { country, province, code, city, carrier, asn, org, netkind, listed } = later;
        if country.is_some() && country != self.country {
            *self = Known { country, province: None, code: None, city: None, ..*self };
        }
        if province.is_some() || code.is_some() {
            let same = if code.is_some() && self.code.is_some() {
                code == self.code
            } else {
                province.is_some() && province == self.province
            };
            if !same {
                *self = Known { province: None, code: None, city: None, ..*self };
            }
        }
        if asn.is_some() && asn != self.asn {
            self.org = None;
        }
        *self = Known {
            country: country.or(self.country),
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

    /// The owned form, with what the names and numbers imply.
    pub(super) fn place(&self, lists: &NetKinds) -> Place {
        let (country, province) = region::settle(self.country, self.province);
        let code = country.and_then(|country| {
            // Older codes of a subdivision become its present one.
            let named = self.code.or(province).and_then(|name| region::code(country, name));
            named.or(self.code)
        });
        let name = || Some(region::name(country?, code?)?.english);
        let province = province.or_else(name).or(self.code);
        let country = country.map(|[first, second]| format!("{}{}", first as char, second as char));
        let region = match (&country, code.or(province)) {
            (Some(country), Some(part)) => Some(format!("{country}-{part}").into()),
            (Some(country), None) => Some(country.as_str().into()),
            (None, _) => None,
        };
        let names = [self.carrier, self.org];
        let netkind = netkind::judge(self.listed, self.netkind, self.asn, names, lists);
        Place {
            country: country.map(Into::into),
            region,
            province: province.map(Into::into),
            city: self.city.map(Into::into),
            carrier: netkind::carrier(self.asn, self.carrier, self.org).map(Into::into),
            asn: self.asn,
            org: self.org.map(Into::into),
            netkind: netkind.map(|kind| kind.name().into()),
        }
    }
}

/// Two letters, in upper case. `ZZ` and `XX` are what registries write for "none".
pub(super) fn alpha2(text: &str) -> Option<[u8; 2]> {
    let code: [u8; 2] = text.as_bytes().try_into().ok()?;
    let code = code.map(|byte| byte.to_ascii_uppercase());
    (code.iter().all(u8::is_ascii_uppercase) && !matches!(&code, b"ZZ" | b"XX")).then_some(code)
}
