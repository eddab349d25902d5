//! Integration tests: the meaning of rules as data, real rules, and hostile input.

mod cases;
mod corpus;
mod data;
mod engine;
mod hostile;
mod regression;
mod sets;
