//! Every receiver × bad input, on one running site: what the sender hears, what the administrator reads, and that the
//! next good record of the same receiver is found.

use super::exchange::{Answer, Place};
use super::table::{Table, mib};
use super::{deep, memory, noise};
use crate::world::World;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;

/// What one bad input may add to the resident memory of the site.
const GROWTH_KIB_MAX: u64 = 128 << 10;
const MIB: usize = 1 << 20;
const CHANNEL: &str = "11111111-1111-1111-1111-111111111111";

/// How something reaches the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Udp,
    Tcp,
    Counted,
    Tls,
    Http(&'static str),
    File,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Udp => "syslog UDP",
            Self::Tcp => "syslog TCP, lines",
            Self::Counted => "syslog TCP, counted",
            Self::Tls => "syslog TLS",
            Self::Http("/ingest") => "HTTP NDJSON `/ingest`",
            Self::Http("/services/collector/event") => "HEC `/event`",
            Self::Http("/services/collector/raw") => "HEC `/raw`",
            Self::Http("/services/collector/ack") => "HEC `/ack`",
            Self::Http(_) => "Elasticsearch `/_bulk`",
            Self::File => "followed file",
        }
    }

    /// The receiver that counts it.
    fn kind(self) -> &'static str {
        match self {
            Self::Udp => "syslog-udp",
            Self::Tcp | Self::Counted => "syslog-tcp",
            Self::Tls => "syslog-tls",
            Self::Http(_) => "http",
            Self::File => "",
        }
    }
}

struct Floor {
    world: World,
    token: String,
    followed: PathBuf,
    table: Table,
    markers: u32,
}

impl Floor {
    fn tls(&self) -> Result<rustls::StreamOwned<rustls::ClientConnection, TcpStream>> {
        use rustls::pki_types::pem::PemObject;
        let mut roots = rustls::RootCertStore::empty();
        let path = self.world.folder().join("tls/ingest.crt");
        roots.add(rustls::pki_types::CertificateDer::from_pem_file(path)?)?;
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = rustls::ClientConnection::new(Arc::new(config), "localhost".try_into()?)?;
        let socket = TcpStream::connect(self.world.address("syslog-tls"))?;
        Ok(rustls::StreamOwned::new(client, socket))
    }

    /// Sends pieces and waits until the other side has seen the end.
    fn stream(&self, way: Way, pieces: &[&[u8]]) -> Result<()> {
        if way == Way::Tls {
            let mut stream = self.tls()?;
            for piece in pieces {
                if stream.write_all(piece).is_err() {
                    return Ok(());
                }
            }
            stream.conn.send_close_notify();
            let _ = stream.flush();
            let _ = stream.sock.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
            return Ok(());
        }
        plain(self.world.address("syslog-tcp"), pieces)
    }

    fn udp(&self, datagram: &[u8]) -> Result<()> {
        UdpSocket::bind("127.0.0.1:0")?.send_to(datagram, self.world.address("syslog-udp"))?;
        Ok(())
    }

    fn http(&self, path: &str, headers: &str, body: &[u8]) -> Result<Answer> {
        let place = Place::Tcp(self.world.address("http").to_owned());
        let headers = format!("authorization: Splunk {}\r\n{headers}", self.token);
        place.request("POST", path.as_bytes(), &headers, body)
    }

    fn append(&self, bytes: &[u8]) -> Result<()> {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.followed.join("app.log"))?;
        Ok(file.write_all(bytes)?)
    }

    fn good(&self, way: Way, word: &str) -> Result<()> {
        let line = format!("<13>Nov 25 17:19:34 web1 app: {word}\n");
        match way {
            Way::Udp => self.udp(line.trim_end().as_bytes()),
            Way::Tcp | Way::Tls => self.stream(way, &[line.as_bytes()]),
            Way::Counted => self.stream(way, &[format!("{} {}", line.len(), line).as_bytes()]),
            Way::File => self.append(line.as_bytes()),
            Way::Http(path) => {
                let event = json!({ "message": word });
                let body = match path {
                    "/services/collector/event" | "/services/collector/ack" => json!({ "event": event }).to_string(),
                    "/_bulk" => format!("{{\"create\":{{\"_index\":\"x\"}}}}\n{event}\n"),
                    _ => event.to_string(),
                };
                let path = if path.ends_with("/ack") { "/services/collector/event" } else { path };
                let answer = self.http(path, "", body.as_bytes())?;
                ensure!(answer.status == 200, "a good record is refused: {answer:?}");
                Ok(())
            }
        }
    }

    fn receivers(&self) -> Result<Value> {
        Ok(self.world.get("/receivers")?["items"].take())
    }

    /// One bad input: what it is answered, what is counted, and that the next good record arrives.
    fn case(&mut self, way: Way, input: &str, send: impl FnOnce(&Self) -> Result<String>) -> Result<()> {
        let what = format!("{}, {input}", way.name());
        let pid = self.world.pid();
        memory::forget_peak(pid);
        let before_kib = memory::resident_kib(pid).unwrap_or(0);
        let before = self.receivers()?;
        let heard = send(self).with_context(|| what.clone())?;
        self.markers += 1;
        let word = format!("good{:04}", self.markers);
        self.good(way, &word).with_context(|| format!("a good record after {what}"))?;
        self.world.found(&word).with_context(|| format!("a good record after {what}"))?;
        let counted = counted(&before, &self.receivers()?, way.kind());
        let peak = memory::peak_kib(pid).unwrap_or(0);
        let grown = peak.saturating_sub(before_kib);
        ensure!(grown < GROWTH_KIB_MAX, "{what}: memory grew from {before_kib} to {peak} KiB");
        let answer = [heard, counted].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
        self.table.row(way.name(), input, &answer, format!("{}, +{}", mib(peak), mib(grown)));
        Ok(())
    }
}

/// What the administrator reads of it under Receivers.
fn counted(before: &Value, after: &Value, kind: &str) -> String {
    let of = |list: &Value| list.as_array()?.iter().find(|item| item["kind"] == kind).cloned();
    let (Some(before), Some(after)) = (of(before), of(after)) else { return String::new() };
    let records = after["records"].as_u64().unwrap_or(0) - before["records"].as_u64().unwrap_or(0);
    let mut parts = vec![match records.saturating_sub(1) {
        0 => "no record".to_owned(),
        1 => "1 record".to_owned(),
        many => format!("{many} records"),
    }];
    if before["errors"] != after["errors"] {
        let text = after["last_error"].as_str().unwrap_or_default();
        parts.push(format!("told under Receivers: {}", text.split_once(": ").map_or("", |(_, text)| text)));
    }
    parts.join("; ")
}

fn said(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let words = if answer.status == 200 { Value::Null } else { body.clone() };
    let text = match &words {
        Value::Null => match (&body["refused"], &body["items"][0]) {
            (Value::Number(refused), _) if refused.as_u64() > Some(0) => body["errors"].to_string(),
            (_, item) if !item.is_null() => item
                .as_object()
                .and_then(|item| item.values().next())
                .map(|item| format!("{} {}", item["status"], item["error"]["reason"].as_str().unwrap_or("")))
                .unwrap_or_default(),
            _ => body["text"].as_str().unwrap_or("").to_owned(),
        },
        body => {
            let of = |name: &str| body[name].as_str().map(str::to_owned);
            let reason = body["error"]["reason"].as_str().map(str::to_owned);
            let first = of("detail").or_else(|| of("text")).or(reason);
            let hint = of("hint").map(|hint| format!(" → {hint}")).unwrap_or_default();
            match first {
                Some(first) => format!("{first}{hint}"),
                None => body["errors"][0]["error"].as_str().unwrap_or_default().to_owned(),
            }
        }
    };
    format!("{} {text}", answer.status)
}

#[test]
fn receivers_take_good_records_after_bad_ones_and_lose_nothing() -> Result<()> {
    let followed = tempfile::tempdir()?;
    let tail = format!("\n[[tail]]\npath = \"{}/*.log\"\nsource = \"followed\"\n", followed.path().display());
    let world = World::with(&tail, &["--syslog-tls", "127.0.0.1:0"])?;
    let token = world.post("/ingest-tokens", &json!({ "name": "bad" }))?["token"].as_str().unwrap_or("").to_owned();
    let table = Table::new("receivers");
    let mut floor = Floor { world, token, followed: followed.path().to_owned(), table, markers: 0 };
    datagrams(&mut floor)?;
    for way in [Way::Tcp, Way::Counted, Way::Tls] {
        streams(&mut floor, way)?;
    }
    for path in ["/ingest", "/services/collector/event", "/services/collector/raw", "/services/collector/ack", "/_bulk"]
    {
        requests(&mut floor, path)?;
    }
    files(&mut floor)?;
    nothing_lost(&floor)?;
    floor.table.check()
}

fn plain(address: &str, pieces: &[&[u8]]) -> Result<()> {
    let mut socket = TcpStream::connect(address)?;
    for piece in pieces {
        // Closed before the end: that is an answer, too.
        if socket.write_all(piece).is_err() {
            break;
        }
    }
    let _ = socket.shutdown(Shutdown::Write);
    let _ = socket.read_to_end(&mut Vec::new());
    Ok(())
}

fn datagrams(floor: &mut Floor) -> Result<()> {
    let quiet = |floor: &Floor, bytes: &[u8]| floor.udp(bytes).map(|()| String::new());
    floor.case(Way::Udp, "an empty datagram", |floor| quiet(floor, b""))?;
    floor.case(Way::Udp, "65,507 zeros", |floor| quiet(floor, &vec![0; 65_507]))?;
    floor.case(Way::Udp, "65,507 bytes of text", |floor| quiet(floor, &vec![b'a'; 65_507]))?;
    floor.case(Way::Udp, "invalid UTF-8", |floor| quiet(floor, &[0xff; 300]))?;
    floor.case(Way::Udp, "a priority without end", |floor| quiet(floor, b"<99999999999999999999>1 x"))?;
    floor.case(Way::Udp, "structured data that never closes", |floor| {
        quiet(floor, [b"<13>1 - - - - - ".as_slice(), &vec![b'['; 60_000]].concat().as_slice())
    })?;
    floor.case(Way::Udp, "JSON 10⁴ deep", |floor| quiet(floor, deep(10_000).as_bytes()))
}

fn streams(floor: &mut Floor, way: Way) -> Result<()> {
    let mib = vec![b'a'; MIB];
    let hundred = |start: &'static [u8]| -> Vec<&[u8]> {
        std::iter::once(start).chain((0..100).map(|_| mib.as_slice())).collect()
    };
    let count = way == Way::Counted;
    let quiet = |sent: Result<()>| sent.map(|()| String::new());
    if count {
        floor.case(way, "a frame that says 100 MB", |floor| quiet(floor.stream(way, &hundred(b"104857600 <13>"))))?;
        floor.case(way, "a count of 1,000 digits", |floor| {
            quiet(floor.stream(way, &[b"5 <13>x", &[b'9'; 1000], b" <13>x"]))
        })?;
        floor.case(way, "a count that is none", |floor| quiet(floor.stream(way, &[b"5 <13>x", b"no count here"])))?;
        return floor.case(way, "a frame that breaks off", |floor| quiet(floor.stream(way, &[b"500 <13>only this"])));
    }
    floor.case(way, "a line of 100 MB", |floor| quiet(floor.stream(way, &hundred(b"<13>"))))?;
    floor.case(way, "bytes without meaning, 64 KiB", |floor| quiet(floor.stream(way, &[&noise(64 << 10)])))?;
    floor.case(way, "invalid UTF-8", |floor| quiet(floor.stream(way, &[b"<13>x: \xff\xfe\xc3(\n"])))?;
    floor.case(way, "JSON 10⁴ deep", |floor| quiet(floor.stream(way, &[deep(10_000).as_bytes(), b"\n"])))?;
    floor.case(way, "a line that breaks off", |floor| quiet(floor.stream(way, &[b"<13>x: only th"])))?;
    if way == Way::Tls {
        let address = floor.world.address("syslog-tls").to_owned();
        floor.case(way, "plain text in place of a handshake", |_| {
            quiet(plain(&address, &[b"<13>Nov 25 17:19:34 web1 app: hello\n"]))
        })?;
        floor
            .case(way, "bytes without meaning in place of a handshake", |_| quiet(plain(&address, &[&noise(4096)])))?;
    }
    Ok(())
}

fn requests(floor: &mut Floor, path: &'static str) -> Result<()> {
    let way = Way::Http(path);
    let address = match path {
        "/services/collector/raw" | "/services/collector/ack" => format!("{path}?channel={CHANNEL}"),
        _ => path.to_owned(),
    };
    let post = |floor: &Floor, headers: &str, body: &[u8]| -> Result<String> {
        let answer = floor.http(&address, headers, body)?;
        ensure!(answer.status != 0 && answer.status < 500, "{answer:?}");
        Ok(said(&answer))
    };
    // What is asked for, as this protocol wraps it.
    let wrapped = |inner: &[u8]| -> Vec<u8> {
        match path {
            "/services/collector/event" => [b"{\"event\":".as_slice(), inner, b"}"].concat(),
            "/_bulk" => [b"{\"create\":{\"_index\":\"x\"}}\n".as_slice(), inner, b"\n"].concat(),
            _ => [inner, b"\n"].concat(),
        }
    };
    let text = |size: usize| [b"{\"message\":\"".as_slice(), &vec![b'x'; size], b"\"}"].concat();
    let json = "content-type: application/json\r\n";
    floor.case(way, "no body", |floor| post(floor, json, b""))?;
    floor.case(way, "a body of 100 MB", |floor| post(floor, json, &vec![b'x'; 100 << 20]))?;
    floor.case(way, "a line of 8 MB", |floor| post(floor, json, &wrapped(&text(8 << 20))))?;
    floor.case(way, "an event of 1 MiB less 100 bytes", |floor| post(floor, json, &wrapped(&text(MIB - 100))))?;
    floor.case(way, "invalid UTF-8", |floor| post(floor, json, &wrapped(b"{\"message\":\"\xff\xfe\"}")))?;
    floor.case(way, "JSON 10⁴ deep", |floor| post(floor, json, &wrapped(deep(10_000).as_bytes())))?;
    floor.case(way, "bytes without meaning", |floor| post(floor, json, &noise(10_000)))?;
    floor.case(way, "JSON that breaks off", |floor| post(floor, json, &wrapped(b"{\"message\":")[..]))?;
    floor.case(way, "numbers and texts where objects belong", |floor| post(floor, json, b"5\n\"x\"\nnull\n"))?;
    let bomb = gzip(&vec![b'\n'; MIB], 32)?;
    let zipped = format!("{json}content-encoding: gzip\r\n");
    floor.case(way, "a gzip bomb: 32 MB in 32 kB", |floor| post(floor, &zipped, &bomb))?;
    floor.case(way, "gzip that is none", |floor| {
        post(floor, &zipped, &[b"\x1f\x8b\x08".as_slice(), &noise(1000)].concat())
    })?;
    let whole = gzip(&wrapped(b"{\"message\":\"cut\"}"), 400)?;
    floor.case(way, "gzip that breaks off", |floor| post(floor, &zipped, &whole[..whole.len() / 2]))?;
    floor.case(way, "an encoding that nobody knows", |floor| {
        post(floor, &format!("{json}content-encoding: lzma\r\n"), b"{}")
    })?;
    floor.case(way, "a content type of pictures", |floor| {
        post(floor, "content-type: image/png\r\n", &wrapped(b"{\"message\":\"picture\"}"))
    })?;
    let place = Place::Tcp(floor.world.address("http").to_owned());
    let token = floor.token.clone();
    floor.case(way, "half-closed in the middle of the body", |_| {
        let head = format!(
            "POST {address} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Splunk {token}\r\ncontent-length: 100\r\n\r\n{{\"mes"
        );
        Ok(said(&place.exchange(&[head.as_bytes()], true)?))
    })?;
    for (input, method, headers) in [
        ("no token", "POST", ""),
        ("a token that is unknown", "POST", "authorization: Splunk none\r\n"),
        ("method DELETE", "DELETE", ""),
    ] {
        floor.case(way, input, |_| {
            let answer = place.request(method, address.as_bytes(), headers, &wrapped(b"{\"message\":\"x\"}"))?;
            ensure!((400..500).contains(&answer.status), "{answer:?}");
            Ok(said(&answer))
        })?;
    }
    Ok(())
}

fn files(floor: &mut Floor) -> Result<()> {
    let way = Way::File;
    let read = |_: &Floor| -> Result<String> { Ok("the lines after it are read".to_owned()) };
    floor.append(b"the first line\n")?;
    floor.world.found("the first line")?;
    floor.case(way, "a line of 100 MB", |floor| {
        let mib = vec![b'a'; MIB];
        for _ in 0..100 {
            floor.append(&mib)?;
        }
        floor.append(b"\n")?;
        read(floor)
    })?;
    floor.case(way, "invalid UTF-8 and zeros", |floor| {
        floor.append(b"x \xff\xfe\0\0\0 y\n")?;
        read(floor)
    })?;
    floor.case(way, "JSON 10⁴ deep", |floor| {
        floor.append(format!("{}\n", deep(10_000)).as_bytes())?;
        read(floor)
    })?;
    floor.case(way, "emptied while it is followed", |floor| {
        fs::write(floor.followed.join("app.log"), "")?;
        read(floor)
    })?;
    floor.case(way, "a link that leads nowhere, and one to itself", |floor| {
        std::os::unix::fs::symlink(floor.followed.join("gone"), floor.followed.join("nowhere.log"))?;
        std::os::unix::fs::symlink("self.log", floor.followed.join("self.log"))?;
        read(floor)
    })?;
    floor.case(way, "a folder of that name", |floor| {
        fs::create_dir(floor.followed.join("folder.log"))?;
        read(floor)
    })?;
    floor.case(way, "bytes without meaning, 1 MiB", |floor| {
        fs::write(floor.followed.join("noise.log"), noise(MIB))?;
        read(floor)
    })
}

/// Everything that was acknowledged or counted as taken is an event.
fn nothing_lost(floor: &Floor) -> Result<()> {
    let taken: u64 = floor
        .receivers()?
        .as_array()
        .context("receivers")?
        .iter()
        .filter_map(|receiver| receiver["records"].as_u64())
        .sum();
    let rows = floor
        .world
        .lines("/sql", &json!({ "sql": "SELECT count(DISTINCT id) AS n FROM events WHERE source <> 'followed'" }))?;
    let stored = rows.iter().find_map(|part| part["row"][0].as_u64()).context("a count")?;
    ensure!(stored == taken, "{taken} records were taken and {stored} are stored");
    Ok(())
}

/// `piece`, `times` over, packed.
fn gzip(piece: &[u8], times: usize) -> Result<Vec<u8>> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..times {
        packed.write_all(piece)?;
    }
    Ok(packed.finish()?)
}
