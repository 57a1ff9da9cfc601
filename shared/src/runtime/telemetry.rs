//! Structured logs: JSON lines, without names, mails, phones, numbers, tokens or keys. One line for every invocation, with
//! what it cost; metrics as lines in CloudWatch's embedded metric format.

use super::config::{Environment, name};
use crate::{
    app::metrics::{Metric, TARGET},
    http::Served,
};
use serde_json::json;
use std::{
    io::Write,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Instant, SystemTime},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

static STAGE: OnceLock<String> = OnceLock::new();
static FUNCTION: OnceLock<String> = OnceLock::new();
static WARM: AtomicBool = AtomicBool::new(false);

/// Starts logging. Spans of dependencies stay out: the SDKs may log what they send.
pub fn start() {
    let environment = Environment::of_process();
    let _ = STAGE.set(environment.get(name::STAGE).unwrap_or_default().to_owned());
    let _ = FUNCTION.set(environment.get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default().to_owned());
    let filter = Targets::new().with_default(LevelFilter::WARN).with_target("qutab", LevelFilter::INFO).with_target(TARGET, LevelFilter::OFF);
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false).without_time();
    // A second start (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).with(Metrics).try_init();
}

/// Publishes what use cases count.
#[derive(Debug)]
struct Metrics;

#[derive(Default)]
struct Counted {
    metric: Option<Metric>,
    value: i64,
}

impl Visit for Counted {
    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() == "value" {
            self.value = value;
        }
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "metric" {
            self.metric = Metric::ALL.iter().copied().find(|m| m.as_str() == value);
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl<S: Subscriber> Layer<S> for Metrics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let mut counted = Counted::default();
        event.record(&mut counted);
        if let Some(metric) = counted.metric {
            let line = embedded(metric, counted.value, STAGE.get().map_or("", String::as_str), milliseconds());
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }
}

/// A metric in the embedded metric format: CloudWatch reads it out of the log.
pub fn embedded(metric: Metric, value: i64, stage: &str, at: u64) -> serde_json::Value {
    json!({
        "_aws": {
            "Timestamp": at,
            "CloudWatchMetrics": [{
                "Namespace": "Qutab",
                "Dimensions": [["Stage"]],
                "Metrics": [{ "Name": metric.as_str(), "Unit": metric.unit() }],
            }],
        },
        "Stage": stage,
        metric.as_str(): value,
    })
}

#[expect(clippy::disallowed_methods, reason = "the time of a log line is the machine's")]
fn milliseconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(0))
}

/// Requests that an invocation made, by service.
#[derive(Debug, Default)]
struct Calls {
    dynamodb: AtomicU32,
    sqs: AtomicU32,
    s3: AtomicU32,
    ses: AtomicU32,
    others: AtomicU32,
}

tokio::task_local! {
    static CALLS: Calls;
}

/// Counts a request to `host`; outside an invocation it counts nothing.
pub(super) fn called(host: &str, target: Option<&str>) {
    let _ = CALLS.try_with(|calls| {
        let counter = match (target, host) {
            (Some(t), _) if t.starts_with("DynamoDB") => &calls.dynamodb,
            (Some(t), _) if t.starts_with("AmazonSQS") => &calls.sqs,
            (_, h) if h.contains("s3.") || h.contains("s3-") => &calls.s3,
            (_, h) if h.starts_with("email.") => &calls.ses,
            _ => &calls.others,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    });
}

/// Runs one invocation and writes its line.
#[expect(clippy::disallowed_methods, reason = "how long an invocation took decides nothing")]
pub(super) async fn observed<T>(work: impl Future<Output = T>, served: impl FnOnce(&T) -> Served) -> T {
    let (start, cold) = (Instant::now(), !WARM.swap(true, Ordering::Relaxed));
    CALLS
        .scope(Calls::default(), async {
            let done = work.await;
            let Served { request, method, route, caller, status } = served(&done);
            let function = FUNCTION.get().map_or("", String::as_str);
            let milliseconds = start.elapsed().as_secs_f64() * 1_000.0;
            CALLS.with(|c| {
                let of = |n: &AtomicU32| n.load(Ordering::Relaxed);
                let (dynamodb, sqs, s3, ses, others) = (of(&c.dynamodb), of(&c.sqs), of(&c.s3), of(&c.ses), of(&c.others));
                tracing::info!(function, request, method, route, caller, status, milliseconds, cold, dynamodb, sqs, s3, ses, others, "invocation");
            });
            done
        })
        .await
}
