//! Integration tests: the meaning of rules as data, real rules, and hostile input.

mod anomalies;
mod cases;
mod corpus;
mod correlations;
mod data;
mod engine;
mod engine_corpus;
mod engine_surface;
mod hostile;
mod indicators;
mod regression;
mod sets;
