//! The log: what everybody did.

use super::extract::Params;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tandem_api::{LogEntry, LogPage};
use tandem_control::Act;
use tandem_service::ActNo;
use tandem_web::{Answer, Refused, from_control};

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 500;

/// `GET /log`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct List {
    cursor: Option<String>,
    q: String,
    limit: Option<u32>,
}

fn entry(act: &Act) -> LogEntry {
    LogEntry {
        seq: act.seq.0,
        at: act.at.to_string(),
        actor: act.actor_name.clone(),
        verb: act.verb.clone(),
        object: act.object.clone(),
        detail: act.detail(),
        commitment: act.commitment_text(),
    }
}

pub(super) async fn list(State(app): State<App>, Params(list): Params<List>) -> Answer<Json<LogPage>> {
    let before = list.cursor.as_deref().filter(|text| !text.is_empty()).map(|text| {
        text.parse()
            .map(ActNo)
            .map_err(|_| Refused::invalid("this cursor was not given by this list").hint("begin again without it"))
    });
    let limit = list.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let mut acts = app.control.acts(before.transpose()?, &list.q, limit + 1).await.map_err(from_control)?;
    let more = acts.len() > limit as usize;
    acts.truncate(limit as usize);
    let next_cursor = acts.last().filter(|_| more).map(|act| act.seq.0.to_string());
    Ok(Json(LogPage { items: acts.iter().map(entry).collect(), next_cursor }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_base::Timestamp;
    use tandem_control::{canonical_json, commitment};

    #[test]
    fn an_entry_shows_its_content_until_that_is_erased() {
        let content = canonical_json(&serde_json::json!({"detail": {"reason": "too loud"}}));
        let act = Act {
            seq: ActNo(7),
            at: Timestamp::from_seconds(0),
            actor: "user_1".to_owned(),
            actor_name: "Dana".to_owned(),
            party: "customer".to_owned(),
            verb: "rule_switch".to_owned(),
            object: "rule:r".to_owned(),
            commitment: commitment(&[1; 16], &content),
            content: Some(content),
            salt: Some(vec![1; 16]),
        };
        let shown = entry(&act);
        assert_eq!((shown.seq, shown.actor.as_str(), shown.detail["reason"].as_str()), (7, "Dana", Some("too loud")));
        assert_eq!(shown.commitment.len(), 64);
        let erased = entry(&Act { content: None, salt: None, ..act });
        assert_eq!((erased.detail.is_null(), erased.commitment), (true, shown.commitment));
    }
}
