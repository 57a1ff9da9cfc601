//! The steps of the walk. Each says what was done, and the state and the amounts after it.

use super::caller::Caller;
use crate::seed::{self, PASSWORD};
use http::Method;
use qutab::{
    domain::money::Rupiah,
    runtime::{system_clock, system_entropy},
};
use serde_json::{Value, json};
use std::{collections::HashMap, time::Duration};
use tokio::sync::Mutex;

pub(super) type Step = Result<(), String>;

const WAIT: Duration = Duration::from_millis(200);
const LOOKS: u32 = 600;
/// After so many looks the sweep is asked for work that was lost with a killed worker, instead of waiting minutes for it.
const PATIENCE: u32 = 50;

pub struct Walk {
    pub(super) caller: Caller,
    /// Makes names and keys of this walk its own.
    pub(super) tag: String,
    number: u32,
    affiliate_email: String,
    affiliate: String,
    code: String,
    pub(super) customer_email: String,
    pub(super) sold: String,
    tokens: Mutex<HashMap<String, String>>,
}

pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

pub(super) fn rupiah(value: &Value, name: &str) -> String {
    Rupiah::new(value[name].as_i64().unwrap_or_default()).to_string()
}

impl Walk {
    pub fn new(caller: Caller) -> Self {
        let tag = system_entropy().text(8, b"abcdefghjkmnpqrstuvwxyz");
        let (affiliate_email, customer_email) = (format!("rina-{tag}@example.com"), format!("budi-{tag}@example.com"));
        let (affiliate, code, sold, tokens) = Default::default();
        Self { caller, tag, number: 0, affiliate_email, affiliate, code, customer_email, sold, tokens }
    }

    pub(super) fn say(&mut self, what: &str) {
        self.number += 1;
        println!("{:>3}. {what}", self.number);
    }

    fn key(&self, what: &str) -> String {
        format!("{}-{what}", self.tag)
    }

    /// Logs in once; a token outlives the walk.
    async fn login(&self, path: &str, email: &str) -> Result<String, String> {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(email) {
            return Ok(token.clone());
        }
        let answer = self.caller.post(path, "", "", &json!({ "email": email, "password": PASSWORD })).await?;
        let token = text(&answer, "access_token");
        tokens.insert(email.to_owned(), token.clone());
        Ok(token)
    }

    pub(super) async fn staff(&self, role: &str) -> Result<String, String> {
        self.login("/api/admin/auth/login", &format!("{role}@qutab.test")).await
    }

    pub(super) async fn customer(&self) -> Result<String, String> {
        self.login("/api/auth/login", &self.customer_email).await
    }

    pub(super) async fn promoter(&self) -> Result<String, String> {
        self.login("/api/affiliate/auth/login", &self.affiliate_email).await
    }

    async fn show_balance(&self) -> Step {
        let b = self.caller.get("/api/affiliate/balance", &self.promoter().await?).await?;
        let of = |name| rupiah(&b, name);
        println!("     balance: pending {}, available {}, reserved {}, paid out {}", of("pending"), of("available"), of("reserved"), of("paid_out"));
        Ok(())
    }

    /// Looks again until `path` says what is expected.
    pub(super) async fn until(&self, path: &str, token: &str, ready: impl Fn(&Value) -> bool) -> Result<Value, String> {
        let mut seen = Value::Null;
        for look in 1..=LOOKS {
            seen = self.caller.get(path, token).await?;
            if ready(&seen) {
                return Ok(seen);
            }
            if look % PATIENCE == 0 {
                self.caller.schedule("notification-worker", &system_clock().now().plus_days(1).day().to_string()).await?;
            }
            tokio::time::sleep(WAIT).await;
        }
        Err(format!("{path} never became ready: {seen}"))
    }

    pub async fn affiliate_applies(&mut self) -> Step {
        let application = json!({
            "first_name": "Rina", "last_name": "Wulandari", "email": self.affiliate_email, "password": PASSWORD, "whatsapp": "081377700011",
            "city": "Bandung", "primary_platform": "instagram", "social": { "instagram": format!("https://instagram.com/{}", self.tag) },
            "reason": "Ingin mengajak pengikut saya berkurban ke pelosok",
        });
        self.caller.post("/api/affiliate/auth/register", "", "", &application).await?;
        let token = self.promoter().await?;
        let status = self.caller.get("/api/affiliate/status", &token).await?;
        self.affiliate = text(&status, "affiliate_id");
        self.say(&format!("{} applies as affiliate: {}", self.affiliate_email, text(&status, "status")));
        let path = format!("/api/admin/applications/{}/approve", self.affiliate);
        let (code, body) = self.caller.call(Method::POST, &path, &self.staff("ops").await?, "", Some(&json!({}))).await?;
        // A repetition after a lost answer finds the application approved already.
        if code != 200 && code != 409 {
            return Err(format!("approval: {code} {body}"));
        }
        let status = self.caller.get("/api/affiliate/status", &token).await?;
        self.code = text(&status, "code");
        self.say(&format!("operations approves: {}, link /r/{}", text(&status, "status"), self.code));
        Ok(())
    }

    async fn order(&mut self, slug: &str, key: &str, click: &str) -> Result<Value, String> {
        let buyer = self.customer().await?;
        let body = json!({
            "items": [{ "product_id": seed::product_id(slug), "quantity": 1, "shohibul": [{ "name": "Budi Santoso", "father": "Harjo" }] }],
            "recipient": { "name": "Masjid Al Hikmah", "location": "Lombok Timur" }, "terms_version": "2026-01", "consent": true,
            "referral_token": click,
        });
        let order = self.caller.post("/api/orders", &buyer, &self.key(key), &body).await?;
        self.say(&format!(
            "order {} of {slug} for Budi Santoso bin Harjo: {}, total {}",
            text(&order, "number"),
            text(&order, "status"),
            rupiah(&order, "total")
        ));
        let link = self.caller.post(&format!("/api/orders/{}/payments", text(&order, "id")), &buyer, "", &json!({})).await?;
        self.caller.pay(&text(&link, "payment_url")).await?;
        let path = format!("/api/orders/{}", text(&order, "id"));
        let paid = self.until(&path, &buyer, |o| o["status"] == "paid").await?;
        self.say(&format!("paid on the hosted page, webhook, worker: order {} is {}", text(&paid, "number"), text(&paid, "status")));
        Ok(paid)
    }

    pub async fn visitor_buys(&mut self) -> Step {
        let click = self.caller.click(&self.code).await?;
        self.say(&format!("a visitor follows /r/{}: a signed click of {} characters", self.code, click.len()));
        let body = json!({ "name": "Budi Santoso", "email": self.customer_email, "phone": "081234567890", "password": PASSWORD });
        self.caller.post("/api/auth/register", "", "", &body).await?;
        self.say(&format!("registers as {}", self.customer_email));
        self.customer_proves_the_address().await?;
        self.customer_tries_a_coupon().await?;
        let order = self.order("sapi-limosin", "first", &click).await?;
        self.sold = text(&order, "id");
        self.show_balance().await
    }

    pub async fn order_completes(&mut self) -> Step {
        let operations = self.staff("ops").await?;
        for status in ["processing", "distributed", "completed"] {
            let path = format!("/api/admin/orders/{}/status", self.sold);
            let order = self.caller.post(&path, &operations, "", &json!({ "to": status })).await?;
            self.say(&format!("operations moves the order on: {}", text(&order, "status")));
        }
        Ok(())
    }

    pub async fn commission_matures(&mut self) -> Step {
        let day = system_clock().now().plus_days(31).day().to_string();
        self.caller.schedule("maturation", &day).await?;
        self.say(&format!("the maturation schedule runs as of {day}"));
        self.show_balance().await
    }

    pub async fn payout_is_paid(&mut self) -> Step {
        let account = json!({ "bank_code": "014", "account_number": "1234567890", "holder_name": "Rina Wulandari", "current_password": PASSWORD });
        let token = self.promoter().await?;
        let saved = self.caller.put("/api/affiliate/bank-account", &token, &account).await?;
        let finance = self.staff("finance").await?;
        let path = format!("/api/admin/bank-accounts/{}", self.affiliate);
        let seen = self.caller.get(&path, &finance).await?;
        self.caller.post(&format!("{path}/verify"), &finance, "", &json!({ "version": seen["version"] })).await?;
        let verified = self.caller.get("/api/affiliate/bank-account", &token).await?;
        self.say(&format!(
            "bank account {} {}: {}, then {}",
            text(&saved, "bank_name"),
            text(&saved, "account_number"),
            text(&saved, "status"),
            text(&verified, "status")
        ));
        let body = json!({ "amount": 500_000 });
        let (one, two) = (self.key("payout-1"), self.key("payout-2"));
        let request = |key| self.caller.call(Method::POST, "/api/affiliate/payouts", &token, key, Some(&body));
        let (first, second) = tokio::join!(request(&one), request(&two));
        let (first, second) = (first?, second?);
        let won = if first.0 == 201 { &first } else { &second };
        let (statuses, payout) = ((first.0, second.0), text(&won.1, "id"));
        if !matches!(statuses, (201, 409) | (409, 201)) {
            return Err(format!("two payout requests at once were answered {statuses:?}"));
        }
        self.say(&format!(
            "two payout requests at once: {} and {}; gross {}, net {}",
            statuses.0,
            statuses.1,
            rupiah(&won.1, "gross"),
            rupiah(&won.1, "net")
        ));
        self.show_balance().await?;
        let decide = format!("/api/admin/payouts/{payout}");
        let processing = self.caller.call(Method::POST, &format!("{decide}/process"), &finance, "", None).await?;
        let paid = self.caller.post(&format!("{decide}/pay"), &finance, "", &json!({ "reference": format!("BCA-{}", self.tag) })).await?;
        self.say(&format!("finance processes ({}) and pays it: {}, reference {}", processing.0, text(&paid, "status"), text(&paid, "reference")));
        self.show_balance().await
    }

    async fn refund(&mut self, order: &str, key: &str) -> Step {
        let finance = self.staff("finance").await?;
        let path = format!("/api/admin/orders/{order}");
        let body = json!({ "kind": "end", "because": "undeliverable", "reason": "hewan sakit" });
        let opened = self.caller.post(&format!("{path}/refund"), &finance, &self.key(key), &body).await?;
        let seen = self.until(&path, &finance, |o| o["refunds"][0]["status"] == "succeeded").await?;
        self.say(&format!(
            "finance refunds {}: order {}, refund {}",
            rupiah(&opened["refund"], "amount"),
            text(&seen, "status"),
            text(&seen["refunds"][0], "status")
        ));
        self.show_balance().await
    }

    pub async fn pending_commission_is_voided(&mut self) -> Step {
        let click = self.caller.click(&self.code).await?;
        let order = self.order("kambing-standar", "second", &click).await?;
        self.show_balance().await?;
        self.refund(&text(&order, "id"), "refund-2").await
    }

    pub async fn paid_commission_is_clawed_back(&mut self) -> Step {
        let order = self.sold.clone();
        self.refund(&order, "refund-1").await
    }

    pub async fn books_are_checked(&mut self) -> Step {
        let token = self.promoter().await?;
        let ledger = self.caller.get("/api/affiliate/ledger?limit=100", &token).await?;
        let mut entries = ledger["items"].as_array().cloned().unwrap_or_default();
        entries.sort_by_key(|e| e["number"].as_u64());
        self.say("the ledger, entry by entry");
        let mut sum = 0;
        for entry in &entries {
            let legs = entry["legs"].as_array().cloned().unwrap_or_default();
            sum += legs.iter().filter_map(|l| l["amount"].as_i64()).sum::<i64>();
            let shown: Vec<String> = legs.iter().map(|l| format!("{} {}", text(l, "account"), rupiah(l, "amount"))).collect();
            println!("     {:>2} {:<17}{}", entry["number"], text(&entry["cause"], "kind"), shown.join(", "));
        }
        self.show_balance().await?;
        if sum != 0 || entries.is_empty() {
            return Err(format!("the ledger sums to {sum}, over {} entries", entries.len()));
        }
        self.say(&format!("the ledger's {} entries sum to {}", entries.len(), Rupiah::ZERO));
        let reconciled = self.caller.schedule("reconciliation", &system_clock().now().day().to_string()).await?;
        let differences = reconciled["differences"].as_array().map_or(usize::MAX, Vec::len);
        self.say(&format!(
            "reconciliation: {} wallets, {} entries recounted, {differences} differences",
            reconciled["wallets"], reconciled["entries"]
        ));
        if differences == 0 { Ok(()) } else { Err("the wallets are not the sums of their ledgers".into()) }
    }
}
