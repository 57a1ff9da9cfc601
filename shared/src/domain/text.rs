//! Short free text: trimmed, bounded, without control characters.

use super::Wrong;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal $(unless $rule:ident)?),+ $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Counts characters, not bytes; inner runs of blanks become one.
            pub fn parse(text: &str) -> Result<Self, Wrong> {
                bounded(text, $min, $max)$(.and_then($rule))?.map(Self)
            }

            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    )+ };
}

texts! {
    /// A person's name.
    PersonName: 2..=100 unless holds_link,
    /// A place: where the meat goes, or where somebody lives.
    Place: 2..=120,
    /// A remark by a customer or an admin, or the reason for a decision.
    Note: 1..=200,
    /// Why somebody wants to be an affiliate.
    Motivation: 10..=1000,
    /// What a product, coupon or material is called.
    Title: 2..=80,
    /// What a product, coupon or material is, in some sentences.
    Description: 1..=1000,
    /// A bank's or gateway's reference for a transfer.
    TransferReference: 3..=64,
    /// What somebody refers to in a message: an order's number, say.
    ShortReference: 1..=40,
    /// Which wording of the terms somebody agreed to.
    TermsVersion: 1..=32,
}

fn bounded(text: &str, min: usize, max: usize) -> Result<String, Wrong> {
    // Cheap refusal first, so that a huge text is never copied.
    if text.len() > max.saturating_mul(8) {
        return Err(too_long(max));
    }
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Err(Wrong::new("bad_characters", "must not hold control characters"));
    }
    let clean = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match clean.chars().count() {
        0 => Err(Wrong::new("required", "must not be empty")),
        n if n < min => Err(Wrong::new("too_short", format!("needs at least {min} characters"))),
        n if n > max => Err(too_long(max)),
        _ => Ok(clean),
    }
}

/// A name goes into mails to addresses that nobody proved, and mail programs make links of such words.
fn holds_link(name: String) -> Result<String, Wrong> {
    let small = name.to_lowercase();
    if small.contains("://") || small.contains("www.") { Err(Wrong::new("bad_characters", "must not hold an address of the web")) } else { Ok(name) }
}

fn too_long(max: usize) -> Wrong {
    Wrong::new("too_long", format!("takes at most {max} characters"))
}

/// Shows who somebody is without saying it: each word keeps at most three letters and never more than half.
pub fn mask_name(name: &str) -> String {
    name.split_whitespace().map(mask_word).collect::<Vec<_>>().join(" ")
}

fn mask_word(word: &str) -> String {
    let length = word.chars().count();
    let kept = (length / 2).min(3);
    word.chars().take(kept).chain(std::iter::repeat_n('*', length - kept)).collect()
}

/// Keeps at most three letters before the `@`, and never more than half of them.
pub fn mask_email(email: &str) -> String {
    let (local, host) = email.rsplit_once('@').unwrap_or((email, ""));
    let kept: String = local.chars().take((local.chars().count() / 2).min(3)).collect();
    format!("{kept}***@{host}")
}

/// Keeps the last four digits of an account number.
pub fn mask_number(number: &str) -> String {
    let length = number.chars().count();
    let hidden = length.saturating_sub(4).max(length / 2);
    std::iter::repeat_n('*', hidden).chain(number.chars().skip(hidden)).collect()
}
