//! `call`: steps that are written in Rust, by name.

use crate::compile::Compiler;
use crate::convert;
use crate::source::{Plain, Source};
use crate::work::{Target, Work, text_of};
use crate::yaml::{Data, Node};
use tandem_model::Value;

/// A named step with its options.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    WindowsEvent,
    WindowsPositional,
    Auditd,
    Url(Option<Source>, [Target; 7]),
    Account(Source, [Target; 2]),
}

const NAMES: [&str; 5] = ["windows_event", "windows_positional", "auditd", "url", "account"];

impl Call {
    pub(crate) fn compile(node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        let name = match &node.data {
            Data::Map(_) => {
                node.refuse_unknown("call", &["name", "from", "to"], compiler.problems);
                node.get("name").map(|name| name.text("name", compiler.problems)).unwrap_or_default()
            }
            _ => node.text("call", compiler.problems),
        };
        let from = node.get("from").and_then(|from| Source::compile(from, Plain::Field, compiler));
        let to = node.get("to").map(|to| to.text("to", compiler.problems));
        if !matches!(name.as_str(), "url" | "account") && (from.is_some() || to.is_some()) {
            compiler.problems.shape(node.line, format!("`{name}` takes no options"));
        }
        let mut target = |base: &str, part: &str| {
            Target::compile(&format!("{base}.{part}"), node.line, compiler.names, compiler.problems)
        };
        Some(match name.as_str() {
            "windows_event" => Self::WindowsEvent,
            "windows_positional" => Self::WindowsPositional,
            "auditd" => Self::Auditd,
            "url" => {
                let base = to.as_deref().unwrap_or("url");
                let parts = ["scheme", "username", "domain", "port", "path", "query", "fragment"];
                Self::Url(from, parts.map(|part| target(base, part)))
            }
            "account" => {
                let base = to.as_deref().unwrap_or("user");
                let targets = ["domain", "name"].map(|part| target(base, part));
                let Some(from) = from else {
                    compiler.problems.shape(node.line, "`account` needs `from`");
                    return None;
                };
                Self::Account(from, targets)
            }
            other => {
                compiler.problems.add(
                    "parser.unknown_name",
                    node.line,
                    format!("there is no step `{other}` to call; known are {}", NAMES.join(", ")),
                );
                return None;
            }
        })
    }

    pub(crate) fn run(&self, work: &mut Work<'_, '_>) -> Result<(), String> {
        match self {
            Self::WindowsEvent => crate::windows::event(work),
            Self::WindowsPositional => {
                crate::windows::positional(work);
                Ok(())
            }
            Self::Auditd => crate::join::auditd_record(work),
            Self::Url(from, targets) => {
                let Some(value) =
                    from.as_ref().map_or_else(|| Some(Value::text(&work.message)), |from| from.eval(work))
                else {
                    return Ok(());
                };
                url(&text_of(&value), targets, work);
                Ok(())
            }
            Self::Account(from, targets) => {
                let Some(value) = from.eval(work) else { return Ok(()) };
                let text = text_of(&value).into_owned();
                let (domain, name) = convert::account(&text);
                if let Some(domain) = domain {
                    work.set(targets[0], Value::text(domain));
                }
                if !name.is_empty() {
                    work.set(targets[1], Value::text(name));
                }
                Ok(())
            }
        }
    }
}

/// Cuts a URL, a path with query, or `host:port` (as CONNECT has it) into its parts.
fn url(text: &str, targets: &[Target; 7], work: &mut Work<'_, '_>) {
    let mut put = |place: usize, text: &str| {
        if !text.is_empty() {
            work.set(targets[place], Value::text(text));
        }
    };
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    put(6, fragment);
    put(5, query);
    if rest.starts_with('/') {
        put(4, rest);
        return;
    }
    let rest = match rest.split_once("://") {
        Some((scheme, rest)) => {
            put(0, scheme);
            rest
        }
        None => rest,
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    put(4, path);
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    put(1, user.split(':').next().unwrap_or(""));
    let host_end = host.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match host[host_end..].rsplit_once(':') {
        Some((_, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (&host[..host.len() - port.len() - 1], port)
        }
        _ => (host, ""),
    };
    put(2, host.trim_matches(['[', ']']));
    put(3, port);
}
