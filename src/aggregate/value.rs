//! A record → the value that a dimension has for it.

use std::borrow::Cow;
use std::net::IpAddr;

use super::Rules;
use super::memo::{Found, Text};
use super::side::Side;
use crate::agent::{Claim, FamilyId};
use crate::format::Escape;
use crate::parse::{Record, plain};
use crate::path;
use crate::place::Place;
use crate::query::{Basis, Dimension, Own};
use crate::servers::Idc;

/// What was found out about a record's two ends.
pub(super) struct Ends<'e, 'a> {
    pub(super) client: &'e Found<'a>,
    pub(super) idc: Option<Idc>,
    pub(super) family: Option<FamilyId>,
    /// Where somebody asks for it and the log has agents.
    pub(super) claim: Option<Claim>,
    pub(super) escape: Escape,
    pub(super) side: Option<Side>,
}

/// AS numbers are interned as four bytes, high byte first: they sort as numbers.
pub(super) fn place_value<'a>(dimension: &Dimension, place: &'a Place) -> Option<Cow<'a, [u8]>> {
    let text = |text: &'a Option<Box<str>>| text.as_deref().map(|text| Cow::Borrowed(text.as_bytes()));
    match dimension {
        Dimension::Country => text(&place.country),
        Dimension::Province => text(&place.province),
        Dimension::City => text(&place.city),
        Dimension::Carrier => text(&place.carrier),
        Dimension::Asn => place.asn.map(|asn| Cow::Owned(asn.to_be_bytes().to_vec())),
        Dimension::Org => text(&place.org),
        Dimension::Netkind => text(&place.netkind),
        _ => text(&place.region),
    }
}

/// The value of a dimension that the record itself has.
pub(super) fn value<'a>(
    dimension: &Dimension,
    record: &Record<'a>,
    ends: &Ends<'_, 'a>,
    rules: &Rules,
) -> Option<Cow<'a, [u8]>> {
    let text = |raw: Option<&'a [u8]>| raw.map(|raw| plain(ends.escape, raw)).filter(|text| !text.is_empty());
    match dimension {
        Dimension::Client => client_text(ends.client, ends.escape),
        Dimension::Net => ends.client.address.map(|address| network(address).into_bytes().into()),
        Dimension::Server => text(record.server_addr.or(record.hostname)),
        Dimension::Host => text(record.host),
        Dimension::Path => target(record, ends.escape, &|target| Some(path::path(target))),
        Dimension::Prefix => {
            target(record, ends.escape, &|target| Some(path::prefix(path::path(target), rules.depth)))
        }
        Dimension::Ext => target(record, ends.escape, &|target| path::extension(path::path(target))),
        Dimension::Template => match target(record, ends.escape, &|target| Some(path::path(target)))? {
            Cow::Borrowed(path) => Some(path::template(path)),
            Cow::Owned(path) => Some(path::template(&path).into_owned().into()),
        },
        Dimension::Method => text(record.method),
        Dimension::Referer => text(record.referer),
        Dimension::Refhost => text(record.referer).and_then(|referer| within(referer, &referring_host)),
        Dimension::Agent => text(record.agent),
        Dimension::Cache => text(record.cache),
        Dimension::Field(name) => {
            let at = rules.fields.iter().position(|field| field == name)?;
            text(record.others.get(at).copied().flatten())
        }
        _ => None,
    }
}

/// Whose page asked for a record.
pub(super) fn referrer(record: &Record<'_>, escape: Escape, own: &Own) -> Referrer {
    let Some(referer) = record.referer.map(|raw| plain(escape, raw)).filter(|text| !text.is_empty()) else {
        return Referrer::None;
    };
    match referring_host(&referer) {
        Some(host) if own.has(host) => Referrer::Own,
        _ => Referrer::Foreign,
    }
}

/// Whose page a referer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Referrer {
    /// There is no referer.
    None,
    /// One of our own.
    Own,
    /// Somebody else's, or the referer is no URL.
    Foreign,
}

/// The client's address, or the text in its place.
#[inline]
pub(super) fn client_text<'a>(found: &Found<'a>, escape: Escape) -> Option<Cow<'a, [u8]>> {
    match found.text {
        Text::Canonical(text) => Some(text.into()),
        Text::Logged(raw) => Some(plain(escape, raw)).filter(|text| !text.is_empty()),
        Text::Missing => None,
    }
}

/// A part of a text, borrowed if the text is.
fn within<'a>(text: Cow<'a, [u8]>, part: &dyn Fn(&[u8]) -> Option<&[u8]>) -> Option<Cow<'a, [u8]>> {
    match text {
        Cow::Borrowed(text) => part(text).map(Cow::Borrowed),
        Cow::Owned(text) => part(&text).map(|part| Cow::Owned(part.to_vec())),
    }
}

/// The byte column that counts.
pub(super) fn basis_bytes(record: &Record<'_>, basis: Basis) -> Option<u64> {
    match basis {
        Basis::Body => record.body,
        Basis::Wire => record.wire,
        Basis::None => None,
    }
}

/// A part of the request's target.
pub(super) fn target<'a>(
    record: &Record<'a>,
    escape: Escape,
    part: &dyn Fn(&[u8]) -> Option<&[u8]>,
) -> Option<Cow<'a, [u8]>> {
    let target = match record.full_target()? {
        Cow::Borrowed(raw) => plain(escape, raw),
        Cow::Owned(raw) => Cow::Owned(plain(escape, &raw).into_owned()),
    };
    within(target, part)
}

/// The host of an absolute URL, without user and port.
fn referring_host(referer: &[u8]) -> Option<&[u8]> {
    let after = memchr::memmem::find(referer, b"://")? + 3;
    let authority = referer[after..].split(|&byte| matches!(byte, b'/' | b'?' | b'#')).next()?;
    let host = memchr::memrchr(b'@', authority).map_or(authority, |at| &authority[at + 1..]);
    let end = match host.first()? {
        b'[' => memchr::memchr(b']', host)? + 1,
        _ => memchr::memchr(b':', host).unwrap_or(host.len()),
    };
    Some(&host[..end]).filter(|host| !host.is_empty())
}

/// The network an address is in: /24, or /48 for IPv6.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn referring_hosts_are_found() {
        let check = |referer: &str, expected: Option<&str>| {
            assert_eq!(referring_host(referer.as_bytes()), expected.map(str::as_bytes), "{referer}");
        };
        check("https://www.example.com/from?a=b", Some("www.example.com"));
        check("http://user@example.com:8080", Some("example.com"));
        check("http://[2001:db8::1]:80/", Some("[2001:db8::1]"));
        check("android-app://com.google.app/", Some("com.google.app"));
        check("http://", None);
        check("nonsense", None);
    }

    #[test]
    fn networks_are_cut_at_24_and_48() {
        let check = |address: &str, expected: &str| {
            assert_eq!(network(address.parse().expect("an address")), expected);
        };
        check("192.0.2.77", "192.0.2.0/24");
        check("2001:db8:1:2::3", "2001:db8:1::/48");
    }
}
