//! What the shop knows about its world: pure values, rules and status machines.
//!
//! Nothing here does I/O, reads a clock or draws a random number, and nothing here knows AWS.
//! Every aggregate is decided by a function from the old value to the new one; the store then writes
//! the new value under the condition that the old one is still there.

pub mod affiliate;
pub mod attribution;
pub mod catalog;
pub mod click;
pub mod commission;
pub mod contact;
pub mod coupon;
pub mod departure;
pub mod helpdesk;
pub mod holding;
pub mod identity;
pub mod ids;
pub mod job;
pub mod ktp;
pub mod lead;
pub mod material;
pub mod money;
pub mod order;
pub mod outbox;
pub mod payment;
pub mod payout;
pub mod picture;
pub mod platform;
pub mod refund;
pub mod settings;
pub mod shop_stats;
pub mod signal;
pub mod staff;
pub mod stats;
pub mod text;
pub mod time;
pub mod upload;
pub mod verdict;
pub mod wallet;

/// Why one value was refused: a stable code for programs and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Wrong {
    pub code: &'static str,
    pub message: String,
}

impl Wrong {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A status machine was asked for a step that its table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot go from {from} to {to}")]
pub struct Forbidden {
    pub from: &'static str,
    pub to: &'static str,
}

/// Declares a status with its names and its one table of allowed steps.
macro_rules! status {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? } steps { $($from:ident => [$($to:ident),*]),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $(#[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The steps that exist; every other is forbidden.
            pub const STEPS: &'static [(Self, &'static [Self])] = &[$((Self::$from, &[$(Self::$to),*])),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            pub fn may_become(self, to: Self) -> bool {
                Self::STEPS.iter().any(|(from, tos)| *from == self && tos.contains(&to))
            }

            /// The next status, or which step was forbidden.
            pub fn step(self, to: Self) -> Result<Self, $crate::domain::Forbidden> {
                if self.may_become(to) { Ok(to) } else { Err($crate::domain::Forbidden { from: self.as_str(), to: to.as_str() }) }
            }

            pub fn parse(text: &str) -> Result<Self, $crate::domain::Wrong> {
                Self::ALL.iter().copied().find(|s| s.as_str() == text).ok_or_else(|| $crate::domain::Wrong::new(
                    "unknown_value",
                    format!("must be one of {}", Self::ALL.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ")),
                ))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}
pub(crate) use status;
