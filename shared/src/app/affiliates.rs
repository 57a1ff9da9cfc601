//! What affiliates do about themselves: apply, apply again, change their details and their bank account.

use super::{App, Code, Problem, ROUNDS, credentials, sessions};
use crate::{
    domain::{
        affiliate::{Affiliate, AffiliateStatus, BankStatus, Details, PayoutAccount},
        contact::{BankAccount, Email},
        identity::{Audience, Login},
        ids::AffiliateId,
        outbox::{OutboxItem, Work},
        wallet::Wallet,
    },
    secrets::password::{self, Password},
    store::{
        entity::{SameAccount, Stored},
        keys,
        throttle::Limit,
        transaction::{Commit, Transaction},
    },
};

const APPLICATIONS: Limit = Limit { attempts: 60, seconds: 3_600 };

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
    let mails = sessions::may_mail(app, Audience::Affiliate, &new.email).await?;
    let id = AffiliateId::fresh(now, &app.entropy);
    let password_hash = password::hash(&new.password, &app.entropy)?;
    let login = Login {
        audience: Audience::Affiliate,
        email: new.email.clone(),
        account: id.to_string(),
        password_hash,
        created_at: now,
        vouched_until: None,
    };
    let affiliate = Affiliate {
        id,
        status: AffiliateStatus::Pending,
        email: new.email,
        details: new.details,
        former_phones: Vec::new(),
        photo: None,
        applied_at: now,
        decided_at: None,
        rejection: None,
        suspension: None,
        code: None,
        commission_override: None,
    };
    let mail = OutboxItem::new(Work::MailApplicationReceived { affiliate: id }, now);
    let mut tx = Transaction::new();
    tx.create(&login, ()).create(&affiliate, ());
    if mails {
        tx.put_same(&mail);
    }
    let owed = match app.store.commit(tx).await? {
        Commit::Done => mail,
        Commit::Lost(_) => OutboxItem::new(Work::MailAlreadyRegistered { audience: Audience::Affiliate, email: login.email }, now),
    };
    // For a new address this repeats what is written: both kinds make the same requests.
    if mails {
        app.store.append(&owed).await?;
        app.queues.hand_on(&[owed]).await;
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
        let mut details = read.value.details.clone();
        change(&mut details);
        let after = read.value.clone().described(details);
        if let Commit::Done = app.store.save(&read, &after).await? {
            return Ok(after);
        }
    }
    Err(Problem::busy("the profile kept changing"))
}

/// Saves the bank account, once the password was given again. Any change asks for a new verification, stops payouts until
/// then, and is told by mail; so does saving a rejected account again, which a reviewer looks at once more. `hash` finds
/// the same account at another affiliate: the sales of whoever comes second are looked at until a reviewer clears them.
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
    if let Some(same) = bank.as_ref().filter(|b| b.value.account == account && b.value.status != BankStatus::Rejected) {
        return Ok(same.value.clone());
    }
    let version = bank.as_ref().map_or(1, |b| b.value.version + 1);
    let changed = PayoutAccount {
        affiliate: id,
        account,
        account_hash: hash.clone(),
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
    // Another account does not clear what the one before it raised.
    let shares_bank = wallet.value.shares_bank || !app.store.sharing_account(&hash, id).await?.is_empty();
    tx.save(&wallet, &Wallet { bank: None, shares_bank, ..wallet.value.clone() }, ());
    let mail = OutboxItem::new(Work::MailBankChanged { affiliate: id, version }, now);
    tx.put_same(&SameAccount { account_hash: hash, affiliate: id }).put_same(&mail);
    once(app, tx).await?;
    app.queues.hand_on(&[mail]).await;
    Ok(changed)
}

pub(super) async fn find(app: &App, id: AffiliateId) -> Result<Stored<Affiliate>, Problem> {
    app.store.affiliate(id).await?.ok_or_else(|| Problem::new(Code::NotFound))
}

pub(super) async fn once(app: &App, tx: Transaction<()>) -> Result<(), Problem> {
    match app.store.commit(tx).await? {
        Commit::Done => Ok(()),
        Commit::Lost(_) => Err(Problem::conflict("somebody else has just changed this; look again")),
    }
}
