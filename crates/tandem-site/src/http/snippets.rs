//! What to write into a sender's configuration, with this site's address and ports filled in.

use std::net::SocketAddr;
use tandem_api::Snippet;
use tandem_ingest::Kind;

/// Stands for the ingest token, which nobody but its maker has seen.
const TOKEN: &str = "TOKEN";
/// Stands for the site's name where no sender could use the address that is listened on.
const UNKNOWN_HOST: &str = "SIEM";

/// A receiver and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// What it speaks.
    pub(super) kind: Kind,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

/// Where a sender finds a receiver.
struct To {
    kind: Kind,
    host: String,
    port: u16,
}

impl To {
    fn new(reach: Reach, public: Option<&str>) -> Self {
        let ip = reach.address.ip();
        let host = match public {
            // What listens on the loopback address is reached from this machine only.
            Some(name) if !ip.is_loopback() => name.to_owned(),
            _ if ip.is_unspecified() => UNKNOWN_HOST.to_owned(),
            _ => ip.to_string(),
        };
        Self { kind: reach.kind, host, port: reach.address.port() }
    }

    /// `host` as an address has it.
    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    fn url(&self) -> String {
        let scheme = if self.kind == Kind::Https { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.bracketed(), self.port)
    }

    /// `text` where TLS is spoken, else nothing.
    fn tls<'a>(&self, text: &'a str) -> &'a str {
        if matches!(self.kind, Kind::Https | Kind::SyslogTls) { text } else { "" }
    }
}

/// Every snippet that the open receivers can serve: syslog by the best transport there is, then HTTP.
pub(super) fn snippets(reach: &[Reach], public: Option<&str>) -> Vec<Snippet> {
    let find = |kinds: &[Kind]| {
        kinds.iter().find_map(|kind| reach.iter().find(|each| each.kind == *kind)).map(|each| To::new(*each, public))
    };
    let syslog = find(&[Kind::SyslogTls, Kind::SyslogTcp, Kind::SyslogUdp]);
    let http = find(&[Kind::Https, Kind::Http]);
    let mut list = Vec::new();
    let mut add = |title: &str, to: &To, text: String| {
        list.push(Snippet { title: title.to_owned(), kind: to.kind.word().to_owned(), text });
    };
    if let Some(to) = &syslog {
        add("rsyslog", to, rsyslog(to));
        add("syslog-ng", to, syslog_ng(to));
    }
    if let Some(to) = &http {
        add("Winlogbeat", to, winlogbeat(to));
        add("Filebeat", to, filebeat(to));
        add("Vector", to, vector(to));
        add("Fluent Bit", to, fluent_bit(to));
    }
    if let Some(to) = &syslog {
        add("NXLog", to, nxlog(to));
    }
    if let Some(to) = &http {
        add("curl", to, curl(to));
    }
    if let Some(to) = find(&[Kind::SyslogTcp, Kind::SyslogUdp]) {
        add("logger", &to, logger(&to));
    }
    list
}

fn rsyslog(to: &To) -> String {
    let (host, port) = (&to.host, to.port);
    if to.kind == Kind::SyslogUdp {
        return format!(
            "# /etc/rsyslog.d/90-tandem.conf\n\
             action(type=\"omfwd\" target=\"{host}\" port=\"{port}\" protocol=\"udp\" template=\"RSYSLOG_SyslogProtocol23Format\")\n"
        );
    }
    let authority = to.tls("global(defaultNetstreamDriverCAFile=\"/etc/rsyslog.d/tandem.crt\")\n");
    let driver = match to.kind {
        Kind::SyslogTls => format!(
            "       StreamDriver=\"gtls\" StreamDriverMode=\"1\" StreamDriverAuthMode=\"x509/name\" StreamDriverPermittedPeers=\"{host}\"\n"
        ),
        _ => String::new(),
    };
    format!(
        "# /etc/rsyslog.d/90-tandem.conf\n\
         {authority}action(type=\"omfwd\" target=\"{host}\" port=\"{port}\" protocol=\"tcp\" template=\"RSYSLOG_SyslogProtocol23Format\"\n\
        \x20      TCP_Framing=\"octet-counted\"\n\
         {driver}\
        \x20      queue.type=\"LinkedList\" queue.filename=\"tandem\" queue.maxDiskSpace=\"1g\" queue.saveOnShutdown=\"on\"\n\
        \x20      action.resumeRetryCount=\"-1\")\n"
    )
}

fn syslog_ng(to: &To) -> String {
    let transport = match to.kind {
        Kind::SyslogTls => "tls",
        Kind::SyslogUdp => "udp",
        _ => "tcp",
    };
    let tls = to.tls("\n    tls(ca-file(\"/etc/syslog-ng/tandem.crt\") peer-verify(required-trusted))");
    let buffer = if to.kind == Kind::SyslogUdp {
        ""
    } else {
        "\n    disk-buffer(disk-buf-size(1073741824) reliable(yes) mem-buf-size(10485760))"
    };
    format!(
        "destination d_tandem {{\n  syslog(\"{}\" port({}) transport(\"{transport}\"){tls}{buffer});\n}};\n\
         log {{ source(s_src); destination(d_tandem); }};\n",
        to.host, to.port
    )
}

fn beats_output(to: &To, folder: &str) -> String {
    let authority = match to.kind {
        Kind::Https => format!("  ssl.certificate_authorities: [\"{folder}tandem.crt\"]\n"),
        _ => String::new(),
    };
    format!(
        "output.elasticsearch:\n  hosts: [\"{}\"]\n  api_key: \"tandem:{TOKEN}\"\n{authority}\
         setup.ilm.enabled: false\nsetup.template.enabled: false\n",
        to.url()
    )
}

fn winlogbeat(to: &To) -> String {
    let output = beats_output(to, "C:/ProgramData/winlogbeat/");
    format!(
        "# winlogbeat.yml\nwinlogbeat.event_logs:\n\
        \x20 - name: Security\n\
        \x20 - name: System\n\
        \x20 - name: Microsoft-Windows-Sysmon/Operational\n\
        \x20 - name: Microsoft-Windows-PowerShell/Operational\n\
        \x20 - name: Microsoft-Windows-TaskScheduler/Operational\n\
        \x20 - name: Microsoft-Windows-Windows Defender/Operational\n{output}"
    )
}

fn filebeat(to: &To) -> String {
    format!(
        "# /etc/filebeat/filebeat.yml\nfilebeat.inputs:\n  - type: filestream\n    id: logs\n    paths: [\"/var/log/*.log\"]\n{}",
        beats_output(to, "/etc/filebeat/")
    )
}

fn vector(to: &To) -> String {
    format!(
        "[sinks.tandem]\ntype = \"splunk_hec_logs\"\ninputs = [\"logs\"]\nendpoint = \"{}\"\ndefault_token = \"{TOKEN}\"\n\
         encoding.codec = \"json\"\ncompression = \"gzip\"\n{}acknowledgements.enabled = true\n",
        to.url(),
        to.tls("tls.ca_file = \"/etc/vector/tandem.crt\"\n")
    )
}

fn fluent_bit(to: &To) -> String {
    let tls = to.tls("    tls             On\n    tls.ca_file     /etc/fluent-bit/tandem.crt\n");
    format!(
        "[OUTPUT]\n    Name            es\n    Match           *\n    Host            {}\n    Port            {}\n\
        \x20   HTTP_User       tandem\n    HTTP_Passwd     {TOKEN}\n    Index           logs\n    Suppress_Type_Name On\n\
        \x20   Compress        gzip\n{tls}",
        to.host, to.port
    )
}

fn nxlog(to: &To) -> String {
    let (module, output) = match to.kind {
        Kind::SyslogTls => ("om_ssl", "    CAFile      %CERTDIR%/tandem.crt\n    OutputType  Syslog_TLS\n"),
        // Counted frames let events with line ends arrive whole, on plain TCP, too.
        Kind::SyslogTcp => ("om_tcp", "    OutputType  Syslog_TLS\n"),
        _ => ("om_udp", ""),
    };
    format!(
        "<Output tandem>\n    Module      {module}\n    Host        {}\n    Port        {}\n{output}    Exec        to_json(); to_syslog_ietf();\n</Output>\n",
        to.host, to.port
    )
}

fn curl(to: &To) -> String {
    let authority = to.tls(" --cacert tandem.crt");
    format!(
        "curl{authority} -H \"Authorization: Bearer {TOKEN}\" --data-binary @events.ndjson {url}/ingest\n\
         curl{authority} -H \"Authorization: Bearer {TOKEN}\" -H \"Content-Type: text/plain\" --data-binary @any.log {url}/ingest\n",
        url = to.url()
    )
}

fn logger(to: &To) -> String {
    let transport = if to.kind == Kind::SyslogUdp { "--udp" } else { "--tcp" };
    format!("logger --server {} --port {} {transport} --rfc5424 \"hello from $(hostname)\"\n", to.host, to.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(list: &[(Kind, &str)]) -> Vec<Reach> {
        list.iter().map(|(kind, address)| Reach { kind: *kind, address: address.parse().unwrap() }).collect()
    }

    #[test]
    fn every_sender_gets_the_address_and_port_of_its_receiver() {
        let plain = reach(&[
            (Kind::SyslogUdp, "127.0.0.1:5514"),
            (Kind::SyslogTcp, "127.0.0.1:5515"),
            (Kind::Http, "127.0.0.1:8088"),
        ]);
        let list = snippets(&plain, Some("siem.example.com"));
        let titles: Vec<&str> = list.iter().map(|each| each.title.as_str()).collect();
        assert_eq!(
            titles,
            ["rsyslog", "syslog-ng", "Winlogbeat", "Filebeat", "Vector", "Fluent Bit", "NXLog", "curl", "logger"]
        );
        for each in &list {
            let port = if each.kind == "http" { "8088" } else { "5515" };
            assert!(each.text.contains("127.0.0.1") && each.text.contains(port), "{}: {}", each.title, each.text);
            assert!(!each.text.contains("crt"), "{} speaks of TLS: {}", each.title, each.text);
            assert!(each.text.ends_with('\n') && !each.text.contains("  \n"), "{}", each.title);
        }
    }

    #[test]
    fn with_tls_the_authority_is_named_and_tls_is_preferred() {
        let all = reach(&[
            (Kind::SyslogTcp, "0.0.0.0:601"),
            (Kind::SyslogTls, "0.0.0.0:6514"),
            (Kind::Https, "[::]:8088"),
            (Kind::Http, "127.0.0.1:8089"),
        ]);
        for each in snippets(&all, Some("siem.example.com")) {
            if each.title == "logger" {
                assert!(each.text.contains("--port 601 --tcp"), "{}", each.text);
                continue;
            }
            assert!(
                each.text.contains("siem.example.com") && each.text.contains("tandem.crt"),
                "{}: {}",
                each.title,
                each.text
            );
        }
        let unnamed = snippets(&all, None);
        assert!(unnamed[0].text.contains("target=\"SIEM\" port=\"6514\""), "{}", unnamed[0].text);
        assert!(snippets(&[], None).is_empty());
    }
}
