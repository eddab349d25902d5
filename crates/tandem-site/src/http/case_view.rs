//! Cases as other programs see them.

use tandem_api::{CaseHead, EntityRef, Grouping, MatchedField, Person, WhyItFired};
use tandem_base::Timestamp;
use tandem_control::{Similar, StoredDetection};
use tandem_model::Detection;
use tandem_service::{Case, CaseEntity, EntityKind, Gathered};

/// Entities that a list shows of one case; the first ones are those that opened it.
const ENTITIES_MAX: usize = 20;
/// Rules whose reasons a case shows.
const FIRED_MAX: usize = 50;

/// A case in a list.
pub(super) fn head(case: &Case, similar: Similar) -> CaseHead {
    let gathered = &case.gathered;
    CaseHead {
        id: case.id.to_string(),
        kind: case.kind.word().to_owned(),
        title: gathered.title.clone(),
        priority: gathered.priority.word().to_owned(),
        priority_reason: gathered.priority_reason.clone(),
        state: case.state.word().to_owned(),
        verdict: case.verdict.map(|verdict| verdict.word().to_owned()),
        owner: case.owner.as_ref().map(|owner| Person { id: owner.id.to_string(), name: owner.name.to_string() }),
        opened: case.instants.opened.to_string(),
        updated: case.instants.updated.to_string(),
        first_event: gathered.first_event.map(|at| at.to_string()),
        last_event: gathered.last_event.map(|at| at.to_string()),
        detections: gathered.detections,
        entities: entities(&gathered.entities),
        why: gathered.why(),
        similar: tandem_api::Similar { count: similar.count, benign: similar.benign },
        snoozed_until: case.snoozed_until.map(|at| at.to_string()),
        version: case.version,
    }
}

/// Whom something concerns; a source is only what joins where nothing else is known, and no entity.
pub(super) fn entities(list: &[CaseEntity]) -> Vec<EntityRef> {
    list.iter()
        .filter(|entity| entity.key.kind != EntityKind::Source)
        .take(ENTITIES_MAX)
        .map(|entity| EntityRef { kind: entity.key.kind.word().to_owned(), name: entity.name.clone() })
        .collect()
}

/// Whom a detection concerns.
pub(super) fn entities_of(detection: &Detection) -> Vec<EntityRef> {
    let named = [
        ("host", &detection.entities.host),
        ("user", &detection.entities.user),
        ("address", &detection.entities.source_address),
    ];
    let given = named.into_iter().filter_map(|(kind, name)| Some((kind, name.as_ref()?)));
    given.map(|(kind, name)| EntityRef { kind: kind.to_owned(), name: name.clone() }).collect()
}

/// What holds a case's detections together.
pub(super) fn grouping(gathered: &Gathered) -> Vec<Grouping> {
    let one = |reason: &tandem_service::GroupingReason| Grouping {
        key: reason.key.clone(),
        value: reason.value.clone(),
        reason: reason.reason.clone(),
    };
    gathered.grouping.iter().map(one).collect()
}

/// Why a detection fired, field by field.
pub(super) fn matches(detection: &Detection) -> Vec<MatchedField> {
    let one = |matched: &tandem_model::MatchedField| MatchedField {
        field: matched.field.clone(),
        value: matched.value.clone(),
        span: matched.span.map(|(start, end)| [start, end]),
    };
    detection.matches.iter().map(one).collect()
}

/// Why a case's rules fired, the gravest first; `in_words` tells a rule's condition.
pub(super) fn fired(evidence: &[(StoredDetection, u64)], in_words: impl Fn(&str) -> Option<String>) -> Vec<WhyItFired> {
    let one = |(stored, count): &(StoredDetection, u64)| {
        let detection = &stored.detection;
        WhyItFired {
            detection_id: detection.id.to_string(),
            rule_id: detection.rule_id.to_string(),
            rule_title: detection.rule_title.to_string(),
            rule_author: detection.rule_author.as_deref().map(str::to_owned),
            level: detection.level.word().to_owned(),
            time: detection.time.to_string(),
            count: *count,
            in_words: words_of(detection, &in_words),
            matches: matches(detection),
        }
    };
    evidence.iter().take(FIRED_MAX).map(one).collect()
}

/// The condition in words; of a vendor's alarm, or a rule that is gone, what is known instead.
pub(super) fn words_of(detection: &Detection, in_words: impl Fn(&str) -> Option<String>) -> String {
    match detection.kind {
        tandem_model::DetectionKind::VendorAlert => format!("{} raised this alarm itself", detection.source),
        tandem_model::DetectionKind::Rule => in_words(&detection.rule_id)
            .unwrap_or_else(|| "the rule is no longer installed; what matched is listed below".to_owned()),
    }
}

/// When something became known, where that is not when it happened.
pub(super) fn known_at(happened: Timestamp, known: Timestamp) -> Option<String> {
    (happened != known).then(|| known.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use tandem_model::{DetectionId, DetectionKind, Entities, EventId, Level, RecordId, RuleStatus};
    use tandem_service::{CaseId, CaseKind, EntityKey, Priority};

    /// A detection of a test.
    pub(in crate::http) fn detection(rule: &str, level: Level, second: i64) -> Detection {
        let event = EventId { record: RecordId { epoch: 1, offset: second as u64 }, index: 0 };
        Detection {
            id: DetectionId::of(rule, event),
            kind: DetectionKind::Rule,
            rule_id: rule.into(),
            rule_title: format!("Title of {rule}").into(),
            rule_author: Some("somebody".into()),
            rule_version: "1".into(),
            level,
            status: RuleStatus::Test,
            tags: vec!["attack.t1059".into()],
            time: Timestamp::from_seconds(second),
            received: Timestamp::from_seconds(second + 1),
            detected: Timestamp::from_seconds(second + 2),
            events: vec![event],
            source: "dc1".into(),
            log_types: vec!["windows/process_creation".to_owned()],
            matches: vec![tandem_model::MatchedField {
                field: Some("Image".to_owned()),
                value: "C:\\cmd.exe".to_owned(),
                span: Some((3, 10)),
            }],
            entities: Entities {
                host: Some("dc1".to_owned()),
                user: Some("CORP\\dana".to_owned()),
                source_address: None,
            },
            run: None,
        }
    }

    /// A case of a test.
    pub(in crate::http) fn case() -> Case {
        let mut gathered = Gathered::new("Title of r on dc1", Priority::P2, "the rule's level is high");
        let host = EntityKey { kind: EntityKind::Host, value: "dc1".to_owned() };
        let source = EntityKey { kind: EntityKind::Source, value: "dc1".to_owned() };
        gathered.add(&detection("r", Level::High, 100), &[(host, "DC1".to_owned()), (source, "dc1".to_owned())], None);
        Case::new(CaseId(12), CaseKind::Security, gathered, Timestamp::from_seconds(200))
    }

    #[test]
    fn a_head_says_what_a_list_needs() {
        let head = head(&case(), Similar { count: 8, benign: 7 });
        assert_eq!((head.id.as_str(), head.state.as_str(), head.priority.as_str()), ("C-12", "new", "P2"));
        assert_eq!(head.entities, [EntityRef { kind: "host".to_owned(), name: "DC1".to_owned() }]);
        assert_eq!(head.first_event.as_deref(), Some("1970-01-01T00:01:40Z"));
        assert_eq!(head.why, "“Title of r” (high) fired on DC1: Image is C:\\cmd.exe");
        assert_eq!((head.similar.count, head.similar.benign, head.version), (8, 7, 1));
    }

    #[test]
    fn why_it_fired_names_rule_words_and_matches() {
        let stored =
            StoredDetection { detection: detection("r", Level::High, 100), case: Some(CaseId(12)), group: None };
        let fired = fired(&[(stored, 3)], |id| Some(format!("words of {id}")));
        assert_eq!((fired[0].in_words.as_str(), fired[0].count), ("words of r", 3));
        assert_eq!(fired[0].matches[0].span, Some([3, 10]));
        let mut vendor = detection("vendor:x", Level::High, 1);
        vendor.kind = DetectionKind::VendorAlert;
        assert_eq!(words_of(&vendor, |_| None), "dc1 raised this alarm itself");
    }
}
