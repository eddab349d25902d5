//! The steps of a parser: what each verb takes, and running them.

mod call;
mod cef;
mod csv;
mod json;
mod kv;
mod xml;

use crate::compile::Compiler;
use crate::condition::Condition;
use crate::convert::Conversion;
use crate::dissect::Dissect;
use crate::names::NameId;
use crate::pattern::{Pattern, Patterns};
use crate::source::{Plain, Source};
use crate::work::{Ref, Target, Work, text_of};
use crate::yaml::{Data, Node};
use std::borrow::Cow;
use tandem_model::Value;

pub(crate) use json::{find as find_json, flatten_ecs, parse as parse_json, scalar as json_scalar};
pub(crate) use xml::{Element, parse as parse_xml};

/// One step with what surrounds it.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    verb: Verb,
    word: &'static str,
    when: Option<Condition>,
    if_fails: IfFails,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IfFails {
    Error,
    Continue,
    Pass,
}

/// How a parser went on after a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Finish the event with this sentence in `error`.
    Error(String),
    /// Give the record back.
    Pass,
}

#[derive(Debug, Clone)]
enum Verb {
    Json(json::Json),
    Xml(xml::Xml),
    Kv(kv::Kv),
    Csv(csv::Csv),
    Pattern(Option<Source>, Patterns),
    Dissect(Option<Source>, Vec<Dissect>),
    Cef(Option<Source>),
    Leef(Option<Source>),
    Rename(Vec<(Ref, Target)>),
    Copy(Vec<(Target, Source)>),
    Convert(Vec<(Target, Vec<Conversion>)>),
    Remove(Vec<NameId>, Vec<String>),
    Split(Vec<(Target, String)>),
    Message(Source),
    Call(call::Call),
    Steps(Vec<Step>),
}

const VERBS: [&str; 17] = [
    "json", "xml", "kv", "csv", "pattern", "dissect", "cef", "leef", "rename", "copy", "set", "convert", "remove",
    "split", "message", "call", "steps",
];

/// All steps of a list.
pub(crate) fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Vec<Step> {
    node.list().iter().filter_map(|step| Step::compile(step, compiler)).collect()
}

/// Runs the steps in order until one stops.
pub(crate) fn run(steps: &[Step], work: &mut Work<'_, '_>) -> Result<(), Stop> {
    for step in steps {
        step.run(work)?;
    }
    Ok(())
}

impl Step {
    fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        let entries = node.map("a step", compiler.problems);
        let mut verbs = entries.iter().filter(|(key, _)| VERBS.contains(&key.as_str()));
        let Some((word, options)) = verbs.next() else {
            if matches!(node.data, Data::Map(_)) {
                compiler.problems.shape(node.line, format!("a step needs one verb; verbs are {}", VERBS.join(", ")));
            }
            return None;
        };
        if let Some((other, node)) = verbs.next() {
            compiler.problems.shape(node.line, format!("a step has one verb, this one has `{word}` and `{other}`"));
        }
        let mut known = vec!["when", "if_fails"];
        known.extend(VERBS);
        node.refuse_unknown("a step", &known, compiler.problems);
        let word = VERBS.iter().find(|verb| *verb == word)?;
        let when = node.get("when").and_then(|when| Condition::compile(when, compiler));
        let if_fails = match node.get("if_fails") {
            None if matches!(*word, "pattern" | "dissect") => IfFails::Continue,
            None => IfFails::Error,
            Some(node) => match node.text("if_fails", compiler.problems).as_str() {
                "error" => IfFails::Error,
                "continue" => IfFails::Continue,
                "pass" => IfFails::Pass,
                _ => {
                    compiler.problems.shape(node.line, "`if_fails` is error, continue or pass");
                    IfFails::Error
                }
            },
        };
        Some(Self { verb: Verb::compile(word, options, compiler)?, word, when, if_fails })
    }

    fn run(&self, work: &mut Work<'_, '_>) -> Result<(), Stop> {
        if self.when.as_ref().is_some_and(|when| !when.holds(work)) {
            return Ok(());
        }
        if let Verb::Steps(steps) = &self.verb {
            return run(steps, work);
        }
        match self.verb.run(work) {
            Ok(()) => Ok(()),
            Err(reason) => match self.if_fails {
                IfFails::Continue => Ok(()),
                IfFails::Pass => Err(Stop::Pass),
                IfFails::Error => Err(Stop::Error(format!("step `{}` did not fit: {reason}", self.word))),
            },
        }
    }
}

/// `from` of an extract step.
fn from(node: &Node, compiler: &mut Compiler<'_>) -> Option<Source> {
    node.get("from").and_then(|from| Source::compile(from, Plain::Field, compiler))
}

/// The text an extract step works on.
fn input<'r>(work: &Work<'_, 'r>, from: Option<&Source>) -> Result<Cow<'r, str>, String> {
    work.text_from(from).ok_or_else(|| "the field that it reads has no value".to_owned())
}

impl Verb {
    fn compile(word: &str, node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        Some(match word {
            "json" => Self::Json(json::Json::compile(node, compiler)),
            "xml" => Self::Xml(xml::Xml::compile(node, compiler)),
            "kv" => Self::Kv(kv::Kv::compile(node, compiler)),
            "csv" => Self::Csv(csv::Csv::compile(node, compiler)?),
            "pattern" | "dissect" => {
                let (from, list) = match &node.data {
                    Data::Map(_) => {
                        node.refuse_unknown(word, &["from", "patterns"], compiler.problems);
                        (from(node, compiler), node.get("patterns").unwrap_or(node))
                    }
                    _ => (None, node),
                };
                let texts = list.texts("a pattern", compiler.problems);
                if word == "pattern" {
                    let compiled = texts
                        .iter()
                        .filter_map(|text| Pattern::compile(text, list.line, compiler.names, compiler.problems));
                    Self::Pattern(from, Patterns(compiled.collect()))
                } else {
                    let compiled = texts
                        .iter()
                        .filter_map(|text| Dissect::compile(text, list.line, compiler.names, compiler.problems));
                    Self::Dissect(from, compiled.collect())
                }
            }
            "cef" | "leef" => {
                if !node.is_null() {
                    node.refuse_unknown(word, &["from"], compiler.problems);
                }
                let from = from(node, compiler);
                if word == "cef" { Self::Cef(from) } else { Self::Leef(from) }
            }
            "rename" => {
                let mut list = Vec::new();
                for (old, new) in node.map("rename", compiler.problems) {
                    let text = new.text("a new name", compiler.problems);
                    let old = Ref::compile(old, new.line, compiler.names, compiler.problems);
                    list.push((old, Target::compile(&text, new.line, compiler.names, compiler.problems)));
                }
                Self::Rename(list)
            }
            "copy" | "set" => {
                let plain = if word == "set" { Plain::Text } else { Plain::Field };
                let mut list = Vec::new();
                for (name, source) in node.map(word, compiler.problems) {
                    let target = Target::compile(name, source.line, compiler.names, compiler.problems);
                    // In `set` a list is a value, not a choice.
                    let source = match &source.data {
                        Data::List(_) if plain == Plain::Text => {
                            crate::source::value_of(source, compiler).map(Source::Constant)
                        }
                        _ => Source::compile(source, plain, compiler),
                    };
                    list.extend(source.map(|source| (target, source)));
                }
                Self::Copy(list)
            }
            "convert" => {
                let mut list = Vec::new();
                for (name, words) in node.map("convert", compiler.problems) {
                    let target = Target::compile(name, words.line, compiler.names, compiler.problems);
                    list.push((target, crate::source::conversions(words, compiler)));
                }
                Self::Convert(list)
            }
            "remove" => {
                let (mut ids, mut prefixes) = (Vec::new(), Vec::new());
                for name in node.texts("a name", compiler.problems) {
                    match name.strip_suffix('*') {
                        Some(prefix) => prefixes.push(prefix.to_owned()),
                        None => ids.push(compiler.names.id(&name)),
                    }
                }
                Self::Remove(ids, prefixes)
            }
            "split" => {
                let mut list = Vec::new();
                for (name, separator) in node.map("split", compiler.problems) {
                    let text = separator.text("a separator", compiler.problems);
                    if text.is_empty() {
                        compiler.problems.shape(separator.line, "the separator is empty");
                    }
                    list.push((Target::compile(name, separator.line, compiler.names, compiler.problems), text));
                }
                Self::Split(list)
            }
            "message" => Self::Message(Source::compile(node, Plain::Field, compiler)?),
            "call" => Self::Call(call::Call::compile(node, compiler)?),
            _ => Self::Steps(compile(node, compiler)),
        })
    }

    /// Runs the verb; the error says why it did not fit.
    fn run(&self, work: &mut Work<'_, '_>) -> Result<(), String> {
        match self {
            Self::Json(step) => step.run(work)?,
            Self::Xml(step) => step.run(work)?,
            Self::Kv(step) => step.run(work)?,
            Self::Csv(step) => step.run(work)?,
            Self::Pattern(from, patterns) => {
                let text = input(work, from.as_ref())?;
                if !patterns.apply(&text, work) {
                    return Err("no pattern matches".to_owned());
                }
            }
            Self::Dissect(from, patterns) => {
                let text = input(work, from.as_ref())?;
                if !patterns.iter().any(|pattern| pattern.apply(&text, work)) {
                    return Err("no dissect pattern fits".to_owned());
                }
            }
            Self::Cef(from) => cef::cef(&input(work, from.as_ref())?, work)?,
            Self::Leef(from) => cef::leef(&input(work, from.as_ref())?, work)?,
            Self::Rename(list) => {
                for (old, new) in list {
                    let value = match old {
                        Ref::Name(id) => work.scratch.vendor.remove(*id).or_else(|| work.scratch.common.remove(*id)),
                        Ref::Fact(_) => work.value(old).map(Cow::into_owned),
                    };
                    if let Some(value) = value {
                        work.set(*new, value);
                    }
                }
            }
            Self::Copy(list) => {
                for (target, source) in list {
                    if let Some(value) = source.eval(work) {
                        work.set(*target, value);
                    }
                }
            }
            Self::Convert(list) => {
                for (target, conversions) in list {
                    let Some(value) = work.read(&Ref::Name(target.id)).map(Cow::into_owned) else { continue };
                    let converted = conversions.iter().try_fold(value, |value, conversion| conversion.apply(&value));
                    if let Some(value) = converted {
                        work.set(*target, value);
                    }
                }
            }
            Self::Remove(ids, prefixes) => {
                for id in ids {
                    work.scratch.vendor.remove(*id);
                    work.scratch.common.remove(*id);
                }
                if !prefixes.is_empty() {
                    let named = |id: &NameId| {
                        let name = &work.scratch.names.get(*id).text;
                        prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
                    };
                    let gone: Vec<NameId> = work.scratch.vendor.iter().map(|(id, _)| id).filter(named).collect();
                    for id in gone {
                        work.scratch.vendor.remove(id);
                    }
                }
            }
            Self::Split(list) => {
                for (target, separator) in list {
                    let Some(value) = work.read(&Ref::Name(target.id)).map(Cow::into_owned) else { continue };
                    let text = text_of(&value);
                    let parts = text.split(separator.as_str()).map(str::trim).filter(|part| !part.is_empty());
                    let parts = Value::List(parts.map(Value::text).collect());
                    work.set(*target, parts);
                }
            }
            Self::Message(source) => {
                let value = source.eval(work).ok_or("the source has no value")?;
                work.message = Cow::Owned(text_of(&value).into_owned());
                work.json = None;
            }
            Self::Call(call) => call.run(work)?,
            Self::Steps(_) => {}
        }
        Ok(())
    }
}
