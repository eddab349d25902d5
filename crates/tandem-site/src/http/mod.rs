//! The handlers of `/api/v1` for everything that is not about accounts. One file per resource: it reads what a
//! request carries, asks the room that knows, and turns the answer into the wire's words.

mod case_view;
mod case_words;
mod cases;
mod detections;
mod diagnosis;
mod event_view;
mod events;
mod extract;
mod fields;
mod health;
mod home;
mod hub;
mod ingest_tokens;
mod log;
mod metrics;
mod presence;
mod reads;
mod receivers;
mod rules;
mod runs;
mod search;
mod settings;
mod snippets;
mod source_health;
mod sources;
mod sql;
mod stream;
mod tail;
mod timeline;

pub(crate) use ingest_tokens::renew_tokens;

use crate::app::App;
use axum::routing::get;
use axum::{Json, Router};
use tandem_api::Method::{Delete, Get, Patch, Post, Put};
use tandem_web::Api;

/// Serves the rows of the catalogue that this module knows.
pub(crate) fn routes(api: Api<App>) -> Api<App> {
    let streams = stream::Streams::new();
    api.serve(Put, "/presence", presence::look)
        .serve(Get, "/home", home::home)
        .serve(Get, "/cases", cases::list)
        .serve(Post, "/cases", cases::open)
        .serve(Post, "/cases/bulk", cases::bulk)
        .serve(Get, "/cases/{id}", cases::one)
        .serve(Post, "/cases/{id}/acts", cases::act)
        .serve(Post, "/cases/{id}/undo", cases::undo)
        .serve(Get, "/cases/{id}/events", cases::events)
        .serve(Get, "/detections", detections::list)
        .serve(Get, "/detections/{id}", detections::one)
        .serve(Get, "/runs", runs::list)
        .serve(Get, "/runs/{id}", runs::one)
        .serve(Post, "/runs/{id}/promote", runs::promote)
        .serve(Post, "/search", search::search)
        .serve(Post, "/search/check", search::check)
        .serve(Get, "/search/complete", search::complete)
        .serve(Get, "/events/{id}", events::one)
        .serve(Get, "/events/{id}/around", events::around)
        .serve(Get, "/fields", fields::list)
        .serve(Post, "/sql", sql::sql)
        .serve(Get, "/stream", move |app, stopping, caller, follow, headers| {
            stream::stream(streams.clone(), app, stopping, caller, follow, headers)
        })
        .serve(Get, "/sources", sources::list)
        .serve(Get, "/sources/{id}", sources::one)
        .serve(Patch, "/sources/{id}", sources::change)
        .serve(Get, "/receivers", receivers::list)
        .serve(Get, "/ingest-tokens", ingest_tokens::list)
        .serve(Post, "/ingest-tokens", ingest_tokens::create)
        .serve(Delete, "/ingest-tokens/{id}", ingest_tokens::end)
        .serve(Get, "/rules", rules::list)
        .serve(Get, "/rules/{id}", rules::one)
        .serve(Patch, "/rules/{id}", rules::switch)
        .serve(Get, "/log", log::list)
        .serve(Get, "/settings", settings::settings)
        .serve(Get, "/health", health::get)
        .serve(Get, "/openapi.json", || async { Json(tandem_api::openapi()) })
}

/// What lies beside the API: liveness, and figures for monitoring.
pub(crate) fn plain_routes() -> Router<App> {
    Router::new().route("/healthz", get(health::live)).route("/metrics", get(metrics::metrics))
}
