//! UTF-16 text as UTF-8.

use std::io::{self, Read};

/// Which byte comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// The order of UTF-16 text, by its mark or by where its zero bytes stand.
pub(super) fn order(head: &[u8]) -> Option<Order> {
    if head.starts_with(b"\xff\xfe") && !head.starts_with(b"\xff\xfe\0\0") {
        return Some(Order::Little);
    }
    if head.starts_with(b"\xfe\xff") {
        return Some(Order::Big);
    }
    let sample = &head[..head.len().min(512) & !1];
    if sample.len() < 16 {
        return None;
    }
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let half = sample.len() / 2;
    match () {
        () if odd * 10 > half * 9 && even == 0 => Some(Order::Little),
        () if even * 10 > half * 9 && odd == 0 => Some(Order::Big),
        () => None,
    }
}

/// Decodes while reading; what is no UTF-16 becomes U+FFFD.
pub(super) struct Utf16<R> {
    inner: R,
    order: Order,
    /// A byte of half a unit, and a unit of half a pair.
    byte: Option<u8>,
    unit: Option<u16>,
    out: Vec<u8>,
    at: usize,
    begun: bool,
    ended: bool,
}

impl<R: Read> Utf16<R> {
    pub(super) fn new(inner: R, order: Order) -> Self {
        Self { inner, order, byte: None, unit: None, out: Vec::new(), at: 0, begun: false, ended: false }
    }

    fn push(&mut self, unit: u16) {
        let mut units = Vec::with_capacity(2);
        units.extend(self.unit.take());
        units.push(unit);
        if units.len() == 1 && (0xd800..0xdc00).contains(&unit) {
            self.unit = Some(unit);
            return;
        }
        for decoded in char::decode_utf16(units) {
            let c = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
            if c == '\u{feff}' && !self.begun {
                self.begun = true;
                continue;
            }
            self.begun = true;
            self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.at = 0;
        let mut buffer = [0; 8192];
        while self.out.is_empty() && !self.ended {
            let taken = self.inner.read(&mut buffer)?;
            if taken == 0 {
                self.ended = true;
                if self.byte.take().is_some() || self.unit.take().is_some() {
                    self.out.extend_from_slice("\u{fffd}".as_bytes());
                }
                return Ok(());
            }
            for byte in &buffer[..taken] {
                match self.byte.take() {
                    None => self.byte = Some(*byte),
                    Some(first) => self.push(match self.order {
                        Order::Little => u16::from_le_bytes([first, *byte]),
                        Order::Big => u16::from_be_bytes([first, *byte]),
                    }),
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.out.len() {
            self.fill()?;
        }
        let count = buffer.len().min(self.out.len() - self.at);
        buffer[..count].copy_from_slice(&self.out[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
