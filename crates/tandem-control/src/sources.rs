//! Sources: who sends what, since when, and how well it is understood.

use crate::acts::{Deed, record};
use crate::error::Doing;
use crate::site::set_position;
use crate::{Control, ControlError};
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, QueryBuilder, Row, Sqlite};
use std::collections::BTreeSet;
use tandem_base::{Timestamp, fail};
use tandem_service::Actor;

/// Length of one slot of activity.
pub(crate) const SLOT_SECONDS: i64 = 1_800;
const FAILURES_KEPT: i64 = 20;
const RAW_MAX_CHARS: usize = 2_048;
const LOG_TYPES_MAX: usize = 100;

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its id.
    pub id: String,
    /// Its name, or what a person called it.
    pub name: String,
    /// How it sends.
    pub transport: String,
    /// First record.
    pub first_seen: Timestamp,
    /// Latest record.
    pub last_seen: Timestamp,
    /// Time of the latest event, as the sender says.
    pub last_event: Option<Timestamp>,
    /// Records received.
    pub records: u64,
    /// Events made of them.
    pub events: u64,
    /// Records that a parser took and failed on.
    pub parse_errors: u64,
    /// Events that no parser took.
    pub generic: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Log types seen.
    pub log_types: Vec<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// What people wrote about it.
    pub note: Option<String>,
    /// Whether its records are taken.
    pub allowed: bool,
}

/// What arrived from one source since it was last said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceDelta {
    /// The source's id.
    pub id: String,
    /// Its name at first sight.
    pub name: String,
    /// How it sends.
    pub transport: String,
    /// When the latest of it was received.
    pub received: Timestamp,
    /// Time of the latest event.
    pub last_event: Option<Timestamp>,
    /// Further records.
    pub records: u64,
    /// Further events.
    pub events: u64,
    /// Further records that a parser failed on.
    pub parse_errors: u64,
    /// Further events that no parser took.
    pub generic: u64,
    /// Further bytes.
    pub bytes: u64,
    /// Log types among them.
    pub log_types: Vec<String>,
    /// Some of the failures: raw text and why.
    pub failures: Vec<(String, String)>,
}

/// A record that could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFailure {
    /// When it was received.
    pub at: Timestamp,
    /// Its text, cut.
    pub raw: String,
    /// Why.
    pub error: String,
}

/// What a person changes; `None` leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceChange {
    /// Another name.
    pub name: Option<String>,
    /// Another owner; empty: none.
    pub owner: Option<String>,
    /// Another note; empty: none.
    pub note: Option<String>,
    /// Allow or refuse it.
    pub allowed: Option<bool>,
}

/// What arrived within half an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The source.
    pub source: String,
    /// Beginning of the half hour.
    pub from: Timestamp,
    /// Records.
    pub records: u64,
    /// Events.
    pub events: u64,
    /// Events that a parser could not finish.
    pub parse_errors: u64,
    /// Events that no parser took.
    pub generic: u64,
}

impl Control {
    /// Counts what arrived; an unknown source appears by itself. No act: nobody did anything. `position`, a name and
    /// a value, is set in the same transaction: whoever counts again after a crash begins where these counts end.
    pub async fn sources_add(
        &self,
        deltas: &[SourceDelta],
        position: Option<(&str, &[u8])>,
    ) -> Result<(), ControlError> {
        if deltas.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        for delta in deltas {
            let known: Option<(String,)> = sqlx::query_as("SELECT log_types FROM sources WHERE id = ?")
                .bind(&delta.id)
                .fetch_optional(&mut *tx)
                .await
                .doing("read a source")?;
            let mut log_types: BTreeSet<String> = known
                .iter()
                .flat_map(|(text,)| text.split('\n'))
                .filter(|each| !each.is_empty())
                .map(Into::into)
                .collect();
            log_types.extend(delta.log_types.iter().cloned());
            let log_types: Vec<String> = log_types.into_iter().take(LOG_TYPES_MAX).collect();
            sqlx::query(
                "INSERT INTO sources (id, name, transport, first_seen, last_seen, last_event, records, events, \
                 parse_errors, generic, bytes, log_types) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
                 ON CONFLICT (id) DO UPDATE SET transport = excluded.transport, \
                 last_seen = max(last_seen, excluded.last_seen), \
                 last_event = coalesce(max(last_event, excluded.last_event), last_event, excluded.last_event), \
                 records = records + excluded.records, events = events + excluded.events, \
                 parse_errors = parse_errors + excluded.parse_errors, generic = generic + excluded.generic, \
                 bytes = bytes + excluded.bytes, log_types = excluded.log_types",
            )
            .bind(&delta.id)
            .bind(&delta.name)
            .bind(&delta.transport)
            .bind(delta.received.micros())
            .bind(delta.last_event.map(Timestamp::micros))
            .bind(delta.records as i64)
            .bind(delta.events as i64)
            .bind(delta.parse_errors as i64)
            .bind(delta.generic as i64)
            .bind(delta.bytes as i64)
            .bind(log_types.join("\n"))
            .execute(&mut *tx)
            .await
            .doing("count a source")?;
            sqlx::query(
                "INSERT INTO source_activity (source, slot, records, events, parse_errors, generic) VALUES (?, ?, ?, ?, ?, ?) \
                 ON CONFLICT (source, slot) DO UPDATE SET records = records + excluded.records, \
                 events = events + excluded.events, parse_errors = parse_errors + excluded.parse_errors, \
                 generic = generic + excluded.generic",
            )
            .bind(&delta.id)
            .bind(delta.received.seconds().div_euclid(SLOT_SECONDS))
            .bind(delta.records as i64)
            .bind(delta.events as i64)
            .bind(delta.parse_errors as i64)
            .bind(delta.generic as i64)
            .execute(&mut *tx)
            .await
            .doing("count a source")?;
            for (raw, error) in delta.failures.iter().take(FAILURES_KEPT as usize) {
                sqlx::query("INSERT INTO parse_failures (source, at, raw, error) VALUES (?, ?, ?, ?)")
                    .bind(&delta.id)
                    .bind(delta.received.micros())
                    .bind(raw.chars().take(RAW_MAX_CHARS).collect::<String>())
                    .bind(error.chars().take(RAW_MAX_CHARS).collect::<String>())
                    .execute(&mut *tx)
                    .await
                    .doing("keep a parse failure")?;
            }
            if !delta.failures.is_empty() {
                sqlx::query(
                    "DELETE FROM parse_failures WHERE source = ?1 AND rowid NOT IN \
                     (SELECT rowid FROM parse_failures WHERE source = ?1 ORDER BY at DESC, rowid DESC LIMIT ?2)",
                )
                .bind(&delta.id)
                .bind(FAILURES_KEPT)
                .execute(&mut *tx)
                .await
                .doing("remove old parse failures")?;
            }
        }
        if let Some((name, value)) = position {
            set_position(&mut tx, name, value, now).await?;
        }
        fail::point("control.sources");
        tx.commit().await.doing("commit counts of sources")?;
        fail::point("control.sources.counted");
        Ok(())
    }

    /// All sources, by name.
    pub async fn sources(&self) -> Result<Vec<Source>, ControlError> {
        let rows = sqlx::query("SELECT * FROM sources ORDER BY name COLLATE NOCASE, id LIMIT 100000")
            .fetch_all(&self.readers)
            .await
            .doing("list sources")?;
        rows.iter().map(source).collect()
    }

    /// One source.
    pub async fn source(&self, id: &str) -> Result<Source, ControlError> {
        let row = sqlx::query("SELECT * FROM sources WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .doing("read a source")?;
        source(&row.ok_or_else(|| ControlError::not_found("source", id))?)
    }

    /// What a person says of a source.
    pub async fn source_change(&self, actor: &Actor, id: &str, change: &SourceChange) -> Result<Source, ControlError> {
        for (field, text, max) in
            [("name", &change.name, 200), ("owner", &change.owner, 200), ("note", &change.note, 20_000)]
        {
            if text.as_ref().is_some_and(|text| text.chars().count() > max) {
                return Err(ControlError::invalid(field, format!("at most {max} characters")));
            }
        }
        if change.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err(ControlError::invalid("name", "a source has a name"));
        }
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let done = sqlx::query(
            "UPDATE sources SET name = coalesce(?1, name), \
             owner = CASE WHEN ?2 IS NULL THEN owner WHEN ?2 = '' THEN NULL ELSE ?2 END, \
             note = CASE WHEN ?3 IS NULL THEN note WHEN ?3 = '' THEN NULL ELSE ?3 END, \
             allowed = coalesce(?4, allowed) WHERE id = ?5",
        )
        .bind(&change.name)
        .bind(&change.owner)
        .bind(&change.note)
        .bind(change.allowed)
        .bind(id)
        .execute(&mut *tx)
        .await
        .doing("change a source")?;
        if done.rows_affected() == 0 {
            return Err(ControlError::not_found("source", id));
        }
        let verb = if change.allowed.is_some() { "source_allow" } else { "source_edit" };
        let detail =
            json!({"name": change.name, "owner": change.owner, "note": change.note, "allowed": change.allowed});
        record(&mut tx, &*self.chance, actor, Deed { verb, object: format!("source:{id}"), detail }, self.now())
            .await?;
        fail::point("control.source");
        tx.commit().await.doing("commit a source")?;
        fail::point("control.source.changed");
        drop(writer);
        self.source(id).await
    }

    /// The latest records of a source that could not be parsed, latest first.
    pub async fn parse_failures(&self, id: &str) -> Result<Vec<ParseFailure>, ControlError> {
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT at, raw, error FROM parse_failures WHERE source = ? ORDER BY at DESC, rowid DESC")
                .bind(id)
                .fetch_all(&self.readers)
                .await
                .doing("list parse failures")?;
        Ok(rows
            .into_iter()
            .map(|(at, raw, error)| ParseFailure { at: Timestamp::from_micros(at), raw, error })
            .collect())
    }

    /// What arrived from `source` (or all) since `since`, by half hours; a half hour without records is left out.
    pub async fn activity(&self, source: Option<&str>, since: Timestamp) -> Result<Vec<Activity>, ControlError> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM source_activity WHERE slot >= ");
        sql.push_bind(since.seconds().div_euclid(SLOT_SECONDS));
        if let Some(source) = source {
            sql.push(" AND source = ").push_bind(source.to_owned());
        }
        sql.push(" ORDER BY source, slot");
        let rows = sql.build().fetch_all(&self.readers).await.doing("read activity")?;
        let doing = "read activity";
        rows.iter()
            .map(|row| {
                Ok(Activity {
                    source: row.try_get("source").doing(doing)?,
                    from: Timestamp::from_seconds(row.try_get::<i64, _>("slot").doing(doing)? * SLOT_SECONDS),
                    records: row.try_get::<i64, _>("records").doing(doing)? as u64,
                    events: row.try_get::<i64, _>("events").doing(doing)? as u64,
                    parse_errors: row.try_get::<i64, _>("parse_errors").doing(doing)? as u64,
                    generic: row.try_get::<i64, _>("generic").doing(doing)? as u64,
                })
            })
            .collect()
    }
}

fn source(row: &SqliteRow) -> Result<Source, ControlError> {
    let doing = "read a source";
    let count = |column: &str| row.try_get::<i64, _>(column).doing(doing).map(|count| count as u64);
    let log_types: String = row.try_get("log_types").doing(doing)?;
    Ok(Source {
        id: row.try_get("id").doing(doing)?,
        name: row.try_get("name").doing(doing)?,
        transport: row.try_get("transport").doing(doing)?,
        first_seen: Timestamp::from_micros(row.try_get("first_seen").doing(doing)?),
        last_seen: Timestamp::from_micros(row.try_get("last_seen").doing(doing)?),
        last_event: row.try_get::<Option<i64>, _>("last_event").doing(doing)?.map(Timestamp::from_micros),
        records: count("records")?,
        events: count("events")?,
        parse_errors: count("parse_errors")?,
        generic: count("generic")?,
        bytes: count("bytes")?,
        log_types: log_types.split('\n').filter(|each| !each.is_empty()).map(Into::into).collect(),
        owner: row.try_get("owner").doing(doing)?,
        note: row.try_get("note").doing(doing)?,
        allowed: row.try_get("allowed").doing(doing)?,
    })
}
