//! HTTP for people: TLS, sign-in, sessions, the guard in front of every endpoint, console assets, CSP.

mod account;
mod assets;
mod body;
mod gate;
mod guard;
mod local;
mod problem;
mod serve;
mod session;
mod stream;

pub use account::account_routes;
pub use assets::{Asset, Assets};
pub use gate::{Gate, SiteFacts};
pub use guard::{Api, Caller};
pub use local::serve_socket;
pub use problem::{Answer, Refused, from_control};
pub use serve::{Listener, ServeError, Stopping, TlsFiles, self_signed, serve};
pub use session::session_routes;
pub use stream::ndjson;
