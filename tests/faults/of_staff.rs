//! What staff change, cut at every request: done once, and noted once.

use super::{every_cut, matured, sale};
use qutab_local::seed::product_id;
use qutab_tests::{Affiliate, World};
use serde_json::{Value, json};

fn noted(w: &World, action: &str) -> usize {
    w.items().iter().filter(|i| i["kind"]["S"] == "audit" && i["action"]["S"] == action).count()
}

#[tokio::test]
async fn suspending_and_reinstating() {
    every_cut(
        async |w: &World| (w.affiliate("rina").await, w.admin("ops").await),
        async |w: &World, (rina, ops): &(Affiliate, String)| {
            let path = format!("/api/admin/affiliates/{}", rina.id);
            let suspended = w.post(&format!("{path}/suspend"), ops, json!({ "reason": "x" })).await.status;
            suspended == 200 && w.post(&format!("{path}/reinstate"), ops, json!({})).await.status == 200
        },
        async |w: &World, (rina, _): &(Affiliate, String)| {
            let seen = w.get(&format!("/api/admin/affiliates/{}", rina.id), &w.admin("viewer").await).await.ok();
            assert_eq!(seen["status"], "approved");
            let why = w.get("/api/affiliate/payouts/eligibility", &rina.token).await.ok();
            assert!(!why["reasons"].as_array().unwrap().contains(&json!("not_approved")), "standing and status agree: {why}");
        },
    )
    .await;
}

#[tokio::test]
async fn changing_a_code() {
    every_cut(
        async |w: &World| (w.affiliate("rina").await, w.admin("ops").await),
        async |w: &World, (rina, ops): &(Affiliate, String)| {
            let path = format!("/api/admin/affiliates/{}/code", rina.id);
            w.send("PUT", &path, Some(ops), &[], Some(json!({ "code": "RINA-BARU" }))).await.status == 200
        },
        async |w: &World, (rina, _): &(Affiliate, String)| {
            assert!(!w.click("RINA-BARU").await.is_empty() && !w.click(&rina.code).await.is_empty());
            assert_eq!(noted(w, "affiliate.code"), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn changing_a_product() {
    every_cut(
        async |w: &World| w.admin("ops").await,
        async |w: &World, ops: &String| {
            let path = format!("/api/admin/products/{}", product_id("domba-garut"));
            w.send("PATCH", &path, Some(ops), &[], Some(json!({ "price": 3_500_000, "slug": "domba-garut-super" }))).await.status == 200
        },
        async |w: &World, _: &String| {
            let seen = w.send("GET", "/api/products/domba-garut-super", None, &[], None).await.ok();
            assert_eq!((seen["price"].as_i64(), noted(w, "product.change")), (Some(3_500_000), 1));
            let slugs = w.items().iter().filter(|i| i["kind"]["S"] == "slug").count();
            assert_eq!(slugs, 5, "one for each product");
        },
    )
    .await;
}

#[tokio::test]
async fn making_and_switching_off_a_coupon() {
    let body = || {
        json!({ "code": "BARU", "discount": { "kind": "fixed", "amount": 100_000 }, "minimum_order": 200_000,
        "valid_until": "2027-01-01T00:00:00Z", "limit": 5 })
    };
    every_cut(
        async |w: &World| w.admin("ops").await,
        async |w: &World, ops: &String| {
            // A repeat finds the coupon there.
            let made = matches!(w.post("/api/admin/coupons", ops, body()).await.status, 201 | 409);
            made && w.post("/api/admin/coupons/BARU/deactivate", ops, json!({})).await.status == 200
        },
        async |w: &World, ops: &String| {
            assert_eq!(w.get("/api/admin/coupons/BARU", ops).await.ok()["active"], false);
            assert_eq!((noted(w, "coupon.create"), noted(w, "coupon.deactivate")), (1, 1));
        },
    )
    .await;
}

#[tokio::test]
async fn changing_the_settings() {
    every_cut(
        async |w: &World| w.admin("owner").await,
        async |w: &World, owner: &String| {
            // A repeat finds that the version has moved on.
            let body = json!({ "version": 1, "hold_days": 14 });
            matches!(w.send("PUT", "/api/admin/settings", Some(owner), &[], Some(body)).await.status, 200 | 409)
        },
        async |w: &World, owner: &String| {
            let seen = w.get("/api/admin/settings", owner).await.ok();
            assert_eq!((seen["version"].as_i64(), seen["hold_days"].as_i64(), noted(w, "settings.change")), (Some(2), Some(14), 1));
        },
    )
    .await;
}

#[tokio::test]
async fn inviting_a_colleague() {
    every_cut(
        async |w: &World| w.admin("owner").await,
        async |w: &World, owner: &String| {
            let body = json!({ "name": "Staf Baru", "email": "baru@qutab.test", "role": "viewer" });
            matches!(w.post("/api/admin/staff", owner, body).await.status, 201 | 409)
        },
        async |w: &World, _: &String| {
            w.drain().await;
            let token = w.mailed_token("baru@qutab.test", "accept-invitation");
            let body = json!({ "token": token, "password": qutab_tests::PASSWORD });
            assert_eq!(w.post("/api/admin/auth/accept-invitation", "", body).await.status, 204);
            assert_eq!(noted(w, "staff.invite"), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn recording_a_batch_as_paid() {
    every_cut(
        async |w: &World| {
            let affiliate = matured(w).await;
            let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok();
            let finance = w.admin("finance").await;
            let process = json!({ "action": "process", "payouts": [payout["id"]] });
            w.post("/api/admin/payouts/batch", &finance, process).await.ok();
            let file = w.get("/api/admin/payouts/export.csv", &finance).await;
            (affiliate, String::from_utf8(file.bytes).unwrap().replace(",\r\n", ",BCA-9\r\n"), finance)
        },
        async |w: &World, (_, csv, finance): &(Affiliate, String, String)| {
            let answer = w.post("/api/admin/payouts/batch", finance, json!({ "action": "pay", "csv": csv })).await;
            answer.status == 200 && answer.body["items"][0]["status"] == "paid"
        },
        async |w: &World, (affiliate, ..): &(Affiliate, String, String)| assert_eq!(w.balance(affiliate).await, (0, 0, 0, 137_500)),
    )
    .await;
}

#[tokio::test]
async fn taking_over_a_failed_refund_and_confirming_it() {
    every_cut(
        async |w: &World| {
            let (_, order) = sale(w).await;
            w.pay(&order).await;
            w.drain().await;
            let finance = w.admin("finance").await;
            let path = format!("/api/admin/orders/{}", order["id"].as_str().unwrap());
            let opened = w.post(&format!("{path}/refund"), &finance, json!({ "kind": "end", "because": "undeliverable" })).await.ok();
            w.drain().await;
            for event in w.wire.zendit.finish_refunds("FAILED") {
                w.webhook(&event).await;
            }
            w.drain().await;
            (path.clone(), format!("{path}/refunds/{}", opened["refund"]["id"].as_str().unwrap()), finance)
        },
        async |w: &World, (_, refund, finance): &(String, String, String)| {
            let taken = w.post(&format!("{refund}/take-over"), finance, json!({})).await.status;
            // A repeat after all of it finds the refund confirmed.
            matches!(taken, 200 | 409) && w.post(&format!("{refund}/confirm"), finance, json!({ "reference": "BCA-5" })).await.status == 200
        },
        async |w: &World, (path, _, finance): &(String, String, String)| {
            let seen: Value = w.get(path, finance).await.ok();
            assert_eq!((seen["refunded"].as_i64(), seen["refunds"][0]["status"].as_str()), (Some(2_750_000), Some("succeeded")));
            assert_eq!((noted(w, "refund.take_over"), noted(w, "refund.confirm")), (1, 1));
        },
    )
    .await;
}

#[tokio::test]
async fn handing_a_payout_to_the_gateway() {
    every_cut(
        async |w: &World| {
            let affiliate = matured(w).await;
            let owner = w.admin("owner").await;
            w.send("PUT", "/api/admin/settings", Some(&owner), &[], Some(json!({ "version": 1, "gateway_payouts": true }))).await.ok();
            let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok();
            let finance = w.admin("finance").await;
            let path = format!("/api/admin/payouts/{}", payout["id"].as_str().unwrap());
            w.post(&format!("{path}/process"), &finance, json!({})).await.ok();
            (affiliate, path, finance)
        },
        async |w: &World, (_, path, finance): &(Affiliate, String, String)| {
            let handed = w.post(&format!("{path}/transfer"), finance, json!({})).await.status == 200;
            for _ in 0..3 {
                w.work_once().await;
            }
            handed
        },
        async |w: &World, (affiliate, ..): &(Affiliate, String, String)| {
            w.drain().await;
            for event in w.wire.zendit.finish_payouts("SUCCEEDED") {
                w.webhook(&event).await;
            }
            w.drain().await;
            assert_eq!((w.wire.zendit.paid_out(), w.balance(affiliate).await), (137_500, (0, 0, 0, 137_500)), "transferred once");
        },
    )
    .await;
}
