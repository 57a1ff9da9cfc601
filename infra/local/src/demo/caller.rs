//! A caller of the API that does not give up while the system is away.

use crate::{client::HttpClient, system::Options};
use axum::body::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;
use std::time::Duration;

const TRIES: u32 = 120;
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
pub struct Caller {
    client: HttpClient,
    api: String,
    zendit: String,
}

impl Caller {
    pub fn new(options: &Options) -> Self {
        Self { client: HttpClient::default(), api: options.api(), zendit: options.zendit() }
    }

    pub async fn reachable(&self) -> bool {
        self.once(Method::GET, &format!("{}/api/categories", self.api), &[], None).await.is_ok_and(|r| r.status() == StatusCode::OK)
    }

    async fn once(&self, method: Method, url: &str, headers: &[(&str, &str)], body: Option<(&str, String)>) -> Result<Response<Bytes>, String> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (kind, body) = body.unwrap_or_default();
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        self.client.send(request.body(Full::from(body)).map_err(|e| e.to_string())?).await
    }

    /// Repeats while nobody answers, or the system says that it cannot just now.
    async fn send(&self, method: Method, url: &str, headers: &[(&str, &str)], body: Option<(&str, String)>) -> Result<Response<Bytes>, String> {
        let mut last = String::new();
        for _ in 0..TRIES {
            match self.once(method.clone(), url, headers, body.clone()).await {
                Ok(answer) if answer.status().is_server_error() => last = answer.status().to_string(),
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(format!("{method} {url}: {last}"))
    }

    /// Calls the API. `token` may be empty. Answers with status and body.
    pub async fn call(&self, method: Method, path: &str, token: &str, key: &str, body: Option<&Value>) -> Result<(u16, Value), String> {
        let authorization = format!("Bearer {token}");
        let mut headers = Vec::new();
        if !token.is_empty() {
            headers.push(("authorization", authorization.as_str()));
        }
        if !key.is_empty() {
            headers.push(("idempotency-key", key));
        }
        let body = body.map(|b| ("application/json", b.to_string()));
        let answer = self.send(method, &format!("{}{path}", self.api), &headers, body).await?;
        let value = serde_json::from_slice(answer.body()).unwrap_or_default();
        Ok((answer.status().as_u16(), value))
    }

    /// A file of the API.
    pub async fn file(&self, path: &str, token: &str) -> Result<Bytes, String> {
        let authorization = format!("Bearer {token}");
        let answer = self.send(Method::GET, &format!("{}{path}", self.api), &[("authorization", &authorization)], None).await?;
        if answer.status().is_success() { Ok(answer.into_body()) } else { Err(format!("{path}: {}", answer.status())) }
    }

    pub async fn get(&self, path: &str, token: &str) -> Result<Value, String> {
        good(path, self.call(Method::GET, path, token, "", None).await?)
    }

    /// A change that must succeed. `key` makes its repetition harmless.
    pub async fn post(&self, path: &str, token: &str, key: &str, body: &Value) -> Result<Value, String> {
        good(path, self.call(Method::POST, path, token, key, Some(body)).await?)
    }

    pub async fn put(&self, path: &str, token: &str, body: &Value) -> Result<Value, String> {
        good(path, self.call(Method::PUT, path, token, "", Some(body)).await?)
    }

    /// Follows an affiliate's link without its redirect: the signed click.
    pub async fn click(&self, code: &str) -> Result<String, String> {
        let agent = [("user-agent", "Mozilla/5.0 (demo)")];
        let answer = self.send(Method::GET, &format!("{}/r/{code}", self.api), &agent, None).await?;
        let location = answer.headers().get(header::LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
        location.split_once("?ref=").map(|(_, token)| token.to_owned()).ok_or_else(|| format!("/r/{code} led to {location:?}"))
    }

    /// Pays on the gateway's hosted page.
    pub async fn pay(&self, payment_url: &str) -> Result<(), String> {
        let path = payment_url.rsplit('/').next().unwrap_or_default();
        let form = ("application/x-www-form-urlencoded", "method=EWALLET".to_owned());
        self.send(Method::POST, &format!("{}/pay/{path}", self.zendit), &[], Some(form)).await.map(|_| ())
    }

    /// Runs a schedule as of a day. Answers with what it said.
    pub async fn schedule(&self, function: &str, day: &str) -> Result<Value, String> {
        let form = ("application/x-www-form-urlencoded", format!("day={day}"));
        let url = format!("{}/_local/schedules/{function}", self.api);
        let answer = self.send(Method::POST, &url, &[("accept", "application/json")], Some(form)).await?;
        serde_json::from_slice(answer.body()).map_err(|_| format!("the schedule {function} answered {}", answer.status()))
    }
}

fn good(path: &str, (status, body): (u16, Value)) -> Result<Value, String> {
    if (200..300).contains(&status) { Ok(body) } else { Err(format!("{path}: {status} {body}")) }
}
