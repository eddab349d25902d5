//! A client for HTTP/1.1 that sends exactly what it is told.

use crate::support::{DEADLINE, Site, TOKEN};
use std::net::SocketAddr;
use tandem_ingest::Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub(crate) struct Request {
    method: &'static str,
    path: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

pub(crate) fn post(path: &str, body: impl AsRef<[u8]>) -> Request {
    request("POST", path).body(body.as_ref())
}

pub(crate) fn get(path: &str) -> Request {
    request("GET", path)
}

pub(crate) fn request(method: &'static str, path: &str) -> Request {
    Request { method, path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
}

impl Request {
    fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}: {value}"));
        self
    }

    pub(crate) fn token(self) -> Self {
        self.header("Authorization", &format!("Bearer {TOKEN}"))
    }

    pub(crate) async fn to(self, site: &Site) -> Answer {
        self.at(site.address(Kind::Http)).await
    }

    pub(crate) async fn at(self, address: SocketAddr) -> Answer {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut bytes = format!("{} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n", self.method, self.path);
        for header in &self.headers {
            bytes.push_str(header);
            bytes.push_str("\r\n");
        }
        if self.method != "GET" && self.method != "HEAD" {
            bytes.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        bytes.push_str("\r\n");
        let (mut reader, mut writer) = stream.split();
        // A refusal may come, and the connection end, before the whole body is sent.
        let write = async {
            let _ = writer.write_all(bytes.as_bytes()).await;
            let _ = writer.write_all(&self.body).await;
        };
        let ((), answer) = tokio::join!(write, read(&mut reader));
        answer
    }
}

/// Reads one answer to the end of the connection.
pub(crate) async fn read(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Answer {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let all = async {
        while let Ok(count) = stream.read(&mut buffer).await {
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(&buffer[..count]);
        }
    };
    tokio::time::timeout(DEADLINE, all).await.expect("an answer comes");
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
