//! Questions, answers and contact, as staff change them.

use axum::{Json, extract::State};
use qutab::{
    app::{App, Problem, policy},
    domain::{
        Wrong,
        contact::{Email, Phone},
        helpdesk::{Bilingual, Contact, Faq, Helpdesk, Reader},
        staff::Permission,
        text::Description,
    },
    http::{AdminCaller, Form},
};
use serde_json::{Value, json};

const EDIT: Permission = Permission::EditShop;
const MOST_QUESTIONS: usize = 60;

fn bilingual(form: &mut Form) -> Option<Bilingual> {
    let (id, en) = (form.text("id", Description::parse), form.text("en", Description::parse));
    Some(Bilingual::new(id?.as_str(), en?.as_str()))
}

fn faq(form: &mut Form) -> Option<Faq> {
    let reader = form.text("reader", |text| match text {
        "customer" => Ok(Reader::Customer),
        "affiliate" => Ok(Reader::Affiliate),
        _ => Err(Wrong::new("unknown_value", "must be one of customer, affiliate")),
    });
    let (question, answer) = (form.object("question", bilingual), form.object("answer", bilingual));
    Some(Faq { reader: reader?, question: question?, answer: answer? })
}

pub async fn read_faq(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    Ok(Json(json!({ "items": app.store.helpdesk().await?.faq, "next_cursor": null })))
}

/// All questions at once, in the order in which they are shown.
pub async fn change_faq(State(app): State<App>, caller: AdminCaller, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(EDIT)?.into();
    let items = form.list("items", 1..=MOST_QUESTIONS, faq);
    form.checked()?;
    let Some(faq) = items else { return Err(form.problem()) };
    let changed = policy::change_helpdesk(&app, by, "faq", |before| Helpdesk { faq, ..before }).await?;
    Ok(Json(json!({ "items": changed.faq, "next_cursor": null })))
}

pub async fn read_contact(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    Ok(Json(json!(app.store.helpdesk().await?.contact)))
}

pub async fn change_contact(State(app): State<App>, caller: AdminCaller, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(EDIT)?.into();
    let (whatsapp, email) = (form.text("whatsapp", Phone::parse), form.text("email", Email::parse));
    let hours = form.object("hours", bilingual);
    form.checked()?;
    let (Some(whatsapp), Some(email), Some(hours)) = (whatsapp, email, hours) else { return Err(form.problem()) };
    let contact = Contact { whatsapp: Contact::number_of(&whatsapp), email: email.as_str().into(), hours };
    let changed = policy::change_helpdesk(&app, by, "contact", |before| Helpdesk { contact, ..before }).await?;
    Ok(Json(json!(changed.contact)))
}
