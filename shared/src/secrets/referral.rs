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

/// Signs clicks and hashes visitors.
#[derive(Clone)]
pub struct ReferralKey(hmac::Key);

impl std::fmt::Debug for ReferralKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReferralKey")
    }
}

impl ReferralKey {
    /// 32 bytes or more, as base64.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let bytes = BASE64.decode(text.as_bytes()).ok().filter(|b| b.len() >= 32).ok_or(BadKey)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    pub fn sign(&self, click: &ClickProof) -> String {
        let said = format!("{}.{}.{}.{}", click.affiliate, click.click, click.at.unix(), click.code);
        let seal = hmac::sign(&self.0, format!("click.{said}").as_bytes());
        format!("{said}.{}", BASE64URL_NOPAD.encode(seal.as_ref()))
    }

    /// The click, if this key signed it. `ring` compares in constant time.
    pub fn open(&self, token: &str) -> Option<ClickProof> {
        if token.len() > 300 {
            return None;
        }
        let (said, seal) = token.rsplit_once('.')?;
        let seal = BASE64URL_NOPAD.decode(seal.as_bytes()).ok()?;
        hmac::verify(&self.0, format!("click.{said}").as_bytes(), &seal).ok()?;
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
        let seal = hmac::sign(&self.0, format!("visitor.{}.{address}.{agent}", now.day()).as_bytes());
        BASE64URL_NOPAD.encode(seal.as_ref().get(..12).unwrap_or_default())
    }
}
