//! The console listener's router: API, health, metrics, and the console itself for everything else.

use crate::app::App;
use crate::http;
use axum::Router;
use axum::extract::{FromRef, Request};
use std::sync::Arc;
use tandem_web::{Api, Assets, Gate, account_routes, session_routes};

impl FromRef<App> for Gate {
    fn from_ref(app: &App) -> Self {
        app.gate.clone()
    }
}

/// Everything that people reach.
pub(crate) fn router(app: &App, assets: Assets) -> Router {
    let api = http::routes(account_routes(session_routes(Api::new(app.gate.clone()))));
    let assets = Arc::new(assets);
    Router::new()
        .nest("/api/v1", api.finish())
        .merge(http::plain_routes())
        .fallback(move |request: Request| {
            let assets = Arc::clone(&assets);
            async move { assets.answer(request.uri().path(), request.headers()) }
        })
        .with_state(app.clone())
}
