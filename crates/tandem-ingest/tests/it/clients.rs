//! Clients that people use. Absent ones are skipped with the reason printed.
//!
//! Filebeat, Winlogbeat, Vector, Fluent Bit, Logstash and NXLog are in none of the registries that the tests
//! may use; `beats_session` plays what a Beat sends.

use crate::http::{get, post};
use crate::target::{Target, installed, program, run, script};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};

#[tokio::test]
async fn logger_of_util_linux() {
    let Some(logger) = program("logger") else { return };
    let target = Target::new("logger").await;
    let forms: [&[&str]; 6] = [
        &["--udp", "--rfc3164"],
        &["--udp", "--rfc5424"],
        &["--tcp", "--rfc3164"],
        &["--tcp", "--rfc5424"],
        &["--tcp", "--octet-count", "--rfc3164"],
        &["--tcp", "--octet-count", "--rfc5424"],
    ];
    for form in forms {
        let port = target.port(if form[0] == "--udp" { "udp" } else { "tcp" });
        run(Command::new(&logger).args(form).args(["-n", "127.0.0.1", "-P", port, &target.marker])).await;
    }
    for text in target.gets(6).await {
        assert!(text.starts_with('<') && text.ends_with(&target.marker), "{text}");
    }
}

/// A daemon that is killed at the end of its test.
struct Daemon {
    child: Child,
    log: std::path::PathBuf,
}

impl Daemon {
    fn start(command: &mut Command, folder: &Path) -> Self {
        let log = folder.join("daemon.log");
        let output = std::fs::File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output).kill_on_drop(true);
        Self { child: command.spawn().unwrap(), log }
    }

    /// Sends `count` messages to the daemon's own socket, as local programs do.
    async fn feed(&mut self, socket: &Path, marker: &str, count: usize) {
        let sender = UnixDatagram::unbound().unwrap();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while sender.connect(socket).is_err() {
            let ended = self.child.try_wait().unwrap();
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            assert!(ended.is_none() && tokio::time::Instant::now() < deadline, "{ended:?}: {log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for number in 0..count {
            let text = format!("<13>Oct 11 22:14:15 app[7]: {marker} number {number} end");
            sender.send(text.as_bytes()).await.unwrap();
        }
    }
}

/// Relays 200 messages through `rsyslogd` with one action of its configuration.
async fn rsyslog(test: &str, module: Option<&str>, action: impl Fn(&Target) -> String) {
    let Some(rsyslogd) = program("rsyslogd") else { return };
    if let Some(module) = module {
        let folders = [
            "/usr/lib/x86_64-linux-gnu/rsyslog",
            "/usr/lib/aarch64-linux-gnu/rsyslog",
            "/usr/lib/rsyslog",
            "/usr/lib64/rsyslog",
        ];
        if !folders.iter().any(|folder| Path::new(folder).join(module).exists()) {
            tandem_testkit::skip(module, "rsyslog has no such module");
            return;
        }
    }
    let target = Target::new(test).await;
    let folder = target.folder();
    let socket = folder.join("log.sock");
    let config = format!(
        "global(workDirectory=\"{folder}\" defaultNetstreamDriverCAFile=\"{ca}\")\n\
         module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
         input(type=\"imuxsock\" Socket=\"{socket}\" RateLimit.Interval=\"0\")\n{action}\n",
        folder = folder.display(),
        ca = target.place("ca"),
        socket = socket.display(),
        action = action(&target),
    );
    let file = folder.join("rsyslog.conf");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(rsyslogd);
    command.arg("-n").arg("-f").arg(&file).arg("-i").arg(folder.join("rsyslog.pid"));
    let mut daemon = Daemon::start(&mut command, &folder);
    daemon.feed(&socket, &target.marker, 200).await;
    for text in target.gets(200).await {
        assert!(text.contains("end"), "{text}");
    }
}

fn forward(target: &Target, name: &str, more: &str) -> String {
    format!(r#"action(type="omfwd" Target="127.0.0.1" Port="{}" {more})"#, target.port(name))
}

#[tokio::test]
async fn rsyslog_over_udp() {
    rsyslog("rsudp", None, |target| forward(target, "udp", r#"Protocol="udp""#)).await;
}

#[tokio::test]
async fn rsyslog_over_tcp() {
    rsyslog("rstcp", None, |target| forward(target, "tcp", r#"Protocol="tcp""#)).await;
}

#[tokio::test]
async fn rsyslog_over_tcp_with_counts() {
    let more = r#"Protocol="tcp" TCP_Framing="octet-counted" Template="RSYSLOG_SyslogProtocol23Format""#;
    rsyslog("rscount", None, |target| forward(target, "tcp", more)).await;
}

#[tokio::test]
async fn rsyslog_over_tls_with_gnutls() {
    let more = r#"Protocol="tcp" StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid""#;
    rsyslog("rsgtls", Some("lmnsd_gtls.so"), |target| forward(target, "tls", more)).await;
}

#[tokio::test]
async fn rsyslog_over_tls_with_openssl() {
    let more = r#"Protocol="tcp" StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid""#;
    rsyslog("rsossl", Some("lmnsd_ossl.so"), |target| forward(target, "tls", more)).await;
}

#[tokio::test]
async fn rsyslog_over_bulk() {
    let template = r#"template(name="doc" type="list" option.jsonf="on") {
        property(outname="message" name="msg" format="jsonf")
        property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
        property(outname="host.name" name="hostname" format="jsonf")
    }"#;
    rsyslog("rsbulk", Some("omelasticsearch.so"), |target| {
        format!(
            "module(load=\"omelasticsearch\")\n{template}\n\
             action(type=\"omelasticsearch\" server=\"127.0.0.1\" serverport=\"{}\" uid=\"tandem\" pwd=\"{}\" \
             template=\"doc\" searchIndex=\"logs-rsyslog\" searchType=\"\" bulkmode=\"on\" \
             queue.type=\"linkedlist\" queue.dequeuebatchsize=\"50\" action.resumeretrycount=\"-1\")",
            target.port("http"),
            target.place("token"),
        )
    })
    .await;
}

/// Relays 200 messages through `syslog-ng` with one destination.
async fn syslog_ng(test: &str, destination: impl Fn(&Target) -> String) {
    let unpacked = installed("syslog-ng/usr/sbin/syslog-ng");
    let Some(syslog_ng) = unpacked.clone().or_else(|| program("syslog-ng")) else { return };
    let target = Target::new(test).await;
    let folder = target.folder();
    let socket = folder.join("log.sock");
    let version = if unpacked.is_some() { "3.38" } else { "current" };
    let config = format!(
        "@version: {version}\n@module afsocket\noptions {{ keep-hostname(yes); stats-freq(0); }};\n\
         source s {{ unix-dgram(\"{}\"); }};\ndestination d {{ {} }};\nlog {{ source(s); destination(d); }};\n",
        socket.display(),
        destination(&target),
    );
    let file = folder.join("syslog-ng.conf");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(&syslog_ng);
    command.arg("-F").arg("--no-caps").arg("-f").arg(&file);
    command
        .arg("-R")
        .arg(folder.join("persist"))
        .arg("-p")
        .arg(folder.join("pid"))
        .arg("-c")
        .arg(folder.join("control"));
    if unpacked.is_some() {
        // Unpacked beside the system: it finds its parts only when it is told where.
        let root = syslog_ng.ancestors().nth(3).unwrap();
        let machine = format!("{}-linux-gnu", std::env::consts::ARCH);
        let folders =
            [root.join("usr/lib/syslog-ng"), root.join("usr/lib").join(&machine), root.join("lib").join(&machine)];
        let libraries = std::env::join_paths(folders).unwrap();
        command.env("LD_LIBRARY_PATH", libraries);
        command.arg("--module-path").arg(root.join("usr/lib/syslog-ng/3.38"));
    }
    let mut daemon = Daemon::start(&mut command, &folder);
    daemon.feed(&socket, &target.marker, 200).await;
    for text in target.gets(200).await {
        assert!(text.contains("end"), "{text}");
    }
}

#[tokio::test]
async fn syslog_ng_over_udp() {
    let port = |target: &Target| target.port("udp").to_owned();
    syslog_ng("ngudp", |target| format!("network(\"127.0.0.1\" port({}) transport(\"udp\"));", port(target))).await;
}

#[tokio::test]
async fn syslog_ng_over_tcp() {
    syslog_ng("ngtcp", |target| format!("network(\"127.0.0.1\" port({}) transport(\"tcp\"));", target.port("tcp")))
        .await;
}

#[tokio::test]
async fn syslog_ng_over_tcp_with_counts() {
    syslog_ng("ngcount", |target| format!("syslog(\"127.0.0.1\" port({}) transport(\"tcp\"));", target.port("tcp")))
        .await;
}

#[tokio::test]
async fn syslog_ng_over_tls() {
    syslog_ng("ngtls", |target| {
        let (port, ca) = (target.port("tls"), target.place("ca"));
        format!("syslog(\"127.0.0.1\" port({port}) transport(\"tls\") tls(ca-file(\"{ca}\") peer-verify(required-trusted)));")
    })
    .await;
}

#[tokio::test]
async fn syslog_ng_over_bulk() {
    syslog_ng("ngbulk", |target| {
        format!(
            "http(url(\"http://{}/_bulk\") method(\"POST\") headers(\"Content-Type: application/x-ndjson\", \
             \"Authorization: Bearer {}\") batch-lines(50) batch-timeout(200) body-suffix(\"\\n\") \
             body('{{\"create\":{{\"_index\":\"logs-ng\"}}}}\n$(format-json --scope rfc5424)'));",
            target.place("http"),
            target.place("token"),
        )
    })
    .await;
}

async fn elasticsearch_python(python: &str, test: &str, major: &str) {
    let Some(python) = installed(python) else { return };
    let target = Target::new(test).await;
    let url = format!("http://{}", target.place("http"));
    let version =
        run(Command::new(python).arg(script("elastic.py")).args([&url, target.place("token"), &target.marker])).await;
    assert!(version.starts_with(major), "{version}");
    target.gets(222).await;
}

#[tokio::test]
async fn elasticsearch_py_9() {
    elasticsearch_python("bin/python", "es9", "9.").await;
}

#[tokio::test]
async fn elasticsearch_py_8() {
    elasticsearch_python("es8/bin/python", "es8", "8.").await;
}

#[tokio::test]
async fn elasticsearch_js_9() {
    let (Some(node), Some(_)) = (program("node"), installed("node_modules/@elastic/elasticsearch")) else { return };
    let target = Target::new("esjs").await;
    let url = format!("http://{}", target.place("http"));
    run(Command::new(node).arg(script("elastic.mjs")).args([&url, target.place("token"), &target.marker])).await;
    target.gets(50).await;
}

#[tokio::test]
async fn splunk_handlers_for_python() {
    let Some(python) = installed("bin/python") else { return };
    let target = Target::new("hecpy").await;
    let port = target.port("http");
    let arguments = ["127.0.0.1", port, target.place("token"), &target.marker];
    run(Command::new(python).arg(script("splunk.py")).args(arguments)).await;
    target.gets(40).await;
}

#[tokio::test]
async fn splunk_logging_for_node() {
    let (Some(node), Some(_)) = (program("node"), installed("node_modules/splunk-logging")) else { return };
    let target = Target::new("hecjs").await;
    let url = format!("http://{}", target.place("http"));
    run(Command::new(node).arg(script("splunk.mjs")).args([&url, target.place("token"), &target.marker])).await;
    target.gets(30).await;
}

#[tokio::test]
async fn python_syslog_handler() {
    let Some(python) = program("python3") else { return };
    let target = Target::new("pysyslog").await;
    let arguments = [target.place("udp"), target.place("tcp"), &target.marker];
    run(Command::new(python).arg(script("syslog.py")).args(arguments)).await;
    for text in target.gets(40).await {
        assert!(!text.contains('\0') && text.starts_with("<14>"), "{text}");
    }
}

#[tokio::test]
async fn curl_delivers_lines_gzip_and_hec() {
    let Some(curl) = program("curl") else { return };
    let target = Target::new("curl").await;
    let (base, token) = (format!("http://{}", target.place("http")), target.place("token"));
    let lines = format!("{{\"m\":\"{0} 1\"}}\n{{\"m\":\"{0} 2\"}}\n", target.marker);
    let file = target.folder().join("events.ndjson");
    std::fs::write(&file, &lines).unwrap();
    let packed = target.folder().join("events.ndjson.gz");
    std::fs::write(&packed, crate::http::gzip(lines.as_bytes())).unwrap();
    let bearer = format!("Authorization: Bearer {token}");
    let splunk = format!("Authorization: Splunk {token}");
    let call = |url: String| {
        let mut command = Command::new(&curl);
        command.args(["-sS", "--fail-with-body", "--max-time", "30", &url]);
        command
    };
    let upload = format!("@{}", file.display());
    // A body that comes from a pipe has no length: chunked, after `Expect: 100-continue`.
    run(call(format!("{base}/ingest")).args(["-H", &bearer, "--data-binary", &upload])).await;
    run(call(format!("{base}/ingest")).args([
        "-H",
        &bearer,
        "-H",
        "Transfer-Encoding: chunked",
        "-H",
        "Expect: 100-continue",
        "--data-binary",
        &upload,
    ]))
    .await;
    let upload = format!("@{}", packed.display());
    run(call(format!("{base}/ingest")).args(["-H", &bearer, "-H", "Content-Encoding: gzip", "--data-binary", &upload]))
        .await;
    let event = format!("{{\"event\":\"{} hec\",\"sourcetype\":\"curl\"}}", target.marker);
    let answer = run(call(format!("{base}/services/collector/event")).args(["-H", &splunk, "-d", &event])).await;
    assert_eq!(answer, "{\"text\":\"Success\",\"code\":0}");
    run(call(format!("{base}/services/collector/raw")).args([
        "-u",
        &format!("x:{token}"),
        "-d",
        &format!("{} raw", target.marker),
    ]))
    .await;
    run(call(format!("{base}/ingest")).args([
        "--http2-prior-knowledge",
        "-H",
        &bearer,
        "-d",
        &format!("{{\"m\":\"{} h2\"}}", target.marker),
    ]))
    .await;
    target.gets(9).await;
}

/// What a Beat with its default output settings sends, in order, from reading its sources; not a Beat.
#[tokio::test]
async fn beats_session() {
    let target = Target::new("beats").await;
    let address = target.place("http").parse().unwrap();
    let key = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("id:{}", target.place("token")))
    };
    let header = format!("ApiKey {key}");
    let look = |path: &str| get(path).header("Authorization", &header).header("Accept", "application/json");
    let root = look("/").at(address).await;
    let version = root.json()["version"]["number"].as_str().unwrap().to_owned();
    let major: u32 = version.split('.').next().unwrap().parse().unwrap();
    assert!(major >= 9, "a Beat refuses a server older than itself");
    let license = look("/_license?human=false").at(address).await.json();
    assert_eq!(
        (license["license"]["status"].as_str(), license["license"]["type"].as_str()),
        (Some("active"), Some("basic"))
    );
    let event = format!(
        "{{\"create\":{{\"_index\":\"winlogbeat-9.5.0\"}}}}\n{{\"@timestamp\":\"2026-10-11T22:14:15.003Z\",\"winlog\":{{\"event_id\":\"4624\"}},\"message\":\"{}\"}}\n",
        target.marker
    );
    let answer = post(
        "/_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status",
        crate::http::gzip(event.repeat(3).as_bytes()),
    )
    .header("Authorization", &header)
    .header("Content-Type", "application/json; charset=UTF-8")
    .header("Content-Encoding", "gzip")
    .at(address)
    .await;
    assert_eq!((answer.status, answer.json()["errors"].as_bool()), (200, Some(false)));
    assert!(answer.json()["items"].as_array().unwrap().iter().all(|item| item["create"]["status"] == 201));
    target.gets(3).await;
}
