//! Users, tokens, the log of acts, settings.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Id.
    pub id: String,
    /// Sign-in name.
    pub name: String,
    /// Name on screens.
    pub display_name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Party.
    pub party: String,
    /// Whether the account may sign in.
    pub enabled: bool,
    /// Whether a second factor is set up.
    pub second_factor: bool,
    /// Last sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in: Option<String>,
}

/// Users.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserPage {
    /// Users by name.
    pub items: Vec<User>,
}

/// `POST /users`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Sign-in name.
    pub name: String,
    /// Name on screens.
    #[serde(default)]
    pub display_name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// First password; at least 12 characters.
    pub password: String,
}

/// `PATCH /users/{id}`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Whether the account may sign in.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Roles.
    #[serde(default)]
    pub roles: Option<Vec<String>>,
    /// Name on screens.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// `POST /password`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PasswordChange {
    /// The present one.
    pub old: String,
    /// The new one; at least 12 characters.
    pub new: String,
}

/// A second factor that is being set up.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SecondFactorSetup {
    /// `otpauth://` address for the app.
    pub uri: String,
    /// The secret in base32, to type it in.
    pub secret: String,
}

/// `POST /second-factor/confirm`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SecondFactorCode {
    /// Six digits.
    pub code: String,
}

/// `POST /ingest-tokens`, `POST /api-tokens`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Name; for an ingest token also the name of the source.
    pub name: String,
    /// Roles of an API token.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// A token.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// The secret; only in the answer that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When it was made.
    pub created: String,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
}

/// Tokens.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenPage {
    /// Tokens by name.
    pub items: Vec<Token>,
}

/// One entry of the log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// Sequence number, without gaps.
    pub seq: u64,
    /// When.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What.
    pub verb: String,
    /// To what.
    pub object: String,
    /// Its content.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
    /// SHA-256 over salt and content.
    pub commitment: String,
}

/// A page of the log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// Entries, newest first.
    pub items: Vec<LogEntry>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `GET /settings`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// The configuration in effect, secrets masked.
    #[schema(value_type = Object)]
    pub config: serde_json::Value,
    /// What should be looked at.
    pub warnings: Vec<String>,
}
