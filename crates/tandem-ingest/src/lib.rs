//! Speaks a sender's protocol and answers only when the spool has it.
