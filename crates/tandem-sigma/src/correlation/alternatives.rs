//! A condition over rules as alternatives: which rules must be there, and which must not.

use super::rule::Reference;
use crate::condition::{Condition, Quantity, Target};

/// One way to fulfil a condition. Bits are the numbers of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alternative {
    pub(super) needed: u64,
    pub(super) absent: u64,
}

/// Most alternatives of one condition.
pub(super) const ALTERNATIVES_MAX: usize = 256;

/// Every alternative; `None` if there are more than [`ALTERNATIVES_MAX`].
pub(super) fn alternatives(condition: &Condition, rules: &[Reference]) -> Option<Vec<Alternative>> {
    let mut found = spread(condition, rules, true)?;
    found.retain(|way| way.needed & way.absent == 0);
    found.sort_unstable();
    found.dedup();
    Some(found)
}

fn spread(condition: &Condition, rules: &[Reference], holds: bool) -> Option<Vec<Alternative>> {
    let one = |number: usize| {
        let bit = 1_u64 << number;
        if holds { Alternative { needed: bit, absent: 0 } } else { Alternative { needed: 0, absent: bit } }
    };
    match condition {
        Condition::Not(part) => spread(part, rules, !holds),
        Condition::Or(parts) | Condition::And(parts) => {
            let is_or = matches!(condition, Condition::Or(_));
            let parts = parts.iter().map(|part| spread(part, rules, holds));
            joined(parts, is_or == holds)
        }
        Condition::Selection(name) => {
            let number = rules.iter().position(|rule| rule.text == *name)?;
            Some(vec![one(number)])
        }
        Condition::Of(quantity, target) => {
            let meant = rules.iter().enumerate().filter(|(_, rule)| match target {
                Target::Them => true,
                Target::Pattern(_) => target.includes(&rule.text),
            });
            joined(meant.map(|(number, _)| Some(vec![one(number)])), (*quantity == Quantity::One) == holds)
        }
    }
}

fn joined(parts: impl Iterator<Item = Option<Vec<Alternative>>>, any: bool) -> Option<Vec<Alternative>> {
    let mut ways = if any { Vec::new() } else { vec![Alternative { needed: 0, absent: 0 }] };
    for part in parts {
        let part = part?;
        if any {
            ways.extend(part);
        } else {
            ways = ways
                .iter()
                .flat_map(|way| {
                    part.iter()
                        .map(|more| Alternative { needed: way.needed | more.needed, absent: way.absent | more.absent })
                })
                .take(ALTERNATIVES_MAX + 1)
                .collect();
        }
        if ways.len() > ALTERNATIVES_MAX {
            return None;
        }
    }
    Some(ways)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::condition::parse;
    use crate::problem::Position;

    fn rules() -> Vec<Reference> {
        ["a", "b", "c", "d"].map(|text| Reference { text: text.to_owned(), position: Position::default() }).into()
    }

    fn conditions() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec!["a", "b", "c", "d", "1 of them", "all of them", "1 of a*"]);
        leaf.prop_map(str::to_owned).prop_recursive(4, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
                prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
                inner.prop_map(|part| format!("not {part}")),
            ]
        })
    }

    proptest! {
        #[test]
        fn alternatives_say_what_the_condition_says(text in conditions()) {
            let condition = parse(&text, 64).unwrap();
            let rules = rules();
            let names: Vec<&str> = rules.iter().map(|rule| rule.text.as_str()).collect();
            if let Some(ways) = alternatives(&condition, &rules) {
                for present in 0..16_u64 {
                    let mut holds = |name: &str| present & (1 << names.iter().position(|n| *n == name).unwrap()) != 0;
                    let wanted = condition.evaluate(&names, &mut holds);
                    let found = ways.iter().any(|way| present & way.needed == way.needed && present & way.absent == 0);
                    prop_assert_eq!(found, wanted, "{} with {:b}", text, present);
                }
            }
        }
    }
}
