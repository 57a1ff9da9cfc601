//! Identity cards (KTP): the number, and the picture while it is kept.

use super::{
    Wrong,
    ids::{AdminId, AffiliateId, UploadId},
    settings::Settings,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A NIK: 6 digits of region, the birthday (day + 40 for women), and a serial. No check digit, so never a proof.
#[derive(Clone, PartialEq, Eq)]
pub struct Nik(String);

impl std::fmt::Debug for Nik {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nik")
    }
}

impl Nik {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = || Wrong::new("bad_nik", "must be the 16 digits of an identity card");
        let digits = text.trim();
        if digits.len() != 16 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let number = |from: usize, to: usize| digits.get(from..to).and_then(|d| d.parse::<u32>().ok()).unwrap_or(0);
        let (province, district, day, month) = (number(0, 2), number(2, 4), number(6, 8), number(8, 10));
        let day = if day > 40 { day - 40 } else { day };
        let longest = match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        let plausible = (11..=97).contains(&province) && district > 0 && number(4, 6) > 0 && (1..=longest).contains(&day) && number(12, 16) > 0;
        if plausible { Ok(Self(digits.into())) } else { Err(wrong()) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KtpStatus {
    Pending,
    Verified,
    Rejected,
}

/// What comes with the picture of an identity card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The card's number, sealed.
    pub sealed_nik: String,
    /// Finds the same number at another affiliate, and tells nothing else.
    pub nik_hash: String,
    /// The wording that its owner agreed to, when the upload was asked for.
    pub consent_version: String,
}

/// The picture of an identity card, sealed in the private bucket until `delete_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KtpImage {
    pub affiliate: AffiliateId,
    pub upload: UploadId,
    pub status: KtpStatus,
    pub identity: Identity,
    pub uploaded_at: Timestamp,
    #[serde(default)]
    pub decided_at: Option<Timestamp>,
    pub delete_at: Timestamp,
    /// When another picture took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_at: Option<Timestamp>,
    /// Gone from the bucket: only that it was there remains.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
}

/// Lets one admin look at one sealed picture, once and soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentLink {
    pub secret_hash: String,
    pub admin: AdminId,
    /// Where the picture is kept.
    pub document: String,
    /// Whose or what it is, for the audit log.
    pub subject: String,
    pub expires_at: Timestamp,
}

/// An image that nobody decides on is kept so many times as long as one that was decided on.
const UNDECIDED: u16 = 3;

impl KtpImage {
    pub fn new(affiliate: AffiliateId, upload: UploadId, identity: Identity, settings: &Settings, now: Timestamp) -> Self {
        let delete_at = now.plus_days(settings.ktp_retention_days.saturating_mul(UNDECIDED));
        Self {
            affiliate,
            upload,
            status: KtpStatus::Pending,
            identity,
            uploaded_at: now,
            decided_at: None,
            delete_at,
            replaced_at: None,
            deleted_at: None,
        }
    }

    /// Reviewed: kept for the retention time from now on.
    pub fn decided(mut self, verified: bool, settings: &Settings, now: Timestamp) -> Self {
        self.status = if verified { KtpStatus::Verified } else { KtpStatus::Rejected };
        self.decided_at = Some(now);
        self.delete_at = now.plus_days(settings.ktp_retention_days);
        self
    }

    /// Another picture took its place: this one goes with the next run.
    pub fn replaced(mut self, now: Timestamp) -> Self {
        self.delete_at = self.delete_at.min(now);
        self.replaced_at = self.replaced_at.or(Some(now));
        self
    }

    /// What sorts the card that counts behind all others: one that is still there and has not been replaced, and among
    /// those the one whose picture came last, whichever upload was opened first.
    pub fn rank(&self) -> (bool, Timestamp, UploadId) {
        (self.replaced_at.is_none() && self.deleted_at.is_none(), self.uploaded_at, self.upload)
    }

    /// Where it is kept.
    pub fn key(affiliate: AffiliateId, upload: UploadId) -> String {
        format!("ktp/{affiliate}/{upload}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_checked_for_their_form() {
        for good in ["3273014107900001", "3201011208850003", "1101016902960012"] {
            assert!(Nik::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "327301410790000",
            "32730141079000011",
            "327301410790000x",
            "3273014113900001",
            "3273013202900001",
            "3273014107900000",
            "0073014107900001",
            "3273017202900001",
        ] {
            assert!(Nik::parse(bad).is_err(), "{bad}");
        }
    }
}
