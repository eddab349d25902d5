//! The same API on a Unix socket (0600): whoever may open it administers the site.

use crate::serve::speak;
use axum::Router;
use hyper_util::rt::TokioIo;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Marks a request that came over the socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OverSocket;

/// Binds `path`, in place of a socket that a killed process left, and serves until `stop`.
/// The caller holds the site's lock, so nobody else can be serving there.
pub async fn serve_socket(path: &Path, router: Router, stop: CancellationToken) -> std::io::Result<()> {
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let router = router.layer(axum::Extension(OverSocket));
    let tasks = TaskTracker::new();
    let owned = path.to_path_buf();
    tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(_) => continue,
                },
            };
            tasks.spawn(speak(TokioIo::new(stream), router.clone(), stop.clone()));
        }
        tasks.close();
        tasks.wait().await;
        let _ = std::fs::remove_file(owned);
    });
    Ok(())
}
