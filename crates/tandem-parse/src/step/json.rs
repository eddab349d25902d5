//! `json`: an object flattened to dotted names.

use crate::compile::Compiler;
use crate::source::Source;
use crate::step::{from, input};
use crate::work::Work;
use crate::yaml::{Data, Node};
use serde_json::Value as Json_;
use tandem_model::Value;

/// Objects nested deeper are kept as their JSON text.
const DEPTH_MAX: usize = 24;

/// The step's options.
#[derive(Debug, Clone, Default)]
pub(crate) struct Json {
    from: Option<Source>,
    at: Option<String>,
    prefix: String,
    pairs: Vec<Pair>,
    keep: Vec<String>,
    depth: Option<usize>,
    ecs: bool,
}

/// A list of name-and-value objects that becomes fields.
#[derive(Debug, Clone)]
struct Pair {
    at: String,
    name: String,
    value: String,
    flat: bool,
}

impl Json {
    pub(crate) fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Self {
        node.refuse_unknown("json", &["from", "at", "prefix", "pairs", "keep", "depth", "ecs"], compiler.problems);
        if !matches!(node.data, Data::Map(_)) && !node.is_null() {
            compiler.problems.shape(node.line, "json takes a map of options; write `json: {}` without any");
        }
        let mut text = |key: &str| node.get(key).map(|node| node.text(key, compiler.problems));
        let (at, prefix) = (text("at"), text("prefix").unwrap_or_default());
        let mut pairs = Vec::new();
        for pair in node.get("pairs").map(Node::list).unwrap_or_default() {
            pair.refuse_unknown("a pair", &["at", "name", "value", "flat"], compiler.problems);
            let mut text = |key: &str| match pair.get(key) {
                Some(node) => node.text(key, compiler.problems),
                None => {
                    compiler.problems.shape(pair.line, format!("a pair needs `{key}`"));
                    String::new()
                }
            };
            let (at, name, value) = (text("at"), text("name"), text("value"));
            let flat = pair.get("flat").is_some_and(|node| node.truth("flat", compiler.problems));
            pairs.push(Pair { at, name, value, flat });
        }
        let keep = node.get("keep").map(|node| node.texts("keep", compiler.problems)).unwrap_or_default();
        let depth = node.get("depth").and_then(|node| {
            let depth = node.as_text().and_then(|text| text.parse().ok());
            if depth.is_none() {
                compiler.problems.shape(node.line, "depth is a whole number");
            }
            depth
        });
        let ecs = node.get("ecs").is_some_and(|node| node.truth("ecs", compiler.problems));
        Self { from: from(node, compiler), at, prefix, pairs, keep, depth, ecs }
    }

    pub(crate) fn run(&self, work: &mut Work<'_, '_>) -> Result<(), String> {
        let parsed = match work.json.take().filter(|_| self.from.is_none()) {
            Some(parsed) => parsed,
            None => parse(&input(work, self.from.as_ref())?)?,
        };
        let root = match &self.at {
            None => &parsed,
            Some(path) => find(&parsed, path).ok_or_else(|| format!("there is no `{path}`"))?,
        };
        if !root.is_object() {
            return Err("it is no JSON object".to_owned());
        }
        let mut name = self.prefix.clone();
        self.flatten(root, &mut name, 0, false, work);
        Ok(())
    }

    fn flatten(&self, value: &Json_, name: &mut String, depth: usize, append: bool, work: &mut Work<'_, '_>) {
        match value {
            Json_::Object(object) => {
                if depth > 0 && !append && self.keep.contains(name) {
                    self.set(name, Value::from(value.to_string()), append, work);
                }
                if depth >= self.depth.unwrap_or(DEPTH_MAX).min(DEPTH_MAX) {
                    self.set(name, Value::from(value.to_string()), append, work);
                    return;
                }
                for (key, inner) in object {
                    let length = name.len();
                    if depth > 0 {
                        name.push('.');
                    }
                    name.push_str(key);
                    self.flatten(inner, name, depth + 1, append, work);
                    name.truncate(length);
                }
            }
            Json_::Array(items) => {
                if self.keep.contains(name) {
                    self.set(name, Value::from(value.to_string()), append, work);
                }
                if let Some(pair) = self.pairs.iter().find(|pair| pair.at == *name) {
                    self.pairs(pair, items, name, depth, work);
                    return;
                }
                if items.iter().all(|item| !item.is_object() && !item.is_array()) {
                    let values: Vec<Value> = items.iter().filter_map(scalar).collect();
                    if !values.is_empty() {
                        self.set(name, Value::List(values), append, work);
                    }
                } else if depth >= DEPTH_MAX {
                    self.set(name, Value::from(value.to_string()), append, work);
                } else {
                    for item in items {
                        self.flatten(item, name, depth + 1, true, work);
                    }
                }
            }
            single => {
                if let Some(value) = scalar(single) {
                    self.set(name, value, append, work);
                }
            }
        }
    }

    fn pairs(&self, pair: &Pair, items: &[Json_], name: &mut String, depth: usize, work: &mut Work<'_, '_>) {
        for item in items {
            let (Some(key), Some(value)) = (item.get(&pair.name).and_then(Json_::as_str), item.get(&pair.value)) else {
                continue;
            };
            let whole = if pair.flat { key.to_owned() } else { format!("{name}.{key}") };
            let mut whole = whole;
            self.flatten(value, &mut whole, depth + 1, false, work);
        }
    }

    fn set(&self, name: &str, value: Value, append: bool, work: &mut Work<'_, '_>) {
        let id = work.id(name);
        if self.ecs && work.scratch.names.get(id).is_common() {
            work.scratch.common.set(id, value);
        } else if append && work.scratch.vendor.get(id).is_some() {
            work.scratch.vendor.append(id, value);
        } else {
            work.set_vendor(id, value);
        }
    }
}

/// A JSON document; the error is a sentence.
pub(crate) fn parse(text: &str) -> Result<Json_, String> {
    serde_json::from_str(text).map_err(|error| format!("it is not readable as JSON ({error})"))
}

/// The value at a dotted path; a key that has the dots itself is found, too.
pub(crate) fn find<'j>(value: &'j Json_, path: &str) -> Option<&'j Json_> {
    if let Some(found) = value.get(path) {
        return Some(found);
    }
    let (head, rest) = path.split_once('.')?;
    find(value.get(head)?, rest)
}

/// A value that is not a list or an object; null is none.
pub(crate) fn scalar(value: &Json_) -> Option<Value> {
    Some(match value {
        Json_::Bool(value) => Value::Bool(*value),
        Json_::String(text) => Value::text(text),
        Json_::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(long), _) => Value::Long(long),
            (None, _) if number.is_u64() => Value::from(number.to_string()),
            (None, Some(double)) => Value::Double(double),
            (None, None) => Value::from(number.to_string()),
        },
        Json_::Null | Json_::Array(_) | Json_::Object(_) => return None,
    })
}

/// Flattens an object that no parser knows; names of common columns go to the common layer.
pub(crate) fn flatten_ecs(object: &Json_, work: &mut Work<'_, '_>) {
    Json { ecs: true, ..Json::default() }.flatten(object, &mut String::new(), 0, false, work);
}
