//! Control data in SQLite: repositories, migrations, acts, sealing, backup.
//!
//! Every state change and its act are one transaction. Who may do what is decided before, by
//! `tandem_service::decide`; what a change means is decided by `tandem_service` too. Here it is stored.

mod acts;
mod backup;
mod canonical;
mod cases;
mod control;
mod detections;
mod error;
mod own;
mod password;
mod people;
mod pipeline;
mod recovery;
mod rules;
mod runs;
mod seal;
mod second_factor;
mod secrets;
mod sessions;
mod site;
mod sources;
mod tidy;
mod tokens;

pub use acts::{Act, ActsVerified, commitment};
pub use backup::{BackupFile, BackupReport, RestoreReport, restore};
pub use canonical::canonical_json;
pub use cases::{CaseChanged, CaseCounts, CasePage, CaseQuery, CaseSort, CaseView, HistoryEntry, NewCase, Similar};
pub use control::Control;
pub use detections::{DetectionPage, DetectionQuery, StoredDetection};
pub use error::ControlError;
pub use own::SavedSearch;
pub use people::{NewUser, User, UserChange};
pub use pipeline::{Judged, Judgement};
pub use recovery::RecoveryKey;
pub use rules::{RuleHits, RuleSwitch};
pub use runs::{Run, RunGroup, RunProgress};
pub use seal::{SealError, SiteKey};
pub use second_factor::SecondFactorSetup;
pub use sessions::{Session, SignInError, SignedIn};
pub use site::SiteInfo;
pub use sources::{Activity, ParseFailure, Source, SourceChange, SourceDelta};
pub use tidy::Tidied;
pub use tokens::{IngestToken, NewToken, Token, TokenKind};
