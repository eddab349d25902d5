//! What could be written at the cursor.

use crate::names::EVENT_FIELDS;
use crate::parse::{ends_word, is_plain_name};
use crate::{Function, QUERY_BYTES_MAX};
use std::ops::Range;
use tandem_model::{Catalogue, FieldType};

/// Most completions in one answer.
const COMPLETIONS_MAX: usize = 50;

/// One thing that could be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What to write in place of `replace`.
    pub text: String,
    /// The bytes of the query that it takes the place of: the word at the cursor.
    pub replace: Range<usize>,
    /// What it is.
    pub kind: CompletionKind,
    /// What it means, for a list beside it.
    pub detail: String,
}

/// What a completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompletionKind {
    /// A field, or a column of the pipe.
    Field,
    /// `AND`, a comparison, a stage, a figure.
    Operator,
}

/// What could be written at byte `cursor` of `text`; best first, at most 50.
pub fn complete(text: &str, cursor: usize, catalogue: &Catalogue) -> Vec<Completion> {
    if text.len() > QUERY_BYTES_MAX {
        return Vec::new();
    }
    let mut cursor = cursor.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let Some(context) = Context::at(&text[..cursor]) else { return Vec::new() };
    let start = context.start;
    let typed = &text[start..cursor];
    let mut offers = Vec::new();
    match &context.place {
        Place::Term => {
            fields(&mut offers, catalogue, ":");
            offers.push(operator("_exists_:", "events that have a field"));
            if !text[..start].trim().is_empty() {
                offers.push(operator("AND ", "both terms (also without a word between them)"));
                offers.push(operator("OR ", "one of the terms"));
            }
            offers.push(operator("NOT ", "not the next term"));
        }
        Place::FieldName => fields(&mut offers, catalogue, ""),
        Place::Value(name) => values(&mut offers, name, catalogue),
        Place::Stage => {
            for (word, detail) in [
                ("stats ", "figures over groups: stats count by user.name"),
                ("sort ", "order rows: sort -count"),
                ("head ", "the first rows: head 20"),
                ("fields ", "only these columns: fields time, user.name"),
            ] {
                offers.push(operator(word, detail));
            }
        }
        Place::Figure => {
            for (function, word) in Function::ALL {
                let text = if function == Function::Count { "count ".to_owned() } else { format!("{word}(") };
                offers.push(operator(&text, "figure"));
            }
            offers.push(operator("by ", "group by fields"));
        }
        Place::Column(known) => {
            for name in known {
                offers.push(Offer { text: name.clone(), kind: CompletionKind::Field, detail: "column".to_owned() });
            }
            if known.is_empty() {
                fields(&mut offers, catalogue, "");
            }
        }
    }
    let typed_lower = typed.to_lowercase();
    let mut ranked: Vec<(u8, Offer)> = offers
        .into_iter()
        .filter_map(|offer| {
            let lower = offer.text.to_lowercase();
            let rank = match lower.find(&typed_lower) {
                _ if offer.text == typed => return None,
                Some(0) => 0,
                // Behind a dot a new word starts.
                Some(at) if lower[..at].ends_with(['.', '_']) => 1,
                Some(_) => 2,
                None => return None,
            };
            Some((rank, offer))
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked
        .into_iter()
        .take(COMPLETIONS_MAX)
        .map(|(_, offer)| Completion {
            text: offer.text,
            replace: start..cursor,
            kind: offer.kind,
            detail: offer.detail,
        })
        .collect()
}

struct Offer {
    text: String,
    kind: CompletionKind,
    detail: String,
}

fn operator(text: &str, detail: &str) -> Offer {
    Offer { text: text.to_owned(), kind: CompletionKind::Operator, detail: detail.to_owned() }
}

fn fields(offers: &mut Vec<Offer>, catalogue: &Catalogue, after: &str) {
    let own = EVENT_FIELDS.iter().map(|(name, detail)| (*name, (*detail).to_owned()));
    let known = catalogue.fields().iter().map(|field| (&*field.name, field.description.clone()));
    for (name, detail) in own.chain(known) {
        let name = if is_plain_name(name) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\\\"")) };
        offers.push(Offer { text: format!("{name}{after}"), kind: CompletionKind::Field, detail });
    }
}

/// Forms of a test that suit the field's type.
fn values(offers: &mut Vec<Offer>, name: &str, catalogue: &Catalogue) {
    let kind = match name {
        "time" | "received" => Some(FieldType::Timestamp),
        _ => catalogue.get(name).map(|field| field.kind),
    };
    let forms: &[(&str, &str)] = match kind {
        Some(FieldType::Long | FieldType::Double) => &[(">=", "at least"), ("<=", "at most"), ("[", "[10 TO 20]")],
        Some(FieldType::Timestamp) => {
            &[(">=", ">=2026-10-11T22:14:15Z"), ("<", "before"), ("[", "[2026-10-11 TO 2026-10-12]")]
        }
        Some(FieldType::Ip) => &[("10.0.0.0/8", "a network"), ("[", "[10.0.0.1 TO 10.0.0.9]")],
        Some(FieldType::Bool) => &[("true", "yes"), ("false", "no")],
        Some(FieldType::String | FieldType::Strings) | None => {
            &[("\"", "a text with spaces"), ("/", "a regular expression: /^cmd/")]
        }
    };
    offers.push(operator("*", "any value"));
    for (form, detail) in forms {
        offers.push(operator(form, detail));
    }
}

/// Where the cursor stands.
enum Place {
    Term,
    FieldName,
    Value(String),
    Stage,
    Figure,
    /// A column of the pipe: of these, or of the events when there are none.
    Column(Vec<String>),
}

struct Context {
    place: Place,
    /// First byte of the word at the cursor.
    start: usize,
}

impl Context {
    /// Reads the text before the cursor; `None` within quotes, where nothing is offered.
    fn at(before: &str) -> Option<Self> {
        let mut bars = Vec::new();
        let mut word_start = 0;
        let mut in_quotes = false;
        let mut is_escaped = false;
        for (at, c) in before.char_indices() {
            if in_quotes {
                in_quotes = c != '"' || is_escaped;
            } else if c == '"' {
                in_quotes = true;
            } else if ends_word(c) {
                word_start = at + c.len_utf8();
                if c == '|' {
                    bars.push(at);
                }
            }
            is_escaped = c == '\\';
        }
        if in_quotes {
            return None;
        }
        match bars.last() {
            None => Some(Self::in_filter(before, word_start)),
            Some(bar) => Some(Self::in_pipe(before, *bar, word_start)),
        }
    }

    fn in_filter(before: &str, mut start: usize) -> Self {
        let word = &before[start..];
        if let Some(rest) = word.strip_prefix('-') {
            start += word.len() - rest.len();
        }
        let word = &before[start..];
        if let Some(name) = word.strip_prefix("_exists_:") {
            return Self { place: Place::FieldName, start: before.len() - name.len() };
        }
        match word.split_once(':') {
            Some((name, value)) if is_plain_name(name) => {
                Self { place: Place::Value(name.to_owned()), start: before.len() - value.len() }
            }
            _ => Self { place: Place::Term, start },
        }
    }

    fn in_pipe(before: &str, bar: usize, word_start: usize) -> Self {
        let stage = before[bar + 1..].trim_start();
        let word = &before[word_start..];
        // Within a word a comma or the sign of a sort key starts a new name.
        let name_start = word_start + word.rfind([',', '+', '-']).map_or(0, |at| at + 1);
        let Some((stage, arguments)) = stage.split_once(char::is_whitespace) else {
            return Self { place: Place::Stage, start: word_start };
        };
        let columns = columns_before(&before[..bar]);
        let place = match stage {
            "stats" => {
                let is_grouping =
                    arguments.split_whitespace().rev().skip(usize::from(!word.is_empty())).any(|w| w == "by");
                let is_in_bracket = before[..word_start].ends_with('(');
                if is_grouping || is_in_bracket { Place::Column(columns) } else { Place::Figure }
            }
            "sort" | "fields" => Place::Column(columns),
            _ => Place::Stage,
        };
        let start = if matches!(place, Place::Column(_)) { name_start } else { word_start };
        Self { place, start }
    }
}

/// The columns that the stages of `text` leave; empty when the rows are still events.
fn columns_before(text: &str) -> Vec<String> {
    let (query, _) = crate::parse(text);
    let mut columns = Vec::new();
    for stage in &query.pipe {
        match stage {
            crate::Stage::Stats { aggregates, by } => {
                columns = by.iter().cloned().chain(aggregates.iter().map(|figure| figure.name.clone())).collect();
            }
            crate::Stage::Fields(names) => columns.clone_from(names),
            crate::Stage::Sort(_) | crate::Stage::Head(_) => {}
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let field =
            |name: &str, kind: &str| format!("  - {{name: {name}, type: {kind}, layer: common, description: d}}\n");
        let fields = [("user.name", "string"), ("source.ip", "ip"), ("http.bytes", "long")];
        let fields: String = fields.iter().map(|(name, kind)| field(name, kind)).collect();
        Catalogue::from_yaml(&format!("version: 1\nfields:\n{fields}")).unwrap()
    }

    /// `¦` marks the cursor; the expected text is the first offers, `replaced→text`.
    fn check(text: &str, expected: &[&str]) {
        let cursor = text.find('¦').unwrap();
        let text = text.replace('¦', "");
        let offers = complete(&text, cursor, &catalogue());
        let offers: Vec<String> =
            offers.iter().map(|offer| format!("{}→{}", &text[offer.replace.clone()], offer.text)).collect();
        assert_eq!(offers[..expected.len().min(offers.len())], *expected, "{text}");
    }

    #[test]
    fn offers_what_fits_the_place() {
        check("us¦", &["us→user.name:"]);
        check("ip¦", &["ip→source.ip:"]);
        check("x AND (-so¦", &["so→source:", "so→source.ip:"]);
        check("x O¦", &["O→OR "]);
        check("_exists_:htt¦", &["htt→http.bytes"]);
        check("http.bytes:¦", &["→*", "→>=", "→<=", "→["]);
        check("source.ip:1¦", &["1→10.0.0.0/8"]);
        check("user.name:\"a b¦", &[]);
        check("x | ¦", &["→stats ", "→sort ", "→head ", "→fields "]);
        check("x | stats c¦", &["c→count ", "c→count_distinct("]);
        check("x | stats sum(htt¦", &["htt→http.bytes"]);
        check("x | stats count by use¦", &["use→user.name"]);
        check("x | stats count by user.name,sou¦", &["sou→source", "sou→source.ip"]);
        check("x | stats count by user.name | sort -¦", &["→user.name", "→count"]);
        check("x | fields tim¦", &["tim→time"]);
    }

    #[test]
    fn no_cursor_panics() {
        let text = "ä:\"ö\\\" | stats count by ü | sort -(ß,";
        for cursor in 0..text.len() + 2 {
            complete(text, cursor, &catalogue());
        }
    }
}
