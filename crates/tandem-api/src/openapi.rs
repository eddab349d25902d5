//! The OpenAPI document, made from the endpoint catalogue and the wire types.

use crate::{ENDPOINTS, Endpoint, Guard, Method};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(components(schemas(
    crate::Problem,
    crate::QueryProblem,
    crate::SignIn,
    crate::SignInByLink,
    crate::Session,
    crate::SessionUser,
    crate::SiteInfo,
    crate::Draft,
    crate::Presence,
    crate::PresenceOthers,
    crate::PresenceOther,
    crate::SavedSearch,
    crate::CaseHead,
    crate::Person,
    crate::EntityRef,
    crate::Similar,
    crate::CasePage,
    crate::CaseCounts,
    crate::CaseDetail,
    crate::Grouping,
    crate::WhyItFired,
    crate::MatchedField,
    crate::TimelineEntry,
    crate::AllowedAct,
    crate::NewCase,
    crate::CaseAct,
    crate::Undo,
    crate::BulkAct,
    crate::BulkResult,
    crate::NotDone,
    crate::Home,
    crate::HomeStatus,
    crate::StripHour,
    crate::RunPage,
    crate::Run,
    crate::RunGroup,
    crate::Promote,
    crate::DetectionRow,
    crate::DetectionPage,
    crate::DetectionDetail,
    crate::EventRow,
    crate::EventPage,
    crate::EventDetail,
    crate::SearchRequest,
    crate::HistogramRequest,
    crate::SearchPart,
    crate::Bucket,
    crate::Facet,
    crate::FacetValue,
    crate::QueryCheck,
    crate::QueryChecked,
    crate::Completions,
    crate::Completion,
    crate::FieldList,
    crate::FieldInfo,
    crate::SqlRequest,
    crate::SourceHead,
    crate::SourcePage,
    crate::SourceDetail,
    crate::ParseFailure,
    crate::Diagnosis,
    crate::SourceChange,
    crate::ReceiverPage,
    crate::Receiver,
    crate::Count,
    crate::Snippet,
    crate::RuleHead,
    crate::RulePage,
    crate::RuleCounts,
    crate::RuleDetail,
    crate::RuleChange,
    crate::User,
    crate::UserPage,
    crate::NewUser,
    crate::UserChange,
    crate::PasswordChange,
    crate::SecondFactorSetup,
    crate::SecondFactorCode,
    crate::NewToken,
    crate::Token,
    crate::TokenPage,
    crate::LogEntry,
    crate::LogPage,
    crate::Settings,
    crate::Health,
    crate::HealthCheck,
    crate::SpoolHealth,
    crate::StoreHealth,
    crate::DetectHealth,
)))]
struct Schemas;

/// The document, as it is committed in `openapi.json`.
pub fn openapi() -> Value {
    let schemas = serde_json::to_value(Schemas::openapi()).expect("the schemas are JSON");
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in ENDPOINTS {
        let entry = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        entry[method(endpoint.method)] = operation(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Tandem", "version": "1", "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } },
        "servers": [{ "url": "/api/v1" }],
        "paths": paths,
        "components": {
            "schemas": schemas["components"]["schemas"],
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "tandem_session" },
                "token": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Put => "put",
        Method::Patch => "patch",
        Method::Delete => "delete",
    }
}

fn operation(endpoint: &Endpoint) -> Value {
    let schema = |name: &str| json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } });
    let parameters: Vec<Value> = endpoint
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let answer = match endpoint.response {
        Some("SearchPart") => {
            json!({ "description": "one JSON object a line", "content": { "application/x-ndjson": schema("SearchPart") } })
        }
        Some(name) => json!({ "description": "done", "content": { "application/json": schema(name) } }),
        None => json!({ "description": "done" }),
    };
    let mut operation = json!({
        "summary": endpoint.summary,
        "responses": {
            "2XX": answer,
            "default": { "description": "refused or failed", "content": { "application/problem+json": schema("Problem") } },
        },
    });
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(name) = endpoint.request {
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": schema(name) } });
    }
    match endpoint.guard {
        Guard::Open => operation["security"] = json!([]),
        Guard::SignedIn => operation["security"] = json!([{ "session": [] }, { "token": [] }]),
        Guard::Verb(verb) => {
            operation["security"] = json!([{ "session": [] }, { "token": [] }]);
            operation["x-verb"] = json!(verb);
        }
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_named_schema_exists_and_no_endpoint_occurs_twice() {
        let document = openapi();
        let mut seen = BTreeSet::new();
        for endpoint in ENDPOINTS {
            assert!(seen.insert((method(endpoint.method), endpoint.path)), "{} occurs twice", endpoint.path);
            for name in [endpoint.request, endpoint.response].into_iter().flatten() {
                assert!(document["components"]["schemas"].get(name).is_some(), "{name} is no schema");
            }
        }
    }

    #[test]
    fn committed_document_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");
        let current = format!("{:#}\n", openapi());
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, &current).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == current,
            "openapi.json is stale: run the test with UPDATE_EXPECT=1 and read the difference"
        );
    }
}
