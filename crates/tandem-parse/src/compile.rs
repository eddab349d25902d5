//! Parser files into parsers, with every mistake of every file.

use crate::names::Names;
use crate::parser::Parser;
use crate::problem::{Problem, Problems};
use crate::source::{Table, value_of};
use crate::yaml::{Data, Node};
use std::collections::HashMap;
use std::sync::Arc;
use tandem_model::{Catalogue, Value};

/// What the compiling of one file shares.
pub(crate) struct Compiler<'c> {
    pub(crate) names: &'c mut Names,
    pub(crate) problems: &'c mut Problems,
    tables: HashMap<String, Arc<Table>>,
}

/// All parsers, ordered as their gates are asked.
#[derive(Debug, Clone)]
pub struct Parsers {
    pub(crate) list: Arc<[Parser]>,
    pub(crate) names: Names,
}

impl Parsers {
    /// Compiles parser files, each with a name for messages and its text. A file with problems is left out.
    pub fn compile(files: Vec<(String, String)>, catalogue: &Catalogue) -> (Self, Vec<Problem>) {
        let mut names = Names::new(catalogue);
        let mut list: Vec<Parser> = Vec::new();
        let mut all = Vec::new();
        for (file, text) in files {
            let mut problems = Problems::new(&file);
            let parser = crate::yaml::parse(&text, &mut problems).and_then(|node| {
                let line = node.line;
                let mut compiler = Compiler { names: &mut names, problems: &mut problems, tables: HashMap::new() };
                let parser = Parser::compile(&node, &mut compiler)?;
                if list.iter().any(|other| other.name == parser.name) {
                    problems.add("parser.twice", line, format!("there is a parser `{}` already", parser.name));
                }
                Some(parser)
            });
            if problems.list.is_empty() {
                list.extend(parser);
            }
            all.append(&mut problems.list);
        }
        list.sort_by(|one, other| (one.priority, &one.name).cmp(&(other.priority, &other.name)));
        // Names that every event may get, whatever its parser.
        for name in crate::finish::DEFAULT_NAMES {
            names.id(name);
        }
        names.fix();
        (Self { list: list.into(), names }, all)
    }

    /// Names of the parsers in the order in which they are asked.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|parser| &*parser.name)
    }
}

impl Compiler<'_> {
    /// `tables:` of a parser.
    pub(crate) fn tables(&mut self, node: &Node) {
        for (name, table) in node.map("tables", self.problems) {
            if let Some(compiled) = self.compile_table(table) {
                self.tables.insert(name.clone(), compiled);
            }
        }
    }

    /// The table that `lookup:` names or holds.
    pub(crate) fn table(&mut self, node: &Node) -> Option<Arc<Table>> {
        if matches!(node.data, Data::Map(_)) {
            return self.compile_table(node);
        }
        let name = node.text("lookup", self.problems);
        let found = self.tables.get(&name).cloned();
        if found.is_none() {
            self.problems.add(
                "parser.unknown_name",
                node.line,
                format!("there is no table `{name}` in this parser's `tables`"),
            );
        }
        found
    }

    fn compile_table(&mut self, node: &Node) -> Option<Arc<Table>> {
        let Data::Map(entries) = &node.data else {
            self.problems.shape(node.line, format!("a table is a map, not {}", node.kind()));
            return None;
        };
        let mut table = Table::with_capacity(entries.len());
        for (key, value) in entries {
            // Null: a value that means nothing.
            let value = if value.is_null() { Some(Value::List(Vec::new())) } else { value_of(value, self) };
            if let Some(value) = value
                && table.insert(key.to_ascii_lowercase(), value).is_some()
            {
                self.problems.add("parser.twice", node.line, format!("the table has `{key}` twice, apart from case"));
            }
        }
        Some(Arc::new(table))
    }
}
