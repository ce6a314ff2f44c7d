//! The law of all readers, for tests and fuzzers: asking for one address and reading the table say the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{BROKEN, Source, parse};
use crate::error::Error;
use crate::place::carried;
use crate::place::runs::NONE;

/// The first address for which a database's search and its table differ; none if they agree at all boundaries and for
/// these addresses.
pub fn disagreement(name: &str, bytes: Vec<u8>, addresses: &[IpAddr]) -> Result<Option<IpAddr>, Error> {
    differs(parse(name, bytes)?.as_ref(), addresses)
}

pub(super) fn differs(source: &dyn Source, addresses: &[IpAddr]) -> Result<Option<IpAddr>, Error> {
    let (v4, v6) = (source.runs_v4()?, source.runs_v6()?);
    let differs = |address: &IpAddr| {
        let found = source.find(*address);
        if found != NONE && found != BROKEN {
            // Whether it can be read is not the question; that asking is safe is.
            let _ = source.read(found, *address);
        }
        match address {
            IpAddr::V4(address) => found != v4.get(address.to_bits()),
            IpAddr::V6(_) if carried(*address) != *address => false,
            IpAddr::V6(address) => found != v6.get(address.to_bits()),
        }
    };
    let around4 = v4.iter().flat_map(|(first, _)| [first.wrapping_sub(1), first, first.wrapping_add(1)]);
    let around6 = v6.iter().flat_map(|(first, _)| [first.wrapping_sub(1), first, first.wrapping_add(1)]);
    let v4 = around4.map(|address| IpAddr::V4(Ipv4Addr::from_bits(address)));
    let v6 = around6.map(|address| IpAddr::V6(Ipv6Addr::from_bits(address)));
    Ok(addresses.iter().copied().chain(v4).chain(v6).find(differs))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Instant;

    use super::*;
    use crate::place::source::open;

    /// Real databases cannot be had here: name some by hand, as `PATH` names folders.
    #[test]
    #[expect(clippy::print_stderr, reason = "figures for whoever names databases")]
    fn databases_named_by_hand_obey() {
        let paths = std::env::var_os("BANDWHO_IP_DATABASES").unwrap_or_default();
        for path in std::env::split_paths(&paths).filter(|path| path != Path::new("")) {
            let start = Instant::now();
            let source = open(&path).unwrap();
            let opened = start.elapsed();
            let (v4, v6) = (source.runs_v4().unwrap(), source.runs_v6().unwrap());
            let walked = start.elapsed().saturating_sub(opened);
            assert_eq!(differs(source.as_ref(), &[]).unwrap(), None, "{}", path.display());
            let (v4, v6) = (v4.len(), v6.len());
            eprintln!("{}: open {opened:?}, runs {walked:?} ({v4} + {v6})", path.display());
        }
    }
}
