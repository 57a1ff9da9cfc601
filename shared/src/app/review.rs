//! What staff decide about affiliates: applications, suspension, codes, rates, bank accounts.

use super::{
    App, Code, Problem, ROUNDS,
    affiliates::{find, once},
    audit::{self, Reviewer},
};
use crate::{
    domain::{
        affiliate::{Affiliate, AffiliateStatus, BankStatus, CodeOwner, PayoutAccount, ReferralCode},
        ids::{AffiliateId, UploadId},
        ktp::KtpStatus,
        outbox::{OutboxItem, Work},
        settings::CommissionRule,
        text::Note,
        wallet::{Standing, VerifiedBank, Wallet},
    },
    store::transaction::{Commit, Transaction},
};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Lost {
    Changed,
    CodeTaken,
}

/// Approves with a generated code, or with one that the admin chose. Approving what is approved so changes nothing.
pub async fn approve(app: &App, by: Reviewer, id: AffiliateId, chosen: Option<ReferralCode>) -> Result<Affiliate, Problem> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let read = find(app, id).await?;
        let same = chosen.as_ref().is_none_or(|c| read.value.code.as_ref() == Some(c));
        if read.value.status == AffiliateStatus::Approved && same {
            return Ok(read.value);
        }
        if read.value.status != AffiliateStatus::Pending {
            return Err(Problem::conflict("only an application that waits can be approved"));
        }
        let code = chosen.clone().unwrap_or_else(|| ReferralCode::generate(&app.entropy));
        let approved = read.value.clone().approved(code.clone(), now)?;
        let mail = OutboxItem::new(Work::MailApplicationApproved { affiliate: id }, now);
        let mut tx = Transaction::new();
        tx.save(&read, &approved, Lost::Changed)
            .create(&CodeOwner { code, affiliate: id, given_at: now }, Lost::CodeTaken)
            .create(&Wallet::open(id), Lost::Changed)
            .put_same(&mail)
            .create(&audit::entry(app, by, "affiliate.approve", &id.to_string(), read.value.status.as_str(), "approved"), Lost::Changed);
        match app.store.commit(tx).await? {
            Commit::Done => {
                app.queues.hand_on(&[mail]).await;
                return Ok(approved);
            }
            Commit::Lost(lost) if chosen.is_some() && lost.contains(&Lost::CodeTaken) && !lost.contains(&Lost::Changed) => {
                return Err(Problem::conflict("this code is taken"));
            }
            Commit::Lost(_) => {}
        }
    }
    Err(Problem::busy("approval kept colliding"))
}

pub async fn reject(app: &App, by: Reviewer, id: AffiliateId, reason: Note) -> Result<Affiliate, Problem> {
    let now = app.clock.now();
    let read = find(app, id).await?;
    if read.value.status == AffiliateStatus::Rejected && read.value.rejection.as_ref() == Some(&reason) {
        return Ok(read.value);
    }
    let rejected = read.value.clone().rejected(reason, now)?;
    let mail = OutboxItem::new(Work::MailApplicationRejected { affiliate: id }, now);
    let mut tx = Transaction::new();
    tx.save(&read, &rejected, ()).put_same(&mail);
    tx.create(&audit::entry(app, by, "affiliate.reject", &id.to_string(), read.value.status.as_str(), "rejected"), ());
    once(app, tx).await?;
    app.queues.hand_on(&[mail]).await;
    Ok(rejected)
}

/// Suspends: earns nothing from now on, and no payout leaves.
pub async fn suspend(app: &App, by: Reviewer, id: AffiliateId, reason: Note) -> Result<Affiliate, Problem> {
    let read = find(app, id).await?;
    if read.value.status == AffiliateStatus::Suspended {
        return Ok(read.value);
    }
    let said = format!("suspended: {reason}");
    let suspended = read.value.clone().suspended(reason)?;
    let wallet = app.store.wallet(id).await?.ok_or_else(|| Problem::internal("an approved affiliate without a wallet"))?;
    let mut tx = Transaction::new();
    tx.save(&read, &suspended, ()).save(&wallet, &Wallet { standing: Standing::Suspended, ..wallet.value.clone() }, ());
    tx.create(&audit::entry(app, by, "affiliate.suspend", &id.to_string(), "approved", said), ());
    once(app, tx).await?;
    Ok(suspended)
}

/// Ends a suspension.
pub async fn reinstate(app: &App, by: Reviewer, id: AffiliateId) -> Result<Affiliate, Problem> {
    let read = find(app, id).await?;
    if read.value.status == AffiliateStatus::Approved {
        return Ok(read.value);
    }
    let reinstated = read.value.clone().reinstated()?;
    let wallet = app.store.wallet(id).await?.ok_or_else(|| Problem::internal("an affiliate without a wallet"))?;
    let mut tx = Transaction::new();
    tx.save(&read, &reinstated, ()).save(&wallet, &Wallet { standing: Standing::Approved, ..wallet.value.clone() }, ());
    tx.create(&audit::entry(app, by, "affiliate.reinstate", &id.to_string(), "suspended", "approved"), ());
    once(app, tx).await?;
    Ok(reinstated)
}

/// Gives another code. The old one keeps working; one that was theirs before can be theirs again.
pub async fn change_code(app: &App, by: Reviewer, id: AffiliateId, code: ReferralCode) -> Result<Affiliate, Problem> {
    for _ in 0..ROUNDS {
        let read = find(app, id).await?;
        let Some(before) = read.value.code.clone() else { return Err(Problem::conflict("the application has not been approved")) };
        if before == code {
            return Ok(read.value);
        }
        let owner = app.store.code_owner(&code).await?;
        if owner.as_ref().is_some_and(|o| o.value.affiliate != id) {
            return Err(Problem::conflict("this code is taken"));
        }
        let after = Affiliate { code: Some(code.clone()), ..read.value.clone() };
        let mut tx = Transaction::new();
        tx.save(&read, &after, ());
        if owner.is_none() {
            tx.create(&CodeOwner { code: code.clone(), affiliate: id, given_at: app.clock.now() }, ());
        }
        tx.create(&audit::entry(app, by, "affiliate.code", &id.to_string(), before, &code), ());
        if let Commit::Done = app.store.commit(tx).await? {
            return Ok(after);
        }
    }
    Err(Problem::busy("the code kept colliding"))
}

/// Sets a rate of an affiliate's own for orders from now on, or takes it back.
pub async fn set_commission(app: &App, by: Reviewer, id: AffiliateId, rule: Option<CommissionRule>) -> Result<Affiliate, Problem> {
    let read = find(app, id).await?;
    let after = Affiliate { commission_override: rule, ..read.value.clone() };
    let mut tx = Transaction::new();
    tx.save(&read, &after, ());
    let (was, is) = (audit::whole(&read.value.commission_override), audit::whole(&rule));
    tx.create(&audit::entry(app, by, "affiliate.commission", &id.to_string(), was, is), ());
    once(app, tx).await?;
    Ok(after)
}

/// What is decided on a bank account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankDecision {
    /// With the marks that the reviewer clears: the sharing was looked at and is harmless.
    Verify(Vec<Shared>),
    /// Also of what was verified by mistake.
    Reject(Note),
}

/// What an affiliate shares with another one. Their sales are held for as long as it is marked, and only a reviewer takes a
/// mark away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shared {
    BankAccount,
    Identity,
}

impl Shared {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "bank_account" => Some(Self::BankAccount),
            "identity" => Some(Self::Identity),
            _ => None,
        }
    }

    /// The marks of an affiliate.
    pub fn of(wallet: &Wallet) -> Vec<Self> {
        [(wallet.shares_bank, Self::BankAccount), (wallet.shares_identity, Self::Identity)]
            .into_iter()
            .filter_map(|(is, mark)| is.then_some(mark))
            .collect()
    }
}

/// What a reviewer has looked at: another version, or a card that came since, is not decided on unseen.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub version: u32,
    /// The upload of the identity card; nothing if none was looked at.
    pub card: Option<UploadId>,
}

/// Verifies or rejects a bank account, as the admin has seen it. Repeating a decision that stands changes nothing.
pub async fn decide_bank_account(app: &App, by: Reviewer, id: AffiliateId, seen: Seen, decision: BankDecision) -> Result<PayoutAccount, Problem> {
    let now = app.clock.now();
    let read = app.store.payout_account(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    if read.value.version != seen.version {
        return Err(Problem::conflict("the bank account has been changed meanwhile; look again"));
    }
    let card = app.store.ktp_images(id).await?.into_iter().next();
    if seen.card.is_some() && card.as_ref().map(|k| k.value.upload) != seen.card {
        return Err(Problem::conflict("another identity card has been sent meanwhile; look again"));
    }
    let (verified, reason, cleared) = match decision {
        BankDecision::Verify(cleared) => (true, None, cleared),
        BankDecision::Reject(reason) => (false, Some(reason), Vec::new()),
    };
    let wallet = app.store.wallet(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let cleared: Vec<Shared> = Shared::of(&wallet.value).into_iter().filter(|mark| cleared.contains(mark)).collect();
    let mut after = wallet.value.clone();
    after.shares_bank &= !cleared.contains(&Shared::BankAccount);
    after.shares_identity &= !cleared.contains(&Shared::Identity);
    let mut tx = Transaction::new();
    if !cleared.is_empty() {
        let (was, is) = (audit::whole(&Shared::of(&wallet.value)), audit::whole(&Shared::of(&after)));
        tx.create(&audit::entry(app, by, "affiliate.clear_marks", &id.to_string(), was, is), ());
    }
    let stands = read.value.status == if verified { BankStatus::Verified } else { BankStatus::Rejected };
    if stands && !cleared.is_empty() {
        tx.save(&wallet, &after, ());
        once(app, tx).await?;
        return Ok(read.value);
    }
    if stands && read.value.decided_by == Some(by.admin) && read.value.rejection == reason {
        return Ok(read.value);
    }
    let decided = read.value.clone().decided(verified, by.admin, reason, now)?;
    after.bank = verified.then_some(VerifiedBank { version: decided.version, by: by.admin });
    let mail = OutboxItem::new(Work::MailBankDecided { affiliate: id }, now);
    tx.save(&read, &decided, ()).save(&wallet, &after, ()).put_same(&mail);
    // The card was looked at for this decision: its picture is kept for the retention time from now on.
    if let Some(card) = card.filter(|k| k.value.status == KtpStatus::Pending) {
        let settings = app.store.settings().await?;
        tx.save(&card, &card.value.clone().decided(verified, &settings, now), ());
    }
    let said = match seen.card {
        Some(card) => format!("{}, version {}, card {card}", decided.status.as_str(), seen.version),
        None => format!("{}, version {}", decided.status.as_str(), seen.version),
    };
    tx.create(&audit::entry(app, by, "bank_account.decide", &id.to_string(), read.value.status.as_str(), said), ());
    once(app, tx).await?;
    app.queues.hand_on(&[mail]).await;
    Ok(decided)
}
