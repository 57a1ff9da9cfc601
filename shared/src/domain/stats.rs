//! What an affiliate's links brought: counted by day from the raw events, and added up.

use super::{
    Wrong,
    click::Looker,
    ids::AffiliateId,
    money::{Overflow, Rupiah},
    time::{Day, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A visitor who comes again within this time is the same visit.
const VISIT_SECONDS: i64 = 3_600;
/// How long clicks, and the mark that says whose day has some, are kept where no run archives them: the longest retention
/// that can be set and two months, so that a retention that is lowered or raised later loses nothing.
pub const KEPT_DAYS: u16 = 365 + 60;
/// So long after a day it is still counted again; later its clicks may be in the archive.
pub const COUNTED_DAYS: i64 = 60;
/// Longest range of days that is shown at once.
pub const MOST_DAYS: i64 = 366;

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Clicks of people, repeated ones included.
    pub clicks: u64,
    /// Clicks that begin a visit.
    pub unique_clicks: u64,
    pub bots: u64,
    /// Pages that browsers loaded before anybody looked.
    #[serde(default)]
    pub prefetches: u64,
    /// Attributed orders that were placed, whatever became of them.
    #[serde(default)]
    pub leads: u64,
    /// Attributed orders that were paid.
    pub sales: u64,
    pub revenue: Rupiah,
    /// Commissions earned on them, before any refund.
    pub earned: Rupiah,
}

/// A visitor who clicked often on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusyVisitor {
    /// The keyed hash that the clicks carry.
    pub visitor: String,
    /// How often at least: see [`Busy`].
    pub clicks: u32,
}

/// Finds the visitors with the most clicks among any number of them, in a fixed room (the counters of Misra and Gries):
/// nobody is counted more than they clicked, and whoever made more than a thousandth of a day's clicks is found.
#[derive(Debug, Default)]
pub struct Busy(HashMap<String, u32>);

/// Counters that are kept while a day is counted, visitors that are kept with it, and from how many clicks on.
const COUNTERS: usize = 2_000;
const MOST_BUSY: usize = 50;
const BUSY_CLICKS: u32 = 10;

impl Busy {
    fn add(&mut self, visitor: &str) {
        if let Some(count) = self.0.get_mut(visitor) {
            *count = count.saturating_add(1);
        } else if self.0.len() < COUNTERS {
            self.0.insert(visitor.to_owned(), 1);
        } else {
            self.0.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    /// The busiest, most clicks first.
    pub fn visitors(self) -> Vec<BusyVisitor> {
        let mut busy: Vec<BusyVisitor> =
            self.0.into_iter().filter(|(_, clicks)| *clicks >= BUSY_CLICKS).map(|(visitor, clicks)| BusyVisitor { visitor, clicks }).collect();
        busy.sort_unstable_by(|a, b| b.clicks.cmp(&a.clicks).then_with(|| a.visitor.cmp(&b.visitor)));
        busy.truncate(MOST_BUSY);
        busy
    }
}

/// One day of Jakarta, counted up to `as_of`. Counting it again gives the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyStats {
    pub affiliate: AffiliateId,
    pub day: Day,
    #[serde(flatten)]
    pub counts: Counts,
    /// Who clicked most; nobody on a usual day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub busy: Vec<BusyVisitor>,
    pub as_of: Timestamp,
}

/// The sum of all days of an affiliate: changed by what a day changed by, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatsTotals {
    pub affiliate: AffiliateId,
    #[serde(flatten)]
    pub counts: Counts,
}

/// Something happened to an affiliate on a day: it is to be counted. A payment that was noticed late is listed on the
/// day on which it was noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveDay {
    pub listed_on: Day,
    pub affiliate: AffiliateId,
    pub day: Day,
    pub expires_at: Timestamp,
}

impl ActiveDay {
    /// What happened at `at` and is noticed `now`.
    pub fn new(affiliate: AffiliateId, at: Timestamp, now: Timestamp) -> Self {
        Self { listed_on: now.day(), affiliate, day: at.day(), expires_at: now.plus_days(KEPT_DAYS) }
    }
}

/// Counts clicks one after the other, in the order of their times. It remembers the visitors of the last hour only, so
/// that a day of a million clicks needs no more memory than its busiest hour.
#[derive(Debug, Default)]
pub struct Visits {
    counts: Counts,
    /// When the visit of each visitor began.
    begun: HashMap<String, Timestamp>,
    swept: Option<Timestamp>,
    busy: Busy,
}

impl Visits {
    pub fn add(&mut self, at: Timestamp, visitor: String, looker: Looker) {
        match looker {
            Looker::Bot => self.counts.bots += 1,
            Looker::Prefetch => self.counts.prefetches += 1,
            Looker::Person => {
                self.counts.clicks += 1;
                self.busy.add(&visitor);
                self.forget(at);
                if self.begun.get(&visitor).is_none_or(|begun| at.since(*begun) >= VISIT_SECONDS) {
                    self.begun.insert(visitor, at);
                    self.counts.unique_clicks += 1;
                }
            }
        }
    }

    fn forget(&mut self, now: Timestamp) {
        if now.since(*self.swept.get_or_insert(now)) >= VISIT_SECONDS {
            self.begun.retain(|_, begun| now.since(*begun) < VISIT_SECONDS);
            self.swept = Some(now);
        }
    }

    /// The visitors who clicked most so far.
    pub fn take_busy(&mut self) -> Vec<BusyVisitor> {
        std::mem::take(&mut self.busy).visitors()
    }

    /// With what was sold besides.
    pub fn with(self, leads: u64, sales: &[Sale]) -> Result<Counts, Overflow> {
        let mut counts = Counts { leads, sales: sales.len() as u64, ..self.counts };
        for sale in sales {
            counts.revenue = counts.revenue.plus(sale.revenue)?;
            counts.earned = counts.earned.plus(sale.earned)?;
        }
        Ok(counts)
    }
}

/// An attributed order that was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sale {
    pub revenue: Rupiah,
    pub earned: Rupiah,
}

impl Counts {
    pub fn plus(self, other: &Self) -> Result<Self, Overflow> {
        Ok(Self {
            clicks: self.clicks + other.clicks,
            unique_clicks: self.unique_clicks + other.unique_clicks,
            bots: self.bots + other.bots,
            prefetches: self.prefetches + other.prefetches,
            leads: self.leads + other.leads,
            sales: self.sales + other.sales,
            revenue: self.revenue.plus(other.revenue)?,
            earned: self.earned.plus(other.earned)?,
        })
    }

    /// These counts with `before` exchanged for `after`.
    pub fn exchanged(self, before: &Self, after: &Self) -> Result<Self, Overflow> {
        let sum = self.plus(after)?;
        Ok(Self {
            clicks: sum.clicks.saturating_sub(before.clicks),
            unique_clicks: sum.unique_clicks.saturating_sub(before.unique_clicks),
            bots: sum.bots.saturating_sub(before.bots),
            prefetches: sum.prefetches.saturating_sub(before.prefetches),
            leads: sum.leads.saturating_sub(before.leads),
            sales: sum.sales.saturating_sub(before.sales),
            revenue: sum.revenue.minus(before.revenue)?,
            earned: sum.earned.minus(before.earned)?,
        })
    }

    /// Sales for each hundred visits, to two decimals.
    pub fn conversion_rate(&self) -> f64 {
        let hundredths = (self.sales * 10_000).checked_div(self.unique_clicks).unwrap_or(0);
        f64::from(u32::try_from(hundredths).unwrap_or(u32::MAX)) / 100.0
    }
}

/// A stretch of days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: Day,
    pub to: Day,
}

impl Period {
    /// `today`, `7days`, `30days`, `this_month`, or `custom` with its ends.
    pub fn parse(name: &str, ends: Option<(Day, Day)>, today: Day) -> Result<Self, Wrong> {
        let last = |days: u16| Self { from: today.minus(days - 1), to: today };
        match (name, ends) {
            ("today", _) => Ok(last(1)),
            ("7days", _) => Ok(last(7)),
            ("30days", _) => Ok(last(30)),
            ("this_month", _) => Ok(Self { from: today.first_of_month(), to: today }),
            ("custom", Some((from, to))) if from <= to && from.days_until(to) < MOST_DAYS => Ok(Self { from, to }),
            ("custom", Some(_)) => Err(Wrong::new("bad_range", format!("must run forward, over at most {MOST_DAYS} days"))),
            ("custom", None) => Err(Wrong::new("required", "needs start_date and end_date")),
            _ => Err(Wrong::new("unknown_value", "must be one of today, 7days, 30days, this_month, custom")),
        }
    }

    /// Every day of it, oldest first.
    pub fn days(&self) -> Vec<Day> {
        let count = u16::try_from(self.from.days_until(self.to)).unwrap_or(0);
        (0..=count).rev().map(|back| self.to.minus(back)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_is_one_visit_an_hour_and_is_forgotten_after_it() {
        let mut visits = Visits::default();
        for second in 0..20_000 {
            let at = Timestamp::from_unix(1_790_000_000 + second);
            visits.add(at, "sama".into(), Looker::Person);
            visits.add(at, format!("lain-{second}"), Looker::Person);
            visits.add(at, "robot".into(), Looker::Bot);
            assert!(visits.begun.len() <= 2 * 3_600 + 2, "no more than two hours' visitors are kept");
        }
        let counts = visits.with(3, &[]).unwrap();
        assert_eq!((counts.clicks, counts.unique_clicks, counts.bots, counts.leads), (40_000, 20_000 + 6, 20_000, 3));
    }
}
