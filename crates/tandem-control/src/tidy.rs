//! Upkeep: what is no longer needed goes.

use crate::error::Doing;
use crate::{Control, ControlError};
use std::time::Duration;

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tidied {
    /// Signals in no case.
    pub signals: u64,
    /// Sessions and links that had ended.
    pub sessions: u64,
}

const ACTIVITY_KEPT: Duration = Duration::from_hours(8 * 24);
const HITS_KEPT: Duration = Duration::from_hours(400 * 24);

impl Control {
    /// Removes signals detected more than `keep_signals_days` ago (the event table has them as long as the
    /// events live), ended sessions and links, old counters. Meant to run hourly.
    pub async fn tidy(&self, keep_signals_days: u32) -> Result<Tidied, ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let conn = &mut writer.conn;
        let keep = Duration::from_hours(24 * u64::from(keep_signals_days.max(2)));
        let signals = sqlx::query(
            "DELETE FROM detections WHERE rowid IN (SELECT rowid FROM detections \
             WHERE case_no IS NULL AND detected < ? AND (run IS NULL OR group_no IS NULL) LIMIT 50000)",
        )
        .bind(now.minus(keep).micros())
        .execute(&mut *conn)
        .await
        .doing("remove old signals")?;
        sqlx::query("DELETE FROM overflow WHERE id IN (SELECT id FROM overflow WHERE detected < ? LIMIT 50000)")
            .bind(now.minus(keep).micros())
            .execute(&mut *conn)
            .await
            .doing("remove old notes")?;
        let mut sessions = 0;
        for sql in ["DELETE FROM sessions WHERE expires <= ?", "DELETE FROM links WHERE expires <= ?"] {
            let ended = sqlx::query(sql).bind(now.micros()).execute(&mut *conn).await.doing("remove ended sessions")?;
            sessions += ended.rows_affected();
        }
        for (sql, before) in [
            (
                "DELETE FROM source_activity WHERE slot < ?",
                now.minus(ACTIVITY_KEPT).seconds().div_euclid(crate::sources::SLOT_SECONDS),
            ),
            ("DELETE FROM rule_hits WHERE hour < ?", now.minus(HITS_KEPT).seconds().div_euclid(3600)),
            ("DELETE FROM failed_sign_ins WHERE last < ?", now.minus(Duration::from_hours(24)).micros()),
        ] {
            sqlx::query(sql).bind(before).execute(&mut *conn).await.doing("remove old counters")?;
        }
        tandem_base::fail::point("control.tidied");
        Ok(Tidied { signals: signals.rows_affected(), sessions })
    }
}
