//! The language from outside: meaning by data files, problems, text of trees.
#![expect(clippy::unwrap_used, reason = "a test that fails here says so")]

mod meaning;
mod problems;
mod text;
