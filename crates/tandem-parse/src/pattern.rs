//! Regular expressions with named parts, written as `(?P<name>…)` or `%{WORD:name}`.

use crate::names::Names;
use crate::problem::Problems;
use crate::work::{Target, Work};
use regex::Regex;
use std::fmt::Write;
use tandem_model::Value;

/// A compiled pattern may be this large, about; a larger one is refused.
const PATTERN_BYTES_MAX: usize = 2 << 20;

/// Named pieces of patterns: name, text before, the part that is taken, text after.
const PIECES: &[(&str, &str, &str, &str)] = &[
    ("WORD", "", r"\w+", ""),
    ("NOTSPACE", "", r"\S+", ""),
    ("INT", "", r"[+-]?\d+", ""),
    ("NUMBER", "", r"[+-]?\d+(?:\.\d+)?", ""),
    ("HEX", "", r"(?:0[xX])?[0-9A-Fa-f]+", ""),
    ("IPV4", "", IPV4, ""),
    ("IPV6", "", IPV6, ""),
    ("IP", "", "", ""),
    ("HOST", "", r"[0-9A-Za-z_:][0-9A-Za-z_.:-]*[0-9A-Za-z_]|[0-9A-Za-z]", ""),
    ("PORT", "", r"\d{1,5}", ""),
    ("USER", "", r#"[^\s:'"]+"#, ""),
    ("MAC", "", r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}", ""),
    ("UUID", "", r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}", ""),
    ("PATH", "", r"(?:[A-Za-z]:)?[/\\][^\s]*", ""),
    ("URI", "", r"[A-Za-z][A-Za-z0-9+.-]*://\S+", ""),
    ("QUOTED", "\"", r#"(?:[^"\\]|\\.)*"#, "\""),
    ("DATA", "", r".*?", ""),
    ("GREEDY", "", r".*", ""),
    ("ISOTIME", "", r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?", ""),
    ("SYSLOGTIME", "", r"[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?", ""),
    ("HTTPTIME", "", r"\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}", ""),
];
const IPV4: &str = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}";
const IPV6: &str = r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4})?(?:%[0-9A-Za-z]+)?";

/// A compiled pattern and where its groups go.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    regex: Regex,
    groups: Vec<(usize, Target)>,
}

/// Patterns of which the first that matches is taken.
#[derive(Debug, Clone)]
pub(crate) struct Patterns(pub(crate) Vec<Pattern>);

impl Pattern {
    pub(crate) fn compile(text: &str, line: usize, names: &mut Names, problems: &mut Problems) -> Option<Self> {
        let mut pieces = Vec::new();
        let expanded = match expand(text, &mut pieces) {
            Ok(expanded) => expanded,
            Err(message) => {
                problems.add("parser.pattern", line, message);
                return None;
            }
        };
        let regex = match build(&expanded) {
            Ok(regex) => regex,
            Err(message) => {
                problems.add("parser.pattern", line, message);
                return None;
            }
        };
        let mut groups = Vec::new();
        for (index, name) in regex.capture_names().enumerate() {
            let Some(name) = name else { continue };
            let field = match name.strip_prefix("piece__").and_then(|number| number.parse::<usize>().ok()) {
                Some(number) => pieces.get(number).map_or(name, String::as_str),
                None => name,
            };
            groups.push((index, Target::compile(field, line, names, problems)));
        }
        Some(Self { regex, groups })
    }

    /// Sets the fields of the groups that took part; whether it matched.
    pub(crate) fn apply(&self, text: &str, work: &mut Work<'_, '_>) -> bool {
        if self.groups.is_empty() {
            return self.regex.is_match(text);
        }
        let Some(captures) = self.regex.captures(text) else { return false };
        for (index, target) in &self.groups {
            if let Some(part) = captures.get(*index) {
                work.set(*target, Value::text(part.as_str()));
            }
        }
        true
    }
}

impl Patterns {
    pub(crate) fn apply(&self, text: &str, work: &mut Work<'_, '_>) -> bool {
        self.0.iter().any(|pattern| pattern.apply(text, work))
    }
}

/// A regular expression without groups that set fields, with the pieces `%{WORD}`.
pub(crate) fn plain(text: &str, line: usize, problems: &mut Problems) -> Option<Regex> {
    let mut pieces = Vec::new();
    let built = expand(text, &mut pieces).and_then(|expanded| build(&expanded));
    built.map_err(|message| problems.add("parser.pattern", line, message)).ok()
}

fn build(text: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(text)
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|error| format!("the pattern is not usable: {}", error.to_string().replace('\n', " ")))
}

/// Writes out `%{WORD:name}`; the names are collected in `names`, group `piece__N` is the N-th.
fn expand(text: &str, names: &mut Vec<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(at) = rest.find("%{") {
        out.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let end = inner.find('}').ok_or("`%{` without `}` in the pattern")?;
        let (word, name) = match inner[..end].split_once(':') {
            Some((word, name)) => (word, Some(name)),
            None => (&inner[..end], None),
        };
        let Some((_, before, body, after)) = PIECES.iter().find(|(piece, ..)| *piece == word) else {
            let known: Vec<_> = PIECES.iter().map(|(piece, ..)| *piece).collect();
            return Err(format!("there is no `%{{{word}}}`; known are {}", known.join(", ")));
        };
        let body = if word == "IP" { format!("{IPV6}|{IPV4}") } else { (*body).to_owned() };
        out.push_str(before);
        match name {
            Some("") => return Err(format!("`%{{{word}:}}` has no field name")),
            Some(name) => {
                write!(out, "(?P<piece__{}>{body})", names.len()).map_err(|error| error.to_string())?;
                names.push(name.to_owned());
            }
            None => {
                write!(out, "(?:{body})").map_err(|error| error.to_string())?;
            }
        }
        out.push_str(after);
        rest = &inner[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}
