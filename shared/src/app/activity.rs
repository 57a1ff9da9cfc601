//! What happened lately to an affiliate: the newest clicks, sales, matured commissions and payouts, in one list.

use super::{App, Problem};
use crate::{
    domain::{
        click::Looker,
        ids::AffiliateId,
        money::Rupiah,
        time::Timestamp,
        wallet::{Account, Cause, LedgerEntry},
    },
    store::keys::SHARDS,
};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    pub kind: &'static str,
    pub at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Rupiah>,
    /// Where a click came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The newest events, at most `limit`. Clicks are those of today and yesterday.
pub async fn latest(app: &App, id: AffiliateId, limit: usize) -> Result<Vec<Event>, Problem> {
    let today = app.clock.now().day();
    let ledger = app.store.latest_entries(id, limit).await?;
    let mut events: Vec<Event> = ledger.iter().map(|e| of_entry(&e.value)).collect();
    for day in [today, today.before()] {
        for shard in 0..SHARDS {
            let clicks = app.store.latest_clicks(id, day, shard, limit).await?;
            let people = clicks.into_iter().filter(|c| c.looker == Looker::Person);
            events.extend(people.map(|c| Event { kind: "click", at: c.at, amount: None, source: c.referrer }));
        }
    }
    events.sort_by_key(|e| std::cmp::Reverse(e.at));
    events.truncate(limit);
    Ok(events)
}

fn of_entry(entry: &LedgerEntry) -> Event {
    let kind = match entry.cause {
        Cause::Earned { .. } => "sale",
        Cause::Matured { .. } => "commission_available",
        Cause::VoidedPending { .. } | Cause::VoidedHeld { .. } | Cause::VoidedAvailable { .. } => "commission_void",
        Cause::PayoutRequested { .. } => "payout_requested",
        Cause::PayoutPaid { .. } | Cause::PayoutPaidAfterRelease { .. } => "payout_paid",
        Cause::PayoutReleased { .. } => "payout_returned",
        Cause::PayoutReversed { .. } => "payout_reversed",
    };
    let moved = entry.legs.iter().find(|l| l.account != Account::House && !l.amount.is_negative()).or(entry.legs.first());
    Event {
        kind,
        at: entry.at,
        amount: moved.map(|l| if l.amount.is_negative() { l.amount.negated().unwrap_or(l.amount) } else { l.amount }),
        source: None,
    }
}
