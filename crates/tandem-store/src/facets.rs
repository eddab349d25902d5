//! Counts of the values of a field.

use crate::read::Cells;
use arrow::array::Array;
use std::collections::{BTreeSet, HashMap};

/// Different values that are counted; what comes later is only known to be there.
const VALUES_MAX: usize = 50_000;
/// Longest value that is told apart, bytes.
const VALUE_BYTES_MAX: usize = 512;

/// How often the values of one field occur among the events found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// The field.
    pub field: String,
    /// Most frequent first: value and how many events have it. Of a list each different element counts.
    pub values: Vec<(String, u64)>,
    /// How many different values there are; at least so many when `is_exact` is false.
    pub distinct: u64,
    /// Events without a value.
    pub missing: u64,
    /// False when there were more different values than are counted.
    pub is_exact: bool,
}

/// Counts as they grow.
#[derive(Debug, Default, Clone)]
pub(crate) struct FacetCounts {
    counts: HashMap<String, u64>,
    missing: u64,
    overflowed: bool,
}

impl FacetCounts {
    pub(crate) fn add(&mut self, cells: &Cells<'_>, rows: usize) {
        let Some(texts) = cells.texts() else {
            for row in 0..rows {
                match cells.value(row) {
                    None => self.missing += 1,
                    Some(value) => {
                        let different: BTreeSet<String> = value.each().map(ToString::to_string).collect();
                        for text in different {
                            self.count(&text, 1);
                        }
                    }
                }
            }
            return;
        };
        // Equal views are equal texts; what a dictionary gave is counted once per batch.
        let mut views: HashMap<u128, (usize, u64)> = HashMap::new();
        for row in 0..rows {
            if texts.is_null(row) {
                self.missing += 1;
            } else {
                views.entry(texts.views()[row]).or_insert((row, 0)).1 += 1;
            }
        }
        for (row, count) in views.into_values() {
            self.count(texts.value(row), count);
        }
    }

    fn count(&mut self, text: &str, by: u64) {
        let end = text.floor_char_boundary(VALUE_BYTES_MAX);
        let text = &text[..end];
        if let Some(count) = self.counts.get_mut(text) {
            *count += by;
        } else if self.counts.len() < VALUES_MAX {
            self.counts.insert(text.to_owned(), by);
        } else {
            self.overflowed = true;
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.missing += other.missing;
        self.overflowed |= other.overflowed;
        for (text, count) in other.counts {
            self.count(&text, count);
        }
    }

    pub(crate) fn finish(self, field: &str, values_max: usize) -> Facet {
        let distinct = self.counts.len() as u64;
        let mut values: Vec<_> = self.counts.into_iter().collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        values.truncate(values_max);
        Facet { field: field.to_owned(), values, distinct, missing: self.missing, is_exact: !self.overflowed }
    }
}
