//! Use cases, one verb each: read what is needed, let the domain decide, write under conditions, answer.

pub mod activity;
pub mod advance_order;
pub mod affiliates;
pub mod aggregate;
pub mod archive;
pub mod audit;
pub mod click;
pub mod coupons;
pub mod credentials;
pub mod documents;
pub mod find_orders;
pub mod holding;
pub mod jobs;
pub mod lap;
pub mod leads;
pub mod manual_refund;
pub mod mature;
pub mod metrics;
pub mod notices;
pub mod notify;
pub mod notify_by_phone;
pub mod order_books;
pub mod owed;
pub mod payment_link;
pub mod payouts;
pub mod place_order;
pub mod policy;
pub mod pricing;
pub mod problem;
pub mod products;
pub mod profile;
pub mod quote;
pub mod reconcile;
pub mod record_payment;
pub mod refund_order;
pub mod release_order;
pub mod rename_order;
pub mod review;
pub mod second_factor;
pub mod send_refund;
pub mod sessions;
pub mod shop_days;
pub mod signals;
pub mod staff;
pub mod statement;
pub mod trace;
pub mod transfers;
pub mod uploads;

use crate::{
    domain::time::{Clock, Entropy},
    events::Queues,
    files::Quarantine,
    gateway::Gateway,
    secrets::{
        cursor::CursorKey,
        referral::ReferralKeys,
        token::{Issuer, Verifier},
        vault::Vault,
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
    /// The shop itself, not a stage on which it is tried.
    pub production: bool,
}

#[derive(Debug, Clone)]
pub struct App {
    pub store: Store,
    pub queues: Queues,
    pub clock: Clock,
    pub entropy: Entropy,
    pub verifier: Verifier,
    pub issuer: Option<Issuer>,
    pub referrals: Option<ReferralKeys>,
    pub vault: Option<Vault>,
    /// Seals cursors: only functions that answer lists.
    pub cursors: Option<CursorKey>,
    pub marked: shop_days::Marked,
    /// How much of its work a run may do at once.
    pub share: lap::Share,
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

/// A function of the staff that handles orders: it also takes photos in.
#[derive(Debug, Clone)]
pub struct Counter {
    pub shop: Shop,
    pub quarantine: Quarantine,
}

impl FromRef<Counter> for Shop {
    fn from_ref(counter: &Counter) -> Self {
        counter.shop.clone()
    }
}

impl FromRef<Counter> for App {
    fn from_ref(counter: &Counter) -> Self {
        counter.shop.app.clone()
    }
}

impl FromRef<Shop> for App {
    fn from_ref(shop: &Shop) -> Self {
        shop.app.clone()
    }
}

/// Why a function cannot start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

impl App {
    /// The right to make tokens, which only the login functions have.
    pub fn issuer(&self) -> Result<&Issuer, Problem> {
        self.issuer.as_ref().ok_or_else(|| Problem::internal("this function has no signing key"))
    }

    /// The right to seal and open, which few functions have.
    pub fn vault(&self) -> Result<&Vault, Problem> {
        self.vault.as_ref().ok_or_else(|| Problem::internal("this function has no vault"))
    }
}
