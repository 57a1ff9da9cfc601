//! Sends a refund to the gateway, and records what came of it.

use super::{
    Code, Problem, ROUNDS, Shop, audit,
    lap::{Ended, Lap},
    shop_days,
};
use crate::{
    domain::{
        ids::{OrderId, RefundId},
        job::{Subject, Task},
        outbox::AtGateway,
        refund::{Refund, RefundStatus},
        time::Timestamp,
    },
    gateway::{RefundAnswer, RefundState},
    store::{
        entity::Stored,
        transaction::{Commit, Transaction},
    },
};

/// Asks the gateway to send the money back. The refund's id is the idempotency key, so a repeat sends nothing twice. A
/// refusal may pass; one that lasts a day is final, once nothing that was asked can still take effect: then a person sends it.
pub async fn send_refund(shop: &Shop, order: OrderId, id: RefundId) -> Result<(), Problem> {
    let Some(read) = shop.app.store.refund(order, id).await? else { return Ok(()) };
    if !matches!(read.value.status, RefundStatus::Requested) {
        return Ok(());
    }
    let now = shop.app.clock.now();
    if !read.value.method.refunds_through_gateway() {
        return conclude(shop, read, None, now).await;
    }
    let last = match AtGateway::next(read.value.requested_at, read.value.given_up_at, now) {
        AtGateway::Wait => return Err(Problem::unavailable("the last request to refund may still be under way")),
        AtGateway::Conclude => {
            let taken = shop.gateway.find_refund(&read.value).await?;
            return conclude(shop, read, taken, now).await;
        }
        AtGateway::Send { last } => last,
    };
    match shop.gateway.refund(&read.value).await {
        Ok(answer) => conclude(shop, read, Some(answer), now).await,
        Err(error) if error.rules_refund_out() => conclude(shop, read, None, now).await,
        Err(error) => {
            if last && error.is_refusal() {
                // Lost to somebody else's change: the next try gives it up.
                shop.app.store.save(&read, &Refund { given_up_at: Some(now), ..read.value.clone() }).await?;
            }
            Err(error.into())
        }
    }
}

/// What the gateway took takes its course there; what it did not take is a person's.
async fn conclude(shop: &Shop, read: Stored<Refund>, taken: Option<RefundAnswer>, now: Timestamp) -> Result<(), Problem> {
    let to = match taken.as_ref().map(|t| t.state) {
        Some(RefundState::Succeeded) => RefundStatus::Succeeded,
        Some(RefundState::Failed) => RefundStatus::Failed,
        Some(RefundState::Pending | RefundState::Unknown) => RefundStatus::Sent,
        None => RefundStatus::Manual,
    };
    settle(shop, read, to, taken.map(|t| t.id), now).await
}

/// The gateway said that something happened to a refund: it is asked what, and that is recorded.
pub async fn record_refund(shop: &Shop, gateway_id: &str) -> Result<(), Problem> {
    let Some(answer) = shop.gateway.read_refund(gateway_id).await? else { return Ok(()) };
    let to = match answer.state {
        RefundState::Succeeded => RefundStatus::Succeeded,
        RefundState::Failed => RefundStatus::Failed,
        RefundState::Pending | RefundState::Unknown => return Ok(()),
    };
    let Some((order, id)) = answer.reference else { return Ok(()) };
    let Some(read) = shop.app.store.refund(order, id).await? else { return Ok(()) };
    if read.value.status == to || !read.value.status.may_become(to) {
        return Ok(());
    }
    settle(shop, read, to, Some(answer.id), shop.app.clock.now()).await
}

/// How long the gateway is given to tell by itself what became of a refund, and how long one run asks.
const PATIENCE_SECONDS: i64 = 3_600;
const ASKING_SECONDS: i64 = 50;

/// Asks the gateway about refunds that it took long ago and has not told of since; answers with how many are settled now.
/// Those that stay as they are hide no others: the next run goes on behind them.
pub async fn ask_about_sent(shop: &Shop, now: Timestamp) -> Result<(usize, Ended), Problem> {
    let mut settled = 0;
    let mut lap = Lap::go_on(&shop.app, "refunds-sent", vec!["sent"], ASKING_SECONDS).await?;
    while let Some((_, after)) = lap.next() {
        for read in lap.turn(shop.app.store.refunds_sent_before(now.plus_seconds(-PATIENCE_SECONDS), after).await).await? {
            let Some(gateway_id) = read.value.gateway_id.clone() else { continue };
            match record_refund(shop, &gateway_id).await {
                Ok(()) => {
                    settled += usize::from(shop.app.store.refund(read.value.order, read.value.id).await?.is_some_and(|r| r.value != read.value))
                }
                Err(problem) => tracing::info!(refund = %read.value.id, code = problem.code.as_str(), "refund not asked for in this run"),
            }
        }
    }
    Ok((settled, lap.end(now).await?))
}

/// Moves the refund on, with the task that a failure or a manual transfer opens. A refund of the order that failed
/// counts as not refunded again; the commission stays void until a person decides.
async fn settle(shop: &Shop, read: Stored<Refund>, to: RefundStatus, gateway_id: Option<String>, now: Timestamp) -> Result<(), Problem> {
    let mut read = read;
    for _ in 0..ROUNDS {
        if !read.value.status.may_become(to) {
            return Ok(());
        }
        let mut after = read.value.clone().moved(to, now)?;
        after.gateway_id = gateway_id.clone().or(after.gateway_id);
        let (order, refund) = (after.order, after.id);
        let mut counted = None;
        let mut tx = Transaction::new();
        tx.save(&read, &after, ());
        tx.create(&audit::caused(&shop.app, "refund.told_by_gateway", &format!("{order}/{refund}"), read.value.status, to), ());
        match to {
            RefundStatus::Manual => {
                tx.put_same(&Task::new(Subject::ManualRefund { order, refund }, now));
            }
            RefundStatus::Failed => {
                tx.put_same(&Task::new(Subject::RefundFailed { order, refund }, now));
                if after.of_order
                    && let Some(stored) = shop.app.store.order(order).await?
                {
                    let kept = stored.value.clone().refund_failed(after.amount)?;
                    tx.save(&stored, &kept, ());
                    counted = Some(kept);
                }
            }
            _ => {}
        }
        if let Commit::Done = shop.app.store.commit(tx).await? {
            if let Some(order) = counted {
                shop_days::mark(&shop.app, &order).await;
            }
            return Ok(());
        }
        read = shop.app.store.refund(order, refund).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    }
    Err(Problem::unavailable("the refund kept colliding"))
}
