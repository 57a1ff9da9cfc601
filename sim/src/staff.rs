//! What staff do with orders, refunds, affiliates and the shop; people see to it that what they do is true, but for the crook.

use crate::{
    customers::SLUGS,
    outside::ByHand,
    plan::{Back, Fault, Policy, Step},
    run::{OPS, Run},
};
use qutab::domain::{money::Rupiah, refund::RefundStatus};
use qutab_local::seed::product_id;
use serde_json::{Value, json};

impl Run<'_> {
    pub async fn staff_step(&mut self, step: Step, fault: Option<Fault>) {
        match step {
            Step::Advance { order }
            | Step::CancelByStaff { order }
            | Step::Refund { order, .. }
            | Step::TakeOver { order }
            | Step::Confirm { order }
            | Step::RefundReceipt { order } => {
                if let Some(placed) = self.orders.get(&order) {
                    let path = format!("/api/admin/orders/{}", placed.id);
                    self.with_order(step, order, &path, fault).await;
                }
            }
            Step::Suspend { affiliate } | Step::Reinstate { affiliate } => {
                let (token, id) = (self.staff(0).await, self.people.affiliates[usize::from(affiliate)].id.clone());
                let (verb, body) = match step {
                    Step::Suspend { .. } => ("suspend", json!({ "reason": "perlu diperiksa" })),
                    _ => ("reinstate", json!({})),
                };
                let answer = self.call(fault, "POST", &format!("/api/admin/affiliates/{id}/{verb}"), &token, None, body).await;
                self.tell(format!("staff {verb} affiliate {affiliate}: {}", answer.status));
            }
            Step::Bank { affiliate, verify, staff } => {
                let (token, id) = (self.staff(staff).await, self.people.affiliates[usize::from(affiliate)].id.clone());
                let path = format!("/api/admin/bank-accounts/{id}");
                let seen = self.call(None, "GET", &path, &token, None, json!({})).await;
                let mut body = json!({ "version": seen.body["version"] });
                if !verify {
                    body["reason"] = json!("foto kabur");
                }
                let verb = if verify { "verify" } else { "reject" };
                let answer = self.call(fault, "POST", &format!("{path}/{verb}"), &token, None, body).await;
                self.tell(format!("staff {staff} {verb} the account of affiliate {affiliate}: {}", answer.status));
            }
            Step::Restock { product, units } => {
                let (token, key) = (self.staff(0).await, format!("stock-{}", self.event));
                let path = format!("/api/admin/products/{}/stock", product_id(SLUGS[usize::from(product)]));
                let answer = self.insist(fault, "POST", &path, &token, &key, json!({ "units": units })).await;
                self.tell(format!("staff change the stock of {} by {units}: {}", SLUGS[usize::from(product)], answer.status));
            }
            Step::CouponOff => {
                let token = self.staff(0).await;
                let answer = self.call(fault, "POST", "/api/admin/coupons/BERKAH10/deactivate", &token, None, json!({})).await;
                self.tell(format!("staff switch the coupon off: {}", answer.status));
            }
            Step::Policy(policy) => self.policy(policy).await,
            Step::CloseTasks => {
                let token = self.staff(0).await;
                let seen = self.call(None, "GET", "/api/admin/tasks", &token, None, json!({})).await;
                for task in seen.body["items"].as_array().into_iter().flatten().filter(|t| t["subject"]["kind"] == "mail_refused") {
                    let path = format!("/api/admin/tasks/{}/close", task["id"].as_str().unwrap_or_default());
                    self.call(fault, "POST", &path, &token, None, json!({ "note": "dilihat" })).await;
                }
                self.tell("staff look through the tasks");
            }
            _ => {}
        }
    }

    /// Written as a change of yesterday: what takes a day to be in force is in force.
    async fn policy(&mut self, policy: Policy) {
        let store = &self.w.shop.app.store;
        let Some(read) = store.stored_settings().await.ok().flatten() else { return };
        let mut after = read.value.clone();
        match policy {
            Policy::GatewayPayouts(on) => after.gateway_payouts = on,
            Policy::NoMinimum => after.minimum_payout = Rupiah::ZERO,
            Policy::ShortHold => after.hold_days = 1,
            Policy::Second(above) => after.second_person_above = Rupiah::new(i64::from(above)),
        }
        after.version += 1;
        let done = store.save(&read, &after).await;
        self.tell(format!("the settings change: {policy:?} {}", if done.is_ok() { "" } else { "(not now)" }));
    }

    async fn with_order(&mut self, step: Step, event: u32, path: &str, fault: Option<Fault>) {
        let token = self.staff(if matches!(step, Step::Advance { .. } | Step::CancelByStaff { .. }) { OPS } else { 1 }).await;
        match step {
            Step::Advance { .. } => {
                let seen = self.call(None, "GET", path, &token, None, json!({})).await;
                let to = match seen.body["status"].as_str() {
                    Some("paid") => "processing",
                    Some("processing") => "distributed",
                    _ => "completed",
                };
                let answer = self.call(fault, "POST", &format!("{path}/status"), &token, None, json!({ "to": to })).await;
                self.tell(format!("staff move order {event} to {to}: {}", answer.status));
            }
            Step::CancelByStaff { .. } => {
                let answer = self.call(fault, "POST", &format!("{path}/cancel"), &token, None, json!({ "reason": "stok habis" })).await;
                self.tell(format!("staff cancel order {event}: {}", answer.status));
                if answer.status == 200 && fault.is_none() {
                    self.nothing_payable(event, "cancelled by staff");
                }
            }
            Step::Refund { back, key, .. } => {
                let body = match back {
                    Back::End => json!({ "kind": "end" }),
                    Back::Undeliverable => json!({ "kind": "end", "because": "undeliverable" }),
                    Back::Adjust(amount) => json!({ "kind": "adjust", "amount": amount, "reason": "hewan lebih kecil" }),
                };
                // Nothing keeps a person from using an invoice's number as the name of a request.
                let odd = key.and_then(|k| self.orders.get(&k)).and_then(|o| o.invoices.last().cloned());
                let key = odd.unwrap_or_else(|| format!("refund-{}", self.event));
                let answer = self.insist(fault, "POST", &format!("{path}/refund"), &token, &key, body).await;
                self.tell(format!("finance refunds order {event}, {back:?}, under {key}: {}", answer.status));
            }
            Step::TakeOver { .. } => {
                for refund in self.refunds(path, &token, &["failed"]).await {
                    let answer = self.call(fault, "POST", &format!("{path}/refunds/{refund}/take-over"), &token, None, json!({})).await;
                    self.tell(format!("finance takes over a failed refund of order {event}: {}", answer.status));
                }
            }
            Step::Confirm { .. } => self.send_by_hand(event, path, &token, fault).await,
            Step::RefundReceipt { .. } => {
                for invoice in self.orders[&event].invoices.clone() {
                    let answer = self.call(fault, "POST", &format!("{path}/receipts/{invoice}/refund"), &token, None, json!({})).await;
                    if answer.status != 404 {
                        self.tell(format!("finance sends the surplus {invoice} of order {event} back: {}", answer.status));
                    }
                }
            }
            _ => {}
        }
    }

    async fn refunds(&mut self, path: &str, token: &str, statuses: &[&str]) -> Vec<String> {
        let seen = self.call(None, "GET", path, token, None, json!({})).await;
        let refunds: Vec<Value> = seen.body["refunds"].as_array().cloned().unwrap_or_default();
        let wanted = refunds.into_iter().filter(|r| r["status"].as_str().is_some_and(|s| statuses.contains(&s)));
        wanted.filter_map(|r| r["id"].as_str().map(str::to_owned)).collect()
    }

    /// Finance transfers what is a person's to send, then records it.
    pub async fn send_by_hand(&mut self, event: u32, path: &str, token: &str, fault: Option<Fault>) {
        for refund in self.refunds(path, token, &[RefundStatus::Manual.as_str()]).await {
            let reference = format!("BCA-{}-{}", self.event, refund.get(refund.len() - 6..).unwrap_or_default());
            let sent = self.by_hand.iter().any(|h| h.refund == refund);
            if !sent {
                self.by_hand.push(ByHand { refund: refund.clone() });
            }
            let answer =
                self.insist(fault, "POST", &format!("{path}/refunds/{refund}/confirm"), token, "confirm", json!({ "reference": reference })).await;
            self.tell(format!("finance transfers a refund of order {event} by hand and records it: {}", answer.status));
        }
    }
}
