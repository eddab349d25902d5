//! The agreement as pure functions: cases, alert policy, decide.
