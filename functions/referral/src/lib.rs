//! `/r/{code}`: logs the click, sets the cookie, redirects to the landing page. Never an error for a visitor.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use qutab::{
    app::{
        App,
        click::{self, Known, Visit},
    },
    domain::affiliate::ReferralCode,
    http::{Access, Group, Peer, cookies},
};

#[derive(Debug, Clone)]
struct Referral {
    app: App,
    known: Known,
}

pub fn group(app: App) -> Group {
    Group::named("referral").get("/r/{code}", Access::Public, visit).build(Referral { app, known: Known::default() })
}

async fn visit(State(state): State<Referral>, peer: Peer, headers: HeaderMap, code: Option<Path<String>>) -> Response {
    let app = &state.app;
    let landing = &app.site.landing;
    let Some(code) = code.and_then(|Path(c)| ReferralCode::parse(&c).ok()) else { return redirect(landing) };
    let referrer = headers.get(header::REFERER).and_then(|v| v.to_str().ok()).map(|v| v.chars().take(300).collect());
    let seen = Visit { address: &peer.address, agent: &peer.agent, referrer };
    let clicked = match click::click(app, &state.known, &code, &seen).await {
        Ok(clicked) => clicked,
        Err(problem) => {
            // A click that cannot be counted must not cost the visitor.
            tracing::error!(code = problem.code.as_str(), "click not logged");
            None
        }
    };
    let Some((clicked, key)) = clicked.zip(app.referrals.as_ref()) else { return redirect(landing) };
    let token = key.sign(&clicked.proof);
    let mut response = redirect(&format!("{landing}?ref={token}"));
    if let Some(cookie) = cookies::set_referral(&app.site, &token, clicked.seconds) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The landing page is ours by configuration: no part of the request chooses the host.
fn redirect(to: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(location) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
