//! The key of a field item, `field|modifier|modifier`, understood and checked.

use crate::encode::Encoding;
use crate::pattern::{Anchor, Case};
use crate::predicate::Ordinal;
use crate::problem::{Code, Position, Problems, shortened};
use crate::regexp::RegexFlags;
use crate::suggest::nearest;
use crate::time::TimePart;

/// What the modifiers of one key ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Modifiers {
    pub(crate) kind: Kind,
    pub(crate) anchor: Anchor,
    pub(crate) case: Case,
    pub(crate) all: bool,
    pub(crate) neq: bool,
    pub(crate) windash: bool,
    pub(crate) expand: bool,
    pub(crate) encodings: Vec<Encoding>,
}

/// How the value is to be understood.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Kind {
    /// By its own type: text with wildcards, number, boolean, null.
    #[default]
    Plain,
    Regex(RegexFlags),
    Cidr,
    Compare(Ordinal),
    /// A part of a date, compared or (without comparison) equal.
    Time(TimePart, Option<Ordinal>),
    Exists,
    FieldRef,
}

/// Every modifier, as the specification spells it.
const NAMES: [&str; 31] = [
    "all",
    "startswith",
    "endswith",
    "contains",
    "exists",
    "cased",
    "neq",
    "windash",
    "re",
    "i",
    "m",
    "s",
    "base64",
    "base64offset",
    "utf16le",
    "utf16be",
    "utf16",
    "wide",
    "lt",
    "lte",
    "gt",
    "gte",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
    "cidr",
    "expand",
    "fieldref",
];

/// More modifiers than any key can have in good faith.
const MODIFIERS_MAX: usize = 16;

/// Splits a key into field (`None` for keywords) and modifiers. Problems are added; with any
/// error the answer is `None`.
pub(crate) fn parse_key(
    key: &str,
    place: Position,
    problems: &mut Problems<'_>,
) -> Option<(Option<String>, Modifiers)> {
    let errors_before = problems.error_count();
    let shown = &shortened(key);
    let mut parts = key.split('|');
    let field = parts.next().unwrap_or_default();
    let field = (!field.is_empty()).then(|| field.to_owned());
    let mut modifiers = Modifiers::default();
    let mut seen: Vec<&str> = Vec::new();
    for name in parts {
        if seen.len() >= MODIFIERS_MAX {
            problems.add(Code::Limit, place, format!("'{shown}' has more than {MODIFIERS_MAX} modifiers"));
            break;
        }
        // Only an encoding does something else the second time.
        let repeatable = name.starts_with("base64");
        if seen.contains(&name) && !repeatable {
            problems.add(Code::ModifierCombination, place, format!("the modifier '{name}' stands twice in '{shown}'"));
            continue;
        }
        if let Err(refusal) = modifiers.add(name) {
            refusal.report(name, shown, place, problems);
        }
        seen.push(name);
    }
    if field.is_none() {
        modifiers.check_keywords(shown, place, problems);
    }
    modifiers.check_effect(&seen, shown, place, problems);
    (problems.error_count() == errors_before).then_some((field, modifiers))
}

/// Why a modifier cannot follow those before it.
enum Refusal {
    Unknown,
    With { other: &'static str, hint: &'static str },
}

impl Refusal {
    fn report(&self, name: &str, key: &str, place: Position, problems: &mut Problems<'_>) {
        match self {
            Self::Unknown => {
                let hint = match name {
                    "ignorecase" => "write 're|i'".to_owned(),
                    "multiline" => "write 're|m'".to_owned(),
                    "dotall" => "write 're|s'".to_owned(),
                    "" => "remove the '|', or name a modifier behind it".to_owned(),
                    _ => match nearest(name, NAMES) {
                        Some(near) => format!("did you mean '{near}'?"),
                        None => "see the list of modifiers in the documentation".to_owned(),
                    },
                };
                problems.add_with_hint(
                    Code::UnknownModifier,
                    place,
                    format!("there is no modifier '{name}' (in '{key}')"),
                    hint,
                );
            }
            Self::With { other, hint } => problems.add_with_hint(
                Code::ModifierCombination,
                place,
                format!("'{name}' cannot follow {other} (in '{key}')"),
                *hint,
            ),
        }
    }
}

impl Modifiers {
    fn add(&mut self, name: &str) -> Result<(), Refusal> {
        match name {
            "all" => self.all = true,
            "neq" => self.neq = true,
            "cased" => self.case = Case::Kept,
            "expand" => self.expand = true,
            "startswith" => return self.set_anchor(Anchor::Start),
            "endswith" => return self.set_anchor(Anchor::End),
            "contains" => return self.set_anchor(Anchor::Anywhere),
            "windash" => {
                self.needs_plain("another type of comparison", "'windash' changes text only")?;
                if !self.encodings.is_empty() {
                    return Err(Refusal::With { other: "an encoding", hint: "put 'windash' before the encoding" });
                }
                self.windash = true;
            }
            "base64" => return self.add_encoding(Encoding::Base64),
            "base64offset" => return self.add_encoding(Encoding::Base64Offset),
            "utf16le" | "wide" => return self.add_encoding(Encoding::Utf16Le),
            "utf16be" => return self.add_encoding(Encoding::Utf16Be),
            "utf16" => return self.add_encoding(Encoding::Utf16),
            "re" => return self.set_kind(Kind::Regex(RegexFlags::default())),
            "i" | "m" | "s" => {
                let Kind::Regex(flags) = &mut self.kind else {
                    return Err(Refusal::With {
                        other: "anything but 're'",
                        hint: "write it behind 're', as in 're|i'",
                    });
                };
                match name {
                    "i" => flags.ignore_case = true,
                    "m" => flags.multi_line = true,
                    _ => flags.dot_all = true,
                }
            }
            "cidr" => return self.set_kind(Kind::Cidr),
            "exists" => return self.set_kind(Kind::Exists),
            "fieldref" => return self.set_kind(Kind::FieldRef),
            "lt" => return self.set_ordinal(Ordinal::Less),
            "lte" => return self.set_ordinal(Ordinal::LessOrEqual),
            "gt" => return self.set_ordinal(Ordinal::Greater),
            "gte" => return self.set_ordinal(Ordinal::GreaterOrEqual),
            "minute" => return self.set_kind(Kind::Time(TimePart::Minute, None)),
            "hour" => return self.set_kind(Kind::Time(TimePart::Hour, None)),
            "day" => return self.set_kind(Kind::Time(TimePart::Day, None)),
            "week" => return self.set_kind(Kind::Time(TimePart::Week, None)),
            "month" => return self.set_kind(Kind::Time(TimePart::Month, None)),
            "year" => return self.set_kind(Kind::Time(TimePart::Year, None)),
            _ => return Err(Refusal::Unknown),
        }
        self.check_together()
    }

    /// Combinations that no order makes sense of.
    fn check_together(&self) -> Result<(), Refusal> {
        if self.all && self.neq {
            return Err(Refusal::With {
                other: "the other one of 'all' and 'neq'",
                hint: "'neq' alone means none of the values; for 'not all of them' negate a selection in the condition",
            });
        }
        if self.kind == Kind::Exists && (self.all || self.neq || self.expand || self.case == Case::Kept) {
            return Err(Refusal::With {
                other: "'exists'",
                hint: "'exists' stands alone; write 'exists: false' for a field that must be absent",
            });
        }
        let ordered = matches!(self.kind, Kind::Compare(_) | Kind::Time(_, Some(_)));
        if ordered && self.neq {
            return Err(Refusal::With {
                other: "a comparison",
                hint: "use the opposite comparison ('lt' for 'gte', 'lte' for 'gt')",
            });
        }
        Ok(())
    }

    fn needs_plain(&self, other: &'static str, hint: &'static str) -> Result<(), Refusal> {
        if self.kind == Kind::Plain { Ok(()) } else { Err(Refusal::With { other, hint }) }
    }

    fn set_anchor(&mut self, anchor: Anchor) -> Result<(), Refusal> {
        if self.anchor != Anchor::Whole {
            return Err(Refusal::With {
                other: "another of 'startswith', 'endswith' and 'contains'",
                hint: "use one of them, or wildcards in the value",
            });
        }
        if !matches!(self.kind, Kind::Plain | Kind::Regex(_) | Kind::FieldRef) {
            return Err(Refusal::With { other: "a comparison that is not of text", hint: "remove one of the two" });
        }
        self.anchor = anchor;
        Ok(())
    }

    fn add_encoding(&mut self, encoding: Encoding) -> Result<(), Refusal> {
        self.needs_plain("another type of comparison", "encodings change text only")?;
        if self.anchor != Anchor::Whole {
            return Err(Refusal::With {
                other: "'startswith', 'endswith' or 'contains'",
                hint: "put the encoding first, as in 'base64offset|contains'",
            });
        }
        self.encodings.push(encoding);
        Ok(())
    }

    fn set_ordinal(&mut self, ordinal: Ordinal) -> Result<(), Refusal> {
        match self.kind {
            Kind::Time(part, None) => self.kind = Kind::Time(part, Some(ordinal)),
            _ => return self.set_kind(Kind::Compare(ordinal)),
        }
        self.check_together()
    }

    fn set_kind(&mut self, kind: Kind) -> Result<(), Refusal> {
        self.needs_plain("another type of comparison", "use a second selection")?;
        if self.windash || !self.encodings.is_empty() {
            return Err(Refusal::With {
                other: "'windash' or an encoding",
                hint: "these change text only; remove one of the two",
            });
        }
        let anchored = self.anchor != Anchor::Whole;
        if anchored && !matches!(kind, Kind::Regex(_) | Kind::FieldRef) {
            return Err(Refusal::With {
                other: "'startswith', 'endswith' or 'contains'",
                hint: "remove one of the two",
            });
        }
        self.kind = kind;
        self.check_together()
    }

    fn check_keywords(&mut self, key: &str, place: Position, problems: &mut Problems<'_>) {
        let refused = if !matches!(self.kind, Kind::Plain | Kind::Regex(_)) {
            Some("a keyword has no field to compare")
        } else if matches!(self.anchor, Anchor::Start | Anchor::End) {
            Some("keywords are searched anywhere in the message")
        } else if self.neq {
            Some("keywords cannot be negated one by one")
        } else {
            None
        };
        if let Some(reason) = refused {
            problems.add_with_hint(
                Code::ModifierCombination,
                place,
                format!("'{key}' has no field: {reason}"),
                "put a field name before the '|', or use 'not' in the condition",
            );
        }
        self.anchor = Anchor::Anywhere;
    }

    fn check_effect(&self, seen: &[&str], key: &str, place: Position, problems: &mut Problems<'_>) {
        let needless = match self.kind {
            Kind::Regex(_) if self.case == Case::Kept => Some("regular expressions keep case anyway"),
            Kind::Regex(_) if seen.contains(&"contains") => Some("regular expressions search anyway"),
            Kind::Cidr | Kind::Compare(_) | Kind::Time(..) if self.case == Case::Kept => {
                Some("numbers and addresses have no case")
            }
            _ => None,
        };
        if let Some(reason) = needless {
            problems.add(
                Code::ModifierWithoutEffect,
                place,
                format!("a modifier of '{key}' changes nothing: {reason}"),
            );
        }
        let offset = self.encodings.contains(&Encoding::Base64Offset);
        if offset && self.anchor == Anchor::Whole {
            problems.add_with_hint(
                Code::ValueSuspicious,
                place,
                format!("'{key}' asks for a whole value that is a part of a base64 text"),
                "write 'base64offset|contains'",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(key: &str) -> (Option<Modifiers>, Vec<String>) {
        let mut problems = Problems::new("test");
        let parsed = parse_key(key, Position::default(), &mut problems);
        let codes = problems.into_sorted().into_iter().map(|problem| problem.code.to_string()).collect();
        (parsed.map(|(_, modifiers)| modifiers), codes)
    }

    #[test]
    fn chains_in_use() {
        let (modifiers, codes) = parse("CommandLine|wide|base64offset|contains");
        let modifiers = modifiers.expect("sound");
        assert_eq!(codes, [""; 0]);
        assert_eq!(modifiers.encodings, [Encoding::Utf16Le, Encoding::Base64Offset]);
        assert_eq!(modifiers.anchor, Anchor::Anywhere);
        for key in [
            "a|contains|all",
            "a|contains|expand",
            "a|contains|windash",
            "a|endswith|windash",
            "a|re|i|m|s",
            "a|hour|gte",
            "a|fieldref|neq",
            "a|neq|fieldref",
            "a|fieldref|startswith",
            "a|cidr|neq",
            "|all",
            "|all|re",
            "a|windash|contains|all",
            "a|cased|contains",
            "a|re|endswith",
        ] {
            let (modifiers, codes) = parse(key);
            assert!(modifiers.is_some() && codes.is_empty(), "{key}: {codes:?}");
        }
    }

    #[test]
    fn chains_that_make_no_sense() {
        for key in [
            "a|contains|startswith",
            "a|contains|base64",
            "a|re|cidr",
            "a|cidr|re",
            "a|i",
            "a|gt|contains",
            "a|contains|gt",
            "a|exists|all",
            "a|all|exists",
            "a|neq|all",
            "a|all|neq",
            "a|base64|windash",
            "a|re|windash",
            "a|windash|re",
            "a|gt|neq",
            "a|neq|gt",
            "a|hour|gt|neq",
            "|startswith",
            "|cidr",
            "|neq",
            "a|all|all",
            "a|lt|hour",
        ] {
            let (modifiers, codes) = parse(key);
            assert_eq!(modifiers, None, "{key}");
            assert_eq!(codes, ["modifier-combination"], "{key}");
        }
        for key in ["a|contians", "a|", "a|ALL", "a|ignorecase"] {
            assert_eq!(parse(key).1, ["unknown-modifier"], "{key}");
        }
    }
}
