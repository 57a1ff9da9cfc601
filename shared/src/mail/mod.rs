//! Mail through SES: text and HTML from one letter, escaped by the template.

pub mod letters;

use crate::domain::{contact::Email, identity::Language};
use askama::Template;
use aws_sdk_ses::{
    Client,
    error::ProvideErrorMetadata,
    types::{Body, Content, Destination, Message},
};

/// What somebody is told: the same in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub to: Email,
    pub language: Language,
    pub subject: String,
    pub greeting: String,
    pub paragraphs: Vec<String>,
    pub facts: Vec<(String, String)>,
    pub button: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    letter: &'a Letter,
    lang: &'a str,
}

#[derive(Template)]
#[template(path = "letter.txt", escape = "none")]
struct Text<'a> {
    letter: &'a Letter,
}

/// The mail was not taken. The codes of SES only: a message may quote the address.
#[derive(Debug, thiserror::Error)]
#[error("the mail was not taken: {0}")]
pub struct MailError(String);

impl MailError {
    /// Whether another try would fare no better: the address or the letter is at fault, not the service.
    pub fn is_final(&self) -> bool {
        matches!(self.0.as_str(), "MessageRejected" | "InvalidParameterValue")
    }
}

#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    from: String,
    pub shop: String,
    pub api: String,
}

impl Mailer {
    pub fn new(client: Client, from: &str, shop: &str, api: &str) -> Self {
        Self { client, from: from.into(), shop: shop.trim_end_matches('/').into(), api: api.trim_end_matches('/').into() }
    }

    pub async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let lang = if letter.language == Language::Id { "id" } else { "en" };
        let html = Html { letter, lang }.render().map_err(|e| MailError(e.to_string()))?;
        let text = Text { letter }.render().map_err(|e| MailError(e.to_string()))?;
        let body = Body::builder().html(content(&html)?).text(content(&text)?).build();
        let message = Message::builder().subject(content(&letter.subject)?).body(body).build();
        let to = Destination::builder().to_addresses(letter.to.as_str()).build();
        let sent = self.client.send_email().source(&self.from).destination(to).message(message).send().await;
        sent.map(|_| ()).map_err(|e| MailError(e.code().unwrap_or("connection").into()))
    }
}

fn content(text: &str) -> Result<Content, MailError> {
    Content::builder().data(text).charset("UTF-8").build().map_err(|e| MailError(e.to_string()))
}
