//! Logins and sessions of staff: guessed passwords, stolen ones, and what ends by itself.

use qutab::{app::staff, domain::contact::Email, domain::text::PersonName, secrets::totp::TotpSecret};
use qutab_local::wire::{Cut, Position};
use qutab_tests::{Answer, PASSWORD, World, grants};
use serde_json::{Value, json};

const EMAIL: &str = "finance@qutab.test";

async fn log_in(w: &World, address: &str, password: &str, code: Option<&str>, cookie: &str) -> Answer {
    let body = json!({ "email": EMAIL, "password": password, "code": code });
    w.send_at(address, "POST", "/api/admin/auth/login", "", &[("cookie", cookie)], body).await
}

fn cookies(answer: &Answer) -> String {
    let set = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap().split(';').next().unwrap().to_owned());
    set.collect::<Vec<_>>().join("; ")
}

/// A second factor of finance: its secret, and the recovery codes.
async fn enrolled(w: &World) -> (TotpSecret, Vec<String>) {
    let finance = w.admin("finance").await;
    let enrolled = w.post("/api/admin/auth/totp/enrol", &finance, json!({ "current_password": PASSWORD })).await.ok();
    let secret = TotpSecret::of(data_encoding::BASE32_NOPAD.decode(enrolled["secret"].as_str().unwrap().as_bytes()).unwrap());
    let proved = w.post("/api/admin/auth/totp/verify", &finance, json!({ "code": secret.code(w.now()) })).await.ok();
    let codes = proved["recovery_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    w.pass_seconds(60);
    (secret, codes)
}

fn codes_left(w: &World) -> usize {
    let items = w.items();
    let finance = items.iter().find(|i| i["kind"]["S"] == "admin" && i["role"]["S"] == "finance").unwrap();
    finance["second_factor"]["M"]["recovery"]["L"].as_array().unwrap().len()
}

#[tokio::test]
async fn staff_who_are_guessed_at_from_everywhere_get_in_with_a_code_and_are_told() {
    let w = World::new().await;
    let (secret, codes) = enrolled(&w).await;
    for n in 0..100 {
        assert_eq!(log_in(&w, &format!("203.0.113.{n}"), "salah sekali", None, "").await.status, 401);
    }
    assert_eq!(log_in(&w, "198.51.100.1", PASSWORD, None, "").await.status, 429);
    let wrong = log_in(&w, "198.51.100.1", PASSWORD, Some("000000"), "").await;
    assert_eq!(wrong.status, 429, "a wrong code says nothing of the password");
    let code = secret.code(w.now()).unwrap();
    assert_eq!(log_in(&w, "198.51.100.1", PASSWORD, Some(&code), "").await.status, 200);
    assert_eq!(log_in(&w, "198.51.100.2", PASSWORD, Some(&codes[1]), "").await.status, 200);
    w.drain().await;
    assert_eq!(w.mails_to(EMAIL).len(), 1, "once");
    w.mailed_token(EMAIL, "reset-password");
}

#[tokio::test]
async fn a_thief_of_the_password_does_not_shut_its_owner_out() {
    let w = World::new().await;
    let (secret, codes) = enrolled(&w).await;
    let known = cookies(&log_in(&w, "198.51.100.1", PASSWORD, secret.code(w.now()).as_deref(), "").await);
    w.pass_seconds(60);
    for n in 0..12 {
        log_in(&w, &format!("203.0.113.{n}"), PASSWORD, Some("000000"), "").await;
    }
    let code = secret.code(w.now()).unwrap();
    assert_eq!(log_in(&w, "198.51.100.2", PASSWORD, Some(&code), "").await.status, 429, "a device that nobody knows waits");
    assert_eq!(log_in(&w, "198.51.100.1", PASSWORD, Some(&code), &known).await.status, 200);
    assert_eq!(log_in(&w, "198.51.100.2", PASSWORD, Some(&codes[0]), "").await.status, 200, "a recovery code is never guessed");
}

#[tokio::test]
async fn a_lost_answer_burns_no_code() {
    let w = World::new().await;
    let (_, codes) = enrolled(&w).await;
    for (at, code) in codes.iter().enumerate() {
        let before = codes_left(&w);
        w.wire.arm(Cut { at, position: Position::AnswerLost, dies: false });
        let answer = log_in(&w, "198.51.100.1", PASSWORD, Some(code), "").await;
        w.wire.revive();
        let used = before - codes_left(&w);
        assert!(used == usize::from(answer.status == 200), "cut at {at}: {} and {used} codes used", answer.status);
        w.pass_seconds(900);
    }
}

#[tokio::test]
async fn a_session_of_staff_ends_after_half_a_day_without_use_and_after_a_week() {
    let w = World::new().await;
    let first = log_in(&w, "198.51.100.1", PASSWORD, None, "").await;
    let set = first.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("Max-Age=43200"), "{set}");
    let refresh = async |cookie: &str| w.send("POST", "/api/admin/auth/refresh", None, &[("cookie", cookie)], None).await;
    w.pass_seconds(12 * 3_600);
    assert_eq!(refresh(&cookies(&first)).await.status, 401);
    let mut last = log_in(&w, "198.51.100.1", PASSWORD, None, "").await;
    let mut hours = 0;
    while last.status == 200 {
        let cookie = cookies(&last);
        w.pass_seconds(11 * 3_600);
        hours += 11;
        last = refresh(&cookie).await;
    }
    assert!((7 * 24..7 * 24 + 11).contains(&hours), "{hours} hours");
    // Customers stay for as long as the settings say.
    w.newcomer("budi").await;
    let body = json!({ "email": "budi@example.com", "password": PASSWORD });
    let set = w.post("/api/auth/login", "", body).await.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.contains("Max-Age=2592000"), "{set}");
}

#[tokio::test]
async fn where_the_shop_is_a_second_factor_is_required_from_the_first_owner_on() {
    let w = World::new().await;
    for (production, required) in [(true, Some(true)), (false, None)] {
        let mut app = w.shop.app.clone();
        app.site.production = production;
        for item in w.items().iter().filter(|i| ["admin", "login", "first_owner", "settings"].map(|k| json!(k)).contains(&i["kind"]["S"])) {
            let text = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
            app.store.delete(&qutab::store::keys::Key { pk: text("pk"), sk: text("sk") }).await.unwrap();
        }
        let (name, email) = (PersonName::parse("Siti Rahma").unwrap(), Email::parse("siti@qutab.test").unwrap());
        grants::acting("first-owner", staff::first_owner(&app, name, email)).await.unwrap();
        let settings = app.store.stored_settings().await.unwrap().map(|s| s.value);
        assert_eq!(settings.as_ref().map(|s| s.second_factor_required), required);
    }
}

#[tokio::test]
async fn large_commissions_and_discounts_are_an_owners_to_give() {
    let w = World::new().await;
    let (ops, owner) = (w.admin("ops").await, w.admin("owner").await);
    let affiliate = w.affiliate("rina").await;
    let rate = format!("/api/admin/affiliates/{}/commission", affiliate.id);
    let product = format!("/api/admin/products/{}", qutab_local::seed::product_id("domba-garut"));
    let coupon = |code: &str, discount: Value, minimum: i64| json!({ "code": code, "discount": discount, "valid_until": w.now().plus_days(9), "limit": 5, "minimum_order": minimum });
    let percent = |rate: u32| json!({ "kind": "percent", "rate": rate });
    let flat = |amount: u32| json!({ "kind": "flat", "amount": amount });
    let fixed = |amount: u32| json!({ "kind": "fixed", "amount": amount });
    let asked = [
        ("PUT", rate.as_str(), json!({ "rule": percent(2_000) }), json!({ "rule": percent(2_001) })),
        ("PUT", rate.as_str(), json!({ "rule": flat(750_000) }), json!({ "rule": flat(750_001) })),
        ("PATCH", product.as_str(), json!({ "commission_rule": percent(2_000) }), json!({ "commission_rule": percent(10_000) })),
        ("POST", "/api/admin/coupons", coupon("SEPARUH", percent(5_000), 0), coupon("SEMUA", percent(5_001), 0)),
        ("POST", "/api/admin/coupons", coupon("SATU", fixed(1_000_000), 2_000_000), coupon("DUA", fixed(1_000_001), 2_000_000)),
    ];
    for (method, path, small, large) in asked {
        let status = async |who: &str, body: &Value| w.send(method, path, Some(who), &[], Some(body.clone())).await.status;
        assert!((200..300).contains(&status(&ops, &small).await), "{method} {path} {small}");
        assert_eq!(status(&ops, &large).await, 403, "{method} {path} {large}");
        assert!((200..300).contains(&status(&owner, &large).await), "{method} {path} {large}");
    }
}
