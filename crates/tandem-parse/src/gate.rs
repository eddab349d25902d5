//! `match`: which records a parser takes. Cheap tests on what is known of a record before any parser works on it.

use crate::compile::Compiler;
use crate::step::parse_json;
use crate::work::Input;
use crate::yaml::{Data, Node};
use regex::Regex;
use serde_json::Value as Json;
use std::cell::OnceCell;
use tandem_model::Transport;

/// A parser's gate: any of its alternatives.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Vec<Vec<Test>>);

#[derive(Debug, Clone)]
enum Test {
    App(Vec<Wanted>),
    Transport(Vec<Transport>),
    Facility(Vec<i64>),
    Fact(Vec<(String, Option<Vec<Wanted>>)>),
    Starts(Vec<String>),
    Cef(String, Option<String>),
    Leef(String, Option<String>),
    Xml(Vec<String>),
    Json(Vec<(String, Option<Vec<Wanted>>)>),
    Contains(Vec<memchr::memmem::Finder<'static>>),
    ContainsAny(Vec<memchr::memmem::Finder<'static>>),
    Pattern(Regex),
}

/// A text or the beginning of one (`postfix/*`); ASCII case ignored.
#[derive(Debug, Clone)]
struct Wanted {
    text: String,
    prefix: bool,
}

impl Wanted {
    fn new(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(text) => Self { text: text.to_owned(), prefix: true },
            None => Self { text: text.to_owned(), prefix: false },
        }
    }

    fn fits(&self, text: &str) -> bool {
        if self.prefix {
            text.as_bytes().get(..self.text.len()).is_some_and(|head| head.eq_ignore_ascii_case(self.text.as_bytes()))
        } else {
            self.text.eq_ignore_ascii_case(text)
        }
    }
}

const KEYS: [&str; 12] = [
    "app",
    "contains",
    "contains_any",
    "starts",
    "pattern",
    "json",
    "xml",
    "cef",
    "leef",
    "fact",
    "transport",
    "facility",
];

/// What the gates ask about one record, worked out once when first asked.
pub(crate) struct Probe<'i, 'r> {
    pub(crate) input: &'i Input<'r>,
    json: OnceCell<Option<Json>>,
    /// CEF or LEEF, vendor, product.
    head: OnceCell<Option<(bool, String, String)>>,
}

impl<'i, 'r> Probe<'i, 'r> {
    pub(crate) fn new(input: &'i Input<'r>) -> Self {
        Self { input, json: OnceCell::new(), head: OnceCell::new() }
    }

    fn message(&self) -> &'r str {
        self.input.header.message
    }

    pub(crate) fn json(&self) -> Option<&Json> {
        self.json
            .get_or_init(|| {
                let text = self.message().trim_start();
                if text.starts_with('{') || text.starts_with('[') { parse_json(text).ok() } else { None }
            })
            .as_ref()
    }

    pub(crate) fn into_json(self) -> Option<Json> {
        self.json.into_inner().flatten()
    }

    fn head(&self) -> Option<&(bool, String, String)> {
        self.head
            .get_or_init(|| {
                let message = self.message();
                let window = &message[..floor(message, 512)];
                let (leef, rest) = match (window.find("CEF:"), window.find("LEEF:")) {
                    (Some(at), _) => (false, &window[at + 4..]),
                    (None, Some(at)) => (true, &window[at + 5..]),
                    (None, None) => return None,
                };
                let mut parts = rest.split('|').skip(1);
                Some((leef, parts.next()?.to_owned(), parts.next()?.to_owned()))
            })
            .as_ref()
    }

    fn xml_root(&self) -> Option<&'r str> {
        let mut rest = self.message().trim_start().strip_prefix('<')?;
        if rest.starts_with('?') {
            rest = rest.split_once("?>")?.1.trim_start().strip_prefix('<')?;
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.')))?;
        let name = &rest[..end];
        Some(name.rsplit(':').next().unwrap_or(name))
    }
}

/// The last character boundary at or before `at`.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

impl Gate {
    pub(crate) fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Self {
        let mut any = Vec::new();
        for alternative in node.list() {
            alternative.refuse_unknown("match", &KEYS, compiler.problems);
            let mut all = Vec::new();
            for (key, value) in alternative.map("match", compiler.problems) {
                all.extend(Test::compile(key, value, compiler));
            }
            if all.is_empty() {
                compiler.problems.shape(alternative.line, "an entry of `match` is empty and would take everything");
            } else {
                // The cheap ones first.
                all.sort_by_key(Test::cost);
                any.push(all);
            }
        }
        Self(any)
    }

    pub(crate) fn takes(&self, probe: &Probe<'_, '_>) -> bool {
        self.0.iter().any(|all| all.iter().all(|test| test.holds(probe)))
    }
}

impl Test {
    fn compile(key: &str, node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        let wanted = |node: &Node, compiler: &mut Compiler<'_>| -> Option<Vec<Wanted>> {
            (!node.is_null()).then(|| {
                node.texts("a value of `match`", compiler.problems).iter().map(|text| Wanted::new(text)).collect()
            })
        };
        let finders = |compiler: &mut Compiler<'_>| {
            let texts = node.texts(key, compiler.problems);
            texts.iter().map(|text| memchr::memmem::Finder::new(text.as_bytes()).into_owned()).collect()
        };
        Some(match key {
            "app" => Self::App(wanted(node, compiler).unwrap_or_default()),
            "starts" => Self::Starts(node.texts(key, compiler.problems)),
            "xml" => Self::Xml(node.texts(key, compiler.problems)),
            "contains" => Self::Contains(finders(compiler)),
            "contains_any" => Self::ContainsAny(finders(compiler)),
            "pattern" => {
                let text = node.text(key, compiler.problems);
                Self::Pattern(crate::pattern::plain(&text, node.line, compiler.problems)?)
            }
            "cef" | "leef" => {
                let text = node.text(key, compiler.problems);
                let (vendor, product) = match text.split_once('|') {
                    Some((vendor, product)) => (vendor.to_owned(), Some(product.to_owned())),
                    None => (text, None),
                };
                if key == "cef" { Self::Cef(vendor, product) } else { Self::Leef(vendor, product) }
            }
            "json" => match &node.data {
                Data::Map(entries) => {
                    Self::Json(entries.iter().map(|(path, value)| (path.clone(), wanted(value, compiler))).collect())
                }
                _ => Self::Json(node.texts(key, compiler.problems).into_iter().map(|path| (path, None)).collect()),
            },
            "fact" => {
                let entries = node.map(key, compiler.problems);
                Self::Fact(entries.iter().map(|(name, value)| (name.clone(), wanted(value, compiler))).collect())
            }
            "transport" => {
                let mut list = Vec::new();
                for word in node.texts(key, compiler.problems) {
                    match word.parse() {
                        Ok(transport) => list.push(transport),
                        Err(()) => compiler.problems.shape(node.line, format!("there is no transport `{word}`")),
                    }
                }
                Self::Transport(list)
            }
            "facility" => {
                Self::Facility(node.texts(key, compiler.problems).iter().filter_map(|text| text.parse().ok()).collect())
            }
            _ => return None,
        })
    }

    fn cost(&self) -> u8 {
        match self {
            Self::App(_) | Self::Transport(_) | Self::Facility(_) => 0,
            Self::Fact(..) | Self::Starts(_) | Self::Xml(_) => 1,
            Self::Cef(..) | Self::Leef(..) => 2,
            Self::Contains(_) | Self::ContainsAny(_) => 3,
            Self::Json(_) => 4,
            Self::Pattern(_) => 5,
        }
    }

    fn holds(&self, probe: &Probe<'_, '_>) -> bool {
        let input = probe.input;
        let any = |wanted: &[Wanted], text: &str| wanted.iter().any(|wanted| wanted.fits(text));
        match self {
            Self::App(apps) => input.header.app.is_some_and(|app| any(apps, app)),
            Self::Transport(list) => list.contains(&input.record.transport),
            Self::Facility(list) => input.header.facility().is_some_and(|facility| list.contains(&facility)),
            Self::Fact(facts) => facts.iter().all(|(name, wanted)| {
                input.record.fact(name).is_some_and(|value| wanted.as_ref().is_none_or(|wanted| any(wanted, value)))
            }),
            Self::Starts(list) => list.iter().any(|start| probe.message().starts_with(start.as_str())),
            Self::Cef(vendor, product) => {
                probe.head().is_some_and(|head| fits_head(head, false, vendor, product.as_deref()))
            }
            Self::Leef(vendor, product) => {
                probe.head().is_some_and(|head| fits_head(head, true, vendor, product.as_deref()))
            }
            Self::Xml(roots) => probe.xml_root().is_some_and(|root| roots.iter().any(|wanted| wanted == root)),
            Self::Json(paths) => probe.json().is_some_and(|json| {
                let object = match json {
                    Json::Array(items) => items.first().unwrap_or(json),
                    other => other,
                };
                paths.iter().all(|(path, wanted)| {
                    crate::step::find_json(object, path).is_some_and(|value| {
                        wanted.as_ref().is_none_or(|wanted| match value {
                            Json::String(text) => any(wanted, text),
                            other => any(wanted, &other.to_string()),
                        })
                    })
                })
            }),
            Self::Contains(finders) => finders.iter().all(|finder| finder.find(input.text.as_bytes()).is_some()),
            Self::ContainsAny(finders) => finders.iter().any(|finder| finder.find(input.text.as_bytes()).is_some()),
            Self::Pattern(regex) => regex.is_match(probe.message()),
        }
    }
}

fn fits_head(head: &(bool, String, String), leef: bool, vendor: &str, product: Option<&str>) -> bool {
    let fits = |wanted: &str, text: &str| Wanted::new(wanted).fits(text);
    head.0 == leef && fits(vendor, &head.1) && product.is_none_or(|product| fits(product, &head.2))
}
