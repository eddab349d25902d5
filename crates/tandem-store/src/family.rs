//! Product families: the second partition column.

use tandem_model::Event;

/// All families, as they stand in the column `family`.
pub const FAMILIES: [&str; 9] =
    ["windows", "linux", "macos", "cloud", "web", "firewall", "network", "application", "generic"];

/// The family of an event, from its log types.
///
/// A family keeps together what has the same columns, so that files have few of them, and what one
/// question asks for, so that it opens few files. Sigma's product decides; where a product is absent
/// or says little, the category does. An event of several types has the family of the first that has one.
pub fn family(event: &Event) -> &'static str {
    event
        .typed
        .iter()
        .find_map(|typed| {
            let log_type = &typed.log_type;
            let of = |part: &Option<std::sync::Arc<str>>, table: fn(&str) -> Option<&'static str>| {
                part.as_deref().and_then(table)
            };
            of(&log_type.category, by_strong_category)
                .or_else(|| of(&log_type.product, by_product))
                .or_else(|| of(&log_type.category, by_category))
                .or_else(|| of(&log_type.service, by_service))
                .or_else(|| log_type.product.as_ref().map(|_| "application"))
        })
        .unwrap_or("generic")
}

/// Categories that say more than the product: an Apache log on Linux is a web log.
fn by_strong_category(category: &str) -> Option<&'static str> {
    Some(match category {
        "firewall" => "firewall",
        "webserver" | "proxy" => "web",
        _ => return None,
    })
}

fn by_product(product: &str) -> Option<&'static str> {
    Some(match product {
        "windows" => "windows",
        "linux" => "linux",
        "macos" => "macos",
        "aws" | "azure" | "gcp" | "m365" | "okta" | "onelogin" | "google_workspace" | "github" | "bitbucket"
        | "cisco_duo" | "kubernetes" | "office365" | "microsoft365portal" => "cloud",
        "apache" | "nginx" | "iis" | "squid" | "haproxy" | "caddy" | "traefik" | "modsecurity" => "web",
        "fortinet" | "fortigate" | "fortios" | "paloalto" | "opnsense" | "pfsense" | "checkpoint" | "sophos"
        | "sonicwall" | "watchguard" | "iptables" => "firewall",
        "cisco" | "juniper" | "zeek" | "suricata" | "huawei" | "mikrotik" | "ubiquiti" | "aruba" => "network",
        _ => return None,
    })
}

fn by_category(category: &str) -> Option<&'static str> {
    Some(match category {
        "dns" | "network_connection" | "ids" | "ids_alert" => "network",
        "antivirus" | "application" | "database" => "application",
        _ => return None,
    })
}

fn by_service(service: &str) -> Option<&'static str> {
    Some(match service {
        "apache" | "nginx" => "web",
        "sshd" | "auditd" | "auth" | "cron" | "sudo" | "syslog" => "linux",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_model::{EventId, Fields, LogType, RecordId, TypedAs};

    fn of(types: &[(&str, &str, &str)]) -> &'static str {
        family(&Event {
            id: EventId::default(),
            first_record: RecordId::default(),
            time: tandem_base::Timestamp::default(),
            received: tandem_base::Timestamp::default(),
            source: "s".into(),
            parser: "p".into(),
            typed: types
                .iter()
                .map(|(product, category, service)| TypedAs {
                    log_type: LogType::new(product, category, service),
                    aliases: Fields::new(),
                })
                .collect(),
            vendor: Fields::new(),
            common: Fields::new(),
            raw: "".into(),
            raw_private: vec![],
            error: None,
            run: None,
        })
    }

    #[test]
    fn family_of_log_types() {
        assert_eq!(of(&[("windows", "", "security"), ("windows", "process_creation", "")]), "windows");
        assert_eq!(of(&[("linux", "webserver", "")]), "web");
        assert_eq!(of(&[("fortinet", "", "")]), "firewall");
        assert_eq!(of(&[("zeek", "", "dns")]), "network");
        assert_eq!(of(&[("aws", "", "cloudtrail")]), "cloud");
        assert_eq!(of(&[("", "generic", "")]), "generic");
        assert_eq!(of(&[("", "dns", "")]), "network");
        assert_eq!(of(&[("acme", "", "")]), "application");
        assert_eq!(of(&[]), "generic");
        for types in [[("", "", "sshd")], [("", "proxy", "")], [("macos", "", "")]] {
            assert!(FAMILIES.contains(&of(&types)));
        }
    }
}
