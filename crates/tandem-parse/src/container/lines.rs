//! Text lines. Header lines (Zeek's `#fields`, W3C's `#Fields:`) become facts of the lines below them.

use super::{Leftover, RawRecord};
use std::io::{BufRead, BufReader, Read};

/// A longer line is cut here; the rest is named as left over.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Longer header lines are not kept.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// The lines of a stream, without their ends; empty lines are none.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    index: u64,
    facts: Vec<(String, String)>,
    cut: Option<u64>,
    fault: Option<std::io::Error>,
    done: bool,
    first: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader: BufReader::new(reader),
            index: 0,
            facts: Vec::new(),
            cut: None,
            fault: None,
            done: false,
            first: true,
        }
    }

    /// The next line and how many bytes of it were cut off.
    fn line(&mut self) -> std::io::Result<Option<(Vec<u8>, u64)>> {
        let mut line = Vec::new();
        let mut cut = 0;
        let mut any = false;
        loop {
            let buffer = match self.fault.take().map_or_else(|| self.reader.fill_buf(), Err) {
                Ok(buffer) => buffer,
                Err(fault) if any => {
                    // What came before the fault is still a line.
                    self.fault = Some(fault);
                    return Ok(Some((line, cut)));
                }
                Err(fault) => return Err(fault),
            };
            if buffer.is_empty() {
                return Ok(any.then_some((line, cut)));
            }
            any = true;
            let end = memchr::memchr(b'\n', buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = (LINE_BYTES_MAX - line.len()).min(part.len());
            line.extend_from_slice(&part[..room]);
            cut += (part.len() - room) as u64;
            let taken = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(taken);
            if end.is_some() {
                return Ok(Some((line, cut)));
            }
        }
    }

    fn header(&mut self, line: &[u8]) -> bool {
        if line.first() != Some(&b'#') || line.len() > HEADER_BYTES_MAX {
            return false;
        }
        let Ok(text) = std::str::from_utf8(line) else { return false };
        let mut keep = |name: &str, value: String| {
            self.facts.retain(|(other, _)| other != name);
            self.facts.push((name.to_owned(), value));
        };
        if let Some(names) = text.strip_prefix("#Fields:") {
            keep("header.fields", names.split_ascii_whitespace().collect::<Vec<_>>().join("\t"));
        } else if let Some(software) = text.strip_prefix("#Software:") {
            keep("header.software", software.trim().to_owned());
        } else if let Some(names) = text.strip_prefix("#fields\t") {
            keep("header.fields", names.to_owned());
        } else if let Some(path) = text.strip_prefix("#path\t") {
            keep("header.path", path.to_owned());
        } else {
            let others = [
                "#separator ",
                "#set_separator\t",
                "#empty_field\t",
                "#unset_field\t",
                "#open\t",
                "#close\t",
                "#types\t",
            ];
            let w3c = ["#Version:", "#Date:", "#Start-Date:", "#End-Date:", "#Remark:"];
            return others.iter().chain(&w3c).any(|start| text.starts_with(start));
        }
        true
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Result<RawRecord, Leftover>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(bytes) = self.cut.take() {
            let reason = format!("the line is longer than {LINE_BYTES_MAX} bytes, {bytes} were cut off");
            return Some(Err(Leftover { index: self.index - 1, reason }));
        }
        while !self.done {
            let (mut line, cut) = match self.line() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    self.done = true;
                    let reason = format!("the file could not be read further: {error}");
                    return Some(Err(Leftover { index: self.index, reason }));
                }
            };
            if self.first {
                self.first = false;
                if line.starts_with(b"\xef\xbb\xbf") {
                    line.drain(..3);
                }
            }
            while matches!(line.last(), Some(b'\r' | b'\0')) {
                line.pop();
            }
            if line.iter().all(u8::is_ascii_whitespace) || self.header(&line) {
                continue;
            }
            self.cut = (cut > 0).then_some(cut);
            let record = RawRecord { raw: line, index: self.index, event_record_id: None, facts: self.facts.clone() };
            self.index += 1;
            return Some(Ok(record));
        }
        self.done = true;
        None
    }
}
