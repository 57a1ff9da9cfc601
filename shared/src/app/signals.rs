//! Held commissions: what holds them, and what a person decides.

use super::{
    App, Code, Problem, ROUNDS,
    audit::{self, Reviewer},
    shop_days,
};
use crate::{
    domain::{
        commission::{Commission, CommissionStatus},
        ids::{AffiliateId, OrderId},
        money::Rupiah,
        order::Order,
        settings::Settings,
        signal::{Signal, is_flood},
        stats::DailyStats,
        text::Note,
        wallet::{Cause, Standing, Wallet},
    },
    store::{
        entity::{Click, Stored},
        keys,
        transaction::{Commit, Transaction},
    },
};

/// How many of an affiliate's latest leads are compared.
const COMPARED: usize = 30;

/// The wallet that a sale is credited to, and everything odd about the sale. Two reads.
pub async fn of_sale(app: &App, order: &Order, affiliate: AffiliateId) -> Result<(Stored<Wallet>, Vec<Signal>), Problem> {
    let wallet_key = keys::wallet(affiliate);
    // The click that the sale rests on, with the visitors of its day.
    let rests_on = order.attribution.as_ref().and_then(|a| a.click);
    let of_click = rests_on.map(|click| (keys::click(affiliate, click.made_at(), click), keys::daily_stats(affiliate, click.made_at().day())));
    let wanted = of_click.iter().flat_map(|(click, day)| [click.clone(), day.clone()]);
    let mut found = app.store.get_many(wanted.chain([wallet_key.clone(), keys::settings()])).await?;
    let wallet: Stored<Wallet> = found.take(&wallet_key)?.ok_or_else(|| Problem::internal("an affiliate without a wallet"))?;
    let rules = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default().signals;
    let flooded = match &of_click {
        Some((click, day)) => {
            let (click, day) = (found.take::<Click>(click)?, found.take::<DailyStats>(day)?);
            click.zip(day).is_some_and(|(click, day)| is_flood(&day.value.busy, &click.value.visitor, &rules))
        }
        None => false,
    };
    let mut signals = order.signals.clone();
    let odd = [
        (wallet.value.standing == Standing::Suspended, Signal::Suspended),
        (wallet.value.shares_bank, Signal::SharedBankAccount),
        (wallet.value.shares_identity, Signal::SharedIdentity),
        (flooded, Signal::ClickFlood),
        (of_one_visitor(app, order, affiliate).await? >= rules.orders_of_one_visitor, Signal::ManyFromOneVisitor),
    ];
    signals.extend(odd.into_iter().filter_map(|(is, signal)| is.then_some(signal)));
    Ok((wallet, signals))
}

/// How many of the latest leads, this one included, come from where this one does.
async fn of_one_visitor(app: &App, order: &Order, affiliate: AffiliateId) -> Result<u32, Problem> {
    let latest = app.store.latest_referrals(affiliate, COMPARED).await?;
    let own = latest.iter().find(|l| l.value.order == order.id).and_then(|l| l.value.visitor.clone());
    let same = latest.iter().filter(|l| own.is_some() && l.value.visitor == own).count();
    Ok(u32::try_from(same).unwrap_or(u32::MAX))
}

/// What a person decides on a held commission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Release,
    Void,
}

/// Decides on the commission of an order. Repeating a decision that stands gives the same answer.
pub async fn decide(app: &App, by: Reviewer, id: OrderId, decision: Decision, note: &Note) -> Result<Commission, Problem> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let order = app.store.order(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value;
        let read = app.store.commission(&order).await?.filter(|c| !c.value.signals.is_empty()).ok_or_else(|| Problem::new(Code::NotFound))?;
        let before = read.value.clone();
        let stands = match decision {
            Decision::Release => matches!(before.status, CommissionStatus::Pending | CommissionStatus::Available),
            Decision::Void => before.status == CommissionStatus::Void,
        };
        if stands {
            return Ok(before);
        }
        let mut tx = Transaction::new();
        let after = match decision {
            Decision::Release => before.clone().released()?,
            Decision::Void if before.status != CommissionStatus::Held => return Err(Problem::conflict("this commission is not held")),
            Decision::Void => {
                let (after, taken) = before.clone().decided_void()?;
                if taken > Rupiah::ZERO {
                    let wallet = app.store.wallet(after.affiliate).await?.ok_or_else(|| Problem::internal("an affiliate without a wallet"))?;
                    let (changed, entry) = wallet.value.clone().post(Cause::VoidedHeld { order: id }, taken, now)?;
                    tx.save(&wallet, &changed, ()).create(&entry, ());
                }
                after
            }
        };
        tx.save(&read, &after, ());
        let said = format!("{}: {note}", after.status.as_str());
        tx.create(&audit::entry(app, by, "commission.decide", &id.to_string(), before.status.as_str(), &said), ());
        shop_days::mark(app, &order).await?;
        if let Commit::Done = app.store.commit(tx).await? {
            return Ok(after);
        }
    }
    Err(Problem::busy("the decision kept colliding"))
}
