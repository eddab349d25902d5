//! Alarms of other products are detections of kind `vendor_alert`.
//!
//! A parser marks such an event with `event.kind: alert` (ECS) and says what the product said:
//! `rule.name`, `rule.id`, `event.severity_name` (Sigma's words for levels).

use crate::entities_of;
use tandem_base::Timestamp;
use tandem_model::{Detection, DetectionId, DetectionKind, Event, Level, MatchedField, RuleStatus};

/// The detection that `event` is, if it is an alarm.
pub(crate) fn vendor_alert(event: &Event, detected: Timestamp) -> Option<Detection> {
    if event.common.text("event.kind") != Some("alert") {
        return None;
    }
    let text = |name: &str| event.common.get(name).map(ToString::to_string).filter(|text| !text.is_empty());
    let title = text("rule.name").unwrap_or_else(|| format!("Alarm of {}", event.parser));
    let name = text("rule.id").unwrap_or_else(|| title.clone());
    let rule_id = format!("vendor:{}:{name}", event.parser);
    let level = text("event.severity_name").and_then(|word| word.parse().ok()).unwrap_or(Level::Medium);
    let matches = ["rule.name", "event.action", "file.path", "file.name", "url.full", "source.ip", "destination.ip"]
        .iter()
        .filter_map(|field| Some(MatchedField { field: Some((*field).to_owned()), value: text(field)?, span: None }))
        .collect();
    Some(Detection {
        id: DetectionId::of(&rule_id, event.id),
        kind: DetectionKind::VendorAlert,
        rule_id: rule_id.into(),
        rule_title: title.into(),
        rule_author: text("observer.vendor").map(Into::into),
        rule_version: "".into(),
        level,
        status: RuleStatus::Stable,
        tags: Vec::new(),
        time: event.time,
        received: event.received,
        detected,
        events: vec![event.id],
        source: event.source.clone(),
        log_types: event.typed.iter().map(|typed| typed.log_type.to_string()).collect(),
        matches,
        entities: entities_of(event),
        run: event.run,
    })
}
