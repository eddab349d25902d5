//! What clients of Elasticsearch ask before they deliver: enough that their setup succeeds, no feature feigned
//! that they would then use. Templates and policies are acknowledged and forgotten; searches are not known.

use super::bulk::{answer as reply, dress, refused};
use super::{Peer, Shared};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

/// The answer to a request that looks around, `None` for anything else.
pub(super) fn answer(shared: &Shared, request: &Request) -> Option<Response> {
    let path = request.uri().path().trim_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    let (status, body) = known(request.method(), &parts, &shared.config.elasticsearch_version)?;
    let Peer(peer) = request.extensions().get::<Peer>().copied()?;
    let headers = request.headers();
    if let Err(reason) = shared.sender(headers, None, peer) {
        return Some(refused(headers, &reason));
    }
    let mut answer = reply(headers, status, &body);
    if request.method() == Method::HEAD {
        *answer.body_mut() = Body::empty();
        dress(headers, &mut answer);
    }
    Some(answer)
}

fn known(method: &Method, parts: &[&str], version: &str) -> Option<(StatusCode, Value)> {
    let ok = |body: Value| Some((StatusCode::OK, body));
    let acknowledged = || ok(json!({"acknowledged": true}));
    let reading = matches!(*method, Method::GET | Method::HEAD);
    let writing = matches!(*method, Method::PUT | Method::POST);
    match parts {
        [""] if reading => ok(root(version)),
        ["_license"] if reading => ok(json!({"license": {
            "status": "active", "uid": UID, "type": "basic", "issue_date_in_millis": 0_u64,
            "issued_to": "tandem", "issuer": "elasticsearch", "max_nodes": 1000, "start_date_in_millis": -1,
        }})),
        ["_xpack", ..] if reading => ok(json!({
            "build": {"hash": "tandem", "date": "2026-01-01T00:00:00.000Z"},
            "license": {"uid": UID, "type": "basic", "mode": "basic", "status": "active"},
            "features": {
                "ilm": {"available": true, "enabled": false},
                "security": {"available": true, "enabled": true},
                "monitoring": {"available": false, "enabled": false},
            },
            "tagline": "You know, for X",
        })),
        ["_cluster", "health", ..] if reading => ok(json!({
            "cluster_name": "tandem", "status": "green", "timed_out": false, "number_of_nodes": 1,
            "number_of_data_nodes": 1, "active_primary_shards": 0, "active_shards": 0, "relocating_shards": 0,
            "initializing_shards": 0, "unassigned_shards": 0,
        })),
        ["_cluster", "settings"] if reading => ok(json!({"persistent": {}, "transient": {}})),
        ["_nodes", ..] if reading => ok(json!({
            "_nodes": {"total": 1, "successful": 1, "failed": 0}, "cluster_name": "tandem",
            "nodes": {UID: {
                "name": "tandem", "version": version, "build_flavor": "default", "roles": ["ingest"],
                "ingest": {"processors": []}, "plugins": [], "modules": [],
            }},
        })),
        ["_ingest", "pipeline"] | ["_ilm", "policy"] | ["_template"] if reading => ok(json!({})),
        ["_index_template"] if reading => ok(json!({"index_templates": []})),
        ["_component_template"] if reading => ok(json!({"component_templates": []})),
        ["_data_stream"] if reading => ok(json!({"data_streams": []})),
        ["_ilm", "status"] if reading => ok(json!({"operation_mode": "RUNNING"})),
        // What is asked for by name is said to be there, or clients would go on to set it up in ways we ignore.
        ["_ilm", "policy", name] | ["_ingest", "pipeline", name] if reading => ok(json!({*name: {}})),
        ["_template", name] if reading => ok(json!({*name: {"index_patterns": [], "order": 0}})),
        ["_index_template", name] if reading => {
            ok(json!({"index_templates": [{"name": name, "index_template": {"index_patterns": []}}]}))
        }
        ["_component_template", name] if reading => {
            ok(json!({"component_templates": [{"name": name, "component_template": {"template": {}}}]}))
        }
        ["_data_stream", name] if reading => ok(json!({"data_streams": [{
            "name": name, "timestamp_field": {"name": "@timestamp"}, "indices": [], "generation": 1, "status": "GREEN",
        }]})),
        ["_cat", ..] if reading => ok(json!([])),
        ["_ilm" | "_ingest", _, _] | ["_index_template" | "_component_template" | "_template" | "_data_stream", _]
            if writing =>
        {
            acknowledged()
        }
        // An index that a client makes or asks for.
        [index] if !index.starts_with('_') && *method == Method::PUT => {
            ok(json!({"acknowledged": true, "shards_acknowledged": true, "index": index}))
        }
        [index] if !index.starts_with('_') && !index.is_empty() && *method == Method::HEAD => ok(json!({})),
        _ => None,
    }
}

const UID: &str = "7a6e1f0c-0000-4000-8000-74616e64656d";

fn root(version: &str) -> Value {
    json!({
        "name": "tandem",
        "cluster_name": "tandem",
        "cluster_uuid": UID,
        "version": {
            "number": version, "build_flavor": "default", "build_type": "tar", "build_hash": "tandem",
            "build_date": "2026-01-01T00:00:00.000Z", "build_snapshot": false, "lucene_version": "10.0.0",
            "minimum_wire_compatibility_version": "8.19.0", "minimum_index_compatibility_version": "8.0.0",
        },
        "tagline": "You Know, for Search",
    })
}
