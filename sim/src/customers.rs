//! What buyers and affiliates do.

use crate::{
    outside::Notice,
    plan::{Fault, Step},
    run::{Placed, Run},
};
use qutab_tests::{Answer, PASSWORD, World};
use serde_json::json;

pub const SLUGS: [&str; 3] = ["sapi-limosin", "kambing-standar", "domba-garut"];
const METHODS: [&str; 4] = ["EWALLET", "QR_CODE", "BANK_TRANSFER", "EWALLET"];
const COUPON: &str = "BERKAH10";

fn invoice(answer: &Answer) -> Option<String> {
    answer.body["payment_url"].as_str().and_then(|u| u.rsplit('/').next()).map(str::to_owned)
}

impl Run<'_> {
    pub async fn customers(&mut self, step: Step, fault: Option<Fault>) {
        match step {
            Step::Order { buyer, product, quantity, referred, coupon, twice } => {
                let click = match referred {
                    Some(affiliate) => self.click(affiliate, None).await,
                    None => None,
                };
                let slug = SLUGS[usize::from(product)];
                let mut body = World::order_body(slug, u32::from(quantity), click.as_deref());
                if coupon {
                    body["coupon"] = json!(COUPON);
                }
                let (token, key) = (self.buyer(buyer).await, format!("order-{}", self.event));
                let mut answer = self.insist(fault, "POST", "/api/orders", &token, &key, body.clone()).await;
                self.calm();
                if twice && answer.status == 201 {
                    answer = self.call(None, "POST", "/api/orders", &token, Some(&key), body).await;
                }
                let by = referred.map_or(String::new(), |a| format!(" by the link of affiliate {a}"));
                self.tell(format!("buyer {buyer} orders {quantity} {slug}{by}: {}", answer.status));
                if let (201, Some(id)) = (answer.status, answer.body["id"].as_str()) {
                    let (id, invoices) = (id.to_owned(), invoice(&answer).into_iter().collect());
                    self.orders.insert(self.event, Placed { id, buyer, invoices, under_key: std::collections::BTreeMap::new() });
                }
            }
            Step::Click { affiliate } => {
                self.click(affiliate, fault).await;
                self.tell(format!("somebody follows the link of affiliate {affiliate}"));
            }
            Step::Pay { order, older, method, sum } => self.pay(order, older, method, sum),
            Step::DeleteAccount { buyer } => {
                let token = self.buyer(buyer).await;
                let answer = self.call(fault, "DELETE", "/api/profile", &token, None, json!({ "current_password": PASSWORD })).await;
                self.tell(format!("buyer {buyer} deletes the account: {}", answer.status));
            }
            Step::Link { order, .. } | Step::Check { order } | Step::Cancel { order } | Step::Rename { order } => {
                if let Some(placed) = self.orders.get(&order).cloned() {
                    self.of_order(step, &placed, order, fault).await;
                }
            }
            _ => {}
        }
    }

    async fn click(&mut self, affiliate: u8, fault: Option<Fault>) -> Option<String> {
        let path = format!("/r/{}", self.people.affiliates[usize::from(affiliate)].code);
        let answer = self.call(fault, "GET", &path, "", None, json!({})).await;
        self.calm();
        let location = answer.headers.get("location")?.to_str().ok()?;
        location.split_once("?ref=").map(|(_, t)| t.to_owned())
    }

    async fn of_order(&mut self, step: Step, placed: &Placed, event: u32, fault: Option<Fault>) {
        let token = self.buyer(placed.buyer).await;
        let path = format!("/api/orders/{}", placed.id);
        match step {
            Step::Link { key, .. } => {
                let name = format!("link-{event}-{key}");
                let answer = self.call(fault, "POST", &format!("{path}/payments?new=1"), &token, Some(&name), json!({})).await;
                self.tell(format!("the buyer of order {event} asks for another link under key {key}: {}", answer.status));
                let Some(invoice) = invoice(&answer).filter(|_| answer.status < 300) else { return };
                let placed = self.orders.get_mut(&event).unwrap();
                let before = placed.under_key.insert(key, invoice.clone());
                placed.invoices.push(invoice.clone());
                let same = before.as_ref().is_none_or(|b| *b == invoice);
                self.ensure(same, "the same key gets the same link", || format!("order {event}, key {key}: {before:?}, then {invoice}"));
            }
            Step::Check { .. } => {
                let answer = self.call(fault, "GET", &format!("{path}/payment"), &token, None, json!({})).await;
                self.tell(format!("the buyer of order {event} looks whether it is paid: {} {}", answer.status, answer.body["status"]));
            }
            Step::Rename { .. } => {
                let body = json!({ "items": [{ "product_id": qutab_local::seed::product_id(SLUGS[0]), "shohibul": [{ "name": "Fatimah", "father": "Ali" }] }] });
                let answer = self.call(fault, "PATCH", &format!("{path}/names"), &token, None, body).await;
                self.tell(format!("the buyer of order {event} changes a name: {}", answer.status));
            }
            _ => {
                let answer = self.call(fault, "POST", &format!("{path}/cancel"), &token, None, json!({})).await;
                self.tell(format!("the buyer cancels order {event}: {}", answer.status));
                if answer.status == 200 && fault.is_none() {
                    self.nothing_payable(event, "cancelled");
                }
            }
        }
    }

    /// No link that was handed out for this order can be paid in time any more.
    pub fn nothing_payable(&mut self, event: u32, why: &str) {
        let Some(placed) = self.orders.get(&event) else { return };
        let live = placed.invoices.iter().find(|i| self.w.wire.zendit.invoice(i).is_some_and(|i| i.status == "PENDING")).cloned();
        self.ensure(live.is_none(), "no link outlives its order", || format!("order {event} is {why}, {live:?} can still be paid"));
    }

    /// On the hosted page: in time, late, over an older link, or a sum that was not asked for.
    fn pay(&mut self, order: u32, older: bool, method: u8, sum: Option<u32>) {
        let Some(placed) = self.orders.get(&order) else { return };
        let invoice = if older { placed.invoices.first() } else { placed.invoices.last() };
        let Some(invoice) = invoice.cloned() else { return };
        let method = METHODS[usize::from(method)];
        if let Some(body) = self.w.wire.zendit.pay(&invoice, method, sum.map(i64::from)) {
            self.tell(format!("the buyer of order {order} pays {invoice} by {method}{}", sum.map_or(String::new(), |s| format!(", Rp{s}"))));
            self.notices.push(Notice::new(body));
        }
    }

    pub async fn affiliates(&mut self, step: Step, fault: Option<Fault>) {
        match step {
            Step::SaveBank { affiliate, number } => {
                let token = self.affiliate(affiliate).await;
                let number = format!("{:010}", u64::from(number) * 12_345_678);
                let body = json!({ "bank_code": "014", "account_number": number, "holder_name": "Promotor Handal", "current_password": PASSWORD });
                let answer = self.call(fault, "PUT", "/api/affiliate/bank-account", &token, None, body).await;
                self.tell(format!("affiliate {affiliate} saves account {number}: {} {}", answer.status, answer.body["status"]));
                let dead_end = answer.status == 200 && answer.body["status"] == "rejected";
                self.ensure(!dead_end, "a rejected account can be offered again", || format!("affiliate {affiliate}: {}", answer.body));
            }
            Step::AskPayout { affiliate, amount } => {
                let token = self.affiliate(affiliate).await;
                let body = amount.map_or_else(|| json!({}), |a| json!({ "amount": a }));
                let key = format!("payout-{}", self.event);
                let answer = self.insist(fault, "POST", "/api/affiliate/payouts", &token, &key, body).await;
                self.tell(format!("affiliate {affiliate} asks for a payout: {} {}", answer.status, answer.body["amount"]));
                if let (201, Some(id)) = (answer.status, answer.body["id"].as_str()) {
                    self.payouts.insert(self.event, id.to_owned());
                }
            }
            _ => {}
        }
    }
}
