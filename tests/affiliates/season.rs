//! A whole season of one affiliate, from the application to the last statement.

use qutab::domain::{coupon::Coupon, ids::AffiliateId};
use qutab_tests::{Affiliate, World};
use serde_json::{Value, json};

struct Season {
    w: World,
    rina: Affiliate,
}

impl Season {
    /// The next day, logged in again.
    async fn days(&mut self, days: i64) {
        self.w.pass_days(days);
        self.rina = self.w.affiliate_again(&self.rina).await;
    }

    async fn see(&self, path: &str) -> Value {
        self.w.get(&format!("/api/affiliate/{path}"), &self.rina.token).await.ok()
    }

    /// Somebody follows the link and buys; nothing is paid yet.
    async fn order(&self, buyer: &str, slug: &str, coupon: Option<&str>) -> Value {
        self.w.pass_seconds(1);
        let token = self.w.customer_again(buyer).await;
        let click = if coupon.is_none() { Some(self.w.click(&self.rina.code).await) } else { None };
        let mut body = World::order_body(slug, 1, click.as_deref());
        body["coupon"] = json!(coupon);
        self.w.post("/api/orders", &token, body).await.ok()
    }

    async fn paid(&self, order: &Value) {
        self.w.pay(order).await;
        self.w.drain().await;
    }

    async fn count(&self) {
        let event = serde_json::from_value(json!({ "time": self.w.now() })).unwrap();
        qutab_tests::grants::acting("aggregation", aggregation::run(&self.w.shop.app, event)).await.unwrap();
    }

    async fn pay_out(&self, body: Value, reference: &str) {
        let payout = self.w.post("/api/affiliate/payouts", &self.rina.token, body).await.ok();
        let (finance, path) = (self.w.admin("finance").await, format!("/api/admin/payouts/{}", payout["id"].as_str().unwrap()));
        self.w.post(&format!("{path}/process"), &finance, json!({})).await.ok();
        self.w.post(&format!("{path}/pay"), &finance, json!({ "reference": reference })).await.ok();
        self.w.drain().await;
    }
}

fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

#[tokio::test]
async fn an_affiliate_lives_a_whole_season() {
    let w = World::new().await;
    for buyer in ["budi", "siti", "agus"] {
        w.customer(buyer).await;
    }
    let rina = w.affiliate("rina").await;
    let mut s = Season { w, rina };
    s.w.put_coupon(Coupon { affiliate: AffiliateId::parse(&s.rina.id), ..s.w.plain_coupon("RINA10") }).await;

    // First day: three sales, one of them by coupon, and one order that nobody pays.
    let cow = s.order("budi", "sapi-limosin", None).await;
    let goat = s.order("siti", "kambing-standar", None).await;
    let by_coupon = s.order("agus", "kambing-standar", Some("RINA10")).await;
    s.order("agus", "domba-garut", None).await;
    for order in [&cow, &goat, &by_coupon] {
        s.paid(order).await;
    }
    s.days(1).await;
    s.w.expire().await;
    s.w.drain().await;
    s.count().await;
    let leads = s.see("referrals").await;
    assert_eq!((leads["totals"]["leads"].as_i64(), leads["totals"]["sales"].as_i64()), (Some(4), Some(3)));
    let summary = s.see("dashboard/summary").await;
    assert_eq!(
        (summary["clicks"].as_i64(), summary["conversions"].as_i64(), summary["balance"]["pending"].as_i64()),
        (Some(3), Some(3), Some(1_250_000 + 137_500 + 123_750))
    );

    // The goat's buyer gets half back, the coupon's everything.
    let finance = s.w.admin("finance").await;
    let half = json!({ "kind": "adjust", "amount": 1_375_000, "reason": "bobot kurang" });
    s.w.post_once(&format!("/api/admin/orders/{}/refund", id(&goat)), &finance, half).await.ok();
    let whole = json!({ "kind": "end", "because": "undeliverable" });
    s.w.post(&format!("/api/admin/orders/{}/refund", id(&by_coupon)), &finance, whole).await.ok();
    s.w.drain().await;
    for order in [&cow, &goat] {
        s.w.advance(id(order), &["processing", "distributed", "completed"]).await;
    }
    assert_eq!(s.w.balance(&s.rina).await, (1_250_000 + 68_750, 0, 0, 0));

    // A month later: account, maturation, two payouts.
    s.days(31).await;
    assert_eq!(s.w.mature().await, 2);
    s.w.verify_bank(&s.rina).await;
    s.pay_out(json!({ "amount": 1_000_000 }), "BCA-1").await;
    s.pay_out(json!({}), "BCA-2").await;
    assert_eq!(s.w.balance(&s.rina).await, (0, 0, 0, 1_318_750));
    let statuses: Vec<Value> = s.see("referrals").await["items"].as_array().unwrap().iter().map(|l| l["status"].clone()).collect();
    assert_eq!(statuses, ["void", "void", "paid", "paid"], "newest first: never paid, refunded, two paid out");

    // The cow's buyer complains late: what was paid out is owed back, and the next sale fills it.
    s.w.post(&format!("/api/admin/orders/{}/refund", id(&cow)), &s.w.admin("finance").await, json!({ "kind": "end", "because": "undeliverable" }))
        .await
        .ok();
    assert_eq!(s.w.balance(&s.rina).await, (0, -1_250_000, 0, 1_318_750));
    let last = s.order("siti", "sapi-limosin", None).await;
    s.paid(&last).await;
    s.w.advance(id(&last), &["processing", "distributed", "completed"]).await;
    s.days(31).await;
    assert_eq!(s.w.mature().await, 1);
    assert_eq!(s.w.balance(&s.rina).await, (0, 0, 0, 1_318_750), "owed and earned are even");
    assert_eq!(s.see("payouts/eligibility").await["reasons"], json!(["below_minimum"]));

    // What remains is on paper: two months of statements that end in the balance.
    let month = s.w.now().day().to_string();
    let statement = s.see(&format!("ledger?month={}", &month[..7])).await;
    assert_eq!((statement["closing"]["paid_out"].as_i64(), statement["closing"]["available"].as_i64()), (Some(1_318_750), Some(0)));
    assert_eq!(s.see("payouts").await["items"].as_array().unwrap().len(), 2);
    let told: Vec<String> = s.w.mails_to(&s.rina.email).into_iter().map(|m| m.subject).collect();
    assert_eq!(told.iter().filter(|t| *t == "Pencairan komisi Anda telah ditransfer").count(), 2, "{told:?}");
    s.w.check_ledgers().await;
}
