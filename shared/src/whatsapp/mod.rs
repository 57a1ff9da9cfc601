//! WhatsApp messages in the dialect of Meta's Cloud API. Off unless it is configured.
//!
//! The shop may only open a conversation with a message template that Meta has approved, so a notice is the name of
//! one and what goes into its blanks, in order. `docs/whatsapp.md` has the wordings to register.

use crate::{
    domain::{contact::Phone, identity::Language},
    https,
};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use serde_json::json;

/// A message template with its blanks filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub to: Phone,
    pub language: Language,
    pub template: &'static str,
    pub blanks: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhatsAppError {
    /// Another try may fare better.
    #[error("the message service did not answer: {0}")]
    Unavailable(&'static str),
    /// The number has no WhatsApp, or the template is not registered.
    #[error("the message service refused ({0})")]
    Refused(u16),
}

#[derive(Clone)]
pub struct WhatsApp {
    wire: SharedHttpConnector,
    /// Where this shop's number sends from: `{base}/{phone number id}/messages`.
    url: String,
    authorization: String,
}

impl std::fmt::Debug for WhatsApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WhatsApp").field("url", &self.url).finish_non_exhaustive()
    }
}

impl WhatsApp {
    pub fn new(wire: SharedHttpConnector, base: &str, sender: &str, token: &str) -> Self {
        Self { wire, url: format!("{}/{sender}/messages", base.trim_end_matches('/')), authorization: format!("Bearer {token}") }
    }

    /// Sends a notice. The API has no idempotency key: whoever repeats after [`WhatsAppError::Unavailable`] may send twice.
    pub async fn send(&self, notice: &Notice) -> Result<(), WhatsAppError> {
        let blanks: Vec<_> = notice.blanks.iter().map(|text| json!({ "type": "text", "text": text })).collect();
        let body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": notice.to.as_str().trim_start_matches('+'),
            "type": "template",
            "template": {
                "name": notice.template,
                "language": { "code": notice.language.as_str() },
                "components": [{ "type": "body", "parameters": blanks }],
            },
        });
        let headers = [("authorization", self.authorization.as_str())];
        let answer = https::send(&self.wire, "POST", self.url.clone(), &headers, Some(&body.to_string())).await;
        match answer.map_err(|e| WhatsAppError::Unavailable(e.0))?.status {
            200..=299 => Ok(()),
            429 | 500..=599 => Err(WhatsAppError::Unavailable("busy")),
            status => Err(WhatsAppError::Refused(status)),
        }
    }
}
