//! Registration, proof of the address, login, forgotten passwords, sessions.

use qutab_tests::{Answer, PASSWORD, World};
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";
const NEW_PASSWORD: &str = "kata sandi yang baru";

fn ada() -> Value {
    json!({ "name": "Ada Lestari", "email": ADA, "phone": "0812-3456-7890", "password": PASSWORD })
}

async fn log_in(w: &World, password: &str) -> Answer {
    w.post("/api/auth/login", "", json!({ "email": ADA, "password": password })).await
}

async fn forgot(w: &World) -> String {
    w.post("/api/auth/forgot-password", "", json!({ "email": ADA })).await.ok();
    w.drain().await;
    w.mailed_token(ADA, "reset-password")
}

async fn reset(w: &World, token: &str, password: &str) -> Answer {
    w.post("/api/auth/reset-password", "", json!({ "token": token, "password": password })).await
}

fn cookie(answer: &Answer) -> String {
    answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_new_customer_registers_and_proves_the_address() {
    let w = World::new().await;
    let registered = w.post("/api/auth/register", "", ada()).await;
    assert_eq!((registered.status, registered.body["status"].as_str()), (202, Some("registered")));
    w.drain().await;
    let token = log_in(&w, PASSWORD).await.ok()["access_token"].as_str().unwrap().to_owned();
    let profile = w.get("/api/profile", &token).await.ok();
    assert_eq!((profile["phone"].as_str(), profile["email_verified"].as_bool()), (Some("+6281234567890"), Some(false)));
    let first = w.mailed_token(ADA, "verify-email");
    w.post("/api/auth/resend-verification", "", json!({ "email": ADA })).await.ok();
    w.drain().await;
    let second = w.mailed_token(ADA, "verify-email");
    let verify = async |token: &str| w.post("/api/auth/verify-email", "", json!({ "token": token })).await;
    assert_eq!(verify(&first).await.code(), "link_refused", "a newer link took its place");
    assert_eq!(verify(&second).await.status, 204);
    assert_eq!(verify(&second).await.code(), "link_refused", "works once");
    assert_eq!(verify("rubbish").await.code(), "link_refused");
    assert_eq!(w.get("/api/profile", &token).await.ok()["email_verified"], true);
    w.post("/api/auth/resend-verification", "", json!({ "email": ADA })).await.ok();
    w.drain().await;
    assert_eq!(w.mailed_token(ADA, "verify-email"), second, "nothing is left to be proved");
}

#[tokio::test]
async fn an_address_registers_once_and_nobody_is_told() {
    let w = World::new().await;
    let first = w.post("/api/auth/register", "", ada()).await;
    let shouted = json!({ "name": "Orang Lain", "email": "ADA@Example.com", "phone": "081299998888", "password": "bukan-milik-ada" });
    let second = w.post("/api/auth/register", "", shouted).await;
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    w.drain().await;
    assert_eq!(log_in(&w, "bukan-milik-ada").await.code(), "wrong_credentials");
    assert_eq!(log_in(&w, PASSWORD).await.status, 200);
    let subjects: Vec<String> = w.mails_to(ADA).into_iter().map(|m| m.subject).collect();
    assert_eq!(subjects, ["Selamat datang di Qurban Tanpa Batas", "Anda sudah memiliki akun"]);
}

#[tokio::test]
async fn every_wrong_field_of_a_registration_is_named() {
    let w = World::new().await;
    for (field, value, code) in [
        ("name", json!("A"), "too_short"),
        ("email", json!("ada.example.com"), "bad_email"),
        ("phone", json!("12345"), "bad_phone"),
        ("password", json!("pendek"), "too_short"),
        ("password", json!("password123"), "too_common"),
        ("password", json!("aaaaaaaaaa"), "too_common"),
        ("password", json!("        "), "too_common"),
        ("password", json!("\0\0\0\0abcdefgh"), "bad_characters"),
        ("language", json!("fr"), "unknown_value"),
    ] {
        let mut body = ada();
        body[field] = value;
        let refused = w.post("/api/auth/register", "", body).await;
        let named = (refused.body["errors"][0]["field"].as_str(), refused.body["errors"][0]["code"].as_str());
        assert_eq!((refused.status, named), (422, (Some(field), Some(code))), "{}", refused.body);
    }
    let all = w.post("/api/auth/register", "", json!({})).await;
    assert_eq!(all.body["errors"].as_array().unwrap().len(), 4);
}

/// A hash of the password as an older version would have made it.
fn weak_hash() -> String {
    use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher};
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8 * 1024, 1, 1, None).unwrap());
    argon.hash_password_with_salt(PASSWORD.as_bytes(), b"sixteen bytes ..").unwrap().to_string()
}

#[tokio::test]
async fn passwords_are_kept_as_argon2id_and_renewed_when_its_parameters_change() {
    let w = World::new().await;
    w.post("/api/auth/register", "", ada()).await.ok();
    let kept = |w: &World| {
        let items = w.items();
        let login = items.iter().find(|i| i["kind"]["S"] == "login" && i["email"]["S"] == ADA).unwrap();
        login["password_hash"]["S"].as_str().unwrap().to_owned()
    };
    assert!(kept(&w).starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept(&w));
    assert!(!w.items().iter().any(|i| i.to_string().contains(PASSWORD)), "the password itself is nowhere");
    let email = qutab::domain::contact::Email::parse(ADA).unwrap();
    let store = &w.shop.app.store;
    let read = store.login(qutab::domain::identity::Audience::Customer, &email).await.unwrap().unwrap();
    let weak = weak_hash();
    let outdated = qutab::domain::identity::Login { password_hash: weak.clone(), ..read.value.clone() };
    store.save(&read, &outdated).await.unwrap();
    assert_eq!(log_in(&w, PASSWORD).await.status, 200);
    assert!(kept(&w) != weak && kept(&w).contains("m=19456,t=2,p=1"), "{}", kept(&w));
    assert_eq!(log_in(&w, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_forgotten_password_is_reset_once_ends_every_session_and_is_told() {
    let w = World::new().await;
    w.post("/api/auth/register", "", ada()).await.ok();
    let before = log_in(&w, PASSWORD).await;
    let (access, refresh) = (before.body["access_token"].as_str().unwrap().to_owned(), cookie(&before));
    let token = forgot(&w).await;
    let kept = w.items().iter().filter(|i| i["kind"]["S"] == "mailed_link").map(ToString::to_string).collect::<String>();
    assert!(!kept.contains(token.rsplit('.').next().unwrap()), "only a hash of the secret is kept");
    assert_eq!(reset(&w, &token, "pendek").await.status, 422);
    assert_eq!(reset(&w, &token, NEW_PASSWORD).await.status, 204);
    assert_eq!(reset(&w, &token, "dan sekali lagi").await.code(), "link_refused", "works once");
    w.drain().await;
    assert_eq!(w.mails_to(ADA).last().unwrap().subject, "Kata sandi Anda telah diubah");
    assert_eq!(log_in(&w, PASSWORD).await.status, 401);
    assert_eq!(log_in(&w, NEW_PASSWORD).await.status, 200);
    assert_eq!(w.get("/api/profile", &access).await.status, 401, "the old session is over at once");
    assert_eq!(w.send("POST", "/api/auth/refresh", None, &[("cookie", &refresh)], None).await.status, 401);
}

#[tokio::test]
async fn a_reset_link_ends_after_half_an_hour_and_is_no_verification() {
    let w = World::new().await;
    w.post("/api/auth/register", "", ada()).await.ok();
    let token = forgot(&w).await;
    assert_eq!(w.post("/api/auth/verify-email", "", json!({ "token": token })).await.code(), "link_refused");
    assert_eq!(w.post("/api/affiliate/auth/login", "", json!({ "email": ADA, "password": PASSWORD })).await.status, 401, "no affiliate");
    w.pass_seconds(30 * 60);
    assert_eq!(reset(&w, &token, NEW_PASSWORD).await.code(), "link_refused");
    assert_eq!(log_in(&w, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn known_and_unknown_addresses_look_alike_everywhere() {
    let w = World::new().await;
    w.post("/api/auth/register", "", ada()).await.ok();
    for path in ["/api/auth/forgot-password", "/api/auth/resend-verification"] {
        w.wire.take_traffic();
        let known = w.post(path, "", json!({ "email": ADA })).await;
        let known_traffic = w.wire.take_traffic();
        let unknown = w.post(path, "", json!({ "email": "tiada@example.com" })).await;
        let unknown_traffic = w.wire.take_traffic();
        assert_eq!((known.status, &known.body, &known.headers), (unknown.status, &unknown.body, &unknown.headers));
        assert_eq!(known_traffic, unknown_traffic, "{path}: the same work, so the same time");
    }
    w.drain().await;
    assert!(w.mails_to("tiada@example.com").is_empty());
}

#[tokio::test]
async fn guessing_is_slowed_down_and_locks_nobody_out() {
    let w = World::new().await;
    w.post("/api/auth/register", "", ada()).await.ok();
    let mut answers = Vec::new();
    for _ in 0..11 {
        answers.push(log_in(&w, "salah sekali").await);
    }
    assert!(answers[..10].iter().all(|a| a.status == 401));
    let stopped = &answers[10];
    let wait: i64 = stopped.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!((stopped.status, stopped.code()), (429, "too_many_requests"));
    assert!((1..=900).contains(&wait));
    assert_eq!(w.send_from("198.51.100.9", "POST", "/api/auth/login", json!({ "email": ADA, "password": PASSWORD })).await.status, 200, "elsewhere");
    w.pass_seconds(wait);
    assert_eq!(log_in(&w, PASSWORD).await.status, 200);
    let mut mailed = Vec::new();
    for _ in 0..6 {
        mailed.push(w.post("/api/auth/forgot-password", "", json!({ "email": ADA })).await.status);
    }
    assert_eq!(mailed, [202, 202, 202, 202, 202, 429], "a mailbox is not flooded");
}

#[tokio::test]
async fn devices_are_listed_and_ended_one_by_one() {
    let w = World::new().await;
    w.post("/api/auth/register", "", ada()).await.ok();
    let phone = log_in(&w, PASSWORD).await;
    w.pass_seconds(1);
    let laptop = log_in(&w, PASSWORD).await;
    let token = |a: &Answer| a.body["access_token"].as_str().unwrap().to_owned();
    let seen = w.get("/api/auth/sessions", &token(&laptop)).await.ok();
    let sessions = seen["items"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions.iter().filter(|s| s["current"] == true).count(), 1);
    let other = sessions.iter().find(|s| s["current"] == false).unwrap()["id"].as_str().unwrap();
    let stranger = w.customer("budi").await;
    let path = format!("/api/auth/sessions/{other}");
    assert_eq!(w.send("DELETE", &path, Some(&stranger), &[], None).await.status, 404, "somebody else's");
    assert_eq!(w.send("DELETE", &path, Some(&token(&laptop)), &[], None).await.status, 204);
    assert_eq!(w.get("/api/profile", &token(&phone)).await.status, 401);
    assert_eq!(w.send("POST", "/api/auth/refresh", None, &[("cookie", &cookie(&phone))], None).await.status, 401);
    assert_eq!(w.get("/api/profile", &token(&laptop)).await.status, 200);
}

#[tokio::test]
async fn logging_out_ends_the_session_and_its_cookie() {
    let w = World::new().await;
    w.post("/api/auth/register", "", ada()).await.ok();
    let login = log_in(&w, PASSWORD).await;
    let set = login.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/api/auth"), "{set}");
    let token = login.body["access_token"].as_str().unwrap().to_owned();
    let out = w.post("/api/auth/logout", &token, json!({})).await;
    assert!(out.status == 204 && out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(w.get("/api/profile", &token).await.status, 401);
    assert_eq!(w.send("POST", "/api/auth/refresh", None, &[("cookie", &cookie(&login))], None).await.status, 401);
}

#[tokio::test]
async fn a_refresh_from_a_foreign_page_is_refused() {
    let w = World::new().await;
    w.post("/api/auth/register", "", ada()).await.ok();
    let cookie = cookie(&log_in(&w, PASSWORD).await);
    let from = async |origin: &str| w.send("POST", "/api/auth/refresh", None, &[("cookie", &cookie), ("origin", origin)], None).await.status;
    assert_eq!(from("https://evil.test").await, 403);
    assert_eq!(from("https://shop.test").await, 200);
}
