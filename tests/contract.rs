//! The tables agree: routes and template, environment names, keys, licences of the tests themselves.

use qutab::{domain::staff::Role, http::Access, runtime::config};
use qutab_local::template;
use qutab_tests::{TEMPLATE, World};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test]
async fn the_template_has_exactly_the_routes_of_the_code() {
    let w = World::new().await;
    let t = template::read(TEMPLATE, &BTreeMap::new()).unwrap();
    let in_template: BTreeSet<_> =
        t.functions.iter().flat_map(|f| f.routes.iter().map(|r| (f.package.clone(), r.method.clone(), r.path.clone(), r.authorized))).collect();
    let rest = ("fallback".to_owned(), "ANY".to_owned(), "$default".to_owned(), false);
    let in_code: BTreeSet<_> = w
        .groups()
        .iter()
        .flat_map(|g| g.routes.iter().map(|r| (g.name.to_owned(), r.method.to_string(), r.path.to_owned(), matches!(r.access, Access::Admin(_)))))
        .collect();
    assert_eq!(in_template, &in_code | &BTreeSet::from([rest]));
}

#[test]
fn the_template_sets_only_names_that_the_code_reads() {
    let t = template::read(TEMPLATE, &BTreeMap::new()).unwrap();
    for function in &t.functions {
        for name in function.environment.keys() {
            assert!(config::name::ALL.contains(&name.as_str()), "{}: {name}", function.package);
        }
    }
}

/// Every route as everybody who may not: nobody, the other audiences, and each role of staff without the right. Never a
/// 2xx, never a 5xx. Who has the right is let through to the handler.
#[tokio::test]
async fn only_those_who_may_get_through() {
    let w = World::new().await;
    let mut callers = vec![("nobody", None), ("customer", Some(w.customer("budi").await)), ("affiliate", Some(w.affiliate("rina").await.token))];
    for role in ["owner", "finance", "ops", "viewer"] {
        callers.push((role, Some(w.admin(role).await)));
    }
    let role_of = |who: &str| Role::ALL.iter().copied().find(|r| r.as_str() == if who == "ops" { "operations" } else { who });
    let mut asked = 0;
    for route in w.groups().iter().flat_map(|g| &g.routes).filter(|r| r.access != Access::Public) {
        let path: String = route.path.split('/').map(|s| if s.starts_with('{') { "x" } else { s }).collect::<Vec<_>>().join("/");
        for (who, token) in &callers {
            let role = role_of(who);
            let expected = match (route.access, role, *who) {
                (Access::Customer, _, "customer") | (Access::Affiliate, _, "affiliate") => continue,
                // Ends the session that the other routes are asked with.
                (Access::Admin(_), Some(_), _) if route.path.ends_with("/logout") => continue,
                (Access::Admin(right), Some(role), _) if role.may(right) => None,
                (Access::Admin(_), Some(_), _) => Some(403),
                _ => Some(401),
            };
            let answer = w.send(route.method.as_str(), &path, token.as_deref(), &[], Some(json!({}))).await;
            asked += 1;
            match expected {
                Some(status) => assert_eq!(answer.status, status, "{who} {} {path}", route.method),
                None => assert!(!matches!(answer.status, 401 | 403 | 500..), "{who} may {} {path}: {}", route.method, answer.status),
            }
        }
    }
    assert!(asked > 700, "only {asked} questions");
}

/// Where a second factor is required, an owner without one gets through to no route but those of their own login.
#[tokio::test]
async fn a_missing_second_factor_is_missing_on_every_route() {
    let w = World::new().await;
    let owner = w.admin("owner").await;
    let required = json!({ "version": 1, "second_factor_required": true });
    w.send("PUT", "/api/admin/settings", Some(&owner), &[], Some(required)).await.ok();
    let mut asked = 0;
    for route in w.groups().iter().flat_map(|g| &g.routes).filter(|r| matches!(r.access, Access::Admin(_))) {
        if route.path.starts_with("/api/admin/auth/") {
            continue;
        }
        let path: String = route.path.split('/').map(|s| if s.starts_with('{') { "x" } else { s }).collect::<Vec<_>>().join("/");
        let answer = w.send(route.method.as_str(), &path, Some(&owner), &[], Some(json!({}))).await;
        assert_eq!((answer.status, answer.code()), (403, "second_factor_missing"), "{} {path}", route.method);
        asked += 1;
    }
    assert!(asked > 70, "only {asked} routes");
}

/// Answers are JSON, PDF, pictures or tables, never pages; browsers are told not to guess, and to come by TLS only.
#[tokio::test]
async fn answers_are_data_and_say_so() {
    let w = World::new().await;
    let owner = w.admin("owner").await;
    for route in w.groups().iter().flat_map(|g| &g.routes) {
        let path: String = route.path.split('/').map(|s| if s.starts_with('{') { "%3Cb%3Ex" } else { s }).collect::<Vec<_>>().join("/");
        let answer = w.send(route.method.as_str(), &path, Some(&owner), &[], Some(json!({ "x": "<script>" }))).await;
        let kind = answer.headers.get("content-type").map_or("", |t| t.to_str().unwrap());
        assert!(!kind.contains("html"), "{} {path}: {kind}", route.method);
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers["strict-transport-security"].to_str().unwrap().contains("max-age=63072000"));
        assert_eq!(answer.headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(answer.headers["cross-origin-resource-policy"], "same-site");
    }
}

#[test]
fn only_the_shops_own_pages_are_let_in() {
    let cors = TEMPLATE.split("CorsConfiguration:").nth(1).unwrap();
    let api = TEMPLATE.split("Type: AWS::Serverless::HttpApi").nth(1).unwrap();
    let api = api.split("CorsConfiguration:").nth(1).unwrap();
    for cors in [cors, api] {
        let origins = cors.split("Origins:").nth(1).unwrap().lines().next().unwrap();
        assert_eq!(origins.trim(), "[!Ref ShopUrl]", "one origin, from a parameter, and no star");
    }
    assert!(api.lines().take(12).any(|l| l.trim() == "AllowCredentials: true"));
}

#[test]
fn nothing_is_reached_without_tls() {
    assert!(TEMPLATE.contains("ViewerProtocolPolicy: redirect-to-https"));
    assert!(!TEMPLATE.contains("http://"), "no plain address anywhere");
}

/// Expressions are written here, values are bound: what somebody sends is never part of an expression.
#[test]
fn no_text_of_a_caller_becomes_part_of_an_expression() {
    for text in rust_files("../shared/src/store") {
        for call in ["condition_expression(", "update_expression(", "key_condition_expression(", "filter_expression(", "projection_expression("] {
            for argument in text.match_indices(call).map(|(at, _)| text[at + call.len()..].split(')').next().unwrap().trim()) {
                let is_ours = argument.starts_with('"') || argument == "condition" || argument.starts_with("format!(\"SET #n = {sum}\"");
                assert!(is_ours, "{call}{argument}) is not a text of ours");
            }
        }
    }
}

/// Whoever adds a route on which staff change something says here what it leaves in the audit log, and a story proves it.
#[tokio::test]
async fn every_change_by_staff_has_its_line_in_the_audit_log() {
    let own_login = ["/api/admin/auth/logout", "/api/admin/auth/sessions/{id}"];
    // Opening an upload changes nothing; completing it does. A preview is no run.
    let nothing_yet = [
        "/api/admin/products/{id}/images",
        "/api/admin/orders/{id}/photos",
        "/api/admin/materials",
        "/api/admin/payouts/{id}/proof",
        "/api/admin/orders/{id}/refunds/{refund_id}/proof",
    ];
    let text: String =
        ["app", "http"].iter().flat_map(|room| rust_files(&format!("../shared/src/{room}"))).chain(rust_files("../functions")).collect();
    let actions: BTreeSet<&str> =
        text.split('"').filter(|w| w.contains('.') && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_')).collect();
    let w = World::new().await;
    let mut silent = Vec::new();
    for route in w.groups().iter().flat_map(|g| &g.routes) {
        let changes = matches!(route.access, Access::Admin(_)) && route.method != "GET";
        if !changes || own_login.contains(&route.path) || (route.method == "POST" && nothing_yet.contains(&route.path)) {
            continue;
        }
        let thing = route.path.trim_start_matches("/api/admin/").split('/').next().unwrap();
        let of = AUDITED.iter().find(|(room, _)| *room == thing).map(|(_, actions)| *actions);
        match of {
            Some(expected) if expected.iter().all(|a| actions.contains(a)) => {}
            _ => silent.push(route.path),
        }
    }
    assert!(silent.is_empty(), "{silent:?}");
}

/// What each part of the staff's routes leaves in the audit log.
const AUDITED: &[(&str, &[&str])] = &[
    ("applications", &["affiliate.approve", "affiliate.reject"]),
    ("affiliates", &["affiliate.suspend", "affiliate.reinstate", "affiliate.code", "affiliate.commission"]),
    ("bank-accounts", &["bank_account.decide", "ktp.read", "proof.read"]),
    (
        "orders",
        &[
            "order.status",
            "order.cancel",
            "order.photo",
            "order.refund",
            "refund.take_over",
            "refund.confirm",
            "receipt.refund",
            "refund.proof",
            "orders.export",
        ],
    ),
    ("payouts", &["payout.decide", "payout.hand_over", "payout.proof", "payouts.export"]),
    ("products", &["product.create", "product.change", "product.stock", "product.picture"]),
    ("coupons", &["coupon.create", "coupon.deactivate"]),
    ("materials", &["material.create", "material.delete"]),
    ("signals", &["commission.decide"]),
    ("staff", &["staff.invite", "staff.change"]),
    ("settings", &["settings.change"]),
    ("faq", &["helpdesk.change"]),
    ("contact", &["helpdesk.change"]),
    ("tasks", &["task.close"]),
    ("jobs", &["job.run"]),
    ("auth", &["staff.login", "staff.password", "second_factor.enrol", "second_factor.confirm", "second_factor.disable"]),
];

fn rust_files(directory: &str) -> Vec<String> {
    let mut open = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)];
    let mut texts = Vec::new();
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                texts.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}

#[tokio::test]
async fn bad_requests_get_their_status() {
    let w = World::new().await;
    let (a, b) = (w.customer("a1").await, w.customer("b1").await);
    let order = w.order(&a, "domba-garut", None).await;
    let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
    assert_eq!(w.get(&path, &b).await.status, 404, "somebody else's");
    assert_eq!(w.get("/api/orders/not-an-id", &a).await.status, 404);
    assert_eq!(w.send("DELETE", &path, Some(&a), &[], None).await.status, 405);
    assert_eq!(w.post("/api/orders", &a, json!([])).await.status, 400);
    assert_eq!(w.post("/api/orders", &a, json!({ "note": "x".repeat(70_000) })).await.status, 413);
    assert_eq!(w.get("/api/orders?limit=0", &a).await.status, 422);
    assert_eq!(w.get("/api/orders?cursor=forged", &a).await.status, 422);
    w.pass_seconds(601);
    let expired = w.get(&path, &a).await;
    assert_eq!((expired.status, expired.code()), (401, "not_logged_in"));
    assert_eq!(expired.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn an_unknown_mail_and_a_wrong_password_look_alike() {
    let w = World::new().await;
    w.customer("ada").await;
    let wrong = w.post("/api/auth/login", "", json!({ "email": "ada@example.com", "password": "bukan-yang-ini" })).await;
    let nobody = w.post("/api/auth/login", "", json!({ "email": "tiada@example.com", "password": "bukan-yang-ini" })).await;
    assert_eq!((wrong.status, &wrong.body), (nobody.status, &nobody.body));
    assert_eq!(wrong.code(), "wrong_credentials");
}

#[tokio::test]
async fn a_copied_refresh_token_ends_the_session() {
    let w = World::new().await;
    w.customer("ada").await;
    let body = json!({ "email": "ada@example.com", "password": qutab_tests::PASSWORD });
    let login = w.post("/api/auth/login", "", body).await;
    let cookie = |a: &qutab_tests::Answer| a.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let old = cookie(&login);
    let rotated = w.send("POST", "/api/auth/refresh", None, &[("cookie", &old)], None).await;
    assert_eq!(rotated.status, 200);
    assert_eq!(w.send("POST", "/api/auth/refresh", None, &[("cookie", &old)], None).await.status, 401, "used before");
    let new = cookie(&rotated);
    assert_eq!(w.send("POST", "/api/auth/refresh", None, &[("cookie", &new)], None).await.status, 401, "the whole session is over");
}
