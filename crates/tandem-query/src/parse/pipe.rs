//! Stages after `|`.

use super::{Parser, cut};
use crate::{Aggregate, Function, GROUP_FIELDS_MAX, HEAD_MAX, Order, PIPE_STAGES_MAX, SortKey, Stage, names};

const STAGES: [&str; 4] = ["stats", "sort", "head", "fields"];

impl Parser<'_> {
    pub(super) fn pipe(&mut self) -> Vec<Stage> {
        let mut stages = Vec::new();
        // The columns that exist here; `None` as long as the rows are events.
        let mut columns: Option<Vec<String>> = None;
        loop {
            self.skip_space();
            let start = self.at;
            if !self.take("|") {
                break;
            }
            if stages.len() == PIPE_STAGES_MAX {
                let message = format!("more than {PIPE_STAGES_MAX} stages");
                self.error(start..self.text.len(), "too-many-stages", message, "use fewer `|`");
                self.at = self.text.len();
                break;
            }
            let before = self.problems.len();
            let stage = self.stage(start, columns.as_deref());
            if self.problems[before..].iter().any(crate::Problem::is_error) {
                self.skip_stage();
                // What columns exist from here on is not known.
                columns = None;
                continue;
            }
            let Some(stage) = stage else { continue };
            match &stage {
                Stage::Stats { aggregates, by } => {
                    let figures = aggregates.iter().map(|aggregate| aggregate.name.clone());
                    columns = Some(by.iter().cloned().chain(figures).collect());
                }
                Stage::Fields(names) => columns = Some(names.clone()),
                Stage::Sort(_) | Stage::Head(_) => {}
            }
            stages.push(stage);
        }
        stages
    }

    fn skip_stage(&mut self) {
        while let Some(c) = self.peek() {
            if c == '|' {
                return;
            }
            self.bump();
        }
    }

    fn stage(&mut self, bar: usize, columns: Option<&[String]>) -> Option<Stage> {
        self.skip_space();
        let start = self.at;
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        let stage = match word.as_str() {
            "stats" => self.stats(start, columns)?,
            "sort" => self.sort(columns)?,
            "head" => self.head()?,
            "fields" => Stage::Fields(self.columns(columns)?),
            "" => {
                let message = "a stage is missing behind `|`";
                self.error(
                    bar..bar + 1,
                    "missing-stage",
                    message,
                    "write `| stats count by user.name`; for alternatives write OR",
                );
                return None;
            }
            _ => {
                let hint = match names::closest(&word, STAGES) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => "the stages are stats, sort, head and fields".to_owned(),
                };
                self.error(start..self.at, "unknown-stage", format!("there is no stage `{}`", cut(&word)), hint);
                return None;
            }
        };
        self.skip_space();
        if self.peek().is_some_and(|c| c != '|') {
            let rest = self.rest();
            let end = self.at + rest.find('|').unwrap_or(rest.len());
            let message = format!("`{word}` cannot use the rest of this stage");
            self.error(self.at..end, "unexpected-text", message, "begin a new stage with `|`, or remove it");
            return None;
        }
        Some(stage)
    }

    fn stats(&mut self, start: usize, columns: Option<&[String]>) -> Option<Stage> {
        let mut aggregates: Vec<Aggregate> = Vec::new();
        loop {
            self.skip_space();
            self.take(",");
            self.skip_space();
            if self.peek().is_none_or(|c| c == '|') || self.at_keyword("by") {
                break;
            }
            let aggregate = self.aggregate(columns)?;
            aggregates.push(aggregate);
            if !self.is_allowed_length(aggregates.len(), start) {
                return None;
            }
        }
        if aggregates.is_empty() {
            let hint = "write `| stats count by user.name`";
            self.error(start..self.at, "missing-figure", "`stats` computes nothing", hint);
            return None;
        }
        let by = if self.at_keyword("by") {
            self.at += 2;
            self.columns(columns)?
        } else {
            Vec::new()
        };
        let mut seen: Vec<&str> = by.iter().map(String::as_str).collect();
        for aggregate in &aggregates {
            if seen.contains(&&*aggregate.name) {
                let message = format!("two columns are called `{}`", cut(&aggregate.name));
                self.error(start..self.at, "column-twice", message, "name one of them with `as`");
                return None;
            }
            seen.push(&aggregate.name);
        }
        Some(Stage::Stats { aggregates, by })
    }

    fn aggregate(&mut self, columns: Option<&[String]>) -> Option<Aggregate> {
        let start = self.at;
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        let known = Function::ALL.iter().find(|(_, known)| *known == word);
        let Some((function, _)) = known.copied() else {
            let all = Function::ALL.map(|(_, word)| word);
            let hint = match names::closest(&word, all) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "the figures are count, sum, avg, min, max and count_distinct".to_owned(),
            };
            let end = self.at.max(start + self.rest().chars().next().map_or(0, char::len_utf8));
            self.error(start..end, "unknown-figure", format!("there is no figure `{}`", cut(&word)), hint);
            return None;
        };
        let mut field = None;
        if self.take("(") {
            self.skip_space();
            if self.peek() != Some(')') {
                field = Some(self.column(columns)?);
                self.skip_space();
            }
            if !self.take(")") {
                self.error(start..self.at, "unclosed-bracket", "this bracket is not closed", "close it with `)`");
                return None;
            }
        }
        if field.is_none() && function != Function::Count {
            self.error(
                start..self.at,
                "missing-field",
                format!("`{word}` needs a field"),
                format!("write `{word}(field)`"),
            );
            return None;
        }
        self.skip_space();
        let name = if self.at_keyword("as") {
            self.at += 2;
            self.name()?.0
        } else {
            match &field {
                Some(field) => format!("{word}({field})"),
                None => word,
            }
        };
        Some(Aggregate { function, field, name })
    }

    fn sort(&mut self, columns: Option<&[String]>) -> Option<Stage> {
        let start = self.at;
        let mut keys = Vec::new();
        loop {
            self.skip_space();
            let order = if self.take("-") {
                Order::Descending
            } else {
                self.take("+");
                Order::Ascending
            };
            keys.push(SortKey { column: self.column(columns)?, order });
            if !self.is_allowed_length(keys.len(), start) {
                return None;
            }
            self.skip_space();
            if !self.take(",") {
                return Some(Stage::Sort(keys));
            }
        }
    }

    fn head(&mut self) -> Option<Stage> {
        self.skip_space();
        let word = self.word();
        match word.text().parse() {
            Ok(count) if (1..=HEAD_MAX).contains(&count) => Some(Stage::Head(count)),
            _ => {
                let span =
                    if word.pieces.is_empty() { word.start.saturating_sub(1)..word.end } else { word.start..word.end };
                let span = if self.text.is_char_boundary(span.start) { span } else { word.start..word.end };
                let message = format!("`head` needs a number from 1 to {HEAD_MAX}");
                self.error(span, "bad-number", message, "write `| head 20`");
                None
            }
        }
    }

    fn columns(&mut self, columns: Option<&[String]>) -> Option<Vec<String>> {
        let start = self.at;
        let mut names: Vec<String> = Vec::new();
        loop {
            let at = self.at;
            let name = self.column(columns)?;
            if names.contains(&name) {
                self.error(at..self.at, "column-twice", format!("`{}` stands here twice", cut(&name)), "remove one");
                return None;
            }
            names.push(name);
            if !self.is_allowed_length(names.len(), start) {
                return None;
            }
            self.skip_space();
            if !self.take(",") {
                return Some(names);
            }
        }
    }

    /// A field, or a column of the stage before.
    fn column(&mut self, columns: Option<&[String]>) -> Option<String> {
        let (name, span) = self.name()?;
        match columns {
            None => self.check_name(&name, span),
            Some(columns) if !columns.contains(&name) => {
                let list = columns.join(", ");
                let message = format!("there is no column `{}` behind the stage before", cut(&name));
                self.error(span, "unknown-column", message, format!("the columns are: {}", cut(&list)));
                return None;
            }
            Some(_) => {}
        }
        Some(name)
    }

    /// A name, plain or in quotes, or a figure such as `sum(http.bytes)`.
    fn name(&mut self) -> Option<(String, std::ops::Range<usize>)> {
        self.skip_space();
        let start = self.at;
        if self.peek() == Some('"') {
            let before = self.problems.len();
            let name = self.quoted_with_end();
            return (self.problems.len() == before && !name.is_empty()).then_some((name, start..self.at));
        }
        let rest = self.rest();
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|' | ',' | '"');
        let end = rest.find(ends).unwrap_or(rest.len());
        let mut name = rest[..end].to_owned();
        self.at += end;
        if Function::ALL.iter().any(|(_, word)| *word == name) && self.rest().starts_with('(') {
            let rest = self.rest();
            if let Some(close) = rest.find(')') {
                let inner = rest[1..close].trim();
                if !inner.is_empty() {
                    name = format!("{name}({})", inner.trim_matches('"'));
                }
                self.at += close + 1;
            }
        }
        if name.is_empty() {
            let end = self.at + self.peek().map_or(0, char::len_utf8);
            self.error(start..end, "missing-field", "a field is missing here", "write the name of a field");
            return None;
        }
        Some((name, start..self.at))
    }

    fn is_allowed_length(&mut self, length: usize, start: usize) -> bool {
        let allowed = length <= GROUP_FIELDS_MAX;
        if !allowed {
            let message = format!("more than {GROUP_FIELDS_MAX} in one stage");
            self.error(start..self.at, "too-many-fields", message, "name fewer fields");
        }
        allowed
    }
}
