//! Sends a refund to the gateway, and records what came of it.

use super::{Code, Problem, ROUNDS, Shop, audit};
use crate::{
    domain::{
        ids::{OrderId, RefundId},
        job::{Subject, Task},
        refund::{Refund, RefundStatus},
        time::Timestamp,
    },
    gateway::RefundState,
    store::{
        entity::Stored,
        transaction::{Commit, Transaction},
    },
};

/// Asks the gateway to send the money back. The refund's id is the idempotency key, so a repeat sends nothing twice.
pub async fn send_refund(shop: &Shop, order: OrderId, id: RefundId) -> Result<(), Problem> {
    let Some(read) = shop.app.store.refund(order, id).await? else { return Ok(()) };
    if !matches!(read.value.status, RefundStatus::Requested) {
        return Ok(());
    }
    let now = shop.app.clock.now();
    if !read.value.method.refunds_through_gateway() {
        return settle(shop, read, RefundStatus::Manual, None, now).await;
    }
    match shop.gateway.refund(&read.value).await {
        Ok(answer) => {
            let to = match answer.state {
                RefundState::Succeeded => RefundStatus::Succeeded,
                RefundState::Failed => RefundStatus::Failed,
                RefundState::Pending | RefundState::Unknown => RefundStatus::Sent,
            };
            settle(shop, read, to, Some(answer.id), now).await
        }
        Err(error) if error.rules_refund_out() => settle(shop, read, RefundStatus::Manual, None, now).await,
        Err(error) => Err(error.into()),
    }
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

/// How long the gateway is given to tell by itself what became of a refund, and how many are asked for in one run.
const PATIENCE_SECONDS: i64 = 3_600;
const PER_RUN: usize = 200;

/// Asks the gateway about refunds that it took long ago and has not told of since; answers with how many are settled now.
pub async fn ask_about_sent(shop: &Shop, now: Timestamp) -> Result<usize, Problem> {
    let mut settled = 0;
    for read in shop.app.store.refunds_sent_before(now.plus_seconds(-PATIENCE_SECONDS), PER_RUN).await? {
        let Some(gateway_id) = read.value.gateway_id.clone() else { continue };
        match record_refund(shop, &gateway_id).await {
            Ok(()) => settled += usize::from(shop.app.store.refund(read.value.order, read.value.id).await?.is_some_and(|r| r.value != read.value)),
            Err(problem) => tracing::info!(refund = %read.value.id, code = problem.code.as_str(), "refund not asked for in this run"),
        }
    }
    Ok(settled)
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
                    tx.save(&stored, &stored.value.clone().refund_failed(after.amount)?, ());
                }
            }
            _ => {}
        }
        if let Commit::Done = shop.app.store.commit(tx).await? {
            return Ok(());
        }
        read = shop.app.store.refund(order, refund).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    }
    Err(Problem::unavailable("the refund kept colliding"))
}
