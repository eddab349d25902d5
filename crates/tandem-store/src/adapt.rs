//! How an expression over the table is run on one file: columns that the file lacks, and what its `extra` holds.

use crate::encode::names_of;
use crate::functions::{Leaf, LeafKind, Member, Target};
use crate::layout::{EXTRA, EXTRA_NAMES_KEY, Layout};
use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_expr::expressions::{Column, lit};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_adapter::{DefaultPhysicalExprAdapter, PhysicalExprAdapter, PhysicalExprAdapterFactory};
use std::collections::BTreeSet;
use std::sync::Arc;
use tandem_model::FieldType;

/// Makes an adapter for each file.
#[derive(Debug)]
pub(crate) struct Adapters {
    pub(crate) layout: Arc<Layout>,
}

#[derive(Debug)]
struct Adapter {
    layout: Arc<Layout>,
    /// Names in the file's `extra`; `None`: any.
    names: Option<BTreeSet<String>>,
    logical: SchemaRef,
    physical: SchemaRef,
}

impl PhysicalExprAdapterFactory for Adapters {
    fn create(&self, logical: SchemaRef, physical: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let names = if physical.index_of(EXTRA).is_err() {
            Some(BTreeSet::new())
        } else {
            names_of(physical.metadata().get(EXTRA_NAMES_KEY))
        };
        Ok(Arc::new(Adapter { layout: self.layout.clone(), names, logical, physical }))
    }
}

impl Adapter {
    fn may_have(&self, name: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(name))
    }

    /// The column as `extra` has it, when it can have it.
    fn member_of_extra(&self, column: &Column) -> Option<Arc<dyn PhysicalExpr>> {
        if self.physical.index_of(column.name()).is_ok() {
            return None;
        }
        let (field, target) = match self.layout.of_column(column.name()) {
            Some(known) => (&known.field, Target::Column(known.field.kind)),
            None => {
                let plain = column.name().strip_suffix(".key")?;
                let known = self.layout.of_column(plain)?;
                (known.field.kind == FieldType::Ip).then_some((&known.field, Target::Key))?
            }
        };
        if !self.may_have(&field.name) {
            return None;
        }
        let extra = self.logical.index_of(EXTRA).ok()?;
        let member = Member::new(&field.name, target);
        let kind = match target {
            Target::Column(kind) => crate::layout::arrow_type(kind),
            Target::Key => DataType::Binary,
        };
        Some(Arc::new(ScalarFunctionExpr::new(
            "extra_member",
            Arc::new(ScalarUDF::new_from_impl(member)),
            vec![Arc::new(Column::new(EXTRA, extra))],
            Arc::new(Field::new("extra_member", kind, true)),
            Arc::new(ConfigOptions::default()),
        )))
    }
}

impl PhysicalExprAdapter for Adapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let expr = expr
            .transform_down(|expr| {
                if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>()
                    && let Some(leaf) = call.fun().inner().downcast_ref::<Leaf>()
                    && let LeafKind::Extra { name, .. } = &leaf.kind
                    && !self.may_have(name)
                {
                    return Ok(Transformed::yes(lit(false)));
                }
                match expr.downcast_ref::<Column>().and_then(|column| self.member_of_extra(column)) {
                    // The new expression has a column of its own, which is not to be looked at again.
                    Some(member) => {
                        Ok(Transformed::new(member, true, datafusion::common::tree_node::TreeNodeRecursion::Jump))
                    }
                    None => Ok(Transformed::no(expr)),
                }
            })
            .data()?;
        DefaultPhysicalExprAdapter::new(self.logical.clone(), self.physical.clone()).rewrite(expr)
    }
}
