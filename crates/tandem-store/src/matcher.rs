//! Tests of values, prepared once and run on many: the same meaning as `tandem_query::Test::passes`.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, StringViewArray};
use arrow::datatypes::DataType;
use std::cmp::Ordering;
use tandem_model::Value;
use tandem_query::{
    Literal, Network, Operator, Piece, Test, address_key, compile_regex, fold, for_each_token, parse_address,
};

/// A prepared test.
#[derive(Debug)]
pub(crate) struct Matcher {
    kind: Kind,
    test: Test,
}

#[derive(Debug)]
enum Kind {
    Equals { folded: String, literal: Literal },
    Wildcard(Vec<Vec<Piece>>),
    Regex(regex::Regex),
    Bounds { low: Option<(Literal, bool)>, high: Option<(Literal, bool)> },
    Cidr(Network),
    Exists,
}

impl Matcher {
    /// Prepares `test`; the error says why its regular expression cannot be used.
    pub(crate) fn new(test: &Test) -> Result<Self, tandem_query::RegexError> {
        let kind = match test {
            Test::Equals(wanted) => Kind::Equals { folded: fold(wanted).into_owned(), literal: Literal::parse(wanted) },
            Test::Wildcard(pieces) => Kind::Wildcard(segments(pieces)),
            Test::Regex(pattern) => Kind::Regex(compile_regex(pattern)?),
            Test::Range { low, high } => {
                let bound = |bound: &Option<tandem_query::Bound>| {
                    bound.as_ref().map(|bound| (folded(&bound.value), bound.inclusive))
                };
                Kind::Bounds { low: bound(low), high: bound(high) }
            }
            Test::Compare { operator, value } => {
                let value = folded(value);
                match operator {
                    Operator::Less => Kind::Bounds { low: None, high: Some((value, false)) },
                    Operator::LessOrEqual => Kind::Bounds { low: None, high: Some((value, true)) },
                    Operator::Greater => Kind::Bounds { low: Some((value, false)), high: None },
                    Operator::GreaterOrEqual => Kind::Bounds { low: Some((value, true)), high: None },
                }
            }
            Test::Cidr(network) => Kind::Cidr(*network),
            Test::Exists => Kind::Exists,
        };
        Ok(Self { kind, test: test.clone() })
    }

    /// Whether a text passes.
    pub(crate) fn text(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Equals { folded, literal } => {
                let same = if text.is_ascii() { text.eq_ignore_ascii_case(folded) } else { *fold(text) == **folded };
                same || matches!(literal, Literal::Address(_)) && compare(text, literal) == Some(Ordering::Equal)
            }
            Kind::Wildcard(segments) => fits(&fold(text), segments),
            Kind::Regex(regex) => regex.is_match(text),
            Kind::Bounds { low, high } => {
                let above = low.as_ref().is_none_or(|(bound, inclusive)| {
                    compare(text, bound).is_some_and(|order| order.is_gt() || order.is_eq() && *inclusive)
                });
                above
                    && high.as_ref().is_none_or(|(bound, inclusive)| {
                        compare(text, bound).is_some_and(|order| order.is_lt() || order.is_eq() && *inclusive)
                    })
            }
            Kind::Cidr(network) => parse_address(text).is_some_and(|address| network.contains(address)),
            Kind::Exists => true,
        }
    }

    /// Whether a value passes; of a list, any element.
    pub(crate) fn value(&self, value: &Value) -> bool {
        value.each().any(|single| match (single, &self.kind) {
            (Value::Text(text), _) => self.text(text),
            (other, Kind::Wildcard(_) | Kind::Regex(_)) => self.text(&other.to_string()),
            (other, _) => self.test.passes(other),
        })
    }

    /// Which rows pass; an absent value does not.
    pub(crate) fn array(&self, array: &ArrayRef) -> BooleanArray {
        match array.data_type() {
            DataType::Utf8View => self.views(array.as_string_view()),
            _ => (0..array.len())
                .map(|row| Some(crate::decode::value_at(array, row).is_some_and(|value| self.value(&value))))
                .collect(),
        }
    }

    /// Texts that came from a Parquet dictionary share their bytes: equal views are equal texts.
    fn views(&self, array: &StringViewArray) -> BooleanArray {
        const SLOTS: usize = 256;
        let mut memo: [Option<(u128, bool)>; SLOTS] = [None; SLOTS];
        let mut passed = BooleanBufferBuilder::new(array.len());
        let views = array.views();
        for row in 0..array.len() {
            if array.is_null(row) {
                passed.append(false);
                continue;
            }
            let view = views[row];
            let hash = (view ^ (view >> 64)) as u64;
            let slot = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % SLOTS;
            let passes = match memo[slot] {
                Some((known, passes)) if known == view => passes,
                _ => {
                    let passes = self.text(array.value(row));
                    memo[slot] = Some((view, passes));
                    passes
                }
            };
            passed.append(passes);
        }
        BooleanArray::new(passed.finish(), None)
    }
}

fn folded(literal: &Literal) -> Literal {
    match literal {
        Literal::Text(text) => Literal::Text(fold(text).into_owned()),
        other => other.clone(),
    }
}

/// How a text stands to a literal, whose text is folded already.
fn compare(text: &str, literal: &Literal) -> Option<Ordering> {
    match literal {
        Literal::Long(_) | Literal::Double(_) => compare_numbers(&Literal::number(text)?, literal),
        Literal::Instant(wanted) => match Literal::parse(text) {
            Literal::Instant(instant) => Some(instant.cmp(wanted)),
            _ => None,
        },
        Literal::Address(wanted) => Some(address_key(parse_address(text)?).cmp(&address_key(*wanted))),
        Literal::Text(wanted) => Some((*fold(text)).cmp(wanted.as_str())),
    }
}

fn compare_numbers(a: &Literal, b: &Literal) -> Option<Ordering> {
    let double = |literal: &Literal| match literal {
        Literal::Long(number) => Some(*number as f64),
        Literal::Double(number) => Some(*number),
        _ => None,
    };
    match (a, b) {
        (Literal::Long(a), Literal::Long(b)) => Some(a.cmp(b)),
        _ => double(a)?.partial_cmp(&double(b)?),
    }
}

/// The pattern between its `*`, folded.
fn segments(pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let mut segments = vec![Vec::new()];
    for piece in pieces {
        match piece {
            Piece::AnyRun => segments.push(Vec::new()),
            Piece::AnyOne => segments.last_mut().expect("there is one").push(Piece::AnyOne),
            Piece::Literal(text) => {
                segments.last_mut().expect("there is one").push(Piece::Literal(fold(text).into_owned()));
            }
        }
    }
    segments
}

/// The rest of `text` after `segment` at its start.
fn after<'t>(text: &'t str, segment: &[Piece]) -> Option<&'t str> {
    let mut rest = text;
    for piece in segment {
        rest = match piece {
            Piece::Literal(literal) => rest.strip_prefix(literal.as_str())?,
            _ => {
                let mut chars = rest.chars();
                chars.next()?;
                chars.as_str()
            }
        };
    }
    Some(rest)
}

/// Whether a folded text fits: first segment at the start, last at the end, the others leftmost in between.
fn fits(text: &str, segments: &[Vec<Piece>]) -> bool {
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return false };
    let Some(mut rest) = after(text, first) else { return false };
    if segments.len() == 1 {
        return rest.is_empty();
    }
    for segment in &segments[1..segments.len() - 1] {
        let found = match segment.as_slice() {
            [] => Some(rest),
            [Piece::Literal(literal)] => rest.find(literal.as_str()).map(|at| &rest[at + literal.len()..]),
            _ => rest.char_indices().find_map(|(at, _)| after(&rest[at..], segment)),
        };
        match found {
            Some(found) => rest = found,
            None => return false,
        }
    }
    match last.as_slice() {
        [] => true,
        [Piece::Literal(literal)] => rest.ends_with(literal.as_str()),
        _ => {
            // The last segment is as many characters long as its pieces say.
            let length: usize = last
                .iter()
                .map(|piece| match piece {
                    Piece::Literal(literal) => literal.chars().count(),
                    _ => 1,
                })
                .sum();
            let Some(skip) = rest.chars().count().checked_sub(length) else { return false };
            let start = rest.char_indices().nth(skip).map_or(rest.len(), |(at, _)| at);
            after(&rest[start..], last).is_some_and(str::is_empty)
        }
    }
}

/// A run of tokens, prepared.
#[derive(Debug)]
pub(crate) struct TokenRun {
    tokens: Vec<String>,
    /// The longest of them, when it is ASCII: what is looked for first.
    longest: Option<String>,
}

impl TokenRun {
    pub(crate) fn new(tokens: &[String]) -> Self {
        let longest = tokens.iter().filter(|token| token.is_ascii()).max_by_key(|token| token.len()).cloned();
        Self { tokens: tokens.to_vec(), longest }
    }

    /// Whether the tokens stand one directly after the other among those of `raw`.
    pub(crate) fn is_in(&self, raw: &str) -> bool {
        if let Some(longest) = &self.longest
            && is_plain(raw)
            && !contains_ignoring_case(raw.as_bytes(), longest.as_bytes())
        {
            return false;
        }
        let wanted = &self.tokens;
        // How many of the first tokens of `wanted` may have been met, for each way in which they end here.
        let mut running: Vec<usize> = Vec::new();
        let mut found = false;
        for_each_token(raw, |token| {
            if found {
                return;
            }
            running.retain_mut(|met| {
                let goes_on = wanted[*met] == token;
                *met += 1;
                goes_on
            });
            if wanted.first().is_some_and(|first| first == token) {
                running.push(1);
            }
            found = running.contains(&wanted.len());
        });
        found
    }
}

/// Whether every token of `raw` stands in it letter by letter: no escape can be undone to a letter or a digit.
fn is_plain(raw: &str) -> bool {
    raw.is_ascii()
        && memchr::memchr(b'&', raw.as_bytes()).is_none()
        && memchr::memmem::find(raw.as_bytes(), b"\\u").is_none()
}

/// Whether `needle`, in lower case and not empty, is in `hay`, both ASCII.
fn contains_ignoring_case(hay: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return true };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), hay)
        .any(|at| hay.get(at..at + needle.len()).is_some_and(|part| part.eq_ignore_ascii_case(needle)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece() -> impl Strategy<Value = Piece> {
        prop_oneof![
            2 => "[aAbB.ä]{1,2}".prop_map(Piece::Literal),
            2 => Just(Piece::AnyRun),
            1 => Just(Piece::AnyOne),
        ]
    }

    fn test() -> impl Strategy<Value = Test> {
        let literal = prop_oneof!["[0-9]{1,3}", "[0-9]\\.[0-9]", "[aAbBç]{0,3}", Just("10.0.0.1".to_owned())];
        let bound = (literal, any::<bool>())
            .prop_map(|(text, inclusive)| tandem_query::Bound { value: Literal::parse(&text), inclusive });
        prop_oneof![
            proptest::collection::vec(piece(), 1..6).prop_map(Test::wildcard),
            "[aAbB0-9.]{0,3}".prop_map(Test::Equals),
            "[ab]{1,2}".prop_map(Test::Regex),
            (proptest::option::of(bound.clone()), proptest::option::of(bound))
                .prop_map(|(low, high)| Test::Range { low, high }),
            Just(Test::Cidr(Network::parse("10.0.0.0/8").unwrap())),
            Just(Test::Exists),
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        let single = prop_oneof![
            "[aAbB.äÄ]{0,6}".prop_map(Value::from),
            "[0-9]{1,3}(\\.[0-9])?".prop_map(Value::from),
            prop_oneof!["10.0.0.1", "::ffff:10.0.0.1", "2026-10-11"].prop_map(Value::from),
            (-20_i64..200).prop_map(Value::Long),
            (-20_i64..200).prop_map(|number| Value::Double(number as f64 / 2.0)),
            any::<bool>().prop_map(Value::Bool),
        ];
        prop_oneof![3 => single.clone(), 1 => proptest::collection::vec(single, 0..3).prop_map(Value::List)]
    }

    proptest! {
        #[test]
        fn means_what_the_slow_evaluator_means(test in test(), value in value()) {
            prop_assert_eq!(Matcher::new(&test).unwrap().value(&value), test.passes(&value), "{:?} on {:?}", test, value);
        }

        #[test]
        fn token_runs_are_found(
            raw in prop_oneof![
                "[abAB ]{0,12}",
                "\\{\"a\":\"([aB ]|\\\\u0061|\\\\\\\\|\\\\n|&#97;|&amp;|é){0,8}\"\\}",
                "([aB ]|\\\\u0061|&#97;|&#x41;|É){0,8}",
            ],
            wanted in "[ab]{1,3}( [ab]{1,2}){0,2}",
        ) {
            let wanted = tandem_query::tokens(&wanted);
            let slow = tandem_query::tokens(&raw).windows(wanted.len()).any(|found| found == wanted);
            prop_assert_eq!(TokenRun::new(&wanted).is_in(&raw), slow, "{} in {}", wanted.join(" "), raw);
        }
    }
}
