//! Text patterns: wildcards, escapes, and where in a value a pattern must stand.

use std::fmt;

/// Where in a value a pattern must stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// The pattern is the whole value.
    #[default]
    Whole,
    /// The value begins with the pattern (`startswith`).
    Start,
    /// The value ends with the pattern (`endswith`).
    End,
    /// The pattern stands somewhere in the value (`contains`, keywords).
    Anywhere,
}

/// Whether letter case counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Case {
    /// `A` equals `a`: both sides are folded by [`fold`].
    #[default]
    Ignored,
    /// `A` differs from `a` (`cased`).
    Kept,
}

/// One position of a pattern; it takes exactly one character of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// This character; already folded if case is ignored.
    Char(char),
    /// Any one character (`?`).
    Any,
    /// Any one of the five dashes of `windash`.
    Dash,
}

/// The characters that `windash` treats as one: hyphen, slash, en dash, em dash, horizontal bar.
pub const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// Folds one character for comparison without case: the Unicode lowercase mapping where that is a
/// single character, the character itself otherwise.
///
/// So `Ä` equals `ä` and the Kelvin sign equals `k`, but `ß` does not equal `ss`, and a character
/// never becomes two (`?` takes one character of the value as it is written).
pub fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => character,
    }
}

/// A text of a rule with its wildcards understood.
///
/// The parts between `*` are called segments: `a*b?` has the segments `a` and `b?`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: String,
    segments: Vec<Vec<Element>>,
    case: Case,
}

impl Pattern {
    /// Reads a rule's text: `*` is any run of characters, `?` one character; `\*`, `\?` and `\\`
    /// are the characters themselves; a backslash before anything else is itself.
    pub fn parse(text: &str, case: Case) -> Self {
        let mut segments = vec![Vec::new()];
        let mut add = |element: Option<Element>| match element {
            None => segments.push(Vec::new()),
            Some(element) => segments.last_mut().expect("there is always one segment").push(element),
        };
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let literal = match character {
                '*' => {
                    add(None);
                    continue;
                }
                '?' => {
                    add(Some(Element::Any));
                    continue;
                }
                '\\' => characters.next_if(|next| matches!(next, '*' | '?' | '\\')).unwrap_or('\\'),
                other => other,
            };
            add(Some(Element::Char(folded(literal, case))));
        }
        Self { text: text.to_owned(), segments, case }
    }

    /// A pattern in which every character stands for itself.
    pub fn literal(text: &str, case: Case) -> Self {
        let segment = text.chars().map(|c| Element::Char(folded(c, case))).collect();
        Self { text: text.to_owned(), segments: vec![segment], case }
    }

    /// The same pattern in which each of the five dashes stands for all of them.
    #[must_use]
    pub fn with_any_dash(mut self) -> Self {
        for element in self.segments.iter_mut().flatten() {
            if matches!(element, Element::Char(character) if DASHES.contains(character)) {
                *element = Element::Dash;
            }
        }
        self
    }

    /// The text as the rule has it, escapes included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether letter case counts.
    pub fn case(&self) -> Case {
        self.case
    }

    /// The parts between the `*`; there is always at least one, and any of them may be empty.
    pub fn segments(&self) -> &[Vec<Element>] {
        &self.segments
    }

    /// The number of `*` and `?` in the pattern.
    pub fn wildcard_count(&self) -> usize {
        let any = self.segments.iter().flatten().filter(|e| **e == Element::Any).count();
        self.segments.len() - 1 + any
    }

    /// True if the pattern takes no character at all.
    pub fn is_empty(&self) -> bool {
        self.segments.iter().all(Vec::is_empty)
    }

    /// Finds the pattern in a value: the byte range of the first occurrence, `None` if there is
    /// none. The range starts and ends on character boundaries.
    ///
    /// Time grows with the length of the value times the length of the pattern, never faster.
    pub fn find(&self, value: &str, anchor: Anchor) -> Option<(usize, usize)> {
        let starts_at_start = matches!(anchor, Anchor::Whole | Anchor::Start);
        let ends_at_end = matches!(anchor, Anchor::Whole | Anchor::End);
        let (first, rest) = self.segments.split_first()?;
        let Some((last, middle)) = rest.split_last() else {
            return match (starts_at_start, ends_at_end) {
                (true, true) => self.match_at(first, value, 0).filter(|end| *end == value.len()).map(|end| (0, end)),
                (true, false) => self.match_at(first, value, 0).map(|end| (0, end)),
                (false, true) => self.match_before_end(first, value).map(|start| (start, value.len())),
                (false, false) => self.search(first, value, 0),
            };
        };
        // The leftmost place of each segment leaves the most room for those that follow, so
        // nothing has to be tried again.
        let (start, mut at) =
            if starts_at_start { (0, self.match_at(first, value, 0)?) } else { self.search(first, value, 0)? };
        for segment in middle {
            at = self.search(segment, value, at)?.1;
        }
        let end = if ends_at_end {
            self.match_before_end(last, value).filter(|start| *start >= at)?;
            value.len()
        } else {
            self.search(last, value, at)?.1
        };
        Some((start, end))
    }

    /// Where `segment` ends if it stands at byte `start`.
    fn match_at(&self, segment: &[Element], value: &str, start: usize) -> Option<usize> {
        let mut characters = value.get(start..)?.chars();
        for element in segment {
            if !self.takes(*element, characters.next()?) {
                return None;
            }
        }
        Some(value.len() - characters.as_str().len())
    }

    /// Where `segment` starts if it ends where the value ends.
    fn match_before_end(&self, segment: &[Element], value: &str) -> Option<usize> {
        let mut characters = value.chars();
        for element in segment.iter().rev() {
            if !self.takes(*element, characters.next_back()?) {
                return None;
            }
        }
        Some(characters.as_str().len())
    }

    /// The first place of `segment` at or after byte `from`.
    fn search(&self, segment: &[Element], value: &str, from: usize) -> Option<(usize, usize)> {
        let Some(first) = segment.first() else {
            return Some((from, from));
        };
        for (offset, character) in value.get(from..)?.char_indices() {
            if !self.takes(*first, character) {
                continue;
            }
            let start = from + offset;
            if let Some(end) = self.match_at(segment, value, start) {
                return Some((start, end));
            }
        }
        None
    }

    fn takes(&self, element: Element, character: char) -> bool {
        match element {
            Element::Char(expected) => folded(character, self.case) == expected,
            Element::Any => true,
            Element::Dash => DASHES.contains(&character),
        }
    }

    /// Every literal text that the pattern stands for, if it has no wildcards and there are at
    /// most `most` of them (a dash of `windash` stands for five).
    pub(crate) fn literals(&self, most: usize) -> Result<Vec<String>, LiteralsError> {
        if self.wildcard_count() > 0 {
            return Err(LiteralsError::Wildcards);
        }
        let mut texts = vec![String::new()];
        for element in self.segments.iter().flatten() {
            match element {
                Element::Char(character) => texts.iter_mut().for_each(|text| text.push(*character)),
                Element::Dash => {
                    if texts.len() * DASHES.len() > most {
                        return Err(LiteralsError::TooMany);
                    }
                    let with = |dash: char| texts.iter().map(move |text| format!("{text}{dash}"));
                    texts = DASHES.into_iter().flat_map(with).collect();
                }
                Element::Any => return Err(LiteralsError::Wildcards),
            }
        }
        Ok(texts)
    }
}

/// Why a pattern is not a small set of literal texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LiteralsError {
    Wildcards,
    TooMany,
}

fn folded(character: char, case: Case) -> char {
    match case {
        Case::Ignored => fold(character),
        Case::Kept => character,
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, value: &str) -> bool {
        Pattern::parse(pattern, Case::Ignored).find(value, Anchor::Whole).is_some()
    }

    #[test]
    fn escapes_of_the_specification() {
        for (pattern, value) in [
            (r"a\b", r"a\b"),
            (r"a\\b", r"a\b"),
            (r"a\*b", "a*b"),
            (r"a\?b", "a?b"),
            (r"a\\*b", r"a\xyzb"),
            (r"a\\\*b", r"a\*b"),
            (r"a\\\b", r"a\\b"),
            (r"a\\\\b", r"a\\b"),
            (r"a\", r"a\"),
            (r"a\\", r"a\"),
        ] {
            assert!(matches(pattern, value), "{pattern} should match {value}");
        }
        assert!(!matches(r"a\*b", "axb"));
        assert!(!matches(r"a\\\*b", r"a\xb"));
        assert!(!matches(r"a\\b", r"a\\b"));
    }

    #[test]
    fn spans_are_bytes_of_the_value_as_written() {
        let find = |pattern: &str, value: &str, anchor| Pattern::parse(pattern, Case::Ignored).find(value, anchor);
        assert_eq!(find("k", "x\u{212a}y", Anchor::Anywhere), Some((1, 4)));
        assert_eq!(find("ä?", "xÄßy", Anchor::Anywhere), Some((1, 5)));
        assert_eq!(find("b*d", "abcdbd", Anchor::Anywhere), Some((1, 4)));
        assert_eq!(find("b", "abab", Anchor::End), Some((3, 4)));
        assert_eq!(find("ab", "abab", Anchor::Start), Some((0, 2)));
        assert_eq!(find("", "abc", Anchor::Anywhere), Some((0, 0)));
        assert_eq!(find("*", "abc", Anchor::Whole), Some((0, 3)));
    }

    /// Obvious and exponential: tries every length for every `*`.
    fn oracle(pattern: &[Option<Element>], value: &[char]) -> bool {
        match pattern.split_first() {
            None => value.is_empty(),
            Some((None, rest)) => (0..=value.len()).any(|taken| oracle(rest, &value[taken..])),
            Some((Some(element), rest)) => match value.split_first() {
                None => false,
                Some((character, values)) => {
                    let takes = match element {
                        Element::Any => true,
                        Element::Char(expected) => fold(*character) == *expected,
                        Element::Dash => DASHES.contains(character),
                    };
                    takes && oracle(rest, values)
                }
            },
        }
    }

    proptest! {
        #[test]
        fn finding_equals_the_oracle(
            pattern in r"[abAB*?\\-]{0,7}",
            value in r"[abABäÄ*?\\/-]{0,9}",
            dashes in any::<bool>(),
        ) {
            let parsed = Pattern::parse(&pattern, Case::Ignored);
            let parsed = if dashes { parsed.with_any_dash() } else { parsed };
            let mut flat: Vec<Option<Element>> = Vec::new();
            for (number, segment) in parsed.segments().iter().enumerate() {
                if number > 0 {
                    flat.push(None);
                }
                flat.extend(segment.iter().copied().map(Some));
            }
            let characters: Vec<char> = value.chars().collect();
            for (anchor, before, after) in [
                (Anchor::Whole, false, false),
                (Anchor::Start, false, true),
                (Anchor::End, true, false),
                (Anchor::Anywhere, true, true),
            ] {
                let mut wanted = flat.clone();
                if before { wanted.insert(0, None); }
                if after { wanted.push(None); }
                let found = parsed.find(&value, anchor);
                prop_assert_eq!(found.is_some(), oracle(&wanted, &characters), "{:?}", anchor);
                if let Some((start, end)) = found {
                    let part: Vec<char> = value[start..end].chars().collect();
                    prop_assert!(oracle(&flat, &part), "the span {start}..{end} does not match by itself");
                }
            }
        }
    }
}
