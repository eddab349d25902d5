//! The certificate of the listeners: from files, or of their own making.

use crate::Tls;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, unreadable, or not PEM.
    #[error("no certificate or key can be read from `{0}`; it has to be a PEM file")]
    Pem(PathBuf, #[source] rustls::pki_types::pem::Error),
    /// Certificate and key do not go together.
    #[error("certificate and key are refused")]
    Refused(#[source] rustls::Error),
    /// The own certificate could not be made.
    #[error("certificate for the names {0:?} could not be made")]
    Make(Vec<String>, #[source] rcgen::Error),
    /// The own certificate could not be kept.
    #[error("certificate could not be written to `{0}`")]
    Write(PathBuf, #[source] std::io::Error),
}

/// An acceptor for what `tls` describes, offering `protocols` (ALPN).
pub(crate) fn acceptor(tls: &Tls, protocols: &[&[u8]]) -> Result<TlsAcceptor, TlsError> {
    let (certificate, key) = match tls {
        Tls::Files { certificate, key } => (certificate.clone(), key.clone()),
        Tls::SelfSigned { folder, names } => own(folder, names)?,
    };
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| TlsError::Pem(certificate.clone(), error))?;
    let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| TlsError::Pem(key, error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Refused)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Refused)?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The pair in `folder`, made when it is not there yet.
fn own(folder: &Path, names: &[String]) -> Result<(PathBuf, PathBuf), TlsError> {
    let (certificate, key) = (folder.join("ingest.crt"), folder.join("ingest.key"));
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    let made =
        rcgen::generate_simple_self_signed(names.to_vec()).map_err(|error| TlsError::Make(names.to_vec(), error))?;
    fs::create_dir_all(folder).map_err(|error| TlsError::Write(folder.to_owned(), error))?;
    write(&key, made.signing_key.serialize_pem().as_bytes(), 0o600)?;
    write(&certificate, made.cert.pem().as_bytes(), 0o644)?;
    Ok((certificate, key))
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TlsError> {
    let kept = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    kept().map_err(|error| TlsError::Write(path.to_owned(), error))
}
