//! Where the real ones come from.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::Claim;

/// The networks of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Networks {
    /// Autonomous systems that are the operator's alone.
    pub(super) asn: Vec<u32>,
    /// Those where the operator rents machines, as anybody can.
    pub(super) shared: Vec<u32>,
    /// Networks that are the operator's alone.
    pub(super) ranges: Vec<IpNet>,
}

impl Networks {
    /// Whether an address, whose autonomous system is `asn` if that is known, is the operator's.
    pub(super) fn judge(&self, address: IpAddr, asn: Option<u32>) -> Claim {
        let Self { asn: own, shared, ranges } = self;
        if ranges.iter().any(|range| range.contains(&address)) {
            return Claim::Verified;
        }
        if !is_public(address) {
            return Claim::Unverifiable;
        }
        match asn {
            Some(asn) if own.contains(&asn) => Claim::Verified,
            Some(asn) if shared.contains(&asn) => Claim::Unverifiable,
            Some(_) => Claim::Elsewhere,
            // Where ranges say all, the autonomous system adds nothing.
            None if own.is_empty() && shared.is_empty() => Claim::Elsewhere,
            None => Claim::Unverifiable,
        }
    }
}

/// False for addresses that are not the client's on the public network: something stood between (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    const CARRIER_NAT: (Ipv4Addr, u32) = (Ipv4Addr::new(100, 64, 0, 0), 0xFFC0_0000);
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let is_shared = address.to_bits() & CARRIER_NAT.1 == CARRIER_NAT.0.to_bits();
            let is_local = address.is_private() || address.is_loopback() || address.is_link_local();
            !(is_local || is_shared || address.is_unspecified() || address.is_broadcast())
        }
        IpAddr::V6(address) => {
            let is_local = address.is_unique_local() || address.is_unicast_link_local();
            !(is_local || address.is_loopback() || address.is_unspecified())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_prove_disprove_or_tell_nothing() {
        let ranges = |ranges: &[&str]| ranges.iter().map(|range| range.parse().unwrap()).collect();
        let rented = Networks {
            asn: vec![714],
            shared: vec![8075],
            ranges: ranges(&["20.1.2.0/24", "2001:db8::/32"]),
        };
        let listed = Networks { asn: Vec::new(), shared: Vec::new(), ranges: ranges(&["20.1.2.0/24"]) };
        let check = |networks: &Networks, address: &str, asn, expected| {
            let claim = networks.judge(address.parse().unwrap(), asn);
            assert_eq!(claim, expected, "{address} {asn:?}");
        };
        check(&rented, "20.1.2.255", Some(8075), Claim::Verified);
        check(&rented, "20.1.2.255", None, Claim::Verified);
        check(&rented, "2001:db8::1", None, Claim::Verified);
        check(&rented, "17.0.0.1", Some(714), Claim::Verified);
        check(&rented, "20.1.3.0", Some(8075), Claim::Unverifiable);
        check(&rented, "20.1.3.0", None, Claim::Unverifiable);
        check(&rented, "20.1.3.0", Some(4134), Claim::Elsewhere);
        check(&listed, "20.1.2.0", None, Claim::Verified);
        check(&listed, "20.1.3.0", None, Claim::Elsewhere);
        for local in [
            "10.0.0.1",
            "127.0.0.1",
            "169.254.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "0.0.0.0",
            "::1",
            "::",
            "fc00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            check(&listed, local, None, Claim::Unverifiable);
        }
        check(&listed, "100.63.255.255", None, Claim::Elsewhere);
        check(&listed, "100.128.0.0", None, Claim::Elsewhere);
    }
}
