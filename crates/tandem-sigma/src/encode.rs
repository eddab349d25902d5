//! The encoding modifiers: `base64`, `base64offset`, and the UTF-16 family.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One encoding step of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Base64,
    Base64Offset,
    /// `utf16le`, `wide`.
    Utf16Le,
    Utf16Be,
    /// Little endian behind a byte order mark.
    Utf16,
}

/// Why a value cannot be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EncodeError {
    /// The result has bytes that no text has.
    NotText,
    /// A UTF-16 step on something that is not text (any more).
    InputNotText,
    /// With some offset nothing of the value can be recognised.
    TooShort,
}

/// Applies the steps in order; `base64offset` makes three texts out of one.
pub(crate) fn encode(text: &str, steps: &[Encoding]) -> Result<Vec<String>, EncodeError> {
    let mut values = vec![text.as_bytes().to_vec()];
    for step in steps {
        let mut next = Vec::new();
        for value in &values {
            match step {
                Encoding::Base64 => next.push(STANDARD.encode(value).into_bytes()),
                Encoding::Base64Offset => {
                    for offset in 0..3 {
                        next.push(base64_at_offset(value, offset)?);
                    }
                }
                Encoding::Utf16Le => next.push(utf16(value, &[], u16::to_le_bytes)?),
                Encoding::Utf16Be => next.push(utf16(value, &[], u16::to_be_bytes)?),
                Encoding::Utf16 => next.push(utf16(value, &[0xff, 0xfe], u16::to_le_bytes)?),
            }
        }
        values = next;
    }
    values.into_iter().map(|value| String::from_utf8(value).map_err(|_| EncodeError::NotText)).collect()
}

/// The characters of base64 that `value` alone decides when it stands `offset` bytes behind a
/// multiple of three.
fn base64_at_offset(value: &[u8], offset: usize) -> Result<Vec<u8>, EncodeError> {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(value);
    let encoded = STANDARD.encode(&padded);
    // A character carries six bits: the first one wholly behind the padding, the last one wholly
    // inside the value.
    let first = (offset * 8).div_ceil(6);
    let end = padded.len() * 8 / 6;
    encoded.as_bytes().get(first..end).filter(|part| !part.is_empty()).map(<[u8]>::to_vec).ok_or(EncodeError::TooShort)
}

fn utf16(value: &[u8], mark: &[u8], bytes: fn(u16) -> [u8; 2]) -> Result<Vec<u8>, EncodeError> {
    let text = str::from_utf8(value).map_err(|_| EncodeError::InputNotText)?;
    let mut encoded = mark.to_vec();
    encoded.extend(text.encode_utf16().flat_map(bytes));
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_bytes() {
        assert_eq!(encode("foo", &[Encoding::Base64]), Ok(vec!["Zm9v".to_owned()]));
        assert_eq!(encode("cmd", &[Encoding::Utf16Le, Encoding::Base64]), Ok(vec!["YwBtAGQA".to_owned()]));
        assert_eq!(encode("cmd", &[Encoding::Utf16Be, Encoding::Base64]), Ok(vec!["AGMAbQBk".to_owned()]));
        assert_eq!(encode("cmd", &[Encoding::Utf16, Encoding::Base64]), Ok(vec!["//5jAG0AZAA=".to_owned()]));
    }

    #[test]
    fn offsets_are_found_wherever_the_value_stands() {
        for value in ["ab", "foobar", "/bin/bash", "größe"] {
            let parts = encode(value, &[Encoding::Base64Offset]).expect("encodes");
            for before in 0..7 {
                for after in 0..4 {
                    let text = format!("{}{value}{}", "x".repeat(before), "y".repeat(after));
                    let encoded = STANDARD.encode(&text);
                    assert!(encoded.contains(&parts[before % 3]), "{text}: {encoded} {parts:?}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_encoded() {
        assert_eq!(encode("a", &[Encoding::Base64Offset]), Err(EncodeError::TooShort));
        assert_eq!(encode("ab", &[Encoding::Utf16]), Err(EncodeError::NotText));
        assert_eq!(encode("ä", &[Encoding::Utf16Le]), Err(EncodeError::NotText));
        assert_eq!(encode("ab", &[Encoding::Utf16, Encoding::Utf16Le]), Err(EncodeError::InputNotText));
    }
}
