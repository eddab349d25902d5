//! One case to and from its row.

use crate::ControlError;
use crate::error::Doing;
use sqlx::{QueryBuilder, SqliteConnection};
use tandem_service::{Case, CaseId, Priority};

/// Version of the stored body's shape.
const FORMAT: i64 = 1;

pub(super) fn rank(priority: Priority) -> i64 {
    match priority {
        Priority::P1 => 1,
        Priority::P2 => 2,
        Priority::P3 => 3,
        Priority::P4 => 4,
    }
}

pub(crate) fn from_body(format: i64, body: &str) -> Result<Case, ControlError> {
    if format != FORMAT {
        return Err(ControlError::stored("case", format!("its format is {format}, this program knows {FORMAT}")));
    }
    serde_json::from_str(body).map_err(|error| ControlError::stored("case", error))
}

pub(crate) async fn load(conn: &mut SqliteConnection, id: CaseId) -> Result<Case, ControlError> {
    let row: Option<(i64, String)> = sqlx::query_as("SELECT format, body FROM cases WHERE no = ?")
        .bind(id.0 as i64)
        .fetch_optional(conn)
        .await
        .doing("read a case")?;
    let (format, body) = row.ok_or_else(|| ControlError::not_found("case", id))?;
    from_body(format, &body)
}

/// Writes the case and the keys by which similar ones are found.
pub(crate) async fn save(conn: &mut SqliteConnection, case: &Case) -> Result<(), ControlError> {
    save_row(conn, case).await?;
    save_keys(conn, case).await
}

/// Writes the case, whose keys are stored already.
pub(crate) async fn save_row(conn: &mut SqliteConnection, case: &Case) -> Result<(), ControlError> {
    let body = serde_json::to_string(case).map_err(|error| ControlError::stored("case", error))?;
    sqlx::query(
        "INSERT INTO cases (no, version, kind, state, open, priority, verdict, benign, owner, opened, updated, closed, \
         snoozed_until, search, format, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (no) DO UPDATE SET version = excluded.version, kind = excluded.kind, state = excluded.state, \
         open = excluded.open, priority = excluded.priority, verdict = excluded.verdict, benign = excluded.benign, \
         owner = excluded.owner, opened = excluded.opened, updated = excluded.updated, closed = excluded.closed, \
         snoozed_until = excluded.snoozed_until, search = excluded.search, format = excluded.format, body = excluded.body",
    )
    .bind(case.id.0 as i64)
    .bind(case.version as i64)
    .bind(case.kind.word())
    .bind(case.state.word())
    .bind(case.state.is_open())
    .bind(rank(case.gathered.priority))
    .bind(case.verdict.map(tandem_service::Verdict::word))
    .bind(case.verdict.is_some_and(tandem_service::Verdict::is_benign))
    .bind(case.owner.as_ref().map(|owner| owner.id.to_string()))
    .bind(case.instants.opened.micros())
    .bind(case.instants.updated.micros())
    .bind(case.instants.closed.map(tandem_base::Timestamp::micros))
    .bind(case.snoozed_until.map(tandem_base::Timestamp::micros))
    .bind(search_text(case))
    .bind(FORMAT)
    .bind(body)
    .execute(&mut *conn)
    .await
    .doing("store a case")?;
    Ok(())
}

async fn save_keys(conn: &mut SqliteConnection, case: &Case) -> Result<(), ControlError> {
    let (stored,): (i64,) = sqlx::query_as("SELECT count(*) FROM case_keys WHERE case_no = ?")
        .bind(case.id.0 as i64)
        .fetch_one(&mut *conn)
        .await
        .doing("count a case's keys")?;
    let keys = &case.gathered.keys;
    if stored as usize > keys.len() {
        sqlx::query("DELETE FROM case_keys WHERE case_no = ?")
            .bind(case.id.0 as i64)
            .execute(&mut *conn)
            .await
            .doing("remove a case's keys")?;
    } else if stored as usize == keys.len() {
        return Ok(());
    }
    for chunk in keys.chunks(200) {
        let mut insert = QueryBuilder::new("INSERT OR IGNORE INTO case_keys (case_no, rule, entity) ");
        insert.push_values(chunk, |mut row, key| {
            row.push_bind(case.id.0 as i64).push_bind(key.rule.clone()).push_bind(key.entity.to_string());
        });
        insert.build().execute(&mut *conn).await.doing("store a case's keys")?;
    }
    Ok(())
}

/// What a filter in the queue is compared with: number, title, entities, rules, tags; folded.
fn search_text(case: &Case) -> String {
    let mut text = format!("{}\n{}\n", case.id, case.gathered.title);
    for entity in case.gathered.entities.iter().take(100) {
        text.push_str(&entity.name);
        text.push('\n');
    }
    for rule in case.gathered.rules.iter().take(50) {
        text.push_str(&rule.title);
        text.push('\n');
    }
    for tag in &case.tags {
        text.push_str(tag);
        text.push('\n');
    }
    if let Some(owner) = &case.owner {
        text.push_str(&owner.name);
    }
    text.to_lowercase()
}
