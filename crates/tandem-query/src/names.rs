//! Where a name leads, and what was probably meant by one that leads nowhere.

use tandem_model::{Catalogue, Field};

/// Columns of every event that a query can name, with what they hold.
pub const EVENT_FIELDS: [(&str, &str); 9] = [
    ("time", "when it happened, as the sender says"),
    ("received", "when it was received"),
    ("source", "the source that delivered it"),
    ("parser", "the parser that took it"),
    ("log_types", "what kind of log it is, for instance windows/process_creation"),
    ("id", "the event's id"),
    ("raw", "the text as received"),
    ("error", "why parsing fell short"),
    ("run", "the import that it came with"),
];

/// Where a name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A column that every event has; one of [`EVENT_FIELDS`].
    Event(&'static str),
    /// A column of the catalogue.
    Column(&'a Field),
    /// The JSON column of all other fields.
    Extra,
}

/// Where `name` leads; names are compared exactly.
pub fn resolve<'a>(name: &str, catalogue: &'a Catalogue) -> Place<'a> {
    if let Some((known, _)) = EVENT_FIELDS.iter().find(|(known, _)| *known == name) {
        return Place::Event(known);
    }
    catalogue.get(name).map_or(Place::Extra, Place::Column)
}

/// The known name that was probably meant by `name`.
pub fn suggest<'a>(name: &str, catalogue: &'a Catalogue) -> Option<&'a str> {
    let known = EVENT_FIELDS.iter().map(|(known, _)| *known);
    closest(name, known.chain(catalogue.fields().iter().map(|field| &*field.name)))
}

/// The candidate that differs from `word` in case only, or in few letters.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const WORD_CHARS_MAX: usize = 64;
    let word: Vec<char> = word.to_lowercase().chars().take(WORD_CHARS_MAX + 1).collect();
    if word.len() > WORD_CHARS_MAX {
        return None;
    }
    let allowed = word.len() / 3;
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let chars: Vec<char> = candidate.to_lowercase().chars().collect();
        if chars.len().abs_diff(word.len()) > allowed {
            continue;
        }
        let edits = distance(&word, &chars);
        if edits <= allowed && best.is_none_or(|(least, _)| edits < least) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many letters must be added, removed or replaced.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closest_by_case_then_by_letters() {
        let names = ["EventID", "user.name", "source.ip"];
        assert_eq!(closest("eventid", names), Some("EventID"));
        assert_eq!(closest("user.nam", names), Some("user.name"));
        assert_eq!(closest("src_ip", names), None);
        assert_eq!(closest("destination.port", names), None);
    }
}
