//! Speaks a sender's protocol and answers only when the spool has it.
//!
//! [`Receivers::start`] opens every configured listener; each frames bytes into records, hands batches to a
//! [`Sink`] and acknowledges (where the protocol can) only after the sink did. What a record *means* is not
//! known here. Nothing of the console is reachable on these listeners.

mod address;
mod config;
mod counters;
mod files;
mod http;
mod receivers;
mod sink;
mod syslog;
mod tls;
mod token;

pub use address::{Allow, Cidr, CidrError};
pub use config::{Config, Hec, HecAck, Http, SyslogTcp, SyslogUdp, Tls};
pub use counters::{Cause, Counters, ReceiverSnapshot, SourceSnapshot};
pub use files::{
    Containers, Identity, Import, ImportError, ImportReport, ImportWith, Imports, NotNoted, Piece, Pieces, Position,
    Positions, Progress, Readable, Start, Tail, Taken, Unread, import,
};
pub use receivers::{Bound, Kind, Receivers, StartError};
pub use sink::{Sink, SinkError};
pub use syslog::{Cut, Frame, FrameError, Framer};
pub use tls::TlsError;
pub use token::{TokenInfo, Tokens};
