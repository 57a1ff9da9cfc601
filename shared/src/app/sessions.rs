//! Registration, login, rotation of the refresh token, logout: the same for the three audiences.

use super::{
    App, Code, Problem,
    audit::{self, Reviewer},
    metrics::Metric,
    second_factor,
};
use crate::{
    domain::{
        contact::{Email, Phone},
        holding::Holds,
        identity::{Audience, Customer, Language, LinkPurpose, Login, Session},
        ids::{AdminId, CustomerId, SessionId},
        outbox::{OutboxItem, Work},
        settings::Settings,
        staff::Role,
        text::PersonName,
        time::Timestamp,
    },
    secrets::{
        password::{self, Password},
        refresh::{RefreshToken, same_secret},
        token::{Caller, Device},
    },
    store::{
        Found,
        keys::{self, Key},
        throttle::{Limit, Window},
        transaction::{Commit, Transaction},
    },
};
use serde::Serialize;

/// Guesses at one account from one network address, or from a device that logged in to it before. Counted before the
/// password is looked at, and forgotten when it was right: nobody pays for logging in.
const PER_ACCOUNT: Limit = Limit { attempts: 10, seconds: 900 };
/// Wrong guesses from one network address at any accounts: behind one may be thousands of people.
const PER_ADDRESS: Limit = Limit { attempts: 100, seconds: 900 };
/// Wrong guesses at one account from everywhere. Beyond them the password alone is not enough.
const STAFF_EVERYWHERE: Limit = Limit { attempts: 100, seconds: 3_600 };
const OTHERS_EVERYWHERE: Limit = Limit { attempts: 300, seconds: 3_600 };
const REGISTRATIONS: Limit = Limit { attempts: 60, seconds: 3_600 };
/// Mails to one mailbox because somebody registered with it.
const MAILS_OF_REGISTRATION: Limit = Limit { attempts: 3, seconds: 86_400 };
/// How long a device is known after a login.
const DEVICE_SECONDS: i64 = 180 * 86_400;

/// The session that a customer's access token names. The token outlives it by some minutes, so a use case of a customer
/// reads it with everything else.
#[derive(Debug, Clone, Copy)]
pub struct OwnSession {
    customer: CustomerId,
    session: SessionId,
}

impl OwnSession {
    pub const fn of(customer: CustomerId, session: SessionId) -> Self {
        Self { customer, session }
    }

    pub const fn customer(&self) -> CustomerId {
        self.customer
    }

    pub fn key(&self) -> Key {
        keys::session(&self.customer.to_string(), self.session)
    }

    /// Refuses whoever has logged out, was logged out from afar, or has another password since.
    pub fn lives(&self, found: &mut Found, now: Timestamp) -> Result<(), Problem> {
        match found.take::<Session>(&self.key())? {
            Some(session) if session.value.expires_at > now => Ok(()),
            _ => Err(Problem::new(Code::NotLoggedIn)),
        }
    }
}

/// Whether a registration may mail this mailbox once more; the answer to the caller is the same.
pub(super) async fn may_mail(app: &App, audience: Audience, email: &Email) -> Result<bool, Problem> {
    let what = format!("registered#{}#{}", audience.as_str(), email.mailbox().as_str());
    Ok(app.store.throttle(&what, MAILS_OF_REGISTRATION, app.clock.now()).await?.is_none())
}

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
    /// What makes the device a known one, and for how long.
    #[serde(skip)]
    pub device: Option<(String, i64)>,
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
    let mails = may_mail(app, Audience::Customer, &new.email).await?;
    let id = CustomerId::fresh(now, &app.entropy);
    let password_hash = password::hash(&new.password, &app.entropy)?;
    let login = Login {
        audience: Audience::Customer,
        email: new.email.clone(),
        account: id.to_string(),
        password_hash,
        created_at: now,
        vouched_until: None,
    };
    let (audience, email) = (Audience::Customer, new.email.clone());
    let (name, phone, language) = (new.name, new.phone, new.language);
    let (address, verified_at, told_unproved_at) = Default::default();
    let holds = Holds::default();
    let customer = Customer {
        id,
        name,
        email: new.email,
        phone,
        former_phones: Vec::new(),
        address,
        language,
        verified_at,
        holds,
        told_unproved_at,
        created_at: now,
    };
    let mail = OutboxItem::new(Work::MailLink { audience, purpose: LinkPurpose::VerifyEmail, email: email.clone() }, now);
    let mut tx = Transaction::new();
    tx.create(&login, ()).create(&customer, ());
    if mails {
        tx.put_same(&mail);
    }
    let owed = match app.store.commit(tx).await? {
        Commit::Done => mail,
        Commit::Lost(_) => OutboxItem::new(Work::MailAlreadyRegistered { audience, email }, now),
    };
    // For a new address this repeats what is written: both kinds make the same requests.
    if mails {
        app.store.append(&owed).await?;
        app.queues.hand_on(&[owed]).await;
    }
    Ok(())
}

/// What somebody shows who wants to log in.
#[derive(Debug)]
pub struct Shown {
    pub password: Password,
    /// Of the authenticator app, or a recovery code; only staff have either.
    pub code: Option<String>,
    /// The cookie of a device that logged in before.
    pub device: Option<String>,
}

/// The windows in which the guesses at a login are counted.
struct Guesses {
    from_address: Window,
    everywhere: Window,
    /// Of the account from here; a known device has its own, which no stranger can fill.
    own: Window,
    known: Option<Device>,
}

impl Guesses {
    /// Counts one guess, and refuses it where there were too many. What is read here is read for everybody alike.
    async fn count(&self, app: &App, found: &Found, now: Timestamp) -> Result<(), Problem> {
        let own = self.own.wait(app.store.count(&self.own).await?, now);
        let address = self.from_address.wait_if_full(found.attempts(&self.from_address), now).filter(|_| self.known.is_none());
        own.or(address).map_or(Ok(()), |wait| Err(Problem::too_many(wait)))
    }

    /// How long to wait where the account was guessed at too often from everywhere.
    fn besieged(&self, found: &Found, now: Timestamp) -> Option<i64> {
        self.everywhere.wait_if_full(found.attempts(&self.everywhere), now).filter(|_| self.known.is_none())
    }

    /// The password was wrong. The first guess too many is told: to the shop, and to the owner of the account with a link
    /// that lets them in. It is owed for every address, known or not.
    async fn failed(&self, app: &App, audience: Audience, email: &Email, now: Timestamp) -> Result<(), Problem> {
        if self.known.is_some() {
            return Ok(());
        }
        app.store.count(&self.from_address).await?;
        let count = app.store.count(&self.everywhere).await?;
        if count == everywhere(audience).attempts {
            Metric::AccountsBesieged.one();
            let mail = OutboxItem::new(Work::MailLink { audience, purpose: LinkPurpose::ResetPassword, email: email.clone() }, now);
            app.store.append(&mail).await?;
            app.queues.hand_on(&[mail]).await;
        }
        Ok(())
    }
}

const fn everywhere(audience: Audience) -> Limit {
    match audience {
        Audience::Admin => STAFF_EVERYWHERE,
        Audience::Customer | Audience::Affiliate => OTHERS_EVERYWHERE,
    }
}

/// Whether somebody shows more than a password: a mailed link of just now, or a code of the authenticator app.
async fn is_vouched(app: &App, audience: Audience, login: Option<&Login>, code: Option<&str>, now: Timestamp) -> Result<bool, Problem> {
    let Some(login) = login else { return Ok(false) };
    if login.vouched_until.is_some_and(|until| until > now) {
        return Ok(true);
    }
    match (AdminId::parse(&login.account).filter(|_| audience == Audience::Admin), code) {
        (Some(id), Some(code)) => second_factor::is_shown(app, id, code).await,
        _ => Ok(false),
    }
}

/// Checks the password, and the second factor where there is one, and opens a session.
pub async fn login(app: &App, audience: Audience, email: &Email, shown: &Shown, address: &str, device: &str) -> Result<Tokens, Problem> {
    let now = app.clock.now();
    let who = format!("login#{}#{}", audience.as_str(), email.login_key());
    let (from_address, everywhere) = (PER_ADDRESS.window(&format!("login#{address}"), now), everywhere(audience).window(&who, now));
    let login_key = keys::login(audience, email);
    let mut found = app.store.get_many([login_key.clone(), keys::settings(), from_address.key(), everywhere.key()]).await?;
    let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
    let read = found.take::<Login>(&login_key)?;
    let device_shown = shown.device.as_deref().and_then(|token| app.verifier.device(token, audience, now));
    let known = device_shown.filter(|d| read.as_ref().is_some_and(|l| l.value.account == d.account));
    // The account's window is counted for each address, so that a stranger cannot lock its owner out.
    let own = PER_ACCOUNT.window(&known.as_ref().map_or_else(|| format!("{who}#{address}"), |d| format!("{who}#{}", d.id)), now);
    let guesses = Guesses { from_address, everywhere, own, known };
    guesses.count(app, &found, now).await?;
    if let Some(wait) = guesses.besieged(&found, now)
        && !is_vouched(app, audience, read.as_ref().map(|l| &l.value), shown.code.as_deref(), now).await?
    {
        let how = "this account is being guessed at: use a device that logged in before, a code, or a link that sets a new password";
        return Err(Problem::too_many(wait).detail(how));
    }
    let typed = &shown.password;
    let right = password::verify(typed, read.as_ref().map(|l| l.value.password_hash.as_str()))?;
    let (true, Some(read)) = (right, read) else {
        guesses.failed(app, audience, email, now).await?;
        return Err(Problem::new(Code::WrongCredentials));
    };
    if password::is_outdated(&read.value.password_hash) {
        // Lost to another login that does the same: the next one finds it done.
        let renewed = Login { password_hash: password::hash(typed, &app.entropy)?, ..read.value.clone() };
        app.store.save(&read, &renewed).await?;
    }
    let login = read.value;
    let role = match AdminId::parse(&login.account).filter(|_| audience == Audience::Admin) {
        Some(id) => {
            let role = second_factor::show(app, id, shown.code.as_deref(), guesses.known.as_ref()).await?.role;
            let by = Reviewer { admin: id, address: address.parse().ok() };
            app.store.append(&audit::entry(app, by, "staff.login", role.as_str(), "", "")).await?;
            Some(role)
        }
        None => None,
    };
    let known_as =
        Device { account: login.account.clone(), id: guesses.known.as_ref().map_or_else(|| SessionId::fresh(now, &app.entropy), |d| d.id) };
    let cookie = app.issuer()?.issue_device(audience, &known_as, now, DEVICE_SECONDS).map_err(Problem::internal)?;
    let tokens = open(app, audience, login.account, role, device, &settings).await?;
    if let Err(error) = app.store.forgive(&guesses.own).await {
        // Counted as a guess until the window is over: no reason to refuse the login.
        tracing::warn!(%error, "a login stays counted");
    }
    Ok(Tokens { device: Some((cookie, DEVICE_SECONDS)), ..tokens })
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
        expires_at: audience.session_end(now, now, settings),
    };
    app.store.append(&session).await?;
    tokens(app, &session, refresh, settings)
}

fn tokens(app: &App, session: &Session, refresh: RefreshToken, settings: &Settings) -> Result<Tokens, Problem> {
    let caller = Caller { account: session.account.clone(), session: session.id, role: session.role };
    let (now, expires_in) = (app.clock.now(), settings.access_seconds());
    let access_token = app.issuer()?.issue(session.audience, &caller, now, expires_in).map_err(Problem::internal)?;
    let refresh_seconds = session.expires_at.since(now);
    Ok(Tokens { access_token, token_type: "Bearer", expires_in, refresh, refresh_seconds, device: None })
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
        expires_at: audience.session_end(session.created_at, now, &settings),
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
