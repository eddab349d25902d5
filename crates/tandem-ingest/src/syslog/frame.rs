//! Cuts a byte stream into frames (RFC 6587): by line, or by a count before each frame.

use memchr::memchr2;

/// One frame, without what separated it from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The message.
    pub bytes: Vec<u8>,
    /// Whether it is whole.
    pub cut: Cut,
}

/// Whether a frame is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It is.
    Whole,
    /// It was longer than the limit; the rest of the line is lost.
    TooLong,
    /// The stream ended before it did.
    Ended,
}

/// The stream cannot be understood any further: the connection has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The count says more than the limit.
    #[error("frame of {size_bytes} bytes is longer than the limit of {limit_bytes}; raise max_frame_bytes")]
    TooLong {
        /// What the sender counted.
        size_bytes: u64,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// No count where one has to be.
    #[error("frame does not begin with its length and a space")]
    NoCount,
}

/// The framing of one connection. Which of the two it is shows in the first bytes: `LENGTH SP <` is octet
/// counting, all else ends with LF, CR LF or NUL.
#[derive(Debug)]
pub struct Framer {
    mode: Mode,
    limit_bytes: usize,
    pending: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Undecided,
    Line,
    /// The rest of a line that was too long is passed over.
    Passing,
    /// Before or in a count.
    Count,
    /// In a frame of this many bytes.
    Body(usize),
}

/// More digits than any count that could be allowed.
const MAX_DIGITS: usize = 10;

impl Framer {
    /// A framer for a new connection.
    pub fn new(limit_bytes: usize) -> Self {
        Self { mode: Mode::Undecided, limit_bytes: limit_bytes.max(1), pending: Vec::new() }
    }

    /// Whether no frame has been begun.
    pub fn is_between(&self) -> bool {
        self.pending.is_empty() && !matches!(self.mode, Mode::Passing | Mode::Body(_))
    }

    /// Takes the next bytes and puts the frames that they complete into `frames`; also when it fails.
    pub fn push(&mut self, mut bytes: &[u8], frames: &mut Vec<Frame>) -> Result<(), FrameError> {
        if self.mode == Mode::Undecided {
            self.pending.extend_from_slice(bytes);
            let Some(mode) = detect(&self.pending) else { return Ok(()) };
            self.mode = mode;
            let first = std::mem::take(&mut self.pending);
            return self.push(&first, frames);
        }
        while !bytes.is_empty() {
            bytes = match self.mode {
                Mode::Line => self.line(bytes, frames),
                Mode::Passing => match memchr2(b'\n', 0, bytes) {
                    Some(end) => {
                        self.mode = Mode::Line;
                        &bytes[end + 1..]
                    }
                    None => &[],
                },
                Mode::Undecided | Mode::Count => self.count(bytes)?,
                Mode::Body(size) => {
                    let take = (size - self.pending.len()).min(bytes.len());
                    self.pending.extend_from_slice(&bytes[..take]);
                    if self.pending.len() == size {
                        self.mode = Mode::Count;
                        self.emit(Cut::Whole, frames);
                    }
                    &bytes[take..]
                }
            };
        }
        Ok(())
    }

    /// The stream ended: what was begun is handed over too.
    pub fn end(&mut self, frames: &mut Vec<Frame>) {
        match self.mode {
            // The last line of a stream commonly has no terminator.
            Mode::Undecided | Mode::Line => self.emit(Cut::Whole, frames),
            Mode::Body(_) => self.emit(Cut::Ended, frames),
            Mode::Passing | Mode::Count => {}
        }
        self.pending.clear();
        self.mode = Mode::Line;
    }

    fn line<'a>(&mut self, bytes: &'a [u8], frames: &mut Vec<Frame>) -> &'a [u8] {
        let end = memchr2(b'\n', 0, bytes);
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let room = self.limit_bytes - self.pending.len();
        self.pending.extend_from_slice(&part[..part.len().min(room)]);
        if part.len() > room {
            self.emit(Cut::TooLong, frames);
            self.mode = if end.is_some() { Mode::Line } else { Mode::Passing };
        } else if end.is_some() {
            self.emit(Cut::Whole, frames);
        }
        end.map_or(&[], |end| &bytes[end + 1..])
    }

    fn count<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], FrameError> {
        for (place, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' | b'\r' | 0 if self.pending.is_empty() => {}
                b'1'..=b'9' => self.pending.push(*byte),
                b'0' if !self.pending.is_empty() => self.pending.push(b'0'),
                b' ' if !self.pending.is_empty() => {
                    let digits = std::mem::take(&mut self.pending);
                    let size = digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
                    if size > self.limit_bytes as u64 {
                        return Err(FrameError::TooLong { size_bytes: size, limit_bytes: self.limit_bytes });
                    }
                    self.mode = Mode::Body(size as usize);
                    return Ok(&bytes[place + 1..]);
                }
                _ => return Err(FrameError::NoCount),
            }
            if self.pending.len() > MAX_DIGITS {
                return Err(FrameError::TooLong { size_bytes: u64::MAX, limit_bytes: self.limit_bytes });
            }
        }
        Ok(&[])
    }

    fn emit(&mut self, cut: Cut, frames: &mut Vec<Frame>) {
        let mut bytes = std::mem::take(&mut self.pending);
        while let Some(b'\n' | b'\r' | 0) = bytes.last() {
            bytes.pop();
        }
        if !bytes.is_empty() {
            frames.push(Frame { bytes, cut });
        }
    }
}

/// The framing that the first bytes show, `None` while they are too few.
fn detect(first: &[u8]) -> Option<Mode> {
    let digits = first.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > MAX_DIGITS || (digits == 0 && !first.is_empty()) || first.first() == Some(&b'0') {
        return Some(Mode::Line);
    }
    match &first[digits..] {
        [b' ', b'<', ..] => Some(Mode::Count),
        [] | [b' '] => None,
        _ => Some(Mode::Line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames of `stream` as text, the same for every way of cutting it into two pieces and for single bytes.
    fn frames(stream: &[u8], limit_bytes: usize) -> Result<Vec<String>, (Vec<String>, FrameError)> {
        let run = |pieces: &[&[u8]]| {
            let mut framer = Framer::new(limit_bytes);
            let mut out = Vec::new();
            let mut failed = None;
            for piece in pieces {
                if let Err(error) = framer.push(piece, &mut out) {
                    failed = Some(error);
                    break;
                }
            }
            if failed.is_none() {
                framer.end(&mut out);
            }
            let text: Vec<_> = out
                .into_iter()
                .map(|frame| {
                    let mark = match frame.cut {
                        Cut::Whole => "",
                        Cut::TooLong => "[too long]",
                        Cut::Ended => "[ended]",
                    };
                    format!("{}{mark}", String::from_utf8_lossy(&frame.bytes))
                })
                .collect();
            failed.map_or(Ok(text.clone()), |error| Err((text, error)))
        };
        let whole = run(&[stream]);
        for cut in 0..=stream.len() {
            assert_eq!(run(&[&stream[..cut], &stream[cut..]]), whole, "cut at {cut}");
        }
        let single: Vec<_> = stream.chunks(1).collect();
        assert_eq!(run(&single), whole, "byte by byte");
        whole
    }

    #[test]
    fn lines_end_with_lf_crlf_or_nul() {
        assert_eq!(frames(b"<1>a\n<2>b\r\n<3>c\0\n\n<4>d", 99).unwrap(), ["<1>a", "<2>b", "<3>c", "<4>d"]);
        assert_eq!(frames(b"2026-10-11 text\n17 apples\n", 99).unwrap(), ["2026-10-11 text", "17 apples"]);
        assert_eq!(frames(b"12345678901234 <x\n0 <\n7", 99).unwrap(), ["12345678901234 <x", "0 <", "7"]);
    }

    #[test]
    fn counted_frames_may_hold_line_ends() {
        assert_eq!(frames(b"8 <1>a\nb c5 <2>d\n\n4 <3>e", 99).unwrap(), ["<1>a\nb c", "<2>d", "<3>e"]);
        assert_eq!(frames(b"4 <1>a9 <2>b", 99).unwrap(), ["<1>a", "<2>b[ended]"]);
    }

    #[test]
    fn limits_hold() {
        assert_eq!(frames(b"<1>abcdef\n<2>b\n<3>abc", 5).unwrap(), ["<1>ab[too long]", "<2>b", "<3>ab[too long]"]);
        let (before, error) = frames(b"4 <1>a6 <2>abc", 5).unwrap_err();
        assert_eq!(before, ["<1>a"]);
        assert_eq!(error, FrameError::TooLong { size_bytes: 6, limit_bytes: 5 });
        assert_eq!(frames(b"4 <1>axyz", 5).unwrap_err().1, FrameError::NoCount);
        assert!(matches!(frames(b"4 <1>a99999999999999999999 <", 5).unwrap_err().1, FrameError::TooLong { .. }));
    }

    #[test]
    fn memory_stays_at_the_limit() {
        let mut framer = Framer::new(1024);
        let mut out = Vec::new();
        for _ in 0..10_000 {
            framer.push(&[b'x'; 1000], &mut out).unwrap();
        }
        framer.end(&mut out);
        assert_eq!(out.len(), 1);
        assert_eq!(out[0].bytes.len(), 1024);
    }
}
