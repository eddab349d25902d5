//! What another program sees: wire types, problems, cursors, the endpoint catalogue.
//!
//! Names are those of the API and of the field's standards (ECS, Sigma, RFC 9457). Domain types are
//! converted at the edge; a type here is a promise to somebody whom we cannot update.

mod account;
mod case;
mod catalogue;
mod client;
mod detection;
mod event;
mod health;
mod openapi;
mod problem;
mod rule;
mod search;
mod session;
mod source;

pub use account::*;
pub use case::*;
pub use catalogue::{ENDPOINTS, Endpoint, Guard, Method};
pub use client::{Client, ClientError};
pub use detection::*;
pub use event::*;
pub use health::*;
pub use openapi::openapi;
pub use problem::{Problem, QueryProblem};
pub use rule::*;
pub use search::*;
pub use session::*;
pub use source::*;

pub use hyper::Method as HttpMethod;
