//! Requests to services that have no SDK, on the HTTP client of the AWS SDK: one TLS stack and one connection pool for
//! everything that a function talks to.

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Limited};

/// Largest answer that is read.
const MAX_ANSWER: usize = 1 << 20;

/// Why there is no answer: the request may or may not have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(pub &'static str);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Seconds, from `rate-limit-reset` or `retry-after`.
    pub wait: Option<u64>,
    pub body: Vec<u8>,
}

/// Sends one JSON request. Nothing is repeated here.
pub async fn send(
    wire: &SharedHttpConnector,
    method: &str,
    url: String,
    headers: &[(&'static str, &str)],
    body: Option<&str>,
) -> Result<Answer, NoAnswer> {
    let mut request = HttpRequest::new(SdkBody::from(body.unwrap_or_default()));
    request.set_method(method).map_err(|_| NoAnswer("method"))?;
    request.set_uri(url).map_err(|_| NoAnswer("address"))?;
    request.headers_mut().insert("accept", "application/json");
    if body.is_some() {
        request.headers_mut().insert("content-type", "application/json");
    }
    for (name, value) in headers {
        request.headers_mut().insert(*name, (*value).to_owned());
    }
    let answer = wire.call(request).await.map_err(|e| NoAnswer(if e.is_timeout() { "timeout" } else { "connection" }))?;
    let status = answer.status().as_u16();
    let wait = ["rate-limit-reset", "retry-after"].iter().find_map(|name| answer.headers().get(name)?.parse().ok());
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await.map_err(|_| NoAnswer("answer cut off"))?;
    Ok(Answer { status, wait, body: body.to_bytes().to_vec() })
}
