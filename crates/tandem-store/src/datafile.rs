//! One sealed Parquet file, as the Delta log knows it.

use crate::layout::{DAY, FAMILY, RECEIVED, TIME};
use deltalake_core::kernel::Add;
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::sync::Arc;
use tandem_base::{MICROS_PER_DAY, Timestamp};

/// What is known of a file without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    /// Path from the table's folder, not percent-encoded.
    pub(crate) path: String,
    pub(crate) size_bytes: u64,
    pub(crate) rows: u64,
    /// UTC day of receipt, days since 1970.
    pub(crate) day: i32,
    /// Absent in the table `detections`.
    pub(crate) family: Option<Arc<str>>,
    /// Least and greatest event time, µs.
    pub(crate) time: (i64, i64),
    /// Least and greatest receive time, µs.
    pub(crate) received: (i64, i64),
    /// Epoch, least and greatest offset of the records of its events, when all have one epoch.
    pub(crate) records: Option<(u64, u64, u64)>,
    /// The catalogue version that it was written with.
    pub(crate) catalogue: u32,
    /// Size of its index file; `None`: it has none.
    pub(crate) index_bytes: Option<u64>,
    pub(crate) written_ms: i64,
}

const RECORDS_TAG: &str = "tandem.records";
const TIME_TAG: &str = "tandem.time";
const RECEIVED_TAG: &str = "tandem.received";
const CATALOGUE_TAG: &str = "tandem.catalogue_version";
const INDEX_TAG: &str = "tandem.index_bytes";

impl DataFile {
    /// Path of the index from the table's folder: under `_tandem/`, where vacuum of other engines does not look.
    pub(crate) fn index_path(&self) -> String {
        index_path(&self.path)
    }

    pub(crate) fn partition_values(&self) -> HashMap<String, Option<String>> {
        let mut values = HashMap::from([(DAY.to_owned(), Some(day_text(self.day)))]);
        if let Some(family) = &self.family {
            values.insert(FAMILY.to_owned(), Some(family.to_string()));
        }
        values
    }

    pub(crate) fn to_add(&self, data_change: bool) -> Add {
        let instant = |micros: i64| Timestamp::from_micros(micros).to_string();
        let stats = json!({
            "numRecords": self.rows,
            "minValues": { TIME: instant(self.time.0), RECEIVED: instant(self.received.0) },
            "maxValues": { TIME: instant(self.time.1), RECEIVED: instant(self.received.1) },
            "nullCount": { TIME: 0, RECEIVED: 0 },
        });
        let mut tags = HashMap::from([
            (TIME_TAG.to_owned(), Some(format!("{} {}", self.time.0, self.time.1))),
            (RECEIVED_TAG.to_owned(), Some(format!("{} {}", self.received.0, self.received.1))),
            (CATALOGUE_TAG.to_owned(), Some(self.catalogue.to_string())),
        ]);
        if let Some((epoch, low, high)) = self.records {
            tags.insert(RECORDS_TAG.to_owned(), Some(format!("{epoch} {low} {high}")));
        }
        if let Some(bytes) = self.index_bytes {
            tags.insert(INDEX_TAG.to_owned(), Some(bytes.to_string()));
        }
        Add {
            path: self.path.clone(),
            partition_values: self.partition_values(),
            size: self.size_bytes.cast_signed(),
            modification_time: self.written_ms,
            data_change,
            stats: Some(stats.to_string()),
            tags: Some(tags),
            ..Add::default()
        }
    }

    /// What an Add says. A file of another writer has no tags: then its ranges come from its statistics,
    /// or are open, and it is read whole.
    pub(crate) fn from_add(add: &Add) -> Self {
        let tag = |name: &str| add.tags.as_ref().and_then(|tags| tags.get(name)).and_then(Option::as_deref);
        let numbers = |text: &str| text.split(' ').map(str::parse::<u64>).collect::<Result<Vec<_>, _>>().ok();
        let pair = |name: &str| {
            let (low, high) = tag(name)?.split_once(' ')?;
            Some((low.parse().ok()?, high.parse().ok()?))
        };
        let stats: Json = add.stats.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let range = |name: &str, column: &str| {
            pair(name).unwrap_or_else(|| {
                let bound = |key: &str| stats[key][column].as_str()?.parse::<Timestamp>().ok();
                // Delta allows statistics of timestamps to be cut to milliseconds.
                (
                    bound("minValues").map_or(i64::MIN, Timestamp::micros),
                    bound("maxValues").map_or(i64::MAX, |high| high.micros().saturating_add(999)),
                )
            })
        };
        let value = |name: &str| add.partition_values.get(name).and_then(Option::as_deref);
        let day = value(DAY)
            .and_then(|text| format!("{text}T00:00:00Z").parse::<Timestamp>().ok())
            .map_or(0, |instant| i32::try_from(instant.micros().div_euclid(MICROS_PER_DAY)).unwrap_or(0));
        Self {
            path: add.path.clone(),
            size_bytes: u64::try_from(add.size).unwrap_or(0),
            rows: stats["numRecords"].as_u64().unwrap_or(0),
            day,
            family: value(FAMILY).map(Arc::from),
            time: range(TIME_TAG, TIME),
            received: range(RECEIVED_TAG, RECEIVED),
            records: tag(RECORDS_TAG).and_then(numbers).and_then(|numbers| match numbers[..] {
                [epoch, low, high] => Some((epoch, low, high)),
                _ => None,
            }),
            catalogue: tag(CATALOGUE_TAG).and_then(|text| text.parse().ok()).unwrap_or(0),
            index_bytes: tag(INDEX_TAG).and_then(|text| text.parse().ok()),
            written_ms: add.modification_time,
        }
    }
}

/// Path of the index of the data file at `path`.
pub(crate) fn index_path(path: &str) -> String {
    let stem = path.strip_suffix(".parquet").unwrap_or(path);
    format!("_tandem/{stem}.index")
}

/// A day as `YYYY-MM-DD`.
pub(crate) fn day_text(day: i32) -> String {
    Timestamp::from_micros(i64::from(day).saturating_mul(MICROS_PER_DAY)).date_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn add_and_back() {
        let file = DataFile {
            path: "day=2026-10-11/family=windows/x.parquet".to_owned(),
            size_bytes: 10,
            rows: 3,
            day: 20_737,
            family: Some("windows".into()),
            time: (1_791_756_855_000_001, 1_791_756_856_000_000),
            received: (5, 6),
            records: Some((u64::MAX, 7, 9)),
            catalogue: 4,
            index_bytes: Some(77),
            written_ms: 12,
        };
        let add = file.to_add(true);
        assert_eq!(add.partition_values["day"].as_deref(), Some("2026-10-11"));
        assert_eq!(DataFile::from_add(&add), file);
        let foreign = DataFile::from_add(&Add { tags: None, ..add });
        assert_eq!(foreign.time, (1_791_756_855_000_001, 1_791_756_856_000_999));
        assert_eq!(foreign.records, None);
        assert_eq!(file.index_path(), "_tandem/day=2026-10-11/family=windows/x.index");
    }
}
