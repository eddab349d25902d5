//! Rules, correlations, filters and anomaly rules of several texts, with every reference resolved.

use std::collections::{BTreeMap, HashMap};

use crate::anomaly::AnomalyRule;
use crate::correlation::{CorrelationRule, Reference};
use crate::filter::{Filter, FilterRules};
use crate::load::{Documents, Loader};
use crate::problem::{Code, Position, Problem, Severity, shortened};
use crate::rule::{Level, Readiness, Rule};
use crate::suggest::nearest;

/// Collects texts; [`build`](Self::build) resolves what refers to what.
#[derive(Clone, Debug, Default)]
pub struct RuleSetBuilder {
    loader: Loader,
    found: Documents,
}

/// A resolved set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleSet {
    rules: Vec<Rule>,
    correlations: Vec<CorrelationRule>,
    filters: Vec<Filter>,
    anomalies: Vec<AnomalyRule>,
    /// For each correlation what each of its references means.
    referred: Vec<Vec<Referred>>,
    rule_alerts: Vec<bool>,
    correlation_alerts: Vec<bool>,
    levels: Vec<Option<Level>>,
    applied: Vec<Vec<usize>>,
}

/// What a reference of a correlation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Referred {
    /// A plain rule, by its number in [`RuleSet::rules`].
    Rule(usize),
    /// A correlation, by its number in [`RuleSet::correlations`].
    Correlation(usize),
}

impl RuleSetBuilder {
    /// A builder with the limits and placeholders of a loader.
    pub fn new(loader: Loader) -> Self {
        Self { loader, found: Documents::default() }
    }

    /// Adds every document of a text. `source_name` is its name in problems, usually a file name.
    pub fn add(&mut self, source_name: &str, text: &str) {
        let found = self.loader.parse(source_name, text);
        self.found.rules.extend(found.rules);
        self.found.correlations.extend(found.correlations);
        self.found.filters.extend(found.filters);
        self.found.anomalies.extend(found.anomalies);
        self.found.problems.extend(found.problems);
    }

    /// The set, and everything that is wrong: first what each text had, then what the resolution found. What
    /// has an error is left out, and with it every correlation that needs it.
    pub fn build(self) -> (RuleSet, Vec<Problem>) {
        let Documents { rules, correlations, filters, anomalies, problems } = self.found;
        let mut resolver =
            Resolver { problems, set: RuleSet { rules, correlations, filters, anomalies, ..RuleSet::default() } };
        resolver.drop_duplicates();
        resolver.apply_filters();
        resolver.resolve_correlations();
        resolver.decide_alerts();
        resolver.decide_levels();
        (resolver.set, resolver.problems)
    }
}

impl RuleSet {
    /// The plain rules, with their filters applied.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The correlations; each stands behind those that it refers to.
    pub fn correlations(&self) -> &[CorrelationRule] {
        &self.correlations
    }

    /// The filters, those that no rule needs included.
    pub fn filters(&self) -> &[Filter] {
        &self.filters
    }

    /// The anomaly rules.
    pub fn anomalies(&self) -> &[AnomalyRule] {
        &self.anomalies
    }

    /// What the references of a correlation mean, in the order of its `rules`.
    pub fn referred(&self, correlation: usize) -> &[Referred] {
        self.referred.get(correlation).map_or(&[], Vec::as_slice)
    }

    /// Whether hits of a plain rule are detections by themselves: not if a correlation refers to the rule and
    /// none of those that do says `generate: true`.
    pub fn rule_alerts(&self, rule: usize) -> bool {
        self.rule_alerts.get(rule).copied().unwrap_or(true)
    }

    /// The same for a correlation that others refer to.
    pub fn correlation_alerts(&self, correlation: usize) -> bool {
        self.correlation_alerts.get(correlation).copied().unwrap_or(true)
    }

    /// The level of a correlation: its own, else the highest of the rules that it refers to.
    pub fn correlation_level(&self, correlation: usize) -> Option<Level> {
        self.levels.get(correlation).copied().flatten()
    }

    /// The filters of a plain rule, by their numbers in [`RuleSet::filters`].
    pub fn filters_of(&self, rule: usize) -> &[usize] {
        self.applied.get(rule).map_or(&[], Vec::as_slice)
    }
}

struct Resolver {
    problems: Vec<Problem>,
    set: RuleSet,
}

impl Resolver {
    fn report(&mut self, code: Code, source_name: &str, position: Position, message: String, hint: &str) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.problems.push(Problem { code, source_name: source_name.to_owned(), position, message, hint });
    }

    /// The same id or name twice: the first stays.
    fn drop_duplicates(&mut self) {
        let mut seen: HashMap<(&'static str, String), String> = HashMap::new();
        let mut problems = Vec::new();
        let mut is_new = |source_name: &str, position: Position, id: &Option<String>, name: &Option<String>| {
            let keys = [("id", id), ("name", name)];
            let keys = keys.iter().filter_map(|(key, value)| Some((*key, value.as_ref()?)));
            for (key, value) in keys.clone() {
                let Some(first) = seen.get(&(key, value.to_lowercase())) else { continue };
                problems.push(Problem {
                    code: Code::DuplicateRule,
                    source_name: source_name.to_owned(),
                    position,
                    message: format!("the {key} '{}' is taken already, at {first}", shortened(value)),
                    hint: Some("give each document its own; the first one stays".to_owned()),
                });
                return false;
            }
            for (key, value) in keys {
                seen.insert((key, value.to_lowercase()), format!("{source_name}:{position}"));
            }
            true
        };
        self.set.rules.retain(|rule| is_new(&rule.source_name, rule.position, &rule.id, &rule.name));
        let mut heading_is_new =
            |heading: &crate::Heading| is_new(&heading.source_name, heading.position, &heading.id, &heading.name);
        self.set.correlations.retain(|rule| heading_is_new(&rule.heading));
        self.set.filters.retain(|filter| heading_is_new(&filter.heading));
        self.set.anomalies.retain(|anomaly| {
            is_new(&anomaly.rule.source_name, anomaly.rule.position, &anomaly.rule.id, &anomaly.rule.name)
        });
        self.problems.extend(problems);
    }

    fn apply_filters(&mut self) {
        let filters = std::mem::take(&mut self.set.filters);
        self.set.applied = vec![Vec::new(); self.set.rules.len()];
        let names = Names::of(&self.set);
        for (number, filter) in filters.iter().enumerate() {
            let source_name = filter.heading.source_name.as_str();
            let mut meant: Vec<usize> = Vec::new();
            match &filter.rules {
                FilterRules::Any => meant
                    .extend((0..self.set.rules.len()).filter(|rule| filter.suits(&self.set.rules[*rule].logsource))),
                FilterRules::Listed(references) => {
                    for reference in references {
                        meant.extend(self.filter_target(filter, reference, &names));
                    }
                }
            }
            if !filter.needs_values.is_empty() {
                continue;
            }
            if meant.is_empty() {
                let message = format!("the filter '{}' is added to no rule", shortened(&filter.heading.title));
                let hint = "no rule that it names is there with the same log source";
                self.report(Code::FilterUnused, source_name, filter.heading.position, message, hint);
            }
            for rule in meant {
                filter.apply_to(&mut self.set.rules[rule]);
                self.set.applied[rule].push(number);
            }
        }
        self.set.filters = filters;
    }

    /// The plain rule that a filter names, if it suits it.
    fn filter_target(&mut self, filter: &Filter, reference: &Reference, names: &Names) -> Option<usize> {
        let source_name = filter.heading.source_name.as_str();
        let (message, hint) = match names.find(&reference.text) {
            Some(Referred::Rule(rule)) => {
                let logsource = &self.set.rules[rule].logsource;
                if filter.suits(logsource) {
                    return Some(rule);
                }
                (
                    format!(
                        "the rule '{}' has the log source {logsource}, the filter {}",
                        shortened(&reference.text),
                        filter.logsource
                    ),
                    "a filter is added to rules that name the same product, category and service".to_owned(),
                )
            }
            Some(Referred::Correlation(_)) => (
                format!("'{}' is a correlation, and filters are added to plain rules", shortened(&reference.text)),
                "name the rules that the correlation refers to".to_owned(),
            ),
            None => (
                format!("there is no rule with the id or name '{}'", shortened(&reference.text)),
                names.hint(&reference.text),
            ),
        };
        self.report(Code::FilterUnused, source_name, reference.position, message, &hint);
        None
    }

    /// Finds what correlations refer to, leaves out those whose references lead nowhere or in a circle, and
    /// puts the others in order.
    fn resolve_correlations(&mut self) {
        let count = self.set.correlations.len();
        let names = Names::of(&self.set);
        let mut refused = vec![false; count];
        let mut referred: Vec<Vec<Referred>> = Vec::new();
        for (number, rule) in self.set.correlations.clone().iter().enumerate() {
            let mut found = Vec::new();
            for reference in &rule.correlation.rules {
                match names.find(&reference.text) {
                    Some(target) if !found.contains(&target) => found.push(target),
                    Some(_) => {
                        refused[number] = true;
                        let message = format!("'{}' is a rule that is named already", shortened(&reference.text));
                        let hint = "name each rule once, by id or by name";
                        self.report(Code::DuplicateRule, &rule.heading.source_name, reference.position, message, hint);
                    }
                    None => {
                        refused[number] = true;
                        let message = format!("there is no rule with the id or name '{}'", shortened(&reference.text));
                        let hint = names.hint(&reference.text);
                        self.report(Code::UnknownRule, &rule.heading.source_name, reference.position, message, &hint);
                    }
                }
            }
            if !refused[number] {
                refused[number] = !self.check_aliases(rule, &found, &names);
            }
            referred.push(found);
        }
        let order = self.order(&referred, &mut refused);
        let mut place = vec![usize::MAX; count];
        for (new, old) in order.iter().enumerate() {
            place[*old] = new;
        }
        let mut old: Vec<Option<CorrelationRule>> =
            std::mem::take(&mut self.set.correlations).into_iter().map(Some).collect();
        for number in order {
            self.set.correlations.extend(old[number].take());
            self.set.referred.push(
                referred[number]
                    .iter()
                    .map(|target| match target {
                        Referred::Correlation(old) => Referred::Correlation(place[*old]),
                        rule @ Referred::Rule(_) => *rule,
                    })
                    .collect(),
            );
        }
    }

    fn check_aliases(&mut self, rule: &CorrelationRule, found: &[Referred], names: &Names) -> bool {
        let mut sound = true;
        for alias in &rule.correlation.aliases {
            for (reference, _) in &alias.fields {
                let target = names.find(&reference.text);
                if target.is_some_and(|target| found.contains(&target)) {
                    continue;
                }
                sound = false;
                let message = format!(
                    "the alias '{}' speaks of '{}', which is none of the rules",
                    shortened(&alias.name),
                    shortened(&reference.text)
                );
                let near = nearest(&reference.text, rule.correlation.rules.iter().map(|rule| rule.text.as_str()));
                let hint = match near {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => "name a rule that stands in 'rules'".to_owned(),
                };
                self.report(Code::Alias, &rule.heading.source_name, reference.position, message, &hint);
            }
        }
        sound
    }

    /// The sound correlations in an order in which each stands behind those that it refers to.
    fn order(&mut self, referred: &[Vec<Referred>], refused: &mut [bool]) -> Vec<usize> {
        let mut order = Vec::new();
        // 0: not seen, 1: on the path, 2: done.
        let mut marks = vec![0_u8; referred.len()];
        for start in 0..referred.len() {
            let mut path: Vec<(usize, usize)> = Vec::new();
            if marks[start] == 0 {
                marks[start] = 1;
                path.push((start, 0));
            }
            while let Some((number, next)) = path.last_mut() {
                let number = *number;
                let Some(target) = referred[number].get(*next) else {
                    marks[number] = 2;
                    path.pop();
                    if !refused[number] {
                        order.push(number);
                    }
                    continue;
                };
                *next += 1;
                let position = *next - 1;
                let Referred::Correlation(inner) = *target else { continue };
                match marks[inner] {
                    0 => {
                        marks[inner] = 1;
                        path.push((inner, 0));
                    }
                    1 => {
                        let from = path.iter().position(|(on_path, _)| *on_path == inner).unwrap_or(0);
                        let circle: Vec<usize> = path[from..].iter().map(|(on_path, _)| *on_path).collect();
                        self.report_circle(&circle, number, position);
                        for member in circle {
                            refused[member] = true;
                        }
                    }
                    _ => {}
                }
            }
        }
        self.refuse_dependants(referred, refused);
        order.retain(|number| !refused[*number]);
        order
    }

    fn report_circle(&mut self, circle: &[usize], last: usize, position: usize) {
        let name = |number: &usize| {
            let heading = &self.set.correlations[*number].heading;
            heading.name.as_deref().unwrap_or_else(|| heading.identifier()).to_owned()
        };
        let mut names: Vec<String> = circle.iter().map(name).collect();
        names.extend(names.first().cloned());
        let rule = &self.set.correlations[last];
        let place = rule.correlation.rules[position].position;
        let source_name = rule.heading.source_name.clone();
        let message = format!("the correlations refer to each other in a circle: {}", names.join(" → "));
        self.report(Code::CorrelationCycle, &source_name, place, message, "remove one of the references");
    }

    /// A correlation over one that is left out is left out too.
    fn refuse_dependants(&mut self, referred: &[Vec<Referred>], refused: &mut [bool]) {
        loop {
            let mut changed = false;
            for number in 0..referred.len() {
                if refused[number] {
                    continue;
                }
                let broken = referred[number].iter().position(|target| match target {
                    Referred::Correlation(inner) => refused[*inner],
                    Referred::Rule(_) => false,
                });
                let Some(broken) = broken else { continue };
                refused[number] = true;
                changed = true;
                let rule = &self.set.correlations[number];
                let reference = rule.correlation.rules[broken].clone();
                let source_name = rule.heading.source_name.clone();
                let message = format!("the correlation '{}' has an error", shortened(&reference.text));
                self.report(Code::UnknownRule, &source_name, reference.position, message, "mend that one first");
            }
            if !changed {
                return;
            }
        }
    }

    fn decide_alerts(&mut self) {
        let mut referrers: BTreeMap<Referred, bool> = BTreeMap::new();
        for (rule, targets) in self.set.correlations.iter().zip(&self.set.referred) {
            for target in targets {
                *referrers.entry(*target).or_default() |= rule.correlation.generate == Some(true);
            }
        }
        let alerts = |target: Referred| referrers.get(&target).copied().unwrap_or(true);
        self.set.rule_alerts = (0..self.set.rules.len()).map(|rule| alerts(Referred::Rule(rule))).collect();
        self.set.correlation_alerts =
            (0..self.set.correlations.len()).map(|rule| alerts(Referred::Correlation(rule))).collect();
        let mut warnings = Vec::new();
        for (rule, targets) in self.set.correlations.iter().zip(&self.set.referred) {
            for (reference, target) in rule.correlation.rules.iter().zip(targets) {
                let Referred::Rule(number) = *target else { continue };
                let found = &self.set.rules[number];
                let is_elsewhere = found.source_name != rule.heading.source_name;
                if is_elsewhere && rule.correlation.generate.is_none() && !self.set.rule_alerts[number] {
                    warnings.push((rule.heading.source_name.clone(), reference.clone(), found.source_name.clone()));
                }
            }
        }
        for (source_name, reference, other) in warnings {
            let message = format!(
                "the rule '{}' of {other} does not alert by itself any more, since this correlation refers to it",
                shortened(&reference.text)
            );
            let hint = "write 'generate: true' to keep its detections, 'generate: false' if this is meant";
            self.report(Code::RuleSilenced, &source_name, reference.position, message, hint);
        }
    }

    fn decide_levels(&mut self) {
        for (rule, targets) in self.set.correlations.iter().zip(&self.set.referred) {
            let highest = targets
                .iter()
                .filter_map(|target| match target {
                    Referred::Rule(number) => self.set.rules[*number].level,
                    Referred::Correlation(number) => self.set.levels[*number],
                })
                .max();
            self.set.levels.push(rule.heading.level.or(highest));
        }
    }
}

/// Ids and names of rules and correlations.
struct Names {
    by_id: HashMap<String, Referred>,
    by_name: HashMap<String, Referred>,
}

impl Names {
    fn of(set: &RuleSet) -> Self {
        let mut names = Self { by_id: HashMap::new(), by_name: HashMap::new() };
        let mut add = |id: &Option<String>, name: &Option<String>, target: Referred| {
            if let Some(id) = id {
                names.by_id.entry(id.to_lowercase()).or_insert(target);
            }
            if let Some(name) = name {
                names.by_name.entry(name.clone()).or_insert(target);
            }
        };
        for (number, rule) in set.rules.iter().enumerate() {
            add(&rule.id, &rule.name, Referred::Rule(number));
        }
        for (number, rule) in set.correlations.iter().enumerate() {
            add(&rule.heading.id, &rule.heading.name, Referred::Correlation(number));
        }
        names
    }

    fn find(&self, text: &str) -> Option<Referred> {
        self.by_id.get(&text.to_lowercase()).or_else(|| self.by_name.get(text)).copied()
    }

    fn hint(&self, text: &str) -> String {
        let mut names: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
        names.sort_unstable();
        match nearest(text, names) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "load the rule too, or look whether it was refused".to_owned(),
        }
    }
}

impl RuleSet {
    /// True if a rule or anomaly rule of the set waits for values of placeholders.
    pub fn needs_values(&self) -> bool {
        let waits = |rule: &Rule| *rule.readiness() != Readiness::Ready;
        self.rules.iter().any(waits) || self.anomalies.iter().any(|anomaly| waits(&anomaly.rule))
    }
}

/// Whether any of the problems is an error.
pub fn has_errors(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity() == Severity::Error)
}
