//! Runs over history: imports, rules run over stored events; their groups stay out of the queue.

use crate::acts::{Deed, record};
use crate::cases::{CaseChanged, Enter, enter_history, save};
use crate::control::Writer;
use crate::error::Doing;
use crate::{Control, ControlError};
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};
use tandem_base::{Timestamp, fail};
use tandem_model::RunId;
use tandem_service::{Actor, Case, CaseId, Gathered, promote};

const FORMAT: i64 = 1;

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it is: a folder, a file, a rule.
    pub title: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it goes on.
    pub ended: Option<Timestamp>,
    /// Files read.
    pub files: u64,
    /// Records read.
    pub records: u64,
    /// Events made of them.
    pub events: u64,
    /// Detections, signals too.
    pub detections: u64,
}

/// What a run has done since it was last said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunProgress {
    /// Further files.
    pub files: u64,
    /// Further records.
    pub records: u64,
    /// Further events.
    pub events: u64,
}

/// What a run found that belongs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunGroup {
    /// Its number within the run: what `run_promote` takes.
    pub number: u64,
    /// What was gathered.
    pub gathered: Gathered,
    /// The case that a person made of it.
    pub promoted: Option<CaseId>,
}

impl Control {
    /// A run begins.
    pub async fn run_start(&self, actor: &Actor, id: RunId, title: &str) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let title: String = title.chars().take(500).collect();
        sqlx::query(
            "INSERT INTO runs (id, title, started, files, records, events, detections) VALUES (?, ?, ?, 0, 0, 0, 0)",
        )
        .bind(&id.0[..])
        .bind(&title)
        .bind(now.micros())
        .execute(&mut *tx)
        .await
        .doing("store a run")?;
        let deed = Deed { verb: "run_import", object: format!("run:{id}"), detail: json!({"title": title}) };
        record(&mut tx, &*self.chance, actor, deed, now).await?;
        tx.commit().await.doing("commit a run")?;
        fail::point("control.run");
        Ok(())
    }

    /// Counts what a run has done since it was last said.
    pub async fn run_progress(&self, id: RunId, progress: RunProgress) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        sqlx::query("UPDATE runs SET files = files + ?, records = records + ?, events = events + ? WHERE id = ?")
            .bind(progress.files as i64)
            .bind(progress.records as i64)
            .bind(progress.events as i64)
            .bind(&id.0[..])
            .execute(&mut writer.conn)
            .await
            .doing("count a run's progress")?;
        Ok(())
    }

    /// A run is complete: nothing more is grouped under it.
    pub async fn run_end(&self, id: RunId) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        sqlx::query("UPDATE runs SET ended = ? WHERE id = ? AND ended IS NULL")
            .bind(now.micros())
            .bind(&id.0[..])
            .execute(&mut writer.conn)
            .await
            .doing("end a run")?;
        writer.grouper.end_run(id);
        Ok(())
    }

    /// The latest runs.
    pub async fn runs(&self, limit: u32) -> Result<Vec<Run>, ControlError> {
        let rows = sqlx::query(
            "SELECT *, (SELECT count(*) FROM detections WHERE detections.run = runs.id) AS found FROM runs \
             ORDER BY started DESC LIMIT ?",
        )
        .bind(limit.min(1_000))
        .fetch_all(&self.readers)
        .await
        .doing("list runs")?;
        rows.iter().map(run).collect()
    }

    /// One run.
    pub async fn run(&self, id: RunId) -> Result<Run, ControlError> {
        let row = sqlx::query(
            "SELECT *, (SELECT count(*) FROM detections WHERE detections.run = runs.id) AS found FROM runs WHERE id = ?",
        )
        .bind(&id.0[..])
        .fetch_optional(&self.readers)
        .await
        .doing("read a run")?;
        run(&row.ok_or_else(|| ControlError::not_found("run", id))?)
    }

    /// A run's groups, the most urgent first.
    pub async fn run_groups(&self, id: RunId) -> Result<Vec<RunGroup>, ControlError> {
        let rows = sqlx::query(
            "SELECT no, promoted, format, body FROM run_groups WHERE run = ? AND absorbed_by IS NULL ORDER BY no LIMIT 10000",
        )
        .bind(&id.0[..])
        .fetch_all(&self.readers)
        .await
        .doing("list a run's groups")?;
        let mut groups = Vec::with_capacity(rows.len());
        for row in &rows {
            let promoted: Option<i64> = row.try_get("promoted").doing("list a run's groups")?;
            groups.push(RunGroup {
                number: row.try_get::<i64, _>("no").doing("list a run's groups")? as u64,
                gathered: gathered(row)?,
                promoted: promoted.map(|no| CaseId(no as u64)),
            });
        }
        groups.sort_by_key(|group| (group.gathered.priority, group.number));
        Ok(groups)
    }

    /// A person makes a case of a run's group. Doing it again answers the same case.
    pub async fn run_promote(&self, actor: &Actor, id: RunId, number: u64) -> Result<Case, ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let Writer { conn, grouper, ahead, .. } = &mut *writer;
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let row = sqlx::query(
            "SELECT no, promoted, format, body FROM run_groups WHERE run = ? AND no = ? AND absorbed_by IS NULL",
        )
        .bind(&id.0[..])
        .bind(number as i64)
        .fetch_optional(&mut *tx)
        .await
        .doing("read a run's group")?
        .ok_or_else(|| ControlError::not_found("group of this run", number))?;
        if let Some(no) = row.try_get::<Option<i64>, _>("promoted").doing("read a run's group")? {
            return crate::cases::load(&mut tx, CaseId(no as u64)).await;
        }
        let gathered = gathered(&row)?;
        *ahead = true;
        let case = promote(grouper.take_number(), actor, &id.to_string(), gathered, now);
        save(&mut tx, &case).await?;
        sqlx::query("UPDATE run_groups SET promoted = ? WHERE run = ? AND no = ?")
            .bind(case.id.0 as i64)
            .bind(&id.0[..])
            .bind(number as i64)
            .execute(&mut *tx)
            .await
            .doing("mark a group as promoted")?;
        sqlx::query("UPDATE detections SET case_no = ? WHERE run = ? AND group_no = ?")
            .bind(case.id.0 as i64)
            .bind(&id.0[..])
            .bind(number as i64)
            .execute(&mut *tx)
            .await
            .doing("give detections to a case")?;
        let detail = json!({"run": id.to_string(), "group": number, "title": case.gathered.title});
        let deed = Deed { verb: "run_promote", object: format!("case:{}", case.id), detail };
        let seq = record(&mut tx, &*self.chance, actor, deed, now).await?;
        let enter = Enter { word: "promoted", changes: &[], undo: None };
        enter_history(&mut tx, &case, seq, actor, enter, now).await?;
        tx.commit().await.doing("commit a promotion")?;
        grouper.sync(&case);
        *ahead = false;
        self.tell(CaseChanged { id: case.id, version: case.version, change: "opened".into() });
        Ok(case)
    }
}

fn run(row: &SqliteRow) -> Result<Run, ControlError> {
    let doing = "read a run";
    let id: Vec<u8> = row.try_get("id").doing(doing)?;
    let count = |column: &str| row.try_get::<i64, _>(column).doing(doing).map(|count| count as u64);
    Ok(Run {
        id: RunId(id.try_into().map_err(|_| ControlError::stored("run", "its id has no 16 bytes"))?),
        title: row.try_get("title").doing(doing)?,
        started: Timestamp::from_micros(row.try_get("started").doing(doing)?),
        ended: row.try_get::<Option<i64>, _>("ended").doing(doing)?.map(Timestamp::from_micros),
        files: count("files")?,
        records: count("records")?,
        events: count("events")?,
        detections: count("found")?,
    })
}

fn gathered(row: &SqliteRow) -> Result<Gathered, ControlError> {
    let format: i64 = row.try_get("format").doing("read a run's group")?;
    if format != FORMAT {
        return Err(ControlError::stored("group", format!("its format is {format}, this program knows {FORMAT}")));
    }
    let body: String = row.try_get("body").doing("read a run's group")?;
    serde_json::from_str(&body).map_err(|error| ControlError::stored("group", error))
}

pub(crate) async fn load_group(conn: &mut SqliteConnection, run: RunId, number: u64) -> Result<Gathered, ControlError> {
    let row = sqlx::query("SELECT format, body FROM run_groups WHERE run = ? AND no = ?")
        .bind(&run.0[..])
        .bind(number as i64)
        .fetch_optional(conn)
        .await
        .doing("read a run's group")?;
    gathered(&row.ok_or_else(|| ControlError::not_found("group of this run", number))?)
}

pub(crate) async fn load_groups(conn: &mut SqliteConnection, run: RunId) -> Result<Vec<(u64, Gathered)>, ControlError> {
    let rows = sqlx::query("SELECT no, format, body FROM run_groups WHERE run = ? AND absorbed_by IS NULL ORDER BY no")
        .bind(&run.0[..])
        .fetch_all(conn)
        .await
        .doing("list a run's groups")?;
    rows.iter()
        .map(|row| Ok((row.try_get::<i64, _>("no").doing("list a run's groups")? as u64, gathered(row)?)))
        .collect()
}

pub(crate) async fn save_group(
    conn: &mut SqliteConnection,
    run: RunId,
    number: u64,
    gathered: &Gathered,
) -> Result<(), ControlError> {
    let body = serde_json::to_string(gathered).map_err(|error| ControlError::stored("group", error))?;
    sqlx::query(
        "INSERT INTO run_groups (run, no, format, body) VALUES (?, ?, ?, ?) \
         ON CONFLICT (run, no) DO UPDATE SET format = excluded.format, body = excluded.body",
    )
    .bind(&run.0[..])
    .bind(number as i64)
    .bind(FORMAT)
    .bind(body)
    .execute(conn)
    .await
    .doing("store a run's group")?;
    Ok(())
}

pub(crate) async fn absorb_group(
    conn: &mut SqliteConnection,
    run: RunId,
    from: u64,
    into: u64,
) -> Result<(), ControlError> {
    for sql in [
        "UPDATE run_groups SET absorbed_by = ?1 WHERE run = ?2 AND no = ?3",
        "UPDATE detections SET group_no = ?1 WHERE run = ?2 AND group_no = ?3",
    ] {
        sqlx::query(sql)
            .bind(into as i64)
            .bind(&run.0[..])
            .bind(from as i64)
            .execute(&mut *conn)
            .await
            .doing("merge groups of a run")?;
    }
    Ok(())
}
