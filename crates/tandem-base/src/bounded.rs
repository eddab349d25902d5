//! Reading foreign bytes without trusting their size.

use std::io::{self, Read};

/// Why a bounded read stopped.
#[derive(Debug, thiserror::Error)]
pub enum BoundedError {
    /// More than the limit would have come out.
    #[error("input is larger than the limit of {limit_bytes} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit_bytes: usize,
    },
    /// The reader failed, for instance a broken gzip stream.
    #[error("input could not be read")]
    Read(#[from] io::Error),
}

/// Reads `reader` to its end, at most `limit_bytes` bytes: the way to take a body
/// or a decompressed stream from somebody else.
pub fn read_bounded(reader: impl Read, limit_bytes: usize) -> Result<Vec<u8>, BoundedError> {
    let mut bytes = Vec::new();
    let taken = reader.take(limit_bytes as u64 + 1).read_to_end(&mut bytes)?;
    if taken > limit_bytes {
        return Err(BoundedError::TooLarge { limit_bytes });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_one_byte_past_the_limit() {
        assert_eq!(read_bounded(&b"12345"[..], 5).unwrap(), b"12345");
        assert!(matches!(read_bounded(io::repeat(0), 5), Err(BoundedError::TooLarge { limit_bytes: 5 })));
    }
}
