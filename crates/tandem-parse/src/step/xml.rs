//! XML as a tree, and `xml`: the tree flattened to dotted names.

use crate::compile::Compiler;
use crate::source::Source;
use crate::step::{from, input};
use crate::work::Work;
use crate::yaml::Node;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use tandem_model::Value;

/// Elements nested deeper are refused.
const DEPTH_MAX: usize = 64;
/// More elements than this are refused.
const ELEMENTS_MAX: usize = 20_000;

/// An element with its text, without namespace prefixes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The root element of a document. Text between child elements is kept together; blank text is none.
pub(crate) fn parse(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    let mut stack: Vec<Element> = Vec::new();
    let mut count = 0;
    loop {
        let event = reader.read_event().map_err(|error| format!("it is not readable as XML ({error})"))?;
        match event {
            Event::Start(start) => {
                count += 1;
                if stack.len() >= DEPTH_MAX || count > ELEMENTS_MAX {
                    return Err(format!("the XML has more than {ELEMENTS_MAX} elements or {DEPTH_MAX} levels"));
                }
                stack.push(element(&start));
            }
            Event::Empty(start) => {
                count += 1;
                if count > ELEMENTS_MAX {
                    return Err(format!("the XML has more than {ELEMENTS_MAX} elements"));
                }
                let done = element(&start);
                match stack.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Ok(done),
                }
            }
            Event::End(_) => {
                let Some(mut done) = stack.pop() else { return Err("the XML closes what is not open".to_owned()) };
                if !done.children.is_empty() || done.text.trim().is_empty() {
                    let trimmed = done.text.trim().to_owned();
                    done.text = trimmed;
                }
                match stack.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Ok(done),
                }
            }
            Event::Text(part) => {
                if let Some(open) = stack.last_mut() {
                    open.text.push_str(&part);
                }
            }
            Event::CData(part) => {
                if let Some(open) = stack.last_mut() {
                    open.text.push_str(&part);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(open) = stack.last_mut() {
                    push_reference(&reference, &mut open.text);
                }
            }
            Event::Eof => return Err("the XML ends before its root element is closed".to_owned()),
            _ => {}
        }
    }
}

fn push_reference(reference: &str, text: &mut String) {
    let number = reference.strip_prefix('#').and_then(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    });
    match (reference, number.and_then(char::from_u32)) {
        ("lt", _) => text.push('<'),
        ("gt", _) => text.push('>'),
        ("amp", _) => text.push('&'),
        ("quot", _) => text.push('"'),
        ("apos", _) => text.push('\''),
        (_, Some(c)) => text.push(c),
        _ => {
            text.push('&');
            text.push_str(reference);
            text.push(';');
        }
    }
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        match after.split_once(';').filter(|(reference, _)| reference.len() <= 10) {
            Some((reference, behind)) => {
                push_reference(reference, &mut out);
                rest = behind;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn element(start: &BytesStart<'_>) -> Element {
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false).flatten() {
        attributes.push((attribute.key.local_name().as_ref().to_owned(), unescape(&attribute.value)));
    }
    Element { name: start.local_name().as_ref().to_owned(), attributes, ..Element::default() }
}

/// The step's options.
#[derive(Debug, Clone)]
pub(crate) struct Xml {
    from: Option<Source>,
    prefix: String,
}

impl Xml {
    pub(crate) fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Self {
        node.refuse_unknown("xml", &["from", "prefix"], compiler.problems);
        let prefix = node.get("prefix").map(|node| node.text("prefix", compiler.problems)).unwrap_or_default();
        Self { from: from(node, compiler), prefix }
    }

    pub(crate) fn run(&self, work: &mut Work<'_, '_>) -> Result<(), String> {
        let root = parse(&input(work, self.from.as_ref())?)?;
        let mut name = self.prefix.clone();
        flatten(&root, &mut name, work);
        Ok(())
    }
}

fn flatten(element: &Element, name: &mut String, work: &mut Work<'_, '_>) {
    let length = name.len();
    if !name.is_empty() && !name.ends_with('.') {
        name.push('.');
    }
    name.push_str(&element.name);
    for (key, value) in &element.attributes {
        append(&format!("{name}.{key}"), value, work);
    }
    if !element.text.is_empty() {
        append(name, &element.text, work);
    }
    for child in &element.children {
        flatten(child, name, work);
    }
    name.truncate(length);
}

fn append(name: &str, text: &str, work: &mut Work<'_, '_>) {
    let id = work.id(name);
    if work.scratch.vendor.get(id).is_some() {
        work.scratch.vendor.append(id, Value::text(text));
    } else {
        work.set_vendor(id, Value::text(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_without_prefixes_and_with_references() {
        let root =
            parse("<?xml version='1.0'?><a:E x='1 &amp; 2'><b>1 &lt; 2 &#65;&unknown;</b><c/> <![CDATA[<x>]]></a:E>")
                .unwrap();
        assert_eq!((root.name.as_str(), root.attribute("x")), ("E", Some("1 & 2")));
        assert_eq!(root.child("b").unwrap().text, "1 < 2 A&unknown;");
        assert_eq!(root.text, "<x>");
        for wrong in ["", "<a>", "text", "<a", &"<a>".repeat(100)] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
