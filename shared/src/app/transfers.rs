//! Payouts through the gateway, where they are switched on: handed over by a person, settled by the gateway's word.

use super::{
    App, Code, Problem, ROUNDS, Shop,
    audit::{self, Reviewer},
    lap::{Ended, Lap},
    metrics::Metric,
    notices::Heard,
    owed::contradiction,
    payouts::{self, PayoutRead},
};
use crate::{
    domain::{
        ids::{AdminId, PayoutId},
        job::{Subject, Task},
        outbox::{OutboxItem, TransferEnding, Work},
        payout::{Decider, Decision, Evidence, Payout, PayoutStatus, Refusal, Transfer},
        text::{Note, TransferReference},
        time::Timestamp,
        verdict::{Announced, LookUp, NextRequest, NotTaken, Verdict},
    },
    gateway::{PayoutAnswer, PayoutState},
    store::transaction::{Commit, Transaction},
};

/// Hands a payout in processing to the gateway. Twice is once.
pub async fn hand_over(app: &App, by: Reviewer, id: PayoutId) -> Result<Payout, Problem> {
    for _ in 0..ROUNDS {
        let read = PayoutRead::of(app, id, |_| Vec::new()).await?;
        let policy = read.policy();
        if read.payout.value.transfer.as_ref().is_some_and(|t| t.by == by.admin) {
            return Ok(read.payout.value);
        }
        let (handed, wallet) = read.payout.value.clone().handed_over(read.wallet.value.clone(), by.admin, &policy)?;
        let owed = OutboxItem::new(Work::SendPayout { payout: id }, policy.now);
        let mut tx = Transaction::new();
        tx.save(&read.payout, &handed, ()).save(&read.wallet, &wallet, ()).put_same(&owed);
        tx.create(&audit::entry(app, by, "payout.hand_over", &id.to_string(), "", handed.net), ());
        if let Commit::Done = app.store.commit(tx).await? {
            app.queues.hand_on(&[owed]).await;
            return Ok(handed);
        }
    }
    Err(Problem::busy("the payout kept changing"))
}

/// Asks the gateway to transfer; `tries` counts the tries, this one included. The payout's id is the idempotency key, and
/// from the second try on the gateway is asked first what it knows under it, for it forgets keys. A refusal that cannot
/// pass, or has lasted a day, ends the requests; the payout ends with the look-up after the last of them.
pub async fn send(shop: &Shop, id: PayoutId, tries: u32) -> Result<(), Problem> {
    let Some(read) = shop.app.store.payout(id).await? else { return Ok(()) };
    let Some(transfer) = read.value.transfer.clone().filter(|_| read.value.status == PayoutStatus::Processing) else { return Ok(()) };
    if let Some(gateway_id) = &transfer.gateway_id {
        // It is taken: from now on it is asked for by the gateway's own id, and nothing is sent or concluded any more.
        return known(shop, id, gateway_id).await;
    }
    let now = shop.app.clock.now();
    match NextRequest::decide(transfer.at, transfer.given_up_at, tries, now) {
        NextRequest::Wait => Err(Problem::unavailable("the last request to transfer may still be under way")),
        NextRequest::Conclude { last_request } => conclude(shop, id, last_request).await,
        NextRequest::Send { look_up_first, last } => {
            if look_up_first && let Some(answer) = look_up(shop, id, now).await?.found() {
                return settle(&shop.app, id, &answer).await;
            }
            match shop.gateway.pay_out(&read.value).await {
                Ok(answer) => settle(&shop.app, id, &answer).await,
                Err(error) => {
                    if error.is_refusal() && (last || error.rules_payout_out()) {
                        give_up(&shop.app, id, now).await?;
                    }
                    Err(error.into())
                }
            }
        }
    }
}

/// Asks the gateway what it has under our name. Two transfers that live are a person's, whatever the one says that counts.
async fn look_up(shop: &Shop, id: PayoutId, now: Timestamp) -> Result<LookUp<PayoutAnswer>, Problem> {
    let found = shop.gateway.look_up_payout(id, now).await?;
    if found.is_doubled() {
        contradiction(&shop.app, id.to_string(), "the gateway has two transfers under one name").await?;
    }
    Ok(found)
}

/// No more requests are sent from now on.
async fn give_up(app: &App, id: PayoutId, now: Timestamp) -> Result<(), Problem> {
    note(app, id, |t| t.given_up_at.is_none().then_some(Transfer { given_up_at: Some(now), ..t })).await
}

/// No request is under way: what the gateway knows under our name stands, and otherwise the transfer has failed.
async fn conclude(shop: &Shop, id: PayoutId, last_request: Timestamp) -> Result<(), Problem> {
    match look_up(shop, id, shop.app.clock.now()).await?.verdict(last_request) {
        Verdict::Taken(answer) => settle(&shop.app, id, &answer).await,
        Verdict::NotTaken(proof) => fail(&shop.app, id, proof).await,
        Verdict::Undecided => Err(Problem::unavailable("a request to transfer may still be under way")),
    }
}

/// Records what the gateway says of a transfer that it has taken.
async fn known(shop: &Shop, id: PayoutId, gateway_id: &str) -> Result<(), Problem> {
    match record(shop, gateway_id).await? {
        Heard::Unknown | Heard::NotOurs => contradiction(&shop.app, id.to_string(), "the gateway no longer knows a transfer that it had taken").await,
        Heard::UnderWay | Heard::Says(_) => Ok(()),
    }
}

fn words(text: &str) -> Result<Note, Problem> {
    Note::parse(text).map_err(|w| Problem::internal(w.message))
}

/// The gateway has not taken it, and never will.
async fn fail(app: &App, id: PayoutId, _: NotTaken) -> Result<(), Problem> {
    let note = words("the gateway did not take this transfer")?;
    by_gateway(app, id, &Decision::Fail { note, not_transferred: true }).await
}

/// Keeps something about a transfer, unless it is kept already.
async fn note(app: &App, id: PayoutId, change: impl Fn(Transfer) -> Option<Transfer>) -> Result<(), Problem> {
    for _ in 0..ROUNDS {
        let Some(read) = app.store.payout(id).await? else { return Ok(()) };
        let Some(transfer) = read.value.transfer.clone().and_then(&change) else { return Ok(()) };
        if let Commit::Done = app.store.save(&read, &Payout { transfer: Some(transfer), ..read.value.clone() }).await? {
            return Ok(());
        }
    }
    Err(Problem::busy("the payout kept changing"))
}

/// Asks the gateway about one of its payouts, and records the answer.
pub(super) async fn record(shop: &Shop, gateway_id: &str) -> Result<Heard, Problem> {
    let Some(answer) = shop.gateway.read_payout(gateway_id).await? else { return Ok(Heard::Unknown) };
    let Some(id) = answer.payout else { return Ok(Heard::NotOurs) };
    settle(&shop.app, id, &answer).await?;
    Ok(match answer.state {
        PayoutState::UnderWay => Heard::UnderWay,
        PayoutState::Succeeded => Heard::Says(Announced::Succeeded),
        PayoutState::Failed => Heard::Says(Announced::Failed),
        PayoutState::Reversed => Heard::Says(Announced::Reversed),
    })
}

/// Records the gateway's word about a transfer, and its name for it, whichever way the word has come. A word that is known, or
/// older than what is known, changes nothing; one that contradicts our books is a person's.
async fn settle(app: &App, id: PayoutId, answer: &PayoutAnswer) -> Result<(), Problem> {
    let now = app.clock.now();
    let Some(payout) = app.store.payout(id).await?.map(|p| p.value) else {
        return contradiction(app, id.to_string(), "the gateway has a transfer for a payout that does not exist").await;
    };
    let Some(transfer) = &payout.transfer else {
        return contradiction(app, id.to_string(), "the gateway has a transfer for a payout that was not handed over to it").await;
    };
    if transfer.gateway_id.as_ref().is_some_and(|known| *known != answer.id) {
        return contradiction(app, id.to_string(), "the gateway has two transfers under one name").await;
    }
    if transfer.gateway_id.is_none() {
        let known = |t: Transfer| Transfer { gateway_id: Some(answer.id.clone()), taken_at: Some(now), ..t };
        note(app, id, |t| t.gateway_id.is_none().then(|| known(t))).await?;
    }
    let reference = || TransferReference::parse(&answer.id).map_err(|w| Problem::internal(w.message));
    let paid = || Ok::<_, Problem>(Decision::Pay { reference: reference()?, evidence: Evidence::HasLeft });
    let reversed = || Ok::<_, Problem>(Decision::Reverse { note: words("the bank sent the transfer back")? });
    match (answer.state, payout.status) {
        (PayoutState::Succeeded, PayoutStatus::Processing | PayoutStatus::Failed | PayoutStatus::Rejected) => by_gateway(app, id, &paid()?).await,
        (PayoutState::Failed, PayoutStatus::Processing) => {
            let note = words("the bank did not take the transfer")?;
            by_gateway(app, id, &Decision::Fail { note, not_transferred: true }).await
        }
        (PayoutState::Failed, PayoutStatus::Paid) => contradiction(app, id.to_string(), "the transfer has failed, though it is paid here").await,
        (PayoutState::Reversed, PayoutStatus::Processing) => {
            // What was never noted as paid was paid before it came back.
            by_gateway(app, id, &paid()?).await?;
            by_gateway(app, id, &reversed()?).await
        }
        (PayoutState::Reversed, PayoutStatus::Paid) => by_gateway(app, id, &reversed()?).await,
        (PayoutState::Succeeded, PayoutStatus::Reversed) if payout.decided_at.is_none_or(|at| now.since(at) >= PATIENCE_SECONDS) => {
            contradiction(app, id.to_string(), "the transfer has succeeded, though it came back here").await
        }
        // Perhaps an answer from before it came back: it is asked for again.
        (PayoutState::Succeeded, PayoutStatus::Reversed) => {
            Err(Problem::unavailable("the gateway says that a transfer which came back has succeeded"))
        }
        (PayoutState::UnderWay | PayoutState::Succeeded | PayoutState::Failed | PayoutState::Reversed, _) => Ok(()),
    }
}

/// Applies the gateway's word in the name of whoever handed it over. A step that somebody else has just made is no failure:
/// the caller decided on an older status, and asks again where that matters.
async fn by_gateway(app: &App, id: PayoutId, decision: &Decision) -> Result<(), Problem> {
    let Some(payout) = app.store.payout(id).await?.map(|p| p.value) else { return Ok(()) };
    let Some(transfer) = &payout.transfer else { return Ok(()) };
    let by = Reviewer { admin: transfer.by, address: None };
    match payouts::apply(app, by, Decider::Gateway, id, decision).await {
        Err(problem) if problem.code == Code::Conflict => Err(Problem::unavailable("the payout has just changed")),
        done => done.map(|_| ()),
    }
}

/// Somebody wants a transfer at the gateway to end: another person than the one who handed it over asks, and the gateway's
/// word decides. The worker asks it, for this function has no key to it.
pub async fn request_ending(app: &App, by: Reviewer, id: PayoutId, ending: TransferEnding) -> Result<Payout, Problem> {
    let read = app.store.payout(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let Some(transfer) = &read.value.transfer else { return Err(Refusal::NotToHandOver.into()) };
    let fits =
        matches!((ending, read.value.status), (TransferEnding::Failed, PayoutStatus::Processing) | (TransferEnding::Reversed, PayoutStatus::Paid));
    if !fits {
        return Err(Problem::conflict(format!("the payout is {}", read.value.status)));
    }
    if transfer.by == by.admin {
        return Err(Refusal::OwnTransfer.into());
    }
    let owed = OutboxItem::new(Work::AskTransfer { payout: id, by: by.admin, ending }, app.clock.now());
    let mut tx = Transaction::new();
    tx.unchanged(&read, ()).put_same(&owed);
    tx.create(&audit::entry(app, by, "payout.ask_gateway", &id.to_string(), read.value.status.as_str(), format!("{ending:?}").to_lowercase()), ());
    match app.store.commit(tx).await? {
        Commit::Done => {
            app.queues.hand_on(&[owed]).await;
            Ok(read.value)
        }
        Commit::Lost(_) => Err(Problem::conflict("the payout has just changed; look again")),
    }
}

/// Asks the gateway what became of a transfer of which `by` says that it failed or came back.
pub async fn ask(shop: &Shop, id: PayoutId, by: AdminId, ending: TransferEnding) -> Result<(), Problem> {
    let Some(payout) = shop.app.store.payout(id).await?.map(|p| p.value) else { return Ok(()) };
    let Some(transfer) = payout.transfer.as_ref().filter(|t| t.by != by) else { return Ok(()) };
    let now = shop.app.clock.now();
    if transfer.gateway_id.is_none() && ending == TransferEnding::Failed {
        // It is still being sent: no more, and the sender concludes.
        return give_up(&shop.app, id, now).await;
    }
    let by_id = match &transfer.gateway_id {
        Some(gateway_id) => shop.gateway.read_payout(gateway_id).await?,
        None => None,
    };
    let answer = match by_id {
        Some(answer) => answer,
        // It had taken it, and knows it neither by its own id nor under our name: only then a person's wish to end it counts.
        None => match (look_up(shop, id, now).await?.verdict(transfer.last_request()), ending) {
            (Verdict::Taken(answer), _) => answer,
            (Verdict::NotTaken(proof), TransferEnding::Failed) => return fail(&shop.app, id, proof).await,
            (Verdict::NotTaken(_), TransferEnding::Reversed) => {
                return contradiction(&shop.app, id.to_string(), "the gateway no longer knows a transfer that is paid").await;
            }
            (Verdict::Undecided, _) => return Err(Problem::unavailable("a request to transfer may still be under way")),
        },
    };
    if ending == TransferEnding::Reversed && answer.state == PayoutState::Failed && payout.status == PayoutStatus::Paid {
        let note = words("the gateway says that the transfer has failed")?;
        return by_gateway(&shop.app, id, &Decision::Reverse { note }).await;
    }
    settle(&shop.app, id, &answer).await
}

/// How long the gateway is given to tell by itself, how long one run asks, and after how long a person is told.
const PATIENCE_SECONDS: i64 = 3_600;
const ASKING_SECONDS: i64 = 50;
pub(super) const UNSETTLED_SECONDS: i64 = 3 * 86_400;

/// Asks the gateway about transfers that it took long ago and has not told of since. Neither those that people transfer
/// nor those that stay as they are hide any others: the next run goes on behind them.
pub async fn ask_about_sent(shop: &Shop, now: Timestamp) -> Result<Ended, Problem> {
    let mut lap = Lap::go_on(&shop.app, "transfers-sent", vec!["open"], ASKING_SECONDS).await?;
    while let Some((_, after)) = lap.go() {
        for payout in lap.turn_by_turn(shop.app.store.open_payouts(|p| p.status == PayoutStatus::Processing, 50, after).await).await? {
            if lap.is_late() {
                break;
            }
            let Some(transfer) = payout.value.transfer.filter(|t| now.since(t.at) >= PATIENCE_SECONDS) else { continue };
            let Some(gateway_id) = &transfer.gateway_id else { continue };
            if let Err(problem) = ask_about_one(shop, payout.value.id, gateway_id, transfer.at, now).await {
                tracing::info!(payout = %payout.value.id, code = problem.code.as_str(), "transfer not asked for in this run");
            }
        }
    }
    lap.end(now).await
}

async fn ask_about_one(shop: &Shop, id: PayoutId, gateway_id: &str, sent_at: Timestamp, now: Timestamp) -> Result<(), Problem> {
    match record(shop, gateway_id).await? {
        Heard::Says(_) | Heard::NotOurs => {}
        Heard::UnderWay | Heard::Unknown if now.since(sent_at) < UNSETTLED_SECONDS => {}
        Heard::UnderWay | Heard::Unknown => {
            if let Commit::Done = shop.app.store.create(&Task::new(Subject::TransferUnsettled { payout: id }, now)).await? {
                Metric::MoneyUnsettled.one();
            }
        }
    }
    Ok(())
}
