//! Who is calling: extractors that answer 401 or 403 before a handler runs.

use crate::domain::{
    identity::Audience,
    ids::{AdminId, AffiliateId, CustomerId, OrderId, SessionId},
    order::Order,
    staff::{Permission, Role},
};
use crate::{
    app::{App, Code, Problem, sessions::OwnSession},
    secrets::token::Caller,
    store::{entity::Stored, keys},
};
use axum::extract::{FromRef, FromRequestParts};
use http::{header, request::Parts};
use lambda_http::request::RequestContext;
use std::net::IpAddr;

/// The client's address as the gateway saw it; a header that claims another is not believed.
#[derive(Debug, Clone)]
pub struct Peer {
    pub address: String,
    pub agent: String,
}

/// A customer with a valid access token. It outlives its session by some minutes: a route that reads or changes anything
/// takes an [`ActiveCustomer`], or hands [`CustomerToken::session`] to a use case that reads it with the rest.
#[derive(Debug, Clone, Copy)]
pub struct CustomerToken {
    pub id: CustomerId,
    pub session: SessionId,
}

impl CustomerToken {
    /// The caller's own order; somebody else's does not exist. Whether the session still lives is read with it.
    pub async fn order(self, app: &App, id: &str) -> Result<Stored<Order>, Problem> {
        let missing = || Problem::new(Code::NotFound);
        let id = OrderId::parse(id).ok_or_else(missing)?;
        let (order, session) = (keys::order(id), self.session());
        let mut found = app.store.get_many([order.clone(), session.key()]).await?;
        session.lives(&mut found, app.clock.now())?;
        found.take::<Order>(&order)?.filter(|o| o.value.customer == self.id).ok_or_else(missing)
    }

    /// The session that a use case looks at before it answers.
    pub fn session(self) -> OwnSession {
        OwnSession::of(self.id, self.session)
    }
}

/// A customer whose session is still there.
#[derive(Debug, Clone, Copy)]
pub struct ActiveCustomer(pub CustomerToken);

/// An affiliate with a valid access token.
#[derive(Debug, Clone, Copy)]
pub struct AffiliateToken {
    pub id: AffiliateId,
    pub session: SessionId,
}

/// An affiliate whose session is still there: for money and profile.
#[derive(Debug, Clone, Copy)]
pub struct ActiveAffiliate(pub AffiliateToken);

/// An admin whom the authorizer let pass, with the role that it found.
#[derive(Debug, Clone, Copy)]
pub struct AdminCaller {
    pub id: AdminId,
    pub role: Role,
    pub session: SessionId,
    pub address: Option<IpAddr>,
    /// Whether a second factor is required of them that they have not set up.
    pub unproved: bool,
}

impl From<AdminCaller> for crate::app::audit::Reviewer {
    fn from(caller: AdminCaller) -> Self {
        Self { admin: caller.id, address: caller.address }
    }
}

impl AdminCaller {
    pub fn may(self, right: Permission) -> Result<Self, Problem> {
        if self.unproved {
            return Err(Problem::new(Code::SecondFactorMissing));
        }
        if self.role.may(right) { Ok(self) } else { Err(Problem::new(Code::NotAllowed)) }
    }
}

pub fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn caller(parts: &Parts, app: &App, audience: Audience) -> Result<Caller, Problem> {
    let found = bearer(parts).and_then(|token| app.verifier.verify(token, audience, app.clock.now()));
    found.ok_or_else(|| Problem::new(Code::NotLoggedIn))
}

async fn still_active(app: &App, account: &str, session: SessionId) -> Result<(), Problem> {
    let found = app.store.session(account, session).await?;
    match found {
        Some(s) if s.value.expires_at > app.clock.now() => Ok(()),
        _ => Err(Problem::new(Code::NotLoggedIn)),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CustomerToken
where
    App: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = caller(parts, &App::from_ref(state), Audience::Customer)?;
        let id = CustomerId::parse(&caller.account).ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
        Ok(Self { id, session: caller.session })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ActiveCustomer
where
    App: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = CustomerToken::from_request_parts(parts, state).await?;
        still_active(&App::from_ref(state), &token.id.to_string(), token.session).await?;
        Ok(Self(token))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AffiliateToken
where
    App: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = caller(parts, &App::from_ref(state), Audience::Affiliate)?;
        let id = AffiliateId::parse(&caller.account).ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
        Ok(Self { id, session: caller.session })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ActiveAffiliate
where
    App: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = AffiliateToken::from_request_parts(parts, state).await?;
        still_active(&App::from_ref(state), &token.id.to_string(), token.session).await?;
        Ok(Self(token))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AdminCaller
where
    App: FromRef<S>,
{
    type Rejection = Problem;

    /// The token is checked here again; the role comes from the authorizer, which has just read it from the table.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refused = || Problem::new(Code::NotLoggedIn);
        let caller = caller(parts, &App::from_ref(state), Audience::Admin)?;
        let Some(RequestContext::ApiGatewayV2(context)) = parts.extensions.get::<RequestContext>() else { return Err(refused()) };
        let said = context.authorizer.as_ref().ok_or_else(refused)?;
        let text = |name: &str| said.fields.get(name).and_then(|v| v.as_str());
        if text("admin") != Some(caller.account.as_str()) {
            return Err(refused());
        }
        let role = text("role").and_then(|r| Role::parse(r).ok()).ok_or_else(refused)?;
        let id = AdminId::parse(&caller.account).ok_or_else(refused)?;
        let address = context.http.source_ip.as_deref().and_then(|a| a.parse().ok());
        // Said by the authorizer in so many words; a context without the word is not ours.
        let unproved = text("second_factor") != Some("as_required");
        Ok(Self { id, role, session: caller.session, address, unproved })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let address = match parts.extensions.get::<RequestContext>() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone(),
            _ => None,
        };
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        Ok(Self { address: address.unwrap_or_else(|| "unknown".into()), agent: agent.chars().take(200).collect() })
    }
}
