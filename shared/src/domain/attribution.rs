//! Whose sale an order is: decided when it is placed, and frozen on it.

use super::{
    affiliate::{Affiliate, AffiliateStatus, ReferralCode},
    contact::{BankAccount, Email, Phone},
    ids::{AffiliateId, ClickId, ProductId},
    settings::{CommissionRule, SelfReferral, Settings},
    signal::{Signal, is_disposable},
    text::{PersonName, skeleton},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The terms of the commission as they stood when the order was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenRule {
    pub rule: CommissionRule,
    pub version: u32,
    pub hold_days: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Coupon,
    Link,
}

/// The affiliate who gets the commission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    pub affiliate: AffiliateId,
    pub code: ReferralCode,
    pub source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click: Option<ClickId>,
    pub rule: FrozenRule,
    /// Products of the order that earn by a rule of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub special: Vec<SpecialRule>,
}

/// What one product earns, as it stood when the order was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialRule {
    pub product: ProductId,
    pub rule: CommissionRule,
}

/// Why a referred order earns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotAttributed {
    SelfReferral,
    AffiliateNotActive,
}

/// A signed click that came back with the order, from the cookie or the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClickProof {
    pub affiliate: AffiliateId,
    pub click: ClickId,
    pub code: ReferralCode,
    pub at: Timestamp,
}

impl ClickProof {
    /// Whether the click still counts: inside the window, and not from a clock more than five minutes ahead.
    pub fn counts(&self, now: Timestamp, window_days: u16) -> bool {
        self.at <= now.plus_seconds(300) && now < self.at.plus_days(window_days)
    }
}

/// Who buys, as far as self-referral is concerned.
#[derive(Debug, Clone)]
pub struct Buyer<'a> {
    pub name: &'a PersonName,
    pub email: &'a Email,
    pub phone: &'a Phone,
    /// Numbers that the account had before.
    pub former_phones: &'a [Phone],
}

/// The affiliate whose code or click came with the order, and how.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    pub affiliate: &'a Affiliate,
    pub bank: Option<&'a BankAccount>,
    pub source: Source,
    pub click: Option<&'a ClickProof>,
    /// Rules of the ordered products.
    pub special: Vec<SpecialRule>,
}

/// The affiliate's sale with what is odd about it, or why it is nobody's.
pub fn attribute(candidate: &Candidate<'_>, buyer: &Buyer<'_>, settings: &Settings) -> Result<(Attribution, Vec<Signal>), NotAttributed> {
    let affiliate = candidate.affiliate;
    let (AffiliateStatus::Approved, Some(current)) = (affiliate.status, affiliate.code.as_ref()) else {
        return Err(NotAttributed::AffiliateNotActive);
    };
    let mut rule = affiliate.commission_override.unwrap_or(settings.commission);
    // A rate of the affiliate's own holds for everything.
    let mut special = if affiliate.commission_override.is_some() { Vec::new() } else { candidate.special.clone() };
    let mut signals = Vec::new();
    if is_disposable(buyer.email) {
        signals.push(Signal::DisposableMail);
    }
    if is_same_person(candidate, buyer) {
        match settings.self_referral {
            SelfReferral::Block => return Err(NotAttributed::SelfReferral),
            SelfReferral::Reduced { rate } => {
                rule = CommissionRule::Percent { rate };
                special.clear();
            }
            SelfReferral::Allow => {}
        }
        signals.push(Signal::SelfReferral);
    }
    let attribution = Attribution {
        affiliate: affiliate.id,
        code: candidate.click.map_or_else(|| current.clone(), |c| c.code.clone()),
        source: candidate.source,
        click: candidate.click.map(|c| c.click),
        rule: FrozenRule { rule, version: settings.version, hold_days: settings.hold_days },
        special,
    };
    Ok((attribution, signals))
}

fn is_same_person(candidate: &Candidate<'_>, buyer: &Buyer<'_>) -> bool {
    let affiliate = candidate.affiliate;
    let same_name = |holder: &PersonName| {
        let [holder, name] = [holder.as_str(), buyer.name.as_str()];
        holder.to_lowercase() == name.to_lowercase() || Some(skeleton(holder)).filter(|s| !s.is_empty()) == Some(skeleton(name))
    };
    let phones = |phone: &Phone| *phone == affiliate.details.whatsapp || affiliate.former_phones.contains(phone);
    affiliate.email.mailbox() == buyer.email.mailbox()
        || phones(buyer.phone)
        || buyer.former_phones.iter().any(phones)
        || candidate.bank.is_some_and(|bank| same_name(&bank.holder))
}
