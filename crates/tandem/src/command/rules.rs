//! `tandem rules check` and `install`.

use crate::arguments::{Format, RulesCommand};
use crate::output;
use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tandem_content::{Content, load_rules};
use tandem_detect::Rules;

/// One row of `rules check`.
#[derive(Serialize)]
struct Row {
    file: String,
    rule_id: Option<String>,
    /// `ok`, `needs values`, `error`.
    status: &'static str,
    reason: Option<String>,
    line: Option<usize>,
}

pub(crate) fn run(command: RulesCommand) -> Result<u8> {
    match command {
        RulesCommand::Check { paths, format } => check(&paths, format.unwrap_or(Format::Table)),
        RulesCommand::Install { data, path } => install(&data.data, &path),
    }
}

fn check(paths: &[PathBuf], format: Format) -> Result<u8> {
    let mut content = Content::built_in()?;
    content.rules.clear();
    let mut unreadable = Vec::new();
    for path in paths {
        content.add_rules(path, &mut unreadable);
    }
    if content.rules.is_empty() && unreadable.is_empty() {
        return Err(anyhow::anyhow!("there are no rule files (.yml, .yaml) in {}", paths[0].display())
            .context(output::Hint("name a Sigma rule or the folder that holds them".to_owned())));
    }
    let rules = load_rules(&content.rules);
    let mut rows = rows(&rules);
    rows.extend(unreadable.into_iter().map(|problem| Row {
        file: problem.path.display().to_string(),
        rule_id: None,
        status: "error",
        reason: Some(problem.reason),
        line: None,
    }));
    rows.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let count = |status: &str| rows.iter().filter(|row| row.status == status).count();
    let (ok, waiting, errors) = (count("ok"), count("needs values"), count("error"));
    match format {
        Format::Json => output::line(&serde_json::to_string_pretty(&rows)?),
        Format::Table => {
            for row in rows.iter().filter(|row| row.status != "ok") {
                let line = row.line.map(|line| format!(":{line}")).unwrap_or_default();
                output::line(&format!("{}{line}: {}: {}", row.file, row.status, row.reason.as_deref().unwrap_or("")));
            }
            output::note(&format!("{} rules: {ok} ok, {waiting} need values, {errors} with errors", rows.len()));
        }
    }
    Ok(u8::from(errors > 0))
}

/// A row a rule; a file whose rule could not be read has one row with everything that is wrong.
fn rows(rules: &Rules) -> Vec<Row> {
    let mut rows: Vec<Row> = rules
        .rules
        .iter()
        .map(|rule| {
            let missing = rule.needs_values();
            Row {
                file: rule.rule.source_name.clone(),
                rule_id: rule.rule.id.clone(),
                status: if missing.is_some() { "needs values" } else { "ok" },
                reason: missing.map(|names| format!("placeholders without values: {}", names.join(", "))),
                line: Some(rule.rule.position.line),
            }
        })
        .collect();
    let mut failed: BTreeMap<&str, Row> = BTreeMap::new();
    for problem in rules.problems.iter().filter(|problem| problem.fatal) {
        let row = failed.entry(&problem.file).or_insert_with(|| Row {
            file: problem.file.clone(),
            rule_id: problem.rule_id.clone(),
            status: "error",
            reason: None,
            line: Some(problem.line),
        });
        row.reason = Some(match row.reason.take() {
            None => problem.reason.clone(),
            Some(earlier) => format!("{earlier}; line {}: {}", problem.line, problem.reason),
        });
    }
    rows.extend(failed.into_values());
    rows
}

fn install(data: &Path, path: &Path) -> Result<u8> {
    if !data.join("tandem.toml").exists() {
        return Err(anyhow::anyhow!("{} is not a site's folder", data.display())
            .context(output::Hint(format!("make one with `tandem site init --data {}`", data.display()))));
    }
    let installed = tandem_content::install_rules(path, &data.join("content/rules"))?;
    for problem in &installed.problems {
        output::note(&format!("warning: {} was left out: {}", problem.path.display(), problem.reason));
    }
    match &installed.licence {
        Some(text) => {
            output::line("These rules come under this licence:\n");
            output::line(text.trim_end());
        }
        None => output::line("These rules come without a licence file: ask their author before you pass them on."),
    }
    let rules = load_rules(&tandem_content::read_texts(
        &installed.folder,
        |name| Path::new(name).extension().is_some_and(|end| end == "yml" || end == "yaml"),
        &mut Vec::new(),
    ));
    let waiting = rules.rules.iter().filter(|rule| rule.needs_values().is_some()).count();
    let errors = rows(&rules).iter().filter(|row| row.status == "error").count();
    output::line(&format!(
        "\n{} files in {}: {} rules ready, {waiting} need values, {errors} with errors (see `tandem rules check {}`)",
        installed.files,
        installed.folder.display(),
        rules.rules.len() - waiting,
        installed.folder.display(),
    ));
    output::line("A running site takes them up at `systemctl reload tandem` (SIGHUP) or at its next start.");
    Ok(0)
}
