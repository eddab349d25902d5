//! What a joined group tells besides the execution of a program: a file that was made, a connection that was opened.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tandem_model::{Event, Fields, LogType, TypedAs, Value};

/// Turns the group's SYSCALL event into one of `linux/file_event` or `linux/network_connection`.
/// The caller sets ids, raw text and times.
pub(super) fn shape(members: &[Event]) -> Option<Event> {
    let of = |kind: &'static str| members.iter().filter(move |event| event.vendor.text("type") == Some(kind));
    let syscall = of("SYSCALL").next()?;
    if text(syscall, "success").is_some_and(|word| word == "no")
        && text(syscall, "exit").is_none_or(|code| code != "-115")
    {
        return None;
    }
    let mut aliases = Fields::new();
    for (name, from) in [("Image", "exe"), ("ProcessId", "pid"), ("LogonId", "auid")] {
        if let Some(value) = text(syscall, from) {
            aliases.set(name, Value::from(value));
        }
    }
    if let Some(user) = text(syscall, "UID").or_else(|| text(syscall, "uid")) {
        aliases.set("User", Value::from(user));
    }
    let mut event = syscall.clone();
    let name = text(syscall, "SYSCALL").or_else(|| text(syscall, "syscall")).unwrap_or_default();
    // connect is 42 on x86_64, 203 on aarch64, 362 on i386.
    if matches!(name.as_str(), "connect" | "42" | "203" | "362") {
        let (address, port) = of("SOCKADDR").find_map(remote)?;
        aliases.set("DestinationIp", Value::from(address.to_string()));
        aliases.set("DestinationPort", Value::from(port.to_string()));
        aliases.set("Initiated", Value::text("true"));
        event.common.set("destination.ip", address.to_string());
        event.common.set("destination.address", address.to_string());
        event.common.set("destination.port", i64::from(port));
        event.common.set("event.action", "connected");
        event.common.set("event.category", Value::List(vec!["network".into()]));
        event.common.set("event.type", Value::List(vec!["connection".into(), "start".into()]));
        event.typed = vec![TypedAs { log_type: LogType::new("linux", "network_connection", ""), aliases }];
        return Some(event);
    }
    let created = of("PATH").find(|path| path.vendor.text("nametype") == Some("CREATE"))?;
    let name = text(created, "name")?;
    let path = if name.starts_with('/') {
        name
    } else {
        let folder = of("CWD").next().and_then(|cwd| text(cwd, "cwd")).unwrap_or_default();
        format!("{}/{}", folder.trim_end_matches('/'), name.trim_start_matches("./"))
    };
    aliases.set("TargetFilename", Value::text(&path));
    event.common.set("file.name", path.rsplit('/').next().unwrap_or(&path).to_owned());
    event.common.set("file.path", path);
    event.common.set("event.action", "file_created");
    event.common.set("event.category", Value::List(vec!["file".into()]));
    event.common.set("event.type", Value::List(vec!["creation".into()]));
    event.typed = vec![TypedAs { log_type: LogType::new("linux", "file_event", ""), aliases }];
    Some(event)
}

fn text(event: &Event, name: &str) -> Option<String> {
    event.vendor.get(name).map(ToString::to_string).filter(|text| !text.is_empty() && text != "?")
}

/// Address and port of a SOCKADDR record: enriched, else out of the hexadecimal structure.
fn remote(event: &Event) -> Option<(IpAddr, u16)> {
    if let Some(address) = text(event, "laddr").and_then(|text| text.parse().ok()) {
        return Some((address, text(event, "lport")?.parse().ok()?));
    }
    let hex = text(event, "saddr")?;
    let bytes: Vec<u8> =
        (0..hex.len() / 2).map_while(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    // The family is in the machine's own order, little-endian wherever Linux is common; port and address in the network's.
    let port = u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]);
    match bytes.first()? {
        2 => Some((Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?).into(), port)),
        10 => Some((Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?).to_canonical(), port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_address_is_read_out_of_its_bytes() {
        let read = |saddr: &str| {
            let mut event = crate::join::tests_event("SOCKADDR");
            event.vendor.set("saddr", saddr);
            remote(&event).map(|(address, port)| format!("{address} {port}"))
        };
        assert_eq!(read("02000050C633644D0000000000000000").as_deref(), Some("198.51.100.77 80"));
        assert_eq!(
            read("0A0001BB0000000020010DB800000000000000000000007700000000").as_deref(),
            Some("2001:db8::77 443")
        );
        assert_eq!(read("0100"), None);
        assert_eq!(read("020000"), None);
        assert_eq!(read("xx"), None);
    }
}
