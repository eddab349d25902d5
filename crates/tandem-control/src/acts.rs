//! Acts: what was done, by whom, with a commitment that outlives its content (docs/formats/act.md).

use crate::error::Doing;
use crate::{Control, ControlError, canonical_json};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, QueryBuilder, Row, SqliteConnection};
use tandem_base::{Chance, Timestamp, fail, hex};
use tandem_service::{ActNo, Actor, ActorKind};

/// One act as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// From 1, without gaps.
    pub seq: ActNo,
    /// When.
    pub at: Timestamp,
    /// Id of who did it.
    pub actor: String,
    /// Name of who did it.
    pub actor_name: String,
    /// Party.
    pub party: String,
    /// What was done.
    pub verb: String,
    /// To what, as `kind:id`.
    pub object: String,
    /// Canonical bytes; `None` once erased.
    pub content: Option<Vec<u8>>,
    /// 16 random bytes; `None` once erased.
    pub salt: Option<Vec<u8>>,
    /// SHA-256 of salt and content.
    pub commitment: [u8; 32],
}

impl Act {
    /// The particulars, `null` once erased.
    pub fn detail(&self) -> Value {
        let content: Option<Value> = self.content.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok());
        content.and_then(|content| content.get("detail").cloned()).unwrap_or(Value::Null)
    }

    /// The commitment as hexadecimal digits.
    pub fn commitment_text(&self) -> String {
        hex(&self.commitment)
    }
}

const VERIFY_AT_ONCE: u32 = 1_000;

/// What [`Control::acts_verify`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActsVerified {
    /// Acts that are as they were recorded, before the first problem.
    pub acts: u64,
    /// The first problem.
    pub problem: Option<String>,
}

/// SHA-256 of `salt ‖ content`.
pub fn commitment(salt: &[u8], content: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(content).finalize().into()
}

/// What is recorded beside the one who does it.
pub(crate) struct Deed<'a> {
    pub(crate) verb: &'a str,
    pub(crate) object: String,
    pub(crate) detail: Value,
}

/// Stores one act in the caller's transaction.
pub(crate) async fn record(
    conn: &mut SqliteConnection,
    chance: &dyn Chance,
    actor: &Actor,
    done: Deed<'_>,
    now: Timestamp,
) -> Result<ActNo, ControlError> {
    let seq = next_seq(conn).await?;
    record_as(conn, chance, actor, done, now, seq).await
}

/// The number of the next act; only within a transaction that writes.
pub(crate) async fn next_seq(conn: &mut SqliteConnection) -> Result<i64, ControlError> {
    let (last,): (i64,) =
        sqlx::query_as("SELECT coalesce(max(seq), 0) FROM acts").fetch_one(conn).await.doing("number an act")?;
    Ok(last + 1)
}

/// Stores one act under the number that `next_seq` gave, or one above for each act since.
pub(crate) async fn record_as(
    conn: &mut SqliteConnection,
    chance: &dyn Chance,
    actor: &Actor,
    done: Deed<'_>,
    now: Timestamp,
    seq: i64,
) -> Result<ActNo, ControlError> {
    let kind = match actor.kind {
        ActorKind::Person => "person",
        ActorKind::Token(_) => "token",
        ActorKind::Program => "program",
        ActorKind::Local => "local",
    };
    let id = if actor.is_person() { actor.id.to_string() } else { kind.to_owned() };
    let content = canonical_json(&json!({
        "v": 1,
        "seq": seq,
        "at": now.to_string(),
        "actor": {"id": id, "kind": kind, "name": *actor.name},
        "party": actor.party.to_string(),
        "verb": done.verb,
        "object": done.object,
        "detail": done.detail,
    }));
    let mut salt = [0; 16];
    chance.fill(&mut salt);
    sqlx::query(
        "INSERT INTO acts (seq, at, actor, actor_name, party, verb, object, content, salt, commitment) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(seq)
    .bind(now.micros())
    .bind(&id)
    .bind(&*actor.name)
    .bind(actor.party.to_string())
    .bind(done.verb)
    .bind(&done.object)
    .bind(&content)
    .bind(&salt[..])
    .bind(&commitment(&salt, &content)[..])
    .execute(conn)
    .await
    .doing("store an act")?;
    Ok(ActNo(seq as u64))
}

impl Control {
    /// Records an act that changes nothing here: a setting elsewhere, a sealed segment, a start.
    pub async fn act_record(
        &self,
        actor: &Actor,
        verb: &str,
        object: &str,
        detail: Value,
    ) -> Result<ActNo, ControlError> {
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let done = Deed { verb, object: object.into(), detail };
        let seq = record(&mut tx, &*self.chance, actor, done, self.now()).await?;
        fail::point("control.act");
        tx.commit().await.doing("commit an act")?;
        fail::point("control.act.recorded");
        Ok(seq)
    }

    /// Records that a person read events: the query, how many rows, a hash of them.
    pub async fn read_record(
        &self,
        actor: &Actor,
        verb: &str,
        query: &str,
        rows: u64,
        result_hash: &[u8],
    ) -> Result<ActNo, ControlError> {
        let query: String = query.chars().take(10_000).collect();
        let detail = json!({"query": query, "rows": rows, "result_sha256": hex(result_hash)});
        self.act_record(actor, verb, "events", detail).await
    }

    /// Acts before `before`, latest first; `q` is looked for in actor, verb and object.
    pub async fn acts(&self, before: Option<ActNo>, q: &str, limit: u32) -> Result<Vec<Act>, ControlError> {
        let mut query = QueryBuilder::new("SELECT * FROM acts WHERE seq < ");
        query.push_bind(before.map_or(i64::MAX, |seq| seq.0 as i64));
        for term in q.split_whitespace().take(8) {
            let like = format!("%{}%", escape_like(term));
            query.push(" AND (actor_name LIKE ").push_bind(like.clone()).push(" ESCAPE '\\' OR verb LIKE ");
            query.push_bind(like.clone()).push(" ESCAPE '\\' OR object LIKE ").push_bind(like).push(" ESCAPE '\\')");
        }
        query.push(" ORDER BY seq DESC LIMIT ").push_bind(limit.min(1_000));
        let rows = query.build().fetch_all(&self.readers).await.doing("list acts")?;
        rows.iter().map(act).collect()
    }

    /// Acts from `seq` on, in order: the ledger's outbox.
    pub async fn acts_from(&self, seq: ActNo, limit: u32) -> Result<Vec<Act>, ControlError> {
        let rows = sqlx::query("SELECT * FROM acts WHERE seq >= ? ORDER BY seq LIMIT ?")
            .bind(seq.0 as i64)
            .bind(limit.min(10_000))
            .fetch_all(&self.readers)
            .await
            .doing("list acts")?;
        rows.iter().map(act).collect()
    }

    /// Walks over all acts: whether their numbers have no gap, and each content is the one that was committed to.
    /// Erased content cannot be looked at any more; its number and commitment still count.
    pub async fn acts_verify(&self) -> Result<ActsVerified, ControlError> {
        let mut verified = ActsVerified::default();
        loop {
            let acts = self.acts_from(ActNo(verified.acts + 1), VERIFY_AT_ONCE).await?;
            if acts.is_empty() {
                return Ok(verified);
            }
            for act in acts {
                if act.seq.0 != verified.acts + 1 {
                    verified.problem = Some(format!("act {} is missing", verified.acts + 1));
                    return Ok(verified);
                }
                if let (Some(content), Some(salt)) = (&act.content, &act.salt)
                    && commitment(salt, content) != act.commitment
                {
                    verified.problem =
                        Some(format!("the content of act {} is not the one that was recorded", act.seq.0));
                    return Ok(verified);
                }
                verified.acts += 1;
            }
        }
    }

    /// Forgets the content and salt of one act; its commitment, number, time and verb stay. This is an act too.
    pub async fn act_erase(&self, actor: &Actor, seq: ActNo, reason: &str) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let done = sqlx::query(
            "UPDATE acts SET content = NULL, salt = NULL, actor = '', actor_name = '', object = '' \
             WHERE seq = ? AND content IS NOT NULL",
        )
        .bind(seq.0 as i64)
        .execute(&mut *tx)
        .await
        .doing("erase an act")?;
        if done.rows_affected() == 0 {
            return Err(ControlError::not_found("act with content", seq.0));
        }
        let detail = json!({"erased": seq.0, "reason": reason});
        let erased = Deed { verb: "act_erase", object: format!("act:{}", seq.0), detail };
        record(&mut tx, &*self.chance, actor, erased, self.now()).await?;
        tx.commit().await.doing("commit an erasure")
    }
}

pub(crate) fn escape_like(term: &str) -> String {
    term.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn act(row: &SqliteRow) -> Result<Act, ControlError> {
    let commitment: Vec<u8> = row.try_get("commitment").doing("read an act")?;
    Ok(Act {
        seq: ActNo(row.try_get::<i64, _>("seq").doing("read an act")? as u64),
        at: Timestamp::from_micros(row.try_get("at").doing("read an act")?),
        actor: row.try_get("actor").doing("read an act")?,
        actor_name: row.try_get("actor_name").doing("read an act")?,
        party: row.try_get("party").doing("read an act")?,
        verb: row.try_get("verb").doing("read an act")?,
        object: row.try_get("object").doing("read an act")?,
        content: row.try_get("content").doing("read an act")?,
        salt: row.try_get("salt").doing("read an act")?,
        commitment: commitment.try_into().map_err(|_| ControlError::stored("act", "its commitment has no 32 bytes"))?,
    })
}
