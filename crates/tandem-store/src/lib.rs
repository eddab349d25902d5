//! The event table: Parquet, Delta, compaction, retention, queries on DataFusion.
