//! The secret of a mailed link: `account.secret`. Only its hash is kept.

use crate::domain::time::Entropy;
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken {
    pub account: String,
    secret: String,
}

impl std::fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkToken").field("account", &self.account).finish_non_exhaustive()
    }
}

impl LinkToken {
    pub fn new(account: &str, entropy: &Entropy) -> Self {
        Self { account: account.into(), secret: BASE64URL_NOPAD.encode(&entropy.bytes::<32>()) }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (account, secret) = text.split_once('.')?;
        (account.len() <= 64 && secret.len() == 43).then(|| Self { account: account.into(), secret: secret.into() })
    }

    pub fn text(&self) -> String {
        format!("{}.{}", self.account, self.secret)
    }

    pub fn hash(&self) -> String {
        BASE64URL_NOPAD.encode(digest(&SHA256, self.secret.as_bytes()).as_ref())
    }
}
