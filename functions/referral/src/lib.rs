//! `/r/{code}`: logs the click, sets the cookie, redirects to the landing page. Never an error for a visitor.

use axum::{
    extract::{FromRef, Path, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use qutab::{
    app::{
        App, Problem,
        click::{self, Known, Visit},
    },
    domain::{
        affiliate::ReferralCode,
        click::{Campaign, landing_path},
    },
    http::{Access, Group, PageQuery, Peer, cookies},
};

#[derive(Debug, Clone)]
struct Referral {
    app: App,
    known: Known,
}

impl FromRef<Referral> for App {
    fn from_ref(state: &Referral) -> Self {
        state.app.clone()
    }
}

pub fn group(app: App) -> Group {
    Group::named("referral").get("/r/{code}", Access::Public, visit).build(Referral { app, known: Known::default() })
}

async fn visit(
    State(state): State<Referral>,
    peer: Peer,
    headers: HeaderMap,
    code: Result<Path<String>, PathRejection>,
    query: Result<PageQuery, Problem>,
) -> Response {
    let app = &state.app;
    // A query that cannot be read is no reason to turn a visitor away.
    let query = query.ok();
    let campaign = query.as_ref().map(|q| Campaign::of(q.filters())).unwrap_or_default();
    let landing = landing(&app.site.landing, query.as_ref().and_then(|q| q.filter("to")));
    let Some(code) = code.ok().and_then(|Path(c)| ReferralCode::parse(&c).ok()) else { return redirect(&landing) };
    let header = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).map(|v| v.get(..300).unwrap_or(v));
    let purpose = ["sec-purpose", "purpose", "x-moz"].into_iter().find_map(|name| header(HeaderName::from_static(name)));
    let seen = Visit { address: &peer.address, agent: &peer.agent, referrer: header(header::REFERER), purpose, campaign: campaign.clone() };
    let clicked = match click::click(app, &state.known, &code, &seen).await {
        Ok(clicked) => clicked,
        Err(problem) => {
            // A click that cannot be counted must not cost the visitor.
            tracing::error!(code = problem.code.as_str(), "click not logged");
            None
        }
    };
    let Some((clicked, key)) = clicked.zip(app.referrals.as_ref()) else { return redirect(&landing) };
    let token = key.sign(&clicked.proof);
    let mut response = redirect(&format!("{landing}?ref={token}{}", campaign.query()));
    if let Some(cookie) = cookies::set_referral(&app.site, &token, clicked.seconds) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The landing page, or another page of the same host.
fn landing(configured: &str, to: Option<&str>) -> String {
    let Some(path) = to.and_then(landing_path) else { return configured.to_owned() };
    let (scheme, rest) = configured.split_once("://").unwrap_or(("https", configured));
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// The landing page is ours by configuration: no part of the request chooses the host.
fn redirect(to: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(location) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
