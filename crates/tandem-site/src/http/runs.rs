//! Runs over history: imports, and what they found.

use super::case_view;
use super::cases::answer;
use super::extract::Body;
use crate::app::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use tandem_api::{Promote, Run, RunGroup, RunPage};
use tandem_model::RunId;
use tandem_web::{Answer, Caller, Refused, from_control};

const RUNS: u32 = 200;

fn id_of(text: &str) -> Answer<RunId> {
    text.parse().map_err(|_| Refused::not_found("this run"))
}

fn run(run: tandem_control::Run, groups: Vec<RunGroup>) -> Run {
    Run {
        id: run.id.to_string(),
        started: run.started.to_string(),
        title: run.title,
        files: run.files,
        records: run.records,
        detections: run.detections,
        groups,
    }
}

fn group(group: &tandem_control::RunGroup) -> RunGroup {
    let gathered = &group.gathered;
    RunGroup {
        key: group.number.to_string(),
        title: gathered.title.clone(),
        level: gathered.level().word().to_owned(),
        detections: gathered.detections,
        first_event: gathered.first_event.map(|at| at.to_string()).unwrap_or_default(),
        last_event: gathered.last_event.map(|at| at.to_string()).unwrap_or_default(),
        entities: case_view::entities(&gathered.entities),
        promoted_case: group.promoted.map(|case| case.to_string()),
    }
}

pub(super) async fn list(State(app): State<App>) -> Answer<Json<RunPage>> {
    let runs = app.control.runs(RUNS).await.map_err(from_control)?;
    Ok(Json(RunPage { items: runs.into_iter().map(|each| run(each, Vec::new())).collect() }))
}

pub(super) async fn one(State(app): State<App>, Path(id): Path<String>) -> Answer<Json<Run>> {
    let id = id_of(&id)?;
    let found = app.control.run(id).await.map_err(from_control)?;
    let groups = app.control.run_groups(id).await.map_err(from_control)?;
    Ok(Json(run(found, groups.iter().map(group).collect())))
}

pub(super) async fn promote(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wire): Body<Promote>,
) -> Answer<Response> {
    let id = id_of(&id)?;
    let number = wire.group.parse().map_err(|_| Refused::not_found("this group"))?;
    let case = app.control.run_promote(&caller.actor, id, number).await.map_err(from_control)?;
    answer(&app, &caller.actor, &case, StatusCode::OK).await
}

#[cfg(test)]
mod tests {
    use super::super::case_view::tests::case;
    use super::*;
    use tandem_base::Timestamp;
    use tandem_service::CaseId;

    #[test]
    fn a_group_is_named_by_its_number() {
        let one = group(&tandem_control::RunGroup { number: 4, gathered: case().gathered, promoted: Some(CaseId(9)) });
        assert_eq!((one.key.as_str(), one.level.as_str(), one.promoted_case.as_deref()), ("4", "high", Some("C-9")));
        assert_eq!(one.first_event, "1970-01-01T00:01:40Z");
        let id = RunId([1; 16]);
        let stored = tandem_control::Run {
            id,
            title: "evtx".to_owned(),
            started: Timestamp::from_seconds(0),
            ended: None,
            files: 1,
            records: 2,
            events: 3,
            detections: 4,
        };
        let wire = run(stored, vec![one]);
        assert_eq!(
            (wire.id, wire.files, wire.records, wire.detections, wire.groups.len()),
            (id.to_string(), 1, 2, 4, 1)
        );
    }
}
