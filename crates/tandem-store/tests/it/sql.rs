//! SQL: what it may say, what it may cost, what its errors tell.

use crate::sample::{arcs, event, number, open, sql, up_to};
use futures::StreamExt;
use std::time::Duration;
use tandem_model::{ReadScope, Value};
use tandem_store::{QueryError, QueryLimits, Store};
use tokio_util::sync::CancellationToken;

async fn filled(folder: &std::path::Path) -> Store {
    let store = open(folder).await;
    let events = |from, to| {
        arcs((from..to).map(|offset| {
            let mut event = event(offset);
            event.common.set("user.name", format!("user{}", offset % 3));
            event.vendor.set("EventID", 4000 + offset.cast_signed());
            event.vendor.set("Odd", "yes");
            event
        }))
    };
    store.append(events(0, 30)).unwrap();
    store.seal(up_to(30), &[]).await.unwrap();
    store.append(events(30, 40)).unwrap();
    store
}

async fn refused(store: &Store, text: &str) -> (String, Option<String>) {
    let answer = store.sql(text, &ReadScope::Everything, QueryLimits::default(), CancellationToken::new()).await;
    let error = match answer {
        Ok(answer) => answer.rows().await.expect_err(text),
        Err(error) => error,
    };
    match error {
        QueryError::Invalid { message, hint } => (message, hint),
        other => panic!("{text}: {other:?}"),
    }
}

#[tokio::test]
async fn names_are_as_written_and_words_in_any_case() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    assert_eq!(number(&store, "sElEcT mAx(EventID) fRoM EVENTS").await, 4039);
    assert_eq!(number(&store, r#"SELECT count(*) FROM events WHERE "user.name" = 'user1'"#).await, 13);
    assert_eq!(number(&store, "SELECT count(*) FROM events WHERE Extra_Text(extra, 'Odd') = 'yes'").await, 40);
    let rows = sql(
        &store,
        r#"WITH per AS (SELECT "user.name" AS who, count(*) AS n FROM events GROUP BY 1)
           SELECT who, n, row_number() OVER (ORDER BY n DESC, who) FROM per ORDER BY n DESC, who LIMIT 1"#,
    )
    .await;
    assert_eq!(rows, [[Some(Value::from("user0")), Some(Value::Long(14)), Some(Value::Long(1))]]);
    let rows = sql(&store, "SELECT date_trunc('day', time), count(*) FROM events GROUP BY 1").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(number(&store, "SELECT count(*) FROM events WHERE time >= '2026-10-11T22:00:29Z'").await, 10);
    assert_eq!(number(&store, "SELECT count(*) FROM events WHERE array_has(log_types, 'windows/security')").await, 40);
    assert_eq!(number(&store, "SELECT count(*) FROM events e JOIN events f ON e.id = f.id").await, 40);
    assert_eq!(number(&store, "SELECT count(*) FROM detections").await, 0);
}

#[tokio::test]
async fn everything_but_reading_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let file = folder.path().join("tables/events/_delta_log/00000000000000000000.json");
    let file = file.display();
    for text in [
        "INSERT INTO events SELECT * FROM events".to_owned(),
        "UPDATE events SET raw = ''".to_owned(),
        "DELETE FROM events".to_owned(),
        "DROP TABLE events".to_owned(),
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "CREATE VIEW v AS SELECT 1".to_owned(),
        format!("CREATE EXTERNAL TABLE t STORED AS JSON LOCATION '{file}'"),
        format!("COPY (SELECT 1) TO '{file}x'"),
        format!("COPY events TO '{file}x' STORED AS CSV"),
        "SET datafusion.execution.batch_size = 1".to_owned(),
        "SHOW ALL".to_owned(),
        "SHOW TABLES".to_owned(),
        "EXPLAIN SELECT 1".to_owned(),
        "EXPLAIN ANALYZE SELECT count(*) FROM events".to_owned(),
        "DESCRIBE events".to_owned(),
        "BEGIN".to_owned(),
        "PREPARE p AS SELECT 1".to_owned(),
        "SELECT 1; SELECT 2".to_owned(),
        String::new(),
        format!("SELECT * FROM '{file}'"),
        format!("SELECT * FROM read_json('{file}')"),
        "SELECT * FROM generate_series(1, 1000000000)".to_owned(),
        "SELECT * FROM information_schema.tables".to_owned(),
        "SELECT range(0, 1000000000)".to_owned(),
        "SELECT generate_series(0, 1000000000)".to_owned(),
        "SELECT repeat(raw, 1000000) FROM events".to_owned(),
        "SELECT lpad(raw, 1000000000) FROM events".to_owned(),
        "SELECT array_repeat(1, 1000000000)".to_owned(),
        "SELECT replace(raw, 'e', raw) FROM events".to_owned(),
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r".to_owned(),
        "SELECT (SELECT count(*) FROM nowhere)".to_owned(),
        "SELECT count(*) FROM events WHERE id IN (SELECT repeat('x', 1000000000))".to_owned(),
        "SELECT * INTO t FROM events".to_owned(),
    ] {
        let (message, _) = refused(&store, &text).await;
        assert!(!message.is_empty() && !message.contains('\n'), "{text}: {message}");
    }
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 40);
}

#[tokio::test]
async fn texts_do_not_grow_without_limit() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let mut text = "SELECT raw AS x FROM events".to_owned();
    for _ in 0..20 {
        text = format!("SELECT concat(x, x) AS x FROM ({text})");
    }
    assert!(refused(&store, &text).await.0.contains("times longer"));
    let text = format!("SELECT {} FROM events", vec!["raw"; 40].join(" || "));
    assert!(refused(&store, &text).await.0.contains("times longer"));
    assert_eq!(sql(&store, "SELECT source || '/' || parser FROM events LIMIT 1").await.len(), 1);
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let hint = async |text: &str| {
        let (message, hint) = refused(&store, text).await;
        hint.unwrap_or(message)
    };
    assert_eq!(hint("SELECT user.name FROM events").await, "write a name with dots in double quotes: \"user.name\"");
    assert_eq!(hint("SELECT eventid FROM events").await, "the column is called \"EventID\"");
    assert!(hint("SELECT Odd FROM events").await.contains("extra_text(extra, 'Odd')"));
    assert_eq!(hint("SELECT * FROM event").await, "the tables are events and detections");
    assert!(hint("DELETE FROM events").await.contains("SELECT"));
    assert!(refused(&store, "SELEC 1").await.0.starts_with("the SQL text is not understood"));
    assert!(refused(&store, &format!("SELECT {}1{}", "(".repeat(300), ")".repeat(300))).await.0.len() > 10);
}

#[tokio::test]
async fn limits_are_named_when_they_end_a_query() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let run = async |text: &str, limits: QueryLimits, cancel: CancellationToken| match store
        .sql(text, &ReadScope::Everything, limits, cancel)
        .await
    {
        Ok(answer) => answer.rows().await,
        Err(error) => Err(error),
    };
    let many = "SELECT a.id FROM events a, events b, events c, events d, events e";
    let limits = QueryLimits { rows: 7, ..QueryLimits::default() };
    let answer = store.sql(many, &ReadScope::Everything, limits, CancellationToken::new()).await.unwrap();
    let parts: Vec<_> = answer.batches.collect().await;
    let rows: usize = parts.iter().filter_map(|part| Some(part.as_ref().ok()?.num_rows())).sum();
    assert_eq!(rows, 7);
    assert!(matches!(parts.last(), Some(Err(QueryError::TooManyRows { limit: 7 }))));
    assert_eq!(run("SELECT id FROM events LIMIT 7", limits, CancellationToken::new()).await.unwrap().len(), 7);

    let slow = "SELECT count(*) FROM events a, events b, events c, events d, events e, events f WHERE \
                length(concat(a.raw, b.raw, c.raw, d.raw, e.raw, f.raw)) = 0";
    let limits = QueryLimits { time: Duration::ZERO, ..QueryLimits::default() };
    assert!(matches!(run(slow, limits, CancellationToken::new()).await, Err(QueryError::TooSlow { seconds: 0 })));
    let limits = QueryLimits { time: Duration::from_millis(300), ..QueryLimits::default() };
    assert!(matches!(run(slow, limits, CancellationToken::new()).await, Err(QueryError::TooSlow { seconds: 0 })));
    let cancel = CancellationToken::new();
    let answer = store.sql(slow, &ReadScope::Everything, QueryLimits::default(), cancel.clone()).await.unwrap();
    cancel.cancel();
    assert!(matches!(answer.rows().await, Err(QueryError::Cancelled)));

    let greedy = "SELECT a.raw, b.raw, count(*) FROM events a, events b, events c GROUP BY 1, 2 ORDER BY 3, 1, 2";
    let limits = QueryLimits { memory_bytes: 40_000, ..QueryLimits::default() };
    assert!(matches!(
        run(greedy, limits, CancellationToken::new()).await,
        Err(QueryError::TooLarge { limit_bytes: 40_000 })
    ));
    // What ended gave back what it held.
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 40);
}
