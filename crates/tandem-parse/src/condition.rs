//! `when`: tests on fields, and lists of things with conditions that are found by one lookup.

use crate::compile::Compiler;
use crate::source::value_of;
use crate::work::{Ref, Work, has_value, text_of};
use crate::yaml::{Data, Node, Scalar};
use regex::Regex;
use std::collections::HashMap;
use std::net::IpAddr;
use tandem_model::Value;

/// Any of the alternatives, of each all tests.
#[derive(Debug, Clone)]
pub(crate) struct Condition(Vec<Vec<(Ref, Test)>>);

/// One test of one field.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// Equal to one of these as text; ASCII case ignored, kept in lower case.
    OneOf(Vec<String>),
    Exists(bool),
    Starts(Vec<String>),
    Ends(Vec<String>),
    Contains(Vec<String>),
    Pattern(Regex),
    Above(f64),
    Below(f64),
    Between(f64, f64),
    Cidr(Vec<Network>),
    Not(Box<Test>),
    All(Vec<Test>),
}

/// An address range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Network {
    address: u128,
    mask: u128,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u32>().ok()?)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width {
            return None;
        }
        let bits = bits + 128 - width;
        let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
        Some(Self { address: key(address) & mask, mask })
    }

    fn holds(self, address: IpAddr) -> bool {
        key(address) & self.mask == self.address
    }
}

fn key(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(four) => u128::from(four.to_ipv6_mapped()),
        IpAddr::V6(six) => u128::from(six),
    }
}

impl Condition {
    pub(crate) fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut any = Vec::new();
        for alternative in node.list() {
            let mut all = Vec::new();
            for (name, expected) in alternative.map("a condition", compiler.problems) {
                let from = Ref::compile(name, expected.line, compiler.names, compiler.problems);
                if let Some(test) = Test::compile(expected, compiler) {
                    all.push((from, test));
                }
            }
            any.push(all);
        }
        if any.iter().any(Vec::is_empty) || any.is_empty() {
            compiler.problems.shape(node.line, "a condition is empty; leave `when` out if it always holds");
            return None;
        }
        Some(Self(any))
    }

    pub(crate) fn holds(&self, work: &Work<'_, '_>) -> bool {
        self.0.iter().any(|all| {
            all.iter().all(|(from, test)| {
                let value = work.read(from);
                test.holds(value.as_deref())
            })
        })
    }

    /// The field and texts of an equality that must hold, if there is one.
    fn equalities(&self) -> impl Iterator<Item = (&Ref, &[String])> {
        let only = if self.0.len() == 1 { self.0[0].as_slice() } else { &[] };
        only.iter().filter_map(|(from, test)| match test {
            Test::OneOf(texts) => Some((from, texts.as_slice())),
            _ => None,
        })
    }
}

impl Test {
    fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        match &node.data {
            Data::Scalar(Scalar::Null) => Some(Self::Exists(false)),
            Data::Scalar(_) | Data::List(_) => {
                let mut texts = Vec::new();
                for item in node.list() {
                    match value_of(item, compiler) {
                        Some(Value::List(_)) | None => {
                            compiler.problems.shape(item.line, "a condition compares with texts or numbers");
                        }
                        Some(value) => texts.push(text_of(&value).to_ascii_lowercase()),
                    }
                }
                Some(Self::OneOf(texts))
            }
            Data::Map(entries) => {
                let mut tests = Vec::new();
                for (word, argument) in entries {
                    tests.extend(Self::word(word, argument, node, compiler));
                }
                if tests.len() > 1 { Some(Self::All(tests)) } else { tests.pop() }
            }
        }
    }

    fn word(word: &str, argument: &Node, whole: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        let lower = |compiler: &mut Compiler<'_>| -> Vec<String> {
            argument.texts(word, compiler.problems).iter().map(|text| text.to_ascii_lowercase()).collect()
        };
        Some(match word {
            "exists" => Self::Exists(argument.truth("exists", compiler.problems)),
            "starts" => Self::Starts(lower(compiler)),
            "ends" => Self::Ends(lower(compiler)),
            "contains" => Self::Contains(lower(compiler)),
            "pattern" => {
                let text = argument.text("pattern", compiler.problems);
                Self::Pattern(crate::pattern::plain(&text, argument.line, compiler.problems)?)
            }
            "above" => Self::Above(number(argument, compiler)?),
            "below" => Self::Below(number(argument, compiler)?),
            "from" => {
                Self::Between(number(argument, compiler)?, number(whole.get("to").unwrap_or(argument), compiler)?)
            }
            "to" if whole.get("from").is_some() => return None,
            "cidr" => {
                let mut networks = Vec::new();
                for text in argument.texts("cidr", compiler.problems) {
                    match Network::parse(&text) {
                        Some(network) => networks.push(network),
                        None => {
                            compiler
                                .problems
                                .shape(argument.line, format!("`{text}` is no network such as 10.0.0.0/8"));
                        }
                    }
                }
                Self::Cidr(networks)
            }
            "not" => Self::Not(Box::new(Self::compile(argument, compiler)?)),
            _ => {
                compiler.problems.add(
                    "parser.unknown_key",
                    argument.line,
                    format!("there is no test `{word}`; known are exists, starts, ends, contains, pattern, above, below, from with to, cidr, not"),
                );
                return None;
            }
        })
    }

    fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Exists(wanted) => value.is_some_and(has_value) == *wanted,
            Self::Not(test) => !test.holds(value),
            Self::All(tests) => tests.iter().all(|test| test.holds(value)),
            single => value.is_some_and(|value| value.each().any(|one| single.holds_for(one))),
        }
    }

    fn holds_for(&self, value: &Value) -> bool {
        match self {
            Self::Above(limit) => as_number(value).is_some_and(|number| number > *limit),
            Self::Below(limit) => as_number(value).is_some_and(|number| number < *limit),
            Self::Between(from, to) => as_number(value).is_some_and(|number| number >= *from && number <= *to),
            _ => {
                let text = text_of(value);
                let bytes = text.as_bytes();
                match self {
                    Self::OneOf(texts) => texts.iter().any(|wanted| wanted.eq_ignore_ascii_case(&text)),
                    Self::Starts(texts) => texts.iter().any(|wanted| {
                        bytes.get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted.as_bytes()))
                    }),
                    Self::Ends(texts) => texts.iter().any(|wanted| {
                        let start = bytes.len().checked_sub(wanted.len());
                        start.is_some_and(|start| bytes[start..].eq_ignore_ascii_case(wanted.as_bytes()))
                    }),
                    Self::Contains(texts) => {
                        let lower = text.to_ascii_lowercase();
                        texts.iter().any(|wanted| lower.contains(wanted.as_str()))
                    }
                    Self::Pattern(regex) => regex.is_match(&text),
                    Self::Cidr(networks) => crate::convert::ip(&text)
                        .is_some_and(|address| networks.iter().any(|network| network.holds(address))),
                    _ => false,
                }
            }
        }
    }
}

fn number(node: &Node, compiler: &mut Compiler<'_>) -> Option<f64> {
    match &node.data {
        Data::Scalar(Scalar::Long(number)) => Some(*number as f64),
        Data::Scalar(Scalar::Double(number)) => Some(*number),
        _ => {
            compiler.problems.shape(node.line, format!("a number is needed here, not {}", node.kind()));
            None
        }
    }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Long(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Things with conditions. Those that test the most-tested field for equality are found by one lookup.
#[derive(Debug, Clone)]
pub(crate) struct Choice<T> {
    items: Vec<(Option<Condition>, T)>,
    index: Option<(Ref, HashMap<String, Vec<u32>>)>,
    /// Items that the index does not speak of, ascending.
    always: Vec<u32>,
}

/// Fewer items than this are asked one after the other.
const INDEX_FROM: usize = 6;

impl<T> Choice<T> {
    pub(crate) fn new(items: Vec<(Option<Condition>, T)>) -> Self {
        let mut choice = Self { always: (0..items.len() as u32).collect(), items, index: None };
        let mut counts: Vec<(&Ref, usize)> = Vec::new();
        for (condition, _) in &choice.items {
            for (from, _) in condition.iter().flat_map(Condition::equalities) {
                match counts.iter_mut().find(|(other, _)| same(other, from)) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((from, 1)),
                }
            }
        }
        let Some((from, _)) =
            counts.into_iter().max_by_key(|(_, count)| *count).filter(|(_, count)| *count >= INDEX_FROM)
        else {
            return choice;
        };
        let from = from.clone();
        let mut by_text: HashMap<String, Vec<u32>> = HashMap::new();
        let mut always = Vec::new();
        for (number, (condition, _)) in choice.items.iter().enumerate() {
            let number = number as u32;
            let texts = condition.as_ref().and_then(|condition| {
                condition.equalities().find(|(other, _)| same(other, &from)).map(|(_, texts)| texts)
            });
            match texts {
                Some(texts) => {
                    for text in texts {
                        by_text.entry(text.clone()).or_default().push(number);
                    }
                }
                None => always.push(number),
            }
        }
        choice.index = Some((from, by_text));
        choice.always = always;
        choice
    }

    /// All items, whatever their conditions.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        self.items.iter().map(|(_, item)| item)
    }

    /// Item and condition number `number`.
    pub(crate) fn item(&self, number: u32) -> (Option<&Condition>, &T) {
        let (condition, item) = &self.items[number as usize];
        (condition.as_ref(), item)
    }

    /// Numbers of the items whose condition may hold, ascending; the condition is still to be asked.
    pub(crate) fn candidates(&self, work: &Work<'_, '_>) -> Vec<u32> {
        let Some((from, by_text)) = &self.index else { return self.always.clone() };
        let mut numbers = self.always.clone();
        if let Some(value) = work.read(from) {
            for one in value.each() {
                if let Some(found) = by_text.get(&text_of(one).to_ascii_lowercase()) {
                    numbers.extend_from_slice(found);
                }
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

fn same(one: &Ref, other: &Ref) -> bool {
    match (one, other) {
        (Ref::Name(one), Ref::Name(other)) => one == other,
        (Ref::Fact(one), Ref::Fact(other)) => one == other,
        _ => false,
    }
}
