//! What belongs to one person: preferences, drafts, saved searches. No acts: nobody else sees them.

use crate::error::Doing;
use crate::{Control, ControlError};
use serde_json::Value;
use tandem_base::{Timestamp, hex};
use tandem_service::UserId;

const PREFERENCES_MAX_BYTES: usize = 64 * 1024;
const DRAFT_MAX_BYTES: usize = 256 * 1024;
const DRAFTS_MAX: i64 = 500;
const SEARCHES_MAX: i64 = 500;

/// A search to come back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSearch {
    /// Its id.
    pub id: String,
    /// As the person calls it.
    pub name: String,
    /// The console's address of it.
    pub url: String,
    /// When it was kept.
    pub created: Timestamp,
}

impl Control {
    /// The person's preferences; an empty object at first.
    pub async fn preferences(&self, user: UserId) -> Result<Value, ControlError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT body FROM preferences WHERE user = ?")
            .bind(user.to_string())
            .fetch_optional(&self.readers)
            .await
            .doing("read preferences")?;
        let Some((body,)) = row else { return Ok(Value::Object(serde_json::Map::new())) };
        serde_json::from_str(&body).map_err(|error| ControlError::stored("preference", error))
    }

    /// Replaces them; an object of at most 64 KiB.
    pub async fn set_preferences(&self, user: UserId, preferences: &Value) -> Result<(), ControlError> {
        let body = preferences.to_string();
        if !preferences.is_object() || body.len() > PREFERENCES_MAX_BYTES {
            return Err(ControlError::invalid("preferences", "they are an object of at most 64 KiB"));
        }
        let mut writer = self.write().await?;
        sqlx::query(
            "INSERT INTO preferences (user, body) VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET body = excluded.body",
        )
        .bind(user.to_string())
        .bind(body)
        .execute(&mut writer.conn)
        .await
        .doing("store preferences")?;
        Ok(())
    }

    /// A draft of this person, for instance `case:C-12:note`.
    pub async fn draft(&self, user: UserId, key: &str) -> Result<Option<String>, ControlError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT text FROM drafts WHERE user = ? AND key = ?")
            .bind(user.to_string())
            .bind(key)
            .fetch_optional(&self.readers)
            .await
            .doing("read a draft")?;
        Ok(row.map(|(text,)| text))
    }

    /// Keeps a draft; `None` or an empty text removes it.
    pub async fn set_draft(&self, user: UserId, key: &str, text: Option<&str>) -> Result<(), ControlError> {
        if key.is_empty() || key.len() > 200 {
            return Err(ControlError::invalid("key", "a draft's key has 1 to 200 bytes"));
        }
        let mut writer = self.write().await?;
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            sqlx::query("DELETE FROM drafts WHERE user = ? AND key = ?")
                .bind(user.to_string())
                .bind(key)
                .execute(&mut writer.conn)
                .await
                .doing("remove a draft")?;
            return Ok(());
        };
        if text.len() > DRAFT_MAX_BYTES {
            return Err(ControlError::invalid("text", "a draft has at most 256 KiB"));
        }
        let now = self.now().micros();
        sqlx::query(
            "INSERT INTO drafts (user, key, text, at) VALUES (?, ?, ?, ?) \
             ON CONFLICT (user, key) DO UPDATE SET text = excluded.text, at = excluded.at",
        )
        .bind(user.to_string())
        .bind(key)
        .bind(text)
        .bind(now)
        .execute(&mut writer.conn)
        .await
        .doing("store a draft")?;
        sqlx::query(
            "DELETE FROM drafts WHERE user = ?1 AND key NOT IN \
             (SELECT key FROM drafts WHERE user = ?1 ORDER BY at DESC LIMIT ?2)",
        )
        .bind(user.to_string())
        .bind(DRAFTS_MAX)
        .execute(&mut writer.conn)
        .await
        .doing("remove old drafts")?;
        Ok(())
    }

    /// This person's saved searches, by name.
    pub async fn saved_searches(&self, user: UserId) -> Result<Vec<SavedSearch>, ControlError> {
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT id, name, url, created FROM saved_searches WHERE user = ? ORDER BY name COLLATE NOCASE, id",
        )
        .bind(user.to_string())
        .fetch_all(&self.readers)
        .await
        .doing("list saved searches")?;
        Ok(rows
            .into_iter()
            .map(|(id, name, url, created)| SavedSearch { id, name, url, created: Timestamp::from_micros(created) })
            .collect())
    }

    /// Keeps a search.
    pub async fn saved_search_add(&self, user: UserId, name: &str, url: &str) -> Result<SavedSearch, ControlError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 200 {
            return Err(ControlError::invalid("name", "a saved search has a name of 1 to 200 characters"));
        }
        // It is put into a link: only a path of the console itself.
        if !url.starts_with('/') || url.starts_with("//") || url.len() > 16 * 1024 || url.chars().any(char::is_control)
        {
            return Err(ControlError::invalid("url", "it is a path of the console, beginning with one slash"));
        }
        let mut writer = self.write().await?;
        let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM saved_searches WHERE user = ?")
            .bind(user.to_string())
            .fetch_one(&mut writer.conn)
            .await
            .doing("count saved searches")?;
        if count >= SEARCHES_MAX {
            return Err(ControlError::invalid("name", "500 searches are saved; delete some"));
        }
        let mut id = [0; 16];
        self.chance.fill(&mut id);
        let saved =
            SavedSearch { id: format!("search_{}", hex(&id)), name: name.into(), url: url.into(), created: self.now() };
        sqlx::query("INSERT INTO saved_searches (id, user, name, url, created) VALUES (?, ?, ?, ?, ?)")
            .bind(&saved.id)
            .bind(user.to_string())
            .bind(&saved.name)
            .bind(&saved.url)
            .bind(saved.created.micros())
            .execute(&mut writer.conn)
            .await
            .doing("store a saved search")?;
        Ok(saved)
    }

    /// Forgets a search of this person.
    pub async fn saved_search_delete(&self, user: UserId, id: &str) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let done = sqlx::query("DELETE FROM saved_searches WHERE user = ? AND id = ?")
            .bind(user.to_string())
            .bind(id)
            .execute(&mut writer.conn)
            .await
            .doing("remove a saved search")?;
        if done.rows_affected() == 0 {
            return Err(ControlError::not_found("saved search", id));
        }
        Ok(())
    }
}
