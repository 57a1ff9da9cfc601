//! Sends a refund to the gateway, and records what came of it.

use super::{Code, Problem, ROUNDS, Shop};
use crate::{
    domain::{
        ids::{OrderId, RefundId},
        job::{Subject, Task},
        refund::{Refund, RefundStatus},
        text::TransferReference,
        time::Timestamp,
    },
    gateway::{GatewayError, RefundState},
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
        // It cannot be done on this rail: a person transfers it.
        Err(GatewayError::Refused { .. }) => settle(shop, read, RefundStatus::Manual, None, now).await,
        Err(error @ GatewayError::Unavailable(_)) => Err(error.into()),
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

/// An admin has transferred the money by hand.
pub async fn confirm_manual(shop: &Shop, order: OrderId, id: RefundId, proof: TransferReference) -> Result<Refund, Problem> {
    let read = shop.app.store.refund(order, id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let mut done = read.value.clone().moved(RefundStatus::Succeeded, shop.app.clock.now())?;
    done.proof = Some(proof);
    match shop.app.store.save(&read, &done).await? {
        Commit::Done => Ok(done),
        Commit::Lost(_) => match shop.app.store.read_back(&done).await? {
            Some(stored) if stored.value == done => Ok(done),
            _ => Err(Problem::conflict("somebody else has just changed this; look again")),
        },
    }
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
