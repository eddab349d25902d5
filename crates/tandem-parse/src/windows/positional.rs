//! Events whose data has no names, only places: cut into fields.

use crate::work::{Work, text_of};
use tandem_model::Value;

/// Cuts `Data` of the providers that are known here; then `Data` is one text, its parts on lines of their own.
pub(crate) fn positional(work: &mut Work<'_, '_>) {
    let Some(id) = super::text("EventID", work).and_then(|text| text.parse::<u32>().ok()) else { return };
    let provider = super::text("Provider_Name", work).unwrap_or_default();
    let channel = super::text("Channel", work).unwrap_or_default();
    let data_id = work.id("Data");
    let parts: Vec<String> = match work.scratch.vendor.get(data_id) {
        Some(Value::List(values)) => values.iter().map(|value| text_of(value).into_owned()).collect(),
        Some(single) => vec![text_of(single).into_owned()],
        None => Vec::new(),
    };
    if channel.eq_ignore_ascii_case("Windows PowerShell") {
        powershell(id, &parts, work);
    } else if provider.starts_with("MSSQL") && matches!(id, 33205 | 33206) {
        for part in &parts {
            audit_lines(part, work);
        }
    } else {
        for (name, part) in names(&provider, id).iter().zip(&parts) {
            if !name.is_empty() && !part.is_empty() {
                super::put_data(name, Value::text(part), work);
            }
        }
        if provider == "ESENT" {
            let path = parts.iter().find(|part| part.contains(":\\") && part.len() > 4 && !part.contains('\n'));
            if let Some(path) = path {
                work.set_named("DatabasePath", Value::text(path));
            }
        }
    }
    if parts.len() > 1 || matches!(work.scratch.vendor.get(data_id), Some(Value::List(_))) {
        work.scratch.vendor.set(data_id, Value::from(parts.join("\n")));
    }
}

/// Names of the places, as newer versions of the same event call them where they do.
fn names(provider: &str, id: u32) -> &'static [&'static str] {
    match (provider, id) {
        ("MsiInstaller", 1033 | 1034 | 1036) => {
            &["ProductName", "ProductVersion", "ProductLanguage", "ErrorCode", "Manufacturer"]
        }
        ("MsiInstaller", 1040 | 1042) => &["PackagePath", "ClientProcessId"],
        ("MsiInstaller", 11707 | 11724 | 11708) => &["ProductMessage"],
        ("Application Error", 1000) => &[
            "AppName",
            "AppVersion",
            "AppTimeStamp",
            "ModuleName",
            "ModuleVersion",
            "ModuleTimeStamp",
            "ExceptionCode",
            "FaultingOffset",
            "ProcessId",
            "ProcessCreationTime",
            "AppPath",
            "ModulePath",
            "IntegratorReportId",
        ],
        ("Windows Error Reporting", 1001) => &[
            "Bucket",
            "BucketType",
            "EventName",
            "Response",
            "CabId",
            "AppName",
            "AppVersion",
            "AppTimeStamp",
            "ModuleName",
        ],
        ("Application Hang", 1002) => &["AppName", "AppVersion", "ProcessId"],
        ("ESENT", _) => &["AppName"],
        ("Service Control Manager", 7036) => &["param1", "param2"],
        ("EventLog", 6008) => &["ShutdownTime", "ShutdownDate"],
        (provider, 15457) if provider.starts_with("MSSQL") => &["ConfigOption", "OldValue", "NewValue"],
        (provider, 18456) if provider.starts_with("MSSQL") => &["UserName", "FailureReason", "Client"],
        (provider, 18453 | 18454) if provider.starts_with("MSSQL") => &["UserName", "Client"],
        (provider, 17135 | 5084) if provider.starts_with("MSSQL") => &["ObjectName"],
        _ => &[],
    }
}

/// `\tHostApplication=…` lines of Windows PowerShell's 400, 403, 600, 800.
fn powershell(id: u32, parts: &[String], work: &mut Work<'_, '_>) {
    let from_message;
    let text = match parts.iter().find(|part| part.contains("HostApplication=") || part.contains("HostName=")) {
        Some(part) => part,
        None => {
            // Collectors that send only the message have the same lines there.
            let Some(message) = super::text("Message", work) else { return };
            from_message = message;
            if parts.is_empty() {
                work.set_named("Data", Value::text(&from_message));
            }
            &from_message
        }
    };
    let mut name = "";
    let mut value = String::new();
    for line in text.lines() {
        let line = line.trim_start_matches('\t').trim_end();
        match line.split_once('=').filter(|(key, _)| is_name(key)) {
            Some((key, rest)) => {
                put(name, &value, work);
                name = key;
                rest.clone_into(&mut value);
            }
            // A command line may go on over lines.
            None if !name.is_empty() && !line.trim().is_empty() => {
                value.push('\n');
                value.push_str(line);
            }
            None => {}
        }
    }
    put(name, &value, work);
    if id == 800
        && let Some(command) = parts.first().filter(|part| !part.contains("HostApplication="))
    {
        work.set_named("PipelineCommand", Value::text(command.trim()));
    }
}

fn is_name(key: &str) -> bool {
    const NAMES: [&str; 20] = [
        "ProviderName",
        "NewProviderState",
        "SequenceNumber",
        "HostName",
        "HostVersion",
        "HostId",
        "HostApplication",
        "EngineVersion",
        "RunspaceId",
        "PipelineId",
        "CommandName",
        "CommandType",
        "ScriptName",
        "CommandPath",
        "CommandLine",
        "NewEngineState",
        "PreviousEngineState",
        "DetailSequence",
        "DetailTotal",
        "UserId",
    ];
    NAMES.contains(&key)
}

fn put(name: &str, value: &str, work: &mut Work<'_, '_>) {
    if !name.is_empty() && !value.is_empty() {
        super::put_data(name, Value::text(value), work);
    }
}

/// `name:value` of SQL Server's audit; a statement may hold line breaks and colons.
fn audit_lines(text: &str, work: &mut Work<'_, '_>) {
    let mut name = String::new();
    let mut value = String::new();
    for line in text.lines() {
        let line = line.trim_end();
        let word = |key: &str| {
            !key.is_empty()
                && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        match line.split_once(':').filter(|(key, _)| word(key)) {
            Some((key, rest)) => {
                put(&name, &value, work);
                key.clone_into(&mut name);
                rest.clone_into(&mut value);
            }
            None if !name.is_empty() => {
                value.push('\n');
                value.push_str(line);
            }
            None => {}
        }
    }
    put(&name, value.trim_end_matches(['.', '\n']), work);
}
