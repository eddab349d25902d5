//! What the site is called, and where its readers stand.

use crate::acts::{Deed, record};
use crate::error::Doing;
use crate::{Control, ControlError};
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tandem_base::{Timestamp, fail, hex, unhex};
use tandem_service::Actor;

/// The site itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteInfo {
    /// As people call it.
    pub name: String,
    /// The name under which browsers reach it.
    pub public_name: String,
    /// 64 random bits of the present epoch.
    pub epoch: u64,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it plays the demo.
    pub demo: bool,
}

impl Control {
    /// Says what the site is; once.
    pub async fn site_init(&self, info: &SiteInfo) -> Result<(), ControlError> {
        if self.site().await?.is_some() {
            return Err(ControlError::invalid("site", "this site was already initialised"));
        }
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        for (key, value) in [
            ("name", info.name.clone()),
            ("public_name", info.public_name.clone()),
            ("epoch", hex(&info.epoch.to_be_bytes())),
            ("created", info.created.micros().to_string()),
            ("demo", info.demo.to_string()),
        ] {
            set(&mut tx, key, &value).await?;
        }
        let detail =
            json!({"name": info.name, "public_name": info.public_name, "epoch": hex(&info.epoch.to_be_bytes())});
        let done = Deed { verb: "site_init", object: "site".into(), detail };
        record(&mut tx, &*self.chance, &Actor::local(), done, self.now()).await?;
        tx.commit().await.doing("commit the site's name")
    }

    /// What the site is; `None` before `site_init`.
    pub async fn site(&self) -> Result<Option<SiteInfo>, ControlError> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT key, value FROM meta")
            .fetch_all(&self.readers)
            .await
            .doing("read the site's name")?;
        let get = |name: &str| rows.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let Some(name) = get("name") else { return Ok(None) };
        let epoch = get("epoch").and_then(|text| unhex(&text)).and_then(|bytes| bytes.try_into().ok());
        let epoch =
            epoch.map(u64::from_be_bytes).ok_or_else(|| ControlError::stored("site", "its epoch is no 16 digits"))?;
        Ok(Some(SiteInfo {
            name,
            public_name: get("public_name").unwrap_or_default(),
            epoch,
            created: Timestamp::from_micros(get("created").and_then(|text| text.parse().ok()).unwrap_or(0)),
            demo: get("demo").as_deref() == Some("true"),
        }))
    }

    /// A new epoch begins: after a restore.
    pub async fn set_epoch(&self, actor: &Actor, epoch: u64) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        set(&mut tx, "epoch", &hex(&epoch.to_be_bytes())).await?;
        let done =
            Deed { verb: "epoch_begin", object: "site".into(), detail: json!({"epoch": hex(&epoch.to_be_bytes())}) };
        record(&mut tx, &*self.chance, actor, done, self.now()).await?;
        tx.commit().await.doing("commit an epoch")
    }

    /// Where a reader stands (`detect`, `segments`…), as its owner wrote it.
    pub async fn position(&self, name: &str) -> Result<Option<Vec<u8>>, ControlError> {
        let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT value FROM positions WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .doing("read a position")?;
        Ok(row.map(|(value,)| value))
    }

    /// Sets where a reader stands. `judge` does it in the transaction of its detections.
    pub async fn set_position(&self, name: &str, value: &[u8]) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        fail::point("control.position");
        set_position(&mut writer.conn, name, value, self.now()).await?;
        fail::point("control.position.noted");
        Ok(())
    }
}

pub(crate) async fn set(conn: &mut SqliteConnection, key: &str, value: &str) -> Result<(), ControlError> {
    sqlx::query("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
        .bind(key)
        .bind(value)
        .execute(conn)
        .await
        .doing("store a value of the site")?;
    Ok(())
}

pub(crate) async fn set_position(
    conn: &mut SqliteConnection,
    name: &str,
    value: &[u8],
    now: Timestamp,
) -> Result<(), ControlError> {
    sqlx::query(
        "INSERT INTO positions (name, value, at) VALUES (?, ?, ?) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at",
    )
    .bind(name)
    .bind(value)
    .bind(now.micros())
    .execute(conn)
    .await
    .doing("store a position")?;
    Ok(())
}
