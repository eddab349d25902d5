//! The responsibility matrix. Until agreements are editable there is one: the customer does everything.

use crate::case::Priority;
use crate::rights::Party;
use crate::words::words;
use tandem_base::Timestamp;

words! {
    /// The building blocks of the service.
    Activity {
        /// First look.
        TriageL1 = "triage_l1",
        /// Analysis.
        AnalysisL2 = "analysis_l2",
        /// Advice.
        Consult = "consult",
        /// Searching without an alarm.
        Hunt = "hunt",
        /// Deciding what to look for.
        UseCaseDesign = "use_case_design",
        /// Keeping rules alive.
        RuleMaintenance = "rule_maintenance",
        /// Making rules quieter.
        Tuning = "tuning",
        /// Proving that rules work.
        ContentTest = "content_test",
        /// Deciding what is logged.
        LogPolicy = "log_policy",
        /// Watching senders.
        SourceMonitoring = "source_monitoring",
        /// Repairing senders.
        SourceRepair = "source_repair",
        /// Running Tandem.
        Operate = "operate",
        /// Updating Tandem.
        Update = "update",
        /// Keeping Tandem up.
        Availability = "availability",
        /// Amounts of logs.
        Volume = "volume",
        /// Leading the response.
        Coordinate = "coordinate",
        /// Cutting off an attacker.
        Contain = "contain",
        /// Keeping evidence.
        Forensics = "forensics",
        /// Getting back to work.
        Restore = "restore",
        /// Figures of the service.
        ServiceReport = "service_report",
        /// Looking over everybody's shoulder.
        Audit = "audit",
    }
}

/// Who has which part in an activity at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// R: does it. `None` where nobody does until the next window.
    pub responsible: Option<Party>,
    /// A: answers for it.
    pub accountable: Party,
    /// C: is asked.
    pub consulted: Vec<Party>,
    /// I: is told.
    pub informed: Vec<Party>,
    /// The cell's name, for `because`.
    pub name: &'static str,
}

impl Cell {
    /// Whether `party` has any part in it.
    pub fn involves(&self, party: &Party) -> bool {
        self.responsible.as_ref() == Some(party)
            || self.accountable == *party
            || self.consulted.contains(party)
            || self.informed.contains(party)
    }
}

/// A version of the agreement: a total function of activity, priority and instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    name: &'static str,
}

impl Matrix {
    /// The built-in one: the customer is responsible and accountable for everything, always.
    pub const fn customer_does_everything() -> Self {
        Self { name: "built-in: the customer does everything" }
    }

    /// The cell that holds for `activity` at this priority and instant.
    pub fn cell(&self, _activity: Activity, _priority: Option<Priority>, _at: Timestamp) -> Cell {
        Cell {
            responsible: Some(Party::Customer),
            accountable: Party::Customer,
            consulted: Vec::new(),
            informed: Vec::new(),
            name: self.name,
        }
    }
}
