//! Rules as people switched them, and how often they fire.

use crate::acts::{Deed, record};
use crate::error::Doing;
use crate::{Control, ControlError};
use serde_json::json;
use sqlx::Connection;
use tandem_base::{Timestamp, fail};
use tandem_service::Actor;

/// How a person switched a rule; rules that nobody switched have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSwitch {
    /// The rule's id.
    pub rule: String,
    /// On or off.
    pub enabled: bool,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How often a rule fired live within an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleHits {
    /// The rule's id.
    pub rule: String,
    /// Beginning of the hour.
    pub hour: Timestamp,
    /// Detections.
    pub hits: u64,
}

impl Control {
    /// All switches.
    pub async fn rule_switches(&self) -> Result<Vec<RuleSwitch>, ControlError> {
        let rows: Vec<(String, bool, String, String, i64)> =
            sqlx::query_as("SELECT rule, enabled, reason, by_name, at FROM rule_switches ORDER BY rule")
                .fetch_all(&self.readers)
                .await
                .doing("list switched rules")?;
        Ok(rows
            .into_iter()
            .map(|(rule, enabled, reason, by, at)| RuleSwitch {
                rule,
                enabled,
                reason,
                by,
                at: Timestamp::from_micros(at),
            })
            .collect())
    }

    /// Switches a rule on or off; off needs a reason.
    pub async fn rule_switch(
        &self,
        actor: &Actor,
        rule: &str,
        enabled: bool,
        reason: &str,
    ) -> Result<(), ControlError> {
        let reason = reason.trim();
        if !enabled && reason.is_empty() {
            return Err(ControlError::invalid("reason", "a rule is switched off with a reason; write one sentence"));
        }
        if reason.chars().count() > 2_000 {
            return Err(ControlError::invalid("reason", "at most 2000 characters"));
        }
        let mut writer = self.write().await?;
        let now = self.now();
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        sqlx::query(
            "INSERT INTO rule_switches (rule, enabled, reason, by_name, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (rule) \
             DO UPDATE SET enabled = excluded.enabled, reason = excluded.reason, by_name = excluded.by_name, at = excluded.at",
        )
        .bind(rule)
        .bind(enabled)
        .bind(reason)
        .bind(&*actor.name)
        .bind(now.micros())
        .execute(&mut *tx)
        .await
        .doing("switch a rule")?;
        let detail = json!({"enabled": enabled, "reason": reason});
        record(
            &mut tx,
            &*self.chance,
            actor,
            Deed { verb: "rule_switch", object: format!("rule:{rule}"), detail },
            now,
        )
        .await?;
        fail::point("control.rule");
        tx.commit().await.doing("commit a switched rule")?;
        fail::point("control.rule.switched");
        Ok(())
    }

    /// Live hits by rule and hour since `since`, in order.
    pub async fn rule_hits(&self, since: Timestamp) -> Result<Vec<RuleHits>, ControlError> {
        let rows: Vec<(String, i64, i64)> =
            sqlx::query_as("SELECT rule, hour, hits FROM rule_hits WHERE hour >= ? ORDER BY rule, hour")
                .bind(since.seconds().div_euclid(3600))
                .fetch_all(&self.readers)
                .await
                .doing("read hits of rules")?;
        Ok(rows
            .into_iter()
            .map(|(rule, hour, hits)| RuleHits { rule, hour: Timestamp::from_seconds(hour * 3600), hits: hits as u64 })
            .collect())
    }
}
