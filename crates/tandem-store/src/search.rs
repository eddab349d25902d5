//! Search: one request, one pass, rows as soon as they are certain.

use crate::compile::{column, compile, instant};
use crate::facets::FacetCounts;
use crate::figures::Figures;
use crate::gather::{FiguresPlan, Hit, Plan};
use crate::index::probe;
use crate::layout::{EXTRA, ID, LOG_TYPES, PARSER, RAW, RAW_PRIVATE, RECEIVED, SOURCE, TIME, TYPED};
use crate::read::FieldPlace;
use crate::request::{Bucket, Cursor, Done, Progress, RowOrder, SearchPart, SearchRequest};
use crate::run::{QueryLimits, Run};
use crate::scan::{Scanner, Source, sources};
use crate::store::{Inner, State};
use crate::{QueryError, Store, StoreError};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use std::collections::BTreeMap;
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_model::{Event, EventId, ReadScope, Value};
use tandem_query::{Answer, Stage, Table};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Most rows of one page.
const ROWS_MAX: usize = 10_000;
/// Events that `sort` and `fields` look at when `stats` does not come first.
const PIPED_ROWS_MAX: usize = 50_000;
/// Rows beyond those wanted that wait for sources that may hold earlier ones.
const WAITING_MAX: usize = 131_072;
/// Most buckets of a histogram.
const BUCKETS_MAX: usize = 2_000;
/// Most facets of one search.
const FACETS_MAX: usize = 32;
/// The column that carries the place of an event through a pipe.
const PLACE: &str = "\u{1}place";

/// Parts of an answer, as they come; the last one is [`SearchPart::Done`] or an error.
pub type SearchStream = BoxStream<'static, Result<SearchPart, QueryError>>;

impl Store {
    /// Runs a search. Rows come as soon as no later source can hold one that belongs before them; histogram,
    /// facets and the total come at the end. Without histogram and facets a search ends with its last row.
    #[expect(clippy::unused_async, reason = "planning may come to need the disk; callers should not change then")]
    pub async fn search(
        &self,
        request: SearchRequest,
        scope: &ReadScope,
        limits: QueryLimits,
        cancel: CancellationToken,
    ) -> Result<SearchStream, QueryError> {
        match scope {
            ReadScope::Everything => {}
        }
        let inner = self.inner.clone();
        let run = Run::new(limits, cancel);
        let search = Search::new(inner.clone(), &inner.state(), request, run)?;
        let (sender, receiver) = tokio::sync::mpsc::channel(16);
        inner.engine.handle().spawn(async move {
            let run = search.run.clone();
            if let Err(error) = run.guard(search.run(&sender)).await {
                // Nobody listens any more, or will hear why there is no more.
                let _ = sender.send(Err(error)).await;
            }
        });
        let parts =
            stream::unfold(
                receiver,
                |mut receiver| async move { receiver.recv().await.map(|message| (message, receiver)) },
            );
        Ok(parts.boxed())
    }
}

struct Search {
    inner: Arc<Inner>,
    request: SearchRequest,
    run: Run,
    scanner: Arc<Scanner>,
    sources: Vec<Source>,
    /// Sources that were left out unread.
    skipped: usize,
    plan: Arc<Plan>,
    /// The stages behind the figures, or all when there are none.
    stages: Vec<Stage>,
}

/// A hit in one of the sources.
type Found = (usize, Hit);

type Output = Sender<Result<SearchPart, QueryError>>;

impl Search {
    fn new(inner: Arc<Inner>, state: &State, request: SearchRequest, run: Run) -> Result<Self, QueryError> {
        let layout = inner.layout.clone();
        for (what, count, most) in [
            ("rows", request.limit, ROWS_MAX),
            ("buckets", request.histogram.unwrap_or(0), BUCKETS_MAX),
            ("facets", request.facets.len(), FACETS_MAX),
        ] {
            if count > most {
                return Err(QueryError::invalid(format!("{count} {what} are too many; at most {most} are possible")));
            }
        }
        let mut filter = compile(&layout, &request.query.filter)?;
        let probe = probe(&layout, &request.query.filter);
        let from = request.from.map_or(i64::MIN, Timestamp::micros);
        let to = request.to.map_or(i64::MAX, Timestamp::micros);
        if request.from.is_some() {
            filter = column(TIME).gt_eq(instant(from)).and(filter);
        }
        if request.to.is_some() {
            filter = column(TIME).lt(instant(to)).and(filter);
        }
        let all = sources(state);
        let count = all.len();
        let mut sources: Vec<Source> = all
            .into_iter()
            .filter(|source| {
                let (first, last) = source.time();
                last >= from && first < to
            })
            .collect();
        match request.order {
            RowOrder::NewestFirst => sources.sort_by_key(|source| std::cmp::Reverse(source.time().1)),
            RowOrder::OldestFirst => sources.sort_by_key(|source| source.time().0),
        }
        let skipped = count - sources.len();
        let histogram = request.histogram.filter(|buckets| *buckets > 0).map(|buckets| {
            let first = sources.iter().map(|source| source.time().0).min().unwrap_or(0);
            let last = sources.iter().map(|source| source.time().1).max().unwrap_or(0);
            let from = if request.from.is_some() { from } else { first };
            let to = if request.to.is_some() { to } else { last.saturating_add(1) };
            let span = i128::from(to.max(from.saturating_add(1))) - i128::from(from);
            let width = (span + buckets as i128 - 1) / buckets as i128;
            (from, i64::try_from(width).unwrap_or(i64::MAX).max(1), buckets)
        });
        let place = |name: &String| FieldPlace::new(&layout, name);
        let mut stages = request.query.pipe.clone();
        let mut figures = None;
        if let Some(Stage::Stats { aggregates, by }) = stages.first() {
            figures = Some(FiguresPlan {
                fields: aggregates.iter().map(|aggregate| aggregate.field.as_ref().map(place)).collect(),
                by: by.iter().map(place).collect(),
                aggregates: aggregates.clone(),
            });
            stages.remove(0);
        }
        let is_piped = figures.is_none() && !stages.is_empty();
        let rows = match (&figures, stages.first()) {
            (Some(_), _) => 0,
            (None, Some(Stage::Head(count))) => usize::try_from(*count).unwrap_or(usize::MAX).min(PIPED_ROWS_MAX),
            (None, Some(_)) => PIPED_ROWS_MAX,
            (None, None) => request.limit,
        };
        let plan = Plan {
            rows,
            order: request.order,
            cursor: request.cursor.filter(|_| !is_piped),
            histogram,
            facets: request.facets.iter().map(place).collect(),
            figures,
            cells: if is_piped { named(&stages).iter().map(place).collect() } else { Vec::new() },
            layout,
        };
        let session = inner.engine.session(run.limits.memory_bytes)?;
        let scanner = Arc::new(Scanner::new(inner.clone(), session, &filter, probe)?);
        Ok(Self { inner, request, run, scanner, sources, skipped, plan: Arc::new(plan), stages })
    }

    async fn run(self, output: &Output) -> Result<(), QueryError> {
        let mut totals = Totals {
            count: 0,
            buckets: vec![0; self.plan.histogram.map_or(0, |(_, _, count)| count)],
            facets: vec![FacetCounts::default(); self.plan.facets.len()],
            figures: self.plan.figures.as_ref().map(FiguresPlan::figures),
        };
        let is_piped = !self.plan.cells.is_empty() || !self.stages.is_empty() && self.plan.figures.is_none();
        let needs_all = !totals.buckets.is_empty() || !totals.facets.is_empty() || totals.figures.is_some() || is_piped;
        let mut progress =
            Progress { sources_done: self.skipped, sources: self.skipped + self.sources.len(), ..Progress::default() };
        let mut waiting: Vec<Found> = Vec::new();
        let mut cells: BTreeMap<(usize, u64), Vec<Option<Value>>> = BTreeMap::new();
        let mut left = if is_piped || self.plan.figures.is_some() { 0 } else { self.request.limit };
        let mut last = None;
        let mut more = false;
        let mut stopped = false;
        // Each source is a task of its own, which ends when nobody waits for it any more.
        let mut parts = stream::iter(self.sources.iter().cloned().enumerate())
            .map(|(at, source)| {
                let (plan, scanner, run) = (self.plan.clone(), self.scanner.clone(), self.run.clone());
                let work = tokio::spawn(async move { plan.gather(&scanner, &source, &run).await });
                let work = AbortOnDropHandle::new(work);
                async move { (at, work.await.map_err(|error| QueryError::from(StoreError::Worker(error)))) }
            })
            .buffered(self.inner.engine.partitions());
        while let Some((at, part)) = parts.next().await {
            let mut part = part??;
            totals.count += part.count;
            totals.buckets.iter_mut().zip(&part.buckets).for_each(|(total, count)| *total += count);
            totals.facets.iter_mut().zip(part.facets.drain(..)).for_each(|(total, counts)| total.merge(counts));
            if let (Some(total), Some(figures)) = (&mut totals.figures, part.figures.take()) {
                total.merge(figures)?;
            }
            more |= part.more;
            for (hit, row) in part.hits.iter().zip(part.cells.drain(..)) {
                cells.insert((at, hit.row), row);
            }
            waiting.extend(part.hits.into_iter().map(|hit| (at, hit)));
            self.order(&mut waiting);
            if is_piped && waiting.len() > PIPED_ROWS_MAX {
                more = true;
                for (source, hit) in waiting.split_off(PIPED_ROWS_MAX) {
                    cells.remove(&(source, hit.row));
                }
            }
            if !is_piped && waiting.len() > left + WAITING_MAX {
                waiting.truncate(left + WAITING_MAX);
                more = true;
            }
            let bound = self.sources.get(at + 1).map(|next| match self.request.order {
                RowOrder::NewestFirst => next.time().1,
                RowOrder::OldestFirst => next.time().0,
            });
            if left > 0 {
                let certain = waiting
                    .iter()
                    .take_while(|(_, hit)| bound.is_none_or(|bound| self.plan.is_before(hit.time, bound)))
                    .count();
                let rest = waiting.split_off(certain);
                let (rows, over) = self.rows(std::mem::replace(&mut waiting, rest), left).await?;
                more |= over;
                left -= rows.len();
                if let Some(row) = rows.last() {
                    last = Some(Cursor { time: row.time, id: row.id });
                }
                if !rows.is_empty() && output.send(Ok(SearchPart::Rows(rows))).await.is_err() {
                    return Ok(());
                }
            }
            more |= left == 0 && !waiting.is_empty();
            progress.sources_done += 1;
            progress.rows += self.sources[at].rows();
            progress.bytes += self.sources[at].bytes();
            progress.scanned_to = bound.map(Timestamp::from_micros);
            if output.send(Ok(SearchPart::Progress(progress))).await.is_err() {
                return Ok(());
            }
            if left == 0 && !needs_all && progress.sources_done < progress.sources {
                stopped = true;
                break;
            }
        }
        drop(parts);
        let mut done = Done {
            total: totals.count,
            limited: stopped,
            because: stopped.then(|| "the rows asked for were found before everything was searched".to_owned()),
            next_cursor: last.filter(|_| (more || stopped) && left == 0),
        };
        for part in self.finish(totals, waiting, cells, more, &mut done).await? {
            if output.send(Ok(part)).await.is_err() {
                return Ok(());
            }
        }
        let _ = output.send(Ok(SearchPart::Done(done))).await;
        Ok(())
    }

    /// What comes at the end: histogram, facets, tables.
    async fn finish(
        &self,
        totals: Totals,
        waiting: Vec<Found>,
        mut cells: BTreeMap<(usize, u64), Vec<Option<Value>>>,
        more: bool,
        done: &mut Done,
    ) -> Result<Vec<SearchPart>, QueryError> {
        let mut parts = Vec::new();
        if let Some((from, width, _)) = self.plan.histogram {
            let edge = |at: usize| {
                let offset = i64::try_from(at).unwrap_or(i64::MAX).saturating_mul(width);
                let end = self.request.to.map_or(i64::MAX, Timestamp::micros);
                Timestamp::from_micros(from.saturating_add(offset).min(end))
            };
            let buckets = totals.buckets.iter().enumerate();
            let buckets = buckets.map(|(at, count)| Bucket { from: edge(at), to: edge(at + 1), count: *count });
            parts.push(SearchPart::Histogram(buckets.collect()));
        }
        if !self.plan.facets.is_empty() {
            let facets = totals.facets.into_iter().zip(&self.plan.facets);
            let facets = facets.map(|(counts, place)| counts.finish(&place.name, self.request.facet_values));
            parts.push(SearchPart::Facets(facets.collect()));
        }
        let mut answer = match totals.figures {
            Some(figures) => Answer::Table(figures.finish()),
            None if self.stages.is_empty() => return Ok(parts),
            None => {
                if more && !matches!(self.stages.first(), Some(Stage::Head(_))) {
                    done.limited = true;
                    done.because = Some(format!("the pipe looked at {PIPED_ROWS_MAX} events only"));
                }
                let names = self.plan.cells.iter().map(|place| place.name.clone());
                let rows = waiting.iter().map(|(source, hit)| {
                    let mut row = cells.remove(&(*source, hit.row)).unwrap_or_default();
                    row.resize(self.plan.cells.len(), None);
                    row.push(Some(Value::Long(*source as i64)));
                    row.push(Some(Value::Long(hit.row.cast_signed())));
                    row
                });
                let columns = names.chain([PLACE.to_owned(), format!("{PLACE}2")]).collect();
                Answer::Table(Table { columns, rows: rows.collect() })
            }
        };
        for stage in &self.stages {
            answer = answer.through(stage);
            self.run.check()?;
        }
        let Answer::Table(mut table) = answer else { return Ok(parts) };
        if table.rows.len() > self.run.limits.rows {
            table.rows.truncate(self.run.limits.rows);
            done.limited = true;
            done.because = Some(format!("only the first {} rows are shown", self.run.limits.rows));
        }
        match table.columns.iter().position(|name| name == PLACE) {
            None => parts.push(SearchPart::Table(table)),
            Some(place) => {
                let number = |cell: &Option<Value>| cell.as_ref().and_then(Value::as_long).unwrap_or(0);
                let found: Vec<Found> = table
                    .rows
                    .iter()
                    .take(self.request.limit)
                    .map(|row| {
                        let row_number = number(&row[place + 1]).cast_unsigned();
                        (number(&row[place]) as usize, Hit { time: 0, row: row_number })
                    })
                    .collect();
                if found.len() < table.rows.len() {
                    done.limited = true;
                    done.because = Some(format!("only the first {} rows are shown", self.request.limit));
                }
                let mut events = self.events(&found).await?;
                let events = found.iter().filter_map(|(source, hit)| events.remove(&(*source, hit.row)));
                parts.push(SearchPart::Rows(events.collect()));
            }
        }
        Ok(parts)
    }

    /// By time in the order wanted; a stable sort, so that equal times keep the order of sources and rows.
    fn order(&self, found: &mut [Found]) {
        match self.request.order {
            RowOrder::NewestFirst => found.sort_by_key(|(_, hit)| std::cmp::Reverse(hit.time)),
            RowOrder::OldestFirst => found.sort_by_key(|(_, hit)| hit.time),
        }
    }

    /// The first `most` of `found` by (time, id), as events; and whether there were more.
    async fn rows(&self, mut found: Vec<Found>, most: usize) -> Result<(Vec<Event>, bool), QueryError> {
        if let Some(cursor) = self.plan.cursor {
            let ties = found.iter().take_while(|(_, hit)| hit.time == cursor.time.micros()).count();
            let rest = found.split_off(ties);
            let ids = self.ids(&found).await?;
            found.retain(|(source, hit)| {
                ids.get(&(*source, hit.row)).is_some_and(|id| match self.request.order {
                    RowOrder::NewestFirst => *id < cursor.id,
                    RowOrder::OldestFirst => *id > cursor.id,
                })
            });
            found.extend(rest);
        }
        let over = found.len() > most;
        if over {
            // Which of the rows with the time of the last one belong here is told by their ids.
            let time = found[most - 1].1.time;
            let first = found.iter().position(|(_, hit)| hit.time == time).unwrap_or(0);
            let end = found.iter().rposition(|(_, hit)| hit.time == time).unwrap_or(0) + 1;
            let mut ties = found[first..end].to_vec();
            let ids = self.ids(&ties).await?;
            ties.sort_by_key(|(source, hit)| ids.get(&(*source, hit.row)).copied());
            if self.request.order == RowOrder::NewestFirst {
                ties.reverse();
            }
            found.truncate(first);
            found.extend(ties.into_iter().take(most - first));
        }
        let mut events: Vec<Event> = self.events(&found).await?.into_values().collect();
        events.sort_by_key(|event| (event.time, event.id));
        if self.request.order == RowOrder::NewestFirst {
            events.reverse();
        }
        Ok((events, over))
    }

    async fn ids(&self, found: &[Found]) -> Result<BTreeMap<(usize, u64), EventId>, QueryError> {
        let mut all = BTreeMap::new();
        for (source, rows) in by_source(found) {
            let ids = self.scanner.ids(&self.sources[source], &rows).await?;
            all.extend(rows.into_iter().map(|row| (source, row)).zip(ids));
        }
        Ok(all)
    }

    async fn events(&self, found: &[Found]) -> Result<BTreeMap<(usize, u64), Event>, QueryError> {
        let columns = self.columns();
        let mut all = BTreeMap::new();
        for (source, rows) in by_source(found) {
            let events = self.scanner.events(&self.sources[source], &rows, columns.as_deref()).await?;
            all.extend(rows.into_iter().map(|row| (source, row)).zip(events));
        }
        Ok(all)
    }

    /// The columns to read for rows, when not all are wanted.
    fn columns(&self) -> Option<Vec<String>> {
        let wanted = self.request.columns.as_ref()?;
        let own = [ID, TIME, RECEIVED, SOURCE, PARSER, LOG_TYPES, TYPED, RAW, RAW_PRIVATE, EXTRA];
        let places = wanted.iter().filter_map(|name| FieldPlace::new(&self.plan.layout, name).column);
        Some(own.into_iter().map(str::to_owned).chain(places).collect())
    }
}

/// Everything that is added up.
struct Totals {
    count: u64,
    buckets: Vec<u64>,
    facets: Vec<FacetCounts>,
    figures: Option<Figures>,
}

fn by_source(found: &[Found]) -> BTreeMap<usize, Vec<u64>> {
    let mut sources: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for (source, hit) in found {
        sources.entry(*source).or_default().push(hit.row);
    }
    for rows in sources.values_mut() {
        rows.sort_unstable();
        rows.dedup();
    }
    sources
}

/// The fields of events that stages name, up to the first that makes a table of its own.
fn named(stages: &[Stage]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: &String| {
        if !names.contains(name) {
            names.push(name.clone());
        }
    };
    for stage in stages {
        match stage {
            Stage::Sort(keys) => keys.iter().for_each(|key| add(&key.column)),
            Stage::Head(_) => {}
            Stage::Fields(fields) => {
                fields.iter().for_each(&mut add);
                break;
            }
            Stage::Stats { aggregates, by } => {
                aggregates.iter().filter_map(|aggregate| aggregate.field.as_ref()).for_each(&mut add);
                by.iter().for_each(&mut add);
                break;
            }
        }
    }
    names
}
