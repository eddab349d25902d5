//! The layout of a site's folder.

use anyhow::{Context, Result, bail};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A site's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// Held while a process works on the site; released when the process ends, however it ends.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

impl Folder {
    /// The folder at `path`; nothing is touched.
    pub fn new(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `tandem.toml`.
    pub fn config(&self) -> PathBuf {
        self.0.join("tandem.toml")
    }

    /// The key that seals secrets (0600).
    pub fn key(&self) -> PathBuf {
        self.0.join("site.key")
    }

    /// Control data.
    pub fn control(&self) -> PathBuf {
        self.0.join("control.db")
    }

    /// The spool's folder.
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// The site's own parsers and rules.
    pub fn content(&self) -> PathBuf {
        self.0.join("content")
    }

    /// Certificates that tandem made.
    pub fn tls(&self) -> PathBuf {
        self.0.join("tls")
    }

    /// The Unix socket of a running site. A path that is too long for a socket (108 bytes on Linux) is put into
    /// the temporary folder of the account, named by a hash.
    pub fn socket(&self) -> PathBuf {
        let path = self.0.join("tandem.sock");
        if path.as_os_str().len() < 100 {
            return path;
        }
        let whole = self.0.canonicalize().unwrap_or_else(|_| self.0.clone());
        let name = tandem_base::hex(&hash(whole.as_os_str().as_encoded_bytes()).to_be_bytes());
        std::env::temp_dir().join(format!("tandem-{name}.sock"))
    }

    /// Whether a site was made here.
    pub fn is_site(&self) -> bool {
        self.control().exists() && !self.making().exists()
    }

    /// There while the site is being made.
    fn making(&self) -> PathBuf {
        self.0.join("making")
    }

    /// From now on until [`Self::end_making`] this is no site. What was left by a making that was cut goes: nobody
    /// has used it. A key that can be read stays.
    pub(crate) fn begin_making(&self) -> Result<()> {
        let failed = || format!("making a site in {}", self.0.display());
        let was_cut = self.making().exists();
        File::create(self.making()).and_then(|file| file.sync_all()).with_context(failed)?;
        self.sync().with_context(failed)?;
        if was_cut {
            for end in ["", "-wal", "-shm"] {
                let mut path = self.control().into_os_string();
                path.push(end);
                gone(fs::remove_file(path)).with_context(failed)?;
            }
            gone(fs::remove_dir_all(self.spool())).with_context(failed)?;
            if tandem_control::SiteKey::load(&self.key()).is_err() {
                gone(fs::remove_file(self.key())).with_context(failed)?;
            }
        }
        Ok(())
    }

    /// The site is whole.
    pub(crate) fn end_making(&self) -> Result<()> {
        let ended = self.sync().and_then(|()| fs::remove_file(self.making())).and_then(|()| self.sync());
        ended.with_context(|| format!("making a site in {}", self.0.display()))
    }

    fn sync(&self) -> std::io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    /// Makes the folder, readable by its owner only.
    pub fn create(&self) -> Result<()> {
        let failed = || format!("making the folder {}", self.0.display());
        if let Some(parent) = self.0.parent() {
            fs::create_dir_all(parent).with_context(failed)?;
        }
        match fs::DirBuilder::new().mode(0o700).create(&self.0) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && self.0.is_dir() => {}
            Err(error) => return Err(error).with_context(failed),
        }
        for folder in [self.content().join("parsers"), self.content().join("rules")] {
            fs::create_dir_all(folder).with_context(failed)?;
        }
        Ok(())
    }

    /// Takes the site for this process.
    pub fn lock(&self) -> Result<FolderLock> {
        let path = self.0.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock(file)),
            Err(fs::TryLockError::WouldBlock) => {
                bail!("another tandem is working on {}: wait until it has ended, or stop it", self.0.display())
            }
            Err(fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", path.display())),
        }
    }
}

/// What is not there need not be removed.
fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// FNV-1a: short names only, nothing that must withstand an attacker.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
