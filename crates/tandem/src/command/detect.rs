//! `tandem detect`: rules over log files, without a site.

use super::files::{Found, parsers, read_all};
use crate::arguments::DetectArguments;
use crate::output;
use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};
use tandem_base::Timestamp;
use tandem_content::load_rules;
use tandem_detect::Detector;
use tandem_model::{Detection, Level};

pub(crate) fn run(arguments: &DetectArguments) -> Result<u8> {
    let (mut content, parsers) = parsers(&arguments.parsers)?;
    if !arguments.rules.is_empty() {
        content.rules.clear();
    }
    let mut unreadable = Vec::new();
    for path in &arguments.rules {
        content.add_rules(path, &mut unreadable);
    }
    if let Some(problem) = unreadable.first() {
        return Err(anyhow::anyhow!("rules in {} cannot be read: {}", problem.path.display(), problem.reason)
            .context(output::Hint("name a Sigma rule (.yml, UTF-8) or a folder of them with --rules".to_owned())));
    }
    if content.rules.is_empty() {
        bail!("there are no rule files (.yml, .yaml) in the folders given with --rules");
    }
    let least = arguments.level.as_deref().map(|word| {
        word.parse::<Level>()
            .ok()
            .with_context(|| format!("`{word}` is no level; levels are informational, low, medium, high, critical"))
    });
    let least = least.transpose()?.unwrap_or_default();
    let rules = load_rules(&content.rules);
    for problem in rules.problems.iter().filter(|problem| problem.fatal) {
        output::note(&format!("warning: {}:{}: not loaded: {}", problem.file, problem.line, problem.reason));
    }
    for rule in &rules.rules {
        if let Some(names) = rule.needs_values() {
            output::note(&format!(
                "warning: {}: not evaluated: placeholders without values: {}",
                rule.rule.source_name,
                names.join(", ")
            ));
        }
    }
    let mut detector = Detector::new(rules.rules);
    output::note(&format!("{} rules", detector.len()));
    let mut found = Vec::new();
    let mut detections = 0_u64;
    let summary = read_all(&parsers, &arguments.files, &mut |event: Found<'_>| {
        detector.evaluate(&event.event, Timestamp::default(), &mut found);
        for detection in found.drain(..).filter(|detection| detection.level >= least) {
            detections += 1;
            output::line(&line(&event, &detection));
        }
    });
    output::note(&format!(
        "{} files, {} records, {} events, {detections} detections; {} records and {} files could not be read",
        summary.files, summary.records, summary.events, summary.leftovers, summary.unreadable
    ));
    Ok(summary.exit_code())
}

fn line(found: &Found<'_>, detection: &Detection) -> String {
    let matches: Vec<Json> = detection
        .matches
        .iter()
        .map(|matched| json!({ "field": matched.field, "value": matched.value, "span": matched.span.map(|(start, end)| [start, end]) }))
        .collect();
    json!({
        "rule_id": &*detection.rule_id,
        "rule_title": &*detection.rule_title,
        "rule_author": detection.rule_author.as_deref(),
        "level": detection.level.word(),
        "time": detection.time.to_string(),
        "file": found.file,
        "record": found.record,
        "event_record_id": found.event_record_id,
        "log_types": detection.log_types,
        "matches": matches,
    })
    .to_string()
}
