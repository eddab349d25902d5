//! Signing in: by password and code, or by a one-time link; sessions on the server.

use crate::acts::{Deed, record};
use crate::error::Doing;
use crate::people::{User, from_row, load};
use crate::tokens::{digest, secret};
use crate::{Control, ControlError, password, second_factor};
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection};
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_service::{Actor, UserId};

const IDLE: Duration = Duration::from_hours(12);
const ABSOLUTE: Duration = Duration::from_hours(7 * 24);
const LINK: Duration = Duration::from_mins(15);
/// `last_seen` is written at most this often.
const SEEN_EVERY: Duration = Duration::from_mins(1);
const FREE_FAILURES: i64 = 5;
const WAIT_MAX: Duration = Duration::from_mins(15);
const FAILURES_FORGOTTEN: Duration = Duration::from_hours(1);
const SESSIONS_MAX: i64 = 20;

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name, password or code is wrong; which one is not said.
    #[error("name, password or code is wrong")]
    Failed,
    /// Name and password are right, the code is missing.
    #[error("this account needs a code as well")]
    SecondFactorRequired,
    /// Too many failures.
    #[error("too many failed attempts")]
    Throttled {
        /// When it may be tried again.
        until: Timestamp,
    },
    /// The link was used, has expired or never was.
    #[error("this link is not valid any more")]
    Link,
    /// The database refused.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// Somebody who has just signed in.
#[derive(Clone)]
pub struct SignedIn {
    /// For the cookie; only its hash is stored.
    pub token: String,
    /// Who.
    pub user: User,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A session that is alive.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose.
    pub user: User,
    /// For `decide`.
    pub actor: Actor,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

impl Control {
    /// Signs in by password, and code where the account has a second factor. `peer` is the address.
    pub async fn sign_in(
        &self,
        name: &str,
        given: &str,
        code: Option<&str>,
        peer: &str,
    ) -> Result<SignedIn, SignInError> {
        let name = name.trim();
        let keys =
            [format!("name:{}", name.to_lowercase().chars().take(64).collect::<String>()), format!("peer:{peer}")];
        self.not_throttled(&keys).await?;
        let row = sqlx::query("SELECT * FROM users WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .doing("read an account")?;
        let stored: Option<String> = match &row {
            Some(row) => row.try_get("password").doing("read an account")?,
            None => None,
        };
        let given = given.to_owned();
        let right = password::blocking(move || password::verify(&given, stored.as_deref())).await;
        let user = row.as_ref().map(from_row).transpose()?.filter(|user| right && user.enabled);
        let Some(user) = user else {
            self.count_failure(&keys).await?;
            return Err(SignInError::Failed);
        };
        let mut factor_at = None;
        if user.second_factor {
            let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
                return Err(SignInError::SecondFactorRequired);
            };
            if !second_factor::prove(self, user.id, code).await? {
                self.count_failure(&keys).await?;
                return Err(SignInError::Failed);
            }
            factor_at = Some(self.now());
        }
        self.begin_session(user, factor_at, peer, &keys, "password").await
    }

    /// A link that signs `user` in once within 15 minutes; answers its token.
    pub async fn link_create(&self, actor: &Actor, user: UserId) -> Result<String, ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        load(&mut tx, user).await?;
        let token = secret("link", &*self.chance);
        sqlx::query("INSERT INTO links (hash, user, created, expires) VALUES (?, ?, ?, ?)")
            .bind(&digest(&token)[..])
            .bind(user.to_string())
            .bind(now.micros())
            .bind(now.plus(LINK).micros())
            .execute(&mut *tx)
            .await
            .doing("store a link")?;
        let deed = Deed { verb: "link_create", object: format!("user:{user}"), detail: json!({"minutes": 15}) };
        record(&mut tx, &*self.chance, actor, deed, now).await?;
        tx.commit().await.doing("commit a link")?;
        Ok(token)
    }

    /// Signs in by a link; it is used up thereby. Only an act (a POST) may call this, never the opening of a page.
    pub async fn link_use(&self, token: &str, peer: &str) -> Result<SignedIn, SignInError> {
        let keys = [format!("peer:{peer}")];
        self.not_throttled(&keys).await?;
        let mut writer = self.write().await?;
        let used: Option<(String, i64)> = sqlx::query_as("DELETE FROM links WHERE hash = ? RETURNING user, expires")
            .bind(&digest(token)[..])
            .fetch_optional(&mut writer.conn)
            .await
            .doing("use a link")?;
        drop(writer);
        let alive = used.filter(|(_, expires)| *expires > self.now().micros());
        let Some((id, _)) = alive else {
            self.count_failure(&keys).await?;
            return Err(SignInError::Link);
        };
        let id = id.parse().map_err(|error| ControlError::stored("link", error))?;
        let user = self.user(id).await?;
        if !user.enabled {
            return Err(SignInError::Link);
        }
        self.begin_session(user, None, peer, &keys, "link").await
    }

    async fn begin_session(
        &self,
        mut user: User,
        second_factor_at: Option<Timestamp>,
        peer: &str,
        keys: &[String],
        by: &str,
    ) -> Result<SignedIn, SignInError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let token = secret("session", &*self.chance);
        let expires = now.plus(ABSOLUTE);
        sqlx::query("INSERT INTO sessions (hash, user, created, last_seen, expires, second_factor_at, peer) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(&digest(&token)[..])
            .bind(user.id.to_string())
            .bind(now.micros())
            .bind(now.micros())
            .bind(expires.micros())
            .bind(second_factor_at.map(Timestamp::micros))
            .bind(peer)
            .execute(&mut *tx)
            .await
            .doing("store a session")?;
        sqlx::query(
            "DELETE FROM sessions WHERE user = ?1 AND hash NOT IN \
             (SELECT hash FROM sessions WHERE user = ?1 ORDER BY created DESC LIMIT ?2)",
        )
        .bind(user.id.to_string())
        .bind(SESSIONS_MAX)
        .execute(&mut *tx)
        .await
        .doing("end old sessions")?;
        sqlx::query("UPDATE users SET last_sign_in = ? WHERE id = ?")
            .bind(now.micros())
            .bind(user.id.to_string())
            .execute(&mut *tx)
            .await
            .doing("note a sign-in")?;
        for key in keys {
            sqlx::query("DELETE FROM failed_sign_ins WHERE key = ?")
                .bind(key)
                .execute(&mut *tx)
                .await
                .doing("forget failed attempts")?;
        }
        let detail = json!({"by": by, "peer": peer, "second_factor": second_factor_at.is_some()});
        let deed = Deed { verb: "sign_in", object: format!("user:{}", user.id), detail };
        record(&mut tx, &*self.chance, &user.actor(), deed, now).await?;
        tx.commit().await.doing("commit a session")?;
        user.last_sign_in = Some(now);
        Ok(SignedIn { token, user, expires })
    }

    /// The session of this token, if it is alive: not expired, not idle for 12 hours, the account switched on.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, ControlError> {
        let hash = digest(token);
        let row = sqlx::query(
            "SELECT users.*, sessions.last_seen AS seen, sessions.expires AS ends, sessions.second_factor_at AS factor \
             FROM sessions JOIN users ON users.id = sessions.user WHERE sessions.hash = ?",
        )
        .bind(&hash[..])
        .fetch_optional(&self.readers)
        .await
        .doing("read a session")?;
        let Some(row) = row else { return Ok(None) };
        let now = self.now();
        let doing = "read a session";
        let seen = Timestamp::from_micros(row.try_get("seen").doing(doing)?);
        let expires = Timestamp::from_micros(row.try_get("ends").doing(doing)?);
        let user = from_row(&row)?;
        if now >= expires || now.since(seen) >= IDLE || !user.enabled {
            return Ok(None);
        }
        if now.since(seen) >= SEEN_EVERY {
            let mut writer = self.write().await?;
            sqlx::query("UPDATE sessions SET last_seen = ? WHERE hash = ?")
                .bind(now.micros())
                .bind(&hash[..])
                .execute(&mut writer.conn)
                .await
                .doing("note a session's use")?;
        }
        let factor: Option<i64> = row.try_get("factor").doing(doing)?;
        let actor = Actor { second_factor_at: factor.map(Timestamp::from_micros), ..user.actor() };
        Ok(Some(Session { user, actor, expires }))
    }

    /// Ends a session.
    pub async fn session_end(&self, token: &str) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let ended: Option<(String,)> = sqlx::query_as("DELETE FROM sessions WHERE hash = ? RETURNING user")
            .bind(&digest(token)[..])
            .fetch_optional(&mut *tx)
            .await
            .doing("end a session")?;
        if let Some((id,)) = ended {
            let id = id.parse().map_err(|error| ControlError::stored("session", error))?;
            let user = load(&mut tx, id).await?;
            let deed = Deed { verb: "sign_out", object: format!("user:{id}"), detail: json!({}) };
            record(&mut tx, &*self.chance, &user.actor(), deed, now).await?;
        }
        tx.commit().await.doing("commit the end of a session")
    }

    /// The code was given again within a session.
    pub async fn session_prove(&self, token: &str, user: UserId, code: &str) -> Result<bool, ControlError> {
        if !second_factor::prove(self, user, code).await? {
            return Ok(false);
        }
        let mut writer = self.write().await?;
        sqlx::query("UPDATE sessions SET second_factor_at = ? WHERE hash = ?")
            .bind(self.now().micros())
            .bind(&digest(token)[..])
            .execute(&mut writer.conn)
            .await
            .doing("note a proof")?;
        Ok(true)
    }

    async fn not_throttled(&self, keys: &[String]) -> Result<(), SignInError> {
        let now = self.now();
        for key in keys {
            let row: Option<(i64, i64)> = sqlx::query_as("SELECT count, last FROM failed_sign_ins WHERE key = ?")
                .bind(key)
                .fetch_optional(&self.readers)
                .await
                .doing("read failed attempts")?;
            let Some((count, last)) = row else { continue };
            // A whole office may sit behind one address.
            let free = if key.starts_with("peer:") { FREE_FAILURES * 4 } else { FREE_FAILURES };
            if count < free {
                continue;
            }
            let wait = Duration::from_secs(1_u64 << (count - free).clamp(0, 12)).min(WAIT_MAX);
            let until = Timestamp::from_micros(last).plus(wait);
            if now < until {
                return Err(SignInError::Throttled { until });
            }
        }
        Ok(())
    }

    async fn count_failure(&self, keys: &[String]) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        for key in keys {
            count(&mut writer.conn, key, now).await?;
        }
        Ok(())
    }
}

async fn count(conn: &mut SqliteConnection, key: &str, now: Timestamp) -> Result<(), ControlError> {
    sqlx::query(
        "INSERT INTO failed_sign_ins (key, count, last) VALUES (?1, 1, ?2) ON CONFLICT (key) DO UPDATE SET \
         count = CASE WHEN last < ?3 THEN 1 ELSE count + 1 END, last = ?2",
    )
    .bind(key)
    .bind(now.micros())
    .bind(now.minus(FAILURES_FORGOTTEN).micros())
    .execute(conn)
    .await
    .doing("count a failed attempt")?;
    Ok(())
}
