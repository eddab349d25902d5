//! Acts on one case: the domain answers what changes, here it is stored with its act.

use crate::acts::{Deed, record};
use crate::cases::{CaseChanged, load, save};
use crate::control::Writer;
use crate::error::Doing;
use crate::{Control, ControlError};
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tandem_base::{Timestamp, fail};
use tandem_service::{
    ActNo, Actor, BULK_LIMIT, Case, CaseAct, CaseId, CaseKind, Change, Note, Priority, Refusal, Undo, UserId, act,
    open_by_person, undo,
};

/// A case that a person opens, or the program for a kind other than security.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCase {
    /// What happened, in a line.
    pub title: String,
    /// What it is about.
    pub kind: CaseKind,
    /// How urgent.
    pub priority: Priority,
    /// More words; becomes the first note.
    pub text: String,
}

/// One line of history to be stored.
pub(crate) struct Enter<'a> {
    pub(crate) word: &'a str,
    pub(crate) changes: &'a [Change],
    pub(crate) undo: Option<&'a Undo>,
}

pub(crate) async fn enter_history(
    conn: &mut SqliteConnection,
    case: &Case,
    seq: ActNo,
    actor: &Actor,
    enter: Enter<'_>,
    now: Timestamp,
) -> Result<(), ControlError> {
    let text = |error| ControlError::stored("case history", error);
    let changes = serde_json::to_string(enter.changes).map_err(text)?;
    let undo = enter.undo.map(serde_json::to_string).transpose().map_err(text)?;
    sqlx::query(
        "INSERT INTO case_history (case_no, act, at, actor, actor_name, person, word, version, changes, undo) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(case.id.0 as i64)
    .bind(seq.0 as i64)
    .bind(now.micros())
    .bind(if actor.is_person() { actor.id.to_string() } else { "program".into() })
    .bind(&*actor.name)
    .bind(actor.is_person())
    .bind(enter.word)
    .bind(case.version as i64)
    .bind(changes)
    .bind(undo)
    .execute(conn)
    .await
    .doing("store a case's history")?;
    Ok(())
}

impl Control {
    /// Does one act. `if_version` is the version that the person saw: what people did since is a conflict,
    /// what detections brought is not.
    pub async fn case_act(
        &self,
        actor: &Actor,
        id: CaseId,
        if_version: Option<u64>,
        what: &CaseAct,
    ) -> Result<Case, ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let Writer { conn, grouper, ahead, .. } = &mut *writer;
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let case = self.act_in(&mut tx, actor, id, if_version, what, now).await?;
        *ahead = true;
        fail::point("control.case");
        tx.commit().await.doing("commit an act on a case")?;
        fail::point("control.case.decided");
        grouper.sync(&case);
        *ahead = false;
        self.tell(CaseChanged { id, version: case.version, change: what.word().into() });
        Ok(case)
    }

    async fn act_in(
        &self,
        conn: &mut SqliteConnection,
        actor: &Actor,
        id: CaseId,
        if_version: Option<u64>,
        what: &CaseAct,
        now: Timestamp,
    ) -> Result<Case, ControlError> {
        let mut case = load(conn, id).await?;
        // A refusal by the state says more than a conflict of versions, so it goes first.
        let done = act(&case, actor, what, now)?;
        if let Some(seen) = if_version {
            no_conflict(conn, &case, seen, actor, now).await?;
        }
        case.apply(&done.changes, actor.is_person(), now);
        save(conn, &case).await?;
        let detail = json!({"act": what.word(), "changes": done.changes, "version": case.version});
        let recorded = Deed { verb: what.verb().word(), object: format!("case:{id}"), detail };
        let seq = record(conn, &*self.chance, actor, recorded, now).await?;
        let enter = Enter { word: what.word(), changes: &done.changes, undo: done.undo.as_ref() };
        enter_history(conn, &case, seq, actor, enter, now).await?;
        Ok(case)
    }

    /// Does the same act on several cases; each succeeds or is refused by itself.
    pub async fn case_bulk(
        &self,
        actor: &Actor,
        ids: &[CaseId],
        what: &CaseAct,
    ) -> Result<Vec<(CaseId, Result<Case, ControlError>)>, ControlError> {
        if ids.len() > BULK_LIMIT {
            return Err(ControlError::invalid("ids", format!("at most {BULK_LIMIT} cases at once")));
        }
        let mut results = Vec::with_capacity(ids.len());
        for id in ids {
            results.push((*id, self.case_act(actor, *id, None, what).await));
        }
        Ok(results)
    }

    /// Takes back an act: the same person, within 60 seconds, nothing done since.
    pub async fn case_undo(&self, actor: &Actor, id: CaseId, seq: ActNo) -> Result<Case, ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let Writer { conn, grouper, ahead, .. } = &mut *writer;
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let case = load(&mut tx, id).await?;
        let row: Option<(String, Option<String>, bool)> =
            sqlx::query_as("SELECT actor, undo, undone FROM case_history WHERE case_no = ? AND act = ?")
                .bind(id.0 as i64)
                .bind(seq.0 as i64)
                .fetch_optional(&mut *tx)
                .await
                .doing("read an act")?;
        let (by, stored, undone) = row.ok_or_else(|| ControlError::not_found("act", seq.0))?;
        let refuse = |because: &str, hint: &str| {
            ControlError::Refused(Refusal { code: "too-late", because: because.into(), hint: hint.into() })
        };
        if undone {
            return Err(refuse("this was taken back already", "nothing to do"));
        }
        let Some(stored) = stored else {
            return Err(refuse("this kind of act cannot be taken back", "do the opposite, with a reason"));
        };
        let stored: Undo =
            serde_json::from_str(&stored).map_err(|error| ControlError::stored("case history", error))?;
        let (latest,): (i64,) =
            sqlx::query_as("SELECT coalesce(max(act), 0) FROM case_history WHERE case_no = ? AND person = 1 AND undone = 0 AND word <> 'undo'")
                .bind(id.0 as i64)
                .fetch_one(&mut *tx)
                .await
                .doing("read the latest act")?;
        let by: UserId = by.parse().unwrap_or(UserId([0; 16]));
        let case = undo(&case, actor, seq, by, ActNo(latest as u64), &stored, now)?;
        save(&mut tx, &case).await?;
        sqlx::query("UPDATE case_history SET undone = 1 WHERE case_no = ? AND act = ?")
            .bind(id.0 as i64)
            .bind(seq.0 as i64)
            .execute(&mut *tx)
            .await
            .doing("mark an act as taken back")?;
        let changes = [Change::Undone { act: seq }];
        let recorded = Deed {
            verb: "case_undo",
            object: format!("case:{id}"),
            detail: json!({"act": stored.act(), "undone": seq.0, "state": case.state.word(), "version": case.version}),
        };
        let undo_seq = record(&mut tx, &*self.chance, actor, recorded, now).await?;
        let enter = Enter { word: "undo", changes: &changes, undo: None };
        enter_history(&mut tx, &case, undo_seq, actor, enter, now).await?;
        *ahead = true;
        tx.commit().await.doing("commit an undo")?;
        grouper.sync(&case);
        *ahead = false;
        self.tell(CaseChanged { id, version: case.version, change: "undo".into() });
        Ok(case)
    }

    /// Opens a case by hand, in one step.
    pub async fn case_open(&self, actor: &Actor, new: &NewCase) -> Result<Case, ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let Writer { conn, grouper, ahead, .. } = &mut *writer;
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        *ahead = true;
        let mut case = open_by_person(grouper.take_number(), actor, &new.title, new.kind, new.priority, now)?;
        if actor.is_person() {
            case.instants.first_human_act = Some(now);
        }
        save(&mut tx, &case).await?;
        let detail = json!({"title": case.gathered.title, "kind": case.kind.word(),
            "priority": case.gathered.priority.word(), "text": new.text});
        let recorded = Deed { verb: "case_open", object: format!("case:{}", case.id), detail };
        let seq = record(&mut tx, &*self.chance, actor, recorded, now).await?;
        let text = new.text.trim();
        let note: Vec<Change> = if text.is_empty() {
            Vec::new()
        } else {
            let text = text.chars().take(20_000).collect();
            vec![Change::Note { note: Note { text, provider_only: false } }]
        };
        enter_history(&mut tx, &case, seq, actor, Enter { word: "open", changes: &note, undo: None }, now).await?;
        tx.commit().await.doing("commit a new case")?;
        grouper.sync(&case);
        *ahead = false;
        self.tell(CaseChanged { id: case.id, version: case.version, change: "opened".into() });
        Ok(case)
    }
}

/// Whether a person acted since the version that was seen.
async fn no_conflict(
    conn: &mut SqliteConnection,
    case: &Case,
    seen: u64,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), ControlError> {
    if seen >= case.version {
        return Ok(());
    }
    let since: Option<(String, String, i64)> = sqlx::query_as(
        "SELECT actor_name, word, at FROM case_history \
         WHERE case_no = ? AND person = 1 AND version > ? AND actor <> ? ORDER BY act DESC LIMIT 1",
    )
    .bind(case.id.0 as i64)
    .bind(seen as i64)
    .bind(actor.id.to_string())
    .fetch_optional(conn)
    .await
    .doing("read a case's history")?;
    match since {
        None => Ok(()),
        Some((name, word, at)) => {
            let seconds = now.since(Timestamp::from_micros(at)).as_secs();
            let word = word.replace('_', " ");
            Err(ControlError::Conflict {
                because: format!("{name} acted on {} {seconds} s ago: {word}", case.id),
                version: case.version,
            })
        }
    }
}
