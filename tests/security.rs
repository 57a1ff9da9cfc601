//! Promises of `docs/security.md` that no other story keeps.

use axum::body::Body;
use http::Request;
use qutab::{
    domain::{identity::Audience, ids::SessionId},
    secrets::token::{Caller, Issuer, Verifier, generate_keys},
};
use qutab_tests::{Answer, PASSWORD, World};
use serde_json::{Value, json};
use std::path::Path;
use tower::ServiceExt;

type Headers<'a> = &'a [(&'a str, &'a str)];

/// A body as it is, to the group of that name.
async fn raw(w: &World, group: &str, path: &str, headers: Headers<'_>, body: Vec<u8>) -> (u16, Value) {
    let group = w.groups().iter().find(|g| g.name == group).unwrap();
    let mut request = Request::builder().method("POST").uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = group.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test]
async fn bodies_made_to_hurt_are_refused_by_name() {
    let w = World::new().await;
    let json_type = [("content-type", "application/json")];
    let deep = [b"{\"a\":".to_vec(), b"[".repeat(5_000), b"]".repeat(5_000), b"}".to_vec()].concat();
    let cases: [(Headers<'_>, Vec<u8>, u16, &str); 6] = [
        (&[("content-type", "text/plain")], b"{}".to_vec(), 415, "wrong_media_type"),
        (&[], b"{}".to_vec(), 415, "wrong_media_type"),
        (&json_type, deep, 400, "malformed"),
        (&json_type, br#"{"email":"a@b.id","email":"c@d.id"}"#.to_vec(), 400, "malformed"),
        (&json_type, b"{\"email\":\"\xff\xfe\"}".to_vec(), 400, "malformed"),
        (&json_type, format!("{{\"email\":\"{}\"}}", "x".repeat(70_000)).into_bytes(), 413, "too_large"),
    ];
    for (headers, body, status, code) in cases {
        let (found, problem) = raw(&w, "customer-auth", "/api/auth/login", headers, body).await;
        assert_eq!((found, problem["code"].as_str()), (status, Some(code)), "{problem}");
    }
}

#[tokio::test]
async fn a_refused_notice_leaves_nothing_and_an_unknown_event_is_taken() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.drain().await;
    let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let notice = w.wire.zendit.pay(&invoice, "EWALLET", None).unwrap();
    let before = w.items().len();
    for headers in [&[][..], &[("x-callback-token", "")], &[("x-callback-token", "callback-token-of-somebody")]] {
        assert_eq!(w.send("POST", "/webhooks/zendit", None, headers, Some(notice.clone())).await.status, 401);
    }
    assert_eq!((w.items().len(), w.work_once().await), (before, false), "no note, no message");
    assert_eq!(w.webhook(&json!({ "event": "moon.risen", "data": { "id": "x" } })).await.status, 200);
    assert!(!w.work_once().await);
    let token = ("x-callback-token", qutab_tests::WEBHOOK_TOKEN);
    let (status, _) = raw(&w, "zendit-webhook", "/webhooks/zendit", &[token], vec![b' '; 70_000]).await;
    assert_eq!(status, 413);
}

fn cookie(answer: &Answer) -> String {
    answer.headers["set-cookie"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_audiences_refresh_token_is_out_of_reach_and_opens_nothing_else() {
    let w = World::new().await;
    w.customer("budi").await;
    let rina = w.affiliate("rina").await;
    for (path, email, opens) in [
        ("/api/auth", "budi@example.com", "/api/profile"),
        ("/api/affiliate/auth", rina.email.as_str(), "/api/affiliate/profile"),
        ("/api/admin/auth", "viewer@qutab.test", "/api/admin/auth/me"),
    ] {
        let set = cookie(&w.post(&format!("{path}/login"), "", json!({ "email": email, "password": PASSWORD })).await);
        for part in ["HttpOnly", "SameSite=Strict", &format!("Path={path}")] {
            assert!(set.contains(part), "{part} is not in the cookie of {path}");
        }
        let token = set.split(';').next().unwrap().split_once('=').unwrap().1;
        assert_eq!(w.get(opens, token).await.status, 401, "a refresh token is no access token");
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_used_twice_at_once_works_once_at_most() {
    let w = World::new().await;
    w.customer("budi").await;
    for _ in 0..5 {
        let login = w.post("/api/auth/login", "", json!({ "email": "budi@example.com", "password": PASSWORD })).await;
        let cookie = cookie(&login).split(';').next().unwrap().to_owned();
        let refresh = async || w.send("POST", "/api/auth/refresh", None, &[("cookie", &cookie)], None).await.status;
        let (one, two) = tokio::join!(refresh(), refresh());
        assert!([one, two].iter().filter(|s| **s == 200).count() <= 1, "{one} {two}");
    }
}

#[test]
fn two_keys_are_taken_while_they_are_exchanged() {
    let ((old, old_public), (new, new_public)) = (generate_keys("k1").unwrap(), generate_keys("k2").unwrap());
    let now = qutab::domain::time::Timestamp::parse("2026-11-23T03:00:00Z").unwrap();
    let session = SessionId::parse("ses_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    let caller = Caller { account: "cus_01ARZ3NDEKTSV4RRFFQ69G5FAV".into(), session, role: None };
    let both = Verifier::parse(&[old_public, new_public.clone()]).unwrap();
    let token = |key: &str| Issuer::parse(key).unwrap().issue(Audience::Customer, &caller, now, 600).unwrap();
    assert!(both.verify(&token(&old), Audience::Customer, now).is_some() && both.verify(&token(&new), Audience::Customer, now).is_some());
    let after = Verifier::parse(&[new_public]).unwrap();
    assert!(after.verify(&token(&old), Audience::Customer, now).is_none(), "the old one is out");
}

#[tokio::test]
async fn a_password_has_an_end_too() {
    let w = World::new().await;
    let body = |length: usize| json!({ "name": "Budi", "email": "budi@example.com", "phone": "081234567890", "password": "k7".repeat(length / 2) });
    let long = w.post("/api/auth/register", "", body(130)).await;
    assert_eq!((long.status, long.body["errors"][0]["field"].as_str()), (422, Some("password")));
    assert_eq!(w.post("/api/auth/register", "", body(128)).await.status, 202);
}

#[tokio::test]
async fn who_asks_is_what_the_gateway_says_and_no_header() {
    let w = World::new().await;
    let mut statuses = Vec::new();
    for n in 0..200 {
        let (forged, token) = (format!("198.51.100.{n}"), format!("cus_01ARZ3NDEKTSV4RRFFQ69G5FAV.{n}"));
        let body = json!({ "token": token, "password": PASSWORD });
        statuses.push(w.send("POST", "/api/auth/reset-password", None, &[("x-forwarded-for", &forged)], Some(body)).await.status);
    }
    assert!(statuses.contains(&429), "a new header is no new address: {statuses:?}");
}

#[tokio::test]
async fn no_answer_tells_where_somebody_came_from() {
    let w = World::new().await;
    for path in ["/api/products", "/api/profile", "/api/nothing", "/r/PROMOTOR1"] {
        assert_eq!(w.send("GET", path, None, &[], None).await.headers["referrer-policy"], "no-referrer", "{path}");
    }
}

/// Every crate is under the workspace's lints, and sums overflow loudly in what is deployed.
#[test]
fn the_lints_and_the_overflow_checks_are_everywhere() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut crates: Vec<_> = std::fs::read_dir(root.join("functions")).unwrap().map(|d| d.unwrap().path()).collect();
    crates.extend(["shared", "tests", "bench", "infra/local", "infra/contract"].map(|d| root.join(d)));
    for directory in crates {
        let text = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{}", directory.display());
    }
    let workspace = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let release = workspace.split("[profile.release]").nth(1).unwrap();
    assert!(release.contains("overflow-checks = true") && workspace.contains("unsafe_code = \"forbid\""));
    let template = std::fs::read_to_string(root.join("template.yaml")).unwrap();
    assert_eq!(template.matches("ReauthorizeEvery: 0").count(), template.matches("FunctionArn: !GetAtt AdminAuthorizer.Arn").count());
}

/// A secret is compared where comparing takes the same time: nowhere else does an `==` stand beside one.
#[test]
fn secrets_are_compared_in_one_room() {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/src"), Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("secrets") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for bad in ["== hash", "token ==", "secret =="] {
                    assert!(!text.contains(bad), "{}: {bad}", path.display());
                }
            }
        }
    }
}

#[tokio::test]
async fn a_token_is_not_taken_before_its_time() {
    let w = World::new().await;
    let token = w.token(Audience::Customer, "cus_01ARZ3NDEKTSV4RRFFQ69G5FAV", None).await;
    assert_eq!(w.get("/api/orders", &token).await.status, 200);
    w.pass_seconds(-3_600);
    assert_eq!(w.get("/api/orders", &token).await.status, 401, "it was issued in an hour");
}

#[tokio::test]
async fn clicks_of_one_affiliate_are_spread_over_partitions() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    for _ in 0..64 {
        w.click(&rina.code).await;
    }
    let items = w.items();
    let partitions: std::collections::BTreeSet<&str> =
        items.iter().filter_map(|i| i["pk"]["S"].as_str()).filter(|k| k.starts_with("CLICKS#")).collect();
    assert!(partitions.len() >= 4, "{partitions:?}");
}

/// Every route that names something of a customer's or an affiliate's, asked by another one with the real id.
#[tokio::test]
async fn what_is_somebody_elses_is_not_there_on_any_route() {
    let w = World::new().await;
    let (budi, siti) = (w.customer("budi").await, w.customer("siti").await);
    let (rina, tono) = (w.affiliate("rina").await, w.affiliate("tono").await);
    let order = w.order(&budi, "domba-garut", None).await;
    let before = w.get(&format!("/api/orders/{}", order["id"].as_str().unwrap()), &budi).await.ok();
    let sessions = async |path: &str, token: &str| w.get(path, token).await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let (of_budi, of_rina) = (sessions("/api/auth/sessions", &budi).await, sessions("/api/affiliate/auth/sessions", &rina.token).await);
    let names = json!({ "items": [{ "product_id": before["items"][0]["product_id"], "shohibul": [{ "name": "Orang Lain" }] }] });
    let mut asked = 0;
    for route in w.groups().iter().flat_map(|g| &g.routes).filter(|r| r.path.contains("{id}")) {
        let (token, id) = match (route.access, route.path) {
            (qutab::http::Access::Customer, path) if path.contains("/sessions/") => (&siti, of_budi.as_str()),
            (qutab::http::Access::Customer, _) => (&siti, order["id"].as_str().unwrap()),
            (qutab::http::Access::Affiliate, path) if path.contains("/sessions/") => (&tono.token, of_rina.as_str()),
            (qutab::http::Access::Affiliate, _) => (&tono.token, "pyt_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            _ => continue,
        };
        let answer = w.send(route.method.as_str(), &route.path.replace("{id}", id), Some(token), &[], Some(names.clone())).await;
        assert_eq!(answer.status, 404, "{} {}: {}", route.method, route.path, answer.body);
        asked += 1;
    }
    assert!(asked >= 9, "only {asked} routes");
    assert_eq!(w.get(&format!("/api/orders/{}", order["id"].as_str().unwrap()), &budi).await.ok(), before, "and nothing has changed");
}

#[tokio::test]
async fn no_refresh_token_goes_over_plain_http_where_it_is_deployed() {
    let w = World::new().await;
    let deployed = qutab::app::Site { local: false, ..w.shop.app.site.clone() };
    for audience in [Audience::Customer, Audience::Affiliate, Audience::Admin] {
        let cookie = qutab::http::cookies::set_refresh(&deployed, audience, "x", 60).unwrap();
        assert!(cookie.to_str().unwrap().ends_with("; Secure"));
    }
}

#[tokio::test]
async fn a_login_and_a_registration_do_the_same_work_for_known_and_unknown_addresses() {
    let w = World::new().await;
    w.customer("budi").await;
    for (path, body) in [
        ("/api/auth/login", json!({ "password": "bukan-yang-ini" })),
        ("/api/auth/register", json!({ "name": "Budi", "phone": "081234567890", "password": PASSWORD })),
    ] {
        let ask = async |email: &str| {
            let mut body = body.clone();
            body["email"] = json!(email);
            w.wire.take_traffic();
            let answer = w.post(path, "", body).await;
            let traffic = w.wire.take_traffic();
            // Requests: a transaction that is refused writes less and takes as long.
            (answer.status, answer.body, traffic.dynamo_trips, traffic.queue_trips)
        };
        let (known, unknown) = (ask("budi@example.com").await, ask("tiada@example.com").await);
        assert_eq!(known, unknown, "{path}");
    }
}

#[tokio::test]
async fn a_body_of_thousands_of_wrong_names_is_answered_with_some() {
    let w = World::new().await;
    let names: Vec<Value> = (0..700).map(|_| json!({ "name": "" })).collect();
    let items: Vec<Value> = (0..4).map(|_| json!({ "product_id": "x", "quantity": 0, "shohibul": names })).collect();
    let body = json!({ "items": items, "recipient": {}, "consent": true, "terms_version": "2026-01" });
    let refused = w.post("/api/orders", &w.customer("budi").await, body).await;
    assert_eq!((refused.status, refused.body["errors"].as_array().unwrap().len()), (422, 50));
    assert!(refused.bytes.len() < 10_000, "{} bytes", refused.bytes.len());
}
