//! Networks in CIDR notation, IPv4 and IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: an address and the number of leading bits that count.
///
/// IPv4-mapped IPv6 (`::ffff:a.b.c.d`) and IPv4 are the same address. An IPv6 network that lies
/// within the mapped range is kept as the IPv4 network that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8` or `fe80::/10`; an address alone is a network of one. Bits behind the
    /// prefix are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            None => width,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
        };
        if prefix_bits > width {
            return None;
        }
        if let IpAddr::V6(v6) = address
            && prefix_bits >= 96
            && let Some(v4) = v6.to_ipv4_mapped()
        {
            return Some(Self::masked(IpAddr::V4(v4), prefix_bits - 96));
        }
        Some(Self::masked(address, prefix_bits))
    }

    fn masked(address: IpAddr, prefix_bits: u8) -> Self {
        let address = match address {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask_v4(prefix_bits))),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask_v6(prefix_bits))),
        };
        Self { address, prefix_bits }
    }

    /// The first address of the network.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The number of leading bits that count.
    pub fn prefix_bits(&self) -> u8 {
        self.prefix_bits
    }

    /// True if the network contains the address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(v4)) => v4.to_bits() & mask_v4(self.prefix_bits) == network.to_bits(),
            (IpAddr::V4(_), IpAddr::V6(v6)) => v6.to_ipv4_mapped().is_some_and(|v4| self.contains(IpAddr::V4(v4))),
            (IpAddr::V6(network), IpAddr::V6(v6)) => v6.to_bits() & mask_v6(self.prefix_bits) == network.to_bits(),
            (IpAddr::V6(_), IpAddr::V4(v4)) => self.contains(IpAddr::V6(v4.to_ipv6_mapped())),
        }
    }

    /// True if the text is an address in the network; a zone (`%eth0`) and white space around
    /// it are ignored, text that is no address is in no network.
    pub fn contains_text(&self, text: &str) -> bool {
        let text = text.trim();
        let address = text.split_once('%').map_or(text, |(address, _)| address);
        address.parse().is_ok_and(|address| self.contains(address))
    }
}

fn mask_v4(prefix_bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix_bits)).unwrap_or(0)
}

fn mask_v6(prefix_bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix_bits)).unwrap_or(0)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn membership() {
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("192.168.1.1", "192.168.1.1", true),
            ("192.168.1.1", "192.168.1.2", false),
            ("::1/128", "::1", true),
            ("fe80::/10", "fe80::1%eth0", true),
            ("fe80::/10", "fec0::1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("::ffff:10.0.0.0/104", "10.1.1.1", true),
            ("::/0", "10.1.1.1", true),
            ("10.0.0.0/8", "::1", false),
            ("10.0.0.0/8", "10.1.1", false),
            ("10.0.0.0/8", "host", false),
            ("10.0.0.0/8", "", false),
        ] {
            let parsed = Network::parse(network).expect(network);
            assert_eq!(parsed.contains_text(address), inside, "{address} in {network}");
        }
    }

    #[test]
    fn wrong_notation() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/+8", "a/8", "10.0.0.0/8/8"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
