//! Walking folders of text files, bounded, with every unreadable one named.

use crate::TextFile;
use std::path::{Path, PathBuf};
use tandem_base::read_bounded;

const FILE_BYTES_MAX: usize = 4 << 20;
const FILES_MAX: usize = 200_000;
const DEPTH_MAX: usize = 32;

/// A file or folder that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// Path.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

impl FileProblem {
    /// A problem with its cause.
    pub fn new(path: &Path, cause: &dyn std::fmt::Display) -> Self {
        Self { path: path.to_path_buf(), reason: cause.to_string() }
    }
}

/// The texts below `path` (a file or a folder) whose file name `wanted` accepts, in order of their paths.
/// A file that is named itself is read whatever its name.
pub fn read_texts(path: &Path, wanted: impl Fn(&str) -> bool, problems: &mut Vec<FileProblem>) -> Vec<TextFile> {
    let mut texts = Vec::new();
    if path.is_dir() {
        let mut paths = Vec::new();
        walk(path, &wanted, 0, &mut paths, problems);
        paths.sort();
        for path in paths {
            read(&path, &mut texts, problems);
        }
    } else {
        read(path, &mut texts, problems);
    }
    texts
}

fn walk(
    folder: &Path,
    wanted: &dyn Fn(&str) -> bool,
    depth: usize,
    paths: &mut Vec<PathBuf>,
    problems: &mut Vec<FileProblem>,
) {
    if depth > DEPTH_MAX {
        problems.push(FileProblem::new(folder, &format!("folders are nested deeper than {DEPTH_MAX}")));
        return;
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(FileProblem::new(folder, &error));
            return;
        }
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                problems.push(FileProblem::new(folder, &error));
                continue;
            }
        };
        // Symbolic links to folders are not followed: they may lead in circles.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            walk(&entry.path(), wanted, depth + 1, paths, problems);
        } else if wanted(&entry.file_name().to_string_lossy()) {
            if paths.len() >= FILES_MAX {
                problems.push(FileProblem::new(folder, &format!("more than {FILES_MAX} files; the rest is left out")));
                return;
            }
            paths.push(entry.path());
        }
    }
}

fn read(path: &Path, texts: &mut Vec<TextFile>, problems: &mut Vec<FileProblem>) {
    let text = std::fs::File::open(path)
        .map_err(|error| error.to_string())
        .and_then(|file| read_bounded(file, FILE_BYTES_MAX).map_err(|error| error.to_string()))
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "not UTF-8 text".to_owned()));
    match text {
        Ok(text) => texts.push(TextFile { name: path.display().to_string(), text }),
        Err(reason) => problems.push(FileProblem { path: path.to_path_buf(), reason }),
    }
}
