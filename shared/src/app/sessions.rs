//! Registration, login, rotation of the refresh token, logout: the same for the three audiences.

use super::{
    App, Code, Problem,
    audit::{self, Reviewer},
    second_factor,
};
use crate::{
    domain::{
        contact::{Email, Phone},
        identity::{Audience, Customer, Language, LinkPurpose, Login, Session},
        ids::{AdminId, CustomerId, SessionId},
        outbox::{OutboxItem, Work},
        settings::Settings,
        staff::Role,
        text::PersonName,
    },
    secrets::{
        password::{self, Password},
        refresh::{RefreshToken, same_secret},
        token::Caller,
    },
    store::{
        throttle::Limit,
        transaction::{Commit, Transaction},
    },
};
use serde::Serialize;

const PER_ACCOUNT: Limit = Limit { attempts: 10, seconds: 900 };
const PER_ADDRESS: Limit = Limit { attempts: 100, seconds: 900 };
const REGISTRATIONS: Limit = Limit { attempts: 20, seconds: 3600 };

/// What a login hands out. The refresh token goes into a cookie, never into the body.
#[derive(Debug, Serialize)]
pub struct Tokens {
    pub access_token: String,
    pub token_type: &'static str,
    pub expires_in: i64,
    #[serde(skip)]
    pub refresh: RefreshToken,
    /// How long the refresh token is good.
    #[serde(skip)]
    pub refresh_seconds: i64,
}

#[derive(Debug)]
pub struct NewCustomer {
    pub name: PersonName,
    pub email: Email,
    pub phone: Phone,
    pub password: Password,
    pub language: Language,
}

/// Creates the account. An address that has one already gets the same answer, after the same work.
pub async fn register(app: &App, new: NewCustomer, address: &str) -> Result<(), Problem> {
    let now = app.clock.now();
    if let Some(wait) = app.store.throttle(&format!("register#{address}"), REGISTRATIONS, now).await? {
        return Err(Problem::too_many(wait));
    }
    let id = CustomerId::fresh(now, &app.entropy);
    let password_hash = password::hash(&new.password, &app.entropy)?;
    let login = Login { audience: Audience::Customer, email: new.email.clone(), account: id.to_string(), password_hash, created_at: now };
    let (audience, email) = (Audience::Customer, new.email.clone());
    let (name, phone, language) = (new.name, new.phone, new.language);
    let customer = Customer {
        id,
        name,
        email: new.email,
        phone,
        former_phones: Vec::new(),
        address: None,
        language,
        verified_at: None,
        paused_until: None,
        created_at: now,
    };
    let mail = OutboxItem::new(Work::MailLink { audience, purpose: LinkPurpose::VerifyEmail, email: email.clone() }, now);
    let mut tx = Transaction::new();
    tx.create(&login, ()).create(&customer, ()).put_same(&mail);
    let owed = match app.store.commit(tx).await? {
        Commit::Done => mail,
        Commit::Lost(_) => OutboxItem::new(Work::MailAlreadyRegistered { audience, email }, now),
    };
    // For a new address this repeats what is written: both kinds make the same requests.
    app.store.append(&owed).await?;
    app.queues.hand_on(&[owed]).await;
    Ok(())
}

/// What somebody shows who wants to log in.
#[derive(Debug)]
pub struct Shown {
    pub password: Password,
    /// Of the authenticator app, or a recovery code; only staff have either.
    pub code: Option<String>,
}

/// Checks the password, and the second factor where there is one, and opens a session.
pub async fn login(app: &App, audience: Audience, email: &Email, shown: &Shown, address: &str, device: &str) -> Result<Tokens, Problem> {
    let now = app.clock.now();
    let (who, whence) = (format!("login#{}#{}", audience.as_str(), email.login_key()), format!("login#{address}"));
    // The account's window is counted for each address, so that a stranger cannot lock its owner out.
    let attempts = [(format!("{who}#{address}"), PER_ACCOUNT), (whence, PER_ADDRESS)];
    for (what, limit) in attempts {
        if let Some(wait) = app.store.throttle(&what, limit, now).await? {
            return Err(Problem::too_many(wait));
        }
    }
    let (read, settings) = app.store.login_and_settings(audience, email).await?;
    let typed = &shown.password;
    let right = password::verify(typed, read.as_ref().map(|l| l.value.password_hash.as_str()))?;
    let (true, Some(read)) = (right, read) else { return Err(Problem::new(Code::WrongCredentials)) };
    if password::is_outdated(&read.value.password_hash) {
        // Lost to another login that does the same: the next one finds it done.
        let renewed = Login { password_hash: password::hash(typed, &app.entropy)?, ..read.value.clone() };
        app.store.save(&read, &renewed).await?;
    }
    let login = read.value;
    let role = match AdminId::parse(&login.account).filter(|_| audience == Audience::Admin) {
        Some(id) => {
            let role = second_factor::show(app, id, shown.code.as_deref()).await?.role;
            let by = Reviewer { admin: id, address: address.parse().ok() };
            app.store.append(&audit::entry(app, by, "staff.login", role.as_str(), "", "")).await?;
            Some(role)
        }
        None => None,
    };
    open(app, audience, login.account, role, device, &settings).await
}

/// An admin's present role; others have none. A suspended admin cannot log in.
async fn admin_role(app: &App, audience: Audience, account: &str) -> Result<Option<Role>, Problem> {
    if audience != Audience::Admin {
        return Ok(None);
    }
    let refused = || Problem::new(Code::WrongCredentials);
    let id = AdminId::parse(account).ok_or_else(refused)?;
    let admin = app.store.admin(id).await?.filter(|a| a.value.active).ok_or_else(refused)?;
    Ok(Some(admin.value.role))
}

async fn open(app: &App, audience: Audience, account: String, role: Option<Role>, device: &str, settings: &Settings) -> Result<Tokens, Problem> {
    let now = app.clock.now();
    let id = SessionId::fresh(now, &app.entropy);
    let refresh = RefreshToken::new(&account, id, &app.entropy);
    let session = Session {
        id,
        audience,
        account,
        role,
        refresh_hash: refresh.hash(),
        device: device.into(),
        created_at: now,
        used_at: now,
        expires_at: now.plus_seconds(settings.refresh_seconds()),
    };
    app.store.append(&session).await?;
    tokens(app, &session, refresh, settings)
}

fn tokens(app: &App, session: &Session, refresh: RefreshToken, settings: &Settings) -> Result<Tokens, Problem> {
    let caller = Caller { account: session.account.clone(), session: session.id, role: session.role };
    let expires_in = settings.access_seconds();
    let access_token = app.issuer()?.issue(session.audience, &caller, app.clock.now(), expires_in).map_err(Problem::internal)?;
    Ok(Tokens { access_token, token_type: "Bearer", expires_in, refresh, refresh_seconds: settings.refresh_seconds() })
}

/// Exchanges a refresh token. An old one means that it was copied: the whole session ends.
pub async fn refresh(app: &App, audience: Audience, token: &str) -> Result<Tokens, Problem> {
    let refused = || Problem::new(Code::NotLoggedIn);
    let now = app.clock.now();
    let old = RefreshToken::parse(token).ok_or_else(refused)?;
    let (read, settings) = app.store.session_and_settings(&old.account, old.session).await?;
    let read = read.ok_or_else(refused)?;
    let session = &read.value;
    if session.audience != audience || session.expires_at <= now {
        return Err(refused());
    }
    if !same_secret(&session.refresh_hash, &old.hash(), &app.entropy) {
        app.store.end_session(&old.account, old.session).await?;
        return Err(refused());
    }
    let role = admin_role(app, audience, &session.account).await?;
    let new = RefreshToken::new(&old.account, old.session, &app.entropy);
    let rotated = crate::domain::identity::Session {
        refresh_hash: new.hash(),
        used_at: now,
        expires_at: now.plus_seconds(settings.refresh_seconds()),
        role,
        ..session.clone()
    };
    match app.store.save(&read, &rotated).await? {
        Commit::Done => tokens(app, &rotated, new, &settings),
        // A lost answer that the SDK repeated looks like this too: the stored hash tells.
        Commit::Lost(_) => match app.store.read_back(&rotated).await? {
            Some(stored) if stored.value.refresh_hash == rotated.refresh_hash => tokens(app, &rotated, new, &settings),
            _ => Err(refused()),
        },
    }
}

pub async fn logout(app: &App, account: &str, session: SessionId) -> Result<(), Problem> {
    Ok(app.store.end_session(account, session).await?)
}
