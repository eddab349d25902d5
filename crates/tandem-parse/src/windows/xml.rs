//! Rendered XML (`<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>`).

use super::put_data;
use crate::step::{Element, parse_xml};
use crate::work::Work;
use tandem_model::Value;

pub(super) fn read(text: &str, work: &mut Work<'_, '_>) -> Result<(), String> {
    let root = parse_xml(text)?;
    let event = if root.name == "Event" { &root } else { root.child("Event").ok_or("there is no element `Event`")? };
    let system = event.child("System").ok_or("there is no element `System`")?;
    for part in &system.children {
        if !part.text.is_empty() {
            work.set_named(&part.name, Value::text(&part.text));
        }
        for (key, value) in &part.attributes {
            if !value.is_empty() {
                work.set_named(&format!("{}_{key}", part.name), Value::text(value));
            }
        }
    }
    if let Some(time) = super::text("TimeCreated_SystemTime", work) {
        work.set_named("_time", Value::from(time));
    }
    if let Some(data) = event.child("EventData") {
        event_data(data, work);
    }
    if let Some(data) = event.child("UserData") {
        data.children.iter().for_each(|child| user_data(child, work));
    }
    if let Some(message) = event.child("RenderingInfo").and_then(|info| info.child("Message")) {
        work.set_named("Message", Value::text(&message.text));
    }
    Ok(())
}

fn event_data(data: &Element, work: &mut Work<'_, '_>) {
    let mut unnamed = Vec::new();
    for part in &data.children {
        match (part.name.as_str(), part.attribute("Name")) {
            ("Data", None) => unnamed.push(Value::text(&part.text)),
            ("Binary", _) if part.text.is_empty() => {}
            (name, given) => {
                put_data(given.filter(|_| name.ends_with("Data")).unwrap_or(name), Value::text(&part.text), work);
            }
        }
    }
    if !unnamed.is_empty() {
        work.set_named("Data", Value::List(unnamed));
    }
}

fn user_data(part: &Element, work: &mut Work<'_, '_>) {
    for (key, value) in &part.attributes {
        if key != "xmlns" && !value.is_empty() && !value.starts_with("http://") {
            put_data(&format!("{}_{key}", part.name), Value::text(value), work);
        }
    }
    if part.children.is_empty() {
        put_data(&part.name, Value::text(&part.text), work);
    }
    part.children.iter().for_each(|child| user_data(child, work));
}
