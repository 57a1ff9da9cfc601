//! A whole system in one process: the real groups and workers over the real SDK clients, against stand-ins on the
//! wire. Every test has its own; nothing is shared, nothing sleeps, and time is set by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_debug_implementations)]

mod between;
mod events;
pub mod exchange;
pub mod grants;
mod groups;
pub mod hooked;
mod people;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use axum::body::Body;
pub use groups::all_groups;
use http::{Request, Response};
use qutab::{
    app::{
        Shop,
        uploads::{Darkroom, Intake},
    },
    domain::time::{Clock, Entropy, Timestamp},
    files::{Archive, Media},
    http::Group,
    runtime::{clients::Wiring, config::Environment},
    secrets::token::generate_keys,
};
use qutab_local::{
    dynamo,
    files::{self, Files},
    kept::Kept,
    mailbox::Mailbox,
    queues::{Queues, Rules},
    replica::Replica,
    seed, template,
    weather::Weather,
    whatsapp::WhatsApp,
    wire::Wire,
    zendit::Zendit,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt;

pub const PASSWORD: &str = seed::PASSWORD;
/// The names of the buckets here, and in the template.
pub const BUCKETS: [(&str, &str); 4] =
    [("media", "MediaBucket"), ("quarantine", "QuarantineBucket"), ("documents", "DocumentsBucket"), ("archive", "ArchiveBucket")];
pub const WEBHOOK_TOKEN: &str = "callback-token-of-the-tests";
pub const TEMPLATE: &str = include_str!("../../template.yaml");

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
    pub media: Media,
    pub intake: Intake,
    pub darkroom: Darkroom,
    pub archive: Archive,
    groups: Arc<Vec<Group>>,
    fallback: Arc<Group>,
    admins: Arc<Mutex<BTreeMap<String, (Timestamp, String)>>>,
    moment: between::Moment,
    time: Arc<AtomicI64>,
    lean: bool,
    /// Where files are kept while this world is used.
    _directory: Arc<tempfile::TempDir>,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Value,
    /// The body as it came, for answers that are not JSON.
    pub bytes: Vec<u8>,
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
        ("REFERRAL_KEYS", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("CURSOR_KEY", "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="),
        ("MAIL_FROM", "Qutab <no-reply@shop.test>"),
        ("MEDIA_URL", "http://s3.local/media"),
        ("MEDIA_BUCKET", "media"),
        ("QUARANTINE_BUCKET", "quarantine"),
        ("DOCUMENTS_BUCKET", "documents"),
        ("ARCHIVE_BUCKET", "archive"),
        ("UPLOADS_QUEUE_URL", "http://queues/UploadsQueue"),
        ("MEDIA_QUEUE_URL", "http://queues/MediaQueue"),
        ("VAULT_KEYS", "v1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="),
        ("VAULT_FINDER", "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="),
        ("AWS_ENDPOINT_URL_S3", "http://s3.local"),
        ("AWS_ACCESS_KEY_ID", files::CREDENTIALS),
        ("AWS_SECRET_ACCESS_KEY", files::CREDENTIALS),
    ];
    Environment::of(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())))
}

fn seeded(seed: u64) -> Entropy {
    let random = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
    Entropy::new(move |bytes| random.lock().unwrap().fill(bytes))
}

static WORLDS: AtomicU64 = AtomicU64::new(1);

/// What every world is built from, read once.
static PLAN: LazyLock<template::Template> =
    LazyLock::new(|| template::read(TEMPLATE, &BTreeMap::from([("Stage".to_owned(), "local".to_owned())])).unwrap());
static KEYS: LazyLock<(String, String)> = LazyLock::new(|| generate_keys("k1").unwrap());

/// When every world begins.
pub const BEGINNING: &str = "2026-11-23T03:00:00Z";

/// How a world is made.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    pub seed: u64,
    pub begins: Timestamp,
    /// The table's items, as [`World::items`] gives them; a world without them is seeded.
    pub items: Option<&'a [Value]>,
    /// Nothing is asked of an exchange but its effect: neither rights nor the document nor prices.
    pub lean: bool,
    /// Indexes are a table of their own, and can be made to lag.
    pub lagging: bool,
}

impl World {
    pub async fn new() -> Self {
        Self::seeded(WORLDS.fetch_add(1, Ordering::Relaxed)).await
    }

    pub async fn seeded(seed: u64) -> Self {
        let begins = Timestamp::parse(BEGINNING).unwrap();
        Self::built(Plan { seed, begins, items: None, lean: false, lagging: false }).await
    }

    /// A world whose indexes can be made to lag.
    pub async fn lagging() -> Self {
        let begins = Timestamp::parse(BEGINNING).unwrap();
        Self::built(Plan { seed: WORLDS.fetch_add(1, Ordering::Relaxed), begins, items: None, lean: false, lagging: true }).await
    }

    pub async fn built(plan: Plan<'_>) -> Self {
        let template = &*PLAN;
        let db = dynamo::with_items(&template.table, plan.items.unwrap_or_default());
        let rules = template.queues.iter();
        let rules = rules.map(|(name, q)| (name.clone(), Rules { visibility: q.visibility, dead_letters: q.dead_letters.clone() })).collect();
        let time = Arc::new(AtomicI64::new(plan.begins.unix()));
        let read = |time: &Arc<AtomicI64>| {
            let time = time.clone();
            move || Timestamp::from_unix(time.load(Ordering::SeqCst))
        };
        let zendit = Zendit::new(Kept::in_memory(), "secret", "https://zendit.test", read(&time));
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let files = Files::new(directory.path(), template.buckets.iter().map(|id| files::bucket_name(id)));
        let mut wire = Wire::new(
            db,
            Queues::new(Kept::in_memory(), rules),
            Mailbox::new(Kept::in_memory()),
            zendit,
            files,
            WhatsApp::new(Kept::in_memory(), "secret"),
        );
        wire.replica = plan.lagging.then(|| Replica::new(dynamo::with_items(&template.table, plan.items.unwrap_or_default())));
        wire.expect(Weather { uncounted: plan.lean, ..Weather::default() });
        let (signing, public) = &*KEYS;
        let moment = between::Moment::default();
        let wiring = Wiring {
            wire: if plan.lean {
                SharedHttpConnector::new(wire.clone())
            } else {
                SharedHttpConnector::new(between::Between { inner: grants::Granted(wire.clone()), moment: moment.clone() })
            },
            outside: SharedHttpConnector::new(wire.clone()),
            sleep: SharedAsyncSleep::new(NoSleep),
            entropy: seeded(plan.seed),
            environment: environment(signing, public),
        };
        let clock = Clock::new(read(&time));
        let app = wiring.app(clock.clone()).unwrap();
        let shop = wiring.shop(clock.clone()).unwrap();
        if plan.items.is_none() {
            seed::seed(&app).await.unwrap();
        }
        let notifier = notification_worker::Notifier::build(&wiring, app.clone()).unwrap();
        let intake = wiring.intake(clock.clone()).unwrap();
        let groups = all_groups(
            &app,
            &shop,
            &wiring.counter(clock.clone()).unwrap(),
            &intake,
            &wiring.reading_room(clock.clone()).unwrap(),
            &wiring.workshop(clock.clone()).unwrap(),
            zendit_webhook::Webhook::build(&wiring, clock.clone()).unwrap(),
        );
        wire.revive();
        let (groups, fallback, media) = (Arc::new(groups), Arc::new(fallback::group()), wiring.media().unwrap());
        Self {
            wire,
            shop,
            notifier,
            media,
            intake,
            darkroom: wiring.darkroom().unwrap(),
            archive: wiring.archive().unwrap(),
            groups,
            fallback,
            admins: Arc::default(),
            moment,
            time,
            lean: plan.lean,
            _directory: directory,
        }
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
        self.call("203.0.113.7", method, path, token, headers, body).await
    }

    /// Does something just before the next request of the table with that action and that word in its body.
    pub fn between(&self, action: &'static str, word: &'static str, act: impl Future<Output = ()> + Send + 'static) {
        *self.moment.lock().unwrap() = Some((action, word, Box::pin(act)));
    }

    /// The same as [`World::send`], from another network address.
    pub async fn send_at(&self, address: &str, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        self.call(address, method, path, Some(token).filter(|t| !t.is_empty()), headers, Some(body)).await
    }

    /// The same, by nobody at another address.
    pub async fn send_from(&self, address: &str, method: &str, path: &str, body: Value) -> Answer {
        self.call(address, method, path, None, &[], Some(body)).await
    }

    async fn call(&self, address: &str, method: &str, path: &str, token: Option<&str>, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let bare = path.split('?').next().unwrap();
        let fits = |g: &&Group| g.routes.iter().any(|r| r.method == method && matches(r.path, bare));
        let group = self.groups.iter().find(fits).unwrap_or(&self.fallback);
        let mut request = Request::builder().method(method).uri(path);
        let mut context = json!({ "routeKey": "x", "accountId": "1", "stage": "$default", "requestId": "test", "apiId": "a",
            "http": { "method": method, "path": bare, "protocol": "HTTP/1.1", "sourceIp": address, "userAgent": "Mozilla/5.0" }, "timeEpoch": 0 });
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
            let header = admin_authorizer::Request { headers: [("authorization".to_owned(), format!("Bearer {token}"))].into() };
            if bare.starts_with("/api/admin") {
                let Ok(verdict) = grants::acting("admin-authorizer", admin_authorizer::authorize(&self.shop.app, &header)).await else {
                    return Answer { status: 500, headers: http::HeaderMap::new(), body: json!({}), bytes: Vec::new() };
                };
                if verdict.is_authorized {
                    context["authorizer"] = json!({ "lambda": verdict.context });
                }
            }
        }
        if !headers.iter().any(|(name, _)| *name == "user-agent") {
            request = request.header("user-agent", "Mozilla/5.0");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = body.clone();
        let body = body.map_or_else(String::new, |b| b.to_string());
        let mut request = request.header("content-type", "application/json").body(Body::from(body)).unwrap();
        let context: lambda_http::request::RequestContext =
            lambda_http::request::RequestContext::ApiGatewayV2(serde_json::from_value(context).unwrap());
        request.extensions_mut().insert(context);
        let answer = read(grants::acting(group.name, group.router.clone().oneshot(request)).await.unwrap()).await;
        if !self.lean
            && let Some(route) = group.routes.iter().find(|r| r.method == method && matches(r.path, bare))
        {
            exchange::check(route, sent.as_ref(), &answer);
        }
        answer
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send("GET", path, Some(token), &[], None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send("POST", path, Some(token).filter(|t| !t.is_empty()), &[], Some(body)).await
    }

    /// A request under a name of its own, where a repeat would otherwise have its effect again.
    pub async fn post_once(&self, path: &str, token: &str, body: Value) -> Answer {
        static SENT: AtomicU64 = AtomicU64::new(0);
        let name = format!("once-{}", SENT.fetch_add(1, Ordering::Relaxed));
        self.send("POST", path, Some(token), &[("idempotency-key", &name)], Some(body)).await
    }
}

#[derive(Debug, Clone)]
pub struct Affiliate {
    pub token: String,
    pub id: String,
    pub code: String,
    pub email: String,
}

/// Whether a path fits a route's pattern.
pub fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(p, s)| p.starts_with('{') || p == s)
}

async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 10 << 20).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        bytes: bytes.to_vec(),
    }
}
