//! One event, and what happened around it.

use super::event_view;
use super::extract::Params;
use super::reads::{Shown, query_refused};
use crate::app::App;
use axum::Json;
use axum::extract::{Path, State};
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use std::sync::Arc;
use tandem_api::{EventDetail, EventPage};
use tandem_model::{Event, EventId};
use tandem_service::{Actor, Verb};
use tandem_web::{Answer, Caller, Refused};

const SECONDS: u32 = 60;
const SECONDS_MAX: u32 = 24 * 3600;
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;
/// Look-ups of single events that run at once.
const AT_ONCE: usize = 4;

fn id_of(text: &str) -> Answer<EventId> {
    text.parse().map_err(|_| Refused::not_found("this event"))
}

/// Those of `ids` that are still kept. Recording that they were read is the caller's.
pub(super) async fn kept(app: &App, actor: &Actor, ids: Vec<EventId>) -> Answer<Vec<Event>> {
    let scope = Arc::new(app.scope(actor));
    let looked = futures::stream::iter(ids).map(|id| {
        let (store, scope) = (Arc::clone(&app.store), Arc::clone(&scope));
        async move { store.get(id, &scope).await }
    });
    let found: Vec<Option<Event>> = looked.buffered(AT_ONCE).try_collect().await.map_err(query_refused)?;
    Ok(found.into_iter().flatten().collect())
}

pub(super) async fn one(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Json<EventDetail>> {
    let id = id_of(&id)?;
    let found = app.store.get(id, &app.scope(&caller.actor)).await.map_err(query_refused)?;
    let event = found.ok_or_else(|| Refused::not_found("this event"))?;
    let mut shown = Shown::default();
    shown.event(event.id);
    shown.record(&app, &caller.actor, Verb::EventRead, &format!("event {id}")).await?;
    Ok(Json(event_view::detail(&event)))
}

/// `GET /events/{id}/around`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Around {
    seconds: Option<u32>,
    limit: Option<usize>,
}

pub(super) async fn around(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Params(around): Params<Around>,
) -> Answer<Json<EventPage>> {
    let id = id_of(&id)?;
    let seconds = around.seconds.unwrap_or(SECONDS).min(SECONDS_MAX);
    let limit = around.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let found = app.store.around(id, seconds, limit, &app.scope(&caller.actor)).await.map_err(query_refused)?;
    let events = found.ok_or_else(|| Refused::not_found("this event"))?;
    let mut shown = Shown::default();
    shown.events(&events);
    shown.record(&app, &caller.actor, Verb::EventRead, &format!("{seconds} s around event {id}")).await?;
    Ok(Json(EventPage { items: events.iter().map(|event| event_view::row(event, &[])).collect() }))
}
