//! The JSON of the invoice dialect.

use super::{GatewayError, Payer};
use crate::domain::{
    ids::{OrderId, PayoutId, RefundId},
    money::Rupiah,
    order::Order,
    payment::{Attempt, ExternalId, Paid, PaymentMethod},
    payout::Payout,
    refund::Refund,
    time::Timestamp,
};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceStatus {
    Pending,
    /// Also SETTLED: the money is the shop's either way.
    Paid,
    Expired,
    /// A status that this code does not know yet. Nothing is decided on it.
    Unknown,
}

/// An invoice as the gateway reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub id: String,
    pub external_id: String,
    pub status: InvoiceStatus,
    pub amount: Rupiah,
    pub currency: String,
    pub url: String,
    paid_amount: Option<Rupiah>,
    paid_at: Option<Timestamp>,
    method: Option<PaymentMethod>,
}

impl Invoice {
    /// How it was paid; `now` stands in where the gateway does not say when.
    pub fn paid(&self, attempt: u32, now: Timestamp) -> Option<Paid> {
        (self.status == InvoiceStatus::Paid).then(|| Paid {
            invoice: self.id.clone(),
            attempt,
            amount: self.paid_amount.unwrap_or(self.amount),
            at: self.paid_at.unwrap_or(now).min(now),
            method: self.method,
        })
    }

    pub fn external(&self) -> Option<ExternalId> {
        ExternalId::parse(&self.external_id)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayoutState {
    /// Taken, or a word that is not known here.
    UnderWay,
    Succeeded,
    Failed,
    /// The bank sent it back after it had succeeded.
    Reversed,
}

#[derive(Debug, Clone)]
pub struct PayoutAnswer {
    pub id: String,
    pub state: PayoutState,
    /// Ours, under the name that we gave it.
    pub payout: Option<PayoutId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    Pending,
    Succeeded,
    Failed,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundAnswer {
    pub id: String,
    pub state: RefundState,
    /// Whose refund it is, if it is one of ours.
    pub reference: Option<(OrderId, RefundId)>,
}

#[derive(Deserialize)]
struct InvoiceJson {
    id: String,
    external_id: String,
    status: String,
    #[serde(deserialize_with = "whole")]
    amount: i64,
    #[serde(default = "rupiah")]
    currency: String,
    #[serde(default)]
    invoice_url: String,
    #[serde(default, deserialize_with = "maybe_whole")]
    paid_amount: Option<i64>,
    paid_at: Option<String>,
    payment_method: Option<String>,
}

fn rupiah() -> String {
    "IDR".into()
}

/// An amount without a fraction, however the gateway writes it: `3250000` or `3250000.0`.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(from)?;
    let text = number.to_string();
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    digits.parse().map_err(|_| D::Error::custom("not a whole amount"))
}

fn maybe_whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Whole(#[serde(deserialize_with = "whole")] i64);
    Ok(Option::<Whole>::deserialize(from)?.map(|w| w.0))
}

#[derive(Deserialize)]
struct RefundJson {
    id: String,
    status: String,
    reference_id: Option<String>,
}

impl From<InvoiceJson> for Invoice {
    fn from(json: InvoiceJson) -> Self {
        Self {
            id: json.id,
            external_id: json.external_id,
            status: match json.status.as_str() {
                "PENDING" => InvoiceStatus::Pending,
                "PAID" | "SETTLED" => InvoiceStatus::Paid,
                "EXPIRED" => InvoiceStatus::Expired,
                _ => InvoiceStatus::Unknown,
            },
            amount: Rupiah::new(json.amount),
            currency: json.currency,
            url: json.invoice_url,
            paid_amount: json.paid_amount.map(Rupiah::new),
            paid_at: json.paid_at.as_deref().and_then(Timestamp::parse),
            method: json.payment_method.as_deref().map(PaymentMethod::of_gateway),
        }
    }
}

pub(super) fn create_invoice(attempt: &Attempt, order: &Order, payer: &Payer<'_>, seconds_left: i64, shop: &str) -> String {
    let items: Vec<_> = order
        .lines
        .iter()
        .map(|line| json!({ "name": line.name, "quantity": line.quantity, "price": line.unit_price, "category": "qurban" }))
        .collect();
    json!({
        "external_id": attempt.external_id().to_string(),
        "amount": attempt.amount,
        "currency": "IDR",
        "payer_email": payer.email,
        "description": format!("Qurban {}", order.number),
        "invoice_duration": seconds_left,
        "customer": { "given_names": payer.name, "email": payer.email, "mobile_number": payer.phone },
        "success_redirect_url": format!("{shop}/orders/{}?paid=1", order.id),
        "failure_redirect_url": format!("{shop}/orders/{}", order.id),
        "locale": "id",
        "items": items,
        "metadata": { "order_number": order.number },
    })
    .to_string()
}

pub(super) fn create_refund(refund: &Refund) -> String {
    json!({ "invoice_id": refund.invoice, "amount": refund.amount, "currency": "IDR", "reason": refund.reason.as_str(), "reference_id": refund.name_at_gateway() }).to_string()
}

pub(super) fn create_payout(payout: &Payout, channel: &str) -> String {
    json!({
        "reference_id": payout.id,
        "channel_code": channel,
        "channel_properties": { "account_number": payout.account.number, "account_holder_name": payout.account.holder },
        "amount": payout.net,
        "currency": "IDR",
        "description": "Komisi afiliasi Qutab",
    })
    .to_string()
}

/// The gateway's names of the banks, by their codes.
const CHANNELS: &[(&str, &str)] = &[
    ("014", "ID_BCA"),
    ("008", "ID_MANDIRI"),
    ("009", "ID_BNI"),
    ("002", "ID_BRI"),
    ("451", "ID_BSI"),
    ("200", "ID_BTN"),
    ("022", "ID_CIMB"),
    ("013", "ID_PERMATA"),
    ("011", "ID_DANAMON"),
    ("016", "ID_MAYBANK"),
    ("028", "ID_OCBC"),
    ("019", "ID_PANIN"),
    ("426", "ID_MEGA"),
    ("147", "ID_MUAMALAT"),
    ("153", "ID_SINARMAS"),
    ("213", "ID_BTPN"),
];

pub(super) fn channel(bank_code: &str) -> Option<&'static str> {
    CHANNELS.iter().find(|(code, _)| *code == bank_code).map(|(_, channel)| *channel)
}

#[derive(Deserialize)]
struct PayoutJson {
    id: String,
    reference_id: String,
    status: String,
}

impl From<PayoutJson> for PayoutAnswer {
    fn from(json: PayoutJson) -> Self {
        let state = match json.status.as_str() {
            "SUCCEEDED" => PayoutState::Succeeded,
            "FAILED" | "CANCELLED" => PayoutState::Failed,
            "REVERSED" => PayoutState::Reversed,
            _ => PayoutState::UnderWay,
        };
        Self { id: json.id, state, payout: PayoutId::parse(&json.reference_id) }
    }
}

/// A list bare, or with its pages around it: the gateway has both.
#[derive(Deserialize)]
#[serde(untagged)]
enum ListJson<T> {
    Bare(Vec<T>),
    Paged {
        data: Vec<T>,
        #[serde(default)]
        has_more: bool,
    },
}

fn list<T: serde::de::DeserializeOwned, A: From<T>>(answer: &[u8], what: &str) -> Result<Vec<A>, GatewayError> {
    let list = match serde_json::from_slice::<ListJson<T>>(answer) {
        Ok(ListJson::Bare(list) | ListJson::Paged { data: list, has_more: false }) => list,
        // What is not on this page may be on the next: nothing is concluded from a part.
        Ok(ListJson::Paged { has_more: true, .. }) => return Err(GatewayError::Unavailable(format!("more {what} than one page holds"))),
        Err(_) => return Err(GatewayError::Unavailable(format!("unreadable {what}"))),
    };
    Ok(list.into_iter().map(Into::into).collect())
}

pub(super) fn payout(answer: &[u8]) -> Result<PayoutAnswer, GatewayError> {
    serde_json::from_slice::<PayoutJson>(answer).map(Into::into).map_err(|_| GatewayError::Unavailable("unreadable payout".into()))
}

pub(super) fn payouts(answer: &[u8]) -> Result<Vec<PayoutAnswer>, GatewayError> {
    list::<PayoutJson, _>(answer, "payouts")
}

pub(super) fn invoice(answer: &[u8]) -> Result<Invoice, GatewayError> {
    serde_json::from_slice::<InvoiceJson>(answer).map(Into::into).map_err(|_| GatewayError::Unavailable("unreadable invoice".into()))
}

pub(super) fn invoices(answer: &[u8]) -> Result<Vec<Invoice>, GatewayError> {
    list::<InvoiceJson, _>(answer, "invoices")
}

impl From<RefundJson> for RefundAnswer {
    fn from(json: RefundJson) -> Self {
        let state = match json.status.as_str() {
            "PENDING" => RefundState::Pending,
            "SUCCEEDED" => RefundState::Succeeded,
            "FAILED" | "CANCELLED" => RefundState::Failed,
            _ => RefundState::Unknown,
        };
        Self { id: json.id, state, reference: json.reference_id.as_deref().and_then(Refund::parse_name) }
    }
}

pub(super) fn refund(answer: &[u8]) -> Result<RefundAnswer, GatewayError> {
    serde_json::from_slice::<RefundJson>(answer).map(Into::into).map_err(|_| GatewayError::Unavailable("unreadable refund".into()))
}

pub(super) fn refunds(answer: &[u8]) -> Result<Vec<RefundAnswer>, GatewayError> {
    list::<RefundJson, _>(answer, "refunds")
}

/// The gateway's `error_code`, or `unknown`.
pub(super) fn error_code(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct ErrorJson {
        error_code: String,
    }
    serde_json::from_slice::<ErrorJson>(body).map_or_else(|_| "unknown".into(), |e| e.error_code.chars().take(64).collect())
}

/// An id from outside as one segment of a path.
pub(super) fn path_segment(id: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    id.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
