//! Passwords: argon2id with 19 MiB, two passes, one lane.

use crate::domain::{Wrong, time::Entropy};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// Passwords that everybody tries first, sorted, in lower case. Most come from the lists of `zxcvbn` (MIT), which counted
/// them in published leaks; those of Indonesia and of this shop are ours.
const COMMON: &str = include_str!("common_passwords.txt");

fn is_common(text: &str) -> bool {
    let typed = text.to_lowercase();
    COMMON.lines().any(|common| common == typed)
}

/// Whether it repeats a single character: no list has them all, and everybody tries them.
fn is_monotonous(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_none_or(|first| characters.all(|c| c == first))
}

/// A password that somebody may choose: 8 to 128 characters, not one of the common ones.
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

impl Password {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        if text.chars().any(char::is_control) {
            return Err(Wrong::new("bad_characters", "must not hold control characters"));
        }
        match text.chars().count() {
            0..8 => Err(Wrong::new("too_short", "needs at least 8 characters")),
            8..=128 if is_common(text) || is_monotonous(text) => Err(Wrong::new("too_common", "is one of the first that anybody tries")),
            8..=128 => Ok(Self(text.into())),
            _ => Err(Wrong::new("too_long", "takes at most 128 characters")),
        }
    }

    /// One that nobody knows.
    pub fn random(entropy: &Entropy) -> Self {
        Self(data_encoding::BASE64URL_NOPAD.encode(&entropy.bytes::<32>()))
    }

    /// What somebody typed at a login: checked against a hash, never for its form, so that all answers look alike.
    pub fn typed(text: &str) -> Result<Self, Wrong> {
        if text.len() <= 512 { Ok(Self(text.into())) } else { Err(Wrong::new("too_long", "takes at most 128 characters")) }
    }
}

/// A hash could not be made or read: a bug, or a damaged login.
#[derive(Debug, thiserror::Error)]
#[error("password hash: {0}")]
pub struct BadHash(String);

fn bad(cause: impl std::fmt::Display) -> BadHash {
    BadHash(cause.to_string())
}

fn argon() -> Result<Argon2<'static>, BadHash> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(bad)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

pub fn hash(password: &Password, entropy: &Entropy) -> Result<String, BadHash> {
    let salt = entropy.bytes::<16>();
    argon()?.hash_password_with_salt(password.0.as_bytes(), &salt).map(|h| h.to_string()).map_err(bad)
}

/// Whether a hash was made with other parameters than today's, and is to be made anew at the next login.
pub fn is_outdated(hash: &str) -> bool {
    !hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
}

/// Whether the password is right. Without a hash (no such account) as much work is done, and the answer is no.
pub fn verify(password: &Password, hash: Option<&str>) -> Result<bool, BadHash> {
    // A hash of these same parameters that no password is known for.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$GKIFn2ErMBtDfKDpcBTb3NTdq9Z0oBVCVw3JLzBx0E4";
    let known = PasswordHash::new(hash.unwrap_or(NOBODY)).map_err(bad)?;
    let right = argon()?.verify_password(password.0.as_bytes(), &known).is_ok();
    Ok(right && hash.is_some())
}
