//! The detection of a rule: selections of items of predicates, and the conditions over them.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use crate::condition::Condition;
use crate::event::Event;
use crate::predicate::Predicate;
use crate::problem::Position;
use crate::value::Value;

/// What a rule looks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The selections in the order of the rule.
    pub selections: Vec<Selection>,
    /// The conditions; the rule fires if any of them holds.
    pub conditions: Vec<Condition>,
}

/// A named part of a detection; it holds if any of its blocks does.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The name that conditions use.
    pub name: String,
    /// Where the rule has it.
    pub position: Position,
    /// Alternatives.
    pub blocks: Vec<Block>,
}

/// A map of a selection (or one list of keywords); it holds if every one of its items does.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// What must hold together.
    pub items: Vec<Item>,
}

/// One field with the predicates of its value, or keywords.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The field; `None` for keywords, which are searched in every text of the event.
    pub field: Option<String>,
    /// Where the rule has it.
    pub position: Position,
    /// Whether one of the values must be found, or all of them.
    pub link: Link,
    /// The item holds if its values are not found (`neq`).
    pub negated: bool,
    /// For each value in the rule the predicates that it stands for; it is found if any of them holds.
    /// Mostly that is one predicate. `base64offset` makes three of a value, a placeholder as many as
    /// it has values, perhaps none.
    pub values: Vec<Vec<Predicate>>,
}

/// How the values of an item are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// At least one must be found.
    Any,
    /// Every one must be found (`all`).
    All,
}

impl Detection {
    /// True if any condition holds for the event.
    pub fn holds(&self, event: &dyn Event) -> bool {
        self.first_condition(event).is_some()
    }

    /// The number of the first condition that holds.
    pub(crate) fn first_condition(&self, event: &dyn Event) -> Option<usize> {
        let names: Vec<&str> = self.selections.iter().map(|s| s.name.as_str()).collect();
        let mut known: HashMap<&str, bool> = HashMap::new();
        let mut holds = |name| {
            *known.entry(name).or_insert_with(|| self.selection(name).is_some_and(|selection| selection.holds(event)))
        };
        self.conditions.iter().position(|condition| condition.evaluate(&names, &mut holds))
    }

    pub(crate) fn selection(&self, name: &str) -> Option<&Selection> {
        self.selections.iter().find(|selection| selection.name == name)
    }

    /// Every item of every selection.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.selections.iter().flat_map(|selection| &selection.blocks).flat_map(|block| &block.items)
    }

    /// The fields that the detection asks for, those that others are compared with included.
    pub fn fields(&self) -> BTreeSet<&str> {
        let mut fields = BTreeSet::new();
        for item in self.items() {
            fields.extend(item.field.as_deref());
            for predicate in item.predicates() {
                if let Predicate::FieldRef { field, .. } = predicate {
                    fields.insert(field);
                }
            }
        }
        fields
    }

    /// True if the detection searches the texts of the event, not only named fields.
    pub fn has_keywords(&self) -> bool {
        self.items().any(|item| item.field.is_none())
    }
}

impl Selection {
    /// True if any block holds for the event.
    pub fn holds(&self, event: &dyn Event) -> bool {
        self.blocks.iter().any(|block| block.holds(event))
    }
}

impl Block {
    /// True if every item holds for the event.
    pub fn holds(&self, event: &dyn Event) -> bool {
        self.items.iter().all(|item| item.holds(event))
    }
}

impl Item {
    /// True if the item holds for the event.
    pub fn holds(&self, event: &dyn Event) -> bool {
        let tests_hold = match &self.field {
            Some(field) => {
                let value = event.field(field);
                self.linked(|predicate| predicate.holds(value.as_ref(), event))
            }
            None => self.linked(|predicate| keyword_holds(predicate, event)),
        };
        tests_hold != self.negated
    }

    /// Every predicate of every value.
    pub fn predicates(&self) -> impl Iterator<Item = &Predicate> {
        self.values.iter().flatten()
    }

    fn linked(&self, mut holds: impl FnMut(&Predicate) -> bool) -> bool {
        let mut found = |predicates: &Vec<Predicate>| predicates.iter().any(&mut holds);
        match self.link {
            Link::Any => self.values.iter().any(found),
            Link::All => self.values.iter().all(&mut found),
        }
    }
}

fn keyword_holds(predicate: &Predicate, event: &dyn Event) -> bool {
    let mut found = false;
    event.each_text(&mut |text| {
        found = predicate.holds(Some(&Value::Str(Cow::Borrowed(text))), event);
        found
    });
    found
}
