//! Text forms of ids: a prefix and lower-case hexadecimal digits.

/// A text that is no id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{form}`")]
pub struct IdError {
    /// What was given, cut to 80 characters.
    pub text: String,
    /// What it should look like.
    pub form: &'static str,
}

impl IdError {
    /// An error for `text`, which should have had the `form`.
    pub fn new(text: &str, form: &'static str) -> Self {
        Self { text: text.chars().take(80).collect(), form }
    }
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Bytes of an even number of hexadecimal digits, else `None`.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Makes a 128-bit id type with the textual form `prefix_<32 hex digits>`.
#[macro_export]
macro_rules! id128 {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// A fresh random id.
            pub fn random(chance: &dyn $crate::Chance) -> Self {
                let mut bytes = [0; 16];
                chance.fill(&mut bytes);
                Self(bytes)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), $crate::hex(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then($crate::unhex)
                    .and_then(|bytes| bytes.try_into().ok())
                    .map(Self)
                    .ok_or_else(|| $crate::IdError::new(text, concat!($prefix, "_<32 hex digits>")))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    mod thing {
        #![expect(unreachable_pub, dead_code, reason = "the macro makes public types; this one is for the test")]
        crate::id128!(
            /// An id for this test.
            ThingId,
            "thing"
        );
    }
    use thing::ThingId;

    #[test]
    fn id_text_and_back() {
        let id = ThingId([0xab; 16]);
        assert_eq!(id.to_string().parse::<ThingId>().unwrap(), id);
        assert!("thing_12".parse::<ThingId>().is_err());
        assert_eq!(unhex("0aZ1"), None);
        assert_eq!(unhex("é1"), None);
    }
}
