//! Terms as 64-bit hashes, and the tokens that make them.

use tandem_query::{Literal, fold, parse_address};

/// The kinds of terms; each has hashes of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A token of `raw`.
    Raw,
    /// Four numbers of an IPv4 address, one after the other among the tokens of `raw`.
    RawQuad,
    /// A token of a value of a field, in blocks in which not all of them are in `raw` too.
    Token,
    /// An address that is a value of a field, in its canonical text.
    Address,
    /// A field has a value.
    Present,
    /// Not all tokens of a field's values are in the `raw` of their rows: [`Kind::Token`] has them.
    Own,
}

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of a term. Part of the file format: it never changes.
pub(crate) fn hash(kind: Kind, field: u64, text: &[u8]) -> u64 {
    let seed = match kind {
        Kind::Raw => 1,
        Kind::RawQuad => 2,
        Kind::Token => 3,
        Kind::Address => 4,
        Kind::Present => 5,
        Kind::Own => 6,
    };
    let mut hash = field.wrapping_add(seed).wrapping_mul(MULTIPLIER) ^ text.len() as u64;
    let mut words = text.chunks_exact(8);
    for word in &mut words {
        hash = step(hash, u64::from_le_bytes(word.try_into().expect("chunks of eight")));
    }
    let mut last = [0; 8];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    hash = step(hash, u64::from_le_bytes(last));
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

fn step(hash: u64, word: u64) -> u64 {
    (hash ^ word).rotate_left(29).wrapping_mul(MULTIPLIER)
}

/// What stands for the name of a field in the hashes of its terms.
pub(crate) fn field_key(name: &str) -> u64 {
    hash(Kind::Raw, 0, name.as_bytes())
}

/// Calls `visit` with each run of letters and digits of a folded text. Texts that are equal ignoring case have
/// the same ones.
pub(crate) fn for_each_value_token(folded: &str, mut visit: impl FnMut(&str)) {
    let is_part = |c: char| c.is_alphanumeric();
    for token in folded.split(|c| !is_part(c)) {
        if !token.is_empty() {
            visit(token);
        }
    }
}

/// The canonical text of the address that a value spells.
pub(crate) fn address(text: &str) -> Option<String> {
    parse_address(text).map(|address| address.to_string())
}

/// The text of a number that all equal numbers share; `None` beyond what a double tells apart.
pub(crate) fn number(literal: &Literal) -> Option<String> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match literal {
        Literal::Long(number) if (*number as f64).abs() < EXACT => Some(number.to_string()),
        Literal::Double(number) if number.abs() < EXACT && number.fract() == 0.0 => Some((*number as i64).to_string()),
        Literal::Double(number) if number.abs() < EXACT => Some(number.to_string()),
        _ => None,
    }
}

/// A token that can be a part of an IPv4 address.
pub(crate) fn octet(token: &str) -> Option<u8> {
    if token.len() > 3 || token.len() > 1 && token.starts_with('0') {
        return None;
    }
    token.parse().ok()
}

/// Sees four octets in a row go by.
#[derive(Debug, Default)]
pub(crate) struct Quads {
    last: [u8; 4],
    count: usize,
}

impl Quads {
    /// The four that end with this token, if all are octets.
    pub(crate) fn next(&mut self, token: &str) -> Option<[u8; 4]> {
        match octet(token) {
            None => {
                self.count = 0;
                None
            }
            Some(octet) => {
                self.last.rotate_left(1);
                self.last[3] = octet;
                self.count += 1;
                (self.count >= 4).then_some(self.last)
            }
        }
    }
}

/// The tokens of a folded value.
pub(crate) fn value_tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for_each_value_token(&fold(text), |token| tokens.push(token.to_owned()));
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_part_of_the_format() {
        assert_eq!(hash(Kind::Raw, 0, b""), hash(Kind::Raw, 0, b""));
        assert_ne!(hash(Kind::Raw, 0, b"a"), hash(Kind::Raw, 0, b"a\0"));
        assert_ne!(hash(Kind::Raw, 0, b"a"), hash(Kind::Token, 0, b"a"));
        let known = [hash(Kind::Raw, 0, b"mimikatz"), hash(Kind::Token, field_key("user.name"), b"alice")];
        assert_eq!(known.map(|hash| format!("{hash:016x}")), ["661635c459e7126d", "a635d78311141e93"]);
    }

    #[test]
    fn equal_numbers_have_one_text() {
        for text in ["5", "5.0", "05", "+5", "5e0"] {
            assert_eq!(number(&Literal::parse(text)).as_deref(), Some("5"), "{text}");
        }
        assert_eq!(number(&Literal::parse("1.50")).as_deref(), Some("1.5"));
        assert_eq!(number(&Literal::parse("9007199254740993")), None);
    }

    #[test]
    fn four_octets_in_a_row() {
        let mut quads = Quads::default();
        let found: Vec<_> =
            ["x", "10", "1", "2", "3", "4", "300", "1", "2"].iter().filter_map(|t| quads.next(t)).collect();
        assert_eq!(found, [[10, 1, 2, 3], [1, 2, 3, 4]]);
        assert_eq!(octet("007"), None);
        assert_eq!(octet("0"), Some(0));
    }
}
