//! A correlation as an English sentence.

use super::rule::{Correlation, CorrelationCondition, CorrelationKind};

/// `at least 10 events of failed_logon within 5 minutes with the same TargetUserName`.
pub(super) fn correlation_in_words(correlation: &Correlation) -> String {
    let rules: Vec<&str> = correlation.rules.iter().map(|reference| reference.text.as_str()).collect();
    let fields = correlation.fields.join(" and ");
    let bounds = match &correlation.condition {
        CorrelationCondition::Compare(comparisons) => comparisons
            .iter()
            .map(|(comparison, number)| format!("{} {number}", comparison.in_words()))
            .collect::<Vec<_>>()
            .join(" and "),
        CorrelationCondition::EveryRule => "every one".to_owned(),
        CorrelationCondition::Boolean(condition) => condition.to_string(),
    };
    let of = listed(&rules, "or");
    let what = match correlation.kind {
        CorrelationKind::EventCount => format!("{bounds} events of {of}"),
        CorrelationKind::ValueCount => format!("{bounds} different values of {fields} in events of {of}"),
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => {
            let order = if correlation.kind == CorrelationKind::TemporalOrdered { " in this order" } else { "" };
            match correlation.condition {
                CorrelationCondition::EveryRule => format!("events of {}{order}", listed(&rules, "and")),
                CorrelationCondition::Compare(_) => format!("events of {bounds} of {}{order}", listed(&rules, "and")),
                CorrelationCondition::Boolean(_) => format!("events of {bounds}{order}"),
            }
        }
        CorrelationKind::ValueSum => format!("a sum of {fields} of {bounds} over events of {of}"),
        CorrelationKind::ValueAvg => format!("a mean of {fields} of {bounds} over events of {of}"),
        CorrelationKind::ValueMedian => format!("a median of {fields} of {bounds} over events of {of}"),
        CorrelationKind::ValueMin => format!("a smallest {fields} of {bounds} over events of {of}"),
        CorrelationKind::ValueMax => format!("a largest {fields} of {bounds} over events of {of}"),
        CorrelationKind::ValuePercentile => match correlation.percentile {
            Some(rank) => format!("a {rank}th percentile of {fields} of {bounds} over events of {of}"),
            None => format!("a share of {bounds} per cent for the event's {fields} among events of {of}"),
        },
    };
    let same = if correlation.group_by.is_empty() {
        String::new()
    } else {
        let keys: Vec<&str> = correlation.group_by.iter().map(String::as_str).collect();
        format!(" with the same {}", listed(&keys, "and"))
    };
    format!("{what} within {}{same}", correlation.timespan)
}

fn listed(parts: &[&str], word: &str) -> String {
    match parts.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, before)) => format!("{} {word} {last}", before.join(", ")),
    }
}
