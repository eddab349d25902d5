//! A scan of files that the engine's optimizer takes as it is.
//!
//! The engine asks a Parquet scan in its planning whether it takes a filter, and a file may find later that it
//! cannot evaluate what became of it there (DataFusion 55.2 ignores such a part: seen with a list column beside
//! `IS NOT NULL` of a column that the file lacks). So filters are given to the scan by us, only those without
//! list columns, and behind this plan nobody adds any.

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
};
use std::fmt;
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub(crate) struct Barrier {
    scan: Arc<dyn ExecutionPlan>,
    statistics: Arc<Statistics>,
}

impl Barrier {
    /// `statistics` are those of all partitions together.
    pub(crate) fn new(scan: Arc<dyn ExecutionPlan>, statistics: Statistics) -> Self {
        Self { scan, statistics: Arc::new(statistics) }
    }
}

impl DisplayAs for Barrier {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedFiles: ")?;
        self.scan.fmt_as(format, f)
    }
}

impl ExecutionPlan for Barrier {
    fn name(&self) -> &'static str {
        "SealedFiles"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.scan.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("a scan of sealed files has no children") }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.scan.execute(partition, context)
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        Ok(match partition {
            None => self.statistics.clone(),
            Some(_) => Arc::new(Statistics::new_unknown(&self.schema())),
        })
    }
}
