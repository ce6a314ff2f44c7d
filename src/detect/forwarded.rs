//! Lines that begin with who asked, as proxies passed it on, and not with a host: both are words before the client.
//!
//! ```text
//! www.example.com 192.0.2.7 - - […        a host and who asked it
//! 203.0.113.9 10.0.0.1 - - […             an address that the proxy 10.0.0.1 passed on
//! ```

use std::collections::HashSet;
use std::sync::LazyLock;

use super::GLANCE_LINES;
use super::looks::{Look, fits, is_evident};
use crate::client::{self, Trusted};
use crate::format::Layout;
use crate::format::presets::FORWARDED;
use crate::parse::{Parser, Record, Wanted};

/// The layout of such lines.
pub(super) static LAYOUT: LazyLock<Layout> =
    LazyLock::new(|| Layout::compile(&FORWARDED.preset.format()).expect("every preset compiles"));

/// A server has few addresses for so many clients.
const FEWER: usize = 10;

/// The lines that begin so; none if the addresses may be the server's own.
pub(super) fn lines<'a>(lines: &[&'a [u8]]) -> Option<Vec<&'a [u8]>> {
    let mut parser = Parser::new(&LAYOUT, Wanted::ALL, &[]);
    let step = lines.len().div_ceil(GLANCE_LINES).max(1);
    lines.iter().step_by(step).find_map(|line| ends(&mut parser, line))?;
    let (passing, all): (Vec<&[u8]>, Vec<Ends>) =
        lines.iter().filter_map(|line| Some((*line, ends(&mut parser, line)?))).unzip();
    are_passed_on(&all).then_some(passing)
}

/// What stands first and second in a line.
struct Ends<'a> {
    first: Option<&'a [u8]>,
    is_list: bool,
    peer: &'a [u8],
}

fn ends<'a>(parser: &mut Parser, line: &'a [u8]) -> Option<Ends<'a>> {
    let mut record = Record::default();
    parser.parse(line, &mut record).ok()?;
    let peer = record.client.filter(|peer| Look::of(peer) == Look::Address)?;
    let first = Look::of(record.forwarded.unwrap_or_default());
    matches!(first, Look::Null | Look::Address | Look::Addresses).then_some(Ends {
        first: record.forwarded,
        is_list: first == Look::Addresses,
        peer,
    })
}

/// A host is one name and never missing. One address is passed on if only machines inside ask and it is none of
/// theirs, or varies as those who ask do.
fn are_passed_on(all: &[Ends<'_>]) -> bool {
    let known = all.iter().filter(|ends| ends.first.is_some()).count();
    let lists = all.iter().filter(|ends| ends.is_list).count();
    if known == 0 {
        return false;
    }
    if is_evident(all.len() - known + lists, all.len()) {
        return true;
    }
    let trusted = Trusted::default();
    let is_inside = |text: &[u8]| client::address(text).is_some_and(|address| trusted.has(address.ip));
    let proxies = all.iter().filter(|ends| is_inside(ends.peer)).count();
    let outside = all.iter().filter_map(|ends| ends.first).filter(|first| !is_inside(first)).count();
    let firsts = all.iter().filter_map(|ends| ends.first).collect::<HashSet<_>>().len();
    let peers = all.iter().map(|ends| ends.peer).collect::<HashSet<_>>().len();
    fits(proxies, all.len()) && (fits(outside, known) || firsts > 1 && firsts * FEWER >= peers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_from_who_asked() {
        let check = |pairs: &[(&str, &str)], expected: usize| {
            let rest = r#"- - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6 "-" "x""#;
            let text: Vec<String> =
                pairs.iter().map(|(first, peer)| format!("{first} {peer} {rest}")).collect();
            let text: Vec<&[u8]> = text.iter().map(String::as_bytes).collect();
            assert_eq!(lines(&text).map_or(0, |lines| lines.len()), expected, "{pairs:?}");
        };
        check(&[("203.0.113.9", "10.0.0.1"); 20], 20);
        check(&[("198.51.100.7, 203.0.113.9", "10.0.0.1"), ("-", "10.0.0.2")], 2);
        check(&[("10.1.0.1", "10.0.0.1"), ("10.1.0.2", "10.0.0.1")], 2);
        // The server's own address, asked for by name.
        check(&[("10.0.0.5", "10.1.0.1"), ("10.0.0.5", "10.1.0.2")], 0);
        check(&[("203.0.113.9", "192.0.2.1"), ("203.0.113.9", "192.0.2.2")], 0);
        check(&[("-", "10.0.0.1"); 5], 0);
        check(&[("www.example.com", "10.0.0.1"); 5], 0);
        check(&[("Nov 23 05:53:11 web nginx:", "10.0.0.1"); 5], 0);
    }
}
