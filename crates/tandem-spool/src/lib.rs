//! When bytes are durable, and where a reader stands.
