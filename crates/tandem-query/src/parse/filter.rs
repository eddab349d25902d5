//! Terms, `AND`, `OR`, `NOT`, brackets.

use super::{Parser, cut};
use crate::{Expr, Test, tokens};

/// The field that the terms of a bracket belong to, as in `EventID:(4624 OR 4625)`.
type Owner<'n> = Option<&'n str>;

impl Parser<'_> {
    /// The filter: everything before the first `|`.
    pub(super) fn filter(&mut self) -> Expr {
        let mut parts = Vec::new();
        loop {
            parts.extend(self.or(None));
            self.skip_space();
            if self.peek() != Some(')') {
                break;
            }
            self.error(
                self.at..self.at + 1,
                "unopened-bracket",
                "this bracket was never opened",
                "remove it, or put it in quotes",
            );
            self.bump();
        }
        Expr::and(parts)
    }

    fn or(&mut self, owner: Owner<'_>) -> Option<Expr> {
        let mut parts = Vec::new();
        loop {
            let start = self.at;
            let part = self.and(owner);
            self.skip_space();
            let more = self.at_keyword("OR");
            if part.is_none() && (more || !parts.is_empty()) {
                self.missing_operand("OR", if more { self.at } else { start });
            }
            parts.extend(part);
            if !more {
                break;
            }
            self.at += 2;
        }
        if parts.is_empty() { None } else { Some(Expr::or(parts)) }
    }

    fn and(&mut self, owner: Owner<'_>) -> Option<Expr> {
        let mut parts = Vec::new();
        // Where the last AND stands that still waits for its right side.
        let mut waiting = None;
        loop {
            self.skip_space();
            if self.at_keyword("AND") {
                if parts.is_empty() || waiting.is_some() {
                    self.missing_operand("AND", self.at);
                }
                waiting = Some(self.at);
                self.at += 3;
                continue;
            }
            if self.peek().is_none_or(|c| matches!(c, ')' | '|')) || self.at_keyword("OR") {
                break;
            }
            let before = self.problems.len();
            match self.unary(owner) {
                Some(part) => {
                    parts.push(part);
                    waiting = None;
                }
                // What stood there was wrong and has been reported.
                None if self.problems.len() > before => waiting = None,
                None => {}
            }
        }
        if let Some(at) = waiting {
            self.missing_operand("AND", at);
        }
        if parts.is_empty() { None } else { Some(Expr::and(parts)) }
    }

    fn missing_operand(&mut self, word: &str, at: usize) {
        let end = (at + word.len()).min(self.text.len());
        let end = if self.text.is_char_boundary(end) { end } else { at };
        let hint = format!("write a term on both sides, or `\"{word}\"` in quotes to search for the word");
        self.error(at..end, "missing-term", format!("a term is missing beside {word}"), hint);
    }

    fn unary(&mut self, owner: Owner<'_>) -> Option<Expr> {
        let start = self.at;
        if self.at_keyword("NOT") {
            self.at += 3;
            self.skip_space();
            if self.peek().is_none_or(|c| matches!(c, ')' | '|')) || self.at_keyword("OR") || self.at_keyword("AND") {
                self.missing_operand("NOT", start);
                return None;
            }
            return self.nested(start, |parser| parser.unary(owner)).map(Expr::negate);
        }
        if self.at_minus(owner) {
            self.at += 1;
            return self.nested(start, |parser| parser.primary(owner)).map(Expr::negate);
        }
        self.primary(owner)
    }

    /// Whether a `-` stands here that negates the term after it: not `--option`, not a number after a field.
    fn at_minus(&self, owner: Owner<'_>) -> bool {
        let Some(after) = self.rest().strip_prefix('-') else { return false };
        match after.chars().next() {
            None | Some('-' | ')' | '|') => false,
            Some(c) if c.is_ascii_digit() => owner.is_none(),
            Some(c) => !c.is_whitespace(),
        }
    }

    fn primary(&mut self, owner: Owner<'_>) -> Option<Expr> {
        let start = self.at;
        if self.peek() == Some('(') {
            return self.bracket(owner);
        }
        if !self.count_term(start) {
            return None;
        }
        if let Some(name) = owner {
            return self.value(name, start).map(|test| Expr::field(name, test));
        }
        if self.take("_exists_:") {
            return self.exists(start);
        }
        let Some((name, span)) = self.field_name() else { return self.bare_word() };
        if self.peek() == Some('(') {
            self.check_name(&name, span);
            return self.bracket(Some(&name));
        }
        let test = self.value(&name, start)?;
        self.check_name(&name, span);
        if let (Test::Equals(text), "raw") = (&test, &*name) {
            let hint = format!("write `{0}` to look for words, `raw:*{0}*` for a part", cut(text));
            self.warning(start..self.at, "whole-raw", "`raw:` compares the whole text of the event", hint);
        }
        Some(Expr::field(name, test))
    }

    fn bracket(&mut self, owner: Owner<'_>) -> Option<Expr> {
        let start = self.at;
        self.nested(start, |parser| {
            parser.bump();
            let before = parser.problems.len();
            let inner = parser.or(owner);
            parser.skip_space();
            if !parser.take(")") {
                parser.error(start..start + 1, "unclosed-bracket", "this bracket is not closed", "close it with `)`");
            } else if inner.is_none() && parser.problems.len() == before {
                parser.error(
                    start..parser.at,
                    "empty-bracket",
                    "there is nothing in these brackets",
                    "write a term in them, or remove them",
                );
            }
            inner
        })
    }

    fn exists(&mut self, start: usize) -> Option<Expr> {
        let word = self.word();
        let name = word.text();
        if name.is_empty() {
            self.error(start..self.at, "missing-value", "`_exists_:` names no field", "write `_exists_:user.name`");
            return None;
        }
        self.check_name(&name, word.start..word.end);
        Some(Expr::field(name, Test::Exists))
    }

    /// A word or phrase that is looked for in the raw text.
    fn bare_word(&mut self) -> Option<Expr> {
        let before = self.problems.len();
        let word = self.word();
        let span = word.start..word.end;
        if let Some(plain) = word.plain() {
            match plain {
                "*" => return Some(Expr::All),
                "and" | "or" | "not" => {
                    let upper = plain.to_ascii_uppercase();
                    self.warning(
                        span.clone(),
                        "lower-case-operator",
                        format!("`{plain}` is searched as a word"),
                        format!("write {upper} in capitals to combine terms"),
                    );
                }
                _ if plain.contains('*') => {
                    self.warning(
                        span.clone(),
                        "bare-wildcard",
                        "without a field `*` is no wildcard: whole words are looked for",
                        format!("write `raw:*{}*`", plain.trim_matches('*')),
                    );
                }
                _ => self.check_equals_sign(plain, span.clone()),
            }
        }
        if self.problems[before..].iter().any(crate::Problem::is_error) {
            return None;
        }
        let text = word.text();
        let tokens = tokens(&text);
        if tokens.is_empty() {
            self.error(
                span,
                "no-word",
                format!("`{}` has no letter and no digit, so it cannot be looked up as a word", cut(&text)),
                format!("write `raw:*\"{}\"*`", cut(&text)),
            );
            return None;
        }
        Some(Expr::Text { tokens })
    }

    /// Warns of `EventID=4624`, which is a phrase here and a test elsewhere.
    fn check_equals_sign(&mut self, word: &str, span: std::ops::Range<usize>) {
        let Some((name, value)) = word.split_once('=') else { return };
        if self.catalogue.is_some_and(|catalogue| catalogue.get(name).is_some()) {
            self.warning(
                span,
                "equals-sign",
                format!("`{}` is looked for as text", cut(word)),
                format!("to test the field, write `{name}:{}`", cut(value)),
            );
        }
    }
}
