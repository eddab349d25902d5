//! Rules: what is watched for, and what of it works.

use super::detections::stored_row;
use super::extract::{Body, Params};
use crate::app::App;
use crate::rulebook::{RuleState, log_source};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;
use tandem_api::{RuleChange, RuleCounts, RuleDetail, RuleHead, RulePage};
use tandem_control::{DetectionQuery, RuleHits};
use tandem_detect::{LoadedRule, RuleProblem};
use tandem_model::Level;
use tandem_web::{Answer, Caller, Refused, from_control};

const PAGE: usize = 100;
const PAGE_MAX: usize = 500;
const MATCHES: u32 = 20;
const DAY: Duration = Duration::from_hours(24);
const DAYS_30: Duration = Duration::from_hours(30 * 24);
/// The state of what cannot be loaded.
const ERROR: &str = "error";

/// `GET /rules`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct List {
    q: String,
    level: Option<String>,
    status: Option<String>,
    state: Option<String>,
    tag: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Live detections of a rule: of a day, of 30 days.
type Hits = HashMap<String, (u64, u64)>;

fn hits(list: &[RuleHits], day_ago: tandem_base::Timestamp) -> Hits {
    let mut hits = Hits::new();
    for hit in list {
        let of_rule = hits.entry(hit.rule.clone()).or_default();
        of_rule.1 += hit.hits;
        if hit.hour > day_ago {
            of_rule.0 += hit.hits;
        }
    }
    hits
}

async fn load_hits(app: &App) -> Answer<Hits> {
    let now = app.clock.now();
    let list = app.control.rule_hits(now.minus(DAYS_30)).await.map_err(from_control)?;
    Ok(hits(&list, now.minus(DAY)))
}

fn head(rule: &LoadedRule, state: &RuleState, hits: &Hits) -> RuleHead {
    let (hits_24h, hits_30d) = hits.get(&*rule.id).copied().unwrap_or_default();
    RuleHead {
        id: rule.id.to_string(),
        title: rule.title.to_string(),
        level: rule.level.word().to_owned(),
        status: rule.status.word().to_owned(),
        author: rule.author.as_deref().map(str::to_owned),
        log_source: log_source(rule),
        tags: rule.tags.iter().map(ToString::to_string).collect(),
        enabled: !matches!(state, RuleState::Off(_)),
        state: state.word().to_owned(),
        reason: state.reason().map(str::to_owned),
        hits_24h,
        hits_30d,
        file: rule.rule.source_name.clone(),
    }
}

/// A rule that could not be loaded, so that it does not vanish without a word.
fn broken(problem: &RuleProblem) -> RuleHead {
    let name = problem.file.rsplit('/').next().unwrap_or(&problem.file);
    RuleHead {
        id: format!("{}:{}", problem.file, problem.line),
        title: name.to_owned(),
        level: Level::Informational.word().to_owned(),
        status: "unsupported".to_owned(),
        author: None,
        log_source: "any".to_owned(),
        tags: Vec::new(),
        enabled: true,
        state: ERROR.to_owned(),
        reason: Some(format!("line {}: {}", problem.line, problem.reason)),
        hits_24h: 0,
        hits_30d: 0,
        file: problem.file.clone(),
    }
}

/// Every rule, the gravest first, then by title.
fn all(app: &App, hits: &Hits) -> Vec<RuleHead> {
    let mut heads: Vec<RuleHead> = app.rules.rules().iter().map(|(rule, state)| head(rule, state, hits)).collect();
    heads.extend(app.rules.problems().iter().filter(|problem| problem.fatal).map(broken));
    let rank = |head: &RuleHead| std::cmp::Reverse(head.level.parse::<Level>().unwrap_or_default());
    heads.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.title.cmp(&b.title)).then_with(|| a.id.cmp(&b.id)));
    heads
}

/// A rule that waits for values cannot be evaluated, whoever asks for errors means it, too.
fn counts_as(state: &str) -> &str {
    if state == "needs values" { ERROR } else { state }
}

impl List {
    /// Whether a rule passes everything but the state.
    fn passes(&self, head: &RuleHead) -> bool {
        let listed = |wanted: &Option<String>, has: &str| {
            wanted
                .as_deref()
                .filter(|text| !text.is_empty())
                .is_none_or(|text| text.split(',').any(|word| word.trim().eq_ignore_ascii_case(has)))
        };
        let tagged = self.tag.as_deref().filter(|tag| !tag.is_empty()).is_none_or(|tag| {
            let tag = tag.to_lowercase();
            head.tags
                .iter()
                .map(|each| each.to_lowercase())
                .any(|each| each == tag || each.strip_prefix(&tag).is_some_and(|rest| rest.starts_with('.')))
        });
        let text = || {
            let parts =
                [&head.title, &head.id, &head.log_source, &head.file].into_iter().chain(&head.author).chain(&head.tags);
            parts.map(|part| part.to_lowercase()).collect::<Vec<_>>().join("\n")
        };
        let found = self.q.trim().is_empty() || {
            let text = text();
            self.q.split_whitespace().take(16).all(|word| text.contains(&word.to_lowercase()))
        };
        listed(&self.level, &head.level) && listed(&self.status, &head.status) && tagged && found
    }

    /// The page that was asked for, of rules in order.
    fn page(&self, heads: Vec<RuleHead>) -> Answer<RulePage> {
        let passed: Vec<RuleHead> = heads.into_iter().filter(|head| self.passes(head)).collect();
        let count = |state: &str| passed.iter().filter(|head| counts_as(&head.state) == state).count() as u64;
        let counts =
            RuleCounts { active: count("active"), off: count("off"), unfed: count("unfed"), error: count(ERROR) };
        let state = self.state.as_deref().filter(|state| !state.is_empty());
        let of_state =
            |head: &RuleHead| state.is_none_or(|state| head.state == state || counts_as(&head.state) == state);
        let mut items: Vec<RuleHead> = passed.into_iter().filter(of_state).collect();
        if let Some(cursor) = self.cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
            let at = items.iter().position(|head| head.id == cursor).ok_or_else(|| {
                Refused::invalid("this cursor was not given by this list").hint("begin again without it")
            })?;
            items.drain(..=at);
        }
        let limit = self.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|head| head.id.clone());
        Ok(RulePage { items, next_cursor, counts })
    }
}

pub(super) async fn list(State(app): State<App>, Params(list): Params<List>) -> Answer<Json<RulePage>> {
    let hits = load_hits(&app).await?;
    Ok(Json(list.page(all(&app, &hits))?))
}

async fn detail(app: &App, id: &str) -> Answer<RuleDetail> {
    let hits = load_hits(app).await?;
    let (rule, state) = app.rules.rule(id).ok_or_else(|| Refused::not_found("this rule"))?;
    let query = DetectionQuery { rule: Some(id.to_owned()), limit: MATCHES, ..DetectionQuery::default() };
    let matches = app.control.detection_page(&query).await.map_err(from_control)?;
    let sigma = &rule.rule;
    Ok(RuleDetail {
        head: head(&rule, &state, &hits),
        text: rule.text.to_string(),
        description: sigma.description.clone().unwrap_or_default(),
        in_words: sigma.in_words(),
        references: sigma.references.clone(),
        license: sigma.license.clone(),
        falsepositives: sigma.falsepositives.clone(),
        fields: sigma.fields().into_iter().map(str::to_owned).collect(),
        matches: matches.items.iter().map(stored_row).collect(),
    })
}

pub(super) async fn one(State(app): State<App>, Path(id): Path<String>) -> Answer<Json<RuleDetail>> {
    Ok(Json(detail(&app, &id).await?))
}

pub(super) async fn switch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(change): Body<RuleChange>,
) -> Answer<Json<RuleDetail>> {
    if app.rules.rule(&id).is_none() {
        return Err(Refused::not_found("this rule"));
    }
    app.control.rule_switch(&caller.actor, &id, change.enabled, &change.reason).await.map_err(from_control)?;
    let off = crate::engine::off(&app.control).await.map_err(|error| Refused::failed(error.as_ref()))?;
    app.rules.set_off(off);
    Ok(Json(detail(&app, &id).await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_base::Timestamp;

    fn rule(id: &str, level: &str, state: &str, tags: &[&str]) -> RuleHead {
        RuleHead {
            id: id.to_owned(),
            title: format!("Title of {id}"),
            level: level.to_owned(),
            status: "test".to_owned(),
            author: Some("Somebody".to_owned()),
            log_source: "windows/process_creation".to_owned(),
            tags: tags.iter().map(ToString::to_string).collect(),
            enabled: state != "off",
            state: state.to_owned(),
            reason: None,
            hits_24h: 0,
            hits_30d: 0,
            file: format!("rules/{id}.yml"),
        }
    }

    fn rules() -> Vec<RuleHead> {
        vec![
            rule("a", "high", "active", &["attack.t1059.001"]),
            rule("b", "high", "unfed", &[]),
            rule("c", "low", "needs values", &[]),
            rule("d", "low", "error", &[]),
            rule("e", "low", "off", &["attack.t1059"]),
        ]
    }

    fn ids(list: &List) -> (Vec<String>, Option<String>) {
        let page = list.page(rules()).unwrap();
        (page.items.into_iter().map(|head| head.id).collect(), page.next_cursor)
    }

    #[test]
    fn filters_narrow_and_counts_do_not_follow_the_state() {
        let with = |change: fn(&mut List)| {
            let mut list = List::default();
            change(&mut list);
            ids(&list).0
        };
        assert_eq!(with(|list| list.level = Some("HIGH,critical".to_owned())), ["a", "b"]);
        assert_eq!(with(|list| list.tag = Some("attack.t1059".to_owned())), ["a", "e"]);
        assert_eq!(with(|list| list.tag = Some("attack.t105".to_owned())), [""; 0]);
        assert_eq!(with(|list| list.q = "somebody rules/B".to_owned()), ["b"]);
        assert_eq!(with(|list| list.state = Some("error".to_owned())), ["c", "d"]);
        assert_eq!(with(|list| list.state = Some("needs values".to_owned())), ["c"]);
        let page = List { state: Some("off".to_owned()), ..List::default() }.page(rules()).unwrap();
        let counts = page.counts;
        assert_eq!((page.items.len(), counts.active, counts.off, counts.unfed, counts.error), (1, 1, 1, 1, 2));
    }

    #[test]
    fn pages_follow_each_other_without_gaps() {
        let page =
            |cursor: Option<&str>| ids(&List { limit: Some(2), cursor: cursor.map(str::to_owned), ..List::default() });
        assert_eq!(page(None), (vec!["a".to_owned(), "b".to_owned()], Some("b".to_owned())));
        assert_eq!(page(Some("b")).0, ["c", "d"]);
        assert_eq!(page(Some("d")), (vec!["e".to_owned()], None));
        assert!(List { cursor: Some("x".to_owned()), ..List::default() }.page(rules()).is_err());
    }

    #[test]
    fn hits_are_added_up_by_day_and_month() {
        let at = |hour: i64, hits| RuleHits { rule: "a".to_owned(), hour: Timestamp::from_seconds(hour * 3_600), hits };
        let hits = hits(&[at(1, 5), at(30, 2), at(31, 1)], Timestamp::from_seconds(30 * 3_600));
        assert_eq!(hits["a"], (1, 8));
    }

    #[test]
    fn a_rule_that_cannot_be_loaded_is_shown_with_its_reason() {
        let head = broken(&RuleProblem {
            file: "rules/web/x.yml".to_owned(),
            rule_id: None,
            line: 7,
            reason: "there is no modifier `foo`".to_owned(),
            fatal: true,
        });
        assert_eq!((head.title.as_str(), head.state.as_str()), ("x.yml", "error"));
        assert_eq!(head.reason.as_deref(), Some("line 7: there is no modifier `foo`"));
    }
}
