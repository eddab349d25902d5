//! `tandem sql`.

use super::search::print_table;
use super::talk::{Talk, told, with_site};
use crate::arguments::{Format, SqlArguments};
use crate::output;
use anyhow::Result;
use serde_json::Value as Json;
use tandem_api::{Client, ClientError, SqlRequest};

pub(crate) fn run(arguments: &SqlArguments) -> Result<u8> {
    let format = arguments.format.unwrap_or(if output::is_terminal() { Format::Table } else { Format::Json });
    let request = SqlRequest { sql: arguments.sql.clone(), limit: Some(arguments.limit) };
    with_site(&arguments.data.data, Sql { request, format })?;
    Ok(0)
}

struct Sql {
    request: SqlRequest,
    format: Format,
}

impl Talk for Sql {
    type Answer = ();

    async fn talk(self, client: Client) -> Result<()> {
        let mut columns: Vec<String> = Vec::new();
        let mut kept: Vec<Vec<Json>> = Vec::new();
        let mut failed = None;
        let format = self.format;
        client
            .post_lines("/sql", &self.request, |part: Json| {
                if let Some(names) = part.get("columns").and_then(Json::as_array) {
                    columns = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
                } else if let Some(row) = part.get("row").and_then(Json::as_array) {
                    // JSON goes out as it comes; a table needs the widths of all rows.
                    if format == Format::Json {
                        print_table(&columns, std::slice::from_ref(row), format);
                    } else {
                        kept.push(row.clone());
                    }
                } else if let Some(problem) = part.get("problem").or_else(|| part.get("error")) {
                    failed = serde_json::from_value(problem.clone()).ok();
                } else if let Some(because) = part.get("because").and_then(Json::as_str) {
                    output::note(because);
                }
                true
            })
            .await
            .map_err(told)?;
        if let Some(problem) = failed {
            return Err(told(ClientError::Refused(Box::new(problem))));
        }
        if format == Format::Table {
            print_table(&columns, &kept, format);
        }
        Ok(())
    }
}
