//! Whether an event can have any of a route's keywords: one quick search before the thorough one.

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, MatchKind};

use crate::pattern::{Anchor, Element};
use crate::predicate::Predicate;

use super::leaf::{Leaf, LeafId, Test};
use super::matcher::fold_into;
use super::needles;

/// Shortest piece that is worth looking for.
const PIECE_BYTES_MIN: usize = 3;

/// Finds pieces of which one must stand in every text that a keyword of the route holds for.
///
/// The pieces have no character that JSON escapes and are no part of a number, so that they can also be
/// looked for in a message as it stands.
#[derive(Debug)]
pub(super) struct KeywordFilter {
    searcher: Searcher,
}

/// The quickest way to find any of the pieces.
#[derive(Debug)]
enum Searcher {
    /// For few pieces.
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

impl KeywordFilter {
    /// A filter for these keywords; `None` if one of them has no piece to look for.
    pub(super) fn new<'l>(leaves: &[Leaf], ids: impl Iterator<Item = &'l LeafId>) -> Option<Self> {
        let mut pieces = Vec::new();
        for id in ids {
            pieces.extend(pieces_of(&leaves[*id as usize].test)?);
        }
        pieces.sort_unstable();
        pieces.dedup();
        let packed = packed::Config::new().builder().extend(&pieces).build();
        let searcher = match packed {
            Some(searcher) => Searcher::Packed(searcher),
            None => {
                let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(&pieces);
                Searcher::Automaton(automaton.ok()?)
            }
        };
        Some(Self { searcher })
    }

    /// Whether a keyword may hold for the text, or for some text in the message. `folded` is working memory.
    pub(super) fn may_hold(&self, text: &str, folded: &mut String) -> bool {
        fold_into(text, folded);
        match &self.searcher {
            Searcher::Packed(searcher) => searcher.find(&folded).is_some(),
            Searcher::Automaton(automaton) => automaton.is_match(folded.as_str()),
        }
    }
}

/// Pieces of which one must stand in the text, folded.
fn pieces_of(test: &Test) -> Option<Vec<String>> {
    let one = |text: String| longest_piece(&text).map(|piece| vec![piece]);
    match test {
        Test::Plain(Anchor::Anywhere | Anchor::Whole | Anchor::Start | Anchor::End, text) => one(text.to_string()),
        Test::Other(key) => match &key.0 {
            Predicate::Text { pattern, .. } => {
                // What is not a character of its own ends a piece, as a quotation mark does.
                let of = |element: &Element| match element {
                    Element::Char(character) => *character,
                    Element::Any | Element::Dash => '"',
                };
                let segments = pattern.segments().iter().map(|segment| segment.iter().map(of).collect::<String>());
                let mut folded = String::new();
                fold_into(&segments.collect::<Vec<_>>().join("\""), &mut folded);
                one(folded)
            }
            Predicate::Regex(regex) => needles::of_regex(regex)?.iter().map(|needle| longest_piece(needle)).collect(),
            _ => None,
        },
    }
}

fn longest_piece(text: &str) -> Option<String> {
    let pieces = text.split(|c: char| matches!(c, '"' | '\\' | '/' | '\u{7f}') || c < ' ');
    let in_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e');
    // The words that stand for values without a text of their own might be written in other letters.
    let usable = pieces.filter(|piece| piece.len() >= PIECE_BYTES_MIN && !piece.chars().all(in_number));
    usable.max_by_key(|piece| piece.len()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::{Case, Pattern};

    #[test]
    fn pieces_stand_in_messages_as_they_are() {
        let of = |text: &str| {
            let pattern = Pattern::parse(text, Case::Kept);
            pieces_of(&Test::of(&Predicate::Text { pattern, anchor: Anchor::Anywhere }))
        };
        let is = |text: &str| Some(vec![text.to_owned()]);
        assert_eq!(of(r"C:\Temp\Evil.dll"), is("evil.dll"));
        assert_eq!(of(r"abc*Defg?h"), is("defg"));
        assert_eq!(of("123.5e2"), None);
        assert_eq!(of("ab"), None);
        assert_eq!(of(" 123 "), is(" 123 "));
    }
}
