//! Texts of addresses, networks and ranges → the first and last address of one family.

use std::net::Ipv6Addr;

use crate::client::dotted;

/// An address, or the number of one: whose family that is shows only with the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    V4(u32),
    V6(u128),
    Number(u128),
}

/// First and last address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    V4(u32, u32),
    V6(u128, u128),
}

/// The most digits of a decimal number of 128 bits.
const DIGITS_MAX: usize = 39;
/// `::ffff:0:0/96`: IPv4 addresses as IPv6 ones.
const MAPPED: u128 = 0xFFFF << 32;

/// One end of a range.
pub(super) fn bound(text: &[u8]) -> Option<Bound> {
    if let Some(address) = dotted(text) {
        return Some(Bound::V4(address.to_bits()));
    }
    let text = std::str::from_utf8(text).ok()?;
    if text.contains(':') {
        return text.parse().ok().map(|address: Ipv6Addr| Bound::V6(address.to_bits()));
    }
    let digits = !text.is_empty() && text.len() <= DIGITS_MAX && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).map(Bound::Number)
}

/// A network `10.0.0.0/8`, a range `10.0.0.0-10.0.0.9`, or one address. Bits beyond the prefix are cleared.
pub(super) fn network(text: &[u8]) -> Option<Span> {
    let cut = text.iter().position(|byte| matches!(byte, b'/' | b'-'));
    let Some(cut) = cut else {
        return bound(text).and_then(|bound| span(bound, bound).ok());
    };
    let (first, second) = (text[..cut].trim_ascii(), text[cut + 1..].trim_ascii());
    if text[cut] == b'-' {
        return span(bound(first)?, bound(second)?).ok();
    }
    let length: u32 = std::str::from_utf8(second).ok().filter(|text| !text.starts_with('+'))?.parse().ok()?;
    match bound(first)? {
        Bound::V4(address) => {
            let host = u32::MAX.checked_shr(length).unwrap_or(0);
            (length <= 32).then_some(Span::V4(address & !host, address | host))
        }
        Bound::V6(address) => {
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            (length <= 128).then_some(unmapped(address & !host, address | host))
        }
        Bound::Number(_) => None,
    }
}

/// What two bounds span, or why they do not.
pub(super) fn span(first: Bound, last: Bound) -> Result<Span, &'static str> {
    let span = match (first, last) {
        (Bound::V4(first), Bound::V4(last)) => Span::V4(first, last),
        (Bound::V6(first), Bound::V6(last)) => unmapped(first, last),
        (Bound::Number(first), Bound::Number(last)) => match (u32::try_from(first), u32::try_from(last)) {
            (Ok(first), Ok(last)) => Span::V4(first, last),
            _ => unmapped(first, last),
        },
        _ => return Err("the two ends of this range are written in different ways"),
    };
    let ascends = match span {
        Span::V4(first, last) => first <= last,
        Span::V6(first, last) => first <= last,
    };
    if ascends { Ok(span) } else { Err("this range ends before it begins") }
}

fn unmapped(first: u128, last: u128) -> Span {
    let inside = |address: u128| u32::try_from(address.checked_sub(MAPPED)?).ok();
    match (inside(first), inside(last)) {
        (Some(first), Some(last)) => Span::V4(first, last),
        _ => Span::V6(first, last),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn networks_and_ranges() {
        let check = |text: &str, expected| assert_eq!(network(text.as_bytes()), expected, "{text}");
        check("10.1.2.3/8", Some(Span::V4(10 << 24, (11 << 24) - 1)));
        check("0.0.0.0/0", Some(Span::V4(0, u32::MAX)));
        check("1.2.3.4/32", Some(Span::V4(0x0102_0304, 0x0102_0304)));
        check("1.2.3.4", Some(Span::V4(0x0102_0304, 0x0102_0304)));
        check("1.2.3.4 - 1.2.3.9", Some(Span::V4(0x0102_0304, 0x0102_0309)));
        check("::/0", Some(Span::V6(0, u128::MAX)));
        check("2001:db8::1/32", Some(Span::V6(0x2001_0db8 << 96, (0x2001_0db9 << 96) - 1)));
        check("::ffff:1.2.3.0/120", Some(Span::V4(0x0102_0300, 0x0102_03ff)));
        check("::ffff:0:0/95", Some(Span::V6(0xFFFE << 32, (1 << 48) - 1)));
        check("7/8", None);
        check("1.2.3.4/33", None);
        check("1.2.3.4/+3", None);
        check("1.2.3.4/", None);
        check("1.2.3", None);
        check("1.2.3.4.5", None);
        check("1.2.3.256", None);
        check("1.2.3.04", None);
        check("1.2.3.9-1.2.3.4", None);
        check("", None);
    }

    #[test]
    fn two_bounds_are_a_span() {
        let check = |first: &str, last: &str, expected| {
            let [first, last] = [first, last].map(|text| bound(text.as_bytes()).unwrap());
            assert_eq!(span(first, last), expected, "{first:?} {last:?}");
        };
        check("16777216", "16777471", Ok(Span::V4(1 << 24, (1 << 24) + 255)));
        check("281470698520576", "281470698520831", Ok(Span::V4(1 << 24, (1 << 24) + 255)));
        check("0", "281470681743359", Ok(Span::V6(0, MAPPED - 1)));
        check("::1", "::2", Ok(Span::V6(1, 2)));
        check("::2", "::1", Err("this range ends before it begins"));
        check("1.2.3.4", "::2", Err("the two ends of this range are written in different ways"));
        assert_eq!(bound(b"340282366920938463463374607431768211456"), None);
        assert_eq!(bound(b"+1"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn dotted_is_the_standard_library(text in "[0-9]{0,4}\\.[0-9]{1,3}\\.[0-9]{1,2}[.:][0-9]{0,3}\\.?") {
            prop_assert_eq!(dotted(text.as_bytes()), text.parse::<Ipv4Addr>().ok());
        }

        #[test]
        fn printed_addresses_are_read(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(dotted(address.to_string().as_bytes()), Some(address));
        }
    }
}
