//! One HTTP request to the site's own receiver, as a sender would make it.

use anyhow::{Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

pub(super) struct Sender<'a> {
    pub(super) address: SocketAddr,
    pub(super) token: &'a str,
}

impl Sender<'_> {
    /// JSON goes to `/ingest`, lines go to the Splunk collector's raw endpoint.
    pub(super) async fn send(&self, is_json: bool, body: String) -> Result<()> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let path = if is_json { "/ingest" } else { "/services/collector/raw" };
        let request = Request::post(path)
            .header("host", self.address.to_string())
            .header("authorization", format!("Splunk {}", self.token))
            .body(Full::new(bytes::Bytes::from(body)))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        if !status.is_success() {
            let text = response.into_body().collect().await?.to_bytes();
            bail!("the receiver answered {status}: {}", String::from_utf8_lossy(&text));
        }
        Ok(())
    }
}
