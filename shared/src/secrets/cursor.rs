//! The key that seals cursors: a place in a list goes out to callers and comes back, and nobody else makes one.

use super::token::BadKey;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::hmac;

/// Bytes of a seal.
const SEAL: usize = 16;

#[derive(Clone)]
pub struct CursorKey(hmac::Key);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey")
    }
}

impl CursorKey {
    /// 32 bytes or more, as base64. There is one: cursors live for minutes, and a list that began under another key is begun
    /// again.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let bytes = BASE64.decode(text.as_bytes()).ok().filter(|b| b.len() >= 32).ok_or(BadKey)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// Binds `text` to the query that it was made for.
    pub fn seal(&self, binding: &str, text: &str) -> String {
        let tag = hmac::sign(&self.0, format!("cursor\n{binding}\n{text}").as_bytes());
        BASE64URL_NOPAD.encode(tag.as_ref().get(..SEAL).unwrap_or_default())
    }

    /// Whether `seal` is of this key for this query; compared in constant time.
    pub fn opens(&self, binding: &str, text: &str, seal: &str) -> bool {
        let again = self.seal(binding, text);
        // Equal tags under a second signature: `ring` compares whole tags in constant time, and a cut one is none.
        hmac::verify(&self.0, again.as_bytes(), hmac::sign(&self.0, seal.as_bytes()).as_ref()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_of_one_key_one_query_and_one_text() {
        let [key, other] = [0_u8, 1].map(|byte| CursorKey::parse(&BASE64.encode(&[byte; 32])).unwrap());
        let seal = key.seal("/api/orders[]", "abc");
        assert!(key.opens("/api/orders[]", "abc", &seal));
        assert!(!key.opens("/api/orders[]", "abd", &seal) && !key.opens("/api/products[]", "abc", &seal));
        assert!(!key.opens("/api/orders[]", "abc", "") && !other.opens("/api/orders[]", "abc", &seal));
        assert!(CursorKey::parse("c2hvcnQ=").is_err());
    }
}
