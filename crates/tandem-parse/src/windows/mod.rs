//! Windows events in all their shapes, to the names that Windows itself uses.
//!
//! Attributes of `System` are joined by `_` (`Provider_Name`), blanks are stripped from names of event data. Where event
//! data has a name of `System` (`Channel` of a cleared log), it is kept as `EventData_Channel`.

mod json;
mod positional;
mod xml;

pub(crate) use positional::positional;

use crate::work::{Work, text_of};
use std::borrow::Cow;
use tandem_model::Value;

/// Names of `System`, which event data does not replace.
const SYSTEM_NAMES: [&str; 12] = [
    "EventID",
    "Channel",
    "Computer",
    "Provider_Name",
    "Provider_Guid",
    "Level",
    "Task",
    "Opcode",
    "Keywords",
    "EventRecordID",
    "Version",
    "_time",
];

/// One Windows event: rendered XML, or JSON of Winlogbeat, NXLog, evtx tools or flat exports.
pub(crate) fn event(work: &mut Work<'_, '_>) -> Result<(), String> {
    let message = work.message.clone();
    let text = message.trim_start();
    if text.starts_with('<') {
        xml::read(text, work)?;
    } else {
        let parsed = match work.json.take() {
            Some(parsed) => parsed,
            None => crate::step::parse_json(text)?,
        };
        json::read(&parsed, work)?;
    }
    normalise(work);
    let id = work.id("EventID");
    if work.scratch.vendor.get(id).is_none() { Err("it has no EventID".to_owned()) } else { Ok(()) }
}

/// A field of event data or user data.
fn put_data(name: &str, value: Value, work: &mut Work<'_, '_>) {
    let name: Cow<'_, str> = if name.contains(' ') { Cow::Owned(name.replace(' ', "")) } else { Cow::Borrowed(name) };
    if name.is_empty() {
        return;
    }
    let id = work.id(&name);
    if SYSTEM_NAMES.contains(&&*name) && work.scratch.vendor.get(id).is_some() {
        work.set_named(&format!("EventData_{name}"), value);
    } else {
        work.set_vendor(id, value);
    }
}

/// `EventID` as a number, keywords in hexadecimal, levels as numbers: as Windows itself has them.
fn normalise(work: &mut Work<'_, '_>) {
    let id = work.id("EventID");
    if let Some(number) = work.scratch.vendor.get(id).and_then(crate::convert::long) {
        work.scratch.vendor.set(id, Value::Long(number));
    }
    let keywords = work.id("Keywords");
    if let Some(Value::Long(number)) = work.scratch.vendor.get(keywords) {
        let text = format!("0x{number:x}");
        work.scratch.vendor.set(keywords, Value::from(text));
    }
    let level = work.id("Level");
    let number = match work.scratch.vendor.get(level) {
        Some(Value::Text(word)) => match word.to_ascii_lowercase().as_str() {
            "critical" => Some(1),
            "error" => Some(2),
            "warning" => Some(3),
            "information" | "informational" | "info" => Some(4),
            "verbose" => Some(5),
            text => text.parse().ok(),
        },
        _ => None,
    };
    if let Some(number) = number {
        work.scratch.vendor.set(level, Value::Long(number));
    }
}

/// The text of a vendor field, if it has one.
fn text(name: &str, work: &mut Work<'_, '_>) -> Option<String> {
    let id = work.id(name);
    work.scratch.vendor.get(id).map(|value| text_of(value).into_owned())
}
