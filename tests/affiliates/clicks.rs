//! `/r/{code}`: the redirect, the cookie, campaigns, and who is counted.

use qutab_local::wire::{Cut, Position};
use qutab_tests::{Answer, World};
use serde_json::{Value, json};

async fn visit(w: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    w.send("GET", path, None, headers, None).await
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 302);
    answer.headers["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_leads_to_the_shop_with_a_signed_cookie() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let answer = visit(&w, &format!("/r/{}", affiliate.code), &[]).await;
    assert!(location(&answer).starts_with("https://shop.test?ref=aff_"));
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("qutab_ref=aff_") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(cookie.contains(&format!("Max-Age={}", 30 * 86_400)));
    let shouted = visit(&w, &format!("/r/{}", affiliate.code.to_uppercase()), &[]).await;
    assert!(location(&shouted).contains("ref="), "case is forgiven");
    for unknown in ["/r/NOBODY1", "/r/%ff", "/r/a", "/r/'%20or%201=1"] {
        let answer = visit(&w, unknown, &[]).await;
        assert_eq!(location(&answer), "https://shop.test", "{unknown}");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn a_visitor_lands_on_pages_of_the_shop_only_and_keeps_the_campaign() {
    let w = World::new().await;
    let code = w.affiliate("rina").await.code;
    let to = async |query: &str| location(&visit(&w, &format!("/r/{code}?{query}"), &[]).await);
    let deep = to("to=/produk/domba-garut&utm_source=ig&utm_campaign=idul%20adha&evil=1").await;
    assert!(deep.starts_with("https://shop.test/produk/domba-garut?ref=aff_") && deep.ends_with("&utm_campaign=idul+adha&utm_source=ig"), "{deep}");
    for outside in ["https://evil.test/", "//evil.test", "/%5Cevil.test", "/%2F%2Fevil.test", "javascript:alert(1)", "/a%0d%0aset-cookie:x=1"] {
        assert!(to(&format!("to={outside}")).await.starts_with("https://shop.test?ref="), "{outside}");
    }
    let clicks = w.items().iter().filter(|i| i["kind"]["S"] == "click" && i["campaign"]["M"]["utm_source"]["S"] == "ig").count();
    assert_eq!(clicks, 1, "the campaign is kept with the click");
}

#[tokio::test]
async fn an_old_code_keeps_working_after_a_change() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let owner = qutab::domain::affiliate::CodeOwner {
        code: qutab::domain::affiliate::ReferralCode::parse("LAMA-2025").unwrap(),
        affiliate: qutab::domain::ids::AffiliateId::parse(&affiliate.id).unwrap(),
        given_at: w.now(),
    };
    w.shop.app.store.create(&owner).await.unwrap();
    let click = w.click("lama-2025").await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    assert_eq!(w.balance(&affiliate).await.0, 137_500);
}

#[tokio::test]
async fn no_address_is_kept_and_strange_headers_do_no_harm() {
    let w = World::new().await;
    let code = w.affiliate("rina").await.code;
    let long = format!("https://www.instagram.com/{}", "x".repeat(2_000));
    let headers = [("referer", long.as_str()), ("x-forwarded-for", "evil, 1.2.3.4"), ("cookie", "qutab_ref=forged")];
    visit(&w, &format!("/r/{code}"), &headers).await;
    let clicks: Vec<_> = w.items().into_iter().filter(|i| i["kind"]["S"] == "click").collect();
    assert_eq!((clicks.len(), clicks[0]["referrer"]["S"].as_str()), (1, Some("www.instagram.com")));
    let kept = clicks[0].to_string();
    assert!(!kept.contains("203.0.113.7") && !kept.contains("1.2.3.4") && !kept.contains("Mozilla"), "{kept}");
    assert!(kept.len() < 1_000, "one write unit");
}

/// The clicks in the archive and those in the table, by id.
async fn kept(w: &World, affiliate: &str) -> (Vec<String>, Vec<String>) {
    let rows: Vec<Value> = w.archive.read(&format!("clicks/2026-11-23/{affiliate}.jsonl.gz")).await.unwrap();
    let mut archived: Vec<String> = rows.iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
    let items = w.items();
    let mut left: Vec<String> = items.iter().filter(|i| i["kind"]["S"] == "click").map(|i| i["id"]["S"].as_str().unwrap().to_owned()).collect();
    archived.sort();
    left.sort();
    (archived, left)
}

async fn archive(w: &World) -> bool {
    let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
    qutab_tests::grants::acting("click-archive", click_archive::run(&w.shop.app, &w.archive, event)).await.is_ok()
}

/// An affiliate with clicks that are old enough for the archive.
async fn old_clicks() -> (World, String, Vec<String>) {
    let w = World::seeded(11).await;
    let affiliate = w.affiliate("rina").await;
    for _ in 0..6 {
        visit(&w, &format!("/r/{}", affiliate.code), &[]).await;
    }
    let before = kept(&w, &affiliate.id).await.1;
    w.pass_days(89);
    assert!(archive(&w).await);
    assert_eq!(kept(&w, &affiliate.id).await.1.len(), 6, "not yet");
    w.pass_days(1);
    (w, affiliate.id, before)
}

#[tokio::test]
async fn old_clicks_go_to_the_archive_and_interrupted_runs_lose_and_double_nothing() {
    let (w, id, before) = old_clicks().await;
    w.wire.revive();
    assert!(archive(&w).await);
    let requests = w.wire.take_traffic().requests();
    assert_eq!(kept(&w, &id).await, (before, Vec::new()));
    // Counting that day again would find nothing: it is left as it was counted.
    // The last two requests only remember the run.
    for at in (requests - 38)..requests {
        let (w, id, before) = old_clicks().await;
        let position = if at % 2 == 0 { Position::NotSent } else { Position::AnswerLost };
        w.wire.arm(Cut { at, position, dies: true });
        assert!(!archive(&w).await || at + 3 >= requests, "cut at {at} of {requests}");
        w.wire.revive();
        assert!(archive(&w).await && archive(&w).await);
        assert_eq!(kept(&w, &id).await, (before, Vec::new()), "cut at {at}");
    }
}

#[tokio::test]
async fn the_last_click_that_counts_is_the_one_wherever_it_comes_from() {
    let w = World::new().await;
    let (rina, tono) = (w.affiliate("rina").await, w.affiliate("tono").await);
    let stale = w.click(&rina.code).await;
    w.pass_days(31);
    let older = w.click(&rina.code).await;
    w.pass_days(2);
    let last = w.click(&tono.code).await;
    let buyer = w.customer("budi").await;
    for (field, cookie) in [(stale.as_str(), &last), ("abc.def", &last), (&older, &last), (&last, &older), (&last, &stale)] {
        let body = World::order_body("domba-garut", 1, Some(field));
        let order = w.send("POST", "/api/orders", Some(&buyer), &[("cookie", &format!("qutab_ref={cookie}"))], Some(body)).await.ok();
        let seen = w.get(&format!("/api/admin/orders/{}", order["id"].as_str().unwrap()), &w.admin("viewer").await).await.ok();
        assert_eq!(seen["affiliate_id"], json!(tono.id));
    }
}
