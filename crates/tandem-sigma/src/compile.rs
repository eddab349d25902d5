//! From the YAML of `detection` to a [`Detection`]: selections, items, tests, conditions.

use std::collections::{BTreeMap, BTreeSet};

use crate::cidr::Network;
use crate::condition::{self, Condition, Target};
use crate::detection::{Block, Detection, Item, Link, Selection};
use crate::encode::{EncodeError, encode};
use crate::limits::Limits;
use crate::modifier::{Kind, Modifiers, parse_key};
use crate::pattern::{Anchor, Case, LiteralsError, Pattern};
use crate::placeholder::{Expanded, Placeholders, expand};
use crate::problem::{Code, Position, Problems};
use crate::regexp::{RegexFlags, RegexTest};
use crate::suggest::nearest;
use crate::test::Test;
use crate::time::TimePart;
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
    let mut compiler = Compiler { limits, placeholders, problems, needs_values: BTreeMap::new(), test_count: 0 };
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
    test_count: usize,
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
                self.empty(place, &format!("the selection '{}'", entry.key));
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
                self.empty(entry.value.position, &format!("the list of '{}'", entry.key));
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
                format!("'{key}' asks for all of one value"),
                "remove 'all'",
            );
        }
        if is_list && modifiers.kind == Kind::Exists {
            self.problems.add(Code::ModifierValue, place, format!("'{key}' needs one 'true' or 'false', not a list"));
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
            let tests = self.tests_of(&value, modifiers);
            self.count_tests(tests.len(), position);
            found.push(tests);
        }
        let link = if modifiers.all { Link::All } else { Link::Any };
        Item { field, position, link, negated: modifiers.neq, values: found }
    }

    fn count_tests(&mut self, more: usize, place: Position) {
        let most = self.limits.tests_max;
        let before = self.test_count;
        self.test_count = before.saturating_add(more);
        if before <= most && self.test_count > most {
            self.problems.add_with_hint(
                Code::Limit,
                place,
                format!("the rule has more than {most} values after expansion"),
                "split the rule",
            );
        }
    }

    /// The tests that one value of the rule stands for.
    fn tests_of(&mut self, value: &Value<'_>, modifiers: &Modifiers) -> Vec<Test> {
        if !modifiers.expand {
            return self.test_of_text(value, &value.scalar.text, modifiers);
        }
        let forms = match expand(&value.scalar.text, self.placeholders, self.limits.tests_max) {
            Expanded::Values(forms) => forms,
            Expanded::Plain(text) => {
                self.problems.add(
                    Code::ModifierWithoutEffect,
                    value.place,
                    format!("'{text}' has no placeholder to expand"),
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
                let most = self.limits.tests_max;
                self.problems.add(
                    Code::Limit,
                    value.place,
                    format!("the placeholders of one value stand for more than {most} values"),
                );
                return Vec::new();
            }
        };
        forms.iter().flat_map(|form| self.test_of_text(value, form, modifiers)).collect()
    }

    /// The tests of one text; more than one if an encoding makes several texts of it.
    fn test_of_text(&mut self, value: &Value<'_>, text: &str, modifiers: &Modifiers) -> Vec<Test> {
        let test = match modifiers.kind {
            Kind::Plain => return self.plain(value, text, modifiers),
            Kind::Regex(flags) => self.regex(value, text, flags, modifiers.anchor),
            Kind::Cidr => self.cidr(value, text),
            Kind::Compare(ordinal) => match value.number_or_expanded(text, modifiers) {
                Some(number) => Some(Test::Compare(ordinal, number)),
                None => self.unfit(value, "a number", "remove the quotes, or use another modifier"),
            },
            Kind::Time(part, ordinal) => match value.number_or_expanded(text, modifiers) {
                Some(crate::Number::Int(number)) => {
                    let number = i64::try_from(number).unwrap_or(i64::MAX);
                    self.check_time(value, part, number);
                    Some(Test::Time(part, ordinal, number))
                }
                _ => self.unfit(value, "a whole number", "write the number without quotes"),
            },
            Kind::Exists => match value.scalar.kind {
                ScalarKind::Bool(wanted) => Some(Test::Exists(wanted)),
                _ => self.unfit(value, "true or false", "write true or false without quotes"),
            },
            Kind::FieldRef => match value.scalar.kind {
                ScalarKind::Text if !text.is_empty() => {
                    Some(Test::FieldRef { field: text.to_owned(), anchor: modifiers.anchor, case: modifiers.case })
                }
                _ => self.unfit(value, "the name of a field", "name the field to compare with"),
            },
        };
        test.into_iter().collect()
    }

    fn unfit(&mut self, value: &Value<'_>, wanted: &str, hint: &str) -> Option<Test> {
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

    fn regex(&mut self, value: &Value<'_>, text: &str, flags: RegexFlags, anchor: Anchor) -> Option<Test> {
        if text.is_empty() {
            return self.unfit(value, "a regular expression", "an empty one matches everything");
        }
        match RegexTest::new(text, flags, anchor, self.limits) {
            Ok(regex) => Some(Test::Regex(regex)),
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

    fn cidr(&mut self, value: &Value<'_>, text: &str) -> Option<Test> {
        let Some(network) = Network::parse(text) else {
            self.problems.add_with_hint(
                Code::Cidr,
                value.place,
                format!("'{}' is not a network", shortened(text)),
                "write an address and a prefix length, as in '10.0.0.0/8' or 'fe80::/10'",
            );
            return None;
        };
        Some(Test::Cidr(network))
    }

    /// A value without type modifier: by its own type, or as text.
    fn plain(&mut self, value: &Value<'_>, text: &str, modifiers: &Modifiers) -> Vec<Test> {
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
            ScalarKind::Null => return vec![Test::Null],
            ScalarKind::Bool(wanted) if !as_text => return vec![Test::Bool(wanted)],
            ScalarKind::Number(number) if !as_text => {
                return vec![Test::Number { number, written: text.to_owned() }];
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
            return vec![Test::Text { pattern, anchor: modifiers.anchor }];
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
    fn encoded(&mut self, value: &Value<'_>, text: &str, modifiers: &Modifiers) -> Vec<Test> {
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
        let mut tests = Vec::new();
        for literal in literals {
            match encode(&literal, &modifiers.encodings) {
                Ok(texts) => tests.extend(texts.iter().map(|text| Test::Text {
                    pattern: Pattern::literal(text, modifiers.case),
                    anchor: modifiers.anchor,
                })),
                Err(error) => {
                    self.report_encoding(value, error);
                    break;
                }
            }
        }
        tests
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

    fn conditions(&mut self, node: &Node, selections: &[Selection]) -> Vec<Condition> {
        let nodes: Vec<&Node> = match &node.content {
            Content::List(nodes) => nodes.iter().collect(),
            _ => vec![node],
        };
        if nodes.is_empty() {
            self.empty(node.position, "the list of conditions");
        }
        let mut used = BTreeSet::new();
        let mut conditions = Vec::new();
        for node in nodes {
            conditions.extend(self.condition(node, selections, &mut used));
        }
        for selection in selections {
            if !used.contains(selection.name.as_str()) && !conditions.is_empty() {
                self.problems.add_with_hint(
                    Code::UnusedSelection,
                    selection.position,
                    format!("the selection '{}' is in no condition", selection.name),
                    "name it in the condition, or remove it",
                );
            }
        }
        conditions
    }

    fn condition<'s>(
        &mut self,
        node: &Node,
        selections: &'s [Selection],
        used: &mut BTreeSet<&'s str>,
    ) -> Option<Condition> {
        let Content::Scalar(scalar) = &node.content else {
            let found = node.type_name();
            self.problems.add(Code::WrongType, node.position, format!("a condition must be text, not {found}"));
            return None;
        };
        if scalar.text.len() > self.limits.condition_bytes_max {
            let most = self.limits.condition_bytes_max;
            self.problems.add(Code::Limit, node.position, format!("the condition has more than {most} bytes"));
            return None;
        }
        let value = Value { scalar, place: node.position, is_keyword: false };
        let condition = match condition::parse(&scalar.text, self.limits.condition_depth_max) {
            Ok(condition) => condition,
            Err(error) => {
                let place = value.place_inside(error.offset);
                if error.aggregation {
                    self.problems.add_with_hint(
                        Code::ConditionAggregation,
                        place,
                        error.message,
                        "write a correlation rule (event_count, value_count, …) instead",
                    );
                } else {
                    self.problems.add(Code::ConditionSyntax, place, error.message);
                }
                return None;
            }
        };
        let mut all_known = true;
        condition.each_leaf(&mut |leaf| {
            all_known &= self.check_leaf(leaf, node.position, selections, used);
        });
        all_known.then_some(condition)
    }

    /// Notes the selections that a leaf of a condition uses; false if there are none.
    fn check_leaf<'s>(
        &mut self,
        leaf: &Condition,
        place: Position,
        selections: &'s [Selection],
        used: &mut BTreeSet<&'s str>,
    ) -> bool {
        let names = || selections.iter().map(|selection| selection.name.as_str());
        let (found, message, near): (Vec<&str>, String, Option<&str>) = match leaf {
            Condition::Selection(wanted) => (
                names().filter(|name| name == wanted).collect(),
                format!("the condition names '{wanted}', which is no selection of this rule"),
                nearest(wanted, names()),
            ),
            Condition::Of(_, target) => (
                names().filter(|name| target.includes(name)).collect(),
                match target {
                    Target::Them => "no selection is there for 'them'".to_owned(),
                    Target::Pattern(pattern) => format!("no selection has a name like '{pattern}'"),
                },
                None,
            ),
            _ => return true,
        };
        if found.is_empty() {
            let hint = match near {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("the selections are: {}", shortened(&names().collect::<Vec<_>>().join(", "))),
            };
            self.problems.add_with_hint(Code::UnknownSelection, place, message, hint);
            return false;
        }
        used.extend(found);
        true
    }
}

/// Most texts that `windash` may make of one value before it is encoded.
const DASH_FORMS_MAX: usize = 625;

/// A scalar value on its way to a test.
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
    fn number_or_expanded(&self, text: &str, modifiers: &Modifiers) -> Option<crate::Number> {
        match self.scalar.kind {
            ScalarKind::Number(number) => Some(number),
            _ if modifiers.expand => crate::Number::from_yaml(text),
            _ => None,
        }
    }
}

/// A text short enough for a message.
fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 80;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
