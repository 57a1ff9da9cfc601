//! Questions, answers and how to reach us. Public, and cacheable for some minutes.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use qutab::{
    app::{App, Problem},
    domain::{
        Wrong,
        helpdesk::{Reader, Topic},
        identity::Language,
        text::ShortReference,
    },
    http::{Access, Group, PageQuery},
};
use serde_json::{Value, json};

pub fn group(app: App) -> Group {
    Group::named("helpdesk")
        .get("/api/helpdesk/faq", Access::Public, faq)
        .get("/api/helpdesk/contact", Access::Public, contact)
        .get("/api/helpdesk/whatsapp-link", Access::Public, whatsapp_link)
        .build(app)
}

fn language(query: &PageQuery) -> Result<Language, Problem> {
    query.filter("lang").map_or(Ok(Language::Id), Language::parse).map_err(|w| Problem::field("lang", w))
}

async fn faq(State(app): State<App>, query: PageQuery) -> Result<Response, Problem> {
    let language = language(&query)?;
    let reader = match query.filter("for") {
        None | Some("customer") => Reader::Customer,
        Some("affiliate") => Reader::Affiliate,
        Some(_) => return Err(Problem::field("for", Wrong::new("unknown_value", "must be one of customer, affiliate"))),
    };
    let helpdesk = app.store.helpdesk().await?;
    let own = helpdesk.faq.iter().filter(|f| f.reader == reader);
    let items: Vec<Value> = own.map(|f| json!({ "question": f.question.of(language), "answer": f.answer.of(language) })).collect();
    Ok(cached(json!({ "items": items, "next_cursor": null })))
}

async fn contact(State(app): State<App>, query: PageQuery) -> Result<Response, Problem> {
    let language = language(&query)?;
    let (helpdesk, settings) = app.store.helpdesk_and_settings().await?;
    let contact = helpdesk.contact;
    let whatsapp = format!("+{}", contact.whatsapp);
    Ok(cached(json!({ "whatsapp": whatsapp, "email": contact.email, "hours": contact.hours.of(language), "terms_version": settings.terms_version })))
}

async fn whatsapp_link(State(app): State<App>, query: PageQuery) -> Result<Response, Problem> {
    let language = language(&query)?;
    let topic = query.filter("topic").map_or(Ok(Topic::General), Topic::parse).map_err(|w| Problem::field("topic", w))?;
    let about = query.filter("order").map(ShortReference::parse).transpose().map_err(|w| Problem::field("order", w))?;
    let contact = app.store.helpdesk().await?.contact;
    let message = topic.message(language, about.as_ref().map(ShortReference::as_str));
    Ok(cached(json!({ "url": contact.whatsapp_link(&message), "message": message })))
}

fn cached(body: Value) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(body)).into_response()
}
