//! Meta's Cloud API as far as sending template messages goes, keeping what it is sent.

use crate::{Call, Reply, kept::Kept};
use serde_json::{Value, json};

/// Most messages that are kept; the oldest go first.
const MOST: usize = 500;

#[derive(Debug, Clone)]
pub struct WhatsApp {
    messages: Kept<Vec<Value>>,
    token: String,
}

impl WhatsApp {
    pub fn new(messages: Kept<Vec<Value>>, token: &str) -> Self {
        Self { messages, token: token.into() }
    }

    pub fn answer(&self, call: &Call) -> Reply {
        let error = |status, code: u32, message: &str| {
            Reply::json(status, &json!({ "error": { "message": message, "type": "OAuthException", "code": code } }))
        };
        if call.header("authorization") != Some(format!("Bearer {}", self.token).as_str()) {
            return error(401, 190, "Invalid OAuth access token");
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let to = body["to"].as_str().unwrap_or_default();
        let named = body["template"]["name"].is_string() && body["template"]["language"]["code"].is_string();
        if call.method != "POST" || !call.path.ends_with("/messages") || body["messaging_product"] != "whatsapp" || !named {
            return error(400, 100, "Invalid parameter");
        }
        // A number that has no WhatsApp, for whoever wants to see what happens.
        if to.ends_with("0000") {
            return error(400, 131_026, "Message undeliverable");
        }
        let reply = json!({ "messaging_product": "whatsapp", "contacts": [{ "input": to, "wa_id": to }], "messages": [{ "id": "wamid.local" }] });
        self.messages.change(|messages| {
            messages.push(body);
            let surplus = messages.len().saturating_sub(MOST);
            messages.drain(..surplus);
        });
        Reply::json(200, &reply)
    }

    /// What was sent, oldest first: number, template and blanks.
    pub fn all(&self) -> Vec<(String, String, Vec<String>)> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let one = |m: &Value| {
            let blanks = m["template"]["components"][0]["parameters"].as_array().into_iter().flatten().map(|p| text(&p["text"])).collect();
            (text(&m["to"]), text(&m["template"]["name"]), blanks)
        };
        self.messages.read(|messages| messages.iter().map(one).collect())
    }
}
