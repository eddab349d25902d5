//! Backup and restore: one sealed file (docs/formats/backup.md).

use crate::error::Doing;
use crate::{Control, ControlError, RecoveryKey};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use tandem_base::{Timestamp, fail, hex};

const MAGIC: &[u8; 16] = b"TANDEM-BACKUP-1\n";
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const PREFIX: usize = 19;
const MANIFEST_MAX: u32 = 16 * 1024 * 1024;

/// A further file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFile {
    /// Its name in the archive, relative, with `/`.
    pub name: String,
    /// Where it is read from.
    pub path: PathBuf,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// Names and sizes in bytes.
    pub files: Vec<(String, u64)>,
    /// Size of the archive.
    pub size_bytes: u64,
}

/// What a restore brought back.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreReport {
    /// When the backup was made.
    pub created: Timestamp,
    /// Name of the site.
    pub site: Option<String>,
    /// Names and sizes in bytes.
    pub files: Vec<(String, u64)>,
    /// What the maker of the backup said of what is not in it: positions, versions of tables.
    pub facts: Value,
    /// Id of the site key under which secrets are sealed.
    pub key_id: String,
    /// What the archive does not hold, as sentences.
    pub missing: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    created: i64,
    site: Option<String>,
    key_id: String,
    sealed: u64,
    facts: Value,
    files: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    size: u64,
    sha256: String,
}

impl Control {
    /// Writes one consistent archive to `to` (which must not exist): the control database, `files`, and `facts`
    /// such as the versions of tables. The site key is not in it.
    pub async fn backup(
        &self,
        to: &Path,
        files: &[BackupFile],
        facts: Value,
        key: &RecoveryKey,
    ) -> Result<BackupReport, ControlError> {
        let exists = || file_error("write", to)(io::ErrorKind::AlreadyExists.into());
        if to.exists() {
            return Err(exists());
        }
        // Under names of their own until all of it is durable: what a crash leaves is no archive, and the next
        // backup to the same place removes it.
        let (copy, part) = (beside(to, ".control.part"), beside(to, ".part"));
        remove(&copy)?;
        remove(&part)?;
        // SQLite fills an empty file; one that it makes itself others could read.
        drop(
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&copy)
                .map_err(file_error("write", &copy))?,
        );
        {
            // A reader's snapshot is enough, and nobody waits for it.
            let mut conn = SqliteConnection::connect_with(
                &sqlx::sqlite::SqliteConnectOptions::new().filename(&self.path).pragma("trusted_schema", "OFF"),
            )
            .await
            .doing("open its file for a backup")?;
            let quoted = copy.display().to_string().replace('\'', "''");
            // The path is ours and quoted.
            let sql = AssertSqlSafe(format!("VACUUM INTO '{quoted}'"));
            sqlx::query(sql).execute(&mut conn).await.doing("copy itself")?;
            conn.close().await.doing("close its file")?;
        }
        fail::point("backup.copied");
        let site = self.site().await?.map(|site| site.name);
        let sealed: (i64,) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM secrets) + (SELECT count(*) FROM users WHERE totp IS NOT NULL)",
        )
        .fetch_one(&self.readers)
        .await
        .doing("count secrets")?;
        let mut manifest = Manifest {
            format: 1,
            created: self.now().micros(),
            site,
            key_id: self.key.id(),
            sealed: sealed.0 as u64,
            facts,
            files: Vec::new(),
        };
        let mut all = vec![BackupFile { name: "control.db".into(), path: copy.clone() }];
        all.extend_from_slice(files);
        let mut prefix = [0; PREFIX];
        self.chance.fill(&mut prefix);
        let (to, key) = (to.to_owned(), key.clone());
        let written = crate::password::blocking(move || {
            for file in &all {
                check_name(&file.name)?;
                manifest.files.push(measure(file)?);
            }
            let file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&part)
                .map_err(file_error("write", &part))?;
            let written = write_archive(file, &part, &manifest, &all, &key, prefix).and_then(|report| {
                fail::point("backup.written");
                // A link does not replace what somebody has put there meanwhile.
                fs::hard_link(&part, &to).map_err(file_error("write", &to))?;
                fail::point("backup.named");
                sync_folder_of(&to)?;
                Ok(report)
            });
            drop(fs::remove_file(&part));
            written
        })
        .await;
        remove(&copy)?;
        written
    }
}

/// The path with `end` behind its name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Makes the name `path` durable.
fn sync_folder_of(path: &Path) -> Result<(), ControlError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file_error("sync", folder))
}

fn remove(path: &Path) -> Result<(), ControlError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file_error("remove", path)(error)),
        _ => Ok(()),
    }
}

fn file_error(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> ControlError {
    let path = path.display().to_string();
    move |source| ControlError::File { doing, path: path.clone(), source }
}

fn bad(because: impl Into<String>) -> ControlError {
    ControlError::Backup { because: because.into() }
}

/// Relative, without `..`: a restore writes nowhere but into its folder.
fn check_name(name: &str) -> Result<(), ControlError> {
    let path = Path::new(name);
    let fits = !name.is_empty()
        && name.len() < 1024
        && !name.contains(['\\', '\0'])
        && path.components().all(|part| matches!(part, Component::Normal(_)));
    if fits { Ok(()) } else { Err(bad(format!("`{}` is no name for a file in it", name.escape_debug()))) }
}

fn measure(file: &BackupFile) -> Result<Entry, ControlError> {
    let failed = file_error("read", &file.path);
    let mut reader = BufReader::new(File::open(&file.path).map_err(&failed)?);
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        let count = reader.read(&mut buffer).map_err(&failed)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        size += count as u64;
    }
    Ok(Entry { name: file.name.clone(), size, sha256: hex(&hash.finalize()) })
}

fn write_archive(
    file: File,
    to: &Path,
    manifest: &Manifest,
    files: &[BackupFile],
    key: &RecoveryKey,
    prefix: [u8; PREFIX],
) -> Result<BackupReport, ControlError> {
    let failed = file_error("write", to);
    let mut sealer = Sealer { out: BufWriter::new(file), cipher: cipher(key), prefix, counter: 0, held: Vec::new() };
    sealer.out.write_all(MAGIC).map_err(&failed)?;
    sealer.out.write_all(&prefix).map_err(&failed)?;
    let head = serde_json::to_vec(manifest).map_err(|error| bad(error.to_string()))?;
    sealer.write_all(&(head.len() as u32).to_be_bytes()).map_err(&failed)?;
    sealer.write_all(&head).map_err(&failed)?;
    for (file, entry) in files.iter().zip(&manifest.files) {
        let source = File::open(&file.path).map_err(file_error("read", &file.path))?;
        let copied = io::copy(&mut source.take(entry.size), &mut sealer).map_err(&failed)?;
        if copied != entry.size {
            return Err(bad(format!("`{}` became shorter while it was read", file.path.display())));
        }
    }
    let file = sealer.finish().map_err(&failed)?;
    file.sync_all().map_err(&failed)?;
    let size_bytes = file.metadata().map_err(&failed)?.len();
    Ok(BackupReport {
        files: manifest.files.iter().map(|entry| (entry.name.clone(), entry.size)).collect(),
        size_bytes,
    })
}

/// Reads an archive into `folder`, which must not exist or be empty; on any damage nothing is left there.
/// Blocking: not on a runtime thread.
pub fn restore(from: &Path, folder: &Path, key: &RecoveryKey) -> Result<RestoreReport, ControlError> {
    let existed = match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(bad(format!("`{}` is not empty; restore into a new folder", folder.display())));
            }
            true
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(file_error("read", folder)(error)),
    };
    fs::create_dir_all(folder).map_err(file_error("make", folder))?;
    read_archive(from, folder, key).inspect_err(|_| {
        drop(fs::remove_dir_all(folder));
        if existed {
            drop(fs::create_dir_all(folder));
        }
    })
}

fn read_archive(from: &Path, folder: &Path, key: &RecoveryKey) -> Result<RestoreReport, ControlError> {
    let mut input = BufReader::new(File::open(from).map_err(file_error("read", from))?);
    let mut head = [0; MAGIC.len() + PREFIX];
    input.read_exact(&mut head).map_err(|_| bad("it is too short to be one"))?;
    if head[..MAGIC.len()] != MAGIC[..] {
        return Err(bad("it does not begin as a backup of Tandem does"));
    }
    let prefix: [u8; PREFIX] = head[MAGIC.len()..].try_into().expect("the lengths add up");
    let mut opener =
        Opener { input, cipher: cipher(key), prefix, counter: 0, chunk: Vec::new(), at: 0, ended: false, damage: None };
    let mut read = |buffer: &mut [u8]| -> Result<(), ControlError> {
        opener.read_exact(buffer).map_err(|_| bad(opener.damage.take().unwrap_or("it ends too early")))
    };
    let mut size = [0; 4];
    read(&mut size)?;
    let size = u32::from_be_bytes(size);
    if size > MANIFEST_MAX {
        return Err(bad("its table of contents is too large"));
    }
    let mut table = vec![0; size as usize];
    read(&mut table)?;
    let manifest: Manifest = serde_json::from_slice(&table).map_err(|error| bad(error.to_string()))?;
    if manifest.format != 1 {
        return Err(bad(format!("its format is {}, this program knows 1", manifest.format)));
    }
    for entry in &manifest.files {
        check_name(&entry.name)?;
        let path = folder.join(&entry.name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(file_error("make", parent))?;
        }
        let failed = file_error("write", &path);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(&failed)?;
        let mut out = BufWriter::new(file);
        let (mut hash, mut left, mut buffer) = (Sha256::new(), entry.size, vec![0; CHUNK]);
        while left > 0 {
            let count = left.min(CHUNK as u64) as usize;
            read(&mut buffer[..count])?;
            hash.update(&buffer[..count]);
            out.write_all(&buffer[..count]).map_err(&failed)?;
            left -= count as u64;
        }
        out.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(&failed)?;
        fail::point("restore.read");
        if hex(&hash.finalize()) != entry.sha256 {
            return Err(bad(format!("`{}` in it is not what was written", entry.name)));
        }
    }
    // The last chunk says that it is the last: a cut archive does not pass.
    if !matches!(opener.read(&mut [0; 1]), Ok(0)) {
        return Err(bad(opener.damage.take().unwrap_or("there is more in it than its table says")));
    }
    let mut missing = Vec::new();
    if manifest.sealed > 0 {
        missing.push(format!(
            "the site key {}: {} sealed secrets (second factors, passwords of services) open only with it",
            manifest.key_id, manifest.sealed
        ));
    }
    missing.push("events: they live in the event table, which has its own copies".into());
    missing.push(format!("everything that happened after {}", Timestamp::from_micros(manifest.created)));
    Ok(RestoreReport {
        created: Timestamp::from_micros(manifest.created),
        site: manifest.site,
        files: manifest.files.into_iter().map(|entry| (entry.name, entry.size)).collect(),
        facts: manifest.facts,
        key_id: manifest.key_id,
        missing,
    })
}

fn cipher(key: &RecoveryKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.0.into())
}

/// STREAM (Hoang, Reyhanitabar, Rogaway, Vizár): prefix, counter, and whether it is the last chunk.
fn nonce(prefix: &[u8; PREFIX], counter: u32, last: bool) -> XNonce {
    let mut nonce = [0; 24];
    nonce[..PREFIX].copy_from_slice(prefix);
    nonce[PREFIX..23].copy_from_slice(&counter.to_be_bytes());
    nonce[23] = u8::from(last);
    XNonce::from(nonce)
}

struct Sealer {
    out: BufWriter<File>,
    cipher: XChaCha20Poly1305,
    prefix: [u8; PREFIX],
    counter: u32,
    held: Vec<u8>,
}

impl Sealer {
    fn seal(&mut self, last: bool) -> io::Result<()> {
        let payload = Payload { msg: &self.held, aad: MAGIC };
        let sealed = self
            .cipher
            .encrypt(&nonce(&self.prefix, self.counter, last), payload)
            .map_err(|_| io::Error::other("a chunk could not be sealed"))?;
        self.held.clear();
        self.counter =
            self.counter.checked_add(1).ok_or_else(|| io::Error::other("an archive holds at most 256 TiB"))?;
        self.out.write_all(&sealed)
    }

    fn finish(mut self) -> io::Result<File> {
        self.seal(true)?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

impl Write for Sealer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk is sealed only when more follows: the last one must say so.
        if self.held.len() == CHUNK {
            self.seal(false)?;
        }
        let count = bytes.len().min(CHUNK - self.held.len());
        self.held.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Opener {
    input: BufReader<File>,
    cipher: XChaCha20Poly1305,
    prefix: [u8; PREFIX],
    counter: u32,
    chunk: Vec<u8>,
    at: usize,
    ended: bool,
    damage: Option<&'static str>,
}

impl Opener {
    fn next(&mut self) -> io::Result<()> {
        let mut sealed = Vec::with_capacity(CHUNK + TAG);
        self.input.by_ref().take((CHUNK + TAG) as u64).read_to_end(&mut sealed)?;
        let last = {
            use std::io::BufRead;
            self.input.fill_buf()?.is_empty()
        };
        let payload = Payload { msg: &sealed, aad: MAGIC };
        let opened = self.cipher.decrypt(&nonce(&self.prefix, self.counter, last), payload).map_err(|_| {
            self.damage = Some(if self.counter == 0 {
                "the recovery key is not the one it was made with, or its beginning is damaged"
            } else {
                "it is damaged, or cut short"
            });
            io::Error::other("a chunk does not open")
        })?;
        self.chunk = opened;
        self.at = 0;
        self.counter += 1;
        self.ended = last;
        Ok(())
    }
}

impl Read for Opener {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            if self.ended {
                return Ok(0);
            }
            self.next()?;
        }
        let count = bytes.len().min(self.chunk.len() - self.at);
        bytes[..count].copy_from_slice(&self.chunk[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
