//! Identity documents at rest: AES-256-GCM under a data key of their own, which is sealed by the vault's key.
//!
//! A sealed text is `version, key id, nonce, sealed data key, nonce, sealed text`. What it is kept under is bound to it,
//! so that nobody can exchange one document for another.

use super::token::BadKey;
use crate::domain::{ktp::Nik, time::Entropy};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};

const VERSION: u8 = 1;
const KEY: usize = 32;
const TAG: usize = 16;
/// A sealed data key: its nonce, itself and its tag.
const SEALED_KEY: usize = NONCE_LEN + KEY + TAG;

/// The text was not sealed by a key of this vault, or for another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened")]
pub struct Sealed;

/// Keys by their id; the first seals, all open. Two during a rotation.
#[derive(Clone)]
pub struct Vault {
    keys: Vec<(String, [u8; KEY])>,
    finder: hmac::Key,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|k| &k.0)).finish()
    }
}

impl Vault {
    /// Keys as `id:base64`, 32 bytes each, and the key of the search hashes, which must not change.
    pub fn parse(keys: &[String], finder: &str) -> Result<Self, BadKey> {
        let parse = |text: &String| {
            let (id, key) = text.split_once(':').filter(|(id, _)| (1..=32).contains(&id.len())).ok_or(BadKey)?;
            let bytes = BASE64.decode(key.as_bytes()).map_err(|_| BadKey)?;
            Ok((id.to_owned(), bytes.try_into().map_err(|_| BadKey)?))
        };
        let keys = keys.iter().map(parse).collect::<Result<Vec<_>, BadKey>>()?;
        let finder = BASE64.decode(finder.as_bytes()).ok().filter(|b| b.len() >= KEY).ok_or(BadKey)?;
        if keys.is_empty() { Err(BadKey) } else { Ok(Self { keys, finder: hmac::Key::new(hmac::HMAC_SHA256, &finder) }) }
    }

    /// Seals `plain` for the place that `name` names.
    pub fn seal(&self, name: &str, plain: &[u8], entropy: &Entropy) -> Result<Vec<u8>, Sealed> {
        let (id, key) = self.keys.first().ok_or(Sealed)?;
        let data_key = entropy.bytes::<KEY>();
        let mut sealed = vec![VERSION, u8::try_from(id.len()).map_err(|_| Sealed)?];
        sealed.extend_from_slice(id.as_bytes());
        sealed.extend(encrypt(key, name, &data_key, entropy)?);
        sealed.extend(encrypt(&data_key, name, plain, entropy)?);
        Ok(sealed)
    }

    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, Sealed> {
        let [VERSION, length, rest @ ..] = sealed else { return Err(Sealed) };
        let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or(Sealed)?;
        let (sealed_key, sealed) = rest.split_at_checked(SEALED_KEY).ok_or(Sealed)?;
        let (_, key) = self.keys.iter().find(|(known, _)| known.as_bytes() == id).ok_or(Sealed)?;
        let data_key: [u8; KEY] = decrypt(key, name, sealed_key)?.try_into().map_err(|_| Sealed)?;
        decrypt(&data_key, name, sealed)
    }

    /// A number of an identity card, sealed as text.
    pub fn seal_nik(&self, owner: &str, nik: &Nik, entropy: &Entropy) -> Result<String, Sealed> {
        Ok(BASE64.encode(&self.seal(&nik_of(owner), nik.as_str().as_bytes(), entropy)?))
    }

    pub fn open_nik(&self, owner: &str, sealed: &str) -> Result<String, Sealed> {
        let bytes = BASE64.decode(sealed.as_bytes()).map_err(|_| Sealed)?;
        String::from_utf8(self.open(&nik_of(owner), &bytes)?).map_err(|_| Sealed)
    }

    /// The same for the same number, and useless without the key.
    pub fn find(&self, kind: &str, number: &str) -> String {
        let seal = hmac::sign(&self.finder, format!("{kind}.{number}").as_bytes());
        BASE64URL_NOPAD.encode(seal.as_ref().get(..18).unwrap_or_default())
    }
}

fn nik_of(owner: &str) -> String {
    format!("nik/{owner}")
}

fn cipher(key: &[u8; KEY]) -> Result<LessSafeKey, Sealed> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| Sealed)
}

fn encrypt(key: &[u8; KEY], name: &str, plain: &[u8], entropy: &Entropy) -> Result<Vec<u8>, Sealed> {
    let nonce = entropy.bytes::<NONCE_LEN>();
    let mut text = plain.to_vec();
    cipher(key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name.as_bytes()), &mut text).map_err(|_| Sealed)?;
    Ok([&nonce[..], &text].concat())
}

fn decrypt(key: &[u8; KEY], name: &str, sealed: &[u8]) -> Result<Vec<u8>, Sealed> {
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(Sealed)?;
    let mut text = text.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Sealed)?;
    let length = cipher(key)?.open_in_place(nonce, Aad::from(name.as_bytes()), &mut text).map_err(|_| Sealed)?.len();
    text.truncate(length);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(ids: &[(&str, u8)]) -> Vault {
        let keys: Vec<String> = ids.iter().map(|(id, byte)| format!("{id}:{}", BASE64.encode(&[*byte; 32]))).collect();
        Vault::parse(&keys, &BASE64.encode(&[9; 32])).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_nowhere_else() {
        let entropy = Entropy::new(|bytes| bytes.fill(7));
        let old = vault(&[("a", 1)]);
        let sealed = old.seal("ktp/x", b"gambar", &entropy).unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"gambar"));
        assert_eq!(old.open("ktp/x", &sealed).unwrap(), b"gambar");
        assert_eq!(old.open("ktp/y", &sealed), Err(Sealed), "another place");
        assert_eq!(vault(&[("b", 2), ("a", 1)]).open("ktp/x", &sealed).unwrap(), b"gambar", "during a rotation");
        assert_eq!(vault(&[("a", 2)]).open("ktp/x", &sealed), Err(Sealed), "another key of that name");
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(old.open("ktp/x", &damaged), Err(Sealed), "byte {at}");
            assert_eq!(old.open("ktp/x", &sealed[..at]), Err(Sealed), "cut at {at}");
        }
    }
}
