//! Field names as small numbers: a name is looked up once, then compared and found by its number.

use std::collections::HashMap;
use std::sync::Arc;
use tandem_model::{Catalogue, FieldType, Layer, Privacy};

/// Names that the logs bring beyond those of parsers and catalogue; then the table starts over.
const DYNAMIC_MAX: usize = 20_000;

/// Number of a name in [`Names`].
pub(crate) type NameId = u32;

/// What is known of a name.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) text: Arc<str>,
    pub(crate) column: Option<(FieldType, Layer, Option<Privacy>)>,
    /// Begins with `_`: dropped at the end.
    pub(crate) working: bool,
}

impl Name {
    pub(crate) fn is_common(&self) -> bool {
        matches!(self.column, Some((_, Layer::Common, _)))
    }
}

/// All names: those of the catalogue and the parsers, then those that logs brought.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    by_text: HashMap<Arc<str>, NameId>,
    list: Vec<Name>,
    fixed: usize,
}

impl Names {
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        let mut names = Self { by_text: HashMap::new(), list: Vec::new(), fixed: 0 };
        for field in catalogue.fields() {
            names.add(field.name.clone(), Some((field.kind, field.layer, field.privacy)));
        }
        names
    }

    fn add(&mut self, text: Arc<str>, column: Option<(FieldType, Layer, Option<Privacy>)>) -> NameId {
        let id = self.list.len() as NameId;
        self.by_text.insert(text.clone(), id);
        self.list.push(Name { working: text.starts_with('_'), text, column });
        id
    }

    /// The number of `text`, given now if it has none.
    pub(crate) fn id(&mut self, text: &str) -> NameId {
        match self.by_text.get(text) {
            Some(id) => *id,
            None => self.add(Arc::from(text), None),
        }
    }

    pub(crate) fn get(&self, id: NameId) -> &Name {
        &self.list[id as usize]
    }

    /// From here on names are those of logs.
    pub(crate) fn fix(&mut self) {
        self.fixed = self.list.len();
    }

    /// Forgets the names of logs when there are too many. Call between records only: numbers change their meaning.
    pub(crate) fn trim(&mut self) {
        if self.list.len() > self.fixed + DYNAMIC_MAX {
            for name in self.list.drain(self.fixed..) {
                self.by_text.remove(&name.text);
            }
        }
    }
}
