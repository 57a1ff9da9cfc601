//! Cancels or expires an unpaid order: the invoice ends at the gateway first, then everything reserved comes back, once.

use super::{
    App, Code, Problem, ROUNDS, Shop,
    audit::{self, Reviewer},
    payment_link::end_invoices,
    send_refund, shop_days, transfers,
};
use crate::{
    domain::{
        order::{Actor, Order, OrderStatus},
        outbox::{OutboxItem, Work},
        text::Note,
        time::Timestamp,
    },
    store::{
        catalog::{AVAILABLE, give_coupon_back},
        entity::{Referral, Stored},
        keys::{self, SHARDS},
        transaction::{Commit, Transaction},
    },
};

/// Most orders of a shard that one run of the schedule expires.
const PER_SHARD: usize = 50;

/// Who releases an order.
#[derive(Debug, Clone, Copy)]
pub enum Released {
    Customer,
    Schedule,
    Admin(Reviewer),
}

impl Released {
    const fn actor(self) -> Actor {
        match self {
            Self::Customer => Actor::Customer,
            Self::Schedule => Actor::Schedule,
            Self::Admin(_) => Actor::Admin,
        }
    }
}

/// Releases a pending order to `to` (cancelled or expired). Safe to repeat.
pub async fn release(shop: &Shop, order: Stored<Order>, to: OrderStatus, by: Released, note: Option<Note>, now: Timestamp) -> Result<Order, Problem> {
    let mut read = order;
    for _ in 0..ROUNDS {
        if read.value.status == to {
            return Ok(read.value);
        }
        read.value.status.step(to)?;
        end_invoices(shop, &read.value).await?;
        let after = read.value.clone().moved(to, by.actor(), note.clone(), now)?;
        // Owed from now on, also where the schedule runs as of another day.
        let mail = (to == OrderStatus::Expired).then(|| OutboxItem::new(Work::MailOrderExpired { order: after.id }, shop.app.clock.now()));
        let mut tx = Transaction::new();
        tx.save(&read, &after, ());
        if let Some(mail) = &mail {
            tx.put_same(mail);
        }
        if let Released::Admin(reviewer) = by {
            let said = note.as_ref().map_or_else(|| to.to_string(), |n| format!("{to}: {n}"));
            tx.create(&audit::entry(&shop.app, reviewer, "order.cancel", &after.id.to_string(), read.value.status, said), ());
        }
        for line in &after.lines {
            tx.give_back(&keys::stock(line.product), AVAILABLE, line.quantity, ());
        }
        if let Some(coupon) = &after.coupon {
            let uses = shop.app.store.coupon_uses(Some(coupon), after.customer).await?;
            give_coupon_back(&mut tx, coupon, uses.as_ref(), ());
        }
        if let Some(lead) = shop.app.store.referral(&after).await? {
            let void = Referral { void: true, ..lead.value.clone() };
            tx.save(&lead, &void, ());
        }
        if let Commit::Done = shop.app.store.commit(tx).await? {
            shop_days::mark(&shop.app, &after).await;
            shop.app.queues.hand_on(mail.as_slice()).await;
            return Ok(after);
        }
        read = shop.app.store.order(read.value.id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    }
    Err(Problem::busy("releasing the order kept colliding"))
}

/// What one run of the expiry schedule did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Expired {
    pub expired: usize,
    /// Paid meanwhile, or not to be reached now: the next run looks again.
    pub kept: usize,
    /// Refunds that the gateway had not told of, and that are settled now.
    pub refunds: usize,
}

/// How many orders a run would look at.
pub async fn overdue(app: &App, now: Timestamp) -> Result<Expired, Problem> {
    let mut due = Expired::default();
    for shard in 0..SHARDS {
        let page = app.store.unpaid(shard, now, PER_SHARD).await?;
        let orders = app.store.behind::<Order>(page.items).await?;
        due.expired += orders.iter().filter(|o| o.value.status == OrderStatus::Pending && o.value.pay_by <= now).count();
    }
    Ok(due)
}

/// Expires what was to be paid by `now`. The gateway is asked before each; what it does not answer for waits.
pub async fn expire_unpaid(shop: &Shop, now: Timestamp) -> Result<Expired, Problem> {
    let mut done = Expired::default();
    for shard in 0..SHARDS {
        let page = shop.app.store.unpaid(shard, now, PER_SHARD).await?;
        for read in shop.app.store.behind::<Order>(page.items).await? {
            if read.value.status != OrderStatus::Pending || read.value.pay_by > now {
                continue;
            }
            let id = read.value.id;
            match release(shop, read, OrderStatus::Expired, Released::Schedule, None, now).await {
                Ok(_) => done.expired += 1,
                Err(problem) => {
                    tracing::info!(order = %id, code = problem.code.as_str(), "order not expired in this run");
                    done.kept += 1;
                }
            }
        }
    }
    done.refunds = send_refund::ask_about_sent(shop, now).await?;
    transfers::ask_about_sent(shop, now).await?;
    Ok(done)
}
