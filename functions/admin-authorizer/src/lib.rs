//! Lets staff through to the admin routes: the token is valid, the session is there, the admin is active.
//! The role that it finds goes to the function, so that a change of role works at once.

use qutab::{
    app::{App, StartError},
    domain::identity::Audience,
    runtime::{clients::Wiring, system_clock},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;

/// A request authorizer's event (payload 2.0), as far as it is used.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    #[serde(default)]
    pub headers: HashMap<String, String>,
}

/// The simple response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    #[serde(rename = "isAuthorized")]
    pub is_authorized: bool,
    pub context: Value,
}

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.app(system_clock()), async |app: &App, request: Request| authorize(app, &request).await)
        .await
}

pub async fn authorize(app: &App, request: &Request) -> Result<Verdict, StartError> {
    let refused = Verdict { is_authorized: false, context: json!({}) };
    let header = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let token = header.and_then(|(_, v)| v.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, t)| t.trim());
    let now = app.clock.now();
    let Some(caller) = token.and_then(|t| app.verifier.verify(t, Audience::Admin, now)) else { return Ok(refused) };
    let (session, admin, settings) = app.store.admin_session(&caller.account, caller.session).await?;
    let live = session.is_some_and(|s| s.value.audience == Audience::Admin && s.value.expires_at > now);
    let Some(admin) = admin.filter(|a| live && a.value.active) else { return Ok(refused) };
    // Whoever still has to set up a second factor is let through to do so: the functions refuse the rest, and say why.
    let unproved = settings.second_factor_required && admin.value.asks_for_code().is_none();
    let context = json!({
        "admin": caller.account,
        "role": admin.value.role.as_str(),
        "session": caller.session.to_string(),
        "second_factor": if unproved { "missing" } else { "as_required" },
    });
    Ok(Verdict { is_authorized: true, context })
}
