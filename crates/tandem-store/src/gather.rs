//! What one source gives to a search, and how the parts are joined.

use crate::QueryError;
use crate::facets::FacetCounts;
use crate::figures::Figures;
use crate::layout::{Layout, TIME};
use crate::read::{Cells, FieldPlace};
use crate::request::{Cursor, RowOrder};
use crate::run::Run;
use crate::scan::{ROW, Scanner, Source};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use futures::StreamExt;
use std::sync::Arc;
use tandem_model::Value;
use tandem_query::Aggregate;

/// Rows with the same time as the last one wanted that are kept until their ids are compared.
const TIES_MAX: usize = 65_536;

/// A row found: its event time and its place in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) time: i64,
    pub(crate) row: u64,
}

/// What is gathered from each source.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) layout: Arc<Layout>,
    /// How many rows are wanted, at most; the first ones in `order`.
    pub(crate) rows: usize,
    pub(crate) order: RowOrder,
    pub(crate) cursor: Option<Cursor>,
    /// First instant, width in µs and number of buckets.
    pub(crate) histogram: Option<(i64, i64, usize)>,
    pub(crate) facets: Vec<FieldPlace>,
    /// Aggregates with the fields that they need, and the fields to group by.
    pub(crate) figures: Option<FiguresPlan>,
    /// Cells of these fields are gathered for the rows wanted.
    pub(crate) cells: Vec<FieldPlace>,
}

/// `| stats`.
#[derive(Clone)]
pub(crate) struct FiguresPlan {
    pub(crate) aggregates: Vec<Aggregate>,
    pub(crate) fields: Vec<Option<FieldPlace>>,
    pub(crate) by: Vec<FieldPlace>,
}

impl FiguresPlan {
    pub(crate) fn figures(&self) -> Figures {
        let by: Vec<String> = self.by.iter().map(|place| place.name.clone()).collect();
        Figures::new(&self.aggregates, &by)
    }
}

/// What one source gave.
pub(crate) struct Part {
    pub(crate) count: u64,
    pub(crate) buckets: Vec<u64>,
    pub(crate) facets: Vec<FacetCounts>,
    pub(crate) figures: Option<Figures>,
    /// In the order wanted; the rows with the cursor's time among them.
    pub(crate) hits: Vec<Hit>,
    /// For each hit the cells wanted.
    pub(crate) cells: Vec<Vec<Option<Value>>>,
    /// Whether hits were left out.
    pub(crate) more: bool,
}

impl Plan {
    /// Reads one source.
    pub(crate) async fn gather(&self, scanner: &Scanner, source: &Source, run: &Run) -> Result<Part, QueryError> {
        let mut part = Part {
            count: 0,
            buckets: vec![0; self.histogram.map_or(0, |(_, _, count)| count)],
            facets: vec![FacetCounts::default(); self.facets.len()],
            figures: self.figures.as_ref().map(FiguresPlan::figures),
            hits: Vec::new(),
            cells: Vec::new(),
            more: false,
        };
        let places = || {
            let figures = self.figures.iter().flat_map(|plan| plan.fields.iter().flatten().chain(&plan.by));
            self.facets.iter().chain(figures).chain(&self.cells)
        };
        let names = if places().any(|place| place.extra) { scanner.extra_names(source).await? } else { None };
        let mut columns: Vec<&str> = vec![TIME];
        for place in places() {
            for column in place.columns(names.as_ref()) {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
        }
        let mut batches = scanner.scan(source, &columns).await?;
        while let Some(batch) = batches.next().await {
            self.take(&mut part, &batch?)?;
            run.check()?;
            // The engine's own work between batches may be long; others get their turn.
            tokio::task::yield_now().await;
        }
        self.trim(&mut part);
        Ok(part)
    }

    fn take(&self, part: &mut Part, batch: &RecordBatch) -> Result<(), QueryError> {
        let rows = batch.num_rows();
        part.count += rows as u64;
        let times = batch.column_by_name(TIME).and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
        if let (Some((from, width, count)), Some(times)) = (self.histogram, times) {
            for time in times.values() {
                let bucket = time.saturating_sub(from).div_euclid(width);
                if let Some(slot) = usize::try_from(bucket).ok().filter(|bucket| *bucket < count) {
                    part.buckets[slot] += 1;
                }
            }
        }
        for (counts, place) in part.facets.iter_mut().zip(&self.facets) {
            counts.add(&place.within(batch), rows);
        }
        if let (Some(figures), Some(plan)) = (&mut part.figures, &self.figures) {
            let by: Vec<Cells<'_>> = plan.by.iter().map(|place| place.within(batch)).collect();
            let fields: Vec<Option<Cells<'_>>> =
                plan.fields.iter().map(|place| place.as_ref().map(|place| place.within(batch))).collect();
            figures.add(&by, &fields, rows)?;
        }
        if self.rows > 0
            && let (Some(times), Some(places)) = (times, batch.column_by_name(ROW))
        {
            let places = places.as_primitive::<Int64Type>();
            let cells: Vec<Cells<'_>> = self.cells.iter().map(|place| place.within(batch)).collect();
            for row in 0..rows {
                let time = times.value(row);
                if self.cursor.is_some_and(|cursor| self.is_before(time, cursor.time.micros())) {
                    continue;
                }
                part.hits.push(Hit { time, row: places.value(row).cast_unsigned() });
                if !cells.is_empty() {
                    part.cells.push(cells.iter().map(|cells| cells.value(row)).collect());
                }
            }
            if part.hits.len() > self.kept_max() * 2 {
                self.trim(part);
            }
        }
        Ok(())
    }

    /// Whether time `a` comes strictly before time `b` in the order wanted.
    pub(crate) fn is_before(&self, a: i64, b: i64) -> bool {
        match self.order {
            RowOrder::NewestFirst => a > b,
            RowOrder::OldestFirst => a < b,
        }
    }

    fn kept_max(&self) -> usize {
        self.rows.saturating_add(TIES_MAX)
    }

    /// Keeps the first hits in the order wanted, and those that share the time of the last one.
    fn trim(&self, part: &mut Part) {
        let mut order: Vec<usize> = (0..part.hits.len()).collect();
        let key = |at: &usize| {
            let time = part.hits[*at].time;
            match self.order {
                RowOrder::NewestFirst => -i128::from(time),
                RowOrder::OldestFirst => i128::from(time),
            }
        };
        order.sort_by_key(key);
        let at_cursor = |at: &usize| self.cursor.is_some_and(|cursor| part.hits[*at].time == cursor.time.micros());
        // Rows with the cursor's time may turn out to be on the page before.
        let ties = order.iter().take_while(|at| at_cursor(at)).count();
        let wanted = self.rows.saturating_add(ties.min(TIES_MAX));
        let mut end = wanted.min(order.len());
        if let Some(last) = end.checked_sub(1) {
            let time = part.hits[order[last]].time;
            while end < order.len() && end < wanted + TIES_MAX && part.hits[order[end]].time == time {
                end += 1;
            }
        }
        part.more |= end < order.len();
        order.truncate(end);
        part.hits = order.iter().map(|at| part.hits[*at]).collect();
        if !part.cells.is_empty() {
            part.cells = order.iter().map(|at| std::mem::take(&mut part.cells[*at])).collect();
        }
    }
}
