//! Affiliates see and change their own data.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        App, Code, Problem, affiliates, credentials,
        uploads::{self, Intake, Wanted},
    },
    domain::{
        affiliate::Affiliate,
        contact::Phone,
        identity::{Audience, Language},
        ids::UploadId,
        platform::Platform,
        text::{PersonName, Place},
        upload::Purpose,
    },
    http::{Access, ActiveAffiliate, Form, Group, details, login, picture, upload},
};
use serde_json::{Value, json};

pub fn group(intake: Intake) -> Group {
    Group::named("affiliate-profile")
        .get("/api/affiliate/profile", Access::Affiliate, read)
        .patch("/api/affiliate/profile", Access::Affiliate, change)
        .put("/api/affiliate/profile/password", Access::Affiliate, change_password)
        .post("/api/affiliate/profile/photo", Access::Affiliate, open_photo)
        .post("/api/affiliate/profile/photo/{upload_id}/complete", Access::Affiliate, complete_photo)
        .build(intake)
}

async fn read(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate) -> Result<Json<Value>, Problem> {
    let affiliate = app.store.affiliate(caller.id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
    Ok(Json(view(&app, &affiliate.value)))
}

/// What is not named stays. Links are exchanged all at once.
async fn change(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, mut form: Form) -> Result<Json<Value>, Problem> {
    let (first_name, last_name) = (form.maybe_text("first_name", PersonName::parse), form.maybe_text("last_name", PersonName::parse));
    let (whatsapp, city) = (form.maybe_text("whatsapp", Phone::parse), form.maybe_text("city", Place::parse));
    let (platform, language) = (form.maybe_text("primary_platform", Platform::parse), form.maybe_text("language", Language::parse));
    let social = if form.has("social") { form.object("social", |links| Some(details::profiles(links))) } else { None };
    form.checked()?;
    let changed = affiliates::change_details(&app, caller.id, |d| {
        d.first_name = first_name.clone().unwrap_or_else(|| d.first_name.clone());
        d.last_name = last_name.clone().unwrap_or_else(|| d.last_name.clone());
        d.whatsapp = whatsapp.clone().unwrap_or_else(|| d.whatsapp.clone());
        d.city = city.clone().unwrap_or_else(|| d.city.clone());
        d.primary_platform = platform.unwrap_or(d.primary_platform);
        d.language = language.unwrap_or(d.language);
        d.social = social.clone().unwrap_or_else(|| d.social.clone());
    });
    Ok(Json(view(&app, &changed.await?)))
}

/// Every other device is logged out.
async fn change_password(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, mut form: Form) -> Result<StatusCode, Problem> {
    let (old, new) = login::passwords(&mut form)?;
    let affiliate = app.store.affiliate(caller.id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
    credentials::change_password(&app, Audience::Affiliate, &affiliate.value.email, caller.session, &old, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An address to put a photo to.
async fn open_photo(
    State(intake): State<Intake>,
    ActiveAffiliate(caller): ActiveAffiliate,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let wanted = upload::wanted(&mut form);
    form.checked()?;
    let Some((content_type, bytes)) = wanted else { return Err(form.problem()) };
    let wanted = Wanted { purpose: Purpose::Photo { affiliate: caller.id }, content_type, bytes, identity: None };
    let (opened, address) = uploads::open(&intake.app, &intake.quarantine, &caller.id.to_string(), wanted).await?;
    Ok((StatusCode::CREATED, Json(upload::address(&opened, &address))))
}

/// The photo is there. It shows on the profile once somebody has looked at it, some seconds later.
async fn complete_photo(
    State(app): State<App>,
    ActiveAffiliate(caller): ActiveAffiliate,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = UploadId::parse(&id).ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok((
        StatusCode::ACCEPTED,
        Json(upload::view(&uploads::complete(&app, id, uploads::By::Owner, |p| *p == Purpose::Photo { affiliate: caller.id }).await?)),
    ))
}

fn view(app: &App, a: &Affiliate) -> Value {
    let photo = a.photo.map(|p| picture::sizes(&app.site, &p));
    let d = &a.details;
    json!({
        "id": a.id,
        "status": a.status,
        "code": a.code,
        "email": a.email,
        "first_name": d.first_name,
        "last_name": d.last_name,
        "whatsapp": d.whatsapp,
        "city": d.city,
        "social": d.social,
        "primary_platform": d.primary_platform,
        "language": d.language,
        "photo": photo,
        "applied_at": a.applied_at,
    })
}
