//! Staff: the first owner, invitations, roles, second factor, suspension.

use qutab::{
    domain::{
        identity::Audience,
        staff::{Permission, Role},
    },
    secrets::totp::TotpSecret,
};
use qutab_tests::{Answer, PASSWORD, World};
use serde_json::{Value, json};

async fn log_in(w: &World, email: &str, code: Option<&str>) -> Answer {
    w.post("/api/admin/auth/login", "", json!({ "email": email, "password": PASSWORD, "code": code })).await
}

fn token(answer: Answer) -> String {
    answer.ok()["access_token"].as_str().unwrap().to_owned()
}

/// Invited, mailed, and with a password of their own.
async fn join(w: &World, role: &str) -> (String, String) {
    let email = format!("{role}.baru@qutab.test");
    let invited = w.post("/api/admin/staff", &w.admin("owner").await, json!({ "name": "Staf Baru", "email": email, "role": role })).await.ok();
    w.drain().await;
    let token = w.mailed_token(&email, "accept-invitation");
    let accepted = w.post("/api/admin/auth/accept-invitation", "", json!({ "token": token, "password": PASSWORD })).await;
    assert_eq!(accepted.status, 204);
    (invited["id"].as_str().unwrap().to_owned(), email)
}

#[tokio::test]
async fn a_colleague_is_invited_works_and_is_suspended() {
    let w = World::new().await;
    let owner = w.admin("owner").await;
    let wrong = w.post("/api/admin/staff", &owner, json!({ "name": "X", "email": "x", "role": "king" })).await;
    assert_eq!((wrong.status, wrong.body["errors"].as_array().unwrap().len()), (422, 3));
    let (id, email) = join(&w, "finance").await;
    let theirs = token(log_in(&w, &email, None).await);
    let me = w.get("/api/admin/auth/me", &theirs).await.ok();
    assert_eq!((me["role"].as_str(), me["second_factor"].as_bool()), (Some("finance"), Some(false)));
    assert_eq!(w.get("/api/admin/staff", &theirs).await.status, 403);
    let again = w.post("/api/admin/staff", &owner, json!({ "name": "Staf Baru", "email": email, "role": "viewer" })).await;
    assert_eq!(again.status, 409, "one account for an address");
    let change = async |body: Value| w.send("PATCH", &format!("/api/admin/staff/{id}"), Some(&owner), &[], Some(body)).await.ok();
    assert_eq!(change(json!({ "role": "viewer" })).await["role"], "viewer");
    let payout = "/api/admin/payouts/pyt_01ARZ3NDEKTSV4RRFFQ69G5FAV/process";
    assert_eq!(w.post(payout, &theirs, json!({})).await.status, 403, "another role works at once, with the old token");
    change(json!({ "active": false })).await;
    assert_eq!((w.get("/api/admin/orders", &theirs).await.status, log_in(&w, &email, None).await.status), (401, 401), "and so does a suspension");
    let listed = w.get("/api/admin/staff", &owner).await.ok();
    assert!(listed["items"].as_array().unwrap().iter().any(|s| s["id"] == json!(id) && s["active"] == false));
    let audit: Vec<Value> = w.items().into_iter().filter(|i| i["kind"]["S"] == "audit" && i["subject"]["S"] == json!(id)).collect();
    assert_eq!(audit.len(), 4, "invited, password chosen, changed, suspended");
    assert_eq!(audit.iter().filter(|a| a["address"]["S"] == "203.0.113.7").count(), 3, "and from where");
}

#[tokio::test]
async fn one_owner_is_always_left() {
    let w = World::new().await;
    let owner = w.admin("owner").await;
    let (id, email) = join(&w, "owner").await;
    let mine = w.get("/api/admin/auth/me", &owner).await.ok()["id"].as_str().unwrap().to_owned();
    let demote = async |who: &str, by: &str| {
        w.send("PATCH", &format!("/api/admin/staff/{who}"), Some(by), &[], Some(json!({ "role": "viewer" }))).await.status
    };
    assert_eq!(demote(&mine, &owner).await, 409, "nobody changes their own rights");
    let theirs = token(log_in(&w, &email, None).await);
    let (one, two) = tokio::join!(demote(&mine, &theirs), demote(&id, &owner));
    assert_eq!([one, two].iter().filter(|s| **s == 200).count(), 1, "{one} {two}");
    let owners = w.items().iter().filter(|i| i["kind"]["S"] == "admin" && i["role"]["S"] == "owner").count();
    assert_eq!(owners, 1);
}

#[tokio::test]
async fn the_first_owner_is_made_by_hand_once() {
    let w = World::new().await;
    let wanted = |email: &str| first_owner::Wanted { name: "Pemilik".into(), email: email.into() };
    assert!(
        qutab_tests::grants::acting("first-owner", first_owner::run(&w.shop.app, wanted("a@qutab.test"))).await.is_err(),
        "there is staff already"
    );
    for admin in w.shop.app.store.staff(10, None).await.unwrap().whole().unwrap().0 {
        w.shop.app.store.delete(&qutab::store::keys::profile(&admin.value.id.to_string())).await.unwrap();
    }
    assert!(qutab_tests::grants::acting("first-owner", first_owner::run(&w.shop.app, wanted("not an address"))).await.is_err());
    let (one, two) = (wanted("a@qutab.test"), wanted("b@qutab.test"));
    let (one, two) = tokio::join!(
        qutab_tests::grants::acting("first-owner", first_owner::run(&w.shop.app, one)),
        qutab_tests::grants::acting("first-owner", first_owner::run(&w.shop.app, two))
    );
    assert!(one.is_ok() != two.is_ok(), "one of two at once");
    w.drain().await;
    let email = if one.is_ok() { "a@qutab.test" } else { "b@qutab.test" };
    let link = w.mailed_token(email, "accept-invitation");
    assert_eq!(w.post("/api/admin/auth/accept-invitation", "", json!({ "token": link, "password": PASSWORD })).await.status, 204);
    let theirs = token(log_in(&w, email, None).await);
    assert_eq!(w.post("/api/admin/auth/logout", &theirs, json!({})).await.status, 204);
    let logged: Vec<String> = w.items().iter().filter(|i| i["kind"]["S"] == "audit").map(|i| i["action"]["S"].as_str().unwrap().to_owned()).collect();
    for action in ["staff.first_owner", "staff.password", "staff.login", "staff.logout"] {
        assert_eq!(logged.iter().filter(|a| *a == action).count(), 1, "{action}: {logged:?}");
    }
}

#[tokio::test]
async fn a_second_factor_is_proved_asked_for_and_replaced_by_recovery_codes() {
    let w = World::new().await;
    let (_, email) = join(&w, "finance").await;
    let theirs = token(log_in(&w, &email, None).await);
    let wrong = w.post("/api/admin/auth/totp/enrol", &theirs, json!({ "current_password": "bukan ini" })).await;
    assert_eq!(wrong.status, 422);
    let enrolled = w.post("/api/admin/auth/totp/enrol", &theirs, json!({ "current_password": PASSWORD })).await.ok();
    let text = enrolled["secret"].as_str().unwrap();
    assert!(enrolled["uri"].as_str().unwrap().contains(&format!("secret={text}&issuer=Qutab")));
    let secret = TotpSecret::of(data_encoding::BASE32_NOPAD.decode(text.as_bytes()).unwrap());
    assert_eq!(log_in(&w, &email, None).await.status, 200, "not asked for before it was proved");
    assert_eq!(w.post("/api/admin/auth/totp/verify", &theirs, json!({ "code": "000000" })).await.status, 422);
    let proved = w.post("/api/admin/auth/totp/verify", &theirs, json!({ "code": secret.code(w.now()) })).await.ok();
    let recovery: Vec<&str> = proved["recovery_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    assert_eq!(recovery.len(), 10);
    let table: String = w.items().iter().map(ToString::to_string).collect();
    assert!(!table.contains(text) && !table.contains(recovery[0]), "neither is kept as it is");
    assert_eq!(log_in(&w, &email, None).await.code(), "second_factor_required");
    assert_eq!(log_in(&w, &email, secret.code(w.now()).as_deref()).await.code(), "second_factor_wrong", "this code was used to prove it");
    w.pass_seconds(30);
    let code = secret.code(w.now()).unwrap();
    assert_eq!((log_in(&w, &email, Some(&code)).await.status, log_in(&w, &email, Some(&code)).await.status), (200, 401), "once");
    assert_eq!((log_in(&w, &email, Some(recovery[3])).await.status, log_in(&w, &email, Some(recovery[3])).await.status), (200, 401));
    let wrong_password = w.post("/api/admin/auth/login", "", json!({ "email": email, "password": "bukan ini", "code": recovery[4] })).await;
    assert_eq!(wrong_password.code(), "wrong_credentials");
    w.pass_seconds(900);
    let theirs = token(log_in(&w, &email, secret.code(w.now()).as_deref()).await);
    assert_eq!(w.post("/api/admin/auth/totp/disable", &theirs, json!({ "current_password": PASSWORD })).await.status, 422, "with a code");
    let body = json!({ "current_password": PASSWORD, "code": recovery[5] });
    assert_eq!(w.post("/api/admin/auth/totp/disable", &theirs, body).await.status, 204);
    assert_eq!(log_in(&w, &email, None).await.status, 200);
}

#[tokio::test]
async fn codes_are_not_guessed_from_many_addresses() {
    let w = World::new().await;
    let (_, email) = join(&w, "finance").await;
    let theirs = token(log_in(&w, &email, None).await);
    let enrolled = w.post("/api/admin/auth/totp/enrol", &theirs, json!({ "current_password": PASSWORD })).await.ok();
    let secret = TotpSecret::of(data_encoding::BASE32_NOPAD.decode(enrolled["secret"].as_str().unwrap().as_bytes()).unwrap());
    w.post("/api/admin/auth/totp/verify", &theirs, json!({ "code": secret.code(w.now()) })).await.ok();
    let mut statuses = Vec::new();
    for n in 0..15 {
        let body = json!({ "email": email, "password": PASSWORD, "code": format!("{n:06}") });
        statuses.push(w.send_from(&format!("198.51.100.{n}"), "POST", "/api/admin/auth/login", body).await.status);
    }
    assert_eq!(statuses.iter().filter(|s| **s == 429).count(), 6, "{statuses:?}");
}

#[tokio::test]
async fn sessions_end_with_a_new_password_however_many_there_are() {
    let w = World::new().await;
    let id = w.get("/api/admin/auth/me", &w.admin("viewer").await).await.ok()["id"].as_str().unwrap().to_owned();
    let mut last = String::new();
    for _ in 0..150 {
        last = w.token(Audience::Admin, &id, Some(Role::Viewer)).await;
    }
    assert_eq!(w.get("/api/admin/orders", &last).await.status, 200);
    w.post("/api/admin/auth/forgot-password", "", json!({ "email": "viewer@qutab.test" })).await.ok();
    w.drain().await;
    let link = w.mailed_token("viewer@qutab.test", "reset-password");
    assert_eq!(w.post("/api/admin/auth/reset-password", "", json!({ "token": link, "password": "sandi yang lain" })).await.status, 204);
    assert_eq!(w.get("/api/admin/orders", &last).await.status, 401);
    assert!(!w.items().iter().any(|i| i["kind"]["S"] == "session" && i["account"]["S"] == json!(id)), "none is left");
}

/// `docs/roles.md` says who may do what; it is the code's table.
#[test]
fn the_table_of_rights_is_the_documented_one() {
    let text = include_str!("../../docs/roles.md");
    let rows: Vec<Vec<&str>> =
        text.lines().filter(|l| l.starts_with("| ") && l.contains("yes")).map(|l| l.trim_matches('|').split('|').map(str::trim).collect()).collect();
    let in_code: Vec<Vec<&str>> = Permission::ALL
        .iter()
        .map(|right| std::iter::once(right.as_str()).chain(Role::ALL.iter().map(|role| if role.may(*right) { "yes" } else { "" })).collect())
        .collect();
    assert_eq!(rows, in_code);
}

#[tokio::test]
async fn where_a_second_factor_is_required_staff_without_one_can_only_set_it_up() {
    let w = World::new().await;
    let (_, email) = join(&w, "finance").await;
    let owner = w.admin("owner").await;
    let required = json!({ "version": 1, "second_factor_required": true });
    assert_eq!(w.send("PUT", "/api/admin/settings", Some(&owner), &[], Some(required)).await.ok()["second_factor_required"], true);
    let theirs = token(log_in(&w, &email, None).await);
    for who in [&theirs, &owner] {
        let refused = w.get("/api/admin/payouts", who).await;
        assert_eq!((refused.status, refused.code()), (403, "second_factor_missing"), "at once, the owner too");
    }
    assert_eq!(w.get("/api/admin/auth/me", &theirs).await.ok()["second_factor"], false);
    let enrolled = w.post("/api/admin/auth/totp/enrol", &theirs, json!({ "current_password": PASSWORD })).await.ok();
    assert_eq!(w.get("/api/admin/payouts", &theirs).await.status, 403, "begun is not proved");
    let secret = TotpSecret::of(data_encoding::BASE32_NOPAD.decode(enrolled["secret"].as_str().unwrap().as_bytes()).unwrap());
    w.post("/api/admin/auth/totp/verify", &theirs, json!({ "code": secret.code(w.now()) })).await.ok();
    assert_eq!(w.get("/api/admin/payouts", &theirs).await.status, 200);
    w.pass_seconds(60);
    let body = json!({ "current_password": PASSWORD, "code": secret.code(w.now()) });
    w.post("/api/admin/auth/totp/disable", &theirs, body).await;
    let without = w.get("/api/admin/auth/me", &theirs).await.ok()["second_factor"] == false;
    assert_eq!(w.get("/api/admin/payouts", &theirs).await.status == 403, without, "taken away, it is missing again");
}
