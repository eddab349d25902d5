//! The command line. Help teaches: each command says what it is for and shows an example.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The SIEM that a customer and a security provider run together.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Start here:\n  tandem demo                                  see it at work\n  tandem detect --rules RULES -- FILE…          find attacks in log files\n  tandem site init --data DIR                   set a site up"
)]
pub(crate) struct Arguments {
    /// Say more on standard error.
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play a site on built-in samples: attacks become cases while you watch.
    Demo(DemoArguments),
    /// Set up or run a site.
    #[command(subcommand)]
    Site(SiteCommand),
    /// Find attacks in log files, without a site.
    ///
    /// Reads EVTX, JSON, syslog, audit and other known logs, also compressed, and folders of them.
    /// Prints one JSON object a line for each detection. Ends with 0 when everything was read,
    /// 2 when a file or a part of one could not be, 1 on wrong usage.
    ///
    /// Example: tandem detect --rules sigma/rules -- Security.evtx auth.log
    Detect(DetectArguments),
    /// Show what the parsers make of log files, one event a line.
    Parse(ParseArguments),
    /// Check and install detection rules.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Put log files into a site's event table, as history.
    ///
    /// Ends when the events are durable. Detections are grouped under the run, not in the queue.
    /// Importing the same file again adds nothing.
    Import(ImportArguments),
    /// Search a site's events (docs/search.md).
    ///
    /// Example: tandem search --data DIR 'user.name:alice AND source.ip:203.0.113.0/24'
    Search(SearchArguments),
    /// Query a site's events with SQL, read-only.
    ///
    /// Example: tandem sql --data DIR 'SELECT "user.name", count(*) FROM events GROUP BY 1'
    Sql(SqlArguments),
    /// Check or show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write one encrypted archive of a site's control data.
    Backup(BackupArguments),
    /// Make a site from a backup archive.
    Restore(RestoreArguments),
    /// Look for what is wrong with a site, and say what to do.
    Doctor(DataArguments),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    /// The site's folder.
    #[arg(long, value_name = "DIR", env = "TANDEM_DATA")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Folder of the demonstration; a temporary one, removed at the end, where absent.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Where the console listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8843")]
    pub(crate) console: SocketAddr,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SiteCommand {
    /// Make a site's folder: keys, control data, empty tables, tandem.toml.
    Init(InitArguments),
    /// Run the site until it is told to stop (Ctrl-C or SIGTERM).
    Run(RunArguments),
    /// Print a one-time link that signs a site administrator in.
    Link(DataArguments),
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Name of the site.
    #[arg(long, default_value = "site")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Where the console listens.
    #[arg(long, value_name = "ADDR")]
    pub(crate) console: Option<SocketAddr>,
    /// Where HTTP senders deliver.
    #[arg(long, value_name = "ADDR")]
    pub(crate) ingest: Option<SocketAddr>,
    /// Where syslog over UDP is received.
    #[arg(long, value_name = "ADDR")]
    pub(crate) syslog_udp: Option<SocketAddr>,
    /// Where syslog over TCP is received.
    #[arg(long, value_name = "ADDR")]
    pub(crate) syslog_tcp: Option<SocketAddr>,
    /// Where syslog over TLS is received.
    #[arg(long, value_name = "ADDR")]
    pub(crate) syslog_tls: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct DetectArguments {
    /// Rule files or folders; the built-in rules where absent.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) rules: Vec<PathBuf>,
    /// Parser folders beside the built-in ones.
    #[arg(long, value_name = "PATH")]
    pub(crate) parsers: Vec<PathBuf>,
    /// Only detections of at least this level.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Option<String>,
    /// Log files or folders.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ParseArguments {
    /// Parser folders beside the built-in ones.
    #[arg(long, value_name = "PATH")]
    pub(crate) parsers: Vec<PathBuf>,
    /// Log files or folders.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Check rules and name everything that cannot be evaluated, with file, line and reason.
    Check {
        /// Rule files or folders.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// How to print; `json` is an array.
        #[arg(long, value_enum)]
        format: Option<Format>,
    },
    /// Copy rules into a site, showing their licence.
    Install {
        #[command(flatten)]
        data: DataArguments,
        /// A folder, or an archive (.tar, .tar.gz, .tar.zst, .zip is not read).
        #[arg(value_name = "PATH|ARCHIVE")]
        path: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Name of the source; the file's path where absent.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Log files or folders.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The query; all events where empty.
    #[arg(default_value = "")]
    pub(crate) query: String,
    /// First instant (RFC 3339, or a span before now such as 24h, 7d).
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Instant after the last.
    #[arg(long)]
    pub(crate) to: Option<String>,
    /// Most rows.
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: u32,
    /// How to print; JSON when the output is no terminal.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, Args)]
pub(crate) struct SqlArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// One SELECT over `events` and `detections`; names with dots stand in double quotes.
    pub(crate) sql: String,
    /// Most rows.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) limit: u32,
    /// How to print; JSON when the output is no terminal.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration and name everything that cannot work.
    Check(ConfigArguments),
    /// Print every setting that is in effect.
    Show(ConfigArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// The site's folder, whose tandem.toml is read.
    #[arg(long, value_name = "DIR", env = "TANDEM_DATA", required_unless_present = "file")]
    pub(crate) data: Option<PathBuf>,
    /// A configuration file, in place of the site's.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The archive to write.
    #[arg(value_name = "ARCHIVE")]
    pub(crate) archive: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The archive to read; the recovery key is asked for, or read from TANDEM_RECOVERY_KEY.
    #[arg(value_name = "ARCHIVE")]
    pub(crate) archive: PathBuf,
}
