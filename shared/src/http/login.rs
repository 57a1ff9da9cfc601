//! Login, refresh, logout, sessions and forgotten passwords over HTTP: the same for the three audiences.

use super::{Form, Peer, cookies};
use crate::{
    app::{
        App, Code, Problem, credentials,
        sessions::{self, Shown, Tokens},
    },
    domain::{
        contact::Email,
        identity::{Audience, LinkPurpose, Session},
        ids::SessionId,
    },
    secrets::password::Password,
};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

pub async fn log_in(app: &App, audience: Audience, peer: &Peer, headers: &HeaderMap, mut form: Form) -> Result<Response, Problem> {
    let email = form.text("email", Email::parse);
    let password = form.text("password", Password::typed);
    let code = form.maybe_text("code", |t| Ok(t.trim().to_owned()));
    form.checked()?;
    let (Some(email), Some(password)) = (email, password) else { return Err(form.problem()) };
    let device = cookies::read_device(&app.site, headers, audience).map(str::to_owned);
    let shown = Shown { password, code, device };
    answer(app, audience, &sessions::login(app, audience, &email, &shown, &peer.address, &peer.agent).await?)
}

/// The cookie is only taken from pages of ours.
pub async fn refresh(app: &App, audience: Audience, headers: &HeaderMap) -> Result<Response, Problem> {
    if let Some(origin) = headers.get(header::ORIGIN)
        && !origin.to_str().is_ok_and(|o| app.site.origins.iter().any(|allowed| allowed == o))
    {
        return Err(Problem::new(Code::NotAllowed));
    }
    let token = cookies::read_refresh(&app.site, headers, audience).ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
    answer(app, audience, &sessions::refresh(app, audience, token).await?)
}

pub async fn log_out(app: &App, audience: Audience, account: &str, session: SessionId) -> Result<Response, Problem> {
    sessions::logout(app, account, session).await?;
    Ok(logged_out(app, audience))
}

/// The answer to a logout: the refresh cookie goes.
pub fn logged_out(app: &App, audience: Audience) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookies::clear_refresh(&app.site, audience) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Mails a one-time link. The answer says nothing about whether the address has an account.
pub async fn mail_link(
    app: &App,
    audience: Audience,
    purpose: LinkPurpose,
    peer: &Peer,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let email = form.text("email", Email::parse);
    form.checked()?;
    let Some(email) = email else { return Err(form.problem()) };
    credentials::request_link(app, audience, purpose, email, &peer.address).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "status": "mailed_if_known" }))))
}

/// Sets the password by a mailed link: a forgotten one, or the first one of somebody who was invited.
pub async fn set_password_by_link(app: &App, audience: Audience, purpose: LinkPurpose, peer: &Peer, mut form: Form) -> Result<StatusCode, Problem> {
    let token = form.text("token", |t| Ok(t.to_owned()));
    let password = form.text("password", Password::parse);
    form.checked()?;
    let (Some(token), Some(password)) = (token, password) else { return Err(form.problem()) };
    credentials::set_password_by_link(app, audience, purpose, &token, &password, &peer.address).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The two passwords of a change.
pub fn passwords(form: &mut Form) -> Result<(Password, Password), Problem> {
    let (old, new) = (form.text("current_password", Password::typed), form.text("new_password", Password::parse));
    form.checked()?;
    old.zip(new).ok_or_else(|| form.problem())
}

/// The devices that are logged in.
pub async fn sessions(app: &App, account: &str, own: SessionId) -> Result<Json<Value>, Problem> {
    let now = app.clock.now();
    let all = app.store.sessions(account).await?;
    let live = all.iter().map(|s| &s.value).filter(|s| s.expires_at > now);
    let view = |s: &Session| json!({ "id": s.id, "device": s.device, "created_at": s.created_at, "used_at": s.used_at, "current": s.id == own });
    Ok(Json(json!({ "items": live.map(view).collect::<Vec<_>>(), "next_cursor": null })))
}

/// Ends one session of the caller's.
pub async fn end_session(app: &App, account: &str, session: &str) -> Result<StatusCode, Problem> {
    sessions::logout(app, account, own_session(app, account, session).await?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The session of that name, if it is one of the caller's.
pub async fn own_session(app: &App, account: &str, session: &str) -> Result<SessionId, Problem> {
    let missing = || Problem::new(Code::NotFound);
    let id = SessionId::parse(session).ok_or_else(missing)?;
    app.store.session(account, id).await?.map(|s| s.value.id).ok_or_else(missing)
}

fn answer(app: &App, audience: Audience, tokens: &Tokens) -> Result<Response, Problem> {
    let cookie = cookies::set_refresh(&app.site, audience, &tokens.refresh.text(), tokens.refresh_seconds);
    let mut response = Json(tokens).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie.ok_or_else(|| Problem::internal("cookie"))?);
    if let Some((token, seconds)) = &tokens.device {
        let cookie = cookies::set_device(&app.site, audience, token, *seconds);
        response.headers_mut().append(header::SET_COOKIE, cookie.ok_or_else(|| Problem::internal("cookie"))?);
    }
    Ok(response)
}
