//! The recovery key: shown once, on paper; what opens a backup.

use crate::ControlError;
use crate::second_factor::encode;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use tandem_base::Chance;

/// Crockford's alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECK_BYTES: usize = 2;

/// 32 random bytes; as text 11 groups of 5 characters, the last of which check the rest.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryKey(pub(crate) [u8; 32]);

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryKey(…)")
    }
}

impl RecoveryKey {
    /// Draws a key.
    pub fn random(chance: &dyn Chance) -> Self {
        let mut key = [0; 32];
        chance.fill(&mut key);
        Self(key)
    }

    /// The text to be shown once.
    pub fn text(&self) -> String {
        let digits = encode(&[&self.0[..], &check(&self.0)].concat(), ALPHABET);
        digits
            .as_bytes()
            .chunks(5)
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect::<Vec<_>>()
            .join("-")
    }
}

fn check(key: &[u8; 32]) -> [u8; CHECK_BYTES] {
    let digest = Sha256::new().chain_update(b"tandem recovery key\0").chain_update(key).finalize();
    [digest[0], digest[1]]
}

impl FromStr for RecoveryKey {
    type Err = ControlError;

    /// Case, spaces and dashes do not count; O is 0, I and L are 1.
    fn from_str(text: &str) -> Result<Self, ControlError> {
        let wrong = |because: &str| ControlError::invalid("recovery key", because);
        let mut bytes = Vec::with_capacity(35);
        let (mut held, mut bits) = (0_u32, 0);
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            let digit = ALPHABET
                .iter()
                .position(|each| char::from(*each) == c)
                .ok_or_else(|| wrong("it has digits and letters only, in groups of five"))?;
            held = (held << 5 | digit as u32) & 0xfff;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push((held >> bits & 0xff) as u8);
            }
            if bytes.len() > 40 {
                return Err(wrong("it is too long"));
            }
        }
        let (key, sum) = bytes.split_at_checked(32).ok_or_else(|| wrong("it is too short: 11 groups of five"))?;
        let key: [u8; 32] = key.try_into().expect("it was split at 32");
        if sum != check(&key) {
            return Err(wrong("a character is wrong: it does not check"));
        }
        Ok(Self(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_base::SeededChance;

    #[test]
    fn text_and_back_whatever_the_typing() {
        let key = RecoveryKey::random(&SeededChance::new(7));
        let text = key.text();
        assert_eq!(text.len(), 55 + 10);
        assert_eq!(text.parse::<RecoveryKey>().unwrap(), key);
        assert_eq!(text.to_lowercase().replace('-', " ").replace('0', "o").parse::<RecoveryKey>().unwrap(), key);
        let mut wrong = text.into_bytes();
        wrong[0] = if wrong[0] == b'A' { b'B' } else { b'A' };
        assert!(String::from_utf8(wrong).unwrap().parse::<RecoveryKey>().is_err());
        assert!("".parse::<RecoveryKey>().is_err());
    }
}
