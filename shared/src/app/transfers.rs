//! Payouts through the gateway, where they are switched on: handed over by a person, and settled by what the gateway tells.

use super::{
    App, Code, Problem, ROUNDS, Shop,
    audit::{self, Reviewer},
    lap::{Ended, Lap},
    payouts,
};
use crate::{
    domain::{
        ids::PayoutId,
        outbox::{AtGateway, OutboxItem, Work},
        payout::{Decider, Decision, Payout, PayoutStatus, Transfer},
        settings::Settings,
        text::{Note, TransferReference},
        time::Timestamp,
        wallet::Wallet,
    },
    gateway::{PayoutAnswer, PayoutState},
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

/// Hands a payout in processing to the gateway. Twice is once.
pub async fn hand_over(app: &App, by: Reviewer, id: PayoutId) -> Result<Payout, Problem> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let read = app.store.payout(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
        if read.value.transfer.as_ref().is_some_and(|t| t.by == by.admin) {
            return Ok(read.value);
        }
        let wallet_key = keys::wallet(read.value.affiliate);
        let mut found = app.store.get_many([wallet_key.clone(), keys::settings()]).await?;
        let wallet: Stored<Wallet> = found.take(&wallet_key)?.ok_or_else(|| Problem::internal("an affiliate without a wallet"))?;
        let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
        let handed = read.value.clone().handed_over(&wallet.value, by.admin, &settings, now)?;
        let owed = OutboxItem::new(Work::SendPayout { payout: id }, now);
        let mut tx = Transaction::new();
        tx.save(&read, &handed, ()).unchanged(&wallet, ()).put_same(&owed);
        tx.create(&audit::entry(app, by, "payout.hand_over", &id.to_string(), "", handed.net), ());
        if let Commit::Done = app.store.commit(tx).await? {
            app.queues.hand_on(&[owed]).await;
            return Ok(handed);
        }
    }
    Err(Problem::unavailable("the payout kept changing"))
}

/// Asks the gateway to transfer. The payout's id is the idempotency key, so a repeat sends nothing twice. A refusal may
/// pass; one that lasts a day is final, once nothing that was asked can still take effect.
pub async fn send(shop: &Shop, id: PayoutId) -> Result<(), Problem> {
    let Some(read) = shop.app.store.payout(id).await? else { return Ok(()) };
    let Some(transfer) = read.value.transfer.clone().filter(|_| read.value.status == PayoutStatus::Processing) else { return Ok(()) };
    let now = shop.app.clock.now();
    let last = match AtGateway::next(transfer.at, transfer.given_up_at, now) {
        AtGateway::Wait => return Err(Problem::unavailable("the last request to transfer may still be under way")),
        AtGateway::Conclude => return conclude(shop, id).await,
        AtGateway::Send { last } => last,
    };
    match shop.gateway.pay_out(&read.value).await {
        Ok(answer) => taken(&shop.app, id, &answer).await,
        Err(error) if error.rules_payout_out() => fail(&shop.app, id, "the gateway cannot pay to this account").await,
        Err(error) => {
            if last && error.is_refusal() {
                note(&shop.app, id, |t| t.given_up_at.is_none().then_some(Transfer { given_up_at: Some(now), ..t })).await?;
            }
            Err(error.into())
        }
    }
}

/// Nothing asks the gateway to transfer any more: what it knows of under our name stands, and otherwise it has failed.
async fn conclude(shop: &Shop, id: PayoutId) -> Result<(), Problem> {
    match shop.gateway.find_payout(id).await? {
        Some(answer) => taken(&shop.app, id, &answer).await,
        None => fail(&shop.app, id, "the gateway has refused this transfer for a day").await,
    }
}

async fn taken(app: &App, id: PayoutId, answer: &PayoutAnswer) -> Result<(), Problem> {
    note(app, id, |t| t.gateway_id.is_none().then(|| Transfer { gateway_id: Some(answer.id.clone()), ..t })).await?;
    settle(app, id, answer).await
}

async fn fail(app: &App, id: PayoutId, why: &str) -> Result<(), Problem> {
    let note = Note::parse(why).map_err(|w| Problem::internal(w.message))?;
    by_gateway(app, id, Decision::Fail { note }).await
}

/// Keeps something about a transfer, unless it is kept already.
async fn note(app: &App, id: PayoutId, what: impl Fn(Transfer) -> Option<Transfer>) -> Result<(), Problem> {
    for _ in 0..ROUNDS {
        let Some(read) = app.store.payout(id).await? else { return Ok(()) };
        let Some(transfer) = read.value.transfer.clone().and_then(&what) else { return Ok(()) };
        if let Commit::Done = app.store.save(&read, &Payout { transfer: Some(transfer), ..read.value.clone() }).await? {
            return Ok(());
        }
    }
    Err(Problem::unavailable("the payout kept changing"))
}

/// The gateway said that something happened to a payout: it is asked what, and that is recorded.
pub async fn record(shop: &Shop, gateway_id: &str) -> Result<(), Problem> {
    let Some(answer) = shop.gateway.read_payout(gateway_id).await? else { return Ok(()) };
    match answer.payout {
        Some(id) => settle(&shop.app, id, &answer).await,
        None => Ok(()),
    }
}

async fn settle(app: &App, id: PayoutId, answer: &PayoutAnswer) -> Result<(), Problem> {
    let words = |text: &str| Note::parse(text).map_err(|w| Problem::internal(w.message));
    let decision = match answer.state {
        PayoutState::UnderWay => return Ok(()),
        PayoutState::Succeeded => {
            let reference = TransferReference::parse(&answer.id).map_err(|w| Problem::internal(w.message))?;
            Decision::Pay { reference, has_left: true }
        }
        PayoutState::Failed => Decision::Fail { note: words("the bank did not take the transfer")? },
        PayoutState::Reversed => {
            // What was never noted as paid was paid before it came back.
            let reference = TransferReference::parse(&answer.id).map_err(|w| Problem::internal(w.message))?;
            by_gateway(app, id, Decision::Pay { reference, has_left: true }).await?;
            Decision::Reverse { note: words("the bank sent the transfer back")? }
        }
    };
    by_gateway(app, id, decision).await
}

/// In the name of whoever handed it over. What stands already, or is past, changes nothing.
async fn by_gateway(app: &App, id: PayoutId, decision: Decision) -> Result<(), Problem> {
    let Some(payout) = app.store.payout(id).await?.map(|p| p.value) else { return Ok(()) };
    let Some(transfer) = &payout.transfer else { return Ok(()) };
    let by = Reviewer { admin: transfer.by, address: None };
    match payouts::apply(app, by, Decider::Gateway, id, decision).await {
        Err(problem) if problem.code == Code::Conflict => Ok(()),
        done => done.map(|_| ()),
    }
}

/// How long the gateway is given to tell by itself, and how long one run asks.
const PATIENCE_SECONDS: i64 = 3_600;
const ASKING_SECONDS: i64 = 50;

/// Asks the gateway about transfers that it took long ago and has not told of since. Neither those that people transfer
/// nor those that stay as they are hide any others: the next run goes on behind them.
pub async fn ask_about_sent(shop: &Shop, now: Timestamp) -> Result<Ended, Problem> {
    let mut lap = Lap::go_on(&shop.app, "transfers-sent", vec!["open"], ASKING_SECONDS).await?;
    while let Some((_, after)) = lap.next() {
        for payout in lap.turn(shop.app.store.open_payouts(|p| p.status == PayoutStatus::Processing, 50, after).await).await? {
            let Some(transfer) = payout.value.transfer.filter(|t| now.since(t.at) >= PATIENCE_SECONDS) else { continue };
            let Some(gateway_id) = &transfer.gateway_id else { continue };
            if let Err(problem) = record(shop, gateway_id).await {
                tracing::info!(payout = %payout.value.id, code = problem.code.as_str(), "transfer not asked for in this run");
            }
        }
    }
    lap.end(now).await
}
