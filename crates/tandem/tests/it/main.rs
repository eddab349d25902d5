//! The real program, started as a process.

mod api;
mod cli;
mod durability;
mod hostile;
mod package;
mod refusals;
mod stream;
mod web;
mod world;
