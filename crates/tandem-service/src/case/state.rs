//! States, verdicts and the only transitions (co-management §5).

use crate::case::{CaseKind, Priority};
use crate::words::words;

words! {
    /// Where a case stands.
    State {
        /// Nobody looked yet.
        New = "new",
        /// First look.
        Triage = "triage",
        /// Second look.
        Analysis = "analysis",
        /// Acting against it.
        Response = "response",
        /// Damage undone, not yet closed.
        Recovered = "recovered",
        /// Ended with a verdict.
        Closed = "closed",
        /// Part of another case.
        Merged = "merged",
    }
}

words! {
    /// How a case ended.
    Verdict {
        /// An attack.
        TruePositive = "true_positive",
        /// The rule was right, the act was allowed.
        BenignTruePositive = "benign_true_positive",
        /// The rule was wrong.
        FalsePositive = "false_positive",
        /// Another case has it; given by merging.
        Duplicate = "duplicate",
        /// Somebody tested.
        Test = "test",
        /// It could not be found out.
        Undetermined = "undetermined",
        /// Of kinds other than security: done.
        Resolved = "resolved",
    }
}

impl State {
    /// Whether somebody still has to do something.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Merged)
    }
}

impl Verdict {
    /// Whether the case was no attack.
    pub fn is_benign(self) -> bool {
        matches!(self, Self::BenignTruePositive | Self::FalsePositive | Self::Test)
    }
}

/// Every transition there is, with the kinds and priorities that have it. Undo takes an act back and
/// is no transition.
pub fn transitions(kind: CaseKind, priority: Priority, from: State) -> Vec<State> {
    use State::{Analysis, Closed, Merged, New, Recovered, Response, Triage};
    let mut to = match from {
        Triage if priority == Priority::P1 => vec![Analysis, Response],
        Triage => vec![Analysis],
        Analysis => vec![Response, Triage],
        Response => vec![Recovered, Analysis],
        Recovered => vec![Response],
        New | Closed => vec![Triage],
        Merged => vec![],
    };
    if from.is_open() {
        to.push(Merged);
        if kind != CaseKind::Security || matches!(from, Triage | Analysis | Recovered) {
            to.push(Closed);
        }
    }
    to
}

/// The verdicts that may end a case from `from`; empty where it cannot be closed.
pub fn ends_from(kind: CaseKind, from: State) -> &'static [Verdict] {
    use Verdict::{BenignTruePositive, FalsePositive, Resolved, Test, TruePositive, Undetermined};
    if !from.is_open() {
        return &[];
    }
    if kind != CaseKind::Security {
        return &[Resolved];
    }
    match from {
        State::Triage => &[FalsePositive, BenignTruePositive, Test],
        State::Analysis => &[TruePositive, BenignTruePositive, FalsePositive, Test, Undetermined],
        State::Recovered => &[TruePositive],
        _ => &[],
    }
}
