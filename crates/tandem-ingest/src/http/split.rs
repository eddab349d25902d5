//! Cuts a body that comes in pieces into lines, or into JSON objects.

use axum::body::Bytes;
use bytes::{Buf, BytesMut};
use memchr::{memchr, memchr2};

/// Lines, without their terminator; empty ones too.
pub(crate) struct Lines {
    buffer: BytesMut,
    seen: usize,
    limit_bytes: usize,
    passing: bool,
}

/// What a body yields.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A line or object.
    Whole(Bytes),
    /// A line longer than the limit; its rest is passed over.
    TooLong,
}

impl Lines {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { buffer: BytesMut::new(), seen: 0, limit_bytes, passing: false }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next line that is complete; at the `end` of the body what is left, too.
    pub(crate) fn next(&mut self, end: bool) -> Option<Part> {
        loop {
            match memchr(b'\n', &self.buffer[self.seen..]) {
                Some(place) => {
                    let mut line = self.buffer.split_to(self.seen + place);
                    self.buffer.advance(1);
                    self.seen = 0;
                    if std::mem::take(&mut self.passing) {
                        continue;
                    }
                    if line.last() == Some(&b'\r') {
                        line.truncate(line.len() - 1);
                    }
                    return Some(if line.len() > self.limit_bytes {
                        Part::TooLong
                    } else {
                        Part::Whole(line.freeze())
                    });
                }
                None if self.passing => {
                    self.buffer.clear();
                    self.seen = 0;
                    return None;
                }
                None if self.buffer.len() > self.limit_bytes => {
                    self.buffer.clear();
                    self.seen = 0;
                    self.passing = !end;
                    return Some(Part::TooLong);
                }
                None if end && !self.buffer.is_empty() => {
                    self.seen = 0;
                    let mut line = self.buffer.split();
                    if line.last() == Some(&b'\r') {
                        line.truncate(line.len() - 1);
                    }
                    return Some(Part::Whole(line.freeze()));
                }
                None => {
                    self.seen = self.buffer.len();
                    return None;
                }
            }
        }
    }
}

/// Why a body is no sequence of JSON objects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("an object has to begin here, but there is `{found}`")]
    NoObject { found: char },
    #[error("JSON is nested deeper than {limit} levels")]
    TooDeep { limit: usize },
    #[error("JSON object is larger than {limit_bytes} bytes")]
    TooLong { limit_bytes: usize },
    #[error("brackets do not match")]
    Unbalanced,
    #[error("JSON ends inside an object")]
    Ended,
}

/// JSON objects that follow each other with or without white space, commas, or an array around them.
///
/// Only brackets and strings are looked at: what is cut out may still be no JSON.
pub(crate) struct Objects {
    buffer: BytesMut,
    seen: usize,
    state: State,
    stack: Vec<u8>,
    array: bool,
    begun: bool,
    limit_bytes: usize,
    max_depth: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Inside,
    InString,
    Escaped,
}

impl Objects {
    pub(crate) fn new(limit_bytes: usize, max_depth: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            seen: 0,
            state: State::Between,
            stack: Vec::new(),
            array: false,
            begun: false,
            limit_bytes,
            max_depth,
        }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next object that is complete, as it was sent.
    pub(crate) fn next(&mut self, end: bool) -> Result<Option<Bytes>, JsonError> {
        if self.state == State::Between && !self.begin()? {
            return if end && self.array { Err(JsonError::Ended) } else { Ok(None) };
        }
        while self.seen < self.buffer.len() {
            match self.state {
                State::Escaped => {
                    self.seen += 1;
                    self.state = State::InString;
                }
                State::InString => match memchr2(b'"', b'\\', &self.buffer[self.seen..]) {
                    Some(place) => {
                        self.seen += place;
                        self.state = if self.buffer[self.seen] == b'"' { State::Inside } else { State::Escaped };
                        self.seen += 1;
                    }
                    None => self.seen = self.buffer.len(),
                },
                State::Inside | State::Between => {
                    let byte = self.buffer[self.seen];
                    self.seen += 1;
                    match byte {
                        b'"' => self.state = State::InString,
                        b'{' | b'[' => {
                            if self.stack.len() >= self.max_depth {
                                return Err(JsonError::TooDeep { limit: self.max_depth });
                            }
                            self.stack.push(byte + 2); // `{` and `}`, `[` and `]` are two apart
                        }
                        b'}' | b']' => {
                            if self.stack.pop() != Some(byte) {
                                return Err(JsonError::Unbalanced);
                            }
                            if self.stack.is_empty() {
                                self.state = State::Between;
                                let object = self.buffer.split_to(self.seen).freeze();
                                self.seen = 0;
                                if object.len() > self.limit_bytes {
                                    return Err(JsonError::TooLong { limit_bytes: self.limit_bytes });
                                }
                                return Ok(Some(object));
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        if self.buffer.len() > self.limit_bytes {
            return Err(JsonError::TooLong { limit_bytes: self.limit_bytes });
        }
        if end { Err(JsonError::Ended) } else { Ok(None) }
    }

    /// Passes over what stands between objects; whether one begins.
    fn begin(&mut self) -> Result<bool, JsonError> {
        while let Some(byte) = self.buffer.first().copied() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'[' if !self.begun => self.array = true,
                b']' if self.array => self.array = false,
                b',' if self.array && self.begun => {}
                b'{' => {
                    self.begun = true;
                    self.state = State::Inside;
                    return Ok(true);
                }
                byte => return Err(JsonError::NoObject { found: char::from(byte) }),
            }
            if !byte.is_ascii_whitespace() {
                self.begun = true;
            }
            self.buffer.advance(1);
        }
        Ok(false)
    }
}

/// Whether `text` is JSON no deeper than `max_depth`; the error says what is wrong in words.
pub(crate) fn check_json(text: &[u8], max_depth: usize) -> Result<(), String> {
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(byte) = rest.first() {
        rest = &rest[1..];
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > max_depth {
                    return Err(JsonError::TooDeep { limit: max_depth }.to_string());
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(place) = memchr2(b'"', b'\\', rest) {
                    let quote = rest[place] == b'"';
                    rest = rest.get(place + if quote { 1 } else { 2 }..).unwrap_or(&[]);
                    if quote {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(text).map(|_| ()).map_err(|error| format!("no valid JSON: {error}"))
}

/// Whether `text` is one JSON object no deeper than `max_depth`.
pub(crate) fn check_object(text: &[u8], max_depth: usize) -> Result<(), String> {
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Err("no JSON object".to_owned());
    }
    check_json(text, max_depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], limit_bytes: usize) -> Vec<String> {
        let run = |pieces: &[&[u8]]| {
            let mut lines = Lines::new(limit_bytes);
            let mut out = Vec::new();
            for (place, piece) in pieces.iter().enumerate() {
                lines.push(piece);
                while let Some(part) = lines.next(place + 1 == pieces.len()) {
                    out.push(match part {
                        Part::Whole(line) => String::from_utf8_lossy(&line).into_owned(),
                        Part::TooLong => "[too long]".to_owned(),
                    });
                }
            }
            out
        };
        let whole = run(&[text]);
        for cut in 0..=text.len() {
            assert_eq!(run(&[&text[..cut], &text[cut..]]), whole, "cut at {cut}");
        }
        whole
    }

    #[test]
    fn lines_of_any_cut() {
        assert_eq!(lines(b"a\r\n\nbcd\nefghij\nk", 4), ["a", "", "bcd", "[too long]", "k"]);
        assert_eq!(lines(b"a\nefghij", 4), ["a", "[too long]"]);
        assert!(lines(b"", 4).is_empty());
    }

    fn objects(text: &[u8]) -> (Vec<String>, Option<JsonError>) {
        let run = |pieces: &[&[u8]]| {
            let mut objects = Objects::new(24, 4);
            let mut out = Vec::new();
            for (place, piece) in pieces.iter().enumerate() {
                objects.push(piece);
                loop {
                    match objects.next(place + 1 == pieces.len()) {
                        Ok(Some(object)) => out.push(String::from_utf8_lossy(&object).into_owned()),
                        Ok(None) => break,
                        Err(error) => return (out, Some(error)),
                    }
                }
            }
            (out, None)
        };
        let whole = run(&[text]);
        for cut in 0..=text.len() {
            assert_eq!(run(&[&text[..cut], &text[cut..]]), whole, "cut at {cut}");
        }
        whole
    }

    #[test]
    fn objects_of_any_cut() {
        for text in
            ["{\"a\":1}{\"b\":\"}\\\"{\"}", "[{\"a\":1},\n{\"b\":\"}\\\"{\"}] ", " {\"a\":1}\n {\"b\":\"}\\\"{\"}\n"]
        {
            let (found, error) = objects(text.as_bytes());
            assert_eq!(found, ["{\"a\":1}", "{\"b\":\"}\\\"{\"}"], "{text}");
            assert_eq!(error, None);
        }
        assert_eq!(objects(b""), (vec![], None));
        assert_eq!(objects(b"{}x").1, Some(JsonError::NoObject { found: 'x' }));
        assert_eq!(objects(b"{}{\"a\":").1, Some(JsonError::Ended));
        assert_eq!(objects(b"[{}").1, Some(JsonError::Ended));
        assert_eq!(objects(b"{]").1, Some(JsonError::Unbalanced));
        assert_eq!(objects(b"{\"a\":[[[[").1, Some(JsonError::TooDeep { limit: 4 }));
        assert_eq!(objects(b"{\"a\":\"1234567890123456789012345\"}").1, Some(JsonError::TooLong { limit_bytes: 24 }));
    }

    #[test]
    fn json_check_has_a_depth() {
        check_json(br#"{"a":["[[[[\"[[["]}"#, 2).unwrap();
        assert!(check_json(&b"[".repeat(10_000), 64).unwrap_err().contains("64 levels"));
        for wrong in ["", "{", "{\"a\":}", "\"\\", "nonsense", "{}{}"] {
            assert!(check_json(wrong.as_bytes(), 64).is_err(), "{wrong}");
        }
    }
}
