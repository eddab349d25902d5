//! A detection as an English sentence.

use crate::condition::{Condition, Quantity, Target};
use crate::detection::{Block, Detection, Item, Link, Selection};
use crate::pattern::{Anchor, Case};
use crate::predicate::{Ordinal, Predicate};

/// A list longer than this is cut, and the number of values left out is told.
pub const LIST_SHOWN_MAX: usize = 10;

/// The whole detection: `CommandLine contains 'x' and not (Image ends with 'y')`.
pub(crate) fn detection_in_words(detection: &Detection) -> String {
    let conditions = detection.conditions.iter().map(|condition| condition_in_words(condition, detection));
    join(conditions.collect(), "or").text
}

/// One predicate of one field.
pub(crate) fn predicate_in_words(field: Option<&str>, predicate: &Predicate, negated: bool) -> String {
    let phrase = phrase(predicate, field.is_none());
    let verb = if negated { phrase.negative } else { phrase.positive };
    [subject(field), verb, &phrase.object].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Words with the operator that joins them, to know when brackets are needed.
struct Words {
    text: String,
    /// `and`, `or` or, for a single statement, nothing.
    operator: &'static str,
}

fn condition_in_words(condition: &Condition, detection: &Detection) -> Words {
    match condition {
        Condition::Or(parts) => join(parts.iter().map(|part| condition_in_words(part, detection)).collect(), "or"),
        Condition::And(parts) => join(parts.iter().map(|part| condition_in_words(part, detection)).collect(), "and"),
        Condition::Not(part) => {
            let inner = condition_in_words(part, detection).text;
            Words { text: format!("not ({inner})"), operator: "" }
        }
        Condition::Selection(name) => match detection.selection(name) {
            Some(selection) => selection_in_words(selection),
            None => Words { text: name.clone(), operator: "" },
        },
        Condition::Of(quantity, target) => of_in_words(*quantity, target, detection),
    }
}

fn of_in_words(quantity: Quantity, target: &Target, detection: &Detection) -> Words {
    let meant = detection.selections.iter().filter(|selection| target.includes(&selection.name));
    let parts = meant.map(selection_in_words).collect();
    join(parts, if quantity == Quantity::One { "or" } else { "and" })
}

fn selection_in_words(selection: &Selection) -> Words {
    join(selection.blocks.iter().map(block_in_words).collect(), "or")
}

fn block_in_words(block: &Block) -> Words {
    join(block.items.iter().map(item_in_words).collect(), "and")
}

fn item_in_words(item: &Item) -> Words {
    let one_predicate_each = item.values.iter().all(|predicates| predicates.len() == 1);
    if one_predicate_each || item.link == Link::Any {
        return predicates_in_words(item, &item.predicates().collect::<Vec<_>>(), item.link);
    }
    // Each value has several forms, of which one is enough.
    let parts = item
        .values
        .iter()
        .map(|predicates| predicates_in_words(item, &predicates.iter().collect::<Vec<_>>(), Link::Any));
    join(parts.collect(), "and")
}

/// Predicates of one kind share subject and verb: "Image ends with 'a' or 'b'".
fn predicates_in_words(item: &Item, predicates: &[&Predicate], link: Link) -> Words {
    let subject = subject(item.field.as_deref());
    if predicates.is_empty() {
        return Words { text: format!("{subject} is in an empty list"), operator: "" };
    }
    let mut groups: Vec<(&'static str, Vec<String>)> = Vec::new();
    for predicate in predicates {
        let phrase = phrase(predicate, item.field.is_none());
        let verb = if item.negated { phrase.negative } else { phrase.positive };
        match groups.iter_mut().find(|(known, _)| *known == verb) {
            Some((_, objects)) => objects.push(phrase.object),
            None => groups.push((verb, vec![phrase.object])),
        }
    }
    // What is negated holds for none of the values: "is not 'a' or 'b'".
    let (word, operator) = match (link, item.negated) {
        (Link::All, _) => ("and", "and"),
        (Link::Any, false) => ("or", "or"),
        (Link::Any, true) => ("or", "and"),
    };
    let statements = groups.into_iter().map(|(verb, objects)| {
        let objects = listed(&objects, word);
        let parts = [subject, verb, &objects];
        let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        Words { text, operator: "" }
    });
    join(statements.collect(), operator)
}

fn subject(field: Option<&str>) -> &str {
    field.unwrap_or("the message")
}

/// `'a'`, `'a' or 'b'`, `'a', 'b' or 'c'`, cut when it is long.
fn listed(objects: &[String], word: &str) -> String {
    let shown = &objects[..objects.len().min(LIST_SHOWN_MAX)];
    let rest = objects.len() - shown.len();
    if rest > 0 {
        return format!("{} {word} {rest} more", shown.join(", "));
    }
    match shown.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, before)) => format!("{} {word} {last}", before.join(", ")),
    }
}

fn join(mut parts: Vec<Words>, operator: &'static str) -> Words {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let texts: Vec<String> = parts
        .into_iter()
        .map(|part| match part.operator {
            "" => part.text,
            inner if inner == operator => part.text,
            _ => format!("({})", part.text),
        })
        .collect();
    Words { text: texts.join(&format!(" {operator} ")), operator }
}

/// A predicate as verb and object, both ways.
struct Phrase {
    positive: &'static str,
    negative: &'static str,
    object: String,
}

fn phrase(predicate: &Predicate, is_keyword: bool) -> Phrase {
    let (positive, negative, object) = match predicate {
        Predicate::Text { pattern, anchor } => {
            let (positive, negative) = if is_keyword {
                ("contains", "does not contain")
            } else {
                match (anchor, pattern.wildcard_count(), pattern.is_empty()) {
                    (Anchor::Whole, 0, true) => ("is empty", "is not empty"),
                    (Anchor::Whole, 0, false) => ("is", "is not"),
                    (Anchor::Whole, ..) => ("is like", "is not like"),
                    (Anchor::Start, ..) => ("starts with", "does not start with"),
                    (Anchor::End, ..) => ("ends with", "does not end with"),
                    (Anchor::Anywhere, ..) => ("contains", "does not contain"),
                }
            };
            let empty = *anchor == Anchor::Whole && pattern.wildcard_count() == 0 && pattern.is_empty();
            let cased = if pattern.case() == Case::Kept { " in this case" } else { "" };
            let object = if empty { String::new() } else { format!("'{}'{cased}", pattern.text()) };
            (positive, negative, object)
        }
        Predicate::Number { number, .. } => ("is", "is not", number.to_string()),
        Predicate::Bool(value) => ("is", "is not", value.to_string()),
        Predicate::Null => ("is absent or null", "is present", String::new()),
        Predicate::Exists(true) => ("exists", "does not exist", String::new()),
        Predicate::Exists(false) => ("does not exist", "exists", String::new()),
        Predicate::Regex(regex) => {
            let (positive, negative) = match regex.anchor() {
                Anchor::Start => ("starts with a match of", "does not start with a match of"),
                Anchor::End => ("ends with a match of", "does not end with a match of"),
                Anchor::Whole | Anchor::Anywhere => ("matches", "does not match"),
            };
            let flags = regex.flags();
            let mut object = format!("/{}/", regex.text());
            for (set, letter) in [(flags.ignore_case, 'i'), (flags.multi_line, 'm'), (flags.dot_all, 's')] {
                if set {
                    object.push(letter);
                }
            }
            (positive, negative, object)
        }
        Predicate::Cidr(network) => ("is in network", "is not in network", network.to_string()),
        Predicate::Compare(ordinal, number) => (ordinal_verb(*ordinal), "is not so", number.to_string()),
        Predicate::Time(part, ordinal, number) => {
            let verb = ordinal.map_or("is", ordinal_verb);
            ("has a time whose", "does not have a time whose", format!("{} {verb} {number}", part.name()))
        }
        Predicate::FieldRef { field, anchor, .. } => {
            let (positive, negative) = match anchor {
                Anchor::Whole => ("equals the field", "differs from the field"),
                Anchor::Start => ("starts with the field", "does not start with the field"),
                Anchor::End => ("ends with the field", "does not end with the field"),
                Anchor::Anywhere => ("contains the field", "does not contain the field"),
            };
            (positive, negative, field.clone())
        }
    };
    Phrase { positive, negative, object }
}

fn ordinal_verb(ordinal: Ordinal) -> &'static str {
    match ordinal {
        Ordinal::Less => "is less than",
        Ordinal::LessOrEqual => "is at most",
        Ordinal::Greater => "is greater than",
        Ordinal::GreaterOrEqual => "is at least",
    }
}
