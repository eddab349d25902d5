//! From text to tree. Never fails, never panics, bounded in length, depth and number of terms.

mod filter;
mod lex;
mod pipe;
mod value;

use crate::names::{self, Place};
use crate::{
    DEPTH_MAX, Problem, QUERY_BYTES_MAX, Query, REGEX_BYTES_MAX, REGEX_COMPILED_BYTES_MAX, Severity, TERMS_MAX,
};
use regex::{Regex, RegexBuilder};
use std::ops::Range;
use tandem_model::Catalogue;

pub(crate) use lex::{ends_word, is_plain_name};

/// Parses a query: the tree, and everything that is wrong with the text, in the order of its place.
///
/// A part that could not be understood is left out of the tree, which may then stand for more events
/// than were meant: a query with an error (`problems.iter().any(Problem::is_error)`) must not run.
pub fn parse(text: &str) -> (Query, Vec<Problem>) {
    Parser::new(text, None).run()
}

/// Like [`parse`], with warnings for names that are not in the catalogue.
pub fn parse_with(text: &str, catalogue: &Catalogue) -> (Query, Vec<Problem>) {
    Parser::new(text, Some(catalogue)).run()
}

/// Compiles the pattern of a [`Test::Regex`](crate::Test::Regex) with the meaning and the limits of the language.
pub fn compile_regex(pattern: &str) -> Result<Regex, RegexError> {
    if pattern.len() > REGEX_BYTES_MAX {
        return Err(RegexError::TooLong);
    }
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(REGEX_COMPILED_BYTES_MAX)
        .dfa_size_limit(REGEX_COMPILED_BYTES_MAX)
        .nest_limit(50)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => RegexError::TooLarge,
            other => RegexError::Syntax(last_line(&other.to_string())),
        })
}

/// The regex crate draws a picture over several lines; the sentence is in the last.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default().trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Why a regular expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegexError {
    /// More text than allowed.
    #[error("the regular expression is longer than {REGEX_BYTES_MAX} bytes")]
    TooLong,
    /// Its automaton would need too much memory.
    #[error("the regular expression needs more than {REGEX_COMPILED_BYTES_MAX} bytes of memory when compiled")]
    TooLarge,
    /// Not a regular expression.
    #[error("the regular expression cannot be read: {0}")]
    Syntax(String),
}

/// How many unknown names of one query get a suggestion.
const SUGGESTIONS_MAX: usize = 20;

struct Parser<'a> {
    text: &'a str,
    /// Byte position; always a character boundary.
    at: usize,
    depth: usize,
    terms: usize,
    /// Set when a limit was passed: the rest is not read, and what it lacks is not reported.
    gave_up: bool,
    suggestions: usize,
    catalogue: Option<&'a Catalogue>,
    problems: Vec<Problem>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, catalogue: Option<&'a Catalogue>) -> Self {
        Self { text, at: 0, depth: 0, terms: 0, gave_up: false, suggestions: 0, catalogue, problems: Vec::new() }
    }

    fn run(mut self) -> (Query, Vec<Problem>) {
        if self.text.len() > QUERY_BYTES_MAX {
            self.error(
                0..self.text.len(),
                "too-long",
                format!("the query is longer than {QUERY_BYTES_MAX} bytes"),
                "split it, or search a range with a shorter query first",
            );
            return (Query::default(), self.problems);
        }
        let filter = self.filter();
        let pipe = self.pipe();
        self.problems.sort_by_key(|problem| (problem.start, problem.end));
        (Query { filter, pipe }, self.problems)
    }

    /// Counts one term; answers false, once with a problem, when there are too many.
    fn count_term(&mut self, start: usize) -> bool {
        self.terms += 1;
        if self.terms == TERMS_MAX + 1 {
            let hint = "split the query in two";
            self.error(start..self.text.len(), "too-many-terms", format!("more than {TERMS_MAX} terms"), hint);
            self.give_up();
        }
        self.terms <= TERMS_MAX
    }

    /// Runs `inner` one level deeper; gives up on the rest of the query when that is too deep.
    fn nested<T>(&mut self, start: usize, inner: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth == DEPTH_MAX {
            let hint = "write it with fewer brackets";
            let message = format!("brackets and NOT are nested deeper than {DEPTH_MAX}");
            self.error(start..self.text.len(), "too-deep", message, hint);
            self.give_up();
            return None;
        }
        self.depth += 1;
        let answer = inner(self);
        self.depth -= 1;
        answer
    }

    fn give_up(&mut self) {
        self.gave_up = true;
        self.at = self.text.len();
    }

    fn error(&mut self, span: Range<usize>, code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        self.problem(span, code, message, hint, Severity::Error);
    }

    fn warning(&mut self, span: Range<usize>, code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        self.problem(span, code, message, hint, Severity::Warning);
    }

    fn problem(
        &mut self,
        span: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
        severity: Severity,
    ) {
        if self.gave_up {
            return;
        }
        let (message, hint) = (message.into(), Some(hint.into()));
        self.problems.push(Problem { start: span.start, end: span.end, code, message, hint, severity });
    }

    /// Warns when the catalogue does not know `name`.
    fn check_name(&mut self, name: &str, span: Range<usize>) {
        let Some(catalogue) = self.catalogue else { return };
        if names::resolve(name, catalogue) != Place::Extra {
            return;
        }
        // Each suggestion looks through the whole catalogue.
        self.suggestions += 1;
        let close = if self.suggestions <= SUGGESTIONS_MAX { names::suggest(name, catalogue) } else { None };
        let hint = match close {
            Some(close) => format!("did you mean `{close}`?"),
            None => "to search for the text itself, put it in quotes".to_owned(),
        };
        let message = format!("`{}` is not in the field catalogue; it is looked up among the other fields", cut(name));
        self.warning(span, "unknown-field", message, hint);
    }
}

/// `text` short enough for a message.
fn cut(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
