//! Access tokens that must not work.

use data_encoding::BASE64URL_NOPAD;
use qutab::{
    domain::{identity::Audience, ids::SessionId},
    secrets::token::{Caller, Issuer, generate_keys},
};
use qutab_tests::World;
use serde_json::{Value, json};

fn parts(token: &str) -> (Value, Value, String) {
    let pieces: Vec<&str> = token.split('.').collect();
    let json = |text: &str| serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()).unwrap();
    (json(pieces[0]), json(pieces[1]), pieces[2].to_owned())
}

fn joined(header: &Value, claims: &Value, signature: &str) -> String {
    let text = |v: &Value| BASE64URL_NOPAD.encode(v.to_string().as_bytes());
    format!("{}.{}.{signature}", text(header), text(claims))
}

#[tokio::test]
async fn a_token_that_was_not_issued_for_this_here_now_is_none() {
    let w = World::new().await;
    let token = w.customer("budi").await;
    let (header, claims, signature) = parts(&token);
    let with = |of: &Value, name: &str, value: Value| {
        let mut changed = of.clone();
        changed[name] = value;
        changed
    };
    let (foreign, _) = generate_keys(header["kid"].as_str().unwrap()).unwrap();
    let caller =
        Caller { account: claims["sub"].as_str().unwrap().into(), session: SessionId::parse(claims["sid"].as_str().unwrap()).unwrap(), role: None };
    let forged = Issuer::parse(&foreign).unwrap().issue(Audience::Customer, &caller, w.now(), 600).unwrap();
    let affiliate = w.affiliate("rina").await.token;
    let bad = [
        ("no algorithm", joined(&with(&header, "alg", json!("none")), &claims, "")),
        ("another algorithm", joined(&with(&header, "alg", json!("HS256")), &claims, &signature)),
        ("an unknown key", joined(&with(&header, "kid", json!("k9")), &claims, &signature)),
        ("a key from elsewhere", joined(&with(&header, "jku", json!("https://evil.test/keys")), &claims, &signature)),
        ("a certificate from elsewhere", joined(&with(&header, "x5u", json!("https://evil.test/keys")), &claims, &signature)),
        ("a longer life", joined(&header, &with(&claims, "exp", json!(99_999_999_999_i64)), &signature)),
        ("somebody else", joined(&header, &with(&claims, "sub", json!("cus_00000000000000000000000000")), &signature)),
        ("another key of that name", forged),
        ("another audience", affiliate),
        ("half a token", token[..token.len() / 2].to_owned()),
        ("a huge token", "e".repeat(9_000)),
        ("nothing", String::new()),
    ];
    for (why, token) in bad {
        let answer = w.send("GET", "/api/orders", Some(&token), &[], None).await;
        assert_eq!((answer.status, answer.code()), (401, "not_logged_in"), "{why}");
    }
    assert_eq!(w.send("GET", "/api/orders", Some(&token), &[], None).await.status, 200);
    w.pass_seconds(600);
    assert_eq!(w.send("GET", "/api/orders", Some(&token), &[], None).await.status, 401, "ten minutes later");
}
