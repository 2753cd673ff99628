//! Whose requests count together: an address, and the networks around it.
//!
//! An IPv4 caller is its address. An IPv6 caller is the /64 that one home or phone is given, and the /56 and /48 that a
//! customer may hold: they have the quota of several homes, so who owns one gains little by moving within it.

use std::net::IpAddr;

/// Length of the prefix in bytes, and how many times the quota of one home it has. Providers in Japan delegate a /56 or
/// longer to a home and a /48 to an office.
const PREFIXES: [(usize, u32); 3] = [(8, 1), (7, 2), (6, 8)];

/// The networks of an address, the nearest first: what their keys are made of, and their share of the quota.
pub(super) fn of(ip: IpAddr) -> Vec<(Vec<u8>, u32)> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => vec![([b"4".as_slice(), &ip.octets()].concat(), 1)],
        IpAddr::V6(ip) => {
            let octets = ip.octets();
            PREFIXES.iter().map(|(bytes, times)| ([b"6".as_slice(), &octets[..*bytes]].concat(), *times)).collect()
        }
    }
}

/// The widest network of an address that one customer may hold, where the customer is to have one share and no more.
pub(super) fn widest(ip: IpAddr) -> Vec<u8> {
    of(ip).pop().map(|(network, _)| network).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(ip: &str) -> Vec<Vec<u8>> {
        of(ip.parse().unwrap()).into_iter().map(|(bytes, _)| bytes).collect()
    }

    #[test]
    fn a_network_is_an_ipv4_address_or_an_ipv6_prefix() {
        // security.md 9
        assert_eq!(networks("2001:db8:0:1::1"), networks("2001:db8:0:1:ffff::2"));
        assert_eq!(networks("192.0.2.1"), networks("::ffff:192.0.2.1"));
        assert_ne!(networks("192.0.2.1"), networks("192.0.2.2"));
        let (here, beside, far) =
            (networks("2001:db8:1:0100::1"), networks("2001:db8:1:01ff::1"), networks("2001:db8:1:ff00::1"));
        assert_ne!(here[0], beside[0]);
        assert_eq!(here[1..], beside[1..], "one /56");
        assert_ne!(here[1], far[1]);
        assert_eq!(here[2], far[2], "one /48");
        assert_ne!(here[2], networks("2001:db8:2:0100::1")[2]);
        assert_eq!(widest("2001:db8:1:0100::1".parse().unwrap()), here[2]);
        assert_eq!(vec![widest("192.0.2.1".parse().unwrap())], networks("192.0.2.1"));
    }
}
