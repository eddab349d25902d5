//! Search: order, pages, counts.

use crate::sample::{arcs, event, open, request, search, up_to};
use tandem_base::Timestamp;
use tandem_model::{Event, ReadScope, Value};
use tandem_store::{RowOrder, SearchRequest, Store};

fn offsets(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.id.record.offset).collect()
}

/// 60 events, three of each instant, in three files and the tail, not in order.
async fn filled(folder: &std::path::Path) -> Store {
    let store = open(folder).await;
    let events: Vec<_> = (0..60)
        .map(|offset| {
            let mut event = event(offset);
            event.time = Timestamp::from_seconds(event.received.seconds() - (offset % 3).cast_signed());
            event.common.set("user.name", if offset % 4 == 0 { "alice" } else { "Bob" });
            event.vendor.set("EventID", (offset % 5).cast_signed());
            event.vendor.set("unknown", format!("u{}", offset % 2));
            event
        })
        .collect();
    for (from, to) in [(0, 20), (20, 40), (40, 50), (50, 60)] {
        store.append(arcs(events[from..to].iter().cloned())).unwrap();
        if to < 60 {
            store.seal(up_to(to as u64), &[]).await.unwrap();
        }
    }
    store
}

fn by_time(order: RowOrder) -> Vec<u64> {
    let mut keys: Vec<_> = (0..60_u64).map(|offset| (offset - offset % 3, offset)).collect();
    keys.sort_unstable();
    if order == RowOrder::NewestFirst {
        keys.reverse();
    }
    keys.into_iter().map(|(_, offset)| offset).collect()
}

#[tokio::test]
async fn pages_join_to_the_whole_in_either_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    for order in [RowOrder::NewestFirst, RowOrder::OldestFirst] {
        for limit in [1, 7, 60, 100] {
            let mut all = Vec::new();
            let mut cursor = None;
            loop {
                let found = search(&store, SearchRequest { limit, order, cursor, ..request("*") }).await;
                assert!(found.rows.len() <= limit);
                all.extend(offsets(&found.rows));
                cursor = found.done.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(all, by_time(order), "{order:?} by {limit}");
        }
    }
}

#[tokio::test]
async fn histogram_and_facets_count_everything_though_few_rows_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let found = search(
        &store,
        SearchRequest {
            limit: 2,
            histogram: Some(4),
            facets: ["user.name", "EventID", "unknown", "absent"].map(str::to_owned).to_vec(),
            from: Some(event(0).received),
            to: Some(event(60).received),
            ..request("*")
        },
    )
    .await;
    assert_eq!(offsets(&found.rows), by_time(RowOrder::NewestFirst)[..2]);
    assert_eq!((found.done.total, found.done.limited), (60, false));
    assert_eq!(found.histogram.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [15, 15, 15, 15]);
    assert_eq!(found.histogram[0].to, found.histogram[1].from);
    let values: Vec<_> = found.facets.iter().map(|facet| (&facet.values[..], facet.distinct, facet.missing)).collect();
    assert_eq!(values[0], (&[("Bob".to_owned(), 45), ("alice".to_owned(), 15)][..], 2, 0));
    assert_eq!((values[1].0.len(), values[1].0[0].1), (5, 12));
    assert_eq!(values[2], (&[("u0".to_owned(), 30), ("u1".to_owned(), 30)][..], 2, 0));
    assert_eq!(values[3], (&[][..], 0, 60));
}

#[tokio::test]
async fn a_time_range_and_a_query_narrow_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let range = |text: &str| SearchRequest {
        from: Some(event(10).received),
        to: Some(event(30).received),
        histogram: Some(1),
        ..request(text)
    };
    assert_eq!(search(&store, range("user.name:ALICE")).await.done.total, 5);
    assert_eq!(search(&store, range("NOT user.name:alice AND EventID:>=3")).await.done.total, 6);
    assert_eq!(search(&store, range("\"number 2\"")).await.done.total, 0);
    assert_eq!(search(&store, range("number 25")).await.done.total, 1);
}

#[tokio::test]
async fn figures_and_columns_come_as_tables() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let table = search(&store, request("* | stats count by user.name | sort -count | head 1")).await.table.unwrap();
    assert_eq!(table.columns, ["user.name", "count"]);
    assert_eq!(table.rows, [[Some(Value::from("Bob")), Some(Value::Long(45))]]);
    let table = search(&store, request("EventID:3 | head 2 | fields id, unknown")).await.table.unwrap();
    assert_eq!(table.rows.len(), 2);
    let found = search(&store, request("* | sort EventID, -time | head 3")).await;
    assert_eq!(offsets(&found.rows), [55, 50, 45]);
}

#[tokio::test]
async fn an_event_is_found_by_its_id_with_what_is_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let scope = ReadScope::Everything;
    for offset in [0, 25, 45, 59] {
        assert_eq!(store.get(event(offset).id, &scope).await.unwrap().unwrap().raw, event(offset).raw);
    }
    assert_eq!(store.get(event(60).id, &scope).await.unwrap(), None);
    let around = store.around(event(30).id, 3, 100, &scope).await.unwrap().unwrap();
    assert_eq!(offsets(&around), [27, 28, 29, 30, 31, 32, 33, 34, 35]);
    assert_eq!(store.around(event(60).id, 3, 100, &scope).await.unwrap(), None);
}

#[tokio::test]
async fn a_test_of_a_list_is_not_lost_beside_a_column_that_the_file_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let tagged = |offset: u64| {
        let mut event = event(offset);
        event.common.set("tags", Value::List(vec!["red".into(), "blue".into()]));
        event
    };
    store.append(arcs((0..3).map(tagged))).unwrap();
    store.seal(up_to(3), &[]).await.unwrap();
    assert_eq!(search(&store, request("(tags:green _exists_:run) OR 2")).await.done.total, 1);
    assert_eq!(search(&store, request("tags:red AND (tags:BLUE OR _exists_:run)")).await.done.total, 3);
    let sql =
        "SELECT count(*) FROM events WHERE (array_position(tags, 'green') = 1 AND run IS NOT NULL) OR raw LIKE '%2'";
    assert_eq!(crate::sample::number(&store, sql).await, 1);
}

/// 5,000 events in one file, one needle in each of some columns.
#[tokio::test]
async fn needles_are_found_in_every_place_by_search_and_sql() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let hay = |offset: u64| {
        let mut event = event(offset);
        let is_needle = offset == 3210;
        event.raw = format!("user {} from 10.1.{}.{}", offset % 50, offset / 250, offset % 250).into();
        event
            .common
            .set("source.ip", if is_needle { "192.0.2.77".to_owned() } else { format!("10.0.0.{}", offset % 200) });
        event.common.set("user.name", if is_needle { "Ann Lee" } else { "bob" });
        event.vendor.set("EventID", if is_needle { 777_777 } else { 4624 });
        event.vendor.set("Image", if is_needle { r"C:\Tools\Mimi-Katz.exe" } else { r"C:\Windows\cmd.exe" });
        event.vendor.set("Loose", if is_needle { "loose end" } else { "tight" });
        if is_needle {
            event.common.set("tags", Value::List(vec!["one".into(), "rare thing".into()]));
        }
        event
    };
    for from in [0, 2500] {
        store.append(arcs((from..from + 2500).map(hay))).unwrap();
    }
    store.seal(up_to(5000), &[]).await.unwrap();
    assert!(store.stats().index_bytes > 0);
    for text in [
        "\"10.1.12.210\"",
        "source.ip:192.0.2.77",
        "source.ip:\"::ffff:192.0.2.77\"",
        "user.name:\"ANN LEE\"",
        "EventID:777777",
        "EventID:\"777777.0\"",
        r"Image:*\mimi-katz.exe",
        r"Image:c:\tools\*",
        "Loose:\"Loose End\"",
        "Loose:*end",
        "tags:\"RARE thing\"",
        "_exists_:tags",
        "user.name:nobody OR tags:\"rare thing\"",
        "user 10 AND NOT user.name:bob",
    ] {
        assert_eq!(search(&store, request(text)).await.done.total, 1, "{text}");
    }
    for text in [
        r#""source.ip" = '192.0.2.77'"#,
        r#""user.name" = 'Ann Lee'"#,
        r#""user.name" IN ('x', 'Ann Lee')"#,
        r#""user.name" ILIKE 'ANN %'"#,
        "EventID = 777777",
        r"Image LIKE '%Mimi-Katz.exe'",
        "raw LIKE 'user % from 10.1.12.210'",
        "extra_text(extra, 'Loose') = 'loose end'",
        "array_has(tags, 'rare thing')",
        "tags IS NOT NULL",
        r#"("user.name" = 'nobody' OR EventID = 777777) AND "user.name" <> 'bob'"#,
    ] {
        let text = format!("SELECT count(*) FROM events WHERE {text}");
        assert_eq!(crate::sample::number(&store, &text).await, 1, "{text}");
    }
}
