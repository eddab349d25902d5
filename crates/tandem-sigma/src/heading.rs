//! What a document that is no plain rule says about itself.

use crate::problem::Position;
use crate::rule::{Level, Related, Rule, Status};

/// Title, identifiers and the other descriptive parts of a correlation, a filter or an anomaly rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    /// The name that the caller gave to the text, usually a file name.
    pub source_name: String,
    /// Where the document begins in the text.
    pub position: Position,
    /// `title`
    pub title: String,
    /// `id`, usually a UUID.
    pub id: Option<String>,
    /// `name`, by which correlations refer to it.
    pub name: Option<String>,
    /// `status`
    pub status: Option<Status>,
    /// `description`
    pub description: Option<String>,
    /// `license`, an SPDX expression.
    pub license: Option<String>,
    /// `author`, as written.
    pub author: Option<String>,
    /// `references`
    pub references: Vec<String>,
    /// `date`, as written.
    pub date: Option<String>,
    /// `modified`, as written.
    pub modified: Option<String>,
    /// `falsepositives`
    pub falsepositives: Vec<String>,
    /// `level`
    pub level: Option<Level>,
    /// `tags`
    pub tags: Vec<String>,
    /// `related`
    pub related: Vec<Related>,
}

impl Heading {
    /// The document's `id`, else its `name`, else its title: what detections and snapshots call it.
    pub fn identifier(&self) -> &str {
        self.id.as_deref().or(self.name.as_deref()).unwrap_or(&self.title)
    }

    pub(crate) fn of(rule: Rule) -> Self {
        Self {
            source_name: rule.source_name,
            position: rule.position,
            title: rule.title,
            id: rule.id,
            name: rule.name,
            status: rule.status,
            description: rule.description,
            license: rule.license,
            author: rule.author,
            references: rule.references,
            date: rule.date,
            modified: rule.modified,
            falsepositives: rule.falsepositives,
            level: rule.level,
            tags: rule.tags,
            related: rule.related,
        }
    }
}
