//! Other engines read the tables as they are.

use crate::sample::{EPOCH, arcs, catalogue, clock, detection, event, field, up_to};
use std::sync::Arc;
use tandem_model::{Catalogue, FieldType, Layer, Value};
use tandem_store::Store;

#[tokio::test]
async fn other_engines_count_the_same_rows() {
    let Ok(python) = std::env::var("TANDEM_PEERS_PYTHON") else {
        let reason = "TANDEM_PEERS_PYTHON names no Python with deltalake, pyarrow and duckdb";
        tandem_testkit::skip("other_engines_count_the_same_rows", reason);
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let full = |offset: u64| {
        let mut event = event(offset);
        event.common.set("source.ip", "10.0.0.1");
        event.common.set("tags", Value::List(vec!["a".into(), "b".into()]));
        event.common.set("event.start", Value::Time(event.time));
        event.common.set("ok", Value::Bool(true));
        event.common.set("score", Value::Double(0.5));
        event.vendor.set("EventID", 4624);
        event.vendor.set("Odd", "kept");
        event.raw_private = vec![(0, 3)];
        event
    };
    {
        let store = Store::open(folder.path(), catalogue(), clock()).await.unwrap();
        store.append(arcs((0..100).map(full))).unwrap();
        store.append_detections(vec![detection("r", 1), detection("r", 2)]).await.unwrap();
        store.seal(up_to(100), &[("import-x".to_owned(), 1)]).await.unwrap();
    }
    // A column more, further files, a merge, and more commits than a checkpoint takes.
    let mut fields = catalogue().fields().to_vec();
    fields.push(field("Odd", FieldType::String, Layer::Vendor));
    let wider = Arc::new(Catalogue::new(2, fields).unwrap());
    let clock = clock();
    let store = Store::open(folder.path(), wider, clock.clone()).await.unwrap();
    store.sealed_position(EPOCH).await.unwrap();
    for part in 0..60 {
        store.append(arcs((100 + part * 5..105 + part * 5).map(full))).unwrap();
        store.seal(up_to(105 + part * 5), &[]).await.unwrap();
    }
    clock.advance(std::time::Duration::from_hours(24));
    assert!(store.compact().await.unwrap().files_before >= 60);
    store.append(arcs((400..450).map(|offset| full(offset + 200_000)))).unwrap();
    store.seal(up_to(1_000_000), &[]).await.unwrap();

    let events = folder.path().join("tables/events");
    let detections = folder.path().join("tables/detections");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers.py");
    let output =
        std::process::Command::new(python).args([script.as_ref(), events.as_os_str(), detections.as_os_str()]).output();
    let output = output.unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let answers: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let engines = answers.as_object().unwrap();
    println!("engines: {:?}; {told}", engines.keys().collect::<Vec<_>>());
    assert!(!engines.is_empty(), "{told}");
    for (engine, answer) in engines {
        let of = |folder: &std::path::Path| answer[folder.to_str().unwrap()].clone();
        assert_eq!((of(&events)["rows"].as_u64(), of(&events)["ids"].as_u64()), (Some(450), Some(450)), "{engine}");
        assert_eq!(of(&detections)["rows"].as_u64(), Some(2), "{engine}");
        let columns = of(&events)["columns"].to_string();
        for column in ["\"source.ip\"", "\"source.ip.key\"", "\"Odd\"", "\"extra\""] {
            assert!(columns.contains(column), "{engine} lacks {column}: {columns}");
        }
    }
}
