//! JSON documents after each other, with or without line breaks between and inside.

use super::{Leftover, RawRecord};
use std::io::{BufRead, BufReader, Read};

/// A document larger than this is not read.
pub(super) const DOCUMENT_BYTES_MAX: usize = 16 << 20;

/// The documents of a stream: NDJSON, pretty-printed and concatenated JSON alike. A list at the top is taken apart
/// when `lists` says so.
pub struct Documents<R> {
    reader: BufReader<R>,
    index: u64,
    done: bool,
    inside_list: bool,
    take_lists_apart: bool,
}

/// The documents of `reader`; a list at the top stays one document.
pub fn json_documents<R: Read>(reader: R) -> Documents<R> {
    Documents { reader: BufReader::new(reader), index: 0, done: false, inside_list: false, take_lists_apart: false }
}

impl<R: Read> Documents<R> {
    /// Takes lists at the top apart: each element is a record.
    #[must_use]
    pub fn lists_apart(mut self) -> Self {
        self.take_lists_apart = true;
        self
    }

    /// Begins inside a list whose opening bracket has been read.
    #[must_use]
    pub(super) fn inside_list(mut self) -> Self {
        self.inside_list = true;
        self.take_lists_apart = true;
        self
    }

    fn leftover(&mut self, reason: impl Into<String>) -> Result<RawRecord, Leftover> {
        let index = self.index;
        self.index += 1;
        Err(Leftover { index, reason: reason.into() })
    }

    /// The next byte that is not blank or a separator, not consumed.
    fn peek(&mut self) -> std::io::Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let skip = buffer
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x1e | 0xef | 0xbb | 0xbf))
                .unwrap_or(buffer.len());
            let found = buffer.get(skip).copied();
            self.reader.consume(skip);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// One document: to its closing bracket, or to the end of the line for anything else.
    fn document(&mut self, first: u8) -> std::io::Result<Result<Vec<u8>, String>> {
        let mut bytes = Vec::new();
        let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
        let nested = matches!(first, b'{' | b'[');
        let mut too_large = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(if nested {
                    Err("the file ends inside a JSON document".to_owned())
                } else {
                    Err("it is no JSON object".to_owned())
                });
            }
            let mut end = None;
            for (at, byte) in buffer.iter().enumerate() {
                if !nested {
                    if *byte == b'\n' {
                        end = Some(at + 1);
                        break;
                    }
                    continue;
                }
                if in_text {
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => in_text = false,
                        _ => {}
                    }
                    continue;
                }
                match byte {
                    b'"' => in_text = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            end = Some(at + 1);
                            break;
                        }
                    }
                    _ => {}
                }
            }
            let taken = end.unwrap_or(buffer.len());
            too_large |= bytes.len() + taken > DOCUMENT_BYTES_MAX;
            if too_large {
                bytes.clear();
            } else {
                bytes.extend_from_slice(&buffer[..taken]);
            }
            self.reader.consume(taken);
            if end.is_some() {
                return Ok(if too_large {
                    Err(format!("the document is larger than {DOCUMENT_BYTES_MAX} bytes"))
                } else if nested {
                    Ok(bytes)
                } else {
                    Err("it is no JSON object".to_owned())
                });
            }
        }
    }

    fn read(&mut self) -> Option<Result<RawRecord, Leftover>> {
        loop {
            let first = match self.peek() {
                Ok(Some(byte)) => byte,
                Ok(None) => {
                    self.done = true;
                    return None;
                }
                Err(error) => {
                    self.done = true;
                    return Some(self.leftover(format!("the file could not be read further: {error}")));
                }
            };
            if first == b'[' && self.take_lists_apart && !self.inside_list {
                self.reader.consume(1);
                self.inside_list = true;
                continue;
            }
            if matches!(first, b']' | b'}') {
                self.reader.consume(1);
                self.inside_list = false;
                continue;
            }
            return Some(match self.document(first) {
                Ok(Ok(raw)) => {
                    let index = self.index;
                    self.index += 1;
                    Ok(RawRecord { raw, index, event_record_id: None, facts: Vec::new() })
                }
                Ok(Err(reason)) => self.leftover(reason),
                Err(error) => {
                    self.done = true;
                    self.leftover(format!("the file could not be read further: {error}"))
                }
            });
        }
    }
}

impl<R: Read> Iterator for Documents<R> {
    type Item = Result<RawRecord, Leftover>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done { None } else { self.read() }
    }
}
