//! `csv`: columns by position; the list of names may depend on a column.

use crate::compile::Compiler;
use crate::source::{Plain, Source};
use crate::step::{from, input};
use crate::work::{Target, Work, text_of};
use crate::yaml::Node;
use std::borrow::Cow;
use std::collections::HashMap;
use tandem_model::Value;

/// More columns than this are not read.
const COLUMNS_MAX: usize = 2_000;

/// The step's options.
#[derive(Debug, Clone)]
pub(crate) struct Csv {
    from: Option<Source>,
    separator: char,
    quotes: bool,
    empty: Vec<String>,
    names: Columns,
}

type Layout = Vec<Option<Target>>;

#[derive(Debug, Clone)]
enum Columns {
    Fixed(Layout),
    By { column: usize, layouts: HashMap<String, Layout>, default: Option<Layout> },
    From(Source, Option<Layout>),
}

impl Csv {
    pub(crate) fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        let known = ["from", "columns", "by", "layouts", "default", "columns_from", "separator", "quotes", "empty"];
        node.refuse_unknown("csv", &known, compiler.problems);
        let separator =
            node.get("separator").map_or_else(|| ",".to_owned(), |node| node.text("separator", compiler.problems));
        let mut characters = separator.chars();
        let (Some(separator), None) = (characters.next(), characters.next()) else {
            compiler.problems.shape(node.line, "the separator of csv is one character");
            return None;
        };
        let quotes = node.get("quotes").is_none_or(|node| node.truth("quotes", compiler.problems));
        let empty = node.get("empty").map(|node| node.texts("empty", compiler.problems)).unwrap_or_default();
        let default = node.get("default").map(|node| layout(node, compiler));
        let names = if let Some(columns) = node.get("columns") {
            Columns::Fixed(layout(columns, compiler))
        } else if let Some(source) = node.get("columns_from") {
            Columns::From(Source::compile(source, Plain::Field, compiler)?, default)
        } else if let (Some(by), Some(layouts)) = (node.get("by"), node.get("layouts")) {
            let Some(column) = by.as_text().and_then(|text| text.parse().ok()) else {
                compiler.problems.shape(by.line, "`by` is the 0-based number of a column");
                return None;
            };
            let mut map = HashMap::new();
            for (value, columns) in layouts.map("layouts", compiler.problems) {
                map.insert(value.clone(), layout(columns, compiler));
            }
            Columns::By { column, layouts: map, default }
        } else {
            compiler.problems.shape(node.line, "csv needs `columns`, `columns_from`, or `by` with `layouts`");
            return None;
        };
        Some(Self { from: from(node, compiler), separator, quotes, empty, names })
    }

    pub(crate) fn run(&self, work: &mut Work<'_, '_>) -> Result<(), String> {
        let text = input(work, self.from.as_ref())?;
        let values = self.values(&text);
        match &self.names {
            Columns::Fixed(layout) => self.set(layout, &values, work),
            Columns::By { column, layouts, default } => {
                let key = values.get(*column).ok_or_else(|| format!("it has only {} columns", values.len()))?;
                let layout = layouts.get(key.as_ref()).or(default.as_ref());
                let layout = layout
                    .ok_or_else(|| format!("there is no layout for `{}`", key.chars().take(64).collect::<String>()))?;
                self.set(layout, &values, work);
            }
            Columns::From(source, default) => {
                let Some(names) = source.eval(work) else {
                    let layout = default.as_ref().ok_or("the names of its columns are not known")?;
                    self.set(layout, &values, work);
                    return Ok(());
                };
                let names = text_of(&names);
                let separator = if names.contains('\t') {
                    '\t'
                } else if names.contains(',') {
                    ','
                } else {
                    ' '
                };
                for (name, value) in names.split(separator).map(str::trim).zip(&values) {
                    if !matches!(name, "" | "_") && self.means_something(value) {
                        work.set_named(name, Value::text(value));
                    }
                }
            }
        }
        Ok(())
    }

    fn set(&self, layout: &Layout, values: &[Cow<'_, str>], work: &mut Work<'_, '_>) {
        for (target, value) in layout.iter().zip(values) {
            if let Some(target) = target
                && self.means_something(value)
            {
                work.set(*target, Value::text(value));
            }
        }
    }

    fn means_something(&self, value: &str) -> bool {
        !value.is_empty() && !self.empty.iter().any(|empty| empty == value)
    }

    fn values<'t>(&self, text: &'t str) -> Vec<Cow<'t, str>> {
        let mut values = Vec::new();
        let mut rest = text;
        loop {
            if values.len() >= COLUMNS_MAX {
                return values;
            }
            if self.quotes && rest.starts_with('"') {
                let mut value = String::new();
                let mut inner = &rest[1..];
                loop {
                    let Some(end) = inner.find('"') else {
                        value.push_str(inner);
                        inner = "";
                        break;
                    };
                    value.push_str(&inner[..end]);
                    inner = &inner[end + 1..];
                    if let Some(after) = inner.strip_prefix('"') {
                        value.push('"');
                        inner = after;
                    } else {
                        break;
                    }
                }
                values.push(Cow::Owned(value));
                match inner.find(self.separator) {
                    Some(at) => rest = &inner[at + self.separator.len_utf8()..],
                    None => return values,
                }
            } else {
                match rest.find(self.separator) {
                    Some(at) => {
                        values.push(Cow::Borrowed(&rest[..at]));
                        rest = &rest[at + self.separator.len_utf8()..];
                    }
                    None => {
                        values.push(Cow::Borrowed(rest));
                        return values;
                    }
                }
            }
        }
    }
}

fn layout(node: &Node, compiler: &mut Compiler<'_>) -> Layout {
    // A long list may be written as one text of names.
    let names: Vec<String> = match node.as_text() {
        Some(text) => text.split([',', ' ', '\n']).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        None => node.list().iter().map(|item| item.as_text().unwrap_or_default()).collect(),
    };
    names
        .iter()
        .map(|name| {
            (!matches!(name.as_str(), "" | "_"))
                .then(|| Target::compile(name, node.line, compiler.names, compiler.problems))
        })
        .collect()
}
