//! Joins the rooms into the customer's program: pipeline, jobs, handlers.

mod config;
mod folder;
mod pipeline;
mod rulebook;
mod sink;

pub use config::{Config, ConfigError, ConsoleConfig, IngestConfig, QueryConfig, SiteConfig, SpoolConfig, StoreConfig, SyslogConfig, TailConfig, Tls};
pub use folder::{Folder, FolderLock};
pub use rulebook::{RuleBook, RuleState, log_source};
