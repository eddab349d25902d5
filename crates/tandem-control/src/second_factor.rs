//! TOTP (RFC 6238): the seed is sealed, each step is taken once.

use crate::acts::{Deed, record};
use crate::error::Doing;
use crate::{Control, ControlError};
use serde_json::json;
use sqlx::Connection;
use tandem_base::Chance;
use tandem_service::{Actor, UserId};
use totp_rs::{Builder, Totp};

const SEED_BYTES: usize = 20;

/// What an authenticator app needs.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactorSetup {
    /// `otpauth://totp/…`, for a QR code.
    pub uri: String,
    /// The seed in base32, to be typed.
    pub secret: String,
}

impl std::fmt::Debug for SecondFactorSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecondFactorSetup(…)")
    }
}

impl Control {
    /// Draws a seed for this person; it counts once a code confirms it.
    pub async fn second_factor_begin(&self, actor: &Actor) -> Result<SecondFactorSetup, ControlError> {
        let user = self.user(actor.id).await?;
        if user.second_factor {
            return Err(ControlError::invalid("code", "a second factor is set up already; switch it off first"));
        }
        let site = self.site().await?.map_or_else(|| "Tandem".to_owned(), |site| site.name);
        let seed = draw(&*self.chance);
        let sealed = self.key.seal(&purpose(user.id), &seed, &*self.chance);
        let mut writer = self.write().await?;
        sqlx::query("UPDATE users SET totp = ?, totp_set = 0, totp_step = 0 WHERE id = ?")
            .bind(sealed)
            .bind(user.id.to_string())
            .execute(&mut writer.conn)
            .await
            .doing("store a second factor")?;
        let secret = base32(&seed);
        let (label, issuer) = (percent(&format!("{site}:{}", user.name)), percent(&site));
        let uri = format!("otpauth://totp/{label}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30");
        Ok(SecondFactorSetup { uri, secret })
    }

    /// A code of the new seed: from now on the account has a second factor.
    pub async fn second_factor_confirm(&self, actor: &Actor, code: &str) -> Result<(), ControlError> {
        if !prove(self, actor.id, code).await? {
            return Err(ControlError::invalid("code", "this is not the code of now; check the clock of your phone"));
        }
        self.set_second_factor(actor, actor.id, true).await
    }

    /// Switches the second factor off: by oneself with a code proved before, or by a site admin for somebody who
    /// lost the phone.
    pub async fn second_factor_off(&self, actor: &Actor, user: UserId) -> Result<(), ControlError> {
        self.set_second_factor(actor, user, false).await
    }

    async fn set_second_factor(&self, actor: &Actor, user: UserId, on: bool) -> Result<(), ControlError> {
        let mut writer = self.write().await?;
        let mut tx = writer.conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let sql = if on {
            "UPDATE users SET totp_set = 1 WHERE id = ?"
        } else {
            "UPDATE users SET totp_set = 0, totp = NULL WHERE id = ?"
        };
        sqlx::query(sql).bind(user.to_string()).execute(&mut *tx).await.doing("switch a second factor")?;
        let deed = Deed { verb: "second_factor", object: format!("user:{user}"), detail: json!({"on": on}) };
        record(&mut tx, &*self.chance, actor, deed, self.now()).await?;
        tx.commit().await.doing("commit a second factor")
    }
}

/// Whether `code` is right, now or one step beside, and its step was not taken before.
pub(crate) async fn prove(control: &Control, user: UserId, code: &str) -> Result<bool, ControlError> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(false);
    }
    let mut writer = control.write().await?;
    let row: Option<(Option<Vec<u8>>, i64)> = sqlx::query_as("SELECT totp, totp_step FROM users WHERE id = ?")
        .bind(user.to_string())
        .fetch_optional(&mut writer.conn)
        .await
        .doing("read a second factor")?;
    let Some((Some(sealed), taken)) = row else { return Ok(false) };
    let seed = control.key.open(&purpose(user), &sealed)?;
    let now = u64::try_from(control.now().seconds()).unwrap_or(0);
    let Some(step) = totp(seed).check(&code, now).filter(|step| *step as i64 > taken) else { return Ok(false) };
    sqlx::query("UPDATE users SET totp_step = ? WHERE id = ?")
        .bind(step as i64)
        .bind(user.to_string())
        .execute(&mut writer.conn)
        .await
        .doing("take a step")?;
    Ok(true)
}

pub(crate) fn totp(seed: Vec<u8>) -> Totp {
    Builder::new()
        .with_secret(seed)
        .with_skew(1)
        .build()
        .expect("20 bytes, 6 digits and 30 seconds are what RFC 6238 asks for")
}

fn draw(chance: &dyn Chance) -> Vec<u8> {
    let mut seed = vec![0; SEED_BYTES];
    chance.fill(&mut seed);
    seed
}

fn purpose(user: UserId) -> String {
    format!("totp:{user}")
}

/// RFC 4648 base32 without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    encode(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
}

pub(crate) fn encode(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(alphabet[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(alphabet[(held << (5 - bits) & 31) as usize]));
    }
    text
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
