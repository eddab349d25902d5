//! Cases as rows.

mod list;
mod perform;
mod read;
mod row;
mod two;

pub use list::{CaseCounts, CasePage, CaseQuery, CaseSort, CaseView};
pub use perform::NewCase;
pub(crate) use perform::{Enter, enter_history};
pub use read::{HistoryEntry, Similar};
pub(crate) use row::{from_body, load, save, save_row};

use tandem_service::CaseId;

/// A case changed and the change is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseChanged {
    /// Which.
    pub id: CaseId,
    /// Its version now.
    pub version: u64,
    /// `opened`, `joined`, or the word of the act.
    pub change: String,
}
