//! One record into events: formats and declarative mappings.
//!
//! [`Parsers::compile`] makes parsers of the files under `content/parsers/` (`docs/formats/parser.md`);
//! [`ParserState::parse`] turns records into events and never fails. [`container`] takes files apart into records.
//! Sockets, files on disk and Sigma are not known here.

mod compile;
mod condition;
pub mod container;
mod convert;
mod dissect;
mod finish;
mod gate;
mod join;
mod names;
mod parser;
mod pattern;
mod private;
mod problem;
mod sample;
mod shipped;
mod slots;
mod source;
mod state;
mod step;
mod syslog;
mod time;
mod windows;
mod work;
mod yaml;

pub use compile::Parsers;
pub use problem::Problem;
pub use sample::{Sample, SampleError, event_json};
pub use state::ParserState;
