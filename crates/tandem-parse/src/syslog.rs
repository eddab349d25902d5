//! Syslog headers: RFC 5424, RFC 3164 and what senders make of it (Cisco's sequence and clock, ISO times, no host).

use crate::time::{SyslogTime, Zone, find_zone, iso_prefix};
use tandem_base::Timestamp;

/// What stands before the message. Parts that the sender left out are `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Header<'t> {
    pub(crate) priority: Option<u16>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) host: Option<&'t str>,
    /// The relay that put its own header before the sender's.
    pub(crate) relay: Option<&'t str>,
    pub(crate) app: Option<&'t str>,
    pub(crate) pid: Option<&'t str>,
    pub(crate) message_id: Option<&'t str>,
    /// Structured data as written.
    pub(crate) structured: &'t str,
    pub(crate) message: &'t str,
}

impl Header<'_> {
    pub(crate) fn severity(&self) -> Option<i64> {
        self.priority.map(|priority| i64::from(priority & 7))
    }

    pub(crate) fn facility(&self) -> Option<i64> {
        self.priority.map(|priority| i64::from(priority >> 3))
    }

    /// A value of the structured data by `id.key`.
    pub(crate) fn data(&self, path: &str) -> Option<String> {
        let (id, key) = path.rsplit_once('.')?;
        let mut found = None;
        structured_data(self.structured, |element, name, value| {
            if element == id && name == key && found.is_none() {
                found = Some(value);
            }
        });
        found
    }
}

/// Calls `take` with id, name and value of each parameter; answers the length of the structured data.
pub(crate) fn structured_data<'t>(text: &'t str, mut take: impl FnMut(&'t str, &'t str, String)) -> Option<usize> {
    let mut at = 0;
    while text[at..].starts_with('[') {
        let inner = at + 1;
        let id_end = inner + text[inner..].find([' ', ']'])?;
        let id = &text[inner..id_end];
        at = id_end;
        loop {
            let rest = text[at..].trim_start_matches(' ');
            at = text.len() - rest.len();
            if rest.starts_with(']') {
                at += 1;
                break;
            }
            let equals = rest.find("=\"")?;
            let name = &rest[..equals];
            if name.len() > 256 || name.contains(['[', ']', ' ']) {
                return None;
            }
            let mut value = String::new();
            let mut escaped = false;
            let mut end = None;
            for (index, c) in rest[equals + 2..].char_indices() {
                match c {
                    '\\' if !escaped => {
                        escaped = true;
                        continue;
                    }
                    '"' if !escaped => {
                        end = Some(index);
                        break;
                    }
                    '"' | ']' | '\\' if escaped => {}
                    _ if escaped => value.push('\\'),
                    _ => {}
                }
                escaped = false;
                value.push(c);
            }
            at += equals + 2 + end? + 1;
            take(id, name, value);
        }
    }
    (at > 0).then_some(at)
}

/// The header of `text`; without one, everything is message.
pub(crate) fn parse<'t>(text: &'t str, received: Timestamp, zone: &Zone) -> Header<'t> {
    let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\0', '\n', '\r']);
    let mut header = Header { message: text, ..Header::default() };
    match text.as_bytes().first() {
        Some(b'<') => {
            let Some((digits, rest)) = text[1..].split_once('>').filter(|(digits, _)| {
                (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
            }) else {
                return header;
            };
            header.priority = digits.parse().ok().filter(|priority| *priority <= 191);
            if header.priority.is_none() {
                return header;
            }
            header.message = rest;
            if rest.starts_with(|c: char| c.is_ascii_digit()) && rfc5424(rest, &mut header).is_some() {
                return header;
            }
            rfc3164(rest.trim_start_matches(' '), received, zone, RELAYS_MAX, &mut header);
        }
        Some(byte) if byte.is_ascii_digit() || byte.is_ascii_uppercase() => {
            rfc3164(text, received, zone, RELAYS_MAX, &mut header);
        }
        _ => {}
    }
    if let Some(rest) = header.message.strip_prefix("@cee:") {
        header.message = rest.trim_start();
    }
    header
}

/// Headers that relays put before the sender's own.
const RELAYS_MAX: u8 = 3;

fn rfc5424<'t>(rest: &'t str, header: &mut Header<'t>) -> Option<()> {
    let mut parts = rest.splitn(7, ' ');
    let version = parts.next()?;
    if version.len() > 2 || !version.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let time = parts.next()?;
    if time != "-" {
        let (local, offset, length) = iso_prefix(time)?;
        if length != time.len() {
            return None;
        }
        header.time = Some(local.at(&Zone::Fixed(offset?)));
    }
    let mut part = || parts.next().map(|text| (text != "-").then_some(text));
    (header.host, header.app, header.pid, header.message_id) = (part()?, part()?, part()?, part().flatten());
    let rest = parts.next().unwrap_or("");
    let message = if let Some(message) = rest.strip_prefix('-') {
        message
    } else if let Some(length) = structured_data(rest, |_, _, _| ()) {
        header.structured = &rest[..length];
        &rest[length..]
    } else {
        rest
    };
    let message = message.strip_prefix(' ').unwrap_or(message);
    header.message = message.strip_prefix('\u{feff}').unwrap_or(message);
    if let Some(message) = header.message.strip_prefix("@cee:") {
        header.message = message.trim_start();
    }
    Some(())
}

fn rfc3164<'t>(text: &'t str, received: Timestamp, zone: &Zone, relays_left: u8, header: &mut Header<'t>) {
    let has_priority = header.priority.is_some();
    let mut rest = text;
    if has_priority {
        // Cisco IOS: `4512: *Mar  1 …`, `host1: 000123: Oct 11 …`.
        if let Some((host, after)) = rest.split_once(": ")
            && is_host(host)
            && let Some(after) = sequence(after)
        {
            header.host = Some(host);
            rest = after;
        } else if let Some(after) = sequence(rest) {
            rest = after;
        }
    }
    let unsynchronised = rest.strip_prefix(['*', '.']);
    let Some((time, length, zoned)) = time_prefix(unsynchronised.unwrap_or(rest), received, zone) else {
        header.message = rest;
        if has_priority {
            tag(rest, header);
        }
        return;
    };
    let after = &unsynchronised.unwrap_or(rest)[length..];
    let time_is_iso = rest.starts_with(|c: char| c.is_ascii_digit());
    if unsynchronised.is_none() {
        header.time = time;
    }
    // `Oct 11 22:14:15: %ASA-…`, `Oct 11 2026 22:14:15.003 CEST: %LINK-…`
    if let Some(message) = after.strip_prefix(": ") {
        header.message = message;
        return;
    }
    if let Some((name, message)) = after.trim_start().split_once(": ")
        && name.len() <= 5
        && message.starts_with('%')
        && let Some(named) = find_zone(name)
    {
        if unsynchronised.is_none() {
            header.time = zoned.and_then(|zoned| zoned.at(received, &named));
        }
        header.message = message;
        return;
    }
    let Some(after) = after.strip_prefix(' ') else {
        header.message = if has_priority { after } else { text };
        return;
    };
    let after = after.trim_start_matches(' ');
    let (token, behind) = after.split_once(' ').unwrap_or((after, ""));
    let has_blank = time_is_iso && text.as_bytes().get(10).is_none_or(|byte| *byte != b'T');
    if !has_priority && (has_blank && !is_host_and_tag(token, behind) || is_level(token)) {
        // An application's own line, not syslog: all of it is the message.
        header.message = text;
        return;
    }
    let tagged = token.ends_with(':') && !token.contains("::") || token.contains('[');
    if token.starts_with('%') || tagged || header.host.is_some() || !is_host(token) {
        header.message = after;
        if !token.starts_with('%') {
            tag(after, header);
        }
        if !has_priority && header.app.is_none() {
            header.message = text;
        }
        return;
    }
    header.host = Some(token);
    let mut behind = behind.trim_start_matches(' ');
    // Some appliances write their name twice.
    if let Some(after) = behind.strip_prefix(token).and_then(|after| after.strip_prefix(' ')) {
        behind = after.trim_start_matches(' ');
    }
    if let Some(message) = behind.strip_prefix(": ") {
        header.message = message;
        return;
    }
    if relays_left > 0 && time_prefix(behind, received, zone).is_some() {
        // The relay's header before the sender's own.
        let mut inner = Header { priority: header.priority, message: behind, ..Header::default() };
        rfc3164(behind, received, zone, relays_left - 1, &mut inner);
        if inner.host.is_some() {
            inner.relay = inner.relay.or(header.host);
            *header = inner;
            return;
        }
    }
    header.message = behind;
    tag(behind, header);
}

/// `000123: ` before a time or a Cisco message.
fn sequence(text: &str) -> Option<&str> {
    let (number, rest) = text.split_once(": ")?;
    (!number.is_empty() && number.len() <= 12 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest)
}

/// The time at the start, its length, and the syslog form without zone.
fn time_prefix(text: &str, received: Timestamp, zone: &Zone) -> Option<(Option<Timestamp>, usize, Option<SyslogTime>)> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let (local, offset, length) = iso_prefix(text)?;
        let own = offset.map(Zone::Fixed);
        return Some((Some(local.at(own.as_ref().unwrap_or(zone))), length, None));
    }
    let (time, length) = SyslogTime::prefix(text)?;
    Some((time.at(received, zone), length, Some(time)))
}

fn is_host(token: &str) -> bool {
    !token.is_empty()
        && token.len() <= 255
        && token.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '/'))
}

/// `localhost` and `sshd[3186]: text`: syslog although the time has a blank in it (macOS).
fn is_host_and_tag(token: &str, behind: &str) -> bool {
    let mut header = Header::default();
    tag(behind.trim_start_matches(' '), &mut header);
    is_host(token) && header.pid.is_some_and(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_level(token: &str) -> bool {
    matches!(
        token.trim_matches(['[', ']', ':']).to_ascii_uppercase().as_str(),
        "TRACE" | "DEBUG" | "INFO" | "NOTICE" | "WARN" | "WARNING" | "ERROR" | "ERR" | "FATAL" | "CRITICAL" | "CRIT"
    )
}

/// `sshd[811]: text`, `su: text`: takes the tag off the message.
fn tag<'t>(text: &'t str, header: &mut Header<'t>) {
    let Some(end) =
        text.find(|c: char| c.is_whitespace() || matches!(c, ':' | '[' | '"' | '=' | ',' | '{' | '|' | '<'))
    else {
        return;
    };
    let name = &text[..end];
    if name.is_empty() || name.len() > 64 || name.starts_with('%') || matches!(name, "CEF" | "LEEF" | "http" | "https")
    {
        return;
    }
    let rest = &text[end..];
    if let Some(inner) = rest.strip_prefix('[') {
        let Some((pid, after)) = inner.split_once(']') else { return };
        if pid.is_empty()
            || pid.len() > 32
            || !pid.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '/' | '#'))
        {
            return;
        }
        let Some(message) = after.strip_prefix(':').or_else(|| after.strip_prefix(' ')) else {
            if after.is_empty() {
                (header.app, header.pid, header.message) = (Some(name), Some(pid), after);
            }
            return;
        };
        (header.app, header.pid, header.message) = (Some(name), Some(pid), message.trim_start_matches(' '));
    } else if let Some(after) = rest.strip_prefix(':')
        && (after.is_empty() || after.starts_with([' ', '\t']))
    {
        (header.app, header.message) = (Some(name), after.trim_start_matches([' ', '\t']));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let header = parse(text, "2026-10-11T22:20:00Z".parse().unwrap(), &Zone::Fixed(7200));
        let or = |part: Option<&str>| part.unwrap_or("-").to_owned();
        format!(
            "{} {} host={} relay={} app={} pid={} id={} | {}",
            header.priority.map_or_else(|| "-".to_owned(), |priority| priority.to_string()),
            header.time.map_or_else(|| "-".to_owned(), |time| time.to_string()),
            or(header.host),
            or(header.relay),
            or(header.app),
            or(header.pid),
            or(header.message_id),
            header.message
        )
    }

    #[test]
    fn headers_as_senders_write_them() {
        for (text, answer) in [
            (
                "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
                "34 2026-10-11T20:14:15Z host=mymachine relay=- app=su pid=- id=- | 'su root' failed",
            ),
            (
                "<165>1 2026-10-11T22:14:15.003Z host.example evntslog - ID47 [ex@32473 iut=\"3\" q=\"a \\\"b\\] c\"] \u{feff}message",
                "165 2026-10-11T22:14:15.003Z host=host.example relay=- app=evntslog pid=- id=ID47 | message",
            ),
            (
                "<13>2026-10-11T22:14:15.123456+02:00 web1 nginx[812]: text",
                "13 2026-10-11T20:14:15.123456Z host=web1 relay=- app=nginx pid=812 id=- | text",
            ),
            (
                "Oct 11 22:14:15 host sshd[811]: text",
                "- 2026-10-11T20:14:15Z host=host relay=- app=sshd pid=811 id=- | text",
            ),
            (
                "<189>4512: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: text",
                "189 - host=- relay=- app=- pid=- id=- | %SYS-5-CONFIG_I: text",
            ),
            (
                "<189>host1: 000123: Oct 11 2026 22:14:15.003 CEST: %LINK-3-UPDOWN: text",
                "189 2026-10-11T20:14:15.003Z host=host1 relay=- app=- pid=- id=- | %LINK-3-UPDOWN: text",
            ),
            (
                "<166>Oct 11 2026 22:14:15 fw1 : %ASA-6-302013: Built",
                "166 2026-10-11T20:14:15Z host=fw1 relay=- app=- pid=- id=- | %ASA-6-302013: Built",
            ),
            ("<166>%ASA-6-302013: Built", "166 - host=- relay=- app=- pid=- id=- | %ASA-6-302013: Built"),
            (
                "<189>date=2026-10-11 time=22:14:15 devname=\"FGT1\"",
                "189 - host=- relay=- app=- pid=- id=- | date=2026-10-11 time=22:14:15 devname=\"FGT1\"",
            ),
            (
                "<14>Oct 11 22:14:15 pa1 1,2026/10/11 22:14:15,0123,TRAFFIC",
                "14 2026-10-11T20:14:15Z host=pa1 relay=- app=- pid=- id=- | 1,2026/10/11 22:14:15,0123,TRAFFIC",
            ),
            (
                "<134>Oct 11 22:14:15 filterlog[4112]: 5,,,1",
                "134 2026-10-11T20:14:15Z host=- relay=- app=filterlog pid=4112 id=- | 5,,,1",
            ),
            (
                "<38>1 2026-10-11T22:14:15+02:00 opn.example filterlog 4112 - [meta sequenceId=\"1\"] 5,,,",
                "38 2026-10-11T20:14:15Z host=opn.example relay=- app=filterlog pid=4112 id=- | 5,,,",
            ),
            (
                "<30>device_name=\"SFW\" timestamp=\"2026-10-11T22:14:15+0200\"",
                "30 - host=- relay=- app=- pid=- id=- | device_name=\"SFW\" timestamp=\"2026-10-11T22:14:15+0200\"",
            ),
            (
                "<166>2026-10-11T20:14:15.123Z esx1.example Hostd: info hostd[2099] [Originator@6876 sub=Vimsvc] x",
                "166 2026-10-11T20:14:15.123Z host=esx1.example relay=- app=Hostd pid=- id=- | info hostd[2099] [Originator@6876 sub=Vimsvc] x",
            ),
            (
                "<14>Oct 11 22:14:15 nas1 WinFileService Event: delete, Path: /share/x",
                "14 2026-10-11T20:14:15Z host=nas1 relay=- app=- pid=- id=- | WinFileService Event: delete, Path: /share/x",
            ),
            (
                "<14>Oct 11 22:14:15 WIN1 MSWinEventLog\t1\tSecurity",
                "14 2026-10-11T20:14:15Z host=WIN1 relay=- app=- pid=- id=- | MSWinEventLog\t1\tSecurity",
            ),
            (
                "<134>Oct 11 22:14:15 host CEF:0|Vendor|Product|1.0|100|name|5|src=10.0.0.1",
                "134 2026-10-11T20:14:15Z host=host relay=- app=- pid=- id=- | CEF:0|Vendor|Product|1.0|100|name|5|src=10.0.0.1",
            ),
            (
                "<13>Oct 11 22:14:15 relay Oct 11 22:14:14 origin app: text",
                "13 2026-10-11T20:14:14Z host=origin relay=relay app=app pid=- id=- | text",
            ),
            (
                "2026-10-11 22:14:15 ERROR module: x",
                "- 2026-10-11T20:14:15Z host=- relay=- app=- pid=- id=- | 2026-10-11 22:14:15 ERROR module: x",
            ),
            ("<999>x: y", "- - host=- relay=- app=- pid=- id=- | <999>x: y"),
            (
                "<13>Oct 11 22:14:15 web1 app: @cee: {\"a\":1}\n\0",
                "13 2026-10-11T20:14:15Z host=web1 relay=- app=app pid=- id=- | {\"a\":1}",
            ),
            ("just words", "- - host=- relay=- app=- pid=- id=- | just words"),
            ("<5>", "5 - host=- relay=- app=- pid=- id=- | "),
        ] {
            assert_eq!(show(text), answer, "{text}");
        }
    }

    #[test]
    fn structured_data_by_id_and_key() {
        let header = parse(
            "<165>1 - - - - - [ex@32473 iut=\"3\" q=\"a \\\"b\\] c\"][two x=\"\"] m",
            Timestamp::from_seconds(0),
            &Zone::Fixed(0),
        );
        assert_eq!(header.data("ex@32473.q").as_deref(), Some("a \"b] c"));
        assert_eq!(header.data("two.x").as_deref(), Some(""));
        assert_eq!(header.data("two.y"), None);
        assert_eq!(header.message, "m");
    }
}
