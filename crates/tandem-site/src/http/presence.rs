//! Who else looks at it.

use super::extract::Body;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use tandem_api::{Presence, PresenceOther, PresenceOthers};
use tandem_web::{Answer, Caller, Refused};

const OBJECT_CHARS_MAX: usize = 100;

pub(super) async fn look(
    State(app): State<App>,
    caller: Caller,
    Body(wire): Body<Presence>,
) -> Answer<Json<PresenceOthers>> {
    if wire.object.chars().count() > OBJECT_CHARS_MAX {
        return Err(Refused::invalid("`object` is too long").hint("name what is looked at, such as case:C-12"));
    }
    let others = app.presence.look(caller.actor.id, &caller.actor.name, &wire.object, app.clock.now());
    let other = |(name, since): (String, tandem_base::Timestamp)| PresenceOther { name, since: since.to_string() };
    Ok(Json(PresenceOthers { others: others.into_iter().map(other).collect() }))
}
