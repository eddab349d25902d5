//! Placeholders: `%name%` in values under `expand`, and the lists that stand for them.

use std::collections::{BTreeMap, BTreeSet};

/// The values of placeholders, by name without the `%`; letter case in names does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placeholders {
    lists: BTreeMap<String, Vec<String>>,
}

impl Placeholders {
    /// No placeholders.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the values of a placeholder. Values are patterns: `srv*` stands for every name that
    /// begins so, and special characters have to be escaped. An empty list means that nothing
    /// matches the placeholder.
    pub fn set(&mut self, name: &str, values: impl IntoIterator<Item = impl Into<String>>) {
        let values = values.into_iter().map(Into::into).collect();
        self.lists.insert(name.to_ascii_lowercase(), values);
    }

    fn get(&self, name: &str) -> Option<&[String]> {
        self.lists.get(&name.to_ascii_lowercase()).map(Vec::as_slice)
    }
}

/// What became of a value under `expand`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expanded {
    /// The value had placeholders, and these are all its forms (perhaps none).
    Values(Vec<String>),
    /// The value had no placeholder; escapes are resolved.
    Plain(String),
    /// These placeholders have no values.
    Unknown(BTreeSet<String>),
    /// More forms than allowed.
    TooMany,
}

/// Replaces each `%name%` by each of its values; `\%` is a percent sign, `\\%name%` a backslash
/// and a placeholder.
pub(crate) fn expand(text: &str, placeholders: &Placeholders, most: usize) -> Expanded {
    let parts = split(text);
    let mut forms = vec![String::new()];
    let mut unknown = BTreeSet::new();
    let mut any = false;
    for part in &parts {
        match part {
            Part::Text(text) => forms.iter_mut().for_each(|form| form.push_str(text)),
            Part::Placeholder(name) => {
                any = true;
                let Some(values) = placeholders.get(name) else {
                    unknown.insert((*name).to_owned());
                    continue;
                };
                if forms.len() * values.len() > most {
                    return Expanded::TooMany;
                }
                let with = |form: &String| values.iter().map(|v| format!("{form}{v}")).collect::<Vec<_>>();
                forms = forms.iter().flat_map(with).collect();
            }
        }
    }
    if !unknown.is_empty() {
        Expanded::Unknown(unknown)
    } else if any {
        Expanded::Values(forms)
    } else {
        Expanded::Plain(forms.concat())
    }
}

enum Part<'t> {
    Text(String),
    Placeholder(&'t str),
}

fn split(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if character == '\\' {
            rest = take_backslashes(rest, &mut literal);
            continue;
        }
        if let Some((name, after)) = placeholder_at(rest) {
            parts.push(Part::Text(std::mem::take(&mut literal)));
            parts.push(Part::Placeholder(name));
            rest = after;
            continue;
        }
        literal.push(character);
        rest = &rest[character.len_utf8()..];
    }
    parts.push(Part::Text(literal));
    parts
}

/// Takes a run of backslashes, with the percent sign behind it if it is escaped. Before a percent
/// sign pairs stand for one backslash each, and stay as they are for the pattern to read; anywhere
/// else the run says nothing about placeholders.
fn take_backslashes<'t>(text: &'t str, literal: &mut String) -> &'t str {
    let rest = text.trim_start_matches('\\');
    let count = text.len() - rest.len();
    match rest.strip_prefix('%') {
        Some(after) if count % 2 == 1 => {
            literal.push_str(&text[..count - 1]);
            literal.push('%');
            after
        }
        _ => {
            literal.push_str(&text[..count]);
            rest
        }
    }
}

/// `%name%` at the start of the text; names are letters, digits, `_`, `-` and `.`.
fn placeholder_at(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('%')?.split_once('%')?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_takes_its_turn() {
        let mut placeholders = Placeholders::new();
        placeholders.set("Servers", ["srv*", "db1"]);
        placeholders.set("none", [""; 0]);
        let expand = |text| expand(text, &placeholders, 100);
        let values = |list: &[&str]| Expanded::Values(list.iter().map(|v| (*v).to_owned()).collect());
        assert_eq!(expand("%servers%"), values(&["srv*", "db1"]));
        assert_eq!(expand(r"a\%plain%Servers%b"), values(&["a%plainsrv*b", "a%plaindb1b"]));
        assert_eq!(expand(r"corp\\%servers%"), values(&[r"corp\\srv*", r"corp\\db1"]));
        assert_eq!(expand(r"a\b\\\%x"), Expanded::Plain(r"a\b\\%x".to_owned()));
        assert_eq!(expand("%none%"), values(&[]));
        assert_eq!(expand("100 % or 50%"), Expanded::Plain("100 % or 50%".to_owned()));
        assert_eq!(expand("%a b%"), Expanded::Plain("%a b%".to_owned()));
        assert_eq!(expand("%x%%y%"), Expanded::Unknown(["x".to_owned(), "y".to_owned()].into()));
        assert_eq!(expand(&"%servers%".repeat(8)), Expanded::TooMany);
    }
}
