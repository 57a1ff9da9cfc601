//! An affiliate's leads, paired with the commissions that came of them.

use super::{App, Problem};
use crate::{
    domain::{
        commission::Commission,
        ids::AffiliateId,
        lead::{Lead, LeadStatus},
        wallet::{PaidOut, Wallet},
    },
    store::{
        Page, Position,
        entity::{Referral, Stored},
        keys,
    },
};

/// Most pages that are read to fill one page of a filtered list.
const PAGES: usize = 10;

/// One page of leads, newest first; only those of `status`, if one is given.
pub async fn leads(app: &App, id: AffiliateId, status: Option<LeadStatus>, limit: usize, mut after: Option<Position>) -> Result<Page<Lead>, Problem> {
    let paid_out = app.store.wallet(id).await?.map_or_else(PaidOut::default, |w: Stored<Wallet>| w.value.paid_out());
    let mut items = Vec::new();
    for _ in 0..PAGES {
        // As many as are missing, so that the cursor is always where the page ends.
        let (page, next) = app.store.referrals(id, limit - items.len(), after).await?.shown();
        let referrals: Vec<Referral> = page.into_iter().map(|r| r.value).collect();
        let keys: Vec<_> = referrals.iter().map(|r| keys::commission(id, r.placed_at, r.order)).collect();
        let mut found = app.store.get_many(keys.clone()).await?;
        for (referral, key) in referrals.into_iter().zip(&keys) {
            let commission = found.take::<Commission>(key)?.map(|c| c.value);
            items.extend(Some(lead(referral, commission.as_ref(), &paid_out)).filter(|l| status.is_none_or(|s| l.status == s)));
        }
        after = next;
        if after.is_none() || items.len() == limit {
            break;
        }
    }
    Ok(Page::new(items, after))
}

fn lead(referral: Referral, commission: Option<&Commission>, paid_out: &PaidOut) -> Lead {
    Lead {
        order_number: referral.order_number,
        customer: referral.customer,
        items: referral.items,
        total: referral.total,
        flag: referral.flag,
        status: LeadStatus::of(referral.void, commission.map(|c| c.shown(paid_out))),
        commission: commission.map(Commission::remaining),
        placed_at: referral.placed_at,
        paid_at: commission.map(|c| c.paid_at),
    }
}
