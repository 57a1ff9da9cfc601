//! The payment gateway's stand-in: the invoice dialect, what a customer does on the hosted page, and the webhooks.

use crate::{Call, Reply, kept::Kept};
use data_encoding::BASE64;
use qutab::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invoice {
    pub id: String,
    pub external_id: String,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    pub invoice_url: String,
    pub description: String,
    pub expiry_date: Timestamp,
    pub success_redirect_url: String,
    pub paid_amount: Option<i64>,
    pub paid_at: Option<Timestamp>,
    pub payment_method: Option<String>,
    pub payment_channel: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refund {
    pub id: String,
    pub invoice_id: String,
    pub reference_id: Option<String>,
    pub amount: i64,
    pub status: String,
    key: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payout {
    pub id: String,
    pub reference_id: String,
    pub channel_code: String,
    pub account_number: String,
    pub amount: i64,
    pub status: String,
    key: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    counter: u64,
    invoices: BTreeMap<String, Invoice>,
    refunds: BTreeMap<String, Refund>,
    #[serde(default)]
    payouts: BTreeMap<String, Payout>,
    /// What refunds and payouts are refused with now, if they are.
    #[serde(default)]
    refusing: Option<(u16, String)>,
    /// Lists under a name answer nothing: they lag.
    #[serde(default)]
    hiding: bool,
    /// Webhooks that were not yet answered with a 2xx.
    outgoing: Vec<(u64, Value)>,
}

#[derive(Clone)]
pub struct Zendit {
    state: Kept<State>,
    secret: String,
    /// Where the hosted pages are.
    pages: String,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl std::fmt::Debug for Zendit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Zendit")
    }
}

impl Zendit {
    pub fn new(state: Kept<State>, secret: &str, pages: &str, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { state, secret: secret.into(), pages: pages.into(), now: Arc::new(now) }
    }

    pub fn answer(&self, call: &Call) -> Reply {
        let expected = format!("Basic {}", BASE64.encode(format!("{}:", self.secret).as_bytes()));
        if call.header("authorization") != Some(expected.as_str()) {
            return error(401, "INVALID_API_KEY");
        }
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        match (call.method.as_str(), parts.as_slice()) {
            ("POST", ["v2", "invoices"]) => self.create(&body),
            ("GET", ["v2", "invoices"]) => {
                let wanted = query.strip_prefix("external_id=").unwrap_or_default();
                let found: Vec<Invoice> = self.state.read(|s| s.invoices.values().filter(|i| i.external_id == wanted).cloned().collect());
                Reply::json(200, &json!(found.into_iter().map(|i| self.lapsed(i)).collect::<Vec<_>>()))
            }
            ("GET", ["v2", "invoices", id]) => {
                self.invoice(id).map_or_else(|| error(404, "INVOICE_NOT_FOUND_ERROR"), |i| Reply::json(200, &json!(i)))
            }
            ("POST", ["invoices", id, "expire!"]) => self.expire(id),
            ("POST", ["v2", "payouts"]) => self.pay_out(&body, call.header("idempotency-key").unwrap_or_default()),
            ("GET", ["v2", "payouts"]) => {
                let wanted = query.strip_prefix("reference_id=").unwrap_or_default();
                let found = |s: &State| s.payouts.values().filter(|p| p.reference_id == wanted && !s.hiding).cloned().collect::<Vec<_>>();
                Reply::json(200, &json!(self.state.read(found)))
            }
            ("GET", ["v2", "payouts", id]) => {
                self.state.read(|s| s.payouts.get(*id).cloned()).map_or_else(|| error(404, "DATA_NOT_FOUND"), |p| Reply::json(200, &json!(p)))
            }
            ("POST", ["refunds"]) => self.refund(&body, call.header("idempotency-key").unwrap_or_default()),
            ("GET", ["refunds"]) => {
                let wanted = query.split('&').find_map(|q| q.strip_prefix("invoice_id=")).unwrap_or_default();
                let found = |s: &State| s.refunds.values().filter(|r| r.invoice_id == wanted && !s.hiding).cloned().collect::<Vec<_>>();
                Reply::json(200, &json!({ "data": self.state.read(found), "has_more": false }))
            }
            ("GET", ["refunds", id]) => {
                self.state.read(|s| s.refunds.get(*id).cloned()).map_or_else(|| error(404, "DATA_NOT_FOUND"), |r| Reply::json(200, &json!(r)))
            }
            _ => error(404, "NOT_FOUND"),
        }
    }

    fn create(&self, body: &Value) -> Reply {
        let (Some(external_id), Some(amount)) = (body["external_id"].as_str(), body["amount"].as_i64()) else {
            return error(400, "API_VALIDATION_ERROR");
        };
        if amount <= 0 || external_id.is_empty() || external_id.len() > 255 || body["items"].as_array().is_some_and(|i| i.len() > 75) {
            return error(400, "API_VALIDATION_ERROR");
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let invoice = self.state.change(|s| {
            s.counter += 1;
            let id = format!("inv{:06}", s.counter);
            let invoice = Invoice {
                external_id: external_id.into(),
                status: "PENDING".into(),
                amount,
                currency: "IDR".into(),
                invoice_url: format!("{}/pay/{id}", self.pages),
                description: text("description"),
                expiry_date: (self.now)().plus_seconds(body["invoice_duration"].as_i64().unwrap_or(86_400)),
                success_redirect_url: text("success_redirect_url"),
                paid_amount: None,
                paid_at: None,
                payment_method: None,
                payment_channel: None,
                id: id.clone(),
            };
            s.invoices.insert(id, invoice.clone());
            invoice
        });
        Reply::json(200, &json!(invoice))
    }

    fn lapsed(&self, mut invoice: Invoice) -> Invoice {
        if invoice.status == "PENDING" && invoice.expiry_date <= (self.now)() {
            invoice.status = "EXPIRED".into();
        }
        invoice
    }

    pub fn invoice(&self, id: &str) -> Option<Invoice> {
        self.state.read(|s| s.invoices.get(id).cloned()).map(|i| self.lapsed(i))
    }

    fn expire(&self, id: &str) -> Reply {
        let Some(invoice) = self.invoice(id) else { return error(404, "INVOICE_NOT_FOUND_ERROR") };
        if invoice.status != "PENDING" {
            return error(400, "INVALID_INVOICE_STATUS_ERROR");
        }
        let expired = Invoice { status: "EXPIRED".into(), ..invoice };
        self.state.change(|s| s.invoices.insert(id.into(), expired.clone()));
        Reply::json(200, &json!(expired))
    }

    fn refund(&self, body: &Value, key: &str) -> Reply {
        let Some(invoice) = body["invoice_id"].as_str().and_then(|id| self.invoice(id)) else { return error(404, "DATA_NOT_FOUND") };
        if let Some((status, code)) = self.state.read(|s| s.refusing.clone()) {
            return error(status, &code);
        }
        if let Some(before) = self.state.read(|s| s.refunds.values().find(|r| r.key == key).cloned()) {
            return Reply::json(200, &json!(before));
        }
        let amount = body["amount"].as_i64().unwrap_or_default();
        let returned: i64 =
            self.state.read(|s| s.refunds.values().filter(|r| r.invoice_id == invoice.id && r.status != "FAILED").map(|r| r.amount).sum());
        if matches!(invoice.payment_method.as_deref(), Some("BANK_TRANSFER" | "RETAIL_OUTLET")) {
            return error(403, "REFUND_NOT_SUPPORTED");
        }
        if invoice.paid_amount.is_none_or(|paid| returned + amount > paid) || amount <= 0 {
            return error(400, "MAXIMUM_REFUND_AMOUNT_REACHED");
        }
        let refund = self.state.change(|s| {
            s.counter += 1;
            let id = format!("rfn{:06}", s.counter);
            let reference_id = body["reference_id"].as_str().map(str::to_owned);
            let refund = Refund { id: id.clone(), invoice_id: invoice.id.clone(), reference_id, amount, status: "PENDING".into(), key: key.into() };
            s.refunds.insert(id, refund.clone());
            refund
        });
        Reply::json(200, &json!(refund))
    }

    fn pay_out(&self, body: &Value, key: &str) -> Reply {
        if let Some((status, code)) = self.state.read(|s| s.refusing.clone()) {
            return error(status, &code);
        }
        if let Some(before) = self.state.read(|s| s.payouts.values().find(|p| p.key == key).cloned()) {
            return Reply::json(200, &json!(before));
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (amount, channel_code) = (body["amount"].as_i64().unwrap_or_default(), text(&body["channel_code"]));
        if key.is_empty() || amount <= 0 || !channel_code.starts_with("ID_") {
            return error(400, "API_VALIDATION_ERROR");
        }
        let payout = self.state.change(|s| {
            s.counter += 1;
            let id = format!("disb{:06}", s.counter);
            let payout = Payout {
                id: id.clone(),
                reference_id: text(&body["reference_id"]),
                channel_code,
                account_number: text(&body["channel_properties"]["account_number"]),
                amount,
                status: "ACCEPTED".into(),
                key: key.into(),
            };
            s.payouts.insert(id, payout.clone());
            payout
        });
        Reply::json(200, &json!(payout))
    }

    /// The bank has taken the transfers that are under way, or has not; or it sends back those that had succeeded.
    pub fn finish_payouts(&self, status: &str) -> Vec<Value> {
        let from: &[&str] = if status == "REVERSED" { &["SUCCEEDED"] } else { &["ACCEPTED"] };
        self.state.change(|s| {
            let mut events = Vec::new();
            for payout in s.payouts.values_mut().filter(|p| from.contains(&p.status.as_str())) {
                payout.status = status.into();
                events.push(json!({ "event": format!("payout.{}", status.to_lowercase()), "data": payout }));
            }
            for event in &events {
                s.counter += 1;
                s.outgoing.push((s.counter, event.clone()));
            }
            events
        })
    }

    /// How much left through payouts and stayed away.
    pub fn paid_out(&self) -> i64 {
        self.state.read(|s| s.payouts.values().filter(|p| p.status != "FAILED" && p.status != "REVERSED").map(|p| p.amount).sum())
    }

    /// What the customer does on the hosted page. Pays late as well, as banks do. Answers with the webhook's body.
    pub fn pay(&self, id: &str, method: &str, amount: Option<i64>) -> Option<Value> {
        let invoice = self.state.read(|s| s.invoices.get(id).cloned())?;
        if invoice.status == "PAID" {
            return None;
        }
        let paid = Invoice {
            status: "PAID".into(),
            paid_amount: Some(amount.unwrap_or(invoice.amount)),
            paid_at: Some((self.now)()),
            payment_method: Some(method.into()),
            payment_channel: Some("LOCAL".into()),
            ..invoice
        };
        self.state.change(|s| {
            s.invoices.insert(id.into(), paid.clone());
            s.counter += 1;
            s.outgoing.push((s.counter, json!(paid)));
        });
        Some(json!(paid))
    }

    /// The customer never pays: the invoice runs out now.
    pub fn lapse(&self, id: &str) {
        self.state.change(|s| {
            if let Some(invoice) = s.invoices.get_mut(id).filter(|i| i.status == "PENDING") {
                invoice.status = "EXPIRED".into();
                let event = json!(invoice);
                s.counter += 1;
                s.outgoing.push((s.counter, event));
            }
        });
    }

    /// The rail has sent pending refunds back, or could not.
    pub fn finish_refunds(&self, status: &str) -> Vec<Value> {
        self.state.change(|s| {
            let mut events = Vec::new();
            for refund in s.refunds.values_mut().filter(|r| r.status == "PENDING") {
                refund.status = status.into();
                events.push(json!({ "event": format!("refund.{}", status.to_lowercase()), "data": refund }));
            }
            for event in &events {
                s.counter += 1;
                s.outgoing.push((s.counter, event.clone()));
            }
            events
        })
    }

    /// Refuses refunds and payouts with a status and a code, or takes them again.
    pub fn refuse(&self, with: Option<(u16, &str)>) {
        self.state.change(|s| s.refusing = with.map(|(status, code)| (status, code.to_owned())));
    }

    /// Says of payouts that it had called failed that they went well after all.
    pub fn contradict_payouts(&self, status: &str) -> Vec<Value> {
        self.state.change(|s| {
            let failed = s.payouts.values_mut().filter(|p| p.status == "FAILED");
            failed.map(|p| (p.status = status.into(), json!({ "event": format!("payout.{}", status.to_lowercase()), "data": p })).1).collect()
        })
    }

    /// Says of refunds that it had called failed that they went well after all.
    pub fn contradict_refunds(&self, status: &str) -> Vec<Value> {
        self.state.change(|s| {
            let failed = s.refunds.values_mut().filter(|r| r.status == "FAILED");
            failed.map(|r| (r.status = status.into(), json!({ "event": format!("refund.{}", status.to_lowercase()), "data": r })).1).collect()
        })
    }

    /// Forgets the idempotency keys of what it has taken so far.
    pub fn forget_keys(&self) {
        self.state.change(|s| {
            s.refunds.values_mut().for_each(|r| r.key.clear());
            s.payouts.values_mut().for_each(|p| p.key.clear());
        });
    }

    /// Leaves refunds and payouts out of its lists, or shows them again.
    pub fn hide_lists(&self, hide: bool) {
        self.state.change(|s| s.hiding = hide);
    }

    /// How many invoices there are.
    pub fn invoices(&self) -> usize {
        self.state.read(|s| s.invoices.len())
    }

    /// Webhooks to deliver now.
    pub fn outgoing(&self) -> Vec<(u64, Value)> {
        self.state.read(|s| s.outgoing.clone())
    }

    pub fn delivered(&self, number: u64) {
        self.state.change(|s| s.outgoing.retain(|(n, _)| *n != number));
    }

    /// Every invoice that was paid.
    pub fn paid(&self) -> Vec<Invoice> {
        self.state.read(|s| s.invoices.values().filter(|i| i.status == "PAID").cloned().collect())
    }

    /// How much was paid in and sent back in all, for the tests' sums.
    pub fn refunded(&self) -> i64 {
        self.state.read(|s| s.refunds.values().filter(|r| r.status != "FAILED").map(|r| r.amount).sum())
    }
}

fn error(status: u16, code: &str) -> Reply {
    Reply::json(status, &json!({ "error_code": code, "message": code }))
}
