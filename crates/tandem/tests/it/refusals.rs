//! Every endpoint refuses whoever may not use it, and says why: `refusals.txt` is the whole list.

use crate::world::World;
use anyhow::Result;
use tandem_api::{ENDPOINTS, Guard, Method};

fn word(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

/// A path with something in place of its names.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
    format!("/api/v1{}", parts.collect::<Vec<_>>().join("/"))
}

#[test]
fn every_endpoint_refuses_nobody_and_those_without_the_right() -> Result<()> {
    let world = World::new()?;
    let viewer = world.person("vera", &["viewer"])?;
    let nobody = world.web();
    let mut table = String::from("# method and path | nobody | a viewer; written by the test with UPDATE_EXPECT=1\n");
    for row in ENDPOINTS {
        let (method, path) = (word(row.method), filled(row.path));
        let body = (row.method != Method::Get).then_some("{}");
        let unknown = nobody.send(method, &path, body)?;
        match row.guard {
            Guard::Open => assert_ne!(unknown.status, 403, "{method} {path}"),
            Guard::SignedIn | Guard::Verb(_) => {
                assert_eq!(unknown.status, 401, "{method} {path} answers nobody: {}", unknown.body);
                assert_eq!(unknown.json()["type"], "not-signed-in", "{method} {path}");
            }
        }
        // Signing out would end the very session that is tried.
        let known = if (row.method, row.path) == (Method::Delete, "/session") {
            "own".to_owned()
        } else {
            let reply = viewer.send(method, &path, body)?;
            assert_ne!(reply.status, 500, "{method} {path}: {}", reply.body);
            let problem = reply.json();
            if reply.status == 403 && problem["type"] == "not-allowed" {
                let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
                assert!(!text("because").is_empty() && !text("how_to_get_access").is_empty(), "{method} {path}");
                format!("403 {}; {}", text("because"), text("how_to_get_access"))
            } else {
                "may".to_owned()
            }
        };
        let nobody = if row.guard == Guard::Open { "open".to_owned() } else { unknown.status.to_string() };
        table.push_str(&format!("{method} {} | {nobody} | {known}\n", row.path));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refusals.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &table)?;
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == table,
        "refusals.txt is stale: run the test with UPDATE_EXPECT=1 and read the difference\n{table}"
    );
    Ok(())
}

#[test]
fn a_session_alone_does_not_change_anything_from_another_page() -> Result<()> {
    let world = World::new()?;
    world.person("noor", &["analyst_l1"])?;
    let mut signed_in = world.web();
    signed_in.sign_in("noor", crate::world::PASSWORD)?;
    let without = signed_in.without("x-tandem-csrf");
    let reply = without.api("POST", "/cases", &serde_json::json!({"title": "phone call"}))?;
    assert_eq!((reply.status, reply.json()["type"].clone()), (403, "csrf".into()));
    assert_eq!(without.get("/cases")?.status, 200);
    assert_eq!(signed_in.api("POST", "/cases", &serde_json::json!({"title": "phone call"}))?.status, 201);
    Ok(())
}
