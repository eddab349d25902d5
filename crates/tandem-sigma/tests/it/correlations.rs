//! The state of correlations against a slow and obvious one that looks at all events at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use tandem_sigma::{
    Arrival, CorrelationPlan, CorrelationSettings, CorrelationState, EventId, Hit, Loader, MapEvent, MapValue, Outcome,
    RuleSet, RuleSetBuilder,
};

/// An event of the tests.
#[derive(Clone, Debug)]
struct Seen {
    id: EventId,
    time_ms: i64,
    delay_ms: i64,
    kinds: Vec<&'static str>,
    host: u8,
    user: u8,
    value: u8,
}

impl Seen {
    fn event(&self) -> MapEvent {
        let kinds = self.kinds.iter().map(|kind| MapValue::from(*kind)).collect();
        MapEvent::new()
            .with("kind", MapValue::List(kinds))
            .with("host", format!("Host{}", self.host).as_str())
            .with("user", i64::from(self.user))
            .with("value", i64::from(self.value))
    }

    fn field(&self, name: &str) -> u8 {
        match name {
            "host" => self.host,
            "user" => self.user,
            "value" => self.value,
            other => panic!("no field {other}"),
        }
    }
}

/// A correlation of the tests, from which both its text and its meaning are taken.
struct Spec {
    name: &'static str,
    kind: &'static str,
    rules: &'static [&'static str],
    group: &'static [&'static str],
    span_s: i64,
    condition: &'static str,
    /// Whether what was measured, or which rules are there, fulfils the condition.
    holds: fn(f64, &[bool]) -> bool,
}

const SPECS: &[Spec] = &[
    Spec {
        name: "count",
        kind: "event_count",
        rules: &["a"],
        group: &["host"],
        span_s: 30,
        condition: "{gte: 3}",
        holds: |n, _| n >= 3.0,
    },
    Spec {
        name: "count_two",
        kind: "event_count",
        rules: &["a", "b"],
        group: &["user"],
        span_s: 60,
        condition: "{gt: 4, lte: 6}",
        holds: |n, _| n > 4.0 && n <= 6.0,
    },
    Spec {
        name: "count_all",
        kind: "event_count",
        rules: &["c"],
        group: &[],
        span_s: 20,
        condition: "{eq: 2}",
        holds: |n, _| (n - 2.0).abs() < 0.1,
    },
    Spec {
        name: "values",
        kind: "value_count",
        rules: &["a", "b"],
        group: &["host", "user"],
        span_s: 60,
        condition: "{field: value, gte: 3}",
        holds: |n, _| n >= 3.0,
    },
    Spec {
        name: "values_not",
        kind: "value_count",
        rules: &["b"],
        group: &["host"],
        span_s: 40,
        condition: "{field: user, neq: 1}",
        holds: |n, _| (n - 1.0).abs() > 0.1,
    },
    Spec {
        name: "all",
        kind: "temporal",
        rules: &["a", "b", "c"],
        group: &["host"],
        span_s: 30,
        condition: "",
        holds: |_, there| there.iter().all(|t| *t),
    },
    Spec {
        name: "two_of",
        kind: "temporal",
        rules: &["a", "b", "c"],
        group: &["user"],
        span_s: 15,
        condition: "{gte: 2}",
        holds: |n, _| n >= 2.0,
    },
    Spec {
        name: "boolean",
        kind: "temporal",
        rules: &["a", "b", "c"],
        group: &["host"],
        span_s: 20,
        condition: "a and b and not c",
        holds: |_, t| t[0] && t[1] && !t[2],
    },
    Spec {
        name: "ordered",
        kind: "temporal_ordered",
        rules: &["c", "a", "b"],
        group: &["host"],
        span_s: 60,
        condition: "",
        holds: |_, there| there.iter().all(|t| *t),
    },
    Spec {
        name: "ordered_two",
        kind: "temporal_ordered",
        rules: &["a", "b", "c"],
        group: &["user"],
        span_s: 30,
        condition: "{gte: 2}",
        holds: |n, _| n >= 2.0,
    },
    Spec {
        name: "sum",
        kind: "value_sum",
        rules: &["a"],
        group: &["user"],
        span_s: 30,
        condition: "{field: value, gt: 9}",
        holds: |n, _| n > 9.0,
    },
    Spec {
        name: "mean",
        kind: "value_avg",
        rules: &["b"],
        group: &["user"],
        span_s: 30,
        condition: "{field: value, lt: 2.5}",
        holds: |n, _| n < 2.5,
    },
    Spec {
        name: "middle",
        kind: "value_median",
        rules: &["c"],
        group: &["host"],
        span_s: 90,
        condition: "{field: value, gte: 3}",
        holds: |n, _| n >= 3.0,
    },
    Spec {
        name: "high",
        kind: "value_percentile",
        rules: &["a", "c"],
        group: &["host"],
        span_s: 90,
        condition: "{field: value, percentile: 75, gt: 3.2}",
        holds: |n, _| n > 3.2,
    },
    Spec {
        name: "share",
        kind: "value_percentile",
        rules: &["b"],
        group: &["host"],
        span_s: 90,
        condition: "{field: value, lte: 20}",
        holds: |n, _| n <= 20.0,
    },
    Spec {
        name: "least",
        kind: "value_min",
        rules: &["a", "b", "c"],
        group: &["user"],
        span_s: 10,
        condition: "{field: value, gte: 2}",
        holds: |n, _| n >= 2.0,
    },
    Spec {
        name: "most",
        kind: "value_max",
        rules: &["a"],
        group: &["host"],
        span_s: 10,
        condition: "{field: value, lte: 1}",
        holds: |n, _| n <= 1.0,
    },
    Spec {
        name: "chain",
        kind: "temporal_ordered",
        rules: &["count", "b"],
        group: &["user"],
        span_s: 45,
        condition: "",
        holds: |_, there| there.iter().all(|t| *t),
    },
    Spec {
        name: "chain_of_chains",
        kind: "event_count",
        rules: &["chain", "two_of"],
        group: &["host"],
        span_s: 120,
        condition: "{gte: 2}",
        holds: |n, _| n >= 2.0,
    },
    Spec {
        name: "chain_values",
        kind: "value_count",
        rules: &["count", "two_of"],
        group: &[],
        span_s: 120,
        condition: "{field: user, gte: 2}",
        holds: |n, _| n >= 2.0,
    },
];

const LATENESS_MS: i64 = 20_000;
const SILENCE_MS_MAX: i64 = 25_000;

fn settings() -> CorrelationSettings {
    CorrelationSettings { lateness_ms: LATENESS_MS, silence_ms_max: SILENCE_MS_MAX, ..CorrelationSettings::default() }
}

/// The set of all correlations above, read once.
fn rule_set() -> RuleSet {
    static SET: LazyLock<RuleSet> = LazyLock::new(read_rule_set);
    SET.clone()
}

fn read_rule_set() -> RuleSet {
    let mut builder = RuleSetBuilder::new(Loader::new());
    for name in ["a", "b", "c"] {
        builder.add(
            "rules.yml",
            &format!(
                "title: {name}\nname: {name}\nlogsource: {{product: test}}\ndetection:\n  s: {{kind: {name}}}\n  condition: s\n"
            ),
        );
    }
    for spec in SPECS {
        let Spec { name, kind, rules, group, span_s, condition, .. } = spec;
        let condition = if condition.is_empty() { String::new() } else { format!("  condition: {condition}\n") };
        builder.add(
            "correlations.yml",
            &format!(
                "title: {name}\nname: {name}\ncorrelation:\n  type: {kind}\n  rules: {rules:?}\n  group-by: {group:?}\n  timespan: {span_s}s\n  generate: true\n{condition}"
            ),
        );
    }
    let (set, problems) = builder.build();
    assert!(!tandem_sigma::has_errors(&problems), "{problems:#?}");
    assert_eq!(set.correlations().len(), SPECS.len());
    set
}

/// Correlation, crossing event.
type Found = BTreeSet<(String, EventId)>;

/// One event that counts for a correlation, with the rules that it is of.
#[derive(Clone)]
struct Counted<'s> {
    seen: &'s Seen,
    there: Vec<bool>,
}

fn oracle(events: &[Seen]) -> Found {
    let mut by_rule: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    for name in ["a", "b", "c"] {
        by_rule.insert(name, events.iter().filter(|seen| seen.kinds.contains(&name)).collect());
    }
    let mut found = Found::new();
    for spec in SPECS {
        let mut groups: BTreeMap<Vec<u8>, BTreeMap<(i64, EventId), Counted<'_>>> = BTreeMap::new();
        for (slot, rule) in spec.rules.iter().enumerate() {
            for seen in &by_rule[rule] {
                let group = spec.group.iter().map(|name| seen.field(name)).collect();
                let counted = Counted { seen, there: vec![false; spec.rules.len()] };
                let key = (seen.time_ms, seen.id);
                groups.entry(group).or_default().entry(key).or_insert(counted).there[slot] = true;
            }
        }
        let mut crossing = Vec::new();
        for group in groups.values() {
            let mut last: Option<(i64, EventId)> = None;
            for (key, counted) in group {
                if last.is_some_and(|last| key.0 < last.0 + SILENCE_MS_MAX.min(spec.span_s * 1000)) {
                    continue;
                }
                let window: Vec<&Counted<'_>> = group
                    .range(..=*key)
                    .filter(|(other, _)| {
                        other.0 >= key.0 - spec.span_s * 1000 && last.is_none_or(|last| **other > last)
                    })
                    .map(|(_, counted)| counted)
                    .collect();
                if fires(spec, &window) {
                    last = Some(*key);
                    crossing.push(counted.seen);
                    found.insert((spec.name.to_owned(), counted.seen.id));
                }
            }
        }
        by_rule.insert(spec.name, crossing);
    }
    found
}

fn fires(spec: &Spec, window: &[&Counted<'_>]) -> bool {
    let there: Vec<bool> = (0..spec.rules.len()).map(|slot| window.iter().any(|counted| counted.there[slot])).collect();
    let field = spec.condition.split_once("field: ").map(|(_, rest)| rest.split([',', '}']).next().unwrap_or(rest));
    let values: Vec<f64> =
        window.iter().map(|counted| field.map_or(0.0, |field| f64::from(counted.seen.field(field)))).collect();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let percentile = |rank: f64| {
        let place = rank * (sorted.len() - 1) as f64;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        low + (high - low) * place.fract()
    };
    let measured = match spec.kind {
        "event_count" => window.len() as f64,
        "value_count" => values.iter().map(|value| value.to_bits()).collect::<BTreeSet<_>>().len() as f64,
        "temporal" => there.iter().filter(|there| **there).count() as f64,
        "temporal_ordered" => {
            let longest = (0..1_u32 << spec.rules.len())
                .filter(|chosen| chain(*chosen, 0, i64::MIN, window))
                .map(u32::count_ones)
                .max();
            let all = (1 << spec.rules.len()) - 1;
            if spec.condition.is_empty() && !chain(all, 0, i64::MIN, window) {
                return false;
            }
            f64::from(longest.unwrap_or(0))
        }
        "value_sum" => values.iter().sum(),
        "value_avg" => values.iter().sum::<f64>() / values.len() as f64,
        "value_median" => percentile(0.5),
        "value_min" => sorted[0],
        "value_max" => sorted[sorted.len() - 1],
        "value_percentile" if spec.condition.contains("percentile: 75") => percentile(0.75),
        "value_percentile" => {
            let own = values[values.len() - 1];
            100.0 * values.iter().filter(|value| value.to_bits() == own.to_bits()).count() as f64 / values.len() as f64
        }
        other => panic!("no kind {other}"),
    };
    (spec.holds)(measured, &there)
}

/// Whether events of the chosen rules can be found one after the other.
fn chain(chosen: u32, slot: usize, after: i64, window: &[&Counted<'_>]) -> bool {
    if chosen >> slot == 0 {
        return true;
    }
    if chosen & (1 << slot) == 0 {
        return chain(chosen, slot + 1, after, window);
    }
    window
        .iter()
        .filter(|counted| counted.there[slot] && counted.seen.time_ms >= after)
        .any(|counted| chain(chosen, slot + 1, counted.seen.time_ms, window))
}

struct Run {
    set: RuleSet,
    state: CorrelationState,
    found: Found,
    outcomes: Vec<Outcome>,
}

impl Run {
    fn new(set: &RuleSet, settings: CorrelationSettings) -> Self {
        let plan = Arc::new(CorrelationPlan::new(set));
        let state = CorrelationState::new(plan, settings, [3, 4]);
        Self { set: set.clone(), state, found: Found::new(), outcomes: Vec::new() }
    }

    fn take(&mut self, seen: &Seen) {
        let event = seen.event();
        let hits: Vec<Hit<'_>> = (0..self.set.rules().len())
            .filter(|rule| self.set.rules()[*rule].fires(&event))
            .map(|rule| Hit { rule, event: &event })
            .collect();
        let arrival = Arrival { id: seen.id, time_ms: seen.time_ms, received_ms: seen.time_ms + seen.delay_ms };
        let mut out = Vec::new();
        self.state.observe(&arrival, &hits, &mut out);
        for outcome in &out {
            let name = |correlation: usize| self.set.correlations()[correlation].heading.title.clone();
            match outcome {
                Outcome::Detected(found) => {
                    if let Some(replaced) = found.replaces {
                        assert!(
                            self.found.remove(&(name(found.correlation), replaced)),
                            "replaces what was never found"
                        );
                    }
                    assert!(self.found.insert((name(found.correlation), found.crossing)), "found twice: {found:?}");
                    assert_eq!(found.events.last(), Some(&found.crossing));
                    assert!(found.event_count >= found.events.len());
                }
                Outcome::Withdrawn(gone) => {
                    assert!(
                        self.found.remove(&(name(gone.correlation), gone.crossing)),
                        "withdraws what was never found"
                    );
                }
            }
        }
        self.outcomes.extend(out);
    }
}

fn seen() -> impl Strategy<Value = Seen> {
    let kinds = prop::sample::select(vec![vec!["a"], vec!["b"], vec!["c"], vec!["a", "b"], vec!["b", "c"], vec!["d"]]);
    (0..240_i64, 0..=LATENESS_MS, kinds, 0..3_u8, 0..3_u8, 0..6_u8).prop_map(
        |(time, delay_ms, kinds, host, user, value)| Seen {
            id: EventId::default(),
            time_ms: 1_700_000_000_000 + time * 500,
            delay_ms,
            kinds,
            host,
            user,
            value,
        },
    )
}

/// Events in the order of their arrival.
fn stream() -> impl Strategy<Value = Vec<Seen>> {
    prop::collection::vec(seen(), 1..120).prop_map(|mut events| {
        for (number, seen) in events.iter_mut().enumerate() {
            seen.id = EventId { epoch: 7, offset: number as u64 / 2, index: number as u32 % 2 };
        }
        events.sort_by_key(|seen| (seen.time_ms + seen.delay_ms, seen.id));
        events
    })
}

/// A few by default; `PROPTEST_CASES` for more.
pub(crate) fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Delays within the allowed lateness: the same set as in order, and as the oracle says.
    #[test]
    fn delays_change_nothing(events in stream()) {
        let set = rule_set();
        let wanted = oracle(&events);
        let mut shuffled = Run::new(&set, settings());
        for seen in &events {
            shuffled.take(seen);
        }
        prop_assert_eq!(&shuffled.found, &wanted);
        let mut in_order = Run::new(&set, settings());
        let mut sorted = events.clone();
        sorted.sort_by_key(|seen| (seen.time_ms, seen.id));
        for seen in &mut sorted {
            seen.delay_ms = 0;
            in_order.take(seen);
        }
        prop_assert_eq!(&in_order.found, &wanted);
        prop_assert!(in_order.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Detected(found)
            if !found.late && found.replaces.is_none())), "nothing is taken back while events come in order");
    }

    /// Snapshot and restore anywhere: as if nothing had happened. With little memory too.
    #[test]
    fn a_restart_changes_nothing(events in stream(), cut in any::<prop::sample::Index>(), memory in 400..40_000_usize) {
        let set = rule_set();
        let settings = CorrelationSettings { memory_bytes_max: memory, events_per_group_max: 12, ..settings() };
        let mut whole = Run::new(&set, settings);
        let mut parts = Run::new(&set, settings);
        let cut = cut.index(events.len());
        for (number, seen) in events.iter().enumerate() {
            let Ok(()) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| whole.take(seen))) else {
                // With evictions an event can be found twice; that is told by the other test.
                return Ok(());
            };
            if number == cut {
                let bytes = parts.state.snapshot();
                let plan = Arc::clone(parts.state.plan());
                let (state, restored) = CorrelationState::restore(plan, settings, &bytes).unwrap();
                prop_assert_eq!(restored, tandem_sigma::Restored::default());
                prop_assert_eq!(&state.snapshot(), &bytes);
                prop_assert_eq!(state.memory_bytes(), parts.state.memory_bytes());
                parts.state = state;
            }
            parts.take(seen);
            prop_assert!(whole.state.memory_bytes() <= memory);
        }
        prop_assert_eq!(&whole.outcomes, &parts.outcomes);
        prop_assert_eq!(whole.state.snapshot(), parts.state.snapshot());
        prop_assert_eq!(whole.state.counters(), parts.state.counters());
    }

    /// Foreign and damaged bytes are refused, or read as something; nothing panics.
    #[test]
    fn damaged_snapshots_are_answered(events in stream(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let set = rule_set();
        let mut run = Run::new(&set, settings());
        for seen in &events {
            run.take(seen);
        }
        let mut bytes = run.state.snapshot();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let plan = Arc::clone(run.state.plan());
        if let Ok((state, _)) = CorrelationState::restore(plan, settings(), &bytes) {
            let _ = state.snapshot();
        }
    }
}
