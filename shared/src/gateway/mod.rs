//! The payment gateway, in the invoice dialect: create, read, find, expire, refund; and its payouts, where they are switched on.
//!
//! Routes and settings call it `zendit`; the dialect is Xendit's Invoice API (the README says why).

mod wire;

use crate::{
    domain::{
        contact::{Email, Phone},
        ids::PayoutId,
        order::Order,
        payment::{Attempt, ExternalId},
        payout::Payout,
        refund::Refund,
        text::PersonName,
        time::Timestamp,
        verdict::LookUp,
    },
    https,
};
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use data_encoding::BASE64;
use std::time::Duration;
pub use wire::{Invoice, InvoiceStatus, PayoutAnswer, PayoutState, RefundAnswer, RefundState};

/// Why the gateway gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Nothing, or nothing sensible, came back in time: the request may or may not have taken effect.
    #[error("the payment gateway did not answer: {0}")]
    Unavailable(String),
    /// It takes no more requests for so long. Nobody waits for it who has only one try: a customer at the checkout, say.
    #[error("the payment gateway is busy for {0:?}")]
    Busy(Duration),
    /// It understood and said no.
    #[error("the payment gateway refused: {code} ({status})")]
    Refused { status: u16, code: String },
}

/// Refusals that say that this rail can never send this money back. Every other one may pass.
const REFUND_IMPOSSIBLE: &[&str] = &[
    "REFUND_NOT_SUPPORTED",
    "FULL_REFUND_NOT_SUPPORTED",
    "PARTIAL_REFUND_NOT_SUPPORTED",
    "REFUND_AMOUNT_NOT_SUPPORTED",
    "INELIGIBLE_TRANSACTION",
    "MAXIMUM_REFUND_AMOUNT_REACHED",
    "REFUND_PERIOD_EXPIRED",
];

/// Refusals that say that this account can never be paid to this way.
const PAYOUT_IMPOSSIBLE: &[&str] = &["CHANNEL_CODE_NOT_SUPPORTED", "INVALID_DESTINATION", "AMOUNT_LIMITS_ERROR", "API_VALIDATION_ERROR"];

impl GatewayError {
    /// It understood and said no; a later try may succeed.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Nothing was transferred, and no later try can succeed.
    pub fn rules_payout_out(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if PAYOUT_IMPOSSIBLE.contains(&code.as_str()))
    }

    /// A person has to transfer it: no later try can succeed.
    pub fn rules_refund_out(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if REFUND_IMPOSSIBLE.contains(&code.as_str()))
    }
}

/// Tries for requests that may be repeated, and the longest wait that a 429 may ask for.
const TRIES: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct Gateway {
    wire: SharedHttpConnector,
    sleep: SharedAsyncSleep,
    base: String,
    authorization: String,
    shop: String,
}

/// Who pays, as the gateway is told.
#[derive(Debug, Clone)]
pub struct Payer<'a> {
    pub name: &'a PersonName,
    pub email: &'a Email,
    pub phone: &'a Phone,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Gateway {
    /// `shop` is the address of the shop's pages, to which the hosted payment page returns.
    pub fn new(wire: SharedHttpConnector, sleep: SharedAsyncSleep, base: &str, secret: &str, shop: &str) -> Self {
        let authorization = format!("Basic {}", BASE64.encode(format!("{secret}:").as_bytes()));
        Self { wire, sleep, base: base.trim_end_matches('/').into(), authorization, shop: shop.trim_end_matches('/').into() }
    }

    /// Creates the invoice of an attempt. Not repeated here: after [`GatewayError::Unavailable`] look for it first.
    pub async fn create(&self, attempt: &Attempt, order: &Order, payer: &Payer<'_>, seconds_left: i64) -> Result<Invoice, GatewayError> {
        let body = wire::create_invoice(attempt, order, payer, seconds_left, &self.shop);
        let answer = self.send("POST", "/v2/invoices", Some(&body), None).await?;
        wire::invoice(&answer)
    }

    /// The invoice, or nothing if the gateway knows none by that id.
    pub async fn read(&self, invoice: &str) -> Result<Option<Invoice>, GatewayError> {
        match self.repeat("GET", &format!("/v2/invoices/{}", wire::path_segment(invoice)), None, None).await {
            Ok(answer) => wire::invoice(&answer).map(Some),
            Err(GatewayError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The invoices that were created under an attempt's name: usually none or one, two after a race.
    pub async fn find(&self, external: ExternalId) -> Result<Vec<Invoice>, GatewayError> {
        let answer = self.repeat("GET", &format!("/v2/invoices?external_id={external}"), None, None).await?;
        wire::invoices(&answer)
    }

    /// Ends an unpaid invoice. The answer tells whether it was already paid.
    pub async fn expire(&self, invoice: &str) -> Result<Invoice, GatewayError> {
        match self.repeat("POST", &format!("/invoices/{}/expire!", wire::path_segment(invoice)), None, None).await {
            Ok(answer) => wire::invoice(&answer),
            // Paid or expired meanwhile: it cannot be expired any more, so its state is asked for.
            Err(GatewayError::Refused { status, code }) => match self.read(invoice).await? {
                Some(invoice) if invoice.status != InvoiceStatus::Pending => Ok(invoice),
                _ => Err(GatewayError::Refused { status, code }),
            },
            Err(error) => Err(error),
        }
    }

    /// Sends money back. Repeatable: the refund's id is the idempotency key.
    pub async fn refund(&self, refund: &Refund) -> Result<RefundAnswer, GatewayError> {
        let body = wire::create_refund(refund);
        let answer = self.repeat("POST", "/refunds", Some(&body), Some(&refund.id.to_string())).await?;
        wire::refund(&answer)
    }

    /// Asks, at `now`, which refund the gateway has under our name for it.
    pub async fn look_up_refund(&self, refund: &Refund, now: Timestamp) -> Result<LookUp<RefundAnswer>, GatewayError> {
        let path = format!("/refunds?invoice_id={}&limit=100", wire::path_segment(&refund.invoice));
        let list = wire::refunds(&self.repeat("GET", &path, None, None).await?)?;
        let own = list.into_iter().filter(|r| r.reference == Some((refund.order, refund.id))).collect();
        let rank = |r: &RefundAnswer| match r.state {
            RefundState::Succeeded => 0,
            RefundState::Pending | RefundState::Unknown => 1,
            RefundState::Failed => 2,
        };
        Ok(LookUp::answered(own, rank, |r| r.state != RefundState::Failed, now))
    }

    pub async fn read_refund(&self, id: &str) -> Result<Option<RefundAnswer>, GatewayError> {
        match self.repeat("GET", &format!("/refunds/{}", wire::path_segment(id)), None, None).await {
            Ok(answer) => wire::refund(&answer).map(Some),
            Err(GatewayError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Transfers a payout. Repeatable: the payout's id is the idempotency key.
    pub async fn pay_out(&self, payout: &Payout) -> Result<PayoutAnswer, GatewayError> {
        let unknown = || GatewayError::Refused { status: 400, code: "CHANNEL_CODE_NOT_SUPPORTED".into() };
        let body = wire::create_payout(payout, wire::channel(&payout.account.bank_code).ok_or_else(unknown)?);
        let answer = self.repeat("POST", "/v2/payouts", Some(&body), Some(&payout.id.to_string())).await?;
        wire::payout(&answer)
    }

    /// Asks, at `now`, which transfer the gateway has under our name for it.
    pub async fn look_up_payout(&self, id: PayoutId, now: Timestamp) -> Result<LookUp<PayoutAnswer>, GatewayError> {
        let list = wire::payouts(&self.repeat("GET", &format!("/v2/payouts?reference_id={id}"), None, None).await?)?;
        let own = list.into_iter().filter(|p| p.payout == Some(id)).collect();
        let rank = |p: &PayoutAnswer| match p.state {
            PayoutState::Succeeded => 0,
            PayoutState::UnderWay => 1,
            PayoutState::Reversed => 2,
            PayoutState::Failed => 3,
        };
        Ok(LookUp::answered(own, rank, |p| matches!(p.state, PayoutState::Succeeded | PayoutState::UnderWay), now))
    }

    pub async fn read_payout(&self, id: &str) -> Result<Option<PayoutAnswer>, GatewayError> {
        match self.repeat("GET", &format!("/v2/payouts/{}", wire::path_segment(id)), None, None).await {
            Ok(answer) => wire::payout(&answer).map(Some),
            Err(GatewayError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn repeat(&self, method: &str, path: &str, body: Option<&str>, key: Option<&str>) -> Result<Vec<u8>, GatewayError> {
        let mut tries = 1;
        loop {
            let wait = match self.send(method, path, body, key).await {
                Err(error @ (GatewayError::Unavailable(_) | GatewayError::Busy(_))) if tries == TRIES => return Err(error),
                Err(GatewayError::Busy(wait)) => wait,
                Err(GatewayError::Unavailable(_)) => Duration::from_millis(200 << tries),
                answer => return answer,
            };
            tries += 1;
            self.sleep.sleep(wait).await;
        }
    }

    async fn send(&self, method: &str, path: &str, body: Option<&str>, key: Option<&str>) -> Result<Vec<u8>, GatewayError> {
        let unavailable = |why: &str| GatewayError::Unavailable(why.into());
        let mut headers = vec![("authorization", self.authorization.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let answer = https::send(&self.wire, method, format!("{}{path}", self.base), &headers, body).await.map_err(|e| unavailable(e.0))?;
        match answer.status {
            200..=299 => Ok(answer.body),
            429 => Err(GatewayError::Busy(answer.wait.map_or(LONGEST_WAIT, Duration::from_secs).min(LONGEST_WAIT))),
            500..=599 => Err(unavailable("server error")),
            status => Err(GatewayError::Refused { status, code: wire::error_code(&answer.body) }),
        }
    }
}
