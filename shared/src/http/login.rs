//! Login, refresh and logout over HTTP: the same for the three audiences.

use super::{Form, Peer, cookies};
use crate::{
    app::{
        App, Code, Problem,
        sessions::{self, REFRESH_SECONDS, Tokens},
    },
    domain::{contact::Email, identity::Audience, ids::SessionId},
    secrets::password::Password,
};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};

pub async fn log_in(app: &App, audience: Audience, peer: &Peer, mut form: Form) -> Result<Response, Problem> {
    let email = form.text("email", Email::parse);
    let password = form.text("password", Password::typed);
    form.checked()?;
    let (Some(email), Some(password)) = (email, password) else { return Err(form.problem()) };
    answer(app, audience, &sessions::login(app, audience, &email, &password, &peer.address, &peer.agent).await?)
}

/// The cookie is only taken from pages of ours.
pub async fn refresh(app: &App, audience: Audience, headers: &HeaderMap) -> Result<Response, Problem> {
    if let Some(origin) = headers.get(header::ORIGIN)
        && !origin.to_str().is_ok_and(|o| app.site.origins.iter().any(|allowed| allowed == o))
    {
        return Err(Problem::new(Code::NotAllowed));
    }
    let token = cookies::read_refresh(headers, audience).ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
    answer(app, audience, &sessions::refresh(app, audience, token).await?)
}

pub async fn log_out(app: &App, audience: Audience, account: &str, session: SessionId) -> Result<Response, Problem> {
    sessions::logout(app, account, session).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookies::clear_refresh(&app.site, audience) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn answer(app: &App, audience: Audience, tokens: &Tokens) -> Result<Response, Problem> {
    let cookie = cookies::set_refresh(&app.site, audience, &tokens.refresh.text(), REFRESH_SECONDS);
    let mut response = Json(tokens).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie.ok_or_else(|| Problem::internal("cookie"))?);
    Ok(response)
}
