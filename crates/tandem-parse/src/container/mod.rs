//! Files taken apart into raw records: EVTX, JSON in its usual arrangements, XML exports, text lines with and without
//! header lines, each also packed with gzip or zstd. The format is told from the content, not from the name.

mod evtx;
mod foreign;
mod json;
mod lines;
mod packed;
mod utf16;
mod xml;

pub use json::{Documents, json_documents};
pub use packed::{PACKED_BYTES_MAX, PACKED_RATIO_MAX};

use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// The start of a file that is looked at to tell its format.
const HEAD_BYTES: usize = 8192;
/// An EVTX file inside gzip or zstd must be read at random places, so it is unpacked to memory up to this size.
const PACKED_EVTX_BYTES_MAX: usize = 512 << 20;

/// One record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// The record's bytes, in UTF-8 where the container knows the encoding.
    pub raw: Vec<u8>,
    /// 0-based place in the file, counting unreadable records too.
    pub index: u64,
    /// The record id that Windows gave it.
    pub event_record_id: Option<u64>,
    /// What the container says about the record, for [`tandem_model::Record::facts`]: `file.format`, and for lines under
    /// a header `header.fields` (names, tab between), `header.path` (Zeek) or `header.software` (W3C).
    pub facts: Vec<(String, String)>,
}

/// What could not be read, named; reading goes on where that is possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {index}: {reason}")]
pub struct Leftover {
    /// 0-based place in the file.
    pub index: u64,
    /// One sentence.
    pub reason: String,
}

/// Why a file cannot be taken apart at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its bytes could not be read.
    #[error("the file cannot be read")]
    Read(#[from] io::Error),
    /// It begins like an event log of Windows and is none.
    #[error("the event log cannot be opened: {0}")]
    Evtx(String),
    /// It is no log: another kind of file, or bytes without meaning.
    #[error("{0}")]
    Foreign(String),
    /// It is packed twice, or unpacks to more than may be held.
    #[error("the packed file is not read: {0}")]
    Packed(String),
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Windows event log.
    Evtx,
    /// JSON documents, one a line or not, or a list of them.
    Json,
    /// Exported Windows events.
    Xml,
    /// Text lines.
    Lines,
}

impl Format {
    /// The word in the fact `file.format`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Evtx => "evtx",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Lines => "lines",
        }
    }
}

/// The records of a file in order.
pub struct Records {
    format: Format,
    inner: Box<dyn Iterator<Item = Result<RawRecord, Leftover>> + Send>,
}

impl Records {
    /// What the file is.
    pub fn format(&self) -> Format {
        self.format
    }
}

impl Iterator for Records {
    type Item = Result<RawRecord, Leftover>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut next = self.inner.next()?;
        if let Ok(record) = &mut next {
            record.facts.push(("file.format".to_owned(), self.format.word().to_owned()));
        }
        Some(next)
    }
}

/// Takes `reader` apart. `name` is only for messages; the content says what it is.
pub fn open<R: Read + Seek + Send + 'static>(name: &str, mut reader: R) -> Result<Records, OpenError> {
    let size = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    let head = read_head(&mut reader)?;
    reader.seek(SeekFrom::Start(0))?;
    if head.starts_with(b"ElfFile\0") {
        return Ok(Records { format: Format::Evtx, inner: Box::new(evtx::records(reader)?) });
    }
    let mut unpacked = packed::unpack(&head, reader, size)?;
    let is_packed = unpacked.is_packed();
    let (head, fault) = read_unpacked_head(&mut unpacked);
    if is_packed && head.starts_with(b"ElfFile\0") {
        let rest = tandem_base::read_bounded(unpacked, PACKED_EVTX_BYTES_MAX)
            .map_err(|error| OpenError::Packed(format!("an event log inside: {error}")))?;
        let whole = [head, rest].concat();
        return Ok(Records { format: Format::Evtx, inner: Box::new(evtx::records(Cursor::new(whole))?) });
    }
    if is_packed && packed::is_packed(&head) {
        return Err(OpenError::Packed(format!("`{name}` is packed twice; unpack it once")));
    }
    // A packed file of which nothing comes out is told from an empty one.
    if let (true, Some(fault)) = (head.is_empty(), &fault) {
        return Err(OpenError::Packed(format!("nothing can be unpacked: {fault}; copy it again from where it came")));
    }
    if let Some(reason) = foreign::reason(&head) {
        return Err(OpenError::Foreign(reason));
    }
    let stream = Cursor::new(head.clone()).chain(Broken(fault)).chain(unpacked);
    if let Some(order) = utf16::order(&head) {
        let mut decoded = utf16::Utf16::new(stream, order);
        let (head, fault) = read_unpacked_head(&mut decoded);
        let stream = Cursor::new(head.clone()).chain(Broken(fault)).chain(decoded);
        return Ok(text(&head, stream));
    }
    Ok(text(&head, stream))
}

/// What could be read of the head, and the fault that ended it: the records before it still count.
fn read_unpacked_head(reader: &mut impl Read) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let fault = reader.take(HEAD_BYTES as u64).read_to_end(&mut head).err();
    (head, fault)
}

/// Fails once where a fault was met before; without one it is empty.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn read_head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    reader.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Formats of text, told from its first characters.
fn text<R: Read + Send + 'static>(head: &[u8], stream: R) -> Records {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let start = head.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    let head = &head[start..];
    let second = head.get(1..).and_then(|rest| rest.iter().find(|byte| !byte.is_ascii_whitespace())).copied();
    let records: Box<dyn Iterator<Item = Result<RawRecord, Leftover>> + Send> = match (head.first(), second) {
        (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{')) => {
            let documents = json_documents(stream).lists_apart();
            let documents = if json::is_record_list(head) { documents.below_first_list() } else { documents };
            return Records { format: Format::Json, inner: Box::new(documents) };
        }
        (Some(b'<'), _) if xml::is_export(head) => {
            return Records { format: Format::Xml, inner: Box::new(xml::Exported::new(stream)) };
        }
        _ => Box::new(lines::Lines::new(stream)),
    };
    Records { format: Format::Lines, inner: records }
}
