//! What an affiliate's accounts did in a month.

use super::{App, Problem};
use crate::domain::{
    ids::AffiliateId,
    time::Day,
    wallet::{Balance, LedgerEntry},
};

/// The balances before and after a month, and what happened between.
#[derive(Debug, Clone)]
pub struct Statement {
    pub opening: Balance,
    pub entries: Vec<LedgerEntry>,
    pub closing: Balance,
}

/// Most entries that a statement goes through: an affiliate's whole history for some seasons.
const MOST: usize = 50_000;

/// The statement of the month that begins on `first`. The ledger is gone through backwards, from the wallet as it is, so
/// a late month costs less than an early one.
pub async fn of_month(app: &App, id: AffiliateId, first: Day) -> Result<Statement, Problem> {
    let (begins, ends) = (first.begins(), first.last_of_month().after().begins());
    let wallet = app.store.wallet(id).await?.ok_or_else(|| Problem::conflict("the application has not been approved"))?.value;
    let (mut closing, mut opening) = (wallet.balance, wallet.balance);
    let (mut entries, mut after, mut seen, mut within) = (Vec::new(), None, 0, false);
    loop {
        let (page, next) = app.store.ledger(id, 100, after).await?.whole()?;
        for entry in page.into_iter().map(|e| e.value).filter(|e| e.number <= wallet.entries) {
            if entry.at < begins {
                return Ok(finished(opening, entries, closing));
            }
            opening = opening.without(&entry)?;
            // The last entry before its end closes a month: all older ones are in it or before it, also where an older
            // version dated one of them later. So a month ends where the next begins.
            within |= entry.at < ends;
            if within {
                entries.push(entry);
            } else {
                closing = opening;
            }
            seen += 1;
        }
        after = next;
        if after.is_none() {
            return Ok(finished(opening, entries, closing));
        }
        if seen >= MOST {
            return Err(Problem::conflict("the statement of so early a month cannot be made here; write to us"));
        }
    }
}

fn finished(opening: Balance, mut entries: Vec<LedgerEntry>, closing: Balance) -> Statement {
    entries.reverse();
    Statement { opening, entries, closing }
}
