//! Sends a refund to the gateway, and records what the gateway says of it.

use super::{
    Problem, ROUNDS, Shop, audit,
    lap::{Ended, Lap},
    metrics::Metric,
    notices::Heard,
    owed::contradiction,
    shop_days,
};
use crate::{
    domain::{
        Forbidden,
        ids::{OrderId, RefundId},
        job::{Subject, Task},
        order::Order,
        outbox::{OutboxItem, Work},
        refund::{Refund, RefundStatus},
        time::Timestamp,
        verdict::{Announced, LookUp, NextRequest, NotTaken, Verdict},
    },
    gateway::{RefundAnswer, RefundState},
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

/// Asks the gateway to send the money back; `tries` counts the tries, this one included. The refund's id is the idempotency
/// key, and from the second try on the gateway is asked first what it knows under it, for it forgets keys. A refusal that
/// cannot pass, or has lasted a day, ends the requests; with the look-up after the last of them a person sends it.
pub async fn send_refund(shop: &Shop, order: OrderId, id: RefundId, tries: u32) -> Result<(), Problem> {
    let Some(read) = shop.app.store.refund(order, id).await? else { return Ok(()) };
    if read.value.status != RefundStatus::Requested {
        return Ok(());
    }
    let now = shop.app.clock.now();
    if !read.value.method.refunds_through_gateway() {
        return settle(shop, read, now, |r| r.left_to_a_person_by_its_rail(now)).await;
    }
    match NextRequest::decide(read.value.requested_at, read.value.given_up_at, tries, now) {
        NextRequest::Wait => Err(Problem::unavailable("the last request to refund may still be under way")),
        NextRequest::Conclude { last_request } => match look_up(shop, &read.value, now).await?.verdict(last_request) {
            Verdict::Taken(answer) => taken(shop, read, answer, now).await,
            Verdict::NotTaken(proof) => leave_to_a_person(shop, read, proof).await,
            Verdict::Undecided => Err(Problem::unavailable("a request to refund may still be under way")),
        },
        NextRequest::Send { look_up_first, last } => {
            if look_up_first && let Some(answer) = look_up(shop, &read.value, now).await?.found() {
                return taken(shop, read, answer, now).await;
            }
            match shop.gateway.refund(&read.value).await {
                Ok(answer) => taken(shop, read, answer, now).await,
                Err(error) => {
                    if error.is_refusal() && (last || error.rules_refund_out()) {
                        // Lost to somebody else's change: the next try gives it up.
                        shop.app.store.save(&read, &Refund { given_up_at: Some(now), ..read.value.clone() }).await?;
                    }
                    Err(error.into())
                }
            }
        }
    }
}

/// Asks the gateway what it has under our name. Two refunds that live are a person's, whatever the one says that counts.
pub(super) async fn look_up(shop: &Shop, refund: &Refund, now: Timestamp) -> Result<LookUp<RefundAnswer>, Problem> {
    let found = shop.gateway.look_up_refund(refund, now).await?;
    if found.is_doubled() {
        contradiction(&shop.app, refund.name_at_gateway(), "the gateway has two refunds under one name").await?;
    }
    Ok(found)
}

/// The gateway has taken it: it takes its course there.
async fn taken(shop: &Shop, read: Stored<Refund>, answer: RefundAnswer, now: Timestamp) -> Result<(), Problem> {
    let RefundAnswer { id, state, .. } = answer;
    match state {
        RefundState::Succeeded => settle(shop, read, now, |r| r.settled(Announced::Succeeded, id.clone(), now)).await,
        RefundState::Failed => settle(shop, read, now, |r| r.settled(Announced::Failed, id.clone(), now)).await,
        RefundState::Pending | RefundState::Unknown => settle(shop, read, now, |r| r.sent(id.clone(), now)).await,
    }
}

/// The gateway has not taken it, and never will.
pub(super) async fn leave_to_a_person(shop: &Shop, read: Stored<Refund>, proof: NotTaken) -> Result<(), Problem> {
    settle(shop, read, proof.asked_at(), |r| r.left_to_a_person(proof)).await
}

/// Asks the gateway about one of its refunds, and records the answer.
pub(super) async fn record_refund(shop: &Shop, gateway_id: &str) -> Result<Heard, Problem> {
    let Some(answer) = shop.gateway.read_refund(gateway_id).await? else { return Ok(Heard::Unknown) };
    let Some((order, id)) = answer.reference else { return Ok(Heard::NotOurs) };
    let Some(read) = shop.app.store.refund(order, id).await? else {
        contradiction(&shop.app, format!("{order}/{id}"), "the gateway has a refund that does not exist").await?;
        return Ok(Heard::NotOurs);
    };
    if read.value.gateway_id.as_ref().is_some_and(|known| *known != answer.id) {
        contradiction(&shop.app, read.value.name_at_gateway(), "the gateway has two refunds under one name").await?;
        return Ok(Heard::NotOurs);
    }
    let said = match answer.state {
        RefundState::Succeeded => Announced::Succeeded,
        RefundState::Failed => Announced::Failed,
        RefundState::Pending | RefundState::Unknown => return Ok(Heard::UnderWay),
    };
    hear(shop, read, said, answer.id).await?;
    Ok(Heard::Says(said))
}

/// Records the gateway's word about a refund. What stands already changes nothing; what contradicts our books is a person's.
async fn hear(shop: &Shop, read: Stored<Refund>, said: Announced, gateway_id: String) -> Result<(), Problem> {
    let now = shop.app.clock.now();
    let refund = &read.value;
    match (refund.status, said) {
        (RefundStatus::Succeeded, Announced::Succeeded) if refund.was_made_by_hand() => {
            contradiction(&shop.app, refund.name_at_gateway(), "the gateway has sent this refund back, and a person has transferred it as well").await
        }
        (RefundStatus::Succeeded, Announced::Failed) if !refund.was_made_by_hand() => {
            contradiction(&shop.app, refund.name_at_gateway(), "the gateway says that this refund has failed, though it had succeeded").await
        }
        (RefundStatus::Succeeded, _) | (RefundStatus::Failed | RefundStatus::Manual, Announced::Failed) => Ok(()),
        (RefundStatus::Requested | RefundStatus::Sent | RefundStatus::Failed | RefundStatus::Manual, _) => {
            settle(shop, read, now, |r| r.settled(said, gateway_id.clone(), now)).await
        }
    }
}

/// How long the gateway is given to tell by itself what became of a refund, how long one run asks, and after how long a
/// person is told.
const PATIENCE_SECONDS: i64 = 3_600;
const ASKING_SECONDS: i64 = 50;
const UNSETTLED_SECONDS: i64 = 3 * 86_400;

/// Asks the gateway about refunds that it took long ago and has not told of since; answers with how many are settled now.
/// Those that stay as they are hide no others: the next run goes on behind them.
pub async fn ask_about_sent(shop: &Shop, now: Timestamp) -> Result<(usize, Ended), Problem> {
    let mut settled = 0;
    let mut lap = Lap::go_on(&shop.app, "refunds-sent", vec!["sent"], ASKING_SECONDS).await?;
    while let Some((_, after)) = lap.go() {
        for read in lap.turn_by_turn(shop.app.store.refunds_sent_before(now.plus_seconds(-PATIENCE_SECONDS), after).await).await? {
            if lap.is_late() {
                break;
            }
            match ask_about_one(shop, &read.value, now).await {
                Ok(is_settled) => settled += usize::from(is_settled),
                Err(problem) => tracing::info!(refund = %read.value.id, code = problem.code.as_str(), "refund not asked for in this run"),
            }
        }
    }
    Ok((settled, lap.end(now).await?))
}

/// Whether the refund is settled now. One that is not for days is a person's to ask the gateway about.
async fn ask_about_one(shop: &Shop, refund: &Refund, now: Timestamp) -> Result<bool, Problem> {
    let Some(gateway_id) = &refund.gateway_id else { return Ok(false) };
    match record_refund(shop, gateway_id).await? {
        Heard::Says(_) => return Ok(true),
        Heard::Unknown | Heard::NotOurs | Heard::UnderWay => {}
    }
    if now.since(refund.updated_at) >= UNSETTLED_SECONDS {
        let task = Task::new(Subject::RefundUnsettled { order: refund.order, refund: refund.id }, now);
        if let Commit::Done = shop.app.store.create(&task).await? {
            Metric::MoneyUnsettled.one();
        }
    }
    Ok(false)
}

/// Moves the refund on, with the tasks that this opens and closes. A refund of the order that failed counts as not refunded
/// again, and one that turns out to have succeeded counts; the commission stays void until a person decides.
async fn settle(shop: &Shop, read: Stored<Refund>, now: Timestamp, step: impl Fn(Refund) -> Result<Refund, Forbidden>) -> Result<(), Problem> {
    let app = &shop.app;
    let mut read = read;
    for _ in 0..ROUNDS {
        // Somebody else has moved it on meanwhile: their step stands.
        let Ok(after) = step(read.value.clone()) else { return Ok(()) };
        let (order, refund) = (after.order, after.id);
        let mut tx = Transaction::new();
        tx.save(&read, &after, ());
        tx.create(&audit::caused(app, "refund.told_by_gateway", &format!("{order}/{refund}"), read.value.status, after.status), ());
        let (counted, contradicts) = count(shop, &mut tx, &read.value, &after, now).await?;
        let contradicts = contradicts | tasks(&mut tx, &read.value, &after, now);
        if let Some(order) = counted {
            shop_days::mark(app, &order).await?;
        }
        if let Commit::Done = app.store.commit(tx).await? {
            if contradicts {
                Metric::MoneyContradictions.one();
            }
            return Ok(());
        }
        read = app.store.refund(order, refund).await?.ok_or_else(|| Problem::unavailable("a refund that was there is not found"))?;
    }
    Err(Problem::unavailable("the refund kept colliding"))
}

/// Lets the order's own sum follow: the order after it, where it changes, and whether more has gone back than was paid.
async fn count(shop: &Shop, tx: &mut Transaction<()>, before: &Refund, after: &Refund, now: Timestamp) -> Result<(Option<Order>, bool), Problem> {
    let fails = after.status == RefundStatus::Failed;
    let succeeds_after_all = before.status == RefundStatus::Failed && after.status == RefundStatus::Succeeded;
    if !after.of_order || !(fails || succeeds_after_all) {
        return Ok((None, false));
    }
    let Some(stored) = shop.app.store.order(after.order).await? else { return Ok((None, false)) };
    let order = stored.value.clone();
    let counted = if fails { Some(order.refund_failed(after.amount)?) } else { order.refund_taken_over(after.amount).ok() };
    let Some(counted) = counted else {
        // Another refund took its place meanwhile.
        let said = "the gateway has sent back a refund that had failed, and more has gone back than was paid".to_owned();
        tx.put_same(&Task::new(Subject::MoneyContradiction { about: after.name_at_gateway(), said }, now));
        return Ok((None, true));
    };
    tx.save(&stored, &counted, ());
    Ok((Some(counted), false))
}

/// Opens and closes the tasks of a step; whether it contradicts what the gateway had said.
fn tasks(tx: &mut Transaction<()>, before: &Refund, after: &Refund, now: Timestamp) -> bool {
    let unforeseen = (before.status, after.status) == (RefundStatus::Manual, RefundStatus::Succeeded);
    if unforeseen {
        let said =
            "the gateway has sent this refund back, though it had said that it knew none: whoever has transferred it by hand asks for one back"
                .to_owned();
        tx.put_same(&Task::new(Subject::MoneyContradiction { about: after.name_at_gateway(), said }, now));
    }
    let (order, refund) = (after.order, after.id);
    let open = |subject: Subject| Task::new(subject, now);
    match after.status {
        RefundStatus::Manual => tx.put_same(&open(Subject::ManualRefund { order, refund })),
        RefundStatus::Failed => tx.put_same(&open(Subject::RefundFailed { order, refund })),
        RefundStatus::Succeeded | RefundStatus::Sent | RefundStatus::Requested => tx,
    };
    match before.status {
        RefundStatus::Manual => tx.forget(&keys::task(open(Subject::ManualRefund { order, refund }).id)),
        RefundStatus::Failed => tx.forget(&keys::task(open(Subject::RefundFailed { order, refund }).id)),
        RefundStatus::Sent if now.since(before.updated_at) >= UNSETTLED_SECONDS => {
            tx.forget(&keys::task(open(Subject::RefundUnsettled { order, refund }).id))
        }
        RefundStatus::Sent | RefundStatus::Requested | RefundStatus::Succeeded => tx,
    };
    unforeseen
}

/// The work that a new refund owes: the money on its way, and the customer told.
pub(super) fn owed(order: OrderId, refund: RefundId, now: Timestamp) -> [OutboxItem; 2] {
    [OutboxItem::new(Work::SendRefund { order, refund }, now), OutboxItem::new(Work::MailRefund { order, refund }, now)]
}
