//! `tandem search`.

use super::talk::{Talk, told, with_site};
use crate::arguments::{Format, SearchArguments};
use crate::output;
use anyhow::{Result, bail};
use serde_json::{Map, Value as Json, json};
use std::time::Duration;
use tandem_api::{Client, EventRow, SearchPart, SearchRequest};
use tandem_base::{Clock, SystemClock, Timestamp};

pub(crate) fn run(arguments: &SearchArguments) -> Result<u8> {
    let format = arguments.format.unwrap_or(if output::is_terminal() { Format::Table } else { Format::Json });
    let from = arguments.from.as_deref().map(instant).transpose()?;
    let to = arguments.to.as_deref().map(instant).transpose()?;
    let request = SearchRequest {
        query: arguments.query.clone(),
        // On the command line everything is searched unless a range is given: imports may be years old.
        from: Some(from.unwrap_or(Timestamp::from_micros(0)).to_string()),
        to: Some(to.unwrap_or(SystemClock.now() + Duration::from_hours(366 * 24)).to_string()),
        limit: Some(arguments.limit),
        cursor: None,
        histogram: None,
        facets: Vec::new(),
        columns: Vec::new(),
        order: None,
    };
    with_site(&arguments.data.data, Search { request, format })?;
    Ok(0)
}

/// RFC 3339, or a span before now such as `24h`.
fn instant(text: &str) -> Result<Timestamp> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 0,
    };
    match number.parse::<u64>() {
        Ok(count) if seconds > 0 => Ok(SystemClock.now() - Duration::from_secs(count.saturating_mul(seconds))),
        _ => bail!("`{text}` is neither a time such as 2026-10-11T22:14:15Z nor a span such as 15m, 24h or 7d"),
    }
}

struct Search {
    request: SearchRequest,
    format: Format,
}

impl Talk for Search {
    type Answer = ();

    async fn talk(self, client: Client) -> Result<()> {
        let mut failed = None;
        let format = self.format;
        client
            .post_lines("/search", &self.request, |part: SearchPart| {
                match part {
                    SearchPart::Rows { rows } => rows.iter().for_each(|row| print_row(row, format)),
                    SearchPart::Table { columns, rows } => print_table(&columns, &rows, format),
                    SearchPart::Done { total, limited, because, duration_ms, .. } => {
                        let more =
                            because.filter(|_| limited).map(|because| format!("; {because}")).unwrap_or_default();
                        output::note(&format!("{total} events match, {duration_ms} ms{more}"));
                    }
                    SearchPart::Error { problem } => failed = Some(problem),
                    SearchPart::Progress { .. } | SearchPart::Histogram { .. } | SearchPart::Facets { .. } => {}
                }
                true
            })
            .await
            .map_err(told)?;
        match failed {
            Some(problem) => Err(told(tandem_api::ClientError::Refused(Box::new(problem)))),
            None => Ok(()),
        }
    }
}

fn print_row(row: &EventRow, format: Format) {
    match format {
        Format::Json => {
            let mut flat = Map::new();
            for (name, value) in [
                ("id", json!(row.id)),
                ("time", json!(row.time)),
                ("received", json!(row.received)),
                ("source", json!(row.source)),
                ("parser", json!(row.parser)),
                ("log_types", json!(row.log_types)),
                ("raw", json!(row.raw)),
            ] {
                flat.insert(name.to_owned(), value);
            }
            for (name, value) in &row.fields {
                flat.entry(name.clone()).or_insert_with(|| value.clone());
            }
            output::line(&Json::Object(flat).to_string());
        }
        Format::Table => {
            let raw: String = row.raw.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
            output::line(&format!("{}  {:24}  {raw}", row.time, row.log_types.first().map_or("", String::as_str)));
        }
    }
}

/// A result of columns and rows: JSON objects a line, or aligned columns.
pub(crate) fn print_table(columns: &[String], rows: &[Vec<Json>], format: Format) {
    if format == Format::Json {
        for row in rows {
            let object: Map<String, Json> = columns.iter().cloned().zip(row.iter().cloned()).collect();
            output::line(&Json::Object(object).to_string());
        }
        return;
    }
    let text = |value: &Json| match value {
        Json::String(text) => text.clone(),
        Json::Null => "–".to_owned(),
        other => other.to_string(),
    };
    let cells: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(text).collect()).collect();
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, name)| {
            cells
                .iter()
                .filter_map(|row| row.get(at))
                .map(|cell| cell.chars().count())
                .chain([name.chars().count()])
                .max()
                .unwrap_or(0)
                .min(60)
        })
        .collect();
    let line = |row: &[String]| {
        let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        output::line(padded.join("  ").trim_end());
    };
    line(columns);
    for row in &cells {
        line(row);
    }
}
