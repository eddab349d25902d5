//! What happens by itself: retention, compaction, tidying.

use crate::app::App;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const KEEP_SIGNALS_DAYS: u32 = 30;
/// Detections are small, and figures compare months.
const DETECTIONS_DAYS: u32 = 400;

/// Runs until `stop`.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let every = Duration::from_secs(app.config.store.upkeep_every_s);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        if let Err(error) = app.store.compact().await {
            tracing::warn!(error = %error, "files could not be merged");
        }
        if let Err(error) = app.store.retain(app.config.store.retention_days, DETECTIONS_DAYS).await {
            tracing::warn!(error = %error, "events past their retention could not be removed");
        }
        if let Err(error) = app.store.vacuum().await {
            tracing::warn!(error = %error, "files that are no longer needed could not be removed");
        }
        if let Err(error) = app.control.tidy(KEEP_SIGNALS_DAYS).await {
            tracing::warn!(error = %error, "control data could not be tidied");
        }
    }
}
