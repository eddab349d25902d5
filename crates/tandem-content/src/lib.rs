//! The content that the binary carries: catalogue, parsers, rules; loading and checking.
