//! The stand-ins on their ports: one address for the cloud's services, one for the payment gateway with its hosted page.

use crate::{
    Call, Reply,
    dynamo::{self, Engine},
    files::Files,
    mailbox::Mailbox,
    queues::Queues,
    strict,
    whatsapp::WhatsApp,
    zendit::{Invoice, Zendit},
};
use askama::Template;
use axum::{
    Form, Router,
    body::to_bytes,
    extract::{Path, Request, State},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{any, get},
};
use http::{HeaderName, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use tower_http::cors::{Any, CorsLayer};

const MAX_BODY: usize = 10 << 20;
const MAX_FILE: usize = 20 << 20;

/// DynamoDB, SQS, SES and the message service.
#[derive(Clone)]
pub struct Cloud {
    pub db: Engine,
    pub queues: Queues,
    pub mailbox: Mailbox,
    pub whatsapp: WhatsApp,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cloud")
    }
}

impl Cloud {
    pub fn router(self) -> Router {
        Router::new().route("/{service}/", any(cloud)).route("/whatsapp/{*path}", any(whatsapp)).with_state(self)
    }
}

async fn cloud(State(cloud): State<Cloud>, Path(service): Path<String>, request: Request) -> Response {
    let Some(call) = call(request).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let reply = tokio::task::block_in_place(|| match service.as_str() {
        "dynamodb" => Some(table(&cloud.db, &call)),
        "sqs" => Some(cloud.queues.answer(&call)),
        "ses" => Some(cloud.mailbox.answer(&call)),
        _ => None,
    });
    reply.map_or_else(|| StatusCode::NOT_FOUND.into_response(), response)
}

fn table(db: &Engine, call: &Call) -> Reply {
    let operation = call.header("x-amz-target").and_then(|t| t.split_once('.')).map_or("", |t| t.1);
    let request = serde_json::from_slice(&call.body).unwrap_or_default();
    match strict::check(operation, &request) {
        Ok(()) => dynamo::answer(db, call),
        Err(why) => Reply::json(400, &json!({ "__type": "com.amazon.coral.validate#ValidationException", "message": why })),
    }
}

async fn whatsapp(State(cloud): State<Cloud>, request: Request) -> Response {
    match call(request).await {
        Some(call) => response(cloud.whatsapp.answer(&call)),
        None => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

async fn call(request: Request) -> Option<Call> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.ok()?;
    let headers = parts.headers.iter().filter_map(|(n, v)| Some((n.to_string(), v.to_str().ok()?.to_owned()))).collect();
    Some(Call { method: parts.method.to_string(), path: parts.uri.to_string(), headers, body: body.to_vec() })
}

fn response(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, reply.content_type)], reply.body).into_response()
}

/// The file store. Pages of any origin may use it: what they may do is in the signature of the address.
pub fn files(files: Files) -> Router {
    let serve = any(|State(files): State<Files>, request: Request| async move {
        let (parts, body) = request.into_parts();
        match to_bytes(body, MAX_FILE).await {
            Ok(body) => files.answer(Request::from_parts(parts, body)).await.map(axum::body::Body::from),
            Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        }
    });
    let methods = [Method::GET, Method::HEAD, Method::PUT, Method::POST];
    let cors = CorsLayer::new().allow_origin(Any).allow_methods(methods).allow_headers(Any).expose_headers([HeaderName::from_static("etag")]);
    Router::new().fallback(serve).with_state(files).layer(cors)
}

/// The gateway's API, and the page where customers pay.
pub fn payments(zendit: Zendit) -> Router {
    let api = any(|State(zendit): State<Zendit>, request: Request| async move {
        match call(request).await {
            Some(call) => response(zendit.answer(&call)),
            None => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        }
    });
    Router::new().route("/pay/{invoice}", get(page).post(pay)).fallback(api).with_state(zendit)
}

#[derive(Template)]
#[template(path = "pay.html")]
struct Page<'a> {
    invoice: &'a Invoice,
    amount: String,
    open: bool,
}

async fn page(State(zendit): State<Zendit>, Path(id): Path<String>) -> Response {
    let Some(invoice) = zendit.invoice(&id) else { return (StatusCode::NOT_FOUND, "Tagihan tidak ditemukan").into_response() };
    let amount = qutab::domain::money::Rupiah::new(invoice.amount).to_string();
    let page = Page { amount, open: invoice.status != "PAID", invoice: &invoice };
    page.render().map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), |html| Html(html).into_response())
}

#[derive(Deserialize)]
struct Choice {
    method: String,
    amount: Option<i64>,
}

async fn pay(State(zendit): State<Zendit>, Path(id): Path<String>, Form(choice): Form<Choice>) -> Redirect {
    if choice.method == "EXPIRE" {
        zendit.lapse(&id);
    } else {
        zendit.pay(&id, &choice.method, choice.amount);
    }
    Redirect::to(&format!("/pay/{id}"))
}
