//! Sealing: purpose, key, every byte.

use crate::world::World;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tandem_base::SeededChance;
use tandem_control::{ControlError, SealError, SiteKey};
use tandem_service::Actor;

#[test]
fn any_changed_byte_purpose_or_key_is_refused() {
    let chance = SeededChance::new(3);
    let key = SiteKey::random(&chance);
    let sealed = key.seal("totp:user_1", b"seed", &chance);
    assert_eq!(key.open("totp:user_1", &sealed).unwrap(), b"seed");
    assert_ne!(key.seal("totp:user_1", b"seed", &chance), sealed, "a nonce is never used twice");
    assert!(matches!(key.open("totp:user_2", &sealed), Err(SealError::Damaged)));
    assert!(matches!(SiteKey::random(&chance).open("totp:user_1", &sealed), Err(SealError::OtherKey { .. })));
    for index in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[index] ^= 1;
        assert!(key.open("totp:user_1", &damaged).is_err(), "byte {index}");
        assert!(key.open("totp:user_1", &sealed[..index]).is_err(), "cut at {index}");
    }
    assert_eq!(format!("{key:?}"), format!("SiteKey({})", key.id()));
}

#[test]
fn the_key_file_is_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.key");
    let key = SiteKey::create(&path, &SeededChance::new(4)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(SiteKey::load(&path).unwrap().id(), key.id());
    assert!(matches!(SiteKey::create(&path, &SeededChance::new(5)), Err(SealError::File { .. })), "never overwritten");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(SiteKey::load(&path), Err(SealError::Open { .. })));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "tandem-site-key-1:abc").unwrap();
    assert!(matches!(SiteKey::load(&path), Err(SealError::NoKey { .. })));
}

#[tokio::test]
async fn secrets_open_only_with_the_key_that_sealed_them() {
    let mut world = World::new();
    let control = world.open().await;
    control.secret_set(&Actor::local(), "smtp.password", b"one").await.unwrap();
    control.secret_set(&Actor::local(), "smtp.password", b"two").await.unwrap();
    assert_eq!(control.secret("smtp.password").await.unwrap().unwrap(), b"two");
    assert_eq!(control.secret("other").await.unwrap(), None);
    for file in ["control.db", "control.db-wal"] {
        let mode = fs::metadata(world.folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    control.close().await.unwrap();
    world.key = SiteKey::random(&SeededChance::new(99));
    let control = world.open().await;
    assert!(matches!(control.secret("smtp.password").await, Err(ControlError::Seal(SealError::OtherKey { .. }))));
}
