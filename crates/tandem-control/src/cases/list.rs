//! The queue: views, filters, sorting, pages.

use crate::acts::escape_like;
use crate::cases::row::{from_body, rank};
use crate::error::Doing;
use crate::{Control, ControlError};
use sqlx::{QueryBuilder, Row, Sqlite};
use tandem_base::Timestamp;
use tandem_service::{Case, CaseId, CaseKind, Priority, State, UserId};

/// Which cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaseView {
    /// Open, held by the asking person, not set aside.
    Mine,
    /// Open, held by nobody, not set aside.
    Unowned,
    /// Open.
    #[default]
    Open,
    /// Closed or merged.
    Closed,
    /// All.
    All,
}

/// By what they are sorted; ties by number, latest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaseSort {
    /// The most urgent first.
    #[default]
    Priority,
    /// The least urgent first.
    LeastUrgent,
    /// The latest opened first.
    Opened,
    /// The oldest first.
    Oldest,
    /// The latest changed first.
    Updated,
    /// The longest unchanged first.
    Stale,
}

/// A question to the queue.
#[derive(Debug, Clone, Default)]
pub struct CaseQuery {
    /// Who asks: for [`CaseView::Mine`].
    pub user: Option<UserId>,
    /// Which view.
    pub view: CaseView,
    /// Any of these; empty: all.
    pub priorities: Vec<Priority>,
    /// Any of these; empty: all.
    pub kinds: Vec<CaseKind>,
    /// Any of these; empty: all.
    pub states: Vec<State>,
    /// Words that must all occur in number, title, entities, rules, tags or owner.
    pub q: String,
    /// Order.
    pub sort: CaseSort,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most so many, 1 to 500.
    pub limit: u32,
}

/// One page of the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct CasePage {
    /// In order.
    pub items: Vec<Case>,
    /// For the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

/// How many cases the views have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaseCounts {
    /// Open, held by this person, awake.
    pub mine: u64,
    /// Open, held by nobody, awake.
    pub unowned: u64,
    /// Open.
    pub open: u64,
    /// Closed or merged.
    pub closed: u64,
}

impl CaseSort {
    fn column(self) -> (&'static str, bool) {
        match self {
            Self::Priority => ("priority", false),
            Self::LeastUrgent => ("priority", true),
            Self::Opened => ("opened", true),
            Self::Oldest => ("opened", false),
            Self::Updated => ("updated", true),
            Self::Stale => ("updated", false),
        }
    }
}

impl Control {
    /// One page of the queue.
    pub async fn case_page(&self, query: &CaseQuery) -> Result<CasePage, ControlError> {
        let limit = query.limit.clamp(1, 500);
        let (column, descending) = query.sort.column();
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT no, ");
        sql.push(column).push(" AS sorted, format, body FROM cases WHERE ");
        let now = self.now().micros();
        view(&mut sql, query.view, query.user, now);
        words(&mut sql, "priority", query.priorities.iter().map(|each| rank(*each)).collect());
        words(&mut sql, "kind", query.kinds.iter().map(|each| each.word()).collect());
        words(&mut sql, "state", query.states.iter().map(|each| each.word()).collect());
        for term in query.q.split_whitespace().take(16) {
            sql.push(" AND search LIKE ").push_bind(format!("%{}%", escape_like(&term.to_lowercase())));
            sql.push(" ESCAPE '\\'");
        }
        if let Some((value, no)) = query.cursor.as_deref().map(read_cursor).transpose()? {
            let compare = if descending { "<" } else { ">" };
            sql.push(" AND (").push(column).push(" ").push(compare).push(" ").push_bind(value);
            sql.push(" OR (").push(column).push(" = ").push_bind(value).push(" AND no < ").push_bind(no).push("))");
        }
        sql.push(" ORDER BY ").push(column).push(if descending { " DESC" } else { "" });
        sql.push(", no DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let rows = sql.build().fetch_all(&self.readers).await.doing("list cases")?;
        let mut items = Vec::with_capacity(rows.len());
        let mut next_cursor = None;
        for (index, row) in rows.iter().take(limit as usize).enumerate() {
            let format: i64 = row.try_get("format").doing("list cases")?;
            items.push(from_body(format, row.try_get("body").doing("list cases")?)?);
            if index + 1 == limit as usize && rows.len() > limit as usize {
                let (value, no): (i64, i64) =
                    (row.try_get("sorted").doing("list cases")?, row.try_get("no").doing("list cases")?);
                next_cursor = Some(format!("{value}.{no}"));
            }
        }
        Ok(CasePage { items, next_cursor })
    }

    /// How many cases the views have.
    pub async fn case_counts(&self, user: Option<UserId>) -> Result<CaseCounts, ControlError> {
        let now = self.now().micros();
        let (mine, unowned, open, closed): (i64, i64, i64, i64) = sqlx::query_as(
            "SELECT coalesce(sum(open AND owner = ?1 AND (snoozed_until IS NULL OR snoozed_until <= ?2)), 0), \
             coalesce(sum(open AND owner IS NULL AND (snoozed_until IS NULL OR snoozed_until <= ?2)), 0), \
             coalesce(sum(open), 0), coalesce(sum(NOT open), 0) FROM cases",
        )
        .bind(user.map(|user| user.to_string()).unwrap_or_default())
        .bind(now)
        .fetch_one(&self.readers)
        .await
        .doing("count cases")?;
        Ok(CaseCounts { mine: mine as u64, unowned: unowned as u64, open: open as u64, closed: closed as u64 })
    }

    /// Cases by number, for links; those that do not exist are left out.
    pub async fn cases_by_id(&self, ids: &[CaseId]) -> Result<Vec<Case>, ControlError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT format, body FROM cases WHERE no IN (");
        let mut list = sql.separated(", ");
        for id in ids.iter().take(500) {
            list.push_bind(id.0 as i64);
        }
        sql.push(") ORDER BY no");
        let rows = sql.build().fetch_all(&self.readers).await.doing("read cases")?;
        rows.iter()
            .map(|row| from_body(row.try_get("format").doing("read cases")?, row.try_get("body").doing("read cases")?))
            .collect()
    }

    /// When cases were opened since `since` (those of the queue and those by hand).
    pub async fn cases_opened_since(&self, since: Timestamp) -> Result<Vec<Timestamp>, ControlError> {
        let rows: Vec<(i64,)> =
            sqlx::query_as("SELECT opened FROM cases WHERE opened >= ? ORDER BY opened LIMIT 100000")
                .bind(since.micros())
                .fetch_all(&self.readers)
                .await
                .doing("list instants of cases")?;
        Ok(rows.into_iter().map(|(micros,)| Timestamp::from_micros(micros)).collect())
    }
}

fn view(sql: &mut QueryBuilder<Sqlite>, view: CaseView, user: Option<UserId>, now: i64) {
    match view {
        CaseView::Mine => {
            sql.push("open = 1 AND owner = ").push_bind(user.map(|user| user.to_string()).unwrap_or_default());
        }
        CaseView::Unowned => {
            sql.push("open = 1 AND owner IS NULL");
        }
        CaseView::Open => {
            sql.push("open = 1");
        }
        CaseView::Closed => {
            sql.push("open = 0");
        }
        CaseView::All => {
            sql.push("1 = 1");
        }
    }
    if matches!(view, CaseView::Mine | CaseView::Unowned) {
        sql.push(" AND (snoozed_until IS NULL OR snoozed_until <= ").push_bind(now).push(")");
    }
}

fn words<T>(sql: &mut QueryBuilder<Sqlite>, column: &str, values: Vec<T>)
where
    T: for<'q> sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite>,
{
    if values.is_empty() {
        return;
    }
    sql.push(" AND ").push(column).push(" IN (");
    let mut list = sql.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    sql.push(")");
}

fn read_cursor(cursor: &str) -> Result<(i64, i64), ControlError> {
    cursor.split_once('.').and_then(|(value, no)| Some((value.parse().ok()?, no.parse().ok()?))).ok_or_else(|| {
        ControlError::invalid("cursor", "this cursor was not given by this list; begin again without it")
    })
}
