//! Acts: no gap, commitments that hold, content that can be forgotten.

use crate::world::{World, somebody};
use serde_json::{Value, json};
use tandem_control::{NewCase, commitment};
use tandem_model::Level;
use tandem_service::{ActNo, Actor, CaseAct, CaseId, CaseKind, Priority, Role};

#[tokio::test]
async fn every_change_has_an_act_and_the_sequence_no_gap() {
    let world = World::new();
    let control = world.open().await;
    let (_, dana) = somebody(&control, "dana", &[Role::SiteAdmin]).await;
    control.judge(&[world.detection(1, "r", Level::High, "ws-1")], &[]).await.unwrap();
    let case = NewCase { title: "x".into(), kind: CaseKind::Service, priority: Priority::P4, text: String::new() };
    control.case_open(&dana, &case).await.unwrap();
    control.case_act(&dana, CaseId(1), None, &CaseAct::Take).await.unwrap();
    assert!(control.case_act(&dana, CaseId(1), None, &CaseAct::Take).await.is_err());
    control.rule_switch(&dana, "r", false, "too loud").await.unwrap();
    control.read_record(&dana, "event_read", "user.name:eve", 12, &[0xab; 32]).await.unwrap();
    control.ingest_token_create(&dana, "firewall").await.unwrap();
    control.secret_set(&dana, "smtp.password", b"hunter2 hunter2").await.unwrap();
    let acts = control.acts_from(ActNo(1), 100).await.unwrap();
    let verbs: Vec<&str> = acts.iter().map(|act| act.verb.as_str()).collect();
    assert_eq!(
        verbs,
        [
            "user_manage",
            "case_opened",
            "case_open",
            "case_take",
            "rule_switch",
            "event_read",
            "ingest_token",
            "settings_edit"
        ]
    );
    for (index, act) in acts.iter().enumerate() {
        assert_eq!(act.seq, ActNo(index as u64 + 1));
        let (salt, content) = (act.salt.as_deref().unwrap(), act.content.as_deref().unwrap());
        assert_eq!(act.commitment, commitment(salt, content));
        let value: Value = serde_json::from_slice(content).unwrap();
        assert_eq!(tandem_control::canonical_json(&value), content);
        assert_eq!(value["seq"], json!(act.seq.0));
        assert_eq!(value["at"], json!(act.at.to_string()));
    }
    let whole = format!(
        "{acts:?}{}",
        acts.iter()
            .map(|act| String::from_utf8_lossy(act.content.as_deref().unwrap()).into_owned())
            .collect::<String>()
    );
    assert!(!whole.contains("hunter2") && !whole.contains("tandem_ingest_") && !whole.contains("horse battery"));
    let read = &acts[5];
    assert_eq!(read.detail(), json!({"query": "user.name:eve", "rows": 12, "result_sha256": "ab".repeat(32)}));
}

#[tokio::test]
async fn erasing_keeps_the_commitment() {
    let world = World::new();
    let control = world.open().await;
    let seq =
        control.act_record(&Actor::local(), "settings_edit", "settings", json!({"who": "Eve Adams"})).await.unwrap();
    let before = control.acts_from(seq, 1).await.unwrap().remove(0);
    control.act_erase(&Actor::local(), seq, "she asked").await.unwrap();
    let after = control.acts_from(seq, 2).await.unwrap();
    assert_eq!((after[0].content.clone(), after[0].salt.clone(), after[0].commitment), (None, None, before.commitment));
    assert_eq!(after[1].verb, "act_erase");
    assert!(control.act_erase(&Actor::local(), seq, "again").await.is_err());
}

#[tokio::test]
async fn the_log_pages_and_filters() {
    let world = World::new();
    let control = world.open().await;
    for number in 0..7 {
        control.act_record(&Actor::local(), "settings_edit", &format!("setting:{number}"), json!({})).await.unwrap();
    }
    let first = control.acts(None, "", 3).await.unwrap();
    let seqs: Vec<u64> = first.iter().map(|act| act.seq.0).collect();
    assert_eq!(seqs, [7, 6, 5]);
    let next = control.acts(Some(first[2].seq), "", 100).await.unwrap();
    assert_eq!(next.len(), 4);
    assert_eq!(control.acts(None, "setting:3 local", 9).await.unwrap().len(), 1);
    assert!(control.acts(None, "100%", 9).await.unwrap().is_empty());
}
