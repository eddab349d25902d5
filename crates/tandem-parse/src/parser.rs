//! A compiled parser: gate, steps, names, types, alert; and its work on one event.

use crate::compile::Compiler;
use crate::condition::{Choice, Condition};
use crate::gate::Gate;
use crate::names::NameId;
use crate::pattern::{Pattern, Patterns};
use crate::source::{Plain, Source};
use crate::step::{Step, Stop};
use crate::time::TimeFormat;
use crate::work::{Target, Work, text_of};
use crate::yaml::Node;
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_model::{Fields, LogType, TypedAs, Value};

/// One `parser.yaml`.
#[derive(Debug, Clone)]
pub(crate) struct Parser {
    pub(crate) name: Arc<str>,
    pub(crate) priority: i64,
    pub(crate) gate: Gate,
    pub(crate) each: Option<String>,
    pub(crate) joins_auditd: bool,
    pub(crate) host_is_observer: bool,
    times: Vec<Time>,
    block: Block,
    fallback: LogType,
}

/// What a parser and each of its variants have in common.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    patterns: Option<Patterns>,
    steps: Vec<Step>,
    common: Vec<(NameId, Source)>,
    types: Option<Choice<Type>>,
    alert: Option<Alert>,
    variants: Option<Choice<Block>>,
    goes_on: bool,
}

#[derive(Debug, Clone)]
struct Time {
    from: Source,
    format: TimeFormat,
    zone: Option<Source>,
}

/// A log type with aliases.
#[derive(Debug, Clone)]
pub(crate) struct Type {
    parts: [Option<Word>; 3],
    aliases: Vec<(Arc<str>, Source)>,
    /// Only if no type before it applies.
    otherwise: bool,
}

/// A word of a log type: fixed or read from the event.
#[derive(Debug, Clone)]
enum Word {
    Fixed(Arc<str>),
    Read(Source),
}

#[derive(Debug, Clone)]
struct Alert {
    when: Option<Condition>,
    name: Source,
    id: Option<Source>,
    severity: Option<Source>,
    targets: [NameId; 4],
}

const BLOCK_KEYS: [&str; 5] = ["steps", "common", "types", "alert", "variants"];

/// What the work of a parser found beside the fields.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) time: Option<Timestamp>,
    pub(crate) typed: Vec<TypedAs>,
    /// The syslog header names the device that saw it, not the host that the event is about.
    pub(crate) host_is_observer: bool,
}

impl Parser {
    pub(crate) fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut known = vec![
            "parser",
            "description",
            "reference",
            "priority",
            "match",
            "each",
            "join",
            "header_host",
            "time",
            "tables",
        ];
        known.extend(BLOCK_KEYS);
        node.refuse_unknown("a parser", &known, compiler.problems);
        let Some(name) = node.get("parser") else {
            compiler.problems.shape(node.line, "a parser needs its name: `parser: vendor.product`");
            return None;
        };
        let line = name.line;
        let name = name.text("parser", compiler.problems);
        let (vendor, product) = name.split_once('.').unwrap_or((name.as_str(), ""));
        if vendor.is_empty() || product.is_empty() || name.chars().any(char::is_whitespace) {
            compiler.problems.shape(line, format!("`{name}` is no parser name such as `vendor.product`"));
        }
        if node.get("description").and_then(Node::as_text).is_none_or(|text| text.is_empty()) {
            compiler.problems.shape(line, "a parser needs a `description`: product, transport, versions");
        }
        let priority = match node.get("priority") {
            None => 100,
            Some(node) => node.as_text().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
                compiler.problems.shape(node.line, "priority is a whole number");
                100
            }),
        };
        if let Some(tables) = node.get("tables") {
            compiler.tables(tables);
        }
        let gate = match node.get("match") {
            Some(node) => Gate::compile(node, compiler),
            None => {
                compiler.problems.shape(line, "a parser needs `match`: which records it takes");
                Gate::compile(&Node { line, data: crate::yaml::Data::List(Vec::new()) }, compiler)
            }
        };
        let each = node.get("each").map(|node| node.text("each", compiler.problems));
        let joins_auditd = match node.get("join") {
            None => false,
            Some(node) => {
                if node.as_text().as_deref() != Some("auditd") {
                    compiler.problems.shape(node.line, "the only join is `auditd`");
                }
                true
            }
        };
        let host_is_observer = match node.get("header_host") {
            None => false,
            Some(node) => {
                if node.as_text().as_deref() != Some("observer") {
                    compiler.problems.shape(node.line, "header_host can only be `observer`");
                }
                true
            }
        };
        let mut times = Vec::new();
        for time in node.get("time").map(Node::list).unwrap_or_default() {
            times.extend(Time::compile(time, compiler));
        }
        let fallback = LogType::new(vendor, "", product);
        let block = Block::compile(node, compiler);
        Some(Self { name: name.into(), priority, gate, each, joins_auditd, host_is_observer, times, block, fallback })
    }

    /// Works on one event. `Err` means that the record is not this parser's.
    pub(crate) fn run(&self, work: &mut Work<'_, '_>, zone: &crate::time::Zone) -> Result<Outcome, Stop> {
        let mut types = Vec::new();
        match self.block.run(work, &mut types) {
            Ok(()) => {}
            Err(Stop::Pass) => return Err(Stop::Pass),
            Err(Stop::Error(sentence)) => {
                work.complain(sentence);
                types = self.block.otherwise();
            }
        }
        let time = self.time(work, zone);
        let mut typed: Vec<TypedAs> = Vec::with_capacity(types.len().max(1));
        for kind in types {
            if kind.otherwise && !typed.is_empty() {
                continue;
            }
            let Some(new) = kind.eval(work) else { continue };
            match typed.iter_mut().find(|other| other.log_type == new.log_type) {
                None => typed.push(new),
                Some(other) => {
                    for (name, value) in new.aliases.iter() {
                        other.aliases.set_if_absent(name.clone(), value.clone());
                    }
                }
            }
        }
        if typed.is_empty() {
            typed.push(TypedAs { log_type: self.fallback.clone(), aliases: Fields::new() });
        }
        Ok(Outcome { time, typed, host_is_observer: self.host_is_observer })
    }

    fn time(&self, work: &mut Work<'_, '_>, zone: &crate::time::Zone) -> Option<Timestamp> {
        let received = work.input.record.received;
        for time in &self.times {
            let Some(value) = time.from.eval(work) else { continue };
            if let Value::Time(instant) = value {
                return Some(instant);
            }
            let named = time.zone.as_ref().and_then(|zone| zone.eval(work));
            let named = named.and_then(|text| work.scratch.zones.get(&text_of(&text)));
            let zone = named.as_ref().unwrap_or(zone);
            if let Some(instant) = crate::time::parse(&text_of(&value), &time.format, received, zone) {
                return Some(instant);
            }
        }
        None
    }
}

impl Time {
    fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        if !matches!(node.data, crate::yaml::Data::Map(_)) {
            let from = Source::compile(node, Plain::Field, compiler)?;
            return Some(Self { from, format: TimeFormat::Auto, zone: None });
        }
        node.refuse_unknown("time", &["from", "format", "zone"], compiler.problems);
        let Some(from) = node.get("from").and_then(|from| Source::compile(from, Plain::Field, compiler)) else {
            compiler.problems.shape(node.line, "a time needs `from`");
            return None;
        };
        let format = match node.get("format") {
            None => TimeFormat::Auto,
            Some(node) => {
                let text = node.text("format", compiler.problems);
                TimeFormat::compile(&text).unwrap_or_else(|message| {
                    compiler.problems.shape(node.line, message);
                    TimeFormat::Auto
                })
            }
        };
        // A zone is a field or template if it looks like one, else the zone's own name.
        let zone = node.get("zone").and_then(|node| {
            let text = node.as_text();
            match text.as_deref().filter(|text| crate::time::find_zone(text).is_some()) {
                Some(text) => Some(Source::Constant(Value::text(text))),
                None => Source::compile(node, Plain::Field, compiler),
            }
        });
        Some(Self { from, format, zone })
    }
}

impl Block {
    fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Self {
        let patterns = node.get("pattern").map(|node| {
            let texts = node.texts("pattern", compiler.problems);
            let compiled =
                texts.iter().filter_map(|text| Pattern::compile(text, node.line, compiler.names, compiler.problems));
            Patterns(compiled.collect())
        });
        let steps = node.get("steps").map(|steps| crate::step::compile(steps, compiler)).unwrap_or_default();
        let mut common = Vec::new();
        for (name, source) in node.get("common").map_or(&[][..], |node| node.map("common", compiler.problems)) {
            let target = Target::compile(name, source.line, compiler.names, compiler.problems);
            if !target.common {
                compiler.problems.add(
                    "parser.unknown_name",
                    source.line,
                    format!("`{name}` is no column with layer common; add it to fields.yaml or correct the name"),
                );
            }
            common.extend(Source::compile(source, Plain::Field, compiler).map(|source| (target.id, source)));
        }
        let types = node.get("types").map(|node| {
            let compiled = node.list().iter().filter_map(|kind| Type::compile(kind, compiler));
            Choice::new(compiled.collect())
        });
        let alert = node.get("alert").and_then(|node| Alert::compile(node, compiler));
        let variants = node.get("variants").map(|node| {
            let mut items = Vec::new();
            for variant in node.list() {
                let mut known = vec!["when", "pattern", "continue"];
                known.extend(BLOCK_KEYS);
                variant.refuse_unknown("a variant", &known, compiler.problems);
                if variant.map("a variant", compiler.problems).is_empty() {
                    compiler.problems.shape(variant.line, "a variant is empty");
                }
                let when = variant.get("when").and_then(|when| Condition::compile(when, compiler));
                items.push((when, Self::compile(variant, compiler)));
            }
            Choice::new(items)
        });
        let goes_on = node.get("continue").is_some_and(|node| node.truth("continue", compiler.problems));
        Self { patterns, steps, common, types, alert, variants, goes_on }
    }

    /// The types that need nothing of the event.
    fn otherwise(&self) -> Vec<&Type> {
        let kinds = self.types.as_ref();
        kinds.map(|kinds| kinds.all().filter(|kind| kind.otherwise).collect()).unwrap_or_default()
    }

    fn run<'p>(&'p self, work: &mut Work<'_, '_>, types: &mut Vec<&'p Type>) -> Result<(), Stop> {
        crate::step::run(&self.steps, work)?;
        for (id, source) in &self.common {
            if let Some(value) = source.eval(work) {
                work.scratch.common.set(*id, value);
            }
        }
        if let Some(variants) = &self.variants {
            for number in variants.candidates(work) {
                let (when, variant) = variants.item(number);
                if when.is_some_and(|when| !when.holds(work)) {
                    continue;
                }
                if let Some(patterns) = &variant.patterns {
                    let message = work.message.clone();
                    if !patterns.apply(&message, work) {
                        continue;
                    }
                }
                variant.run(work, types)?;
                if !variant.goes_on {
                    break;
                }
            }
        }
        if let Some(kinds) = &self.types {
            for number in kinds.candidates(work) {
                let (when, kind) = kinds.item(number);
                if when.is_none_or(|when| when.holds(work)) {
                    types.push(kind);
                }
            }
        }
        if let Some(alert) = &self.alert {
            alert.mark(work);
        }
        Ok(())
    }
}

impl Type {
    fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Option<(Option<Condition>, Self)> {
        node.refuse_unknown(
            "a type",
            &["product", "category", "service", "when", "aliases", "otherwise"],
            compiler.problems,
        );
        let parts = ["product", "category", "service"].map(|key| {
            let word = node.get(key)?;
            match &word.data {
                crate::yaml::Data::Map(_) => Source::compile(word, Plain::Field, compiler).map(Word::Read),
                _ => Some(Word::Fixed(word.text(key, compiler.problems).into())),
            }
        });
        if parts.iter().all(Option::is_none) {
            compiler.problems.shape(node.line, "a type needs product, category or service");
            return None;
        }
        let when = node.get("when").and_then(|when| Condition::compile(when, compiler));
        let mut aliases = Vec::new();
        for (name, source) in node.get("aliases").map_or(&[][..], |node| node.map("aliases", compiler.problems)) {
            let source = Source::compile(source, Plain::Field, compiler);
            let id = compiler.names.id(name);
            aliases.extend(source.map(|source| (compiler.names.get(id).text.clone(), source)));
        }
        let otherwise = node.get("otherwise").is_some_and(|node| node.truth("otherwise", compiler.problems));
        Some((when, Self { parts, aliases, otherwise }))
    }

    fn eval(&self, work: &Work<'_, '_>) -> Option<TypedAs> {
        let mut words: [Option<Arc<str>>; 3] = [None, None, None];
        for (word, part) in words.iter_mut().zip(&self.parts) {
            *word = match part {
                None => None,
                Some(Word::Fixed(text)) => Some(text.clone()),
                // A type whose word is not known is not this event's.
                Some(Word::Read(source)) => Some(source.eval(work)?).map(|value| Arc::from(text_of(&value).as_ref())),
            };
        }
        let [product, category, service] = words;
        let mut aliases = Fields::new();
        for (name, source) in &self.aliases {
            if let Some(value) = source.eval(work) {
                aliases.set(name.clone(), value);
            }
        }
        Some(TypedAs { log_type: LogType { product, category, service }, aliases })
    }
}

impl Alert {
    fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        node.refuse_unknown("alert", &["when", "name", "id", "severity"], compiler.problems);
        let when = node.get("when").and_then(|when| Condition::compile(when, compiler));
        let mut source = |key: &str| node.get(key).and_then(|node| Source::compile(node, Plain::Field, compiler));
        let (name, id, severity) = (source("name"), source("id"), source("severity"));
        let Some(name) = name else {
            compiler.problems.shape(node.line, "an alert needs `name`");
            return None;
        };
        let targets = ["event.kind", "rule.name", "rule.id", "event.severity_name"].map(|name| compiler.names.id(name));
        Some(Self { when, name, id, severity, targets })
    }

    fn mark(&self, work: &mut Work<'_, '_>) {
        if self.when.as_ref().is_some_and(|when| !when.holds(work)) {
            return;
        }
        let Some(name) = self.name.eval(work) else { return };
        let id = self.id.as_ref().and_then(|id| id.eval(work));
        let severity = self.severity.as_ref().and_then(|severity| severity.eval(work));
        let severity = severity.map(|value| text_of(&value).to_ascii_lowercase());
        let severity = severity.filter(|word| word.parse::<tandem_model::Level>().is_ok());
        let common = &mut work.scratch.common;
        common.set(self.targets[0], Value::text("alert"));
        common.set(self.targets[1], name);
        if let Some(id) = id {
            common.set(self.targets[2], id);
        }
        common.set(self.targets[3], severity.map_or_else(|| Value::text("medium"), Value::from));
    }
}
