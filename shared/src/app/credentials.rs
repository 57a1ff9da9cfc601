//! Mailed links and passwords: the address proved, the password forgotten, reset or changed. The same for every audience.

use super::{
    App, Code, Problem, ROUNDS,
    audit::{self, Reviewer},
};
use crate::{
    domain::{
        contact::Email,
        identity::{Audience, Customer, LinkPurpose, Login, MailedLink},
        ids::{AdminId, CustomerId, SessionId},
        outbox::{OutboxItem, Work},
        time::Timestamp,
    },
    secrets::{
        link::LinkToken,
        password::{self, Password},
        refresh::same_secret,
    },
    store::{
        entity::Stored,
        keys,
        throttle::Limit,
        transaction::{Commit, Transaction},
    },
};

const LINKS_PER_MAILBOX: Limit = Limit { attempts: 5, seconds: 3_600 };
/// Many people share a network address; what one of them may do to a single mailbox is the line above.
const LINKS_PER_ADDRESS: Limit = Limit { attempts: 100, seconds: 3_600 };
const TRIES_PER_ADDRESS: Limit = Limit { attempts: 150, seconds: 900 };
/// Accounts that one mailbox proves in a day, under however many spellings: a proved account may hold more.
const PROOFS_PER_MAILBOX: Limit = Limit { attempts: 5, seconds: 86_400 };
/// How long a login counts as its owner's after a mailed link has set the password.
const VOUCHED_SECONDS: i64 = 3_600;
const CHANGES: Limit = Limit { attempts: 10, seconds: 900 };
/// Sessions that end in the transaction that changes the password; more of them end right after it.
const SESSIONS: usize = 80;

/// Asks for a one-time link. The same is done for every address; whether it has an account is found out by the worker.
pub async fn request_link(app: &App, audience: Audience, purpose: LinkPurpose, email: Email, address: &str) -> Result<(), Problem> {
    let now = app.clock.now();
    let who = format!("link#{}#{}#{}", purpose.as_str(), audience.as_str(), email.mailbox().as_str());
    for (what, limit) in [(who, LINKS_PER_MAILBOX), (format!("link#{address}"), LINKS_PER_ADDRESS)] {
        if let Some(wait) = app.store.throttle(&what, limit, now).await? {
            return Err(Problem::too_many(wait));
        }
    }
    let mail = OutboxItem::new(Work::MailLink { audience, purpose, email }, now);
    app.store.append(&mail).await?;
    app.queues.hand_on(&[mail]).await;
    Ok(())
}

/// Draws the secret of a link and keeps its hash; an older link of the purpose stops working.
pub(super) async fn draw_link(app: &App, login: &Login, purpose: LinkPurpose) -> Result<LinkToken, Problem> {
    let token = LinkToken::new(&login.account, &app.entropy);
    let link = MailedLink {
        account: login.account.clone(),
        audience: login.audience,
        purpose,
        email: login.email.clone(),
        secret_hash: token.hash(),
        expires_at: app.clock.now().plus_seconds(purpose.seconds()),
    };
    app.store.append(&link).await?;
    Ok(token)
}

/// The link behind a token, if it is the newest of its purpose and still good.
async fn open_link(app: &App, audience: Audience, purpose: LinkPurpose, token: &str, address: &str) -> Result<Stored<MailedLink>, Problem> {
    let now = app.clock.now();
    if let Some(wait) = app.store.throttle(&format!("token#{address}"), TRIES_PER_ADDRESS, now).await? {
        return Err(Problem::too_many(wait));
    }
    let refused = || Problem::new(Code::LinkRefused);
    let token = LinkToken::parse(token).ok_or_else(refused)?;
    let link = app.store.mailed_link(&token.account, purpose).await?.ok_or_else(refused)?;
    let good = link.value.audience == audience && link.value.expires_at > now && same_secret(&link.value.secret_hash, &token.hash(), &app.entropy);
    if good { Ok(link) } else { Err(refused()) }
}

/// The address is the customer's own.
pub async fn verify_email(app: &App, token: &str, address: &str) -> Result<(), Problem> {
    for round in 0..ROUNDS {
        let link = open_link(app, Audience::Customer, LinkPurpose::VerifyEmail, token, address).await?;
        let what = format!("proved#{}", link.value.email.mailbox().as_str());
        if round == 0
            && let Some(wait) = app.store.throttle(&what, PROOFS_PER_MAILBOX, app.clock.now()).await?
        {
            return Err(Problem::too_many(wait));
        }
        let id = CustomerId::parse(&link.value.account).ok_or_else(|| Problem::new(Code::LinkRefused))?;
        let customer = app.store.customer(id).await?.ok_or_else(|| Problem::new(Code::LinkRefused))?;
        let verified = Customer { verified_at: Some(app.clock.now()), ..customer.value.clone() };
        let mut tx = Transaction::new();
        tx.save(&customer, &verified, ()).remove(&link, ());
        if let Commit::Done = app.store.commit(tx).await? {
            return Ok(());
        }
    }
    Err(Problem::unavailable("the verification kept colliding"))
}

/// Sets a new password by a mailed link: the link is used up and every session ends, in one transaction.
pub async fn set_password_by_link(
    app: &App,
    audience: Audience,
    purpose: LinkPurpose,
    token: &str,
    new: &Password,
    address: &str,
) -> Result<(), Problem> {
    for _ in 0..ROUNDS {
        let link = open_link(app, audience, purpose, token, address).await?;
        let login = app.store.login(audience, &link.value.email).await?.ok_or_else(|| Problem::new(Code::LinkRefused))?;
        let mut tx = Transaction::new();
        tx.remove(&link, ());
        let vouched_until = Some(app.clock.now().plus_seconds(VOUCHED_SECONDS));
        if set_password(app, tx, &login, new, vouched_until, None).await? {
            return Ok(());
        }
    }
    Err(Problem::unavailable("the reset kept colliding"))
}

/// Sets a new password with the old one; every other session ends.
pub async fn change_password(app: &App, audience: Audience, email: &Email, own: SessionId, old: &Password, new: &Password) -> Result<(), Problem> {
    for _ in 0..ROUNDS {
        let login = confirmed(app, audience, email, old).await?;
        if set_password(app, Transaction::new(), &login, new, None, Some(own)).await? {
            return Ok(());
        }
    }
    Err(Problem::unavailable("the change kept colliding"))
}

/// The login, once its password was given again.
pub(super) async fn confirmed(app: &App, audience: Audience, email: &Email, password: &Password) -> Result<Stored<Login>, Problem> {
    let who = format!("confirm#{}#{}", audience.as_str(), email.login_key());
    if let Some(wait) = app.store.throttle(&who, CHANGES, app.clock.now()).await? {
        return Err(Problem::too_many(wait));
    }
    let login = app.store.login(audience, email).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
    let right = password::verify(password, Some(&login.value.password_hash))?;
    if right { Ok(login) } else { Err(Problem::field("current_password", crate::domain::Wrong::new("wrong_password", "is not right"))) }
}

/// Whether the password was set; not if somebody else wrote in between.
async fn set_password(
    app: &App,
    mut tx: Transaction<()>,
    login: &Stored<Login>,
    new: &Password,
    vouched_until: Option<Timestamp>,
    keep: Option<SessionId>,
) -> Result<bool, Problem> {
    let changed = Login { password_hash: password::hash(new, &app.entropy)?, vouched_until, ..login.value.clone() };
    let mail = OutboxItem::new(Work::MailPasswordChanged { audience: changed.audience, email: changed.email.clone() }, app.clock.now());
    let sessions = app.store.sessions(&changed.account).await?;
    let ending = sessions.iter().map(|s| s.value.id).filter(|id| Some(*id) != keep);
    tx.save(login, &changed, ()).put_same(&mail);
    if let Some(admin) = AdminId::parse(&changed.account).filter(|_| changed.audience == Audience::Admin) {
        let by = Reviewer { admin, address: None };
        tx.create(&audit::entry(app, by, "staff.password", &changed.account, "", ""), ());
    }
    for session in ending.take(SESSIONS) {
        tx.forget(&keys::session(&changed.account, session));
    }
    if let Commit::Lost(_) = app.store.commit(tx).await? {
        return Ok(false);
    }
    // What was too much for the transaction, and what a login with the old password has just opened.
    app.store.end_sessions(&changed.account, keep).await?;
    app.queues.hand_on(&[mail]).await;
    Ok(true)
}
