//! Tokens of programs: API tokens of people, ingest tokens of senders. Shown once, stored as hashes.

use crate::acts::{Deed, record};
use crate::error::Doing;
use crate::people::from_row;
use crate::{Control, ControlError};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{Connection, QueryBuilder, Row, Sqlite};
use std::time::Duration;
use tandem_base::{Chance, Timestamp, hex};
use tandem_service::{Actor, ActorKind, RoleSet, Scope, UserId};

/// `last_used` is written at most this often.
const USED_EVERY: Duration = Duration::from_mins(1);

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A person's program, on the console listener.
    Api,
    /// A sender of logs, on the ingest listener.
    Ingest,
}

impl TokenKind {
    fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Ingest => "ingest",
        }
    }
}

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// As the person calls it.
    pub name: String,
    /// Of an API token: whose.
    pub user: Option<UserId>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
}

/// A token that was just made.
#[derive(Clone)]
pub struct NewToken {
    /// All but the secret.
    pub token: Token,
    /// The secret; shown once.
    pub secret: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("token", &self.token).finish_non_exhaustive()
    }
}

/// What an ingest token says about its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestToken {
    /// Its id.
    pub id: String,
    /// Its name: the source's name at first sight.
    pub name: String,
}

/// A fresh secret `tandem_<kind>_<64 hex digits>`.
pub(crate) fn secret(kind: &str, chance: &dyn Chance) -> String {
    let mut bytes = [0; 32];
    chance.fill(&mut bytes);
    format!("tandem_{kind}_{}", hex(&bytes))
}

/// What is stored of a secret of 256 random bits: no salt or stretching is needed.
pub(crate) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

impl Control {
    /// A token for a person's program: the person's own rights (`roles` narrows them), limited to `scopes`.
    pub async fn api_token_create(
        &self,
        actor: &Actor,
        name: &str,
        scopes: &[Scope],
        roles: Option<RoleSet>,
        days: Option<u32>,
    ) -> Result<NewToken, ControlError> {
        let scopes = scopes.iter().map(|scope| scope.word()).collect::<Vec<_>>().join(" ");
        let scopes = format!("{scopes}|{}", roles.map(|roles| roles.to_string()).unwrap_or_default());
        self.token_create(actor, TokenKind::Api, name, Some(actor.id), &scopes, days).await
    }

    /// A token for a sender of logs.
    pub async fn ingest_token_create(&self, actor: &Actor, name: &str) -> Result<NewToken, ControlError> {
        self.token_create(actor, TokenKind::Ingest, name, None, "", None).await
    }

    async fn token_create(
        &self,
        actor: &Actor,
        kind: TokenKind,
        name: &str,
        user: Option<UserId>,
        scopes: &str,
        days: Option<u32>,
    ) -> Result<NewToken, ControlError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(ControlError::invalid("name", "a token has a name of 1 to 100 characters"));
        }
        let mut id = [0; 8];
        self.chance.fill(&mut id);
        let secret = secret(kind.word(), &*self.chance);
        let now = self.now();
        let token = Token {
            id: format!("token_{}", hex(&id)),
            name: name.into(),
            user,
            created: now,
            expires: days.map(|days| now.plus(Duration::from_hours(24 * u64::from(days)))),
            last_used: None,
        };
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        sqlx::query(
            "INSERT INTO tokens (id, kind, name, user, scopes, hash, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&token.id)
        .bind(kind.word())
        .bind(name)
        .bind(user.map(|user| user.to_string()))
        .bind(scopes)
        .bind(&digest(&secret)[..])
        .bind(now.micros())
        .bind(token.expires.map(Timestamp::micros))
        .execute(&mut *tx)
        .await
        .doing("store a token")?;
        let verb = if kind == TokenKind::Ingest { "ingest_token" } else { "own" };
        let detail = json!({"made": kind.word(), "name": name, "scopes": scopes});
        record(&mut tx, &*self.chance, actor, Deed { verb, object: format!("token:{}", token.id), detail }, now)
            .await?;
        tx.commit().await.doing("commit a token")?;
        Ok(NewToken { token, secret })
    }

    /// Tokens of a kind, of one person or of all, by name.
    pub async fn tokens(&self, kind: TokenKind, user: Option<UserId>) -> Result<Vec<Token>, ControlError> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM tokens WHERE kind = ");
        sql.push_bind(kind.word());
        if let Some(user) = user {
            sql.push(" AND user = ").push_bind(user.to_string());
        }
        sql.push(" ORDER BY name COLLATE NOCASE, id LIMIT 10000");
        let rows = sql.build().fetch_all(&self.readers).await.doing("list tokens")?;
        let doing = "list tokens";
        rows.iter()
            .map(|row| {
                let user: Option<String> = row.try_get("user").doing(doing)?;
                Ok(Token {
                    id: row.try_get("id").doing(doing)?,
                    name: row.try_get("name").doing(doing)?,
                    user: user
                        .map(|user| user.parse())
                        .transpose()
                        .map_err(|error| ControlError::stored("token", error))?,
                    created: Timestamp::from_micros(row.try_get("created").doing(doing)?),
                    expires: row.try_get::<Option<i64>, _>("expires").doing(doing)?.map(Timestamp::from_micros),
                    last_used: row.try_get::<Option<i64>, _>("last_used").doing(doing)?.map(Timestamp::from_micros),
                })
            })
            .collect()
    }

    /// Ends a token of this kind; of API tokens, `owner` limits it to one's own.
    pub async fn token_end(
        &self,
        actor: &Actor,
        kind: TokenKind,
        id: &str,
        owner: Option<UserId>,
    ) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let done = sqlx::query("DELETE FROM tokens WHERE id = ?1 AND kind = ?2 AND (?3 IS NULL OR user = ?3)")
            .bind(id)
            .bind(kind.word())
            .bind(owner.map(|user| user.to_string()))
            .execute(&mut *tx)
            .await
            .doing("end a token")?;
        if done.rows_affected() == 0 {
            return Err(ControlError::not_found("token", id));
        }
        let verb = match (kind, owner) {
            (TokenKind::Ingest, _) => "ingest_token",
            (TokenKind::Api, Some(_)) => "own",
            (TokenKind::Api, None) => "token_manage",
        };
        let deed = Deed { verb, object: format!("token:{id}"), detail: json!({"ended": true}) };
        record(&mut tx, &*self.chance, actor, deed, self.now()).await?;
        tx.commit().await.doing("commit the end of a token")
    }

    /// Who an API token acts for; `None`: no such token, expired, or the account is switched off.
    pub async fn api_token_actor(&self, secret: &str) -> Result<Option<Actor>, ControlError> {
        let Some(found) = self.find(TokenKind::Api, secret).await? else { return Ok(None) };
        let row = sqlx::query("SELECT * FROM users WHERE id = ?")
            .bind(&found.user)
            .fetch_optional(&self.readers)
            .await
            .doing("read an account")?;
        let Some(user) = row.as_ref().map(from_row).transpose()?.filter(|user| user.enabled) else { return Ok(None) };
        let (scopes, narrowed) = found.scopes.split_once('|').unwrap_or((&found.scopes, ""));
        let scopes: Result<Vec<Scope>, _> = scopes.split_whitespace().map(str::parse).collect();
        let scopes = scopes.map_err(|error| ControlError::stored("token", error))?;
        let mut actor = user.actor();
        if !narrowed.is_empty() {
            let narrowed: RoleSet = narrowed.parse().map_err(|error| ControlError::stored("token", error))?;
            actor.roles = actor.roles.iter().filter(|role| narrowed.contains(*role)).collect();
        }
        actor.kind = ActorKind::Token(scopes);
        Ok(Some(actor))
    }

    /// The sender that an ingest token stands for.
    pub async fn ingest_token(&self, secret: &str) -> Result<Option<IngestToken>, ControlError> {
        let found = self.find(TokenKind::Ingest, secret).await?;
        Ok(found.map(|found| IngestToken { id: found.id, name: found.name }))
    }

    /// Every ingest token that is alive, by the SHA-256 of its secret: receivers look tokens up in memory.
    pub async fn ingest_token_hashes(&self) -> Result<Vec<([u8; 32], IngestToken)>, ControlError> {
        let rows: Vec<(Vec<u8>, String, String)> = sqlx::query_as(
            "SELECT hash, id, name FROM tokens WHERE kind = 'ingest' AND (expires IS NULL OR expires > ?) ORDER BY id",
        )
        .bind(self.now().micros())
        .fetch_all(&self.readers)
        .await
        .doing("list tokens")?;
        rows.into_iter()
            .map(|(hash, id, name)| {
                let hash = hash.try_into().map_err(|_| ControlError::stored("token", "its hash has no 32 bytes"))?;
                Ok((hash, IngestToken { id, name }))
            })
            .collect()
    }

    async fn find(&self, kind: TokenKind, secret: &str) -> Result<Option<Found>, ControlError> {
        let doing = "look for a token";
        let row = sqlx::query("SELECT * FROM tokens WHERE hash = ? AND kind = ?")
            .bind(&digest(secret)[..])
            .bind(kind.word())
            .fetch_optional(&self.readers)
            .await
            .doing(doing)?;
        let Some(row) = row else { return Ok(None) };
        let now = self.now();
        let expires: Option<i64> = row.try_get("expires").doing(doing)?;
        if expires.is_some_and(|expires| expires <= now.micros()) {
            return Ok(None);
        }
        let found = Found {
            id: row.try_get("id").doing(doing)?,
            name: row.try_get("name").doing(doing)?,
            user: row.try_get("user").doing(doing)?,
            scopes: row.try_get("scopes").doing(doing)?,
        };
        let used: Option<i64> = row.try_get("last_used").doing(doing)?;
        if used.is_none_or(|used| now.since(Timestamp::from_micros(used)) >= USED_EVERY) {
            let mut writer = self.write().await?;
            sqlx::query("UPDATE tokens SET last_used = ? WHERE id = ?")
                .bind(now.micros())
                .bind(&found.id)
                .execute(&mut writer.conn)
                .await
                .doing("note a token's use")?;
        }
        Ok(Some(found))
    }
}

struct Found {
    id: String,
    name: String,
    user: Option<String>,
    scopes: String,
}
