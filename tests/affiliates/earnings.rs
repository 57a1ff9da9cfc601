//! Bank account, commissions, statement, payouts.

use qutab::domain::{
    money::BasisPoints,
    settings::{MonthWindow, Settings},
};
use qutab_tests::{Affiliate, PASSWORD, World};
use serde_json::{Value, json};

async fn earned(w: &World) -> (Affiliate, Value) {
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "sapi-limosin", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    (affiliate, order)
}

async fn matured(w: &World) -> Affiliate {
    let (affiliate, order) = earned(w).await;
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    w.pass_days(31);
    assert_eq!(w.mature().await, 1);
    w.affiliate_again(&affiliate).await
}

#[tokio::test]
async fn a_commission_says_what_it_is_for_and_when_it_matures() {
    let w = World::new().await;
    let (affiliate, order) = earned(&w).await;
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    let list = w.get("/api/affiliate/commissions?status=pending", &affiliate.token).await.ok();
    let c = &list["items"][0];
    assert_eq!((c["order_number"].as_str(), c["items"].as_str()), (order["number"].as_str(), Some("1 x Sapi Limosin")));
    assert_eq!(
        (c["basis"].as_i64(), c["amount"].as_i64(), &c["rule"]),
        (Some(25_000_000), Some(1_250_000), &json!({ "kind": "percent", "rate": 500 }))
    );
    assert_eq!(c["matures_on"].as_str().unwrap().get(..10), Some("2026-12-23"), "30 days after the payment");
    let finance = w.admin("finance").await;
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{}/refund", order["id"].as_str().unwrap()), &finance, refund).await.ok();
    let void = w.get("/api/affiliate/commissions?status=void", &affiliate.token).await.ok();
    assert_eq!((void["items"][0]["void_because"].as_str(), void["items"][0]["remaining"].as_i64()), (Some("refunded"), Some(0)));
    assert_eq!(w.get("/api/affiliate/commissions?status=lost", &affiliate.token).await.status, 422);
}

#[tokio::test]
async fn a_bank_account_is_masked_checked_and_verified_anew_after_a_change() {
    let w = World::new().await;
    let affiliate = matured(&w).await;
    let put = async |code: &str, number: &str| {
        let body = json!({ "bank_code": code, "account_number": number, "holder_name": "Rina Wulandari", "current_password": PASSWORD });
        w.send("PUT", "/api/affiliate/bank-account", Some(&affiliate.token), &[], Some(body)).await
    };
    assert_eq!(w.get("/api/affiliate/bank-account", &affiliate.token).await.status, 404);
    assert_eq!(put("999", "1234567890").await.body["errors"][0]["field"], "bank_code");
    assert_eq!(put("014", "123").await.body["errors"][0]["field"], "account_number");
    let stranger = json!({ "bank_code": "014", "account_number": "1234567890", "holder_name": "Pencuri", "current_password": "bukan yang ini" });
    let refused = w.send("PUT", "/api/affiliate/bank-account", Some(&affiliate.token), &[], Some(stranger)).await;
    assert_eq!((refused.status, refused.body["errors"][0]["field"].as_str()), (422, Some("current_password")));
    let saved = put("014", "1234567890").await.ok();
    assert_eq!(
        (saved["bank_name"].as_str(), saved["account_number"].as_str(), saved["status"].as_str()),
        (Some("BCA"), Some("******7890"), Some("pending"))
    );
    let eligible = async || w.get("/api/affiliate/payouts/eligibility", &affiliate.token).await.ok();
    assert_eq!(eligible().await["reasons"], json!(["bank_not_verified"]));
    w.verify_saved_bank(&affiliate).await;
    w.drain().await;
    assert_eq!(eligible().await["eligible"], true);
    let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({ "amount": 200_000 })).await.ok();
    assert_eq!(put("009", "1234567").await.ok()["status"], "pending", "another account asks for another look");
    let seen = w.get(&format!("/api/affiliate/payouts/{}", payout["id"].as_str().unwrap()), &affiliate.token).await.ok();
    assert_eq!((seen["bank_name"].as_str(), seen["account_number"].as_str()), (Some("BCA"), Some("******7890")), "an open payout keeps its copy");
    let why = eligible().await["reasons"].clone();
    assert_eq!(why, json!(["bank_not_verified", "payout_open"]), "every reason at once");
    w.drain().await;
    let mails = w.mails_to(&affiliate.email);
    let told = |subject: &str| mails.iter().filter(|m| m.subject == subject).count();
    assert_eq!((told("Verifikasi rekening"), told("Rekening pencairan Anda telah diubah")), (1, 2), "each change is told");
    assert!(!mails.iter().any(|m| m.text.contains("1234567890")), "and no mail has the whole number");
}

/// A refund that takes back a part of a matured commission lowers what has to be paid out for those behind it.
#[tokio::test]
async fn what_was_paid_out_is_shown_as_paid_also_after_an_older_sale_was_refunded() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let mut orders = Vec::new();
    for slug in ["domba-garut", "kambing-super", "sapi-limosin"] {
        let click = w.click(&affiliate.code).await;
        let order = w.order(&buyer, slug, Some(&click)).await;
        w.pay(&order).await;
        w.drain().await;
        w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
        w.pass_seconds(60);
        orders.push(order["id"].as_str().unwrap().to_owned());
    }
    w.pass_days(31);
    assert_eq!(w.mature().await, 3);
    let affiliate = w.affiliate_again(&affiliate).await;
    w.verify_bank(&affiliate).await;
    let finance = w.admin("finance").await;
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{}/refund", orders[0]), &finance, refund).await.ok();
    let shown = async || {
        let all = w.get("/api/affiliate/commissions", &affiliate.token).await.ok();
        all["items"].as_array().unwrap().iter().map(|c| c["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let pay = async |amount: i64| {
        let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({ "amount": amount })).await.ok();
        let path = format!("/api/admin/payouts/{}", payout["id"].as_str().unwrap());
        w.post(&format!("{path}/process"), &finance, json!({})).await.ok();
        w.post(&format!("{path}/pay"), &finance, json!({ "reference": format!("BCA-{amount}") })).await.ok();
    };
    assert_eq!(shown().await, ["available", "available", "void"]);
    pay(197_500).await;
    assert_eq!(shown().await, ["available", "paid", "void"], "the second sale alone is paid");
    let lead = w.get("/api/affiliate/referrals", &affiliate.token).await.ok();
    assert_eq!(lead["items"][1]["status"], "paid");
    pay(1_250_000).await;
    assert_eq!((shown().await, w.balance(&affiliate).await.1), (vec!["paid".into(), "paid".into(), "void".to_owned()], 0));
}

#[tokio::test]
async fn payouts_are_requested_listed_and_never_below_the_minimum() {
    let w = World::new().await;
    let affiliate = matured(&w).await;
    w.verify_bank(&affiliate).await;
    let ask = async |amount: i64| w.post("/api/affiliate/payouts", &affiliate.token, json!({ "amount": amount })).await;
    for (amount, why) in [(99_999, "below_minimum"), (1_250_001, "insufficient_balance")] {
        let refused = ask(amount).await;
        assert_eq!((refused.status, refused.body["errors"][0]["field"].as_str()), (409, Some(why)), "{}", refused.body);
    }
    assert_eq!(ask(-1).await.status, 422);
    let payout = ask(100_000).await.ok();
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/payouts/{}", payout["id"].as_str().unwrap());
    w.post(&format!("{path}/reject"), &finance, json!({ "reason": "Nama tidak cocok" })).await.ok();
    assert_eq!(w.balance(&affiliate).await, (0, 1_250_000, 0, 0), "back in the balance");
    let list = w.get("/api/affiliate/payouts", &affiliate.token).await.ok();
    assert_eq!((list["items"][0]["status"].as_str(), list["items"][0]["note"].as_str()), (Some("rejected"), Some("Nama tidak cocok")));
    w.drain().await;
    assert!(w.mails_to(&affiliate.email).last().unwrap().text.contains("Nama tidak cocok"));
    let other = w.affiliate("tono").await;
    assert_eq!(w.get(&format!("/api/affiliate/payouts/{}", payout["id"].as_str().unwrap()), &other.token).await.status, 404);
}

#[tokio::test]
async fn a_statement_of_a_month_ends_in_the_balance() {
    let w = World::new().await;
    let affiliate = matured(&w).await;
    let of = async |query: &str| w.get(&format!("/api/affiliate/ledger?{query}"), &affiliate.token).await;
    let november = of("month=2026-11").await.ok();
    assert_eq!((november["opening"]["pending"].as_i64(), november["closing"]["pending"].as_i64()), (Some(0), Some(1_250_000)));
    let december = of("month=2026-12").await.ok();
    assert_eq!(december["opening"], november["closing"]);
    assert_eq!((december["closing"]["pending"].as_i64(), december["closing"]["available"].as_i64()), (Some(0), Some(1_250_000)));
    assert_eq!(december["entries"].as_array().unwrap().len(), 1);
    assert_eq!(of("month=2026-10").await.ok()["closing"]["pending"], 0, "before anything");
    let file = of("month=2026-12&format=csv").await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    let text = String::from_utf8(file.bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], ",,opening,,,,,1250000,0,0,0");
    assert!(lines[2].ends_with(",matured,-1250000,1250000,0,0,0,1250000,0,0"), "{}", lines[2]);
    for wrong in ["month=2026-13", "month=2026", "month=2026-11&format=xls"] {
        assert_eq!(of(wrong).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn a_window_and_a_withholding_apply_where_they_are_set() {
    let w = World::new().await;
    let affiliate = matured(&w).await;
    w.verify_bank(&affiliate).await;
    let set = async |settings: Settings| w.shop.app.store.append(&settings).await.unwrap();
    let mut settings = Settings { withholding: BasisPoints::new(250).unwrap(), ..Settings::default() };
    settings.payout_window = Some(MonthWindow { first_day: 1, last_day: 5 });
    set(settings.clone()).await;
    let refused = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await;
    assert_eq!((refused.status, refused.body["errors"][0]["field"].as_str()), (409, Some("outside_window")), "it is the 24th");
    settings.payout_window = Some(MonthWindow { first_day: 20, last_day: 31 });
    set(settings).await;
    let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok();
    let of = |name: &str| payout[name].as_i64().unwrap();
    assert_eq!((of("gross"), of("withheld"), of("net")), (1_250_000, 31_250, 1_218_750));
}

#[tokio::test]
async fn who_is_not_approved_is_told_every_reason_at_once_instead_of_a_conflict() {
    let w = World::new().await;
    let body = json!({ "first_name": "Tono", "last_name": "Wulandari", "email": "tono@promo.example.com", "password": PASSWORD,
        "whatsapp": "081377700012", "city": "Malang", "primary_platform": "tiktok", "social": { "tiktok": "https://www.tiktok.com/@tono" },
        "reason": "Ingin mengajak pengikut saya berkurban" });
    w.post("/api/affiliate/auth/register", "", body).await.ok();
    let login = w.post("/api/affiliate/auth/login", "", json!({ "email": "tono@promo.example.com", "password": PASSWORD })).await.ok();
    let token = login["access_token"].as_str().unwrap();
    let eligibility = w.get("/api/affiliate/payouts/eligibility", token).await.ok();
    assert_eq!(eligibility["reasons"], json!(["not_approved", "bank_not_verified", "below_minimum"]));
    let balance = w.get("/api/affiliate/balance", token).await.ok();
    assert_eq!((balance["available"].as_i64(), balance["can_request_payout"].as_bool()), (Some(0), Some(false)));
    assert_eq!(w.post("/api/affiliate/payouts", token, json!({})).await.status, 409);
}

#[tokio::test]
async fn a_payout_is_of_one_rupiah_at_least_whatever_the_minimum_was_set_to() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    w.verify_bank(&affiliate).await;
    let owner = w.admin("owner").await;
    let set = async |minimum: i64| {
        let version = w.get("/api/admin/settings", &owner).await.ok()["version"].clone();
        w.send("PUT", "/api/admin/settings", Some(&owner), &[], Some(json!({ "version": version, "minimum_payout": minimum }))).await
    };
    assert_eq!(set(0).await.body["errors"][0]["field"], "minimum_payout");
    set(1).await.ok();
    // As an earlier version may have left it.
    let settings = w.shop.app.store.settings().await.unwrap();
    let zero = qutab::domain::settings::Settings { minimum_payout: qutab::domain::money::Rupiah::ZERO, ..settings };
    w.shop.app.store.append(&zero).await.unwrap();
    let refused = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await;
    assert_eq!((refused.status, refused.code()), (409, "payout_not_eligible"), "a payout of nothing");
}
