//! Use cases, one verb each: read what is needed, let the domain decide, write under conditions, answer.

pub mod advance_order;
pub mod affiliates;
pub mod aggregate;
pub mod click;
pub mod credentials;
pub mod mature;
pub mod notify;
pub mod owed;
pub mod payment_link;
pub mod payouts;
pub mod place_order;
pub mod problem;
pub mod profile;
pub mod quote;
pub mod reconcile;
pub mod record_payment;
pub mod refund_order;
pub mod release_order;
pub mod rename_order;
pub mod send_refund;
pub mod sessions;

use crate::{
    domain::time::{Clock, Entropy},
    events::Queues,
    gateway::Gateway,
    runtime::{
        clients::Wiring,
        config::{Environment, name},
    },
    secrets::{
        referral::ReferralKey,
        token::{Issuer, Verifier},
    },
    store::Store,
};
use axum::extract::FromRef;
pub use problem::{Code, FieldError, Problem};

/// Addresses and domains of this deployment.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where visitors of `/r/{code}` land.
    pub landing: String,
    pub api: String,
    /// Where pictures are delivered from.
    pub media: String,
    /// The shop's registrable domain; none on one's own machine.
    pub cookie_domain: Option<String>,
    pub origins: Vec<String>,
    pub local: bool,
}

#[derive(Debug, Clone)]
pub struct App {
    pub store: Store,
    pub queues: Queues,
    pub clock: Clock,
    pub entropy: Entropy,
    pub verifier: Verifier,
    issuer: Option<Issuer>,
    pub referrals: Option<ReferralKey>,
    pub site: Site,
}

/// How often a decision is made again because somebody else wrote in between.
pub(crate) const ROUNDS: u32 = 8;

/// A function that also talks to the payment gateway.
#[derive(Debug, Clone)]
pub struct Shop {
    pub app: App,
    pub gateway: Gateway,
}

impl FromRef<Shop> for App {
    fn from_ref(shop: &Shop) -> Self {
        shop.app.clone()
    }
}

/// Why a function cannot start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

impl App {
    pub fn build(wiring: &Wiring, clock: Clock) -> Result<Self, StartError> {
        let environment = &wiring.environment;
        Ok(Self {
            store: wiring.store()?,
            queues: wiring.queues()?,
            clock,
            entropy: wiring.entropy.clone(),
            verifier: Verifier::parse(&environment.list(name::TOKEN_PUBLIC_KEYS))?,
            issuer: environment.get(name::TOKEN_SIGNING_KEY).map(Issuer::parse).transpose()?,
            referrals: environment.get(name::REFERRAL_KEY).map(ReferralKey::parse).transpose()?,
            site: Site::of(environment),
        })
    }

    /// The right to make tokens, which only the login functions have.
    pub fn issuer(&self) -> Result<&Issuer, Problem> {
        self.issuer.as_ref().ok_or_else(|| Problem::internal("this function has no signing key"))
    }
}

impl Shop {
    pub fn build(wiring: &Wiring, clock: Clock) -> Result<Self, StartError> {
        Ok(Self { app: App::build(wiring, clock)?, gateway: wiring.gateway()? })
    }
}

impl Site {
    fn of(environment: &Environment) -> Self {
        let text = |name: &str| environment.get(name).unwrap_or_default().trim_end_matches('/').to_owned();
        Self {
            landing: text(name::LANDING_URL),
            api: text(name::API_URL),
            media: text(name::MEDIA_URL),
            cookie_domain: environment.get(name::COOKIE_DOMAIN).map(str::to_owned),
            origins: environment.list(name::ALLOWED_ORIGINS),
            local: environment.is_local(),
        }
    }
}
