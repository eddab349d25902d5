//! The query engine: threads of its own at low priority, memory limits, sessions without side doors.

use crate::StoreError;
use crate::config::StoreConfig;
use crate::functions::ExtraText;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::cache::cache_manager::CacheManagerConfig;
use datafusion::execution::context::SessionContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{
    GreedyMemoryPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, human_readable_size,
};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::prelude::SessionConfig;
use object_store::ObjectStore;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Builder, Handle, Runtime};

/// Functions whose result can be far larger than their arguments, outside of what the memory limit sees.
pub(crate) const REFUSED_FUNCTIONS: [&str; 14] = [
    "repeat",
    "lpad",
    "rpad",
    "space",
    "range",
    "generate_series",
    "gen_series",
    "array_repeat",
    "list_repeat",
    "array_resize",
    "list_resize",
    "version",
    "array_pad",
    "crypt",
];

/// Rows in a batch.
pub(crate) const BATCH_ROWS: usize = 8192;

/// See the module.
pub(crate) struct Engine {
    runtime: Option<Runtime>,
    env: Arc<RuntimeEnv>,
    pool: Arc<dyn MemoryPool>,
    partitions: usize,
}

/// Where the sealed files are, in plans.
pub(crate) fn files_url() -> ObjectStoreUrl {
    ObjectStoreUrl::parse("tandem://tables").expect("a constant that parses")
}

impl Engine {
    pub(crate) fn new(config: &StoreConfig, files: Arc<dyn ObjectStore>) -> Result<Self, StoreError> {
        let failed = |source: std::io::Error| StoreError::Folder { path: "query threads".into(), source };
        let runtime = Builder::new_multi_thread()
            .worker_threads(config.query_threads.max(1))
            .max_blocking_threads(config.query_threads.max(1) * 4)
            .thread_name("tandem-query")
            .thread_stack_size(8 << 20)
            .on_thread_start(|| {
                // On Linux a thread has a niceness of its own. Without it queries still run.
                let _ = rustix::process::nice(5);
            })
            .enable_all()
            .build()
            .map_err(failed)?;
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(config.query_memory_bytes));
        let env = RuntimeEnvBuilder::new()
            .with_memory_pool(pool.clone())
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .with_cache_manager(CacheManagerConfig::default().with_metadata_cache_limit(config.cache_bytes))
            .build_arc()
            .map_err(|error| StoreError::Lookup(Box::new(error.into())))?;
        env.register_object_store(files_url().as_ref(), files);
        Ok(Self { runtime: Some(runtime), env, pool, partitions: config.query_threads.max(1) })
    }

    /// The query threads.
    pub(crate) fn handle(&self) -> &Handle {
        self.runtime.as_ref().expect("taken only by drop").handle()
    }

    /// How many parts of one query run at once.
    pub(crate) fn partitions(&self) -> usize {
        self.partitions
    }

    /// Footers of files, and the files.
    pub(crate) fn env(&self) -> &Arc<RuntimeEnv> {
        &self.env
    }

    /// A session without tables that may hold `memory_bytes`.
    pub(crate) fn session(&self, memory_bytes: usize) -> Result<SessionContext> {
        let mut config = SessionConfig::new()
            .with_target_partitions(self.partitions)
            .with_batch_size(BATCH_ROWS)
            .with_information_schema(false)
            .with_default_catalog_and_schema("tandem", "public");
        let options = config.options_mut();
        options.sql_parser.enable_ident_normalization = false;
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;
        options.execution.collect_statistics = false;
        let env = RuntimeEnv::clone(&self.env);
        let pool = Arc::new(QueryPool { store: self.pool.clone(), used: AtomicUsize::new(0), limit: memory_bytes });
        let env = RuntimeEnvBuilder::from_runtime_env(&env).with_memory_pool(pool).build_arc()?;
        let allowed = |name: &str| !REFUSED_FUNCTIONS.contains(&name);
        let mut functions = SessionStateDefaults::default_scalar_functions();
        functions.retain(|function| allowed(function.name()));
        functions.push(Arc::new(ExtraText::function()));
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(env)
            .with_expr_planners(SessionStateDefaults::default_expr_planners())
            .with_scalar_functions(functions)
            .with_aggregate_functions(SessionStateDefaults::default_aggregate_functions())
            .with_window_functions(SessionStateDefaults::default_window_functions())
            .with_physical_optimizer_rule(Arc::new(GiveWay))
            .build();
        Ok(SessionContext::new_with_state(state))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime may be dropped on a thread of another one only in this way.
            runtime.shutdown_background();
        }
    }
}

/// Lets plans give way to others behind operators that make many rows of few: the engine's own rule does so
/// behind its sources only, and a filter above a join that lets nothing pass would never end or be cancelled.
#[derive(Debug)]
struct GiveWay;

impl PhysicalOptimizerRule for GiveWay {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let multiplies = plan.name().contains("Join") || plan.name().contains("Unnest");
            Ok(if multiplies {
                Transformed::yes(Arc::new(CooperativeExec::new(plan)) as Arc<dyn ExecutionPlan>)
            } else {
                Transformed::no(plan)
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "give_way"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What one query may hold, out of what all may hold together.
#[derive(Debug)]
struct QueryPool {
    store: Arc<dyn MemoryPool>,
    used: AtomicUsize,
    limit: usize,
}

impl fmt::Display for QueryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query pool of {}", human_readable_size(self.limit))
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &'static str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.store.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.store.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.used.fetch_add(additional, Ordering::Relaxed);
        self.store.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.used.fetch_sub(shrink, Ordering::Relaxed);
        self.store.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let fits = |used: usize| used.checked_add(additional).filter(|sum| *sum <= self.limit);
        if self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "the query may hold {}",
                human_readable_size(self.limit)
            )));
        }
        self.store.try_grow(reservation, additional).inspect_err(|_| {
            self.used.fetch_sub(additional, Ordering::Relaxed);
        })
    }

    fn reserved(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}
