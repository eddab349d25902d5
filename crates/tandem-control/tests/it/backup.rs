//! Backup and restore: complete, sealed, and no changed byte passes. Migrations from every earlier version.

use crate::world::{PASSWORD, World, somebody};
use serde_json::json;
use std::fs;
use std::path::Path;
use tandem_base::SeededChance;
use tandem_control::{BackupFile, ControlError, RecoveryKey, restore};
use tandem_model::Level;
use tandem_service::{CaseId, Role};

async fn backup(world: &World, to: &Path, key: &RecoveryKey) {
    let control = world.open().await;
    somebody(&control, "dana", &[Role::SiteAdmin]).await;
    control.judge(&[world.detection(1, "r", Level::High, "ws-1")], &[("detect", b"pos")]).await.unwrap();
    let rules = world.folder.path().join("rule.yml");
    fs::write(&rules, "title: mine\n".repeat(1_000)).unwrap();
    let empty = world.folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    let files = [
        BackupFile { name: "rules/own/rule.yml".into(), path: rules },
        BackupFile { name: "empty".into(), path: empty },
    ];
    let report = control.backup(to, &files, json!({"tables": {"events": 17}}), key).await.unwrap();
    assert_eq!(report.files.len(), 3);
    assert_eq!(report.size_bytes, fs::metadata(to).unwrap().len());
    // What happens after it is not in it.
    control.judge(&[world.detection(2, "q", Level::High, "ws-2")], &[]).await.unwrap();
    let again = control.backup(to, &files, json!({}), key).await;
    assert!(matches!(again, Err(ControlError::File { .. })), "an archive is never overwritten");
    control.close().await.unwrap();
}

#[tokio::test]
async fn what_was_backed_up_comes_back() {
    let world = World::new();
    let key = RecoveryKey::random(&SeededChance::new(5));
    let archive = world.folder.path().join("site.backup");
    backup(&world, &archive, &key).await;
    let bytes = fs::read(&archive).unwrap();
    for needle in ["dana", "title: mine", "control.db", "SQLite format"] {
        assert!(!bytes.windows(needle.len()).any(|window| window == needle.as_bytes()), "{needle} is readable");
    }
    let mut other = World::new();
    other.key = world.key.clone();
    let typed: RecoveryKey = key.text().to_lowercase().parse().unwrap();
    let folder = other.folder.path().join("restored");
    let report = restore(&archive, &folder, &typed).unwrap();
    assert_eq!(report.facts["tables"]["events"], 17);
    assert_eq!(report.key_id, world.key.id());
    assert!(report.missing.iter().any(|line| line.starts_with("events")));
    assert_eq!(fs::read_to_string(folder.join("rules/own/rule.yml")).unwrap().len(), 12 * 1_000);
    fs::rename(folder.join("control.db"), other.folder.path().join("control.db")).unwrap();
    let control = other.open().await;
    assert_eq!(control.case(CaseId(1)).await.unwrap().gathered.detections, 1);
    assert!(control.case(CaseId(2)).await.is_err());
    assert_eq!(control.position("detect").await.unwrap().unwrap(), b"pos");
    control.sign_in("dana", PASSWORD, None, "p").await.unwrap();
}

#[tokio::test]
async fn no_changed_or_missing_byte_passes() {
    let world = World::new();
    let key = RecoveryKey::random(&SeededChance::new(5));
    let archive = world.folder.path().join("site.backup");
    backup(&world, &archive, &key).await;
    let bytes = fs::read(&archive).unwrap();
    let damaged = world.folder.path().join("damaged");
    let folder = world.folder.path().join("restored");
    let try_it = |bytes: &[u8], key: &RecoveryKey| {
        fs::write(&damaged, bytes).unwrap();
        let result = restore(&damaged, &folder, key);
        assert!(!folder.exists() || result.is_ok(), "something was left behind");
        result
    };
    let other = RecoveryKey::random(&SeededChance::new(6));
    let wrong = try_it(&bytes, &other).unwrap_err().to_string();
    assert!(wrong.contains("recovery key is not the one"), "{wrong}");
    let step = bytes.len() / 6;
    for at in (0..bytes.len()).step_by(step).chain([0, 16, 34, 35, bytes.len() - 1]) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(try_it(&changed, &key).is_err(), "byte {at}");
        assert!(try_it(&bytes[..at], &key).is_err(), "cut at {at}");
    }
    // Whole chunks cut off, repeated or swapped.
    let chunk = 64 * 1024 + 16;
    let head = 35;
    assert!(bytes.len() > head + 3 * chunk, "the archive has several chunks");
    assert!(try_it(&bytes[..head + chunk], &key).is_err());
    assert!(try_it(&[&bytes[..], &bytes[head..head + chunk]].concat(), &key).is_err());
    let swapped = [
        &bytes[..head],
        &bytes[head + chunk..head + 2 * chunk],
        &bytes[head..head + chunk],
        &bytes[head + 2 * chunk..],
    ];
    assert!(try_it(&swapped.concat(), &key).is_err());
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("precious"), "x").unwrap();
    assert!(restore(&archive, &folder, &key).unwrap_err().to_string().contains("not empty"));
    assert!(folder.join("precious").exists());
}
