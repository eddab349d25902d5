//! The closed list of verbs: what belongs to each is one table.

use crate::rights::{Activity, Party, Role, Scope};
use crate::words::words;
use std::time::Duration;

words! {
    /// Everything that anybody can do. Every endpoint, command and stream names one.
    Verb {
        /// See cases, their history and their detections.
        CaseRead = "case_read",
        /// Open a case by hand.
        CaseOpen = "case_open",
        /// Take a case.
        CaseTake = "case_take",
        /// Give it back.
        CaseRelease = "case_release",
        /// Begin triage.
        CaseTriage = "case_triage",
        /// Send it up to analysis, or give the gate's text later.
        CaseEscalate = "case_escalate",
        /// Begin the response.
        CaseRespond = "case_respond",
        /// Say that the damage is undone.
        CaseRecover = "case_recover",
        /// Step back, with a reason.
        CaseGoBack = "case_go_back",
        /// End it with a verdict.
        CaseClose = "case_close",
        /// Open it again.
        CaseReopen = "case_reopen",
        /// Change its priority.
        CasePriority = "case_priority",
        /// Write a note.
        CaseNote = "case_note",
        /// Merge it into another.
        CaseMerge = "case_merge",
        /// Take detections out into a case of their own.
        CaseSplit = "case_split",
        /// Set it aside until an instant.
        CaseSnooze = "case_snooze",
        /// Pin an event as evidence.
        CasePin = "case_pin",
        /// Tag it.
        CaseTag = "case_tag",
        /// Give it to somebody else.
        CaseReassign = "case_reassign",
        /// Search events, one event and what lies around it.
        EventRead = "event_read",
        /// Follow events live.
        EventTail = "event_tail",
        /// SQL over events.
        EventSql = "event_sql",
        /// See detections and signals.
        DetectionRead = "detection_read",
        /// See runs over history.
        RunRead = "run_read",
        /// Import stored logs.
        RunImport = "run_import",
        /// Make a case of a run's group.
        RunPromote = "run_promote",
        /// See sources and receivers.
        SourceRead = "source_read",
        /// Name a source, its owner, a note.
        SourceEdit = "source_edit",
        /// Allow or refuse a source.
        SourceAllow = "source_allow",
        /// Make and end ingest tokens.
        IngestToken = "ingest_token",
        /// See rules.
        RuleRead = "rule_read",
        /// Switch a rule on or off.
        RuleSwitch = "rule_switch",
        /// Install rules.
        RuleInstall = "rule_install",
        /// Change the alert policy.
        PolicyEdit = "policy_edit",
        /// See accounts.
        UserRead = "user_read",
        /// Make, change and disable accounts.
        UserManage = "user_manage",
        /// One's own password, second factor, preferences, drafts, tokens.
        Own = "own",
        /// End tokens of others.
        TokenManage = "token_manage",
        /// See what everybody did.
        LogRead = "log_read",
        /// See settings.
        SettingsRead = "settings_read",
        /// Change settings.
        SettingsEdit = "settings_edit",
        /// See Tandem's own health.
        HealthRead = "health_read",
        /// Make a backup.
        Backup = "backup",
        /// Ask for a grant.
        GrantRequest = "grant_request",
        /// Decide on a grant.
        GrantDecide = "grant_decide",
        /// Show one value behind a pseudonym.
        PseudonymReveal = "pseudonym_reveal",
        /// Act without the agreement, in an emergency.
        BreakGlass = "break_glass",
        /// Delete evidence.
        EvidenceDelete = "evidence_delete",
        /// Sign the matrix.
        MatrixSign = "matrix_sign",
    }
}

impl Verb {
    /// The activity that acting on a case (or on content) belongs to; `None` where the matrix has no say.
    pub fn activity(self) -> Option<Activity> {
        use Activity as A;
        Some(match self {
            Self::CaseOpen
            | Self::CaseTake
            | Self::CaseRelease
            | Self::CaseTriage
            | Self::CaseEscalate
            | Self::CaseClose
            | Self::CaseReopen
            | Self::CasePriority
            | Self::CaseNote
            | Self::CaseMerge
            | Self::CaseSplit
            | Self::CaseSnooze
            | Self::CasePin
            | Self::CaseTag
            | Self::CaseReassign
            | Self::RunPromote => A::TriageL1,
            Self::CaseGoBack => A::AnalysisL2,
            Self::CaseRespond => A::Coordinate,
            Self::CaseRecover => A::Restore,
            Self::EventSql | Self::RunImport => A::Hunt,
            Self::SourceEdit | Self::SourceAllow => A::SourceMonitoring,
            Self::IngestToken => A::SourceRepair,
            Self::RuleSwitch | Self::PolicyEdit => A::Tuning,
            Self::RuleInstall => A::RuleMaintenance,
            Self::Backup | Self::SettingsEdit => A::Operate,
            Self::EvidenceDelete => A::Forensics,
            Self::LogRead => A::Audit,
            _ => return None,
        })
    }

    /// Whether it acts on a case, so that rule 3 of `decide` applies.
    pub fn acts_on_case(self) -> bool {
        self.word().starts_with("case_") && !matches!(self, Self::CaseRead | Self::CaseOpen)
    }

    /// Whether it reads events, so that everyone but the customer needs a grant.
    pub fn reads_events(self) -> bool {
        matches!(self, Self::EventRead | Self::EventTail | Self::EventSql)
    }

    /// The second person's party, for the verbs that two people must want.
    pub fn second_person(self) -> Option<Party> {
        matches!(self, Self::PseudonymReveal | Self::BreakGlass | Self::EvidenceDelete | Self::MatrixSign)
            .then_some(Party::Customer)
    }

    /// How old the proof of the second factor may be; `None`: the session's own is enough.
    pub fn second_factor_age(self) -> Option<Duration> {
        match self {
            _ if self.second_person().is_some() => Some(Duration::from_mins(5)),
            Self::UserManage | Self::TokenManage | Self::SettingsEdit | Self::GrantDecide | Self::Backup => {
                Some(Duration::from_hours(12))
            }
            _ => None,
        }
    }

    /// The scope that an API token needs.
    pub fn scope(self) -> Scope {
        match self {
            Self::CaseRead
            | Self::EventRead
            | Self::EventTail
            | Self::EventSql
            | Self::DetectionRead
            | Self::RunRead
            | Self::SourceRead
            | Self::RuleRead
            | Self::UserRead
            | Self::LogRead
            | Self::SettingsRead
            | Self::HealthRead => Scope::Read,
            _ if self.acts_on_case() => Scope::Act,
            Self::CaseOpen | Self::RunPromote | Self::GrantRequest => Scope::Act,
            _ => Scope::Manage,
        }
    }

    /// Whether `role` gives it.
    #[expect(clippy::match_same_arms, reason = "it is read as a table: what belongs together stands together")]
    pub fn given_by(self, role: Role) -> bool {
        use Role::{
            AnalystL1, AnalystL2, Approver, Auditor, ContentEngineer, PlatformOperator, Responder, ServiceManager,
            SiteAdmin, Viewer,
        };
        let roles: &[Role] = match self {
            Self::CaseRead
            | Self::DetectionRead
            | Self::RunRead
            | Self::SourceRead
            | Self::RuleRead
            | Self::HealthRead
            | Self::Own => return true,
            Self::EventRead => &[Viewer, AnalystL1, AnalystL2, Responder, ContentEngineer, Approver, SiteAdmin],
            Self::EventTail => &[AnalystL1, AnalystL2, Responder, ContentEngineer, PlatformOperator, SiteAdmin],
            Self::EventSql | Self::RunImport => &[AnalystL2, Responder, ContentEngineer, SiteAdmin],
            Self::CaseOpen
            | Self::CaseTake
            | Self::CaseRelease
            | Self::CaseTriage
            | Self::CaseEscalate
            | Self::CaseClose
            | Self::CaseReopen
            | Self::CasePriority
            | Self::CaseMerge
            | Self::CaseSplit
            | Self::CaseSnooze
            | Self::CasePin
            | Self::CaseTag
            | Self::RunPromote => &[AnalystL1, AnalystL2, Responder, SiteAdmin],
            Self::CaseNote => &[AnalystL1, AnalystL2, Responder, ContentEngineer, ServiceManager, Approver, SiteAdmin],
            Self::CaseRespond | Self::CaseRecover | Self::CaseGoBack => &[AnalystL1, AnalystL2, Responder, SiteAdmin],
            Self::CaseReassign => &[AnalystL2, Responder, ServiceManager, Approver, SiteAdmin],
            Self::SourceEdit => &[AnalystL2, ContentEngineer, PlatformOperator, SiteAdmin],
            Self::SourceAllow | Self::IngestToken => &[PlatformOperator, SiteAdmin],
            Self::RuleSwitch | Self::RuleInstall | Self::PolicyEdit => &[ContentEngineer, SiteAdmin],
            Self::UserRead => &[ServiceManager, Approver, Auditor, SiteAdmin],
            Self::UserManage | Self::TokenManage => &[SiteAdmin],
            Self::LogRead => &[Auditor, ServiceManager, Approver, SiteAdmin],
            Self::SettingsRead => &[PlatformOperator, Auditor, SiteAdmin],
            Self::SettingsEdit | Self::Backup => &[PlatformOperator, SiteAdmin],
            Self::GrantRequest => &[AnalystL1, AnalystL2, Responder, ContentEngineer],
            Self::GrantDecide | Self::MatrixSign => &[Approver, SiteAdmin],
            Self::PseudonymReveal => &[AnalystL2, Responder, Approver],
            Self::BreakGlass => &[AnalystL2, Responder, SiteAdmin],
            Self::EvidenceDelete => &[Approver, SiteAdmin],
        };
        roles.contains(&role)
    }

    /// What the button says: used in refusals.
    pub fn phrase(self) -> String {
        self.word().replace('_', " ")
    }
}
