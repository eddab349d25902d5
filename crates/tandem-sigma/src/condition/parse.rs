//! The grammar of conditions: `or` binds least, then `and`, `not`, `1 of`/`all of`, brackets.

use super::lex::{Kind, Token, tokens};
use super::{Condition, Quantity, Target};

/// Why a condition cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConditionError {
    /// It pipes into an aggregation of Sigma version 1.
    pub(crate) aggregation: bool,
    pub(crate) message: String,
    /// Characters before the place of the error.
    pub(crate) offset: usize,
}

/// Reads a condition whose nesting does not pass `depth_max`.
pub(crate) fn parse(text: &str, depth_max: usize) -> Result<Condition, ConditionError> {
    let mut parser = Parser { tokens: tokens(text), next: 0, end: text.chars().count(), depth_left: depth_max };
    let condition = parser.or()?;
    match parser.peek() {
        None => Ok(condition),
        Some(Kind::Pipe) => Err(ConditionError {
            aggregation: true,
            ..parser.error("a condition cannot pipe ('|') into an aggregation any more")
        }),
        Some(Kind::Close) => Err(parser.error("this bracket was never opened")),
        Some(_) => Err(parser.error("'and' or 'or' is missing here")),
    }
}

struct Parser<'t> {
    tokens: Vec<Token<'t>>,
    next: usize,
    /// Characters in the text.
    end: usize,
    depth_left: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Kind<'t>> {
        self.tokens.get(self.next).map(|token| token.kind)
    }

    fn error(&self, message: impl Into<String>) -> ConditionError {
        let offset = self.tokens.get(self.next).map_or(self.end, |token| token.offset);
        ConditionError { aggregation: false, message: message.into(), offset }
    }

    /// Takes the next token if it is this word, in any case.
    fn take_word(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Some(Kind::Word(next)) if next.eq_ignore_ascii_case(word));
        self.next += usize::from(is);
        is
    }

    fn or(&mut self) -> Result<Condition, ConditionError> {
        let mut parts = vec![self.and()?];
        while self.take_word("or") {
            parts.push(self.and()?);
        }
        Ok(one_or(parts, Condition::Or))
    }

    fn and(&mut self) -> Result<Condition, ConditionError> {
        let mut parts = vec![self.not()?];
        while self.take_word("and") {
            parts.push(self.not()?);
        }
        Ok(one_or(parts, Condition::And))
    }

    fn not(&mut self) -> Result<Condition, ConditionError> {
        if !self.take_word("not") {
            return self.operand();
        }
        self.deeper(|parser| Ok(Condition::Not(Box::new(parser.not()?))))
    }

    fn operand(&mut self) -> Result<Condition, ConditionError> {
        match self.peek() {
            Some(Kind::Open) => self.deeper(|parser| {
                parser.next += 1;
                let inner = parser.or()?;
                if parser.peek() == Some(Kind::Close) {
                    parser.next += 1;
                    Ok(inner)
                } else if parser.peek() == Some(Kind::Pipe) {
                    let error = parser.error("a condition cannot pipe ('|') into an aggregation any more");
                    Err(ConditionError { aggregation: true, ..error })
                } else {
                    Err(parser.error("')' is missing here"))
                }
            }),
            Some(Kind::Word(word)) => self.word(word),
            Some(Kind::Close) => Err(self.error("a selection is missing before ')'")),
            Some(Kind::Pipe) => Err(self.error("a selection is missing before '|'")),
            Some(Kind::Other(character)) => {
                Err(self.error(format!("a condition cannot have the character '{character}'")))
            }
            None => Err(self.error("the condition ends where a selection is expected")),
        }
    }

    fn word(&mut self, word: &'t str) -> Result<Condition, ConditionError> {
        if is_operator(word) {
            return Err(self.error(format!("a selection is missing before '{word}'")));
        }
        let after = self.tokens.get(self.next + 1).map(|token| token.kind);
        let is_of = matches!(after, Some(Kind::Word(next)) if next.eq_ignore_ascii_case("of"));
        if !is_of {
            if word.contains('*') {
                return Err(self.error(format!("'{word}' needs '1 of' or 'all of' before it")));
            }
            self.next += 1;
            return Ok(Condition::Selection(word.to_owned()));
        }
        let quantity = match word.to_ascii_lowercase().as_str() {
            "1" | "any" => Quantity::One,
            "all" => Quantity::All,
            _ => return Err(self.error(format!("'{word} of' is not known, only '1 of', 'any of' and 'all of'"))),
        };
        self.next += 2;
        let target = match self.peek() {
            Some(Kind::Word(word)) if word.eq_ignore_ascii_case("them") => Target::Them,
            Some(Kind::Word(word)) if !is_operator(word) => Target::Pattern(word.to_owned()),
            _ => return Err(self.error("'of' needs 'them' or a name behind it")),
        };
        self.next += 1;
        Ok(Condition::Of(quantity, target))
    }

    fn deeper(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<Condition, ConditionError>,
    ) -> Result<Condition, ConditionError> {
        if self.depth_left == 0 {
            return Err(self.error("brackets and 'not' are nested too deeply"));
        }
        self.depth_left -= 1;
        let result = inner(self);
        self.depth_left += 1;
        result
    }
}

fn is_operator(word: &str) -> bool {
    ["and", "or", "not", "of"].iter().any(|operator| word.eq_ignore_ascii_case(operator))
}

fn one_or(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(text: &str) -> Result<String, String> {
        parse(text, 64)
            .map(|condition| condition.to_string())
            .map_err(|error| format!("{}: {}", error.offset, error.message))
    }

    #[test]
    fn precedence_and_case() {
        for (text, same) in [
            ("a or b and c", "a or (b and c)"),
            ("a and b or c", "(a and b) or c"),
            ("not a and b", "(not a) and b"),
            ("NOT a AND 1 Of sel*", "not a and 1 of sel*"),
            ("any of them", "1 of them"),
            ("not (a or b)", "not (a or b)"),
            ("not not a", "not (not a)"),
            ("((a))", "a"),
            ("a and (b and c)", "a and (b and c)"),
            ("all", "all"),
            ("1 or all of x", "1 or all of x"),
        ] {
            assert_eq!(parse(text, 64), parse(same, 64), "{text}");
            assert!(parse(text, 64).is_ok(), "{text}");
        }
    }

    #[test]
    fn errors_have_a_place() {
        for (text, error) in [
            ("", "0: the condition ends where a selection is expected"),
            ("a and", "5: the condition ends where a selection is expected"),
            ("a b", "2: 'and' or 'or' is missing here"),
            ("(a", "2: ')' is missing here"),
            ("a)", "1: this bracket was never opened"),
            ("and a", "0: a selection is missing before 'and'"),
            ("2 of sel*", "0: '2 of' is not known, only '1 of', 'any of' and 'all of'"),
            ("1 of", "4: 'of' needs 'them' or a name behind it"),
            ("sel*", "0: 'sel*' needs '1 of' or 'all of' before it"),
            ("a & b", "2: 'and' or 'or' is missing here"),
            ("& b", "0: a condition cannot have the character '&'"),
            ("a | count() > 5", "2: a condition cannot pipe ('|') into an aggregation any more"),
        ] {
            assert_eq!(printed(text), Err(error.to_owned()), "{text}");
        }
        assert!(printed(&"(".repeat(10_000)).is_err());
        assert!(printed(&"not ".repeat(10_000)).is_err());
    }

    fn conditions() -> impl Strategy<Value = Condition> {
        let leaf = prop_oneof![
            "[a-z][a-z0-9_]{0,4}x".prop_map(Condition::Selection),
            (
                prop_oneof![Just(Quantity::One), Just(Quantity::All)],
                prop_oneof![Just(Target::Them), "[a-z_]{1,4}x[*]".prop_map(Target::Pattern)]
            )
                .prop_map(|(quantity, target)| Condition::Of(quantity, target)),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::Or),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::And),
                inner.prop_map(|part| Condition::Not(Box::new(part))),
            ]
        })
    }

    proptest! {
        #[test]
        fn printing_reads_back_as_the_same_tree(condition in conditions()) {
            prop_assert_eq!(parse(&condition.to_string(), 64), Ok(condition));
        }

        #[test]
        fn any_text_is_answered(text in "[a1 *()|&_ä]{0,20}|(not|and|or|of|them|a|\\(|\\)| ){0,12}") {
            let _ = parse(&text, 64);
        }
    }
}
