//! Signing in, and what belongs to one person.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// `POST /session`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignIn {
    /// Name of the account.
    pub name: String,
    /// Password.
    pub password: String,
    /// Six digits of the second factor, when the account has one.
    #[serde(default)]
    pub code: Option<String>,
}

/// `POST /session/link`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignInByLink {
    /// The one-time token of the link.
    pub token: String,
}

/// Who is signed in, where.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The person.
    pub user: SessionUser,
    /// The site.
    pub site: SiteInfo,
    /// When the session ends by itself.
    pub expires: String,
    /// Free-form settings of the console for this person.
    pub preferences: BTreeMap<String, serde_json::Value>,
}

/// The person of a session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionUser {
    /// Id.
    pub id: String,
    /// Sign-in name.
    pub name: String,
    /// Name on screens.
    pub display_name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// `customer`, `provider` or a third party's id.
    pub party: String,
    /// Whether a second factor is set up.
    pub second_factor: bool,
}

/// The site.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SiteInfo {
    /// Name.
    pub name: String,
    /// Whether it plays the demonstration.
    pub demo: bool,
    /// Version of the program.
    pub version: String,
}

/// `PUT /drafts/{key}` and its answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Draft {
    /// The text; empty where nothing is kept.
    pub text: String,
}

/// `PUT /presence`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Presence {
    /// What the person looks at, such as `case:C-12`.
    pub object: String,
}

/// Who else looks at it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PresenceOthers {
    /// The others.
    pub others: Vec<PresenceOther>,
}

/// Somebody else.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PresenceOther {
    /// Name on screens.
    pub name: String,
    /// Since when.
    pub since: String,
}

/// A search that a person kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SavedSearch {
    /// Id.
    #[serde(default)]
    pub id: String,
    /// Name.
    pub name: String,
    /// Path and query of the console's address.
    pub url: String,
}
