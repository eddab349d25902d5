//! The words that later rooms share.
//!
//! A [`Record`] is what a sender sent; an [`Event`] is what a parser made of it; a [`Detection`] is one
//! rule hit on events. [`Catalogue`] is the one list of columns. Where any of it is kept is not known here.

mod catalogue;
mod detection;
mod event;
mod id;
mod log_type;
mod record;
mod scope;
mod value;

pub use catalogue::{Catalogue, CatalogueError, Field, FieldType, Layer, META_COLUMNS, Privacy};
pub use detection::{Detection, DetectionId, DetectionKind, Entities, Level, MatchedField, RuleStatus};
pub use event::{Event, TypedAs};
pub use id::{EventId, RecordId, RunId};
pub use log_type::LogType;
pub use record::{Record, RecordError, Transport};
pub use scope::ReadScope;
pub use value::{Fields, Value};
