//! Detections of cases, and recent signals.

use crate::acts::escape_like;
use crate::error::Doing;
use crate::{Control, ControlError};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
use tandem_base::Timestamp;
use tandem_model::{Detection, DetectionId, Entities, EventId, MatchedField, RunId};
use tandem_service::CaseId;

/// Version of the stored body's shape.
const FORMAT: i64 = 1;
/// What `from_row` reads.
pub(crate) const COLUMNS: &str = "id, rule, title, level, time, received, detected, source, run, group_no, case_no, host, user, address, format, body";

/// A detection with where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDetection {
    /// The detection.
    pub detection: Detection,
    /// The case that has it; `None`: a signal, or history.
    pub case: Option<CaseId>,
    /// The group of its run.
    pub group: Option<u64>,
}

/// A question to the list of detections.
#[derive(Debug, Clone, Default)]
pub struct DetectionQuery {
    /// Of this rule.
    pub rule: Option<String>,
    /// Of this case.
    pub case: Option<CaseId>,
    /// Of this run; without it, history is left out.
    pub run: Option<RunId>,
    /// Of this group of the run.
    pub group: Option<u64>,
    /// Event time from, inclusive.
    pub from: Option<Timestamp>,
    /// Event time to, exclusive.
    pub to: Option<Timestamp>,
    /// Words that must all occur in title, entities or source.
    pub q: String,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most so many, 1 to 1000.
    pub limit: u32,
}

/// One page, the latest event first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectionPage {
    /// In order.
    pub items: Vec<StoredDetection>,
    /// For the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

/// Field, value, span.
type Matched = (Option<String>, String, Option<(u32, u32)>);

#[derive(Serialize, Deserialize)]
struct Body {
    kind: String,
    author: Option<String>,
    rule_version: String,
    status: String,
    tags: Vec<String>,
    events: Vec<String>,
    log_types: Vec<String>,
    matches: Vec<Matched>,
}

/// How many contributing events and matches are kept in a row; the detections table has all.
const EVENTS_MAX: usize = 200;
const MATCHES_MAX: usize = 100;

pub(crate) fn body(detection: &Detection) -> String {
    let skip = detection.events.len().saturating_sub(EVENTS_MAX);
    let body = Body {
        kind: detection.kind.word().into(),
        author: detection.rule_author.as_ref().map(ToString::to_string),
        rule_version: detection.rule_version.to_string(),
        status: detection.status.word().into(),
        tags: detection.tags.iter().map(ToString::to_string).collect(),
        events: detection.events.iter().skip(skip).map(ToString::to_string).collect(),
        log_types: detection.log_types.clone(),
        matches: detection
            .matches
            .iter()
            .take(MATCHES_MAX)
            .map(|matched| (matched.field.clone(), matched.value.clone(), matched.span))
            .collect(),
    };
    serde_json::to_string(&body).expect("texts and numbers always become JSON")
}

pub(crate) fn level_rank(level: tandem_model::Level) -> i64 {
    level as i64
}

pub(crate) fn level_of(rank: i64) -> tandem_model::Level {
    use tandem_model::Level::{Critical, High, Informational, Low, Medium};
    [Informational, Low, Medium, High, Critical].get(rank as usize).copied().unwrap_or_default()
}

fn search_text(detection: &Detection) -> String {
    let entities = &detection.entities;
    let names = [&entities.host, &entities.user, &entities.source_address];
    let names = names.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n");
    format!("{}\n{names}\n{}", detection.rule_title, detection.source).to_lowercase()
}

/// One row to be stored.
pub(crate) struct NewRow<'a> {
    pub(crate) detection: &'a Detection,
    pub(crate) case: Option<CaseId>,
    pub(crate) group: Option<u64>,
    /// Points that it adds, as a signal.
    pub(crate) points: u32,
    /// A signal by its nature.
    pub(crate) quiet: bool,
}

pub(crate) async fn insert(conn: &mut SqliteConnection, rows: &[NewRow<'_>]) -> Result<(), ControlError> {
    for chunk in rows.chunks(100) {
        let mut sql = QueryBuilder::<Sqlite>::new(
            "INSERT INTO detections (id, rule, title, level, time, received, detected, source, run, group_no, case_no, \
             host, user, address, points, quiet, search, format, body) ",
        );
        sql.push_values(chunk, |mut row, new| {
            let detection = new.detection;
            row.push_bind(detection.id.0.to_vec())
                .push_bind(detection.rule_id.to_string())
                .push_bind(detection.rule_title.to_string())
                .push_bind(level_rank(detection.level))
                .push_bind(detection.time.micros())
                .push_bind(detection.received.micros())
                .push_bind(detection.detected.micros())
                .push_bind(detection.source.to_string())
                .push_bind(detection.run.map(|run| run.0.to_vec()))
                .push_bind(new.group.map(|group| group as i64))
                .push_bind(new.case.map(|case| case.0 as i64))
                .push_bind(detection.entities.host.clone())
                .push_bind(detection.entities.user.clone())
                .push_bind(detection.entities.source_address.clone())
                .push_bind(new.points)
                .push_bind(new.quiet)
                .push_bind(search_text(detection))
                .push_bind(FORMAT)
                .push_bind(body(detection));
        });
        sql.build().execute(&mut *conn).await.doing("store detections")?;
    }
    Ok(())
}

/// Notes detections that are counted and not kept as rows, so that they are counted once.
pub(crate) async fn insert_overflow(
    conn: &mut SqliteConnection,
    overflow: &[(&Detection, Option<CaseId>, Option<u64>)],
) -> Result<(), ControlError> {
    for chunk in overflow.chunks(500) {
        let mut sql = QueryBuilder::<Sqlite>::new("INSERT OR IGNORE INTO overflow (id, case_no, group_no, detected) ");
        sql.push_values(chunk, |mut row, (detection, case, group)| {
            row.push_bind(detection.id.0.to_vec())
                .push_bind(case.map(|case| case.0 as i64))
                .push_bind(group.map(|group| group as i64))
                .push_bind(detection.detected.micros());
        });
        sql.build().execute(&mut *conn).await.doing("note detections beyond the limit")?;
    }
    Ok(())
}

pub(crate) fn from_row(row: &SqliteRow) -> Result<StoredDetection, ControlError> {
    let doing = "read a detection";
    let format: i64 = row.try_get("format").doing(doing)?;
    if format != FORMAT {
        return Err(ControlError::stored("detection", format!("its format is {format}, this program knows {FORMAT}")));
    }
    let bytes = |column: &str| -> Result<Option<[u8; 16]>, ControlError> {
        let value: Option<Vec<u8>> = row.try_get(column).doing(doing)?;
        value
            .map(|value| value.try_into().map_err(|_| ControlError::stored("detection", "an id has no 16 bytes")))
            .transpose()
    };
    let text = |column: &str| -> Result<String, ControlError> { row.try_get(column).doing(doing) };
    let instant = |column: &str| -> Result<Timestamp, ControlError> {
        row.try_get(column).doing(doing).map(Timestamp::from_micros)
    };
    let body: Body = serde_json::from_str(&text("body")?).map_err(|error| ControlError::stored("detection", error))?;
    let word = |what: &str| ControlError::stored("detection", format!("its {what} is no known word"));
    let events: Result<Vec<EventId>, _> = body.events.iter().map(|event| event.parse()).collect();
    let detection = Detection {
        id: DetectionId(bytes("id")?.ok_or_else(|| ControlError::stored("detection", "it has no id"))?),
        kind: body.kind.parse().map_err(|()| word("kind"))?,
        rule_id: text("rule")?.into(),
        rule_title: text("title")?.into(),
        rule_author: body.author.map(Into::into),
        rule_version: body.rule_version.into(),
        level: level_of(row.try_get("level").doing(doing)?),
        status: body.status.parse().map_err(|()| word("status"))?,
        tags: body.tags.into_iter().map(Into::into).collect(),
        time: instant("time")?,
        received: instant("received")?,
        detected: instant("detected")?,
        events: events.map_err(|error| ControlError::stored("detection", error))?,
        source: text("source")?.into(),
        log_types: body.log_types,
        matches: body.matches.into_iter().map(|(field, value, span)| MatchedField { field, value, span }).collect(),
        entities: Entities {
            host: row.try_get("host").doing(doing)?,
            user: row.try_get("user").doing(doing)?,
            source_address: row.try_get("address").doing(doing)?,
        },
        run: bytes("run")?.map(RunId),
    };
    let case: Option<i64> = row.try_get("case_no").doing(doing)?;
    let group: Option<i64> = row.try_get("group_no").doing(doing)?;
    Ok(StoredDetection { detection, case: case.map(|no| CaseId(no as u64)), group: group.map(|no| no as u64) })
}

pub(crate) async fn load_case_detections(
    conn: &mut SqliteConnection,
    case: CaseId,
    limit: usize,
) -> Result<Vec<Detection>, ControlError> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
    sql.push(COLUMNS).push(" FROM detections WHERE case_no = ").push_bind(case.0 as i64);
    sql.push(" ORDER BY time, id LIMIT ").push_bind(limit as i64);
    let rows = sql.build().fetch_all(conn).await.doing("read a case's detections")?;
    rows.iter().map(|row| Ok(from_row(row)?.detection)).collect()
}

pub(crate) async fn load_by_ids(
    conn: &mut SqliteConnection,
    ids: &[DetectionId],
) -> Result<Vec<StoredDetection>, ControlError> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(500) {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
        sql.push(COLUMNS).push(" FROM detections WHERE id IN (");
        let mut list = sql.separated(", ");
        for id in chunk {
            list.push_bind(id.0.to_vec());
        }
        sql.push(") ORDER BY time, id");
        for row in &sql.build().fetch_all(&mut *conn).await.doing("read detections")? {
            found.push(from_row(row)?);
        }
    }
    Ok(found)
}

pub(crate) async fn move_detections(
    conn: &mut SqliteConnection,
    from: CaseId,
    into: CaseId,
) -> Result<(), ControlError> {
    for sql in
        ["UPDATE detections SET case_no = ? WHERE case_no = ?", "UPDATE overflow SET case_no = ? WHERE case_no = ?"]
    {
        sqlx::query(sql).bind(into.0 as i64).bind(from.0 as i64).execute(&mut *conn).await.doing("move detections")?;
    }
    Ok(())
}

impl Control {
    /// One detection.
    pub async fn detection(&self, id: DetectionId) -> Result<StoredDetection, ControlError> {
        let mut conn = self.readers.acquire().await.doing("get a connection")?;
        let found = load_by_ids(&mut conn, &[id]).await?;
        found.into_iter().next().ok_or_else(|| ControlError::not_found("detection", id))
    }

    /// Detections and signals, the latest event first.
    pub async fn detection_page(&self, query: &DetectionQuery) -> Result<DetectionPage, ControlError> {
        let limit = query.limit.clamp(1, 1_000);
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
        sql.push(COLUMNS).push(" FROM detections WHERE ");
        match (query.run, query.case) {
            (Some(run), _) => sql.push("run = ").push_bind(run.0.to_vec()),
            (None, Some(_)) => sql.push("1 = 1"),
            (None, None) => sql.push("(run IS NULL OR case_no IS NOT NULL)"),
        };
        if let Some(case) = query.case {
            sql.push(" AND case_no = ").push_bind(case.0 as i64);
        }
        if let Some(group) = query.group {
            sql.push(" AND group_no = ").push_bind(group as i64);
        }
        if let Some(rule) = &query.rule {
            sql.push(" AND rule = ").push_bind(rule.clone());
        }
        if let Some(from) = query.from {
            sql.push(" AND time >= ").push_bind(from.micros());
        }
        if let Some(to) = query.to {
            sql.push(" AND time < ").push_bind(to.micros());
        }
        for term in query.q.split_whitespace().take(16) {
            sql.push(" AND search LIKE ").push_bind(format!("%{}%", escape_like(&term.to_lowercase())));
            sql.push(" ESCAPE '\\'");
        }
        if let Some(cursor) = &query.cursor {
            let (time, id) = read_cursor(cursor)?;
            sql.push(" AND (time < ").push_bind(time).push(" OR (time = ").push_bind(time);
            sql.push(" AND id < ").push_bind(id.0.to_vec()).push("))");
        }
        sql.push(" ORDER BY time DESC, id DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let rows = sql.build().fetch_all(&self.readers).await.doing("list detections")?;
        let more = rows.len() > limit as usize;
        let items: Result<Vec<StoredDetection>, ControlError> =
            rows.iter().take(limit as usize).map(from_row).collect();
        let items = items?;
        let next_cursor =
            items.last().filter(|_| more).map(|last| format!("{}.{}", last.detection.time.micros(), last.detection.id));
        Ok(DetectionPage { items, next_cursor })
    }

    /// For each rule of the case its earliest detection, with how often the rule fired there: why it fired.
    pub async fn case_evidence(&self, id: CaseId) -> Result<Vec<(StoredDetection, u64)>, ControlError> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
        sql.push(COLUMNS);
        sql.push(", min(time) AS earliest, count(*) AS fired FROM detections WHERE case_no = ").push_bind(id.0 as i64);
        sql.push(" GROUP BY rule ORDER BY level DESC, earliest LIMIT 200");
        let rows = sql.build().fetch_all(&self.readers).await.doing("read a case's evidence")?;
        rows.iter()
            .map(|row| Ok((from_row(row)?, row.try_get::<i64, _>("fired").doing("read a case's evidence")? as u64)))
            .collect()
    }
}

fn read_cursor(cursor: &str) -> Result<(i64, DetectionId), ControlError> {
    cursor.split_once('.').and_then(|(time, id)| Some((time.parse().ok()?, id.parse().ok()?))).ok_or_else(|| {
        ControlError::invalid("cursor", "this cursor was not given by this list; begin again without it")
    })
}
