//! Upper bounds on everything that a rule author can make large.

/// Upper bounds applied while rules are loaded; whatever passes one is reported as a problem that
/// names the bound, never cut silently.
///
/// The defaults leave room for the largest public rules (several thousand hashes in one list).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest text given to one load, in bytes.
    pub text_bytes_max: usize,
    /// Most documents in one text.
    pub documents_max: usize,
    /// Deepest nesting of lists and maps.
    pub depth_max: usize,
    /// Most YAML nodes (scalars, lists, maps) in one document, aliases counted as if written out.
    pub nodes_max: usize,
    /// Longest single scalar, in bytes.
    pub scalar_bytes_max: usize,
    /// Most selections in one rule.
    pub selections_max: usize,
    /// Most predicates in one rule, after placeholders and encodings are expanded.
    pub predicates_max: usize,
    /// Most wildcards in one value.
    pub wildcards_max: usize,
    /// Longest condition, in bytes.
    pub condition_bytes_max: usize,
    /// Deepest nesting of brackets and `not` in a condition.
    pub condition_depth_max: usize,
    /// Longest regular expression, in bytes.
    pub regex_bytes_max: usize,
    /// Memory that one compiled regular expression may take, in bytes.
    pub regex_compiled_bytes_max: usize,
    /// Memory that the automaton which a regular expression builds while it searches may take, in
    /// bytes; where it is not enough, the search goes on more slowly.
    pub regex_cache_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_bytes_max: 4 << 20,
            documents_max: 10_000,
            depth_max: 24,
            nodes_max: 200_000,
            scalar_bytes_max: 64 << 10,
            selections_max: 1000,
            predicates_max: 50_000,
            wildcards_max: 64,
            condition_bytes_max: 16 << 10,
            condition_depth_max: 64,
            regex_bytes_max: 8 << 10,
            regex_compiled_bytes_max: 4 << 20,
            regex_cache_bytes_max: 1 << 20,
        }
    }
}
