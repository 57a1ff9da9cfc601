//! Logins and sessions against those who guess, steal or put a cookie beside ours.

use qutab::http::Access;
use qutab_tests::{Answer, PASSWORD, World};
use serde_json::json;

const LOGIN: &str = "/api/auth/login";

async fn log_in(w: &World, address: &str, email: &str, password: &str, cookie: &str) -> Answer {
    w.send_at(address, "POST", LOGIN, "", &[("cookie", cookie)], json!({ "email": email, "password": password })).await
}

/// A cookie that an answer set, as it is sent back.
fn cookie(answer: &Answer, name: &str) -> String {
    let set = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
    let mut ours = set.filter(|c| c.starts_with(name)).map(|c| c.split(';').next().unwrap().to_owned());
    ours.next_back().unwrap_or_else(|| panic!("no cookie {name}"))
}

#[tokio::test]
async fn logging_in_is_free_and_a_neighbours_guesses_do_not_shut_a_known_device_out() {
    let w = World::new().await;
    w.newcomer("ada").await;
    let (here, email) = ("198.51.100.7", "ada@example.com");
    let mut known = String::new();
    for _ in 0..15 {
        let answer = log_in(&w, here, email, PASSWORD, "").await;
        assert_eq!(answer.status, 200, "right passwords are not counted");
        known = cookie(&answer, "qutab_device");
    }
    let set = log_in(&w, here, email, PASSWORD, &known)
        .await
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|v| v.to_str().unwrap().to_owned())
        .next_back()
        .unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/api/auth/login"), "{set}");
    for n in 0..100 {
        assert_eq!(log_in(&w, here, &format!("tebak{n}@example.com"), "salah sekali", "").await.status, 401);
    }
    assert_eq!(log_in(&w, here, email, PASSWORD, "").await.status, 429, "a stranger's device waits");
    assert_eq!(log_in(&w, here, email, PASSWORD, &known).await.status, 200);
    assert_eq!(log_in(&w, here, "tebak1@example.com", "salah", &known).await.status, 429, "the device is known to one account only");
    // The device itself may guess as little as anybody.
    let mut answers = Vec::new();
    for _ in 0..11 {
        answers.push(log_in(&w, here, email, "salah sekali", &known).await.status);
    }
    assert_eq!((answers[9], answers[10]), (401, 429));
}

#[tokio::test]
async fn a_device_is_no_access() {
    let w = World::new().await;
    w.newcomer("ada").await;
    let answer = log_in(&w, "198.51.100.7", "ada@example.com", PASSWORD, "").await;
    let token = cookie(&answer, "qutab_device").split_once('=').unwrap().1.to_owned();
    assert_eq!(w.get("/api/profile", &token).await.status, 401);
    let access = answer.body["access_token"].as_str().unwrap();
    for n in 0..10 {
        log_in(&w, "198.51.100.8", "ada@example.com", &format!("salah {n}"), &format!("qutab_device={access}")).await;
    }
    let shut = log_in(&w, "198.51.100.8", "ada@example.com", PASSWORD, &format!("qutab_device={access}")).await;
    assert_eq!(shut.status, 429, "nor is an access token a device");
}

#[tokio::test]
async fn an_account_that_is_guessed_at_from_everywhere_wants_more_than_a_password() {
    let w = World::new().await;
    w.newcomer("ada").await;
    let email = "ada@example.com";
    let known = cookie(&log_in(&w, "198.51.100.7", email, PASSWORD, "").await, "qutab_device");
    w.drain().await;
    let before = w.mails_to(email).len();
    for n in 0..300 {
        assert_eq!(log_in(&w, &format!("203.0.{}.{}", n / 200, n % 200), email, "salah sekali", "").await.status, 401);
    }
    let shut = log_in(&w, "192.0.2.1", email, PASSWORD, "").await;
    assert_eq!((shut.status, shut.code()), (429, "too_many_requests"), "the right password, from a device that nobody knows");
    assert_eq!(log_in(&w, "192.0.2.1", email, PASSWORD, &known).await.status, 200);
    w.drain().await;
    assert_eq!(w.mails_to(email).len() - before, 1, "the owner is told once, with a link");
    let body = json!({ "token": w.mailed_token(email, "reset-password"), "password": "kata sandi baru" });
    assert_eq!(w.post("/api/auth/reset-password", "", body).await.status, 204);
    assert_eq!(log_in(&w, "192.0.2.1", email, "kata sandi baru", "").await.status, 200, "whoever reads the mail gets in");
    w.pass_seconds(3_600);
    assert_eq!(log_in(&w, "192.0.2.2", email, "kata sandi baru", "").await.status, 200);
}

#[tokio::test]
async fn a_cookie_whose_name_comes_twice_is_none() {
    let w = World::new().await;
    w.newcomer("ada").await;
    w.newcomer("jahat").await;
    let mine = cookie(&log_in(&w, "198.51.100.7", "ada@example.com", PASSWORD, "").await, "qutab_refresh");
    let theirs = cookie(&log_in(&w, "198.51.100.7", "jahat@example.com", PASSWORD, "").await, "qutab_refresh");
    let refresh = async |cookie: &str| w.send("POST", "/api/auth/refresh", None, &[("cookie", cookie)], None).await.status;
    for both in [format!("{theirs}; {mine}"), format!("{mine}; {theirs}"), format!("qutab_refresh=; {mine}")] {
        assert_eq!(refresh(&both).await, 401, "{both}");
    }
    assert_eq!(refresh(&format!("other=1; {mine}")).await, 200, "and nothing was used up");
}

#[tokio::test]
async fn a_session_that_has_ended_opens_no_route_of_a_customer() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "kambing-standar", None).await;
    let quote = json!({ "code": "BERKAH10", "items": [{ "product_id": order["items"][0]["product_id"], "quantity": 1 }] });
    let names = json!({ "items": [{ "product_id": order["items"][0]["product_id"], "shohibul": [{ "name": "Zainab" }] }] });
    w.post("/api/auth/logout", &buyer, json!({})).await;
    let mut asked = 0;
    let routes = w.groups().iter().flat_map(|g| &g.routes).filter(|r| matches!(r.access, Access::Customer) && r.path != "/api/auth/logout");
    for route in routes.map(|r| (r.method.to_string(), r.path)).collect::<Vec<_>>() {
        let (method, pattern) = (route.0.as_str(), route.1);
        let path = pattern.replace("{id}", order["id"].as_str().unwrap());
        let body = match pattern {
            "/api/orders" => World::order_body("kambing-standar", 1, None),
            "/api/coupons/validate" => quote.clone(),
            "/api/orders/{id}/names" => names.clone(),
            _ => json!({ "current_password": PASSWORD }),
        };
        let body = (method != "GET").then_some(body);
        let answer = w.send(method, &path, Some(&buyer), &[], body).await;
        assert_eq!((answer.status, answer.code()), (401, "not_logged_in"), "{method} {pattern}: {}", answer.body);
        asked += 1;
    }
    assert!(asked >= 14, "only {asked} routes");
    assert_eq!(w.stock("kambing-standar").await, 199);
}
