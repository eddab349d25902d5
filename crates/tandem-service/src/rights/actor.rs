//! People, programs and the parties that they belong to.

use crate::words::words;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use tandem_base::Timestamp;

tandem_base::id128!(
    /// One account.
    UserId,
    "user"
);

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A side of the agreement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// Whose site it is.
    Customer,
    /// Who helps to run it.
    Provider,
    /// Somebody else, by id: an outsourcer who runs the firewall.
    Third(Arc<str>),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Customer => "customer",
            Self::Provider => "provider",
            Self::Third(id) => id,
        })
    }
}

impl From<&str> for Party {
    fn from(text: &str) -> Self {
        match text {
            "customer" => Self::Customer,
            "provider" => Self::Provider,
            third => Self::Third(third.into()),
        }
    }
}

impl Serialize for Party {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Party {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?.as_str()))
    }
}

words! {
    /// What a person is trusted with. A role gives verbs and never suffices alone.
    Role {
        /// Reads.
        Viewer = "viewer",
        /// First look at cases.
        AnalystL1 = "analyst_l1",
        /// Analysis of what the first look sends up.
        AnalystL2 = "analyst_l2",
        /// Acts in an incident.
        Responder = "responder",
        /// Rules, parsers, tuning.
        ContentEngineer = "content_engineer",
        /// Keeps Tandem itself running.
        PlatformOperator = "platform_operator",
        /// Service levels and reports.
        ServiceManager = "service_manager",
        /// Approves for the party.
        Approver = "approver",
        /// Reads what everybody did.
        Auditor = "auditor",
        /// Users, tokens, settings.
        SiteAdmin = "site_admin",
    }
}

/// A set of roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoleSet(u16);

impl RoleSet {
    /// All ten.
    pub fn all() -> Self {
        Role::ALL.iter().copied().collect()
    }

    /// Whether `role` is in it.
    pub fn contains(self, role: Role) -> bool {
        self.0 & (1 << role as u16) != 0
    }

    /// The roles in it, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |role| self.contains(*role))
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | 1 << role as u16))
    }
}

/// Space-separated words, as stored.
impl fmt::Display for RoleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, role) in self.iter().enumerate() {
            write!(f, "{}{role}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl FromStr for RoleSet {
    type Err = crate::WordError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split_whitespace().map(str::parse).collect()
    }
}

words! {
    /// What an API token may be used for; a verb needs one scope.
    Scope {
        /// Verbs that change nothing.
        Read = "read",
        /// Acting on cases and detections.
        Act = "act",
        /// Content, sources, users, settings.
        Manage = "manage",
    }
}

/// What kind of actor asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorKind {
    /// A person with a session.
    Person,
    /// A token that a person made, limited to scopes.
    Token(Vec<Scope>),
    /// Tandem itself: pipeline, jobs.
    Program,
    /// Whoever may open the site's local socket or its data folder.
    Local,
}

/// Who asks, with everything about them that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account; of a program, all zero.
    pub id: UserId,
    /// The name that others see.
    pub name: Arc<str>,
    /// The party that the account belongs to.
    pub party: Party,
    /// Roles.
    pub roles: RoleSet,
    /// Person, token, program.
    pub kind: ActorKind,
    /// Whether the account is alive: not disabled, not expired.
    pub alive: bool,
    /// Whether the account has a second factor set up.
    pub second_factor_set: bool,
    /// When the second factor was last proved in this session.
    pub second_factor_at: Option<Timestamp>,
}

impl Actor {
    /// Tandem itself.
    pub fn program() -> Self {
        Self {
            id: UserId([0; 16]),
            name: "tandem".into(),
            party: Party::Customer,
            roles: RoleSet::all(),
            kind: ActorKind::Program,
            alive: true,
            second_factor_set: false,
            second_factor_at: None,
        }
    }

    /// The holder of the machine's own socket: a command on the command line.
    pub fn local() -> Self {
        Self { name: "local".into(), kind: ActorKind::Local, ..Self::program() }
    }

    /// A person of the customer; a start for builders and tests.
    pub fn person(id: UserId, name: &str, roles: RoleSet) -> Self {
        Self { id, name: name.into(), roles, kind: ActorKind::Person, ..Self::program() }
    }

    /// Whether a person stands behind it (a token acts for its owner).
    pub fn is_person(&self) -> bool {
        matches!(self.kind, ActorKind::Person | ActorKind::Token(_))
    }
}
