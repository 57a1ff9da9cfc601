//! The SDK's wire without a socket, with a fault layer on it.
//!
//! Requests go to the stand-in that their host names. The fault layer counts round trips and capacity units, and can
//! cut the connection at any request: before it is sent, or after it was applied. After a cut the process counts as
//! dead until it is revived: every further request fails.

use crate::{
    Call, Reply,
    dynamo::{self, Engine},
    files::Files,
    mailbox::Mailbox,
    queues::Queues,
    replica::Replica,
    strict,
    weather::{Seen, Weather},
    whatsapp::WhatsApp,
    zendit::Zendit,
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Where a request is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    NotSent,
    AnswerLost,
}

/// A cut at the request of that number, counted from the last [`Wire::arm`]. `dies`: nothing works after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub at: usize,
    pub position: Position,
    pub dies: bool,
}

/// A service that can be taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    Gateway,
    Mail,
    Messages,
}

/// What went over the wire since the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Traffic {
    pub dynamo_trips: u32,
    pub read_units: f64,
    pub write_units: f64,
    pub queue_trips: u32,
    pub gateway_trips: u32,
    pub mail_trips: u32,
    pub file_trips: u32,
}

impl Traffic {
    pub fn requests(&self) -> usize {
        (self.dynamo_trips + self.queue_trips + self.gateway_trips + self.mail_trips + self.file_trips) as usize
    }
}

#[derive(Debug, Default)]
struct Faults {
    cut: Option<Cut>,
    seen: usize,
    dead: bool,
    traffic: Traffic,
    collisions: u32,
    under_way: u32,
    down: BTreeSet<Service>,
}

#[derive(Clone)]
pub struct Wire {
    pub db: Engine,
    pub queues: Queues,
    pub mailbox: Mailbox,
    pub zendit: Zendit,
    pub files: Files,
    pub whatsapp: WhatsApp,
    /// Answers for the indexes, where they are to lag.
    pub replica: Option<Replica>,
    faults: Arc<Mutex<Faults>>,
    page_size: Arc<AtomicU64>,
    weather: Arc<Mutex<(Weather, Seen)>>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    pub fn new(db: Engine, queues: Queues, mailbox: Mailbox, zendit: Zendit, files: Files, whatsapp: WhatsApp) -> Self {
        let page_size = Arc::new(AtomicU64::new(u64::MAX));
        Self { db, queues, mailbox, zendit, files, whatsapp, replica: None, faults: Arc::default(), page_size, weather: Arc::default() }
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the table does by itself from now on; cuts come and go without changing it.
    pub fn expect(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = (weather, Seen::default());
    }

    pub fn arm(&self, cut: Cut) {
        *self.faults() = Faults { cut: Some(cut), ..Faults::default() };
    }

    /// The next `count` transactions collide with somebody else's.
    pub fn collide(&self, count: u32) {
        self.faults().collisions = count;
    }

    /// The next `count` transactions are applied, but are said to be under way still: the answer to a repeat that
    /// came too early.
    pub fn still_under_way(&self, count: u32) {
        self.faults().under_way = count;
    }

    /// A service answers every request with what it says when it is busy, or again as usual.
    pub fn take_down(&self, service: Service, down: bool) {
        let mut faults = self.faults();
        if down {
            faults.down.insert(service)
        } else {
            faults.down.remove(&service)
        };
    }

    /// Every query answers with at most so many items and the place where it stopped, as DynamoDB does after a megabyte,
    /// whatever limit was asked for. Stays until it is set again.
    pub fn small_pages(&self, items: u64) {
        self.page_size.store(items, Ordering::Relaxed);
    }

    fn is_down(&self, service: Service) -> bool {
        self.faults().down.contains(&service)
    }

    /// A new process: no faults, counters at zero.
    pub fn revive(&self) {
        *self.faults() = Faults::default();
    }

    pub fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut self.faults().traffic)
    }

    /// What happens to this request.
    fn fate(&self) -> Option<Position> {
        let mut faults = self.faults();
        if faults.dead {
            return Some(Position::NotSent);
        }
        let number = faults.seen;
        faults.seen += 1;
        let cut = faults.cut.filter(|c| c.at == number)?;
        faults.dead = cut.dies;
        faults.cut = None;
        Some(cut.position)
    }

    fn answer(&self, host: &str, call: &Call) -> Reply {
        if host.starts_with("sqs.") {
            self.faults().traffic.queue_trips += 1;
            self.queues.answer(call)
        } else if host.starts_with("email.") {
            self.faults().traffic.mail_trips += 1;
            if self.is_down(Service::Mail) {
                let body = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>".into();
                return Reply { status: 400, content_type: "text/xml", body };
            }
            self.mailbox.answer(call)
        } else if host.starts_with("whatsapp.") {
            self.faults().traffic.mail_trips += 1;
            if self.is_down(Service::Messages) {
                return Reply::json(503, &json!({ "error": { "message": "Service temporarily unavailable", "code": 2 } }));
            }
            self.whatsapp.answer(call)
        } else if host.starts_with("zendit.") {
            self.faults().traffic.gateway_trips += 1;
            if self.is_down(Service::Gateway) {
                return Reply::json(503, &json!({ "error_code": "SERVICE_UNAVAILABLE" }));
            }
            self.zendit.answer(call)
        } else {
            self.dynamo(call)
        }
    }

    fn dynamo(&self, call: &Call) -> Reply {
        let mut call = call.clone();
        let operation = call.header("x-amz-target").and_then(|t| t.split_once('.')).map_or("", |t| t.1).to_owned();
        if operation == "TransactWriteItems" && self.faults().collisions > 0 {
            self.faults().collisions -= 1;
            let reasons = json!([{ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" }]);
            let body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message": "collision", "CancellationReasons": reasons });
            return Reply { status: 400, content_type: "application/x-amz-json-1.0", body: body.to_string() };
        }
        let mut weather = self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, seen) = (weather.0, &mut weather.1);
        if let Some((kind, message)) = now.request(seen, &operation) {
            let reasons = json!([{ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" }]);
            let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "Message": message, "CancellationReasons": reasons });
            return Reply { status: 400, content_type: "application/x-amz-json-1.0", body: body.to_string() };
        }
        let mut unread = None;
        let asks = matches!(operation.as_str(), "Query" | "Scan" | "BatchGetItem");
        let most = self.page_size.load(Ordering::Relaxed);
        if (asks || !now.uncounted)
            && let Ok(mut request) = serde_json::from_slice::<Value>(&call.body)
        {
            unread = now.narrow(seen, &operation, &mut request);
            if matches!(operation.as_str(), "Query" | "Scan") && request["Limit"].as_u64().is_none_or(|limit| limit > most) && most != u64::MAX {
                request["Limit"] = json!(most);
            }
            // A request that AWS would refuse is a defect, however well it goes here. Not looked for in histories, which would cost them time.
            if !now.uncounted
                && let Err(why) = strict::check(&operation, &request)
            {
                panic!("AWS refuses this {operation}: {why}");
            }
            if !now.uncounted {
                request["ReturnConsumedCapacity"] = json!("INDEXES");
            }
            call.body = request.to_string().into_bytes();
        }
        drop(weather);
        let of_index = operation == "Query" && call.body.windows(11).any(|w| w == b"\"IndexName\"");
        let mut reply = match &self.replica {
            Some(replica) if of_index => dynamo::answer(replica.db(), &call),
            _ => dynamo::answer(&self.db, &call),
        };
        if let Some(keys) = unread
            && let Ok(mut body) = serde_json::from_str::<Value>(&reply.body)
        {
            body["UnprocessedKeys"] = keys;
            reply.body = body.to_string();
        }
        if let Some(replica) = &self.replica
            && reply.status == 200
            && !matches!(operation.as_str(), "GetItem" | "Query" | "Scan" | "BatchGetItem" | "TransactGetItems")
        {
            replica.written(&call);
        }
        if now.uncounted && self.faults().under_way == 0 {
            return reply;
        }
        let units = capacity(&reply.body);
        let mut faults = self.faults();
        if operation == "TransactWriteItems" && faults.under_way > 0 {
            faults.under_way -= 1;
            let body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#TransactionInProgressException", "Message": "in progress" });
            reply = Reply { status: 400, content_type: "application/x-amz-json-1.0", body: body.to_string() };
        }
        faults.traffic.dynamo_trips += 1;
        if matches!(operation.as_str(), "GetItem" | "Query" | "Scan" | "BatchGetItem" | "TransactGetItems") {
            faults.traffic.read_units += units;
        } else {
            faults.traffic.write_units += units;
        }
        reply
    }
}

fn capacity(body: &str) -> f64 {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let one = |c: &Value| c["CapacityUnits"].as_f64().unwrap_or(0.0);
    match &answer["ConsumedCapacity"] {
        Value::Array(all) => all.iter().map(one).sum(),
        single => one(single),
    }
}

/// The file store's answer; it is the only stand-in that waits.
fn file_answer(files: Files, uri: String, call: Call, fate: Option<Position>) -> HttpConnectorFuture {
    HttpConnectorFuture::new(async move {
        let mut request = http::Request::builder().method(call.method.as_str()).uri(uri);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = request.body(call.body.into()).map_err(|e| ConnectorError::user(e.into()))?;
        let (parts, body) = files.answer(request).await.into_parts();
        if fate == Some(Position::AnswerLost) {
            return Err(ConnectorError::io("cut before the answer".into()));
        }
        let mut response = HttpResponse::new(parts.status.as_u16().try_into().expect("a status"), SdkBody::from(body));
        for (name, value) in &parts.headers {
            response.headers_mut().append(name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned());
        }
        Ok(response)
    })
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri = request.uri().to_owned();
        let rest = uri.split_once("://").map_or(uri.as_str(), |(_, r)| r);
        let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let call = Call {
            method: request.method().to_owned(),
            path: path.to_owned(),
            headers: request.headers().iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            body: request.body().bytes().unwrap_or_default().to_vec(),
        };
        let fate = self.fate();
        if fate == Some(Position::NotSent) {
            return HttpConnectorFuture::ready(Err(ConnectorError::io("cut before it was sent".into())));
        }
        if host.starts_with("s3.") {
            self.faults().traffic.file_trips += 1;
            return file_answer(self.files.clone(), uri, call, fate);
        }
        let reply = self.answer(host, &call);
        if fate == Some(Position::AnswerLost) {
            return HttpConnectorFuture::ready(Err(ConnectorError::io("cut before the answer".into())));
        }
        let mut response = HttpResponse::new(reply.status.try_into().expect("a status"), SdkBody::from(reply.body));
        response.headers_mut().insert("content-type", reply.content_type);
        HttpConnectorFuture::ready(Ok(response))
    }
}
