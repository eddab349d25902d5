//! The configuration in effect, and what in it should be looked at.

use crate::app::App;
use crate::{Config, Tls};
use axum::Json;
use axum::extract::State;
use serde_json::Value;
use std::net::SocketAddr;
use tandem_api::Settings;
use tandem_control::User;
use tandem_service::Role;
use tandem_web::{Answer, Refused, from_control};

/// What stands for a secret.
const MASKED: &str = "***";

pub(super) async fn settings(State(app): State<App>) -> Answer<Json<Settings>> {
    let users = app.control.users().await.map_err(from_control)?;
    let mut config = serde_json::to_value(&app.config).map_err(|error| Refused::failed(&error))?;
    mask(&mut config);
    let mut warnings = warnings(&app.config, &users);
    let broken = app.rules.problems().iter().filter(|problem| problem.fatal).count();
    if broken > 0 {
        warnings.push(format!("{broken} rules cannot be used; see Rules, state error"));
    }
    Ok(Json(Settings { config, warnings }))
}

/// Puts a mark in place of every value whose name says that it is secret.
fn mask(value: &mut Value) {
    const SECRET: [&str; 5] = ["password", "secret", "token", "api_key", "passphrase"];
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                if SECRET.iter().any(|word| name.contains(word)) && !inner.is_object() {
                    *inner = Value::from(MASKED);
                } else {
                    mask(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

/// What is allowed, and should not stay.
fn warnings(config: &Config, users: &[User]) -> Vec<String> {
    let mut warnings = Vec::new();
    let beyond = |address: SocketAddr| !address.ip().is_loopback();
    let console = &config.console;
    if console.tls == Tls::Off {
        let public = console.public_url.as_deref().filter(|url| url.starts_with("http://"));
        let host = public.and_then(crate::engine::host_of);
        if beyond(console.address) {
            warnings.push(format!(
                "the console on {} speaks plain HTTP: passwords can be read on the way; set [console] tls",
                console.address
            ));
        } else if host.is_some_and(|host| !["localhost", "127.0.0.1", "[::1]"].contains(&host)) {
            warnings.push(
                "[console] public_url is a plain http:// address: passwords can be read on the way; put TLS in front"
                    .to_owned(),
            );
        }
    }
    if console.tls == Tls::SelfSigned {
        warnings.push("the console's certificate is one that tandem made: browsers will warn; name files with [console] tls = \"files\"".to_owned());
    }
    if let Some(address) = config.ingest.address.filter(|address| config.ingest.tls == Tls::Off && beyond(*address)) {
        warnings.push(format!(
            "the HTTP receiver on {address} speaks plain HTTP: ingest tokens can be read on the way; set [ingest] tls"
        ));
    }
    for (name, address) in [("UDP", config.syslog.udp), ("TCP", config.syslog.tcp)] {
        if let Some(address) = address.filter(|address| beyond(*address)) {
            let tls =
                if config.syslog.tls.is_some() { "move senders to [syslog] tls" } else { "open [syslog] tls as well" };
            warnings.push(format!("syslog {name} on {address} is neither encrypted nor authenticated; {tls}"));
        }
    }
    let open = [config.ingest.address, config.syslog.udp, config.syslog.tcp, config.syslog.tls];
    if config.ingest.allow.is_empty() && open.into_iter().flatten().any(beyond) {
        warnings.push("everybody who reaches the receivers may send; list networks under [ingest] allow".to_owned());
    }
    let bare: Vec<&str> = users
        .iter()
        .filter(|user| user.enabled && !user.second_factor && user.roles.contains(Role::SiteAdmin))
        .map(|user| user.name.as_str())
        .collect();
    if !bare.is_empty() {
        warnings.push(format!("administrators without a second factor: {}; set one up under Profile", bare.join(", ")));
    }
    if users.iter().filter(|user| user.enabled).count() == 1 {
        warnings
            .push("there is only one account: the log cannot tell people apart; make one for each person".to_owned());
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tandem_base::Timestamp;
    use tandem_service::{Party, UserId};

    fn user(name: &str, role: Role, second_factor: bool) -> User {
        User {
            id: UserId([1; 16]),
            name: name.to_owned(),
            display_name: name.to_owned(),
            party: Party::Customer,
            roles: [role].into_iter().collect(),
            enabled: true,
            second_factor,
            created: Timestamp::default(),
            last_sign_in: None,
        }
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let mut value =
            json!({"mail": {"password": "x", "host": "h"}, "list": [{"api_key": 7}], "token": {"password": "y"}});
        mask(&mut value);
        assert_eq!(
            value,
            json!({"mail": {"password": "***", "host": "h"}, "list": [{"api_key": "***"}], "token": {"password": "***"}})
        );
    }

    #[test]
    fn defaults_warn_of_people_only() {
        let users = [user("dana", Role::SiteAdmin, false), user("noor", Role::AnalystL1, false)];
        assert_eq!(
            warnings(&Config::default(), &users),
            ["administrators without a second factor: dana; set one up under Profile"]
        );
        let alone = [user("dana", Role::SiteAdmin, true)];
        assert_eq!(warnings(&Config::default(), &alone).len(), 1);
    }

    #[test]
    fn open_doors_are_named() {
        let mut config = Config::default();
        config.console.address = "0.0.0.0:8843".parse().unwrap();
        config.ingest.address = Some("0.0.0.0:8088".parse().unwrap());
        config.syslog.udp = Some("0.0.0.0:514".parse().unwrap());
        let users = [user("dana", Role::SiteAdmin, true), user("noor", Role::AnalystL1, false)];
        let list = warnings(&config, &users);
        assert_eq!(list.len(), 4, "{list:#?}");
        assert!(list[0].contains("0.0.0.0:8843 speaks plain HTTP"));
        config.console.tls = Tls::SelfSigned;
        config.ingest.tls = Tls::SelfSigned;
        config.ingest.allow = vec!["10.0.0.0/8".to_owned()];
        config.syslog.tls = Some("0.0.0.0:6514".parse().unwrap());
        let list = warnings(&config, &users);
        assert_eq!(list.len(), 2, "{list:#?}");
        assert!(list[1].ends_with("move senders to [syslog] tls"));
    }
}
