//! What stands behind `field:`.

use super::lex::WordPiece;
use super::{Parser, compile_regex, cut};
use crate::{Bound, Literal, Network, Operator, Piece, Test};

impl Parser<'_> {
    /// The test behind `name:`; `start` is where the term starts.
    pub(super) fn value(&mut self, name: &str, start: usize) -> Option<Test> {
        match self.peek() {
            Some('[' | '{') => {
                if let Some(answer) = self.range() {
                    return answer;
                }
            }
            Some('<' | '>') => return self.compare(name),
            Some('/') => {
                if let Some(answer) = self.regex() {
                    return answer;
                }
            }
            _ => {}
        }
        let before = self.problems.len();
        let word = self.word();
        if self.problems.len() > before {
            return None;
        }
        if word.pieces.is_empty() {
            let hint = format!("write `{name}:value` without a space, or put the text in quotes to search for it");
            self.error(start..self.at, "missing-value", format!("`{}:` has no value", cut(name)), hint);
            return None;
        }
        if let Some(plain) = word.plain() {
            if let Some(network) = Network::parse(plain) {
                return Some(Test::Cidr(network));
            }
            if is_bad_network(plain) {
                self.error(
                    word.start..word.end,
                    "bad-network",
                    format!("`{plain}` is no network: the prefix is too long"),
                    "a prefix has at most 32 bits for IPv4 and 128 for IPv6; in quotes it is compared as text",
                );
                return None;
            }
        }
        Some(Test::wildcard(pieces(&word.pieces)))
    }

    /// `[10 TO 20]`; `None` when it is no range but a text in brackets, and nothing was read.
    #[expect(clippy::option_option, reason = "outer: is it a range; inner: is it a good one")]
    fn range(&mut self) -> Option<Option<Test>> {
        let start = self.at;
        let low_inclusive = self.bump() == Some('[');
        let before = self.problems.len();
        let low = self.bound();
        self.skip_space();
        if !self.at_keyword("TO") {
            self.problems.truncate(before);
            self.at = start;
            return None;
        }
        self.at += 2;
        let high = self.bound();
        self.skip_space();
        let high_inclusive = match self.peek() {
            Some(c @ (']' | '}')) if low.is_some() && high.is_some() => {
                self.bump();
                c == ']'
            }
            _ => {
                let hint = "write `[10 TO 20]`, `{10 TO 20}` without the ends, or `[10 TO *]`";
                self.error(start..self.at, "bad-range", "this range is not complete", hint);
                return Some(None);
            }
        };
        let low = low.flatten().map(|value| Bound { value, inclusive: low_inclusive });
        let high = high.flatten().map(|value| Bound { value, inclusive: high_inclusive });
        if low.is_none() && high.is_none() {
            return Some(Some(Test::Exists));
        }
        if let (Some(low), Some(high)) = (&low, &high) {
            self.check_kinds(&low.value, &high.value, start);
        }
        Some(Some(Test::Range { low, high }))
    }

    /// One end of a range: `Some(None)` for `*`, `None` when nothing stands here.
    #[expect(clippy::option_option, reason = "outer: is there an end; inner: is it open")]
    fn bound(&mut self) -> Option<Option<Literal>> {
        self.skip_space();
        if self.peek() == Some('"') {
            return Some(Some(Literal::parse(&self.quoted_with_end())));
        }
        let rest = self.rest();
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, ']' | '}' | '|' | '(' | ')')).unwrap_or(rest.len());
        let text = rest[..end].to_owned();
        self.at += end;
        match text.as_str() {
            "" => None,
            "*" => Some(None),
            text => Some(Some(Literal::parse(text))),
        }
    }

    fn check_kinds(&mut self, low: &Literal, high: &Literal, start: usize) {
        if low.kind() != high.kind() {
            self.warning(
                start..self.at,
                "mixed-range",
                format!("the ends of this range are {} and {}: nothing is between them", low.kind(), high.kind()),
                "write both ends as numbers, times or addresses",
            );
        }
    }

    fn compare(&mut self, name: &str) -> Option<Test> {
        let start = self.at;
        let operator = match (self.bump(), self.take("=")) {
            (Some('<'), false) => Operator::Less,
            (Some('<'), true) => Operator::LessOrEqual,
            (_, false) => Operator::Greater,
            (_, true) => Operator::GreaterOrEqual,
        };
        self.skip_space();
        let before = self.problems.len();
        let word = self.word();
        if self.problems.len() > before {
            return None;
        }
        if word.pieces.is_empty() {
            let hint = format!("write `{name}:{}5`", operator.sign());
            self.error(start..self.at, "missing-value", format!("nothing follows `{}`", operator.sign()), hint);
            return None;
        }
        Some(Test::Compare { operator, value: Literal::parse(&word.text()) })
    }

    /// `/pattern/`; `None` when it is no regular expression but a path, and nothing was read.
    #[expect(clippy::option_option, reason = "outer: is it a regex; inner: is it a good one")]
    fn regex(&mut self) -> Option<Option<Test>> {
        let start = self.at;
        self.bump();
        let mut pattern = String::new();
        let closed = loop {
            match self.bump() {
                None => break false,
                Some('/') => break true,
                Some('\\') => match self.bump() {
                    Some('/') => pattern.push('/'),
                    Some(c) => pattern.extend(['\\', c]),
                    None => break false,
                },
                Some(c) => pattern.push(c),
            }
        };
        if !closed || pattern.is_empty() || self.peek().is_some_and(|c| !super::lex::ends_word(c)) {
            self.at = start;
            return None;
        }
        if let Err(error) = compile_regex(&pattern) {
            let hint = "a path that starts and ends with `/` goes in quotes; the syntax is described in docs/search.md";
            self.error(start..self.at, "bad-regex", error.to_string(), hint);
            return Some(None);
        }
        Some(Some(Test::Regex(pattern)))
    }
}

/// Whether `text` is an address with a prefix that no network has.
fn is_bad_network(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, prefix)| {
        crate::parse_address(address).is_some()
            && !prefix.is_empty()
            && prefix.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Outside of quotes `*` and `?` are wildcards.
fn pieces(word: &[WordPiece]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for piece in word {
        match piece {
            WordPiece::Quoted(text) => pieces.push(Piece::Literal(text.clone())),
            WordPiece::Plain(text) => {
                let mut rest = text.as_str();
                while let Some(at) = rest.find(['*', '?']) {
                    pieces.push(Piece::Literal(rest[..at].to_owned()));
                    pieces.push(if rest[at..].starts_with('*') { Piece::AnyRun } else { Piece::AnyOne });
                    rest = &rest[at + 1..];
                }
                pieces.push(Piece::Literal(rest.to_owned()));
            }
        }
    }
    pieces
}
