//! Clients that people use.
