//! TLS with a certificate of its own.

use crate::support::{Site, http_config, tcp_config};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use tandem_ingest::{Cause, Config, Http, Kind, SyslogTcp, Tls};
use tandem_model::Transport;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) fn own(folder: &Path) -> Tls {
    Tls::SelfSigned { folder: folder.to_owned(), names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()] }
}

async fn connect(site: &Site, kind: Kind, folder: &Path) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("ingest.crt")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(site.address(kind)).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

fn config(folder: &Path) -> Config {
    Config {
        syslog_tcp: vec![SyslogTcp { tls: Some(own(folder)), ..tcp_config() }],
        http: vec![Http { tls: Some(own(folder)), ..http_config() }],
        ..Config::default()
    }
}

#[tokio::test]
async fn both_listeners_speak_tls_with_one_certificate_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start(config(folder.path())).await;
    let made = std::fs::read(folder.path().join("ingest.crt")).unwrap();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&folder.path().join("ingest.key").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let mut stream = connect(&site, Kind::SyslogTls, folder.path()).await;
    stream.write_all(b"4 <1>a4 <1>b").await.unwrap();
    stream.shutdown().await.unwrap();
    let records = site.sink.holds(2).await;
    assert_eq!((records[1].raw.as_slice(), records[1].transport), (&b"<1>b"[..], Transport::SyslogTls));

    let mut stream = connect(&site, Kind::Https, folder.path()).await;
    let token = crate::support::TOKEN;
    let head = format!(
        "POST /ingest HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(crate::http::read(&mut stream).await.status, 200);

    let _again = Site::start(config(folder.path())).await;
    assert_eq!(std::fs::read(folder.path().join("ingest.crt")).unwrap(), made);
}

#[tokio::test]
async fn plain_text_on_a_tls_port_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start(config(folder.path())).await;
    let mut stream = TcpStream::connect(site.address(Kind::SyslogTls)).await.unwrap();
    stream.write_all(b"<1>a\n<1>b\n<1>c\n").await.unwrap();
    site.errors_reach(Cause::Tls, 1).await;
    assert_eq!(site.sink.count(), 0);
}

#[tokio::test]
async fn a_missing_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::Files { certificate: folder.path().join("no.crt"), key: folder.path().join("no.key") };
    let config = Config { syslog_tcp: vec![SyslogTcp { tls: Some(tls), ..tcp_config() }], ..Config::default() };
    let sink = crate::support::MemorySink::new();
    let tokens = Arc::new(crate::support::TestTokens);
    let error =
        tandem_ingest::Receivers::start(config, sink, tokens, Arc::new(tandem_base::SystemClock)).await.err().unwrap();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("no.crt"), "{cause}");
}
