//! From one value of a rule to the predicates that it stands for.

use super::{Compiler, Value};
use crate::cidr::Network;
use crate::encode::{EncodeError, encode};
use crate::modifier::{Kind, Modifiers};
use crate::number::Number;
use crate::pattern::{Anchor, Case, LiteralsError, Pattern};
use crate::placeholder::{Expanded, expand};
use crate::predicate::Predicate;
use crate::problem::{Code, shortened};
use crate::regexp::{RegexFlags, RegexPredicate};
use crate::time::TimePart;
use crate::yaml::ScalarKind;

/// Most texts that `windash` may make of one value before it is encoded.
const DASH_FORMS_MAX: usize = 625;

impl Compiler<'_, '_> {
    /// The predicates that one value of the rule stands for.
    pub(super) fn predicates_of(&mut self, value: &Value<'_>, modifiers: &Modifiers) -> Vec<Predicate> {
        if !modifiers.expand {
            return self.predicates_of_text(value, &value.scalar.text, modifiers);
        }
        let forms = match expand(&value.scalar.text, self.placeholders, self.limits.predicates_max) {
            Expanded::Values(forms) => forms,
            Expanded::Plain(text) => {
                self.problems.add(
                    Code::ModifierWithoutEffect,
                    value.place,
                    format!("'{}' has no placeholder to expand", shortened(&text)),
                );
                vec![text]
            }
            Expanded::Unknown(names) => {
                for name in names {
                    self.needs_values.entry(name).or_insert(value.place);
                }
                return Vec::new();
            }
            Expanded::TooMany => {
                let most = self.limits.predicates_max;
                self.problems.add(
                    Code::Limit,
                    value.place,
                    format!("the placeholders of one value stand for more than {most} values"),
                );
                return Vec::new();
            }
        };
        forms.iter().flat_map(|form| self.predicates_of_text(value, form, modifiers)).collect()
    }

    /// The predicates of one text; more than one if an encoding makes several texts of it.
    fn predicates_of_text(&mut self, value: &Value<'_>, text: &str, modifiers: &Modifiers) -> Vec<Predicate> {
        let predicate = match modifiers.kind {
            Kind::Plain => return self.plain(value, text, modifiers),
            Kind::Regex(flags) => self.regex(value, text, flags, modifiers.anchor),
            Kind::Cidr => self.cidr(value, text),
            Kind::Compare(ordinal) => match value.number_or_expanded(text, modifiers) {
                Some(number) => Some(Predicate::Compare(ordinal, number)),
                None => self.unfit(value, "a number", "remove the quotes, or use another modifier"),
            },
            Kind::Time(part, ordinal) => match value.number_or_expanded(text, modifiers) {
                Some(Number::Int(number)) => {
                    let number = i64::try_from(number).unwrap_or(i64::MAX);
                    self.check_time(value, part, number);
                    Some(Predicate::Time(part, ordinal, number))
                }
                _ => self.unfit(value, "a whole number", "write the number without quotes"),
            },
            Kind::Exists => match value.scalar.kind {
                ScalarKind::Bool(wanted) => Some(Predicate::Exists(wanted)),
                _ => self.unfit(value, "true or false", "write true or false without quotes"),
            },
            Kind::FieldRef => match value.scalar.kind {
                ScalarKind::Text if !text.is_empty() => {
                    Some(Predicate::FieldRef { field: text.to_owned(), anchor: modifiers.anchor, case: modifiers.case })
                }
                _ => self.unfit(value, "the name of a field", "name the field to compare with"),
            },
        };
        predicate.into_iter().collect()
    }

    fn unfit(&mut self, value: &Value<'_>, wanted: &str, hint: &str) -> Option<Predicate> {
        self.problems.add_with_hint(
            Code::ModifierValue,
            value.place,
            format!("the modifier needs {wanted}, but the value is '{}'", shortened(&value.scalar.text)),
            hint,
        );
        None
    }

    fn check_time(&mut self, value: &Value<'_>, part: TimePart, number: i64) {
        let (least, most) = part.range();
        if !(least..=most).contains(&number) {
            self.problems.add(
                Code::ModifierValue,
                value.place,
                format!("'{}' is a number from {least} to {most}, not {number}", part.name()),
            );
        }
    }

    fn regex(&mut self, value: &Value<'_>, text: &str, flags: RegexFlags, anchor: Anchor) -> Option<Predicate> {
        if text.is_empty() {
            return self.unfit(value, "a regular expression", "an empty one matches everything");
        }
        match RegexPredicate::new(text, flags, anchor, self.limits) {
            Ok(regex) => Some(Predicate::Regex(regex)),
            Err(error) if error.unsupported => {
                self.problems.add_with_hint(
                    Code::RegexUnsupported,
                    value.place_inside(error.offset),
                    error.message,
                    "rewrite it without; what must not be there can be a second selection behind 'not'",
                );
                None
            }
            Err(error) => {
                self.problems.add(Code::Regex, value.place_inside(error.offset), error.message);
                None
            }
        }
    }

    fn cidr(&mut self, value: &Value<'_>, text: &str) -> Option<Predicate> {
        let Some(network) = Network::parse(text) else {
            self.problems.add_with_hint(
                Code::Cidr,
                value.place,
                format!("'{}' is not a network", shortened(text)),
                "write an address and a prefix length, as in '10.0.0.0/8' or 'fe80::/10'",
            );
            return None;
        };
        Some(Predicate::Cidr(network))
    }

    /// A value without type modifier: by its own type, or as text.
    fn plain(&mut self, value: &Value<'_>, text: &str, modifiers: &Modifiers) -> Vec<Predicate> {
        let as_text = value.is_keyword
            || modifiers.expand
            || modifiers.windash
            || modifiers.anchor != Anchor::Whole
            || !modifiers.encodings.is_empty();
        match value.scalar.kind {
            ScalarKind::Null if as_text => {
                let wanted = if value.is_keyword { "text" } else { "a value" };
                self.unfit(value, wanted, "quote it if the word is meant");
                return Vec::new();
            }
            ScalarKind::Null => return vec![Predicate::Null],
            ScalarKind::Bool(wanted) if !as_text => return vec![Predicate::Bool(wanted)],
            ScalarKind::Number(number) if !as_text => {
                return vec![Predicate::Number { number, written: text.to_owned() }];
            }
            ScalarKind::Bool(_) | ScalarKind::Number(_) | ScalarKind::Text => {}
        }
        let mut pattern = Pattern::parse(text, modifiers.case);
        if pattern.wildcard_count() > self.limits.wildcards_max {
            let most = self.limits.wildcards_max;
            self.problems.add_with_hint(
                Code::Limit,
                value.place,
                format!("a value has more than {most} wildcards"),
                "escape '*' and '?' that are meant as characters, or use 're'",
            );
            return Vec::new();
        }
        self.check_text(value, &pattern, modifiers);
        if modifiers.windash {
            pattern = pattern.with_any_dash();
        }
        if modifiers.encodings.is_empty() {
            return vec![Predicate::Text { pattern, anchor: modifiers.anchor }];
        }
        self.encoded(value, text, modifiers)
    }

    fn check_text(&mut self, value: &Value<'_>, pattern: &Pattern, modifiers: &Modifiers) {
        if pattern.is_empty() && value.is_keyword {
            self.problems.add_with_hint(
                Code::Empty,
                value.place,
                "a keyword without characters is in every message",
                "remove it",
            );
        } else if pattern.is_empty() && modifiers.anchor != Anchor::Whole {
            self.problems.add_with_hint(
                Code::ValueSuspicious,
                value.place,
                format!("'{}' is in every value", shortened(pattern.text())),
                "use 'exists: true' to ask whether the field is there",
            );
        }
    }

    /// The texts of an encoded value, as literal patterns.
    fn encoded(&mut self, value: &Value<'_>, text: &str, modifiers: &Modifiers) -> Vec<Predicate> {
        // Encodings see letter case even where the comparison afterwards does not.
        let mut pattern = Pattern::parse(text, Case::Kept);
        if modifiers.windash {
            pattern = pattern.with_any_dash();
        }
        let literals = match pattern.literals(DASH_FORMS_MAX) {
            Ok(literals) => literals,
            Err(LiteralsError::Wildcards) => {
                self.problems.add_with_hint(
                    Code::ModifierValue,
                    value.place,
                    "a value with wildcards cannot be encoded",
                    "escape '*' and '?' that are meant as characters",
                );
                return Vec::new();
            }
            Err(LiteralsError::TooMany) => {
                self.problems.add(
                    Code::Limit,
                    value.place,
                    format!("'windash' before an encoding makes more than {DASH_FORMS_MAX} values"),
                );
                return Vec::new();
            }
        };
        let mut predicates = Vec::new();
        for literal in literals {
            match encode(&literal, &modifiers.encodings) {
                Ok(texts) => predicates.extend(texts.iter().map(|text| Predicate::Text {
                    pattern: Pattern::literal(text, modifiers.case),
                    anchor: modifiers.anchor,
                })),
                Err(error) => {
                    self.report_encoding(value, error);
                    break;
                }
            }
        }
        predicates
    }

    fn report_encoding(&mut self, value: &Value<'_>, error: EncodeError) {
        let (message, hint) = match error {
            EncodeError::NotText => (
                "the encoded value has bytes that no text has",
                "put 'base64' or 'base64offset' behind the UTF-16 modifier",
            ),
            EncodeError::InputNotText => (
                "the value is not text any more where UTF-16 is asked for",
                "use one UTF-16 modifier, and put it before base64",
            ),
            EncodeError::TooShort => {
                ("the value is too short to be recognised at every offset", "use at least two characters, or 'base64'")
            }
        };
        self.problems.add_with_hint(Code::ModifierValue, value.place, message, hint);
    }
}
