//! Watches the stream: events × active rules → detections.
//!
//! [`Rules`] is a set of loaded rules; [`Detector`] routes each event to the rules of its log types and
//! evaluates them. Whether a detection becomes a case is not known here.

mod alert;
mod coverage;
mod detector;
mod entities;
mod rules;
mod view;

pub use coverage::{Coverage, Feed};
pub use detector::Detector;
pub use entities::entities_of;
pub use rules::{LoadedRule, RuleProblem, Rules};
pub use view::EventView;
