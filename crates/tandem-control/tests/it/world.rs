//! A site in a temporary folder, with a clock that stands still.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tandem_base::{Chance, Clock, ManualClock, SeededChance, Timestamp};
use tandem_control::{Control, NewUser, SiteKey, User};
use tandem_model::{
    Detection, DetectionId, DetectionKind, Entities, EventId, Level, MatchedField, RecordId, RuleStatus,
};
use tandem_service::{Actor, AlertPolicy, Party, Role, RoleSet};
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) key: SiteKey,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) chance: Arc<SeededChance>,
}

pub(crate) const PASSWORD: &str = "correct horse battery";

impl World {
    pub(crate) fn new() -> Self {
        let chance = Arc::new(SeededChance::new(1));
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_790_000_000)));
        Self { folder: tempfile::tempdir().unwrap(), key: SiteKey::random(&*chance), clock, chance }
    }

    pub(crate) async fn open(&self) -> Control {
        self.open_in(self.folder.path()).await
    }

    pub(crate) async fn open_in(&self, folder: &Path) -> Control {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let chance: Arc<dyn Chance> = Arc::clone(&self.chance) as _;
        let path = folder.join("control.db");
        Control::open(&path, self.key.clone(), clock, chance, AlertPolicy::standard()).await.unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn seconds(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn detection(&self, ordinal: u64, rule: &str, level: Level, host: &str) -> Detection {
        let event = EventId { record: RecordId { epoch: 1, offset: ordinal }, index: 0 };
        let now = self.now();
        Detection {
            id: DetectionId::of(rule, event),
            kind: DetectionKind::Rule,
            rule_id: rule.into(),
            rule_title: format!("Rule {rule}").into(),
            rule_author: Some("Somebody".into()),
            rule_version: "v1".into(),
            level,
            status: RuleStatus::Test,
            tags: vec!["attack.t1003".into()],
            time: now,
            received: now,
            detected: now,
            events: vec![event],
            source: "a-source".into(),
            log_types: vec!["windows/process_creation".into()],
            matches: vec![MatchedField {
                field: Some("CommandLine".into()),
                value: "mimikatz.exe".into(),
                span: Some((0, 8)),
            }],
            entities: Entities { host: Some(host.into()), user: None, source_address: None },
            run: None,
        }
    }
}

pub(crate) async fn somebody(control: &Control, name: &str, roles: &[Role]) -> (User, Actor) {
    let new = NewUser {
        name: name.into(),
        display_name: name.to_uppercase(),
        party: Party::Customer,
        roles: roles.iter().copied().collect::<RoleSet>(),
        password: Some(PASSWORD.into()),
    };
    let user = control.user_create(&Actor::local(), &new).await.unwrap();
    let actor = user.actor();
    (user, actor)
}
