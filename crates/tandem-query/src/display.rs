//! Trees as text that parses to the same tree.

use crate::parse::{ends_word, is_plain_name};
use crate::{Aggregate, Bound, Expr, Literal, Network, Order, Piece, Query, Stage, Test};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.filter != Expr::All || self.pipe.is_empty() {
            write!(f, "{}", self.filter)?;
        } else {
            f.write_char('*')?;
        }
        for stage in &self.pipe {
            write!(f, " | {stage}")?;
        }
        Ok(())
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_char('*'),
            Self::And(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        f.write_char(' ')?;
                    }
                    part.fmt_operand(f)?;
                }
                Ok(())
            }
            Self::Or(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" OR ")?;
                    }
                    part.fmt_operand(f)?;
                }
                Ok(())
            }
            Self::Not(part) => {
                f.write_str("NOT ")?;
                part.fmt_operand(f)
            }
            Self::Text { tokens } => match tokens.as_slice() {
                [token] if !matches!(token.as_str(), "and" | "or" | "not") => f.write_str(token),
                _ => write!(f, "\"{}\"", tokens.join(" ")),
            },
            Self::Field { name, test: Test::Exists } => {
                f.write_str("_exists_:")?;
                write_name(f, name)
            }
            Self::Field { name, test } => {
                write_name(f, name)?;
                write!(f, ":{test}")
            }
        }
    }
}

impl Expr {
    fn fmt_operand(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if matches!(self, Self::And(_) | Self::Or(_)) { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

/// What stands behind `field:`.
impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(text) => write_pieces(f, &[Piece::Literal(text.clone())]),
            Self::Wildcard(pieces) => write_pieces(f, pieces),
            Self::Regex(pattern) => {
                f.write_char('/')?;
                let mut chars = pattern.chars();
                while let Some(c) = chars.next() {
                    match c {
                        '/' => f.write_str("\\/")?,
                        '\\' => {
                            f.write_char('\\')?;
                            chars.next().map_or(Ok(()), |next| f.write_char(next))?;
                        }
                        _ => f.write_char(c)?,
                    }
                }
                f.write_char('/')
            }
            Self::Range { low, high } => {
                f.write_char(if low.as_ref().is_none_or(|bound| bound.inclusive) { '[' } else { '{' })?;
                write_bound(f, low.as_ref())?;
                f.write_str(" TO ")?;
                write_bound(f, high.as_ref())?;
                f.write_char(if high.as_ref().is_none_or(|bound| bound.inclusive) { ']' } else { '}' })
            }
            Self::Compare { operator, value } => {
                f.write_str(operator.sign())?;
                write_literal(f, value)
            }
            Self::Cidr(network) => write!(f, "{network}"),
            Self::Exists => f.write_char('*'),
        }
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stats { aggregates, by } => {
                f.write_str("stats ")?;
                write_list(f, aggregates, |f, aggregate| write!(f, "{aggregate}"))?;
                if !by.is_empty() {
                    f.write_str(" by ")?;
                    write_list(f, by, |f, name| write_name(f, name))?;
                }
                Ok(())
            }
            Self::Sort(keys) => {
                f.write_str("sort ")?;
                write_list(f, keys, |f, key| {
                    if key.order == Order::Descending {
                        f.write_char('-')?;
                    }
                    write_name(f, &key.column)
                })
            }
            Self::Head(count) => write!(f, "head {count}"),
            Self::Fields(names) => {
                f.write_str("fields ")?;
                write_list(f, names, |f, name| write_name(f, name))
            }
        }
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = self.function.word();
        f.write_str(word)?;
        let mut default_name = word.to_owned();
        if let Some(field) = &self.field {
            f.write_char('(')?;
            write_name(f, field)?;
            f.write_char(')')?;
            default_name = format!("{word}({field})");
        }
        if self.name != default_name {
            f.write_str(" as ")?;
            write_name(f, &self.name)?;
        }
        Ok(())
    }
}

fn write_list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    mut write: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    Ok(())
}

fn write_name(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    if is_plain_name(name) { f.write_str(name) } else { write_quoted(f, name) }
}

fn write_bound(f: &mut Formatter<'_>, bound: Option<&Bound>) -> fmt::Result {
    match bound {
        None => f.write_char('*'),
        Some(bound) => write_literal(f, &bound.value),
    }
}

fn write_literal(f: &mut Formatter<'_>, literal: &Literal) -> fmt::Result {
    let text = literal.to_string();
    let is_plain = !text.is_empty()
        && text != "TO"
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | ':' | '-' | '+'));
    if is_plain { f.write_str(&text) } else { write_quoted(f, &text) }
}

fn write_pieces(f: &mut Formatter<'_>, pieces: &[Piece]) -> fmt::Result {
    // A lone text that would be read as a network is quoted as a whole.
    let is_network = |text: &str| {
        pieces.len() == 1
            && (Network::parse(text).is_some()
                || text.split_once('/').is_some_and(|(address, _)| crate::parse_address(address).is_some()))
    };
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::AnyRun => f.write_char('*')?,
            Piece::AnyOne => f.write_char('?')?,
            Piece::Literal(text) => {
                let is_special = text.is_empty()
                    || text.contains(|c| ends_word(c) || matches!(c, '"' | '*' | '?' | ':'))
                    || (index == 0 && text.starts_with(['[', '{', '<', '>', '/', '\\']))
                    || is_network(text);
                if is_special { write_quoted(f, text)? } else { f.write_str(text)? }
            }
        }
    }
    Ok(())
}

/// `text` in quotes; backslashes at its end stand behind them, where they cannot escape the quote.
fn write_quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let inner = text.trim_end_matches('\\');
    write!(f, "\"{}\"{}", inner.replace('"', "\\\""), &text[inner.len()..])
}
