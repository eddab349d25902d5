//! What SQL may say: one query, made of nodes and functions that only read.

use crate::QueryError;
use crate::engine::REFUSED_FUNCTIONS;
use crate::layout::Layout;
use crate::store::{DETECTIONS, EVENTS};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{self, visit_expressions_mut, visit_relations_mut};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use std::ops::ControlFlow;

/// Longest SQL text, bytes.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting that the parser follows.
const DEPTH_MAX: usize = 50;
/// How many times larger than what it reads a text may become by joining texts.
const GROWTH_MAX: usize = 32;
/// Longest replacement text.
const REPLACEMENT_BYTES_MAX: usize = 64;

/// A query that was parsed.
pub(crate) struct Prepared {
    pub(crate) statement: Statement,
    /// A name with dots that is written without quotes and is a column's.
    dotted: Option<String>,
}

/// Parses one query. Function and table names become lower case, other names stay as they are.
pub(crate) fn prepare(text: &str, layout: &Layout) -> Result<Prepared, QueryError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(QueryError::invalid(format!("the SQL text is longer than {TEXT_BYTES_MAX} bytes")));
    }
    let dialect = GenericDialect {};
    let mut statements = DFParserBuilder::new(text)
        .with_dialect(&dialect)
        .with_recursion_limit(DEPTH_MAX)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| explain(error, layout, None))?;
    let (Some(statement), None) = (statements.pop_front(), statements.pop_front()) else {
        return Err(QueryError::invalid("exactly one SQL query is expected"));
    };
    let Statement::Statement(mut statement) = statement else { return Err(only_select()) };
    if !matches!(*statement, ast::Statement::Query(_)) {
        return Err(only_select());
    }
    let lower = |ident: &mut ast::Ident| {
        if ident.quote_style.is_none() {
            ident.value = ident.value.to_ascii_lowercase();
        }
    };
    let mut dotted = None;
    let _: ControlFlow<()> = visit_expressions_mut(&mut statement, |expr| {
        if matches!(expr, ast::Expr::CompoundIdentifier(_) | ast::Expr::CompoundFieldAccess { .. }) {
            let name = expr.to_string();
            if layout.table_schema.field_with_name(&name).is_ok() {
                dotted = Some(name);
            }
        }
        if let ast::Expr::Function(function) = expr {
            for part in &mut function.name.0 {
                if let ast::ObjectNamePart::Identifier(ident) = part {
                    lower(ident);
                }
            }
        }
        ControlFlow::Continue(())
    });
    let _: ControlFlow<()> = visit_relations_mut(&mut statement, |relation| {
        if let [ast::ObjectNamePart::Identifier(ident)] = relation.0.as_mut_slice()
            && [EVENTS, DETECTIONS].iter().any(|table| ident.value.eq_ignore_ascii_case(table))
        {
            lower(ident);
        }
        ControlFlow::Continue(())
    });
    Ok(Prepared { statement: Statement::Statement(statement), dotted })
}

fn only_select() -> QueryError {
    QueryError::Invalid {
        message: "only SELECT is possible: events cannot be changed by SQL".to_owned(),
        hint: Some("start with SELECT or WITH … SELECT".to_owned()),
    }
}

/// Refuses every plan node and function that is not known to only read.
pub(crate) fn guard(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut refused = None;
    let walked = plan.apply_with_subqueries(|node| {
        refused = refuse(node);
        Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.map_err(QueryError::from)?;
    if let Some(what) = refused {
        return Err(QueryError::invalid(what));
    }
    let growth = growth(plan);
    if growth > GROWTH_MAX {
        return Err(QueryError::invalid(format!(
            "the query joins texts so often that they could become more than {GROWTH_MAX} times longer"
        )));
    }
    Ok(())
}

fn refuse(node: &LogicalPlan) -> Option<String> {
    match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::TableScan(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Unnest(_) => {}
        other => return Some(format!("`{}` is not possible here: only SELECT is", name_of(other))),
    }
    let mut refused = None;
    for expr in node.expressions() {
        let _ = expr.apply(|expr| {
            if let Expr::ScalarFunction(call) = expr {
                let name = call.name();
                if REFUSED_FUNCTIONS.contains(&name) {
                    refused = Some(format!("the function `{name}` is not available"));
                } else if let ("replace" | "regexp_replace" | "translate" | "overlay", Some(with)) =
                    (name, call.args.get(2).or(call.args.get(1)))
                {
                    let short = with.as_literal().and_then(|literal| literal.try_as_str().flatten());
                    if short.is_none_or(|text| text.len() > REPLACEMENT_BYTES_MAX) {
                        refused = Some(format!(
                            "`{name}` needs a constant replacement of at most {REPLACEMENT_BYTES_MAX} bytes"
                        ));
                    }
                }
            }
            Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        });
    }
    refused
}

fn name_of(plan: &LogicalPlan) -> String {
    let text = plan.display().to_string();
    text.split([':', ' ', '(']).next().unwrap_or_default().to_owned()
}

/// At most how many times larger a value becomes on its way to the top: functions that join texts or lists add
/// up their arguments, and each level of the plan multiplies.
fn growth(plan: &LogicalPlan) -> usize {
    let below = plan.inputs().into_iter().map(growth).max().unwrap_or(1);
    let here = plan.expressions().iter().map(growth_of).max().unwrap_or(1);
    below.saturating_mul(here)
}

fn growth_of(expr: &Expr) -> usize {
    let mut sum = 0_usize;
    let mut most = 1_usize;
    let _ = expr.apply_children(|child| {
        let child = growth_of(child);
        sum = sum.saturating_add(child);
        most = most.max(child);
        Ok(TreeNodeRecursion::Continue)
    });
    let joins = match expr {
        Expr::BinaryExpr(binary) => binary.op == Operator::StringConcat,
        Expr::ScalarFunction(call) => {
            let name = call.name();
            ["concat", "append", "prepend", "make_array", "to_string", "union", "array_join", "struct", "map"]
                .iter()
                .any(|part| name.contains(part))
        }
        Expr::ScalarSubquery(subquery) => return growth(&subquery.subquery),
        _ => false,
    };
    if joins { sum.max(most) } else { most }
}

/// The engine's message in one sentence, with a hint where a name was meant otherwise.
pub(crate) fn explain(error: DataFusionError, layout: &Layout, prepared: Option<&Prepared>) -> QueryError {
    let message = match error.find_root() {
        DataFusionError::SQL(error, _) => format!("the SQL text is not understood: {error}"),
        DataFusionError::Plan(message) | DataFusionError::NotImplemented(message) => first_line(message),
        DataFusionError::SchemaError(error, _) => first_line(&error.to_string()),
        DataFusionError::ResourcesExhausted(_) | DataFusionError::External(_) | DataFusionError::ObjectStore(_) => {
            return error.into();
        }
        other => first_line(&other.strip_backtrace()),
    };
    let dotted = prepared.and_then(|prepared| prepared.dotted.as_ref());
    let hint = dotted
        .map(|name| format!("write a name with dots in double quotes: \"{name}\""))
        .or_else(|| hint(&message, layout));
    QueryError::Invalid { message, hint }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// The hint for a message that names something unknown.
fn hint(message: &str, layout: &Layout) -> Option<String> {
    if message.contains("No field named") || message.contains("FieldNotFound") {
        let name = message.split("No field named ").nth(1)?;
        let name = name.split(". ").next()?.trim_end_matches('.').replace('"', "");
        let other = layout.table_schema.fields().iter().find(|field| field.name().eq_ignore_ascii_case(&name));
        return Some(match other {
            Some(field) => format!("the column is called \"{}\"", field.name()),
            None => format!("there is no column of this name; a field without a column is extra_text(extra, '{name}')"),
        });
    }
    if message.contains("table") && message.contains("not found") {
        return Some(format!("the tables are {EVENTS} and {DETECTIONS}"));
    }
    None
}
