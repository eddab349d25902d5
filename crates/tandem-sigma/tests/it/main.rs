//! Integration tests: the meaning of rules as data, real rules, and hostile input.

mod cases;
mod corpus;
mod correlations;
mod data;
mod engine;
mod engine_corpus;
mod engine_surface;
mod hostile;
mod regression;
mod sets;
