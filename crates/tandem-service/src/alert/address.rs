//! Addresses and networks, as far as grouping needs them.

use std::net::{IpAddr, Ipv4Addr};

/// The address that `text` writes, IPv4-mapped IPv6 as IPv4, brackets and zone dropped.
pub(super) fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Whether it says nothing about who it was: loopback, unspecified.
pub(super) fn is_nobody(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

/// Whether it may be a machine of the site.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || is_shared(v4),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

fn is_shared(v4: Ipv4Addr) -> bool {
    let [first, second, ..] = v4.octets();
    first == 100 && (64..128).contains(&second)
}

/// Whether `address` lies in `network`, which is an address or `address/bits`.
pub(super) fn is_in(address: IpAddr, network: &str) -> bool {
    let Some((base, bits)) = network.split_once('/') else {
        return parse(network) == Some(address);
    };
    let (Some(base), Ok(bits)) = (parse(base), bits.trim().parse::<u32>()) else {
        return false;
    };
    match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) if bits <= 32 => {
            bits == 0 || (u32::from(address) ^ u32::from(base)) >> (32 - bits) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(base)) if bits <= 128 => {
            bits == 0 || (u128::from(address) ^ u128::from(base)) >> (128 - bits) == 0
        }
        _ => false,
    }
}

/// Whether `text` is an address or a network with a sensible length.
pub(super) fn is_network(text: &str) -> bool {
    match text.split_once('/') {
        None => parse(text).is_some(),
        Some((base, bits)) => match (parse(base), bits.trim().parse::<u32>()) {
            (Some(IpAddr::V4(_)), Ok(bits)) => bits <= 32,
            (Some(IpAddr::V6(_)), Ok(bits)) => bits <= 128,
            _ => false,
        },
    }
}
