//! YAML as a tree of nodes that know their line, and readers of maps that refuse unknown keys.

use crate::problem::Problems;
use saphyr_parser::{Event, Parser, ScalarStyle};

/// Nesting beyond this is refused: parsers are written by people.
const DEPTH_MAX: usize = 32;
/// A parser file larger than this is refused.
const FILE_BYTES_MAX: usize = 1 << 20;

/// A node of the tree.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) data: Data,
}

#[derive(Debug, Clone)]
pub(crate) enum Data {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// A scalar: plain ones have the types of YAML's core schema, quoted ones are texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Long(i64),
    Double(f64),
    Text(String),
}

impl Scalar {
    fn plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" => return Self::Null,
            "true" => return Self::Bool(true),
            "false" => return Self::Bool(false),
            _ => {}
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let numeric = digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
            && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."));
        if numeric {
            if let Ok(number) = text.parse() {
                return Self::Long(number);
            }
            if let Ok(number) = text.parse() {
                return Self::Double(number);
            }
        }
        Self::Text(text.to_owned())
    }

    /// The scalar as text; null has none.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Bool(value) => Some(value.to_string()),
            Self::Long(value) => Some(value.to_string()),
            Self::Double(value) => Some(value.to_string()),
            Self::Text(text) => Some(text.clone()),
        }
    }
}

impl Node {
    pub(crate) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Scalar(Scalar::Null) => "nothing",
            Data::Scalar(Scalar::Text(_)) => "a text",
            Data::Scalar(_) => "a number or truth value",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.data, Data::Scalar(Scalar::Null))
    }

    /// The scalar's text, if it is a scalar and not null.
    pub(crate) fn as_text(&self) -> Option<String> {
        match &self.data {
            Data::Scalar(scalar) => scalar.text(),
            _ => None,
        }
    }

    /// A text; anything else is a problem.
    pub(crate) fn text(&self, what: &str, problems: &mut Problems) -> String {
        self.as_text().unwrap_or_else(|| {
            problems.shape(self.line, format!("{what} must be a text, not {}", self.kind()));
            String::new()
        })
    }

    /// A text or a list of texts.
    pub(crate) fn texts(&self, what: &str, problems: &mut Problems) -> Vec<String> {
        match &self.data {
            Data::List(items) => items.iter().map(|item| item.text(what, problems)).collect(),
            _ => vec![self.text(what, problems)],
        }
    }

    /// A truth value.
    pub(crate) fn truth(&self, what: &str, problems: &mut Problems) -> bool {
        match &self.data {
            Data::Scalar(Scalar::Bool(value)) => *value,
            _ => {
                problems.shape(self.line, format!("{what} must be true or false, not {}", self.kind()));
                false
            }
        }
    }

    /// A map's entries; anything else is a problem.
    pub(crate) fn map(&self, what: &str, problems: &mut Problems) -> &[(String, Node)] {
        match &self.data {
            Data::Map(entries) => entries,
            Data::Scalar(Scalar::Null) => &[],
            _ => {
                problems.shape(self.line, format!("{what} must be a map, not {}", self.kind()));
                &[]
            }
        }
    }

    /// A list, or the single node as a list of one; null is an empty list.
    pub(crate) fn list(&self) -> &[Node] {
        match &self.data {
            Data::List(items) => items,
            Data::Scalar(Scalar::Null) => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The value of `key` in a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.data {
            Data::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// Reports keys of a map that are not in `known`.
    pub(crate) fn refuse_unknown(&self, what: &str, known: &[&str], problems: &mut Problems) {
        let Data::Map(entries) = &self.data else { return };
        for (key, node) in entries {
            if !known.contains(&key.as_str()) {
                problems.add(
                    "parser.unknown_key",
                    node.line,
                    format!("{what} has no key `{key}`; it has {}", known.join(", ")),
                );
            }
        }
    }
}

/// The one document of a file; `None` with problems added when it is no YAML of use.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    if text.len() > FILE_BYTES_MAX {
        problems.add("parser.syntax", 1, format!("the file is larger than {FILE_BYTES_MAX} bytes"));
        return None;
    }
    let mut stack: Vec<Open> = Vec::new();
    let mut root = None;
    for next in Parser::new_from_str(text) {
        let (event, span) = match next {
            Ok(next) => next,
            Err(error) => {
                problems.add("parser.syntax", error.marker().line(), format!("not readable as YAML: {}", error.info()));
                return None;
            }
        };
        let line = span.start.line();
        let done = match event {
            Event::Scalar(text, style, ..) => {
                let scalar =
                    if style == ScalarStyle::Plain { Scalar::plain(&text) } else { Scalar::Text(text.into_owned()) };
                Node { line, data: Data::Scalar(scalar) }
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if stack.len() >= DEPTH_MAX {
                    problems.add("parser.syntax", line, format!("nested deeper than {DEPTH_MAX} levels"));
                    return None;
                }
                stack.push(match event {
                    Event::SequenceStart(..) => Open::List(line, Vec::new()),
                    _ => Open::Map(line, Vec::new(), None),
                });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match stack.pop() {
                Some(Open::List(line, items)) => Node { line, data: Data::List(items) },
                Some(Open::Map(line, entries, _)) => Node { line, data: Data::Map(entries) },
                None => continue,
            },
            Event::Alias(_) => {
                problems.add("parser.syntax", line, "aliases (`*name`) are not read; write it out");
                return None;
            }
            Event::DocumentStart(_) if root.is_some() => {
                problems.add("parser.syntax", line, "a parser file holds one document");
                return root;
            }
            _ => continue,
        };
        match stack.last_mut() {
            None => root = Some(done),
            Some(Open::List(_, items)) => items.push(done),
            Some(Open::Map(_, entries, key)) => match key.take() {
                None => match done.as_text() {
                    Some(text) => *key = Some(text),
                    None if done.is_null() => *key = Some("~".to_owned()),
                    None => {
                        problems.add("parser.syntax", done.line, "a key must be a text");
                        return None;
                    }
                },
                Some(name) => {
                    if entries.iter().any(|(other, _)| *other == name) {
                        problems.add("parser.twice", done.line, format!("key `{name}` stands twice in this map"));
                    }
                    entries.push((name, done));
                }
            },
        }
    }
    if root.is_none() {
        problems.add("parser.syntax", 1, "the file is empty");
    }
    root
}

enum Open {
    List(usize, Vec<Node>),
    Map(usize, Vec<(String, Node)>, Option<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_know_their_line_and_type() {
        let mut problems = Problems::new("x");
        let root = parse("a: 1\nb:\n  - '2'\n  - 0x10\n  - 007\n  - ~\n", &mut problems).unwrap();
        assert!(problems.list.is_empty());
        let list = root.get("b").unwrap().list();
        assert_eq!(list[0].line, 3);
        assert!(matches!(&list[0].data, Data::Scalar(Scalar::Text(text)) if text == "2"));
        assert!(matches!(&list[1].data, Data::Scalar(Scalar::Text(text)) if text == "0x10"));
        assert!(matches!(&list[2].data, Data::Scalar(Scalar::Text(text)) if text == "007"));
        assert!(list[3].is_null());
    }

    #[test]
    fn reports_what_is_no_tree_of_use() {
        for (text, line) in [("a: [1", 1), ("a: &x 1\nb: *x\n", 2), ("a: 1\na: 2\n", 2), ("", 1)] {
            let mut problems = Problems::new("x");
            parse(text, &mut problems);
            assert!(problems.list.len() == 1 && problems.list[0].line >= line, "{text:?} {:?}", problems.list);
        }
    }
}
