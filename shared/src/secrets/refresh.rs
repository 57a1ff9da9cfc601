//! Refresh tokens: `account.session.secret`. Only the hash of the secret is kept.

use crate::domain::{ids::SessionId, time::Entropy};
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    pub account: String,
    pub session: SessionId,
    secret: String,
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshToken").field("session", &self.session).finish_non_exhaustive()
    }
}

impl RefreshToken {
    pub fn new(account: &str, session: SessionId, entropy: &Entropy) -> Self {
        Self { account: account.into(), session, secret: BASE64URL_NOPAD.encode(&entropy.bytes::<32>()) }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (account, session, secret) = (parts.next()?, SessionId::parse(parts.next()?)?, parts.next()?);
        let fits = account.len() <= 64 && secret.len() == 43;
        fits.then(|| Self { account: account.into(), session, secret: secret.into() })
    }

    pub fn text(&self) -> String {
        format!("{}.{}.{}", self.account, self.session, self.secret)
    }

    pub fn hash(&self) -> String {
        BASE64URL_NOPAD.encode(digest(&SHA256, self.secret.as_bytes()).as_ref())
    }
}

/// Compares two secrets in a time that does not tell where they differ: their digests under a fresh key are compared.
pub fn same_secret(a: &str, b: &str, entropy: &Entropy) -> bool {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &entropy.bytes::<32>());
    ring::hmac::verify(&key, b.as_bytes(), ring::hmac::sign(&key, a.as_bytes()).as_ref()).is_ok()
}
