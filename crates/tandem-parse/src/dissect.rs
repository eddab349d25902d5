//! `%{a} [%{b}] %{c}`: literal text between names; the first place where each literal fits, no going back.

use crate::names::Names;
use crate::problem::Problems;
use crate::work::{Target, Work};
use tandem_model::Value;

/// A compiled dissect pattern.
#[derive(Debug, Clone)]
pub(crate) struct Dissect {
    head: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    target: Option<Target>,
    /// Literal text behind it; empty: the rest of the text.
    until: String,
    /// `->`: the literal may be repeated.
    repeated: bool,
}

impl Dissect {
    pub(crate) fn compile(text: &str, line: usize, names: &mut Names, problems: &mut Problems) -> Option<Self> {
        let mut pieces = text.split("%{");
        let head = pieces.next().unwrap_or("").to_owned();
        let mut parts = Vec::new();
        for piece in pieces {
            let Some((name, until)) = piece.split_once('}') else {
                problems.add("parser.pattern", line, "`%{` without `}` in the dissect pattern");
                return None;
            };
            let (name, repeated) = name.strip_suffix("->").map_or((name, false), |name| (name, true));
            let target = (!name.is_empty()).then(|| Target::compile(name, line, names, problems));
            parts.push(Part { target, until: until.to_owned(), repeated });
        }
        if parts.is_empty() || parts.iter().rev().skip(1).any(|part| part.until.is_empty()) {
            problems.add("parser.pattern", line, "a dissect pattern needs names, and literal text between any two");
            return None;
        }
        Some(Self { head, parts })
    }

    /// Sets the fields if the whole pattern fits; otherwise nothing.
    pub(crate) fn apply(&self, text: &str, work: &mut Work<'_, '_>) -> bool {
        let Some(mut rest) = text.strip_prefix(self.head.as_str()) else { return false };
        let mut found = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            if part.until.is_empty() {
                found.push((part.target, rest));
                rest = "";
                continue;
            }
            let Some(at) = rest.find(part.until.as_str()) else { return false };
            found.push((part.target, &rest[..at]));
            rest = &rest[at + part.until.len()..];
            while part.repeated && rest.starts_with(part.until.as_str()) {
                rest = &rest[part.until.len()..];
            }
        }
        for (target, value) in found {
            if let Some(target) = target {
                work.set(target, Value::text(value));
            }
        }
        true
    }
}
