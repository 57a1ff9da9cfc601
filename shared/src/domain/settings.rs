//! Policies that admins change without a deployment, with the defaults that hold until they do.

use super::{
    Wrong,
    ids::AdminId,
    money::{BasisPoints, Rupiah},
    time::{Day, Timestamp},
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CommissionRule {
    /// Of the amount paid after discount.
    Percent { rate: BasisPoints },
    /// For each order, never more than the amount paid.
    Flat { amount: Rupiah },
}

/// Above these a commission is an owner's to give: a fifth of the price, or what a fifth of a goat costs.
const LARGE_COMMISSION: BasisPoints = BasisPoints::percent(20);
const LARGE_FLAT_COMMISSION: Rupiah = Rupiah::new(750_000);

impl CommissionRule {
    pub fn needs_owner(self) -> bool {
        match self {
            Self::Percent { rate } => rate > LARGE_COMMISSION,
            Self::Flat { amount } => amount > LARGE_FLAT_COMMISSION,
        }
    }
}

/// What happens when an affiliate buys through their own link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SelfReferral {
    /// The order stands, no commission, flagged.
    Block,
    Reduced {
        rate: BasisPoints,
    },
    Allow,
}

/// From this many days before 10 Dzulhijjah on, that much comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundTier {
    pub at_least_days: i64,
    pub rate: BasisPoints,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Season {
    /// Hijri year.
    pub year: u16,
    /// 10 Dzulhijjah.
    pub eid: Day,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Counts the changes; frozen on orders as the version of the commission rule.
    pub version: u32,
    pub commission: CommissionRule,
    pub hold_days: u16,
    pub minimum_payout: Rupiah,
    pub second_person_above: Rupiah,
    /// What held before that limit was raised, and for how long it holds still.
    pub earlier_limit: Option<EarlierLimit>,
    /// Whether staff without a proved second factor may do nothing but set one up.
    pub second_factor_required: bool,
    pub withholding: BasisPoints,
    /// Whether payouts may be handed to the gateway; by hand, if not.
    pub gateway_payouts: bool,
    /// On which days of the month payouts may be requested; on all, if none are set.
    pub payout_window: Option<MonthWindow>,
    pub self_referral: SelfReferral,
    pub referral_days: u16,
    /// How long an access token is good, and how long a device stays logged in without being used.
    pub access_minutes: u16,
    pub refresh_days: u16,
    pub payment_hours: u16,
    /// Animals that one customer may hold at once without having paid them.
    pub unpaid_animals: u32,
    pub click_retention_days: u16,
    /// How long the picture of an identity card is kept after it was decided on.
    pub ktp_retention_days: u16,
    pub signals: SignalRules,
    pub refund_tiers: Vec<RefundTier>,
    pub seasons: Vec<Season>,
    pub terms_version: String,
    /// Names can be changed until so many days before Eid.
    pub names_days_before_eid: i64,
}

/// A limit that was raised holds for another day, so that one person cannot raise it and pay at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierLimit {
    pub above: Rupiah,
    pub until: Timestamp,
}

/// How long an earlier limit holds.
const RAISED_DAYS: u16 = 1;

/// The settings as they were after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsVersion {
    pub version: u32,
    /// Inside an item that has a version of its own.
    pub settings: Settings,
    pub by: AdminId,
    pub at: Timestamp,
}

/// When a sale is held for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignalRules {
    /// So many orders of one visitor among an affiliate's latest.
    pub orders_of_one_visitor: u32,
    /// So many clicks of the visitor who buys, on the day of the click that the sale rests on.
    pub flood_clicks: u32,
}

impl Default for SignalRules {
    fn default() -> Self {
        Self { orders_of_one_visitor: 5, flood_clicks: 1_000 }
    }
}

/// Days of a month, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthWindow {
    pub first_day: u8,
    pub last_day: u8,
}

impl MonthWindow {
    pub fn contains(self, day: Day) -> bool {
        (self.first_day..=self.last_day).contains(&day.of_month())
    }
}

impl Default for Settings {
    fn default() -> Self {
        let tier = |at_least_days, percent| RefundTier { at_least_days, rate: BasisPoints::percent(percent) };
        Self {
            version: 1,
            commission: CommissionRule::Percent { rate: BasisPoints::percent(5) },
            hold_days: 30,
            minimum_payout: Rupiah::new(100_000),
            second_person_above: Rupiah::new(10_000_000),
            earlier_limit: None,
            second_factor_required: false,
            withholding: BasisPoints::ZERO,
            gateway_payouts: false,
            payout_window: None,
            self_referral: SelfReferral::Block,
            referral_days: 30,
            access_minutes: 10,
            refresh_days: 30,
            payment_hours: 24,
            unpaid_animals: 30,
            click_retention_days: 90,
            ktp_retention_days: 30,
            signals: SignalRules::default(),
            refund_tiers: vec![tier(31, 100), tier(15, 90), tier(7, 75), tier(-400, 0)],
            // 10 Dzulhijjah by the calendar of the Ministry of Religious Affairs; an admin corrects it after the isbat session.
            seasons: vec![Season { year: 1447, eid: Day::new(2026, 5, 27) }, Season { year: 1448, eid: Day::new(2027, 5, 16) }],
            terms_version: "2026-01".into(),
            names_days_before_eid: 3,
        }
    }
}

impl Settings {
    pub fn access_seconds(&self) -> i64 {
        i64::from(self.access_minutes) * 60
    }

    pub fn refresh_seconds(&self) -> i64 {
        i64::from(self.refresh_days) * 86_400
    }

    /// Above which a payout needs a second person now.
    pub fn second_person_limit(&self, now: Timestamp) -> Rupiah {
        let earlier = self.earlier_limit.filter(|e| now < e.until).map(|e| e.above);
        earlier.map_or(self.second_person_above, |above| above.min(self.second_person_above))
    }

    /// These settings in the place of `before`: a limit that was raised waits, one that was lowered holds at once.
    pub fn following(mut self, before: &Self, now: Timestamp) -> Self {
        self.version = before.version + 1;
        if self.second_person_above > before.second_person_above {
            self.earlier_limit = Some(EarlierLimit { above: before.second_person_limit(now), until: now.plus_days(RAISED_DAYS) });
        }
        self
    }

    /// What of it contradicts itself: the field, and why.
    pub fn contradictions(&self) -> Vec<(&'static str, Wrong)> {
        let wrong = |field, message: &str| Some((field, Wrong::new("bad_policy", message)));
        let window = self.payout_window.filter(|w| w.first_day < 1 || w.first_day > w.last_day || w.last_day > 31);
        let mut days: Vec<i64> = self.refund_tiers.iter().map(|t| t.at_least_days).collect();
        days.sort_unstable();
        let rising = self.refund_tiers.iter().all(|t| self.refund_tiers.iter().all(|o| o.at_least_days < t.at_least_days || o.rate >= t.rate));
        let mut years: Vec<u16> = self.seasons.iter().map(|s| s.year).collect();
        years.sort_unstable();
        let checks = [
            window.and_then(|_| wrong("payout_window", "must be days of a month, the first before the last")),
            days.windows(2).any(|w| matches!(w, [a, b] if a == b)).then(|| wrong("refund_tiers", "names a number of days twice")).flatten(),
            (!rising).then(|| wrong("refund_tiers", "must not give back more nearer to Eid")).flatten(),
            years.windows(2).any(|w| matches!(w, [a, b] if a == b)).then(|| wrong("seasons", "names a year twice")).flatten(),
        ];
        checks.into_iter().flatten().collect()
    }

    /// Whether animals of `season` are sold on `day`: until its Eid. A season without dates is open.
    pub fn sells(&self, season: u16, day: Day) -> bool {
        let season = self.seasons.iter().find(|s| s.year == season);
        season.is_none_or(|s| day.days_until(s.eid) >= 0)
    }

    /// Whether the names of an order of `season` may still be changed on `day`. A season without dates stays open.
    pub fn names_may_change(&self, season: u16, day: Day) -> bool {
        let season = self.seasons.iter().find(|s| s.year == season);
        season.is_none_or(|s| day.days_until(s.eid) >= self.names_days_before_eid)
    }

    /// The share of the money that a refund requested on `day` proposes for an order of `season`.
    /// A season without dates proposes everything: the shop cannot hold its own gap against the customer.
    pub fn proposed_refund(&self, season: u16, day: Day) -> BasisPoints {
        let Some(season) = self.seasons.iter().find(|s| s.year == season) else {
            return BasisPoints::percent(100);
        };
        let days = day.days_until(season.eid);
        self.refund_tiers.iter().filter(|t| days >= t.at_least_days).max_by_key(|t| t.at_least_days).map_or(BasisPoints::ZERO, |t| t.rate)
    }
}
