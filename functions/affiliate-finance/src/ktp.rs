//! The affiliate's identity card: uploaded for the review of the bank account, sealed, and shown to nobody here.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        App, Code, Problem,
        uploads::{self, Intake, Wanted},
    },
    domain::{
        Wrong,
        ids::{AffiliateId, UploadId},
        ktp::{Identity, Nik},
        text::{TermsVersion, mask_number},
        upload::Purpose,
    },
    http::{ActiveAffiliate, Form, upload},
};
use serde_json::{Value, json};

/// An address to put the picture to, once its owner has agreed to what happens with it.
pub async fn open(
    State(intake): State<Intake>,
    ActiveAffiliate(caller): ActiveAffiliate,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let wanted = upload::wanted(&mut form);
    let nik = form.text("nik", Nik::parse);
    let version = form.text("consent_version", TermsVersion::parse);
    if form.flag("consent") == Some(false) {
        form.wrong("consent", Wrong::new("required", "the use of the identity card must be agreed to"));
    }
    form.checked()?;
    let (Some((content_type, bytes)), Some(nik), Some(version)) = (wanted, nik, version) else { return Err(form.problem()) };
    // Nobody's card is asked for before there is anything to pay out.
    intake.app.store.wallet(caller.id).await?.ok_or_else(|| Problem::conflict("the application has not been approved"))?;
    let vault = intake.app.vault()?;
    let owner = caller.id.to_string();
    let identity = Identity {
        sealed_nik: vault.seal_nik(&owner, &nik, &intake.app.entropy).map_err(Problem::internal)?,
        nik_hash: vault.find("nik", nik.as_str()),
        consent_version: version.as_str().into(),
    };
    let wanted = Wanted { purpose: Purpose::Ktp { affiliate: caller.id }, content_type, bytes, identity: Some(identity) };
    let (opened, address) = uploads::open(&intake.app, &intake.quarantine, &owner, wanted).await?;
    Ok((StatusCode::CREATED, Json(upload::address(&opened, &address))))
}

pub async fn complete(
    State(app): State<App>,
    ActiveAffiliate(caller): ActiveAffiliate,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = UploadId::parse(&id).ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok((
        StatusCode::ACCEPTED,
        Json(upload::view(&uploads::complete(&app, id, uploads::By::Owner, |p| *p == Purpose::Ktp { affiliate: caller.id }).await?)),
    ))
}

/// The newest card: where its review stands, and the number with all but its last digits hidden.
pub async fn view(intake: &Intake, id: AffiliateId) -> Result<Value, Problem> {
    let Some(newest) = intake.app.store.ktp_images(id).await?.into_iter().next().map(|k| k.value) else { return Ok(Value::Null) };
    let nik = intake.app.vault.as_ref().and_then(|v| v.open_nik(&id.to_string(), &newest.identity.sealed_nik).ok());
    Ok(json!({
        "status": newest.status,
        "nik": nik.as_deref().map(mask_number),
        "uploaded_at": newest.uploaded_at,
        "decided_at": newest.decided_at,
        "image_kept_until": if newest.deleted_at.is_some() { None } else { Some(newest.delete_at) },
    }))
}
