//! What a query may cost. Each limit has a problem code that names it.

/// Longest query text, bytes.
pub const QUERY_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of brackets and `NOT`.
pub const DEPTH_MAX: usize = 50;
/// Most terms in one query.
pub const TERMS_MAX: usize = 2_000;
/// Longest regular expression, bytes.
pub const REGEX_BYTES_MAX: usize = 2_000;
/// Largest compiled regular expression, bytes.
pub const REGEX_COMPILED_BYTES_MAX: usize = 1024 * 1024;
/// Most stages after the filter.
pub const PIPE_STAGES_MAX: usize = 16;
/// Most fields or figures in one stage.
pub const GROUP_FIELDS_MAX: usize = 16;
/// Most rows that `head` can ask for.
pub const HEAD_MAX: u64 = 10_000;
