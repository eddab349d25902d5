//! What the text of a value spells: a number, an instant, an address, a network, or just text.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tandem_base::Timestamp;
use tandem_model::Value;

/// A value to compare with. Its kind decides what it can be compared with (see [`Literal::parse`]).
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A whole number.
    Long(i64),
    /// A number with a fraction or an exponent, or too large for 64 bits.
    Double(f64),
    /// RFC 3339, or a date (midnight UTC).
    Instant(Timestamp),
    /// An IP address; never a v4-mapped one.
    Address(IpAddr),
    /// Anything else.
    Text(String),
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// The end.
    pub value: Literal,
    /// Whether the end itself is in the range: `[` and `]`, not `{` and `}`.
    pub inclusive: bool,
}

/// A network of IP addresses, host bits zero, never v4-mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Literal {
    /// What `text` spells.
    pub fn parse(text: &str) -> Self {
        if let Some(number) = Self::number(text) {
            return number;
        }
        if let Some(instant) = instant(text) {
            return Self::Instant(instant);
        }
        match parse_address(text) {
            Some(address) => Self::Address(address),
            None => Self::Text(text.to_owned()),
        }
    }

    /// The number as floating point, when it is one.
    pub(crate) fn as_double(&self) -> Option<f64> {
        match self {
            Self::Long(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The number as a value, when it is one.
    pub(crate) fn to_number(&self) -> Option<Value> {
        match self {
            Self::Long(number) => Some(Value::Long(*number)),
            Self::Double(number) => Some(Value::Double(*number)),
            _ => None,
        }
    }

    /// What kind it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Long(_) | Self::Double(_) => "a number",
            Self::Instant(_) => "a time",
            Self::Address(_) => "an address",
            Self::Text(_) => "a text",
        }
    }

    /// The number that `text` spells in decimal, without spaces; `inf` and `nan` are no numbers.
    pub fn number(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse() {
            return Some(Self::Long(number));
        }
        let digits = text.trim_start_matches(['-', '+', '.']);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Double)
    }
}

/// RFC 3339, or a date as midnight UTC.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' {
        return None;
    }
    if bytes.len() == 10 { format!("{text}T00:00:00Z").parse().ok() } else { text.parse().ok() }
}

/// The address that `text` spells; a v4-mapped IPv6 address is its IPv4 address.
pub fn parse_address(text: &str) -> Option<IpAddr> {
    // The longest form has 45 bytes; most texts that are no address end here.
    if text.len() > 45 || !text.contains(['.', ':']) {
        return None;
    }
    text.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// 16 bytes that order addresses: IPv6 as it is, IPv4 as v4-mapped IPv6.
pub fn address_key(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

impl Network {
    /// The network of `address` with a prefix of `prefix` bits; `None` when there are not that many.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let (address, prefix) = match address {
            IpAddr::V6(v6) if prefix >= 96 => match v6.to_ipv4_mapped() {
                Some(v4) => (IpAddr::V4(v4), prefix - 96),
                None => (address, prefix),
            },
            _ => (address, prefix),
        };
        let address = match address {
            IpAddr::V4(address) if prefix <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
            }
            IpAddr::V6(address) if prefix <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
            _ => return None,
        };
        Some(Self { address, prefix })
    }

    /// The network that `text` spells: `10.0.0.0/8`, `2001:db8::/32`; host bits are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        if prefix.is_empty() || prefix.len() > 3 || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::new(address.parse().ok()?, prefix.parse().ok()?)
    }

    /// First address.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// Bits that all its addresses share.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether `address` is in it; v4-mapped IPv6 is IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        let (first, last) = self.keys();
        let key = address_key(address);
        first <= key && key <= last
    }

    /// First and last [`address_key`] in it.
    pub fn keys(self) -> ([u8; 16], [u8; 16]) {
        let first = address_key(self.address);
        let host_bits = if self.address.is_ipv4() { 32 - self.prefix } else { 128 - self.prefix };
        let hosts = u128::MAX.checked_shr(128 - u32::from(host_bits)).unwrap_or(0);
        (first, (u128::from_be_bytes(first) | hosts).to_be_bytes())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// The text that parses to the same literal, without quotes.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Long(number) => write!(f, "{number}"),
            Self::Double(number) => write!(f, "{number:?}"),
            Self::Instant(instant) => write!(f, "{instant}"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_literals() {
        for (text, literal) in [
            ("10", Literal::Long(10)),
            ("-3", Literal::Long(-3)),
            ("1.5", Literal::Double(1.5)),
            ("1e3", Literal::Double(1000.0)),
            ("99999999999999999999", Literal::Double(1e20)),
            ("inf", Literal::Text("inf".to_owned())),
            ("1.2.3", Literal::Text("1.2.3".to_owned())),
            ("10.0.0.1", Literal::Address("10.0.0.1".parse().unwrap())),
            ("::ffff:10.0.0.1", Literal::Address("10.0.0.1".parse().unwrap())),
            ("1970-01-02", Literal::Instant(Timestamp::from_seconds(86_400))),
            ("1970-01-02T01:00:00+01:00", Literal::Instant(Timestamp::from_seconds(86_400))),
            ("1970-13-02", Literal::Text("1970-13-02".to_owned())),
            ("", Literal::Text(String::new())),
        ] {
            assert_eq!(Literal::parse(text), literal, "{text}");
            assert_eq!(Literal::parse(&literal.to_string()), literal, "{text}");
        }
    }

    #[test]
    fn networks_hold_mapped_addresses() {
        let network = Network::parse("10.1.2.3/8").unwrap();
        assert_eq!(network.to_string(), "10.0.0.0/8");
        assert_eq!(Network::parse("::ffff:10.0.0.0/104"), Some(network));
        assert!(network.contains("::ffff:10.255.255.255".parse().unwrap()));
        assert!(!network.contains("11.0.0.0".parse().unwrap()));
        assert!(!network.contains("a00::".parse().unwrap()));
        assert!(Network::parse("0.0.0.0/0").unwrap().contains("255.255.255.255".parse().unwrap()));
        assert!(!Network::parse("0.0.0.0/0").unwrap().contains("::1".parse().unwrap()));
        assert!(Network::parse("::/0").unwrap().contains("ffff::".parse().unwrap()));
        assert!(Network::parse("10.0.0.1/32").unwrap().contains("10.0.0.1".parse().unwrap()));
        for bad in ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "x/8", "10.0.0.0"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
