//! Every endpoint of the catalogue × every bad input: a new endpoint is covered by being in the catalogue.

use super::exchange::{Answer, Place};
use super::table::{Table, mib};
use super::{deep, memory, noise};
use crate::world::World;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use tandem_api::{ENDPOINTS, Endpoint, Guard, Method};

/// What one kind of bad input may add to the resident memory of the site.
const GROWTH_KIB_MAX: u64 = 192 << 10;
/// Endpoints that are named in one row.
const NAMED_MAX: usize = 3;

/// Which endpoints a request is meant for.
type Takes = Box<dyn Fn(&Endpoint) -> bool>;

fn word(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

/// Where an endpoint is asked so that nothing but the input can be refused.
struct Asking {
    /// As the local administrator: every verb.
    socket: Place,
    /// As a person: what is about own things.
    console: Place,
    cookie: String,
}

impl Asking {
    fn send(&self, row: &Endpoint, request: &Request) -> Result<Answer> {
        let method = request.method.unwrap_or(word(row.method));
        let mut path = b"/api/v1".to_vec();
        for part in row.path.split('/').skip(1) {
            path.push(b'/');
            path.extend_from_slice(if part.starts_with('{') { request.id } else { part.as_bytes() });
        }
        path.extend_from_slice(request.query);
        let kind = request.kind.map(|kind| format!("content-type: {kind}\r\n")).unwrap_or_default();
        let headers = format!("x-tandem-csrf: 1\r\n{kind}{}", request.headers);
        match row.guard {
            Guard::Verb(verb) if verb != "own" => self.socket.request(method, &path, &headers, &request.body),
            _ => {
                let headers = format!("cookie: {}\r\n{headers}", self.cookie);
                self.console.request(method, &path, &headers, &request.body)
            }
        }
    }
}

struct Request {
    method: Option<&'static str>,
    id: &'static [u8],
    query: &'static [u8],
    kind: Option<&'static str>,
    headers: &'static str,
    body: Vec<u8>,
}

fn plain() -> Request {
    Request { method: None, id: b"none", query: b"", kind: Some("application/json"), headers: "", body: Vec::new() }
}

fn body(bytes: impl Into<Vec<u8>>) -> Request {
    Request { body: bytes.into(), ..plain() }
}

fn leak(bytes: Vec<u8>) -> &'static [u8] {
    Vec::leak(bytes)
}

/// Bodies for endpoints that take one.
fn bodies() -> Vec<(&'static str, Request)> {
    let big = |size: usize| [b"{\"name\":\"".as_slice(), &vec![b'a'; size], b"\"}"].concat();
    vec![
        ("no body", body("")),
        ("`{}`", body("{}")),
        ("bytes without meaning", body(noise(4096))),
        ("no JSON", body("hello")),
        ("JSON that breaks off", body("{\"a\":")),
        ("a list", body("[]")),
        ("`null`", body("null")),
        ("a text", body("\"x\"")),
        ("a number out of range", body("1e999")),
        ("invalid UTF-8", body(b"{\"name\":\"\xff\xfe\"}".as_slice())),
        ("half a surrogate", body("{\"name\":\"\\ud800\"}")),
        ("objects in objects, 10⁴ deep", body(deep(10_000))),
        ("lists in lists, 10⁴ deep", body(format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)))),
        ("a name that is unknown", body("{\"nosuch\":1}")),
        ("every name, of the wrong type", body(WRONG_TYPES)),
        ("10 MB", body(big(10 << 20))),
        ("text/plain", Request { kind: Some("text/plain"), ..body("{}") }),
        ("no content type", Request { kind: None, ..body("{}") }),
        (
            "gzip, which it does not take",
            Request { headers: "content-encoding: gzip\r\n", ..body(b"\x1f\x8b\x08\0".as_slice()) },
        ),
    ]
}

/// The names of all requests, each with a value that none of them takes.
const WRONG_TYPES: &str = r#"{"name":{},"password":[],"code":{},"token":{},"text":{},"object":{},"old":{},"new":{},"url":{},
"title":{},"ids":{},"act":{},"act_id":{},"group":{},"query":{},"sql":{},"limit":"many","enabled":"perhaps","roles":7,
"owner":{},"note":{},"from":{},"to":{}}"#;

/// Paths and queries for all endpoints.
fn addresses() -> Vec<(&'static str, bool, Request)> {
    let id = |id: &'static [u8]| Request { id, body: b"{}".to_vec(), ..plain() };
    let query = |query: &'static [u8]| Request { query, ..plain() };
    vec![
        ("id: NUL", true, id(b"%00")),
        ("id: invalid UTF-8", true, id(b"%ff")),
        ("id: `../../etc/passwd`", true, id(b"..%2f..%2fetc%2fpasswd")),
        ("id: `' OR 1=1`", true, id(b"'%20OR%201=1")),
        ("id: a number without end", true, id(b"99999999999999999999999999")),
        ("id: 4,000 characters", true, id(leak(vec![b'a'; 4000]))),
        ("query: `limit=abc`", false, query(b"?limit=abc")),
        ("query: `limit=-1`", false, query(b"?limit=-1")),
        ("query: a limit without end", false, query(b"?limit=99999999999999999999999999")),
        ("query: a cursor of nobody", false, query(b"?cursor=%00%ff")),
        ("query: `from=yesterday`", false, query(b"?from=yesterday")),
        ("query: invalid UTF-8", false, query(b"?q=%ff")),
        ("query: 10⁴ brackets", false, query(leak([b"?q=".as_slice(), &vec![b'('; 10_000]].concat()))),
        ("query: 60 kB", false, query(leak([b"?nosuch=".as_slice(), &vec![b'a'; 60_000]].concat()))),
        ("method: BREW", false, Request { method: Some("BREW"), ..body("{}") }),
    ]
}

/// What an answer says, without what differs each time.
fn words(answer: &Answer) -> String {
    let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let text = |name: &str| problem[name].as_str().map(str::to_owned);
    match text("title") {
        Some(_) if answer.status == 404 => "404, and names what does not exist".to_owned(),
        Some(title) if answer.status >= 400 => {
            let next = text("hint").or_else(|| text("how_to_get_access")).unwrap_or_default();
            format!("{} {title} → {next}", answer.status)
        }
        _ => answer.status.to_string(),
    }
}

/// Every refusal is a problem with a next step; nothing is our failure.
fn judge(answer: &Answer, what: &str) -> Result<()> {
    ensure!(answer.status != 0, "{what}: no answer came");
    ensure!(answer.status < 500, "{what}: {} {}", answer.status, answer.body);
    if answer.status < 400 {
        return Ok(());
    }
    ensure!(answer.kind == "application/problem+json", "{what}: {} {} {}", answer.status, answer.kind, answer.body);
    let problem: Value = serde_json::from_str(&answer.body).with_context(|| format!("{what}: {}", answer.body))?;
    let has = |name: &str| problem[name].as_str().is_some_and(|text| !text.is_empty());
    ensure!(has("title") && has("type"), "{what}: {}", answer.body);
    ensure!(has("hint") || has("how_to_get_access"), "{what} does not say what to do: {}", answer.body);
    ensure!(answer.body.len() < 4096, "{what}: the answer repeats what was sent ({} bytes)", answer.body.len());
    Ok(())
}

#[test]
fn every_endpoint_answers_bad_input_with_the_next_step() -> Result<()> {
    let world = World::new()?;
    let admin = world.person("ada", &["site_admin", "analyst_l2"])?;
    let cookie = admin.header("cookie").context("the session's cookie")?.to_owned();
    let asking =
        Asking { socket: Place::Unix(world.socket()), console: Place::Tcp(world.console().to_owned()), cookie };
    let mut table = Table::new("endpoints");
    let mut marker = 0;
    let cases: Vec<(&str, Takes, Request)> = bodies()
        .into_iter()
        .map(|(input, request)| {
            let takes: Takes = Box::new(|row| row.request.is_some() || row.method == Method::Put);
            (input, takes, request)
        })
        .chain(addresses().into_iter().map(|(input, with_id, request)| {
            let takes: Takes = Box::new(move |row| {
                if with_id {
                    row.path.contains('{')
                } else {
                    !row.path.contains('{') && (row.method == Method::Get || request_is_method(input))
                }
            });
            (input, takes, request)
        }))
        .collect();
    // Most of its time is waiting for senders who stop.
    let stops = std::thread::spawn({
        let (place, cookie) = (asking.console.clone(), asking.cookie.clone());
        move || connections(&place, &cookie)
    });
    for (input, takes, request) in cases {
        memory::forget_peak(world.pid());
        let before = memory::resident_kib(world.pid()).unwrap_or(0);
        let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // Signing out would end the session that asks.
        for row in ENDPOINTS.iter().filter(|row| takes(row) && row.path != "/session") {
            let name = format!("{} {}", word(row.method), row.path);
            let answer = asking.send(row, &request)?;
            judge(&answer, &format!("{name}, {input}"))?;
            answers.entry(words(&answer)).or_default().push(name);
        }
        // Alive, and takes and finds a good record.
        marker += 1;
        world.find_good(&format!("good-{marker}"))?;
        let peak = memory::peak_kib(world.pid()).unwrap_or(0);
        ensure!(peak.saturating_sub(before) < GROWTH_KIB_MAX, "{input}: memory grew from {before} to {peak} KiB");
        for (answer, names) in answers {
            let named: Vec<String> = names.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
            let more = names.len().saturating_sub(NAMED_MAX);
            let target = if more > 0 { format!("{} and {more} more", named.join(", ")) } else { named.join(", ") };
            table.row(&target, input, &answer, format!("{}, +{}", mib(peak), mib(peak.saturating_sub(before))));
        }
    }
    for (input, answer) in stops.join().expect("it does not panic")? {
        table.row("console listener", input, &answer, String::new());
    }
    world.find_good("good-after-all")?;
    table.check()
}

fn request_is_method(input: &str) -> bool {
    input.starts_with("method")
}

/// What happens before any endpoint is reached: headers without end, bytes that are no HTTP, senders who stop.
fn connections(console: &Place, cookie: &str) -> Result<Vec<(&'static str, String)>> {
    let many: Vec<String> = (0..20_000).map(|n| format!("x-{n}: {}\r\n", "a".repeat(60))).collect();
    let many = many.concat();
    let flood = format!("GET /api/v1/home HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    let long = [b"GET /".as_slice(), &vec![b'a'; 2 << 20], b" HTTP/1.1\r\nhost: x\r\n\r\n"].concat();
    let half = format!(
        "POST /api/v1/cases HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\nx-tandem-csrf: 1\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{\"ti"
    );
    let lies = half.replace("content-length: 100", "content-length: 99999999999999999999");
    let smuggled = half.replace("content-length: 100", "content-length: 5\r\ntransfer-encoding: chunked");
    let stalled = "GET /api/v1/home HTTP/1.1\r\nhost:".to_owned();
    let cases: [(&str, Vec<u8>, bool); 8] = [
        ("20,000 headers", flood.into_bytes(), false),
        ("an address of 2 MB", long, false),
        ("bytes that are no HTTP", noise(64 << 10), true),
        ("half-closed in the middle of a body", half.clone().into_bytes(), true),
        ("a body that stops coming", half.into_bytes(), false),
        ("a header that stops coming", stalled.into_bytes(), false),
        ("a content length beyond all numbers", lies.into_bytes(), true),
        ("two lengths for one body", smuggled.into_bytes(), true),
    ];
    std::thread::scope(|scope| {
        let asked: Vec<_> = cases
            .iter()
            .map(|(input, bytes, end)| (*input, scope.spawn(|| console.exchange(&[bytes.as_slice()], *end))))
            .collect();
        asked
            .into_iter()
            .map(|(input, asked)| {
                let answer = asked.join().expect("it does not panic")?;
                ensure!(answer.status < 500, "{input}: {} {}", answer.status, answer.body);
                let said = if answer.status == 0 { "the connection is closed".to_owned() } else { words(&answer) };
                Ok((input, said))
            })
            .collect()
    })
}
