//! One case with what belongs to it.

use crate::cases::row::load;
use crate::error::Doing;
use crate::{Control, ControlError};
use sqlx::{QueryBuilder, Row, Sqlite};
use std::collections::HashMap;
use tandem_base::Timestamp;
use tandem_service::{ActNo, Case, CaseId, Change, Undo};

/// Closed cases with the same rule on the same entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Similar {
    /// How many.
    pub count: u64,
    /// How many of them were benign.
    pub benign: u64,
}

/// One act in the life of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// The act.
    pub act: ActNo,
    /// When.
    pub at: Timestamp,
    /// Who, by id.
    pub actor: String,
    /// Who, by name.
    pub actor_name: String,
    /// Whether a person did it.
    pub person: bool,
    /// The act's word.
    pub word: String,
    /// The case's version after it.
    pub version: u64,
    /// What became different.
    pub changes: Vec<Change>,
    /// Until when it can be taken back, if it can.
    pub undo_until: Option<Timestamp>,
    /// Whether it was taken back.
    pub undone: bool,
}

impl Control {
    /// The case.
    pub async fn case(&self, id: CaseId) -> Result<Case, ControlError> {
        let mut conn = self.readers.acquire().await.doing("get a connection")?;
        load(&mut conn, id).await
    }

    /// What was done with it, in order.
    pub async fn case_history(&self, id: CaseId) -> Result<Vec<HistoryEntry>, ControlError> {
        let rows = sqlx::query("SELECT * FROM case_history WHERE case_no = ? ORDER BY act LIMIT 10000")
            .bind(id.0 as i64)
            .fetch_all(&self.readers)
            .await
            .doing("read a case's history")?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            let changes: String = row.try_get("changes").doing("read a case's history")?;
            let undo: Option<String> = row.try_get("undo").doing("read a case's history")?;
            let undone: bool = row.try_get("undone").doing("read a case's history")?;
            let undo: Option<Undo> = undo
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(|error| ControlError::stored("case history", error))?;
            entries.push(HistoryEntry {
                act: ActNo(row.try_get::<i64, _>("act").doing("read a case's history")? as u64),
                at: Timestamp::from_micros(row.try_get("at").doing("read a case's history")?),
                actor: row.try_get("actor").doing("read a case's history")?,
                actor_name: row.try_get("actor_name").doing("read a case's history")?,
                person: row.try_get("person").doing("read a case's history")?,
                word: row.try_get("word").doing("read a case's history")?,
                version: row.try_get::<i64, _>("version").doing("read a case's history")? as u64,
                changes: serde_json::from_str(&changes).map_err(|error| ControlError::stored("case history", error))?,
                undo_until: undo.filter(|_| !undone).map(|undo| undo.until()),
                undone,
            });
        }
        Ok(entries)
    }

    /// Closed cases with the same rule on the same entity.
    pub async fn similar(&self, id: CaseId) -> Result<Similar, ControlError> {
        let (count, benign): (i64, i64) = sqlx::query_as(
            "SELECT count(*), coalesce(sum(benign), 0) FROM cases WHERE state = 'closed' AND no <> ?1 AND no IN ( \
             SELECT other.case_no FROM case_keys mine JOIN case_keys other USING (rule, entity) WHERE mine.case_no = ?1)",
        )
        .bind(id.0 as i64)
        .fetch_one(&self.readers)
        .await
        .doing("count similar cases")?;
        Ok(Similar { count: count as u64, benign: benign as u64 })
    }

    /// [`Control::similar`] for a page of cases at once; a case without any is left out.
    pub async fn similar_to(&self, ids: &[CaseId]) -> Result<HashMap<CaseId, Similar>, ControlError> {
        let mut found = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let mut sql = QueryBuilder::<Sqlite>::new(
                "SELECT mine.case_no, count(DISTINCT cases.no), count(DISTINCT CASE WHEN cases.benign THEN cases.no END) \
                 FROM case_keys mine JOIN case_keys other USING (rule, entity) JOIN cases ON cases.no = other.case_no \
                 WHERE cases.state = 'closed' AND other.case_no <> mine.case_no AND mine.case_no IN (",
            );
            let mut list = sql.separated(", ");
            for id in chunk {
                list.push_bind(id.0 as i64);
            }
            sql.push(") GROUP BY mine.case_no");
            let rows: Vec<(i64, i64, i64)> =
                sql.build_query_as().fetch_all(&self.readers).await.doing("count similar cases")?;
            found.extend(rows.into_iter().map(|(no, count, benign)| {
                (CaseId(no as u64), Similar { count: count as u64, benign: benign as u64 })
            }));
        }
        Ok(found)
    }
}
