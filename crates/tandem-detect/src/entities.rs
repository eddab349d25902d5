//! Whom an event concerns.

use tandem_model::{Entities, Event, Value};

/// Host, user and source address by their common names. A user is qualified by the domain where it is known,
/// so that `CORP\admin` and `WEB1\admin` stay two.
pub fn entities_of(event: &Event) -> Entities {
    let text = |name: &str| {
        let value = event.common.get(name)?;
        let single = value.each().next()?;
        let text = match single {
            Value::Text(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        (!text.is_empty() && text != "-").then_some(text)
    };
    let user = text("user.name").map(|name| match text("user.domain") {
        Some(domain) if !name.contains('\\') && !name.contains('@') => format!("{domain}\\{name}"),
        _ => name,
    });
    Entities { host: text("host.name"), user, source_address: text("source.ip") }
}
