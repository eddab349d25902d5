//! Accounts.

use crate::acts::{Deed, record};
use crate::error::Doing;
use crate::{Control, ControlError, password};
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_service::{Actor, Party, Role, RoleSet, UserId};

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// What is typed to sign in.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// Party.
    pub party: Party,
    /// Roles.
    pub roles: RoleSet,
    /// Whether it may be used.
    pub enabled: bool,
    /// Whether a second factor is set up.
    pub second_factor: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it last signed in.
    pub last_sign_in: Option<Timestamp>,
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// What is typed to sign in: 1 to 64 letters, digits, `.`, `_`, `-`, `@`.
    pub name: String,
    /// What others see; empty: the name.
    pub display_name: String,
    /// Party.
    pub party: Party,
    /// Roles.
    pub roles: RoleSet,
    /// The first password; `None`: only a sign-in link opens the account.
    pub password: Option<String>,
}

/// What changes of an account; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// What others see.
    pub display_name: Option<String>,
    /// Roles.
    pub roles: Option<RoleSet>,
    /// Switched on or off; off ends all its sessions.
    pub enabled: Option<bool>,
}

impl User {
    /// The account as an actor, before any session.
    pub fn actor(&self) -> Actor {
        Actor {
            party: self.party.clone(),
            alive: self.enabled,
            second_factor_set: self.second_factor,
            ..Actor::person(self.id, &self.display_name, self.roles)
        }
    }
}

impl Control {
    /// Makes an account.
    pub async fn user_create(&self, actor: &Actor, new: &NewUser) -> Result<User, ControlError> {
        let name = new.name.trim().to_owned();
        let fits =
            (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c));
        if !fits {
            return Err(ControlError::invalid("name", "a name has 1 to 64 letters, digits, `.`, `_`, `-` or `@`"));
        }
        let hashed = match &new.password {
            None => None,
            Some(given) => {
                password::check(given, &name)?;
                let (given, chance) = (given.clone(), Arc::clone(&self.chance));
                Some(password::blocking(move || password::hash(&given, &*chance)).await)
            }
        };
        let display_name = match new.display_name.trim() {
            "" => name.clone(),
            given => given.chars().take(100).collect(),
        };
        let mut writer = self.write().await?;
        let now = self.now();
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let taken: Option<(i64,)> = sqlx::query_as("SELECT 1 FROM users WHERE name = ?")
            .bind(&name)
            .fetch_optional(&mut *tx)
            .await
            .doing("look for a name")?;
        if taken.is_some() {
            return Err(ControlError::invalid("name", format!("there is already an account `{name}`")));
        }
        let user = User {
            id: UserId::random(&*self.chance),
            name,
            display_name,
            party: new.party.clone(),
            roles: new.roles,
            enabled: true,
            second_factor: false,
            created: now,
            last_sign_in: None,
        };
        sqlx::query("INSERT INTO users (id, name, display_name, party, roles, password, enabled, created) VALUES (?, ?, ?, ?, ?, ?, 1, ?)")
            .bind(user.id.to_string())
            .bind(&user.name)
            .bind(&user.display_name)
            .bind(user.party.to_string())
            .bind(user.roles.to_string())
            .bind(hashed)
            .bind(now.micros())
            .execute(&mut *tx)
            .await
            .doing("store an account")?;
        let detail = json!({"name": user.name, "roles": user.roles.to_string(), "party": user.party.to_string()});
        let deed = Deed { verb: "user_manage", object: format!("user:{}", user.id), detail };
        record(&mut tx, &*self.chance, actor, deed, now).await?;
        tx.commit().await.doing("commit an account")?;
        Ok(user)
    }

    /// All accounts, by name.
    pub async fn users(&self) -> Result<Vec<User>, ControlError> {
        let rows = sqlx::query("SELECT * FROM users ORDER BY name COLLATE NOCASE LIMIT 10000")
            .fetch_all(&self.readers)
            .await
            .doing("list accounts")?;
        rows.iter().map(from_row).collect()
    }

    /// One account.
    pub async fn user(&self, id: UserId) -> Result<User, ControlError> {
        let mut conn = self.readers.acquire().await.doing("get a connection")?;
        load(&mut conn, id).await
    }

    /// One account by the name that is typed to sign in.
    pub async fn user_by_name(&self, name: &str) -> Result<User, ControlError> {
        let row = sqlx::query("SELECT * FROM users WHERE name = ?")
            .bind(name.trim())
            .fetch_optional(&self.readers)
            .await
            .doing("read an account")?;
        from_row(&row.ok_or_else(|| ControlError::not_found("account", name))?)
    }

    /// Changes an account. The last enabled site admin of the customer stays one.
    pub async fn user_change(&self, actor: &Actor, id: UserId, change: &UserChange) -> Result<User, ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let mut user = load(&mut tx, id).await?;
        let was_admin = is_admin(&user);
        if let Some(name) = &change.display_name {
            let name = name.trim();
            if name.is_empty() || name.chars().count() > 100 {
                return Err(ControlError::invalid("display_name", "1 to 100 characters"));
            }
            name.clone_into(&mut user.display_name);
        }
        user.roles = change.roles.unwrap_or(user.roles);
        user.enabled = change.enabled.unwrap_or(user.enabled);
        if was_admin && !is_admin(&user) && !other_admin(&mut tx, id).await? {
            return Err(ControlError::invalid("roles", "this is the last site admin; make another one first"));
        }
        sqlx::query("UPDATE users SET display_name = ?, roles = ?, enabled = ? WHERE id = ?")
            .bind(&user.display_name)
            .bind(user.roles.to_string())
            .bind(user.enabled)
            .bind(id.to_string())
            .execute(&mut *tx)
            .await
            .doing("change an account")?;
        if !user.enabled {
            end_sessions(&mut tx, id, None).await?;
        }
        let detail = json!({"display_name": change.display_name, "roles": change.roles.map(|roles| roles.to_string()),
            "enabled": change.enabled});
        let deed = Deed { verb: "user_manage", object: format!("user:{id}"), detail };
        record(&mut tx, &*self.chance, actor, deed, now).await?;
        tx.commit().await.doing("commit an account")?;
        Ok(user)
    }

    /// Another password for oneself; the old one proves that it is oneself. Other sessions end, `keep` stays.
    pub async fn password_change(
        &self,
        actor: &Actor,
        old: &str,
        new: &str,
        keep: Option<&str>,
    ) -> Result<(), ControlError> {
        let row: Option<(Option<String>, String)> = sqlx::query_as("SELECT password, name FROM users WHERE id = ?")
            .bind(actor.id.to_string())
            .fetch_optional(&self.readers)
            .await
            .doing("read an account")?;
        let (stored, name) = row.ok_or_else(|| ControlError::not_found("account", actor.id))?;
        password::check(new, &name)?;
        let (old, new, chance) = (old.to_owned(), new.to_owned(), Arc::clone(&self.chance));
        // An account that was opened by a link has no old password to ask for.
        let hashed = password::blocking(move || {
            (stored.is_none() || password::verify(&old, stored.as_deref())).then(|| password::hash(&new, &*chance))
        })
        .await
        .ok_or_else(|| ControlError::invalid("old", "this is not the present password"))?;
        self.store_password(actor, actor.id, hashed, keep).await
    }

    /// Another password for somebody: by the command line, or by a site admin. All sessions of the account end.
    pub async fn password_set(&self, actor: &Actor, id: UserId, new: &str) -> Result<(), ControlError> {
        let user = self.user(id).await?;
        password::check(new, &user.name)?;
        let (new, chance) = (new.to_owned(), Arc::clone(&self.chance));
        let hashed = password::blocking(move || password::hash(&new, &*chance)).await;
        self.store_password(actor, id, hashed, None).await
    }

    async fn store_password(
        &self,
        actor: &Actor,
        id: UserId,
        hashed: String,
        keep: Option<&str>,
    ) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        sqlx::query("UPDATE users SET password = ? WHERE id = ?")
            .bind(hashed)
            .bind(id.to_string())
            .execute(&mut *tx)
            .await
            .doing("change a password")?;
        end_sessions(&mut tx, id, keep).await?;
        let deed = Deed { verb: "password_change", object: format!("user:{id}"), detail: json!({}) };
        record(&mut tx, &*self.chance, actor, deed, self.now()).await?;
        tx.commit().await.doing("commit a password")
    }
}

fn is_admin(user: &User) -> bool {
    user.enabled && user.party == Party::Customer && user.roles.contains(Role::SiteAdmin)
}

async fn other_admin(conn: &mut SqliteConnection, id: UserId) -> Result<bool, ControlError> {
    let rows = sqlx::query("SELECT * FROM users WHERE id <> ?")
        .bind(id.to_string())
        .fetch_all(conn)
        .await
        .doing("list accounts")?;
    let others: Result<Vec<User>, ControlError> = rows.iter().map(from_row).collect();
    Ok(others?.iter().any(is_admin))
}

pub(crate) async fn end_sessions(
    conn: &mut SqliteConnection,
    id: UserId,
    keep: Option<&str>,
) -> Result<(), ControlError> {
    let keep = keep.map(|token| crate::tokens::digest(token).to_vec()).unwrap_or_default();
    sqlx::query("DELETE FROM sessions WHERE user = ? AND hash <> ?")
        .bind(id.to_string())
        .bind(keep)
        .execute(conn)
        .await
        .doing("end sessions")?;
    Ok(())
}

pub(crate) async fn load(conn: &mut SqliteConnection, id: UserId) -> Result<User, ControlError> {
    let row = sqlx::query("SELECT * FROM users WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(conn)
        .await
        .doing("read an account")?;
    from_row(&row.ok_or_else(|| ControlError::not_found("account", id))?)
}

pub(crate) fn from_row(row: &SqliteRow) -> Result<User, ControlError> {
    let doing = "read an account";
    let text = |column: &str| row.try_get::<String, _>(column).doing(doing);
    Ok(User {
        id: text("id")?.parse().map_err(|error| ControlError::stored("account", error))?,
        name: text("name")?,
        display_name: text("display_name")?,
        party: Party::from(text("party")?.as_str()),
        roles: text("roles")?.parse().map_err(|error| ControlError::stored("account", error))?,
        enabled: row.try_get("enabled").doing(doing)?,
        second_factor: row.try_get("totp_set").doing(doing)?,
        created: Timestamp::from_micros(row.try_get("created").doing(doing)?),
        last_sign_in: row.try_get::<Option<i64>, _>("last_sign_in").doing(doing)?.map(Timestamp::from_micros),
    })
}
