//! Requests a payout, and decides on it.

use super::{
    App, Code, FieldError, Problem, ROUNDS,
    audit::{self, Reviewer},
    metrics::Metric,
};
use crate::{
    domain::{
        affiliate::PayoutAccount,
        identity::Session,
        ids::{AffiliateId, PayoutId, SessionId},
        money::Rupiah,
        outbox::{OutboxItem, Work},
        payout::{Decided, Decider, Decision, Payout, PayoutStatus, obstacles},
        settings::Settings,
        wallet::Wallet,
    },
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

/// Reserves `amount`, or everything, for transfer. Of simultaneous requests exactly one wins.
///
/// The session is checked in the same read as the money: one round trip to read, one to write.
pub async fn request_payout(
    app: &App,
    affiliate: AffiliateId,
    session: SessionId,
    amount: Option<Rupiah>,
    key: Option<&str>,
) -> Result<Payout, Problem> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let id = match key {
            Some(key) => PayoutId::named(&[&affiliate.to_string(), key]),
            None => PayoutId::fresh(now, &app.entropy),
        };
        let (session_key, payout_key) = (keys::session(&affiliate.to_string(), session), keys::payout(id));
        let (wallet_key, bank_key) = (keys::wallet(affiliate), keys::payout_account(affiliate));
        let wanted = [session_key.clone(), payout_key.clone(), wallet_key.clone(), bank_key.clone(), keys::settings()];
        let mut found = app.store.get_many(wanted).await?;
        if found.take::<Session>(&session_key)?.is_none_or(|s| s.value.expires_at <= now) {
            return Err(Problem::new(Code::NotLoggedIn));
        }
        if let Some(before) = found.take::<Payout>(&payout_key)? {
            let same = before.value.affiliate == affiliate && before.value.asked == amount;
            return if same { Ok(before.value) } else { Err(Problem::new(Code::IdempotencyMismatch)) };
        }
        let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
        let wallet: Stored<Wallet> =
            found.take(&wallet_key)?.ok_or_else(|| Problem::new(Code::NotEligible).detail("the application has not been approved"))?;
        let bank = found.take::<PayoutAccount>(&bank_key)?;
        let gross = amount.unwrap_or(wallet.value.balance.available);
        let why_not = obstacles(&wallet.value, gross, &settings, now.day());
        let (true, Some(bank)) = (why_not.is_empty(), bank) else { return Err(not_eligible(&why_not)) };
        let (payout, after, entry) = Payout::request(id, wallet.value.clone(), bank.value, gross, amount, &settings, now)?;
        if wallet.value.bank.map(|b| b.version) != Some(payout.account_version) {
            // The two items were read while the account was changing.
            continue;
        }
        let mut tx = Transaction::new();
        tx.create(&payout, ()).save(&wallet, &after, ()).create(&entry, ());
        if let Commit::Done = app.store.commit(tx).await? {
            Metric::PayoutsRequested.one();
            return Ok(payout);
        }
    }
    Err(Problem::unavailable("the request kept colliding"))
}

fn not_eligible(why: &[crate::domain::payout::NotEligible]) -> Problem {
    let code = |reason| serde_json::to_value(reason).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    let errors = why.iter().map(|r| FieldError { field: code(r), code: "not_eligible", message: r.to_string() }).collect();
    Problem { errors, ..Problem::new(Code::NotEligible) }
}

/// Applies an admin's decision. Repeating one that already stands gives the same answer.
pub async fn decide_payout(app: &App, by: Reviewer, id: PayoutId, decision: Decision) -> Result<Payout, Problem> {
    apply(app, by, Decider::Admin(by.admin), id, decision).await
}

/// Applies what `decider` says, in the name of `by`.
pub(super) async fn apply(app: &App, by: Reviewer, decider: Decider, id: PayoutId, decision: Decision) -> Result<Payout, Problem> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let read = app.store.payout(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
        if already(&read.value, &decision, by) {
            return Ok(read.value);
        }
        let (wallet_key, settings_key) = (keys::wallet(read.value.affiliate), keys::settings());
        let mut found = app.store.get_many([wallet_key.clone(), settings_key.clone()]).await?;
        let wallet: Stored<Wallet> = found.take(&wallet_key)?.ok_or_else(|| Problem::internal("an affiliate without a wallet"))?;
        let settings = found.take::<Settings>(&settings_key)?.map(|s| s.value).unwrap_or_default();
        let Decided { payout, wallet: after, entry } = read.value.clone().decide(wallet.value.clone(), decision.clone(), decider, &settings, now)?;
        let mail =
            (payout.status != PayoutStatus::Processing).then(|| OutboxItem::new(Work::MailPayout { affiliate: payout.affiliate, payout: id }, now));
        let mut tx = Transaction::new();
        tx.save(&read, &payout, ());
        match &entry {
            Some(entry) => tx.save(&wallet, &after, ()).create(entry, ()),
            // Nothing moves, but the decision rests on the wallet as it was read.
            None => tx.unchanged(&wallet, ()),
        };
        if let Some(mail) = &mail {
            tx.put_same(mail);
        }
        let action = if decider == Decider::Gateway { "payout.settled_by_gateway" } else { "payout.decide" };
        tx.create(&audit::entry(app, by, action, &id.to_string(), read.value.status.as_str(), outcome(&payout, &decision)), ());
        if let Commit::Done = app.store.commit(tx).await? {
            match payout.status {
                PayoutStatus::Paid => Metric::PayoutsPaid.one(),
                PayoutStatus::Failed | PayoutStatus::Reversed => Metric::PayoutAnomalies.one(),
                PayoutStatus::Requested | PayoutStatus::Processing | PayoutStatus::Rejected => {}
            }
            app.queues.hand_on(mail.as_slice()).await;
            return Ok(payout);
        }
    }
    Err(Problem::unavailable("the decision kept colliding"))
}

/// What the audit log says of a decision: the status, with what it rests on.
fn outcome(payout: &Payout, decision: &Decision) -> String {
    match decision {
        Decision::Pay { reference, has_left } => {
            format!("{}: {reference}{}", payout.status, if *has_left { ", the transfer had left" } else { "" })
        }
        Decision::Fail { note } | Decision::Reject { note } | Decision::Reverse { note } => format!("{}: {note}", payout.status),
        Decision::Process => payout.status.to_string(),
    }
}

/// The same person's same decision, come again after a lost answer.
fn already(payout: &Payout, decision: &Decision, by: Reviewer) -> bool {
    payout.decided_by == Some(by.admin)
        && match decision {
            Decision::Process => payout.status == PayoutStatus::Processing,
            Decision::Pay { reference, .. } => payout.status == PayoutStatus::Paid && payout.reference.as_ref() == Some(reference),
            Decision::Fail { .. } => payout.status == PayoutStatus::Failed,
            Decision::Reject { .. } => payout.status == PayoutStatus::Rejected,
            Decision::Reverse { .. } => payout.status == PayoutStatus::Reversed,
        }
}
