//! Typed ids: a prefix that names the kind, then 128 opaque bits in Crockford base 32. The table of prefixes is below.
//!
//! A *fresh* id is a ULID (time and 80 random bits). A *named* id is derived from what a caller's Idempotency-Key
//! names, so that the same request always means the same object and its conditional put is the duplicate check.

use super::time::{Entropy, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use ulid::Ulid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal),+ $(,)?) => {
        /// Every id prefix with the kind it names.
        pub const PREFIXES: &[(&str, &str)] = &[$(($prefix, stringify!($name))),+];

        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(u128);

            impl $name {
                /// A new id, sortable by the moment it was made.
                pub fn fresh(now: Timestamp, entropy: &Entropy) -> Self {
                    Self(fresh_bits(now, entropy))
                }

                /// When a fresh id was made; of a named one it says nothing.
                pub fn made_at(self) -> Timestamp {
                    Timestamp::from_unix(i64::try_from(Ulid(self.0).timestamp_ms() / 1_000).unwrap_or(0))
                }

                /// The id that `parts` name: equal parts, equal id.
                pub fn named(parts: &[&str]) -> Self {
                    Self(named_bits($prefix, parts))
                }

                pub fn parse(text: &str) -> Option<Self> {
                    let body = text.strip_prefix(concat!($prefix, "_"))?;
                    let id = Ulid::from_string(body).ok()?;
                    // One spelling per id, so that a key read from a path is the key that was written.
                    (id.to_string() == body).then_some(Self(id.0))
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, concat!($prefix, "_{}"), Ulid(self.0))
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(d)?;
                    Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("not a ", stringify!($name))))
                }
            }
        )+
    };
}

ids! {
    CustomerId = "cus",
    AffiliateId = "aff",
    AdminId = "adm",
    SessionId = "ses",
    ProductId = "prd",
    OrderId = "ord",
    ClickId = "clk",
    PayoutId = "pyt",
    RefundId = "rfd",
    TaskId = "tsk",
    OutboxId = "obx",
    PictureId = "pic",
    MaterialId = "mat",
    UploadId = "upl",
    AuditId = "aud",
}

fn fresh_bits(now: Timestamp, entropy: &Entropy) -> u128 {
    let millis = u64::try_from(now.unix().max(0)).unwrap_or(0).saturating_mul(1000);
    let mut random = [0; 16];
    random[6..].copy_from_slice(&entropy.bytes::<10>());
    Ulid::from_parts(millis, u128::from_be_bytes(random)).0
}

fn named_bits(kind: &str, parts: &[&str]) -> u128 {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in std::iter::once(&kind).chain(parts) {
        // The length goes first: ("ab", "c") and ("a", "bc") are different names.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    digest.as_ref().iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}
