//! Which address a request came from: texts as servers and proxies write them → one address.
//!
//! ```text
//! client column    10.0.0.9                        a trusted proxy, so
//! forwarded        203.0.113.7, 198.51.100.4       is walked from the right, past trusted proxies: 198.51.100.4
//! ```
//!
//! Only the right end of a forwarded list was written by machines one knows: what stands left of the first address that
//! is not trusted, a stranger may have made up.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::parse::scan::{eight_of, non_digits};

/// How the client of a record is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rule {
    /// The client column, unless a trusted proxy stands there and passed on who asked it.
    #[default]
    Auto,
    /// The other end of the connection, whoever it is.
    Remote,
    /// The leftmost forwarded address, whoever wrote it.
    Forwarded,
}

impl Rule {
    /// Its name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Remote => "remote",
            Self::Forwarded => "forwarded",
        }
    }
}

/// An address in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// The address, as IPv4 if it is one mapped into IPv6.
    pub ip: IpAddr,
    /// The interface of a link-local address (`eth0` of `fe80::1%eth0`): no part of the address, but of its text.
    pub zone: Option<&'a str>,
}

impl fmt::Display for Address<'_> {
    /// The canonical text: RFC 5952, with the zone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip.fmt(f)?;
        self.zone.map_or(Ok(()), |zone| write!(f, "%{zone}"))
    }
}

/// The address that is all a text says: `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:443`, `fe80::1%eth0`,
/// `for="[2001:db8::1]"`. None for host names, masked addresses, sockets, and several addresses.
pub fn address(text: &[u8]) -> Option<Address<'_>> {
    let mut entries = entries(text);
    let first = entries.next()?;
    if entries.next().is_some() { None } else { entry(first) }
}

/// The IPv4 address that a text is, read like any other but much faster: most clients are one.
///
/// No step asks what the byte before was. The first eight bytes hold two parts and their dots, the last eight the two
/// others; each part is cut out of its word with the digits that it lacks as zeros before it.
#[inline]
pub fn dotted(text: &[u8]) -> Option<Ipv4Addr> {
    let length = u32::try_from(text.len()).ok().filter(|length| (7..=15).contains(length))?;
    let (first, last) = if length > 7 {
        (u64::from_le_bytes(*text.first_chunk()?), u64::from_le_bytes(*text.last_chunk()?))
    } else {
        // Seven bytes, one of them in both halves, with a zero behind or before them.
        let (first, last) = (text.first_chunk()?, text.last_chunk()?);
        let word = u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 24;
        (word | u64::from(b'0') << 56, word << 8 | u64::from(b'0'))
    };
    let (dots, dots_behind) = (equal(first, b'.'), equal(last, b'.'));
    let next = dots & dots.wrapping_sub(1);
    let (end, second_end) = (dots.trailing_zeros() / 8, next.trailing_zeros() / 8);
    let fourth = dots_behind.leading_zeros() / 8;
    let fourth_and_third = (dots_behind & !(HIGH.wrapping_shr(8 * fourth))).leading_zeros() / 8;
    let widths = [end, second_end.wrapping_sub(end + 1), fourth_and_third.wrapping_sub(fourth + 1), fourth];
    // The second dot from both sides is one and the same, so there are three.
    let shaped = second_end.wrapping_add(fourth_and_third + 1) == length
        && widths.iter().all(|width| width.wrapping_sub(1) < 3)
        && non_digits(first) == dots
        && non_digits(last) == dots_behind;
    if !shaped {
        return None;
    }
    let ends = [first << (64 - 8 * end), first << (64 - 8 * second_end), last << (8 * (fourth + 1)), last];
    let (mut address, mut fits) = (0_u32, true);
    for (bytes, width) in ends.into_iter().zip(widths) {
        let [hundreds, tens, ones, ..] =
            ((bytes & eight_of(0x0F)) >> (64 - 8 * width) << (24 - 8 * width)).to_le_bytes();
        let part = u32::from(hundreds) * 100 + u32::from(tens) * 10 + u32::from(ones);
        // Some systems read a leading zero as octal: nobody knows what `010` means.
        fits &= part <= 255 && part >= [0, 0, 10, 100][width as usize & 3];
        address = address << 8 | part;
    }
    fits.then(|| Ipv4Addr::from_bits(address))
}

/// The highest bit.
const HIGH: u64 = 1 << 63;

/// The highest bit of every byte that is `byte`.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    let distance = word ^ eight_of(byte);
    !(((distance & eight_of(0x7F)) + eight_of(0x7F)) | distance) & eight_of(0x80)
}

/// The first address of a list.
pub fn leftmost(list: &[u8]) -> Option<Address<'_>> {
    entries(list).find_map(entry)
}

/// Networks whose machines tell the truth about who asked them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    networks: Vec<IpNet>,
    /// First and last address of the IPv4 ones: every client is compared with them.
    v4: Vec<(Ipv4Addr, Ipv4Addr)>,
}

/// Nobody outside can have these addresses: private, loopback, link-local and carrier NAT networks.
const DEFAULT: &str = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,127.0.0.0/8,::1,169.254.0.0/16,fe80::/10,\
                       100.64.0.0/10,fc00::/7";

impl Default for Trusted {
    fn default() -> Self {
        Self::parse(DEFAULT).expect("a list of networks")
    }
}

impl Trusted {
    /// Reads a comma-separated list of networks and addresses; an empty one trusts nobody.
    pub fn parse(list: &str) -> Result<Self, String> {
        let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
        let network = |word: &str| {
            let network = word.parse::<IpNet>().or_else(|_| word.parse::<IpAddr>().map(IpNet::from));
            let network = network.map(canonical);
            network.map_err(|_| format!("`{word}` is neither a network such as 10.0.0.0/8 nor an address"))
        };
        let networks = words.map(network).collect::<Result<Vec<IpNet>, _>>()?;
        let v4 = networks.iter().filter_map(|network| match network {
            IpNet::V4(network) => Some((network.network(), network.broadcast())),
            IpNet::V6(_) => None,
        });
        Ok(Self { v4: v4.collect(), networks })
    }

    /// True for an address of a trusted machine.
    pub fn has(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.has_v4(address),
            IpAddr::V6(_) => self.networks.iter().any(|network| network.contains(&address)),
        }
    }

    /// The same for an IPv4 address.
    #[inline]
    pub fn has_v4(&self, address: Ipv4Addr) -> bool {
        self.v4.iter().any(|&(first, last)| first <= address && address <= last)
    }

    /// True for the words that stand for a proxy on the same machine, which has no address.
    pub fn has_socket(&self, text: &[u8]) -> bool {
        (text == b"unix" || text.starts_with(b"unix:")) && self.has(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// The client in a list that every proxy appended its client to: from the right the first that is not trusted, else
    /// the leftmost. What is no address is passed over.
    pub fn client_of<'a>(&self, list: &'a [u8]) -> Option<Address<'a>> {
        let mut leftmost = None;
        for address in entries(list).rev().filter_map(entry) {
            if !self.has(address.ip) {
                return Some(address);
            }
            leftmost = Some(address);
        }
        leftmost
    }
}

/// A network inside `::ffff:0:0/96` is one of IPv4.
fn canonical(network: IpNet) -> IpNet {
    match (network.addr().to_canonical(), network.prefix_len().checked_sub(96)) {
        (IpAddr::V4(address), Some(length)) if network.addr().is_ipv6() => {
            Ipv4Net::new(address, length).map_or(network, IpNet::V4)
        }
        _ => network,
    }
}

/// The entries of a list. No address has a blank in it, and W3C logs write `+` for one.
fn entries(list: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    list.split(|byte| matches!(byte, b',' | b' ' | b'\t' | b'+')).filter(|entry| !entry.is_empty())
}

/// The address of an entry; none for `unknown`, `_hidden`, `-` and other words.
fn entry(entry: &[u8]) -> Option<Address<'_>> {
    let text = unquoted(str::from_utf8(entry).ok()?);
    if !text.contains('=') {
        return node(text);
    }
    // RFC 7239: `for=192.0.2.60;proto=http;by=203.0.113.43`.
    text.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        if name.eq_ignore_ascii_case("for") { node(unquoted(value)) } else { None }
    })
}

/// Without quotes, escaped or not; where they surround a whole list an entry has one on one side only.
fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\'', '\\'])
}

/// An address with or without its port.
fn node(text: &str) -> Option<Address<'_>> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (inside, after) = bracketed.split_once(']')?;
        let whole = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
        return if whole { bare(inside) } else { None };
    }
    bare(text).or_else(|| {
        let (host, _) = text.split_once(':').filter(|(_, port)| is_port(port))?;
        let host: Ipv4Addr = host.parse().ok()?;
        Some(Address { ip: host.into(), zone: None })
    })
}

fn bare(text: &str) -> Option<Address<'_>> {
    let (ip, zone) = match text.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (text, None),
    };
    let ip: IpAddr = ip.parse().ok()?;
    let named = |zone: &str| {
        (1..=ZONE_MAX).contains(&zone.len())
            && zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    if zone.is_some_and(|zone| ip.is_ipv4() || !named(zone)) {
        return None;
    }
    let ip = ip.to_canonical();
    Some(Address { ip, zone: zone.filter(|_| ip.is_ipv6()) })
}

/// Names of interfaces are shorter.
const ZONE_MAX: usize = 32;

/// Digits, or a name that hides them (RFC 7239 `_gazonk`).
fn is_port(text: &str) -> bool {
    let hidden = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    match text.strip_prefix('_') {
        Some(name) => hidden(name),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(address: Option<Address<'_>>) -> String {
        address.map_or("none".to_owned(), |address| address.to_string())
    }

    #[test]
    fn addresses_are_read_however_they_are_written() {
        let check = |text: &str, expected: &str| {
            assert_eq!(shown(address(text.as_bytes())), expected, "{text}");
        };
        check("192.0.2.1", "192.0.2.1");
        check("192.0.2.1:51234", "192.0.2.1");
        check("192.0.2.1:_gazonk", "192.0.2.1");
        check("2001:DB8:0:0:0:0:0:1", "2001:db8::1");
        check("[2001:db8::1]", "2001:db8::1");
        check("[2001:db8::1]:443", "2001:db8::1");
        check("2001:db8::1:443", "2001:db8::1:443");
        check("::ffff:192.0.2.1", "192.0.2.1");
        check("[::ffff:192.0.2.1]:80", "192.0.2.1");
        check("fe80::1%eth0", "fe80::1%eth0");
        check("[FE80::1%eth0.7]:443", "fe80::1%eth0.7");
        check("fe80::1%25eth0", "fe80::1%25eth0");
        check("::ffff:192.0.2.1%eth0", "192.0.2.1");
        check("\"192.0.2.1\"", "192.0.2.1");
        check(" 192.0.2.1 ", "192.0.2.1");
        check("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60");
        check("By=203.0.113.43;For=\"[2001:db8::1]:4711\"", "2001:db8::1");
        check("for=\\\"[2001:db8::1]\\\"", "2001:db8::1");
        let words = "unix: unix:/run/x.sock unix localhost 10.x.x.x 192.168.001.01 - _hidden unknown for=unknown \
                     for=_x by=192.0.2.1 192.0.2.1:x 192.0.2.1: 192.0.2.1:123456 [192.0.2.1 [::1]x fe80::1% \
                     fe80::1%a/b 192.0.2.1%eth0 [] = % : \\x7F\\x00\\x00\\x01 1.2.3.4.5 192.0.2.1,192.0.2.2";
        words.split_ascii_whitespace().for_each(|word| check(word, "none"));
        check("", "none");
        check("192.0.2.1 192.0.2.2", "none");
        assert_eq!(address(b"192.0.2.1\xff"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn the_quick_reader_agrees_with_the_thorough_one(text in "([0-9]{0,4}\\.?|[0-9.]|(25[0-9]|[01]?[0-9]?[0-9])\\.){0,6}[0-9:x]{0,3}") {
            let plain = text.parse::<Ipv4Addr>().ok();
            prop_assert_eq!(dotted(text.as_bytes()), plain);
            if plain.is_some() {
                prop_assert_eq!(shown(address(text.as_bytes())), text);
            }
        }
    }

    #[test]
    fn lists_are_walked_from_the_right() {
        let check = |trusted: &str, list: &str, expected: &str, first: &str| {
            let trusted = match trusted {
                "default" => Trusted::default(),
                typed => Trusted::parse(typed).expect("networks"),
            };
            let list = list.as_bytes();
            assert_eq!(
                (shown(trusted.client_of(list)).as_str(), shown(leftmost(list)).as_str()),
                (expected, first)
            );
        };
        check("default", "203.0.113.7, 198.51.100.4", "198.51.100.4", "203.0.113.7");
        check("default", "203.0.113.7,198.51.100.4,10.0.0.1,100.64.0.1", "198.51.100.4", "203.0.113.7");
        check("default", "10.0.0.2, 10.0.0.1, fd00::1, ::1", "10.0.0.2", "10.0.0.2");
        check("default", "unknown, 10.0.0.2,+192.168.1.1,+-", "10.0.0.2", "10.0.0.2");
        check("default", "203.0.113.7,+10.0.0.1", "203.0.113.7", "203.0.113.7");
        check("default", "\"10.5.102.222, 199.96.1.1\" 10.2.1.185", "199.96.1.1", "10.5.102.222");
        check("default", "for=192.0.2.43, for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17", "192.0.2.43");
        check("default", "for=192.0.2.43; proto=http, for=10.0.0.1", "192.0.2.43", "192.0.2.43");
        check("default", "192.0.2.1:80, ::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1");
        check("default", "-", "none", "none");
        check("default", ", ,", "none", "none");
        check("", "203.0.113.7, 10.0.0.1", "10.0.0.1", "203.0.113.7");
        check("198.51.100.0/24", "203.0.113.7, 198.51.100.4", "203.0.113.7", "203.0.113.7");
        check("::ffff:198.51.100.4", "203.0.113.7, 198.51.100.4", "203.0.113.7", "203.0.113.7");
        check("::/0", "2001:db8::1, 198.51.100.4, 2001:db8::2", "198.51.100.4", "2001:db8::1");
    }

    #[test]
    fn trust_is_typed_as_networks_and_addresses() {
        let has = |list: &str, address: &str| {
            Trusted::parse(list).expect("networks").has(address.parse().expect("an address"))
        };
        assert!(has(" 192.0.2.0/24 , 2001:db8::1,", "192.0.2.77"));
        assert!(has("192.0.2.0/24,2001:db8::1", "2001:db8::1"));
        assert!(!has("192.0.2.0/24,2001:db8::1", "10.0.0.1"));
        assert!(!has("", "127.0.0.1"));
        let message = |list: &str| Trusted::parse(list).expect_err("no network");
        for list in ["10.0.0.0/33", "10.0.0.1/8/9", "localhost"] {
            assert_eq!(
                message(list),
                format!("`{list}` is neither a network such as 10.0.0.0/8 nor an address")
            );
        }
        for address in ["10.1.2.3", "172.31.0.1", "192.168.9.9", "127.0.0.53", "169.254.1.1", "100.127.0.1"] {
            assert!(Trusted::default().has(address.parse().expect("an address")), "{address}");
        }
        for address in ["172.32.0.1", "100.128.0.1", "192.0.2.1", "2001:db8::1"] {
            assert!(!Trusted::default().has(address.parse().expect("an address")), "{address}");
        }
        assert!(Trusted::default().has_socket(b"unix:") && Trusted::default().has_socket(b"unix"));
        assert!(!Trusted::default().has_socket(b"unixhost") && !has("10.0.0.0/8", "127.0.0.1"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn canonical_texts_are_fixed_points(text in "(for=|\\[|\\]|%eth0|:80|::|1|10\\.0\\.0\\.|2001:db8:|ffff:|\"|,| |\\+|-|x){0,8}") {
            for found in [address(text.as_bytes()), leftmost(text.as_bytes())].into_iter().flatten() {
                let canonical = found.to_string();
                prop_assert_eq!(shown(address(canonical.as_bytes())), canonical);
            }
        }

        #[test]
        fn printed_addresses_come_back(bits in any::<u128>(), v4 in any::<u32>(), port in any::<u16>()) {
            let v6 = std::net::Ipv6Addr::from(bits);
            let v4 = Ipv4Addr::from(v4);
            let found = |text: String| address(text.as_bytes()).map(|address| address.ip);
            prop_assert_eq!(found(format!("[{v6}]:{port}")), Some(IpAddr::from(v6).to_canonical()));
            prop_assert_eq!(found(format!("{v4}:{port}")), Some(IpAddr::from(v4)));
        }
    }
}
