//! What a filter needs of the index: terms without which no row can pass.

use super::build::is_indexed;
use super::term::{Kind, Quads, address, field_key, hash, number, value_tokens};
use crate::layout::{Layout, RAW, RECEIVED, TIME};
use roaring::RoaringBitmap;
use std::collections::{BTreeSet, HashMap};
use tandem_query::{Expr, Literal, Piece, Place, Test, resolve};

/// Which blocks can hold a row that passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Any.
    Any,
    /// Those of this term.
    Term(u64),
    /// Those in which the tokens are: in `raw`, or where a field has tokens of its own, among these.
    Tokens { own: u64, raw: Vec<u64>, scoped: Vec<u64> },
    /// Those in which all can.
    All(Vec<Probe>),
    /// Those in which one can.
    Either(Vec<Probe>),
}

/// What `filter` needs.
pub(crate) fn probe(layout: &Layout, filter: &Expr) -> Probe {
    match filter {
        Expr::All | Expr::Not(_) => Probe::Any,
        Expr::And(parts) => all(parts.iter().map(|part| probe(layout, part))),
        Expr::Or(parts) => either(parts.iter().map(|part| probe(layout, part))),
        Expr::Text { tokens } => {
            let mut quads = Quads::default();
            let quads: Vec<_> = tokens.iter().filter_map(|token| quads.next(token)).collect();
            let quads = quads.into_iter().map(|quad| Probe::Term(hash(Kind::RawQuad, 0, &quad)));
            let tokens = tokens.iter().map(|token| Probe::Term(hash(Kind::Raw, 0, token.as_bytes())));
            all(tokens.chain(quads))
        }
        Expr::Field { name, test } => of_field(layout, name, test),
    }
}

fn of_field(layout: &Layout, name: &str, test: &Test) -> Probe {
    let indexed = match resolve(name, &layout.catalogue) {
        Place::Event(TIME | RECEIVED | RAW | "id") => return Probe::Any,
        Place::Event(_) | Place::Extra => true,
        Place::Column(field) => is_indexed(field.kind),
    };
    let key = field_key(name);
    match test {
        _ if !indexed => Probe::Any,
        Test::Exists => Probe::Term(hash(Kind::Present, key, b"")),
        Test::Equals(wanted) => match Literal::parse(wanted) {
            // A text may spell the same instant in another way.
            Literal::Instant(_) => Probe::Any,
            Literal::Address(_) => {
                address(wanted).map_or(Probe::Any, |address| Probe::Term(hash(Kind::Address, key, address.as_bytes())))
            }
            literal @ (Literal::Long(_) | Literal::Double(_)) => match number(&literal) {
                Some(same) => either([tokens(key, &value_tokens(&same)), tokens(key, &value_tokens(wanted))]),
                None => Probe::Any,
            },
            Literal::Text(_) => tokens(key, &value_tokens(wanted)),
        },
        Test::Wildcard(pieces) => tokens(key, &whole_tokens(pieces)),
        Test::Regex(_) | Test::Range { .. } | Test::Compare { .. } | Test::Cidr(_) => Probe::Any,
    }
}

pub(super) fn tokens(key: u64, tokens: &[String]) -> Probe {
    if tokens.is_empty() {
        return Probe::Any;
    }
    let hashes = |kind, field| tokens.iter().map(|token| hash(kind, field, token.as_bytes())).collect();
    Probe::Tokens { own: hash(Kind::Own, key, b""), raw: hashes(Kind::Raw, 0), scoped: hashes(Kind::Token, key) }
}

/// The tokens that every text has that fits the pattern: those that the pattern bounds on both sides.
pub(super) fn whole_tokens(pieces: &[Piece]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let Piece::Literal(literal) = piece else { continue };
        let literal = tandem_query::fold(literal);
        let is_part = |c: char| c.is_alphanumeric();
        // Parts of the text that are not seen may go on with a token at either end.
        let inner = if at == 0 { &*literal } else { literal.trim_start_matches(is_part) };
        let inner = if at + 1 == pieces.len() { inner } else { inner.trim_end_matches(is_part) };
        super::term::for_each_value_token(inner, |token| found.push(token.to_owned()));
    }
    found
}

pub(super) fn all(parts: impl IntoIterator<Item = Probe>) -> Probe {
    let mut parts: Vec<Probe> = parts.into_iter().filter(|part| *part != Probe::Any).collect();
    match parts.len() {
        0 => Probe::Any,
        1 => parts.remove(0),
        _ => Probe::All(parts),
    }
}

pub(super) fn either(parts: impl IntoIterator<Item = Probe>) -> Probe {
    let mut parts: Vec<Probe> = parts.into_iter().collect();
    if parts.contains(&Probe::Any) {
        return Probe::Any;
    }
    match parts.len() {
        1 => parts.remove(0),
        _ => Probe::Either(parts),
    }
}

impl Probe {
    /// The terms to look up.
    pub(super) fn hashes(&self, into: &mut BTreeSet<u64>) {
        match self {
            Self::Any => {}
            Self::Term(hash) => {
                into.insert(*hash);
            }
            Self::Tokens { own, raw, scoped } => {
                into.insert(*own);
                into.extend(raw);
                into.extend(scoped);
            }
            Self::All(parts) | Self::Either(parts) => parts.iter().for_each(|part| part.hashes(into)),
        }
    }

    /// The blocks, from the blocks of each term.
    pub(super) fn blocks(&self, every: &RoaringBitmap, found: &HashMap<u64, RoaringBitmap>) -> RoaringBitmap {
        let of = |hash: &u64| found.get(hash).cloned().unwrap_or_default();
        let of_all = |hashes: &[u64]| {
            hashes.iter().fold(every.clone(), |blocks, hash| match found.get(hash) {
                Some(more) => blocks & more,
                None => RoaringBitmap::new(),
            })
        };
        match self {
            Self::Any => every.clone(),
            Self::Term(hash) => of(hash),
            Self::Tokens { own, raw, scoped } => {
                let own = of(own);
                let of_raw = of_all(raw) - &own;
                of_raw | (own & of_all(scoped))
            }
            Self::All(parts) => parts.iter().fold(every.clone(), |blocks, part| blocks & part.blocks(every, found)),
            Self::Either(parts) => {
                parts.iter().fold(RoaringBitmap::new(), |blocks, part| blocks | part.blocks(every, found))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_a_pattern_bounds() {
        let of = |text: &str| match tandem_query::parse(&format!("f:{text}")).0.filter {
            Expr::Field { test: Test::Wildcard(pieces), .. } => whole_tokens(&pieces),
            other => panic!("{other:?}"),
        };
        assert_eq!(of(r"*\\mimikatz.exe"), ["mimikatz", "exe"]);
        assert_eq!(of("*katz.exe"), ["exe"]);
        assert_eq!(of("power*"), Vec::<String>::new());
        assert_eq!(of("a.b.c*"), ["a", "b"]);
        assert_eq!(of("A?b.C"), ["c"]);
    }
}
