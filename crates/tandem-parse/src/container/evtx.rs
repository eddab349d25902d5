//! Windows event logs. Each record is rendered as XML; what is damaged is counted and named.

use super::{Leftover, OpenError, RawRecord};
use evtx::{EvtxParser, IntoIterChunks, ParserSettings};
use std::collections::VecDeque;
use std::io::{Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The records of an event log, chunk by chunk.
pub(super) fn records<R: Read + Seek + Send>(reader: R) -> Result<Evtx<R>, OpenError> {
    let settings = ParserSettings::new().indent(false);
    // The reader of the format meets hostile files; a panic in it is one damaged part, not our end.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        EvtxParser::from_read_seek(reader).map(|parser| parser.with_configuration(settings.clone()).into_chunks())
    }));
    let chunks = match opened {
        Ok(Ok(chunks)) => chunks,
        Ok(Err(error)) => return Err(OpenError::Evtx(chain(&error))),
        Err(_) => return Err(OpenError::Evtx("its header is damaged beyond reading".to_owned())),
    };
    Ok(Evtx { chunks, settings: Arc::new(settings), ready: VecDeque::new(), index: 0, chunks_seen: 0 })
}

pub(super) struct Evtx<R: Read + Seek> {
    chunks: IntoIterChunks<R>,
    settings: Arc<ParserSettings>,
    ready: VecDeque<Result<RawRecord, Leftover>>,
    index: u64,
    chunks_seen: u64,
}

/// More chunks than an event log can have (its header counts them in 16 bits): the way out of endless files.
const CHUNKS_MAX: u64 = 1 << 17;

impl<R: Read + Seek> Evtx<R> {
    fn good(&mut self, id: u64, xml: &str) {
        let xml = xml.trim_start_matches('\u{feff}').trim();
        let xml =
            xml.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).map_or(xml, |(_, body)| body.trim_start());
        let record =
            RawRecord { raw: xml.as_bytes().to_vec(), index: self.index, event_record_id: Some(id), facts: Vec::new() };
        self.ready.push_back(Ok(record));
        self.index += 1;
    }

    fn bad(&mut self, reason: String) {
        self.ready.push_back(Err(Leftover { index: self.index, reason }));
        self.index += 1;
    }

    /// Reads the next chunk; false at the end.
    fn fill(&mut self) -> bool {
        if self.chunks_seen >= CHUNKS_MAX {
            return false;
        }
        self.chunks_seen += 1;
        let next = catch_unwind(AssertUnwindSafe(|| self.chunks.next()));
        let mut data = match next {
            Ok(None) => return false,
            Ok(Some(Ok(data))) => data,
            Ok(Some(Err(error))) => {
                self.bad(chain(&error));
                return true;
            }
            Err(_) => {
                self.bad("a chunk is damaged beyond reading; the file is read no further".to_owned());
                self.chunks_seen = CHUNKS_MAX;
                return true;
            }
        };
        let settings = self.settings.clone();
        let results = catch_unwind(AssertUnwindSafe(|| {
            let mut results = Vec::new();
            match data.parse(settings) {
                Err(error) => results.push(Err(chain(&error))),
                Ok(mut chunk) => {
                    let mut records = chunk.iter();
                    loop {
                        let next = catch_unwind(AssertUnwindSafe(|| {
                            records.next().map(|record| {
                                record.and_then(|record| {
                                    let id = record.event_record_id;
                                    record.into_xml().map(|rendered| (id, rendered.data))
                                })
                            })
                        }));
                        match next {
                            Ok(None) => break,
                            Ok(Some(Ok(good))) => results.push(Ok(good)),
                            Ok(Some(Err(error))) => results.push(Err(chain(&error))),
                            Err(_) => {
                                results.push(Err("a record is damaged beyond reading; its chunk is left".to_owned()));
                                break;
                            }
                        }
                    }
                }
            }
            results
        }));
        match results {
            Ok(results) => {
                for result in results {
                    match result {
                        Ok((id, xml)) => self.good(id, &xml),
                        Err(reason) => self.bad(reason),
                    }
                }
            }
            Err(_) => self.bad("a chunk is damaged beyond reading".to_owned()),
        }
        true
    }
}

impl<R: Read + Seek> Iterator for Evtx<R> {
    type Item = Result<RawRecord, Leftover>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            if !self.fill() {
                return None;
            }
        }
    }
}

/// An error with its causes, at most a few hundred characters.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source.filter(|_| text.len() < 300) {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text.chars().take(400).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
