//! The signed click: what the cookie and the `referral_token` of an order carry.

use super::token::BadKey;
use crate::domain::{
    affiliate::ReferralCode,
    attribution::ClickProof,
    ids::{AffiliateId, ClickId},
    time::Timestamp,
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::hmac;

/// Sign clicks and hash visitors: the newest key does, and what an older one signed counts as well.
#[derive(Clone)]
pub struct ReferralKeys {
    newest: hmac::Key,
    older: Vec<hmac::Key>,
}

impl std::fmt::Debug for ReferralKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReferralKeys")
    }
}

impl ReferralKeys {
    /// Newest first; 32 bytes or more each, as base64.
    pub fn parse(texts: &[String]) -> Result<Self, BadKey> {
        let key = |text: &String| {
            let bytes = BASE64.decode(text.as_bytes()).ok().filter(|b| b.len() >= 32).ok_or(BadKey)?;
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        };
        let mut keys = texts.iter().map(key);
        Ok(Self { newest: keys.next().ok_or(BadKey)??, older: keys.collect::<Result<_, _>>()? })
    }

    pub fn sign(&self, click: &ClickProof) -> String {
        let said = format!("{}.{}.{}.{}", click.affiliate, click.click, click.at.unix(), click.code);
        let seal = hmac::sign(&self.newest, format!("click.{said}").as_bytes());
        format!("{said}.{}", BASE64URL_NOPAD.encode(seal.as_ref()))
    }

    /// The click, if one of the keys signed it. `ring` compares in constant time.
    pub fn open(&self, token: &str) -> Option<ClickProof> {
        if token.len() > 300 {
            return None;
        }
        let (said, seal) = token.rsplit_once('.')?;
        let seal = BASE64URL_NOPAD.decode(seal.as_bytes()).ok()?;
        let signed = |key: &hmac::Key| hmac::verify(key, format!("click.{said}").as_bytes(), &seal).is_ok();
        if !signed(&self.newest) && !self.older.iter().any(signed) {
            return None;
        }
        let mut parts = said.splitn(4, '.');
        Some(ClickProof {
            affiliate: AffiliateId::parse(parts.next()?)?,
            click: ClickId::parse(parts.next()?)?,
            at: Timestamp::from_unix(parts.next()?.parse().ok()?),
            code: ReferralCode::parse(parts.next()?).ok()?,
        })
    }

    /// Tells visitors of one day apart without keeping who they are: the day is part of the key.
    pub fn visitor(&self, address: &str, agent: &str, now: Timestamp) -> String {
        let seal = hmac::sign(&self.newest, format!("visitor.{}.{address}.{agent}", now.day()).as_bytes());
        BASE64URL_NOPAD.encode(seal.as_ref().get(..12).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Entropy;

    #[test]
    fn a_new_key_signs_and_what_the_old_one_signed_still_counts_until_it_is_dropped() {
        let (old, new) = (BASE64.encode(&[1; 32]), BASE64.encode(&[2; 32]));
        let keys = |texts: &[&String]| ReferralKeys::parse(&texts.iter().map(|t| (*t).clone()).collect::<Vec<_>>()).unwrap();
        let at = Timestamp::from_unix(1_790_000_000);
        let entropy = Entropy::new(|bytes| bytes.fill(7));
        let affiliate = AffiliateId::fresh(at, &entropy);
        let click = ClickProof { affiliate, click: ClickId::fresh(at, &entropy), code: ReferralCode::parse("RINA123").unwrap(), at };
        let (before, after) = (keys(&[&old]).sign(&click), keys(&[&new, &old]).sign(&click));
        assert_ne!(before, after);
        for token in [&before, &after] {
            assert_eq!(keys(&[&new, &old]).open(token).unwrap().click, click.click);
        }
        assert!(keys(&[&new]).open(&before).is_none() && keys(&[&new]).open(&after).is_some());
        assert!(ReferralKeys::parse(&[]).is_err() && ReferralKeys::parse(&[new, "kurz".into()]).is_err());
    }
}
