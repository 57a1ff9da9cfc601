//! Counts the days of the affiliates from their raw clicks and ledgers. Safe to run twice, late, or for a past day.

use super::{App, Problem};
use crate::{
    domain::{
        affiliate::AffiliateStatus,
        commission::Commission,
        ids::{AffiliateId, OrderId},
        stats::{DailyStats, Sale, Visit},
        time::{Day, Timestamp},
        wallet::Cause,
    },
    store::keys::{self, SHARDS},
};

/// Most affiliates of one status in one run.
const MOST: usize = 10_000;
/// Commissions that are read in one round trip.
const BATCH: usize = 100;

/// Counts today and yesterday, as of `now`, for every affiliate; answers with how many days that were.
pub async fn aggregate(app: &App, now: Timestamp) -> Result<usize, Problem> {
    let today = now.day();
    let mut counted = 0;
    for status in [AffiliateStatus::Approved, AffiliateStatus::Suspended] {
        let (mut after, mut seen) = (None, 0);
        loop {
            let page = app.store.applications(status, 100, after).await?;
            seen += page.items.len();
            for id in page.items.iter().map(|a| a.value.id) {
                for day in [today.before(), today] {
                    count_day(app, id, day, now).await?;
                    counted += 1;
                }
            }
            after = page.next;
            if after.is_none() || seen >= MOST {
                break;
            }
        }
    }
    Ok(counted)
}

/// Counts one day of one affiliate. A count that is younger than `now` stays.
pub async fn count_day(app: &App, affiliate: AffiliateId, day: Day, now: Timestamp) -> Result<(), Problem> {
    let before = app.store.daily_stats(affiliate, day).await?;
    if before.as_ref().is_some_and(|b| b.value.as_of >= now) {
        return Ok(());
    }
    let mut visits = Vec::new();
    for shard in 0..SHARDS {
        let mut after = None;
        loop {
            let page = app.store.clicks(affiliate, day, shard, after).await?;
            visits.extend(page.items.into_iter().map(|c| Visit { at: c.value.at, visitor: c.value.visitor, bot: c.value.bot }));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    let sales = sales_of(app, affiliate, day).await?;
    let stats = DailyStats::count(affiliate, day, visits, &sales, now)?;
    // Whoever has written meanwhile has counted the same events.
    match before {
        Some(before) => app.store.save(&before, &stats).await?,
        None => app.store.create(&stats).await?,
    };
    Ok(())
}

/// What was earned on a day: from the end of the ledger backwards, as far as the day's beginning.
async fn sales_of(app: &App, affiliate: AffiliateId, day: Day) -> Result<Vec<Sale>, Problem> {
    let mut orders: Vec<OrderId> = Vec::new();
    let mut after = None;
    loop {
        let page = app.store.ledger(affiliate, 100, after).await?;
        let entries = page.items.iter().map(|e| &e.value);
        orders.extend(entries.filter(|e| e.at.day() == day).filter_map(|e| if let Cause::Earned { order } = e.cause { Some(order) } else { None }));
        let past = page.items.last().is_some_and(|e| e.value.at.day() < day.before());
        after = page.next;
        if after.is_none() || past {
            break;
        }
    }
    let mut sales = Vec::with_capacity(orders.len());
    for some in orders.chunks(BATCH) {
        let keys: Vec<_> = some.iter().map(|order| keys::commission(affiliate, *order)).collect();
        let mut found = app.store.get_many(keys.clone()).await?;
        for key in &keys {
            sales.extend(found.take::<Commission>(key)?.map(|c| Sale { revenue: c.value.basis, earned: c.value.amount }));
        }
    }
    Ok(sales)
}
