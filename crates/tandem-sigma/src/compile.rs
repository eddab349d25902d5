//! From the YAML of `detection` to a [`Detection`]: selections, items, predicates, conditions.

mod condition;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use crate::detection::{Block, Detection, Item, Link, Selection};
use crate::limits::Limits;
use crate::modifier::{Kind, Modifiers, parse_key};
use crate::number::Number;
use crate::pattern::Anchor;
use crate::placeholder::Placeholders;
use crate::problem::{Code, Position, Problems, shortened};
use crate::yaml::{Content, Entry, Node, Scalar, ScalarKind};

/// A detection with the placeholders that still need values.
pub(crate) struct Compiled {
    pub(crate) detection: Detection,
    pub(crate) needs_values: BTreeSet<String>,
}

/// Compiles the `detection` map. What is wrong is added to `problems`; with an error in it the
/// result must not be used.
pub(crate) fn compile(
    detection: &Node,
    limits: &Limits,
    placeholders: &Placeholders,
    problems: &mut Problems<'_>,
) -> Option<Compiled> {
    let Content::Map(entries) = &detection.content else {
        let found = detection.type_name();
        problems.add(
            Code::WrongType,
            detection.position,
            format!("'detection' must be a map of selections and a condition, not {found}"),
        );
        return None;
    };
    let mut compiler = Compiler { limits, placeholders, problems, needs_values: BTreeMap::new(), predicate_count: 0 };
    let mut selections = Vec::new();
    let mut condition_node = None;
    for entry in entries {
        match entry.key.as_str() {
            "condition" => condition_node = Some(&entry.value),
            "timeframe" => compiler.problems.add_with_hint(
                Code::Timeframe,
                entry.key_position,
                "'timeframe' belongs to Sigma version 1",
                "write a correlation rule with 'timespan'",
            ),
            _ => selections.push(compiler.selection(entry)),
        }
    }
    if selections.len() > limits.selections_max {
        let most = limits.selections_max;
        let message = format!("the rule has more than {most} selections");
        compiler.problems.add_with_hint(Code::Limit, detection.position, message, "split the rule");
        return None;
    }
    let conditions = match condition_node {
        None => {
            compiler.problems.add_with_hint(
                Code::Missing,
                detection.position,
                "the detection has no 'condition'",
                "add 'condition:' with the name of a selection",
            );
            Vec::new()
        }
        Some(node) => compiler.conditions(node, &selections),
    };
    let needs_values = compiler.report_needs_values();
    Some(Compiled { detection: Detection { selections, conditions }, needs_values })
}

struct Compiler<'c, 'p> {
    limits: &'c Limits,
    placeholders: &'c Placeholders,
    problems: &'c mut Problems<'p>,
    /// Unknown placeholders with the first place of each.
    needs_values: BTreeMap<String, Position>,
    predicate_count: usize,
}

impl Compiler<'_, '_> {
    fn report_needs_values(self) -> BTreeSet<String> {
        for (name, place) in &self.needs_values {
            self.problems.add_with_hint(
                Code::NeedsValues,
                *place,
                format!("the placeholder '%{name}%' has no values"),
                format!("supply a list for '{name}'; until then the rule does not run"),
            );
        }
        self.needs_values.into_keys().collect()
    }

    fn selection(&mut self, entry: &Entry) -> Selection {
        let place = entry.value.position;
        let blocks = match &entry.value.content {
            Content::Map(entries) => self.block(entries, place).into_iter().collect(),
            Content::List(nodes) => self.list(nodes, place),
            Content::Scalar(scalar) if scalar.kind == ScalarKind::Null => {
                self.empty(place, &format!("the selection '{}'", shortened(&entry.key)));
                Vec::new()
            }
            Content::Scalar(_) => self.list(std::slice::from_ref(&entry.value), place),
        };
        Selection { name: entry.key.clone(), position: entry.key_position, blocks }
    }

    fn empty(&mut self, place: Position, what: &str) {
        self.problems.add_with_hint(
            Code::Empty,
            place,
            format!("{what} is empty"),
            "an empty list or map would match everything or nothing; remove it or fill it",
        );
    }

    /// A list of maps, keywords, or both: each is an alternative.
    fn list(&mut self, nodes: &[Node], place: Position) -> Vec<Block> {
        if nodes.is_empty() {
            self.empty(place, "a selection");
        }
        let mut blocks = Vec::new();
        let mut keywords = Vec::new();
        for node in nodes {
            match &node.content {
                Content::Map(entries) => blocks.extend(self.block(entries, node.position)),
                Content::Scalar(_) => keywords.push(node),
                Content::List(_) => self.problems.add_with_hint(
                    Code::WrongType,
                    node.position,
                    "a selection cannot have a list inside a list",
                    "write one list of maps, or one list of keywords",
                ),
            }
        }
        if let Some(first) = keywords.first() {
            let modifiers = Modifiers { anchor: Anchor::Anywhere, ..Modifiers::default() };
            let item = self.item(None, &modifiers, &keywords, first.position);
            blocks.push(Block { items: vec![item] });
        }
        blocks
    }

    fn block(&mut self, entries: &[Entry], place: Position) -> Option<Block> {
        if entries.is_empty() {
            self.empty(place, "a map of a selection");
            return None;
        }
        let mut items = Vec::new();
        for entry in entries {
            let Some((field, modifiers)) = parse_key(&entry.key, entry.key_position, self.problems) else {
                continue;
            };
            let values: Vec<&Node> = match &entry.value.content {
                Content::List(nodes) => nodes.iter().collect(),
                _ => vec![&entry.value],
            };
            if values.is_empty() {
                self.empty(entry.value.position, &format!("the list of '{}'", shortened(&entry.key)));
                continue;
            }
            let is_list = matches!(entry.value.content, Content::List(_));
            self.check_list(&entry.key, entry.key_position, &modifiers, &values, is_list);
            items.push(self.item(field, &modifiers, &values, entry.key_position));
        }
        Some(Block { items })
    }

    fn check_list(&mut self, key: &str, place: Position, modifiers: &Modifiers, values: &[&Node], is_list: bool) {
        if modifiers.all && values.len() == 1 && !modifiers.expand {
            self.problems.add_with_hint(
                Code::ModifierWithoutEffect,
                place,
                format!("'{}' asks for all of one value", shortened(key)),
                "remove 'all'",
            );
        }
        if is_list && modifiers.kind == Kind::Exists {
            self.problems.add(
                Code::ModifierValue,
                place,
                format!("'{}' needs one 'true' or 'false', not a list", shortened(key)),
            );
        }
    }

    fn item(&mut self, field: Option<String>, modifiers: &Modifiers, values: &[&Node], position: Position) -> Item {
        let mut found = Vec::new();
        for value in values {
            let Content::Scalar(scalar) = &value.content else {
                let found = value.type_name();
                self.problems.add_with_hint(
                    Code::WrongType,
                    value.position,
                    format!("a value cannot be {found}"),
                    "for a nested field write its path with dots, as in 'user.name: kim'",
                );
                continue;
            };
            if values.len() > 1 && scalar.kind == ScalarKind::Null {
                self.problems.add_with_hint(
                    Code::NullInList,
                    value.position,
                    "null stands in a list of values",
                    "use a selection of its own; here it is taken as one more alternative",
                );
            }
            let value = Value { scalar, place: value.position, is_keyword: field.is_none() };
            let predicates = self.predicates_of(&value, modifiers);
            self.count_predicates(predicates.len(), position);
            found.push(predicates);
        }
        let link = if modifiers.all { Link::All } else { Link::Any };
        Item { field, position, link, negated: modifiers.neq, values: found }
    }

    fn count_predicates(&mut self, more: usize, place: Position) {
        let most = self.limits.predicates_max;
        let before = self.predicate_count;
        self.predicate_count = before.saturating_add(more);
        if before <= most && self.predicate_count > most {
            self.problems.add_with_hint(
                Code::Limit,
                place,
                format!("the rule has more than {most} values after expansion"),
                "split the rule",
            );
        }
    }
}

/// A scalar value on its way to a predicate.
struct Value<'v> {
    scalar: &'v Scalar,
    place: Position,
    is_keyword: bool,
}

impl Value<'_> {
    /// The place of a character inside the value, where that can be told.
    fn place_inside(&self, offset: usize) -> Position {
        match self.scalar.text_offset {
            Some(before) => Position { column: self.place.column + before + offset, ..self.place },
            None => self.place,
        }
    }

    /// The number that the value is, or that its placeholder became.
    fn number_or_expanded(&self, text: &str, modifiers: &Modifiers) -> Option<Number> {
        match self.scalar.kind {
            ScalarKind::Number(number) => Some(number),
            _ if modifiers.expand => Number::from_yaml(text),
            _ => None,
        }
    }
}
