//! Cancels or expires an unpaid order: the invoice ends at the gateway first, then everything reserved comes back, once.

use super::{
    App, Code, Problem, ROUNDS, Shop,
    audit::{self, Reviewer},
    lap::{Ended, Lap, shards},
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
        keys,
        transaction::{Commit, Transaction},
    },
};

/// How long a run expires orders; its function may take four minutes, and asks about refunds and transfers besides.
const SECONDS: i64 = 100;

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
        shop_days::mark(&shop.app, &after).await?;
        if let Commit::Done = shop.app.store.commit(tx).await? {
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
    /// Orders, refunds and payouts that this version cannot read.
    pub odd: usize,
    /// There was more than one run takes; the next one goes on.
    pub more: bool,
}

/// How many orders a run would look at.
pub async fn overdue(app: &App, now: Timestamp) -> Result<Expired, Problem> {
    let (mut due, mut lap) = (Expired::default(), Lap::dry(app, shards(), SECONDS));
    while let Some((shard, after)) = lap.go() {
        let orders = lap.turn(app.store.unpaid(shard, now, after).await).await?;
        due.expired += orders.iter().filter(|o| is_overdue(&o.value, now)).count();
    }
    let ended = lap.end(now).await?;
    Ok(Expired { odd: ended.missed.odd, more: ended.more, ..due })
}

fn is_overdue(order: &Order, now: Timestamp) -> bool {
    order.status == OrderStatus::Pending && order.pay_by <= now
}

/// Expires what was to be paid by `now`, then asks about refunds and transfers. What goes wrong with one of the three keeps
/// neither of the others waiting; the run fails after them.
pub async fn expire_unpaid(shop: &Shop, now: Timestamp) -> Result<Expired, Problem> {
    let expired = expire(shop, now).await;
    let asked = send_refund::ask_about_sent(shop, now).await;
    let of_transfers = transfers::ask_about_sent(shop, now).await;
    let ((done, mut ended), (refunds, of_refunds), of_transfers) = (expired?, asked?, of_transfers?);
    for other in [of_refunds, of_transfers] {
        ended = Ended { missed: ended.missed.and(other.missed), more: ended.more || other.more };
    }
    Ok(Expired { refunds, odd: ended.missed.odd, more: ended.more, ..done })
}

/// The gateway is asked before each order ends; what it does not answer for waits, and what is behind it does not.
async fn expire(shop: &Shop, now: Timestamp) -> Result<(Expired, Ended), Problem> {
    let mut done = Expired::default();
    let mut lap = Lap::go_on(&shop.app, "payment-expiry", shards(), SECONDS).await?;
    while let Some((shard, after)) = lap.go() {
        let orders = lap.turn_by_turn(shop.app.store.unpaid(shard, now, after).await).await?;
        for read in orders.into_iter().filter(|o| is_overdue(&o.value, now)) {
            if lap.is_late() {
                break;
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
    Ok((done, lap.end(now).await?))
}
