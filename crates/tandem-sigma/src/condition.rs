//! Conditions: how the selections of a rule are combined.

mod lex;
mod parse;

use std::fmt;

pub(crate) use parse::parse;

/// A condition as a tree.
///
/// Printing gives a text that reads back as the same tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// At least one of them; there are two or more.
    Or(Vec<Condition>),
    /// Every one of them; there are two or more.
    And(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// A selection, by its name.
    Selection(String),
    /// `1 of …` and `all of …`.
    Of(Quantity, Target),
}

/// How many of the selections must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// `1 of`, `any of`
    One,
    /// `all of`
    All,
}

/// Which selections a quantity speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Every selection whose name does not begin with `_`.
    Them,
    /// Every selection whose name matches; `*` is any run of characters. Names that begin with
    /// `_` are meant only if the pattern begins with `_`.
    Pattern(String),
}

impl Target {
    /// True if the selection of this name is meant.
    pub fn includes(&self, name: &str) -> bool {
        match self {
            Self::Them => !name.starts_with('_'),
            Self::Pattern(pattern) => (pattern.starts_with('_') || !name.starts_with('_')) && glob(pattern, name),
        }
    }
}

/// `*` is any run of characters, everything else is itself, in this case.
fn glob(pattern: &str, name: &str) -> bool {
    let Some((before, pattern)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut rest) = name.strip_prefix(before) else { return false };
    let mut parts = pattern.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

impl Condition {
    /// Decides the condition, asking `holds` for each selection that matters, by name.
    pub fn evaluate<'n>(&'n self, names: &[&'n str], holds: &mut dyn FnMut(&'n str) -> bool) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|part| part.evaluate(names, holds)),
            Self::And(parts) => parts.iter().all(|part| part.evaluate(names, holds)),
            Self::Not(part) => !part.evaluate(names, holds),
            Self::Selection(name) => holds(name),
            Self::Of(quantity, target) => {
                let mut meant = names.iter().filter(|name| target.includes(name));
                match quantity {
                    Quantity::One => meant.any(|name| holds(name)),
                    Quantity::All => meant.all(|name| holds(name)),
                }
            }
        }
    }

    /// Calls `visit` for each name and each target in the condition.
    pub(crate) fn each_leaf<'n>(&'n self, visit: &mut dyn FnMut(&'n Condition)) {
        match self {
            Self::Or(parts) | Self::And(parts) => {
                for part in parts {
                    part.each_leaf(visit);
                }
            }
            Self::Not(part) => part.each_leaf(visit),
            leaf @ (Self::Selection(_) | Self::Of(..)) => visit(leaf),
        }
    }

    /// How strongly the outermost operator binds.
    fn strength(&self) -> u8 {
        match self {
            Self::Or(_) => 0,
            Self::And(_) => 1,
            Self::Not(_) => 2,
            Self::Selection(_) | Self::Of(..) => 3,
        }
    }

    fn write_within(&self, f: &mut fmt::Formatter<'_>, around: u8) -> fmt::Result {
        if self.strength() <= around && self.strength() < 2 { write!(f, "({self})") } else { write!(f, "{self}") }
    }

    fn write_joined(&self, f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str) -> fmt::Result {
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                write!(f, " {word} ")?;
            }
            part.write_within(f, self.strength())?;
        }
        Ok(())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(parts) => self.write_joined(f, parts, "or"),
            Self::And(parts) => self.write_joined(f, parts, "and"),
            Self::Not(part) => {
                f.write_str("not ")?;
                part.write_within(f, 1)
            }
            Self::Selection(name) => f.write_str(name),
            Self::Of(quantity, target) => {
                let quantity = if *quantity == Quantity::One { "1" } else { "all" };
                match target {
                    Target::Them => write!(f, "{quantity} of them"),
                    Target::Pattern(pattern) => write!(f, "{quantity} of {pattern}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_stands_anywhere_in_a_name() {
        for (pattern, name, matches) in [
            ("selection*", "selection_a", true),
            ("selection*", "selection", true),
            ("*_main", "filter_main", true),
            ("s*_main_*", "sel_main_x", true),
            ("s*_main_*", "sel_main", false),
            ("*", "anything", true),
            ("*", "_hidden", false),
            ("_*", "_hidden", true),
            ("a*a", "a", false),
            ("a**b", "ab", true),
            ("sel", "sel", true),
            ("sel", "sel1", false),
            ("Sel*", "sel1", false),
        ] {
            assert_eq!(Target::Pattern(pattern.to_owned()).includes(name), matches, "{pattern} {name}");
        }
    }
}
