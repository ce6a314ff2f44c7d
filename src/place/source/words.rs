//! What texts in databases mean, whoever made them.

use crate::place::known::alpha2;
use crate::place::netkind::NetKind;

/// A longer name is not a name; without a bound one record could cost megabytes per place.
const TEXT_BYTES_MAX: usize = 1_024;

/// What vendors write for "nothing known": besides these, the empty text. `None` is a town in Italy.
const NOTHING: [&str; 9] =
    ["0", "-", "Not routed", "N/A", "Reserved", "内网IP", "保留地址", "局域网", "本机地址"];

/// Text that says something.
pub(super) fn said(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty() && text.len() <= TEXT_BYTES_MAX && !NOTHING.contains(&text)).then_some(text)
}

/// What a text for the number of an autonomous system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asn {
    /// AS 0 is reserved and means none.
    None,
    Number(u32),
    NotANumber,
}

/// `13335` or `AS13335`.
pub(super) fn asn(text: &str) -> Asn {
    let Some(text) = said(text) else { return Asn::None };
    let digits = match text.split_at_checked(2) {
        Some((prefix, digits)) if prefix.eq_ignore_ascii_case("AS") => digits,
        _ => text,
    };
    match digits.parse() {
        Ok(0) => Asn::None,
        // `parse` would take a sign.
        Ok(number) if digits.starts_with(|c: char| c.is_ascii_digit()) => Asn::Number(number),
        _ => Asn::NotANumber,
    }
}

/// The net kind behind a vendor's word: `MaxMind`, `IPinfo`, `IP2Location`'s codes, or our own.
pub(super) fn netkind(text: &str) -> Option<NetKind> {
    let text = text.trim();
    NetKind::from_name(text).or_else(|| match text.to_ascii_lowercase().as_str() {
        "hosting" | "dch" => Some(NetKind::Idc),
        "content_delivery_network" => Some(NetKind::Cdn),
        "college" | "school" | "university" | "education" => Some(NetKind::Edu),
        "isp" | "mob" | "isp/mob" | "residential" | "cellular" => Some(NetKind::Carrier),
        _ => None,
    })
}

/// `CA` of `US-CA`, so that the country is not written twice.
pub(super) fn bare(code: &str, country: Option<[u8; 2]>) -> Option<&str> {
    let rest = match (code.split_once('-'), country) {
        (Some((prefix, rest)), Some(country)) if alpha2(prefix) == Some(country) => rest,
        _ => code,
    };
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_something_or_nothing() {
        let check = |text, expected| assert_eq!(said(text), expected, "{text}");
        check(" Paris ", Some("Paris"));
        check("", None);
        check(" - ", None);
        check("0", None);
        check("Not routed", None);
        check("None", Some("None"));
        check("保留地址", None);
        check(&"x".repeat(TEXT_BYTES_MAX + 1), None);
    }

    #[test]
    fn numbers_are_written_in_two_ways() {
        let check = |text, expected| assert_eq!(asn(text), expected, "{text}");
        check("13335", Asn::Number(13335));
        check("AS13335", Asn::Number(13335));
        check("as4294967295", Asn::Number(u32::MAX));
        check("0", Asn::None);
        check("AS0", Asn::None);
        check("-", Asn::None);
        check("4294967296", Asn::NotANumber);
        check("AS", Asn::NotANumber);
        check("+7", Asn::NotANumber);
        check("ÄS1", Asn::NotANumber);
    }
}
