//! The real program, started as a process.

mod api;
mod cli;
mod crash;
mod package;
mod refusals;
mod stream;
mod web;
mod world;
