//! What an affiliate's links brought on one day, counted from the raw events.

use super::{
    ids::AffiliateId,
    money::{Overflow, Rupiah},
    time::{Day, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A visitor who comes again within this time is the same visit.
const VISIT_SECONDS: i64 = 3_600;

/// One day of Jakarta, counted up to `as_of`. Counting it again gives the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyStats {
    pub affiliate: AffiliateId,
    pub day: Day,
    /// Clicks of people, repeated ones included.
    pub clicks: u64,
    /// Clicks that begin a visit.
    pub unique_clicks: u64,
    pub bots: u64,
    /// Attributed orders that were paid on the day.
    pub sales: u64,
    pub revenue: Rupiah,
    /// Commissions earned on them, before any refund.
    pub earned: Rupiah,
    pub as_of: Timestamp,
}

/// A click as far as counting needs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Visit {
    pub at: Timestamp,
    pub visitor: String,
    pub bot: bool,
}

/// An attributed order that was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sale {
    pub revenue: Rupiah,
    pub earned: Rupiah,
}

impl DailyStats {
    /// Counts a day's events; their order does not matter.
    pub fn count(affiliate: AffiliateId, day: Day, mut visits: Vec<Visit>, sales: &[Sale], as_of: Timestamp) -> Result<Self, Overflow> {
        visits.sort();
        let mut begun: HashMap<&str, Timestamp> = HashMap::new();
        let (mut clicks, mut unique_clicks, mut bots) = (0, 0, 0);
        for visit in &visits {
            if visit.bot {
                bots += 1;
                continue;
            }
            clicks += 1;
            if begun.get(visit.visitor.as_str()).is_none_or(|at| visit.at.since(*at) >= VISIT_SECONDS) {
                begun.insert(&visit.visitor, visit.at);
                unique_clicks += 1;
            }
        }
        let total = |of: fn(&Sale) -> Rupiah| sales.iter().try_fold(Rupiah::ZERO, |sum, s| sum.plus(of(s)));
        let (revenue, earned) = (total(|s| s.revenue)?, total(|s| s.earned)?);
        Ok(Self { affiliate, day, clicks, unique_clicks, bots, sales: sales.len() as u64, revenue, earned, as_of })
    }
}
