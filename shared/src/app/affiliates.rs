//! Applications and their review, bank accounts and their verification.

use super::{App, Code, Problem, ROUNDS, credentials};
use crate::{
    domain::{
        affiliate::{Affiliate, AffiliateStatus, BankStatus, CodeOwner, Details, PayoutAccount, ReferralCode},
        contact::{BankAccount, Email},
        identity::{Audience, Login},
        ids::{AdminId, AffiliateId},
        ktp::KtpStatus,
        outbox::{OutboxItem, Work},
        text::Note,
        wallet::{Standing, VerifiedBank, Wallet},
    },
    secrets::password::{self, Password},
    store::{
        entity::{AuditEntry, SameAccount, Stored},
        keys,
        throttle::Limit,
        transaction::{Commit, Transaction},
    },
};

const APPLICATIONS: Limit = Limit { attempts: 20, seconds: 3600 };

#[derive(Debug)]
pub struct Application {
    pub email: Email,
    pub password: Password,
    pub details: Details,
}

/// Files an application. An address that has one already gets the same answer, after the same work.
pub async fn apply(app: &App, new: Application, address: &str) -> Result<(), Problem> {
    let now = app.clock.now();
    if let Some(wait) = app.store.throttle(&format!("apply#{address}"), APPLICATIONS, now).await? {
        return Err(Problem::too_many(wait));
    }
    let id = AffiliateId::fresh(now, &app.entropy);
    let password_hash = password::hash(&new.password, &app.entropy)?;
    let login = Login { audience: Audience::Affiliate, email: new.email.clone(), account: id.to_string(), password_hash, created_at: now };
    let affiliate = Affiliate {
        id,
        status: AffiliateStatus::Pending,
        email: new.email,
        details: new.details,
        photo: None,
        applied_at: now,
        decided_at: None,
        rejection: None,
        code: None,
        commission_override: None,
    };
    let mail = OutboxItem::new(Work::MailApplicationReceived { affiliate: id }, now);
    let mut tx = Transaction::new();
    tx.create(&login, ()).create(&affiliate, ()).put_same(&mail);
    if let Commit::Done = app.store.commit(tx).await? {
        app.queues.hand_on(&[mail]).await;
    }
    Ok(())
}

/// Applies again after a rejection.
pub async fn reapply(app: &App, id: AffiliateId, details: Details) -> Result<Affiliate, Problem> {
    let now = app.clock.now();
    let read = find(app, id).await?;
    let pending = read.value.clone().reapplied(details, now)?;
    let mail = OutboxItem::new(Work::MailApplicationReceived { affiliate: id }, now);
    let mut tx = Transaction::new();
    tx.save(&read, &pending, ()).put_same(&mail);
    once(app, tx).await?;
    app.queues.hand_on(&[mail]).await;
    Ok(pending)
}

/// Changes what an affiliate says of themselves; what the application was decided on stays as it was.
pub async fn change_details(app: &App, id: AffiliateId, change: impl Fn(&mut Details)) -> Result<Affiliate, Problem> {
    for _ in 0..ROUNDS {
        let read = find(app, id).await?;
        let mut after = read.value.clone();
        change(&mut after.details);
        if let Commit::Done = app.store.save(&read, &after).await? {
            return Ok(after);
        }
    }
    Err(Problem::unavailable("the profile kept changing"))
}

/// Who decides, for the audit log.
#[derive(Debug, Clone, Copy)]
pub struct Reviewer {
    pub admin: AdminId,
}

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
        let code = chosen.clone().unwrap_or_else(|| ReferralCode::generate(&app.entropy));
        let approved = read.value.clone().approved(code.clone(), now)?;
        let mail = OutboxItem::new(Work::MailApplicationApproved { affiliate: id }, now);
        let mut tx = Transaction::new();
        tx.save(&read, &approved, Lost::Changed)
            .create(&CodeOwner { code, affiliate: id, given_at: now }, Lost::CodeTaken)
            .create(&Wallet::open(id), Lost::Changed)
            .put_same(&mail)
            .create(&audit(app, by, "affiliate.approve", &id.to_string(), read.value.status.as_str(), "approved"), Lost::Changed);
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
    Err(Problem::unavailable("approval kept colliding"))
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
    tx.create(&audit(app, by, "affiliate.reject", &id.to_string(), read.value.status.as_str(), "rejected"), ());
    once(app, tx).await?;
    app.queues.hand_on(&[mail]).await;
    Ok(rejected)
}

/// Suspends: earns nothing from now on, and no payout leaves.
pub async fn suspend(app: &App, by: Reviewer, id: AffiliateId) -> Result<Affiliate, Problem> {
    let read = find(app, id).await?;
    if read.value.status == AffiliateStatus::Suspended {
        return Ok(read.value);
    }
    let suspended = read.value.clone().suspended()?;
    let wallet = app.store.wallet(id).await?.ok_or_else(|| Problem::internal("an approved affiliate without a wallet"))?;
    let mut tx = Transaction::new();
    tx.save(&read, &suspended, ()).save(&wallet, &Wallet { standing: Standing::Suspended, ..wallet.value.clone() }, ());
    tx.create(&audit(app, by, "affiliate.suspend", &id.to_string(), "approved", "suspended"), ());
    once(app, tx).await?;
    Ok(suspended)
}

/// Saves the bank account, once the password was given again. Any change asks for a new verification, stops payouts until
/// then, and is told by mail. `hash` finds the same account at another affiliate: the sales of whoever comes second are
/// looked at.
pub async fn save_bank_account(
    app: &App,
    id: AffiliateId,
    password: &Password,
    account: BankAccount,
    hash: String,
) -> Result<PayoutAccount, Problem> {
    let now = app.clock.now();
    credentials::confirmed(app, Audience::Affiliate, &find(app, id).await?.value.email, password).await?;
    let (bank_key, wallet_key) = (keys::payout_account(id), keys::wallet(id));
    let mut found = app.store.get_many([bank_key.clone(), wallet_key.clone()]).await?;
    let bank: Option<Stored<PayoutAccount>> = found.take(&bank_key)?;
    let wallet: Stored<Wallet> = found.take(&wallet_key)?.ok_or_else(|| Problem::conflict("the application has not been approved"))?;
    if let Some(same) = bank.as_ref().filter(|b| b.value.account == account) {
        return Ok(same.value.clone());
    }
    let version = bank.as_ref().map_or(1, |b| b.value.version + 1);
    let changed = PayoutAccount {
        affiliate: id,
        account,
        version,
        status: BankStatus::Pending,
        changed_at: now,
        decided_by: None,
        decided_at: None,
        rejection: None,
    };
    let mut tx = Transaction::new();
    match &bank {
        Some(bank) => tx.save(bank, &changed, ()),
        None => tx.create(&changed, ()),
    };
    let shares_bank = !app.store.sharing_account(&hash, id).await?.is_empty();
    tx.save(&wallet, &Wallet { bank: None, shares_bank, ..wallet.value.clone() }, ());
    let mail = OutboxItem::new(Work::MailBankChanged { affiliate: id, version }, now);
    tx.put_same(&SameAccount { account_hash: hash, affiliate: id }).put_same(&mail);
    once(app, tx).await?;
    app.queues.hand_on(&[mail]).await;
    Ok(changed)
}

/// Verifies or rejects a bank account.
pub async fn decide_bank_account(app: &App, by: Reviewer, id: AffiliateId, verified: bool, reason: Option<Note>) -> Result<PayoutAccount, Problem> {
    let now = app.clock.now();
    let read = app.store.payout_account(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let wallet = app.store.wallet(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let decided = read.value.clone().decided(verified, by.admin, reason, now)?;
    let bank = verified.then_some(VerifiedBank { version: decided.version, by: by.admin });
    let mail = OutboxItem::new(Work::MailBankDecided { affiliate: id }, now);
    let mut tx = Transaction::new();
    tx.save(&read, &decided, ()).save(&wallet, &Wallet { bank, ..wallet.value.clone() }, ()).put_same(&mail);
    // The card was looked at for this decision: its picture is kept for the retention time from now on.
    if let Some(card) = app.store.ktp_images(id).await?.into_iter().next().filter(|k| k.value.status == KtpStatus::Pending) {
        let settings = app.store.settings().await?;
        tx.save(&card, &card.value.clone().decided(verified, &settings, now), ());
    }
    tx.create(&audit(app, by, "bank_account.decide", &id.to_string(), read.value.status.as_str(), decided.status.as_str()), ());
    once(app, tx).await?;
    app.queues.hand_on(&[mail]).await;
    Ok(decided)
}

async fn find(app: &App, id: AffiliateId) -> Result<Stored<Affiliate>, Problem> {
    app.store.affiliate(id).await?.ok_or_else(|| Problem::new(Code::NotFound))
}

async fn once(app: &App, tx: Transaction<()>) -> Result<(), Problem> {
    match app.store.commit(tx).await? {
        Commit::Done => Ok(()),
        Commit::Lost(_) => Err(Problem::conflict("somebody else has just changed this; look again")),
    }
}

pub(crate) fn audit(app: &App, by: Reviewer, action: &str, subject: &str, before: &str, after: &str) -> AuditEntry {
    let now = app.clock.now();
    AuditEntry {
        id: crate::domain::ids::TaskId::fresh(now, &app.entropy).to_string(),
        at: now,
        admin: by.admin.to_string(),
        action: action.into(),
        subject: subject.into(),
        before: Some(before.into()),
        after: Some(after.into()),
    }
}
