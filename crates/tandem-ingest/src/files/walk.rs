//! The files under what a person named.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders inside folders that are gone into.
const MAX_DEPTH: usize = 64;

/// A file, and its size when it was found.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
}

/// All files under `path`, sorted by path; what cannot be looked at goes to `unread` with its reason.
/// Folders behind symbolic links are not gone into, since they may lead in a circle.
pub(super) fn walk(path: &Path, found: &mut Vec<Found>, unread: &mut impl FnMut(&Path, String)) {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => folder(path, 0, found, unread),
        Ok(metadata) => one(path, &metadata, found, unread),
        Err(error) => unread(path, error.to_string()),
    }
}

fn folder(path: &Path, depth: usize, found: &mut Vec<Found>, unread: &mut impl FnMut(&Path, String)) {
    if depth > MAX_DEPTH {
        return unread(path, format!("folder lies deeper than {MAX_DEPTH} levels"));
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return unread(path, format!("the folder: {error}")),
    };
    let mut paths = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => paths.push(entry.path()),
            Err(error) => unread(path, format!("the folder breaks off: {error}")),
        }
    }
    paths.sort();
    for path in paths {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => folder(&path, depth + 1, found, unread),
            Ok(metadata) if metadata.is_symlink() => match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => unread(&path, "symbolic link to a folder".to_owned()),
                Ok(metadata) => one(&path, &metadata, found, unread),
                Err(error) => unread(&path, error.to_string()),
            },
            Ok(metadata) => one(&path, &metadata, found, unread),
            Err(error) => unread(&path, error.to_string()),
        }
    }
}

fn one(path: &Path, metadata: &fs::Metadata, found: &mut Vec<Found>, unread: &mut impl FnMut(&Path, String)) {
    if metadata.is_file() {
        found.push(Found { path: path.to_owned(), size_bytes: metadata.len() });
    } else {
        unread(path, "neither a file nor a folder".to_owned());
    }
}
