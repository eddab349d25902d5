//! One Linux audit record: `type=SYSCALL msg=audit(1791749655.123:456): arch=… key=value …`.

use crate::convert::unhex_text;
use crate::work::Work;
use tandem_model::Value;

/// Fields that the kernel writes in hexadecimal when they hold more than plain characters.
const ENCODED: [&str; 17] = [
    "proctitle",
    "name",
    "cwd",
    "exe",
    "comm",
    "cmd",
    "acct",
    "data",
    "key",
    "path",
    "dir",
    "old",
    "new",
    "watch",
    "vm",
    "ocomm",
    "file",
];

/// Names of the numbers that the kernel's own log has instead of types.
const TYPES: &[(&str, &str)] = &[
    ("1006", "LOGIN"),
    ("1100", "USER_AUTH"),
    ("1101", "USER_ACCT"),
    ("1103", "CRED_ACQ"),
    ("1104", "CRED_DISP"),
    ("1105", "USER_START"),
    ("1106", "USER_END"),
    ("1112", "USER_LOGIN"),
    ("1123", "USER_CMD"),
    ("1130", "SERVICE_START"),
    ("1131", "SERVICE_STOP"),
    ("1300", "SYSCALL"),
    ("1302", "PATH"),
    ("1305", "CONFIG_CHANGE"),
    ("1306", "SOCKADDR"),
    ("1307", "CWD"),
    ("1309", "EXECVE"),
    ("1320", "EOE"),
    ("1325", "NETFILTER_CFG"),
    ("1326", "SECCOMP"),
    ("1327", "PROCTITLE"),
    ("1334", "BPF"),
    ("1400", "AVC"),
];

/// Sets `type`, `node`, `audit.serial`, `_audit_time` and the record's own fields.
pub(crate) fn auditd_record(work: &mut Work<'_, '_>) -> Result<(), String> {
    let message = work.message.clone();
    let start = message.find("audit(").ok_or("there is no `audit(`")?;
    let (stamp, rest) = message[start + 6..].split_once(')').ok_or("`audit(` is not closed")?;
    let (time, serial) = stamp.split_once(':').ok_or("`audit(` holds no serial")?;
    let serial: i64 = serial.parse().map_err(|_| "the serial is no number")?;
    work.set_named("_audit_time", Value::text(time));
    work.set_named("audit.serial", Value::Long(serial));
    let head = &message[..start];
    let mut kind = String::new();
    for word in head.split_ascii_whitespace() {
        if let Some(node) = word.strip_prefix("node=") {
            work.set_named("node", Value::text(node));
        } else if let Some(text) = word.strip_prefix("type=") {
            // UNKNOWN[1334]
            let text = text.strip_prefix("UNKNOWN[").and_then(|text| text.strip_suffix(']')).unwrap_or(text);
            kind = TYPES.iter().find(|(number, _)| *number == text).map_or(text, |(_, name)| name).to_owned();
        }
    }
    work.set_named("type", Value::text(&kind));
    let rest = rest.trim_start_matches(':').trim_start();
    let (body, enriched) = rest.split_once('\u{1d}').unwrap_or((rest, ""));
    fields(body, &kind, work);
    fields(enriched, &kind, work);
    Ok(())
}

fn fields(text: &str, kind: &str, work: &mut Work<'_, '_>) {
    let mut rest = text.trim();
    // `avc:  denied  { read } for  pid=…`
    if let Some(after) = rest.strip_prefix("avc:")
        && let Some((verdict, behind)) = after.split_once('{')
        && let Some((permission, behind)) = behind.split_once('}')
    {
        work.set_named("seresult", Value::text(verdict.trim()));
        work.set_named("seperms", Value::text(permission.trim()));
        rest = behind;
    }
    while !rest.is_empty() {
        rest = rest.trim_start_matches([' ', ',']);
        let word_end = rest.find(' ').unwrap_or(rest.len());
        let Some(equals) = rest[..word_end].find('=') else {
            rest = &rest[word_end..];
            continue;
        };
        let key = rest[..equals].trim_matches(['{', '(']);
        let after = &rest[equals + 1..];
        if let Some(inner) = after.strip_prefix('"') {
            let end = inner.find('"').unwrap_or(inner.len());
            work.set_named(key, Value::text(&inner[..end]));
            rest = inner.get(end + 1..).unwrap_or("");
        } else if let Some(inner) = after.strip_prefix('\'') {
            // User records hold their fields in msg='…'.
            let end = inner.rfind('\'').unwrap_or(inner.len());
            if key == "msg" {
                fields(&inner[..end], kind, work);
            } else {
                work.set_named(key, Value::text(&inner[..end]));
            }
            rest = inner.get(end + 1..).unwrap_or("");
        } else {
            let end = value_end(key, after);
            let value = &after[..end];
            // `(none)` is a value, `pid=7)` is not.
            let value = if value.contains('(') { value } else { value.trim_end_matches([')', '}', ',']) };
            let argument = kind == "EXECVE"
                && key.strip_prefix('a').is_some_and(|number| {
                    number.starts_with(|c: char| c.is_ascii_digit()) && number.bytes().all(|byte| byte.is_ascii_digit())
                });
            let decoded = if (argument || ENCODED.contains(&key)) && is_hex(value) { unhex_text(value) } else { None };
            match decoded {
                Some(text) => work.set_named(key, Value::from(text)),
                None if value != "(null)" && !key.is_empty() => work.set_named(key, Value::text(value)),
                None => {}
            }
            rest = &after[end..];
        }
    }
}

/// Where an unquoted value ends: at a blank, but `op=adding user to group acct=…` has blanks in it.
fn value_end(key: &str, after: &str) -> usize {
    let mut end = after.find([' ', '\'']).unwrap_or(after.len());
    if key != "op" {
        return end;
    }
    while let Some(more) = after[end..].strip_prefix(' ') {
        let word = more.find([' ', '\'']).unwrap_or(more.len());
        if word == 0 || more[..word].contains('=') {
            break;
        }
        end += 1 + word;
    }
    end
}

fn is_hex(text: &str) -> bool {
    text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
}
