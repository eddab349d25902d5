//! The process ends under load, at any moment and at every fail point: what was acknowledged is there, once.

mod commands;
mod kills;
mod ledger;
mod points;
mod rig;
mod senders;
mod space;
