//! YAML with positions: a tree in which every node knows its place and every scalar its type.
//!
//! Scalars are typed by the YAML 1.2 core schema, and only when written plain: `1` is a number,
//! `'1'` is text, `yes` is text, a date is text. A key that stands twice is an error.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use crate::limits::Limits;
use crate::number::Number;
use crate::problem::{Code, Position, Problems};

/// A node of the tree.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value; keys are scalars, taken as text.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_position: Position,
    pub(crate) value: Node,
}

/// A scalar: its type, its text as written (escapes of YAML resolved), and whether text columns
/// can be added to its position (it stands on one line and has no escapes).
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) kind: ScalarKind,
    pub(crate) text: String,
    /// Column offset of the first character of `text` from the node's position, if a problem
    /// inside the text can be pointed at.
    pub(crate) text_offset: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ScalarKind {
    Null,
    Bool(bool),
    Number(Number),
    Text,
}

impl Node {
    /// A name of the node's type for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.content {
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
            Content::Scalar(scalar) => match scalar.kind {
                ScalarKind::Null => "null",
                ScalarKind::Bool(_) => "a boolean",
                ScalarKind::Number(_) => "a number",
                ScalarKind::Text => "text",
            },
        }
    }
}

/// One document of a text.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) root: Node,
    /// False if a problem of the YAML itself was reported inside this document.
    pub(crate) sound: bool,
}

impl Document {
    /// True if the document has no content.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.root.content, Content::Scalar(scalar) if scalar.kind == ScalarKind::Null)
    }
}

/// All documents of a text. What is wrong is added to `problems`; documents that were complete
/// before a syntax error are kept.
pub(crate) fn parse(text: &str, limits: &Limits, problems: &mut Problems<'_>) -> Vec<Document> {
    let start = Position { line: 1, column: 1 };
    if text.len() > limits.text_bytes_max {
        problems.add_with_hint(
            Code::Limit,
            start,
            format!("the text has {} bytes, at most {} are read", text.len(), limits.text_bytes_max),
            "split the file",
        );
        return Vec::new();
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::new(limits, problems);
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        match next {
            Ok((event, span)) => {
                if builder.take(event, span).is_break() {
                    break;
                }
            }
            Err(error) => {
                let place = position(*error.marker());
                builder.problems.add(Code::YamlSyntax, place, error.info());
                break;
            }
        }
    }
    builder.documents
}

/// Builds trees from parser events on a stack of its own, so that nesting cannot exhaust ours.
struct Builder<'l, 'p, 'n> {
    limits: &'l Limits,
    problems: &'p mut Problems<'n>,
    documents: Vec<Document>,
    open: Vec<Open>,
    /// Finished nodes that carry an anchor, with the number of nodes in them.
    anchors: BTreeMap<usize, (Node, usize)>,
    /// Nodes of the current document so far.
    node_count: usize,
    sound: bool,
    /// The rest of the current document is skipped.
    skipping: bool,
}

/// A list or map that has begun and not yet ended.
struct Open {
    position: Position,
    anchor: usize,
    nodes_before: usize,
    children: Children,
}

enum Children {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: HashSet<String>, pending: Option<(String, Position)> },
}

impl<'l, 'p, 'n> Builder<'l, 'p, 'n> {
    fn new(limits: &'l Limits, problems: &'p mut Problems<'n>) -> Self {
        Self {
            limits,
            problems,
            documents: Vec::new(),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            node_count: 0,
            sound: true,
            skipping: false,
        }
    }

    /// Takes one event; `Break` means that reading the text must stop here.
    fn take(&mut self, event: Event<'_>, span: Span) -> ControlFlow<()> {
        let place = position(span.start);
        match event {
            Event::DocumentStart(_) => {
                self.open.clear();
                self.anchors.clear();
                self.node_count = 0;
                self.sound = true;
                self.skipping = false;
                if self.documents.len() >= self.limits.documents_max {
                    let most = self.limits.documents_max;
                    self.problems.add_with_hint(
                        Code::Limit,
                        place,
                        format!("the text has more than {most} documents"),
                        "split the file",
                    );
                    return ControlFlow::Break(());
                }
            }
            _ if self.skipping => {}
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), span);
                self.count(place)?;
                self.keep_anchor(anchor, &node, 1);
                self.add(node);
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(place, anchor, tag.as_deref(), Children::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                let children = Children::Map { entries: Vec::new(), seen: HashSet::new(), pending: None };
                self.begin(place, anchor, tag.as_deref(), children)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, place)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        ControlFlow::Continue(())
    }

    fn begin(&mut self, place: Position, anchor: usize, tag: Option<&Tag>, children: Children) -> ControlFlow<()> {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            self.unknown_tag(tag, place);
        }
        if self.expects_key() {
            self.sound = false;
            self.skipping = true;
            self.problems.add(Code::YamlKey, place, "a key must be text, not a list or map");
            return ControlFlow::Continue(());
        }
        if self.open.len() >= self.limits.depth_max {
            let most = self.limits.depth_max;
            self.problems.add(Code::Limit, place, format!("lists and maps are nested more than {most} deep"));
            return ControlFlow::Break(());
        }
        let nodes_before = self.node_count;
        self.count(place)?;
        self.open.push(Open { position: place, anchor, nodes_before, children });
        ControlFlow::Continue(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let content = match open.children {
            Children::List(nodes) => Content::List(nodes),
            Children::Map { entries, .. } => Content::Map(entries),
        };
        let node = Node { position: open.position, content };
        self.keep_anchor(open.anchor, &node, self.node_count - open.nodes_before);
        self.add(node);
    }

    fn alias(&mut self, anchor: usize, place: Position) -> ControlFlow<()> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            self.sound = false;
            self.skipping = true;
            self.problems.add(Code::YamlSyntax, place, "an alias refers to itself");
            return ControlFlow::Continue(());
        };
        self.node_count += size;
        if self.node_count <= self.limits.nodes_max {
            let node = node.clone();
            self.add(node);
            return ControlFlow::Continue(());
        }
        self.too_many_nodes(place)
    }

    fn keep_anchor(&mut self, anchor: usize, node: &Node, size: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
    }

    fn count(&mut self, place: Position) -> ControlFlow<()> {
        self.node_count += 1;
        if self.node_count <= self.limits.nodes_max {
            return ControlFlow::Continue(());
        }
        self.too_many_nodes(place)
    }

    fn too_many_nodes(&mut self, place: Position) -> ControlFlow<()> {
        let most = self.limits.nodes_max;
        self.problems.add_with_hint(
            Code::Limit,
            place,
            format!("the document has more than {most} nodes"),
            "split the rule",
        );
        ControlFlow::Break(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { children: Children::Map { pending: None, .. }, .. }))
    }

    /// Hangs a finished node into the list or map around it.
    fn add(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(Document { root: node, sound: self.sound });
            return;
        };
        match &mut open.children {
            Children::List(nodes) => nodes.push(node),
            Children::Map { entries, seen, pending } => match pending.take() {
                Some((key, key_position)) => entries.push(Entry { key, key_position, value: node }),
                None => {
                    let Content::Scalar(scalar) = node.content else {
                        self.sound = false;
                        self.skipping = true;
                        self.problems.add(Code::YamlKey, node.position, "a key must be text, not a list or map");
                        return;
                    };
                    if !seen.insert(scalar.text.clone()) {
                        self.sound = false;
                        self.problems.add_with_hint(
                            Code::YamlDuplicateKey,
                            node.position,
                            format!("the key '{}' stands twice in this map", scalar.text),
                            "put the values into one list, or use a second selection",
                        );
                    }
                    if scalar.text == "<<" {
                        self.sound = false;
                        self.problems.add_with_hint(
                            Code::YamlKey,
                            node.position,
                            "merge keys ('<<') are not part of YAML 1.2",
                            "write the entries out",
                        );
                    }
                    *pending = Some((scalar.text, node.position));
                }
            },
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Node {
        let place = position(span.start);
        if text.len() > self.limits.scalar_bytes_max {
            self.sound = false;
            let most = self.limits.scalar_bytes_max;
            self.problems.add(
                Code::Limit,
                place,
                format!("a value has {} bytes, at most {most} are allowed", text.len()),
            );
        }
        let plain = style == ScalarStyle::Plain;
        let kind = match tag {
            None if plain => core_schema(text),
            None => ScalarKind::Text,
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => ScalarKind::Text,
            Some(tag) if tag.is_yaml_core_schema() => core_schema(text),
            Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => ScalarKind::Text,
            Some(tag) => {
                self.unknown_tag(tag, place);
                ScalarKind::Text
            }
        };
        let quotes = match style {
            ScalarStyle::Plain => Some(0),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Some(1),
            ScalarStyle::Literal | ScalarStyle::Folded => None,
        };
        let length = text.chars().count();
        let text_offset =
            quotes.filter(|quotes| span.start.line() == span.end.line() && span.len() == length + 2 * quotes);
        let scalar = Scalar { kind, text: text.to_owned(), text_offset };
        Node { position: place, content: Content::Scalar(scalar) }
    }

    fn unknown_tag(&mut self, tag: &Tag, place: Position) {
        self.sound = false;
        self.problems.add_with_hint(
            Code::YamlTag,
            place,
            format!("the tag '{tag}' has no meaning in a rule"),
            "remove the tag, or quote the value if it begins with '!'",
        );
    }
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

/// The type of a plain scalar by the YAML 1.2 core schema (chapter 10.3.2).
fn core_schema(text: &str) -> ScalarKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => ScalarKind::Null,
        "true" | "True" | "TRUE" => ScalarKind::Bool(true),
        "false" | "False" | "FALSE" => ScalarKind::Bool(false),
        _ => Number::from_yaml(text).map_or(ScalarKind::Text, ScalarKind::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> (Vec<Document>, Vec<crate::Problem>) {
        let mut problems = Problems::new("test");
        let documents = parse(text, &Limits::default(), &mut problems);
        (documents, problems.into_sorted())
    }

    fn kinds(text: &str) -> Vec<ScalarKind> {
        let (documents, problems) = parse_text(text);
        assert_eq!(problems, []);
        let Content::List(nodes) = &documents[0].root.content else { panic!("not a list") };
        nodes
            .iter()
            .map(|node| match &node.content {
                Content::Scalar(scalar) => scalar.kind,
                other => panic!("not a scalar: {other:?}"),
            })
            .collect()
    }

    #[test]
    fn quotes_decide_between_text_and_other_types() {
        use ScalarKind::{Bool, Null, Text};
        assert_eq!(
            kinds("['1', 1, \"true\", true, yes, null, '', ~, 2024-01-02, 0x10, !!str 5]"),
            [
                Text,
                ScalarKind::Number(Number::Int(1)),
                Text,
                Bool(true),
                Text,
                Null,
                Text,
                Null,
                Text,
                ScalarKind::Number(Number::Int(16)),
                Text,
            ]
        );
    }

    #[test]
    fn duplicate_key_is_reported_where_it_stands_again() {
        let (documents, problems) = parse_text("a: 1\nb:\n  c: 1\n  c: 2\n");
        assert!(!documents[0].sound);
        assert_eq!(problems.len(), 1);
        assert_eq!(
            problems[0].to_string(),
            "test:4:3: error[yaml-duplicate-key]: the key 'c' stands twice in this map"
        );
    }

    #[test]
    fn aliases_are_counted_as_if_written_out() {
        let mut text = String::from("a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n");
        for level in 1..10 {
            let before = level - 1;
            let refs = vec![format!("*a{before}"); 10].join(", ");
            text += &format!("a{level}: &a{level} [{refs}]\n");
        }
        let (_, problems) = parse_text(&text);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].code, Code::Limit);
    }

    #[test]
    fn deep_nesting_stops_early() {
        // The parser has a bound of its own for brackets, ours counts every kind of nesting.
        let (_, problems) = parse_text(&"[".repeat(100_000));
        assert_eq!(problems.len(), 1);
        for text in ["- ".repeat(10_000), "[".repeat(25) + &"]".repeat(25)] {
            let (_, problems) = parse_text(&text);
            assert_eq!(problems.len(), 1);
            assert_eq!(problems[0].code, Code::Limit);
        }
    }

    #[test]
    fn documents_before_a_syntax_error_are_kept() {
        let (documents, problems) = parse_text("a: 1\n---\nb: [1\n---\nc: 1\n");
        assert_eq!(documents.len(), 1);
        assert_eq!(problems[0].code, Code::YamlSyntax);
    }
}
