//! Identity cards and proofs of transfers, shown to who works with them. The only function that can open them.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::header;
use qutab::{
    app::{
        Code, Problem,
        documents::{self, LINK_SECONDS, ReadingRoom},
    },
    domain::{
        ids::{AffiliateId, OrderId, PayoutId, RefundId},
        staff::Permission,
    },
    http::{Access, AdminCaller, Group},
    secrets::link::LinkToken,
};
use serde_json::{Value, json};

const VERIFY: Permission = Permission::VerifyBankAccounts;

pub fn group(room: ReadingRoom) -> Group {
    Group::named("admin-documents")
        .get("/api/admin/bank-accounts/{id}/ktp", Access::Admin(VERIFY), card)
        .get("/api/admin/payouts/{id}/proof", Access::Admin(VERIFY), payout_proof)
        .get("/api/admin/orders/{id}/refunds/{refund_id}/proof", Access::Admin(VERIFY), refund_proof)
        .get("/api/admin/documents/{token}", Access::Admin(VERIFY), read)
        .build(room)
}

/// The newest card with its number, and a link to its picture: for this admin, once, for five minutes.
async fn card(State(room): State<ReadingRoom>, caller: AdminCaller, Path(affiliate): Path<String>) -> Result<Json<Value>, Problem> {
    let by = caller.may(VERIFY)?.into();
    let id = AffiliateId::parse(&affiliate).ok_or_else(|| Problem::new(Code::NotFound))?;
    let card = documents::card(&room, by, id).await?;
    let link = card.link.as_ref().map(link_view);
    Ok(Json(json!({
        "upload_id": card.image.upload,
        "status": card.image.status,
        "nik": card.nik,
        "consent_version": card.image.identity.consent_version,
        "uploaded_at": card.image.uploaded_at,
        "decided_at": card.image.decided_at,
        "image_kept_until": if card.image.deleted_at.is_some() { None } else { Some(card.image.delete_at) },
        "picture": link,
    })))
}

fn link_view(token: &LinkToken) -> Value {
    json!({ "path": format!("/api/admin/documents/{}", token.text()), "expires_in": LINK_SECONDS })
}

async fn payout_proof(State(room): State<ReadingRoom>, caller: AdminCaller, Path(payout): Path<String>) -> Result<Json<Value>, Problem> {
    let by = caller.may(VERIFY)?.into();
    let missing = || Problem::new(Code::NotFound);
    let id = PayoutId::parse(&payout).ok_or_else(missing)?;
    let paid = room.app.store.payout(id).await?.ok_or_else(missing)?.value;
    Ok(Json(json!({ "picture": link_view(&documents::proof(&room, by, payout, paid.proof).await?) })))
}

async fn refund_proof(
    State(room): State<ReadingRoom>,
    caller: AdminCaller,
    Path((order, refund)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let by = caller.may(VERIFY)?.into();
    let missing = || Problem::new(Code::NotFound);
    let (order_id, id) = OrderId::parse(&order).zip(RefundId::parse(&refund)).ok_or_else(missing)?;
    let sent = room.app.store.refund(order_id, id).await?.ok_or_else(missing)?.value;
    Ok(Json(json!({ "picture": link_view(&documents::proof(&room, by, format!("{order}/{refund}"), sent.picture).await?) })))
}

async fn read(State(room): State<ReadingRoom>, caller: AdminCaller, Path(token): Path<String>) -> Result<Response, Problem> {
    let by = caller.may(VERIFY)?.into();
    let picture = documents::read(&room, by, &token).await?;
    let headers = [(header::CONTENT_TYPE, "image/jpeg"), (header::CONTENT_DISPOSITION, "attachment; filename=\"ktp.jpg\"")];
    Ok((headers, picture).into_response())
}
