//! Routing and evaluation.

use crate::alert::vendor_alert;
use crate::{EventView, LoadedRule, entities_of};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_model::{Detection, DetectionId, DetectionKind, Event, LogType, MatchedField, TypedAs};
use tandem_sigma::{Engine, Route, Session};

/// Distinct sets of log types whose routes are remembered; beyond it routes are computed anew.
const ROUTES_MAX: usize = 4096;
/// Longest value kept in a detection.
const VALUE_BYTES_MAX: usize = 1024;

/// The active rules, ready for the stream.
pub struct Detector {
    rules: Arc<[Arc<LoadedRule>]>,
    engine: Arc<Engine>,
    session: Session,
    hasher: RandomState,
    /// By a hash of the log types, so that an event is looked up without copying them.
    routes: HashMap<u64, Vec<Kept>>,
    fired: Vec<(u32, usize)>,
}

/// The routes of events with these log types.
struct Kept {
    types: Vec<LogType>,
    routes: Arc<[TypedRoute]>,
}

/// The rules that read an event as one of its log types.
struct TypedRoute {
    typed: usize,
    route: Route,
}

impl Detector {
    /// A detector for `rules`; those that wait for values are left out.
    pub fn new(rules: impl IntoIterator<Item = Arc<LoadedRule>>) -> Self {
        let rules: Arc<[_]> = rules.into_iter().filter(|rule| rule.needs_values().is_none()).collect();
        let engine = Arc::new(Engine::builder().with_rules(rules.iter().map(|rule| Arc::clone(&rule.rule))).build());
        Self {
            rules,
            session: Session::new(Arc::clone(&engine)),
            engine,
            hasher: RandomState::new(),
            routes: HashMap::new(),
            fired: Vec::new(),
        }
    }

    /// Another detector with the same compiled rules, such as for another thread: compiling takes longer than this.
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            rules: Arc::clone(&self.rules),
            session: Session::new(Arc::clone(&self.engine)),
            engine: Arc::clone(&self.engine),
            hasher: RandomState::new(),
            routes: HashMap::new(),
            fired: Vec::new(),
        }
    }

    /// How many rules are evaluated.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Appends what `event` gives rise to. `detected` is the instant of evaluation.
    pub fn evaluate(&mut self, event: &Event, detected: Timestamp, out: &mut Vec<Detection>) {
        out.extend(vendor_alert(event, detected));
        let routes = self.routes_of(&event.typed);
        self.fired.clear();
        for TypedRoute { typed, route } in routes.iter() {
            let view = EventView::new(event, &event.typed[*typed]);
            self.fired.extend(self.session.evaluate(route, &view).iter().map(|rule| (*rule, *typed)));
        }
        self.fired.sort_unstable();
        for (rule, typed) in &self.fired {
            let rule = &self.rules[*rule as usize];
            // The rule itself gives the reasons; the engine only says that there are some.
            let found = rule.rule.evaluate(&EventView::new(event, &event.typed[*typed]));
            out.extend(found.map(|found| detection(rule, event, &found, detected)));
        }
    }

    fn routes_of(&mut self, typed: &[TypedAs]) -> Arc<[TypedRoute]> {
        let mut hasher = self.hasher.build_hasher();
        for typed in typed {
            typed.log_type.hash(&mut hasher);
        }
        let hash = hasher.finish();
        let same = |kept: &&Kept| kept.types.iter().eq(typed.iter().map(|typed| &typed.log_type));
        if let Some(kept) = self.routes.get(&hash).and_then(|kept| kept.iter().find(same)) {
            return Arc::clone(&kept.routes);
        }
        let types: Vec<LogType> = typed.iter().map(|typed| typed.log_type.clone()).collect();
        let read_by: Vec<Option<usize>> = self.rules.iter().map(|rule| rule.reads(&types)).collect();
        let routes: Arc<[TypedRoute]> = (0..types.len())
            .filter(|typed| read_by.contains(&Some(*typed)))
            .map(|typed| TypedRoute { typed, route: self.engine.route_where(|rule, _| read_by[rule] == Some(typed)) })
            .collect();
        if self.routes.len() < ROUTES_MAX {
            self.routes.entry(hash).or_default().push(Kept { types, routes: Arc::clone(&routes) });
        }
        routes
    }
}

fn detection(rule: &LoadedRule, event: &Event, found: &tandem_sigma::Match, detected: Timestamp) -> Detection {
    let matches = found
        .predicates
        .iter()
        .map(|predicate| {
            let value = cut(&predicate.value);
            let span = predicate
                .span
                .filter(|(_, end)| *end <= value.len())
                .and_then(|(start, end)| Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?)));
            MatchedField { field: predicate.field.clone(), value: value.to_owned(), span }
        })
        .collect();
    Detection {
        id: DetectionId::of(&rule.id, event.id),
        kind: DetectionKind::Rule,
        rule_id: Arc::clone(&rule.id),
        rule_title: Arc::clone(&rule.title),
        rule_author: rule.author.clone(),
        rule_version: Arc::clone(&rule.version),
        level: rule.level,
        status: rule.status,
        tags: rule.tags.clone(),
        time: event.time,
        received: event.received,
        detected,
        events: vec![event.id],
        source: Arc::clone(&event.source),
        log_types: event.typed.iter().map(|typed| typed.log_type.to_string()).collect(),
        matches,
        entities: entities_of(event),
        run: event.run,
    }
}

fn cut(value: &str) -> &str {
    if value.len() <= VALUE_BYTES_MAX { value } else { &value[..value.floor_char_boundary(VALUE_BYTES_MAX)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Coverage, Feed, Rules};
    use tandem_model::{EventId, Fields, RecordId, Value};
    use tandem_sigma::Loader;

    fn event(types: &[(&str, &str, &str)], vendor: &[(&str, &str)]) -> Event {
        let id = EventId { record: RecordId { epoch: 1, offset: 0 }, index: 0 };
        Event {
            id,
            first_record: id.record,
            time: Timestamp::from_seconds(1),
            received: Timestamp::from_seconds(2),
            source: "test".into(),
            parser: "test".into(),
            typed: types
                .iter()
                .map(|(product, category, service)| TypedAs {
                    log_type: LogType::new(product, category, service),
                    aliases: Fields::new(),
                })
                .collect(),
            vendor: vendor.iter().map(|(name, value)| (*name, Value::text(value))).collect(),
            common: [("host.name", "pc1")].into_iter().collect(),
            raw: "raw".into(),
            raw_private: Vec::new(),
            error: None,
            run: None,
        }
    }

    fn rules(text: &str) -> Rules {
        let mut rules = Rules::new();
        rules.add(&Loader::new(), "test.yml", text);
        assert_eq!(rules.problems.iter().filter(|problem| problem.fatal).count(), 0, "{:?}", rules.problems);
        rules
    }

    const WHOAMI: &str = "title: Whoami\nid: 11111111-1111-1111-1111-111111111111\nlogsource:\n  category: process_creation\n  product: windows\ndetection:\n  s:\n    Image|endswith: '\\whoami.exe'\n  condition: s\nlevel: high\nstatus: test\n";

    #[test]
    fn an_event_is_judged_as_each_of_its_log_types() {
        let mut detector = Detector::new(rules(WHOAMI).rules);
        let mut found = Vec::new();
        let mut second = event(&[("windows", "", "security"), ("windows", "process_creation", "")], &[]);
        second.typed[1].aliases = [("Image", "C:\\whoami.exe")].into_iter().collect();
        detector.evaluate(&second, Timestamp::from_seconds(3), &mut found);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].matches[0].span, Some((2, 13)));
        assert_eq!(found[0].entities.host.as_deref(), Some("pc1"));

        found.clear();
        detector.evaluate(
            &event(&[("linux", "process_creation", "")], &[("Image", "\\whoami.exe")]),
            Timestamp::from_seconds(3),
            &mut found,
        );
        assert!(found.is_empty(), "another product's events are not routed to it");
    }

    #[test]
    fn a_rule_without_its_log_type_or_fields_is_named() {
        let rules = rules(WHOAMI);
        let mut coverage = Coverage::default();
        assert_eq!(coverage.feed(&rules.rules[0]), Feed::NoLogType);
        coverage.note(&event(&[("windows", "process_creation", "")], &[("Other", "x")]));
        assert_eq!(coverage.feed(&rules.rules[0]), Feed::NoFields(vec!["Image".to_owned()]));
        coverage.note(&event(&[("windows", "process_creation", "")], &[("Image", "x")]));
        assert_eq!(coverage.feed(&rules.rules[0]), Feed::Fed);
    }

    #[test]
    fn an_alarm_of_another_product_is_a_detection() {
        let mut detector = Detector::new([]);
        let mut alarm = event(&[("suricata", "", "alert")], &[]);
        alarm.common.set("event.kind", "alert");
        alarm.common.set("rule.name", "Beacon");
        alarm.common.set("event.severity_name", "high");
        let mut found = Vec::new();
        detector.evaluate(&alarm, Timestamp::from_seconds(3), &mut found);
        assert_eq!((found[0].kind, found[0].level), (DetectionKind::VendorAlert, tandem_model::Level::High));
    }
}
