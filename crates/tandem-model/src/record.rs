//! What a sender sent, with everything that is known about how it came.

use crate::{RecordId, RunId};
use std::net::IpAddr;
use std::str::FromStr;
use tandem_base::Timestamp;

/// How a record came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// One syslog datagram.
    SyslogUdp,
    /// One frame of a syslog stream.
    SyslogTcp,
    /// One frame of a syslog stream over TLS.
    SyslogTls,
    /// One line of an HTTP NDJSON body.
    Http,
    /// One event of the Splunk HTTP event collector.
    Hec,
    /// One document of an Elasticsearch `_bulk` request.
    Bulk,
    /// One record of an imported file.
    Import,
    /// One line of a followed file.
    Tail,
}

/// Raw bytes with their source, peer, receive time and transport facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Place in the spool; not part of the encoding.
    pub id: RecordId,
    /// The source that delivered it, by its name.
    pub source: String,
    /// The network peer.
    pub peer: Option<IpAddr>,
    /// When it was received.
    pub received: Timestamp,
    /// How.
    pub transport: Transport,
    /// Facts of the transport: `hec.sourcetype`, `bulk.index`, `file.path`, `file.record` (0-based), `file.format` …
    pub facts: Vec<(String, String)>,
    /// The import it belongs to, if it is history.
    pub run: Option<RunId>,
    /// The bytes as sent, without framing.
    pub raw: Vec<u8>,
}

/// Bytes that are no encoded record: the spool's checksum held, so another version wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("record has an unknown encoding; it was written by another version of tandem")]
pub struct RecordError;

const VERSION: u8 = 1;

impl Transport {
    const ALL: [(Self, &'static str); 8] = [
        (Self::SyslogUdp, "syslog-udp"),
        (Self::SyslogTcp, "syslog-tcp"),
        (Self::SyslogTls, "syslog-tls"),
        (Self::Http, "http"),
        (Self::Hec, "hec"),
        (Self::Bulk, "bulk"),
        (Self::Import, "import"),
        (Self::Tail, "tail"),
    ];

    /// The word used in screens, metrics and configuration.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(transport, _)| *transport == self).map_or("", |(_, word)| word)
    }
}

impl FromStr for Transport {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(_, word)| *word == text).map(|(transport, _)| *transport).ok_or(())
    }
}

impl Record {
    /// A fact by name.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The payload that the spool keeps (`docs/formats/record.md`).
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        out.push(
            Transport::ALL.iter().position(|(transport, _)| *transport == self.transport).map_or(0, |at| at as u8),
        );
        out.extend_from_slice(&self.received.micros().to_le_bytes());
        match self.peer {
            None => out.push(0),
            Some(IpAddr::V4(address)) => {
                out.push(4);
                out.extend_from_slice(&address.octets());
            }
            Some(IpAddr::V6(address)) => {
                out.push(6);
                out.extend_from_slice(&address.octets());
            }
        }
        match self.run {
            None => out.push(0),
            Some(run) => {
                out.push(1);
                out.extend_from_slice(&run.0);
            }
        }
        put(out, self.source.as_bytes());
        out.extend_from_slice(&(self.facts.len() as u32).to_le_bytes());
        for (name, value) in &self.facts {
            put(out, name.as_bytes());
            put(out, value.as_bytes());
        }
        put(out, &self.raw);
    }

    /// The record with the place `id` from its payload.
    pub fn decode(id: RecordId, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut rest = Reader(bytes);
        if rest.byte()? != VERSION {
            return Err(RecordError);
        }
        let transport = Transport::ALL.get(usize::from(rest.byte()?)).ok_or(RecordError)?.0;
        let received = Timestamp::from_micros(i64::from_le_bytes(rest.array()?));
        let peer = match rest.byte()? {
            0 => None,
            4 => Some(IpAddr::from(rest.array::<4>()?)),
            6 => Some(IpAddr::from(rest.array::<16>()?)),
            _ => return Err(RecordError),
        };
        let run = match rest.byte()? {
            0 => None,
            1 => Some(RunId(rest.array()?)),
            _ => return Err(RecordError),
        };
        let source = rest.text()?;
        let count = u32::from_le_bytes(rest.array()?);
        let mut facts = Vec::new();
        for _ in 0..count {
            facts.push((rest.text()?, rest.text()?));
        }
        let raw = rest.part()?.to_vec();
        if !rest.0.is_empty() {
            return Err(RecordError);
        }
        Ok(Self { id, source, peer, received, transport, facts, run, raw })
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordError> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(RecordError)?;
        self.0 = tail;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, RecordError> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        self.take(N)?.try_into().map_err(|_| RecordError)
    }

    fn part(&mut self) -> Result<&'a [u8], RecordError> {
        let count = u32::from_le_bytes(self.array()?);
        self.take(count as usize)
    }

    fn text(&mut self) -> Result<String, RecordError> {
        String::from_utf8(self.part()?.to_vec()).map_err(|_| RecordError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encode_and_decode_and_no_panic_on_any_cut() {
        let record = Record {
            id: RecordId { epoch: 7, offset: 9 },
            source: "web1".to_owned(),
            peer: Some("10.0.0.1".parse().unwrap()),
            received: Timestamp::from_seconds(5),
            transport: Transport::Hec,
            facts: vec![("hec.host".to_owned(), "a".to_owned())],
            run: Some(RunId([3; 16])),
            raw: b"\xff<34>text".to_vec(),
        };
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        assert_eq!(Record::decode(record.id, &bytes).unwrap(), record);
        for cut in 0..bytes.len() {
            assert_eq!(Record::decode(record.id, &bytes[..cut]), Err(RecordError), "cut at {cut}");
        }
    }
}
