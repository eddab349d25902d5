//! `kv`: key=value pairs with quotes.

use crate::compile::Compiler;
use crate::source::Source;
use crate::step::{from, input};
use crate::work::Work;
use crate::yaml::Node;
use tandem_model::Value;

/// The step's options.
#[derive(Debug, Clone)]
pub(crate) struct Kv {
    from: Option<Source>,
    pair: Option<String>,
    sep: String,
    quotes: String,
    trim: String,
    prefix: String,
    escapes: bool,
    loose: bool,
}

impl Kv {
    pub(crate) fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Self {
        node.refuse_unknown(
            "kv",
            &["from", "pair", "sep", "quotes", "trim", "prefix", "escapes", "loose"],
            compiler.problems,
        );
        let mut text = |key: &str| node.get(key).map(|node| node.text(key, compiler.problems));
        let pair = text("pair").filter(|pair| !pair.is_empty() && pair != " ");
        let sep = text("sep").filter(|sep| !sep.is_empty()).unwrap_or_else(|| "=".to_owned());
        let quotes = text("quotes").unwrap_or_else(|| "\"".to_owned());
        let (trim, prefix) = (text("trim").unwrap_or_default(), text("prefix").unwrap_or_default());
        let mut truth = |key: &str| node.get(key).is_some_and(|node| node.truth(key, compiler.problems));
        let (escapes, loose) = (truth("escapes"), truth("loose"));
        Self { from: from(node, compiler), pair, sep, quotes, trim, prefix, escapes, loose }
    }

    pub(crate) fn run(&self, work: &mut Work<'_, '_>) -> Result<(), String> {
        let text = input(work, self.from.as_ref())?;
        let mut count = 0;
        self.pairs(&text, |key, value| {
            count += 1;
            if self.prefix.is_empty() {
                work.set_named(key, Value::text(&value));
            } else {
                work.set_named(&format!("{}{key}", self.prefix), Value::text(&value));
            }
        });
        if count == 0 { Err(format!("there is no pair with `{}`", self.sep)) } else { Ok(()) }
    }

    /// Calls `take` for each pair.
    fn pairs(&self, text: &str, mut take: impl FnMut(&str, std::borrow::Cow<'_, str>)) {
        let mut rest = text;
        loop {
            rest = match &self.pair {
                None => rest.trim_start(),
                Some(pair) => {
                    let mut rest = rest;
                    while let Some(after) = rest.strip_prefix(pair.as_str()) {
                        rest = after;
                    }
                    rest.trim_start_matches(' ')
                }
            };
            if rest.is_empty() {
                return;
            }
            let token_end = self.end(rest);
            let searched = rest.get(..token_end + self.sep.len()).unwrap_or(rest);
            let Some(sep) = searched.find(self.sep.as_str()) else {
                // A word without value.
                rest = &rest[token_end..];
                continue;
            };
            let key = rest[..sep].trim().trim_matches('"');
            let after = &rest[sep + self.sep.len()..];
            let quote = after.chars().next().filter(|c| self.quotes.contains(*c));
            let (value, behind) = match quote {
                Some(quote) => self.quoted(&after[quote.len_utf8()..], quote),
                None => {
                    let end = if self.loose { self.loose_end(after) } else { self.end(after) };
                    (std::borrow::Cow::Borrowed(after[..end].trim_end()), &after[end..])
                }
            };
            if !key.is_empty() && key.len() <= 256 {
                match value {
                    std::borrow::Cow::Borrowed(text) if !self.trim.is_empty() => {
                        take(key, text.trim_matches(|c| self.trim.contains(c)).into());
                    }
                    value => take(key, value),
                }
            }
            rest = behind;
        }
    }

    /// Where a value without quotes ends.
    fn end(&self, text: &str) -> usize {
        match &self.pair {
            None => text.find(char::is_whitespace).unwrap_or(text.len()),
            Some(pair) => text.find(pair.as_str()).unwrap_or(text.len()),
        }
    }

    /// With blanks in values: up to the word before the next separator.
    fn loose_end(&self, text: &str) -> usize {
        match text.find(self.sep.as_str()) {
            None => text.len(),
            Some(next) => text[..next].rfind(char::is_whitespace).unwrap_or_else(|| self.end(text)),
        }
    }

    fn quoted<'t>(&self, text: &'t str, quote: char) -> (std::borrow::Cow<'t, str>, &'t str) {
        if !self.escapes {
            return match text.find(quote) {
                Some(end) => (text[..end].into(), &text[end + quote.len_utf8()..]),
                None => (text.into(), ""),
            };
        }
        let mut value = String::new();
        let mut characters = text.char_indices();
        while let Some((at, c)) = characters.next() {
            if c == quote {
                return (value.into(), &text[at + c.len_utf8()..]);
            }
            if c == '\\' {
                match characters.next() {
                    Some((_, next)) if next == quote || next == '\\' => value.push(next),
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, next)) => {
                        value.push('\\');
                        value.push(next);
                    }
                    None => value.push('\\'),
                }
            } else {
                value.push(c);
            }
        }
        (value.into(), "")
    }
}
