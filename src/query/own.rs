//! Hosts of one's own, which may embed one's own objects.

use std::net::Ipv6Addr;
use std::sync::Arc;

/// A longer name is no host name (RFC 1035).
const NAME_MAX: usize = 253;

/// Host names in lower case, without the dot of the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    names: Arc<[Box<str>]>,
}

impl Own {
    /// Reads names that were typed, each perhaps several between commas. `*.` before a name and a port behind it say
    /// nothing new; the message of an error names the culprit.
    pub fn parse<'t>(typed: impl IntoIterator<Item = &'t str>) -> Result<Self, String> {
        let words = typed.into_iter().flat_map(|list| list.split(',')).map(str::trim);
        let mut names = words.map(name).collect::<Result<Vec<_>, _>>()?;
        names.sort_unstable();
        names.dedup();
        Ok(Self { names: names.into() })
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// True for these hosts and those below them, in any case. A log's host has no port here.
    pub fn has(&self, host: &[u8]) -> bool {
        let host = host.strip_suffix(b".").unwrap_or(host);
        self.names.iter().any(|name| is_at_or_below(host, name.as_bytes()))
    }
}

/// A name as it is compared.
fn name(typed: &str) -> Result<Box<str>, String> {
    let bad = || format!("`{}` is not a host name such as example.com", typed.escape_debug());
    let text = typed.strip_prefix("*.").unwrap_or(typed);
    let end = if text.starts_with('[') { text.find(']').map(|end| end + 1) } else { text.find(':') };
    let (host, port) = text.split_at(end.unwrap_or(text.len()));
    let is_port = |text: &str| text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    if !(port.is_empty() || is_port(port)) {
        return Err(bad());
    }
    if let Some(literal) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address: Ipv6Addr = literal.parse().map_err(|_| bad())?;
        return Ok(format!("[{address}]").into());
    }
    let host = host.trim_matches('.');
    // Where a server logs them so, names have letters of any script.
    let is_fit = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    if host.is_empty() || host.len() > NAME_MAX || !host.chars().all(is_fit) {
        return Err(bad());
    }
    Ok(host.to_ascii_lowercase().into())
}

/// An address has nothing below it, but nobody writes a name that would be.
fn is_at_or_below(host: &[u8], name: &[u8]) -> bool {
    let Some(start) = host.len().checked_sub(name.len()) else { return false };
    host[start..].eq_ignore_ascii_case(name) && (start == 0 || host[start - 1] == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, host: &str, expected: bool) {
        let own = Own::parse([typed]).unwrap();
        assert_eq!(own.has(host.as_bytes()), expected, "{typed}: {host}");
    }

    #[test]
    fn hosts_and_those_below_are_found() {
        check("example.com", "example.com", true);
        check("example.com", "WWW.Example.COM", true);
        check("Example.com", "a.b.example.com.", true);
        check("example.com", "badexample.com", false);
        check("example.com", "example.com.evil.net", false);
        check("example.com", "com", false);
        check("example.com", "", false);
        check("*.example.com", "example.com", true);
        check(".example.com.", "cdn.example.com", true);
        check("example.com:8080", "example.com", true);
        check("a.com, b.com", "x.b.com", true);
        check("xn--fiqs8s", "a.xn--fiqs8s", true);
        check("例子.cn", "视频.例子.cn", true);
        check("192.0.2.1", "192.0.2.1", true);
        check("[2001:DB8::1]", "[2001:db8::1]", true);
        check("[2001:db8::1]:80", "[2001:db8::1]", true);
        check("[2001:db8::1]", "[2001:db8::2]", false);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for typed in [
            "",
            "a,,b",
            "https://example.com",
            "example.com/",
            "a b",
            "a@b",
            "[::1",
            "[::1]x",
            "a:b",
            "a:99999",
            "*.",
            ".",
            "a\u{1b}b",
            "a:",
            &"a".repeat(254),
        ] {
            assert!(Own::parse([typed]).is_err(), "{typed}");
        }
        assert_eq!(
            Own::parse(["a,https://b"]),
            Err("`https://b` is not a host name such as example.com".to_owned())
        );
    }
}
