//! Identity cards, shown to who verifies bank accounts. The only function that can open them.

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
    domain::{ids::AffiliateId, staff::Permission},
    http::{Access, AdminCaller, Group},
};
use serde_json::{Value, json};

const VERIFY: Permission = Permission::VerifyBankAccounts;

pub fn group(room: ReadingRoom) -> Group {
    Group::named("admin-documents")
        .get("/api/admin/bank-accounts/{id}/ktp", Access::Admin(VERIFY), card)
        .get("/api/admin/documents/{token}", Access::Admin(VERIFY), read)
        .build(room)
}

/// The newest card with its number, and a link to its picture: for this admin, once, for five minutes.
async fn card(State(room): State<ReadingRoom>, caller: AdminCaller, Path(affiliate): Path<String>) -> Result<Json<Value>, Problem> {
    let by = caller.may(VERIFY)?.into();
    let id = AffiliateId::parse(&affiliate).ok_or_else(|| Problem::new(Code::NotFound))?;
    let card = documents::card(&room, by, id).await?;
    let link = card.link.map(|token| json!({ "path": format!("/api/admin/documents/{}", token.text()), "expires_in": LINK_SECONDS }));
    Ok(Json(json!({
        "status": card.image.status,
        "nik": card.nik,
        "consent_version": card.image.identity.consent_version,
        "uploaded_at": card.image.uploaded_at,
        "decided_at": card.image.decided_at,
        "image_kept_until": if card.image.deleted_at.is_some() { None } else { Some(card.image.delete_at) },
        "picture": link,
    })))
}

async fn read(State(room): State<ReadingRoom>, caller: AdminCaller, Path(token): Path<String>) -> Result<Response, Problem> {
    let by = caller.may(VERIFY)?.into();
    let picture = documents::read(&room, by, &token).await?;
    let headers = [(header::CONTENT_TYPE, "image/jpeg"), (header::CONTENT_DISPOSITION, "attachment; filename=\"ktp.jpg\"")];
    Ok((headers, picture).into_response())
}
