//! Problems as callers see them: RFC 9457.

use crate::app::problem::{FieldError, Problem};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    fn body(&self, request_id: Option<&str>) -> Vec<u8> {
        let code = self.code.as_str();
        let body = Body {
            r#type: format!("https://qutab.id/problems/{code}"),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail.as_deref(),
            code,
            request_id,
            errors: &self.errors,
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// The answer with the request's id in it; what is for the log is logged here, once.
    pub fn answer(&self, request_id: &str) -> Response {
        if let Some(cause) = self.logged.as_ref().filter(|_| !self.code.status().is_server_error()) {
            tracing::info!(request_id, code = self.code.as_str(), cause, "request refused");
        } else if let Some(cause) = &self.logged {
            tracing::error!(request_id, code = self.code.as_str(), cause, "request failed");
        }
        let mut response = (self.code.status(), self.body(Some(request_id))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A problem on its way out: the group's outermost layer writes it, for only that knows the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(std::sync::Arc::new(self));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::Code, domain::money::Overflow};

    #[test]
    fn who_collides_is_asked_to_try_again_and_rings_no_alarm() {
        let problem = Problem::busy("the link kept colliding");
        assert_ne!(problem.code, Code::Conflict, "no worker takes it for a state that stands");
        let answer = problem.answer("r1");
        assert_eq!((answer.status().as_u16(), answer.headers()[header::RETRY_AFTER].to_str().unwrap()), (409, "1"));
    }

    #[test]
    fn books_that_do_not_add_up_are_never_taken_for_a_conflict() {
        let problems: [Problem; 3] = [
            Overflow.into(),
            crate::domain::payout::Refusal::Overflow(Overflow).into(),
            crate::domain::order::NotRefundable::Overflow(Overflow).into(),
        ];
        assert!(problems.iter().all(|p| p.code == Code::Internal && p.code.status().is_server_error()));
    }
}
