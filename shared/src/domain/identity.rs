//! Who may log in: the three audiences, their accounts and their sessions.

use super::{
    Wrong,
    contact::{Email, Phone},
    holding::Holds,
    ids::{CustomerId, SessionId},
    settings::Settings,
    staff::Role,
    text::{PersonName, Place},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Three separate logins; a token of one never works for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    Customer,
    Affiliate,
    Admin,
}

impl Audience {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Affiliate => "affiliate",
            Self::Admin => "admin",
        }
    }

    /// When a session ends that is used at `now`. Staff, who handle other people's money, prove themselves again after
    /// half a day without a sign of them, and every week.
    pub fn session_end(self, begun: Timestamp, now: Timestamp, settings: &Settings) -> Timestamp {
        let usual = now.plus_seconds(settings.refresh_seconds());
        match self {
            Self::Customer | Self::Affiliate => usual,
            Self::Admin => usual.min(now.plus_seconds(STAFF_IDLE_SECONDS)).min(begun.plus_days(STAFF_DAYS)),
        }
    }
}

/// How long a session of staff lasts without being used, and at most.
const STAFF_IDLE_SECONDS: i64 = 12 * 3_600;
const STAFF_DAYS: u16 = 7;

/// What a login is checked against. `account` is the id of the customer, affiliate or admin.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Login {
    pub audience: Audience,
    pub email: Email,
    pub account: String,
    /// A PHC string (argon2id).
    pub password_hash: String,
    pub created_at: Timestamp,
    /// Until when a login counts as its owner's, whatever strangers guess: a mailed link has just set the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched_until: Option<Timestamp>,
}

/// A device that is logged in. The refresh token changes with every use; only its hash is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub audience: Audience,
    pub account: String,
    #[serde(default)]
    pub role: Option<Role>,
    pub refresh_hash: String,
    pub device: String,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    Id,
    En,
}

impl Language {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::En => "en",
        }
    }

    pub fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "id" => Ok(Self::Id),
            "en" => Ok(Self::En),
            _ => Err(Wrong::new("unknown_value", "must be one of id, en")),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Customer {
    pub id: CustomerId,
    pub name: PersonName,
    pub email: Email,
    pub phone: Phone,
    /// Numbers that it had before, newest first: changing the number for a moment hides nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_phones: Vec<Phone>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Place>,
    pub language: Language,
    /// When a mailed link proved that the address is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// What their orders keep from others until they are paid. A new order is saved together with this item, so no two
    /// orders, and no order and a deletion, can both rest on the same reading of it.
    #[serde(default, skip_serializing_if = "Holds::is_empty")]
    pub holds: Holds,
    /// When an order was last told to an address that is not proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_unproved_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// What a mailed link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    VerifyEmail,
    ResetPassword,
    /// A new member of staff chooses a password.
    AcceptInvitation,
}

impl LinkPurpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::AcceptInvitation => "accept_invitation",
        }
    }

    pub const fn seconds(self) -> i64 {
        match self {
            Self::VerifyEmail => 86_400,
            Self::ResetPassword => 1_800,
            Self::AcceptInvitation => 3 * 86_400,
        }
    }
}

/// A link that was mailed: works once, the newest of its purpose only. The hash of its secret is all that is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailedLink {
    pub account: String,
    pub audience: Audience,
    pub purpose: LinkPurpose,
    pub email: Email,
    pub secret_hash: String,
    pub expires_at: Timestamp,
}
