//! The outside world on one machine: an embedded DynamoDB engine, and small stand-ins that speak the protocols of
//! SQS, SES and the payment gateway. Tests call them in process; `main.rs` serves them on ports.
#![allow(clippy::disallowed_methods, reason = "the surroundings themselves: they have a clock and an environment")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a stand-in that cannot go on says so and stops")]
#![allow(clippy::missing_panics_doc)]

pub mod api_gateway;
pub mod client;
pub mod console;
pub mod demo;
mod docs;
pub mod dynamo;
pub mod dynamodb_local;
pub mod files;
mod guard;
pub mod kept;
pub mod lambda;
pub mod mailbox;
pub mod manner;
pub mod poller;
pub mod ports;
pub mod queues;
pub mod records;
pub mod replica;
pub mod schedules;
pub mod secrets;
pub mod seed;
mod strict;
pub mod system;
pub mod template;
pub mod weather;
pub mod whatsapp;
pub mod wire;
pub mod zendit;

/// A request to a stand-in, and its answer, whichever way they travel.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    /// Path with query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}

impl Reply {
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self { status, content_type: "application/json", body: body.to_string() }
    }
}
