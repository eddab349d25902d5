//! Joins the rooms into the customer's program: pipeline, jobs, handlers.

mod advice;
mod app;
mod config;
mod demo;
mod engine;
mod folder;
mod http;
mod jobs;
mod local;
mod pipeline;
mod presence;
mod receive;
mod restore;
mod router;
mod rulebook;
mod sink;

pub use advice::advice;
pub use config::{
    Config, ConfigError, ConsoleConfig, IngestConfig, QueryConfig, SiteConfig, SpoolConfig, StoreConfig, SyslogConfig,
    TailConfig, Tls,
};
pub use demo::Demo;
pub use engine::{Addresses, Site};
pub use folder::{Folder, FolderLock};
pub use local::{ActsChecked, BackupMade, BackupRequest, FileTaken, NewRun, RunEnd, RunStarted, SignInLink, UpTo};
pub use restore::restore;
pub use rulebook::{RuleBook, RuleState, log_source};
pub use tandem_web::Assets;
