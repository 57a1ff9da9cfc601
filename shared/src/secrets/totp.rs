//! Codes of an authenticator app (RFC 6238: SHA-1, six digits, thirty seconds), and the recovery codes for whoever loses it.

use crate::domain::{
    contact::Email,
    time::{Entropy, Timestamp},
};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use ring::digest::{SHA256, digest};
use totp_rs::{Builder, Totp};

const SECRET: usize = 20;
const RECOVERY_CODES: usize = 10;
/// Eighty bits, so that the plain hash of a code tells nothing.
const RECOVERY_LENGTH: usize = 16;
const RECOVERY_ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// What the codes are made from.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Vec<u8>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret")
    }
}

impl TotpSecret {
    pub fn new(entropy: &Entropy) -> Self {
        Self(entropy.bytes::<SECRET>().to_vec())
    }

    pub const fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As people type it into an app.
    pub fn text(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// As an app reads it from a QR code.
    pub fn uri(&self, email: &Email) -> String {
        format!("otpauth://totp/Qutab:{}?secret={}&issuer=Qutab&digits=6&period=30", email.as_str(), self.text())
    }

    fn totp(&self) -> Option<Totp> {
        Builder::new().with_secret(self.0.clone()).build().ok()
    }

    /// The time step that a code belongs to, if it is one of now or of thirty seconds before or after.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        self.totp()?.check(code, u64::try_from(now.unix()).ok()?)
    }

    /// The code of a moment.
    pub fn code(&self, now: Timestamp) -> Option<String> {
        Some(self.totp()?.generate(u64::try_from(now.unix()).ok()?).to_string())
    }
}

/// Codes that each work once, instead of the app.
pub fn recovery_codes(entropy: &Entropy) -> Vec<String> {
    (0..RECOVERY_CODES).map(|_| entropy.text(RECOVERY_LENGTH, RECOVERY_ALPHABET)).collect()
}

/// What is kept of a recovery code.
pub fn recovery_hash(code: &str) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, code.trim().to_ascii_lowercase().as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard_and_hold_for_a_minute() {
        // RFC 6238, appendix B: the last six digits of its SHA-1 column.
        let secret = TotpSecret::of(b"12345678901234567890".to_vec());
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")] {
            let now = Timestamp::from_unix(at);
            assert_eq!(secret.code(now).as_deref(), Some(code));
            assert_eq!(secret.step_of(code, now.plus_seconds(30)), u64::try_from(at / 30).ok());
            assert_eq!(secret.step_of(code, now.plus_seconds(90)), None);
        }
        for odd in ["", "28708", "2870822", "28708x", "２８７０８２", "\u{0}"] {
            assert_eq!(secret.step_of(odd, Timestamp::from_unix(59)), None, "{odd}");
        }
        assert_eq!(secret.text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
