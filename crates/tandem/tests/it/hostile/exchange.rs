//! One request as raw bytes, over TCP or a Unix socket, and what comes back.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(40);

/// Where a listener is.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Tcp(String),
    Unix(PathBuf),
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    /// 0 where nothing came.
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) body: String,
}

trait Socket: Read + Write + Send {
    fn twin(&self) -> std::io::Result<Box<dyn Socket>>;
    fn end(&self) -> std::io::Result<()>;
}

impl Socket for TcpStream {
    fn twin(&self) -> std::io::Result<Box<dyn Socket>> {
        Ok(Box::new(self.try_clone()?))
    }
    fn end(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Socket for UnixStream {
    fn twin(&self) -> std::io::Result<Box<dyn Socket>> {
        Ok(Box::new(self.try_clone()?))
    }
    fn end(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Place {
    fn connect(&self) -> Result<Box<dyn Socket>> {
        Ok(match self {
            Self::Tcp(address) => {
                let address = address.rsplit("//").next().unwrap_or(address);
                let socket = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
                socket.set_read_timeout(Some(PATIENCE))?;
                socket.set_write_timeout(Some(PATIENCE))?;
                Box::new(socket)
            }
            Self::Unix(path) => {
                let socket = UnixStream::connect(path).with_context(|| format!("connecting to {}", path.display()))?;
                socket.set_read_timeout(Some(PATIENCE))?;
                socket.set_write_timeout(Some(PATIENCE))?;
                Box::new(socket)
            }
        })
    }

    /// Sends `parts` one after the other, and reads what comes meanwhile; with `end`, says that no more comes.
    pub(super) fn exchange(&self, parts: &[&[u8]], end: bool) -> Result<Answer> {
        let mut socket = self.connect()?;
        let mut writer = socket.twin()?;
        let bytes = std::thread::scope(|scope| {
            scope.spawn(move || {
                for part in parts {
                    // Refused before it was all sent: the answer says why.
                    if writer.write_all(part).is_err() {
                        return;
                    }
                }
                if end {
                    let _ = writer.end();
                }
            });
            let mut bytes = Vec::new();
            let mut piece = [0; 16 << 10];
            // An error after the answer is how a listener ends that has not read everything.
            while let Ok(count) = socket.read(&mut piece) {
                bytes.extend_from_slice(&piece[..count]);
                let live = bytes[..bytes.len().min(800)].windows(17).any(|window| window == b"text/event-stream");
                if count == 0 || bytes.len() > 1 << 20 || live {
                    break;
                }
            }
            drop(socket);
            bytes
        });
        Ok(read(&bytes))
    }

    /// An HTTP request with a body.
    pub(super) fn request(&self, method: &str, path: &[u8], headers: &str, body: &[u8]) -> Result<Answer> {
        let mut head = format!("{method} ").into_bytes();
        head.extend_from_slice(path);
        head.extend_from_slice(format!(" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}").as_bytes());
        head.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        self.exchange(&[&head, body], false)
    }
}

fn read(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0);
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let body = if header("transfer-encoding").is_some_and(|value| value == "chunked") {
        chunks(body)
    } else {
        body.to_owned()
    };
    Answer { status, kind: header("content-type").unwrap_or_default(), body }
}

fn chunks(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else { break };
        let Some(chunk) = rest.get(..size).filter(|_| size > 0) else { break };
        whole.push_str(chunk);
        body = rest.get(size + 2..).unwrap_or("");
    }
    whole
}
