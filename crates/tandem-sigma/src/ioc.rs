//! Indicators of compromise: a million addresses, domains, URLs, hashes and mail addresses, looked up in the
//! stream.
//!
//! Of each indicator a keyed hash of 64 bits, its expiry and its source are kept, not its text: 15 bytes. What
//! matched is a part of the value that was looked up. By chance a value that is no indicator is taken for one
//! of a million once in 10^13 look-ups, and without the key nobody can make such a value.

mod normal;
mod table;

use std::net::IpAddr;

use crate::cidr::Network;
use crate::hash::{HashKey, Hasher};
use normal::{parents, plain_domain, plain_hash, plain_mail, plain_url};
use table::{NEVER, Row, Table};

/// What an indicator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IndicatorKind {
    /// An IPv4 or IPv6 address, or a network in CIDR notation.
    Address,
    /// A domain with all below it.
    Domain,
    /// A URL; the scheme and the fragment do not count.
    Url,
    /// MD5, SHA-1, SHA-256, SHA-384 or SHA-512 in hexadecimal digits.
    Hash,
    /// A mail address.
    Mail,
}

impl IndicatorKind {
    /// Every kind with its word.
    pub const ALL: [(&'static str, Self); 5] = [
        ("address", Self::Address),
        ("domain", Self::Domain),
        ("url", Self::Url),
        ("hash", Self::Hash),
        ("mail", Self::Mail),
    ];
}

/// One indicator, as a list has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indicator<'i> {
    /// What it is.
    pub kind: IndicatorKind,
    /// Its text; `hxxp` and `[.]` are understood.
    pub value: &'i str,
    /// The list that it is from.
    pub source: &'i str,
    /// When it ends, in milliseconds since 1970 (UTC); never, if `None`. Rounded up to the minute.
    pub expires_ms: Option<i64>,
}

/// Why an indicator was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndicatorError {
    /// The value is no address or network.
    #[error("the value is no IP address and no network in CIDR notation")]
    Address,
    /// The value is no domain, or a whole top-level domain.
    #[error("the value is no domain of at least two labels")]
    Domain,
    /// The value is no URL.
    #[error("the value is no URL with a host")]
    Url,
    /// The value is no hash.
    #[error("the value is no MD5, SHA-1, SHA-256, SHA-384 or SHA-512 in hexadecimal digits")]
    Hash,
    /// The value is no mail address.
    #[error("the value is no mail address")]
    Mail,
    /// There are too many different sources.
    #[error("there are more than {} sources", u16::MAX)]
    Sources,
    /// There are too many indicators.
    #[error("there are more than {INDICATORS_MAX} indicators")]
    Full,
}

/// Most indicators of one set.
pub const INDICATORS_MAX: usize = 50_000_000;

/// An indicator was found in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorMatch<'s> {
    /// What it is; looking up a URL or mail address also finds its domain or address.
    pub kind: IndicatorKind,
    /// The indicator in its plain form.
    pub indicator: String,
    /// The list that it is from.
    pub source: &'s str,
    /// When it ends; never, if `None`.
    pub expires_ms: Option<i64>,
}

/// Collects indicators.
#[derive(Clone, Debug)]
pub struct IndicatorSetBuilder {
    key: HashKey,
    rows: Vec<Row>,
    sources: Vec<Box<str>>,
    prefixes_v4: u64,
    prefixes_v6: [u128; 2],
}

/// Indicators, ready to be looked up.
#[derive(Clone, Debug)]
pub struct IndicatorSet {
    key: HashKey,
    table: Table,
    sources: Vec<Box<str>>,
    /// Lengths of prefixes that occur, the longest first.
    prefixes_v4: Vec<u8>,
    prefixes_v6: Vec<u8>,
}

impl IndicatorSetBuilder {
    /// No indicators. `seed` keys the hashes: draw it at random.
    pub fn new(seed: [u64; 2]) -> Self {
        Self {
            key: HashKey(seed[0], seed[1]),
            rows: Vec::new(),
            sources: Vec::new(),
            prefixes_v4: 0,
            prefixes_v6: [0; 2],
        }
    }

    /// Takes an indicator, or says why not.
    pub fn add(&mut self, indicator: &Indicator<'_>) -> Result<(), IndicatorError> {
        if self.rows.len() >= INDICATORS_MAX {
            return Err(IndicatorError::Full);
        }
        let value = refanged(indicator.value.trim());
        let hash = match indicator.kind {
            IndicatorKind::Address => {
                let network = Network::parse(&value).ok_or(IndicatorError::Address)?;
                let length = network.prefix_bits();
                match network.address() {
                    IpAddr::V4(_) => self.prefixes_v4 |= 1 << length,
                    IpAddr::V6(_) => self.prefixes_v6[usize::from(length / 128)] |= 1 << (length % 128),
                }
                of_network(self.key, network.address(), length)
            }
            IndicatorKind::Domain => {
                let domain = plain_domain(value.strip_prefix("*.").unwrap_or(&value)).ok_or(IndicatorError::Domain)?;
                of_text(self.key, IndicatorKind::Domain, &domain)
            }
            IndicatorKind::Url => {
                let (url, _) = plain_url(&value).ok_or(IndicatorError::Url)?;
                of_text(self.key, IndicatorKind::Url, &url)
            }
            IndicatorKind::Hash => {
                let hash = plain_hash(&value).ok_or(IndicatorError::Hash)?;
                of_text(self.key, IndicatorKind::Hash, &hash)
            }
            IndicatorKind::Mail => {
                let (mail, _) = plain_mail(&value).ok_or(IndicatorError::Mail)?;
                of_text(self.key, IndicatorKind::Mail, &mail)
            }
        };
        let source = self.source(indicator.source)?;
        let minutes = indicator.expires_ms.map_or(NEVER, |ms| {
            let minutes = ms.div_euclid(60_000).saturating_add(i64::from(ms.rem_euclid(60_000) > 0));
            u32::try_from(minutes.max(0)).unwrap_or(NEVER)
        });
        self.rows.push(Row { hash, minutes, source });
        Ok(())
    }

    fn source(&mut self, name: &str) -> Result<u16, IndicatorError> {
        // Lists come one after the other, so the last source is the likely one.
        if let Some(at) = self.sources.iter().rposition(|known| **known == *name) {
            return u16::try_from(at).map_err(|_| IndicatorError::Sources);
        }
        let at = u16::try_from(self.sources.len()).map_err(|_| IndicatorError::Sources)?;
        self.sources.push(name.into());
        Ok(at)
    }

    /// The set. Of an indicator that came several times, the one that ends last stays.
    pub fn build(self) -> IndicatorSet {
        let lengths_v4 = (0..=32).rev().filter(|length| self.prefixes_v4 & (1 << length) != 0).collect();
        let has_v6 = |length: &u8| self.prefixes_v6[usize::from(length / 128)] & (1 << (length % 128)) != 0;
        let lengths_v6 = (0..=128).rev().filter(has_v6).collect();
        IndicatorSet {
            key: self.key,
            table: Table::new(self.rows),
            sources: self.sources,
            prefixes_v4: lengths_v4,
            prefixes_v6: lengths_v6,
        }
    }
}

impl IndicatorSet {
    /// How many indicators there are, those that have ended included.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory that the set takes.
    pub fn memory_bytes(&self) -> usize {
        self.table.memory_bytes() + self.sources.iter().map(|source| source.len() + 16).sum::<usize>()
    }

    /// The indicator that `value` is, or lies in, at an instant. An address is looked up with all networks
    /// around it, the narrowest first; a domain with those above it; a URL also by its host, a mail address
    /// also by its domain; of `SHA256=…,MD5=…` each hash.
    pub fn find(&self, kind: IndicatorKind, value: &str, at_ms: i64) -> Option<IndicatorMatch<'_>> {
        let minute = at_ms.div_euclid(60_000).clamp(0, i64::from(NEVER)) as u32;
        match kind {
            IndicatorKind::Address => self.address(value, minute),
            IndicatorKind::Domain => self.domain(&plain_domain(value)?, minute),
            IndicatorKind::Url => {
                let (url, host) = plain_url(value)?;
                let whole = self.text(IndicatorKind::Url, &url, minute);
                whole.or_else(|| self.host(host, minute))
            }
            IndicatorKind::Hash => value.split([',', ';', ' ']).find_map(|part| {
                let hash = part.rsplit('=').next()?;
                self.text(IndicatorKind::Hash, &plain_hash(hash)?, minute)
            }),
            IndicatorKind::Mail => {
                let (mail, domain) = plain_mail(value)?;
                let whole = self.text(IndicatorKind::Mail, &mail, minute);
                whole.or_else(|| self.domain(&plain_domain(domain)?, minute))
            }
        }
    }

    fn host(&self, host: &str, minute: u32) -> Option<IndicatorMatch<'_>> {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        match address.parse::<IpAddr>() {
            Ok(_) => self.address(address, minute),
            Err(_) => self.domain(&plain_domain(host)?, minute),
        }
    }

    fn address(&self, value: &str, minute: u32) -> Option<IndicatorMatch<'_>> {
        let text = value.trim();
        let address: IpAddr = text.split_once('%').map_or(text, |(address, _)| address).parse().ok()?;
        let address = address.to_canonical();
        let lengths = if address.is_ipv4() { &self.prefixes_v4 } else { &self.prefixes_v6 };
        lengths.iter().find_map(|length| {
            let masked = masked(address, *length);
            let row = self.table.find(of_network(self.key, masked, *length), minute)?;
            let whole = *length == if address.is_ipv4() { 32 } else { 128 };
            let indicator = if whole { masked.to_string() } else { format!("{masked}/{length}") };
            Some(self.found(IndicatorKind::Address, indicator, row))
        })
    }

    fn domain(&self, domain: &str, minute: u32) -> Option<IndicatorMatch<'_>> {
        parents(domain).find_map(|name| self.text(IndicatorKind::Domain, name, minute))
    }

    fn text(&self, kind: IndicatorKind, text: &str, minute: u32) -> Option<IndicatorMatch<'_>> {
        let row = self.table.find(of_text(self.key, kind, text), minute)?;
        Some(self.found(kind, text.to_owned(), row))
    }

    fn found(&self, kind: IndicatorKind, indicator: String, row: Row) -> IndicatorMatch<'_> {
        let expires_ms = (row.minutes != NEVER).then(|| i64::from(row.minutes) * 60_000);
        let source = self.sources.get(usize::from(row.source)).map_or("", |source| source);
        IndicatorMatch { kind, indicator, source, expires_ms }
    }
}

/// Takes back what lists do to keep people from clicking.
fn refanged(value: &str) -> String {
    let value = value.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":").replace("[@]", "@");
    match value.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("hxxp") => format!("http{}", &value[4..]),
        _ => value,
    }
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

fn of_network(key: HashKey, address: IpAddr, length: u8) -> u64 {
    let mut hasher = Hasher::new(key);
    match address {
        IpAddr::V4(v4) => hasher.write(&v4.octets()),
        IpAddr::V6(v6) => hasher.write(&v6.octets()),
    }
    hasher.write(&[length, IndicatorKind::Address as u8]);
    hasher.finish()[0]
}

fn of_text(key: HashKey, kind: IndicatorKind, text: &str) -> u64 {
    let mut hasher = Hasher::new(key);
    hasher.write(text.as_bytes());
    hasher.write(&[kind as u8]);
    hasher.finish()[0]
}
