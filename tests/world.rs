//! A whole system in one process: the real groups and workers over the real SDK clients, against stand-ins on the
//! wire. Every test has its own; nothing is shared, nothing sleeps, and time is set by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_debug_implementations)]

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use axum::body::Body;
use http::{Request, Response};
use qutab::{
    app::{App, Shop},
    domain::time::{Clock, Entropy, Timestamp},
    events::batch::{Batch, Record},
    http::Group,
    runtime::{clients::Wiring, config::Environment},
    secrets::token::generate_keys,
};
use qutab_local::{
    dynamo,
    kept::Kept,
    mailbox::Mailbox,
    queues::{Queues, Rules},
    seed, template,
    wire::Wire,
    zendit::Zendit,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt;

pub const PASSWORD: &str = seed::PASSWORD;
pub const WEBHOOK_TOKEN: &str = "callback-token-of-the-tests";
pub const TEMPLATE: &str = include_str!("../template.yaml");

#[derive(Debug)]
struct NoSleep;

impl AsyncSleep for NoSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        // Time-outs never fire; pauses end at once, but let others run.
        if duration > Duration::from_millis(3999) && duration < Duration::from_millis(4001) {
            Sleep::new(std::future::pending())
        } else {
            Sleep::new(tokio::task::yield_now())
        }
    }
}

#[derive(Clone)]
pub struct World {
    pub wire: Wire,
    pub shop: Shop,
    pub notifier: notification_worker::Notifier,
    groups: Arc<Vec<Group>>,
    fallback: Arc<Group>,
    admins: Arc<Mutex<BTreeMap<String, (Timestamp, String)>>>,
    time: Arc<AtomicI64>,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        self.body
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

fn environment(signing: &str, public: &str) -> Environment {
    let pairs = [
        ("STAGE", "local"),
        ("TABLE_NAME", "qutab-local"),
        ("PAYMENTS_QUEUE_URL", "http://queues/PaymentsQueue"),
        ("NOTIFICATIONS_QUEUE_URL", "http://queues/NotificationsQueue"),
        ("SHOP_URL", "https://shop.test"),
        ("API_URL", "https://api.shop.test"),
        ("LANDING_URL", "https://shop.test/"),
        ("ALLOWED_ORIGINS", "https://shop.test"),
        ("ZENDIT_URL", "https://zendit.test"),
        ("ZENDIT_SECRET", "secret"),
        ("ZENDIT_WEBHOOK_TOKEN", WEBHOOK_TOKEN),
        ("TOKEN_SIGNING_KEY", signing),
        ("TOKEN_PUBLIC_KEYS", public),
        ("REFERRAL_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("MAIL_FROM", "Qutab <no-reply@shop.test>"),
    ];
    Environment::of(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())))
}

fn seeded(seed: u64) -> Entropy {
    let random = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
    Entropy::new(move |bytes| random.lock().unwrap().fill(bytes))
}

static WORLDS: AtomicU64 = AtomicU64::new(1);

impl World {
    pub async fn new() -> Self {
        Self::seeded(WORLDS.fetch_add(1, Ordering::Relaxed)).await
    }

    pub async fn seeded(seed: u64) -> Self {
        let values = BTreeMap::from([("Stage".to_owned(), "local".to_owned())]);
        let template = template::read(TEMPLATE, &values).unwrap();
        let db = dynamo::open(None).unwrap();
        dynamo::create_table(&db, &template.table).unwrap();
        let rules = template.queues.into_iter().map(|(name, q)| (name, Rules { visibility: q.visibility, dead_letters: q.dead_letters })).collect();
        let time = Arc::new(AtomicI64::new(Timestamp::parse("2026-11-23T03:00:00Z").unwrap().unix()));
        let read = |time: &Arc<AtomicI64>| {
            let time = time.clone();
            move || Timestamp::from_unix(time.load(Ordering::SeqCst))
        };
        let zendit = Zendit::new(Kept::in_memory(), "secret", "https://zendit.test", read(&time));
        let wire = Wire::new(db, Queues::new(Kept::in_memory(), rules), Mailbox::new(Kept::in_memory()), zendit);
        let (signing, public) = generate_keys("k1").unwrap();
        let wiring = Wiring {
            wire: SharedHttpConnector::new(wire.clone()),
            sleep: SharedAsyncSleep::new(NoSleep),
            entropy: seeded(seed),
            environment: environment(&signing, &public),
        };
        let clock = Clock::new(read(&time));
        let app = App::build(&wiring, clock.clone()).unwrap();
        let shop = Shop::build(&wiring, clock).unwrap();
        seed::seed(&app).await.unwrap();
        let notifier = notification_worker::Notifier { app: app.clone(), mailer: wiring.mailer().unwrap() };
        let groups = all_groups(&app, &shop, zendit_webhook::Webhook::build(&wiring).unwrap());
        wire.revive();
        Self { wire, shop, notifier, groups: Arc::new(groups), fallback: Arc::new(fallback::group()), admins: Arc::default(), time }
    }

    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.time.load(Ordering::SeqCst))
    }

    pub fn pass_days(&self, days: i64) {
        self.time.fetch_add(days * 86_400, Ordering::SeqCst);
    }

    pub fn pass_seconds(&self, seconds: i64) {
        self.time.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Calls the API as the gateway would: the authorizer first where the route asks for it.
    pub async fn send(&self, method: &str, path: &str, token: Option<&str>, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let bare = path.split('?').next().unwrap();
        let fits = |g: &&Group| g.routes.iter().any(|r| r.method == method && matches(r.path, bare));
        let group = self.groups.iter().find(fits).unwrap_or(&self.fallback);
        let mut request = Request::builder().method(method).uri(path);
        let mut context = json!({ "routeKey": "x", "accountId": "1", "stage": "$default", "requestId": "test", "apiId": "a",
            "http": { "method": method, "path": bare, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "Mozilla/5.0" }, "timeEpoch": 0 });
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
            let header = admin_authorizer::Request { headers: [("authorization".to_owned(), format!("Bearer {token}"))].into() };
            if bare.starts_with("/api/admin") {
                let Ok(verdict) = admin_authorizer::authorize(&self.shop.app, &header).await else {
                    return Answer { status: 500, headers: http::HeaderMap::new(), body: json!({}) };
                };
                if verdict.is_authorized {
                    context["authorizer"] = json!({ "lambda": verdict.context });
                }
            }
        }
        request = request.header("user-agent", "Mozilla/5.0");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(String::new, |b| b.to_string());
        let mut request = request.header("content-type", "application/json").body(Body::from(body)).unwrap();
        let context: lambda_http::request::RequestContext =
            lambda_http::request::RequestContext::ApiGatewayV2(serde_json::from_value(context).unwrap());
        request.extensions_mut().insert(context);
        read(group.router.clone().oneshot(request).await.unwrap()).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send("GET", path, Some(token), &[], None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send("POST", path, Some(token).filter(|t| !t.is_empty()), &[], Some(body)).await
    }

    async fn login(&self, path: &str, email: &str) -> String {
        let answer = self.post(path, "", json!({ "email": email, "password": PASSWORD })).await.ok();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// An admin's token, of a login at most some minutes ago.
    pub async fn admin(&self, role: &str) -> String {
        let known = self.admins.lock().unwrap().get(role).cloned();
        if let Some((at, token)) = known
            && self.now().since(at) < 300
        {
            return token;
        }
        let token = self.login("/api/admin/auth/login", &format!("{role}@qutab.test")).await;
        self.admins.lock().unwrap().insert(role.to_owned(), (self.now(), token.clone()));
        token
    }

    pub async fn customer(&self, name: &str) -> String {
        let email = format!("{name}@example.com");
        let phone = format!("0812{:08}", name.bytes().fold(7_u32, |n, b| n.wrapping_mul(31).wrapping_add(u32::from(b))) % 100_000_000);
        let body = json!({ "name": format!("Pembeli {name}"), "email": email, "phone": phone, "password": PASSWORD });
        self.post("/api/auth/register", "", body).await.ok();
        self.login("/api/auth/login", &email).await
    }

    /// Logs a registered customer in again: access tokens end after minutes.
    pub async fn customer_again(&self, name: &str) -> String {
        self.login("/api/auth/login", &format!("{name}@example.com")).await
    }

    pub async fn affiliate_again(&self, affiliate: &Affiliate) -> Affiliate {
        Affiliate { token: self.login("/api/affiliate/auth/login", &affiliate.email).await, ..affiliate.clone() }
    }

    /// An approved affiliate: token, id and code.
    pub async fn affiliate(&self, name: &str) -> Affiliate {
        let email = format!("{name}@promo.example.com");
        let body = json!({ "first_name": name, "last_name": "Promotor", "email": email, "password": PASSWORD, "whatsapp": "081377700011",
            "city": "Bandung", "primary_platform": "instagram", "social": { "instagram": format!("https://instagram.com/{name}") },
            "reason": "Ingin mengajak pengikut saya berkurban" });
        self.post("/api/affiliate/auth/register", "", body).await.ok();
        let token = self.login("/api/affiliate/auth/login", &email).await;
        let id = self.get("/api/affiliate/status", &token).await.ok()["affiliate_id"].as_str().unwrap().to_owned();
        let ops = self.admin("ops").await;
        let code = self.post(&format!("/api/admin/applications/{id}/approve"), &ops, json!({})).await.ok()["code"].as_str().unwrap().to_owned();
        Affiliate { token, id, code, email }
    }

    pub async fn verify_bank(&self, affiliate: &Affiliate) {
        let body = json!({ "bank_code": "014", "account_number": "1234567890", "holder_name": "Promotor Handal" });
        self.send("PUT", "/api/affiliate/bank-account", Some(&affiliate.token), &[], Some(body)).await.ok();
        let finance = self.admin("finance").await;
        self.post(&format!("/api/admin/bank-accounts/{}/verify", affiliate.id), &finance, json!({})).await.ok();
    }

    /// Follows the link as a visitor: the signed click.
    pub async fn click(&self, code: &str) -> String {
        let answer = self.send("GET", &format!("/r/{code}"), None, &[], None).await;
        assert_eq!(answer.status, 302);
        let location = answer.headers["location"].to_str().unwrap();
        location.split_once("?ref=").map(|(_, t)| t.to_owned()).unwrap_or_default()
    }

    pub fn order_body(slug: &str, quantity: u32, referral: Option<&str>) -> Value {
        json!({ "items": [{ "product_id": seed::product_id(slug), "quantity": quantity, "shohibul": [{ "name": "Ahmad", "father": "Umar" }] }],
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
        let failed = commission_worker::work(&self.shop, batch(&payments)).await;
        self.finish("PaymentsQueue", &payments, &failed);
    }

    pub async fn work_once(&self) -> bool {
        let now = self.now().unix();
        let payments = self.wire.queues.receive("PaymentsQueue", 10, now);
        let mails = self.wire.queues.receive("NotificationsQueue", 10, now);
        let worked = !payments.is_empty() || !mails.is_empty();
        let failed = commission_worker::work(&self.shop, batch(&payments)).await;
        self.finish("PaymentsQueue", &payments, &failed);
        let failed = notification_worker::work(&self.notifier, batch(&mails)).await;
        self.finish("NotificationsQueue", &mails, &failed);
        if worked && failed != qutab::events::batch::Answer::default() {
            self.pass_seconds(61);
        }
        worked
    }

    fn finish(&self, queue: &str, messages: &[qutab_local::queues::Message], failed: &qutab::events::batch::Answer) {
        for message in messages {
            if failed.batch_item_failures.iter().any(|f| f.item_identifier == message.id) {
                self.wire.queues.again(queue, &message.id, 0);
            } else {
                self.wire.queues.delete(queue, &message.id);
            }
        }
    }

    pub async fn advance(&self, order: &str, statuses: &[&str]) {
        let ops = self.admin("ops").await;
        for status in statuses {
            self.post(&format!("/api/admin/orders/{order}/status"), &ops, json!({ "to": status })).await.ok();
        }
    }

    pub async fn mature(&self) -> u32 {
        let event = serde_json::from_value(json!({ "time": self.now() })).unwrap();
        maturation::run(&self.shop.app, event).await.unwrap().commissions
    }

    pub async fn expire(&self) -> usize {
        let event = serde_json::from_value(json!({ "time": self.now() })).unwrap();
        payment_expiry::run(&self.shop, event).await.unwrap().expired
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

    /// The invariants of money that must hold after every step: a full recount of every ledger agrees.
    pub async fn check_ledgers(&self) {
        let result = qutab::app::reconcile::reconcile(&self.shop.app, self.now(), true).await.unwrap();
        assert!(result.differences.is_empty(), "wallets are not the sum of their ledgers: {:?}", result.differences);
    }
}

#[derive(Debug, Clone)]
pub struct Affiliate {
    pub token: String,
    pub id: String,
    pub code: String,
    pub email: String,
}

pub fn all_groups(app: &App, shop: &Shop, webhook: zendit_webhook::Webhook) -> Vec<Group> {
    vec![
        customer_auth::group(app.clone()),
        catalog::group(app.clone()),
        orders::group(shop.clone()),
        payments::group(shop.clone()),
        zendit_webhook::group(webhook),
        referral::group(app.clone()),
        affiliate_auth::group(app.clone()),
        affiliate_finance::group(app.clone()),
        admin_auth::group(app.clone()),
        admin_affiliates::group(app.clone()),
        admin_orders::group(shop.clone()),
        admin_payouts::group(app.clone()),
    ]
}

fn batch(messages: &[qutab_local::queues::Message]) -> Batch {
    Batch { records: messages.iter().map(|m| Record { message_id: m.id.clone(), body: m.body.clone() }).collect() }
}

/// Whether a path fits a route's pattern.
pub fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(p, s)| p.starts_with('{') || p == s)
}

async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 10 << 20).await.unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}
