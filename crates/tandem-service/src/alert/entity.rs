//! Hosts, users and addresses as grouping compares them: folded, short name and FQDN one host.

use crate::alert::address;
use crate::words::words;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use tandem_model::Entities;

words! {
    /// What an entity is.
    EntityKind {
        /// A machine.
        Host = "host",
        /// An account.
        User = "user",
        /// A network address.
        Address = "address",
        /// The source that delivered it, where nothing else is known.
        Source = "source",
    }
}

/// A folded name: equal keys are one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityKey {
    /// Kind.
    pub kind: EntityKind,
    /// Folded name.
    pub value: String,
}

impl EntityKey {
    pub(crate) fn new(kind: EntityKind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into() }
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

/// Same rule and same primary entity: what joins first of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JoinKey {
    /// The rule.
    pub rule: String,
    /// Host, else user, else source address, else source.
    pub entity: EntityKey,
}

impl fmt::Display for JoinKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} @ {}", self.rule, self.entity)
    }
}

/// How many short names are remembered with their long forms.
const NAMES_MAX: usize = 200_000;

/// Which long host names stand behind a short one. The first FQDN of a short name is the same host as the
/// short name; a second, different FQDN is another host and keeps its full name.
#[derive(Debug, Clone, Default)]
pub struct Names {
    hosts: HashMap<String, String>,
}

impl Names {
    /// The folded key of a host's name; `None` where the name says nothing (empty, `-`, localhost, loopback).
    pub fn host(&mut self, name: &str) -> Option<EntityKey> {
        let folded = fold(name)?;
        let folded = folded.trim_end_matches('.').trim_start_matches("\\\\");
        if let Some(address) = address::parse(folded) {
            return (!address::is_nobody(address)).then(|| EntityKey::new(EntityKind::Host, address.to_string()));
        }
        let (short, domain) = folded.split_once('.').unwrap_or((folded, ""));
        if short.is_empty() || short == "localhost" {
            return None;
        }
        if domain.is_empty() || domain == "local" || domain == "localdomain" {
            return Some(EntityKey::new(EntityKind::Host, short));
        }
        let owner = remember(&mut self.hosts, short, domain);
        // `corp` and `corp.example.com` are one domain, cut differently.
        let same = owner == domain || is_label_prefix(owner, domain) || is_label_prefix(domain, owner);
        Some(EntityKey::new(EntityKind::Host, if same { short } else { folded }))
    }

    /// The folded key of a user's name; `None` where the name says nothing.
    pub fn user(name: &str) -> Option<EntityKey> {
        let folded = fold(name)?;
        if folded.starts_with("s-1-") {
            return Some(EntityKey::new(EntityKind::User, folded));
        }
        let (domain, short) = match (folded.split_once('\\'), folded.split_once('@')) {
            (Some((domain, short)), _) => (domain, short),
            (None, Some((short, domain))) => (domain.split('.').next().unwrap_or(domain), short),
            (None, None) => ("", folded.as_str()),
        };
        if short.is_empty() || short == "-" {
            return None;
        }
        if domain.is_empty() || domain == "." || domain == "-" {
            return Some(EntityKey::new(EntityKind::User, short));
        }
        // `corp.example.com\dana` and `CORP\dana` are one account. A name without a domain is an account of its
        // own: nobody knows whether it is the domain's or one machine's.
        let domain = domain.split('.').next().unwrap_or(domain);
        Some(EntityKey::new(EntityKind::User, format!("{domain}\\{short}")))
    }

    /// The folded key of an address; `None` for loopback, unspecified and what is no address.
    pub fn address(text: &str) -> Option<EntityKey> {
        let address = address::parse(&fold(text)?)?;
        (!address::is_nobody(address)).then(|| EntityKey::new(EntityKind::Address, address.to_string()))
    }

    /// All keys of a detection with the names as given: host, user, address, in this order.
    pub fn entities(&mut self, entities: &Entities) -> Vec<(EntityKey, String)> {
        let host = entities.host.as_deref().and_then(|name| Some((self.host(name)?, name.to_owned())));
        let user = entities.user.as_deref().and_then(|name| Some((Self::user(name)?, name.to_owned())));
        let address = entities.source_address.as_deref().and_then(|text| Some((Self::address(text)?, text.to_owned())));
        [host, user, address].into_iter().flatten().collect()
    }
}

/// Trimmed and folded; `None` for the many ways of saying nothing.
fn fold(name: &str) -> Option<String> {
    let name = name.trim();
    if matches!(name, "" | "-" | "--" | "?" | "(null)" | "null" | "NULL" | "N/A" | "n/a" | "unknown") {
        return None;
    }
    Some(name.chars().take(256).flat_map(char::to_lowercase).collect())
}

fn remember<'a>(owners: &'a mut HashMap<String, String>, short: &str, domain: &'a str) -> &'a str {
    if owners.len() >= NAMES_MAX && !owners.contains_key(short) {
        return domain;
    }
    owners.entry(short.to_owned()).or_insert_with(|| domain.to_owned())
}

fn is_label_prefix(short: &str, long: &str) -> bool {
    long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'))
}
