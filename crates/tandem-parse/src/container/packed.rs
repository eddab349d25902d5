//! gzip and zstd, unpacked in a stream that ends where a bomb would begin.

use super::OpenError;
use flate2::read::MultiGzDecoder;
use std::io::{self, Read};

/// A packed file may grow to this many times its size …
pub const PACKED_RATIO_MAX: u64 = 400;
/// … and to this many bytes in any case.
pub const PACKED_BYTES_MAX: u64 = 64 << 30;
/// Small files may grow to this size whatever their ratio.
const PACKED_BYTES_FREE: u64 = 16 << 20;

/// Bytes of a file, unpacked if it was packed.
pub(super) enum Unpacked<R> {
    Plain(R),
    Packed(Limited<Box<dyn Read + Send>>),
}

impl<R> Unpacked<R> {
    pub(super) fn is_packed(&self) -> bool {
        matches!(self, Self::Packed(_))
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(buffer),
            Self::Packed(reader) => reader.read(buffer),
        }
    }
}

const GZIP: &[u8] = b"\x1f\x8b\x08";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

pub(super) fn is_packed(head: &[u8]) -> bool {
    head.starts_with(GZIP) || head.starts_with(ZSTD)
}

/// The reader, unpacking if `head` says so; `size` is the packed size in bytes.
pub(super) fn unpack<R: Read + Send + 'static>(head: &[u8], reader: R, size: u64) -> Result<Unpacked<R>, OpenError> {
    let limit = (size.saturating_mul(PACKED_RATIO_MAX)).clamp(PACKED_BYTES_FREE, PACKED_BYTES_MAX);
    let inner: Box<dyn Read + Send> = if head.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(reader))
    } else if head.starts_with(ZSTD) {
        let mut decoder = zstd::stream::read::Decoder::new(reader)?;
        // 128 MiB of window, what `zstd -19` needs; more would let a file claim our memory.
        decoder.window_log_max(27)?;
        Box::new(decoder)
    } else {
        return Ok(Unpacked::Plain(reader));
    };
    Ok(Unpacked::Packed(Limited { inner, left: limit, limit }))
}

/// Fails with a sentence where more than the limit would come out.
pub(super) struct Limited<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.inner.read(buffer)?;
        if taken as u64 > self.left {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it unpacks to more than {} bytes; unpack it yourself if that is right", self.limit),
            ));
        }
        self.left -= taken as u64;
        Ok(taken)
    }
}
