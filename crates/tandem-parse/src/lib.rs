//! One record into events: formats and declarative mappings.
