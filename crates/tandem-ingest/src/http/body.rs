//! A request's body as decompressed pieces, never more in memory than a piece, never more in all than allowed.

use crate::config::Http;
use crate::counters::Cause;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{HeaderMap, StatusCode};
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http_body_util::BodyExt;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

/// Why a body cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("body is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
    #[error("body grows to more than {limit_bytes} bytes when it is decompressed")]
    Grows { limit_bytes: u64 },
    #[error("body grows more than {limit} times when it is decompressed")]
    Ratio { limit: u64 },
    #[error("body is no valid {encoding}")]
    Corrupt { encoding: &'static str },
    #[error("content encoding `{encoding}` is not understood")]
    Encoding { encoding: String },
    #[error("nothing came for {seconds} s in the middle of the body")]
    Slow { seconds: u64 },
    #[error("body ended before it was complete")]
    Ended,
}

impl BodyError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } | Self::Grows { .. } | Self::Ratio { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Corrupt { .. } | Self::Ended => StatusCode::BAD_REQUEST,
            Self::Encoding { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
        }
    }

    pub(super) fn cause(&self) -> Cause {
        match self {
            Self::TooLarge { .. } | Self::Grows { .. } | Self::Ratio { .. } => Cause::BodyTooLarge,
            Self::Corrupt { .. } | Self::Encoding { .. } => Cause::Compression,
            Self::Slow { .. } => Cause::Timeout,
            Self::Ended => Cause::CutOff,
        }
    }

    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::Grows { .. } | Self::Ratio { .. } => "send smaller requests",
            Self::Corrupt { .. } => "check that Content-Encoding says how the body is compressed",
            Self::Encoding { .. } => "use gzip, deflate, zstd or none",
            Self::Slow { .. } | Self::Ended => "send the request again",
        }
    }
}

/// Compressed bytes that are decompressed at once.
const PIECE: usize = 4 << 10;
/// Decompressed bytes for which no ratio is asked.
const FREE_BYTES: u64 = 4 << 20;

pub(crate) struct BodyReader {
    body: Body,
    decoder: Decoder,
    waiting: VecDeque<Bytes>,
    pause: Duration,
    max_body_bytes: u64,
    max_decoded_bytes: u64,
    max_ratio: u64,
    read_bytes: u64,
    decoded_bytes: u64,
    ended: bool,
}

enum Decoder {
    Plain,
    Gzip(MultiGzDecoder<Bounded>),
    /// Not known yet whether with a zlib header (as HTTP says) or without (as some send).
    Deflate,
    Zlib(ZlibDecoder<Bounded>),
    RawDeflate(DeflateDecoder<Bounded>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Bounded>>),
}

/// Takes what a decoder writes, up to what is allowed.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    room: u64,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.room {
            self.full = true;
            return Err(io::Error::other("more than allowed"));
        }
        self.room -= bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BodyReader {
    pub(crate) fn new(headers: &HeaderMap, body: Body, config: &Http) -> Result<Self, BodyError> {
        let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
        let decoder = match encoding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" | "none" => Decoder::Plain,
            "gzip" | "x-gzip" => Decoder::Gzip(MultiGzDecoder::new(Bounded::default())),
            "deflate" => Decoder::Deflate,
            "zstd" => {
                let mut decoder = zstd::stream::write::Decoder::new(Bounded::default())
                    .map_err(|_| BodyError::Corrupt { encoding: "zstd" })?;
                // RFC 9659: a window of 8 MiB is all that HTTP asks for.
                decoder.window_log_max(23).map_err(|_| BodyError::Corrupt { encoding: "zstd" })?;
                Decoder::Zstd(Box::new(decoder))
            }
            other => return Err(BodyError::Encoding { encoding: other.chars().take(40).collect() }),
        };
        let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > config.max_body_bytes) {
            return Err(BodyError::TooLarge { limit_bytes: config.max_body_bytes });
        }
        Ok(Self {
            body,
            decoder,
            waiting: VecDeque::new(),
            pause: Duration::from_secs(config.body_timeout_s),
            max_body_bytes: config.max_body_bytes,
            max_decoded_bytes: config.max_decoded_bytes,
            max_ratio: config.max_ratio,
            read_bytes: 0,
            decoded_bytes: 0,
            ended: false,
        })
    }

    /// The next piece, `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            if let Some(piece) = self.waiting.pop_front() {
                let out = self.decode(piece)?;
                if !out.is_empty() {
                    return Ok(Some(out));
                }
                continue;
            }
            if self.ended {
                return Ok(None);
            }
            let frame = tokio::time::timeout(self.pause, self.body.frame())
                .await
                .map_err(|_| BodyError::Slow { seconds: self.pause.as_secs() })?;
            match frame {
                None => {
                    self.ended = true;
                    let rest = self.finish()?;
                    if !rest.is_empty() {
                        return Ok(Some(rest));
                    }
                }
                Some(Err(_)) => return Err(BodyError::Ended),
                Some(Ok(frame)) => {
                    let Ok(mut data) = frame.into_data() else { continue };
                    self.read_bytes += data.len() as u64;
                    if self.read_bytes > self.max_body_bytes {
                        return Err(BodyError::TooLarge { limit_bytes: self.max_body_bytes });
                    }
                    let piece = if matches!(self.decoder, Decoder::Plain) { usize::MAX } else { PIECE };
                    while !data.is_empty() {
                        self.waiting.push_back(data.split_to(data.len().min(piece)));
                    }
                }
            }
        }
    }

    fn decode(&mut self, piece: Bytes) -> Result<Bytes, BodyError> {
        if matches!(self.decoder, Decoder::Deflate) {
            let header = piece.get(..2).unwrap_or(&piece);
            let zlib = matches!(header, [first, second]
                if first & 15 == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31));
            self.decoder = if zlib {
                Decoder::Zlib(ZlibDecoder::new(Bounded::default()))
            } else {
                Decoder::RawDeflate(DeflateDecoder::new(Bounded::default()))
            };
        }
        let room = self.room();
        let (written, out, encoding) = match &mut self.decoder {
            Decoder::Plain | Decoder::Deflate => {
                self.decoded_bytes += piece.len() as u64;
                if self.decoded_bytes > self.max_decoded_bytes {
                    return Err(BodyError::TooLarge { limit_bytes: self.max_decoded_bytes });
                }
                return Ok(piece);
            }
            Decoder::Gzip(decoder) => {
                decoder.get_mut().room = room;
                (decoder.write_all(&piece).and_then(|()| decoder.flush()), decoder.get_mut(), "gzip")
            }
            Decoder::Zlib(decoder) => {
                decoder.get_mut().room = room;
                (decoder.write_all(&piece).and_then(|()| decoder.flush()), decoder.get_mut(), "deflate")
            }
            Decoder::RawDeflate(decoder) => {
                decoder.get_mut().room = room;
                (decoder.write_all(&piece).and_then(|()| decoder.flush()), decoder.get_mut(), "deflate")
            }
            Decoder::Zstd(decoder) => {
                decoder.get_mut().room = room;
                (decoder.write_all(&piece).and_then(|()| decoder.flush()), decoder.get_mut(), "zstd")
            }
        };
        let full = std::mem::take(&mut out.full);
        let bytes = std::mem::take(&mut out.bytes);
        self.taken(written, full, bytes, encoding)
    }

    fn finish(&mut self) -> Result<Bytes, BodyError> {
        let room = self.room();
        if self.read_bytes == 0 {
            return Ok(Bytes::new());
        }
        let (written, out, encoding) = match &mut self.decoder {
            Decoder::Plain | Decoder::Deflate => return Ok(Bytes::new()),
            Decoder::Gzip(decoder) => {
                decoder.get_mut().room = room;
                (decoder.try_finish(), decoder.get_mut(), "gzip")
            }
            Decoder::Zlib(decoder) => {
                decoder.get_mut().room = room;
                (decoder.try_finish(), decoder.get_mut(), "deflate")
            }
            Decoder::RawDeflate(decoder) => {
                decoder.get_mut().room = room;
                (decoder.try_finish(), decoder.get_mut(), "deflate")
            }
            // A frame that is cut off shows only in that the last event is not whole.
            Decoder::Zstd(decoder) => {
                decoder.get_mut().room = room;
                (decoder.flush(), decoder.get_mut(), "zstd")
            }
        };
        let full = std::mem::take(&mut out.full);
        let bytes = std::mem::take(&mut out.bytes);
        self.taken(written, full, bytes, encoding)
    }

    fn taken(
        &mut self,
        written: io::Result<()>,
        full: bool,
        bytes: Vec<u8>,
        encoding: &'static str,
    ) -> Result<Bytes, BodyError> {
        if full {
            return Err(if self.room() >= self.max_decoded_bytes.saturating_sub(self.decoded_bytes) {
                BodyError::Grows { limit_bytes: self.max_decoded_bytes }
            } else {
                BodyError::Ratio { limit: self.max_ratio }
            });
        }
        written.map_err(|_| BodyError::Corrupt { encoding })?;
        self.decoded_bytes += bytes.len() as u64;
        Ok(Bytes::from(bytes))
    }

    /// What may still come out, given what has gone in.
    fn room(&self) -> u64 {
        let by_ratio = FREE_BYTES.max(self.read_bytes.saturating_mul(self.max_ratio));
        self.max_decoded_bytes.min(by_ratio).saturating_sub(self.decoded_bytes)
    }
}
