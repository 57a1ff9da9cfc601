//! Money back: proposed by the season, through the gateway or by hand.

use super::{
    id,
    view::{self, refund_view},
};
use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        Code, Counter, Problem, Shop, manual_refund,
        refund_order::{self, Asked},
        uploads::{self, By, Wanted},
    },
    domain::{
        Wrong,
        ids::{RefundId, UploadId},
        money::Rupiah,
        order::RefundKind,
        staff::Permission,
        text::{Note, TransferReference},
        upload::Purpose,
    },
    http::{AdminCaller, Form, IdempotencyKey, upload},
};
use serde_json::{Value, json};

pub async fn open(
    State(shop): State<Shop>,
    caller: AdminCaller,
    Path(order): Path<String>,
    key: IdempotencyKey,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(Permission::Refund)?.into();
    let amount = form.maybe_integer("amount", 0..=1_000_000_000_000).map(Rupiah::new);
    let kind = form.text("kind", |text| match text {
        "end" => Ok(RefundKind::Ends),
        "adjust" => Ok(RefundKind::Adjusts),
        _ => Err(Wrong::new("unknown_value", "must be one of end, adjust")),
    });
    let reason = form.maybe_text("reason", Note::parse);
    let undeliverable = form.maybe_text("because", |text| match text {
        "undeliverable" => Ok(true),
        "customer" => Ok(false),
        _ => Err(Wrong::new("unknown_value", "must be one of undeliverable, customer")),
    });
    form.checked()?;
    let Some(kind) = kind else { return Err(form.problem()) };
    // An order ends once; but it can be adjusted as often as somebody asks.
    let idempotency_key = if kind == RefundKind::Adjusts { Some(key.required()?) } else { key.0 };
    let asked = Asked { amount, kind, reason, undeliverable: undeliverable.unwrap_or(false), idempotency_key };
    let opened = refund_order::refund_order(&shop.app, by, id(&order)?, asked).await?;
    Ok((StatusCode::CREATED, Json(json!({ "refund": refund_view(&opened.refund), "order": view::order(&shop.app, &opened.order) }))))
}

/// The manual transfer has been made: its reference is recorded.
pub async fn confirm(
    State(shop): State<Shop>,
    caller: AdminCaller,
    Path((order, refund)): Path<(String, String)>,
    mut form: Form,
) -> Result<Json<Value>, Problem> {
    let by = caller.may(Permission::Refund)?.into();
    let proof = form.text("reference", TransferReference::parse);
    form.checked()?;
    let Some(proof) = proof else { return Err(form.problem()) };
    Ok(Json(refund_view(&manual_refund::confirm(&shop.app, by, id(&order)?, refund_id(&refund)?, proof).await?)))
}

fn refund_id(text: &str) -> Result<RefundId, Problem> {
    RefundId::parse(text).ok_or_else(|| Problem::new(Code::NotFound))
}

/// A refund failed at the gateway: a person transfers it.
pub async fn take_over(State(shop): State<Shop>, caller: AdminCaller, Path((order, refund)): Path<(String, String)>) -> Result<Json<Value>, Problem> {
    let by = caller.may(Permission::Refund)?.into();
    Ok(Json(refund_view(&manual_refund::take_over(&shop, by, id(&order)?, refund_id(&refund)?).await?)))
}

/// Money that could not be matched goes back.
pub async fn of_receipt(
    State(shop): State<Shop>,
    caller: AdminCaller,
    Path((order, invoice)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(Permission::Refund)?.into();
    Ok((StatusCode::CREATED, Json(refund_view(&manual_refund::refund_receipt(&shop.app, by, id(&order)?, &invoice).await?))))
}

/// An address to put a picture to that proves the transfer.
pub async fn open_proof(
    State(counter): State<Counter>,
    caller: AdminCaller,
    Path((order, refund)): Path<(String, String)>,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(Permission::Refund)?;
    let wanted = upload::wanted(&mut form);
    form.checked()?;
    let Some((content_type, bytes)) = wanted else { return Err(form.problem()) };
    let (app, order, refund) = (&counter.shop.app, id(&order)?, refund_id(&refund)?);
    app.store.refund(order, refund).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let wanted = Wanted { purpose: Purpose::RefundProof { order, refund }, content_type, bytes, identity: None };
    let (opened, address) = uploads::open(app, &counter.quarantine, &by.id.to_string(), wanted).await?;
    Ok((StatusCode::CREATED, Json(upload::address(&opened, &address))))
}

pub async fn complete_proof(
    State(shop): State<Shop>,
    caller: AdminCaller,
    Path((order, refund, upload)): Path<(String, String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = By::Staff(caller.may(Permission::Refund)?.into(), "refund.proof");
    let (order, refund) = (id(&order)?, refund_id(&refund)?);
    let upload = UploadId::parse(&upload).ok_or_else(|| Problem::new(Code::NotFound))?;
    let completed = uploads::complete(&shop.app, upload, by, |p| *p == Purpose::RefundProof { order, refund }).await?;
    Ok((StatusCode::ACCEPTED, Json(upload::view(&completed))))
}
