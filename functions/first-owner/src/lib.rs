//! By hand, once: makes the first owner, who is mailed a link to choose a password. Whoever may invoke this function may
//! do so; nothing else leads to it.

use qutab::{
    app::{App, StartError, staff},
    domain::{contact::Email, text::PersonName},
    runtime::{clients::Wiring, system_clock},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Who it is to be.
#[derive(Debug, Clone, Deserialize)]
pub struct Wanted {
    pub name: String,
    pub email: String,
}

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.app(system_clock()), async |app: &App, wanted: Wanted| run(app, wanted).await).await
}

pub async fn run(app: &App, wanted: Wanted) -> Result<Value, StartError> {
    let (name, email) = (PersonName::parse(&wanted.name)?, Email::parse(&wanted.email)?);
    match staff::first_owner(app, name, email).await {
        Ok(admin) => Ok(json!({ "id": admin.id, "role": admin.role, "next": "open the link in the mail and choose a password" })),
        Err(problem) => Err(problem.detail.unwrap_or_else(|| problem.code.as_str().into()).into()),
    }
}
