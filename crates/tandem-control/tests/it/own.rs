//! What belongs to one person stays with this person.

use crate::world::{World, somebody};
use serde_json::json;

#[tokio::test]
async fn preferences_drafts_and_searches() {
    let world = World::new();
    let control = world.open().await;
    let (dana, _) = somebody(&control, "dana", &[]).await;
    let (eve, _) = somebody(&control, "eve", &[]).await;
    assert_eq!(control.preferences(dana.id).await.unwrap(), json!({}));
    control.set_preferences(dana.id, &json!({"theme": "dark"})).await.unwrap();
    control.set_preferences(dana.id, &json!({"theme": "light", "single_keys": false})).await.unwrap();
    assert_eq!(control.preferences(dana.id).await.unwrap()["theme"], "light");
    assert_eq!(control.preferences(eve.id).await.unwrap(), json!({}));
    assert!(control.set_preferences(dana.id, &json!([1])).await.is_err());
    assert!(control.set_preferences(dana.id, &json!({"x": "y".repeat(70_000)})).await.is_err());

    control.set_draft(dana.id, "case:C-1:note", Some("half a sent")).await.unwrap();
    assert_eq!(control.draft(dana.id, "case:C-1:note").await.unwrap().unwrap(), "half a sent");
    assert_eq!(control.draft(eve.id, "case:C-1:note").await.unwrap(), None);
    control.set_draft(dana.id, "case:C-1:note", None).await.unwrap();
    assert_eq!(control.draft(dana.id, "case:C-1:note").await.unwrap(), None);

    let saved = control.saved_search_add(dana.id, "Failed logons", "/search?q=event.code%3A4625").await.unwrap();
    for url in ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", "/a\nb"] {
        assert!(control.saved_search_add(dana.id, "x", url).await.is_err(), "{url}");
    }
    assert!(control.saved_search_delete(eve.id, &saved.id).await.is_err());
    assert_eq!(control.saved_searches(dana.id).await.unwrap(), std::slice::from_ref(&saved));
    control.saved_search_delete(dana.id, &saved.id).await.unwrap();
    assert!(control.saved_searches(dana.id).await.unwrap().is_empty());
}
