//! Structured logs: JSON lines, without names, mails, phones, numbers, tokens or keys.

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging. Spans of dependencies stay out: the SDKs may log what they send.
pub fn start() {
    let filter = EnvFilter::new("warn,qutab=info");
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false).without_time();
    // A second start (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}
