//! Characters, keywords, quotes and words.

use super::Parser;

/// A word: pieces that touch each other, some of them in quotes.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) pieces: Vec<WordPiece>,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug)]
pub(super) enum WordPiece {
    Plain(String),
    Quoted(String),
}

impl Word {
    /// The text without quotes.
    pub(super) fn text(&self) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                WordPiece::Plain(text) | WordPiece::Quoted(text) => text.as_str(),
            })
            .collect()
    }

    /// The text when no part is in quotes.
    pub(super) fn plain(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [WordPiece::Plain(text)] => Some(text),
            _ => None,
        }
    }
}

/// Whether `name` can stand before a colon without quotes.
pub(crate) fn is_plain_name(name: &str) -> bool {
    name.starts_with(starts_name) && name.chars().all(continues_name)
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '@' | '$')
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@' | '$' | '.' | '-')
}

/// Whether `c` ends a word outside of quotes.
pub(crate) fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '|')
}

impl Parser<'_> {
    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub(super) fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Whether the keyword `word` stands here as a word of its own.
    pub(super) fn at_keyword(&self, word: &str) -> bool {
        self.rest()
            .strip_prefix(word)
            .is_some_and(|after| after.chars().next().is_none_or(|c| ends_word(c) || c == '"'))
    }

    /// The name before a colon, if one stands here; moves behind the colon.
    pub(super) fn field_name(&mut self) -> Option<(String, std::ops::Range<usize>)> {
        let start = self.at;
        let name = if self.peek() == Some('"') {
            let (name, closed) = self.quoted_silently();
            closed.then_some(name)
        } else {
            let rest = self.rest();
            let end = rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
            let name = rest[..end].to_owned();
            let found = name.starts_with(starts_name) && rest[end..].starts_with(':') && !self.is_text_with_colon(end);
            self.at += end;
            found.then_some(name)
        };
        let end = self.at;
        match name {
            Some(name) if !name.is_empty() && self.take(":") => Some((name, start..end)),
            _ => {
                self.at = start;
                None
            }
        }
    }

    /// Whether the word here, whose first colon is at `colon`, is no field but a text that happens to
    /// hold a colon: a drive, an address of the web, an IPv6 or hardware address.
    fn is_text_with_colon(&self, colon: usize) -> bool {
        let rest = self.rest();
        let word = &rest[..rest.find(ends_word).unwrap_or(rest.len())];
        let after = &word[colon + 1..];
        let is_drive = colon == 1 && after.starts_with('\\');
        let is_hardware_address =
            word.len() == 17 && word.split(':').all(|byte| byte.len() == 2 && u8::from_str_radix(byte, 16).is_ok());
        let is_address = |text: &str| crate::parse_address(text).is_some();
        // `source.ip:::1` is a field with an address, `fe80::1` an address, `std::io` a text.
        let is_double_colon = after.starts_with(':') && !is_address(after) && crate::Network::parse(after).is_none();
        is_drive || after.starts_with("//") || is_double_colon || is_address(word) || is_hardware_address
    }

    /// The word here; empty when none stands here.
    pub(super) fn word(&mut self) -> Word {
        let start = self.at;
        let mut pieces = Vec::new();
        while let Some(c) = self.peek() {
            if ends_word(c) {
                break;
            }
            if c == '"' {
                pieces.push(WordPiece::Quoted(self.quoted()));
            } else {
                let rest = self.rest();
                let end = rest.find(|c| ends_word(c) || c == '"').unwrap_or(rest.len());
                pieces.push(WordPiece::Plain(rest[..end].to_owned()));
                self.at += end;
            }
        }
        Word { pieces, start, end: self.at }
    }

    /// The text in quotes that starts here. A backslash is itself, except before a quote.
    pub(super) fn quoted(&mut self) -> String {
        let start = self.at;
        let (text, closed) = self.quoted_silently();
        if !closed {
            let hint = if self.text[start..].contains("\\\"") {
                r#"close it with `"`; `\"` is a quote within the text, so write a backslash at the end behind the quote: "C:\dir"\"#
            } else {
                "close it with `\"`"
            };
            self.error(start..self.text.len(), "unclosed-quote", "this quote is not closed", hint);
        }
        text
    }

    /// The text in quotes that starts here, with the backslashes that touch its end.
    pub(super) fn quoted_with_end(&mut self) -> String {
        let mut text = self.quoted();
        while self.take("\\") {
            text.push('\\');
        }
        text
    }

    fn quoted_silently(&mut self) -> (String, bool) {
        let mut text = String::new();
        self.at += 1;
        while let Some(c) = self.bump() {
            match c {
                '"' => return (text, true),
                '\\' if self.take("\"") => text.push('"'),
                _ => text.push(c),
            }
        }
        (text, false)
    }
}
