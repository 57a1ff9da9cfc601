//! Whatever is sent, the answer is a refusal and never a fault of ours.

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRng, TestRunner},
};
use qutab::http::Access;
use qutab_tests::World;
use serde_json::{Value, json};

/// How many bodies each route gets.
const BODIES: usize = 12;

fn values() -> impl Strategy<Value = Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        "\\PC{0,40}".prop_map(Value::from),
        Just(json!("x".repeat(5_000))),
    ];
    // Names that the routes know, so that their parsers are reached.
    let names = proptest::sample::select(vec![
        "email",
        "password",
        "name",
        "phone",
        "token",
        "items",
        "product_id",
        "quantity",
        "shohibul",
        "recipient",
        "location",
        "code",
        "coupon",
        "amount",
        "reason",
        "kind",
        "to",
        "note",
        "reference",
        "bank_code",
        "account_number",
        "holder_name",
        "social",
        "consent",
        "terms_version",
        "current_password",
        "new_password",
        "first_name",
        "whatsapp",
        "city",
        "primary_platform",
        "father",
        "language",
        "because",
        "referral_token",
    ]);
    leaf.prop_recursive(3, 40, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(names.clone(), inner, 0..9)
                .prop_map(|map| Value::Object(map.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())),
        ]
    })
}

#[tokio::test]
async fn random_bodies_ids_and_queries_are_refused_by_every_route() {
    let w = World::new().await;
    let customer = w.customer("budi").await;
    let affiliate = w.affiliate("rina").await.token;
    let admin = w.admin("owner").await;
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha));
    let strange = ["x", "%00", "%ff%fe", "..%2f..", "ord_01ARZ3NDEKTSV4RRFFQ69G5FAV", "%F0%9F%90%84", "1'--", "%3Cscript%3E"];
    let queries = ["", "?limit=5&cursor=abc.def", "?status=%00", "?q=%ff&sort=%00", "?limit=99999999999999999999", "?cursor=..&cursor=.."];
    let mut sent = 0;
    for (number, route) in w.groups().iter().flat_map(|g| &g.routes).enumerate() {
        let token = match route.access {
            Access::Public => None,
            Access::Customer => Some(customer.as_str()),
            Access::Affiliate => Some(affiliate.as_str()),
            Access::Admin(_) => Some(admin.as_str()),
        };
        for round in 0..BODIES {
            let id = strange[(number + round) % strange.len()];
            let path: String = route.path.split('/').map(|s| if s.starts_with('{') { id } else { s }).collect::<Vec<_>>().join("/");
            let path = format!("{path}{}", queries[round % queries.len()]);
            let body = values().new_tree(&mut runner).unwrap().current();
            let odd = format!("a\"{}\u{fc}", "r".repeat(300));
            let headers =
                [("idempotency-key", odd.as_str()), ("referer", odd.as_str()), ("x-forwarded-for", "999.1.1.1, <x>"), ("cookie", "qutab_ref=;;=%")];
            let headers = if round % 2 == 0 { &headers[..] } else { &headers[1..] };
            let answer = w.send(route.method.as_str(), &path, token, headers, Some(body.clone())).await;
            assert!(answer.status < 500, "{} {path} {body}: {} {}", route.method, answer.status, answer.body);
            sent += 1;
        }
    }
    assert!(sent > 500, "{sent} requests");
    w.check_ledgers().await;
}
