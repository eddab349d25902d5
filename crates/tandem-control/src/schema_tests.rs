//! Migrations: from every earlier version with data in it, to the same schema; never back, never changed.

use super::{Control, MIGRATIONS, migrate};
use crate::{ControlError, SiteKey};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use std::path::Path;
use std::sync::Arc;
use tandem_base::{ManualClock, SeededChance, hex};
use tandem_service::{AlertPolicy, CaseId};

/// SHA-256 of each migration, first 8 bytes. A released one is never changed: add a new one.
const PINNED: &[&str] = &["9500567bfd9dd8ee", "58f355c8a4d5ef40"];

/// Rows as the program of that version wrote them.
const DATA: &[(i64, &str)] =
    &[(1, include_str!("../tests/data/versions/0001.sql")), (2, include_str!("../tests/data/versions/0002.sql"))];

async fn schema(conn: &mut SqliteConnection) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name",
    )
    .fetch_all(conn)
    .await
    .unwrap()
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn open(path: &Path) -> Result<Control, ControlError> {
    let chance = Arc::new(SeededChance::new(1));
    let key = SiteKey::random(&*chance);
    Control::open(path, key, Arc::new(ManualClock::default()), chance, AlertPolicy::standard()).await
}

#[test]
fn released_migrations_are_never_changed() {
    let digests: Vec<String> = MIGRATIONS.iter().map(|(_, _, sql)| hex(&Sha256::digest(sql.as_bytes())[..8])).collect();
    assert_eq!(digests, PINNED);
    let versions: Vec<i64> = MIGRATIONS.iter().map(|(version, ..)| *version).collect();
    assert_eq!(versions, (1..=MIGRATIONS.len() as i64).collect::<Vec<_>>());
    assert_eq!(DATA.len(), MIGRATIONS.len(), "each version has rows of its time");
}

#[tokio::test]
async fn every_earlier_version_opens_with_its_data() {
    let fresh = tempfile::tempdir().unwrap();
    let fresh = fresh.path().join("fresh.db");
    open(&fresh).await.unwrap().close().await.unwrap();
    let wanted = schema(&mut connect(&fresh).await).await;
    for (version, data) in DATA {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.db");
        let mut conn = connect(&path).await;
        migrate(&mut conn, &MIGRATIONS[..*version as usize]).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(*data)).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        let control = open(&path).await.unwrap();
        let case = control.case(CaseId(1)).await.unwrap();
        assert_eq!(case.gathered.detections, 1, "version {version}");
        assert_eq!(control.case_history(CaseId(1)).await.unwrap().len(), 2);
        assert_eq!(control.case_evidence(CaseId(1)).await.unwrap().len(), 1);
        assert_eq!(control.users().await.unwrap().len(), 1);
        assert_eq!(control.acts(None, "", 10).await.unwrap().len(), 3);
        control.close().await.unwrap();
        let mut conn = connect(&path).await;
        assert_eq!(schema(&mut conn).await, wanted, "version {version}");
        let (sound,): (String,) = sqlx::query_as("PRAGMA integrity_check").fetch_one(&mut conn).await.unwrap();
        assert_eq!(sound, "ok");
        let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut conn).await.unwrap();
        assert!(broken.is_empty());
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    let mut conn = connect(&path).await;
    let mut newer = MIGRATIONS.to_vec();
    newer.push((MIGRATIONS.len() as i64 + 1, "future", "CREATE TABLE future (x INTEGER) STRICT;"));
    migrate(&mut conn, &newer).await.unwrap();
    conn.close().await.unwrap();
    let refused = open(&path).await.unwrap_err().to_string();
    assert!(refused.contains("which this program does not know; use the newer program"), "{refused}");
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    std::fs::write(&path, "this is a letter to my grandmother, and long enough to be read as a page").unwrap();
    assert!(open(&path).await.is_err());
}

#[tokio::test]
async fn a_full_disk_refuses_an_act_and_later_ones_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder.path().join("control.db")).await.unwrap();
    let actor = tandem_service::Actor::program();
    let act = |words: usize| serde_json::json!({"text": "word ".repeat(words)});
    control.act_record(&actor, "site_start", "site", act(1)).await.unwrap();
    // The database may not grow: as on a full disk SQLite ends the transaction by itself.
    let pages: (i64,) =
        sqlx::query_as("PRAGMA max_page_count = 1").fetch_one(&mut control.writer.lock().await.conn).await.unwrap();
    assert!(pages.0 > 1, "SQLite keeps the pages that are there");
    let full = control.act_record(&actor, "site_start", "site", act(400_000)).await.unwrap_err();
    assert!(format!("{full:?}").contains("full"), "{full:?}");
    sqlx::query("PRAGMA max_page_count = 1000000").execute(&mut control.writer.lock().await.conn).await.unwrap();
    control.act_record(&actor, "site_start", "site", act(400_000)).await.unwrap();
    let verified = control.acts_verify().await.unwrap();
    assert_eq!((verified.acts, verified.problem), (2, None));
}

#[tokio::test]
async fn an_act_that_is_gone_or_changed_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder.path().join("control.db")).await.unwrap();
    let actor = tandem_service::Actor::program();
    for number in 0..5 {
        control.act_record(&actor, "site_start", "site", serde_json::json!({"number": number})).await.unwrap();
    }
    control.act_erase(&actor, tandem_service::ActNo(2), "asked for").await.unwrap();
    assert_eq!(control.acts_verify().await.unwrap(), crate::ActsVerified { acts: 6, problem: None });
    let run =
        async |sql: &'static str| sqlx::query(sql).execute(&mut control.writer.lock().await.conn).await.map(|_| ());
    run("UPDATE acts SET content = CAST(replace(CAST(content AS TEXT), 'number', 'nomber') AS BLOB) WHERE seq = 4")
        .await
        .unwrap();
    let changed = control.acts_verify().await.unwrap();
    assert_eq!(changed.acts, 3);
    assert_eq!(changed.problem.as_deref(), Some("the content of act 4 is not the one that was recorded"));
    run("DELETE FROM acts WHERE seq = 4").await.unwrap();
    assert_eq!(control.acts_verify().await.unwrap().problem.as_deref(), Some("act 4 is missing"));
}
