//! What makes a file the same file under another name: device, inode and how it begins. Inodes are used again
//! after a file is removed, names after a rotation; both together with the beginning are not.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use tandem_base::hex;

/// Bytes of the beginning that are looked at.
const HEAD_BYTES: usize = 1024;

/// Which file it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// SHA-256 of the first `head_bytes` bytes, as hexadecimal digits.
    pub head: String,
    /// How much of the beginning was hashed: at most 1,024 bytes, less while the file is shorter.
    pub head_bytes: usize,
}

impl Identity {
    /// The identity of an open file as it is now.
    pub fn of(file: &File, metadata: &Metadata) -> io::Result<Self> {
        let (head, head_bytes) = head(file, HEAD_BYTES)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), head, head_bytes })
    }

    /// Whether `file` still begins as it did.
    pub(super) fn still(&self, file: &File) -> io::Result<bool> {
        let (now, bytes) = head(file, self.head_bytes)?;
        Ok(bytes == self.head_bytes && now == self.head)
    }

    /// Whether more of the beginning can be hashed than was.
    pub(super) fn can_grow(&self) -> bool {
        self.head_bytes < HEAD_BYTES
    }
}

fn head(file: &File, bytes: usize) -> io::Result<(String, usize)> {
    let mut buffer = vec![0; bytes];
    let mut filled = 0;
    while filled < bytes {
        match file.read_at(&mut buffer[filled..], filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((hex(&Sha256::digest(&buffer[..filled])), filled))
}
