//! Copies somebody's rules, a folder or an archive, into a site, and says under which licence they come.

use crate::built_in::is_rule;
use crate::files::read_texts;
use crate::{FileProblem, TextFile};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use tandem_base::{BoundedError, fail, read_bounded};

const TOTAL_BYTES_MAX: u64 = 256 << 20;
const FILES_MAX: usize = 100_000;
const FILE_BYTES_MAX: usize = 4 << 20;

/// What was copied.
#[derive(Debug)]
pub struct Installed {
    /// Rule files written.
    pub files: usize,
    /// Text of the licence file that came with them, if there was one.
    pub licence: Option<String>,
    /// Where they are now.
    pub folder: PathBuf,
    /// What could not be read.
    pub problems: Vec<FileProblem>,
}

/// Why rules were not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Not readable.
    #[error("{path} could not be read")]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// Not an archive that can be read.
    #[error("{0} is neither a folder nor a .zip, .tar, .tar.gz or .tar.zst archive that can be read")]
    Archive(PathBuf),
    /// Larger than any rule set.
    #[error("{path} holds more than {limit}; that is no rule set")]
    TooLarge {
        /// Archive.
        path: PathBuf,
        /// The limit that was passed.
        limit: String,
    },
    /// No rules inside.
    #[error("{0} holds no rule files (.yml, .yaml)")]
    Empty(PathBuf),
    /// Not writable.
    #[error("rules could not be written to {path}")]
    Write {
        /// Folder.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
}

/// Copies the rule files of `from` into `folder`/NAME, where NAME is that of `from`; an earlier copy is replaced.
pub fn install_rules(from: &Path, folder: &Path) -> Result<Installed, InstallError> {
    let mut problems = Vec::new();
    let files = if from.is_dir() { folder_files(from, &mut problems) } else { archive_files(from)? };
    let licence = files
        .iter()
        .filter(|file| is_licence(&file.name))
        .min_by_key(|file| file.name.len())
        .map(|file| file.text.clone());
    let rules: Vec<&TextFile> = files.iter().filter(|file| is_rule(&file.name)).collect();
    if rules.is_empty() {
        return Err(InstallError::Empty(from.to_path_buf()));
    }
    let name = from.file_name().unwrap_or_default().to_string_lossy();
    let name = name.split('.').next().filter(|name| !name.is_empty()).unwrap_or("rules");
    let target = folder.join(name);
    let write = |source| InstallError::Write { path: target.clone(), source };
    // Beside the folder of rules until all of it is on disk: whatever happens, a site reads the rules from before or
    // the new ones, whole. What a crash leaves there the next installation removes.
    let staging = folder.parent().unwrap_or(folder).join(format!(".installing-{name}"));
    remove_folder(&staging).map_err(write)?;
    std::fs::create_dir_all(folder).map_err(write)?;
    for file in &rules {
        put(&staging.join(&file.name), &file.text).map_err(write)?;
    }
    if let Some(text) = &licence {
        put(&staging.join("LICENSE"), text).map_err(write)?;
    }
    fail::point("rules.written");
    take_place(&staging, &target).map_err(write)?;
    sync_folder(folder).map_err(write)?;
    fail::point("rules.exchanged");
    remove_folder(&staging).map_err(write)?;
    Ok(Installed { files: rules.len(), licence, folder: target, problems })
}

/// Writes a file, durable under its name.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Puts `new` in the place of `target` in one step; what was there before is called `new` then.
fn take_place(new: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    if !target.exists() {
        return std::fs::rename(new, target);
    }
    match renameat_with(CWD, new, CWD, target, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        // Not every file system can exchange two names: there two steps have to do.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {
            let mut aside = new.as_os_str().to_owned();
            aside.push("-before");
            let aside = PathBuf::from(aside);
            remove_folder(&aside)?;
            std::fs::rename(target, &aside)?;
            std::fs::rename(new, target)?;
            remove_folder(&aside)
        }
        Err(error) => Err(error.into()),
    }
}

fn is_licence(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
    name.starts_with("LICENSE") || name.starts_with("LICENCE")
}

fn folder_files(folder: &Path, problems: &mut Vec<FileProblem>) -> Vec<TextFile> {
    let mut files = read_texts(folder, |name| is_rule(name) || is_licence(name), problems);
    for file in &mut files {
        if let Ok(inner) = Path::new(&file.name).strip_prefix(folder) {
            file.name = inner.display().to_string();
        }
    }
    files
}

fn archive_files(path: &Path) -> Result<Vec<TextFile>, InstallError> {
    let read = |source| InstallError::Read { path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(read)?;
    let mut head = [0; 4];
    let got = file.read(&mut head).map_err(read)?;
    file.seek(SeekFrom::Start(0)).map_err(read)?;
    let files = match &head[..got] {
        [b'P', b'K', ..] => zip_files(path, file)?,
        [0x1f, 0x8b, ..] => tar_files(path, flate2::read::MultiGzDecoder::new(file))?,
        [0x28, 0xb5, 0x2f, 0xfd] => tar_files(path, zstd::Decoder::new(file).map_err(read)?)?,
        _ => tar_files(path, file)?,
    };
    Ok(files)
}

/// Collects files while the sum stays within the limits.
struct Collector<'a> {
    path: &'a Path,
    files: Vec<TextFile>,
    bytes: u64,
}

impl<'a> Collector<'a> {
    fn new(path: &'a Path) -> Self {
        Self { path, files: Vec::new(), bytes: 0 }
    }

    fn take(&mut self, name: &Path, reader: impl Read) -> Result<(), InstallError> {
        let plain = name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let Some(name) = name.to_str().filter(|name| plain && (is_rule(name) || is_licence(name))) else {
            return Ok(());
        };
        let too_large = |limit: String| InstallError::TooLarge { path: self.path.to_path_buf(), limit };
        if self.files.len() >= FILES_MAX {
            return Err(too_large(format!("{FILES_MAX} files")));
        }
        let bytes = match read_bounded(reader, FILE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(BoundedError::TooLarge { limit_bytes }) => {
                return Err(too_large(format!("{limit_bytes} bytes in one file")));
            }
            Err(BoundedError::Read(_)) => return Err(InstallError::Archive(self.path.to_path_buf())),
        };
        self.bytes += bytes.len() as u64;
        if self.bytes > TOTAL_BYTES_MAX {
            return Err(too_large(format!("{TOTAL_BYTES_MAX} bytes")));
        }
        if let Ok(text) = String::from_utf8(bytes) {
            self.files.push(TextFile { name: name.trim_start_matches("./").to_owned(), text });
        }
        Ok(())
    }
}

fn tar_files(path: &Path, reader: impl Read) -> Result<Vec<TextFile>, InstallError> {
    let broken = |_| InstallError::Archive(path.to_path_buf());
    // Headers of huge sparse archives are read too; the bound ends a decompression bomb.
    let mut archive = tar::Archive::new(reader.take(TOTAL_BYTES_MAX * 4));
    let mut collector = Collector::new(path);
    for entry in archive.entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        if entry.header().entry_type().is_file() {
            let name = entry.path().map_err(broken)?.into_owned();
            collector.take(&name, entry)?;
        }
    }
    Ok(collector.files)
}

fn zip_files(path: &Path, file: File) -> Result<Vec<TextFile>, InstallError> {
    let broken = |_| InstallError::Archive(path.to_path_buf());
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    let mut collector = Collector::new(path);
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(broken)?;
        if entry.is_file() {
            let name = PathBuf::from(entry.name().map_err(broken)?.into_owned());
            collector.take(&name, entry)?;
        }
    }
    Ok(collector.files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "title: X\nlogsource:\n  product: x\ndetection:\n  s:\n    a: b\n  condition: s\n";

    #[test]
    fn a_folder_and_an_archive_give_the_same_rules_and_their_licence() {
        let scratch = std::env::temp_dir().join(format!("tandem-install-{}", std::process::id()));
        let from = scratch.join("set");
        std::fs::create_dir_all(from.join("rules")).unwrap();
        std::fs::write(from.join("rules/a.yml"), RULE).unwrap();
        std::fs::write(from.join("LICENSE"), "some licence").unwrap();
        let first = install_rules(&from, &scratch.join("one")).unwrap();
        assert_eq!((first.files, first.licence.as_deref()), (1, Some("some licence")));

        let mut builder = tar::Builder::new(Vec::new());
        builder.append_dir_all(".", &from).unwrap();
        std::fs::write(scratch.join("set.tar"), builder.into_inner().unwrap()).unwrap();
        let second = install_rules(&scratch.join("set.tar"), &scratch.join("two")).unwrap();
        assert_eq!((second.files, second.licence.as_deref()), (1, Some("some licence")));
        assert!(second.folder.join("rules/a.yml").exists());

        std::fs::write(scratch.join("noise.tar"), b"not an archive at all").unwrap();
        assert!(install_rules(&scratch.join("noise.tar"), &scratch.join("three")).is_err());
        std::fs::remove_dir_all(scratch).unwrap();
    }
}
