//! What happens in a story: clicks, orders, payments, the work of queues and schedules.

use super::{Affiliate, Answer, WEBHOOK_TOKEN, World};
use qutab::app::reconcile::Recount;
use qutab::domain::{
    coupon::{Coupon, CouponCode, Discount},
    money::{BasisPoints, Rupiah},
};
use qutab::events::batch::{Answer as Outcome, Batch, Record};
use qutab_local::{Call, dynamo, mailbox::Mail, queues::Message, seed};
use serde_json::{Value, json};

impl World {
    /// Follows the link as a visitor: the signed click.
    pub async fn click(&self, code: &str) -> String {
        let answer = self.send("GET", &format!("/r/{code}"), None, &[], None).await;
        assert_eq!(answer.status, 302);
        let location = answer.headers["location"].to_str().unwrap();
        location.split_once("?ref=").map(|(_, t)| t.to_owned()).unwrap_or_default()
    }

    pub fn order_body(slug: &str, quantity: u32, referral: Option<&str>) -> Value {
        let names: Vec<Value> = (0..quantity.max(1)).map(|_| json!({ "name": "Ahmad", "father": "Umar" })).collect();
        json!({ "items": [{ "product_id": seed::product_id(slug), "quantity": quantity, "shohibul": names }],
            "recipient": { "name": "Masjid Al Hikmah", "location": "Lombok Timur" }, "terms_version": "2026-01", "consent": true,
            "referral_token": referral })
    }

    pub async fn order(&self, token: &str, slug: &str, referral: Option<&str>) -> Value {
        self.post("/api/orders", token, Self::order_body(slug, 1, referral)).await.ok()
    }

    /// Pays on the hosted page and delivers the webhook to the queue.
    pub async fn pay(&self, order: &Value) {
        self.pay_by(order, "EWALLET").await;
    }

    pub async fn pay_by(&self, order: &Value, method: &str) {
        let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let notice = self.wire.zendit.pay(&invoice, method, None).expect("the invoice takes money");
        assert_eq!(self.webhook(&notice).await.status, 200);
    }

    pub async fn webhook(&self, notice: &Value) -> Answer {
        self.send("POST", "/webhooks/zendit", None, &[("x-callback-token", WEBHOOK_TOKEN)], Some(notice.clone())).await
    }

    /// Days of every schedule that moves money: the sweep, the expiry and the queues, every six hours.
    pub async fn days_pass(&self, days: usize) {
        for _ in 0..days * 4 {
            self.pass_seconds(6 * 3_600);
            self.expire().await;
            self.sweep().await;
            self.drain().await;
        }
    }

    /// Hands on what the outbox holds.
    pub async fn sweep(&self) {
        qutab::app::owed::sweep(&self.shop.app, self.now()).await.unwrap();
    }

    /// The items of one kind, as the engine has them.
    pub fn kind(&self, kind: &str) -> Vec<Value> {
        self.items().into_iter().filter(|i| i["kind"]["S"] == kind).collect()
    }

    /// Works until both queues are empty; failed messages come back as a real poller would bring them.
    pub async fn drain(&self) {
        for _ in 0..200 {
            let worked = self.work_once().await;
            if !worked {
                return;
            }
        }
        panic!("the queues do not drain: {:?}", self.wire.queues.depth());
    }

    /// Works one batch of the payments queue only.
    pub async fn work_payments(&self) {
        let payments = self.wire.queues.receive("PaymentsQueue", 10, self.now().unix());
        let failed = super::grants::acting("commission-worker", commission_worker::work(&self.shop, batch(&payments))).await;
        self.finish("PaymentsQueue", &payments, &failed);
    }

    pub async fn work_once(&self) -> bool {
        let now = self.now().unix();
        let payments = self.wire.queues.receive("PaymentsQueue", 10, now);
        let mails = self.wire.queues.receive("NotificationsQueue", 10, now);
        let uploads = self.wire.queues.receive("UploadsQueue", 10, now);
        let pictures = self.wire.queues.receive("MediaQueue", 1, now);
        let worked = [&payments, &mails, &uploads, &pictures].iter().any(|q| !q.is_empty());
        let failed = super::grants::acting("upload-worker", upload_worker::work(&self.intake, batch(&uploads))).await;
        self.finish("UploadsQueue", &uploads, &failed);
        let failed = super::grants::acting("media", media::work(&self.darkroom, batch(&pictures))).await;
        self.finish("MediaQueue", &pictures, &failed);
        let failed = super::grants::acting("commission-worker", commission_worker::work(&self.shop, batch(&payments))).await;
        self.finish("PaymentsQueue", &payments, &failed);
        let failed = super::grants::acting("notification-worker", notification_worker::work(&self.notifier, batch(&mails))).await;
        self.finish("NotificationsQueue", &mails, &failed);
        if worked && failed != Outcome::default() {
            self.pass_seconds(61);
        }
        worked
    }

    fn finish(&self, queue: &str, messages: &[Message], failed: &Outcome) {
        for message in messages {
            if failed.batch_item_failures.iter().any(|f| f.item_identifier == message.id) {
                self.wire.queues.again(queue, &message.id, 0);
            } else {
                self.wire.queues.delete(queue, &message.id);
            }
        }
    }

    /// A coupon of ten percent with limits in all and for one customer.
    pub async fn coupon(&self, code: &str, limit: u32, per_customer: Option<u32>) {
        let coupon = Coupon { limit, per_customer, ..self.plain_coupon(code) };
        self.put_coupon(coupon).await;
    }

    /// A coupon of ten percent, for everything and everybody, for a month.
    pub fn plain_coupon(&self, code: &str) -> Coupon {
        Coupon {
            code: CouponCode::parse(code).unwrap(),
            discount: Discount::Percent { rate: BasisPoints::percent(10), cap: None },
            valid_from: self.now(),
            valid_until: self.now().plus_days(30),
            minimum_order: Rupiah::ZERO,
            limit: 100,
            used: 0,
            active: true,
            affiliate: None,
            per_customer: None,
            categories: Vec::new(),
            products: Vec::new(),
        }
    }

    pub async fn put_coupon(&self, coupon: Coupon) {
        self.shop.app.store.create(&coupon).await.unwrap();
    }

    /// How often a coupon is used or held.
    pub fn coupon_used(&self, code: &str) -> i64 {
        let items = self.items();
        let coupon = items.iter().find(|i| i["kind"]["S"] == "coupon" && i["code"]["S"] == code).unwrap();
        coupon["used"]["N"].as_str().unwrap().parse().unwrap()
    }

    /// The mails that somebody got, oldest first.
    pub fn mails_to(&self, email: &str) -> Vec<Mail> {
        self.wire.mailbox.all().into_iter().filter(|m| m.to == email).collect()
    }

    /// The secret of the last mailed link whose page is `page`.
    pub fn mailed_token(&self, email: &str, page: &str) -> String {
        let marker = format!("/{page}?token=");
        let mails = self.mails_to(email);
        let link = mails.iter().rev().find_map(|m| m.text.split_once(marker.as_str())).unwrap_or_else(|| panic!("no {page} link for {email}"));
        link.1.split_whitespace().next().unwrap().to_owned()
    }

    pub async fn advance(&self, order: &str, statuses: &[&str]) {
        let ops = self.admin("ops").await;
        for status in statuses {
            self.post(&format!("/api/admin/orders/{order}/status"), &ops, json!({ "to": status })).await.ok();
        }
    }

    pub async fn mature(&self) -> u32 {
        let event = serde_json::from_value(json!({ "time": self.now() })).unwrap();
        super::grants::acting("maturation", maturation::run(&self.shop.app, event)).await.unwrap().commissions
    }

    pub async fn expire(&self) -> usize {
        let event = serde_json::from_value(json!({ "time": self.now() })).unwrap();
        super::grants::acting("payment-expiry", payment_expiry::run(&self.shop, event)).await.unwrap().expired
    }

    pub async fn stock(&self, slug: &str) -> i64 {
        let answer = self.send("GET", &format!("/api/products/{slug}"), None, &[], None).await.ok();
        answer["available"].as_i64().unwrap()
    }

    pub async fn balance(&self, affiliate: &Affiliate) -> (i64, i64, i64, i64) {
        let b = self.get("/api/affiliate/balance", &affiliate.token).await.ok();
        let n = |name: &str| b[name].as_i64().unwrap();
        (n("pending"), n("available"), n("reserved"), n("paid_out"))
    }

    /// Every item of the table, as the engine has it.
    pub fn items(&self) -> Vec<Value> {
        let mut found = Vec::new();
        let mut request = json!({ "TableName": "qutab-local" });
        loop {
            let headers = vec![("x-amz-target".into(), "DynamoDB_20120810.Scan".into())];
            let call = Call { method: "POST".into(), path: "/".into(), headers, body: request.to_string().into_bytes() };
            let answer: Value = serde_json::from_str(&dynamo::answer(&self.wire.db, &call).body).unwrap();
            found.extend(answer["Items"].as_array().unwrap().iter().cloned());
            if answer["LastEvaluatedKey"].is_null() {
                return found;
            }
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"].clone();
        }
    }

    /// The invariants of money that must hold after every step: a full recount of every ledger agrees.
    pub async fn check_ledgers(&self) {
        let result = qutab::app::reconcile::reconcile(&self.shop.app, self.now(), Recount::Full).await.unwrap();
        assert!(result.differences.is_empty(), "wallets are not the sum of their ledgers: {:?}", result.differences);
    }
}

fn batch(messages: &[Message]) -> Batch {
    Batch { records: messages.iter().map(|m| Record { message_id: m.id.clone(), body: m.body.clone() }).collect() }
}
