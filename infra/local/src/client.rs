//! A plain HTTP client for what runs on this machine: webhooks and the demo.

use axum::body::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
pub struct HttpClient(Client<HttpConnector, Full<Bytes>>);

impl Default for HttpClient {
    fn default() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

impl HttpClient {
    /// Sends a request and reads the whole answer. The error says what went wrong on the way.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<http::Response<Bytes>, String> {
        let answer = async {
            let (head, body) = self.0.request(request).await.map_err(|e| e.to_string())?.into_parts();
            let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
            Ok(http::Response::from_parts(head, body))
        };
        tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err("no answer in time".into()))
    }

    /// Posts JSON. Answers with the status.
    pub async fn post(&self, url: &str, headers: &[(&str, &str)], body: &serde_json::Value) -> Result<u16, String> {
        let mut request = Request::post(url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_string())).map_err(|e| e.to_string())?;
        Ok(self.send(request).await?.status().as_u16())
    }
}
