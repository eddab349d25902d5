//! An anomaly rule as it is written.

use std::fmt;

use crate::correlation::Timespan;
use crate::rule::Rule;

/// A rule that knows what is usual, and fires for what is not.
#[derive(Clone, Debug, PartialEq)]
pub struct AnomalyRule {
    /// What the rule says about itself, its log source, and which events it looks at. Without a
    /// `detection` these are all events of the log source (see [`AnomalyRule::looks_at_everything`]).
    pub rule: Rule,
    /// The `anomaly` section.
    pub anomaly: Anomaly,
}

impl AnomalyRule {
    /// Whether the rule looks at every event of its log source.
    pub fn looks_at_everything(&self) -> bool {
        self.rule.detection.conditions.is_empty()
    }

    /// The anomaly as an English sentence.
    pub fn in_words(&self) -> String {
        self.anomaly.to_string()
    }
}

/// The `anomaly` section; defaults are filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Anomaly {
    /// `type`
    pub kind: AnomalyKind,
    /// `group-by`: for whom it is unusual; empty for the whole site.
    pub group_by: Vec<String>,
    /// `field`: what is looked at. `new_pair` has two, `impossible_travel` latitude and longitude.
    pub fields: Vec<String>,
    /// `learn`: a group is only watched for so long before it can fire.
    pub learn: Timespan,
    /// `window`: what is older is forgotten.
    pub window: Timespan,
    /// `minimum`: fewer events (`rare`, `volume`) or active hours (`unusual_time`) say nothing.
    pub minimum: u32,
    /// `share`: a value is rare up to so many per cent of the events.
    pub share_percent: f64,
    /// `factor`: a volume is unusual if it passes the median by so many deviations.
    pub factor: f64,
    /// `speed`: faster than this nobody travels, in km/h.
    pub speed_kmh: f64,
    /// `distance`: shorter ways are not looked at, in km, since coordinates of addresses are not exact.
    pub distance_km: f64,
}

/// What is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnomalyKind {
    /// A value that the group never had.
    FirstSeen,
    /// A value that is a small share of the group's events.
    Rare,
    /// More events in an hour (or a larger sum) than in the same hour of earlier weeks.
    Volume,
    /// Activity at an hour of the week at which the group is never active.
    UnusualTime,
    /// Two values that are both known, together for the first time.
    NewPair,
    /// Two places too far apart for the time between them.
    ImpossibleTravel,
}

impl AnomalyKind {
    /// Every type with its word.
    pub const ALL: [(&'static str, Self); 6] = [
        ("first_seen", Self::FirstSeen),
        ("rare", Self::Rare),
        ("volume", Self::Volume),
        ("unusual_time", Self::UnusualTime),
        ("new_pair", Self::NewPair),
        ("impossible_travel", Self::ImpossibleTravel),
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.join(" and ");
        match self.kind {
            AnomalyKind::FirstSeen => write!(f, "a value of {fields} that was not seen in the last {}", self.window)?,
            AnomalyKind::Rare => write!(
                f,
                "a value of {fields} in at most {} % of the events of the last {} (of at least {})",
                self.share_percent, self.window, self.minimum
            )?,
            AnomalyKind::Volume => {
                let what =
                    if fields.is_empty() { "more events".to_owned() } else { format!("a larger sum of {fields}") };
                write!(
                    f,
                    "{what} in an hour than the median of the same hour of the week in the last {} and {} deviations",
                    self.window, self.factor
                )?;
            }
            AnomalyKind::UnusualTime => {
                write!(f, "activity at an hour of the week without activity in the last {}", self.window)?;
            }
            AnomalyKind::NewPair => {
                write!(f, "known values of {fields} that were not seen together in the last {}", self.window)?;
            }
            AnomalyKind::ImpossibleTravel => write!(
                f,
                "places ({fields}) at least {} km apart, reached at more than {} km/h",
                self.distance_km, self.speed_kmh
            )?,
        }
        if !self.group_by.is_empty() {
            write!(f, ", for each {}", self.group_by.join(" and "))?;
        }
        Ok(())
    }
}
