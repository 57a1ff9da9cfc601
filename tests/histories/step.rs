//! What may happen next in a history. A refusal is a fine answer; a 5xx only under a fault.

use super::Run;
use qutab::domain::{identity::Audience, ids::AdminId, staff::Role};
use qutab_local::wire::Cut;
use qutab_tests::{Answer, PASSWORD, World};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy)]
pub enum Step {
    Order,
    OrderTwice,
    NewLink,
    Pay,
    PayWrongAmount,
    Webhook,
    Work,
    CheckPayment,
    Cancel,
    Advance,
    Expire,
    Days,
    Mature,
    RefundEnds,
    RefundPart,
    FinishRefunds,
    FailRefunds,
    ChangeBank,
    VerifyBank,
    RequestPayout,
    DecidePayout,
    Sweep,
}

impl Step {
    /// Each as often as it is likely.
    pub const ALL: &'static [Self] = &[
        Self::Order,
        Self::Order,
        Self::Order,
        Self::OrderTwice,
        Self::NewLink,
        Self::Pay,
        Self::Pay,
        Self::Pay,
        Self::Pay,
        Self::PayWrongAmount,
        Self::Webhook,
        Self::Webhook,
        Self::Webhook,
        Self::Webhook,
        Self::Work,
        Self::Work,
        Self::Work,
        Self::CheckPayment,
        Self::Cancel,
        Self::Advance,
        Self::Advance,
        Self::Advance,
        Self::Advance,
        Self::Advance,
        Self::Advance,
        Self::Expire,
        Self::Days,
        Self::Mature,
        Self::Mature,
        Self::RefundEnds,
        Self::RefundPart,
        Self::FinishRefunds,
        Self::FailRefunds,
        Self::ChangeBank,
        Self::VerifyBank,
        Self::VerifyBank,
        Self::RequestPayout,
        Self::RequestPayout,
        Self::DecidePayout,
        Self::DecidePayout,
        Self::DecidePayout,
        Self::Sweep,
    ];
}

impl Run {
    fn key(&mut self) -> String {
        self.keys += 1;
        format!("key-{}", self.keys)
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.random.usize(..from.len())].clone())
    }

    async fn admin(&self, role: Role) -> String {
        let id = AdminId::named(&[&format!("{}@qutab.test", if role == Role::Operations { "ops" } else { role.as_str() })]);
        self.w.token(Audience::Admin, &id.to_string(), Some(role)).await
    }

    /// Calls the API with the fault armed, which begins only here; what was needed before it is in place.
    async fn call(&mut self, cut: Option<Cut>, method: &str, path: &str, token: &str, key: Option<&str>, body: Value) -> Answer {
        if let Some(cut) = cut {
            self.w.wire.arm(cut);
        }
        let headers: Vec<(&str, &str)> = key.map(|k| ("idempotency-key", k)).into_iter().collect();
        let answer = self.w.send(method, path, Some(token), &headers, Some(body)).await;
        // An earlier request that was cut may still hold the claim on the link: "try again in a moment" is fair.
        let claimed = answer.status == 503 && path.ends_with("/payments");
        assert!(answer.status < 500 || cut.is_some() || claimed, "{method} {path} without a fault: {} {}", answer.status, answer.body);
        answer
    }

    pub async fn take(&mut self, step: Step, cut: Option<Cut>) {
        match step {
            Step::Order | Step::OrderTwice => self.order(cut, matches!(step, Step::OrderTwice)).await,
            Step::Webhook | Step::Work | Step::Expire | Step::Mature | Step::Sweep => self.machine(step, cut).await,
            Step::Days => self.w.pass_days(self.random.i64(1..20)),
            Step::Pay | Step::PayWrongAmount => self.pay(matches!(step, Step::PayWrongAmount)),
            Step::FinishRefunds => self.notices.extend(self.w.wire.zendit.finish_refunds("SUCCEEDED")),
            Step::FailRefunds => self.notices.extend(self.w.wire.zendit.finish_refunds("FAILED")),
            Step::NewLink | Step::CheckPayment | Step::Cancel => self.customer(step, cut).await,
            Step::Advance | Step::RefundEnds | Step::RefundPart => self.staff(step, cut).await,
            Step::ChangeBank | Step::VerifyBank | Step::RequestPayout | Step::DecidePayout => self.money(step, cut).await,
        }
    }

    async fn order(&mut self, cut: Option<Cut>, twice: bool) {
        let buyer = self.pick(&self.buyers.clone()).unwrap();
        let token = self.w.token(Audience::Customer, &buyer, None).await;
        let slug = ["sapi-limosin", "kambing-standar", "domba-garut"][self.random.usize(..3)];
        let click = self.pick(&self.clicks.clone()).filter(|_| self.random.u8(..10) < 8);
        let mut body = World::order_body(slug, self.random.u32(1..3), click.as_deref());
        if self.random.bool() {
            body["coupon"] = json!("BERKAH10");
        }
        let key = self.key();
        let first = self.call(cut, "POST", "/api/orders", &token, Some(&key), body.clone()).await;
        let (mut answer, repeat) = (first, twice || cut.is_some());
        if repeat {
            self.w.wire.revive();
            answer = self.call(None, "POST", "/api/orders", &token, Some(&key), body).await;
        }
        if answer.status == 201 {
            let mut order = answer.body;
            order["buyer"] = json!(buyer);
            self.orders.push(order);
        }
    }

    /// On the hosted page: in time, late, or twice over two links; sometimes a sum that was not asked for.
    fn pay(&mut self, wrong: bool) {
        let Some(order) = self.pick(&self.orders.clone()) else { return };
        let Some(invoice) = order["payment_url"].as_str().and_then(|u| u.rsplit('/').next()) else { return };
        let method = ["EWALLET", "BANK_TRANSFER", "QR_CODE"][self.random.usize(..3)];
        let amount = wrong.then(|| self.random.i64(1..5_000_000));
        if let Some(notice) = self.w.wire.zendit.pay(invoice, method, amount) {
            self.notices.push(notice);
        }
    }

    async fn machine(&mut self, step: Step, cut: Option<Cut>) {
        let notice = self.pick(&self.notices.clone());
        if let Some(cut) = cut {
            self.w.wire.arm(cut);
        }
        let now = json!({ "time": self.w.now() });
        match (step, notice) {
            (Step::Webhook, Some(notice)) => {
                self.w.webhook(&notice).await;
            }
            (Step::Work, _) => {
                self.w.work_once().await;
            }
            // A schedule under a fault may fail; the next run goes on.
            (Step::Expire, _) => {
                drop(qutab_tests::grants::acting("payment-expiry", payment_expiry::run(&self.w.shop, serde_json::from_value(now).unwrap())).await);
            }
            (Step::Mature, _) => {
                drop(qutab_tests::grants::acting("maturation", maturation::run(&self.w.shop.app, serde_json::from_value(now).unwrap())).await);
            }
            (Step::Sweep, _) => drop(qutab::app::owed::sweep(&self.w.shop.app, self.w.now()).await),
            _ => {}
        }
    }

    async fn customer(&mut self, step: Step, cut: Option<Cut>) {
        let Some(order) = self.pick(&self.orders.clone()) else { return };
        let token = self.w.token(Audience::Customer, order["buyer"].as_str().unwrap(), None).await;
        let id = order["id"].as_str().unwrap();
        match step {
            Step::NewLink => {
                let link = self.call(cut, "POST", &format!("/api/orders/{id}/payments"), &token, None, json!({})).await;
                if link.status < 300 && self.random.bool() {
                    let mut again = order.clone();
                    again["payment_url"] = link.body["payment_url"].clone();
                    self.orders.push(again);
                }
            }
            Step::CheckPayment => drop(self.call(cut, "GET", &format!("/api/orders/{id}/payment"), &token, None, json!({})).await),
            _ => drop(self.call(cut, "POST", &format!("/api/orders/{id}/cancel"), &token, None, json!({})).await),
        }
    }

    async fn staff(&mut self, step: Step, cut: Option<Cut>) {
        let Some(order) = self.pick(&self.orders.clone()) else { return };
        let path = format!("/api/admin/orders/{}", order["id"].as_str().unwrap());
        let token = self.admin(if matches!(step, Step::Advance) { Role::Operations } else { Role::Finance }).await;
        if matches!(step, Step::Advance) {
            let seen = self.w.get(&path, &token).await.ok();
            let to = match seen["status"].as_str() {
                Some("paid") => "processing",
                Some("processing") => "distributed",
                _ => "completed",
            };
            self.call(cut, "POST", &format!("{path}/status"), &token, None, json!({ "to": to })).await;
            return;
        }
        let body = match step {
            Step::RefundEnds if self.random.bool() => json!({ "kind": "end", "because": "undeliverable" }),
            Step::RefundEnds => json!({ "kind": "end" }),
            _ => json!({ "kind": "adjust", "amount": self.random.i64(1..4_000_000), "reason": "hewan lebih kecil" }),
        };
        let key = self.key();
        let first = self.call(cut, "POST", &format!("{path}/refund"), &token, Some(&key), body.clone()).await;
        if first.status >= 500 {
            self.w.wire.revive();
            self.call(None, "POST", &format!("{path}/refund"), &token, Some(&key), body).await;
        }
    }

    async fn money(&mut self, step: Step, cut: Option<Cut>) {
        let affiliate = self.pick(&self.affiliates.clone()).unwrap();
        let own = self.w.token(Audience::Affiliate, &affiliate.id, None).await;
        let role = if self.random.bool() { Role::Finance } else { Role::Owner };
        let staff = self.admin(role).await;
        match step {
            Step::ChangeBank => {
                let number = self.random.u64(1_000_000_000..9_999_999_999).to_string();
                let body = json!({ "bank_code": "014", "account_number": number, "holder_name": "Promotor Handal", "current_password": PASSWORD });
                self.call(cut, "PUT", "/api/affiliate/bank-account", &own, None, body).await;
            }
            Step::VerifyBank => {
                let path = format!("/api/admin/bank-accounts/{}", affiliate.id);
                let seen = self.w.get(&path, &staff).await;
                let body = json!({ "version": seen.body["version"] });
                drop(self.call(cut, "POST", &format!("{path}/verify"), &staff, None, body).await);
            }
            Step::RequestPayout => {
                let body = if self.random.bool() { json!({}) } else { json!({ "amount": self.random.i64(100_000..1_500_000) }) };
                let key = self.key();
                let mut answer = self.call(cut, "POST", "/api/affiliate/payouts", &own, Some(&key), body.clone()).await;
                if answer.status >= 500 {
                    self.w.wire.revive();
                    answer = self.call(None, "POST", "/api/affiliate/payouts", &own, Some(&key), body).await;
                }
                if answer.status == 201 {
                    self.payouts.push(answer.body["id"].as_str().unwrap().to_owned());
                }
            }
            _ => {
                let Some(payout) = self.pick(&self.payouts.clone()) else { return };
                let (action, body) = [
                    ("process", json!({})),
                    ("process", json!({})),
                    ("pay", json!({ "reference": format!("BCA-{payout}").chars().take(30).collect::<String>() })),
                    ("pay", json!({ "reference": format!("BCA-{payout}").chars().take(30).collect::<String>() })),
                    ("fail", json!({ "reason": "ditolak bank" })),
                    ("reject", json!({ "reason": "perlu diperiksa" })),
                    ("reverse", json!({ "reason": "dikembalikan bank" })),
                ][self.random.usize(..7)]
                .clone();
                self.call(cut, "POST", &format!("/api/admin/payouts/{payout}/{action}"), &staff, None, body).await;
            }
        }
    }
}
