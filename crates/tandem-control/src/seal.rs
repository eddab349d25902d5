//! Sealing: secrets that must be used again, under the site key (docs/decisions/0006-sealing.md).

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use tandem_base::{Chance, hex, unhex};

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;
const PREFIX: &str = "tandem-site-key-1:";

/// Why a site key or a sealed value cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file cannot be read or written.
    #[error("the site key file `{path}` could not be used")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Others than the owner may read the key file.
    #[error("the site key file `{path}` may be read by others; run: chmod 600 {path}")]
    Open {
        /// Which file.
        path: String,
    },
    /// The file holds no key.
    #[error("the file `{path}` holds no site key")]
    NoKey {
        /// Which file.
        path: String,
    },
    /// Sealed under another key.
    #[error("the value was sealed under key {sealed}, the site key is {key}")]
    OtherKey {
        /// Id of the key that sealed it.
        sealed: String,
        /// Id of the key at hand.
        key: String,
    },
    /// Damaged, or sealed for another purpose.
    #[error("the sealed value is damaged or belongs to another purpose")]
    Damaged,
}

/// The key of a site: 32 random bytes in a file that only the owner reads. Backups do not hold it.
#[derive(Clone)]
pub struct SiteKey([u8; 32]);

impl fmt::Debug for SiteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteKey({})", self.id())
    }
}

impl SiteKey {
    /// A fresh key, for tests and for [`SiteKey::create`].
    pub fn random(chance: &dyn Chance) -> Self {
        let mut key = [0; 32];
        chance.fill(&mut key);
        Self(key)
    }

    /// Draws a key and writes it to a new file with mode 0600; an existing file is an error.
    pub fn create(path: &Path, chance: &dyn Chance) -> Result<Self, SealError> {
        let key = Self::random(chance);
        let failed = |source| SealError::File { path: path.display().to_string(), source };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        writeln!(file, "{PREFIX}{}", hex(&key.0)).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(key)
    }

    /// Reads the key; refuses a file that others may read.
    pub fn load(path: &Path) -> Result<Self, SealError> {
        let name = || path.display().to_string();
        let failed = |source| SealError::File { path: name(), source };
        let meta = fs::metadata(path).map_err(failed)?;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(SealError::Open { path: name() });
        }
        if meta.len() > 1024 {
            return Err(SealError::NoKey { path: name() });
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        text.trim()
            .strip_prefix(PREFIX)
            .and_then(unhex)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| SealError::NoKey { path: name() })
    }

    /// The key's id: what lies beside each sealed value.
    pub fn id(&self) -> String {
        hex(&self.id_bytes())
    }

    fn id_bytes(&self) -> [u8; KEY_ID_BYTES] {
        let digest = Sha256::new().chain_update(b"tandem site key id\0").chain_update(self.0).finalize();
        std::array::from_fn(|index| digest[index])
    }

    /// `version ‖ key id ‖ nonce ‖ ciphertext and tag`; the purpose is authenticated and must be named to open it.
    pub fn seal(&self, purpose: &str, secret: &[u8], chance: &dyn Chance) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        chance.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(HEADER_BYTES + secret.len() + 16);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id_bytes());
        sealed.extend_from_slice(&nonce);
        let aad = aad(&sealed[..=KEY_ID_BYTES], purpose);
        let payload = Payload { msg: secret, aad: &aad };
        let body = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("XChaCha20-Poly1305 takes any message that fits into memory");
        sealed.extend_from_slice(&body);
        sealed
    }

    /// What was sealed for `purpose`.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if sealed.len() < HEADER_BYTES + 16 || sealed[0] != VERSION {
            return Err(SealError::Damaged);
        }
        let id = &sealed[1..=KEY_ID_BYTES];
        if id != self.id_bytes() {
            return Err(SealError::OtherKey { sealed: hex(id), key: self.id() });
        }
        let nonce: [u8; NONCE_BYTES] =
            sealed[1 + KEY_ID_BYTES..HEADER_BYTES].try_into().expect("the length was checked above");
        let aad = aad(&sealed[..=KEY_ID_BYTES], purpose);
        let payload = Payload { msg: &sealed[HEADER_BYTES..], aad: &aad };
        self.cipher().decrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Damaged)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

fn aad(head: &[u8], purpose: &str) -> Vec<u8> {
    [head, purpose.as_bytes()].concat()
}
