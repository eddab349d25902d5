//! The handle: one writer, several readers, one SQLite file.

use crate::cases::CaseChanged;
use crate::error::Doing;
use crate::pipeline::Kept;
use crate::{ControlError, SiteKey};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use std::borrow::Cow;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tandem_base::{Chance, Clock, Timestamp};
use tandem_service::{AlertPolicy, CaseId, Grouper};
use tokio::sync::{Mutex, MutexGuard, broadcast};

const READERS: u32 = 4;
const BUSY: Duration = Duration::from_secs(10);
/// How many changes a slow subscriber may lag behind before it has to resynchronise.
const CHANGES_MAX: usize = 1_024;

/// Migrations, oldest first; a file is never changed once it was released.
pub(crate) const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "start", include_str!("../migrations/0001_start.sql")),
    (2, "overflow", include_str!("../migrations/0002_overflow.sql")),
];

/// Control data of one site.
pub struct Control {
    pub(crate) path: PathBuf,
    pub(crate) readers: SqlitePool,
    writer: Mutex<Writer>,
    pub(crate) key: SiteKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) changed: broadcast::Sender<CaseChanged>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What only the writer touches.
pub(crate) struct Writer {
    pub(crate) conn: SqliteConnection,
    pub(crate) grouper: Grouper,
    pub(crate) policy: Arc<AlertPolicy>,
    /// Rows kept of signals within the present hour, by rule and entity.
    pub(crate) kept: Kept,
    /// The grouper may know more than the database: a transaction was begun and not seen to its end.
    pub(crate) ahead: bool,
}

impl Control {
    /// Opens (and creates) the database at `path`, brings it up to date and rebuilds the grouping state.
    pub async fn open(
        path: &Path,
        key: SiteKey,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        policy: AlertPolicy,
    ) -> Result<Self, ControlError> {
        private(path)?;
        let options = options(path);
        let mut conn = SqliteConnection::connect_with(&options).await.doing("open its file")?;
        migrate(&mut conn, MIGRATIONS).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .connect_with(options.read_only(true))
            .await
            .doing("open its file for reading")?;
        let (changed, _) = broadcast::channel(CHANGES_MAX);
        let writer = Writer {
            conn,
            grouper: Grouper::new(CaseId(1)),
            policy: Arc::new(policy),
            kept: Kept::default(),
            ahead: true,
        };
        let control = Self { path: path.into(), readers, writer: Mutex::new(writer), key, clock, chance, changed };
        drop(control.write().await?);
        Ok(control)
    }

    /// Closes all connections; the write-ahead log is folded into the file.
    pub async fn close(self) -> Result<(), ControlError> {
        self.readers.close().await;
        self.writer.into_inner().conn.close().await.doing("close its file")
    }

    /// The writer, its grouping state in step with the database.
    pub(crate) async fn write(&self) -> Result<MutexGuard<'_, Writer>, ControlError> {
        let mut writer = self.writer.lock().await;
        self.mend(&mut writer).await?;
        if writer.ahead {
            let now = self.now();
            let Writer { conn, grouper, policy, ahead, .. } = &mut *writer;
            *grouper = crate::pipeline::rebuild(conn, policy, now).await?;
            *ahead = false;
        }
        Ok(writer)
    }

    /// Another connection where a transaction could neither be committed nor rolled back: SQLite ends one by itself when
    /// the disk is full, and the connection would begin no other.
    async fn mend(&self, writer: &mut Writer) -> Result<(), ControlError> {
        if !writer.conn.is_in_transaction() {
            return Ok(());
        }
        // A transaction that was given up is rolled back when the connection comes to it: by now.
        if writer.conn.ping().await.is_ok() && !writer.conn.is_in_transaction() {
            return Ok(());
        }
        writer.conn = SqliteConnection::connect_with(&options(&self.path)).await.doing("open its file again")?;
        writer.ahead = true;
        Ok(())
    }

    /// Changes of cases as they are committed. Who lags by more than a thousand is told so and reads anew.
    pub fn subscribe(&self) -> broadcast::Receiver<CaseChanged> {
        self.changed.subscribe()
    }

    pub(crate) fn tell(&self, change: CaseChanged) {
        // Nobody listening is no error.
        drop(self.changed.send(change));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Makes the file readable by its owner alone before SQLite sees it; its log files inherit that.
fn private(path: &Path) -> Result<(), ControlError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(ControlError::File { doing: "make", path: path.display().to_string(), source: error })
        }
        _ => Ok(()),
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("trusted_schema", "OFF")
}

/// Runs what is missing of `migrations`, each in a transaction of its own.
pub(crate) async fn migrate(
    conn: &mut SqliteConnection,
    migrations: &[(i64, &'static str, &'static str)],
) -> Result<(), ControlError> {
    let migrations: Vec<Migration> = migrations
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, (*sql).into_sql_str(), false)
        })
        .collect();
    let mut migrator = Migrator::DEFAULT;
    migrator.migrations = Cow::Owned(migrations);
    migrator.run_direct(None, conn, false).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::VersionMissing(version) => ControlError::Stored {
            what: "schema",
            because: format!("it has version {version}, which this program does not know; use the newer program"),
        },
        error => {
            ControlError::Sql { doing: "bring its tables up to date", source: sqlx::Error::Migrate(Box::new(error)) }
        }
    })
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
