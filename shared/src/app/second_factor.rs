//! The second factor of staff: enrolled, proved, asked for at login, given up.

use super::{
    App, Code, Problem, ROUNDS,
    audit::{self, Reviewer},
    credentials,
};
use crate::{
    domain::{
        Wrong,
        identity::Audience,
        ids::AdminId,
        staff::{Admin, SecondFactor},
        time::Timestamp,
    },
    secrets::{
        password::Password,
        token::Device,
        totp::{TotpSecret, recovery_codes, recovery_hash},
    },
    store::{
        entity::Stored,
        throttle::Limit,
        transaction::{Commit, Transaction},
    },
};

const GUESSES: Limit = Limit { attempts: 10, seconds: 900 };

fn place(id: AdminId) -> String {
    format!("totp/{id}")
}

fn secret(app: &App, admin: &Admin, factor: &SecondFactor) -> Result<TotpSecret, Problem> {
    let sealed = data_encoding::BASE64.decode(factor.sealed_secret.as_bytes()).map_err(Problem::internal)?;
    Ok(TotpSecret::of(app.vault()?.open(&place(admin.id), &sealed).map_err(Problem::internal)?))
}

async fn find(app: &App, id: AdminId) -> Result<Stored<Admin>, Problem> {
    app.store.admin(id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))
}

/// Draws a secret for an app. Nothing is asked for until a code of it was right.
pub async fn enrol(app: &App, by: Reviewer, password: &Password) -> Result<(TotpSecret, Admin), Problem> {
    let read = find(app, by.admin).await?;
    credentials::confirmed(app, Audience::Admin, &read.value.email, password).await?;
    if read.value.asks_for_code().is_some() {
        return Err(Problem::conflict("a second factor is in use; disable it first"));
    }
    let secret = TotpSecret::new(&app.entropy);
    let sealed = app.vault()?.seal(&place(by.admin), secret.bytes(), &app.entropy).map_err(Problem::internal)?;
    let factor = SecondFactor {
        sealed_secret: data_encoding::BASE64.encode(&sealed),
        confirmed_at: None,
        last_step: 0,
        recovery: Vec::new(),
        last_use: String::new(),
    };
    let admin = Admin { second_factor: Some(factor), ..read.value.clone() };
    save(app, by, &read, &admin, "second_factor.enrol").await?;
    Ok((secret, admin))
}

/// The app shows the right codes: from now on they are asked for. Answers with the recovery codes, once.
pub async fn confirm(app: &App, by: Reviewer, code: &str) -> Result<Vec<String>, Problem> {
    let now = app.clock.now();
    let read = find(app, by.admin).await?;
    let factor = read.value.second_factor.clone().ok_or_else(|| Problem::conflict("enrol a second factor first"))?;
    if factor.confirmed_at.is_some() {
        return Err(Problem::conflict("the second factor is in use already"));
    }
    guess(app, by.admin, None).await?;
    let step = secret(app, &read.value, &factor)?.step_of(code, now).ok_or_else(wrong_code)?;
    let codes = recovery_codes(&app.entropy);
    let recovery = codes.iter().map(|c| recovery_hash(c)).collect();
    let factor = SecondFactor { confirmed_at: Some(now), last_step: step, recovery, ..factor };
    let admin = Admin { second_factor: Some(factor), ..read.value.clone() };
    save(app, by, &read, &admin, "second_factor.confirm").await?;
    Ok(codes)
}

/// Gives the second factor up: with the password, and a code where one is asked for.
pub async fn disable(app: &App, by: Reviewer, password: &Password, code: Option<&str>) -> Result<(), Problem> {
    let read = find(app, by.admin).await?;
    credentials::confirmed(app, Audience::Admin, &read.value.email, password).await?;
    if read.value.asks_for_code().is_some() && used(app, &read.value, code.unwrap_or_default(), app.clock.now())?.is_none() {
        return Err(wrong_code());
    }
    let admin = Admin { second_factor: None, ..read.value.clone() };
    save(app, by, &read, &admin, "second_factor.disable").await
}

fn wrong_code() -> Problem {
    Problem::field("code", Wrong::new("wrong_code", "is not a code of now"))
}

async fn save(app: &App, by: Reviewer, read: &Stored<Admin>, admin: &Admin, action: &str) -> Result<(), Problem> {
    let mut tx = Transaction::new();
    tx.save(read, admin, ()).create(&audit::entry(app, by, action, &admin.id.to_string(), "", ""), ());
    match app.store.commit(tx).await? {
        Commit::Done => Ok(()),
        Commit::Lost(_) => Err(Problem::conflict("somebody else has just changed this; look again")),
    }
}

/// Codes are short: from wherever they come, few are tried. Only who knows the password gets so far; a device that logged
/// in before has a window of its own, so that a thief of the password does not shut its owner out.
async fn guess(app: &App, id: AdminId, known: Option<&Device>) -> Result<(), Problem> {
    let what = known.map_or_else(|| format!("totp#{id}"), |device| format!("totp#{id}#{}", device.id));
    match app.store.throttle(&what, GUESSES, app.clock.now()).await? {
        Some(wait) => Err(Problem::too_many(wait)),
        None => Ok(()),
    }
}

/// Whether a code is one of now; it is not used up.
pub(super) async fn is_shown(app: &App, id: AdminId, code: &str) -> Result<bool, Problem> {
    let Some(admin) = app.store.admin(id).await?.filter(|a| a.value.active) else { return Ok(false) };
    if !is_recovery(&admin.value, code) {
        guess(app, id, None).await?;
    }
    Ok(used(app, &admin.value, code, app.clock.now())?.is_some())
}

/// A right recovery code is too long to be found by guessing, so no window shuts it out.
fn is_recovery(admin: &Admin, code: &str) -> bool {
    admin.asks_for_code().is_some_and(|factor| factor.recovery.contains(&recovery_hash(code)))
}

/// What a login shows besides the password. Each code and each recovery code works once.
pub(super) async fn show(app: &App, id: AdminId, code: Option<&str>, known: Option<&Device>) -> Result<Admin, Problem> {
    for round in 0..ROUNDS {
        let refused = || Problem::new(Code::WrongCredentials);
        let read = app.store.admin(id).await?.filter(|a| a.value.active).ok_or_else(refused)?;
        if read.value.asks_for_code().is_none() {
            return Ok(read.value);
        }
        let code = code.ok_or_else(|| Problem::new(Code::SecondFactorRequired))?;
        if round == 0 && !is_recovery(&read.value, code) {
            guess(app, id, known).await?;
        }
        let after = used(app, &read.value, code, app.clock.now())?.ok_or_else(|| Problem::new(Code::SecondFactorWrong))?;
        if let Commit::Done = app.store.save(&read, &after).await? {
            return Ok(after);
        }
        // A lost answer that the SDK repeated looks like this too. The name of the use tells it from another login that
        // showed the same code at the same moment.
        if app.store.read_back(&after).await?.is_some_and(|stored| stored.value == after) {
            return Ok(after);
        }
    }
    Err(Problem::unavailable("the login kept colliding"))
}

/// The admin after a code was used; nothing if it is not good.
fn used(app: &App, admin: &Admin, code: &str, now: Timestamp) -> Result<Option<Admin>, Problem> {
    let Some(factor) = admin.asks_for_code() else { return Ok(None) };
    let hash = recovery_hash(code);
    let last_use = data_encoding::BASE64URL_NOPAD.encode(&app.entropy.bytes::<12>());
    let after = if factor.recovery.contains(&hash) {
        SecondFactor { recovery: factor.recovery.iter().filter(|h| **h != hash).cloned().collect(), last_use, ..factor.clone() }
    } else {
        match secret(app, admin, factor)?.step_of(code, now).filter(|step| *step > factor.last_step) {
            Some(last_step) => SecondFactor { last_step, last_use, ..factor.clone() },
            None => return Ok(None),
        }
    };
    Ok(Some(Admin { second_factor: Some(after), ..admin.clone() }))
}
