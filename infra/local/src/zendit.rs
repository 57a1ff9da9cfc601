//! The payment gateway's stand-in: the invoice dialect, what a customer does on the hosted page, and the webhooks.

mod moods;

pub use crate::records::{Invoice, Payout, Refund};
use crate::{
    Call, Reply,
    kept::Kept,
    manner::{Manner, Past},
};
use data_encoding::BASE64;
use qutab::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

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
    /// Refunds and payouts that were taken are found no more, by id nor by name.
    #[serde(default)]
    lost: bool,
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
    manner: Arc<Mutex<(Manner, Past)>>,
}

impl std::fmt::Debug for Zendit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Zendit")
    }
}

impl Zendit {
    pub fn new(state: Kept<State>, secret: &str, pages: &str, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { state, secret: secret.into(), pages: pages.into(), now: Arc::new(now), manner: Arc::default() }
    }

    fn manners(&self) -> MutexGuard<'_, (Manner, Past)> {
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn manner(&self) -> Manner {
        self.manners().0.clone()
    }

    pub fn behave(&self, manner: Manner) {
        self.manners().0 = manner;
    }

    /// Notes what a record has become.
    fn keep<T: Serialize>(&self, id: &str, record: &T) {
        let mut manners = self.manners();
        if manners.0.remembers {
            let now = (self.now)();
            manners.1.keep(id, now, json!(record));
        }
    }

    /// A record as it is shown now, behind by as much as this gateway's reads are.
    fn seen<T: Serialize>(&self, id: &str, record: &T) -> Option<Value> {
        let manners = self.manners();
        let record = if manners.0.lag > 0 { manners.1.of(id, (self.now)().plus_seconds(-manners.0.lag))? } else { json!(record) };
        Some(manners.0.shown(record))
    }

    fn fresh(&self, asked_at: Option<Timestamp>) -> bool {
        let forgets = self.manners().0.forgets_keys_after;
        forgets.zip(asked_at).is_none_or(|(after, at)| (self.now)().since(at) <= after)
    }

    pub fn answer(&self, call: &Call) -> Reply {
        let expected = format!("Basic {}", BASE64.encode(format!("{}:", self.secret).as_bytes()));
        if call.header("authorization") != Some(expected.as_str()) {
            return error(401, "INVALID_API_KEY");
        }
        if let Some(status) = self.manner().busy {
            return error(status, "SERVER_BUSY");
        }
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let (hiding, lost) = self.state.read(|s| (s.hiding || s.lost, s.lost));
        match (call.method.as_str(), parts.as_slice()) {
            ("POST", ["v2", "invoices"]) => self.create(&body),
            ("GET", ["v2", "invoices"]) => {
                let wanted = query.strip_prefix("external_id=").unwrap_or_default();
                let found: Vec<Invoice> = self.state.read(|s| s.invoices.values().filter(|i| i.external_id == wanted).cloned().collect());
                Reply::json(200, &json!(found.into_iter().map(|i| self.lapsed(i)).filter_map(|i| self.seen(&i.id, &i)).collect::<Vec<_>>()))
            }
            ("GET", ["v2", "invoices", id]) => {
                self.invoice(id).and_then(|i| self.seen(id, &i)).map_or_else(|| error(404, "INVOICE_NOT_FOUND_ERROR"), |i| Reply::json(200, &i))
            }
            ("POST", ["invoices", id, "expire!"]) => self.expire(id),
            ("POST", ["v2", "payouts"]) => self.pay_out(&body, call.header("idempotency-key").unwrap_or_default()),
            ("GET", ["v2", "payouts"]) => {
                let wanted = query.strip_prefix("reference_id=").unwrap_or_default();
                let found = self.payouts().into_iter().filter(|p| p.reference_id == wanted && !hiding).filter_map(|p| self.seen(&p.id, &p));
                Reply::json(200, &json!(found.collect::<Vec<_>>()))
            }
            ("GET", ["v2", "payouts", id]) => {
                let found = self.state.read(|s| s.payouts.get(*id).filter(|_| !lost).cloned()).and_then(|p| self.seen(id, &p));
                found.map_or_else(|| error(404, "DATA_NOT_FOUND"), |p| Reply::json(200, &p))
            }
            ("POST", ["refunds"]) => self.refund(&body, call.header("idempotency-key").unwrap_or_default()),
            ("GET", ["refunds"]) => {
                let wanted = query.split('&').find_map(|q| q.strip_prefix("invoice_id=")).unwrap_or_default();
                let found = self.refunds().into_iter().filter(|r| r.invoice_id == wanted && !hiding).filter_map(|r| self.seen(&r.id, &r));
                Reply::json(200, &json!({ "data": found.collect::<Vec<_>>(), "has_more": false }))
            }
            ("GET", ["refunds", id]) => {
                let found = self.state.read(|s| s.refunds.get(*id).filter(|_| !lost).cloned()).and_then(|r| self.seen(id, &r));
                found.map_or_else(|| error(404, "DATA_NOT_FOUND"), |r| Reply::json(200, &r))
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
        self.keep(&invoice.id, &invoice);
        Reply::json(200, &self.manner().shown(json!(invoice)))
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
        self.keep(id, &expired);
        Reply::json(200, &self.manner().shown(json!(expired)))
    }

    fn refund(&self, body: &Value, key: &str) -> Reply {
        let Some(invoice) = body["invoice_id"].as_str().and_then(|id| self.invoice(id)) else { return error(404, "DATA_NOT_FOUND") };
        if let Some((status, code)) = self.state.read(|s| s.refusing.clone()) {
            return error(status, &code);
        }
        let amount = body["amount"].as_i64().unwrap_or_default();
        let before = self.state.read(|s| s.refunds.values().find(|r| r.key == key && self.fresh(r.asked_at)).cloned());
        let first = self.manner().validates_first;
        if let Some(before) = before.filter(|_| !first || self.impossible(&invoice, amount).is_none()) {
            return Reply::json(200, &self.manner().shown(json!(before)));
        }
        if let Some(refusal) = self.impossible(&invoice, amount) {
            return refusal;
        }
        let refund = self.state.change(|s| {
            s.counter += 1;
            let id = format!("rfn{:06}", s.counter);
            let reference_id = body["reference_id"].as_str().map(str::to_owned);
            let (status, key, asked_at) = ("PENDING".into(), key.into(), Some((self.now)()));
            let refund = Refund { id: id.clone(), invoice_id: invoice.id.clone(), reference_id, amount, status, key, asked_at };
            s.refunds.insert(id, refund.clone());
            refund
        });
        self.keep(&refund.id, &refund);
        Reply::json(200, &self.manner().shown(json!(refund)))
    }

    /// Why an invoice's money cannot go back.
    fn impossible(&self, invoice: &Invoice, amount: i64) -> Option<Reply> {
        let live = |r: &&Refund| r.invoice_id == invoice.id && r.status != "FAILED";
        let returned: i64 = self.state.read(|s| s.refunds.values().filter(live).map(|r| r.amount).sum());
        if matches!(invoice.payment_method.as_deref(), Some("BANK_TRANSFER" | "RETAIL_OUTLET")) {
            return Some(error(403, "REFUND_NOT_SUPPORTED"));
        }
        let over = invoice.paid_amount.is_none_or(|paid| returned + amount > paid) || amount <= 0;
        over.then(|| error(400, "MAXIMUM_REFUND_AMOUNT_REACHED"))
    }

    fn pay_out(&self, body: &Value, key: &str) -> Reply {
        if let Some((status, code)) = self.state.read(|s| s.refusing.clone()) {
            return error(status, &code);
        }
        if let Some(before) = self.state.read(|s| s.payouts.values().find(|p| p.key == key && self.fresh(p.asked_at)).cloned()) {
            return Reply::json(200, &self.manner().shown(json!(before)));
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
                asked_at: Some((self.now)()),
            };
            s.payouts.insert(id, payout.clone());
            payout
        });
        self.keep(&payout.id, &payout);
        Reply::json(200, &self.manner().shown(json!(payout)))
    }

    /// The bank has taken the transfers that are under way, or has not; or it sends back those that had succeeded.
    pub fn finish_payouts(&self, status: &str) -> Vec<Value> {
        self.turn_payouts(if status == "REVERSED" { "SUCCEEDED" } else { "ACCEPTED" }, status)
    }

    /// Every transfer that is in one status is in another from now on.
    pub fn turn_payouts(&self, from: &str, status: &str) -> Vec<Value> {
        self.payouts().iter().filter(|p| p.status == from).filter_map(|p| self.turn_payout(&p.id, status)).collect()
    }

    /// One transfer is in another status from now on; answers with the webhook's body.
    pub fn turn_payout(&self, id: &str, status: &str) -> Option<Value> {
        let (payout, event) = self.state.change(|s| {
            let payout = s.payouts.get_mut(id)?;
            payout.status = status.into();
            let payout = payout.clone();
            let event = json!({ "event": format!("payout.{}", status.to_lowercase()), "data": payout });
            s.counter += 1;
            s.outgoing.push((s.counter, event.clone()));
            Some((payout, event))
        })?;
        self.keep(id, &payout);
        Some(event)
    }

    /// One refund is in another status from now on; answers with the webhook's body.
    pub fn turn_refund(&self, id: &str, status: &str) -> Option<Value> {
        let (refund, event) = self.state.change(|s| {
            let refund = s.refunds.get_mut(id)?;
            refund.status = status.into();
            let refund = refund.clone();
            let event = json!({ "event": format!("refund.{}", status.to_lowercase()), "data": refund });
            s.counter += 1;
            s.outgoing.push((s.counter, event.clone()));
            Some((refund, event))
        })?;
        self.keep(id, &refund);
        Some(event)
    }

    pub fn payouts(&self) -> Vec<Payout> {
        self.state.read(|s| s.payouts.values().cloned().collect())
    }
    pub fn refunds(&self) -> Vec<Refund> {
        self.state.read(|s| s.refunds.values().cloned().collect())
    }
    pub fn invoices(&self) -> Vec<Invoice> {
        self.state.read(|s| s.invoices.values().cloned().collect::<Vec<_>>()).into_iter().map(|i| self.lapsed(i)).collect()
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
        self.keep(id, &paid);
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
        self.turn_refunds("PENDING", status)
    }

    /// Every refund that is in one status is in another from now on.
    pub fn turn_refunds(&self, from: &str, status: &str) -> Vec<Value> {
        self.refunds().iter().filter(|r| r.status == from).filter_map(|r| self.turn_refund(&r.id, status)).collect()
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
