//! From the YAML of `correlation` to a [`Correlation`].

use super::alternatives::{ALTERNATIVES_MAX, alternatives};
use super::rule::{Alias, Comparison, Correlation, CorrelationCondition, CorrelationKind, Reference};
use super::timespan::Timespan;
use crate::condition::{self, Condition, Target};
use crate::limits::Limits;
use crate::number::Number;
use crate::problem::{Code, Position, Problems, shortened};
use crate::suggest::nearest;
use crate::yaml::{Content, Entry, Node, Scalar, ScalarKind};

const KEYS: [&str; 7] = ["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"];

/// Most rules of one correlation.
pub(super) const RULES_MAX: usize = 64;
/// Largest whole number that a count is compared with.
const COUNT_MAX: i128 = 1_000_000;
/// Most fields in `group-by`, `field` and `aliases`.
const FIELDS_MAX: usize = 32;

/// Reads the section. What is wrong is added to `problems`; with an error in it the result must not be
/// used. `generate` may stand beside the section, as the text has it, or in it.
pub(crate) fn parse(
    entry: &Entry,
    generate: Option<&Entry>,
    limits: &Limits,
    problems: &mut Problems<'_>,
) -> Option<Correlation> {
    let mut section = Section::new("correlation", entry, problems)?;
    section.check_keys(&KEYS);
    let kind = section.kind_of(&CorrelationKind::ALL, "correlation")?;
    let condition_entry = section.get("condition");
    let mut rules = section.references("rules");
    if rules.is_none()
        && kind.is_temporal()
        && let Some(Entry { value: Node { content: Content::Scalar(scalar), position }, .. }) = condition_entry
        && let Ok(condition) = condition::parse(&scalar.text, limits.condition_depth_max)
    {
        rules = Some(names_of(&condition, *position));
    }
    if rules.is_none() {
        section.missing("rules", "list the ids or names of the rules whose events are looked at");
    }
    let rules = rules.unwrap_or_default();
    section.check_rules(&rules)?;
    let group_by = section.names("group-by");
    if group_by.is_none() {
        section.problems.add_with_hint(
            Code::Ungrouped,
            section.place,
            "the correlation has no 'group-by', so that all events count together",
            "name the fields that must be the same, such as a host or a user, or write 'group-by: []' if this is meant",
        );
    }
    let group_by = group_by.unwrap_or_default();
    let timespan = section.timespan("timespan");
    let aliases = section.aliases();
    let generate = section.generate(generate);
    let mut counted = Counted::default();
    let condition = section.condition(kind, condition_entry, &rules, limits, &mut counted)?;
    if kind.needs_field() && counted.fields.is_empty() {
        let place = condition_entry.map_or(section.place, |entry| entry.key_position);
        section.problems.add_with_hint(
            Code::Missing,
            place,
            format!("the condition of '{kind}' has no 'field'"),
            "add 'field:' with the name of the field whose values are looked at",
        );
    }
    if counted.fields.len() > 1 && kind != CorrelationKind::ValueCount {
        section.problems.add_with_hint(
            Code::CorrelationCondition,
            counted.place,
            format!("'{kind}' looks at one field, not at {}", counted.fields.len()),
            "only 'value_count' counts several fields, as tuples",
        );
    }
    for (word, is_there) in [
        ("field", !counted.fields.is_empty() && !kind.needs_field()),
        ("percentile", counted.percentile.is_some() && kind != CorrelationKind::ValuePercentile),
    ] {
        if is_there {
            section.problems.add_with_hint(
                Code::CorrelationCondition,
                counted.place,
                format!("'{kind}' does not use '{word}'"),
                "remove it, or use another type",
            );
        }
    }
    if kind == CorrelationKind::ValuePercentile && counted.percentile.is_none() {
        section.problems.add_with_hint(
            Code::ValueSuspicious,
            condition_entry.map_or(section.place, |entry| entry.key_position),
            "without 'percentile' the condition is about the share of the event's own value, in per cent",
            "add 'percentile: 95' to look at a percentile of numbers",
        );
    }
    Some(Correlation {
        kind,
        rules,
        group_by,
        timespan: timespan?,
        condition,
        fields: counted.fields,
        percentile: counted.percentile,
        aliases,
        generate,
    })
}

/// `field` and `percentile` of a condition.
#[derive(Default)]
struct Counted {
    fields: Vec<String>,
    percentile: Option<f64>,
    place: Position,
}

fn names_of(condition: &Condition, position: Position) -> Vec<Reference> {
    let mut names: Vec<Reference> = Vec::new();
    condition.each_leaf(&mut |leaf| {
        if let Condition::Selection(name) = leaf
            && names.iter().all(|known| known.text != *name)
        {
            names.push(Reference { text: name.clone(), position });
        }
    });
    names
}

/// A map under one key of a document, read key by key.
pub(crate) struct Section<'e, 'r, 'p> {
    pub(crate) name: &'static str,
    pub(crate) place: Position,
    entries: &'e [Entry],
    pub(crate) problems: &'r mut Problems<'p>,
}

impl<'e, 'r, 'p> Section<'e, 'r, 'p> {
    pub(crate) fn new(name: &'static str, entry: &'e Entry, problems: &'r mut Problems<'p>) -> Option<Self> {
        let Content::Map(entries) = &entry.value.content else {
            let found = entry.value.type_name();
            problems.add(Code::WrongType, entry.value.position, format!("'{name}' must be a map, not {found}"));
            return None;
        };
        Some(Self { name, place: entry.key_position, entries, problems })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'e Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn missing(&mut self, key: &str, hint: &str) {
        let message = format!("'{}' has no '{key}'", self.name);
        self.problems.add_with_hint(Code::Missing, self.place, message, hint);
    }

    /// Warns of keys that are not known.
    pub(crate) fn check_keys(&mut self, known: &[&str]) {
        for entry in self.entries {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            let hint = match nearest(&entry.key, known.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("the keys are {}", known.join(", ")),
            };
            let message = format!("'{}' is no key of '{}'", shortened(&entry.key), self.name);
            self.problems.add_with_hint(Code::MisspeltKey, entry.key_position, message, hint);
        }
    }

    /// `type`, one of `words`.
    pub(crate) fn kind_of<T: Copy>(&mut self, words: &[(&'static str, T)], noun: &str) -> Option<T> {
        let list = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let Some(entry) = self.get("type") else {
            self.missing("type", &format!("use one of {}", list()));
            return None;
        };
        let text = self.text(entry)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let hint = match nearest(&text, words.iter().map(|(word, _)| *word)) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("use one of {}", list()),
            };
            let message = format!("there is no {noun} of the type '{}'", shortened(&text));
            self.problems.add_with_hint(Code::UnknownType, entry.value.position, message, hint);
        }
        found.map(|(_, kind)| *kind)
    }

    pub(crate) fn wrong_type(&mut self, key: &str, node: &Node, wanted: &str) {
        let message = format!("'{key}' must be {wanted}, not {}", node.type_name());
        self.problems.add(Code::WrongType, node.position, message);
    }

    pub(crate) fn text(&mut self, entry: &Entry) -> Option<String> {
        match scalar(&entry.value) {
            Some(scalar) => Some(scalar.text.clone()),
            None => {
                self.wrong_type(&entry.key, &entry.value, "text");
                None
            }
        }
    }

    /// Texts with their places; one text alone is a list of one. `None` if the key is absent.
    pub(crate) fn references(&mut self, key: &str) -> Option<Vec<Reference>> {
        let entry = self.get(key)?;
        let nodes = match &entry.value.content {
            Content::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        let mut references: Vec<Reference> = Vec::new();
        for node in nodes {
            let Some(scalar) = scalar(node) else {
                self.wrong_type(key, node, "text or a list of texts");
                continue;
            };
            if references.iter().any(|known| known.text == scalar.text) {
                let message = format!("'{}' stands twice in '{key}'", shortened(&scalar.text));
                self.problems.add_with_hint(Code::ValueSuspicious, node.position, message, "remove one");
                continue;
            }
            references.push(Reference { text: scalar.text.clone(), position: node.position });
        }
        // An empty `group-by` says on purpose that all events count together.
        if nodes.is_empty() && key != "group-by" {
            let message = format!("the list of '{key}' is empty");
            self.problems.add_with_hint(Code::Empty, entry.value.position, message, "fill it, or remove the key");
        }
        Some(references)
    }

    /// Names of fields.
    pub(crate) fn names(&mut self, key: &str) -> Option<Vec<String>> {
        let references = self.references(key)?;
        if references.len() > FIELDS_MAX {
            let message = format!("'{key}' has more than {FIELDS_MAX} fields");
            self.problems.add(Code::Limit, references[0].position, message);
        }
        for reference in references.iter().filter(|reference| reference.text.trim().is_empty()) {
            let message = format!("a name in '{key}' is empty");
            self.problems.add_with_hint(Code::Empty, reference.position, message, "write the name of a field");
        }
        Some(references.into_iter().map(|reference| reference.text).collect())
    }

    /// A span of time; reports if it is absent.
    pub(crate) fn timespan(&mut self, key: &str) -> Option<Timespan> {
        let Some(entry) = self.get(key) else {
            self.missing(key, "write a number and a letter: 30s, 5m, 1h, 7d");
            return None;
        };
        let text = self.text(entry)?;
        let span = Timespan::parse(&text);
        if span.is_none() {
            self.problems.add_with_hint(
                Code::Timespan,
                entry.value.position,
                format!("'{}' is no span of time", shortened(&text)),
                "write a number above 0 and one of s, m, h, d, w, M, y: 90m is one hour and a half; at most 10y",
            );
        }
        span
    }

    fn check_rules(&mut self, rules: &[Reference]) -> Option<()> {
        if let Some(reference) = rules.get(RULES_MAX) {
            self.problems.add_with_hint(
                Code::Limit,
                reference.position,
                format!("the correlation has more than {RULES_MAX} rules"),
                "split it, and correlate the parts",
            );
            return None;
        }
        Some(())
    }

    fn aliases(&mut self) -> Vec<Alias> {
        let Some(entry) = self.get("aliases") else { return Vec::new() };
        let Content::Map(entries) = &entry.value.content else {
            self.wrong_type("aliases", &entry.value, "a map");
            return Vec::new();
        };
        if entries.len() > FIELDS_MAX {
            let message = format!("there are more than {FIELDS_MAX} aliases");
            self.problems.add(Code::Limit, entry.value.position, message);
            return Vec::new();
        }
        entries.iter().filter_map(|entry| self.alias(entry)).collect()
    }

    fn alias(&mut self, entry: &Entry) -> Option<Alias> {
        let Content::Map(pairs) = &entry.value.content else {
            self.wrong_type(&entry.key, &entry.value, "a map of rules and fields");
            return None;
        };
        let mut fields = Vec::new();
        for pair in pairs {
            let Some(scalar) = scalar(&pair.value) else {
                self.wrong_type(&pair.key, &pair.value, "the name of a field");
                continue;
            };
            let reference = Reference { text: pair.key.clone(), position: pair.key_position };
            fields.push((reference, scalar.text.clone()));
        }
        Some(Alias { name: entry.key.clone(), fields })
    }

    fn generate(&mut self, outside: Option<&Entry>) -> Option<bool> {
        let entry = self.get("generate").or(outside)?;
        match scalar(&entry.value).map(|scalar| scalar.kind) {
            Some(ScalarKind::Bool(value)) => Some(value),
            _ => {
                self.wrong_type("generate", &entry.value, "'true' or 'false'");
                None
            }
        }
    }

    fn condition(
        &mut self,
        kind: CorrelationKind,
        entry: Option<&Entry>,
        rules: &[Reference],
        limits: &Limits,
        counted: &mut Counted,
    ) -> Option<CorrelationCondition> {
        let Some(entry) = entry else {
            if kind.is_temporal() {
                return Some(CorrelationCondition::EveryRule);
            }
            self.missing("condition", "say how many are needed, as in 'condition: {gte: 10}'");
            return None;
        };
        match &entry.value.content {
            Content::Map(entries) => self.comparisons(kind, entry, entries, rules, counted),
            Content::Scalar(scalar) if scalar.kind == ScalarKind::Text && kind.is_temporal() => {
                self.boolean(scalar, entry.value.position, rules, limits)
            }
            Content::Scalar(scalar) if scalar.kind == ScalarKind::Text => {
                self.problems.add_with_hint(
                    Code::CorrelationCondition,
                    entry.value.position,
                    format!("a condition over rules belongs to 'temporal', not to '{kind}'"),
                    "write a comparison, as in 'condition: {gte: 10}'",
                );
                None
            }
            _ => {
                self.wrong_type("condition", &entry.value, "a map such as '{gte: 10}'");
                None
            }
        }
    }

    fn boolean(
        &mut self,
        scalar: &Scalar,
        place: Position,
        rules: &[Reference],
        limits: &Limits,
    ) -> Option<CorrelationCondition> {
        if scalar.text.len() > limits.condition_bytes_max {
            let message = format!("the condition has more than {} bytes", limits.condition_bytes_max);
            self.problems.add(Code::Limit, place, message);
            return None;
        }
        let condition = match condition::parse(&scalar.text, limits.condition_depth_max) {
            Ok(condition) => condition,
            Err(error) => {
                let column = scalar.text_offset.map_or(place.column, |before| place.column + before + error.offset);
                self.problems.add(Code::ConditionSyntax, Position { column, ..place }, error.message);
                return None;
            }
        };
        let mut used = vec![false; rules.len()];
        let mut sound = true;
        condition.each_leaf(&mut |leaf| {
            let meant = |name: &str| match leaf {
                Condition::Selection(wanted) => wanted == name,
                Condition::Of(_, Target::Them) => true,
                Condition::Of(_, target) => target.includes(name),
                _ => false,
            };
            let mut any = false;
            for (used, rule) in used.iter_mut().zip(rules) {
                if meant(&rule.text) {
                    any = true;
                    *used = true;
                }
            }
            if !any {
                sound = false;
                let hint = match leaf {
                    Condition::Selection(wanted) => nearest(wanted, rules.iter().map(|rule| rule.text.as_str())),
                    _ => None,
                };
                let hint = match hint {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => "add the rule to 'rules', by the same name".to_owned(),
                };
                let message = format!("the condition names '{leaf}', which is none of the rules");
                self.problems.add_with_hint(Code::CorrelationCondition, place, message, hint);
            }
        });
        for (rule, _) in rules.iter().zip(&used).filter(|(_, used)| !**used) {
            self.problems.add_with_hint(
                Code::UnusedSelection,
                rule.position,
                format!("the rule '{}' is not in the condition", shortened(&rule.text)),
                "name it in the condition, or remove it from 'rules'",
            );
        }
        if sound && alternatives(&condition, rules).is_none_or(|ways| ways.is_empty()) {
            self.problems.add_with_hint(
                Code::Limit,
                place,
                format!("the condition cannot hold, or has more than {ALTERNATIVES_MAX} alternatives"),
                "split the correlation, and correlate the parts",
            );
            return None;
        }
        sound.then_some(CorrelationCondition::Boolean(condition))
    }

    fn comparisons(
        &mut self,
        kind: CorrelationKind,
        entry: &Entry,
        entries: &[Entry],
        rules: &[Reference],
        counted: &mut Counted,
    ) -> Option<CorrelationCondition> {
        let mut comparisons: Vec<(Comparison, Number)> = Vec::new();
        let mut inner =
            Section { name: "condition", place: entry.key_position, entries, problems: &mut *self.problems };
        let mut sound = true;
        for part in entries {
            match part.key.as_str() {
                "field" => {
                    counted.place = part.key_position;
                    counted.fields = inner.names("field").unwrap_or_default();
                }
                "percentile" => {
                    counted.place = part.key_position;
                    counted.percentile = inner.percentile(part);
                }
                word => match Comparison::ALL.iter().find(|(known, _)| *known == word) {
                    Some((_, comparison)) => match inner.number(kind, part) {
                        Some(number) => comparisons.push((*comparison, number)),
                        None => sound = false,
                    },
                    None => {
                        sound = false;
                        let words = Comparison::ALL.iter().map(|(word, _)| *word).chain(["field", "percentile"]);
                        let hint = match nearest(word, words) {
                            Some(near) => format!("did you mean '{near}'?"),
                            None => "the comparisons are gt, gte, lt, lte, eq and neq".to_owned(),
                        };
                        let message = format!("a condition cannot have '{}'", shortened(word));
                        inner.problems.add_with_hint(Code::CorrelationCondition, part.key_position, message, hint);
                    }
                },
            }
        }
        if comparisons.is_empty() {
            if sound && kind.is_temporal() {
                return Some(CorrelationCondition::EveryRule);
            }
            if sound {
                self.problems.add_with_hint(
                    Code::Missing,
                    entry.key_position,
                    "the condition has no comparison",
                    "add one of gt, gte, lt, lte, eq, neq with a number",
                );
            }
            return None;
        }
        if !sound {
            return None;
        }
        self.check_comparisons(kind, &comparisons, entry.key_position, rules)
            .then_some(CorrelationCondition::Compare(comparisons))
    }

    fn check_comparisons(
        &mut self,
        kind: CorrelationKind,
        comparisons: &[(Comparison, Number)],
        place: Position,
        rules: &[Reference],
    ) -> bool {
        if let [first, rest @ ..] = comparisons
            && !rest.is_empty()
        {
            let both = |first: Comparison, second: Comparison| first.is_lower_bound() && second.is_upper_bound();
            let range = matches!(rest, [second] if both(first.0, second.0) || both(second.0, first.0));
            if !range {
                self.problems.add_with_hint(
                    Code::CorrelationCondition,
                    place,
                    "these comparisons do not make a range",
                    "use one comparison, or one lower bound (gt, gte) with one upper bound (lt, lte)",
                );
                return false;
            }
        }
        if !kind.counts() {
            return true;
        }
        let most = if kind.is_temporal() { rules.len() as i128 } else { COUNT_MAX + 1 };
        let accepts =
            |count: i128| comparisons.iter().all(|(comparison, than)| comparison.holds(Number::Int(count), *than));
        // What can hold at all holds at a bound or beside it.
        let near = comparisons.iter().filter_map(|(_, than)| match than {
            Number::Int(than) => Some(*than),
            Number::Float(_) => None,
        });
        let possible =
            near.flat_map(|than| [than - 1, than, than + 1]).any(|count| (1..=most).contains(&count) && accepts(count));
        if !possible {
            self.problems.add_with_hint(
                Code::CorrelationCondition,
                place,
                "no number of events fulfils this condition",
                if kind.is_temporal() {
                    "there are fewer rules; compare with their number at most"
                } else {
                    "widen it"
                },
            );
            return false;
        }
        if accepts(1) {
            self.problems.add_with_hint(
                Code::ValueSuspicious,
                place,
                "the condition holds for the first event already",
                "events are counted as they come; only a lower bound above 1 makes the correlation wait for more",
            );
        }
        true
    }

    fn number(&mut self, kind: CorrelationKind, entry: &Entry) -> Option<Number> {
        let Some(ScalarKind::Number(found)) = scalar(&entry.value).map(|scalar| scalar.kind) else {
            self.wrong_type(&entry.key, &entry.value, "a number");
            return None;
        };
        match found {
            Number::Int(count) if kind.counts() && !(0..=COUNT_MAX).contains(&count) => {
                let message = format!("'{}' must be a count from 0 to {COUNT_MAX}", entry.key);
                self.problems.add(Code::CorrelationCondition, entry.value.position, message);
                None
            }
            Number::Float(float) if kind.counts() || !float.is_finite() => {
                let message = format!("'{}' must be a {}number", entry.key, if kind.counts() { "whole " } else { "" });
                self.problems.add(Code::CorrelationCondition, entry.value.position, message);
                None
            }
            number => Some(number),
        }
    }

    fn percentile(&mut self, entry: &Entry) -> Option<f64> {
        let rank = match scalar(&entry.value).map(|scalar| scalar.kind) {
            Some(ScalarKind::Number(Number::Int(int))) => int as f64,
            Some(ScalarKind::Number(Number::Float(float))) => float,
            _ => f64::NAN,
        };
        if (0.0..=100.0).contains(&rank) {
            return Some(rank);
        }
        self.problems.add_with_hint(
            Code::CorrelationCondition,
            entry.value.position,
            "'percentile' must be a number from 0 to 100",
            "50 is the median, 95 a usual choice",
        );
        None
    }
}

/// A scalar that is not null.
pub(crate) fn scalar(node: &Node) -> Option<&Scalar> {
    match &node.content {
        Content::Scalar(scalar) if scalar.kind != ScalarKind::Null => Some(scalar),
        _ => None,
    }
}
