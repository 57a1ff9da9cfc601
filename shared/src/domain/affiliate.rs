//! Affiliates: their application, its review, and the code that is theirs.

use super::{
    Forbidden, Wrong,
    contact::{BankAccount, Email, Phone},
    identity::Language,
    ids::{AdminId, AffiliateId},
    picture::Picture,
    platform::Platform,
    settings::CommissionRule,
    status,
    text::{Motivation, Note, PersonName, Place},
    time::{Entropy, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

status! {
    AffiliateStatus { Pending = "pending", Approved = "approved", Rejected = "rejected", Suspended = "suspended" }
    steps {
        Pending => [Approved, Rejected],
        Approved => [Suspended],
        Suspended => [Approved],
        Rejected => [Pending],
    }
}

/// Letters and digits that nobody mistakes for each other.
const ALPHABET: &[u8] = b"ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789";

/// Whether a code holds letters, digits and dashes only, and more than dashes.
pub fn is_word(code: &str) -> bool {
    code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && code.chars().any(|c| c.is_ascii_alphanumeric())
}

/// A referral code as it is shown. Two codes that differ only in case are the same code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReferralCode(String);

impl ReferralCode {
    /// Seven random characters.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(entropy.text(7, ALPHABET))
    }

    /// A code that an admin chose or a visitor typed: 4 to 20 letters, digits or dashes, and not dashes alone.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let code = text.trim();
        if (4..=20).contains(&code.len()) && is_word(code) {
            Ok(Self(code.into()))
        } else {
            Err(Wrong::new("bad_code", "must be 4 to 20 letters, digits or dashes, with at least one letter or digit"))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The spelling under which the code is unique and found: case is forgiven.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for ReferralCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an affiliate says of themselves, on the application and later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub whatsapp: Phone,
    pub city: Place,
    /// Profiles, by platform.
    pub social: BTreeMap<Platform, String>,
    pub primary_platform: Platform,
    pub reason: Motivation,
    pub language: Language,
}

/// An affiliate from the application on. The password is with the login, the money with the wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affiliate {
    pub id: AffiliateId,
    pub status: AffiliateStatus,
    pub email: Email,
    #[serde(flatten)]
    pub details: Details,
    /// Telephone numbers that they had before, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_phones: Vec<Phone>,
    #[serde(default)]
    pub photo: Option<Picture>,
    pub applied_at: Timestamp,
    #[serde(default)]
    pub decided_at: Option<Timestamp>,
    #[serde(default)]
    pub rejection: Option<Note>,
    #[serde(default)]
    pub suspension: Option<Note>,
    /// The current code; older ones keep working through their own items.
    #[serde(default)]
    pub code: Option<ReferralCode>,
    #[serde(default)]
    pub commission_override: Option<CommissionRule>,
}

impl Affiliate {
    pub fn approved(mut self, code: ReferralCode, now: Timestamp) -> Result<Self, Forbidden> {
        self.status = self.status.step(AffiliateStatus::Approved)?;
        self.code = Some(code);
        self.decided_at = Some(now);
        self.rejection = None;
        Ok(self)
    }

    pub fn rejected(mut self, reason: Note, now: Timestamp) -> Result<Self, Forbidden> {
        self.status = self.status.step(AffiliateStatus::Rejected)?;
        self.rejection = Some(reason);
        self.decided_at = Some(now);
        Ok(self)
    }

    /// Applies again after a rejection, with other details.
    pub fn reapplied(mut self, details: Details, now: Timestamp) -> Result<Self, Forbidden> {
        self.status = self.status.step(AffiliateStatus::Pending)?;
        self = self.described(details);
        self.applied_at = now;
        self.decided_at = None;
        self.rejection = None;
        Ok(self)
    }

    /// With other details; a telephone number that goes is remembered.
    pub fn described(mut self, details: Details) -> Self {
        let before = std::mem::replace(&mut self.details, details);
        self.former_phones = before.whatsapp.into_former(&self.details.whatsapp, self.former_phones);
        self
    }

    pub fn suspended(mut self, reason: Note) -> Result<Self, Forbidden> {
        self.status = self.status.step(AffiliateStatus::Suspended)?;
        self.suspension = Some(reason);
        Ok(self)
    }

    pub fn reinstated(mut self) -> Result<Self, Forbidden> {
        // An application that waits is approved, not reinstated.
        if self.status != AffiliateStatus::Suspended {
            return Err(Forbidden { from: self.status.as_str(), to: "reinstated" });
        }
        self.status = self.status.step(AffiliateStatus::Approved)?;
        self.suspension = None;
        Ok(self)
    }

    /// Whether somebody who looks for `words` means this one: by name, address, city, code or profile.
    pub fn is_meant_by(&self, words: &str) -> bool {
        let code = self.code.as_ref().map(ReferralCode::as_str).unwrap_or_default();
        let d = &self.details;
        let texts = [d.first_name.as_str(), d.last_name.as_str(), self.email.as_str(), d.city.as_str(), d.whatsapp.as_str(), code];
        let all = texts.into_iter().chain(d.social.values().map(String::as_str)).collect::<Vec<_>>().join(" ").to_lowercase();
        words.to_lowercase().split_whitespace().all(|w| all.contains(w))
    }
}

status! {
    BankStatus { Pending = "pending", Verified = "verified", Rejected = "rejected" }
    steps {
        Pending => [Verified, Rejected],
        // A verification that was a mistake is taken back.
        Verified => [Pending, Rejected],
        Rejected => [Pending],
    }
}

/// The affiliate's bank account and where its verification stands. Every change of the account is a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutAccount {
    pub affiliate: AffiliateId,
    pub account: BankAccount,
    /// Finds the same account at another affiliate, and tells nothing else.
    #[serde(default)]
    pub account_hash: String,
    pub version: u32,
    pub status: BankStatus,
    pub changed_at: Timestamp,
    #[serde(default)]
    pub decided_by: Option<AdminId>,
    #[serde(default)]
    pub decided_at: Option<Timestamp>,
    #[serde(default)]
    pub rejection: Option<Note>,
}

impl PayoutAccount {
    pub fn decided(mut self, verified: bool, by: AdminId, reason: Option<Note>, now: Timestamp) -> Result<Self, Forbidden> {
        self.status = self.status.step(if verified { BankStatus::Verified } else { BankStatus::Rejected })?;
        self.decided_by = Some(by);
        self.decided_at = Some(now);
        self.rejection = reason;
        Ok(self)
    }
}

/// What a code resolves to. One item per code that was ever given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeOwner {
    pub code: ReferralCode,
    pub affiliate: AffiliateId,
    pub given_at: Timestamp,
}
