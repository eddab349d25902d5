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
