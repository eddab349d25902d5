//! Detections as columns and back.

use crate::StoreError;
use crate::decode::{text_at, time_at};
use crate::layout::{partition_fields, text_list, timestamp};
use arrow::array::{
    Array, ArrayRef, AsArray, Date32Builder, ListBuilder, RecordBatch, StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use tandem_model::{Detection, Entities, MatchedField};

/// Columns of the files of the table `detections`, in order.
pub(crate) fn file_schema() -> SchemaRef {
    let field = |name: &str, kind: DataType| ArrowField::new(name, kind, true);
    let text = DataType::Utf8View;
    Arc::new(Schema::new(vec![
        field("id", text.clone()),
        field("kind", text.clone()),
        field("rule_id", text.clone()),
        field("rule_title", text.clone()),
        field("rule_author", text.clone()),
        field("rule_version", text.clone()),
        field("level", text.clone()),
        field("status", text.clone()),
        field("tags", text_list()),
        field("time", timestamp()),
        field("received", timestamp()),
        field("detected", timestamp()),
        field("events", text_list()),
        field("source", text.clone()),
        field("log_types", text_list()),
        field("matches", text.clone()),
        field("host", text.clone()),
        field("user", text.clone()),
        field("source_address", text.clone()),
        field("run", text),
    ]))
}

/// The columns of the files, then `day`.
pub(crate) fn table_schema() -> SchemaRef {
    let mut fields: Vec<_> = file_schema().fields().iter().cloned().collect();
    let [day, _] = partition_fields();
    fields.push(Arc::new(day));
    Arc::new(Schema::new(fields))
}

/// One batch with the table schema.
pub(crate) fn encode(detections: &[Arc<Detection>]) -> Result<RecordBatch, StoreError> {
    let texts = |of: &dyn Fn(&Detection) -> Option<String>| -> ArrayRef {
        let mut builder = StringViewBuilder::with_capacity(detections.len());
        for detection in detections {
            builder.append_option(of(detection));
        }
        Arc::new(builder.finish())
    };
    let times = |of: &dyn Fn(&Detection) -> i64| -> ArrayRef {
        let mut builder = TimestampMicrosecondBuilder::with_capacity(detections.len()).with_timezone("UTC");
        for detection in detections {
            builder.append_value(of(detection));
        }
        Arc::new(builder.finish())
    };
    let lists = |of: &dyn Fn(&Detection) -> Vec<String>| -> ArrayRef {
        let mut builder =
            ListBuilder::new(StringViewBuilder::new()).with_field(ArrowField::new("element", DataType::Utf8View, true));
        for detection in detections {
            for text in of(detection) {
                builder.values().append_value(text);
            }
            builder.append(true);
        }
        Arc::new(builder.finish())
    };
    let mut day = Date32Builder::with_capacity(detections.len());
    for detection in detections {
        day.append_value(i32::try_from(detection.received.day()).unwrap_or(0));
    }
    let arrays: Vec<ArrayRef> = vec![
        texts(&|d| Some(d.id.to_string())),
        texts(&|d| Some(d.kind.to_string())),
        texts(&|d| Some(d.rule_id.to_string())),
        texts(&|d| Some(d.rule_title.to_string())),
        texts(&|d| d.rule_author.as_ref().map(ToString::to_string)),
        texts(&|d| Some(d.rule_version.to_string())),
        texts(&|d| Some(d.level.to_string())),
        texts(&|d| Some(d.status.to_string())),
        lists(&|d| d.tags.iter().map(ToString::to_string).collect()),
        times(&|d| d.time.micros()),
        times(&|d| d.received.micros()),
        times(&|d| d.detected.micros()),
        lists(&|d| d.events.iter().map(ToString::to_string).collect()),
        texts(&|d| Some(d.source.to_string())),
        lists(&|d| d.log_types.clone()),
        texts(&|d| Some(matches_text(&d.matches))),
        texts(&|d| d.entities.host.clone()),
        texts(&|d| d.entities.user.clone()),
        texts(&|d| d.entities.source_address.clone()),
        texts(&|d| d.run.map(|run| run.to_string())),
        Arc::new(day.finish()),
    ];
    Ok(RecordBatch::try_new(table_schema(), arrays)?)
}

/// The detection at `row`; `None` when the row is not one of ours.
pub(crate) fn decode(batch: &RecordBatch, row: usize) -> Option<Detection> {
    let column = |name: &str| batch.column_by_name(name);
    let text = |name: &str| column(name).and_then(|array| text_at(array, row));
    let time = |name: &str| column(name).and_then(|array| time_at(array, row));
    let list = |name: &str| -> Vec<String> {
        column(name)
            .filter(|array| array.is_valid(row))
            .map(|array| {
                let values = array.as_list::<i32>().value(row);
                (0..values.len()).filter_map(|at| text_at(&values, at).map(str::to_owned)).collect()
            })
            .unwrap_or_default()
    };
    Some(Detection {
        id: text("id")?.parse().ok()?,
        kind: text("kind")?.parse().ok()?,
        rule_id: text("rule_id")?.into(),
        rule_title: text("rule_title").unwrap_or_default().into(),
        rule_author: text("rule_author").map(Arc::from),
        rule_version: text("rule_version").unwrap_or_default().into(),
        level: text("level")?.parse().ok()?,
        status: text("status")?.parse().ok()?,
        tags: list("tags").into_iter().map(Arc::from).collect(),
        time: time("time")?,
        received: time("received")?,
        detected: time("detected")?,
        events: list("events").iter().filter_map(|text| text.parse().ok()).collect(),
        source: text("source").unwrap_or_default().into(),
        log_types: list("log_types"),
        matches: text("matches").map(matches_from).unwrap_or_default(),
        entities: Entities {
            host: text("host").map(str::to_owned),
            user: text("user").map(str::to_owned),
            source_address: text("source_address").map(str::to_owned),
        },
        run: text("run").and_then(|text| text.parse().ok()),
    })
}

fn matches_text(matches: &[MatchedField]) -> String {
    let list = matches.iter().map(|matched| {
        json!({ "field": matched.field, "value": matched.value, "span": matched.span.map(|(from, to)| [from, to]) })
    });
    Json::Array(list.collect()).to_string()
}

fn matches_from(text: &str) -> Vec<MatchedField> {
    let Ok(Json::Array(list)) = serde_json::from_str(text) else {
        return Vec::new();
    };
    let number = |json: &Json| json.as_u64().and_then(|number| u32::try_from(number).ok());
    list.iter()
        .map(|json| MatchedField {
            field: json["field"].as_str().map(str::to_owned),
            value: json["value"].as_str().unwrap_or_default().to_owned(),
            span: number(&json["span"][0]).zip(number(&json["span"][1])),
        })
        .collect()
}
