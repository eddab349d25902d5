//! A small HTTP client: one connection a request, bodies as text, streams line by line.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

/// Speaks to one listener, as somebody.
#[derive(Clone)]
pub(crate) struct Web {
    address: String,
    headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// An answer that goes on, read line by line.
pub(crate) struct Stream {
    reader: BufReader<TcpStream>,
    chunked: bool,
    rest: String,
}

impl Web {
    /// `address` may begin with a scheme; only plain HTTP is spoken.
    pub(crate) fn new(address: &str) -> Self {
        let address = address.rsplit("//").next().unwrap_or(address);
        Self { address: address.to_owned(), headers: Vec::new() }
    }

    /// With a further header.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a header.
    #[must_use]
    pub(crate) fn without(&self, name: &str) -> Self {
        let headers = self.headers.iter().filter(|(key, _)| key != name).cloned().collect();
        Self { address: self.address.clone(), headers }
    }

    /// A header that later requests carry.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// With a token.
    #[must_use]
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// Signs in; later requests carry the session.
    pub(crate) fn sign_in(&mut self, name: &str, password: &str) -> Result<()> {
        let reply =
            self.send("POST", "/api/v1/session", Some(&json!({"name": name, "password": password}).to_string()))?;
        let cookie = reply.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.with_context(|| format!("{name} was not signed in: {}", reply.body))?;
        self.headers.push(("cookie".to_owned(), cookie.to_owned()));
        self.headers.push(("x-tandem-csrf".to_owned(), "1".to_owned()));
        Ok(())
    }

    fn begin(&self, method: &str, path: &str, body: Option<&str>) -> Result<(Reply, BufReader<TcpStream>)> {
        let mut socket =
            TcpStream::connect(&self.address).with_context(|| format!("connecting to {}", self.address))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            head.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
        }
        write!(socket, "{head}\r\n{}", body.unwrap_or(""))?;
        let mut reader = BufReader::new(socket);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .with_context(|| format!("no status in `{line}`"))?;
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
                None => break,
            }
        }
        Ok((Reply { status, headers, body: String::new() }, reader))
    }

    /// One request to its end.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&str>) -> Result<Reply> {
        let (mut reply, mut reader) = self.begin(method, path, body)?;
        if reply.header("content-type") == Some("text/event-stream") {
            return Ok(reply);
        }
        if reply.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = chunk(&mut reader)? {
                reply.body.push_str(&chunk);
            }
        } else {
            reader.read_to_string(&mut reply.body)?;
        }
        Ok(reply)
    }

    /// A request below `/api/v1` with a JSON body.
    pub(crate) fn api(&self, method: &str, path: &str, body: &Value) -> Result<Reply> {
        self.send(method, &format!("/api/v1{path}"), Some(&body.to_string()))
    }

    /// Sends a request below `/api/v1`, reads the head of its answer and hangs up.
    pub(crate) fn abandon(&self, method: &str, path: &str, body: &Value) -> Result<()> {
        self.begin(method, &format!("/api/v1{path}"), Some(&body.to_string())).map(|_| ())
    }

    /// GET below `/api/v1`.
    pub(crate) fn get(&self, path: &str) -> Result<Reply> {
        self.send("GET", &format!("/api/v1{path}"), None)
    }

    /// Opens an answer that goes on.
    pub(crate) fn stream(&self, path: &str) -> Result<Stream> {
        let (reply, reader) = self.begin("GET", &format!("/api/v1{path}"), None)?;
        if reply.status != 200 {
            bail!("the stream was refused: {}", reply.status);
        }
        let chunked = reply.header("transfer-encoding") == Some("chunked");
        Ok(Stream { reader, chunked, rest: String::new() })
    }
}

impl Stream {
    /// The next message of an event stream: id, event, data. Comments and empty messages are passed over.
    pub(crate) fn message(&mut self) -> Result<(String, String, Value)> {
        loop {
            let block = self.block()?;
            let field = |name: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                line.unwrap_or("").to_owned()
            };
            let data = field("data");
            if !data.is_empty() {
                return Ok((field("id"), field("event"), serde_json::from_str(&data)?));
            }
        }
    }

    /// The next message with this name.
    pub(crate) fn named(&mut self, event: &str) -> Result<(String, Value)> {
        loop {
            let (id, name, data) = self.message()?;
            if name == event {
                return Ok((id, data));
            }
        }
    }

    fn block(&mut self) -> Result<String> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.rest = rest;
                return Ok(block);
            }
            if self.chunked {
                let more = chunk(&mut self.reader)?.context("the stream ended")?;
                self.rest.push_str(&more);
            } else {
                let mut line = String::new();
                if self.reader.read_line(&mut line)? == 0 {
                    bail!("the stream ended");
                }
                self.rest.push_str(&line);
            }
        }
    }
}

/// One chunk of a chunked body; `None` is its end.
fn chunk(reader: &mut BufReader<TcpStream>) -> Result<Option<String>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let size =
        usize::from_str_radix(line.trim(), 16).with_context(|| format!("`{}` is no size of a chunk", line.trim()))?;
    let mut bytes = vec![0; size + 2];
    reader.read_exact(&mut bytes)?;
    bytes.truncate(size);
    Ok((size > 0).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}
