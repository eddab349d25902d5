//! What only the local socket offers: imports, sealing, sign-in links, backup.

use crate::app::App;
use crate::engine::link;
use crate::pipeline::Pipeline;
use crate::sink::append;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tandem_base::SystemChance;
use tandem_control::{BackupFile, RecoveryKey, RunProgress};
use tandem_model::RunId;
use tandem_service::Actor;
use tandem_web::{Answer, Refused, from_control};
use tokio::sync::Mutex;

/// Largest batch of records of an import.
const BATCH_BYTES_MAX: usize = 32 << 20;

#[derive(Clone)]
struct Local {
    app: App,
    pipeline: Arc<Mutex<Pipeline>>,
}

/// `/api/v1/local/…`.
pub(crate) fn router(app: App, pipeline: Arc<Mutex<Pipeline>>) -> Router {
    Router::new()
        .route("/api/v1/local/runs", post(run_start))
        .route("/api/v1/local/runs/{id}/end", post(run_end))
        .route("/api/v1/local/records", post(records))
        .route("/api/v1/local/seal", post(seal))
        .route("/api/v1/local/imports/{hash}", get(taken).put(took))
        .route("/api/v1/local/link", post(sign_in_link))
        .route("/api/v1/local/backup", post(backup))
        .route("/api/v1/local/acts", get(acts))
        .layer(DefaultBodyLimit::max(BATCH_BYTES_MAX))
        .with_state(Local { app, pipeline })
}

/// `POST /local/runs`.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewRun {
    /// What is read, in words.
    pub title: String,
}

/// A run's id.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunStarted {
    /// Id.
    pub id: String,
}

/// `POST /local/runs/{id}/end`.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunEnd {
    /// Files read.
    pub files: u64,
    /// Records that were new.
    pub records: u64,
}

/// A spool offset, exclusive.
#[derive(Debug, Serialize, Deserialize)]
pub struct UpTo {
    /// Offset after the last record.
    pub up_to: u64,
}

/// How far a file was imported.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct FileTaken {
    /// Its first records that are durable.
    pub records: u64,
    /// Whether it has no more.
    pub whole: bool,
}

/// `POST /local/link`.
#[derive(Debug, Serialize, Deserialize)]
pub struct SignInLink {
    /// Address to open; works once.
    pub url: String,
}

/// `GET /local/acts`: whether the log of acts is whole.
#[derive(Debug, Serialize, Deserialize)]
pub struct ActsChecked {
    /// Acts that are as they were recorded.
    pub acts: u64,
    /// What is wrong.
    pub problem: Option<String>,
}

/// `POST /local/backup`.
#[derive(Debug, Serialize, Deserialize)]
pub struct BackupRequest {
    /// Archive to write; must not exist.
    pub to: PathBuf,
}

/// What a backup made.
#[derive(Debug, Serialize, Deserialize)]
pub struct BackupMade {
    /// Shown once; nobody can open the archive without it.
    pub recovery_key: String,
    /// Size of the archive.
    pub size_bytes: u64,
    /// Names and sizes of what is in it.
    pub files: Vec<(String, u64)>,
}

async fn run_start(State(local): State<Local>, Json(new): Json<NewRun>) -> Answer<Json<RunStarted>> {
    let id = RunId::random(&SystemChance);
    local.app.control.run_start(&Actor::local(), id, &new.title).await.map_err(from_control)?;
    Ok(Json(RunStarted { id: id.to_string() }))
}

async fn run_end(State(local): State<Local>, Path(id): Path<String>, Json(end): Json<RunEnd>) -> Answer<Json<Value>> {
    let id: RunId = id.parse().map_err(|_| Refused::not_found("this run"))?;
    let progress = RunProgress { files: end.files, records: end.records, events: 0 };
    local.app.control.run_progress(id, progress).await.map_err(from_control)?;
    local.app.control.run_end(id).await.map_err(from_control)?;
    Ok(Json(json!({})))
}

/// Body: for each record its length (32 bits, little-endian) and its encoding (`docs/formats/record.md`).
async fn records(State(local): State<Local>, body: Bytes) -> Answer<Json<UpTo>> {
    let mut payloads = Vec::new();
    let mut rest: &[u8] = &body;
    while !rest.is_empty() {
        let broken = || Refused::invalid("the batch of records breaks off");
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
        let (payload, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(broken)?;
        payloads.push(payload.to_vec());
        rest = after;
    }
    let up_to = append(&local.app.spool, payloads).await.map_err(|error| {
        if error.is_temporary() {
            Refused::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "spool-full", error.to_string())
                .hint("wait, then try again")
        } else {
            Refused::failed(&error)
        }
    })?;
    tandem_base::fail::point("import.taken");
    Ok(Json(UpTo { up_to }))
}

async fn seal(State(local): State<Local>, Json(wanted): Json<UpTo>) -> Answer<Json<Value>> {
    let up_to = wanted.up_to.min(local.app.spool.status().next);
    let waiting = local.pipeline.lock().await.seal_later(up_to);
    let outcome = match waiting {
        Ok(answer) => answer.await.unwrap_or_else(|_| Err("the pipeline stopped".to_owned())),
        Err(error) => Err(error.to_string()),
    };
    outcome.map_err(|text| Refused::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "not-sealed", text))?;
    Ok(Json(json!({})))
}

fn import_name(hash: &str) -> Answer<String> {
    let plain = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| format!("import:{hash}")).ok_or_else(|| Refused::invalid("a file is named by its SHA-256"))
}

async fn taken(State(local): State<Local>, Path(hash): Path<String>) -> Answer<Json<Option<FileTaken>>> {
    let stored = local.app.control.position(&import_name(&hash)?).await.map_err(from_control)?;
    Ok(Json(stored.and_then(|bytes| serde_json::from_slice(&bytes).ok())))
}

async fn took(
    State(local): State<Local>,
    Path(hash): Path<String>,
    Json(taken): Json<FileTaken>,
) -> Answer<Json<Value>> {
    let bytes = serde_json::to_vec(&taken).unwrap_or_default();
    local.app.control.set_position(&import_name(&hash)?, &bytes).await.map_err(from_control)?;
    tandem_base::fail::point("import.noted");
    Ok(Json(json!({})))
}

async fn sign_in_link(State(local): State<Local>) -> Answer<Json<SignInLink>> {
    let token = link(&local.app).await.map_err(|error| Refused::failed(error.as_ref()))?;
    let console = &local.app.config.console;
    let base = console.public_url.clone().unwrap_or_else(|| {
        let scheme = if local.app.gate.facts.secure { "https" } else { "http" };
        format!("{scheme}://{}", console.address)
    });
    Ok(Json(SignInLink { url: format!("{}/link?token={token}", base.trim_end_matches('/')) }))
}

async fn acts(State(local): State<Local>) -> Answer<Json<ActsChecked>> {
    let verified = local.app.control.acts_verify().await.map_err(from_control)?;
    Ok(Json(ActsChecked { acts: verified.acts, problem: verified.problem }))
}

async fn backup(State(local): State<Local>, Json(wanted): Json<BackupRequest>) -> Answer<Json<BackupMade>> {
    let app = &local.app;
    let key = RecoveryKey::random(&SystemChance);
    let mut files = vec![BackupFile { name: "tandem.toml".to_owned(), path: app.folder.config() }];
    let mut unreadable = Vec::new();
    for text in tandem_content::read_texts(&app.folder.content(), |_| true, &mut unreadable) {
        let path = PathBuf::from(&text.name);
        if let Ok(inner) = path.strip_prefix(app.folder.path()) {
            files.push(BackupFile { name: inner.display().to_string(), path: path.clone() });
        }
    }
    let stats = app.store.stats();
    let facts = json!({
        "epoch": tandem_base::hex(&app.spool.epoch().to_be_bytes()),
        "spool_next": app.spool.status().next,
        "events_in_table": stats.events - stats.tail_events,
        "event_files": stats.files,
        "event_bytes": stats.file_bytes,
    });
    let report = app.control.backup(&wanted.to, &files, facts, &key).await.map_err(from_control)?;
    Ok(Json(BackupMade { recovery_key: key.text(), size_bytes: report.size_bytes, files: report.files }))
}
