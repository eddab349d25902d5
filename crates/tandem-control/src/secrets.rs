//! Secrets that must be used again, sealed under the site key.

use crate::acts::{Deed, record};
use crate::error::Doing;
use crate::{Control, ControlError};
use serde_json::json;
use sqlx::Connection;
use tandem_service::Actor;

impl Control {
    /// Seals and keeps a secret (`smtp.password`…). The act names it, never its value.
    pub async fn secret_set(&self, actor: &Actor, name: &str, value: &[u8]) -> Result<(), ControlError> {
        let sealed = self.key.seal(&format!("secret:{name}"), value, &*self.chance);
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        sqlx::query("INSERT INTO secrets (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed")
            .bind(name)
            .bind(sealed)
            .execute(&mut *tx)
            .await
            .doing("store a secret")?;
        let deed = Deed { verb: "settings_edit", object: format!("secret:{name}"), detail: json!({"set": true}) };
        record(&mut tx, &*self.chance, actor, deed, self.now()).await?;
        tx.commit().await.doing("commit a secret")
    }

    /// A secret kept before.
    pub async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, ControlError> {
        let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT sealed FROM secrets WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .doing("read a secret")?;
        row.map(|(sealed,)| Ok(self.key.open(&format!("secret:{name}"), &sealed)?)).transpose()
    }
}
