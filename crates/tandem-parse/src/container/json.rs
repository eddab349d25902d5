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
    /// `{"Records": [` has still to be passed.
    below_first_list: bool,
    /// What follows that list is no record.
    ends_with_list: bool,
}

/// The documents of `reader`; a list at the top stays one document.
pub fn json_documents<R: Read>(reader: R) -> Documents<R> {
    Documents {
        reader: BufReader::new(reader),
        index: 0,
        done: false,
        inside_list: false,
        take_lists_apart: false,
        below_first_list: false,
        ends_with_list: false,
    }
}

impl<R: Read> Documents<R> {
    /// Takes lists at the top apart: each element is a record.
    #[must_use]
    pub fn lists_apart(mut self) -> Self {
        self.take_lists_apart = true;
        self
    }

    /// Begins below the first `[`: for `{"Records": [ … ]}`.
    #[must_use]
    pub(super) fn below_first_list(mut self) -> Self {
        self.below_first_list = true;
        self.ends_with_list = true;
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
        // Bytes before, to know a document that was broken off from one that goes on.
        let (mut last, mut at_line_start) = (0_u8, false);
        let nested = matches!(first, b'{' | b'[');
        let mut too_large = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(if nested { Err("the file ends inside a JSON document".to_owned()) } else { Ok(bytes) });
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
                    if *byte == b'\n' {
                        // JSON has no line break in a text: it was broken off.
                        end = Some(at + 1);
                        break;
                    }
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => in_text = false,
                        _ => {}
                    }
                    continue;
                }
                if at_line_start && *byte == b'{' && !matches!(last, b',' | b'[' | b':' | b'{' | 0) {
                    end = Some(at);
                    break;
                }
                at_line_start = *byte == b'\n';
                if !byte.is_ascii_whitespace() {
                    last = *byte;
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
                } else {
                    // A line between that is no JSON is a record, too.
                    while bytes.last().is_some_and(u8::is_ascii_whitespace) {
                        bytes.pop();
                    }
                    Ok(bytes)
                });
            }
        }
    }

    fn skip_to_list(&mut self) -> std::io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let at = memchr::memchr(b'[', buffer);
            let taken = at.map_or(buffer.len(), |at| at + 1);
            self.reader.consume(taken);
            if at.is_some() {
                return Ok(());
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
            if self.below_first_list {
                self.below_first_list = false;
                if self.skip_to_list().is_err() {
                    self.done = true;
                    return Some(self.leftover("the file could not be read further"));
                }
                self.inside_list = true;
                continue;
            }
            if first == b'[' && self.take_lists_apart && !self.inside_list {
                self.reader.consume(1);
                self.inside_list = true;
                continue;
            }
            if matches!(first, b']' | b'}') {
                self.reader.consume(1);
                if self.ends_with_list {
                    self.done = true;
                    return None;
                }
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

/// Whether the text begins like `{"Records": [{`: one object around a list of records.
pub(super) fn is_record_list(head: &[u8]) -> bool {
    let squeezed: Vec<u8> = head.iter().filter(|byte| !byte.is_ascii_whitespace()).take(32).copied().collect();
    ["{\"Records\":[{", "{\"records\":[{", "{\"value\":[{"].iter().any(|start| squeezed.starts_with(start.as_bytes()))
}
