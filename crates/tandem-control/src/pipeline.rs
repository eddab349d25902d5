//! From detections to cases: one batch is one transaction, with the position that detection has reached.

use crate::acts::{Deed, next_seq, record, record_as};
use crate::cases::{CaseChanged, Enter, enter_history, from_body, load, save, save_row};
use crate::control::Writer;
use crate::detections::{NewRow, body, insert, insert_overflow, level_of, level_rank, load_by_ids};
use crate::error::Doing;
use crate::runs::{load_group, save_group};
use crate::site::set_position;
use crate::{Control, ControlError};
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, QueryBuilder, Row, Sqlite, SqliteConnection};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tandem_base::{Timestamp, fail};
use tandem_model::{Detection, DetectionId, Entities, RunId};
use tandem_service::{
    Actor, AlertPolicy, Case, CaseId, CaseKind, Change, Gathered, Grouper, Home, JoinKey, Outcome, Placed, Recalled,
    State, merge,
};

/// How far back detections are read to rebuild risk, spread and hubs.
const RECALL: Duration = Duration::from_hours(24);
/// How far back closed cases are read, so that new ones can link to them.
const RECALL_CLOSED: Duration = Duration::from_hours(30 * 24);
/// How far back what is in cases is read to rebuild spread.
const SPREAD_RECALL: Duration = Duration::from_hours(24);

/// Rows kept of a case; further detections are counted, and found in the event store's table of detections.
const CASE_ROWS_MAX: u64 = 10_000;
/// Rows kept of a rule's signals on one entity within an hour.
const SIGNAL_ROWS_MAX: u32 = 20;

/// How many rows of signals were kept within the present hour. Starts anew with the program, which keeps a few
/// more rows and changes nothing else.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    hour: i64,
    rows: HashMap<JoinKey, u32>,
}

impl Kept {
    /// Whether another row of this key is kept.
    fn take(&mut self, key: &JoinKey, at: Timestamp) -> bool {
        let hour = at.seconds().div_euclid(3600);
        if hour != self.hour {
            self.hour = hour;
            self.rows.clear();
        }
        let rows = self.rows.entry(key.clone()).or_default();
        *rows += 1;
        *rows <= SIGNAL_ROWS_MAX
    }
}

/// What became of one detection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Which.
    pub id: DetectionId,
    /// It was stored before; at most its text was brought up to date.
    pub known: bool,
    /// The case that has it now.
    pub case: Option<CaseId>,
    /// It opened that case.
    pub opened: bool,
    /// The group of its run.
    pub group: Option<u64>,
    /// It is a signal; the risk that one of its entities has reached.
    pub risk: Option<u32>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judged {
    /// In the order given.
    pub judgements: Vec<Judgement>,
    /// Cases that were opened or changed.
    pub cases: Vec<CaseChanged>,
}

/// What a batch has touched so far.
#[derive(Default)]
struct Touched {
    cases: BTreeMap<CaseId, TouchedCase>,
    groups: HashMap<(RunId, u64), Gathered>,
    /// Where detections of this batch belong.
    placed: HashMap<DetectionId, (Option<CaseId>, Option<u64>)>,
    /// Points of this batch's signals, and whether they are signals by nature.
    signals: HashMap<DetectionId, (u32, bool)>,
    /// Detections of this batch that are counted and not kept as rows.
    overflow: HashSet<DetectionId>,
    /// Signals that were stored before and belong to a case (or group) now.
    moved: Vec<(DetectionId, Option<CaseId>, Option<u64>)>,
    /// Groups that became part of others.
    absorbed_groups: Vec<(RunId, u64, u64)>,
}

struct TouchedCase {
    case: Case,
    /// How many keys are stored of it.
    keys: usize,
    opened: bool,
    /// Beyond counting: priority, spread, absorbed cases.
    changes: Vec<Change>,
    detections: Vec<DetectionId>,
}

impl Control {
    /// Judges a batch: new detections are stored and become signals, open cases or join them; positions are
    /// set with them. One transaction; repeating it changes nothing.
    pub async fn judge(&self, detections: &[Detection], positions: &[(&str, &[u8])]) -> Result<Judged, ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let Writer { conn, grouper, policy, kept, ahead } = &mut *writer;
        let policy = Arc::clone(policy);
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        *ahead = true;
        let mut batch = Batch { conn: &mut tx, grouper, policy: &policy, kept, now, touched: Touched::default() };
        let mut judgements = batch.place_all(detections).await?;
        let cases = batch.store(detections, &judgements, self).await?;
        for judgement in judgements.iter_mut().filter(|each| !each.known) {
            if let Some((case, group)) = batch.touched.placed.get(&judgement.id) {
                judgement.case = *case;
                judgement.group = *group;
            }
        }
        let touched = batch.touched;
        for (name, value) in positions {
            set_position(&mut tx, name, value, now).await?;
        }
        fail::point("control.judge");
        tx.commit().await.doing("commit a batch of detections")?;
        fail::point("control.judged");
        for touched in touched.cases.values() {
            grouper.sync(&touched.case);
        }
        *ahead = false;
        for change in &cases {
            self.tell(change.clone());
        }
        Ok(Judged { judgements, cases })
    }

    /// The alert policy in force.
    pub async fn policy(&self) -> Result<Arc<AlertPolicy>, ControlError> {
        Ok(Arc::clone(&self.write().await?.policy))
    }

    /// Another alert policy from now on; `text` is its YAML, kept with the act. The caller keeps the file.
    pub async fn set_policy(&self, actor: &Actor, policy: AlertPolicy, text: &str) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let deed = Deed { verb: "policy_edit", object: "policy:alert".into(), detail: json!({"text": text}) };
        record(&mut tx, &*self.chance, actor, deed, self.now()).await?;
        tx.commit().await.doing("commit an alert policy")?;
        writer.policy = Arc::new(policy);
        Ok(())
    }

    /// Tells grouping what events show together, without a detection: hubs are known before they are in the way.
    pub async fn observe(&self, seen: &[(Entities, Timestamp)]) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        for (entities, at) in seen {
            writer.grouper.observe(entities, *at);
        }
        Ok(())
    }
}

struct Batch<'a> {
    conn: &'a mut SqliteConnection,
    grouper: &'a mut Grouper,
    policy: &'a AlertPolicy,
    kept: &'a mut Kept,
    now: Timestamp,
    touched: Touched,
}

impl Batch<'_> {
    async fn place_all(&mut self, detections: &[Detection]) -> Result<Vec<Judgement>, ControlError> {
        let ids: Vec<DetectionId> = detections.iter().map(|each| each.id).collect();
        let known = existing(self.conn, &ids).await?;
        let by_id: HashMap<DetectionId, &Detection> = detections.iter().map(|each| (each.id, each)).collect();
        let mut judgements = Vec::with_capacity(detections.len());
        for detection in detections {
            let mut judgement =
                Judgement { id: detection.id, known: false, case: None, opened: false, group: None, risk: None };
            if let Some((version, case, group)) = known.get(&detection.id) {
                if version.as_deref().is_some_and(|version| *version != *detection.rule_version) {
                    self.update(detection).await?;
                }
                judgement.known = true;
                (judgement.case, judgement.group) = (*case, *group);
            } else if self.touched.placed.contains_key(&detection.id) {
                judgement.known = true; // twice in one batch
            } else {
                let outcome = self.grouper.judge(detection, self.policy);
                self.place(detection, outcome, &by_id, &mut judgement).await?;
            }
            judgements.push(judgement);
        }
        Ok(judgements)
    }

    async fn place(
        &mut self,
        detection: &Detection,
        outcome: Outcome,
        by_id: &HashMap<DetectionId, &Detection>,
        judgement: &mut Judgement,
    ) -> Result<(), ControlError> {
        let number = match &outcome.placed {
            // The grouper remembers more ids than this database: the row was pruned. It stays a signal.
            Placed::Seen => {
                self.touched.placed.insert(detection.id, (None, None));
                judgement.risk = Some(0);
                return Ok(());
            }
            Placed::Signal { total, points, quiet } => {
                self.touched.placed.insert(detection.id, (None, None));
                self.touched.signals.insert(detection.id, (*points, *quiet));
                if !self.kept.take(&outcome.key, self.now) {
                    self.touched.overflow.insert(detection.id);
                }
                judgement.risk = Some(*total);
                return Ok(());
            }
            Placed::Open(opening) => opening.number,
            Placed::Join(joining) => joining.number,
        };
        match outcome.home {
            Home::Queue => self.place_in_case(CaseId(number), detection, outcome, by_id, judgement).await,
            Home::Run(run) => self.place_in_group(run, number, detection, outcome, by_id).await,
        }
    }

    async fn place_in_case(
        &mut self,
        id: CaseId,
        detection: &Detection,
        outcome: Outcome,
        by_id: &HashMap<DetectionId, &Detection>,
        judgement: &mut Judgement,
    ) -> Result<(), ControlError> {
        let mut earlier = Vec::new();
        match outcome.placed {
            Placed::Open(opening) => {
                earlier = opening.earlier;
                let mut case = Case::new(id, CaseKind::Security, opening.gathered, self.now);
                case.links = opening.links.into_iter().map(CaseId).collect();
                case.instants.received = Some(detection.received);
                case.instants.detected = Some(detection.detected);
                let touched = TouchedCase { case, keys: 0, opened: true, changes: Vec::new(), detections: Vec::new() };
                self.touched.cases.insert(id, touched);
                judgement.opened = true;
            }
            Placed::Join(joining) => {
                self.touch(id).await?;
                for other in &joining.absorb {
                    self.absorb(CaseId(*other), id).await?;
                }
                let touched = self.touched.cases.get_mut(&id).expect("it was touched just above");
                touched.case.gathered.add_reason(joining.reason);
                if let Some(rule) = joining.spreading {
                    let last = detection.time;
                    touched.case.gathered.spreading = Some(tandem_service::SpreadMark { rule, last });
                }
                if let Some((to, reason)) = joining.raise
                    && to < touched.case.gathered.priority
                {
                    let gathered = &mut touched.case.gathered;
                    let from = gathered.priority;
                    (gathered.priority, gathered.priority_reason) = (to, reason.clone());
                    touched.changes.push(Change::Priority { from, to, reason });
                    // What became more urgent is not slept through.
                    if touched.case.snoozed_until.take().is_some() {
                        touched.changes.push(Change::Snoozed { until: None });
                    }
                }
                touched.changes.extend(joining.links.into_iter().map(|case| Change::Linked { case: CaseId(case) }));
                earlier = joining.earlier;
            }
            Placed::Seen | Placed::Signal { .. } => {}
        }
        let earlier = self.take_along(&earlier, by_id, Some(id), None).await?;
        let touched = self.touched.cases.get_mut(&id).expect("it was touched above");
        for each in &earlier {
            let (entities, key) = self.grouper.keys(each);
            touched.case.gathered.add(each, &entities, Some(&key));
            touched.detections.push(each.id);
            let instants = &mut touched.case.instants;
            instants.received = instants.received.map(|received| received.min(each.received));
            instants.detected = instants.detected.map(|detected| detected.min(each.detected));
        }
        if touched.case.gathered.detections >= CASE_ROWS_MAX {
            self.touched.overflow.insert(detection.id);
        }
        touched.case.gathered.add(detection, &outcome.entities, Some(&outcome.key));
        touched.case.instants.event = touched.case.gathered.first_event;
        touched.detections.push(detection.id);
        self.touched.placed.insert(detection.id, (Some(id), None));
        Ok(())
    }

    async fn place_in_group(
        &mut self,
        run: RunId,
        number: u64,
        detection: &Detection,
        outcome: Outcome,
        by_id: &HashMap<DetectionId, &Detection>,
    ) -> Result<(), ControlError> {
        let mut earlier = Vec::new();
        match outcome.placed {
            Placed::Open(opening) => {
                earlier = opening.earlier;
                self.touched.groups.insert((run, number), opening.gathered);
            }
            Placed::Join(joining) => {
                self.touch_group(run, number).await?;
                for other in &joining.absorb {
                    self.touch_group(run, *other).await?;
                    let absorbed = self.touched.groups.get(&(run, *other)).expect("it was touched just above").clone();
                    self.touched.absorbed_groups.push((run, *other, number));
                    for place in self.touched.placed.values_mut() {
                        if place.1 == Some(*other) {
                            place.1 = Some(number);
                        }
                    }
                    self.group(run, number).absorb(&absorbed);
                }
                let gathered = self.group(run, number);
                gathered.add_reason(joining.reason);
                if let Some(rule) = joining.spreading {
                    gathered.spreading = Some(tandem_service::SpreadMark { rule, last: detection.time });
                }
                if let Some((priority, reason)) = joining.raise
                    && priority < gathered.priority
                {
                    (gathered.priority, gathered.priority_reason) = (priority, reason);
                }
                earlier = joining.earlier;
            }
            Placed::Seen | Placed::Signal { .. } => {}
        }
        let earlier = self.take_along(&earlier, by_id, None, Some(number)).await?;
        for each in &earlier {
            let (entities, key) = self.grouper.keys(each);
            self.group(run, number).add(each, &entities, Some(&key));
        }
        if self.group(run, number).detections >= CASE_ROWS_MAX {
            self.touched.overflow.insert(detection.id);
        }
        self.group(run, number).add(detection, &outcome.entities, Some(&outcome.key));
        self.touched.placed.insert(detection.id, (None, Some(number)));
        Ok(())
    }

    fn group(&mut self, run: RunId, number: u64) -> &mut Gathered {
        self.touched.groups.get_mut(&(run, number)).expect("a group is touched before it is used")
    }

    async fn touch(&mut self, id: CaseId) -> Result<(), ControlError> {
        if !self.touched.cases.contains_key(&id) {
            let case = load(self.conn, id).await?;
            let keys = case.gathered.keys.len();
            let touched = TouchedCase { case, keys, opened: false, changes: Vec::new(), detections: Vec::new() };
            self.touched.cases.insert(id, touched);
        }
        Ok(())
    }

    async fn touch_group(&mut self, run: RunId, number: u64) -> Result<(), ControlError> {
        if !self.touched.groups.contains_key(&(run, number)) {
            let gathered = load_group(self.conn, run, number).await?;
            self.touched.groups.insert((run, number), gathered);
        }
        Ok(())
    }

    /// A case that nobody touched becomes part of another.
    async fn absorb(&mut self, from: CaseId, into: CaseId) -> Result<(), ControlError> {
        self.touch(from).await?;
        self.touch(into).await?;
        let pair = (self.touched.cases.get(&from), self.touched.cases.get(&into));
        let (Some(leaving), Some(taking)) = pair else { return Ok(()) };
        // The grouper offers only cases that are new and held by nobody; if a person was faster, both stay.
        let Ok((leaves, takes)) = merge(&leaving.case, &taking.case) else { return Ok(()) };
        let now = self.now;
        let leaving = self.touched.cases.get_mut(&from).expect("it was touched above");
        leaving.case.apply(&leaves, false, now);
        leaving.changes.extend(leaves);
        let ids = std::mem::take(&mut leaving.detections);
        let taking = self.touched.cases.get_mut(&into).expect("it was touched above");
        taking.case.apply(&takes, false, now);
        taking.changes.extend(takes);
        taking.detections.extend(ids);
        for place in self.touched.placed.values_mut() {
            if place.0 == Some(from) {
                place.0 = Some(into);
            }
        }
        crate::detections::move_detections(self.conn, from, into).await
    }

    /// Signals that now belong to a case or group: of this batch, or stored before.
    async fn take_along(
        &mut self,
        ids: &[DetectionId],
        by_id: &HashMap<DetectionId, &Detection>,
        case: Option<CaseId>,
        group: Option<u64>,
    ) -> Result<Vec<Detection>, ControlError> {
        let mut along = Vec::with_capacity(ids.len());
        let mut stored = Vec::new();
        for id in ids {
            match self.touched.placed.get_mut(id) {
                Some(place) if *place == (None, None) => {
                    *place = (case, group);
                    along.extend(by_id.get(id).map(|each| (*each).clone()));
                }
                Some(_) => {} // it belongs elsewhere already
                None => stored.push(*id),
            }
        }
        for each in load_by_ids(self.conn, &stored).await? {
            if each.case.is_none() && each.group.is_none() {
                self.touched.moved.push((each.detection.id, case, group));
                self.touched.placed.insert(each.detection.id, (case, group));
                along.push(each.detection);
            }
        }
        Ok(along)
    }

    async fn update(&mut self, detection: &Detection) -> Result<(), ControlError> {
        sqlx::query("UPDATE detections SET detected = ?, body = ? WHERE id = ?")
            .bind(detection.detected.micros())
            .bind(body(detection))
            .bind(&detection.id.0[..])
            .execute(&mut *self.conn)
            .await
            .doing("bring a detection up to date")?;
        Ok(())
    }

    async fn store(
        &mut self,
        detections: &[Detection],
        judgements: &[Judgement],
        control: &Control,
    ) -> Result<Vec<CaseChanged>, ControlError> {
        let (mut rows, mut overflow) = (Vec::new(), Vec::new());
        let mut hits: BTreeMap<(&str, i64), i64> = BTreeMap::new();
        for (detection, judgement) in detections.iter().zip(judgements) {
            if judgement.known {
                continue;
            }
            let (case, group) = self.touched.placed.get(&detection.id).copied().unwrap_or((None, None));
            if detection.run.is_none() {
                *hits.entry((&detection.rule_id, detection.detected.seconds().div_euclid(3600))).or_default() += 1;
            }
            if self.touched.overflow.contains(&detection.id) {
                overflow.push((detection, case, group));
                continue;
            }
            let (points, quiet) = self.touched.signals.get(&detection.id).copied().unwrap_or((0, false));
            rows.push(NewRow { detection, case, group, points, quiet });
        }
        insert(self.conn, &rows).await?;
        insert_overflow(self.conn, &overflow).await?;
        for (id, case, group) in &self.touched.moved {
            let place = self.touched.placed.get(id).copied().unwrap_or((*case, *group));
            sqlx::query("UPDATE detections SET case_no = ?, group_no = ? WHERE id = ?")
                .bind(place.0.map(|case| case.0 as i64))
                .bind(place.1.map(|group| group as i64))
                .bind(&id.0[..])
                .execute(&mut *self.conn)
                .await
                .doing("move a signal")?;
        }
        self.store_hits(&hits).await?;
        self.store_groups().await?;
        self.store_cases(control).await
    }

    async fn store_hits(&mut self, hits: &BTreeMap<(&str, i64), i64>) -> Result<(), ControlError> {
        let hits: Vec<(&(&str, i64), &i64)> = hits.iter().collect();
        for chunk in hits.chunks(200) {
            let mut sql = QueryBuilder::<Sqlite>::new("INSERT INTO rule_hits (rule, hour, hits) ");
            sql.push_values(chunk, |mut row, ((rule, hour), count)| {
                row.push_bind((*rule).to_owned()).push_bind(*hour).push_bind(**count);
            });
            sql.push(" ON CONFLICT (rule, hour) DO UPDATE SET hits = hits + excluded.hits");
            sql.build().execute(&mut *self.conn).await.doing("count hits of rules")?;
        }
        Ok(())
    }

    async fn store_groups(&mut self) -> Result<(), ControlError> {
        for ((run, number), gathered) in &self.touched.groups {
            save_group(self.conn, *run, *number, gathered).await?;
        }
        for (run, from, into) in &self.touched.absorbed_groups {
            crate::runs::absorb_group(self.conn, *run, *from, *into).await?;
        }
        Ok(())
    }

    /// Stores touched cases, each with one act for the whole batch.
    async fn store_cases(&mut self, control: &Control) -> Result<Vec<CaseChanged>, ControlError> {
        let program = Actor::program();
        let mut changed = Vec::with_capacity(self.touched.cases.len());
        let mut next = next_seq(self.conn).await?;
        for (id, touched) in &mut self.touched.cases {
            let merged = touched.case.state == State::Merged;
            // Merges and priorities took effect when they happened; links follow here, and the version grows.
            let links: Vec<Change> =
                touched.changes.iter().filter(|change| matches!(change, Change::Linked { .. })).cloned().collect();
            if !touched.opened || !links.is_empty() {
                touched.case.apply(&links, false, self.now);
            }
            if touched.keys == touched.case.gathered.keys.len() {
                save_row(self.conn, &touched.case).await?;
            } else {
                save(self.conn, &touched.case).await?;
            }
            let word = match (touched.opened, merged) {
                (_, true) => "case_merged",
                (true, false) => "case_opened",
                (false, false) => "case_joined",
            };
            let listed: Vec<String> = touched.detections.iter().take(200).map(ToString::to_string).collect();
            let detail = json!({
                "priority": touched.case.gathered.priority.word(),
                "title": touched.case.gathered.title,
                "detections": touched.detections.len(),
                "first": listed,
                "changes": touched.changes.iter().map(tandem_service::change_text).collect::<Vec<_>>(),
                "version": touched.case.version,
            });
            let deed = Deed { verb: word, object: format!("case:{id}"), detail };
            let seq = record_as(self.conn, &*control.chance, &program, deed, self.now, next).await?;
            next += 1;
            if touched.opened || !touched.changes.is_empty() {
                let word = if touched.opened { "opened" } else { "joined" };
                let enter = Enter { word, changes: &touched.changes, undo: None };
                enter_history(self.conn, &touched.case, seq, &program, enter, self.now).await?;
            }
            let change = if touched.opened { "opened" } else { "joined" };
            changed.push(CaseChanged { id: *id, version: touched.case.version, change: change.into() });
        }
        Ok(changed)
    }
}

type Known = HashMap<DetectionId, (Option<String>, Option<CaseId>, Option<u64>)>;

/// Which of `ids` are stored, with the version of their rule and where they belong.
async fn existing(conn: &mut SqliteConnection, ids: &[DetectionId]) -> Result<Known, ControlError> {
    let mut known = HashMap::new();
    for chunk in ids.chunks(500) {
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT id, json_extract(body, '$.rule_version') AS version, case_no, group_no FROM detections WHERE id IN (",
        );
        let mut list = sql.separated(", ");
        for id in chunk {
            list.push_bind(id.0.to_vec());
        }
        sql.push(") UNION ALL SELECT id, NULL, case_no, group_no FROM overflow WHERE id IN (");
        let mut list = sql.separated(", ");
        for id in chunk {
            list.push_bind(id.0.to_vec());
        }
        sql.push(")");
        for row in &sql.build().fetch_all(&mut *conn).await.doing("look for known detections")? {
            let id: Vec<u8> = row.try_get("id").doing("look for known detections")?;
            let case: Option<i64> = row.try_get("case_no").doing("look for known detections")?;
            let group: Option<i64> = row.try_get("group_no").doing("look for known detections")?;
            let version: Option<String> = row.try_get("version").doing("look for known detections")?;
            if let Ok(id) = id.try_into() {
                let place = (version, case.map(|no| CaseId(no as u64)), group.map(|no| no as u64));
                known.insert(DetectionId(id), place);
            }
        }
    }
    Ok(known)
}

/// The grouping state as a function of what is stored: open and recently closed cases, groups of runs that go
/// on, and the detections of the last day.
pub(crate) async fn rebuild(
    conn: &mut SqliteConnection,
    policy: &AlertPolicy,
    now: Timestamp,
) -> Result<Grouper, ControlError> {
    let doing = "rebuild the grouping state";
    let (last,): (i64,) =
        sqlx::query_as("SELECT coalesce(max(no), 0) FROM cases").fetch_one(&mut *conn).await.doing(doing)?;
    let mut grouper = Grouper::new(CaseId(last as u64 + 1));
    let cases: Vec<(i64, String)> = sqlx::query_as(
        "SELECT format, body FROM cases WHERE open = 1 OR (state = 'closed' AND closed >= ?) ORDER BY no",
    )
    .bind(now.minus(RECALL_CLOSED).micros())
    .fetch_all(&mut *conn)
    .await
    .doing(doing)?;
    for (format, body) in &cases {
        grouper.sync(&from_body(*format, body)?);
    }
    let running: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT id FROM runs WHERE ended IS NULL").fetch_all(&mut *conn).await.doing(doing)?;
    for (id,) in running {
        let Ok(id) = id.try_into() else { continue };
        let run = RunId(id);
        for (number, gathered) in crate::runs::load_groups(conn, run).await? {
            grouper.sync_run(run, number, &gathered);
        }
    }
    recall(conn, &mut grouper, policy, now).await?;
    Ok(grouper)
}

/// Which hosts, users and addresses were seen together within a day; in the order of their first appearance,
/// which decides whose a short name is.
const SEEN_TOGETHER: &str = "SELECT host, user, address, max(min(time, received)) AS at FROM detections \
    WHERE detected >= ? AND run IS NULL GROUP BY host, user, address ORDER BY min(rowid) LIMIT 200000";
/// Signals of a day that add risk: of each rule on the same entities the first twenty and the latest.
const RISKY: &str = "SELECT * FROM (SELECT rowid AS number, id, rule, level, min(time, received) AS at, detected, source, run, host, user, \
    address, points, quiet, NULL AS belongs, \
    row_number() OVER same_first AS first, row_number() OVER same_last AS latest FROM detections \
    WHERE detected >= ? AND case_no IS NULL AND group_no IS NULL AND points > 0 \
    AND (run IS NULL OR run IN (SELECT id FROM runs WHERE ended IS NULL)) \
    WINDOW same_first AS (PARTITION BY run, rule, host, user, address ORDER BY rowid), \
    same_last AS (PARTITION BY run, rule, host, user, address ORDER BY min(time, received) DESC, rowid DESC)) \
    WHERE first <= 20 OR latest = 1 ORDER BY number LIMIT 200000";
/// What is in cases and groups and may still spread: of each rule on each host the latest.
const SPREADING: &str = "SELECT max(rowid) AS number, id, rule, level, max(min(time, received)) AS at, detected, source, run, host, user, \
    address, points, quiet, coalesce(case_no, group_no) AS belongs FROM detections \
    WHERE detected >= ? AND (case_no IS NOT NULL OR group_no IS NOT NULL) AND host IS NOT NULL AND level >= ? \
    AND (run IS NULL OR run IN (SELECT id FROM runs WHERE ended IS NULL)) \
    GROUP BY run, rule, host, belongs ORDER BY at LIMIT 200000";

async fn recall(
    conn: &mut SqliteConnection,
    grouper: &mut Grouper,
    policy: &AlertPolicy,
    now: Timestamp,
) -> Result<(), ControlError> {
    let doing = "rebuild the grouping state";
    let day = now.minus(RECALL).micros();
    for row in &sqlx::query(SEEN_TOGETHER).bind(day).fetch_all(&mut *conn).await.doing(doing)? {
        grouper.observe(&entities(row)?, Timestamp::from_micros(row.try_get("at").doing(doing)?));
    }
    // A late event spreads by its own time, so more than the window counts here.
    let recent = now.minus(SPREAD_RECALL).micros();
    let least = level_rank(tandem_model::Level::Medium);
    let spreading = sqlx::query(SPREADING).bind(recent).bind(least).fetch_all(&mut *conn).await.doing(doing)?;
    let risky = sqlx::query(RISKY).bind(day).fetch_all(&mut *conn).await.doing(doing)?;
    for row in spreading.iter().chain(&risky) {
        let id: Vec<u8> = row.try_get("id").doing(doing)?;
        let run: Option<Vec<u8>> = row.try_get("run").doing(doing)?;
        let number: Option<i64> = row.try_get("belongs").doing(doing)?;
        let wrong = |_| ControlError::stored("detection", "an id has no 16 bytes");
        let recalled = Recalled {
            id: DetectionId(id.try_into().map_err(wrong)?),
            rule: row.try_get("rule").doing(doing)?,
            level: level_of(row.try_get("level").doing(doing)?),
            at: Timestamp::from_micros(row.try_get("at").doing(doing)?),
            detected: Timestamp::from_micros(row.try_get("detected").doing(doing)?),
            source: row.try_get("source").doing(doing)?,
            entities: entities(row)?,
            run: run.map(|run| run.try_into().map(RunId).map_err(wrong)).transpose()?,
            number: number.map(|number| number as u64),
            points: row.try_get("points").doing(doing)?,
            quiet: row.try_get("quiet").doing(doing)?,
        };
        grouper.recall(&recalled, policy);
    }
    Ok(())
}

fn entities(row: &SqliteRow) -> Result<Entities, ControlError> {
    let doing = "rebuild the grouping state";
    Ok(Entities {
        host: row.try_get("host").doing(doing)?,
        user: row.try_get("user").doing(doing)?,
        source_address: row.try_get("address").doing(doing)?,
    })
}
