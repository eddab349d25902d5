//! Passwords as argon2id hashes.

use crate::ControlError;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tandem_base::Chance;

/// OWASP's second choice (19 MiB, two passes, one lane): some 20 ms on one core, and a hundred people who sign
/// in at once do not need gigabytes.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// NIST SP 800-63B: length counts, composition rules do not.
const LENGTH_MIN: usize = 10;
const LENGTH_MAX: usize = 256;

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("these parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

pub(crate) fn check(password: &str, name: &str) -> Result<(), ControlError> {
    let length = password.chars().count();
    if length < LENGTH_MIN {
        return Err(ControlError::invalid("password", format!("a password has at least {LENGTH_MIN} characters")));
    }
    if length > LENGTH_MAX {
        return Err(ControlError::invalid("password", format!("a password has at most {LENGTH_MAX} characters")));
    }
    let mut characters: Vec<char> = password.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    if characters.len() < 4 || (name.len() > 3 && password.to_lowercase().contains(&name.to_lowercase())) {
        return Err(ControlError::invalid(
            "password",
            "it is too easy to guess; take a few words that nobody connects",
        ));
    }
    Ok(())
}

/// The PHC string of a new hash. Takes tens of milliseconds: not on a runtime thread.
pub(crate) fn hash(password: &str, chance: &dyn Chance) -> String {
    let mut salt = [0; 16];
    chance.fill(&mut salt);
    argon2()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("argon2 takes any password with a salt of 16 bytes")
        .to_string()
}

/// Whether it is the password. Without a stored hash as much time is spent, so that nobody learns which names exist.
pub(crate) fn verify(password: &str, stored: Option<&str>) -> bool {
    if password.len() > LENGTH_MAX * 4 {
        return false;
    }
    let Some(stored) = stored else {
        let _spent = argon2().hash_password_with_salt(password.as_bytes(), &[0; 16]).is_ok();
        return false;
    };
    PasswordHash::new(stored).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Runs `work` off the runtime's threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
