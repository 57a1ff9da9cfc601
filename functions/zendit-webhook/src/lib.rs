//! Takes the gateway's notices: verify, enqueue, note, answer. All effects happen in the worker, which asks the gateway again.

use axum::{body::Bytes, extract::State};
use http::{HeaderMap, StatusCode};
use qutab::{
    app::{Code, Problem, StartError, metrics::Metric},
    domain::{
        ids::PayoutId,
        outbox::{Lane, NoticeAbout},
        payment::{ExternalId, Notice as Said},
        refund::Refund,
        time::{Clock, Entropy},
        verdict::Announced,
    },
    events::{Message, Queues},
    http::{Access, Group},
    runtime::{clients::Wiring, config::name, system_clock},
    secrets::refresh::same_secret,
    store::Store,
};
use serde::Deserialize;

/// Everything that this function can do: check a token, send to a queue, note what was said.
#[derive(Debug, Clone)]
pub struct Webhook {
    queues: Queues,
    store: Store,
    clock: Clock,
    entropy: Entropy,
    token: String,
}

impl Webhook {
    pub fn build(wiring: &Wiring, clock: Clock) -> Result<Self, StartError> {
        let token = wiring.environment.need(name::ZENDIT_WEBHOOK_TOKEN)?.to_owned();
        Ok(Self { queues: wiring.queues()?, store: wiring.store()?, clock, entropy: wiring.entropy.clone(), token })
    }
}

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::serve_with(|wiring: &Wiring| Webhook::build(wiring, system_clock()), group).await
}

pub fn group(webhook: Webhook) -> Group {
    Group::named("zendit-webhook").post("/webhooks/zendit", Access::Public, notice).build(webhook)
}

/// An invoice event is the flat invoice; the events of refunds and payouts wrap their data.
#[derive(Deserialize)]
struct Notice {
    event: Option<String>,
    id: Option<String>,
    status: Option<String>,
    external_id: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    id: Option<String>,
    /// Our name for a refund or a payout.
    reference_id: Option<String>,
}

/// The word of an event about a refund or a payout.
fn announced(event: &str) -> Option<(NoticeAbout, Announced)> {
    match event {
        "refund.succeeded" => Some((NoticeAbout::Refund, Announced::Succeeded)),
        "refund.failed" => Some((NoticeAbout::Refund, Announced::Failed)),
        "payout.succeeded" => Some((NoticeAbout::Payout, Announced::Succeeded)),
        "payout.failed" => Some((NoticeAbout::Payout, Announced::Failed)),
        "payout.reversed" => Some((NoticeAbout::Payout, Announced::Reversed)),
        _ => None,
    }
}

/// What the notice is to cause; nothing for one that means nothing here. A name that is there and none of ours marks it as
/// foreign: it need not be waited for where the gateway does not know it.
fn message(notice: &Notice) -> Option<Message> {
    let plain = |id: &&String| (1..=100).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let Some(event) = notice.event.as_deref() else {
        let invoice = notice.id.as_ref().filter(plain)?.clone();
        let foreign = notice.external_id.as_deref().is_some_and(|name| ExternalId::parse(name).is_none());
        return Some(Message::InvoiceNotice { invoice, paid: matches!(notice.status.as_deref(), Some("PAID" | "SETTLED")), foreign });
    };
    let (about, announced) = announced(event)?;
    let data = notice.data.as_ref()?;
    let gateway_id = data.id.as_ref().filter(plain)?.clone();
    let name = data.reference_id.as_deref();
    let (announced, foreign) = (Some(announced), |ours: fn(&str) -> bool| name.is_some_and(|n| !ours(n)));
    match about {
        NoticeAbout::Refund => Some(Message::RefundNotice { gateway_id, announced, foreign: foreign(Refund::is_our_name) }),
        NoticeAbout::Payout => Some(Message::PayoutNotice { gateway_id, announced, foreign: foreign(|n| PayoutId::parse(n).is_some()) }),
        NoticeAbout::Invoice => None,
    }
}

async fn notice(State(webhook): State<Webhook>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Problem> {
    let token = headers.get("x-callback-token").and_then(|v| v.to_str().ok()).unwrap_or_default();
    if token.is_empty() || !same_secret(token, &webhook.token, &webhook.entropy) {
        Metric::WebhookRefused.one();
        return Err(Problem::new(Code::NotLoggedIn));
    }
    let notice: Notice = serde_json::from_slice(&body).map_err(|_| Problem::new(Code::Malformed))?;
    let Some(message) = message(&notice) else {
        tracing::info!(target: "qutab", "a notice that means nothing here");
        return Ok(StatusCode::OK);
    };
    webhook.queues.send(Lane::Payments, &message).await?;
    if let (Message::InvoiceNotice { invoice, .. }, Some(external)) = (&message, &notice.external_id)
        && let Some(noted) = Said::of(external, invoice, notice.status.as_deref().unwrap_or("?"), webhook.clock.now())
        && let Err(error) = webhook.store.append(&noted).await
    {
        // The work is queued; only the note of it is missing.
        tracing::warn!(%error, "a notice was not noted");
    }
    Ok(StatusCode::OK)
}
